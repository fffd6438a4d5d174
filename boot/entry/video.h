#ifndef BOOT_ENTRY_VIDEO_H
#define BOOT_ENTRY_VIDEO_H

#include "boot/entry/commandline.h"
#include "boot/entry/lowram.h"
#include "kernel/include/bootinfo.h"

/*
 * Finds the mode by its size (numbers differ between firmwares), sets it and fills *framebuffer;
 * width stays 0 where the screen is text. Nothing can be said on the screen afterwards.
 */
void video_set(struct bootinfo_framebuffer *framebuffer, struct video_request request,
               const struct lowram *lowram);

#endif
