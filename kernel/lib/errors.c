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
    case EIO:
        return "device failure";
    case EAGAIN:
        return "not now";
    case ENOMEM:
        return "out of memory";
    case EFAULT:
        return "bad address";
    case EBUSY:
        return "in use";
    case EEXIST:
        return "already there";
    case ENODEV:
        return "no such device";
    case EINVAL:
        return "invalid argument";
    case ENOSPC:
        return "no space left";
    case ERANGE:
        return "out of range";
    case EOVERFLOW:
        return "count would overflow";
    case EALREADY:
        return "already in that state";
    default:
        return "unknown error";
    }
}
