#include "kernel/file/files.h"

#include "kernel/file/archive.h"
#include "kernel/file/device.h"
#include "kernel/file/frameview.h"
#include "kernel/file/internal.h"
#include "kernel/file/memory.h"
#include "kernel/file/names.h"
#include "kernel/file/proc_internal.h"
#include "kernel/include/errors.h"
#include "kernel/include/log.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"

#define NS_PER_SECOND_64 1000000000ull
#define COMPLAINTS_MAX   8u /* lines in the log about one archive */
#define INODES_AT_LEAST  1024u

/* ---- the archive ---- */

/* What the archive's files become. Hard links are entries with one number, of which one has the
 * content; `groups` finds them again. */
struct link_group {
    struct link_group *next;
    uint32_t device, number;
    struct inode *inode;
};

struct unpacking {
    uint8_t *archive;
    frame_t first;
    uint32_t bytes;
    uint32_t complaints;
    struct link_group *groups;
    /* The file whose last page is not decided yet: what lies behind its content in that page? */
    struct memory_content last;
    struct inode *last_inode;
};

static void complain(struct unpacking *unpacking, const struct archive_entry *entry,
                     const char *problem)
{
    if (unpacking->complaints++ < COMPLAINTS_MAX)
        log_line("initial archive: \"%.64s\" at byte %u: %s", entry->name, entry->offset, problem);
}

/* One component of an entry's name, walked into or made as a directory. */
static struct inode *enter_directory(struct inode *at, const char *name, uint32_t length)
{
    struct inode *found = NULL;
    int error = at->operations->lookup(at, name, length, &found);
    if (error == -ENOENT)
        error = at->operations->create(at, name, length, S_IFDIR | 0755, 0, &found);
    inode_drop(at);
    if (error == 0 && !inode_is_directory(found)) {
        inode_drop(found);
        error = -ENOTDIR;
    }
    return error == 0 ? found : NULL;
}

static bool is_dots(const char *name, uint32_t length)
{
    return name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
}

/* The directory that an entry stands in, with a reference, and in *name its last component. NULL:
 * there is none, or a component makes no sense. */
static struct inode *find_parent(const struct archive_entry *entry, const char **name,
                                 uint32_t *length)
{
    struct inode *at = inode_hold(memory_root());
    const char *rest = entry->name;
    while (at != NULL) {
        const char *end = strchr(rest, '/');
        *name = rest;
        *length = end == NULL ? (uint32_t)strlen(rest) : (uint32_t)(end - rest);
        if (*length > NAME_MAX || (*length > 0 && is_dots(rest, *length))) {
            inode_drop(at);
            return NULL;
        }
        while (end != NULL && *end == '/')
            end++;
        if (end == NULL || *end == '\0')
            return at;
        if (*length > 0)
            at = enter_directory(at, *name, *length);
        rest = end;
    }
    return NULL;
}

static struct inode *linked_inode(const struct unpacking *unpacking,
                                  const struct archive_entry *entry)
{
    const struct link_group *group = unpacking->groups;
    while (group != NULL && (group->number != entry->inode || group->device != entry->device))
        group = group->next;
    return group == NULL ? NULL : group->inode;
}

static int remember_link(struct unpacking *unpacking, const struct archive_entry *entry,
                         struct inode *inode)
{
    struct link_group *group = kmalloc(sizeof(*group));
    if (group == NULL)
        return -ENOMEM;
    *group = (struct link_group){unpacking->groups, entry->device, entry->inode, inode_hold(inode)};
    unpacking->groups = group;
    return 0;
}

static void forget_links(struct unpacking *unpacking)
{
    for (struct link_group *group = unpacking->groups, *next; group != NULL; group = next) {
        next = group->next;
        inode_drop(group->inode);
        kfree(group);
    }
}

/*
 * The last page of a file can be mapped where it lies if nothing of another file is in it. What
 * lies there behind the content are headers, which have been read by now: they become zeros. `next`
 * is where the next content begins.
 */
static void settle_last(struct unpacking *unpacking, uint64_t next)
{
    const struct memory_content *last = &unpacking->last;
    if (unpacking->last_inode == NULL)
        return;
    uint64_t end = (uint64_t)(last->content - unpacking->archive) + last->bytes;
    uint64_t page_end = (end + FRAME_SIZE - 1) / FRAME_SIZE * FRAME_SIZE;
    if (page_end <= next) {
        memset(unpacking->archive + end, 0, (size_t)(page_end - end));
        memory_map_last_page(unpacking->last_inode);
    }
    inode_drop(unpacking->last_inode);
    unpacking->last_inode = NULL;
}

