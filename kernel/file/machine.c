#include <stdarg.h>

#include "kernel/cpu/cpu.h"
#include "kernel/file/console.h"
#include "kernel/file/files.h"
#include "kernel/file/proc_internal.h"
#include "kernel/include/errors.h"
#include "kernel/include/log.h"
#include "kernel/lib/format.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/system.h"

/* Files on the real machine: what /proc tells of it, and the start of everything. */

#define LINE_SIZE 160u

struct output {
    proc_put put;
    void *context;
};

static void print(const struct output *output, const char *format, ...) PRINTF_LIKE(2, 3);

static void print(const struct output *output, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int length = format_text_arguments(line, sizeof(line), format, arguments);
    va_end(arguments);
    output->put(output->context, line,
                (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
}

/* The regions that were made of the firmware's map. */
static void print_memmap(proc_put put, void *context)
{
    const struct output output = {put, context};
    const struct e820_map *map = memory_map();
    for (uint32_t i = 0; i < map->count; i++)
        print(&output, "%011llx-%011llx %s\n", (unsigned long long)map->regions[i].start,
              (unsigned long long)map->regions[i].end, e820_kind_name(map->regions[i].kind));
}

/* Frames by state and owner, and the exact bytes of the map that are locked or shared. */
static void print_bytemap(proc_put put, void *context)
{
    const struct output output = {put, context};
    for (unsigned state = BYTEMAP_FREE; state < BYTEMAP_STATE_COUNT; state++)
        for (unsigned owner = 0; owner < BYTEMAP_OWNER_COUNT; owner++) {
            bytemap_tag_t tag = BYTEMAP_TAG(state, owner);
            uint32_t frames = 0;
            for (unsigned bits = 0; bits < 4; bits++)
                frames += bytemap_count((bytemap_tag_t)(tag | bits << 6));
            if (frames != 0)
                print(&output, "%-11s %-8s %8u\n", bytemap_state_name((enum bytemap_state)state),
                      bytemap_owner_name((enum bytemap_owner)owner), frames);
        }
    print(&output, "%-11s %-8s %8u\n", "locked", "", bytemap_count_locked());
}

static void print_heap_class(const struct output *output, const struct heap_class_statistics *class)
{
    print(output, "%-16s %6u %8u %6u %10u\n", class->name == NULL ? "" : class->name,
          (unsigned)class->object_bytes, class->live, class->slabs,
          (unsigned)class->committed_bytes);
}

static void print_heap(proc_put put, void *context)
{
    const struct output output = {put, context};
    struct heap_statistics heap;
    struct heap_class_statistics class;
    heap_read_statistics(&heap);
    print(&output, "objects %u\nlive bytes %u\ncommitted bytes %u\npeak committed bytes %u\n",
          heap.objects, (unsigned)heap.live_bytes, (unsigned)heap.committed_bytes,
          (unsigned)heap.peak_committed_bytes);
    print(&output, "allocations %llu\nfrees %llu\nfailures %llu\n",
          (unsigned long long)heap.allocations, (unsigned long long)heap.frees,
          (unsigned long long)heap.failures);
    print(&output, "%-16s %6s %8s %6s %10s\n", "cache", "size", "live", "slabs", "committed");
    for (unsigned i = 0; heap_read_class(i, &class); i++)
        if (class.slabs != 0)
            print_heap_class(&output, &class);
}

/* The names that programs look for. */
static const struct {
    enum cpu_feature feature;
    const char *name;
} flags[] = {
    {CPU_PSE, "pse"},   {CPU_TSC, "tsc"},     {CPU_PAE, "pae"},   {CPU_MCE, "mce"},
    {CPU_APIC, "apic"}, {CPU_MTRR, "mtrr"},   {CPU_PGE, "pge"},   {CPU_MCA, "mca"},
    {CPU_PAT, "pat"},   {CPU_PSE36, "pse36"}, {CPU_FXSR, "fxsr"}, {CPU_SSE, "sse"},
    {CPU_NX, "nx"},     {CPU_SMEP, "smep"},   {CPU_SMAP, "smap"}, {CPU_UMIP, "umip"},
};

static void print_cpuinfo(proc_put put, void *context)
{
    const struct output output = {put, context};
    const struct cpu_description *cpu = cpu_description();
    print(&output, "processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\n", cpu->vendor, cpu->family);
    print(&output, "model\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n", cpu->model,
          cpu->name[0] == '\0' ? cpu->vendor : cpu->name, cpu->stepping);
    print(&output, "flags\t\t:");
    for (unsigned i = 0; i < ARRAY_COUNT(flags); i++)
        if (cpu_has(flags[i].feature))
            print(&output, " %s", flags[i].name);
    print(&output, "\naddress sizes\t: %u bits physical, 32 bits virtual\n\n", cpu->physical_bits);
}

int files_start(paddr_t archive, uint32_t archive_bytes)
{
    static const struct {
        const char *name;
        void (*print)(proc_put put, void *context);
    } texts[] = {{"cpuinfo", print_cpuinfo},
                 {"memmap", print_memmap},
                 {"bytemap", print_bytemap},
                 {"heap", print_heap}};
    int error = files_init(archive, archive_bytes);
    for (unsigned i = 0; i < ARRAY_COUNT(texts) && error == 0; i++)
        error = proc_add_text(texts[i].name, texts[i].print);
    if (!random_is_strong())
        log_line("random: no RDRAND here: random numbers come from the clocks' jitter");
    return error != 0 ? error : console_init();
}
