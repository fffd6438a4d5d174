#ifndef KERNEL_SANITIZER_INTERNAL_H
#define KERNEL_SANITIZER_INTERNAL_H

#include "kernel/include/bootinfo.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/sanitizer/sanitizer.h"

/*
 * What the files of the sanitizer share. None of them is instrumented.
 *
 * A byte of the shadow speaks for a granule of 8 bytes: 0, all of them may be used; 1 to 7, so many
 * from the first on; anything else, none, and why. The compiler's own code reads it, and writes it
 * for variables on the stack (GCC, asan.h: ASAN_STACK_MAGIC_*, which the first four are).
 */
#define SHADOW_GRANULE     8u
#define SHADOW_STACK_LEFT  0xF1
#define SHADOW_STACK_MID   0xF2
#define SHADOW_STACK_RIGHT 0xF3
#define SHADOW_STACK_SCOPE 0xF8
#define SHADOW_GLOBAL      0xF9
#define SHADOW_HEAP_BEHIND 0xFA
#define SHADOW_HEAP_FREED  0xFB
#define SHADOW_HEAP_UNUSED 0xFC

static inline uint8_t *shadow_of(uint64_t address)
{
    return (uint8_t *)(uint32_t)(MAP_SANITIZER_START + address / SHADOW_GRANULE);
}

/* Which granule a byte of the shadow speaks for. */
static inline uint32_t shadow_address(uint32_t shadow)
{
    return (shadow - MAP_SANITIZER_START) * SHADOW_GRANULE;
}

/* True as soon as there is a shadow, the provisional one included. */
extern bool sanitizer_is_on;

/* All of [address, address + bytes) gets the value; address is a multiple of 8, a rest is rounded
 * up. */
void shadow_poison(uint32_t address, uint32_t bytes, uint8_t value);
/* [address, address + bytes) may be used, to the byte; address is a multiple of 8. */
void shadow_unpoison(uint32_t address, uint32_t bytes);
/* The first byte that may not be used, or 0. O(bytes / 8). */
uint32_t shadow_find_wrong(uint32_t address, uint32_t bytes);

/* Who called whoever is the caller of this function's caller. */
struct sanitizer_place {
    uint32_t eip, ebp;
};
#define SANITIZER_PLACE                                                                            \
    ((struct sanitizer_place){(uint32_t)__builtin_return_address(0),                               \
                              *(const uint32_t *)__builtin_frame_address(0)})

enum sanitizer_access { SANITIZER_READ, SANITIZER_WRITE };

void sanitizer_report_access(uint32_t address, uint32_t bytes, enum sanitizer_access access,
                             struct sanitizer_place place);
void sanitizer_report_undefined(struct sanitizer_place place, const char *format, ...)
    PRINTF_LIKE(2, 3);
/* Does not end in a panic: the heap refuses, counts and goes on. */
void sanitizer_report_double_free(uint32_t object, struct sanitizer_place place);

/* The linker puts these between the functions and all who call them from another file
 * (kernel.mk: --wrap). */
#define WRAP(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

#endif
