#include "kernel/device/screen/terminal.h"
#include "kernel/device/screen/terminal_internal.h"
#include "tests/unit/test.h"

#define COLUMNS 10
#define ROWS    5

static struct terminal terminal;
static struct terminal_cell screen[ROWS][COLUMNS];
static unsigned drawn;
static char answered[256];

static void draw(unsigned column, unsigned row, struct terminal_cell cell)
{
    CHECK(column < COLUMNS && row < ROWS);
    screen[row][column] = cell;
    drawn++;
}

static void answer(const char *text, size_t length)
{
    size_t used = strlen(answered);
    CHECK(length <= TERMINAL_ANSWER_SIZE && used + length < sizeof(answered));
    memcpy(answered + used, text, length);
    answered[used + length] = '\0';
}

static void start(void)
{
    static unsigned char storage[COLUMNS * ROWS * 4];
    CHECK_EQUAL(terminal_storage_bytes(COLUMNS, ROWS), sizeof(storage));
    memset(storage, 0xEE, sizeof(storage));
    drawn = 0;
    terminal_init(&terminal, storage, COLUMNS, ROWS, draw, "title that is too long");
    CHECK_EQUAL(drawn, COLUMNS * ROWS);
    drawn = 0;
    terminal.answer = answer;
    answered[0] = '\0';
}

/* The screen is what is wanted, with the colours swapped under the cursor and nowhere else. */
static void check_screen(void)
{
    const char *problem = terminal_problem(&terminal);
    if (problem != NULL)
        test_fail(__FILE__, __LINE__, "%s", problem);
    for (unsigned row = 0; row < ROWS; row++)
        for (unsigned column = 0; column < COLUMNS; column++) {
            struct terminal_cell wanted = terminal.wanted[row * COLUMNS + column];
            bool has_cursor = row == terminal.row && !(terminal.modes & MODE_NO_CURSOR) &&
                              column == (terminal.column < COLUMNS ? terminal.column : COLUMNS - 1);
            CHECK_EQUAL(screen[row][column].character, wanted.character);
            CHECK_EQUAL(screen[row][column].colour,
                        has_cursor ? (uint8_t)(wanted.colour << 4 | wanted.colour >> 4)
                                   : wanted.colour);
        }
}

static void write_text(const char *text)
{
    terminal_write(&terminal, TERMINAL_TEXT, text, strlen(text));
    check_screen();
}

static void send(const char *text)
{
    terminal_write(&terminal, TERMINAL_PROGRAMS, text, strlen(text));
    check_screen();
}

static void expect(unsigned row, const char *text)
{
    char found[COLUMNS + 1] = "";
    for (unsigned column = 0; column < COLUMNS; column++)
        found[column] = (char)screen[row][column].character;
    if (strncmp(found, text, strlen(text)) != 0)
        test_fail(__FILE__, __LINE__, "row %u: \"%s\", expected \"%s\"", row, found, text);
    for (size_t column = strlen(text); column < COLUMNS; column++)
        CHECK_EQUAL(found[column], ' ');
}

TEST(terminal_writes_and_scrolls_below_the_title)
{
    start();
    write_text("one\ntwo\nthree\nfour");
    expect(0, " title tha");
    expect(1, "one");
    expect(4, "four");
    write_text("\nfive");
    expect(0, " title tha");
    expect(1, "two");
    expect(4, "five");
    write_text("\n\n\n\n\n\nx");
    expect(1, "");
    expect(3, "");
    expect(4, "x");
}

TEST(terminal_wraps_and_obeys_controls)
{
    start();
    write_text("0123456789");
    expect(1, "0123456789");
    expect(2, "");
    write_text("\nA");
    expect(2, "A");
    write_text("\nabcdefghijKL");
    expect(3, "abcdefghij");
    expect(4, "KL");
    write_text("\rM\x01\x7f\tN\tO\a");
    expect(3, "abcdefghij");
    expect(4, "ML      NO");
    send("\bx\n\by"); /* for programs, the next row begins where the last one was left */
    expect(3, "ML      xO");
    expect(4, "        y");
    write_text("\x18\x1a\n\v\f\rz");
    expect(4, "z");
}

