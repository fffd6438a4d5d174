/*
 * Measures memory and process calls of any kernel with Linux's system calls on i386.
 *
 *      bench [mb=N] [reps=N] [only=PART] [skip=PART] [exe=PATH] [sync=1]
 *
 *      mb=N        MiB of the large region (64; halved until it fits into half of what is free)
 *      reps=N      repetitions of each benchmark (9; 31 at most)
 *      only=PART   only benchmarks whose name has that part; skip=PART: not those
 *      exe=PATH    this program's path, for execve (its own first argument if not said)
 *      sync=1      write each line at once
 *
 * Output: "NAME MEDIAN insn min=A max=B n=REPETITIONS" for each benchmark, for one operation, or
 * "NAME - skip errno=E" where the kernel lacks what it needs. The unit is the difference of two
 * readings of the time-stamp counter: under qemu-system-i386 -icount shift=0,sleep=off that is
 * instructions of guest and kernel, exactly, and tsc_1000nop says 1000. As process 1 it also prints
 * /proc/meminfo, and switches the machine off.
 */
#include "bench/user/bench.h"

#define REPETITIONS_MAX 31
#define AT_SYSINFO      32

struct settings settings = {.region_mib = 64, .repetitions = 9};

/* ------------------------------------------------------------------------------ command line */

static void read_argument(const char *argument)
{
    const char *value;
    if ((value = value_of(argument, "mb=")) != NULL)
        settings.region_mib = number_in(value);
    else if ((value = value_of(argument, "reps=")) != NULL)
        settings.repetitions = number_in(value);
    else if ((value = value_of(argument, "only=")) != NULL)
        settings.only = value;
    else if ((value = value_of(argument, "skip=")) != NULL)
        settings.skip = value;
    else if ((value = value_of(argument, "exe=")) != NULL)
        settings.path = value;
    else if ((value = value_of(argument, "sync=")) != NULL)
        settings.at_once = number_in(value) != 0;
}

static void read_arguments(uint32_t count, const char *const *arguments)
{
    settings.path = count > 0 ? arguments[0] : "/init";
    for (uint32_t i = 1; i < count; i++)
        read_argument(arguments[i]);
    if (settings.repetitions == 0 || settings.repetitions > REPETITIONS_MAX)
        settings.repetitions = REPETITIONS_MAX;
}

/* The auxiliary vector lies behind the environment. */
static void read_auxiliary_vector(const uint32_t *environment)
{
    while (*environment != 0)
        environment++;
    for (const uint32_t *pair = environment + 1; pair[0] != 0; pair += 2)
        if (pair[0] == AT_SYSINFO)
            settings.fast_entry = pair[1];
}

/* -------------------------------------------------------------------------------- the machine */

/* A kernel may start process 1 without open files. */
static void open_console(void)
{
    static const char *const devices[] = {"/dev/console", "/dev/ttyS0", "/dev/tty", "/dev/tty0"};
    for (unsigned i = 0; i < 4 && is_error(call3(SYS_write, 1, 0, 0)); i++)
        while (call3(SYS_open, word(devices[i]), 2, 0) < 2)
            ;
}

static void switch_off(void)
{
    call3(SYS_reboot, 0xFEE1DEAD, 672274793, 0x4321FEDC); // power off
    call3(SYS_reboot, 0xFEE1DEAD, 672274793, 0x01234567); // or else restart
}

/* ----------------------------------------------------------------------------------- results */

static void print_skipped(const char *name, uint32_t error)
{
    print_text(name);
    print_text(" - skip errno=");
    print_number(error);
    print_line_end();
}

/* In tenths, ascending. */
static void print_measured(const char *name, const uint64_t *tenths)
{
    print_text(name);
    print_text(" ");
    print_tenths(tenths[settings.repetitions / 2]);
    print_text(" insn min=");
    print_tenths(tenths[0]);
    print_text(" max=");
    print_tenths(tenths[settings.repetitions - 1]);
    print_text(" n=");
    print_number(settings.repetitions);
    print_line_end();
}

