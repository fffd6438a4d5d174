#include "kernel/memory/paging/user.h"

#include "tests/unit/paging_machine.h"

/*
 * Pages of programs, call by call: what stands in the entries, who has the references, what the
 * processor is told to forget, and where there is no table. Books and references are checked after
 * each.
 */
#define W       PAGING_WRITE
#define X       PAGING_EXECUTE
#define U       PAGING_USER
#define OWN     PAGING_OWN
#define HIDDEN  PAGING_HIDDEN

#define USER    0x10000000u
#define LIBRARY 0x20000000u
#define SLOT    PAGE_LARGE_SIZE
#define PROMISE 3000u

static struct paging_space one, two;
static uint32_t free_before;
static uint32_t others; /* pages that are not own: when they go, nobody is promised their frames */

static uint32_t promised(void)
{
    struct pageframe_statistics statistics;
    pageframe_read_statistics(&statistics);
    return statistics.promised_frames;
}

static void begin(void)
{
    CHECK_EQUAL(pageframe_promise(PROMISE), 0);
    free_before = machine_free_frames();
    others = 0;
    CHECK_EQUAL(paging_space_create(&one), 0);
    CHECK_EQUAL(paging_space_create(&two), 0);
    machine_check_is_clean();
}

static void start(void)
{
    machine_boot();
    begin();
}

static void clear(struct paging_space *space, uint32_t address, uint32_t pages)
{
    const uint32_t end = address + pages * PAGE_SIZE;
    while (address < end) {
        const uint32_t slot_end = (address | (SLOT - 1)) + 1;
        address = paging_user_clear(space, address, slot_end < end ? slot_end : end,
                                    PAGING_RELEASE_PROMISE);
    }
}

/* Everything goes, and everything is back. */
static void end_space(struct paging_space *space)
{
    for (uint32_t slot = 0; slot < PAGING_USER_SLOTS; slot++)
        if (!paging_user_abandon(space, slot))
            clear(space, USER + slot * SLOT, 512);
    CHECK_EQUAL(paging_user_pages(space), 0);
    CHECK_EQUAL(paging_user_own_pages(space), 0);
    CHECK_EQUAL(paging_user_tables(space), 0);
    paging_space_destroy(space);
    machine_check_is_clean();
}

/* Its sums do not say any more what is left (paging_user_abandon), so it goes at once. */
static void abandon_second(void)
{
    CHECK(paging_user_abandon(&two, 0));
    CHECK_EQUAL(paging_user_own_pages(&two), 0);
    end_space(&two);
    CHECK_EQUAL(paging_space_create(&two), 0);
}

static void finish(void)
{
    machine_check_is_clean();
    end_space(&one);
    end_space(&two);
    CHECK_EQUAL(promised(), PROMISE - others);
    CHECK_EQUAL(machine_free_frames(), free_before);
}

static frame_t map(struct paging_space *space, uint32_t address, uint32_t flags)
{
    frame_t frame = pageframe_alloc_promised(PAGEFRAME_DIRECT, USER_FRAME);
    CHECK(frame != FRAME_NONE);
    CHECK_EQUAL(paging_user_map(space, address, frame, flags), 0);
    others += !(flags & OWN);
    return frame;
}

static void map_pages(struct paging_space *space, uint32_t address, uint32_t pages, uint32_t flags)
{
    for (uint32_t i = 0; i < pages; i++)
        (void)map(space, address + i * PAGE_SIZE, flags);
}

static uint32_t flags_at(const struct paging_space *space, uint32_t address)
{
    return paging_user_find(space, address).flags;
}

static frame_t frame_at(const struct paging_space *space, uint32_t address)
{
    return paging_user_find(space, address).frame;
}

static void share(void)
{
    static const uint32_t apart[PAGING_USER_SLOTS / 32];
    paging_user_share(&one, &two, apart);
    machine_check_is_clean();
}

/* ---- single pages ---- */

