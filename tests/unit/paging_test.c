#include "tests/unit/paging_machine.h"

#define W         PAGING_WRITE
#define X         PAGING_EXECUTE
#define U         PAGING_USER
#define WC        PAGING_WRITE_COMBINING
#define UC        PAGING_UNCACHED
#define S         PAGING_SMALL

#define USER_BASE 0x10000000u

/* Everything that can be seen of a space, in one number. */
static bool mix(void *context, uint32_t start, uint64_t end, const struct paging_translation *first)
{
    uint64_t *hash = context;
    const uint64_t words[] = {start, end, first->physical, first->flags, first->large};
    for (unsigned i = 0; i < ARRAY_COUNT(words); i++)
        *hash = (*hash ^ words[i]) * 0x100000001B3u;
    return true;
}

static uint64_t fingerprint(void)
{
    uint64_t hash = 0xCBF29CE484222325u;
    paging_visit(&paging_kernel, mix, &hash);
    return (hash ^ paging_table_frames()) * 31 + machine_free_frames();
}

static void forget_flushes(void)
{
    host_page_flushes = host_full_flushes = 0;
}

#define CHECK_FLUSHES(pages, full)                                                                 \
    do {                                                                                           \
        CHECK_EQUAL(host_page_flushes, pages);                                                     \
        CHECK_EQUAL(host_full_flushes, full);                                                      \
        forget_flushes();                                                                          \
    } while (0)

static int map(uint32_t start, frame_t first, uint32_t pages, uint32_t flags)
{
    return paging_map(&paging_kernel, start, first, pages, flags);
}

static struct paging_translation query(uint32_t address)
{
    return paging_query(&paging_kernel, address);
}

/* A run of user frames, 2 MiB aligned. */
static frame_t user_run(uint32_t frames)
{
    frame_t first = pageframe_alloc_run(frames, 512, FRAME_NONE, PAGEFRAME_ANYWHERE, USER_FRAME);
    CHECK(first != FRAME_NONE);
    return first;
}

TEST(policies_ascend_touch_and_cover)
{
    uint32_t page = 0;
    for (unsigned i = 0; i < POLICY_COUNT; i++) {
        const struct paging_policy *policy = &paging_policies[i];
        CHECK_EQUAL(policy->page, page);
        CHECK(policy->end > policy->page);
        CHECK_EQUAL(policy->required & ~policy->allowed, 0);
        if (policy->backing != BACKING_NOTHING && !(policy->allowed & PAGING_SMALL))
            CHECK_EQUAL(policy->end % 512, 0);
        page = policy->end;
    }
    CHECK_EQUAL(page, 0x100000);
}

TEST(init_takes_five_frames_and_the_tables_of_heap_and_stack)
{
    machine_start(ALL_FEATURES);
    /* 8192 - 97 frames of RAM from page 0x550 on: slots 2 to 18; and the stack's slot. */
    CHECK_EQUAL(paging_table_frames(), 5 + 17 + 1);
    CHECK_EQUAL(bytemap_count_state(BYTEMAP_PAGE_TABLE), 23);
    CHECK(paging_kernel.root < 0x100000000u);
    CHECK_EQUAL(paging_kernel.root % 32, 0);
    machine_check_is_clean();
    for (uint32_t address = 0x550000; address < 0x550000 + 0x1F9F000; address += PAGE_SIZE)
        CHECK_EQUAL(paging_walk(&paging_kernel, address).levels, 3);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x08560000).levels, 3);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x10000000).levels, 2);
}

/* The expectations of docs/memory-map.md, row by row. */
TEST(boot_rows_are_as_the_map_says)
{
    static const struct {
        uint32_t start, end;
        bool present;
        uint32_t flags;
        uint64_t physical;
    } rows[] = {
        {0x00000000, 0x00006000, false, 0, 0},
        {0x00006000, 0x00007000, true, 0, 0x6000},
        {0x00007000, 0x0009F000, false, 0, 0},
        {0x0009F000, 0x000C0000, true, W | UC, 0x9F000},
        {0x000C0000, 0x00100000, true, 0, 0xC0000},
        {0x00100000, 0x00120000, true, X, 0x100000},
        {0x00120000, 0x00130000, true, 0, 0x120000},
        {0x00130000, 0x00150000, true, W, 0x130000},
        {0x00150000, 0x08560000, false, 0, 0},
        {0x08570000, 0x08600000, false, 0, 0},
        {0x08600000, 0x08DE9000, true, W | WC, 0xE0000000},
        {0x08DE9000, 0x30001000, false, 0, 0},
        {0x30001000, 0x30006000, true, W, 0x1000},
        {0x30006000, 0x30007000, false, 0, 0},
        {0x30007000, 0x3009F000, true, W, 0x7000},
        {0x3009F000, 0x30100000, false, 0, 0},
        {0x30100000, 0x30130000, true, 0, 0x100000},
        {0x30130000, 0x32000000, true, W, 0x130000},
        {0x32000000, 0xFFFFF000, false, 0, 0},
    };
    machine_boot();
    machine_check_is_clean();
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++)
        for (uint64_t address = rows[i].start; address < rows[i].end; address += PAGE_SIZE) {
            struct paging_translation found = query((uint32_t)address + 0x123);
            CHECK_EQUAL(found.present, rows[i].present);
            if (!found.present)
                continue;
            CHECK_EQUAL(found.flags, rows[i].flags);
            CHECK_EQUAL(found.physical, rows[i].physical + (address - rows[i].start) + 0x123);
            CHECK(found.global);
        }
    CHECK(query(0x08600000).large);
    CHECK(!query(0x08C00000).large); /* the last, partial 2 MiB */
    CHECK(!query(0x30000000 + 0x140000).large);
    CHECK(query(0x30000000 + 0x200000).large);
}

