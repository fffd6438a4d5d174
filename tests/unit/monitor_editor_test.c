#include "kernel/debug/monitor/editor.h"
#include "tests/unit/test.h"

/* A terminal of one row, 80 columns wide, that fails the test on anything it does not know and on
 * writing past its last column. A line feed clears it. */
static char row[EDITOR_COLUMNS + 1];
static unsigned column, bells;
static char transcript[4096];
static size_t transcript_length;

static void clear_row(void)
{
    memset(row, ' ', EDITOR_COLUMNS);
    row[EDITOR_COLUMNS] = '\0';
}

static size_t take_sequence(const char *text, size_t length)
{
    size_t at = 2;
    unsigned number = 0;
    CHECK(length >= 3 && text[1] == '[');
    for (; at < length && text[at] >= '0' && text[at] <= '9'; at++)
        number = number * 10 + (unsigned)(text[at] - '0');
    CHECK(at < length);
    if (text[at] == 'G') {
        CHECK(number >= 1 && number <= EDITOR_COLUMNS);
        column = number - 1;
    } else if (text[at] == 'K') {
        memset(row + column, ' ', EDITOR_COLUMNS - column);
    } else if (text[at] == 'H') {
        column = 0;
    } else {
        CHECK(text[at] == 'J' && number == 2);
        clear_row();
    }
    return at + 1;
}

static void terminal(const char *text, size_t length)
{
    CHECK(transcript_length + length < sizeof(transcript));
    memcpy(transcript + transcript_length, text, length);
    transcript_length += length;
    transcript[transcript_length] = '\0';
    for (size_t at = 0; at < length;) {
        if (text[at] == '\x1b') {
            at += take_sequence(text + at, length - at);
            continue;
        }
        if (text[at] == '\r') {
            column = 0;
        } else if (text[at] == '\n') {
            column = 0;
            clear_row();
        } else if (text[at] == '\a') {
            bells++;
        } else {
            CHECK(text[at] >= ' ' && text[at] < 0x7F && column + 1 < EDITOR_COLUMNS);
            row[column++] = text[at];
        }
        at++;
    }
}

static const char *names(unsigned index)
{
    static const char *const all[] = {"help",     "mem",      "mem map", "mem states", "heap",
                                      "heap top", "poweroff", "reboot",  "selftest",   "fault",
                                      "page",     "cpu",      "log"};
    return index < ARRAY_COUNT(all) ? all[index] : NULL;
}

static struct editor editor;

static void start(void)
{
    editor_init(&editor);
    editor.prompt = "32rtos> ";
    editor.write = terminal;
    editor.candidate = names;
    clear_row();
    column = bells = 0;
    transcript_length = 0;
    editor_begin(&editor);
}

/* The row shows the prompt and a window of the line, and the terminal's cursor is the editor's. */
static void check_row(void)
{
    char expected[EDITOR_COLUMNS + 1];
    CHECK(editor.length < EDITOR_LINE_SIZE && editor.cursor <= editor.length);
    CHECK(editor.line[editor.length] == '\0' && strlen(editor.line) == editor.length);
    CHECK(editor.first <= editor.cursor);
    snprintf(expected, sizeof(expected), "%s%-*.*s", editor.prompt, EDITOR_COLUMNS - 8,
             EDITOR_COLUMNS - 9, editor.line + editor.first);
    if (strcmp(row, expected) != 0)
        test_fail(__FILE__, __LINE__, "row \"%s\", expected \"%s\"", row, expected);
    CHECK_EQUAL(column, strlen(editor.prompt) + editor.cursor - editor.first);
}

static unsigned type(const char *text)
{
    unsigned lines = 0;
    for (; *text != '\0'; text++) {
        transcript_length = 0;
        if (editor_feed(&editor, (unsigned char)*text) == EDITOR_LINE)
            lines++;
        else
            check_row();
    }
    return lines;
}

static void expect_line(const char *keys, const char *line)
{
    CHECK_EQUAL(type(keys), 0);
    if (strcmp(editor.line, line) != 0)
        test_fail(__FILE__, __LINE__, "\"%s\", expected \"%s\"", editor.line, line);
    type("\x05\x15"); /* ^E ^U */
}

TEST(editor_edits)
{
    start();
    expect_line("abc", "abc");
    expect_line("abc\x1b[Dx", "abxc");
    expect_line("abc\x1bOD\x1bOD\x1b[Cx", "abxc");
    expect_line("abc\x01x\x05y", "xabcy");
    expect_line("abc\x1b[Hx\x1b[Fy\x1b[1~z\x1b[4~!", "zxabcy!");
    expect_line("abc\x7f\x08z", "az");
    expect_line("abc\x01\x1b[3~\x04", "c");
    expect_line("abc\x02\x0b", "ab");
    expect_line("abc\x02\x15", "c");
    expect_line("mem who  \x17", "mem ");
    expect_line("one two\x02\x17", "one o");
    expect_line("\x17\x7f\x04\x0b\x15\x1b[3~x", "x");
    expect_line("a\xc3\xa4\x80\xff"
                "b\x02\x03",
                "");
    expect_line("ab\x0c"
                "c",
                "abc");
}

TEST(editor_ignores_what_it_does_not_know)
{
    start();
    expect_line("a\x1b[15~b\x1b[1;5Cc\x1b[99999999~d\x1bxe\x1b[?25hf\x1b[200~g\x1b[Z", "abcdefg");
    expect_line("a\x1b\x1b[Db\x07\x16\x0e", "ba");
    expect_line("a\x1b[[A\x1b[[Eb\x1b[5~\x1b[24~c", "abc");
}

