#include "kernel/file/table.h"

#include "kernel/file/locks.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/check.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/platform.h"
#include "kernel/thread/thread.h"

#define DEFAULT_LIMIT 1024u

static struct file_table *make_empty(void)
{
    struct file_table *table = kcalloc(1, sizeof(*table));
    if (table == NULL)
        return NULL;
    table->references = 1;
    table->limit = DEFAULT_LIMIT;
    table->size = FILE_TABLE_FIRST;
    table->slots = table->small_slots;
    table->open = &table->small_open;
    table->on_exec = &table->small_on_exec;
    return table;
}

struct file_table *file_table_create(void)
{
    return make_empty();
}

static void free_storage(struct file_table *table, struct file **slots)
{
    if (slots != table->small_slots)
        kfree(slots);
}

/* Slots and both bitmaps in one object. 0 or -ENOMEM. */
static int grow(struct file_table *table, uint32_t size)
{
    uint32_t words = size / 32;
    struct file **slots = kcalloc(1, size * sizeof(struct file *) + 2 * words * sizeof(uint32_t));
    if (slots == NULL)
        return -ENOMEM;
    preempt_disable();
    struct file **before = table->slots;
    uint32_t *open = (uint32_t *)(slots + size), *on_exec = open + words;
    if (size <= table->size) { /* another thread was faster */
        preempt_enable();
        kfree(slots);
        return 0;
    }
    memcpy(slots, table->slots, table->size * sizeof(struct file *));
    memcpy(open, table->open, table->size / 8);
    memcpy(on_exec, table->on_exec, table->size / 8);
    table->slots = slots;
    table->open = open;
    table->on_exec = on_exec;
    table->size = size;
    preempt_enable();
    free_storage(table, before);
    return 0;
}

/* Makes room for all of the table and turns preemption off, so that it does not grow any more. */
static int match_size(struct file_table *clone, const struct file_table *table)
{
    for (;;) {
        preempt_disable();
        uint32_t size = table->size;
        if (clone->size >= size)
            return 0;
        preempt_enable();
        if (grow(clone, size) != 0)
            return -ENOMEM;
    }
}

struct file_table *file_table_clone(struct file_table *table)
{
    struct file_table *clone = make_empty();
    if (clone == NULL)
        return NULL;
    if (match_size(clone, table) != 0) {
        file_table_drop(clone);
        return NULL;
    }
    clone->limit = table->limit;
    clone->first_free_word = table->first_free_word;
    for (uint32_t word = 0; word < table->size / 32; word++) {
        clone->open[word] = table->open[word];
        clone->on_exec[word] = table->on_exec[word];
        for (uint32_t bits = table->open[word]; bits != 0; bits &= bits - 1) {
            uint32_t at = word * 32 + (uint32_t)__builtin_ctz(bits);
            clone->slots[at] = file_hold(table->slots[at]);
        }
    }
    preempt_enable();
    return clone;
}

struct file_table *file_table_hold(struct file_table *table)
{
    __atomic_add_fetch(&table->references, 1, __ATOMIC_RELAXED);
    return table;
}

/* Takes the file of a descriptor out of the table: the table's handle goes to the caller. */
static struct file *take(struct file_table *table, uint32_t descriptor)
{
    struct file *file = NULL;
    preempt_disable();
    if (descriptor < table->size && table->slots[descriptor] != NULL) {
        uint32_t word = descriptor / 32, bit = 1u << descriptor % 32;
        file = table->slots[descriptor];
        table->slots[descriptor] = NULL;
        table->open[word] &= ~bit;
        table->on_exec[word] &= ~bit;
        if (word < table->first_free_word)
            table->first_free_word = word;
    }
    preempt_enable();
    return file;
}

/* The last use of a file by a descriptor; a process's locks on it end with any of its descriptors.
 */
static void close_file(struct file_table *table, struct file *file)
{
    locks_drop(file->inode, table);
    file_drop(file);
}

void file_table_drop(struct file_table *table)
{
    if (table == NULL || __atomic_sub_fetch(&table->references, 1, __ATOMIC_RELAXED) != 0)
        return;
    for (int at = file_table_next(table, 0); at >= 0; at = file_table_next(table, (uint32_t)at + 1))
        close_file(table, take(table, (uint32_t)at));
    free_storage(table, table->slots);
    kfree(table);
}

void file_table_close_on_exec(struct file_table *table)
{
    for (uint32_t word = 0; word < table->size / 32; word++)
        while (table->on_exec[word] != 0)
            close_file(table,
                       take(table, word * 32 + (uint32_t)__builtin_ctz(table->on_exec[word])));
}

bool file_table_is_shared(const struct file_table *table)
{
    return table->references > 1;
}

void file_table_set_limit(struct file_table *table, uint32_t limit)
{
    table->limit = limit < FILE_TABLE_MAX ? limit : FILE_TABLE_MAX;
}

/* The lowest clear bit of `open` from `lowest` on; table->size: none. Without preemption. */
static uint32_t find_free(struct file_table *table, uint32_t lowest)
{
    uint32_t words = table->size / 32;
    uint32_t word = lowest / 32 > table->first_free_word ? lowest / 32 : table->first_free_word;
    for (; word < words; word++) {
        uint32_t taken = table->open[word];
        if (word == lowest / 32)
            taken |= (1u << lowest % 32) - 1;
        if (taken != UINT32_MAX)
            return word * 32 + (uint32_t)__builtin_ctz(~taken);
        if (word == table->first_free_word && table->open[word] == UINT32_MAX)
            table->first_free_word = word + 1;
    }
    return lowest > table->size ? lowest : table->size;
}