TEST(every_refusal_changes_nothing)
{
    static const struct {
        uint64_t start;
        uint32_t frame, pages, flags;
        int error;
    } calls[] = {
        /* Misaligned, empty. */
        {0x10000001, 0x1000, 1, U, -EINVAL},
        {0x10000800, 0x1000, 1, U, -EINVAL},
        {0x10000000, 0x1000, 0, U, -EINVAL},
        /* Flags that contradict each other, or are none. */
        {0x10000000, 0x1000, 1, U | W | X, -EINVAL},
        {0x10000000, 0x1000, 1, U | WC | UC, -EINVAL},
        {0x10000000, 0x1000, 1, U | 1u << 6, -EINVAL},
        {0x10000000, 0x1000, 1, U | 1u << 31, -EINVAL},
        /* User rights: where they must be, where they must not. */
        {0x10000000, 0x1000, 1, W, -EINVAL},
        {0x1FFFF000, 0x1000, 1, 0, -EINVAL},
        {0x20000000, 0x1000, 1, X, -EINVAL},
        {0x2FFFF000, 0x1000, 2, U, -EINVAL},
        {0x0FFFF000, 0x1000, 1, U | W | UC, -EINVAL},
        {0x0FFFF000, 0xFEC00, 2, W | UC, -EINVAL},
        {0x00550000, 0x1000, 1, U | W, -EINVAL},
        {0x34000000, 0x4000, 1, U | W, -EINVAL},
        /* Rows that are never mapped, and ranges that touch one. */
        {0x00000000, 0, 1, 0, -ERANGE},
        {0x00000000, 0, 1, W, -ERANGE},
        {0x00001000, 1, 1, W, -ERANGE},
        {0x00005000, 5, 2, 0, -ERANGE},
        {0x00006000, 6, 2, 0, -ERANGE},
        {0x0009E000, 0x9E, 1, W | UC, -ERANGE},
        {0x08550000, 0x1000, 1, W, -ERANGE},
        {0x0855F000, 0x1000, 2, W, -ERANGE},
        {0x0854F000, 0x1000, 2, W, -ERANGE},
        {0x08570000, 0x1000, 1, W, -ERANGE},
        {0x0857F000, 0xE0000, 2, W | WC, -ERANGE},
        {0xFFC00000, 0x1000, 1, W, -ERANGE},
        {0xFFBFF000, 0x1000, 2, W, -ERANGE},
        {0xFFFFF000, 0x1000, 1, 0, -ERANGE},
        /* Beyond 4 GiB, or wrapping round. */
        {0xFFFFF000, 0x1000, 2, W, -ERANGE},
        {0x10000000, 0x1000, 0xF0001, U, -ERANGE},
        {0x10000000, 0x1000, 0xFFFFFFFF, U, -ERANGE},
        {0x10000000, 0x1000, 0x80000000, U, -ERANGE},
        /* Frames beyond the processor's 36 bits. */
        {0x10000000, 0x1000000, 1, U, -ERANGE},
        {0x10000000, 0xFFFFFF, 2, U, -ERANGE},
        {0x10000000, FRAME_NONE, 1, U, -ERANGE},
        /* Rights and cache types that the row does not have. */
        {0x00006000, 6, 1, W, -EINVAL},
        {0x000A0000, 0xA0, 1, W, -EINVAL},
        {0x000C0000, 0xC0, 1, W, -EINVAL},
        {0x000C0000, 0xC0, 1, X, -EINVAL},
        {0x00100000, 0x100, 1, UC, -EINVAL},
        {0x00550000, 0x1000, 1, 0, -EINVAL},
        {0x00550000, 0x1000, 1, X, -EINVAL},
        {0x00550000, 0x1000, 1, W | UC, -EINVAL},
        {0x08580000, 0xE0000, 1, W, -EINVAL},
        {0x0B000000, 0xFEC00, 1, W | WC, -EINVAL},
        {0x34000000, 0x4000, 1, X, -EINVAL},
        {0x34000000, 0x4000, 1, W | UC, -EINVAL},
        {0xF8000000, 0x1000, 1, X, -EINVAL},
        /* Frames that the row does not have. */
        {0x00006000, 7, 1, 0, -EINVAL},
        {0x00100000, 0x101, 1, W, -EINVAL},
        {0x34000000, 0x4001, 1, W, -EINVAL},
        {0x00140000, 0x13F, 2, W, -EINVAL},
        {0x34000000, 0x4001, 2, W, -EINVAL},
        /* Mapped already: all of it, the first page, the last page, inside a large page. */
        {0x00100000, 0x100, 1, W, -EEXIST},
        {0x0014F000, 0x14F, 2, W, -EEXIST},
        {0x000FF000, 0xFF, 1, 0, -EEXIST},
        {0x08580000, 0xE0000, 0x81, W | WC, -EEXIST},
        {0x08601000, 0xE0001, 1, W | WC, -EEXIST},
        {0x31000000, 0x1000, 1, W, -EEXIST},
        {0x31E00000, 0x1E00, 1024, W, -EEXIST},
    };
    uint64_t before;
    machine_boot();
    before = fingerprint();
    for (unsigned i = 0; i < ARRAY_COUNT(calls); i++) {
        int error = map((uint32_t)calls[i].start, calls[i].frame, calls[i].pages, calls[i].flags);
        if (error != calls[i].error || fingerprint() != before)
            test_fail(__FILE__, __LINE__, "call %u (0x%llx) gave %d, expected %d", i,
                      (unsigned long long)calls[i].start, error, calls[i].error);
        if (calls[i].pages != 1)
            continue;
        error = paging_map_page(&paging_kernel, (uint32_t)calls[i].start, calls[i].frame,
                                calls[i].flags);
        if (error != calls[i].error || fingerprint() != before)
            test_fail(__FILE__, __LINE__, "page call %u gave %d", i, error);
    }
    machine_check_is_clean();
}

