#include "kernel/include/log.h"
#include "kernel/lib/string.h"
#include "kernel/memory/bytemap/internal.h"
#include "kernel/memory/heap/guard.h"
#include "kernel/memory/pageframe/internal.h"
#include "kernel/memory/paging/internal.h"
#include "kernel/memory/system.h"
#include "kernel/process/process.h"
#include "kernel/space/internal.h"
#include "tests/kernel/selftest.h"

/*
 * One wrong byte at a time, in what the memory tree keeps of the running machine: memory_check must
 * say it in words, and say nothing any more when the byte is right again. Interrupts are off while
 * a byte is wrong, and nothing that it describes is used meanwhile.
 */
struct plant {
    const char *name;
    uint8_t *(*where)(void); /* NULL: this machine has no such byte */
    uint8_t flip;
};

/* What the faults are planted around: an object in a slab, one of whole pages, a frame, a process
 * that never starts. */
static char *small_object;
static char *large_object;
static char *guarded_object;
static frame_t frame;
static struct process *process;

static char first_sentence[200];

static void keep_first(const char *sentence)
{
    if (first_sentence[0] == '\0')
        memcpy(first_sentence, sentence, strnlen(sentence, sizeof(first_sentence) - 1) + 1);
}

/* The bytes of the leaf entry of a 4 KiB page, through the direct view. */
static uint8_t *leaf(uintptr_t address)
{
    struct paging_walk walk = paging_walk(&paging_kernel, address);
    frame_t table = frame_of(walk.entries[1] & 0x000FFFFFFFFFF000ull);
    return (uint8_t *)platform_frame_pointer(table) + address / PAGE_SIZE % TABLE_ENTRIES * 8;
}

static uint8_t *directory_slot(uintptr_t address)
{
    return (uint8_t *)platform_frame_pointer(paging_kernel.directory) +
           address / PAGE_LARGE_SIZE % TABLE_ENTRIES * 8;
}

static uint8_t *state_of(frame_t of)
{
    return &bytemap.bytes[of];
}

static frame_t first_in_state(bytemap_tag_t tag)
{
    frame_t found = 0;
    while (found < bytemap_frames() && bytemap_get(found) != tag)
        found++;
    return found;
}

static uint8_t *free_state(void)
{
    return state_of(first_in_state(BYTEMAP_TAG(BYTEMAP_FREE, BYTEMAP_NONE)));
}

static uint8_t *allocated_state(void)
{
    return state_of(frame);
}

static uint8_t *heap_state(void)
{
    return state_of(first_in_state(BYTEMAP_TAG(BYTEMAP_HEAP, BYTEMAP_KERNEL)));
}

static uint8_t *table_state(void)
{
    return state_of(paging_kernel.directory);
}

static uint8_t *null_page_state(void)
{
    return state_of(0);
}

static uint8_t *video_state(void)
{
    return state_of(frame_of(MAP_VIDEO_START));
}

static uint8_t *image_state(void)
{
    return state_of(frame_of(MAP_IMAGE_START));
}

static uint8_t *free_count(void)
{
    return (uint8_t *)&bytemap.count[BYTEMAP_TAG(BYTEMAP_FREE, BYTEMAP_NONE)];
}

static uint8_t *heap_count(void)
{
    return (uint8_t *)&bytemap.count[BYTEMAP_TAG(BYTEMAP_HEAP, BYTEMAP_KERNEL)];
}

static uint8_t *references(void)
{
    return (uint8_t *)&pageframe.references[frame];
}

static uint8_t *locks(void)
{
    return (uint8_t *)&pageframe.references[frame] + 2;
}

static uint8_t *free_mask(void)
{
    return (uint8_t *)&pageframe.busy[frame / PAGEFRAME_WORD_FRAMES];
}

static uint8_t *word_class(void)
{
    return (uint8_t *)&pageframe.states[frame_of(MAP_IMAGE_START) / PAGEFRAME_WORD_FRAMES];
}

static uint8_t *group_words(void)
{
    return (uint8_t *)&pageframe.groups[1].words[PAGEFRAME_FULL];
}

static uint8_t *index_summary(void)
{
    return (uint8_t *)&pageframe.areas[0].kinds;
}

