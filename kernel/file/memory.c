#include "kernel/file/memory.h"

#include "kernel/file/memory_internal.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/platform.h"

struct memory_usage memory_usage;

static struct memory_inode *first_inode; /* changed without preemption */
static uint64_t next_number = 1;
static struct memory_directory *root;

static const struct inode_operations directory_inode_operations;
static const struct inode_operations link_inode_operations;
static const struct inode_operations device_inode_operations;

/* ---- inodes ---- */

int memory_enlist(struct memory_inode *inode)
{
    int error = -ENOSPC;
    preempt_disable();
    if (memory_usage.inodes < memory_usage.limits.inodes) {
        memory_usage.inodes++;
        inode->inode.device = MEMORY_DEVICE;
        inode->inode.number = next_number++;
        inode->previous = NULL;
        inode->next = first_inode;
        if (first_inode != NULL)
            first_inode->previous = inode;
        first_inode = inode;
        error = 0;
    }
    preempt_enable();
    return error;
}

void memory_forget(struct inode *inode)
{
    struct memory_inode *base = CONTAINER_OF(inode, struct memory_inode, inode);
    preempt_disable();
    memory_usage.inodes--;
    if (base->previous != NULL)
        base->previous->next = base->next;
    else
        first_inode = base->next;
    if (base->next != NULL)
        base->next->previous = base->previous;
    preempt_enable();
    kfree(base);
}

static struct inode *make(size_t bytes, const struct inode_operations *operations, uint32_t mode)
{
    struct memory_inode *base = kcalloc(1, bytes);
    if (base == NULL)
        return NULL;
    inode_init(&base->inode, operations, mode);
    if (memory_enlist(base) == 0)
        return &base->inode;
    kfree(base);
    return NULL;
}

static struct inode *make_file(uint32_t mode)
{
    struct inode *inode = make(sizeof(struct memory_file), &memory_file_inode_operations, mode);
    if (inode != NULL)
        memory_file_prepare(memory_file_of(inode));
    return inode;
}

static struct inode *make_of_kind(uint32_t mode, uint32_t special)
{
    struct inode *inode;
    switch (mode & S_IFMT) {
    case S_IFREG:
        return make_file(mode);
    case S_IFDIR:
        return make(sizeof(struct memory_directory), &directory_inode_operations, mode);
    default:
        inode = make(sizeof(struct memory_inode), &device_inode_operations, mode);
        if (inode != NULL)
            inode->special = special;
        return inode;
    }
}

/* ---- directories ---- */

static struct memory_directory *directory_of(struct inode *inode)
{
    return CONTAINER_OF(inode, struct memory_directory, base.inode);
}

static bool is_our_directory(const struct inode *inode)
{
    return inode->operations == &directory_inode_operations;
}

bool memory_is_ours(const struct inode *inode)
{
    return inode->device == MEMORY_DEVICE;
}

/* One name more, for an inode that gains a link by it. -ENOENT: the directory was removed. */
static int enter(struct inode *directory, const char *name, uint32_t length, struct inode *inode)
{
    if (directory->links == 0)
        return -ENOENT;
    struct name *storage = kmalloc(names_entry_bytes(length));
    if (storage == NULL)
        return -ENOSPC;
    names_add(&directory_of(directory)->names, storage, name, length, inode);
    inode->links++;
    inode->parent = directory;
    if (inode_is_directory(inode)) {
        inode->links++; /* its own "." */
        directory->links++;
    }
    inode_touch_modified(directory);
    return 0;
}

/* The name goes; the inode loses the links that it had by it. */
static void leave(struct inode *directory, struct name *name)
{
    struct inode *inode = inode_hold(name->inode);
    names_remove(&directory_of(directory)->names, name);
    kfree(name);
    inode->links--;
    if (inode->parent == directory)
        inode->parent = NULL;
    if (inode_is_directory(inode)) {
        inode->links--;
        directory->links--;
    }
    inode_touch_changed(inode);
    inode_touch_modified(directory);
    inode_drop(inode);
}

