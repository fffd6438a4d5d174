#ifndef KERNEL_MEMORY_HEAP_DEBUG_H
#define KERNEL_MEMORY_HEAP_DEBUG_H

#include "kernel/memory/heap/heap.h"

/*
 * For finding out who breaks the heap's objects. README.md says what each way costs.
 */

/* Who has an object, or had it. */
struct heap_owner {
    uintptr_t object;
    size_t size;            /* bytes as asked for */
    uintptr_t allocated_by; /* return addresses */
    uintptr_t freed_by;     /* 0: it lives */
    uint32_t number;        /* of its allocation, among those that are recorded: from 1 on */
};

/* Whose object an address lies in, or beside, as far as that is recorded: of guarded objects, and
 * of all in debug builds. A freed object is known until its place is used again, or 256 others were
 * freed. False: unknown. May be called anywhere; O(1), and in debug builds O(window). */
bool heap_owner_of(uintptr_t address, struct heap_owner *owner);

/* "byte 3 of an object of 100 bytes at 0x00564000", "0 bytes behind an object ...", "1 bytes before
 * an object ...", in the buffer; returns the buffer. */
#define HEAP_PLACE_SIZE 96
const char *heap_owner_place(const struct heap_owner *owner, uintptr_t address, char *buffer,
                             size_t size);

/*
 * Guarded objects: from now on every n-th object of at most HEAP_GUARD_MAX bytes gets pages of its
 * own that end where it ends, as far as its alignment allows, with unmapped ones around them. An
 * overrun faults, and so does a use after free, since the pages of a freed object stay unmapped
 * until as many others as there are places were freed. What is left over of its pages is filled
 * with a pattern; where that has changed when it is freed, or in heap_check, a sentence says so.
 * 0 switches it off; what is guarded then stays so until it is freed. O(classes) with interrupts
 * on.
 *
 * While it is off, it costs nothing that counts. While it is on, no object comes from a class's
 * short path. Where there is no place or no frame left, objects come from the heap as usual.
 */
#define HEAP_GUARD_MAX 65536u
void heap_guard_set(uint32_t every);

struct heap_guard_statistics {
    uint32_t every; /* 0: off */
    uint32_t objects, places;
    size_t committed_bytes;
    uint64_t allocations, frees;
    uint64_t skipped; /* would have been guarded, but for want of a place or of memory */
    uint64_t damages; /* changed patterns that were found when an object was freed */
};
void heap_guard_read_statistics(struct heap_guard_statistics *statistics);

/*
 * In debug builds (HEAP_DEBUG=1 to 3) every object is recorded, and what was allocated since a
 * moment and lives is a leak, if nobody wants it any more. heap_mark returns the moment;
 * heap_visit_leaks calls visit for each place in the code that such objects come from, in ascending
 * order, until it returns false. O(places * window). False: this build keeps no records.
 */
struct heap_leak_site {
    uintptr_t allocated_by;
    uint32_t objects;
    size_t bytes;
    struct heap_owner first; /* of them */
};
typedef bool (*heap_leak_visitor)(void *context, const struct heap_leak_site *site);
uint32_t heap_mark(void);
bool heap_visit_leaks(uint32_t mark, heap_leak_visitor visit, void *context);

struct heap_debug_statistics {
    unsigned level;        /* 0: all other fields are 0, too */
    size_t overhead_bytes; /* of an object, before its size is rounded up to a class */
    uint32_t held;         /* objects in quarantine */
    size_t held_bytes;
    uint64_t damages; /* found when an object was freed or a place used again */
};
void heap_debug_read_statistics(struct heap_debug_statistics *statistics);

#endif
