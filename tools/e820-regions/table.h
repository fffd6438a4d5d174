#ifndef TOOLS_E820_REGIONS_TABLE_H
#define TOOLS_E820_REGIONS_TABLE_H

#include "kernel/include/bootinfo.h"

/*
 * Reads a firmware memory map from text, in one of two forms.
 *
 * A table has an entry a line, `base length type attr`, base and length in hexadecimal (0x may
 * precede), type and attr in decimal; empty lines are skipped, # starts a remark.
 *
 * A kernel log is any text with a `BIOS-e820:` in a line that is not a remark; its other lines are
 * skipped. What precedes `BIOS-e820:` (a time, a host name) does not matter. Linux has printed:
 *     BIOS-e820: 000000000009f800 @ 0000000000000000 (usable)           size @ base: 2.4.0 to 2.4.2
 *     BIOS-e820: 0000000000000000 - 000000000009fc00 (usable)           half-open: to 3.4
 *     BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable     last byte: since 3.5
 *     BIOS-e820: [gap 0x00000000000a0000-0x00000000000effff]            no entry: recent ones
 * Kinds stand with or without parentheses; a size in words may precede them. Such entries have
 * attribute 1: Linux prints none. A kind that is not known is an error, not a guess.
 */
struct table {
    uint32_t count;
    struct e820_entry entries[E820_ENTRIES_MAX];
};

/* text is NULL where all went well; line is 0 where the fault is not in one line. */
struct table_error {
    unsigned line; /* the first is 1 */
    const char *text;
};

/* Fills *table from `bytes` characters of text, which need no closing zero and may hold any byte.
 * O(bytes). After an error *table holds the entries before it. */
struct table_error table_parse(struct table *table, const char *text, size_t bytes) MUST_CHECK;

#endif
