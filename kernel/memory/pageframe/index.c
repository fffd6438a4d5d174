/* Where the free frames are; internal.h has the picture. */
#include "kernel/lib/string.h"
#include "kernel/memory/pageframe/internal.h"
#include "kernel/memory/platform.h"

#define ALL            UINT32_MAX
#define ORDERS_IN_WORD ((1u << PAGEFRAME_FULL) - 1)

const frame_t pageframe_borders[PAGEFRAME_ZONES + 1] = {0,
                                                        PAGEFRAME_BORDER_1,
                                                        PAGEFRAME_BORDER_2,
                                                        PAGEFRAME_BORDER_3,
                                                        PAGEFRAME_BORDER_4,
                                                        (frame_t)PAGEFRAME_FRAMES_MAX};

_Static_assert(PAGEFRAME_BORDER_3 % PAGEFRAME_GROUP_FRAMES == 0, "no group straddles two zones");
_Static_assert(PAGEFRAME_BORDER_4 <= 1024 * PAGEFRAME_GROUP_FRAMES,
               "each of zones 0 to 3 fits 1024 slots");

/* The bits at which an aligned block of 2^order can start. */
static const uint32_t block_starts[6] = {ALL, 0x55555555, 0x11111111, 0x01010101, 0x00010001, 1};

uint32_t pageframe_group_count(uint32_t frames)
{
    return (frames + PAGEFRAME_GROUP_FRAMES - 1) / PAGEFRAME_GROUP_FRAMES + 1;
}

uint32_t pageframe_slots_count(uint32_t frames)
{
    uint32_t last_word = (frames - 1) / PAGEFRAME_WORD_FRAMES;
    unsigned zone = pageframe_zone_of(frames - 1);
    return pageframe_slot_of(pageframe_group_of(last_word), zone) / 32 + 1;
}

/* Each step doubles the length of the stretch of ones that a bit stands for; only aligned ones
 * count in the end. */
uint32_t pageframe_blocks(uint32_t mask, unsigned order)
{
    if (order >= 1)
        mask &= mask >> 1;
    if (order >= 2)
        mask &= mask >> 2;
    if (order >= 3)
        mask &= mask >> 4;
    if (order >= 4)
        mask &= mask >> 8;
    if (order >= 5)
        mask &= mask >> 16;
    return mask & block_starts[order];
}

static inline enum pageframe_class class_of(uint32_t mask)
{
    if (mask == 0)
        return PAGEFRAME_EMPTY;
    if (mask == ALL)
        return PAGEFRAME_FULL;
    if ((mask &= mask >> 1 & block_starts[1]) == 0)
        return (enum pageframe_class)0;
    if ((mask &= mask >> 2 & block_starts[2]) == 0)
        return (enum pageframe_class)1;
    if ((mask &= mask >> 4 & block_starts[3]) == 0)
        return (enum pageframe_class)2;
    return (mask & mask >> 8 & block_starts[4]) == 0 ? (enum pageframe_class)3
                                                     : (enum pageframe_class)4;
}

enum pageframe_class pageframe_class_of(uint32_t mask)
{
    return class_of(mask);
}

uint32_t pageframe_full_order(uint32_t full_words)
{
    return full_words == 0 ? 0 : 1u << (PAGEFRAME_ORDER_FULL + class_of(full_words));
}

/* The start of an aligned block of 2^order bits, preferably one that no larger block is broken up
 * for. There is one. */
static unsigned best_block(uint32_t mask, unsigned order)
{
    uint32_t blocks = pageframe_blocks(mask, order);
    if (order >= 5)
        return 0;
    uint32_t larger = blocks & blocks >> (1u << order) & block_starts[order + 1];
    uint32_t alone = blocks & ~(larger | larger << (1u << order));
    return lowest_bit(alone != 0 ? alone : blocks);
}

