#ifndef KERNEL_INCLUDE_ERRORS_H
#define KERNEL_INCLUDE_ERRORS_H

/*
 * The one list of errors. Functions return them negative, and 0 for success. The numbers are
 * Linux's on i386 (include/uapi/asm-generic/errno-base.h and errno.h), because programs will see
 * them.
 */
#define EPERM        1   /* not permitted */
#define ENOENT       2   /* no such thing */
#define ESRCH        3   /* no such process */
#define EINTR        4   /* interrupted by a signal */
#define EIO          5   /* a device failed */
#define ENXIO        6   /* no such device or address */
#define E2BIG        7   /* arguments are too long */
#define ENOEXEC      8   /* not a program that can run here */
#define EBADF        9   /* no such descriptor, or not open for that */
#define ECHILD       10  /* no child */
#define EAGAIN       11  /* not now */
#define ENOMEM       12  /* out of memory */
#define EACCES       13  /* permission denied */
#define EFAULT       14  /* bad address */
#define ENOTBLK      15  /* not a block device */
#define EBUSY        16  /* in use: shared, locked or reserved */
#define EEXIST       17  /* already there */
#define EXDEV        18  /* on another file system */
#define ENODEV       19  /* no such device */
#define ENOTDIR      20  /* not a directory */
#define EISDIR       21  /* a directory */
#define EINVAL       22  /* an argument makes no sense */
#define ENFILE       23  /* too many open files in the system */
#define EMFILE       24  /* too many open files in the process */
#define ENOTTY       25  /* not a terminal, or no such control */
#define ETXTBSY      26  /* a program that runs */
#define EFBIG        27  /* file too large */
#define ENOSPC       28  /* a table, window or file system is full */
#define ESPIPE       29  /* cannot be positioned */
#define EROFS        30  /* read-only */
#define EMLINK       31  /* too many links */
#define EPIPE        32  /* nobody reads */
#define EDOM         33  /* outside a function's domain */
#define ERANGE       34  /* out of range */
#define EDEADLK      35  /* would wait for itself */
#define ENAMETOOLONG 36  /* name too long */
#define ENOLCK       37  /* no lock left */
#define ENOSYS       38  /* no such call */
#define ENOTEMPTY    39  /* directory not empty */
#define ELOOP        40  /* too many symbolic links */
#define EOVERFLOW    75  /* a count or value would overflow */
#define EOPNOTSUPP   95  /* not supported by that */
#define ETIMEDOUT    110 /* the time is over */
#define EALREADY     114 /* already in that state */
#define EDQUOT       122 /* quota used up */

/* A short sentence for a negative error number ("out of memory"); "unknown error" for others. */
const char *error_text(int error);

#endif
