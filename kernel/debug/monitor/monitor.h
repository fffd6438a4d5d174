#ifndef KERNEL_DEBUG_MONITOR_MONITOR_H
#define KERNEL_DEBUG_MONITOR_MONITOR_H

#include "kernel/include/types.h"

/*
 * The prompt, on the first serial port and on the screen with its keyboard. Executes what follows
 * "run=" on the command line, up to its end, as commands separated by ';' or line ends, then
 * commands that are typed. Never returns. After everything else is initialised, on the kernel
 * stack.
 */
_Noreturn void monitor_run(const char *command_line);

/* To the serial port and the screen. A printed text above 511 characters is cut. */
void monitor_write(const char *text, size_t length);
void monitor_print(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
