#include "kernel/file/pages.h"

#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"

#define SLOT_BITS 6

struct node {
    uintptr_t slots[PAGES_NODE_SLOTS]; /* of the lowest level: frames; else nodes */
};

static unsigned slot_of(uint32_t index, uint32_t level)
{
    return index >> (SLOT_BITS * level) & (PAGES_NODE_SLOTS - 1);
}

/* Whether a tree of this height has a place for the index. */
static bool reaches(uint32_t height, uint32_t index)
{
    return height * SLOT_BITS >= 32 || index >> (SLOT_BITS * height) == 0;
}

frame_t pages_get(const struct pages *pages, uint32_t index)
{
    uintptr_t at = pages->root;
    if (!reaches(pages->height, index))
        return 0;
    for (uint32_t level = pages->height; level > 0 && at != 0; level--)
        at = ((const struct node *)at)->slots[slot_of(index, level - 1)];
    return (frame_t)at;
}

static struct node *new_node(void)
{
    return kcalloc(1, sizeof(struct node));
}

/* One level more; an empty tree gets the height for nothing. */
static int grow(struct pages *pages)
{
    if (pages->root != 0) {
        struct node *node = new_node();
        if (node == NULL)
            return -ENOMEM;
        node->slots[0] = pages->root;
        pages->root = (uintptr_t)node;
    }
    pages->height++;
    return 0;
}

int pages_put(struct pages *pages, uint32_t index, frame_t frame)
{
    uintptr_t *slot = &pages->root;
    while (!reaches(pages->height, index))
        if (grow(pages) != 0)
            return -ENOMEM;
    for (uint32_t level = pages->height; level > 0; level--) {
        if (*slot == 0)
            *slot = (uintptr_t)new_node();
        if (*slot == 0)
            return -ENOMEM;
        slot = &((struct node *)*slot)->slots[slot_of(index, level - 1)];
    }
    *slot = frame;
    pages->count++;
    return 0;
}

static bool is_empty(const struct node *node)
{
    for (unsigned i = 0; i < PAGES_NODE_SLOTS; i++)
        if (node->slots[i] != 0)
            return false;
    return true;
}

/* The highest page at or above `from` in this subtree, whose first index is `first`. Nodes without
 * pages are given back on the way, so the next call goes straight down. */
static frame_t take_last(uintptr_t *slot, uint32_t level, uint32_t first, uint32_t from)
{
    frame_t taken = 0;
    if (*slot == 0)
        return 0;
    if (level == 0) {
        taken = first >= from ? (frame_t)*slot : 0;
        *slot = taken != 0 ? 0 : *slot;
        return taken;
    }
    struct node *node = (struct node *)*slot;
    uint32_t shift = SLOT_BITS * (level - 1);
    for (unsigned i = PAGES_NODE_SLOTS; i-- > 0 && taken == 0;) {
        uint64_t start = first + ((uint64_t)i << shift);
        if (start > UINT32_MAX || node->slots[i] == 0)
            continue;
        if (start + ((uint64_t)1 << shift) <= from)
            break;
        taken = take_last(&node->slots[i], level - 1, (uint32_t)start, from);
    }
    if (is_empty(node)) {
        *slot = 0;
        kfree(node);
    }
    return taken;
}

frame_t pages_take_last(struct pages *pages, uint32_t from)
{
    frame_t taken = take_last(&pages->root, pages->height, 0, from);
    if (taken != 0)
        pages->count--;
    if (pages->root == 0)
        pages->height = 0;
    return taken;
}
