#ifndef KERNEL_PROCESS_FUTEX_H
#define KERNEL_PROCESS_FUTEX_H

#include "kernel/include/types.h"

/*
 * Waiting for words of user memory. A word is named by its space and address; in shared memory by
 * its frame, which stays where it is while it is mapped. Calls of futex(2) by threads, interrupts
 * on.
 */

/* Waits as long as the word holds `expected`. 0 woken, -EAGAIN (it does not), -EFAULT, -EINVAL
 * (misaligned), -ETIMEDOUT, -EINTR. */
int futex_wait(uint32_t address, uint32_t expected, uint32_t mask, uint64_t deadline_ns) MUST_CHECK;

/* Wakes up to `count` waiters whose mask has a bit in common. How many, or -EFAULT, -EINVAL. */
int32_t futex_wake(uint32_t address, uint32_t count, uint32_t mask);

/* Wakes some, and has up to `moved` others wait for another word; only if the first holds
 * *expected, where that is not NULL (-EAGAIN). How many were woken or moved. */
int32_t futex_requeue(uint32_t address, uint32_t woken, uint32_t moved, uint32_t to,
                      const uint32_t *expected);

#endif
