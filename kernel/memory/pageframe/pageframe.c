#include "kernel/memory/pageframe/pageframe.h"

#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/pageframe/internal.h"
#include "kernel/memory/platform.h"

struct pageframe pageframe;

#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define NOINLINE            __attribute__((noinline))

#define TAG_RESERVED        BYTEMAP_TAG(BYTEMAP_RESERVED, BYTEMAP_KERNEL)
#define TAG_BAD             BYTEMAP_TAG(BYTEMAP_BAD, BYTEMAP_NONE)
#define HELD_BITS           (BYTEMAP_LOCKED_BIT | BYTEMAP_SHARED_BIT)

#define SMALL_RUN_MAX       16u     /* frames: such a run lies in one word */
#define REFERENCES_MASK     0xFFFFu /* of a reference word: references beyond the first */
#define LOCK_ONE            0x10000u

/* What the byte of a frame says about giving the frame back. One look-up answers it. */
enum verdict { GIVEN, ABSENT, FREE_ALREADY, HELD, WITHDRAWN };

#define HELD_4     HELD, HELD, HELD, HELD
#define HELD_16    HELD_4, HELD_4, HELD_4, HELD_4
#define OWNED(own) HELD, HELD, HELD, own, HELD, GIVEN, GIVEN, GIVEN, GIVEN, HELD, HELD, HELD, HELD_4

/* [tag], a line for each upper half. HELD is also what bytes say that are not valid. */
static const uint8_t verdicts[256] = {
    /* no owner: absent, free, zeroed, -, bad */
    ABSENT, FREE_ALREADY, FREE_ALREADY, HELD, WITHDRAWN, HELD, HELD, HELD, HELD_4, HELD_4,
    OWNED(WITHDRAWN), /* kernel: reserved, given out as any of four */
    OWNED(HELD),      /* user */
    OWNED(HELD),      /* library */
    /* locked, shared, both */
    HELD_16, HELD_16, HELD_16, HELD_16, HELD_16, HELD_16, HELD_16, HELD_16, HELD_16, HELD_16,
    HELD_16, HELD_16};

_Static_assert(BYTEMAP_FREE == 1 && BYTEMAP_ZEROED == 2 && TAG_RESERVED == 0x13 && TAG_BAD == 4 &&
                   BYTEMAP_ALLOCATED == 5 && BYTEMAP_STATE_COUNT == 9,
               "the lines above");

static bool is_given_out(bytemap_tag_t tag)
{
    return verdicts[tag & (bytemap_tag_t)~HELD_BITS] == GIVEN;
}

static int refuse(int error)
{
    pageframe.refusals++;
    pageframe.troubles_not--;
    return error;
}

static frame_t fail(void)
{
    pageframe.failures++;
    pageframe.troubles_not--;
    return FRAME_NONE;
}

/* Why a frame with this verdict, not GIVEN, cannot be given back. */
static int refusal_of(enum verdict verdict)
{
    static const int8_t errors[] = {
        [ABSENT] = -ERANGE, [FREE_ALREADY] = -EALREADY, [HELD] = -EBUSY, [WITHDRAWN] = -EPERM};
    return errors[verdict];
}

static uint32_t free_frames(void)
{
    return bytemap.count[BYTEMAP_FREE] + bytemap.count[BYTEMAP_ZEROED];
}

/* The highest zone that a caller may have frames of. */
static unsigned highest_zone(unsigned where)
{
    unsigned zone = PAGEFRAME_ZONES - 1 - where;
    return zone < pageframe.top_zone ? zone : pageframe.top_zone;
}

/* Whether `count` frames may go without touching what is kept for others. */
static bool is_within_reserve(uint32_t count, unsigned where)
{
    uint32_t spare = free_frames();
    uint32_t kept = where & PAGEFRAME_MUST ? 0 : pageframe.reserve_frames;
    kept += pageframe.promised_frames;
    return spare >= kept && spare - kept >= count;
}

/* Moves the count of frames given out (modulo 2^64, so that it can take back), and sets the budget
 * anew: the paths that do not compare with the reserve may give out that many. Called after
 * everything that lessens the free frames but those paths. */
static void account(uint64_t count)
{
    uint64_t allocations = pageframe.granted - (uint32_t)pageframe.budget + count;
    uint32_t spare = free_frames();
    uint32_t kept = pageframe.reserve_frames + pageframe.promised_frames;
    pageframe.budget = (int32_t)(spare > kept ? spare - kept : 0);
    pageframe.granted = allocations + (uint32_t)pageframe.budget;
    pageframe.ungranted = ~pageframe.granted;
}

/* Moves the count of a zone's free frames (modulo 2^32, so that it can lessen it). */
static inline void count_zone(unsigned zone, uint32_t frames)
{
    if (zone != pageframe.top_zone)
        pageframe.zones[zone].free_frames += frames;
}

/* Frames of one zone that all are `from`, which is not free, become free, and the index has them.
 */
static void enter_free_in(unsigned zone, frame_t first, uint32_t count, bytemap_tag_t from)
{
    count_zone(zone, count);
    bytemap_change_run(first, count, from, BYTEMAP_FREE);
    pageframe_index_add(first, count);
}

