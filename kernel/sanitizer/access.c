#include "kernel/lib/string.h"
#include "kernel/sanitizer/internal.h"
#include "kernel/thread/stack.h"

/*
 * What instrumented code calls: names and meanings are those of GCC's sanitizer.def, "noabort" as
 * -fsanitize=kernel-address has it.
 */
void __asan_loadN_noabort(uint32_t address, uint32_t bytes);
void __asan_storeN_noabort(uint32_t address, uint32_t bytes);
void __asan_handle_no_return(void);
void __asan_poison_stack_memory(uint32_t address, uint32_t bytes);
void __asan_unpoison_stack_memory(uint32_t address, uint32_t bytes);

static void check(const void *start, size_t bytes, enum sanitizer_access access,
                  struct sanitizer_place place)
{
    uint32_t address = (uint32_t)start;
    if (sanitizer_is_on && shadow_find_wrong(address, (uint32_t)bytes) != 0)
        sanitizer_report_access(address, (uint32_t)bytes, access, place);
}

void __asan_loadN_noabort(uint32_t address, uint32_t bytes)
{
    check((const void *)address, bytes, SANITIZER_READ, SANITIZER_PLACE);
}

void __asan_storeN_noabort(uint32_t address, uint32_t bytes)
{
    check((const void *)address, bytes, SANITIZER_WRITE, SANITIZER_PLACE);
}

/* An access of a fixed size. Nearly all lie in one granule that is open as a whole. */
static inline void check_small(uint32_t address, uint32_t bytes, enum sanitizer_access access,
                               struct sanitizer_place place)
{
    if (*shadow_of(address) != 0 || address % SHADOW_GRANULE + bytes > SHADOW_GRANULE)
        check((const void *)address, bytes, access, place);
}

#define ACCESS(bytes)                                                                              \
    void __asan_load##bytes##_noabort(uint32_t address);                                           \
    void __asan_load##bytes##_noabort(uint32_t address)                                            \
    {                                                                                              \
        check_small(address, bytes, SANITIZER_READ, SANITIZER_PLACE);                              \
    }                                                                                              \
    void __asan_store##bytes##_noabort(uint32_t address);                                          \
    void __asan_store##bytes##_noabort(uint32_t address)                                           \
    {                                                                                              \
        check_small(address, bytes, SANITIZER_WRITE, SANITIZER_PLACE);                             \
    }

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

/* Functions that never return leave what they poisoned. On the kernel's own stack, which is used
 * on, all below its end is forgotten; others end with what runs on them. */
void __asan_handle_no_return(void)
{
    uint32_t stack = (uint32_t)__builtin_frame_address(0) & ~(SHADOW_GRANULE - 1);
    if (stack >= MAP_STACK_START && stack < MAP_STACK_END)
        shadow_unpoison(stack, MAP_STACK_END - stack);
    else if (stack >= MAP_STACKS_START && stack < MAP_STACKS_END)
        shadow_unpoison(stack, stack_end_of(stack) - stack);
}

void __asan_poison_stack_memory(uint32_t address, uint32_t bytes)
{
    shadow_poison(address, bytes, SHADOW_STACK_SCOPE);
}

void __asan_unpoison_stack_memory(uint32_t address, uint32_t bytes)
{
    shadow_unpoison(address, bytes);
}

/* A variable with static storage as the compiler describes it (GCC, asan.cc: asan_global). */
struct variable {
    uint32_t address;
    uint32_t bytes;
    uint32_t bytes_with_redzone;
    const char *name, *module;
    uint32_t has_dynamic_init;
    const void *location;
    uint32_t odr_indicator;
};

void __asan_register_globals(const struct variable *variables, uint32_t count);
void __asan_unregister_globals(const struct variable *variables, uint32_t count);

void __asan_register_globals(const struct variable *variables, uint32_t count)
{
    for (const struct variable *one = variables; one < variables + count; one++) {
        shadow_poison(one->address, one->bytes_with_redzone, SHADOW_GLOBAL);
        shadow_unpoison(one->address, one->bytes);
    }
}

/* Called by destructors, which the kernel does not run. */
void __asan_unregister_globals(const struct variable *variables, uint32_t count)
{
    (void)variables;
    (void)count;
}

/* ---- functions that work on memory in bulk: kernel/lib/string.c is not instrumented ---- */

WRAP(void *, memcpy, void *restrict to, const void *restrict from, size_t bytes)
{
    check(from, bytes, SANITIZER_READ, SANITIZER_PLACE);
    check(to, bytes, SANITIZER_WRITE, SANITIZER_PLACE);
    return __real_memcpy(to, from, bytes);
}

WRAP(void *, memmove, void *to, const void *from, size_t bytes)
{
    check(from, bytes, SANITIZER_READ, SANITIZER_PLACE);
    check(to, bytes, SANITIZER_WRITE, SANITIZER_PLACE);
    return __real_memmove(to, from, bytes);
}

WRAP(void *, memset, void *to, int byte, size_t bytes)
{
    check(to, bytes, SANITIZER_WRITE, SANITIZER_PLACE);
    return __real_memset(to, byte, bytes);
}

WRAP(int, memcmp, const void *left, const void *right, size_t bytes)
{
    check(left, bytes, SANITIZER_READ, SANITIZER_PLACE);
    check(right, bytes, SANITIZER_READ, SANITIZER_PLACE);
    return __real_memcmp(left, right, bytes);
}

WRAP(size_t, strlen, const char *text)
{
    size_t length = __real_strlen(text);
    check(text, length + 1, SANITIZER_READ, SANITIZER_PLACE);
    return length;
}

WRAP(size_t, strnlen, const char *text, size_t limit);

/* What has no end within the limit is read to the limit, and not beyond. */
static size_t read_of(const char *text, size_t limit)
{
    size_t length = __real_strnlen(text, limit);
    return length < limit ? length + 1 : length;
}

size_t __wrap_strnlen(const char *text, size_t limit)
{
    check(text, read_of(text, limit), SANITIZER_READ, SANITIZER_PLACE);
    return __real_strnlen(text, limit);
}

/* As far as the comparison may have looked: to the end of the shorter. */
static void check_both(const char *left, const char *right, size_t limit,
                       struct sanitizer_place place)
{
    size_t a = read_of(left, limit);
    size_t b = read_of(right, limit);
    check(left, a < b ? a : b, SANITIZER_READ, place);
    check(right, a < b ? a : b, SANITIZER_READ, place);
}

WRAP(int, strncmp, const char *left, const char *right, size_t limit)
{
    check_both(left, right, limit, SANITIZER_PLACE);
    return __real_strncmp(left, right, limit);
}

WRAP(int, strcmp, const char *left, const char *right)
{
    check_both(left, right, SIZE_MAX, SANITIZER_PLACE);
    return __real_strcmp(left, right);
}

WRAP(char *, strchr, const char *text, int character)
{
    char *found = __real_strchr(text, character);
    const char *end = found != NULL ? found : text + __real_strlen(text);
    check(text, (size_t)(end - text) + 1, SANITIZER_READ, SANITIZER_PLACE);
    return found;
}
