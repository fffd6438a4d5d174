#include "tests/unit/space_machine.h"

/*
 * The n-th frame is missing, for every n, in a scenario of all calls: each either succeeds or says
 * so, nothing is lost, and what was granted before is still there. A frame is missing for whoever
 * has no promise: promised ones cannot be.
 */
#define FRAMES 4096u

static struct test_file file;

/* Everything a space can do, as far as there is memory. Errors other than -ENOMEM are faults. */
static void expect(int32_t result)
{
    if (result < 0 && result != -ENOMEM)
        test_fail(__FILE__, __LINE__, "error %d", (int)result);
}

static void use(struct space *space, uint32_t address, uint32_t pages)
{
    for (uint32_t i = 0; i < pages; i++)
        if (touch_write(space, address + i * PAGE, (uint8_t)i) < 0)
            CHECK(machine_fault != SPACE_FAULT_DONE);
}

/* Granted without MAP_NORESERVE: a fault on it never fails. */
static void use_granted(struct space *space, int32_t address, uint32_t pages)
{
    if (address < 0)
        return;
    for (uint32_t i = 0; i < pages; i++)
        CHECK_EQUAL(touch_write(space, (uint32_t)address + i * PAGE, (uint8_t)i), (uint8_t)i);
}

static void scenario_of(struct space *space)
{
    struct space *child;
    struct space_mapping mapping = {.length = 6 * PAGE,
                                    .protection = RW,
                                    .flags = MAP_PRIVATE,
                                    .maximum = AREA_RIGHTS,
                                    .backing = &file.backing};
    int32_t a, b, c, d;
    expect(space_map_stack(space, 3 * PAGE));
    a = map_anonymous(space, 0, 20, RW, 0);
    expect(a);
    use_granted(space, a, 20);
    b = space_map(space, &mapping);
    expect(b);
    use_granted(space, b, 6);
    c = map_anonymous(space, 0, 5, RW, MAP_SHARED);
    expect(c);
    use_granted(space, c, 5);
    d = map_anonymous(space, 0, 30, RW, MAP_NORESERVE);
    expect(d);
    if (d > 0)
        use(space, (uint32_t)d, 10);
    machine_check_is_clean();
    space_set_brk(space, SPACE_START + 0x100000);
    (void)space_brk(space, SPACE_START + 0x120000);
    if (a > 0) {
        expect(space_protect(space, (uint32_t)a + 3 * PAGE, 4 * PAGE, PROT_READ));
        expect(space_protect(space, (uint32_t)a + 5 * PAGE, 9 * PAGE, PROT_NONE));
        expect(space_lock(space, (uint32_t)a, 2 * PAGE, 0));
        expect(space_advise(space, (uint32_t)a + 4 * PAGE, 2 * PAGE, MADV_DONTNEED));
    }
    machine_check_is_clean();
    if (space_fork(space, &child) == 0) {
        use_granted(child, a, 3);
        use_granted(space, b, 6);
        use_granted(child, c, 5);
        if (a > 0)
            expect(space_unmap(child, (uint32_t)a + PAGE, 7 * PAGE));
        machine_check_is_clean();
        space_drop(child);
    }
    if (b > 0)
        expect(space_remap(space, (uint32_t)b, 6 * PAGE, 600 * PAGE, MREMAP_MAYMOVE, 0));
    if (a > 0)
        expect(space_unmap(space, (uint32_t)a + 10 * PAGE, PAGE));
    machine_check_is_clean();
}

/* All of it with `left` frames for those who have no promise yet. */
static void scenario(uint32_t left)
{
    struct space *space;
    uint32_t before;
    machine_hoard(left);
    before = machine_free_frames();
    space = space_create();
    if (space != NULL) {
        scenario_of(space);
        space_drop(space);
    }
    machine_check_is_clean();
    (void)heap_trim();
    CHECK(machine_free_frames() >= before);
    machine_return();
}

TEST(space_every_frame_may_be_missing)
{
    for (uint32_t left = 0; left < 420; left += left < 120 ? 1 : 7) {
        machine_start(FRAMES);
        file_start(&file, 700);
        scenario(left);
        file_end(&file);
        machine_check_is_clean();
    }
}