/* Two rows in one table: each has its own books, so a step ends where a row does. */
TEST(unmap_of_two_rows_at_once)
{
    machine_boot();
    CHECK_EQUAL(paging_unmap(&paging_kernel, MAP_VIDEO_END - 8 * PAGE_SIZE, 20), 0);
    machine_check_is_clean();
    CHECK(query(MAP_VIDEO_END - 9 * PAGE_SIZE).present);
    CHECK(!query(MAP_VIDEO_END - 8 * PAGE_SIZE).present);
    CHECK(!query(MAP_VIDEO_END + 11 * PAGE_SIZE).present);
    CHECK(query(MAP_VIDEO_END + 12 * PAGE_SIZE).present);
}

TEST(unmap_and_protect_refuse_and_change_nothing)
{
    static const struct {
        uint32_t start, pages, flags;
        int unmap, protect;
    } calls[] = {
        {0x00100001, 1, W, -EINVAL, -EINVAL}, {0x00100000, 0, W, -EINVAL, -EINVAL},
        {0xFFFFF000, 2, W, -ERANGE, -ERANGE}, {0x00550000, 1, W, -ENOENT, -ENOENT},
        {0x0014F000, 2, W, -ENOENT, -ENOENT}, {0x08DE8000, 2, W | WC, -ENOENT, -ENOENT},
        {0x31FFF000, 2, W, -ENOENT, -ENOENT}, {0x08550000, 1, W, -ENOENT, -ERANGE},
        {0x00000000, 1, 0, -ENOENT, -ERANGE},
    };
    static const struct {
        uint32_t start, flags;
        int error;
    } protects[] = {
        {0x00100000, W | X, -EINVAL},   {0x00100000, U | X, -EINVAL}, {0x00100000, UC, -EINVAL},
        {0x00100000, 1u << 9, -EINVAL}, {0x08560000, 0, -EINVAL},     {0x08560000, X, -EINVAL},
        {0x08600000, W, -EINVAL},       {0x30200000, W | U, -EINVAL}, {0x30200000, X, -EINVAL},
        {0x000A0000, W, -EINVAL},       {0x000C0000, W, -EINVAL},
    };
    uint64_t before;
    machine_boot();
    before = fingerprint();
    for (unsigned i = 0; i < ARRAY_COUNT(calls); i++) {
        CHECK_EQUAL(paging_unmap(&paging_kernel, calls[i].start, calls[i].pages), calls[i].unmap);
        CHECK_EQUAL(paging_protect(&paging_kernel, calls[i].start, calls[i].pages, calls[i].flags),
                    calls[i].protect);
        CHECK_EQUAL(fingerprint(), before);
    }
    for (unsigned i = 0; i < ARRAY_COUNT(protects); i++) {
        CHECK_EQUAL(paging_protect(&paging_kernel, protects[i].start, 1, protects[i].flags),
                    protects[i].error);
        CHECK_EQUAL(fingerprint(), before);
    }
    CHECK_EQUAL(paging_unmap_page(&paging_kernel, 0x00550000), FRAME_NONE);
    CHECK_EQUAL(paging_unmap_page(&paging_kernel, 0x00100800), FRAME_NONE);
    CHECK_EQUAL(paging_unmap_page(&paging_kernel, 0x08600000), FRAME_NONE);
    CHECK_EQUAL(paging_unmap_page(&paging_kernel, 0x10000000), FRAME_NONE);
    CHECK_EQUAL(fingerprint(), before);
    machine_check_is_clean();
    CHECK_FLUSHES(0, 0);
}

