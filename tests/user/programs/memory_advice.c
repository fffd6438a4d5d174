// madvise, msync and mincore.
#include "check.h"

#define advise(address, length, advice) syscall(SYS_madvise, address, length, advice)
#define sync_(address, length, flags)   syscall(SYS_msync, address, length, flags)
#define core(address, length, to)       syscall(SYS_mincore, address, length, to)

static void advice(void)
{
    SECTION("madvise");
    char *base = map_pages(6, RW);
    memset(base, 'a', 6 * PAGE);
    TRY(advise(base + 1, PAGE, MADV_DONTNEED));
    TRY(advise(base, PAGE, 12345));
    TRY(advise(base, 0xFFFFF000, MADV_DONTNEED));
    TRY(advise(base, 0, MADV_DONTNEED));
    TRY(advise(base, PAGE, MADV_NORMAL));
    TRY(advise(base, PAGE, MADV_RANDOM));
    TRY(advise(base, PAGE, MADV_SEQUENTIAL));
    TRY(advise(base, PAGE, MADV_NORMAL)); /* or its area would stay apart from its neighbour */
    TRY(advise(base, 2 * PAGE, MADV_WILLNEED));
    TRY(advise(base + PAGE, 2 * PAGE, MADV_DONTNEED));
    RESIDENT(base, 6);
    TRUE(base[PAGE] == 0 && base[0] == 'a' && base[3 * PAGE] == 'a');
    TRY(advise(base + 4 * PAGE, 1, MADV_DONTNEED));
    RESIDENT(base, 6);
    MUST(munmap(base + 2 * PAGE, PAGE));
    TRY(advise(base, 6 * PAGE, MADV_DONTNEED)); /* across a hole: done, and an error */
    TRUE(base[0] == 0 && base[5 * PAGE] == 0);
    LAYOUT(base, 6);
}

static void advice_on_files(void)
{
    SECTION("madvise on files");
    int file = temporary_file(2 * PAGE);
    char *private = mmap2(0, 2 * PAGE, RW, MAP_PRIVATE, file, 0);
    char *shared = mmap2(0, 2 * PAGE, RW, MAP_SHARED, file, 0);
    private[0] = 'x';
    shared[PAGE] = 'y';
    TRY(advise(private, 2 * PAGE, MADV_DONTNEED));
    TRUE(private[0] == 'A'); /* back to what the file has */
    TRY(advise(shared, 2 * PAGE, MADV_DONTNEED));
    TRUE(shared[PAGE] == 'y');
    TRY(advise(private, 2 * PAGE, MADV_WILLNEED));
    char *locked = map_pages(2, RW);
    MUST(mlock(locked, PAGE));
    TRY(advise(locked, 2 * PAGE, MADV_DONTNEED)); /* locked pages stay */
}

static void syncing(void)
{
    SECTION("msync");
    int file = temporary_file(4 * PAGE);
    char *base = mmap2(0, 4 * PAGE, RW, MAP_SHARED, file, 0);
    base[0] = 'n';
    TRY(sync_(base, 4 * PAGE, MS_SYNC));
    TRY(sync_(base, 4 * PAGE, MS_ASYNC));
    TRY(sync_(base, 4 * PAGE, MS_INVALIDATE));
    TRY(sync_(base, 4 * PAGE, MS_SYNC | MS_ASYNC));
    TRY(sync_(base, PAGE, 0x100));
    TRY(sync_(base + 1, PAGE, MS_SYNC));
    TRY(sync_(base, 0, MS_SYNC));
    TRY(sync_(base, 0xFFFFF000, MS_SYNC));
    MUST(munmap(base + PAGE, PAGE));
    TRY(sync_(base, 4 * PAGE, MS_SYNC));
    TRY(sync_(base + PAGE, PAGE, MS_SYNC));
    MUST(mlock(base, PAGE));
    TRY(sync_(base, PAGE, MS_INVALIDATE));
}

static void residence(void)
{
    SECTION("mincore");
    char *base = map_pages(4, RW);
    unsigned char present[8];
    TRY(core(base + 1, PAGE, present));
    TRY(core(base, PAGE, 0));
    TRY(core(base, PAGE, 1));
    TRY(core(base, 0, present));
    TRY(core(base, 0xFFFFF000, present));
    base[0] = base[3 * PAGE] = 1;
    RESIDENT(base, 4);
    memset(present, 0x55, sizeof present);
    TRY(core(base, PAGE + 1, present));
    TRUE(present[0] == 1 && present[1] == 0 && present[2] == 0x55);
    MUST(munmap(base + PAGE, PAGE));
    TRY(core(base, 4 * PAGE, present));
    char *none = map_pages(2, PROT_NONE);
    RESIDENT(none, 2);
}

int main(void)
{
    advice();
    advice_on_files();
    syncing();
    residence();
    return done();
}
