#include "kernel/memory/heap/guard.h"
#include "kernel/memory/heap/index.h"

/* The same for all that never changes in a class: heap_check makes it again (FNV-1a, by words). */
uint32_t heap_class_seal(const struct heap_class *class)
{
    uint64_t name = (uintptr_t) class->name;
    uint64_t end = (uintptr_t) class->end;
    const uint32_t fields[] = {class->size,   class->reciprocal,    class->fresh,
                               class->absent, class->slots,         class->pages,
                               class->last,   (uint32_t)name,       (uint32_t)(name >> 32),
                               (uint32_t)end, (uint32_t)(end >> 32)};
    uint32_t seal = 0x811C9DC5u;
    for (unsigned i = 0; i < ARRAY_COUNT(fields); i++)
        seal = (seal ^ fields[i]) * 0x01000193u;
    return seal;
}

static uint32_t slots_in(uint32_t pages, uint32_t size)
{
    uint32_t slots = pages * PAGE_SIZE / size;
    return slots < HEAP_SLOTS_MAX ? slots : HEAP_SLOTS_MAX;
}

/* The number of pages that wastes least; more only for a gain of more than one byte in 64. */
static uint32_t slab_pages_for(uint32_t size)
{
    uint32_t best = 0;
    uint32_t best_waste = 0;
    for (uint32_t pages = 1; pages <= HEAP_SLAB_PAGES; pages++) {
        uint32_t slots = slots_in(pages, size);
        uint32_t waste = (pages * PAGE_SIZE - slots * size) / pages;
        if (slots < HEAP_SLOTS_MIN && pages < HEAP_SLAB_PAGES)
            continue;
        if (best == 0 || waste + PAGE_SIZE / 64 < best_waste) {
            best = pages;
            best_waste = waste;
        }
    }
    return best;
}

/* How many slots of this size a hand holds. */
static uint32_t hand_size(uint32_t size)
{
    uint32_t slots = HEAP_IN_HAND_BYTES / size;
    if (heap_guard.every != 0)
        return 0;
    return slots < HEAP_IN_HAND_MAX ? slots : HEAP_IN_HAND_MAX;
}

void heap_class_set_up(struct heap_class *class, uint32_t size, const char *name)
{
    uint32_t granules = size / HEAP_GRANULE, words;
    class->size = size;
    class->reciprocal = ((1u << 20) + granules - 1) / granules;
    class->pages = (uint8_t)slab_pages_for(size);
    class->slots = (uint8_t)slots_in(class->pages, size);
    words = (class->slots + 31u) / 32;
    class->last = (uint8_t)(words - 1);
    class->absent = class->slots % 32 == 0 ? 0 : UINT32_MAX << class->slots % 32;
    class->fresh = heap_head(heap_class_index(class), 0, ((1u << words) - 1) | 1u << 8);
    class->top = class->hand;
    class->end = class->hand + hand_size(size);
    class->slab = heap_page(0);
    class->name = name;
    class->seal = heap_class_seal(class);
}

void heap_class_clear(struct heap_class *class)
{
    *class = (struct heap_class){.slab = heap_page(0)};
}

/*
 * Steps of 16 up to 256, then 8 sizes a doubling. Above half a page the sizes are those of which 7,
 * 6, 5 and 4 fill a slab.
 */
static uint32_t size_after(uint32_t size)
{
    static const uint16_t large[] = {2336, 2720, 3264, 4096};
    uint32_t step = HEAP_GRANULE;
    unsigned i = 0;
    if (size >= 2048) {
        while (large[i] <= size)
            i++;
        return large[i];
    }
    while (size >= 16 * step)
        step *= 2;
    return size + step;
}

void heap_classes_init(void)
{
    uint32_t size = 0;
    uint32_t entry = 0;
    for (unsigned index = 1; index <= HEAP_SIZE_CLASSES; index++) {
        size = size_after(size);
        heap_class_set_up(&heap.classes[index], size, NULL);
        while (entry < size / HEAP_GRANULE)
            heap.class_of[entry++] = (uint8_t)index;
    }
}

static void list_push(struct heap_class *class, struct heap_page *slab)
{
    uint32_t page = heap_page_number(slab), next = class->first;
    slab->links = next; /* and nothing before it */
    if (next != 0)
        heap_page(next)->previous = (uint16_t)page;
    class->first = (uint16_t)page;
}

