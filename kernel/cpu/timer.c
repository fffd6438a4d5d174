#include "kernel/cpu/timer.h"

#include "kernel/cpu/cpu.h"
#include "kernel/cpu/irq.h"
#include "kernel/cpu/ports.h"
#include "kernel/include/panic.h"
#include "kernel/memory/platform.h"

/* Intel 8254 data sheet; the PC feeds it 1.193182 MHz. */
#define COUNTER_HZ      1193182u
#define COUNTER_0       0x40
#define CONTROL         0x43
#define CONTROL_RATE_0  0x34 /* counter 0, low byte then high, rate generator */
#define CONTROL_LATCH_0 0x00
#define STORM_RATE_MAX  20000u

/* The first 8259 says what it has not yet delivered. */
#define INTERRUPTS    0x20
#define READ_REQUESTS 0x0A
#define REQUEST_TIMER 0x01

static uint64_t ticks;
static void (*storm_handler)(void);
static void (*tick_handler)(void);

/* What one interrupt adds to the time, in counts of the counter; in a storm, the time since the
 * last tick. A divisor that does not divide evenly loses nothing: what remains counts for the next
 * tick. */
static uint32_t divisor;
static uint32_t counts_since_tick;
static uint64_t counts_before; /* of all periods that ended */

static void count_tick(void)
{
    ticks++;
    if (tick_handler != NULL)
        tick_handler();
}

/* Out of line: its loop would make the tick save registers. */
static __attribute__((noinline)) void storm(void)
{
    counts_since_tick += divisor;
    while (counts_since_tick >= COUNTER_HZ / TIMER_HZ) {
        counts_since_tick -= COUNTER_HZ / TIMER_HZ;
        count_tick();
    }
    storm_handler();
}

/* But for a storm, the counter runs at the tick's rate. */
static void on_interrupt(void)
{
    counts_before += divisor;
    if (storm_handler != NULL)
        storm();
    else
        count_tick();
}

static void set_rate(uint32_t rate)
{
    divisor = COUNTER_HZ / rate;
    port_write8(CONTROL, CONTROL_RATE_0);
    port_write8(COUNTER_0, (uint8_t)divisor);
    port_write8(COUNTER_0, (uint8_t)(divisor >> 8));
}

void timer_init(void)
{
    set_rate(TIMER_HZ);
    if (irq_register(IRQ_TIMER, on_interrupt) != 0)
        panic("the timer's interrupt line is taken");
}

uint64_t timer_ticks(void)
{
    unsigned long saved = platform_interrupts_save();
    uint64_t now = ticks;
    platform_interrupts_restore(saved);
    return now;
}

void timer_set_tick(void (*tick)(void))
{
    tick_handler = tick;
}

/* The counter runs down from `divisor`. If it has begun anew and its interrupt still waits, the
 * period that ended is not in the books yet. */
static uint32_t counts_in_period(void)
{
    port_write8(CONTROL, CONTROL_LATCH_0);
    uint32_t left = port_read8(COUNTER_0);
    left |= (uint32_t)port_read8(COUNTER_0) << 8;
    uint32_t counts = left <= divisor ? divisor - left : 0;
    port_write8(INTERRUPTS, READ_REQUESTS);
    if (port_read8(INTERRUPTS) & REQUEST_TIMER && counts < divisor / 2)
        counts += divisor;
    return counts;
}

/* A count is 838.095344 ns; the fraction in 32 bits behind the point. */
#define COUNT_NS       838u
#define COUNT_FRACTION 409499364u

static uint64_t ns_of(uint64_t counts)
{
    uint64_t fraction = (counts & UINT32_MAX) * COUNT_FRACTION >> 32;
    return counts * COUNT_NS + fraction + (counts >> 32) * COUNT_FRACTION;
}

uint64_t timer_read_ns(void)
{
    static uint64_t latest;
    unsigned long saved = platform_interrupts_save();
    uint64_t now = ns_of(counts_before + counts_in_period());
    latest = now > latest ? now : latest;
    now = latest;
    platform_interrupts_restore(saved);
    return now;
}

void timer_wait_ticks(uint32_t count)
{
    uint64_t end = timer_ticks() + count;
    while (timer_ticks() < end)
        cpu_idle();
}

void timer_set_storm(uint32_t rate, void (*handler)(void))
{
    unsigned long saved = platform_interrupts_save();
    storm_handler = handler;
    set_rate(handler == NULL || rate < TIMER_HZ ? TIMER_HZ
             : rate > STORM_RATE_MAX            ? STORM_RATE_MAX
                                                : rate);
    platform_interrupts_restore(saved);
}
