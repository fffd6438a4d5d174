#include "kernel/space/commit.h"

#include "kernel/memory/platform.h"

/* How many pages are charged; the promise itself is the frame allocator's. */
uint32_t commit_charged;

frame_t commit_alloc(unsigned where, bytemap_tag_t tag)
{
    return pageframe_alloc_promised(where, tag);
}

frame_t commit_alloc_zeroed(bytemap_tag_t tag)
{
    return pageframe_alloc_promised_zeroed(tag);
}

uint32_t commit_release(frame_t frame)
{
    int left = pageframe_release_promised(frame);
    MEMORY_ASSERT(left >= 0);
    return (uint32_t)left;
}

uint32_t commit_charged_pages(void)
{
    return commit_charged;
}

/* What is charged already, and what could be beside it. */
uint32_t commit_limit_pages(void)
{
    struct pageframe_statistics statistics;
    uint32_t kept, taken;
    pageframe_read_statistics(&statistics);
    kept = statistics.reserve_frames + statistics.promised_frames;
    taken = statistics.free_frames > kept ? statistics.free_frames - kept : 0;
    return commit_charged + taken;
}
