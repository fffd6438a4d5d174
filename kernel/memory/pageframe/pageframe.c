/* Single frames, and what is known of all of them. */
#include "kernel/memory/pageframe/pageframe.h"

#include "kernel/memory/pageframe/books.h"

struct pageframe pageframe;

/* No zone up to this has a frame that is not zeroed already. */
static NOINLINE PAGEFRAME_CALL frame_t alloc_zeroed_one(unsigned highest, unsigned tag,
                                                        unsigned long saved)
{
    frame_t frame = pageframe_pop_zeroed(highest);
    if (frame != FRAME_NONE) {
        bytemap_give_one(frame, tag);
        count_zone(pageframe_zone_of(frame), (uint32_t)-1);
    } else {
        pageframe_account(-1);
        (void)pageframe_fail();
    }
    platform_interrupts_restore(saved);
    return frame;
}

/* The first of zone 4's areas that has a word to open, or the first of all. */
static NOINLINE struct pageframe_area *area_above(void)
{
    struct pageframe_area *first = &pageframe.areas[PAGEFRAME_ZONES - 1], *area = first;
    while (area->kinds == 0 && ++area < &pageframe.areas[pageframe.area_count])
        ;
    return area < &pageframe.areas[pageframe.area_count] ? area : first;
}

/* Out of an open word that has one. */
static inline frame_t give_open(struct pageframe_open *open, unsigned tag, unsigned long saved)
{
    frame_t frame = pageframe_take_open(open);
    bytemap_give_one(frame, tag);
    platform_interrupts_restore(saved);
    return frame;
}

NOINLINE PAGEFRAME_CALL frame_t pageframe_alloc_counted(unsigned highest, unsigned tag,
                                                        unsigned long saved)
{
    struct pageframe_area *area = &pageframe.areas[highest];
    if (UNLIKELY(highest == PAGEFRAME_ZONES - 1) && area->kinds == 0)
        area = area_above();
    while (area->kinds == 0 && area->open->mask == 0 &&
           (LIKELY(pageframe.zeroing.open.mask == 0) || !pageframe_reopen_zeroing(area))) {
        if (area == pageframe.areas)
            return alloc_zeroed_one(highest, tag, saved);
        area--;
    }
    if (area->open != &pageframe.open[0])
        area->free_frames--;
    if (area->open->mask != 0)
        return give_open(area->open, tag, saved);
    return pageframe_index_open_at_last(area, tag, saved);
}

/* Anywhere: the open word of the top zone has nothing left. The frame has been counted already. */
static NOINLINE PAGEFRAME_CALL frame_t alloc_opening(unsigned tag, unsigned long saved)
{
    const struct pageframe_area *area = &pageframe.areas[pageframe.top_zone];
    if (UNLIKELY(area->kinds == 0))
        return pageframe_alloc_counted(pageframe.top_zone, tag, saved);
    return pageframe_index_open_at_last(area, tag, saved);
}

/* Sets the budget, in which nothing is left, anew. Whether there is something in it now. */
static inline bool refill_budget(void)
{
    uint32_t spare = free_frames(), kept = pageframe.reserve_frames + pageframe.promised_frames;
    if (UNLIKELY(spare <= kept))
        return false;
    widen_budget(spare - kept);
    return true;
}

/* Anywhere: nothing is left in the budget. */
static NOINLINE PAGEFRAME_CALL frame_t alloc_refilling(unsigned long saved, unsigned tag)
{
    if (UNLIKELY(!refill_budget())) {
        (void)pageframe_fail();
        platform_interrupts_restore(saved);
        return FRAME_NONE;
    }
    bytemap.budget--;
    if (pageframe.open[0].mask == 0)
        return alloc_opening(tag, saved);
    return give_open(&pageframe.open[0], tag, saved);
}

/* Takes one frame out of the budget, or out of the reserve. False: the caller may not have one. */
static inline bool may_spend_one(unsigned where)
{
    if (LIKELY(bytemap.budget != 0 || refill_budget())) {
        bytemap.budget--;
        return true;
    }
    if (!pageframe_has_spare(1, where))
        return false;
    pageframe_account(1);
    return true;
}

/* Not anywhere, the reserve, bad arguments. */
NOINLINE PAGEFRAME_CALL frame_t pageframe_alloc_slowly(unsigned where, unsigned long saved,
                                                       unsigned tag)
{
    if (UNLIKELY((where & ~PAGEFRAME_MUST) >= PAGEFRAME_WHERE_COUNT)) {
        (void)pageframe_refuse(0);
    } else if (LIKELY(may_spend_one(where))) {
        return pageframe_alloc_counted(highest_zone(where), tag, saved);
    } else {
        (void)pageframe_fail();
    }
    platform_interrupts_restore(saved);
    return FRAME_NONE;
}

