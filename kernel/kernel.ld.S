/*
 * The kernel image, linked where it runs: physical = virtual, from MAP_IMAGE_START on.
 *
 *      text     R-X   loaders' headers first: they are searched near the start of the file
 *      rodata   R--   the symbol table last, so that its size moves no text
 *      data     RW-   with bss
 *      boot     RW-   start-up code, boot stack, provisional page tables: free after boot
 *
 * (The question marks keep the preprocessor from seeing the start of a comment.)
 */
#include "kernel/memory/memory.h"

OUTPUT_FORMAT(elf32-i386)
ENTRY(start)

PHDRS
{
    text PT_LOAD FLAGS(5);
    rodata PT_LOAD FLAGS(4);
    data PT_LOAD FLAGS(6);
    boot PT_LOAD FLAGS(6); /* its code runs while paging is off, or without rights */
}

SECTIONS
{
    . = MAP_IMAGE_START;

    .text : {
        image_text_start = .;
        KEEP(*(.multiboot))
        *(EXCLUDE_FILE(*kernel/start/?*.o) .text EXCLUDE_FILE(*kernel/start/?*.o) .text.*)
        . = ALIGN(4096);
        image_text_end = .;
    } :text

    .rodata : {
        image_rodata_start = .;
        *(EXCLUDE_FILE(*kernel/start/?*.o) .rodata EXCLUDE_FILE(*kernel/start/?*.o) .rodata.*)
        . = ALIGN(4);
        exception_table_start = .;
        KEEP(*(.exceptions))
        exception_table_end = .;
        selftests_start = .;
        KEEP(*(.selftests))
        selftests_end = .;
        constructors_start = .; /* sanitizer builds only */
        KEEP(*(.init_array .init_array.* .ctors .ctors.*))
        constructors_end = .;
        KEEP(*(.symbols))
        . = ALIGN(4096);
        image_rodata_end = .;
    } :rodata

    .data : {
        image_data_start = .;
        *(EXCLUDE_FILE(*kernel/start/?*.o) .data EXCLUDE_FILE(*kernel/start/?*.o) .data.*)
    } :data

    .bss (NOLOAD) : {
        *(EXCLUDE_FILE(*kernel/start/?*.o) .bss EXCLUDE_FILE(*kernel/start/?*.o) .bss.*)
        *(COMMON)
        . = ALIGN(4096);
        image_data_end = .;
    } :data

    .boot : {
        image_boot_start = .;
        *kernel/start/?*.o(.text .text.* .rodata .rodata.* .data .data.*)
    } :boot

    .boot.bss (NOLOAD) : {
        *kernel/start/?*.o(.bss .bss.*)
        . = ALIGN(4096);
        image_boot_end = .;
    } :boot

    /DISCARD/ : {
        *(.comment .note .note.* .eh_frame .eh_frame_hdr .fini_array .fini_array.* .dtors .dtors.*)
    }
}

ASSERT(image_boot_end <= MAP_IMAGE_END, "the kernel is larger than its row of the memory map")