HEAP_INLINE void list_remove(struct heap_class *class, struct heap_page *slab)
{
    uint32_t next = slab->next, previous = slab->previous;
    if (next != 0)
        heap_page(next)->previous = (uint16_t)previous;
    if (previous != 0)
        heap_page(previous)->next = (uint16_t)next;
    else
        class->first = (uint16_t)next;
    slab->links = 0;
}

HEAP_INLINE void slab_make_current(struct heap_class *class, struct heap_page *slab, uint32_t page)
{
    class->slab = slab;
    class->slab_address = (uint32_t)heap_page_address(page);
}

/* A slot that is out becomes an object. */
HEAP_INLINE void *slot_enliven(struct heap_class *class, uint32_t address)
{
    class->allocations++;
    heap_live_set((uint32_t)heap_granule(address));
    return (void *)(uintptr_t)address;
}

/* The lowest slot of the current slab, which has one, becomes an object. */
HEAP_INLINE void *class_take(struct heap_class *class)
{
    struct heap_page *slab = class->slab;
    uint32_t open = slab->open;
    unsigned word = heap_lowest_bit(open);
    uint32_t used = slab->used[word], with = used | (used + 1);
    uint32_t slot = word * 32 + heap_lowest_bit(~used);
    slab->used[word] = with;
    if (with == UINT32_MAX)
        slab->open = (uint8_t)(open & (open - 1));
    slab->out++;
    return slot_enliven(class, class->slab_address + slot * class->size);
}

/* The first slab of the list becomes the current one. */
HEAP_INLINE void list_take(struct heap_class *class)
{
    uint32_t page = class->first;
    struct heap_page *slab = heap_page(page);
    uint32_t next = slab->next;
    class->first = (uint16_t)next;
    if (next != 0)
        heap_page(next)->previous = 0;
    slab->links = 0;
    slab_make_current(class, slab, page);
}

/* Pages that were taken become a slab, the current one, and its first slot an object. */
HEAP_INLINE void *slab_install(struct heap_class *class, struct heap_page *slab)
{
    uint32_t pages = class->pages, head = class->fresh;
    slab->head = head;
    slab->links = 0;
    slab->used[0] = 1;
    slab->used[1] = 0;
    slab->used[class->last] |= class->absent;
    head &= heap_head(UINT8_MAX, 0, 0);
    if (pages > 1) {
        slab[1].head = head + heap_head(0, 1, 0);
        if (pages > 2)
            slab[2].head = head + heap_head(0, 2, 0);
        if (pages > 3)
            slab[3].head = head + heap_head(0, 3, 0);
    }
    class->slabs++;
    slab_make_current(class, slab, heap_page_number(slab));
    return slot_enliven(class, class->slab_address);
}

/* A slab of which no slot is out becomes pages that are free. Nothing of it remains in the records
 * but the first word. Interrupts off; turns them back on. */
HEAP_INLINE void slab_release(struct heap_class *class, struct heap_page *slab, unsigned long saved)
{
    uint32_t pages = class->pages;
    slab->used[class->last] = 0;
    if (pages > 1) {
        slab[1].head = 0;
        if (pages > 2)
            slab[2].head = 0;
        if (pages > 3)
            slab[3].head = 0;
    }
    class->slabs--;
    run_free_committed(slab, pages, saved);
}

/*
 * Between looking and coming back with pages, an interrupt handler may have filled the class up:
 * then the pages go back. Interrupts on.
 */
static __attribute__((noinline)) void *class_alloc_committing(struct heap_class *class)
{
    uint32_t first = heap_obtain(class->pages, PAGE_SIZE);
    unsigned long saved = platform_interrupts_save();
    void *object = NULL;
    bool needed = class->slab->open == 0 && class->first == 0;
    if (!needed) {
        if (class->slab->open == 0)
            list_take(class);
        object = class_take(class);
    } else if (first != 0) {
        heap.transit -= class->pages;
        object = slab_install(class, heap_page(first));
    } else {
        heap_tally_set(&heap.failures, heap.failures.count + 1);
    }
    platform_interrupts_restore(saved);
    if (first != 0 && !needed)
        heap_release(first);
    return object;
}

