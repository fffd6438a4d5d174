#include "kernel/cpu/cpu.h"
#include "kernel/cpu/trap.h"
#include "kernel/debug/bench/internal.h"
#include "kernel/debug/bench/lengths.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/lib/string.h"
#include "kernel/memory/platform.h"

/* How measuring is done, and what it costs itself. */

#define TRAP_DEBUG          1
#define CALIBRATIONS        64u
#define NOPS_INSTRUCTIONS   (BENCH_NOPS + 1u)
#define MASKED_INSTRUCTIONS (BENCH_NOPS + 1u)
#define STRINGS_OTHERS      5u
#define LOOP_INSTRUCTIONS   (2u * BENCH_ROUNDS + 2u)

enum bench_way bench_way;

/* The cost of an empty function, but for its own one instruction. */
static uint64_t counting_cost, stepping_cost;
static bool is_exact, can_step;

struct table_pointer {
    uint16_t limit;
    uint32_t base;
} __attribute__((packed));

static uint64_t gates[256] __attribute__((aligned(8)));
static struct table_pointer usual_gates;

bool bench_is_exact(void)
{
    return is_exact;
}

bool bench_can_step(void)
{
    return can_step;
}

static uint64_t with_handler(uint64_t gate, uint32_t handler)
{
    return (gate & 0x0000FFFFFFFF0000ull) | (handler & 0xFFFF) |
           (uint64_t)(handler & 0xFFFF0000u) << 32;
}

/* The usual gates in a copy, but for the debug exception's. */
void bench_step_begin(void)
{
    struct table_pointer ours = {sizeof(gates) - 1, (uint32_t)gates};
    __asm__ volatile("sidt %0" : "=m"(usual_gates));
    memcpy(gates, (const void *)usual_gates.base,
           usual_gates.limit < sizeof(gates) ? usual_gates.limit + 1u : sizeof(gates));
    gates[TRAP_DEBUG] = with_handler(gates[TRAP_DEBUG], BENCH_FUNCTION(bench_step_entry));
    __asm__ volatile("lidt %0" : : "m"(ours) : "memory");
    bench_way = BENCH_STEP;
}

void bench_step_end(void)
{
    __asm__ volatile("lidt %0" : : "m"(usual_gates) : "memory");
    bench_way = BENCH_COUNT;
}

static void make_counted(struct bench_call *call)
{
    unsigned long saved = platform_interrupts_save();
    bench_call_counted(call);
    platform_interrupts_restore(saved);
    call->cost = call->cost > counting_cost ? call->cost - counting_cost : 0;
    call->off = 0;
}

static void make_stepped(struct bench_call *call)
{
    bench_steps = bench_off = bench_off_longest = 0;
    bench_call_stepped(call);
    call->cost = bench_steps - stepping_cost;
    call->off = bench_off_longest;
}

uint32_t bench_make(struct bench_call *call)
{
    if (bench_way == BENCH_STEP)
        make_stepped(call);
    else
        make_counted(call);
    return call->result;
}

/* The cost of a known function; the least of several, and *same says whether all were equal. */
static uint64_t cost_of(void (*function)(void), bool *same)
{
    uint64_t least = UINT64_MAX, most = 0;
    for (unsigned i = 0; i < CALIBRATIONS; i++) {
        struct bench_call call = {.function = BENCH_FUNCTION(function)};
        bench_make(&call);
        least = call.cost < least ? call.cost : least;
        most = call.cost > most ? call.cost : most;
    }
    *same = least == most;
    return least;
}

/*
 * What a way makes of functions that are known; true if it is right about straight lines and loops.
 * A REP is shown only: an emulator may count one more than there are rounds, for finding out that
 * it was the last.
 */
static bool try_way(const char *name, uint64_t *own_cost)
{
    bool same[4];
    *own_cost = 0;
    *own_cost = cost_of(bench_nothing, &same[0]) - 1;
    uint64_t nops = cost_of(bench_nops, &same[1]), loop = cost_of(bench_loop, &same[2]);
    uint64_t strings = cost_of(bench_strings, &same[3]) - STRINGS_OTHERS;
    bool right = same[0] && same[1] && same[2] && same[3] && nops == NOPS_INSTRUCTIONS &&
                 loop == LOOP_INSTRUCTIONS;
    monitor_print("bench: %s: %s; %u nops are %llu, a loop of %u is %llu, a rep of %u is %llu\n",
                  name, right ? "exact" : "not exact", NOPS_INSTRUCTIONS, (unsigned long long)nops,
                  LOOP_INSTRUCTIONS, (unsigned long long)loop, BENCH_REPEATS,
                  (unsigned long long)strings);
    return right;
}

/* Whether a stretch of known length with interrupts off is seen as that. */
static bool try_masked(void)
{
    struct bench_call call = {.function = BENCH_FUNCTION(bench_masked)};
    bench_make(&call);
    monitor_print("bench: traps: %u nops and a popf with interrupts off are %u\n", BENCH_NOPS,
                  call.off);
    return call.off == MASKED_INSTRUCTIONS;
}

bool bench_calibrate(void)
{
    if (!cpu_has(CPU_TSC)) {
        monitor_print("bench: this processor has no time-stamp counter\n");
        return false;
    }
    is_exact = try_way("counter", &counting_cost);
    bench_step_begin();
    can_step = try_way("traps", &stepping_cost) && try_masked();
    bench_step_end();
    if (!is_exact)
        monitor_print("bench: a tick of this machine is not an instruction: figures are ticks\n");
    if (!can_step)
        monitor_print("bench: no column off: this machine does not trap after each instruction\n");
    return true;
}
