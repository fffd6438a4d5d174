#ifndef KERNEL_FILE_INTERNAL_H
#define KERNEL_FILE_INTERNAL_H

#include "kernel/file/file.h"
#include "kernel/file/inode.h"
#include "kernel/thread/mutex.h"

/* What the files of this folder share, and their tests. */

#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* The lock of the tree: names, links, parents. */
extern struct mutex file_tree_lock;

/* A new inode's common part: one reference, times of now. */
void inode_init(struct inode *inode, const struct inode_operations *operations, uint32_t mode);
/* The access time follows only where it is not later than the modification (relatime). */
void inode_touch_accessed(struct inode *inode);
void inode_touch_changed(struct inode *inode);
void inode_touch_modified(struct inode *inode); /* and changed */

/* Of every directory, whatever the file system. */
extern const struct file_operations directory_operations;

/* What opening a character device or a FIFO does (device.c, pipe.c). */
int device_open(struct inode *inode, struct file *file);
int pipe_open(struct inode *inode, struct file *file);

/* A file that has no name: its inode's reference goes over to the file. NULL: exhausted. */
struct file *file_make(struct inode *inode, const struct file_operations *operations,
                       uint32_t flags);

/* What an ioctl answers or asks, at a user's address. 0 or -EFAULT. */
int32_t file_put_int(uint32_t address, int32_t value) MUST_CHECK;
int32_t file_get_int(uint32_t address, int32_t *value) MUST_CHECK;

#endif
