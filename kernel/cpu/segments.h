#ifndef KERNEL_CPU_SEGMENTS_H
#define KERNEL_CPU_SEGMENTS_H

#include "kernel/include/types.h"

/* Flat segments, the task's state segment, and that of the double fault, which has a stack of its
 * own. */
void segments_init(void);

/* The task gate's C half: gathers what the faulting task left, and panics. */
_Noreturn void segments_double_fault(void);

#endif
