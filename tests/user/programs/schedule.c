// Scheduling calls, limits of a process, and thread-local segments.
#include "check.h"

#include <asm/ldt.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

/* The C library refuses to make these calls: it leaves them to its threads. */
#define set_scheduler(pid, policy, parameter)                                                      \
    syscall(SYS_sched_setscheduler, pid, policy, parameter)
#define get_scheduler(pid)            syscall(SYS_sched_getscheduler, pid)
#define set_parameter(pid, parameter) syscall(SYS_sched_setparam, pid, parameter)
#define get_parameter(pid, parameter) syscall(SYS_sched_getparam, pid, parameter)

static void policies(void)
{
    SECTION("policies");
    struct sched_param parameter = {.sched_priority = 5}, zero = {0},
                       large = {.sched_priority = 100};
    VALUE(get_scheduler(0));
    TRY(get_scheduler(1 << 30));
    TRY(get_scheduler(-1));
    TRY(set_scheduler(0, SCHED_OTHER, &zero));
    TRY(set_scheduler(0, SCHED_OTHER, &parameter));
    TRY(set_scheduler(0, SCHED_FIFO, &zero));
    TRY(set_scheduler(0, SCHED_FIFO, &large));
    TRY(set_scheduler(0, 99, &zero));
    TRY(set_scheduler(0, -1, &zero));
    TRY(set_scheduler(0, SCHED_FIFO, 0));
    TRY(set_scheduler(0, SCHED_FIFO, 1));
    TRY(set_scheduler(1 << 30, SCHED_FIFO, &parameter));
    TRY(set_scheduler(0, SCHED_FIFO, &parameter));
    VALUE(get_scheduler(0));
    TRUE(get_parameter(0, &zero) == 0 && zero.sched_priority == 5);
    parameter.sched_priority = 9;
    TRY(set_parameter(0, &parameter));
    TRUE(get_parameter(0, &zero) == 0 && zero.sched_priority == 9);
    IN_CHILD("a child inherits it", _exit(get_scheduler(0) == SCHED_FIFO ? 0 : 1));
    TRY(sched_yield());
    TRY(set_scheduler(0, SCHED_RR, &parameter));
    struct timespec slice = {0, 0};
    TRUE(sched_rr_get_interval(0, &slice) == 0 && (slice.tv_sec > 0 || slice.tv_nsec > 0));
    zero.sched_priority = 0;
    TRY(set_scheduler(0, SCHED_OTHER, &zero));
    TRY(set_parameter(0, &parameter));
    TRY(get_parameter(0, 0));
    TRY(get_parameter(-1, &zero));
    VALUE(sched_get_priority_max(SCHED_FIFO));
    VALUE(sched_get_priority_min(SCHED_RR));
    VALUE(sched_get_priority_max(SCHED_OTHER));
    TRY(sched_get_priority_max(99));
    IN_CHILD("a user may not take a real-time priority", {
        MUST(setuid(1000));
        _exit(set_scheduler(0, SCHED_FIFO, &parameter) == -1 && errno == EPERM ? 0 : 1);
    });
    TRY(sched_yield());
}

static volatile int *order;

static void fixed_priority(void)
{
    SECTION("a higher priority runs first");
    struct sched_param low = {.sched_priority = 1}, high = {.sched_priority = 2},
                       top = {.sched_priority = 3}, zero = {0};
    order = (volatile int *)mmap2(0, PAGE, RW, SHARED, -1, 0);
    MUST(set_scheduler(0, SCHED_FIFO, &top));
    int first = fork();
    if (first == 0) {
        set_scheduler(0, SCHED_FIFO, &low);
        order[++order[0]] = 1;
        _exit(0);
    }
    int second = fork();
    if (second == 0) {
        set_scheduler(0, SCHED_FIFO, &high);
        order[++order[0]] = 2;
        _exit(0);
    }
    ENDED(first);
    ENDED(second);
    TRUE(order[1] == 2 && order[2] == 1);
    MUST(set_scheduler(0, SCHED_OTHER, &zero));
}

static void niceness(void)
{
    SECTION("nice values");
    errno = 0;
    VALUE(getpriority(PRIO_PROCESS, 0));
    TRY(setpriority(PRIO_PROCESS, 0, 5));
    VALUE(getpriority(PRIO_PROCESS, 0));
    TRY(setpriority(99, 0, 5));
    TRY(setpriority(PRIO_PROCESS, 1 << 30, 5));
    TRY(setpriority(PRIO_PROCESS, 0, 100));
    VALUE(getpriority(PRIO_PROCESS, 0));
    IN_CHILD("a user may not take it back", {
        MUST(setuid(1000));
        _exit(setpriority(PRIO_PROCESS, 0, 0) == -1 && (errno == EACCES || errno == EPERM) ? 0 : 1);
    });
    TRY(setpriority(PRIO_PROCESS, 0, 0));
}

