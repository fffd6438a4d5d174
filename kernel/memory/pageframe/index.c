/* Where the free frames are; internal.h has the picture. */
#include "kernel/lib/string.h"
#include "kernel/memory/pageframe/internal.h"
#include "kernel/memory/platform.h"

#define ALL UINT32_MAX

const frame_t pageframe_borders[PAGEFRAME_ZONES + 1] = {0,
                                                        PAGEFRAME_BORDER_1,
                                                        PAGEFRAME_BORDER_2,
                                                        PAGEFRAME_BORDER_3,
                                                        PAGEFRAME_BORDER_4,
                                                        (frame_t)PAGEFRAME_FRAMES_MAX};

_Static_assert(PAGEFRAME_BORDER_3 % PAGEFRAME_GROUP_FRAMES == 0, "no group straddles two zones");
_Static_assert(PAGEFRAME_BORDER_4 <= 1024 * PAGEFRAME_GROUP_FRAMES,
               "each of zones 0 to 3 fits 1024 slots");

/* Bit s: summary word s belongs to the zone. */
static const uint32_t zone_summaries[PAGEFRAME_ZONES] = {1, 2, 4, 8, 0x7FFF0};

/* The bits at which an aligned block of 2^order can start. */
static const uint32_t block_starts[6] = {ALL, 0x55555555, 0x11111111, 0x01010101, 0x00010001, 1};

uint32_t pageframe_group_count(uint32_t frames)
{
    return (frames + PAGEFRAME_GROUP_FRAMES - 1) / PAGEFRAME_GROUP_FRAMES + 1;
}

uint32_t pageframe_slot_words(uint32_t frames)
{
    uint32_t last_word = (frames - 1) / PAGEFRAME_WORD_FRAMES;
    unsigned zone = pageframe_zone_of(frames - 1);
    return pageframe_slot_of(pageframe_group_of(last_word), zone) / 32 + 1;
}

uint32_t pageframe_blocks(uint32_t mask, unsigned order)
{
    for (unsigned k = 0; k < order; k++)
        mask &= mask >> (1u << k) & block_starts[k + 1];
    return mask;
}

enum pageframe_class pageframe_class_of(uint32_t mask)
{
    if (mask == 0)
        return PAGEFRAME_EMPTY;
    if ((mask &= mask >> 1 & block_starts[1]) == 0)
        return (enum pageframe_class)0;
    if ((mask &= mask >> 2 & block_starts[2]) == 0)
        return (enum pageframe_class)1;
    if ((mask &= mask >> 4 & block_starts[3]) == 0)
        return (enum pageframe_class)2;
    if ((mask &= mask >> 8 & block_starts[4]) == 0)
        return (enum pageframe_class)3;
    return (mask & mask >> 16) == 0 ? (enum pageframe_class)4 : PAGEFRAME_FULL;
}

unsigned pageframe_full_order(uint32_t full_words)
{
    return full_words == 0 ? 0 : PAGEFRAME_ORDER_FULL + pageframe_class_of(full_words);
}

/* The start of an aligned block of 2^order bits, out of the smallest block that has room for it.
 * There is one. */
static unsigned best_block(uint32_t mask, unsigned order)
{
    uint32_t blocks = pageframe_blocks(mask, order);
    for (unsigned k = order; k < 5; k++) {
        uint32_t larger = blocks & blocks >> (1u << k) & block_starts[k + 1];
        uint32_t alone = blocks & ~(larger | larger << (1u << k));
        if (alone != 0)
            return lowest_bit(alone);
        blocks = larger;
    }
    return lowest_bit(blocks);
}

/* Sets a bit of a word; returns whether it was the first one there. */
static inline bool set_first(uint32_t *word, uint32_t bit)
{
    uint32_t before = *word;
    *word = before | 1u << bit % 32;
    return before == 0;
}

/* Clears a bit of a word; returns whether it was the last one there. */
static inline bool clear_last(uint32_t *word, uint32_t bit)
{
    return (*word &= ~(1u << bit % 32)) == 0;
}

/* A level is told only when a word of the one below starts or ceases to hold a bit. */
static void order_enter(unsigned order, uint32_t slot, unsigned zone)
{
    if (!set_first(&pageframe.slots[order][slot / 32], slot))
        return;
    if (!set_first(&pageframe.summary[order][slot / 1024], slot / 32))
        return;
    pageframe.top[order] |= 1u << slot / 1024;
    pageframe.zones[zone].orders |= 1u << order;
}

