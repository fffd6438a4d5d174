/* Where the free frames are; internal.h has the picture. */
#include "kernel/lib/string.h"
#include "kernel/memory/pageframe/internal.h"
#include "kernel/memory/platform.h"

#define ALL           UINT32_MAX
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The kinds that have a block of 2^order frames. Words of class ONES are of no kind but a turn. */
#define KINDS_FROM(order) (ALL << ((order) + ((order) != 0)))
#define TURNS             ((1u << PAGEFRAME_TURNS) - 1)
/* The kinds of partly free words that do not take turns. */
#define ROOMY (ALL << (PAGEFRAME_EIGHTS + 1) & ~(ALL << PAGEFRAME_FULL))

const frame_t pageframe_borders[PAGEFRAME_ZONES + 1] = {0,
                                                        PAGEFRAME_BORDER_1,
                                                        PAGEFRAME_BORDER_2,
                                                        PAGEFRAME_BORDER_3,
                                                        PAGEFRAME_BORDER_4,
                                                        (frame_t)PAGEFRAME_FRAMES_MAX};

#define ROW_FRAMES  (32 * PAGEFRAME_GROUP_FRAMES)
#define AREA_FRAMES (32 * ROW_FRAMES)
/* Rows 0 and 1 are those of zones 0 and 1; from zone 2 on they are counted from frame 0. */
#define ROW_ZONE_2 2u
#define ROW_ZONE_3 (ROW_ZONE_2 + PAGEFRAME_BORDER_3 / ROW_FRAMES)
#define ROW_ZONE_4 (ROW_ZONE_2 + PAGEFRAME_BORDER_4 / ROW_FRAMES)

_Static_assert(PAGEFRAME_BORDER_2 % PAGEFRAME_GROUP_FRAMES == 0 &&
                   PAGEFRAME_BORDER_3 % ROW_FRAMES == 0 && PAGEFRAME_BORDER_4 <= AREA_FRAMES &&
                   PAGEFRAME_BORDER_4 % ROW_FRAMES == 0,
               "no group or row straddles two zones, and zones 0 to 3 fit an area each");
_Static_assert((PAGEFRAME_FRAMES_MAX - PAGEFRAME_BORDER_4) / AREA_FRAMES == PAGEFRAME_AREAS - 4,
               "zone 4 has the other areas");

/* A block of ones around a bit, aligned. */
#define BLOCK(ones, bit, size) ((uint32_t)(ones) << ((bit) & (32u - (size))))
#define BLOCKS_4(ones, bit, size)                                                                  \
    BLOCK(ones, bit, size), BLOCK(ones, (bit) + 1, size), BLOCK(ones, (bit) + 2, size),            \
        BLOCK(ones, (bit) + 3, size)
#define BLOCKS_16(ones, bit, size)                                                                 \
    BLOCKS_4(ones, bit, size), BLOCKS_4(ones, (bit) + 4, size), BLOCKS_4(ones, (bit) + 8, size),   \
        BLOCKS_4(ones, (bit) + 12, size)
#define BLOCKS_32(ones, size) BLOCKS_16(ones, 0, size), BLOCKS_16(ones, 16, size)

const uint32_t pageframe_completed[] = {
    BLOCKS_32(0, 1),       BLOCKS_32(0x3, 2),  BLOCKS_32(0xF, 4), BLOCKS_32(0xFF, 8),
    BLOCKS_32(0xFFFF, 16), BLOCKS_32(ALL, 32), BLOCKS_32(0, 1)};

/* The bits at which an aligned block of 2^order can start. */
static const uint32_t block_starts[6] = {ALL, 0x55555555, 0x11111111, 0x01010101, 0x00010001, 1};
/* And those at which it ends. */
static const uint32_t block_tops[6] = {ALL,        0xAAAAAAAA, 0x88888888,
                                       0x80808080, 0x80008000, 0x80000000};

uint32_t pageframe_group_count(uint32_t frames)
{
    return (frames + PAGEFRAME_GROUP_FRAMES - 1) / PAGEFRAME_GROUP_FRAMES + 1;
}

