#ifndef KERNEL_DEVICE_SCREEN_INTERNAL_H
#define KERNEL_DEVICE_SCREEN_INTERNAL_H

#include "kernel/device/screen/terminal.h"
#include "kernel/include/bootinfo.h"

/* A way to show a grid of characters. */
struct screen_grid {
    unsigned columns, rows; /* 0: there is none */
    void (*draw)(unsigned column, unsigned row, struct terminal_cell cell);
};

struct screen_grid framebuffer_open(const struct bootinfo *bootinfo);
struct screen_grid text_open(void);

#endif
