/*
 * The fuzzer's bytes are what is written on a terminal, in both streams, of a size that the first
 * bytes give: it stays sound, the title stays, what is drawn is what is wanted, and answers are
 * short.
 */
#include <stdlib.h>

#include "kernel/device/screen/terminal_internal.h"

#include "tests/fuzz/fuzz.h"
#include "tests/unit/test.h"

#define COLUMNS_MAX 20u
#define ROWS_MAX    12u
#define PIECE       16u

static struct terminal terminal;
static struct terminal_cell screen[ROWS_MAX][COLUMNS_MAX];

static void draw(unsigned column, unsigned row, struct terminal_cell cell)
{
    CHECK(column < terminal.columns && row < terminal.rows);
    screen[row][column] = cell;
}

static void answer(const char *text, size_t length)
{
    CHECK(length >= 4 && length <= TERMINAL_ANSWER_SIZE && text[0] == '\x1b');
}

static void check_row(unsigned row)
{
    for (unsigned column = 0; column < terminal.columns; column++) {
        struct terminal_cell wanted = terminal.wanted[row * terminal.columns + column];
        bool has_cursor = row == terminal.row && column == terminal_column(&terminal) &&
                          !(terminal.modes & MODE_NO_CURSOR);
        CHECK_EQUAL(screen[row][column].character, wanted.character);
        CHECK_EQUAL(screen[row][column].colour,
                    has_cursor ? (uint8_t)(wanted.colour << 4 | wanted.colour >> 4)
                               : wanted.colour);
        CHECK(row != 0 || wanted.character == (column == 1 ? 'T' : ' '));
    }
}

static void check(void)
{
    const char *problem = terminal_problem(&terminal);
    if (problem != NULL)
        test_fail(__FILE__, __LINE__, "%s", problem);
    for (unsigned row = 0; row < terminal.rows; row++)
        check_row(row);
}

/* One in eight of the pieces is the kernel's. */
static void step(struct fuzz_bytes *input)
{
    char text[PIECE];
    unsigned how = (unsigned)fuzz_take(input, 1);
    size_t length = how % PIECE + 1;
    for (size_t i = 0; i < length; i++)
        text[i] = (char)fuzz_take(input, 1);
    terminal_write(&terminal, how >= 0xE0 ? TERMINAL_TEXT : TERMINAL_PROGRAMS, text, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_bytes input = {data, size};
    unsigned columns = 1 + (unsigned)fuzz_take(&input, 1) % COLUMNS_MAX;
    unsigned rows = 2 + (unsigned)fuzz_take(&input, 1) % (ROWS_MAX - 1);
    size_t bytes = terminal_storage_bytes(columns, rows);
    void *storage = malloc(bytes); /* so that the sanitizer sees its ends */
    CHECK(storage != NULL);
    terminal_init(&terminal, storage, columns, rows, draw, "T");
    terminal.answer = answer;
    while (input.left > 0) {
        step(&input);
        check();
    }
    terminal_begin_alarm(&terminal, "T");
    check();
    free(storage);
    return 0;
}
