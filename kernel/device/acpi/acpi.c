#include "kernel/device/acpi/acpi.h"

#include "kernel/cpu/cpu.h"
#include "kernel/cpu/ports.h"
#include "kernel/cpu/registers.h"
#include "kernel/device/acpi/tables.h"
#include "kernel/device/power/power.h"
#include "kernel/include/log.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"

#define ROOT_ENTRIES_MAX      256
#define REGISTERS_APIC        4096
#define REGISTERS_IO_APIC     32
#define REGISTERS_HPET        1024
#define PM1_SCI_ENABLED       (1u << 0) /* 4.8.3.2.1: the machine is in ACPI mode */
#define PM1_SLEEP_TYPE_SHIFT  10
#define PM1_SLEEP_TYPE        (7u << PM1_SLEEP_TYPE_SHIFT)
#define PM1_SLEEP             (1u << 13)
#define PORT_READS_OF_SECONDS 3000000 /* a port read takes about a microsecond */

/* Physical memory in sight for a moment. */
struct view {
    const uint8_t *bytes; /* NULL: it cannot be seen */
    void *mapping;        /* what to unmap; NULL: nothing */
    uint32_t pages;
};

static volatile void *local_apic, *hpet;
static struct acpi_fadt fadt;
static struct acpi_sleep off_types;

volatile void *acpi_local_apic(void)
{
    return local_apic;
}

volatile void *acpi_hpet(void)
{
    return hpet;
}

/*
 * The firmware's row is mapped as it is, uncached in its lower part: what lies there is read there,
 * so that no frame has two cache types. Everything else is firmware memory or RAM, seen write-back
 * through the temporary row.
 */
static struct view view_open(uint64_t address, uint32_t bytes)
{
    uint64_t end = address + bytes;
    struct view view = {NULL, NULL, 0};
    if (bytes == 0 || end < address || end > 1ull << platform_features.physical_bits)
        return view;
    if (address >= MAP_LOW_RAM_END && end <= MAP_FIRMWARE_END) {
        view.bytes = (const uint8_t *)(uintptr_t)address;
        return view;
    }
    if (address < MAP_FIRMWARE_END && end > MAP_LOW_RAM_END)
        return view;
    view.pages = frame_of(end - 1) - frame_of(address) + 1;
    view.mapping = paging_map_temporary(frame_of(address), view.pages, 0);
    if (view.mapping != NULL)
        view.bytes = (const uint8_t *)view.mapping + address % PAGE_SIZE;
    return view;
}

static void view_close(struct view *view)
{
    if (view->mapping != NULL)
        paging_unmap_temporary(view->mapping, view->pages);
}

/* The table at an address, whole and with a right sum; bytes is NULL and the log has a line if
 * there is none such. */
static struct view table_open(uint64_t address, uint32_t *bytes)
{
    struct view header = view_open(address, ACPI_HEADER_BYTES);
    *bytes = header.bytes != NULL ? acpi_table_bytes(header.bytes) : 0;
    view_close(&header);
    struct view table = view_open(address, *bytes);
    if (table.bytes == NULL) {
        log_line("acpi: the table at 0x%llx cannot be read", (unsigned long long)address);
        return table;
    }
    /* The length is read once: what is summed and parsed is what was mapped. */
    if (!acpi_is_sum_zero(table.bytes, *bytes)) {
        log_line("acpi: the %.4s at 0x%llx has a wrong checksum and is left alone",
                 (const char *)table.bytes, (unsigned long long)address);
        view_close(&table);
        table.bytes = NULL;
    }
    return table;
}

static volatile uint32_t *register_at(volatile void *registers, unsigned offset)
{
    return (volatile uint32_t *)((volatile uint8_t *)registers + offset);
}

