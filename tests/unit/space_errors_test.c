#include "tests/unit/space_machine.h"

/* One row for each error that a manual page names for a call, and for what is no error although it
 * looks like one. The layout is made anew for each row. */
#define A       0x10100000u /* 16 pages, private, writable */
#define FILE_RO 0x10200000u /* 4 pages of a file that may only be read, shared */
#define LOCKED  0x10300000u /* 2 pages, locked */
#define NOTHING 0x10400000u
#define SHARED  0x20100000u /* 4 pages, anonymous, shared */
#define KERNEL  0x00600000u
#define ANY     0x7FFFFFFF /* some address */

enum call { MAP, MAP_FILE, UNMAP, PROTECT, REMAP, ADVISE, SYNC, LOCK, UNLOCK, LOCK_ALL, BRK };

static const struct row {
    enum call call;
    uint32_t a, b, c, d, e;
    int32_t expected;
} rows[] = {
    /* mmap: address, length, protection, flags, index */
    {MAP, 0, PAGE, RW, MAP_PRIVATE, 0, ANY},
    {MAP, 0, 0, RW, MAP_PRIVATE, 0, -EINVAL},
    {MAP, 0, PAGE, RW, 0, 0, -EINVAL},
    {MAP, 0, PAGE, RW, MAP_SHARED_VALIDATE, 0, -EINVAL},
    {MAP, 0, PAGE, RW, 0x0F, 0, -EINVAL},
    {MAP, 0, PAGE, RW, MAP_PRIVATE | MAP_HUGETLB, 0, -EINVAL},
    {MAP, 0, PAGE, RW, MAP_SHARED | MAP_GROWSDOWN, 0, -EINVAL},
    {MAP, 0, PAGE, RW | PROT_EXEC, MAP_PRIVATE, 0, -EACCES},
    {MAP, 0, 0xFFFFF000u, RW, MAP_PRIVATE, 0, -ENOMEM},
    {MAP, 0, 0xFFFFFFFFu, RW, MAP_PRIVATE, 0, -ENOMEM},
    {MAP, 0, 0x20001000u, RW, MAP_PRIVATE | MAP_NORESERVE, 0, -ENOMEM},
    {MAP, 0, 0x08000000u, RW, MAP_PRIVATE, 0, -ENOMEM}, /* more than there is */
    {MAP, 0, 0x08000000u, RW, MAP_PRIVATE | MAP_NORESERVE, 0, ANY},
    {MAP, 0, 0x08000000u, PROT_READ, MAP_PRIVATE, 0, ANY},
    {MAP, A + 1, PAGE, RW, MAP_PRIVATE | MAP_FIXED, 0, -EINVAL},
    {MAP, A + 1, PAGE, RW, MAP_PRIVATE, 0, ANY},
    {MAP, NOTHING, PAGE, RW, MAP_PRIVATE, 0, NOTHING},
    {MAP, 0, PAGE, RW, MAP_PRIVATE | MAP_FIXED, 0, -EPERM},
    {MAP, PAGE, PAGE, RW, MAP_PRIVATE | MAP_FIXED, 0, -EPERM},
    {MAP, KERNEL, PAGE, RW, MAP_PRIVATE | MAP_FIXED, 0, -ENOMEM},
    {MAP, KERNEL, PAGE, RW, MAP_PRIVATE, 0, ANY},
    {MAP, 0xC0000000u, PAGE, RW, MAP_PRIVATE | MAP_FIXED, 0, -ENOMEM},
    {MAP, SPACE_END - PAGE, 2 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, 0, -ENOMEM},
    {MAP, SPACE_END - PAGE, PAGE, RW, MAP_PRIVATE | MAP_FIXED, 0, SPACE_END - PAGE},
    {MAP, A, PAGE, RW, MAP_PRIVATE | MAP_FIXED_NOREPLACE, 0, -EEXIST},
    {MAP, A - PAGE, 2 * PAGE, RW, MAP_PRIVATE | MAP_FIXED_NOREPLACE, 0, -EEXIST},
    {MAP, A - PAGE, PAGE, RW, MAP_PRIVATE | MAP_FIXED_NOREPLACE, 0, A - PAGE},
    {MAP, 0, 9 * PAGE, RW, MAP_PRIVATE | MAP_LOCKED, 0, -EAGAIN}, /* the limit is 10, 2 are */
    {MAP, 0, 8 * PAGE, RW, MAP_PRIVATE | MAP_LOCKED, 0, ANY},
    {MAP_FILE, 0, PAGE, PROT_READ, MAP_SHARED, 0, ANY},
    {MAP_FILE, 0, PAGE, PROT_READ, MAP_SHARED_VALIDATE, 0, ANY},
    {MAP_FILE, 0, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0, ANY},
    {MAP_FILE, 0, 2 * PAGE, PROT_READ, MAP_PRIVATE, 0xFFFFFFFFu, -EOVERFLOW},
    /* munmap: address, length */
    {UNMAP, A, PAGE, 0, 0, 0, 0},
    {UNMAP, A, 1, 0, 0, 0, 0},
    {UNMAP, A + 1, PAGE, 0, 0, 0, -EINVAL},
    {UNMAP, A, 0, 0, 0, 0, -EINVAL},
    {UNMAP, A, 0xFFFFF000u, 0, 0, 0, -EINVAL},
    {UNMAP, SPACE_END, PAGE, 0, 0, 0, -EINVAL},
    {UNMAP, NOTHING, PAGE, 0, 0, 0, 0},
    {UNMAP, KERNEL, PAGE, 0, 0, 0, 0},
    {UNMAP, 0, SPACE_END, 0, 0, 0, 0},
    /* mprotect: address, length, protection */
    {PROTECT, A, 4 * PAGE, PROT_READ, 0, 0, 0},
    {PROTECT, A, 0, PROT_READ, 0, 0, 0},
    {PROTECT, A + 1, PAGE, PROT_READ, 0, 0, -EINVAL},
    {PROTECT, A, PAGE, 0x40, 0, 0, -EINVAL},
    {PROTECT, A, PAGE, PROT_GROWSDOWN | PROT_GROWSUP, 0, 0, -EINVAL},
    {PROTECT, A, PAGE, PROT_READ | PROT_GROWSDOWN, 0, 0, -EINVAL},
    {PROTECT, A, PAGE, PROT_READ | PROT_GROWSUP, 0, 0, -EINVAL},
    {PROTECT, A, PAGE, PROT_READ | PROT_SEM, 0, 0, 0},
    {PROTECT, A, 17 * PAGE, PROT_READ, 0, 0, -ENOMEM},
    {PROTECT, NOTHING, PAGE, PROT_READ, 0, 0, -ENOMEM},
    {PROTECT, KERNEL, PAGE, PROT_READ, 0, 0, -ENOMEM},
    {PROTECT, A, 0xFFFFFFFFu, PROT_READ, 0, 0, -ENOMEM},
    {PROTECT, A, PAGE, RW | PROT_EXEC, 0, 0, -EACCES},
    {PROTECT, FILE_RO, PAGE, RW, 0, 0, -EACCES},
    {PROTECT, FILE_RO, PAGE, PROT_READ | PROT_EXEC, 0, 0, 0},
    /* mremap: old address, old length, new length, flags, new address */
    {REMAP, A, 4 * PAGE, 2 * PAGE, 0, 0, A},
    {REMAP, A, 16 * PAGE, 20 * PAGE, 0, 0, A},
    {REMAP, A, 16 * PAGE, 16 * PAGE, 0, 0, A},
    {REMAP, A, 4 * PAGE, 5 * PAGE, 0, 0, -ENOMEM},
    {REMAP, A, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, 0, ANY},
    {REMAP, A + 1, PAGE, PAGE, 0, 0, -EINVAL},
    {REMAP, A, PAGE, 0, 0, 0, -EINVAL},
    {REMAP, A, PAGE, PAGE, 8, 0, -EINVAL},
    {REMAP, A, PAGE, PAGE, MREMAP_FIXED, NOTHING, -EINVAL},
    {REMAP, A, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, NOTHING, NOTHING},
    {REMAP, A, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, NOTHING + 1, -EINVAL},
    {REMAP, A, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, SPACE_END, -EINVAL},
    {REMAP, A, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, KERNEL, -EINVAL},
    {REMAP, A, 4 * PAGE, 4 * PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, A + PAGE, -EINVAL},
    {REMAP, A, 2 * PAGE, PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE, 0, -EINVAL},
    {REMAP, A, PAGE, PAGE, MREMAP_DONTUNMAP, 0, -EINVAL},
    {REMAP, A, PAGE, PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE, 0, ANY},
    {REMAP, SHARED, PAGE, PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE, 0, ANY},
    {REMAP, A, 0, PAGE, MREMAP_MAYMOVE, 0, -EINVAL},
    {REMAP, SHARED, 0, PAGE, MREMAP_MAYMOVE, 0, ANY},
    {REMAP, NOTHING, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0, -EFAULT},
    {REMAP, A, 17 * PAGE, 18 * PAGE, MREMAP_MAYMOVE, 0, -EFAULT},
    {REMAP, A, PAGE, 0x08000000u, MREMAP_MAYMOVE, 0, -ENOMEM},
    {REMAP, A, 0xFFFFF000u, PAGE, MREMAP_MAYMOVE, 0, -EINVAL},
    {REMAP, A, 0xFFFFF000u, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, NOTHING, -EINVAL},
    {REMAP, LOCKED, 2 * PAGE, 11 * PAGE, MREMAP_MAYMOVE, 0, -EAGAIN},
    /* madvise: address, length, advice */
    {ADVISE, A, PAGE, MADV_DONTNEED, 0, 0, 0},
    {ADVISE, A, 0, MADV_DONTNEED, 0, 0, 0},
    {ADVISE, A + 1, PAGE, MADV_DONTNEED, 0, 0, -EINVAL},
    {ADVISE, A, PAGE, 77, 0, 0, -EINVAL},
    {ADVISE, A, 0xFFFFFFFFu, MADV_NORMAL, 0, 0, -EINVAL},
    {ADVISE, A, 0xFFFFF000u, MADV_NORMAL, 0, 0, -EINVAL},
    {ADVISE, A, 17 * PAGE, MADV_WILLNEED, 0, 0, -ENOMEM},
    {ADVISE, NOTHING, PAGE, MADV_NORMAL, 0, 0, -ENOMEM},
    {ADVISE, LOCKED, PAGE, MADV_DONTNEED, 0, 0, -EINVAL},
    {ADVISE, SHARED, PAGE, MADV_FREE, 0, 0, -EINVAL},
    {ADVISE, A, PAGE, MADV_FREE, 0, 0, 0},
    {ADVISE, SHARED, PAGE, MADV_WIPEONFORK, 0, 0, -EINVAL},
    {ADVISE, FILE_RO, PAGE, MADV_POPULATE_WRITE, 0, 0, -EINVAL},
    {ADVISE, FILE_RO, PAGE, MADV_POPULATE_READ, 0, 0, 0},
    {ADVISE, FILE_RO, 4 * PAGE, MADV_POPULATE_READ, 0, 0, -EFAULT}, /* the file has 3 */
    {ADVISE, A, PAGE, MADV_HUGEPAGE, 0, 0, 0},
    /* msync: address, length, flags */
    {SYNC, A, PAGE, MS_SYNC, 0, 0, 0},
    {SYNC, A, PAGE, MS_ASYNC | MS_SYNC, 0, 0, -EINVAL},
    {SYNC, A, PAGE, 8, 0, 0, -EINVAL},
    {SYNC, A + 1, PAGE, MS_SYNC, 0, 0, -EINVAL},
    {SYNC, NOTHING, PAGE, MS_SYNC, 0, 0, -ENOMEM},
    {SYNC, A, 17 * PAGE, MS_SYNC, 0, 0, -ENOMEM},
    {SYNC, LOCKED, PAGE, MS_INVALIDATE, 0, 0, -EBUSY},
    {SYNC, A, PAGE, MS_INVALIDATE, 0, 0, 0},
    /* mlock, munlock: address, length, flags */
    {LOCK, A, 8 * PAGE, 0, 0, 0, 0},
    {LOCK, A + 5, 1, 0, 0, 0, 0},
    {LOCK, A, 9 * PAGE, 0, 0, 0, -ENOMEM},
    {LOCK, NOTHING, PAGE, 0, 0, 0, -ENOMEM},
    {LOCK, A, PAGE, 2, 0, 0, -EINVAL},
    {LOCK, A, PAGE, MLOCK_ONFAULT, 0, 0, 0},
    {LOCK, A, 0xFFFFFFFFu, 0, 0, 0, -EINVAL},
    {LOCK, LOCKED, 2 * PAGE, 0, 0, 0, 0},
    {UNLOCK, LOCKED, PAGE, 0, 0, 0, 0},
    {UNLOCK, A, PAGE, 0, 0, 0, 0},
    {UNLOCK, NOTHING, PAGE, 0, 0, 0, -ENOMEM},
    {UNLOCK, A, 0xFFFFFFFFu, 0, 0, 0, -EINVAL},
    {LOCK_ALL, 0, 0, 0, 0, 0, -EINVAL},
    {LOCK_ALL, 8, 0, 0, 0, 0, -EINVAL},
    {LOCK_ALL, MCL_ONFAULT, 0, 0, 0, 0, -EINVAL},
    {LOCK_ALL, MCL_CURRENT, 0, 0, 0, 0, -ENOMEM},
    {LOCK_ALL, MCL_FUTURE, 0, 0, 0, 0, 0},
    /* brk */
    {BRK, 0x10800000u, 0, 0, 0, 0, 0x10800000},
    {BRK, 0x11800000u, 0, 0, 0, 0, 0x10500000}, /* more than there is */
};

