#include "kernel/space/internal.h"

/*
 * Anonymous memory that spaces share: an object with a frame for each page that was touched, all of
 * them charged when it is made. It goes with the last area that shows it.
 */
struct shared {
    struct backing backing;
    uint32_t references;
    uint32_t pages;
    uint32_t present;
    struct mutex lock;
    struct shared *next, *previous;
    frame_t frames[];
};

static struct shared *first_shared;

#define SHARED_TAG BYTEMAP_TAG(BYTEMAP_CACHE, BYTEMAP_USER)

static struct shared *shared_of(struct backing *backing)
{
    return (struct shared *)backing;
}

static int shared_page(struct backing *backing, uint32_t index, uint32_t access, frame_t *frame)
{
    struct shared *shared = shared_of(backing);
    int error = 0;
    (void)access;
    if (index >= shared->pages)
        return -ERANGE;
    mutex_lock(&shared->lock);
    if (shared->frames[index] == FRAME_NONE) {
        shared->frames[index] = commit_alloc_zeroed(SHARED_TAG);
        shared->present += shared->frames[index] != FRAME_NONE;
    }
    *frame = shared->frames[index];
    if (*frame == FRAME_NONE || pageframe_reference(*frame) != 0)
        error = -ENOMEM;
    mutex_unlock(&shared->lock);
    return error;
}

static void shared_hold(struct backing *backing)
{
    unsigned long interrupts = platform_interrupts_save();
    shared_of(backing)->references++;
    platform_interrupts_restore(interrupts);
}

static void enter_list(struct shared *shared)
{
    unsigned long interrupts = platform_interrupts_save();
    shared->next = first_shared;
    if (first_shared != NULL)
        first_shared->previous = shared;
    first_shared = shared;
    platform_interrupts_restore(interrupts);
}

static void leave_list(struct shared *shared)
{
    unsigned long interrupts = platform_interrupts_save();
    if (shared->next != NULL)
        shared->next->previous = shared->previous;
    if (shared->previous != NULL)
        shared->previous->next = shared->next;
    else
        first_shared = shared->next;
    platform_interrupts_restore(interrupts);
}

static void shared_drop(struct backing *backing)
{
    struct shared *shared = shared_of(backing);
    unsigned long interrupts = platform_interrupts_save();
    const uint32_t left = --shared->references;
    platform_interrupts_restore(interrupts);
    if (left != 0)
        return;
    leave_list(shared);
    for (uint32_t i = 0; i < shared->pages; i++)
        if (shared->frames[i] != FRAME_NONE) {
            uint32_t mapped = commit_release(shared->frames[i]);
            MEMORY_ASSERT(mapped == 0); /* each area let go of its pages before */
        }
    commit_uncharge(shared->pages);
    kfree(shared);
}

static void shared_describe(struct backing *backing, struct backing_description *description)
{
    *description =
        (struct backing_description){1, (uint32_t)(uintptr_t)backing / 16, "/dev/zero (deleted)"};
}

static const struct backing_ops shared_ops = {
    .page = shared_page,
    .hold = shared_hold,
    .drop = shared_drop,
    .describe = shared_describe,
};

struct backing *shared_create(uint32_t pages)
{
    struct shared *shared;
    if (commit_charge(pages) != 0)
        return NULL;
    shared = kmalloc(sizeof(*shared) + pages * sizeof(frame_t));
    if (shared == NULL) {
        commit_uncharge(pages);
        return NULL;
    }
    memset(shared, 0, sizeof(*shared));
    memset(shared->frames, 0xFF, pages * sizeof(frame_t));
    shared->backing.ops = &shared_ops;
    shared->references = 1;
    shared->pages = pages;
    enter_list(shared);
    return &shared->backing;
}

/* What it has is what it counts, charged frames in its state. */
void shared_check(struct check *check)
{
    for (const struct shared *shared = first_shared; shared != NULL; shared = shared->next) {
        uint32_t present = 0;
        for (uint32_t i = 0; i < shared->pages; i++) {
            if (shared->frames[i] == FRAME_NONE)
                continue;
            present++;
            if ((bytemap_get(shared->frames[i]) & 0x3F) != SHARED_TAG)
                check_fault(check, "space: page %u of shared memory is frame 0x%x, which is %s",
                            (unsigned)i, (unsigned)shared->frames[i],
                            bytemap_state_name(bytemap_tag_state(bytemap_get(shared->frames[i]))));
        }
        if (present != shared->present)
            check_fault(check, "space: shared memory has %u pages, it counts %u", (unsigned)present,
                        (unsigned)shared->present);
    }
}
