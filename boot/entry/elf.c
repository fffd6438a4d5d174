#include "boot/entry/elf.h"

#include "kernel/lib/string.h"

/* System V ABI, chapter 4 and 5; i386. */
struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version, entry, phoff, shoff, flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_program_header {
    uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

#define PT_LOAD    1
#define ET_EXEC    2
#define EM_386     3
#define EV_CURRENT 1

static bool is_header_good(const struct elf_header *header)
{
    static const uint8_t ident[7] = {0x7F, 'E', 'L',       'F',
                                     1,    1,   EV_CURRENT}; /* 32-bit, little-endian */
    return !memcmp(header->ident, ident, sizeof(ident)) && header->type == ET_EXEC &&
           header->machine == EM_386 && header->version == EV_CURRENT &&
           header->phentsize == sizeof(struct elf_program_header);
}

static bool has_overlap(const struct elf_plan *plan, uint32_t start, uint32_t end)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct elf_segment *other = &plan->segments[i];
        if (start < other->address + other->memory_bytes && other->address < end)
            return true;
    }
    return false;
}

/* All comparisons are made so that no sum can wrap. */
static const char *segment_add(struct elf_plan *plan, const struct elf_program_header *header,
                               uint32_t file_bytes, uint32_t row_start, uint32_t row_end)
{
    if (plan->count == ELF_SEGMENTS_MAX)
        return "has too many segments.";
    if (header->offset > file_bytes || header->filesz > file_bytes - header->offset)
        return "has a segment outside its file.";
    if (header->filesz > header->memsz)
        return "has a segment that is larger in its file than in memory.";
    if (header->paddr < row_start || header->paddr > row_end ||
        header->memsz > row_end - header->paddr)
        return "is too large for its row, or linked outside it.";
    uint32_t end = header->paddr + header->memsz;
    if (has_overlap(plan, header->paddr, end))
        return "has segments that overlap.";
    plan->segments[plan->count++] = (struct elf_segment){.file_offset = header->offset,
                                                         .file_bytes = header->filesz,
                                                         .address = header->paddr,
                                                         .memory_bytes = header->memsz};
    if (plan->start > header->paddr)
        plan->start = header->paddr;
    if (plan->end < end)
        plan->end = end;
    return NULL;
}

/* In a part that comes from the file. */
static bool is_entry_good(const struct elf_plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        if (plan->entry >= segment->address && plan->entry - segment->address < segment->file_bytes)
            return true;
    }
    return false;
}

const char *elf_plan(struct elf_plan *plan, const uint8_t *head, uint32_t head_bytes,
                     uint32_t file_bytes, uint32_t row_start, uint32_t row_end)
{
    struct elf_header header;
    *plan = (struct elf_plan){.start = row_end, .end = row_start};
    if (head_bytes < sizeof(header))
        return "is no ELF file: it is too short.";
    memcpy(&header, head, sizeof(header));
    if (!is_header_good(&header))
        return "is no ELF executable for i386.";
    if (header.phoff > head_bytes ||
        header.phnum > (head_bytes - header.phoff) / sizeof(struct elf_program_header))
        return "has its program headers too far from its start.";
    plan->entry = header.entry;
    for (uint32_t i = 0; i < header.phnum; i++) {
        struct elf_program_header program;
        memcpy(&program, head + header.phoff + i * sizeof(program), sizeof(program));
        if (program.type != PT_LOAD || !program.memsz)
            continue;
        const char *wrong = segment_add(plan, &program, file_bytes, row_start, row_end);
        if (wrong)
            return wrong;
    }
    return is_entry_good(plan) ? NULL : "has its entry outside its segments.";
}

void elf_clear(const struct elf_plan *plan, uint8_t *memory)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        memset(memory + (segment->address - plan->start) + segment->file_bytes, 0,
               segment->memory_bytes - segment->file_bytes);
    }
}

void elf_place(const struct elf_plan *plan, uint8_t *memory, const uint8_t *data, uint32_t position,
               uint32_t bytes)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        uint32_t start = segment->file_offset, end = segment->file_offset + segment->file_bytes;
        if (start < position)
            start = position;
        if (end > position + bytes)
            end = position + bytes;
        if (start < end)
            memcpy(memory + (segment->address - plan->start) + (start - segment->file_offset),
                   data + (start - position), end - start);
    }
}
