#include "kernel/memory/paging/user.h"

#include "tests/unit/paging_machine.h"

/*
 * Pages of programs that move to other addresses, and calls that need a table where there is none
 * to be had: RAM beyond the direct view is promised, but cannot be a table.
 */
#define W       PAGING_WRITE
#define U       PAGING_USER
#define OWN     PAGING_OWN

#define USER    0x10000000u
#define LIBRARY 0x20000000u
#define SLOT    PAGE_LARGE_SIZE
#define PROMISE 3000u

static struct paging_space one, two;

static void begin(void)
{
    CHECK_EQUAL(pageframe_promise(PROMISE), 0);
    CHECK_EQUAL(paging_space_create(&one), 0);
    CHECK_EQUAL(paging_space_create(&two), 0);
}

static frame_t map(struct paging_space *space, uint32_t address)
{
    frame_t frame = pageframe_alloc_promised(PAGEFRAME_ANYWHERE, USER_FRAME);
    CHECK(frame != FRAME_NONE);
    CHECK_EQUAL(paging_user_map(space, address, frame, OWN | W), 0);
    return frame;
}

static frame_t frame_at(const struct paging_space *space, uint32_t address)
{
    return paging_user_find(space, address).frame;
}

static uint32_t promised(void)
{
    struct pageframe_statistics statistics;
    pageframe_read_statistics(&statistics);
    return statistics.promised_frames;
}

static const struct row {
    uint32_t from, to, pages; /* pages of an address */
    uint32_t other;           /* a page that is there, too; 0: none */
    bool is_table;            /* the table moves as a whole */
} rows[] = {
    {512, 5 * 512, 512, 0, true},
    {512, 5 * 512, 64, 0, true},
    {512 + 10, 5 * 512 + 10, 20, 0, true},
    {512 + 10, 5 * 512 + 11, 20, 0, false},             /* they lie otherwise in their slots */
    {512 + 10, 65536 + 5 * 512 + 10, 20, 0, false},     /* another row */
    {512 + 10, 5 * 512 + 10, 20, 5 * 512 + 400, false}, /* there is a table */
    {512 + 10, 5 * 512 + 10, 20, 512 + 9, false},       /* something before it */
    {512 + 10, 5 * 512 + 10, 20, 512 + 30, false},      /* something behind it */
    {512 + 10, 5 * 512 + 10, 20, 512 + 511, false},
    {512 + 10, 512 + 30, 20, 0, false}, /* in its own slot */
    {512 + 448, 131072 - 64, 64, 0, false},
};

static void move(const struct row *row)
{
    const uint32_t from = USER + row->from * PAGE_SIZE, to = USER + row->to * PAGE_SIZE;
    const uint32_t bytes = row->pages * PAGE_SIZE;
    frame_t frames[512];
    frame_t other = row->other != 0 ? map(&one, USER + row->other * PAGE_SIZE) : FRAME_NONE;
    for (uint32_t i = 0; i < row->pages; i += 3)
        frames[i] = map(&one, from + i * PAGE_SIZE);
    machine_check_is_clean();
    CHECK_EQUAL(paging_user_move_table(&one, from, to, bytes), row->is_table);
    if (!row->is_table) {
        CHECK_EQUAL(frame_at(&one, from), frames[0]);
        CHECK_EQUAL(paging_user_move(&one, from, to, bytes), 0);
    }
    for (uint32_t i = 0; i < row->pages; i++) {
        CHECK_EQUAL(frame_at(&one, from + i * PAGE_SIZE), FRAME_NONE);
        CHECK_EQUAL(frame_at(&one, to + i * PAGE_SIZE), i % 3 == 0 ? frames[i] : FRAME_NONE);
    }
    if (row->other != 0)
        CHECK_EQUAL(frame_at(&one, USER + row->other * PAGE_SIZE), other);
}

