#include "kernel/file/path.h"

#include "kernel/file/internal.h"
#include "kernel/file/memory.h"
#include "kernel/file/walk.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"

/* ---- contexts ---- */

struct path_context *path_context_create(void)
{
    struct path_context *context = kmalloc(sizeof(*context));
    if (context != NULL)
        *context = (struct path_context){.references = 1,
                                         .mask = 022,
                                         .root = inode_hold(memory_root()),
                                         .directory = inode_hold(memory_root())};
    return context;
}

struct path_context *path_context_clone(struct path_context *context)
{
    struct path_context *clone = kmalloc(sizeof(*clone));
    if (clone == NULL)
        return NULL;
    mutex_lock(&file_tree_lock);
    *clone = (struct path_context){.references = 1,
                                   .mask = context->mask,
                                   .root = inode_hold(context->root),
                                   .directory = inode_hold(context->directory)};
    mutex_unlock(&file_tree_lock);
    return clone;
}

struct path_context *path_context_hold(struct path_context *context)
{
    __atomic_add_fetch(&context->references, 1, __ATOMIC_RELAXED);
    return context;
}

uint32_t path_context_references(const struct path_context *context)
{
    return context->references;
}

void path_context_drop(struct path_context *context)
{
    if (context == NULL || __atomic_sub_fetch(&context->references, 1, __ATOMIC_RELAXED) != 0)
        return;
    inode_drop(context->root);
    inode_drop(context->directory);
    kfree(context);
}

uint32_t path_set_mask(struct path_context *context, uint32_t mask)
{
    uint32_t before = context->mask;
    context->mask = mask & 0777;
    return before;
}

static int replace(struct inode **place, struct inode *directory)
{
    if (!inode_is_directory(directory))
        return -ENOTDIR;
    mutex_lock(&file_tree_lock);
    struct inode *before = *place;
    *place = inode_hold(directory);
    mutex_unlock(&file_tree_lock);
    inode_drop(before);
    return 0;
}

int path_change_directory(struct path_context *context, struct inode *directory)
{
    return replace(&context->directory, directory);
}

int path_change_root(struct path_context *context, struct inode *directory)
{
    return replace(&context->root, directory);
}

static struct inode *hold_locked(struct inode **place)
{
    mutex_lock(&file_tree_lock);
    struct inode *inode = inode_hold(*place);
    mutex_unlock(&file_tree_lock);
    return inode;
}

struct inode *path_working_directory(struct path_context *context)
{
    return hold_locked(&context->directory);
}

struct inode *path_root(struct path_context *context)
{
    return hold_locked(&context->root);
}

/* ---- finding ---- */

int path_find(struct path_context *context, struct inode *base, const char *path, uint32_t flags,
              struct inode **found)
{
    struct walk walk;
    mutex_lock(&file_tree_lock);
    int error = walk_begin(&walk, context, base, path);
    if (error == 0)
        error = walk_to_end(&walk, flags);
    if (error == 0)
        *found = inode_hold(walk.at);
    walk_end(&walk);
    mutex_unlock(&file_tree_lock);
    return error;
}

/* Goes to the parent of what a call is about to change. Names that cannot be given or taken are
 * refused with `dots_error`. */
static int begin_change(struct walk *walk, struct path_context *context, struct inode *base,
                        const char *path, int dots_error)
{
    int error = walk_begin(walk, context, base, path);
    if (error == 0)
        error = walk_to_parent(walk);
    if (error == 0 && (walk->length == 0 || walk_is_dots(walk)))
        error = dots_error;
    return error;
}

static bool has_entry(struct walk *walk)
{
    struct inode *found;
    if (walk_look(walk, &found) != 0)
        return false;
    inode_drop(found);
    return true;
}

/* ---- open ---- */

static bool is_link(const struct inode *inode)
{
    return (inode->mode & S_IFMT) == S_IFLNK;
}

/* After walk_to_parent, O_CREAT: the inode that is there, or a new one. Links at the end are
 * followed, also those that lead to nothing yet. */
