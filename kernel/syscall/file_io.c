#include "kernel/file/inode.h"
#include "kernel/file/internal.h"
#include "kernel/file/jobs.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/space/transfer.h"
#include "kernel/space/usercopy.h"
#include "kernel/syscall/file.h"

/* read, write and their kin: bytes between files and user memory. */

#define BYTES_MAX    0x7FFFF000u /* of one call, as Linux */
#define PIECES_MAX   1024u       /* UIO_MAXIOV */
#define PIECES_SMALL 8u
#define COPY_BYTES   4096u

static uint32_t clipped(uint32_t bytes)
{
    return bytes < BYTES_MAX ? bytes : BYTES_MAX;
}

int32_t syscall_read(uint32_t descriptor, uint32_t buffer, uint32_t bytes)
{
    struct transfer to;
    struct file *file = caller_file(descriptor);
    if (file == NULL)
        return -EBADF;
    transfer_init_user(&to, buffer, clipped(bytes));
    int32_t done = file_read(file, &to);
    file_drop(file);
    return restartable(done);
}

int32_t syscall_write(uint32_t descriptor, uint32_t buffer, uint32_t bytes)
{
    struct transfer from;
    struct file *file = caller_file(descriptor);
    if (file == NULL)
        return -EBADF;
    transfer_init_user(&from, buffer, clipped(bytes));
    int32_t done = file_write(file, &from);
    file_drop(file);
    return restartable(done);
}

int32_t syscall_pread64(uint32_t descriptor, uint32_t buffer, uint32_t bytes, uint32_t low,
                        uint32_t high)
{
    struct transfer to;
    struct file *file = caller_file(descriptor);
    if (file == NULL)
        return -EBADF;
    transfer_init_user(&to, buffer, clipped(bytes));
    int32_t done = file_read_at(file, &to, make64(low, high));
    file_drop(file);
    return restartable(done);
}

int32_t syscall_pwrite64(uint32_t descriptor, uint32_t buffer, uint32_t bytes, uint32_t low,
                         uint32_t high)
{
    struct transfer from;
    struct file *file = caller_file(descriptor);
    if (file == NULL)
        return -EBADF;
    transfer_init_user(&from, buffer, clipped(bytes));
    int32_t done = file_write_at(file, &from, make64(low, high));
    file_drop(file);
    return restartable(done);
}

/* ---- vectors ---- */

/* A program's struct iovec. */
struct user_piece {
    uint32_t base, bytes;
};

_Static_assert(sizeof(struct user_piece) <= sizeof(struct transfer_piece), "widened in place");

struct vector {
    struct transfer_piece *pieces;
    struct transfer_piece small[PIECES_SMALL];
    struct transfer transfer;
};

static void vector_put(struct vector *vector)
{
    if (vector->pieces != vector->small)
        kfree(vector->pieces);
}

/* The sum of the lengths is a positive number, or -EINVAL; beyond BYTES_MAX they are cut. */
static int clip_pieces(struct transfer_piece *pieces, uint32_t count)
{
    size_t left = BYTES_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (pieces[i].bytes > (size_t)INT32_MAX)
            return -EINVAL;
        if (pieces[i].bytes > left)
            pieces[i].bytes = left;
        left -= pieces[i].bytes;
    }
    return 0;
}

/* What was copied into the front of the array becomes its elements, from the last to the first. */
static void widen(struct transfer_piece *pieces, uint32_t count)
{
    struct user_piece piece;
    for (uint32_t i = count; i-- > 0;) {
        memcpy(&piece, (const char *)pieces + i * sizeof(piece), sizeof(piece));
        pieces[i] = (struct transfer_piece){piece.base, piece.bytes};
    }
}

static int vector_get(struct vector *vector, uint32_t address, uint32_t count)
{
    if (count > PIECES_MAX)
        return -EINVAL;
    vector->pieces = vector->small;
    if (count > PIECES_SMALL)
        vector->pieces = kmalloc(count * sizeof(struct transfer_piece));
    if (vector->pieces == NULL)
        return -ENOMEM;
    int error = space_copy_from_user(vector->pieces, address, count * sizeof(struct user_piece));
    if (error == 0) {
        widen(vector->pieces, count);
        error = clip_pieces(vector->pieces, count);
    }
    if (error != 0)
        vector_put(vector);
    else
        transfer_init(&vector->transfer, TRANSFER_USER, vector->pieces, count);
    return error;
}

enum vector_way { VECTOR_READ, VECTOR_WRITE, VECTOR_READ_AT, VECTOR_WRITE_AT };

static int32_t move_vector(enum vector_way way, uint32_t descriptor, uint32_t address,
                           uint32_t count, uint64_t position)
{
    struct vector vector;
    struct file *file = caller_file(descriptor);
    if (file == NULL)
        return -EBADF;
    int32_t done = vector_get(&vector, address, count);
    if (done == 0) {
        switch (way) {
        case VECTOR_READ:
            done = file_read(file, &vector.transfer);
            break;
        case VECTOR_WRITE:
            done = file_write(file, &vector.transfer);
            break;
        case VECTOR_READ_AT:
            done = file_read_at(file, &vector.transfer, position);
            break;
        case VECTOR_WRITE_AT:
            done = file_write_at(file, &vector.transfer, position);
            break;
        }
        vector_put(&vector);
    }
    file_drop(file);
    return restartable(done);
}

