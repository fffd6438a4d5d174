#include "kernel/memory/heap/core.h"

#include "kernel/memory/heap/heap.h"

#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/guard.h"
#include "kernel/memory/heap/index.h"

struct heap heap;

#define CALLER      __builtin_return_address(0)
#define WINDOW_SIZE ((size_t)HEAP_OBJECT_PAGES * PAGE_SIZE)

int heap_init(void)
{
    memset(&heap, 0, sizeof(heap));
    heap.frontier = 1;
    heap_tally_set(&heap.high_frontier, 1);
    heap_tally_set(&heap.peak_committed, 0);
    heap_tally_set(&heap.failures, 0);
    heap_tally_set(&heap.past_caches, 0);
    for (unsigned i = 0; i < HEAP_MISUSE_COUNT; i++)
        heap_tally_set(&heap.misuses[i], 0);
    heap_guard_init();
    heap_index_init();
    heap_classes_init();
    for (unsigned i = HEAP_SIZE_CLASSES + 1; i <= HEAP_CLASSES; i++)
        heap_class_clear(&heap.classes[i]);
    for (unsigned table = 0; table < HEAP_TABLES; table++)
        if (!heap_commit_bookkeeping()) {
            heap_bookkeeping_drop();
            return -ENOMEM;
        }
    return 0;
}

static void count_failure(void)
{
    unsigned long saved = platform_interrupts_save();
    heap_tally_set(&heap.failures, heap.failures.count + 1);
    platform_interrupts_restore(saved);
}

static uint32_t pages_of(size_t size)
{
    return (uint32_t)((size + PAGE_SIZE - 1) / PAGE_SIZE);
}

static bool is_size_class(unsigned kind)
{
    return kind - 1 < HEAP_SIZE_CLASSES;
}

/* What an allocation asks for while the guard is on; reached by a jump, so that its caller is that
 * of the function that jumps. */
typedef void *(*guarded_way)(size_t wish);

/* An object from the hand; if that is empty, from the class's slabs, or in the guarded way if there
 * is one (NULL: there is none) and the guard is on. */
HEAP_INLINE void *class_alloc(struct heap_class *class, guarded_way guarded, size_t wish)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t *top = class->top;
    uint32_t address;
    if (__builtin_expect(top == class->hand, 0)) {
        if (guarded == NULL || __builtin_expect(!heap_guard_is_on(), 1))
            return heap_class_alloc_slowly(class, saved);
        platform_interrupts_restore(saved);
        return guarded(wish);
    }
    address = *--top;
    *top = 0;
    class->top = top;
    class->allocations++;
    heap_live_set((uint32_t)heap_granule(address));
    platform_interrupts_restore(saved);
    return (void *)(uintptr_t)address;
}

/* Pages that were taken become an object. Interrupts off. */
HEAP_INLINE void *run_install(struct heap_page *record, uint32_t pages)
{
    uint32_t first = heap_page_number(record);
    record->head = heap_head(HEAP_PAGE_RUN, 0, pages);
    record->links = 0;
    record->link.after = record->link.before = 0;
    HEAP_SET_BIT(heap.runs, first);
    HEAP_SET_BIT(heap.run_summary, first / 32);
    heap_live_set(first * HEAP_PAGE_GRANULES);
    heap.run_pages += pages;
    heap.run_allocations++;
    return (void *)heap_page_address(first);
}

/* Not all of its pages have frames, or they must begin at a certain alignment. Interrupts on. */
static __attribute__((noinline)) void *run_alloc_committing(uint32_t pages, uint32_t alignment)
{
    uint32_t first = heap_obtain(pages, alignment);
    unsigned long saved;
    void *object;
    if (first == 0) {
        count_failure();
        return NULL;
    }
    saved = platform_interrupts_save();
    heap.transit -= pages;
    object = run_install(heap_page(first), pages);
    platform_interrupts_restore(saved);
    return object;
}

