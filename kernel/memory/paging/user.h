#ifndef KERNEL_MEMORY_PAGING_USER_H
#define KERNEL_MEMORY_PAGING_USER_H

#include "kernel/memory/paging/paging.h"

/*
 * Address spaces of programs, and the pages of their own rows (user and library). Only this
 * interface writes those rows of a space that paging_space_create made.
 *
 * A space has its own first directory; entries of kernel rows are the same in all, and a change of
 * one goes to every first directory with interrupts off. Its four-entry top is a slot of 32 bytes
 * in a frame that many share.
 *
 * References. An entry holds one reference to its frame, a directory entry one to its table: a
 * frame's count is the number of entries in distinct tables (and what other owners hold), a table's
 * count the number of directory entries that name it.
 *
 *      space A   directory --W=0--+                      unshared by a write of B:
 *                                 +--> table, count 2    A --W=0--> table, count 1
 *      space B   directory --W=0--+                      B --W=1--> copy, its frames counted once
 *                                                                   more, own pages read-only
 *
 * A table with more than one reference is never written. Before any change a space takes a table of
 * its own (paging_user_take_tables, and each call that changes entries): a copy if others use it,
 * else the table itself. So the invariant:
 *
 *      a directory entry is writable only if nobody shares its table, and then every writable own
 *      page in it has one reference
 *
 * Frames for tables come out of what the caller has been promised (pageframe_promise), and go back
 * into it: he is promised one for each slot of 2 MiB in which he may have entries.
 *
 * Calls that work on a range do a step: a table or at most PAGING_USER_STEP entries. Nobody else
 * may work on the space, on a space that shares its tables, or on the tables' frames meanwhile:
 * preemption is off. Not for interrupt handlers. Ranges are page-aligned and lie in the two rows.
 */
#define PAGING_USER_STEP 64u

/* More of PAGING_*, for these calls. */
#define PAGING_OWN    (1u << 6) /* the page is the space's own: a private copy, not an object's */
#define PAGING_SHARED (1u << 7) /* in rights: PAGING_WRITE is for pages that are not own, too */
#define PAGING_HIDDEN (1u << 8) /* not accessible, though its frame stays: PROT_NONE */

/* What clears a table's 4096 bytes from now on: the port may know a faster way than memset. */
void paging_user_use_clear(void (*clear)(void *page));

/* An empty space, not loaded: one frame, and a slot of another. 0, -ENOMEM. */
int paging_space_create(struct paging_space *space) MUST_CHECK;
/* Its own rows are empty. If it is loaded, the kernel's is loaded instead. */
void paging_space_destroy(struct paging_space *space);

/* What stands in a page's entry: flags 0 is nothing; else PAGING_USER and PAGING_* in effect,
 * PAGING_OWN, PAGING_HIDDEN. PAGING_WRITE is not in effect while the table is shared. O(1). */
enum paging_user_table { PAGING_TABLE_NONE, PAGING_TABLE_SHARED, PAGING_TABLE_OWN };
struct paging_user_page {
    frame_t frame;
    uint32_t flags;
    enum paging_user_table table; /* where it stands, or would stand */
    bool accessed, dirty;
};
struct paging_user_page paging_user_find(const struct paging_space *space, uint32_t address);

/* The space's table of the address becomes its own, if there is one: 0, -ENOMEM. One step of 512
 * entries. */
int paging_user_take_table(struct paging_space *space, uint32_t address) MUST_CHECK;
static inline uint32_t paging_user_slot(uint32_t address)
{
    return (address - (uint32_t)MAP_USER_START) / PAGE_LARGE_SIZE;
}
/* Whether there is a table that is not its own. */
bool paging_user_is_shared(const struct paging_space *space, uint32_t address);

/* Nothing stands there yet. The caller's reference becomes the entry's. flags: PAGING_WRITE,
 * _EXECUTE, _OWN. 0, -ENOMEM (no table). O(1), and a table taken. */
int paging_user_map(struct paging_space *space, uint32_t address, frame_t frame,
                    uint32_t flags) MUST_CHECK;

/* Something stands there, in a table of its own: another frame with other flags. The reference of
 * the frame that is returned is the caller's now, and the processor has forgotten it. O(1). */
frame_t paging_user_replace(struct paging_space *space, uint32_t address, frame_t frame,
                            uint32_t flags);

/* What frames do that entries let go of. */
enum paging_release {
    PAGING_RELEASE_FREE,   /* as pageframe_release */
    PAGING_RELEASE_PROMISE /* own pages as pageframe_release_promised */
};

/* Takes entries out of [start, end), which lies in one slot, in a table of its own or shared: if
 * shared, [start, end) is the whole slot, or holds all that the table has. Frames are released
 * after the processor has forgotten them; an empty table goes back. Returns where it stopped: end,
 * or behind PAGING_USER_STEP entries. */
uint32_t paging_user_clear(struct paging_space *space, uint32_t start, uint32_t end,
                           enum paging_release release);

/* Gives the entries of [start, end), in one slot and a table of its own, other rights:
 * PAGING_WRITE, _EXECUTE, _SHARED, _HIDDEN. Own pages that have more than one reference stay
 * read-only. Returns where it stopped. */
uint32_t paging_user_protect(struct paging_space *space, uint32_t start, uint32_t end,
                             uint32_t rights);

/* Moves the entries of [from, from + bytes) to `to`, where nothing stands. Both in one slot each,
 * the source in a table of its own. 0 or -ENOMEM; then nothing has moved. At most PAGING_USER_STEP
 * pages. The processor forgets the source at paging_user_forget. */
int paging_user_move(struct paging_space *space, uint32_t from, uint32_t to,
                     uint32_t bytes) MUST_CHECK;

/* The same for a whole table, by its directory entry: true if all that it has lies in the range,
 * both addresses lie equally in their slots and in one row, and there is no table at `to`. */
bool paging_user_move_table(struct paging_space *space, uint32_t from, uint32_t to,
                            uint32_t bytes) MUST_CHECK;

/* The child, which has nothing, shares the parent's tables, but for the slots in the bitmap.
 * O(slots), and O(512) for each slot that is left out. */
void paging_user_share(struct paging_space *parent, struct paging_space *child,
                       const uint32_t apart[PAGING_USER_SLOTS / 32]);

/* For a space that is about to be destroyed: lets go of a slot's table, and true, if there is none
 * or others share it; else paging_user_clear is to be called. The space's sums are wrong
 * afterwards. O(1). */
bool paging_user_abandon(struct paging_space *space, uint32_t slot) MUST_CHECK;

/* The processor forgets what it knows of the space's own rows, if it is loaded. */
void paging_user_forget(const struct paging_space *space);

/* The first address from `address` on, below `end`, where something stands; `end` if nothing does.
 * O(slots + entries on the way). */
uint32_t paging_user_next(const struct paging_space *space, uint32_t address, uint32_t end);

/* Pages that stand in its rows; of them its own ones; tables that its directory names. */
uint32_t paging_user_pages(const struct paging_space *space);
uint32_t paging_user_own_pages(const struct paging_space *space);
uint32_t paging_user_tables(const struct paging_space *space);

/* All spaces that paging_space_create made, in no order; NULL after the last. */
struct paging_space *paging_space_first(void);
struct paging_space *paging_space_next(const struct paging_space *space);

#endif