static struct test_file file;

static int32_t make(struct space *space, const struct row *row)
{
    const struct space_mapping mapping = {.address = row->a,
                                          .length = row->b,
                                          .protection = row->c,
                                          .flags = row->d | (row->call == MAP ? MAP_ANONYMOUS : 0),
                                          .maximum = PROT_READ | PROT_EXEC,
                                          .backing = row->call == MAP ? NULL : &file.backing,
                                          .index = row->e};
    switch (row->call) {
    case MAP:
    case MAP_FILE:
        return space_map(space, &mapping);
    case UNMAP:
        return space_unmap(space, row->a, row->b);
    case PROTECT:
        return space_protect(space, row->a, row->b, row->c);
    case REMAP:
        return space_remap(space, row->a, row->b, row->c, row->d, row->e);
    case ADVISE:
        return space_advise(space, row->a, row->b, row->c);
    case SYNC:
        return space_sync(space, row->a, row->b, row->c);
    case LOCK:
        return space_lock(space, row->a, row->b, row->c);
    case UNLOCK:
        return space_unlock(space, row->a, row->b);
    case LOCK_ALL:
        return space_lock_all(space, row->a);
    case BRK:
        break;
    }
    return (int32_t)space_brk(space, row->a);
}

static void lay_out(struct space *space)
{
    const struct space_limits limits = {SPACE_UNLIMITED, SPACE_UNLIMITED, 0x100000, 10 * PAGE};
    const struct space_mapping shown = {.address = FILE_RO,
                                        .length = 4 * PAGE,
                                        .protection = PROT_READ,
                                        .flags = MAP_SHARED | MAP_FIXED,
                                        .maximum = PROT_READ | PROT_EXEC,
                                        .backing = &file.backing};
    space_set_limits(space, &limits);
    space_set_brk(space, 0x10500000);
    CHECK_EQUAL(map_anonymous(space, A, 16, RW, MAP_FIXED), A);
    CHECK_EQUAL(space_map(space, &shown), FILE_RO);
    CHECK_EQUAL(map_anonymous(space, LOCKED, 2, RW, MAP_FIXED | MAP_LOCKED), LOCKED);
    CHECK_EQUAL(map_anonymous(space, SHARED, 4, RW, MAP_FIXED | MAP_SHARED), SHARED);
    CHECK_EQUAL(touch_write(space, A, 1), 1);
}