TEST(terminal_draws_only_what_changed)
{
    start();
    write_text("ab"); /* and the cursor behind it, where it was not before */
    CHECK_EQUAL(drawn, 3);
    write_text("\rab");
    CHECK_EQUAL(drawn, 3);
    write_text("\r");
    CHECK_EQUAL(drawn, 5); /* the cursor moved */
    write_text("aX");
    CHECK_EQUAL(drawn, 8);
    send("\x1b[?25l");
    CHECK_EQUAL(drawn, 9);
    send("\x1b[?25l\x1b[?25h\x1b[?25l");
    CHECK_EQUAL(drawn, 9);
    send("Y\x1b[?25h");
    CHECK_EQUAL(drawn, 11);
}

TEST(terminal_obeys_a_line_editor)
{
    start();
    write_text("abcdef\x1b[3G\x1b[K");
    expect(1, "ab");
    write_text("X\x1b[GY\x1b[99GZ");
    expect(1, "YbX      Z");
    write_text("\x1b[K"); /* the line is full: nothing is behind the cursor */
    expect(1, "YbX      Z");
    write_text("Q");
    expect(2, "Q");
    write_text("\x1b[H\x1b[2Jtop");
    expect(0, " title tha");
    expect(1, "top");
    expect(2, "");
}

/* What is sent to a terminal that holds the rows below, and what it holds then. '^' stands for the
 * cursor's place if no row has it as text. */
