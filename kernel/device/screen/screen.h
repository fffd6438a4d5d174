#ifndef KERNEL_DEVICE_SCREEN_SCREEN_H
#define KERNEL_DEVICE_SCREEN_SCREEN_H

#include "kernel/include/bootinfo.h"

/*
 * The screen shows the log, from its beginning, and the prompt: drawn with the BIOS's 8x16 font
 * into the linear framebuffer that the loader set up, mapped write-combining into its row; as VGA
 * text where there is no framebuffer, it does not fit, or there is no font. A machine without a
 * screen loses nothing else. Once, after memory_init() and before memory_release_boot(), which
 * takes the font's memory.
 */
void screen_init(const struct bootinfo *bootinfo);

/* Writes text of the kernel behind what is there; '\n' begins a row. From anywhere: what an
 * interrupt writes in the middle of another text follows it, as far as SCREEN_PENDING_SIZE bytes
 * hold it. */
#define SCREEN_PENDING_SIZE 512u
void screen_write(const char *text, size_t length);

/* The same for what programs send to their terminal: every byte as it stands, and sequences as
 * terminal.h says. Returns how many bytes were taken: not all where a thread that was interrupted
 * while it drew left no room; the rest is the caller's to bring when that one ran. */
size_t screen_send(const char *bytes, size_t count) MUST_CHECK;

/* Called with what the screen answers to programs that ask it something, a whole answer at a time,
 * from within screen_send(). NULL: it does not answer. */
void screen_set_listener(void (*answered)(const char *text, size_t length));

/* What is written from now on is an alarm, and its headline stays at the top: for the panic path,
 * where whoever was writing will not come back. From anywhere. */
void screen_set_alarm(const char *headline);

#endif