static __attribute__((noinline)) void *run_alloc(size_t size)
{
    uint32_t pages = pages_of(size);
    unsigned long saved;
    struct heap_page *record;
    void *object;
    if (size - 1 >= WINDOW_SIZE) {
        if (size != 0)
            count_failure();
        return NULL;
    }
    saved = platform_interrupts_save();
    record = take_committed(index_find(pages), pages);
    if (__builtin_expect(record == NULL, 0)) {
        platform_interrupts_restore(saved);
        return run_alloc_committing(pages, PAGE_SIZE);
    }
    object = run_install(record, pages);
    platform_interrupts_restore(saved);
    return object;
}

static void *run_alloc_aligned(size_t size, size_t alignment)
{
    if (alignment <= PAGE_SIZE)
        return run_alloc(size);
    if (size > WINDOW_SIZE) {
        count_failure();
        return NULL;
    }
    return run_alloc_committing(pages_of(size), (uint32_t)alignment);
}

static inline struct heap_class *class_for(size_t size)
{
    return heap_class(heap.class_of[(size - 1) / HEAP_GRANULE]);
}

/* Slots of a class lie at multiples of its size from a page's start: so it takes a class whose size
 * is a multiple of the alignment. The next power of two always is one. */
static void *small_alloc_aligned(size_t size, size_t alignment)
{
    size_t least = size > alignment ? size : alignment;
    unsigned index = heap.class_of[(least - 1) / HEAP_GRANULE];
    while (heap.classes[index].size % alignment != 0)
        index++;
    return class_alloc(&heap.classes[index], NULL, 0);
}

/* For a caller of the functions that follow: guarded, if it is its turn. */
static void *allocate(size_t size, size_t alignment, const void *caller)
{
    void *object = NULL;
    if (size == 0)
        return NULL;
    if (heap_guard_is_on())
        object = heap_guard_sample(size, alignment, NULL, caller);
    if (object != NULL)
        return object;
    if (size <= HEAP_SMALL_MAX && alignment <= HEAP_SMALL_MAX)
        return small_alloc_aligned(size, alignment);
    return run_alloc_aligned(size, alignment);
}

static __attribute__((noinline)) void *kmalloc_otherwise(size_t size)
{
    return allocate(size, HEAP_ALIGNMENT, CALLER);
}

/* While the guard is on, nothing is in hand. */
void *kmalloc(size_t size)
{
    if (__builtin_expect(size - 1 < HEAP_SMALL_MAX, 1))
        return class_alloc(class_for(size), kmalloc_otherwise, size);
    return __builtin_expect(heap_guard_is_on(), 0) ? kmalloc_otherwise(size) : run_alloc(size);
}

void *kcalloc(size_t count, size_t size)
{
    size_t bytes;
    void *object;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        count_failure();
        return NULL;
    }
    object = allocate(bytes, HEAP_ALIGNMENT, CALLER);
    if (object != NULL)
        memset(object, 0, bytes);
    return object;
}

void *kmalloc_aligned(size_t size, size_t alignment)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > HEAP_MAX_ALIGNMENT)
        return NULL;
    return allocate(size, alignment, CALLER);
}

/* The granule at which a live object begins there, or 0. */
static inline uint32_t live_granule(const void *object)
{
    uintptr_t granule = heap_granule((uintptr_t)object);
    if (granule >= heap.granules || !heap_is_live((uint32_t)granule))
        return 0;
    return (uint32_t)granule;
}

static inline struct heap_page *record_of(uint32_t granule)
{
    return heap_page(granule / HEAP_PAGE_GRANULES);
}

/* The first page of the run that is this object; 0: it is none. */
static uint32_t run_find(const void *object)
{
    uint32_t granule = live_granule(object);
    if (granule == 0 || record_of(granule)->kind != HEAP_PAGE_RUN)
        return 0;
    return granule / HEAP_PAGE_GRANULES;
}

