#ifndef KERNEL_DEBUG_MONITOR_MONITOR_H
#define KERNEL_DEBUG_MONITOR_MONITOR_H

#include "kernel/include/types.h"

/*
 * The prompt on the first serial port. Executes what follows "run=" on the command line, up to its
 * end, as commands separated by ';' or line ends, then commands that are typed. Never returns.
 * After everything else is initialised, on the kernel stack.
 */
_Noreturn void monitor_run(const char *command_line);

/* To the serial port; a text above 511 characters is cut. */
void monitor_print(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
