#ifndef KERNEL_FILE_PROC_H
#define KERNEL_FILE_PROC_H

#include "kernel/file/path.h"
#include "kernel/file/table.h"

/*
 * What /proc tells of processes. Facts flow one way: process fills struct proc_source in, /proc
 * makes the text. Ticks are 1/100 s. A process is named by its id; one that is gone gives false,
 * NULL or 0, never a crash. Called from threads; may sleep.
 */
#define PROC_NAME_SIZE   16
#define PROC_LIMIT_COUNT 16
#define PROC_UNLIMITED   UINT32_MAX

struct proc_facts {
    uint32_t id, parent, group, session;
    uint32_t terminal;         /* st_rdev of the controlling terminal, 0: none */
    uint32_t terminal_group;   /* in its foreground */
    char state;                /* R S D T Z */
    char name[PROC_NAME_SIZE]; /* zero-terminated */
    uint32_t threads;
    uint64_t user_ticks, system_ticks, children_user_ticks, children_system_ticks;
    uint64_t start_ticks; /* after boot */
    int32_t nice;         /* -20 to 19 */
    uint32_t policy;      /* SCHED_* */
    uint32_t priority;    /* of SCHED_FIFO and SCHED_RR, else 0 */
    uint64_t minor_faults, major_faults;
    uint64_t voluntary_switches, involuntary_switches;
    uint64_t pending, blocked, ignored, caught; /* bit n - 1 is signal n */
    int32_t exit_code;                          /* as wait has it */
    /* Memory, in pages. */
    uint32_t size, size_peak, resident, resident_peak, shared, locked;
    uint32_t text, data, stack, libraries, page_tables;
    /* User addresses. */
    uint32_t code_start, code_end, data_start, data_end, heap_start, stack_start;
};

/* One area of an address space: a line of maps, and with the counts a paragraph of smaps. */
struct proc_area {
    uint32_t start, end;
    uint64_t offset; /* into the file, bytes */
    uint32_t device;
    uint64_t inode;
    const char *name; /* a path, "[heap]", "[stack]" or "" */
    bool is_readable, is_writable, is_executable, is_shared, is_locked, grows_down;
    /* Pages. */
    uint32_t resident, shared_clean, shared_dirty, private_clean, private_dirty, referenced,
        anonymous, locked;
    uint64_t proportional_bytes;
};
typedef bool (*proc_area_visitor)(void *context, const struct proc_area *area);

struct proc_totals {
    uint64_t user_ticks, nice_ticks, system_ticks, idle_ticks; /* of the processor */
    uint64_t switches, forks;
    uint32_t running, blocked, processes; /* now */
    uint32_t last_id;
    uint32_t load_average[3]; /* 1, 5, 15 minutes, in 1/2048 */
    uint32_t committed_pages, commit_limit_pages;
    uint32_t anonymous_pages, mapped_pages, shared_pages;
    uint32_t stack_pages; /* of threads in the kernel */
};

struct proc_source {
    void (*totals)(struct proc_totals *totals);
    uint32_t (*next)(uint32_t id); /* the smallest id above, or 0 */
    uint32_t (*self)(void);        /* of the caller */
    bool (*read)(uint32_t id, struct proc_facts *facts);
    /* The bytes of argv and of environ as they lie in its memory, from `offset` on: how many. */
    uint32_t (*arguments)(uint32_t id, uint32_t offset, char *buffer, uint32_t bytes);
    uint32_t (*environment)(uint32_t id, uint32_t offset, char *buffer, uint32_t bytes);
    struct file_table *(*files)(uint32_t id);   /* held */
    struct path_context *(*paths)(uint32_t id); /* held */
    struct inode *(*executable)(uint32_t id);   /* held */
    /* Its path as exec was given it, made absolute. False: none. */
    bool (*executable_path)(uint32_t id, char *buffer, uint32_t size);
    /* Areas from `from` on, ascending, until visit returns false; visit does not sleep. */
    void (*areas)(uint32_t id, uint32_t from, proc_area_visitor visit, void *context);
    bool (*limit)(uint32_t id, unsigned resource, uint32_t *soft, uint32_t *hard);
};

void proc_set_source(const struct proc_source *source); /* kept by reference */

/* Kernel texts that others give: /proc/NAME shows what `print` puts out. `put` may be called any
 * number of times. Once for each name, before the first program. 0, -ENOSPC. */
typedef void (*proc_put)(void *context, const char *text, size_t length);
int proc_add_text(const char *name, void (*print)(proc_put put, void *context)) MUST_CHECK;

#endif