/* A level is told only when a word of the one below starts or ceases to hold a bit. */
static inline void order_enter(unsigned order, uint32_t slot)
{
    uint32_t *groups = &pageframe.slots[slot / 32].groups[order], before = *groups;
    *groups = before | 1u << slot % 32;
    if (before != 0)
        return;
    pageframe.summary[slot / 1024][order] |= 1u << slot / 32 % 32;
    pageframe.orders[slot / 1024] |= 1u << order;
}

static inline void order_leave(unsigned order, uint32_t slot)
{
    if ((pageframe.slots[slot / 32].groups[order] &= ~(1u << slot % 32)) != 0)
        return;
    if ((pageframe.summary[slot / 1024][order] &= ~(1u << slot / 32 % 32)) == 0)
        pageframe.orders[slot / 1024] &= ~(1u << order);
}

/* Gives a group its orders, and moves it between the bitmaps if the highest has changed. */
static __attribute__((always_inline)) inline void group_set_orders(struct pageframe_group *group,
                                                                   uint32_t after)
{
    uint32_t before = group->orders, slot = group->slot;
    group->orders = after;
    if ((before ^ after) <= (before & after)) /* the highest bits agree */
        return;
    if (before != 0)
        order_leave(highest_bit(before), slot);
    if (after != 0)
        order_enter(highest_bit(after), slot);
}

/* Puts a word into the set of its new class, which is another than before. */
static void word_reclass(uint32_t word, unsigned before, unsigned after)
{
    uint32_t bit = 1u << word % 32;
    struct pageframe_group *group = &pageframe.groups[pageframe_group_of(word)];
    uint32_t orders = group->orders;
    pageframe.states[word] = (uint16_t)after;
    if (before < PAGEFRAME_FULL && (group->words[before] &= ~bit) == 0)
        orders &= ~(1u << before);
    if (after < PAGEFRAME_FULL) {
        group->words[after] |= bit;
        orders |= 1u << after;
    }
    if (before == PAGEFRAME_FULL || after == PAGEFRAME_FULL) {
        uint32_t full = group->words[PAGEFRAME_FULL] ^ bit;
        group->words[PAGEFRAME_FULL] = full;
        orders = (orders & ORDERS_IN_WORD) | pageframe_full_order(full);
    }
    if (orders != group->orders)
        group_set_orders(group, orders);
}

/* The last entry of the stack moves to the place that becomes free. */
static inline void absorb(uint32_t word)
{
    uint32_t place = pageframe.states[word] - PAGEFRAME_LOOSE, last = --pageframe.loose_count;
    frame_t frame = pageframe.loose[place], moved = pageframe.loose[last];
    MEMORY_ASSERT(place <= last);
    pageframe.loose[place] = moved;
    pageframe.loose[last] = 0;
    pageframe.states[moved / PAGEFRAME_WORD_FRAMES] = (uint16_t)(PAGEFRAME_LOOSE + place);
    pageframe.states[word] = PAGEFRAME_EMPTY;
    pageframe.masks[word] |= 1u << frame % PAGEFRAME_WORD_FRAMES;
}

void pageframe_index_settle(uint32_t word)
{
    if (pageframe.states[word] >= PAGEFRAME_LOOSE)
        absorb(word);
    unsigned before = pageframe.states[word], after = class_of(pageframe.masks[word]);
    if (before != after)
        word_reclass(word, before, after);
}

/*
 * A frame that is freed in a word changes the word's class only if it completes a block of one
 * order above: [class]: so many bits at so aligned a place. An empty word gets its first block.
 */
static const struct {
    uint32_t block, align;
} next_block[PAGEFRAME_CLASSES] = {{0x3, 30}, {0xF, 28}, {0xFF, 24}, {0xFFFF, 16},
                                   {ALL, 0},  {ALL, 0},  {0x1, 31}};

