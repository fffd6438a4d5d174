#include "kernel/file/device.h"
#include "kernel/file/file.h"
#include "kernel/file/linux.h"
#include "kernel/file/table.h"
#include "kernel/include/errors.h"
#include "kernel/space/space.h"
#include "kernel/space/usercopy.h"
#include "kernel/syscall/caller.h"
#include "kernel/syscall/table.h"

/* The calls about memory: what they need beside the space itself is the file that a mapping shows.
 */

/* What mprotect may ever give a mapping of the file. */
static uint32_t most_of(const struct file *file)
{
    return file_is_writable(file) ? PROT_READ | PROT_WRITE | PROT_EXEC : PROT_READ | PROT_EXEC;
}

/* /dev/zero: anonymous memory, whatever the offset. */
static bool is_zeros(const struct file *file)
{
    return (file->inode->mode & S_IFMT) == S_IFCHR && file->inode->special == DEVICE_ZERO;
}

/* Why a file does not allow the mapping; 0: it does. */
static int refusal_of(const struct space_mapping *mapping, const struct file *file)
{
    const uint32_t type = mapping->flags & MAP_TYPE;
    if (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE)
        return -EINVAL;
    if (type != MAP_PRIVATE && (mapping->protection & PROT_WRITE) && !file_is_writable(file))
        return -EACCES;
    if (!file_is_readable(file))
        return -EACCES;
    if (mapping->backing == NULL && !is_zeros(file))
        return -ENODEV;
    return mapping->flags & MAP_GROWSDOWN ? -EINVAL : 0;
}

static int32_t map_content(struct space_mapping *mapping, struct file *file)
{
    if (is_zeros(file)) {
        mapping->flags |= MAP_ANONYMOUS;
        mapping->index = 0;
    } else {
        mapping->maximum = most_of(file);
        mapping->backing = file_backing(file);
    }
    int refusal = refusal_of(mapping, file);
    int32_t result = refusal != 0 ? space_refuse(space_current(), mapping, refusal)
                                  : space_map(space_current(), mapping);
    if (mapping->backing != NULL)
        mapping->backing->ops->drop(mapping->backing);
    return result;
}

static int32_t map_file(struct space_mapping *mapping, uint32_t descriptor)
{
    struct file *file = file_table_get(caller_files(), descriptor);
    if (file == NULL)
        return -EBADF;
    int32_t result = map_content(mapping, file);
    file_drop(file);
    return result;
}

int32_t syscall_mmap2(uint32_t address, uint32_t length, uint32_t protection, uint32_t flags,
                      uint32_t descriptor, uint32_t index)
{
    struct space_mapping mapping = {.address = address,
                                    .length = length,
                                    .protection = protection,
                                    .flags = flags,
                                    .maximum = PROT_READ | PROT_WRITE | PROT_EXEC,
                                    .index = index};
    if (!(flags & MAP_ANONYMOUS))
        return map_file(&mapping, descriptor);
    mapping.index = 0;
    return space_map(space_current(), &mapping);
}

/* The call of before 2.4: its arguments lie in memory, and the offset is in bytes. */
int32_t syscall_mmap(uint32_t arguments)
{
    uint32_t words[6];
    if (space_copy_from_user(words, arguments, sizeof(words)) != 0)
        return -EFAULT;
    if (words[5] % PAGE_SIZE != 0)
        return -EINVAL;
    return syscall_mmap2(words[0], words[1], words[2], words[3], words[4], words[5] / PAGE_SIZE);
}

int32_t syscall_munmap(uint32_t address, uint32_t length)
{
    return space_unmap(space_current(), address, length);
}

int32_t syscall_mprotect(uint32_t address, uint32_t length, uint32_t protection)
{
    return space_protect(space_current(), address, length, protection);
}

int32_t syscall_mremap(uint32_t old_address, uint32_t old_length, uint32_t new_length,
                       uint32_t flags, uint32_t new_address)
{
    return space_remap(space_current(), old_address, old_length, new_length, flags, new_address);
}

int32_t syscall_madvise(uint32_t address, uint32_t length, uint32_t advice)
{
    return space_advise(space_current(), address, length, advice);
}

int32_t syscall_msync(uint32_t address, uint32_t length, uint32_t flags)
{
    return space_sync(space_current(), address, length, flags);
}

int32_t syscall_mlock(uint32_t address, uint32_t length)
{
    return space_lock(space_current(), address, length, 0);
}

int32_t syscall_mlock2(uint32_t address, uint32_t length, uint32_t flags)
{
    return space_lock(space_current(), address, length, flags);
}

int32_t syscall_munlock(uint32_t address, uint32_t length)
{
    return space_unlock(space_current(), address, length);
}

int32_t syscall_mlockall(uint32_t flags)
{
    return space_lock_all(space_current(), flags);
}

int32_t syscall_munlockall(void)
{
    return space_unlock_all(space_current());
}

int32_t syscall_brk(uint32_t end)
{
    return (int32_t)space_brk(space_current(), end);
}

/* In pieces: user memory cannot be written while the space is locked. */
int32_t syscall_mincore(uint32_t address, uint32_t length, uint32_t vector)
{
    uint8_t piece[128];
    uint32_t pages = length / PAGE_SIZE + (length % PAGE_SIZE != 0);
    if (address % PAGE_SIZE != 0)
        return -EINVAL;
    if (address > SPACE_END || pages > (SPACE_END - address) / PAGE_SIZE)
        return -ENOMEM;
    while (pages > 0) {
        const uint32_t count = pages < sizeof(piece) ? pages : (uint32_t)sizeof(piece);
        int error = space_incore(space_current(), address, count, piece);
        if (error != 0)
            return error;
        if (space_copy_to_user(vector, piece, count) != 0)
            return -EFAULT;
        address += count * PAGE_SIZE;
        vector += count;
        pages -= count;
    }
    return 0;
}
