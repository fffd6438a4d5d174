#ifndef KERNEL_SPACE_USERCOPY_H
#define KERNEL_SPACE_USERCOPY_H

#include "kernel/include/types.h"
#include "kernel/memory/memory.h"

/*
 * Copies between the kernel and the user memory of the space that is loaded. Only user and library
 * rows can be named; a fault on the way is resolved as if the program had made it, or ends the copy
 * (exception table): never a panic. With SMAP, these functions are the only ones that open user
 * memory. They may sleep, so: a thread, interrupts and preemption on, and no lock that a fault may
 * need (the space's).
 */
static inline bool space_is_user_range(uint32_t address, size_t bytes)
{
    return address >= MAP_USER_START && address <= MAP_LIBRARY_END &&
           bytes <= MAP_LIBRARY_END - address;
}

/* 0 or -EFAULT, when a part may have been copied. bytes 0 is 0, whatever the address. */
int space_copy_from_user(void *to, uint32_t from, size_t bytes) MUST_CHECK;
int space_copy_to_user(uint32_t to, const void *from, size_t bytes) MUST_CHECK;
int space_clear_user(uint32_t to, size_t bytes) MUST_CHECK;

/* How many bytes could not be copied: 0 is success. What read and write come to, so it is inline
 * over kernel/space/usercopy.S (host tests have their own). */
size_t usercopy_move(void *to, const void *from, size_t bytes);

static inline MUST_CHECK size_t space_copy_from_user_partial(void *to, uint32_t from, size_t bytes)
{
    if (!space_is_user_range(from, bytes))
        return bytes;
    return usercopy_move(to, (const void *)(uintptr_t)from, bytes);
}

static inline MUST_CHECK size_t space_copy_to_user_partial(uint32_t to, const void *from,
                                                           size_t bytes)
{
    if (!space_is_user_range(to, bytes))
        return bytes;
    return usercopy_move((void *)(uintptr_t)to, from, bytes);
}

/* A zero-terminated string of less than `size` bytes: its length; -EFAULT; -ENAMETOOLONG if no zero
 * is among the first `size`. */
int32_t space_string_from_user(char *to, uint32_t from, size_t size) MUST_CHECK;

/* One aligned or unaligned word. */
int space_read_user32(uint32_t *value, uint32_t from) MUST_CHECK;
int space_write_user32(uint32_t to, uint32_t value) MUST_CHECK;

/* An aligned word, exchanged whole (futex): *old is what was there, replaced if it was `expected`.
 */
int space_exchange_user32(uint32_t address, uint32_t expected, uint32_t value,
                          uint32_t *old) MUST_CHECK;

#endif
