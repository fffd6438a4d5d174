#include "bench/host/machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/platform.h"

struct platform_features platform_features = {
    .no_execute = true, .global_pages = true, .pat = true, .physical_bits = 36};

unsigned char *host_ram;
uint32_t host_ram_mask;

static void *bytemap_storage, *pageframe_storage;

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

void platform_log(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void platform_panic(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "%s:%d: ", file, line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

/* Fresh memory, all zero, that takes room only where it is touched. */
void *machine_reserve(void *where, size_t bytes)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (where != NULL ? MAP_FIXED : 0);
    void *at = mmap(where, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (at == MAP_FAILED || (where != NULL && at != where)) {
        perror("mmap");
        exit(1);
    }
    return at;
}

static void *page_aligned(size_t bytes)
{
    void *storage = aligned_alloc(FRAME_SIZE, (bytes + FRAME_SIZE - 1) / FRAME_SIZE * FRAME_SIZE);
    if (storage == NULL)
        fail("no memory for the machine's tables");
    return storage;
}

void machine_start_frames(uint32_t frames, uint32_t ram_frames)
{
    static struct e820_map map;
    map.count = 1;
    map.regions[0] = (struct e820_region){FRAME_SIZE, frame_address(frames), E820_USABLE};
    map.usable_bytes = frame_address(frames - 1);
    if (host_ram != NULL)
        munmap(host_ram, (size_t)(host_ram_mask + 1) * FRAME_SIZE);
    host_ram = machine_reserve(NULL, (size_t)ram_frames * FRAME_SIZE);
    host_ram_mask = ram_frames - 1;
    free(bytemap_storage);
    free(pageframe_storage);
    bytemap_storage = page_aligned(bytemap_storage_bytes(frames));
    pageframe_storage = page_aligned(pageframe_storage_bytes(frames));
    bytemap_init(bytemap_storage, frames);
    if (pageframe_init(pageframe_storage, &map, frames, frames) != 0)
        fail("pageframe_init put frames aside");
}

uint64_t machine_frames_moved(void)
{
    struct pageframe_statistics statistics;
    pageframe_read_statistics(&statistics);
    return statistics.allocations + statistics.frees;
}

static void say(const char *sentence)
{
    fprintf(stderr, "%s\n", sentence);
}

void (*machine_check_heap)(struct check *check);

void machine_check(void)
{
    struct check check = {0, say};
    bytemap_check(&check);
    pageframe_check(&check);
    if (machine_check_heap != NULL)
        machine_check_heap(&check);
    if (check.faults != 0)
        fail("the memory tree is inconsistent after the trace");
}
