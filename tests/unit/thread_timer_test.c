#include "kernel/cpu/rtc.h"
#include "kernel/thread/timer_heap.h"
#include "tests/unit/test.h"

#define TIMERS 300u

static struct timer timers[TIMERS];
static bool is_in[TIMERS];
static struct timer_heap heap;

/* Order, and links both ways. Returns how many. */
static uint32_t check_tree(const struct timer *timer, const struct timer *parent)
{
    if (timer == NULL)
        return 0;
    CHECK(timer->parent == parent);
    CHECK(parent == NULL || parent->deadline_ns <= timer->deadline_ns);
    return 1 + check_tree(timer->left, timer) + check_tree(timer->right, timer);
}

static void check_first(void)
{
    uint64_t earliest = UINT64_MAX;
    for (unsigned i = 0; i < TIMERS; i++)
        if (is_in[i] && timers[i].deadline_ns < earliest)
            earliest = timers[i].deadline_ns;
    const struct timer *first = timer_heap_first(&heap);
    CHECK_EQUAL(first != NULL ? first->deadline_ns : UINT64_MAX, earliest);
}

TEST(timer_heap_keeps_the_earliest_first)
{
    for (unsigned step = 0; step < 60000; step++) {
        unsigned i = test_random_range(0, TIMERS - 1);
        if (is_in[i]) {
            timer_heap_remove(&heap, &timers[i]);
        } else {
            timers[i].deadline_ns = test_random_range(0, 200);
            timer_heap_add(&heap, &timers[i]);
        }
        is_in[i] = !is_in[i];
        check_first();
        if (step % 16 == 0)
            CHECK_EQUAL(check_tree(heap.root, NULL), heap.count);
    }
    while (timer_heap_first(&heap) != NULL) {
        struct timer *first = timer_heap_first(&heap);
        timer_heap_remove(&heap, first);
        is_in[first - timers] = false;
        check_first();
    }
    CHECK_EQUAL(heap.count, 0);
}

TEST(clock_dates)
{
    static const struct {
        struct rtc_time time;
        uint64_t seconds; /* date -u -d '...' +%s */
    } rows[] = {
        {{0, 0, 0, 1, 1, 1970}, 0},
        {{59, 59, 23, 31, 12, 1999}, 946684799},
        {{0, 0, 0, 29, 2, 2000}, 951782400},
        {{0, 0, 0, 1, 3, 2000}, 951868800},
        {{7, 14, 3, 19, 1, 2038}, 2147483647},
        {{30, 20, 10, 28, 2, 2023}, 1677579630},
        {{0, 0, 0, 1, 3, 2024}, 1709251200},
        {{0, 0, 0, 1, 1, 2069}, 3124224000},
    };
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++)
        CHECK_EQUAL(rtc_seconds(&rows[i].time), rows[i].seconds);
}
