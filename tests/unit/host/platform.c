/* memfd_create, and files above 2 GiB in 32-bit programs */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "tests/unit/host/platform.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/lib/format.h"
#include "tests/unit/test.h"

struct platform_features platform_features = {
    .no_execute = true, .global_pages = true, .pat = true, .physical_bits = 36};

unsigned host_log_lines;
char host_log_last[256];
unsigned host_page_flushes, host_full_flushes;
uintptr_t host_last_page_flush;
paddr_t host_root;
void (*host_on_flush)(uintptr_t address);
int host_ram_file = -1;
void (*host_on_interrupts_on)(void);

/* All that PAE reaches: the file has holes where nobody wrote. */
#define HOST_RAM_BYTES ((off_t)1 << 36)

static unsigned char *ram;
static uint32_t ram_frames;
static unsigned long interrupts_off;

/* A file in memory, so that a frame can be seen at a second address (tests/unit/host/mmu.c). */
void host_platform_init(uint32_t frames)
{
    if (ram != NULL) {
        munmap(ram, (size_t)ram_frames * FRAME_SIZE);
        close(host_ram_file);
    }
    host_ram_file = memfd_create("ram", MFD_CLOEXEC);
    if (host_ram_file < 0 || ftruncate(host_ram_file, HOST_RAM_BYTES) != 0) {
        perror("host_platform_init: memfd");
        exit(1);
    }
    ram = mmap(NULL, (size_t)frames * FRAME_SIZE, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_NORESERVE, host_ram_file, 0);
    if (ram == MAP_FAILED) {
        perror("host_platform_init: mmap");
        exit(1);
    }
    ram_frames = frames;
    host_log_lines = host_page_flushes = host_full_flushes = 0;
    interrupts_off = 0;
}

unsigned long platform_interrupts_save(void)
{
    return interrupts_off++;
}

void platform_interrupts_restore(unsigned long saved)
{
    CHECK_EQUAL(interrupts_off, saved + 1);
    interrupts_off = saved;
    if (saved == 0 && host_on_interrupts_on != NULL)
        host_on_interrupts_on();
}

void *platform_frame_pointer(frame_t frame)
{
    CHECK(frame < ram_frames);
    return (void *)((uintptr_t)ram + (size_t)frame * FRAME_SIZE); /* RAM may exceed PTRDIFF_MAX */
}

void platform_tlb_flush_page(uintptr_t address)
{
    host_page_flushes++;
    host_last_page_flush = address;
    if (host_on_flush != NULL)
        host_on_flush(address);
}

void platform_tlb_flush_all(void)
{
    host_full_flushes++;
    if (host_on_flush != NULL)
        host_on_flush(0);
}

void platform_load_root(paddr_t root)
{
    host_root = root;
    platform_tlb_flush_all();
}

void platform_log(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_text_arguments(host_log_last, sizeof(host_log_last), format, arguments);
    va_end(arguments);
    host_log_lines++;
    if (getenv("VERBOSE") != NULL)
        fprintf(stderr, "log: %s\n", host_log_last);
}

void platform_panic(const char *file, int line, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    format_text_arguments(text, sizeof(text), format, arguments);
    va_end(arguments);
    test_fail(file, line, "panic: %s", text);
}
