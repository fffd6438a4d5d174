#ifndef KERNEL_MEMORY_PAGEFRAME_INTERNAL_H
#define KERNEL_MEMORY_PAGEFRAME_INTERNAL_H

#include "kernel/memory/bytemap/internal.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/pageframe/bits.h"
#include "kernel/memory/pageframe/pageframe.h"

#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define NOINLINE            __attribute__((noinline))

/*
 * What pageframe keeps, for its own files and for tests that look at it or damage it.
 *
 * The index says where the free frames are. All its units are 32 of the one below, so that each is
 * a set in one machine word, and a member is found by its lowest bit:
 *
 *     area   32 rows,   4 GiB      kinds, and for each kind the rows that have a group of it
 *     row    32 groups, 128 MiB    for each kind, the groups of it
 *     group  32 words,  4 MiB      for each kind up to FULL, the words of it
 *     word   32 frames, 128 KiB    busy: one bit a frame, 0 = free; and its class
 *
 * A word's class says how large the largest aligned block of free frames in it is: EMPTY (none is
 * free), 1 to 5 for 1, 2, 4, 8, 16 frames, FULL (6) if all 32 are. What a set is of is its kind:
 *
 *     0, 1      words of classes 1 to 4, whose turn it is to be opened now or when those are used
 * up 2 to 5    words of this class 6 to 11   groups whose largest aligned block of FULL words has
 * 1, 2, 4, 8, 16, 32 of them
 *
 * So a block of 2^n frames, n > 0, is sought among the kinds from n + 1 up, and the lowest of them
 * that is there has the smallest block that serves: one machine word says which, and four sets lead
 * to it. That is a buddy allocator's policy without its ladder of splits and merges, since a
 * block's buddies are bits of one word. A set tells the one above only when it gets its first
 * member or loses its last.
 *
 * A frame that comes back can only raise its word's class, and by one: `pageframe_completed` has
 * for each class and bit the block that must be free for that. Mostly it is not, and nothing but
 * the word's bit changes.
 *
 * Single frames are taken from an open word, one for each zone: what was free in it when it was
 * opened has left the index, and single frames of the top zone that come back into it return there.
 * A run that is not found puts it back in one step and looks again. Which word is opened decides
 * how many frames are in it, so words take turns: one that has been used up gets into the set of
 * those that wait, whatever comes back to it meanwhile; when nobody is left whose turn it is, the
 * two sets change places. What a run leaves of a word has its turn at once. Words with a block of
 * 16, and whole ones, come last.
 *
 * Frames are zeroed ahead in an open word of their own; a run that is still not found brings those
 * back too.
 *
 * A row is of one zone, and an area too. The border at 1 MiB lies inside the first 1024 frames:
 * zone 0 has a group of its own for its 8 words (entry 0 of `groups`), the first group of zone 1
 * (entry 1) leaves those out. Zone 4 has an area for each 4 GiB. The zones in ascending order are
 * those of enum pageframe_where in descending order.
 */
#define PAGEFRAME_WORD_FRAMES  32u
#define PAGEFRAME_GROUP_FRAMES 1024u
#define PAGEFRAME_ZONES        5u
#define PAGEFRAME_AREAS        19u /* one for each of zones 0 to 3, 15 for zone 4 */
#define PAGEFRAME_TURNS        2u
#define PAGEFRAME_KINDS        12u
#define PAGEFRAME_ORDER_FULL   5u  /* a whole word */
#define PAGEFRAME_ORDER_GROUP  10u /* a whole group */
#define PAGEFRAME_ZEROED_MAX   PAGEFRAME_WORD_FRAMES
#define PAGEFRAME_FRAMES_MAX   (E820_LIMIT >> FRAME_SHIFT)

/* Classes of words, and kinds. */
#define PAGEFRAME_EMPTY  0u
#define PAGEFRAME_ONES   1u /* no two free frames are an aligned pair */
#define PAGEFRAME_PAIRS  2u
#define PAGEFRAME_EIGHTS 4u /* the last class of which words take turns */
#define PAGEFRAME_FULL   6u
#define PAGEFRAME_WHOLE  11u /* a kind only: the group is free */
/* The kind of a group by the class of its set of FULL words, which is not EMPTY. */
#define PAGEFRAME_KIND_OF(level) ((level) + PAGEFRAME_FULL - PAGEFRAME_ONES)

