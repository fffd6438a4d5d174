/*
 * Births and ends of one kind, many times: the kernel's books have to be as before afterwards.
 *
 *      cycles KIND COUNT      KIND as in the table below, or `all`
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *own_path;

/* Waits for one child; its exit status, or a message and the end. */
static int status_of(pid_t child)
{
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        printf("cycles: no child: %s\n", strerror(errno));
        exit(1);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int fork_and_exit(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    return status_of(child) == 7;
}

static int fork_and_exec(void)
{
    pid_t child = fork();
    if (child == 0) {
        execl(own_path, "cycles", "end", NULL);
        _exit(1);
    }
    return status_of(child) == 9;
}

static int vfork_and_exec(void)
{
    pid_t child = vfork();
    if (child == 0) {
        execl(own_path, "cycles", "end", NULL);
        _exit(1);
    }
    return status_of(child) == 9;
}

/* An exec that fails leaves the program as it was. */
static int exec_of_nothing(void)
{
    return execl("/proc/version", "x", NULL) == -1 && execl("/none", "x", NULL) == -1;
}

/* Through two pipes, with a child between them that ends when the first one does. */
static int pipe_through(void)
{
    int to[2], from[2];
    char byte = 0;
    if (pipe(to) != 0 || pipe(from) != 0)
        return 0;
    pid_t child = fork();
    if (child == 0) {
        close(to[1]);
        while (read(to[0], &byte, 1) == 1)
            if (write(from[1], &byte, 1) != 1)
                _exit(1);
        _exit(3);
    }
    close(to[0]), close(from[1]);
    int good = write(to[1], "x", 1) == 1 && read(from[0], &byte, 1) == 1 && byte == 'x';
    close(to[1]), close(from[0]);
    return status_of(child) == 3 && good;
}

static void *add_one(void *number)
{
    ++*(int *)number;
    return number;
}

static int thread_and_join(void)
{
    int number = 1;
    void *result;
    pthread_t thread;
    return pthread_create(&thread, NULL, add_one, &number) == 0 &&
           pthread_join(thread, &result) == 0 && result == &number && number == 2;
}

static void *wait_for_ever(void *unused)
{
    pause();
    return unused;
}

/* Threads that sleep when their process ends. */
static int end_with_threads(void)
{
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        for (int i = 0; i < 3; i++)
            if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
                _exit(1);
        _exit(5);
    }
    return status_of(child) == 5;
}

static int kill_a_sleeper(void)
{
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    kill(child, SIGKILL);
    return status_of(child) == 128 + SIGKILL;
}

static void note(int number)
{
    (void)number;
}

/* Handlers that the child has from its parent, changes, and loses by exec. */
static int change_actions(void)
{
    signal(SIGUSR1, note);
    pid_t child = fork();
    if (child == 0) {
        sigset_t set;
        sigemptyset(&set);
        struct sigaction action = {.sa_handler = note, .sa_mask = set, .sa_flags = SA_NODEFER};
        sigaction(SIGUSR2, &action, NULL);
        if (raise(SIGUSR1) == 0 && raise(SIGUSR2) == 0)
            execl(own_path, "cycles", "end", NULL);
        _exit(1);
    }
    int status = status_of(child);
    signal(SIGUSR1, SIG_DFL);
    return status == 9;
}

/* Pages, shared and private, that parent and child write. */
static int map_and_fork(void)
{
    enum { BYTES = 16 * 4096 };
    char *mine = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *ours = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mine == MAP_FAILED || ours == MAP_FAILED)
        return 0;
    memset(mine, 1, BYTES);
    pid_t child = fork();
    if (child == 0) {
        memset(mine, 2, BYTES);
        memset(ours, 3, BYTES / 2);
        _exit(mine[BYTES - 1]);
    }
    int good = status_of(child) == 2 && mine[5] == 1 && ours[5] == 3 && ours[BYTES - 1] == 0;
    return munmap(mine, BYTES) == 0 && munmap(ours, BYTES) == 0 && good;
}

static int file_come_and_go(void)
{
    static const char text[9000] = "text";
    FILE *file = fopen("/tmp/cycles", "w+");
    int good = file != NULL && fwrite(text, sizeof text, 1, file) == 1 && fflush(file) == 0;
    char *seen =
        good ? mmap(NULL, sizeof text, PROT_READ, MAP_SHARED, fileno(file), 0) : MAP_FAILED;
    good = good && seen != MAP_FAILED && seen[0] == 't' && munmap(seen, sizeof text) == 0;
    good = file != NULL && fclose(file) == 0 && good;
    /* It may be there though it was not opened; and where memory was missing, it is there again. */
    int gone = unlink("/tmp/cycles") == 0 || (errno == ENOMEM && unlink("/tmp/cycles") == 0);
    return gone && good;
}

static const struct {
    const char *name;
    int (*run)(void);
} kinds[] = {{"fork", fork_and_exit},     {"exec", fork_and_exec},   {"vfork", vfork_and_exec},
             {"failed", exec_of_nothing}, {"pipe", pipe_through},    {"thread", thread_and_join},
             {"end", end_with_threads},   {"kill", kill_a_sleeper},  {"map", map_and_fork},
             {"file", file_come_and_go},  {"action", change_actions}};

int main(int count, char **words)
{
    own_path = words[0];
    if (count == 2 && strcmp(words[1], "end") == 0)
        return 9;
    if (count != 3)
        return fprintf(stderr, "usage: cycles KIND|all COUNT\n"), 2;
    int wrong = 0, turns = atoi(words[2]), known = 0;
    for (unsigned kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        if (strcmp(words[1], kinds[kind].name) != 0 && strcmp(words[1], "all") != 0)
            continue;
        known++;
        for (int turn = 0; turn < turns; turn++)
            wrong += !kinds[kind].run();
    }
    printf("cycles: %s: %d of each, %d wrong\n", words[1], turns, wrong);
    return wrong != 0 || known == 0;
}
