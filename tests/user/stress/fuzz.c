/*
 * Random system calls, every one that the kernel has: with arguments that mostly make sense, and
 * with some that do not. Workers make them, a few hundred each; who hangs is killed. What the
 * calls answer is not judged: the kernel has to live on, and its books have to be as before.
 *
 *      fuzz SEED COUNT        prints how many were made, and how many succeeded
 *
 * A call depends on the seed and its number alone, and on what the worker's calls before it did.
 */
#include "kernel/syscall/calls.h"
#include "tests/user/stress/fuzz_calls.h"

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FOLDER                          "/tmp/fuzz"
#define BATCH                           400
#define FILE_BYTES                      (128u << 10)
#define PAGE                            4096u
#define PAGES                           256u
#define STALL_TURNS                     30 /* of 2 ms without a call: it hangs */

#define ROW_OF(number, name, arguments) {number, #name, KINDS_##name},
static const struct call {
    uint32_t number;
    const char *name, *kinds;
} calls[] = {SYSCALLS(ROW_OF)};
#define CALLS (sizeof calls / sizeof calls[0])

/* Who and what the workers count for. */
static struct {
    volatile uint32_t made;
    volatile uint32_t tried[CALLS], succeeded[CALLS];
} * shared;

static uint32_t seed, limit;
static uint8_t data[1 << 16] __attribute__((aligned(4096)));
static uint8_t *pages;
static const char *own_path;

/* ---- chance ---- */

static uint32_t state;

static void begin_random(uint32_t number)
{
    state = (seed * 2654435761u) ^ (number * 2246822519u + 374761393u);
    state ^= state >> 15, state *= 3266489917u, state ^= state >> 13;
    state |= state == 0;
}

static uint32_t chance(uint32_t below)
{
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    return (state >> 3) % below;
}

#define ONE_OF(...)                                                                                \
    ({                                                                                             \
        const uint32_t list_[] = {__VA_ARGS__};                                                    \
        list_[chance(sizeof list_ / sizeof list_[0])];                                             \
    })
#define ADDRESS(object) ((uint32_t)(uintptr_t)(object))

static uint32_t anything(void)
{
    switch (chance(6)) {
    case 0:
        return chance(70) - 3;
    case 1:
        return 1u << chance(32);
    case 2:
        return ADDRESS(data) + chance(sizeof data);
    case 3:
        return ONE_OF(0, 1, 0xFFF, 0x1000, 0x10000000, 0x20000000, 0x30000000, 0x7FFFFFFF,
                      0x80000000, 0xBFFFFFFF, 0xC0000000, 0xFFFFF000, 0xFFFFFFFF);
    case 4:
        return 0u - 1u - chance(5000);
    default:
        return state * 747796405u;
    }
}

/* ---- arguments ---- */

/* What an argument points to, when it has to look like something. */
static uint8_t objects[6][1024] __attribute__((aligned(16)));

static const char *const names[] = {"a",   "b",     "c",  "d",    "d/a",    "d/b",
                                    "d/d", "d/d/a", "e",  "e/d",  "f",      "none/a",
                                    ".",   "",      "d/", "link", "link/a", "a/b"};
static const char *const readable[] = {
    "/dev/null",          "/dev/zero",       "/dev/full",
    "/dev/random",        "/proc/self/maps", "/proc/self/stat",
    "/proc/self/status",  "/proc/meminfo",   "/proc/self/fd",
    "/proc/self/cmdline", "/proc",           FOLDER}; /* not exe: our kernel lets it be cut */

static uint32_t path(void)
{
    static char longest[4200];
    switch (chance(60)) {
    case 0:
        memset(longest, 'x', sizeof longest - 1);
        longest[chance(sizeof longest)] = '\0';
        return ADDRESS(longest);
    case 1:
        return ADDRESS(NULL);
    case 2:
        return 0xC0000000;
    case 3:
        data[sizeof data - 1] = 'x'; /* what is behind may be no longer ours */
        return ADDRESS(data + sizeof data - 1);
    default:
        return ADDRESS(names[chance(sizeof names / sizeof names[0])]);
    }
}

static uint32_t words(uint32_t *object, uint32_t first, uint32_t second, uint32_t third,
                      uint32_t fourth)
{
    object[0] = first, object[1] = second, object[2] = third, object[3] = fourth;
    return ADDRESS(object);
}

