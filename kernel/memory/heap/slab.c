#include "kernel/memory/heap/internal.h"

/* The same for all that never changes in a class: heap_check makes it again (FNV-1a, by words). */
uint32_t heap_class_seal(const struct heap_class *class)
{
    uint64_t name = (uintptr_t) class->name;
    const uint32_t fields[] = {class->size,  class->reciprocal, class->slots,          class->words,
                               class->pages, (uint32_t)name,    (uint32_t)(name >> 32)};
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

void heap_class_set_up(struct heap_class *class, uint32_t size, const char *name)
{
    class->word = &heap.no_slots;
    class->size = size;
    class->reciprocal = (uint32_t)((0xFFFFFFFFull + size) / size);
    class->pages = (uint16_t)slab_pages_for(size);
    class->slots = (uint16_t)slots_in(class->pages, size);
    class->words = (uint16_t)((class->slots + 31) / 32);
    class->name = name;
    class->seal = heap_class_seal(class);
}

void heap_classes_init(void)
{
    uint32_t size = 0, step = HEAP_SLOT_BYTES;
    uint32_t entry = 0;
    for (unsigned index = 1; index <= HEAP_SIZE_CLASSES; index++) {
        if (size == 16 * step)
            step *= 2;
        size += step;
        heap_class_set_up(&heap.classes[index], size, NULL);
        while (entry < size / HEAP_SLOT_BYTES)
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
    for (unsigned page = 1; page < class->pages; page++) {
        slab[page].kind = HEAP_PAGE_REST;
        slab[page].count = (uint16_t)page;
    }
    slab->kind = (uint8_t)heap_class_index(class);
    slab->count = slab->next = 0;
    for (unsigned word = 0; word < class->words; word++)
        class->parity ^= slab->free[word] = slab_bits(class, word);
    heap.transit -= class->pages;
    heap.slab_pages += class->pages;
    class->slabs++;
    slab_make_current(class, slab, 0);
}

/* What is left of a slab without objects is a transit run. */
static uint32_t slab_dissolve(struct heap_class *class, struct heap_page *slab)
{
    for (unsigned page = 1; page < class->pages; page++) {
        slab[page].kind = HEAP_PAGE_NONE;
        slab[page].count = 0;
    }
    for (unsigned word = 0; word < class->words; word++) {
        class->parity ^= slab->free[word];
        slab->free[word] = 0;
    }
    slab->kind = HEAP_PAGE_TRANSIT;
    slab->count = slab->next = class->pages;
    heap.slab_pages -= class->pages;
    heap.transit += class->pages;
    class->slabs--;
    return heap_page_number(slab);
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
        object = heap_class_take(class);
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
        object = heap_class_take(class);
    platform_interrupts_restore(saved);
    return object != NULL ? object : class_alloc_new(class);
}

void heap_slab_not_full(struct heap_class *class, struct heap_page *slab, uint32_t index)
{
    if (slab == class->slab)
        return;
    if (class->slab == NULL || class->slab->count == class->slots)
        slab_make_current(class, slab, index / 32);
    else
        list_push(class, slab);
}

uint32_t heap_slab_retire(struct heap_class *class, struct heap_page *slab)
{
    list_remove(class, slab);
    return slab_dissolve(class, slab);
}

uint32_t heap_class_trim(struct heap_class *class)
{
    unsigned long saved = platform_interrupts_save();
    struct heap_page *slab = class->slab;
    uint32_t first = 0;
    if (slab != NULL && slab->count == 0) {
        class->slab = NULL;
        class->word = &heap.no_slots;
        class->word_address = 0;
        first = slab_dissolve(class, slab);
    }
    platform_interrupts_restore(saved);
    if (first == 0)
        return 0;
    heap_release(first);
    return class->pages;
}