/* Frames of one zone in state FREE that the index has get another byte. */
static void leave_free_in(unsigned zone, frame_t first, uint32_t count, bytemap_tag_t to)
{
    count_zone(zone, -count);
    pageframe_index_remove(first, count);
    bytemap_change_run(first, count, BYTEMAP_FREE, to);
}

/* The same where [first, first + count) may cross borders of zones. */
static void enter_free(frame_t first, uint32_t count, bytemap_tag_t from)
{
    while (count != 0) {
        unsigned zone = pageframe_zone_of(first);
        uint32_t left = pageframe_borders[zone + 1] - first, step = count < left ? count : left;
        enter_free_in(zone, first, step, from);
        first += step;
        count -= step;
    }
}

static void leave_free(frame_t first, uint32_t count, bytemap_tag_t to)
{
    while (count != 0) {
        unsigned zone = pageframe_zone_of(first);
        uint32_t left = pageframe_borders[zone + 1] - first, step = count < left ? count : left;
        leave_free_in(zone, first, step, to);
        first += step;
        count -= step;
    }
}

/* Takes entry `at` off the stack of zeroed frames; entries above the stack are 0. */
static frame_t drop_zeroed(uint32_t at)
{
    frame_t frame = pageframe.zeroed[at];
    pageframe.zeroed[at] = pageframe.zeroed[--pageframe.zeroed_count];
    pageframe.zeroed[pageframe.zeroed_count] = 0;
    MEMORY_ASSERT(bytemap_get(frame) == BYTEMAP_ZEROED);
    return frame;
}

/* Puts what the open words hold back into the index; whether that was anything. */
static bool close_words(void)
{
    bool changed = false;
    for (unsigned zone = 0; zone <= pageframe.top_zone; zone++)
        changed |= pageframe_index_close(zone);
    return changed;
}

/* Enters all loose frames into the index. O(PAGEFRAME_LOOSE_MAX): not for allocation paths. */
static void absorb_loose(void)
{
    while (pageframe.loose_count != 0)
        pageframe_index_settle(pageframe.loose[pageframe.loose_count - 1] / PAGEFRAME_WORD_FRAMES);
}

/* The zeroed frames become free ones, and the index has them. Returns whether there were any. */
static bool return_zeroed(void)
{
    bool changed = pageframe.zeroed_count != 0;
    while (pageframe.zeroed_count != 0) {
        frame_t frame = drop_zeroed(pageframe.zeroed_count - 1);
        bytemap_change_one(frame, BYTEMAP_ZEROED, BYTEMAP_FREE);
        pageframe_index_put(frame);
    }
    return changed;
}

/* Takes an entry off the stack of zeroed frames that lies in a zone up to this one; FRAME_NONE if
 * none does. Its byte is still ZEROED. The search ends at the first entry for all but the two small
 * zones. */
static frame_t pop_zeroed(unsigned highest)
{
    for (uint32_t at = pageframe.zeroed_count; at-- > 0;) {
        frame_t frame = pageframe.zeroed[at];
        if (frame >= pageframe_borders[highest + 1])
            continue;
        return drop_zeroed(at);
    }
    return FRAME_NONE;
}

/* The frame that became loose last. There is one. */
static inline frame_t pop_loose(void)
{
    uint32_t count = --pageframe.loose_count;
    frame_t frame = pageframe.loose[count];
    pageframe.loose[count] = 0;
    pageframe.states[frame / PAGEFRAME_WORD_FRAMES] = PAGEFRAME_EMPTY;
    return frame;
}

/* A frame in state FREE that from now on the index does not have, from the highest zone that has
 * one up to this; FRAME_NONE if none has. */
static frame_t detach_one(unsigned highest)
{
    if (highest == pageframe.top_zone && pageframe.open[0].mask == 0 && pageframe.loose_count != 0)
        return pop_loose();
    for (unsigned zone = highest + 1; zone-- > 0;) {
        frame_t frame = pageframe_index_take(zone);
        if (frame != FRAME_NONE)
            return frame;
    }
    return FRAME_NONE;
}

/* Accounts for frames that were given out: out of the budget, if that has as many. */
static inline void account_some(uint32_t count)
{
    if (LIKELY((uint32_t)pageframe.budget >= count))
        pageframe.budget -= (int32_t)count;
    else
        account(count);
}

/* Takes one frame out of the budget, if there is one in it. In this form it is two instructions. */
static inline bool spend_one(void)
{
    if (LIKELY(--pageframe.budget >= 0))
        return true;
    pageframe.budget = 0;
    return false;
}

/* Whether one frame may go. */
static inline bool is_one_within_reserve(unsigned where)
{
    return LIKELY(pageframe.budget != 0) || is_within_reserve(1, where);
}

/* Gives out a detached frame. */
static inline void give_out(frame_t frame, bytemap_tag_t tag)
{
    bytemap_tag_t before = bytemap.bytes[frame];
    MEMORY_ASSERT(before == BYTEMAP_FREE || before == BYTEMAP_ZEROED);
    bytemap_change_one(frame, before, tag);
    count_zone(pageframe_zone_of(frame), (uint32_t)-1);
    account_some(1);
}

/* Whether a call that gives frames out makes sense; counts it if not. */
static bool is_sensible(unsigned where, bytemap_tag_t tag)
{
    if ((where & ~PAGEFRAME_MUST) < PAGEFRAME_WHERE_COUNT && verdicts[tag] == GIVEN)
        return true;
    (void)refuse(0);
    return false;
}