struct pageframe_group {
    uint32_t words[PAGEFRAME_FULL + 1]; /* [kind]; those of class FULL are in the last */
    uint16_t row;
    uint16_t level; /* the class of its set of FULL words, as if these were frames of a word */
};

struct pageframe_row {
    uint32_t groups[PAGEFRAME_KINDS]; /* [kind] */
    struct pageframe_area *area;
    uintptr_t place; /* in the area, 0 to 31 */
};

struct pageframe_area {
    uint32_t kinds;                 /* bit k: rows[k] is not 0 */
    uint32_t rows[PAGEFRAME_KINDS]; /* [kind] */
    struct pageframe_open *open;    /* its zone's open word */
    uint32_t free_frames;           /* of the zone, zeroed ones and those in the open word too; 0 in
                                       the top zone, whose count is what the others leave of the whole */
    struct pageframe_row *row;      /* its first row, the group and the word there */
    struct pageframe_group *group;
    uint32_t word;
};

/* The open word of a zone. */
struct pageframe_open {
    uint32_t mask; /* its frames that are free but not in the index */
    frame_t first; /* its first frame, always one of the zone */
    uint32_t word; /* first / 32 */
};

/* The word whose frames are zeroed ahead, of a zone in the direct view. */
struct pageframe_zeroing {
    uint32_t ready; /* those in state ZEROED */
    struct pageframe_open
        open; /* of those that are still to be zeroed: its word, whatever is left */
};

struct pageframe {
    /* What the shortest paths read and write. */
    struct pageframe_open open[PAGEFRAME_ZONES]; /* [0] is the top zone's, [1] of the one below */
    uint32_t top_first; /* the first frame of the top zone, the highest that has frames, and how */
    uint32_t top_count; /* many frame numbers it has */
    uint32_t *busy;     /* [word] */
    uint16_t *states;   /* [word]: its class * 32, where its row of pageframe_completed starts */

    uint32_t turn, other_turn; /* the kind of words whose turn it is, of those that wait */
    struct pageframe_group *groups;
    struct pageframe_row *rows;
    struct pageframe_area areas[PAGEFRAME_AREAS];
    uint32_t area_count; /* of those that there are; the others are 0 */

    uint64_t granted;   /* frames given out since the start, plus bytemap's budget */
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
    uintptr_t seal;         /* pageframe_seal(): tells a wrong byte in what has no other */

    struct pageframe_zeroing zeroing;
};

extern struct pageframe pageframe;

/* [class * 32 + bit]: the frames of a word that must all be free for it to rise by a class when
 * that bit's frame becomes free. None must if it is EMPTY. */
extern const uint32_t pageframe_completed[(PAGEFRAME_FULL + 1) * PAGEFRAME_WORD_FRAMES];

/* Borders of the zones in frames: zone z is [borders[z], borders[z + 1]). */
#define PAGEFRAME_BORDER_1 0x100u
#define PAGEFRAME_BORDER_2 0x1000u
#define PAGEFRAME_BORDER_3 ((frame_t)((MAP_DIRECT_END - MAP_DIRECT_START) >> FRAME_SHIFT))
#define PAGEFRAME_BORDER_4 0x100000u

extern const frame_t pageframe_borders[PAGEFRAME_ZONES + 1];

static inline unsigned pageframe_zone_of(frame_t frame)
{
    if (frame >= PAGEFRAME_BORDER_3)
        return frame >= PAGEFRAME_BORDER_4 ? 4 : 3;
    return frame >= PAGEFRAME_BORDER_2 ? 2 : frame >= PAGEFRAME_BORDER_1;
}

/* The open word of a zone up to the top zone. */
static inline struct pageframe_open *pageframe_open_of(unsigned zone)
{
    return &pageframe.open[pageframe.top_zone - zone];
}

/* The entry of `groups` that has a word. */
static inline uint32_t pageframe_group_of(uint32_t word)
{
    return word < PAGEFRAME_BORDER_1 / PAGEFRAME_WORD_FRAMES ? 0 : word / 32 + 1;
}

static inline uint32_t pageframe_words(uint32_t frames)
{
    return (frames + PAGEFRAME_WORD_FRAMES - 1) / PAGEFRAME_WORD_FRAMES;
}

/* How many entries `groups` and `rows` have. */
uint32_t pageframe_group_count(uint32_t frames);
uint32_t pageframe_row_count(uint32_t frames);
/* The row of an entry of `groups`; zone tells entry 0 from entry 1. The area of a row, and the
 * first row of an area. */
