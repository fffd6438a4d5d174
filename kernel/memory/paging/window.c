#include "kernel/memory/paging/internal.h"

/*
 * The two rows whose pages are handed out in pieces: device registers and temporary views. A bitmap
 * for each, searched a word at a time; the page after each piece stays taken and unmapped, so that
 * running over the end of one piece never reaches the next.
 */
#define DEVICE_PAGES    (PAGE_OF(MAP_MMIO_END) - PAGE_OF(MAP_MMIO_START))
#define TEMPORARY_PAGES (PAGE_OF(MAP_TEMPORARY_END) - PAGE_OF(MAP_TEMPORARY_START))
#define WORD_BITS       32u

_Static_assert(DEVICE_PAGES % WORD_BITS == 0 && TEMPORARY_PAGES % WORD_BITS == 0, "whole words");

enum { WINDOW_DEVICE, WINDOW_TEMPORARY };

static uint32_t device_taken[DEVICE_PAGES / WORD_BITS];
static uint32_t temporary_taken[TEMPORARY_PAGES / WORD_BITS];

struct window paging_windows[WINDOW_COUNT] = {
    [WINDOW_DEVICE] = {PAGE_OF(MAP_MMIO_START), DEVICE_PAGES, device_taken, 0, 0, 0},
    [WINDOW_TEMPORARY] = {PAGE_OF(MAP_TEMPORARY_START), TEMPORARY_PAGES, temporary_taken, 0, 0, 0},
};

void windows_init(void)
{
    for (struct window *window = paging_windows; window < paging_windows + WINDOW_COUNT; window++) {
        memset(window->taken, 0, window->pages / 8);
        window->pieces = 0;
        window->taken_pages = 0;
        window->moving = 0;
    }
}

bool window_is_taken(const struct window *window, uint32_t page)
{
    uint32_t index = page - window->page;
    return window->taken[index / WORD_BITS] >> index % WORD_BITS & 1;
}

/* The bits of a word from `bit` on, `count` of them: bit + count <= WORD_BITS. */
static uint32_t bits(uint32_t bit, uint32_t count)
{
    return (count == WORD_BITS ? UINT32_MAX : (1u << count) - 1) << bit;
}

/* The end of the free (or taken) stretch that starts at index, at most `limit`. A step a word. */
static uint32_t stretch_end(const struct window *window, uint32_t index, uint32_t limit)
{
    uint32_t word = window->taken[index / WORD_BITS];
    uint32_t flip = word >> index % WORD_BITS & 1 ? UINT32_MAX : 0;
    uint32_t ahead = bits(index % WORD_BITS, WORD_BITS - index % WORD_BITS);
    uint32_t at = index / WORD_BITS;
    uint32_t differs = (word ^ flip) & ahead;
    while (differs == 0) {
        if (++at * WORD_BITS >= limit)
            return limit;
        differs = window->taken[at] ^ flip;
    }
    at = at * WORD_BITS + (uint32_t)__builtin_ctz(differs);
    return at < limit ? at : limit;
}

/* The lowest free run of `count` pages, as an index; window->pages if there is none. Steps from
 * stretch to stretch: at most pages / 32 words plus one step for each end of a piece. */
static uint32_t find_run(const struct window *window, uint32_t count)
{
    uint32_t index = 0;
    while (count <= window->pages && index < window->pages) {
        bool is_taken = window->taken[index / WORD_BITS] >> index % WORD_BITS & 1;
        uint32_t limit = is_taken ? window->pages : index + count;
        uint32_t end = stretch_end(window, index, limit < window->pages ? limit : window->pages);
        if (!is_taken && end - index == count)
            return index;
        index = end;
    }
    return window->pages;
}

/* Flips the bits of a run, which must all be alike. */
static void flip_run(struct window *window, uint32_t index, uint32_t count)
{
    while (count > 0) {
        uint32_t bit = index % WORD_BITS;
        uint32_t step = count < WORD_BITS - bit ? count : WORD_BITS - bit;
        window->taken[index / WORD_BITS] ^= bits(bit, step);
        index += step;
        count -= step;
    }
}

/* A free piece of the row is taken, with the page behind it, and is about to be mapped: its index,
 * or window->pages if there is none. */
static uint32_t take_piece(struct window *window, uint32_t pages)
{
    unsigned long interrupts = platform_interrupts_save();
    uint32_t index = find_run(window, pages + 1);
    if (index != window->pages) {
        flip_run(window, index, pages + 1);
        window->pieces++;
        window->taken_pages += pages + 1;
        window->moving++;
    }
    platform_interrupts_restore(interrupts);
    return index;
}

