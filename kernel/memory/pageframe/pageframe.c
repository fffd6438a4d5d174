#include "kernel/memory/pageframe/pageframe.h"

#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/pageframe/internal.h"
#include "kernel/memory/platform.h"

struct pageframe pageframe;

#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#define TAG_RESERVED        BYTEMAP_TAG(BYTEMAP_RESERVED, BYTEMAP_KERNEL)
#define TAG_BAD             BYTEMAP_TAG(BYTEMAP_BAD, BYTEMAP_NONE)
#define HELD_BITS           (BYTEMAP_LOCKED_BIT | BYTEMAP_SHARED_BIT)

/* How many frames a run that was not found brings into the index at once, and how often. */
#define SETTLE_STEP 32u
#define SETTLE_STEPS                                                                               \
    (2 + (PAGEFRAME_HOT_STACKS * PAGEFRAME_HOT_MAX + PAGEFRAME_ZEROED_MAX) / SETTLE_STEP)

#define REFERENCES_MASK 0xFFFFu /* of a reference word: references beyond the first */
#define LOCK_ONE        0x10000u

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
    return error;
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
    return spare >= kept && spare - kept >= count;
}

/* Moves the count of frames given out (modulo 2^64, so that it can take back), and sets the budget
 * anew: the paths that do not compare with the reserve may give out that many. Called after
 * everything that lessens the free frames but those paths. */
static void account(uint64_t count)
{
    uint64_t allocations = pageframe.granted - pageframe.budget + count;
    uint32_t spare = free_frames();
    uint32_t kept = pageframe.reserve_frames;
    pageframe.budget = spare > kept ? spare - kept : 0;
    pageframe.granted = allocations + pageframe.budget;
    pageframe.ungranted = ~pageframe.granted;
}

/* Frames that all are `from`, which is not free, become free, and the index has them. */
static void enter_free(frame_t first, uint32_t count, bytemap_tag_t from)
{
    while (count != 0) {
        unsigned zone = pageframe_zone_of(first);
        uint32_t left = pageframe_borders[zone + 1] - first, step = count < left ? count : left;
        pageframe.zones[zone].free_frames += step;
        bytemap_change_run(first, step, from, BYTEMAP_FREE);
        pageframe_index_add(first, step, zone);
        first += step;
        count -= step;
    }
}

