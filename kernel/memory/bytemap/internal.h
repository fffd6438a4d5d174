#ifndef KERNEL_MEMORY_BYTEMAP_INTERNAL_H
#define KERNEL_MEMORY_BYTEMAP_INTERNAL_H

#include "kernel/lib/string.h"
#include "kernel/memory/bytemap/bytemap.h"

/* The map itself, for bytemap.c, for pageframe's paths of a few instructions, and for tests that
 * plant faults. */
struct bytemap {
    uint8_t *bytes;      /* frames of them */
    uint32_t frames;     /* the map's size */
    uint32_t count[256]; /* count[b]: how many frames have byte b */
    uintptr_t seal;      /* ~(bytes + frames): tells a wrong byte in them */
};

extern struct bytemap bytemap;

/* Whether the map is where bytemap_init put it. Nothing of it can be read if not. */
static inline bool bytemap_is_in_place(void)
{
    return bytemap.seal == ~((uintptr_t)bytemap.bytes + bytemap.frames);
}

/* One frame whose byte the caller has already read: the short form of bytemap_set. */
static inline void bytemap_change_one(frame_t frame, bytemap_tag_t from, bytemap_tag_t to)
{
    bytemap.bytes[frame] = to;
    bytemap.count[from]--;
    bytemap.count[to]++;
}

/* Four bytes of the map, wherever they start. */
typedef uint32_t __attribute__((may_alias, aligned(1))) bytemap_four_t;

/* Whether `count` >= 1 frames of the map all have this byte. The last four bytes are looked at as
 * four, even if some of them have been already, so that no odd ones are left. */
static inline bool bytemap_run_is(frame_t first, uint32_t count, bytemap_tag_t tag)
{
    const uint8_t *at = bytemap.bytes + first, *last = at + count - 4;
    const uint32_t same = 0x01010101u * tag;
    if (count < 4)
        return at[0] == tag && at[count / 2] == tag && at[count - 1] == tag;
    for (; last - at >= 32; at += 32) {
        const bytemap_four_t *four = (const bytemap_four_t *)at;
        if (four[0] != same || four[1] != same || four[2] != same || four[3] != same ||
            four[4] != same || four[5] != same || four[6] != same || four[7] != same)
            return false;
    }
    for (; at < last; at += 4)
        if (*(const bytemap_four_t *)at != same)
            return false;
    return *(const bytemap_four_t *)last == same;
}

/* Frames of the map whose bytes the caller knows to be `from`: bytemap_set without the reading. */
static inline void bytemap_change_run(frame_t first, uint32_t count, bytemap_tag_t from,
                                      bytemap_tag_t to)
{
    uint8_t *at = bytemap.bytes + first, *last = at + count - 4;
    bytemap.count[from] -= count;
    bytemap.count[to] += count;
    if (count < 4) {
        at[0] = at[count / 2] = at[count - 1] = to;
    } else if (count < 64) {
        for (; at < last; at += 4)
            *(bytemap_four_t *)at = 0x01010101u * to;
        *(bytemap_four_t *)last = 0x01010101u * to;
    } else {
        memset(at, to, count);
    }
}

#endif