uint32_t pageframe_row_count(uint32_t frames)
{
    return ROW_ZONE_2 + (frames + ROW_FRAMES - 1) / ROW_FRAMES;
}

uint32_t pageframe_row_of(uint32_t group, unsigned zone)
{
    return zone < 2 ? zone : ROW_ZONE_2 + (group - 1) / 32;
}

uint32_t pageframe_area_of(uint32_t row)
{
    if (row < ROW_ZONE_4)
        return (row >= 1) + (row >= ROW_ZONE_2) + (row >= ROW_ZONE_3);
    return PAGEFRAME_ZONES - 1 + (row - ROW_ZONE_4) / 32;
}

uint32_t pageframe_first_row(uint32_t area)
{
    static const uint32_t rows[] = {0, 1, ROW_ZONE_2, ROW_ZONE_3};
    return area < ARRAY_COUNT(rows) ? rows[area] : ROW_ZONE_4 + (area - ARRAY_COUNT(rows)) * 32;
}

struct pageframe_area pageframe_empty_area(uint32_t area)
{
    uint32_t row = pageframe_first_row(area);
    uint32_t group = row < ROW_ZONE_2 ? 0 : (row - ROW_ZONE_2) * 32;
    unsigned zone = area < PAGEFRAME_ZONES - 1 ? area : PAGEFRAME_ZONES - 1;
    return (struct pageframe_area){.open =
                                       zone <= pageframe.top_zone ? pageframe_open_of(zone) : NULL,
                                   .row = pageframe.rows + row,
                                   .group = pageframe.groups + group + (area != 0),
                                   .word = group * 32};
}

/*
 * Whether an aligned block of 2^order bits is free, and where the lowest starts, which there is. A
 * block is free if what is busy of it is 0: then 1 taken from it reaches its highest bit, which was
 * not set before. Above the lowest such block a borrow may say the same of others.
 */
static inline uint32_t block_ends(uint32_t free, unsigned order)
{
    return (~free - block_starts[order]) & free & block_tops[order];
}

static inline bool has_block(uint32_t free, unsigned order)
{
    return block_ends(free, order) != 0;
}

static inline unsigned lowest_block(uint32_t free, unsigned order)
{
    return lowest_bit(block_ends(free, order)) & (ALL << order);
}

static inline unsigned class_of(uint32_t free)
{
    if (free == 0)
        return PAGEFRAME_EMPTY;
    if (free == ALL)
        return PAGEFRAME_FULL;
    if ((free &= free >> 1 & block_starts[1]) == 0)
        return PAGEFRAME_ONES;
    if ((free &= free >> 2 & block_starts[2]) == 0)
        return PAGEFRAME_PAIRS;
    if ((free &= free >> 4 & block_starts[3]) == 0)
        return PAGEFRAME_PAIRS + 1;
    return (free & free >> 8 & block_starts[4]) == 0 ? PAGEFRAME_PAIRS + 2 : PAGEFRAME_PAIRS + 3;
}

unsigned pageframe_class_of(uint32_t free)
{
    return class_of(free);
}

static inline struct pageframe_group *group_of(uint32_t word)
{
    return &pageframe.groups[pageframe_group_of(word)];
}

static inline struct pageframe_row *row_of(const struct pageframe_group *group)
{
    return &pageframe.rows[group->row];
}

/* The group of a word becomes one of a kind. */
ALWAYS_INLINE void row_enter(struct pageframe_row *row, uint32_t word, unsigned kind)
{
    uint32_t before = row->groups[kind];
    row->groups[kind] = with_bit(before, word / 32);
    if (LIKELY(before != 0))
        return;
    struct pageframe_area *area = row->area;
    area->rows[kind] = with_bit(area->rows[kind], (uint32_t)row->place);
    area->kinds = with_bit(area->kinds, kind);
}

/* It no longer is. */
ALWAYS_INLINE void row_leave(struct pageframe_row *row, uint32_t word, unsigned kind)
{
    uint32_t after = without_bit(row->groups[kind], word / 32);
    row->groups[kind] = after;
    if (LIKELY(after != 0))
        return;
    struct pageframe_area *area = row->area;
    after = without_bit(area->rows[kind], (uint32_t)row->place);
    area->rows[kind] = after;
    if (after == 0)
        area->kinds = without_bit(area->kinds, kind);
}

