#include "kernel/space/internal.h"

/* mprotect. */

/* A charge that an area comes to need with these flags. */
static bool needs_charge(uint32_t flags)
{
    return (flags & (PROT_WRITE | AREA_SHARED | AREA_NORESERVE | AREA_CHARGED)) == PROT_WRITE;
}

/* One area as a whole: 0, or an error and nothing has changed. */
static int protect_area(struct space *space, struct area *area, uint32_t rights)
{
    const uint32_t pages = area_pages(area);
    uint32_t flags = (area->flags & ~AREA_RIGHTS) | rights;
    int error;
    if (flags == area->flags)
        return 0;
    if ((rights & PROT_WRITE) && !(area->flags & PROT_WRITE) && !(flags & AREA_SHARED) &&
        space->limits.data != SPACE_UNLIMITED &&
        space->data + pages > space->limits.data / PAGE_SIZE)
        return -ENOMEM;
    error = take_tables(space, area->start, area->end);
    if (error == 0 && needs_charge(flags)) {
        error = charge(space, pages);
        flags |= AREA_CHARGED;
    }
    if (error != 0)
        return error;
    area_account(space, area->flags, -pages);
    area->flags = flags;
    area_account(space, area->flags, pages);
    protect_pages(space, area->start, area->end, area_paging_rights(flags));
    return 0;
}

/* The part of the area from `start` on, up to `end`, becomes an area of its own; NULL: no memory.
 */
static struct area *carve(struct space *space, struct area *area, uint32_t start, uint32_t end)
{
    if (area->start != start) {
        if (area_split(space, start) != 0)
            return NULL;
        area = area->next;
    }
    if (area->end > end && area_split(space, end) != 0) {
        (void)area_join(space, area);
        return NULL;
    }
    return area;
}

static int protect_part(struct space *space, struct area *area, uint32_t start, uint32_t end,
                        uint32_t rights)
{
    const bool is_locked_now_writable =
        (area->flags & (AREA_LOCKED | PROT_WRITE)) == AREA_LOCKED && (rights & PROT_WRITE);
    int error;
    if ((area->flags & AREA_RIGHTS) == rights)
        return 0;
    if ((area->flags & AREA_MAY(rights)) != AREA_MAY(rights))
        return -EACCES;
    area = carve(space, area, start, end);
    if (area == NULL)
        return -ENOMEM;
    error = protect_area(space, area, rights);
    (void)area_join(space, area);
    /* What cannot come in, beyond the end of a file, is no error of mprotect. */
    if (error == 0 && is_locked_now_writable)
        (void)populate(space, start, end, ACCESS_WRITE);
    return error;
}

/* Up to the first hole or error; what was done before stays, as the manual page says. */
static int protect(struct space *space, uint32_t start, uint32_t end, uint32_t rights)
{
    while (start < end) {
        struct area *area = area_at(space, start);
        uint32_t part_end;
        int error;
        if (area == NULL)
            return -ENOMEM;
        part_end = area->end < end ? area->end : end;
        error = protect_part(space, area, start, part_end, rights);
        if (error != 0)
            return error;
        start = part_end;
    }
    return 0;
}

/* PROT_GROWSDOWN reaches down to the start of an area that does. */
static int lowest_start(struct space *space, uint32_t *start)
{
    const struct area *area = area_find(space, *start);
    if (area == NULL)
        return -ENOMEM;
    if (!(area->flags & AREA_GROWS_DOWN))
        return -EINVAL;
    if (area->start < *start)
        *start = area->start;
    return 0;
}

int space_protect(struct space *space, uint32_t start, uint32_t length, uint32_t protection)
{
    const uint32_t grows = protection & (PROT_GROWSDOWN | PROT_GROWSUP);
    const uint32_t rights = protection & AREA_RIGHTS;
    const uint32_t bytes = (length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    int error = 0;
    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || start % PAGE_SIZE != 0)
        return -EINVAL;
    if (length == 0)
        return 0;
    if (bytes == 0 || start + bytes <= start)
        return -ENOMEM;
    if ((protection & ~(AREA_RIGHTS | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP)) != 0)
        return -EINVAL;
    if ((rights & PROT_WRITE) && (rights & PROT_EXEC))
        return -EACCES;
    mutex_lock(&space->lock);
    if (grows != 0) {
        const uint32_t end = start + bytes;
        error = grows == PROT_GROWSUP ? -EINVAL : lowest_start(space, &start);
        if (error == 0)
            error = protect(space, start, end, rights);
    } else {
        error = protect(space, start, start + bytes, rights);
    }
    mutex_unlock(&space->lock);
    return error;
}
