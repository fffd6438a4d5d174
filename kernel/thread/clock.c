#include "kernel/thread/clock.h"

#include "kernel/cpu/cpu.h"
#include "kernel/cpu/rtc.h"
#include "kernel/cpu/timer.h"
#include "kernel/include/log.h"
#include "kernel/memory/platform.h"
#include "kernel/thread/internal.h"
#include "kernel/thread/timer_heap.h"

/*
 * ns = base.ns + (counts since base.tsc) * base.scale / 2^SCALE_SHIFT. The product is made of two
 * 64-bit ones, so that it does not overflow in this system's life.
 *
 * The scale comes from the 8254: at boot from stretches that cost no time to speak of, then from
 * longer ones, at whose ends time goes on from where it is. Ticks that an emulator lost make a
 * stretch look shorter than it was, so the one with the fewest counts for its time is the truest; a
 * long one that contradicts the short ones by more than their error is not believed.
 */
#define SCALE_SHIFT        24
#define FIRST_NS           50000u
#define FIRST_STRETCHES    4u
#define FIRST_ERROR        16u /* one in so many */
#define STRETCH_TICKS      100u
#define STRETCH_TICKS_NEXT 10u /* the first one of them */
#define STRETCHES          16u

struct stretch {
    uint64_t tsc, ns;
};

static struct {
    uint64_t tsc, ns;
    uint32_t scale; /* 0: there is no usable counter */
} base;
static struct stretch stretch_start;
static struct timer stretch_timer;
static uint32_t best_scale; /* of the long stretches */
static unsigned stretches;
static uint64_t wall_offset_ns;

/*
 * No timer is due before the counter says so much: most ticks look at this alone. 0: not known, and
 * always where there is no usable counter. What a nanosecond is in counts is rounded down, so it is
 * never too late.
 */
static struct timer_heap timers;
uint64_t timers_quiet_until;
static uint32_t counts_per_ns; /* times 2^SCALE_SHIFT */
static uint32_t looks;         /* of ticks that did not see that no timer is due */

static uint64_t scaled(uint64_t counts)
{
    uint64_t low = (counts & UINT32_MAX) * base.scale;
    uint64_t high = (counts >> 32) * base.scale;
    return (high << (32 - SCALE_SHIFT)) + (low >> SCALE_SHIFT);
}

uint64_t clock_monotonic_ns(void)
{
    if (base.scale == 0)
        return timer_read_ns();
    unsigned long saved = platform_interrupts_save();
    uint64_t now = base.ns + scaled(cpu_read_tsc() - base.tsc);
    platform_interrupts_restore(saved);
    return now;
}

static struct stretch look(void)
{
    unsigned long saved = platform_interrupts_save();
    struct stretch now = {.ns = timer_read_ns(), .tsc = cpu_read_tsc()};
    platform_interrupts_restore(saved);
    return now;
}

/* 0 for a stretch that says nothing. */
static uint32_t scale_of(struct stretch from, struct stretch to)
{
    uint64_t ns = to.ns - from.ns, counts = to.tsc - from.tsc;
    if (ns == 0 || counts == 0 || ns >> (64 - SCALE_SHIFT) != 0)
        return 0;
    uint64_t scale = (ns << SCALE_SHIFT) / counts;
    return scale <= UINT32_MAX ? (uint32_t)scale : 0;
}

static void use_scale(uint32_t scale)
{
    uint64_t inverse = (1ull << 2 * SCALE_SHIFT) / scale;
    base.scale = scale;
    counts_per_ns = inverse < UINT32_MAX ? (uint32_t)inverse : UINT32_MAX;
    timers_quiet_until = 0;
}

/* Time goes on from where it is. */
static void set_scale(struct stretch now, uint32_t scale)
{
    base.ns += scaled(now.tsc - base.tsc);
    base.tsc = now.tsc;
    use_scale(scale);
}

