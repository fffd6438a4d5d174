#include "kernel/memory/heap/debug/layer.h"

#include "kernel/include/errors.h"
#include "kernel/lib/string.h"

struct layer layer;

#define CALLER __builtin_return_address(0)

int heap_init(void)
{
    memset(&layer, 0, sizeof(layer));
    return heap_core_init();
}

/* ---- records ---- */

/* FNV-1a, by words. */
static uint32_t seal_of(const struct layer_record *record, uintptr_t slot, size_t front)
{
    const uintptr_t words[] = {
        record->size, record->allocated_by, (uintptr_t)record->cache, record->number, slot, front};
    uint32_t seal = 0x811C9DC5u;
    for (unsigned i = 0; i < ARRAY_COUNT(words); i++)
        seal = (seal ^ (uint32_t)words[i]) * 0x01000193u;
    return seal;
}

/* Of the zone in front of an object. */
static size_t front_of(size_t alignment)
{
    return alignment <= HEAP_ALIGNMENT ? LAYER_FRONT : 0;
}

static struct layer_record *record_at(uintptr_t slot, size_t bytes)
{
    return (struct layer_record *)(slot + bytes) - 1;
}

/* With the record, if the slot lives, and is an object's with a front zone of this length. */
static struct layer_object look(uintptr_t slot, size_t front)
{
    struct layer_object found = {slot, heap_core_size((const void *)slot), front, NULL};
    struct layer_record *record;
    if (heap_guard_holds((const void *)slot) || found.bytes < front + sizeof(*record))
        return found;
    record = record_at(slot, found.bytes);
    if (record->seal == seal_of(record, slot, front) &&
        record->size <= found.bytes - front - sizeof(*record))
        found.record = record;
    return found;
}

struct layer_object layer_find_slot(uintptr_t slot)
{
    struct layer_object found = look(slot, LAYER_FRONT);
    return found.record != NULL || LAYER_FRONT == 0 ? found : look(slot, 0);
}

struct layer_object layer_find(uintptr_t object)
{
    struct layer_object found = look(object - LAYER_FRONT, LAYER_FRONT);
    return found.record != NULL || LAYER_FRONT == 0 ? found : look(object, 0);
}

struct heap_owner layer_owner_of(const struct layer_object *object)
{
    return (struct heap_owner){
        .object = object->slot + object->front,
        .size = object->record->size,
        .allocated_by = object->record->allocated_by,
        .number = object->record->number,
    };
}

static void busy_begin(void)
{
    unsigned long saved = platform_interrupts_save();
    layer.busy++;
    platform_interrupts_restore(saved);
}

static void busy_end(void)
{
    unsigned long saved = platform_interrupts_save();
    layer.busy--;
    platform_interrupts_restore(saved);
}

/* ---- patterns ---- */

static void report(const struct heap_owner *owner, uintptr_t changed, uint8_t expected)
{
    struct heap_damage damage = {.address = changed, .expected = expected};
    char text[HEAP_DAMAGE_SIZE];
    unsigned long saved = platform_interrupts_save();
    layer.damages++;
    platform_interrupts_restore(saved);
    damage.found = *(const uint8_t *)changed;
    if (owner != NULL)
        damage.owner = *owner;
    platform_log("heap: %s", heap_damage_text(&damage, text, sizeof(text)));
}

/* The slot is free, and must be poison all over. */
static void examine_poison(uintptr_t slot, size_t bytes)
{
    const struct layer_grave *grave;
    uintptr_t changed;
    if (!HEAP_HAS_PATTERNS)
        return;
    changed = heap_find_change(slot, slot + bytes, HEAP_FREE_BYTE);
    if (changed == 0)
        return;
    grave = layer_find_grave(changed);
    report(grave == NULL ? NULL : &grave->owner, changed, HEAP_FREE_BYTE);
}

static void examine_zones(const struct layer_object *object, const struct heap_owner *owner)
{
    uintptr_t end = owner->object + owner->size;
    uintptr_t changed;
    if (!HEAP_HAS_PATTERNS)
        return;
    changed = heap_find_change(end, (uintptr_t)object->record, HEAP_ZONE_BYTE);
    if (changed == 0)
        changed = heap_find_change(object->slot, owner->object, HEAP_ZONE_BYTE);
    if (changed != 0)
        report(owner, changed, HEAP_ZONE_BYTE);
}

