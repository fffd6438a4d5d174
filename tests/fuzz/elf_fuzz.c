/*
 * Any bytes as an ELF file. A plan that is accepted lies in its room and in the file, with segments
 * that ascend and share no page, nothing writable and executable; what is refused has a sentence
 * once it is ELF at all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/include/errors.h"
#include "kernel/process/elf.h"
#include "tests/fuzz/fuzz.h"

#define PAGE 4096u

static void require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void check_segments(const struct elf_image *image, uint64_t file_bytes, struct elf_room room)
{
    uint64_t end = room.start;
    require(image->segment_count >= 1 && image->segment_count <= ELF_SEGMENTS_MAX, "how many");
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        uint64_t start = segment->address & ~(PAGE - 1);
        require(start >= end, "below the one before, or outside of the room");
        end =
            ((uint64_t)segment->address + segment->memory_bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
        require(end <= room.end, "beyond the room");
        require(segment->file_bytes <= segment->memory_bytes, "more in the file");
        require((uint64_t)segment->offset + segment->file_bytes <= file_bytes, "beyond the file");
        require((segment->offset ^ segment->address) % PAGE == 0, "not congruent");
        require((segment->rights & (ELF_WRITE | ELF_EXECUTE)) != (ELF_WRITE | ELF_EXECUTE),
                "W and X");
    }
    require(elf_image_end(image) == end, "another end");
}

static void check_rest(const struct elf_image *image, uint64_t file_bytes, struct elf_room room)
{
    require(image->interpreter_bytes <= ELF_PATH_MAX, "a long name");
    require((uint64_t)image->interpreter_offset + image->interpreter_bytes <= file_bytes,
            "a name beyond the file");
    require(image->header_count <= ELF_HEADERS_MAX, "many headers");
    require(image->header_address == 0 ||
                (image->header_address >= room.start &&
                 image->header_address + image->header_count * ELF_HEADER_SIZE <= room.end),
            "headers outside");
}

static void plan(const uint8_t *data, size_t size, const struct elf_headers *headers,
                 struct elf_room room)
{
    struct elf_image image;
    uint64_t table_end = (uint64_t)headers->offset + headers->count * ELF_HEADER_SIZE;
    if (table_end > size)
        return;
    uint8_t *table = malloc(headers->count * ELF_HEADER_SIZE);
    memcpy(table, data + headers->offset, headers->count * ELF_HEADER_SIZE);
    int error = elf_plan(data, table, size, room, &image);
    free(table);
    require(error == 0 || (error == -ENOEXEC && image.refusal != NULL && *image.refusal),
            "an error");
    if (error != 0)
        return;
    check_segments(&image, size, room);
    check_rest(&image, size, room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct elf_room rooms[] = {{0x10000000, 0x20000000}, {0x20000000, 0x30000000}};
    struct elf_headers headers;
    const char *refusal;
    if (size < ELF_HEADER_BYTES || elf_read_header(data, &headers, &refusal) != 0)
        return 0;
    for (unsigned i = 0; i < ARRAY_COUNT(rooms); i++)
        plan(data, size, &headers, rooms[i]);
    return 0;
}
