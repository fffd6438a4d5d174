#include "kernel/memory/pageframe/books.h"

#define NOT(verdict)   (VERDICT_BIT | (verdict))
#define NOT_4(verdict) NOT(verdict), NOT(verdict), NOT(verdict), NOT(verdict)
#define HELD_16        NOT_4(HELD), NOT_4(HELD), NOT_4(HELD), NOT_4(HELD)
#define OWNED(reserved)                                                                            \
    NOT(HELD), NOT(HELD), NOT(HELD), NOT(reserved), NOT(HELD), GIVEN, GIVEN, GIVEN, GIVEN,         \
        NOT(HELD), NOT(HELD), NOT(HELD), NOT_4(HELD)

/* A line for each upper half. */
const uint32_t pageframe_verdicts[256] = {
    /* no owner: absent, free, zeroed, -, bad */
    NOT(ABSENT), NOT(FREE_ALREADY), NOT(FREE_ALREADY), NOT(HELD), NOT(WITHDRAWN), NOT(HELD),
    NOT(HELD), NOT(HELD), NOT_4(HELD), NOT_4(HELD),
    OWNED(WITHDRAWN), /* kernel: reserved, given out as any of four */
    OWNED(HELD),      /* user */
    OWNED(HELD),      /* library */
    /* locked, shared, both */
    HELD_16, HELD_16, HELD_16, HELD_16, HELD_16, HELD_16, HELD_16, HELD_16, HELD_16, HELD_16,
    HELD_16, HELD_16};

_Static_assert(BYTEMAP_FREE == 1 && BYTEMAP_ZEROED == 2 && TAG_RESERVED == 0x13 && TAG_BAD == 4 &&
                   BYTEMAP_ALLOCATED == 5 && BYTEMAP_STATE_COUNT == 9,
               "the lines above");

PAGEFRAME_CALL int pageframe_refuse(int error)
{
    pageframe.refusals++;
    pageframe.troubles_not--;
    return error;
}

frame_t pageframe_fail(void)
{
    pageframe.failures++;
    pageframe.troubles_not--;
    return FRAME_NONE;
}

PAGEFRAME_CALL int pageframe_refusal_of(bytemap_tag_t tag)
{
    static const int8_t errors[] = {
        [ABSENT] = -ERANGE, [FREE_ALREADY] = -EALREADY, [HELD] = -EBUSY, [WITHDRAWN] = -EPERM};
    return errors[pageframe_verdicts[tag] & ~VERDICT_BIT];
}

PAGEFRAME_CALL bool pageframe_has_spare(uint32_t count, unsigned where)
{
    uint32_t spare = free_frames(), kept = where & PAGEFRAME_MUST ? 0 : pageframe.reserve_frames;
    kept += pageframe.promised_frames;
    return spare >= kept && spare - kept >= count;
}

PAGEFRAME_CALL void pageframe_account(int32_t count)
{
    uint32_t before = (uint32_t)bytemap.budget, spare, more;
    uint32_t kept = pageframe.reserve_frames + pageframe.promised_frames;
    bytemap.count[BYTEMAP_FREE] -= (uint32_t)count;
    spare = free_frames();
    bytemap.budget = (int32_t)(spare > kept ? spare - kept : 0);
    more = (uint32_t)bytemap.budget - before; /* less than none, at times */
    bytemap.count[BYTEMAP_FREE] -= more;
    pageframe.granted += (uint64_t)((int64_t)count + (int32_t)more);
    pageframe.ungranted = ~pageframe.granted;
}

uint32_t pageframe_given_out(void)
{
    uint32_t sum = 0;
    for (unsigned tag = 0; tag < 256; tag++)
        if (is_given_out((bytemap_tag_t)tag))
            sum += bytemap.count[tag];
    return sum;
}

PAGEFRAME_CALL void pageframe_enter_free(frame_t first, uint32_t count, bytemap_tag_t from)
{
    while (count != 0) {
        unsigned zone = pageframe_zone_of(first);
        uint32_t left = pageframe_borders[zone + 1] - first, step = count < left ? count : left;
        count_zone(zone, step);
        bytemap_change_run(first, step, from, BYTEMAP_FREE);
        pageframe_index_add(first, step);
        first += step;
        count -= step;
    }
}

bool pageframe_close_words(void)
{
    bool changed = false;
    for (unsigned zone = 0; zone <= pageframe.top_zone; zone++) {
        struct pageframe_open *open = pageframe_open_of(zone);
        if (open->mask == 0)
            continue;
        pageframe_index_close(open->word, open->mask);
        open->mask = 0;
        changed = true;
    }
    return changed;
}
