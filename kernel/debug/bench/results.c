#include "kernel/debug/bench/internal.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/lib/string.h"

/* The figures of one state of the machine, and the tables. */

struct figures {
    uint32_t calls;
    uint64_t least, most, sum;
    uint32_t steps; /* calls that were stepped */
    uint32_t off;   /* the longest stretch with interrupts off in them */
};

#define NAME_WIDTH 28

static const char *const names[BENCH_LINE_COUNT] = {
#define BENCH_LINE_NAME(identifier, name) [BENCH_##identifier] = name,
    BENCH_LINES(BENCH_LINE_NAME)
#undef BENCH_LINE_NAME
};

static struct figures results[BENCH_LINE_COUNT];

/* The longest stretch so far, and where. memory_check is apart: it is a tool, and looks at
 * everything at once. */
static uint32_t longest;
static enum bench_line longest_line;
static const char *longest_state;

void bench_results_clear(void)
{
    memset(results, 0, sizeof(results));
    longest = 0;
}

void bench_record(enum bench_line line, const struct bench_call *call)
{
    struct figures *figures = &results[line];
    bool stepped = bench_way == BENCH_STEP;
    if (stepped || call->off != 0) {
        figures->steps++;
        figures->off = call->off > figures->off ? call->off : figures->off;
    }
    if (stepped && !bench_is_exact())
        return;
    if (figures->calls == 0 || call->cost < figures->least)
        figures->least = call->cost;
    figures->most = call->cost > figures->most ? call->cost : figures->most;
    figures->sum += call->cost;
    figures->calls++;
}

uint32_t bench_measure(enum bench_line line, struct bench_call *call)
{
    bench_make(call);
    bench_record(line, call);
    return call->result;
}

static void print_line(const char *state, enum bench_line line)
{
    const struct figures *figures = &results[line];
    uint64_t tenths =
        figures->calls == 0 ? 0 : (figures->sum * 10 + figures->calls / 2) / figures->calls;
    int width = NAME_WIDTH - (int)strlen(state) - 1;
    monitor_print("%s/%-*s %7u %8llu %9llu.%u %8llu ", state, width, names[line], figures->calls,
                  (unsigned long long)figures->least, (unsigned long long)tenths / 10,
                  (unsigned)(tenths % 10), (unsigned long long)figures->most);
    if (figures->steps == 0)
        monitor_print("%8s\n", "-");
    else
        monitor_print("%8u\n", figures->off);
}

void bench_results_print(const char *state)
{
    monitor_print("%-*s %7s %8s %11s %8s %8s   %s\n", NAME_WIDTH, "line", "calls", "min", "mean",
                  "max", "off", bench_is_exact() ? "instructions" : "ticks");
    for (unsigned line = 0; line < BENCH_LINE_COUNT; line++) {
        const struct figures *figures = &results[line];
        if (figures->calls == 0 && figures->steps == 0)
            continue;
        print_line(state, line);
        if (line != BENCH_MEMORY_CHECK && figures->off > longest) {
            longest = figures->off;
            longest_line = line;
            longest_state = state;
        }
    }
    memset(results, 0, sizeof(results));
}

void bench_longest_print(void)
{
    if (longest != 0)
        monitor_print("bench: interrupts are off for at most %u instructions, in %s/%s\n", longest,
                      longest_state, names[longest_line]);
}