/* A word becomes one of a kind below FULL, or ceases to be. */
ALWAYS_INLINE void group_enter(struct pageframe_group *group, uint32_t word, unsigned kind)
{
    uint32_t before = group->words[kind];
    group->words[kind] = with_bit(before, word);
    if (UNLIKELY(before == 0))
        row_enter(row_of(group), word, kind);
}

ALWAYS_INLINE void group_leave(struct pageframe_group *group, uint32_t word, unsigned kind)
{
    uint32_t after = without_bit(group->words[kind], word);
    group->words[kind] = after;
    if (UNLIKELY(after == 0))
        row_leave(row_of(group), word, kind);
}

static inline bool takes_turns(unsigned class)
{
    return class - PAGEFRAME_ONES <= PAGEFRAME_EIGHTS - PAGEFRAME_ONES;
}

/* A word that takes turns no longer does. */
ALWAYS_INLINE void leave_turn(struct pageframe_group *group, uint32_t word)
{
    group_leave(group, word, has_bit(group->words[1], word));
}

ALWAYS_INLINE void set_level(struct pageframe_group *group, uint32_t word, unsigned before,
                             unsigned level)
{
    struct pageframe_row *row = row_of(group);
    group->level = (uint16_t)level;
    if (before != PAGEFRAME_EMPTY)
        row_leave(row, word, PAGEFRAME_KIND_OF(before));
    if (level != PAGEFRAME_EMPTY)
        row_enter(row, word, PAGEFRAME_KIND_OF(level));
}

/* A word becomes FULL. As a frame that becomes free does with its word, it can raise its group's
 * level by one. */
ALWAYS_INLINE void full_enter(struct pageframe_group *group, uint32_t word)
{
    uint32_t full = with_bit(group->words[PAGEFRAME_FULL], word);
    group->words[PAGEFRAME_FULL] = full;
    unsigned level = group->level;
    if ((pageframe_completed[level * 32 + word % 32] & ~full) == 0)
        set_level(group, word, level, level + 1);
}

/* A word ceases to be FULL: then its group may lose its largest block, of which a half remains. */
ALWAYS_INLINE void full_leave(struct pageframe_group *group, uint32_t word)
{
    uint32_t full = without_bit(group->words[PAGEFRAME_FULL], word);
    group->words[PAGEFRAME_FULL] = full;
    unsigned level = group->level;
    if (!has_block(full, level - 1))
        set_level(group, word, level, level - 1);
}

/* The same, for whom registers would not suffice with it. */
static NOINLINE void full_enter_apart(struct pageframe_group *group, uint32_t word)
{
    full_enter(group, word);
}

static NOINLINE void full_leave_apart(struct pageframe_group *group, uint32_t word)
{
    full_leave(group, word);
}

/*
 * The class of a word rises by one; `place` says which it was, and stays the same up to its lowest
 * five bits. Out of none into a turn, or, still in its turn, to the words with a pair.
 */
ALWAYS_INLINE void rise_first(uint32_t word, uint32_t place)
{
    pageframe.states[word] = (uint16_t)((place | 31) + 1);
    group_enter(group_of(word), word, place < 32 ? pageframe.other_turn : PAGEFRAME_PAIRS);
}

/* From the words with a block of 2, 4 or 8 to those with one of twice as many. */
ALWAYS_INLINE void rise_on(uint32_t word, uint32_t place)
{
    struct pageframe_group *group = group_of(word);
    unsigned before = place / 32;
    pageframe.states[word] = (uint16_t)((place | 31) + 1);
    group_leave(group, word, before);
    if (before == PAGEFRAME_EIGHTS)
        leave_turn(group, word);
    group_enter(group, word, before + 1);
}

ALWAYS_INLINE void rise_last(uint32_t word)
{
    struct pageframe_group *group = group_of(word);
    pageframe.states[word] = PAGEFRAME_FULL * 32;
    group_leave(group, word, PAGEFRAME_FULL - 1);
    full_enter(group, word);
}