/* Interrupts off; turns them back on. */
HEAP_INLINE void run_free(uint32_t first, unsigned long saved)
{
    struct heap_page *record = heap_page(first);
    uint32_t pages = record->count;
    HEAP_CLEAR_BIT(heap.runs, first);
    if (heap.runs[first / 32] == 0)
        HEAP_CLEAR_BIT(heap.run_summary, first / 32);
    heap.run_pages -= pages;
    heap.run_frees++;
    run_free_committed(record, pages, saved);
}

/* The last bit of `words` below bit `end`; `end` if there is none in the word of that bit. */
static uint32_t last_bit_in_word(const uint32_t *words, uint32_t end)
{
    uint32_t word = words[end / 32] & ~(UINT32_MAX << end % 32);
    return word == 0 ? end : end / 32 * 32 + 31u - (uint32_t)__builtin_clz(word);
}

/* The first page of the last run that begins before this page, or 0: in the page's word of bits, in
 * the word of the summary, or in the last of at most HEAP_RUN_SUMMARY - 1 words of it before. */
static uint32_t last_run_before(uint32_t page)
{
    uint32_t first = last_bit_in_word(heap.runs, page), word = page / 32, at;
    if (first != page)
        return first;
    at = last_bit_in_word(heap.run_summary, word);
    for (uint32_t i = word / 32; at == word && i-- > 0;)
        if (heap.run_summary[i] != 0)
            at = i * 32 + 31u - (uint32_t)__builtin_clz(heap.run_summary[i]);
    if (at == word)
        return 0;
    return at * 32 + 31u - (uint32_t)__builtin_clz(heap.runs[at]);
}

/* Is the page inside a run, behind its first page? */
static bool is_inside_run(uint32_t page)
{
    uint32_t first = last_run_before(page);
    return first != 0 && page - first < heap_page(first)->count;
}

/* In a page of a slab, where no object of `owner`, or of any size class, begins. */
static enum heap_misuse slab_misuse_of(uint32_t granule, const struct heap_class *owner)
{
    const struct heap_page *record = record_of(granule);
    const struct heap_class *class = &heap.classes[record->kind];
    uint32_t first = granule / HEAP_PAGE_GRANULES - record->rest;
    uint32_t within = granule * HEAP_GRANULE - first * PAGE_SIZE;
    uint32_t start = first * HEAP_PAGE_GRANULES + within / class->size * class->size / HEAP_GRANULE;
    if (within / class->size >= class->slots ||
        (owner != NULL ? owner != class : !is_size_class(record->kind)))
        return HEAP_FOREIGN_FREE;
    return heap_is_live(start) ? HEAP_INTERIOR_FREE : HEAP_DOUBLE_FREE;
}

/* What is wrong with freeing this. `owner`: the cache that it should be of, or NULL for kfree. */
static enum heap_misuse misuse_of(const void *object, const struct heap_class *owner)
{
    uintptr_t offset = (uintptr_t)object - MAP_HEAP_START;
    uint32_t page = (uint32_t)(offset / PAGE_SIZE) + 1;
    const struct heap_page *record;
    if (heap_guard_holds(object))
        return heap_guard_misuse(object, (const struct heap_cache *)owner);
    if (offset / PAGE_SIZE >= heap.high_frontier.count - 1)
        return HEAP_FOREIGN_FREE;
    if (offset % HEAP_ALIGNMENT != 0)
        return HEAP_MISALIGNED_FREE;
    if (page >= heap.frontier)
        return HEAP_DOUBLE_FREE;
    record = heap_page(page);
    if (record->kind == HEAP_PAGE_FREE || record->kind == HEAP_PAGE_TRANSIT)
        return HEAP_DOUBLE_FREE;
    if (record->kind == HEAP_PAGE_RUN && offset % PAGE_SIZE == 0)
        return HEAP_FOREIGN_FREE; /* an object, but no cache's */
    if (record->kind == HEAP_PAGE_RUN)
        return HEAP_INTERIOR_FREE;
    if (record->kind == HEAP_PAGE_NONE)
        return is_inside_run(page) ? HEAP_INTERIOR_FREE : HEAP_DOUBLE_FREE;
    return slab_misuse_of((uint32_t)heap_granule((uintptr_t)object), owner);
}

