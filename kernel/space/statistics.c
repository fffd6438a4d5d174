#include "kernel/space/internal.h"

/* What a space holds, for /proc. */

void space_read_statistics(struct space *space, struct space_statistics *statistics)
{
    const struct paging_space *paging = &space->paging;
    mutex_lock(&space->lock);
    note_peaks(space);
    *statistics = (struct space_statistics){
        .size = space->size,
        .size_peak = space->size_peak,
        .resident = paging_user_pages(paging),
        .resident_peak = space->resident_peak,
        .resident_private = paging_user_own_pages(paging),
        .locked = space->locked,
        .data = space->data,
        .page_tables = paging_user_tables(paging) + 1,
        .charged = space->charged,
        .areas = space->areas,
        .brk_start = space->brk_start,
        .brk = space->brk,
        .stack_end = space->stack_end,
        .faults_minor = space->faults_minor,
        .faults_copy = space->faults_copy,
    };
    for (const struct area *area = space->first; area != NULL; area = area->next) {
        if (area->flags & AREA_STACK)
            statistics->stack += area_pages(area);
        if (area->flags & PROT_EXEC) {
            if (area->start >= MAP_LIBRARY_START)
                statistics->libraries += area_pages(area);
            else
                statistics->text += area_pages(area);
        }
    }
    mutex_unlock(&space->lock);
}

static uint32_t flags_of(const struct area *area)
{
    uint32_t flags = area->flags & AREA_SHARED ? MAP_SHARED : MAP_PRIVATE;
    if (area->flags & AREA_ANONYMOUS)
        flags |= MAP_ANONYMOUS;
    if (area->flags & AREA_GROWS_DOWN)
        flags |= MAP_GROWSDOWN;
    if (area->flags & AREA_LOCKED)
        flags |= MAP_LOCKED;
    if (area->flags & AREA_NORESERVE)
        flags |= MAP_NORESERVE;
    return flags;
}

static void count_page(struct space_area *seen, const struct paging_user_page *page)
{
    seen->resident++;
    seen->resident_private += (page->flags & PAGING_OWN) != 0;
    seen->dirty += page->dirty;
    seen->referenced += page->accessed;
    seen->shared_frames += bytemap_tag_is_shared(bytemap_get(page->frame));
}

static void count_pages(const struct space *space, const struct area *area, struct space_area *seen)
{
    for (uint32_t at = paging_user_next(&space->paging, area->start, area->end); at < area->end;
         at = paging_user_next(&space->paging, at + PAGE_SIZE, area->end)) {
        const struct paging_user_page page = paging_user_find(&space->paging, at);
        count_page(seen, &page);
    }
}

static struct space_area describe(const struct space *space, const struct area *area)
{
    struct space_area seen = {.start = area->start,
                              .end = area->end,
                              .protection = area->flags & AREA_RIGHTS,
                              .flags = flags_of(area),
                              .index = area->index,
                              .is_heap = area->backing == NULL && area->start < space->brk &&
                                         area->end > space->brk_start,
                              .is_stack = (area->flags & AREA_STACK) != 0};
    if (area->backing != NULL)
        area->backing->ops->describe(area->backing, &seen.backing);
    return seen;
}

void space_visit_areas(struct space *space, uint32_t from, unsigned what, space_visitor visit,
                       void *context)
{
    mutex_lock(&space->lock);
    for (const struct area *area = area_find(space, from); area != NULL; area = area->next) {
        struct space_area seen = describe(space, area);
        if (what & SPACE_VISIT_COUNT)
            count_pages(space, area, &seen);
        if (!visit(context, &seen))
            break;
    }
    mutex_unlock(&space->lock);
}
