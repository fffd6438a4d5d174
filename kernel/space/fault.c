#include "kernel/space/internal.h"

/* What happens when a page is touched, or has to be there as if it had been. */

/* Of a page fault's error code (Intel SDM 3A, 4.7). */
#define ERROR_WRITE       (1u << 1)
#define ERROR_INSTRUCTION (1u << 4)

uint32_t area_paging_rights(uint32_t flags)
{
    uint32_t rights = 0;
    if ((flags & AREA_RIGHTS) == 0)
        return PAGING_HIDDEN;
    if (flags & PROT_WRITE)
        rights |= PAGING_WRITE;
    if (flags & PROT_EXEC)
        rights |= PAGING_EXECUTE;
    if (flags & AREA_SHARED)
        rights |= PAGING_SHARED;
    return rights;
}

/* ---- frames ---- */

static bytemap_tag_t tag_of(uint32_t address)
{
    return BYTEMAP_TAG(BYTEMAP_ALLOCATED,
                       address < MAP_LIBRARY_START ? BYTEMAP_USER : BYTEMAP_LIBRARY);
}

/* A frame for a page of the space's own, content unspecified. */
static frame_t own_frame(const struct area *area, uint32_t address)
{
    if (area->flags & AREA_CHARGED)
        return pageframe_alloc_promised(PAGEFRAME_ANYWHERE, tag_of(address));
    return pageframe_alloc(PAGEFRAME_ANYWHERE, tag_of(address));
}

/* The same, all zero: one that was zeroed ahead, if there is. */
static frame_t own_zeroed_frame(const struct area *area, uint32_t address)
{
    frame_t frame = FRAME_NONE;
    if (area->flags & AREA_CHARGED)
        frame = pageframe_take_promised_zeroed(tag_of(address));
    if (frame == FRAME_NONE) {
        frame = own_frame(area, address);
        if (frame != FRAME_NONE)
            page_clear(frame);
    }
    return frame;
}

/* An own frame that comes to nothing. */
static void discard_own(const struct area *area, frame_t frame)
{
    int left =
        area->flags & AREA_CHARGED ? pageframe_release_promised(frame) : pageframe_release(frame);
    MEMORY_ASSERT(left == 0);
}

static void release(const struct area *area, frame_t frame, bool is_own)
{
    int left = is_own && (area->flags & AREA_CHARGED) ? pageframe_release_promised(frame)
                                                      : pageframe_release(frame);
    MEMORY_ASSERT(left >= 0);
}

static void lock_frame(const struct area *area, frame_t frame)
{
    if (area->flags & AREA_LOCKED) {
        int error = pageframe_lock(frame);
        MEMORY_ASSERT(error == 0);
    }
}

static void unlock_frame(const struct area *area, frame_t frame)
{
    if (area->flags & AREA_LOCKED) {
        int error = pageframe_unlock(frame);
        MEMORY_ASSERT(error == 0);
    }
}

/* ---- the ways in ---- */

static enum space_fault map_own(struct space *space, struct area *area, uint32_t address,
                                frame_t frame)
{
    const uint32_t flags = PAGING_OWN | (area_paging_rights(area->flags) & ~PAGING_SHARED);
    if (frame == FRAME_NONE)
        return SPACE_FAULT_NO_MEMORY;
    if (map_page(space, address, frame, flags) != 0) {
        discard_own(area, frame);
        return SPACE_FAULT_NO_MEMORY;
    }
    lock_frame(area, frame);
    return SPACE_FAULT_DONE;
}

/*
 * What private anonymous memory reads as where it cannot be written, and so has no charge: one
 * frame of zeros, in as many entries as can be counted; then another one takes its place. The one
 * that is used now has a reference of its own.
 */
#define ZERO_TAG BYTEMAP_TAG(BYTEMAP_CACHE, BYTEMAP_KERNEL)

static frame_t zero_frame = FRAME_NONE;

void zeros_init(void)
{
    zero_frame = FRAME_NONE;
}

static frame_t reference_zeros_now(void)
{
    frame_t frame;
    if (zero_frame != FRAME_NONE && pageframe_reference(zero_frame) == 0)
        return zero_frame;
    frame = pageframe_alloc_zeroed(PAGEFRAME_DIRECT, ZERO_TAG);
    if (frame == FRAME_NONE)
        return FRAME_NONE;
    if (zero_frame != FRAME_NONE) {
        int left = pageframe_release(zero_frame);
        MEMORY_ASSERT(left >= 0);
    }
    zero_frame = frame;
    return pageframe_reference(frame) == 0 ? frame : FRAME_NONE;
}

static frame_t reference_zeros(void)
{
    frame_t frame;
    preempt_disable();
    frame = reference_zeros_now();
    preempt_enable();
    return frame;
}

static enum space_fault map_zeros(struct space *space, struct area *area, uint32_t address)
{
    const frame_t frame = reference_zeros();
    if (frame == FRAME_NONE)
        return SPACE_FAULT_NO_MEMORY;
    if (map_page(space, address, frame, area_paging_rights(area->flags)) != 0) {
        release(area, frame, false);
        return SPACE_FAULT_NO_MEMORY;
    }
    lock_frame(area, frame);
    return SPACE_FAULT_DONE;
}

