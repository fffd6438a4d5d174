#include "tests/unit/heap_machine.h"

/*
 * Random work in lockstep with a naive model: a list of what lives. Every block is stamped at both
 * ends; nothing overlaps, because a stamp would not survive it.
 */
#define BLOCKS_MAX 3000

struct block {
    void *object;
    size_t bytes;
    uint32_t number;
    struct heap_cache *cache;
};

static struct block blocks[BLOCKS_MAX];
static unsigned count;
static uint32_t number;
static size_t live_bytes;
static struct heap_cache *caches[3];
static uint64_t failed;

static size_t random_size(void)
{
    switch (test_random_range(0, 9)) {
    case 0:
        return test_random_range(513, 4096);
    case 1:
        return test_random_range(4097, 70000);
    case 2:
        return test_random_range(0, 20) == 0 ? test_random_range(70000, 600000) : 16;
    default:
        return test_random_range(1, 512);
    }
}

static void enter(void *object, size_t bytes, struct heap_cache *cache)
{
    struct block *block = &blocks[count];
    if (object == NULL) {
        failed++;
        return;
    }
    *block = (struct block){object, bytes, ++number, cache};
    CHECK((uintptr_t)object >= MAP_HEAP_START && (uintptr_t)object + bytes <= MAP_HEAP_END);
    CHECK_EQUAL((uintptr_t)object % HEAP_ALIGNMENT, 0);
    CHECK(ksize(object) >= bytes);
    live_bytes += ksize(object);
    stamp_write(object, bytes, block->number);
    count++;
}

static void remove_block(unsigned index)
{
    struct block *block = &blocks[index];
    CHECK(stamp_is_whole(block->object, block->bytes, block->number));
    live_bytes -= ksize(block->object);
    if (block->cache != NULL)
        heap_cache_free(block->cache, block->object);
    else
        kfree(block->object);
    *block = blocks[--count];
}

static void allocate(void)
{
    size_t bytes = random_size();
    size_t alignment = 1u << test_random_range(0, 16);
    unsigned which = test_random_range(0, 20);
    if (count == BLOCKS_MAX)
        return;
    if (which < 14) {
        enter(kmalloc(bytes), bytes, NULL);
    } else if (which < 16) {
        void *object = kmalloc_aligned(bytes, alignment);
        CHECK_EQUAL((uintptr_t)object % alignment, 0);
        enter(object, bytes, NULL);
    } else if (which < 18) {
        unsigned char *object = kcalloc(bytes / 3 + 1, 3);
        for (size_t i = 0; object != NULL && i < bytes / 3 * 3 + 3; i++)
            CHECK_EQUAL(object[i], 0);
        enter(object, bytes / 3 * 3 + 3, NULL);
    } else {
        static const size_t sizes[] = {24, 100, 1000};
        unsigned cache = which - 18;
        enter(heap_cache_alloc(caches[cache]), sizes[cache], caches[cache]);
    }
}

static void reallocate(unsigned index)
{
    struct block *block = &blocks[index];
    size_t bytes = test_random_range(0, 1) ? random_size() : block->bytes + block->bytes / 2 + 1;
    size_t had = ksize(block->object), common = bytes < block->bytes ? bytes : block->bytes;
    unsigned char head[16], *moved;
    size_t kept = common < sizeof(head) ? common : sizeof(head);
    if (block->cache != NULL)
        return;
    CHECK(stamp_is_whole(block->object, block->bytes, block->number));
    memcpy(head, block->object, kept);
    moved = krealloc(block->object, bytes);
    if (moved == NULL) {
        failed++;
        CHECK(bytes > had);
        CHECK(stamp_is_whole(block->object, block->bytes, block->number));
        return;
    }
    CHECK(bytes > had || moved == block->object);
    CHECK(memcmp(head, moved, kept) == 0);
    live_bytes += ksize(moved) - had;
    block->object = moved;
    block->bytes = bytes;
    stamp_write(moved, bytes, block->number);
}

static void step(unsigned target)
{
    unsigned dice = test_random_range(0, 99);
    if (count == 0 || (dice < 60 && count < target) || dice < 20)
        allocate();
    else if (dice < 35)
        reallocate(test_random_range(0, count - 1));
    else
        remove_block(test_random_range(0, count - 1));
}

static void begin(uint32_t frames)
{
    static const size_t sizes[] = {24, 100, 1000};
    count = 0;
    failed = 0;
    live_bytes = 0;
    machine_start(frames);
    for (unsigned i = 0; i < ARRAY_COUNT(caches); i++) {
        caches[i] = heap_cache_create("model", sizes[i], 1u << (i + 4));
        CHECK(caches[i] != NULL);
    }
}

static bool count_object(void *context, void *object, size_t bytes)
{
    struct heap_statistics *sum = context;
    CHECK(sum->objects == 0 || (uintptr_t)object > sum->window_bytes);
    sum->window_bytes = (uintptr_t)object;
    sum->objects++;
    sum->live_bytes += bytes;
    return true;
}