static int find_or_create(struct walk *walk, uint32_t flags, uint32_t mode, struct inode **found)
{
    for (;;) {
        int error = walk_look(walk, found);
        if (error == -ENOENT && walk->at->operations->create == NULL)
            return walk->at->links == 0 ? -ENOENT : -EACCES;
        if (error == -ENOENT && walk->has_slash)
            return -EISDIR;
        if (error == -ENOENT)
            return walk->at->operations->create(walk->at, walk->name, walk->length,
                                                S_IFREG | (mode & 07777 & ~walk->context->mask), 0,
                                                found);
        if (error != 0)
            return error;
        if (flags & O_EXCL)
            error = -EEXIST;
        else if (is_link(*found) && (flags & O_NOFOLLOW))
            error = -ELOOP;
        else if (!is_link(*found))
            return 0;
        else
            error = walk_through(walk, *found);
        inode_drop(*found);
        if (error != 0)
            return error;
    }
}

static int find_to_open(struct path_context *context, struct inode *base, const char *path,
                        uint32_t flags, uint32_t mode, struct inode **found)
{
    struct walk walk;
    if (!(flags & O_CREAT))
        return path_find(context, base, path,
                         (flags & O_NOFOLLOW ? 0 : PATH_FOLLOW) |
                             (flags & O_DIRECTORY ? PATH_DIRECTORY : 0),
                         found);
    mutex_lock(&file_tree_lock);
    int error = walk_begin(&walk, context, base, path);
    if (error == 0)
        error = walk_to_parent(&walk);
    if (error == 0)
        error = find_or_create(&walk, flags, mode, found);
    walk_end(&walk);
    mutex_unlock(&file_tree_lock);
    return error;
}

static int check_open(const struct inode *inode, uint32_t flags)
{
    bool may_write = (flags & O_ACCMODE) != O_RDONLY;
    if (flags & O_PATH)
        return 0;
    if (is_link(inode))
        return -ELOOP;
    if (inode_is_directory(inode) && (may_write || (flags & O_CREAT)))
        return -EISDIR;
    return 0;
}

/* O_TRUNC writes, even if it is opened for reading alone. */
static int cut(struct inode *inode)
{
    int error = inode_begin_writing(inode);
    if (error != 0)
        return error;
    error = inode->operations->truncate(inode, 0);
    inode_end_writing(inode);
    return error;
}

/* The prepared file goes if that fails. */
static int open_found(struct inode *inode, uint32_t flags, struct file *file)
{
    int error = check_open(inode, flags);
    if (error == 0)
        error = file_open_inode(inode, file);
    if (error != 0) {
        file_discard(file);
        return error;
    }
    if ((flags & O_TRUNC) && inode_is_regular(inode) && inode->operations->truncate != NULL)
        error = cut(inode);
    if (error != 0)
        file_drop(file);
    return error;
}

int path_open(struct path_context *context, struct inode *base, const char *path, uint32_t flags,
              uint32_t mode, struct file **opened)
{
    struct inode *inode;
    if ((flags & O_TMPFILE) == O_TMPFILE)
        return -EOPNOTSUPP;
    if ((flags & O_CREAT) && (flags & O_DIRECTORY))
        return -EINVAL;
    if (flags & O_PATH)
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct file *file = file_prepare(flags); /* before the name is made that it is for */
    if (file == NULL)
        return -ENOMEM;
    int error = find_to_open(context, base, path, flags, mode, &inode);
    if (error != 0) {
        file_discard(file);
        return error;
    }
    error = open_found(inode, flags, file);
    if (error == 0)
        *opened = file;
    inode_drop(inode);
    return error;
}

int path_open_program(struct path_context *context, const char *path, struct file **opened)
{
    struct inode *inode;
    struct file *file = NULL;
    int error = path_find(context, NULL, path, PATH_FOLLOW, &inode);
    if (error != 0)
        return error;
    if (!inode_is_regular(inode) || !(inode->mode & 0111))
        error = -EACCES;
    if (error == 0 && (file = file_prepare(O_RDONLY)) == NULL)
        error = -ENOMEM;
    if (error == 0)
        error = inode_begin_running(inode);
    if (error == 0) {
        error = file_open_inode(inode, file);
        if (error != 0)
            inode_end_running(inode);
    }
    if (error == 0) {
        file->traits |= FILE_IS_PROGRAM;
        *opened = file;
    } else {
        file_discard(file);
    }
    inode_drop(inode);
    return error;
}

