#include "kernel/file/internal.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/space/usercopy.h"
#include "kernel/syscall/file.h"

/* Calls that take names: open, and what changes directories. */

#define HERE ((uint32_t)AT_FDCWD)

struct path_text path_text_get(uint32_t address)
{
    struct path_text path = {kmalloc(PATH_MAX), 0};
    if (path.text == NULL)
        return (struct path_text){NULL, -ENOMEM};
    int32_t length = space_string_from_user(path.text, address, PATH_MAX);
    if (length < 0) {
        path.error = length;
        kfree(path.text);
        path.text = NULL;
    }
    return path;
}

void path_text_put(struct path_text *path)
{
    kfree(path->text);
}

struct path_base path_base_get(uint32_t descriptor, const char *path)
{
    if (descriptor == HERE || path[0] == '/')
        return (struct path_base){NULL, 0};
    struct file *file = caller_file(descriptor);
    if (file == NULL)
        return (struct path_base){NULL, -EBADF};
    struct path_base base = {inode_hold(file->inode), 0};
    file_drop(file);
    if (!inode_is_directory(base.base) && path[0] != '\0') {
        inode_drop(base.base);
        base = (struct path_base){NULL, -ENOTDIR};
    }
    return base;
}

int path_find_at(uint32_t descriptor, uint32_t address, uint32_t flags, struct inode **found)
{
    struct path_text path = path_text_get(address);
    if (path.error != 0)
        return path.error;
    struct path_base base = path_base_get(descriptor, path.text);
    int error = base.error;
    if (error == 0 && path.text[0] == '\0' && (flags & AT_EMPTY_PATH))
        *found = base.base != NULL ? inode_hold(base.base) : path_working_directory(caller_paths());
    else if (error == 0)
        error = path_find(caller_paths(), base.base, path.text,
                          flags & AT_SYMLINK_NOFOLLOW ? 0 : PATH_FOLLOW, found);
    inode_drop(base.base);
    path_text_put(&path);
    return error;
}

/* ---- open and close ---- */

static int32_t open_text(uint32_t directory, const char *path, uint32_t flags, uint32_t mode)
{
    struct file *file;
    struct path_base base = path_base_get(directory, path);
    int32_t error = base.error;
    if (error == 0)
        error = file_table_prepare(caller_files());
    if (error == 0)
        error = path_open(caller_paths(), base.base, path, flags, mode, &file);
    inode_drop(base.base);
    if (error != 0)
        return error;
    int32_t descriptor =
        file_table_add(caller_files(), file, 0, flags & O_CLOEXEC ? FD_CLOEXEC : 0);
    if (descriptor < 0)
        file_drop(file);
    return descriptor;
}

int32_t syscall_openat(uint32_t directory, uint32_t address, uint32_t flags, uint32_t mode)
{
    struct path_text path = path_text_get(address);
    if (path.error != 0)
        return path.error;
    int32_t descriptor = open_text(directory, path.text, flags, mode);
    path_text_put(&path);
    return restartable(descriptor);
}

int32_t syscall_open(uint32_t path, uint32_t flags, uint32_t mode)
{
    return syscall_openat(HERE, path, flags, mode);
}

