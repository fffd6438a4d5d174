#include "kernel/space/transfer.h"

#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/space/usercopy.h"

void transfer_init(struct transfer *transfer, enum transfer_memory memory,
                   const struct transfer_piece *pieces, uint32_t count)
{
    *transfer = (struct transfer){.memory = memory, .piece = pieces, .pieces = count};
    for (uint32_t i = 0; i < count; i++)
        transfer->left += pieces[i].bytes;
}

static void init_single(struct transfer *transfer, enum transfer_memory memory, uintptr_t base,
                        size_t bytes)
{
    *transfer =
        (struct transfer){.memory = memory, .pieces = 1, .left = bytes, .single = {base, bytes}};
    transfer->piece = &transfer->single;
}

void transfer_init_user(struct transfer *transfer, uint32_t address, size_t bytes)
{
    init_single(transfer, TRANSFER_USER, address, bytes);
}

void transfer_init_kernel(struct transfer *transfer, void *memory, size_t bytes)
{
    init_single(transfer, TRANSFER_KERNEL, (uintptr_t)memory, bytes);
}

enum direction { PUT, PUT_ZEROS, GET };

/* One stretch of one piece: the bytes that were not moved. */
static size_t move(const struct transfer *transfer, enum direction direction, unsigned char *data,
                   size_t bytes)
{
    const uintptr_t at = transfer->piece->base + transfer->done;
    const bool is_user = transfer->memory == TRANSFER_USER;
    switch (direction) {
    case PUT:
        if (is_user)
            return space_copy_to_user_partial((uint32_t)at, data, bytes);
        memcpy((void *)at, data, bytes);
        return 0;
    case PUT_ZEROS:
        if (is_user)
            return space_clear_user((uint32_t)at, bytes) == 0 ? 0 : bytes;
        memset((void *)at, 0, bytes);
        return 0;
    case GET:
        break;
    }
    if (is_user)
        return space_copy_from_user_partial(data, (uint32_t)at, bytes);
    memcpy(data, (const void *)at, bytes);
    return 0;
}

/* The cursor goes on; pieces that are used up are left behind. */
static void advance(struct transfer *transfer, size_t bytes)
{
    transfer->done += bytes;
    transfer->left -= bytes;
    while (transfer->pieces > 0 && transfer->done == transfer->piece->bytes) {
        transfer->piece++;
        transfer->pieces--;
        transfer->done = 0;
    }
}

static int32_t move_all(struct transfer *transfer, enum direction direction, unsigned char *data,
                        size_t bytes)
{
    size_t moved = 0;
    if (bytes > transfer->left)
        bytes = transfer->left;
    advance(transfer, 0);
    while (moved < bytes) {
        const size_t room = transfer->piece->bytes - transfer->done;
        const size_t part = bytes - moved < room ? bytes - moved : room;
        const size_t left = move(transfer, direction, data == NULL ? NULL : data + moved, part);
        advance(transfer, part - left);
        moved += part - left;
        if (left != 0)
            return moved != 0 ? (int32_t)moved : -EFAULT;
    }
    return (int32_t)moved;
}

int32_t transfer_put(struct transfer *transfer, const void *data, size_t bytes)
{
    return move_all(transfer, PUT, (unsigned char *)(uintptr_t)data, bytes);
}

int32_t transfer_get(struct transfer *transfer, void *data, size_t bytes)
{
    return move_all(transfer, GET, data, bytes);
}

int32_t transfer_put_zeros(struct transfer *transfer, size_t bytes)
{
    return move_all(transfer, PUT_ZEROS, NULL, bytes);
}
