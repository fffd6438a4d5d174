#include "kernel/cpu/page.h"
#include "kernel/memory/system.h"
#include "kernel/space/internal.h"
#include "kernel/space/usercopy_internal.h"

/* A space's life: made, copied, taken down. */

struct space *space_first;
static struct heap_cache *cache;

int space_init(void)
{
    cpu_page_init();
    paging_user_use_clear(cpu_page_clear);
    usercopy_init();
    zeros_init();
    space_first = NULL;
    cache = heap_cache_create("spaces", sizeof(struct space), 16);
    if (cache == NULL || areas_init() != 0)
        return -ENOMEM;
    memory_add_check(space_check);
    return 0;
}

static void enter_list(struct space *space)
{
    unsigned long interrupts = platform_interrupts_save();
    space->next = space_first;
    if (space_first != NULL)
        space_first->previous = space;
    space_first = space;
    platform_interrupts_restore(interrupts);
}

static void leave_list(struct space *space)
{
    unsigned long interrupts = platform_interrupts_save();
    if (space->next != NULL)
        space->next->previous = space->previous;
    if (space->previous != NULL)
        space->previous->next = space->next;
    else
        space_first = space->next;
    platform_interrupts_restore(interrupts);
}

struct space *space_create(void)
{
    struct space *space = heap_cache_alloc(cache);
    if (space == NULL)
        return NULL;
    memset(&space->paging + 1, 0, sizeof(*space) - sizeof(space->paging));
    if (paging_space_create(&space->paging) != 0) {
        heap_cache_free(cache, space);
        return NULL;
    }
    space->references = 1;
    space->limits =
        (struct space_limits){SPACE_UNLIMITED, SPACE_UNLIMITED, 0x100000, SPACE_UNLIMITED};
    enter_list(space);
    return space;
}

struct paging_space *space_paging(struct space *space)
{
    return &space->paging;
}

void space_set_limits(struct space *space, const struct space_limits *limits)
{
    mutex_lock(&space->lock);
    space->limits = *limits;
    mutex_unlock(&space->lock);
}

void space_hold(struct space *space)
{
    unsigned long interrupts = platform_interrupts_save();
    space->references++;
    platform_interrupts_restore(interrupts);
}

/* The pages of an area. Tables that others share go as they are, with what they hold of other areas
 * too. */
static void abandon_pages(struct space *space, const struct area *area)
{
    for (uint32_t at = area->start; at < area->end;) {
        const uint32_t slot_end = (at | (PAGE_LARGE_SIZE - 1)) + 1;
        const uint32_t end = slot_end < area->end ? slot_end : area->end;
        bool is_gone;
        preempt_disable();
        is_gone = paging_user_abandon(&space->paging, paging_user_slot(at));
        preempt_enable();
        if (!is_gone)
            clear_pages(space, at, end, area->flags);
        at = end;
    }
}

/* Every area and what it has; the space stays, empty. */
static void empty(struct space *space)
{
    struct area *area = space->first, *next;
    for (; area != NULL; area = next) {
        next = area->next;
        abandon_pages(space, area);
        if (area->backing != NULL)
            area->backing->ops->drop(area->backing);
        area_free(space, area);
    }
    area_free_kept(space);
    space->root = space->first = space->last = space->recent = NULL;
    uncharge(space, space->charged);
}

void space_drop(struct space *space)
{
    unsigned long interrupts = platform_interrupts_save();
    const uint32_t left = --space->references;
    platform_interrupts_restore(interrupts);
    if (left != 0)
        return;
    mutex_lock(&space->lock); /* a check may be reading it */
    leave_list(space);
    empty(space);
    mutex_unlock(&space->lock);
    paging_space_destroy(&space->paging);
    heap_cache_free(cache, space);
}

/* ---- fork ---- */

/* Slots of which the child has no part, or another than a copy of the parent's table. */
static bool is_apart(const struct area *area)
{
    return (area->flags & (AREA_LOCKED | AREA_DONT_FORK | AREA_WIPE)) != 0;
}

static void find_apart(const struct space *space, uint32_t apart[PAGING_USER_SLOTS / 32])
{
    memset(apart, 0, PAGING_USER_SLOTS / 8);
    for (const struct area *area = space->first; area != NULL; area = area->next) {
        if (!is_apart(area))
            continue;
        for (uint32_t slot = paging_user_slot(area->start); slot <= paging_user_slot(area->end - 1);
             slot++)
            apart[slot / 32] |= 1u << slot % 32;
    }
}

static int copy_area(struct space *child, const struct area *area)
{
    struct area *copy = area_new(child);
    if (copy == NULL)
        return -ENOMEM;
    *copy = *area;
    copy->flags &= ~(AREA_LOCKED | AREA_ON_FAULT);
    if (copy->backing != NULL)
        copy->backing->ops->hold(copy->backing);
    area_account(child, copy->flags, area_pages(copy));
    area_insert(child, copy, NULL);
    if (copy->previous != NULL)
        (void)area_join(child, copy); /* what only a lock told apart is one area now */
    return 0;
}

