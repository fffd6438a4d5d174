#include "kernel/space/internal.h"

/* Areas come and go: mmap, munmap, brk, and what they share with the other calls. */

static uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* ---- splitting and joining ---- */

static void hold(struct backing *backing)
{
    if (backing != NULL)
        backing->ops->hold(backing);
}

static void drop(struct backing *backing)
{
    if (backing != NULL)
        backing->ops->drop(backing);
}

/* The part of an area from `at` on becomes `tail`, which is not in the tree. */
static void split_into(struct space *space, struct area *area, uint32_t at, struct area *tail)
{
    tail->start = at;
    tail->end = area->end;
    tail->flags = area->flags;
    tail->backing = area->backing;
    tail->index = area->backing == NULL ? 0 : area->index + (at - area->start) / PAGE_SIZE;
    hold(tail->backing);
    area->end = at; /* the gap behind it is the tail's from here on */
    area_insert(space, tail, area->next);
}

int area_split(struct space *space, uint32_t address)
{
    struct area *area = area_at(space, address), *tail;
    if (area == NULL || area->start == address)
        return 0;
    tail = area_new(space);
    if (tail == NULL)
        return -ENOMEM;
    split_into(space, area, address, tail);
    return 0;
}

/* Whether the second could be the first's continuation. */
static bool is_continued(const struct area *area, uint32_t flags, const struct backing *backing,
                         uint32_t index)
{
    if (area->flags != flags || area->backing != backing)
        return false;
    return backing == NULL || area->index + area_pages(area) == index;
}

/* The second goes; the first has its range now. */
static void swallow(struct space *space, struct area *area, struct area *next)
{
    area->end = next->end; /* so the next but one keeps its gap */
    area_remove(space, next);
    drop(next->backing);
    area_free(space, next);
}

struct area *area_join(struct space *space, struct area *area)
{
    struct area *next = area->next, *previous = area->previous;
    if (next != NULL && next->start == area->end &&
        is_continued(area, next->flags, next->backing, next->index))
        swallow(space, area, next);
    if (previous != NULL && previous->end == area->start &&
        is_continued(previous, area->flags, area->backing, area->index)) {
        swallow(space, previous, area);
        area = previous;
    }
    return area;
}

/* ---- munmap ---- */

/*
 * What is to be cleared for [start, end), whose first and last area these are. A table at an end
 * that others share goes as a whole if no other area has pages in it, else a table of its own is
 * taken.
 */
struct extent {
    uint32_t start, end;
};

static int extend_start(struct space *space, const struct area *first, struct extent *extent)
{
    const uint32_t low = extent->start & ~(PAGE_LARGE_SIZE - 1);
    if (low == extent->start || !paging_user_is_shared(&space->paging, low))
        return 0;
    if (extent->start != first->start || area_gap_start(first) > low)
        return take_tables(space, low, low + 1);
    extent->start = low;
    return 0;
}

static int extend_end(struct space *space, const struct area *last, struct extent *extent)
{
    const uint32_t high = (extent->end + PAGE_LARGE_SIZE - 1) & ~(PAGE_LARGE_SIZE - 1);
    if (high == extent->end || !paging_user_is_shared(&space->paging, extent->end))
        return 0;
    if (extent->end != last->end || (last->next != NULL && last->next->start < high))
        return take_tables(space, extent->end, extent->end + 1);
    extent->end = high;
    return 0;
}

/* An area's part [start, end) goes; `tail` is for what is left behind it if something is left
 * before it too. */
static void remove_part(struct space *space, struct area *area, uint32_t start, uint32_t end,
                        struct area *tail)
{
    struct area *previous = area->previous, *next = area->next;
    uint32_t pages = (end - start) / PAGE_SIZE, tables;
    note_size_peak(space);
    area_account(space, area->flags, -pages);
    if (!(area->flags & AREA_CHARGED))
        pages = 0;
    if (area->start < start) {
        if (end < area->end)
            split_into(space, area, end, tail);
        previous = area;
        next = area->next;
        area_set_end(area, start);
    } else if (end < area->end) {
        if (area->backing != NULL)
            area->index += (end - area->start) / PAGE_SIZE;
        area_set_start(area, end);
        next = area;
    } else {
        area_remove(space, area);
        drop(area->backing);
        area_free(space, area);
    }
    tables = table_charge(start, end, previous, next);
    uncharge(space, pages + tables);
}