TEST(user_pages_are_what_they_were_mapped_as)
{
    static const struct {
        uint32_t address, given, protect, expected; /* protect 0: not called */
    } rows[] = {
        {USER, OWN | W, 0, U | OWN | W},
        {USER + PAGE_SIZE, OWN, 0, U | OWN},
        {USER + 2 * PAGE_SIZE, OWN | X, 0, U | OWN | X},
        {LIBRARY - PAGE_SIZE, 0, 0, U},
        {LIBRARY, W, 0, U | W},
        {LIBRARY + PAGE_SIZE, X, 0, U | X},
        {MAP_LIBRARY_END - PAGE_SIZE, OWN | W, X, U | OWN | X},
        {USER + SLOT, OWN | W, HIDDEN, U | OWN | HIDDEN},
        {USER + SLOT + PAGE_SIZE, OWN, W, U | OWN | W},
        {USER + 2 * SLOT, W, W, U}, /* an object's page: only with PAGING_SHARED */
        {USER + 2 * SLOT + PAGE_SIZE, 0, W | PAGING_SHARED, U | W},
        {USER + 3 * SLOT, X, W | HIDDEN | PAGING_SHARED, U | W | HIDDEN},
    };
    start();
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        const uint32_t at = rows[i].address;
        struct paging_user_page page;
        CHECK_EQUAL(flags_at(&one, at), 0);
        const frame_t frame = map(&one, at, rows[i].given);
        if (rows[i].protect != 0)
            CHECK_EQUAL(paging_user_protect(&one, at, at + PAGE_SIZE, rows[i].protect),
                        at + PAGE_SIZE);
        page = paging_user_find(&one, at);
        if (page.flags != rows[i].expected)
            test_fail(__FILE__, __LINE__, "row %u: flags 0x%x, expected 0x%x", i,
                      (unsigned)page.flags, (unsigned)rows[i].expected);
        CHECK_EQUAL(page.frame, frame);
        CHECK(page.table == PAGING_TABLE_OWN);
        CHECK(!page.accessed && !page.dirty);
        CHECK_EQUAL(paging_user_pages(&one), i + 1);
        machine_check_is_clean();
    }
    CHECK(paging_user_find(&two, USER).table == PAGING_TABLE_NONE);
    finish();
}

/* Other rights keep what the processor has set; another frame does not. */
TEST(user_pages_that_were_used_say_so)
{
    union paging_entry *entry;
    frame_t frame, old;
    start();
    old = map(&one, USER + 5 * PAGE_SIZE, OWN | W);
    entry = table_entry(directory_read(&one, PAGE_OF(USER)), PAGE_OF(USER) + 5);
    entry->whole |= ENTRY_ACCESSED | ENTRY_DIRTY;
    CHECK(paging_user_find(&one, USER + 5 * PAGE_SIZE).dirty);
    CHECK_EQUAL(paging_user_protect(&one, USER, USER + SLOT, 0), USER + 64 * PAGE_SIZE);
    CHECK(paging_user_find(&one, USER + 5 * PAGE_SIZE).accessed);
    machine_check_is_clean();
    frame = pageframe_alloc_promised(PAGEFRAME_DIRECT, USER_FRAME);
    CHECK_EQUAL(paging_user_replace(&one, USER + 5 * PAGE_SIZE, frame, W), old);
    CHECK_EQUAL(pageframe_release_promised(old), 0);
    CHECK_EQUAL(flags_at(&one, USER + 5 * PAGE_SIZE), U | W);
    CHECK(!paging_user_find(&one, USER + 5 * PAGE_SIZE).accessed);
    CHECK_EQUAL(paging_user_own_pages(&one), 0);
    machine_check_is_clean();
    others++; /* it is an object's now */
    finish();
}

/* A table is empty whatever the frame held before. */
TEST(user_tables_are_made_of_dirty_frames)
{
    frame_t frames[64];
    start();
    for (unsigned i = 0; i < ARRAY_COUNT(frames); i++) {
        frames[i] = pageframe_alloc(PAGEFRAME_DIRECT, KERNEL_FRAME);
        memset(platform_frame_pointer(frames[i]), 0xFF, FRAME_SIZE);
    }
    for (unsigned i = 0; i < ARRAY_COUNT(frames); i++)
        CHECK_EQUAL(pageframe_free(frames[i]), 0);
    for (uint32_t i = 0; i < 16; i++)
        (void)map(&one, USER + i * SLOT, OWN | W);
    machine_check_is_clean();
    CHECK(pageframe_zero_one());
    (void)map(&one, USER + 16 * SLOT, OWN);
    finish();
}

