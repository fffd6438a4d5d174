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

/* The buffer lies within one 64 KiB. Does not return where the sectors cannot be read. */
static void read_sectors(uint32_t lba, uint32_t sectors, const uint8_t *buffer, const char *name)
{
    static struct disk_packet packet;
    uint32_t drive = loader_header()->drive;
    uint32_t status = 0;
    for (uint32_t try = 0; try < DISK_TRIES; try++) {
        /* Made anew each time: a failing BIOS may write to it. */
        packet = (struct disk_packet){.size = sizeof(packet),
                                      .sectors = (uint16_t)sectors,
                                      .offset = bios_offset(buffer),
                                      .segment = bios_segment(buffer),
                                      .lba = lba};
        struct bios_registers registers = {
            .eax = 0x4200, .edx = drive, .esi = bios_offset(&packet), .ds = bios_segment(&packet)};
        bios_call(0x13, &registers);
        if (!(registers.eflags & BIOS_CARRY))
            return;
        status = registers.eax >> 8 & 0xFF;
        drive_reset(drive);
    }
    console_fail("the disk cannot be read at LBA %x (%s, BIOS status %x).", lba, name, status);
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
