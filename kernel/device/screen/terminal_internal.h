#ifndef KERNEL_DEVICE_SCREEN_TERMINAL_INTERNAL_H
#define KERNEL_DEVICE_SCREEN_TERMINAL_INTERNAL_H

#include "kernel/device/screen/terminal.h"

/* Of struct terminal_pen. */
enum { PEN_BOLD = 1 << 0, PEN_DIM = 1 << 1, PEN_UNDERLINED = 1 << 2, PEN_REVERSED = 1 << 3 };

/* Of struct terminal. */
enum { MODE_NO_WRAP = 1 << 0, MODE_INSERT = 1 << 1, MODE_NO_CURSOR = 1 << 2 };

/*
 * What can be done to the grid. Rows and columns as in struct terminal; counts and positions may be
 * any number up to 2^31, and are cut to what there is.
 */
void terminal_reset(struct terminal *terminal);
void terminal_move(struct terminal *terminal, unsigned column, unsigned row);
void terminal_put(struct terminal *terminal, uint8_t character);
/* One down or up; at the edge of the region, its rows move instead. */
void terminal_index(struct terminal *terminal);
void terminal_reverse_index(struct terminal *terminal);
/* Cells [start, end) of a row, and rows [start, end), become blank. */
void terminal_erase(struct terminal *terminal, unsigned row, unsigned start, unsigned end);
void terminal_erase_rows(struct terminal *terminal, unsigned start, unsigned end);
/* Rows [start, end) move inside of these bounds; what gets free becomes blank. */
void terminal_scroll_up(struct terminal *terminal, unsigned start, unsigned end, unsigned count);
void terminal_scroll_down(struct terminal *terminal, unsigned start, unsigned end, unsigned count);
/* From the cursor to the end of its row. */
void terminal_insert_cells(struct terminal *terminal, unsigned count);
void terminal_delete_cells(struct terminal *terminal, unsigned count);
void terminal_save(struct terminal *terminal);
void terminal_restore(struct terminal *terminal);

/* The column of the cursor as it is shown: a full row has it in its last cell. */
static inline unsigned terminal_column(const struct terminal *terminal)
{
    return terminal->column < terminal->columns ? terminal->column : terminal->columns - 1;
}

/* Takes one byte of a stream: terminal_sequence.c. */
void terminal_take(struct terminal *terminal, enum terminal_stream stream, char byte);

/* The character of code page 437 for a Unicode code point; '?' where it has none. */
uint8_t terminal_glyph(uint32_t code_point);

#endif