/* Each way saves the registers that it needs itself. */
static NOINLINE PAGEFRAME_CALL int rise_first_at_last(uint32_t place, unsigned long saved,
                                                      uint32_t word)
{
    rise_first(word, place);
    platform_interrupts_restore(saved);
    return 0;
}

static NOINLINE PAGEFRAME_CALL int rise_on_at_last(uint32_t place, unsigned long saved,
                                                   uint32_t word)
{
    rise_on(word, place);
    platform_interrupts_restore(saved);
    return 0;
}

static NOINLINE PAGEFRAME_CALL int rise_last_at_last(uint32_t word, unsigned long saved)
{
    rise_last(word);
    platform_interrupts_restore(saved);
    return 0;
}

PAGEFRAME_CALL int pageframe_index_rise_at_last(uint32_t place, unsigned long saved, uint32_t word)
{
    if (LIKELY(place < PAGEFRAME_PAIRS * 32))
        return rise_first_at_last(place, saved, word);
    if (place < (PAGEFRAME_FULL - 1) * 32)
        return rise_on_at_last(place, saved, word);
    return rise_last_at_last(word, saved);
}

/* Frames of a word have become free: its class rises. */
ALWAYS_INLINE void climb(struct pageframe_group *group, uint32_t word, unsigned before,
                         unsigned after)
{
    pageframe.states[word] = (uint16_t)(after * 32);
    if (before >= PAGEFRAME_PAIRS)
        group_leave(group, word, before);
    if (after > PAGEFRAME_EIGHTS) {
        if (takes_turns(before))
            leave_turn(group, word);
        if (after == PAGEFRAME_FULL) {
            full_enter_apart(group, word);
            return;
        }
    } else if (before == PAGEFRAME_EMPTY) {
        group_enter(group, word, pageframe.other_turn);
    }
    if (after >= PAGEFRAME_PAIRS)
        group_enter(group, word, after);
}

/* Frames of a word are no longer free: its class falls. */
ALWAYS_INLINE void fall(struct pageframe_group *group, uint32_t word, unsigned before,
                        unsigned after)
{
    pageframe.states[word] = (uint16_t)(after * 32);
    if (after >= PAGEFRAME_PAIRS)
        group_enter(group, word, after);
    if (before > PAGEFRAME_EIGHTS) {
        if (takes_turns(after))
            group_enter(group, word, pageframe.turn);
        if (before == PAGEFRAME_FULL) {
            full_leave_apart(group, word);
            return;
        }
    } else if (after == PAGEFRAME_EMPTY) {
        leave_turn(group, word);
    }
    if (before >= PAGEFRAME_PAIRS)
        group_leave(group, word, before);
}

/* Frames inside one word become free, or busy. */
ALWAYS_INLINE void free_part(uint32_t word, uint32_t frames)
{
    uint32_t free = ~pageframe.busy[word] | frames;
    unsigned before = pageframe.states[word] / 32u, after = class_of(free);
    pageframe.busy[word] = ~free;
    if (before != after)
        climb(group_of(word), word, before, after);
}

ALWAYS_INLINE void busy_part(struct pageframe_group *group, uint32_t word, uint32_t frames)
{
    uint32_t free = ~(pageframe.busy[word] | frames);
    unsigned before = pageframe.states[word] / 32u, after = class_of(free);
    pageframe.busy[word] = ~free;
    if (before != after)
        fall(group, word, before, after);
}

/* `count` frames of a word, fewer than all. */
static inline uint32_t part_of_word(frame_t first, uint32_t count)
{
    return ((1u << count) - 1) << first % PAGEFRAME_WORD_FRAMES;
}

