#include "kernel/space/internal.h"

/*
 * mlock and its kin. Each entry of a locked area holds a lock of its frame; pages of a private
 * writable area are the space's own from the start, so that writing never faults. fork leaves them
 * so (space.c).
 */

void lock_pages(struct space *space, uint32_t start, uint32_t end)
{
    for (uint32_t at = paging_user_next(&space->paging, start, end); at < end;
         at = paging_user_next(&space->paging, at + PAGE_SIZE, end)) {
        int error = pageframe_lock(paging_user_find(&space->paging, at).frame);
        MEMORY_ASSERT(error == 0);
    }
}

void unlock_pages(struct space *space, uint32_t start, uint32_t end)
{
    for (uint32_t at = paging_user_next(&space->paging, start, end); at < end;
         at = paging_user_next(&space->paging, at + PAGE_SIZE, end)) {
        int error = pageframe_unlock(paging_user_find(&space->paging, at).frame);
        MEMORY_ASSERT(error == 0);
    }
}

static uint32_t min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* One area as a whole gets these of AREA_LOCKED and AREA_ON_FAULT. */
static int set_locked(struct space *space, struct area *area, uint32_t locked)
{
    const uint32_t flags = (area->flags & ~(AREA_LOCKED | AREA_ON_FAULT)) | locked;
    if (flags == area->flags)
        return 0;
    if ((flags ^ area->flags) & AREA_LOCKED) {
        int error = take_tables(space, area->start, area->end);
        if (error != 0)
            return error;
    }
    area_account(space, area->flags, -area_pages(area));
    if (!(area->flags & AREA_LOCKED))
        lock_pages(space, area->start, area->end);
    else if (!(flags & AREA_LOCKED))
        unlock_pages(space, area->start, area->end);
    area->flags = flags;
    area_account(space, area->flags, area_pages(area));
    return 0;
}

/* Up to the first hole. */
static int set_range(struct space *space, uint32_t start, uint32_t end, uint32_t locked)
{
    while (start < end) {
        struct area *area = area_at(space, start);
        uint32_t part_end;
        int error;
        if (area == NULL)
            return -ENOMEM;
        part_end = min(area->end, end);
        if ((area->flags & (AREA_LOCKED | AREA_ON_FAULT)) != locked) {
            if (area_split(space, start) != 0 || area_split(space, part_end) != 0)
                return -ENOMEM;
            area = area_at(space, start);
            error = set_locked(space, area, locked);
            (void)area_join(space, area);
            if (error != 0)
                return error;
        }
        start = part_end;
    }
    return 0;
}

/* Pages of [start, end) that are not locked yet. */
static uint32_t unlocked_in(struct space *space, uint32_t start, uint32_t end)
{
    uint32_t pages = 0;
    for (const struct area *area = area_find(space, start); area != NULL && area->start < end;
         area = area->next)
        if (!(area->flags & AREA_LOCKED))
            pages +=
                (min(area->end, end) - (area->start > start ? area->start : start)) / PAGE_SIZE;
    return pages;
}

static bool is_beyond_limit(const struct space *space, uint32_t pages)
{
    return space->limits.locked != SPACE_UNLIMITED &&
           (uint64_t)space->locked + pages > space->limits.locked / PAGE_SIZE;
}

static int lock_range(struct space *space, uint32_t start, uint32_t end, uint32_t locked)
{
    int error;
    if (space->limits.locked == 0)
        return -EPERM;
    if (is_beyond_limit(space, unlocked_in(space, start, end)))
        return -ENOMEM;
    error = set_range(space, start, end, locked);
    if (error == 0 && !(locked & AREA_ON_FAULT))
        error = populate(space, start, end, ACCESS_WRITE);
    return error == -EFAULT ? -ENOMEM : error;
}

/* [start, start + length) in whole pages; -EINVAL: it wraps. */
static int page_range(uint32_t *start, uint32_t length, uint32_t *end)
{
    const uint32_t offset = *start % PAGE_SIZE;
    const uint64_t bytes = ((uint64_t)length + offset + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
    *start -= offset;
    if (*start + bytes > UINT32_MAX)
        return -EINVAL;
    *end = *start + (uint32_t)bytes;
    return 0;
}

int space_lock(struct space *space, uint32_t start, uint32_t length, uint32_t flags)
{
    uint32_t end;
    int error;
    if (flags & ~(uint32_t)MLOCK_ONFAULT)
        return -EINVAL;
    error = page_range(&start, length, &end);
    if (error != 0 || start == end)
        return error;
    mutex_lock(&space->lock);
    error =
        lock_range(space, start, end, AREA_LOCKED | (flags & MLOCK_ONFAULT ? AREA_ON_FAULT : 0));
    mutex_unlock(&space->lock);
    return error;
}

int space_unlock(struct space *space, uint32_t start, uint32_t length)
{
    uint32_t end;
    int error = page_range(&start, length, &end);
    if (error != 0 || start == end)
        return error;
    mutex_lock(&space->lock);
    error = set_range(space, start, end, 0);
    mutex_unlock(&space->lock);
    return error;
}

static int set_all(struct space *space, uint32_t locked)
{
    struct area *area = space->first;
    while (area != NULL) {
        const uint32_t end = area->end;
        int error = set_locked(space, area, locked);
        (void)area_join(space, area);
        if (error != 0)
            return error;
        area = area_find(space, end);
    }
    return 0;
}

/* As far as there are pages; what fails does not matter, as on Linux. */
static void populate_all(struct space *space)
{
    for (struct area *area = space->first; area != NULL; area = area->next)
        (void)populate(space, area->start, area->end, ACCESS_WRITE);
}

static int lock_all(struct space *space, uint32_t flags)
{
    const uint32_t locked = AREA_LOCKED | (flags & MCL_ONFAULT ? AREA_ON_FAULT : 0);
    int error = 0;
    if (space->limits.locked == 0)
        return -EPERM;
    if ((flags & MCL_CURRENT) && is_beyond_limit(space, space->size - space->locked))
        return -ENOMEM;
    space->lock_future = flags & MCL_FUTURE ? flags & (MCL_FUTURE | MCL_ONFAULT) : 0;
    if (!(flags & MCL_CURRENT))
        return 0;
    error = set_all(space, locked);
    if (error == 0 && !(flags & MCL_ONFAULT))
        populate_all(space);
    return error;
}

int space_lock_all(struct space *space, uint32_t flags)
{
    int error;
    if (flags == 0 || (flags & ~(uint32_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) != 0 ||
        flags == MCL_ONFAULT)
        return -EINVAL;
    mutex_lock(&space->lock);
    error = lock_all(space, flags);
    mutex_unlock(&space->lock);
    return error;
}

int space_unlock_all(struct space *space)
{
    int error;
    mutex_lock(&space->lock);
    space->lock_future = 0;
    error = set_all(space, 0);
    mutex_unlock(&space->lock);
    return error;
}
