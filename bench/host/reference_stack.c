#include <stdlib.h>

#include "bench/host/allocator.h"
#include "bench/host/machine.h"

/*
 * The floor: a last-in-first-out stack of frame numbers, which knows nothing else. It cannot tell
 * a double free, give out a run, or say what a frame is used for.
 */
static int *frames;
static unsigned count;

static void stack_start(void)
{
    if (frames == NULL && (frames = malloc(FRAME_COUNT * sizeof(*frames))) == NULL)
        fail("no memory for the stack");
    for (count = 0; count < FRAME_COUNT; count++)
        frames[count] = (int)(FRAME_COUNT - 1 - count);
}

static int stack_alloc(unsigned order)
{
    (void)order;
    return count != 0 ? frames[--count] : -1;
}

static void stack_free(int frame, unsigned order)
{
    (void)order;
    frames[count++] = frame;
}

static size_t stack_metadata_bytes(void)
{
    return FRAME_COUNT * sizeof(*frames);
}

const struct frame_allocator frame_stack = {
    .name = "stack",
    .start = stack_start,
    .alloc = stack_alloc,
    .free = stack_free,
    .highest_order = 0,
    .metadata_bytes = stack_metadata_bytes,
};