/* Any zone, the reserve, bad arguments. */
static frame_t alloc_any(unsigned where, bytemap_tag_t tag)
{
    if (!is_sensible(where, tag))
        return FRAME_NONE;
    if (!is_one_within_reserve(where))
        return fail();
    unsigned highest = highest_zone(where & ~PAGEFRAME_MUST);
    frame_t frame = detach_one(highest);
    if (frame == FRAME_NONE)
        frame = pop_zeroed(highest);
    if (frame == FRAME_NONE)
        return fail();
    give_out(frame, tag);
    return frame;
}

/* Any caller; the first way is for those who may have what the two shortest ones give out. */
NOINLINE frame_t pageframe_alloc_slowly(unsigned where, bytemap_tag_t tag)
{
    unsigned place = where & ~PAGEFRAME_MUST;
    struct pageframe_open *open = &pageframe.open[0];
    frame_t frame;
    unsigned long saved = platform_interrupts_save();
    if (LIKELY(verdicts[tag] == GIVEN && place < PAGEFRAME_WHERE_COUNT &&
               (open->mask | pageframe.loose_count) != 0 &&
               highest_zone(place) == pageframe.top_zone) &&
        spend_one()) {
        if (open->mask != 0) {
            frame = open->first + lowest_bit(open->mask);
            open->mask &= open->mask - 1;
        } else {
            frame = pop_loose();
        }
        bytemap_change_one(frame, BYTEMAP_FREE, tag);
    } else {
        frame = alloc_any(where, tag);
    }
    platform_interrupts_restore(saved);
    return frame;
}

/* The short path gives out a frame of the top zone's open word. */
frame_t pageframe_alloc(unsigned where, bytemap_tag_t tag)
{
    struct pageframe_open *open = &pageframe.open[0];
    if (UNLIKELY((verdicts[tag] | where) != (GIVEN | PAGEFRAME_ANYWHERE)))
        return pageframe_alloc_slowly(where, tag);
    unsigned long saved = platform_interrupts_save();
    uint32_t mask = open->mask;
    if (mask == 0) {
        platform_interrupts_restore(saved);
        return pageframe_alloc_loose(where, tag);
    }
    if (UNLIKELY(!spend_one())) {
        platform_interrupts_restore(saved);
        return pageframe_alloc_slowly(where, tag);
    }
    open->mask = mask & (mask - 1);
    frame_t frame = open->first + lowest_bit(mask);
    bytemap_change_one(frame, BYTEMAP_FREE, tag);
    platform_interrupts_restore(saved);
    return frame;
}

/* The second shortest one gives out a loose frame; without one it opens a word for the shortest.
 * (Interrupt handlers can empty that word before it is looked at only by taking its frames: each
 * time round, some caller has made progress.) */
NOINLINE frame_t pageframe_alloc_loose(unsigned where, bytemap_tag_t tag)
{
    unsigned long saved = platform_interrupts_save();
    if (pageframe.loose_count == 0) {
        bool is_open = pageframe.open[0].mask != 0 || pageframe_index_open(pageframe.top_zone);
        platform_interrupts_restore(saved);
        return is_open ? pageframe_alloc(where, tag) : pageframe_alloc_slowly(where, tag);
    }
    if (UNLIKELY(!spend_one())) {
        platform_interrupts_restore(saved);
        return pageframe_alloc_slowly(where, tag);
    }
    frame_t frame = pop_loose();
    bytemap_change_one(frame, BYTEMAP_FREE, tag);
    platform_interrupts_restore(saved);
    return frame;
}

struct run {
    uint32_t frames, alignment;
    frame_t limit;
    unsigned where;
    bytemap_tag_t tag;
};

/* The order of the blocks that a run is looked for among. */
static inline unsigned order_of(uint32_t frames, uint32_t alignment)
{
    uint32_t block = frames > alignment ? frames : alignment;
    return block == 1 ? 0 : highest_bit(block - 1) + 1;
}

/* Gives a run of a zone that the index has its byte; FRAME_NONE if it has none. */
static inline frame_t take_run_in(unsigned zone, unsigned order, const struct run *run)
{
    frame_t first;
    if (order < PAGEFRAME_ORDER_FULL) {
        first = pageframe_index_take_small(zone, order, run->frames, run->limit);
        if (first != FRAME_NONE) {
            count_zone(zone, -run->frames);
            bytemap_change_run(first, run->frames, BYTEMAP_FREE, run->tag);
            return first;
        }
    }
    first = order <= PAGEFRAME_ORDER_GROUP
                ? pageframe_index_find(zone, order, run->frames, run->limit)
                : pageframe_index_find_groups(zone, run->frames, run->limit);
    if (first != FRAME_NONE)
        leave_free_in(zone, first, run->frames, run->tag);
    return first;
}

/* Gives out a run that the index has; FRAME_NONE if it has none. */
static frame_t try_run(const struct run *run)
{
    unsigned order = order_of(run->frames, run->alignment);
    for (unsigned zone = highest_zone(run->where & ~PAGEFRAME_MUST) + 1; zone-- > 0;) {
        frame_t first = take_run_in(zone, order, run);
        if (first == FRAME_NONE)
            continue;
        account_some(run->frames);
        return first;
    }
    return FRAME_NONE;
}