/* A piece that was about to be unmapped, or could not be mapped, is free. */
static void free_piece(struct window *window, uint32_t index, uint32_t pages)
{
    unsigned long interrupts = platform_interrupts_save();
    flip_run(window, index, pages + 1);
    window->pieces--;
    window->taken_pages -= pages + 1;
    window->moving--;
    platform_interrupts_restore(interrupts);
}

static void note_moving(struct window *window, uint32_t change)
{
    unsigned long interrupts = platform_interrupts_save();
    window->moving += change;
    platform_interrupts_restore(interrupts);
}

/* A piece of `pages` mapped to the frames from first on: its address, or 0. */
static uint32_t window_map(struct window *window, frame_t first, uint32_t pages, uint32_t flags)
{
    uint32_t index;
    if (pages == 0 || pages >= window->pages)
        return 0;
    index = take_piece(window, pages);
    if (index == window->pages)
        return 0;
    if (paging_map(&paging_kernel, page_address(window->page + index), first, pages, flags) != 0) {
        free_piece(window, index, pages);
        return 0;
    }
    note_moving(window, (uint32_t)-1);
    return page_address(window->page + index);
}

/* Whether [page, page + pages) is a piece: between an unmapped page and one that is taken and
 * unmapped. Pages inside are checked by paging_unmap. */
static bool is_piece(const struct window *window, uint32_t page, uint32_t pages)
{
    uint32_t end = page + pages;
    if (page < window->page || pages == 0 || pages >= window->pages ||
        end >= window->page + window->pages)
        return false;
    if (page > window->page && paging_query(&paging_kernel, page_address(page - 1)).present)
        return false;
    return window_is_taken(window, end) && !paging_query(&paging_kernel, page_address(end)).present;
}

static void window_unmap(struct window *window, uint32_t page, uint32_t pages)
{
    int error;
    MEMORY_ASSERT(is_piece(window, page, pages));
    note_moving(window, 1);
    error = paging_unmap(&paging_kernel, page_address(page), pages);
    MEMORY_ASSERT(error == 0);
    free_piece(window, page - window->page, pages);
}

/* Pages that hold [offset, offset + bytes) of the first one. */
static uint32_t pages_of(uint32_t offset, uint32_t bytes)
{
    return PAGE_OF((uint64_t)offset + bytes + PAGE_SIZE - 1);
}

/* No RAM, and nothing that its own row maps with another cache type: the firmware's image. */
static bool is_device(frame_t first, uint32_t pages)
{
    const uint64_t end = first + (uint64_t)pages;
    if (end > paging_frame_limit())
        return false;
    if (first < frame_of(MAP_IMAGE_START) && end > frame_of(MAP_VIDEO_END))
        return false;
    for (frame_t frame = first; frame < end; frame++) {
        if (frame >= bytemap_frames())
            return true;
        if (bytemap_tag_state(bytemap_get(frame)) != BYTEMAP_ABSENT)
            return false;
    }
    return true;
}

volatile void *paging_map_device(paddr_t physical, uint32_t bytes)
{
    uint32_t offset = (uint32_t)(physical % PAGE_SIZE), pages = pages_of(offset, bytes);
    uint32_t address;
    if (bytes == 0 || physical / FRAME_SIZE >= paging_frame_limit() ||
        !is_device(frame_of(physical), pages))
        return NULL;
    address = window_map(&paging_windows[WINDOW_DEVICE], frame_of(physical), pages,
                         PAGING_WRITE | PAGING_UNCACHED);
    return address == 0 ? NULL : (volatile void *)(uintptr_t)(address + offset);
}

void paging_unmap_device(volatile void *registers, uint32_t bytes)
{
    uintptr_t address = (uintptr_t)registers;
    if (registers == NULL)
        return;
    window_unmap(&paging_windows[WINDOW_DEVICE], PAGE_OF(address),
                 pages_of(address % PAGE_SIZE, bytes));
}

void *paging_map_temporary(frame_t first, uint32_t pages, uint32_t flags)
{
    uint32_t address = window_map(&paging_windows[WINDOW_TEMPORARY], first, pages, flags);
    return (void *)(uintptr_t)address;
}

void paging_unmap_temporary(void *view, uint32_t pages)
{
    uintptr_t address = (uintptr_t)view;
    if (view == NULL)
        return;
    MEMORY_ASSERT(address % PAGE_SIZE == 0);
    window_unmap(&paging_windows[WINDOW_TEMPORARY], PAGE_OF(address), pages);
}
