#ifndef KERNEL_MEMORY_PAGING_INTERNAL_H
#define KERNEL_MEMORY_PAGING_INTERNAL_H

#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/bytemap/bytemap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/entry.h"

/*
 * What the files of paging share, and what their tests look at.
 *
 * Inside, virtual memory is counted in pages: 20 bits, so that 4 GiB is an ordinary number.
 *
 *      19 18 17           9 8          0
 *    +-----+--------------+-----------+
 *    | top |  directory   |   table   |     of an address: page << 12 | offset
 *    +-----+--------------+-----------+
 *
 * The 512 pages of one directory entry are called a slot.
 */
#define TABLE_ENTRIES        512u
#define TOP_ENTRIES          4u
#define SLOTS                (TOP_ENTRIES * TABLE_ENTRIES)
#define SLOT_PAGES           TABLE_ENTRIES
#define PAGES_END            (uint32_t)(MAP_TOP_END / PAGE_SIZE)
#define PAGE_OF(address)     ((uint32_t)((address) / PAGE_SIZE))
#define PAGING_DIRECT_FRAMES PAGE_OF(MAP_DIRECT_END - MAP_DIRECT_START)
#define PAGING_TABLE_TAG     BYTEMAP_TAG(BYTEMAP_PAGE_TABLE, BYTEMAP_KERNEL)

/* Beyond this many changed leaves, one full flush is cheaper than one INVLPG each. */
#define PAGING_FLUSH_MAX 32u

/* So many small pages a call on a range changes with interrupts off, at most: what is done in about
 * 700 instructions. */
#define PAGING_MAP_STEP     64u
#define PAGING_UNMAP_STEP   32u
#define PAGING_PROTECT_STEP 20u

static inline uint32_t page_address(uint32_t page)
{
    return page * PAGE_SIZE;
}

/* The end of the slot that holds the page, or `end` if that comes first. */
static inline uint32_t slot_end(uint32_t page, uint32_t end)
{
    uint32_t next = (page | (SLOT_PAGES - 1)) + 1;
    return next < end ? next : end;
}

/* Kernel rows are the same in every space; the others are the space's own. */
static inline bool is_private_page(uint32_t page)
{
    return page >= PAGE_OF(MAP_USER_START) && page < PAGE_OF(MAP_LIBRARY_END);
}

/* Frames from here on cannot be named by an entry on this processor. */
static inline frame_t paging_frame_limit(void)
{
    const unsigned bits = platform_features.physical_bits - FRAME_SHIFT;
    return bits < 32 ? 1u << bits : FRAME_NONE;
}

/* What may lie behind a page of a row. */
enum paging_backing {
    BACKING_NOTHING,  /* the row is never mapped */
    BACKING_FIRMWARE, /* what the firmware keeps, or reserved RAM */
    BACKING_HEAP,     /* heap frames, each once */
    BACKING_KERNEL,   /* frames allocated by the kernel */
    BACKING_DEVICE,   /* no RAM */
    BACKING_PROCESS,  /* frames allocated or of a file; device memory only with a cache type of its
                         own */
    BACKING_MANAGED,  /* any RAM, free too */
    BACKING_VIEW,     /* anything that is not free */
    BACKING_SHADOW    /* frames allocated by the kernel, each as often as it likes: most of a shadow
                         is one frame of zeros */
};

#define FRAMES_ANY UINT32_MAX

/* The policy of a row or of a part of one: [page, end), the rights it must and may have, what backs
 * it. */
struct paging_policy {
    uint32_t page;
    uint32_t end;
    uint32_t required; /* PAGING_* */
    uint32_t allowed;  /* required ones included; PAGING_SMALL: 4 KiB pages only */
    uint32_t offset;   /* page - frame where that is fixed, else FRAMES_ANY */
    enum paging_backing backing;
};

#define POLICY_COUNT 20
#define POLICY_USER  13 /* the user row's: where a search begins that need not look below */
extern const struct paging_policy paging_policies[POLICY_COUNT];

/* The policy that holds for a page below PAGES_END, searched from one that ends above some lower
 * page. Bounded by POLICY_COUNT. */
static inline const struct paging_policy *policy_from(const struct paging_policy *policy,
                                                      uint32_t page)
{
    while (page >= policy->end)
        policy++;
    return policy;
}

static inline const struct paging_policy *policy_of(uint32_t page)
{
    const bool is_low = page < PAGE_OF(MAP_USER_START);
    return policy_from(is_low ? paging_policies : paging_policies + POLICY_USER, page);
}

