#include "kernel/cpu/timer.h"

#include "kernel/cpu/cpu.h"
#include "kernel/cpu/irq.h"
#include "kernel/cpu/ports.h"
#include "kernel/include/panic.h"
#include "kernel/memory/platform.h"

/* Intel 8254 data sheet; the PC feeds it 1.193182 MHz. */
#define COUNTER_HZ     1193182u
#define COUNTER_0      0x40
#define CONTROL        0x43
#define CONTROL_RATE_0 0x34 /* counter 0, low byte then high, rate generator */
#define STORM_RATE_MAX 20000u

static volatile uint64_t ticks;
static void (*storm_handler)(void);

/* The time since the last tick, and what one interrupt adds to it, in counts of the counter. A
 * divisor that does not divide evenly loses nothing: what remains counts for the next tick. */
static uint32_t divisor;
static uint32_t counts_since_tick;

static void on_interrupt(void)
{
    counts_since_tick += divisor;
    while (counts_since_tick >= COUNTER_HZ / TIMER_HZ) {
        counts_since_tick -= COUNTER_HZ / TIMER_HZ;
        ticks++;
    }
    if (storm_handler != NULL)
        storm_handler();
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

void timer_wait_ticks(uint32_t count)
{
    uint64_t end = timer_ticks() + count;
    while (timer_ticks() < end)
        cpu_idle();
}

void timer_set_storm(uint32_t rate, void (*storm)(void))
{
    unsigned long saved = platform_interrupts_save();
    storm_handler = storm;
    set_rate(storm == NULL || rate < TIMER_HZ ? TIMER_HZ
             : rate > STORM_RATE_MAX          ? STORM_RATE_MAX
                                              : rate);
    platform_interrupts_restore(saved);
}