void pageframe_index_put(frame_t frame)
{
    uint32_t word = frame / PAGEFRAME_WORD_FRAMES, state = pageframe.states[word];
    uint32_t mask = pageframe.masks[word] | 1u << frame % PAGEFRAME_WORD_FRAMES;
    pageframe.masks[word] = mask;
    if (state < PAGEFRAME_CLASSES) {
        uint32_t block = next_block[state].block << (frame & next_block[state].align);
        if ((~mask & block) != 0)
            return;
    }
    pageframe_index_settle(word);
}

/* Turns whole words of one group from empty to full, or from full to empty, in one step for the
 * group. */
static void words_fill(uint32_t first, uint32_t count, uint32_t mask)
{
    struct pageframe_group *group = &pageframe.groups[pageframe_group_of(first)];
    uint32_t words = (ALL >> (32 - count)) << first % 32, full = group->words[PAGEFRAME_FULL];
    memset(&pageframe.masks[first], (int)(mask & 0xFF), count * sizeof(uint32_t));
    for (uint32_t word = first; word < first + count; word++)
        pageframe.states[word] = mask != 0 ? PAGEFRAME_FULL : PAGEFRAME_EMPTY;
    full = mask != 0 ? full | words : full & ~words;
    group->words[PAGEFRAME_FULL] = full;
    group_set_orders(group, (group->orders & ORDERS_IN_WORD) | pageframe_full_order(full));
}

/* Sets or clears the bits of frames inside one word. */
static inline void set_part(uint32_t word, uint32_t offset, uint32_t count, uint32_t value)
{
    uint32_t bits = (ALL >> (PAGEFRAME_WORD_FRAMES - count)) << offset;
    uint32_t mask = pageframe.masks[word];
    pageframe.masks[word] = value != 0 ? mask | bits : mask & ~bits;
    pageframe_index_settle(word);
}

/* Sets or clears the bits of [first, first + count): a part of a word, whole words group by group,
 * a part of a word. */