static bool is_sensible_run(const struct run *run)
{
    if (run->frames != 0 && run->frames <= PAGEFRAME_RUN_MAX && run->alignment != 0 &&
        (run->alignment & (run->alignment - 1)) == 0 &&
        run->alignment <= PAGEFRAME_RUN_MAX_ALIGNMENT)
        return is_sensible(run->where, run->tag);
    (void)refuse(0);
    return false;
}

/* Enters a loose frame below a limit into the index, for a caller that wants a run of one frame.
 * Returns whether there is one. O(PAGEFRAME_LOOSE_MAX) if not the first one will do. */
static bool absorb_one(const struct run *run)
{
    if (run->frames != 1 || run->alignment != 1 ||
        highest_zone(run->where & ~PAGEFRAME_MUST) != pageframe.top_zone)
        return false;
    for (uint32_t at = pageframe.loose_count; at-- > 0;)
        if (pageframe.loose[at] < run->limit) {
            pageframe_index_settle(pageframe.loose[at] / PAGEFRAME_WORD_FRAMES);
            return true;
        }
    return false;
}

/* What is not found is looked for again among what the index has not got. */
static frame_t alloc_run(const struct run *run)
{
    if ((uint32_t)pageframe.budget < run->frames && !is_within_reserve(run->frames, run->where))
        return fail();
    frame_t first = try_run(run);
    if (first == FRAME_NONE && close_words())
        first = try_run(run);
    if (first == FRAME_NONE && absorb_one(run))
        first = try_run(run);
    if (first == FRAME_NONE && return_zeroed())
        first = try_run(run);
    return first != FRAME_NONE ? first : fail();
}

static NOINLINE frame_t alloc_run_slowly(struct run run)
{
    unsigned long saved = platform_interrupts_save();
    frame_t first = is_sensible_run(&run) ? alloc_run(&run) : FRAME_NONE;
    platform_interrupts_restore(saved);
    return first;
}

/* The short path is for a part of a word, from the top zone. */
frame_t pageframe_alloc_run(uint32_t frames, uint32_t alignment, frame_t limit, unsigned where,
                            bytemap_tag_t tag)
{
    bool is_small = frames - 1 < SMALL_RUN_MAX && alignment - 1 < SMALL_RUN_MAX &&
                    (alignment & (alignment - 1)) == 0;
    if (UNLIKELY(!is_small || (verdicts[tag] | where) != (GIVEN | PAGEFRAME_ANYWHERE)))
        return alloc_run_slowly((struct run){frames, alignment, limit, where, tag});
    unsigned long saved = platform_interrupts_save();
    frame_t first = FRAME_NONE;
    if (LIKELY((uint32_t)pageframe.budget >= frames))
        first = pageframe_index_take_small(pageframe.top_zone, order_of(frames, alignment), frames,
                                           limit);
    if (LIKELY(first != FRAME_NONE)) {
        pageframe.budget -= (int32_t)frames;
        bytemap_change_run(first, frames, BYTEMAP_FREE, tag);
    }
    platform_interrupts_restore(saved);
    return first != FRAME_NONE
               ? first
               : alloc_run_slowly((struct run){frames, alignment, limit, where, tag});
}

/* A frame that was given out becomes free; its byte was `before`. */
static void take_back(frame_t frame, bytemap_tag_t before)
{
    struct pageframe_open *open = &pageframe.open[0];
    bytemap_change_one(frame, before, BYTEMAP_FREE);
    pageframe.freed++;
    if (UNLIKELY(frame < pageframe.top_first)) {
        unsigned zone = pageframe_zone_of(frame);
        count_zone(zone, 1);
        open = pageframe_open_of(zone);
    }
    if (frame - open->first < PAGEFRAME_WORD_FRAMES)
        open->mask |= 1u << (frame - open->first);
    else
        pageframe_index_put(frame);
}

NOINLINE int pageframe_free_slowly(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int error = 0;
    if (UNLIKELY(frame >= pageframe.frames)) {
        error = refuse(-ERANGE);
    } else {
        bytemap_tag_t tag = bytemap.bytes[frame];
        if (LIKELY(verdicts[tag] == GIVEN))
            take_back(frame, tag);
        else
            error = refuse(refusal_of((enum verdict)verdicts[tag]));
    }
    platform_interrupts_restore(saved);
    return error;
}

/* The second shortest path is that of the top zone, best into a word without another free frame.
 * (A handler between the two may have opened the frame's word: then the word takes it when it is
 * closed, as any other frame that the index has there.) */
NOINLINE int pageframe_free_loose(frame_t frame)
{
    if (UNLIKELY(frame - pageframe.top_first >= pageframe.top_count))
        return pageframe_free_slowly(frame);
    unsigned long saved = platform_interrupts_save();
    bytemap_tag_t tag = bytemap.bytes[frame];
    if (UNLIKELY(verdicts[tag] != GIVEN)) {
        platform_interrupts_restore(saved);
        return pageframe_free_slowly(frame);
    }
    bytemap_change_one(frame, tag, BYTEMAP_FREE);
    pageframe.freed++;
    uint16_t *state = &pageframe.states[frame / PAGEFRAME_WORD_FRAMES];
    uint32_t count = pageframe.loose_count;
    if (LIKELY(*state == PAGEFRAME_EMPTY && count != PAGEFRAME_LOOSE_MAX)) {
        *state = (uint16_t)(PAGEFRAME_LOOSE + count);
        pageframe.loose[count] = frame;
        pageframe.loose_count = count + 1;
    } else {
        pageframe_index_put(frame);
    }
    platform_interrupts_restore(saved);
    return 0;
}

