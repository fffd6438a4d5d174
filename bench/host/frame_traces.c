#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/host/allocator.h"
#include "bench/host/machine.h"
#include "bench/host/random.h"

#ifdef METER
#include "bench/host/meter.h"
#endif

#define ORDERS 10u

uint32_t random_state = 7;

static const struct frame_allocator *frame_allocator;
static uint32_t wanted_operations;

static struct block {
    int first;
    unsigned order;
} blocks[FRAME_COUNT];
static uint32_t block_count, used_frames;
static uint32_t operations, failures;
static double start_time;

#ifdef METER
/* The most that a call for a block of each order took. */
static struct {
    uint32_t alloc, free;
} worst[ORDERS];

static void note_worst(uint32_t *worst_count, uint32_t count)
{
    if (count > *worst_count)
        *worst_count = count;
}

static void print_worst(void)
{
    for (unsigned order = 0; order < ORDERS; order++)
        if (worst[order].alloc != 0)
            printf("run\t%u\t%u\t%u\n", 1u << order, worst[order].alloc, worst[order].free);
}
#endif

static int obtain(unsigned order)
{
#ifdef METER
    uint32_t before = instruction_count;
    int first = meter_frame_alloc(frame_allocator, order);
    note_worst(&worst[order].alloc, instruction_count - before);
    return first;
#else
    return frame_allocator->alloc(order);
#endif
}

static void give_back(int first, unsigned order)
{
#ifdef METER
    uint32_t before = instruction_count;
    meter_frame_free(frame_allocator, first, order);
    note_worst(&worst[order].free, instruction_count - before);
#else
    frame_allocator->free(first, order);
#endif
}

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void measure_from_here(void)
{
#ifdef METER
    meter.is_measuring = true;
#endif
    operations = failures = 0;
    start_time = now_ns();
}

static void report(const char *trace)
{
#ifdef METER
    meter_print(trace);
#else
    printf("time\t%s\t%.3f\t%u\t%u\n", trace, (now_ns() - start_time) / operations, operations,
           failures);
#endif
}

static uint32_t operations_or(uint32_t usual)
{
    return wanted_operations != 0 ? wanted_operations : usual;
}

/* Which frames are out, to catch an allocator that gives one out twice; not while time is measured.
 */
static unsigned char is_out[FRAME_COUNT];

static void mark(const struct block *block, unsigned char state)
{
#ifdef METER
    for (unsigned i = 0; i < 1u << block->order; i++) {
        unsigned frame = (unsigned)block->first + i;
        if (frame >= FRAME_COUNT || is_out[frame] == state)
            fail("%s: frame %u was given out twice, or is none", frame_allocator->name, frame);
        is_out[frame] = state;
    }
#else
    (void)block;
    (void)state;
#endif
}

static bool add_block(unsigned order)
{
    struct block *block = &blocks[block_count];
    *block = (struct block){obtain(order), order};
    operations++;
    if (block->first < 0) {
        failures++;
        return false;
    }
    mark(block, 1);
    block_count++;
    used_frames += 1u << order;
    return true;
}

static void free_block(uint32_t index)
{
    struct block *block = &blocks[index];
    mark(block, 0);
    used_frames -= 1u << block->order;
    give_back(block->first, block->order);
    *block = blocks[--block_count];
    operations++;
}

/* All frames, then random ones freed until so many are used. */
static void fill(uint32_t percent)
{
    while (block_count < FRAME_COUNT && add_block(0))
        ;
    while (block_count > (uint64_t)FRAME_COUNT * percent / 100)
        free_block(random_below(block_count));
}

static void run_p1(void)
{
    uint32_t wanted = operations_or(4000000);
    for (unsigned i = 0; i < 1000; i++)
        give_back(obtain(0), 0);
    measure_from_here();
    for (; operations < wanted; operations += 2)
        give_back(obtain(0), 0);
    report("P1");
}

/* Random frees, then as many allocations. */
static void run_p2(const char *name, uint32_t percent)
{
    uint32_t wanted = operations_or(2000000);
    fill(percent);
    measure_from_here();
    while (operations < wanted) {
        uint32_t burst = 1 + random_below(1024);
        for (uint32_t i = 0; i < burst; i++)
            free_block(random_below(block_count));
        for (uint32_t i = 0; i < burst && add_block(0); i++)
            ;
    }
    report(name);
}

