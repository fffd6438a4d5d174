#ifndef KERNEL_FILE_FILE_H
#define KERNEL_FILE_FILE_H

#include "kernel/file/inode.h"

/*
 * An open file: what descriptors stand for. Counted: descriptors, calls that are at work on it and
 * mappings hold it; the last drop closes it. Everything here runs in threads and may sleep unless
 * it says otherwise. Errors are negative; a signal that ends a wait gives -EINTR.
 */
struct transfer;  /* kernel/space: where the bytes go to or come from */
struct poll_list; /* kernel/file/poll.h: who waits on several files at once */

struct file_operations {
    /* Moves bytes at *position and moves that on; NULL: the file has none (no FILE_CAN_SEEK), as
     * pipes and terminals. The bytes moved, or an error if there were none. */
    int32_t (*read)(struct file *file, struct transfer *to, uint64_t *position);
    int32_t (*write)(struct file *file, struct transfer *from, uint64_t *position);
    /* NULL: the plain kind, over the inode's size. */
    int64_t (*seek)(struct file *file, int64_t offset, int whence);
    /* POLL* that are true now; enters the list, if there is one, in the queues that are woken when
     * that changes (poll_add). NULL: always readable and writable. Does not sleep. */
    uint32_t (*poll)(struct file *file, struct poll_list *list);
    /* The argument is a user address or a number, as the request says. -ENOTTY: unknown. */
    int32_t (*ioctl)(struct file *file, uint32_t request, uint32_t argument);
    void (*close)(struct file *file); /* the last handle is going */
};

#define FILE_CAN_SEEK   (1u << 0)
#define FILE_IS_PROGRAM (1u << 1) /* as long as it is open, the inode counts as run */

struct file {
    const struct file_operations *operations;
    struct inode *inode; /* held */
    void *private;       /* the operations' own */
    uint64_t position;   /* bytes, or a directory's cookie */
    uint32_t references;
    uint32_t flags;  /* O_*: access mode and what F_SETFL may change */
    uint32_t traits; /* FILE_* above */
};

static inline bool file_is_readable(const struct file *file)
{
    return (file->flags & (O_ACCMODE | O_PATH)) != O_WRONLY && !(file->flags & O_PATH);
}

static inline bool file_is_writable(const struct file *file)
{
    return (file->flags & O_ACCMODE) != O_RDONLY && !(file->flags & O_PATH);
}

/* One handle more, one less (NULL is nothing). */
static inline struct file *file_hold(struct file *file)
{
    __atomic_add_fetch(&file->references, 1, __ATOMIC_RELAXED);
    return file;
}

void file_close(struct file *file); /* what the last drop does */
static inline void file_drop(struct file *file)
{
    if (file != NULL && __atomic_sub_fetch(&file->references, 1, __ATOMIC_RELAXED) == 0)
        file_close(file);
}

/* What open(2) makes comes in two steps, so that memory cannot be missing for a file when its name
 * is there already: a file that nothing is open in (NULL: no memory), and the opening of an inode
 * in it, for which the caller keeps his own reference: 0, or the error of open(2), and the file is
 * as before. What is not opened is discarded (NULL is nothing). */
struct file *file_prepare(uint32_t flags);
void file_discard(struct file *prepared);
int file_open_inode(struct inode *inode, struct file *prepared) MUST_CHECK;

/* At the file's own position, or at one that is given (-ESPIPE where there is none). Bytes, or
 * -EBADF, -EISDIR, -EINVAL, -EAGAIN, -EINTR, -EFAULT, -ENOSPC, -EFBIG, -EPIPE, -EIO. */
int32_t file_read(struct file *file, struct transfer *to) MUST_CHECK;
int32_t file_write(struct file *file, struct transfer *from) MUST_CHECK;
int32_t file_read_at(struct file *file, struct transfer *to, uint64_t position) MUST_CHECK;
int32_t file_write_at(struct file *file, struct transfer *from, uint64_t position) MUST_CHECK;

/* The same from and to the kernel's own memory: exec reads headers with it. */
int32_t file_read_kernel(struct file *file, void *buffer, uint32_t bytes,
                         uint64_t position) MUST_CHECK;

int64_t file_seek(struct file *file, int64_t offset, int whence) MUST_CHECK;
uint32_t file_poll(struct file *file, struct poll_list *list);

/* What a mapping of this file takes its pages from: a reference for the caller (the backing's drop
 * gives it back); NULL: it cannot be mapped (-ENODEV). The rights are the caller's affair: -EACCES
 * where the file is not readable, or a shared writable mapping of one that is not writable. */
struct backing *file_backing(struct file *file);

#endif
