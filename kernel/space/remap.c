#include "kernel/space/internal.h"

/* mremap. Pages move entry by entry, or not at all: contents are never copied. */

#define KNOWN_FLAGS (MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)

/* One call's numbers: bytes, whole pages. */
struct remap {
    uint32_t from, old_bytes;
    uint32_t to, new_bytes; /* to: only with MREMAP_FIXED, else a hint */
    uint32_t flags;
};

static uint32_t slot_rest(uint32_t address)
{
    return PAGE_LARGE_SIZE - address % PAGE_LARGE_SIZE;
}

static uint32_t min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* A step of the way: within one table on each side. */
static uint32_t step_bytes(uint32_t from, uint32_t to, uint32_t left)
{
    const uint32_t both = min(slot_rest(from), slot_rest(to));
    return min(min(both, left), PAGING_USER_STEP * PAGE_SIZE);
}

/* One step: how far it came. A table as a whole, if it can be, else entries. */
static int move_step(struct space *space, uint32_t from, uint32_t to, uint32_t left,
                     uint32_t *moved)
{
    struct paging_space *paging = &space->paging;
    const uint32_t rest = min(slot_rest(from), left);
    int error = 0;
    *moved = step_bytes(from, to, left);
    if (paging->slots[paging_user_slot(from)].used == 0)
        return 0;
    if (paging_user_is_shared(paging, to))
        error = take_tables(space, to, to + 1);
    if (error != 0)
        return error;
    preempt_disable();
    if (paging_user_move_table(paging, from, to, rest))
        *moved = rest;
    else
        error = paging_user_move(paging, from, to, *moved);
    preempt_enable();
    return error;
}

/* Back to where they were: the tables still are there, or can be had again. */
static void move_back(struct space *space, uint32_t from, uint32_t to, uint32_t bytes)
{
    for (uint32_t at = 0; at < bytes; at += PAGE_SIZE) {
        int error;
        preempt_disable();
        error = paging_user_move(&space->paging, to + at, from + at, PAGE_SIZE);
        preempt_enable();
        MEMORY_ASSERT(error == 0);
    }
}

/* Entries of [from, from + bytes) to `to`, where there are none; the space has tables of its own at
 * `from`. 0, or -ENOMEM (no table) and all is where it was. */
static int move_pages(struct space *space, uint32_t from, uint32_t to, uint32_t bytes)
{
    uint32_t done = 0, moved;
    int error = 0;
    while (done < bytes && error == 0) {
        error = move_step(space, from + done, to + done, bytes - done, &moved);
        if (error == 0)
            done += moved;
    }
    if (error != 0)
        move_back(space, from, to, done);
    paging_user_forget(&space->paging);
    return error;
}

/* ---- growing in place ---- */

/* Whether [end, end + bytes) is free, and clear of what grows down. */
static bool can_grow(const struct area *area, uint32_t bytes)
{
    const struct area *next = area->next;
    if (bytes > SPACE_END - area->end)
        return false;
    if (next == NULL)
        return true;
    if (next->flags & AREA_GROWS_DOWN)
        return next->start - area->end >= bytes + (uint64_t)SPACE_GUARD;
    return next->start - area->end >= bytes;
}

static int grow(struct space *space, struct area *area, uint32_t bytes)
{
    const uint32_t pages = bytes / PAGE_SIZE, end = area->end;
    uint32_t need = table_charge(end, end + bytes, area, area->next);
    int error;
    if (area->flags & AREA_CHARGED)
        need += pages;
    error = charge(space, need);
    if (error != 0)
        return error;
    area_set_end(area, end + bytes);
    area_account(space, area->flags, pages);
    area = area_join(space, area);
    if ((area->flags & (AREA_LOCKED | AREA_ON_FAULT)) == AREA_LOCKED)
        (void)populate(space, end, end + bytes, ACCESS_WRITE);
    return 0;
}

/* ---- moving ---- */

/* The area is exactly the old range, or the call failed with nothing changed. */
static struct area *isolate(struct space *space, uint32_t from, uint32_t bytes)
{
    if (area_split(space, from) != 0)
        return NULL;
    if (area_split(space, from + bytes) != 0) {
        (void)area_join(space, area_at(space, from));
        return NULL;
    }
    return area_at(space, from);
}

