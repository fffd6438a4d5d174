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
 * it, so its `words` are disjoint sets. From that the group has orders:
 *
 *     0 to 4    it has a word of this class
 *     5 to 10   the largest aligned block of FULL words in it has this order (10: the whole group)
 *
 * and for each order a bitmap over all groups, with two levels of summary (a bit is the or of the
 * 32 below it), says which groups have it. So the smallest block that can serve a request is found
 * in a fixed number of steps, and blocks larger than needed survive: that is a buddy allocator's
 * policy without its ladder of splits and merges, since a block's buddies are bits of one word.
 *
 * Free frames that the index does not hold, so that the short paths need not touch it:
 *   - the hot stack of each of the three highest zones that have frames: what was freed last, and
 *     is the first to be given out;
 *   - the zeroed frames (state ZEROED), which are on a stack of their own.
 * A run that is not found in the index brings these into it, a few at a time, and looks again.
 * And the `open` word of a zone, from which single frames are taken, keeps its mask but is in no
 * group's sets (class OPEN) until it is closed.
 *
 * A zone's groups stand together in the bitmaps, from a multiple of 1024 on (a slot is a place in
 * the bitmaps). The border at 1 MiB lies inside the first 1024 frames: zone 0 has a group of its
 * own for its 8 words (entry 0 of `groups`), the first group of zone 1 (entry 1) leaves those out.
 */
#define PAGEFRAME_WORD_FRAMES   32u
#define PAGEFRAME_GROUP_FRAMES  1024u
#define PAGEFRAME_ZONES         5u
#define PAGEFRAME_ORDERS        11u
#define PAGEFRAME_ORDER_FULL    5u  /* a whole word */
#define PAGEFRAME_ORDER_GROUP   10u /* a whole group */
#define PAGEFRAME_SUMMARY_WORDS 19u /* of 1024 slots each: one for zones 0 to 3, 15 for zone 4 */
#define PAGEFRAME_ZEROED_MAX    64u
#define PAGEFRAME_HOT_STACKS    3u
#define PAGEFRAME_HOT_MAX       1024u
#define PAGEFRAME_FRAMES_MAX    (E820_LIMIT >> FRAME_SHIFT)

enum pageframe_class { /* 0 to 4: the order of the largest free block */
                       PAGEFRAME_FULL = PAGEFRAME_ORDER_FULL,
                       PAGEFRAME_EMPTY,
                       PAGEFRAME_OPEN,
                       PAGEFRAME_CLASSES
};

struct pageframe_group {
    uint32_t words[PAGEFRAME_FULL + 1]; /* [class]: the words of that class */
    uint32_t full_order;                /* which of orders 5 to 10 it has; 0: none of them */
};

/* frames[0] to frames[count - 1] are free, in one zone and not in the index. */
struct pageframe_hot {
    uint32_t count;
    frame_t frames[PAGEFRAME_HOT_MAX];
};

/* The zones in ascending order are those of enum pageframe_where in descending order. */
struct pageframe_zone {
    uint32_t *open; /* the mask of the open word; &pageframe.no_word if none is open */
    frame_t open_first;
    uint32_t free_frames; /* hot, zeroed and those in the open word included; means nothing in the
                             top zone, whose count is what the others leave of the whole */
    uint32_t orders;      /* bit o: some group has order o */
};

struct pageframe {
    /* What the shortest paths read and write. */
    uint32_t budget;    /* frames that may be given out before anyone looks at the reserve again */
    uint32_t freed;     /* frames that came back, modulo 2^32 */
    uint32_t top_first; /* the first frame of the top zone, the highest that has frames, and how */
    uint32_t top_count; /* many frame numbers it has; 0 if it has no hot stack */
    struct pageframe_hot
        hot[PAGEFRAME_HOT_STACKS]; /* [0] is the top zone's, [1] of the one below */

    struct pageframe_zone zones[PAGEFRAME_ZONES];
    uint64_t granted;   /* frames given out since the start, plus budget */
    uint64_t ungranted; /* ~granted: tells a wrong byte in it */
    uint32_t top_zone;

    uint32_t frames;
    frame_t reach;
    uint32_t ram_frames;
    uint32_t reserve_frames, low_watermark_frames;
    uint64_t failures, refusals;

    uint32_t *references;   /* [frame]: references beyond the first, locks << 16 */
    uint32_t reference_sum; /* of all those words, modulo 2^32 */
    uint32_t *masks;        /* [word] */
    uint8_t *classes;       /* [word] */
    struct pageframe_group *groups;
    uint32_t *slots[PAGEFRAME_ORDERS]; /* [order][slot / 32] */
    uint32_t summary[PAGEFRAME_ORDERS][PAGEFRAME_SUMMARY_WORDS];
    uint32_t top[PAGEFRAME_ORDERS]; /* bit s: summary[order][s] is not 0 */

    uint32_t zeroed_count;
    frame_t zeroed[PAGEFRAME_ZEROED_MAX]; /* entries from zeroed_count on are 0 */
    uint32_t no_word;                     /* always 0 */
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

/* The hot stack of a zone, NULL if it has none. The two lowest zones never have one: what a stack
 * holds could be all of them. */
static inline struct pageframe_hot *pageframe_hot_of(unsigned zone)
{
    unsigned below_top = pageframe.top_zone - zone;
    return below_top < PAGEFRAME_HOT_STACKS && zone >= 2 ? &pageframe.hot[below_top] : NULL;
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

/* How many entries `groups` has, and how many words each of the bitmaps over slots. */
uint32_t pageframe_group_count(uint32_t frames);
uint32_t pageframe_slot_words(uint32_t frames);

static inline unsigned lowest_bit(uint32_t bits)
{
    return (unsigned)__builtin_ctz(bits);
}

/* The starts of the free blocks of 2^order frames, aligned to that, in a mask. */
uint32_t pageframe_blocks(uint32_t mask, unsigned order);
/* Which class a mask has, were it not open. */
enum pageframe_class pageframe_class_of(uint32_t mask);
/* The order (5 to 10) of the largest aligned block in a set of full words; 0 for the empty set. */
unsigned pageframe_full_order(uint32_t full_words);

/* The sum of the counters of all bytes that say "given out". */
uint32_t pageframe_given_out(void);

/* index.c. Callers keep bytes and counters, hold interrupts off, and name frames of one zone. */
void pageframe_index_init(void);
/* Enters frames that the index does not hold; removes frames that it holds. O(count / 32). */
void pageframe_index_add(frame_t first, uint32_t count, unsigned zone);
void pageframe_index_remove(frame_t first, uint32_t count, unsigned zone);
/* Enters one frame. O(1). */
void pageframe_index_put(frame_t frame, unsigned zone);
/* Takes one frame of a zone out of the index; FRAME_NONE if it holds none. O(1). */
frame_t pageframe_index_take(unsigned zone);
/* The start of a block of 2^order frames, order <= 10, that lies below `limit` with its first
 * `count`: in the smallest order that has one. Open words are not looked at. O(1). */
frame_t pageframe_index_find(unsigned zone, unsigned order, uint32_t count, frame_t limit);
/* The same for more than a group: whole groups in a row, and the first part of the next. */
frame_t pageframe_index_find_groups(unsigned zone, uint32_t count, frame_t limit);
/* Closes the open word of a zone. */
void pageframe_index_close(unsigned zone);

#endif
