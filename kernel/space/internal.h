#ifndef KERNEL_SPACE_INTERNAL_H
#define KERNEL_SPACE_INTERNAL_H

#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/user.h"
#include "kernel/memory/platform.h"
#include "kernel/space/space.h"
#include "kernel/thread/mutex.h"
#include "kernel/thread/thread.h"

/*
 * What the files of space share, and what their tests look at.
 *
 * An area is [start, end) with one kind of pages. Areas of a space are in a balanced tree ordered
 * by address, and in a list. The heights of two children differ by two at most, one more than in an
 * AVL tree: so an area that comes and goes does not turn the tree each time. Each area knows the
 * gap before it, and the largest gap in its subtree:
 *
 *      |  gap  |  area  |   gap   |  area  |      gap         |
 *      SPACE_START                                   SPACE_END
 *
 *      largest(area) = max(gap, largest(left), largest(right))
 *
 * so that a place for n bytes is found on one way down. The gap behind the last area is not in the
 * tree.
 */
struct area {
    struct area *left, *right, *parent;
    struct area *next, *previous;
    uint32_t start, end;
    uint32_t gap;     /* bytes from the area before it, or from SPACE_START */
    uint32_t largest; /* gap in the subtree */
    uint32_t flags;   /* AREA_* */
    struct backing *backing;
    uint32_t index; /* of the first page in the backing; 0 without one */
    uint32_t height;
};

/* The rights are PROT_*; the same shifted are those that mprotect may give at most. */
#define AREA_RIGHTS      (PROT_READ | PROT_WRITE | PROT_EXEC)
#define AREA_MAY(rights) ((uint32_t)(rights) << 4)
#define AREA_SHARED      (1u << 8) /* changes reach the backing */
#define AREA_CHARGED     (1u << 9) /* each page has a charge: it is, or was, private and writable */
#define AREA_NORESERVE   (1u << 10) /* never charged */
#define AREA_GROWS_DOWN  (1u << 11)
#define AREA_STACK       (1u << 12) /* made by space_map_stack: grows on what was charged then */
#define AREA_LOCKED      (1u << 13)
#define AREA_ON_FAULT    (1u << 14) /* locked as pages come */
#define AREA_DONT_FORK   (1u << 15)
#define AREA_WIPE        (1u << 16) /* the child of a fork finds it empty */
#define AREA_DONT_DUMP   (1u << 17)
#define AREA_ANONYMOUS   (1u << 18) /* no file, even if shared and so backed by an object */

struct space {
    struct paging_space paging; /* first: space_current */
    struct mutex lock;
    uint32_t references;

    struct area *root, *first, *last;
    struct area *recent; /* found last, or NULL */
    struct area *kept;   /* in no tree, for the next area, or NULL */
    uint32_t areas;

    /* Sums over the areas, in pages; one function changes them (area_account). */
    uint32_t size, data, locked;
    uint32_t size_peak, resident_peak;

    /* Charges: charged = pages of charged areas + slots that areas touch + stack_spare. */
    uint32_t charged;
    uint32_t stack_spare; /* charged for what the stack has not grown to yet */

    uint32_t brk_start, brk, brk_area_start;
    uint32_t stack_end, stack_floor; /* the stack never grows below the floor */
    uint32_t lock_future;            /* MCL_FUTURE and MCL_ONFAULT of mlockall, or 0 */
    struct space_limits limits;
    uint64_t faults_minor, faults_copy;

    struct space *next, *previous; /* of all spaces */
};

_Static_assert(offsetof(struct space, paging) == 0, "space_current");

#define SLOT_OF(address) ((address) / PAGE_LARGE_SIZE)

static inline uint32_t area_pages(const struct area *area)
{
    return (area->end - area->start) / PAGE_SIZE;
}

/* Where the gap before an area begins. */
static inline uint32_t area_gap_start(const struct area *area)
{
    return area->start - area->gap;
}

/* Where an area ends; for none, where a gap before the first begins. */
static inline uint32_t area_end_of(const struct area *area)
{
    return area != NULL ? area->end : SPACE_START;
}

/* ---- area.c: the tree ---- */
int areas_init(void) MUST_CHECK;
/* For a space, which keeps one that was freed for the next. NULL: no memory, or too many areas. */
struct area *area_new(struct space *space) MUST_CHECK;
void area_free(struct space *space, struct area *area); /* without its backing's reference */
void area_free_kept(struct space *space);

/* The first area that ends above the address; NULL if none does. O(log areas), O(1) if that is what
 * was found or inserted last. */
struct area *area_search(struct space *space, uint32_t address);
static inline struct area *area_find(struct space *space, uint32_t address)
{
    struct area *area = space->recent;
    if (area != NULL && address < area->end && address >= area_gap_start(area))
        return area;
    return area_search(space, address);
}

/* The area that holds the address, or NULL. */
static inline struct area *area_at(struct space *space, uint32_t address)
{
    struct area *area = area_find(space, address);
    return area != NULL && area->start <= address ? area : NULL;
}

/* In front of `next`, where it lies; NULL: behind all. Both O(log areas); neither looks at sums or
 * charges. */
void area_insert(struct space *space, struct area *area, struct area *next);
void area_remove(struct space *space, struct area *area);
/* An area of the tree begins or ends elsewhere, between its neighbours. O(log areas). */
void area_set_start(struct area *area, uint32_t start);
void area_set_end(struct area *area, uint32_t end);
/* The highest place for `bytes` in [low, high); 0: none. O(log areas). The area behind it is the
 * one found last. */
uint32_t area_place(struct space *space, uint32_t bytes, uint32_t low, uint32_t high);

