#include "kernel/device/acpi/tables.h"

#include "kernel/include/errors.h"
#include "kernel/lib/string.h"

/* Fields are little-endian and not aligned. */
static uint16_t read16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t read32(const uint8_t *at)
{
    return read16(at) | (uint32_t)read16(at + 2) << 16;
}

static uint64_t read64(const uint8_t *at)
{
    return read32(at) | (uint64_t)read32(at + 4) << 32;
}

bool acpi_is_sum_zero(const uint8_t *table, size_t bytes)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + table[i]);
    return sum == 0;
}

bool acpi_has_signature(const uint8_t *table, const char *signature)
{
    return memcmp(table, signature, strlen(signature)) == 0;
}

/* Offsets: 5.2.5.3. The first 20 bytes have a checksum of their own. */
int acpi_parse_rsdp(const uint8_t *rsdp, size_t bytes, struct acpi_root *root)
{
    enum { BYTES_1 = 20, REVISION = 15, RSDT = 16, LENGTH = 20, XSDT = 24 };
    if (bytes < BYTES_1 || !acpi_has_signature(rsdp, "RSD PTR ") ||
        !acpi_is_sum_zero(rsdp, BYTES_1))
        return -EINVAL;
    *root = (struct acpi_root){read32(rsdp + RSDT), 4};
    if (rsdp[REVISION] < 2 || bytes < ACPI_RSDP_BYTES)
        return 0;
    if (read32(rsdp + LENGTH) < ACPI_RSDP_BYTES || read32(rsdp + LENGTH) > bytes ||
        !acpi_is_sum_zero(rsdp, read32(rsdp + LENGTH)))
        return 0; /* the older half is valid by itself */
    if (read64(rsdp + XSDT) != 0)
        *root = (struct acpi_root){read64(rsdp + XSDT), 8};
    return 0;
}

uint32_t acpi_table_bytes(const uint8_t *header)
{
    uint32_t bytes = read32(header + 4);
    return bytes < ACPI_HEADER_BYTES || bytes > ACPI_TABLE_BYTES_MAX ? 0 : bytes;
}

unsigned acpi_root_count(size_t table_bytes, unsigned entry_bytes)
{
    return (unsigned)((table_bytes - ACPI_HEADER_BYTES) / entry_bytes);
}

uint64_t acpi_root_entry(const uint8_t *table, unsigned entry_bytes, unsigned index)
{
    const uint8_t *at = table + ACPI_HEADER_BYTES + (size_t)index * entry_bytes;
    return entry_bytes == 8 ? read64(at) : read32(at);
}

static void take_io_apic(struct acpi_madt *madt, const uint8_t *entry)
{
    struct acpi_io_apic io_apic = {entry[2], read32(entry + 4), read32(entry + 8)};
    if (madt->io_apic_count < ACPI_IO_APICS_MAX)
        madt->io_apics[madt->io_apic_count] = io_apic;
    madt->io_apic_count++;
}

/* The entries' types and layouts: 5.2.12.2 to 5.2.12.12. */
static void take_madt_entry(struct acpi_madt *madt, const uint8_t *entry)
{
    enum { LOCAL_APIC, IO_APIC, OVERRIDE, LOCAL_APIC_ADDRESS = 5, LOCAL_X2APIC = 9 };
    const uint32_t enabled = 1;
    uint8_t type = entry[0], bytes = entry[1];
    if (type == LOCAL_APIC && bytes >= 8)
        madt->processors += read32(entry + 4) & enabled;
    else if (type == LOCAL_X2APIC && bytes >= 16)
        madt->processors += read32(entry + 8) & enabled;
    else if (type == IO_APIC && bytes >= 12)
        take_io_apic(madt, entry);
    else if (type == OVERRIDE && bytes >= 10)
        madt->override_count++;
    else if (type == LOCAL_APIC_ADDRESS && bytes >= 12)
        madt->local_apic = read64(entry + 4);
}

int acpi_parse_madt(const uint8_t *table, size_t bytes, struct acpi_madt *madt)
{
    enum { LOCAL_APIC_ADDRESS = 36, FLAGS = 40, ENTRIES = 44 };
    *madt = (struct acpi_madt){0};
    if (bytes < ENTRIES)
        return -EINVAL;
    madt->local_apic = read32(table + LOCAL_APIC_ADDRESS);
    madt->has_8259 = read32(table + FLAGS) & 1;
    /* An entry is its type, its length, the rest; one shorter than that would never end. */
    for (size_t at = ENTRIES; at + 2 <= bytes; at += table[at + 1]) {
        if (table[at + 1] < 2 || table[at + 1] > bytes - at)
            break;
        take_madt_entry(madt, table + at);
    }
    return 0;
}

