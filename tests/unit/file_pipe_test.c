#include "kernel/file/pipe.h"
#include "kernel/syscall/table.h"
#include "tests/unit/file_machine.h"

#define PATH(text) user_text(0, text)
#define BUFFER     (USER_BASE + 0x4000u)
#define BYTES      (machine_user + 0x4000)
#define CAPACITY   65536

static uint32_t reader, writer;

static void start(uint32_t flags)
{
    int32_t ends[2];
    file_machine_start(4096);
    CHECK_EQUAL(syscall_pipe2(BUFFER, flags), 0);
    memcpy(ends, BYTES, sizeof(ends));
    reader = (uint32_t)ends[0];
    writer = (uint32_t)ends[1];
}

static void fill(uint8_t first, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        BYTES[i] = (uint8_t)(first + i * 3);
}

TEST(pipes_carry_bytes_in_order)
{
    start(O_NONBLOCK);
    uint32_t in = 0, out = 0;
    for (unsigned step = 0; step < 3000; step++) {
        uint32_t bytes = test_random_range(0, 9000);
        if (test_random_range(0, 1)) {
            fill((uint8_t)(in * 3), bytes);
            int32_t moved = syscall_write(writer, BUFFER, bytes);
            if (bytes <= PIPE_BUF && bytes > 0) /* whole or not at all */
                CHECK(moved == (int32_t)bytes ||
                      (moved == -EAGAIN && CAPACITY - (in - out) < bytes));
            in += moved > 0 ? (uint32_t)moved : 0;
            CHECK(in - out <= CAPACITY);
        } else {
            int32_t moved = syscall_read(reader, BUFFER, bytes);
            uint32_t held = in - out;
            if (bytes == 0)
                CHECK_EQUAL(moved, 0);
            else if (held == 0)
                CHECK_EQUAL(moved, -EAGAIN);
            else
                CHECK_EQUAL(moved, held < bytes ? held : bytes);
            for (int32_t i = 0; i < moved; i++)
                CHECK_EQUAL(BYTES[i], (uint8_t)((out + (uint32_t)i) * 3));
            out += moved > 0 ? (uint32_t)moved : 0;
        }
    }
    file_machine_end();
}

/* The writer comes round to the page in which the reader still is. */
TEST(a_full_pipe_that_comes_round_loses_nothing)
{
    static const uint32_t reads[] = {100, 4096 - 100, 8192, CAPACITY - 3 * 4096, 100};
    uint32_t out = 0;
    start(O_NONBLOCK);
    fill(0, CAPACITY);
    CHECK_EQUAL(syscall_write(writer, BUFFER, CAPACITY), CAPACITY);
    for (unsigned i = 0; i < ARRAY_COUNT(reads); i++) {
        CHECK_EQUAL(syscall_read(reader, BUFFER, reads[i]), reads[i]);
        for (uint32_t k = 0; k < reads[i]; k++)
            CHECK_EQUAL(BYTES[k], (uint8_t)(out++ * 3));
        if (i == 0) {
            fill((uint8_t)(CAPACITY * 3), 100);
            CHECK_EQUAL(syscall_write(writer, BUFFER, 100), 100);
        }
    }
    file_machine_end();
}

TEST(the_end_of_a_pipe_is_seen_on_both_sides)
{
    start(0);
    CHECK_EQUAL(syscall_write(writer, BUFFER, 3), 3);
    CHECK_EQUAL(syscall_read(writer, BUFFER, 3), -EBADF);
    CHECK_EQUAL(syscall_write(reader, BUFFER, 3), -EBADF);
    CHECK_EQUAL(syscall_lseek(reader, 0, SEEK_CUR), -ESPIPE);
    CHECK_EQUAL(syscall_pread64(reader, BUFFER, 1, 0, 0), -ESPIPE);
    uint32_t again = (uint32_t)syscall_dup(writer);
    CHECK_EQUAL(syscall_close(writer), 0);
    CHECK_EQUAL(syscall_read(reader, BUFFER, 100), 3);
    CHECK_EQUAL(syscall_read(reader, BUFFER, 100), -512); /* waits; a signal */
    CHECK_EQUAL(syscall_close(again), 0);
    CHECK_EQUAL(syscall_read(reader, BUFFER, 100), 0);
    file_machine_end();
    start(0);
    CHECK_EQUAL(syscall_close(reader), 0);
    CHECK_EQUAL(syscall_write(writer, BUFFER, 100), -EPIPE);
    CHECK_EQUAL(machine_caller_signal, SIGPIPE);
    file_machine_end();
}