/* The shortest path is that of the top zone's open word, whose bytes are all in the map's
 * storage. */
int pageframe_free(frame_t frame)
{
    struct pageframe_open *open = &pageframe.open[0];
    unsigned long saved = platform_interrupts_save();
    uint32_t bit = frame - open->first;
    if (bit >= PAGEFRAME_WORD_FRAMES) {
        platform_interrupts_restore(saved);
        return pageframe_free_loose(frame);
    }
    bytemap_tag_t tag = bytemap.bytes[frame];
    if (UNLIKELY(verdicts[tag] != GIVEN)) {
        platform_interrupts_restore(saved);
        return pageframe_free_slowly(frame);
    }
    bytemap_change_one(frame, tag, BYTEMAP_FREE);
    pageframe.freed++;
    open->mask |= 1u << bit;
    platform_interrupts_restore(saved);
    return 0;
}

/* Whether [first, first + count) lies in the map. */
static bool is_in_map(frame_t first, uint32_t count)
{
    return count != 0 && first < pageframe.frames && count <= pageframe.frames - first;
}

/* Checks all, then acts; a run whose frames all have the same byte is read once. */
static int free_run(frame_t first, uint32_t frames)
{
    if (!is_in_map(first, frames))
        return -ERANGE;
    frame_t end = first + frames, next = first;
    bytemap_tag_t tag = bytemap.bytes[first];
    if (verdicts[tag] == GIVEN && bytemap_run_is(first, frames, tag)) {
        enter_free(first, frames, tag);
        pageframe.freed += frames;
        return 0;
    }
    for (frame_t at = first; at < end; at = next) {
        enum verdict verdict = (enum verdict)verdicts[bytemap.bytes[at]];
        if (verdict != GIVEN)
            return refusal_of(verdict);
        next = bytemap_run_end(at, end);
    }
    for (frame_t at = first; at < end; at = next) {
        next = bytemap_run_end(at, end);
        enter_free(at, next - at, bytemap.bytes[at]);
    }
    pageframe.freed += frames;
    return 0;
}

/* Counts a refusal on the way out. */
static int counted(int result)
{
    return result < 0 ? refuse(result) : result;
}

static NOINLINE int free_run_slowly(frame_t first, uint32_t frames)
{
    unsigned long saved = platform_interrupts_save();
    int error = counted(free_run(first, frames));
    platform_interrupts_restore(saved);
    return error;
}

/* The short path is for a part of one word of the top zone. Frames of the last word that are beyond
 * the map have bytes too, which say ABSENT. */
int pageframe_free_run(frame_t first, uint32_t frames)
{
    if (frames - 1 >= PAGEFRAME_WORD_FRAMES - 1 ||
        first % PAGEFRAME_WORD_FRAMES + frames > PAGEFRAME_WORD_FRAMES ||
        first - pageframe.top_first >= pageframe.top_count)
        return free_run_slowly(first, frames);
    unsigned long saved = platform_interrupts_save();
    bytemap_tag_t tag = bytemap.bytes[first];
    if (UNLIKELY(verdicts[tag] != GIVEN || !bytemap_run_is(first, frames, tag))) {
        platform_interrupts_restore(saved);
        return free_run_slowly(first, frames);
    }
    bytemap_change_run(first, frames, tag, BYTEMAP_FREE);
    pageframe.freed += frames;
    pageframe.masks[first / PAGEFRAME_WORD_FRAMES] |= ((1u << frames) - 1)
                                                      << first % PAGEFRAME_WORD_FRAMES;
    pageframe_index_settle(first / PAGEFRAME_WORD_FRAMES);
    platform_interrupts_restore(saved);
    return 0;
}

/* 0 if all of [first, first + count) is RAM in a state that `is_wanted` accepts; -ERANGE if some of
 * it is no RAM, `otherwise` if some is in another state. */
static int check_range(frame_t first, uint32_t count, bool (*is_wanted)(bytemap_tag_t),
                       int otherwise)
{
    int error = 0;
    if (!is_in_map(first, count))
        return -ERANGE;
    for (frame_t at = first, end = first + count; at < end; at = bytemap_run_end(at, end)) {
        if (bytemap.bytes[at] == BYTEMAP_ABSENT)
            return -ERANGE;
        if (!is_wanted(bytemap.bytes[at]))
            error = otherwise;
    }
    return error;
}

static bool is_reserved(bytemap_tag_t tag)
{
    return tag == TAG_RESERVED;
}

/* Takes free frames out, as what `tag` says. */
static int withdraw(frame_t first, uint32_t count, bytemap_tag_t tag)
{
    int error = check_range(first, count, bytemap_tag_is_free, -EBUSY);
    if (error != 0)
        return error;
    close_words();
    return_zeroed();
    absorb_loose();
    leave_free(first, count, tag);
    account(is_given_out(tag) ? count : 0);
    return 0;
}

int pageframe_take(frame_t first, uint32_t count, bytemap_tag_t tag)
{
    unsigned long saved = platform_interrupts_save();
    int error = counted(verdicts[tag] == GIVEN ? withdraw(first, count, tag) : -EINVAL);
    platform_interrupts_restore(saved);
    return error;
}

