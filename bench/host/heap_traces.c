#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/host/heap_traces.h"
#include "bench/host/machine.h"
#include "bench/host/random.h"

#ifdef METER
#include "bench/host/meter.h"
#endif

#define OBJECTS_MAX 262144u
#define MIX_LIVE    (24u << 20) /* bytes that T3 keeps live */
#define T8_POOL     (32u << 20)

uint32_t random_state;
const struct heap_allocator *heap_allocator;

/* How many operations a trace is to measure; 0: as many as targets.md says. */
static uint32_t wanted_operations;

static struct object {
    void *at;
    uint32_t bytes;
} objects[OBJECTS_MAX];
static uint32_t object_count;
static size_t live_bytes, peak_live_bytes;
static uintptr_t highest; /* the end of the highest object ever */

static void *obtain(size_t bytes)
{
#ifdef METER
    return meter_alloc(heap_allocator, bytes);
#else
    return heap_allocator->alloc(bytes);
#endif
}

static void give_back(void *object)
{
#ifdef METER
    meter_free(heap_allocator, object);
#else
    heap_allocator->free(object);
#endif
}

static void *resize(void *object, size_t bytes)
{
#ifdef METER
    return meter_realloc(heap_allocator, object, bytes);
#else
    return heap_allocator->realloc(object, bytes);
#endif
}

static double start_time;
static uint32_t operations;

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* What came before is the trace's beginning; what follows is what it measures. */
static void measure_from_here(void)
{
#ifdef METER
    meter.is_measuring = true;
#endif
    operations = 0;
    start_time = now_ns();
}

static void report(const char *trace)
{
#ifdef METER
    meter_print(trace);
#else
    printf("time\t%s\t%.3f\t%u\n", trace, (now_ns() - start_time) / operations, operations);
#endif
}

static uint32_t operations_or(uint32_t usual)
{
    return wanted_operations != 0 ? wanted_operations : usual;
}

static void *must(void *object)
{
    if (object == NULL)
        fail("%s: out of memory with %zu bytes live", heap_allocator->name, live_bytes);
    return object;
}

/* Objects carry a stamp that is checked when they are freed. */
static void stamp(struct object *object, uint32_t number)
{
    *(uint32_t *)object->at = number ^ 0x5A5A;
}

static void check_stamp(const struct object *object, uint32_t number)
{
    if (*(uint32_t *)object->at != (number ^ 0x5A5A))
        fail("%s: an object at %p was overwritten", heap_allocator->name, object->at);
}

static void touch_pages(void *object, uint32_t bytes)
{
    volatile unsigned char *at = object;
    for (uint32_t i = 0; i < bytes; i += FRAME_SIZE)
        at[i] = 1;
    at[bytes - 1] = 1;
}

static void note_live(const struct object *object)
{
    uintptr_t end = (uintptr_t)object->at + object->bytes;
    live_bytes += object->bytes;
    if (live_bytes > peak_live_bytes)
        peak_live_bytes = live_bytes;
    if (end > highest)
        highest = end;
}

static void start_books(uint32_t seed)
{
    random_state = seed;
    object_count = 0;
    live_bytes = peak_live_bytes = 0;
    highest = 0;
}

static uint32_t small_size(void)
{
    return random_range(8, 512);
}

/* A kernel's mix. */
static uint32_t mixed_size(void)
{
    static const uint16_t common[8] = {16, 32, 48, 64, 96, 128, 192, 256};
    uint32_t kind = random_range(0, 999);
    if (kind < 700)
        return common[random_next() >> 29];
    if (kind < 900)
        return random_range(512, 4096);
    return kind < 990 ? random_range(4096, 65536) : random_range(65536, 524288);
}

/* T1: equal objects, allocated and freed in reverse. */
static void run_t1(const char *name, uint32_t depth, uint32_t usual_operations)
{
    static void *stack[512];
    uint32_t wanted = operations_or(usual_operations);
    measure_from_here();
    while (operations < wanted) {
        for (uint32_t i = 0; i < depth; i++) {
            stack[i] = must(obtain(64));
            *(uint32_t *)stack[i] = i;
        }
        for (uint32_t i = depth; i-- > 0;)
            give_back(stack[i]);
        operations += 2 * depth;
    }
    report(name);
}

