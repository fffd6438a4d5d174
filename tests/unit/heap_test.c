#include "tests/unit/heap_machine.h"

#include "kernel/include/errors.h"

#define PAGES(n) ((size_t)(n)*PAGE_SIZE)

/* A size that the compiler cannot see, so that it does not refuse the call itself. */
static size_t unseen(size_t size)
{
    volatile size_t hidden = size;
    return hidden;
}

/* Says that krealloc left the object where it is; its old name would be bound to its old size. */
static char *resized_in_place(char *object, size_t size)
{
    char *resized = krealloc(object, unseen(size));
    CHECK_EQUAL((uintptr_t)resized, (uintptr_t)object);
    return resized;
}

TEST(init_takes_two_frames_of_bookkeeping)
{
    struct heap_statistics statistics;
    machine_start(4096);
    statistics = machine_statistics();
    CHECK_EQUAL(statistics.committed_bytes, PAGES(HEAP_TABLES));
    CHECK_EQUAL(statistics.bookkeeping_bytes, PAGES(HEAP_TABLES));
    CHECK_EQUAL(statistics.window_bytes, MAP_HEAP_END - MAP_HEAP_START);
    CHECK_EQUAL(statistics.objects, 0);
    machine_check_is_clean();
}

/* Without frames for all tables: -ENOMEM, and what there was comes back. */
TEST(init_without_frames_leaves_nothing_behind)
{
    for (uint32_t left = 0; left < HEAP_TABLES; left++) {
        machine_start(4096);
        heap_bookkeeping_drop();
        machine_hoard_frames(left);
        CHECK_EQUAL(heap_init(), -ENOMEM);
        CHECK_EQUAL(machine_free_frames(), left);
        machine_return_frames();
        CHECK_EQUAL(heap_init(), 0);
        machine_check_is_clean();
    }
}

TEST(sizes_have_classes_with_little_waste)
{
    machine_start(4096);
    for (size_t size = 1; size <= 5000; size++) {
        void *object = kmalloc(size);
        size_t usable = ksize(object);
        CHECK(object != NULL && usable >= size);
        CHECK_EQUAL((uintptr_t)object % HEAP_ALIGNMENT, 0);
        if (size <= HEAP_SMALL_MAX)
            CHECK(usable - size < 16 || (usable - size) * (size <= 2048 ? 8 : 4) <= usable);
        else
            CHECK_EQUAL(usable, (size + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE);
        memset(object, 0xA5, usable);
        kfree(object);
    }
    machine_check_is_clean();
}

TEST(geometry_of_slabs_wastes_little)
{
    machine_start(4096);
    for (unsigned i = 1; i <= HEAP_SIZE_CLASSES; i++) {
        const struct heap_class *class = &heap.classes[i];
        uint32_t bytes = class->pages * PAGE_SIZE;
        CHECK(class->slots >= 4 && class->slots <= HEAP_SLOTS_MAX);
        CHECK((bytes - class->slots * class->size) * 8 <= bytes);
        for (uint32_t offset = 0; offset < bytes; offset += HEAP_GRANULE)
            CHECK_EQUAL(offset / HEAP_GRANULE * class->reciprocal >> 20, offset / class->size);
    }
}

TEST(alignments)
{
    machine_start(8192);
    for (size_t alignment = 1; alignment <= HEAP_MAX_ALIGNMENT; alignment *= 2)
        for (size_t size = 1; size <= 300000; size = size * 3 + 5) {
            char *object = kmalloc_aligned(size, alignment);
            CHECK(object != NULL && ksize(object) >= size);
            CHECK_EQUAL((uintptr_t)object % alignment, 0);
            object[0] = object[size - 1] = 1;
            machine_check_is_clean();
            kfree(object);
        }
    CHECK(kmalloc_aligned(100, 0) == NULL);
    CHECK(kmalloc_aligned(100, 48) == NULL);
    CHECK(kmalloc_aligned(100, HEAP_MAX_ALIGNMENT * 2) == NULL);
    CHECK(kmalloc_aligned(0, 64) == NULL);
    machine_check_is_clean();
}

TEST(requests_that_cannot_be_had)
{
    const size_t sizes[] = {PAGES(HEAP_OBJECT_PAGES) + 1,
                            MAP_HEAP_END - MAP_HEAP_START,
                            0x80000000u,
                            SIZE_MAX - PAGE_SIZE,
                            SIZE_MAX - 1,
                            SIZE_MAX};
    machine_start(2048);
    CHECK(kmalloc(0) == NULL);
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++) {
        CHECK(kmalloc(sizes[i]) == NULL);
        CHECK(kmalloc_aligned(sizes[i], 65536) == NULL);
    }
    CHECK_EQUAL(machine_statistics().failures, 2 * ARRAY_COUNT(sizes));
    CHECK(kcalloc(unseen(SIZE_MAX / 2 + 2), 2) == NULL);
    CHECK(kcalloc(65536, unseen(SIZE_MAX / 65536 + 1)) == NULL);
    CHECK(kcalloc(0, 10) == NULL);
    CHECK(kcalloc(10, 0) == NULL);
    CHECK_EQUAL(machine_statistics().failures, 2 * ARRAY_COUNT(sizes) + 2);
    CHECK_EQUAL(machine_statistics().objects, 0);
    CHECK_EQUAL(machine_statistics().committed_bytes, PAGES(HEAP_TABLES));
    machine_check_is_clean();
}