int pageframe_reserve(frame_t first, uint32_t count)
{
    unsigned long saved = platform_interrupts_save();
    int error = counted(withdraw(first, count, TAG_RESERVED));
    platform_interrupts_restore(saved);
    return error;
}

int pageframe_retire(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int error = counted(withdraw(frame, 1, TAG_BAD));
    platform_interrupts_restore(saved);
    return error;
}

int pageframe_unreserve(frame_t first, uint32_t count)
{
    unsigned long saved = platform_interrupts_save();
    int error = check_range(first, count, is_reserved, -EINVAL);
    if (error == 0 && first + count > pageframe.reach)
        error = -EINVAL;
    if (error == 0)
        enter_free(first, count, TAG_RESERVED);
    error = counted(error);
    platform_interrupts_restore(saved);
    return error;
}

/* Writes the reference word of a frame that is given out, and the two bits in its byte that say
 * whether its halves are 0. */
static void set_references(frame_t frame, uint32_t value)
{
    bytemap_tag_t before = bytemap.bytes[frame], after = before & (bytemap_tag_t)~HELD_BITS;
    pageframe.reference_sum += value - pageframe.references[frame];
    pageframe.references[frame] = value;
    if (value & REFERENCES_MASK)
        after |= BYTEMAP_SHARED_BIT;
    if (value >= LOCK_ONE)
        after |= BYTEMAP_LOCKED_BIT;
    if (after != before)
        bytemap_change_one(frame, before, after);
}

/* 0 for a frame that is given out, else -ERANGE or -EINVAL. */
static int check_given_out(frame_t frame)
{
    bytemap_tag_t tag = bytemap_get(frame);
    if (tag == BYTEMAP_ABSENT)
        return -ERANGE;
    return is_given_out(tag) ? 0 : -EINVAL;
}

static int reference(frame_t frame)
{
    int error = check_given_out(frame);
    if (error != 0)
        return error;
    if ((pageframe.references[frame] & REFERENCES_MASK) == PAGEFRAME_REFERENCES_MAX - 1)
        return -EOVERFLOW;
    set_references(frame, pageframe.references[frame] + 1);
    return 0;
}

int pageframe_reference(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int error = counted(reference(frame));
    platform_interrupts_restore(saved);
    return error;
}

uint32_t pageframe_reference_each(const frame_t *frames, uint32_t count)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t done = 0;
    for (; done < count; done++) {
        frame_t frame = frames[done];
        if (UNLIKELY(frame >= pageframe.frames))
            break;
        bytemap_tag_t tag = bytemap.bytes[frame];
        uint32_t *word = &pageframe.references[frame];
        if (UNLIKELY(!is_given_out(tag) ||
                     (*word & REFERENCES_MASK) == PAGEFRAME_REFERENCES_MAX - 1))
            break;
        ++*word;
        if (!(tag & BYTEMAP_SHARED_BIT))
            bytemap_change_one(frame, tag, tag | BYTEMAP_SHARED_BIT);
    }
    pageframe.reference_sum += done;
    platform_interrupts_restore(saved);
    return done;
}

int pageframe_release(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int left;
    if (bytemap_tag_is_shared(bytemap_get(frame))) {
        set_references(frame, pageframe.references[frame] - 1);
        left = (int)(pageframe.references[frame] & REFERENCES_MASK) + 1;
    } else {
        left = pageframe_free(frame);
    }
    platform_interrupts_restore(saved);
    return left;
}

uint32_t pageframe_references(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t references = 0;
    if (check_given_out(frame) == 0)
        references = (pageframe.references[frame] & REFERENCES_MASK) + 1;
    platform_interrupts_restore(saved);
    return references;
}

uint32_t pageframe_locks(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t locks = 0;
    if (check_given_out(frame) == 0)
        locks = pageframe.references[frame] / LOCK_ONE;
    platform_interrupts_restore(saved);
    return locks;
}

static int lock(frame_t frame)
{
    int error = check_given_out(frame);
    if (error != 0)
        return error;
    if (pageframe.references[frame] / LOCK_ONE == PAGEFRAME_LOCKS_MAX)
        return -EOVERFLOW;
    set_references(frame, pageframe.references[frame] + LOCK_ONE);
    return 0;
}

static int unlock(frame_t frame)
{
    int error = check_given_out(frame);
    if (error != 0)
        return error;
    if (pageframe.references[frame] < LOCK_ONE)
        return -EINVAL;
    set_references(frame, pageframe.references[frame] - LOCK_ONE);
    return 0;
}

int pageframe_lock(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int error = counted(lock(frame));
    platform_interrupts_restore(saved);
    return error;
}

int pageframe_unlock(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int error = counted(unlock(frame));
    platform_interrupts_restore(saved);
    return error;
}

int pageframe_retag(frame_t frame, bytemap_tag_t tag)
{
    unsigned long saved = platform_interrupts_save();
    int error = verdicts[tag] == GIVEN ? check_given_out(frame) : -EINVAL;
    if (error == 0) {
        bytemap_tag_t before = bytemap.bytes[frame];
        bytemap_change_one(frame, before, tag | (before & HELD_BITS));
    }
    error = counted(error);
    platform_interrupts_restore(saved);
    return error;
}

