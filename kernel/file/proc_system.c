#include "kernel/file/memory.h"
#include "kernel/file/proc_internal.h"
#include "kernel/include/version.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/space/commit.h"
#include "kernel/thread/clock.h"

/* Texts about the whole system, in the form that Linux's have. */

#define KIB_PER_PAGE (FRAME_SIZE / 1024)
#define TICKS        100u /* a second, as programs see them */

static struct proc_totals read_totals(void)
{
    struct proc_totals totals;
    memset(&totals, 0, sizeof(totals));
    if (proc_source() != NULL)
        proc_source()->totals(&totals);
    return totals;
}

static void print_kib(struct proc_text *text, const char *name, uint64_t pages)
{
    proc_text_print(text, "%-15s %8llu kB\n", name, (unsigned long long)pages * KIB_PER_PAGE);
}

/* What can be given to programs beside what is free: nothing is held that could be dropped. */
static int print_meminfo(struct proc_text *text, uint32_t id)
{
    struct pageframe_statistics frames;
    struct heap_statistics heap;
    struct memory_usage files;
    struct proc_totals totals = read_totals();
    uint32_t charged = commit_charged_pages(), limit = commit_limit_pages();
    uint32_t cache = bytemap_count_state(BYTEMAP_CACHE);
    (void)id;
    pageframe_read_statistics(&frames);
    heap_read_statistics(&heap);
    memory_read_usage(&files);
    print_kib(text, "MemTotal:", frames.ram_frames);
    print_kib(text, "MemFree:", frames.free_frames);
    print_kib(text, "MemAvailable:", limit > charged ? limit - charged : 0);
    print_kib(text, "Buffers:", 0);
    print_kib(text, "Cached:", cache);
    print_kib(text, "SwapCached:", 0);
    print_kib(text, "Active:", totals.anonymous_pages + cache);
    print_kib(text, "Inactive:", 0);
    print_kib(text, "Mlocked:", bytemap_count_locked());
    print_kib(text, "SwapTotal:", 0);
    print_kib(text, "SwapFree:", 0);
    print_kib(text, "Dirty:", 0);
    print_kib(text, "Writeback:", 0);
    print_kib(text, "AnonPages:", totals.anonymous_pages);
    print_kib(text, "Mapped:", totals.mapped_pages);
    print_kib(text, "Shmem:", files.pages + totals.shared_pages);
    print_kib(text, "Slab:", heap.committed_bytes / FRAME_SIZE);
    print_kib(text, "SReclaimable:", 0);
    print_kib(text, "SUnreclaim:", heap.committed_bytes / FRAME_SIZE);
    print_kib(text, "KernelStack:", totals.stack_pages);
    print_kib(text, "PageTables:", paging_table_frames());
    print_kib(text, "CommitLimit:", limit);
    print_kib(text, "Committed_AS:", charged);
    return 0;
}

static unsigned long long ull(uint64_t value)
{
    return value;
}

static int print_stat(struct proc_text *text, uint32_t id)
{
    struct proc_totals totals = read_totals();
    (void)id;
    static const char *const names[] = {"cpu ", "cpu0"};
    for (unsigned i = 0; i < ARRAY_COUNT(names); i++)
        proc_text_print(text, "%s %llu %llu %llu %llu 0 0 0 0 0 0\n", names[i],
                        ull(totals.user_ticks), ull(totals.nice_ticks), ull(totals.system_ticks),
                        ull(totals.idle_ticks));
    uint64_t boot_ns = clock_wall_ns() - clock_monotonic_ns();
    proc_text_print(text, "intr 0\nctxt %llu\nbtime %llu\n", ull(totals.switches),
                    ull(boot_ns / NS_PER_SECOND));
    proc_text_print(text, "processes %llu\nprocs_running %u\nprocs_blocked %u\n", ull(totals.forks),
                    totals.running, totals.blocked);
    return 0;
}

static void print_hundredths(struct proc_text *text, uint64_t hundredths, const char *behind)
{
    proc_text_print(text, "%llu.%02u%s", ull(hundredths / 100), (unsigned)(hundredths % 100),
                    behind);
}

static int print_uptime(struct proc_text *text, uint32_t id)
{
    struct proc_totals totals = read_totals();
    (void)id;
    print_hundredths(text, clock_monotonic_ns() / (NS_PER_SECOND / TICKS), " ");
    print_hundredths(text, totals.idle_ticks, "\n");
    return 0;
}

static int print_loadavg(struct proc_text *text, uint32_t id)
{
    struct proc_totals totals = read_totals();
    (void)id;
    for (unsigned i = 0; i < 3; i++)
        print_hundredths(text, (uint64_t)totals.load_average[i] * 100 / 2048, " ");
    proc_text_print(text, "%u/%u %u\n", totals.running, totals.processes, totals.last_id);
    return 0;
}

static int print_version(struct proc_text *text, uint32_t id)
{
    (void)id;
    proc_text_print(text, "%s version %s\n", VERSION_NAME, VERSION_NUMBER);
    return 0;
}

static int print_mounts(struct proc_text *text, uint32_t id)
{
    (void)id;
    proc_text_print(text, "rootfs / tmpfs rw,relatime 0 0\nproc /proc proc ro,relatime 0 0\n");
    return 0;
}

static int print_filesystems(struct proc_text *text, uint32_t id)
{
    (void)id;
    proc_text_print(text, "nodev\ttmpfs\nnodev\tproc\n");
    return 0;
}

const struct proc_node proc_system_nodes[] = {
    {"meminfo", S_IFREG | 0444, print_meminfo, NULL},
    {"stat", S_IFREG | 0444, print_stat, NULL},
    {"uptime", S_IFREG | 0444, print_uptime, NULL},
    {"loadavg", S_IFREG | 0444, print_loadavg, NULL},
    {"version", S_IFREG | 0444, print_version, NULL},
    {"mounts", S_IFREG | 0444, print_mounts, NULL},
    {"filesystems", S_IFREG | 0444, print_filesystems, NULL},
    {NULL, 0, NULL, NULL},
};