int32_t syscall_readv(uint32_t descriptor, uint32_t vector, uint32_t count)
{
    return move_vector(VECTOR_READ, descriptor, vector, count, 0);
}

int32_t syscall_writev(uint32_t descriptor, uint32_t vector, uint32_t count)
{
    return move_vector(VECTOR_WRITE, descriptor, vector, count, 0);
}

int32_t syscall_preadv(uint32_t descriptor, uint32_t vector, uint32_t count, uint32_t low,
                       uint32_t high)
{
    return move_vector(VECTOR_READ_AT, descriptor, vector, count, make64(low, high));
}

int32_t syscall_pwritev(uint32_t descriptor, uint32_t vector, uint32_t count, uint32_t low,
                        uint32_t high)
{
    return move_vector(VECTOR_WRITE_AT, descriptor, vector, count, make64(low, high));
}

/* ---- positions ---- */

int32_t syscall_lseek(uint32_t descriptor, uint32_t offset, uint32_t whence)
{
    struct file *file = caller_file(descriptor);
    if (file == NULL)
        return -EBADF;
    uint64_t before = file->position;
    int64_t position = file_seek(file, (int32_t)offset, (int)whence);
    if (position > INT32_MAX) {
        file->position = before;
        position = -EOVERFLOW;
    }
    file_drop(file);
    return (int32_t)position;
}

int32_t syscall__llseek(uint32_t descriptor, uint32_t high, uint32_t low, uint32_t result,
                        uint32_t whence)
{
    struct file *file = caller_file(descriptor);
    if (file == NULL)
        return -EBADF;
    int64_t position = file_seek(file, (int64_t)make64(low, high), (int)whence);
    file_drop(file);
    if (position < 0)
        return (int32_t)position;
    return space_copy_to_user(result, &position, sizeof(position));
}

/* ---- sizes ---- */

static int32_t truncate_inode(struct inode *inode, int64_t size)
{
    if (size < 0)
        return -EINVAL;
    if (inode_is_directory(inode))
        return -EISDIR;
    if (!inode_is_regular(inode) || inode->operations->truncate == NULL)
        return -EINVAL;
    if ((uint64_t)size > inode->size && (uint64_t)size > file_jobs()->file_bytes_limit()) {
        file_jobs()->signal_caller(SIGXFSZ);
        return -EFBIG;
    }
    return inode->operations->truncate(inode, (uint64_t)size);
}

static int32_t truncate_path(uint32_t path, int64_t size)
{
    struct inode *inode;
    int32_t error = path_find_at((uint32_t)AT_FDCWD, path, 0, &inode);
    if (error != 0)
        return error;
    error = size < 0 ? -EINVAL : inode_begin_writing(inode);
    if (error == 0) {
        error = truncate_inode(inode, size);
        inode_end_writing(inode);
    }
    inode_drop(inode);
    return error;
}

static int32_t truncate_descriptor(uint32_t descriptor, int64_t size)
{
    struct file *file = caller_file(descriptor);
    if (file == NULL)
        return -EBADF;
    int32_t error = file_is_writable(file) ? truncate_inode(file->inode, size)
                    : file->flags & O_PATH ? -EBADF
                                           : -EINVAL;
    file_drop(file);
    return error;
}

int32_t syscall_truncate(uint32_t path, uint32_t size)
{
    return truncate_path(path, (int32_t)size);
}

int32_t syscall_ftruncate(uint32_t descriptor, uint32_t size)
{
    return truncate_descriptor(descriptor, (int32_t)size);
}

int32_t syscall_truncate64(uint32_t path, uint32_t low, uint32_t high)
{
    return truncate_path(path, (int64_t)make64(low, high));
}

int32_t syscall_ftruncate64(uint32_t descriptor, uint32_t low, uint32_t high)
{
    return truncate_descriptor(descriptor, (int64_t)make64(low, high));
}

/* Room is promised with the size, so allocating is growing; nothing can be punched out. */
int32_t syscall_fallocate(uint32_t descriptor, uint32_t mode, uint32_t offset_low,
                          uint32_t offset_high, uint32_t low, uint32_t high)
{
    int64_t offset = (int64_t)make64(offset_low, offset_high), bytes = (int64_t)make64(low, high);
    struct file *file = caller_file(descriptor);
    int32_t error = 0;
    if (file == NULL)
        return -EBADF;
    if (offset < 0 || bytes <= 0)
        error = -EINVAL;
    else if (mode > 1) /* FALLOC_FL_KEEP_SIZE */
        error = -EOPNOTSUPP;
    else if (!file_is_writable(file))
        error = -EBADF;
    else if (!inode_is_regular(file->inode))
        error = file->inode->mode & S_IFIFO ? -ESPIPE : -ENODEV;
    else if (offset > INT64_MAX - bytes)
        error = -EFBIG;
    else if (mode == 0 && (uint64_t)(offset + bytes) > file->inode->size)
        error = truncate_inode(file->inode, offset + bytes);
    file_drop(file);
    return error;
}

