// mlock, munlock, mlockall, munlockall, and their limit for a user without privileges.
#include "check.h"

#include <sys/resource.h>

#define lock(address, length)   syscall(SYS_mlock, address, length)
#define unlock(address, length) syscall(SYS_munlock, address, length)

static long locked_kib(void)
{
    const char *line = strstr(proc_text("/proc/self/status"), "VmLck:");
    return line == NULL ? -1 : strtol(line + strlen("VmLck:"), NULL, 10);
}

static void ranges(void)
{
    SECTION("ranges");
    char *base = map_pages(6, RW);
    TRY(lock(base, 2 * PAGE));
    RESIDENT(base, 6);
    VALUE(locked_kib());
    TRY(lock(base, PAGE)); /* locks do not nest */
    VALUE(locked_kib());
    TRY(lock(base + 2 * PAGE + 100, 1));
    VALUE(locked_kib());
    TRY(unlock(base + PAGE, PAGE));
    VALUE(locked_kib());
    TRY(lock(base, 0));
    TRY(lock(base, 0xFFFFFFFF - PAGE));
    TRY(unlock(base, 0xFFFFFFFF - PAGE));
    MUST(munmap(base + 4 * PAGE, PAGE));
    TRY(lock(base, 6 * PAGE));
    TRY(unlock(base, 6 * PAGE));
    TRY(lock(base + 4 * PAGE, PAGE));
    TRY(unlock(base + 4 * PAGE, PAGE));
    TRY(unlock(base, 4 * PAGE));
    TRY(unlock(base + 5 * PAGE, PAGE));
    VALUE(locked_kib());
    char *none = map_pages(1, PROT_NONE);
    TRY(lock(none, PAGE)); /* what cannot be read cannot be made present */
    MUST(munmap(none, PAGE));
}

static void future(void)
{
    SECTION("all that is and all that comes");
    TRY(syscall(SYS_mlockall, 0));
    TRY(syscall(SYS_mlockall, 64));
    TRY(syscall(SYS_mlockall, MCL_ONFAULT));
    TRY(syscall(SYS_mlockall, MCL_FUTURE));
    char *base = map_pages(3, RW);
    RESIDENT(base, 3);
    TRY(syscall(SYS_mlockall, MCL_CURRENT));
    TRUE(locked_kib() > 12);
    IN_CHILD("a child does not inherit locks", _exit(locked_kib() == 0 ? 0 : 1));
    TRY(syscall(SYS_munlockall));
    VALUE(locked_kib());
    char *later = map_pages(3, RW);
    RESIDENT(later, 3);
}

static void pages_stay_through_fork(void)
{
    SECTION("fork");
    char *base = map_pages(2, RW);
    MUST(lock(base, 2 * PAGE));
    base[0] = 'l';
    IN_CHILD("a child writes to its copy", base[0] = 'c');
    TRUE(base[0] == 'l');
    MUST(unlock(base, 2 * PAGE));
}

static void moved_away(void)
{
    SECTION("mremap that leaves the old place");
    char *base = map_pages(2, RW), *shared = mmap2(0, PAGE, RW, SHARED, -1, 0);
    MUST(lock(base, 2 * PAGE));
    char *moved =
        (char *)syscall(SYS_mremap, base, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    VALUE(locked_kib());
    TRY(madvise(moved, PAGE, MADV_DONTNEED)); /* the lock went with the pages */
    TRY(madvise(base, PAGE, MADV_DONTNEED));
    TRY(unlock(moved, 2 * PAGE));
    shared[0] = 's';
    moved = (char *)syscall(SYS_mremap, shared, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    TRUE(moved != MAP_FAILED && moved != shared);
    TRUE(moved[0] == 's' && shared[0] == 's'); /* the object has what the page had */
}

static void made_writable(void)
{
    SECTION("mprotect of locked pages, some beyond the end of their file");
    char *base = mmap2(0, 3 * PAGE, PROT_READ, MAP_PRIVATE, temporary_file(2 * PAGE), 0);
    TRY(lock(base, 3 * PAGE));
    TRY(mprotect(base, 3 * PAGE, RW));
    WRITE(base + PAGE);
    WRITE(base + 2 * PAGE);
    TRY(unlock(base, 3 * PAGE));
}

static void limited(void)
{
    SECTION("a user's limit");
    struct rlimit limit = {4 * PAGE, 4 * PAGE};
    char *base = map_pages(8, RW);
    MUST(setrlimit(RLIMIT_MEMLOCK, &limit));
    MUST(setuid(1000));
    TRY(lock(base, 4 * PAGE));
    TRY(lock(base + 4 * PAGE, PAGE));
    TRY(lock(base, 5 * PAGE));
    TRY(unlock(base, PAGE));
    TRY(lock(base + 4 * PAGE, PAGE));
    TRY(mmap2(0, PAGE, RW, PRIVATE | MAP_LOCKED, -1, 0));
    TRY(syscall(SYS_mlockall, MCL_CURRENT));
    TRY(syscall(SYS_mremap, base + PAGE, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE));
    TRY(syscall(SYS_munlockall));
    VALUE(locked_kib());
    limit = (struct rlimit){0, 0};
    MUST(setrlimit(RLIMIT_MEMLOCK, &limit));
    TRY(lock(base, PAGE));
    TRY(syscall(SYS_mlockall, MCL_CURRENT));
}

int main(void)
{
    ranges();
    future();
    pages_stay_through_fork();
    moved_away();
    made_writable();
    limited();
    return done();
}