TEST(space_errors_are_those_of_the_manual_pages)
{
    machine_start(4096);
    file_start(&file, 3);
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct space *space = space_create();
        int32_t result;
        lay_out(space);
        result = make(space, row);
        if (row->expected == ANY ? result < 0 : result != row->expected)
            test_fail(__FILE__, __LINE__, "row %u: call %u returns %d, expected %d", i,
                      (unsigned)row->call, (int)result, (int)row->expected);
        machine_check_is_clean();
        space_drop(space);
    }
    file_end(&file);
    machine_check_is_clean();
}

TEST(space_limits_hold)
{
    struct space_limits limits = {20 * PAGE, SPACE_UNLIMITED, 0x100000, 0};
    struct space *space;
    machine_start(4096);
    space = space_create();
    space_set_limits(space, &limits);
    CHECK_EQUAL(map_anonymous(space, 0, 21, PROT_NONE, 0), -ENOMEM);
    CHECK(map_anonymous(space, A, 20, PROT_NONE, MAP_FIXED) > 0);
    CHECK_EQUAL(map_anonymous(space, 0, 1, PROT_NONE, 0), -ENOMEM);
    CHECK(map_anonymous(space, A, 20, PROT_READ, MAP_FIXED) >
          0); /* in the place of what is there */
    CHECK_EQUAL(space_lock(space, A, PAGE, 0), -EPERM);
    CHECK_EQUAL(space_lock_all(space, MCL_CURRENT), -EPERM);
    limits = (struct space_limits){SPACE_UNLIMITED, 5 * PAGE, 0x100000, SPACE_UNLIMITED};
    space_set_limits(space, &limits);
    space_set_brk(space, NOTHING);
    CHECK_EQUAL(map_anonymous(space, 0, 6, RW, 0), -ENOMEM);
    CHECK(map_anonymous(space, 0, 3, RW, 0) > 0);
    CHECK_EQUAL(space_brk(space, NOTHING + 3 * PAGE), NOTHING);
    CHECK_EQUAL(space_brk(space, NOTHING + 2 * PAGE), NOTHING + 2 * PAGE);
    CHECK_EQUAL(space_protect(space, A, PAGE, RW), -ENOMEM);
    CHECK(map_anonymous(space, 0, 100, RW, MAP_SHARED) > 0);
    machine_check_is_clean();
    space_drop(space);
    machine_check_is_clean();
}