/* What was used before must be zero again. */
TEST(calloc_clears)
{
    static const size_t sizes[] = {5, 100, 2048, 5000, 100000};
    machine_start(2048);
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++)
        for (unsigned round = 0; round < 2; round++) {
            char *object = kcalloc(1, sizes[i]);
            for (size_t byte = 0; byte < sizes[i]; byte++)
                CHECK_EQUAL(object[byte], 0);
            memset(object, 0xFF, ksize(object));
            kfree(object);
        }
}

/* Of runs, the shortest that fits; of these the newest of the lowest zone. Of slots, the lowest. */
TEST(lowest_addresses_first)
{
    char *runs[10], *slots[10], *far;
    machine_start(16384);
    for (unsigned i = 0; i < 10; i++)
        CHECK((runs[i] = kmalloc(PAGES(3))) == (char *)MAP_HEAP_START + PAGES(3) * i);
    CHECK(kmalloc(PAGES(4000)) != NULL);
    far = kmalloc(PAGES(3));
    CHECK(far != NULL && kmalloc(PAGES(1)) != NULL);
    kfree(runs[2]);
    kfree(runs[7]);
    kfree(far);
    CHECK(kmalloc(PAGES(3)) == runs[7]);
    CHECK(kmalloc(PAGES(2)) == runs[2]);
    CHECK(kmalloc(PAGES(3)) == far);
    for (unsigned i = 0; i < 10; i++)
        CHECK((slots[i] = kmalloc(64)) != NULL && slots[i] == slots[0] + 64 * i);
    kfree(slots[6]);
    kfree(slots[3]);
    CHECK(kmalloc(64) == slots[3]);
    CHECK(kmalloc(64) == slots[6]);
    machine_check_is_clean();
}

TEST(free_runs_join_on_both_sides)
{
    char *runs[5];
    void *high;
    machine_start(4096);
    for (unsigned i = 0; i < 5; i++)
        runs[i] = kmalloc(PAGES(20));
    high = kmalloc(PAGES(2));
    kfree(runs[0]);
    kfree(runs[2]);
    kfree(runs[4]);
    machine_check_is_clean();
    kfree(runs[1]);
    machine_check_is_clean();
    kfree(runs[3]);
    machine_check_is_clean();
    CHECK(kmalloc(PAGES(100)) == runs[0]);
    kfree(high);
    kfree(runs[0]);
    CHECK_EQUAL(heap.frontier, 1);
    machine_check_is_clean();
}