static void fill_zones(const struct layer_object *object, size_t size)
{
    uintptr_t start = object->slot + object->front, end = start + size;
    if (!HEAP_HAS_PATTERNS)
        return;
    memset((void *)object->slot, HEAP_ZONE_BYTE, object->front);
    memset((void *)end, HEAP_ZONE_BYTE, (uintptr_t)object->record - end);
}

static void poison(uintptr_t slot, size_t bytes)
{
    if (HEAP_HAS_PATTERNS)
        memset((void *)slot, HEAP_FREE_BYTE, bytes);
}

/* ---- graves ---- */

/* The n-th from the youngest on. */
static const struct layer_grave *grave_at(uint32_t n)
{
    return &layer.ring[(layer.next + LAYER_GRAVES - 1 - n) % LAYER_GRAVES];
}

const struct layer_grave *layer_find_grave(uintptr_t address)
{
    for (uint32_t n = 0; n < layer.graves; n++)
        if (address - grave_at(n)->slot < grave_at(n)->bytes)
            return grave_at(n);
    return NULL;
}

bool layer_is_held(uintptr_t slot)
{
    for (uint32_t n = 0; n < layer.held; n++)
        if (grave_at(n)->slot == slot)
            return true;
    return false;
}

static void slot_free(uintptr_t slot, struct heap_cache *cache)
{
    if (cache != NULL)
        heap_core_cache_free(cache, (void *)slot);
    else
        heap_core_free((void *)slot);
}

/* The oldest leave the quarantine until at most these are left. Interrupts are on between them. */
static unsigned shrink(uint32_t objects, size_t bytes)
{
    for (unsigned released = 0;; released++) {
        unsigned long saved = platform_interrupts_save();
        struct layer_grave grave;
        bool has_one = layer.held > objects || (layer.held != 0 && layer.held_bytes > bytes);
        if (has_one) {
            grave = *grave_at(layer.held - 1);
            layer.held--;
            layer.held_bytes -= grave.bytes;
            layer.busy++;
        }
        platform_interrupts_restore(saved);
        if (!has_one)
            return released;
        examine_poison(grave.slot, grave.bytes);
        poison(grave.slot, grave.bytes);
        slot_free(grave.slot, grave.cache);
        busy_end();
    }
}

unsigned layer_release(void)
{
    return shrink(0, 0);
}

/* False: the ring is full of what is held, because handlers freed so much before shrink came. */
static bool bury(const struct layer_grave *grave)
{
    unsigned long saved = platform_interrupts_save();
    bool has_room = layer.held < LAYER_GRAVES;
    if (has_room) {
        layer.ring[layer.next] = *grave;
        layer.next = (layer.next + 1) % LAYER_GRAVES;
        layer.graves += layer.graves < LAYER_GRAVES;
        layer.held++;
        layer.held_bytes += grave->bytes;
        layer.busy--;
    }
    platform_interrupts_restore(saved);
    return has_room;
}

/* ---- allocation ---- */

static void *enter(void *slot, size_t front, size_t size, struct heap_cache *cache,
                   const void *caller)
{
    struct layer_object object = {(uintptr_t)slot, heap_core_size(slot), front, NULL};
    unsigned long saved;
    examine_poison(object.slot, object.bytes);
    object.record = record_at(object.slot, object.bytes);
    fill_zones(&object, size);
    saved = platform_interrupts_save();
    *object.record = (struct layer_record){.size = size,
                                           .allocated_by = (uintptr_t)caller,
                                           .cache = cache,
                                           .number = heap_owner_next_number()};
    object.record->seal = seal_of(object.record, object.slot, front);
    layer.live_bytes += size;
    layer.busy--;
    platform_interrupts_restore(saved);
#if HEAP_SHADOW
    heap_shadow_allocated(object.slot, object.bytes, object.slot + front, size);
#endif
    return (void *)(object.slot + front);
}

static void *guarded(size_t size, size_t alignment, struct heap_cache *cache, const void *caller)
{
    if (HEAP_SHADOW || heap_guard.every == 0)
        return NULL;
    return heap_guard_sample(size, alignment, cache, caller);
}

/* A slot from the heap; what is in quarantine is in nobody's way. Counts as busy. */
static void *slot_take(size_t bytes, size_t alignment, struct heap_cache *cache)
{
    void *slot;
    busy_begin();
    do {
        slot = cache == NULL ? heap_core_malloc_aligned(bytes, alignment)
                             : heap_core_cache_alloc(cache);
    } while (slot == NULL && bytes != 0 && layer_release() != 0);
    if (slot == NULL)
        busy_end();
    return slot;
}