/* The object's page, with a reference. Whoever shares the object and may write is about to. */
static enum space_fault object_frame(const struct area *area, uint32_t address, frame_t *frame)
{
    const uint32_t may_write = AREA_SHARED | AREA_MAY(PROT_WRITE);
    const uint32_t access = (area->flags & may_write) == may_write ? BACKING_WRITE : BACKING_READ;
    const uint32_t index = area->index + (address - area->start) / PAGE_SIZE;
    int error = area->backing->ops->page(area->backing, index, access, frame);
    if (error == 0)
        return SPACE_FAULT_DONE;
    return error == -ENOMEM ? SPACE_FAULT_NO_MEMORY : SPACE_FAULT_BUS;
}

/* A private page that is written for the first time gets a frame of its own at once. */
static enum space_fault map_object(struct space *space, struct area *area, uint32_t address,
                                   enum access access)
{
    frame_t frame, own;
    enum space_fault fault = object_frame(area, address, &frame);
    if (fault != SPACE_FAULT_DONE)
        return fault;
    if (access == ACCESS_WRITE && !(area->flags & AREA_SHARED)) {
        own = own_frame(area, address);
        if (own != FRAME_NONE)
            page_copy(own, frame);
        release(area, frame, false);
        space->faults_copy += own != FRAME_NONE;
        return map_own(space, area, address, own);
    }
    uint32_t flags = area_paging_rights(area->flags);
    if (!(area->flags & AREA_SHARED))
        flags &= ~PAGING_WRITE;
    if (map_page(space, address, frame, flags) != 0) {
        release(area, frame, false);
        return SPACE_FAULT_NO_MEMORY;
    }
    lock_frame(area, frame);
    return SPACE_FAULT_DONE;
}

/* A write to a page that is there and read-only: the last owner writes in place. */
static enum space_fault copy_on_write(struct space *space, struct area *area, uint32_t address,
                                      const struct paging_user_page *page)
{
    const uint32_t flags = PAGING_OWN | (area_paging_rights(area->flags) & ~PAGING_SHARED);
    const bool is_own = page->flags & PAGING_OWN;
    frame_t frame, old;
    if (is_own && !bytemap_tag_is_shared(bytemap_get(page->frame))) {
        (void)replace_page(space, address, page->frame, flags);
        return SPACE_FAULT_DONE;
    }
    frame = own_frame(area, address);
    if (frame == FRAME_NONE)
        return SPACE_FAULT_NO_MEMORY;
    page_copy(frame, page->frame);
    old = replace_page(space, address, frame, flags);
    unlock_frame(area, old);
    lock_frame(area, frame);
    release(area, old, is_own);
    space->faults_copy++;
    return SPACE_FAULT_DONE;
}

/* The page is there: does it do? */
static enum space_fault improve(struct space *space, struct area *area, uint32_t address,
                                enum access access, struct paging_user_page *page)
{
    if (access == ACCESS_READ || (page->flags & PAGING_WRITE)) {
        platform_tlb_flush_page(address); /* a translation from before */
        return SPACE_FAULT_DONE;
    }
    if (page->table == PAGING_TABLE_SHARED) {
        if (take_tables(space, address, address + 1) != 0)
            return SPACE_FAULT_NO_MEMORY;
        *page = paging_user_find(&space->paging, address);
        if (page->flags & PAGING_WRITE)
            return SPACE_FAULT_DONE;
    }
    if (area->flags & AREA_SHARED) {
        (void)replace_page(space, address, page->frame, area_paging_rights(area->flags));
        return SPACE_FAULT_DONE;
    }
    return copy_on_write(space, area, address, page);
}

enum space_fault bring_in(struct space *space, struct area *area, uint32_t address,
                          enum access access)
{
    struct paging_user_page page = paging_user_find(&space->paging, address);
    if (page.flags != 0)
        return improve(space, area, address, access, &page);
    if (page.table == PAGING_TABLE_SHARED && take_tables(space, address, address + 1) != 0)
        return SPACE_FAULT_NO_MEMORY;
    if (area->backing != NULL)
        return map_object(space, area, address, access);
    if (!(area->flags & (AREA_CHARGED | AREA_NORESERVE)))
        return map_zeros(space, area, address);
    return map_own(space, area, address, own_zeroed_frame(area, address));
}

/* ---- what grows down ---- */