enum heap_misuse heap_misuse_of(const void *object, const struct heap_cache *cache)
{
    return misuse_of(object, (const struct heap_class *)cache);
}

void heap_refuse(const void *object, enum heap_misuse misuse, const void *caller)
{
    static const char *const names[HEAP_MISUSE_COUNT] = {"double", "foreign", "interior",
                                                         "misaligned"};
    unsigned long saved = platform_interrupts_save();
    heap_tally_set(&heap.misuses[misuse], heap.misuses[misuse].count + 1);
    platform_interrupts_restore(saved);
    platform_log("heap: %s free of %p refused, called from %pS", names[misuse], object, caller);
    heap_owner_log((uintptr_t)object);
}

/* No object of a size class, or of the cache that is `owner`: perhaps a guarded one. Interrupts
 * off; turns them back on. */
static __attribute__((noinline)) void refuse(const void *object, const struct heap_class *owner,
                                             const void *caller, unsigned long saved)
{
    enum heap_misuse misuse;
    if (heap_guard_holds(object)) {
        platform_interrupts_restore(saved);
        if (heap_guard_free((void *)(uintptr_t)object, (const struct heap_cache *)owner, caller))
            return;
        saved = platform_interrupts_save();
    }
    misuse = misuse_of(object, owner);
    platform_interrupts_restore(saved);
    heap_refuse(object, misuse, caller);
}

/* Interrupts off; turns them back on. */
static HEAP_REGISTERS __attribute__((noinline)) void
refuse_granule(uintptr_t granule, const void *caller, unsigned long saved)
{
    void *object = (void *)heap_granule_address(granule);
    if (object != NULL)
        refuse(object, NULL, caller, saved);
    else
        platform_interrupts_restore(saved);
}

/* In the first page of a run. Interrupts off; turns them back on. */
static HEAP_REGISTERS __attribute__((noinline)) void free_run(uint32_t granule, const void *caller,
                                                              unsigned long saved)
{
    if (__builtin_expect(heap_live_clear(granule), 1))
        run_free(granule / HEAP_PAGE_GRANULES, saved);
    else
        refuse_granule(granule, caller, saved);
}

/* Interrupts off; turns them back on. False: the granule is not where an object of this class
 * begins; interrupts are still off. */
HEAP_INLINE bool class_free(struct heap_class *class, uint32_t granule, unsigned long saved)
{
    uint32_t *top = class->top;
    if (__builtin_expect(!heap_live_clear(granule), 0))
        return false;
    if (__builtin_expect(top == class->end, 0)) {
        heap_slot_free(class, granule, saved);
        return true;
    }
    *top = HEAP_ORIGIN + granule * HEAP_GRANULE;
    class->top = top + 1;
    class->frees++;
    platform_interrupts_restore(saved);
    return true;
}

/* Whoever called the function that this becomes part of is who is named. Kind 0 is a class without
 * objects. */
HEAP_INLINE void free_from(void *object)
{
    unsigned long saved = platform_interrupts_save();
    uintptr_t granule = heap_granule((uintptr_t)object);
    unsigned kind = HEAP_PAGE_FREE;
    if (__builtin_expect(granule < heap.granules, 1))
        kind = record_of((uint32_t)granule)->kind;
    if (__builtin_expect(kind <= HEAP_SIZE_CLASSES, 1)) {
        if (__builtin_expect(class_free(heap_class(kind), (uint32_t)granule, saved), 1))
            return;
    } else if (kind == HEAP_PAGE_RUN) {
        free_run((uint32_t)granule, CALLER, saved);
        return;
    }
    refuse_granule(granule, CALLER, saved);
}

