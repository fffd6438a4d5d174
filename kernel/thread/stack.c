#include "kernel/thread/stack.h"

#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/platform.h"

/* A place is an unmapped page and a stack; after the last one is an unmapped page too. */
#define PLACE_BYTES  (STACK_BYTES + PAGE_SIZE)
#define PLACES       ((MAP_STACKS_END - MAP_STACKS_START - PAGE_SIZE) / PLACE_BYTES)
#define WORDS        ((PLACES + 31) / 32)
#define STACK_FRAMES BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)

/* Bit p of `used` is set while place p is; bit w of `full` while word w of `used` has no zero. */
static uint32_t used[WORDS];
static uint32_t full[(WORDS + 31) / 32];
static uint32_t count;

static uint32_t start_of(uint32_t place)
{
    return MAP_STACKS_START + place * PLACE_BYTES + PAGE_SIZE;
}

static unsigned first_zero(uint32_t word)
{
    return (unsigned)__builtin_ctz(~word);
}

/* PLACES: there is none. */
static uint32_t take_place(void)
{
    for (uint32_t i = 0; i < ARRAY_COUNT(full); i++) {
        if (full[i] == UINT32_MAX)
            continue;
        uint32_t word = i * 32 + first_zero(full[i]);
        uint32_t place = word < WORDS ? word * 32 + first_zero(used[word]) : PLACES;
        if (place >= PLACES)
            return PLACES;
        used[word] |= 1u << place % 32;
        if (used[word] == UINT32_MAX)
            full[word / 32] |= 1u << word % 32;
        count++;
        return place;
    }
    return PLACES;
}

static void give_place(uint32_t place)
{
    MEMORY_ASSERT(used[place / 32] >> place % 32 & 1);
    used[place / 32] &= ~(1u << place % 32);
    full[place / 32 / 32] &= ~(1u << place / 32 % 32);
    count--;
}

static void unmap(uint32_t start, uint32_t pages)
{
    while (pages-- > 0) {
        frame_t frame = paging_unmap_page(&paging_kernel, start + pages * PAGE_SIZE);
        MEMORY_ASSERT(frame != FRAME_NONE && pageframe_free(frame) == 0);
    }
}

static bool map(uint32_t start)
{
    for (uint32_t page = 0; page < STACK_PAGES; page++) {
        frame_t frame = pageframe_alloc(PAGEFRAME_ANYWHERE, STACK_FRAMES);
        if (frame == FRAME_NONE ||
            paging_map_page(&paging_kernel, start + page * PAGE_SIZE, frame, PAGING_WRITE) != 0) {
            if (frame != FRAME_NONE)
                MEMORY_ASSERT(pageframe_free(frame) == 0);
            unmap(start, page);
            return false;
        }
    }
    return true;
}

uint32_t stack_alloc(void)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t place = take_place();
    platform_interrupts_restore(saved);
    if (place == PLACES)
        return 0;
    if (map(start_of(place)))
        return start_of(place);
    saved = platform_interrupts_save();
    give_place(place);
    platform_interrupts_restore(saved);
    return 0;
}

void stack_free(uint32_t start)
{
    unmap(start, STACK_PAGES);
    unsigned long saved = platform_interrupts_save();
    give_place((start - MAP_STACKS_START) / PLACE_BYTES);
    platform_interrupts_restore(saved);
}

uint32_t stack_count(void)
{
    return count;
}