static uint32_t vector(uint32_t *object)
{
    for (unsigned i = 0; i < 8; i++) {
        object[2 * i] = ADDRESS(data) + chance(sizeof data);
        object[2 * i + 1] = chance(30) == 0 ? anything() : chance(500);
    }
    return ADDRESS(object);
}

static uint32_t polled(struct pollfd *object)
{
    for (unsigned i = 0; i < 8; i++)
        object[i] = (struct pollfd){(int)chance(24) - 1, (short)chance(64), 0};
    return ADDRESS(object);
}

/* Of the calls that are handed a process: no other one than us. */
static uint32_t process(void)
{
    return ONE_OF(0, 0, (uint32_t)syscall(SYS_getpid), (uint32_t)syscall(SYS_getpid), 99999,
                  0x7FFFFFFF);
}

static void on_signal(int signal)
{
    (void)signal;
}

static uint32_t action(uint32_t *object)
{
    uint32_t handler = ONE_OF(0, 1, 1, ADDRESS(on_signal), ADDRESS(on_signal), ADDRESS(on_signal));
    memset(object, 0, 32);
    object[0] = handler;
    object[1] = chance(2) ? 0x10000000 | 0x40000000 : chance(16) ? 0 : anything();
    return ADDRESS(object);
}

static uint32_t argument_list(uint32_t *object)
{
    object[0] = ADDRESS("fuzz");
    object[1] = ADDRESS("end");
    object[2] = chance(20) == 0 ? 0xC0000000 : 0;
    return ADDRESS(object);
}

static uint32_t map_arguments(uint32_t *object)
{
    object[0] = ADDRESS(pages) + chance(PAGES) * PAGE;
    object[1] = chance(16) * PAGE;
    object[2] = chance(4);
    object[3] = ONE_OF(0x22, 0x32, 0x21, 0x31);
    object[4] = chance(20);
    object[5] = 0;
    return ADDRESS(object);
}

static uint32_t limits(uint32_t *object)
{
    uint32_t soft = ONE_OF(0xFFFFFFFF, 0xFFFFFFFF, 64 << 20, 32 << 20, 1 << 20, 100);
    return words(object, soft, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF);
}

