#include "kernel/space/internal.h"

/* The tree of a space's areas. */

static struct heap_cache *cache;

int areas_init(void)
{
    cache = heap_cache_create("areas", sizeof(struct area), 16);
    return cache == NULL ? -ENOMEM : 0;
}

struct area *area_new(struct space *space)
{
    struct area *area = space->kept;
    if (space->areas >= SPACE_AREAS_MAX)
        return NULL;
    if (area == NULL)
        return heap_cache_alloc(cache);
    space->kept = NULL;
    return area;
}

void area_free(struct space *space, struct area *area)
{
    if (space->kept == NULL)
        space->kept = area;
    else
        heap_cache_free(cache, area);
}

void area_free_kept(struct space *space)
{
    if (space->kept != NULL)
        heap_cache_free(cache, space->kept);
    space->kept = NULL;
}

static uint32_t height_of(const struct area *area)
{
    return area == NULL ? 0 : area->height;
}

static uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* What a node keeps of its subtree; whether that changed. */
static inline bool update(struct area *area)
{
    const struct area *left = area->left, *right = area->right;
    uint32_t largest = area->gap, height = 0;
    bool changed;
    if (left != NULL) {
        height = left->height;
        largest = max(largest, left->largest);
    }
    if (right != NULL) {
        height = max(height, right->height);
        largest = max(largest, right->largest);
    }
    changed = largest != area->largest || height + 1 != area->height;
    area->largest = largest;
    area->height = height + 1;
    return changed;
}

/* From the node up, as long as something changes. */
static void update_up(struct area *area)
{
    while (area != NULL && update(area))
        area = area->parent;
}

/* `to` takes the place of `from` below from's parent. */
static void put_in_place(struct space *space, const struct area *from, struct area *to)
{
    struct area *parent = from->parent;
    if (parent == NULL)
        space->root = to;
    else if (parent->left == from)
        parent->left = to;
    else
        parent->right = to;
    if (to != NULL)
        to->parent = parent;
}

/*
 *        y                x
 *       / \    right     / \
 *      x   c  ------->  a   y
 *     / \     <-------     / \
 *    a   b      left      b   c
 */
static struct area *rotate_right(struct space *space, struct area *y)
{
    struct area *x = y->left;
    put_in_place(space, y, x);
    y->left = x->right;
    if (y->left != NULL)
        y->left->parent = y;
    x->right = y;
    y->parent = x;
    (void)update(y);
    (void)update(x);
    return x;
}

static struct area *rotate_left(struct space *space, struct area *x)
{
    struct area *y = x->right;
    put_in_place(space, x, y);
    x->right = y->left;
    if (x->right != NULL)
        x->right->parent = x;
    y->left = x;
    x->parent = y;
    (void)update(x);
    (void)update(y);
    return y;
}

/* A node whose children differ by too much; the node that stands there afterwards. */
static __attribute__((noinline)) struct area *rotate(struct space *space, struct area *area)
{
    if (height_of(area->left) > height_of(area->right)) {
        if (height_of(area->left->left) < height_of(area->left->right))
            rotate_left(space, area->left);
        return rotate_right(space, area);
    }
    if (height_of(area->right->right) < height_of(area->right->left))
        rotate_right(space, area->right);
    return rotate_left(space, area);
}

static inline bool leans(const struct area *area)
{
    /* -2 to 2 become 0 to 4 */
    return height_of(area->left) - height_of(area->right) + 2 > 4;
}

/* After a node was added or taken away below this one: up to the root, or until nothing changes,
 * but as far as `least`, whose gap is another now and which is on the way; NULL: nobody's is. */
static void balance_up(struct space *space, struct area *area, const struct area *least)
{
    while (area != NULL) {
        bool changed;
        if (area == least)
            least = NULL;
        if (leans(area)) {
            const uint32_t height = area->height, largest = area->largest;
            area = rotate(space, area);
            changed = area->height != height || area->largest != largest;
        } else {
            changed = update(area);
        }
        if (!changed && least == NULL)
            return;
        area = area->parent;
    }
}

struct area *area_search(struct space *space, uint32_t address)
{
    struct area *found = NULL;
    for (struct area *area = space->root; area != NULL;) {
        if (address < area->end) {
            found = area;
            if (address >= area->start)
                break;
            area = area->left;
        } else {
            area = area->right;
        }
    }
    if (found != NULL)
        space->recent = found;
    return found;
}

/* Into the list, between its neighbours, and into the gap there. */
static inline void link_between(struct space *space, struct area *area, struct area *previous,
                                struct area *next)
{
    area->previous = previous;
    area->next = next;
    area->gap = area->start - area_end_of(previous);
    if (previous != NULL)
        previous->next = area;
    else
        space->first = area;
    if (next != NULL) {
        next->previous = area;
        next->gap = next->start - area->end;
    } else {
        space->last = area;
    }
}

/* Of two neighbours one has no child towards the other: there a leaf between them hangs, and its
 * successor is above it. */