static struct name *find(struct inode *directory, const char *name, uint32_t length)
{
    return names_find(&directory_of(directory)->names, name, length);
}

static int directory_lookup(struct inode *directory, const char *name, uint32_t length,
                            struct inode **found)
{
    struct name *entry = find(directory, name, length);
    if (entry == NULL)
        return -ENOENT;
    *found = inode_hold(entry->inode);
    return 0;
}

static int directory_visit(struct inode *directory, uint64_t cookie, inode_visitor visit,
                           void *context)
{
    const struct names *names = &directory_of(directory)->names;
    for (const struct name *name; (name = names_after(names, cookie)) != NULL;) {
        struct inode_entry entry = {name->text, name->length, name->inode->number, name->key,
                                    name->inode->mode & S_IFMT};
        cookie = name->key;
        if (!visit(context, &entry))
            break;
    }
    return 0;
}

/* Names a new inode, or lets it go again. */
static int enter_new(struct inode *directory, const char *name, uint32_t length,
                     struct inode *inode, struct inode **made)
{
    if (inode == NULL)
        return -ENOSPC;
    int error = enter(directory, name, length, inode);
    if (error != 0 || made == NULL)
        inode_drop(inode);
    else
        *made = inode;
    return error;
}

static int directory_create(struct inode *directory, const char *name, uint32_t length,
                            uint32_t mode, uint32_t special, struct inode **made)
{
    if (find(directory, name, length) != NULL)
        return -EEXIST;
    return enter_new(directory, name, length, make_of_kind(mode, special), made);
}

static int directory_symlink(struct inode *directory, const char *name, uint32_t length,
                             const char *target)
{
    size_t bytes = strlen(target);
    if (find(directory, name, length) != NULL)
        return -EEXIST;
    struct inode *inode =
        make(sizeof(struct memory_link) + bytes + 1, &link_inode_operations, S_IFLNK | 0777);
    if (inode != NULL) {
        memcpy(CONTAINER_OF(inode, struct memory_link, base.inode)->target, target, bytes + 1);
        inode->size = bytes;
    }
    return enter_new(directory, name, length, inode, NULL);
}

static int directory_link(struct inode *directory, const char *name, uint32_t length,
                          struct inode *inode)
{
    if (find(directory, name, length) != NULL)
        return -EEXIST;
    if (inode->device != directory->device)
        return -EXDEV;
    if (inode->links == 0)
        return -ENOENT;
    int error = enter(directory, name, length, inode);
    if (error == 0)
        inode_touch_changed(inode);
    return error;
}

static int directory_unlink(struct inode *directory, const char *name, uint32_t length)
{
    struct name *entry = find(directory, name, length);
    if (entry == NULL)
        return -ENOENT;
    if (inode_is_directory(entry->inode))
        return -EISDIR;
    leave(directory, entry);
    return 0;
}

/* Whether a directory may lose its name: 0, -ENOTEMPTY, -EBUSY (another file system's root). */
static int may_remove(struct inode *directory)
{
    if (!is_our_directory(directory) || directory == &root->base.inode)
        return -EBUSY;
    return directory_of(directory)->names.count == 0 ? 0 : -ENOTEMPTY;
}

static int directory_rmdir(struct inode *directory, const char *name, uint32_t length)
{
    struct name *entry = find(directory, name, length);
    if (entry == NULL)
        return -ENOENT;
    if (!inode_is_directory(entry->inode))
        return -ENOTDIR;
    int error = may_remove(entry->inode);
    if (error == 0)
        leave(directory, entry);
    return error;
}

/* ---- rename ---- */

static bool is_below(const struct inode *inode, const struct inode *above)
{
    for (;; inode = inode->parent) {
        if (inode == above)
            return true;
        if (inode == NULL || inode->parent == inode)
            return false;
    }
}