static const struct sequence {
    const char *sent;
    unsigned column, row; /* afterwards; a full row's column is 10 */
    const char *rows[ROWS - 1];
} sequences[] = {
#define UNCHANGED                                                                                  \
    {                                                                                              \
        "abcdefghij", "klmno", "pqrstuvwxy", "z"                                                   \
    }
    /* moves */
    {"\x1b[H", 0, 1, UNCHANGED},
    {"\x1b[3;5H", 4, 3, UNCHANGED},
    {"\x1b[2;3f", 2, 2, UNCHANGED},
    {"\x1b[;3H", 2, 1, UNCHANGED},
    {"\x1b[2;H", 0, 2, UNCHANGED},
    {"\x1b[0;0H", 0, 1, UNCHANGED},
    {"\x1b[999;999H", 9, 4, UNCHANGED},
    {"\x1b[4294967297;99999999999999999999H", 9, 4, UNCHANGED},
    {"\x1b[3;5H\x1b[A", 4, 2, UNCHANGED},
    {"\x1b[3;5H\x1b[2A", 4, 1, UNCHANGED},
    {"\x1b[3;5H\x1b[9A", 4, 1, UNCHANGED},
    {"\x1b[3;5H\x1b[B", 4, 4, UNCHANGED},
    {"\x1b[3;5H\x1b[9e", 4, 4, UNCHANGED},
    {"\x1b[3;5H\x1b[C\x1b[0C", 6, 3, UNCHANGED},
    {"\x1b[3;5H\x1b[9a", 9, 3, UNCHANGED},
    {"\x1b[3;5H\x1b[D\x1b[2D", 1, 3, UNCHANGED},
    {"\x1b[3;5H\x1b[9D", 0, 3, UNCHANGED},
    {"\x1b[3;5H\x1b[E", 0, 4, UNCHANGED},
    {"\x1b[3;5H\x1b[2F", 0, 1, UNCHANGED},
    {"\x1b[3;5H\x1b[2G", 1, 3, UNCHANGED},
    {"\x1b[3;5H\x1b[2`", 1, 3, UNCHANGED},
    {"\x1b[3;5H\x1b[2d", 4, 2, UNCHANGED},
    {"\x1b[3;5H\b\b", 2, 3, UNCHANGED},
    {"\x1b[3;1H\b", 0, 3, UNCHANGED},
    {"\x1b[3;5H\t", 8, 3, UNCHANGED},
    {"\x1b[3;5H\t\t\t", 9, 3, UNCHANGED},
    {"\x1b[4;5H\x1b[s\x1b[H\x1b[u", 4, 4, UNCHANGED},
    {"\x1b[4;5H\x1b\x37\x1b[H\x1b\x38", 4, 4, UNCHANGED},
    {"\x1b[u", 0, 1, UNCHANGED},
    /* a full row: the cursor is on its last cell until something follows */
    {"\x1b[1;10Hj", 10, 1, UNCHANGED},
    {"\x1b[1;10Hj\x1b[D\x1b[C", 9, 1, UNCHANGED},
    {"\x1b[1;10Hj\b", 8, 1, UNCHANGED},
    {"\x1b[1;10Hj\r", 0, 1, UNCHANGED},
    {"\x1b[1;10HJK", 1, 2, {"abcdefghiJ", "Klmno", "pqrstuvwxy", "z"}},
    {"\x1b[?7l\x1b[1;10HJKL", 10, 1, {"abcdefghiL", "klmno", "pqrstuvwxy", "z"}},
    {"\x1b[?7l\x1b[?7h\x1b[1;10HJK", 1, 2, {"abcdefghiJ", "Klmno", "pqrstuvwxy", "z"}},
    {"\x1b[4;10HJK", 1, 4, {"klmno", "pqrstuvwxy", "z        J", "K"}},
    /* erasing */
    {"\x1b[3;5H\x1b[J", 4, 3, {"abcdefghij", "klmno", "pqrs", ""}},
    {"\x1b[3;5H\x1b[1J", 4, 3, {"", "", "     uvwxy", "z"}},
    {"\x1b[3;5H\x1b[2J", 4, 3, {"", "", "", ""}},
    {"\x1b[3;5H\x1b[3J", 4, 3, {"", "", "", ""}},
    {"\x1b[3;5H\x1b[4J", 4, 3, UNCHANGED},
    {"\x1b[3;5H\x1b[K", 4, 3, {"abcdefghij", "klmno", "pqrs", "z"}},
    {"\x1b[3;5H\x1b[1K", 4, 3, {"abcdefghij", "klmno", "     uvwxy", "z"}},
    {"\x1b[3;5H\x1b[2K", 4, 3, {"abcdefghij", "klmno", "", "z"}},
    {"\x1b[3;5H\x1b[3K", 4, 3, UNCHANGED},
    {"\x1b[3;5H\x1b[X", 4, 3, {"abcdefghij", "klmno", "pqrs uvwxy", "z"}},
    {"\x1b[3;5H\x1b[3X", 4, 3, {"abcdefghij", "klmno", "pqrs   wxy", "z"}},
    {"\x1b[3;5H\x1b[9999X", 4, 3, {"abcdefghij", "klmno", "pqrs", "z"}},
    /* inserting and deleting */
    {"\x1b[3;5H\x1b[P", 4, 3, {"abcdefghij", "klmno", "pqrsuvwxy", "z"}},
    {"\x1b[3;5H\x1b[4P", 4, 3, {"abcdefghij", "klmno", "pqrsxy", "z"}},
    {"\x1b[3;5H\x1b[99P", 4, 3, {"abcdefghij", "klmno", "pqrs", "z"}},
    {"\x1b[3;5H\x1b[@", 4, 3, {"abcdefghij", "klmno", "pqrs tuvwx", "z"}},
    {"\x1b[3;5H\x1b[4@", 4, 3, {"abcdefghij", "klmno", "pqrs    tu", "z"}},
    {"\x1b[3;5H\x1b[99@", 4, 3, {"abcdefghij", "klmno", "pqrs", "z"}},
    {"\x1b[3;5H\x1b[4hXY\x1b[4lZ", 7, 3, {"abcdefghij", "klmno", "pqrsXYZuvw", "z"}},
    {"\x1b[2;5H\x1b[L", 0, 2, {"abcdefghij", "", "klmno", "pqrstuvwxy"}},
    {"\x1b[2;5H\x1b[2L", 0, 2, {"abcdefghij", "", "", "klmno"}},
    {"\x1b[2;5H\x1b[99L", 0, 2, {"abcdefghij", "", "", ""}},
    {"\x1b[2;5H\x1b[M", 0, 2, {"abcdefghij", "pqrstuvwxy", "z", ""}},
    {"\x1b[2;5H\x1b[99M", 0, 2, {"abcdefghij", "", "", ""}},
    /* scrolling, all of it and a region */
    {"\x1b[4;3H\n", 2, 4, {"klmno", "pqrstuvwxy", "z", ""}},
    {"\x1b[4;3H\x1b\x44", 2, 4, {"klmno", "pqrstuvwxy", "z", ""}},
    {"\x1b[4;3H\x1b\x45", 0, 4, {"klmno", "pqrstuvwxy", "z", ""}},
    {"\x1b[1;3H\x1bM", 2, 1, {"", "abcdefghij", "klmno", "pqrstuvwxy"}},
    {"\x1b[3;3H\x1bM", 2, 2, UNCHANGED},
    {"\x1b[3;3H\x1b[S", 2, 3, {"klmno", "pqrstuvwxy", "z", ""}},
    {"\x1b[3;3H\x1b[2T", 2, 3, {"", "", "abcdefghij", "klmno"}},
    {"\x1b[3;3H\x1b[2;3r", 0, 1, UNCHANGED},
    {"\x1b[2;3r\x1b[3;3H\n", 2, 3, {"abcdefghij", "pqrstuvwxy", "", "z"}},
    {"\x1b[2;3r\x1b[2;3H\x1bM", 2, 2, {"abcdefghij", "", "klmno", "z"}},
    {"\x1b[2;3r\x1b[4;3H\n\n", 2, 4, UNCHANGED},
    {"\x1b[2;3r\x1b[1;3H\x1bM", 2, 1, UNCHANGED},
    {"\x1b[2;3r\x1b[99S", 0, 1, {"abcdefghij", "", "", "z"}},
    {"\x1b[2;3r\x1b[2H\x1b[L", 0, 2, {"abcdefghij", "", "klmno", "z"}},
    {"\x1b[2;3r\x1b[2H\x1b[9M", 0, 2, {"abcdefghij", "", "", "z"}},
    {"\x1b[2;3r\x1b[4;2H\x1b[L\x1b[M", 1, 4, UNCHANGED}, /* not in the region */
    {"\x1b[2;3r\x1b[r\x1b[4H\n", 0, 4, {"klmno", "pqrstuvwxy", "z", ""}},
    {"\x1b[3;3r\x1b[3;2r\x1b[4H\n",
     0,
     4,
     {"klmno", "pqrstuvwxy", "z", ""}}, /* none of these is one */
    {"\x1b[9;99r\x1b[4H\n", 0, 4, {"klmno", "pqrstuvwxy", "z", ""}},
    {"\x1b[3;99r\x1b[4H\n", 0, 4, {"abcdefghij", "klmno", "z", ""}},
    {"\x1b[3;4r\x1b[2JX\x1b\x63Y", 1, 1, {"Y", "", "", ""}},
    /* unknown ones and the ends of sequences */
    {"\x1b[H\x1b[?1049h\x1b[>c\x1b[=1;2c\x1b[?1;2;3c", 0, 1, UNCHANGED},
    {"\x1b[H\x1b[5;6;7q\x1b[38:5:1m\x1b[!p\x1b[1 q\x1b[1$}\x1b[?2J\x1b[>2J\x1b[2 J", 0, 1,
     UNCHANGED},
    {"\x1b[H\x1b(B\x1b)0\x1b%G\x1b#8\x1b=\x1b>\x1bH\x1b\\", 0, 1, UNCHANGED},
    {"\x1b[H\x1b]0;a title\a\x1b]2;[31mother\x1b\\\x1bPq text "
     "9\x1b\\\x1b_x\x1b\\\x1b^y\x1b\\\x1bXz\x1b\\",
     0, 1, UNCHANGED},
    {"\x1b[H\x1b]P1aabbcc\x1b]R\x1b[[A\x1b[[[", 0, 1, UNCHANGED},
    {"\x1b[H\x1b]0;Gr\xc3\xbc\xc3\x9f\x65\nX", 1, 2, {"abcdefghij", "Xlmno", "pqrstuvwxy", "z"}},
    {"\x1b[H\x1b[2\x18X", 1, 1, {"Xbcdefghij", "klmno", "pqrstuvwxy", "z"}},
    {"\x1b[H\x1b[2\x1b[3CX", 4, 1, {"abcXefghij", "klmno", "pqrstuvwxy", "z"}},
    {"\x1b[H\x1b[\r\n3;3HX", 3, 3, {"abcdefghij", "klmno", "pqXstuvwxy", "z"}},
    {"\x1b[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1HX",
     2,
     4,
     {"abcdefghij", "klmno", "pqrstuvwxy", "zX"}},
    {"\x1b[;;;;;;;;;;;;;;;H", 0, 1, UNCHANGED},
    /* UTF-8 */
    {"\x1b[H\xe2\x96\x88\xc3\xa9\xe2\x86\x92\xc2\xa0X",
     5,
     1,
     {"\xdb\x82\x1a\xff\x58\x66ghij", "klmno", "pqrstuvwxy", "z"}},
    {"\x1b[H\xe4\xb8\xad\xf0\x9f\x98\x80\x80\xff\xc0\xe2X",
     7,
     1,
     {"??????Xhij", "klmno", "pqrstuvwxy", "z"}},
    {"\x1b[H\xe2\x96\nX", 2, 2, {"?bcdefghij", "kXmno", "pqrstuvwxy", "z"}},
};

