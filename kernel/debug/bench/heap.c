#include "kernel/memory/heap/heap.h"
#include "kernel/debug/bench/internal.h"
#include "kernel/memory/pageframe/pageframe.h"

/*
 * kmalloc and kfree. A call that commits pages or gives some back is another line than one that
 * does not: the frame allocator's own counts of frames that went out and came back say which.
 */
#define ROUNDS       12u
#define BURST        512u /* objects of a usual burst */
#define LARGE_BYTES  0x10000u
#define LARGE_LIVE   6u
#define LARGE_ROUNDS 512u
#define LARGE_BURST  8u
#define READINGS     128u
#define LARGE_BURSTS 64u

static const struct {
    uint32_t bytes;
    enum bench_line alloc, free;
} sizes[] = {
    {16, BENCH_KMALLOC_16, BENCH_KFREE_16},
    {64, BENCH_KMALLOC_64, BENCH_KFREE_64},
    {256, BENCH_KMALLOC_256, BENCH_KFREE_256},
    {2048, BENCH_KMALLOC_2048, BENCH_KFREE_2048},
};

/* The lines of a call that moves no frame, one, or more; the last is the cost for each of them. */
struct lines {
    enum bench_line none, one, each;
};

static uint64_t frames_moved(void)
{
    struct pageframe_statistics statistics;
    pageframe_read_statistics(&statistics);
    return statistics.allocations + statistics.frees;
}

static uint32_t measure(const struct lines *lines, struct bench_call *call)
{
    uint64_t before = frames_moved();
    bench_make(call);
    uint64_t moved = frames_moved() - before;
    if (moved > 1)
        call->cost = (call->cost + moved - 1) / moved;
    bench_record(moved == 0 ? lines->none : moved == 1 ? lines->one : lines->each, call);
    return call->result;
}

static uint32_t take(enum bench_line line, uint32_t bytes)
{
    struct bench_call call = {.function = BENCH_FUNCTION(kmalloc), .arguments = {bytes}};
    struct lines lines = {line, BENCH_KMALLOC_COMMIT, BENCH_KMALLOC_COMMIT_EACH};
    if (line == BENCH_KMALLOC_64K)
        lines.one = lines.each = BENCH_KMALLOC_64K_COMMIT_EACH;
    return measure(&lines, &call);
}

static void give(enum bench_line line, uint32_t object)
{
    struct bench_call call = {.function = BENCH_FUNCTION(kfree), .arguments = {object}};
    struct lines lines = {line, BENCH_KFREE_GIVE_BACK, BENCH_KFREE_GIVE_BACK_EACH};
    if (line == BENCH_KFREE_64K)
        lines.one = lines.each = BENCH_KFREE_64K_GIVE_BACK_EACH;
    measure(&lines, &call);
}

/* Objects of one size, and back in random order. */
static void burst(unsigned size, uint32_t count)
{
    uint32_t *objects = bench_storage.scratch, have = 0;
    uint32_t room = bench_free_frames() / 2 * FRAME_SIZE / sizes[size].bytes;
    count = count < room ? count : room;
    while (have < count && (objects[have] = take(sizes[size].alloc, sizes[size].bytes)) != 0)
        have++;
    bench_shuffle(objects, have);
    while (have > 0)
        give(sizes[size].free, objects[--have]);
}

static void measure_small(unsigned size)
{
    for (unsigned round = 0; round < ROUNDS; round++)
        burst(size, 1 + bench_random(BURST));
    burst(size, bench_way == BENCH_STEP ? BENCH_SCRATCH / 8 : BENCH_SCRATCH);
    heap_trim(); /* the next burst commits what it needs */
    burst(size, BURST);
    burst(size, BURST);
}

static void measure_large(void)
{
    uint32_t live[LARGE_LIVE] = {0};
    for (uint32_t i = 0; i < LARGE_ROUNDS + LARGE_LIVE; i++) {
        uint32_t *slot = &live[i < LARGE_ROUNDS ? bench_random(LARGE_LIVE) : i - LARGE_ROUNDS];
        if (*slot != 0)
            give(BENCH_KFREE_64K, *slot);
        *slot = i < LARGE_ROUNDS ? take(BENCH_KMALLOC_64K, LARGE_BYTES) : 0;
    }
}

/* More than the heap keeps pages for: some are committed, and given back, in every round. */
static void measure_large_bursts(void)
{
    uint32_t objects[LARGE_BURST];
    for (unsigned round = 0; round < LARGE_BURSTS; round++) {
        unsigned have = 0;
        while (have < LARGE_BURST && (objects[have] = take(BENCH_KMALLOC_64K, LARGE_BYTES)) != 0)
            have++;
        bench_shuffle(objects, have);
        while (have > 0)
            give(BENCH_KFREE_64K, objects[--have]);
    }
}

static void read_statistics(void)
{
    struct heap_statistics statistics;
    struct bench_call call = {.function = BENCH_FUNCTION(heap_read_statistics),
                              .arguments = {(uint32_t)(uintptr_t)&statistics}};
    for (unsigned i = 0; i < READINGS; i++)
        bench_measure(BENCH_HEAP_STATISTICS, &call);
}

void bench_heap(void)
{
    for (unsigned size = 0; size < ARRAY_COUNT(sizes); size++)
        measure_small(size);
    measure_large();
    measure_large_bursts();
    read_statistics();
}
