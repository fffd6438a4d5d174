#include "tests/unit/space_machine.h"

#include "kernel/cpu/cpu.h"
#include "kernel/cpu/page.h"
#include "kernel/memory/system.h"
#include "kernel/space/usercopy_internal.h"
#include "tests/unit/host/mmu.h"

char machine_faults[8192];
enum space_fault machine_fault;

static void *bytemap_storage, *pageframe_storage, *scratch;
static frame_t *hoard;
static uint32_t hoarded, ram, kernel_tables;

/* ---- what lies below space ---- */

static struct thread only_thread;
struct thread *thread_now = &only_thread;
uint32_t preempt_count;

void preempt_give_way(void)
{
    CHECK(false); /* nobody is there */
}

void mutex_lock(struct mutex *mutex)
{
    CHECK(mutex->owner == NULL);
    CHECK_EQUAL(preempt_count, 0);
    mutex->owner = thread_now;
}

void mutex_unlock(struct mutex *mutex)
{
    CHECK(mutex->owner == thread_now);
    mutex->owner = NULL;
}

int mutex_try_lock(struct mutex *mutex)
{
    if (mutex->owner != NULL)
        return -EBUSY;
    mutex->owner = thread_now;
    return 0;
}

const struct cpu_description *cpu_description(void)
{
    static const struct cpu_description description;
    return &description;
}

void memory_add_check(void (*also)(struct check *check))
{
    CHECK(also == space_check);
}

void cpu_page_init(void)
{
}

void cpu_page_clear(void *page)
{
    memset(page, 0, FRAME_SIZE);
}

void cpu_page_copy(void *to, const void *from)
{
    memcpy(to, from, FRAME_SIZE);
}

/* User memory is whatever bytes the program of the test says: none. */
size_t usercopy_move(void *to, const void *from, size_t bytes)
{
    (void)to;
    (void)from;
    return bytes;
}

size_t usercopy_clear(void *to, size_t bytes)
{
    (void)to;
    return bytes;
}

int32_t usercopy_string(char *to, const char *from, size_t size)
{
    (void)to;
    (void)from;
    (void)size;
    return -1;
}

int usercopy_exchange(uint32_t *address, uint32_t expected, uint32_t value, uint32_t *old)
{
    (void)address;
    (void)expected;
    (void)value;
    (void)old;
    return -1;
}

/* ---- the machine ---- */

static struct host_mapping translate(uintptr_t address)
{
    struct paging_translation at = paging_query(&paging_kernel, address);
    if (!at.present)
        return (struct host_mapping){FRAME_NONE, false};
    return (struct host_mapping){frame_of(at.physical), (at.flags & PAGING_WRITE) != 0};
}

static void enter_ram(uint32_t frames)
{
    static struct e820_map map;
    map.count = 1;
    map.regions[0] = (struct e820_region){MAP_STAGE1_START, frame_address(frames), E820_USABLE};
    map.usable_bytes = frame_address(frames - 1);
    free(bytemap_storage);
    free(pageframe_storage);
    free(hoard);
    free(scratch);
    bytemap_storage =
        aligned_alloc(FRAME_SIZE, (bytemap_storage_bytes(frames) / FRAME_SIZE + 1) * FRAME_SIZE);
    pageframe_storage =
        aligned_alloc(FRAME_SIZE, (pageframe_storage_bytes(frames) / FRAME_SIZE + 1) * FRAME_SIZE);
    scratch = malloc(paging_check_scratch_bytes(frames));
    hoard = calloc(frames, sizeof(*hoard));
    hoarded = 0;
    bytemap_init(bytemap_storage, frames);
    CHECK_EQUAL(pageframe_init(pageframe_storage, &map, frames, frames), 0);
}

void machine_start(uint32_t frames)
{
    host_platform_init(frames);
    enter_ram(frames);
    ram = frames;
    CHECK_EQUAL(paging_init(), 0);
    paging_load(&paging_kernel);
    host_mmu_start(MAP_HEAP_START, MAP_HEAP_END, translate);
    CHECK_EQUAL(heap_init(), 0);
    pageframe_set_watermarks(8, 16);
    CHECK_EQUAL(space_init(), 0);
    kernel_tables = paging_table_frames();
    CHECK_EQUAL(commit_charged_pages(), 0);
    machine_check_is_clean();
}

uint32_t machine_free_frames(void)
{
    struct pageframe_statistics statistics;
    pageframe_read_statistics(&statistics);
    return statistics.free_frames;
}

static void say(const char *sentence)
{
    size_t used = strlen(machine_faults);
    snprintf(machine_faults + used, sizeof(machine_faults) - used, "%s\n", sentence);
}

static uint32_t count_spaces(void)
{
    uint32_t count = 0;
    for (const struct space *space = space_first; space != NULL; space = space->next)
        count++;
    return count;
}

/* Own pages that were mapped without a charge. */
static uint32_t taken_without(void)
{
    uint8_t *is_seen = calloc(ram, 1);
    uint32_t count = 0;
    for (const struct space *space = space_first; space != NULL; space = space->next)
        for (const struct area *area = space->first; area != NULL; area = area->next)
            for (uint32_t at = area->start; area->flags & AREA_NORESERVE && at < area->end;
                 at += PAGE) {
                const struct paging_user_page page = paging_user_find(&space->paging, at);
                if ((page.flags & PAGING_OWN) && !is_seen[page.frame]++)
                    count++;
            }
    free(is_seen);
    return count;
}