/* Intel SDM 3A, 11.4.6 and 11.4.8. */
static void start_local_apic(paddr_t address)
{
    enum { ID = 0x20, VERSION = 0x30 };
    if (!cpu_has(CPU_APIC) || local_apic != NULL)
        return;
    local_apic = paging_map_device(address, REGISTERS_APIC);
    if (local_apic == NULL) {
        log_line("acpi: the local APIC at 0x%llx cannot be mapped", (unsigned long long)address);
        return;
    }
    log_line("acpi: local APIC %u, version 0x%02x, at 0x%llx, seen at 0x%08x",
             *register_at(local_apic, ID) >> 24, *register_at(local_apic, VERSION) & 0xFF,
             (unsigned long long)address, (uint32_t)local_apic);
}

/* Without tables, the processor itself knows where its own is (Intel SDM 3A, 11.4.4). */
static void start_local_apic_without_tables(void)
{
    uint64_t base = cpu_has(CPU_APIC) ? read_msr(MSR_APIC_BASE) : 0;
    if (base & APIC_BASE_ENABLED)
        start_local_apic(base & ((1ull << platform_features.physical_bits) - FRAME_SIZE));
}

/* Intel 82093AA, 3.1 and 3.2: an index register, and a window to what it names. */
static void start_io_apic(const struct acpi_io_apic *io_apic)
{
    enum { INDEX = 0x00, WINDOW = 0x10, VERSION = 1 };
    volatile void *registers = paging_map_device(io_apic->address, REGISTERS_IO_APIC);
    if (registers == NULL) {
        log_line("acpi: the I/O APIC at 0x%x cannot be mapped", io_apic->address);
        return;
    }
    *register_at(registers, INDEX) = VERSION;
    uint32_t last_input = *register_at(registers, WINDOW) >> 16 & 0xFF;
    log_line("acpi: I/O APIC %u, inputs %u to %u, at 0x%x, seen at 0x%08x", io_apic->id,
             io_apic->first_interrupt, io_apic->first_interrupt + last_input, io_apic->address,
             (uint32_t)registers);
}

static void take_madt(const uint8_t *table, uint32_t bytes)
{
    struct acpi_madt madt;
    if (acpi_parse_madt(table, bytes, &madt) != 0)
        return;
    log_line("acpi: %u processor%s, %u I/O APIC%s, %u interrupt override%s", madt.processors,
             madt.processors == 1 ? "" : "s", madt.io_apic_count,
             madt.io_apic_count == 1 ? "" : "s", madt.override_count,
             madt.override_count == 1 ? "" : "s");
    start_local_apic(madt.local_apic);
    for (unsigned i = 0; i < madt.io_apic_count && i < ACPI_IO_APICS_MAX; i++)
        start_io_apic(&madt.io_apics[i]);
}

/* IA-PC HPET specification 1.0a, 2.3.4: the capabilities, and the clock's period in femtoseconds.
 */
static void take_hpet(const uint8_t *table, uint32_t bytes)
{
    const uint64_t femtoseconds = 1000000000000; /* of a millisecond */
    uint64_t address = acpi_parse_hpet(table, bytes);
    if (address == 0 || hpet != NULL)
        return;
    hpet = paging_map_device(address, REGISTERS_HPET);
    if (hpet == NULL) {
        log_line("acpi: the HPET at 0x%llx cannot be mapped", (unsigned long long)address);
        return;
    }
    uint32_t capabilities = *register_at(hpet, 0), period = *register_at(hpet, 4);
    log_line("acpi: HPET, %u timers, %llu kHz, at 0x%llx, seen at 0x%08x",
             (capabilities >> 8 & 31) + 1,
             period == 0 ? 0 : (unsigned long long)(femtoseconds / period),
             (unsigned long long)address, (uint32_t)hpet);
}

static void write_control(uint16_t port, uint8_t type)
{
    uint32_t value = port_read16(port) & ~(PM1_SLEEP_TYPE | PM1_SLEEP);
    port_write16(port, (uint16_t)(value | (uint32_t)type << PM1_SLEEP_TYPE_SHIFT | PM1_SLEEP));
}

