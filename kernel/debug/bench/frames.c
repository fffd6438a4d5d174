#include "kernel/debug/bench/internal.h"
#include "kernel/include/panic.h"
#include "kernel/memory/pageframe/pageframe.h"

/* Single frames and runs. */

#define TAG           BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)
#define BURSTS        4u
#define BURST_MAX     2048u
#define EXCHANGES     8u
#define ZEROED_ASKED  128u
#define HOLDS         128u
#define ZEROINGS      4u
#define RUNS_MEASURED 512u
#define RUNS_LIVE     6u

static frame_t take(enum bench_line line, uint32_t function, unsigned where)
{
    struct bench_call call = {function, .arguments = {where, TAG}};
    return bench_measure(line, &call);
}

static void give(enum bench_line line, frame_t first, uint32_t frames)
{
    struct bench_call call = {.function = BENCH_FUNCTION(pageframe_free),
                              .arguments = {first, frames}};
    if (line != BENCH_FRAME_FREE)
        call.function = BENCH_FUNCTION(pageframe_free_run);
    if (bench_measure(line, &call) != 0)
        panic("bench: frame 0x%x does not go back", first);
}

/* As many as are there, but no more than `most`, and back in random order. */
static void burst(enum bench_line line, unsigned where, uint32_t most)
{
    uint32_t count = 0, *frames = bench_storage.scratch;
    while (count < most) {
        frame_t frame = take(line, BENCH_FUNCTION(pageframe_alloc), where);
        if (frame == FRAME_NONE)
            break;
        frames[count++] = frame;
    }
    bench_shuffle(frames, count);
    while (count > 0)
        give(BENCH_FRAME_FREE, frames[--count], 1);
}

static uint32_t burst_length(void)
{
    uint32_t most = bench_free_frames() / 2;
    return 1 + bench_random(most < BURST_MAX ? most : BURST_MAX);
}

/* As many are zeroed ahead as may be; then twice as many are asked for. */
static void zeroed(void)
{
    uint32_t count, *frames = bench_storage.scratch;
    for (bool more = true; more;) {
        struct bench_call call = {.function = BENCH_FUNCTION(pageframe_zero_one)};
        more = (bool)bench_measure(BENCH_FRAME_ZERO_ONE, &call);
    }
    for (count = 0; count < ZEROED_ASKED; count++) {
        enum bench_line line = bytemap_count(BYTEMAP_ZEROED) != 0 ? BENCH_FRAME_ALLOC_ZEROED
                                                                  : BENCH_FRAME_ALLOC_CLEARED;
        frames[count] = take(line, BENCH_FUNCTION(pageframe_alloc_zeroed), PAGEFRAME_DIRECT);
        if (frames[count] == FRAME_NONE)
            break;
    }
    while (count > 0)
        give(BENCH_FRAME_FREE, frames[--count], 1);
}

static void must_be(enum bench_line line, uint32_t function, frame_t frame, uint32_t expected)
{
    struct bench_call call = {.function = function, .arguments = {frame}};
    if (bench_measure(line, &call) != expected)
        panic("bench: frame 0x%x cannot be shared or locked", frame);
}

/* What is done to a frame that somebody has. */
static void hold(void)
{
    frame_t frame = pageframe_alloc(PAGEFRAME_ANYWHERE, TAG);
    for (unsigned i = 0; i < HOLDS && frame != FRAME_NONE; i++) {
        must_be(BENCH_FRAME_REFERENCE, BENCH_FUNCTION(pageframe_reference), frame, 0);
        must_be(BENCH_FRAME_LOCK, BENCH_FUNCTION(pageframe_lock), frame, 0);
        must_be(BENCH_FRAME_UNLOCK, BENCH_FUNCTION(pageframe_unlock), frame, 0);
        must_be(BENCH_FRAME_RELEASE, BENCH_FUNCTION(pageframe_release), frame, 1);
    }
    if (frame != FRAME_NONE)
        give(BENCH_FRAME_FREE, frame, 1);
}

static void read_statistics(void)
{
    struct pageframe_statistics statistics;
    struct bench_call call = {.function = BENCH_FUNCTION(pageframe_read_statistics),
                              .arguments = {(uint32_t)(uintptr_t)&statistics}};
    for (unsigned i = 0; i < HOLDS; i++)
        bench_measure(BENCH_FRAME_STATISTICS, &call);
}

void bench_frames(void)
{
    for (unsigned i = 0; i < BURSTS; i++) {
        burst(BENCH_FRAME_ALLOC, PAGEFRAME_ANYWHERE, burst_length());
        burst(BENCH_FRAME_ALLOC_DIRECT, PAGEFRAME_DIRECT, burst_length());
        burst(BENCH_FRAME_ALLOC_16M, PAGEFRAME_BELOW_16M, burst_length());
    }
    for (unsigned i = 0; i < EXCHANGES; i++)
        bench_workout_exchange(1 + bench_random(1024));
    for (unsigned i = 0; i < ZEROINGS; i++)
        zeroed();
    hold();
    read_statistics();
}

static const struct {
    uint32_t frames;
    enum bench_line alloc, free;
} sizes[] = {
    {2, BENCH_RUN_ALLOC_2, BENCH_RUN_FREE_2},
    {8, BENCH_RUN_ALLOC_8, BENCH_RUN_FREE_8},
    {64, BENCH_RUN_ALLOC_64, BENCH_RUN_FREE_64},
    {512, BENCH_RUN_ALLOC_512, BENCH_RUN_FREE_512},
};

/* A run, or a failure, which is a line of its own. */
static frame_t take_run(unsigned size)
{
    struct bench_call call = {
        .function = BENCH_FUNCTION(pageframe_alloc_run),
        .arguments = {sizes[size].frames, 1, FRAME_NONE, PAGEFRAME_ANYWHERE, TAG}};
    bench_make(&call);
    bench_record(call.result == FRAME_NONE ? BENCH_RUN_NONE : sizes[size].alloc, &call);
    return call.result;
}

static void measure_runs(unsigned size)
{
    frame_t live[RUNS_LIVE];
    for (unsigned i = 0; i < RUNS_LIVE; i++)
        live[i] = FRAME_NONE;
    for (uint32_t i = 0; i < RUNS_MEASURED + RUNS_LIVE; i++) {
        frame_t *slot = &live[i < RUNS_MEASURED ? bench_random(RUNS_LIVE) : i - RUNS_MEASURED];
        if (*slot != FRAME_NONE)
            give(sizes[size].free, *slot, sizes[size].frames);
        *slot = i < RUNS_MEASURED ? take_run(size) : FRAME_NONE;
    }
}

void bench_runs(void)
{
    for (unsigned size = 0; size < ARRAY_COUNT(sizes); size++)
        measure_runs(size);
}
