#include "kernel/memory/memory.h"

OUTPUT_FORMAT("elf32-i386")
ENTRY(start)
SECTIONS
{
    . = MAP_ENTRY_START;
    .text : {
        *(.start)
        *(.text .text.*)
        *(.rodata .rodata.*)
        *(.data .data.*)
        . = ALIGN(16);
    }
    .bss (NOLOAD) : {
        bss_start = .;
        *(.bss .bss.* COMMON)
        bss_end = .;
    }
    ASSERT(bss_end <= MAP_ENTRY_END, "the entry stub is too large for its row")
    /DISCARD/ : { *(.note.* .comment .eh_frame) }
}
