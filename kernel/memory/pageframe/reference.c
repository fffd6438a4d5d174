/* References, locks and uses of frames that are given out. */
#include "kernel/memory/pageframe/books.h"

#define REFERENCES_MASK 0xFFFFu /* of a reference word: references beyond the first */
#define LOCK_ONE        0x10000u

/* Writes the reference word of a frame that is given out, and the two bits in its byte that say
 * whether its halves are 0. */
static void set_references(frame_t frame, uint32_t value)
{
    bytemap_tag_t before = bytemap.bytes[frame], after = before & (bytemap_tag_t)~HELD_BITS;
    pageframe.reference_sum += value - pageframe.references[frame];
    pageframe.references[frame] = value;
    if (value & REFERENCES_MASK)
        after |= BYTEMAP_SHARED_BIT;
    if (value >= LOCK_ONE)
        after |= BYTEMAP_LOCKED_BIT;
    if (after != before)
        bytemap_change_one(frame, before, after);
}

/* 0 for a frame that is given out, else -ERANGE or -EINVAL. */
static int check_given_out(frame_t frame)
{
    bytemap_tag_t tag = bytemap_get(frame);
    if (tag == BYTEMAP_ABSENT)
        return -ERANGE;
    return is_given_out(tag) ? 0 : -EINVAL;
}

static int reference(frame_t frame)
{
    int error = check_given_out(frame);
    if (error != 0)
        return error;
    if ((pageframe.references[frame] & REFERENCES_MASK) == PAGEFRAME_REFERENCES_MAX - 1)
        return -EOVERFLOW;
    set_references(frame, pageframe.references[frame] + 1);
    return 0;
}

int pageframe_reference(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int error = counted(reference(frame));
    platform_interrupts_restore(saved);
    return error;
}

uint32_t pageframe_reference_each(const frame_t *frames, uint32_t count)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t done = 0;
    for (; done < count; done++) {
        frame_t frame = frames[done];
        if (UNLIKELY(frame >= pageframe.frames))
            break;
        bytemap_tag_t tag = bytemap.bytes[frame];
        uint32_t *word = &pageframe.references[frame];
        if (UNLIKELY(!is_given_out(tag) ||
                     (*word & REFERENCES_MASK) == PAGEFRAME_REFERENCES_MAX - 1))
            break;
        ++*word;
        if (!(tag & BYTEMAP_SHARED_BIT))
            bytemap_change_one(frame, tag, tag | BYTEMAP_SHARED_BIT);
    }
    pageframe.reference_sum += done;
    platform_interrupts_restore(saved);
    return done;
}

int pageframe_release(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int left;
    if (bytemap_tag_is_shared(bytemap_get(frame))) {
        set_references(frame, pageframe.references[frame] - 1);
        left = (int)(pageframe.references[frame] & REFERENCES_MASK) + 1;
    } else {
        left = pageframe_free(frame);
    }
    platform_interrupts_restore(saved);
    return left;
}

uint32_t pageframe_references(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t references = 0;
    if (check_given_out(frame) == 0)
        references = (pageframe.references[frame] & REFERENCES_MASK) + 1;
    platform_interrupts_restore(saved);
    return references;
}

uint32_t pageframe_locks(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t locks = 0;
    if (check_given_out(frame) == 0)
        locks = pageframe.references[frame] / LOCK_ONE;
    platform_interrupts_restore(saved);
    return locks;
}

static int lock(frame_t frame)
{
    int error = check_given_out(frame);
    if (error != 0)
        return error;
    if (pageframe.references[frame] / LOCK_ONE == PAGEFRAME_LOCKS_MAX)
        return -EOVERFLOW;
    set_references(frame, pageframe.references[frame] + LOCK_ONE);
    return 0;
}

static int unlock(frame_t frame)
{
    int error = check_given_out(frame);
    if (error != 0)
        return error;
    if (pageframe.references[frame] < LOCK_ONE)
        return -EINVAL;
    set_references(frame, pageframe.references[frame] - LOCK_ONE);
    return 0;
}

int pageframe_lock(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int error = counted(lock(frame));
    platform_interrupts_restore(saved);
    return error;
}

int pageframe_unlock(frame_t frame)
{
    unsigned long saved = platform_interrupts_save();
    int error = counted(unlock(frame));
    platform_interrupts_restore(saved);
    return error;
}

int pageframe_retag(frame_t frame, bytemap_tag_t tag)
{
    unsigned long saved = platform_interrupts_save();
    int error = is_given(tag) ? check_given_out(frame) : -EINVAL;
    if (error == 0) {
        bytemap_tag_t before = bytemap.bytes[frame];
        bytemap_change_one(frame, before, tag | (before & HELD_BITS));
    }
    error = counted(error);
    platform_interrupts_restore(saved);
    return error;
}

void pageframe_release_promised_each(const frame_t *frames, uint32_t count)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t freed = 0;
    for (const frame_t *at = frames, *end = frames + count; at < end; at++) {
        int error = 0;
        if (bytemap_tag_is_shared(bytemap_get(*at))) {
            set_references(*at, pageframe.references[*at] - 1);
        } else {
            error = pageframe_free(*at);
            freed++;
        }
        MEMORY_ASSERT(error == 0);
    }
    count_promised(freed);
    platform_interrupts_restore(saved);
}
