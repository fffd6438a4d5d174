#include "tests/unit/paging_machine.h"

#define DEVICE_PAGES    20480u
#define TEMPORARY_PAGES 31744u

static uint32_t address_of(volatile void *pointer)
{
    CHECK(pointer != NULL);
    return (uint32_t)(uintptr_t)pointer;
}

static void check_view(uint32_t address, paddr_t physical, uint32_t flags)
{
    struct paging_translation found = paging_query(&paging_kernel, address);
    CHECK(found.present);
    CHECK_EQUAL(found.physical, physical);
    CHECK_EQUAL(found.flags, flags);
}

TEST(device_registers_at_any_alignment)
{
    static const struct {
        paddr_t physical;
        uint32_t bytes, pages;
    } devices[] = {
        {0xFEC00000, 0x20, 1},   {0xFEE00000, 0x1000, 1},      {0xFED00008, 0x400, 1},
        {0xF0000FFF, 1, 1},      {0xF0000FFF, 2, 2},           {0xF0000800, 0x1000, 2},
        {0xF0000001, 0x2000, 3}, {0xE0000000, 0x800000, 2048}, {0xFFFFFFFFF, 1, 1},
    };
    machine_start(ALL_FEATURES);
    for (unsigned i = 0; i < ARRAY_COUNT(devices); i++) {
        volatile void *registers = paging_map_device(devices[i].physical, devices[i].bytes);
        uint32_t address = address_of(registers), page = address & ~0xFFFu;
        CHECK(address >= 0x0B000000 && address < 0x10000000);
        check_view(address, devices[i].physical, PAGING_WRITE | PAGING_UNCACHED);
        check_view(address + devices[i].bytes - 1, devices[i].physical + devices[i].bytes - 1,
                   PAGING_WRITE | PAGING_UNCACHED);
        CHECK(!paging_query(&paging_kernel, page + devices[i].pages * PAGE_SIZE).present);
        CHECK(!paging_query(&paging_kernel, page - 1).present);
        machine_check_is_clean();
        if (i % 2 == 1)
            continue; /* stays */
        paging_unmap_device(registers, devices[i].bytes);
        CHECK(!paging_query(&paging_kernel, address).present);
        machine_check_is_clean();
    }
}

TEST(a_device_that_two_ask_for_is_mapped_twice)
{
    volatile void *one, *two;
    machine_start(ALL_FEATURES);
    one = paging_map_device(MACHINE_DEVICE, 16);
    two = paging_map_device(MACHINE_DEVICE, 16);
    CHECK(one != two);
    machine_check_is_clean();
    paging_unmap_device(one, 16);
    check_view(address_of(two), MACHINE_DEVICE, PAGING_WRITE | PAGING_UNCACHED);
    machine_check_is_clean();
}

TEST(devices_are_no_ram_and_within_reach)
{
    static const struct {
        paddr_t physical;
        uint32_t bytes;
    } refused[] = {
        {0, 16},                  /* reserved RAM */
        {0x9EFFF, 1},             /* the last byte of low RAM */
        {0x9EFFF, 2},             /* and into the hole */
        {0x100000, 16},           /* the image */
        {0x400000, 16},           /* free RAM */
        {0x1FFFFFF, 16},          /* the last byte of RAM, and beyond */
        {0xF0000, 16},            /* the firmware's image, which its row caches */
        {0xBFFFF, 2},             /* from video memory into it */
        {0xFEC00000, 0},          /* nothing */
        {(paddr_t)1 << 36, 16},   /* beyond the width */
        {0xFFFFFFFFF, 2},         /* across it */
        {(paddr_t)1 << 51, 16},   /* not a frame number */
        {(paddr_t)1 << 44, 16},   /* frame number 2^32 */
        {0xE0000000, 0x10000000}, /* larger than the row */
        {0xE0000000, 0xFFFFFFFF},
        {0xE0000FFF, 0xFFFFFFFF},
        {0xE0000000, 0x5000000}, /* the row without room for its guard */
    };
    machine_start(ALL_FEATURES);
    for (unsigned i = 0; i < ARRAY_COUNT(refused); i++)
        if (paging_map_device(refused[i].physical, refused[i].bytes) != NULL)
            test_fail(__FILE__, __LINE__, "case %u was mapped", i);
    CHECK_EQUAL(paging_windows[0].taken_pages, 0);
    CHECK(paging_map_device(0xB8000, 4000) != NULL);
    CHECK(paging_map_device(0x2000000, 16) != NULL); /* the first byte after RAM */
    CHECK(paging_map_device(0xFFFFFFFFF, 1) != NULL);
    machine_check_is_clean();
}

