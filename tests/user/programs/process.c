// fork, vfork, clone, execve, wait4, exit, kill.
#include "check.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>

static const char *own_path;

static void forking(void)
{
    SECTION("fork");
    volatile int variable = 1;
    int status, child = fork();
    if (child == 0)
        _exit(variable++ == 1 && getppid() > 0 ? 42 : 1);
    TRUE(waitpid(child, &status, 0) == child);
    TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    TRUE(variable == 1);
    TRY(waitpid(child, &status, 0)); /* once only */
    IN_CHILD("exit with 256", _exit(256));
    IN_CHILD("exit with -1", _exit(-1));
    IN_CHILD("exit_group with 7", syscall(SYS_exit_group, 7));
    IN_CHILD("killed by itself", raise(SIGKILL));
    IN_CHILD("killed by SIGTERM", raise(SIGTERM));
    IN_CHILD("abort", abort());
    int order[2];
    MUST(pipe(order));
    IN_CHILD("a grandchild outlives its parent", {
        int parent = getpid(), old = fork();
        if (old == 0) {
            while (getppid() == parent)
                sched_yield();
            _exit((int)write(order[1], "g", 1) - 1);
        }
    });
    char byte = 0;
    TRUE(read(order[0], &byte, 1) == 1 && byte == 'g');
}

static void memory_of_children(void)
{
    SECTION("a child's memory is its own");
    char *base = map_pages(4, RW);
    memset(base, 'f', 4 * PAGE);
    IN_CHILD("a child reads and writes all", {
        for (unsigned i = 0; i < 4 * PAGE; i++)
            if (base[i]++ != 'f')
                _exit(1);
    });
    TRUE(base[0] == 'f' && base[4 * PAGE - 1] == 'f');
    IN_CHILD("a child unmaps it", munmap(base, 4 * PAGE));
    TRUE(base[0] == 'f');
    IN_CHILD("three generations", {
        base[0] = '1';
        int child = fork();
        if (child == 0) {
            if (base[0] != '1')
                _exit(2);
            base[0] = '2';
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        _exit(base[0] == '1' ? WEXITSTATUS(status) : 3);
    });
}

static void waiting(void)
{
    SECTION("wait4");
    int status = 0;
    struct rusage usage;
    TRY(waitpid(-1, &status, 0));
    TRY(waitpid(1 << 30, &status, 0));
    TRY(syscall(SYS_wait4, -1, &status, 0x40000000, 0));
    int child = fork();
    if (child == 0)
        pause();
    VALUE(waitpid(-1, &status, WNOHANG));
    TRY(syscall(SYS_wait4, child, 1, WNOHANG, 0));
    TRY(kill(child, SIGSTOP));
    TRUE(waitpid(child, &status, WUNTRACED) == child);
    TRUE(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    TRY(kill(child, SIGCONT));
    TRUE(waitpid(child, &status, WCONTINUED) == child);
    TRUE(WIFCONTINUED(status));
    TRY(kill(child, SIGTERM));
    TRUE(wait4(child, &status, 0, &usage) == child);
    TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    TRUE(usage.ru_utime.tv_sec == 0);
    int first = fork();
    if (first == 0)
        _exit(1);
    int second = fork();
    if (second == 0)
        _exit(2);
    TRUE(waitpid(second, &status, 0) == second && WEXITSTATUS(status) == 2);
    TRUE(waitpid(-1, &status, 0) == first && WEXITSTATUS(status) == 1);
    child = fork();
    if (child == 0)
        _exit(3);
    TRY(syscall(SYS_wait4, child, 1, 0,
                0)); /* a status that cannot be written: the child is gone all the same */
    TRY(waitpid(child, &status, 0));
}

static void groups(void)
{
    SECTION("groups");
    int ends[2], child = fork();
    char byte;
    if (child == 0) {
        TRUE(setpgid(0, 0) == 0 && getpgrp() == getpid());
        TRUE(setsid() == -1 && errno == EPERM); /* a leader of a group cannot leave it */
        _exit(0);
    }
    ENDED(child);
    TRY(setpgid(0, -1));
    TRY(setpgid(1 << 30, 0));
    TRY(getpgid(1 << 30));
    IN_CHILD("a session of its own",
             _exit(setsid() == getpid() && getsid(0) == getpid() && getpgrp() == getpid() ? 0 : 1));
    MUST(pipe(ends));
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        if (fork() == 0) {
            write(ends[1], "x", 1);
            pause();
        }
        pause();
    }
    TRUE(read(ends[0], &byte, 1) == 1);
    TRY(kill(-child, SIGKILL));
    ENDED(child);
    close(ends[1]);
    VALUE(read(ends[0], &byte, 1)); /* both are gone: nobody holds the other end */
}

static void killing(void)
{
    SECTION("kill");
    TRY(kill(getpid(), 0));
    TRY(kill(getpid(), 65));
    TRY(kill(getpid(), -1));
    TRY(kill(1 << 30, 0));
    TRY(kill(-(1 << 30), 0));
    IN_CHILD("a user may not kill process 1", {
        MUST(setuid(1000));
        _exit(kill(1, 0) == -1 && errno == EPERM ? 0 : 1);
    });
    TRY(syscall(SYS_tgkill, getpid(), getpid(), 0));
    TRY(syscall(SYS_tgkill, getpid(), -1, 0));
    TRY(syscall(SYS_tkill, 0, 0));
}

static char *const no_environment[] = {NULL};

static void write_file(const char *path, const char *text, int mode)
{
    int file = (int)MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC, mode));
    MUST(write(file, text, strlen(text)));
    MUST(close(file));
}