void kfree(void *object)
{
    free_from(object);
}

/* 0 for what is not an object. Interrupts off. */
static size_t object_bytes(const void *object)
{
    uint32_t granule = live_granule(object);
    const struct heap_page *record = record_of(granule);
    if (granule == 0)
        return heap_guard_holds(object) ? heap_guard_size(object) : 0;
    if (record->kind == HEAP_PAGE_RUN)
        return (size_t)record->count * PAGE_SIZE;
    return heap.classes[record->kind].size;
}

size_t ksize(const void *object)
{
    unsigned long saved = platform_interrupts_save();
    size_t bytes = object_bytes(object);
    platform_interrupts_restore(saved);
    return bytes;
}

/* The pages of a run from the n-th on become free. */
static void run_shrink(uint32_t first, uint32_t pages)
{
    unsigned long saved = platform_interrupts_save();
    struct heap_page *record = heap_page(first);
    uint32_t surplus = record->count - pages;
    record->count = (uint16_t)pages;
    heap.run_pages -= surplus;
    heap_transit_begin(first + pages, surplus);
    platform_interrupts_restore(saved);
    heap_release(first + pages);
}

/* False: what follows the run is not free, or there are no frames. */
static bool run_grow(uint32_t first, uint32_t pages)
{
    struct heap_page *record = heap_page(first);
    uint32_t had = record->count;
    struct heap_page *rest = record + had;
    unsigned long saved;
    if (!heap_obtain_at(first + had, pages - had))
        return false;
    saved = platform_interrupts_save();
    rest->head = rest->links = 0;
    record->count = (uint16_t)pages;
    heap.transit -= pages - had;
    heap.run_pages += pages - had;
    platform_interrupts_restore(saved);
    return true;
}

/* `has`: the object's bytes now. */
static bool resize_in_place(void *object, size_t has, size_t size)
{
    uint32_t first = run_find(object);
    if (first != 0 && size <= WINDOW_SIZE) {
        uint32_t pages = pages_of(size);
        if (pages < pages_of(has))
            run_shrink(first, pages);
        return pages <= pages_of(has) || run_grow(first, pages);
    }
    return size <= has;
}

static bool is_cache_object(const void *object)
{
    uint32_t granule = live_granule(object);
    if (granule == 0)
        return heap_guard_holds(object) && heap_guard_bytes(object) == 0;
    return record_of(granule)->kind - 1u < HEAP_CLASSES && !is_size_class(record_of(granule)->kind);
}

void *krealloc(void *object, size_t size)
{
    unsigned long saved;
    size_t has;
    void *moved;
    if (object == NULL)
        return allocate(size, HEAP_ALIGNMENT, CALLER);
    if (size == 0) {
        free_from(object);
        return NULL;
    }
    saved = platform_interrupts_save();
    has = is_cache_object(object) ? 0 : object_bytes(object);
    if (has == 0) {
        refuse(object, NULL, CALLER, saved);
        return NULL;
    }
    platform_interrupts_restore(saved);
    if (heap_guard_holds(object))
        return heap_guard_move(object, allocate(size, HEAP_ALIGNMENT, CALLER), size, CALLER);
    if (resize_in_place(object, has, size))
        return object;
    moved = allocate(size, HEAP_ALIGNMENT, CALLER);
    if (moved == NULL)
        return NULL;
    memcpy(moved, object, has);
    free_from(object);
    return moved;
}

