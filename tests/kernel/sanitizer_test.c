#include "kernel/debug/symbols/symbols.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"
#include "kernel/sanitizer/sanitizer.h"
#include "tests/kernel/selftest.h"

/*
 * One mistake at a time, in sanitizer builds only: each must be reported, once, as what it is, with
 * who allocated and who freed.
 */
#define NOT_INLINED __attribute__((noipa))

/* What the compiler cannot see through. */
static NOT_INLINED void *hidden(void *pointer)
{
    return pointer;
}

static NOT_INLINED size_t hidden_number(size_t number)
{
    return number;
}

static NOT_INLINED void *planted_allocator(size_t size)
{
    void *object = kmalloc(size);
    return hidden(object);
}

static NOT_INLINED void planted_free(void *object)
{
    kfree(object);
    hidden(object);
}

static NOT_INLINED void planted_write(volatile char *at)
{
    *at = 1;
}

static NOT_INLINED char planted_read(const volatile char *at)
{
    return *at;
}

static bool is_in(uint32_t address, const char *function)
{
    struct symbol symbol = symbols_find(address - 1);
    return symbol.name != NULL && strcmp(symbol.name, function) == 0;
}

/* One report of this kind, and where. */
static bool is_one(unsigned count, const struct sanitizer_report *report, enum sanitizer_kind kind,
                   const volatile void *address, const char *function)
{
    return count == 1 && report->kind == kind && report->address == (uint32_t)address &&
           is_in(report->instruction, function);
}

KERNEL_TEST(sanitizer_finds_heap_overflows)
{
    static const size_t sizes[] = {1, 7, 8, 24, 1000, 4096, 5000, 3 * PAGE_SIZE};
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct sanitizer_report after_write, after_read;
        char *object = planted_allocator(sizes[i]);
        SELFTEST_CHECK(object != NULL);
        memset(object, 7, sizes[i]);
        planted_write(object + sizes[i] - 1);
        sanitizer_expect_begin();
        planted_write(object + sizes[i]);
        unsigned writes = sanitizer_expect_end(&after_write);
        sanitizer_expect_begin();
        (void)planted_read(object + sizes[i] + 7);
        unsigned reads = sanitizer_expect_end(&after_read);
        kfree(object);
        SELFTEST_CHECK(is_one(writes, &after_write, SANITIZER_HEAP_OVERFLOW, object + sizes[i],
                              "planted_write"));
        SELFTEST_CHECK(is_one(reads, &after_read, SANITIZER_HEAP_OVERFLOW, object + sizes[i] + 7,
                              "planted_read"));
        SELFTEST_CHECK(is_in(after_write.allocated_by, "planted_allocator"));
        SELFTEST_CHECK(after_write.freed_by == 0);
    }
}

KERNEL_TEST(sanitizer_finds_uses_after_free)
{
    static const size_t sizes[] = {16, 100, 3000, 2 * PAGE_SIZE};
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct sanitizer_report report;
        char *object = planted_allocator(sizes[i]);
        SELFTEST_CHECK(object != NULL);
        planted_free(object);
        sanitizer_expect_begin();
        (void)planted_read(object + sizes[i] - 1);
        unsigned count = sanitizer_expect_end(&report);
        SELFTEST_CHECK(
            is_one(count, &report, SANITIZER_HEAP_FREED, object + sizes[i] - 1, "planted_read"));
        SELFTEST_CHECK(is_in(report.allocated_by, "planted_allocator"));
        SELFTEST_CHECK(is_in(report.freed_by, "planted_free"));
    }
}

KERNEL_TEST(sanitizer_finds_double_frees)
{
    struct heap_statistics before, after;
    struct sanitizer_report report;
    heap_read_statistics(&before);
    char *object = planted_allocator(40);
    SELFTEST_CHECK(object != NULL);
    planted_free(object);
    sanitizer_expect_begin();
    planted_free(object);
    unsigned count = sanitizer_expect_end(&report);
    heap_read_statistics(&after);
    SELFTEST_CHECK(is_one(count, &report, SANITIZER_DOUBLE_FREE, object, "planted_free"));
    SELFTEST_CHECK(is_in(report.allocated_by, "planted_allocator"));
    SELFTEST_CHECK(is_in(report.freed_by, "planted_free"));
    SELFTEST_CHECK(after.misuses[HEAP_DOUBLE_FREE] == before.misuses[HEAP_DOUBLE_FREE] + 1);
    SELFTEST_CHECK(after.objects == before.objects);
}

