#include "kernel/thread/run_queue.h"

/* ---- which priorities have somebody ---- */

/* Apart from what calls them: fair threads, which are most, do without. */
static __attribute__((noinline)) void mark(struct run_queue *queue, unsigned priority)
{
    queue->occupied[priority / 32] |= 1u << priority % 32;
    queue->occupied_words |= 1u << priority / 32;
}

static __attribute__((noinline)) void clear(struct run_queue *queue, unsigned priority)
{
    queue->occupied[priority / 32] &= ~(1u << priority % 32);
    if (queue->occupied[priority / 32] == 0)
        queue->occupied_words &= ~(1u << priority / 32);
}

static unsigned highest_bit(uint32_t set)
{
    return 31 - (unsigned)__builtin_clz(set);
}

/* ---- a list: a ring, in which the last is before the first ---- */

static void link_before(struct thread *next, struct thread *thread)
{
    thread->ready_next = next;
    thread->ready_previous = next->ready_previous;
    thread->ready_previous->ready_next = thread;
    next->ready_previous = thread;
}

static void unlink(struct thread *thread)
{
    thread->ready_previous->ready_next = thread->ready_next;
    thread->ready_next->ready_previous = thread->ready_previous;
    thread->ready_queue = NULL;
}

/* ---- who comes and goes ---- */

uint16_t run_queue_slice(const struct thread *thread)
{
    if (thread->policy == THREAD_IDLE)
        return 1;
    if (thread->effective_priority != THREAD_PRIORITY_FAIR)
        return THREAD_SLICE_TICKS;
    int ticks = (20 - thread->nice) * THREAD_SLICE_TICKS / 20;
    return (uint16_t)(ticks > 0 ? ticks : 1);
}

/* Where a thread belongs. One without a slice gets one. */
static struct thread_queue *place_of(struct run_queue *queue, struct thread *thread)
{
    const bool has_slice = thread->slice_left != 0;
    if (!has_slice)
        thread->slice_left = run_queue_slice(thread);
    if (thread->effective_priority != THREAD_PRIORITY_FAIR)
        return &queue->real_time[thread->effective_priority];
    return &queue->fair[has_slice ? queue->active : !queue->active];
}

static void enter(struct run_queue *queue, struct thread_queue *list, struct thread *thread,
                  enum run_queue_end end)
{
    thread->ready_queue = list;
    queue->count++;
    if (list->first != NULL) {
        link_before(list->first, thread);
        if (end == RUN_QUEUE_FRONT)
            list->first = thread;
        return;
    }
    list->first = thread->ready_next = thread->ready_previous = thread;
    if (thread->effective_priority != THREAD_PRIORITY_FAIR)
        mark(queue, thread->effective_priority);
}

void run_queue_add(struct run_queue *queue, struct thread *thread, enum run_queue_end end)
{
    if (thread->slice_left == 0)
        end = RUN_QUEUE_BACK;
    enter(queue, place_of(queue, thread), thread, end);
}

static inline void leave(struct run_queue *queue, struct thread *thread)
{
    struct thread_queue *list = thread->ready_queue;
    struct thread *next = thread->ready_next;
    unlink(thread);
    queue->count--;
    if (next == thread) {
        list->first = NULL;
        if (thread->effective_priority != THREAD_PRIORITY_FAIR)
            clear(queue, thread->effective_priority);
    } else if (list->first == thread) {
        list->first = next;
    }
}

void run_queue_remove(struct run_queue *queue, struct thread *thread)
{
    leave(queue, thread);
}

static inline struct thread *first_of(struct run_queue *queue)
{
    if (queue->occupied_words != 0) {
        const unsigned word = highest_bit(queue->occupied_words);
        return queue->real_time[word * 32 + highest_bit(queue->occupied[word])].first;
    }
    if (queue->fair[queue->active].first == NULL)
        queue->active = !queue->active;
    return queue->fair[queue->active].first;
}

struct thread *run_queue_first(struct run_queue *queue)
{
    return first_of(queue);
}

struct thread *run_queue_take(struct run_queue *queue)
{
    struct thread *first = first_of(queue);
    if (first != NULL)
        leave(queue, first);
    return first;
}

struct thread *run_queue_exchange(struct run_queue *queue, struct thread *running)
{
    struct thread *first = run_queue_first(queue);
    struct thread_queue *list;
    if (first == NULL || first->effective_priority < running->effective_priority)
        return NULL;
    list = place_of(queue, running);
    if (list == first->ready_queue) { /* the list does not become empty */
        link_before(first, running);
        running->ready_queue = list;
        list->first = first->ready_next;
        unlink(first);
    } else {
        run_queue_remove(queue, first);
        enter(queue, list, running, RUN_QUEUE_BACK);
    }
    return first;
}

/* How many are in the list; -1 if its links are wrong. */
static int count_list(const struct thread_queue *list, uint32_t limit)
{
    const struct thread *thread = list->first;
    int count = 0;
    if (thread == NULL)
        return 0;
    do {
        const struct thread *next = thread->ready_next;
        if (next == NULL || next->ready_previous != thread || thread->ready_queue != list ||
            (uint32_t)count++ == limit)
            return -1;
        thread = next;
    } while (thread != list->first);
    return count;
}

static bool is_marked(const struct run_queue *queue, unsigned priority)
{
    return queue->occupied[priority / 32] >> priority % 32 & 1;
}

bool run_queue_is_sound(const struct run_queue *queue)
{
    int total = 0;
    for (unsigned i = 0; i < RUN_QUEUE_PRIORITIES + 2; i++) {
        const struct thread_queue *list = i < RUN_QUEUE_PRIORITIES
                                              ? &queue->real_time[i]
                                              : &queue->fair[i - RUN_QUEUE_PRIORITIES];
        int count = count_list(list, queue->count);
        if (count < 0)
            return false;
        if (i < RUN_QUEUE_PRIORITIES && is_marked(queue, i) != (list->first != NULL))
            return false;
        total += count;
    }
    for (unsigned word = 0; word < ARRAY_COUNT(queue->occupied); word++)
        if ((queue->occupied_words >> word & 1) != (queue->occupied[word] != 0))
            return false;
    return (uint32_t)total == queue->count && queue->real_time[0].first == NULL;
}
