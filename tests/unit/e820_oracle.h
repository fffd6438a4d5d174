#ifndef TESTS_UNIT_E820_ORACLE_H
#define TESTS_UNIT_E820_ORACLE_H

#include "kernel/memory/e820/e820.h"

/*
 * The rule of e820.h, applied to one page after the other without sorting, sweeping or rounding.
 * Shared by the host test and the fuzz target.
 */
#define ORACLE_NONE (-1)

/* The kind of page number `page`, below 2^52, or ORACLE_NONE. */
int e820_oracle_page(const struct e820_entry *entries, uint32_t count, uint64_t page);

/* What is wrong with *map as the regions of these entries, in words; NULL if nothing is. */
const char *e820_oracle_fault(const struct e820_map *map, const struct e820_entry *entries,
                              uint32_t count);

#endif
