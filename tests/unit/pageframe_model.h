#ifndef TESTS_UNIT_PAGEFRAME_MODEL_H
#define TESTS_UNIT_PAGEFRAME_MODEL_H

#include "kernel/memory/pageframe/pageframe.h"

/*
 * The frame allocator as a table and loops: what pageframe has to do, said naively. Each model_
 * call makes the call of pageframe that it is named after, works out by itself what may come of it,
 * and fails the test where the two differ. Free and zeroed frames are one to the model, except for
 * the bytes of what pageframe_alloc_zeroed returns.
 */
struct model_region {
    frame_t start, end;
};

/* A fresh machine whose RAM is these regions; `reach` as pageframe_init has it. */
void model_init(uint32_t frames, frame_t reach, const struct model_region *regions, unsigned count);

frame_t model_alloc(unsigned where, bytemap_tag_t tag);
frame_t model_alloc_zeroed(unsigned where, bytemap_tag_t tag);
frame_t model_alloc_run(uint32_t frames, uint32_t alignment, frame_t limit, unsigned where,
                        bytemap_tag_t tag);
void model_free(frame_t frame);
void model_free_run(frame_t first, uint32_t frames);
void model_take(frame_t first, uint32_t count, bytemap_tag_t tag);
void model_reserve(frame_t first, uint32_t count);
void model_unreserve(frame_t first, uint32_t count);
void model_retire(frame_t frame);
void model_reference(frame_t frame);
void model_release(frame_t frame);
void model_lock(frame_t frame);
void model_unlock(frame_t frame);
void model_retag(frame_t frame, bytemap_tag_t tag);
void model_zero_one(void);
void model_set_watermarks(uint32_t reserve, uint32_t low);

/* One of the calls above, with arguments that may make no sense, chosen by `next`, which returns
 * any 32-bit numbers. */
void model_step(uint32_t (*next)(void));

/* Every byte, count and statistic, and what the two modules' own checks say. O(RAM). */
void model_compare(void);

/* Of the model: frames that are free. */
uint32_t model_free_frames(void);

#endif
