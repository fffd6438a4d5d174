#ifndef KERNEL_INCLUDE_ERRORS_H
#define KERNEL_INCLUDE_ERRORS_H

/*
 * The one list of errors. Functions return them negative, and 0 for success. The numbers are
 * Linux's on i386 (include/uapi/asm-generic/errno-base.h and errno.h), because programs will see
 * them.
 */
#define EPERM     1   /* not permitted */
#define ENOENT    2   /* no such thing */
#define EIO       5   /* a device failed */
#define EAGAIN    11  /* not now */
#define ENOMEM    12  /* out of memory */
#define EFAULT    14  /* bad address */
#define EBUSY     16  /* in use: shared, locked or reserved */
#define EEXIST    17  /* already there */
#define ENODEV    19  /* no such device */
#define EINVAL    22  /* an argument makes no sense */
#define ENOSPC    28  /* a table or window is full */
#define ERANGE    34  /* out of range */
#define EOVERFLOW 75  /* a count would overflow */
#define EALREADY  114 /* already in that state */

/* A short sentence for a negative error number ("out of memory"); "unknown error" for others. */
const char *error_text(int error);

#endif