struct heap_cache *heap_cache_create(const char *name, size_t size, size_t alignment)
{
    struct heap_class *found = NULL;
    unsigned long saved;
    if (name == NULL || size == 0 || size > HEAP_CACHE_OBJECT_MAX || alignment == 0 ||
        (alignment & (alignment - 1)) != 0 || alignment > PAGE_SIZE)
        return NULL;
    if (alignment < HEAP_GRANULE)
        alignment = HEAP_GRANULE;
    saved = platform_interrupts_save();
    for (unsigned i = HEAP_SIZE_CLASSES + 1; i <= HEAP_CLASSES && found == NULL; i++)
        if (heap.classes[i].size == 0)
            found = &heap.classes[i];
    if (found != NULL)
        heap_class_set_up(found, (uint32_t)((size + alignment - 1) & ~(alignment - 1)), name);
    else
        heap_tally_set(&heap.failures, heap.failures.count + 1);
    platform_interrupts_restore(saved);
    return (struct heap_cache *)found;
}

/* Objects are as large as slots, and lie at multiples of what divides their size. */
static __attribute__((noinline)) void *cache_alloc_otherwise(size_t cache)
{
    struct heap_class *class = (struct heap_class *)cache;
    void *object = heap_guard_sample(class->size, class->size & -class->size,
                                     (struct heap_cache *)class, CALLER);
    return object != NULL ? object : heap_class_alloc_slowly(class, platform_interrupts_save());
}

void *heap_cache_alloc(struct heap_cache *cache)
{
    return class_alloc((struct heap_class *)cache, cache_alloc_otherwise, (size_t)cache);
}

void heap_cache_free(struct heap_cache *cache, void *object)
{
    struct heap_class *owner = (struct heap_class *)cache;
    uintptr_t granule = heap_granule((uintptr_t)object);
    unsigned long saved;
    if (object == NULL)
        return;
    saved = platform_interrupts_save();
    if (granule >= heap.granules || record_of((uint32_t)granule)->kind != heap_class_index(owner) ||
        !class_free(owner, (uint32_t)granule, saved))
        refuse(object, owner, CALLER, saved);
}

int heap_cache_destroy(struct heap_cache *cache)
{
    struct heap_class *class = (struct heap_class *)cache;
    unsigned long saved = platform_interrupts_save();
    bool busy = class->allocations != class->frees || heap_guard_has_objects_of(cache);
    platform_interrupts_restore(saved);
    if (busy)
        return -EBUSY;
    while (heap_class_trim_step(class))
        ;
    saved = platform_interrupts_save();
    heap_tally_set(&heap.past_caches, heap.past_caches.count + class->allocations);
    heap_class_clear(class);
    platform_interrupts_restore(saved);
    return 0;
}

static size_t bookkeeping_pages(void)
{
    size_t pages = 0;
    for (unsigned table = 0; table < HEAP_TABLES; table++)
        pages += heap.table_pages[table];
    return pages;
}

/* What no other counter of committed pages has. */
static size_t slab_pages(void)
{
    return heap.committed - heap.run_pages - heap.cached - heap.transit - bookkeeping_pages() -
           heap_guard.committed;
}

/* What concerns all of the heap, at one moment. */
static void read_totals(struct heap_statistics *statistics)
{
    unsigned long saved = platform_interrupts_save();
    *statistics = (struct heap_statistics){
        .allocations = heap.run_allocations + heap.past_caches.count,
        .frees = heap.run_frees + heap.past_caches.count,
        .failures = heap.failures.count,
        .live_bytes = (size_t)heap.run_pages * PAGE_SIZE,
        .committed_bytes = (size_t)heap.committed * PAGE_SIZE,
        .slab_bytes = slab_pages() * PAGE_SIZE,
        .run_bytes = (size_t)heap.run_pages * PAGE_SIZE,
        .bookkeeping_bytes = bookkeeping_pages() * PAGE_SIZE,
        .cached_bytes = (size_t)(heap.cached + heap.transit) * PAGE_SIZE,
        .peak_committed_bytes = (size_t)heap.peak_committed.count * PAGE_SIZE,
        .window_bytes = MAP_HEAP_END - MAP_HEAP_START,
    };
    for (unsigned i = 0; i < HEAP_MISUSE_COUNT; i++)
        statistics->misuses[i] = heap.misuses[i].count;
    heap_guard_count(statistics);
    platform_interrupts_restore(saved);
}

