/*
 * Any text for the parser of e820-regions. What it accepts must be what a table with the same
 * entries says; what it refuses must have a line of the text, or none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tools/e820-regions/table.h"

#define LINE_MAX_BYTES 64 /* two numbers of 16 digits, two of 10, four ends */

static struct table table, again;

static void require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static unsigned count_lines(const uint8_t *data, size_t size)
{
    unsigned lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    return lines;
}

static void check_round_trip(void)
{
    static char text[E820_ENTRIES_MAX * LINE_MAX_BYTES];
    size_t bytes = 0;
    for (uint32_t i = 0; i < table.count; i++) {
        const struct e820_entry *entry = &table.entries[i];
        bytes +=
            (size_t)snprintf(text + bytes, sizeof(text) - bytes, "%llx %llx %u %u\n",
                             (unsigned long long)entry->base, (unsigned long long)entry->length,
                             entry->type, entry->attributes);
    }
    struct table_error error = table_parse(&again, text, bytes);
    require(error.text == NULL, "what was accepted is refused as a table");
    require(again.count == table.count, "another number of entries");
    require(memcmp(again.entries, table.entries, table.count * sizeof(table.entries[0])) == 0,
            "other entries");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct table_error error = table_parse(&table, (const char *)data, size);
    require(table.count <= E820_ENTRIES_MAX, "more entries than fit");
    require(error.line <= count_lines(data, size), "no such line");
    require(error.text == NULL || strlen(error.text) > 0, "an empty sentence");
    if (error.text == NULL) {
        require(table.count > 0 && error.line == 0, "success without entries");
        check_round_trip();
    }
    return 0;
}