TEST(a_page_comes_and_goes)
{
    frame_t frame;
    machine_boot();
    frame = machine_frame(HEAP_FRAME);
    CHECK_EQUAL(paging_map_page(&paging_kernel, 0x00550000, frame, W), 0);
    CHECK_FLUSHES(0, 0);
    CHECK_EQUAL(query(0x00550FFF).physical, frame_address(frame) + 0xFFF);
    CHECK_EQUAL(query(0x00550FFF).flags, W);
    machine_check_is_clean();
    CHECK_EQUAL(paging_map_page(&paging_kernel, 0x00550000, frame, W), -EEXIST);
    CHECK_EQUAL(paging_unmap_page(&paging_kernel, 0x00550000), frame);
    CHECK_FLUSHES(1, 0);
    CHECK_EQUAL(host_last_page_flush, 0x00550000);
    CHECK(!query(0x00550000).present);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x00550000).entries[2], 0);
    CHECK_EQUAL(pageframe_free(frame), 0);
    machine_check_is_clean();
}

/* Bits as the SDM's tables have them, for one page of each kind. */
TEST(raw_entries)
{
    frame_t user;
    machine_boot();
    user = machine_frame(USER_FRAME);
    CHECK_EQUAL(map(USER_BASE, user, 1, U | X), 0);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x100000).entries[2], 0x100101);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x120000).entries[2], 0x8000000000120101);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x130000).entries[2], 0x8000000000130103);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0xB8000).entries[2], 0x80000000000B811B);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x8600000).entries[1], 0x80000000E000018B);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x8600000).levels, 2);
    CHECK_EQUAL(paging_walk(&paging_kernel, USER_BASE).entries[2], frame_address(user) | 5);
    CHECK_EQUAL(paging_walk(&paging_kernel, USER_BASE).entries[1] & 0xFFF, 7);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x130000).entries[1] & 0xFFF, 3);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x130000).entries[0] & 0xFFF, 1);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x130000).entries[0] >> 32, 0);
    machine_check_is_clean();
}

TEST(features_that_are_missing_leave_no_bit)
{
    struct platform_features none = {false, false, false, 36};
    machine_start(none);
    machine_map_rows();
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x100000).entries[2], 0x100001);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x130000).entries[2], 0x130003);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0xB8000).entries[2], 0xB801B);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x8600000).entries[1], 0xE0000093);
    CHECK_EQUAL(query(0x8600000).flags, W | X | UC); /* in effect */
    CHECK(!query(0x8600000).global);
    CHECK_EQUAL(map(USER_BASE, 0x1000, 1, U | W | X), -EINVAL);
    machine_check_is_clean();
}

TEST(the_physical_width_bounds_what_can_be_mapped)
{
    struct platform_features narrow = {true, true, true, 32}, wide = {true, true, true, 52};
    machine_start(narrow);
    CHECK_EQUAL(map(MACHINE_SCREEN, 0x100000, 1, W | WC), -ERANGE);
    CHECK_EQUAL(map(MACHINE_SCREEN, 0xFFFFF, 2, W | WC), -ERANGE);
    CHECK_EQUAL(map(MACHINE_SCREEN, 0xFFFFF, 1, W | WC), 0);
    machine_start(wide);
    CHECK_EQUAL(map(MACHINE_SCREEN, 0xFFFFFFF0, 16, W | WC), -ERANGE);
    CHECK_EQUAL(map(MACHINE_SCREEN, 0xFFFFFFE0, 15, W | WC), 0);
    CHECK_EQUAL(query(MACHINE_SCREEN).physical, 0xFFFFFFE0000);
    machine_check_is_clean();
}

