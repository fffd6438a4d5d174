#include "kernel/memory/system.h"

#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"

/* Frames [first, end). */
struct extent {
    frame_t first;
    frame_t end;
};

#define KERNEL_FRAMES   BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)
#define ARCHIVE_FRAMES  BYTEMAP_TAG(BYTEMAP_CACHE, BYTEMAP_KERNEL)
#define RESERVED_FRAMES BYTEMAP_TAG(BYTEMAP_RESERVED, BYTEMAP_KERNEL)

#define FRAMES_16M      0x1000u
#define DIRECT_FRAMES   ((MAP_DIRECT_END - MAP_DIRECT_START) / FRAME_SIZE)
#define LOW_END_FRAME   (MAP_LOW_RAM_END / FRAME_SIZE)
#define E820_COPY_FRAME (MAP_E820_START / FRAME_SIZE)

static struct e820_map map;
static struct memory_setup setup;
static struct extent storage; /* bytemap, pageframe's arrays, the checker's scratch */
static void *check_scratch;
static uint32_t out_of_reach;
static bool is_boot_released; /* later, frames of the same tag there are somebody's */

static frame_t frame_up(uint64_t address)
{
    return frame_of(address + FRAME_SIZE - 1);
}

static struct extent intersect(struct extent a, struct extent b)
{
    struct extent both = {a.first > b.first ? a.first : b.first, a.end < b.end ? a.end : b.end};
    if (both.first > both.end)
        both.first = both.end;
    return both;
}

static struct extent region_extent(const struct e820_region *region)
{
    return (struct extent){frame_of(region->start), frame_of(region->end)};
}

static struct extent archive_extent(void)
{
    return (struct extent){frame_of(setup.archive), frame_up(setup.archive + setup.archive_bytes)};
}

static struct extent image_extent(void)
{
    return (struct extent){frame_of(setup.image.text_start), frame_up(setup.image.boot_end)};
}

/* One more than the highest RAM frame: what the arrays are sized for. */
static frame_t ram_end(void)
{
    frame_t end = 0;
    for (uint32_t i = 0; i < map.count; i++)
        if (map.regions[i].kind == E820_USABLE)
            end = region_extent(&map.regions[i]).end;
    return end;
}

/* What the processor can address, as a frame number; PAE ends at 64 GiB. */
static frame_t processor_reach(void)
{
    unsigned bits = platform_features.physical_bits < 36 ? platform_features.physical_bits : 36;
    return (frame_t)1 << (bits - FRAME_SHIFT);
}

/* The lowest stretch of `frames` frames of usable RAM in `within` that avoids the archive. */
static frame_t find_room(struct extent within, uint32_t frames)
{
    struct extent archive = archive_extent();
    for (uint32_t i = 0; i < map.count; i++) {
        if (map.regions[i].kind != E820_USABLE)
            continue;
        struct extent room = intersect(region_extent(&map.regions[i]), within);
        struct extent hit = intersect(room, archive);
        if (hit.first < hit.end && hit.first - room.first < frames)
            room.first = hit.end;
        if (room.first < room.end && room.end - room.first >= frames)
            return room.first;
    }
    return FRAME_NONE;
}

/* The arrays go above 16 MiB where they can: what lies below is scarce. Every processor with PAE
 * reaches the end of the direct view. */
static int place_storage(uint32_t frames)
{
    frame_t first = find_room((struct extent){FRAMES_16M, DIRECT_FRAMES}, frames);
    if (first == FRAME_NONE)
        first = find_room((struct extent){image_extent().end, DIRECT_FRAMES}, frames);
    if (first == FRAME_NONE) {
        platform_log("memory: no room for %u KiB of bookkeeping", frames * (FRAME_SIZE / 1024));
        return -ENOMEM;
    }
    storage = (struct extent){first, first + frames};
    return 0;
}

/* Marks the free frames of an extent, and only those, as in use. */
static void take_free(struct extent extent, bytemap_tag_t tag)
{
    for (frame_t first = extent.first; first < extent.end;) {
        frame_t end = bytemap_run_end(first, extent.end);
        if (bytemap_tag_is_free(bytemap_get(first)))
            MEMORY_ASSERT(pageframe_take(first, end - first, tag) == 0);
        first = end;
    }
}

static void reserve_free(struct extent extent)
{
    for (frame_t first = extent.first; first < extent.end;) {
        frame_t end = bytemap_run_end(first, extent.end);
        if (bytemap_tag_is_free(bytemap_get(first)))
            MEMORY_ASSERT(pageframe_reserve(first, end - first) == 0);
        first = end;
    }
}

