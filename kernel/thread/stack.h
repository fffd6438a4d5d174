#ifndef KERNEL_THREAD_STACK_H
#define KERNEL_THREAD_STACK_H

#include "kernel/memory/paging/paging.h"

/*
 * Kernel stacks in their row of the map, each between two pages that are never mapped. The size is
 * what tools/check_stack.py finds that the deepest way into the kernel needs, with an interrupt on
 * top, rounded up to pages; with the sanitizers' larger frames it is more.
 */
#ifdef KERNEL_SANITIZED /* by the build, for files too that are not instrumented themselves */
#define STACK_PAGES 6u
#else
#define STACK_PAGES 2u
#endif
#define STACK_BYTES (STACK_PAGES * PAGE_SIZE)

/* The first byte of a stack, mapped; 0: no memory, or the row is full. The lowest free place, found
 * in at most 64 steps; O(STACK_PAGES). */
uint32_t stack_alloc(void) MUST_CHECK;

/* What stack_alloc returned, while nobody runs on it. */
void stack_free(uint32_t start);

/* The end of the stack in whose place an address of the row lies. */
static inline uint32_t stack_end_of(uint32_t address)
{
    uint32_t place = (address - MAP_STACKS_START) / (STACK_BYTES + PAGE_SIZE);
    return MAP_STACKS_START + (place + 1) * (STACK_BYTES + PAGE_SIZE);
}

/* Stacks that exist. */
uint32_t stack_count(void);

#endif
