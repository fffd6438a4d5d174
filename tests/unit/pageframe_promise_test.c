#include "kernel/include/errors.h"
#include "kernel/memory/pageframe/internal.h"
#include "kernel/memory/platform.h"
#include "tests/unit/pageframe_model.h"
#include "tests/unit/test.h"

/* Promises: what is promised is there for who has the promise, and for nobody else. */
#define KERNEL BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)
#define USER   BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_USER)
#define FRAMES 3000u

static const struct model_region plain[] = {{0, 0x9F}, {0x100, FRAMES}};

static uint32_t free_frames(void)
{
    return bytemap_count_state(BYTEMAP_FREE) + bytemap_count_state(BYTEMAP_ZEROED);
}

static void check_is_clean(void)
{
    struct check check = {0, NULL};
    pageframe_check(&check);
    CHECK_EQUAL(check.faults, 0);
}

static uint32_t promised(void)
{
    struct pageframe_statistics statistics;
    pageframe_read_statistics(&statistics);
    return statistics.promised_frames;
}

TEST(pageframe_promises_keep_frames_from_all_others)
{
    frame_t frames[FRAMES], mine[40];
    uint32_t count = 0;
    model_init(FRAMES, FRAME_NONE, plain, ARRAY_COUNT(plain));
    pageframe_set_watermarks(20, 50);
    CHECK_EQUAL(pageframe_promise(free_frames() - 20 + 1), -ENOMEM);
    CHECK_EQUAL(pageframe_promise(40), 0);
    while ((frames[count] = pageframe_alloc(PAGEFRAME_ANYWHERE, KERNEL)) != FRAME_NONE)
        count++;
    CHECK_EQUAL(free_frames(), 60);
    CHECK_EQUAL(pageframe_promise(1), -ENOMEM);
    while ((frames[count] = pageframe_alloc(PAGEFRAME_ANYWHERE | PAGEFRAME_MUST, KERNEL)) !=
           FRAME_NONE)
        count++;
    CHECK_EQUAL(free_frames(), 40);
    CHECK(pageframe_pressure() == PAGEFRAME_SCARCE);
    check_is_clean();
    for (unsigned i = 0; i < 40; i++) {
        mine[i] = i % 2 ? pageframe_alloc_promised(PAGEFRAME_ANYWHERE, USER)
                        : pageframe_alloc_promised_zeroed(USER);
        CHECK(mine[i] != FRAME_NONE);
        check_is_clean();
    }
    CHECK_EQUAL(free_frames(), 0);
    CHECK_EQUAL(promised(), 0);
    for (unsigned i = 0; i < 40; i++) {
        CHECK_EQUAL(pageframe_release_promised(mine[i]), 0);
        CHECK_EQUAL(promised(), i + 1);
        CHECK(pageframe_alloc(PAGEFRAME_ANYWHERE, KERNEL) == FRAME_NONE);
    }
    pageframe_unpromise(40);
    while (count > 0)
        CHECK_EQUAL(pageframe_free(frames[--count]), 0);
    check_is_clean();
}

TEST(pageframe_promised_frames_that_are_shared_stay_out)
{
    frame_t frame;
    model_init(FRAMES, FRAME_NONE, plain, ARRAY_COUNT(plain));
    CHECK_EQUAL(pageframe_promise(2), 0);
    frame = pageframe_alloc_promised(PAGEFRAME_ANYWHERE, USER);
    CHECK_EQUAL(pageframe_reference(frame), 0);
    CHECK_EQUAL(pageframe_release_promised(frame), 1);
    CHECK_EQUAL(promised(), 1);
    CHECK_EQUAL(pageframe_release_promised(frame), 0);
    CHECK_EQUAL(promised(), 2);
    CHECK_EQUAL(pageframe_release_promised(frame), -EALREADY);
    CHECK_EQUAL(promised(), 2);
    pageframe_unpromise(2);
    check_is_clean();
}

TEST(pageframe_promised_frame_that_was_zeroed_ahead)
{
    frame_t frame;
    model_init(FRAMES, FRAME_NONE, plain, ARRAY_COUNT(plain));
    CHECK_EQUAL(pageframe_promise(2), 0);
    CHECK(pageframe_take_promised_zeroed(USER) == FRAME_NONE);
    CHECK(pageframe_zero_one());
    CHECK(pageframe_take_promised_zeroed(BYTEMAP_TAG(BYTEMAP_FREE, BYTEMAP_NONE)) == FRAME_NONE);
    frame = pageframe_take_promised_zeroed(USER);
    CHECK(frame != FRAME_NONE);
    CHECK_EQUAL(bytemap_get(frame), USER);
    CHECK_EQUAL(promised(), 1);
    CHECK(pageframe_zero_one());
    CHECK(pageframe_alloc_promised_zeroed(USER) != FRAME_NONE);
    CHECK_EQUAL(bytemap_count_state(BYTEMAP_ZEROED), 0);
    CHECK_EQUAL(promised(), 0);
    CHECK_EQUAL(pageframe_free(frame), 0);
    check_is_clean();
}

