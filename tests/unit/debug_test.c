#include "tests/unit/heap_machine.h"

#include "kernel/include/errors.h"
#include "kernel/memory/heap/debug/layer.h"

/* The layer of debug builds, at each level: what it finds, what it says, and that the heap is still
 * the heap. */

#define PAGES(n) ((size_t)(n)*PAGE_SIZE)

static struct heap_debug_statistics debug_statistics(void)
{
    struct heap_debug_statistics statistics;
    heap_debug_read_statistics(&statistics);
    return statistics;
}

static unsigned level(void)
{
    return debug_statistics().level;
}

/* What the compiler does not know, it does not warn of. */
static char *unseen(void *object)
{
    void *volatile hidden = object;
    return hidden;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static const size_t sizes[] = {1, 15, 16, 17, 100, 1000, 4000, 4096, 5000, PAGES(3), 100000};

TEST(objects_are_as_asked_for)
{
    static const size_t alignments[] = {1, 16, 32, 64, 1024, 4096, 16384};
    machine_start(4096);
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++)
        for (unsigned j = 0; j < ARRAY_COUNT(alignments); j++) {
            struct heap_owner owner;
            char *object = kmalloc_aligned(sizes[i], alignments[j]);
            CHECK(object != NULL && (uintptr_t)object % alignments[j] == 0);
            CHECK_EQUAL((uintptr_t)object % HEAP_ALIGNMENT, 0);
            CHECK_EQUAL(ksize(object), sizes[i]);
            memset(object, 0, sizes[i]);
            CHECK(heap_owner_of((uintptr_t)object + sizes[i] - 1, &owner));
            CHECK(owner.object == (uintptr_t)object && owner.size == sizes[i]);
            CHECK(owner.allocated_by != 0 && owner.freed_by == 0);
            machine_check_is_clean();
            kfree(object);
            CHECK_EQUAL(ksize(object), 0);
            CHECK(heap_owner_of((uintptr_t)object, &owner) && owner.freed_by != 0);
        }
    CHECK_EQUAL(machine_statistics().objects, 0);
    CHECK_EQUAL(machine_statistics().live_bytes, 0);
    CHECK_EQUAL(debug_statistics().damages, 0);
    machine_check_is_clean();
}

TEST(what_cannot_be_had_is_refused)
{
    machine_start(4096);
    CHECK(kmalloc(0) == NULL);
    CHECK(kmalloc((size_t)unseen((void *)(SIZE_MAX - 4))) == NULL);
    CHECK(kcalloc((size_t)unseen((void *)(SIZE_MAX / 2)), 3) == NULL);
    CHECK(kmalloc_aligned(16, 48) == NULL);
    CHECK(heap_cache_create("thing", 0, 16) == NULL);
    CHECK(krealloc(NULL, 0) == NULL);
    kfree(NULL);
    CHECK_EQUAL(machine_statistics().objects, 0);
    machine_check_is_clean();
}

/* One byte beside an object, at both ends of each zone. */
TEST(bytes_beside_objects_are_found)
{
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++) {
        const struct {
            intptr_t offset;
            const char *kind;
        } cases[] = {{(intptr_t)sizes[i], "heap: overrun: 0x01 instead of 0xa7, 0 bytes behind an"},
                     {(intptr_t)sizes[i] + LAYER_REAR - 1, "heap: overrun: 0x01 instead of 0xa7, "},
                     {-1, "heap: underrun: 0x01 instead of 0xa7, 1 bytes before an object of "},
                     {-16, "heap: underrun: 0x01 instead of 0xa7, 16 bytes before an object of "}};
        for (unsigned j = 0; j < ARRAY_COUNT(cases) && level() >= 2; j++) {
            machine_start(4096);
            char *object = unseen(kmalloc(sizes[i]));
            object[cases[j].offset] = 1;
            CHECK_EQUAL(machine_check(), 1);
            CHECK(starts_with(machine_faults, cases[j].kind));
            kfree(object);
            CHECK(starts_with(host_log_last, cases[j].kind));
            CHECK(strstr(host_log_last, ", allocated by 0x") != NULL);
            CHECK_EQUAL(debug_statistics().damages, 1);
            machine_check_is_clean();
        }
    }
}

