#ifndef KERNEL_MEMORY_PAGING_PAGING_H
#define KERNEL_MEMORY_PAGING_PAGING_H

#include "kernel/memory/check.h"
#include "kernel/memory/memory.h"

/*
 * The only code that writes page-table entries. PAE: four top entries, then directories, then
 * tables, 512 entries of 64 bits each (Intel SDM 3A, 4.4). A range is [start, start + pages *
 * PAGE_SIZE), page-aligned. Every call that changes something does all of it or nothing, leaves the
 * TLB right, and may be made from an interrupt handler. It takes one frame of pageframe for each
 * table that is missing or large page that is cut.
 *
 * Calls on one page are one step with interrupts off. Calls on a range let interrupts in: all is
 * checked and every table is had first, then the pages change from the lowest up, in steps of at
 * most 32 small pages or one large one. What comes in between, an interrupt handler or another
 * thread, sees each page of the range as it was or as it will be, never half an entry; until the
 * call returns, the processor may still use what it was. It finds books and page tables that fit
 * together, so paging_check may be called. It may call for other pages, those of the same tables
 * and of the same large pages too. It must not change pages of the range: who maps, unmaps or
 * protects has a lock for that part of the address space, or is alone. What comes of it otherwise
 * is not specified; an assertion finds a page that was mapped, or a large page that was changed,
 * meanwhile.
 */
#define PAGE_SIZE       4096u
#define PAGE_LARGE_SIZE 0x200000u

/* Of the user and library rows together. */
#define PAGING_USER_SLOTS ((uint32_t)((MAP_LIBRARY_END - MAP_USER_START) / PAGE_LARGE_SIZE))

/* Rights and cache type of a page. Readable is implied. Pages of kernel rows are global where the
 * processor can. */
#define PAGING_WRITE           (1u << 0)
#define PAGING_EXECUTE         (1u << 1)
#define PAGING_USER            (1u << 2)
#define PAGING_WRITE_COMBINING (1u << 3) /* neither this nor the next: write-back */
#define PAGING_UNCACHED        (1u << 4)
#define PAGING_SMALL           (1u << 5) /* never use a 2 MiB page; means nothing to paging_protect */

/* How much is mapped in a part of the map: pages, and the sum of their leaf entries without the
 * accessed and dirty bits, modulo 2^64, by which paging_check finds an entry that something else
 * wrote. */
struct paging_books {
    uint32_t pages;
    uint64_t sum;
};

/* An address space: its four-entry top and its own first directory (kernel, user and library rows;
 * the other three directories are shared by all). */
struct paging_space {
    paddr_t root;                 /* physical address of the four entries: what CR3 holds */
    frame_t directory;            /* the first directory */
    struct paging_books books[2]; /* of the user and the library row */

    /* Kept by user.h alone, and zero in paging_kernel. */
    struct paging_space *next, *previous; /* of all others */
    uint32_t tables;                      /* that directory entries of own rows name */
    uint32_t own_pages;                   /* entries with PAGING_OWN */
    struct {
        uint16_t used; /* entries that are not zero */
        uint16_t own;
    } slots[PAGING_USER_SLOTS]; /* for each 2 MiB of the two rows */
};

extern struct paging_space paging_kernel; /* the space of boot, the idle thread and the monitor */

/* What maps an address. */
struct paging_translation {
    bool present;
    paddr_t physical; /* of the address itself, not of its page */
    uint32_t flags;   /* PAGING_* as in effect, through all levels */
    bool large;       /* a 2 MiB page */
    bool global;
    bool accessed;
    bool dirty;
};

/*
 * Makes paging_kernel, empty, from frames of pageframe, with the page tables of the heap's row for
 * as much as the machine's RAM could ever fill, and those of the stack. Does not load it.
 * Precondition: pageframe works, platform_features is filled. 0 or -ENOMEM. Boot only.
 */
int paging_init(void) MUST_CHECK;

/* Makes the space current: CR3. The only way, because TLB entries of a space's own rows are flushed
 * only if the space is current. */
void paging_load(const struct paging_space *space);

/*
 * Maps the range to the frames from `first` on, in 2 MiB pages where both sides are aligned, the
 * row allows it, no table is there yet and PAGING_SMALL is not given. In this order: -EINVAL
 * (misaligned, no pages), -ERANGE (wraps), -EINVAL (flags that contradict each other: write and
 * execute together, two cache types), -ERANGE (a row that is never mapped), -EINVAL (what the row
 * forbids: a user right in a supervisor row or none in a user row, other rights or another cache
 * type than the map says, a frame other than that of the same address in rows where that is fixed),
 * -ERANGE (frames beyond the processor's physical width), -EEXIST (some page is mapped), -ENOMEM
 * (no frame for a table); 0. In the MMIO and temporary rows, use the calls below: paging_check
 * reports pages there that they did not hand out.
 */
