#ifndef BENCH_HOST_MACHINE_H
#define BENCH_HOST_MACHINE_H

#include "kernel/memory/check.h"

/* A machine for measurements: RAM from frame 1 on, and the memory tree's books of it. */

/* Gives the machine RAM and starts bytemap and pageframe; forgets everything from before.
 * `ram_frames`, a power of two, is how many of the frames have room for content. */
void machine_start_frames(uint32_t frames, uint32_t ram_frames);

/* The same, then paging and the heap, whose window is real memory at its real address. The heap can
 * have at most pool_frames frames; its pages and bookkeeping come out of these. */
void machine_start_heap(uint32_t pool_frames);

/* How many frames were given out and taken back, together, since the start. */
uint64_t machine_frames_moved(void);

/* Lets the memory tree verify itself; says what is wrong and ends the program if anything is. */
void machine_check(void);

/* The heap's part of that; NULL without one. */
extern void (*machine_check_heap)(struct check *check);

/* Fresh memory, all zero, that takes room only where it is touched: at this page, or where there is
 * room (NULL). */
void *machine_reserve(void *where, size_t bytes);

/* Reports on standard error and ends the program. */
_Noreturn void fail(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
