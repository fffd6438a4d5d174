#include "kernel/space/internal.h"

/* madvise, msync, mincore. */

static uint32_t min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* What an advice does to an area's part; NULL: nothing. */
struct advice {
    uint32_t number;
    enum { NOTHING, FORGET, SET, CLEAR, POPULATE } action;
    uint32_t flag; /* of the area; or enum access */
};

static const struct advice advices[] = {
    {MADV_NORMAL, NOTHING, 0},
    {MADV_RANDOM, NOTHING, 0},
    {MADV_SEQUENTIAL, NOTHING, 0},
    {MADV_WILLNEED, NOTHING, 0},
    {MADV_DONTNEED, FORGET, 0},
    {MADV_FREE, FORGET, AREA_ANONYMOUS}, /* at once: that is allowed */
    {MADV_DONTFORK, SET, AREA_DONT_FORK},
    {MADV_DOFORK, CLEAR, AREA_DONT_FORK},
    {MADV_HUGEPAGE, NOTHING, 0},
    {MADV_NOHUGEPAGE, NOTHING, 0},
    {MADV_DONTDUMP, SET, AREA_DONT_DUMP},
    {MADV_DODUMP, CLEAR, AREA_DONT_DUMP},
    {MADV_WIPEONFORK, SET, AREA_WIPE},
    {MADV_KEEPONFORK, CLEAR, AREA_WIPE},
    {MADV_COLD, NOTHING, 0},
    {MADV_PAGEOUT, NOTHING, 0},
    {MADV_POPULATE_READ, POPULATE, ACCESS_READ},
    {MADV_POPULATE_WRITE, POPULATE, ACCESS_WRITE},
};

static const struct advice *advice_of(uint32_t number)
{
    for (const struct advice *advice = advices; advice < advices + ARRAY_COUNT(advices); advice++)
        if (advice->number == number)
            return advice;
    return NULL;
}

/* Private pages read as zero or as the file again; shared ones as the object has them. */
static int forget_pages(struct space *space, const struct area *area, uint32_t start, uint32_t end,
                        uint32_t only)
{
    const uint32_t private_anonymous = area->flags & (AREA_ANONYMOUS | AREA_SHARED);
    int error;
    if (area->flags & AREA_LOCKED)
        return -EINVAL;
    if (only != 0 && private_anonymous != AREA_ANONYMOUS)
        return -EINVAL;
    error = take_tables(space, start, end);
    if (error == 0)
        clear_pages(space, start, end, area->flags);
    return error;
}

static int change_flag(struct space *space, uint32_t start, uint32_t end, uint32_t set,
                       uint32_t clear)
{
    struct area *area;
    if ((set & AREA_WIPE) &&
        (area_at(space, start)->flags & (AREA_ANONYMOUS | AREA_SHARED)) != AREA_ANONYMOUS)
        return -EINVAL;
    if (area_split(space, start) != 0)
        return -ENOMEM;
    if (area_split(space, end) != 0) {
        (void)area_join(space, area_at(space, start));
        return -ENOMEM;
    }
    area = area_at(space, start);
    area->flags = (area->flags | set) & ~clear;
    (void)area_join(space, area);
    return 0;
}

static int advise_part(struct space *space, uint32_t start, uint32_t end,
                       const struct advice *advice)
{
    switch (advice->action) {
    case FORGET:
        return forget_pages(space, area_at(space, start), start, end, advice->flag);
    case SET:
        return change_flag(space, start, end, advice->flag, 0);
    case CLEAR:
        return change_flag(space, start, end, 0, advice->flag);
    case POPULATE:
    case NOTHING:
        break;
    }
    return 0;
}

/* MADV_POPULATE_*: -EFAULT where a page fails, -EINVAL for rights that are not there. */
static int advise_populate(struct space *space, uint32_t start, uint32_t end, enum access access)
{
    for (const struct area *area = area_find(space, start); area != NULL && area->start < end;
         area = area->next)
        if (!(area->flags & (access == ACCESS_WRITE ? PROT_WRITE : AREA_RIGHTS)))
            return -EINVAL;
    return populate(space, start, end, access);
}

/* Over holes too: they make it -ENOMEM in the end. */
static int advise(struct space *space, uint32_t start, uint32_t end, const struct advice *advice)
{
    int hole = 0;
    if (advice->action == POPULATE)
        return advise_populate(space, start, end, (enum access)advice->flag);
    while (start < end) {
        const struct area *area = area_find(space, start);
        uint32_t part_end;
        int error;
        if (area == NULL || area->start >= end)
            return -ENOMEM;
        if (area->start > start) {
            hole = -ENOMEM;
            start = area->start;
        }
        part_end = min(area->end, end);
        error = advise_part(space, start, part_end, advice);
        if (error != 0)
            return error;
        start = part_end;
    }
    return hole;
}

int space_advise(struct space *space, uint32_t start, uint32_t length, uint32_t number)
{
    const struct advice *advice = advice_of(number);
    const uint32_t bytes = (length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    int error;
    if (advice == NULL || start % PAGE_SIZE != 0 || (bytes == 0 && length != 0) ||
        start + bytes < start)
        return -EINVAL;
    if (bytes == 0)
        return 0;
    mutex_lock(&space->lock);
    error = advise(space, start, start + bytes, advice);
    mutex_unlock(&space->lock);
    return error;
}

/* ---- msync: what is mapped is the object itself ---- */

static int sync_range(struct space *space, uint32_t start, uint32_t end, uint32_t flags)
{
    int hole = 0;
    while (start < end) {
        const struct area *area = area_find(space, start);
        if (area == NULL)
            return -ENOMEM;
        if (area->start > start) {
            hole = -ENOMEM;
            if (area->start >= end)
                break;
        }
        if ((flags & MS_INVALIDATE) && (area->flags & AREA_LOCKED))
            return -EBUSY;
        start = area->end;
    }
    return hole;
}

int space_sync(struct space *space, uint32_t start, uint32_t length, uint32_t flags)
{
    const uint32_t bytes = (length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    int error;
    if ((flags & ~(uint32_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) != 0 || start % PAGE_SIZE != 0 ||
        (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
        return -EINVAL;
    if (start + bytes < start || (bytes == 0 && length != 0))
        return -ENOMEM;
    if (bytes == 0)
        return 0;
    mutex_lock(&space->lock);
    error = sync_range(space, start, start + bytes, flags);
    mutex_unlock(&space->lock);
    return error;
}

/* ---- mincore ---- */

int space_incore(struct space *space, uint32_t start, uint32_t pages, uint8_t *vector)
{
    int error = 0;
    if (start % PAGE_SIZE != 0)
        return -EINVAL;
    mutex_lock(&space->lock);
    for (uint32_t i = 0; i < pages && error == 0; i++) {
        const uint32_t at = start + i * PAGE_SIZE;
        if (at < start || area_at(space, at) == NULL)
            error = -ENOMEM;
        else
            vector[i] = paging_user_find(&space->paging, at).flags != 0;
    }
    mutex_unlock(&space->lock);
    return error;
}
