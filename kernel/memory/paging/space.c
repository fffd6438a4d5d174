#include "kernel/memory/paging/user.h"

#include "kernel/memory/paging/internal.h"

/*
 * Address spaces: a first directory each, and a top of 32 bytes. Tops lie in frames that many
 * share, the first of which is that of paging_kernel's own top. What is here is changed with
 * interrupts off, because an interrupt handler's heap call may enter a table in a kernel row.
 */
struct top_frame {
    frame_t frame; /* FRAME_NONE: none */
    uint32_t count;
    uint32_t taken[TOPS_A_FRAME / 32];
};

uint32_t paging_space_frames;
static struct top_frame tops[TOP_FRAMES];
static struct paging_space *first_space;

#define FIRST_OWN (PAGE_OF(MAP_USER_START) / SLOT_PAGES) /* directory entries of own rows */
#define LAST_OWN  (PAGE_OF(MAP_LIBRARY_END) / SLOT_PAGES)

/* After paging_kernel was made. */
void spaces_init(void)
{
    memset(tops, 0, sizeof(tops));
    for (uint32_t i = 0; i < TOP_FRAMES; i++)
        tops[i].frame = FRAME_NONE;
    tops[0].frame = frame_of(paging_kernel.root);
    tops[0].count = 1;
    tops[0].taken[0] = 1;
    first_space = NULL;
    paging_space_frames = 0;
}

frame_t tops_frame(uint32_t index)
{
    return index < TOP_FRAMES ? tops[index].frame : FRAME_NONE;
}

bool tops_is_taken(uint32_t index, uint32_t at)
{
    return tops[index].taken[at / TOP_SIZE / 32] >> at / TOP_SIZE % 32 & 1;
}

struct paging_space *paging_space_first(void)
{
    return first_space;
}

struct paging_space *paging_space_next(const struct paging_space *space)
{
    return space->next;
}

/* ---- tops ---- */

/* A slot of a frame that has one left: its physical address. */
static paddr_t take_slot(struct top_frame *top)
{
    uint32_t word = 0, bit;
    while (top->taken[word] == UINT32_MAX)
        word++;
    bit = (uint32_t)__builtin_ctz(~top->taken[word]);
    top->taken[word] |= 1u << bit;
    top->count++;
    return frame_address(top->frame) + (word * 32 + bit) * TOP_SIZE;
}

static struct top_frame *top_with_room(void)
{
    struct top_frame *unused = NULL;
    for (struct top_frame *top = tops; top < tops + TOP_FRAMES; top++) {
        if (top->frame != FRAME_NONE && top->count < TOPS_A_FRAME)
            return top;
        if (top->frame == FRAME_NONE && unused == NULL)
            unused = top;
    }
    if (unused == NULL)
        return NULL;
    unused->frame = pageframe_alloc_zeroed(PAGEFRAME_DIRECT, PAGING_TABLE_TAG);
    if (unused->frame == FRAME_NONE)
        return NULL;
    paging_space_frames++;
    return unused;
}

/* 0: none. */
static paddr_t take_top(void)
{
    struct top_frame *top = top_with_room();
    return top == NULL ? 0 : take_slot(top);
}

static union paging_entry *top_entries(paddr_t root)
{
    return (union paging_entry *)((unsigned char *)platform_frame_pointer(frame_of(root)) +
                                  root % FRAME_SIZE);
}

static void free_frame(frame_t frame)
{
    int error = pageframe_free(frame);
    MEMORY_ASSERT(error == 0);
    paging_space_frames--;
}

static void give_top(paddr_t root)
{
    struct top_frame *top = tops;
    const uint32_t at = (uint32_t)(root % FRAME_SIZE) / TOP_SIZE;
    while (top->frame != frame_of(root))
        top++;
    memset(top_entries(root), 0, TOP_SIZE);
    top->taken[at / 32] &= ~(1u << at % 32);
    if (--top->count == 0) {
        free_frame(top->frame);
        top->frame = FRAME_NONE;
    }
}

/* ---- spaces ---- */

static union paging_entry *entries_of(frame_t table)
{
    return platform_frame_pointer(table);
}

/* The kernel's entries, and nothing in the own rows. */
static void fill_directory(union paging_entry *entries)
{
    const union paging_entry *from = entries_of(paging_kernel.directory);
    memcpy(entries, from, FIRST_OWN * sizeof(*entries));
    memset(entries + FIRST_OWN, 0, (LAST_OWN - FIRST_OWN) * sizeof(*entries));
    memcpy(entries + LAST_OWN, from + LAST_OWN, (TABLE_ENTRIES - LAST_OWN) * sizeof(*entries));
}

static void fill_top(const struct paging_space *space)
{
    for (uint32_t i = 0; i < TOP_ENTRIES; i++)
        entry_set(top_entries(space->root) + i, entry_directory(directory_frame(space, i)));
}

static int create(struct paging_space *space)
{
    space->directory = pageframe_alloc(PAGEFRAME_DIRECT, PAGING_TABLE_TAG);
    if (space->directory == FRAME_NONE)
        return -ENOMEM;
    paging_space_frames++;
    space->root = take_top();
    if (space->root == 0) {
        free_frame(space->directory);
        return -ENOMEM;
    }
    fill_directory(entries_of(space->directory));
    fill_top(space);
    space->next = first_space;
    if (first_space != NULL)
        first_space->previous = space;
    first_space = space;
    return 0;
}

int paging_space_create(struct paging_space *space)
{
    unsigned long interrupts;
    int error;
    *space = (struct paging_space){.root = 0};
    interrupts = platform_interrupts_save();
    error = create(space);
    platform_interrupts_restore(interrupts);
    return error;
}

void paging_space_destroy(struct paging_space *space)
{
    unsigned long interrupts = platform_interrupts_save();
    MEMORY_ASSERT(space->tables == 0 && paging_user_pages(space) == 0 && space->own_pages == 0);
    if (space == paging_loaded)
        paging_load(&paging_kernel);
    if (space->next != NULL)
        space->next->previous = space->previous;
    if (space->previous != NULL)
        space->previous->next = space->next;
    else
        first_space = space->next;
    give_top(space->root);
    free_frame(space->directory);
    platform_interrupts_restore(interrupts);
}

bool spaces_publish(uint32_t page)
{
    if (page >= SLOT_PAGES * TABLE_ENTRIES || is_private_page(page))
        return false;
    const uint64_t value = entry_read(directory_entry(&paging_kernel, page));
    for (struct paging_space *space = first_space; space != NULL; space = space->next) {
        union paging_entry *entry = directory_entry(space, page);
        uint64_t old;
        do
            old = entry_read(entry);
        while (!entry_compare_exchange(entry, old, value));
    }
    return first_space != NULL;
}
