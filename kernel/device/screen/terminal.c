#include "kernel/device/screen/terminal.h"

#include "kernel/device/screen/terminal_internal.h"
#include "kernel/lib/string.h"

#define COLOUR_CYAN 3
#define COLOUR_GREY 8
#define BRIGHT      8

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

static unsigned smaller(unsigned left, unsigned right)
{
    return left < right ? left : right;
}

static uint8_t swapped(uint8_t colour)
{
    return (uint8_t)(colour << 4 | colour >> 4);
}

/* As Linux's console shows attributes that a VGA has not. */
static uint8_t colour_of(struct terminal_pen pen)
{
    uint8_t ink = pen.colour & 15;
    if (pen.attributes & PEN_UNDERLINED)
        ink = COLOUR_CYAN;
    else if (pen.attributes & PEN_DIM)
        ink = COLOUR_GREY;
    if (pen.attributes & PEN_BOLD)
        ink |= BRIGHT;
    uint8_t colour = (uint8_t)((pen.colour & 0xF0) | ink);
    return pen.attributes & PEN_REVERSED ? swapped(colour) : colour;
}

/* ---- the grid ---- */

/* What is erased has the pen's ground ("bce" in terminfo's words), and no attributes. */
static void fill(struct terminal *terminal, unsigned row, unsigned start, unsigned end,
                 uint8_t colour)
{
    for (unsigned column = start; column < end; column++)
        *cell_at(terminal, column, row) = (struct terminal_cell){' ', colour};
    touch(terminal, row, row + 1);
}

void terminal_erase(struct terminal *terminal, unsigned row, unsigned start, unsigned end)
{
    fill(terminal, row, start, smaller(end, terminal->columns), terminal->pen.colour);
}

void terminal_erase_rows(struct terminal *terminal, unsigned start, unsigned end)
{
    for (unsigned row = start; row < end; row++)
        terminal_erase(terminal, row, 0, terminal->columns);
}

static void move_rows(struct terminal *terminal, unsigned from, unsigned to, unsigned count)
{
    memmove(cell_at(terminal, 0, to), cell_at(terminal, 0, from),
            (size_t)count * terminal->columns * sizeof(struct terminal_cell));
    touch(terminal, to, to + count);
}

void terminal_scroll_up(struct terminal *terminal, unsigned start, unsigned end, unsigned count)
{
    count = smaller(count, end - start);
    move_rows(terminal, start + count, start, end - start - count);
    terminal_erase_rows(terminal, end - count, end);
}

void terminal_scroll_down(struct terminal *terminal, unsigned start, unsigned end, unsigned count)
{
    count = smaller(count, end - start);
    move_rows(terminal, start, start + count, end - start - count);
    terminal_erase_rows(terminal, start, start + count);
}

void terminal_insert_cells(struct terminal *terminal, unsigned count)
{
    unsigned start = terminal_column(terminal);
    count = smaller(count, terminal->columns - start);
    memmove(cell_at(terminal, start + count, terminal->row),
            cell_at(terminal, start, terminal->row),
            (terminal->columns - start - count) * sizeof(struct terminal_cell));
    terminal_erase(terminal, terminal->row, start, start + count);
}

void terminal_delete_cells(struct terminal *terminal, unsigned count)
{
    unsigned start = terminal_column(terminal);
    count = smaller(count, terminal->columns - start);
    memmove(cell_at(terminal, start, terminal->row),
            cell_at(terminal, start + count, terminal->row),
            (terminal->columns - start - count) * sizeof(struct terminal_cell));
    terminal_erase(terminal, terminal->row, terminal->columns - count, terminal->columns);
}

/* ---- the position ---- */

void terminal_move(struct terminal *terminal, unsigned column, unsigned row)
{
    terminal->column = smaller(column, terminal->columns - 1);
    terminal->row = row == 0 ? 1 : smaller(row, terminal->rows - 1);
}

void terminal_index(struct terminal *terminal)
{
    if (terminal->row + 1 == terminal->region_end)
        terminal_scroll_up(terminal, terminal->region_start, terminal->region_end, 1);
    else if (terminal->row + 1 < terminal->rows)
        terminal->row++;
}

void terminal_reverse_index(struct terminal *terminal)
{
    if (terminal->row == terminal->region_start)
        terminal_scroll_down(terminal, terminal->region_start, terminal->region_end, 1);
    else if (terminal->row > 1)
        terminal->row--;
}

void terminal_put(struct terminal *terminal, uint8_t character)
{
    if (terminal->column == terminal->columns) {
        if (terminal->modes & MODE_NO_WRAP) {
            terminal->column--;
        } else {
            terminal->column = 0;
            terminal_index(terminal);
        }
    }
    if (terminal->modes & MODE_INSERT)
        terminal_insert_cells(terminal, 1);
    *cell_at(terminal, terminal->column++, terminal->row) =
        (struct terminal_cell){character, colour_of(terminal->pen)};
    touch(terminal, terminal->row, terminal->row + 1);
}