/* Promised frames are somewhere, but the caller needs one elsewhere: the promise stays. */
TEST(pageframe_promises_that_cannot_be_kept_there_stay)
{
    frame_t frame;
    model_init(FRAMES, FRAME_NONE, plain, ARRAY_COUNT(plain));
    CHECK_EQUAL(pageframe_promise(5), 0);
    while (pageframe_alloc(PAGEFRAME_BELOW_1M, KERNEL) != FRAME_NONE)
        ;
    CHECK(pageframe_alloc_promised(PAGEFRAME_BELOW_1M, USER) == FRAME_NONE);
    CHECK_EQUAL(promised(), 5);
    check_is_clean();
    frame = pageframe_alloc_promised(PAGEFRAME_DIRECT, USER);
    CHECK(frame != FRAME_NONE);
    CHECK_EQUAL(promised(), 4);
    CHECK_EQUAL(pageframe_release_promised(frame), 0);
    CHECK_EQUAL(promised(), 5);
    check_is_clean();
}

/* References for many frames stop at the first that can have none. */
TEST(pageframe_references_of_many_stop_where_one_is_refused)
{
    frame_t frames[3], full;
    model_init(FRAMES, FRAME_NONE, plain, ARRAY_COUNT(plain));
    for (unsigned i = 0; i < ARRAY_COUNT(frames); i++)
        frames[i] = pageframe_alloc(PAGEFRAME_ANYWHERE, USER);
    full = pageframe_alloc(PAGEFRAME_ANYWHERE, USER);
    while (pageframe_references(full) < PAGEFRAME_REFERENCES_MAX)
        CHECK_EQUAL(pageframe_reference(full), 0);
    const frame_t wrong[] = {FRAMES, FRAME_NONE, 0xA0 /* a hole */, 1 /* free */, full};
    for (unsigned i = 0; i < ARRAY_COUNT(wrong); i++) {
        const frame_t list[] = {frames[0], frames[1], wrong[i], frames[2]};
        CHECK_EQUAL(pageframe_reference_each(list, ARRAY_COUNT(list)), 2);
        CHECK_EQUAL(pageframe_references(frames[0]), i + 2);
        CHECK_EQUAL(pageframe_references(frames[2]), 1);
        check_is_clean();
    }
    CHECK_EQUAL(pageframe_reference_each(frames, 0), 0);
    CHECK_EQUAL(pageframe_references(full), PAGEFRAME_REFERENCES_MAX);
}

/* In random order against plain counting: free frames never fall below what is promised. */
TEST(pageframe_promises_in_random_order)
{
    static frame_t given[FRAMES];
    uint32_t count = 0, kept = 0, ram;
    model_init(FRAMES, FRAME_NONE, plain, ARRAY_COUNT(plain));
    pageframe_set_watermarks(16, 16);
    ram = free_frames();
    for (unsigned step = 0; step < 20000; step++) {
        uint32_t some = test_random_range(1, 300);
        switch (test_random_range(0, 6)) {
        case 0: {
            bool fits = ram - count >= kept + 16 + some;
            CHECK_EQUAL(pageframe_promise(some), fits ? 0 : -ENOMEM);
            kept += fits ? some : 0;
            break;
        }
        case 1:
            some = some < kept ? some : kept;
            pageframe_unpromise(some);
            kept -= some;
            break;
        case 2:
        case 3:
            if (kept == 0)
                break;
            given[count] = pageframe_alloc_promised(PAGEFRAME_ANYWHERE, USER);
            CHECK(given[count++] != FRAME_NONE);
            kept--;
            break;
        case 4: {
            bool fits = ram - count >= kept + 17;
            given[count] = pageframe_alloc(PAGEFRAME_ANYWHERE, KERNEL);
            CHECK_EQUAL(given[count] != FRAME_NONE, fits);
            count += fits;
            break;
        }
        default:
            if (count == 0)
                break;
            some = test_random_range(0, count - 1);
            if (step % 3 == 0) {
                CHECK_EQUAL(pageframe_release_promised(given[some]), 0);
                kept++;
            } else {
                CHECK_EQUAL(pageframe_release(given[some]), 0);
            }
            given[some] = given[--count];
        }
        CHECK_EQUAL(promised(), kept);
        if (step % 64 == 0)
            check_is_clean();
    }
}
