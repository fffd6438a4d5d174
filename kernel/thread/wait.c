#include "kernel/thread/wait.h"

#include "kernel/cpu/registers.h"
#include "kernel/include/errors.h"
#include "kernel/memory/platform.h"
#include "kernel/thread/clock.h"
#include "kernel/thread/internal.h"

/* ---- the queue ---- */

/* Into its place behind `before`, NULL: in front of all. */
static void link(struct wait_queue *queue, struct wait_entry *before, struct wait_entry *entry)
{
    struct wait_entry *next = before != NULL ? before->next : queue->first;
    entry->previous = before;
    entry->next = next;
    *(before != NULL ? &before->next : &queue->first) = entry;
    *(next != NULL ? &next->previous : &queue->last) = entry;
}

/* Behind the last who has not less priority. */
static __attribute__((noinline)) void insert_among(struct wait_queue *queue,
                                                   struct wait_entry *entry)
{
    struct wait_entry *before = queue->last;
    while (before != NULL && before->priority < entry->priority)
        before = before->other_end->previous;
    link(queue, before, entry);
    if (before != NULL && before->priority == entry->priority) {
        entry->other_end = before->other_end;
        entry->other_end->other_end = entry;
    }
}

static __attribute__((noinline)) void insert(struct wait_queue *queue, struct wait_entry *entry)
{
    entry->queue = queue;
    entry->other_end = entry;
    entry->priority = entry->thread->effective_priority;
    if (queue->last != NULL) {
        insert_among(queue, entry);
        return;
    }
    entry->next = entry->previous = NULL;
    queue->first = queue->last = entry;
}

static bool is_equal(const struct wait_entry *neighbour, const struct wait_entry *entry)
{
    return neighbour != NULL && neighbour->priority == entry->priority;
}

/* An end of a stretch leaves its place to its neighbour inside. */
static void leave_stretch(const struct wait_entry *entry)
{
    const bool is_first = !is_equal(entry->previous, entry);
    if (is_first == !is_equal(entry->next, entry)) /* alone, or in the middle */
        return;
    struct wait_entry *heir = is_first ? entry->next : entry->previous, *end = entry->other_end;
    heir->other_end = end;
    end->other_end = heir;
}

static void take_out(struct wait_entry *entry)
{
    struct wait_queue *queue = entry->queue;
    leave_stretch(entry);
    *(entry->previous != NULL ? &entry->previous->next : &queue->first) = entry->next;
    *(entry->next != NULL ? &entry->next->previous : &queue->last) = entry->previous;
    entry->queue = NULL;
}

/* ---- waiting and waking ---- */

void wait_begin(void)
{
    thread_now->is_woken = false;
}

void wait_add(struct wait_queue *queue, struct wait_entry *entry)
{
    unsigned long saved = platform_interrupts_save();
    entry->thread = thread_now;
    insert(queue, entry);
    platform_interrupts_restore(saved);
}

void wait_remove(struct wait_entry *entry)
{
    unsigned long saved = platform_interrupts_save();
    if (entry->queue != NULL)
        take_out(entry);
    platform_interrupts_restore(saved);
}

void wait_move(struct wait_entry *entry)
{
    struct wait_queue *queue = entry->queue;
    if (queue == NULL)
        return;
    take_out(entry);
    insert(queue, entry);
}

void wait_finish(struct thread *thread, int result)
{
    if (thread->state != THREAD_WAITING) {
        thread->is_woken |= result == 0;
        return;
    }
    thread->wake_result = result;
    schedule_ready(thread);
}

/* The timer of a wait lies on the waiter's stack, which finds the thread. */
struct wait_timer {
    struct timer timer;
    struct thread *thread;
};

static void on_deadline(struct timer *timer)
{
    wait_finish(((struct wait_timer *)timer)->thread, -ETIMEDOUT);
}

static int block(unsigned flags)
{
    thread_now->is_interruptible = flags & WAIT_INTERRUPTIBLE;
    thread_now->state = THREAD_WAITING;
    schedule_away();
    return thread_now->wake_result;
}

static __attribute__((noinline)) int block_until(unsigned flags, uint64_t deadline_ns)
{
    struct wait_timer timer = {.thread = thread_now};
    if (clock_monotonic_ns() >= deadline_ns)
        return -ETIMEDOUT;
    timer_set(&timer.timer, deadline_ns, on_deadline);
    int result = block(flags);
    timer_cancel(&timer.timer);
    return result;
}

static inline int block_unless_woken(unsigned flags, uint64_t deadline_ns)
{
    if (thread_now->is_woken) {
        thread_now->is_woken = false;
        return 0;
    }
    if (flags & WAIT_INTERRUPTIBLE && thread_now->work & THREAD_WORK_SIGNAL)
        return -EINTR;
    return deadline_ns == WAIT_FOREVER ? block(flags) : block_until(flags, deadline_ns);
}

int wait_block(unsigned flags, uint64_t deadline_ns)
{
    return block_unless_woken(flags, deadline_ns);
}

int wait_sleep(struct wait_queue *queue, unsigned flags, uint64_t deadline_ns)
{
    struct wait_entry entry;
    entry.thread = thread_now;
    wait_begin();
    insert(queue, &entry);
    int result = block_unless_woken(flags, deadline_ns);
    if (entry.queue != NULL)
        take_out(&entry);
    return result;
}

static inline void wake_first(struct wait_queue *queue)
{
    struct wait_entry *entry = queue->first;
    if (entry->next != NULL) {
        take_out(entry);
    } else {
        queue->first = queue->last = NULL;
        entry->queue = NULL;
    }
    wait_finish(entry->thread, 0);
}

void wait_wake_one(struct wait_queue *queue)
{
    unsigned long saved = platform_interrupts_save();
    if (queue->first != NULL)
        wake_first(queue);
    schedule_restore(saved);
}

/* Interrupts come between one and the next. Nobody joins meanwhile, since no other thread runs. */
static __attribute__((noinline)) void wake_others(struct wait_queue *queue, unsigned long saved)
{
    preempt_disable();
    while (queue->first != NULL) {
        wake_first(queue);
        platform_interrupts_restore(saved);
        (void)platform_interrupts_save();
    }
    preempt_enable();
}

void wait_wake_all(struct wait_queue *queue)
{
    unsigned long saved = platform_interrupts_save();
    if (queue->first != NULL)
        wake_first(queue);
    if (queue->first != NULL)
        wake_others(queue, saved);
    schedule_restore(saved);
}

int wait_until(uint64_t deadline_ns, unsigned flags)
{
    unsigned long saved = platform_interrupts_save();
    wait_begin();
    int result = wait_block(flags, deadline_ns);
    thread_interrupts_restore(saved);
    return result == -ETIMEDOUT ? 0 : result;
}

void thread_interrupt(struct thread *thread)
{
    unsigned long saved = platform_interrupts_save();
    thread->work |= THREAD_WORK_SIGNAL;
    if (thread->state == THREAD_WAITING && thread->is_interruptible)
        wait_finish(thread, -EINTR);
    schedule_restore(saved);
}

void thread_interrupt_clear(struct thread *thread)
{
    unsigned long saved = platform_interrupts_save();
    thread->work &= ~THREAD_WORK_SIGNAL;
    platform_interrupts_restore(saved);
}
