#include "kernel/lib/string.h"
#include "kernel/memory/platform.h"
#include "kernel/sanitizer/internal.h"

/*
 * Between the heap and its users. An object gets a slot that is larger by a record:
 *
 *    | object, as asked for | the rest, at least 16 bytes: nobody may touch it     |
 *    |                      |                              | record, 16 bytes      |
 *
 * What is freed waits in a quarantine before the heap gets it, so that it is not used again at
 * once. The quarantine is a ring, bounded in objects and in bytes. Whoever asks for the heap's
 * counts, or wants its memory back, empties it first.
 */
#define QUARANTINE_OBJECTS 512u
#define QUARANTINE_BYTES   (512u * 1024)
#define CACHES             40u

WRAP(void *, kmalloc, size_t size);
WRAP(void *, kcalloc, size_t count, size_t size);
WRAP(void *, kmalloc_aligned, size_t size, size_t alignment);
WRAP(void *, krealloc, void *object, size_t size);
WRAP(void, kfree, void *object);
WRAP(size_t, ksize, const void *object);
WRAP(struct heap_cache *, heap_cache_create, const char *name, size_t size, size_t alignment);
WRAP(void *, heap_cache_alloc, struct heap_cache *cache);
WRAP(void, heap_cache_free, struct heap_cache *cache, void *object);
WRAP(int, heap_cache_destroy, struct heap_cache *cache);
WRAP(void, heap_read_statistics, struct heap_statistics *statistics);
WRAP(bool, heap_read_class, unsigned index, struct heap_class_statistics *statistics);
WRAP(void, heap_visit, heap_visitor visit, void *context);
WRAP(uint32_t, heap_trim, void);

static void *quarantine[QUARANTINE_OBJECTS];
static uint32_t quarantine_first, quarantine_count, quarantine_bytes;

static struct {
    struct heap_cache *cache;
    uint32_t size;
} caches[CACHES];

static struct heap_record *record_at(const void *object, size_t slot)
{
    return (struct heap_record *)((uint32_t)object + slot - sizeof(struct heap_record));
}

/* NULL: not where an object begins. */
static struct heap_record *record_of(const void *object)
{
    size_t slot = __real_ksize(object);
    return slot == 0 ? NULL : record_at(object, slot);
}

/* ---- quarantine ---- */

static void release(void *object, struct heap_cache *cache)
{
    if (cache != NULL)
        __real_heap_cache_free(cache, object);
    else
        __real_kfree(object);
}

static void *quarantine_pop(void)
{
    void *object = quarantine[quarantine_first];
    quarantine_first = (quarantine_first + 1) % QUARANTINE_OBJECTS;
    quarantine_count--;
    quarantine_bytes -= (uint32_t)__real_ksize(object);
    return object;
}

/* The oldest leave until at most these are left. Interrupts are on between them. */
static unsigned quarantine_shrink(uint32_t objects, uint32_t bytes)
{
    unsigned released = 0;
    for (;; released++) {
        unsigned long saved = platform_interrupts_save();
        void *object = NULL;
        struct heap_cache *cache = NULL;
        if (quarantine_count > objects || (quarantine_count != 0 && quarantine_bytes > bytes)) {
            object = quarantine_pop();
            cache = record_of(object)->cache;
        }
        platform_interrupts_restore(saved);
        if (object == NULL)
            return released;
        release(object, cache);
    }
}

unsigned sanitizer_release_quarantine(void)
{
    return quarantine_shrink(0, 0);
}

/* Takes one object out, wherever it is. Interrupts off. */
static void quarantine_remove(const void *object)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < quarantine_count; i++) {
        void *one = quarantine[(quarantine_first + i) % QUARANTINE_OBJECTS];
        if (one == object)
            quarantine_bytes -= (uint32_t)__real_ksize(object);
        else
            quarantine[(quarantine_first + kept++) % QUARANTINE_OBJECTS] = one;
    }
    quarantine_count = kept;
}

/* False: it is no live object of this cache (of none: NULL), and for the heap to refuse. One that
 * waits is freed for good first, so that the heap sees the second free as one. */
static bool retire(void *object, struct heap_cache *cache, struct sanitizer_place place)
{
    unsigned long saved = platform_interrupts_save();
    struct heap_record *record = record_of(object);
    bool is_ours = record != NULL && record->cache == cache;
    if (is_ours && record->freed_by != 0) {
        sanitizer_report_double_free((uint32_t)object, place);
        quarantine_remove(object);
        release(object, cache);
        is_ours = false;
    } else if (is_ours) {
        uint32_t slot = (uint32_t)__real_ksize(object);
        record->freed_by = place.eip;
        shadow_poison((uint32_t)object, slot, SHADOW_HEAP_FREED);
        quarantine_bytes += slot;
        quarantine[(quarantine_first + quarantine_count++) % QUARANTINE_OBJECTS] = object;
    }
    platform_interrupts_restore(saved);
    /* At most half of the ring is used between calls: room for interrupts inside of one. */
    quarantine_shrink(QUARANTINE_OBJECTS / 2, QUARANTINE_BYTES);
    return is_ours;
}

/* ---- objects ---- */

static bool has_room(size_t size)
{
    return size != 0 && size <= SIZE_MAX - sizeof(struct heap_record);
}

/* Makes the slot an object of this size. */
static void set_size(void *object, size_t slot, size_t size)
{
    shadow_poison((uint32_t)object, (uint32_t)slot, SHADOW_HEAP_BEHIND);
    shadow_unpoison((uint32_t)object, (uint32_t)size);
    record_at(object, slot)->size = (uint32_t)size;
}