TEST(realloc_in_place_and_not)
{
    char *slot, *run, *moved;
    machine_start(4096);
    slot = kmalloc(100);
    CHECK_EQUAL(ksize(slot), 112);
    slot = resized_in_place(slot, 112);
    slot = resized_in_place(slot, 1);
    stamp_write(slot, 100, 7);
    moved = krealloc(slot, 113);
    CHECK(moved != NULL && moved != slot && ksize(moved) == 128);
    kfree(moved);
    run = kmalloc(PAGES(10));
    memset(run, 0x5A, PAGES(10));
    run = resized_in_place(run, PAGES(4));
    CHECK_EQUAL(ksize(run), PAGES(4));
    machine_check_is_clean();
    run = resized_in_place(run, PAGES(30));
    CHECK_EQUAL(ksize(run), PAGES(30));
    for (size_t i = 0; i < PAGES(4); i++)
        CHECK_EQUAL(run[i], 0x5A);
    memset(run, 1, PAGES(30));
    run = resized_in_place(run, 10);
    CHECK_EQUAL(ksize(run), PAGES(1));
    moved = kmalloc(PAGES(1));
    CHECK(moved == run + PAGES(1));
    slot = krealloc(run, PAGES(2));
    CHECK(slot != run && slot[PAGES(1) - 1] == 1);
    CHECK(krealloc(slot, 0) == NULL);
    CHECK(krealloc(NULL, unseen(0)) == NULL);
    slot = krealloc(NULL, 50);
    CHECK_EQUAL(ksize(slot), 64);
    kfree(slot);
    kfree(moved);
    CHECK_EQUAL(machine_statistics().objects, 0);
    CHECK_EQUAL(machine_statistics().misuses[HEAP_DOUBLE_FREE], 0);
    machine_check_is_clean();
}

TEST(realloc_that_fails_changes_nothing)
{
    char *run, *slot;
    machine_start(2048);
    run = kmalloc(PAGES(8));
    slot = kmalloc(2000);
    memset(run, 3, PAGES(8));
    heap_trim();
    machine_hoard_frames(5);
    CHECK(krealloc(run, PAGES(40)) == NULL);
    CHECK(krealloc(run, unseen(SIZE_MAX - 3)) == NULL);
    CHECK(krealloc(slot, PAGES(40)) == NULL);
    CHECK_EQUAL(ksize(run), PAGES(8));
    for (size_t i = 0; i < PAGES(8); i++)
        CHECK_EQUAL(run[i], 3);
    heap_trim();
    CHECK_EQUAL(machine_free_frames(), 5);
    machine_check_is_clean();
    machine_return_frames();
}

/* Each count of frames from none up: all or nothing, and the books are as before. */
TEST(exhaustion_of_frames_at_every_step)
{
    machine_start(4096);
    for (uint32_t left = 0; left < 40; left++) {
        uint32_t before;
        void *object;
        heap_trim();
        machine_hoard_frames(left);
        before = machine_free_frames();
        object = kmalloc(PAGES(36));
        CHECK((object != NULL) == (left >= 36));
        kfree(object);
        heap_trim();
        CHECK_EQUAL(machine_free_frames(), before);
        machine_check_is_clean();
        machine_return_frames();
    }
}

/* The frames of empty slabs and cached pages serve other sizes before anything fails. */
TEST(what_is_kept_for_speed_is_not_in_the_way)
{
    machine_start(4096);
    for (unsigned i = 1; i <= HEAP_SIZE_CLASSES; i++)
        kfree(kmalloc(heap.classes[i].size));
    kfree(kmalloc(PAGES(HEAP_CACHED_MAX)));
    CHECK(machine_statistics().cached_bytes != 0);
    machine_hoard_frames(0);
    CHECK(kmalloc(PAGES(HEAP_CACHED_MAX + 20)) != NULL);
    CHECK_EQUAL(machine_statistics().slab_bytes, 0);
    machine_check_is_clean();
    machine_return_frames();
}

/* No frame is left, and no kept run is long enough: what is kept serves the tables, too. */
TEST(bookkeeping_grows_into_frames_of_kept_pages)
{
    void *runs[2], *between[2];
    uint32_t reach;
    machine_start(4096);
    for (unsigned i = 0; i < ARRAY_COUNT(runs); i++) {
        runs[i] = kmalloc(PAGES(30));
        between[i] = kmalloc(PAGES(2));
        CHECK(runs[i] != NULL && between[i] != NULL);
    }
    kfree(runs[0]);
    kfree(runs[1]);
    CHECK_EQUAL(machine_statistics().cached_bytes, PAGES(60));
    machine_hoard_frames(0);
    reach = heap.reach;
    CHECK(kmalloc(PAGES(35)) != NULL);
    CHECK(heap.reach > reach);
    machine_check_is_clean();
    machine_return_frames();
}

