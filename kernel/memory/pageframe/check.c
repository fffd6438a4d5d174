/* Verifies the frame allocator from first principles: from the bytes alone it works out what the
 * masks, classes, sets, bitmaps, summaries and counters have to be. Whatever it reads may be wrong,
 * so nothing that is read is used as an index before it was compared with its bounds. */
#include "kernel/memory/pageframe/internal.h"

/* What the bytes of one zone's groups lead to, gathered while walking up. */
struct expectation {
    uint32_t slots[PAGEFRAME_ORDERS];   /* the 32 slots up to this one */
    uint32_t summary[PAGEFRAME_ORDERS]; /* the 32 words of slots up to this one */
    uint32_t loose_words;               /* words with a loose frame up to here */
};

/* The frames of a word that are in state FREE. */
static uint32_t free_by_state(uint32_t word)
{
    uint32_t mask = 0;
    for (unsigned bit = 0; bit < PAGEFRAME_WORD_FRAMES; bit++) {
        frame_t frame = word * PAGEFRAME_WORD_FRAMES + bit;
        if (frame < pageframe.frames && bytemap_get(frame) == BYTEMAP_FREE)
            mask |= 1u << bit;
    }
    return mask;
}

/* What a zone's open word holds of a word. */
static uint32_t open_mask_of(uint32_t word, unsigned zone)
{
    const struct pageframe_open *open = pageframe_open_of(zone);
    return open->first == word * PAGEFRAME_WORD_FRAMES ? open->mask : 0;
}

/* The loose frame that a word's state speaks of, as a mask. */
static uint32_t loose_mask_of(uint32_t word, unsigned zone)
{
    uint32_t place = pageframe.states[word] - PAGEFRAME_LOOSE;
    if (zone != pageframe.top_zone || place >= PAGEFRAME_LOOSE_MAX ||
        place >= pageframe.loose_count || pageframe.loose[place] / PAGEFRAME_WORD_FRAMES != word)
        return 0;
    return 1u << pageframe.loose[place] % PAGEFRAME_WORD_FRAMES;
}

/* A word's mask and state. Returns the class that it must have. */
static enum pageframe_class check_word(struct check *check, uint32_t word, unsigned zone,
                                       uint32_t *loose_words)
{
    uint32_t mask = pageframe.masks[word], is_free = free_by_state(word);
    uint32_t open = zone <= pageframe.top_zone ? open_mask_of(word, zone) : 0;
    uint32_t loose = loose_mask_of(word, zone);
    enum pageframe_class class = pageframe_class_of(mask);
    if ((mask & open) != 0 || (mask | open | loose) != is_free)
        check_fault(check,
                    "pageframe: frames from 0x%x are free as 0x%08x, the index has 0x%08x, the "
                    "open word 0x%08x, the stack 0x%08x",
                    word * PAGEFRAME_WORD_FRAMES, is_free, mask, open, loose);
    if (loose != 0)
        ++*loose_words;
    if (loose != 0 ? mask != 0 : pageframe.states[word] != class)
        check_fault(check, "pageframe: word 0x%x has state %u and mask 0x%08x", word,
                    pageframe.states[word], mask);
    return class;
}

/* The words [first, end) are a group's. Returns the highest order it must have as a bit, or 0. */
static uint32_t check_group(struct check *check, uint32_t group_index, unsigned zone,
                            uint32_t first, uint32_t end, uint32_t *loose_words)
{
    uint32_t sets[PAGEFRAME_CLASSES] = {0}, orders = 0;
    for (uint32_t word = first; word < end; word++)
        sets[check_word(check, word, zone, loose_words)] |= 1u << word % 32;
    for (unsigned class = 0; class <= PAGEFRAME_FULL; class ++) {
        uint32_t kept = pageframe.groups[group_index].words[class];
        if (kept != sets[class])
            check_fault(check,
                        "pageframe: group %u has words 0x%08x of class %u, should have 0x%08x",
                        group_index, kept, class, sets[class]);
        if (class < PAGEFRAME_FULL && sets[class] != 0)
            orders |= 1u << class;
    }
    orders |= pageframe_full_order(sets[PAGEFRAME_FULL]);
    if (pageframe.groups[group_index].orders != orders)
        check_fault(check, "pageframe: group %u has orders 0x%x, should have 0x%x", group_index,
                    pageframe.groups[group_index].orders, orders);
    return orders != 0 ? 1u << highest_bit(orders) : 0;
}

static void check_same(struct check *check, const char *what, unsigned order, uint32_t place,
                       uint32_t kept, uint32_t expected)
{
    if (kept != expected)
        check_fault(check, "pageframe: %s of order %u, entry %u is 0x%08x, should be 0x%08x", what,
                    order, place, kept, expected);
}

/* Compares the words of slots [slot, slot + 32), whose groups have been walked, and goes on. */
static void check_slots(struct check *check, struct expectation *expected, uint32_t slot)
{
    bool is_kept = slot / 32 < pageframe_slots_count(pageframe.frames);
    for (unsigned order = 0; order < ARRAY_COUNT(pageframe.slots->groups); order++) {
        uint32_t bits = order < PAGEFRAME_ORDERS ? expected->slots[order] : 0;
        if (is_kept)
            check_same(check, "bitmap", order, slot / 32, pageframe.slots[slot / 32].groups[order],
                       bits);
        if (bits == 0)
            continue;
        expected->summary[order] |= 1u << slot / 32 % 32;
        expected->slots[order] = 0;
    }
}

