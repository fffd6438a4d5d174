#include "kernel/include/bootinfo.h"
#include "kernel/include/types.h"
#include "kernel/lib/string.h"
#include "kernel/memory/memory.h"

/*
 * A Multiboot loader for tests, itself started by one (QEMU's -kernel), that puts what it passes to
 * the kernel where a loader may put it and none that is at hand does: across the rows that the
 * kernel writes first, right behind its image, anywhere unaligned. Its modules are the kernel and
 * an archive; its command line is "FILE where=low|image|high protocol=KIND REST", where KIND is 1,
 * 2, or what is refused: n (1 without a map), 0 (no protocol), b (another build's loader). REST is
 * the kernel's command line.
 */
#define MULTIBOOT1_MAGIC    0x2BADB002
#define MULTIBOOT2_MAGIC    0x36D76289
#define PROGRAM_LOAD        1u
#define LOADER_NAME         "GRUB 2, or so it says"
#define ENTRY_EXTRA_BYTES   4u /* entries are longer than they have to be */
#define LOW_PIECES          (MAP_BOOTINFO_START + 1)
#define LOW_ARCHIVE         (MAP_E820_START + 1)
#define HIGH_ARCHIVE        (MAP_HEAP_START + 0x1001)
#define HIGH_BYTES_FROM_TOP 0x100001

void stager_main(const uint32_t *given);
_Noreturn void stager_enter(uint32_t magic, uint32_t information, uint32_t entry);

struct module {
    uint32_t start, end, text, reserved;
};

struct elf_header {
    uint8_t identity[16];
    uint16_t type, machine;
    uint32_t version, entry, program_headers, section_headers, flags;
    uint16_t header_bytes, program_header_bytes, program_header_count;
};

struct elf_program_header {
    uint32_t type, offset, virtual, physical, file_bytes, memory_bytes;
};

/* Where in the information's words things are (Multiboot 0.6.96, 3.3). */
enum { FLAGS, UPPER_KIB = 2, LINE = 4, MODULE_COUNT, MODULES, MAP_BYTES = 11, MAP, NAME = 16 };

static uint32_t cursor;

static void *put(const void *bytes, uint32_t count)
{
    void *at = (void *)cursor;
    memcpy(at, bytes, count);
    cursor += count;
    return at;
}

/* Places the kernel; the end of its memory. */
static uint32_t load(const uint8_t *file)
{
    const struct elf_header *header = (const struct elf_header *)file;
    uint32_t end = 0;
    for (unsigned i = 0; i < header->program_header_count; i++) {
        const struct elf_program_header *part =
            (const void *)(file + header->program_headers + i * header->program_header_bytes);
        if (part->type != PROGRAM_LOAD)
            continue;
        memset((void *)part->physical, 0, part->memory_bytes);
        memcpy((void *)part->physical, file + part->offset, part->file_bytes);
        if (part->physical + part->memory_bytes > end)
            end = part->physical + part->memory_bytes;
    }
    return end;
}

/* The same entries as given, each followed by bytes that mean nothing. */
static uint32_t copy_map(const uint8_t *map, uint32_t bytes, bool with_size)
{
    uint32_t start = cursor;
    for (uint32_t offset = 0; offset < bytes;) {
        uint32_t entry_bytes;
        memcpy(&entry_bytes, map + offset, 4);
        uint32_t longer = entry_bytes + ENTRY_EXTRA_BYTES;
        if (with_size)
            put(&longer, 4);
        put(map + offset + 4, entry_bytes);
        put("junk", ENTRY_EXTRA_BYTES);
        offset += entry_bytes + 4;
    }
    return start;
}

static uint32_t pass1(const uint32_t *given, const char *line, struct module archive)
{
    uint32_t words[29] = {0};
    words[FLAGS] = 1u << 2 | 1u << 3 | 1u << 6 | 1u << 9;
    words[LINE] = (uint32_t)put(line, strlen(line) + 1);
    words[NAME] = (uint32_t)put(LOADER_NAME, sizeof(LOADER_NAME));
    words[MODULE_COUNT] = 1;
    words[MODULES] = (uint32_t)put(&archive, sizeof(archive));
    words[MAP] = copy_map((const uint8_t *)given[MAP], given[MAP_BYTES], true);
    words[MAP_BYTES] = cursor - words[MAP];
    return (uint32_t)put(words, sizeof(words));
}

static void start_tag(uint32_t type, uint32_t bytes)
{
    cursor = (cursor + 7) & ~7u;
    put(&type, 4);
    bytes += 8;
    put(&bytes, 4);
}

static uint32_t pass2(const uint32_t *given, const char *line, struct module archive)
{
    const uint32_t entry_bytes[2] = {20 + ENTRY_EXTRA_BYTES, 0};
    cursor = (cursor + 7) & ~7u;
    uint32_t *information = put("ssssrrrr", 8);
    start_tag(2, sizeof(LOADER_NAME));
    put(LOADER_NAME, sizeof(LOADER_NAME));
    start_tag(1, strlen(line) + 1);
    put(line, strlen(line) + 1);
    start_tag(3, 8);
    put(&archive, 8);
    start_tag(6, 0);
    uint32_t *map_bytes = (uint32_t *)(cursor - 4);
    put(entry_bytes, 8);
    copy_map((const uint8_t *)given[MAP], given[MAP_BYTES], false);
    *map_bytes = cursor - (uint32_t)map_bytes + 4;
    start_tag(0, 0);
    *information = cursor - (uint32_t)information;
    return (uint32_t)information;
}

/* The word's value if the line has it here; moves on behind it. */
static char take_word(const char **line, const char *name)
{
    char value = '\0';
    if (strncmp(*line, name, strlen(name)) == 0)
        value = (*line)[strlen(name)];
    while (**line != '\0' && **line != ' ')
        (*line)++;
    while (**line == ' ')
        (*line)++;
    return value;
}

void stager_main(const uint32_t *given)
{
    static const uint32_t nothing[29];
    const struct module *modules = (const struct module *)given[MODULES];
    const char *line = (const char *)given[LINE];
    take_word(&line, "");
    char where = take_word(&line, "where=");
    char protocol = take_word(&line, "protocol=");
    uint32_t image_end = load((const uint8_t *)modules[0].start);
    uint32_t entry = ((const struct elf_header *)modules[0].start)->entry;
    uint32_t archive_bytes = modules[1].end - modules[1].start;

    cursor = where == 'l' ? LOW_ARCHIVE : where == 'i' ? image_end + 1 : HIGH_ARCHIVE;
    struct module archive = {.start = (uint32_t)put((const void *)modules[1].start, archive_bytes)};
    archive.end = cursor;
    archive.text = (uint32_t)put("archive", 8);
    if (where == 'l')
        cursor = LOW_PIECES;
    else if (where == 'h')
        cursor = MAP_IMAGE_START + given[UPPER_KIB] * 1024 - HIGH_BYTES_FROM_TOP;
    if (protocol == '0')
        stager_enter(0, 0, entry);
    if (protocol == 'b')
        stager_enter(BOOTINFO_MAGIC, (uint32_t)put("another build", 16), entry);
    if (protocol == 'n')
        stager_enter(MULTIBOOT1_MAGIC, (uint32_t)put(nothing, sizeof(nothing)), entry);
    if (protocol == '2')
        stager_enter(MULTIBOOT2_MAGIC, pass2(given, line, archive), entry);
    stager_enter(MULTIBOOT1_MAGIC, pass1(given, line, archive), entry);
}
