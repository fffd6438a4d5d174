#include "tests/unit/heap_machine.h"

#include "kernel/memory/pageframe/pageframe.h"

/*
 * Planted faults: bytes of all of the bookkeeping are changed, one at a time, and heap_check must
 * say so each time, in words, and survive. Which bytes follows from the seed: every third, or
 * seventh, so some runs reach each.
 */

/* A heap in which everything occurs: full, part-used and empty slabs, runs, free runs of both
 * kinds, cached pages, caches, misuses. */
static void make_scene(void)
{
    static void *objects[600];
    struct heap_cache *cache;
    unsigned count = 0;
    machine_start(4096);
    cache = heap_cache_create("scene", 200, 8);
    for (unsigned i = 0; i < 300; i++)
        objects[count++] = kmalloc(i * 37 % 2048 + 1);
    for (unsigned i = 0; i < 40; i++) {
        objects[count++] = kmalloc(PAGE_SIZE * (i * 7 % 50 + 1));
        CHECK(heap_cache_alloc(cache) != NULL);
    }
    for (unsigned i = 0; i < count; i += 3)
        kfree(objects[i]);
    kfree(objects[0]);
    kfree(kmalloc(1500));
    machine_check_is_clean();
}

/* Changes each byte of [start, start + bytes), `stride` apart, with each of these patterns. */
static unsigned plant(const char *what, void *start, size_t bytes, size_t from, size_t stride)
{
    static const unsigned char patterns[] = {0x01, 0x80, 0xFF, 0x10};
    unsigned char *at = start;
    unsigned planted = 0;
    for (size_t i = from; i < bytes; i += stride) {
        unsigned char was = at[i];
        at[i] ^= patterns[planted++ % ARRAY_COUNT(patterns)];
        if (machine_check() == 0)
            test_fail(__FILE__, __LINE__, "byte %zu of %s changed from %#x to %#x: not found", i,
                      what, was, at[i]);
        CHECK(strlen(machine_faults) > 20);
        at[i] = was;
    }
    machine_check_is_clean();
    return planted;
}

TEST(bytes_of_the_classes_count)
{
    make_scene();
    CHECK(plant("classes", heap.classes, sizeof(heap.classes), test_random_range(0, 2), 3) > 3000);
}

TEST(every_byte_of_the_counters_counts)
{
    make_scene();
    plant("counters", &heap.frontier, sizeof(heap) - offsetof(struct heap, frontier), 0, 1);
}

TEST(bytes_of_the_lists_count)
{
    make_scene();
    plant("lists", heap.lists, sizeof(heap.lists), test_random_range(0, 6), 7);
    plant("words of lists", heap.zones, sizeof(heap.zones) + sizeof(heap.bins), 0, 1);
}

TEST(bytes_of_the_bits_of_runs_count)
{
    make_scene();
    plant("bits of runs", heap.runs, sizeof(heap.runs), test_random_range(0, 2), 3);
    plant("the summary of runs", heap.run_summary, sizeof(heap.run_summary), 0, 1);
}

TEST(bytes_of_the_records_count)
{
    size_t bytes;
    make_scene();
    bytes = heap.table_pages[HEAP_RECORDS] * PAGE_SIZE;
    plant("records", (void *)(uintptr_t)HEAP_RECORDS_START, bytes, test_random_range(0, 2), 3);
}

TEST(bytes_of_the_live_bits_count)
{
    make_scene();
    plant("live bits", (void *)(uintptr_t)HEAP_LIVE_START, heap.table_pages[HEAP_LIVE] * PAGE_SIZE,
          test_random_range(0, 2), 3);
}

/* What lies below the heap, and is its own: the mapping and the state of its frames. */
TEST(pages_and_frames_that_disagree)
{
    char *object;
    frame_t frame;
    make_scene();
    object = kmalloc(PAGE_SIZE * 5);
    frame = paging_unmap_page(&paging_kernel, (uintptr_t)object + PAGE_SIZE);
    CHECK(machine_check() > 0 && strstr(machine_faults, "not mapped") != NULL);
    CHECK_EQUAL(paging_map_page(&paging_kernel, (uintptr_t)object + PAGE_SIZE, frame, PAGING_WRITE),
                0);
    machine_check_is_clean();
    CHECK_EQUAL(pageframe_retag(frame, BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)), 0);
    CHECK(machine_check() > 0 && strstr(machine_faults, "frame") != NULL);
    CHECK_EQUAL(pageframe_retag(frame, BYTEMAP_TAG(BYTEMAP_HEAP, BYTEMAP_KERNEL)), 0);
    machine_check_is_clean();
    frame = pageframe_alloc(PAGEFRAME_ANYWHERE, BYTEMAP_TAG(BYTEMAP_HEAP, BYTEMAP_KERNEL));
    CHECK_EQUAL(paging_map_page(&paging_kernel, MAP_HEAP_START + 0x4000000, frame, PAGING_WRITE),
                0);
    CHECK(machine_check() > 0 && strstr(machine_faults, "mapped pages") != NULL);
}
