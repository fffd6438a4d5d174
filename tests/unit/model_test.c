#include "tests/model/model.h"

#include "kernel/failure/failure.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/paging.h"
#include "tests/model/records.h"
#include "tests/unit/heap_machine.h"

/*
 * The whole core in lockstep with its model (tests/model): by chance, from records of the machine,
 * and while the n-th allocation fails, for every n.
 */
#define WINDOW   0x10000000u
#define FRAMES   8192u
#define SCENARIO 160u /* calls of one scenario */

static const char *label;

static void must(const char *fault, unsigned number)
{
    if (fault != NULL)
        test_fail(__FILE__, __LINE__, "%s, call %u: %s", label, number, fault);
}

static void say(const char *sentence)
{
    fprintf(stderr, "%s\n", sentence);
}

/* paging_check, heap_check and the frames', as the kernel's memory_check has them. */
static uint32_t check_all(void (*given)(const char *sentence))
{
    static void *scratch;
    struct check check = {0, given != NULL ? given : say};
    if (scratch == NULL)
        scratch = malloc(paging_check_scratch_bytes(FRAMES));
    bytemap_check(&check);
    pageframe_check(&check);
    paging_check(&paging_kernel, scratch, &check);
    heap_check(&check);
    return check.faults;
}

static void random_work(uint32_t frames, unsigned calls, unsigned compared)
{
    machine_start(frames);
    model_begin(WINDOW, NULL);
    for (unsigned i = 0; i < calls; i++) {
        struct model_call call = model_random_call(test_random);
        must(model_run(&call, NULL), i);
        if (i % compared == 0)
            must(model_compare(check_all), i);
    }
    must(model_compare(check_all), calls);
    must(model_end(), calls);
    CHECK_EQUAL(check_all(NULL), 0);
}

TEST(random_calls_compared_after_each)
{
    label = "random";
    random_work(2048, 1500, 1);
}

TEST(random_calls_of_many)
{
    label = "random";
    random_work(FRAMES, 60000, 500);
}

TEST(random_calls_on_the_edge_of_exhaustion)
{
    label = "random, little RAM";
    random_work(700, 30000, 300);
}

/* ---- records ---- */

/* Returns how many calls there were. */
static unsigned play(const struct model_record *record, bool (*was_failed)(void))
{
    const char *at = record->text;
    struct model_call call;
    unsigned number = 0;
    label = record->name;
    for (; (at = model_parse(at, record->end, &call)) != NULL; number++)
        must(model_run(&call, was_failed), number);
    return number;
}

TEST(recorded_calls_follow_the_model)
{
    for (const struct model_record *record = model_records; record->name != NULL; record++) {
        unsigned lines = 0;
        for (const char *at = record->text; at < record->end; at++)
            lines += *at == '\n';
        machine_start(FRAMES);
        model_begin(WINDOW, NULL);
        CHECK_EQUAL(play(record, NULL), lines - 1); /* the first is a remark */
        CHECK(lines > 50);
        must(model_compare(check_all), lines);
        must(model_end(), lines);
        CHECK_EQUAL(check_all(NULL), 0);
    }
}

TEST(text_that_is_no_record_ends_it)
{
    static const struct {
        const char *text;
        unsigned calls;
    } cases[] = {{"", 0},         {"#\n\n", 0},  {"10 0 64\n", 1},  {"10 0 64", 1},
                 {"15\n15\n", 2}, {"99 1\n", 0}, {"10 x\n15\n", 0}, {"15\n10 1 2 3 4 5\n", 1},
                 {"# 15\n15", 1}, {"-1\n", 0}};
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *at = cases[i].text, *end = at + strlen(at);
        struct model_call call;
        unsigned calls = 0;
        while ((at = model_parse(at, end, &call)) != NULL)
            calls++;
        CHECK_EQUAL(calls, cases[i].calls);
    }
}

/* ---- failures ---- */

static uint32_t failed_before;

static bool was_failed(void)
{
    struct failure_report report = failure_read();
    return report.failed != failed_before;
}

/* The same calls each time, the n-th allocation of them failing: whether one did. */
static bool scenario(uint32_t seed, uint32_t n, enum failure_extent extent)
{
    struct failure_report report;
    machine_start(2048);
    model_begin(WINDOW, NULL);
    test_random_restart(seed);
    failure_arm(n, extent);
    for (unsigned i = 0; i < SCENARIO; i++) {
        struct model_call call = model_random_call(test_random);
        failed_before = failure_read().failed;
        must(model_run(&call, was_failed), i);
    }
    report = failure_disarm();
    must(model_compare(check_all), SCENARIO);
    must(model_end(), SCENARIO);
    CHECK_EQUAL(check_all(NULL), 0);
    return report.failed != 0;
}

static void each_failure(enum failure_extent extent)
{
    uint32_t seed = test_random();
    for (unsigned i = 0; i < 3; i++, seed += 0x9E3779B9) {
        uint32_t n = 1;
        while (scenario(seed | 1, n, extent))
            n++;
        CHECK(n > 20);
    }
}

/* The record of the boot, likewise. */
static bool boot_again(uint32_t n)
{
    struct failure_report report;
    machine_start(2048);
    model_begin(WINDOW, NULL);
    failure_arm(n, FAILURE_ONCE);
    failed_before = 0;
    play(&model_records[0], was_failed);
    report = failure_disarm();
    must(model_compare(check_all), n);
    must(model_end(), n);
    return report.failed != 0;
}

TEST(the_nth_allocation_of_the_recorded_boot_fails_for_every_n)
{
    uint32_t n = 1;
    while (boot_again(n))
        n++;
    CHECK(n > 50);
}

TEST(the_nth_allocation_fails_for_every_n)
{
    label = "the n-th allocation fails";
    each_failure(FAILURE_ONCE);
}

TEST(all_allocations_fail_from_the_nth_on_for_every_n)
{
    label = "the n-th allocation and all after it fail";
    each_failure(FAILURE_ON);
}