TEST(terminal_sequences)
{
    for (unsigned i = 0; i < ARRAY_COUNT(sequences); i++) {
        const struct sequence *sequence = &sequences[i];
        start();
        write_text("abcdefghijklmno\npqrstuvwxyz");
        for (const char *at = sequence->sent; *at != '\0'; at++) /* in pieces of any size */
            terminal_write(&terminal, TERMINAL_PROGRAMS, at, 1);
        check_screen();
        expect(0, " title tha");
        for (unsigned row = 0; row < ROWS - 1; row++)
            expect(row + 1, sequence->rows[row]);
        if (terminal.column != sequence->column || terminal.row != sequence->row)
            test_fail(__FILE__, __LINE__, "sequence %u (%s): at %u, %u", i, sequence->sent + 1,
                      terminal.column, terminal.row);
        CHECK_EQUAL(strlen(answered), 0);
    }
}

TEST(terminal_colours)
{
    static const struct {
        const char *sent;
        uint8_t colour;
    } colours[] = {
        {"", 0x07},
        {"31", 0x04},
        {"32", 0x02},
        {"34", 0x01},
        {"36", 0x03},
        {"1;33", 0x0E},
        {"97", 0x0F},
        {"90", 0x08},
        {"41", 0x47},
        {"30;47", 0x70},
        {"104", 0x97},
        {"38;5;1", 0x04},
        {"48;5;9", 0xC7},
        {"38;5;200", 0x07},
        {"38;2;1;2;31", 0x07},
        {"38;2;9;9;9;32", 0x02},
        {"38", 0x07},
        {"7", 0x70},
        {"7;31", 0x40},
        {"1;7", 0xF0},
        {"7;27", 0x07},
        {"4", 0x03},
        {"4;1", 0x0B},
        {"4;24", 0x07},
        {"2", 0x08},
        {"2;22", 0x07},
        {"1;22", 0x07},
        {"1;2", 0x08},
        {"2;1", 0x0F},
        {"31;39", 0x07},
        {"41;49", 0x07},
        {"31;41;1;4;7;0", 0x07},
        {"31;", 0x07},
        {"5;6;8;9;53;999", 0x07},
        {"31;5;999", 0x04},
    };
    for (unsigned i = 0; i < ARRAY_COUNT(colours); i++) {
        start();
        send("\x1b[");
        send(colours[i].sent);
        send("mX\x1b[mY");
        CHECK_EQUAL(screen[1][0].character, 'X');
        if (screen[1][0].colour != colours[i].colour)
            test_fail(__FILE__, __LINE__, "%s: %#x", colours[i].sent, screen[1][0].colour);
        CHECK_EQUAL(screen[1][1].colour, TERMINAL_COLOUR_TEXT);
    }
    start();
    send("\x1b[44;1;7m\x1b[2J\x1b[4H\n"); /* what is erased has the ground, and nothing else */
    for (unsigned row = 1; row < ROWS; row++)
        CHECK_EQUAL(screen[row][5].colour, 0x17);
    send("\x1b\x37\x1b[m\x1b[HX\x1b\x38Y");
    CHECK_EQUAL(screen[1][0].colour, 0x07);
    CHECK_EQUAL(screen[4][0].colour, 0xF1);
    CHECK_EQUAL(screen[0][5].colour, TERMINAL_COLOUR_TITLE);
}

