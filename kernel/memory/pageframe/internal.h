#ifndef KERNEL_MEMORY_PAGEFRAME_INTERNAL_H
#define KERNEL_MEMORY_PAGEFRAME_INTERNAL_H

#include "kernel/memory/bytemap/internal.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/pageframe/pageframe.h"

/*
 * What pageframe keeps, for its own files and for tests that look at it or damage it.
 *
 * The index says where the free frames are. All its units are powers of two of each other:
 *
 *     group  1024 frames, 32 words    |word 0|word 1| ...                         |word 31|
 *     word     32 frames               \____ masks[w]: one bit a frame, 1 = free
 *
 * A word's class is the order of the largest aligned block of free frames inside it (0 to 4), FULL
 * (5) if all 32 are free, EMPTY if none is. A group keeps for each class which of its words are of
 * it, so its `words` are disjoint sets. From that the group has orders, a bit for each:
 *
 *     0 to 4    it has a word of this class
 *     5 to 10   the largest aligned block of FULL words in it has this order (10: the whole group)
 *
 * and stands in one of eleven bitmaps over all groups: that of its highest order. With two levels
 * of summary above (for 32 slots, and for an area of 1024) a group whose highest order is the
 * lowest that serves a request is found in a fixed number of steps, and in it the word of the
 * lowest class that does. So blocks larger than needed survive, small requests gather in groups
 * that have been broken up already, and most changes end in the group: that is a buddy allocator's
 * policy without its ladder of splits and merges, since a block's buddies are bits of one word.
 *
 * Two kinds of free frames are outside the index, so that the short paths are a few steps:
 *   - Each zone has an `open` word, from which single frames are taken: what was free in it when it
 *     was opened has left the index, and single frames of it that come back do not return to the
 *     index but there. A run that is not found puts it back in one step and looks again.
 *   - A frame of the top zone that is freed in a word without another free frame is not entered but
 *     becomes `loose`: it stands on a stack, and its word's state says where. So most single frees
 *     of a machine in long use do not touch the index, nor do the allocations that follow. No run
 * of more than one frame can miss it, since it is alone in its word; when another frame is freed
 *     there, both enter the index.
 *
 * The zeroed frames (state ZEROED) are not in the index either, but on a stack. A run that is still
 * not found brings them back too.
 *
 * A zone's groups stand together in the bitmaps, from a multiple of 1024 on (a slot is a place in
 * the bitmaps). The border at 1 MiB lies inside the first 1024 frames: zone 0 has a group of its
 * own for its 8 words (entry 0 of `groups`), the first group of zone 1 (entry 1) leaves those out.
 */
#define PAGEFRAME_WORD_FRAMES  32u
#define PAGEFRAME_GROUP_FRAMES 1024u
#define PAGEFRAME_ZONES        5u
#define PAGEFRAME_ORDERS       11u
#define PAGEFRAME_ORDER_FULL   5u  /* a whole word */
#define PAGEFRAME_ORDER_GROUP  10u /* a whole group */
#define PAGEFRAME_AREAS        19u /* of 1024 slots each: one for zones 0 to 3, 15 for zone 4 */
#define PAGEFRAME_ZEROED_MAX   64u
#define PAGEFRAME_LOOSE_MAX    1024u
#define PAGEFRAME_FRAMES_MAX   (E820_LIMIT >> FRAME_SHIFT)

enum pageframe_class { /* 0 to 4: the order of the largest free block */
                       PAGEFRAME_FULL = PAGEFRAME_ORDER_FULL,
                       PAGEFRAME_EMPTY,
                       PAGEFRAME_CLASSES
};

/* A word's state: its class; or, if its class is EMPTY and it has a loose frame, this and the place
 * of that on the stack. */
#define PAGEFRAME_LOOSE 8u

struct pageframe_group {
    uint32_t words[PAGEFRAME_FULL + 1]; /* [class]: the words of that class */
    uint32_t orders;                    /* bit o: it has order o */
    uint32_t slot;                      /* its place in the bitmaps */
};