static uint8_t *ram_count(void)
{
    return (uint8_t *)&pageframe.ram_frames;
}

static uint8_t *heap_leaf(void)
{
    return leaf((uintptr_t)large_object);
}

static uint8_t *heap_leaf_frame(void)
{
    return leaf((uintptr_t)large_object) + 1;
}

static uint8_t *text_leaf(void)
{
    return leaf(MAP_IMAGE_START);
}

static uint8_t *e820_leaf(void)
{
    return leaf(MAP_E820_START);
}

static uint8_t *null_leaf(void)
{
    return leaf(MAP_NULL_START);
}

static uint8_t *guard_leaf(void)
{
    return leaf(MAP_GUARD_BELOW_START);
}

static uint8_t *stack_leaf(void)
{
    return leaf(MAP_STACK_START) + 1;
}

static uint8_t *stack_no_execute(void)
{
    return platform_features.no_execute ? leaf(MAP_STACK_START) + 7 : NULL;
}

static uint8_t *heap_directory(void)
{
    return directory_slot(MAP_HEAP_START);
}

static uint8_t *user_directory(void)
{
    return directory_slot(MAP_USER_START);
}

static uint8_t *heap_committed(void)
{
    return (uint8_t *)&heap.committed;
}

static uint8_t *heap_frontier(void)
{
    return (uint8_t *)&heap.frontier;
}

static uint8_t *heap_failures(void)
{
    return (uint8_t *)&heap.failures.count + 5;
}

static struct heap_page *record_of(const char *object)
{
    return heap_page(((uint32_t)(uintptr_t)object - HEAP_ORIGIN) / PAGE_SIZE);
}

static uint8_t *slab_record(void)
{
    return (uint8_t *)record_of(small_object);
}

static uint8_t *slab_used_bits(void)
{
    return (uint8_t *)record_of(small_object)->used;
}

static uint8_t *run_length(void)
{
    return (uint8_t *)&record_of(large_object)->count;
}

static uint8_t *size_class(void)
{
    return &heap.class_of[3];
}

static uint8_t *class_size(void)
{
    return (uint8_t *)&heap.classes[4].size;
}

static uint8_t *behind_guarded(void)
{
    return heap_guard_holds(guarded_object) ? (uint8_t *)guarded_object + 100 : NULL;
}

static uint8_t *guarded_count(void)
{
    return (uint8_t *)&heap_guard.objects;
}

static uint8_t *process_id(void)
{
    return (uint8_t *)&process->id;
}

static uint8_t *process_threads(void)
{
    return (uint8_t *)&process->thread_count;
}

static uint8_t *process_state(void)
{
    return (uint8_t *)&process->state;
}

static uint8_t *process_signals(void)
{
    return (uint8_t *)&process->pending.last;
}

static uint8_t *user_thread_id(void)
{
    return (uint8_t *)&process->threads->id;
}

static uint8_t *user_thread_user(void)
{
    return (uint8_t *)&process->threads->thread->user;
}

static uint8_t *descriptors(void)
{
    return (uint8_t *)process->files; /* they come first */
}

static uint8_t *space_references(void)
{
    return (uint8_t *)&process->space->references;
}

static uint8_t *space_charged(void)
{
    return (uint8_t *)&process->space->charged;
}

