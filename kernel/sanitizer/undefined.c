#include "kernel/include/panic.h"
#include "kernel/sanitizer/internal.h"

/*
 * What code built with -fsanitize=undefined calls when it is about to do what C leaves undefined.
 * Names and structures are those of GCC's ubsan.cc and of its runtime.
 */
struct location {
    const char *file;
    uint32_t line, column;
};

struct type {
    uint16_t kind; /* 0: integer */
    uint16_t info; /* of an integer: bit 0 signed, above it the logarithm of the width in bits */
    char name[];
};

struct operation { /* overflow, bad value, bad bound */
    struct location location;
    const struct type *type;
};

struct pair_operation { /* shift: left and right; index: array and index */
    struct location location;
    const struct type *first, *second;
};

struct mismatch {
    struct location location;
    const struct type *type;
    uint8_t log_alignment;
    uint8_t access;
};

/* The arguments are passed as words; wider ones by address. */
static unsigned long long value_of(const struct type *type, uint32_t value)
{
    const unsigned width = 1u << (type->info >> 1);
    if (type->kind != 0)
        return value;
    if (width > 32)
        return *(const unsigned long long *)value;
    if ((type->info & 1) && width < 32)
        return (unsigned long long)(long long)((int32_t)(value << (32 - width)) >> (32 - width));
    return type->info & 1 ? (unsigned long long)(long long)(int32_t)value : value;
}

static void report_operation(const struct operation *operation, uint32_t left, const char *sign,
                             uint32_t right, struct sanitizer_place place)
{
    sanitizer_report_undefined(place, "%s:%u: %lld %s %lld overflows type %s",
                               operation->location.file, operation->location.line,
                               (long long)value_of(operation->type, left), sign,
                               (long long)value_of(operation->type, right), operation->type->name);
}

#define HANDLER(name, ...)                                                                         \
    void __ubsan_handle_##name(__VA_ARGS__);                                                       \
    void __ubsan_handle_##name(__VA_ARGS__)

HANDLER(add_overflow, const struct operation *operation, uint32_t left, uint32_t right)
{
    report_operation(operation, left, "+", right, SANITIZER_PLACE);
}

HANDLER(sub_overflow, const struct operation *operation, uint32_t left, uint32_t right)
{
    report_operation(operation, left, "-", right, SANITIZER_PLACE);
}

HANDLER(mul_overflow, const struct operation *operation, uint32_t left, uint32_t right)
{
    report_operation(operation, left, "*", right, SANITIZER_PLACE);
}

HANDLER(divrem_overflow, const struct operation *operation, uint32_t left, uint32_t right)
{
    report_operation(operation, left, "/", right, SANITIZER_PLACE);
}

HANDLER(negate_overflow, const struct operation *operation, uint32_t value)
{
    report_operation(operation, 0, "-", value, SANITIZER_PLACE);
}

HANDLER(shift_out_of_bounds, const struct pair_operation *shift, uint32_t left, uint32_t right)
{
    sanitizer_report_undefined(SANITIZER_PLACE, "%s:%u: shift of %lld (%s) by %lld",
                               shift->location.file, shift->location.line,
                               (long long)value_of(shift->first, left), shift->first->name,
                               (long long)value_of(shift->second, right));
}

HANDLER(out_of_bounds, const struct pair_operation *access, uint32_t index)
{
    sanitizer_report_undefined(SANITIZER_PLACE, "%s:%u: index %lld of %s", access->location.file,
                               access->location.line, (long long)value_of(access->second, index),
                               access->first->name);
}

HANDLER(load_invalid_value, const struct operation *load, uint32_t value)
{
    sanitizer_report_undefined(SANITIZER_PLACE, "%s:%u: %lld is no value of type %s",
                               load->location.file, load->location.line,
                               (long long)value_of(load->type, value), load->type->name);
}

HANDLER(type_mismatch_v1, const struct mismatch *mismatch, uint32_t pointer)
{
    const uint32_t alignment = 1u << mismatch->log_alignment;
    const char *what = pointer == 0                       ? "is null"
                       : (pointer & (alignment - 1)) != 0 ? "is misaligned"
                                                          : "points to too small an object";
    sanitizer_report_undefined(SANITIZER_PLACE, "%s:%u: pointer 0x%08x to %s %s",
                               mismatch->location.file, mismatch->location.line, pointer,
                               mismatch->type->name, what);
}

HANDLER(pointer_overflow, const struct location *location, uint32_t base, uint32_t result)
{
    sanitizer_report_undefined(SANITIZER_PLACE, "%s:%u: pointer 0x%08x wraps to 0x%08x",
                               location->file, location->line, base, result);
}

HANDLER(nonnull_arg, const struct location *location)
{
    sanitizer_report_undefined(SANITIZER_PLACE, "%s:%u: null as an argument that must not be",
                               location->file, location->line);
}

HANDLER(nonnull_return_v1, const void *data, const struct location *location)
{
    (void)data;
    sanitizer_report_undefined(SANITIZER_PLACE, "%s:%u: null from a function that never returns it",
                               location->file, location->line);
}

HANDLER(vla_bound_not_positive, const struct operation *bound, uint32_t value)
{
    sanitizer_report_undefined(SANITIZER_PLACE, "%s:%u: an array of %lld elements",
                               bound->location.file, bound->location.line,
                               (long long)value_of(bound->type, value));
}

HANDLER(invalid_builtin, const struct location *location)
{
    sanitizer_report_undefined(SANITIZER_PLACE, "%s:%u: the bits of zero counted from an end",
                               location->file, location->line);
}

/* There is nowhere to go on. */
_Noreturn HANDLER(builtin_unreachable, const struct location *location)
{
    panic("sanitizer: undefined behaviour: %s:%u: reached what cannot be reached", location->file,
          location->line);
}

_Noreturn HANDLER(missing_return, const struct location *location)
{
    panic("sanitizer: undefined behaviour: %s:%u: a function ends without its value",
          location->file, location->line);
}