static void run_t1a(void)
{
    run_t1("T1a", 1, 4000000);
}

static void run_t1b(void)
{
    run_t1("T1b", 256, 4000000);
}

static void run_t1_counts(void)
{
    run_t1("T1", 64, 2560);
}

static void fill_small(uint32_t count)
{
    for (; object_count < count; object_count++) {
        struct object *object = &objects[object_count];
        object->bytes = small_size();
        object->at = must(obtain(object->bytes));
        stamp(object, object_count);
        note_live(object);
    }
}

static void replace_small(void)
{
    uint32_t index = random_range(0, object_count - 1);
    struct object *object = &objects[index];
    check_stamp(object, index);
    give_back(object->at);
    object->bytes = small_size();
    object->at = must(obtain(object->bytes));
    stamp(object, index);
    operations += 2;
}

/* Before counts are of interest, as many steps of the trace. */
#ifdef METER
static const uint32_t settling_steps = 100000;
#else
static const uint32_t settling_steps = 0;
#endif

/* T2: many small objects, one of them replaced at random. */
static void run_t2(void)
{
    uint32_t wanted = operations_or(2000000);
    start_books(12345);
    fill_small(20000);
    for (uint32_t i = 0; i < settling_steps; i++)
        replace_small();
    measure_from_here();
    while (operations < wanted)
        replace_small();
    report("T2");
}

static void free_object(uint32_t index)
{
    check_stamp(&objects[index], objects[index].bytes);
    live_bytes -= objects[index].bytes;
    give_back(objects[index].at);
    objects[index] = objects[--object_count];
    operations++;
}

/* False: out of memory. */
static bool add_object(uint32_t bytes, bool (*prepare)(struct object *))
{
    struct object *object = &objects[object_count];
    object->bytes = bytes;
    object->at = obtain(bytes);
    operations++;
    if (object->at == NULL)
        return false;
    if (prepare != NULL)
        prepare(object);
    stamp(object, bytes);
    note_live(object);
    object_count++;
    return true;
}

static bool touch_object(struct object *object)
{
    touch_pages(object->at, object->bytes);
    return true;
}

/* One allocation, and before it as many frees as make room for it. */
static bool mix_step(uint32_t bytes, size_t limit, bool (*prepare)(struct object *))
{
    while (live_bytes + bytes > limit)
        free_object(random_range(0, object_count - 1));
    return add_object(bytes, prepare);
}

static void must_mix(bool (*prepare)(struct object *))
{
    if (!mix_step(mixed_size(), MIX_LIVE, prepare))
        must(NULL);
}

/* T3: a kernel's mix. */
static void run_t3(void)
{
    uint32_t wanted = operations_or(1000000);
    start_books(777);
    while (live_bytes < MIX_LIVE - (256u << 10))
        must_mix(NULL);
    for (operations = 0; operations < settling_steps;)
        must_mix(NULL);
    measure_from_here();
    while (operations < wanted)
        must_mix(NULL);
    report("T3");
}

#define VECTORS 2000u

static void grow_vector(void)
{
    uint32_t index = random_range(0, VECTORS - 1);
    struct object *vector = &objects[index];
    uint32_t bytes = vector->bytes + vector->bytes / 2;
    check_stamp(vector, index);
    if (bytes > 65536) {
        bytes = 16;
        give_back(vector->at);
        vector->at = must(obtain(bytes));
    } else {
        vector->at = must(resize(vector->at, bytes));
    }
    vector->bytes = bytes;
    stamp(vector, index);
    operations++;
}

/* T4: vectors that grow by half, and start again. */
static void run_t4(void)
{
    uint32_t wanted = operations_or(400000);
    start_books(4242);
    for (uint32_t i = 0; i < VECTORS; i++) {
        objects[i] = (struct object){must(obtain(16)), 16};
        stamp(&objects[i], i);
    }
    for (operations = 0; operations < wanted / 4;)
        grow_vector();
    measure_from_here();
    while (operations < wanted)
        grow_vector();
    report("T4");
}