/* Found in heap_check, and when the place is used again or leaves the quarantine. */
TEST(writes_after_free_are_found)
{
    for (unsigned i = 0; i < ARRAY_COUNT(sizes) && level() >= 2; i++) {
        machine_start(4096);
        void *around[] = {kmalloc(sizes[i]), kmalloc(sizes[i]), kmalloc(sizes[i])};
        char *object = unseen(around[1]);
        kfree(around[1]);
        if (host_mmu_faults((uintptr_t)object + sizes[i] - 1))
            continue;
        object[sizes[i] - 1] = 1;
        CHECK_EQUAL(machine_check(), 1);
        CHECK(starts_with(machine_faults, "heap: write after free: 0x01 instead of 0xd5, byte "));
        CHECK(strstr(machine_faults, ", freed by 0x") != NULL);
        unsigned lines = host_log_lines;
        if (level() == 3) {
            CHECK_EQUAL(layer_release(), 1);
        } else {
            void *again = kmalloc(sizes[i]);
            CHECK(again == object);
            kfree(again);
        }
        CHECK_EQUAL(host_log_lines, lines + 1);
        CHECK(starts_with(host_log_last, "heap: write after free: 0x01 instead of 0xd5, byte "));
        machine_check_is_clean();
    }
}

/* Where nothing was ever, too. */
TEST(writes_to_what_nobody_had_are_found)
{
    machine_start(4096);
    char *object = unseen(kmalloc(40));
    if (level() < 2)
        return;
    object[1000] = 7;
    CHECK_EQUAL(machine_check(), 1);
    CHECK(strstr(machine_faults, "write after free: 0x07 instead of 0xd5, at 0x") != NULL);
    CHECK(strstr(machine_faults, ", whose owner is not known any more") != NULL);
    object[1000] = (char)HEAP_FREE_BYTE;
    machine_check_is_clean();
    kfree(object);
}

/* Level 3 gives a place out again late; the others at once. */
TEST(the_quarantine_is_bounded)
{
    machine_start(16384);
    void *first = kmalloc(100);
    kfree(first);
    for (unsigned i = 0; i < 1000; i++)
        kfree(kmalloc(100 + i % 50));
    CHECK_EQUAL(layer.held, LAYER_QUARANTINE);
    for (unsigned i = 0; i < 50; i++)
        kfree(kmalloc(50000));
    CHECK(layer.held_bytes <= LAYER_QUARANTINE_BYTES);
    machine_check_is_clean();
    CHECK_EQUAL(machine_statistics().objects, 0); /* empties it */
    CHECK_EQUAL(layer.held, 0);
    machine_check_is_clean();
    heap_trim();
    CHECK_EQUAL(machine_statistics().slab_bytes, 0);
}

TEST(what_is_in_quarantine_serves_who_finds_no_memory)
{
    machine_start(2048);
    void *held = kmalloc(PAGES(100));
    kfree(held);
    heap_trim();
    held = kmalloc(PAGES(100));
    machine_hoard_frames(0);
    kfree(held);
    void *object = kmalloc(PAGES(99));
    CHECK(object != NULL);
    kfree(object);
    machine_return_frames();
    machine_check_is_clean();
}

TEST(wrong_frees_are_refused)
{
    machine_start(4096);
    struct heap_cache *cache = heap_cache_create("thing", 100, 4);
    struct heap_cache *other = heap_cache_create("other", 100, 4);
    char *object = unseen(kmalloc(64)), *thing = unseen(heap_cache_alloc(cache));
    char *aligned = unseen(kmalloc_aligned(64, 64)), *run = unseen(kmalloc(PAGES(2)));
    const struct {
        void *object;
        enum heap_misuse misuse;
    } cases[] = {{object + 16, HEAP_INTERIOR_FREE},   {object + 1, HEAP_MISALIGNED_FREE},
                 {aligned + 16, HEAP_INTERIOR_FREE},  {run + PAGES(1), HEAP_INTERIOR_FREE},
                 {thing, HEAP_FOREIGN_FREE},          {(void *)sizes, HEAP_FOREIGN_FREE},
                 {(void *)0x1000, HEAP_FOREIGN_FREE}, {run + 16, HEAP_INTERIOR_FREE}};
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        uint64_t before = machine_statistics().misuses[cases[i].misuse];
        kfree(cases[i].object);
        CHECK_EQUAL(machine_statistics().misuses[cases[i].misuse], before + 1);
        CHECK_EQUAL(machine_statistics().objects, 4);
    }
    if (LAYER_FRONT != 0) {
        kfree(object - LAYER_FRONT); /* where the slot begins */
        CHECK_EQUAL(machine_statistics().objects, 4);
    }
    heap_cache_free(other, thing);
    heap_cache_free(cache, object);
    CHECK(krealloc(thing, 10) == NULL);
    CHECK_EQUAL(machine_statistics().objects, 4);
    CHECK_EQUAL(heap_cache_destroy(cache), -EBUSY);
    heap_cache_free(cache, thing);
    CHECK_EQUAL(heap_cache_destroy(cache), 0);
    CHECK_EQUAL(heap_cache_destroy(other), 0);
    kfree(aligned);
    kfree(run);
    kfree(object);
    machine_check_is_clean();
}

