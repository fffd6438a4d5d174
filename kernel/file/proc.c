#include "kernel/file/internal.h"
#include "kernel/file/memory.h"
#include "kernel/file/pipe.h"
#include "kernel/file/proc_internal.h"
#include "kernel/file/walk.h"
#include "kernel/include/errors.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"

/*
 * Directories of /proc. An inode of /proc holds its parent, has no links (but for the root), and so
 * goes with its last handle.
 *
 * Cookies: in the root, the n-th text is n + 1, and process id is COOKIE_PROCESS + id.
 */
#define COOKIE_FIRST   2u /* 1 and 2 are "." and ".." */
#define COOKIE_PROCESS (1ull << 32)
#define TEXTS_MAX      8u

static const struct proc_source *source;
/* Texts that others add. */
static struct added_text {
    char name[16];
    struct proc_node node;
    void (*print)(proc_put put, void *context);
} added[TEXTS_MAX];
static unsigned added_count;

void proc_set_source(const struct proc_source *given)
{
    source = given;
}

const struct proc_source *proc_source(void)
{
    return source;
}

/* ---- small ---- */

static bool is_named(const struct proc_node *node, const char *name, uint32_t length)
{
    return strlen(node->name) == length && memcmp(node->name, name, length) == 0;
}

static const struct proc_node *find_node(const struct proc_node *nodes, const char *name,
                                         uint32_t length)
{
    for (; nodes->name != NULL; nodes++)
        if (is_named(nodes, name, length))
            return nodes;
    return NULL;
}

/* A decimal number without leading zeros; false: it is none. */
static bool parse_number(const char *name, uint32_t length, uint32_t *number)
{
    *number = 0;
    if (length == 0 || length > 9 || (name[0] == '0' && length > 1))
        return false;
    for (uint32_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        *number = *number * 10 + (uint32_t)(name[i] - '0');
    }
    return true;
}

static bool exists(uint32_t id)
{
    struct proc_facts facts;
    return source != NULL && id != 0 && source->read(id, &facts);
}

static int found_or_not(struct inode *made, struct inode **found)
{
    *found = made;
    return made == NULL ? -ENOMEM : 0;
}

static int open_directory(struct inode *inode, struct file *file)
{
    (void)inode;
    file->operations = &directory_operations;
    file->traits |= FILE_CAN_SEEK;
    return 0;
}

static bool visit_node(const struct proc_node *node, uint32_t id, uint64_t cookie,
                       inode_visitor visit, void *context)
{
    struct inode_entry entry = {node->name, (uint32_t)strlen(node->name),
                                proc_number_of(node, id, 0), cookie, node->mode & S_IFMT};
    return visit(context, &entry);
}

/* An entry whose name is a number. */
static bool visit_number(uint32_t name, uint64_t number, uint64_t cookie, uint32_t mode,
                         inode_visitor visit, void *context)
{
    char text[12];
    int length = format_text(text, sizeof(text), "%u", name);
    struct inode_entry entry = {text, (uint32_t)length, number, cookie, mode & S_IFMT};
    return visit(context, &entry);
}

/* ---- /proc/<pid>/fd ---- */

/* The file that a link of fd stands for: a handle, or NULL. */
static struct file *file_of_link(struct inode *inode)
{
    struct proc_inode *proc = proc_inode_of(inode);
    struct file_table *table = source == NULL ? NULL : source->files(proc->id);
    struct file *file = table == NULL ? NULL : file_table_get(table, proc->descriptor);
    file_table_drop(table);
    return file;
}

static struct inode *follow_descriptor(struct inode *inode)
{
    struct file *file = file_of_link(inode);
    struct inode *target = file == NULL ? NULL : inode_hold(file->inode);
    file_drop(file);
    return target;
}

static int copy_text(char *buffer, uint32_t size, const char *text)
{
    uint32_t length = (uint32_t)strlen(text);
    memcpy(buffer, text, length < size ? length : size);
    return (int)(length < size ? length : size);
}

/* A path as a link's text. */
static int read_path(struct inode *target, char *buffer, uint32_t size)
{
    if (target == NULL)
        return -ENOENT;
    char *path = kmalloc(PATH_MAX);
    int length = -ENOMEM;
    if (path != NULL) {
        proc_path_of(target, path, PATH_MAX);
        length = copy_text(buffer, size, path);
    }
    kfree(path);
    inode_drop(target);
    return length;
}

static int read_descriptor(struct inode *inode, char *buffer, uint32_t size)
{
    return read_path(follow_descriptor(inode), buffer, size);
}

