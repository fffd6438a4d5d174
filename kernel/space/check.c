#include "kernel/space/internal.h"

/* Every space from first principles. */

/* ---- the tree ---- */

static uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void fault(struct check *check, const struct space *space, const struct area *area,
                  const char *what)
{
    check_fault(check, "space: root 0x%llx, area 0x%08x to 0x%08x: %s",
                (unsigned long long)space->paging.root, (unsigned)area->start, (unsigned)area->end,
                what);
}

static void check_node(struct check *check, const struct space *space, const struct area *area)
{
    const uint32_t gap = area->start - area_end_of(area->previous);
    const uint32_t left = area->left != NULL ? area->left->height : 0;
    const uint32_t right = area->right != NULL ? area->right->height : 0;
    uint32_t largest = gap;
    if (area->left != NULL) {
        largest = max(largest, area->left->largest);
        if (area->left->parent != area || area->left->start >= area->start)
            fault(check, space, area, "its left child is not");
    }
    if (area->right != NULL) {
        largest = max(largest, area->right->largest);
        if (area->right->parent != area || area->right->start <= area->start)
            fault(check, space, area, "its right child is not");
    }
    if (area->height != 1 + max(left, right) || left > right + 2 || right > left + 2)
        fault(check, space, area, "its height is wrong, or the tree leans");
    if (area->gap != gap)
        fault(check, space, area, "the gap before it is not what it says");
    if (area->largest != largest)
        fault(check, space, area, "the largest gap below it is not what it says");
    if (area->parent == NULL ? space->root != area
                             : area->parent->left != area && area->parent->right != area)
        fault(check, space, area, "it is not in the tree");
}

static void check_area(struct check *check, const struct space *space, const struct area *area)
{
    const uint32_t flags = area->flags;
    const uint32_t charged = PROT_WRITE | AREA_SHARED | AREA_NORESERVE | AREA_CHARGED;
    if (area->start % PAGE_SIZE != 0 || area->end % PAGE_SIZE != 0 || area->start >= area->end ||
        area->start < area_end_of(area->previous) || area->end > SPACE_END)
        fault(check, space, area, "it is misaligned, empty, or overlaps");
    if ((flags & PROT_WRITE) && (flags & PROT_EXEC))
        fault(check, space, area, "writable and executable");
    if (((flags & AREA_RIGHTS) & ~(flags >> 4)) != 0)
        fault(check, space, area, "more rights than it may have");
    if ((area->backing == NULL) != ((flags & (AREA_ANONYMOUS | AREA_SHARED)) == AREA_ANONYMOUS))
        fault(check, space, area, "its backing is not of its kind");
    if ((flags & charged) == PROT_WRITE)
        fault(check, space, area, "private and writable without a charge");
    if ((flags & AREA_CHARGED) && (flags & (AREA_SHARED | AREA_NORESERVE)))
        fault(check, space, area, "charged, and should not be");
}

/* ---- its pages ---- */

static void check_page(struct check *check, const struct space *space, const struct area *area,
                       const struct paging_user_page *page)
{
    const uint32_t rights = area_paging_rights(area->flags);
    const char *what = NULL;
    if ((page->flags & PAGING_HIDDEN) != (rights & PAGING_HIDDEN))
        what = "a page that can be accessed and should not, or the other way round";
    else if (!(rights & PAGING_HIDDEN) && platform_features.no_execute &&
             (page->flags & PAGING_EXECUTE) != (rights & PAGING_EXECUTE))
        what = "a page with another right to execute";
    else if ((page->flags & PAGING_WRITE) && !(rights & PAGING_WRITE))
        what = "a writable page";
    else if ((page->flags & PAGING_WRITE) && !(area->flags & AREA_SHARED) &&
             (!(page->flags & PAGING_OWN) || pageframe_references(page->frame) != 1))
        what = "a writable page that is not its own alone";
    else if ((page->flags & PAGING_OWN) && (area->flags & AREA_SHARED))
        what = "an own page of what is shared";
    else if (!(page->flags & PAGING_OWN) && area->backing == NULL &&
             bytemap_tag_state(bytemap_get(page->frame)) != BYTEMAP_CACHE)
        what = "a page that is not its own, and nothing backs it";
    else if ((area->flags & AREA_LOCKED) && pageframe_locks(page->frame) == 0)
        what = "a page that is not locked";
    if (what != NULL)
        fault(check, space, area, what);
}

