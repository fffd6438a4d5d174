#include "kernel/lib/string.h"
#include "kernel/memory/e820/e820.h"
#include "kernel/memory/memory.h"
#include "kernel/start/start.h"

#define KIB 1024ull

/* What does not fit is only left out if that is safe: without one of its RAM entries the machine
 * has less memory, without another entry it would have memory that is none. */
void multiboot_add_entry(struct e820_copy *map, uint64_t base, uint64_t length, uint32_t type)
{
    if (map->count == E820_ENTRIES_MAX) {
        if (type != 1)
            start_refuse("the loader's memory map has more entries than there is room for.");
        return;
    }
    map->entries[map->count] = (struct e820_entry){base, length, type, 1};
    map->returned_bytes[map->count] = 20;
    map->count++;
}

/* Where there is no map: RAM from 0 and from 1 MiB, in KiB (Multiboot 0.6.96, 3.3). */
void multiboot_add_basic(struct e820_copy *map, uint32_t lower_kib, uint32_t upper_kib)
{
    multiboot_add_entry(map, 0, lower_kib * KIB, 1);
    multiboot_add_entry(map, 1024 * KIB, upper_kib * KIB, 1);
}

/* Is [start, end) page-aligned at its start, clear of low memory and the image, and wholly usable
 * RAM? */
static bool may_stay(const struct e820_map *map, uint32_t image_end, uint32_t start, uint32_t end)
{
    if (start % FRAME_SIZE != 0 || start < image_end)
        return false;
    for (uint32_t i = 0; i < map->count; i++)
        if (map->regions[i].kind == E820_USABLE && map->regions[i].start <= start &&
            map->regions[i].end >= end)
            return true;
    return false;
}

/* The highest place in the direct view for so many bytes; 0 if there is none. */
static uint32_t find_room(const struct e820_map *map, uint32_t image_end, uint32_t bytes)
{
    const paddr_t limit = MAP_DIRECT_END - MAP_DIRECT_START;
    for (uint32_t i = map->count; i-- > 0;) {
        paddr_t start = map->regions[i].start;
        paddr_t end = map->regions[i].end;
        if (start < image_end)
            start = image_end;
        if (end > limit)
            end = limit;
        if (map->regions[i].kind == E820_USABLE && start < end && end - start >= bytes)
            return (uint32_t)(end - bytes);
    }
    return 0;
}

static uint32_t whole_pages(uint32_t bytes)
{
    return (bytes + FRAME_SIZE - 1) / FRAME_SIZE * FRAME_SIZE;
}

uint32_t multiboot_find_place(const struct e820_map *map, uint32_t image_end, uint32_t start,
                              uint32_t end)
{
    uint32_t room = whole_pages(end - start);
    if (may_stay(map, image_end, start, end))
        return start;
    return room < end - start ? 0 : find_room(map, image_end, room);
}

static void move_archive(uint32_t place, uint32_t start, uint32_t bytes)
{
    unsigned char *to = (unsigned char *)start_pointer(place);
    memmove(to, start_pointer(start), bytes);
    memset(to + bytes, 0, whole_pages(bytes) - bytes);
}

void multiboot_place(struct multiboot *multiboot, uint32_t image_end)
{
    static struct e820_map map;
    struct bootinfo *bootinfo = multiboot->bootinfo;
    uint32_t start = multiboot->archive_start;
    multiboot->map.source = E820_FROM_MULTIBOOT;
    if (e820_resolve(&map, multiboot->map.entries, multiboot->map.count) != 0)
        start_refuse("the loader passed no memory map.");
    if (multiboot->archive_end > start) {
        bootinfo->archive_bytes = multiboot->archive_end - start;
        bootinfo->archive = multiboot_find_place(&map, image_end, start, multiboot->archive_end);
        if (bootinfo->archive == 0)
            start_refuse("there is no RAM for the initial archive that the loader passed.");
        if (bootinfo->archive != start)
            move_archive(bootinfo->archive, start, bootinfo->archive_bytes);
    }
    memcpy((void *)MAP_E820_START, &multiboot->map, sizeof(multiboot->map));
}