uint32_t pageframe_row_of(uint32_t group, unsigned zone);
uint32_t pageframe_area_of(uint32_t row);
uint32_t pageframe_first_row(uint32_t area);
/* An area in which nothing is free. */
struct pageframe_area pageframe_empty_area(uint32_t area);

/* The class of a word with these free frames. */
unsigned pageframe_class_of(uint32_t free);

/* The longer ways of pageframe_alloc, whose `where` is senseless if its tag is, and of
 * pageframe_free. Interrupts are off, and restored on the way out. The second one takes a frame of
 * the highest zone that has one up to this, and is called when the frame has been counted already.
 * Not static, so that the shortest path jumps there with its arguments as they came and need not
 * keep them. */
PAGEFRAME_CALL frame_t pageframe_alloc_slowly(unsigned where, unsigned long saved, unsigned tag);
PAGEFRAME_CALL frame_t pageframe_alloc_counted(unsigned zone, unsigned tag, unsigned long saved);
PAGEFRAME_CALL int pageframe_free_slowly(frame_t frame, unsigned long saved);

/* What the seal has to be. */
uintptr_t pageframe_seal(void);

/* The sum of the counters of all bytes that say "given out". */
uint32_t pageframe_given_out(void);

/* index.c. Callers keep bytes and counters, hold interrupts off, and name frames of one zone. */
void pageframe_index_init(void);
/* Enters frames that the index does not hold; removes frames that it holds. O(count / 32). */
PAGEFRAME_CALL void pageframe_index_add(frame_t first, uint32_t count);
PAGEFRAME_CALL void pageframe_index_remove(frame_t first, uint32_t count);
/* A frame that has just become free in a word, with this place, raises its class. Then interrupts
 * are restored, and 0 is returned, for pageframe_free to end with. O(1). */
PAGEFRAME_CALL int pageframe_index_rise_at_last(uint32_t place, unsigned long saved, uint32_t word);
/* Opens a word of an area that has a free frame, gives its first one out, and restores interrupts.
 * What was open has nothing left. A partly free word if there is one, else a FULL one. O(1). */
PAGEFRAME_CALL frame_t pageframe_index_open_at_last(const struct pageframe_area *area, unsigned tag,
                                                    unsigned long saved);
/* Opens a word of a zone below 4, a FULL one if there is one, and takes its first frame; FRAME_NONE
 * if nothing is free. O(1). */
PAGEFRAME_CALL frame_t pageframe_index_open_full(unsigned zone, struct pageframe_open *open);
/* Puts frames of an open word back into the index. O(1). */
PAGEFRAME_CALL void pageframe_index_close(uint32_t word, uint32_t frames);
/* Takes `count` frames from the start of a block of 2^order frames, order <= 10, that lies below
 * `limit` with them; FRAME_NONE if there is none. The smallest that serves, or if that lies too
 * high, the lowest. O(count / 32), but for the areas of zone 4. */
PAGEFRAME_CALL frame_t pageframe_index_take(unsigned zone, unsigned order, uint32_t count,
                                            frame_t limit);
/* Finds more than a group: whole groups in a row, and the first part of the next. */
frame_t pageframe_index_find_groups(unsigned zone, uint32_t count, frame_t limit);

/* The area of a zone that has the lowest kind out of these; NULL if none has any. O(1), but for the
 * areas of zone 4. */
PAGEFRAME_CALL struct pageframe_area *pageframe_area_above(uint32_t kinds);
static inline struct pageframe_area *pageframe_area_with(unsigned zone, uint32_t kinds)
{
    struct pageframe_area *area = &pageframe.areas[zone];
    if (UNLIKELY(zone == PAGEFRAME_ZONES - 1))
        return pageframe_area_above(kinds);
    return (area->kinds & kinds) != 0 ? area : NULL;
}

/* Where pageframe_completed has what matters when a frame of the word becomes free. */
static inline uint32_t pageframe_index_place(uint32_t word, frame_t frame)
{
    return pageframe.states[word] + frame % PAGEFRAME_WORD_FRAMES;
}

/* Whether a frame that has just become free in a word raises its class. */
static inline bool pageframe_index_rises(uint32_t place, uint32_t busy)
{
    return (pageframe_completed[place] & busy) == 0;
}

#endif
