#ifndef KERNEL_MEMORY_PAGEFRAME_PAGEFRAME_H
#define KERNEL_MEMORY_PAGEFRAME_PAGEFRAME_H

#include "kernel/memory/bytemap/bytemap.h"
#include "kernel/memory/e820/e820.h"

/*
 * Gives page frames out and takes them back. One allocator, the machine's. Every call is safe in an
 * interrupt handler unless it says otherwise, is bounded as it says, and changes nothing when it
 * returns an error.
 */

/* Arguments come in registers, also where the machine's convention has them on the stack: these
 * calls are so short that it shows. */
#ifdef __i386__
#define PAGEFRAME_CALL __attribute__((regparm(3)))
#else
#define PAGEFRAME_CALL
#endif

/* Where a frame must lie. "Anywhere" takes the highest zone first, to spare the frames that fewer
 * can replace. */
enum pageframe_where {
    PAGEFRAME_ANYWHERE,
    PAGEFRAME_BELOW_4G, /* what CR3 points at, devices with 32-bit addresses */
    PAGEFRAME_DIRECT,   /* in the direct view: page tables, whatever the kernel reads through a
                           pointer */
    PAGEFRAME_BELOW_16M,
    PAGEFRAME_BELOW_1M,
    PAGEFRAME_WHERE_COUNT
};

/* May be or-ed to enum pageframe_where: this caller must not fail, and may use the reserve. */
#define PAGEFRAME_MUST              (1u << 8)

#define PAGEFRAME_RUN_MAX           65536u
#define PAGEFRAME_RUN_MAX_ALIGNMENT 1024u /* frames: 4 MiB */
#define PAGEFRAME_REFERENCES_MAX    65535u
#define PAGEFRAME_LOCKS_MAX         65535u

/* Memory is plenty; short (below the low watermark: give caches back); scarce (only the reserve is
 * left). */
enum pageframe_pressure { PAGEFRAME_PLENTY, PAGEFRAME_SHORT, PAGEFRAME_SCARCE };

struct pageframe_statistics {
    uint32_t ram_frames;      /* all RAM: the sum over all states but absent */
    uint32_t free_frames;     /* free + zeroed */
    uint32_t reserve_frames;  /* of them, kept for PAGEFRAME_MUST */
    uint32_t promised_frames; /* of them, kept for pageframe_alloc_promised */
    uint32_t low_watermark_frames;
    uint32_t zone_free_frames[PAGEFRAME_WHERE_COUNT]; /* that such a caller could have */
    uint64_t allocations, frees; /* frames that were given out (taken ones too), that came back */
    uint64_t failures, refusals; /* calls: no memory; wrong, so refused */
};

/* Storage for everything but the bytemap, for a machine with this many frames, in bytes;
 * page-aligned when given. */
size_t pageframe_storage_bytes(uint32_t frames);

/*
 * After bytemap_init(). Enters RAM from the map: usable frames below `reach` (what the processor
 * can address) become free, those at or above it reserved, everything else absent. The storage must
 * lie in the direct view; the caller afterwards reserves or takes what is in use already
 * (pageframe_take). Returns the number of frames reserved for being out of reach. Not for interrupt
 * handlers.
 */
uint32_t pageframe_init(void *storage, const struct e820_map *map, uint32_t frames, frame_t reach);

/* Sets the reserve and the low watermark, in frames (clipped to a quarter of RAM). */
void pageframe_set_watermarks(uint32_t reserve, uint32_t low);
enum pageframe_pressure pageframe_pressure(void);

/*
 * One frame, or FRAME_NONE. The tag's state is from BYTEMAP_ALLOCATED up, its owner not NONE, else
 * the call is refused. The frame has one reference and no lock; its content is unspecified. O(1):
 * the same few steps whatever the amount of memory and however full it is.
 */
PAGEFRAME_CALL frame_t pageframe_alloc(unsigned where, bytemap_tag_t tag);

/*
 * A contiguous run of 1 <= frames <= PAGEFRAME_RUN_MAX, starting at a multiple of `alignment` (a
 * power of two up to PAGEFRAME_RUN_MAX_ALIGNMENT), ending at or below frame `limit` (FRAME_NONE: no
 * limit). FRAME_NONE if there is none or an argument makes no sense (which counts as refused).
 *
 * A run lies in one zone (bounds at 1 MiB, 16 MiB, the end of the direct view, 4 GiB). Up to 1024
 * frames: it is found if and only if a free block of 2^k frames at a multiple of 2^k starts where
 * the run can, 2^k being the next power of two from max(frames, alignment) up; what the run does
 * not need of the block stays free. Above: if and only if a free run starts at a multiple of 1024
 * frames. Worst case: a fixed number of steps for the search, or for more than 1024 frames the
 * zone's length / 32768; and a byte for each frame and a step for each 32 to mark them. When the
 * first search finds nothing, what is outside the index is put there and it searches again: one
 * step for each zone, then the frames zeroed ahead (at most 32).
 */