/* Everything that holds something already leaves the allocator; each frame has one reason. */
static int take_what_is_in_use(void)
{
    struct extent image = image_extent();
    struct extent archive = archive_extent();
    if (pageframe_take(image.first, image.end - image.first, KERNEL_FRAMES) != 0) {
        platform_log("memory: the firmware's map has no RAM where the kernel lies");
        return -EINVAL;
    }
    if (archive.first < archive.end &&
        pageframe_take(archive.first, archive.end - archive.first, ARCHIVE_FRAMES) != 0) {
        platform_log("memory: the firmware's map has no RAM where the archive lies");
        return -EINVAL;
    }
    take_free(storage, KERNEL_FRAMES);
    reserve_free((struct extent){0, 1});
    reserve_free((struct extent){E820_COPY_FRAME, E820_COPY_FRAME + 1});
    reserve_free((struct extent){LOW_END_FRAME, frame_of(MAP_FIRMWARE_END)});
    take_free((struct extent){0, LOW_END_FRAME}, KERNEL_FRAMES);
    return 0;
}

static int start_frames(void)
{
    frame_t frames = ram_end();
    uint32_t bytemap_frames_needed = frame_up(bytemap_storage_bytes(frames));
    uint32_t pageframe_frames_needed = frame_up(pageframe_storage_bytes(frames));
    uint32_t scratch_frames_needed = frame_up(paging_check_scratch_bytes(frames));
    int error =
        place_storage(bytemap_frames_needed + pageframe_frames_needed + scratch_frames_needed);
    if (error != 0)
        return error;
    unsigned char *arrays = platform_frame_pointer(storage.first);
    bytemap_init(arrays, frames);
    arrays += bytemap_frames_needed * FRAME_SIZE;
    out_of_reach = pageframe_init(arrays, &map, frames, processor_reach());
    check_scratch = arrays + pageframe_frames_needed * FRAME_SIZE;
    if (out_of_reach != 0)
        platform_log("memory: %u MiB of RAM lie beyond the processor's %u address bits: left out",
                     out_of_reach / 256, platform_features.physical_bits);
    return take_what_is_in_use();
}

/* [start, end) of a row mapped to the frames of the same addresses, in small pages. */
static int map_identity(uint32_t start, uint32_t end, uint32_t flags)
{
    if (start == end)
        return 0;
    return paging_map(&paging_kernel, start, frame_of(start), (end - start) / PAGE_SIZE,
                      flags | PAGING_SMALL);
}

static int map_low_rows(void)
{
    int error = map_identity(MAP_E820_START, MAP_E820_END, 0);
    if (error == 0)
        error = map_identity(MAP_LOW_RAM_END, MAP_VIDEO_END, PAGING_WRITE | PAGING_UNCACHED);
    if (error == 0)
        error = map_identity(MAP_VIDEO_END, MAP_FIRMWARE_END, 0);
    return error;
}

static int map_image(void)
{
    const struct memory_image *image = &setup.image;
    int error = map_identity(image->text_start, image->text_end, PAGING_EXECUTE);
    if (error == 0)
        error = map_identity(image->rodata_start, image->rodata_end, 0);
    if (error == 0)
        error = map_identity(image->data_start, image->data_end, PAGING_WRITE);
    if (error == 0)
        error = map_identity(image->boot_start, image->boot_end, PAGING_WRITE);
    return error;
}

static int map_direct_extent(struct extent extent, uint32_t flags)
{
    if (extent.first >= extent.end)
        return 0;
    return paging_map(&paging_kernel, MAP_DIRECT_START + extent.first * FRAME_SIZE, extent.first,
                      extent.end - extent.first, flags);
}

/*
 * The direct view of usable RAM: without page 0, the E820 copy and what belongs to the firmware,
 * and read-only over the kernel's text and constants, so that nothing read-only has a writable
 * alias.
 */
