#include "kernel/cpu/registers.h"
#include "kernel/cpu/timer.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"
#include "kernel/memory/system.h"
#include "kernel/thread/clock.h"
#include "kernel/thread/mutex.h"
#include "kernel/thread/stack.h"
#include "kernel/thread/thread.h"
#include "tests/kernel/selftest.h"

/*
 * Threads of a test count themselves in and out; `wait_for_end` waits until all are out. The test
 * itself runs in the monitor's thread, in the fair class.
 */
static volatile uint32_t running, steps;
static struct wait_queue ended;
static char order[16]; /* what threads did, one letter a deed */
static volatile uint32_t order_length;

static void note(char letter)
{
    unsigned long saved = platform_interrupts_save();
    if (order_length < sizeof(order) - 1) {
        order[order_length++] = letter;
        order[order_length] = '\0';
    }
    platform_interrupts_restore(saved);
}

static bool is_order(const char *expected)
{
    for (uint32_t i = 0; i <= order_length; i++)
        if (order[i] != expected[i])
            return false;
    return true;
}

static void begin(void)
{
    running = steps = order_length = 0;
    order[0] = '\0';
}

static struct thread *make(void (*run)(void *), void *argument, enum thread_policy policy,
                           int priority)
{
    struct thread *thread = thread_create("test", run, argument);
    if (thread == NULL || thread_set_policy(thread, policy, priority) != 0)
        return NULL;
    running++;
    return thread;
}

/* Whether all were made; if not, those that were are gone. */
static bool are_made(struct thread *const *threads, unsigned count)
{
    unsigned made = 0;
    for (unsigned i = 0; i < count; i++)
        made += threads[i] != NULL;
    for (unsigned i = 0; i < count && made < count; i++)
        if (threads[i] != NULL)
            thread_discard(threads[i]);
    return made == count;
}

static void out(void)
{
    unsigned long saved = platform_interrupts_save();
    running--;
    wait_wake_all(&ended);
    thread_interrupts_restore(saved);
}

/* False if they are not out after ten seconds. */
static bool wait_for_end(void)
{
    uint64_t deadline = clock_monotonic_ns() + 10 * NS_PER_SECOND;
    int error = 0;
    unsigned long saved = platform_interrupts_save();
    while (running != 0 && error == 0)
        error = wait_sleep(&ended, 0, deadline);
    thread_interrupts_restore(saved);
    thread_yield(); /* who was last is freed by who runs next */
    return running == 0;
}

static void count_and_end(void *unused)
{
    (void)unused;
    steps++;
    out();
}

KERNEL_TEST(threads_begin_and_end)
{
    struct pageframe_statistics before, after;
    struct heap_statistics heap_before, heap_after;
    for (unsigned i = 0; i < 10001; i++) {
        if (i == 1) { /* tables and slabs are there now, and stay */
            heap_trim();
            heap_read_statistics(&heap_before);
            pageframe_read_statistics(&before);
        }
        begin();
        struct thread *thread = make(count_and_end, NULL, THREAD_FAIR, 0);
        SELFTEST_CHECK(thread != NULL);
        thread_start(thread);
        SELFTEST_CHECK(wait_for_end() && steps == 1);
    }
    heap_trim();
    heap_read_statistics(&heap_after);
    pageframe_read_statistics(&after);
    SELFTEST_CHECK(before.free_frames == after.free_frames);
    SELFTEST_CHECK(heap_before.objects == heap_after.objects);
    SELFTEST_CHECK(memory_check(NULL) == 0);
}

static volatile uint32_t stack_seen;

static void look_at_stack(void *unused)
{
    (void)unused;
    stack_seen = thread_current()->stack_start;
    steps = (uint32_t)__builtin_frame_address(0);
    out();
}

KERNEL_TEST(thread_stacks_are_guarded)
{
    begin();
    uint32_t stacks = stack_count();
    struct thread *thread = make(look_at_stack, NULL, THREAD_FAIR, 0);
    SELFTEST_CHECK(thread != NULL && stack_count() == stacks + 1);
    uint32_t start = thread->stack_start, end = thread->stack_end;
    SELFTEST_CHECK(start >= MAP_STACKS_START + PAGE_SIZE && end <= MAP_STACKS_END - PAGE_SIZE);
    bool is_guarded = !paging_query(&paging_kernel, start - 1).present &&
                      !paging_query(&paging_kernel, end).present;
    bool is_mapped = true;
    for (uint32_t at = start; at < end; at += PAGE_SIZE)
        is_mapped = is_mapped && paging_query(&paging_kernel, at).present;
    thread_start(thread);
    SELFTEST_CHECK(wait_for_end() && is_guarded && is_mapped);
    SELFTEST_CHECK(steps > start && steps < end && stack_seen == start);
    SELFTEST_CHECK(!paging_query(&paging_kernel, start).present && stack_count() == stacks);
}

