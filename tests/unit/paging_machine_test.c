#include "tests/unit/paging_machine.h"

char machine_faults[8192];

static void *bytemap_storage, *pageframe_storage, *scratch;

static void *new_storage(void *old, size_t bytes)
{
    free(old);
    return aligned_alloc(FRAME_SIZE, (bytes + FRAME_SIZE - 1) / FRAME_SIZE * FRAME_SIZE);
}

static void enter_ram(uint32_t frames, uint32_t frames_beyond)
{
    static struct e820_map map;
    const uint32_t all = frames_beyond == 0 ? frames : PAGING_DIRECT_FRAMES + frames_beyond;
    map.count = frames_beyond == 0 ? 2 : 3;
    map.regions[0] = (struct e820_region){0, MAP_LOW_RAM_END, E820_USABLE};
    map.regions[1] = (struct e820_region){MAP_IMAGE_START, frame_address(frames), E820_USABLE};
    map.regions[2] =
        (struct e820_region){frame_address(PAGING_DIRECT_FRAMES), frame_address(all), E820_USABLE};
    bytemap_storage = new_storage(bytemap_storage, bytemap_storage_bytes(all));
    pageframe_storage = new_storage(pageframe_storage, pageframe_storage_bytes(all));
    scratch = new_storage(scratch, paging_check_scratch_bytes(all));
    bytemap_init(bytemap_storage, all);
    CHECK_EQUAL(pageframe_init(pageframe_storage, &map, all, all), 0);
}

static void start(struct platform_features features, uint32_t frames, uint32_t frames_beyond)
{
    const frame_t image = frame_of(MACHINE_TEXT);
    platform_features = features;
    host_platform_init(frames);
    enter_ram(frames, frames_beyond);
    CHECK_EQUAL(pageframe_reserve(0, 1), 0);
    CHECK_EQUAL(pageframe_reserve(frame_of(MAP_E820_START), 1), 0);
    CHECK_EQUAL(pageframe_take(image, frame_of(MACHINE_IMAGE_END) - image, KERNEL_FRAME), 0);
    CHECK_EQUAL(paging_init(), 0);
    paging_load(&paging_kernel);
    host_page_flushes = host_full_flushes = 0;
}

void machine_start(struct platform_features features)
{
    start(features, MACHINE_FRAMES, 0);
}

void machine_start_with(uint32_t frames, uint32_t frames_beyond)
{
    start(ALL_FEATURES, frames, frames_beyond);
}

static void map(uint32_t start, uint32_t end, paddr_t physical, uint32_t flags)
{
    CHECK_EQUAL(
        paging_map(&paging_kernel, start, frame_of(physical), (end - start) / PAGE_SIZE, flags), 0);
}

static void map_direct(uint32_t start, uint32_t end, uint32_t flags)
{
    map(MAP_DIRECT_START + start, MAP_DIRECT_START + end, start, flags);
}

void machine_map_rows(void)
{
    map(MAP_E820_START, MAP_E820_END, MAP_E820_START, 0);
    map(MAP_LOW_RAM_END, MAP_VIDEO_END, MAP_LOW_RAM_END, PAGING_WRITE | PAGING_UNCACHED);
    map(MAP_VIDEO_END, MAP_FIRMWARE_END, MAP_VIDEO_END, 0);
    map(MACHINE_TEXT, MACHINE_RODATA, MACHINE_TEXT, PAGING_EXECUTE);
    map(MACHINE_RODATA, MACHINE_DATA, MACHINE_RODATA, 0);
    map(MACHINE_DATA, MACHINE_IMAGE_END, MACHINE_DATA, PAGING_WRITE);
    map(MACHINE_SCREEN, MACHINE_SCREEN + 0x7E9000, MACHINE_FRAMEBUFFER,
        PAGING_WRITE | PAGING_WRITE_COMBINING);
    map_direct(MAP_STAGE1_START, MAP_E820_START, PAGING_WRITE);
    map_direct(MAP_E820_END, MAP_LOW_RAM_END, PAGING_WRITE);
    map_direct(MACHINE_TEXT, MACHINE_DATA, 0);
    map_direct(MACHINE_DATA, MACHINE_FRAMES * FRAME_SIZE, PAGING_WRITE);
    for (uint32_t page = MAP_STACK_START; page < MAP_STACK_END; page += PAGE_SIZE)
        map(page, page + PAGE_SIZE, frame_address(machine_frame(KERNEL_FRAME)), PAGING_WRITE);
}

void machine_boot(void)
{
    machine_start(ALL_FEATURES);
    machine_map_rows();
}

frame_t machine_frame(bytemap_tag_t tag)
{
    frame_t frame = pageframe_alloc(PAGEFRAME_ANYWHERE, tag);
    CHECK(frame != FRAME_NONE);
    return frame;
}

uint32_t machine_free_frames(void)
{
    return bytemap_count_state(BYTEMAP_FREE) + bytemap_count_state(BYTEMAP_ZEROED);
}

static void say(const char *sentence)
{
    size_t used = strlen(machine_faults);
    snprintf(machine_faults + used, sizeof(machine_faults) - used, "%s\n", sentence);
}

uint32_t machine_check(void)
{
    struct check check = {.say = say};
    machine_faults[0] = '\0';
    paging_check(&paging_kernel, scratch, &check);
    return check.faults;
}

void machine_check_is_clean(void)
{
    if (machine_check() != 0)
        test_fail(__FILE__, __LINE__, "paging_check: %s", machine_faults);
}
