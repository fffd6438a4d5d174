#ifndef KERNEL_FILE_CONSOLE_H
#define KERNEL_FILE_CONSOLE_H

#include "kernel/include/types.h"

/*
 * The console is one terminal: what is typed on COM1 or the keyboard goes to it, what is written
 * appears on COM1 and on the screen. It has two users, the programs (through /dev/console and its
 * line discipline) and the monitor; CONSOLE_KEY changes between them, and who writes anything to
 * /dev/monitor gives it to the monitor, until it is given back. What is typed before one of them
 * has it waits for the first.
 */
#define CONSOLE_KEY      0x1D /* Ctrl-] */
#define CONSOLE_KEY_NAME "Ctrl-]"

enum console_user { CONSOLE_NOBODY, CONSOLE_MONITOR, CONSOLE_PROGRAMS };

/* Starts the thread that takes what is typed. Until then, and in whoever reads serial_read() by
 * himself, nothing changes. 0, -ENOMEM. */
int console_init(void) MUST_CHECK;

/* Who has it from now on. */
void console_set_user(enum console_user user);
enum console_user console_user(void);

/* The monitor has it, and shows its prompt anew: its editor answers ^C so. Not from the monitor. */
void console_call_monitor(void);

/* For the monitor's thread: the next byte that is typed while it has the console; sleeps. */
unsigned char console_monitor_read(void);

#endif
