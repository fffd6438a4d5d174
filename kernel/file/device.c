#include "kernel/file/device.h"

#include "kernel/file/files.h"
#include "kernel/file/internal.h"
#include "kernel/file/tty.h"
#include "kernel/include/errors.h"
#include "kernel/space/transfer.h"

const struct device_node device_nodes[] = {
    {"null", DEVICE_NULL, 0666},
    {"zero", DEVICE_ZERO, 0666},
    {"full", DEVICE_FULL, 0666},
    {"random", DEVICE_RANDOM, 0666},
    {"urandom", DEVICE_URANDOM, 0666},
    {"tty", DEVICE_TTY, 0666},
    {"console", DEVICE_CONSOLE, 0600},
    {"monitor", DEVICE_MONITOR, 0200},
    {NULL, 0, 0},
};

static int32_t read_end(struct file *file, struct transfer *to, uint64_t *position)
{
    (void)file;
    (void)to;
    (void)position;
    return 0;
}

/* Most of a transfer can be moved in one call, but the result has to be a positive number. */
static size_t clipped(const struct transfer *transfer)
{
    size_t left = transfer_left(transfer);
    return left < INT32_MAX ? left : INT32_MAX;
}

static int32_t read_zeros(struct file *file, struct transfer *to, uint64_t *position)
{
    (void)file;
    (void)position;
    return transfer_put_zeros(to, clipped(to));
}

static int32_t write_nowhere(struct file *file, struct transfer *from, uint64_t *position)
{
    (void)file;
    (void)position;
    return (int32_t)clipped(from);
}

static int32_t write_full(struct file *file, struct transfer *from, uint64_t *position)
{
    (void)file;
    (void)from;
    (void)position;
    return -ENOSPC;
}

static int32_t read_random(struct file *file, struct transfer *to, uint64_t *position)
{
    uint8_t bytes[128];
    int32_t done = 0;
    (void)file;
    (void)position;
    while (transfer_left(to) > 0 && done < INT32_MAX - (int32_t)sizeof(bytes)) {
        size_t left = transfer_left(to) < sizeof(bytes) ? transfer_left(to) : sizeof(bytes);
        random_fill(bytes, left);
        int32_t moved = transfer_put(to, bytes, left);
        if (moved <= 0)
            return done > 0 ? done : moved;
        done += moved;
    }
    return done;
}

static int (*call_monitor)(uint32_t flags);

void device_set_monitor(int (*call)(uint32_t flags))
{
    call_monitor = call;
}

static int32_t write_monitor(struct file *file, struct transfer *from, uint64_t *position)
{
    (void)position;
    int error = call_monitor == NULL ? -ENXIO : call_monitor(file->flags);
    return error != 0 ? error : (int32_t)clipped(from);
}

/* As Linux: these devices are always at their start. */
static int64_t seek_nowhere(struct file *file, int64_t offset, int whence)
{
    (void)file;
    (void)offset;
    return whence >= SEEK_SET && whence <= SEEK_END ? 0 : -EINVAL;
}

static const struct device {
    uint32_t number;
    struct file_operations operations;
} devices[] = {
    {DEVICE_NULL, {.read = read_end, .write = write_nowhere, .seek = seek_nowhere}},
    {DEVICE_ZERO, {.read = read_zeros, .write = write_nowhere, .seek = seek_nowhere}},
    {DEVICE_FULL, {.read = read_zeros, .write = write_full, .seek = seek_nowhere}},
    {DEVICE_RANDOM, {.read = read_random, .write = write_nowhere, .seek = seek_nowhere}},
    {DEVICE_URANDOM, {.read = read_random, .write = write_nowhere, .seek = seek_nowhere}},
    {DEVICE_MONITOR, {.read = read_end, .write = write_monitor, .seek = seek_nowhere}},
};

int device_open(struct inode *inode, struct file *file)
{
    if (inode->special == DEVICE_TTY || inode->special == DEVICE_CONSOLE)
        return tty_open(inode->special == DEVICE_TTY ? TTY_OF_CALLER : TTY_CONSOLE, file);
    for (unsigned i = 0; i < ARRAY_COUNT(devices); i++) {
        if (devices[i].number != inode->special)
            continue;
        file->operations = &devices[i].operations;
        file->traits |= FILE_CAN_SEEK;
        return 0;
    }
    return -ENXIO;
}
