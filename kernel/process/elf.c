#include "kernel/process/elf.h"

#include "kernel/include/errors.h"
#include "kernel/lib/string.h"

#define PAGE                4096u

#define CLASS_32            1
#define DATA_LITTLE         1
#define VERSION             1
#define TYPE_FIXED          2
#define TYPE_MOVABLE        3
#define MACHINE_386         3

#define SEGMENT_LOAD        1u
#define SEGMENT_INTERPRETER 3u

static uint32_t word(const uint8_t *bytes, uint32_t offset)
{
    uint32_t value;
    memcpy(&value, bytes + offset, sizeof(value));
    return value;
}

static uint16_t half(const uint8_t *bytes, uint32_t offset)
{
    return (uint16_t)(bytes[offset] | bytes[offset + 1] << 8);
}

struct program_header {
    uint32_t type, offset, address, file_bytes, memory_bytes, flags;
};

static struct program_header program_header(const uint8_t *headers, uint32_t index)
{
    const uint8_t *at = headers + index * ELF_HEADER_SIZE;
    return (struct program_header){.type = word(at, 0),
                                   .offset = word(at, 4),
                                   .address = word(at, 8),
                                   .file_bytes = word(at, 16),
                                   .memory_bytes = word(at, 20),
                                   .flags = word(at, 24)};
}

static int refuse(const char **refusal, const char *sentence)
{
    *refusal = sentence;
    return -ENOEXEC;
}

int elf_read_header(const uint8_t *bytes, struct elf_headers *headers, const char **refusal)
{
    static const uint8_t magic[4] = {0x7F, 'E', 'L', 'F'};
    *refusal = NULL;
    if (memcmp(bytes, magic, sizeof(magic)) != 0)
        return -ENOEXEC;
    if (bytes[4] != CLASS_32 || bytes[5] != DATA_LITTLE || half(bytes, 18) != MACHINE_386)
        return refuse(refusal, "it is not for a 32-bit x86");
    if (half(bytes, 16) != TYPE_FIXED && half(bytes, 16) != TYPE_MOVABLE)
        return refuse(refusal, "it is an object file or a core, and no program");
    headers->offset = word(bytes, 28);
    headers->count = half(bytes, 44);
    if (half(bytes, 42) != ELF_HEADER_SIZE || headers->count == 0 ||
        headers->count > ELF_HEADERS_MAX)
        return refuse(refusal, "its program headers make no sense");
    return 0;
}

/* The lowest page and the end of what is to be loaded; 64-bit, so that nothing wraps. */
struct extent {
    uint64_t start, end;
};

static struct extent measure(const uint8_t *headers, uint32_t count)
{
    struct extent extent = {UINT64_MAX, 0};
    for (uint32_t i = 0; i < count; i++) {
        struct program_header header = program_header(headers, i);
        if (header.type != SEGMENT_LOAD)
            continue;
        uint64_t start = header.address & ~(PAGE - 1);
        uint64_t end = (uint64_t)header.address + header.memory_bytes;
        extent.start = start < extent.start ? start : extent.start;
        extent.end = end > extent.end ? end : extent.end;
    }
    return extent;
}

static const char *check_extent(struct extent extent, struct elf_room room, enum elf_kind kind)
{
    if (extent.start >= extent.end)
        return "it has nothing to load";
    if (kind == ELF_MOVABLE)
        return extent.end - extent.start <= room.end - room.start ? NULL : "it is too large";
    if (extent.start < room.start || extent.end > room.end)
        return "it is linked at addresses that are not a program's here: relink it with "
               "-Wl,-Ttext-segment=0x10000000, or as a static PIE";
    return NULL;
}

