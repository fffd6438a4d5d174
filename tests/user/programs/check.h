#ifndef TESTS_USER_PROGRAMS_CHECK_H
#define TESTS_USER_PROGRAMS_CHECK_H

/*
 * What the programs of this folder share. Each prints one line for each check: the call as it
 * stands in the source, and what came of it. The same program runs on Linux and on our kernel, and
 * the two outputs are compared: so a line holds nothing that may differ, no address, no process
 * number.
 *
 *      TRY(call)       "call: ok" or "call: EINVAL"
 *      VALUE(call)     "call = 3" or "call: EINVAL"
 *      TRUE(condition) "condition: yes" or "condition: no"
 *      TOUCH(address), WRITE(address)   "...: ok", or the signal with its si_code
 *      LAYOUT(base, pages)     the areas there, as /proc/self/maps has them, in pages from base
 *      RESIDENT(base, pages)   what mincore says, a digit a page
 *
 * A line of TRY and its kin is printed when the call has returned, so its text says what was done.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u

static int checks_done;

static inline const char *error_name(int number)
{
    static const char *const names[] = {
        [EPERM] = "EPERM",
        [ENOENT] = "ENOENT",
        [ESRCH] = "ESRCH",
        [EINTR] = "EINTR",
        [EIO] = "EIO",
        [ENXIO] = "ENXIO",
        [E2BIG] = "E2BIG",
        [ENOEXEC] = "ENOEXEC",
        [EBADF] = "EBADF",
        [ECHILD] = "ECHILD",
        [EAGAIN] = "EAGAIN",
        [ENOMEM] = "ENOMEM",
        [EACCES] = "EACCES",
        [EFAULT] = "EFAULT",
        [EBUSY] = "EBUSY",
        [EEXIST] = "EEXIST",
        [EXDEV] = "EXDEV",
        [ENODEV] = "ENODEV",
        [ENOTDIR] = "ENOTDIR",
        [EISDIR] = "EISDIR",
        [EINVAL] = "EINVAL",
        [ENFILE] = "ENFILE",
        [EMFILE] = "EMFILE",
        [ENOTTY] = "ENOTTY",
        [ETXTBSY] = "ETXTBSY",
        [EFBIG] = "EFBIG",
        [ENOSPC] = "ENOSPC",
        [ESPIPE] = "ESPIPE",
        [EROFS] = "EROFS",
        [EMLINK] = "EMLINK",
        [EPIPE] = "EPIPE",
        [EDOM] = "EDOM",
        [ERANGE] = "ERANGE",
        [EDEADLK] = "EDEADLK",
        [ENAMETOOLONG] = "ENAMETOOLONG",
        [ENOSYS] = "ENOSYS",
        [ENOTEMPTY] = "ENOTEMPTY",
        [ELOOP] = "ELOOP",
        [ETIMEDOUT] = "ETIMEDOUT",
        [EOVERFLOW] = "EOVERFLOW",
        [EOPNOTSUPP] = "EOPNOTSUPP",
    };
    static char text[24];
    if (number > 0 && number < (int)(sizeof names / sizeof names[0]) && names[number] != NULL)
        return names[number];
    snprintf(text, sizeof text, "error %d", number);
    return text;
}

static inline void report(const char *what, const char *outcome)
{
    checks_done++;
    printf("%s: %s\n", what, outcome);
    fflush(stdout); /* a child that is forked next must not print it again */
}

static inline long report_try(const char *what, long result)
{
    int error = errno;
    report(what, result == -1 ? error_name(error) : "ok");
    return result;
}

static inline long report_value(const char *what, long result)
{
    if (result == -1)
        return report_try(what, result);
    checks_done++;
    printf("%s = %ld\n", what, result);
    fflush(stdout);
    return result;
}

#define TRY(call)       report_try(#call, (long)(call))
#define VALUE(call)     report_value(#call, (long)(call))
#define TRUE(condition) report(#condition, (condition) ? "yes" : "no")
#define SECTION(title)  printf("-- %s\n", title)

/* A failed preparation makes the lines that follow meaningless. */
static inline long must_(const char *what, long result)
{
    if (result == -1) {
        printf("PREPARATION FAILED: %s: %s\n", what, error_name(errno));
        exit(1);
    }
    return result;
}
#define MUST(call) must_(#call, (long)(call))

/* The raw calls, past what the C library would check by itself. */
#define mmap2(address, length, rights, flags, file, page)                                          \
    ((char *)syscall(SYS_mmap2, address, length, rights, flags, file, page))
#define RW      (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED  (MAP_SHARED | MAP_ANONYMOUS)

static inline char *map_pages(unsigned pages, int rights)
{
    return (char *)MUST(syscall(SYS_mmap2, 0, pages * PAGE, rights, PRIVATE, -1, 0));
}

/* Room of that many pages with nothing in it: what is mapped there is ours alone. */
static inline char *room(unsigned pages)
{
    char *base = map_pages(pages, PROT_NONE);
    MUST(syscall(SYS_munmap, base, pages * PAGE));
    return base;
}

/* ------------------------------------------------------------------------------------- faults */

static sigjmp_buf fault_return;
static volatile siginfo_t fault_info;

