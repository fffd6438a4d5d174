#include "kernel/file/names.h"

#include "kernel/lib/string.h"

static uint32_t hash_seed = 0x9E3779B9;
static uint32_t priority_state = 0x32B00755;

void names_set_seed(uint32_t seed)
{
    hash_seed = seed;
    priority_state = seed * 0x9E3779B1u | 1;
}

/* xorshift32; never 0. */
static uint32_t next_priority(void)
{
    priority_state ^= priority_state << 13;
    priority_state ^= priority_state >> 17;
    priority_state ^= priority_state << 5;
    return priority_state;
}

/* A seeded multiplicative hash with a final mix; 1 to 2^30, so that a key stays positive as the
 * signed number that programs see. */
static uint64_t key_of(const char *text, uint32_t length)
{
    uint32_t hash = hash_seed ^ length;
    for (uint32_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)text[i]) * 0x01000193u + (hash >> 25);
    hash ^= hash >> 16;
    hash *= 0x85EBCA6Bu;
    hash ^= hash >> 13;
    return (uint64_t)((hash >> 2) + 1) << 32;
}

struct name *names_after(const struct names *names, uint64_t key)
{
    struct name *best = NULL;
    for (struct name *at = names->root; at != NULL;) {
        if (at->key > key) {
            best = at;
            at = at->left;
        } else {
            at = at->right;
        }
    }
    return best;
}

struct name *names_find(const struct names *names, const char *text, uint32_t length)
{
    uint64_t first = key_of(text, length);
    struct name *at = names_after(names, first - 1);
    while (at != NULL && at->key >> 32 == first >> 32) {
        if (at->length == length && memcmp(at->text, text, length) == 0)
            return at;
        at = names_after(names, at->key);
    }
    return NULL;
}

/* Splits a tree at the key: smaller ones go to *smaller, the others to *larger. */
static void split(struct name *tree, uint64_t key, struct name **smaller, struct name **larger)
{
    while (tree != NULL) {
        if (tree->key < key) {
            *smaller = tree;
            smaller = &tree->right;
            tree = tree->right;
        } else {
            *larger = tree;
            larger = &tree->left;
            tree = tree->left;
        }
    }
    *smaller = *larger = NULL;
}

/* One tree of two, all of whose keys ascend from left to right. */
static void merge(struct name **link, struct name *left, struct name *right)
{
    while (left != NULL && right != NULL) {
        if (left->priority >= right->priority) {
            *link = left;
            link = &left->right;
            left = left->right;
        } else {
            *link = right;
            link = &right->left;
            right = right->left;
        }
    }
    *link = left != NULL ? left : right;
}

void names_add(struct names *names, struct name *storage, const char *text, uint32_t length,
               struct inode *inode)
{
    struct name **link = &names->root;
    storage->key = key_of(text, length) | names->next_number++;
    storage->priority = next_priority();
    storage->length = length;
    storage->inode = inode;
    memcpy(storage->text, text, length);
    storage->text[length] = '\0';
    while (*link != NULL && (*link)->priority >= storage->priority)
        link = storage->key < (*link)->key ? &(*link)->left : &(*link)->right;
    split(*link, storage->key, &storage->left, &storage->right);
    *link = storage;
    names->count++;
}

void names_remove(struct names *names, struct name *name)
{
    struct name **link = &names->root;
    while (*link != name)
        link = name->key < (*link)->key ? &(*link)->left : &(*link)->right;
    merge(link, name->left, name->right);
    names->count--;
}

const char *names_problem(const struct names *names)
{
    uint32_t count = 0;
    uint64_t key = 0;
    for (const struct name *at; (at = names_after(names, key)) != NULL; key = at->key, count++) {
        if ((at->left != NULL && at->left->priority > at->priority) ||
            (at->right != NULL && at->right->priority > at->priority))
            return "a name has less priority than one below it";
        if (at->key >> 32 != key_of(at->text, at->length) >> 32)
            return "a name's key is not its hash's";
    }
    return count == names->count ? NULL : "a directory's count is not that of its names";
}