/* The place that an object left is guarded as if it had been freed. */
KERNEL_TEST(sanitizer_follows_krealloc)
{
    struct sanitizer_report report;
    char *object = planted_allocator(40);
    SELFTEST_CHECK(object != NULL);
    memset(object, 'x', 40);
    char *grown = krealloc(object, 90);
    SELFTEST_CHECK(grown != NULL);
    bool is_copied = planted_read(grown) == 'x' && planted_read(grown + 39) == 'x';
    planted_write(grown + 89);
    sanitizer_expect_begin();
    (void)planted_read(hidden(object));
    unsigned old = sanitizer_expect_end(&report);
    sanitizer_expect_begin();
    (void)planted_read(grown + 90);
    unsigned behind = sanitizer_expect_end(&report);
    size_t size = ksize(grown);
    char *shrunk = krealloc(grown, 10);
    sanitizer_expect_begin();
    (void)planted_read(shrunk + 10);
    unsigned behind_shrunk = sanitizer_expect_end(&report);
    kfree(shrunk);
    SELFTEST_CHECK(is_copied && size == 90 && old == 1 && behind == 1 && behind_shrunk == 1);
}

KERNEL_TEST(sanitizer_follows_caches)
{
    struct sanitizer_report behind, freed;
    struct heap_cache *cache = heap_cache_create("sanitizer test", 52, 4);
    SELFTEST_CHECK(cache != NULL);
    char *object = heap_cache_alloc(cache);
    SELFTEST_CHECK(object != NULL);
    memset(object, 0, 52);
    sanitizer_expect_begin();
    planted_write(object + 52);
    unsigned overflows = sanitizer_expect_end(&behind);
    heap_cache_free(cache, object);
    sanitizer_expect_begin();
    planted_write(object);
    unsigned uses = sanitizer_expect_end(&freed);
    int error = heap_cache_destroy(cache);
    SELFTEST_CHECK(
        is_one(overflows, &behind, SANITIZER_HEAP_OVERFLOW, object + 52, "planted_write"));
    SELFTEST_CHECK(is_one(uses, &freed, SANITIZER_HEAP_FREED, object, "planted_write"));
    SELFTEST_CHECK(error == 0);
}

KERNEL_TEST(sanitizer_finds_stack_overflows)
{
    struct sanitizer_report behind, before;
    char area[13];
    char *start = hidden(area);
    memset(start, 0, sizeof(area));
    sanitizer_expect_begin();
    planted_write(start + sizeof(area));
    unsigned after_end = sanitizer_expect_end(&behind);
    sanitizer_expect_begin();
    planted_write(start - 1);
    unsigned before_start = sanitizer_expect_end(&before);
    SELFTEST_CHECK(is_one(after_end, &behind, SANITIZER_STACK_OVERFLOW, start + sizeof(area),
                          "planted_write"));
    SELFTEST_CHECK(
        is_one(before_start, &before, SANITIZER_STACK_OVERFLOW, start - 1, "planted_write"));
}

KERNEL_TEST(sanitizer_finds_uses_after_scope)
{
    struct sanitizer_report report;
    volatile char *left;
    {
        char inner[24];
        memset(hidden(inner), 0, sizeof(inner));
        left = hidden(inner);
    }
    sanitizer_expect_begin();
    (void)planted_read(left);
    unsigned count = sanitizer_expect_end(&report);
    SELFTEST_CHECK(is_one(count, &report, SANITIZER_STACK_SCOPE, left, "planted_read"));
}

static char global_area[11];
static const char global_text[] = "constant";

KERNEL_TEST(sanitizer_finds_global_overflows)
{
    struct sanitizer_report written, read;
    char *area = hidden(global_area);
    const char *text = hidden((void *)(uintptr_t)global_text);
    planted_write(area + 10);
    sanitizer_expect_begin();
    planted_write(area + 11);
    unsigned writes = sanitizer_expect_end(&written);
    sanitizer_expect_begin();
    (void)planted_read(text + sizeof(global_text));
    unsigned reads = sanitizer_expect_end(&read);
    SELFTEST_CHECK(is_one(writes, &written, SANITIZER_GLOBAL_OVERFLOW, area + 11, "planted_write"));
    SELFTEST_CHECK(is_one(reads, &read, SANITIZER_GLOBAL_OVERFLOW, text + sizeof(global_text),
                          "planted_read"));
}

