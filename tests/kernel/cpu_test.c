#include "kernel/cpu/cpu.h"
#include "kernel/cpu/irq.h"
#include "kernel/cpu/registers.h"
#include "kernel/cpu/timer.h"
#include "kernel/cpu/trap.h"
#include "kernel/include/errors.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"
#include "tests/kernel/selftest.h"

static bool are_interrupts_on(void)
{
    return read_eflags() & EFLAGS_IF;
}

KERNEL_TEST(interrupts_nest)
{
    bool on[5];
    on[0] = are_interrupts_on();
    unsigned long outer = platform_interrupts_save();
    on[1] = are_interrupts_on();
    unsigned long inner = platform_interrupts_save();
    on[2] = are_interrupts_on();
    platform_interrupts_restore(inner);
    on[3] = are_interrupts_on();
    platform_interrupts_restore(outer);
    on[4] = are_interrupts_on();
    SELFTEST_CHECK(on[0] && !on[1] && !on[2] && !on[3] && on[4]);
}

KERNEL_TEST(tick_advances)
{
    uint64_t before = timer_ticks();
    timer_wait_ticks(5);
    uint64_t after = timer_ticks();
    SELFTEST_CHECK(after >= before + 5);
    SELFTEST_CHECK(irq_count(IRQ_TIMER) > 0);
}

static void no_handler(void)
{
}

KERNEL_TEST(irq_register_refuses)
{
    SELFTEST_CHECK(irq_register(IRQ_COUNT, no_handler) == -EINVAL);
    SELFTEST_CHECK(irq_register(2, no_handler) == -EINVAL);
    SELFTEST_CHECK(irq_register(IRQ_TIMER, no_handler) == -EBUSY);
    SELFTEST_CHECK(irq_register(9, NULL) == -EINVAL);
}

KERNEL_TEST(try_read_survives)
{
    static const uint32_t there = 0x600DF00D;
    uint32_t value = 1;
    SELFTEST_CHECK(cpu_try_read(&there, &value) && value == 0x600DF00D);
    value = 1;
    SELFTEST_CHECK(!cpu_try_read((const void *)8, &value) && value == 1);
    SELFTEST_CHECK(!cpu_try_read((const void *)MAP_GUARD_BELOW_START, &value) && value == 1);
    SELFTEST_CHECK(!cpu_try_read((const void *)(MAP_GUARD_ABOVE_END - 4), &value) && value == 1);
    SELFTEST_CHECK(!cpu_try_read((const void *)MAP_USER_START, &value) && value == 1);
    SELFTEST_CHECK(!cpu_try_read((const void *)UINT32_MAX, &value) && value == 1);
}

/* Write protection holds for the kernel itself, in the image and in the direct view of it. */
KERNEL_TEST(constants_are_read_only)
{
    static const uint32_t constant = 0x600DF00D;
    uint32_t address = (uint32_t)&constant;
    volatile const uint32_t *seen = &constant;
    SELFTEST_CHECK(!cpu_try_write((void *)address, 0));
    SELFTEST_CHECK(!cpu_try_write((void *)(MAP_DIRECT_START + address), 0));
    SELFTEST_CHECK(!cpu_try_write((void *)(uint32_t)cpu_try_write, 0));
    SELFTEST_CHECK(*seen == 0x600DF00D);
}

KERNEL_TEST(stack_lies_in_its_row)
{
    uint32_t here = (uint32_t)__builtin_frame_address(0);
    SELFTEST_CHECK(here >= MAP_STACK_START && here < MAP_STACK_END);
    SELFTEST_CHECK((read_cr3() & ~31u) == (uint32_t)paging_kernel.root);
}

/* What the log says is on is on. */
KERNEL_TEST(control_registers_agree)
{
    const struct cpu_description *cpu = cpu_description();
    uint32_t cr4 = read_cr4();
    SELFTEST_CHECK(read_cr0() & CR0_WP && cr4 & CR4_PAE);
    SELFTEST_CHECK(!!(cr4 & CR4_PGE) == (cpu->on >> CPU_PGE & 1));
    SELFTEST_CHECK(!!(cr4 & CR4_SMEP) == (cpu->on >> CPU_SMEP & 1));
    SELFTEST_CHECK(!!(cr4 & CR4_SMAP) == (cpu->on >> CPU_SMAP & 1));
    if (platform_features.no_execute)
        SELFTEST_CHECK(read_msr(MSR_EFER) & EFER_NXE);
    if (platform_features.pat)
        SELFTEST_CHECK((read_msr(MSR_PAT) & 0x0F0F0F0F) == 0x00070106);
}

static volatile uint32_t flags_in_interrupt;

static void note_flags(void)
{
    flags_in_interrupt = read_eflags();
}

static void set_flags(uint32_t flags)
{
    __asm__ volatile("pushl %0\n\tpopfl" : : "r"(flags) : "memory", "cc");
}

/* AC would let the kernel touch users' pages, and it is not the interrupted code that decides. */
KERNEL_TEST(interrupts_start_with_clean_flags)
{
    uint32_t before = read_eflags();
    flags_in_interrupt = EFLAGS_AC;
    set_flags(before | EFLAGS_AC);
    timer_set_storm(TIMER_HZ, note_flags);
    timer_wait_ticks(3);
    timer_set_storm(0, NULL);
    uint32_t after = read_eflags();
    set_flags(before);
    SELFTEST_CHECK(!(flags_in_interrupt & EFLAGS_AC));
    SELFTEST_CHECK(after & EFLAGS_AC);
}

/* As a local APIC's spurious interrupt comes. */
KERNEL_TEST(vectors_that_are_nobodys_are_ignored)
{
    uint32_t before = trap_other_count();
    __asm__ volatile("int $0x30\n\tint $0xEF\n\tint $0xFF" : : : "memory");
    SELFTEST_CHECK(trap_other_count() == before + 3);
}