/* A mapping that grows down by itself, as far as a neighbour with rights and the limit let it. */
TEST(space_grows_down_to_the_guard)
{
    struct space *space;
    machine_start(4096);
    space = space_create();
    CHECK_EQUAL(map_anonymous(space, 0x11000000, 1, RW, MAP_FIXED | MAP_GROWSDOWN), 0x11000000);
    CHECK_EQUAL(map_anonymous(space, 0x10E80000, 1, RW, MAP_FIXED), 0x10E80000);
    CHECK_EQUAL(touch_write(space, 0x10FFE000, 1), 1);
    CHECK_EQUAL(touch_write(space, 0x10F82000, 1), 1);
    CHECK_EQUAL(touch_write(space, 0x10F80000, 1), -1);
    CHECK_EQUAL(space_protect(space, 0x10F90000, PAGE, PROT_READ | PROT_GROWSDOWN), 0);
    CHECK_EQUAL(touch_write(space, 0x10F90000, 1), -1);
    CHECK_EQUAL(touch_write(space, 0x10F91000, 1), 1);
    CHECK(map_anonymous(space, 0x10F40000, 1, RW, 0) != 0x10F40000); /* within the guard */
    machine_check_is_clean();
    space_drop(space);
    machine_check_is_clean();
}

static bool count_area(void *context, const struct space_area *area)
{
    uint32_t *sums = context;
    sums[0] += (area->end - area->start) / PAGE;
    sums[1] += area->resident;
    return true;
}

