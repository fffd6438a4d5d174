#include "kernel/file/files.h"
#include "kernel/file/internal.h"
#include "kernel/file/jobs.h"
#include "kernel/file/locks.h"
#include "kernel/file/pipe.h"
#include "kernel/include/errors.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/space/transfer.h"
#include "kernel/space/usercopy.h"
#include "kernel/syscall/file.h"

/* Descriptors and what is controlled through them: dup, pipe, fcntl, flock, ioctl; getrandom. */

/* ---- dup ---- */

static int32_t duplicate(struct file *file, uint32_t lowest, uint32_t descriptor_flags)
{
    int32_t descriptor = file_table_add(caller_files(), file_hold(file), lowest, descriptor_flags);
    if (descriptor < 0)
        file_drop(file);
    return descriptor;
}

int32_t syscall_dup(uint32_t descriptor)
{
    struct file *file = caller_file(descriptor);
    if (file == NULL)
        return -EBADF;
    int32_t made = duplicate(file, 0, 0);
    file_drop(file);
    return made;
}

static int32_t put_at(uint32_t from, uint32_t to, uint32_t descriptor_flags)
{
    struct file *file = caller_file(from);
    if (file == NULL)
        return -EBADF;
    int32_t result = file_table_put(caller_files(), file, to, descriptor_flags);
    if (result < 0)
        file_drop(file);
    return result;
}

int32_t syscall_dup2(uint32_t from, uint32_t to)
{
    if (from == to)
        return file_table_get_flags(caller_files(), from) < 0 ? -EBADF : (int32_t)to;
    return put_at(from, to, 0);
}

int32_t syscall_dup3(uint32_t from, uint32_t to, uint32_t flags)
{
    if (from == to || flags & ~O_CLOEXEC)
        return -EINVAL;
    return put_at(from, to, flags & O_CLOEXEC ? FD_CLOEXEC : 0);
}

/* ---- pipe ---- */

/* Both ends get a descriptor, or neither. */
static int32_t add_ends(struct file *reader, struct file *writer, uint32_t flags,
                        int32_t descriptors[2])
{
    struct file_table *table = caller_files();
    uint32_t descriptor_flags = flags & O_CLOEXEC ? FD_CLOEXEC : 0;
    descriptors[0] = file_table_add(table, reader, 0, descriptor_flags);
    if (descriptors[0] < 0) {
        file_drop(reader);
        file_drop(writer);
        return descriptors[0];
    }
    descriptors[1] = file_table_add(table, writer, 0, descriptor_flags);
    if (descriptors[1] >= 0)
        return 0;
    (void)!file_table_close(table, (uint32_t)descriptors[0]);
    file_drop(writer);
    return descriptors[1];
}

int32_t syscall_pipe2(uint32_t address, uint32_t flags)
{
    struct file *reader, *writer;
    int32_t descriptors[2];
    if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    int32_t error = pipe_create(flags, &reader, &writer);
    if (error == 0)
        error = add_ends(reader, writer, flags, descriptors);
    if (error == 0 && space_copy_to_user(address, descriptors, sizeof(descriptors)) != 0) {
        (void)!file_table_close(caller_files(), (uint32_t)descriptors[0]);
        (void)!file_table_close(caller_files(), (uint32_t)descriptors[1]);
        error = -EFAULT;
    }
    return error;
}

int32_t syscall_pipe(uint32_t address)
{
    return syscall_pipe2(address, 0);
}

/* ---- locks ---- */

struct flock32 {
    int16_t type, whence;
    int32_t start, bytes, process;
};

struct flock64 {
    int16_t type, whence;
    int64_t start, bytes;
    int32_t process;
} __attribute__((packed, aligned(4)));

_Static_assert(sizeof(struct flock32) == 16 && sizeof(struct flock64) == 24, "Linux's layouts");

static int32_t get_flock(uint32_t address, bool is_wide, struct flock64 *flock)
{
    struct flock32 narrow;
    if (is_wide)
        return space_copy_from_user(flock, address, sizeof(*flock));
    int32_t error = space_copy_from_user(&narrow, address, sizeof(narrow));
    *flock =
        (struct flock64){narrow.type, narrow.whence, narrow.start, narrow.bytes, narrow.process};
    return error;
}

static int32_t put_flock(uint32_t address, bool is_wide, const struct flock64 *flock)
{
    struct flock32 narrow = {flock->type, flock->whence, (int32_t)flock->start,
                             (int32_t)flock->bytes, flock->process};
    if (is_wide)
        return space_copy_to_user(address, flock, sizeof(*flock));
    if (flock->start > INT32_MAX || flock->bytes > INT32_MAX)
        return -EOVERFLOW;
    return space_copy_to_user(address, &narrow, sizeof(narrow));
}