static uint32_t value_of(char kind, void *object)
{
    switch (kind) {
    case 'f':
        return chance(12) == 0 ? ONE_OF(999, 0xFFFFFFFF, 20) : 3 + chance(12);
    case 'H':
        return chance(4) != 0 ? (uint32_t)AT_FDCWD : 4;
    case 'p':
        return path();
    case 'q':
        return chance(3) != 0 ? path()
                              : ADDRESS(readable[chance(sizeof readable / sizeof readable[0])]);
    case 'b':
        return ADDRESS(data) + chance(sizeof data - 8192) / 4 * 4;
    case 'B':
        return words(object, chance(3), chance(3), chance(1000), chance(1000));
    case 'n':
        return chance(20) == 0 ? anything() : chance(2) ? chance(64) : chance(9000);
    case 'm':
        return ADDRESS(pages) + chance(PAGES) * PAGE;
    case 'l':
        return (1 + chance(16)) * PAGE;
    case 't':
        return words(object, 0, chance(3000), 0, chance(3000));
    case 'T':
        return words(object, 0, 0, chance(3000), 0);
    case 'w':
        return words(object, 0, chance(3000), 0, chance(3000));
    case 'J': {
        uint32_t *times = object;
        words(times + 4, chance(1000), 0, chance(1000), 0);
        return words(times, chance(1000), 0, chance(1000), 0);
    }
    case 's':
        return chance(3) != 0 ? 0 : ONE_OF(SIGALRM, SIGCHLD, SIGURG, SIGCONT, chance(66));
    case 'S':
        return words(object, ONE_OF(0, 1u << (SIGALRM - 1), anything()), chance(2) ? 0 : anything(),
                     0, 0);
    case 'A':
        return action(object);
    case 'P':
        return process();
    case 'W':
        return ONE_OF(0xFFFFFFFF, 0xFFFFFFFF, 0, 99999, process());
    case 'C':
        return WNOHANG | (chance(4) == 0 ? chance(16) : 0);
    case 'u':
        return ONE_OF(0, 0, 0, 0xFFFFFFFF, 1000);
    case 'c':
        return chance(9);
    case 'i':
        return chance(8);
    case 'F':
        return anything();
    case 'o':
    case 'z':
        return chance(25) == 0 ? anything() : 0;
    case 'Z':
        return chance(3);
    case 'O':
        return chance(4) | (chance(2) ? O_CREAT : 0) | (chance(3) != 0 ? O_NONBLOCK : 0) |
               (chance(6) == 0 ? 1u << chance(22) : 0);
    case 'M':
        return (chance(8) == 0 ? ONE_OF(S_IFIFO, S_IFREG, S_IFCHR, S_IFDIR, S_IFBLK) : 0) |
               (chance(4) != 0 ? 0755 : chance(010000));
    case 'D':
        return ONE_OF(0x103, 0x105, 0x107, 0x108, 0x109, 0x7777);
    case 'v':
        return vector(object);
    case 'V':
        return chance(9);
    case 'e':
        return polled(object);
    case 'E':
        return ONE_OF(1, 2, 8) | 4;
    case 'g':
        return chance(8) == 0 ? anything() : ONE_OF(0, 1, 3, 3, 3, 5);
    case 'd':
        return ONE_OF(0x22, 0x22, 0x32, 0x32, 0x21, 0x31, 0x02, 0x01, 0x12, 0x11, 0x8022, 0x4032,
                      0x100032, 0x122) |
               (chance(20) == 0 ? 1u << chance(22) : 0);
    case 'h':
        return chance(4);
    case 'N':
        return map_arguments(object);
    case '6':
        return ONE_OF(0, 1, 2, 3, 4, 4, 8, 14, 15, 9, 12, 100);
    case 'a':
        return chance(5) == 0 ? 0 : argument_list(object);
    case 'x':
        return chance(3) == 0 ? ADDRESS(own_path) : path();
    case 'L': /* but for RLIMIT_FSIZE: see limit_files */
        return ONE_OF(0, 2 + chance(15), 2 + chance(15));
    case 'R':
        return limits(object);
    case 'Q':
        return chance(2) ? 0 : limits(object);
    case '1':
        return chance(2) ? 0xFEE1DEAD : anything();
    case '2':
        return chance(2) ? 672274793 : anything();
    case '3':
        return ONE_OF(0, 0x89ABCDEF, 5); /* what neither ends nor resets the machine */
    case 'K':
        return ONE_OF(0, 17, 17, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
                      CLONE_VM | CLONE_VFORK | 17, anything());
    case 'X':
        return ONE_OF(1, 2, 3, 4, 15, 16, 16, chance(60));
    case '4':
        return ONE_OF(4, 4, 4, 0, 8, 128);
    case '5':
        return 12;
    case '8':
        return chance(16) == 0 ? 4 : 8;
    case '9':
        return 84;
    case 'k':
        return words(object, ADDRESS(data), 0, 8192, 0);
    case 'I':
        return words(object, chance(66), 0, 0xFFFFFFFF, 0);
    case 'U':
        return ONE_OF(0, 1, 3, 4, 5, 9, 10, 128, 129, chance(300));
    case 'j':
        return words(object, chance(4) ? 6 + chance(3) : 0xFFFFFFFF, ADDRESS(data), 0xFFFFF, 0x51);
    case 'y':
        return chance(20) == 0 ? chance(2000) : chance(17);
    case 'Y':
        return ONE_OF(FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, TCGETS, TIOCGWINSZ, TIOCGPGRP,
                      chance(0x6000));
    case '7':
        words((uint32_t *)object + 4, ADDRESS(data) + 512, ADDRESS((uint32_t *)object + 6), 0,
              1000);
        return words(object, chance(8), ADDRESS(data), ADDRESS(data) + 256, ADDRESS(data) + 512);
    case 'G':
        return ONE_OF(0, 0, AT_REMOVEDIR, 1);
    default:
        return anything();
    }
}

/* One in 40 is something else; but who is signalled, and where files lie, stays with us. */
static uint32_t argument(char kind, void *object)
{
    uint32_t value = value_of(kind, object);
    return chance(40) == 0 && strchr("PWpqxs123", kind) == NULL ? anything() : value;
}

/* ---- calls ---- */