/* ---- what the processor forgets ---- */

TEST(user_pages_are_forgotten_by_the_processor_that_knows_them)
{
    enum { REPLACE, CLEAR, PROTECT, TAKE };
    static const struct {
        unsigned call;
        uint32_t page, pages, rights;
        unsigned single, full; /* if the space is loaded */
    } rows[] = {
        {PROTECT, 0, 4, W, 0, 0}, /* they have these rights */
        {PROTECT, 0, 4, X, 4, 0},    {PROTECT, 0, 32, 0, 32, 0}, {PROTECT, 0, 33, X, 0, 1},
        {PROTECT, 90, 20, 0, 20, 0}, /* ten are there */
        {PROTECT, 100, 50, 0, 0, 0}, {CLEAR, 0, 1, 0, 1, 0},     {CLEAR, 1, 32, 0, 32, 0},
        {CLEAR, 33, 33, 0, 0, 1},    {CLEAR, 100, 100, 0, 0, 0}, {REPLACE, 70, 1, OWN, 1, 0},
        {TAKE, 0, 1, 0, 0, 0},
    };
    for (unsigned loaded = 0; loaded < 2; loaded++) {
        start();
        map_pages(&one, USER, 100, OWN | W);
        paging_load(loaded ? &one : &two);
        for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
            const uint32_t from = USER + rows[i].page * PAGE_SIZE;
            const uint32_t to = from + rows[i].pages * PAGE_SIZE;
            frame_t frame;
            host_page_flushes = host_full_flushes = 0;
            if (rows[i].call == PROTECT)
                CHECK_EQUAL(paging_user_protect(&one, from, to, rows[i].rights), to);
            else if (rows[i].call == CLEAR)
                CHECK_EQUAL(paging_user_clear(&one, from, to, PAGING_RELEASE_PROMISE), to);
            else if (rows[i].call == TAKE)
                CHECK_EQUAL(paging_user_take_table(&one, from), 0);
            else {
                frame = pageframe_alloc_promised(PAGEFRAME_DIRECT, USER_FRAME);
                frame = paging_user_replace(&one, from, frame, rows[i].rights);
                CHECK_EQUAL(pageframe_release_promised(frame), 0);
            }
            if (host_page_flushes != rows[i].single * loaded ||
                host_full_flushes != rows[i].full * loaded)
                test_fail(__FILE__, __LINE__, "row %u: %u pages and %u times all", i,
                          host_page_flushes, host_full_flushes);
            machine_check_is_clean();
        }
        CHECK_EQUAL(host_root, loaded ? one.root : two.root);
        finish();
    }
}

/* ---- shared tables ---- */

TEST(user_tables_are_shared_until_one_writes)
{
    frame_t frame;
    start();
    map_pages(&one, USER, 70, OWN | W);
    frame = frame_at(&one, USER);
    CHECK_EQUAL(paging_user_take_table(&one, USER), 0);            /* it has it */
    CHECK_EQUAL(paging_user_take_table(&one, USER + 5 * SLOT), 0); /* there is none */
    share();
    CHECK(paging_user_is_shared(&one, USER) && paging_user_is_shared(&two, USER));
    CHECK(!paging_user_is_shared(&one, USER + SLOT));
    CHECK_EQUAL(flags_at(&one, USER), U | OWN);
    CHECK(paging_user_find(&two, USER).table == PAGING_TABLE_SHARED);
    CHECK_EQUAL(pageframe_references(frame), 1);
    /* A page behind them: the second takes a copy, in which the own ones are read-only. */
    (void)map(&two, USER + 100 * PAGE_SIZE, OWN | W);
    CHECK_EQUAL(flags_at(&two, USER), U | OWN);
    CHECK_EQUAL(flags_at(&two, USER + 100 * PAGE_SIZE), U | OWN | W);
    CHECK_EQUAL(flags_at(&one, USER + 100 * PAGE_SIZE), 0);
    CHECK_EQUAL(pageframe_references(frame), 2);
    CHECK(paging_user_is_shared(&one, USER));
    machine_check_is_clean();
    /* Two references: rights do not make them writable. */
    CHECK_EQUAL(paging_user_protect(&two, USER, USER + PAGE_SIZE, W), USER + PAGE_SIZE);
    CHECK_EQUAL(flags_at(&two, USER), U | OWN);
    /* The first is alone with the old table, and not with its frames. */
    CHECK_EQUAL(paging_user_take_table(&one, USER), 0);
    CHECK_EQUAL(flags_at(&one, USER), U | OWN);
    machine_check_is_clean();
    clear(&two, USER, 1);
    CHECK_EQUAL(pageframe_references(frame), 1);
    CHECK_EQUAL(paging_user_protect(&one, USER, USER + PAGE_SIZE, W), USER + PAGE_SIZE);
    CHECK_EQUAL(flags_at(&one, USER), U | OWN | W);
    finish();
}

