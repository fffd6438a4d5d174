#include "kernel/cpu/registers.h"
#include "kernel/include/errors.h"
#include "kernel/include/panic.h"
#include "kernel/memory/bytemap/bytemap.h"
#include "kernel/memory/heap/internal.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/sanitizer/internal.h"
#include "kernel/start/start.h"

/*
 * Where the shadow is, and what backs it.
 *
 *   of the kernel image, of its stack       arrays in the image, from the first instruction on
 *   of a page of the heap, or of a thread's a frame for 8 pages, while one of them is there
 *     stack
 *   of all other addresses with something   one frame of zeros, read-only
 *     behind them, and of those rows' rest
 *   of the direct view beyond the RAM,      nothing: an access there is wild
 *     and of the shadow itself
 *
 * Until paging_kernel is loaded, a provisional shadow stands in for it: the image's own, and zeros.
 */
#define PAGE_SHADOWS    (PAGE_SIZE * SHADOW_GRANULE) /* bytes that a page of shadow speaks for */
#define IMAGE_SHADOW    ((MAP_IMAGE_END - MAP_IMAGE_START) / SHADOW_GRANULE)
#define STACK_SHADOW    ((MAP_STACK_END - MAP_STACK_START) / SHADOW_GRANULE)
#define ENTRY_PRESENT   1u
#define ENTRY_WRITE     2u
#define ENTRIES         512u
#define DIRECTORY_SHIFT 21
#define TOP_SHIFT       30

_Static_assert(MAP_IMAGE_START % PAGE_SHADOWS == 0 && MAP_IMAGE_END % PAGE_SHADOWS == 0 &&
                   MAP_HEAP_END % PAGE_SHADOWS == 0 && MAP_STACK_START % PAGE_SHADOWS == 0 &&
                   MAP_STACK_END % PAGE_SHADOWS == 0,
               "no page of the shadow speaks for two of these rows");
_Static_assert((MAP_SANITIZER_END - MAP_SANITIZER_START) * (uint64_t)SHADOW_GRANULE == MAP_TOP_END,
               "the row is as long as the shadow of everything");

bool sanitizer_is_on;

static uint8_t image_shadow[IMAGE_SHADOW] __attribute__((aligned(PAGE_SIZE)));
static uint8_t stack_shadow[STACK_SHADOW] __attribute__((aligned(PAGE_SIZE)));
static const uint8_t zeros[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE))) = {0};
static uint64_t zero_table[ENTRIES] __attribute__((aligned(PAGE_SIZE)));
static uint64_t first_table[ENTRIES] __attribute__((aligned(PAGE_SIZE)));

/* Pages of the heap and of threads' stacks that are there, of each 8 that share a page of shadow.
 */
static uint8_t heap_users[(MAP_HEAP_END - MAP_HEAP_START) / PAGE_SHADOWS];
static uint8_t stacks_users[(MAP_STACKS_END - MAP_STACKS_START) / PAGE_SHADOWS];
static uint32_t shadow_frames;

WRAP(void *, memset, void *to, int byte, size_t bytes);

/* Not by the memset that is checked: the shadow has no shadow. */
void shadow_poison(uint32_t address, uint32_t bytes, uint8_t value)
{
    __real_memset(shadow_of(address), value, (bytes + SHADOW_GRANULE - 1) / SHADOW_GRANULE);
}

void shadow_unpoison(uint32_t address, uint32_t bytes)
{
    shadow_poison(address, bytes / SHADOW_GRANULE * SHADOW_GRANULE, 0);
    if (bytes % SHADOW_GRANULE != 0)
        *shadow_of(address + bytes) = bytes % SHADOW_GRANULE;
}

static bool is_wrong(uint32_t address)
{
    int8_t value = *(const int8_t *)shadow_of(address);
    return value != 0 && (int8_t)(address % SHADOW_GRANULE) >= value;
}

