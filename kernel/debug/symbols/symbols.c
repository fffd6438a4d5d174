#include "kernel/debug/symbols/symbols.h"

#include "kernel/lib/format.h"

/* The table that tools/symbols.py makes. */
extern const uint32_t symbol_count;
extern const uint32_t symbol_addresses[];
extern const uint32_t symbol_offsets[];
extern const char symbol_names[];

extern const char image_text_start[], image_text_end[];

/* How many symbols lie at or below the address. */
static uint32_t count_up_to(uint32_t address)
{
    uint32_t low = 0;
    uint32_t high = symbol_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (symbol_addresses[middle] <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct symbol symbols_find(uint32_t address)
{
    struct symbol none = {NULL, 0};
    if (address < (uint32_t)image_text_start || address >= (uint32_t)image_text_end)
        return none;
    uint32_t below = count_up_to(address);
    if (below == 0)
        return none;
    return (struct symbol){symbol_names + symbol_offsets[below - 1],
                           address - symbol_addresses[below - 1]};
}

const char *symbols_describe(uint32_t address, char *buffer, size_t size)
{
    struct symbol symbol = symbols_find(address);
    if (symbol.name == NULL)
        format_text(buffer, size, "0x%08x", address);
    else
        format_text(buffer, size, "%s+0x%x", symbol.name, symbol.offset);
    return buffer;
}

void symbols_name_caller(uintptr_t address, char *name, size_t size)
{
    struct symbol symbol = symbols_find(address - 1);
    if (symbol.name != NULL)
        format_text(name, size, "%s+0x%x", symbol.name, symbol.offset + 1);
}