static unsigned reads_left;

/* Another thread reads a page each time that the writer waits. */
static int read_while_writer_waits(unsigned flags, uint64_t deadline_ns)
{
    (void)flags;
    (void)deadline_ns;
    if (reads_left-- == 0)
        return -EINTR;
    CHECK(syscall_read(reader, BUFFER + 0x18000, 4096) > 0);
    return 0;
}

TEST(writers_wait_for_room)
{
    start(0);
    CHECK_EQUAL(syscall_write(writer, BUFFER, CAPACITY), CAPACITY);
    machine_on_wait = read_while_writer_waits;
    reads_left = 1;
    CHECK_EQUAL(syscall_write(writer, BUFFER, 100), 100);
    reads_left = 3;
    CHECK_EQUAL(syscall_write(writer, BUFFER, 8000), 8000);
    /* A signal after a part has gone: the part. Before: the call is made again. */
    reads_left = 1;
    int32_t part = syscall_write(writer, BUFFER, CAPACITY);
    CHECK(part > 0 && part < CAPACITY);
    reads_left = 0;
    CHECK_EQUAL(syscall_write(writer, BUFFER, 4096), -512);
    file_machine_end();
}

TEST(bad_addresses_take_nothing_out_and_put_nothing_in)
{
    start(O_NONBLOCK);
    CHECK_EQUAL(syscall_write(writer, 0x1000, 10), -EFAULT);
    CHECK_EQUAL(syscall_write(writer, USER_BASE + USER_BYTES - 5, 10), -EFAULT);
    CHECK_EQUAL(syscall_read(reader, BUFFER, 10), -EAGAIN);
    fill(1, 10);
    CHECK_EQUAL(syscall_write(writer, BUFFER, 10), 10);
    CHECK_EQUAL(syscall_read(reader, 0x1000, 10), -EFAULT);
    CHECK_EQUAL(syscall_read(reader, BUFFER, 20), 10);
    CHECK_EQUAL(BYTES[9], 1 + 9 * 3);
    CHECK_EQUAL(syscall_pipe2(0x1000, 0), -EFAULT);
    CHECK_EQUAL(syscall_pipe2(BUFFER, 1), -EINVAL);
    file_table_set_limit(machine_files, 3);
    CHECK_EQUAL(syscall_pipe(BUFFER), -EMFILE);
    CHECK_EQUAL(pipe_count(), 1);
    file_machine_end();
}

TEST(poll_sees_pipes)
{
    struct {
        int32_t descriptor;
        uint16_t wanted, ready;
    } entries[2];
    start(O_NONBLOCK);
    entries[0].descriptor = (int32_t)reader;
    entries[1].descriptor = (int32_t)writer;
    entries[0].wanted = entries[1].wanted = POLLIN | POLLOUT;
    static const struct {
        int what; /* 0 nothing, 1 a byte, 2 full, 3 no writer, 4 no reader */
        uint16_t reader, writer;
    } cases[] = {{0, 0, POLLOUT}, {1, POLLIN, POLLOUT}, {2, POLLIN, 0}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (cases[i].what == 1)
            CHECK_EQUAL(syscall_write(writer, BUFFER, 1), 1);
        if (cases[i].what == 2)
            CHECK_EQUAL(syscall_write(writer, BUFFER, CAPACITY), CAPACITY - 1);
        memcpy(BYTES, entries, sizeof(entries));
        CHECK_EQUAL(syscall_poll(BUFFER, 2, 0), (cases[i].reader != 0) + (cases[i].writer != 0));
        memcpy(entries, BYTES, sizeof(entries));
        CHECK(entries[0].ready == cases[i].reader && entries[1].ready == cases[i].writer);
    }
    CHECK_EQUAL(syscall_close(reader), 0);
    memcpy(BYTES, &entries[1], sizeof(entries[1]));
    CHECK_EQUAL(syscall_poll(BUFFER, 1, (uint32_t)-1), 1);
    memcpy(&entries[1], BYTES, sizeof(entries[1]));
    CHECK_EQUAL(entries[1].ready, POLLERR);
    file_machine_end();
}