/* Frames taken on charges. */
static uint32_t taken_on_charges(void)
{
    uint32_t count = paging_table_frames() - kernel_tables - count_spaces() - taken_without();
    for (frame_t frame = 0; frame < ram; frame++) {
        const bytemap_tag_t tag = bytemap_get(frame) & 0x3F;
        count += tag == BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_USER) ||
                 tag == BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_LIBRARY) ||
                 tag == BYTEMAP_TAG(BYTEMAP_CACHE, BYTEMAP_USER);
    }
    return count;
}

uint32_t machine_check(void)
{
    struct check check = {0, say};
    struct pageframe_statistics statistics;
    machine_faults[0] = 0;
    bytemap_check(&check);
    pageframe_check(&check);
    paging_check(&paging_kernel, scratch, &check);
    heap_check(&check);
    space_check(&check);
    if (paging_check_unmapped() != 0)
        check_fault(&check, "test: %u references to frames of programs that nothing maps",
                    (unsigned)paging_check_unmapped());
    pageframe_read_statistics(&statistics);
    if (commit_charged_pages() - taken_on_charges() != statistics.promised_frames)
        check_fault(&check, "test: %u pages are charged, %u taken, %u promised",
                    (unsigned)commit_charged_pages(), (unsigned)taken_on_charges(),
                    (unsigned)statistics.promised_frames);
    return check.faults;
}

void machine_check_is_clean(void)
{
    if (machine_check() != 0)
        test_fail(__FILE__, __LINE__, "%s", machine_faults);
}

uint32_t machine_objects(void)
{
    struct heap_statistics statistics;
    heap_read_statistics(&statistics);
    return statistics.objects;
}

void machine_hoard(uint32_t left)
{
    while (commit_limit_pages() - commit_charged_pages() > left) {
        hoard[hoarded] =
            pageframe_alloc(PAGEFRAME_ANYWHERE, BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL));
        CHECK(hoard[hoarded++] != FRAME_NONE);
    }
}

void machine_return(void)
{
    while (hoarded != 0)
        CHECK_EQUAL(pageframe_free(hoard[--hoarded]), 0);
}

/* ---- programs ---- */

int32_t map_anonymous(struct space *space, uint32_t address, uint32_t pages, uint32_t protection,
                      uint32_t flags)
{
    const struct space_mapping mapping = {.address = address,
                                          .length = pages * PAGE,
                                          .protection = protection,
                                          .flags = flags | MAP_ANONYMOUS |
                                                   (flags & MAP_TYPE ? 0 : MAP_PRIVATE)};
    return space_map(space, &mapping);
}

/* The byte as the processor would find it, or NULL after a fault that is not resolved. */
static uint8_t *reach(struct space *space, uint32_t address, uint32_t needed)
{
    const uint32_t code = needed & PAGING_WRITE ? 7 : 5;
    for (unsigned tries = 0; tries < 3; tries++) {
        const struct paging_translation at = paging_query(&space->paging, address);
        if (at.present && (at.flags & PAGING_USER) && (at.flags & needed) == needed)
            return (uint8_t *)platform_frame_pointer(frame_of(at.physical)) + address % PAGE;
        machine_fault = space_fault(space, address, at.present ? code : code & ~1u);
        if (machine_fault != SPACE_FAULT_DONE)
            return NULL;
    }
    test_fail(__FILE__, __LINE__, "a fault at 0x%x is resolved, and comes again", address);
}

int touch_read(struct space *space, uint32_t address)
{
    const uint8_t *byte = reach(space, address, 0);
    return byte == NULL ? -1 : *byte;
}

int touch_write(struct space *space, uint32_t address, uint8_t value)
{
    uint8_t *byte = reach(space, address, PAGING_WRITE);
    if (byte == NULL)
        return -1;
    *byte = value;
    return value;
}

/* ---- files ---- */

static int file_page(struct backing *backing, uint32_t index, uint32_t access, frame_t *frame)
{
    struct test_file *file = (struct test_file *)backing;
    (void)access;
    if (index >= file->pages)
        return -ERANGE;
    *frame = file->frames[index];
    return pageframe_reference(*frame) == 0 ? 0 : -ENOMEM;
}

static void file_hold(struct backing *backing)
{
    ((struct test_file *)backing)->references++;
}

static void file_drop(struct backing *backing)
{
    CHECK(((struct test_file *)backing)->references > 1);
    ((struct test_file *)backing)->references--;
}

static void file_describe(struct backing *backing, struct backing_description *description)
{
    (void)backing;
    *description = (struct backing_description){1, 2, "file"};
}

static const struct backing_ops file_ops = {file_page, file_hold, file_drop, file_describe};

void file_start(struct test_file *file, uint32_t pages)
{
    *file = (struct test_file){{&file_ops}, 1, pages, calloc(pages, sizeof(frame_t))};
    for (uint32_t i = 0; i < pages; i++) {
        file->frames[i] =
            pageframe_alloc_zeroed(PAGEFRAME_DIRECT, BYTEMAP_TAG(BYTEMAP_CACHE, BYTEMAP_KERNEL));
        CHECK(file->frames[i] != FRAME_NONE);
        *(uint8_t *)platform_frame_pointer(file->frames[i]) = (uint8_t)(i + 1);
    }
}

void file_end(struct test_file *file)
{
    CHECK_EQUAL(file->references, 1);
    for (uint32_t i = 0; i < file->pages; i++)
        CHECK_EQUAL(pageframe_release(file->frames[i]), 0);
    free(file->frames);
}
