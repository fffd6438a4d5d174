#include "kernel/memory/bytemap/bytemap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/platform.h"
#include "tests/kernel/selftest.h"

#define ROUNDS_MAX 1024u
#define TAG        BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)

static bool is_zero(frame_t frame)
{
    const uint32_t *words = platform_frame_pointer(frame);
    for (unsigned i = 0; i < FRAME_SIZE / sizeof(uint32_t); i++)
        if (words[i] != 0)
            return false;
    return true;
}

/* What the prompt does while it waits: it comes to an end, and what it made is good. */
KERNEL_TEST(frames_are_zeroed_ahead)
{
    unsigned rounds = 0;
    while (rounds < ROUNDS_MAX && pageframe_zero_one())
        rounds++;
    uint32_t ahead = bytemap_count(BYTEMAP_ZEROED);
    SELFTEST_CHECK(rounds < ROUNDS_MAX);
    SELFTEST_CHECK(ahead > 0);
    bool was_zero = true;
    uint32_t taken = 0;
    for (; bytemap_count(BYTEMAP_ZEROED) > 0; taken++) {
        frame_t frame = pageframe_alloc_zeroed(PAGEFRAME_ANYWHERE, TAG);
        was_zero &= frame != FRAME_NONE && is_zero(frame);
        was_zero &= frame != FRAME_NONE && pageframe_free(frame) == 0;
    }
    SELFTEST_CHECK(was_zero && taken == ahead);
    SELFTEST_CHECK(pageframe_zero_one() && bytemap_count(BYTEMAP_ZEROED) == 1);
}
