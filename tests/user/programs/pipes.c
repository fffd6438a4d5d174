// Pipes: ends, full and empty, atomicity, waiting for several.
#include "check.h"

#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

static int ends[2];
static char block[65536 + PAGE];

static void renew(int flags)
{
    close(ends[0]);
    close(ends[1]);
    MUST(pipe2(ends, flags));
}

static void basics(void)
{
    SECTION("ends");
    char text[8] = "";
    TRY(syscall(SYS_pipe, 1));
    TRY(syscall(SYS_pipe2, ends, 0x40000000));
    MUST(pipe(ends));
    VALUE(write(ends[1], "abcdef", 6));
    VALUE(read(ends[0], text, 4));
    TRUE(memcmp(text, "abcd", 4) == 0);
    VALUE(read(ends[0], text, 8));
    TRY(read(ends[1], text, 1));
    TRY(write(ends[0], text, 1));
    TRY(lseek(ends[0], 0, SEEK_CUR));
    TRY(read(ends[0], (void *)1, 0));
    MUST(write(ends[1], "x", 1));
    TRY(syscall(SYS_read, ends[0], 1, 1));
    TRY(syscall(SYS_write, ends[1], 1, 1));
    struct stat status;
    TRUE(fstat(ends[0], &status) == 0 && S_ISFIFO(status.st_mode));
}

static void end_of_file(void)
{
    SECTION("end of file, and nobody to read");
    char text[4];
    renew(0);
    MUST(write(ends[1], "last", 4));
    MUST(close(ends[1]));
    VALUE(read(ends[0], text, 4));
    VALUE(read(ends[0], text, 4));
    renew(0);
    MUST(close(ends[0]));
    signal(SIGPIPE, SIG_IGN);
    TRY(write(ends[1], "x", 1));
    signal(SIGPIPE, SIG_DFL);
    IN_CHILD("writing without a reader", write(ends[1], "x", 1));
    IN_CHILD("writing nothing without a reader", _exit(write(ends[1], "x", 0) == 0 ? 0 : 1));
}

static void not_waiting(void)
{
    SECTION("without waiting");
    long total = 0, count;
    renew(O_NONBLOCK);
    TRUE(fcntl(ends[0], F_GETFL) == O_NONBLOCK);
    TRY(read(ends[0], block, 1));
    while ((count = write(ends[1], block, PAGE)) > 0)
        total += count;
    TRUE(count == -1 && errno == EAGAIN);
    VALUE(total); /* the room of a pipe */
    VALUE(read(ends[0], block, 100));
    TRY(write(ends[1], block, PAGE)); /* not a part of it: PIPE_BUF is atomic */
    VALUE(read(ends[0], block, PAGE));
    VALUE(write(ends[1], block, PAGE));
    renew(O_NONBLOCK);
    VALUE(write(ends[1], block, sizeof block));
    int waiting = 0;
    TRUE(ioctl(ends[0], FIONREAD, &waiting) == 0 && waiting == 65536);
}

static void atomic(void)
{
    SECTION("writes of up to 4096 bytes are not mixed");
    renew(0);
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            char record[512];
            memset(record, 'a' + i, sizeof record);
            for (int j = 0; j < 100; j++)
                write(ends[1], record, sizeof record);
            _exit(0);
        }
    MUST(close(ends[1]));
    unsigned count[4] = {0}, mixed = 0;
    char record[512];
    long got, have = 0;
    while ((got = read(ends[0], record + have, sizeof record - (size_t)have)) > 0) {
        have += got;
        if (have < (long)sizeof record)
            continue;
        for (unsigned i = 1; i < sizeof record; i++)
            mixed += record[i] != record[0];
        count[record[0] - 'a']++;
        have = 0;
    }
    for (int i = 0; i < 4; i++)
        wait(NULL);
    VALUE(mixed);
    TRUE(count[0] == 100 && count[1] == 100 && count[2] == 100 && count[3] == 100);
}

