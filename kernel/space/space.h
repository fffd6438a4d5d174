#ifndef KERNEL_SPACE_SPACE_H
#define KERNEL_SPACE_SPACE_H

#include "kernel/memory/check.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/space/backing.h"
#include "kernel/space/commit.h"
#include "kernel/space/mman.h"
#include "kernel/thread/thread.h"

/*
 * A process's address space: areas of the user and the library row, what backs them, the faults
 * that fill them, and the charges that make sure they can be filled. Memory management only: knows
 * no program, no scheduler but its locks, no file but as a backing.
 *
 * User addresses are uint32_t, lengths are bytes. Calls that return an address return it, or a
 * negative error, as int32_t: user addresses end at 0x30000000. All or nothing, but for what the
 * manual pages say happens in part (protect, lock, advise over holes). Each call takes the space's
 * lock, which sleeps: threads only, no interrupt handlers, and never while holding another space's.
 * Work on areas is O(log areas); work on pages goes in steps of at most 64 pages or one page table,
 * between which the thread can be preempted. Copies from and to user memory: usercopy.h.
 */
struct space;

#define SPACE_START     ((uint32_t)MAP_USER_START)
#define SPACE_END       ((uint32_t)MAP_LIBRARY_END)
#define SPACE_GUARD     0x100000u /* below what grows down: nothing else is placed there */
#define SPACE_AREAS_MAX 65530u    /* as Linux's vm.max_map_count */
#define SPACE_UNLIMITED UINT32_MAX

/* ---- its life ---- */

int space_init(void) MUST_CHECK; /* once, after heap_init: 0 or -ENOMEM */

/* Empty, with one reference; NULL: no memory. At most 3 frames. */
struct space *space_create(void) MUST_CHECK;
void space_hold(struct space *space);

/* The last reference tears it down, in preemptible steps; by then no thread runs in it. */
void space_drop(struct space *space);

/* A copy: areas, private pages copy-on-write, page tables shared until one of the two changes them.
 * Locks are not inherited. 0, -ENOMEM. */
int space_fork(struct space *parent, struct space **child) MUST_CHECK;

/* For the thread that runs in it. */
struct paging_space *space_paging(struct space *space);

/* The space that the running thread runs in; NULL: a kernel thread's. */
static inline struct space *space_current(void)
{
    return (struct space *)thread_current()->paging; /* its first member */
}

/* Bytes; SPACE_UNLIMITED is none. Take effect at the next call that would pass them. */
struct space_limits {
    uint32_t address_space; /* RLIMIT_AS */
    uint32_t data;          /* RLIMIT_DATA: private writable, brk included */
    uint32_t stack;         /* RLIMIT_STACK */
    uint32_t locked;        /* RLIMIT_MEMLOCK */
};
void space_set_limits(struct space *space, const struct space_limits *limits);

/* ---- exec ---- */

/* The stack's area: its top at the end of the user row, [stack_end - initial, stack_end) mapped and
 * growing on demand to the limit, which is charged now. The end of it, or -ENOMEM (something else
 * is there, too). Once. */
int32_t space_map_stack(struct space *space, uint32_t initial_bytes) MUST_CHECK;

/* Where brk begins (rounded up to a page): behind the program's image. Once. */
void space_set_brk(struct space *space, uint32_t start);

/* Writes and reads a space that need not be loaded, as its program could. 0, -EFAULT. */
int space_write(struct space *space, uint32_t to, const void *from, size_t bytes) MUST_CHECK;
int space_read(struct space *space, void *to, uint32_t from, size_t bytes) MUST_CHECK;

/* ---- the calls; errors as the manual pages say ---- */

/* mmap2. backing NULL: anonymous, private or shared; else `index` is the first page, and the
 * area takes a reference of its own. `maximum` is the rights that mprotect may ever give a shared
 * file mapping (PROT_*); for anything else all of them. With MAP_POPULATE and MAP_LOCKED pages are
 * brought in as far as there are any. */
struct space_mapping {
    uint32_t address, length;
    uint32_t protection, flags, maximum;
    struct backing *backing;
    uint32_t index;
};
int32_t space_map(struct space *space, const struct space_mapping *mapping) MUST_CHECK;
/* What space_map would say for a file that does not allow the mapping: what is wrong with the place
 * comes first. */
int space_refuse(struct space *space, const struct space_mapping *mapping, int refusal) MUST_CHECK;
int space_unmap(struct space *space, uint32_t start, uint32_t length) MUST_CHECK;
int space_protect(struct space *space, uint32_t start, uint32_t length,
                  uint32_t protection) MUST_CHECK;