TEST(terminal_answers_programs)
{
    start();
    send("\x1b[5n");
    CHECK(strcmp(answered, "\x1b[0n") == 0);
    answered[0] = '\0';
    send("\x1b[3;9H\x1b[6n\x1b[999;999H\x1b[6nx\x1b[6n");
    CHECK(strcmp(answered, "\x1b[3;9R\x1b[4;10R\x1b[4;10R") == 0);
    answered[0] = '\0';
    send("\x1b[c\x1bZ");
    CHECK(strcmp(answered, "\x1b[?6c\x1b[?6c") == 0);
    answered[0] = '\0';
    send("\x1b[n\x1b[7n\x1b[?6n\x1b[>c\x1b[1c\x1b[6 n");
    write_text("\x1b[6n\x1b[c\x1bZ"); /* the kernel does not ask */
    CHECK_EQUAL(strlen(answered), 0);
    terminal.answer = NULL;
    send("\x1b[6n\x1b[c\x1bZ");
}

TEST(terminal_keeps_its_streams_apart)
{
    start();
    send("\x1b[4;");
    write_text("log");
    send("5HX\x1b]0;title");
    write_text("\rL");
    send(" goes on\aY\xe2\x96");
    write_text("\r!");
    send("\x88");
    expect(1, "log");
    expect(4, "!\xdb  X");
    CHECK_EQUAL(screen[4][1].character, 0xDB);
}

