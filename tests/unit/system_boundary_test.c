#include "kernel/include/errors.h"
#include "kernel/memory/pageframe/internal.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/system.h"
#include "tests/unit/host/mmu.h"
#include "tests/unit/host/platform.h"
#include "tests/unit/test.h"

/*
 * The start where something is missing or in the way, and what memory_check says of what no single
 * module can know.
 */
#define KERNEL_FRAMES  BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)
#define ARCHIVE_FRAMES BYTEMAP_TAG(BYTEMAP_CACHE, BYTEMAP_KERNEL)
#define IMAGE_END      0x148000u

static struct e820_copy firmware;
static struct memory_setup setup;
static char sentences[4096];

static void say(const char *sentence)
{
    size_t used = strlen(sentences);
    snprintf(sentences + used, sizeof(sentences) - used, "%s\n", sentence);
}

static void check_is_clean(void)
{
    sentences[0] = 0;
    if (memory_check(say) != 0)
        test_fail(__FILE__, __LINE__, "memory_check:\n%s", sentences);
}

static void expect(const char *sentence)
{
    sentences[0] = 0;
    CHECK(memory_check(say) != 0);
    if (strstr(sentences, sentence) == NULL)
        test_fail(__FILE__, __LINE__, "'%s' is not among: %s", sentence, sentences);
}

static struct host_mapping translate(uintptr_t address)
{
    struct paging_translation found = paging_query(&paging_kernel, address);
    if (!found.present)
        return (struct host_mapping){FRAME_NONE, false};
    return (struct host_mapping){frame_of(found.physical), (found.flags & PAGING_WRITE) != 0};
}

static void entry(uint64_t start, uint64_t end, uint32_t type)
{
    firmware.entries[firmware.count++] = (struct e820_entry){start, end - start, type, 1};
}

/* Low RAM, and RAM from 1 MiB to here, with a kernel at its beginning. */
static void use_machine(uint32_t ram_end)
{
    firmware.count = 0;
    entry(0, 0x9FC00, 1);
    entry(0x9FC00, 0x100000, 2);
    entry(0x100000, ram_end, 1);
    setup = (struct memory_setup){
        .firmware_map = &firmware,
        .image = {.text_start = 0x100000,
                  .text_end = 0x120000,
                  .rodata_start = 0x120000,
                  .rodata_end = 0x128000,
                  .data_start = 0x128000,
                  .data_end = 0x140000,
                  .boot_start = 0x140000,
                  .boot_end = IMAGE_END},
    };
    host_platform_init(frame_of(ram_end));
    host_mmu_start(MAP_HEAP_START, MAP_HEAP_END, translate);
}

/* How the image lies: where it reaches the second 2 MiB, a part needs a table of its own. */
static const struct memory_image images[] = {
    {0x100000, 0x120000, 0x120000, 0x128000, 0x128000, 0x140000, 0x140000, IMAGE_END},
    {0x100000, 0x204000, 0x204000, 0x208000, 0x208000, 0x210000, 0x210000, 0x212000},
    {0x100000, 0x1F0000, 0x1F0000, 0x208000, 0x208000, 0x210000, 0x210000, 0x212000},
    {0x100000, 0x1F0000, 0x1F0000, 0x1F8000, 0x1F8000, 0x210000, 0x210000, 0x212000},
    {0x100000, 0x1F0000, 0x1F0000, 0x1F8000, 0x1F8000, 0x1FF000, 0x1FF000, 0x202000},
};

static void start_at_every_size(const struct memory_image *image)
{
    unsigned refused = 0, started = 0;
    for (uint32_t more = 0; more < 0x80000; more += FRAME_SIZE) {
        use_machine(image->boot_end + more);
        setup.image = *image;
        int error = memory_init(&setup);
        if (error == 0) {
            check_is_clean();
            CHECK(memory_release_boot() > 8);
            check_is_clean();
            started++;
        } else {
            CHECK_EQUAL(error, -ENOMEM);
            CHECK(strstr(host_log_last, "cannot start") != NULL);
            CHECK(started == 0); /* more RAM is never worse */
            refused++;
        }
    }
    CHECK(refused > 20 && started > 20);
}

TEST(system_starts_or_refuses_at_every_size)
{
    for (unsigned i = 0; i < ARRAY_COUNT(images); i++)
        start_at_every_size(&images[i]);
}

