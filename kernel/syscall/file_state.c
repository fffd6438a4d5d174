#include "kernel/file/internal.h"
#include "kernel/file/memory.h"
#include "kernel/file/pipe.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/space/commit.h"
#include "kernel/space/usercopy.h"
#include "kernel/syscall/file.h"
#include "kernel/thread/clock.h"

/* What a file is: stat and its kin, and the calls that change it. */

#define HERE       ((uint32_t)AT_FDCWD)
#define BLOCK_SIZE 4096u

/* ---- stat ---- */

/* struct stat64 of arch/x86/include/uapi/asm/stat.h, i386 */
struct stat64 {
    uint64_t device;
    uint32_t pad0;
    uint32_t number_low;
    uint32_t mode, links, uid, gid;
    uint64_t special;
    uint32_t pad3;
    int64_t size;
    uint32_t block_size;
    uint64_t blocks;
    uint32_t accessed, accessed_ns, modified, modified_ns, changed, changed_ns;
    uint64_t number;
} __attribute__((packed));

/* struct stat, i386 */
struct stat32 {
    uint32_t device, number;
    uint16_t mode, links, uid, gid;
    uint32_t special, size, block_size, blocks;
    uint32_t accessed, accessed_ns, modified, modified_ns, changed, changed_ns;
    uint32_t unused[2];
};

struct statx_time {
    int64_t seconds;
    uint32_t ns;
    int32_t reserved;
};

struct statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, spare0;
    uint64_t number, size, blocks, attributes_mask;
    struct statx_time accessed, born, changed, modified;
    uint32_t special_major, special_minor, device_major, device_minor;
    uint64_t mount;
    uint32_t direct_memory_align, direct_offset_align;
    uint64_t spare3[12];
};

_Static_assert(sizeof(struct stat64) == 96 && sizeof(struct stat32) == 64, "Linux's layouts");
_Static_assert(sizeof(struct statx) == 256, "Linux's layout");

#define STATX_BASIC_STATS 0x7FFu
#define STATX_RESERVED    0x80000000u

static uint32_t seconds_of(uint64_t ns)
{
    return (uint32_t)(ns / NS_PER_SECOND);
}

static uint32_t rest_of(uint64_t ns)
{
    return (uint32_t)(ns % NS_PER_SECOND);
}

/* What has no names in a directory of ours counts as having one. */
static uint32_t links_of(const struct inode *inode)
{
    return memory_is_ours(inode) || inode->links > 0 ? inode->links : 1;
}

/* In units of 512 bytes: what is promised to the file. */
static uint64_t blocks_of(const struct inode *inode)
{
    if (!inode_is_regular(inode) || !memory_is_ours(inode))
        return 0;
    return (inode->size + BLOCK_SIZE - 1) / BLOCK_SIZE * (BLOCK_SIZE / 512);
}

static int32_t put_stat64(const struct inode *inode, uint32_t address)
{
    struct stat64 stat = {
        .device = inode->device,
        .number_low = (uint32_t)inode->number,
        .mode = inode->mode,
        .links = links_of(inode),
        .uid = inode->uid,
        .gid = inode->gid,
        .special = inode->special,
        .size = (int64_t)inode->size,
        .block_size = BLOCK_SIZE,
        .blocks = blocks_of(inode),
        .accessed = seconds_of(inode->accessed_ns),
        .accessed_ns = rest_of(inode->accessed_ns),
        .modified = seconds_of(inode->modified_ns),
        .modified_ns = rest_of(inode->modified_ns),
        .changed = seconds_of(inode->changed_ns),
        .changed_ns = rest_of(inode->changed_ns),
        .number = inode->number,
    };
    return space_copy_to_user(address, &stat, sizeof(stat));
}

