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

static uint32_t largest_of(const struct area *area)
{
    return area == NULL ? 0 : area->largest;
}

static uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* What a node keeps of its subtree; whether that changed. */
static bool update(struct area *area)
{
    const uint32_t gap = area->start - area_gap_start(area);
    const uint32_t largest = max(gap, max(largest_of(area->left), largest_of(area->right)));
    const uint32_t height = 1 + max(height_of(area->left), height_of(area->right));
    const bool changed = largest != area->largest || height != area->height;
    area->largest = largest;
    area->height = height;
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

/* The node whose children may differ by two; the node that stands there now. */
static struct area *balance(struct space *space, struct area *area)
{
    if (height_of(area->left) > height_of(area->right) + 1) {
        if (height_of(area->left->left) < height_of(area->left->right))
            rotate_left(space, area->left);
        return rotate_right(space, area);
    }
    if (height_of(area->right) > height_of(area->left) + 1) {
        if (height_of(area->right->right) < height_of(area->right->left))
            rotate_right(space, area->right);
        return rotate_left(space, area);
    }
    return area;
}

/* After a node was added or taken away below this one: up to the root, or until nothing changes,
 * but as far as `least`, whose gap is another now and which is on the way; NULL: nobody's is. */
static void balance_up(struct space *space, struct area *area, const struct area *least)
{
    while (area != NULL) {
        const uint32_t height = area->height, largest = area->largest;
        if (area == least)
            least = NULL;
        (void)update(area);
        area = balance(space, area);
        if (least == NULL && area->height == height && area->largest == largest)
            return;
        area = area->parent;
    }
}

struct area *area_find(struct space *space, uint32_t address)
{
    struct area *area = space->recent, *found = NULL;
    if (area != NULL && address < area->end && address >= area_gap_start(area))
        return area;
    for (area = space->root; area != NULL;) {
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

struct area *area_at(struct space *space, uint32_t address)
{
    struct area *area = area_find(space, address);
    return area != NULL && area->start <= address ? area : NULL;
}

/* Into the list, between its neighbours. */
static void link_between(struct space *space, struct area *area, struct area *previous,
                         struct area *next)
{
    area->previous = previous;
    area->next = next;
    if (previous != NULL)
        previous->next = area;
    else
        space->first = area;
    if (next != NULL)
        next->previous = area;
    else
        space->last = area;
}

void area_insert(struct space *space, struct area *area)
{
    struct area *parent = NULL, **link = &space->root, *previous = NULL, *next = NULL;
    if (space->last != NULL && space->last->end <= area->start) {
        parent = previous = space->last; /* the rightmost has no right child */
        link = &parent->right;
    }
    while (*link != NULL) {
        parent = *link;
        if (area->start < parent->start) {
            next = parent;
            link = &parent->left;
        } else {
            previous = parent;
            link = &parent->right;
        }
    }
    *link = area;
    area->left = area->right = NULL;
    area->parent = parent;
    link_between(space, area, previous, next);
    space->areas++;
    space->recent = area;
    (void)update(area);
    balance_up(space, parent, next); /* a leaf's successor is above it */
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
    if (next != NULL)
        next->previous = previous;
    else
        space->last = previous;
    space->areas--;
    if (space->recent == area)
        space->recent = next;
    if (only != NULL && only == next) {
        (void)update(next); /* it stands in the area's place; else it is above */
        next = NULL;
    }
    balance_up(space, from, next);
}

void area_moved(struct space *space, struct area *area)
{
    (void)space;
    update_up(area);
    if (area->next != NULL)
        update_up(area->next);
}

/* The highest place in a gap, as far as it lies in [low, high); 0: none. */
static uint32_t place_in(uint32_t start, uint32_t end, uint32_t bytes, uint32_t low, uint32_t high)
{
    start = max(start, low);
    end = end < high ? end : high;
    return start < end && end - start >= bytes ? end - bytes : 0;
}

/*
 * From the right to the left, into no subtree whose gaps are all too small, all above `high` or all
 * below `low`. A subtree that is entered for nothing lies on the border at `high` or at `low`:
 * there are two such ways.
 */
uint32_t area_place(const struct space *space, uint32_t bytes, uint32_t low, uint32_t high)
{
    const uint32_t behind = space->last != NULL ? space->last->end : SPACE_START;
    uint32_t found = place_in(behind, SPACE_END, bytes, low, high);
    const struct area *area = space->root, *from = NULL;
    if (found != 0)
        return found;
    while (area != NULL) {
        const struct area *up = area->parent;
        const bool is_new = from == up || from == NULL;
        if (is_new && area->largest < bytes) {
            from = area;
            area = up;
            continue;
        }
        if (is_new && area->right != NULL && area->right->largest >= bytes && area->end < high) {
            from = area;
            area = area->right;
            continue;
        }
        if (is_new || from == area->right) {
            found = place_in(area_gap_start(area), area->start, bytes, low, high);
            if (found != 0)
                return found;
            if (area->left != NULL && area->left->largest >= bytes && area_gap_start(area) > low) {
                from = area;
                area = area->left;
                continue;
            }
        }
        from = area;
        area = up;
    }
    return 0;
}