/* Whole words of one group from EMPTY to FULL, or from FULL to EMPTY. */
static NOINLINE void turn_words(uint32_t first, uint32_t count, unsigned class)
{
    struct pageframe_group *group = group_of(first);
    uint32_t words = (ALL >> (32 - count)) << first % 32;
    uint32_t full = group->words[PAGEFRAME_FULL] ^ words;
    unsigned level = class_of(full);
    group->words[PAGEFRAME_FULL] = full;
    if (level != group->level)
        set_level(group, first, group->level, level);
    fill_32(&pageframe.busy[first], class == PAGEFRAME_FULL ? 0 : ALL, count);
    fill_16(&pageframe.states[first], (uint16_t)(class * 32), count);
}

/* Frames become free, or busy: a part of a word, whole words group by group, a part of a word. */
static NOINLINE void turn_range(frame_t first, uint32_t count, unsigned class)
{
    while (count != 0) {
        uint32_t offset = first % PAGEFRAME_WORD_FRAMES, step = PAGEFRAME_WORD_FRAMES - offset;
        if (offset != 0 || count < PAGEFRAME_WORD_FRAMES) {
            if (step > count)
                step = count;
            if (class == PAGEFRAME_FULL)
                free_part(first / PAGEFRAME_WORD_FRAMES, part_of_word(first, step));
            else
                busy_part(group_of(first / PAGEFRAME_WORD_FRAMES), first / PAGEFRAME_WORD_FRAMES,
                          part_of_word(first, step));
        } else {
            step = PAGEFRAME_GROUP_FRAMES - first % PAGEFRAME_GROUP_FRAMES;
            if (step > count)
                step = count & ~(PAGEFRAME_WORD_FRAMES - 1);
            turn_words(first / PAGEFRAME_WORD_FRAMES, step / PAGEFRAME_WORD_FRAMES, class);
        }
        first += step;
        count -= step;
    }
}

/* The short ways are for a part of one word, and for whole words of one group. */
PAGEFRAME_CALL void pageframe_index_add(frame_t first, uint32_t count)
{
    if (LIKELY(first % PAGEFRAME_WORD_FRAMES + count <= PAGEFRAME_WORD_FRAMES &&
               count < PAGEFRAME_WORD_FRAMES))
        free_part(first / PAGEFRAME_WORD_FRAMES, part_of_word(first, count));
    else if (LIKELY((first | count) % PAGEFRAME_WORD_FRAMES == 0 &&
                    first % PAGEFRAME_GROUP_FRAMES + count <= PAGEFRAME_GROUP_FRAMES))
        turn_words(first / PAGEFRAME_WORD_FRAMES, count / PAGEFRAME_WORD_FRAMES, PAGEFRAME_FULL);
    else
        turn_range(first, count, PAGEFRAME_FULL);
}

PAGEFRAME_CALL void pageframe_index_remove(frame_t first, uint32_t count)
{
    turn_range(first, count, PAGEFRAME_EMPTY);
}

/* The area of zone 4 that has the lowest kind out of these; NULL if none has any. */
PAGEFRAME_CALL struct pageframe_area *pageframe_area_above(uint32_t kinds)
{
    struct pageframe_area *area = &pageframe.areas[PAGEFRAME_ZONES - 1], *best = NULL;
    unsigned lowest = PAGEFRAME_KINDS;
    for (; area < &pageframe.areas[pageframe.area_count] && lowest != 0; area++)
        if ((area->kinds & kinds) != 0 && lowest_bit(area->kinds & kinds) < lowest) {
            lowest = lowest_bit(area->kinds & kinds);
            best = area;
        }
    return best;
}

/* The first group of a kind that an area has, counted from the area's start. */
static inline uint32_t first_group(const struct pageframe_area *area, unsigned kind)
{
    uint32_t row = lowest_bit(area->rows[kind]);
    return row * 32 + lowest_bit(area->row[row].groups[kind]);
}

/* Everything that is in one of the sets of these kinds. */
static uint32_t united(const uint32_t *sets, uint32_t kinds)
{
    uint32_t members = 0;
    for (; kinds != 0; kinds &= kinds - 1)
        members |= sets[lowest_bit(kinds)];
    return members;
}

