// mmap2: each error of its manual page, and what it makes.
#include "check.h"

static void errors(void)
{
    int file = temporary_file(2 * PAGE), directory = open("/tmp", O_RDONLY);
    int write_only = (int)MUST(openat(AT_FDCWD, "/tmp/write-only", O_WRONLY | O_CREAT, 0600));
    int read_only = (int)MUST(openat(AT_FDCWD, "/tmp/write-only", O_RDONLY));
    int ends[2];
    char *base = map_pages(4, RW);
    MUST(pipe(ends));
    SECTION("errors");
    TRY(mmap2(0, 0, RW, PRIVATE, -1, 0));
    TRY(mmap2(0, PAGE, RW, MAP_ANONYMOUS, -1, 0));
    TRY(mmap2(0, PAGE, RW, MAP_ANONYMOUS | MAP_SHARED | MAP_PRIVATE, -1, 0));
    TRY(mmap2(base + 1, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    TRY(mmap2(base + 1, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0));
    TRY(mmap2(base, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0));
    TRY(mmap2(base - PAGE, 2 * PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0));
    TRY(mmap2(base + 3 * PAGE, 2 * PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0));
    TRY(mmap2(0, 0xFFFFF000, RW, PRIVATE, -1, 0));
    TRY(mmap2(0, 0xFFFFFFFF, RW, PRIVATE, -1, 0));
    TRY(mmap2(0xFFFFF000, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    TRY(mmap2(0xC0000000, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    TRY(mmap2(0, PAGE, PROT_READ, MAP_PRIVATE, -1, 0));
    TRY(mmap2(0, PAGE, PROT_READ, MAP_PRIVATE, 999, 0));
    TRY(mmap2(0, PAGE, PROT_READ, MAP_PRIVATE, write_only, 0));
    TRY(mmap2(0, PAGE, PROT_WRITE, MAP_SHARED, write_only, 0));
    TRY(mmap2(0, PAGE, RW, MAP_SHARED, read_only, 0));
    TRY(mmap2(0, PAGE, PROT_READ, MAP_PRIVATE, directory, 0));
    TRY(mmap2(0, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0));
    TRY(mmap2(0, 2 * PAGE, PROT_READ, MAP_PRIVATE, file, 0xFFFFFFFF));
    TRY(mmap2(0, PAGE, PROT_READ, MAP_PRIVATE, file, 0));
    TRY(mmap2(0, PAGE, RW, MAP_PRIVATE, read_only, 0));
    TRY(mmap2(0, PAGE, PROT_READ, MAP_SHARED, read_only, 0));
    TRY(mmap2(0, PAGE, 0, PRIVATE, -1, 12345)); /* an anonymous mapping has no place in a file */
    LAYOUT(base, 4);
    MUST(unlink("/tmp/write-only"));
}

static void anonymous(void)
{
    SECTION("anonymous");
    char *base = map_pages(5, RW);
    TRUE(base[0] == 0 && base[5 * PAGE - 1] == 0);
    RESIDENT(base, 5);
    WRITE(base + 2 * PAGE);
    RESIDENT(base, 5);
    TRUE(base[2 * PAGE] == 1 && base[2 * PAGE + 1] == 0);
    TRY(mmap2(base + PAGE, PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0));
    LAYOUT(base, 5);
    TOUCH(base + PAGE);
    WRITE(base + PAGE);
    TRY(mmap2(base + 2 * PAGE, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    TRUE(base[2 * PAGE] == 0); /* what was there is gone */
    TRY(mmap2(base + 3 * PAGE, PAGE, PROT_NONE, PRIVATE | MAP_FIXED, -1, 0));
    TOUCH(base + 3 * PAGE);
    LAYOUT(base, 5);
    TRY(syscall(SYS_munmap, base, 5 * PAGE));
    TOUCH(base);
}

static void odd_lengths(void)
{
    SECTION("a length that is no whole number of pages");
    char *base = room(4);
    TRUE(mmap2(base, 1, RW, PRIVATE | MAP_FIXED, -1, 0) == base);
    TRUE(mmap2(base + 2 * PAGE, PAGE + 1, RW, PRIVATE | MAP_FIXED, -1, 0) == base + 2 * PAGE);
    LAYOUT(base, 4);
    MUST(syscall(SYS_munmap, base, 4 * PAGE));
}

static void hints(void)
{
    SECTION("hints");
    char *base = room(8);
    TRUE(mmap2(base + 2 * PAGE, PAGE, RW, PRIVATE, -1, 0) == base + 2 * PAGE);
    char *elsewhere = mmap2(base + 2 * PAGE, PAGE, RW, PRIVATE, -1, 0);
    TRUE(elsewhere != base + 2 * PAGE && elsewhere != MAP_FAILED);
    TRUE(mmap2(base + 6 * PAGE, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == base + 6 * PAGE);
    TRUE(mmap2(base + 6 * PAGE, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED);
}

static void merging(void)
{
    SECTION("neighbours of the same kind are one area");
    char *base = room(6);
    TRUE(mmap2(base, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == base);
    TRUE(mmap2(base + 2 * PAGE, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == base + 2 * PAGE);
    LAYOUT(base, 6);
    TRUE(mmap2(base + PAGE, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == base + PAGE);
    LAYOUT(base, 6);
    TRUE(mmap2(base + 3 * PAGE, PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0) == base + 3 * PAGE);
    LAYOUT(base, 6);
    TRUE(mmap2(base + 4 * PAGE, PAGE, PROT_READ, SHARED | MAP_FIXED, -1, 0) == base + 4 * PAGE);
    LAYOUT(base, 6);
    MUST(syscall(SYS_munmap, base, 6 * PAGE));
}

static void populated(void)
{
    SECTION("populate and noreserve");
    char *base = mmap2(0, 4 * PAGE, RW, PRIVATE | MAP_POPULATE, -1, 0);
    RESIDENT(base, 4);
    char *none = mmap2(0, 4 * PAGE, PROT_NONE, PRIVATE | MAP_POPULATE, -1, 0);
    RESIDENT(none, 4);
    char *lazy = mmap2(0, 4 * PAGE, RW, PRIVATE | MAP_NORESERVE, -1, 0);
    RESIDENT(lazy, 4);
    WRITE(lazy + PAGE);
    RESIDENT(lazy, 4);
    char *locked = mmap2(0, 4 * PAGE, RW, PRIVATE | MAP_LOCKED, -1, 0);
    RESIDENT(locked, 4);
}

static void private_file(void)
{
    SECTION("a private file mapping");
    int file = temporary_file(2 * PAGE + 100);
    char *base = mmap2(0, 4 * PAGE, RW, MAP_PRIVATE, file, 0);
    char byte = 0;
    TRUE(base[0] == 'A' && base[PAGE] == 'B' && base[2 * PAGE + 99] == 'C');
    TRUE(base[2 * PAGE + 100] == 0 && base[3 * PAGE - 1] == 0); /* zeros to the end of the page */
    TOUCH(base + 3 * PAGE);                                     /* and nothing beyond it */
    base[0] = 'x';
    TRUE(pread(file, &byte, 1, 0) == 1 && byte == 'A');
    MUST(pwrite(file, "y", 1, PAGE + 1));
    TRUE(base[PAGE + 1] == 'y'); /* not copied yet, so the file shows through */
    MUST(pwrite(file, "z", 1, 1));
    TRUE(base[1] == 'A'); /* this page is ours since it was written */
    MUST(close(file));
    TRUE(base[PAGE] == 'B'); /* the mapping does not need the descriptor */
    char *second = mmap2(0, PAGE, PROT_READ, MAP_PRIVATE, temporary_file(3 * PAGE), 2);
    TRUE(second[0] == 'C');
}

static void shared_file(void)
{
    SECTION("a shared file mapping");
    int file = temporary_file(2 * PAGE);
    char *base = mmap2(0, 3 * PAGE, RW, MAP_SHARED, file, 0);
    char *other = mmap2(0, PAGE, PROT_READ, MAP_SHARED, file, 1);
    char byte = 0;
    base[PAGE + 5] = 'w';
    TRUE(other[5] == 'w');
    TRUE(pread(file, &byte, 1, PAGE + 5) == 1 && byte == 'w');
    MUST(pwrite(file, "v", 1, 7));
    TRUE(base[7] == 'v');
    TOUCH(base + 2 * PAGE);
    MUST(ftruncate(file, 3 * PAGE));
    TOUCH(base + 2 * PAGE);
    MUST(ftruncate(file, PAGE));
    TOUCH(base + PAGE); /* what was cut off is gone from the mapping */
    TOUCH(base);
    IN_CHILD("a child writes to it", base[8] = 'c');
    TRUE(base[8] == 'c');
}

static void shared_anonymous(void)
{
    SECTION("shared anonymous memory");
    char *base = mmap2(0, 2 * PAGE, RW, SHARED, -1, 0);
    char *private = map_pages(1, RW);
    TRUE(base[0] == 0);
    IN_CHILD("a child writes to both", base[0] = 's'; private[0] = 'p');
    TRUE(base[0] == 's');
    TRUE(private[0] == 0);
}

static void fixed_over_the_middle(void)
{
    SECTION("a fixed mapping over parts of three others");
    char *base = room(9);
    MUST(mmap2(base, 3 * PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    MUST(mmap2(base + 3 * PAGE, 3 * PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0));
    MUST(mmap2(base + 6 * PAGE, 3 * PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    base[0] = base[2 * PAGE] = base[6 * PAGE] = base[8 * PAGE] = 'k';
    TRUE(mmap2(base + 2 * PAGE, 5 * PAGE, PROT_NONE, SHARED | MAP_FIXED, -1, 0) == base + 2 * PAGE);
    LAYOUT(base, 9);
    TRUE(base[0] == 'k' && base[8 * PAGE] == 'k');
    TOUCH(base + 2 * PAGE);
    TOUCH(base + 6 * PAGE);
}

static void grows_down(void)
{
    SECTION("an area that grows down");
    char *base = room(600);
    TRUE(mmap2(base + 598 * PAGE, 2 * PAGE, RW, PRIVATE | MAP_FIXED | MAP_GROWSDOWN, -1, 0) ==
         base + 598 * PAGE);
    LAYOUT(base, 600);
    WRITE(base + 597 * PAGE);
    LAYOUT(base, 600);
    WRITE(base + 590 * PAGE);
    LAYOUT(base, 600);
    WRITE(base + 590 * PAGE - 1);
    LAYOUT(base, 600);
    TRY(syscall(SYS_mprotect, base + 595 * PAGE, PAGE, PROT_READ | PROT_GROWSDOWN));
    LAYOUT(base, 600);
}

static void grows_down_with_others(void)
{
    SECTION("areas that grow down become one");
    const int down = PRIVATE | MAP_FIXED | MAP_GROWSDOWN;
    char *base = room(600);
    MUST(mmap2(base + 598 * PAGE, 2 * PAGE, RW, down, -1, 0));
    TRUE(mmap2(base + 596 * PAGE, 2 * PAGE, RW, down, -1, 0) == base + 596 * PAGE);
    LAYOUT(base, 600);
    WRITE(base + 595 * PAGE);
    WRITE(base + 599 * PAGE);
    LAYOUT(base, 600);
    TRUE(mmap2(base + 593 * PAGE, 2 * PAGE, RW, down, -1, 0) == base + 593 * PAGE);
    LAYOUT(base, 600);
    TRUE(mmap2(base + 592 * PAGE, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == base + 592 * PAGE);
    LAYOUT(base, 600);
    MUST(syscall(SYS_munmap, base + 592 * PAGE, PAGE));
    WRITE(base + 592 * PAGE);
    LAYOUT(base, 600);
}

static void place_and_file(void)
{
    SECTION("what is wrong with the place is said before what is wrong with the file");
    char *base = map_pages(1, RW);
    int readable = open("/proc/self/exe", O_RDONLY), directory = open("/", O_RDONLY);
    int writable = open("/tmp/writable", O_WRONLY | O_CREAT, 0600);
    int zero = open("/dev/zero", O_RDONLY);
    TRY(mmap2(base, PAGE, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, readable, 0));
    TRY(mmap2(base, PAGE, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, zero, 0));
    TRY(mmap2(base, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE, directory, 0));
    TRY(mmap2(base, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE, writable, 0));
    TRY(mmap2(base, PAGE, PROT_READ, MAP_FIXED_NOREPLACE, readable, 0));
    TRY(mmap2(base + 1, PAGE, RW, MAP_SHARED | MAP_FIXED, readable, 0));
    TRY(mmap2(0, 0, RW, MAP_SHARED, readable, 0));
    TRY(mmap2(0, 0xFFFFF000u, RW, MAP_SHARED, readable, 0));
    TRY(mmap2(0, 2 * PAGE, RW, MAP_SHARED, readable, 0xFFFFFFFFu));
    TRY(mmap2(0, PAGE, RW, MAP_SHARED, readable, 0));
    TRY(mmap2(0, PAGE, RW, MAP_SHARED, zero, 0));
    TRY(mmap2(0, PAGE, RW, MAP_SHARED | MAP_GROWSDOWN, readable, 0));
    TRY(mmap2(0, PAGE, RW, MAP_PRIVATE | MAP_GROWSDOWN, readable, 0));
    TRY(mmap2(0, PAGE, RW, MAP_PRIVATE | MAP_GROWSDOWN, zero, 0));
    TRY(mmap2(0, PAGE, PROT_READ, MAP_PRIVATE, directory, 0));
    TRY(mmap2(0, PAGE, PROT_READ, 0, directory, 0));
    TRY(mmap2(0, PAGE, PROT_READ, MAP_SHARED, writable, 0));
    TRY(mmap2(0, PAGE, PROT_WRITE, MAP_SHARED, writable, 0));
    MUST(unlink("/tmp/writable"));
}

int main(void)
{
    errors();
    anonymous();
    odd_lengths();
    hints();
    merging();
    populated();
    private_file();
    shared_file();
    shared_anonymous();
    fixed_over_the_middle();
    grows_down();
    grows_down_with_others();
    place_and_file();
    return done();
}
