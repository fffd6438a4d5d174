// munmap and mprotect: errors, partial ranges, splitting and merging.
#include "check.h"

#define unmap(address, length)           syscall(SYS_munmap, address, length)
#define protect(address, length, rights) syscall(SYS_mprotect, address, length, rights)

static void unmap_errors(char *base)
{
    SECTION("munmap: errors");
    TRY(unmap(base + 1, PAGE));
    TRY(unmap(base, 0));
    TRY(unmap(base, 0xFFFFFFFF));
    TRY(unmap(0xC0000000, PAGE));
    TRY(unmap(0xFFFFF000, PAGE));
    LAYOUT(base, 8);
}

static void unmap_parts(char *base)
{
    SECTION("munmap: parts");
    memset(base, 'u', 8 * PAGE);
    TRY(unmap(base, PAGE));
    LAYOUT(base, 8);
    TRY(unmap(base + 7 * PAGE, 1)); /* a part of a page counts as all of it */
    LAYOUT(base, 8);
    TRY(unmap(base + 3 * PAGE, PAGE));
    LAYOUT(base, 8);
    TRUE(base[2 * PAGE] == 'u' && base[4 * PAGE] == 'u');
    TOUCH(base + 3 * PAGE);
    TRY(unmap(base + 3 * PAGE, PAGE));     /* nothing there: no error */
    TRY(unmap(base + 2 * PAGE, 4 * PAGE)); /* across the hole */
    LAYOUT(base, 8);
    TRY(unmap(base, 8 * PAGE));
    LAYOUT(base, 8);
    TRUE(mmap2(base, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == base);
    TRUE(base[0] == 0); /* what was there does not come back */
}

static void protect_errors(void)
{
    SECTION("mprotect: errors");
    char *base = map_pages(6, RW);
    int read_only, file = temporary_file(PAGE);
    char name[64];
    MUST(unmap(base + 4 * PAGE, PAGE));
    TRY(protect(base + 1, PAGE, PROT_READ));
    TRY(protect(base, PAGE, 0x40000000));
    TRY(protect(base, PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP));
    TRY(protect(base, PAGE, PROT_READ | PROT_GROWSDOWN));
    TRY(protect(base, 0, PROT_READ));
    TRY(protect(base + 4 * PAGE, PAGE, PROT_READ));
    TRY(protect(base, 0xFFFFF000, PROT_READ));
    TRY(protect(0xFFFFF000, 2 * PAGE, PROT_READ));
    LAYOUT(base, 6);
    TRY(protect(base + 2 * PAGE, 4 * PAGE, PROT_READ)); /* up to the hole it is done */
    LAYOUT(base, 6);
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    read_only = (int)MUST(openat(AT_FDCWD, name, O_RDONLY));
    char *mapped = mmap2(0, PAGE, PROT_READ, MAP_SHARED, read_only, 0);
    TRY(protect(mapped, PAGE, RW)); /* the file may not be written through this descriptor */
    char *copy = mmap2(0, PAGE, PROT_READ, MAP_PRIVATE, read_only, 0);
    TRY(protect(copy, PAGE, RW));
    WRITE(copy);
    TRUE(mapped[0] == 'A');
}

static void protect_parts(void)
{
    SECTION("mprotect: parts");
    char *base = map_pages(8, RW);
    memset(base, 'p', 8 * PAGE);
    TRY(protect(base + 2 * PAGE, 1, PROT_READ));
    LAYOUT(base, 8);
    TOUCH(base + 2 * PAGE);
    WRITE(base + 2 * PAGE);
    WRITE(base + 3 * PAGE);
    TRY(protect(base + 2 * PAGE, PAGE, RW));
    LAYOUT(base, 8); /* one area again */
    WRITE(base + 2 * PAGE);
    TRY(protect(base, 8 * PAGE, PROT_NONE));
    TOUCH(base);
    WRITE(base + 7 * PAGE);
    TRY(protect(base + PAGE, 6 * PAGE, PROT_READ));
    LAYOUT(base, 8);
    TRUE(base[5 * PAGE] == 'p'); /* its contents stay */
    TRY(protect(base, 8 * PAGE, RW));
    LAYOUT(base, 8);
    TRUE(base[0] == 'p' && base[7 * PAGE] == 'p');
    TRY(protect(base + 4 * PAGE, 4 * PAGE, PROT_READ | PROT_EXEC));
    LAYOUT(base, 8);
    TOUCH(base + 4 * PAGE);
}

static void protect_and_fork(void)
{
    SECTION("mprotect in a child is the child's own");
    char *base = map_pages(2, RW);
    base[0] = 'f';
    IN_CHILD("a child takes the right away and writes", protect(base, PAGE, PROT_READ);
             base[0] = 'c');
    WRITE(base);
    MUST(protect(base, PAGE, PROT_READ));
    IN_CHILD("a child gives it back and writes", protect(base, PAGE, RW); base[0] = 'c');
    TRUE(base[0] == 1);
    WRITE(base);
}

static void many_pieces(void)
{
    SECTION("every second page of 64");
    char *base = map_pages(64, RW);
    for (unsigned i = 0; i < 64; i += 2)
        MUST(protect(base + i * PAGE, PAGE, PROT_READ));
    LAYOUT(base, 64);
    for (unsigned i = 1; i < 64; i += 2)
        MUST(unmap(base + i * PAGE, PAGE));
    LAYOUT(base, 64);
    TRY(protect(base, PAGE, RW));
    TRY(protect(base, 2 * PAGE, RW));
    TRY(unmap(base, 64 * PAGE));
    LAYOUT(base, 64);
}

int main(void)
{
    char *base = map_pages(8, RW);
    unmap_errors(base);
    unmap_parts(base);
    protect_errors();
    protect_parts();
    protect_and_fork();
    many_pieces();
    return done();
}
