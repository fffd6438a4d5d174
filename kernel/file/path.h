#ifndef KERNEL_FILE_PATH_H
#define KERNEL_FILE_PATH_H

#include "kernel/file/file.h"

/*
 * From names to inodes. A context is what paths are relative to: root, working directory, and the
 * mask of new files' permissions; one for each process or for several (CLONE_FS).
 */
struct path_context;

/* At the root of the tree; mask 022. NULL: exhausted. */
struct path_context *path_context_create(void) MUST_CHECK;
struct path_context *path_context_clone(struct path_context *context) MUST_CHECK;
struct path_context *path_context_hold(struct path_context *context);
void path_context_drop(struct path_context *context); /* NULL is nothing */
uint32_t path_context_references(const struct path_context *context);

uint32_t path_set_mask(struct path_context *context, uint32_t mask); /* the one before */

/* Where a path begins that is not absolute: NULL is the working directory. */
#define PATH_FOLLOW    (1u << 0) /* a symbolic link at the end is followed */
#define PATH_DIRECTORY (1u << 1) /* what is found is a directory, else -ENOTDIR */

/* The inode of a path, with a reference. -ENOENT (the empty path too), -ENOTDIR, -ELOOP (40 links),
 * -ENAMETOOLONG, -ENOMEM. O(components * log entries). */
int path_find(struct path_context *context, struct inode *base, const char *path, uint32_t flags,
              struct inode **found) MUST_CHECK;

/* open(2), with O_CREAT and all. */
int path_open(struct path_context *context, struct inode *base, const char *path, uint32_t flags,
              uint32_t mode, struct file **opened) MUST_CHECK;

/* For exec: a regular file with an x bit, open for reading, and not written to while it is; else
 * -EACCES, -ETXTBSY (it is open for writing), or as path_find. */
int path_open_program(struct path_context *context, const char *path,
                      struct file **opened) MUST_CHECK;

int path_mknod(struct path_context *context, struct inode *base, const char *path, uint32_t mode,
               uint32_t special) MUST_CHECK; /* mkdir with S_IFDIR */
int path_symlink(struct path_context *context, const char *target, struct inode *base,
                 const char *path) MUST_CHECK;
int path_link(struct path_context *context, struct inode *old_base, const char *old_path,
              uint32_t flags, struct inode *new_base, const char *new_path) MUST_CHECK;
int path_unlink(struct path_context *context, struct inode *base, const char *path) MUST_CHECK;
int path_rmdir(struct path_context *context, struct inode *base, const char *path) MUST_CHECK;
int path_rename(struct path_context *context, struct inode *old_base, const char *old_path,
                struct inode *new_base, const char *new_path, uint32_t flags) MUST_CHECK;

int path_change_directory(struct path_context *context, struct inode *directory) MUST_CHECK;
int path_change_root(struct path_context *context, struct inode *directory) MUST_CHECK;

/* The absolute path of a directory below the context's root, zero-terminated, at the front of
 * `buffer`: its length without the zero, or -ENOENT (removed), -ERANGE (does not fit). */
int path_of_directory(struct path_context *context, struct inode *directory, char *buffer,
                      uint32_t size) MUST_CHECK;
struct inode *path_working_directory(struct path_context *context); /* a reference */
struct inode *path_root(struct path_context *context);              /* a reference */

#endif