static const struct plant plants[] = {
    {"a free frame's state", free_state, 0x04},
    {"an allocated frame's owner", allocated_state, 0x30},
    {"an allocated frame's lock", allocated_state, BYTEMAP_LOCKED_BIT},
    {"a heap frame's state", heap_state, 0x02},
    {"a page table's state", table_state, 0x01},
    {"the null page's state", null_page_state, 0x02},
    {"the video hole's state", video_state, 0x01},
    {"a kernel image frame's state", image_state, 0x0D},
    {"the count of free frames", free_count, 0x01},
    {"the count of heap frames", heap_count, 0x80},
    {"a frame's references", references, 0x01},
    {"a frame's locks", locks, 0x01},
    {"the index's mask of a word", free_mask, 0x10},
    {"the index's class of a word", word_class, 0x02},
    {"the index's set of full words", group_words, 0x40},
    {"the index's summary", index_summary, 0x08},
    {"the count of all RAM", ram_count, 0x02},
    {"a heap page's present bit", heap_leaf, 0x01},
    {"a heap page's write right", heap_leaf, 0x02},
    {"a heap page's user right", heap_leaf, 0x04},
    {"a heap page's cache type", heap_leaf, 0x10},
    {"a heap page's frame", heap_leaf_frame, 0x10},
    {"a text page's write right", text_leaf, 0x02},
    {"the E820 copy's write right", e820_leaf, 0x02},
    {"the null page's entry", null_leaf, 0x01},
    {"a guard page's entry", guard_leaf, 0x40},
    {"a stack page's global bit", stack_leaf, 0x01},
    {"a stack page's no-execute bit", stack_no_execute, 0x80},
    {"the heap's directory entry", heap_directory, 0x04},
    {"user space's directory entry", user_directory, 0x02},
    {"the heap's committed pages", heap_committed, 0x01},
    {"the heap's frontier", heap_frontier, 0x01},
    {"the heap's failure count", heap_failures, 0x01},
    {"a slab's record", slab_record, 0x02},
    {"a slab's free slots", slab_used_bits, 0x04},
    {"a run's length", run_length, 0x01},
    {"the heap's class of a size", size_class, 0x01},
    {"a class's object size", class_size, 0x10},
    {"the bytes behind a guarded object", behind_guarded, 0x01},
    {"the count of guarded objects", guarded_count, 0x01},
    {"a process's id", process_id, 0x01},
    {"a process's count of threads", process_threads, 0x02},
    {"a process's state", process_state, PROCESS_ZOMBIE},
    {"a process's pending signals", process_signals, 0x10},
    {"a thread's id", user_thread_id, 0x10},
    {"a thread's user", user_thread_user, 0x10},
    {"the references of descriptors", descriptors, 0x01},
    {"a space's references", space_references, 0x01},
    {"a space's charges", space_charged, 0x01},
};

static void flip(uint8_t *byte, uint8_t bits)
{
    *(volatile uint8_t *)byte ^= bits;
    platform_tlb_flush_all();
}

/* Returns whether the fault was found, in words. */
static bool is_found(const struct plant *plant, uint8_t *byte)
{
    unsigned long saved = platform_interrupts_save();
    first_sentence[0] = '\0';
    flip(byte, plant->flip);
    uint32_t faults = memory_check(keep_first);
    flip(byte, plant->flip);
    platform_interrupts_restore(saved);
    if (faults > 0 && first_sentence[0] != '\0')
        log_line("planted in %s: %s", plant->name, first_sentence);
    return faults > 0 && first_sentence[0] != '\0';
}

static const char *plant_all(void)
{
    for (const struct plant *plant = plants; plant < plants + ARRAY_COUNT(plants); plant++) {
        uint8_t *byte = plant->where();
        if (byte != NULL && !is_found(plant, byte))
            return plant->name;
        if (memory_check(NULL) != 0)
            return "the check itself";
    }
    return NULL;
}

/* The first two lie in pages that the records describe, so these are not guarded; the third is. */
static void take_objects(void)
{
    struct heap_guard_statistics guard;
    heap_guard_read_statistics(&guard);
    heap_guard_set(0);
    small_object = kmalloc(48);
    large_object = kmalloc(3 * PAGE_SIZE);
    heap_guard_set(1);
    guarded_object = kmalloc(100);
    heap_guard_set(guard.every);
}

KERNEL_TEST(planted_faults_are_found)
{
    take_objects();
    frame = pageframe_alloc(PAGEFRAME_DIRECT, BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL));
    process = process_create_first();
    if (process != NULL)
        process->space = space_create();
    const char *missed = "nothing: out of memory";
    if (small_object != NULL && large_object != NULL && guarded_object != NULL &&
        frame != FRAME_NONE && process != NULL && process->space != NULL)
        missed = plant_all();
    if (process != NULL)
        process_discard_first(process);
    kfree(small_object);
    kfree(large_object);
    kfree(guarded_object);
    if (frame != FRAME_NONE && pageframe_free(frame) != 0)
        missed = "the frame itself";
    if (missed != NULL)
        selftest_fail(__FILE__, __LINE__, "not found: a fault in %s", missed);
}