int32_t syscall_creat(uint32_t path, uint32_t mode)
{
    return syscall_openat(HERE, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int32_t syscall_close(uint32_t descriptor)
{
    return file_table_close(caller_files(), descriptor);
}

/* ---- one path ---- */

/* What a call does with one path: `change` has the context and two numbers. */
typedef int (*path_change)(struct inode *base, const char *path, uint32_t first, uint32_t second);

static int32_t change_path(uint32_t directory, uint32_t address, path_change change, uint32_t first,
                           uint32_t second)
{
    struct path_text path = path_text_get(address);
    if (path.error != 0)
        return path.error;
    struct path_base base = path_base_get(directory, path.text);
    int32_t error = base.error;
    if (error == 0)
        error = change(base.base, path.text, first, second);
    inode_drop(base.base);
    path_text_put(&path);
    return error;
}

static int make_node(struct inode *base, const char *path, uint32_t mode, uint32_t special)
{
    return path_mknod(caller_paths(), base, path, mode, special);
}

int32_t syscall_mknodat(uint32_t directory, uint32_t path, uint32_t mode, uint32_t special)
{
    switch (mode & S_IFMT) {
    case 0:
        mode |= S_IFREG;
        break;
    case S_IFREG:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        break;
    default:
        return (mode & S_IFMT) == S_IFDIR ? -EPERM : -EINVAL;
    }
    return change_path(directory, path, make_node, mode, special);
}

int32_t syscall_mknod(uint32_t path, uint32_t mode, uint32_t special)
{
    return syscall_mknodat(HERE, path, mode, special);
}

int32_t syscall_mkdirat(uint32_t directory, uint32_t path, uint32_t mode)
{
    return change_path(directory, path, make_node, S_IFDIR | (mode & 01777), 0);
}

int32_t syscall_mkdir(uint32_t path, uint32_t mode)
{
    return syscall_mkdirat(HERE, path, mode);
}

static int remove_file(struct inode *base, const char *path, uint32_t first, uint32_t second)
{
    (void)first;
    (void)second;
    return path_unlink(caller_paths(), base, path);
}

static int remove_directory(struct inode *base, const char *path, uint32_t first, uint32_t second)
{
    (void)first;
    (void)second;
    return path_rmdir(caller_paths(), base, path);
}

int32_t syscall_unlinkat(uint32_t directory, uint32_t path, uint32_t flags)
{
    if (flags & ~AT_REMOVEDIR)
        return -EINVAL;
    return change_path(directory, path, flags & AT_REMOVEDIR ? remove_directory : remove_file, 0,
                       0);
}

int32_t syscall_unlink(uint32_t path)
{
    return change_path(HERE, path, remove_file, 0, 0);
}

int32_t syscall_rmdir(uint32_t path)
{
    return change_path(HERE, path, remove_directory, 0, 0);
}

/* ---- two paths ---- */

typedef int (*two_path_change)(struct inode *old_base, const char *old_path, struct inode *new_base,
                               const char *new_path, uint32_t flags);

static int32_t change_two_texts(uint32_t old_directory, const char *old_path,
                                uint32_t new_directory, const char *new_path,
                                two_path_change change, uint32_t flags)
{
    struct path_base old_base = path_base_get(old_directory, old_path);
    struct path_base new_base = path_base_get(new_directory, new_path);
    int32_t error = old_base.error != 0 ? old_base.error : new_base.error;
    if (error == 0)
        error = change(old_base.base, old_path, new_base.base, new_path, flags);
    inode_drop(old_base.base);
    inode_drop(new_base.base);
    return error;
}

static int32_t change_two_paths(uint32_t old_directory, uint32_t old_address,
                                uint32_t new_directory, uint32_t new_address,
                                two_path_change change, uint32_t flags)
{
    struct path_text old_path = path_text_get(old_address);
    if (old_path.error != 0)
        return old_path.error;
    struct path_text new_path = path_text_get(new_address);
    int32_t error = new_path.error;
    if (error == 0)
        error = change_two_texts(old_directory, old_path.text, new_directory, new_path.text, change,
                                 flags);
    path_text_put(&new_path);
    path_text_put(&old_path);
    return error;
}

static int link_paths(struct inode *old_base, const char *old_path, struct inode *new_base,
                      const char *new_path, uint32_t flags)
{
    return path_link(caller_paths(), old_base, old_path,
                     flags & AT_SYMLINK_FOLLOW ? PATH_FOLLOW : 0, new_base, new_path);
}

int32_t syscall_linkat(uint32_t old_directory, uint32_t old_path, uint32_t new_directory,
                       uint32_t new_path, uint32_t flags)
{
    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return change_two_paths(old_directory, old_path, new_directory, new_path, link_paths, flags);
}

int32_t syscall_link(uint32_t old_path, uint32_t new_path)
{
    return syscall_linkat(HERE, old_path, HERE, new_path, 0);
}

static int rename_paths(struct inode *old_base, const char *old_path, struct inode *new_base,
                        const char *new_path, uint32_t flags)
{
    return path_rename(caller_paths(), old_base, old_path, new_base, new_path, flags);
}

int32_t syscall_renameat2(uint32_t old_directory, uint32_t old_path, uint32_t new_directory,
                          uint32_t new_path, uint32_t flags)
{
    return change_two_paths(old_directory, old_path, new_directory, new_path, rename_paths, flags);
}

int32_t syscall_renameat(uint32_t old_directory, uint32_t old_path, uint32_t new_directory,
                         uint32_t new_path)
{
    return syscall_renameat2(old_directory, old_path, new_directory, new_path, 0);
}

int32_t syscall_rename(uint32_t old_path, uint32_t new_path)
{
    return syscall_renameat2(HERE, old_path, HERE, new_path, 0);
}

int32_t syscall_symlinkat(uint32_t target_address, uint32_t directory, uint32_t address)
{
    struct path_text target = path_text_get(target_address);
    if (target.error != 0)
        return target.error;
    struct path_text path = path_text_get(address);
    int32_t error = path.error;
    if (error == 0) {
        struct path_base base = path_base_get(directory, path.text);
        error = base.error;
        if (error == 0)
            error = path_symlink(caller_paths(), target.text, base.base, path.text);
        inode_drop(base.base);
    }
    path_text_put(&path);
    path_text_put(&target);
    return error;
}

int32_t syscall_symlink(uint32_t target, uint32_t path)
{
    return syscall_symlinkat(target, HERE, path);
}

/* ---- reading links and directories ---- */

static int32_t read_link(struct inode *inode, uint32_t buffer, uint32_t size)
{
    uint32_t room = size < PATH_MAX ? size : PATH_MAX;
    if ((inode->mode & S_IFMT) != S_IFLNK || inode->operations->readlink == NULL)
        return -EINVAL;
    char *text = kmalloc(room);
    if (text == NULL)
        return -ENOMEM;
    mutex_lock(&file_tree_lock);
    int32_t bytes = inode->operations->readlink(inode, text, room);
    mutex_unlock(&file_tree_lock);
    if (bytes > 0 && space_copy_to_user(buffer, text, (uint32_t)bytes) != 0)
        bytes = -EFAULT;
    kfree(text);
    return bytes;
}

int32_t syscall_readlinkat(uint32_t directory, uint32_t path, uint32_t buffer, uint32_t size)
{
    struct inode *inode;
    if ((int32_t)size <= 0)
        return -EINVAL;
    int32_t bytes = path_find_at(directory, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &inode);
    if (bytes != 0)
        return bytes;
    bytes = read_link(inode, buffer, size);
    inode_drop(inode);
    return bytes;
}

int32_t syscall_readlink(uint32_t path, uint32_t buffer, uint32_t size)
{
    return syscall_readlinkat(HERE, path, buffer, size);
}

/* struct linux_dirent64 */
struct dirent64 {
    uint64_t number;
    int64_t next;
    uint16_t bytes;
    uint8_t type;
    char name[];
};

#define DIRENT_HEADER  19u
#define DIRENT_PIECE   4096u
#define COOKIE_DOT     1u /* behind "." and ".."; the entries' own are above */
#define COOKIE_DOT_DOT 2u

struct dirent_buffer {
    uint8_t *bytes;
    uint32_t used, size;
    uint64_t position; /* behind the last entry that fitted */
    bool is_full;
};

static bool put_entry(void *context, const struct inode_entry *entry)
{
    struct dirent_buffer *buffer = context;
    uint32_t bytes = (DIRENT_HEADER + entry->length + 1 + 7) & ~7u;
    if (bytes > buffer->size - buffer->used) {
        buffer->is_full = true;
        return false;
    }
    struct dirent64 *dirent = (struct dirent64 *)(buffer->bytes + buffer->used);
    memset(dirent, 0, bytes);
    dirent->number = entry->number;
    dirent->next = (int64_t)entry->cookie;
    dirent->bytes = (uint16_t)bytes;
    dirent->type = (uint8_t)(entry->mode >> 12);
    memcpy(dirent->name, entry->name, entry->length);
    buffer->used += bytes;
    buffer->position = entry->cookie;
    return true;
}

/* "." and ".." come first. With the tree's lock. */
static int fill(struct inode *directory, struct dirent_buffer *buffer)
{
    if (directory->parent == NULL)
        return -ENOENT;
    struct inode_entry dot = {".", 1, directory->number, COOKIE_DOT, S_IFDIR};
    struct inode_entry dots = {"..", 2, directory->parent->number, COOKIE_DOT_DOT, S_IFDIR};
    if (buffer->position < COOKIE_DOT && !put_entry(buffer, &dot))
        return 0;
    if (buffer->position < COOKIE_DOT_DOT && !put_entry(buffer, &dots))
        return 0;
    return directory->operations->visit(
        directory, buffer->position == COOKIE_DOT_DOT ? 0 : buffer->position, put_entry, buffer);
}

static int32_t read_directory(struct file *file, uint32_t address, uint32_t size)
{
    struct dirent_buffer buffer = {.size = size < DIRENT_PIECE ? size : DIRENT_PIECE,
                                   .position = file->position};
    if (!inode_is_directory(file->inode))
        return -ENOTDIR;
    buffer.bytes = kmalloc(DIRENT_PIECE);
    if (buffer.bytes == NULL)
        return -ENOMEM;
    mutex_lock(&file_tree_lock);
    int32_t error = fill(file->inode, &buffer);
    mutex_unlock(&file_tree_lock);
    if (error == 0 && buffer.used == 0 && buffer.is_full)
        error = -EINVAL;
    if (error == 0)
        error = space_copy_to_user(address, buffer.bytes, buffer.used);
    if (error == 0)
        file->position = buffer.position;
    kfree(buffer.bytes);
    return error == 0 ? (int32_t)buffer.used : error;
}

int32_t syscall_getdents64(uint32_t descriptor, uint32_t address, uint32_t size)
{
    struct file *file = caller_file(descriptor);
    if (file == NULL || !file_is_readable(file)) {
        file_drop(file);
        return -EBADF;
    }
    int32_t bytes = read_directory(file, address, size);
    file_drop(file);
    return bytes;
}

/* ---- where the process stands ---- */

static int32_t change_to(uint32_t path, int (*change)(struct path_context *, struct inode *))
{
    struct inode *inode;
    int32_t error = path_find_at(HERE, path, 0, &inode);
    if (error != 0)
        return error;
    error = change(caller_paths(), inode);
    inode_drop(inode);
    return error;
}

int32_t syscall_chdir(uint32_t path)
{
    return change_to(path, path_change_directory);
}

int32_t syscall_chroot(uint32_t path)
{
    return change_to(path, path_change_root);
}

int32_t syscall_fchdir(uint32_t descriptor)
{
    struct file *file = caller_file(descriptor);
    if (file == NULL)
        return -EBADF;
    int32_t error = path_change_directory(caller_paths(), file->inode);
    file_drop(file);
    return error;
}

int32_t syscall_getcwd(uint32_t address, uint32_t size)
{
    char *text = kmalloc(PATH_MAX);
    if (text == NULL)
        return -ENOMEM;
    struct inode *directory = path_working_directory(caller_paths());
    int32_t length = path_of_directory(caller_paths(), directory, text, PATH_MAX);
    inode_drop(directory);
    if (length == -ERANGE)
        length = -ENAMETOOLONG;
    else if (length >= 0 && (uint32_t)length + 1 > size)
        length = -ERANGE;
    else if (length >= 0 && space_copy_to_user(address, text, (uint32_t)length + 1) != 0)
        length = -EFAULT;
    kfree(text);
    return length < 0 ? length : length + 1;
}

int32_t syscall_umask(uint32_t mask)
{
    return (int32_t)path_set_mask(caller_paths(), mask);
}

/* There is nothing to mount: what there is, is mounted. */
int32_t syscall_mount(uint32_t source, uint32_t target, uint32_t kind, uint32_t flags,
                      uint32_t data)
{
    (void)source;
    (void)target;
    (void)kind;
    (void)flags;
    (void)data;
    return -EPERM;
}

int32_t syscall_umount2(uint32_t target, uint32_t flags)
{
    (void)target;
    (void)flags;
    return -EPERM;
}

int32_t syscall_umount(uint32_t target)
{
    return syscall_umount2(target, 0);
}