/* Its pages that nobody else had become writable again, those that it has not. */
TEST(user_tables_that_others_left_are_taken_over)
{
    start();
    map_pages(&one, USER, 3, OWN | W);
    (void)map(&one, USER + 3 * PAGE_SIZE, OWN);
    (void)map(&one, USER + 4 * PAGE_SIZE, W);
    CHECK_EQUAL(pageframe_reference(frame_at(&one, USER + PAGE_SIZE)), 0);
    share();
    abandon_second();
    CHECK_EQUAL(paging_user_take_table(&one, USER), 0);
    CHECK_EQUAL(flags_at(&one, USER), U | OWN | W);
    CHECK_EQUAL(flags_at(&one, USER + PAGE_SIZE), U | OWN);
    CHECK_EQUAL(flags_at(&one, USER + 3 * PAGE_SIZE), U | OWN);
    CHECK_EQUAL(flags_at(&one, USER + 4 * PAGE_SIZE), U | W);
    CHECK_EQUAL(pageframe_release(frame_at(&one, USER + PAGE_SIZE)), 1);
    finish();
}

/* A whole slot of a shared table goes: the table and its frames are the other's. */
TEST(user_tables_are_left_to_those_who_share_them)
{
    frame_t first, last;
    start();
    first = map(&one, USER + SLOT, OWN | W);
    map_pages(&one, USER + SLOT + 9 * PAGE_SIZE, 80, OWN);
    last = map(&one, USER + 2 * SLOT - PAGE_SIZE, OWN);
    share();
    paging_load(&two);
    host_full_flushes = 0;
    CHECK_EQUAL(paging_user_clear(&two, USER + SLOT, USER + 2 * SLOT, PAGING_RELEASE_PROMISE),
                USER + 2 * SLOT);
    CHECK_EQUAL(host_full_flushes, 1);
    CHECK_EQUAL(paging_user_pages(&two), 0);
    CHECK_EQUAL(paging_user_own_pages(&two), 0);
    CHECK_EQUAL(paging_user_tables(&two), 0);
    CHECK_EQUAL(paging_user_pages(&one), 82);
    CHECK_EQUAL(pageframe_references(first), 1);
    CHECK_EQUAL(pageframe_references(last), 1);
    machine_check_is_clean();
    /* Nobody shares it any more: now the frames go. */
    clear(&one, USER + SLOT, 512);
    CHECK_EQUAL(pageframe_references(last), 0);
    finish();
}

/* A copy leaves out an object's page whose references are at their maximum. */
TEST(user_copies_leave_out_what_cannot_be_counted)
{
    const bytemap_tag_t file = BYTEMAP_TAG(BYTEMAP_CACHE, BYTEMAP_KERNEL);
    const uint32_t lost[] = {0, 70, 511};
    start();
    map_pages(&one, USER + PAGE_SIZE, 69, OWN | W);
    for (unsigned i = 0; i < ARRAY_COUNT(lost); i++) {
        frame_t frame = machine_frame(file);
        CHECK_EQUAL(paging_user_map(&one, USER + lost[i] * PAGE_SIZE, frame, 0), 0);
        while (pageframe_references(frame) < PAGEFRAME_REFERENCES_MAX)
            CHECK_EQUAL(pageframe_reference(frame), 0);
    }
    map_pages(&one, USER + 71 * PAGE_SIZE, 10, OWN | W);
    share();
    CHECK_EQUAL(paging_user_take_table(&two, USER), 0);
    CHECK_EQUAL(paging_user_pages(&one), 82);
    CHECK_EQUAL(paging_user_pages(&two), 79);
    CHECK_EQUAL(paging_user_own_pages(&two), 79);
    for (unsigned i = 0; i < ARRAY_COUNT(lost); i++) {
        CHECK_EQUAL(flags_at(&two, USER + lost[i] * PAGE_SIZE), 0);
        CHECK_EQUAL(flags_at(&one, USER + lost[i] * PAGE_SIZE), U);
    }
    CHECK_EQUAL(flags_at(&two, USER + 80 * PAGE_SIZE), U | OWN);
    machine_check_is_clean();
}