static int32_t put_stat32(const struct inode *inode, uint32_t address)
{
    struct stat32 stat = {
        .device = inode->device,
        .number = (uint32_t)inode->number,
        .mode = (uint16_t)inode->mode,
        .links = (uint16_t)links_of(inode),
        .uid = (uint16_t)inode->uid,
        .gid = (uint16_t)inode->gid,
        .special = inode->special,
        .size = (uint32_t)inode->size,
        .block_size = BLOCK_SIZE,
        .blocks = (uint32_t)blocks_of(inode),
        .accessed = seconds_of(inode->accessed_ns),
        .accessed_ns = rest_of(inode->accessed_ns),
        .modified = seconds_of(inode->modified_ns),
        .modified_ns = rest_of(inode->modified_ns),
        .changed = seconds_of(inode->changed_ns),
        .changed_ns = rest_of(inode->changed_ns),
    };
    if (inode->size > INT32_MAX)
        return -EOVERFLOW;
    return space_copy_to_user(address, &stat, sizeof(stat));
}

static struct statx_time statx_time_of(uint64_t ns)
{
    return (struct statx_time){seconds_of(ns), rest_of(ns), 0};
}

static int32_t put_statx(const struct inode *inode, uint32_t address)
{
    struct statx statx = {
        .mask = STATX_BASIC_STATS,
        .block_size = BLOCK_SIZE,
        .links = links_of(inode),
        .uid = inode->uid,
        .gid = inode->gid,
        .mode = (uint16_t)inode->mode,
        .number = inode->number,
        .size = inode->size,
        .blocks = blocks_of(inode),
        .accessed = statx_time_of(inode->accessed_ns),
        .changed = statx_time_of(inode->changed_ns),
        .modified = statx_time_of(inode->modified_ns),
        .special_major = inode->special >> 8,
        .special_minor = inode->special & 0xFF,
        .device_major = inode->device >> 8,
        .device_minor = inode->device & 0xFF,
    };
    return space_copy_to_user(address, &statx, sizeof(statx));
}

typedef int32_t (*stat_put)(const struct inode *inode, uint32_t address);

static int32_t stat_inode(struct inode *inode, uint32_t address, stat_put put)
{
    int32_t error = put(inode, address);
    inode_drop(inode);
    return error;
}

static int32_t stat_path(uint32_t directory, uint32_t path, uint32_t flags, uint32_t address,
                         stat_put put)
{
    struct inode *inode;
    int32_t error = path_find_at(directory, path, flags, &inode);
    return error != 0 ? error : stat_inode(inode, address, put);
}

static int32_t stat_descriptor(uint32_t descriptor, uint32_t address, stat_put put)
{
    struct file *file = caller_file(descriptor);
    if (file == NULL)
        return -EBADF;
    struct inode *inode = inode_hold(file->inode);
    file_drop(file);
    return stat_inode(inode, address, put);
}

int32_t syscall_stat64(uint32_t path, uint32_t address)
{
    return stat_path(HERE, path, 0, address, put_stat64);
}

int32_t syscall_lstat64(uint32_t path, uint32_t address)
{
    return stat_path(HERE, path, AT_SYMLINK_NOFOLLOW, address, put_stat64);
}

int32_t syscall_fstat64(uint32_t descriptor, uint32_t address)
{
    return stat_descriptor(descriptor, address, put_stat64);
}

#define STAT_AT_FLAGS (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)

int32_t syscall_fstatat64(uint32_t directory, uint32_t path, uint32_t address, uint32_t flags)
{
    if (flags & ~STAT_AT_FLAGS)
        return -EINVAL;
    return stat_path(directory, path, flags, address, put_stat64);
}

int32_t syscall_stat(uint32_t path, uint32_t address)
{
    return stat_path(HERE, path, 0, address, put_stat32);
}

int32_t syscall_lstat(uint32_t path, uint32_t address)
{
    return stat_path(HERE, path, AT_SYMLINK_NOFOLLOW, address, put_stat32);
}

int32_t syscall_fstat(uint32_t descriptor, uint32_t address)
{
    return stat_descriptor(descriptor, address, put_stat32);
}

