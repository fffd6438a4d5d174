#ifndef KERNEL_FILE_POLL_H
#define KERNEL_FILE_POLL_H

#include "kernel/file/file.h"
#include "kernel/thread/wait.h"

/*
 * Waiting on several files at once: the thread enters itself in the queue of each, looks once more
 * at all of them, and blocks. The list has storage for a few entries and takes more from the heap.
 */
#define POLL_INLINE_ENTRIES 8u

struct poll_chunk {
    struct poll_chunk *next;
    uint32_t used;
    struct wait_entry entries[POLL_INLINE_ENTRIES];
};

struct poll_list {
    struct poll_chunk first;
    struct poll_chunk *last;
    bool is_exhausted; /* an entry found no memory: whoever waits looks again soon */
};

void poll_begin(struct poll_list *list);
void poll_end(struct poll_list *list); /* leaves all queues */

/* For file_operations.poll. NULL: nobody waits. */
void poll_add(struct poll_list *list, struct wait_queue *queue);

/* One file of a set. */
struct poll_item {
    struct file *file;   /* NULL: no such descriptor */
    bool is_passed_over; /* never ready */
    uint32_t wanted;     /* POLL*; POLLERR and POLLHUP always */
    uint32_t ready;
};

/* Fills `ready` in. The number of items that are, 0 when the deadline (monotonic) has passed, or
 * -EINTR. */
int poll_wait(struct poll_item *items, uint32_t count, uint64_t deadline_ns) MUST_CHECK;

#endif