/* Puts a frame that is given out on the stack of zeroed ones; it is as if it had never left. */
static void push_zeroed(frame_t frame)
{
    bytemap_change_one(frame, bytemap.bytes[frame], BYTEMAP_ZEROED);
    count_zone(pageframe_zone_of(frame), 1);
    pageframe.zeroed[pageframe.zeroed_count++] = frame;
    account((uint64_t)-1);
}

/* Takes a frame to be zeroed out of the free ones, and leaves the reserve alone. */
static frame_t take_for_zeroing(void)
{
    if (pageframe.zeroed_count == PAGEFRAME_ZEROED_MAX || !is_within_reserve(1, PAGEFRAME_DIRECT))
        return FRAME_NONE;
    frame_t frame = detach_one(highest_zone(PAGEFRAME_DIRECT));
    if (frame != FRAME_NONE)
        give_out(frame, BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL));
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
    if (pageframe.zeroed_count < PAGEFRAME_ZEROED_MAX)
        push_zeroed(frame);
    else
        take_back(frame, bytemap.bytes[frame]);
    platform_interrupts_restore(saved);
    return true;
}

/* A frame zeroed ahead of time, given out; FRAME_NONE if there is none for this caller. */
static frame_t alloc_zeroed_ahead(unsigned where, bytemap_tag_t tag)
{
    if (verdicts[tag] != GIVEN || !is_within_reserve(1, where))
        return FRAME_NONE;
    frame_t frame = pop_zeroed(highest_zone(where & ~PAGEFRAME_MUST));
    if (frame != FRAME_NONE)
        give_out(frame, tag);
    return frame;
}

frame_t pageframe_alloc_zeroed(unsigned where, bytemap_tag_t tag)
{
    unsigned must = where & PAGEFRAME_MUST, zone = where & ~PAGEFRAME_MUST;
    if (zone == PAGEFRAME_ANYWHERE || zone == PAGEFRAME_BELOW_4G)
        where = PAGEFRAME_DIRECT | must;
    frame_t frame = FRAME_NONE;
    unsigned long saved = platform_interrupts_save();
    if (zone < PAGEFRAME_WHERE_COUNT)
        frame = alloc_zeroed_ahead(where, tag);
    platform_interrupts_restore(saved);
    if (frame != FRAME_NONE)
        return frame;
    frame = pageframe_alloc(where, tag);
    if (frame != FRAME_NONE)
        memset(platform_frame_pointer(frame), 0, FRAME_SIZE);
    return frame;
}

/* ---- promises ---- */

/* One place changes the count. */
static void count_promised(uint32_t change)
{
    pageframe.promised_frames += change;
    pageframe.promised_frames_not -= change;
}

/* The budget, and with it what says how many were given out, becomes larger by this (modulo 2^32).
 */
static void widen_budget(uint32_t change)
{
    pageframe.budget += (int32_t)change;
    pageframe.granted += (uint64_t)(int64_t)(int32_t)change;
    pageframe.ungranted = ~pageframe.granted;
}

int pageframe_promise(uint32_t frames)
{
    unsigned long saved = platform_interrupts_save();
    int error = 0;
    if ((uint32_t)pageframe.budget < frames)
        account(0);
    if ((uint32_t)pageframe.budget >= frames) {
        widen_budget(-frames);
        count_promised(frames);
    } else {
        (void)fail();
        error = -ENOMEM;
    }
    platform_interrupts_restore(saved);
    return error;
}

void pageframe_unpromise(uint32_t frames)
{
    unsigned long saved = platform_interrupts_save();
    MEMORY_ASSERT(frames <= pageframe.promised_frames);
    count_promised(-frames);
    if (LIKELY(pageframe.budget != 0)) /* then no promise reaches into the reserve */
        widen_budget(frames);
    else
        account(0);
    platform_interrupts_restore(saved);
}

/* One promised frame becomes one that the budget has; what follows takes it from there. */
static void redeem(void)
{
    MEMORY_ASSERT(pageframe.promised_frames != 0);
    count_promised((uint32_t)-1);
    widen_budget(1);
}

static void unredeem(void)
{
    count_promised(1);
    account(0);
}

frame_t pageframe_alloc_promised(unsigned where, bytemap_tag_t tag)
{
    unsigned long saved = platform_interrupts_save();
    redeem();
    frame_t frame = pageframe_alloc(where & ~PAGEFRAME_MUST, tag);
    if (UNLIKELY(frame == FRAME_NONE))
        unredeem();
    platform_interrupts_restore(saved);
    return frame;
}

frame_t pageframe_take_promised_zeroed(bytemap_tag_t tag)
{
    frame_t frame = FRAME_NONE;
    unsigned long saved = platform_interrupts_save();
    if (pageframe.zeroed_count != 0 && verdicts[tag] == GIVEN) {
        redeem();
        frame = drop_zeroed(pageframe.zeroed_count - 1);
        give_out(frame, tag);
    }
    platform_interrupts_restore(saved);
    return frame;
}

frame_t pageframe_alloc_promised_zeroed(bytemap_tag_t tag)
{
    frame_t frame = pageframe_take_promised_zeroed(tag);
    if (frame == FRAME_NONE) {
        frame = pageframe_alloc_promised(PAGEFRAME_DIRECT, tag);
        if (frame != FRAME_NONE)
            memset(platform_frame_pointer(frame), 0, FRAME_SIZE);
    }
    return frame;
}