/* The bytes that a struct flock means, as [start, end). A negative length lies before its start. */
static int32_t range_of(const struct file *file, const struct flock64 *flock,
                        struct lock_request *request)
{
    int64_t base = flock->whence == SEEK_CUR   ? (int64_t)file->position
                   : flock->whence == SEEK_END ? (int64_t)file->inode->size
                                               : 0;
    if (flock->whence < SEEK_SET || flock->whence > SEEK_END)
        return -EINVAL;
    if (flock->start > INT64_MAX - base)
        return -EOVERFLOW;
    int64_t start = base + flock->start, end = start;
    if (flock->bytes > 0 && flock->bytes > INT64_MAX - start)
        return -EOVERFLOW;
    if (flock->bytes < 0)
        start += flock->bytes;
    else
        end += flock->bytes;
    if (start < 0)
        return -EINVAL;
    request->start = (uint64_t)start;
    request->end = flock->bytes == 0 ? UINT64_MAX : (uint64_t)end;
    return 0;
}

static int32_t check_lock_mode(const struct file *file, int type)
{
    if (type == F_RDLCK && !file_is_readable(file))
        return -EBADF;
    if (type == F_WRLCK && !file_is_writable(file))
        return -EBADF;
    return type == F_RDLCK || type == F_WRLCK || type == F_UNLCK ? 0 : -EINVAL;
}

static int32_t find_lock(struct file *file, uint32_t address, bool is_wide, struct flock64 *flock,
                         const struct lock_request *request)
{
    struct lock_request found;
    if (request->type == F_UNLCK)
        return -EINVAL;
    if (locks_find(file->inode, request, &found)) {
        flock->type = (int16_t)found.type;
        flock->whence = SEEK_SET;
        flock->start = (int64_t)found.start;
        flock->bytes = found.end == UINT64_MAX ? 0 : (int64_t)(found.end - found.start);
        flock->process = (int32_t)found.process;
    } else {
        flock->type = F_UNLCK;
    }
    return put_flock(address, is_wide, flock);
}

enum lock_call { LOCK_CALL_GET, LOCK_CALL_SET, LOCK_CALL_SET_WAIT };

static int32_t lock_range(struct file *file, enum lock_call call, uint32_t address, bool is_wide,
                          bool is_file_owner)
{
    struct flock64 flock;
    struct lock_request request = {.kind = LOCK_RANGE};
    int32_t error = get_flock(address, is_wide, &flock);
    if (error == 0 && is_file_owner && flock.process != 0)
        error = -EINVAL;
    if (error == 0)
        error = range_of(file, &flock, &request);
    if (error != 0)
        return error;
    request.type = flock.type;
    request.owner = is_file_owner ? (const void *)file : (const void *)caller_files();
    request.process = is_file_owner ? UINT32_MAX : file_jobs()->process();
    if (call == LOCK_CALL_GET)
        return find_lock(file, address, is_wide, &flock, &request);
    error = check_lock_mode(file, flock.type);
    if (error == 0)
        error = locks_set(file->inode, &request, call == LOCK_CALL_SET_WAIT ? LOCK_WAIT : LOCK_TRY);
    return error;
}

int32_t syscall_flock(uint32_t descriptor, uint32_t operation)
{
    struct lock_request request = {.kind = LOCK_WHOLE, .end = UINT64_MAX, .process = UINT32_MAX};
    enum lock_patience patience = operation & LOCK_NB ? LOCK_TRY : LOCK_WAIT;
    struct file *file = caller_file(descriptor);
    int32_t error = 0;
    if (file == NULL || file->flags & O_PATH) {
        file_drop(file);
        return -EBADF;
    }
    request.owner = file;
    switch (operation & ~LOCK_NB) {
    case LOCK_SH:
        request.type = F_RDLCK;
        break;
    case LOCK_EX:
        request.type = F_WRLCK;
        break;
    case LOCK_UN:
        request.type = F_UNLCK;
        break;
    default:
        error = -EINVAL;
    }
    if (error == 0)
        error = locks_set(file->inode, &request, patience);
    file_drop(file);
    return restartable(error);
}

/* ---- fcntl ---- */

#define CHANGEABLE_FLAGS (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)

static int32_t set_flags(struct file *file, uint32_t flags)
{
    file->flags = (file->flags & ~CHANGEABLE_FLAGS) | (flags & CHANGEABLE_FLAGS);
    return 0;
}

