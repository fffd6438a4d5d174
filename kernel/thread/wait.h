#ifndef KERNEL_THREAD_WAIT_H
#define KERNEL_THREAD_WAIT_H

#include "kernel/include/types.h"

/*
 * Waiting. Wake-ups cannot be lost because condition and wait are looked at with interrupts off:
 *
 *      unsigned long saved = platform_interrupts_save();
 *      while (error == 0 && !is_ready)
 *          error = wait_sleep(&queue, WAIT_INTERRUPTIBLE, WAIT_FOREVER);
 *      thread_interrupts_restore(saved);
 *
 * Who waits on several queues at once (poll) enters himself in each and blocks:
 *
 *      wait_begin(); wait_add(&queue, &entry) ...; if nothing is ready, with interrupts off:
 *      error = wait_block(flags, deadline); at the end wait_remove(&entry) ...
 *
 * Waiters stand in order of the priority with which they came, and of arrival among equals; a queue
 * that is all zeros is empty. Whatever holds a queue outlives its waiters.
 *
 *      first -> 70  70  70  20  0  0 <- last
 *               |_______|   |_|  |_|       other_end, of the ends of each stretch of equals
 *
 * Who looks for his place goes over stretches of equals, at most one for each priority.
 */
struct thread;

struct wait_entry {
    struct wait_entry *next, *previous;
    struct wait_entry *other_end; /* of its stretch, if it is an end: itself, if alone */
    struct wait_queue *queue;     /* NULL: on none, or woken */
    struct thread *thread;
    uint8_t priority;
};

struct wait_queue {
    struct wait_entry *first, *last;
};

#define WAIT_FOREVER       UINT64_MAX
#define WAIT_INTERRUPTIBLE (1u << 0) /* a signal ends it */

/*
 * Called with interrupts off, preemption on, by a thread; returns with them off, after others ran.
 * The deadline is in nanoseconds of clock_monotonic_ns(). 0: woken; -EINTR (only if
 * interruptible: a signal is to be taken, at once if one is already); -ETIMEDOUT (at once if the
 * deadline has passed). O(log of the number of timers), O(priorities below that somebody has).
 */
int wait_sleep(struct wait_queue *queue, unsigned flags, uint64_t deadline_ns) MUST_CHECK;

/*
 * The parts of it. wait_begin forgets earlier wake-ups; wait_add: the running thread joins a queue;
 * wait_block: as wait_sleep, and 0 at once if one of the entries was woken since wait_begin;
 * wait_remove: leaves the queue, if it is still there. Interrupts may be on but for wait_block.
 */
void wait_begin(void);
void wait_add(struct wait_queue *queue, struct wait_entry *entry);
int wait_block(unsigned flags, uint64_t deadline_ns) MUST_CHECK;
void wait_remove(struct wait_entry *entry);

/* The first waiter, or all of them, leave the queue and become ready. From anywhere. If interrupts
 * are on, a thread that calls them gives way to whom it woke, when it has woken all: meanwhile
 * interrupts come. O(1), O(waiters). */
void wait_wake_one(struct wait_queue *queue);
void wait_wake_all(struct wait_queue *queue);

/* Until then, at least; 0 or -EINTR (only if interruptible). Interrupts on. */
int wait_until(uint64_t deadline_ns, unsigned flags) MUST_CHECK;

static inline bool wait_is_empty(const struct wait_queue *queue)
{
    return queue->first == NULL;
}

#endif
