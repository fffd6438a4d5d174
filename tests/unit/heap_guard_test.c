#include "tests/unit/heap_machine.h"

#include "kernel/memory/heap/guard.h"

/* The guard: where objects lie, what faults, what is said, and that the books balance meanwhile. */

#define PAGES(n) ((size_t)(n)*PAGE_SIZE)

static void start(uint32_t every)
{
    machine_start(4096);
    heap_guard_set(every);
}

static struct heap_guard_statistics guard_statistics(void)
{
    struct heap_guard_statistics statistics;
    heap_guard_read_statistics(&statistics);
    return statistics;
}

/* What the compiler does not know, it does not warn of. */
static char *unseen(void *object)
{
    void *volatile hidden = object;
    return hidden;
}

TEST(guarded_objects_end_where_pages_end)
{
    static const struct {
        size_t size, alignment;
    } cases[] = {{1, 16},     {16, 16},      {17, 16},    {100, 16},    {1000, 64},
                 {4095, 16},  {4096, 16},    {64, 4096},  {4096, 4096}, {4097, 16},
                 {10000, 16}, {16384, 4096}, {65535, 16}, {65536, 16}};
    start(1);
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        char *object = kmalloc_aligned(cases[i].size, cases[i].alignment);
        uintptr_t end = ((uintptr_t)object + cases[i].size + cases[i].alignment - 1) &
                        ~(uintptr_t)(cases[i].alignment - 1);
        CHECK(heap_guard_holds(object));
        CHECK_EQUAL((uintptr_t)object % cases[i].alignment, 0);
        CHECK_EQUAL(end % PAGE_SIZE, 0);
        CHECK_EQUAL(ksize(object), cases[i].size);
        memset(object, 1, cases[i].size);
        CHECK(host_mmu_faults(end));
        CHECK(host_mmu_faults(((uintptr_t)object & ~(uintptr_t)(PAGE_SIZE - 1)) - 1));
        machine_check_is_clean();
        kfree(object);
        CHECK(host_mmu_faults((uintptr_t)object));
        CHECK(host_mmu_faults((uintptr_t)object + cases[i].size - 1));
        machine_check_is_clean();
    }
    CHECK_EQUAL(guard_statistics().damages, 0);
    CHECK_EQUAL(guard_statistics().committed_bytes, 0);
}

TEST(what_is_no_size_for_a_guard_is_not_guarded)
{
    start(1);
    void *large = kmalloc(HEAP_GUARD_MAX + 1), *aligned = kmalloc_aligned(16, 2 * PAGE_SIZE);
    CHECK(large != NULL && aligned != NULL && kmalloc(0) == NULL);
    CHECK(!heap_guard_holds(large) && !heap_guard_holds(aligned));
    CHECK_EQUAL(guard_statistics().allocations, 0);
    kfree(large);
    kfree(aligned);
    machine_check_is_clean();
}

TEST(every_nth_object_is_guarded)
{
    static const uint32_t rates[] = {1, 2, 7, 100};
    for (unsigned rate = 0; rate < ARRAY_COUNT(rates); rate++) {
        start(rates[rate]);
        for (uint32_t i = 1; i <= 300; i++) {
            void *object = kmalloc(1 + i % 5000);
            CHECK_EQUAL(heap_guard_holds(object), i % rates[rate] == 0);
            kfree(object);
        }
        machine_check_is_clean();
    }
}

/* Switched off: nothing new is guarded, and what is stays usable. Hands are as they were. */
TEST(switching_it_off_leaves_what_is_guarded)
{
    start(1);
    char *object = kmalloc(40), *usual;
    heap_guard_set(0);
    CHECK(!heap_guard_holds(usual = kmalloc(40)));
    memset(object, 1, 40);
    machine_check_is_clean();
    kfree(usual);
    CHECK(heap.classes[3].top == heap.classes[3].hand + 1);
    heap_guard_set(1);
    CHECK(heap.classes[3].top == heap.classes[3].hand);
    kfree(object);
    heap_guard_set(0);
    machine_check_is_clean();
    CHECK_EQUAL(machine_statistics().objects, 0);
}