TEST(system_says_what_it_was_told)
{
    use_machine(32 << 20);
    CHECK_EQUAL(memory_init(&setup), 0);
    CHECK(memory_firmware_map() == &firmware);
    CHECK_EQUAL(memory_map()->usable_bytes, (32 << 20) - 0x100000 + 0x9F000);
}

/* The bookkeeping would lie at 16 MiB, where the archive is. */
TEST(system_keeps_the_archive)
{
    static const uint32_t first = 0x1000, frames = 5;
    use_machine(32 << 20);
    setup.archive = frame_address(first);
    setup.archive_bytes = frames * FRAME_SIZE - 1;
    CHECK_EQUAL(memory_init(&setup), 0);
    for (frame_t frame = first; frame < first + frames; frame++)
        CHECK_EQUAL(bytemap_get(frame), ARCHIVE_FRAMES);
    CHECK_EQUAL(bytemap_get(first + frames), KERNEL_FRAMES);
    check_is_clean();
    memory_release_boot();
    CHECK_EQUAL(bytemap_get(first), ARCHIVE_FRAMES);
    CHECK_EQUAL(pageframe_retag(first, KERNEL_FRAMES), 0);
    expect("archive: frame 0x1000 is allocated, owner kernel");
    /* There is room before it. */
    use_machine(32 << 20);
    setup.archive = 24 << 20;
    setup.archive_bytes = FRAME_SIZE;
    CHECK_EQUAL(memory_init(&setup), 0);
    CHECK_EQUAL(bytemap_get(first), KERNEL_FRAMES);
    CHECK_EQUAL(bytemap_get(frame_of(24 << 20)), ARCHIVE_FRAMES);
    check_is_clean();
    use_machine(32 << 20);
    setup.archive = 32 << 20; /* no RAM */
    setup.archive_bytes = FRAME_SIZE;
    CHECK_EQUAL(memory_init(&setup), -EINVAL);
    CHECK(strstr(host_log_last, "cannot start") != NULL);
}

TEST(system_gives_the_archive_back_once)
{
    static const uint32_t first = 0x1000, frames = 5;
    struct pageframe_statistics before, after;
    use_machine(32 << 20);
    CHECK_EQUAL(memory_init(&setup), 0);
    CHECK_EQUAL(memory_release_archive(), 0); /* there is none */
    use_machine(32 << 20);
    setup.archive = frame_address(first);
    setup.archive_bytes = frames * FRAME_SIZE - 1;
    CHECK_EQUAL(memory_init(&setup), 0);
    pageframe_read_statistics(&before);
    CHECK_EQUAL(pageframe_reference(first + frames - 1), 0);
    CHECK_EQUAL(memory_release_archive(), 0); /* somebody has a page of it */
    CHECK_EQUAL(bytemap_get(first), ARCHIVE_FRAMES);
    check_is_clean();
    CHECK_EQUAL(pageframe_release(first + frames - 1), 1);
    CHECK_EQUAL(memory_release_archive(), frames);
    CHECK_EQUAL(memory_release_archive(), 0);
    for (frame_t frame = first; frame < first + frames; frame++)
        CHECK_EQUAL(bytemap_get(frame), BYTEMAP_FREE);
    pageframe_read_statistics(&after);
    CHECK_EQUAL(after.free_frames, before.free_frames + frames);
    check_is_clean();
}

/* Each bound in turn is moved by less than a page, before the one in front of it, and out of the
 * row: nothing of that is for the machine to find out. */
