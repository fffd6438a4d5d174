#include "bench/user/bench.h"

/* What of memory things take, as the kernel tells it. */

struct system_information {
    uint32_t uptime, loads[3];
    uint32_t total, free, shared, buffers, swap_total, swap_free;
    uint16_t processes, padding;
    uint32_t high_total, high_free, unit;
    uint8_t rest[72];
};

struct memory memory_now(void)
{
    static struct system_information information;
    if (is_error(call1(SYS_sysinfo, word(&information))))
        return (struct memory){0, 0};
    uint64_t unit = information.unit != 0 ? information.unit : 1;
    return (struct memory){(uint32_t)(information.total * unit / 1024),
                           (uint32_t)(information.free * unit / 1024)};
}

/* -------------------------------------------------------------------------------- /proc/meminfo */

/* A line "Name:   number kB": what it calls the number, and how that is written. NULL: no more. */
struct line {
    const char *name, *number;
};

/* Reads the file, which then is taken apart in place. */
static char *read_information(void)
{
    static char text[2048];
    uint32_t length = 0, file = call3(SYS_open, word("/proc/meminfo"), 0, 0);
    if (!is_error(file)) {
        length = call3(SYS_read, file, word(text), sizeof text - 1);
        call1(SYS_close, file);
    }
    text[is_error(length) ? 0 : length] = '\0';
    return text;
}

static struct line next_line(char **at)
{
    char *line = *at, *number = line;
    if (*line == '\0')
        return (struct line){NULL, NULL};
    while (**at != '\0' && **at != '\n')
        (*at)++;
    if (**at == '\n')
        *(*at)++ = '\0';
    while (*number != '\0' && *number != ':')
        number++;
    if (*number == ':')
        *number++ = '\0';
    while (*number == ' ')
        number++;
    return (struct line){line, number};
}

void print_memory_information(void)
{
    call2(SYS_mkdir, word("/proc"), 0755);
    call6(SYS_mount, word("proc"), word("/proc"), word("proc"), 0, 0, 0);
    char *at = read_information();
    for (struct line line = next_line(&at); line.name != NULL; line = next_line(&at)) {
        print_text("meminfo_");
        print_text(line.name);
        print_text(" ");
        print_text(line.number);
        print_line_end();
    }
}

/* Page tables, kernel stacks and objects, in KiB; 0 if the kernel does not say. */
static uint32_t kernel_kib(void)
{
    static const char *const parts[] = {"PageTables", "KernelStack", "Slab"};
    uint32_t sum = 0;
    char *at = read_information();
    for (struct line line = next_line(&at); line.name != NULL; line = next_line(&at))
        for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            const char *rest = value_of(line.name, parts[i]);
            if (rest != NULL && *rest == '\0')
                sum += number_in(line.number);
        }
    return sum;
}

/* --------------------------------------------------------------------------- what things take */

#define SLEEPERS 200

/* Starts a process that waits until the pipe is closed. An error when there is no more. */
static uint32_t start_sleeper(const uint32_t *ends)
{
    char byte;
    uint32_t child = call0(SYS_fork);
    if (child == 0) {
        call1(SYS_close, ends[1]);
        call3(SYS_read, ends[0], word(&byte), 1);
        exit_with(0);
    }
    return child;
}

/* How many there are: all, or as many as the kernel lets there be. */
static uint32_t start_sleepers(uint32_t *children, const uint32_t *ends)
{
    uint32_t count = 0;
    for (; count < SLEEPERS; count++) {
        children[count] = start_sleeper(ends);
        if (is_error(children[count]))
            break;
        call0(SYS_sched_yield);
    }
    for (uint32_t i = 0; i < 4 * count; i++)
        call0(SYS_sched_yield);
    return count;
}

static void print_share(const char *name, uint32_t kib, uint32_t count)
{
    print_text(name);
    print_text(" ");
    print_tenths((uint64_t)kib * 10 / count);
    print_text(" KiB n=");
    print_number(count);
    print_line_end();
}

/* Memory that a small waiting process takes: what is free less, and what of it the kernel has. */
static void measure_process_memory(void)
{
    static uint32_t children[SLEEPERS];
    uint32_t ends[2];
    if (is_error(call1(SYS_pipe, word(ends))))
        return;
    uint32_t own_before = kernel_kib(), before = memory_now().free_kib;
    uint32_t count = start_sleepers(children, ends);
    uint32_t after = memory_now().free_kib, own_after = kernel_kib();
    call1(SYS_close, ends[1]);
    for (uint32_t i = 0; i < count; i++)
        has_ended_well(children[i]);
    call1(SYS_close, ends[0]);
    if (count != 0 && before > after)
        print_share("mem_per_process", before - after, count);
    if (count != 0 && own_before != 0 && own_after > own_before)
        print_share("mem_per_process_kernel", own_after - own_before, count);
}

/* What touching the large region takes beyond its pages: page tables and the like. */
static void measure_overhead(void)
{
    uint32_t bytes = settings.region_mib << 20, area = map_small_pages(bytes);
    if (is_error(area))
        return;
    uint32_t before = memory_now().free_kib;
    write_pages(area, bytes / PAGE);
    uint32_t taken = before - memory_now().free_kib;
    unmap(area, bytes);
    print_result("mem_touch_overhead", taken > bytes >> 10 ? taken - (bytes >> 10) : 0, "KiB");
}

void measure_memory_use(void)
{
    if (memory_now().total_kib == 0)
        return;
    measure_process_memory();
    measure_overhead();
}
