#include "kernel/device/screen/terminal.h"
#include "tests/unit/test.h"

#define COLUMNS 10
#define ROWS    5

static struct terminal terminal;
static struct terminal_cell screen[ROWS][COLUMNS];
static unsigned drawn;

static void draw(unsigned column, unsigned row, struct terminal_cell cell)
{
    CHECK(column < COLUMNS && row < ROWS);
    screen[row][column] = cell;
    drawn++;
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
}

/* The screen is what is wanted, with the colours swapped under the cursor and nowhere else. */
static void check_screen(void)
{
    for (unsigned row = 0; row < ROWS; row++)
        for (unsigned column = 0; column < COLUMNS; column++) {
            struct terminal_cell wanted = terminal.wanted[row * COLUMNS + column];
            bool has_cursor = row == terminal.row &&
                              column == (terminal.column < COLUMNS ? terminal.column : COLUMNS - 1);
            CHECK_EQUAL(screen[row][column].character, wanted.character);
            CHECK_EQUAL(screen[row][column].colour,
                        has_cursor ? (uint8_t)(wanted.colour << 4 | wanted.colour >> 4)
                                   : wanted.colour);
        }
}

static void write_text(const char *text)
{
    terminal_write(&terminal, text, strlen(text));
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
    write_text("one\ntwo\nthree\nfour\n");
    expect(0, " title tha");
    expect(1, "one");
    expect(4, "four");
    write_text("five");
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
    write_text("\rM\x01\x7f\xc3\x1bx\tN\tO");
    expect(3, "M       N");
    expect(4, "O");
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
    terminal.colour = TERMINAL_COLOUR_ALARM;
    write_text("Y");
    CHECK_EQUAL(screen[1][2].colour, TERMINAL_COLOUR_ALARM);
    CHECK_EQUAL(screen[1][1].colour, TERMINAL_COLOUR_TEXT);
    CHECK_EQUAL(screen[0][1].colour, TERMINAL_COLOUR_TITLE);
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
    write_text("\x1b[?25h\x1b[1;31mQ"); /* swallowed */
    expect(2, "Q");
    write_text("\x1b[H\x1b[2Jtop");
    expect(0, " title tha");
    expect(1, "top");
    expect(2, "");
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

TEST(terminal_survives_noise)
{
    start();
    for (unsigned i = 0; i < 100000; i++) {
        char byte = test_random_range(0, 9) == 0 ? '\x1b' : (char)test_random();
        terminal_write(&terminal, &byte, 1);
        check_screen();
    }
    expect(0, " title tha");
}