/* How many entries an area has, and how many of them are own pages. */
struct found {
    uint32_t pages, own;
};

static void check_pages(struct check *check, const struct space *space, const struct area *area,
                        struct found *found)
{
    for (uint32_t at = paging_user_next(&space->paging, area->start, area->end); at < area->end;
         at = paging_user_next(&space->paging, at + PAGE_SIZE, area->end)) {
        const struct paging_user_page page = paging_user_find(&space->paging, at);
        check_page(check, space, area, &page);
        found->pages++;
        found->own += (page.flags & PAGING_OWN) != 0;
    }
}

/* ---- sums ---- */

static void same(struct check *check, const struct space *space, const char *what, uint32_t found,
                 uint32_t kept)
{
    if (found != kept)
        check_fault(check, "space: root 0x%llx has %u %s, and keeps %u",
                    (unsigned long long)space->paging.root, (unsigned)found, what, (unsigned)kept);
}

static void check_space(struct check *check, const struct space *space)
{
    struct found found = {0, 0};
    uint32_t size = 0, data = 0, locked = 0, areas = 0, charged = space->stack_spare;
    const struct area *last = NULL;
    for (const struct area *area = space->first; area != NULL; area = area->next) {
        const uint32_t flags = area->flags, pages = area_pages(area);
        check_node(check, space, area);
        check_area(check, space, area);
        check_pages(check, space, area, &found);
        areas++;
        size += pages;
        if ((flags & (PROT_WRITE | AREA_SHARED | AREA_GROWS_DOWN)) == PROT_WRITE)
            data += pages;
        locked += flags & AREA_LOCKED ? pages : 0;
        charged += flags & AREA_CHARGED ? pages : 0;
        charged += table_charge(area->start, area->end, area->previous, NULL);
        if (area->previous != last)
            fault(check, space, area, "the list is broken");
        last = area;
    }
    if (space->last != last)
        check_fault(check, "space: root 0x%llx: its last area is not",
                    (unsigned long long)space->paging.root);
    same(check, space, "areas", areas, space->areas);
    same(check, space, "pages of areas", size, space->size);
    same(check, space, "pages of data", data, space->data);
    same(check, space, "locked pages", locked, space->locked);
    same(check, space, "pages charged", charged, space->charged);
    same(check, space, "resident pages in areas", found.pages, paging_user_pages(&space->paging));
    same(check, space, "own pages in areas", found.own, paging_user_own_pages(&space->paging));
}

/* A space whose lock somebody holds is in the middle of something: it is left out. */
void space_check(struct check *check)
{
    for (struct space *space = space_first; space != NULL; space = space->next) {
        if (mutex_try_lock(&space->lock) != 0)
            continue;
        check_space(check, space);
        mutex_unlock(&space->lock);
    }
    shared_check(check);
}

void space_check_holders(const struct space *space, uint32_t holders, struct check *check)
{
    const struct space *at = space_first;
    while (at != NULL && at != space)
        at = at->next;
    if (at == NULL)
        check_fault(check, "space: a process has one that is none");
    else if (space->references < holders)
        check_fault(check, "space: root 0x%llx has %u references, and %u processes",
                    (unsigned long long)space->paging.root, (unsigned)space->references,
                    (unsigned)holders);
}

uint32_t space_charged_pages(void)
{
    uint32_t pages = 0;
    for (const struct space *space = space_first; space != NULL; space = space->next)
        pages += space->charged;
    return pages;
}
