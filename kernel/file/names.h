#ifndef KERNEL_FILE_NAMES_H
#define KERNEL_FILE_NAMES_H

#include "kernel/include/types.h"

/*
 * The names of a directory: a treap (a search tree by key that is a heap by random priority), so
 * every operation takes O(log names) expected steps whatever the names are. The key has the name's
 * hash in its upper half and a number that never comes again in the lower one: two names with one
 * hash have two keys, and a key is also where reading a directory goes on after others removed or
 * added names. Hashes and priorities are seeded at boot, so nobody can choose bad names.
 *
 * The caller supplies the storage of the entries, names_entry_bytes(length) each. Pure but for the
 * random numbers that it is given.
 */
struct inode;

struct name {
    struct name *left, *right;
    uint64_t key;
    uint32_t priority; /* at least those of left and right */
    uint32_t length;
    struct inode *inode;
    char text[]; /* zero-terminated */
};

struct names {
    struct name *root;
    uint32_t count;
    uint32_t next_number;
};

#define NAMES_FIRST_KEY (1ull << 32) /* no key is below */

void names_set_seed(uint32_t seed);

static inline size_t names_entry_bytes(uint32_t length)
{
    return sizeof(struct name) + length + 1;
}

/* The entry of this name, or NULL. */
struct name *names_find(const struct names *names, const char *text, uint32_t length);

/* Makes the storage the entry of this name, which is not there yet. */
void names_add(struct names *names, struct name *storage, const char *text, uint32_t length,
               struct inode *inode);

/* Takes an entry out; its storage is the caller's again. */
void names_remove(struct names *names, struct name *name);

/* The entry with the smallest key above this one, or NULL. 0 is below all. */
struct name *names_after(const struct names *names, uint64_t key);

/* NULL, or what is wrong with the tree. O(names). */
const char *names_problem(const struct names *names);

#endif