/* EBX and EBP hold arguments, which an asm statement cannot ask for: all come from one block. */
#define CALL_SYSTEM(number, given, then)                                                           \
    ({                                                                                             \
        int32_t result_;                                                                           \
        uint32_t block_[7] = {number};                                                             \
        memcpy(block_ + 1, given, 6 * sizeof block_[0]);                                           \
        __asm__ volatile("pushl %%ebx; pushl %%ebp\n\t"                                            \
                         "movl 4(%%eax), %%ebx; movl 8(%%eax), %%ecx; movl 12(%%eax), %%edx\n\t"   \
                         "movl 16(%%eax), %%esi; movl 20(%%eax), %%edi; movl 24(%%eax), %%ebp\n\t" \
                         "movl (%%eax), %%eax\n\t"                                                 \
                         "int $0x80\n\t" then "popl %%ebp; popl %%ebx"                             \
                         : "=a"(result_)                                                           \
                         : "a"(block_)                                                             \
                         : "ecx", "edx", "esi", "edi", "memory", "cc");                            \
        result_;                                                                                   \
    })

static int32_t make_call(uint32_t number, const uint32_t *arguments)
{
    return CALL_SYSTEM(number, arguments, "");
}

/* Of those that return twice: the child ends at once, whatever stack it has. */
static int32_t make_birth(uint32_t number, const uint32_t *arguments)
{
    return CALL_SYSTEM(number, arguments,
                       "testl %%eax, %%eax; jnz 1f\n\t"
                       "movl $1, %%eax; int $0x80; hlt\n\t"
                       "1: ");
}

static bool is_birth(uint32_t number)
{
    return number == SYS_fork || number == SYS_vfork || number == SYS_clone;
}

/* What does not come back when it succeeds. */
static bool is_end(uint32_t number)
{
    return number == SYS_exit || number == SYS_exit_group || number == SYS_execve ||
           number == SYS_sigreturn || number == SYS_rt_sigreturn;
}

/* What ends the worker, or makes it wait. */
static bool is_rare(uint32_t number)
{
    static const uint32_t rare[] = {
        SYS_exit,          SYS_exit_group, SYS_execve,       SYS_pause,       SYS_sigsuspend,
        SYS_rt_sigsuspend, SYS_sigreturn,  SYS_rt_sigreturn, SYS_chroot,      SYS_setrlimit,
        SYS_setuid,        SYS_setuid32,   SYS_setresuid,    SYS_setresuid32, SYS_setreuid32,
        SYS_prlimit64,     SYS_fork,       SYS_vfork,        SYS_clone,       SYS_chdir,
        SYS_fchdir,        SYS_munmap,     SYS_close};
    for (unsigned i = 0; i < sizeof rare / sizeof rare[0]; i++)
        if (number == rare[i])
            return true;
    return false;
}

/* The first ones are all, in turn. */
static unsigned choose(uint32_t index)
{
    if (index < CALLS)
        return index;
    unsigned row = chance(CALLS);
    while (is_rare(calls[row].number) && chance(8) != 0)
        row = chance(CALLS);
    return row;
}

static void call_once(uint32_t index)
{
    uint32_t arguments[6];
    begin_random(index);
    unsigned row = choose(index);
    const char *kinds = calls[row].kinds;
    size_t count = strlen(kinds);
    for (unsigned i = 0; i < 6; i++)
        arguments[i] = i < count ? argument(kinds[i], objects[i]) : anything();
    shared->made = index + 1;
    shared->tried[row]++;
    shared->succeeded[row] += is_end(calls[row].number);
    int32_t result = is_birth(calls[row].number) ? make_birth(calls[row].number, arguments)
                                                 : make_call(calls[row].number, arguments);
    bool is_good = result >= 0 || result < -4095;
    shared->succeeded[row] += is_good - is_end(calls[row].number);
}

/* ---- workers ---- */

/* Whatever the calls did to it: waiting ends after a few milliseconds. */
static void be_interruptible(void)
{
    struct itimerval interval = {{0, 4000}, {0, 4000}};
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t none;
    sigemptyset(&none);
    sigaction(SIGALRM, &action, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setitimer(ITIMER_REAL, &interval, NULL);
}

static void open_some(void)
{
    int ends[2];
    for (int i = 0; i < 20; i++)
        close(i);
    for (int i = 0; i < 3; i++)
        open("/dev/null", O_RDWR);
    open("a", O_RDWR | O_CREAT, 0644);
    open(".", O_RDONLY | O_DIRECTORY);
    if (pipe2(ends, O_NONBLOCK) == 0 && write(ends[1], "pipe", 4) == 4)
        open("/dev/zero", O_RDWR);
    open("b", O_RDWR | O_CREAT | O_APPEND, 0600);
    open("/proc/self/maps", O_RDONLY);
    open("c", O_RDWR | O_CREAT | O_TRUNC, 0666);
}

/* The C library has it not. */
static void set_policy(int policy, int priority)
{
    syscall(SYS_sched_setscheduler, 0, policy, &priority);
}

/* Files stay when workers go: they must not take all memory. */
static void limit_files(void)
{
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){FILE_BYTES, FILE_BYTES});
    signal(SIGXFSZ, SIG_IGN);
}