static void run_p2c(void)
{
    run_p2("P2c", 50);
}

static void run_p2d(void)
{
    run_p2("P2d", 93);
}

/* Order o with probability 2^-(o+1). */
static unsigned random_order(void)
{
    uint32_t bits = random_next();
    unsigned order = bits != 0 ? (unsigned)__builtin_clz(bits) : ORDERS;
    return order < ORDERS ? order : ORDERS - 1;
}

/* Swings between half and nine tenths full; measured from the first time it is at nine tenths. */
static void run_p3(void)
{
    uint32_t wanted = operations_or(2000000);
    bool grows = true, is_warm = false;
    while (operations < wanted) {
        if (used_frames < FRAME_COUNT * 0.5)
            grows = true;
        else if (used_frames > FRAME_COUNT * 0.9) {
            grows = false;
            if (!is_warm)
                measure_from_here();
            is_warm = true;
        }
        if (random_below(100) < (grows ? 65u : 35u)) {
            if (!add_block(random_order()))
                grows = false;
        } else if (block_count != 0) {
            free_block(random_below(block_count));
        }
    }
    report("P3");
}

/* Three allocations to one free until the first failure: how full it is then. */
static double fill_until_failure(uint32_t seed)
{
    random_state = seed;
    block_count = used_frames = 0;
    memset(is_out, 0, sizeof(is_out));
    frame_allocator->start();
    while (add_block(random_order()))
        if (random_next() % 3 == 0)
            free_block(random_below(block_count));
    return (double)used_frames / FRAME_COUNT;
}

/* The same of an allocator that always finds what is there: the first wish that it cannot meet is
 * for more frames than are free. What is wished for depends on no allocator. */
static double fill_until_full(uint32_t seed)
{
    random_state = seed;
    block_count = used_frames = 0;
    for (;;) {
        unsigned order = random_order();
        if (used_frames + (1u << order) > FRAME_COUNT - 1) /* frame 0 is none */
            return (double)used_frames / FRAME_COUNT;
        blocks[block_count++].order = order;
        used_frames += 1u << order;
        if (random_next() % 3 == 0) {
            uint32_t index = random_below(block_count);
            used_frames -= 1u << blocks[index].order;
            blocks[index] = blocks[--block_count];
        }
    }
}

static void run_p5(void)
{
    double least = 1, possible = 1;
    for (unsigned i = 0; i < 5; i++) {
        double used = fill_until_failure(100 + i * 77), full = fill_until_full(100 + i * 77);
        if (used < least)
            least = used;
        if (full < possible)
            possible = full;
    }
    printf("fill\tP5\t%.4f\t%.4f\n", least, possible);
#ifdef METER
    meter_print("P5");
#endif
}

static const struct {
    const char *name;
    void (*run)(void);
    unsigned highest_order;
} traces[] = {
    {"P1", run_p1, 0}, {"P2c", run_p2c, 0}, {"P2d", run_p2d, 0},
    {"P3", run_p3, 9}, {"P5", run_p5, 9},
};

static const struct frame_allocator *allocator_named(const char *name)
{
    static const struct frame_allocator *const all[] = {&frame_ours, &frame_stack, &frame_buddy,
                                                        &frame_buddy_cached};
    for (unsigned i = 0; i < ARRAY_COUNT(all); i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    fail("no such allocator: %s", name);
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4)
        fail("usage: %s ours|stack|buddy|buddy-cached TRACE [OPERATIONS]", argv[0]);
    frame_allocator = allocator_named(argv[1]);
    wanted_operations = argc == 4 ? (uint32_t)strtoul(argv[3], NULL, 0) : 0;
    for (unsigned i = 0; i < ARRAY_COUNT(traces); i++) {
        if (strcmp(traces[i].name, argv[2]) != 0)
            continue;
        if (traces[i].highest_order > frame_allocator->highest_order)
            fail("%s has no runs", frame_allocator->name);
        frame_allocator->start();
        traces[i].run();
        if (frame_allocator->check != NULL)
            frame_allocator->check();
#ifdef METER
        print_worst();
#endif
        printf("metadata\t%.2f\n", frame_allocator->metadata_bytes() * 8.0 / FRAME_COUNT);
        return 0;
    }
    fail("no such trace: %s", argv[2]);
}