TEST(a_place_is_not_used_again_soon)
{
    start(1);
    void *first = kmalloc(100);
    kfree(first);
    for (unsigned i = 1; i < HEAP_GUARD_SMALL; i++) {
        void *object = kmalloc(100);
        CHECK(object != first);
        kfree(object);
        CHECK(host_mmu_faults((uintptr_t)first));
    }
    void *again = kmalloc(100);
    CHECK(again == first);
    kfree(again);
    machine_check_is_clean();
}

TEST(without_a_place_objects_are_as_usual)
{
    void *objects[HEAP_GUARD_SMALL + 10];
    start(1);
    for (unsigned i = 0; i < ARRAY_COUNT(objects); i++) {
        objects[i] = kmalloc(100);
        CHECK_EQUAL(heap_guard_holds(objects[i]), i < HEAP_GUARD_SMALL);
    }
    CHECK_EQUAL(guard_statistics().skipped, 10);
    machine_check_is_clean();
    for (unsigned i = 0; i < ARRAY_COUNT(objects); i++)
        kfree(objects[i]);
    machine_check_is_clean();
    CHECK_EQUAL(machine_statistics().objects, 0);
}

/* A large one gets as far as frames go, and all of them come back. */
TEST(without_frames_nothing_is_kept)
{
    for (uint32_t left = 0; left < 20; left++) {
        start(0);
        kfree(kmalloc(100)); /* a slab */
        heap_guard_set(1);
        void *table = kmalloc(65536); /* the tables of the guard's part */
        kfree(table);
        heap_trim();
        machine_hoard_frames(left);
        char *object = kmalloc(65536);
        CHECK_EQUAL(heap_guard_holds(object), left >= 16);
        CHECK_EQUAL(object != NULL, left >= 16);
        kfree(object);
        heap_trim();
        CHECK_EQUAL(machine_free_frames(), left);
        machine_check_is_clean();
        machine_return_frames();
    }
}

TEST(changed_patterns_are_reported_when_freed)
{
    static const struct {
        int offset;
        const char *sentence;
    } cases[] = {
        {100, "heap: overrun: 0x01 instead of 0xa7, 0 bytes behind an object of 100 bytes at 0x"},
        {111, "heap: overrun: 0x01 instead of 0xa7, 11 bytes behind an object of 100 bytes at 0x"},
        {-1, "heap: underrun: 0x01 instead of 0xa7, 1 bytes before an object of 100 bytes at 0x"},
        {-3984, "heap: underrun: 0x01 instead of 0xa7, 3984 bytes before an object of 100 bytes"},
    };
    start(1);
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        char *object = unseen(kmalloc(100));
        unsigned lines = host_log_lines;
        object[cases[i].offset] = 1;
        CHECK_EQUAL(machine_check(), 1);
        CHECK(strncmp(machine_faults, cases[i].sentence, strlen(cases[i].sentence)) == 0);
        CHECK(strstr(machine_faults, ", allocated by 0x") != NULL);
        kfree(object);
        CHECK_EQUAL(host_log_lines, lines + 1);
        CHECK(strncmp(host_log_last, cases[i].sentence, strlen(cases[i].sentence)) == 0);
        CHECK_EQUAL(guard_statistics().damages, i + 1);
        machine_check_is_clean();
    }
}

