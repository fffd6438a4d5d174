/* Contiguous runs. */
#include "kernel/memory/pageframe/books.h"

struct run {
    uint32_t frames, alignment;
    frame_t limit;
    unsigned where;
    bytemap_tag_t tag;
};

/* The order of the blocks that a run is looked for among: the next power of two. */
static inline unsigned order_of(uint32_t frames, uint32_t alignment)
{
    uint32_t block = frames > alignment ? frames : alignment;
    return highest_bit(2 * block - 1);
}

static inline bool is_power_of_two(uint32_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

/* Marks a run that has left the index. */
static inline void give_out_run(frame_t first, uint32_t frames, unsigned zone, bytemap_tag_t tag)
{
    count_zone(zone, -frames);
    bytemap_mark_run(first, frames, tag);
    bytemap.count[tag] += frames;
    spend(frames);
}

/* Takes a run of a zone out of the index; FRAME_NONE if it has none. */
static inline frame_t take_run_in(unsigned zone, unsigned order, const struct run *run)
{
    frame_t first;
    if (order <= PAGEFRAME_ORDER_GROUP)
        return pageframe_index_take(zone, order, run->frames, run->limit);
    first = pageframe_index_find_groups(zone, run->frames, run->limit);
    if (first != FRAME_NONE)
        pageframe_index_remove(first, run->frames);
    return first;
}

static frame_t try_run(const struct run *run)
{
    unsigned order = order_of(run->frames, run->alignment);
    for (unsigned zone = highest_zone(run->where) + 1; zone-- > 0;) {
        frame_t first = take_run_in(zone, order, run);
        if (first == FRAME_NONE)
            continue;
        give_out_run(first, run->frames, zone, run->tag);
        return first;
    }
    return FRAME_NONE;
}

/* What is not found is looked for again among what the index has not got. */
static frame_t alloc_run(const struct run *run)
{
    if (!is_within_reserve(run->frames, run->where))
        return pageframe_fail();
    frame_t first = try_run(run);
    if (first == FRAME_NONE && pageframe_close_words())
        first = try_run(run);
    if (first == FRAME_NONE && pageframe_return_zeroed())
        first = try_run(run);
    return first != FRAME_NONE ? first : pageframe_fail();
}

static NOINLINE frame_t alloc_run_slowly(struct run run, unsigned long saved)
{
    frame_t first = FRAME_NONE;
    if (run.frames - 1 < PAGEFRAME_RUN_MAX && is_power_of_two(run.alignment) &&
        run.alignment <= PAGEFRAME_RUN_MAX_ALIGNMENT && is_sensible(run.where, run.tag))
        first = alloc_run(&run);
    else
        (void)pageframe_refuse(0);
    platform_interrupts_restore(saved);
    return first;
}

/* The short path is for up to 1024 frames that the index has. */
frame_t pageframe_alloc_run(uint32_t frames, uint32_t alignment, frame_t limit, unsigned where,
                            bytemap_tag_t tag)
{
    unsigned long saved = platform_interrupts_save();
    unsigned order = order_of(frames, alignment), zone = highest_zone(where);
    unsigned place = (where & ~PAGEFRAME_MUST) | pageframe_verdicts[tag];
    frame_t first;
    if (UNLIKELY(frames == 0 || !is_power_of_two(alignment) || order > PAGEFRAME_ORDER_GROUP ||
                 place >= PAGEFRAME_WHERE_COUNT || (uint32_t)bytemap.budget < frames))
        return alloc_run_slowly((struct run){frames, alignment, limit, where, tag}, saved);
    while ((first = pageframe_index_take(zone, order, frames, limit)) == FRAME_NONE)
        if (zone-- == 0)
            return alloc_run_slowly((struct run){frames, alignment, limit, where, tag}, saved);
    count_zone(zone, -frames);
    bytemap.count[tag] += frames;
    bytemap.budget -= (int32_t)frames;
    bytemap_mark_run(first, frames, tag);
    platform_interrupts_restore(saved);
    return first;
}

/* Frames of the same byte come back. */
static void take_back_run(frame_t first, uint32_t count, bytemap_tag_t before)
{
    bytemap.freed += count;
    bytemap.count[BYTEMAP_FREE] -= count; /* pageframe_enter_free counts them there */
    pageframe_enter_free(first, count, before);
}

/* Checks all, then acts. */
static int free_mixed_run(frame_t first, uint32_t frames)
{
    frame_t end = first + frames, next;
    for (frame_t at = first; at < end; at = next) {
        bytemap_tag_t tag = bytemap.bytes[at];
        if (!is_given(tag))
            return pageframe_refusal_of(tag);
        next = bytemap_run_end(at, end);
    }
    for (frame_t at = first; at < end; at = next) {
        next = bytemap_run_end(at, end);
        take_back_run(at, next - at, bytemap.bytes[at]);
    }
    return 0;
}

static NOINLINE int free_run_slowly(frame_t first, uint32_t frames, unsigned long saved)
{
    int error = counted(is_in_map(first, frames) ? free_mixed_run(first, frames) : -ERANGE);
    platform_interrupts_restore(saved);
    return error;
}

/* The short path is for frames of one zone with the same byte, which is read once. */
PAGEFRAME_CALL int pageframe_free_run(frame_t first, uint32_t frames)
{
    unsigned long saved = platform_interrupts_save();
    if (UNLIKELY(!is_in_map(first, frames)))
        return free_run_slowly(first, frames, saved);
    bytemap_tag_t tag = bytemap.bytes[first];
    if (UNLIKELY(!is_given(tag) || !bytemap_run_is(first, frames, tag)))
        return free_run_slowly(first, frames, saved);
    if (UNLIKELY(first < pageframe.top_first)) {
        unsigned zone = pageframe_zone_of(first);
        if (first + frames > pageframe_borders[zone + 1])
            return free_run_slowly(first, frames, saved);
        count_zone(zone, frames);
    }
    bytemap.count[tag] -= frames;
    bytemap.freed += frames;
    bytemap_mark_run(first, frames, BYTEMAP_FREE);
    pageframe_index_add(first, frames);
    platform_interrupts_restore(saved);
    return 0;
}
