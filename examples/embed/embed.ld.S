#include "kernel/memory/memory.h"
ENTRY(start)
PHDRS { text PT_LOAD FLAGS(5); rodata PT_LOAD FLAGS(4); data PT_LOAD FLAGS(6); }
SECTIONS {
    text = MAP_IMAGE_START;
    .text text : { KEEP(*(.multiboot)) *(.text .text.*) . = ALIGN(4096); rodata = .; } :text
    .rodata : { image = .; /* struct memory_image */
        LONG(text) LONG(rodata) LONG(rodata) LONG(data) LONG(data) LONG(boot) LONG(boot) LONG(end)
        *(.rodata .rodata.*) . = ALIGN(4096); data = .;
    } :rodata
    .data : { *(.data .data.*) } :data
    .bss : { *(.bss .bss.*) . = ALIGN(4096); boot = .; *(.boot) . = ALIGN(4096); end = .; } :data
    /DISCARD/ : { *(.comment .note .note.* .eh_frame) }
}
ASSERT(end <= MAP_IMAGE_END, "the image is larger than its row of the memory map")