static inline void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    fault_info = *info;
    siglongjmp(fault_return, 1);
}

static inline const char *fault_name(void)
{
    if (fault_info.si_signo == SIGSEGV)
        return fault_info.si_code == SEGV_MAPERR   ? "SIGSEGV, not mapped"
               : fault_info.si_code == SEGV_ACCERR ? "SIGSEGV, no right"
                                                   : "SIGSEGV, other";
    if (fault_info.si_signo == SIGBUS)
        return fault_info.si_code == BUS_ADRERR ? "SIGBUS, beyond the object" : "SIGBUS, other";
    return "another signal";
}

enum touch { TOUCH_READ, TOUCH_WRITE, TOUCH_EXECUTE };

/* What an access does: "ok", or the fault; a fault at another address than the one touched says so.
 */
static inline const char *touch_(volatile char *address, enum touch kind)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, segv, bus;
    const char *volatile outcome = "ok";
    sigaction(SIGSEGV, &action, &segv);
    sigaction(SIGBUS, &action, &bus);
    if (sigsetjmp(fault_return, 1) == 0) {
        if (kind == TOUCH_READ)
            (void)*address;
        else if (kind == TOUCH_WRITE)
            *address = 1;
        else
            ((void (*)(void))(uintptr_t)address)();
    } else {
        outcome = fault_info.si_addr == (void *)address ? fault_name() : "a fault elsewhere";
    }
    sigaction(SIGSEGV, &segv, NULL);
    sigaction(SIGBUS, &bus, NULL);
    return outcome;
}

#define TOUCH(address)   report("read " #address, touch_(address, TOUCH_READ))
#define WRITE(address)   report("write " #address, touch_(address, TOUCH_WRITE))
#define EXECUTE(address) report("execute " #address, touch_(address, TOUCH_EXECUTE))

/* -------------------------------------------------------------------------------------- areas */

/* A file of /proc as text. Without the C library's streams: they allocate, and so change what is
 * read. */
static inline const char *proc_text(const char *path)
{
    static char text[1 << 16];
    int file = open(path, O_RDONLY);
    long length = 0, count;
    while (file >= 0 && (count = read(file, text + length, sizeof text - 1 - (size_t)length)) > 0)
        length += count;
    text[length] = '\0';
    close(file);
    return text;
}

static inline void layout_(const char *what, const char *base, unsigned pages)
{
    uintptr_t low = (uintptr_t)base, high = low + pages * PAGE;
    const char *line = proc_text("/proc/self/maps");
    printf("%s:", what);
    for (; *line != '\0'; line = strchr(line, '\n') + 1) {
        char *after;
        uintptr_t start = strtoul(line, &after, 16), end = strtoul(after + 1, &after, 16);
        if (end <= low || start >= high)
            continue;
        start = start < low ? low : start;
        end = end > high ? high : end;
        printf(" [%u,%u) %.4s", (unsigned)(start - low) / PAGE, (unsigned)(end - low) / PAGE,
               after + 1);
    }
    printf("\n");
    fflush(stdout);
    checks_done++;
}

static inline void resident_(const char *what, char *base, unsigned pages)
{
    unsigned char present[256] = {0};
    char digits[257] = {0};
    long result = syscall(SYS_mincore, base, pages * PAGE, present);
    for (unsigned i = 0; i < pages; i++)
        digits[i] = present[i] & 1 ? '1' : '0';
    report(what, result == -1 ? error_name(errno) : digits);
}

#define LAYOUT(base, pages)   layout_("layout of " #base, base, pages)
#define RESIDENT(base, pages) resident_("resident in " #base, base, pages)

/* ------------------------------------------------------------------------------------ children */

/* How a child ended. */
static inline void ended_(const char *what, int child)
{
    int status = 0;
    char text[64];
    if (child < 0 || waitpid(child, &status, 0) != child)
        snprintf(text, sizeof text, "no child");
    else if (WIFEXITED(status))
        snprintf(text, sizeof text, "exits with %d", WEXITSTATUS(status));
    else
        snprintf(text, sizeof text, "killed by signal %d", WTERMSIG(status));
    report(what, text);
}

#define ENDED(child) ended_(#child, child)

/* Runs the statements in a child of its own, and says how it ended. */
#define IN_CHILD(what, ...)                                                                        \
    do {                                                                                           \
        int child_ = fork();                                                                       \
        if (child_ == 0) {                                                                         \
            __VA_ARGS__;                                                                           \
            _exit(0);                                                                              \
        }                                                                                          \
        ended_(what, child_);                                                                      \
    } while (0)

/* The end of every program: that it came to its end is part of the output. */
static inline int done(void)
{
    printf("%d checks\n", checks_done);
    return 0;
}

/* A file in /tmp with that many bytes, the page number in each byte; unlinked already. */
static inline int temporary_file(unsigned bytes)
{
    char name[] = "/tmp/checkXXXXXX";
    int file = (int)MUST(mkstemp(name));
    MUST(unlink(name));
    for (unsigned at = 0; at < bytes; at += PAGE) {
        char page[PAGE];
        memset(page, (int)('A' + at / PAGE), sizeof page);
        MUST(write(file, page, bytes - at < PAGE ? bytes - at : PAGE));
    }
    return file;
}

#endif