static int32_t control_lock(struct file *file, uint32_t command, uint32_t address)
{
    switch (command) {
    case F_GETLK:
    case F_GETLK64:
        return lock_range(file, LOCK_CALL_GET, address, command == F_GETLK64, false);
    case F_SETLK:
    case F_SETLK64:
        return lock_range(file, LOCK_CALL_SET, address, command == F_SETLK64, false);
    case F_SETLKW:
    case F_SETLKW64:
        return lock_range(file, LOCK_CALL_SET_WAIT, address, command == F_SETLKW64, false);
    case F_OFD_GETLK:
        return lock_range(file, LOCK_CALL_GET, address, true, true);
    case F_OFD_SETLK:
        return lock_range(file, LOCK_CALL_SET, address, true, true);
    case F_OFD_SETLKW:
        return lock_range(file, LOCK_CALL_SET_WAIT, address, true, true);
    default:
        return -EINVAL;
    }
}

static int32_t control(struct file *file, uint32_t descriptor, uint32_t command, uint32_t argument)
{
    switch (command) {
    case F_DUPFD:
        return duplicate(file, argument, 0);
    case F_DUPFD_CLOEXEC:
        return duplicate(file, argument, FD_CLOEXEC);
    case F_GETFD:
        return file_table_get_flags(caller_files(), descriptor);
    case F_SETFD:
        return file_table_set_flags(caller_files(), descriptor, argument & FD_CLOEXEC);
    case F_GETFL:
        return (int32_t)file->flags;
    }
    if (file->flags & O_PATH)
        return -EBADF;
    switch (command) {
    case F_SETFL:
        return set_flags(file, argument);
    case F_GETOWN:
    case F_SETOWN:
        return 0; /* SIGIO and SIGURG are never sent */
    case F_GETPIPE_SZ:
        return pipe_is_pipe(file) ? (int32_t)(PIPE_PAGES * 4096) : -EBADF;
    case F_SETPIPE_SZ:
        if (!pipe_is_pipe(file))
            return -EBADF;
        return argument <= PIPE_PAGES * 4096 ? (int32_t)(PIPE_PAGES * 4096) : -EPERM;
    default:
        return control_lock(file, command, argument);
    }
}

int32_t syscall_fcntl64(uint32_t descriptor, uint32_t command, uint32_t argument)
{
    struct file *file = caller_file(descriptor);
    if (file == NULL)
        return -EBADF;
    int32_t result = control(file, descriptor, command, argument);
    file_drop(file);
    return restartable(result);
}

int32_t syscall_fcntl(uint32_t descriptor, uint32_t command, uint32_t argument)
{
    if (command >= F_GETLK64 && command <= F_SETLKW64)
        return -EINVAL;
    return syscall_fcntl64(descriptor, command, argument);
}

/* ---- ioctl ---- */

static int32_t set_nonblocking(struct file *file, uint32_t address)
{
    int32_t is_on;
    int32_t error = file_get_int(address, &is_on);
    if (error == 0)
        file->flags = (file->flags & ~O_NONBLOCK) | (is_on != 0 ? O_NONBLOCK : 0);
    return error;
}

static int32_t ioctl(struct file *file, uint32_t descriptor, uint32_t request, uint32_t argument)
{
    if (file->flags & O_PATH)
        return -EBADF;
    switch (request) {
    case FIOCLEX:
        return file_table_set_flags(caller_files(), descriptor, FD_CLOEXEC);
    case FIONCLEX:
        return file_table_set_flags(caller_files(), descriptor, 0);
    case FIONBIO:
        return set_nonblocking(file, argument);
    case FIONREAD:
        if (inode_is_regular(file->inode))
            return file_put_int(argument, (int32_t)(file->inode->size - file->position));
    }
    return file->operations->ioctl == NULL ? -ENOTTY
                                           : file->operations->ioctl(file, request, argument);
}

int32_t syscall_ioctl(uint32_t descriptor, uint32_t request, uint32_t argument)
{
    struct file *file = caller_file(descriptor);
    if (file == NULL)
        return -EBADF;
    int32_t result = ioctl(file, descriptor, request, argument);
    file_drop(file);
    return restartable(result);
}

/* ---- getrandom ---- */

#define RANDOM_PIECE 128u

int32_t syscall_getrandom(uint32_t address, uint32_t bytes, uint32_t flags)
{
    uint8_t piece[RANDOM_PIECE];
    uint32_t done = 0;
    if (flags > 3 + 4 || (flags & 6) == 6) /* GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE */
        return -EINVAL;
    bytes = bytes < INT32_MAX ? bytes : INT32_MAX;
    while (done < bytes) {
        uint32_t now = bytes - done < RANDOM_PIECE ? bytes - done : RANDOM_PIECE;
        random_fill(piece, now);
        if (space_copy_to_user(address + done, piece, now) != 0)
            return done > 0 ? (int32_t)done : -EFAULT;
        done += now;
    }
    return (int32_t)done;
}
