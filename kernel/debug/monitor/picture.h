#ifndef KERNEL_DEBUG_MONITOR_PICTURE_H
#define KERNEL_DEBUG_MONITOR_PICTURE_H

#include "kernel/include/types.h"

/* Figures as text: pure, into the caller's buffer. */

/* A size with its unit, at most 9 characters: "512 B", "4 KiB", "42.5 MiB", "2.50 GiB". Three
 * significant digits at least, cut, never rounded up: nothing looks fuller than it is. */
#define PICTURE_SIZE_SIZE 16
void picture_size(char *text, uint64_t bytes);

/* Mebibytes with three decimals, cut, as columns of figures need them: "31.875". */
void picture_mebibytes(char *text, uint64_t bytes);

/* A bar of exactly `width` characters, '#' for the part and '.' for the rest: any part above zero
 * shows at least one '#', and only the whole shows all of them. */
void picture_bar(char *text, unsigned width, uint64_t part, uint64_t whole);

#endif