TEST(temporary_views)
{
    frame_t frame;
    void *view;
    machine_boot();
    frame = machine_frame(KERNEL_FRAME);
    view = paging_map_temporary(frame, 1, PAGING_WRITE);
    check_view(address_of(view), frame_address(frame), PAGING_WRITE);
    CHECK(address_of(view) >= 0xF8000000 && address_of(view) < 0xFFC00000);
    machine_check_is_clean();
    CHECK(paging_map_temporary(frame, 0, 0) == NULL);
    CHECK(paging_map_temporary(frame, 1, PAGING_EXECUTE) == NULL);
    CHECK(paging_map_temporary(frame, 1, PAGING_USER) == NULL);
    CHECK(paging_map_temporary(frame, TEMPORARY_PAGES, 0) == NULL);
    CHECK(paging_map_temporary(frame, UINT32_MAX, 0) == NULL);
    CHECK(paging_map_temporary(FRAME_NONE, 1, 0) == NULL);
    machine_check_is_clean();
    paging_unmap_temporary(view, 1);
    CHECK_EQUAL(paging_windows[1].taken_pages, 0);
    machine_check_is_clean();
    paging_unmap_temporary(NULL, 1);
    paging_unmap_device(NULL, 1);
}

/* One page and its guard at a time until the row is full, then every second one back. */
TEST(a_window_exhausts_and_recovers)
{
    static volatile void *views[DEVICE_PAGES / 2];
    unsigned count = 0;
    machine_start(ALL_FEATURES);
    while (count < DEVICE_PAGES / 2)
        CHECK((views[count++] = paging_map_device(0xE0000000, 1)) != NULL);
    CHECK(paging_map_device(0xE0000000, 1) == NULL);
    machine_check_is_clean();
    for (unsigned i = 0; i < count; i += 2)
        paging_unmap_device(views[i], 1);
    machine_check_is_clean();
    CHECK(paging_map_device(0xE0000000, 0x1001) == NULL); /* no two pages and a guard */
    for (unsigned i = 0; i < count; i += 2)
        CHECK_EQUAL((uintptr_t)paging_map_device(0xE0000000, 1), (uintptr_t)views[i]);
    CHECK(paging_map_device(0xE0000000, 1) == NULL);
    for (unsigned i = 0; i < count; i++)
        paging_unmap_device(views[i], 1);
    CHECK_EQUAL(paging_windows[0].taken_pages, 0);
    CHECK_EQUAL(paging_windows[0].pieces, 0);
    CHECK(paging_map_device(0xE0000000, (DEVICE_PAGES - 1) * PAGE_SIZE) != NULL);
    CHECK(paging_map_device(0xE0000000, 1) == NULL);
    machine_check_is_clean();
}

TEST(without_tables_nothing_is_handed_out)
{
    frame_t frame, kept = FRAME_NONE;
    machine_start(ALL_FEATURES);
    while ((frame = pageframe_alloc(PAGEFRAME_ANYWHERE | PAGEFRAME_MUST, KERNEL_FRAME)) !=
           FRAME_NONE)
        kept = frame;
    CHECK(paging_map_device(0xE0000000, 1) == NULL);
    CHECK(paging_map_temporary(kept, 1, 0) == NULL);
    CHECK_EQUAL(paging_windows[0].taken_pages + paging_windows[1].taken_pages, 0);
    machine_check_is_clean();
    CHECK_EQUAL(pageframe_free(kept), 0);
    CHECK(paging_map_device(0xE0000000, 1) != NULL);
    machine_check_is_clean();
}

/* Pieces of random sizes against an array with a byte a page, first fit. */
#define PIECES 200
static unsigned char taken[TEMPORARY_PAGES];

static uint32_t first_fit(uint32_t pages)
{
    uint32_t run = 0;
    for (uint32_t i = 0; i < TEMPORARY_PAGES; i++) {
        run = taken[i] ? 0 : run + 1;
        if (run == pages + 1)
            return i - pages;
    }
    return TEMPORARY_PAGES;
}

TEST(windows_against_a_naive_model)
{
    static struct {
        void *view;
        uint32_t pages;
    } pieces[PIECES];
    machine_start(ALL_FEATURES);
    memset(taken, 0, sizeof(taken));
    memset(pieces, 0, sizeof(pieces));
    for (unsigned step = 0; step < 4000; step++) {
        unsigned i = test_random_range(0, PIECES - 1);
        uint32_t index, pages = test_random_range(1, 1u << test_random_range(0, 11));
        if (pieces[i].view == NULL) {
            index = first_fit(pages);
            pieces[i].view = paging_map_temporary(0xE0000, pages, PAGING_UNCACHED);
            pieces[i].pages = pages;
            CHECK_EQUAL((uintptr_t)pieces[i].view,
                        index == TEMPORARY_PAGES ? 0 : 0xF8000000 + index * PAGE_SIZE);
            if (pieces[i].view != NULL)
                memset(taken + index, 1, pages + 1);
        } else {
            index = (address_of(pieces[i].view) - 0xF8000000) / PAGE_SIZE;
            paging_unmap_temporary(pieces[i].view, pieces[i].pages);
            memset(taken + index, 0, pieces[i].pages + 1);
            pieces[i].view = NULL;
        }
        if (step % 64 == 0)
            machine_check_is_clean();
    }
    machine_check_is_clean();
}
