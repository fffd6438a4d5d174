#ifndef BOOT_ENTRY_DISK_H
#define BOOT_ENTRY_DISK_H

#include "boot/entry/lowram.h"
#include "boot/image.h"

/* Gets the bytes of a part in order; position counts from the part's start. */
typedef void disk_sink(void *context, const uint8_t *data, uint32_t position, uint32_t bytes);

/*
 * Reads a part of the image through the bounce buffer and checks its checksum. name is for the
 * sentence that is said when it cannot be read or is damaged: then this does not return.
 */
void disk_read_part(const struct image_part *part, const char *name, const struct lowram *lowram,
                    disk_sink *sink, void *context);

#endif