/* The lowest block of an area. It has one. */
static frame_t lowest_block_in(const struct pageframe_area *area, unsigned order)
{
    uint32_t kinds = area->kinds & KINDS_FROM(order);
    uint32_t row = lowest_bit(united(area->rows, kinds));
    uint32_t at = row * 32 + lowest_bit(united(area->row[row].groups, kinds));
    const struct pageframe_group *group = area->group + at;
    uint32_t word = area->word + at * 32;
    if (order > PAGEFRAME_ORDER_FULL) {
        order -= PAGEFRAME_ORDER_FULL;
        word += lowest_block(group->words[PAGEFRAME_FULL], order);
        return word * PAGEFRAME_WORD_FRAMES;
    }
    kinds = KINDS_FROM(order) & (ALL >> (31 - PAGEFRAME_FULL));
    word += lowest_bit(united(group->words, kinds));
    return word * PAGEFRAME_WORD_FRAMES + lowest_block(~pageframe.busy[word], order);
}

/* The lowest block of a zone, which has one. */
static frame_t lowest_block_of(unsigned zone, unsigned order)
{
    const struct pageframe_area *area = &pageframe.areas[zone];
    while ((area->kinds & KINDS_FROM(order)) == 0)
        area++;
    return lowest_block_in(area, order);
}

/* Whether [first, first + count) ends at or below the limit. */
static inline bool is_below(frame_t first, uint32_t count, frame_t limit)
{
    return first < limit && limit - first >= count;
}

/* What is to be had lies too high: the lowest block is taken. */
static NOINLINE frame_t take_lowest(unsigned zone, unsigned order, uint32_t count, frame_t limit)
{
    frame_t first = lowest_block_of(zone, order);
    if (!is_below(first, count, limit))
        return FRAME_NONE;
    turn_range(first, count, PAGEFRAME_EMPTY);
    return first;
}

/* For less than a word. */
static inline frame_t take_part(unsigned zone, unsigned order, uint32_t count, frame_t limit)
{
    const struct pageframe_area *area = pageframe_area_with(zone, KINDS_FROM(order));
    if (area == NULL)
        return FRAME_NONE;
    unsigned kind = lowest_bit(area->kinds & KINDS_FROM(order));
    uint32_t at = first_group(area, kind);
    struct pageframe_group *group = area->group + at;
    uint32_t words = group->words[kind < PAGEFRAME_FULL ? kind : PAGEFRAME_FULL];
    uint32_t word = area->word + at * 32 + lowest_bit(words);
    unsigned bit = lowest_block(~pageframe.busy[word], order);
    frame_t first = word * PAGEFRAME_WORD_FRAMES + bit;
    if (UNLIKELY(!is_below(first, count, limit)))
        return take_lowest(zone, order, count, limit);
    busy_part(group, word, part_of_word(bit, count));
    return first;
}

/* For whole words, and the first part of another. */
static inline frame_t take_words(unsigned zone, unsigned order, uint32_t count, frame_t limit)
{
    const struct pageframe_area *area = pageframe_area_with(zone, KINDS_FROM(order));
    if (area == NULL)
        return FRAME_NONE;
    uint32_t at = first_group(area, lowest_bit(area->kinds & KINDS_FROM(order)));
    uint32_t full = area->group[at].words[PAGEFRAME_FULL];
    uint32_t word = area->word + at * 32;
    word += lowest_block(full, order - PAGEFRAME_ORDER_FULL);
    frame_t first = word * PAGEFRAME_WORD_FRAMES;
    if (UNLIKELY(!is_below(first, count, limit)))
        return take_lowest(zone, order, count, limit);
    if (LIKELY(count % PAGEFRAME_WORD_FRAMES == 0))
        turn_words(word, count / PAGEFRAME_WORD_FRAMES, PAGEFRAME_EMPTY);
    else
        turn_range(first, count, PAGEFRAME_EMPTY);
    return first;
}

PAGEFRAME_CALL frame_t pageframe_index_take(unsigned zone, unsigned order, uint32_t count,
                                            frame_t limit)
{
    return order < PAGEFRAME_ORDER_FULL ? take_part(zone, order, count, limit)
                                        : take_words(zone, order, count, limit);
}