static void order_leave(unsigned order, uint32_t slot, unsigned zone)
{
    if (!clear_last(&pageframe.slots[order][slot / 32], slot))
        return;
    if (!clear_last(&pageframe.summary[order][slot / 1024], slot / 32))
        return;
    pageframe.top[order] &= ~(1u << slot / 1024);
    if ((pageframe.top[order] & zone_summaries[zone]) == 0)
        pageframe.zones[zone].orders &= ~(1u << order);
}

/* Makes `full` the group's set of full words, and moves the group between orders 5 to 10. */
static void group_set_full(uint32_t group_index, unsigned zone, uint32_t full)
{
    struct pageframe_group *group = &pageframe.groups[group_index];
    uint32_t slot = pageframe_slot_of(group_index, zone);
    unsigned before = group->full_order, after = pageframe_full_order(full);
    group->words[PAGEFRAME_FULL] = full;
    if (before == after)
        return;
    group->full_order = after;
    if (before != 0)
        order_leave(before, slot, zone);
    if (after != 0)
        order_enter(after, slot, zone);
}

/* Puts a word into the set of its new class. */
static void word_reclass(uint32_t word, unsigned zone, enum pageframe_class after)
{
    enum pageframe_class before = (enum pageframe_class)pageframe.classes[word];
    if (before == after)
        return;
    uint32_t group_index = pageframe_group_of(word);
    uint32_t *sets = pageframe.groups[group_index].words;
    uint32_t slot = pageframe_slot_of(group_index, zone), bit = 1u << word % 32;
    pageframe.classes[word] = (uint8_t)after;
    if (before < PAGEFRAME_FULL && clear_last(&sets[before], word))
        order_leave(before, slot, zone);
    else if (before == PAGEFRAME_FULL)
        group_set_full(group_index, zone, sets[PAGEFRAME_FULL] & ~bit);
    if (after < PAGEFRAME_FULL && set_first(&sets[after], word))
        order_enter(after, slot, zone);
    else if (after == PAGEFRAME_FULL)
        group_set_full(group_index, zone, sets[PAGEFRAME_FULL] | bit);
}

static void word_settle(uint32_t word, unsigned zone)
{
    word_reclass(word, zone, pageframe_class_of(pageframe.masks[word]));
}

/* A frame freed in a word changes the word's class only if it completes a block one order above:
 * that has to be free, [class]: so many bits at so aligned a place. An empty word gets its first
 * block; a full one cannot get here; an open one is left alone. */
static const uint32_t next_block[PAGEFRAME_CLASSES] = {0x3, 0xF, 0xFF, 0xFFFF, ALL, ALL, 0x1, ALL};
static const uint8_t next_align[PAGEFRAME_CLASSES] = {30, 28, 24, 16, 0, 0, 31, 0};

void pageframe_index_put(frame_t frame, unsigned zone)
{
    uint32_t word = frame / PAGEFRAME_WORD_FRAMES;
    unsigned class = pageframe.classes[word] % PAGEFRAME_CLASSES;
    uint32_t mask = pageframe.masks[word] | 1u << frame % PAGEFRAME_WORD_FRAMES;
    uint32_t block = next_block[class] << (frame & next_align[class]);
    pageframe.masks[word] = mask;
    if ((~mask & block) == 0 && class != PAGEFRAME_OPEN)
        word_settle(word, zone);
}

static void word_set(uint32_t word, unsigned zone, uint32_t mask)
{
    pageframe.masks[word] = mask;
    if (pageframe.classes[word] != PAGEFRAME_OPEN)
        word_settle(word, zone);
}

/* Turns whole words of one group from empty to full, or from full to empty, in one step for the
 * group. An open word stays open. */
static void words_fill(uint32_t first, uint32_t count, unsigned zone, uint32_t mask)
{
    uint32_t group_index = pageframe_group_of(first);
    uint32_t open = pageframe.zones[zone].open_first / PAGEFRAME_WORD_FRAMES;
    uint32_t words = (ALL >> (32 - count)) << first % 32;
    memset(&pageframe.masks[first], (int)(mask & 0xFF), count * sizeof(uint32_t));
    memset(&pageframe.classes[first], mask != 0 ? PAGEFRAME_FULL : PAGEFRAME_EMPTY, count);
    if (open - first < count) {
        pageframe.classes[open] = PAGEFRAME_OPEN;
        words &= ~(1u << open % 32);
    }
    uint32_t full = pageframe.groups[group_index].words[PAGEFRAME_FULL];
    group_set_full(group_index, zone, mask != 0 ? full | words : full & ~words);
}