/* Of so many classes at one moment: all of them would keep interrupts off for too long. */
#define CLASSES_AT_ONCE 12u
_Static_assert(HEAP_CLASSES % CLASSES_AT_ONCE == 0, "no class is left over");

static void add_classes(struct heap_statistics *statistics, const struct heap_class *class)
{
    const struct heap_class *end = class + CLASSES_AT_ONCE;
    unsigned long saved = platform_interrupts_save();
    for (; class < end; class ++) {
        if (class->allocations == 0)
            continue;
        statistics->allocations += class->allocations;
        statistics->frees += class->frees;
        statistics->live_bytes +=
            (size_t)(uint32_t)(class->allocations - class->frees) * class->size;
    }
    platform_interrupts_restore(saved);
}

void heap_read_statistics(struct heap_statistics *statistics)
{
    read_totals(statistics);
    for (unsigned first = 1; first <= HEAP_CLASSES; first += CLASSES_AT_ONCE)
        add_classes(statistics, &heap.classes[first]);
    statistics->objects = (uint32_t)(statistics->allocations - statistics->frees);
}

/* The class of a row: size classes first, then the caches that exist. */
static const struct heap_class *class_of_row(unsigned row)
{
    for (unsigned i = 1; i <= HEAP_CLASSES; i++)
        if (heap.classes[i].size != 0 && row-- == 0)
            return &heap.classes[i];
    return NULL;
}

bool heap_read_class(unsigned index, struct heap_class_statistics *statistics)
{
    unsigned long saved = platform_interrupts_save();
    const struct heap_class *class = class_of_row(index);
    if (class != NULL)
        *statistics = (struct heap_class_statistics){
            .name = class->name,
            .object_bytes = class->size,
            .live = (uint32_t)(class->allocations - class->frees),
            .slabs = class->slabs,
            .committed_bytes = (size_t) class->slabs * class->pages * PAGE_SIZE,
        };
    platform_interrupts_restore(saved);
    return class != NULL;
}

/* What a walk finds at a page: an object of whole pages, a slab, or something to step over. */
struct step {
    uint32_t pages;
    uint32_t slots;
    size_t bytes; /* of an object; 0: none here */
};

static struct step step_at(uint32_t page)
{
    const struct heap_page *record = heap_page(page);
    struct step step = {.pages = 1};
    if (record->kind == HEAP_PAGE_RUN || record->kind == HEAP_PAGE_FREE ||
        record->kind == HEAP_PAGE_TRANSIT) {
        step.pages = record->count;
        step.slots = record->kind == HEAP_PAGE_RUN;
        step.bytes = (size_t)record->count * PAGE_SIZE;
    } else if (record->kind - 1u < HEAP_CLASSES && record->rest == 0) {
        const struct heap_class *class = &heap.classes[record->kind];
        step = (struct step){class->pages, class->slots, class->size};
    }
    return step;
}

/* The object may be freed by the visitor: whether it lives is asked again for each. */
static bool visit_slots(uint32_t page, const struct step *step, heap_visitor visit, void *context)
{
    for (uint32_t slot = 0; slot < step->slots; slot++) {
        void *object = (void *)(heap_page_address(page) + (uintptr_t)slot * step->bytes);
        if (ksize(object) == step->bytes && !visit(context, object, step->bytes))
            return false;
    }
    return true;
}

void heap_visit(heap_visitor visit, void *context)
{
    uint32_t page = 1;
    for (;;) {
        unsigned long saved = platform_interrupts_save();
        struct step step = {0};
        if (page < heap.frontier)
            step = step_at(page);
        platform_interrupts_restore(saved);
        if (step.pages == 0)
            break;
        if (!visit_slots(page, &step, visit, context))
            return;
        page += step.pages;
    }
    heap_guard_visit(visit, context);
}
