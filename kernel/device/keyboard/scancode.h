#ifndef KERNEL_DEVICE_KEYBOARD_SCANCODE_H
#define KERNEL_DEVICE_KEYBOARD_SCANCODE_H

#include "kernel/include/types.h"

/*
 * What a PC keyboard's bytes (scan code set 1) mean as what a terminal would send: characters of
 * the US layout, control characters, and for the keys that move and the function keys what
 * TERM=linux has for them. Pure.
 */
struct scancode_state {
    uint8_t held;       /* modifiers: enum in scancode.c */
    bool has_caps_lock; /* letters are upper case */
    bool is_extended;   /* the last byte was 0xE0 */
    uint8_t skipped;    /* bytes of the pause key that are still to come */
};

#define SCANCODE_TEXT_MAX 5

/* Takes a byte from the keyboard and returns how many characters it gives, in text. All-zero state
 * to begin with. */
unsigned scancode_take(struct scancode_state *state, uint8_t byte, char text[SCANCODE_TEXT_MAX]);

#endif
