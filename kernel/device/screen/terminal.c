#include "kernel/device/screen/terminal.h"

#include "kernel/lib/string.h"

enum { PLAIN, ESCAPE, SEQUENCE };

#define NUMBER_MAX 9999u

size_t terminal_storage_bytes(unsigned columns, unsigned rows)
{
    return (size_t)columns * rows * 2 * sizeof(struct terminal_cell);
}

static struct terminal_cell *cell_at(const struct terminal *terminal, unsigned column, unsigned row)
{
    return &terminal->wanted[row * terminal->columns + column];
}

static void touch(struct terminal *terminal, unsigned start, unsigned end)
{
    if (start < terminal->dirty_start)
        terminal->dirty_start = start;
    if (end > terminal->dirty_end)
        terminal->dirty_end = end;
}

/* Blanks a row from a column on. */
static void fill(struct terminal *terminal, unsigned column, unsigned row, uint8_t colour)
{
    for (; column < terminal->columns; column++)
        *cell_at(terminal, column, row) = (struct terminal_cell){' ', colour};
    touch(terminal, row, row + 1);
}

static void scroll(struct terminal *terminal)
{
    size_t moved = (size_t)(terminal->rows - 2) * terminal->columns * sizeof(struct terminal_cell);
    memmove(cell_at(terminal, 0, 1), cell_at(terminal, 0, 2), moved);
    fill(terminal, 0, terminal->rows - 1, TERMINAL_COLOUR_TEXT);
    touch(terminal, 1, terminal->rows);
    terminal->row = terminal->rows - 1;
}

static void put(struct terminal *terminal, uint8_t character)
{
    if (terminal->column == terminal->columns) {
        terminal->column = 0;
        terminal->row++;
    }
    if (terminal->row == terminal->rows)
        scroll(terminal);
    *cell_at(terminal, terminal->column++, terminal->row) =
        (struct terminal_cell){character, terminal->colour};
    touch(terminal, terminal->row, terminal->row + 1);
}

/* Scrolling waits for the first character of the new row: the last row is not spent on nothing. */
static void begin_row(struct terminal *terminal)
{
    if (terminal->row == terminal->rows)
        scroll(terminal);
    terminal->column = 0;
    terminal->row++;
}

/* The end of "ESC [ number letter" (ECMA-48: CHA, EL, CUP, ED). */
static void take_sequence(struct terminal *terminal, char letter)
{
    unsigned column = terminal->number == 0 ? 0 : terminal->number - 1;
    if (letter == 'G') {
        terminal->column = column < terminal->columns ? column : terminal->columns - 1;
    } else if (letter == 'K' && terminal->number == 0 && terminal->row < terminal->rows) {
        fill(terminal, terminal->column, terminal->row, TERMINAL_COLOUR_TEXT);
    } else if (letter == 'H') {
        terminal->row = 1;
        terminal->column = 0;
    } else if (letter == 'J' && terminal->number == 2) {
        for (unsigned row = 1; row < terminal->rows; row++)
            fill(terminal, 0, row, TERMINAL_COLOUR_TEXT);
    }
}

static void take_escape(struct terminal *terminal, char character)
{
    if (terminal->state == ESCAPE) {
        terminal->number = 0;
        terminal->state = character == '[' ? SEQUENCE : PLAIN;
    } else if (character >= '0' && character <= '9') {
        terminal->number = terminal->number * 10 + (unsigned)(character - '0');
        if (terminal->number > NUMBER_MAX)
            terminal->number = NUMBER_MAX;
    } else if (character < ' ' || character >= '@') {
        terminal->state = PLAIN;
        if (character >= '@')
            take_sequence(terminal, character);
    }
}

static void take(struct terminal *terminal, char character)
{
    if (terminal->state != PLAIN)
        take_escape(terminal, character);
    else if (character == '\x1b')
        terminal->state = ESCAPE;
    else if (character == '\n')
        begin_row(terminal);
    else if (character == '\r')
        terminal->column = 0;
    else if (character == '\t')
        do
            put(terminal, ' ');
        while (terminal->column % 8 != 0 && terminal->column < terminal->columns);
    else if (character >= ' ' && character < 0x7F)
        put(terminal, (uint8_t)character);
}

/* The cursor waits with the scroll, and stays in the last column until the line goes on. */
static void move_cursor(struct terminal *terminal)
{
    unsigned column =
        terminal->column < terminal->columns ? terminal->column : terminal->columns - 1;
    if (column == terminal->cursor_column && terminal->row == terminal->cursor_row)
        return;
    if (terminal->cursor_row < terminal->rows)
        touch(terminal, terminal->cursor_row, terminal->cursor_row + 1);
    terminal->cursor_column = column;
    terminal->cursor_row = terminal->row;
    if (terminal->row < terminal->rows)
        touch(terminal, terminal->row, terminal->row + 1);
}

static void draw_row(struct terminal *terminal, unsigned row)
{
    struct terminal_cell *shown = &terminal->shown[row * terminal->columns];
    for (unsigned column = 0; column < terminal->columns; column++, shown++) {
        struct terminal_cell cell = *cell_at(terminal, column, row);
        if (row == terminal->cursor_row && column == terminal->cursor_column)
            cell.colour = (uint8_t)(cell.colour << 4 | cell.colour >> 4);
        if (cell.character == shown->character && cell.colour == shown->colour)
            continue;
        *shown = cell;
        terminal->draw(column, row, cell);
    }
}

/* A cell that did not change is not drawn: most of a screen is blank before and after a scroll. */
static void draw_changes(struct terminal *terminal)
{
    move_cursor(terminal);
    for (unsigned row = terminal->dirty_start; row < terminal->dirty_end; row++)
        draw_row(terminal, row);
    terminal->dirty_start = terminal->rows;
    terminal->dirty_end = 0;
}

void terminal_set_title(struct terminal *terminal, const char *title, uint8_t colour)
{
    fill(terminal, 0, 0, colour);
    for (unsigned column = 1; column < terminal->columns && *title != '\0'; column++)
        cell_at(terminal, column, 0)->character = (uint8_t)*title++;
    draw_changes(terminal);
}

void terminal_init(struct terminal *terminal, void *storage, unsigned columns, unsigned rows,
                   void (*draw)(unsigned column, unsigned row, struct terminal_cell cell),
                   const char *title)
{
    *terminal = (struct terminal){.columns = columns,
                                  .rows = rows,
                                  .row = 1,
                                  .colour = TERMINAL_COLOUR_TEXT,
                                  .wanted = storage,
                                  .cursor_row = rows,
                                  .draw = draw};
    terminal->shown = terminal->wanted + (size_t)columns * rows;
    /* Character 0 is in no cell that is wanted: so every cell gets drawn. */
    memset(terminal->shown, 0, (size_t)columns * rows * sizeof(struct terminal_cell));
    for (unsigned row = 1; row < rows; row++)
        fill(terminal, 0, row, TERMINAL_COLOUR_TEXT);
    terminal_set_title(terminal, title, TERMINAL_COLOUR_TITLE);
}

void terminal_write(struct terminal *terminal, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        take(terminal, text[i]);
    draw_changes(terminal);
}
