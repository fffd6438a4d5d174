/*
 * Kills processes at random moments: in faults, in pipes, in exec, in fork, while stopped, with
 * threads, in files. Only the kernel's books tell whether that was well done.
 *
 *      kills SEED COUNT
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *own_path;
static uint32_t state;

static uint32_t random_below(uint32_t limit)
{
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    return state % limit;
}

/* What the victims do, for ever. */

static void fault(void)
{
    enum { BYTES = 64 * 4096 };
    for (;;) {
        char *piece = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (piece == MAP_FAILED)
            continue;
        for (int at = 0; at < BYTES; at += 4096)
            piece[at] = 1;
        munmap(piece, BYTES);
    }
}

static void copy_on_write(void)
{
    static char pages[32 * 4096];
    for (;;) {
        pid_t child = fork();
        for (unsigned at = 0; at < sizeof pages; at += 4096)
            pages[at]++;
        if (child == 0)
            _exit(0);
        if (child > 0)
            waitpid(child, NULL, 0);
    }
}

static void talk(void)
{
    static char text[10000];
    int ends[2];
    if (pipe(ends) != 0)
        return;
    pid_t child = fork();
    for (;;)
        if ((child == 0 ? read(ends[0], text, sizeof text) : write(ends[1], text, sizeof text)) < 0)
            return;
}

static void execute(void)
{
    execl(own_path, "kills", "again", NULL);
}

static void vfork_and_execute(void)
{
    for (;;) {
        pid_t child = vfork();
        if (child == 0) {
            execl(own_path, "kills", "end", NULL);
            _exit(1);
        }
        waitpid(child, NULL, 0);
    }
}

static void stop(void)
{
    for (;;)
        raise(SIGSTOP);
}

static void *fault_in_thread(void *unused)
{
    fault();
    return unused;
}

static void *end_at_once(void *unused)
{
    return unused;
}

static void run_threads(void)
{
    pthread_t thread;
    for (int i = 0; i < 3; i++)
        pthread_create(&thread, NULL, fault_in_thread, NULL);
    for (;;) {
        if (pthread_create(&thread, NULL, end_at_once, NULL) == 0)
            pthread_join(thread, NULL);
    }
}

static void *run_execute(void *unused)
{
    execute();
    return unused;
}

/* exec ends the other threads, of which another may be doing the same. */
static void execute_in_threads(void)
{
    pthread_t thread;
    for (int i = 0; i < 3; i++)
        pthread_create(&thread, NULL, i == 0 ? fault_in_thread : run_execute, NULL);
    execute();
}

static void write_files(void)
{
    static char text[20000];
    char name[32];
    snprintf(name, sizeof name, "/tmp/k%d", getpid() % 4);
    for (;;) {
        int file = open(name, O_CREAT | O_RDWR | O_TRUNC, 0600);
        char *seen = MAP_FAILED;
        if (write(file, text, sizeof text) > 0)
            seen = mmap(NULL, sizeof text, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (seen != MAP_FAILED)
            seen[5000] = 1, munmap(seen, sizeof text);
        close(file);
        unlink(name);
    }
}

static void read_proc(void)
{
    static char text[4000];
    static const char *const names[] = {"maps", "smaps", "stat", "status", "statm", "cmdline"};
    for (unsigned i = 0;; i++) {
        char name[40];
        snprintf(name, sizeof name, "/proc/%d/%s", i % 3 == 0 ? getpid() : getppid() + (int)(i % 7),
                 names[i % 6]);
        int file = open(name, O_RDONLY);
        while (file >= 0 && read(file, text, sizeof text) > 0)
            continue;
        close(file);
    }
}

static void handle(int signal)
{
    (void)signal;
}

static void take_signals(void)
{
    signal(SIGUSR1, handle);
    signal(SIGALRM, handle);
    for (;;) {
        kill(getpid(), SIGUSR1);
        ualarm(500, 0);
        pause();
    }
}

static void (*const victims[])(void) = {
    fault,       copy_on_write,      talk,        execute,   vfork_and_execute, stop,
    run_threads, execute_in_threads, write_files, read_proc, take_signals};

static void become_victim(void)
{
    victims[random_below(sizeof victims / sizeof victims[0])]();
    for (;;)
        pause();
}

/* All of a group: what the victim forked, too. */
static void end_group(pid_t group)
{
    kill(-group, SIGKILL);
    while (waitpid(-group, NULL, 0) > 0 || errno == EINTR)
        continue;
}

int main(int count, char **words)
{
    pid_t running[4] = {0};
    own_path = words[0];
    if (count == 2 && strcmp(words[1], "again") == 0)
        for (;;)
            execute();
    if (count == 2)
        return 0;
    if (count != 3)
        return fprintf(stderr, "usage: kills SEED COUNT\n"), 2;
    state = (uint32_t)atoi(words[1]) * 2654435761u | 1;
    int turns = atoi(words[2]), begun = 0;
    for (int turn = 0; turn < turns; turn++) {
        pid_t *slot = &running[random_below(4)];
        if (*slot > 0)
            end_group(*slot);
        pid_t child = fork();
        if (child == 0) {
            setpgid(0, 0);
            state += (uint32_t)turn * 77777;
            random_below(1), random_below(1);
            become_victim();
        }
        if (child > 0)
            setpgid(child, child), begun++;
        *slot = child > 0 ? child : 0;
        nanosleep(&(struct timespec){0, (long)random_below(8000000)}, NULL);
        if (child > 0 && random_below(4) == 0)
            kill(child, random_below(2) ? SIGSTOP : SIGTERM);
    }
    for (int i = 0; i < 4; i++)
        if (running[i] > 0)
            end_group(running[i]);
    while (wait(NULL) > 0)
        continue;
    for (int i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "/tmp/k%d", i);
        unlink(name);
    }
    printf("kills: %d of %d were begun\n", begun, turns);
    return begun != turns;
}