static void *enter(void *object, size_t size, struct heap_cache *cache, uint32_t caller)
{
    if (object != NULL) {
        size_t slot = __real_ksize(object);
        *record_at(object, slot) = (struct heap_record){.allocated_by = caller, .cache = cache};
        set_size(object, slot, size);
    }
    return object;
}

/* What the heap itself would refuse, it refuses. */
static void *allocate(size_t size, size_t alignment, uint32_t caller)
{
    size_t bytes = has_room(size) ? size + sizeof(struct heap_record) : size;
    void *object = __real_kmalloc_aligned(bytes, alignment);
    if (object == NULL && size != 0 && sanitizer_release_quarantine() != 0)
        object = __real_kmalloc_aligned(bytes, alignment);
    return enter(object, size, NULL, caller);
}

void *__wrap_kmalloc(size_t size)
{
    return allocate(size, HEAP_ALIGNMENT, SANITIZER_PLACE.eip);
}

void *__wrap_kmalloc_aligned(size_t size, size_t alignment)
{
    return allocate(size, alignment, SANITIZER_PLACE.eip);
}

void *__wrap_kcalloc(size_t count, size_t size)
{
    size_t bytes;
    void *object;
    if (__builtin_mul_overflow(count, size, &bytes))
        return __real_kcalloc(count, size);
    object = allocate(bytes, HEAP_ALIGNMENT, SANITIZER_PLACE.eip);
    if (object != NULL)
        memset(object, 0, bytes);
    return object;
}

void __wrap_kfree(void *object)
{
    if (object == NULL || retire(object, NULL, SANITIZER_PLACE))
        return;
    __real_kfree(object); /* a jump, so that the heap logs the true caller */
}

/* Moves, so that the old place is guarded; what shrinks and finds no room stays. */
static void *move(void *object, size_t size, struct sanitizer_place place)
{
    size_t had = record_of(object)->size;
    void *moved = allocate(size, HEAP_ALIGNMENT, place.eip);
    if (moved != NULL) {
        memcpy(moved, object, size < had ? size : had);
        retire(object, NULL, place);
    } else if (size <= had) {
        set_size(object, __real_ksize(object), size);
        moved = object;
    }
    return moved;
}

void *__wrap_krealloc(void *object, size_t size)
{
    struct sanitizer_place place = SANITIZER_PLACE;
    const struct heap_record *record = object == NULL ? NULL : record_of(object);
    if (object == NULL)
        return allocate(size, HEAP_ALIGNMENT, place.eip);
    if (record != NULL && record->cache == NULL && record->freed_by == 0 && size != 0)
        return move(object, size, place);
    if (retire(object, NULL, place))
        return NULL;
    return __real_krealloc(object, size); /* refuses */
}

size_t __wrap_ksize(const void *object)
{
    const struct heap_record *record = record_of(object);
    return record == NULL || record->freed_by != 0 ? 0 : record->size;
}

/* ---- caches ---- */

static uint32_t *cache_size(const struct heap_cache *cache)
{
    for (unsigned i = 0; i < CACHES; i++)
        if (caches[i].cache == cache)
            return &caches[i].size;
    return NULL;
}

struct heap_cache *__wrap_heap_cache_create(const char *name, size_t size, size_t alignment)
{
    size_t bytes = has_room(size) ? size + sizeof(struct heap_record) : size;
    unsigned long saved = platform_interrupts_save();
    struct heap_cache *cache = __real_heap_cache_create(name, bytes, alignment);
    for (unsigned i = 0; i < CACHES && cache != NULL; i++)
        if (caches[i].cache == NULL) {
            caches[i].cache = cache;
            caches[i].size = (uint32_t)size;
            break;
        }
    platform_interrupts_restore(saved);
    return cache;
}

void *__wrap_heap_cache_alloc(struct heap_cache *cache)
{
    const uint32_t *size = cache_size(cache);
    void *object = __real_heap_cache_alloc(cache);
    if (object == NULL && sanitizer_release_quarantine() != 0)
        object = __real_heap_cache_alloc(cache);
    return enter(object, size == NULL ? 0 : *size, cache, SANITIZER_PLACE.eip);
}

void __wrap_heap_cache_free(struct heap_cache *cache, void *object)
{
    if (object == NULL || retire(object, cache, SANITIZER_PLACE))
        return;
    __real_heap_cache_free(cache, object);
}

int __wrap_heap_cache_destroy(struct heap_cache *cache)
{
    int error;
    sanitizer_release_quarantine();
    error = __real_heap_cache_destroy(cache);
    for (unsigned i = 0; i < CACHES && error == 0; i++)
        if (caches[i].cache == cache)
            caches[i].cache = NULL;
    return error;
}

/* ---- those who ask ---- */

void __wrap_heap_read_statistics(struct heap_statistics *statistics)
{
    sanitizer_release_quarantine();
    __real_heap_read_statistics(statistics);
}

bool __wrap_heap_read_class(unsigned index, struct heap_class_statistics *statistics)
{
    sanitizer_release_quarantine();
    return __real_heap_read_class(index, statistics);
}

void __wrap_heap_visit(heap_visitor visit, void *context)
{
    sanitizer_release_quarantine();
    __real_heap_visit(visit, context);
}

uint32_t __wrap_heap_trim(void)
{
    sanitizer_release_quarantine();
    return __real_heap_trim();
}

struct search {
    uint32_t address, object;
    const struct heap_record *record;
};

static bool look(void *context, void *object, size_t bytes)
{
    struct search *search = context;
    if (search->address - (uint32_t)object < bytes) {
        search->object = (uint32_t)object;
        search->record = record_at(object, bytes);
    }
    return search->record == NULL;
}

const struct heap_record *sanitizer_find_object(uint32_t address, uint32_t *object)
{
    struct search search = {.address = address};
    __real_heap_visit(look, &search);
    *object = search.object;
    return search.record;
}
