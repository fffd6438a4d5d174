/* Single frames, and what is known of all of them. */
#include "kernel/memory/pageframe/pageframe.h"

#include "kernel/memory/pageframe/books.h"

struct pageframe pageframe;

/* Out of a zone; FRAME_NONE if it has none. */
static inline frame_t take_of(unsigned zone)
{
    struct pageframe_open *open = pageframe_open_of(zone);
    if (open->mask == 0) {
        const struct pageframe_area *area = pageframe_area_with(zone, UINT32_MAX);
        if (LIKELY(area != NULL))
            return pageframe_index_open(area, open);
        if (LIKELY(pageframe.zeroing.open.mask == 0) || !pageframe_reopen_zeroing(zone))
            return FRAME_NONE;
    }
    return pageframe_take_open(open);
}

/* There is no frame of the first zone. */
static NOINLINE frame_t alloc_below(unsigned highest, unsigned tag, unsigned long saved)
{
    unsigned zone = highest;
    frame_t frame = FRAME_NONE;
    while (frame == FRAME_NONE && zone-- > 0)
        frame = take_of(zone);
    if (frame == FRAME_NONE) {
        frame = pageframe_pop_zeroed(highest);
        zone = pageframe_zone_of(frame);
    }
    if (frame != FRAME_NONE) {
        bytemap_give_one(frame, tag);
        count_zone(zone, (uint32_t)-1);
    } else {
        pageframe_account(-1);
        (void)pageframe_fail();
    }
    platform_interrupts_restore(saved);
    return frame;
}

NOINLINE PAGEFRAME_CALL frame_t pageframe_alloc_counted(unsigned zone, unsigned tag,
                                                        unsigned long saved)
{
    frame_t frame = take_of(zone);
    if (UNLIKELY(frame == FRAME_NONE))
        return alloc_below(zone, tag, saved);
    bytemap_give_one(frame, tag);
    count_zone(zone, (uint32_t)-1);
    platform_interrupts_restore(saved);
    return frame;
}

/* Anywhere: the open word of the top zone has nothing left. The frame has been counted already. */
static NOINLINE PAGEFRAME_CALL frame_t alloc_opening(unsigned tag, unsigned long saved)
{
    const struct pageframe_area *area = pageframe_area_with(pageframe.top_zone, UINT32_MAX);
    if (UNLIKELY(area == NULL))
        return pageframe_alloc_counted(pageframe.top_zone, tag, saved);
    frame_t frame = pageframe_index_open(area, &pageframe.open[0]);
    bytemap_give_one(frame, tag);
    platform_interrupts_restore(saved);
    return frame;
}

/* Not anywhere, the reserve, bad arguments. */
NOINLINE PAGEFRAME_CALL frame_t pageframe_alloc_slowly(unsigned where, unsigned tag,
                                                       unsigned long saved)
{
    if (UNLIKELY((where & ~PAGEFRAME_MUST) >= PAGEFRAME_WHERE_COUNT)) {
        (void)pageframe_refuse(0);
    } else if (UNLIKELY(!is_within_reserve(1, where))) {
        (void)pageframe_fail();
    } else {
        spend(1);
        return pageframe_alloc_counted(highest_zone(where), tag, saved);
    }
    platform_interrupts_restore(saved);
    return FRAME_NONE;
}

/* The short path gives out a frame of the top zone's open word. */
PAGEFRAME_CALL frame_t pageframe_alloc(unsigned where, bytemap_tag_t use)
{
    struct pageframe_open *open = &pageframe.open[0];
    unsigned tag = use;
    where |= pageframe_verdicts[tag];
    unsigned long saved = platform_interrupts_save();
    if (UNLIKELY(where != (GIVEN | PAGEFRAME_ANYWHERE) || !spend_one()))
        return pageframe_alloc_slowly(where, tag, saved);
    if (UNLIKELY(open->mask == 0))
        return alloc_opening(tag, saved);
    frame_t frame = pageframe_take_open(open);
    bytemap_give_one(frame, tag);
    platform_interrupts_restore(saved);
    return frame;
}

PAGEFRAME_CALL void pageframe_take_back(frame_t frame, bytemap_tag_t before)
{
    bytemap_return_one(frame, before);
    count_zone(pageframe_zone_of(frame), 1);
    pageframe_index_put(frame);
}

NOINLINE PAGEFRAME_CALL int pageframe_free_slowly(frame_t frame, unsigned long saved)
{
    bytemap_tag_t tag = frame < pageframe.frames ? bytemap.bytes[frame] : BYTEMAP_ABSENT;
    int error = 0;
    if (LIKELY(is_given(tag)))
        pageframe_take_back(frame, tag);
    else
        error = pageframe_refuse(pageframe_refusal_of(tag));
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
        if (UNLIKELY(pageframe_index_rises(word, frame, busy)))
            return pageframe_index_rise_at_last(word, saved);
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
        sum = zone < pageframe.top_zone ? sum + pageframe.zones[zone].free_frames : free_frames();
        statistics->zone_free_frames[PAGEFRAME_ZONES - 1 - zone] = sum;
    }
    statistics->allocations = pageframe.granted - (uint32_t)bytemap.budget;
    statistics->frees =
        statistics->allocations - ((uint32_t)statistics->allocations - bytemap.freed);
    statistics->failures = pageframe.failures;
    statistics->refusals = pageframe.refusals;
    platform_interrupts_restore(saved);
}