static void on_stretch(struct timer *timer)
{
    struct stretch now = look();
    uint32_t scale = scale_of(stretch_start, now);
    if (scale > best_scale && scale > base.scale - base.scale / FIRST_ERROR) {
        best_scale = scale;
        set_scale(now, scale);
    }
    stretch_start = now;
    if (++stretches < STRETCHES)
        timer_set(timer, clock_monotonic_ns() + STRETCH_TICKS * NS_PER_TICK, on_stretch);
}

static uint32_t measure_first(struct stretch *end)
{
    uint32_t best = 0;
    *end = look();
    for (unsigned i = 0; i < FIRST_STRETCHES; i++) {
        struct stretch start = *end;
        do
            *end = look();
        while (end->ns - start.ns < FIRST_NS);
        uint32_t scale = scale_of(start, *end);
        best = scale > best ? scale : best;
    }
    return best;
}

static void start_tsc(void)
{
    uint32_t scale = measure_first(&stretch_start);
    if (scale == 0)
        return;
    base.tsc = stretch_start.tsc;
    base.ns = stretch_start.ns;
    use_scale(scale);
    log_line("clock: time-stamp counter, about %u MHz",
             (unsigned)((1000ull << SCALE_SHIFT) / scale));
    timer_set(&stretch_timer, base.ns + STRETCH_TICKS_NEXT * NS_PER_TICK, on_stretch);
}

void clock_init(void)
{
    if (cpu_has(CPU_TSC))
        start_tsc();
    if (base.scale == 0)
        log_line("clock: the 8254, there is no usable time-stamp counter");
    wall_offset_ns = rtc_read_seconds() * NS_PER_SECOND - clock_monotonic_ns();
}

uint64_t clock_wall_ns(void)
{
    unsigned long saved = platform_interrupts_save();
    uint64_t now = wall_offset_ns + clock_monotonic_ns();
    platform_interrupts_restore(saved);
    return now;
}

void clock_set_wall_ns(uint64_t now)
{
    unsigned long saved = platform_interrupts_save();
    wall_offset_ns = now - clock_monotonic_ns();
    platform_interrupts_restore(saved);
}

uint32_t clock_resolution_ns(void)
{
    return base.scale != 0 ? 1 : 838; /* a count of the 8254 */
}

void timer_set(struct timer *timer, uint64_t deadline_ns, void (*function)(struct timer *))
{
    unsigned long saved = platform_interrupts_save();
    if (timer->is_set)
        timer_heap_remove(&timers, timer);
    timer->deadline_ns = deadline_ns;
    timer->function = function;
    timer->is_set = true;
    timer_heap_add(&timers, timer);
    if (timer_heap_first(&timers) == timer)
        timers_quiet_until = 0;
    platform_interrupts_restore(saved);
}

bool timer_cancel(struct timer *timer)
{
    unsigned long saved = platform_interrupts_save();
    bool was_set = timer->is_set;
    if (was_set)
        timer_heap_remove(&timers, timer);
    timer->is_set = false;
    platform_interrupts_restore(saved);
    return was_set;
}

/* Of the first timer, from a moment at which the counter and the clock said this. */
static uint64_t counter_at_first(uint64_t tsc, uint64_t now)
{
    const struct timer *first = timer_heap_first(&timers);
    if (first == NULL)
        return UINT64_MAX;
    uint64_t wait = first->deadline_ns - now;
    return tsc + ((wait < UINT32_MAX ? wait : UINT32_MAX) * counts_per_ns >> SCALE_SHIFT);
}

static bool call_due(uint64_t now)
{
    bool was_due = false;
    struct timer *first;
    while ((first = timer_heap_first(&timers)) != NULL && first->deadline_ns <= now) {
        timer_heap_remove(&timers, first);
        first->is_set = false;
        was_due = true;
        first->function(first);
    }
    return was_due;
}

/* If a function was called, the next tick looks again: it may have changed timers and the scale. */
void timers_look(void)
{
    uint64_t tsc = base.scale != 0 ? cpu_read_tsc() : 0;
    uint64_t now = clock_monotonic_ns();
    bool was_due = call_due(now);
    timers_quiet_until = was_due || base.scale == 0 ? 0 : counter_at_first(tsc, now);
    looks++;
}

uint32_t timers_look_count(void)
{
    return looks;
}