frame_t pageframe_alloc_run(uint32_t frames, uint32_t alignment, frame_t limit, unsigned where,
                            bytemap_tag_t tag);

/*
 * Takes the frames [first, first + count), which are known to hold something already (the kernel
 * image, the archive), out of the free ones. 0, -ERANGE (not all RAM), -EBUSY (not all free).
 * O(count). Boot and tests.
 */
int pageframe_take(frame_t first, uint32_t count, bytemap_tag_t tag) MUST_CHECK;

/*
 * Gives one frame, or a run, back. 0, or a refusal that changes nothing: -ERANGE no such RAM frame,
 * -EALREADY free already, -EPERM reserved or bad, -EBUSY locked or with more than one reference. A
 * run may be given back in parts; a run call checks all its frames first.
 */
PAGEFRAME_CALL int pageframe_free(frame_t frame) MUST_CHECK;
PAGEFRAME_CALL int pageframe_free_run(frame_t first, uint32_t frames) MUST_CHECK;

/* One more reference to a frame that is given out. 0, -ERANGE, -EINVAL (not given out), -EOVERFLOW.
 * O(1). */
int pageframe_reference(frame_t frame) MUST_CHECK;
/* One reference less; the last one frees the frame. The references left (0: it is free now), or as
 * pageframe_free. */
int pageframe_release(frame_t frame) MUST_CHECK;
/* 0 for a frame that is not given out. */
uint32_t pageframe_references(frame_t frame);
/* The first of many frames for which pageframe_reference would fail; `count` if all have one
 * reference more now. So many at a time as the caller can bear with interrupts off: O(count). */
uint32_t pageframe_reference_each(const frame_t *frames, uint32_t count) MUST_CHECK;

/* A frame that is given out stays locked while a count above zero says so. 0, -ERANGE, -EINVAL (not
 * given out; not locked), -EOVERFLOW. O(1). */
int pageframe_lock(frame_t frame) MUST_CHECK;
int pageframe_unlock(frame_t frame) MUST_CHECK;
uint32_t pageframe_locks(frame_t frame);

/* Free frames are withdrawn from use, and come back. 0, -ERANGE, -EBUSY (reserve: not all free),
 * -EINVAL (unreserve: not all reserved). All or nothing. O(count). */
int pageframe_reserve(frame_t first, uint32_t count) MUST_CHECK;
int pageframe_unreserve(frame_t first, uint32_t count) MUST_CHECK;

/* A free frame turned out to be faulty: it is never given out again. 0, -ERANGE, -EBUSY. */
int pageframe_retire(frame_t frame) MUST_CHECK;

/* Changes what a given-out frame is used for (state and owner); locks and references stay. 0,
 * -ERANGE, -EINVAL. */
int pageframe_retag(frame_t frame, bytemap_tag_t tag) MUST_CHECK;

/*
 * Zeroing ahead of time. pageframe_zero_one() takes a free frame in the direct view, clears it with
 * interrupts on, and puts it back as zeroed; false when there is none to zero, or enough are.
 * pageframe_alloc_zeroed() is pageframe_alloc with a frame in the direct view whose bytes are all
 * zero: one zeroed ahead if there is, else it clears one now.
 */
bool pageframe_zero_one(void);
frame_t pageframe_alloc_zeroed(unsigned where, bytemap_tag_t tag);

/*
 * Promises. pageframe_promise(n) keeps n free frames from everybody else, PAGEFRAME_MUST included:
 * 0, or -ENOMEM if so many are not free beside the reserve and what is promised already.
 * pageframe_alloc_promised is pageframe_alloc that takes its frame out of what is promised, and so
 * finds one wherever `where` leaves the choice; _zeroed the same with every byte zero, in the
 * direct view. pageframe_release_promised is pageframe_release after which a frame that it freed is
 * promised again. pageframe_unpromise lets go of frames that were not taken. The caller keeps count
 * of what he was promised: taking or letting go more is a broken invariant. O(1).
 */
int pageframe_promise(uint32_t frames) MUST_CHECK;
void pageframe_unpromise(uint32_t frames);
frame_t pageframe_alloc_promised(unsigned where, bytemap_tag_t tag) MUST_CHECK;
frame_t pageframe_alloc_promised_zeroed(bytemap_tag_t tag) MUST_CHECK;
/* Only a frame that was zeroed ahead: FRAME_NONE when there is none. */
frame_t pageframe_take_promised_zeroed(bytemap_tag_t tag) MUST_CHECK;
int pageframe_release_promised(frame_t frame) MUST_CHECK;
/* The same for many frames, each of which has a reference: so many at a time as the caller can bear
 * with interrupts off. O(count). */
void pageframe_release_promised_each(const frame_t *frames, uint32_t count);

void pageframe_read_statistics(struct pageframe_statistics *statistics);

/* The index agrees with the bytemap in both directions, free frames have neither references nor
 * locks, locked ones have a count, and all RAM adds up to what pageframe_init entered. */
void pageframe_check(struct check *check);

#endif