static const uint32_t ladder[16] = {16,  24,  40,  56,   72,   104,  136,  200,
                                    264, 392, 520, 1032, 2056, 4104, 8200, 16392};

/* Every second one of 30 MiB of objects is free, and the others are in no order. */
static void make_holes(void)
{
    uint32_t kept = 0;
    while (live_bytes < 30u << 20 && object_count < 60000) {
        uint32_t bytes = ladder[random_next() & 15];
        if (random_next() & 1)
            bytes = ladder[random_next() & 7];
        if (!add_object(bytes, NULL))
            must(NULL);
    }
    for (uint32_t i = 0; i < object_count; i++)
        if (i & 1)
            give_back(objects[i].at);
        else
            objects[kept++] = objects[i];
    object_count = kept;
    for (uint32_t i = object_count - 1; i > 0; i--) {
        uint32_t other = random_range(0, i);
        struct object swapped = objects[i];
        objects[i] = objects[other];
        objects[other] = swapped;
    }
}

/* T5, first part: sizes just above those of the holes. */
static void fill_holes(void)
{
    if ((random_next() & 7) < 4 || object_count < 100) {
        uint32_t bytes = ladder[random_next() & 15] + (random_next() & 15) + 1;
        if ((random_next() & 63) == 0)
            bytes = random_range(65536, 1u << 19);
        add_object(bytes, NULL);
    } else {
        free_object(random_range(0, object_count - 1));
    }
}

/* T5, second part: many frees, one large object, many small ones. */
static void burst(uint32_t length)
{
    void *large;
    for (uint32_t i = 0; i < length && object_count > 100; i++)
        free_object(random_range(0, object_count - 1));
    large = obtain(1500000);
    if (large != NULL)
        give_back(large);
    for (uint32_t i = 0; i < length; i++)
        add_object(random_range(8, 600), NULL);
}

/* T5: a hunt for the worst case of any allocator. */
static void run_t5(void)
{
    uint32_t wanted = operations_or(20000);
    start_books(99);
    make_holes();
    measure_from_here();
    for (uint32_t i = 0; i < wanted / 2; i++)
        fill_holes();
    for (unsigned i = 0; i < 10; i++)
        burst(wanted / 20);
    report("T5");
}

/* A line of /proc/self/status, in KiB. */
static long status_of(const char *key)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long value = -1;
    while (status != NULL && value < 0 && fgets(line, sizeof(line), status) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            value = atol(line + strlen(key) + 1);
    if (status != NULL)
        fclose(status);
    return value;
}

static void report_footprint(const char *trace, long resident_before)
{
    const struct heap_allocator *from = heap_allocator;
    printf("footprint\t%s\t%zu\t%zu\t%zu\t%zu\t%ld\n", trace, peak_live_bytes,
           from->pool_start != 0 ? (size_t)(highest - from->pool_start) : 0,
           from->bookkeeping_bytes != NULL ? from->bookkeeping_bytes() : 0,
           from->peak_bytes != NULL ? from->peak_bytes() : 0,
           (status_of("VmHWM") - resident_before) * 1024);
#ifdef METER
    meter_print(trace);
#endif
}

/* T6: how much memory T3 takes. */
static void run_t6(void)
{
    long resident = status_of("VmRSS");
    start_books(777);
    for (operations = 0; operations < 1000000;)
        must_mix(touch_object);
    report_footprint("T6", resident);
}

/* T6b: how much memory T2 takes, with 60,000 objects. */
static void run_t6b(void)
{
    long resident = status_of("VmRSS");
    start_books(5);
    for (; object_count < 60000;)
        if (!add_object(small_size(), touch_object))
            must(NULL);
    for (uint32_t i = 0; i < 1000000; i++) {
        struct object *object = &objects[random_range(0, object_count - 1)];
        give_back(object->at);
        live_bytes -= object->bytes;
        object->bytes = small_size();
        object->at = must(obtain(object->bytes));
        touch_object(object);
        note_live(object);
    }
    report_footprint("T6b", resident);
}

/* What T8 counts as running out: no more memory, or (WINDOW) objects and bookkeeping that do not
 * fit into as many bytes of address space as the pool has. */