/* The area that grows down to this page, after it has; NULL if there is none, or it may not. */
static struct area *grow(struct space *space, struct area *area, uint32_t address)
{
    const uint32_t from = area->start, pages = (from - address) / PAGE_SIZE;
    const struct area *previous = area->previous;
    uint32_t need, spare;
    if (!(area->flags & AREA_GROWS_DOWN) || (area->end - address) > space->limits.stack)
        return NULL;
    if (previous != NULL && (address < previous->end || address - previous->end < SPACE_GUARD) &&
        (previous->flags & AREA_RIGHTS) != 0)
        return NULL;
    if (previous != NULL && address < previous->end)
        return NULL;
    if (check_limits(space, area->flags, pages) != 0)
        return NULL;
    need = pages + table_charge(address, from, previous, area);
    if (!(area->flags & AREA_CHARGED))
        need -= pages;
    spare = 0;
    if (area->flags & AREA_STACK)
        spare = need < space->stack_spare ? need : space->stack_spare;
    if (charge(space, need - spare) != 0)
        return NULL;
    space->stack_spare -= spare;
    area_account(space, area->flags, pages);
    area_set_start(area, address);
    return area;
}

static bool is_allowed(const struct area *area, uint32_t error_code)
{
    if (error_code & ERROR_WRITE)
        return area->flags & PROT_WRITE;
    if (error_code & ERROR_INSTRUCTION)
        return area->flags & PROT_EXEC;
    return area->flags & AREA_RIGHTS;
}

static enum space_fault fault_at(struct space *space, uint32_t address, uint32_t error_code)
{
    struct area *area = area_find(space, address);
    enum space_fault fault;
    if (area != NULL && area->start > address)
        area = grow(space, area, address);
    if (area == NULL)
        return SPACE_FAULT_MAPERR;
    if (!is_allowed(area, error_code))
        return SPACE_FAULT_ACCERR;
    fault = bring_in(space, area, address, error_code & ERROR_WRITE ? ACCESS_WRITE : ACCESS_READ);
    space->faults_minor += fault == SPACE_FAULT_DONE;
    return fault;
}

enum space_fault space_fault(struct space *space, uint32_t address, uint32_t error_code)
{
    enum space_fault fault;
    if (address < SPACE_START || address >= SPACE_END)
        return SPACE_FAULT_MAPERR;
    mutex_lock(&space->lock);
    fault = fault_at(space, address & ~(PAGE_SIZE - 1), error_code);
    mutex_unlock(&space->lock);
    return fault;
}

/* ---- as if touched ---- */

/* What access brings in all that an area will ever need: private writable pages are written to. */
static enum access access_for(const struct area *area, enum access access)
{
    return access == ACCESS_WRITE && (area->flags & PROT_WRITE) ? ACCESS_WRITE : ACCESS_READ;
}

int populate(struct space *space, uint32_t start, uint32_t end, enum access access)
{
    struct area *area = area_find(space, start);
    for (uint32_t at = start; at < end; at += PAGE_SIZE) {
        enum space_fault fault;
        if (area != NULL && at >= area->end)
            area = area->next;
        if (area == NULL || area->start > at)
            return -ENOMEM;
        if ((area->flags & AREA_RIGHTS) == 0)
            return -EFAULT;
        fault = bring_in(space, area, at, access_for(area, access));
        if (fault == SPACE_FAULT_NO_MEMORY)
            return -ENOMEM;
        if (fault != SPACE_FAULT_DONE)
            return -EFAULT;
    }
    return 0;
}

/* ---- reading and writing from outside ---- */

/* The frame of a page that is there, for a writer a frame that is the space's own. */
static frame_t frame_for(struct space *space, uint32_t address, enum access access)
{
    struct area *area = area_at(space, address);
    if (area == NULL || (area->flags & AREA_RIGHTS) == 0 ||
        (access == ACCESS_WRITE && !(area->flags & PROT_WRITE)) ||
        bring_in(space, area, address, access) != SPACE_FAULT_DONE)
        return FRAME_NONE;
    return paging_user_find(&space->paging, address).frame;
}

static int copy_pages(struct space *space, uint32_t address, unsigned char *data, size_t bytes,
                      enum access access)
{
    while (bytes > 0) {
        const uint32_t offset = address % PAGE_SIZE, room = PAGE_SIZE - offset;
        const uint32_t part = bytes < room ? (uint32_t)bytes : room;
        frame_t frame = frame_for(space, address - offset, access);
        if (frame == FRAME_NONE)
            return -EFAULT;
        if (access == ACCESS_WRITE)
            page_write(frame, offset, data, part);
        else
            page_read(frame, offset, data, part);
        address += part;
        data += part;
        bytes -= part;
    }
    return 0;
}

static int copy(struct space *space, uint32_t address, void *data, size_t bytes, enum access access)
{
    int error;
    if (address < SPACE_START || address > SPACE_END || bytes > SPACE_END - address)
        return -EFAULT;
    mutex_lock(&space->lock);
    error = copy_pages(space, address, data, bytes, access);
    mutex_unlock(&space->lock);
    return error;
}

int space_write(struct space *space, uint32_t to, const void *from, size_t bytes)
{
    return copy(space, to, (void *)(uintptr_t)from, bytes, ACCESS_WRITE);
}

int space_read(struct space *space, void *to, uint32_t from, size_t bytes)
{
    return copy(space, from, to, bytes, ACCESS_READ);
}
