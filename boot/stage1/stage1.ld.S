#include "boot/image.h"
#include "kernel/memory/memory.h"

OUTPUT_FORMAT("elf32-i386")
ENTRY(start)
SECTIONS
{
    . = MAP_STAGE1_START;
    .text : { *(.text) }
    ASSERT(SIZEOF(.text) == STAGE1_BYTES, "stage 1 is one sector")
    /DISCARD/ : { *(*) }
}