enum pool_limit { POOL_MEMORY, POOL_WINDOW, POOL_LIMITS };

static bool is_within(enum pool_limit limit)
{
    return limit == POOL_MEMORY ||
           highest - heap_allocator->pool_start + heap_allocator->bookkeeping_bytes() <= T8_POOL;
}

/* Whether a pool sustains so many live bytes. */
static bool sustains(uint32_t (*size)(void), size_t limit_bytes, enum pool_limit limit,
                     uint32_t seed)
{
    heap_allocator->start(T8_POOL, 0);
    start_books(seed);
    for (uint32_t i = 0; i < 300000; i++) {
        if (object_count == OBJECTS_MAX - 1)
            fail("T8: too many objects");
        if (!mix_step(size(), limit_bytes, NULL))
            return false;
        if ((i & 63) == 0 && !is_within(limit))
            return false;
    }
    return is_within(limit);
}

#define FILL_STEPS 256u

/* The highest fill, in steps, that one seed sustains. */
static uint32_t highest_fill(uint32_t (*size)(void), enum pool_limit limit, uint32_t seed)
{
    uint32_t good = FILL_STEPS / 4, bad = FILL_STEPS + 1;
    while (bad - good > 1) {
        uint32_t middle = (good + bad) / 2;
        if (sustains(size, (size_t)middle * (T8_POOL / FILL_STEPS), limit, seed))
            good = middle;
        else
            bad = middle;
    }
    return good;
}

static double worst_fill(uint32_t (*size)(void), enum pool_limit limit, unsigned seeds)
{
    uint32_t worst = FILL_STEPS;
    for (unsigned i = 0; i < seeds; i++) {
        uint32_t fill = highest_fill(size, limit, 4321 + 7919 * i);
        if (fill < worst)
            worst = fill;
    }
    return (double)worst / FILL_STEPS;
}

/* T8: how full a pool may be for ever. For allocators that can be started afresh. */
static void run_t8(void)
{
    unsigned seeds = operations_or(5);
    static const char *const names[POOL_LIMITS] = {"memory", "window"};
    for (unsigned limit = 0; limit < POOL_LIMITS; limit++)
        printf("fill\t%s\t%.4f\t%.4f\n", names[limit],
               worst_fill(mixed_size, (enum pool_limit)limit, seeds),
               worst_fill(small_size, (enum pool_limit)limit, seeds));
}

const struct heap_trace heap_traces[] = {
    {"T1", run_t1_counts, 64u << 20, POOL_TOUCHED},
    {"T1a", run_t1a, 64u << 20, POOL_TOUCHED},
    {"T1b", run_t1b, 64u << 20, POOL_TOUCHED},
    {"T2", run_t2, 64u << 20, POOL_TOUCHED},
    {"T3", run_t3, 64u << 20, POOL_TOUCHED},
    {"T4", run_t4, 64u << 20, POOL_TOUCHED},
    {"T5", run_t5, 64u << 20, POOL_TOUCHED},
    {"T6", run_t6, 64u << 20, 0},
    {"T6b", run_t6b, 64u << 20, 0},
    {"T8", run_t8, T8_POOL, 0},
};

static const struct heap_allocator *allocator_named(const char *name)
{
    static const struct heap_allocator *const all[] = {&heap_ours, &heap_system, &heap_nothing};
    for (unsigned i = 0; i < ARRAY_COUNT(all); i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    fail("no such allocator: %s", name);
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4)
        fail("usage: %s ours|system|nothing TRACE [OPERATIONS]", argv[0]);
    heap_allocator = allocator_named(argv[1]);
    wanted_operations = argc == 4 ? (uint32_t)strtoul(argv[3], NULL, 0) : 0;
    for (unsigned i = 0; i < ARRAY_COUNT(heap_traces); i++) {
        const struct heap_trace *trace = &heap_traces[i];
        if (strcmp(trace->name, argv[2]) != 0)
            continue;
        heap_allocator->start(trace->pool_bytes, trace->flags);
        trace->run();
        if (heap_allocator->check != NULL)
            heap_allocator->check();
        return 0;
    }
    fail("no such trace: %s", argv[2]);
}