KERNEL_TEST(threads_that_never_ran_are_discarded)
{
    struct pageframe_statistics before, after;
    pageframe_read_statistics(&before);
    struct thread *thread = thread_create("test", count_and_end, NULL);
    SELFTEST_CHECK(thread != NULL);
    thread_discard(thread);
    pageframe_read_statistics(&after);
    SELFTEST_CHECK(before.free_frames == after.free_frames);
}

static void note_and_end(void *letter)
{
    note((char)(uint32_t)letter);
    out();
}

/* Whoever has the highest priority runs first; equals in order; the fair ones last. */
KERNEL_TEST(priorities_decide)
{
    static const struct {
        char letter;
        enum thread_policy policy;
        int priority;
    } given[] = {{'f', THREAD_FAIR, 0},  {'c', THREAD_FIFO, 5}, {'d', THREAD_ROUND_ROBIN, 5},
                 {'a', THREAD_FIFO, 99}, {'e', THREAD_FIFO, 1}, {'b', THREAD_FIFO, 98}};
    begin();
    preempt_disable();
    for (unsigned i = 0; i < ARRAY_COUNT(given); i++) {
        struct thread *thread = make(note_and_end, (void *)(uint32_t)given[i].letter,
                                     given[i].policy, given[i].priority);
        if (thread != NULL)
            thread_start(thread);
    }
    preempt_enable();
    SELFTEST_CHECK(wait_for_end());
    SELFTEST_CHECK(is_order("abcdef"));
}

KERNEL_TEST(policies_that_make_no_sense_are_refused)
{
    struct thread *self = thread_current();
    SELFTEST_CHECK(thread_set_policy(self, THREAD_FIFO, 0) == -EINVAL);
    SELFTEST_CHECK(thread_set_policy(self, THREAD_FIFO, 100) == -EINVAL);
    SELFTEST_CHECK(thread_set_policy(self, THREAD_FAIR, 1) == -EINVAL);
    SELFTEST_CHECK(thread_set_policy(self, (enum thread_policy)4, 0) == -EINVAL);
}

/* Never waits; until somebody says so, or for so long that something must be wrong. */
static volatile bool is_enough;

static void spin(void *counter)
{
    uint64_t limit = clock_monotonic_ns() + 20 * NS_PER_SECOND;
    while (!is_enough && clock_monotonic_ns() < limit)
        ++*(volatile uint32_t *)counter;
    out();
}

/* Threads that never wait do not keep others from running: each other, and the one that tests. */
KERNEL_TEST(spinning_threads_are_preempted)
{
    uint32_t counts[2] = {0, 0};
    begin();
    is_enough = false;
    struct thread *spinners[] = {make(spin, &counts[0], THREAD_FAIR, 0),
                                 make(spin, &counts[1], THREAD_FAIR, 0)};
    SELFTEST_CHECK(are_made(spinners, ARRAY_COUNT(spinners)));
    uint64_t start = clock_monotonic_ns();
    thread_start(spinners[0]);
    thread_start(spinners[1]);
    for (unsigned turns = 0; turns < 6; turns++)
        SELFTEST_CHECK(wait_until(clock_monotonic_ns() + NS_PER_TICK, 0) == 0);
    is_enough = true;
    uint64_t passed = clock_monotonic_ns() - start;
    SELFTEST_CHECK(wait_for_end());
    SELFTEST_CHECK(counts[0] > 0 && counts[1] > 0 && passed < 20 * NS_PER_SECOND);
}

static void sleep_and_stop(void *unused)
{
    (void)unused;
    if (wait_until(clock_monotonic_ns() + 20 * NS_PER_TICK, 0) == 0)
        is_enough = true;
    out();
}

/* A real-time thread that becomes ready takes the processor from another that would never end. */
KERNEL_TEST(wake_ups_preempt)
{
    uint32_t count = 0;
    begin();
    is_enough = false;
    struct thread *both[] = {make(sleep_and_stop, NULL, THREAD_FIFO, 10),
                             make(spin, &count, THREAD_FIFO, 9)};
    SELFTEST_CHECK(are_made(both, ARRAY_COUNT(both)));
    uint64_t start = clock_monotonic_ns();
    thread_start(both[0]);
    thread_start(both[1]); /* which has more priority than this one, so it is over on return */
    uint64_t passed = clock_monotonic_ns() - start;
    SELFTEST_CHECK(wait_for_end());
    SELFTEST_CHECK(passed >= 20 * NS_PER_TICK && passed < 20 * NS_PER_SECOND && count > 0);
}

