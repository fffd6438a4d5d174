#include "tests/unit/paging_machine.h"

/*
 * Random calls in lockstep with an array that has one element a page, and with a processor's TLB:
 * what is cached after a call must still be true. Four stretches of address space, each with its
 * own kind of frames; every call's result is predicted by the naive model.
 */
#define PAGES   1536u /* of a stretch: three 2 MiB slots */
#define SHIFTS  3     /* ways in which a stretch's pages can meet its frames */
#define ROUNDS  40u   /* each on a fresh machine: a slot that has a table keeps it */
#define STEPS   80u
#define TLB_MAX 64u

struct stretch {
    uint32_t start;
    bool is_fixed; /* frames follow from addresses */
    uint32_t flags[3];
    frame_t first; /* PAGES + 512 frames, or PAGES if fixed */
    struct {
        bool present;
        frame_t frame;
        uint32_t flags;
    } pages[PAGES];
};

#define W  PAGING_WRITE
#define X  PAGING_EXECUTE
#define U  PAGING_USER
#define WC PAGING_WRITE_COMBINING

static struct stretch stretches[] = {
    {.start = 0x10000000, .flags = {U, U | W, U | X}},
    {.start = 0x2FA00000, .flags = {U, U | W, U | X}},
    {.start = 0x09000000, .flags = {W | WC, W | WC, W | WC}, .first = 0xE0000},
    {.start = 0x30800000, .is_fixed = true, .flags = {0, W, W}, .first = 0x800},
};

static const uint32_t shifts[SHIFTS] = {0, 1, 512};

/* ---- the TLB: entries as the processor would have cached them ---- */

static struct {
    bool valid;
    uint32_t page;
    struct paging_translation translation;
} tlb[TLB_MAX];

/* INVLPG forgets the page; of a large page, all of it (SDM 3A, 4.10.4.1). */
static void forget(uintptr_t address)
{
    for (unsigned i = 0; i < TLB_MAX; i++)
        if (address == 0 || tlb[i].page == PAGE_OF(address) ||
            (tlb[i].translation.large && tlb[i].page / 512 == PAGE_OF(address) / 512))
            tlb[i].valid = false;
}

static void touch(uint32_t page)
{
    unsigned i = test_random_range(0, TLB_MAX - 1);
    struct paging_translation found = paging_query(&paging_kernel, page * PAGE_SIZE);
    tlb[i].valid = found.present;
    tlb[i].page = page;
    tlb[i].translation = found;
}

static void check_tlb(void)
{
    for (unsigned i = 0; i < TLB_MAX; i++) {
        struct paging_translation found;
        if (!tlb[i].valid)
            continue;
        found = paging_query(&paging_kernel, tlb[i].page * PAGE_SIZE);
        CHECK(found.present);
        CHECK_EQUAL(found.physical, tlb[i].translation.physical);
        CHECK_EQUAL(found.flags, tlb[i].translation.flags);
    }
}

/* ---- the model ---- */

static bool is_all(const struct stretch *stretch, uint32_t from, uint32_t pages, bool present)
{
    for (uint32_t i = from; i < from + pages; i++)
        if (stretch->pages[i].present != present)
            return false;
    return true;
}

static void model_map(struct stretch *stretch, uint32_t from, uint32_t pages, frame_t frame,
                      uint32_t flags)
{
    for (uint32_t i = from; i < from + pages; i++, frame++) {
        stretch->pages[i].present = true;
        stretch->pages[i].frame = frame;
        stretch->pages[i].flags = flags;
    }
}

static void check_stretch(const struct stretch *stretch)
{
    for (uint32_t i = 0; i < PAGES; i++) {
        struct paging_translation found =
            paging_query(&paging_kernel, stretch->start + i * PAGE_SIZE);
        CHECK_EQUAL(found.present, stretch->pages[i].present);
        if (!found.present)
            continue;
        CHECK_EQUAL(found.physical, frame_address(stretch->pages[i].frame));
        CHECK_EQUAL(found.flags, stretch->pages[i].flags);
        CHECK_EQUAL(found.global, !(found.flags & U));
    }
}

/* ---- the calls ---- */