static void executing(void)
{
    char *arguments[] = {(char *)own_path, "child", "b c", "", NULL};
    char *environment[] = {"ONE=1", "TWO=", NULL};
    SECTION("execve");
    IN_CHILD("arguments and environment", execve(own_path, arguments, environment); _exit(99));
    TRY(execve("/tmp/none", arguments, no_environment));
    TRY(execve("", arguments, no_environment));
    TRY(execve("/tmp", arguments, no_environment));
    TRY(execve("/proc/self/maps/x", arguments, no_environment));
    TRY(syscall(SYS_execve, 1, arguments, no_environment));
    TRY(syscall(SYS_execve, own_path, 1, no_environment));
    TRY(syscall(SYS_execve, own_path, arguments, 1));
    write_file("/tmp/plain", "no program\n", 0644);
    TRY(execve("/tmp/plain", arguments, no_environment));
    MUST(chmod("/tmp/plain", 0755));
    TRY(execve("/tmp/plain", arguments, no_environment));
    write_file("/tmp/empty", "", 0755);
    TRY(execve("/tmp/empty", arguments, no_environment));
    write_file("/tmp/script", "#!/tmp/none\n", 0755);
    TRY(execve("/tmp/script", arguments, no_environment));
    MUST(symlink("/tmp/loop", "/tmp/loop"));
    TRY(execve("/tmp/loop", arguments, no_environment));
    char *large = malloc(200000);
    memset(large, 'x', 199999);
    large[199999] = '\0';
    char *too_large[] = {(char *)own_path, large, NULL};
    TRY(execve(own_path, too_large, no_environment));
    large[100000] = '\0';
    char *just[] = {(char *)own_path, "length", large, NULL};
    IN_CHILD("an argument of 100,000 bytes", execve(own_path, just, no_environment); _exit(99));
    int script = (int)MUST(open("/tmp/run", O_WRONLY | O_CREAT | O_TRUNC, 0755));
    MUST(dprintf(script, "#!%s script\n", own_path));
    MUST(close(script));
    char *run[] = {"/tmp/run", "more", NULL};
    IN_CHILD("a script names its interpreter", execve("/tmp/run", run, no_environment); _exit(99));
}

static void copy_own_program(const char *path)
{
    static char bytes[1 << 16];
    int from = (int)MUST(open(own_path, O_RDONLY));
    int to = (int)MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755));
    for (ssize_t count; (count = MUST(read(from, bytes, sizeof bytes))) > 0;)
        MUST(write(to, bytes, (size_t)count));
    close(from);
    close(to);
}

/* A child that runs the program and pauses there; when this returns, it is there. */
static int start_pausing(const char *path)
{
    char *arguments[] = {(char *)path, "pause", NULL};
    int ends[2];
    char byte;
    MUST(pipe2(ends, O_CLOEXEC));
    int child = fork();
    if (child == 0) {
        execve(path, arguments, no_environment);
        _exit(99);
    }
    close(ends[1]);
    MUST(read(ends[0], &byte, 1)); /* its end, which exec closed */
    close(ends[0]);
    return child;
}

static void try_to_write(const char *path)
{
    int file;
    TRY(open(path, O_WRONLY));
    TRY(open(path, O_RDWR | O_CREAT, 0755));
    TRY(open(path, O_RDONLY | O_TRUNC));
    TRY(truncate(path, 100));
    TRY(truncate(path, -1));
    TRY(open(path, O_WRONLY | O_CREAT | O_EXCL, 0755));
    TRY(file = open(path, O_RDONLY));
    TRY(ftruncate(file, 0));
    TRY(chmod(path, 0755));
    close(file);
}

