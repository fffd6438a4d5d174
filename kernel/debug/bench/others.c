#include "kernel/cpu/irq.h"
#include "kernel/cpu/ports.h"
#include "kernel/cpu/registers.h"
#include "kernel/debug/bench/internal.h"
#include "kernel/device/serial/serial.h"
#include "kernel/include/log.h"
#include "kernel/lib/string.h"
#include "kernel/memory/platform.h"
#include "kernel/memory/system.h"
#include "kernel/thread/clock.h"
#include "kernel/thread/thread.h"

/*
 * Interrupts, and what else is bounded but is no call of the memory tree.
 *
 * An interrupt is measured from outside, as it happens: between two readings of the counter lies a
 * loop of a fixed length, and what a reading is more than usual was spent from the gate to its
 * IRET. All of that is with interrupts off.
 */
#define ROUNDS         500u /* of two instructions: far fewer than from tick to tick */
#define TICKS_MEASURED 200u
#define READINGS_MAX   2000000u
#define SERIALS        200u
#define WAITS          200u
#define WAITERS        64u
#define FIFO_BYTES     16u
#define PORT_DATA      0x3F8 /* National Semiconductor PC16550D data sheet, section 8 */
#define PORT_MODEM     0x3FC
#define MODEM_LOOP     0x10 /* what is sent is received */

/* Interrupts are as `flags` says from behind the first reading on. Never inlined: what lies between
 * the readings must be the same code for all callers. */
static __attribute__((noinline)) uint64_t spin(unsigned long flags)
{
    uint64_t start = bench_ticks();
    platform_interrupts_restore(flags);
    uint32_t rounds = ROUNDS;
    __asm__ volatile("1:\tdecl %0\n\tjnz 1b" : "+r"(rounds) : : "cc");
    return bench_ticks() - start;
}

/* Without interrupts. */
static uint64_t usual_spin(void)
{
    unsigned long saved = platform_interrupts_save();
    uint64_t usual = spin(saved & ~EFLAGS_IF);
    platform_interrupts_restore(saved);
    return usual;
}

/* With interrupts off from its first instruction to its last; `off` is in instructions. */
static void record_as_off(enum bench_line line, uint64_t cost)
{
    struct bench_call call = {.cost = cost, .off = bench_is_exact() ? (uint32_t)cost : 0};
    bench_record(line, &call);
}

static void on_due(struct timer *timer)
{
    (void)timer;
}

/*
 * Ticks that find nothing to do, and those that look for timers: the measuring code sets one for
 * every second tick, whose function is empty, and the kernel has its own. Nobody else runs
 * meanwhile.
 */
static void measure_timer(void)
{
    struct timer timer = {0};
    uint64_t usual = usual_spin();
    uint32_t seen = 0;
    for (uint32_t i = 0; i < READINGS_MAX && seen < 4 * TICKS_MEASURED; i++) {
        uint32_t before = irq_count(IRQ_TIMER), looks = timers_look_count();
        uint64_t ticks = spin(platform_interrupts_save());
        if (irq_count(IRQ_TIMER) != before + 1 || ticks <= usual)
            continue;
        record_as_off(timers_look_count() == looks ? BENCH_INTERRUPT_TIMER
                                                   : BENCH_INTERRUPT_TIMER_DUE,
                      ticks - usual);
        if (seen++ % 4 == 0)
            timer_set(&timer, clock_monotonic_ns(), on_due);
    }
    timer_cancel(&timer);
}

/* Sixteen bytes by the port's own loop; then the interrupt. The cost, or 0: something else came
 * between. */
static uint64_t receive_fifo(uint64_t usual)
{
    uint32_t before = irq_count(IRQ_COM1), timer_before = irq_count(IRQ_TIMER);
    unsigned long saved = platform_interrupts_save();
    uint8_t modem = port_read8(PORT_MODEM);
    port_write8(PORT_MODEM, modem | MODEM_LOOP);
    for (unsigned byte = 0; byte < FIFO_BYTES; byte++)
        port_write8(PORT_DATA, 'x');
    uint64_t ticks = spin(saved);
    port_write8(PORT_MODEM, modem);
    unsigned read = 0;
    while (read < FIFO_BYTES && serial_read() >= 0)
        read++;
    bool is_alone = irq_count(IRQ_COM1) == before + 1 && irq_count(IRQ_TIMER) == timer_before;
    return read == FIFO_BYTES && is_alone && ticks > usual ? ticks - usual : 0;
}

/*
 * The interrupt wakes the console's thread, which reads what came. Preemption is off until the
 * bytes are read here, so that they are never typed; then that thread finds nothing and waits anew,
 * to be woken by the next interrupt.
 */
static void measure_serial(void)
{
    uint64_t usual = usual_spin();
    if (!serial_is_present())
        return;
    serial_drain();
    for (uint32_t i = 0; i < SERIALS; i++) {
        preempt_disable();
        uint64_t cost = receive_fifo(usual);
        preempt_enable();
        if (cost != 0)
            record_as_off(BENCH_INTERRUPT_SERIAL, cost);
    }
}

void bench_interrupts(void)
{
    if (bench_way == BENCH_STEP)
        return;
    measure_timer();
    measure_serial();
}

/* One more comes to many waiters, all of less priority; then all of them are woken. None of them
 * sleeps, and all but one are of a thread that never was: what it takes to make a thread ready is
 * not in the cost. */
static void measure_waits(void)
{
    static struct wait_entry entries[WAITERS + 1];
    static struct thread nobody = {.state = THREAD_RUNNING};
    struct wait_queue queue = {.first = NULL};
    struct bench_call add = {.function = BENCH_FUNCTION(wait_add),
                             .arguments = {(uint32_t)&queue, (uint32_t)&entries[WAITERS]}};
    struct bench_call wake = {.function = BENCH_FUNCTION(wait_wake_all),
                              .arguments = {(uint32_t)&queue}};
    struct thread *self = thread_current();
    const enum thread_policy policy = self->policy;
    const int priority = self->base_priority;
    for (uint32_t i = 0; i < WAITS; i++) {
        for (uint32_t k = 0; k < WAITERS; k++) {
            wait_add(&queue, &entries[k]);
            entries[k].thread = &nobody;
        }
        if (thread_set_policy(self, THREAD_FIFO, THREAD_PRIORITY_HIGHEST) == 0)
            bench_measure(BENCH_WAIT_ADD, &add);
        if (thread_set_policy(self, policy, priority) == 0)
            bench_measure(BENCH_WAIT_WAKE_ALL, &wake);
    }
}

static void log_longest(void)
{
    char line[LOG_LINE_SIZE];
    memset(line, '.', sizeof(line));
    line[sizeof(line) - 1] = '\0';
    log_line("bench: a line of the log as long as one can be %s", line);
}

/* A line of the log goes to the serial port with interrupts on: it is stepped only, for its `off`.
 */
void bench_others(void)
{
    struct bench_call line = {.function = BENCH_FUNCTION(log_longest)};
    measure_waits();
    if (bench_way == BENCH_STEP) {
        bench_measure(BENCH_LOG_LINE, &line);
        return;
    }
    struct bench_call check = {.function = BENCH_FUNCTION(memory_check)};
    bench_make(&check);
    record_as_off(BENCH_MEMORY_CHECK, check.cost);
}
