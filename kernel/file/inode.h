#ifndef KERNEL_FILE_INODE_H
#define KERNEL_FILE_INODE_H

#include "kernel/file/linux.h"
#include "kernel/include/types.h"

/*
 * An inode is a file as such, whatever names it has and whoever has it open: a regular file, a
 * directory, a symbolic link, a device, a FIFO, or a file of /proc.
 *
 * Who keeps it: `references` counts handles (open files, walks that stand on it, working
 * directories, mappings), `links` the names that directories have for it. It goes when both are 0.
 *
 * What the lock protects: names (directories and what they hold, links, parents) belong to the one
 * lock of the tree, which sleeps and which nobody holds while user memory is touched.
 */
struct inode;
struct file;
struct backing;

/* What a directory shows of an entry. The cookie says where to go on: behind this entry. */
struct inode_entry {
    const char *name;
    uint32_t length;
    uint64_t number;
    uint64_t cookie;
    uint32_t mode; /* the kind: S_IFMT bits */
};
typedef bool (*inode_visitor)(void *context, const struct inode_entry *entry);

/* NULL where the file system has no such thing; callers hold the tree's lock. Names are not
 * zero-terminated, and never empty, "." or "..". Results have a reference for the caller. */
struct inode_operations {
    int (*lookup)(struct inode *directory, const char *name, uint32_t length, struct inode **found);
    /* Entries behind the cookie (0: from the first), ascending, until visit returns false. */
    int (*visit)(struct inode *directory, uint64_t cookie, inode_visitor visit, void *context);
    /* A new file of any kind but a link; -EEXIST, -ENOSPC, ... */
    int (*create)(struct inode *directory, const char *name, uint32_t length, uint32_t mode,
                  uint32_t special, struct inode **made);
    int (*symlink)(struct inode *directory, const char *name, uint32_t length, const char *target);
    int (*link)(struct inode *directory, const char *name, uint32_t length, struct inode *inode);
    int (*unlink)(struct inode *directory, const char *name, uint32_t length);
    int (*rmdir)(struct inode *directory, const char *name, uint32_t length);
    int (*rename)(struct inode *from, const char *old_name, uint32_t old_length, struct inode *to,
                  const char *new_name, uint32_t new_length, uint32_t flags);
    /* The target of a symbolic link: the bytes that it has, of which `size` at most are copied. */
    int (*readlink)(struct inode *inode, char *buffer, uint32_t size);
    /* Where a link of /proc leads that is no text: a reference, or NULL. */
    struct inode *(*follow)(struct inode *inode);
    int (*truncate)(struct inode *inode, uint64_t size);
    /* Prepares an open file: sets its operations. 0 or the error of open. */
    int (*open)(struct inode *inode, struct file *file);
    /* What the pages of mappings come from: a reference (backing's drop gives it back), or NULL. */
    struct backing *(*backing)(struct inode *inode);
    void (*destroy)(struct inode *inode); /* neither handles nor names are left */
};

struct inode {
    const struct inode_operations *operations;
    uint32_t references;
    uint32_t links;
    uint32_t mode; /* S_IFMT and permissions */
    uint32_t uid, gid;
    uint32_t device;                               /* which file system: st_dev */
    uint32_t special;                              /* which device this file is: st_rdev */
    uint64_t number;                               /* unique within the file system, never 0 */
    uint64_t size;                                 /* bytes */
    uint64_t accessed_ns, modified_ns, changed_ns; /* wall clock */
    int32_t writers;                               /* open for writing so often; below 0: run */
    struct inode *parent; /* a directory with a name of it; the root's is itself; NULL: none */
    void *private;        /* of devices and FIFOs: their own */
};

/* One handle more, one less (NULL is nothing). From a thread; the last one may take the tree's
 * lock. */
struct inode *inode_hold(struct inode *inode);
void inode_drop(struct inode *inode);

/* A regular file is open for writing, or programs run that are in it, never both; others are not
 * counted. 0, -ETXTBSY. What began ends once. */
int inode_begin_writing(struct inode *inode) MUST_CHECK;
void inode_end_writing(struct inode *inode);
int inode_begin_running(struct inode *inode) MUST_CHECK;
void inode_end_running(struct inode *inode);

/* The same with a handle: of what runs already; NULL is nothing. */
struct inode *inode_hold_running(struct inode *inode);
void inode_drop_running(struct inode *inode);

static inline bool inode_is_directory(const struct inode *inode)
{
    return (inode->mode & S_IFMT) == S_IFDIR;
}

static inline bool inode_is_regular(const struct inode *inode)
{
    return (inode->mode & S_IFMT) == S_IFREG;
}

#endif
