#ifndef TESTS_MODEL_MODEL_H
#define TESTS_MODEL_MODEL_H

#include "kernel/include/types.h"

/*
 * The memory core as lists and loops: frames with references and locks, runs, the reserve,
 * mappings, objects of the heap. It makes each call on the real core too, works out by itself what
 * may come of it, and says where the two differ. It owns what it made, and takes what was there
 * before as given: so it runs on the host and in a machine that has a kernel in it, as long as
 * nobody else allocates meanwhile. Pure C; no memory but its own.
 *
 * What a call works on is a slot: slots of frames (a run each) and slots of objects are numbered
 * from 0. A call on an empty slot, or a second allocation into one, is nothing.
 */
#define MODEL_SLOTS      64u
#define MODEL_RUN_FRAMES 512u  /* at most, in one slot */
#define MODEL_PAGES      1536u /* of the window for mappings */

enum model_kind {
    MODEL_FRAME,      /* slot, where, owner (1 kernel, 2 user, 3 library) */
    MODEL_ZEROED,     /* slot, where, owner */
    MODEL_RUN,        /* slot, frames, alignment, where | owner << 16 */
    MODEL_FREE,       /* slot, frame of it */
    MODEL_FREE_RUN,   /* slot */
    MODEL_REFERENCE,  /* slot, frame of it */
    MODEL_RELEASE,    /* slot, frame of it */
    MODEL_LOCK,       /* slot, frame of it */
    MODEL_UNLOCK,     /* slot, frame of it */
    MODEL_WATERMARKS, /* reserve, low */
    MODEL_KMALLOC,    /* slot, bytes */
    MODEL_KCALLOC,    /* slot, count, bytes of each */
    MODEL_ALIGNED,    /* slot, bytes, alignment */
    MODEL_KREALLOC,   /* slot, bytes */
    MODEL_KFREE,      /* slot */
    MODEL_TRIM,       /* */
    MODEL_MAP,        /* slot, first page, pages, rights (0 R, 1 RW, 2 RX) */
    MODEL_MAP_PAGE,   /* slot, page, frame of it, rights */
    MODEL_UNMAP,      /* first page, pages */
    MODEL_UNMAP_PAGE, /* page */
    MODEL_PROTECT,    /* first page, pages, rights */
    MODEL_KIND_COUNT
};

struct model_call {
    enum model_kind kind;
    uint32_t a, b, c, d;
};

/* What is there now is what will be there at the end. `window` is the address of MODEL_PAGES pages
 * of user space in which nothing is mapped, 2 MiB aligned. `beside` says how many kernel frames
 * are taken at the moment by somebody who follows the heap's pages; NULL: there is nobody. */
void model_begin(uint32_t window, uint32_t (*beside)(void));

/* Makes the call. NULL, or what is not as it must be. was_failed, if not NULL, says whether an
 * allocation was made to fail during the call: then, and only then, memory may be out that is
 * there. */
const char *model_run(const struct model_call *call, bool (*was_failed)(void));

/* Every frame, page and object, every count, and what memory's own checks say. NULL, or what
 * differs. O(RAM). check: as memory_check, or NULL. */
const char *model_compare(uint32_t (*check)(void (*say)(const char *sentence)));

/* Gives everything back, and compares the counts with those of model_begin. */
const char *model_end(void);

/* A call as likely to matter as not; `next` returns any 32-bit numbers. */
struct model_call model_random_call(uint32_t (*next)(void));

/* Recorded calls: a line each, the kind and up to four numbers, decimal; blank lines and lines that
 * begin with # are nothing. Returns the rest behind the next call; NULL at the end, or where the
 * text makes no sense (*call is untouched). */
const char *model_parse(const char *text, const char *end, struct model_call *call);

#endif