static void step_map(struct stretch *stretch, uint32_t from, uint32_t pages, uint32_t flags)
{
    uint32_t shift = stretch->is_fixed ? 0 : shifts[test_random_range(0, SHIFTS - 1)];
    frame_t frame = stretch->first + from + shift;
    uint32_t small = test_random_range(0, 3) == 0 ? PAGING_SMALL : 0;
    int expected = is_all(stretch, from, pages, false) ? 0 : -EEXIST;
    uint32_t start = stretch->start + from * PAGE_SIZE;
    if (pages == 1 && small)
        CHECK_EQUAL(paging_map_page(&paging_kernel, start, frame, flags), expected);
    else
        CHECK_EQUAL(paging_map(&paging_kernel, start, frame, pages, flags | small), expected);
    if (expected == 0)
        model_map(stretch, from, pages, frame, flags);
}

static void step_unmap(struct stretch *stretch, uint32_t from, uint32_t pages)
{
    int expected = is_all(stretch, from, pages, true) ? 0 : -ENOENT;
    uint32_t start = stretch->start + from * PAGE_SIZE;
    if (pages == 1 && !paging_query(&paging_kernel, start).large)
        CHECK_EQUAL(paging_unmap_page(&paging_kernel, start),
                    expected == 0 ? stretch->pages[from].frame : FRAME_NONE);
    else
        CHECK_EQUAL(paging_unmap(&paging_kernel, start, pages), expected);
    if (expected == 0)
        memset(&stretch->pages[from], 0, pages * sizeof(stretch->pages[0]));
}

static void step_protect(struct stretch *stretch, uint32_t from, uint32_t pages, uint32_t flags)
{
    int expected = is_all(stretch, from, pages, true) ? 0 : -ENOENT;
    CHECK_EQUAL(paging_protect(&paging_kernel, stretch->start + from * PAGE_SIZE, pages, flags),
                expected);
    for (uint32_t i = from; i < from + pages && expected == 0; i++)
        stretch->pages[i].flags = flags;
}

/* Ranges like to begin and end where slots do, and to lie inside what is alike. */
static uint32_t random_edge(void)
{
    if (test_random_range(0, 2) == 0)
        return test_random_range(0, 3) * 512;
    return test_random_range(0, PAGES);
}

static uint32_t like_end(const struct stretch *stretch, uint32_t from, uint32_t end)
{
    uint32_t at = from + 1;
    while (at < end && stretch->pages[at].present == stretch->pages[from].present)
        at++;
    return at;
}

static void step(struct stretch *stretch)
{
    uint32_t a = random_edge(), b = random_edge();
    uint32_t from = a < b ? a : b, end = a < b ? b : a;
    uint32_t flags = stretch->flags[test_random_range(0, 2)];
    if (from == PAGES)
        from--;
    if (end == from)
        end++;
    if (test_random_range(0, 3) != 0)
        end = like_end(stretch, from, end);
    if (!stretch->pages[from].present || test_random_range(0, 7) == 0)
        step_map(stretch, from, end - from, flags);
    else if (test_random_range(0, 1) == 0)
        step_unmap(stretch, from, end - from);
    else
        step_protect(stretch, from, end - from, flags);
}

/* Frames with a reference for each way to reach them. */
static void give_frames(struct stretch *stretch)
{
    stretch->first =
        pageframe_alloc_run(PAGES + 512, 512, FRAME_NONE, PAGEFRAME_ANYWHERE, USER_FRAME);
    CHECK(stretch->first != FRAME_NONE);
    for (frame_t frame = stretch->first; frame < stretch->first + PAGES + 512; frame++)
        for (unsigned i = 1; i < SHIFTS; i++)
            CHECK(pageframe_reference(frame) >= 0);
}

static void begin(void)
{
    machine_boot();
    memset(tlb, 0, sizeof(tlb));
    for (unsigned i = 0; i < ARRAY_COUNT(stretches); i++)
        memset(stretches[i].pages, 0, sizeof(stretches[i].pages));
    give_frames(&stretches[0]);
    give_frames(&stretches[1]);
    model_map(&stretches[3], 0, PAGES, stretches[3].first, W);
    host_on_flush = forget;
}

static void play(void)
{
    for (unsigned i = 0; i < STEPS; i++) {
        struct stretch *stretch = &stretches[test_random_range(0, ARRAY_COUNT(stretches) - 1)];
        for (unsigned touches = 0; touches < 32; touches++)
            touch(PAGE_OF(stretch->start) + test_random_range(0, PAGES - 1));
        step(stretch);
        check_tlb();
        check_stretch(stretch);
        machine_check_is_clean();
    }
}

TEST(random_calls_in_lockstep_with_a_naive_model)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        begin();
        play();
        for (unsigned i = 0; i < ARRAY_COUNT(stretches); i++)
            check_stretch(&stretches[i]);
        host_on_flush = NULL;
    }
}