int32_t syscall_statx(uint32_t directory, uint32_t path, uint32_t flags, uint32_t mask,
                      uint32_t address)
{
    if ((flags & ~(STAT_AT_FLAGS | AT_STATX_SYNC_TYPE)) || (mask & STATX_RESERVED) ||
        (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
        return -EINVAL;
    return stat_path(directory, path, flags, address, put_statx);
}

/* ---- access ---- */

/* Everybody is root: only a file that is executable for nobody cannot be executed. */
static int32_t access_at(uint32_t directory, uint32_t path, uint32_t mode, uint32_t flags)
{
    struct inode *inode;
    if (mode & ~7u || flags & ~(AT_SYMLINK_NOFOLLOW | AT_EACCESS | AT_EMPTY_PATH))
        return -EINVAL;
    int32_t error = path_find_at(directory, path, flags, &inode);
    if (error != 0)
        return error;
    if ((mode & 1) && inode_is_regular(inode) && !(inode->mode & 0111))
        error = -EACCES;
    inode_drop(inode);
    return error;
}

int32_t syscall_faccessat2(uint32_t directory, uint32_t path, uint32_t mode, uint32_t flags)
{
    return access_at(directory, path, mode, flags);
}

int32_t syscall_faccessat(uint32_t directory, uint32_t path, uint32_t mode)
{
    return access_at(directory, path, mode, 0);
}

int32_t syscall_access(uint32_t path, uint32_t mode)
{
    return access_at(HERE, path, mode, 0);
}

/* ---- permissions and owners ---- */

typedef int32_t (*inode_change)(struct inode *inode, uint32_t first, uint32_t second);

static int32_t change_inode(struct inode *inode, inode_change change, uint32_t first,
                            uint32_t second)
{
    int32_t error = memory_is_ours(inode) || inode->device == PIPE_DEVICE
                        ? change(inode, first, second)
                        : -EPERM;
    inode_drop(inode);
    return error;
}

static int32_t change_at(uint32_t directory, uint32_t path, uint32_t flags, inode_change change,
                         uint32_t first, uint32_t second)
{
    struct inode *inode;
    int32_t error = path_find_at(directory, path, flags, &inode);
    return error != 0 ? error : change_inode(inode, change, first, second);
}

static int32_t change_descriptor(uint32_t descriptor, inode_change change, uint32_t first,
                                 uint32_t second)
{
    struct file *file = caller_file(descriptor);
    if (file == NULL || file->flags & O_PATH) {
        file_drop(file);
        return -EBADF;
    }
    struct inode *inode = inode_hold(file->inode);
    file_drop(file);
    return change_inode(inode, change, first, second);
}

static int32_t change_mode(struct inode *inode, uint32_t mode, uint32_t unused)
{
    (void)unused;
    if ((inode->mode & S_IFMT) == S_IFLNK)
        return -EOPNOTSUPP;
    inode->mode = (inode->mode & S_IFMT) | (mode & 07777);
    inode_touch_changed(inode);
    return 0;
}

int32_t syscall_chmod(uint32_t path, uint32_t mode)
{
    return change_at(HERE, path, 0, change_mode, mode, 0);
}

int32_t syscall_fchmodat(uint32_t directory, uint32_t path, uint32_t mode)
{
    return change_at(directory, path, 0, change_mode, mode, 0);
}

int32_t syscall_fchmod(uint32_t descriptor, uint32_t mode)
{
    return change_descriptor(descriptor, change_mode, mode, 0);
}

#define ID_KEEP UINT32_MAX

static int32_t change_owner(struct inode *inode, uint32_t uid, uint32_t gid)
{
    if (uid != ID_KEEP)
        inode->uid = uid;
    if (gid != ID_KEEP)
        inode->gid = gid;
    if (inode_is_regular(inode))
        inode->mode &= ~(S_ISUID | (inode->mode & 0010 ? S_ISGID : 0));
    inode_touch_changed(inode);
    return 0;
}

int32_t syscall_chown32(uint32_t path, uint32_t uid, uint32_t gid)
{
    return change_at(HERE, path, 0, change_owner, uid, gid);
}

int32_t syscall_lchown32(uint32_t path, uint32_t uid, uint32_t gid)
{
    return change_at(HERE, path, AT_SYMLINK_NOFOLLOW, change_owner, uid, gid);
}

int32_t syscall_fchown32(uint32_t descriptor, uint32_t uid, uint32_t gid)
{
    return change_descriptor(descriptor, change_owner, uid, gid);
}

int32_t syscall_fchownat(uint32_t directory, uint32_t path, uint32_t uid, uint32_t gid,
                         uint32_t flags)
{
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return change_at(directory, path, flags, change_owner, uid, gid);
}

/* ---- times ---- */

#define UTIME_NOW  0x3FFFFFFF
#define UTIME_OMIT 0x3FFFFFFE

struct time32 {
    int32_t seconds, rest;
};

struct time64 {
    int64_t seconds;
    int64_t ns;
};

/* Access and modification, in that order, with UTIME_* in `ns`. */
struct new_times {
    struct time64 times[2];
};

static bool is_special(const struct time64 *time)
{
    return time->ns == UTIME_NOW || time->ns == UTIME_OMIT;
}

static uint64_t chosen(const struct time64 *time, uint64_t before, uint64_t now)
{
    if (time->ns == UTIME_OMIT)
        return before;
    if (time->ns == UTIME_NOW)
        return now;
    return time->seconds < 0 ? 0 : (uint64_t)time->seconds * NS_PER_SECOND + (uint64_t)time->ns;
}

static int32_t set_times(struct inode *inode, const struct new_times *new)
{
    uint64_t now = clock_wall_ns();
    for (unsigned i = 0; i < 2; i++)
        if (!is_special(&new->times[i]) &&
            (new->times[i].ns < 0 || new->times[i].ns >= (int64_t)NS_PER_SECOND))
            return -EINVAL;
    if (!memory_is_ours(inode) && inode->device != PIPE_DEVICE)
        return -EPERM;
    inode->accessed_ns = chosen(&new->times[0], inode->accessed_ns, now);
    inode->modified_ns = chosen(&new->times[1], inode->modified_ns, now);
    inode->changed_ns = now;
    return 0;
}

/* A path of 0 is the descriptor's own file. */
static int32_t set_times_at(uint32_t directory, uint32_t path, uint32_t flags,
                            const struct new_times *new)
{
    struct inode *inode = NULL;
    int32_t error = 0;
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (path != 0) {
        error = path_find_at(directory, path, flags, &inode);
    } else if (directory == HERE) {
        error = -EFAULT;
    } else {
        struct file *file = caller_file(directory);
        inode = file == NULL ? NULL : inode_hold(file->inode);
        error = file == NULL ? -EBADF : 0;
        file_drop(file);
    }
    if (error == 0)
        error = set_times(inode, new);
    inode_drop(inode);
    return error;
}

static const struct new_times times_now = {{{0, UTIME_NOW}, {0, UTIME_NOW}}};

int32_t syscall_utimensat_time64(uint32_t directory, uint32_t path, uint32_t address,
                                 uint32_t flags)
{
    struct new_times new = times_now;
    if (address != 0 && space_copy_from_user(&new, address, sizeof(new)) != 0)
        return -EFAULT;
    return set_times_at(directory, path, flags, &new);
}

/* Two times of 32 bits, whose rests count units of `ns_per_rest`. */
static int32_t set_times32(uint32_t directory, uint32_t path, uint32_t address, uint32_t flags,
                           uint32_t ns_per_rest)
{
    struct time32 times[2];
    struct new_times new = times_now;
    if (address == 0)
        return set_times_at(directory, path, flags, &new);
    if (space_copy_from_user(times, address, sizeof(times)) != 0)
        return -EFAULT;
    for (unsigned i = 0; i < 2; i++) {
        if (ns_per_rest != 1 && (times[i].rest < 0 || times[i].rest >= 1000000))
            return -EINVAL;
        new.times[i] = (struct time64){times[i].seconds, (int64_t)times[i].rest * ns_per_rest};
    }
    return set_times_at(directory, path, flags, &new);
}

int32_t syscall_utimensat(uint32_t directory, uint32_t path, uint32_t address, uint32_t flags)
{
    return set_times32(directory, path, address, flags, 1);
}

int32_t syscall_futimesat(uint32_t directory, uint32_t path, uint32_t address)
{
    return set_times32(directory, path, address, 0, 1000);
}

int32_t syscall_utimes(uint32_t path, uint32_t address)
{
    return set_times32(HERE, path, address, 0, 1000);
}

int32_t syscall_utime(uint32_t path, uint32_t address)
{
    int32_t seconds[2];
    struct new_times new = times_now;
    if (address != 0) {
        if (space_copy_from_user(seconds, address, sizeof(seconds)) != 0)
            return -EFAULT;
        new = (struct new_times){{{seconds[0], 0}, {seconds[1], 0}}};
    }
    return set_times_at(HERE, path, 0, &new);
}

/* ---- file systems ---- */

#define TMPFS_MAGIC  0x01021994u
#define PROC_MAGIC   0x9FA0u
#define PIPEFS_MAGIC 0x50495045u

struct statfs32 {
    uint32_t kind, block_size, blocks, free, available, files, free_files, id[2], name_length,
        fragment_size, flags, spare[4];
};

struct statfs64 {
    uint32_t kind, block_size;
    uint64_t blocks, free, available, files, free_files;
    uint32_t id[2], name_length, fragment_size, flags, spare[4];
} __attribute__((packed, aligned(4)));

_Static_assert(sizeof(struct statfs32) == 64 && sizeof(struct statfs64) == 84, "Linux's layouts");

/* Free is what the quota leaves; available, what could be promised now. */
static struct statfs64 statfs_of(const struct inode *inode)
{
    struct memory_usage usage;
    struct statfs64 statfs = {.block_size = BLOCK_SIZE,
                              .fragment_size = BLOCK_SIZE,
                              .id = {inode->device},
                              .name_length = NAME_MAX};
    statfs.kind = inode->device == PIPE_DEVICE ? PIPEFS_MAGIC : PROC_MAGIC;
    if (!memory_is_ours(inode))
        return statfs;
    memory_read_usage(&usage);
    uint32_t charged = commit_charged_pages(), limit = commit_limit_pages();
    uint32_t left = limit > charged ? limit - charged : 0;
    statfs.kind = TMPFS_MAGIC;
    statfs.blocks = usage.limits.pages;
    statfs.free = usage.limits.pages - usage.pages;
    statfs.available = statfs.free < left ? statfs.free : left;
    statfs.files = usage.limits.inodes;
    statfs.free_files = usage.limits.inodes - usage.inodes;
    return statfs;
}

static int32_t put_statfs64(const struct inode *inode, uint32_t address)
{
    struct statfs64 statfs = statfs_of(inode);
    return space_copy_to_user(address, &statfs, sizeof(statfs));
}

static int32_t put_statfs32(const struct inode *inode, uint32_t address)
{
    struct statfs64 all = statfs_of(inode);
    struct statfs32 statfs = {
        .kind = all.kind,
        .block_size = all.block_size,
        .blocks = (uint32_t)all.blocks,
        .free = (uint32_t)all.free,
        .available = (uint32_t)all.available,
        .files = (uint32_t)all.files,
        .free_files = (uint32_t)all.free_files,
        .id = {all.id[0]},
        .name_length = all.name_length,
        .fragment_size = all.fragment_size,
    };
    return space_copy_to_user(address, &statfs, sizeof(statfs));
}

int32_t syscall_statfs64(uint32_t path, uint32_t size, uint32_t address)
{
    if (size != sizeof(struct statfs64))
        return -EINVAL;
    return stat_path(HERE, path, 0, address, put_statfs64);
}

int32_t syscall_fstatfs64(uint32_t descriptor, uint32_t size, uint32_t address)
{
    if (size != sizeof(struct statfs64))
        return -EINVAL;
    return stat_descriptor(descriptor, address, put_statfs64);
}

int32_t syscall_statfs(uint32_t path, uint32_t address)
{
    return stat_path(HERE, path, 0, address, put_statfs32);
}

int32_t syscall_fstatfs(uint32_t descriptor, uint32_t address)
{
    return stat_descriptor(descriptor, address, put_statfs32);
}
