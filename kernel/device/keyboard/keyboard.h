#ifndef KERNEL_DEVICE_KEYBOARD_KEYBOARD_H
#define KERNEL_DEVICE_KEYBOARD_KEYBOARD_H

#include "kernel/include/types.h"

/* The keyboard at the PC's controller (8042, IRQ 1). A machine without one gets a line in the log.
 * After irq_init(). */
void keyboard_init(void);

/* The oldest character that was typed and not read, as a terminal would have sent it; -1: none.
 * What is typed faster than it is read, by more than 64 characters, is lost. */
int keyboard_read(void);

/* Called from the interrupt when characters have come. One at a time; NULL: nobody. */
void keyboard_set_listener(void (*listener)(void));

#endif
