#include "kernel/memory/heap/guard.h"

/* The same for all that never changes in a class: heap_check makes it again (FNV-1a, by words). */
uint32_t heap_class_seal(const struct heap_class *class)
{
    uint64_t name = (uintptr_t) class->name;
    uint64_t end = (uintptr_t) class->end;
    const uint32_t fields[] = {
        class->size,    class->reciprocal,      class->slots,  class->words,         class->pages,
        (uint32_t)name, (uint32_t)(name >> 32), (uint32_t)end, (uint32_t)(end >> 32)};
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
    class->word = &heap.no_slots;
    class->size = size;
    class->reciprocal = (uint32_t)((0xFFFFFFFFull + size) / size);
    class->pages = (uint16_t)slab_pages_for(size);
    class->slots = (uint16_t)slots_in(class->pages, size);
    class->words = (uint16_t)((class->slots + 31) / 32);
    class->top = class->hand;
    class->end = class->hand + hand_size(size);
    class->name = name;
    class->seal = heap_class_seal(class);
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

static uint32_t slab_bits(const struct heap_class *class, unsigned word)
{
    uint32_t left = class->slots - word * 32u;
    return left < 32 ? heap_bits(0, left) : UINT32_MAX;
}

static void list_push(struct heap_class *class, struct heap_page *slab)
{
    uint32_t page = heap_page_number(slab);
    slab->next = class->first;
    if (slab->next != 0)
        heap_page(slab->next)->previous = (uint16_t)page;
    class->first = (uint16_t)page;
}

static void list_remove(struct heap_class *class, struct heap_page *slab)
{
    if (slab->next != 0)
        heap_page(slab->next)->previous = slab->previous;
    if (slab->previous != 0)
        heap_page(slab->previous)->next = slab->next;
    else
        class->first = slab->next;
    slab->next = slab->previous = 0;
}

static void slab_make_current(struct heap_class *class, struct heap_page *slab, uint32_t word)
{
    class->slab = slab;
    class->word = &slab->free[word];
    class->word_address = heap_page_address(heap_page_number(slab)) + word * 32u * class->size;
}

/* Its current word is used up: the next one of the slab, or of the next slab. False: all are full.
 */
static bool class_advance(struct heap_class *class)
{
    struct heap_page *slab = class->slab;
    uint32_t word = 0;
    if (slab == NULL || slab->count == class->slots) {
        if (class->first == 0)
            return false;
        slab = heap_page(class->first);
        list_remove(class, slab);
    }
    while (slab->free[word] == 0)
        word++;
    slab_make_current(class, slab, word);
    return true;
}

/* A transit run becomes a slab, and the current one. */
static void slab_install(struct heap_class *class, uint32_t first)
{
    struct heap_page *slab = heap_page(first);
    unsigned kind = heap_class_index(class);
    for (unsigned page = 0; page < class->pages; page++) {
        slab[page].kind = (uint8_t)kind;
        slab[page].rest = (uint8_t)page;
    }
    slab->count = slab->next = 0;
    for (unsigned word = 0; word < class->words; word++)
        slab->free[word] = slab_bits(class, word);
    heap.transit -= class->pages;
    heap.slab_pages += class->pages;
    class->slabs++;
    slab_make_current(class, slab, 0);
}

/* A slab of which no slot is out becomes a transit run. Returns its first page. */
static uint32_t slab_dissolve(struct heap_class *class, struct heap_page *slab)
{
    for (unsigned page = 0; page < class->pages; page++)
        slab[page].kind = slab[page].rest = 0;
    for (unsigned word = 0; word < class->words; word++)
        slab->free[word] = 0;
    slab->kind = HEAP_PAGE_TRANSIT;
    slab->count = slab->next = class->pages;
    heap.slab_pages -= class->pages;
    heap.transit += class->pages;
    class->slabs--;
    return heap_page_number(slab);
}

/* The lowest free slot of the current word, which is not zero, becomes an object. */
static inline void *class_take(struct heap_class *class)
{
    uint32_t word = *class->word;
    uintptr_t address = class->word_address + (uintptr_t)heap_lowest_bit(word) * class->size;
    *class->word = word & (word - 1);
    class->slab->count++;
    class->allocations++;
    heap_live_set((uint32_t)heap_granule(address));
    return (void *)address;
}

/*
 * Between looking and coming back with pages, an interrupt handler may have filled the class up:
 * then the pages go back.
 */
static void *class_alloc_new(struct heap_class *class)
{
    uint32_t first = heap_obtain(class->pages, PAGE_SIZE);
    unsigned long saved = platform_interrupts_save();
    void *object = NULL;
    bool needed = *class->word == 0 && !class_advance(class);
    if (first == 0 && needed)
        heap_tally_set(&heap.failures, heap.failures.count + 1);
    if (first != 0 && needed)
        slab_install(class, first);
    if (first != 0 || !needed)
        object = class_take(class);
    platform_interrupts_restore(saved);
    if (first != 0 && !needed)
        heap_release(first);
    return object;
}

void *heap_class_alloc_slowly(struct heap_class *class)
{
    unsigned long saved = platform_interrupts_save();
    void *object = NULL;
    if (*class->word != 0 || class_advance(class))
        object = class_take(class);
    platform_interrupts_restore(saved);
    return object != NULL ? object : class_alloc_new(class);
}

/* The slab was full until a slot in this word came back. */
static void slab_not_full(struct heap_class *class, struct heap_page *slab, uint32_t word)
{
    if (slab == class->slab)
        return;
    if (class->slab == NULL || class->slab->count == class->slots)
        slab_make_current(class, slab, word);
    else
        list_push(class, slab);
}

static inline uint32_t slot_return(struct heap_class *class, uint32_t granule)
{
    struct heap_page *slab = heap_page(granule / HEAP_PAGE_GRANULES);
    uint32_t within =
        (granule % HEAP_PAGE_GRANULES + slab->rest * HEAP_PAGE_GRANULES) * HEAP_GRANULE;
    uint32_t slot = (uint32_t)((uint64_t)within * class->reciprocal >> 32);
    uint32_t was_out;
    slab -= slab->rest;
    was_out = slab->count;
    slab->count = (uint16_t)(was_out - 1);
    slab->free[slot / 32] |= 1u << slot % 32;
    if (was_out == class->slots)
        slab_not_full(class, slab, slot / 32);
    if (was_out != 1 || slab == class->slab)
        return 0;
    list_remove(class, slab);
    return slab_dissolve(class, slab);
}

void heap_slot_free(struct heap_class *class, uint32_t granule, unsigned long saved)
{
    uint32_t first = slot_return(class, granule);
    class->frees++;
    platform_interrupts_restore(saved);
    if (first != 0)
        heap_release(first);
}

static uint32_t current_dissolve(struct heap_class *class)
{
    struct heap_page *slab = class->slab;
    if (slab == NULL || slab->count != 0)
        return 0;
    class->slab = NULL;
    class->word = &heap.no_slots;
    class->word_address = 0;
    return slab_dissolve(class, slab);
}

/* One step of a trim: a slot in hand, or the current slab. False: there was nothing to do. */
static bool class_trim_step(struct heap_class *class)
{
    unsigned long saved = platform_interrupts_save();
    bool holds = class->size != 0 && class->top != class->hand;
    uint32_t first;
    if (holds) {
        uint32_t address = *--class->top;
        *class->top = 0;
        first = slot_return(class, (uint32_t)heap_granule(address));
    } else {
        first = current_dissolve(class);
    }
    platform_interrupts_restore(saved);
    if (first != 0)
        heap_release(first);
    return holds || first != 0;
}

void heap_class_trim(struct heap_class *class)
{
    while (class_trim_step(class))
        ;
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
            heap_class_trim(&heap.classes[i]);
}