static void set_range(frame_t first, uint32_t count, uint32_t value)
{
    while (count != 0) {
        uint32_t word = first / PAGEFRAME_WORD_FRAMES;
        uint32_t offset = first % PAGEFRAME_WORD_FRAMES;
        uint32_t step = PAGEFRAME_WORD_FRAMES - offset;
        if (offset != 0 || count < PAGEFRAME_WORD_FRAMES) {
            if (step > count)
                step = count;
            set_part(word, offset, step, value);
        } else {
            step = PAGEFRAME_GROUP_FRAMES - first % PAGEFRAME_GROUP_FRAMES;
            if (step > count)
                step = count & ~(PAGEFRAME_WORD_FRAMES - 1);
            words_fill(word, step / PAGEFRAME_WORD_FRAMES, value);
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

void pageframe_index_add(frame_t first, uint32_t count)
{
    if (is_part(first, count))
        set_part(first / PAGEFRAME_WORD_FRAMES, first % PAGEFRAME_WORD_FRAMES, count, ALL);
    else
        set_range(first, count, ALL);
}

void pageframe_index_remove(frame_t first, uint32_t count)
{
    if (is_part(first, count))
        set_part(first / PAGEFRAME_WORD_FRAMES, first % PAGEFRAME_WORD_FRAMES, count, 0);
    else
        set_range(first, count, 0);
}

/* The group in the lowest slot of an area with this highest order. There is one. */
static inline uint32_t first_group(unsigned zone, uint32_t area, unsigned order)
{
    uint32_t place = area * 32 + lowest_bit(pageframe.summary[area][order]);
    uint32_t slot = place * 32 + lowest_bit(pageframe.slots[place].groups[order]);
    return slot - pageframe_slot_of(0, zone);
}

#define GROUP_NONE ALL

/* The lowest order, and the lowest slot that has it, of zone 4. */
static uint32_t find_group_above(unsigned order)
{
    uint32_t found = GROUP_NONE;
    unsigned lowest = PAGEFRAME_ORDERS;
    for (uint32_t area = PAGEFRAME_ZONES - 1; area < PAGEFRAME_AREAS && lowest > order; area++) {
        uint32_t orders = pageframe.orders[area] & ALL << order;
        if (orders == 0 || lowest_bit(orders) >= lowest)
            continue;
        lowest = lowest_bit(orders);
        found = first_group(PAGEFRAME_ZONES - 1, area, lowest);
    }
    return found;
}

/* A group of a zone whose highest order is the lowest that is not below this one; GROUP_NONE if the
 * zone has none. */
static inline uint32_t find_group(unsigned zone, unsigned order)
{
    if (zone == PAGEFRAME_ZONES - 1)
        return find_group_above(order);
    uint32_t orders = pageframe.orders[zone] & ALL << order;
    return orders == 0 ? GROUP_NONE : first_group(zone, zone, lowest_bit(orders));
}

/* The first word of a group; entry 0 and entry 1 both start at word 0. */
static uint32_t group_word(uint32_t group_index)
{
    return group_index == 0 ? 0 : (group_index - 1) * 32;
}

/* A block of 2^order frames of a group that has one, out of the smallest block that serves. */
static frame_t best_in_group(uint32_t group_index, unsigned order)
{
    const struct pageframe_group *group = &pageframe.groups[group_index];
    uint32_t word = group_word(group_index);
    unsigned from = lowest_bit(group->orders & ALL << order);
    if (from < PAGEFRAME_FULL) {
        word += lowest_bit(group->words[from]);
        return word * PAGEFRAME_WORD_FRAMES + best_block(pageframe.masks[word], order);
    }
    order = order > PAGEFRAME_FULL ? order - PAGEFRAME_FULL : 0;
    return (word + best_block(group->words[PAGEFRAME_FULL], order)) * PAGEFRAME_WORD_FRAMES;
}

/* The lowest one of a group. */
static frame_t lowest_in_group(uint32_t group_index, unsigned order)
{
    const struct pageframe_group *group = &pageframe.groups[group_index];
    uint32_t word = group_word(group_index), words = 0;
    if (order > PAGEFRAME_FULL) {
        words = pageframe_blocks(group->words[PAGEFRAME_FULL], order - PAGEFRAME_FULL);
        return (word + lowest_bit(words)) * PAGEFRAME_WORD_FRAMES;
    }
    for (unsigned class = order; class <= PAGEFRAME_FULL; class ++)
        words |= group->words[class];
    word += lowest_bit(words);
    return word * PAGEFRAME_WORD_FRAMES +
           lowest_bit(pageframe_blocks(pageframe.masks[word], order));
}

/* Whether [first, first + count) ends at or below the limit. */
static bool is_below(frame_t first, uint32_t count, frame_t limit)
{
    return first < limit && limit - first >= count;
}

/* The lowest block of a zone that has one. */
static frame_t lowest_block(unsigned zone, unsigned order)
{
    uint32_t lowest = GROUP_NONE, end = zone < PAGEFRAME_ZONES - 1 ? zone + 1 : PAGEFRAME_AREAS;
    for (uint32_t area = zone; area < end && lowest == GROUP_NONE; area++)
        for (uint32_t orders = pageframe.orders[area] & ALL << order; orders != 0;
             orders &= orders - 1) {
            uint32_t group_index = first_group(zone, area, lowest_bit(orders));
            if (group_index < lowest)
                lowest = group_index;
        }
    return lowest_in_group(lowest, order);
}

frame_t pageframe_index_find(unsigned zone, unsigned order, uint32_t count, frame_t limit)
{
    uint32_t group_index = find_group(zone, order);
    if (group_index == GROUP_NONE)
        return FRAME_NONE;
    frame_t first = best_in_group(group_index, order);
    if (is_below(first, count, limit))
        return first;
    first = lowest_block(zone, order);
    return is_below(first, count, limit) ? first : FRAME_NONE;
}

/* A class below FULL is the lowest of its group's orders: with its last word goes that bit, and the
 * group leaves its bitmap only if it was the last one. */
bool pageframe_index_open(unsigned zone)
{
    struct pageframe_open *open = pageframe_open_of(zone);
    uint32_t group_index = find_group(zone, 0);
    if (group_index == GROUP_NONE)
        return false;
    struct pageframe_group *group = &pageframe.groups[group_index];
    uint32_t word = group_word(group_index), orders = group->orders;
    unsigned class = lowest_bit(orders);
    if (class < PAGEFRAME_FULL) {
        uint32_t set = group->words[class], rest = set & (set - 1);
        word += lowest_bit(set);
        group->words[class] = rest;
        pageframe.states[word] = PAGEFRAME_EMPTY;
        if (rest == 0 && (group->orders = orders & (orders - 1)) == 0)
            order_leave(class, group->slot);
    } else {
        word += best_block(group->words[PAGEFRAME_FULL], 0);
        word_reclass(word, PAGEFRAME_FULL, PAGEFRAME_EMPTY);
    }
    open->mask = pageframe.masks[word];
    open->first = word * PAGEFRAME_WORD_FRAMES;
    open->not_first = ~open->first;
    pageframe.masks[word] = 0;
    return true;
}

frame_t pageframe_index_take(unsigned zone)
{
    struct pageframe_open *open = pageframe_open_of(zone);
    if (open->mask == 0 && !pageframe_index_open(zone))
        return FRAME_NONE;
    uint32_t mask = open->mask;
    open->mask = mask & (mask - 1);
    return open->first + lowest_bit(mask);
}

frame_t pageframe_index_take_small(unsigned zone, unsigned order, uint32_t count, frame_t limit)
{
    uint32_t group_index = find_group(zone, order);
    if (group_index == GROUP_NONE)
        return FRAME_NONE;
    const struct pageframe_group *group = &pageframe.groups[group_index];
    uint32_t word = group_word(group_index), mask = ALL;
    unsigned from = lowest_bit(group->orders & ALL << order), bit = 0;
    if (from < PAGEFRAME_FULL) {
        word += lowest_bit(group->words[from]);
        mask = pageframe.masks[word];
        bit = best_block(mask, order);
    } else {
        from = PAGEFRAME_FULL;
        word += best_block(group->words[PAGEFRAME_FULL], 0);
    }
    frame_t first = word * PAGEFRAME_WORD_FRAMES + bit;
    if (!is_below(first, count, limit))
        return FRAME_NONE;
    mask &= ~(((1u << count) - 1) << bit);
    pageframe.masks[word] = mask;
    unsigned after = class_of(mask);
    if (after != from)
        word_reclass(word, from, after);
    return first;
}

bool pageframe_index_close(unsigned zone)
{
    struct pageframe_open *open = pageframe_open_of(zone);
    uint32_t word = open->first / PAGEFRAME_WORD_FRAMES;
    if (open->mask == 0)
        return false;
    pageframe.masks[word] |= open->mask;
    open->mask = 0;
    pageframe_index_settle(word);
    return true;
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
        uint32_t bits = pageframe.slots[slot / 32].groups[PAGEFRAME_ORDER_GROUP] >> slot % 32;
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
    for (uint32_t word = 0; word < pageframe_words(pageframe.frames); word++)
        pageframe.states[word] = PAGEFRAME_EMPTY;
    for (unsigned zone = 0; zone <= pageframe.top_zone; zone++)
        *pageframe_open_of(zone) =
            (struct pageframe_open){0, pageframe_borders[zone], ~pageframe_borders[zone]};
    for (uint32_t i = 0; i < pageframe_group_count(pageframe.frames); i++) {
        unsigned zone = i < 2 ? i : pageframe_zone_of((frame_t)(i - 1) * PAGEFRAME_GROUP_FRAMES);
        pageframe.groups[i].slot = pageframe_slot_of(i, zone);
    }
}
