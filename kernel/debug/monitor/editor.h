#ifndef KERNEL_DEBUG_MONITOR_EDITOR_H
#define KERNEL_DEBUG_MONITOR_EDITOR_H

#include "kernel/include/types.h"

/*
 * A line editor for a terminal that understands the usual (ECMA-48) sequences: bytes go in one at a
 * time, what the terminal has to be told comes out through `write`, with '\n' for a new line. Pure:
 * no hardware, no allocation; each byte costs at most O(EDITOR_LINE_SIZE + candidates).
 *
 *   left right home end  ^A ^E ^B ^F    move
 *   backspace delete  ^H ^D             remove a character
 *   ^K ^U ^W                            remove to the end, to the start, the word before
 *   up down  ^P ^N                      history
 *   tab                                 completes; a second one lists what is possible
 *   ^C                                  gives the line up
 *   ^L                                  clears the screen
 *
 * A line longer than the terminal is wide scrolls sideways, so one row of the terminal is enough
 * and nothing depends on how a terminal wraps.
 */
#define EDITOR_LINE_SIZE    256 /* with the closing zero */
#define EDITOR_HISTORY_SIZE 32  /* lines */
#define EDITOR_COLUMNS      80  /* that the prompt and the line share */

struct editor {
    /* Given by the caller. */
    const char *prompt;
    void (*write)(const char *text, size_t length);
    const char *(*candidate)(unsigned index); /* for tab: the index runs from 0; NULL ends */

    /* The line: length < EDITOR_LINE_SIZE, cursor <= length, line[length] == 0 always. */
    char line[EDITOR_LINE_SIZE];
    unsigned length;
    unsigned cursor;
    unsigned first; /* of the line's characters, the first that is shown */

    /* Lines before this one, a ring: line number n is at n % EDITOR_HISTORY_SIZE. Numbers from
     * remembered - min(remembered, EDITOR_HISTORY_SIZE) to remembered - 1 are there; `recalled`
     * equal to `remembered` means the line that is being written, which `draft` keeps meanwhile. */
    char history[EDITOR_HISTORY_SIZE][EDITOR_LINE_SIZE];
    unsigned remembered;
    unsigned recalled;
    char draft[EDITOR_LINE_SIZE];

    uint8_t state;     /* inside an escape sequence: enum in editor.c */
    uint8_t parameter; /* its first number */
    bool after_return; /* the last byte was CR: an LF now belongs to it */
    bool after_tab;    /* the last byte was a tab that could add nothing */
};

enum editor_result {
    EDITOR_MORE, /* the line is not complete */
    EDITOR_LINE, /* it is: read editor->line, then call editor_begin */
};

/* Forgets everything, history too. The three pointers are set afterwards. */
void editor_init(struct editor *editor);

/* Shows the prompt and begins an empty line. */
void editor_begin(struct editor *editor);

/* Takes a byte from the terminal. Bytes that mean nothing here, and those above 0x7E, are ignored;
 * what does not fit the line is refused with a bell. */
enum editor_result editor_feed(struct editor *editor, unsigned char byte);

#endif
