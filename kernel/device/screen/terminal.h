#ifndef KERNEL_DEVICE_SCREEN_TERMINAL_H
#define KERNEL_DEVICE_SCREEN_TERMINAL_H

#include "kernel/include/types.h"

/*
 * A grid of characters on which text is written, kept in memory: video memory is slow to read and
 * slow to write, so nothing is ever read back from it and only cells that changed are drawn.
 * Row 0 is a title that stays; the rows below scroll. Pure: the screen is behind `draw`.
 */

/* A colour is a VGA attribute: foreground in bits 0 to 3, background in bits 4 to 7. */
#define TERMINAL_COLOUR_TEXT  0x07
#define TERMINAL_COLOUR_TITLE 0x1F
#define TERMINAL_COLOUR_ALARM 0x4F

struct terminal_cell {
    uint8_t character; /* code page 437, as the BIOS's font has it */
    uint8_t colour;
};

struct terminal {
    unsigned columns, rows; /* rows >= 2 */
    unsigned column, row;   /* where the next character goes; row == rows: after one more scroll */
    uint8_t colour;         /* of what is written from now on */
    uint8_t state;          /* inside an escape sequence: enum in terminal.c */
    unsigned number;        /* its number so far */
    struct terminal_cell *wanted; /* rows * columns cells: what should be on the screen */
    struct terminal_cell *shown;  /* as many: what is on it */
    /* Between the calls below, wanted and shown differ in one cell: where the cursor is, the
     * colours are swapped. Rows outside of [dirty_start, dirty_end) did not change. */
    unsigned dirty_start, dirty_end;
    unsigned cursor_column, cursor_row; /* where it is shown; cursor_row == rows: nowhere */
    void (*draw)(unsigned column, unsigned row, struct terminal_cell cell);
};

/* Bytes for both grids. */
size_t terminal_storage_bytes(unsigned columns, unsigned rows);

/* An empty terminal with its title; draws every cell once. */
void terminal_init(struct terminal *terminal, void *storage, unsigned columns, unsigned rows,
                   void (*draw)(unsigned column, unsigned row, struct terminal_cell cell),
                   const char *title);

/* Puts another title into row 0, cut to its width. */
void terminal_set_title(struct terminal *terminal, const char *title, uint8_t colour);

/*
 * Writes text: '\n' begins a row, '\r' goes back to its start, '\t' to the next eighth column; of
 * the escape sequences, those that a line editor needs: ESC [ n G, ESC [ K, ESC [ H and ESC [ 2 J.
 * Other controls, sequences and bytes above 0x7E are nothing. Long lines go on in the next row.
 * Then draws what changed: O(length + cells of the rows that changed).
 */
void terminal_write(struct terminal *terminal, const char *text, size_t length);

#endif
