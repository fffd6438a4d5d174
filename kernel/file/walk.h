#ifndef KERNEL_FILE_WALK_H
#define KERNEL_FILE_WALK_H

#include "kernel/file/path.h"

/*
 * A walk along a path, component by component, with the tree's lock held. It stands on `at`, which
 * it holds; `rest` is what is still to be walked: of the path, or after a symbolic link of a text
 * that is the walk's own, made of the link's target and the rest.
 */
#define WALK_LINKS_MAX 40 /* then -ELOOP, as Linux */

struct path_context {
    uint32_t references;
    uint32_t mask;
    struct inode *root, *directory; /* held */
};

struct walk {
    struct path_context *context;
    struct inode *at;
    const char *rest;
    char *text;
    uint32_t links;
    /* Where walk_to_parent stops: the last component, and whether slashes follow it. */
    const char *name;
    uint32_t length;
    bool has_slash;
};

/* -ENOENT: the path is empty. */
int walk_begin(struct walk *walk, struct path_context *context, struct inode *base,
               const char *path) MUST_CHECK;
void walk_end(struct walk *walk);

/* Goes to the end of the path; a symbolic link there is followed if PATH_FOLLOW says so, or a slash
 * behind it. */
int walk_to_end(struct walk *walk, uint32_t flags) MUST_CHECK;

/* Goes to the directory of the last component, which is not walked. `length` 0: the path has none
 * (it is "/"). It may be "." or "..". */
int walk_to_parent(struct walk *walk) MUST_CHECK;

/* After walk_to_parent: the inode of the last component becomes *found; a walk that stands on the
 * parent stays there. */
int walk_look(struct walk *walk, struct inode **found) MUST_CHECK;

/* After walk_to_parent and walk_look: goes on through this symbolic link to its target's parent. */
int walk_through(struct walk *walk, struct inode *link) MUST_CHECK;

/* As path_of_directory, of any inode that has a name, with the tree's lock. Of several names, one.
 */
int path_of_inode(const struct inode *root, struct inode *inode, char *buffer,
                  uint32_t size) MUST_CHECK;

static inline bool walk_is_dots(const struct walk *walk)
{
    return walk->name[0] == '.' &&
           (walk->length == 1 || (walk->length == 2 && walk->name[1] == '.'));
}

#endif
