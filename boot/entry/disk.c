#include "boot/entry/disk.h"

#include "boot/entry/bios.h"
#include "boot/entry/console.h"
#include "boot/entry/crc32.h"

/* EDD's disk address packet. */
struct disk_packet {
    uint8_t size;
    uint8_t zero;
    uint16_t sectors;
    uint16_t offset;
    uint16_t segment;
    uint64_t lba;
} __attribute__((packed));

_Static_assert(sizeof(struct disk_packet) == 16, "the firmware's layout");

static void drive_reset(uint32_t drive)
{
    struct bios_registers registers = {.edx = drive};
    bios_call(0x13, &registers);
}

/* One try. The packet is made anew for it: a failing BIOS may write to it. */
static bool read_once(uint32_t lba, uint32_t sectors, const uint8_t *buffer, uint32_t *status)
{
    static struct disk_packet packet;
    packet = (struct disk_packet){.size = sizeof(packet),
                                  .sectors = (uint16_t)sectors,
                                  .offset = bios_offset(buffer),
                                  .segment = bios_segment(buffer),
                                  .lba = lba};
    struct bios_registers registers = {.eax = 0x4200,
                                       .edx = loader_header()->drive,
                                       .esi = bios_offset(&packet),
                                       .ds = bios_segment(&packet)};
    bios_call(0x13, &registers);
    *status = registers.eax >> 8 & 0xFF;
    return !(registers.eflags & BIOS_CARRY);
}

/*
 * The buffer lies within one 64 KiB. After a failure half as many sectors are tried, down to one,
 * and after a success twice as many: so drives that dislike long reads are read all the same, and
 * the sector that is named is the one that fails. Does not return where it fails DISK_TRIES times.
 */
static void read_sectors(uint32_t lba, uint32_t sectors, const uint8_t *buffer, const char *name)
{
    uint32_t count = sectors, tries = DISK_TRIES, status;
    while (sectors) {
        if (count > sectors)
            count = sectors;
        if (read_once(lba, count, buffer, &status)) {
            lba += count;
            buffer += count * loader_header()->sector_bytes;
            sectors -= count;
            count *= 2;
            tries = DISK_TRIES;
            continue;
        }
        drive_reset(loader_header()->drive);
        if (count > 1)
            count /= 2;
        else if (!--tries)
            console_fail("the disk cannot be read at LBA %x (%s, BIOS status %x).", lba, name,
                         status);
    }
}

void disk_read_part(const struct image_part *part, const char *name, const struct lowram *lowram,
                    disk_sink *sink, void *context)
{
    uint32_t sector_bytes = loader_header()->sector_bytes;
    uint32_t sectors_max = lowram->bounce_bytes / sector_bytes;
    if (sectors_max > DISK_SECTORS_MAX)
        sectors_max = DISK_SECTORS_MAX;
    uint32_t crc = 0;
    uint32_t bytes;
    for (uint32_t position = 0; position < part->bytes; position += bytes) {
        uint32_t rest = part->bytes - position;
        bytes = sectors_max * sector_bytes < rest ? sectors_max * sector_bytes : rest;
        read_sectors((part->offset + position) / sector_bytes,
                     (bytes + sector_bytes - 1) / sector_bytes, lowram->bounce, name);
        crc = crc32_add(crc, lowram->bounce, bytes);
        sink(context, lowram->bounce, position, bytes);
    }
    if (crc != part->crc32)
        console_fail("the %s has a bad checksum: the image is damaged.", name);
}