static void insert_sorted(uint64_t *sorted, uint32_t count, uint64_t number)
{
    for (; count > 0 && sorted[count - 1] > number; count--)
        sorted[count] = sorted[count - 1];
    sorted[count] = number;
}

static void measure(const struct benchmark *benchmark)
{
    uint32_t operations =
        benchmark->operations != 0 ? benchmark->operations : settings.region_mib << 8;
    uint64_t tenths[REPETITIONS_MAX];
    for (uint32_t i = 0; i < settings.repetitions; i++) {
        ticks_t took = benchmark->run(operations);
        if (took < 0) {
            print_skipped(benchmark->name, (uint32_t)-took);
            return;
        }
        insert_sorted(tenths, i, ((uint64_t)took * 10 + operations / 2) / operations);
    }
    print_measured(benchmark->name, tenths);
}

static void measure_all(const struct benchmark *benchmarks, uint32_t count, uint32_t free_kib)
{
    for (const struct benchmark *one = benchmarks; one < benchmarks + count; one++) {
        if (settings.only != NULL && !has_part(one->name, settings.only))
            continue;
        if (settings.skip != NULL && has_part(one->name, settings.skip))
            continue;
        if (free_kib != 0 && one->memory_kib > free_kib / 4 * 3)
            print_skipped(one->name, ENOMEM);
        else
            measure(one);
    }
}

/* -------------------------------------------------------------------------------------- start */

static void measure_everything(ticks_t start)
{
    struct memory memory = memory_now();
    print_text("BENCH-BEGIN\n");
    print_result("boot_tsc_at_init", (uint64_t)start, "insn");
    if (memory.total_kib != 0) {
        print_result("mem_total", memory.total_kib, "KiB");
        print_result("mem_free_start", memory.free_kib, "KiB");
        while (settings.region_mib > 1 && settings.region_mib << 10 > memory.free_kib / 2)
            settings.region_mib /= 2;
    }
    if (call0(SYS_getpid) == 1)
        print_memory_information();
    print_result("region_mb", settings.region_mib, "MiB");
    if (settings.only == NULL || has_part(settings.only, "mem_"))
        measure_memory_use(); // first: later the kernel may have kept memory for such things
    measure_all(memory_benchmarks, memory_benchmark_count, memory.free_kib);
    measure_all(process_benchmarks, process_benchmark_count, memory.free_kib);
    if (memory.total_kib != 0)
        print_result("mem_free_end", memory_now().free_kib, "KiB");
    print_result("end_tsc", (uint64_t)now(), "insn");
    print_text("BENCH-END\n");
    print_flush();
}

void bench_main(const uint32_t *stack, ticks_t start);

__attribute__((used)) void bench_main(const uint32_t *stack, ticks_t start)
{
    uint32_t count = stack[0];
    const char *const *arguments = (const char *const *)(stack + 1);
    if (count > 1 && arguments[1][0] == 'x' && arguments[1][1] == '\0')
        exit_with(0); // started to measure execve
    read_arguments(count, arguments);
    read_auxiliary_vector(stack + 1 + count + 1);
    open_console();
    measure_everything(start);
    if (call0(SYS_getpid) == 1)
        switch_off();
    exit_with(0);
}

/* The clock is read by the very first instruction of the program. */
__asm__(".globl _start\n"
        "_start:\n\t"
        "rdtsc\n\t"
        "movl %esp, %ecx\n\t"
        "xorl %ebp, %ebp\n\t"
        "andl $-16, %esp\n\t"
        "subl $4, %esp\n\t" // the arguments are 16-aligned
        "pushl %edx\n\t"
        "pushl %eax\n\t"
        "pushl %ecx\n\t"
        "call bench_main\n\t"
        "hlt");