/* A "generic address" (5.2.3.2): space, width, offset, access size, address. */
enum { GENERIC_ADDRESS = 4, GENERIC_BYTES = 12, SPACE_MEMORY = 0, SPACE_PORTS = 1 };

uint64_t acpi_parse_hpet(const uint8_t *table, size_t bytes)
{
    enum { BASE = 40 };
    if (bytes < BASE + GENERIC_BYTES || table[BASE] != SPACE_MEMORY)
        return 0;
    return read64(table + BASE + GENERIC_ADDRESS);
}

/* A port from the 32-bit field, or from the generic address that overrides it where the table is
 * long enough; 0 if there is none. */
static uint16_t control_port(const uint8_t *table, size_t bytes, size_t field, size_t generic)
{
    uint64_t port = read32(table + field);
    if (bytes >= generic + GENERIC_BYTES && read64(table + generic + GENERIC_ADDRESS) != 0)
        port = table[generic] == SPACE_PORTS ? read64(table + generic + GENERIC_ADDRESS) : 0;
    return port > UINT16_MAX ? 0 : (uint16_t)port;
}

int acpi_parse_fadt(const uint8_t *table, size_t bytes, struct acpi_fadt *fadt)
{
    enum {
        DSDT = 40,
        SMI_COMMAND = 48,
        ENABLE = 52,
        PM1A_CONTROL = 64,
        PM1B_CONTROL = 68,
        X_DSDT = 140,
        X_PM1A_CONTROL = 172,
        X_PM1B_CONTROL = 184,
    };
    *fadt = (struct acpi_fadt){0};
    if (bytes < PM1B_CONTROL + 4)
        return -EINVAL;
    fadt->dsdt = read32(table + DSDT);
    if (bytes >= X_DSDT + 8 && read64(table + X_DSDT) != 0)
        fadt->dsdt = read64(table + X_DSDT);
    if (read32(table + SMI_COMMAND) <= UINT16_MAX)
        fadt->smi_command = read16(table + SMI_COMMAND);
    fadt->enable = table[ENABLE];
    fadt->pm1a_control = control_port(table, bytes, PM1A_CONTROL, X_PM1A_CONTROL);
    fadt->pm1b_control = control_port(table, bytes, PM1B_CONTROL, X_PM1B_CONTROL);
    return fadt->pm1a_control == 0 ? -EINVAL : 0;
}

/* A small integer in the code (20.2.3): the number of bytes it takes, or 0 if it is none. */
static size_t read_integer(const uint8_t *code, size_t bytes, uint8_t *value)
{
    enum { ZERO = 0x00, ONE = 0x01, BYTE = 0x0A, ONES = 0xFF };
    if (bytes >= 1 && (code[0] == ZERO || code[0] == ONE || code[0] == ONES)) {
        *value = code[0];
        return 1;
    }
    if (bytes < 2 || code[0] != BYTE)
        return 0;
    *value = code[1];
    return 2;
}

/* PackageOp, the package's length (20.2.4: the top two bits of its first byte say how many bytes
 * follow), the number of elements, the elements. */
static int parse_package(const uint8_t *code, size_t bytes, struct acpi_sleep *sleep)
{
    enum { PACKAGE = 0x12 };
    uint8_t values[2];
    if (bytes < 2 || code[0] != PACKAGE)
        return -ENOENT;
    size_t at = 2 + (code[1] >> 6);
    if (at >= bytes || code[at] < 2)
        return -ENOENT;
    at++;
    for (unsigned i = 0; i < 2; i++) {
        size_t used = read_integer(code + at, bytes - at, &values[i]);
        if (used == 0)
            return -ENOENT;
        at += used;
    }
    *sleep = (struct acpi_sleep){values[0] & 7, values[1] & 7};
    return 0;
}

int acpi_find_off(const uint8_t *code, size_t bytes, struct acpi_sleep *sleep)
{
    enum { NAME = 0x08, NAME_BYTES = 4 };
    for (size_t at = 1; at + NAME_BYTES < bytes; at++) {
        if (!acpi_has_signature(code + at, "_S5_"))
            continue;
        bool is_named =
            code[at - 1] == NAME || (at >= 2 && code[at - 1] == '\\' && code[at - 2] == NAME);
        if (is_named && parse_package(code + at + NAME_BYTES, bytes - at - NAME_BYTES, sleep) == 0)
            return 0;
    }
    return -ENOENT;
}
