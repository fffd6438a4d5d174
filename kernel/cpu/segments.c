#include "kernel/cpu/segments.h"

#include "kernel/cpu/cpu.h"
#include "kernel/cpu/registers.h"
#include "kernel/cpu/trap.h"
#include "kernel/include/panic.h"

/* Task-state segment (Intel SDM 3A, 8.2.1). */
struct task_state {
    uint32_t previous;
    uint32_t esp0, ss0, esp1, ss1, esp2, ss2;
    uint32_t cr3, eip, eflags;
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs;
    uint32_t ldt;
    uint16_t trap;
    uint16_t io_bitmap;
};

#define DOUBLE_FAULT_STACK_BYTES 8192
#define DESCRIPTOR_FLAT_CODE     0x00CF9B000000FFFFull
#define DESCRIPTOR_FLAT_DATA     0x00CF93000000FFFFull
#define DESCRIPTOR_USER_CODE     0x00CFFB000000FFFFull
#define DESCRIPTOR_USER_DATA     0x00CFF3000000FFFFull
#define DESCRIPTOR_TSS           0x89ull /* present, system, available 32-bit TSS */

void double_fault_entry(void);

/* Neither may cross a page, which 128-byte alignment of 104 bytes grants (Intel SDM 3A, 8.2.1). */
static struct task_state task __attribute__((aligned(128)));
static struct task_state double_fault_task __attribute__((aligned(128)));
static uint8_t double_fault_stack[DOUBLE_FAULT_STACK_BYTES] __attribute__((aligned(16)));
static uint64_t descriptors[SELECTOR_COUNT] __attribute__((aligned(8)));

static uint64_t task_descriptor(const struct task_state *state)
{
    uint64_t base = (uint32_t)state;
    return (sizeof(*state) - 1) | (base & 0xFFFFFF) << 16 | DESCRIPTOR_TSS << 40 |
           (base >> 24) << 56;
}

static void load_descriptors(void)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) pointer = {sizeof(descriptors) - 1, (uint32_t)descriptors};
    __asm__ volatile("lgdt %0\n\t"
                     "ljmp %1, $1f\n"
                     "1:\n\t"
                     "movl %2, %%ds\n\t"
                     "movl %2, %%es\n\t"
                     "movl %2, %%fs\n\t"
                     "movl %2, %%gs\n\t"
                     "movl %2, %%ss\n\t"
                     "lldt %w3\n\t"
                     "ltr %w4"
                     :
                     : "m"(pointer), "i"(SELECTOR_CODE), "r"(SELECTOR_DATA), "r"(0),
                       "r"(SELECTOR_TSS)
                     : "memory");
}

void segments_init(void)
{
    task.ss0 = SELECTOR_DATA;
    task.io_bitmap = sizeof(task);
    double_fault_task = (struct task_state){
        .cr3 = read_cr3(),
        .eip = (uint32_t)double_fault_entry,
        .eflags = 2, /* bit 1 is always set; interrupts off */
        .esp = (uint32_t)(double_fault_stack + DOUBLE_FAULT_STACK_BYTES),
        .cs = SELECTOR_CODE,
        .ss = SELECTOR_DATA,
        .ds = SELECTOR_DATA,
        .es = SELECTOR_DATA,
        .fs = SELECTOR_DATA,
        .gs = SELECTOR_DATA,
        .io_bitmap = sizeof(double_fault_task),
    };
    descriptors[SELECTOR_CODE / 8] = DESCRIPTOR_FLAT_CODE;
    descriptors[SELECTOR_DATA / 8] = DESCRIPTOR_FLAT_DATA;
    descriptors[SELECTOR_TSS / 8] = task_descriptor(&task);
    descriptors[SELECTOR_DOUBLE_FAULT_TSS / 8] = task_descriptor(&double_fault_task);
    descriptors[SELECTOR_USER_CODE / 8] = DESCRIPTOR_USER_CODE;
    descriptors[SELECTOR_USER_DATA / 8] = DESCRIPTOR_USER_DATA;
    load_descriptors();
}

void segments_load(uint32_t stack_end, const uint64_t tls[SELECTOR_TLS_COUNT])
{
    task.esp0 = stack_end;
    for (unsigned i = 0; i < SELECTOR_TLS_COUNT; i++)
        descriptors[SELECTOR_TLS_FIRST / 8 + i] = tls[i];
}

uint64_t segments_make_tls(uint32_t base, uint32_t limit, uint32_t flags)
{
    uint64_t low = (limit & 0xFFFF) | (uint64_t)(base & 0xFFFFFF) << 16;
    return low | (uint64_t)(flags | (limit >> 16 & 0xF) << 16) << 32 |
           (uint64_t)(base & 0xFF000000u) << 32;
}

void cpu_set_kernel_root(paddr_t root)
{
    double_fault_task.cr3 = (uint32_t)root;
}

/* The task switch stored the faulting task's registers in its own segment. */
_Noreturn void segments_double_fault(void)
{
    uint32_t address = read_cr2();
    struct trap_frame frame = {
        .gs = task.gs,
        .fs = task.fs,
        .es = task.es,
        .ds = task.ds,
        .edi = task.edi,
        .esi = task.esi,
        .ebp = task.ebp,
        .esp_in_entry = task.esp,
        .ebx = task.ebx,
        .edx = task.edx,
        .ecx = task.ecx,
        .eax = task.eax,
        .vector = TRAP_DOUBLE_FAULT,
        .eip = task.eip,
        .cs = task.cs,
        .eflags = task.eflags,
        .user_esp = task.esp,
        .user_ss = task.ss,
    };
    panic_double_fault(&frame, address);
}