TEST(second_frees_name_both)
{
    machine_start(4096);
    char *object = unseen(kmalloc(64)), *neighbour = kmalloc(64);
    kfree(object);
    unsigned lines = host_log_lines;
    kfree(object);
    CHECK_EQUAL(host_log_lines, lines + 2);
    CHECK(starts_with(host_log_last, "heap: it was byte 0 of an object of 64 bytes at 0x"));
    CHECK(strstr(host_log_last, "freed by 0x") != NULL);
    CHECK_EQUAL(machine_statistics().misuses[HEAP_DOUBLE_FREE], 1);
    CHECK(krealloc(object, 10) == NULL);
    CHECK_EQUAL(machine_statistics().misuses[HEAP_DOUBLE_FREE], 2);
    kfree(neighbour);
    machine_check_is_clean();
}

/* A long overrun takes the record with it: who had it is lost, but nothing else is. */
TEST(a_lost_record_is_said)
{
    machine_start(4096);
    char *object = unseen(kmalloc(100));
    size_t bytes = heap_core_size(object - LAYER_FRONT);
    memset(object + 100, 1, bytes - LAYER_FRONT - 100);
    CHECK_EQUAL(machine_check(), 1 + (level() >= 4));
    CHECK(starts_with(machine_faults, "heap: overrun: the record behind the object at "));
    unsigned lines = host_log_lines;
    kfree(object);
    CHECK(host_log_lines >= lines + 2);
    CHECK_EQUAL(ksize(object), 0);
}

TEST(krealloc_moves)
{
    static const size_t steps[] = {40, 90, 5000, 30, 100000, 17};
    machine_start(4096);
    char *object = kmalloc(20);
    memset(object, 'x', 20);
    for (unsigned i = 0; i < ARRAY_COUNT(steps); i++) {
        char *moved = krealloc(unseen(object), steps[i]);
        CHECK(moved != NULL && moved != object);
        CHECK_EQUAL(ksize(moved), steps[i]);
        CHECK(moved[0] == 'x' && moved[16] == 'x');
        object = moved;
        machine_check_is_clean();
    }
    heap_trim();
    machine_hoard_frames(0);
    CHECK(krealloc(unseen(object), 50000) == NULL);
    void *all[300];
    unsigned count = 0;
    while (count < 300 && (all[count] = kmalloc(10)) != NULL)
        count++;
    char *shrunk = krealloc(unseen(object), 10);
    CHECK(shrunk != NULL && ksize(shrunk) == 10 && shrunk[9] == 'x');
    machine_check_is_clean();
    while (count != 0)
        kfree(all[--count]);
    machine_return_frames();
    CHECK(krealloc(shrunk, 0) == NULL);
    CHECK_EQUAL(machine_statistics().objects, 0);
    machine_check_is_clean();
}

/* ---- leaks ---- */

static __attribute__((noinline)) void *leaker(size_t size)
{
    void *volatile object = kmalloc(size);
    return object;
}

static __attribute__((noinline)) void *other_leaker(size_t size)
{
    void *volatile object = kmalloc(size);
    return object;
}

struct found {
    unsigned sites;
    struct heap_leak_site site[4];
};

static bool note_site(void *context, const struct heap_leak_site *site)
{
    struct found *found = context;
    CHECK(found->sites < ARRAY_COUNT(found->site));
    found->site[found->sites++] = *site;
    return true;
}