/* Whether there is a page in the range: mostly no table of it has an entry at all. */
static bool has_pages(const struct space *space, uint32_t start, uint32_t end)
{
    for (uint32_t slot = paging_user_slot(start); slot <= paging_user_slot(end - 1); slot++)
        if (space->paging.slots[slot].used != 0)
            return paging_user_next(&space->paging, start, end) != end;
    return false;
}

/* The pages of [start, end), whose first and last area these are. Tables for what stays beside them
 * are taken before the first goes. */
static int unmap_pages(struct space *space, const struct area *first, const struct area *last,
                       uint32_t start, uint32_t end)
{
    struct extent extent = {max(start, first->start), min(end, last->end)};
    int error;
    if (!has_pages(space, extent.start, extent.end))
        return 0;
    error = extend_start(space, first, &extent);
    if (error == 0)
        error = extend_end(space, last, &extent);
    if (error != 0)
        return error;
    for (const struct area *area = first; area != last; area = area->next) {
        clear_pages(space, extent.start, area->end, area->flags);
        extent.start = area->next->start;
    }
    clear_pages(space, extent.start, extent.end, last->flags);
    return 0;
}

int unmap_range(struct space *space, uint32_t start, uint32_t end)
{
    struct area *area = area_find(space, start), *tail = NULL, *last, *next;
    int error;
    if (area == NULL || area->start >= end)
        return 0;
    for (last = area; last->next != NULL && last->next->start < end;)
        last = last->next;
    if (area->start < start && end < area->end) {
        tail = area_new(space);
        if (tail == NULL)
            return -ENOMEM;
    }
    error = unmap_pages(space, area, last, start, end);
    if (error != 0) {
        if (tail != NULL)
            area_free(space, tail);
        return error;
    }
    for (; area != NULL && area->start < end; area = next) {
        next = area->next;
        remove_part(space, area, max(start, area->start), min(end, area->end), tail);
    }
    return 0;
}

int space_unmap(struct space *space, uint32_t start, uint32_t length)
{
    int error;
    if (start % PAGE_SIZE != 0 || length == 0 || start > SPACE_END || length > SPACE_END - start)
        return -EINVAL;
    mutex_lock(&space->lock);
    error = unmap_range(space, start, start + ((length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1)));
    mutex_unlock(&space->lock);
    return error;
}

/* ---- where ---- */

/* Whether a range ends before the next area, and not so near below it if that grows down. */
static bool is_room(const struct area *next, uint32_t end)
{
    if (next == NULL)
        return true;
    if (next->flags & AREA_GROWS_DOWN)
        return next->start >= end && next->start - end >= SPACE_GUARD;
    return next->start >= end;
}

/* The highest place in a window, clear of what grows down. */
static uint32_t place_between(struct space *space, uint32_t bytes, uint32_t low, uint32_t high)
{
    for (;;) {
        const uint32_t start = area_place(space, bytes, low, high);
        const struct area *next;
        if (start == 0)
            return 0;
        next = area_find(space, start);
        if (next == NULL || !(next->flags & AREA_GROWS_DOWN) ||
            next->start - (start + bytes) >= SPACE_GUARD)
            return start;
        if (next->start < low + SPACE_GUARD)
            return 0;
        high = next->start - SPACE_GUARD;
    }
}

uint32_t place(struct space *space, uint32_t hint, uint32_t bytes, uint32_t flags)
{
    const bool is_library =
        (flags & AREA_SHARED) || ((flags & PROT_EXEC) && !(flags & AREA_ANONYMOUS));
    const uint32_t user_end = space->stack_floor != 0 && space->stack_floor > SPACE_GUARD
                                  ? space->stack_floor - SPACE_GUARD
                                  : (uint32_t)MAP_USER_END;
    uint32_t start;
    if (bytes > SPACE_END - SPACE_START)
        return 0;
    if (hint >= SPACE_START && hint <= SPACE_END - bytes &&
        is_room(area_find(space, hint), hint + bytes))
        return hint;
    if (is_library) {
        start = place_between(space, bytes, MAP_LIBRARY_START, MAP_LIBRARY_END);
        return start != 0 ? start : place_between(space, bytes, SPACE_START, user_end);
    }
    start = place_between(space, bytes, SPACE_START, user_end);
    return start != 0 ? start : place_between(space, bytes, MAP_LIBRARY_START, MAP_LIBRARY_END);
}

