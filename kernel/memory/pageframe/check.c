/* Verifies the frame allocator from first principles: from the bytes alone it works out what the
 * masks, classes, sets, bitmaps, summaries and counters have to be. Whatever it reads may be wrong,
 * so nothing that is read is used as an index before it was compared with its bounds. */
#include "kernel/memory/pageframe/internal.h"

/* What the bytes of one zone's groups lead to, gathered while walking up. */
struct expectation {
    uint32_t slots[PAGEFRAME_ORDERS];   /* the 32 slots up to this one */
    uint32_t summary[PAGEFRAME_ORDERS]; /* the 32 words of slots up to this one */
    uint32_t top[PAGEFRAME_ORDERS];
    uint32_t orders;
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

static bool is_open(uint32_t word, unsigned zone)
{
    const struct pageframe_zone *z = &pageframe.zones[zone];
    return z->open == &pageframe.masks[word] && z->open_first == word * PAGEFRAME_WORD_FRAMES;
}

/* A word's mask and class. Returns the class that it must have. */
static enum pageframe_class check_word(struct check *check, uint32_t word, unsigned zone)
{
    uint32_t mask = pageframe.masks[word], is_free = free_by_state(word);
    enum pageframe_class class = is_open(word, zone) ? PAGEFRAME_OPEN : pageframe_class_of(mask);
    if ((mask & ~is_free) != 0)
        check_fault(check, "pageframe: the index has frames from 0x%x as 0x%08x, free are 0x%08x",
                    word * PAGEFRAME_WORD_FRAMES, mask, is_free);
    if (pageframe.classes[word] != class)
        check_fault(check, "pageframe: word 0x%x has class %u, should have %u", word,
                    pageframe.classes[word], class);
    return class;
}

/* The words [first, end) are a group's. Returns the orders that the group must have. */
static uint32_t check_group(struct check *check, uint32_t group_index, unsigned zone,
                            uint32_t first, uint32_t end)
{
    uint32_t sets[PAGEFRAME_CLASSES] = {0}, orders = 0;
    for (uint32_t word = first; word < end; word++)
        sets[check_word(check, word, zone)] |= 1u << word % 32;
    for (unsigned class = 0; class <= PAGEFRAME_FULL; class ++) {
        uint32_t kept = pageframe.groups[group_index].words[class];
        if (kept != sets[class])
            check_fault(check,
                        "pageframe: group %u has words 0x%08x of class %u, should have 0x%08x",
                        group_index, kept, class, sets[class]);
        if (class < PAGEFRAME_FULL && sets[class] != 0)
            orders |= 1u << class;
    }
    unsigned full_order = pageframe_full_order(sets[PAGEFRAME_FULL]);
    if (pageframe.groups[group_index].full_order != full_order)
        check_fault(check, "pageframe: group %u has order %u, should have %u", group_index,
                    pageframe.groups[group_index].full_order, full_order);
    return full_order != 0 ? orders | 1u << full_order : orders;
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
    uint32_t words = pageframe_slot_words(pageframe.frames);
    for (unsigned order = 0; order < PAGEFRAME_ORDERS; order++) {
        uint32_t bits = expected->slots[order];
        if (slot / 32 < words)
            check_same(check, "bitmap", order, slot / 32, pageframe.slots[order][slot / 32], bits);
        if (bits != 0)
            expected->summary[order] |= 1u << slot / 32 % 32;
        expected->slots[order] = 0;
    }
}

static void check_summary(struct check *check, struct expectation *expected, uint32_t place)
{
    for (unsigned order = 0; order < PAGEFRAME_ORDERS; order++) {
        uint32_t bits = expected->summary[order];
        check_same(check, "summary", order, place, pageframe.summary[order][place], bits);
        if (bits != 0) {
            expected->top[order] |= 1u << place;
            expected->orders |= 1u << order;
        }
        expected->summary[order] = 0;
    }
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
            uint32_t orders = check_group(check, group_index, zone, first, end);
            for (; orders != 0; orders &= orders - 1)
                expected->slots[lowest_bit(orders)] |= 1u << slot % 32;
        }
        if (slot % 32 == 31)
            check_slots(check, expected, slot - 31);
    }
}

static void check_index(struct check *check)
{
    struct expectation expected = {0};
    for (unsigned zone = 0, place = 0; zone < PAGEFRAME_ZONES; zone++) {
        unsigned end = zone < PAGEFRAME_ZONES - 1 ? zone + 1 : PAGEFRAME_SUMMARY_WORDS;
        expected.orders = 0;
        for (; place < end; place++) {
            check_thousand(check, &expected, place, zone);
            check_summary(check, &expected, place);
        }
        if (pageframe.zones[zone].orders != expected.orders)
            check_fault(check, "pageframe: zone %u has orders 0x%x, should have 0x%x", zone,
                        pageframe.zones[zone].orders, expected.orders);
    }
    for (unsigned order = 0; order < PAGEFRAME_ORDERS; order++)
        check_same(check, "top", order, 0, pageframe.top[order], expected.top[order]);
}