TEST(space_tells_what_it_holds)
{
    struct space_statistics statistics;
    uint32_t sums[2] = {0, 0};
    uint8_t vector[16];
    struct space *space;
    machine_start(4096);
    file_start(&file, 3);
    space = space_create();
    lay_out(space);
    space_read_statistics(space, &statistics);
    space_visit_areas(space, 0, SPACE_VISIT_COUNT, count_area, sums);
    CHECK_EQUAL(statistics.size, 26);
    CHECK_EQUAL(statistics.resident, 3);
    CHECK_EQUAL(statistics.locked, 2);
    CHECK_EQUAL(sums[0], 26);
    CHECK_EQUAL(sums[1], 3);
    CHECK_EQUAL(space_incore(space, A, 16, vector), 0);
    CHECK_EQUAL(vector[0], 1);
    CHECK_EQUAL(vector[1], 0);
    CHECK_EQUAL(space_incore(space, A + 10 * PAGE, 7, vector), -ENOMEM);
    CHECK_EQUAL(space_incore(space, A + 1, 1, vector), -EINVAL);
    space_drop(space);
    file_end(&file);
    machine_check_is_clean();
}

TEST(space_children_get_what_advice_leaves_them)
{
    struct space *space, *child;
    machine_start(4096);
    space = space_create();
    CHECK_EQUAL(map_anonymous(space, A, 3, RW, MAP_FIXED), A);
    for (uint32_t i = 0; i < 3; i++)
        CHECK_EQUAL(touch_write(space, A + i * PAGE, 5), 5);
    CHECK_EQUAL(space_advise(space, A, PAGE, MADV_DONTFORK), 0);
    CHECK_EQUAL(space_advise(space, A + PAGE, PAGE, MADV_WIPEONFORK), 0);
    CHECK_EQUAL(space_fork(space, &child), 0);
    machine_check_is_clean();
    CHECK_EQUAL(touch_read(child, A), -1);
    CHECK_EQUAL(touch_read(child, A + PAGE), 0);
    CHECK_EQUAL(touch_read(child, A + 2 * PAGE), 5);
    CHECK_EQUAL(touch_read(space, A), 5);
    CHECK_EQUAL(space_advise(space, A, 2 * PAGE, MADV_DOFORK), 0);
    CHECK_EQUAL(space_advise(space, A, 2 * PAGE, MADV_KEEPONFORK), 0);
    CHECK_EQUAL(space->areas, 1);
    machine_check_is_clean();
    space_drop(space);
    space_drop(child);
    machine_check_is_clean();
}