static int map_direct_view(void)
{
    const frame_t text = frame_of(setup.image.text_start);
    const frame_t constants_end = frame_of(setup.image.rodata_end);
    const struct {
        struct extent extent;
        uint32_t flags;
    } parts[] = {
        {{1, E820_COPY_FRAME}, PAGING_WRITE},
        {{E820_COPY_FRAME + 1, LOW_END_FRAME}, PAGING_WRITE},
        {{frame_of(MAP_IMAGE_START), text}, PAGING_WRITE},
        {{text, constants_end}, 0},
        {{constants_end, DIRECT_FRAMES}, PAGING_WRITE},
    };
    int error = 0;
    for (uint32_t i = 0; i < map.count && error == 0; i++) {
        if (map.regions[i].kind != E820_USABLE)
            continue;
        for (unsigned part = 0; part < ARRAY_COUNT(parts) && error == 0; part++)
            error = map_direct_extent(intersect(region_extent(&map.regions[i]), parts[part].extent),
                                      parts[part].flags);
    }
    return error;
}

static int map_stack(void)
{
    for (uint32_t page = MAP_STACK_START; page < MAP_STACK_END; page += PAGE_SIZE) {
        frame_t frame = pageframe_alloc(PAGEFRAME_ANYWHERE, KERNEL_FRAMES);
        if (frame == FRAME_NONE)
            return -ENOMEM;
        int error = paging_map_page(&paging_kernel, page, frame, PAGING_WRITE);
        if (error != 0)
            return error;
    }
    return 0;
}

static int start_paging(void)
{
    int error = paging_init();
    if (error == 0)
        error = map_low_rows();
    if (error == 0)
        error = map_image();
    if (error == 0)
        error = map_direct_view();
    if (error == 0)
        error = map_stack();
    if (error == 0)
        paging_load(&paging_kernel);
    return error;
}

/* A reserve for callers that must not fail, and a low mark that leaves time to react. */
static void set_watermarks(void)
{
    uint32_t frames = (uint32_t)(map.usable_bytes / FRAME_SIZE);
    uint32_t reserve = frames / 256;
    if (reserve < 16)
        reserve = 16;
    if (reserve > 1024)
        reserve = 1024;
    pageframe_set_watermarks(reserve, 4 * reserve);
}

static int refuse_setup(const char *why)
{
    platform_log("memory: %s", why);
    return -EINVAL;
}

/* What the caller says about his image and archive makes sense, whatever the machine has there. */
static int check_setup(void)
{
    const struct memory_image *image = &setup.image;
    const struct {
        uint32_t start, end;
    } parts[] = {
        {image->text_start, image->text_end},
        {image->rodata_start, image->rodata_end},
        {image->data_start, image->data_end},
        {image->boot_start, image->boot_end},
    };
    uint32_t at = MAP_IMAGE_START;
    for (unsigned i = 0; i < ARRAY_COUNT(parts); at = parts[i++].end) {
        if ((parts[i].start | parts[i].end) % FRAME_SIZE != 0 || parts[i].start < at ||
            parts[i].end < parts[i].start || parts[i].end > MAP_IMAGE_END)
            return refuse_setup("the image's bounds are not page-aligned, out of order, or outside "
                                "of its row");
        if (i > 0 && parts[i].start != at)
            return refuse_setup("the image has a hole between two of its parts");
    }
    if (setup.archive % FRAME_SIZE != 0)
        return refuse_setup("the archive does not begin on a page boundary");
    return 0;
}

int memory_init(const struct memory_setup *given)
{
    setup = *given;
    is_boot_released = false;
    int error = e820_resolve(&map, setup.firmware_map->entries, setup.firmware_map->count);
    if (error == 0 && map.usable_bytes == 0)
        error = -EINVAL;
    if (error != 0) {
        platform_log("memory: the firmware's map has no usable RAM (%u entries)",
                     setup.firmware_map->count);
        return error;
    }
    error = check_setup();
    if (error == 0)
        error = start_frames();
    if (error == 0)
        error = start_paging();
    if (error == 0)
        error = heap_init();
    if (error == 0)
        set_watermarks();
    else
        platform_log("memory: cannot start: %s", error_text(error));
    return error;
}

/* Frees what take_free took for boot; nobody else can have frames of this tag there. */
static uint32_t free_taken(struct extent extent)
{
    uint32_t count = 0;
    for (frame_t first = extent.first; first < extent.end;) {
        frame_t end = bytemap_run_end(first, extent.end);
        if (bytemap_get(first) == KERNEL_FRAMES) {
            MEMORY_ASSERT(pageframe_free_run(first, end - first) == 0);
            count += end - first;
        }
        first = end;
    }
    return count;
}

