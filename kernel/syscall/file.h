#ifndef KERNEL_SYSCALL_FILE_H
#define KERNEL_SYSCALL_FILE_H

#include "kernel/file/path.h"
#include "kernel/file/table.h"
#include "kernel/syscall/caller.h"
#include "kernel/syscall/table.h"

/* What the calls about files share. */

/* A path that a program passed, copied. NULL with an error: -EFAULT, -ENAMETOOLONG, -ENOMEM. */
struct path_text {
    char *text;
    int error;
};
struct path_text path_text_get(uint32_t address);
void path_text_put(struct path_text *path);

/* Where a relative path begins: `base` NULL is the working directory. For an absolute one the
 * descriptor is not looked at. */
struct path_base {
    struct inode *base; /* held */
    int error;          /* -EBADF, -ENOTDIR */
};
struct path_base path_base_get(uint32_t descriptor, const char *path);

/* The inode that a descriptor, a path, and AT_* flags name together, with a reference. An empty
 * path names the descriptor's own file with AT_EMPTY_PATH. */
int path_find_at(uint32_t descriptor, uint32_t path, uint32_t flags, struct inode **found);

/* A signal came before anything was done: the call is made again after it. */
static inline int32_t restartable(int32_t result)
{
    return result == -EINTR ? -RESTART_SYSCALL : result;
}

static inline struct file *caller_file(uint32_t descriptor)
{
    return file_table_get(caller_files(), descriptor);
}

static inline uint64_t make64(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

#endif