TEST(wrong_frees_of_guarded_objects_are_refused)
{
    start(1);
    struct heap_cache *cache = heap_cache_create("thing", 100, 4);
    char *object = unseen(kmalloc(64)), *thing = unseen(heap_cache_alloc(cache));
    CHECK(heap_guard_holds(object) && heap_guard_holds(thing));
    const struct {
        void *object;
        enum heap_misuse misuse;
    } cases[] = {{object + 16, HEAP_INTERIOR_FREE},
                 {object + 1, HEAP_MISALIGNED_FREE},
                 {object - 16, HEAP_FOREIGN_FREE},
                 {object + 64, HEAP_FOREIGN_FREE},
                 {thing, HEAP_FOREIGN_FREE},
                 {(void *)(MAP_HEAP_START + 0x7000000), HEAP_FOREIGN_FREE}};
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        uint64_t before = machine_statistics().misuses[cases[i].misuse];
        kfree(cases[i].object);
        CHECK_EQUAL(machine_statistics().misuses[cases[i].misuse], before + 1);
    }
    heap_cache_free(cache, object);
    CHECK_EQUAL(machine_statistics().objects, 2);
    CHECK(krealloc(thing, 10) == NULL);
    CHECK_EQUAL(heap_cache_destroy(cache), -16 /* EBUSY */);
    heap_cache_free(cache, thing);
    kfree(object);
    kfree(object);
    CHECK_EQUAL(machine_statistics().misuses[HEAP_DOUBLE_FREE], 1);
    CHECK_EQUAL(machine_statistics().objects, 0);
    CHECK_EQUAL(heap_cache_destroy(cache), 0);
    machine_check_is_clean();
}

TEST(krealloc_moves_guarded_objects)
{
    static const size_t sizes[] = {100, 6000, 60};
    start(1);
    char *object = kmalloc(100);
    memset(object, 'a', 100);
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++) {
        char *moved = krealloc(unseen(object), sizes[i]);
        CHECK(moved != NULL && moved != object && heap_guard_holds(moved));
        CHECK_EQUAL(ksize(moved), sizes[i]);
        CHECK(moved[0] == 'a' && moved[59] == 'a');
        CHECK(host_mmu_faults((uintptr_t)object));
        object = moved;
    }
    machine_hoard_frames(0);
    CHECK(krealloc(unseen(object), 5000) == NULL);
    char *shrunk = krealloc(unseen(object), 30);
    CHECK(shrunk != NULL && shrunk[29] == 'a');
    machine_return_frames();
    CHECK(krealloc(shrunk, 0) == NULL);
    CHECK_EQUAL(machine_statistics().objects, 0);
    machine_check_is_clean();
}

static bool tick_off(void *context, void *object, size_t bytes)
{
    char **expected = *(char ***)context;
    CHECK(object == *expected && bytes == ksize(object));
    ++*(char ***)context;
    return *expected != NULL;
}

TEST(guarded_objects_are_visited_and_counted)
{
    char *objects[4] = {NULL}, **next = objects;
    machine_start(4096);
    objects[0] = kmalloc(48);
    heap_guard_set(1);
    for (unsigned i = 1; i < 4; i++)
        objects[i] = kmalloc(i == 3 ? 5000 : 50);
    heap_visit(tick_off, &next);
    CHECK(next == objects + 4);
    struct heap_statistics statistics = machine_statistics();
    CHECK_EQUAL(statistics.objects, 4);
    CHECK_EQUAL(statistics.live_bytes, 48 + 50 + 50 + 5000);
    CHECK_EQUAL(statistics.guarded_bytes, PAGES(4));
    machine_check_is_clean();
}

TEST(owners_are_known_by_any_address_near)
{
    struct heap_owner owner;
    char place[HEAP_PLACE_SIZE];
    start(1);
    CHECK(!heap_owner_of(HEAP_GUARD_START, &owner));
    CHECK(!heap_owner_of(MAP_HEAP_START, &owner));
    uintptr_t first = (uintptr_t)kmalloc(64), second = (uintptr_t)kmalloc(4000);
    CHECK(heap_owner_of(first + 63, &owner) && owner.object == first && owner.size == 64);
    CHECK(owner.allocated_by != 0 && owner.freed_by == 0 && owner.number == 1);
    CHECK(strncmp(heap_owner_place(&owner, first + 64, place, sizeof(place)),
                  "0 bytes behind an object of 64 bytes at 0x", 42) == 0);
    /* Behind the first, until the second is nearer. */
    CHECK(heap_owner_of(first + 64, &owner) && owner.object == first);
    CHECK(heap_owner_of(first + 64 + PAGE_SIZE, &owner) && owner.object == second);
    /* Still in the first's place, but the second begins soon. */
    CHECK(heap_owner_of((second & ~(uintptr_t)(PAGE_SIZE - 1)) - 1, &owner));
    CHECK_EQUAL(owner.object, second);
    CHECK(heap_owner_of(second + 4000, &owner) && owner.object == second);
    kfree((void *)first);
    CHECK(heap_owner_of(first + 3, &owner) && owner.object == first && owner.freed_by != 0);
    kfree((void *)second);
}

