#include "kernel/file/path.h"
#include "kernel/file/pipe.h"
#include "kernel/file/table.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/space/backing.h"
#include "kernel/space/commit.h"
#include "kernel/space/transfer.h"
#include "kernel/thread/clock.h"
#include "kernel/thread/thread.h"
#include "kernel/thread/wait.h"
#include "tests/kernel/selftest.h"

/* Files on the real machine, from the kernel's side: what programs do is tested by programs. */

static int32_t write_bytes(struct file *file, const void *bytes, uint32_t count)
{
    struct transfer from;
    transfer_init_kernel(&from, (void *)(uintptr_t)bytes, count);
    return file_write(file, &from);
}

static int32_t read_bytes(struct file *file, void *bytes, uint32_t count)
{
    struct transfer to;
    transfer_init_kernel(&to, bytes, count);
    return file_read(file, &to);
}

/* A file of three pages, read and mapped, and everything back when it is gone. */
KERNEL_TEST(files_keep_their_bytes_and_give_all_back)
{
    static char text[2 * FRAME_SIZE + 100], again[sizeof(text)];
    struct path_context *context = path_context_create();
    struct file *file = NULL;
    frame_t frame = FRAME_NONE;
    uint32_t charged = commit_charged_pages();
    for (uint32_t i = 0; i < sizeof(text); i++)
        text[i] = (char)selftest_random();
    int error = context == NULL
                    ? -ENOMEM
                    : path_open(context, NULL, "/tmp/selftest", O_CREAT | O_RDWR, 0600, &file);
    int32_t written = error != 0 ? error : write_bytes(file, text, sizeof(text));
    int32_t read = error != 0 ? error : file_read_kernel(file, again, sizeof(again), 0);
    uint32_t held = commit_charged_pages() - charged;
    if (error == 0) {
        struct backing *backing = file_backing(file);
        error = backing->ops->page(backing, 2, BACKING_READ, &frame);
        backing->ops->drop(backing);
        if (error == 0)
            (void)!pageframe_release(frame);
    }
    if (context != NULL) /* also what an open that failed half-way has made */
        (void)!path_unlink(context, NULL, "/tmp/selftest");
    file_drop(file);
    path_context_drop(context);
    SELFTEST_CHECK(error == 0);
    SELFTEST_CHECK(written == (int32_t)sizeof(text) && read == written);
    SELFTEST_CHECK(memcmp(text, again, sizeof(text)) == 0);
    SELFTEST_CHECK(held == 3);
    SELFTEST_CHECK(commit_charged_pages() == charged);
}

#define PIPE_BYTES 300000u

static struct file *pipe_writer;
static volatile int32_t pipe_written;

static void write_into_pipe(void *nothing)
{
    static uint8_t piece[7000];
    uint32_t done = 0;
    (void)nothing;
    while (done < PIPE_BYTES) {
        uint32_t now = PIPE_BYTES - done < sizeof(piece) ? PIPE_BYTES - done : sizeof(piece);
        for (uint32_t i = 0; i < now; i++)
            piece[i] = (uint8_t)((done + i) * 7);
        int32_t moved = write_bytes(pipe_writer, piece, now);
        if (moved <= 0)
            break;
        done += (uint32_t)moved;
    }
    pipe_written = (int32_t)done;
    file_drop(pipe_writer);
}

/* Two threads, one pipe, more bytes than it holds: both wait for each other, and the end is seen.
 */
KERNEL_TEST(pipes_connect_threads)
{
    static uint8_t piece[5000];
    struct file *reader;
    uint32_t done = 0, wrong = 0;
    int32_t moved = 0;
    int error = pipe_create(0, &reader, &pipe_writer);
    SELFTEST_CHECK(error == 0);
    struct thread *thread = thread_create("pipe writer", write_into_pipe, NULL);
    if (thread == NULL) {
        file_drop(reader);
        file_drop(pipe_writer);
    }
    SELFTEST_CHECK(thread != NULL);
    thread_start(thread);
    while ((moved = read_bytes(reader, piece, sizeof(piece))) > 0) {
        for (int32_t i = 0; i < moved; i++)
            wrong += piece[i] != (uint8_t)((done + (uint32_t)i) * 7);
        done += (uint32_t)moved;
    }
    file_drop(reader);
    SELFTEST_CHECK(moved == 0 && done == PIPE_BYTES && wrong == 0);
    SELFTEST_CHECK(pipe_written == (int32_t)PIPE_BYTES);
    /* The writer may be within its file_drop still, which woke this thread. */
    const uint64_t limit = clock_monotonic_ns() + 10 * NS_PER_SECOND;
    while (pipe_count() != 0 && clock_monotonic_ns() < limit)
        SELFTEST_CHECK(wait_until(clock_monotonic_ns() + NS_PER_TICK, 0) == 0);
    SELFTEST_CHECK(pipe_count() == 0);
}