TEST(exhaustion_of_the_window)
{
    enum { COUNT = HEAP_OBJECT_PAGES / 256 };
    void *objects[COUNT + 1];
    unsigned count = 0;
    uint32_t baseline;
    machine_start(40000);
    baseline = machine_free_frames();
    while (count <= COUNT && (objects[count] = kmalloc(1u << 20)) != NULL)
        count++;
    CHECK_EQUAL(count, COUNT);
    CHECK(HEAP_OBJECT_PAGES > COUNT * 256);
    objects[count] = kmalloc(PAGES(HEAP_OBJECT_PAGES - COUNT * 256));
    CHECK(objects[count] != NULL && kmalloc(1) == NULL);
    machine_check_is_clean();
    for (unsigned i = 0; i <= COUNT; i++)
        kfree(objects[i * 131 % (COUNT + 1)]); /* a prime above COUNT */
    objects[0] = kmalloc(PAGES(HEAP_OBJECT_PAGES));
    CHECK_EQUAL((uintptr_t)objects[0], MAP_HEAP_START);
    CHECK(kmalloc(1) == NULL);
    kfree(objects[0]);
    heap_trim();
    CHECK_EQUAL(machine_free_frames(), baseline);
    machine_check_is_clean();
}

TEST(pages_go_back_when_they_empty)
{
    char *large;
    uint32_t baseline;
    machine_start(4096);
    baseline = machine_free_frames();
    large = kmalloc(PAGES(500));
    memset(large, 1, PAGES(500));
    CHECK(machine_free_frames() < baseline - 500);
    kfree(large);
    CHECK(machine_free_frames() >= baseline - HEAP_CACHED_MAX - 10);
    CHECK(machine_statistics().cached_bytes <= PAGES(HEAP_CACHED_MAX));
    CHECK(host_mmu_faults((uintptr_t)large + PAGES(499)));
    CHECK(heap_trim() != 0);
    CHECK_EQUAL(heap_trim(), 0);
    CHECK(host_mmu_faults((uintptr_t)large));
    CHECK_EQUAL(machine_free_frames(), baseline);
    CHECK_EQUAL(machine_statistics().peak_committed_bytes / PAGE_SIZE >= 500, true);
    machine_check_is_clean();
}

/* Taking and giving back one object again and again asks for no frame. */
TEST(a_pattern_commits_once)
{
    static const size_t sizes[] = {64, 2048, PAGES(3), PAGES(60)};
    machine_start(4096);
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++) {
        unsigned flushes;
        kfree(kmalloc(sizes[i]));
        flushes = host_page_flushes;
        for (unsigned round = 0; round < 100; round++)
            kfree(kmalloc(sizes[i]));
        CHECK_EQUAL(host_page_flushes, flushes);
    }
}

static const char *const misuse_words[] = {"double", "foreign", "interior", "misaligned"};

/* Refused, counted as this kind, logged with the caller; the heap is as it was. */
static void check_refused(void *object, enum heap_misuse kind)
{
    static struct heap before;
    uint64_t counted = heap.misuses[kind].count;
    unsigned lines = host_log_lines;
    char caller[32];
    memcpy(&before, &heap, sizeof(heap));
    kfree(object);
    CHECK_EQUAL(heap.misuses[kind].count, counted + 1);
    CHECK_EQUAL(host_log_lines, lines + 1);
    CHECK(strstr(host_log_last, misuse_words[kind]) != NULL);
    snprintf(caller, sizeof(caller), "%p", object);
    CHECK(strstr(host_log_last, caller) != NULL);
    CHECK(strstr(host_log_last, "called from 0x") != NULL);
    memcpy(before.misuses, heap.misuses, sizeof(heap.misuses));
    CHECK(memcmp(&before, &heap, sizeof(heap)) == 0);
    machine_check_is_clean();
}