/* Guarded and other objects in one crowd. */
TEST(random_work_with_a_guard)
{
    struct {
        char *object;
        size_t size;
    } live[200] = {{NULL, 0}};
    start(3);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned n = test_random_range(0, ARRAY_COUNT(live) - 1);
        uint32_t dice = test_random_range(0, 99);
        if (dice == 0)
            heap_guard_set(test_random_range(0, 4));
        if (live[n].object != NULL) {
            CHECK(stamp_is_whole(live[n].object, live[n].size, n));
            kfree(live[n].object);
            live[n].object = NULL;
        } else {
            live[n].size = dice < 90 ? test_random_range(1, 300) : test_random_range(1, 80000);
            live[n].object = kmalloc(live[n].size);
            if (live[n].object != NULL)
                stamp_write(live[n].object, live[n].size, n);
        }
        if (i % 64 == 0)
            machine_check_is_clean();
    }
    for (unsigned n = 0; n < ARRAY_COUNT(live); n++)
        kfree(live[n].object);
    heap_guard_set(0);
    heap_trim();
    CHECK_EQUAL(machine_statistics().objects, 0);
    CHECK_EQUAL(machine_statistics().guarded_bytes, 0);
    machine_check_is_clean();
}

/* Every byte of what the guard keeps, but the two that nothing else tells. */
TEST(wrong_bytes_of_the_guard_are_found)
{
    unsigned char *bytes = (unsigned char *)&heap_guard;
    const size_t start_of_checked = offsetof(struct heap_guard, committed);
    start(1);
    void *kept[] = {kmalloc(100), kmalloc(6000), NULL};
    kfree(kmalloc(100));
    machine_check_is_clean();
    for (size_t at = start_of_checked; at < sizeof(heap_guard); at++) {
        unsigned char was = bytes[at];
        bytes[at] ^= (unsigned char)(1u << test_random_range(0, 7));
        if (machine_check() == 0)
            test_fail(__FILE__, __LINE__, "byte %zu of the guard", at);
        bytes[at] = was;
    }
    machine_check_is_clean();
    kfree(kept[0]);
    kfree(kept[1]);
}

/* The two that nothing else tells, against each other. */
TEST(a_wrong_countdown_of_the_guard_is_found)
{
    static const struct {
        uint32_t every, countdown, faults;
    } rows[] = {{0, 0, 0}, {0, 1, 1}, {5, 5, 0}, {5, 1, 0}, {5, 6, 1}, {5, 0, 1}};
    start(0);
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        heap_guard.every = rows[i].every;
        heap_guard.countdown = rows[i].countdown;
        CHECK_EQUAL(machine_check(), rows[i].faults);
        if (rows[i].faults != 0)
            CHECK(strstr(machine_faults, "heap: guard: the countdown is ") != NULL);
    }
}

/* As guard.c makes it: FNV-1a over the words before it. */
static uint32_t seal_of(const struct heap_guard_place *place)
{
    uint32_t words[offsetof(struct heap_guard_place, seal) / sizeof(uint32_t)];
    uint32_t seal = 0x811C9DC5u;
    memcpy(words, place, sizeof(words));
    for (unsigned i = 0; i < ARRAY_COUNT(words); i++)
        seal = (seal ^ words[i]) * 0x01000193u;
    return seal;
}