/* Whether what stands under the new name may give way to the old one. */
static int may_replace(const struct inode *old, struct inode *present)
{
    if (inode_is_directory(present)) {
        if (!inode_is_directory(old))
            return -EISDIR;
        return may_remove(present);
    }
    return inode_is_directory(old) ? -ENOTDIR : 0;
}

/* A directory that changes its place takes the link of its ".." along. */
static void move_parent(struct inode *inode, struct inode *from, struct inode *to)
{
    inode->parent = to;
    if (!inode_is_directory(inode))
        return;
    from->links--;
    to->links++;
}

static int exchange(struct inode *from, struct name *old, struct inode *to, struct name *new)
{
    struct inode *moved = old->inode;
    if (new == NULL)
        return -ENOENT;
    if (is_below(from, new->inode) || !memory_is_ours(new->inode))
        return is_below(from, new->inode) ? -EINVAL : -EBUSY;
    move_parent(moved, from, to);
    move_parent(new->inode, to, from);
    old->inode = new->inode;
    new->inode = moved;
    inode_touch_modified(from);
    inode_touch_modified(to);
    return 0;
}

/* Checks of a rename that are the same for both kinds. */
static int may_rename(struct inode *old, const struct inode *to)
{
    if (!memory_is_ours(old))
        return -EBUSY;
    if (to->links == 0)
        return -ENOENT;
    return inode_is_directory(old) && is_below(to, old) ? -EINVAL : 0;
}

static int directory_rename(struct inode *from, const char *old_name, uint32_t old_length,
                            struct inode *to, const char *new_name, uint32_t new_length,
                            uint32_t flags)
{
    struct name *old = find(from, old_name, old_length);
    struct name *new = find(to, new_name, new_length);
    if (old == NULL)
        return -ENOENT;
    int error = may_rename(old->inode, to);
    if (error != 0)
        return error;
    if (flags & RENAME_EXCHANGE)
        return exchange(from, old, to, new);
    if (new != NULL && (flags & RENAME_NOREPLACE))
        return -EEXIST;
    if (new != NULL &&new->inode == old->inode)
        return 0;
    error = new != NULL ? may_replace(old->inode, new->inode) : 0;
    if (error != 0)
        return error;
    struct inode *moved = inode_hold(old->inode);
    error = enter(to, new_name, new_length, moved);
    if (error == 0) {
        if (new != NULL)
            leave(to, new);
        leave(from, find(from, old_name, old_length));
        moved->parent = to;
    }
    inode_drop(moved);
    return error;
}

static void destroy_plain(struct inode *inode)
{
    memory_forget(inode);
}

static int open_directory(struct inode *inode, struct file *file)
{
    (void)inode;
    file->operations = &directory_operations;
    file->traits |= FILE_CAN_SEEK;
    return 0;
}

static const struct inode_operations directory_inode_operations = {
    .lookup = directory_lookup,
    .visit = directory_visit,
    .create = directory_create,
    .symlink = directory_symlink,
    .link = directory_link,
    .unlink = directory_unlink,
    .rmdir = directory_rmdir,
    .rename = directory_rename,
    .open = open_directory,
    .destroy = destroy_plain,
};

/* ---- symbolic links, devices and FIFOs ---- */

static int link_read(struct inode *inode, char *buffer, uint32_t size)
{
    uint32_t bytes = inode->size < size ? (uint32_t)inode->size : size;
    memcpy(buffer, CONTAINER_OF(inode, struct memory_link, base.inode)->target, bytes);
    return (int)bytes;
}

static const struct inode_operations link_inode_operations = {
    .readlink = link_read,
    .destroy = destroy_plain,
};

static int open_special(struct inode *inode, struct file *file)
{
    switch (inode->mode & S_IFMT) {
    case S_IFCHR:
        return device_open(inode, file);
    case S_IFIFO:
        return pipe_open(inode, file);
    default:
        return -ENXIO;
    }
}

