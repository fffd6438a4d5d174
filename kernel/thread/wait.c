#include "kernel/thread/wait.h"

#include "kernel/cpu/registers.h"
#include "kernel/include/errors.h"
#include "kernel/memory/platform.h"
#include "kernel/thread/clock.h"
#include "kernel/thread/internal.h"

/* Before the first who has less priority. */
static __attribute__((noinline)) void insert_among(struct wait_queue *queue,
                                                   struct wait_entry *entry)
{
    struct wait_entry *before = queue->last;
    while (before != NULL && before->thread->effective_priority < entry->thread->effective_priority)
        before = before->previous;
    entry->previous = before;
    entry->next = before != NULL ? before->next : queue->first;
    if (before != NULL)
        before->next = entry;
    else
        queue->first = entry;
    if (entry->next != NULL)
        entry->next->previous = entry;
    else
        queue->last = entry;
}

static __attribute__((noinline)) void insert(struct wait_queue *queue, struct wait_entry *entry)
{
    entry->queue = queue;
    if (queue->last != NULL) {
        insert_among(queue, entry);
        return;
    }
    entry->next = entry->previous = NULL;
    queue->first = queue->last = entry;
}

static void take_out(struct wait_entry *entry)
{
    struct wait_queue *queue = entry->queue;
    if (entry->previous != NULL)
        entry->previous->next = entry->next;
    else
        queue->first = entry->next;
    if (entry->next != NULL)
        entry->next->previous = entry->previous;
    else
        queue->last = entry->previous;
    entry->queue = NULL;
}

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

static void wake_first(struct wait_queue *queue)
{
    struct wait_entry *entry = queue->first;
    queue->first = entry->next;
    *(entry->next != NULL ? &entry->next->previous : &queue->last) = NULL;
    entry->queue = NULL;
    wait_finish(entry->thread, 0);
}

void wait_wake_one(struct wait_queue *queue)
{
    unsigned long saved = platform_interrupts_save();
    if (queue->first != NULL)
        wake_first(queue);
    schedule_restore(saved);
}

void wait_wake_all(struct wait_queue *queue)
{
    unsigned long saved = platform_interrupts_save();
    while (queue->first != NULL)
        wake_first(queue);
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
