/* What boot and tools do with ranges of frames: O(count). */
#include "kernel/memory/pageframe/books.h"

/* 0 if all of [first, first + count) is RAM in a state that `is_wanted` accepts; -ERANGE if some of
 * it is no RAM, `otherwise` if some is in another state. */
static int check_range(frame_t first, uint32_t count, bool (*is_wanted)(bytemap_tag_t),
                       int otherwise)
{
    int error = 0;
    if (!is_in_map(first, count))
        return -ERANGE;
    for (frame_t at = first, end = first + count; at < end; at = bytemap_run_end(at, end)) {
        if (bytemap.bytes[at] == BYTEMAP_ABSENT)
            return -ERANGE;
        if (!is_wanted(bytemap.bytes[at]))
            error = otherwise;
    }
    return error;
}

static bool is_reserved(bytemap_tag_t tag)
{
    return tag == TAG_RESERVED;
}

/* Frames in state FREE that the index has get another byte. They may lie in several zones. */
static void leave_free(frame_t first, uint32_t count, bytemap_tag_t to)
{
    while (count != 0) {
        unsigned zone = pageframe_zone_of(first);
        uint32_t left = pageframe_borders[zone + 1] - first, step = count < left ? count : left;
        count_zone(zone, -step);
        pageframe_index_remove(first, step);
        bytemap_mark_run(first, step, to);
        bytemap.count[to] += step;
        first += step;
        count -= step;
    }
}

/* Takes free frames out, as what `tag` says. */
static int withdraw(frame_t first, uint32_t count, bytemap_tag_t tag)
{
    int error = check_range(first, count, bytemap_tag_is_free, -EBUSY);
    if (error != 0)
        return error;
    pageframe_close_words();
    pageframe_return_zeroed();
    leave_free(first, count, tag);
    if (is_given_out(tag)) {
        pageframe_account((int32_t)count);
    } else {
        bytemap.count[BYTEMAP_FREE] -= count;
        pageframe_account(0);
    }
    return 0;
}

int pageframe_take(frame_t first, uint32_t count, bytemap_tag_t tag)
{
    unsigned long saved = platform_interrupts_save();
    int error = counted(is_given(tag) ? withdraw(first, count, tag) : -EINVAL);
    platform_interrupts_restore(saved);
    return error;
}

int pageframe_reserve(frame_t first, uint32_t count)
{
    unsigned long saved = platform_interrupts_save();
    int error = counted(withdraw(first, count, TAG_RESERVED));
    platform_interrupts_restore(saved);
    return error;
}

int pageframe_retire(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int error = counted(withdraw(frame, 1, TAG_BAD));
    platform_interrupts_restore(saved);
    return error;
}

int pageframe_unreserve(frame_t first, uint32_t count)
{
    unsigned long saved = platform_interrupts_save();
    int error = check_range(first, count, is_reserved, -EINVAL);
    if (error == 0 && first + count > pageframe.reach)
        error = -EINVAL;
    if (error == 0)
        pageframe_enter_free(first, count, TAG_RESERVED);
    error = counted(error);
    platform_interrupts_restore(saved);
    return error;
}