/* Bit s of [order]: the group in slot s, of 32, has this as its highest order. One cache line; the
 * rest of it is 0. */
struct pageframe_slots {
    uint32_t groups[16];
};

/* The open word of a zone. */
struct pageframe_open {
    uint32_t
        mask; /* its frames that are free but not in the index; 0: it might as well be closed */
    frame_t first;     /* its first frame, always one of the zone */
    frame_t not_first; /* ~first: tells a wrong byte in it */
};

/* The zones in ascending order are those of enum pageframe_where in descending order. */
struct pageframe_zone {
    uint32_t free_frames; /* zeroed ones and those in the open word too; 0 in the top zone, whose
                             count is what the others leave of the whole */
};

struct pageframe {
    /* What the shortest paths read and write. */
    struct pageframe_open open[PAGEFRAME_ZONES]; /* [0] is the top zone's, [1] of the one below */
    int32_t budget;     /* frames that may be given out before anyone looks at the reserve again */
    uint32_t freed;     /* frames that came back, modulo 2^32 */
    uint32_t top_first; /* the first frame of the top zone, the highest that has frames, and how */
    uint32_t top_count; /* many frame numbers it has */
    uint32_t *masks;    /* [word] */
    uint16_t *states;   /* [word] */
    uint32_t loose_count;
    frame_t loose[PAGEFRAME_LOOSE_MAX]; /* entries from loose_count on are 0 */

    struct pageframe_zone zones[PAGEFRAME_ZONES];
    uint64_t granted;   /* frames given out since the start, plus budget */
    uint64_t ungranted; /* ~granted: tells a wrong byte in it */
    uint32_t top_zone;

    uint32_t frames;
    frame_t reach;
    uint32_t ram_frames;
    uint32_t reserve_frames, low_watermark_frames;
    uint32_t promised_frames;     /* of the free ones, kept for those to whom they are promised */
    uint32_t promised_frames_not; /* ~promised_frames: tells a wrong byte in it */
    uint64_t failures, refusals;
    uint64_t troubles_not; /* ~(failures + refusals): tells a wrong byte in them */

    uint32_t *references;   /* [frame]: references beyond the first, locks << 16 */
    uint32_t reference_sum; /* of all those words, modulo 2^32 */
    struct pageframe_group *groups;
    struct pageframe_slots *slots;                       /* [slot / 32] */
    uint32_t summary[PAGEFRAME_AREAS][PAGEFRAME_ORDERS]; /* bit i: slots i of the area, of 32, has
                                                            this order */
    uint32_t orders[PAGEFRAME_AREAS]; /* bit o: a group of the area has this as its highest order */
    uintptr_t seal; /* pageframe_seal(): tells a wrong byte in what has no other */

    uint32_t zeroed_count;
    frame_t zeroed[PAGEFRAME_ZEROED_MAX]; /* entries from zeroed_count on are 0 */
};

extern struct pageframe pageframe;

/* Borders of the zones in frames: zone z is [borders[z], borders[z + 1]). */
#define PAGEFRAME_BORDER_1 0x100u
#define PAGEFRAME_BORDER_2 0x1000u
#define PAGEFRAME_BORDER_3 ((frame_t)((MAP_DIRECT_END - MAP_DIRECT_START) >> FRAME_SHIFT))
#define PAGEFRAME_BORDER_4 0x100000u

extern const frame_t pageframe_borders[PAGEFRAME_ZONES + 1];

static inline unsigned pageframe_zone_of(frame_t frame)
{
    return (frame >= PAGEFRAME_BORDER_1) + (frame >= PAGEFRAME_BORDER_2) +
           (frame >= PAGEFRAME_BORDER_3) + (frame >= PAGEFRAME_BORDER_4);
}

/* The open word of a zone up to the top zone. */
static inline struct pageframe_open *pageframe_open_of(unsigned zone)
{
    return &pageframe.open[pageframe.top_zone - zone];
}