void area_insert(struct space *space, struct area *area, struct area *next)
{
    struct area *previous = next != NULL ? next->previous : space->last;
    struct area *parent = next;
    if (next != NULL && next->left == NULL) {
        next->left = area;
    } else if (previous != NULL) {
        parent = previous;
        previous->right = area;
    } else {
        space->root = area;
    }
    area->left = area->right = NULL;
    area->parent = parent;
    link_between(space, area, previous, next);
    area->largest = area->gap;
    area->height = 1;
    space->areas++;
    space->recent = area;
    balance_up(space, parent, next);
}

/* A node with two children changes places with its successor, which has no left one. Returns where
 * balancing begins. */
static struct area *unlink_inner(struct space *space, struct area *area)
{
    struct area *heir = area->next, *from = heir->parent;
    if (from == area) {
        from = heir;
    } else {
        put_in_place(space, heir, heir->right);
        heir->right = area->right;
        heir->right->parent = heir;
    }
    put_in_place(space, area, heir);
    heir->left = area->left;
    heir->left->parent = heir;
    heir->height = area->height;
    heir->largest = area->largest;
    return from;
}

void area_remove(struct space *space, struct area *area)
{
    struct area *next = area->next, *previous = area->previous, *from, *only = NULL;
    if (area->left != NULL && area->right != NULL) {
        from = unlink_inner(space, area);
    } else {
        from = area->parent;
        only = area->left != NULL ? area->left : area->right;
        put_in_place(space, area, only);
    }
    if (previous != NULL)
        previous->next = next;
    else
        space->first = next;
    if (next != NULL) {
        next->previous = previous;
        next->gap = next->start - area_end_of(previous);
    } else {
        space->last = previous;
    }
    space->areas--;
    if (space->recent == area)
        space->recent = next;
    if (only != NULL && only == area->right) { /* then the next one is in it, and else above */
        for (struct area *node = next; node != from; node = node->parent)
            (void)update(node);
        next = NULL;
    }
    balance_up(space, from, next);
}

void area_set_start(struct area *area, uint32_t start)
{
    area->gap += start - area->start;
    area->start = start;
    update_up(area);
}

/* Only the next one's gap is another: what a node keeps has nothing of its own end. */
void area_set_end(struct area *area, uint32_t end)
{
    struct area *next = area->next;
    area->end = end;
    if (next == NULL)
        return;
    next->gap = next->start - end;
    update_up(next);
}

/* The highest place in a gap, as far as it lies in [low, high); 0: none. */
static uint32_t place_in(uint32_t start, uint32_t end, uint32_t bytes, uint32_t low, uint32_t high)
{
    start = max(start, low);
    end = end < high ? end : high;
    return start < end && end - start >= bytes ? end - bytes : 0;
}

static uint32_t place_before(struct space *space, struct area *area, uint32_t bytes, uint32_t low,
                             uint32_t high)
{
    const uint32_t found = place_in(area_gap_start(area), area->start, bytes, low, high);
    if (found != 0)
        space->recent = area;
    return found;
}

static inline bool has_gap(const struct area *area, uint32_t bytes)
{
    return area != NULL && area->largest >= bytes;
}

/* The last area of a subtree that has one with such a gap before it. */
static struct area *last_with_gap(struct area *area, uint32_t bytes)
{
    for (;;) {
        if (has_gap(area->right, bytes))
            area = area->right;
        else if (area->gap >= bytes)
            return area;
        else
            area = area->left;
    }
}

/* The nearest area below this one that has such a gap before it; NULL: none has. */
static struct area *previous_with_gap(struct area *area, uint32_t bytes)
{
    for (;;) {
        const struct area *from;
        if (has_gap(area->left, bytes))
            return last_with_gap(area->left, bytes);
        do {
            from = area;
            area = area->parent;
            if (area == NULL)
                return NULL;
        } while (area->left == from);
        if (area->gap >= bytes)
            return area;
    }
}

/* Where a gap of the size is found and nothing fits, it reaches beyond `high` or `low`: there are
 * two such. */
static uint32_t place_below(struct space *space, uint32_t bytes, uint32_t low, uint32_t high)
{
    struct area *area = area_search(space, high);
    if (area == NULL)
        area = space->last;
    for (; area != NULL && area->start > low; area = previous_with_gap(area, bytes)) {
        const uint32_t found = place_before(space, area, bytes, low, high);
        if (found != 0)
            return found;
    }
    return 0;
}

/* The last gaps of all come first: they are the highest, and the stack's is where most places are.
 */
uint32_t area_place(struct space *space, uint32_t bytes, uint32_t low, uint32_t high)
{
    const uint32_t behind = area_end_of(space->last);
    uint32_t found = 0;
    if (behind < high)
        found = place_in(behind, SPACE_END, bytes, low, high);
    if (found == 0 && space->last != NULL)
        found = place_before(space, space->last, bytes, low, high);
    return found != 0 ? found : place_below(space, bytes, low, high);
}