/* 7.4.2.4, and 4.8.2.5: outside of ACPI mode the firmware keeps the control registers to itself. */
static void switch_off(void)
{
    bool is_on = port_read16(fadt.pm1a_control) & PM1_SCI_ENABLED;
    if (!is_on && fadt.smi_command != 0 && fadt.enable != 0)
        port_write8(fadt.smi_command, fadt.enable);
    for (uint32_t i = 0; !is_on && fadt.smi_command != 0 && i < PORT_READS_OF_SECONDS; i++)
        is_on = port_read16(fadt.pm1a_control) & PM1_SCI_ENABLED;
    write_control(fadt.pm1a_control, off_types.type_a);
    if (fadt.pm1b_control != 0)
        write_control(fadt.pm1b_control, off_types.type_b);
    for (uint32_t i = 0; i < PORT_READS_OF_SECONDS; i++)
        port_read16(fadt.pm1a_control);
}

static void take_fadt(const uint8_t *table, uint32_t bytes)
{
    uint32_t code_bytes;
    if (acpi_parse_fadt(table, bytes, &fadt) != 0) {
        log_line("acpi: the FACP does not say how to switch off");
        return;
    }
    struct view code = table_open(fadt.dsdt, &code_bytes);
    int result = code.bytes == NULL ? -1 : acpi_find_off(code.bytes, code_bytes, &off_types);
    view_close(&code);
    if (result != 0) {
        log_line("acpi: no sleep type for \"off\" found in the DSDT");
        return;
    }
    power_register_off(switch_off);
    log_line("acpi: switching off by port 0x%x, sleep type %u", fadt.pm1a_control,
             off_types.type_a);
}

static void take_table(uint64_t address)
{
    static const struct {
        const char *signature;
        void (*take)(const uint8_t *table, uint32_t bytes);
    } known[] = {{"APIC", take_madt}, {"HPET", take_hpet}, {"FACP", take_fadt}};
    uint32_t bytes;
    struct view table = table_open(address, &bytes);
    if (table.bytes == NULL)
        return;
    for (unsigned i = 0; i < ARRAY_COUNT(known); i++)
        if (acpi_has_signature(table.bytes, known[i].signature))
            known[i].take(table.bytes, bytes);
    view_close(&table);
}

static void take_root(const struct acpi_root *root)
{
    uint32_t bytes;
    struct view table = table_open(root->address, &bytes);
    if (table.bytes == NULL)
        return;
    unsigned count = acpi_root_count(bytes, root->entry_bytes);
    log_line("acpi: %.4s at 0x%llx names %u tables", (const char *)table.bytes,
             (unsigned long long)root->address, count);
    for (unsigned i = 0; i < count && i < ROOT_ENTRIES_MAX; i++) {
        uint64_t address = acpi_root_entry(table.bytes, root->entry_bytes, i);
        if (address != 0)
            take_table(address);
    }
    view_close(&table);
}

static int read_root(uint64_t address, struct acpi_root *root)
{
    struct view rsdp = view_open(address, ACPI_RSDP_BYTES);
    int result = rsdp.bytes == NULL ? -1 : acpi_parse_rsdp(rsdp.bytes, ACPI_RSDP_BYTES, root);
    view_close(&rsdp);
    return result;
}

/* 5.2.5.1: on a 16-byte boundary of the BIOS's area, or in the EBDA, of which the part that the map
 * keeps mapped is searched. */
static int find_root(struct acpi_root *root)
{
    enum { STEP = 16 };
    for (uint32_t at = MAP_BIOS_START; at + ACPI_RSDP_BYTES <= MAP_FIRMWARE_END; at += STEP)
        if (read_root(at, root) == 0)
            return 0;
    for (uint32_t at = MAP_LOW_RAM_END; at < MAP_VIDEO_START; at += STEP)
        if (read_root(at, root) == 0)
            return 0;
    return -1;
}

void acpi_init(uint32_t rsdp)
{
    struct acpi_root root;
    if ((rsdp == 0 || read_root(rsdp, &root) != 0) && find_root(&root) != 0) {
        log_line("acpi: this machine has none");
        start_local_apic_without_tables();
        return;
    }
    take_root(&root);
}
