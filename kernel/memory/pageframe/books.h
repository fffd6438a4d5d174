#ifndef KERNEL_MEMORY_PAGEFRAME_BOOKS_H
#define KERNEL_MEMORY_PAGEFRAME_BOOKS_H

#include "kernel/include/errors.h"
#include "kernel/memory/pageframe/internal.h"
#include "kernel/memory/platform.h"

/*
 * What all calls share: what a byte says about its frame, the reserve, and the counters. Interrupts
 * are off where one of these is called.
 */
#define TAG_RESERVED BYTEMAP_TAG(BYTEMAP_RESERVED, BYTEMAP_KERNEL)
#define TAG_BAD      BYTEMAP_TAG(BYTEMAP_BAD, BYTEMAP_NONE)
#define HELD_BITS    (BYTEMAP_LOCKED_BIT | BYTEMAP_SHARED_BIT)

/* What the byte of a frame says about giving the frame back. One look-up answers it. All but GIVEN
 * make no sense as enum pageframe_where, nor or-ed to one. */
#define VERDICT_BIT (1u << 31)
enum verdict {
    GIVEN,
    ABSENT,
    FREE_ALREADY,
    HELD, /* locked or shared; also what bytes say that are not valid */
    WITHDRAWN
};

/* [tag]: GIVEN, or VERDICT_BIT and another. */
extern const uint32_t pageframe_verdicts[256];

static inline bool is_given(bytemap_tag_t tag)
{
    return pageframe_verdicts[tag] == GIVEN;
}

/* Given out, locked or shared or not. */
static inline bool is_given_out(bytemap_tag_t tag)
{
    return is_given(tag & (bytemap_tag_t)~HELD_BITS);
}

/* Why a frame with this byte, which does not say GIVEN, cannot be given back. */
PAGEFRAME_CALL int pageframe_refusal_of(bytemap_tag_t tag);

/* Count a refusal, or a failure, and pass on what the caller returns. */
PAGEFRAME_CALL int pageframe_refuse(int error);
frame_t pageframe_fail(void);

/* Counts a refusal on the way out. */
static inline int counted(int result)
{
    return result < 0 ? pageframe_refuse(result) : result;
}

/* Free and zeroed frames. */
static inline uint32_t free_frames(void)
{
    return bytemap_free_frames() + bytemap.count[BYTEMAP_ZEROED];
}

/* The highest zone that a caller may have frames of. */
static inline unsigned highest_zone(unsigned where)
{
    unsigned zone = PAGEFRAME_ZONES - 1 - (where & ~PAGEFRAME_MUST);
    return zone < pageframe.top_zone ? zone : pageframe.top_zone;
}

/* Whether a call that gives frames out makes sense. */
static inline bool is_sensible(unsigned where, bytemap_tag_t tag)
{
    return (where & ~PAGEFRAME_MUST) < PAGEFRAME_WHERE_COUNT && is_given(tag);
}

/* Whether [first, first + count) lies in the map. */
static inline bool is_in_map(frame_t first, uint32_t count)
{
    return count != 0 && first < pageframe.frames && count <= pageframe.frames - first;
}

PAGEFRAME_CALL bool pageframe_has_spare(uint32_t count, unsigned where);

/* Whether `count` frames may go without touching what is kept for others. The second one looks at
 * what there is, and not at the budget. */
static inline bool is_within_reserve(uint32_t count, unsigned where)
{
    return LIKELY((uint32_t)bytemap.budget >= count) || pageframe_has_spare(count, where);
}

/* Counts frames that are given out beyond the budget, out of those in state FREE (less than none:
 * they are not, after all), and sets the budget anew: what may go without a comparison with the
 * reserve. To be called after everything that lessens the free frames and does not take them from
 * the budget. */
PAGEFRAME_CALL void pageframe_account(int32_t count);

/* Counts frames in state FREE that are given out, but for the counter of their new byte. */
static inline void spend(uint32_t count)
{
    if (LIKELY((uint32_t)bytemap.budget >= count))
        bytemap.budget -= (int32_t)count;
    else
        pageframe_account((int32_t)count);
}

/* Takes one frame out of the budget, if there is one in it. In this form it is two instructions. */
static inline bool spend_one(void)
{
    if (LIKELY(--bytemap.budget >= 0))
        return true;
    bytemap.budget = 0;
    return false;
}

/* The budget, and with it what says how many were given out, becomes larger by this (modulo 2^32).
 */
static inline void widen_budget(uint32_t change)
{
    bytemap.budget += (int32_t)change;
    bytemap.count[BYTEMAP_FREE] -= change;
    pageframe.granted += (uint64_t)(int64_t)(int32_t)change;
    pageframe.ungranted = ~pageframe.granted;
}

/* Moves the count of what is promised (modulo 2^32). One place changes it. */
static inline void count_promised(uint32_t change)
{
    pageframe.promised_frames += change;
    pageframe.promised_frames_not -= change;
}

/* Moves the count of a zone's free frames (modulo 2^32, so that it can lessen it). */
static inline void count_zone(unsigned zone, uint32_t frames)
{
    if (zone != pageframe.top_zone)
        pageframe.areas[zone].free_frames += frames;
}

/* Frames that all are `from`, which is not free, become free, and the index has them. They may lie
 * in several zones. */
PAGEFRAME_CALL void pageframe_enter_free(frame_t first, uint32_t count, bytemap_tag_t from);

/* Takes a frame, in state FREE, out of an open word that has one. */
static inline frame_t pageframe_take_open(struct pageframe_open *open)
{
    frame_t frame = lowest_bit(open->mask);
    open->mask = without_bit(open->mask, frame);
    return frame + open->first;
}

/* Gives a FREE frame out that the index does not have. */
static inline void pageframe_give_out(frame_t frame, unsigned zone, unsigned tag)
{
    MEMORY_ASSERT(bytemap.bytes[frame] == BYTEMAP_FREE);
    bytemap_give_one(frame, tag);
    count_zone(zone, (uint32_t)-1);
    spend(1);
}

/* Lets the open word of an area's zone have what is still to be zeroed, if that is of the zone;
 * whether there was anything. */
PAGEFRAME_CALL bool pageframe_reopen_zeroing(const struct pageframe_area *area);
/* Puts what the open words hold back into the index; whether that was anything. */
bool pageframe_close_words(void);
/* The zeroed frames become free ones, and the index has them. Returns whether there were any. */
bool pageframe_return_zeroed(void);
/* Makes a zeroed frame of a zone up to this FREE, but does not enter it into the index; FRAME_NONE
 * if there is none. */
PAGEFRAME_CALL frame_t pageframe_pop_zeroed(unsigned highest);

/* A frame that is given out comes back; its byte is `before`. */
PAGEFRAME_CALL void pageframe_take_back(frame_t frame, bytemap_tag_t before);

#endif
