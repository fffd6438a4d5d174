#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/host/hunt.h"
#include "bench/host/machine.h"
#include "bench/host/meter.h"
#include "bench/host/random.h"
#include "kernel/memory/pageframe/pageframe.h"

/*
 * The hunt among frames. The slow paths: the open word is used up, and the next one is the last of
 * its kind in its group, row and area, or a FULL one; a word rises to FULL, and its group by a
 * level; a run breaks a FULL word; the words that wait get their turn; a caller who wants low
 * frames, while others are at hand; a run that is there only when the open words and what is zeroed
 * ahead have gone back.
 */
#define FRAMES     0x140000u /* 5 GiB: all zones */
#define TAG        BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)
#define BLOCKS_MAX 16384u
#define BURST_MAX  600u
#define ORDERS     10u

/* Two for each order, and one for runs that are not to be had. */
#define GOAL_NONE (2 * ORDERS)
#define GOALS     (2 * ORDERS + 1)
static struct hunt_goal goals[GOALS] = {[GOAL_NONE] = {.kind = "alloc", .sort = "run, none"}};
static char sort_names[ORDERS][16];

static struct block {
    frame_t first;
    unsigned order;
} blocks[BLOCKS_MAX];
static uint32_t block_count;

static void add(unsigned order, unsigned where)
{
    uint32_t before = instruction_count, count;
    frame_t first = order == 0
                        ? pageframe_alloc(where, TAG)
                        : pageframe_alloc_run(1u << order, 1u << order, FRAME_NONE, where, TAG);
    count = instruction_count - before;
    hunt_note(&goals[first == FRAME_NONE && order != 0 ? GOAL_NONE : 2 * order], count,
              "%u frames, where %u%s", 1u << order, where,
              first == FRAME_NONE ? ": there is none" : "");
    if (first != FRAME_NONE)
        blocks[block_count++] = (struct block){first, order};
}

static void drop(uint32_t index)
{
    struct block block = blocks[index];
    uint32_t before = instruction_count, count;
    int error = block.order == 0 ? pageframe_free(block.first)
                                 : pageframe_free_run(block.first, 1u << block.order);
    count = instruction_count - before;
    if (error != 0)
        fail("frame %#x was refused with %d", block.first, error);
    hunt_note(&goals[2 * block.order + 1], count, "frame %#x", block.first);
    blocks[index] = blocks[--block_count];
}

/* Mostly anywhere. */
static unsigned where_of(const struct hunt_gene *gene)
{
    return gene->choice < 128 ? PAGEFRAME_ANYWHERE : gene->choice % PAGEFRAME_WHERE_COUNT;
}

static void add_burst(const struct hunt_gene *gene)
{
    for (uint32_t i = gene->value % BURST_MAX + 1; i > 0 && block_count < BLOCKS_MAX; i--)
        add(0, where_of(gene));
}

static void drop_burst(const struct hunt_gene *gene)
{
    uint32_t stride = 1 + gene->choice % 4, length = gene->value % BURST_MAX + 1;
    uint32_t at = block_count;
    while (length-- > 0 && at >= stride) {
        at -= stride;
        drop(at);
    }
}

/* Single frames of one word, or of one group, come back until only this one is out. */
static void drop_around(const struct hunt_gene *gene)
{
    uint32_t unit = gene->choice < 128 ? 32 : 1024, kept;
    if (block_count == 0)
        return;
    kept = blocks[gene->value % block_count].first;
    for (uint32_t at = block_count; at-- > 0;)
        if (blocks[at].order == 0 && blocks[at].first != kept &&
            blocks[at].first / unit == kept / unit)
            drop(at);
}

static void zero_ahead(const struct hunt_gene *gene)
{
    for (uint32_t i = gene->value % 33; i > 0 && pageframe_zero_one(); i--)
        ;
}

/* What was given out as a run comes back frame by frame. */
static void break_up(const struct hunt_gene *gene)
{
    uint32_t index = block_count == 0 ? 0 : gene->value % block_count;
    unsigned order = block_count == 0 ? 0 : blocks[index].order;
    frame_t first = blocks[index].first;
    if (order == 0 || block_count + (1u << order) > BLOCKS_MAX)
        return;
    blocks[index].order = 0;
    for (uint32_t i = 1; i < 1u << order; i++)
        blocks[block_count++] = (struct block){first + i, 0};
}

static void play(const struct hunt_genome *genome)
{
    for (unsigned i = 0; i < HUNT_GENES && block_count < BLOCKS_MAX; i++) {
        const struct hunt_gene *gene = &genome->genes[i];
        switch (gene->action % 8) {
        case 0:
            add(gene->value % ORDERS, where_of(gene));
            break;
        case 1:
            add(0, where_of(gene));
            break;
        case 2:
            add_burst(gene);
            break;
        case 3:
            drop_burst(gene);
            break;
        case 4:
            break_up(gene);
            break;
        case 5:
            if (gene->choice < 32)
                zero_ahead(gene);
            break;
        case 6:
            drop_around(gene);
            break;
        default:
            if (block_count != 0)
                drop(gene->value % block_count);
        }
    }
    while (block_count != 0)
        drop(block_count - 1);
}

/* Rounds play in an empty machine, in one with holes everywhere, and in one that is almost full. */
static void prepare(uint32_t round)
{
    static frame_t frames[FRAMES];
    static const uint32_t percents[] = {0, 50, 97};
    uint32_t count = 0, percent = percents[round % ARRAY_COUNT(percents)];
    machine_start_frames(FRAMES, 1024);
    block_count = 0;
    if (percent == 0)
        return;
    while ((frames[count] = pageframe_alloc(PAGEFRAME_ANYWHERE, TAG)) != FRAME_NONE)
        count++;
    for (uint32_t i = 0; i < count; i++)
        if (random_below(100) >= percent && pageframe_free(frames[i]) != 0)
            fail("frame %#x was refused", frames[i]);
}

int main(int argc, char **argv)
{
    for (unsigned order = 0; order < ORDERS; order++) {
        if (order == 0)
            strcpy(sort_names[order], "plain");
        else
            snprintf(sort_names[order], sizeof(sort_names[order]), "run %u", 1u << order);
        goals[2 * order] = (struct hunt_goal){.kind = "alloc", .sort = sort_names[order]};
        goals[2 * order + 1] = (struct hunt_goal){.kind = "free", .sort = sort_names[order]};
    }
    hunt(argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 2, goals, GOALS, prepare, play);
    machine_check();
    return 0;
}