int32_t space_remap(struct space *space, uint32_t old_address, uint32_t old_length,
                    uint32_t new_length, uint32_t flags, uint32_t new_address) MUST_CHECK;
int space_advise(struct space *space, uint32_t start, uint32_t length, uint32_t advice) MUST_CHECK;
int space_sync(struct space *space, uint32_t start, uint32_t length, uint32_t flags) MUST_CHECK;
/* One byte a page from `start` on: bit 0 says that it is in memory. -ENOMEM: not all are mapped. */
int space_incore(struct space *space, uint32_t start, uint32_t pages, uint8_t *vector) MUST_CHECK;
int space_lock(struct space *space, uint32_t start, uint32_t length, uint32_t flags) MUST_CHECK;
int space_unlock(struct space *space, uint32_t start, uint32_t length) MUST_CHECK;
int space_lock_all(struct space *space, uint32_t flags) MUST_CHECK;
int space_unlock_all(struct space *space) MUST_CHECK;
/* The end of the heap afterwards: the one asked for, or the old one where that cannot be. */
uint32_t space_brk(struct space *space, uint32_t end);

/* ---- faults ---- */

/* What became of a page fault: nothing more to do, or the signal's code. */
enum space_fault {
    SPACE_FAULT_DONE,
    SPACE_FAULT_MAPERR,   /* SIGSEGV, SEGV_MAPERR: nothing there */
    SPACE_FAULT_ACCERR,   /* SIGSEGV, SEGV_ACCERR: not with these rights */
    SPACE_FAULT_BUS,      /* SIGBUS, BUS_ADRERR: beyond the end of the object, or it failed */
    SPACE_FAULT_NO_MEMORY /* SIGBUS: memory that was mapped with MAP_NORESERVE is not there */
};

/* `error_code` as the processor pushes it (PAGE_FAULT_* of kernel/cpu/trap.h). Interrupts on. One
 * fault maps one page. May sleep. */
enum space_fault space_fault(struct space *space, uint32_t address, uint32_t error_code) MUST_CHECK;

/* ---- what it holds ---- */

struct space_statistics {
    /* Pages. */
    uint32_t size, size_peak;
    uint32_t resident, resident_peak, resident_private; /* private: of it, the space's own pages */
    uint32_t locked, data, stack, text, libraries;
    uint32_t page_tables; /* frames, directory included; shared ones too */
    uint32_t charged;     /* pages promised to it, tables included */
    uint32_t areas;
    uint32_t brk_start, brk, stack_end;
    uint64_t faults_minor, faults_copy; /* resolved; of them, those that copied */
};
void space_read_statistics(struct space *space, struct space_statistics *statistics);

/* One area, for /proc/<pid>/maps and smaps. */
struct space_area {
    uint32_t start, end;
    uint32_t protection, flags; /* PROT_*; MAP_SHARED or MAP_PRIVATE, MAP_GROWSDOWN, MAP_LOCKED,
                                   MAP_NORESERVE, MAP_ANONYMOUS */
    uint32_t index;             /* of its first page in the backing */
    struct backing_description backing;
    bool is_heap, is_stack;
    uint32_t resident, resident_private, dirty, referenced, shared_frames; /* pages; only with
                                                                              SPACE_VISIT_COUNT */
};
#define SPACE_VISIT_COUNT (1u << 0) /* walk each area's pages too */

/* Areas from `from` on in ascending order, until visit returns false; visit does not sleep and does
 * not touch user memory. */
typedef bool (*space_visitor)(void *context, const struct space_area *area);
void space_visit_areas(struct space *space, uint32_t from, unsigned what, space_visitor visit,
                       void *context);

/*
 * Every space, from first principles: the tree is ordered, balanced and its gaps are right; areas
 * lie in the two rows, are page-aligned and not both writable and executable; every entry lies in
 * an area whose rights, backing and privacy it has; resident pages = sum of the areas' entries;
 * charges recomputed area by area and table by table equal those kept; private frames have as many
 * references as there are entries that name them. Part of memory_check. O(all entries).
 */
void space_check(struct check *check);

/* So many hold it, at least: it is one of the spaces, and its references say so too. O(spaces). */
void space_check_holders(const struct space *space, uint32_t holders, struct check *check);

/* Pages that spaces are charged with: their part of commit_charged_pages. Between two steps of a
 * call it may be less. O(spaces). */
uint32_t space_charged_pages(void);

#endif
