#include "kernel/debug/bench/bench.h"

#include "kernel/debug/bench/internal.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/system.h"

/* The states of the machine, and what is measured in each. */

static const struct group {
    const char *name;
    void (*run)(void);
} groups[] = {
    {"frame", bench_frames},
    {"run", bench_runs},
    {"heap", bench_heap},
    {"page", bench_pages},
};

/* What does not depend on the state of memory. */
static const struct group other_groups[] = {
    {"interrupt", bench_interrupts},
    {"other", bench_others},
};

/* 0 percent: as the machine is. */
static const struct state {
    const char *name;
    unsigned percent;
} states[] = {{"fresh", 0}, {"half", 50}, {"full", 93}};

static bool is_wanted(const struct group *group, const char *name)
{
    return name == NULL || strcmp(group->name, name) == 0;
}

static bool is_any_wanted(const struct group *list, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (is_wanted(&list[i], name))
            return true;
    return false;
}

/* Counted, and stepped. */
static void run_groups(const struct group *list, unsigned count, const char *name,
                       const char *state)
{
    for (unsigned i = 0; i < count; i++) {
        if (!is_wanted(&list[i], name))
            continue;
        list[i].run();
        if (!bench_can_step())
            continue;
        bench_step_begin();
        list[i].run();
        bench_step_end();
    }
    bench_results_print(state);
}

static void run_states(const char *name)
{
    if (!bench_workout_begin())
        return;
    monitor_print("\nbench: as the machine is, %u frames are free\n", bench_free_frames());
    for (unsigned i = 0; i < ARRAY_COUNT(states); i++) {
        if (states[i].percent != 0)
            bench_workout(states[i].percent);
        run_groups(groups, ARRAY_COUNT(groups), name, states[i].name);
    }
    bench_workout_end();
}

static void say(const char *sentence)
{
    monitor_print("bench: %s\n", sentence);
}

/* What is there that was not, and is not a page table, or the other way round. */
static void compare_books(uint32_t free_before, uint32_t tables_before)
{
    uint32_t tables = paging_table_frames() - tables_before;
    uint32_t faults = memory_check(say);
    uint32_t free = bench_free_frames();
    if (free + tables == free_before && faults == 0)
        monitor_print("bench: the books balance; %u page tables stay\n", tables);
    else
        monitor_print("bench: FAILED: %u frames were free, %u are, %u are new page tables; "
                      "%u faults\n",
                      free_before, free, tables, faults);
}

int bench_run(const char *name)
{
    if (!is_any_wanted(groups, ARRAY_COUNT(groups), name) &&
        !is_any_wanted(other_groups, ARRAY_COUNT(other_groups), name))
        return -ENOENT;
    if (!bench_calibrate())
        return 0;
    heap_trim();
    uint32_t free_before = bench_free_frames(), tables_before = paging_table_frames();
    bench_results_clear();
    if (is_any_wanted(groups, ARRAY_COUNT(groups), name))
        run_states(name);
    if (is_any_wanted(other_groups, ARRAY_COUNT(other_groups), name)) {
        monitor_print("\n");
        run_groups(other_groups, ARRAY_COUNT(other_groups), name, "any");
    }
    bench_longest_print();
    compare_books(free_before, tables_before);
    return 0;
}