void terminal_save(struct terminal *terminal)
{
    terminal->saved =
        (struct terminal_place){terminal_column(terminal), terminal->row, terminal->pen};
}

void terminal_restore(struct terminal *terminal)
{
    terminal->pen = terminal->saved.pen;
    terminal_move(terminal, terminal->saved.column, terminal->saved.row);
}

/* All but what is on the screen, and the streams' places in their sequences. */
void terminal_reset(struct terminal *terminal)
{
    terminal->column = 0;
    terminal->row = 1;
    terminal->region_start = 1;
    terminal->region_end = terminal->rows;
    terminal->pen = (struct terminal_pen){TERMINAL_COLOUR_TEXT, 0};
    terminal->modes = 0;
    terminal_save(terminal);
}

const char *terminal_problem(const struct terminal *terminal)
{
    if (terminal->row < 1 || terminal->row >= terminal->rows)
        return "the cursor is in no row";
    if (terminal->column > terminal->columns)
        return "the cursor is in no column";
    if (terminal->region_start < 1 || terminal->region_start >= terminal->region_end ||
        terminal->region_end > terminal->rows)
        return "the rows that scroll are none";
    for (unsigned i = 0; i < TERMINAL_STREAM_COUNT; i++)
        if (terminal->parsers[i].count > TERMINAL_NUMBERS_MAX)
            return "a sequence has too many numbers";
    return NULL;
}

/* ---- drawing ---- */

/* It stays in the last column until the line goes on. */
static void move_cursor(struct terminal *terminal)
{
    unsigned column = terminal_column(terminal);
    unsigned row = terminal->modes & MODE_NO_CURSOR ? terminal->rows : terminal->row;
    if (column == terminal->cursor_column && row == terminal->cursor_row)
        return;
    if (terminal->cursor_row < terminal->rows)
        touch(terminal, terminal->cursor_row, terminal->cursor_row + 1);
    terminal->cursor_column = column;
    terminal->cursor_row = row;
    if (row < terminal->rows)
        touch(terminal, row, row + 1);
}

static void draw_row(struct terminal *terminal, unsigned row)
{
    struct terminal_cell *shown = &terminal->shown[row * terminal->columns];
    for (unsigned column = 0; column < terminal->columns; column++, shown++) {
        struct terminal_cell cell = *cell_at(terminal, column, row);
        if (row == terminal->cursor_row && column == terminal->cursor_column)
            cell.colour = swapped(cell.colour);
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

/* ---- from outside ---- */

void terminal_set_title(struct terminal *terminal, const char *title, uint8_t colour)
{
    fill(terminal, 0, 0, terminal->columns, colour);
    for (unsigned column = 1; column < terminal->columns && *title != '\0'; column++)
        cell_at(terminal, column, 0)->character = (uint8_t)*title++;
    draw_changes(terminal);
}

void terminal_init(struct terminal *terminal, void *storage, unsigned columns, unsigned rows,
                   void (*draw)(unsigned column, unsigned row, struct terminal_cell cell),
                   const char *title)
{
    *terminal = (struct terminal){
        .columns = columns, .rows = rows, .wanted = storage, .cursor_row = rows, .draw = draw};
    terminal->shown = terminal->wanted + (size_t)columns * rows;
    /* Character 0 is in no cell that is wanted: so every cell gets drawn. */
    memset(terminal->shown, 0, (size_t)columns * rows * sizeof(struct terminal_cell));
    terminal_reset(terminal);
    terminal_erase_rows(terminal, 1, rows);
    terminal_set_title(terminal, title, TERMINAL_COLOUR_TITLE);
}

/* Below what is there, which says how it came to this; behind it, rows that a program left are
 * erased. */
void terminal_begin_alarm(struct terminal *terminal, const char *headline)
{
    unsigned column = terminal->column, row = terminal->row;
    terminal_reset(terminal);
    memset(terminal->parsers, 0, sizeof(terminal->parsers));
    terminal->row = row;
    if (column > 0)
        terminal_index(terminal);
    terminal_erase_rows(terminal, terminal->row, terminal->rows);
    terminal->pen.colour = TERMINAL_COLOUR_ALARM;
    terminal_set_title(terminal, headline, TERMINAL_COLOUR_ALARM);
}

void terminal_write(struct terminal *terminal, enum terminal_stream stream, const char *text,
                    size_t length)
{
    for (size_t i = 0; i < length; i++)
        terminal_take(terminal, stream, text[i]);
    draw_changes(terminal);
}
