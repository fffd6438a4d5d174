#ifndef KERNEL_CPU_TIMER_H
#define KERNEL_CPU_TIMER_H

#include "kernel/include/types.h"

/* The system's clock: the 8254's channel 0 on IRQ 0. */
#define TIMER_HZ 1000u

/* Starts the tick. After irq_init(). */
void timer_init(void);

/* Ticks of 1 / TIMER_HZ second since timer_init. From anywhere. */
uint64_t timer_ticks(void);

/* Busy for at least this long, by the clock; interrupts must be on. */
void timer_wait_ticks(uint32_t ticks);

/* Called at each tick, from its interrupt. */
void timer_set_tick(void (*tick)(void));

/* Nanoseconds since timer_init by the counter itself; never goes back. From anywhere; reads ports.
 */
uint64_t timer_read_ns(void);

/* For tests that need a storm: `handler` is called `rate` times a second (up to 20,000) from the
 * timer's interrupt, while timer_ticks goes on at its own pace. NULL ends it. */
void timer_set_storm(uint32_t rate, void (*handler)(void));

#endif
