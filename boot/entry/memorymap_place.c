#include "boot/entry/memorymap.h"

bool memorymap_is_usable(const struct e820_map *map, uint32_t start, uint32_t end)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct e820_region *region = &map->regions[i];
        if (region->kind == E820_USABLE && region->start <= start && end <= region->end)
            return true; /* adjacent regions of one kind are joined, so one region must hold it */
    }
    return false;
}

uint32_t memorymap_place(const struct e820_map *map, uint32_t bytes, paddr_t low, paddr_t high)
{
    paddr_t best = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct e820_region *region = &map->regions[i];
        paddr_t start = region->start > low ? region->start : low;
        paddr_t end = region->end < high ? region->end : high;
        if (region->kind != E820_USABLE || start >= end || end - start < bytes)
            continue;
        paddr_t place = (end - bytes) & ~(paddr_t)(FRAME_SIZE - 1);
        if (place >= start && place > best)
            best = place;
    }
    return (uint32_t)best;
}