static const char *add_segment(struct elf_image *image, const struct program_header *header,
                               uint64_t file_bytes, uint32_t bias)
{
    struct elf_segment segment = {.address = header->address + bias,
                                  .memory_bytes = header->memory_bytes,
                                  .file_bytes = header->file_bytes,
                                  .offset = header->offset,
                                  .rights = header->flags & (ELF_READ | ELF_WRITE | ELF_EXECUTE)};
    if (header->memory_bytes == 0 && header->file_bytes == 0)
        return NULL;
    if (header->file_bytes > header->memory_bytes)
        return "a segment has more bytes in the file than in memory";
    if ((uint64_t)header->offset + header->file_bytes > file_bytes)
        return "a segment lies beyond the end of the file";
    if ((header->address ^ header->offset) % PAGE != 0)
        return "a segment's address and offset are not congruent by page";
    if ((segment.rights & (ELF_WRITE | ELF_EXECUTE)) == (ELF_WRITE | ELF_EXECUTE))
        return "a segment is writable and executable";
    if (image->segment_count == ELF_SEGMENTS_MAX)
        return "it has too many segments";
    if (image->segment_count > 0) {
        const struct elf_segment *last = &image->segments[image->segment_count - 1];
        uint32_t end = (last->address + last->memory_bytes + PAGE - 1) & ~(PAGE - 1);
        if ((segment.address & ~(PAGE - 1)) < end)
            return "its segments overlap or do not ascend";
    }
    image->segments[image->segment_count++] = segment;
    return NULL;
}

/* Where the program finds its own headers, if they are among what is loaded. */
static uint32_t find_headers(const struct elf_image *image, struct elf_headers where)
{
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        if (where.offset >= segment->offset &&
            where.offset - segment->offset < segment->file_bytes &&
            segment->file_bytes - (where.offset - segment->offset) >= where.count * ELF_HEADER_SIZE)
            return segment->address + (where.offset - segment->offset);
    }
    return 0;
}

static const char *take_interpreter(struct elf_image *image, const struct program_header *header,
                                    uint64_t file_bytes)
{
    if (image->interpreter_bytes != 0 || header->file_bytes < 2 ||
        header->file_bytes > ELF_PATH_MAX ||
        (uint64_t)header->offset + header->file_bytes > file_bytes)
        return "its interpreter's name makes no sense";
    image->interpreter_offset = header->offset;
    image->interpreter_bytes = header->file_bytes;
    return NULL;
}

static const char *plan(const uint8_t *header, const uint8_t *headers, struct elf_headers where,
                        uint64_t file_bytes, struct elf_room room, struct elf_image *image)
{
    struct extent extent = measure(headers, where.count);
    image->kind = half(header, 16) == TYPE_MOVABLE ? ELF_MOVABLE : ELF_FIXED;
    const char *fault = check_extent(extent, room, image->kind);
    uint32_t bias = image->kind == ELF_MOVABLE ? room.start - (uint32_t)extent.start : 0;
    for (uint32_t i = 0; i < where.count && fault == NULL; i++) {
        struct program_header one = program_header(headers, i);
        if (one.type == SEGMENT_LOAD)
            fault = add_segment(image, &one, file_bytes, bias);
        else if (one.type == SEGMENT_INTERPRETER)
            fault = take_interpreter(image, &one, file_bytes);
    }
    if (fault != NULL)
        return fault;
    if (image->segment_count == 0)
        return "it has nothing to load";
    image->entry = word(header, 24) + bias;
    image->header_count = where.count;
    image->header_address = find_headers(image, where);
    return NULL;
}

int elf_plan(const uint8_t *header, const uint8_t *program_headers, uint64_t file_bytes,
             struct elf_room room, struct elf_image *image)
{
    struct elf_headers where;
    memset(image, 0, sizeof(*image));
    int error = elf_read_header(header, &where, &image->refusal);
    if (error != 0)
        return error;
    image->refusal = plan(header, program_headers, where, file_bytes, room, image);
    return image->refusal == NULL ? 0 : -ENOEXEC;
}

uint32_t elf_image_end(const struct elf_image *image)
{
    const struct elf_segment *last = &image->segments[image->segment_count - 1];
    return (last->address + last->memory_bytes + PAGE - 1) & ~(PAGE - 1);
}

uint32_t elf_image_start(const struct elf_image *image)
{
    return image->segments[0].address & ~(PAGE - 1);
}