TEST(system_refuses_an_image_that_is_not_described_well)
{
    enum { BOUNDS = sizeof(struct memory_image) / sizeof(uint32_t) };
    static const uint32_t wrong[] = {
        1, FRAME_SIZE - 1, 0u - 1, 0u - 0x800000, MAP_IMAGE_END, 0x80000000};
    for (unsigned bound = 0; bound < BOUNDS; bound++) {
        for (unsigned i = 0; i < ARRAY_COUNT(wrong); i++) {
            use_machine(32 << 20);
            ((uint32_t *)&setup.image)[bound] += wrong[i];
            CHECK_EQUAL(memory_init(&setup), -EINVAL);
            CHECK(strstr(host_log_last, "cannot start") != NULL);
        }
    }
    for (unsigned part = 0; part < BOUNDS / 2 - 1; part++) { /* a hole behind it */
        use_machine(32 << 20);
        ((uint32_t *)&setup.image)[2 * part + 1] -= FRAME_SIZE;
        CHECK_EQUAL(memory_init(&setup), -EINVAL);
        CHECK(strstr(host_log_last, "cannot start") != NULL);
    }
    use_machine(32 << 20);
    setup.image.boot_end = MAP_IMAGE_END;
    CHECK_EQUAL(memory_init(&setup), 0);
    check_is_clean();
    use_machine(32 << 20);
    setup.archive = (24 << 20) + 5;
    setup.archive_bytes = FRAME_SIZE;
    CHECK_EQUAL(memory_init(&setup), -EINVAL);
}

/* A kernel all of which stays, and which has no data. */
TEST(system_takes_an_image_without_some_parts)
{
    use_machine(32 << 20);
    setup.image.data_start = setup.image.data_end = setup.image.rodata_end;
    setup.image.boot_start = setup.image.boot_end = setup.image.data_end;
    CHECK_EQUAL(memory_init(&setup), 0);
    check_is_clean();
    CHECK(!paging_query(&paging_kernel, setup.image.data_start).present);
    CHECK(memory_release_boot() > 8);
    CHECK_EQUAL(bytemap_get(frame_of(setup.image.rodata_start)), KERNEL_FRAMES);
    check_is_clean();
}

TEST(system_check_holds_the_map_against_the_firmware)
{
    use_machine(32 << 20);
    CHECK_EQUAL(memory_init(&setup), 0);
    firmware.entries[2].length -= FRAME_SIZE;
    expect("e820: the regions are not those of the firmware's map");
    expect("frames of RAM, the frame allocator");
    firmware.entries[2].length += FRAME_SIZE;
    check_is_clean();
    firmware.entries[1].type = 3; /* as many regions and bytes, but another kind */
    expect("e820: the regions are not those of the firmware's map");
    firmware.entries[1].type = 2;
    firmware.count--;
    expect("e820: the regions are not those of the firmware's map");
    firmware.count = 0;
    expect("e820: the regions are not those of the firmware's map");
}

TEST(system_check_holds_frames_against_what_boot_took)
{
    use_machine(32 << 20);
    CHECK_EQUAL(memory_init(&setup), 0);
    CHECK_EQUAL(pageframe_retag(0x100, BYTEMAP_TAG(BYTEMAP_HEAP, BYTEMAP_KERNEL)), 0);
    expect("kernel image: frame 0x100 is heap, owner kernel");
    CHECK_EQUAL(pageframe_retag(0x100, KERNEL_FRAMES), 0);
    check_is_clean();
    CHECK_EQUAL(pageframe_unreserve(0, 1), 0);
    expect("firmware: frame 0x0 is free, and must never be given out");
}

/* ---- what stands on the five modules ---- */

static unsigned calls[MEMORY_CHECKS_MAX];
static bool is_wrong; /* in the second */

static void check_first(struct check *check)
{
    (void)check;
    calls[0]++;
}

static void check_second(struct check *check)
{
    calls[1]++;
    if (is_wrong)
        check_fault(check, "second: %u is wrong", 17u);
}

static void check_third(struct check *check)
{
    (void)check;
    calls[2]++;
}

static void check_fourth(struct check *check)
{
    (void)check;
    calls[3]++;
}

TEST(system_checks_what_stands_on_it)
{
    void (*const checks[])(struct check *) = {check_first, check_second, check_third, check_fourth};
    use_machine(32 << 20);
    CHECK_EQUAL(memory_init(&setup), 0);
    for (unsigned added = 1; added <= MEMORY_CHECKS_MAX; added++) {
        memory_add_check(checks[added - 1]);
        memory_add_check(checks[0]); /* the same twice is once */
        memset(calls, 0, sizeof(calls));
        check_is_clean();
        for (unsigned i = 0; i < MEMORY_CHECKS_MAX; i++)
            CHECK_EQUAL(calls[i], i < added);
    }
    is_wrong = true;
    expect("second: 17 is wrong");
    CHECK_EQUAL(memory_check(NULL), 1);
    is_wrong = false;
    check_is_clean();
}