/* Out of the sets goes a word whose turn it is. There is one. */
ALWAYS_INLINE uint32_t take_in_turn(const struct pageframe_area *area)
{
    uint32_t kind = pageframe.turn;
    if (UNLIKELY(!has_bit(area->kinds, kind))) {
        pageframe.turn = pageframe.other_turn;
        pageframe.other_turn = kind;
        kind = pageframe.turn;
    }
    uint32_t at = first_group(area, kind);
    struct pageframe_group *group = area->group + at;
    uint32_t word = area->word + at * 32 + lowest_bit(group->words[kind]);
    group_leave(group, word, kind);
    unsigned class = pageframe.states[word] / 32u;
    if (class >= PAGEFRAME_PAIRS)
        group_leave(group, word, class);
    return word;
}

/* A partly free word that takes no turns, with the smallest block. There is one. */
ALWAYS_INLINE uint32_t take_roomy(const struct pageframe_area *area)
{
    unsigned kind = lowest_bit(area->kinds & ROOMY);
    uint32_t at = first_group(area, kind);
    struct pageframe_group *group = area->group + at;
    uint32_t word = area->word + at * 32 + lowest_bit(group->words[kind]);
    group_leave(group, word, kind);
    return word;
}

/* A FULL word, of a group with the smallest blocks. There is one. */
ALWAYS_INLINE uint32_t take_full(const struct pageframe_area *area)
{
    uint32_t at = first_group(area, lowest_bit(area->kinds & KINDS_FROM(PAGEFRAME_ORDER_FULL)));
    struct pageframe_group *group = area->group + at;
    uint32_t word = area->word + at * 32 + lowest_bit(group->words[PAGEFRAME_FULL]);
    full_leave(group, word);
    return word;
}

/* Opens a word that has left the sets, and takes its first frame. */
ALWAYS_INLINE frame_t open_word(struct pageframe_open *open, uint32_t word)
{
    uint32_t mask = ~pageframe.busy[word];
    unsigned bit = lowest_bit(mask);
    pageframe.busy[word] = ALL;
    pageframe.states[word] = PAGEFRAME_EMPTY * 32;
    open->mask = without_bit(mask, bit);
    open->word = word;
    open->first = word * PAGEFRAME_WORD_FRAMES;
    return word * PAGEFRAME_WORD_FRAMES + bit;
}

/* Opens such a word of an area, gives its first frame out, and restores interrupts. Each way saves
 * the registers that it needs itself. */
ALWAYS_INLINE frame_t give_first(const struct pageframe_area *area, uint32_t word, unsigned tag,
                                 unsigned long saved)
{
    frame_t frame = open_word(area->open, word);
    bytemap_give_one(frame, tag);
    platform_interrupts_restore(saved);
    return frame;
}

static NOINLINE PAGEFRAME_CALL frame_t open_roomy(const struct pageframe_area *area, unsigned tag,
                                                  unsigned long saved)
{
    return give_first(area, take_roomy(area), tag, saved);
}

static NOINLINE PAGEFRAME_CALL frame_t open_full(const struct pageframe_area *area, unsigned tag,
                                                 unsigned long saved)
{
    return give_first(area, take_full(area), tag, saved);
}

static NOINLINE PAGEFRAME_CALL frame_t open_in_turn(const struct pageframe_area *area, unsigned tag,
                                                    unsigned long saved)
{
    return give_first(area, take_in_turn(area), tag, saved);
}

PAGEFRAME_CALL frame_t pageframe_index_open_at_last(const struct pageframe_area *area, unsigned tag,
                                                    unsigned long saved)
{
    if (LIKELY((area->kinds & TURNS) != 0))
        return open_in_turn(area, tag, saved);
    return (area->kinds & ROOMY) != 0 ? open_roomy(area, tag, saved) : open_full(area, tag, saved);
}

static NOINLINE PAGEFRAME_CALL frame_t open_full_for(struct pageframe_open *open,
                                                     const struct pageframe_area *area)
{
    return open_word(open, take_full(area));
}

static NOINLINE PAGEFRAME_CALL frame_t open_roomy_for(struct pageframe_open *open,
                                                      const struct pageframe_area *area)
{
    return open_word(open, take_roomy(area));
}

