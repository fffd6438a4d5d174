#include <cpuid.h>

#include "kernel/include/errors.h"
#include "kernel/lib/format.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/platform.h"
#include "kernel/memory/system.h"

static void out(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

/* What platform.h asks of a kernel. */
struct platform_features platform_features;

unsigned long platform_interrupts_save(void)
{
    unsigned long flags;
    __asm__ volatile("pushfl\n\tpopl %0\n\tcli" : "=r"(flags) : : "memory");
    return flags;
}

void platform_interrupts_restore(unsigned long saved)
{
    __asm__ volatile("pushl %0\n\tpopfl" : : "r"(saved) : "memory", "cc");
}

void *platform_frame_pointer(frame_t frame)
{
    return (void *)(MAP_DIRECT_START + frame * FRAME_SIZE);
}

void platform_tlb_flush_page(uintptr_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* Loading CR3 keeps global translations, changing CR4.PGE does not (Intel SDM 3A, 4.10.4.1). */
void platform_tlb_flush_all(void)
{
    uint32_t cr4;
    __asm__ volatile("movl %%cr3, %0\n\tmovl %0, %%cr3\n\tmovl %%cr4, %0" : "=r"(cr4) : : "memory");
    if (platform_features.global_pages)
        __asm__ volatile("movl %0, %%cr4\n\tmovl %1, %%cr4" : : "r"(cr4 ^ 0x80), "r"(cr4));
}

void platform_load_root(paddr_t root)
{
    __asm__ volatile("movl %0, %%cr3" : : "r"((uint32_t)root) : "memory");
}

/* To COM1 as QEMU has it: always ready. */
void platform_log(const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    format_text_arguments(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (const char *at = text; *at != '\0'; at++)
        out(0x3F8, (uint8_t)*at);
    out(0x3F8, '\n');
}

_Noreturn void platform_panic(const char *file, int line, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    format_text_arguments(text, sizeof(text), format, arguments);
    platform_log("panic at %s:%d: %s", file, line, text);
    out(0xF4, 0x12); /* QEMU's isa-debug-exit: the status is 2 * 0x12 + 1 */
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

/* Fills platform_features in (no PAT is loaded here) and maps what memory_init wants to find: the
 * image where it is, and the direct view. */
static void start_paging(void)
{
    extern uint64_t boot_directories[], boot_top[]; /* start.S */
    const uint32_t large = 0x200000, direct = MAP_DIRECT_START / large;
    uint32_t eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(edx >> 6 & 1))
        platform_panic(__FILE__, __LINE__, "this processor has no PAE");
    platform_features.global_pages = edx >> 13 & 1;
    platform_features.physical_bits = edx >> 17 & 1 ? 36 : 32;
    if (__get_cpuid(0x80000008, &eax, &ebx, &ecx, &edx))
        platform_features.physical_bits = (uint8_t)eax;
    if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx))
        platform_features.no_execute = edx >> 20 & 1;
    for (uint32_t page = 0; page < MAP_DIRECT_END / large; page++)
        if (page * large < MAP_IMAGE_END || page >= direct)
            boot_directories[page] = (page < direct ? page : page - direct) * large | 0x83;
    for (uint32_t i = 0; i < 4; i++)
        boot_top[i] = (uint32_t)&boot_directories[i * 512] | 1;
    if (platform_features.no_execute) /* EFER.NXE */
        __asm__ volatile("rdmsr\n\tbtsl $11, %%eax\n\twrmsr" : : "c"(0xC0000080) : "eax", "edx");
    __asm__ volatile("movl %0, %%cr4" : : "r"(platform_features.global_pages ? 0xB0 : 0x30));
    platform_load_root((uint32_t)boot_top);
    __asm__ volatile("movl %0, %%cr0" : : "r"(0x80010011) : "memory"); /* PG and WP */
}

/* Multiboot 0.6.96, 3.3: flags, ten words, the map's bytes and address. Its entries have the
 * firmware's form, without attributes, each behind a word that says how long it is. Of the modules,
 * words 5 and 6, the first is the archive: start and end. */
void boot_main(uint32_t magic, const uint32_t *information)
{
    extern const struct memory_image image; /* embed.ld.S */
    static struct e820_copy map;
    struct memory_setup setup = {.firmware_map = &map, .image = image};
    if (magic != 0x2BADB002 || !(information[0] >> 6 & 1))
        platform_panic(__FILE__, __LINE__, "the loader passes no memory map");
    uint32_t at = information[12], end_of_map = at + information[11];
    for (; at < end_of_map && map.count < E820_ENTRIES_MAX; at += 4 + *(const uint32_t *)at) {
        __builtin_memcpy(&map.entries[map.count], (const void *)(at + 4), 20);
        map.entries[map.count++].attributes = 1;
    }
    if ((information[0] >> 3 & 1) && information[5] > 0) {
        setup.archive = *(const uint32_t *)information[6];
        setup.archive_bytes = ((const uint32_t *)information[6])[1] - (uint32_t)setup.archive;
    }
    start_paging();
    int error = memory_init(&setup);
    if (error != 0)
        platform_panic(__FILE__, __LINE__, "memory_init: %s", error_text(error));
}

static void say(const char *sentence)
{
    platform_log("%s", sentence);
}

static uint32_t print_memory(const char *when)
{
    struct pageframe_statistics frames;
    struct heap_statistics heap;
    pageframe_read_statistics(&frames);
    heap_read_statistics(&heap);
    uint32_t faults = memory_check(say);
    platform_log("%s: usable %u KiB, free %u KiB, heap %u KiB, %u objects, check: %u faults", when,
                 frames.ram_frames * 4, frames.free_frames * 4, heap.committed_bytes / 1024,
                 heap.objects, faults);
    return faults;
}

void kernel_main(void)
{
    void *objects[100];
    platform_log("freed: boot %u, archive %u", memory_release_boot(), memory_release_archive());
    print_memory("start");
    for (unsigned i = 0; i < ARRAY_COUNT(objects); i++)
        objects[i] = kmalloc((size_t)16 << i % 16); /* 16 bytes to 512 KiB */
    print_memory("used");
    for (unsigned i = 0; i < ARRAY_COUNT(objects); i++)
        kfree(objects[i]);
    kfree(objects[0]); /* once too often: refused, and logged */
    heap_trim();
    out(0xF4, print_memory("end") == 0 ? 0x10 : 0x11);
}
