#include "kernel/debug/bench/internal.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/platform.h"

/*
 * Brings memory into a state in which a machine is after long work: runs of all sizes, given out
 * and taken back at random, and objects of all sizes in the heap. The same sequence every time.
 *
 * Of a machine with more memory than POOL_MAX, the rest is taken in large runs first: what is
 * measured does not depend on how much there is.
 */
#define POOL_MAX    65536u /* frames */
#define POOL_STEP   256u
#define LOW_FRAMES  512u
#define OBJECTS     2048u
#define CHURNS      3u
#define ORDER_MAX   9u
#define OBJECT_MAX  8192u
#define LARGE_PAGES 512u
#define HEAP_SHARE  16u /* of the pool, objects may fill one part in so many */
#define TAG         BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)
#define BLOCK_TAG   BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_USER)

struct piece {
    frame_t first;
    uint32_t frames;
};

struct bench_storage bench_storage;

static frame_t storage_first;
static uint32_t storage_frames;
static struct piece *pieces;
static uint32_t piece_count, piece_limit;
static uint32_t ballast_count; /* the first pieces, which stay */
static void **objects;
static uint32_t object_bytes_limit;
static uint32_t pool_frames; /* free when nothing is worked out */
static uint32_t random_state;

uint32_t bench_free_frames(void)
{
    struct pageframe_statistics statistics;
    pageframe_read_statistics(&statistics);
    return statistics.free_frames;
}

uint32_t bench_random(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return (uint32_t)((uint64_t)random_state * limit >> 32);
}

void bench_shuffle(uint32_t *words, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = bench_random(i), kept = words[i - 1];
        words[i - 1] = words[other];
        words[other] = kept;
    }
}

static void must(int error)
{
    if (error != 0)
        platform_panic(__FILE__, __LINE__, "the workout cannot give back what it has: %d", error);
}

/* ---- frames ---- */

static bool piece_take(uint32_t frames, unsigned where)
{
    if (piece_count == piece_limit)
        return false;
    frame_t first = frames == 1 ? pageframe_alloc(where, TAG)
                                : pageframe_alloc_run(frames, 1, FRAME_NONE, where, TAG);
    if (first == FRAME_NONE)
        return false;
    pieces[piece_count++] = (struct piece){first, frames};
    return true;
}

static void piece_drop(uint32_t at)
{
    must(pageframe_free_run(pieces[at].first, pieces[at].frames));
    pieces[at] = pieces[--piece_count];
}

/* Order o with probability 2^-(o+1). */
static uint32_t random_frames(void)
{
    unsigned order = (unsigned)__builtin_ctz(bench_random(UINT32_MAX) | 1u << ORDER_MAX);
    return 1u << order;
}

/* Allocates until no more than `free` frames are; a run that cannot be had is tried as a frame. */
static void fill_to(uint32_t free)
{
    for (uint32_t left = piece_limit; left > 0 && bench_free_frames() > free; left--) {
        uint32_t frames = random_frames(), spare = bench_free_frames() - free;
        if (!piece_take(frames < spare ? frames : spare, PAGEFRAME_ANYWHERE) &&
            !piece_take(1, PAGEFRAME_ANYWHERE))
            return;
    }
}

static void empty_to(uint32_t free)
{
    while (piece_count > ballast_count && bench_free_frames() < free)
        piece_drop(ballast_count + bench_random(piece_count - ballast_count));
}

void bench_workout_exchange(uint32_t count)
{
    uint32_t held = piece_count - ballast_count, found = 0;
    uint32_t *where = bench_storage.scratch;
    for (uint32_t tries = 4 * count; tries > 0 && found < count && held != 0; tries--) {
        uint32_t at = ballast_count + bench_random(held);
        struct bench_call call = {.function = BENCH_FUNCTION(pageframe_free),
                                  .arguments = {pieces[at].first}};
        if (pieces[at].frames != 1 || pieces[at].first == FRAME_NONE)
            continue;
        must((int)bench_measure(BENCH_FRAME_FREE, &call));
        pieces[at].first = FRAME_NONE;
        where[found++] = at;
    }
    while (found > 0) {
        struct bench_call call = {.function = BENCH_FUNCTION(pageframe_alloc),
                                  .arguments = {PAGEFRAME_ANYWHERE, TAG}};
        pieces[where[--found]].first = bench_measure(BENCH_FRAME_ALLOC, &call);
        must(call.result == FRAME_NONE ? -1 : 0);
    }
}