static void written_or_run(void)
{
    SECTION("a program is written to or run, never both");
    char *arguments[] = {"/tmp/busy", "child", NULL};
    char *script[] = {"/tmp/run", "more", NULL};
    copy_own_program("/tmp/busy");
    int first = (int)MUST(open("/tmp/busy", O_WRONLY)),
        second = (int)MUST(open("/tmp/busy", O_RDWR));
    TRY(execve("/tmp/busy", arguments, no_environment));
    MUST(chmod("/tmp/busy", 0644));
    TRY(execve("/tmp/busy", arguments, no_environment));
    MUST(chmod("/tmp/busy", 0755));
    MUST(close(first));
    TRY(execve("/tmp/busy", arguments, no_environment));
    first = dup(second);
    MUST(close(second));
    TRY(execve("/tmp/busy", arguments, no_environment));
    MUST(close(first));
    int reader = (int)MUST(open("/tmp/busy", O_RDONLY));
    IN_CHILD("open for reading", execve("/tmp/busy", arguments, no_environment); _exit(99));
    MUST(close(reader));
    try_to_write(own_path);
    int child = start_pausing("/tmp/busy"), other = start_pausing("/tmp/busy");
    try_to_write("/tmp/busy");
    MUST(kill(child, SIGKILL));
    ENDED(child);
    TRY(open("/tmp/busy", O_WRONLY)); /* the other one runs it still */
    TRY(rename("/tmp/busy", "/tmp/busier"));
    TRY(open("/tmp/busier", O_WRONLY));
    MUST(kill(other, SIGKILL));
    ENDED(other);
    TRY(first = open("/tmp/busier", O_WRONLY));
    TRY(execve("/tmp/busier", arguments, no_environment));
    MUST(close(first));
    first = (int)MUST(open("/tmp/run", O_WRONLY));
    TRY(execve("/tmp/run", script, no_environment)); /* the script; its interpreter is run */
    MUST(close(first));
    MUST(unlink("/tmp/busier"));
}

static void what_exec_keeps(void)
{
    SECTION("what execve keeps");
    int kept = dup(1), closed = open("/tmp/plain", O_RDONLY | O_CLOEXEC);
    char first[16], second[16];
    snprintf(first, sizeof first, "%d", kept);
    snprintf(second, sizeof second, "%d", closed);
    char *arguments[] = {(char *)own_path, "files", first, second, NULL};
    IN_CHILD("descriptors but those to be closed", execve(own_path, arguments, no_environment);
             _exit(99));
    char *ask[] = {(char *)own_path, "signals", NULL};
    IN_CHILD("ignored signals, but no handlers", {
        signal(SIGUSR1, SIG_IGN);
        signal(SIGUSR2, (void (*)(int))0x1000);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGHUP);
        sigprocmask(SIG_BLOCK, &set, NULL);
        execve(own_path, ask, no_environment);
        _exit(99);
    });
}

static int vfork_child(char **arguments)
{
    int child = vfork();
    if (child == 0) {
        execve(own_path, arguments, no_environment);
        _exit(99);
    }
    return child;
}

static void vforking(void)
{
    SECTION("vfork");
    volatile int shared = 0;
    int child = vfork();
    if (child == 0) {
        shared = 5;
        _exit(6);
    }
    TRUE(shared == 5); /* the memory is the parent's, who waited */
    ENDED(child);
    char *arguments[] = {(char *)own_path, "length", "123", NULL};
    ENDED(vfork_child(arguments));
}

static char thread_stack[16384] __attribute__((aligned(16)));
static volatile int thread_id, thread_value;

static int thread_body(void *argument)
{
    thread_value = *(int *)argument + 1;
    return 0;
}

/* The low byte of clone's flags is the signal with which the child's end is told. */
static void told_by_no_signal(void)
{
    SECTION("a number that is no signal");
    sigset_t all, waiting;
    sigfillset(&all);
    MUST(sigprocmask(SIG_SETMASK, &all, NULL));
    int child = (int)syscall(SYS_clone, 64 + 40, 0, 0, 0, 0);
    if (child == 0)
        _exit(5);
    int status = 0;
    TRUE(waitpid(child, &status, __WALL) == child && WEXITSTATUS(status) == 5);
    MUST(sigpending(&waiting));
    TRUE(sigismember(&waiting, 40));
    sigemptyset(&all);
    MUST(sigprocmask(SIG_SETMASK, &all, NULL));
}