/* Areas, and the charge for all that the child may come to need. */
static int copy_areas(const struct space *parent, struct space *child)
{
    uint32_t need = parent->stack_spare;
    for (const struct area *area = parent->first; area != NULL; area = area->next) {
        if (area->flags & AREA_DONT_FORK)
            continue;
        need += table_charge(area->start, area->end, child->last, NULL);
        if (area->flags & AREA_CHARGED)
            need += area_pages(area);
        if (copy_area(child, area) != 0)
            return -ENOMEM;
    }
    if (charge(child, need) != 0)
        return -ENOMEM;
    child->stack_spare = parent->stack_spare;
    return 0;
}

/* A page that is not in a shared table: the child gets a copy if it is locked, else both read it.
 */
static int copy_page(struct space *parent, struct space *child, const struct area *area,
                     uint32_t address)
{
    const struct paging_user_page page = paging_user_find(&parent->paging, address);
    const uint32_t rights = area_paging_rights(area->flags) & ~PAGING_SHARED;
    const uint32_t both = AREA_LOCKED | PROT_WRITE;
    frame_t frame = page.frame;
    uint32_t flags = page.flags & (PAGING_OWN | PAGING_WRITE | PAGING_EXECUTE);
    if ((page.flags & PAGING_OWN) && (area->flags & both) == both) {
        frame = area->flags & AREA_CHARGED
                    ? pageframe_alloc_promised(PAGEFRAME_ANYWHERE, bytemap_get(frame) & 0x3F)
                    : pageframe_alloc(PAGEFRAME_ANYWHERE, bytemap_get(frame) & 0x3F);
        if (frame == FRAME_NONE)
            return -ENOMEM;
        page_copy(frame, page.frame);
        flags = PAGING_OWN | rights;
    } else if (pageframe_reference(frame) != 0) {
        return page.flags & PAGING_OWN ? -ENOMEM : 0;
    } else if (page.flags & PAGING_OWN) {
        flags &= ~PAGING_WRITE;
        if (page.flags & PAGING_WRITE)
            (void)paging_user_replace(&parent->paging, address, frame, flags);
    }
    if (paging_user_map(&child->paging, address, frame, flags) != 0) {
        int left = (flags & PAGING_OWN) && (area->flags & AREA_CHARGED)
                       ? pageframe_release_promised(frame)
                       : pageframe_release(frame);
        MEMORY_ASSERT(left >= 0);
        return -ENOMEM;
    }
    if (page.flags & PAGING_HIDDEN)
        (void)paging_user_protect(&child->paging, address, address + PAGE_SIZE, PAGING_HIDDEN);
    return 0;
}

/* What an area has in slots that stay apart. */
static int copy_apart(struct space *parent, struct space *child, const struct area *area,
                      const uint32_t apart[PAGING_USER_SLOTS / 32])
{
    uint32_t at = paging_user_next(&parent->paging, area->start, area->end);
    while (at < area->end) {
        const uint32_t slot = paging_user_slot(at);
        int error = 0;
        if (!(apart[slot / 32] >> slot % 32 & 1)) {
            at = (at | (PAGE_LARGE_SIZE - 1)) + 1;
        } else {
            if (paging_user_is_shared(&parent->paging, at))
                error = take_tables(parent, at, at + 1);
            preempt_disable();
            if (error == 0)
                error = copy_page(parent, child, area, at);
            preempt_enable();
            at += PAGE_SIZE;
        }
        if (error != 0)
            return error;
        if (at < area->end)
            at = paging_user_next(&parent->paging, at, area->end);
    }
    return 0;
}

static int copy_pages(struct space *parent, struct space *child)
{
    uint32_t apart[PAGING_USER_SLOTS / 32];
    int error = 0;
    find_apart(parent, apart);
    preempt_disable();
    paging_user_share(&parent->paging, &child->paging, apart);
    preempt_enable();
    for (const struct area *area = parent->first; area != NULL && error == 0; area = area->next)
        if (!(area->flags & (AREA_DONT_FORK | AREA_WIPE)))
            error = copy_apart(parent, child, area, apart);
    return error;
}

static void copy_rest(const struct space *parent, struct space *child)
{
    child->limits = parent->limits;
    child->brk_start = parent->brk_start;
    child->brk = parent->brk;
    child->stack_end = parent->stack_end;
    child->stack_floor = parent->stack_floor;
    child->resident_peak = paging_user_pages(&child->paging);
}

int space_fork(struct space *parent, struct space **child)
{
    struct space *made = space_create();
    int error;
    if (made == NULL)
        return -ENOMEM;
    mutex_lock(&parent->lock);
    mutex_lock(&made->lock); /* nobody else knows it, but who checks all */
    error = copy_areas(parent, made);
    if (error == 0)
        error = copy_pages(parent, made);
    copy_rest(parent, made);
    mutex_unlock(&made->lock);
    mutex_unlock(&parent->lock);
    if (error != 0) {
        space_drop(made);
        return -ENOMEM;
    }
    *child = made;
    return 0;
}
