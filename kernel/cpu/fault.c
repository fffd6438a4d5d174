#include "kernel/cpu/fault.h"

#include "kernel/cpu/cpu.h"
#include "kernel/cpu/ports.h"
#include "kernel/cpu/registers.h"
#include "kernel/include/log.h"
#include "kernel/include/panic.h"
#include "kernel/lib/string.h"

/* System control port B of the PC: why there was an NMI. */
#define NMI_REASON_PORT    0x61
#define NMI_REASON_CHANNEL (1u << 6)
#define NMI_REASON_PARITY  (1u << 7)

/* Intel SDM 3B, 15.3: the banks report errors; STATUS says which, and whether ADDRESS is there. */
#define MCG_CAP_BANKS        0xFFu
#define MCG_CAP_HAS_CTL      (1u << 8)
#define STATUS_VALID         (1ull << 63)
#define STATUS_ADDRESS_VALID (1ull << 58)

static unsigned bank_count(void)
{
    return cpu_has(CPU_MCA) ? (unsigned)(read_msr(MSR_MCG_CAP) & MCG_CAP_BANKS) : 0;
}

/* On the early Intel processors of family 6, bank 0's control is the platform's to write (Intel SDM
 * 3B, 15.3.2.1). */
static unsigned first_bank(void)
{
    const struct cpu_description *cpu = cpu_description();
    bool is_intel = strncmp(cpu->vendor, "GenuineIntel", sizeof(cpu->vendor)) == 0;
    return is_intel && cpu->family == 6 && cpu->model < 0x1A ? 1 : 0;
}

/* What a bank holds from before this start stays there to be read by whoever looks for it. */
void fault_init(void)
{
    if (!cpu_has(CPU_MCA))
        return;
    if (read_msr(MSR_MCG_CAP) & MCG_CAP_HAS_CTL)
        write_msr(MSR_MCG_CTL, UINT64_MAX);
    for (unsigned bank = first_bank(); bank < bank_count(); bank++)
        write_msr(MSR_MC0_CTL + 4 * bank, UINT64_MAX);
}

void fault_nmi(const struct trap_frame *frame)
{
    uint8_t reason = port_read8(NMI_REASON_PORT);
    if (reason & NMI_REASON_PARITY)
        panic("non-maskable interrupt: memory parity or system error (port 0x61: 0x%02x)", reason);
    if (reason & NMI_REASON_CHANNEL)
        panic("non-maskable interrupt: I/O channel check (port 0x61: 0x%02x)", reason);
    log_line("non-maskable interrupt at 0x%08x: no reason given (port 0x61: 0x%02x), ignored",
             frame->eip, reason);
}

_Noreturn void fault_machine_check(void)
{
    for (unsigned bank = 0; bank < bank_count(); bank++) {
        uint64_t status = read_msr(MSR_MC0_CTL + 4 * bank + 1);
        if (!(status & STATUS_VALID))
            continue;
        uint64_t address = status & STATUS_ADDRESS_VALID ? read_msr(MSR_MC0_CTL + 4 * bank + 2) : 0;
        log_line("machine check: bank %u status 0x%016llx address 0x%llx", bank, status, address);
        write_msr(MSR_MC0_CTL + 4 * bank + 1, 0);
    }
    panic("machine check: the processor found an error in the hardware");
}