/* ---- mmap ---- */

#define LOWEST_ADDRESS 0x10000u /* Linux's vm.mmap_min_addr: EPERM below */

static uint32_t type_of(const struct space_mapping *mapping)
{
    return mapping->flags & MAP_TYPE;
}

/* What is wrong with a place whatever else is mapped; 0: nothing. */
static inline int check_place(const struct space_mapping *mapping)
{
    const uint32_t pages = mapping->length / PAGE_SIZE + (mapping->length % PAGE_SIZE != 0);
    if (mapping->length == 0)
        return -EINVAL;
    if (mapping->backing != NULL && mapping->index + pages < mapping->index)
        return -EOVERFLOW;
    if (mapping->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        if (mapping->length > SPACE_END)
            return -ENOMEM;
        if (mapping->address % PAGE_SIZE != 0)
            return -EINVAL;
        if (mapping->address < LOWEST_ADDRESS)
            return -EPERM;
        if (mapping->address < SPACE_START || mapping->address > SPACE_END - pages * PAGE_SIZE ||
            pages * PAGE_SIZE > SPACE_END)
            return -ENOMEM;
    }
    if (mapping->length > SPACE_END - SPACE_START)
        return -ENOMEM;
    return 0;
}

/* The same of the rest of a call. */
static inline int check_kind(const struct space_mapping *mapping)
{
    if (type_of(mapping) != MAP_PRIVATE && type_of(mapping) != MAP_SHARED &&
        (type_of(mapping) != MAP_SHARED_VALIDATE || mapping->backing == NULL))
        return -EINVAL;
    if (mapping->flags & MAP_HUGETLB)
        return -EINVAL;
    if (mapping->backing == NULL && type_of(mapping) != MAP_PRIVATE &&
        (mapping->flags & MAP_GROWSDOWN))
        return -EINVAL;
    if ((mapping->protection & PROT_WRITE) && (mapping->protection & PROT_EXEC))
        return -EACCES;
    return 0;
}

/* What few mappings ask for. */
static uint32_t rare_flags_for(const struct space *space, const struct space_mapping *mapping,
                               uint32_t flags)
{
    if (mapping->flags & MAP_NORESERVE)
        flags = (flags & ~AREA_CHARGED) | AREA_NORESERVE;
    if ((mapping->flags & MAP_GROWSDOWN) && !(flags & AREA_SHARED) && mapping->backing == NULL)
        flags |= AREA_GROWS_DOWN;
    if ((mapping->flags & MAP_LOCKED) || space->lock_future != 0)
        flags |= AREA_LOCKED;
    if (space->lock_future & MCL_ONFAULT)
        flags |= AREA_ON_FAULT;
    return flags;
}

static inline uint32_t flags_for(const struct space *space, const struct space_mapping *mapping)
{
    uint32_t flags = mapping->protection & AREA_RIGHTS;
    if (mapping->backing == NULL)
        flags |= AREA_ANONYMOUS | AREA_MAY(AREA_RIGHTS);
    if (type_of(mapping) != MAP_PRIVATE) {
        flags |= AREA_SHARED;
        if (mapping->backing != NULL)
            flags |= AREA_MAY(mapping->maximum);
    } else {
        flags |= AREA_MAY(AREA_RIGHTS);
        if (flags & PROT_WRITE)
            flags |= AREA_CHARGED;
    }
    if ((mapping->flags & (MAP_NORESERVE | MAP_GROWSDOWN | MAP_LOCKED)) || space->lock_future != 0)
        flags = rare_flags_for(space, mapping, flags);
    return flags;
}

/* Pages of [start, end) that areas have already. */
static uint32_t pages_in(struct space *space, uint32_t start, uint32_t end)
{
    uint32_t pages = 0;
    for (const struct area *area = area_find(space, start); area != NULL && area->start < end;
         area = area->next)
        pages += (min(area->end, end) - max(area->start, start)) / PAGE_SIZE;
    return pages;
}

/* What comes into a space. */
struct addition {
    uint32_t start, end;
    uint32_t flags;
    struct backing *backing;
    uint32_t index;
};