/* ---- nothing has to reach a disk ---- */

int32_t syscall_fsync(uint32_t descriptor)
{
    struct file *file = caller_file(descriptor);
    if (file == NULL || file->flags & O_PATH) {
        file_drop(file);
        return -EBADF;
    }
    bool can = inode_is_regular(file->inode) || inode_is_directory(file->inode);
    file_drop(file);
    return can ? 0 : -EINVAL;
}

int32_t syscall_fdatasync(uint32_t descriptor)
{
    return syscall_fsync(descriptor);
}

int32_t syscall_sync(void)
{
    return 0;
}

int32_t syscall_syncfs(uint32_t descriptor)
{
    struct file *file = caller_file(descriptor);
    int32_t error = file == NULL || file->flags & O_PATH ? -EBADF : 0;
    file_drop(file);
    return error;
}

static int32_t advise(uint32_t descriptor, uint32_t advice)
{
    struct file *file = caller_file(descriptor);
    int32_t error = 0;
    if (file == NULL)
        return -EBADF;
    if (!(file->traits & FILE_CAN_SEEK))
        error = -ESPIPE;
    else if (advice > 5) /* POSIX_FADV_NOREUSE */
        error = -EINVAL;
    file_drop(file);
    return error;
}

int32_t syscall_fadvise64(uint32_t descriptor, uint32_t low, uint32_t high, uint32_t bytes,
                          uint32_t advice)
{
    (void)low;
    (void)high;
    (void)bytes;
    return advise(descriptor, advice);
}

int32_t syscall_fadvise64_64(uint32_t descriptor, uint32_t low, uint32_t high, uint32_t bytes_low,
                             uint32_t bytes_high, uint32_t advice)
{
    (void)low;
    (void)high;
    (void)bytes_low;
    (void)bytes_high;
    return advise(descriptor, advice);
}

/* ---- sendfile ---- */

/* A piece through the kernel's memory. What was read and could not be written is read again the
 * next time: the position counts what was written. */
static int32_t copy_piece(struct file *out, struct file *in, uint64_t position, void *buffer,
                          uint32_t bytes)
{
    struct transfer to, from;
    transfer_init_kernel(&to, buffer, bytes);
    int32_t got = file_read_at(in, &to, position);
    if (got <= 0)
        return got;
    transfer_init_kernel(&from, buffer, (uint32_t)got);
    return file_write(out, &from);
}

static int32_t copy_file(struct file *out, struct file *in, uint64_t *position, uint32_t bytes)
{
    int32_t done = 0, moved = 0;
    void *buffer = kmalloc(COPY_BYTES);
    if (buffer == NULL)
        return -ENOMEM;
    while (bytes > 0) {
        moved = copy_piece(out, in, *position, buffer, bytes < COPY_BYTES ? bytes : COPY_BYTES);
        if (moved <= 0)
            break;
        done += moved;
        bytes -= (uint32_t)moved;
        *position += (uint32_t)moved;
    }
    kfree(buffer);
    return done > 0 ? done : moved;
}

static int32_t check_sendfile(const struct file *out, const struct file *in)
{
    if (out == NULL || in == NULL || !file_is_readable(in) || !file_is_writable(out))
        return -EBADF;
    if (!(in->traits & FILE_CAN_SEEK) || out->flags & O_APPEND)
        return -EINVAL;
    return 0;
}

/* `width` is how many bytes the offset at the user's address has. */
static int32_t send_file(uint32_t out_descriptor, uint32_t in_descriptor, uint32_t address,
                         uint32_t width, uint32_t bytes)
{
    struct file *out = caller_file(out_descriptor), *in = caller_file(in_descriptor);
    uint64_t position = 0;
    int32_t done = check_sendfile(out, in);
    if (done == 0 && address != 0)
        done = space_copy_from_user(&position, address, width);
    if (done == 0 && position > INT64_MAX)
        done = -EINVAL;
    if (done == 0) {
        if (address == 0)
            position = in->position;
        done = copy_file(out, in, &position, clipped(bytes));
        if (address == 0)
            in->position = position;
        else if (space_copy_to_user(address, &position, width) != 0)
            done = -EFAULT;
    }
    file_drop(out);
    file_drop(in);
    return restartable(done);
}

int32_t syscall_sendfile(uint32_t out, uint32_t in, uint32_t offset, uint32_t bytes)
{
    return send_file(out, in, offset, sizeof(uint32_t), bytes);
}

int32_t syscall_sendfile64(uint32_t out, uint32_t in, uint32_t offset, uint32_t bytes)
{
    return send_file(out, in, offset, sizeof(uint64_t), bytes);
}