static inline uint32_t pageframe_group_of(uint32_t word)
{
    return word < PAGEFRAME_BORDER_1 / PAGEFRAME_WORD_FRAMES ? 0 : word / 32 + 1;
}

/* A group's slot; zone tells entry 0 from entry 1. */
static inline uint32_t pageframe_slot_of(uint32_t group, unsigned zone)
{
    static const int32_t shift[PAGEFRAME_ZONES] = {
        0, 1024 - 1, 2048 - 1, 3072 - 1 - (MAP_DIRECT_END - MAP_DIRECT_START) / 0x400000,
        4096 - 1 - 1024};
    return group + (uint32_t)shift[zone];
}

static inline uint32_t pageframe_words(uint32_t frames)
{
    return (frames + PAGEFRAME_WORD_FRAMES - 1) / PAGEFRAME_WORD_FRAMES;
}

/* How many entries `groups` and `slots` have. */
uint32_t pageframe_group_count(uint32_t frames);
uint32_t pageframe_slots_count(uint32_t frames);

static inline unsigned lowest_bit(uint32_t bits)
{
    return (unsigned)__builtin_ctz(bits);
}

static inline unsigned highest_bit(uint32_t bits)
{
    return 31 - (unsigned)__builtin_clz(bits);
}

/* The starts of the free blocks of 2^order frames, aligned to that, in a mask. */
uint32_t pageframe_blocks(uint32_t mask, unsigned order);
/* Which class a mask has. */
enum pageframe_class pageframe_class_of(uint32_t mask);
/* The bit (5 to 10) for the largest aligned block in a set of full words; 0 for the empty set. */
uint32_t pageframe_full_order(uint32_t full_words);

/* The longer ways of pageframe_alloc (the second for anywhere and a tag that makes sense) and of
 * pageframe_free. Not static, so that the shortest path jumps there with its arguments as they came
 * and need not keep them. */
frame_t pageframe_alloc_slowly(unsigned where, bytemap_tag_t tag);
frame_t pageframe_alloc_loose(unsigned where, bytemap_tag_t tag);
int pageframe_free_slowly(frame_t frame);
int pageframe_free_loose(frame_t frame);

/* What the seal has to be. */
uintptr_t pageframe_seal(void);

/* The sum of the counters of all bytes that say "given out". */
uint32_t pageframe_given_out(void);

/* index.c. Callers keep bytes and counters, hold interrupts off, and name frames of one zone. */
void pageframe_index_init(void);
/* Enters frames that the index does not hold; removes frames that it holds. O(count / 32). */
void pageframe_index_add(frame_t first, uint32_t count);
void pageframe_index_remove(frame_t first, uint32_t count);
/* Enters one frame. O(1). */
void pageframe_index_put(frame_t frame);
/* Opens the word of a zone whose loss breaks up the least; the one that is open has nothing left.
 * Returns false if the index has no free frame of the zone. O(1). */
bool pageframe_index_open(unsigned zone);
/* Takes one frame out of a zone's open word, or out of the index by another; FRAME_NONE if there is
 * none. O(1). */
frame_t pageframe_index_take(unsigned zone);
/* Takes `count` < 32 frames out of the index, at the start of a block of 2^order of them, order <=
 * 4, out of the smallest that serves. FRAME_NONE if there is none or its first `count` do not lie
 * below `limit` (another may). O(1). */
frame_t pageframe_index_take_small(unsigned zone, unsigned order, uint32_t count, frame_t limit);
/* The start of a block of 2^order frames, order <= 10, that lies below `limit` with its first
 * `count`. O(1). */
frame_t pageframe_index_find(unsigned zone, unsigned order, uint32_t count, frame_t limit);
/* The same for more than a group: whole groups in a row, and the first part of the next. */
frame_t pageframe_index_find_groups(unsigned zone, uint32_t count, frame_t limit);
/* Puts what the open word of a zone holds back into the index; whether that was anything. O(1). */
bool pageframe_index_close(unsigned zone);

/* To be called after a word's mask has changed: takes in its loose frame, and updates its class. */
void pageframe_index_settle(uint32_t word);

#endif
