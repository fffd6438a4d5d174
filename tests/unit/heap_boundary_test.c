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
    machine_start(pages + 1024);
    CHECK(heap_bin_of(pages) == heap_bin_of(HEAP_OBJECT_PAGES));
    run = kmalloc(PAGES(pages));
    behind = kmalloc(PAGES(1));
    CHECK(run != NULL && behind > run);
    kfree(run);
    CHECK(kmalloc(PAGES(pages + 1)) == NULL);
    machine_check_is_clean();
    CHECK(kmalloc(PAGES(pages)) == run);
    machine_check_is_clean();
}

/* All that is free is one run, so long that its bin is not among the first 32. */
TEST(a_few_pages_of_a_long_run)
{
    char *run, *object;
    void *behind;
    machine_start(4096);
    run = kmalloc(PAGES(3000));
    behind = kmalloc(PAGES(2));
    CHECK(run != NULL && behind != NULL && heap_bin_of(3000) >= 32);
    kfree(run);
    object = kmalloc(64);
    CHECK(object == run);
    machine_check_is_clean();
    kfree(object);
    kfree(behind);
    machine_check_is_clean();
}

/* A wrong free far behind the first page of a run, with none that begins in between. */
TEST(the_middle_of_a_long_run_is_no_object)
{
    static const uint32_t pages[] = {1, 31, 32, 1023, 1024, 1025, 2047, 2100, 3400};
    char *run;
    machine_start(4096);
    run = kmalloc(PAGES(3500));
    CHECK(run != NULL);
    for (unsigned i = 0; i < ARRAY_COUNT(pages); i++) {
        kfree(run + PAGES(pages[i]));
        CHECK_EQUAL(machine_statistics().misuses[HEAP_INTERIOR_FREE], i + 1);
    }
    CHECK_EQUAL(ksize(run), PAGES(3500));
    kfree(run);
    kfree(run + PAGES(2100));
    CHECK_EQUAL(machine_statistics().misuses[HEAP_INTERIOR_FREE], ARRAY_COUNT(pages));
    machine_check_is_clean();
}

/* More than the window can use is not had, and the frame for it goes back. */
TEST(bookkeeping_ends_with_the_window)
{
    uint32_t before, pages = 0;
    machine_start(4096);
    before = machine_free_frames();
    while (heap_commit_bookkeeping())
        pages++;
    /* Two that heap_init has; tables of paging are there for the pages of a machine this large. */
    CHECK_EQUAL(pages + 2, HEAP_RECORD_PAGES + HEAP_LIVE_PAGES);
    before = machine_free_frames();
    CHECK(!heap_commit_bookkeeping());
    CHECK_EQUAL(machine_free_frames(), before);
    machine_check_is_clean();
}

/* ---- a handler between looking for pages and having them ---- */

static struct heap_class *class_64;
static void *slab_before[256], *slab_after[256];
static unsigned taken_before, taken_after;

/* The class gets a slab, then room in the one that was full, and fills up the new one: it has slots
 * again, but not in its current slab, and no pages are needed any more. */
static void handler_that_fills_the_class(void)
{
    host_on_interrupts_on = NULL;
    slab_after[taken_after++] = kmalloc(64);
    for (unsigned i = 1; i < taken_before; i++)
        kfree(slab_before[i]);
    while (class_64->slab->open != 0)
        slab_after[taken_after++] = kmalloc(64);
    CHECK(class_64->first != 0);
}

TEST(pages_that_are_not_needed_any_more_go_back)
{
    char *object;
    uint32_t slabs;
    machine_start(4096);
    class_64 = heap_class(heap.class_of[(64 - 1) / HEAP_GRANULE]);
    do
        slab_before[taken_before++] = kmalloc(64);
    while (class_64->slab->open != 0 || class_64->first != 0);
    heap_trim();
    slabs = class_64->slabs;
    host_on_interrupts_on = handler_that_fills_the_class;
    object = kmalloc(64);
    CHECK(host_on_interrupts_on == NULL);
    CHECK(object != NULL);
    memset(object, 1, 64);
    CHECK_EQUAL(class_64->slabs, slabs + 1); /* the handler's; what the call had went back */
    machine_check_is_clean();
    kfree(object);
    kfree(slab_before[0]);
    while (taken_after != 0)
        kfree(slab_after[--taken_after]);
    heap_trim();
    CHECK_EQUAL(machine_statistics().slab_bytes, 0);
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
