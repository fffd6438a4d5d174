#ifndef KERNEL_MEMORY_BYTEMAP_BYTEMAP_H
#define KERNEL_MEMORY_BYTEMAP_BYTEMAP_H

#include "kernel/include/types.h"
#include "kernel/memory/check.h"

/*
 * One byte per page frame: which state a frame is in, and for whom. There is one map, the
 * machine's.
 *
 *        7        6       5     4   3         0
 *    +--------+--------+---------+-----------+    BYTEMAP_ABSENT is 0: fresh zeroed storage says
 *    | shared | locked |  owner  |   state   |    "no RAM anywhere"
 *    +--------+--------+---------+-----------+
 *
 * Locked: its lock count is above zero. Shared: it has more than one reference. Both counts are
 * pageframe's; with the two bits here, whether a frame may simply be freed is in its byte alone.
 *
 * Invariant: bytemap_count(b) is the number of frames whose byte is b, for each b, always; whatever
 * changes a byte moves the counters.
 */
enum bytemap_state {
    BYTEMAP_ABSENT,    /* no RAM: a hole, a device, the firmware's own */
    BYTEMAP_FREE,      /* may be given out, content unspecified */
    BYTEMAP_ZEROED,    /* may be given out, every byte is zero */
    BYTEMAP_RESERVED,  /* RAM that is never given out: page 0, the E820 copy, beyond the processor's
                          reach */
    BYTEMAP_BAD,       /* RAM that was found faulty */
    BYTEMAP_ALLOCATED, /* given out, from here on */
    BYTEMAP_PAGE_TABLE,
    BYTEMAP_HEAP,
    BYTEMAP_CACHE, /* a page of a file; the initial archive */
    BYTEMAP_STATE_COUNT
};

enum bytemap_owner {
    BYTEMAP_NONE,
    BYTEMAP_KERNEL,
    BYTEMAP_USER,
    BYTEMAP_LIBRARY,
    BYTEMAP_OWNER_COUNT
};

#define BYTEMAP_LOCKED_BIT (1u << 6)
#define BYTEMAP_SHARED_BIT (1u << 7)

/* State and owner in one byte: what callers of pageframe name a frame's use by. */
typedef uint8_t bytemap_tag_t;

#define BYTEMAP_TAG(state, owner) ((bytemap_tag_t)((state) | (owner) << 4))

static inline enum bytemap_state bytemap_tag_state(bytemap_tag_t tag)
{
    return (enum bytemap_state)(tag & 15);
}

static inline enum bytemap_owner bytemap_tag_owner(bytemap_tag_t tag)
{
    return (enum bytemap_owner)(tag >> 4 & 3);
}

static inline bool bytemap_tag_is_locked(bytemap_tag_t tag)
{
    return tag & BYTEMAP_LOCKED_BIT;
}

static inline bool bytemap_tag_is_shared(bytemap_tag_t tag)
{
    return tag & BYTEMAP_SHARED_BIT;
}

/* Free or zeroed. */
bool bytemap_tag_is_free(bytemap_tag_t tag);
/* A known state with an owner that fits it (free, zeroed, absent and bad have none, others have
 * one), locked or shared only if given out. */
bool bytemap_tag_is_valid(bytemap_tag_t tag);

/* Storage for a map of this many frames, in bytes: one for each, up to a multiple of 32. */
size_t bytemap_storage_bytes(uint32_t frames);

/* Takes the storage, zeroes it: every frame is absent. Not for interrupt handlers. */
void bytemap_init(void *storage, uint32_t frames);

/* Frames 0 to bytemap_frames() - 1 have a byte; every other frame number is absent. */
uint32_t bytemap_frames(void);

/* The byte of a frame; BYTEMAP_ABSENT for a frame beyond the map. O(1), anywhere. */
bytemap_tag_t bytemap_get(frame_t frame);

/*
 * Sets frames [first, first + count), which must lie in the map, and moves the counters. The only
 * writer of either. O(count); for one frame, O(1). Callers hold interrupts off. The tag must be
 * valid.
 */
void bytemap_set(frame_t first, uint32_t count, bytemap_tag_t tag);

/* How many frames have this byte exactly, or this state (any owner, locked or shared or not), or
 * are locked. A read, or a sum over a fixed number of counters. */
uint32_t bytemap_count(bytemap_tag_t tag);
uint32_t bytemap_count_state(enum bytemap_state state);
uint32_t bytemap_count_locked(void);

/*
 * The lowest run of `count` frames inside [from, to) that all are in this state, whoever they
 * belong to, starting at a multiple of `alignment` (a power of two); FRAME_NONE if there is none or
 * an argument makes no sense. Looks at a machine word of bytes at a time. O(to - from): for boot,
 * tools and checks, never for an allocation path.
 */
frame_t bytemap_find_run(frame_t from, frame_t to, uint32_t count, uint32_t alignment,
                         enum bytemap_state state);

/* The end of the run of frames with the same byte as `first`, at most `to`. O(result - first), a
 * word at a time. */
frame_t bytemap_run_end(frame_t first, frame_t to);

const char *bytemap_state_name(enum bytemap_state state);
const char *bytemap_owner_name(enum bytemap_owner owner);

/* Every byte is valid, and a recount equals the counters. */
void bytemap_check(struct check *check);

#endif
