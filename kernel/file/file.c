#include "kernel/file/file.h"

#include "kernel/file/internal.h"
#include "kernel/file/locks.h"
#include "kernel/include/errors.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/platform.h"
#include "kernel/space/transfer.h"
#include "kernel/space/usercopy.h"

/* What a file keeps of the flags of open. */
#define KEPT_FLAGS                                                                                 \
    (O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC | O_ASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | \
     O_NOFOLLOW | O_NOATIME | O_PATH)
#define OPENING_FLAGS (KEPT_FLAGS | O_NOCTTY) /* what the operations of open may look at */

#define POSITION_MAX  INT64_MAX

struct file *file_make(struct inode *inode, const struct file_operations *operations,
                       uint32_t flags)
{
    struct file *file = kcalloc(1, sizeof(*file));
    if (file == NULL)
        return NULL;
    file->operations = operations;
    file->inode = inode;
    file->flags = flags & OPENING_FLAGS;
    file->references = 1;
    return file;
}

/* What a handle is that only names its inode (O_PATH). */
static const struct file_operations path_operations = {.read = NULL};

struct file *file_prepare(uint32_t flags)
{
    return file_make(NULL, &path_operations, flags);
}

void file_discard(struct file *prepared)
{
    kfree(prepared);
}

int file_open_inode(struct inode *inode, struct file *prepared)
{
    int error = 0;
    prepared->inode = inode;
    if (file_is_writable(prepared))
        error = inode_begin_writing(inode);
    if (error != 0)
        return error;
    if (!(prepared->flags & O_PATH))
        error = inode->operations->open == NULL ? -ENXIO : inode->operations->open(inode, prepared);
    if (error != 0) {
        if (file_is_writable(prepared))
            inode_end_writing(inode);
        return error;
    }
    prepared->flags &= KEPT_FLAGS;
    inode_hold(inode);
    return 0;
}

void file_close(struct file *file)
{
    locks_drop_file(file);
    if (file->operations->close != NULL)
        file->operations->close(file);
    if (file_is_writable(file))
        inode_end_writing(file->inode);
    if (file->traits & FILE_IS_PROGRAM)
        inode_end_running(file->inode);
    inode_drop(file->inode);
    kfree(file);
}

static int32_t check_readable(const struct file *file)
{
    if (!file_is_readable(file))
        return -EBADF;
    if (file->operations->read == NULL)
        return inode_is_directory(file->inode) ? -EISDIR : -EINVAL;
    return 0;
}

static int32_t check_writable(const struct file *file)
{
    if (!file_is_writable(file))
        return -EBADF;
    return file->operations->write == NULL ? -EINVAL : 0;
}

/* At the file's own position. Apart, so that files without one need no frame for it. */
static __attribute__((noinline)) int32_t read_on(struct file *file, struct transfer *to)
{
    uint64_t position = file->position;
    int32_t done = file->operations->read(file, to, &position);
    file->position = position;
    return done;
}

static __attribute__((noinline)) int32_t write_on(struct file *file, struct transfer *from)
{
    uint64_t position = file->position;
    int32_t done = file->operations->write(file, from, &position);
    file->position = position;
    return done;
}

int32_t file_read(struct file *file, struct transfer *to)
{
    int32_t error = check_readable(file);
    if (error != 0)
        return error;
    return file->traits & FILE_CAN_SEEK ? read_on(file, to)
                                        : file->operations->read(file, to, NULL);
}

int32_t file_write(struct file *file, struct transfer *from)
{
    int32_t error = check_writable(file);
    if (error != 0)
        return error;
    return file->traits & FILE_CAN_SEEK ? write_on(file, from)
                                        : file->operations->write(file, from, NULL);
}

static int32_t check_position(const struct file *file, uint64_t position)
{
    if (file->flags & O_PATH)
        return -EBADF;
    if (!(file->traits & FILE_CAN_SEEK))
        return -ESPIPE;
    return position > POSITION_MAX ? -EINVAL : 0;
}

int32_t file_read_at(struct file *file, struct transfer *to, uint64_t position)
{
    int32_t error = check_position(file, position);
    if (error == 0)
        error = check_readable(file);
    return error != 0 ? error : file->operations->read(file, to, &position);
}

int32_t file_write_at(struct file *file, struct transfer *from, uint64_t position)
{
    int32_t error = check_position(file, position);
    if (error == 0)
        error = check_writable(file);
    return error != 0 ? error : file->operations->write(file, from, &position);
}

int32_t file_read_kernel(struct file *file, void *buffer, uint32_t bytes, uint64_t position)
{
    struct transfer to;
    transfer_init_kernel(&to, buffer, bytes);
    return file_read_at(file, &to, position);
}

/* Data begins everywhere and ends at the end: there are no holes to tell. */
static int64_t seek_base(const struct file *file, int64_t offset, int whence)
{
    int64_t size = (int64_t)file->inode->size;
    switch (whence) {
    case SEEK_SET:
        return 0;
    case SEEK_CUR:
        return (int64_t)file->position;
    case SEEK_END:
        return size;
    case SEEK_DATA:
        return offset < 0 || offset >= size ? -ENXIO : 0;
    case SEEK_HOLE:
        return offset < 0 || offset >= size ? -ENXIO : size - offset;
    default:
        return -EINVAL;
    }
}

int64_t file_seek(struct file *file, int64_t offset, int whence)
{
    if (file->flags & O_PATH)
        return -EBADF;
    if (!(file->traits & FILE_CAN_SEEK))
        return -ESPIPE;
    if (file->operations->seek != NULL)
        return file->operations->seek(file, offset, whence);
    int64_t base = seek_base(file, offset, whence);
    if (base < 0)
        return base;
    if (offset > POSITION_MAX - base || base + offset < 0)
        return offset > POSITION_MAX - base ? -EOVERFLOW : -EINVAL;
    file->position = (uint64_t)(base + offset);
    return base + offset;
}

uint32_t file_poll(struct file *file, struct poll_list *list)
{
    if (file->flags & O_PATH)
        return POLLNVAL;
    if (file->operations->poll == NULL)
        return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
    return file->operations->poll(file, list);
}

struct backing *file_backing(struct file *file)
{
    if (file->inode->operations->backing == NULL)
        return NULL;
    return file->inode->operations->backing(file->inode);
}

/* Reading is for readdir alone, and a directory is never open for writing. */
const struct file_operations directory_operations = {.read = NULL};

int32_t file_put_int(uint32_t address, int32_t value)
{
    return space_write_user32(address, (uint32_t)value);
}

int32_t file_get_int(uint32_t address, int32_t *value)
{
    uint32_t bits = 0;
    int32_t error = space_read_user32(&bits, address);
    *value = (int32_t)bits;
    return error;
}