static void threads(void)
{
    SECTION("threads");
    int argument = 6;
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID;
    thread_id = -1;
    TRUE(clone(thread_body, thread_stack + sizeof thread_stack, flags, &argument, &thread_id, NULL,
               &thread_id) > 0);
    while (thread_id != 0)
        syscall(SYS_futex, &thread_id, 0, thread_id, NULL);
    VALUE(thread_value);
    TRY(waitpid(-1, NULL, 0)); /* a thread is no child */
    TRY(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
    TRY(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0));
    TRY(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0));
    TRY(syscall(SYS_futex, &thread_id, 0, 1, NULL));
    TRY(syscall(SYS_futex, 1, 0, 1, NULL));
    VALUE(syscall(SYS_futex, &thread_id, 1, 1, NULL));
    struct timespec brief = {0, 1000000};
    TRY(syscall(SYS_futex, &thread_id, 0, 0, &brief));
    TRUE(syscall(SYS_gettid) == getpid());
    IN_CHILD("a child that shares memory and exits the group", {
        clone(thread_body, thread_stack + sizeof thread_stack, CLONE_VM | SIGCHLD, &argument);
        wait(NULL);
        _exit(thread_value);
    });
}

static int thread_sleeps(void *unused)
{
    for (;;)
        pause();
    return unused != NULL;
}

/* What they still have to do is done when the memory that they ran in is gone. */
static void threads_that_exec_ends(void)
{
    SECTION("execve of a thread that is more urgent than the others");
    char *arguments[] = {(char *)own_path, "later", NULL};
    IN_CHILD("they end, and the new program goes on", {
        const struct sched_param urgent = {.sched_priority = 10};
        MUST(clone(thread_sleeps, thread_stack + sizeof thread_stack,
                   CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL));
        MUST(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &urgent));
        execve(own_path, arguments, no_environment);
        _exit(99);
    });
}

static void limits(void)
{
    SECTION("a limit of processes");
    IN_CHILD("fork fails when there are too many", {
        struct rlimit limit = {3, 3};
        MUST(setpgid(0, 0));
        MUST(setuid(1234));
        MUST(setrlimit(RLIMIT_NPROC, &limit));
        for (int i = 0; i < 2; i++)
            if (fork() == 0)
                pause();
        bool refused = fork() == -1 && errno == EAGAIN;
        signal(SIGTERM, SIG_IGN);
        kill(0, SIGTERM);
        _exit(refused ? 0 : 1);
    });
}

static int as_child(int count, char **arguments)
{
    const char *kind = arguments[1];
    if (strcmp(kind, "child") == 0) {
        for (int i = 1; i < count; i++)
            printf("argument %d is \"%s\"\n", i, arguments[i]);
        for (char **variable = environ; *variable != NULL; variable++)
            printf("variable %s\n", *variable);
    } else if (strcmp(kind, "pause") == 0) {
        pause();
    } else if (strcmp(kind, "length") == 0) {
        printf("argument of %u bytes\n", (unsigned)strlen(arguments[2]));
    } else if (strcmp(kind, "files") == 0) {
        TRUE(fcntl(atoi(arguments[2]), F_GETFD) == 0);
        TRUE(fcntl(atoi(arguments[3]), F_GETFD) == -1 && errno == EBADF);
    } else if (strcmp(kind, "signals") == 0) {
        struct sigaction action;
        sigset_t set;
        TRUE(sigaction(SIGUSR1, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
        TRUE(sigaction(SIGUSR2, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
        TRUE(sigprocmask(SIG_BLOCK, NULL, &set) == 0 && sigismember(&set, SIGHUP) == 1);
        for (int number = SIGUSR1; number <= SIGUSR2; number += SIGUSR2 - SIGUSR1) {
            unsigned raw[5] = {0}; /* handler, flags, restorer, mask */
            MUST(syscall(SYS_rt_sigaction, number, NULL, raw, 8));
            TRUE(raw[1] == 0 && raw[2] == 0 && raw[3] == 0 && raw[4] == 0);
        }
    } else if (strcmp(kind, "later") == 0) {
        const struct sched_param usual = {0};
        TRY(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &usual));
        for (int i = 0; i < 10; i++)
            usleep(1000);
    } else if (strcmp(kind, "script") == 0) {
        for (int i = 1; i < count; i++)
            printf("the interpreter's argument %d is %s\n", i, arguments[i]);
    }
    return 0;
}

int main(int count, char **arguments)
{
    own_path = arguments[0];
    if (count > 1)
        return as_child(count, arguments);
    forking();
    memory_of_children();
    waiting();
    groups();
    killing();
    executing();
    written_or_run();
    what_exec_keeps();
    vforking();
    told_by_no_signal();
    threads();
    threads_that_exec_ends();
    limits();
    return done();
}