static void limits(void)
{
    SECTION("limits");
    struct rlimit limit, old;
    TRY(getrlimit(99, &limit));
    TRY(syscall(SYS_ugetrlimit, RLIMIT_NOFILE, 1));
    TRY(syscall(SYS_prlimit64, 0, 99, NULL, NULL));
    TRY(syscall(SYS_prlimit64, 1 << 30, RLIMIT_NOFILE, NULL, NULL));
    TRY(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, 1, NULL));
    MUST(getrlimit(RLIMIT_NOFILE, &old));
    limit = (struct rlimit){20, 10};
    TRY(setrlimit(RLIMIT_NOFILE, &limit));
    limit = (struct rlimit){8, old.rlim_max};
    TRY(setrlimit(RLIMIT_NOFILE, &limit));
    int file, last = -1;
    while ((file = dup(1)) >= 0)
        last = file;
    TRUE(last == 7 && errno == EMFILE);
    TRY(dup2(1, 8));
    TRY(fcntl(1, F_DUPFD, 8));
    IN_CHILD("a child inherits it",
             _exit(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 8 ? 0 : 1));
    MUST(setrlimit(RLIMIT_NOFILE, &old));
    for (file = 3; file < 8; file++)
        close(file);
    IN_CHILD("a user may not raise a hard limit", {
        MUST(setuid(1000));
        limit = (struct rlimit){8, 8};
        MUST(setrlimit(RLIMIT_NOFILE, &limit));
        limit.rlim_max = 9;
        _exit(setrlimit(RLIMIT_NOFILE, &limit) == -1 && errno == EPERM ? 0 : 1);
    });
    IN_CHILD("a file larger than the limit", {
        limit = (struct rlimit){10, 10};
        MUST(setrlimit(RLIMIT_FSIZE, &limit));
        int large = open("/tmp/large", O_RDWR | O_CREAT, 0600);
        signal(SIGXFSZ, SIG_IGN);
        VALUE(write(large, "0123456789abc", 13));
        TRY(write(large, "x", 1));
        signal(SIGXFSZ, SIG_DFL);
        write(large, "x", 1);
    });
}

static void segments(void)
{
    SECTION("set_thread_area");
    static unsigned word = 0x12345678;
    struct user_desc area = {.entry_number = -1,
                             .base_addr = (unsigned)&word,
                             .limit = 0xFFFFF,
                             .seg_32bit = 1,
                             .limit_in_pages = 1,
                             .useable = 1};
    unsigned value = 0;
    TRY(syscall(SYS_set_thread_area, 1));
    TRY(syscall(SYS_set_thread_area, &area));
    TRUE(area.entry_number >= 6 && area.entry_number <= 20);
    __asm__ volatile("pushl %%fs\n\tmovl %1, %%fs\n\tmovl %%fs:0, %0\n\tpopl %%fs"
                     : "=r"(value)
                     : "r"(area.entry_number * 8 + 3));
    TRUE(value == 0x12345678);
    IN_CHILD("a child has it too", {
        word = 5;
        __asm__ volatile("pushl %%fs\n\tmovl %1, %%fs\n\tmovl %%fs:0, %0\n\tpopl %%fs"
                         : "=r"(value)
                         : "r"(area.entry_number * 8 + 3));
        _exit((int)value);
    });
    struct user_desc read = {.entry_number = area.entry_number};
    TRUE(syscall(SYS_get_thread_area, &read) == 0 && read.base_addr == (unsigned)&word &&
         read.limit == 0xFFFFF);
    area.entry_number = 3;
    TRY(syscall(SYS_set_thread_area, &area));
    area.entry_number = 1000;
    TRY(syscall(SYS_set_thread_area, &area));
    read.entry_number = 3;
    TRY(syscall(SYS_get_thread_area, &read));
}

static void system_calls(void)
{
    SECTION("the rest");
    struct utsname name;
    struct sysinfo information;
    TRUE(uname(&name) == 0 && strlen(name.sysname) > 0 && strcmp(name.machine, "i686") == 0);
    TRY(syscall(SYS_uname, 1));
    TRUE(sysinfo(&information) == 0 && information.totalram > 0 &&
         information.freeram < information.totalram);
    TRY(syscall(SYS_sysinfo, 1));
    TRY(syscall(9999));
    TRY(syscall(-1));
    VALUE(getuid());
    VALUE(getegid());
    TRUE(getpid() > 0 && getppid() > 0 && syscall(SYS_gettid) == getpid());
    TRY(setuid(0));
}

int main(void)
{
    policies();
    fixed_priority();
    niceness();
    limits();
    segments();
    system_calls();
    return done();
}
