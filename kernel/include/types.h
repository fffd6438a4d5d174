#ifndef KERNEL_INCLUDE_TYPES_H
#define KERNEL_INCLUDE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Physical numbers are integers, never pointers: the compiler refuses to mix them.
 * Byte addresses (paddr_t) exist at the borders (firmware, devices, page-table entries); inside,
 * memory is counted in frame numbers, in which the end of 64 GiB is an ordinary value.
 */
typedef uint64_t paddr_t; /* physical byte address */
typedef uint32_t frame_t; /* physical address / FRAME_SIZE */

#define FRAME_SHIFT 12
#define FRAME_SIZE  4096u
#define FRAME_NONE                                                                                 \
    UINT32_MAX /* "no frame": what allocators of frames return when there is none                  \
                */

static inline frame_t frame_of(paddr_t address)
{
    return (frame_t)(address >> FRAME_SHIFT);
}

static inline paddr_t frame_address(frame_t frame)
{
    return (paddr_t)frame << FRAME_SHIFT;
}

#define MUST_CHECK          __attribute__((warn_unused_result))
#define PRINTF_LIKE(at, to) __attribute__((format(printf, at, to)))
#define ARRAY_COUNT(array)  (sizeof(array) / sizeof((array)[0]))

#endif
