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

#define FRAMEBUFFER_RGB       1
#define TAG_FRAMEBUFFER_BYTES 38 /* with the colours of an RGB mode, without padding */

/* The first tag at or behind an offset, which is moved to behind it; NULL at the end. A tag that
 * does not lie within what the loader says is the size of all ends them. */
static const struct tag *next_tag(uint32_t information, uint32_t *offset)
{
    uint32_t total = *(const uint32_t *)start_pointer(information);
    uint32_t left = *offset < total ? total - *offset : 0, padding;
    const struct tag *tag = start_pointer(information + *offset);
    if (left < sizeof(*tag) || tag->type == TAG_END || tag->bytes < sizeof(*tag) ||
        tag->bytes > left)
        return NULL;
    padding = -tag->bytes % 8;
    *offset += left - tag->bytes < padding ? left : tag->bytes + padding;
    return tag;
}

/* The first tag of a type; NULL if there is none, or if it is shorter than that type is. */
static const void *find_tag(uint32_t information, enum tag_type type, size_t bytes)
{
    const struct tag *tag;
    for (uint32_t offset = 8; (tag = next_tag(information, &offset)) != NULL;)
        if (tag->type == type)
            return tag->bytes >= bytes ? tag : NULL;
    return NULL;
}

static uint32_t count_tags(uint32_t information, enum tag_type type)
{
    const struct tag *tag;
    uint32_t count = 0;
    for (uint32_t offset = 8; (tag = next_tag(information, &offset)) != NULL;)
        count += tag->type == type;
    return count;
}

/* The text of such a tag, if its last byte ends it. */
static const char *find_text(uint32_t information, enum tag_type type)
{
    const struct tag_text *found = find_tag(information, type, sizeof(*found) + 1);
    if (found == NULL || found->text[found->tag.bytes - sizeof(*found) - 1] != '\0')
        return NULL;
    return found->text;
}

static void read_map(struct e820_copy *map, const struct tag_map *tag)
{
    if (tag->entry_bytes < sizeof(struct map_entry) || tag->entry_bytes % 8 != 0)
        return;
    for (uint32_t offset = sizeof(*tag);
         offset <= tag->tag.bytes && tag->tag.bytes - offset >= tag->entry_bytes;
         offset += tag->entry_bytes) {
        const struct map_entry *entry =
            (const struct map_entry *)((const unsigned char *)tag + offset);
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
    const char *line = find_text(information, TAG_COMMAND_LINE);
    const char *loader = find_text(information, TAG_LOADER_NAME);
    const struct tag_map *map = find_tag(information, TAG_MAP, sizeof(*map));
    const struct tag_basic_memory *basic = find_tag(information, TAG_BASIC_MEMORY, sizeof(*basic));
    const struct tag_module *module = find_tag(information, TAG_MODULE, sizeof(*module));
    const struct tag_framebuffer *framebuffer =
        find_tag(information, TAG_FRAMEBUFFER, TAG_FRAMEBUFFER_BYTES);

    bootinfo->loader = BOOTINFO_MULTIBOOT2;
    if (line != NULL)
        multiboot_set_command_line(bootinfo, line, loader != NULL ? loader : "");
    if (map != NULL)
        read_map(&multiboot->map, map);
    if (multiboot->map.count == 0 && basic != NULL)
        multiboot_add_basic(&multiboot->map, basic->lower_kib, basic->upper_kib);
    if (module != NULL) {
        multiboot->modules = count_tags(information, TAG_MODULE);
        multiboot->archive_start = module->start;
        multiboot->archive_end = module->end;
    }
    if (framebuffer != NULL)
        read_framebuffer(&bootinfo->framebuffer, framebuffer);
}
