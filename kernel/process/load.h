#ifndef KERNEL_PROCESS_LOAD_H
#define KERNEL_PROCESS_LOAD_H

#include "kernel/include/types.h"

/*
 * Load averages: how many threads of programs were ready on average over one, five and fifteen
 * minutes, weighted so that the past fades (Linux, kernel/sched/loadavg.c has the same numbers). In
 * 1/2048.
 */
#define LOAD_SHIFT 11

/* Looks every five seconds from now on. 0. */
int load_init(void);
void load_read(uint32_t averages[3]);

#endif
