#ifndef KERNEL_FILE_LOCKS_H
#define KERNEL_FILE_LOCKS_H

#include "kernel/file/file.h"

/*
 * Advisory locks, in one table for all files: POSIX's on ranges of bytes, which belong to a
 * descriptor table (a process), and flock's on the whole file, which belong to an open file, as do
 * the ranges of F_OFD_SETLK. Owners are only compared. O(locks of the file).
 */
enum lock_kind { LOCK_RANGE, LOCK_WHOLE };

struct lock_request {
    enum lock_kind kind;
    int type;       /* F_RDLCK, F_WRLCK, F_UNLCK */
    uint64_t start; /* bytes, half-open; UINT64_MAX: to the end of all */
    uint64_t end;
    const void *owner;
    uint32_t process; /* who says so, for F_GETLK; -1 for an open file's */
};

/* Sets or removes; waits (interruptibly) if asked to. 0, -EAGAIN, -EINTR, -EDEADLK, -ENOLCK. */
enum lock_patience { LOCK_TRY, LOCK_WAIT };
int locks_set(struct inode *inode, const struct lock_request *request,
              enum lock_patience patience) MUST_CHECK;

/* The first lock in the request's way becomes *found; false: there is none. */
bool locks_find(struct inode *inode, const struct lock_request *request,
                struct lock_request *found);

/* Everything that an owner has on a file: when a process closes any descriptor of it; when an open
 * file goes. */
void locks_drop(struct inode *inode, const void *owner);
void locks_drop_file(struct file *file);

/* For the check at the end of tests: how many there are. */
uint32_t locks_count(void);

#endif
