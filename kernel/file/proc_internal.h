#ifndef KERNEL_FILE_PROC_INTERNAL_H
#define KERNEL_FILE_PROC_INTERNAL_H

#include "kernel/file/inode.h"
#include "kernel/file/proc.h"

/*
 * /proc inside: a tree of nodes that are tables, and inodes that are made when a name is looked up
 * and go with their last handle. A text is made when reading begins at its start, and read from
 * there on.
 */
#define PROC_DEVICE   4u         /* st_dev */
#define PROC_TEXT_MAX 0x1000000u /* bytes of one text: what lies beyond is left out */

struct proc_text {
    char *bytes;
    size_t length, room;
    int error; /* 0 or -ENOMEM */
};

void proc_text_put(void *text, const char *bytes, size_t length);
void proc_text_print(struct proc_text *text, const char *format, ...) PRINTF_LIKE(2, 3);

/* What a file of /proc shows; `id` is the process, 0 in the root. -ESRCH: the process is gone. */
typedef int (*proc_print)(struct proc_text *text, uint32_t id);

struct proc_node {
    const char *name;
    uint32_t mode;
    proc_print print;                          /* of regular files */
    const struct inode_operations *operations; /* of directories and links; NULL: a text's */
};

struct proc_inode {
    struct inode inode;
    const struct proc_node *node;
    uint32_t id;
    uint32_t descriptor; /* in <pid>/fd */
};

static inline struct proc_inode *proc_inode_of(struct inode *inode)
{
    return (struct proc_inode *)inode; /* the first member */
}

/* With one reference, and one of its own to its parent, which proc_destroy gives back; NULL: no
 * memory. */
struct inode *proc_make_inode(const struct proc_node *node, uint32_t id, uint32_t descriptor,
                              struct inode *parent);

void proc_destroy(struct inode *inode);
uint64_t proc_number_of(const struct proc_node *node, uint32_t id, uint32_t descriptor);

const struct proc_source *proc_source(void);

/* The root directory of /proc, with a reference; NULL: no memory. */
struct inode *proc_make_root(void);

extern const struct proc_node proc_system_nodes[]; /* the last has no name */
extern const struct proc_node proc_process_nodes[];

/* Where an inode is, as a program would name it: a path, "pipe:[7]", "/ (deleted)". With the tree's
 * lock. */
void proc_path_of(struct inode *inode, char *buffer, uint32_t size);

#endif