/* With its seal right, each by itself. */
TEST(a_place_of_the_guard_that_makes_no_sense_is_found)
{
    start(1);
    char *object = kmalloc(100);
    struct heap_guard_place *place = &heap_guard.places[0], kept = *place;
    CHECK_EQUAL(place->owner.object, (uintptr_t)object);
    for (unsigned i = 0; i < 7; i++) {
        switch (i) {
        case 0:
            place->state = HEAP_GUARD_LIVE + 1;
            break;
        case 1:
            place->pages = 2;
            break;
        case 2:
            place->owner.object -= PAGE_SIZE;
            break;
        case 3:
            place->owner.object += PAGE_SIZE;
            break;
        case 4:
            place->owner.size = PAGE_SIZE;
            break;
        case 5:
            place->owner.freed_by = 1;
            break;
        default:
            place->state = HEAP_GUARD_FREE; /* with a page */
        }
        place->seal = seal_of(place);
        CHECK(machine_check() != 0);
        CHECK(strstr(machine_faults, "heap: guard: place 0 makes no sense") != NULL);
        *place = kept;
        machine_check_is_clean();
    }
    kfree(object);
}

TEST(damages_have_words)
{
    static const struct {
        struct heap_damage damage;
        const char *text;
    } cases[] = {
        {{{0x1000, 10, 0x20, 0, 7}, 0x100C, 1, 2},
         "overrun: 0x01 instead of 0x02, 2 bytes behind an object of 10 bytes at 0x00001000, "
         "allocated by 0x00000020 (number 7)"},
        {{{0x1000, 10, 0x20, 0, 7}, 0xFFE, 1, 2},
         "underrun: 0x01 instead of 0x02, 2 bytes before an object of 10 bytes at 0x00001000, "
         "allocated by 0x00000020 (number 7)"},
        {{{0x1000, 10, 0x20, 0x30, 7}, 0x1003, 1, 2},
         "write after free: 0x01 instead of 0x02, byte 3 of an object of 10 bytes at 0x00001000, "
         "allocated by 0x00000020 (number 7), freed by 0x00000030"},
        {{{0, 0, 0, 0, 0}, 0x1003, 1, 2},
         "write after free: 0x01 instead of 0x02, at 0x00001003, whose owner is not known any "
         "more"},
    };
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[HEAP_DAMAGE_SIZE], cut[40];
        heap_damage_text(&cases[i].damage, text, sizeof(text));
        if (strcmp(text, cases[i].text) != 0)
            test_fail(__FILE__, __LINE__, "\"%s\"", text);
        heap_damage_text(&cases[i].damage, cut, sizeof(cut));
        CHECK(strncmp(cut, text, sizeof(cut) - 1) == 0 && strlen(cut) == sizeof(cut) - 1);
    }
}

TEST(changes_are_found_at_any_alignment)
{
    unsigned char bytes[64];
    for (size_t start = 0; start < 16; start++)
        for (size_t end = start; end < 40; end++)
            for (size_t changed = 0; changed < 48; changed++) {
                uintptr_t at = (uintptr_t)bytes;
                memset(bytes, HEAP_ZONE_BYTE, sizeof(bytes));
                bytes[changed] ^= 1;
                CHECK_EQUAL(heap_find_change(at + start, at + end, HEAP_ZONE_BYTE),
                            changed >= start && changed < end ? at + changed : 0);
            }
}

TEST(without_a_debug_level_nothing_is_recorded)
{
    struct heap_debug_statistics statistics = {.level = 9};
    start(1);
    void *object = kmalloc(10);
    CHECK_EQUAL(heap_mark(), 1); /* of guarded objects only */
    CHECK(!heap_visit_leaks(0, NULL, NULL));
    heap_debug_read_statistics(&statistics);
    CHECK_EQUAL(statistics.level, 0);
    kfree(object);
}