/* The entry's content becomes the inode's, unless it has one. The entry's name may be gone then. */
static void take_content(struct unpacking *unpacking, const struct archive_entry *entry,
                         struct inode *inode)
{
    bool is_aligned = entry->data % FRAME_SIZE == 0;
    struct memory_content content = {
        .content = unpacking->archive + entry->data,
        .bytes = entry->bytes,
        .first = unpacking->first + entry->data / FRAME_SIZE,
        .mappable_pages = is_aligned ? entry->bytes / FRAME_SIZE : 0,
    };
    if (entry->bytes == 0 || inode->size != 0)
        return;
    memory_set_content(inode, &content);
    settle_last(unpacking, entry->data);
    if (is_aligned && entry->bytes % FRAME_SIZE != 0) {
        unpacking->last = content;
        unpacking->last_inode = inode_hold(inode);
    }
}

static int add_link(struct unpacking *unpacking, const struct archive_entry *entry,
                    struct inode *parent, const char *name, uint32_t length)
{
    char *target = kmalloc(entry->bytes + 1);
    if (target == NULL)
        return -ENOMEM;
    memcpy(target, unpacking->archive + entry->data, entry->bytes);
    target[entry->bytes] = '\0';
    int error = parent->operations->symlink(parent, name, length, target);
    kfree(target);
    return error;
}

static int add_new(struct unpacking *unpacking, const struct archive_entry *entry,
                   struct inode *parent, const char *name, uint32_t length, struct inode **made)
{
    switch (entry->mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        return parent->operations->create(parent, name, length, entry->mode & (S_IFMT | 07777),
                                          entry->special, made);
    case S_IFLNK:
        if (entry->bytes == 0 || entry->bytes >= PATH_MAX)
            return -EINVAL;
        return add_link(unpacking, entry, parent, name, length);
    default:
        return -EINVAL;
    }
}

/* What stands under the entry's name gives way; a directory takes the new one's permissions. */
static int make_way(const struct archive_entry *entry, struct inode *parent, const char *name,
                    uint32_t length)
{
    struct inode *present;
    bool is_directory = (entry->mode & S_IFMT) == S_IFDIR;
    if (parent->operations->lookup(parent, name, length, &present) != 0)
        return 0;
    int error = inode_is_directory(present) ? (is_directory ? -EALREADY : -EISDIR) : 0;
    if (error == -EALREADY)
        present->mode = S_IFDIR | (entry->mode & 07777);
    inode_drop(present);
    return error != 0 ? error : parent->operations->unlink(parent, name, length);
}

static int add_entry(struct unpacking *unpacking, const struct archive_entry *entry,
                     struct inode *parent, const char *name, uint32_t length)
{
    struct inode *made = NULL;
    bool has_links = entry->links > 1 && (entry->mode & S_IFMT) == S_IFREG;
    struct inode *linked = has_links ? linked_inode(unpacking, entry) : NULL;
    int error = make_way(entry, parent, name, length);
    if (error != 0)
        return error == -EALREADY ? 0 : error;
    if (linked != NULL) {
        error = parent->operations->link(parent, name, length, linked);
        take_content(unpacking, entry, linked);
        return error;
    }
    error = add_new(unpacking, entry, parent, name, length, &made);
    if (error != 0 || made == NULL)
        return error;
    if (inode_is_regular(made))
        take_content(unpacking, entry, made);
    made->modified_ns = entry->modified_seconds * NS_PER_SECOND_64;
    if (has_links)
        error = remember_link(unpacking, entry, made);
    inode_drop(made);
    return error;
}

static void unpack_entry(struct unpacking *unpacking, const struct archive_entry *entry)
{
    const char *name;
    uint32_t length;
    if (entry->name_length == 0) {
        memory_root()->mode = S_IFDIR | (entry->mode & 07777);
        return;
    }
    struct inode *parent = find_parent(entry, &name, &length);
    if (parent == NULL) {
        complain(unpacking, entry, "there can be no file of this name");
        return;
    }
    int error = add_entry(unpacking, entry, parent, name, length);
    if (error != 0)
        complain(unpacking, entry, error_text(error));
    inode_drop(parent);
}

