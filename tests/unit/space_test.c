#include "tests/unit/space_machine.h"

#define FRAMES 4096u

TEST(space_is_made_and_goes)
{
    uint32_t before;
    struct space *space;
    machine_start(FRAMES);
    space = space_create(); /* the caches have their first slabs */
    space_drop(space);
    before = machine_free_frames();
    space = space_create();
    CHECK(before - machine_free_frames() <= 3);
    machine_check_is_clean();
    space_drop(space);
    CHECK_EQUAL(machine_free_frames(), before);
    machine_check_is_clean();
}

TEST(space_pages_come_when_touched)
{
    struct space *space;
    int32_t at;
    machine_start(FRAMES);
    space = space_create();
    at = map_anonymous(space, 0, 16, RW, 0);
    CHECK(at > 0);
    CHECK_EQUAL(paging_user_pages(&space->paging), 0);
    CHECK_EQUAL(touch_read(space, (uint32_t)at), 0);
    CHECK_EQUAL(touch_write(space, (uint32_t)at + 5 * PAGE, 7), 7);
    CHECK_EQUAL(touch_read(space, (uint32_t)at + 5 * PAGE), 7);
    CHECK_EQUAL(paging_user_pages(&space->paging), 2);
    machine_check_is_clean();
    CHECK_EQUAL(space_unmap(space, (uint32_t)at, 16 * PAGE), 0);
    CHECK_EQUAL(paging_user_pages(&space->paging), 0);
    CHECK_EQUAL(paging_user_tables(&space->paging), 0);
    CHECK_EQUAL(touch_read(space, (uint32_t)at), -1);
    CHECK_EQUAL(machine_fault, SPACE_FAULT_MAPERR);
    machine_check_is_clean();
    space_drop(space);
    machine_check_is_clean();
}

TEST(space_fork_copies_when_written)
{
    struct space *parent, *child;
    uint32_t at;
    machine_start(FRAMES);
    parent = space_create();
    at = (uint32_t)map_anonymous(parent, 0, 600, RW, 0);
    for (uint32_t i = 0; i < 600; i++)
        CHECK_EQUAL(touch_write(parent, at + i * PAGE, (uint8_t)i), (uint8_t)i);
    CHECK_EQUAL(space_fork(parent, &child), 0);
    machine_check_is_clean();
    CHECK_EQUAL(paging_user_pages(&child->paging), 600);
    CHECK_EQUAL(touch_read(child, at + 5 * PAGE), 5);
    CHECK_EQUAL(touch_write(child, at + 5 * PAGE, 99), 99);
    machine_check_is_clean();
    CHECK_EQUAL(touch_read(parent, at + 5 * PAGE), 5);
    CHECK_EQUAL(touch_write(parent, at + 6 * PAGE, 98), 98);
    CHECK_EQUAL(touch_read(child, at + 6 * PAGE), 6);
    machine_check_is_clean();
    space_drop(parent);
    machine_check_is_clean();
    CHECK_EQUAL(touch_write(child, at + 7 * PAGE, 3), 3);
    CHECK_EQUAL(touch_read(child, at + 599 * PAGE), (uint8_t)599);
    machine_check_is_clean();
    space_drop(child);
    machine_check_is_clean();
}

TEST(space_files_are_private_or_shared)
{
    struct test_file file;
    struct space *space, *child;
    struct space_mapping mapping;
    int32_t private, shared;
    machine_start(FRAMES);
    file_start(&file, 8);
    space = space_create();
    mapping = (struct space_mapping){.length = 10 * PAGE,
                                     .protection = RW,
                                     .flags = MAP_PRIVATE,
                                     .maximum = AREA_RIGHTS,
                                     .backing = &file.backing,
                                     .index = 0};
    private = space_map(space, &mapping);
    mapping.flags = MAP_SHARED;
    shared = space_map(space, &mapping);
    CHECK(private > 0 && shared > 0);
    CHECK_EQUAL(touch_read(space, (uint32_t) private + 2 * PAGE), 3);
    CHECK_EQUAL(touch_write(space, (uint32_t) private + 2 * PAGE, 77), 77);
    CHECK_EQUAL(touch_write(space, (uint32_t) private + 3 * PAGE, 78), 78);
    CHECK_EQUAL(touch_read(space, (uint32_t)shared + 2 * PAGE), 3);
    CHECK_EQUAL(touch_write(space, (uint32_t)shared + 4 * PAGE, 55), 55);
    CHECK_EQUAL(touch_read(space, (uint32_t) private + 4 * PAGE), 55);
    CHECK_EQUAL(touch_read(space, (uint32_t) private + 8 * PAGE), -1);
    CHECK_EQUAL(machine_fault, SPACE_FAULT_BUS);
    machine_check_is_clean();
    CHECK_EQUAL(space_fork(space, &child), 0);
    CHECK_EQUAL(touch_write(child, (uint32_t)shared + 1 * PAGE, 11), 11);
    CHECK_EQUAL(touch_read(space, (uint32_t)shared + 1 * PAGE), 11);
    CHECK_EQUAL(touch_write(child, (uint32_t) private + 2 * PAGE, 12), 12);
    CHECK_EQUAL(touch_read(space, (uint32_t) private + 2 * PAGE), 77);
    machine_check_is_clean();
    space_drop(space);
    space_drop(child);
    file_end(&file);
    machine_check_is_clean();
}

