#include "kernel/failure/failure.h"

#include "kernel/include/errors.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/platform.h"

/*
 * The linker leads each call of an allocator to __wrap_NAME, and calls of __real_NAME to the
 * allocator (ld, --wrap; failure.mk has the names). An interrupt handler may allocate: the count is
 * taken in one instruction.
 */
static struct {
    bool is_armed;
    uint32_t n; /* 0: none */
    enum failure_extent extent;
    bool is_promised; /* what is asked for now was promised: it does not fail */
    struct failure_report report;
} state;

void failure_arm(uint32_t n, enum failure_extent extent)
{
    state.is_armed = false;
    state.n = n;
    state.extent = extent;
    state.report = (struct failure_report){0};
    state.is_armed = true;
}

struct failure_report failure_read(void)
{
    return state.report;
}

struct failure_report failure_disarm(void)
{
    state.is_armed = false;
    return state.report;
}

void (*failure_recorder)(const struct failure_call *call);
volatile uint32_t failure_depth;

/* Behind a call that was made, by whoever is not inside another one. */
static void note(const char *function, uintptr_t result, uint32_t a, uint32_t b, uint32_t c,
                 uint32_t d)
{
    const struct failure_call call = {function, result, {a, b, c, d}};
    failure_depth--;
    if (failure_depth == 0 && failure_recorder != NULL)
        failure_recorder(&call);
}

static bool is_chosen(uint32_t number)
{
    if (state.n == 0 || number < state.n)
        return false;
    if (state.extent == FAILURE_EVERY)
        return number % state.n == 0;
    return number == state.n || state.extent == FAILURE_ON;
}

static bool is_due(const char *function, uintptr_t caller)
{
    uint32_t number;
    if (!state.is_armed || state.is_promised)
        return false;
    number = __atomic_add_fetch(&state.report.allocations, 1, __ATOMIC_RELAXED);
    if (!is_chosen(number))
        return false;
    if (__atomic_fetch_add(&state.report.failed, 1, __ATOMIC_RELAXED) == 0) {
        state.report.caller = caller;
        state.report.function = function;
    }
    return true;
}

/* ALLOCATOR(type, name, (parameters), (arguments), what a failure returns, four numbers to note) */
#define ALLOCATOR(type, name, parameters, arguments, failure, ...)                                 \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        type result;                                                                               \
        if (is_due(#name, (uintptr_t)__builtin_return_address(0)))                                 \
            return failure;                                                                        \
        failure_depth++;                                                                           \
        result = __real_##name arguments;                                                          \
        note(#name, (uintptr_t)result, __VA_ARGS__);                                               \
        return result;                                                                             \
    }

/* Who must not fail is not made to: such a caller has no answer to it. `call` is how the function
 * takes its arguments. */
#define FRAME_ALLOCATOR(call, name, parameters, arguments, ...)                                    \
    __typeof__(name) __real_##name, __wrap_##name;                                                 \
    call frame_t __wrap_##name parameters                                                          \
    {                                                                                              \
        frame_t result;                                                                            \
        if (!(where & PAGEFRAME_MUST) && is_due(#name, (uintptr_t)__builtin_return_address(0)))    \
            return FRAME_NONE;                                                                     \
        failure_depth++;                                                                           \
        result = __real_##name arguments;                                                          \
        note(#name, result, __VA_ARGS__);                                                          \
        return result;                                                                             \
    }

FRAME_ALLOCATOR(PAGEFRAME_CALL, pageframe_alloc, (unsigned where, bytemap_tag_t tag), (where, tag),
                where, tag, 0, 0)
FRAME_ALLOCATOR(, pageframe_alloc_zeroed, (unsigned where, bytemap_tag_t tag), (where, tag), where,
                tag, 0, 0)
FRAME_ALLOCATOR(, pageframe_alloc_run,
                (uint32_t frames, uint32_t alignment, frame_t limit, unsigned where,
                 bytemap_tag_t tag),
                (frames, alignment, limit, where, tag), frames, alignment, where, tag)
/* What was promised is taken from pageframe_alloc, which is led through here, and does not fail. */
#define PROMISED_ALLOCATOR(name, parameters, arguments)                                            \
    __typeof__(name) __real_##name, __wrap_##name;                                                 \
    frame_t __wrap_##name parameters                                                               \
    {                                                                                              \
        unsigned long interrupts = platform_interrupts_save();                                     \
        state.is_promised = true;                                                                  \
        frame_t frame = __real_##name arguments;                                                   \
        state.is_promised = false;                                                                 \
        platform_interrupts_restore(interrupts);                                                   \
        return frame;                                                                              \
    }

PROMISED_ALLOCATOR(pageframe_alloc_promised, (unsigned where, bytemap_tag_t tag), (where, tag))
PROMISED_ALLOCATOR(pageframe_alloc_promised_zeroed, (bytemap_tag_t tag), (tag))
ALLOCATOR(int, pageframe_promise, (uint32_t frames), (frames), -ENOMEM, frames, 0, 0, 0)
ALLOCATOR(void *, kmalloc, (size_t size), (size), NULL, (uint32_t)size, 0, 0, 0)
ALLOCATOR(void *, kcalloc, (size_t count, size_t size), (count, size), NULL, (uint32_t)count,
          (uint32_t)size, 0, 0)
ALLOCATOR(void *, kmalloc_aligned, (size_t size, size_t alignment), (size, alignment), NULL,
          (uint32_t)size, (uint32_t)alignment, 0, 0)
ALLOCATOR(struct heap_cache *, heap_cache_create, (const char *name, size_t size, size_t alignment),
          (name, size, alignment), NULL, (uint32_t)size, (uint32_t)alignment, 0, 0)
ALLOCATOR(void *, heap_cache_alloc, (struct heap_cache * cache), (cache), NULL, 0, 0, 0, 0)

/* Size 0 is a kfree, which cannot fail. */
void *__real_krealloc(void *object, size_t size);
void *__wrap_krealloc(void *object, size_t size);
void *__wrap_krealloc(void *object, size_t size)
{
    void *result;
    if (size != 0 && is_due("krealloc", (uintptr_t)__builtin_return_address(0)))
        return NULL;
    failure_depth++;
    result = __real_krealloc(object, size);
    note("krealloc", (uintptr_t)result, (uint32_t)(uintptr_t)object, (uint32_t)size, 0, 0);
    return result;
}
