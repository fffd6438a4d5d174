#include "kernel/include/errors.h"

const char *error_text(int error)
{
    switch (-error) {
    case 0:
        return "success";
    case EPERM:
        return "not permitted";
    case ENOENT:
        return "no such thing";
    case ESRCH:
        return "no such process";
    case EINTR:
        return "interrupted by a signal";
    case EIO:
        return "device failure";
    case ENXIO:
        return "no such device or address";
    case E2BIG:
        return "arguments are too long";
    case ENOEXEC:
        return "not a program that can run here";
    case EBADF:
        return "no such descriptor, or not open for that";
    case ECHILD:
        return "no child";
    case EAGAIN:
        return "not now";
    case ENOMEM:
        return "out of memory";
    case EACCES:
        return "permission denied";
    case EFAULT:
        return "bad address";
    case ENOTBLK:
        return "not a block device";
    case EBUSY:
        return "in use";
    case EEXIST:
        return "already there";
    case EXDEV:
        return "on another file system";
    case ENODEV:
        return "no such device";
    case ENOTDIR:
        return "not a directory";
    case EISDIR:
        return "a directory";
    case EINVAL:
        return "invalid argument";
    case ENFILE:
        return "too many open files in the system";
    case EMFILE:
        return "too many open files in the process";
    case ENOTTY:
        return "not a terminal, or no such control";
    case ETXTBSY:
        return "a program that runs";
    case EFBIG:
        return "file too large";
    case ENOSPC:
        return "no space left";
    case ESPIPE:
        return "cannot be positioned";
    case EROFS:
        return "read-only";
    case EMLINK:
        return "too many links";
    case EPIPE:
        return "nobody reads";
    case EDOM:
        return "outside a function's domain";
    case ERANGE:
        return "out of range";
    case EDEADLK:
        return "would wait for itself";
    case ENAMETOOLONG:
        return "name too long";
    case ENOLCK:
        return "no lock left";
    case ENOSYS:
        return "no such call";
    case ENOTEMPTY:
        return "directory not empty";
    case ELOOP:
        return "too many symbolic links";
    case EOVERFLOW:
        return "count would overflow";
    case EOPNOTSUPP:
        return "not supported by that";
    case ETIMEDOUT:
        return "the time is over";
    case EALREADY:
        return "already in that state";
    case EDQUOT:
        return "quota used up";
    default:
        return "unknown error";
    }
}