TEST(terminal_changes_its_title)
{
    start();
    write_text("text");
    terminal_set_title(&terminal, "other", TERMINAL_COLOUR_ALARM);
    check_screen();
    expect(0, " other");
    expect(1, "text");
    CHECK_EQUAL(screen[0][9].colour, TERMINAL_COLOUR_ALARM);
}

/* Whatever a program had made of the terminal, the report can be read. */
TEST(terminal_alarm)
{
    start();
    send("one\r\ntwo\r\nthree\r\nfour\x1b[1;2r\x1b[?25l\x1b[?7l\x1b[4h\x1b[7;1;35;41m\x1b[2;2H\x1b]"
         "0;");
    terminal_begin_alarm(&terminal, "alarm");
    check_screen();
    write_text("report is long\nX");
    expect(0, " alarm");
    expect(1, "two");
    expect(2, "report is ");
    expect(3, "long");
    expect(4, "X");
    CHECK_EQUAL(screen[2][0].colour, TERMINAL_COLOUR_ALARM);
    CHECK_EQUAL(screen[1][0].colour, TERMINAL_COLOUR_TEXT);
    CHECK_EQUAL(screen[0][9].colour, TERMINAL_COLOUR_ALARM);
}

TEST(terminal_survives_noise)
{
    static const char likely[] =
        "\x1b[[[;;?0123456789]HJKLMPXr@mhlnsu78DEMcABCDEFGTSdfe`q\n\r\t\b\x18 ";
    start();
    for (unsigned i = 0; i < 200000; i++) {
        char byte = test_random_range(0, 9) == 0 ? (char)test_random()
                                                 : likely[test_random_range(0, sizeof(likely) - 2)];
        terminal_write(&terminal, i % 7 == 0 ? TERMINAL_TEXT : TERMINAL_PROGRAMS, &byte, 1);
        check_screen();
        answered[0] = '\0';
    }
    expect(0, " title tha");
}
