#include "kernel/space/transfer.h"

#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/space/usercopy.h"

void transfer_init(struct transfer *transfer, enum transfer_memory memory,
                   const struct transfer_piece *pieces, uint32_t count)
{
    transfer->memory = memory;
    transfer->piece = pieces;
    transfer->done = transfer->left = 0;
    for (uint32_t i = 0; i < count; i++)
        transfer->left += pieces[i].bytes;
}

enum direction { PUT, PUT_ZEROS, GET };

/* One stretch of one piece: the bytes that were not moved. */
static inline __attribute__((always_inline)) size_t
move(const struct transfer *transfer, enum direction direction, unsigned char *data, size_t bytes)
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

/* At least one byte, and the cursor. */
static inline __attribute__((always_inline)) int32_t
move_stretch(struct transfer *transfer, enum direction direction, unsigned char *data, size_t bytes)
{
    const size_t moved = bytes - move(transfer, direction, data, bytes);
    transfer->done += moved;
    transfer->left -= moved;
    return moved != 0 ? (int32_t)moved : -EFAULT;
}

/* Pieces that are used up are left behind when the next byte is wanted: while bytes are left, there
 * is a piece that has them. */
static __attribute__((noinline)) int32_t
move_pieces(struct transfer *transfer, enum direction direction, unsigned char *data, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        size_t part = transfer->piece->bytes - transfer->done;
        if (part == 0) {
            transfer->piece++;
            transfer->done = 0;
            continue;
        }
        if (part > bytes - done)
            part = bytes - done;
        int32_t moved =
            move_stretch(transfer, direction, direction == PUT_ZEROS ? data : data + done, part);
        if (moved < 0)
            return done != 0 ? (int32_t)done : moved;
        done += (size_t)moved;
        if ((size_t)moved < part)
            break;
    }
    return (int32_t)done;
}

/* The piece that the cursor is in mostly has all that is wanted. */
static inline __attribute__((always_inline)) int32_t
move_all(struct transfer *transfer, enum direction direction, unsigned char *data, size_t bytes)
{
    if (bytes > transfer->left)
        bytes = transfer->left;
    if (bytes == 0)
        return 0;
    if (bytes > transfer->piece->bytes - transfer->done)
        return move_pieces(transfer, direction, data, bytes);
    return move_stretch(transfer, direction, data, bytes);
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
