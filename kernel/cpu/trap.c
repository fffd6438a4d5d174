#include "kernel/cpu/trap.h"

#include "kernel/cpu/fault.h"
#include "kernel/cpu/irq.h"
#include "kernel/cpu/registers.h"
#include "kernel/include/log.h"
#include "kernel/include/panic.h"

#define GATE_INTERRUPT 0x8E00u /* present, 32-bit, interrupts off on entry */
#define GATE_TASK      0x8500u
#define GATE_CALL      0xEF00u /* users may, interrupts stay on */
#define GATE_FOR_USERS 0x6000u

extern const uint32_t trap_stubs[TRAP_VECTORS + 1];

static uint64_t gates[256] __attribute__((aligned(8)));
static uint32_t other_count;

struct trap_hooks trap_hooks;

/* A fault at `instruction` goes on at `resume`. */
struct exception_entry {
    uint32_t instruction;
    uint32_t resume;
};

extern const struct exception_entry exception_table_start[], exception_table_end[];

static const char *const names[TRAP_EXCEPTIONS] = {
    "divide error",
    "debug exception",
    "non-maskable interrupt",
    "breakpoint",
    "overflow",
    "bound range exceeded",
    "invalid opcode",
    "device not available",
    "double fault",
    "coprocessor segment overrun",
    "invalid task-state segment",
    "segment not present",
    "stack-segment fault",
    "general protection fault",
    "page fault",
    [16] = "floating-point error",
    "alignment check",
    "machine check",
    "SIMD floating-point exception",
    "virtualization exception",
    "control protection exception",
    [28] = "hypervisor injection exception",
    "VMM communication exception",
    "security exception",
};

const char *trap_name(uint32_t vector)
{
    if (vector < TRAP_EXCEPTIONS && names[vector] != NULL)
        return names[vector];
    return "exception";
}

static uint64_t gate(uint32_t selector, uint32_t offset, uint32_t kind)
{
    return (uint64_t)(offset & 0xFFFF0000u) << 32 | (uint64_t)kind << 32 | selector << 16 |
           (offset & 0xFFFF);
}

void trap_init(void)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) pointer = {sizeof(gates) - 1, (uint32_t)gates};
    for (unsigned vector = 0; vector < ARRAY_COUNT(gates); vector++) {
        uint32_t stub = trap_stubs[vector < TRAP_VECTORS ? vector : TRAP_OTHER];
        gates[vector] = gate(SELECTOR_CODE, stub, GATE_INTERRUPT);
    }
    gates[TRAP_BREAKPOINT] |= (uint64_t)GATE_FOR_USERS << 32;
    gates[TRAP_OVERFLOW] |= (uint64_t)GATE_FOR_USERS << 32;
    gates[TRAP_DOUBLE_FAULT] = gate(SELECTOR_DOUBLE_FAULT_TSS, 0, GATE_TASK);
    __asm__ volatile("lidt %0" : : "m"(pointer) : "memory");
}

void trap_set_call(uint32_t vector, void (*entry)(void))
{
    gates[vector] = gate(SELECTOR_CODE, (uint32_t)entry, GATE_CALL);
}

static const struct exception_entry *find_entry(const struct trap_frame *frame)
{
    for (const struct exception_entry *entry = exception_table_start; entry < exception_table_end;
         entry++)
        if (entry->instruction == frame->eip)
            return entry;
    return NULL;
}

bool trap_can_recover(const struct trap_frame *frame)
{
    return find_entry(frame) != NULL;
}

/* True if the fault was expected where it happened, and execution goes on elsewhere. */
static bool recover(struct trap_frame *frame)
{
    const struct exception_entry *entry = find_entry(frame);
    if (entry != NULL)
        frame->eip = entry->resume;
    return entry != NULL;
}

/* A local APIC that the firmware left on delivers its spurious vector here, which takes no end of
 * interrupt (Intel SDM 3A, 10.9). */
static void ignore_other(const struct trap_frame *frame)
{
    if (other_count++ == 0)
        log_line("interrupt at 0x%08x on a vector that is nobody's, ignored "
                 "(further ones are counted)",
                 frame->eip);
}

uint32_t trap_other_count(void)
{
    return other_count;
}

/* In the kernel, or in user mode while there are no users. */
static void handle_exception(struct trap_frame *frame, uint32_t address)
{
    if (trap_is_from_user(frame) && trap_hooks.user_exception != NULL) {
        trap_hooks.user_exception(frame, address);
        return;
    }
    if (frame->vector == TRAP_PAGE_FAULT && trap_hooks.kernel_page_fault != NULL &&
        trap_hooks.kernel_page_fault(frame, address))
        return;
    if (!recover(frame))
        panic_trap(frame, address);
}

static void leave(struct trap_frame *frame)
{
    if (trap_is_from_user(frame) && trap_hooks.before_user != NULL)
        trap_hooks.before_user(frame);
}

void trap_interrupt(struct trap_frame *frame)
{
    irq_dispatch(frame->vector - IRQ_VECTOR, frame);
    if (trap_hooks.after_interrupt != NULL)
        trap_hooks.after_interrupt();
    leave(frame);
}

void trap_dispatch(struct trap_frame *frame)
{
    uint32_t address = read_cr2(); /* before anything can fault again */
    if (frame->vector < TRAP_EXCEPTIONS) {
        if (frame->vector == TRAP_NMI)
            fault_nmi(frame);
        else if (frame->vector == TRAP_MACHINE_CHECK)
            fault_machine_check();
        else
            handle_exception(frame, address);
    } else {
        ignore_other(frame);
    }
    leave(frame);
}