/* What the heap itself would refuse, it refuses. */
static void *allocate(size_t size, size_t alignment, const void *caller)
{
    bool has_room = size != 0 && size <= SIZE_MAX - LAYER_OVERHEAD;
    void *slot, *object = guarded(size, alignment, NULL, caller);
    if (object != NULL)
        return object;
    slot = slot_take(has_room ? size + LAYER_OVERHEAD : size, alignment, NULL);
    return slot == NULL ? NULL : enter(slot, front_of(alignment), size, NULL, caller);
}

void *kmalloc(size_t size)
{
    return allocate(size, HEAP_ALIGNMENT, CALLER);
}

void *kmalloc_aligned(size_t size, size_t alignment)
{
    return allocate(size, alignment, CALLER);
}

void *kcalloc(size_t count, size_t size)
{
    size_t bytes;
    void *object;
    if (__builtin_mul_overflow(count, size, &bytes))
        bytes = SIZE_MAX; /* for the heap to refuse, and to count */
    object = allocate(bytes, HEAP_ALIGNMENT, CALLER);
    if (object != NULL)
        memset(object, 0, bytes);
    return object;
}

/* ---- freeing ---- */

/* From here on the slot is poison, and in quarantine. */
static void retire(const struct layer_object *object, const void *caller)
{
    struct layer_grave grave = {layer_owner_of(object), object->slot, object->bytes,
                                object->record->cache};
    examine_zones(object, &grave.owner);
    poison(object->slot, object->bytes);
#if HEAP_SHADOW
    heap_shadow_freed(object->slot, object->bytes);
#endif
    grave.owner.freed_by = (uintptr_t)caller;
    while (!bury(&grave))
        shrink(LAYER_QUARANTINE, LAYER_QUARANTINE_BYTES);
    shrink(LAYER_QUARANTINE, LAYER_QUARANTINE_BYTES);
}

/* The slot that begins there, or a front zone's length before, lives, but has no record: somebody
 * wrote over it. 0: neither does. Interrupts off. */
static uintptr_t find_ruined(uintptr_t object)
{
    const uintptr_t slots[] = {object - LAYER_FRONT, object};
    for (unsigned i = 0; i < ARRAY_COUNT(slots) && !heap_guard_holds((void *)object); i++)
        if (heap_core_size((const void *)slots[i]) != 0 &&
            layer_find_slot(slots[i]).record == NULL && !layer_is_held(slots[i]))
            return slots[i];
    return 0;
}

/* What is wrong with it, in the order of what can be known. */
static enum heap_misuse misuse_of(const void *object, const struct heap_cache *cache)
{
    const struct layer_grave *grave = layer_find_grave((uintptr_t)object);
    if (heap_guard_holds(object))
        return heap_guard_misuse(object, cache);
    if (grave != NULL && layer_is_held(grave->slot) && (uintptr_t)object % HEAP_ALIGNMENT == 0)
        return grave->cache == cache ? HEAP_DOUBLE_FREE : HEAP_FOREIGN_FREE;
    if (layer_find((uintptr_t)object).record != NULL || heap_core_size(object) != 0)
        return HEAP_FOREIGN_FREE; /* another cache's, or the zone before an object */
    return heap_misuse_of(object, cache);
}

static void refuse(const void *object, const struct heap_cache *cache, const void *caller)
{
    unsigned long saved = platform_interrupts_save();
    uintptr_t ruined = find_ruined((uintptr_t)object);
    enum heap_misuse misuse = ruined != 0 ? HEAP_FOREIGN_FREE : misuse_of(object, cache);
    const struct layer_grave *grave = layer_find_grave((uintptr_t)object);
    platform_interrupts_restore(saved);
    if (ruined != 0)
        platform_log("heap: overrun: the record behind the object at %p was written over", object);
    if (HEAP_SHADOW && misuse == HEAP_DOUBLE_FREE && grave != NULL)
        heap_shadow_double_free(&grave->owner, caller);
    heap_refuse(object, misuse, caller);
}

/* False: it is no live object of this cache (NULL: of none). */
static bool free_from(void *pointer, struct heap_cache *cache, const void *caller)
{
    unsigned long saved;
    struct layer_object object;
    bool is_ours;
    if (heap_guard_holds(pointer))
        return heap_guard_free(pointer, cache, caller);
    saved = platform_interrupts_save();
    object = layer_find((uintptr_t)pointer);
    is_ours = object.record != NULL && object.record->cache == cache;
    if (is_ours) {
        object.record->seal = ~object.record->seal; /* nobody else finds it any more */
        layer.busy++;
        layer.live_bytes -= object.record->size;
    }
    platform_interrupts_restore(saved);
    if (is_ours)
        retire(&object, caller);
    return is_ours;
}