/* Every slab of the class is full. Interrupts off; turns them back on. */
static HEAP_REGISTERS __attribute__((noinline)) void *class_alloc_new(struct heap_class *class,
                                                                      unsigned long saved)
{
    struct heap_page *slab = take_committed(index_find_few(class->pages), class->pages);
    void *object;
    if (__builtin_expect(slab == NULL, 0)) {
        platform_interrupts_restore(saved);
        return class_alloc_committing(class);
    }
    object = slab_install(class, slab);
    platform_interrupts_restore(saved);
    return object;
}

/* The current slab is full. */
static HEAP_REGISTERS __attribute__((noinline)) void *class_alloc_next(struct heap_class *class,
                                                                       unsigned long saved)
{
    void *object;
    list_take(class);
    object = class_take(class);
    platform_interrupts_restore(saved);
    return object;
}

static HEAP_REGISTERS __attribute__((noinline)) void *class_alloc_here(struct heap_class *class,
                                                                       unsigned long saved)
{
    void *object = class_take(class);
    platform_interrupts_restore(saved);
    return object;
}

/* Each way saves the registers that it needs itself. */
HEAP_REGISTERS void *heap_class_alloc_slowly(struct heap_class *class, unsigned long saved)
{
    if (class->slab->open != 0)
        return class_alloc_here(class, saved);
    return class->first != 0 ? class_alloc_next(class, saved) : class_alloc_new(class, saved);
}

/* No slot of it is out any more, and it is not the current slab. */
HEAP_INLINE void slab_emptied(struct heap_class *class, struct heap_page *slab, unsigned long saved)
{
    list_remove(class, slab);
    slab_release(class, slab, saved);
}

/* The slab was full until a slot came back. */
static HEAP_REGISTERS __attribute__((noinline)) void
slab_opened(struct heap_class *class, struct heap_page *slab, unsigned long saved)
{
    if (slab != class->slab) {
        if (class->slab->open == 0)
            slab_make_current(class, slab, heap_page_number(slab));
        else
            list_push(class, slab);
    }
    platform_interrupts_restore(saved);
}

/* A slot is out no more. A full slab has more than one, so none is both opened and emptied. */
HEAP_INLINE void slot_return(struct heap_class *class, uint32_t granule, unsigned long saved)
{
    struct heap_page *slab = heap_page(granule / HEAP_PAGE_GRANULES);
    uint32_t rest = slab->rest;
    uint32_t slot =
        (granule % HEAP_PAGE_GRANULES + rest * HEAP_PAGE_GRANULES) * class->reciprocal >> 20;
    bool was_full;
    slab -= rest;
    was_full = slab->open == 0;
    HEAP_CLEAR_BIT(slab->used, slot);
    HEAP_SET_BIT(slab->head, slot / 32); /* of open */
    if (--slab->out == 0 && slab != class->slab)
        slab_emptied(class, slab, saved);
    else if (was_full)
        slab_opened(class, slab, saved);
    else
        platform_interrupts_restore(saved);
}

HEAP_REGISTERS void heap_slot_free(struct heap_class *class, uint32_t granule, unsigned long saved)
{
    class->frees++;
    slot_return(class, granule, saved);
}

bool heap_class_trim_step(struct heap_class *class)
{
    unsigned long saved = platform_interrupts_save();
    struct heap_page *slab = class->slab;
    if (class->size != 0 && class->top != class->hand) {
        uint32_t address = *--class->top;
        *class->top = 0;
        slot_return(class, (uint32_t)heap_granule(address), saved);
        return true;
    }
    if (slab == heap_page(0) || slab->out != 0) {
        platform_interrupts_restore(saved);
        return false;
    }
    class->slab = heap_page(0);
    class->slab_address = 0;
    slab_release(class, slab, saved);
    return true;
}

/* False: something is in the hand, and must go first. */
static bool hand_set(struct heap_class *class)
{
    unsigned long saved = platform_interrupts_save();
    bool is_settable = class->size == 0 || class->top <= class->hand + hand_size(class->size);
    if (is_settable && class->size != 0) {
        class->end = class->hand + hand_size(class->size);
        class->seal = heap_class_seal(class);
    }
    platform_interrupts_restore(saved);
    return is_settable;
}

void heap_hands_set(void)
{
    for (unsigned i = 1; i <= HEAP_CLASSES; i++)
        while (!hand_set(&heap.classes[i]))
            heap_class_trim_step(&heap.classes[i]);
}