/* ---- map.c ---- */
/* What counts as data: private, writable, and no stack. */
static inline bool is_data(uint32_t flags)
{
    return (flags & (PROT_WRITE | AREA_SHARED | AREA_GROWS_DOWN)) == PROT_WRITE;
}

/* Sums of the space when pages with these flags come, or go: then `pages` is negative, modulo 2^32.
 */
static inline void area_account(struct space *space, uint32_t flags, uint32_t pages)
{
    space->size += pages;
    if (is_data(flags))
        space->data += pages;
    if (flags & AREA_LOCKED)
        space->locked += pages;
}

/* Slots of 2 MiB that [start, end) touches and the areas around it do not: page tables to charge.
 */
static inline uint32_t table_charge(uint32_t start, uint32_t end, const struct area *previous,
                                    const struct area *next)
{
    uint32_t first = SLOT_OF(start), last = SLOT_OF(end - 1);
    if (previous != NULL && SLOT_OF(previous->end - 1) == first)
        first++;
    if (next != NULL && SLOT_OF(next->start) == last)
        last--;
    return last + 1 > first ? last + 1 - first : 0;
}

static inline MUST_CHECK int charge(struct space *space, uint32_t pages)
{
    if (pages != 0 && commit_charge(pages) != 0)
        return -ENOMEM;
    space->charged += pages;
    return 0;
}

static inline void uncharge(struct space *space, uint32_t pages)
{
    space->charged -= pages;
    if (pages != 0)
        commit_uncharge(pages);
}

/* Whether `add` more pages pass a limit in bytes. */
static inline bool is_beyond(uint32_t limit, uint32_t have, uint32_t add)
{
    return limit != SPACE_UNLIMITED && (uint64_t)have + add > limit / PAGE_SIZE;
}

/* Whether the limits let so many pages with these flags come. 0, -ENOMEM, -EAGAIN (locked). */
static inline MUST_CHECK int check_limits(const struct space *space, uint32_t flags, uint32_t pages)
{
    if ((flags & AREA_LOCKED) && is_beyond(space->limits.locked, space->locked, pages))
        return -EAGAIN;
    if (is_beyond(space->limits.address_space, space->size, pages) ||
        (is_data(flags) && is_beyond(space->limits.data, space->data, pages)))
        return -ENOMEM;
    return 0;
}

/* Makes a boundary at the address, if it is inside an area: 0, -ENOMEM. */
int area_split(struct space *space, uint32_t address) MUST_CHECK;
/* Joins an area with those that touch it and are of its kind; returns what it is in now. */
struct area *area_join(struct space *space, struct area *area);
/* Areas, or pages, are about to go: what the peaks were. */
static inline void note_size_peak(struct space *space)
{
    if (space->size > space->size_peak)
        space->size_peak = space->size;
}

static inline void note_peaks(struct space *space)
{
    const uint32_t resident = paging_user_pages(&space->paging);
    note_size_peak(space);
    if (resident > space->resident_peak)
        space->resident_peak = resident;
}

/* [start, end) is not mapped any more. 0, -ENOMEM. */
int unmap_range(struct space *space, uint32_t start, uint32_t end) MUST_CHECK;
/* Before pages of [start, end) are changed in part: tables of its own. 0, -ENOMEM. */
int take_tables(struct space *space, uint32_t start, uint32_t end) MUST_CHECK;
/* The pages of [start, end), which lies in an area with these flags, are not there any more.
 * Partial slots have tables of their own (take_tables). */
void clear_pages(struct space *space, uint32_t start, uint32_t end, uint32_t flags);
/* A hint or nothing: a place for bytes. 0: none. */
uint32_t place(struct space *space, uint32_t hint, uint32_t bytes, uint32_t flags);
/* ---- pages.c: user.h's calls, each in one piece for who looks from another thread ---- */
int map_page(struct space *space, uint32_t address, frame_t frame, uint32_t flags) MUST_CHECK;
frame_t replace_page(struct space *space, uint32_t address, frame_t frame, uint32_t flags);
void protect_pages(struct space *space, uint32_t start, uint32_t end, uint32_t rights);

/* ---- fault.c ---- */
enum access { ACCESS_READ, ACCESS_WRITE };
/* The page gets there, with the access that the area allows (asked before). */
enum space_fault bring_in(struct space *space, struct area *area, uint32_t address,
                          enum access access) MUST_CHECK;
/* All pages of [start, end) as far as there are any: for populate, mlock. 0, -ENOMEM (hole, or no
 * memory), -EFAULT (rights), -EAGAIN where `failure` says so. */
int populate(struct space *space, uint32_t start, uint32_t end, enum access access);
void zeros_init(void);
/* What entries of an area may do: PAGING_* for user.h. */
uint32_t area_paging_rights(uint32_t flags);

/* ---- page.c: contents of frames, wherever they lie ---- */
void page_clear(frame_t frame);
void page_copy(frame_t to, frame_t from);
void page_write(frame_t frame, uint32_t offset, const void *from, uint32_t bytes);
void page_read(frame_t frame, uint32_t offset, void *to, uint32_t bytes);

/* ---- shared.c: anonymous memory that spaces share ---- */
/* An object of so many pages, charged, with one reference; NULL: no memory. */
struct backing *shared_create(uint32_t pages) MUST_CHECK;
void shared_check(struct check *check);

/* ---- lock.c ---- */
/* Locks or unlocks the frames that are there. */
void lock_pages(struct space *space, uint32_t start, uint32_t end);
void unlock_pages(struct space *space, uint32_t start, uint32_t end);

/* The first of all spaces. */
extern struct space *space_first;

#endif