TEST(select_sees_pipes)
{
    uint32_t sets[3] = {0, 0, 0};
    int32_t time[2] = {0, 0};
    start(O_NONBLOCK);
    sets[0] = 1u << reader;
    sets[1] = 1u << writer;
    memcpy(BYTES, sets, sizeof(sets));
    memcpy(BYTES + 100, time, sizeof(time));
    CHECK_EQUAL(syscall__newselect(writer + 1, BUFFER, BUFFER + 4, BUFFER + 8, BUFFER + 100), 1);
    memcpy(sets, BYTES, sizeof(sets));
    CHECK(sets[0] == 0 && sets[1] == 1u << writer);
    CHECK_EQUAL(syscall_write(writer, BUFFER + 0x200, 1), 1);
    sets[0] = 1u << reader;
    memcpy(BYTES, sets, sizeof(sets));
    CHECK_EQUAL(syscall__newselect(writer + 1, BUFFER, BUFFER + 4, 0, BUFFER + 100), 2);
    sets[0] = 1u << 20;
    memcpy(BYTES, sets, sizeof(sets));
    CHECK_EQUAL(syscall__newselect(32, BUFFER, 0, 0, BUFFER + 100), -EBADF);
    CHECK_EQUAL(syscall__newselect((uint32_t)-1, BUFFER, 0, 0, 0), -EINVAL);
    CHECK_EQUAL(syscall__newselect(0, 0, 0, 0, 0), -EINTR);
    time[0] = -1;
    memcpy(BYTES + 100, time, sizeof(time));
    CHECK_EQUAL(syscall__newselect(0, 0, 0, 0, BUFFER + 100), -EINVAL);
    file_machine_end();
}

static uint32_t opened_later;

static int open_other_side(unsigned flags, uint64_t deadline_ns)
{
    (void)flags;
    (void)deadline_ns;
    machine_on_wait = NULL;
    int32_t descriptor = syscall_open(USER_BASE, opened_later, 0);
    CHECK(descriptor >= 0);
    return 0;
}

TEST(fifos_bring_two_together)
{
    file_machine_start(4096);
    CHECK_EQUAL(syscall_mknod(PATH("/tmp/fifo"), S_IFIFO | 0600, 0), 0);
    CHECK_EQUAL(syscall_open(PATH("/tmp/fifo"), O_WRONLY | O_NONBLOCK, 0), -ENXIO);
    CHECK_EQUAL(syscall_open(PATH("/tmp/fifo"), O_RDONLY, 0), -512);
    CHECK_EQUAL(pipe_count(), 0);
    opened_later = O_WRONLY;
    machine_on_wait = open_other_side;
    reader = (uint32_t)syscall_open(PATH("/tmp/fifo"), O_RDONLY, 0);
    CHECK_EQUAL(reader, 1);
    CHECK_EQUAL(syscall_write(0, user_text(0x100, "through"), 7), 7);
    CHECK_EQUAL(syscall_read(reader, BUFFER, 100), 7);
    CHECK_EQUAL(syscall_close(0), 0);
    CHECK_EQUAL(syscall_read(reader, BUFFER, 100), 0);
    CHECK_EQUAL(syscall_close(reader), 0);
    CHECK_EQUAL(pipe_count(), 0);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/fifo")), 0);
    file_machine_end();
}
