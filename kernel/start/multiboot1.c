#include "kernel/start/start.h"

/* Multiboot 0.6.96, 3.3: what EBX points at, which of it is there by bit of `flags`. */
#define HAS_MEMORY       (1u << 0)
#define HAS_COMMAND_LINE (1u << 2)
#define HAS_MODULES      (1u << 3)
#define HAS_MAP          (1u << 6)
#define HAS_LOADER_NAME  (1u << 9)
#define HAS_FRAMEBUFFER  (1u << 12)

struct multiboot1 {
    uint32_t flags;
    uint32_t lower_kib, upper_kib;
    uint32_t boot_device;
    uint32_t command_line;
    uint32_t module_count, modules;
    uint32_t symbols[4];
    uint32_t map_bytes, map;
    uint32_t drives_bytes, drives;
    uint32_t configuration;
    uint32_t loader_name;
    uint32_t apm;
    uint32_t vbe_control, vbe_mode_information;
    uint16_t vbe_mode, vbe_segment, vbe_offset, vbe_length;
    uint64_t framebuffer;
    uint32_t framebuffer_pitch, framebuffer_width, framebuffer_height;
    uint8_t framebuffer_bits, framebuffer_kind;
    uint8_t red_shift, red_bits, green_shift, green_bits, blue_shift, blue_bits;
} __attribute__((packed));

struct multiboot1_module {
    uint32_t start, end;
    uint32_t text;
    uint32_t reserved;
};

/* `bytes` does not count itself, and may be more than the fields that are known. */
struct multiboot1_entry {
    uint32_t bytes;
    uint64_t base, length;
    uint32_t type;
} __attribute__((packed));

#define ENTRY_BYTES     20
#define FRAMEBUFFER_RGB 1

static void read_map(struct e820_copy *map, uint32_t start, uint32_t bytes)
{
    const struct multiboot1_entry *entry;
    for (uint32_t offset = 0; bytes - offset >= sizeof(*entry);) {
        entry = start_pointer(start + offset);
        uint32_t room = bytes - offset - sizeof(entry->bytes);
        if (entry->bytes < ENTRY_BYTES || entry->bytes > room)
            return;
        multiboot_add_entry(map, entry->base, entry->length, entry->type);
        offset += sizeof(entry->bytes) + entry->bytes;
    }
}

static void read_framebuffer(struct bootinfo_framebuffer *to, const struct multiboot1 *from)
{
    if (from->framebuffer_kind != FRAMEBUFFER_RGB || from->framebuffer_bits != 32 ||
        from->framebuffer_width > UINT16_MAX || from->framebuffer_height > UINT16_MAX)
        return;
    *to = (struct bootinfo_framebuffer){
        .address = from->framebuffer,
        .pitch = from->framebuffer_pitch,
        .width = (uint16_t)from->framebuffer_width,
        .height = (uint16_t)from->framebuffer_height,
        .bits = from->framebuffer_bits,
        .red_shift = from->red_shift,
        .green_shift = from->green_shift,
        .blue_shift = from->blue_shift,
    };
}

void multiboot1_read(struct multiboot *multiboot, uint32_t information)
{
    const struct multiboot1 *given = start_pointer(information);
    struct bootinfo *bootinfo = multiboot->bootinfo;
    bootinfo->loader = BOOTINFO_MULTIBOOT1;
    if (given->flags & HAS_COMMAND_LINE)
        multiboot_set_command_line(
            bootinfo, start_pointer(given->command_line),
            given->flags & HAS_LOADER_NAME ? start_pointer(given->loader_name) : NULL);
    if (given->flags & HAS_MAP)
        read_map(&multiboot->map, given->map, given->map_bytes);
    if (multiboot->map.count == 0 && given->flags & HAS_MEMORY)
        multiboot_add_basic(&multiboot->map, given->lower_kib, given->upper_kib);
    if (given->flags & HAS_MODULES && given->module_count > 0) {
        const struct multiboot1_module *first = start_pointer(given->modules);
        multiboot->modules = given->module_count;
        multiboot->archive_start = first->start;
        multiboot->archive_end = first->end;
    }
    if (given->flags & HAS_FRAMEBUFFER)
        read_framebuffer(&bootinfo->framebuffer, given);
}
