#include "kernel/start/start.h"

/* Multiboot 2.0, 3.6: a size, then tags on 8-byte boundaries up to an end tag. */
enum tag_type {
    TAG_END = 0,
    TAG_COMMAND_LINE = 1,
    TAG_LOADER_NAME = 2,
    TAG_MODULE = 3,
    TAG_BASIC_MEMORY = 4,
    TAG_MAP = 6,
    TAG_FRAMEBUFFER = 8
};

struct tag {
    uint32_t type;
    uint32_t bytes; /* with these two, without padding */
};

struct tag_text {
    struct tag tag;
    char text[];
};

struct tag_module {
    struct tag tag;
    uint32_t start, end;
};

struct tag_basic_memory {
    struct tag tag;
    uint32_t lower_kib, upper_kib;
};

struct tag_map {
    struct tag tag;
    uint32_t entry_bytes, entry_version;
};

struct map_entry {
    uint64_t base, length;
    uint32_t type, reserved;
};

struct tag_framebuffer {
    struct tag tag;
    uint64_t address;
    uint32_t pitch, width, height;
    uint8_t bits, kind;
    uint16_t reserved;
    uint8_t red_shift, red_bits, green_shift, green_bits, blue_shift, blue_bits;
};

#define FRAMEBUFFER_RGB 1

/* The tag of a type that has `skip` of them before it; NULL if there is none. Bounded by what the
 * loader says is its size. */
static const void *find_next_tag(uint32_t information, enum tag_type type, uint32_t skip)
{
    uint32_t total = *(const uint32_t *)information;
    for (uint32_t offset = 8; offset < total && total - offset >= sizeof(struct tag);) {
        const struct tag *tag = (const struct tag *)(information + offset);
        if (tag->type == type && skip-- == 0)
            return tag;
        if (tag->type == TAG_END || tag->bytes < sizeof(struct tag) || tag->bytes > total - offset)
            return NULL;
        offset += (tag->bytes + 7) / 8 * 8;
    }
    return NULL;
}

static const void *find_tag(uint32_t information, enum tag_type type)
{
    return find_next_tag(information, type, 0);
}

static void read_map(struct e820_copy *map, const struct tag_map *tag)
{
    uint32_t start = (uint32_t)tag;
    if (tag->entry_bytes < sizeof(struct map_entry))
        return;
    for (uint32_t offset = sizeof(*tag);
         offset <= tag->tag.bytes && tag->tag.bytes - offset >= tag->entry_bytes;
         offset += tag->entry_bytes) {
        const struct map_entry *entry = (const struct map_entry *)(start + offset);
        multiboot_add_entry(map, entry->base, entry->length, entry->type);
    }
}

static void read_framebuffer(struct bootinfo_framebuffer *to, const struct tag_framebuffer *from)
{
    if (from->kind != FRAMEBUFFER_RGB || from->bits != 32 || from->width > UINT16_MAX ||
        from->height > UINT16_MAX)
        return;
    *to = (struct bootinfo_framebuffer){
        .address = from->address,
        .pitch = from->pitch,
        .width = (uint16_t)from->width,
        .height = (uint16_t)from->height,
        .bits = from->bits,
        .red_shift = from->red_shift,
        .green_shift = from->green_shift,
        .blue_shift = from->blue_shift,
    };
}

void multiboot2_read(struct multiboot *multiboot, uint32_t information)
{
    struct bootinfo *bootinfo = multiboot->bootinfo;
    const struct tag_text *line = find_tag(information, TAG_COMMAND_LINE);
    const struct tag_text *loader = find_tag(information, TAG_LOADER_NAME);
    const struct tag_map *map = find_tag(information, TAG_MAP);
    const struct tag_basic_memory *basic = find_tag(information, TAG_BASIC_MEMORY);
    const struct tag_module *module = find_tag(information, TAG_MODULE);
    const struct tag_framebuffer *framebuffer = find_tag(information, TAG_FRAMEBUFFER);

    bootinfo->loader = BOOTINFO_MULTIBOOT2;
    if (line != NULL)
        multiboot_set_command_line(bootinfo, line->text, loader != NULL ? loader->text : "");
    if (map != NULL)
        read_map(&multiboot->map, map);
    if (multiboot->map.count == 0 && basic != NULL)
        multiboot_add_basic(&multiboot->map, basic->lower_kib, basic->upper_kib);
    if (module != NULL) {
        while (find_next_tag(information, TAG_MODULE, multiboot->modules) != NULL)
            multiboot->modules++;
        multiboot->archive_start = module->start;
        multiboot->archive_end = module->end;
    }
    if (framebuffer != NULL)
        read_framebuffer(&bootinfo->framebuffer, framebuffer);
}
