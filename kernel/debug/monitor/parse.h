#ifndef KERNEL_DEBUG_MONITOR_PARSE_H
#define KERNEL_DEBUG_MONITOR_PARSE_H

#include "kernel/include/types.h"

/* The monitor's reading of text: pure, bounded by the length of what is read, no storage of its
 * own. */

/* A number: decimal, or hexadecimal after "0x". 0; -EINVAL: not a number; -ERANGE: above 2^64 - 1.
 * *value is written on success only. */
int parse_number(const char *text, uint64_t *value) MUST_CHECK;

/* What follows "run=" at the start of a word of the command line, up to its end; NULL if there is
 * no such word. */
const char *parse_run_part(const char *command_line);

/*
 * Copies the next command of a list separated by ';' and line ends that are not quoted
 * (kernel/lib/words.h), without the blanks around it, skipping empty ones. Returns where to go on,
 * or NULL when there is none left. Precondition: the list is shorter than `size`, so a command
 * always fits.
 */
const char *parse_next_command(const char *list, char *command, size_t size);

#endif