static struct wait_queue queue;
static volatile int wait_result;

static void wait_interruptibly(void *unused)
{
    (void)unused;
    unsigned long saved = platform_interrupts_save();
    wait_result = wait_sleep(&queue, WAIT_INTERRUPTIBLE, WAIT_FOREVER);
    platform_interrupts_restore(saved);
    out();
}

KERNEL_TEST(waits_end_for_each_reason)
{
    unsigned long saved = platform_interrupts_save();
    uint64_t now = clock_monotonic_ns();
    int past = wait_sleep(&queue, 0, now);
    int timed_out = wait_sleep(&queue, WAIT_INTERRUPTIBLE, now + 3 * NS_PER_TICK);
    platform_interrupts_restore(saved);
    SELFTEST_CHECK(past == -ETIMEDOUT && timed_out == -ETIMEDOUT && wait_is_empty(&queue));
    begin();
    for (unsigned way = 0; way < 2; way++) {
        struct thread *thread = make(wait_interruptibly, NULL, THREAD_FIFO, 1);
        SELFTEST_CHECK(thread != NULL);
        thread_start(thread);
        SELFTEST_CHECK(!wait_is_empty(&queue));
        if (way == 0)
            wait_wake_one(&queue);
        else
            thread_interrupt(thread);
        SELFTEST_CHECK(wait_for_end());
        SELFTEST_CHECK(wait_result == (way == 0 ? 0 : -EINTR) && wait_is_empty(&queue));
    }
    thread_interrupt(thread_current());
    saved = platform_interrupts_save();
    int at_once = wait_sleep(&queue, WAIT_INTERRUPTIBLE, WAIT_FOREVER);
    platform_interrupts_restore(saved);
    thread_interrupt_clear(thread_current());
    SELFTEST_CHECK(at_once == -EINTR);
}

static struct mutex mutex, outer;

static void lock_and_note(void *letter)
{
    mutex_lock(&mutex);
    note((char)(uint32_t)letter);
    mutex_unlock(&mutex);
    out();
}

static void lock_outer_then_wait(void *letter)
{
    mutex_lock(&outer);
    lock_and_note(letter);
    mutex_unlock(&outer);
}

static void lock_outer(void *letter)
{
    mutex_lock(&outer);
    note((char)(uint32_t)letter);
    mutex_unlock(&outer);
    out();
}

/* The monitor holds `mutex`; a thread that holds `outer` waits for it, and one of priority 70 for
 * that: both lend theirs. The waiters then get it in order of priority. */
KERNEL_TEST(mutexes_lend_priority)
{
    struct thread *self = thread_current();
    begin();
    struct thread *low = make(lock_and_note, (void *)'l', THREAD_FIFO, 10);
    struct thread *middle = make(lock_outer_then_wait, (void *)'m', THREAD_FIFO, 30);
    struct thread *high = make(lock_outer, (void *)'h', THREAD_FIFO, 70);
    struct thread *const all[] = {low, middle, high};
    SELFTEST_CHECK(are_made(all, ARRAY_COUNT(all)));
    mutex_lock(&mutex);
    thread_start(low);
    uint8_t lent_first = self->effective_priority;
    thread_start(middle);
    uint8_t lent_second = self->effective_priority;
    thread_start(high);
    uint8_t lent_through = self->effective_priority, lent_middle = middle->effective_priority;
    int busy = mutex_try_lock(&outer);
    mutex_unlock(&mutex);
    uint8_t lent_after = self->effective_priority;
    SELFTEST_CHECK(wait_for_end());
    SELFTEST_CHECK(lent_first == 10 && lent_second == 30 && lent_through == 70 &&
                   lent_middle == 70 && lent_after == 0 && busy == -EBUSY);
    SELFTEST_CHECK(is_order("mhl"));
    SELFTEST_CHECK(mutex.owner == NULL && outer.owner == NULL);
}

#define PLACES 24u

/* Links agree, priorities fall, equals stand as they came, and the ends of a stretch know each
 * other. */
static bool is_in_order(const struct wait_queue *waiters, const struct wait_entry *entries,
                        const uint32_t *arrivals, uint32_t waiting)
{
    const struct wait_entry *start = waiters->first, *previous = NULL;
    for (const struct wait_entry *at = waiters->first; at != NULL; previous = at, at = at->next) {
        const bool is_equal = previous != NULL && previous->priority == at->priority;
        if (at->previous != previous || waiting-- == 0)
            return false;
        if (previous != NULL && previous->priority < at->priority)
            return false;
        if (is_equal && arrivals[previous - entries] > arrivals[at - entries])
            return false;
        if (!is_equal)
            start = at;
        if ((at->next == NULL || at->next->priority != at->priority) &&
            (at->other_end != start || start->other_end != at))
            return false;
    }
    return waiters->last == previous && waiting == 0;
}