TEST(misuses_are_recognised)
{
    static int foreign __attribute__((aligned(16)));
    char *slot, *keep, *run, *last, *wide;
    machine_start(4096);
    keep = kmalloc(48);
    slot = kmalloc(48);
    wide = kmalloc(1900);
    run = kmalloc(PAGES(70));
    last = kmalloc(PAGES(2));
    check_refused(&foreign, HEAP_FOREIGN_FREE);
    check_refused((void *)16, HEAP_FOREIGN_FREE);
    check_refused((void *)(uintptr_t)(MAP_HEAP_START - 16), HEAP_FOREIGN_FREE);
    check_refused((void *)(uintptr_t)MAP_HEAP_END, HEAP_FOREIGN_FREE);
    check_refused((void *)(uintptr_t)HEAP_RECORDS_START, HEAP_FOREIGN_FREE);
    check_refused(last + PAGES(2), HEAP_FOREIGN_FREE);
    check_refused(slot + 16, HEAP_INTERIOR_FREE);
    check_refused(wide + 32, HEAP_INTERIOR_FREE);
    check_refused(run + 16, HEAP_INTERIOR_FREE);
    check_refused(run + PAGES(1), HEAP_INTERIOR_FREE);
    check_refused(run + PAGES(69) + 4080, HEAP_INTERIOR_FREE);
    check_refused(slot + 1, HEAP_MISALIGNED_FREE);
    check_refused(slot + 8, HEAP_MISALIGNED_FREE);
    check_refused(run + 4, HEAP_MISALIGNED_FREE);
    kfree(slot);
    check_refused(slot, HEAP_DOUBLE_FREE);
    kfree(run);
    check_refused(run, HEAP_DOUBLE_FREE);
    check_refused(run + PAGES(5), HEAP_DOUBLE_FREE);
    kfree(last);
    check_refused(last, HEAP_DOUBLE_FREE);
    kfree(NULL);
    kfree(keep);
    kfree(wide);
    heap_trim();
    check_refused(keep, HEAP_DOUBLE_FREE);
    CHECK_EQUAL(machine_statistics().objects, 0);
}

/* The bytes of a slab's last page that make no slot. */
TEST(free_of_what_is_left_over_in_a_slab)
{
    machine_start(4096);
    for (unsigned i = 1; i <= HEAP_SIZE_CLASSES; i++) {
        const struct heap_class *class = &heap.classes[i];
        char *slot = kmalloc(class->size);
        if (class->pages * PAGE_SIZE != class->slots * class->size)
            check_refused(slot + class->slots * class->size, HEAP_FOREIGN_FREE);
    }
}

TEST(wrong_objects_of_the_other_calls)
{
    char *slot;
    struct heap_cache *cache;
    machine_start(4096);
    slot = kmalloc(500);
    CHECK_EQUAL(ksize(slot + 16), 0);
    CHECK_EQUAL(ksize(NULL), 0);
    CHECK_EQUAL(ksize(&cache), 0);
    CHECK(krealloc(slot + 32, 10) == NULL);
    CHECK_EQUAL(machine_statistics().misuses[HEAP_INTERIOR_FREE], 1);
    kfree(slot);
    CHECK(krealloc(slot, 10) == NULL);
    CHECK(krealloc(slot, 0) == NULL);
    CHECK_EQUAL(machine_statistics().misuses[HEAP_DOUBLE_FREE], 2);
    cache = heap_cache_create("thing", 96, 16);
    slot = heap_cache_alloc(cache);
    CHECK_EQUAL(ksize(slot), 96);
    CHECK(krealloc(slot, 10) == NULL);
    check_refused(slot, HEAP_FOREIGN_FREE);
    CHECK_EQUAL(machine_statistics().misuses[HEAP_FOREIGN_FREE], 2);
    machine_check_is_clean();
}

