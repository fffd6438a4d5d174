/* Frames that are promised, and stay free for who has the promise. */
#include "kernel/lib/string.h"
#include "kernel/memory/pageframe/books.h"

int pageframe_promise(uint32_t frames)
{
    unsigned long saved = platform_interrupts_save();
    int error = 0;
    if ((uint32_t)bytemap.budget < frames)
        pageframe_account(0);
    if ((uint32_t)bytemap.budget >= frames) {
        widen_budget(-frames);
        count_promised(frames);
    } else {
        (void)pageframe_fail();
        error = -ENOMEM;
    }
    platform_interrupts_restore(saved);
    return error;
}

void pageframe_unpromise(uint32_t frames)
{
    unsigned long saved = platform_interrupts_save();
    MEMORY_ASSERT(frames <= pageframe.promised_frames);
    count_promised(-frames);
    if (LIKELY(bytemap.budget != 0)) /* then no promise reaches into the reserve */
        widen_budget(frames);
    else
        pageframe_account(0);
    platform_interrupts_restore(saved);
}

/* One promised frame becomes one that the budget has; what follows takes it from there. */
static void redeem(void)
{
    MEMORY_ASSERT(pageframe.promised_frames != 0);
    count_promised((uint32_t)-1);
    widen_budget(1);
}

static void unredeem(void)
{
    count_promised(1);
    pageframe_account(0);
}

frame_t pageframe_alloc_promised(unsigned where, bytemap_tag_t tag)
{
    unsigned long saved = platform_interrupts_save();
    redeem();
    frame_t frame = pageframe_alloc(where & ~PAGEFRAME_MUST, tag);
    if (UNLIKELY(frame == FRAME_NONE))
        unredeem();
    platform_interrupts_restore(saved);
    return frame;
}

frame_t pageframe_take_promised_zeroed(bytemap_tag_t tag)
{
    frame_t frame = FRAME_NONE;
    unsigned long saved = platform_interrupts_save();
    if (pageframe.zeroing.ready != 0 && is_given(tag)) {
        redeem();
        frame = pageframe_pop_zeroed(pageframe.top_zone);
        pageframe_give_out(frame, pageframe_zone_of(frame), tag);
    }
    platform_interrupts_restore(saved);
    return frame;
}

frame_t pageframe_alloc_promised_zeroed(bytemap_tag_t tag)
{
    frame_t frame = pageframe_take_promised_zeroed(tag);
    if (frame == FRAME_NONE) {
        frame = pageframe_alloc_promised(PAGEFRAME_DIRECT, tag);
        if (frame != FRAME_NONE)
            memset(platform_frame_pointer(frame), 0, FRAME_SIZE);
    }
    return frame;
}

int pageframe_release_promised(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int left = pageframe_release(frame);
    if (left == 0)
        count_promised(1);
    platform_interrupts_restore(saved);
    return left;
}