/* The short path gives out a frame of the top zone's open word. */
PAGEFRAME_CALL frame_t pageframe_alloc(unsigned where, bytemap_tag_t use)
{
    struct pageframe_open *open = &pageframe.open[0];
    unsigned tag;
    __asm__("movzbl %1, %0" : "=c"(tag) : "q"(use)); /* or there would be two copies of it */
    where |= pageframe_verdicts[tag];
    if (UNLIKELY(where != (GIVEN | PAGEFRAME_ANYWHERE)))
        return pageframe_alloc_slowly(where, platform_interrupts_save(), tag);
    unsigned long saved = platform_interrupts_save();
    if (UNLIKELY(!spend_one()))
        return alloc_refilling(saved, tag);
    if (UNLIKELY(open->mask == 0))
        return alloc_opening(tag, saved);
    return give_open(open, tag, saved);
}

/* A frame that is given out comes back. Restores interrupts; 0. */
static inline int take_back(frame_t frame, bytemap_tag_t before, unsigned long saved)
{
    uint32_t word = frame / PAGEFRAME_WORD_FRAMES, place = pageframe_index_place(word, frame);
    uint32_t busy = without_bit(pageframe.busy[word], frame);
    pageframe.busy[word] = busy;
    bytemap_return_one(frame, before);
    count_zone(pageframe_zone_of(frame), 1);
    if (pageframe_index_rises(place, busy))
        return pageframe_index_rise_at_last(place, saved, word);
    platform_interrupts_restore(saved);
    return 0;
}

PAGEFRAME_CALL void pageframe_take_back(frame_t frame, bytemap_tag_t before)
{
    (void)take_back(frame, before, platform_interrupts_save());
}

NOINLINE PAGEFRAME_CALL int pageframe_free_slowly(frame_t frame, unsigned long saved)
{
    bytemap_tag_t tag = frame < pageframe.frames ? bytemap.bytes[frame] : BYTEMAP_ABSENT;
    if (LIKELY(is_given(tag)))
        return take_back(frame, tag, saved);
    int error = pageframe_refuse(pageframe_refusal_of(tag));
    platform_interrupts_restore(saved);
    return error;
}

/* The short paths are those of the top zone: its open word, whose bytes are all in the map's
 * storage, and a word that stays in its class. */
PAGEFRAME_CALL int pageframe_free(frame_t frame)
{
    struct pageframe_open *open = &pageframe.open[0];
    uint32_t word = frame / PAGEFRAME_WORD_FRAMES, busy;
    unsigned long saved = platform_interrupts_save();
    if (word == open->word) {
        bytemap_tag_t tag = bytemap.bytes[frame];
        if (UNLIKELY(!is_given(tag)))
            return pageframe_free_slowly(frame, saved);
        bytemap_return_one(frame, tag);
        open->mask = with_bit(open->mask, frame);
    } else {
        if (UNLIKELY(frame - pageframe.top_first >= pageframe.top_count))
            return pageframe_free_slowly(frame, saved);
        bytemap_tag_t tag = bytemap.bytes[frame];
        if (UNLIKELY(!is_given(tag)))
            return pageframe_free_slowly(frame, saved);
        bytemap_return_one(frame, tag);
        busy = without_bit(pageframe.busy[word], frame);
        pageframe.busy[word] = busy;
        uint32_t place = pageframe_index_place(word, frame);
        if (UNLIKELY(pageframe_index_rises(place, busy)))
            return pageframe_index_rise_at_last(place, saved, word);
    }
    platform_interrupts_restore(saved);
    return 0;
}

void pageframe_set_watermarks(uint32_t reserve, uint32_t low)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t most = pageframe.ram_frames / 4;
    pageframe.reserve_frames = reserve < most ? reserve : most;
    pageframe.low_watermark_frames = low < most ? low : most;
    pageframe.seal = pageframe_seal();
    pageframe_account(0);
    platform_interrupts_restore(saved);
}

enum pageframe_pressure pageframe_pressure(void)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t spare = free_frames();
    enum pageframe_pressure pressure = PAGEFRAME_PLENTY;
    uint32_t promised = pageframe.promised_frames;
    spare = spare > promised ? spare - promised : 0;
    if (spare <= pageframe.reserve_frames)
        pressure = PAGEFRAME_SCARCE;
    else if (spare < pageframe.low_watermark_frames)
        pressure = PAGEFRAME_SHORT;
    platform_interrupts_restore(saved);
    return pressure;
}

void pageframe_read_statistics(struct pageframe_statistics *statistics)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t sum = 0;
    statistics->ram_frames = pageframe.ram_frames;
    statistics->free_frames = free_frames();
    statistics->reserve_frames = pageframe.reserve_frames;
    statistics->promised_frames = pageframe.promised_frames;
    statistics->low_watermark_frames = pageframe.low_watermark_frames;
    for (unsigned zone = 0; zone < PAGEFRAME_ZONES; zone++) {
        sum = zone < pageframe.top_zone ? sum + pageframe.areas[zone].free_frames : free_frames();
        statistics->zone_free_frames[PAGEFRAME_ZONES - 1 - zone] = sum;
    }
    statistics->allocations = pageframe.granted - (uint32_t)bytemap.budget;
    statistics->frees =
        statistics->allocations - ((uint32_t)statistics->allocations - bytemap.freed);
    statistics->failures = pageframe.failures;
    statistics->refusals = pageframe.refusals;
    platform_interrupts_restore(saved);
}