/* Which sizes a mapping of 3 slots gets, by alignment and flags. */
TEST(large_pages_where_both_sides_are_aligned)
{
    static const struct {
        uint32_t page, frame, pages, flags, large;
    } cases[] = {
        {0, 0, 512, U | W, 1},  {0, 0, 511, U | W, 0},  {0, 1, 512, U | W, 0},
        {1, 0, 512, U | W, 0},  {1, 1, 1023, U | W, 1}, {511, 511, 514, U, 1},
        {0, 0, 1536, U | X, 3}, {0, 0, 1536, U | S, 0}, {0, 512, 1024, U, 2},
        {300, 300, 1000, U, 1}, {0, 0, 1, U, 0},
    };
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        frame_t run;
        uint32_t large = 0;
        machine_boot();
        run = user_run(2048);
        CHECK_EQUAL(map(USER_BASE + cases[i].page * PAGE_SIZE, run + cases[i].frame, cases[i].pages,
                        cases[i].flags),
                    0);
        for (uint32_t slot = 0; slot < 4; slot++)
            large += query(USER_BASE + slot * PAGE_LARGE_SIZE).large;
        CHECK_EQUAL(large, cases[i].large);
        machine_check_is_clean();
    }
}

TEST(a_present_table_keeps_small_pages)
{
    frame_t run;
    machine_boot();
    run = user_run(512);
    CHECK_EQUAL(map(USER_BASE, run, 1, U), 0);
    CHECK_EQUAL(paging_unmap(&paging_kernel, USER_BASE, 1), 0);
    CHECK_EQUAL(map(USER_BASE, run, 512, U), 0);
    CHECK(!query(USER_BASE).large);
    machine_check_is_clean();
}

/* A cut large page keeps its translation everywhere but in the cut. */
TEST(splitting)
{
    static const struct {
        uint32_t page, pages, tables;
    } cuts[] = {{0, 1, 1},     {511, 1, 1}, {100, 300, 1}, {100, 900, 2},  {511, 2, 2},
                {511, 514, 2}, {0, 512, 0}, {0, 513, 1},   {512, 1024, 0}, {1, 1535, 1}};
    for (unsigned i = 0; i < ARRAY_COUNT(cuts); i++)
        for (unsigned unmap = 0; unmap < 2; unmap++) {
            uint32_t start = USER_BASE + cuts[i].page * PAGE_SIZE, tables;
            frame_t run;
            machine_boot();
            run = user_run(1536);
            CHECK_EQUAL(map(USER_BASE, run, 1536, U | W), 0);
            tables = paging_table_frames();
            if (unmap)
                CHECK_EQUAL(paging_unmap(&paging_kernel, start, cuts[i].pages), 0);
            else
                CHECK_EQUAL(paging_protect(&paging_kernel, start, cuts[i].pages, U), 0);
            CHECK_EQUAL(paging_table_frames(), tables + cuts[i].tables);
            for (uint32_t page = 0; page < 1536; page++) {
                struct paging_translation found = query(USER_BASE + page * PAGE_SIZE);
                bool is_cut = page - cuts[i].page < cuts[i].pages;
                CHECK_EQUAL(found.present, !(is_cut && unmap));
                if (!found.present)
                    continue;
                CHECK_EQUAL(found.physical, frame_address(run + page));
                CHECK_EQUAL(found.flags, is_cut ? U : U | W);
            }
            machine_check_is_clean();
        }
}

TEST(protecting_to_the_same_rights_does_nothing)
{
    uint64_t before;
    machine_boot();
    before = fingerprint();
    CHECK_EQUAL(paging_protect(&paging_kernel, 0x08601000, 5, W | WC), 0);
    CHECK_EQUAL(paging_protect(&paging_kernel, 0x08600000, 1024, W | WC), 0);
    CHECK_EQUAL(paging_protect(&paging_kernel, 0x00130000, 32, W), 0);
    CHECK_EQUAL(fingerprint(), before);
    CHECK_FLUSHES(0, 0);
}

TEST(accessed_and_dirty_survive)
{
    union paging_entry *entry;
    machine_boot();
    entry = table_entry(entry_read(directory_entry(&paging_kernel, 0x30130)), 0x30130);
    entry->low |= 0x60;
    CHECK(query(0x30130000).accessed && query(0x30130000).dirty);
    CHECK(!query(0x30131000).accessed && !query(0x30131000).dirty);
    machine_check_is_clean();
    CHECK_EQUAL(paging_protect(&paging_kernel, 0x30130000, 2, 0), 0);
    CHECK(query(0x30130000).accessed && query(0x30130000).dirty);
    CHECK(!query(0x30131000).accessed && !query(0x30131000).dirty);
    entry = directory_entry(&paging_kernel, PAGE_OF(MACHINE_SCREEN));
    entry->low |= 0x60;
    CHECK_EQUAL(paging_unmap(&paging_kernel, MACHINE_SCREEN + 0x1000, 1), 0);
    CHECK(query(MACHINE_SCREEN).accessed && query(MACHINE_SCREEN).dirty);
    machine_check_is_clean();
    CHECK_EQUAL(paging_unmap(&paging_kernel, MACHINE_SCREEN, 1), 0);
    CHECK_EQUAL(paging_walk(&paging_kernel, MACHINE_SCREEN).entries[2], 0);
    machine_check_is_clean();
}

