#include "boot/entry/memorymap.h"

#include "boot/entry/bios.h"
#include "boot/entry/console.h"
#include "kernel/lib/string.h"
#include "kernel/memory/memory.h"

#define SMAP           0x534D4150u
#define E820_RAM       1
#define E820_COUNTS    1u /* attribute bit 0: the entry is not to be ignored */
#define BYTES_EXTENDED 24 /* an entry with its attributes */

#define MEBIBYTE       0x100000u
#define SIXTEEN_MIB    0x1000000u

enum e820_outcome { E820_COMPLETE, E820_ABSENT, E820_SIGNATURE_LOST };

/*
 * The rules are those that real firmware taught: the buffer is cleared before each call (some
 * write 20 bytes and leave the rest), the carry is looked at before the signature (it ends some
 * lists, and then the signature is not there), a signature that is lost half-way makes all of it
 * worthless, the entry is kept before EBX says that it was the last, EBX is passed back as it
 * came, and the number of calls is bounded.
 */
static enum e820_outcome e820_read(struct e820_copy *copy)
{
    static struct e820_entry buffer;
    uint32_t continuation = 0;
    copy->count = 0;
    copy->source = E820_FROM_E820;
    do {
        memset(&buffer, 0, sizeof(buffer));
        struct bios_registers registers = {
            .eax = 0xE820,
            .ebx = continuation,
            .ecx = sizeof(buffer),
            .edx = SMAP,
            .edi = bios_offset(&buffer),
            .es = bios_segment(&buffer),
        };
        bios_call(0x15, &registers);
        if (registers.eflags & BIOS_CARRY)
            break;
        if (registers.eax != SMAP)
            return copy->count ? E820_SIGNATURE_LOST : E820_ABSENT;
        if (registers.ecx < BYTES_EXTENDED)
            buffer.attributes = E820_COUNTS;
        copy->entries[copy->count] = buffer;
        copy->returned_bytes[copy->count] = (uint8_t)(registers.ecx < 0xFF ? registers.ecx : 0xFF);
        copy->count++;
        continuation = registers.ebx;
    } while (continuation && copy->count < E820_ENTRIES_MAX);
    if (continuation && copy->count == E820_ENTRIES_MAX)
        console_say("the E820 list goes on after %u entries; the rest is left out.", copy->count);
    return copy->count ? E820_COMPLETE : E820_ABSENT;
}

/* Firmware that returns 24 bytes and sets bit 0 nowhere does not know the attributes: taken at its
 * word, it would have no memory at all. */
static void attributes_check(struct e820_copy *copy)
{
    for (uint32_t i = 0; i < copy->count; i++) {
        if (copy->returned_bytes[i] < BYTES_EXTENDED || copy->entries[i].attributes & E820_COUNTS)
            return;
    }
    for (uint32_t i = 0; i < copy->count; i++)
        copy->entries[i].attributes |= E820_COUNTS;
    console_say("the E820 entries have empty attributes; they are taken as not reported.");
}

static void add_ram(struct e820_copy *copy, uint32_t base, uint32_t bytes)
{
    if (!bytes)
        return;
    copy->entries[copy->count] = (struct e820_entry){
        .base = base, .length = bytes, .type = E820_RAM, .attributes = E820_COUNTS};
    copy->returned_bytes[copy->count] = 0;
    copy->count++;
}

/* Kibibytes from 1 to 16 MiB, and 64 KiB blocks above. Some firmware answers in CX and DX only. */
static bool e801_read(struct e820_copy *copy, uint32_t low_end)
{
    struct bios_registers registers = {.eax = 0xE801};
    bios_call(0x15, &registers);
    if (registers.eflags & BIOS_CARRY)
        return false;
    uint32_t kibibytes = registers.eax & 0xFFFF, blocks = registers.ebx & 0xFFFF;
    if (registers.ecx & 0xFFFF || registers.edx & 0xFFFF) {
        kibibytes = registers.ecx & 0xFFFF;
        blocks = registers.edx & 0xFFFF;
    }
    if (kibibytes > (SIXTEEN_MIB - MEBIBYTE) / 1024 || !(kibibytes | blocks))
        return false;
    copy->count = 0;
    copy->source = E820_FROM_E801;
    add_ram(copy, 0, low_end);
    add_ram(copy, MEBIBYTE, kibibytes * 1024);
    /* 0xFF00 blocks reach 4 GiB; what is above does not fit the entry, nor is it believed. */
    uint32_t blocks_max = (uint32_t)((((uint64_t)1 << 32) - SIXTEEN_MIB) >> 16) - 1;
    add_ram(copy, SIXTEEN_MIB, (blocks < blocks_max ? blocks : blocks_max) << 16);
    return true;
}

/* Kibibytes above 1 MiB, at most 64 MiB of them. */
static bool memory_88_read(struct e820_copy *copy, uint32_t low_end)
{
    struct bios_registers registers = {.eax = 0x8800};
    bios_call(0x15, &registers);
    uint32_t kibibytes = registers.eax & 0xFFFF;
    if (registers.eflags & BIOS_CARRY || !kibibytes)
        return false;
    copy->count = 0;
    copy->source = E820_FROM_88H;
    add_ram(copy, 0, low_end);
    add_ram(copy, MEBIBYTE, kibibytes * 1024);
    return true;
}

void memorymap_read(struct e820_copy *copy, struct e820_map *map, uint32_t low_end)
{
    memset(copy, 0, sizeof(*copy));
    switch (e820_read(copy)) {
    case E820_COMPLETE:
        attributes_check(copy);
        break;
    case E820_SIGNATURE_LOST:
        console_say("the E820 list breaks off without its signature; it is discarded.");
        /* fall through */
    case E820_ABSENT:
        memset(copy, 0, sizeof(*copy));
        if (e801_read(copy, low_end))
            console_say("the memory map is from interrupt 15h, E801.");
        else if (memory_88_read(copy, low_end))
            console_say("the memory map is from interrupt 15h, 88h.");
        else
            console_fail("the firmware gives no memory map.");
    }
    if (e820_resolve(map, copy->entries, copy->count))
        console_fail("the firmware's memory map cannot be understood.");
}
