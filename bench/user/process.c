#include "bench/user/bench.h"

/* What processes take: made, ended, replaced by a program, handed to and fro. */

static inline ticks_t fork_and_wait(uint32_t operations)
{
    while (operations-- > 0) {
        uint32_t child = call0(SYS_fork);
        REQUIRE(child);
        if (child == 0)
            exit_with(0);
        if (!has_ended_well(child))
            return -ECHILD;
    }
    return 0;
}

static ticks_t fork_small(uint32_t operations)
{
    ticks_t start = now();
    REQUIRE((uint32_t)fork_and_wait(operations));
    return now() - start;
}

#define RESIDENT_BYTES (16u << 20)

static ticks_t fork_resident(uint32_t operations)
{
    uint32_t area = map_small_pages(RESIDENT_BYTES);
    REQUIRE(area);
    write_pages(area, RESIDENT_BYTES / PAGE);
    ticks_t start = now();
    ticks_t result = fork_and_wait(operations);
    ticks_t took = now() - start;
    unmap(area, RESIDENT_BYTES);
    return result < 0 ? result : took;
}

/* The program itself is the one that is started: with this argument it ends at once. */
static const char *const *child_arguments(void)
{
    static const char *arguments[3];
    arguments[0] = settings.path;
    arguments[1] = "x";
    return arguments;
}

static const char *const no_environment[1];

static ticks_t fork_and_execute(uint32_t operations)
{
    const char *const *arguments = child_arguments();
    ticks_t start = now();
    while (operations-- > 0) {
        uint32_t child = call0(SYS_fork);
        REQUIRE(child);
        if (child == 0) {
            call3(SYS_execve, word(settings.path), word(arguments), word(no_environment));
            exit_with(1);
        }
        if (!has_ended_well(child))
            return -ENOENT;
    }
    return now() - start;
}

/* The child of vfork uses its parent's stack, so it is all in one piece of assembly: execve, or
 * exit. */
static inline uint32_t vfork_and_execute_once(const char *const *arguments)
{
    uint32_t result;
    __asm__ volatile("int $0x80\n\t"
                     "testl %%eax, %%eax\n\t"
                     "jnz 1f\n\t"
                     "movl %[execve], %%eax\n\t"
                     "int $0x80\n\t"
                     "movl %[exit], %%eax\n\t"
                     "int $0x80\n"
                     "1:"
                     : "=a"(result)
                     : "0"(SYS_vfork), "b"(settings.path), "c"(arguments),
                       "d"(no_environment), [execve] "i"(SYS_execve), [exit] "i"(SYS_exit)
                     : "memory", "cc");
    return result;
}

static ticks_t vfork_and_execute(uint32_t operations)
{
    const char *const *arguments = child_arguments();
    ticks_t start = now();
    while (operations-- > 0) {
        uint32_t child = vfork_and_execute_once(arguments);
        REQUIRE(child);
        if (!has_ended_well(child))
            return -ENOENT;
    }
    return now() - start;
}

static void __attribute__((noreturn)) echo(uint32_t from, uint32_t to, uint32_t times)
{
    char byte;
    while (times-- > 0) {
        call3(SYS_read, from, word(&byte), 1);
        call3(SYS_write, to, word(&byte), 1);
    }
    exit_with(0);
}

/* A byte to the child and back. */
static ticks_t pipe_round_trip(uint32_t operations)
{
    uint32_t there[2], back[2];
    char byte = 0;
    REQUIRE(call1(SYS_pipe, word(there)));
    REQUIRE(call1(SYS_pipe, word(back)));
    uint32_t child = call0(SYS_fork);
    REQUIRE(child);
    if (child == 0)
        echo(there[0], back[1], operations + 1);
    call3(SYS_write, there[1], word(&byte), 1); // once to warm up
    call3(SYS_read, back[0], word(&byte), 1);
    ticks_t start = now();
    for (uint32_t i = 0; i < operations; i++) {
        call3(SYS_write, there[1], word(&byte), 1);
        if (call3(SYS_read, back[0], word(&byte), 1) != 1)
            return -EIO;
    }
    ticks_t took = now() - start;
    has_ended_well(child);
    for (unsigned i = 0; i < 2; i++) {
        call1(SYS_close, there[i]);
        call1(SYS_close, back[i]);
    }
    return took;
}

static ticks_t yield_alone(uint32_t operations)
{
    ticks_t start = now();
    while (operations-- > 0)
        call0(SYS_sched_yield);
    return now() - start;
}

/* What two processes that yield to each other share. */
struct rally {
    uint32_t count; // the child's yields
    uint32_t is_over;
};

#define WARM_UP 100

static void set_policy(uint32_t policy, uint32_t priority)
{
    call3(SYS_sched_setscheduler, 0, policy, word(&priority));
}

/*
 * Two processes that do nothing but yield. The child counts, so that the cost is for each time that
 * it really took over: there and back are two switches. A kernel without shared memory is believed
 * to alternate. A fair scheduler may ignore a yield, so both ask for a fixed priority first; who
 * does not know that call keeps its own.
 */
static ticks_t yield_to_and_fro(uint32_t operations)
{
    static struct rally alone;
    uint32_t area = map_anonymous(PAGE, MAP_SHARED);
    volatile struct rally *rally = is_error(area) ? &alone : (volatile struct rally *)area;
    rally->count = rally->is_over = 0;
    set_policy(SCHED_FIFO, 1);
    uint32_t child = call0(SYS_fork);
    REQUIRE(child);
    if (child == 0) {
        while (!rally->is_over && (rally != &alone || rally->count < operations + 2 * WARM_UP)) {
            rally->count++;
            call0(SYS_sched_yield);
        }
        exit_with(0);
    }
    for (unsigned i = 0; i < WARM_UP; i++)
        call0(SYS_sched_yield);
    uint32_t before = rally->count;
    ticks_t start = now();
    for (uint32_t i = 0; i < operations; i++)
        call0(SYS_sched_yield);
    ticks_t took = now() - start;
    uint32_t turns = rally == &alone ? operations : rally->count - before;
    rally->is_over = 1;
    has_ended_well(child);
    set_policy(SCHED_OTHER, 0);
    if (rally != &alone)
        unmap(area, PAGE);
    if (turns < operations / 2)
        return -EAGAIN;               // hardly any switch took place
    return took * operations / turns; // the caller divides by operations
}

const struct benchmark process_benchmarks[] = {
    {"fork_exit_wait_0m", fork_small, 50, 512},
    {"fork_exit_wait_16m", fork_resident, 10, 17 << 10},
    {"fork_exec_exit_wait", fork_and_execute, 50, 512},
    {"vfork_exec_exit_wait", vfork_and_execute, 50, 512},
    {"pipe_pingpong_roundtrip", pipe_round_trip, 500, 0},
    {"sched_yield_alone", yield_alone, 1000, 0},
    {"sched_yield_2proc_pair", yield_to_and_fro, 1000, 0},
};
const uint32_t process_benchmark_count = sizeof process_benchmarks / sizeof process_benchmarks[0];