TEST(exactly_the_flushes_that_are_needed)
{
    frame_t run;
    machine_boot();
    CHECK_FLUSHES(0, 0);
    run = user_run(2048);
    CHECK_EQUAL(map(USER_BASE, run, 2048, U | W), 0); /* 4 large pages */
    CHECK_FLUSHES(0, 0);
    CHECK_EQUAL(paging_protect(&paging_kernel, USER_BASE, 2048, U), 0);
    CHECK_FLUSHES(4, 0);
    CHECK_EQUAL(paging_protect(&paging_kernel, USER_BASE, 3, U | W), 0); /* splits */
    CHECK_FLUSHES(1 + 3, 0);
    CHECK_EQUAL(paging_protect(&paging_kernel, USER_BASE, 5, U | W), 0); /* two of them change */
    CHECK_FLUSHES(2, 0);
    CHECK_EQUAL(paging_unmap(&paging_kernel, USER_BASE, 32), 0);
    CHECK_FLUSHES(32, 0);
    CHECK_EQUAL(paging_unmap(&paging_kernel, USER_BASE + 32 * PAGE_SIZE, 33), 0);
    CHECK_FLUSHES(0, 1);
    CHECK_EQUAL(paging_unmap(&paging_kernel, USER_BASE + 512 * PAGE_SIZE, 1024), 0);
    CHECK_FLUSHES(2, 0);
    CHECK_EQUAL(paging_unmap(&paging_kernel, USER_BASE + 1536 * PAGE_SIZE, 33), 0); /* splits */
    CHECK_FLUSHES(1, 1);
    CHECK_EQUAL(paging_protect(&paging_kernel, 0x00130000, 1, 0), 0);
    CHECK_FLUSHES(1, 0);
    CHECK_EQUAL(host_last_page_flush, 0x00130000);
}

/* What the slot that is cut said at the first flush. */
static uint32_t cut_address;
static uint64_t cut_slot;
static unsigned cut_flushes;

static void look_at_slot(uintptr_t address)
{
    if (cut_flushes++ > 0)
        return;
    CHECK_EQUAL(address / PAGE_LARGE_SIZE, cut_address / PAGE_LARGE_SIZE);
    cut_slot = entry_read(directory_entry(&paging_kernel, PAGE_OF(cut_address)));
}

static uint64_t slot_while_cutting(uint32_t address)
{
    CHECK(query(address).large);
    cut_address = address;
    cut_flushes = 0;
    cut_slot = UINT64_MAX;
    host_on_flush = look_at_slot;
    CHECK_EQUAL(paging_protect(&paging_kernel, address, 1, 0), 0);
    host_on_flush = NULL;
    CHECK_EQUAL(cut_flushes, 2);
    CHECK(!query(address).large && query(address + PAGE_SIZE).present);
    return cut_slot;
}

TEST(a_large_page_is_forgotten_before_its_table_is_there)
{
    uint32_t address;
    machine_boot();
    address = MAP_DIRECT_START + directory_frame(&paging_kernel, 0) * FRAME_SIZE;
    address -= address % PAGE_LARGE_SIZE;
    CHECK_EQUAL(slot_while_cutting(MAP_DIRECT_START + 2 * PAGE_LARGE_SIZE), 0);
    CHECK(entry_is_present(slot_while_cutting(address))); /* its own directory is seen there */
}

TEST(a_space_that_is_not_loaded_needs_no_flush_of_its_own_rows)
{
    struct paging_space other = paging_kernel;
    frame_t frame;
    machine_boot();
    frame = machine_frame(USER_FRAME);
    other = paging_kernel; /* stands for another one: only its address counts */
    paging_load(&other);
    CHECK_EQUAL(host_root, other.root);
    forget_flushes();
    CHECK_EQUAL(map(USER_BASE, frame, 1, U), 0);
    CHECK_EQUAL(paging_protect(&paging_kernel, USER_BASE, 1, U | W), 0);
    CHECK_EQUAL(paging_unmap_page(&paging_kernel, USER_BASE), frame);
    CHECK_FLUSHES(0, 0);
    CHECK_EQUAL(paging_unmap(&paging_kernel, 0x00130000, 1), 0); /* a kernel row is every space's */
    CHECK_FLUSHES(1, 0);
    CHECK_EQUAL(paging_unmap_page(&paging_kernel, 0x00131000), 0x131);
    CHECK_FLUSHES(1, 0);
}

