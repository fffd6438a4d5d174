#include "kernel/memory/heap/debug/layer.h"
#include "kernel/sanitizer/internal.h"

/*
 * The heap's debug layer (kernel/memory/heap/debug) keeps records and the quarantine; here the
 * shadow learns of it. A slot is larger than its object, by the record at least: nobody may touch
 * what is behind the object.
 */
void heap_shadow_allocated(uintptr_t slot, size_t bytes, uintptr_t object, size_t size)
{
    shadow_poison(slot, bytes, SHADOW_HEAP_BEHIND);
    shadow_unpoison(object, size);
}

void heap_shadow_freed(uintptr_t slot, size_t bytes)
{
    shadow_poison(slot, bytes, SHADOW_HEAP_FREED);
}

/* The frame of whoever was called from `caller`; 0: not among the nearest. */
static uint32_t frame_below(const void *caller)
{
    const uint32_t *frame = __builtin_frame_address(0);
    for (unsigned depth = 0; depth < 8; depth++, frame = (const uint32_t *)frame[0])
        if (frame[1] == (uint32_t)caller)
            return frame[0];
    return 0;
}

void heap_shadow_double_free(const struct heap_owner *owner, const void *caller)
{
    struct sanitizer_place place = {(uint32_t)caller, frame_below(caller)};
    sanitizer_report_double_free(owner->object, place);
}