static void work(void)
{
    set_policy(SCHED_OTHER, 0);
    limit_files();
    setpgid(0, 0);
    if (chdir(FOLDER) != 0)
        _exit(1);
    mkdir("d", 0755);
    open_some();
    pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < BATCH && shared->made < limit; i++) {
        if (i % 16 == 0)
            be_interruptible();
        call_once(shared->made);
    }
    _exit(0);
}

/* Its group, too: what it forked. */
static void end(pid_t worker)
{
    kill(-worker, SIGKILL);
    kill(worker, SIGKILL);
    waitpid(worker, NULL, 0);
}

/* Waits for its end, or for a call that does not come back. True if it had to be killed. */
static bool watch(pid_t worker)
{
    uint32_t made = shared->made;
    for (int still = 0; waitpid(worker, NULL, WNOHANG) == 0; still++) {
        nanosleep(&(struct timespec){0, 2000000}, NULL);
        if (shared->made != made)
            still = 0;
        made = shared->made;
        if (still > STALL_TURNS) {
            end(worker);
            return true;
        }
    }
    kill(-worker, SIGKILL);
    return false;
}

static int remove_it(const char *name, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(name);
}

/* Again and again: it may want memory when there is none. */
static void remove_files(void)
{
    for (int tries = 0; tries < 100 && (access(FOLDER, F_OK) == 0 || errno != ENOENT); tries++)
        nftw(FOLDER, remove_it, 8, FTW_DEPTH | FTW_PHYS);
}

static int summary(uint32_t workers, uint32_t killed)
{
    uint32_t tried = 0, succeeded = 0, never = 0, always_failed = 0;
    for (unsigned row = 0; row < CALLS; row++) {
        tried += shared->tried[row];
        succeeded += shared->succeeded[row];
        never += shared->tried[row] == 0;
        if (shared->succeeded[row] == 0) {
            always_failed++;
            printf("fuzz: never with success: %s (%u times)\n", calls[row].name,
                   shared->tried[row]);
        }
    }
    printf("fuzz: seed %u: %u calls, %u succeeded, %u kinds, %u never made, %u never with success; "
           "%u workers, %u killed\n",
           seed, tried, succeeded, (unsigned)CALLS, never, always_failed, workers, killed);
    return never != 0;
}

int main(int count, char **arguments)
{
    uint32_t workers = 0, killed = 0;
    own_path = arguments[0];
    if (count == 2)
        return 0; /* a worker's exec */
    if (count != 3)
        return fprintf(stderr, "usage: fuzz SEED COUNT\n"), 2;
    seed = (uint32_t)atoi(arguments[1]);
    limit = (uint32_t)atoi(arguments[2]);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || mkdir(FOLDER, 0777) != 0)
        return printf("fuzz: cannot begin\n"), 1;
    /* The frame of zeros stays with the kernel once somebody read one: now, and not by chance. */
    const volatile char *zeros = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (zeros != MAP_FAILED)
        (void)*zeros;
    /* Above the workers, of which some run for ever at a priority of their own. */
    set_policy(SCHED_FIFO, 99);
    for (uint32_t said = 0; shared->made < limit;) {
        if (shared->made - said >= 100000) {
            said = shared->made;
            printf("fuzz: %u calls so far\n", said);
            fflush(stdout);
        }
        pid_t worker = fork();
        if (worker == 0)
            work();
        if (worker < 0) {
            nanosleep(&(struct timespec){0, 10000000}, NULL);
            continue;
        }
        uint32_t before = shared->made;
        workers++;
        killed += watch(worker);
        if (workers % 100 == 0 || shared->made == before) {
            remove_files();
            mkdir(FOLDER, 0777);
        }
    }
    remove_files();
    return summary(workers, killed);
}
