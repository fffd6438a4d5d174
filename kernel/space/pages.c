#include "kernel/space/internal.h"

/*
 * The space's lock keeps others from its entries, but not those who look at all spaces from first
 * principles: for them an entry, its counts and its reference change in one piece.
 */

int map_page(struct space *space, uint32_t address, frame_t frame, uint32_t flags)
{
    int error;
    preempt_disable();
    error = paging_user_map(&space->paging, address, frame, flags);
    preempt_enable();
    return error;
}

frame_t replace_page(struct space *space, uint32_t address, frame_t frame, uint32_t flags)
{
    frame_t old;
    preempt_disable();
    old = paging_user_replace(&space->paging, address, frame, flags);
    preempt_enable();
    return old;
}

void protect_pages(struct space *space, uint32_t start, uint32_t end, uint32_t rights)
{
    while (start < end) {
        const uint32_t slot_end = (start | (PAGE_LARGE_SIZE - 1)) + 1;
        preempt_disable();
        start = paging_user_protect(&space->paging, start, slot_end < end ? slot_end : end, rights);
        preempt_enable();
    }
}

int take_tables(struct space *space, uint32_t start, uint32_t end)
{
    int error = 0;
    for (uint32_t at = start & ~(PAGE_LARGE_SIZE - 1); at < end && error == 0;
         at += PAGE_LARGE_SIZE) {
        if (!paging_user_is_shared(&space->paging, at))
            continue;
        preempt_disable();
        error = paging_user_take_table(&space->paging, at);
        preempt_enable();
    }
    return error;
}

void clear_pages(struct space *space, uint32_t start, uint32_t end, uint32_t flags)
{
    const enum paging_release release =
        flags & AREA_CHARGED ? PAGING_RELEASE_PROMISE : PAGING_RELEASE_FREE;
    note_peaks(space);
    if (flags & AREA_LOCKED)
        unlock_pages(space, start, end);
    while (start < end) {
        const uint32_t slot_end = (start | (PAGE_LARGE_SIZE - 1)) + 1;
        preempt_disable();
        start = paging_user_clear(&space->paging, start, slot_end < end ? slot_end : end, release);
        preempt_enable();
    }
}