/* Sets or clears the bits of frames inside one word. */
static inline void set_part(uint32_t word, uint32_t offset, uint32_t count, unsigned zone,
                            uint32_t value)
{
    uint32_t bits = (ALL >> (PAGEFRAME_WORD_FRAMES - count)) << offset;
    uint32_t mask = pageframe.masks[word];
    word_set(word, zone, value != 0 ? mask | bits : mask & ~bits);
}

/* Sets or clears the bits of [first, first + count): a part of a word, whole words group by group,
 * a part of a word. */
static void set_range(frame_t first, uint32_t count, unsigned zone, uint32_t value)
{
    while (count != 0) {
        uint32_t word = first / PAGEFRAME_WORD_FRAMES;
        uint32_t offset = first % PAGEFRAME_WORD_FRAMES;
        uint32_t step = PAGEFRAME_WORD_FRAMES - offset;
        if (offset != 0 || count < PAGEFRAME_WORD_FRAMES) {
            if (step > count)
                step = count;
            set_part(word, offset, step, zone, value);
        } else {
            step = PAGEFRAME_GROUP_FRAMES - first % PAGEFRAME_GROUP_FRAMES;
            if (step > count)
                step = count & ~(PAGEFRAME_WORD_FRAMES - 1);
            words_fill(word, step / PAGEFRAME_WORD_FRAMES, zone, value);
        }
        first += step;
        count -= step;
    }
}

/* Whether [first, first + count) lies inside one word and is not all of it: the short way. */
static inline bool is_part(frame_t first, uint32_t count)
{
    return count < PAGEFRAME_WORD_FRAMES &&
           first % PAGEFRAME_WORD_FRAMES + count <= PAGEFRAME_WORD_FRAMES;
}

void pageframe_index_add(frame_t first, uint32_t count, unsigned zone)
{
    if (is_part(first, count))
        set_part(first / PAGEFRAME_WORD_FRAMES, first % PAGEFRAME_WORD_FRAMES, count, zone, ALL);
    else
        set_range(first, count, zone, ALL);
}

void pageframe_index_remove(frame_t first, uint32_t count, unsigned zone)
{
    if (is_part(first, count))
        set_part(first / PAGEFRAME_WORD_FRAMES, first % PAGEFRAME_WORD_FRAMES, count, zone, 0);
    else
        set_range(first, count, zone, 0);
}

/* The group in the lowest slot of a zone that has this order. There is one. */
static uint32_t first_group(unsigned zone, unsigned order)
{
    uint32_t top = lowest_bit(pageframe.top[order] & zone_summaries[zone]);
    uint32_t middle = top * 32 + lowest_bit(pageframe.summary[order][top]);
    uint32_t slot = middle * 32 + lowest_bit(pageframe.slots[order][middle]);
    return slot - pageframe_slot_of(0, zone);
}

/* The first word of a group; entry 0 and entry 1 both start at word 0. */
static uint32_t group_word(uint32_t group_index)
{
    return group_index == 0 ? 0 : (group_index - 1) * 32;
}

/* Which block of a set: one that breaks up the least, or the lowest. */
enum choice { BEST, LOWEST };

static unsigned choose_block(uint32_t mask, unsigned order, enum choice choice)
{
    return choice == BEST ? best_block(mask, order) : lowest_bit(pageframe_blocks(mask, order));
}

/* A block of 2^order frames in the lowest group that has order `from`, which is not below `order`.
 * There is such a group. */
static frame_t block_of_order(unsigned zone, unsigned from, unsigned order, enum choice choice)
{
    uint32_t group_index = first_group(zone, from);
    const uint32_t *sets = pageframe.groups[group_index].words;
    uint32_t word = group_word(group_index);
    if (from < PAGEFRAME_FULL) {
        word += lowest_bit(sets[from]);
        return word * PAGEFRAME_WORD_FRAMES + choose_block(pageframe.masks[word], order, choice);
    }
    order = order > PAGEFRAME_FULL ? order - PAGEFRAME_FULL : 0;
    return (word + choose_block(sets[PAGEFRAME_FULL], order, choice)) * PAGEFRAME_WORD_FRAMES;
}

/* Whether [first, first + count) ends at or below the limit. */
static bool is_below(frame_t first, uint32_t count, frame_t limit)
{
    return first < limit && limit - first >= count;
}

