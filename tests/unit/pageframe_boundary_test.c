#include "kernel/memory/pageframe/internal.h"
#include "tests/unit/host/platform.h"
#include "tests/unit/test.h"

/* The ends of what pageframe is told about, and calls that meet another half-way. */
#define FRAMES 8192u

static unsigned char bytemap_storage[FRAMES + FRAME_SIZE];
static void *storage;
static char sentences[4096];

/* RAM in [start, end), with arrays for FRAMES frames. */
static void machine_start(frame_t start, frame_t end)
{
    static struct e820_map map;
    map.count = 1;
    map.regions[0] = (struct e820_region){frame_address(start), frame_address(end), E820_USABLE};
    map.usable_bytes = frame_address(end - start);
    host_platform_init(FRAMES);
    free(storage);
    storage = aligned_alloc(FRAME_SIZE, pageframe_storage_bytes(FRAMES));
    CHECK(storage != NULL && bytemap_storage_bytes(FRAMES) <= sizeof(bytemap_storage));
    bytemap_init(bytemap_storage, FRAMES);
    CHECK_EQUAL(pageframe_init(storage, &map, FRAMES, FRAME_NONE), 0);
}

static void say(const char *sentence)
{
    size_t used = strlen(sentences);
    snprintf(sentences + used, sizeof(sentences) - used, "%s\n", sentence);
}

static uint32_t count_faults(void)
{
    struct check check = {0, say};
    sentences[0] = 0;
    bytemap_check(&check);
    pageframe_check(&check);
    return check.faults;
}

static void check_is_clean(void)
{
    if (count_faults() != 0)
        test_fail(__FILE__, __LINE__, "%s", sentences);
}

static uint32_t free_frames(void)
{
    struct pageframe_statistics statistics;
    pageframe_read_statistics(&statistics);
    return statistics.free_frames;
}

/* A handler that was waiting makes the frames that are zeroed ahead go back, and zeroes one of
 * another word, while pageframe_zero_one has a frame in its hands. */
static void zero_elsewhere(void)
{
    host_on_interrupts_on = NULL;
    CHECK_EQUAL(pageframe_reserve(0x700, 1), 0);
    CHECK_EQUAL(pageframe_unreserve(0x700, 1), 0);
    CHECK_EQUAL(bytemap_count(BYTEMAP_ZEROED), 0);
    CHECK(pageframe_zero_one());
    CHECK_EQUAL(bytemap_count(BYTEMAP_ZEROED), 1);
}

TEST(pageframe_zeroing_that_comes_too_late_gives_its_frame_back)
{
    machine_start(0x100, FRAMES);
    while (bytemap_count(BYTEMAP_ZEROED) < PAGEFRAME_ZEROED_MAX - 1)
        CHECK(pageframe_zero_one());
    uint32_t available = free_frames();
    host_on_interrupts_on = zero_elsewhere;
    CHECK(pageframe_zero_one());
    CHECK(host_on_interrupts_on == NULL);
    CHECK_EQUAL(bytemap_count(BYTEMAP_ZEROED), 1);
    CHECK_EQUAL(free_frames(), available);
    check_is_clean();
    while (pageframe_zero_one())
        continue;
    CHECK_EQUAL(bytemap_count(BYTEMAP_ZEROED), PAGEFRAME_ZEROED_MAX);
    check_is_clean();
}

/* RAM beyond the arrays is left out, in part or altogether. */
TEST(pageframe_leaves_out_what_the_arrays_do_not_cover)
{
    struct pageframe_statistics statistics;
    machine_start(0x100, FRAMES + 77);
    pageframe_read_statistics(&statistics);
    CHECK_EQUAL(statistics.ram_frames, FRAMES - 0x100);
    CHECK_EQUAL(statistics.free_frames, FRAMES - 0x100);
    check_is_clean();
    machine_start(FRAMES, FRAMES + 77);
    pageframe_read_statistics(&statistics);
    CHECK_EQUAL(statistics.ram_frames, 0);
    CHECK_EQUAL(pageframe_alloc(PAGEFRAME_ANYWHERE, BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)),
                FRAME_NONE);
    check_is_clean();
}

/* Settings that only a fault can make, sealed as if they were right. */
TEST(pageframe_check_knows_what_settings_can_be)
{
    machine_start(0x100, FRAMES);
    pageframe_set_watermarks(16, 64);
    check_is_clean();
    pageframe.low_watermark_frames = FRAMES / 2;
    pageframe.seal = pageframe_seal();
    CHECK(count_faults() != 0 && strstr(sentences, "above a quarter of RAM") != NULL);
    pageframe.low_watermark_frames = 64;
    pageframe.reserve_frames = FRAMES / 2;
    pageframe.seal = pageframe_seal();
    CHECK(count_faults() != 0 && strstr(sentences, "above a quarter of RAM") != NULL);
    pageframe.reserve_frames = 16;
    pageframe.seal = pageframe_seal();
    check_is_clean();
}

/* A budget that is too large by as much as is said to have been granted: the sum alone fits. */
TEST(pageframe_check_knows_how_large_the_budget_can_be)
{
    machine_start(0x100, FRAMES);
    bytemap.budget += FRAMES;
    bytemap.count[BYTEMAP_FREE] -= FRAMES;
    pageframe.granted += FRAMES;
    pageframe.ungranted = ~pageframe.granted;
    CHECK(count_faults() != 0 && strstr(sentences, "reaches into the reserve") != NULL);
    bytemap.budget -= FRAMES;
    bytemap.count[BYTEMAP_FREE] += FRAMES;
    pageframe.granted -= FRAMES;
    pageframe.ungranted = ~pageframe.granted;
    check_is_clean();
}

/* A size, a zone or a count that does not fit, sealed as if it did: nothing else is looked at. */
TEST(pageframe_check_knows_what_sizes_can_be)
{
    machine_start(0x100, FRAMES);
    struct {
        void *start;
        uint32_t wrong;
    } const fields[] = {{&pageframe.frames, 0},    {&pageframe.frames, FRAMES + 1},
                        {&pageframe.top_zone, 0},  {&pageframe.top_zone, PAGEFRAME_ZONES},
                        {&pageframe.top_first, 0}, {&pageframe.top_count, FRAMES}};
    for (unsigned i = 0; i < ARRAY_COUNT(fields); i++) {
        uint32_t kept, *field = fields[i].start;
        kept = *field;
        *field = fields[i].wrong;
        pageframe.seal = pageframe_seal();
        CHECK_EQUAL(count_faults(), 1);
        CHECK(strstr(sentences, "the settings or the sizes are damaged") != NULL);
        *field = kept;
        pageframe.seal = pageframe_seal();
        check_is_clean();
    }
}