/* Frames in state FREE that the index has get another byte. */
static void leave_free(frame_t first, uint32_t count, bytemap_tag_t to)
{
    while (count != 0) {
        unsigned zone = pageframe_zone_of(first);
        uint32_t left = pageframe_borders[zone + 1] - first, step = count < left ? count : left;
        pageframe.zones[zone].free_frames -= step;
        pageframe_index_remove(first, step, zone);
        bytemap_change_run(first, step, BYTEMAP_FREE, to);
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

/* Brings up to `most` hot or zeroed frames into the index, after those the open words, so that the
 * index alone says what is free. Returns whether that changed anything. O(most). */
static bool settle(uint32_t most)
{
    bool changed = false;
    for (; most != 0 && pageframe.zeroed_count != 0; most--) {
        frame_t frame = drop_zeroed(pageframe.zeroed_count - 1);
        bytemap_change_one(frame, BYTEMAP_ZEROED, BYTEMAP_FREE);
        pageframe_index_put(frame, pageframe_zone_of(frame));
        changed = true;
    }
    for (unsigned zone = 0; zone < PAGEFRAME_ZONES; zone++) {
        struct pageframe_hot *hot = pageframe_hot_of(zone);
        for (; most != 0 && hot != NULL && hot->count != 0; most--) {
            pageframe_index_put(hot->frames[--hot->count], zone);
            changed = true;
        }
        changed |= pageframe.zones[zone].open != &pageframe.no_word;
        pageframe_index_close(zone);
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

/* A frame in state FREE that from now on is neither hot nor in the index, from the highest zone
 * that has one up to this; FRAME_NONE if none has. */
static frame_t detach_one(unsigned highest)
{
    for (unsigned zone = highest + 1; zone-- > 0;) {
        struct pageframe_hot *hot = pageframe_hot_of(zone);
        frame_t frame =
            hot != NULL && hot->count != 0 ? hot->frames[--hot->count] : pageframe_index_take(zone);
        if (frame != FRAME_NONE)
            return frame;
    }
    return FRAME_NONE;
}

/* Accounts for frames that were given out: out of the budget, if that has as many. */
static inline void account_some(uint32_t count)
{
    if (LIKELY(pageframe.budget >= count))
        pageframe.budget -= count;
    else
        account(count);
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
    pageframe.zones[pageframe_zone_of(frame)].free_frames--;
    account_some(1);
}

static frame_t fail(void)
{
    pageframe.failures++;
    return FRAME_NONE;
}

/* Whether a call that gives frames out makes sense; counts it if not. */
static bool is_sensible(unsigned where, bytemap_tag_t tag)
{
    if ((where & ~PAGEFRAME_MUST) < PAGEFRAME_WHERE_COUNT && verdicts[tag] == GIVEN)
        return true;
    pageframe.refusals++;
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

static __attribute__((noinline)) frame_t alloc_slowly(unsigned where, bytemap_tag_t tag)
{
    unsigned long saved = platform_interrupts_save();
    frame_t frame = alloc_any(where, tag);
    platform_interrupts_restore(saved);
    return frame;
}

/* The short path gives out the top zone's frame that was freed last. */
frame_t pageframe_alloc(unsigned where, bytemap_tag_t tag)
{
    struct pageframe_hot *hot = &pageframe.hot[0];
    uint32_t count, budget;
    if (UNLIKELY((verdicts[tag] | where) != (GIVEN | PAGEFRAME_ANYWHERE)))
        return alloc_slowly(where, tag);
    unsigned long saved = platform_interrupts_save();
    if (UNLIKELY(__builtin_sub_overflow(hot->count, 1, &count) ||
                 __builtin_sub_overflow(pageframe.budget, 1, &budget))) {
        platform_interrupts_restore(saved);
        return alloc_slowly(where, tag);
    }
    hot->count = count;
    pageframe.budget = budget;
    frame_t frame = hot->frames[count];
    bytemap_change_one(frame, BYTEMAP_FREE, tag);
    platform_interrupts_restore(saved);
    return frame;
}

/* Where a run may start, or FRAME_NONE. */
static frame_t find_run(uint32_t frames, uint32_t alignment, frame_t limit, unsigned highest)
{
    uint32_t block = frames > alignment ? frames : alignment;
    unsigned order = block == 1 ? 0 : 32 - (unsigned)__builtin_clz(block - 1);
    for (unsigned zone = highest + 1; zone-- > 0;) {
        frame_t first = order <= PAGEFRAME_ORDER_GROUP
                            ? pageframe_index_find(zone, order, frames, limit)
                            : pageframe_index_find_groups(zone, frames, limit);
        if (first != FRAME_NONE)
            return first;
    }
    return FRAME_NONE;
}

struct run {
    uint32_t frames, alignment;
    frame_t limit;
    unsigned where;
    bytemap_tag_t tag;
};

/* Gives out a run that the index has; FRAME_NONE if it has none. */
static frame_t try_run(const struct run *run)
{
    unsigned highest = highest_zone(run->where & ~PAGEFRAME_MUST);
    if (pageframe.budget < run->frames && !is_within_reserve(run->frames, run->where))
        return FRAME_NONE;
    frame_t first = find_run(run->frames, run->alignment, run->limit, highest);
    if (first == FRAME_NONE)
        return FRAME_NONE;
    leave_free(first, run->frames, run->tag);
    account_some(run->frames);
    return first;
}

static bool is_sensible_run(const struct run *run)
{
    if (run->frames != 0 && run->frames <= PAGEFRAME_RUN_MAX && run->alignment != 0 &&
        (run->alignment & (run->alignment - 1)) == 0 &&
        run->alignment <= PAGEFRAME_RUN_MAX_ALIGNMENT)
        return is_sensible(run->where, run->tag);
    pageframe.refusals++;
    return false;
}

/* While nothing is found, frames are brought into the index, and it looks again. Interrupts are
 * let in between; what their handlers free meanwhile cannot keep this going for ever. */
frame_t pageframe_alloc_run(uint32_t frames, uint32_t alignment, frame_t limit, unsigned where,
                            bytemap_tag_t tag)
{
    const struct run run = {frames, alignment, limit, where, tag};
    frame_t first = FRAME_NONE;
    unsigned long saved = platform_interrupts_save();
    if (is_sensible_run(&run)) {
        for (unsigned step = 0; step < SETTLE_STEPS; step++) {
            first = try_run(&run);
            if (first != FRAME_NONE || !is_within_reserve(frames, where) || !settle(SETTLE_STEP))
                break;
            platform_interrupts_restore(saved);
            saved = platform_interrupts_save();
        }
        if (first == FRAME_NONE)
            pageframe.failures++;
    }
    platform_interrupts_restore(saved);
    return first;
}

/* A frame that was given out becomes free; its byte was `before`. */
static void take_back(frame_t frame, bytemap_tag_t before)
{
    unsigned zone = pageframe_zone_of(frame);
    struct pageframe_hot *hot = pageframe_hot_of(zone);
    bytemap_change_one(frame, before, BYTEMAP_FREE);
    pageframe.zones[zone].free_frames++;
    pageframe.freed++;
    if (hot != NULL && hot->count < PAGEFRAME_HOT_MAX)
        hot->frames[hot->count++] = frame;
    else
        pageframe_index_put(frame, zone);
}

/* The whole of pageframe_free. */
static __attribute__((noinline)) int free_slowly(frame_t frame)
{
    bytemap_tag_t tag = bytemap_get(frame);
    enum verdict verdict = (enum verdict)verdicts[tag];
    if (verdict != GIVEN)
        return refuse(refusal_of(verdict));
    take_back(frame, tag);
    return 0;
}

/* The short path is that of the top zone, while its hot stack has room. */
static inline int free_one(frame_t frame)
{
    struct pageframe_hot *hot = &pageframe.hot[0];
    if (UNLIKELY(frame - pageframe.top_first >= pageframe.top_count))
        return free_slowly(frame);
    bytemap_tag_t tag = bytemap.bytes[frame];
    if (UNLIKELY(verdicts[tag] != GIVEN))
        return free_slowly(frame);
    if (UNLIKELY(hot->count == PAGEFRAME_HOT_MAX))
        return free_slowly(frame);
    bytemap_change_one(frame, tag, BYTEMAP_FREE);
    hot->frames[hot->count++] = frame;
    pageframe.freed++;
    return 0;
}

int pageframe_free(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int error = free_one(frame);
    platform_interrupts_restore(saved);
    return error;
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
    for (frame_t at = first; at < end; at = next) {
        enum verdict verdict = (enum verdict)verdicts[bytemap.bytes[at]];
        if (verdict != GIVEN)
            return refusal_of(verdict);
        next = bytemap_run_end(at, end);
        if (at == first && next == end) {
            enter_free(first, frames, bytemap.bytes[first]);
            pageframe.freed += frames;
            return 0;
        }
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

int pageframe_free_run(frame_t first, uint32_t frames)
{
    unsigned long saved = platform_interrupts_save();
    int error = counted(free_run(first, frames));
    platform_interrupts_restore(saved);
    return error;
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
    settle(UINT32_MAX);
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

int pageframe_release(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int left;
    if (bytemap_tag_is_shared(bytemap_get(frame))) {
        set_references(frame, pageframe.references[frame] - 1);
        left = (int)(pageframe.references[frame] & REFERENCES_MASK) + 1;
    } else {
        left = free_one(frame);
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
    pageframe.zones[pageframe_zone_of(frame)].free_frames++;
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

void pageframe_set_watermarks(uint32_t reserve, uint32_t low)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t most = pageframe.ram_frames / 4;
    pageframe.reserve_frames = reserve < most ? reserve : most;
    pageframe.low_watermark_frames = low < most ? low : most;
    account(0);
    platform_interrupts_restore(saved);
}

enum pageframe_pressure pageframe_pressure(void)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t spare = free_frames();
    enum pageframe_pressure pressure = PAGEFRAME_PLENTY;
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
    statistics->low_watermark_frames = pageframe.low_watermark_frames;
    for (unsigned zone = 0; zone < PAGEFRAME_ZONES; zone++) {
        sum = zone < pageframe.top_zone ? sum + pageframe.zones[zone].free_frames : free_frames();
        statistics->zone_free_frames[PAGEFRAME_ZONES - 1 - zone] = sum;
    }
    statistics->allocations = pageframe.granted - pageframe.budget;
    statistics->frees = statistics->allocations - pageframe_given_out();
    statistics->failures = pageframe.failures;
    statistics->refusals = pageframe.refusals;
    platform_interrupts_restore(saved);
}

static size_t round_up(size_t bytes)
{
    return (bytes + sizeof(uint64_t) - 1) & ~(sizeof(uint64_t) - 1);
}

size_t pageframe_storage_bytes(uint32_t frames)
{
    size_t words = pageframe_words(frames);
    size_t bytes = round_up(sizeof(uint32_t) * frames) + round_up(sizeof(uint32_t) * words) +
                   round_up(words) +
                   round_up(sizeof(struct pageframe_group) * pageframe_group_count(frames)) +
                   PAGEFRAME_ORDERS * round_up(sizeof(uint32_t) * pageframe_slot_words(frames));
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
    pageframe.classes = carve(&storage, words);
    pageframe.groups =
        carve(&storage, sizeof(struct pageframe_group) * pageframe_group_count(frames));
    for (unsigned order = 0; order < PAGEFRAME_ORDERS; order++)
        pageframe.slots[order] = carve(&storage, sizeof(uint32_t) * pageframe_slot_words(frames));
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
    if (pageframe_hot_of(pageframe.top_zone) != NULL) {
        pageframe.top_first = pageframe_borders[pageframe.top_zone];
        pageframe.top_count = frames - pageframe.top_first;
    }
    lay_out(storage, frames);
    pageframe_index_init();
    for (uint32_t i = 0; i < map->count; i++)
        if (map->regions[i].kind == E820_USABLE)
            out_of_reach +=
                enter_region(frame_of(map->regions[i].start), frame_of(map->regions[i].end), reach);
    account(0);
    return out_of_reach;
}
