#include "boot/image.h"
#include "kernel/memory/memory.h"

OUTPUT_FORMAT("elf32-i386")
ENTRY(start)
SECTIONS
{
    . = MAP_STAGE2_START;
    .text : {
        *(.header)
        *(.text .text.*)
        *(.data .data.* .rodata .rodata.* .bss .bss.* COMMON)
        . = STAGE2_BYTES; /* the linker refuses to move backwards: too large is an error */
    }
    ASSERT(MAP_STAGE2_START + STAGE2_BYTES == MAP_STAGE2_END, "stage 2 fills its row")
    /DISCARD/ : { *(*) }
}
