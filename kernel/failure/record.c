#include "kernel/failure/failure.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"

/*
 * Writes calls of frames and of the heap down, for the model (tests/model) to make again. Frames
 * and objects get the slots that the model has; what finds none is left out, and what is done with
 * it later too. The kinds are those of enum model_kind.
 */
#define SLOTS      64u
#define TEXT_BYTES 16384u
#define LINE_BYTES 64u

enum kind {
    FRAME,
    ZEROED,
    RUN,
    FREE,
    FREE_RUN,
    REFERENCE,
    RELEASE,
    LOCK,
    UNLOCK,
    KMALLOC = 10,
    KCALLOC,
    ALIGNED,
    KREALLOC,
    KFREE
};

static char text[TEXT_BYTES];
static size_t used;
static struct {
    frame_t first;
    uint32_t frames; /* 0: free */
} runs[SLOTS];
static uintptr_t objects[SLOTS]; /* 0: free */

static void write_call(enum kind kind, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    if (used + LINE_BYTES > TEXT_BYTES) {
        failure_recorder = NULL;
        return;
    }
    used += (size_t)format_text(text + used, LINE_BYTES, "%u %u %u %u %u\n", (unsigned)kind, a, b,
                                c, d);
}

static unsigned slot_of_object(uintptr_t object)
{
    unsigned slot = 0;
    while (slot < SLOTS && objects[slot] != object)
        slot++;
    return slot;
}

static unsigned slot_of_frame(frame_t frame)
{
    unsigned slot = 0;
    while (slot < SLOTS && frame - runs[slot].first >= runs[slot].frames)
        slot++;
    return slot;
}

static void enter_run(enum kind kind, const struct failure_call *call, uint32_t frames)
{
    const uint32_t *given = call->arguments;
    unsigned slot = 0;
    while (slot < SLOTS && runs[slot].frames != 0)
        slot++;
    if (call->result == FRAME_NONE || slot == SLOTS || frames > 512)
        return;
    runs[slot].first = (frame_t)call->result;
    runs[slot].frames = frames;
    if (kind == RUN)
        write_call(kind, slot, frames, (uint32_t)__builtin_ctz(given[1]), given[2] & 0xFF);
    else
        write_call(kind, slot, given[0] & 0xFF, bytemap_tag_owner((bytemap_tag_t)given[1]) - 1, 0);
}

static void enter_object(enum kind kind, uintptr_t object, uint32_t b, uint32_t c)
{
    unsigned slot = slot_of_object(0);
    if (object == 0 || slot == SLOTS)
        return;
    objects[slot] = object;
    write_call(kind, slot, b, c, 0);
}

static void note_krealloc(const struct failure_call *call)
{
    uint32_t object = call->arguments[0], bytes = call->arguments[1];
    unsigned slot = object != 0 ? slot_of_object(object) : SLOTS;
    if (object == 0)
        enter_object(KMALLOC, call->result, bytes, 0);
    if (slot == SLOTS)
        return;
    if (bytes == 0)
        write_call(KFREE, slot, 0, 0, 0);
    else if (call->result != 0)
        write_call(KREALLOC, slot, bytes, 0, 0);
    if (bytes == 0 || call->result != 0)
        objects[slot] = call->result;
}

static bool is(const struct failure_call *call, const char *function)
{
    return strcmp(call->function, function) == 0;
}

static void note(const struct failure_call *call)
{
    const uint32_t *given = call->arguments;
    if (is(call, "pageframe_alloc"))
        enter_run(FRAME, call, 1);
    else if (is(call, "pageframe_alloc_zeroed"))
        enter_run(ZEROED, call, 1);
    else if (is(call, "pageframe_alloc_run"))
        enter_run(RUN, call, given[0]);
    else if (is(call, "kmalloc"))
        enter_object(KMALLOC, call->result, given[0], 0);
    else if (is(call, "kcalloc"))
        enter_object(KCALLOC, call->result, given[0], given[1]);
    else if (is(call, "kmalloc_aligned"))
        enter_object(ALIGNED, call->result, given[0], (uint32_t)__builtin_ctz(given[1]));
    else if (is(call, "heap_cache_alloc"))
        enter_object(KMALLOC, call->result, (uint32_t)ksize((void *)call->result), 0);
    else if (is(call, "krealloc"))
        note_krealloc(call);
}

void failure_record_begin(void)
{
    used = 0;
    memset(runs, 0, sizeof(runs));
    memset(objects, 0, sizeof(objects));
    failure_recorder = note;
}

const char *failure_record_end(size_t *length)
{
    failure_recorder = NULL;
    *length = used;
    return text;
}

/* ---- what gives back ---- */

/* Those that returned no error, on one frame of a slot. */
static void note_frame(enum kind kind, frame_t frame, int result)
{
    unsigned slot = failure_depth == 0 && failure_recorder != NULL ? slot_of_frame(frame) : SLOTS;
    if (slot == SLOTS || result < 0)
        return;
    write_call(kind, slot, frame - runs[slot].first, 0, 0);
    if ((kind == FREE || (kind == RELEASE && result == 0)) && runs[slot].frames == 1)
        runs[slot].frames = 0;
}

/* `call` is how the function takes its arguments. */
#define ON_FRAME(call, name, kind)                                                                 \
    __typeof__(name) __real_##name, __wrap_##name;                                                 \
    call int __wrap_##name(frame_t frame)                                                          \
    {                                                                                              \
        int result = __real_##name(frame);                                                         \
        note_frame(kind, frame, result);                                                           \
        return result;                                                                             \
    }

ON_FRAME(PAGEFRAME_CALL, pageframe_free, FREE)
ON_FRAME(, pageframe_reference, REFERENCE)
ON_FRAME(, pageframe_release, RELEASE)
ON_FRAME(, pageframe_lock, LOCK)
ON_FRAME(, pageframe_unlock, UNLOCK)

__typeof__(pageframe_free_run) __real_pageframe_free_run, __wrap_pageframe_free_run;
PAGEFRAME_CALL int __wrap_pageframe_free_run(frame_t first, uint32_t frames)
{
    int result = __real_pageframe_free_run(first, frames);
    unsigned slot = failure_depth == 0 && failure_recorder != NULL ? slot_of_frame(first) : SLOTS;
    if (slot != SLOTS && result == 0 && runs[slot].first == first && runs[slot].frames == frames) {
        write_call(FREE_RUN, slot, 0, 0, 0);
        runs[slot].frames = 0;
    }
    return result;
}

static void note_freed(const void *object)
{
    unsigned slot = object != NULL && failure_depth == 0 && failure_recorder != NULL
                        ? slot_of_object((uintptr_t)object)
                        : SLOTS;
    if (slot == SLOTS)
        return;
    write_call(KFREE, slot, 0, 0, 0);
    objects[slot] = 0;
}

void __real_kfree(void *object);
void __wrap_kfree(void *object);
void __wrap_kfree(void *object)
{
    note_freed(object);
    failure_depth++;
    __real_kfree(object);
    failure_depth--;
}

void __real_heap_cache_free(struct heap_cache *cache, void *object);
void __wrap_heap_cache_free(struct heap_cache *cache, void *object);
void __wrap_heap_cache_free(struct heap_cache *cache, void *object)
{
    note_freed(object);
    failure_depth++;
    __real_heap_cache_free(cache, object);
    failure_depth--;
}
