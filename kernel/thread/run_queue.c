#include "kernel/thread/run_queue.h"

static void mark(struct run_queue *queue, unsigned priority)
{
    queue->occupied[priority / 32] |= 1u << priority % 32;
}

static void clear(struct run_queue *queue, unsigned priority)
{
    queue->occupied[priority / 32] &= ~(1u << priority % 32);
}

static void insert(struct thread_queue *list, struct thread *thread, enum run_queue_end end)
{
    bool is_front = end == RUN_QUEUE_FRONT;
    thread->ready_queue = list;
    thread->ready_previous = is_front ? NULL : list->last;
    thread->ready_next = is_front ? list->first : NULL;
    if (thread->ready_previous != NULL)
        thread->ready_previous->ready_next = thread;
    else
        list->first = thread;
    if (thread->ready_next != NULL)
        thread->ready_next->ready_previous = thread;
    else
        list->last = thread;
}

uint16_t run_queue_slice(const struct thread *thread)
{
    if (thread->policy == THREAD_IDLE)
        return 1;
    if (thread->effective_priority != THREAD_PRIORITY_FAIR)
        return THREAD_SLICE_TICKS;
    int ticks = (20 - thread->nice) * THREAD_SLICE_TICKS / 20;
    return (uint16_t)(ticks > 0 ? ticks : 1);
}

void run_queue_add(struct run_queue *queue, struct thread *thread, enum run_queue_end end)
{
    unsigned priority = thread->effective_priority;
    bool has_slice = thread->slice_left != 0;
    if (!has_slice)
        thread->slice_left = run_queue_slice(thread);
    queue->count++;
    if (priority == THREAD_PRIORITY_FAIR) {
        insert(&queue->fair[has_slice ? queue->active : !queue->active], thread,
               has_slice ? end : RUN_QUEUE_BACK);
        return;
    }
    queue->real_time_count++;
    insert(&queue->real_time[priority], thread, end);
    mark(queue, priority);
}

void run_queue_remove(struct run_queue *queue, struct thread *thread)
{
    struct thread_queue *list = thread->ready_queue;
    if (thread->ready_previous != NULL)
        thread->ready_previous->ready_next = thread->ready_next;
    else
        list->first = thread->ready_next;
    if (thread->ready_next != NULL)
        thread->ready_next->ready_previous = thread->ready_previous;
    else
        list->last = thread->ready_previous;
    if (list >= queue->real_time && list < queue->real_time + RUN_QUEUE_PRIORITIES) {
        queue->real_time_count--;
        if (list->first == NULL)
            clear(queue, (unsigned)(list - queue->real_time));
    }
    thread->ready_queue = NULL;
    thread->ready_next = thread->ready_previous = NULL;
    queue->count--;
}

static struct thread *first_real_time(const struct run_queue *queue)
{
    for (unsigned word = ARRAY_COUNT(queue->occupied); word-- > 0;)
        if (queue->occupied[word] != 0) {
            unsigned bit = 31 - (unsigned)__builtin_clz(queue->occupied[word]);
            return queue->real_time[word * 32 + bit].first;
        }
    return NULL;
}

struct thread *run_queue_first(struct run_queue *queue)
{
    if (queue->real_time_count != 0)
        return first_real_time(queue);
    if (queue->fair[queue->active].first == NULL)
        queue->active = !queue->active;
    return queue->fair[queue->active].first;
}

/* Among fair threads, one with a slice takes over only from one that has none. */
bool run_queue_precedes(const struct thread *first, const struct thread *running)
{
    if (first->effective_priority != running->effective_priority)
        return first->effective_priority > running->effective_priority;
    return running->slice_left == 0 && running->policy != THREAD_FIFO;
}

/* How many are in the list; -1 if its links are wrong. */
static int count_list(const struct thread_queue *list, uint32_t limit)
{
    const struct thread *previous = NULL;
    int count = 0;
    for (const struct thread *thread = list->first; thread != NULL; thread = thread->ready_next) {
        if (thread->ready_previous != previous || thread->ready_queue != list ||
            (uint32_t)count++ == limit)
            return -1;
        previous = thread;
    }
    return list->last == previous ? count : -1;
}

bool run_queue_is_sound(const struct run_queue *queue)
{
    int total = 0, real_time = 0;
    for (unsigned i = 0; i < RUN_QUEUE_PRIORITIES + 2; i++) {
        const struct thread_queue *list = i < RUN_QUEUE_PRIORITIES
                                              ? &queue->real_time[i]
                                              : &queue->fair[i - RUN_QUEUE_PRIORITIES];
        int count = count_list(list, queue->count);
        if (count < 0)
            return false;
        if (i < RUN_QUEUE_PRIORITIES &&
            (queue->occupied[i / 32] >> i % 32 & 1) != (list->first != NULL))
            return false;
        total += count;
        real_time += i < RUN_QUEUE_PRIORITIES ? count : 0;
    }
    return (uint32_t)total == queue->count && (uint32_t)real_time == queue->real_time_count &&
           queue->real_time[0].first == NULL;
}