TEST(space_stack_grows_to_its_limit)
{
    struct space *space;
    uint32_t top, charged;
    machine_start(FRAMES);
    space = space_create();
    top = (uint32_t)space_map_stack(space, PAGE);
    CHECK_EQUAL(top, MAP_USER_END);
    charged = space->charged;
    CHECK_EQUAL(charged, 256 + 1);
    machine_check_is_clean();
    CHECK_EQUAL(touch_write(space, top - 1, 1), 1);
    CHECK_EQUAL(touch_write(space, top - 100 * PAGE, 1), 1);
    CHECK_EQUAL(touch_write(space, top - 256 * PAGE, 1), 1);
    CHECK_EQUAL(space->charged, charged);
    CHECK_EQUAL(space->stack_spare, 0);
    CHECK_EQUAL(touch_write(space, top - 257 * PAGE, 1), -1);
    CHECK_EQUAL(machine_fault, SPACE_FAULT_MAPERR);
    machine_check_is_clean();
    space_drop(space);
    machine_check_is_clean();
}

TEST(space_brk_moves)
{
    struct space *space;
    machine_start(FRAMES);
    space = space_create();
    space_set_brk(space, 0x10012345);
    CHECK_EQUAL(space_brk(space, 0), 0x10013000);
    CHECK_EQUAL(space_brk(space, 0x10015001), 0x10015001);
    CHECK_EQUAL(touch_write(space, 0x10015FFF, 4), 4);
    CHECK_EQUAL(touch_write(space, 0x10016000, 4), -1);
    CHECK_EQUAL(space_brk(space, 0x10013001), 0x10013001);
    CHECK_EQUAL(touch_write(space, 0x10014000, 4), -1);
    CHECK_EQUAL(space_brk(space, 0x10012FFF), 0x10013001);
    CHECK_EQUAL(space_brk(space, SPACE_END), 0x10013001);
    machine_check_is_clean();
    space_drop(space);
    machine_check_is_clean();
}

TEST(space_moves_pages_without_copying)
{
    struct space *space;
    uint32_t at, to;
    frame_t frame;
    machine_start(FRAMES);
    space = space_create();
    at = (uint32_t)map_anonymous(space, 0, 257, RW, 0);
    CHECK_EQUAL(space_protect(space, at + 256 * PAGE, PAGE, PROT_NONE), 0);
    for (uint32_t i = 0; i < 256; i++)
        CHECK_EQUAL(touch_write(space, at + i * PAGE, (uint8_t)i), (uint8_t)i);
    frame = paging_user_find(&space->paging, at + 9 * PAGE).frame;
    to = (uint32_t)space_remap(space, at, 256 * PAGE, 512 * PAGE, MREMAP_MAYMOVE, 0);
    CHECK((int32_t)to > 0 && to != at);
    CHECK_EQUAL(paging_user_find(&space->paging, to + 9 * PAGE).frame, frame);
    CHECK_EQUAL(touch_read(space, at), -1);
    for (uint32_t i = 0; i < 256; i++)
        CHECK_EQUAL(touch_read(space, to + i * PAGE), (uint8_t)i);
    CHECK_EQUAL(touch_read(space, to + 256 * PAGE), 0);
    machine_check_is_clean();
    space_drop(space);
    machine_check_is_clean();
}

TEST(space_locked_pages_never_fault_after_fork)
{
    struct space *space, *child;
    uint32_t at;
    machine_start(FRAMES);
    space = space_create();
    at = (uint32_t)map_anonymous(space, 0, 20, RW, 0);
    CHECK_EQUAL(touch_write(space, at + 15 * PAGE, 5), 5);
    CHECK_EQUAL(space_lock(space, at, 10 * PAGE, 0), 0);
    CHECK_EQUAL(bytemap_count_locked(), 10);
    CHECK_EQUAL(paging_user_pages(&space->paging), 11);
    machine_check_is_clean();
    CHECK_EQUAL(touch_write(space, at + 3 * PAGE, 33), 33);
    CHECK_EQUAL(space_fork(space, &child), 0);
    CHECK(paging_user_find(&space->paging, at + 3 * PAGE).flags & PAGING_WRITE);
    CHECK(paging_user_find(&child->paging, at + 3 * PAGE).frame !=
          paging_user_find(&space->paging, at + 3 * PAGE).frame);
    CHECK_EQUAL(touch_read(child, at + 3 * PAGE), 33);
    CHECK_EQUAL(touch_read(child, at + 15 * PAGE), 5);
    CHECK(!(paging_user_find(&space->paging, at + 15 * PAGE).flags & PAGING_WRITE));
    machine_check_is_clean();
    CHECK_EQUAL(space_unlock(space, at + 2 * PAGE, 2 * PAGE), 0);
    CHECK_EQUAL(bytemap_count_locked(), 8);
    machine_check_is_clean();
    space_drop(space);
    CHECK_EQUAL(bytemap_count_locked(), 0);
    space_drop(child);
    machine_check_is_clean();
}

/* What was granted is there, to the last page; what is not there is not granted. */
TEST(space_granted_memory_is_there)
{
    struct space *space;
    uint32_t at, pages = 0;
    machine_start(FRAMES);
    space = space_create();
    at = (uint32_t)map_anonymous(space, 0, 1, RW, 0);
    machine_hoard(200);
    CHECK_EQUAL(map_anonymous(space, 0, 201, RW, 0), -ENOMEM);
    while (map_anonymous(space, at - (pages + 1) * PAGE, 1, RW, MAP_FIXED) > 0)
        pages++;
    CHECK(pages >= 195);
    for (uint32_t i = 0; i < pages; i++)
        CHECK_EQUAL(touch_write(space, at - (i + 1) * PAGE, 1), 1);
    machine_check_is_clean();
    machine_return();
    space_drop(space);
    machine_check_is_clean();
}