static const struct inode_operations device_inode_operations = {
    .open = open_special,
    .destroy = destroy_plain,
};

/* ---- the whole ---- */

int memory_files_init(const struct memory_limits *limits)
{
    memory_usage = (struct memory_usage){.limits = *limits};
    first_inode = NULL;
    struct inode *inode = make_of_kind(S_IFDIR | 0755, 0);
    if (inode == NULL)
        return -ENOMEM;
    root = directory_of(inode);
    inode->links = 2;
    inode->parent = inode;
    return 0;
}

struct inode *memory_root(void)
{
    return &root->base.inode;
}

void memory_read_usage(struct memory_usage *usage)
{
    *usage = memory_usage;
}

void memory_set_content(struct inode *inode, const struct memory_content *content)
{
    struct memory_file *file = memory_file_of(inode);
    MEMORY_ASSERT(inode->operations == &memory_file_inode_operations && inode->size == 0);
    inode->size = content->bytes;
    file->content = content->content;
    file->content_bytes = content->bytes;
    file->archive_first = content->first;
    file->archive_pages = content->mappable_pages;
}

void memory_map_last_page(struct inode *inode)
{
    memory_file_of(inode)->archive_pages++;
}

int memory_mount(struct inode *directory, const char *name, uint32_t length, struct inode *mounted)
{
    if (find(directory, name, length) != NULL)
        return -EEXIST;
    return enter(directory, name, length, mounted);
}

/* Links that names in directories account for. */
static void count_links(void)
{
    for (struct memory_inode *at = first_inode; at != NULL; at = at->next)
        at->counted_links = at == &root->base ? 2 : 0;
    for (struct memory_inode *at = first_inode; at != NULL; at = at->next) {
        if (!is_our_directory(&at->inode))
            continue;
        const struct names *names = &directory_of(&at->inode)->names;
        for (struct name *name = names_after(names, 0); name != NULL;
             name = names_after(names, name->key)) {
            bool is_directory = inode_is_directory(name->inode);
            at->counted_links += is_directory;
            if (memory_is_ours(name->inode))
                CONTAINER_OF(name->inode, struct memory_inode, inode)->counted_links +=
                    1 + is_directory;
        }
    }
}

static void check_inode(struct memory_inode *at, struct check *check)
{
    unsigned number = (unsigned)at->inode.number;
    if (at->inode.links != at->counted_links)
        check_fault(check, "file %u has %u links, and names account for %u", number,
                    at->inode.links, at->counted_links);
    if (at->inode.links == 0 && at->inode.references == 0)
        check_fault(check, "file %u has neither names nor handles", number);
    uint32_t users = (uint32_t)(at->inode.writers < 0 ? -at->inode.writers : at->inode.writers);
    if (users > at->inode.references)
        check_fault(check, "file %u is written or run by %u, and held by %u", number, users,
                    at->inode.references);
    if (is_our_directory(&at->inode)) {
        const char *problem = names_problem(&directory_of(&at->inode)->names);
        if (problem != NULL)
            check_fault(check, "directory %u: %s", number, problem);
    }
    if (at->inode.operations == &memory_file_inode_operations)
        memory_file_check(memory_file_of(&at->inode), check);
}

void memory_files_check(struct check *check)
{
    uint32_t inodes = 0, pages = 0;
    count_links();
    for (struct memory_inode *at = first_inode; at != NULL; at = at->next) {
        inodes++;
        if (at->inode.operations == &memory_file_inode_operations)
            pages += memory_file_of(&at->inode)->charged;
        check_inode(at, check);
    }
    if (inodes != memory_usage.inodes || pages != memory_usage.pages)
        check_fault(check, "files use %u inodes and %u pages, and %u and %u are counted", inodes,
                    pages, memory_usage.inodes, memory_usage.pages);
}
