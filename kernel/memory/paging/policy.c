#include "kernel/memory/paging/internal.h"

/*
 * docs/memory-map.md, as far as page tables can tell: paging_map and paging_protect refuse what
 * contradicts it, and paging_check finds what has come to contradict it. Parts ascend and touch.
 * Rows that share a page table with a neighbour, and those that are filled page by page, have 4 KiB
 * pages only.
 */

#define POLICY(from, to, must, may, at, behind)                                                    \
    {                                                                                              \
        .page = PAGE_OF(from), .end = PAGE_OF(to), .required = (must), .allowed = (must) | (may),  \
        .offset = (at), .backing = (behind)                                                        \
    }
#define NEVER(from, to) POLICY(from, to, 0, 0, FRAMES_ANY, BACKING_NOTHING)

const struct paging_policy paging_policies[POLICY_COUNT] = {
    NEVER(MAP_NULL_START, MAP_NULL_END),
    NEVER(MAP_STAGE1_START, MAP_BOOTINFO_END),
    POLICY(MAP_E820_START, MAP_E820_END, 0, PAGING_SMALL, 0, BACKING_FIRMWARE),
    NEVER(MAP_ENTRY_START, MAP_LOW_RAM_END),
    POLICY(MAP_LOW_RAM_END, MAP_VIDEO_END, PAGING_WRITE | PAGING_UNCACHED, PAGING_SMALL, 0,
           BACKING_FIRMWARE),
    POLICY(MAP_VIDEO_END, MAP_FIRMWARE_END, 0, PAGING_SMALL, 0, BACKING_FIRMWARE),
    POLICY(MAP_IMAGE_START, MAP_IMAGE_END, 0, PAGING_SMALL | PAGING_WRITE | PAGING_EXECUTE, 0,
           BACKING_KERNEL),
    POLICY(MAP_HEAP_START, MAP_HEAP_END, PAGING_WRITE, PAGING_SMALL, FRAMES_ANY, BACKING_HEAP),
    NEVER(MAP_GUARD_BELOW_START, MAP_GUARD_BELOW_END),
    POLICY(MAP_STACK_START, MAP_STACK_END, PAGING_WRITE, PAGING_SMALL, FRAMES_ANY, BACKING_KERNEL),
    NEVER(MAP_GUARD_ABOVE_START, MAP_GUARD_ABOVE_END),
    POLICY(MAP_FRAMEBUFFER_START, MAP_FRAMEBUFFER_END, PAGING_WRITE | PAGING_WRITE_COMBINING, 0,
           FRAMES_ANY, BACKING_DEVICE),
    POLICY(MAP_MMIO_START, MAP_MMIO_END, PAGING_WRITE | PAGING_UNCACHED, PAGING_SMALL, FRAMES_ANY,
           BACKING_DEVICE),
    [POLICY_USER] =
        POLICY(MAP_USER_START, MAP_USER_END, PAGING_USER,
               PAGING_WRITE | PAGING_EXECUTE | PAGING_WRITE_COMBINING, FRAMES_ANY, BACKING_PROCESS),
    POLICY(MAP_LIBRARY_START, MAP_LIBRARY_END, PAGING_USER,
           PAGING_WRITE | PAGING_EXECUTE | PAGING_WRITE_COMBINING, FRAMES_ANY, BACKING_PROCESS),
    POLICY(MAP_DIRECT_START, MAP_DIRECT_END, 0, PAGING_WRITE, PAGE_OF(MAP_DIRECT_START),
           BACKING_MANAGED),
    POLICY(MAP_STACKS_START, MAP_STACKS_END, PAGING_WRITE, PAGING_SMALL, FRAMES_ANY,
           BACKING_KERNEL),
    POLICY(MAP_SANITIZER_START, MAP_SANITIZER_END, 0, PAGING_WRITE, FRAMES_ANY, BACKING_SHADOW),
    POLICY(MAP_TEMPORARY_START, MAP_TEMPORARY_END, 0,
           PAGING_SMALL | PAGING_WRITE | PAGING_WRITE_COMBINING | PAGING_UNCACHED, FRAMES_ANY,
           BACKING_VIEW),
    NEVER(MAP_TOP_START, MAP_TOP_END),
};

#define BOTH(flags, pair) (((flags) & (pair)) == (pair))

/* Whether the flags make sense by themselves. */
static bool is_sane(uint32_t flags)
{
    const uint32_t known = PAGING_WRITE | PAGING_EXECUTE | PAGING_USER | PAGING_WRITE_COMBINING |
                           PAGING_UNCACHED | PAGING_SMALL;
    return (flags & ~known) == 0 && !BOTH(flags, PAGING_WRITE | PAGING_EXECUTE) &&
           !BOTH(flags, PAGING_WRITE_COMBINING | PAGING_UNCACHED);
}

static int check_flags(const struct paging_policy *policy, uint32_t flags)
{
    if (policy->backing == BACKING_NOTHING)
        return -ERANGE;
    if ((flags & policy->required) != policy->required ||
        (flags & ~(policy->allowed | PAGING_SMALL)) != 0)
        return -EINVAL;
    return 0;
}

/* Whether the row's pages may begin to meet frames like this. */
static bool is_right_frame(const struct paging_policy *policy, uint32_t page, frame_t frame)
{
    return policy->offset == FRAMES_ANY || page - policy->offset == frame;
}

int policy_check_protect(uint32_t page, uint32_t end, uint32_t flags)
{
    if (!is_sane(flags))
        return -EINVAL;
    for (const struct paging_policy *policy = policy_of(page); page < end; page = policy++->end) {
        int error = check_flags(policy, flags);
        if (error != 0)
            return error;
    }
    return 0;
}

int policy_check_map(uint32_t page, uint32_t end, frame_t first, uint32_t flags)
{
    const struct paging_policy *policy = policy_of(page);
    int error = policy_check_protect(page, end, flags);
    if (error != 0)
        return error;
    if (first + (uint64_t)(end - page) > paging_frame_limit())
        return -ERANGE;
    for (uint32_t at = page; at < end; at = policy++->end)
        if (!is_right_frame(policy, page, first))
            return -EINVAL;
    return 0;
}

int policy_check_map_page(const struct paging_policy *policy, uint32_t page, frame_t frame,
                          uint32_t flags)
{
    int error = is_sane(flags) ? check_flags(policy, flags) : -EINVAL;
    if (error != 0)
        return error;
    if (frame >= paging_frame_limit())
        return -ERANGE;
    return is_right_frame(policy, page, frame) ? 0 : -EINVAL;
}

bool policy_allows_large(uint32_t page, uint32_t end)
{
    for (const struct paging_policy *policy = policy_of(page); page < end; page = policy++->end)
        if (policy->allowed & PAGING_SMALL)
            return false;
    return true;
}