TEST(user_children_get_what_is_not_kept_apart)
{
    uint32_t apart[PAGING_USER_SLOTS / 32] = {0};
    start();
    map_pages(&one, USER, 5, OWN | W);
    map_pages(&one, USER + 40 * SLOT, 7, OWN | W);
    map_pages(&one, LIBRARY, 9, OWN);
    apart[40 / 32] = 1u << 40 % 32;
    apart[paging_user_slot(LIBRARY) / 32] |= 1;
    paging_user_share(&one, &two, apart);
    CHECK_EQUAL(paging_user_pages(&two), 5);
    CHECK_EQUAL(paging_user_own_pages(&two), 5);
    CHECK_EQUAL(paging_user_tables(&two), 1);
    CHECK(!paging_user_is_shared(&one, LIBRARY));
    CHECK_EQUAL(flags_at(&two, LIBRARY), 0);
    CHECK_EQUAL(flags_at(&one, USER + 40 * SLOT), U | OWN | W);
    finish();
}

TEST(user_slots_are_abandoned_if_others_keep_them)
{
    start();
    CHECK(paging_user_abandon(&one, 3)); /* nothing there */
    map_pages(&one, USER, 5, OWN | W);
    CHECK(!paging_user_abandon(&one, 0)); /* its own */
    share();
    abandon_second();
    CHECK(!paging_user_abandon(&one, 0)); /* the last */
    CHECK_EQUAL(paging_user_pages(&one), 5);
    finish();
}

/* ---- looking ahead ---- */

TEST(user_pages_that_come_next)
{
    static const struct {
        uint32_t from, end, expected;
    } rows[] = {
        {USER, USER, USER},
        {USER, USER + PAGE_SIZE, USER + PAGE_SIZE},
        {USER, MAP_LIBRARY_END, USER + 7 * PAGE_SIZE},
        {USER + 7 * PAGE_SIZE, USER + 8 * PAGE_SIZE, USER + 7 * PAGE_SIZE},
        {USER, USER + 7 * PAGE_SIZE, USER + 7 * PAGE_SIZE},
        {USER + 8 * PAGE_SIZE, MAP_LIBRARY_END, USER + 9 * SLOT - PAGE_SIZE},
        {USER + 8 * PAGE_SIZE, USER + 2 * SLOT, USER + 2 * SLOT},
        {USER + 9 * SLOT, MAP_LIBRARY_END, MAP_LIBRARY_END - PAGE_SIZE},
        {LIBRARY, MAP_LIBRARY_END - PAGE_SIZE, MAP_LIBRARY_END - PAGE_SIZE},
    };
    start();
    (void)map(&one, USER + 7 * PAGE_SIZE, OWN);
    (void)map(&one, USER + 9 * SLOT - PAGE_SIZE, OWN);
    (void)map(&one, MAP_LIBRARY_END - PAGE_SIZE, OWN);
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++)
        CHECK_EQUAL(paging_user_next(&one, rows[i].from, rows[i].end), rows[i].expected);
    CHECK_EQUAL(paging_user_clear(&one, USER + SLOT, USER + 2 * SLOT, PAGING_RELEASE_FREE),
                USER + 2 * SLOT); /* there is no table */
    CHECK_EQUAL(paging_user_protect(&one, USER + SLOT, USER + 2 * SLOT, 0), USER + 2 * SLOT);
    finish();
}