static const struct inode_operations descriptor_operations = {
    .readlink = read_descriptor,
    .follow = follow_descriptor,
    .destroy = proc_destroy,
};

static const struct proc_node descriptor_node = {"fd", S_IFLNK | 0700, NULL,
                                                 &descriptor_operations};

static int lookup_descriptor(struct inode *directory, const char *name, uint32_t length,
                             struct inode **found)
{
    struct proc_inode *proc = proc_inode_of(directory);
    uint32_t descriptor;
    if (!parse_number(name, length, &descriptor) || source == NULL)
        return -ENOENT;
    struct file_table *table = source->files(proc->id);
    bool is_open = table != NULL && file_table_get_flags(table, descriptor) >= 0;
    file_table_drop(table);
    if (!is_open)
        return -ENOENT;
    return found_or_not(proc_make_inode(&descriptor_node, proc->id, descriptor, directory), found);
}

static int visit_descriptors(struct inode *directory, uint64_t cookie, inode_visitor visit,
                             void *context)
{
    uint32_t id = proc_inode_of(directory)->id;
    struct file_table *table = source == NULL ? NULL : source->files(id);
    if (table == NULL)
        return -ENOENT;
    uint32_t from = cookie > COOKIE_FIRST ? (uint32_t)(cookie - COOKIE_FIRST) : 0;
    for (int at = file_table_next(table, from); at >= 0;
         at = file_table_next(table, (uint32_t)at + 1))
        if (!visit_number((uint32_t)at, proc_number_of(&descriptor_node, id, (uint32_t)at),
                          COOKIE_FIRST + 1 + (uint32_t)at, S_IFLNK, visit, context))
            break;
    file_table_drop(table);
    return 0;
}

static const struct inode_operations descriptors_operations = {
    .lookup = lookup_descriptor,
    .visit = visit_descriptors,
    .open = open_directory,
    .destroy = proc_destroy,
};

/* ---- links of /proc/<pid> ---- */

static struct path_context *context_of_link(struct inode *link)
{
    return source == NULL ? NULL : source->paths(proc_inode_of(link)->id);
}

static struct inode *follow_directory(struct inode *link)
{
    struct path_context *context = context_of_link(link);
    struct inode *inode = context == NULL ? NULL : inode_hold(context->directory);
    path_context_drop(context);
    return inode;
}

static struct inode *follow_root(struct inode *link)
{
    struct path_context *context = context_of_link(link);
    struct inode *inode = context == NULL ? NULL : inode_hold(context->root);
    path_context_drop(context);
    return inode;
}

static struct inode *follow_program(struct inode *link)
{
    return source == NULL ? NULL : source->executable(proc_inode_of(link)->id);
}

static int read_directory_link(struct inode *link, char *buffer, uint32_t size)
{
    return read_path(follow_directory(link), buffer, size);
}

static int read_root_link(struct inode *link, char *buffer, uint32_t size)
{
    return read_path(follow_root(link), buffer, size);
}

static int read_program_link(struct inode *link, char *buffer, uint32_t size)
{
    return read_path(follow_program(link), buffer, size);
}

static const struct inode_operations directory_link_operations = {
    .readlink = read_directory_link, .follow = follow_directory, .destroy = proc_destroy};
static const struct inode_operations root_link_operations = {
    .readlink = read_root_link, .follow = follow_root, .destroy = proc_destroy};
static const struct inode_operations program_link_operations = {
    .readlink = read_program_link, .follow = follow_program, .destroy = proc_destroy};

static const struct proc_node process_links[] = {
    {"cwd", S_IFLNK | 0777, NULL, &directory_link_operations},
    {"root", S_IFLNK | 0777, NULL, &root_link_operations},
    {"exe", S_IFLNK | 0777, NULL, &program_link_operations},
    {"fd", S_IFDIR | 0500, NULL, &descriptors_operations},
    {NULL, 0, NULL, NULL},
};

/* ---- /proc/<pid> ---- */

static int lookup_in_process(struct inode *directory, const char *name, uint32_t length,
                             struct inode **found)
{
    uint32_t id = proc_inode_of(directory)->id;
    const struct proc_node *node = find_node(process_links, name, length);
    if (node == NULL)
        node = find_node(proc_process_nodes, name, length);
    if (node == NULL || !exists(id))
        return -ENOENT;
    return found_or_not(proc_make_inode(node, id, 0, directory), found);
}

