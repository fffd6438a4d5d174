/*
 * Makes 1 to 128 entries from the fuzzer's bytes, resolves them and compares with the oracle. The
 * encoding is compact, so that small changes of the input move edges against each other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/memory/e820/e820.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/e820_oracle.h"

/* How a control byte says what the base and the length are made from. */
enum { NUMBER_RAW, NUMBER_SMALL, NUMBER_NEAR_END, NUMBER_NEAR_POWER };

static uint64_t take_base(struct fuzz_bytes *bytes, unsigned form, uint64_t previous_end)
{
    switch (form) {
    case NUMBER_RAW:
        return fuzz_take(bytes, 8);
    case NUMBER_SMALL:
        return fuzz_take(bytes, 2) << 8;
    case NUMBER_NEAR_END:
        return previous_end + fuzz_take(bytes, 1) - 0x80;
    default:
        return (1ull << fuzz_take(bytes, 1) % 64) + fuzz_take(bytes, 1) - 0x80;
    }
}

static uint64_t take_length(struct fuzz_bytes *bytes, unsigned form)
{
    switch (form) {
    case NUMBER_RAW:
        return fuzz_take(bytes, 8);
    case NUMBER_SMALL:
        return fuzz_take(bytes, 2) << 12;
    case NUMBER_NEAR_END:
        return fuzz_take(bytes, 2);
    default:
        return (1ull << fuzz_take(bytes, 1) % 64) + fuzz_take(bytes, 1) - 0x80;
    }
}

/* The control byte: bits 0 to 3 what it is, 4 and 5 the base, 6 and 7 the length. */
static struct e820_entry take_entry(struct fuzz_bytes *bytes, uint64_t previous_end)
{
    static const uint32_t types[] = {1, 1, 1, 1, 2, 3, 4, 5, 1, 2, 5, 0, 7, 20};
    unsigned control = (unsigned)fuzz_take(bytes, 1);
    unsigned what = control % 16;
    struct e820_entry entry;
    entry.type = what < ARRAY_COUNT(types) ? types[what] : (uint32_t)fuzz_take(bytes, 4);
    entry.attributes = what == 8 || what == 9 || what == 15 ? (uint32_t)fuzz_take(bytes, 1) : 1;
    entry.base = take_base(bytes, control / 16 % 4, previous_end);
    entry.length = take_length(bytes, control / 64);
    return entry;
}

static void fail(const char *fault, const struct e820_entry *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        fprintf(stderr, "%016llx %016llx %u %u\n", (unsigned long long)entries[i].base,
                (unsigned long long)entries[i].length, entries[i].type, entries[i].attributes);
    fprintf(stderr, "%s\n", fault);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct e820_map map;
    struct e820_entry entries[E820_ENTRIES_MAX];
    struct fuzz_bytes bytes = {data, size};
    uint64_t previous_end = 0;
    uint32_t count = 0;
    while (bytes.left > 0 && count < E820_ENTRIES_MAX) {
        entries[count] = take_entry(&bytes, previous_end);
        previous_end = entries[count].base + entries[count].length;
        count++;
    }
    if (count == 0)
        return 0;
    memset(&map, 0xA5, sizeof(map));
    if (e820_resolve(&map, entries, count) != 0)
        fail("refused", entries, count);
    const char *fault = e820_oracle_fault(&map, entries, count);
    if (fault != NULL)
        fail(fault, entries, count);
    return 0;
}
