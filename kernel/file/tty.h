#ifndef KERNEL_FILE_TTY_H
#define KERNEL_FILE_TTY_H

#include "kernel/file/discipline.h"
#include "kernel/file/file.h"

/*
 * The terminal: the line discipline with those who read, write and control it. There is one, the
 * console; what it is connected to comes in and goes out through two functions.
 */
#define TTY_DEVICE DEVICE_NUMBER(5, 1)

enum tty_name { TTY_CONSOLE, TTY_OF_CALLER };

struct tty_window {
    uint16_t rows, columns, width_pixels, height_pixels;
};

/* `output` sends text to the terminal as it stands; may take as long as the line takes. */
void tty_init(void (*output)(const char *text, size_t length), struct tty_window window);

/* Bytes were typed. From a thread. */
void tty_type(const uint8_t *bytes, size_t count);

/* For device_open. -ENXIO: the caller has no controlling terminal. */
int tty_open(enum tty_name name, struct file *file) MUST_CHECK;

#endif