frame_t pageframe_index_find(unsigned zone, unsigned order, uint32_t count, frame_t limit)
{
    for (uint32_t orders = pageframe.zones[zone].orders & ALL << order; orders != 0;
         orders &= orders - 1) {
        unsigned from = lowest_bit(orders);
        frame_t first = block_of_order(zone, from, order, BEST);
        if (is_below(first, count, limit))
            return first;
        first = block_of_order(zone, from, order, LOWEST);
        if (is_below(first, count, limit))
            return first;
    }
    return FRAME_NONE;
}

/* Opens the word whose loss breaks up the least. Returns false if the zone has no free word. */
static bool open_word(unsigned zone)
{
    struct pageframe_zone *z = &pageframe.zones[zone];
    pageframe_index_close(zone);
    if (z->orders == 0)
        return false;
    unsigned order = lowest_bit(z->orders);
    uint32_t group_index = first_group(zone, order);
    const uint32_t *sets = pageframe.groups[group_index].words;
    uint32_t word = group_word(group_index);
    if (order <= PAGEFRAME_FULL)
        word += lowest_bit(sets[order]);
    else if (order < PAGEFRAME_ORDER_GROUP)
        word += best_block(sets[PAGEFRAME_FULL], 0);
    word_reclass(word, zone, PAGEFRAME_OPEN);
    z->open = &pageframe.masks[word];
    z->open_first = word * PAGEFRAME_WORD_FRAMES;
    return true;
}

frame_t pageframe_index_take(unsigned zone)
{
    struct pageframe_zone *z = &pageframe.zones[zone];
    if (*z->open == 0 && !open_word(zone))
        return FRAME_NONE;
    uint32_t mask = *z->open;
    *z->open = mask & (mask - 1);
    return z->open_first + lowest_bit(mask);
}

void pageframe_index_close(unsigned zone)
{
    struct pageframe_zone *z = &pageframe.zones[zone];
    if (z->open == &pageframe.no_word)
        return;
    uint32_t word = z->open_first / PAGEFRAME_WORD_FRAMES;
    z->open = &pageframe.no_word;
    z->open_first = FRAME_NONE;
    word_settle(word, zone);
}

/* Whether the first `count` frames (fewer than a group) of the group that starts here are free. */
static bool has_free_head(frame_t first, uint32_t count)
{
    uint32_t word = first / PAGEFRAME_WORD_FRAMES;
    uint32_t words = (1u << count / PAGEFRAME_WORD_FRAMES) - 1;
    uint32_t bits = (1u << count % PAGEFRAME_WORD_FRAMES) - 1;
    uint32_t full = pageframe.groups[pageframe_group_of(word)].words[PAGEFRAME_FULL];
    if ((full & words) != words)
        return false;
    return bits == 0 || (pageframe.masks[word + count / PAGEFRAME_WORD_FRAMES] & bits) == bits;
}

frame_t pageframe_index_find_groups(unsigned zone, uint32_t count, frame_t limit)
{
    uint32_t whole = count / PAGEFRAME_GROUP_FRAMES, rest = count % PAGEFRAME_GROUP_FRAMES;
    frame_t end = pageframe_borders[zone + 1];
    uint32_t base = pageframe_slot_of(0, zone), run = 0;
    if (end > pageframe.frames)
        end = pageframe.frames;
    if (end > limit)
        end = limit;
    if (zone == 0 || end <= pageframe_borders[zone])
        return FRAME_NONE;
    uint32_t slot = pageframe_slot_of(pageframe_borders[zone] / PAGEFRAME_GROUP_FRAMES + 1, zone);
    uint32_t slots_end = pageframe_slot_of(end / PAGEFRAME_GROUP_FRAMES + 1, zone);
    while (slot < slots_end) {
        uint32_t bits = pageframe.slots[PAGEFRAME_ORDER_GROUP][slot / 32] >> slot % 32;
        if (bits == 0) {
            run = 0;
            slot = (slot | 31) + 1;
            continue;
        }
        run = bits & 1 ? run + 1 : 0;
        slot++;
        if (run < whole)
            continue;
        frame_t at = (slot - base - 1) * PAGEFRAME_GROUP_FRAMES;
        if (rest == 0 || (end - at >= rest && has_free_head(at, rest)))
            return at - whole * PAGEFRAME_GROUP_FRAMES;
    }
    return FRAME_NONE;
}

void pageframe_index_init(void)
{
    memset(pageframe.classes, PAGEFRAME_EMPTY, pageframe_words(pageframe.frames));
    for (unsigned zone = 0; zone < PAGEFRAME_ZONES; zone++) {
        pageframe.zones[zone].open = &pageframe.no_word;
        pageframe.zones[zone].open_first = FRAME_NONE;
    }
}