TEST(editor_ends_lines_of_every_kind)
{
    start();
    CHECK_EQUAL(type("one\r"), 1);
    CHECK(strcmp(editor.line, "one") == 0);
    editor_begin(&editor);
    CHECK_EQUAL(type("\ntwo\n"), 1); /* the LF belongs to the CR */
    CHECK(strcmp(editor.line, "two") == 0);
    editor_begin(&editor);
    CHECK_EQUAL(type("\n"), 1);
    CHECK_EQUAL(editor.length, 0);
    editor_begin(&editor);
    CHECK_EQUAL(type("a\x1b[\r"), 1); /* inside a sequence */
}

TEST(editor_echoes_what_is_typed_and_no_more)
{
    start();
    transcript_length = 0;
    for (const char *at = "mem map\r"; *at != '\0'; at++)
        editor_feed(&editor, (unsigned char)*at);
    CHECK(strcmp(transcript, "mem map\n") == 0);
}

TEST(editor_remembers)
{
    char text[32];
    start();
    expect_line("\x1b[A\x10x", "x");
    for (int i = 0; i < 40; i++) {
        snprintf(text, sizeof(text), "line %d\r", i);
        CHECK_EQUAL(type(text), 1);
        editor_begin(&editor);
        CHECK_EQUAL(type(i % 3 ? "\r" : text), 1); /* empty ones and repeated ones do not count */
        editor_begin(&editor);
    }
    expect_line("\x1b[A", "line 39");
    type("\x03");
    expect_line("draft\x1b[A\x1b[A\x1b[B\x1b[B", "draft");
    type("\x03");
    expect_line("\x10\x10\x10\x0e!", "line 38!");
    type("\x03");
    for (int i = 0; i < 50; i++)
        type("\x1b[A");
    CHECK(strcmp(editor.line, "line 8") == 0);
}

TEST(editor_completes)
{
    start();
    expect_line("m\t", "mem");
    expect_line("mem \t", "mem ");
    expect_line("mem m\t", "mem map ");
    expect_line("hel\t", "help ");
    expect_line("he\t", "he");
    expect_line("heap t\tx", "heap top x");
    bells = 0;
    expect_line("zzz\t", "zzz");
    CHECK_EQUAL(bells, 1);
    expect_line("me\x02\t", "me");
    type("he\t\t"); /* lists, and shows the line again */
    CHECK(strstr(transcript, "help   heap   heap top") != NULL);
    CHECK(strcmp(editor.line, "he") == 0);
}

TEST(editor_bounds_the_line)
{
    start();
    for (int i = 0; i < 1000; i++)
        type("w");
    CHECK_EQUAL(editor.length, EDITOR_LINE_SIZE - 1);
    CHECK_EQUAL(bells, 1000 - (EDITOR_LINE_SIZE - 1));
    CHECK_EQUAL(type("\x01\x1b[C\x1b[3~x\x05\r"), 1);
    CHECK_EQUAL(editor.length, EDITOR_LINE_SIZE - 1);
    editor_begin(&editor);
    type("\x1b[A\x1b[B");
    CHECK_EQUAL(editor.length, 0);
}

/* Keys at random, against a model that has a text and a cursor and knows nothing of terminals. */
TEST(editor_random)
{
    static const char *const keys[] = {"\x1b[D", "\x1b[C", "\x01",   "\x05",
                                       "\x7f",   "\x04",   "\x1b[D", "\x1b[D"};
    char text[EDITOR_LINE_SIZE] = "";
    size_t cursor = 0, length = 0;
    start();
    for (int i = 0; i < 30000; i++) {
        uint32_t pick = test_random_range(0, 23);
        char letter[2] = {(char)test_random_range(' ', '~'), '\0'};
        type(pick < ARRAY_COUNT(keys) ? keys[pick] : letter);
        if (pick >= ARRAY_COUNT(keys) && length + 1 < EDITOR_LINE_SIZE) {
            memmove(text + cursor + 1, text + cursor, length - cursor + 1);
            text[cursor++] = letter[0];
            length++;
        } else if (pick == 4 && cursor > 0) {
            memmove(text + cursor - 1, text + cursor, length-- - cursor + 1);
            cursor--;
        } else if (pick == 5 && cursor < length) {
            memmove(text + cursor, text + cursor + 1, length-- - cursor);
        } else if (pick == 2 || pick == 3) {
            cursor = pick == 2 ? 0 : length;
        } else if ((pick == 0 || pick >= 6) && pick < 8) {
            cursor -= cursor > 0;
        } else if (pick == 1) {
            cursor += cursor < length;
        }
        CHECK(strcmp(editor.line, text) == 0);
        CHECK_EQUAL(editor.cursor, cursor);
        if (i % 700 == 699) {
            type("\x05\x15");
            text[0] = '\0';
            cursor = length = 0;
        }
    }
}

/* Any bytes at all: bounded, and the row stays right. */
TEST(editor_survives_noise)
{
    start();
    for (int i = 0; i < 100000; i++) {
        unsigned char byte = (unsigned char)test_random();
        transcript_length = 0;
        if (editor_feed(&editor, byte) == EDITOR_LINE)
            editor_begin(&editor);
        check_row();
    }
}
