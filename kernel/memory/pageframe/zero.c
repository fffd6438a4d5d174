/* Frames that are cleared ahead of time. */
#include "kernel/lib/string.h"
#include "kernel/memory/pageframe/books.h"

#define TAG_ZEROING BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)

PAGEFRAME_CALL bool pageframe_reopen_zeroing(const struct pageframe_area *area)
{
    struct pageframe_open *zeroing = &pageframe.zeroing.open;
    if (zeroing->mask == 0 || &pageframe.areas[pageframe_zone_of(zeroing->first)] != area)
        return false;
    *area->open = *zeroing;
    zeroing->mask = 0;
    return true;
}

/* At most 32 frames change their bytes. */
bool pageframe_return_zeroed(void)
{
    struct pageframe_zeroing *zeroing = &pageframe.zeroing;
    uint32_t frames = zeroing->ready | zeroing->open.mask, count = 0;
    if (frames == 0)
        return false;
    for (uint32_t ready = zeroing->ready; ready != 0; ready &= ready - 1, count++)
        bytemap.bytes[zeroing->open.first + lowest_bit(ready)] = BYTEMAP_FREE;
    bytemap.count[BYTEMAP_ZEROED] -= count;
    bytemap.count[BYTEMAP_FREE] += count;
    zeroing->ready = zeroing->open.mask = 0;
    pageframe_index_close(zeroing->open.word, frames);
    return true;
}

PAGEFRAME_CALL frame_t pageframe_pop_zeroed(unsigned highest)
{
    struct pageframe_zeroing *zeroing = &pageframe.zeroing;
    if (zeroing->ready == 0 || zeroing->open.first >= pageframe_borders[highest + 1])
        return FRAME_NONE;
    frame_t frame = zeroing->open.first + lowest_bit(zeroing->ready);
    zeroing->ready = without_bit(zeroing->ready, frame);
    bytemap_change_one(frame, BYTEMAP_ZEROED, BYTEMAP_FREE);
    return frame;
}

/* A frame that is given out is a zeroed one; it is as if it had never left. */
static void enter(frame_t frame)
{
    pageframe.zeroing.ready = with_bit(pageframe.zeroing.ready, frame);
    bytemap_change_one(frame, TAG_ZEROING, BYTEMAP_ZEROED);
    count_zone(pageframe_zone_of(frame), 1);
    bytemap.budget++;
    bytemap.count[BYTEMAP_FREE]--;
    pageframe_account(0);
}

/* Takes a frame to be zeroed out of the free ones, and leaves the reserve alone. A FULL word is
 * begun with if there is one, so that many are had. */
static frame_t take_for_zeroing(void)
{
    struct pageframe_zeroing *zeroing = &pageframe.zeroing;
    frame_t frame = FRAME_NONE;
    if (!is_within_reserve(1, PAGEFRAME_DIRECT))
        return FRAME_NONE;
    if (zeroing->open.mask != 0)
        frame = pageframe_take_open(&zeroing->open);
    else if (zeroing->ready == 0)
        for (unsigned zone = highest_zone(PAGEFRAME_DIRECT) + 1; zone-- > 0 && frame == FRAME_NONE;)
            frame = pageframe_index_open_full(zone, &zeroing->open);
    if (frame != FRAME_NONE)
        pageframe_give_out(frame, pageframe_zone_of(frame), TAG_ZEROING);
    return frame;
}

bool pageframe_zero_one(void)
{
    unsigned long saved = platform_interrupts_save();
    frame_t frame = take_for_zeroing();
    platform_interrupts_restore(saved);
    if (frame == FRAME_NONE)
        return false;
    memset(platform_frame_pointer(frame), 0, FRAME_SIZE);
    saved = platform_interrupts_save();
    if (frame / PAGEFRAME_WORD_FRAMES == pageframe.zeroing.open.word)
        enter(frame);
    else
        pageframe_take_back(frame, TAG_ZEROING);
    platform_interrupts_restore(saved);
    return true;
}

frame_t pageframe_alloc_zeroed(unsigned where, bytemap_tag_t tag)
{
    unsigned must = where & PAGEFRAME_MUST, zone = where & ~PAGEFRAME_MUST;
    if (zone == PAGEFRAME_ANYWHERE || zone == PAGEFRAME_BELOW_4G)
        where = PAGEFRAME_DIRECT | must;
    unsigned long saved = platform_interrupts_save();
    frame_t frame = FRAME_NONE;
    if (LIKELY(is_sensible(where, tag) && is_within_reserve(1, where)))
        frame = pageframe_pop_zeroed(highest_zone(where));
    if (LIKELY(frame != FRAME_NONE)) {
        pageframe_give_out(frame, pageframe_zone_of(frame), tag);
        platform_interrupts_restore(saved);
        return frame;
    }
    frame = pageframe_alloc_slowly(where | pageframe_verdicts[tag], saved, tag);
    if (frame != FRAME_NONE)
        memset(platform_frame_pointer(frame), 0, FRAME_SIZE);
    return frame;
}
