#include "kernel/file/walk.h"

#include "kernel/file/internal.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"

static void stand_on(struct walk *walk, struct inode *inode)
{
    inode_drop(walk->at);
    walk->at = inode;
}

int walk_begin(struct walk *walk, struct path_context *context, struct inode *base,
               const char *path)
{
    *walk = (struct walk){.context = context, .rest = path};
    if (*path == '\0')
        return -ENOENT;
    if (*path == '/')
        base = context->root;
    walk->at = inode_hold(base != NULL ? base : context->directory);
    return 0;
}

void walk_end(struct walk *walk)
{
    inode_drop(walk->at);
    kfree(walk->text);
    walk->at = NULL;
    walk->text = NULL;
}

/* Takes the next component off the rest: its length, 0 at the end. */
static int take_component(struct walk *walk)
{
    const char *end;
    while (*walk->rest == '/')
        walk->rest++;
    walk->name = walk->rest;
    for (end = walk->rest; *end != '/' && *end != '\0';)
        end++;
    walk->length = (uint32_t)(end - walk->name);
    walk->has_slash = *end == '/';
    while (*end == '/')
        end++;
    walk->rest = end;
    return walk->length > NAME_MAX ? -ENAMETOOLONG : 0;
}

static struct inode *parent_of(const struct walk *walk)
{
    if (walk->at == walk->context->root)
        return inode_hold(walk->at);
    return walk->at->parent == NULL ? NULL : inode_hold(walk->at->parent);
}

int walk_look(struct walk *walk, struct inode **found)
{
    struct inode *at = walk->at;
    if (!inode_is_directory(at))
        return -ENOTDIR;
    if (walk->length == 0 || (walk->length == 1 && walk->name[0] == '.')) {
        *found = inode_hold(at);
        return 0;
    }
    if (walk_is_dots(walk)) {
        *found = parent_of(walk);
        return *found == NULL ? -ENOENT : 0;
    }
    return at->operations->lookup(at, walk->name, walk->length, found);
}

/* The target of a link and what is left of the path become the rest. */
static int take_target(struct walk *walk, struct inode *link)
{
    size_t left = strlen(walk->rest);
    size_t room = PATH_MAX + 1 + left + 1;
    char *text = kmalloc(room);
    if (text == NULL)
        return -ENOMEM;
    int bytes = link->operations->readlink(link, text, PATH_MAX);
    if (bytes <= 0 || bytes >= PATH_MAX) {
        kfree(text);
        return bytes < 0 ? bytes : bytes == 0 ? -ENOENT : -ENAMETOOLONG;
    }
    if (walk->has_slash)
        text[bytes++] = '/';
    memcpy(text + bytes, walk->rest, left + 1);
    kfree(walk->text);
    walk->text = text;
    walk->rest = text;
    if (*text == '/')
        stand_on(walk, inode_hold(walk->context->root));
    return 0;
}

/* Goes through a link that stands in the directory `at`. */
static int follow(struct walk *walk, struct inode *link)
{
    if (++walk->links > WALK_LINKS_MAX)
        return -ELOOP;
    if (link->operations->follow == NULL)
        return take_target(walk, link);
    struct inode *target = link->operations->follow(link);
    if (target == NULL)
        return -ENOENT;
    stand_on(walk, target);
    return 0;
}

static bool is_link(const struct inode *inode)
{
    return (inode->mode & S_IFMT) == S_IFLNK;
}

int walk_to_end(struct walk *walk, uint32_t flags)
{
    for (;;) {
        struct inode *found;
        int error = take_component(walk);
        if (error == 0 && walk->length == 0)
            return (flags & PATH_DIRECTORY) && !inode_is_directory(walk->at) ? -ENOTDIR : 0;
        if (error == 0)
            error = walk_look(walk, &found);
        if (error != 0)
            return error;
        bool is_inner = walk->has_slash || *walk->rest != '\0';
        if (is_link(found) && (is_inner || (flags & PATH_FOLLOW))) {
            error = follow(walk, found);
            inode_drop(found);
        } else {
            stand_on(walk, found);
        }
        if (error == 0 && is_inner && *walk->rest == '\0' && !is_link(walk->at) &&
            !inode_is_directory(walk->at))
            error = -ENOTDIR;
        if (error != 0)
            return error;
    }
}

int walk_to_parent(struct walk *walk)
{
    for (;;) {
        struct inode *found;
        int error = take_component(walk);
        if (error != 0)
            return error;
        if (*walk->rest == '\0')
            return inode_is_directory(walk->at) ? 0 : -ENOTDIR;
        error = walk_look(walk, &found);
        if (error != 0)
            return error;
        if (is_link(found)) {
            error = follow(walk, found);
            inode_drop(found);
            if (error != 0)
                return error;
        } else {
            stand_on(walk, found);
        }
    }
}

int walk_through(struct walk *walk, struct inode *link)
{
    int error = follow(walk, link);
    if (error != 0)
        return error;
    if (link->operations->follow == NULL)
        return walk_to_parent(walk);
    walk->length = 0; /* it stands on the target itself */
    return 0;
}
