#ifndef KERNEL_MEMORY_BYTEMAP_INTERNAL_H
#define KERNEL_MEMORY_BYTEMAP_INTERNAL_H

#include "kernel/lib/string.h"
#include "kernel/memory/bytemap/bytemap.h"

/* The map itself, for bytemap.c, for pageframe's paths of a few instructions, and for tests that
 * plant faults. */
struct bytemap {
    uint8_t *bytes;  /* frames of them */
    uint32_t frames; /* the map's size */
    /* count[b]: how many frames have byte b. Of BYTEMAP_FREE it is those that the next two, added
     * to it, leave over: so a frame that is given out, and one that comes back, changes two
     * counters and not three, of which one says how often that happened. */
    uint32_t count[256];
    int32_t budget; /* less by one for each frame that was given out of it; never below 0 */
    uint32_t freed; /* more by one for each frame that came back */
    uintptr_t seal; /* ~(bytes + frames): tells a wrong byte in them */
};

extern struct bytemap bytemap;

/* Whether the map is where bytemap_init put it. Nothing of it can be read if not. */
static inline bool bytemap_is_in_place(void)
{
    return bytemap.seal == ~((uintptr_t)bytemap.bytes + bytemap.frames);
}

/* How many frames have the byte BYTEMAP_FREE. */
static inline uint32_t bytemap_free_frames(void)
{
    return bytemap.count[BYTEMAP_FREE] + (uint32_t)bytemap.budget + bytemap.freed;
}

/* One frame whose byte the caller has already read: the short form of bytemap_set. */
static inline void bytemap_change_one(frame_t frame, bytemap_tag_t from, bytemap_tag_t to)
{
    bytemap.bytes[frame] = to;
    bytemap.count[from]--;
    bytemap.count[to]++;
}

/* One FREE frame is given out; the caller takes it from the budget. */
static inline void bytemap_give_one(frame_t frame, unsigned to)
{
    bytemap.bytes[frame] = (uint8_t)to;
    bytemap.count[to]++;
}

/* One frame whose byte was `from` is FREE again. */
static inline void bytemap_return_one(frame_t frame, bytemap_tag_t from)
{
    bytemap.bytes[frame] = BYTEMAP_FREE;
    bytemap.count[from]--;
    bytemap.freed++;
}

/* Four bytes of the map, wherever they start. */
typedef uint32_t __attribute__((may_alias, aligned(1))) bytemap_four_t;

/* From so many frames on, string instructions are the shorter way. */
#define BYTEMAP_LONG_RUN 32u

/* Whether `count` >= 4 bytes from here are all the same, but for up to three at the end. */
static inline bool bytemap_long_run_is(const uint8_t *at, uint32_t count, uint32_t same)
{
    bool is_same;
    size_t fours = count / 4;
    __asm__("repe scasl" : "+D"(at), "+c"(fours), "=@cce"(is_same) : "a"(same) : "memory");
    return is_same;
}

/* Whether `count` >= 1 frames of the map all have this byte. The last four bytes are looked at as
 * four, even if some of them have been already, so that no odd ones are left. */
static inline bool bytemap_run_is(frame_t first, uint32_t count, bytemap_tag_t tag)
{
    const uint8_t *at = bytemap.bytes + first, *last = at + count - 4;
    const uint32_t same = 0x01010101u * tag;
    if (count < 4)
        return at[0] == tag && at[count / 2] == tag && at[count - 1] == tag;
    if (count >= BYTEMAP_LONG_RUN) {
        if (!bytemap_long_run_is(at, count, same))
            return false;
    } else {
        for (; at < last; at += 4)
            if (*(const bytemap_four_t *)at != same)
                return false;
    }
    return *(const bytemap_four_t *)last == same;
}

/* Writes the bytes of frames; the caller moves the counters. */
static inline void bytemap_mark_run(frame_t first, uint32_t count, bytemap_tag_t to)
{
    uint8_t *at = bytemap.bytes + first, *last = at + count - 4;
    if (count < 4) {
        at[0] = at[count / 2] = at[count - 1] = to;
    } else if (count < BYTEMAP_LONG_RUN) {
        for (; at < last; at += 4)
            *(bytemap_four_t *)at = 0x01010101u * to;
        *(bytemap_four_t *)last = 0x01010101u * to;
    } else {
        memset(at, to, count);
    }
}

/* Frames of the map whose bytes the caller knows to be `from`: bytemap_set without the reading. */
static inline void bytemap_change_run(frame_t first, uint32_t count, bytemap_tag_t from,
                                      bytemap_tag_t to)
{
    bytemap.count[from] -= count;
    bytemap.count[to] += count;
    bytemap_mark_run(first, count, to);
}

#endif