static void much(void)
{
    SECTION("more than a pipe holds");
    renew(0);
    int child = fork();
    if (child == 0) {
        close(ends[0]);
        for (unsigned i = 0; i < sizeof block; i++)
            block[i] = (char)(i * 7);
        for (int i = 0; i < 4; i++)
            if (write(ends[1], block, sizeof block) != (long)sizeof block)
                _exit(1);
        _exit(0);
    }
    MUST(close(ends[1]));
    unsigned long total = 0, wrong = 0;
    char part[1000];
    long count;
    while ((count = read(ends[0], part, sizeof part)) > 0)
        for (long i = 0; i < count; i++, total++)
            wrong += part[i] != (char)((total % sizeof block) * 7);
    VALUE(total);
    VALUE(wrong);
    ENDED(child);
}

static void vectors(void)
{
    SECTION("several buffers at once");
    char first[3] = "", second[5] = "";
    struct iovec out[] = {{"ab", 2}, {NULL, 0}, {"cdef", 4}}, in[] = {{first, 2}, {second, 4}};
    renew(0);
    VALUE(writev(ends[1], out, 3));
    VALUE(readv(ends[0], in, 2));
    TRUE(strcmp(first, "ab") == 0 && strcmp(second, "cdef") == 0);
    TRY(writev(ends[1], out, -1));
    TRY(writev(ends[1], out, 1025));
    TRY(syscall(SYS_writev, ends[1], 1, 1));
    VALUE(writev(ends[1], out, 0));
}

#define POLL(events_)                                                                              \
    (set.fd = ends[(events_) == POLLOUT], set.events = (events_), poll(&set, 1, 0))

static void polling(void)
{
    SECTION("poll");
    struct pollfd set = {0}, bad = {.fd = 999, .events = POLLIN};
    renew(O_NONBLOCK);
    VALUE(POLL(POLLIN));
    VALUE(POLL(POLLOUT));
    MUST(write(ends[1], block, sizeof block));
    VALUE(POLL(POLLIN));
    TRUE(set.revents == POLLIN);
    VALUE(POLL(POLLOUT));
    MUST(read(ends[0], block, sizeof block));
    VALUE(POLL(POLLOUT));
    VALUE(poll(&bad, 1, 0));
    TRUE(bad.revents == POLLNVAL);
    bad.fd = -1;
    VALUE(poll(&bad, 1, 0));
    TRY(syscall(SYS_poll, 1, 1, 0));
    VALUE(poll(NULL, 0, 10));
    MUST(close(ends[1]));
    set = (struct pollfd){.fd = ends[0], .events = POLLIN};
    VALUE(poll(&set, 1, 0));
    TRUE(set.revents == POLLHUP);
    ends[1] = dup(ends[0]);
    renew(0);
    MUST(close(ends[0]));
    set = (struct pollfd){.fd = ends[1], .events = POLLOUT};
    VALUE(poll(&set, 1, 0));
    TRUE(set.revents == (POLLOUT | POLLERR));
    ends[0] = dup(ends[1]);
    renew(0);
    int child = fork();
    if (child == 0) {
        usleep(50000);
        _exit((int)write(ends[1], "p", 1) - 1);
    }
    set = (struct pollfd){.fd = ends[0], .events = POLLIN};
    VALUE(poll(&set, 1, 5000));
    ENDED(child);
}

static void named(void)
{
    SECTION("a pipe with a name");
    char byte = 0;
    TRY(mkfifo("/tmp/named", 0600));
    TRY(mkfifo("/tmp/named", 0600));
    TRY(open("/tmp/named", O_WRONLY | O_NONBLOCK));
    int child = fork();
    if (child == 0) {
        int out = open("/tmp/named", O_WRONLY);
        _exit((int)write(out, "n", 1) - 1);
    }
    int in = open("/tmp/named", O_RDONLY);
    TRUE(read(in, &byte, 1) == 1 && byte == 'n');
    VALUE(read(in, &byte, 1));
    ENDED(child);
    TRY(unlink("/tmp/named"));
}

int main(void)
{
    basics();
    end_of_file();
    not_waiting();
    atomic();
    much();
    vectors();
    polling();
    named();
    return done();
}
