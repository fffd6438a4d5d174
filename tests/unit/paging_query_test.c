#include "tests/unit/paging_machine.h"

/* A space of which only a part is there: nothing below an absent entry of the root is read. */
TEST(an_absent_quarter_of_the_root_has_no_pages)
{
    union paging_entry *root;
    uint64_t kept;
    machine_boot();
    root = platform_frame_pointer(frame_of(paging_kernel.root));
    root = (union paging_entry *)(void *)((char *)root + paging_kernel.root % FRAME_SIZE);
    kept = entry_read(&root[0]);
    root[0].whole = 0;
    CHECK_EQUAL(paging_walk(&paging_kernel, MACHINE_DATA).levels, 1);
    CHECK_EQUAL(paging_walk(&paging_kernel, MACHINE_DATA).entries[0], 0);
    CHECK(!paging_query(&paging_kernel, MACHINE_DATA).present);
    root[0].whole = kept;
    CHECK(paging_query(&paging_kernel, MACHINE_DATA).present);
}

/* The heap's pages come one by one, so the processor must not see a large one there. */
TEST(a_large_page_among_small_ones_is_found)
{
    const uint32_t address = 0x00800000;
    union paging_entry *slot;
    uint64_t kept;
    machine_boot();
    slot = directory_entry(&paging_kernel, PAGE_OF(address));
    kept = entry_read(slot);
    CHECK_EQUAL(paging_map_page(&paging_kernel, address, machine_frame(HEAP_FRAME), PAGING_WRITE),
                0);
    slot->whole = (entry_read(table_entry(kept, PAGE_OF(address))) & ~ENTRY_FRAME) | ENTRY_LARGE |
                  frame_address(0x400);
    CHECK(machine_check() != 0);
    CHECK(strstr(machine_faults, "a large page in a row of small ones") != NULL);
    slot->whole = kept;
    machine_check_is_clean();
}