TEST(only_what_every_space_has_is_flushed_of_one_that_is_not_loaded)
{
    struct paging_space other;
    machine_boot();
    other = paging_kernel;
    CHECK_EQUAL(map(0x30000000, 0, 1, W), 0);
    CHECK_EQUAL(map(0x2FFFF000, machine_frame(USER_FRAME), 1, U), 0);
    paging_load(&other);
    forget_flushes();
    CHECK_EQUAL(paging_unmap(&paging_kernel, 0x2FFFF000, 2), 0);
    CHECK_FLUSHES(1, 0);
    CHECK_EQUAL(host_last_page_flush, 0x30000000);
}

/* ---- without memory ---- */

static frame_t hoard[MACHINE_FRAMES];
static uint32_t hoarded;

static void take_all_frames(void)
{
    hoarded = 0;
    for (frame_t frame; (frame = pageframe_alloc(PAGEFRAME_ANYWHERE | PAGEFRAME_MUST,
                                                 KERNEL_FRAME)) != FRAME_NONE;)
        hoard[hoarded++] = frame;
}

static void give_frames(uint32_t count)
{
    while (count-- > 0)
        CHECK_EQUAL(pageframe_free(hoard[--hoarded]), 0);
}

enum operation { MAP, MAP_SMALL, MAP_PAGE, UNMAP, PROTECT, OPERATION_COUNT };

static frame_t operation_run;

static int operate(enum operation operation)
{
    switch (operation) {
    case MAP: /* two tables at the ends of two large pages */
        return map(USER_BASE + 0x1000, operation_run + 1, 2046, U | W);
    case MAP_SMALL: /* three tables */
        return map(USER_BASE, operation_run, 1536, U | W | S);
    case MAP_PAGE:
        return paging_map_page(&paging_kernel, USER_BASE, operation_run, U);
    case UNMAP: /* two splits */
        return paging_unmap(&paging_kernel, MAP_DIRECT_START + 0x210000, 800);
    default:
        return paging_protect(&paging_kernel, MAP_DIRECT_START + 0x210000, 800, 0);
    }
}

TEST(the_nth_frame_is_missing_for_every_n)
{
    static const uint32_t needed[OPERATION_COUNT] = {2, 3, 1, 2, 2};
    for (unsigned operation = 0; operation < OPERATION_COUNT; operation++)
        for (uint32_t have = 0; have <= needed[operation]; have++) {
            uint64_t before;
            machine_boot();
            operation_run = user_run(2048);
            take_all_frames();
            give_frames(have);
            before = fingerprint();
            if (have == needed[operation]) {
                CHECK_EQUAL(operate((enum operation)operation), 0);
                CHECK_EQUAL(machine_free_frames(), 0);
            } else {
                CHECK_EQUAL(operate((enum operation)operation), -ENOMEM);
                CHECK_EQUAL(fingerprint(), before);
                CHECK_EQUAL(machine_free_frames(), have);
                CHECK_FLUSHES(0, 0);
            }
            machine_check_is_clean();
        }
}

TEST(init_without_frames_takes_none)
{
    for (uint32_t have = 0; have <= 23; have++) {
        machine_start(ALL_FEATURES);
        take_all_frames();
        give_frames(have);
        CHECK_EQUAL(paging_init(), have < 23 ? -ENOMEM : 0);
        CHECK_EQUAL(machine_free_frames(), have < 23 ? have : 0);
    }
}

/* ---- between the steps ---- */

/* What comes when interrupts come on for the n-th time, on other pages of the same slots. */
static unsigned visitor_comes_in;
static void (*visitor)(void);

static void on_interrupts_on(void)
{
    if (visitor_comes_in == 0 || --visitor_comes_in > 0)
        return;
    host_on_interrupts_on = NULL;
    machine_check_is_clean();
    visitor();
    machine_check_is_clean();
    host_on_interrupts_on = on_interrupts_on;
}

#define BUSY_PAGE  10u
#define BUSY_PAGES 1024u /* the end of a slot, a slot, the beginning of one */
#define BUSY_START (USER_BASE + BUSY_PAGE * PAGE_SIZE)

static frame_t busy_run;

static int busy_map(void)
{
    return map(BUSY_START, busy_run + BUSY_PAGE, BUSY_PAGES, U | W);
}

static int busy_map_small(void)
{
    return map(BUSY_START, busy_run + BUSY_PAGE, BUSY_PAGES, U | W | S);
}

static int busy_unmap(void)
{
    return paging_unmap(&paging_kernel, BUSY_START, BUSY_PAGES);
}

static int busy_protect(void)
{
    return paging_protect(&paging_kernel, BUSY_START, BUSY_PAGES, U);
}