/* The frames that are FREE but not in the index: how many, and the sum of their numbers, modulo
 * 2^32. One wrong number in what should be the same frames always shows in the sum. */
struct outside {
    uint32_t count, sum;
};

static struct outside outside_index(frame_t start, frame_t end)
{
    struct outside found = {0, 0};
    for (uint32_t word = start / PAGEFRAME_WORD_FRAMES; word < pageframe_words(end); word++) {
        uint32_t outside = free_by_state(word) & ~pageframe.masks[word];
        for (; outside != 0; outside &= outside - 1) {
            found.count++;
            found.sum += word * PAGEFRAME_WORD_FRAMES + lowest_bit(outside);
        }
    }
    return found;
}

/* A zone's hot stack holds just the free frames that are not in the index. */
static void check_hot(struct check *check, unsigned zone, frame_t start, frame_t end)
{
    const struct pageframe_hot *hot = pageframe_hot_of(zone);
    struct outside outside = outside_index(start, end);
    uint32_t sum = 0, count = hot != NULL ? hot->count : 0;
    if (count != outside.count || count > PAGEFRAME_HOT_MAX) {
        check_fault(check,
                    "pageframe: zone %u has %u free frames outside the index, %u on its stack",
                    zone, outside.count, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        frame_t frame = hot->frames[i];
        sum += frame;
        if (frame < start || frame >= end || bytemap_get(frame) != BYTEMAP_FREE)
            check_fault(check, "pageframe: zone %u has frame 0x%x on its stack, not free there",
                        zone, frame);
    }
    if (sum != outside.sum)
        check_fault(check, "pageframe: zone %u has other frames on its stack than are free", zone);
}

/* What a zone keeps outside the bitmaps, and its count. */
static void check_zone(struct check *check, unsigned zone)
{
    const struct pageframe_zone *z = &pageframe.zones[zone];
    frame_t start = pageframe_borders[zone], end = pageframe_borders[zone + 1];
    uint32_t count = 0;
    if (end > pageframe.frames)
        end = pageframe.frames;
    for (frame_t frame = start; frame < end; frame++)
        count += bytemap_tag_is_free(bytemap_get(frame));
    if (zone != pageframe.top_zone && z->free_frames != count)
        check_fault(check, "pageframe: zone %u has %u free frames, its counter says %u", zone,
                    count, z->free_frames);
    if (start < end)
        check_hot(check, zone, start, end);
    bool is_none = z->open == &pageframe.no_word && z->open_first == FRAME_NONE;
    if (!is_none && (z->open_first < start || z->open_first >= end ||
                     !is_open(z->open_first / PAGEFRAME_WORD_FRAMES, zone)))
        check_fault(check, "pageframe: zone %u has a wrong open word, at frame 0x%x", zone,
                    z->open_first);
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
    uint32_t kept = pageframe.reserve_frames, given_out = pageframe_given_out();
    uint32_t allocated = (uint32_t)pageframe.granted - pageframe.budget;
    if (pageframe.granted != ~pageframe.ungranted)
        check_fault(check, "pageframe: the count of frames granted and its complement disagree");
    if (allocated - pageframe.freed != given_out)
        check_fault(check, "pageframe: %u frames are out, but %u went and %u came back", given_out,
                    allocated, pageframe.freed);
    if (pageframe.budget > (spare > kept ? spare - kept : 0))
        check_fault(check, "pageframe: the budget of %u frames reaches into the reserve",
                    pageframe.budget);
    if (kept > pageframe.ram_frames / 4 ||
        pageframe.low_watermark_frames > pageframe.ram_frames / 4)
        check_fault(check, "pageframe: reserve %u or low watermark %u is above a quarter of RAM",
                    kept, pageframe.low_watermark_frames);
    if (pageframe.no_word != 0)
        check_fault(check, "pageframe: the word that is always empty is 0x%x", pageframe.no_word);
}

/* What pageframe_init fixed: nothing else is looked at if it is wrong. */
static bool is_layout_right(void)
{
    if (pageframe.frames == 0 || pageframe.frames > bytemap_frames() ||
        pageframe.frames > PAGEFRAME_FRAMES_MAX)
        return false;
    unsigned zone = pageframe_zone_of(pageframe.frames - 1);
    if (pageframe.top_zone != zone)
        return false;
    if (pageframe_hot_of(zone) == NULL)
        return pageframe.top_count == 0;
    return pageframe.top_first == pageframe_borders[zone] &&
           pageframe.top_count == pageframe.frames - pageframe_borders[zone];
}

void pageframe_check(struct check *check)
{
    if (!is_layout_right()) {
        check_fault(check, "pageframe: %u frames with zone %u as the highest, the bytemap has %u",
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
