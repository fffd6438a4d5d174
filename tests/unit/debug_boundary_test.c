#include "kernel/memory/heap/debug/layer.h"
#include "kernel/memory/heap/guard.h"
#include "tests/unit/heap_machine.h"

/* The layer of debug builds where memory is missing, calls are wrong, or its books are. */

#define PAGES(n) ((size_t)(n)*PAGE_SIZE)

static void expect(const char *sentence)
{
    CHECK(machine_check() != 0);
    if (strstr(machine_faults, sentence) == NULL)
        test_fail(__FILE__, __LINE__, "'%s' is not among: %s", sentence, machine_faults);
}

/* What the compiler does not know, it does not warn of. */
static char *unseen(void *object)
{
    void *volatile hidden = object;
    return hidden;
}

TEST(calloc_clears_what_was_poison)
{
    machine_start(4096);
    char *object = kmalloc(300);
    memset(object, 1, 300);
    kfree(object);
    layer_release();
    object = kcalloc(30, 10);
    for (unsigned i = 0; i < 300; i++)
        CHECK_EQUAL(object[i], 0);
    CHECK_EQUAL(ksize(object), 300);
    kfree(object);
    machine_check_is_clean();
}

TEST(a_cache_without_frames_has_no_object)
{
    machine_start(4096);
    struct heap_cache *cache = heap_cache_create("thing", 100, 4);
    machine_hoard_frames(0);
    CHECK(heap_cache_alloc(cache) == NULL);
    CHECK(kcalloc(2, 1000) == NULL);
    CHECK_EQUAL(layer.busy, 0);
    machine_return_frames();
    void *object = heap_cache_alloc(cache);
    CHECK(object != NULL);
    heap_cache_free(cache, object);
    CHECK_EQUAL(heap_cache_destroy(cache), 0);
    machine_check_is_clean();
}

/* Of guarded objects, and of what krealloc is to free. */
TEST(wrong_frees_of_other_calls_are_refused)
{
    machine_start(4096);
    char *plain = unseen(kmalloc(64));
    heap_guard_set(1);
    char *object = unseen(kmalloc(64));
    heap_guard_set(0);
    CHECK(heap_guard_holds(object));
    kfree(object + 16);
    CHECK_EQUAL(machine_statistics().misuses[HEAP_INTERIOR_FREE], 1);
    kfree(object + 1);
    CHECK_EQUAL(machine_statistics().misuses[HEAP_MISALIGNED_FREE], 1);
    CHECK(krealloc(plain + 16, 0) == NULL);
    CHECK_EQUAL(machine_statistics().misuses[HEAP_INTERIOR_FREE], 2);
    CHECK_EQUAL(machine_statistics().objects, 2);
    kfree(object);
    kfree(object);
    CHECK_EQUAL(machine_statistics().misuses[HEAP_DOUBLE_FREE], 1);
    CHECK(krealloc(plain, 0) == NULL);
    CHECK_EQUAL(machine_statistics().objects, 0);
    machine_check_is_clean();
}

/* What is in quarantine is in no class's books. */
TEST(classes_are_read_without_the_quarantine)
{
    struct heap_class_statistics row;
    uint32_t objects = 0;
    machine_start(4096);
    void *object = kmalloc(64);
    kfree(kmalloc(64));
    for (unsigned i = 0; heap_read_class(i, &row); i++)
        objects += row.live;
    CHECK_EQUAL(objects, 1);
    CHECK_EQUAL(layer.held, 0);
    kfree(object);
}

static __attribute__((noinline)) void *leaker(void)
{
    void *volatile object = kmalloc(48);
    return object;
}

static __attribute__((noinline)) void *other_leaker(void)
{
    void *volatile object = kmalloc(48);
    return object;
}

static bool note(void *context, const struct heap_leak_site *site)
{
    *(struct heap_leak_site *)context = *site;
    return true;
}

/* The first of a site is the oldest, wherever it lies. */
TEST(the_first_leak_of_a_site_is_the_oldest)
{
    struct heap_leak_site found = {0};
    machine_start(4096);
    void *low = leaker(), *high = leaker();
    kfree(low);
    layer_release();
    low = leaker();
    CHECK(low < high);
    CHECK(heap_visit_leaks(0, note, &found));
    CHECK_EQUAL(found.objects, 2);
    CHECK_EQUAL(found.first.object, (uintptr_t)high);
    kfree(low);
    kfree(high);
}

static bool note_and_stop(void *context, const struct heap_leak_site *site)
{
    (void)note(context, site);
    return false;
}

/* Sites come in the order of the code, whatever the order of the objects is. */
TEST(sites_of_leaks_come_in_ascending_order)
{
    struct heap_leak_site first[2] = {{0}};
    for (unsigned round = 0; round < 2; round++) {
        machine_start(4096);
        void *objects[2] = {NULL, NULL};
        objects[0] = round == 0 ? leaker() : other_leaker();
        objects[1] = round == 0 ? other_leaker() : leaker();
        CHECK(objects[0] < objects[1]);
        CHECK(heap_visit_leaks(0, note_and_stop, &first[round]));
        kfree(objects[0]);
        kfree(objects[1]);
    }
    CHECK(first[0].allocated_by != 0);
    CHECK_EQUAL(first[0].objects, 1);
    CHECK_EQUAL(first[0].allocated_by, first[1].allocated_by);
}

TEST(sentences_say_what_is_wrong_with_the_layer)
{
    machine_start(4096);
    void *object = kmalloc(64);
    machine_check_is_clean();
    layer.held++;
    expect(" objects are in quarantine, but ");
    layer.held--;
    layer.live_bytes++;
    expect("heap: objects have 64 bytes, but 65 are counted");
    layer.busy++; /* an object that is on its way may be counted already */
    machine_check_is_clean();
    layer.busy--;
    layer.live_bytes--;
    kfree(object);
    machine_check_is_clean();
}

/* ---- handlers that free at the worst moments ---- */

static void *waiting[600];
static unsigned next_waiting;
static uint32_t held_before;

/* Comes when an object has been put in quarantine, before the oldest have been let go. */
static void handler_that_frees(void)
{
    if (layer.held == held_before || next_waiting == 0)
        return;
    held_before = layer.held;
    kfree(waiting[--next_waiting]);
}

TEST(a_quarantine_that_is_full_makes_room)
{
    machine_start(8192);
    for (next_waiting = 0; next_waiting < ARRAY_COUNT(waiting); next_waiting++)
        waiting[next_waiting] = kmalloc(32);
    held_before = layer.held;
    void *last = kmalloc(32);
    host_on_interrupts_on = handler_that_frees;
    kfree(last);
    host_on_interrupts_on = NULL;
    while (next_waiting != 0)
        kfree(waiting[--next_waiting]);
    CHECK_EQUAL(layer.held, LAYER_QUARANTINE);
    CHECK_EQUAL(layer.busy, 0);
    machine_check_is_clean();
    CHECK_EQUAL(machine_statistics().objects, 0);
    machine_check_is_clean();
}