static void visit_absent(void)
{
    CHECK_EQUAL(paging_map_page(&paging_kernel, USER_BASE, busy_run, U), 0);
    CHECK_EQUAL(map(USER_BASE + 1100 * PAGE_SIZE, busy_run + 1100, 30, U), 0);
}

static void visit_present(void)
{
    CHECK_EQUAL(paging_unmap(&paging_kernel, USER_BASE, 3), 0);
    CHECK_EQUAL(paging_protect(&paging_kernel, USER_BASE + 1100 * PAGE_SIZE, 1, U | X), 0);
}

/* The range is as the call alone would have made it, and so is what the visitor changed. */
TEST(another_call_may_come_wherever_interrupts_are_on)
{
    static const struct {
        uint32_t before; /* flags of all pages before, or 0: nothing is mapped */
        int (*call)(void);
        void (*visit)(void);
    } cases[] = {{0, busy_map, visit_absent},          {0, busy_map_small, visit_absent},
                 {U | W, busy_unmap, visit_present},   {U | W | S, busy_unmap, visit_present},
                 {U | W, busy_protect, visit_present}, {U | W | S, busy_protect, visit_present}};
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        uint64_t alone = 0;
        for (unsigned n = 0;; n++) { /* 0: afterwards */
            bool is_over;
            machine_boot();
            busy_run = user_run(1536);
            if (cases[i].before != 0)
                CHECK_EQUAL(map(USER_BASE, busy_run, 1536, cases[i].before), 0);
            visitor = cases[i].visit;
            visitor_comes_in = n;
            host_on_interrupts_on = on_interrupts_on;
            CHECK_EQUAL(cases[i].call(), 0);
            host_on_interrupts_on = NULL;
            is_over = visitor_comes_in > 0;
            if (n == 0 || is_over)
                visitor();
            if (n == 0)
                alone = fingerprint();
            CHECK_EQUAL(fingerprint(), alone);
            machine_check_is_clean();
            if (is_over) {
                CHECK(n > BUSY_PAGES / SLOT_PAGES);
                break;
            }
        }
    }
}

/* ---- looking ---- */

struct seen {
    unsigned count, limit;
    uint64_t end;
};

static bool count_stretch(void *context, uint32_t start, uint64_t end,
                          const struct paging_translation *first)
{
    struct seen *seen = context;
    CHECK(first->present);
    CHECK(start >= seen->end && end > start);
    seen->end = end;
    return ++seen->count != seen->limit;
}

TEST(visit_joins_what_is_alike)
{
    struct seen seen = {0, 0, 0};
    machine_start(ALL_FEATURES);
    paging_visit(&paging_kernel, count_stretch, &seen);
    CHECK_EQUAL(seen.count, 0);
    CHECK_EQUAL(map(0x00100000, 0x100, 16, X), 0);
    CHECK_EQUAL(map(0x00110000, 0x110, 16, X), 0); /* joins */
    CHECK_EQUAL(map(0x00120000, 0x120, 16, 0), 0); /* other rights */
    CHECK_EQUAL(map(0x00131000, 0x131, 1, 0), 0);  /* a gap */
    CHECK_EQUAL(map(MACHINE_SCREEN - 0x1000, 0xDFFFF, 1, W | WC), 0);
    CHECK_EQUAL(map(MACHINE_SCREEN, 0xE0000, 1025, W | WC), 0); /* large, then small */
    CHECK_EQUAL(map(0xFFBFF000, 0x1000, 1, 0), 0);
    paging_visit(&paging_kernel, count_stretch, &seen);
    CHECK_EQUAL(seen.count, 7);
    CHECK_EQUAL(seen.end, 0xFFC00000);
    seen = (struct seen){0, 3, 0};
    paging_visit(&paging_kernel, count_stretch, &seen);
    CHECK_EQUAL(seen.count, 3);
    CHECK_EQUAL(seen.end, 0x00132000);
}

TEST(query_reads_the_rights_of_all_levels)
{
    union paging_entry *slot;
    machine_boot();
    slot = directory_entry(&paging_kernel, 0x130);
    slot->whole &= ~ENTRY_WRITE;
    CHECK_EQUAL(query(0x130000).flags, 0);
    CHECK_EQUAL(query(0x100000).flags, X);
    slot->whole |= ENTRY_NO_EXECUTE | ENTRY_USER;
    CHECK_EQUAL(query(0x100000).flags, 0);
}

TEST(walk_shows_as_many_levels_as_there_are)
{
    machine_boot();
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x00130000).levels, 3);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0x00000000).levels, 3); /* absent, in a table */
    CHECK_EQUAL(paging_walk(&paging_kernel, MACHINE_SCREEN).levels, 2);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0xFFFFFFFF).levels, 2);
    CHECK_EQUAL(paging_walk(&paging_kernel, 0xFFFFFFFF).entries[1], 0);
}
