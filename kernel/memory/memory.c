#include "kernel/memory/memory.h"

const struct memory_row memory_rows[MEMORY_ROW_COUNT] = {
#define MEMORY_ROW(identifier, text) {text, MAP_##identifier##_START, MAP_##identifier##_END},
    MEMORY_ROWS(MEMORY_ROW)
#undef MEMORY_ROW
};

#define MEMORY_ROW_ASCENDS(identifier, text)                                                       \
    _Static_assert(MAP_##identifier##_START < MAP_##identifier##_END, "rows ascend and touch");    \
    _Static_assert(MAP_##identifier##_START % 1024 == 0, "rows are aligned");
MEMORY_ROWS(MEMORY_ROW_ASCENDS)
#undef MEMORY_ROW_ASCENDS

_Static_assert(MAP_NULL_START == 0 && MAP_TOP_END == 1ull << 32,
               "the rows cover the address space");

const struct memory_row *memory_row_of(uint32_t address)
{
    const struct memory_row *row = memory_rows;
    while (address >= row->end)
        row++;
    return row;
}
