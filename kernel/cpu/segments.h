#ifndef KERNEL_CPU_SEGMENTS_H
#define KERNEL_CPU_SEGMENTS_H

#include "kernel/cpu/registers.h"
#include "kernel/include/types.h"

/* Flat segments, the task's state segment, and that of the double fault, which has a stack of its
 * own. */
void segments_init(void);

/*
 * Before a thread runs: where the processor finds its kernel stack when it comes from user mode,
 * and its descriptors of thread-local storage, which may be all zeros. A segment register that
 * holds such a descriptor changes only when it is loaded again. Interrupts are off. O(1).
 */
void segments_load(uint32_t stack_end, const uint64_t tls[SELECTOR_TLS_COUNT]);

/* A descriptor (Intel SDM 3A, 3.4.5) of base, limit and the bits of its high word that are neither.
 */
uint64_t segments_make_tls(uint32_t base, uint32_t limit, uint32_t flags);

/* The task gate's C half: gathers what the faulting task left, and panics. */
_Noreturn void segments_double_fault(void);

#endif
