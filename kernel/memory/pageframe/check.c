/* Verifies the frame allocator from first principles: from the bytes alone it works out what the
 * words, classes, sets and counters have to be. Whatever it reads may be wrong,
 * so nothing that is read is used as an index before it was compared with its bounds. */
#include "kernel/memory/pageframe/internal.h"

/* What the bytes lead to, gathered while walking up. */
struct expectation {
    uint32_t groups[PAGEFRAME_KINDS]; /* of the row that is walked */
    uint32_t rows[PAGEFRAME_KINDS];   /* of the area */
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

/* What an open word holds of a word. */
static uint32_t open_mask_of(const struct pageframe_open *open, uint32_t word)
{
    return open->word == word ? open->mask : 0;
}

/* A word's mask and class. Returns the class that it must have. */
static unsigned check_word(struct check *check, uint32_t word, unsigned zone)
{
    uint32_t mask = ~pageframe.busy[word], is_free = free_by_state(word);
    uint32_t open = zone <= pageframe.top_zone ? open_mask_of(pageframe_open_of(zone), word) : 0;
    uint32_t zeroing = open_mask_of(&pageframe.zeroing.open, word);
    unsigned class = pageframe_class_of(mask);
    if ((mask & open) != 0 || ((mask | open) & zeroing) != 0 || (mask | open | zeroing) != is_free)
        check_fault(check,
                    "pageframe: frames from 0x%x are free as 0x%08x, the index has 0x%08x, the "
                    "open word 0x%08x, and 0x%08x are to be zeroed",
                    word * PAGEFRAME_WORD_FRAMES, is_free, mask, open, zeroing);
    if (pageframe.states[word] != class * 32)
        check_fault(check, "pageframe: word 0x%x has state %u and free frames 0x%08x", word,
                    pageframe.states[word], mask);
    return class;
}

/* The words [first, end) are a group's. Returns the kinds it must be of. */
static uint32_t check_group(struct check *check, uint32_t at, unsigned zone, uint32_t first,
                            uint32_t end)
{
    const struct pageframe_group *group = &pageframe.groups[at];
    uint32_t sets[PAGEFRAME_FULL + 1] = {0}, in_turn = 0, kinds = 0;
    for (uint32_t word = first; word < end; word++) {
        unsigned class = check_word(check, word, zone);
        sets[class] |= 1u << word % 32;
        if (class >= PAGEFRAME_ONES && class <= PAGEFRAME_EIGHTS)
            in_turn |= 1u << word % 32;
    }
    if ((group->words[0] & group->words[1]) != 0 || (group->words[0] | group->words[1]) != in_turn)
        check_fault(check,
                    "pageframe: group %u has words 0x%08x and 0x%08x for two turns, should have "
                    "0x%08x",
                    at, group->words[0], group->words[1], in_turn);
    for (unsigned kind = PAGEFRAME_PAIRS; kind <= PAGEFRAME_FULL; kind++)
        if (group->words[kind] != sets[kind])
            check_fault(check,
                        "pageframe: group %u has words 0x%08x of class %u, should have 0x%08x", at,
                        group->words[kind], kind, sets[kind]);
    for (unsigned kind = 0; kind < PAGEFRAME_FULL; kind++)
        if (group->words[kind] != 0)
            kinds |= 1u << kind;
    unsigned level = pageframe_class_of(sets[PAGEFRAME_FULL]);
    if (group->level != level)
        check_fault(check, "pageframe: group %u has level %u, should have %u", at, group->level,
                    level);
    if (group->row != pageframe_row_of(at, zone))
        check_fault(check, "pageframe: group %u is in row %u, should be in %u", at, group->row,
                    pageframe_row_of(at, zone));
    return kinds | (level != PAGEFRAME_EMPTY ? 1u << PAGEFRAME_KIND_OF(level) : 0);
}

static void check_same(struct check *check, const char *what, unsigned kind, uint32_t place,
                       uint32_t kept, uint32_t expected)
{
    if (kept != expected)
        check_fault(check, "pageframe: %s %u has 0x%08x of kind %u, should have 0x%08x", what,
                    place, kept, kind, expected);
}

/* Compares a row whose groups have been walked, and goes on. */
static void check_row(struct check *check, struct expectation *expected, uint32_t row,
                      uint32_t area)
{
    const struct pageframe_row *kept = &pageframe.rows[row];
    uint32_t place = row - pageframe_first_row(area);
    for (unsigned kind = 0; kind < PAGEFRAME_KINDS; kind++) {
        check_same(check, "row", kind, row, kept->groups[kind], expected->groups[kind]);
        if (expected->groups[kind] != 0)
            expected->rows[kind] |= 1u << place;
        expected->groups[kind] = 0;
    }
    if (kept->area != &pageframe.areas[area] || kept->place != place)
        check_fault(check, "pageframe: row %u is not number %u of area %u", row, place, area);
}

/* The groups of a row, which are of one zone. */
static void check_groups(struct check *check, struct expectation *expected, uint32_t row,
                         unsigned zone)
{
    uint32_t zone_first = pageframe_borders[zone] / PAGEFRAME_WORD_FRAMES;
    uint32_t zone_end = pageframe_borders[zone + 1] / PAGEFRAME_WORD_FRAMES;
    uint32_t area_index = pageframe_area_of(row);
    struct pageframe_area area = pageframe_empty_area(area_index);
    if (zone_end > pageframe_words(pageframe.frames))
        zone_end = pageframe_words(pageframe.frames);
    for (uint32_t i = 0; i < 32; i++) {
        uint32_t at = (row - pageframe_first_row(area_index)) * 32 + i;
        uint32_t first = area.word + at * 32, end = first + 32;
        if (first < zone_first)
            first = zone_first;
        if (end > zone_end)
            end = zone_end;
        if (first >= end)
            continue;
        uint32_t kinds =
            check_group(check, (uint32_t)(area.group - pageframe.groups) + at, zone, first, end);
        for (; kinds != 0; kinds &= kinds - 1)
            expected->groups[lowest_bit(kinds)] |= 1u << i;
    }
}

/* An area, whose rows are those that there are. */
static void check_area(struct check *check, uint32_t area)
{
    struct expectation expected = {{0}, {0}};
    struct pageframe_area empty = pageframe_empty_area(area), *kept = &pageframe.areas[area];
    unsigned zone = area < PAGEFRAME_ZONES - 1 ? area : PAGEFRAME_ZONES - 1;
    uint32_t rows = pageframe_row_count(pageframe.frames), kinds = 0;
    for (uint32_t row = pageframe_first_row(area); row < rows && pageframe_area_of(row) == area;
         row++) {
        check_groups(check, &expected, row, zone);
        check_row(check, &expected, row, area);
    }
    for (unsigned kind = 0; kind < PAGEFRAME_KINDS; kind++) {
        check_same(check, "area", kind, area, kept->rows[kind], expected.rows[kind]);
        if (expected.rows[kind] != 0)
            kinds |= 1u << kind;
    }
    if (kept->kinds != kinds)
        check_fault(check, "pageframe: area %u has kinds 0x%x, should have 0x%x", area, kept->kinds,
                    kinds);
    if (area >= pageframe.area_count)
        empty = (struct pageframe_area){0};
    if (area >= PAGEFRAME_ZONES && kept->free_frames != 0)
        check_fault(check, "pageframe: area %u counts free frames", area);
    if (kept->open != empty.open || kept->row != empty.row || kept->group != empty.group ||
        kept->word != empty.word)
        check_fault(check, "pageframe: area %u starts elsewhere, at word 0x%x", area, kept->word);
}

static void check_index(struct check *check)
{
    uint32_t turn = pageframe.turn, other = pageframe.other_turn;
    if (turn + other != 1 || turn > 1)
        check_fault(check, "pageframe: turn %u, and %u waits", turn, other);
    for (uint32_t area = 0; area < PAGEFRAME_AREAS; area++)
        check_area(check, area);
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
    if (pageframe.areas[zone].free_frames != count)
        check_fault(check, "pageframe: zone %u has %u free frames, its counter says %u", zone,
                    count, pageframe.areas[zone].free_frames);
    if (zone > pageframe.top_zone)
        return;
    frame_t first = pageframe_open_of(zone)->first;
    if (first < start || first >= end || first % PAGEFRAME_WORD_FRAMES != 0 ||
        first / PAGEFRAME_WORD_FRAMES != pageframe_open_of(zone)->word)
        check_fault(check, "pageframe: the open word of zone %u is at frame 0x%x", zone, first);
}

/* The frames in state ZEROED are those of the word in which frames are zeroed ahead. */
static void check_zeroed(struct check *check)
{
    const struct pageframe_zeroing *zeroing = &pageframe.zeroing;
    frame_t first = zeroing->open.first;
    if (first >= pageframe.frames || first >= PAGEFRAME_BORDER_3 ||
        first % PAGEFRAME_WORD_FRAMES != 0 || first / PAGEFRAME_WORD_FRAMES != zeroing->open.word)
        check_fault(check, "pageframe: frames are zeroed ahead at frame 0x%x", first);
    for (frame_t frame = 0; frame < pageframe.frames; frame++) {
        bool is_ready = frame - first < PAGEFRAME_WORD_FRAMES && has_bit(zeroing->ready, frame);
        if (is_ready != (bytemap_get(frame) == BYTEMAP_ZEROED))
            check_fault(check, "pageframe: frame 0x%x is %s", frame,
                        is_ready ? "not zeroed, but should be" : "zeroed, and nobody knows");
    }
    for (frame_t bit = 0; bit < PAGEFRAME_WORD_FRAMES; bit++)
        if (has_bit(zeroing->ready, bit) && first + bit >= pageframe.frames)
            check_fault(check, "pageframe: frame 0x%x, which is none, is zeroed", first + bit);
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
    uint32_t spare = bytemap_free_frames() + bytemap.count[BYTEMAP_ZEROED];
    uint32_t kept = pageframe.reserve_frames + pageframe.promised_frames;
    uint32_t budget = (uint32_t)bytemap.budget, allocated = (uint32_t)pageframe.granted - budget;
    uint32_t given_out = pageframe_given_out();
    if (pageframe.granted != ~pageframe.ungranted)
        check_fault(check, "pageframe: the count of frames granted and its complement disagree");
    if (allocated - bytemap.freed != given_out)
        check_fault(check, "pageframe: %u frames are out, but %u went and %u came back", given_out,
                    allocated, bytemap.freed);
    if (budget > (spare > kept ? spare - kept : 0))
        check_fault(check, "pageframe: the budget of %u frames reaches into the reserve", budget);
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
            pageframe.open[below].word != 0)
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
           pageframe.top_count == pageframe.frames - pageframe_borders[zone] &&
           pageframe.area_count == pageframe_area_of(pageframe_row_count(pageframe.frames) - 1) + 1;
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
