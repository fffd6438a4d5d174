#ifndef KERNEL_DEBUG_SYMBOLS_SYMBOLS_H
#define KERNEL_DEBUG_SYMBOLS_SYMBOLS_H

#include "kernel/include/types.h"

/*
 * Names of the kernel's functions. tools/symbols.py makes the table from a first link; it lies
 * behind the text, which therefore has the same addresses in the second.
 */
struct symbol {
    const char *name; /* NULL: none lies at or below the address, or it is not in the text */
    uint32_t offset;  /* of the address from the symbol's start */
};

/* O(log n), from anywhere. */
struct symbol symbols_find(uint32_t address);

/* "name+0x12", or "0x00123456" where there is no name, in the buffer; returns the buffer. */
const char *symbols_describe(uint32_t address, char *buffer, size_t size);

/* The same for a return address, which may lie behind its function's last instruction; nothing
 * where there is no name. What %pS of kernel/lib/format.h asks. */
void symbols_name_caller(uintptr_t address, char *name, size_t size);

#endif