/* What a new place costs, of which `have` pages are charged already. */
static uint32_t charge_at(struct space *space, uint32_t flags, uint32_t start, uint32_t bytes,
                          uint32_t have)
{
    const struct area *next = area_find(space, start);
    const struct area *previous = next != NULL ? next->previous : space->last;
    const uint32_t tables = table_charge(start, start + bytes, previous, next);
    return flags & AREA_CHARGED ? tables + bytes / PAGE_SIZE - have : tables;
}

/* The area goes without its pages, and without the charge for them. */
static void leave_place(struct space *space, struct area *area)
{
    const struct area *previous = area->previous, *next = area->next;
    area_remove(space, area);
    note_size_peak(space);
    area_account(space, area->flags, -area_pages(area));
    uncharge(space, table_charge(area->start, area->end, previous, next));
    if (area->backing != NULL)
        area->backing->ops->drop(area->backing);
    area_free(space, area);
}

/* MREMAP_DONTUNMAP: the area stays without its pages, and its lock has gone with them. */
static void leave_empty(struct space *space, struct area *area)
{
    area_account(space, area->flags, -area_pages(area));
    area->flags &= ~(uint32_t)(AREA_LOCKED | AREA_ON_FAULT);
    area_account(space, area->flags, area_pages(area));
    (void)area_join(space, area);
}

/* Moves the area to where nothing is. A copy of it is made there first. */
static int32_t move_to(struct space *space, struct area *area, const struct remap *remap,
                       uint32_t to)
{
    const uint32_t flags = area->flags & ~(AREA_STACK | AREA_GROWS_DOWN);
    const uint32_t have = remap->flags & MREMAP_DONTUNMAP ? 0 : remap->old_bytes / PAGE_SIZE;
    const uint32_t need = charge_at(space, flags, to, remap->new_bytes, have);
    const uint32_t moved = min(remap->old_bytes, remap->new_bytes);
    struct area *copy;
    int error = take_tables(space, area->start, area->end);
    if (error != 0)
        return error;
    copy = area_new(space);
    if (copy == NULL)
        return -ENOMEM;
    error = charge(space, need);
    if (error == 0) {
        error = move_pages(space, area->start, to, moved);
        if (error != 0)
            uncharge(space, need);
    }
    if (error != 0) {
        area_free(space, copy);
        return error;
    }
    *copy = (struct area){.start = to,
                          .end = to + remap->new_bytes,
                          .flags = flags,
                          .backing = area->backing,
                          .index = area->index};
    if (copy->backing != NULL)
        copy->backing->ops->hold(copy->backing);
    area_account(space, flags, remap->new_bytes / PAGE_SIZE);
    area_insert(space, copy, area_find(space, to));
    if (remap->flags & MREMAP_DONTUNMAP)
        leave_empty(space, area);
    else
        leave_place(space, area);
    (void)area_join(space, area_at(space, to));
    if ((flags & (AREA_LOCKED | AREA_ON_FAULT)) == AREA_LOCKED)
        (void)populate(space, to, to + remap->new_bytes, ACCESS_WRITE);
    return (int32_t)to;
}

static int32_t move(struct space *space, const struct remap *remap, uint32_t to)
{
    struct area *area = isolate(space, remap->from, remap->old_bytes);
    int32_t result;
    if (area == NULL)
        return -ENOMEM;
    result = move_to(space, area, remap, to);
    if (result < 0)
        (void)area_join(space, area);
    return result;
}

/* A second view of the same shared object: old length 0. */
static int32_t view_again(struct space *space, const struct area *area, const struct remap *remap,
                          uint32_t to)
{
    const uint32_t index = area->index + (remap->from - area->start) / PAGE_SIZE;
    const uint32_t need = charge_at(space, area->flags, to, remap->new_bytes, 0);
    struct area *copy = area_new(space);
    if (copy == NULL)
        return -ENOMEM;
    if (charge(space, need) != 0) {
        area_free(space, copy);
        return -ENOMEM;
    }
    *copy = (struct area){.start = to,
                          .end = to + remap->new_bytes,
                          .flags = area->flags,
                          .backing = area->backing,
                          .index = index};
    copy->backing->ops->hold(copy->backing);
    area_account(space, copy->flags, remap->new_bytes / PAGE_SIZE);
    area_insert(space, copy, area_find(space, to));
    (void)area_join(space, copy);
    return (int32_t)to;
}

/* ---- the call ---- */

