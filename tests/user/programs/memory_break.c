// brk, the stack's growth, and limits of memory.
#include "check.h"

#include <sys/resource.h>

static char *set_break(void *to)
{
    return (char *)syscall(SYS_brk, to);
}

static void growing(void)
{
    SECTION("brk");
    char *start = set_break(0);
    char *base = (char *)(((uintptr_t)start + PAGE - 1) & ~(PAGE - 1));
    TRUE(set_break(base) == base);
    TRUE(set_break(base + 3 * PAGE + 10) == base + 3 * PAGE + 10);
    TRUE(base[0] == 0 && base[3 * PAGE + 9] == 0);
    LAYOUT(base, 6);
    memset(base, 'b', 3 * PAGE);
    TRUE(set_break(base + PAGE) == base + PAGE);
    TOUCH(base + PAGE);
    TRUE(set_break(base + 2 * PAGE) == base + 2 * PAGE);
    TRUE(base[0] == 'b' && base[PAGE] == 0);
    TRUE(set_break((void *)1) == base + 2 * PAGE); /* what cannot be done changes nothing */
    TRUE(set_break((void *)0xC0000000) == base + 2 * PAGE);
    TRUE(mmap2(base + 4 * PAGE, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == base + 4 * PAGE);
    TRUE(set_break(base + 8 * PAGE) == base + 2 * PAGE); /* someone is in the way */
    TRUE(set_break(base) == base);
    MUST(munmap(base + 4 * PAGE, PAGE));
}

static void limited_data(void)
{
    SECTION("limits");
    struct rlimit old, limit;
    char *base = set_break(0);
    MUST(getrlimit(RLIMIT_AS, &old));
    limit = (struct rlimit){16 << 20, old.rlim_max};
    MUST(setrlimit(RLIMIT_AS, &limit));
    TRY(mmap2(0, 32 << 20, RW, PRIVATE, -1, 0));
    TRUE(set_break(base + (32 << 20)) == base);
    MUST(setrlimit(RLIMIT_AS, &old));
    char *large = mmap2(0, 32 << 20, PROT_READ, PRIVATE, -1, 0);
    TRUE(large != MAP_FAILED);
    MUST(munmap(large, 32 << 20));
    MUST(getrlimit(RLIMIT_DATA, &old));
    limit = (struct rlimit){8 << 20, old.rlim_max};
    MUST(setrlimit(RLIMIT_DATA, &limit));
    TRUE(set_break(base + (32 << 20)) == base);
    MUST(setrlimit(RLIMIT_DATA, &old));
}

static int __attribute__((noinline)) deep(unsigned pages)
{
    volatile char frame[PAGE];
    frame[0] = frame[PAGE - 1] = 1;
    return pages == 0 ? 0 : deep(pages - 1) + frame[0];
}

static void stack(void)
{
    SECTION("stack");
    VALUE(deep(100));
    struct rlimit limit;
    MUST(getrlimit(RLIMIT_STACK, &limit));
    limit.rlim_cur = 256 << 10;
    IN_CHILD("a child with a stack of 256 KiB uses 128", setrlimit(RLIMIT_STACK, &limit); deep(32));
    IN_CHILD("a child with a stack of 256 KiB uses 512", setrlimit(RLIMIT_STACK, &limit);
             deep(128));
}

int main(void)
{
    growing();
    limited_data();
    stack();
    return done();
}