/* ---- changes ---- */

static int make_locked(struct walk *walk, uint32_t mode, uint32_t special)
{
    struct inode *made;
    struct inode *at = walk->at;
    if (has_entry(walk))
        return -EEXIST;
    if (walk->has_slash && (mode & S_IFMT) != S_IFDIR)
        return -ENOENT;
    if (at->operations->create == NULL)
        return -EPERM;
    uint32_t permissions = mode & 07777 & ~walk->context->mask;
    int error = at->operations->create(at, walk->name, walk->length, (mode & S_IFMT) | permissions,
                                       special, &made);
    if (error == 0)
        inode_drop(made);
    return error;
}

int path_mknod(struct path_context *context, struct inode *base, const char *path, uint32_t mode,
               uint32_t special)
{
    struct walk walk;
    mutex_lock(&file_tree_lock);
    int error = begin_change(&walk, context, base, path, -EEXIST);
    if (error == 0)
        error = make_locked(&walk, mode, special);
    walk_end(&walk);
    mutex_unlock(&file_tree_lock);
    return error;
}

static int symlink_locked(struct walk *walk, const char *target)
{
    if (has_entry(walk))
        return -EEXIST;
    if (walk->has_slash)
        return -ENOENT;
    if (walk->at->operations->symlink == NULL)
        return -EPERM;
    return walk->at->operations->symlink(walk->at, walk->name, walk->length, target);
}

int path_symlink(struct path_context *context, const char *target, struct inode *base,
                 const char *path)
{
    struct walk walk;
    if (*target == '\0')
        return -ENOENT;
    mutex_lock(&file_tree_lock);
    int error = begin_change(&walk, context, base, path, -EEXIST);
    if (error == 0)
        error = symlink_locked(&walk, target);
    walk_end(&walk);
    mutex_unlock(&file_tree_lock);
    return error;
}

static int link_locked(struct walk *walk, struct inode *inode)
{
    if (has_entry(walk))
        return -EEXIST;
    if (walk->has_slash)
        return -ENOENT;
    if (inode_is_directory(inode))
        return -EPERM;
    if (walk->at->operations->link == NULL)
        return -EXDEV;
    return walk->at->operations->link(walk->at, walk->name, walk->length, inode);
}

int path_link(struct path_context *context, struct inode *old_base, const char *old_path,
              uint32_t flags, struct inode *new_base, const char *new_path)
{
    struct walk walk;
    struct inode *inode;
    int error = path_find(context, old_base, old_path, flags, &inode);
    if (error != 0)
        return error;
    mutex_lock(&file_tree_lock);
    error = begin_change(&walk, context, new_base, new_path, -EEXIST);
    if (error == 0)
        error = link_locked(&walk, inode);
    walk_end(&walk);
    mutex_unlock(&file_tree_lock);
    inode_drop(inode);
    return error;
}

static int unlink_locked(struct walk *walk)
{
    struct inode *found;
    int error = walk_look(walk, &found);
    if (error != 0)
        return error;
    if (walk->has_slash)
        error = inode_is_directory(found) ? -EISDIR : -ENOTDIR;
    else if (walk->at->operations->unlink == NULL)
        error = inode_is_directory(found) ? -EISDIR : -EPERM;
    inode_drop(found);
    return error != 0 ? error : walk->at->operations->unlink(walk->at, walk->name, walk->length);
}

int path_unlink(struct path_context *context, struct inode *base, const char *path)
{
    struct walk walk;
    mutex_lock(&file_tree_lock);
    int error = begin_change(&walk, context, base, path, -EISDIR);
    if (error == 0)
        error = unlink_locked(&walk);
    walk_end(&walk);
    mutex_unlock(&file_tree_lock);
    return error;
}

static int rmdir_locked(struct walk *walk)
{
    if (!has_entry(walk))
        return -ENOENT;
    if (walk->at->operations->rmdir == NULL)
        return -EPERM;
    return walk->at->operations->rmdir(walk->at, walk->name, walk->length);
}