TEST(user_pages_move_as_tables_or_as_entries)
{
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        const uint32_t source = row->from / 512, target = row->to / 512, other = row->other / 512;
        machine_boot();
        begin();
        move(row);
        machine_check_is_clean();
        CHECK_EQUAL(paging_user_own_pages(&one), (row->pages + 2) / 3 + (row->other != 0));
        CHECK_EQUAL(paging_user_tables(&one), 1 + (other == source && source != target));
    }
}

TEST(user_moves_of_nothing_leave_nothing)
{
    machine_boot();
    begin();
    CHECK_EQUAL(paging_user_move(&one, USER, USER + SLOT, 64 * PAGE_SIZE), 0); /* no table */
    CHECK_EQUAL(paging_user_tables(&one), 0);
    (void)map(&one, USER + 100 * PAGE_SIZE);
    CHECK_EQUAL(paging_user_move(&one, USER, USER + SLOT, 64 * PAGE_SIZE), 0);
    CHECK_EQUAL(paging_user_tables(&one), 1);
    CHECK_EQUAL(promised(), PROMISE - 2);
    machine_check_is_clean();
}

/* ---- no table ---- */

/* The two share a table with a page at USER; the first has one of its own at USER + SLOT. Returns
 * one of the frames that are missing. */
static frame_t share_without_tables(void)
{
    frame_t last = FRAME_NONE;
    static const uint32_t apart[PAGING_USER_SLOTS / 32];
    machine_start_with(MACHINE_FRAMES, 4096);
    machine_map_rows();
    begin();
    (void)map(&one, USER);
    (void)map(&one, USER + SLOT);
    paging_user_share(&one, &two, apart);
    CHECK_EQUAL(paging_user_take_table(&one, USER + SLOT), 0);
    for (frame_t next; (next = pageframe_alloc(PAGEFRAME_DIRECT, KERNEL_FRAME)) != FRAME_NONE;)
        last = next;
    machine_check_is_clean();
    return last;
}

TEST(user_calls_without_a_table_change_nothing)
{
    const frame_t missing = share_without_tables();
    frame_t frame;
    uint32_t kept;
    frame = pageframe_alloc_promised(PAGEFRAME_ANYWHERE, USER_FRAME);
    CHECK(frame >= PAGING_DIRECT_FRAMES && frame != FRAME_NONE);
    kept = promised();
    CHECK_EQUAL(paging_user_map(&one, LIBRARY, frame, OWN | W), -ENOMEM);
    CHECK_EQUAL(paging_user_map(&one, USER + PAGE_SIZE, frame, OWN | W), -ENOMEM);
    CHECK_EQUAL(paging_user_take_table(&two, USER), -ENOMEM);
    CHECK_EQUAL(paging_user_move(&one, USER + SLOT, LIBRARY, PAGE_SIZE), -ENOMEM);
    CHECK_EQUAL(paging_user_move(&one, USER + SLOT, USER + PAGE_SIZE, PAGE_SIZE), -ENOMEM);
    CHECK(pageframe_alloc_promised(PAGEFRAME_DIRECT, USER_FRAME) == FRAME_NONE);
    CHECK(pageframe_alloc_promised_zeroed(USER_FRAME) == FRAME_NONE);
    CHECK_EQUAL(promised(), kept);
    CHECK_EQUAL(paging_user_pages(&one) + paging_user_pages(&two), 4);
    CHECK(paging_user_is_shared(&one, USER) && paging_user_is_shared(&two, USER));
    machine_check_is_clean();
    CHECK_EQUAL(paging_check_unmapped(), 1); /* the frame that found no place */
    /* One frame more, and it has. */
    CHECK_EQUAL(pageframe_free(missing), 0);
    CHECK_EQUAL(paging_user_map(&one, LIBRARY, frame, OWN | W), 0);
    CHECK_EQUAL(paging_user_tables(&one), 3);
    machine_check_is_clean();
    CHECK_EQUAL(paging_check_unmapped(), 0);
}
