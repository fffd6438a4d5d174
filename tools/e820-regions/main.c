/*
 * e820-regions FILE: what the kernel would make of a machine's memory map. Prints the regions, one
 * `start end kind` a line, half-open, in hexadecimal, and how much memory is usable.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/memory/e820/e820.h"
#include "tools/e820-regions/table.h"

#define TEXT_MAX (16u << 20) /* bytes: far beyond any kernel's log */

enum { STATUS_OK, STATUS_FAILED, STATUS_USAGE };

static const char usage[] =
    "usage: e820-regions FILE\n"
    "  FILE is a kernel log with `BIOS-e820:` lines, or a table with an entry a line,\n"
    "  `base length type attr` (hexadecimal, hexadecimal, decimal, decimal); - is standard input.\n"
    "  Prints `start end kind` for each region, then `usable BYTES`.\n";

struct text {
    char *start; /* malloc'd, or NULL */
    size_t bytes;
};

static int complain(const char *file, const char *text)
{
    fprintf(stderr, "e820-regions: %s: %s\n", file, text);
    return STATUS_FAILED;
}

/* All of it, or start is NULL and the reason was printed. The caller frees. */
static struct text read_stream(FILE *stream, const char *name)
{
    struct text text = {.start = malloc(TEXT_MAX + 1)};
    if (text.start == NULL) {
        complain(name, "out of memory");
        return text;
    }
    text.bytes = fread(text.start, 1, TEXT_MAX + 1, stream);
    if (!ferror(stream) && text.bytes <= TEXT_MAX)
        return text;
    complain(name, ferror(stream) ? strerror(errno) : "larger than 16 MiB");
    free(text.start);
    return (struct text){NULL, 0};
}

static struct text read_file(const char *name)
{
    if (strcmp(name, "-") == 0)
        return read_stream(stdin, "standard input");
    FILE *stream = fopen(name, "rb");
    if (stream == NULL) {
        complain(name, strerror(errno));
        return (struct text){NULL, 0};
    }
    struct text text = read_stream(stream, name);
    fclose(stream);
    return text;
}

static int report_error(const char *file, struct table_error error)
{
    if (error.line == 0)
        return complain(file, error.text);
    fprintf(stderr, "e820-regions: %s:%u: %s\n", file, error.line, error.text);
    return STATUS_FAILED;
}

static bool is_beyond_limit(const struct e820_entry *entry)
{
    if (entry->length == 0 || (entry->attributes & 1) == 0)
        return false;
    return entry->base >= E820_LIMIT || entry->length > E820_LIMIT - entry->base;
}

static void report_beyond(const char *file, const struct table *table, const struct e820_map *map)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < table->count; i++)
        count += is_beyond_limit(&table->entries[i]);
    if (count > 0)
        fprintf(stderr,
                "e820-regions: %s: left out what %u of %" PRIu32 " entries have at or above 64 GiB "
                "(0x%" PRIx64 "): %" PRIu64 " bytes of it are usable\n",
                file, count, table->count, E820_LIMIT, map->beyond_bytes);
}

static int print_map(const struct e820_map *map)
{
    for (uint32_t i = 0; i < map->count; i++)
        printf("%" PRIx64 " %" PRIx64 " %s\n", map->regions[i].start, map->regions[i].end,
               e820_kind_name(map->regions[i].kind));
    printf("usable %" PRIu64 "\n", map->usable_bytes);
    if (fflush(stdout) != 0)
        return complain("standard output", strerror(errno));
    return STATUS_OK;
}

static int run(const char *file)
{
    static struct table table;
    static struct e820_map map;
    struct text text = read_file(file);
    if (text.start == NULL)
        return STATUS_FAILED;
    const char *name = strcmp(file, "-") == 0 ? "standard input" : file;
    struct table_error error = table_parse(&table, text.start, text.bytes);
    free(text.start);
    if (error.text != NULL)
        return report_error(name, error);
    if (e820_resolve(&map, table.entries, table.count) != 0)
        return complain(name, "the number of entries is out of range");
    report_beyond(name, &table, &map);
    return print_map(&map);
}

int main(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)) {
        fputs(usage, stdout);
        return STATUS_OK;
    }
    if (argc != 2) {
        fputs(usage, stderr);
        return STATUS_USAGE;
    }
    return run(argv[1]);
}