static void unpack(struct unpacking *unpacking)
{
    struct archive_reader reader = archive_open(unpacking->archive, unpacking->bytes);
    struct archive_entry entry;
    mutex_lock(&file_tree_lock);
    while (archive_next(&reader, &entry))
        unpack_entry(unpacking, &entry);
    settle_last(unpacking, UINT64_MAX);
    forget_links(unpacking);
    mutex_unlock(&file_tree_lock);
    if (reader.problem != NULL)
        log_line("initial archive: at byte %u of %u: %s; what came before is there",
                 reader.position, reader.bytes, reader.problem);
    if (unpacking->complaints > COMPLAINTS_MAX)
        log_line("initial archive: %u more entries make no sense",
                 unpacking->complaints - COMPLAINTS_MAX);
}

static void unpack_at(paddr_t archive, uint32_t bytes)
{
    struct unpacking unpacking = {.first = frame_of(archive), .bytes = bytes};
    if (bytes == 0)
        return;
    if (!frame_is_direct(frame_of(archive + bytes - 1))) {
        log_line("initial archive: it lies above the direct view: left out");
        return;
    }
    unpacking.archive = platform_frame_pointer(unpacking.first);
    unpack(&unpacking);
}

/* ---- what is there without an archive ---- */

/* A directory of the root, with a reference; what is no directory under its name gives way. */
static int make_directory(const char *name, uint32_t mode, struct inode **made)
{
    struct inode *root = memory_root();
    uint32_t length = (uint32_t)strlen(name);
    int error = root->operations->lookup(root, name, length, made);
    if (error == 0 && !inode_is_directory(*made)) {
        inode_drop(*made);
        error = root->operations->unlink(root, name, length);
        error = error == 0 ? -ENOENT : error;
    }
    if (error == -ENOENT)
        error = root->operations->create(root, name, length, S_IFDIR | mode, 0, made);
    return error;
}

static int make_devices(void)
{
    static const struct {
        const char *name, *target;
    } links[] = {{"fd", "/proc/self/fd"},
                 {"stdin", "/proc/self/fd/0"},
                 {"stdout", "/proc/self/fd/1"},
                 {"stderr", "/proc/self/fd/2"}};
    struct inode *directory, *node;
    int error = make_directory("dev", 0755, &directory);
    if (error != 0)
        return error;
    for (const struct device_node *at = device_nodes; at->name != NULL && error == 0; at++) {
        uint32_t length = (uint32_t)strlen(at->name);
        if (directory->operations->unlink(directory, at->name, length) == -EISDIR)
            continue;
        error = directory->operations->create(directory, at->name, length,
                                              S_IFCHR | at->permissions, at->number, &node);
        if (error == 0)
            inode_drop(node);
    }
    for (unsigned i = 0; i < ARRAY_COUNT(links) && error == 0; i++) {
        error = directory->operations->symlink(directory, links[i].name,
                                               (uint32_t)strlen(links[i].name), links[i].target);
        error = error == -EEXIST ? 0 : error;
    }
    inode_drop(directory);
    return error;
}

/* What the archive has there gives way to /proc, but for a directory that is not empty. */
static int mount_proc(void)
{
    struct inode *proc = proc_make_root();
    if (proc == NULL)
        return -ENOMEM;
    if (memory_root()->operations->rmdir(memory_root(), "proc", 4) == -ENOTDIR)
        (void)!memory_root()->operations->unlink(memory_root(), "proc", 4);
    int error = memory_mount(memory_root(), "proc", 4, proc);
    inode_drop(proc);
    return error;
}

static int make_standard(void)
{
    struct inode *directory;
    mutex_lock(&file_tree_lock);
    int error = make_devices();
    if (error == 0)
        error = make_directory("tmp", 01777, &directory);
    if (error == 0) {
        inode_drop(directory);
        error = mount_proc();
    }
    mutex_unlock(&file_tree_lock);
    return error;
}

int files_init(paddr_t archive, uint32_t archive_bytes)
{
    struct pageframe_statistics frames;
    uint32_t secret;
    pageframe_read_statistics(&frames);
    random_fill(&secret, sizeof(secret));
    names_set_seed(secret);
    struct memory_limits limits = {.pages = frames.ram_frames / 2,
                                   .inodes = INODES_AT_LEAST + frames.ram_frames / 2};
    int error = memory_files_init(&limits);
    if (error != 0)
        return error;
    unpack_at(archive, archive_bytes);
    error = make_standard();
    if (error != 0)
        log_line("files: /dev, /tmp and /proc are not all there: %s", error_text(error));
    return 0;
}

void files_check(struct check *check)
{
    mutex_lock(&file_tree_lock);
    memory_files_check(check);
    mutex_unlock(&file_tree_lock);
}