/* 0, -ERANGE or -EINVAL as paging_map says. Bounded by POLICY_COUNT. */
int policy_check_map(uint32_t page, uint32_t end, frame_t first, uint32_t flags);
int policy_check_map_page(const struct paging_policy *policy, uint32_t page, frame_t frame,
                          uint32_t flags);
int policy_check_protect(uint32_t page, uint32_t end, uint32_t flags);

/* Whether every part of the range may have 2 MiB pages. */
bool policy_allows_large(uint32_t page, uint32_t end);

/*
 * The books: for each policy, how many pages are mapped, and the sum of their leaf entries without
 * A and D, modulo 2^64. A leaf that anything but paging.c changed makes the sum wrong. One function
 * changes them, with interrupts off, in the same stretch as the entries.
 */
const struct paging_books *books_of(const struct paging_space *space,
                                    const struct paging_policy *policy);
void books_add(struct paging_space *space, const struct paging_policy *policy, uint32_t pages,
               uint64_t sum);

/*
 * Frames for tables that one operation is going to need, all had before its first change: linked
 * through their first entries. {0} is none.
 *
 * Interrupts come on between having a table and entering it, so a check may see frames in state
 * page table that nothing names. paging_spares counts them: what operations under way have
 * announced that they take, and have neither entered nor given back. Where nothing is under way it
 * is 0.
 */
struct spare_tables {
    frame_t first;
    uint32_t count;
};
extern uint32_t paging_spares;
int spare_take(struct spare_tables *spare,
               uint32_t count) MUST_CHECK;        /* all, or none and -ENOMEM */
void spare_give_back(struct spare_tables *spare); /* what is left */
frame_t spare_pop(struct spare_tables *spare);    /* an empty table, entered before interrupts come
                                                     on; with interrupts off */

frame_t directory_frame(const struct paging_space *space, uint32_t top);
union paging_entry *directory_entry(const struct paging_space *space, uint32_t page);
/* What it says, whole: it may be changed by an interrupt handler that works on other pages of its
 * slot. */
uint64_t directory_read(const struct paging_space *space, uint32_t page);
/* The entry of the page in the table that a directory entry names. */
union paging_entry *table_entry(uint64_t directory_entry, uint32_t page);

/* The only writers of directory entries. The first returns what it wrote. */
uint64_t directory_enter_table(struct paging_space *space, uint32_t page, frame_t table);
void directory_set_large(struct paging_space *space, uint32_t page, uint64_t entry);
/* Other rights, or none for rights 0; by how much the entry has changed, modulo 2^64. */
uint64_t directory_change_large(struct paging_space *space, uint32_t page, uint64_t rights);
/* The large page, if there still is one, becomes a table of the spare ones. Interrupts as the
 * caller has them, but for O(1) instructions. */
void directory_split(struct paging_space *space, uint32_t page, struct spare_tables *spare);

/* space.c: spaces beside paging_kernel. What they have in frames: tables, directories, tops. */
extern uint32_t paging_space_frames;
void spaces_init(void);
/* After a change of a kernel row's entry in paging_kernel's first directory: all others get it;
 * whether there are any. With interrupts off. O(spaces). */
bool spaces_publish(uint32_t page);
/* Frames of tops: the one at `index`, and whether the 32 bytes at `at` of it are a space's;
 * FRAME_NONE behind the last. The first is paging_kernel's. */
#define TOP_SIZE     (TOP_ENTRIES * (uint32_t)sizeof(union paging_entry))
#define TOPS_A_FRAME (FRAME_SIZE / TOP_SIZE)
#define TOP_FRAMES   64u
frame_t tops_frame(uint32_t index);
bool tops_is_taken(uint32_t index, uint32_t at);

/* The space whose root is loaded; NULL before the first. */
extern const struct paging_space *paging_loaded;

/* A row whose pages are handed out in pieces, by a bitmap: set bits are taken. Each piece has one
 * page after it that is taken and never mapped. */
struct window {
    uint32_t page;   /* first of the row */
    uint32_t pages;  /* of the row: a multiple of 32 */
    uint32_t *taken; /* pages / 32 words */
    uint32_t pieces; /* handed out */
    uint32_t taken_pages;
    uint32_t moving; /* pieces that are being mapped or unmapped */
};
#define WINDOW_COUNT 2
extern struct window paging_windows[WINDOW_COUNT]; /* device, temporary */
void windows_init(void);
bool window_is_taken(const struct window *window, uint32_t page);

#endif
