#ifndef KERNEL_THREAD_CLOCK_H
#define KERNEL_THREAD_CLOCK_H

#include "kernel/include/types.h"

/*
 * Time. Monotonic time runs from boot: the time-stamp counter where there is one, measured against
 * the 8254 at boot; else the 8254's own counter between its ticks. Wall time is monotonic time and
 * an offset, which the RTC gave at boot (taken as UTC).
 */
#define NS_PER_SECOND 1000000000ull
#define NS_PER_TICK   1000000ull /* TIMER_HZ is 1000 */

/* Measures for 0.4 ms, and goes on measuring in the background for the first seconds. Once. */
void clock_init(void);

/* Nanoseconds since boot; never goes back. From anywhere. */
uint64_t clock_monotonic_ns(void);

/* Nanoseconds since 1970-01-01 UTC. */
uint64_t clock_wall_ns(void);
void clock_set_wall_ns(uint64_t now);

/* What one step of the clock is. */
uint32_t clock_resolution_ns(void);

/*
 * `function` is called from the tick's interrupt, interrupts off, once the deadline (monotonic) has
 * passed: at most a tick later. The caller owns the storage, all zeros before first use; function
 * may set the timer again. All from anywhere; O(log of the number of timers).
 */
struct timer {
    uint64_t deadline_ns;
    void (*function)(struct timer *timer);
    struct timer *left, *right, *parent; /* kernel/thread/timer_heap.h */
    bool is_set;
};

/* Sets it, or sets it anew. */
void timer_set(struct timer *timer, uint64_t deadline_ns, void (*function)(struct timer *));

/* True if it was set, and will not be called. */
bool timer_cancel(struct timer *timer);

/* How many ticks had to look for timers that are due: most know beforehand that none is. */
uint32_t timers_look_count(void);

#endif