static bool continues_downward(const struct area *next, const struct addition *new)
{
    return next->start == new->end && next->flags == new->flags && next->backing == new->backing &&
           (new->backing == NULL ||
            new->index + (new->end - new->start) / PAGE_SIZE == next->index);
}

/* Enters [start, end), where nothing is: in an area that it continues, or in one of its own. */
static int enter(struct space *space, const struct addition *new, struct area *previous,
                 struct area *next)
{
    struct area *area;
    if (previous != NULL && previous->end == new->start &&is_continued(previous, new->flags,
                                                                       new->backing, new->index)) {
        area_set_end(previous, new->end);
        (void)area_join(space, previous);
        return 0;
    }
    if (next != NULL && continues_downward(next, new)) {
        next->index = new->backing != NULL ? new->index : 0;
        area_set_start(next, new->start);
        return 0;
    }
    area = area_new(space);
    if (area == NULL)
        return -ENOMEM;
    area->start = new->start;
    area->end = new->end;
    area->flags = new->flags;
    area->backing = new->backing;
    area->index = new->index;
    hold(new->backing);
    area_insert(space, area, next);
    return 0;
}

/* Charges and enters a range where nothing is, in front of `next`. */
static int add_range(struct space *space, const struct addition *new, struct area *next)
{
    const uint32_t pages = (new->end - new->start) / PAGE_SIZE;
    struct area *previous = next != NULL ? next->previous : space->last;
    uint32_t need = table_charge(new->start, new->end, previous, next);
    int error;
    if (new->flags & AREA_CHARGED)
        need += pages;
    error = charge(space, need);
    if (error != 0)
        return error;
    error = enter(space, new, previous, next);
    if (error != 0) {
        uncharge(space, need);
        return error;
    }
    area_account(space, new->flags, pages);
    return 0;
}

/* In a place that may be taken: what is there goes. */
static int replace_range(struct space *space, const struct addition *new)
{
    const uint32_t there = pages_in(space, new->start, new->end);
    const uint32_t pages = (new->end - new->start) / PAGE_SIZE;
    int error = check_limits(space, new->flags, pages > there ? pages - there : 0);
    if (error == 0 && there != 0)
        error = unmap_range(space, new->start, new->end);
    return error != 0 ? error : add_range(space, new, area_find(space, new->start));
}

