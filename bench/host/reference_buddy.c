#include <stdlib.h>

#include "bench/host/allocator.h"
#include "bench/host/machine.h"

/*
 * A buddy allocator in the style of Linux, as a point of reference: a descriptor for each frame, a
 * list of free blocks for each order up to 10, a block splits in halves down to what is wanted and
 * merges with its free buddy as often as that goes. The second form puts a cache of single frames
 * in front, which is filled and emptied 31 at a time, as Linux has it for each processor.
 */
#define ORDERS      11u
#define CACHE_BATCH 31u
#define CACHE_MOST  186u

struct link {
    struct link *next, *previous;
};

struct frame {
    uint32_t is_free; /* it is the first of a free block */
    struct link link; /* of that, or of the cache */
    uint32_t order;
};

static struct frame *frames;
static struct link free_blocks[ORDERS];
static struct link cache;
static unsigned cached;

static void list_init(struct link *list)
{
    list->next = list->previous = list;
}

static bool list_is_empty(const struct link *list)
{
    return list->next == list;
}

static void list_push(struct link *list, struct link *link)
{
    link->next = list->next;
    link->previous = list;
    list->next->previous = link;
    list->next = link;
}

static void list_remove(struct link *link)
{
    link->next->previous = link->previous;
    link->previous->next = link->next;
}

static struct frame *frame_of_link(struct link *link)
{
    return (struct frame *)((char *)link - offsetof(struct frame, link));
}

static void block_insert(struct frame *block, unsigned order)
{
    block->is_free = 1;
    block->order = order;
    list_push(&free_blocks[order], &block->link);
}

static void block_remove(struct frame *block)
{
    block->is_free = 0;
    list_remove(&block->link);
}

static int block_alloc(unsigned order)
{
    struct frame *block;
    unsigned from = order;
    while (from < ORDERS && list_is_empty(&free_blocks[from]))
        from++;
    if (from == ORDERS)
        return -1;
    block = frame_of_link(free_blocks[from].next);
    block_remove(block);
    while (from-- > order)
        block_insert(block + (1u << from), from);
    return (int)(block - frames);
}

static void block_free(int first, unsigned order)
{
    unsigned number = (unsigned)first;
    for (; order < ORDERS - 1; order++) {
        unsigned buddy = number ^ 1u << order;
        if (buddy >= FRAME_COUNT || !frames[buddy].is_free || frames[buddy].order != order)
            break;
        block_remove(&frames[buddy]);
        number &= buddy;
    }
    block_insert(&frames[number], order);
}

static void buddy_start(void)
{
    free(frames);
    frames = calloc(FRAME_COUNT, sizeof(*frames));
    if (frames == NULL)
        fail("no memory for the buddy's descriptors");
    for (unsigned order = 0; order < ORDERS; order++)
        list_init(&free_blocks[order]);
    list_init(&cache);
    cached = 0;
    for (unsigned end = FRAME_COUNT; end != 0; end -= 1u << (ORDERS - 1))
        block_insert(&frames[end - (1u << (ORDERS - 1))], ORDERS - 1);
}

static bool cache_refill(void)
{
    for (unsigned i = 0; i < CACHE_BATCH; i++) {
        int frame = block_alloc(0);
        if (frame < 0)
            break;
        list_push(cache.previous, &frames[frame].link);
        cached++;
    }
    return cached != 0;
}

/* Gives back the frames that were freed longest ago. */
static void cache_drain(unsigned count)
{
    for (; count != 0 && cached != 0; count--, cached--) {
        struct frame *frame = frame_of_link(cache.previous);
        list_remove(&frame->link);
        block_free((int)(frame - frames), 0);
    }
}

static int cached_alloc(unsigned order)
{
    struct frame *frame;
    if (order != 0) {
        int first = block_alloc(order);
        if (first >= 0 || cached == 0)
            return first;
        cache_drain(cached);
        return block_alloc(order);
    }
    if (cached == 0 && !cache_refill())
        return -1;
    frame = frame_of_link(cache.next);
    list_remove(&frame->link);
    cached--;
    return (int)(frame - frames);
}

static void cached_free(int first, unsigned order)
{
    if (order != 0) {
        block_free(first, order);
        return;
    }
    list_push(&cache, &frames[first].link);
    if (++cached >= CACHE_MOST)
        cache_drain(CACHE_BATCH);
}

static size_t buddy_metadata_bytes(void)
{
    return FRAME_COUNT * sizeof(struct frame);
}

const struct frame_allocator frame_buddy = {
    .name = "buddy",
    .start = buddy_start,
    .alloc = block_alloc,
    .free = block_free,
    .highest_order = 9,
    .metadata_bytes = buddy_metadata_bytes,
};

const struct frame_allocator frame_buddy_cached = {
    .name = "buddy-cached",
    .start = buddy_start,
    .alloc = cached_alloc,
    .free = cached_free,
    .highest_order = 9,
    .metadata_bytes = buddy_metadata_bytes,
};
