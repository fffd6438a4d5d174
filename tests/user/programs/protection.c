// What our kernel forbids by intent, and a running Linux may allow: each line says what is expected
// here. docs/memory-map.md: nothing is writable and executable, and page 0 is never mapped.
#include "check.h"

#define EXPECT(expected, call)                                                                     \
    do {                                                                                           \
        long result_ = (long)(call);                                                               \
        int error_ = errno;                                                                        \
        printf("%s: expected %s, %s\n", #call, error_name(expected),                               \
               result_ == -1 && error_ == (expected) ? "so it is"                                  \
               : result_ == -1                       ? error_name(error_)                          \
                                                     : "it succeeds");                                                   \
        checks_done++;                                                                             \
    } while (0)

#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)

int main(void)
{
    char *base = map_pages(4, RW), *text = map_pages(1, PROT_READ | PROT_EXEC);
    int file = temporary_file(PAGE);
    EXPECT(EACCES, mmap2(0, PAGE, RWX, PRIVATE, -1, 0));
    EXPECT(EACCES, mmap2(0, PAGE, PROT_WRITE | PROT_EXEC, PRIVATE, -1, 0));
    EXPECT(EACCES, mmap2(0, PAGE, RWX, MAP_SHARED, file, 0));
    EXPECT(EACCES, syscall(SYS_mprotect, base, PAGE, RWX));
    EXPECT(EACCES, syscall(SYS_mprotect, text, PAGE, RWX));
    EXPECT(ENOMEM, mmap2(0x30000000, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0)); /* the kernel's rows */
    EXPECT(ENOMEM, mmap2(0x08048000, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    EXPECT(EPERM, mmap2(0, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0));
    memset(base, 0xC3, PAGE); /* ret */
    EXECUTE(base);
    TRY(syscall(SYS_mprotect, base, PAGE, PROT_READ | PROT_EXEC));
    EXECUTE(base);
    TRY(syscall(SYS_mprotect, base, PAGE, RW)); /* one after the other is allowed */
    WRITE(base);
    EXECUTE(base);
    return done();
}