int paging_map(struct paging_space *space, uintptr_t start, frame_t first, uint32_t pages,
               uint32_t flags) MUST_CHECK;

/* One 4 KiB page; the short path of the heap and of page faults. As paging_map. O(1), and
 * pageframe_alloc_zeroed once, interrupts as the caller has them, where the table is missing. */
int paging_map_page(struct paging_space *space, uintptr_t address, frame_t frame,
                    uint32_t flags) MUST_CHECK;

/* Unmaps the range; what was mapped there stays its owner's. A 2 MiB page that is cut is split
 * first: at most two for a range. 0, -EINVAL (misaligned, no pages), -ERANGE (wraps), -ENOENT (some
 * page is not mapped), -ENOMEM (no frame to split with). Tables stay. */
int paging_unmap(struct paging_space *space, uintptr_t start, uint32_t pages) MUST_CHECK;

/* Unmaps one 4 KiB page and returns the frame that was there; FRAME_NONE if none was, or if a 2 MiB
 * page is. O(1), one INVLPG. */
frame_t paging_unmap_page(struct paging_space *space, uintptr_t address) MUST_CHECK;

/* Gives the range other rights and cache type; pages that have them already are left alone. 0, or
 * as paging_unmap, or as paging_map for flags that the row forbids. Before another cache type, the
 * caller flushes the caches. */
int paging_protect(struct paging_space *space, uintptr_t start, uint32_t pages,
                   uint32_t flags) MUST_CHECK;

/* What maps the address, if anything. O(1). Without no-execute, everything present is executable.
 */
struct paging_translation paging_query(const struct paging_space *space, uintptr_t address);

/* The raw entries on the way to an address, for those who show them. levels: how many were read (1
 * to 3). */
struct paging_walk {
    unsigned levels;
    uint64_t entries[3]; /* top, directory, table */
};
struct paging_walk paging_walk(const struct paging_space *space, uintptr_t address);

/* Calls visit for each maximal stretch [start, end) of equal flags, size and consecutive frames, in
 * ascending order, until it returns false. O(number of entries present). */
typedef bool (*paging_visitor)(void *context, uint32_t start, uint64_t end,
                               const struct paging_translation *first);
void paging_visit(const struct paging_space *space, paging_visitor visit, void *context);

/* Frames that hold page tables (directories and the top included, and those that a call under way
 * has ready). */
uint32_t paging_table_frames(void);

/*
 * Device registers: maps [physical, physical + bytes), any alignment, into the MMIO row, uncached,
 * never executable, and returns a pointer to its first byte; NULL if the row is full, if RAM or the
 * firmware's image below 1 MiB lies there, if it is beyond the processor's reach, or if there is no
 * memory for tables. The page after it stays unmapped. A device that several ask for is mapped once
 * for each. O(pages of the row / 32 + pieces in it + pages). Unmapping takes what mapping returned,
 * and as many bytes: anything else is the caller's bug and panics; NULL is nothing.
 */
volatile void *paging_map_device(paddr_t physical, uint32_t bytes) MUST_CHECK;
void paging_unmap_device(volatile void *registers, uint32_t bytes);

/*
 * Short-lived views of `pages` consecutive frames in the temporary row: frames above the direct
 * view, firmware tables. NULL if the row or memory for tables is exhausted. Bounded as
 * paging_map_device. The flags' cache type must be the one that the frames are mapped with
 * elsewhere.
 */
void *paging_map_temporary(frame_t first, uint32_t pages, uint32_t flags) MUST_CHECK;
void paging_unmap_temporary(void *view, uint32_t pages);

/*
 * Walks every entry of the space: reserved bits, table frames in state page table and reached once,
 * as many as the bytemap counts, rights and cache types as the row prescribes, guards absent, no
 * leaf outside the direct view that reaches a free frame, no writable and executable page, no
 * writable view of what the kernel executes or keeps constant, no frame with two cache types, no
 * direct view of what is not managed RAM; heap frames mapped once, and all of them; each given-out
 * RAM frame is mapped outside the direct and temporary rows at most as often as it has references;
 * and the entries of each row add up to what was written there, so that one wrong bit anywhere is
 * found. Accessed and dirty mean nothing, nor does bit 5 of a top entry. `scratch` has
 * paging_check_scratch_bytes(frames) bytes, `frames` as bytemap_frames(). O(RAM + entries), with
 * interrupts off; not from two places at once.
 */
/* All other spaces are checked with it: their directories have the kernel's entries, tables as many
 * references as directory entries name them, no own page is writable in two spaces; and their own
 * counts add up. */
size_t paging_check_scratch_bytes(uint32_t frames);
void paging_check(const struct paging_space *space, void *scratch, struct check *check);
/* How many references to frames of programs (allocated, user or library) the last paging_check did
 * not find as entries: 0, if nobody is between having such a frame and mapping it. */
uint32_t paging_check_unmapped(void);

#endif