KERNEL_TEST(waiters_stand_in_order)
{
    static struct wait_entry entries[PLACES];
    static uint32_t arrivals[PLACES];
    struct wait_queue waiters = {.first = NULL};
    uint32_t waiting = 0, random = 12345;
    bool is_right = true;
    memset(entries, 0, sizeof(entries));
    for (uint32_t step = 0; step < 20000 && is_right; step++) {
        random = random * 1664525 + 1013904223;
        struct wait_entry *entry = &entries[(random >> 8) % PLACES];
        const int priority = (int)(random >> 16) % 5;
        if (entry->queue != NULL) {
            wait_remove(entry);
            waiting--;
        } else if (thread_set_policy(thread_current(), priority > 0 ? THREAD_FIFO : THREAD_FAIR,
                                     priority) == 0) {
            arrivals[entry - entries] = step;
            wait_add(&waiters, entry);
            waiting++;
        }
        if (step % 3000 == 2999) {
            wait_wake_all(&waiters);
            waiting = 0;
        } else if (step % 100 == 99 && waiting > 0) {
            wait_wake_one(&waiters);
            waiting--;
        }
        is_right = is_in_order(&waiters, entries, arrivals, waiting);
    }
    wait_wake_all(&waiters);
    SELFTEST_CHECK(thread_set_policy(thread_current(), THREAD_FAIR, 0) == 0);
    SELFTEST_CHECK(is_right && wait_is_empty(&waiters));
}

/* Many threads add to a number that is only right if the lock works; each gives way in between. */
static volatile uint32_t guarded;

static void add_under_lock(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < 200; i++) {
        mutex_lock(&mutex);
        uint32_t seen = guarded;
        thread_yield();
        guarded = seen + 1;
        mutex_unlock(&mutex);
    }
    out();
}

KERNEL_TEST(mutexes_exclude)
{
    struct thread *adders[8];
    begin();
    guarded = 0;
    for (unsigned i = 0; i < ARRAY_COUNT(adders); i++)
        adders[i] = make(add_under_lock, NULL, THREAD_FAIR, 0);
    SELFTEST_CHECK(are_made(adders, ARRAY_COUNT(adders)));
    for (unsigned i = 0; i < ARRAY_COUNT(adders); i++)
        thread_start(adders[i]);
    SELFTEST_CHECK(wait_for_end() && guarded == 8 * 200);
}

static struct timer timers[4];

static void on_timer(struct timer *timer)
{
    note((char)('0' + (timer - timers)));
}

KERNEL_TEST(timers_come_in_order)
{
    static const uint8_t ticks[4] = {9, 3, 6, 12};
    begin();
    /* However slow the machine: none ends before all are set. */
    unsigned long saved = platform_interrupts_save();
    uint64_t now = clock_monotonic_ns();
    for (unsigned i = 0; i < 4; i++)
        timer_set(&timers[i], now + ticks[i] * NS_PER_TICK, on_timer);
    bool was_set = timer_cancel(&timers[3]), again = timer_cancel(&timers[3]);
    timer_set(&timers[0], now + 4 * NS_PER_TICK + NS_PER_TICK / 2, on_timer);
    platform_interrupts_restore(saved);
    SELFTEST_CHECK(wait_until(now + 20 * NS_PER_TICK, 0) == 0);
    SELFTEST_CHECK(was_set && !again && is_order("102"));
}

/* The monotonic clock goes on, never back, and not slower than the timer. */
KERNEL_TEST(clocks_agree)
{
    uint64_t previous = clock_monotonic_ns();
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t now = clock_monotonic_ns();
        SELFTEST_CHECK(now >= previous);
        previous = now;
    }
    uint64_t wall = clock_wall_ns();
    uint64_t start = clock_monotonic_ns(), counter = timer_read_ns();
    timer_wait_ticks(50);
    uint64_t counted = timer_read_ns() - counter, passed = clock_monotonic_ns() - start;
    /* An emulator may lose ticks, never find some. */
    if (passed < 45 * NS_PER_TICK || counted > passed + passed / 10)
        selftest_fail(__FILE__, __LINE__, "50 ticks are %u us by the clock, %u us by the counter",
                      (unsigned)(passed / 1000), (unsigned)(counted / 1000));
    SELFTEST_CHECK(clock_wall_ns() - wall >= passed && wall > 1500000000 * NS_PER_SECOND);
}