/* Whether the old range can become the new one, wherever that is. */
static int check_area(const struct space *space, const struct area *area, const struct remap *remap)
{
    const uint32_t grown =
        remap->new_bytes > remap->old_bytes ? remap->new_bytes - remap->old_bytes : 0;
    if (remap->old_bytes == 0 && !(area->flags & AREA_SHARED))
        return -EINVAL;
    if (remap->old_bytes > area->end - remap->from)
        return -EFAULT;
    if (area->backing != NULL &&
        area->index + (remap->from - area->start) / PAGE_SIZE + remap->new_bytes / PAGE_SIZE <
            area->index)
        return -EINVAL;
    return check_limits(space, area->flags,
                        (remap->flags & MREMAP_DONTUNMAP ? remap->new_bytes : grown) / PAGE_SIZE);
}

static int check_fixed(const struct remap *remap)
{
    if (remap->to % PAGE_SIZE != 0)
        return -EINVAL;
    if (remap->to < SPACE_START || remap->new_bytes > SPACE_END ||
        remap->to > SPACE_END - remap->new_bytes)
        return -EINVAL;
    if (remap->from < remap->to + remap->new_bytes && remap->to < remap->from + remap->old_bytes)
        return -EINVAL;
    return 0;
}

static int32_t remap_elsewhere(struct space *space, struct remap *remap)
{
    struct area *area = area_at(space, remap->from);
    uint32_t to = remap->to;
    int error = check_area(space, area, remap);
    if (error != 0)
        return error;
    if (!(remap->flags & MREMAP_FIXED)) {
        to = place(space, remap->flags & MREMAP_DONTUNMAP ? to : 0, remap->new_bytes, area->flags);
        if (to == 0)
            return -ENOMEM;
    }
    return remap->old_bytes == 0 ? view_again(space, area, remap, to) : move(space, remap, to);
}

/* What the new length leaves of the old range; more than there can be is refused, as munmap does.
 */
static int unmap_rest(struct space *space, const struct remap *remap)
{
    if (remap->old_bytes > SPACE_END - remap->from)
        return -EINVAL;
    return unmap_range(space, remap->from + remap->new_bytes, remap->from + remap->old_bytes);
}

static int32_t remap_fixed(struct space *space, struct remap *remap)
{
    int error = remap->flags & MREMAP_FIXED ? check_fixed(remap) : 0;
    if (error == 0 && (remap->flags & MREMAP_FIXED))
        error = unmap_range(space, remap->to, remap->to + remap->new_bytes);
    if (error == 0 && remap->old_bytes > remap->new_bytes) {
        error = unmap_rest(space, remap);
        remap->old_bytes = remap->new_bytes;
    }
    return error != 0 ? error : remap_elsewhere(space, remap);
}

static int32_t remap(struct space *space, struct remap *remap)
{
    struct area *area = area_at(space, remap->from);
    const uint32_t grown = remap->new_bytes - remap->old_bytes;
    int error;
    if (area == NULL)
        return -EFAULT;
    if (remap->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
        return remap_fixed(space, remap);
    if (remap->old_bytes >= remap->new_bytes) {
        error = remap->old_bytes == remap->new_bytes ? 0 : unmap_rest(space, remap);
        return error != 0 ? error : (int32_t)remap->from;
    }
    error = check_area(space, area, remap);
    if (error != 0)
        return error;
    if (remap->old_bytes != 0 && remap->from + remap->old_bytes == area->end &&
        can_grow(area, grown)) {
        error = grow(space, area, grown);
        return error != 0 ? error : (int32_t)remap->from;
    }
    return remap->flags & MREMAP_MAYMOVE ? remap_elsewhere(space, remap) : -ENOMEM;
}

int32_t space_remap(struct space *space, uint32_t old_address, uint32_t old_length,
                    uint32_t new_length, uint32_t flags, uint32_t new_address)
{
    struct remap call = {.from = old_address,
                         .old_bytes = (old_length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1),
                         .to = new_address,
                         .new_bytes = (new_length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1),
                         .flags = flags};
    int32_t result;
    if ((flags & ~(uint32_t)KNOWN_FLAGS) || old_address % PAGE_SIZE != 0)
        return -EINVAL;
    if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE))
        return -EINVAL;
    if ((flags & MREMAP_DONTUNMAP) && call.old_bytes != call.new_bytes)
        return -EINVAL;
    if (call.new_bytes == 0 || call.old_bytes < old_length)
        return -EINVAL;
    mutex_lock(&space->lock);
    result = remap(space, &call);
    mutex_unlock(&space->lock);
    return result;
}
