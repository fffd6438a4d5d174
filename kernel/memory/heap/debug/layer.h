#ifndef KERNEL_MEMORY_HEAP_DEBUG_LAYER_H
#define KERNEL_MEMORY_HEAP_DEBUG_LAYER_H

#include "kernel/memory/heap/guard.h"

/*
 * The layer between the heap and its users in debug builds. What the heap calls an object is a slot
 * here, with room for more than the user's object:
 *
 *    slot                                                                  slot + its bytes
 *    | zone of 16 bytes | object, as asked for | zone, to the record | record |
 *
 *   HEAP_DEBUG=1  records: who has what. No zones.
 *   HEAP_DEBUG=2  zones, and poison: every byte of the window that belongs to no slot is
 *                 HEAP_FREE_BYTE, which is looked at before a slot is given out.
 *   HEAP_DEBUG=3  a quarantine: what is freed is poisoned, but stays the user's slot for a while.
 *   HEAP_SHADOW   with a shadow of all memory (kernel/sanitizer) it is the shadow that says what
 * may be touched: records and quarantine, but neither zones nor poison.
 *
 * An object whose alignment is above 16 has no zone in front; so whether an address is an object's
 * can be told by two looks.
 *
 * Graves are a ring: who had what was freed last. The youngest are in quarantine.
 */
#define LAYER_FRONT            (HEAP_HAS_PATTERNS ? HEAP_ALIGNMENT : 0u)
#define LAYER_REAR             (HEAP_HAS_PATTERNS ? 12u : 0u) /* at least */

#define LAYER_GRAVES           512u
#define LAYER_QUARANTINE       (HEAP_DEBUG >= 3 ? 256u : 0u) /* objects */
#define LAYER_QUARANTINE_BYTES (512u * 1024)
#define LAYER_OVERHEAD         (LAYER_FRONT + LAYER_REAR + sizeof(struct layer_record))

/* The last bytes of a slot. */
struct layer_record {
    size_t size; /* of the object */
    uintptr_t allocated_by;
    struct heap_cache *cache; /* NULL: kfree frees it */
    uint32_t number;
    uint32_t seal; /* over the rest, the slot and the length of its front zone */
};

struct layer_grave {
    struct heap_owner owner;
    uintptr_t slot;
    size_t bytes; /* of the slot */
    struct heap_cache *cache;
};

struct layer {
    uint32_t next;   /* grave to be filled; those before it are filled, as many as there are */
    uint32_t graves; /* filled */
    uint32_t held;   /* of them in quarantine */
    size_t held_bytes;
    uint32_t busy; /* slots on their way to or from a user */
    size_t live_bytes;
    uint64_t damages;
    struct layer_grave ring[LAYER_GRAVES];
    struct {
        struct heap_cache *cache;
        size_t size;
        size_t alignment;
    } caches[HEAP_CACHES];
};

extern struct layer layer;

/* The heap itself: what its files call by the names of heap.h (core.h). */
int heap_core_init(void) MUST_CHECK;
void *heap_core_malloc_aligned(size_t size, size_t alignment) MUST_CHECK;
void heap_core_free(void *slot);
size_t heap_core_size(const void *slot);
struct heap_cache *heap_core_cache_create(const char *name, size_t size,
                                          size_t alignment) MUST_CHECK;
void *heap_core_cache_alloc(struct heap_cache *cache) MUST_CHECK;
void heap_core_cache_free(struct heap_cache *cache, void *slot);
int heap_core_cache_destroy(struct heap_cache *cache) MUST_CHECK;
void heap_core_read_statistics(struct heap_statistics *statistics);
bool heap_core_read_class(unsigned index, struct heap_class_statistics *statistics);
void heap_core_visit(heap_visitor visit, void *context);
uint32_t heap_core_trim(void);
void heap_core_check(struct check *check);

/* layer.c */

/* A live object, by its address; the record is in its slot. */
struct layer_object {
    uintptr_t slot;
    size_t bytes, front;
    struct layer_record *record; /* NULL: none is there */
};
/* Interrupts off. */
struct layer_object layer_find(uintptr_t object);
/* The same by its slot. */
struct layer_object layer_find_slot(uintptr_t slot);
struct heap_owner layer_owner_of(const struct layer_object *object);
/* The latest grave, held or not, whose slot an address lies in, or NULL. */
const struct layer_grave *layer_find_grave(uintptr_t address);
bool layer_is_held(uintptr_t slot);
/* By an object that lives; guarded ones, too. */
bool layer_live_owner(uintptr_t object, struct heap_owner *owner);
/* Frees for good what is in quarantine. Interrupts on. Returns how many. */
unsigned layer_release(void);

/* look.c */

void layer_check(struct check *check);

/* What the owner of a shadow supplies (kernel/sanitizer): [object, object + size) of the slot may
 * be used from now on; nothing of it may; an object that was freed is freed again. */
void heap_shadow_allocated(uintptr_t slot, size_t bytes, uintptr_t object, size_t size);
void heap_shadow_freed(uintptr_t slot, size_t bytes);
void heap_shadow_double_free(const struct heap_owner *owner, const void *caller);

#endif