static void check_summary(struct check *check, struct expectation *expected, uint32_t area)
{
    uint32_t orders = 0;
    for (unsigned order = 0; order < PAGEFRAME_ORDERS; order++) {
        uint32_t bits = expected->summary[order];
        check_same(check, "summary", order, area, pageframe.summary[area][order], bits);
        if (bits != 0)
            orders |= 1u << order;
        expected->summary[order] = 0;
    }
    if (pageframe.orders[area] != orders)
        check_fault(check, "pageframe: area %u has orders 0x%x, should have 0x%x", area,
                    pageframe.orders[area], orders);
}

/* The slots from this one to the next multiple of 1024, which are one zone's. */
static void check_thousand(struct check *check, struct expectation *expected, uint32_t place,
                           unsigned zone)
{
    uint32_t base = pageframe_slot_of(0, zone);
    uint32_t words_end = pageframe_words(pageframe.frames);
    uint32_t zone_first = pageframe_borders[zone] / PAGEFRAME_WORD_FRAMES;
    uint32_t zone_end = pageframe_borders[zone + 1] / PAGEFRAME_WORD_FRAMES;
    if (zone_end > words_end)
        zone_end = words_end;
    for (uint32_t slot = place * 1024; slot < (place + 1) * 1024; slot++) {
        uint32_t group_index = slot - base;
        uint32_t first = group_index == 0 ? 0 : (group_index - 1) * 32;
        uint32_t end = first + 32 < zone_end ? first + 32 : zone_end;
        if (first < zone_first)
            first = zone_first;
        if ((zone == 0 ? group_index == 0 : group_index != 0) && first < end) {
            uint32_t order =
                check_group(check, group_index, zone, first, end, &expected->loose_words);
            if (order != 0)
                expected->slots[lowest_bit(order)] |= 1u << slot % 32;
        }
        if (slot % 32 == 31)
            check_slots(check, expected, slot - 31);
    }
}

static void check_index(struct check *check)
{
    struct expectation expected = {0};
    for (uint32_t area = 0; area < PAGEFRAME_AREAS; area++) {
        unsigned zone = area < PAGEFRAME_ZONES - 1 ? area : PAGEFRAME_ZONES - 1;
        check_thousand(check, &expected, area, zone);
        check_summary(check, &expected, area);
    }
    if (pageframe.loose_count != expected.loose_words)
        check_fault(check, "pageframe: %u frames are on the stack, %u words have one there",
                    pageframe.loose_count, expected.loose_words);
    for (uint32_t i = expected.loose_words; i < PAGEFRAME_LOOSE_MAX; i++)
        if (pageframe.loose[i] != 0)
            check_fault(check, "pageframe: entry %u beyond the stack is 0x%x", i,
                        pageframe.loose[i]);
    for (uint32_t i = 0; i < pageframe_group_count(pageframe.frames); i++) {
        unsigned zone = i < 2 ? i : pageframe_zone_of((frame_t)(i - 1) * PAGEFRAME_GROUP_FRAMES);
        if (pageframe.groups[i].slot != pageframe_slot_of(i, zone))
            check_fault(check, "pageframe: group %u has slot 0x%x, should have 0x%x", i,
                        pageframe.groups[i].slot, pageframe_slot_of(i, zone));
    }
}

/* A zone's count of free frames and its open word, which check_word has compared with its bytes if
 * it is in the zone. */
static void check_zone(struct check *check, unsigned zone)
{
    frame_t start = pageframe_borders[zone], end = pageframe_borders[zone + 1];
    uint32_t count = 0;
    if (end > pageframe.frames)
        end = pageframe.frames;
    for (frame_t frame = start; zone != pageframe.top_zone && frame < end; frame++)
        count += bytemap_tag_is_free(bytemap_get(frame));
    if (pageframe.zones[zone].free_frames != count)
        check_fault(check, "pageframe: zone %u has %u free frames, its counter says %u", zone,
                    count, pageframe.zones[zone].free_frames);
    if (zone > pageframe.top_zone)
        return;
    frame_t first = pageframe_open_of(zone)->first;
    if (first < start || first >= end || first % PAGEFRAME_WORD_FRAMES != 0 ||
        first != ~pageframe_open_of(zone)->not_first)
        check_fault(check, "pageframe: the open word of zone %u is at frame 0x%x", zone, first);
}

