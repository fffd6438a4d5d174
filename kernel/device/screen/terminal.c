#include "kernel/device/screen/terminal.h"

#include "kernel/lib/string.h"

size_t terminal_storage_bytes(unsigned columns, unsigned rows)
{
    return (size_t)columns * rows * 2 * sizeof(struct terminal_cell);
}

static struct terminal_cell *cell_at(const struct terminal *terminal, unsigned column, unsigned row)
{
    return &terminal->wanted[row * terminal->columns + column];
}

static void fill(struct terminal *terminal, unsigned row, uint8_t colour)
{
    for (unsigned column = 0; column < terminal->columns; column++)
        *cell_at(terminal, column, row) = (struct terminal_cell){' ', colour};
    terminal->is_dirty = true;
}

static void scroll(struct terminal *terminal)
{
    size_t moved = (size_t)(terminal->rows - 2) * terminal->columns * sizeof(struct terminal_cell);
    memmove(cell_at(terminal, 0, 1), cell_at(terminal, 0, 2), moved);
    fill(terminal, terminal->rows - 1, terminal->colour);
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
    terminal->is_dirty = true;
}

/* Scrolling waits for the first character of the new row: the last row is not spent on nothing. */
static void begin_row(struct terminal *terminal)
{
    if (terminal->row == terminal->rows)
        scroll(terminal);
    terminal->column = 0;
    terminal->row++;
}

static void take(struct terminal *terminal, char character)
{
    if (character == '\n')
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

/* A cell that needs nothing is not drawn: most of a screen is blank before and after a scroll. */
static void draw_changes(struct terminal *terminal)
{
    for (unsigned row = 0, at = 0; row < terminal->rows; row++)
        for (unsigned column = 0; column < terminal->columns; column++, at++) {
            struct terminal_cell cell = terminal->wanted[at];
            if (cell.character == terminal->shown[at].character &&
                cell.colour == terminal->shown[at].colour)
                continue;
            terminal->shown[at] = cell;
            terminal->draw(column, row, cell);
        }
    terminal->is_dirty = false;
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
                                  .draw = draw};
    terminal->shown = terminal->wanted + (size_t)columns * rows;
    /* Character 0 is in no cell that is wanted: so every cell gets drawn. */
    memset(terminal->shown, 0, (size_t)columns * rows * sizeof(struct terminal_cell));
    fill(terminal, 0, TERMINAL_COLOUR_TITLE);
    for (unsigned row = 1; row < rows; row++)
        fill(terminal, row, TERMINAL_COLOUR_TEXT);
    for (unsigned column = 1; column < columns && *title != '\0'; column++)
        cell_at(terminal, column, 0)->character = (uint8_t)*title++;
    draw_changes(terminal);
}

void terminal_write(struct terminal *terminal, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        take(terminal, text[i]);
    if (terminal->is_dirty)
        draw_changes(terminal);
}