static int visit_process(struct inode *directory, uint64_t cookie, inode_visitor visit,
                         void *context)
{
    uint32_t id = proc_inode_of(directory)->id;
    uint64_t at = COOKIE_FIRST;
    if (!exists(id))
        return -ENOENT;
    for (const struct proc_node *node = process_links; node->name != NULL; node++)
        if (++at > cookie && !visit_node(node, id, at, visit, context))
            return 0;
    for (const struct proc_node *node = proc_process_nodes; node->name != NULL; node++)
        if (++at > cookie && !visit_node(node, id, at, visit, context))
            return 0;
    return 0;
}

static const struct inode_operations process_operations = {
    .lookup = lookup_in_process,
    .visit = visit_process,
    .open = open_directory,
    .destroy = proc_destroy,
};

static const struct proc_node process_node = {"process", S_IFDIR | 0555, NULL, &process_operations};

/* ---- /proc ---- */

static int read_self(struct inode *inode, char *buffer, uint32_t size)
{
    char text[12];
    (void)inode;
    uint32_t id = source == NULL ? 0 : source->self();
    if (id == 0)
        return -ENOENT;
    format_text(text, sizeof(text), "%u", id);
    return copy_text(buffer, size, text);
}

static const struct inode_operations self_operations = {.readlink = read_self,
                                                        .destroy = proc_destroy};

static const struct proc_node root_links[] = {
    {"self", S_IFLNK | 0777, NULL, &self_operations},
    {NULL, 0, NULL, NULL},
};

/* A text that was added is node `id`. */
static const struct proc_node *find_added(const char *name, uint32_t length, uint32_t *id)
{
    for (unsigned i = 0; i < added_count; i++)
        if (is_named(&added[i].node, name, length)) {
            *id = i;
            return &added[i].node;
        }
    return NULL;
}

static int lookup_in_root(struct inode *directory, const char *name, uint32_t length,
                          struct inode **found)
{
    uint32_t id = 0;
    const struct proc_node *node = find_node(proc_system_nodes, name, length);
    if (node == NULL)
        node = find_node(root_links, name, length);
    if (node == NULL)
        node = find_added(name, length, &id);
    if (node == NULL && parse_number(name, length, &id) && exists(id))
        node = &process_node;
    if (node == NULL)
        return -ENOENT;
    return found_or_not(proc_make_inode(node, id, 0, directory), found);
}

static int visit_root(struct inode *directory, uint64_t cookie, inode_visitor visit, void *context)
{
    uint64_t at = COOKIE_FIRST;
    (void)directory;
    for (const struct proc_node *node = root_links; node->name != NULL; node++)
        if (++at > cookie && !visit_node(node, 0, at, visit, context))
            return 0;
    for (const struct proc_node *node = proc_system_nodes; node->name != NULL; node++)
        if (++at > cookie && !visit_node(node, 0, at, visit, context))
            return 0;
    for (unsigned i = 0; i < added_count; i++)
        if (++at > cookie && !visit_node(&added[i].node, i, at, visit, context))
            return 0;
    uint32_t id = cookie > COOKIE_PROCESS ? (uint32_t)(cookie - COOKIE_PROCESS) : 0;
    while (source != NULL && (id = source->next(id)) != 0)
        if (!visit_number(id, proc_number_of(&process_node, id, 0), COOKIE_PROCESS + id, S_IFDIR,
                          visit, context))
            break;
    return 0;
}

static const struct inode_operations root_operations = {
    .lookup = lookup_in_root,
    .visit = visit_root,
    .open = open_directory,
    .destroy = proc_destroy,
};

static const struct proc_node root_node = {"proc", S_IFDIR | 0555, NULL, &root_operations};

struct inode *proc_make_root(void)
{
    return proc_make_inode(&root_node, 0, 0, NULL);
}

static int print_added(struct proc_text *text, uint32_t which)
{
    added[which].print(proc_text_put, text);
    return 0;
}

int proc_add_text(const char *name, void (*print)(proc_put put, void *context))
{
    if (added_count == TEXTS_MAX || strlen(name) >= sizeof(added[0].name))
        return -ENOSPC;
    struct added_text *text = &added[added_count];
    memcpy(text->name, name, strlen(name) + 1);
    text->node = (struct proc_node){text->name, S_IFREG | 0444, print_added, NULL};
    text->print = print;
    added_count++;
    return 0;
}

void proc_path_of(struct inode *inode, char *buffer, uint32_t size)
{
    if (inode->device == PIPE_DEVICE) {
        format_text(buffer, size, "pipe:[%llu]", (unsigned long long)inode->number);
        return;
    }
    if (path_of_inode(memory_root(), inode, buffer, size) < 0)
        format_text(buffer, size, "/ (deleted)");
}
