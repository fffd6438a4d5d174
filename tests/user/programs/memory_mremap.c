// mremap: errors, growing in place, moving, shrinking, and to a given place.
#include "check.h"

#define remap(old, old_length, new_length, flags, to)                                              \
    ((char *)syscall(SYS_mremap, old, old_length, new_length, flags, to))
#define MOVE  MREMAP_MAYMOVE
#define FIXED (MREMAP_MAYMOVE | MREMAP_FIXED)

static void errors(void)
{
    SECTION("errors");
    char *base = map_pages(4, RW), *target = map_pages(4, RW), *hole = room(2);
    TRY(remap(base + 1, PAGE, PAGE, MOVE, 0));
    TRY(remap(base, PAGE, PAGE, 8, 0));
    TRY(remap(base, PAGE, 0, MOVE, 0));
    TRY(remap(base, 0, PAGE, MOVE, 0)); /* an old size of 0 is for shared memory only */
    TRY(remap(base, PAGE, PAGE, MREMAP_FIXED, target));
    TRY(remap(base, PAGE, PAGE, FIXED, target + 1));
    TRY(remap(base, 2 * PAGE, 2 * PAGE, FIXED, base + PAGE));
    TRY(remap(base, PAGE, PAGE, FIXED, 0xFFFFF000));
    TRY(remap(hole, PAGE, 2 * PAGE, MOVE, 0));
    TRY(remap(base, PAGE, 0xFFFFF000, MOVE, 0));
    TRY(remap(base, 0xFFFFF000, PAGE, MOVE, 0));
}

static void in_place(void)
{
    SECTION("in place");
    char *base = room(8);
    MUST(mmap2(base, 2 * PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    base[PAGE] = 'g';
    TRUE(remap(base, 2 * PAGE, 2 * PAGE, 0, 0) == base);
    TRUE(remap(base, 2 * PAGE, 4 * PAGE, 0, 0) == base);
    LAYOUT(base, 8);
    TRUE(base[PAGE] == 'g' && base[3 * PAGE] == 0);
    MUST(mmap2(base + 4 * PAGE, PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0));
    TRY(remap(base, 4 * PAGE, 5 * PAGE, 0, 0)); /* someone is there */
    LAYOUT(base, 8);
    TRUE(remap(base, 4 * PAGE, PAGE, 0, 0) == base);
    LAYOUT(base, 8);
    TOUCH(base + PAGE);
    TRUE(remap(base, 1, 2 * PAGE - 1, 0, 0) == base); /* lengths count in whole pages */
    LAYOUT(base, 8);
}

static void moving(void)
{
    SECTION("moving");
    char *base = map_pages(4, RW), *moved;
    MUST(mmap2(base + 2 * PAGE, 2 * PAGE, PROT_NONE, PRIVATE | MAP_FIXED, -1, 0));
    base[0] = 'm';
    base[PAGE] = 'n';
    TRUE((moved = remap(base, 2 * PAGE, 6 * PAGE, MOVE, 0)) != base && moved != MAP_FAILED);
    TRUE(moved[0] == 'm' && moved[PAGE] == 'n' && moved[5 * PAGE] == 0);
    LAYOUT(base, 4);
    LAYOUT(moved, 6);
    TOUCH(base);
    RESIDENT(moved, 2);
}

static void part(void)
{
    SECTION("a part of an area");
    char *base = map_pages(6, RW), *moved;
    memset(base, 'p', 6 * PAGE);
    TRUE((moved = remap(base + 2 * PAGE, 2 * PAGE, 4 * PAGE, MOVE, 0)) != MAP_FAILED);
    LAYOUT(base, 6);
    TRUE(moved[0] == 'p' && moved[2 * PAGE] == 0);
    TRY(remap(base + PAGE, 3 * PAGE, 4 * PAGE, MOVE, 0)); /* across a hole */
    TRUE(remap(base + 4 * PAGE, 2 * PAGE, PAGE, 0, 0) == base + 4 * PAGE);
    LAYOUT(base, 6);
}

static void given_place(void)
{
    SECTION("to a given place");
    char *base = map_pages(3, RW), *target = map_pages(6, PROT_READ);
    base[0] = 't';
    TRUE(remap(base, 2 * PAGE, 3 * PAGE, FIXED, target + PAGE) == target + PAGE);
    LAYOUT(target, 6);
    LAYOUT(base, 3);
    TRUE(target[PAGE] == 't');
    WRITE(target + 3 * PAGE);
    WRITE(target + 4 * PAGE);
}

static void dont_unmap(void)
{
    SECTION("leaving the old place");
    char *base = map_pages(2, RW), *moved;
    base[0] = 'd';
    TRUE((moved = remap(base, 2 * PAGE, 2 * PAGE, MOVE | 4, 0)) != MAP_FAILED && moved != base);
    TRUE(moved[0] == 'd' && base[0] == 0);
    TRY(remap(base, 2 * PAGE, 3 * PAGE, MOVE | 4, 0));
    TRY(remap(base, 2 * PAGE, 2 * PAGE, 4, 0));
}

static void shared(void)
{
    SECTION("shared memory");
    char *base = mmap2(0, 2 * PAGE, RW, SHARED, -1, 0), *second;
    base[0] = 's';
    TRUE((second = remap(base, 0, 2 * PAGE, MOVE, 0)) != MAP_FAILED && second != base);
    TRUE(second[0] == 's'); /* an old size of 0 makes a second view */
    second[1] = 'v';
    TRUE(base[1] == 'v');
    int file = temporary_file(4 * PAGE);
    char *mapped = mmap2(0, PAGE, RW, MAP_SHARED, file, 1);
    MUST(mapped = remap(mapped, PAGE, 3 * PAGE, MOVE, 0));
    TRUE(mapped[0] == 'B' && mapped[2 * PAGE] == 'D');
}

int main(void)
{
    errors();
    in_place();
    moving();
    part();
    given_place();
    dont_unmap();
    shared();
    return done();
}