int pageframe_release_promised(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int left = pageframe_release(frame);
    if (left == 0)
        count_promised(1);
    platform_interrupts_restore(saved);
    return left;
}

void pageframe_release_promised_each(const frame_t *frames, uint32_t count)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t freed = 0;
    for (const frame_t *at = frames, *end = frames + count; at < end; at++) {
        int error = 0;
        if (bytemap_tag_is_shared(bytemap_get(*at))) {
            set_references(*at, pageframe.references[*at] - 1);
        } else {
            error = pageframe_free(*at);
            freed++;
        }
        MEMORY_ASSERT(error == 0);
    }
    count_promised(freed);
    platform_interrupts_restore(saved);
}

void pageframe_set_watermarks(uint32_t reserve, uint32_t low)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t most = pageframe.ram_frames / 4;
    pageframe.reserve_frames = reserve < most ? reserve : most;
    pageframe.low_watermark_frames = low < most ? low : most;
    pageframe.seal = pageframe_seal();
    account(0);
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

uint32_t pageframe_given_out(void)
{
    uint32_t sum = 0;
    for (unsigned tag = 0; tag < 256; tag++)
        if (is_given_out((bytemap_tag_t)tag))
            sum += bytemap.count[tag];
    return sum;
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
    statistics->allocations = pageframe.granted - (uint32_t)pageframe.budget;
    statistics->frees = statistics->allocations - pageframe_given_out();
    statistics->failures = pageframe.failures;
    statistics->refusals = pageframe.refusals;
    platform_interrupts_restore(saved);
}

uintptr_t pageframe_seal(void)
{
    uintptr_t sum = (uintptr_t)pageframe.masks + (uintptr_t)pageframe.states +
                    (uintptr_t)pageframe.references + (uintptr_t)pageframe.groups +
                    (uintptr_t)pageframe.slots;
    return ~(sum + pageframe.reach + pageframe.reserve_frames + pageframe.low_watermark_frames);
}

static size_t round_up(size_t bytes)
{
    return (bytes + sizeof(uint64_t) - 1) & ~(sizeof(uint64_t) - 1);
}

size_t pageframe_storage_bytes(uint32_t frames)
{
    size_t words = pageframe_words(frames);
    size_t bytes = round_up(sizeof(uint32_t) * frames) + round_up(sizeof(uint32_t) * words) +
                   round_up(sizeof(uint16_t) * words) +
                   round_up(sizeof(struct pageframe_group) * pageframe_group_count(frames)) +
                   round_up(sizeof(struct pageframe_slots) * pageframe_slots_count(frames));
    return (bytes + FRAME_SIZE - 1) & ~(size_t)(FRAME_SIZE - 1);
}

/* Cuts the next array off the storage. */
static void *carve(unsigned char **storage, size_t bytes)
{
    void *array = *storage;
    *storage += round_up(bytes);
    return array;
}

static void lay_out(unsigned char *storage, uint32_t frames)
{
    uint32_t words = pageframe_words(frames);
    memset(storage, 0, pageframe_storage_bytes(frames));
    pageframe.references = carve(&storage, sizeof(uint32_t) * frames);
    pageframe.masks = carve(&storage, sizeof(uint32_t) * words);
    pageframe.states = carve(&storage, sizeof(uint16_t) * words);
    pageframe.groups =
        carve(&storage, sizeof(struct pageframe_group) * pageframe_group_count(frames));
    pageframe.slots =
        carve(&storage, sizeof(struct pageframe_slots) * pageframe_slots_count(frames));
}

/* Enters one region of usable RAM; returns how much of it is out of reach. */
static uint32_t enter_region(frame_t start, frame_t end, frame_t reach)
{
    if (end > pageframe.frames)
        end = pageframe.frames;
    if (start >= end)
        return 0;
    frame_t border = reach < start ? start : reach < end ? reach : end;
    pageframe.ram_frames += end - start;
    if (border > start)
        enter_free(start, border - start, BYTEMAP_ABSENT);
    if (end > border)
        bytemap_set(border, end - border, TAG_RESERVED);
    return end - border;
}

uint32_t pageframe_init(void *storage, const struct e820_map *map, uint32_t frames, frame_t reach)
{
    uint32_t out_of_reach = 0;
    MEMORY_ASSERT(frames != 0 && frames <= PAGEFRAME_FRAMES_MAX && frames <= bytemap_frames());
    memset(&pageframe, 0, sizeof(pageframe));
    pageframe.frames = frames;
    pageframe.reach = reach;
    pageframe.top_zone = pageframe_zone_of(frames - 1);
    pageframe.top_first = pageframe_borders[pageframe.top_zone];
    pageframe.top_count = frames - pageframe.top_first;
    pageframe.troubles_not = ~(uint64_t)0;
    pageframe.promised_frames_not = ~(uint32_t)0;
    lay_out(storage, frames);
    pageframe.seal = pageframe_seal();
    pageframe_index_init();
    for (uint32_t i = 0; i < map->count; i++)
        if (map->regions[i].kind == E820_USABLE)
            out_of_reach +=
                enter_region(frame_of(map->regions[i].start), frame_of(map->regions[i].end), reach);
    account(0);
    return out_of_reach;
}
