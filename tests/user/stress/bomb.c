/*
 * Takes all that there is of one thing, until the kernel says no: ENOMEM, EAGAIN, or the error of
 * that thing's own limit. Then it says so, and waits to be killed with its group, holding what it
 * has. It begins when there is /tmp/bomb, made by who is to kill it, or the bomb might take what
 * that one needs to come to life.
 *
 *      bomb KIND      prints "bomb: KIND begins" and "bomb: KIND ERROR after TURNS GROUP"
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE   4096
#define FOLDER "/tmp/bomb"

/* Each takes some more, and returns 0, or the error. */

/* Mapped and not touched: the promise alone. */
static int map(int turn)
{
    (void)turn;
    char *piece = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return piece == MAP_FAILED ? errno : 0;
}

static int touch(int turn)
{
    (void)turn;
    char *piece = mmap(NULL, 1 << 18, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (piece == MAP_FAILED)
        return errno;
    memset(piece, 1, 1 << 18);
    return 0;
}

static int heap(int turn)
{
    static uintptr_t end;
    if (turn == 0)
        end = (uintptr_t)syscall(SYS_brk, 0);
    if ((uintptr_t)syscall(SYS_brk, end + (1 << 16)) != end + (1 << 16))
        return ENOMEM; /* brk says so by the end that it returns */
    memset((void *)end, 1, 1 << 16);
    end += 1 << 16;
    return 0;
}

static int shared(int turn)
{
    (void)turn;
    char *piece = mmap(NULL, 1 << 18, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (piece == MAP_FAILED)
        return errno;
    memset(piece, 1, 1 << 18);
    return 0;
}

/* One file that is written to for ever. */
static int file(int turn)
{
    static char text[1 << 16];
    static int descriptor = -1;
    if (turn == 0)
        descriptor = open(FOLDER "/file", O_CREAT | O_WRONLY, 0600);
    return descriptor < 0 || write(descriptor, text, sizeof text) < 0 ? errno : 0;
}

static int name(int turn)
{
    char path[300];
    snprintf(path, sizeof path, FOLDER "/%0200d", turn);
    int descriptor = open(path, O_CREAT | O_WRONLY, 0600);
    if (descriptor < 0)
        return errno;
    close(descriptor);
    return 0;
}

/* Every other page has other rights, so that each is an area. */
static int area(int turn)
{
    static char *base;
    enum { PAGES = 40000 };
    if (turn == 0)
        base = mmap(NULL, (size_t)PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return errno;
    if (2 * turn >= PAGES)
        base = mmap(NULL, (size_t)PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *page = base + (size_t)(2 * turn % PAGES) * PAGE;
    return mprotect(page, PAGE, PROT_READ) != 0 ? errno : 0;
}

static void *wait_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static int thread(int turn)
{
    pthread_t made;
    pthread_attr_t small;
    (void)turn;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 2 * PAGE);
    return pthread_create(&made, &small, wait_for_ever, NULL);
}

static int forks(int turn)
{
    (void)turn;
    pid_t child = fork();
    if (child == 0)
        wait_for_ever(NULL);
    return child < 0 ? errno : 0;
}

/* A pipe that is full, its two ends kept. */
static int pipes(int turn)
{
    static const char text[1 << 16];
    int ends[2];
    if (turn == 0) {
        struct rlimit limit;
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (pipe2(ends, O_NONBLOCK) != 0 || write(ends[1], text, sizeof text) < 0)
        return errno;
    return 0;
}

static const struct {
    const char *name;
    int (*once_more)(int turn);
} kinds[] = {{"map", map},    {"touch", touch}, {"heap", heap}, {"shared", shared},
             {"file", file},  {"name", name},   {"area", area}, {"thread", thread},
             {"fork", forks}, {"pipe", pipes}};

static const char *error_name(int error)
{
    return error == ENOMEM   ? "ENOMEM"
           : error == EAGAIN ? "EAGAIN"
           : error == ENOSPC ? "ENOSPC"
           : error == ENFILE ? "ENFILE"
                             : "another";
}

/* The first line brings the pipe to which it goes its page, which the last one will need. */
static void explode(int (*once_more)(int turn), const char *kind)
{
    int turns = 0, error;
    printf("bomb: %s begins\n", kind);
    fflush(stdout);
    while ((error = once_more(turns)) == 0)
        turns++;
    char line[80];
    int length = snprintf(line, sizeof line, "bomb: %s %s after %d %d\n", kind, error_name(error),
                          turns, getpgrp());
    while (write(1, line, (size_t)length) < 0)
        continue;
    wait_for_ever(NULL);
}

int main(int count, char **words)
{
    setpgid(0, 0);
    while (access(FOLDER, F_OK) != 0)
        usleep(1000);
    for (unsigned i = 0; count == 2 && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(words[1], kinds[i].name) == 0)
            explode(kinds[i].once_more, words[1]);
    return fprintf(stderr, "usage: bomb KIND\n"), 2;
}