TEST(space_transfers_move_pieces)
{
    char one[5], two[7], three[4];
    const struct transfer_piece pieces[] = {
        {(uintptr_t)one, 5}, {0, 0}, {(uintptr_t)two, 7}, {(uintptr_t)three, 4}};
    const char text[] = "abcdefghijklmnop";
    char back[17] = {0};
    struct transfer transfer;
    transfer_init(&transfer, TRANSFER_KERNEL, pieces, 4);
    CHECK_EQUAL(transfer_left(&transfer), 16);
    CHECK_EQUAL(transfer_put(&transfer, text, 3), 3);
    CHECK_EQUAL(transfer_put(&transfer, text + 3, 9), 9);
    CHECK_EQUAL(transfer_put(&transfer, text + 12, 100), 4);
    CHECK_EQUAL(transfer_put(&transfer, text, 1), 0);
    transfer_init(&transfer, TRANSFER_KERNEL, pieces, 4);
    CHECK_EQUAL(transfer_get(&transfer, back, 6), 6);
    CHECK_EQUAL(transfer_get(&transfer, back + 6, 10), 10);
    CHECK(strcmp(back, text) == 0);
    transfer_init_kernel(&transfer, back, 4);
    CHECK_EQUAL(transfer_put_zeros(&transfer, 3), 3);
    CHECK(back[2] == 0 && back[3] == 'd');
    transfer_init_user(&transfer, A, 4);
    CHECK_EQUAL(transfer_put(&transfer, text, 4), -EFAULT);
    CHECK_EQUAL(transfer_left(&transfer), 4);
}
