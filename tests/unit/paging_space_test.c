#include "kernel/memory/paging/user.h"
#include "tests/unit/paging_machine.h"

/*
 * Spaces beside the kernel's: what making one takes and what destroying it gives back, that their
 * number has an end, and that each sees every change of the kernel's rows.
 */
#define W  PAGING_WRITE
#define WC PAGING_WRITE_COMBINING

/* Whether a second count is as it should be: n spaces and the kernel share frames of roots. */
static uint32_t root_frames(uint32_t spaces)
{
    return (spaces + 1 + TOPS_A_FRAME - 1) / TOPS_A_FRAME;
}

TEST(spaces_take_a_frame_each_and_share_those_of_roots)
{
    static struct paging_space spaces[300];
    uint32_t before, tables;
    machine_boot();
    before = machine_free_frames();
    tables = paging_table_frames();
    for (uint32_t i = 0; i < ARRAY_COUNT(spaces); i++) {
        CHECK_EQUAL(paging_space_create(&spaces[i]), 0);
        CHECK_EQUAL(spaces[i].root % TOP_SIZE, 0);
        CHECK_EQUAL(before - machine_free_frames(), i + 1 + root_frames(i + 1) - 1);
        CHECK_EQUAL(paging_table_frames() - tables, before - machine_free_frames());
        CHECK(paging_query(&spaces[i], MACHINE_TEXT).present);
        CHECK(!paging_query(&spaces[i], MAP_USER_START).present);
    }
    machine_check_is_clean();
    CHECK(paging_space_first() == &spaces[ARRAY_COUNT(spaces) - 1]);
    /* In the order 0, 7, 14, ...: from every place of every frame. */
    for (uint32_t i = 0; i < ARRAY_COUNT(spaces); i++) {
        paging_space_destroy(&spaces[i * 7 % ARRAY_COUNT(spaces)]);
        if (i % 30 == 0)
            machine_check_is_clean();
    }
    CHECK(paging_space_first() == NULL);
    CHECK_EQUAL(machine_free_frames(), before);
    CHECK_EQUAL(paging_table_frames(), tables);
    machine_check_is_clean();
}

/* A root that came back is the next that is given. */
TEST(space_roots_come_back)
{
    static struct paging_space spaces[200], again;
    paddr_t root;
    machine_boot();
    for (uint32_t i = 0; i < ARRAY_COUNT(spaces); i++)
        CHECK_EQUAL(paging_space_create(&spaces[i]), 0);
    root = spaces[40].root;
    paging_space_destroy(&spaces[40]);
    CHECK_EQUAL(paging_space_create(&again), 0);
    CHECK_EQUAL(again.root, root);
    machine_check_is_clean();
}

TEST(spaces_end_where_their_roots_end)
{
    const uint32_t limit = TOP_FRAMES * TOPS_A_FRAME - 1; /* the kernel has one, too */
    struct paging_space *spaces = calloc(limit + 1, sizeof(*spaces));
    uint32_t before, left;
    machine_start_with(2 * MACHINE_FRAMES, 0);
    before = machine_free_frames();
    for (uint32_t i = 0; i < limit; i++)
        CHECK_EQUAL(paging_space_create(&spaces[i]), 0);
    left = machine_free_frames();
    CHECK(left > 0);
    CHECK_EQUAL(paging_space_create(&spaces[limit]), -ENOMEM);
    CHECK_EQUAL(machine_free_frames(), left);
    machine_check_is_clean();
    paging_space_destroy(&spaces[limit / 2]);
    CHECK_EQUAL(paging_space_create(&spaces[limit / 2]), 0);
    for (uint32_t i = 0; i < limit; i++)
        paging_space_destroy(&spaces[i]);
    CHECK_EQUAL(machine_free_frames(), before);
    machine_check_is_clean();
    free(spaces);
}

