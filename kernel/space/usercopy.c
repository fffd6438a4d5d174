#include "kernel/space/usercopy.h"

#include "kernel/cpu/cpu.h"
#include "kernel/include/errors.h"
#include "kernel/space/usercopy_internal.h"

uint32_t usercopy_has_smap;

void usercopy_init(void)
{
    usercopy_has_smap = cpu_description()->on >> CPU_SMAP & 1;
}

/* Only after the range was looked at. */
static void *user_pointer(uint32_t address)
{
    return (void *)(uintptr_t)address;
}

int space_copy_from_user(void *to, uint32_t from, size_t bytes)
{
    return space_copy_from_user_partial(to, from, bytes) == 0 ? 0 : -EFAULT;
}

int space_copy_to_user(uint32_t to, const void *from, size_t bytes)
{
    return space_copy_to_user_partial(to, from, bytes) == 0 ? 0 : -EFAULT;
}

int space_clear_user(uint32_t to, size_t bytes)
{
    if (bytes == 0)
        return 0;
    if (!space_is_user_range(to, bytes))
        return -EFAULT;
    return usercopy_clear(user_pointer(to), bytes) == 0 ? 0 : -EFAULT;
}

int32_t space_string_from_user(char *to, uint32_t from, size_t size)
{
    size_t room = size;
    int32_t length;
    if (from < MAP_USER_START || from >= MAP_LIBRARY_END)
        return -EFAULT;
    if (room > MAP_LIBRARY_END - from)
        room = MAP_LIBRARY_END - from;
    if (room == 0)
        return -ENAMETOOLONG;
    length = usercopy_string(to, user_pointer(from), room);
    if (length < 0)
        return -EFAULT;
    if ((size_t)length < room)
        return length;
    return room < size ? -EFAULT : -ENAMETOOLONG;
}

int space_read_user32(uint32_t *value, uint32_t from)
{
    return space_copy_from_user(value, from, sizeof(*value));
}

int space_write_user32(uint32_t to, uint32_t value)
{
    return space_copy_to_user(to, &value, sizeof(value));
}

int space_exchange_user32(uint32_t address, uint32_t expected, uint32_t value, uint32_t *old)
{
    if (address % sizeof(value) != 0 || !space_is_user_range(address, sizeof(value)))
        return -EFAULT;
    return usercopy_exchange(user_pointer(address), expected, value, old) == 0 ? 0 : -EFAULT;
}