uint32_t memory_release_boot(void)
{
    struct extent boot = {frame_of(setup.image.boot_start), frame_of(setup.image.boot_end)};
    if (is_boot_released)
        return 0;
    is_boot_released = true;
    uint32_t count = free_taken((struct extent){0, LOW_END_FRAME});
    if (boot.first < boot.end) {
        MEMORY_ASSERT(paging_unmap(&paging_kernel, setup.image.boot_start, boot.end - boot.first) ==
                      0);
        count += free_taken(boot);
        setup.image.boot_end = setup.image.boot_start;
    }
    return count;
}

uint32_t memory_release_archive(void)
{
    struct extent archive = archive_extent();
    uint32_t count = archive.end - archive.first;
    if (count == 0 || pageframe_free_run(archive.first, count) != 0)
        return 0;
    setup.archive_bytes = 0;
    return count;
}

const struct e820_map *memory_map(void)
{
    return &map;
}

const struct e820_copy *memory_firmware_map(void)
{
    return setup.firmware_map;
}

uint32_t memory_out_of_reach_frames(void)
{
    return out_of_reach;
}

/* The regions, the counts and the firmware's own words still say the same. */
static void check_map(struct check *check)
{
    static struct e820_map again;
    const struct e820_copy *copy = setup.firmware_map;
    struct pageframe_statistics statistics;
    if (e820_resolve(&again, copy->entries, copy->count) != 0 || again.count != map.count ||
        again.usable_bytes != map.usable_bytes ||
        memcmp(again.regions, map.regions, map.count * sizeof(map.regions[0])) != 0)
        check_fault(check, "e820: the regions are not those of the firmware's map");
    pageframe_read_statistics(&statistics);
    if ((uint64_t)statistics.ram_frames * FRAME_SIZE != again.usable_bytes)
        check_fault(check, "e820: the map has %llu frames of RAM, the frame allocator %u",
                    (unsigned long long)(again.usable_bytes / FRAME_SIZE), statistics.ram_frames);
}

/* What boot took is still marked as that, though it may be locked or, where mappings show the
 * archive, shared. */
static void check_extent(struct check *check, const char *what, struct extent extent,
                         bytemap_tag_t tag)
{
    for (frame_t frame = extent.first; frame < extent.end; frame++)
        if ((bytemap_get(frame) & ~(BYTEMAP_LOCKED_BIT | BYTEMAP_SHARED_BIT)) != tag)
            check_fault(check, "%s: frame 0x%x is %s, owner %s", what, frame,
                        bytemap_state_name(bytemap_tag_state(bytemap_get(frame))),
                        bytemap_owner_name(bytemap_tag_owner(bytemap_get(frame))));
}

static void check_withheld(struct check *check, struct extent extent)
{
    for (frame_t frame = extent.first; frame < extent.end; frame++) {
        bytemap_tag_t tag = bytemap_get(frame);
        if (tag != RESERVED_FRAMES && tag != BYTEMAP_ABSENT)
            check_fault(check, "firmware: frame 0x%x is %s, and must never be given out", frame,
                        bytemap_state_name(bytemap_tag_state(tag)));
    }
}

static void (*more_checks[MEMORY_CHECKS_MAX])(struct check *check);

void memory_add_check(void (*also)(struct check *check))
{
    uint32_t i = 0;
    while (i < MEMORY_CHECKS_MAX && more_checks[i] != NULL && more_checks[i] != also)
        i++;
    MEMORY_ASSERT(i < MEMORY_CHECKS_MAX);
    more_checks[i] = also;
}

uint32_t memory_check(void (*say)(const char *sentence))
{
    struct check check = {0, say};
    unsigned long saved = platform_interrupts_save();
    check_map(&check);
    bytemap_check(&check);
    pageframe_check(&check);
    paging_check(&paging_kernel, check_scratch, &check);
    heap_check(&check);
    check_extent(&check, "kernel image", image_extent(), KERNEL_FRAMES);
    check_extent(&check, "archive", archive_extent(), ARCHIVE_FRAMES);
    check_extent(&check, "bookkeeping", storage, KERNEL_FRAMES);
    check_withheld(&check, (struct extent){0, 1});
    check_withheld(&check, (struct extent){E820_COPY_FRAME, E820_COPY_FRAME + 1});
    check_withheld(&check, (struct extent){LOW_END_FRAME, frame_of(MAP_FIRMWARE_END)});
    for (uint32_t i = 0; i < MEMORY_CHECKS_MAX && more_checks[i] != NULL; i++)
        more_checks[i](&check);
    platform_interrupts_restore(saved);
    return check.faults;
}