void kfree(void *object)
{
    if (object != NULL && !free_from(object, NULL, CALLER))
        refuse(object, NULL, CALLER);
}

static size_t size_of(const void *object, const struct heap_cache *cache)
{
    unsigned long saved = platform_interrupts_save();
    struct layer_object found = layer_find((uintptr_t)object);
    size_t size = found.record != NULL && found.record->cache == cache ? found.record->size : 0;
    platform_interrupts_restore(saved);
    return size;
}

size_t ksize(const void *object)
{
    unsigned long saved = platform_interrupts_save();
    struct layer_object found = layer_find((uintptr_t)object);
    size_t size = found.record != NULL ? found.record->size : 0;
    platform_interrupts_restore(saved);
    return heap_guard_holds(object) ? heap_guard_size(object) : size;
}

/* It only gets shorter: what is left over joins the zone behind. */
static void shorten(void *pointer, size_t size)
{
    unsigned long saved = platform_interrupts_save();
    struct layer_object object = layer_find((uintptr_t)pointer);
    layer.live_bytes -= object.record->size - size;
    object.record->size = size;
    object.record->seal = seal_of(object.record, object.slot, object.front);
    fill_zones(&object, size);
    platform_interrupts_restore(saved);
#if HEAP_SHADOW
    heap_shadow_allocated(object.slot, object.bytes, (uintptr_t)pointer, size);
#endif
}

/* Always to another place, so that the old one can be watched; where there is none, a smaller size
 * is had in this one. */
void *krealloc(void *object, size_t size)
{
    size_t has;
    void *moved;
    if (object == NULL)
        return allocate(size, HEAP_ALIGNMENT, CALLER);
    if (size == 0) {
        if (!free_from(object, NULL, CALLER))
            refuse(object, NULL, CALLER);
        return NULL;
    }
    has = heap_guard_holds(object) ? heap_guard_bytes(object) : size_of(object, NULL);
    if (has == 0) {
        refuse(object, NULL, CALLER);
        return NULL;
    }
    moved = allocate(size, HEAP_ALIGNMENT, CALLER);
    if (heap_guard_holds(object))
        return heap_guard_move(object, moved, size, CALLER);
    if (moved != NULL) {
        memcpy(moved, object, size < has ? size : has);
        free_from(object, NULL, CALLER);
    } else if (size <= has) {
        shorten(object, size);
        moved = object;
    }
    return moved;
}

/* ---- caches ---- */

/* The row of a cache that there is; of NULL, an empty one, of which there are as many as caches
 * that the heap can still make. */
static __typeof__(layer.caches[0]) *cache_row(const struct heap_cache *cache)
{
    unsigned i = 0;
    while (i < ARRAY_COUNT(layer.caches) && layer.caches[i].cache != cache)
        i++;
    MEMORY_ASSERT(i < ARRAY_COUNT(layer.caches));
    return &layer.caches[i];
}

struct heap_cache *heap_cache_create(const char *name, size_t size, size_t alignment)
{
    bool has_room = size != 0 && size <= SIZE_MAX - LAYER_OVERHEAD;
    unsigned long saved = platform_interrupts_save();
    struct heap_cache *cache =
        heap_core_cache_create(name, has_room ? size + LAYER_OVERHEAD : size, alignment);
    if (cache != NULL) {
        __typeof__(layer.caches[0]) *row = cache_row(NULL);
        row->cache = cache;
        row->size = size;
        row->alignment = alignment;
    }
    platform_interrupts_restore(saved);
    return cache;
}

void *heap_cache_alloc(struct heap_cache *cache)
{
    const __typeof__(layer.caches[0]) *row = cache_row(cache);
    void *slot, *object = guarded(row->size, row->alignment, cache, CALLER);
    if (object != NULL)
        return object;
    slot = slot_take(row->size, 0, cache);
    if (slot == NULL)
        return NULL;
    return enter(slot, front_of(row->alignment), row->size, cache, CALLER);
}

void heap_cache_free(struct heap_cache *cache, void *object)
{
    if (object != NULL && !free_from(object, cache, CALLER))
        refuse(object, cache, CALLER);
}

int heap_cache_destroy(struct heap_cache *cache)
{
    int error;
    layer_release();
    error = heap_core_cache_destroy(cache);
    if (error == 0)
        cache_row(cache)->cache = NULL;
    return error;
}