static NOINLINE PAGEFRAME_CALL frame_t open_in_turn_for(struct pageframe_open *open,
                                                        const struct pageframe_area *area)
{
    return open_word(open, take_in_turn(area));
}

PAGEFRAME_CALL frame_t pageframe_index_open_full(unsigned zone, struct pageframe_open *open)
{
    const struct pageframe_area *area = &pageframe.areas[zone];
    if ((area->kinds & KINDS_FROM(PAGEFRAME_ORDER_FULL)) != 0)
        return open_full_for(open, area);
    if ((area->kinds & TURNS) != 0)
        return open_in_turn_for(open, area);
    return area->kinds != 0 ? open_roomy_for(open, area) : FRAME_NONE;
}

PAGEFRAME_CALL void pageframe_index_close(uint32_t word, uint32_t frames)
{
    free_part(word, frames);
}

/* Whether the first `count` frames (fewer than a group) of a group are free. */
static bool has_free_head(uint32_t number, uint32_t count)
{
    uint32_t words = (1u << count / PAGEFRAME_WORD_FRAMES) - 1;
    uint32_t bits = (1u << count % PAGEFRAME_WORD_FRAMES) - 1;
    uint32_t full = pageframe.groups[number + 1].words[PAGEFRAME_FULL];
    if ((full & words) != words)
        return false;
    return bits == 0 || (pageframe.busy[number * 32 + count / PAGEFRAME_WORD_FRAMES] & bits) == 0;
}

frame_t pageframe_index_find_groups(unsigned zone, uint32_t count, frame_t limit)
{
    uint32_t whole = count / PAGEFRAME_GROUP_FRAMES, rest = count % PAGEFRAME_GROUP_FRAMES;
    uint32_t end = pageframe_borders[zone + 1], run = 0;
    if (end > pageframe.frames)
        end = pageframe.frames;
    if (end > limit)
        end = limit;
    if (zone == 0)
        return FRAME_NONE;
    for (uint32_t number = pageframe_borders[zone] / PAGEFRAME_GROUP_FRAMES;
         number < end / PAGEFRAME_GROUP_FRAMES;) {
        uint32_t row = pageframe_row_of(number + 1, zone);
        uint32_t bits = pageframe.rows[row].groups[PAGEFRAME_WHOLE] >> number % 32;
        if (bits == 0) {
            run = 0;
            number = (number | 31) + 1;
            continue;
        }
        run = bits & 1 ? run + 1 : 0;
        number++;
        if (run < whole)
            continue;
        frame_t at = number * PAGEFRAME_GROUP_FRAMES;
        if (rest == 0 || (end - at >= rest && has_free_head(number, rest)))
            return at - whole * PAGEFRAME_GROUP_FRAMES;
    }
    return FRAME_NONE;
}

void pageframe_index_init(void)
{
    uint32_t words = pageframe_words(pageframe.frames), rows;
    pageframe.other_turn = 1;
    memset(pageframe.busy, 0xFF, words * sizeof(*pageframe.busy));
    rows = pageframe_row_count(pageframe.frames);
    pageframe.area_count = pageframe_area_of(rows - 1) + 1;
    for (uint32_t area = 0; area < pageframe.area_count; area++)
        pageframe.areas[area] = pageframe_empty_area(area);
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t area = pageframe_area_of(row);
        pageframe.rows[row].area = &pageframe.areas[area];
        pageframe.rows[row].place = row - pageframe_first_row(area);
    }
    for (uint32_t i = 0; i < pageframe_group_count(pageframe.frames); i++) {
        unsigned zone = i < 2 ? i : pageframe_zone_of((frame_t)(i - 1) * PAGEFRAME_GROUP_FRAMES);
        pageframe.groups[i].row = (uint16_t)pageframe_row_of(i, zone);
    }
    for (unsigned zone = 0; zone <= pageframe.top_zone; zone++)
        *pageframe_open_of(zone) = (struct pageframe_open){
            0, pageframe_borders[zone], pageframe_borders[zone] / PAGEFRAME_WORD_FRAMES};
}
