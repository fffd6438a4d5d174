#include "tests/unit/heap_machine.h"

#include "kernel/memory/pageframe/pageframe.h"

char machine_faults[4096];

static void *bytemap_storage, *pageframe_storage;
static frame_t *hoard;
static uint32_t hoarded;

static struct host_mapping translate(uintptr_t address)
{
    struct paging_translation at = paging_query(&paging_kernel, address);
    struct host_mapping mapping = {FRAME_NONE, false};
    if (at.present) {
        mapping.frame = frame_of(at.physical);
        mapping.is_writable = (at.flags & PAGING_WRITE) != 0;
    }
    return mapping;
}

static void enter_ram(uint32_t frames)
{
    static struct e820_map map;
    map.count = 1;
    map.regions[0] = (struct e820_region){MAP_STAGE1_START, frame_address(frames), E820_USABLE};
    map.usable_bytes = frame_address(frames - 1);
    free(bytemap_storage);
    free(pageframe_storage);
    free(hoard);
    bytemap_storage = aligned_alloc(FRAME_SIZE, bytemap_storage_bytes(frames) + FRAME_SIZE -
                                                    bytemap_storage_bytes(frames) % FRAME_SIZE);
    pageframe_storage = aligned_alloc(FRAME_SIZE, pageframe_storage_bytes(frames) + FRAME_SIZE -
                                                      pageframe_storage_bytes(frames) % FRAME_SIZE);
    hoard = calloc(frames, sizeof(*hoard));
    hoarded = 0;
    bytemap_init(bytemap_storage, frames);
    CHECK_EQUAL(pageframe_init(pageframe_storage, &map, frames, frames), 0);
}

void machine_start(uint32_t frames)
{
    host_platform_init(frames);
    enter_ram(frames);
    CHECK_EQUAL(paging_init(), 0);
    paging_load(&paging_kernel);
    host_mmu_start(MAP_HEAP_START, MAP_HEAP_END, translate);
    CHECK_EQUAL(heap_init(), 0);
}

uint32_t machine_free_frames(void)
{
    struct pageframe_statistics statistics;
    pageframe_read_statistics(&statistics);
    return statistics.free_frames;
}

static void say(const char *sentence)
{
    size_t used = strlen(machine_faults);
    snprintf(machine_faults + used, sizeof(machine_faults) - used, "%s\n", sentence);
}

uint32_t machine_check(void)
{
    struct check check = {0, say};
    machine_faults[0] = 0;
    heap_check(&check);
    return check.faults;
}

void machine_check_is_clean(void)
{
    if (machine_check() != 0)
        test_fail(__FILE__, __LINE__, "heap_check:\n%s", machine_faults);
}

struct heap_statistics machine_statistics(void)
{
    struct heap_statistics statistics;
    heap_read_statistics(&statistics);
    CHECK_EQUAL(statistics.committed_bytes, statistics.slab_bytes + statistics.run_bytes +
                                                statistics.bookkeeping_bytes +
                                                statistics.cached_bytes + statistics.guarded_bytes);
    return statistics;
}

void machine_hoard_frames(uint32_t left)
{
    while (machine_free_frames() > left)
        hoard[hoarded++] =
            pageframe_alloc(PAGEFRAME_ANYWHERE, BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL));
}

void machine_return_frames(void)
{
    while (hoarded != 0)
        CHECK_EQUAL(pageframe_free(hoard[--hoarded]), 0);
}

static uint32_t stamp(const void *object, size_t bytes, uint32_t number)
{
    return (uint32_t)(uintptr_t)object * 2654435761u ^ (uint32_t)bytes << 7 ^ number;
}

void stamp_write(void *object, size_t bytes, uint32_t number)
{
    uint32_t value = stamp(object, bytes, number);
    size_t part = bytes < sizeof(value) ? bytes : sizeof(value);
    memcpy(object, &value, part);
    memcpy((char *)object + bytes - part, &value, part);
}

bool stamp_is_whole(const void *object, size_t bytes, uint32_t number)
{
    uint32_t value = stamp(object, bytes, number);
    size_t part = bytes < sizeof(value) ? bytes : sizeof(value);
    /* Short objects: the second write was the last. */
    return memcmp((const char *)object + bytes - part, &value, part) == 0 &&
           (bytes < 2 * sizeof(value) || memcmp(object, &value, part) == 0);
}
