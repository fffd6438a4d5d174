/* `heap`, and what begins with it. */
#include "kernel/cpu/cpu.h"
#include "kernel/debug/monitor/commands.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/debug/monitor/picture.h"
#include "kernel/lib/format.h"
#include "kernel/memory/heap/debug.h"

#define BAR_WIDTH   32
#define CLASSES_MAX 4096u /* a bound for a loop that the heap should end */
#define TOP_ROWS    20u

static void print_part(const char *name, size_t bytes, size_t whole)
{
    char size[PICTURE_SIZE_SIZE], bar[BAR_WIDTH + 1];
    picture_size(size, bytes);
    picture_bar(bar, BAR_WIDTH, bytes, whole);
    monitor_print("%-22s %10s  %10zu  %s\n", name, size, bytes, bar);
}

/* In debug builds. */
static void print_debug(void)
{
    struct heap_debug_statistics debug;
    heap_debug_read_statistics(&debug);
    if (debug.level != 0)
        monitor_print("debug level %u: %zu bytes an object, damages found %llu\n", debug.level,
                      debug.overhead_bytes, (unsigned long long)debug.damages);
}

bool command_heap(unsigned count, char **arguments)
{
    struct heap_statistics heap;
    (void)count;
    (void)arguments;
    heap_read_statistics(&heap);
    monitor_print("%-22s %10s  %10s\n", "", "size", "bytes");
    print_part("window", heap.window_bytes, heap.window_bytes);
    print_part("committed", heap.committed_bytes, heap.window_bytes);
    print_part("  at its peak", heap.peak_committed_bytes, heap.window_bytes);
    print_part("  slabs", heap.slab_bytes, heap.committed_bytes);
    print_part("  runs", heap.run_bytes, heap.committed_bytes);
    print_part("  bookkeeping", heap.bookkeeping_bytes, heap.committed_bytes);
    print_part("  kept for speed", heap.cached_bytes, heap.committed_bytes);
    print_part("  guarded", heap.guarded_bytes, heap.committed_bytes);
    print_part("live objects", heap.live_bytes, heap.committed_bytes);
    monitor_print("objects %u, allocations %llu, frees %llu, failures %llu\n", heap.objects,
                  (unsigned long long)heap.allocations, (unsigned long long)heap.frees,
                  (unsigned long long)heap.failures);
    print_debug();
    monitor_print("wrong frees: double %llu, foreign %llu, interior %llu, misaligned %llu\n",
                  (unsigned long long)heap.misuses[HEAP_DOUBLE_FREE],
                  (unsigned long long)heap.misuses[HEAP_FOREIGN_FREE],
                  (unsigned long long)heap.misuses[HEAP_INTERIOR_FREE],
                  (unsigned long long)heap.misuses[HEAP_MISALIGNED_FREE]);
    return true;
}

/* Keeps the largest in descending order; returns how many there are now. */
static unsigned keep(struct heap_class_statistics *top, unsigned kept,
                     const struct heap_class_statistics *one)
{
    unsigned at = kept < TOP_ROWS ? kept : TOP_ROWS;
    while (at > 0 && top[at - 1].committed_bytes < one->committed_bytes) {
        if (at < TOP_ROWS)
            top[at] = top[at - 1];
        at--;
    }
    if (at < TOP_ROWS)
        top[at] = *one;
    return kept < TOP_ROWS ? kept + 1 : TOP_ROWS;
}

bool command_heap_top(unsigned count, char **arguments)
{
    struct heap_class_statistics top[TOP_ROWS], one;
    struct heap_statistics heap;
    unsigned kept = 0;
    (void)count;
    (void)arguments;
    heap_read_statistics(&heap);
    for (unsigned i = 0; i < CLASSES_MAX && heap_read_class(i, &one); i++)
        if (one.committed_bytes != 0)
            kept = keep(top, kept, &one);
    monitor_print("%-20s %8s %9s %8s %11s\n", "objects", "bytes", "live", "slabs", "committed");
    for (unsigned i = 0; i < kept; i++) {
        char size[PICTURE_SIZE_SIZE];
        picture_size(size, top[i].committed_bytes);
        monitor_print("%-20.20s %8zu %9u %8u %11s\n",
                      top[i].name != NULL ? top[i].name : "size class", top[i].object_bytes,
                      top[i].live, top[i].slabs, size);
    }
    print_part("runs", heap.run_bytes, heap.committed_bytes);
    print_part("all that is committed", heap.committed_bytes, heap.committed_bytes);
    return true;
}

bool command_heap_guard(unsigned count, char **arguments)
{
    struct heap_guard_statistics guard;
    uint64_t every;
    if (count != 0) {
        if (!command_number(arguments[0], UINT32_MAX, &every))
            return false;
        heap_guard_set((uint32_t)every);
    }
    heap_guard_read_statistics(&guard);
    if (guard.every == 0)
        monitor_print("No object that is new gets pages of its own.\n");
    else
        monitor_print("Of %u new objects, one gets pages of its own.\n", guard.every);
    monitor_print("objects %u of at most %u, pages behind them %zu\n", guard.objects, guard.places,
                  guard.committed_bytes / 4096);
    monitor_print("allocations %llu, frees %llu\n", (unsigned long long)guard.allocations,
                  (unsigned long long)guard.frees);
    monitor_print("skipped for want of a place or of memory %llu, found changed %llu\n",
                  (unsigned long long)guard.skipped, (unsigned long long)guard.damages);
    return true;
}

#define COST_PAIRS  10000u
#define COST_OBJECT 64u

/* Ticks of the time-stamp counter: instructions, in an emulator that counts so. What is guarded,
 * and what a debug build does later, is in it. */
bool command_heap_cost(unsigned count, char **arguments)
{
    uint64_t start = cpu_read_tsc();
    (void)count;
    (void)arguments;
    for (unsigned i = 0; i < COST_PAIRS; i++)
        kfree(kmalloc(COST_OBJECT));
    uint64_t ticks = cpu_read_tsc() - start;
    monitor_print("kmalloc and kfree of %u bytes: %llu ticks, the mean of %u pairs\n", COST_OBJECT,
                  (unsigned long long)(ticks / COST_PAIRS), COST_PAIRS);
    return true;
}

static uint32_t mark; /* of `heap mark`; 0: everything counts */

bool command_heap_mark(unsigned count, char **arguments)
{
    (void)count;
    (void)arguments;
    mark = heap_mark();
    monitor_print("Marked, after allocation %u.\n", mark);
    return true;
}

struct leaks {
    unsigned sites, objects;
    size_t bytes;
};

static bool print_site(void *context, const struct heap_leak_site *site)
{
    struct leaks *leaks = context;
    char line[128];
    format_text(line, sizeof(line), "%pS", (void *)site->allocated_by);
    monitor_print("%7u objects %9zu bytes  by %.44s\n", site->objects, site->bytes, line);
    monitor_print("%7s the first: %zu bytes at 0x%08zx, number %u\n", "", site->first.size,
                  (size_t)site->first.object, site->first.number);
    leaks->sites++;
    leaks->objects += site->objects;
    leaks->bytes += site->bytes;
    return true;
}

bool command_heap_leaks(unsigned count, char **arguments)
{
    struct leaks leaks = {0};
    (void)count;
    (void)arguments;
    if (!heap_visit_leaks(mark, print_site, &leaks))
        monitor_print("This kernel does not record who allocates: make run HEAP_DEBUG=1\n");
    else
        monitor_print("Since allocation %u: %u objects of %zu bytes live, from %u places.\n", mark,
                      leaks.objects, leaks.bytes, leaks.sites);
    return true;
}