/* What rmdir says of names that are no entry: "/" is in use, "." cannot be, ".." is not empty. */
static int rmdir_dots_error(const struct walk *walk)
{
    if (walk->length == 0)
        return -EBUSY;
    if (!walk_is_dots(walk))
        return 0;
    return walk->length == 1 ? -EINVAL : -ENOTEMPTY;
}

int path_rmdir(struct path_context *context, struct inode *base, const char *path)
{
    struct walk walk;
    mutex_lock(&file_tree_lock);
    int error = walk_begin(&walk, context, base, path);
    if (error == 0)
        error = walk_to_parent(&walk);
    if (error == 0)
        error = rmdir_dots_error(&walk);
    if (error == 0)
        error = rmdir_locked(&walk);
    walk_end(&walk);
    mutex_unlock(&file_tree_lock);
    return error;
}

static int rename_locked(struct walk *from, struct walk *to, uint32_t flags)
{
    struct inode *old;
    if (from->at->device != to->at->device)
        return -EXDEV;
    int error = walk_look(from, &old);
    if (error != 0)
        return error;
    bool is_directory = inode_is_directory(old);
    inode_drop(old);
    if (!is_directory && (from->has_slash || to->has_slash))
        return -ENOTDIR;
    if (from->at->operations->rename == NULL)
        return -EPERM;
    return from->at->operations->rename(from->at, from->name, from->length, to->at, to->name,
                                        to->length, flags);
}

int path_rename(struct path_context *context, struct inode *old_base, const char *old_path,
                struct inode *new_base, const char *new_path, uint32_t flags)
{
    struct walk from, to;
    if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0 ||
        flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
        return -EINVAL;
    mutex_lock(&file_tree_lock);
    int error = begin_change(&from, context, old_base, old_path, -EBUSY);
    if (error == 0) {
        error = begin_change(&to, context, new_base, new_path,
                             flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY);
        if (error == 0)
            error = rename_locked(&from, &to, flags);
        walk_end(&to);
    }
    walk_end(&from);
    mutex_unlock(&file_tree_lock);
    return error;
}

/* ---- the way back: from a directory to its path ---- */

struct name_search {
    uint64_t number;
    char *end; /* names are written in front of this */
    uint32_t room;
    bool is_found;
};

static bool take_name(void *context, const struct inode_entry *entry)
{
    struct name_search *search = context;
    if (entry->number != search->number)
        return true;
    search->is_found = true;
    if (entry->length + 1 > search->room) {
        search->room = 0;
        return false;
    }
    search->end -= entry->length;
    memcpy(search->end, entry->name, entry->length);
    *--search->end = '/';
    search->room -= entry->length + 1;
    return false;
}

/* From the end of the buffer to the front: the start of the path in it, or an error. */
static int write_path(const struct inode *root, struct inode *inode, struct name_search *search)
{
    for (; inode != root && inode->parent != inode; inode = inode->parent) {
        struct inode *parent = inode->parent;
        if (parent == NULL)
            return -ENOENT;
        search->number = inode->number;
        search->is_found = false;
        int error = parent->operations->visit(parent, 0, take_name, search);
        if (error != 0 || !search->is_found)
            return -ENOENT;
        if (search->room == 0)
            return -ERANGE;
    }
    return 0;
}

int path_of_inode(const struct inode *root, struct inode *inode, char *buffer, uint32_t size)
{
    if (size < 2)
        return -ERANGE;
    struct name_search search = {.end = buffer + size - 1, .room = size - 1};
    *search.end = '\0';
    int error = write_path(root, inode, &search);
    if (error != 0)
        return error;
    if (*search.end == '\0')
        *--search.end = '/';
    uint32_t length = (uint32_t)(buffer + size - 1 - search.end);
    memmove(buffer, search.end, length + 1);
    return (int)length;
}

int path_of_directory(struct path_context *context, struct inode *directory, char *buffer,
                      uint32_t size)
{
    mutex_lock(&file_tree_lock);
    int length = path_of_inode(context->root, directory, buffer, size);
    mutex_unlock(&file_tree_lock);
    return length;
}
