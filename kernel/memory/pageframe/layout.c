/* The arrays: how they lie in the storage, and what is in them at the start. */
#include "kernel/lib/string.h"
#include "kernel/memory/pageframe/books.h"

uintptr_t pageframe_seal(void)
{
    uintptr_t sum = (uintptr_t)pageframe.busy + (uintptr_t)pageframe.states +
                    (uintptr_t)pageframe.references + (uintptr_t)pageframe.groups +
                    (uintptr_t)pageframe.rows;
    return ~(sum + pageframe.reach + pageframe.reserve_frames + pageframe.low_watermark_frames);
}

static size_t round_up(size_t bytes)
{
    return (bytes + sizeof(uint64_t) - 1) & ~(sizeof(uint64_t) - 1);
}

size_t pageframe_storage_bytes(uint32_t frames)
{
    size_t words = pageframe_words(frames);
    size_t bytes = round_up(sizeof(uint32_t) * frames) + round_up(sizeof(uint32_t) * words) +
                   round_up(sizeof(uint16_t) * words) +
                   round_up(sizeof(struct pageframe_group) * pageframe_group_count(frames)) +
                   round_up(sizeof(struct pageframe_row) * pageframe_row_count(frames));
    return (bytes + FRAME_SIZE - 1) & ~(size_t)(FRAME_SIZE - 1);
}

/* Cuts the next array off the storage. */
static void *carve(unsigned char **storage, size_t bytes)
{
    void *array = *storage;
    *storage += round_up(bytes);
    return array;
}

static void lay_out(unsigned char *storage, uint32_t frames)
{
    uint32_t words = pageframe_words(frames);
    memset(storage, 0, pageframe_storage_bytes(frames));
    pageframe.references = carve(&storage, sizeof(uint32_t) * frames);
    pageframe.busy = carve(&storage, sizeof(uint32_t) * words);
    pageframe.states = carve(&storage, sizeof(uint16_t) * words);
    pageframe.groups =
        carve(&storage, sizeof(struct pageframe_group) * pageframe_group_count(frames));
    pageframe.rows = carve(&storage, sizeof(struct pageframe_row) * pageframe_row_count(frames));
}

/* Enters one region of usable RAM; returns how much of it is out of reach. */
static uint32_t enter_region(frame_t start, frame_t end, frame_t reach)
{
    if (end > pageframe.frames)
        end = pageframe.frames;
    if (start >= end)
        return 0;
    frame_t border = reach < start ? start : reach < end ? reach : end;
    pageframe.ram_frames += end - start;
    if (border > start)
        pageframe_enter_free(start, border - start, BYTEMAP_ABSENT);
    if (end > border)
        bytemap_set(border, end - border, TAG_RESERVED);
    return end - border;
}

uint32_t pageframe_init(void *storage, const struct e820_map *map, uint32_t frames, frame_t reach)
{
    uint32_t out_of_reach = 0;
    MEMORY_ASSERT(frames != 0 && frames <= PAGEFRAME_FRAMES_MAX && frames <= bytemap_frames());
    memset(&pageframe, 0, sizeof(pageframe));
    pageframe.frames = frames;
    pageframe.reach = reach;
    pageframe.top_zone = pageframe_zone_of(frames - 1);
    pageframe.top_first = pageframe_borders[pageframe.top_zone];
    pageframe.top_count = frames - pageframe.top_first;
    pageframe.troubles_not = ~(uint64_t)0;
    pageframe.promised_frames_not = ~(uint32_t)0;
    lay_out(storage, frames);
    pageframe.seal = pageframe_seal();
    pageframe_index_init();
    for (uint32_t i = 0; i < map->count; i++)
        if (map->regions[i].kind == E820_USABLE)
            out_of_reach +=
                enter_region(frame_of(map->regions[i].start), frame_of(map->regions[i].end), reach);
    pageframe_account(0);
    return out_of_reach;
}
