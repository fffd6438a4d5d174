#ifndef KERNEL_DEVICE_SCREEN_SCREEN_H
#define KERNEL_DEVICE_SCREEN_SCREEN_H

#include "kernel/include/bootinfo.h"

/*
 * The screen shows the log, from its beginning: drawn with the BIOS's 8x16 font into the linear
 * framebuffer that the loader set up, mapped write-combining into its row; as VGA text where there
 * is no framebuffer, it does not fit, or there is no font. A machine without a screen loses nothing
 * else. Once, after memory_init() and before memory_release_boot(), which takes the font's memory.
 */
void screen_init(const struct bootinfo *bootinfo);

/* What is written from now on is an alarm: for the panic path. From anywhere. */
void screen_set_alarm(void);

#endif
