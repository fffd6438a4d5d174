#include <stdlib.h>
#include <string.h>

#include "bench/host/hunt.h"
#include "bench/host/machine.h"
#include "bench/host/meter.h"
#include "bench/host/random.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/paging/paging.h"

/*
 * The hunt in the heap. Its slow paths: nothing is in hand, the current slab is full and no other
 * of the class has a slot, so a run is cut and what is left of it changes lists; a slab out of the
 * middle of its class's list loses its last object, and its pages join free ones on both sides, or
 * the frontier; each list that a free run leaves becomes empty, and with it the last of its bin,
 * while the one it joins was not; a run is longer than what its own bin offers first.
 */
#define OBJECTS_MAX 8192u
#define BURST_MAX   80u
#define RUN_MAX     128u /* pages: 512 KiB, the largest size in the traces but one */

enum goal_index { GOAL_ALLOC, GOAL_FREE, GOAL_ALLOC_PAGE, GOAL_FREE_PAGE, GOALS };

static struct hunt_goal goals[GOALS] = {
    {.kind = "alloc", .sort = "plain"},
    {.kind = "free", .sort = "plain"},
    {.kind = "alloc", .sort = "one-page"},
    {.kind = "free", .sort = "one-page"},
};

static struct object {
    void *at;
    size_t bytes;
} objects[OBJECTS_MAX];
static uint32_t object_count;

static void add(size_t bytes)
{
    uint64_t moved = machine_frames_moved();
    uint32_t before = instruction_count;
    void *object = kmalloc(bytes);
    uint32_t count = instruction_count - before;
    moved = machine_frames_moved() - moved;
    if (object == NULL)
        fail("the hunt ran out of memory");
    objects[object_count++] = (struct object){object, bytes};
    if (moved <= 1)
        hunt_note(&goals[moved == 0 ? GOAL_ALLOC : GOAL_ALLOC_PAGE], count, "%zu bytes", bytes);
}

static void drop(uint32_t index)
{
    struct object object = objects[index];
    uint64_t moved = machine_frames_moved();
    uint32_t before = instruction_count, count;
    kfree(object.at);
    count = instruction_count - before;
    moved = machine_frames_moved() - moved;
    memmove(&objects[index], &objects[index + 1],
            (--object_count - index) * sizeof(objects[0])); /* the order of allocation stays */
    if (moved <= 1)
        hunt_note(&goals[moved == 0 ? GOAL_FREE : GOAL_FREE_PAGE], count, "%zu bytes",
                  object.bytes);
}

/* A few classes only, so that slabs fill up and empty. */
static size_t small_bytes(const struct hunt_gene *gene)
{
    static const uint16_t sizes[] = {16, 64, 176, 512, 1024, 2048, 3264, 4096};
    return sizes[gene->choice % ARRAY_COUNT(sizes)];
}

/* Lengths around the ends of bins, of the bins' kinds, and any. */
static size_t run_bytes(const struct hunt_gene *gene)
{
    static const uint16_t pages[] = {2, 3, 4, 8, 16, 17, 18, 33, 127, 128, 129, 200};
    uint32_t length = gene->choice < 160 ? pages[gene->choice % ARRAY_COUNT(pages)]
                                         : 2 + gene->value % (RUN_MAX - 1);
    return (size_t)length * PAGE_SIZE;
}

static void add_burst(const struct hunt_gene *gene)
{
    for (uint32_t i = gene->value % BURST_MAX + 1; i > 0 && object_count < OBJECTS_MAX; i--)
        add(small_bytes(gene));
}

/* Neighbours, of which the middle one goes last: three runs that become one. */
static void drop_between(const struct hunt_gene *gene)
{
    uint32_t middle;
    if (object_count < 3)
        return;
    middle = 1 + gene->value % (object_count - 2);
    drop(middle + 1);
    drop(middle - 1);
    drop(middle - 1);
}

/* Every n-th of the newest objects. */
static void drop_burst(const struct hunt_gene *gene)
{
    uint32_t stride = 1 + gene->choice % 4, length = gene->value % BURST_MAX + 1;
    uint32_t at = object_count;
    while (length-- > 0 && at >= stride) {
        at -= stride;
        drop(at);
    }
}

static void drop_any(const struct hunt_gene *gene)
{
    if (object_count != 0)
        drop(gene->choice % 2 ? object_count - 1 - gene->value % object_count % 8
                              : gene->value % object_count);
}

static void drop_all(void)
{
    while (object_count != 0)
        drop(object_count - 1);
}

static void play(const struct hunt_genome *genome)
{
    for (unsigned i = 0; i < HUNT_GENES && object_count < OBJECTS_MAX; i++) {
        const struct hunt_gene *gene = &genome->genes[i];
        switch (gene->action % 9) {
        case 0:
        case 1:
            add(run_bytes(gene));
            break;
        case 2:
            add(small_bytes(gene));
            break;
        case 3:
            add_burst(gene);
            break;
        case 4:
            drop_burst(gene);
            break;
        case 5:
            drop_between(gene);
            break;
        default:
            drop_any(gene);
        }
    }
    drop_all();
}

/* Two of four rounds play among objects that stay, and holes between them. */
static void prepare(uint32_t round)
{
    machine_start_heap(32768);
    kfree(kmalloc(60u << 20));
    object_count = 0;
    if (round % 4 < 2)
        return;
    for (uint32_t i = 0; i < 2000; i++) {
        void *stays = kmalloc(random_range(16, 20000));
        void *goes = kmalloc(random_range(16, 40000));
        if (stays == NULL)
            fail("the hunt ran out of memory");
        kfree(goes);
    }
}

int main(int argc, char **argv)
{
    hunt(argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 2, goals, GOALS, prepare, play);
    machine_check();
    return 0;
}
