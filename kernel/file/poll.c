#include "kernel/file/poll.h"

#include "kernel/include/errors.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/platform.h"
#include "kernel/thread/clock.h"
#include "kernel/thread/thread.h"

#define EXHAUSTED_PAUSE_NS (10 * NS_PER_TICK)

void poll_begin(struct poll_list *list)
{
    list->first.next = NULL;
    list->first.used = 0;
    list->last = &list->first;
    list->is_exhausted = false;
}

static void leave_queues(struct poll_chunk *chunk)
{
    unsigned long saved = platform_interrupts_save();
    for (uint32_t i = 0; i < chunk->used; i++)
        wait_remove(&chunk->entries[i]);
    platform_interrupts_restore(saved);
}

void poll_end(struct poll_list *list)
{
    leave_queues(&list->first);
    for (struct poll_chunk *chunk = list->first.next, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        leave_queues(chunk);
        kfree(chunk);
    }
}

void poll_add(struct poll_list *list, struct wait_queue *queue)
{
    if (list == NULL)
        return;
    if (list->last->used == POLL_INLINE_ENTRIES) {
        struct poll_chunk *chunk = kcalloc(1, sizeof(*chunk));
        if (chunk == NULL) {
            list->is_exhausted = true;
            return;
        }
        list->last->next = chunk;
        list->last = chunk;
    }
    unsigned long saved = platform_interrupts_save();
    wait_add(queue, &list->last->entries[list->last->used++]);
    platform_interrupts_restore(saved);
}

static uint32_t state_of(const struct poll_item *item, struct poll_list *list)
{
    if (item->is_passed_over)
        return 0;
    if (item->file == NULL)
        return POLLNVAL;
    return file_poll(item->file, list) & (item->wanted | POLLERR | POLLHUP | POLLNVAL);
}

static int look(struct poll_item *items, uint32_t count, struct poll_list *list)
{
    int ready = 0;
    for (uint32_t i = 0; i < count; i++) {
        items[i].ready = state_of(&items[i], list);
        ready += items[i].ready != 0;
        if (ready > 0)
            list = NULL; /* nobody is going to wait */
    }
    return ready;
}

static int block(const struct poll_list *list, uint64_t deadline_ns)
{
    uint64_t soon = clock_monotonic_ns() + EXHAUSTED_PAUSE_NS;
    bool is_short = list->is_exhausted && soon < deadline_ns;
    unsigned long saved = platform_interrupts_save();
    int error = wait_block(WAIT_INTERRUPTIBLE, is_short ? soon : deadline_ns);
    thread_interrupts_restore(saved);
    return is_short && error == -ETIMEDOUT ? 0 : error;
}

int poll_wait(struct poll_item *items, uint32_t count, uint64_t deadline_ns)
{
    if (deadline_ns == 0)
        return look(items, count, NULL);
    for (;;) {
        struct poll_list list;
        int error = 0;
        poll_begin(&list);
        int ready = look(items, count, &list);
        if (ready == 0)
            error = block(&list, deadline_ns);
        poll_end(&list);
        if (ready > 0 || error == -EINTR)
            return ready > 0 ? ready : error;
        if (error == -ETIMEDOUT)
            return look(items, count, NULL);
    }
}
