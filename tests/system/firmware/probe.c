#include <stdarg.h>

#include "boot/entry/crc32.h"
#include "kernel/include/bootinfo.h"
#include "kernel/memory/memory.h"

#define COM1       0x3F8
#define DEBUG_EXIT 0xF4
#define EXIT_DONE  0x10
#define ZEROS      300000

extern const uint32_t pattern[PATTERN_WORDS];
void probe_main(uint32_t magic, const struct bootinfo *bootinfo, uint32_t cr0, uint32_t eflags);

static volatile uint8_t zeros[ZEROS]; /* volatile: the compiler may not take it for granted */
static volatile uint32_t written = 0x12345678;

static void port_write(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t port_read(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void put(char character)
{
    while (!(port_read(COM1 + 5) & 0x20))
        ;
    port_write(COM1, (uint8_t)character);
}

static void put_text(const char *text)
{
    while (*text)
        put(*text++);
}

static void put_hex(uint64_t number)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        put("0123456789abcdef"[number >> shift & 15]);
}

static void say(const char *name, uint64_t number)
{
    put_text(name);
    put_text("=");
    put_hex(number);
    put_text("\r\n");
}

static uint32_t address_mask(void)
{
    volatile uint32_t *low = (volatile uint32_t *)(uintptr_t)&written;
    volatile uint32_t *high = (volatile uint32_t *)((uintptr_t)&written ^ 0x100000);
    uint32_t before = *high;
    *low = before + 1;
    return *high == before;
}

static void say_memory_map(void)
{
    const struct e820_copy *copy = (const struct e820_copy *)MAP_E820_START;
    say("source", copy->source);
    say("entries", copy->count);
    for (uint32_t i = 0; i < copy->count; i++) {
        const struct e820_entry *entry = &copy->entries[i];
        put_text("e820 ");
        put_hex(entry->base);
        put_text(" ");
        put_hex(entry->length);
        put_text(" ");
        put_hex((uint64_t)entry->type << 32 | entry->attributes);
        put_text(" ");
        put_hex(copy->returned_bytes[i]);
        put_text("\r\n");
    }
}

static void say_image(uint32_t eflags, uint32_t cr0)
{
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < PATTERN_WORDS; i++)
        wrong += pattern[i] != i * 0x9E3779B1u;
    say("pattern_wrong", wrong);
    say("written", written);
    wrong = 0;
    for (uint32_t i = 0; i < ZEROS; i++)
        wrong += zeros[i] != 0;
    say("zeros_wrong", wrong);
    say("interrupts", eflags >> 9 & 1);
    say("paging", cr0 >> 31);
    say("a20", address_mask());
    say("pic_master_mask", port_read(0x21));
}

static void say_framebuffer(const struct bootinfo_framebuffer *framebuffer)
{
    say("framebuffer", framebuffer->address);
    say("width", framebuffer->width);
    say("height", framebuffer->height);
    say("pitch", framebuffer->pitch);
    say("bits", framebuffer->bits);
    say("colours", (uint64_t)framebuffer->red_shift << 16 | framebuffer->green_shift << 8 |
                       framebuffer->blue_shift);
}

void probe_main(uint32_t magic, const struct bootinfo *bootinfo, uint32_t cr0, uint32_t eflags)
{
    put_text("probe\r\n");
    say("eax", magic);
    say("ebx", (uintptr_t)bootinfo);
    say("magic", bootinfo->magic);
    say("size", bootinfo->size - sizeof(*bootinfo));
    say("loader", bootinfo->loader);
    say("boot_drive", bootinfo->boot_drive);
    say("archive", bootinfo->archive);
    say("archive_bytes", bootinfo->archive_bytes);
    say("archive_crc32", crc32_add(0, (const uint8_t *)(uintptr_t)bootinfo->archive,
                                   bootinfo->archive ? bootinfo->archive_bytes : 0));
    say("ebda", bootinfo->ebda);
    say("rsdp", bootinfo->rsdp);
    say("font", bootinfo->font);
    say("font_crc32", crc32_add(0, (const uint8_t *)(uintptr_t)bootinfo->font,
                                bootinfo->font ? BOOTINFO_FONT_SIZE : 0));
    say_framebuffer(&bootinfo->framebuffer);
    put_text("command_line=");
    put_text(bootinfo->command_line);
    put_text("\r\n");
    say_image(eflags, cr0);
    say_memory_map();
    put_text("end\r\n");
    port_write(DEBUG_EXIT, EXIT_DONE);
}