/* The stack of zeroed frames and the frames in state ZEROED are the same. */
static void check_zeroed(struct check *check)
{
    uint32_t count = pageframe.zeroed_count, zeroed = 0;
    for (frame_t frame = 0; frame < pageframe.frames; frame++)
        zeroed += bytemap_get(frame) == BYTEMAP_ZEROED;
    if (count != zeroed || count > PAGEFRAME_ZEROED_MAX) {
        check_fault(check, "pageframe: %u frames are zeroed, %u are on the stack", zeroed, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        frame_t frame = pageframe.zeroed[i];
        bool is_twice = false;
        for (uint32_t j = 0; j < i; j++)
            is_twice |= pageframe.zeroed[j] == frame;
        if (is_twice || frame >= pageframe.frames || bytemap_get(frame) != BYTEMAP_ZEROED)
            check_fault(check, "pageframe: frame 0x%x on the stack of zeroed frames is %s", frame,
                        is_twice ? "there twice" : "not zeroed");
    }
    for (uint32_t i = count; i < PAGEFRAME_ZEROED_MAX; i++)
        if (pageframe.zeroed[i] != 0)
            check_fault(check, "pageframe: entry %u beyond the stack of zeroed frames is 0x%x", i,
                        pageframe.zeroed[i]);
}

/* Reference words against the bits of the bytes, and their sum. */
static void check_references(struct check *check)
{
    uint32_t sum = 0, ram = 0;
    for (frame_t frame = 0; frame < pageframe.frames; frame++) {
        bytemap_tag_t tag = bytemap_get(frame);
        uint32_t word = pageframe.references[frame];
        sum += word;
        ram += tag != BYTEMAP_ABSENT;
        if (bytemap_tag_is_shared(tag) != ((word & 0xFFFF) != 0) ||
            bytemap_tag_is_locked(tag) != (word >> 16 != 0))
            check_fault(check,
                        "pageframe: frame 0x%x, byte 0x%02x, has %u references beyond the first "
                        "and %u locks",
                        frame, tag, word & 0xFFFF, word >> 16);
    }
    if (sum != pageframe.reference_sum)
        check_fault(check, "pageframe: the reference words add up to 0x%x, should be 0x%x", sum,
                    pageframe.reference_sum);
    if (ram != pageframe.ram_frames)
        check_fault(check, "pageframe: %u frames are RAM, %u were entered", ram,
                    pageframe.ram_frames);
}

static void check_counters(struct check *check)
{
    uint32_t spare = bytemap.count[BYTEMAP_FREE] + bytemap.count[BYTEMAP_ZEROED];
    uint32_t kept = pageframe.reserve_frames + pageframe.promised_frames,
             given_out = pageframe_given_out();
    uint32_t allocated = (uint32_t)pageframe.granted - (uint32_t)pageframe.budget;
    if (pageframe.granted != ~pageframe.ungranted)
        check_fault(check, "pageframe: the count of frames granted and its complement disagree");
    if (allocated - pageframe.freed != given_out)
        check_fault(check, "pageframe: %u frames are out, but %u went and %u came back", given_out,
                    allocated, pageframe.freed);
    if ((uint32_t)pageframe.budget > (spare > kept ? spare - kept : 0))
        check_fault(check, "pageframe: the budget of %u frames reaches into the reserve",
                    pageframe.budget);
    if (pageframe.promised_frames != ~pageframe.promised_frames_not ||
        pageframe.promised_frames > spare)
        check_fault(check, "pageframe: %u frames are promised, %u are free",
                    pageframe.promised_frames, spare);
    if (pageframe.reserve_frames > pageframe.ram_frames / 4 ||
        pageframe.low_watermark_frames > pageframe.ram_frames / 4)
        check_fault(check, "pageframe: reserve %u or low watermark %u is above a quarter of RAM",
                    pageframe.reserve_frames, pageframe.low_watermark_frames);
    if (pageframe.troubles_not != ~(pageframe.failures + pageframe.refusals))
        check_fault(check, "pageframe: failures, refusals and their sum's complement disagree");
    for (unsigned below = pageframe.top_zone + 1; below < PAGEFRAME_ZONES; below++)
        if (pageframe.open[below].mask != 0 || pageframe.open[below].first != 0 ||
            pageframe.open[below].not_first != 0)
            check_fault(check, "pageframe: there is an open word for no zone");
}

/* What pageframe_init fixed, and the settings: nothing else is looked at if they are wrong. */
static bool is_layout_right(void)
{
    if (!bytemap_is_in_place() || pageframe.frames == 0 || pageframe.frames > bytemap_frames() ||
        pageframe.frames > PAGEFRAME_FRAMES_MAX)
        return false;
    unsigned zone = pageframe_zone_of(pageframe.frames - 1);
    if (pageframe.top_zone != zone)
        return false;
    return pageframe.seal == pageframe_seal() && pageframe.top_first == pageframe_borders[zone] &&
           pageframe.top_count == pageframe.frames - pageframe_borders[zone];
}

void pageframe_check(struct check *check)
{
    if (!is_layout_right()) {
        check_fault(check,
                    "pageframe: the arrays' places, the settings or the sizes are damaged (%u "
                    "frames, zone %u the highest, the bytemap has %u)",
                    pageframe.frames, pageframe.top_zone, bytemap_frames());
        return;
    }
    check_index(check);
    for (unsigned zone = 0; zone < PAGEFRAME_ZONES; zone++)
        check_zone(check, zone);
    check_zeroed(check);
    check_references(check);
    check_counters(check);
}