/* Chooses the place, unless the caller did. */
static int choose(struct space *space, const struct space_mapping *mapping, struct addition *new)
{
    const uint32_t bytes = new->end;
    new->start = mapping->address & ~(PAGE_SIZE - 1);
    if (!(mapping->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) {
        new->start = place(space, new->start, bytes, new->flags);
        if (new->start == 0)
            return -ENOMEM;
    }
    new->end = new->start + bytes;
    if ((mapping->flags & MAP_FIXED_NOREPLACE) && pages_in(space, new->start, new->end) != 0)
        return -EEXIST;
    return 0;
}

static int map_chosen(struct space *space, const struct space_mapping *mapping,
                      const struct addition *new)
{
    int error;
    if (mapping->flags & MAP_FIXED)
        return replace_range(space, new);
    error = check_limits(space, new->flags, (new->end - new->start) / PAGE_SIZE);
    return error != 0 ? error : add_range(space, new, area_find(space, new->start));
}

static int32_t map_locked(struct space *space, const struct space_mapping *mapping, uint32_t bytes)
{
    struct addition new = {.end = bytes,
                           .flags = flags_for(space, mapping),
                           .backing = mapping->backing,
                           .index = mapping->index};
    int error = choose(space, mapping, &new);
    if (error != 0)
        return error;
    if (new.backing == NULL && (new.flags &AREA_SHARED)) {
        new.backing = shared_create(bytes / PAGE_SIZE);
        if (new.backing == NULL)
            return -ENOMEM;
    }
    error = map_chosen(space, mapping, &new);
    if (new.backing != mapping->backing)
        drop(new.backing);
    if (error != 0)
        return error;
    if (((new.flags &AREA_LOCKED) || (mapping->flags & MAP_POPULATE)) &&
        !(new.flags &AREA_ON_FAULT) && !(mapping->flags & MAP_NONBLOCK))
        (void)populate(space, new.start, new.end, ACCESS_WRITE);
    return (int32_t) new.start;
}

int32_t space_map(struct space *space, const struct space_mapping *mapping)
{
    int32_t result = check_place(mapping);
    if (result == 0)
        result = check_kind(mapping);
    if (result != 0)
        return result;
    mutex_lock(&space->lock);
    result = map_locked(space, mapping, (mapping->length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1));
    mutex_unlock(&space->lock);
    return result;
}

int space_refuse(struct space *space, const struct space_mapping *mapping, int refusal)
{
    const struct area *next;
    int error = check_place(mapping);
    if (error != 0)
        return error;
    mutex_lock(&space->lock);
    next = area_find(space, mapping->address);
    if ((mapping->flags & MAP_FIXED_NOREPLACE) && next != NULL &&
        next->start < mapping->address + mapping->length)
        refusal = -EEXIST;
    mutex_unlock(&space->lock);
    return refusal;
}

/* ---- brk ---- */

void space_set_brk(struct space *space, uint32_t start)
{
    space->brk_start = space->brk = (start + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

/* The area behind the heap, which is found by its last page: so the heap is what is found last when
 * it shrinks. */
static struct area *behind_heap(struct space *space, uint32_t end)
{
    struct area *area = area_find(space, end - 1);
    return area != NULL && area->end == end ? area->next : area;
}

static int brk_to(struct space *space, uint32_t end)
{
    const uint32_t flags = PROT_READ | PROT_WRITE | AREA_MAY(AREA_RIGHTS) | AREA_ANONYMOUS |
                           AREA_CHARGED | (space->lock_future != 0 ? AREA_LOCKED : 0) |
                           (space->lock_future & MCL_ONFAULT ? AREA_ON_FAULT : 0);
    const uint32_t old_page = (space->brk + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    const uint32_t new_page = (end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    const struct addition new = {old_page, new_page, flags, NULL, 0};
    struct area *next;
    int error;
    if (end < space->brk_start || end > SPACE_END - PAGE_SIZE)
        return -ENOMEM;
    if (new_page <= old_page)
        return new_page == old_page ? 0 : unmap_range(space, new_page, old_page);
    if (space->limits.data != SPACE_UNLIMITED && end - space->brk_start > space->limits.data)
        return -ENOMEM;
    next = behind_heap(space, old_page);
    if (!is_room(next, new_page + PAGE_SIZE))
        return -ENOMEM;
    error = check_limits(space, flags, (new_page - old_page) / PAGE_SIZE);
    if (error == 0)
        error = add_range(space, &new, next);
    if (error == 0 && (flags & (AREA_LOCKED | AREA_ON_FAULT)) == AREA_LOCKED)
        (void)populate(space, old_page, new_page, ACCESS_WRITE);
    return error;
}

uint32_t space_brk(struct space *space, uint32_t end)
{
    mutex_lock(&space->lock);
    if (brk_to(space, end) == 0)
        space->brk = end;
    end = space->brk;
    mutex_unlock(&space->lock);
    return end;
}

/* ---- the stack ---- */

int32_t space_map_stack(struct space *space, uint32_t initial_bytes)
{
    const uint32_t flags = PROT_READ | PROT_WRITE | AREA_MAY(AREA_RIGHTS) | AREA_ANONYMOUS |
                           AREA_CHARGED | AREA_GROWS_DOWN | AREA_STACK;
    const uint32_t end = (uint32_t)MAP_USER_END,
                   most = (uint32_t)(MAP_USER_END - MAP_USER_START) / 2;
    struct addition new = {0, end, flags, NULL, 0};
    uint32_t limit = min(space->limits.stack, most) & ~(PAGE_SIZE - 1), start, spare;
    int error;
    initial_bytes = max((initial_bytes + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1), PAGE_SIZE);
    limit = max(limit, initial_bytes);
    start = end - initial_bytes;
    spare = (limit - initial_bytes) / PAGE_SIZE + SLOT_OF(start) - SLOT_OF(end - limit);
    mutex_lock(&space->lock);
    error = pages_in(space, end - limit, end) != 0 ? -ENOMEM : charge(space, spare);
    if (error == 0) {
        new.start = start;
        error = add_range(space, &new, area_find(space, start));
        if (error != 0)
            uncharge(space, spare);
    }
    if (error == 0) {
        space->stack_spare = spare;
        space->stack_end = end;
        space->stack_floor = end - limit;
    }
    mutex_unlock(&space->lock);
    return error != 0 ? error : (int32_t)end;
}
