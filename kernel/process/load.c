#include "kernel/process/load.h"

#include "kernel/memory/platform.h"
#include "kernel/thread/clock.h"
#include "kernel/thread/thread.h"

#define LOOK_NS (5 * NS_PER_SECOND)

/* e^(-5/60), e^(-5/300), e^(-5/900), in 1/2048. */
static const uint32_t fading[3] = {1884, 2014, 2037};
static uint32_t averages[3];
static struct timer timer;

static void look(struct timer *self)
{
    uint32_t now = thread_ready_count() << LOAD_SHIFT;
    for (unsigned i = 0; i < 3; i++)
        averages[i] =
            (averages[i] * fading[i] + now * ((1u << LOAD_SHIFT) - fading[i])) >> LOAD_SHIFT;
    timer_set(self, clock_monotonic_ns() + LOOK_NS, look);
}

int load_init(void)
{
    timer_set(&timer, clock_monotonic_ns() + LOOK_NS, look);
    return 0;
}

void load_read(uint32_t out[3])
{
    unsigned long saved = platform_interrupts_save();
    for (unsigned i = 0; i < 3; i++)
        out[i] = averages[i];
    platform_interrupts_restore(saved);
}