/* ---- objects ---- */

/* Most are small, a few have pages of their own. */
static size_t random_size(void)
{
    uint32_t kind = bench_random(10);
    return 1 + bench_random(kind < 7 ? 256 : kind < 9 ? 2048 : OBJECT_MAX);
}

static void churn_objects(void)
{
    struct heap_statistics heap;
    for (uint32_t i = 0; i < 2 * OBJECTS; i++) {
        uint32_t at = bench_random(OBJECTS);
        kfree(objects[at]);
        objects[at] = NULL;
        heap_read_statistics(&heap);
        if (heap.live_bytes < object_bytes_limit)
            objects[at] = kmalloc(random_size());
    }
}

/* ---- all together ---- */

static uint32_t low_frames(void)
{
    struct pageframe_statistics statistics;
    pageframe_read_statistics(&statistics);
    return statistics.zone_free_frames[PAGEFRAME_BELOW_16M];
}

/* Of the frames below 16 MiB, LOW_FRAMES stay, and the pool becomes a multiple of POOL_STEP: how
 * large the kernel is today, and where its archive lies, shall not change the sequence. */
static void take_ballast(void)
{
    while (bench_free_frames() > POOL_MAX + PAGEFRAME_RUN_MAX &&
           piece_take(PAGEFRAME_RUN_MAX, PAGEFRAME_ANYWHERE))
        ;
    while (low_frames() > LOW_FRAMES + POOL_STEP && piece_take(1, PAGEFRAME_BELOW_16M))
        ;
    for (uint32_t more = bench_free_frames() % POOL_STEP; more > 0; more--)
        if (!piece_take(1, PAGEFRAME_BELOW_16M))
            break;
    ballast_count = piece_count;
}

bool bench_workout_begin(void)
{
    uint32_t frames = bench_free_frames();
    uint32_t bytes;
    piece_limit = (frames < 2 * POOL_MAX ? frames / POOL_STEP * POOL_STEP : 2 * POOL_MAX) +
                  frames / PAGEFRAME_RUN_MAX + POOL_STEP;
    bytes = piece_limit * sizeof(*pieces) + BENCH_SCRATCH * sizeof(uint32_t) +
            OBJECTS * sizeof(*objects);
    storage_frames = (bytes + FRAME_SIZE - 1) / FRAME_SIZE;
    storage_first = pageframe_alloc_run(storage_frames, 1, FRAME_NONE, PAGEFRAME_DIRECT, TAG);
    if (storage_first == FRAME_NONE) {
        monitor_print("bench: no %u frames in a row to keep lists in\n", storage_frames);
        return false;
    }
    bench_storage.scratch = platform_frame_pointer(storage_first);
    objects = (void **)(bench_storage.scratch + BENCH_SCRATCH);
    pieces = (struct piece *)(objects + OBJECTS);
    memset(objects, 0, OBJECTS * sizeof(*objects));
    bench_storage.block =
        pageframe_alloc_run(LARGE_PAGES, LARGE_PAGES, FRAME_NONE, PAGEFRAME_ANYWHERE, BLOCK_TAG);
    piece_count = ballast_count = 0;
    random_state = 0x32725432;
    take_ballast();
    pool_frames = bench_free_frames();
    object_bytes_limit = pool_frames / HEAP_SHARE * FRAME_SIZE;
    return true;
}

void bench_workout(unsigned percent)
{
    uint32_t free = pool_frames / 100 * (100 - percent);
    for (unsigned churn = 0; churn < CHURNS; churn++) {
        churn_objects();
        fill_to(pool_frames / 20);
        empty_to(pool_frames / 2);
    }
    fill_to(free);
    empty_to(free);
    monitor_print("\nbench: after a random workout, %u of %u frames are free\n",
                  bench_free_frames(), pool_frames);
}

void bench_workout_end(void)
{
    for (uint32_t i = 0; i < OBJECTS; i++)
        kfree(objects[i]);
    while (piece_count > 0)
        piece_drop(piece_count - 1);
    if (bench_storage.block != FRAME_NONE)
        must(pageframe_free_run(bench_storage.block, LARGE_PAGES));
    must(pageframe_free_run(storage_first, storage_frames));
    heap_trim();
}