static void compare_with_model(void)
{
    struct heap_statistics statistics = machine_statistics(), sum = {0};
    CHECK_EQUAL(statistics.objects, count);
    CHECK_EQUAL(statistics.live_bytes, live_bytes);
    CHECK_EQUAL(statistics.failures, failed);
    CHECK_EQUAL(statistics.allocations - statistics.frees, count);
    heap_visit(count_object, &sum);
    CHECK_EQUAL(sum.objects, count);
    CHECK_EQUAL(sum.live_bytes, live_bytes);
}

static void end(uint32_t baseline)
{
    while (count != 0)
        remove_block(count - 1);
    for (unsigned i = 0; i < ARRAY_COUNT(caches); i++)
        CHECK_EQUAL(heap_cache_destroy(caches[i]), 0);
    heap_trim();
    CHECK_EQUAL(machine_free_frames(), baseline);
    CHECK_EQUAL(heap.frontier, 1);
    machine_check_is_clean();
}

TEST(random_work_checked_after_every_step)
{
    uint32_t baseline;
    begin(4096);
    baseline = machine_free_frames();
    for (unsigned i = 0; i < 2500; i++) {
        step(150);
        machine_check_is_clean();
    }
    compare_with_model();
    end(baseline);
}

TEST(random_work_of_many_blocks)
{
    uint32_t baseline;
    begin(16384);
    baseline = machine_free_frames();
    for (unsigned i = 0; i < 60000; i++) {
        step(i / 20000 % 2 == 0 ? BLOCKS_MAX : 200);
        if (i % 1000 == 0) {
            machine_check_is_clean();
            compare_with_model();
        }
    }
    end(baseline);
}

/* Little RAM: failures all the time, and everything comes back. */
TEST(random_work_on_the_edge_of_exhaustion)
{
    uint32_t baseline;
    begin(700);
    baseline = machine_free_frames();
    for (unsigned i = 0; i < 20000; i++) {
        step(BLOCKS_MAX);
        if (i % 200 == 0) {
            machine_check_is_clean();
            compare_with_model();
        }
    }
    CHECK(failed > 100);
    end(baseline);
}

/*
 * A handler that allocates and frees, of the same classes and pages, at every point where
 * interrupts come on: between taking pages and committing them, between two pages, before they
 * join.
 */
static struct block handled[40];
static unsigned interruptions;

static void handle_block(struct block *block)
{
    if (block->object != NULL) {
        CHECK(stamp_is_whole(block->object, block->bytes, 99));
        kfree(block->object);
        block->object = NULL;
        return;
    }
    block->bytes = random_size();
    block->object = kmalloc(block->bytes);
    if (block->object != NULL)
        stamp_write(block->object, block->bytes, 99);
}

static void handler(void)
{
    host_on_interrupts_on = NULL;
    interruptions++;
    handle_block(&handled[test_random_range(0, ARRAY_COUNT(handled) - 1)]);
    if (test_random_range(0, 30) == 0)
        heap_trim();
    if (test_random_range(0, 20) == 0)
        machine_check_is_clean();
    host_on_interrupts_on = handler;
}

/* One object more, made by calls that are interrupted; their bookkeeping here is not. */
static void allocate_interrupted(void)
{
    unsigned kind = test_random_range(0, 3);
    size_t bytes = random_size();
    void *object, *moved;
    host_on_interrupts_on = handler;
    kfree(kmalloc(bytes));
    object = kind == 0 ? kmalloc_aligned(bytes, 8192) : kmalloc(bytes);
    if (object != NULL && kind == 1) {
        moved = krealloc(object, bytes * 2);
        object = moved != NULL ? moved : object;
    }
    host_on_interrupts_on = NULL;
    enter(object, bytes, NULL);
}

static void free_interrupted(struct block *block)
{
    CHECK(stamp_is_whole(block->object, block->bytes, block->number));
    host_on_interrupts_on = handler;
    kfree(block->object);
    host_on_interrupts_on = NULL;
    *block = blocks[--count];
}

static void work_under_interrupts(uint32_t frames)
{
    const unsigned steps = 3000;
    uint32_t baseline;
    begin(frames);
    baseline = machine_free_frames() + paging_table_frames();
    interruptions = 0;
    for (unsigned i = 0; i < steps; i++) {
        allocate_interrupted();
        while (count > 120 || (count != 0 && test_random_range(0, 2) == 0))
            free_interrupted(&blocks[test_random_range(0, count - 1)]);
        if (i % 50 == 0)
            machine_check_is_clean();
    }
    CHECK(interruptions > steps);
    for (unsigned i = 0; i < ARRAY_COUNT(handled); i++)
        if (handled[i].object != NULL)
            handle_block(&handled[i]);
    while (count != 0)
        free_interrupted(&blocks[0]);
    for (unsigned i = 0; i < ARRAY_COUNT(handled); i++)
        if (handled[i].object != NULL)
            handle_block(&handled[i]);
    for (unsigned i = 0; i < ARRAY_COUNT(caches); i++)
        CHECK_EQUAL(heap_cache_destroy(caches[i]), 0);
    heap_trim();
    machine_check_is_clean();
    CHECK_EQUAL(machine_free_frames() + paging_table_frames(), baseline);
}

TEST(interrupt_handlers_that_allocate)
{
    work_under_interrupts(8192);
}

TEST(interrupt_handlers_on_the_edge_of_exhaustion)
{
    work_under_interrupts(900);
}
