#ifndef KERNEL_DEVICE_SCREEN_TERMINAL_H
#define KERNEL_DEVICE_SCREEN_TERMINAL_H

#include "kernel/include/types.h"

/*
 * A terminal as TERM=linux describes it: a grid of characters on which text is written, kept in
 * memory: video memory is slow to read and slow to write, so nothing is ever read back from it and
 * only cells that changed are drawn. Row 0 is a title that stays; the rows below are the terminal,
 * whose row 1 is therefore row 1 here, while columns count from 0. Pure: the screen is behind
 * `draw`.
 *
 * Two streams are written on it, in turns: what programs send, and the kernel's own text. Each has
 * its own place in a sequence, so that neither ends up in the middle of the other's. Position and
 * colours are common.
 *
 * Sequences (ECMA-48, and what Linux's console has besides), n and m being 1 where not given:
 *   ESC [ n A B C D E F    up, down, right, left, down and up to the start of a row
 *   ESC [ n G, n d, n;m H  to a column, to a row, to both (also ` and f)
 *   ESC [ n J, n K         erases screen or row: 0 behind the cursor, 1 before it, 2 all of it
 *   ESC [ n L M @ P X      inserts and deletes rows, inserts, deletes and erases characters
 *   ESC [ n S T            scrolls up, down
 *   ESC [ n;m r            rows [n, m] scroll, the others stay
 *   ESC [ ... m            colours and attributes; underlined text is cyan, dim text is grey
 *   ESC [ s, u; ESC 7, 8   save and restore position, colours and attributes
 *   ESC [ ? 25 h, l        shows, hides the cursor     ESC [ ? 7 h, l  long lines go on, or do not
 *   ESC [ 4 h, l           what is written moves the rest of the row, or overwrites it
 *   ESC [ 5 n, 6 n, c      are answered: fine; where the cursor is; a VT102
 *   ESC D E M c            down, start of the next row, up, all as at first
 * All other sequences are swallowed, to their end.
 */

/* A colour is a VGA attribute: foreground in bits 0 to 3, background in bits 4 to 7. */
#define TERMINAL_COLOUR_TEXT  0x07
#define TERMINAL_COLOUR_TITLE 0x1F
#define TERMINAL_COLOUR_ALARM 0x4F

struct terminal_cell {
    uint8_t character; /* code page 437, as the BIOS's font has it */
    uint8_t colour;
};

/* How characters get their colour. */
struct terminal_pen {
    uint8_t colour;     /* as chosen */
    uint8_t attributes; /* enum in terminal_internal.h */
};

struct terminal_place {
    unsigned column, row;
    struct terminal_pen pen;
};

#define TERMINAL_NUMBERS_MAX 16u

/* Where a stream of bytes is in a sequence or in a character of several bytes. */
struct terminal_parser {
    uint8_t state;     /* enum in terminal_sequence.c */
    bool is_odd;       /* the sequence is none that is known */
    uint8_t prefix;    /* '?' and its kin before the first number, or 0 */
    uint8_t count;     /* numbers that have begun */
    uint16_t skip;     /* bytes to swallow, at most */
    uint8_t following; /* bytes that the character still needs */
    uint32_t code_point;
    uint16_t numbers[TERMINAL_NUMBERS_MAX];
};

enum terminal_stream { TERMINAL_TEXT, TERMINAL_PROGRAMS, TERMINAL_STREAM_COUNT };

struct terminal {
    unsigned columns, rows; /* rows >= 2 */
    /* Where the next character goes: 1 <= row < rows; column == columns: the row is full, and the
     * next character goes to the next row. */
    unsigned column, row;
    unsigned region_start, region_end; /* the rows that scroll: [start, end), at least one */
    struct terminal_pen pen;           /* of what is written from now on */
    uint8_t modes;                     /* enum in terminal_internal.h */
    struct terminal_place saved;
    struct terminal_parser parsers[TERMINAL_STREAM_COUNT];
    struct terminal_cell *wanted; /* rows * columns cells: what should be on the screen */
    struct terminal_cell *shown;  /* as many: what is on it */
    /* Between the calls below, wanted and shown differ in one cell: where the cursor is, the
     * colours are swapped. Rows outside of [dirty_start, dirty_end) did not change. */
    unsigned dirty_start, dirty_end;
    unsigned cursor_column, cursor_row; /* where it is shown; cursor_row == rows: nowhere */
    void (*draw)(unsigned column, unsigned row, struct terminal_cell cell);
    /* What the terminal sends when programs ask it something, at most TERMINAL_ANSWER_SIZE bytes;
     * NULL: it stays silent. The text stream gets no answers. */
    void (*answer)(const char *text, size_t length);
};

#define TERMINAL_ANSWER_SIZE 16u

/* Bytes for both grids. */
size_t terminal_storage_bytes(unsigned columns, unsigned rows);

/* An empty terminal with its title; draws every cell once. */
void terminal_init(struct terminal *terminal, void *storage, unsigned columns, unsigned rows,
                   void (*draw)(unsigned column, unsigned row, struct terminal_cell cell),
                   const char *title);

/* Puts another title into row 0, cut to its width. */
void terminal_set_title(struct terminal *terminal, const char *title, uint8_t colour);

/* What is written from now on is an alarm, behind what is there, whatever a program had made of the
 * terminal; the headline becomes the title. */
void terminal_begin_alarm(struct terminal *terminal, const char *headline);

/*
 * Writes bytes of a stream: '\r' goes back to the start of the row, '\t' to the next eighth column,
 * '\b' one back, '\n' to the next row, in the text stream also to its start. Sequences do what
 * stands above; other controls are nothing. UTF-8: a character that code page 437 lacks is a '?',
 * and so is a byte that belongs to none. Long lines go on in the next row. Then draws what changed:
 * O(length * cells) at worst, since each byte can end a sequence that moves the whole grid.
 */
void terminal_write(struct terminal *terminal, enum terminal_stream stream, const char *text,
                    size_t length);

/* NULL, or what is wrong with where the terminal believes to be. */
const char *terminal_problem(const struct terminal *terminal);

#endif
