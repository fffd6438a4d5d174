#include "boot/entry/bios.h"
#include "kernel/memory/memory.h"

typedef void bios_gate(uint32_t interrupt, struct bios_registers *registers);

struct loader_header *loader_header(void)
{
    return memory_at(MAP_STAGE2_START);
}

void bios_call(uint8_t interrupt, struct bios_registers *registers)
{
    bios_gate *gate = (bios_gate *)(uintptr_t)loader_header()->bios_call;
    gate(interrupt, registers);
}