TEST(leaks_are_told_by_who_allocated)
{
    struct found found = {0};
    machine_start(4096);
    void *before = leaker(500);
    uint32_t mark = heap_mark();
    void *first = leaker(10), *large = other_leaker(9000), *second = leaker(20);
    kfree(leaker(30));
    heap_guard_set(1);
    void *guarded = leaker(40);
    heap_guard_set(0);
    CHECK(heap_visit_leaks(mark, note_site, &found));
    CHECK_EQUAL(found.sites, 2);
    CHECK(found.site[0].allocated_by < found.site[1].allocated_by);
    bool is_first = found.site[0].objects == 3;
    CHECK_EQUAL(found.site[is_first ? 0 : 1].objects, 3);
    CHECK_EQUAL(found.site[is_first ? 0 : 1].bytes, 70);
    CHECK_EQUAL(found.site[is_first ? 0 : 1].first.object, (uintptr_t)first);
    CHECK_EQUAL(found.site[is_first ? 0 : 1].first.number, mark + 1);
    CHECK_EQUAL(found.site[is_first].bytes, 9000);
    kfree(first);
    kfree(second);
    kfree(large);
    kfree(guarded);
    found.sites = 0;
    CHECK(heap_visit_leaks(mark, note_site, &found));
    CHECK_EQUAL(found.sites, 0);
    CHECK(heap_visit_leaks(0, note_site, &found));
    CHECK_EQUAL(found.sites, 1);
    kfree(before);
}

/* ---- all together ---- */

static bool count_and_check(void *context, void *object, size_t bytes)
{
    CHECK_EQUAL(ksize(object), bytes);
    ++*(unsigned *)context;
    return true;
}

TEST(random_work)
{
    static const size_t alignments[] = {16, 16, 16, 64, 4096};
    struct {
        char *object;
        size_t size;
        struct heap_cache *cache;
    } live[150] = {{NULL, 0, NULL}};
    machine_start(3000);
    struct heap_cache *caches[] = {heap_cache_create("a", 52, 4), heap_cache_create("b", 200, 64)};
    for (unsigned i = 0; i < 15000; i++) {
        unsigned n = test_random_range(0, ARRAY_COUNT(live) - 1), count = 0, expected = 0;
        uint32_t dice = test_random_range(0, 99);
        if (live[n].object != NULL && dice < 20 && live[n].cache == NULL) {
            CHECK(stamp_is_whole(live[n].object, live[n].size, n));
            size_t size = test_random_range(1, 6000);
            char *moved = krealloc(live[n].object, size);
            if (moved != NULL) {
                live[n].object = moved;
                live[n].size = size;
            }
            stamp_write(live[n].object, live[n].size, n);
        } else if (live[n].object != NULL) {
            CHECK(stamp_is_whole(live[n].object, live[n].size, n));
            if (live[n].cache != NULL)
                heap_cache_free(live[n].cache, live[n].object);
            else
                kfree(live[n].object);
            live[n].object = NULL;
        } else {
            bool is_cached = dice < 30;
            live[n].cache = is_cached ? caches[dice % 2] : NULL;
            live[n].size =
                is_cached ? (dice % 2 ? 200 : 52) : test_random_range(1, dice < 90 ? 400 : 60000);
            live[n].object =
                is_cached
                    ? heap_cache_alloc(live[n].cache)
                    : kmalloc_aligned(live[n].size, alignments[dice % ARRAY_COUNT(alignments)]);
            if (live[n].object != NULL)
                stamp_write(live[n].object, live[n].size, n);
        }
        if (i % 1000 == 0)
            heap_guard_set(test_random_range(0, 5));
        if (i % 256 != 0)
            continue;
        machine_check_is_clean();
        heap_visit(count_and_check, &count);
        for (unsigned k = 0; k < ARRAY_COUNT(live); k++)
            expected += live[k].object != NULL;
        CHECK_EQUAL(count, expected);
        CHECK_EQUAL(machine_statistics().objects, expected);
    }
    for (unsigned n = 0; n < ARRAY_COUNT(live); n++)
        if (live[n].object != NULL && live[n].cache != NULL)
            heap_cache_free(live[n].cache, live[n].object);
        else
            kfree(live[n].object);
    CHECK_EQUAL(heap_cache_destroy(caches[0]), 0);
    CHECK_EQUAL(heap_cache_destroy(caches[1]), 0);
    heap_trim();
    CHECK_EQUAL(machine_statistics().objects, 0);
    CHECK_EQUAL(machine_statistics().slab_bytes + machine_statistics().run_bytes, 0);
    CHECK_EQUAL(debug_statistics().damages, 0);
    machine_check_is_clean();
}
