#include "kernel/memory/paging/internal.h"
#include "tests/unit/heap_machine.h"

/* The ends of ranges, refusals half-way, and whole planted faults, each by its sentence. */
#define PAGES(count) ((size_t)(count)*PAGE_SIZE)

static struct heap_page *record_of(const void *object)
{
    return heap_page((uint32_t)(((uintptr_t)object - MAP_HEAP_START) / PAGE_SIZE) + 1);
}

static void expect(const char *sentence)
{
    CHECK(machine_check() != 0);
    if (strstr(machine_faults, sentence) == NULL)
        test_fail(__FILE__, __LINE__, "'%s' is not among: %s", sentence, machine_faults);
}

/* What is behind the run is free, but there are no frames for it. */
TEST(growing_in_place_without_frames_changes_nothing)
{
    char *run;
    machine_start(2048);
    run = kmalloc(PAGES(8));
    memset(run, 3, PAGES(8));
    heap_trim();
    machine_hoard_frames(5);
    CHECK(krealloc(run, PAGES(40)) == NULL);
    CHECK_EQUAL(ksize(run), PAGES(8));
    for (size_t i = 0; i < PAGES(8); i++)
        CHECK_EQUAL(run[i], 3);
    heap_trim();
    CHECK_EQUAL(machine_free_frames(), 5);
    machine_check_is_clean();
    machine_return_frames();
    CHECK(krealloc(run, PAGES(40)) == run);
    kfree(run);
    machine_check_is_clean();
}

TEST(an_object_without_a_cache_is_foreign_to_each)
{
    struct heap_cache *cache;
    void *run;
    machine_start(2048);
    cache = heap_cache_create("thing", 64, 16);
    run = kmalloc(PAGES(3));
    heap_cache_free(cache, run);
    CHECK_EQUAL(machine_statistics().misuses[HEAP_FOREIGN_FREE], 1);
    CHECK_EQUAL(ksize(run), PAGES(3));
    machine_check_is_clean();
    kfree(run);
    CHECK_EQUAL(heap_cache_destroy(cache), 0);
    machine_check_is_clean();
}

/* The last bin has a run, but too short a one, and there is no later bin. */
TEST(longer_than_all_of_the_last_bin)
{
    const uint32_t pages = 31u << 10;
    void *run, *behind;
    CHECK(heap_bin_of(pages) == heap_bin_of(HEAP_OBJECT_PAGES));
    machine_start(pages + 1024);
    run = kmalloc(PAGES(pages));
    behind = kmalloc(PAGES(1));
    CHECK(run != NULL && behind > run);
    kfree(run);
    CHECK(kmalloc(PAGES(pages + 1)) == NULL);
    machine_check_is_clean();
    CHECK(kmalloc(PAGES(pages)) == run);
    machine_check_is_clean();
}

TEST(sentences_say_what_is_wrong_with_pages)
{
    void *first, *second, *last;
    struct heap_page *record;
    machine_start(2048);
    first = kmalloc(PAGES(2));
    second = kmalloc(PAGES(2));
    last = kmalloc(PAGES(2));
    CHECK(first < second && second < last);
    kfree(first);
    record = record_of(second);
    record->kind = HEAP_PAGE_FREE;
    expect("two free runs touch");
    record->kind = HEAP_PAGE_TRANSIT;
    record->committed = record->count + 1u;
    expect("has too many pages");
    record->kind = HEAP_PAGE_RUN;
    record->committed = 0;
    record = record_of(last);
    record->kind = HEAP_PAGE_FREE;
    expect("touches the frontier");
    record->kind = HEAP_PAGE_RUN;
    machine_check_is_clean();
}

/* Paging itself refuses such rights in the heap's row. */
TEST(a_page_of_the_heap_that_cannot_be_written_is_found)
{
    uint32_t page;
    uint64_t kept;
    union paging_entry *entry;
    machine_start(2048);
    page = (uint32_t)((uintptr_t)kmalloc(PAGES(2)) / PAGE_SIZE);
    entry = table_entry(entry_read(directory_entry(&paging_kernel, page)), page);
    kept = entry_read(entry);
    entry->whole = kept & ~ENTRY_WRITE;
    expect("is mapped with the wrong rights");
    entry->whole = kept;
    machine_check_is_clean();
}

/* A slab in its class's list whose record says that it is full. */
TEST(a_full_slab_in_a_list_is_found)
{
    static void *objects[600]; /* of 85 in a slab: the last one is not full */
    struct heap_page *record;
    uint8_t kept;
    machine_start(2048);
    for (unsigned i = 0; i < ARRAY_COUNT(objects); i++)
        objects[i] = kmalloc(48);
    record = record_of(objects[0]);
    for (unsigned i = 0; i < 2 * HEAP_IN_HAND_MAX; i++)
        kfree(objects[i]); /* some stay in hand */
    kept = record->out;
    CHECK(record->kind < HEAP_CLASSES && kept < heap.classes[record->kind].slots);
    record->out = heap.classes[record->kind].slots;
    expect("is in a list");
    record->out = kept;
    machine_check_is_clean();
}
