#include "kernel/cpu/cpu.h"
#include "kernel/cpu/irq.h"
#include "kernel/cpu/timer.h"
#include "kernel/debug/monitor/commands.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/device/power/power.h"
#include "kernel/device/serial/serial.h"
#include "kernel/include/errors.h"
#include "kernel/include/log.h"
#include "kernel/lib/string.h"
#include "tests/kernel/selftest.h"

#define MONITOR_COLUMNS 80u

/* In lines that a terminal holds. */
static void print_features(const char *title, uint32_t set)
{
    const size_t title_columns = 12;
    size_t column = title_columns;
    monitor_print("%-12s", title);
    for (unsigned i = 0; i < CPU_FEATURE_COUNT; i++) {
        const char *name = cpu_feature_name((enum cpu_feature)i);
        if (!(set >> i & 1))
            continue;
        if (column + 1 + strlen(name) > MONITOR_COLUMNS) {
            monitor_print("\n%-12s", "");
            column = title_columns;
        }
        monitor_print(" %s", name);
        column += 1 + strlen(name);
    }
    monitor_print("%s\n", set == 0 ? " nothing" : "");
}

static void print_interrupts(void)
{
    static const char *const names[IRQ_COUNT] = {
        [IRQ_TIMER] = " timer", [IRQ_KEYBOARD] = " keyboard", [IRQ_COM1] = " COM1"};
    monitor_print("%-12s", "interrupts");
    for (unsigned irq = 0; irq < IRQ_COUNT; irq++)
        if (irq_count(irq) != 0)
            monitor_print(" %u%s: %u,", irq, names[irq] != NULL ? names[irq] : "", irq_count(irq));
    monitor_print(" spurious: %u\n", irq_spurious_count());
}

bool command_cpu(unsigned count, char **arguments)
{
    const struct cpu_description *cpu = cpu_description();
    uint64_t ticks = timer_ticks();
    (void)count;
    (void)arguments;
    monitor_print("%-12s %s, family %u, model %u, stepping %u\n", "processor", cpu->vendor,
                  cpu->family, cpu->model, cpu->stepping);
    if (cpu->name[0] != '\0')
        monitor_print("%-12s %s\n", "name", cpu->name);
    monitor_print("%-12s %u bits: %llu GiB\n", "physical", cpu->physical_bits,
                  1ull << (cpu->physical_bits - 30));
    print_features("has", cpu->has);
    print_features("on", cpu->on);
    monitor_print("%-12s %llu.%03u s, %u ticks a second\n", "up", ticks / TIMER_HZ,
                  (unsigned)(ticks % TIMER_HZ * 1000 / TIMER_HZ), TIMER_HZ);
    print_interrupts();
    monitor_print("%-12s %u\n", "lost bytes", serial_lost_bytes());
    return true;
}

static bool print_line(void *context, const char *line, size_t length)
{
    (void)context;
    monitor_write(line, length);
    monitor_write("\n", 1);
    return true;
}

bool command_log(unsigned count, char **arguments)
{
    (void)count;
    (void)arguments;
    log_visit(print_line, NULL);
    return true;
}

bool command_selftest(unsigned count, char **arguments)
{
    if (selftest_run(count == 0 ? NULL : arguments[0]) != -ENOENT)
        return true;
    monitor_print("There is no test \"%s\".\n", count == 0 ? "" : arguments[0]);
    return false;
}

bool command_poweroff(unsigned count, char **arguments)
{
    (void)count;
    (void)arguments;
    power_exit(POWER_OFF);
}

bool command_reboot(unsigned count, char **arguments)
{
    (void)count;
    (void)arguments;
    power_reboot();
}