uint32_t shadow_find_wrong(uint32_t address, uint32_t bytes)
{
    uint64_t end = (uint64_t)address + bytes;
    for (uint64_t at = address; at < end;) {
        uint64_t next = (at | (SHADOW_GRANULE - 1)) + 1;
        uint32_t last = (uint32_t)((next < end ? next : end) - 1);
        if (is_wrong(last)) {
            while (!is_wrong((uint32_t)at))
                at++;
            return (uint32_t)at;
        }
        at = next;
    }
    return 0;
}

/* ---- from the first instruction on ---- */

/* The provisional tables of kernel/start are read and written where they lie; one table of zeros
 * serves all directory entries but the one of the image. */
static void map_provisional(void)
{
    const uint64_t *top = (const uint64_t *)(read_cr3() & ~31u);
    uint64_t *directory = (uint64_t *)(uint32_t)(top[MAP_SANITIZER_START >> TOP_SHIFT] & ~0xFFFull);
    const uint32_t first = MAP_SANITIZER_START >> DIRECTORY_SHIFT;
    const uint32_t image = (uint32_t)shadow_of(MAP_IMAGE_START) / PAGE_SIZE % ENTRIES;
    for (uint32_t i = 0; i < ENTRIES; i++)
        zero_table[i] = first_table[i] = (uint32_t)zeros | ENTRY_PRESENT;
    for (uint32_t i = 0; i < IMAGE_SHADOW / PAGE_SIZE; i++)
        first_table[image + i] =
            ((uint32_t)image_shadow + i * PAGE_SIZE) | ENTRY_PRESENT | ENTRY_WRITE;
    for (uint32_t i = first; i < MAP_SANITIZER_END >> DIRECTORY_SHIFT; i++)
        directory[i % ENTRIES] = (uint32_t)zero_table | ENTRY_PRESENT | ENTRY_WRITE;
    directory[first % ENTRIES] = (uint32_t)first_table | ENTRY_PRESENT | ENTRY_WRITE;
    write_cr3(read_cr3());
}

/* kernel.ld.S: a function for each file, which registers the file's variables. */
extern void (*const constructors_start[])(void);
extern void (*const constructors_end[])(void);

_Noreturn WRAP(void, kernel_main, const struct bootinfo *given)
{
    map_provisional();
    sanitizer_is_on = true;
    for (void (*const *constructor)(void) = constructors_start; constructor < constructors_end;
         constructor++)
        (*constructor)();
    __real_kernel_main(given);
}

/* ---- in the kernel's own tables ---- */

WRAP(int, paging_map_page, struct paging_space *space, uintptr_t address, frame_t frame,
     uint32_t flags);
WRAP(frame_t, paging_unmap_page, struct paging_space *space, uintptr_t address);

static int map_zero_page(uint32_t shadow)
{
    return __real_paging_map_page(&paging_kernel, shadow, frame_of((uint32_t)zeros), 0);
}

/* The shadow of the addresses [from, to). */
static int map_zeros(uint64_t from, uint64_t to)
{
    int error = 0;
    for (uint64_t at = from; at < to && error == 0; at += PAGE_SHADOWS)
        error = map_zero_page((uint32_t)shadow_of(at));
    return error;
}

static int map_array(uint32_t from, const uint8_t *array, uint32_t bytes)
{
    return paging_map(&paging_kernel, (uintptr_t)shadow_of(from), frame_of((uint32_t)array),
                      bytes / PAGE_SIZE, PAGING_WRITE | PAGING_SMALL);
}

static uint64_t direct_end(void)
{
    uint64_t end = MAP_DIRECT_START + (uint64_t)bytemap_frames() * FRAME_SIZE;
    return end < MAP_DIRECT_END ? end : MAP_DIRECT_END;
}

