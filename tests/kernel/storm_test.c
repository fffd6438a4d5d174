#include "kernel/cpu/cpu.h"
#include "kernel/cpu/timer.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/platform.h"
#include "kernel/memory/system.h"
#include "tests/kernel/selftest.h"

/*
 * An interrupt storm: the timer's interrupt allocates and frees frames and heap objects, many
 * thousand times a second, while the foreground does the same. Each worker fills what it gets with
 * a stamp of its own and finds it again when it gives it back, so that memory given out twice shows
 * at once; afterwards all books balance.
 */
#define STORM_RATE        10000u /* interrupts a second */
#define STORM_STEPS       6000u  /* of the interrupt's worker */
#define STORM_TICKS_MAX   20000u
#define SLOTS             48u
#define OBJECT_BYTES_MAX  3000u
#define FRAME_WORDS_APART 128u /* a frame is stamped in some of its words: the handler is short */

struct slot {
    uint32_t *memory; /* NULL: empty */
    frame_t frame;    /* FRAME_NONE: memory is a heap object */
    uint32_t words;
    uint32_t stamp;
};

struct worker {
    struct slot slots[SLOTS];
    uint32_t random;
    volatile uint32_t steps;
    uint32_t taken;    /* how often it got what it asked for */
    uint32_t mistakes; /* stamps that were gone, frees that were refused */
};

static struct worker foreground, interrupt;

static uint32_t next_random(struct worker *worker)
{
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 17;
    worker->random ^= worker->random << 5;
    return worker->random;
}

static uint32_t words_apart(const struct slot *slot)
{
    return slot->frame != FRAME_NONE ? FRAME_WORDS_APART : 1;
}

static void stamp(struct slot *slot)
{
    for (uint32_t i = 0; i < slot->words; i += words_apart(slot))
        slot->memory[i] = slot->stamp + i;
}

static bool is_stamped(const struct slot *slot)
{
    for (uint32_t i = 0; i < slot->words; i += words_apart(slot))
        if (slot->memory[i] != slot->stamp + i)
            return false;
    return true;
}

static void take(struct worker *worker, struct slot *slot)
{
    uint32_t random = next_random(worker);
    slot->stamp = next_random(worker);
    slot->frame = FRAME_NONE;
    if (random & 1) {
        slot->words = (1 + (random >> 1) % OBJECT_BYTES_MAX + 3) / 4;
        slot->memory = kmalloc(slot->words * 4);
    } else {
        slot->words = FRAME_SIZE / 4;
        slot->frame =
            pageframe_alloc(PAGEFRAME_DIRECT, BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL));
        slot->memory = slot->frame == FRAME_NONE ? NULL : platform_frame_pointer(slot->frame);
    }
    if (slot->memory == NULL)
        return;
    worker->taken++;
    stamp(slot);
}

static void give_back(struct worker *worker, struct slot *slot)
{
    if (slot->memory == NULL)
        return;
    if (!is_stamped(slot))
        worker->mistakes++;
    if (slot->frame == FRAME_NONE)
        kfree(slot->memory);
    else if (pageframe_free(slot->frame) != 0)
        worker->mistakes++;
    slot->memory = NULL;
}

static void step(struct worker *worker)
{
    struct slot *slot = &worker->slots[next_random(worker) % SLOTS];
    if (slot->memory != NULL)
        give_back(worker, slot);
    else
        take(worker, slot);
    worker->steps++;
}

static void step_in_interrupt(void)
{
    step(&interrupt);
}

static void run_storm(void)
{
    uint64_t end = timer_ticks() + STORM_TICKS_MAX;
    timer_set_storm(STORM_RATE, step_in_interrupt);
    while (interrupt.steps < STORM_STEPS && timer_ticks() < end)
        step(&foreground);
    timer_set_storm(0, NULL);
    for (unsigned i = 0; i < SLOTS; i++) {
        give_back(&foreground, &foreground.slots[i]);
        give_back(&interrupt, &interrupt.slots[i]);
    }
}

static void say_fault(const char *sentence)
{
    selftest_fail(__FILE__, __LINE__, "%s", sentence);
}

static uint32_t misuses(const struct heap_statistics *heap)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < HEAP_MISUSE_COUNT; i++)
        sum += heap->misuses[i];
    return (uint32_t)sum;
}

KERNEL_TEST(allocators_survive_an_interrupt_storm)
{
    struct heap_statistics heap_before, heap_after;
    struct pageframe_statistics frames_before, frames_after;
    heap_trim();
    heap_read_statistics(&heap_before);
    pageframe_read_statistics(&frames_before);
    memset(&foreground, 0, sizeof(foreground));
    memset(&interrupt, 0, sizeof(interrupt));
    foreground.random = selftest_random();
    interrupt.random = selftest_random();
    run_storm();
    heap_trim();
    heap_read_statistics(&heap_after);
    pageframe_read_statistics(&frames_after);
    SELFTEST_CHECK(interrupt.steps >= STORM_STEPS && foreground.steps > 0);
    SELFTEST_CHECK(interrupt.taken > STORM_STEPS / 4 && foreground.taken > 0);
    SELFTEST_CHECK(foreground.mistakes == 0 && interrupt.mistakes == 0);
    SELFTEST_CHECK(misuses(&heap_after) == misuses(&heap_before));
    SELFTEST_CHECK(heap_after.objects == heap_before.objects);
    SELFTEST_CHECK(heap_after.live_bytes == heap_before.live_bytes);
    SELFTEST_CHECK(frames_after.refusals == frames_before.refusals);
    SELFTEST_CHECK(frames_after.free_frames + heap_after.committed_bytes / FRAME_SIZE ==
                   frames_before.free_frames + heap_before.committed_bytes / FRAME_SIZE);
    SELFTEST_CHECK(memory_check(say_fault) == 0);
}