/* The first frame that is missing, and the second, which is one for roots. */
TEST(a_space_that_cannot_be_made_takes_nothing)
{
    static struct paging_space spaces[TOPS_A_FRAME];
    frame_t last, other;
    machine_boot();
    for (uint32_t i = 0; i < TOPS_A_FRAME - 1; i++)
        CHECK_EQUAL(paging_space_create(&spaces[i]), 0);
    last = machine_frame(KERNEL_FRAME);
    other = machine_frame(KERNEL_FRAME);
    while (machine_free_frames() > 0)
        (void)machine_frame(KERNEL_FRAME);
    for (uint32_t left = 0; left < 2; left++) {
        CHECK_EQUAL(paging_space_create(&spaces[TOPS_A_FRAME - 1]), -ENOMEM);
        CHECK_EQUAL(machine_free_frames(), left);
        machine_check_is_clean();
        CHECK_EQUAL(pageframe_free(left == 0 ? last : other), 0);
    }
    CHECK_EQUAL(paging_space_create(&spaces[TOPS_A_FRAME - 1]), 0);
    CHECK_EQUAL(machine_free_frames(), 0);
    machine_check_is_clean();
}

TEST(a_space_that_goes_while_it_is_loaded_leaves_the_kernels)
{
    static struct paging_space space, other;
    machine_boot();
    CHECK_EQUAL(paging_space_create(&space), 0);
    CHECK_EQUAL(paging_space_create(&other), 0);
    paging_load(&space);
    CHECK_EQUAL(host_root, space.root);
    paging_space_destroy(&other);
    CHECK_EQUAL(host_root, space.root);
    paging_space_destroy(&space);
    CHECK_EQUAL(host_root, paging_kernel.root);
    CHECK(paging_loaded == &paging_kernel);
    machine_check_is_clean();
}

/* ---- the kernel's rows ---- */

static struct paging_space two[2];

static void check_all_see(uint32_t address, bool present, uint32_t flags)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct paging_translation found = paging_query(&two[i], address);
        CHECK_EQUAL(found.present, present);
        if (present)
            CHECK_EQUAL(found.flags, flags);
    }
    machine_check_is_clean();
}

/* In the first directory of each space: a new table, a large page that comes, is cut and goes. */
TEST(every_space_sees_what_changes_in_the_kernels_rows)
{
    const uint32_t screen = MACHINE_SCREEN + 0x1000000, cut = screen + 0x5000;
    volatile void *registers;
    machine_boot();
    CHECK_EQUAL(paging_space_create(&two[0]), 0);
    CHECK_EQUAL(paging_space_create(&two[1]), 0);
    paging_load(&two[1]);
    registers = paging_map_device(MACHINE_DEVICE, 0x1000);
    CHECK(registers != NULL);
    check_all_see((uint32_t)(uintptr_t)registers, true, W | PAGING_UNCACHED);
    paging_unmap_device(registers, 0x1000);
    check_all_see((uint32_t)(uintptr_t)registers, false, 0);
    CHECK_EQUAL(paging_map(&paging_kernel, screen, 0xE8000, 1024, W | WC), 0);
    check_all_see(screen, true, W | WC);
    host_page_flushes = host_full_flushes = 0;
    CHECK_EQUAL(paging_unmap(&paging_kernel, cut, 1), 0);
    check_all_see(cut, false, 0);
    check_all_see(cut + PAGE_SIZE, true, W | WC);
    /* The cut: what the processor knew of the large page, before and behind the loaded space's own
     * directory entry has changed; and the page that went. */
    CHECK_EQUAL(host_page_flushes, 3);
    CHECK_EQUAL(host_full_flushes, 0);
    CHECK_EQUAL(paging_unmap(&paging_kernel, screen + PAGE_LARGE_SIZE, 512), 0);
    check_all_see(screen + PAGE_LARGE_SIZE, false, 0);
    paging_space_destroy(&two[0]);
    paging_space_destroy(&two[1]);
    machine_check_is_clean();
}

/* Processor bits of a directory entry are each directory's own: they are no difference. */
TEST(accessed_bits_of_the_kernels_rows_differ_among_spaces)
{
    machine_boot();
    CHECK_EQUAL(paging_space_create(&two[0]), 0);
    directory_entry(&two[0], PAGE_OF(MACHINE_TEXT))->whole |= ENTRY_ACCESSED;
    directory_entry(&two[0], PAGE_OF(MACHINE_SCREEN))->whole |= ENTRY_ACCESSED | ENTRY_DIRTY;
    machine_check_is_clean();
}