static int map_shadow(void)
{
    int error = map_zeros(MAP_NULL_START, MAP_IMAGE_START);
    if (error == 0)
        error = map_array(MAP_IMAGE_START, image_shadow, IMAGE_SHADOW);
    if (error == 0)
        error = map_zeros(MAP_HEAP_START, MAP_STACK_START);
    if (error == 0)
        error = map_array(MAP_STACK_START, stack_shadow, STACK_SHADOW);
    if (error == 0)
        error = map_zeros(MAP_STACK_END, direct_end());
    if (error == 0)
        error = map_zeros(MAP_STACKS_START, MAP_STACKS_END);
    if (error == 0)
        error = map_zeros(MAP_TEMPORARY_START, MAP_TOP_END);
    return error;
}

WRAP(void, paging_load, const struct paging_space *space)
{
    static bool is_mapped;
    if (!is_mapped && map_shadow() != 0)
        panic("sanitizer: no memory for the page tables of the shadow");
    is_mapped = true;
    __real_paging_load(space);
}

/* ---- of the heap and of threads' stacks ---- */

static bool is_heap(uintptr_t address)
{
    return address >= MAP_HEAP_START && address < MAP_HEAP_END;
}

static bool is_stack(uintptr_t address)
{
    return address >= MAP_STACKS_START && address < MAP_STACKS_END;
}

static bool is_watched(uintptr_t address)
{
    return is_heap(address) || is_stack(address);
}

static uint8_t *users_of(uintptr_t address)
{
    return is_heap(address) ? &heap_users[(address - MAP_HEAP_START) / PAGE_SHADOWS]
                            : &stacks_users[(address - MAP_STACKS_START) / PAGE_SHADOWS];
}

static uint32_t shadow_page_of(uintptr_t address)
{
    return (uint32_t)shadow_of(address) & ~(PAGE_SIZE - 1);
}

static int page_shadow_take(uintptr_t address)
{
    uint32_t shadow = shadow_page_of(address);
    if (*users_of(address) == 0) {
        frame_t frame =
            pageframe_alloc(PAGEFRAME_ANYWHERE, BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL));
        if (frame == FRAME_NONE)
            return -ENOMEM;
        __real_paging_unmap_page(&paging_kernel, shadow);
        if (__real_paging_map_page(&paging_kernel, shadow, frame, PAGING_WRITE) != 0)
            panic("sanitizer: a page of the shadow cannot be mapped");
        shadow_frames++;
    }
    ++*users_of(address);
    /* The heap's own tables are at the window's end. */
    bool is_object = is_heap(address) && address < HEAP_RECORDS_START;
    shadow_poison(address, PAGE_SIZE, is_object ? SHADOW_HEAP_UNUSED : 0);
    return 0;
}

static void page_shadow_give(uintptr_t address)
{
    uint32_t shadow = shadow_page_of(address);
    if (--*users_of(address) != 0)
        return;
    frame_t frame = __real_paging_unmap_page(&paging_kernel, shadow);
    if (pageframe_free(frame) != 0 || map_zero_page(shadow) != 0)
        panic("sanitizer: a page of the shadow cannot be given back");
    shadow_frames--;
}

uint32_t sanitizer_shadow_frames(void)
{
    return shadow_frames;
}

/* The pages of both come and go through these two. */
int __wrap_paging_map_page(struct paging_space *space, uintptr_t address, frame_t frame,
                           uint32_t flags)
{
    unsigned long saved = platform_interrupts_save();
    int error = __real_paging_map_page(space, address, frame, flags);
    if (error == 0 && is_watched(address)) {
        error = page_shadow_take(address);
        if (error != 0)
            __real_paging_unmap_page(space, address);
    }
    platform_interrupts_restore(saved);
    return error;
}

frame_t __wrap_paging_unmap_page(struct paging_space *space, uintptr_t address)
{
    unsigned long saved = platform_interrupts_save();
    frame_t frame = __real_paging_unmap_page(space, address);
    if (frame != FRAME_NONE && is_watched(address))
        page_shadow_give(address);
    platform_interrupts_restore(saved);
    return frame;
}