TEST(caches)
{
    struct heap_cache *thing, *other;
    char *objects[1000];
    machine_start(4096);
    CHECK(heap_cache_create("none", 0, 16) == NULL);
    CHECK(heap_cache_create("huge", HEAP_CACHE_OBJECT_MAX + 1, 16) == NULL);
    CHECK(heap_cache_create("odd", 16, 24) == NULL);
    CHECK(heap_cache_create("wide", 16, PAGE_SIZE * 2) == NULL);
    thing = heap_cache_create("thing", 72, 64);
    other = heap_cache_create("other", HEAP_CACHE_OBJECT_MAX, 16);
    CHECK(thing != NULL && other != NULL);
    for (unsigned i = 0; i < 1000; i++) {
        objects[i] = heap_cache_alloc(thing);
        CHECK(objects[i] != NULL && (uintptr_t)objects[i] % 64 == 0);
        memset(objects[i], (int)i, 72);
    }
    CHECK_EQUAL(heap_cache_destroy(thing), -EBUSY);
    heap_cache_free(other, objects[0]);
    CHECK_EQUAL(machine_statistics().misuses[HEAP_FOREIGN_FREE], 1);
    for (unsigned i = 0; i < 1000; i++) {
        CHECK_EQUAL((unsigned char)objects[i][71], i & 0xFF);
        heap_cache_free(thing, objects[i]);
    }
    heap_cache_free(thing, objects[0]);
    heap_cache_free(thing, NULL);
    CHECK_EQUAL(machine_statistics().misuses[HEAP_DOUBLE_FREE], 1);
    CHECK_EQUAL(heap_cache_destroy(thing), 0);
    CHECK_EQUAL(heap_cache_destroy(other), 0);
    CHECK_EQUAL(machine_statistics().slab_bytes, 0);
    CHECK_EQUAL(machine_statistics().allocations, 1000);
    CHECK_EQUAL(machine_statistics().frees, 1000);
    machine_check_is_clean();
}

TEST(as_many_caches_as_there_is_room_for)
{
    struct heap_cache *made[HEAP_CACHES];
    machine_start(4096);
    for (unsigned i = 0; i < HEAP_CACHES; i++)
        CHECK((made[i] = heap_cache_create("one", 32 + i, 16)) != NULL);
    CHECK(heap_cache_create("more", 32, 16) == NULL);
    machine_check_is_clean();
    CHECK_EQUAL(heap_cache_destroy(made[17]), 0);
    CHECK(heap_cache_create("more", 32, 16) == made[17]);
    machine_check_is_clean();
}

TEST(rows_of_classes_and_caches)
{
    struct heap_class_statistics row;
    struct heap_cache *cache;
    unsigned rows = 0;
    machine_start(4096);
    cache = heap_cache_create("named", 40, 16);
    for (unsigned i = 0; i < 300; i++)
        CHECK(kmalloc(16) != NULL && heap_cache_alloc(cache) != NULL);
    while (heap_read_class(rows, &row)) {
        CHECK_EQUAL(row.name != NULL, rows >= HEAP_SIZE_CLASSES);
        CHECK_EQUAL(row.live, rows == 0 || rows == HEAP_SIZE_CLASSES ? 300 : 0);
        CHECK_EQUAL(row.slabs != 0, row.live != 0);
        CHECK_EQUAL(row.committed_bytes, row.slabs * PAGES(heap.classes[rows + 1].pages));
        rows++;
    }
    CHECK_EQUAL(rows, HEAP_SIZE_CLASSES + 1);
    CHECK(heap_read_class(0, &row) && row.object_bytes == 16 && row.slabs == 2);
}

static bool stop_at_third(void *context, void *object, size_t bytes)
{
    unsigned *visited = context;
    (void)object;
    (void)bytes;
    return ++*visited < 3;
}

static bool free_it(void *context, void *object, size_t bytes)
{
    unsigned *visited = context;
    (void)bytes;
    ++*visited;
    kfree(object);
    return true;
}

TEST(visits_stop_and_may_free)
{
    unsigned visited = 0;
    machine_start(4096);
    for (unsigned i = 0; i < 200; i++)
        CHECK(kmalloc(i * 50 + 1) != NULL);
    heap_visit(stop_at_third, &visited);
    CHECK_EQUAL(visited, 3);
    visited = 0;
    heap_visit(free_it, &visited);
    CHECK_EQUAL(visited, 200);
    CHECK_EQUAL(machine_statistics().objects, 0);
    machine_check_is_clean();
}