/* What works on memory in bulk is assembly, and checked before it runs. */
KERNEL_TEST(sanitizer_watches_bulk_access)
{
    struct sanitizer_report copied, filled, measured;
    char *object = planted_allocator(32);
    char from[32] = {0};
    SELFTEST_CHECK(object != NULL);
    memset(object, 'a', 32);
    sanitizer_expect_begin();
    memcpy(object, hidden(from), hidden_number(33));
    unsigned copies = sanitizer_expect_end(&copied);
    sanitizer_expect_begin();
    memset(object, 'a', hidden_number(34));
    unsigned fills = sanitizer_expect_end(&filled);
    sanitizer_expect_begin();
    size_t length = strnlen(object, hidden_number(33));
    unsigned measures = sanitizer_expect_end(&measured);
    kfree(object);
    SELFTEST_CHECK(copies == 2 && copied.kind == SANITIZER_HEAP_OVERFLOW); /* from and to */
    SELFTEST_CHECK(fills == 1 && filled.address == (uint32_t)object + 32);
    SELFTEST_CHECK(measures == 1 && measured.kind == SANITIZER_HEAP_OVERFLOW && length >= 32);
}

struct pair {
    int first, second;
};

static volatile uint32_t sink;

static NOT_INLINED void add_too_much(int a, int b)
{
    sink = (uint32_t)(a + b);
}

static NOT_INLINED void shift_too_far(int a, unsigned bits)
{
    sink = (uint32_t)(a << bits);
}

static NOT_INLINED void go_through_null(struct pair *pair)
{
    sink = (uint32_t)&pair->second;
}

static NOT_INLINED void index_too_high(unsigned index)
{
    static const volatile uint32_t table[4] = {1, 2, 3, 4};
    sink = (uint32_t)&table[index];
}

static NOT_INLINED void read_misaligned(const volatile uint32_t *at)
{
    sink = *at;
}

static NOT_INLINED void read_no_bool(const volatile bool *at)
{
    sink = *at;
}

static NOT_INLINED void leave_object(const char *at, size_t offset)
{
    sink = (uint32_t)(at + offset);
}

static bool is_undefined(const char *words, const char *function)
{
    struct sanitizer_report report;
    unsigned count = sanitizer_expect_end(&report);
    bool has_words = false;
    for (size_t at = 0; report.what[at] != '\0' && !has_words; at++)
        has_words = strncmp(report.what + at, words, strlen(words)) == 0;
    return count == 1 && report.kind == SANITIZER_UNDEFINED && has_words &&
           is_in(report.instruction, function);
}

KERNEL_TEST(sanitizer_finds_undefined_behaviour)
{
    uint32_t words[2] = {0, 0};
    sanitizer_expect_begin();
    add_too_much(0x7FFFFFFF, 2);
    bool sum = is_undefined("2147483647 + 2 overflows type 'int'", "add_too_much");
    sanitizer_expect_begin();
    shift_too_far(1, 40);
    bool shift = is_undefined("shift of 1 ('int') by 40", "shift_too_far");
    sanitizer_expect_begin();
    go_through_null(hidden(NULL));
    bool null = is_undefined("is null", "go_through_null");
    sanitizer_expect_begin();
    index_too_high(5);
    bool bound = is_undefined("index 5 of", "index_too_high");
    sanitizer_expect_begin();
    read_misaligned((const uint32_t *)((uint32_t)hidden(words) + 1));
    bool alignment = is_undefined("is misaligned", "read_misaligned");
    sanitizer_expect_begin();
    words[0] = 2;
    read_no_bool(hidden(words));
    bool value = is_undefined("2 is no value of type", "read_no_bool");
    sanitizer_expect_begin();
    leave_object((const char *)0xFFFFFFF0, 0x20);
    bool wrap = is_undefined("wraps to", "leave_object");
    SELFTEST_CHECK(sum && shift && null && bound);
    SELFTEST_CHECK(alignment && value && wrap);
}

/* Every byte of objects of all small sizes may be used, at every alignment; nothing is reported,
 * and it costs no memory for good. */
KERNEL_TEST(sanitizer_is_quiet_otherwise)
{
    struct sanitizer_report report;
    struct pageframe_statistics before, after;
    heap_trim();
    pageframe_read_statistics(&before);
    sanitizer_expect_begin();
    for (size_t size = 1; size < 300; size++) {
        char *object = kmalloc_aligned(size, (size_t)16 << size % 6);
        if (object == NULL)
            continue;
        for (size_t at = 0; at < size; at++)
            planted_write(object + at);
        kfree(object);
    }
    unsigned count = sanitizer_expect_end(&report);
    heap_trim();
    pageframe_read_statistics(&after);
    SELFTEST_CHECK(count == 0);
    SELFTEST_CHECK(after.free_frames == before.free_frames);
}