/* Without preemption. */
static void set(struct file_table *table, uint32_t descriptor, struct file *file, uint32_t flags)
{
    uint32_t bit = 1u << descriptor % 32;
    table->slots[descriptor] = file;
    table->open[descriptor / 32] |= bit;
    table->on_exec[descriptor / 32] &= ~bit;
    if (flags & FD_CLOEXEC)
        table->on_exec[descriptor / 32] |= bit;
}

static uint32_t size_for(uint32_t descriptor, uint32_t size)
{
    while (size <= descriptor)
        size *= 2;
    return size;
}

int file_table_prepare(struct file_table *table)
{
    preempt_disable();
    uint32_t at = find_free(table, 0), size = table->size;
    preempt_enable();
    if (at >= table->limit)
        return -EMFILE;
    return at < size || grow(table, size_for(at, size)) == 0 ? 0 : -ENOMEM;
}

int file_table_add(struct file_table *table, struct file *file, uint32_t lowest,
                   uint32_t descriptor_flags)
{
    if (lowest >= table->limit)
        return lowest == 0 ? -EMFILE : -EINVAL;
    for (;;) {
        preempt_disable();
        uint32_t at = find_free(table, lowest);
        bool fits = at < table->size && at < table->limit;
        if (fits)
            set(table, at, file, descriptor_flags);
        uint32_t size = table->size;
        preempt_enable();
        if (fits)
            return (int)at;
        if (at >= table->limit)
            return -EMFILE;
        if (grow(table, size_for(at, size)) != 0)
            return -ENOMEM;
    }
}

int file_table_put(struct file_table *table, struct file *file, uint32_t descriptor,
                   uint32_t descriptor_flags)
{
    if (descriptor >= table->limit)
        return -EBADF;
    if (descriptor >= table->size && grow(table, size_for(descriptor, table->size)) != 0)
        return -ENOMEM;
    preempt_disable();
    struct file *before = take(table, descriptor);
    set(table, descriptor, file, descriptor_flags);
    preempt_enable();
    if (before != NULL)
        close_file(table, before);
    return (int)descriptor;
}

int file_table_close(struct file_table *table, uint32_t descriptor)
{
    struct file *file = take(table, descriptor);
    if (file == NULL)
        return -EBADF;
    close_file(table, file);
    return 0;
}

int file_table_get_flags(struct file_table *table, uint32_t descriptor)
{
    int flags = -EBADF;
    preempt_disable();
    if (descriptor < table->size && table->slots[descriptor] != NULL)
        flags = table->on_exec[descriptor / 32] >> descriptor % 32 & 1 ? (int)FD_CLOEXEC : 0;
    preempt_enable();
    return flags;
}

int file_table_set_flags(struct file_table *table, uint32_t descriptor, uint32_t flags)
{
    int error = -EBADF;
    preempt_disable();
    if (descriptor < table->size && table->slots[descriptor] != NULL) {
        set(table, descriptor, table->slots[descriptor], flags);
        error = 0;
    }
    preempt_enable();
    return error;
}

int file_table_next(struct file_table *table, uint32_t from)
{
    int found = -1;
    preempt_disable();
    for (uint32_t at = from; at < table->size && found < 0; at = at / 32 * 32 + 32) {
        uint32_t bits = table->open[at / 32] & ~((1u << at % 32) - 1);
        if (bits != 0)
            found = (int)(at / 32 * 32 + (uint32_t)__builtin_ctz(bits));
    }
    preempt_enable();
    return found;
}

/* Bits that the word of `open` has to have. */
static uint32_t count_open(const struct file_table *table, uint32_t word)
{
    uint32_t open = 0;
    for (uint32_t bit = 0; bit < 32; bit++)
        if (table->slots[word * 32 + bit] != NULL)
            open |= 1u << bit;
    return open;
}

static void check_slot(const struct file_table *table, uint32_t descriptor, struct check *check)
{
    const struct file *file = table->slots[descriptor];
    if (file->references == 0)
        check_fault(check, "descriptors: %u is a file that nobody holds", descriptor);
    else if (file_is_writable(file) && inode_is_regular(file->inode) && file->inode->writers <= 0)
        check_fault(check, "descriptors: %u is open for writing, and its file does not count it",
                    descriptor);
}

void file_table_check(const struct file_table *table, uint32_t holders, struct check *check)
{
    if (table->references < holders)
        check_fault(check, "descriptors: a table has %u references, and %u processes",
                    table->references, holders);
    if (table->size % 32 != 0 || table->size > FILE_TABLE_MAX) {
        check_fault(check, "descriptors: a table has room for %u", table->size);
        return;
    }
    for (uint32_t word = 0; word < table->size / 32; word++) {
        uint32_t open = count_open(table, word);
        if (open != table->open[word] || (table->on_exec[word] & ~open) != 0)
            check_fault(check, "descriptors: from %u on, 0x%08x are open, and 0x%08x are marked",
                        word * 32, open, table->open[word]);
        if (word < table->first_free_word && open != UINT32_MAX)
            check_fault(check, "descriptors: one from %u on is free, and would not be found",
                        word * 32);
        for (; open != 0; open &= open - 1)
            check_slot(table, word * 32 + (uint32_t)__builtin_ctz(open), check);
    }
}
