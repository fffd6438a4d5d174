#ifndef KERNEL_DEVICE_ACPI_TABLES_H
#define KERNEL_DEVICE_ACPI_TABLES_H

#include "kernel/include/types.h"

/*
 * Reading ACPI's tables (ACPI 6.5, chapter 5) as what they are: bytes from outside. Pure. Nothing
 * is read beyond the `bytes` that the caller has in view, whatever a length inside says.
 */
#define ACPI_RSDP_BYTES      36 /* of revision 2; revision 0 has the first 20 */
#define ACPI_HEADER_BYTES    36
#define ACPI_TABLE_BYTES_MAX (1u << 20) /* a longer table is not believed */
#define ACPI_IO_APICS_MAX    16

/* Where the root table is, and how wide its entries are: 4 bytes (RSDT) or 8 (XSDT). */
struct acpi_root {
    uint64_t address;
    unsigned entry_bytes;
};

/* Reads an RSDP of which `bytes` can be seen. 0; -EINVAL: no signature, or a checksum is wrong. */
int acpi_parse_rsdp(const uint8_t *rsdp, size_t bytes, struct acpi_root *root) MUST_CHECK;

/* The length that a table's header claims; 0 if it cannot be: below a header, above
 * ACPI_TABLE_BYTES_MAX. `header` has ACPI_HEADER_BYTES. */
uint32_t acpi_table_bytes(const uint8_t *header);

/* The whole table's bytes sum up to 0 (5.2.6). */
bool acpi_is_sum_zero(const uint8_t *table, size_t bytes);

bool acpi_has_signature(const uint8_t *table, const char *signature);

/* How many entries the root table has, and one of them. */
unsigned acpi_root_count(size_t table_bytes, unsigned entry_bytes);
uint64_t acpi_root_entry(const uint8_t *table, unsigned entry_bytes, unsigned index);

/* The interrupt controllers (5.2.12). */
struct acpi_io_apic {
    uint8_t id;
    uint32_t address;
    uint32_t first_interrupt;
};

struct acpi_madt {
    uint64_t local_apic;    /* physical address */
    unsigned processors;    /* that are enabled */
    unsigned io_apic_count; /* of them, the first ACPI_IO_APICS_MAX are below */
    unsigned override_count;
    bool has_8259;
    struct acpi_io_apic io_apics[ACPI_IO_APICS_MAX];
};

/* `table` has a valid header and `bytes` bytes; entries that do not fit end the walk. -EINVAL: too
 * short. */
int acpi_parse_madt(const uint8_t *table, size_t bytes, struct acpi_madt *madt) MUST_CHECK;

/* The physical address of the HPET's registers (IA-PC HPET specification 1.0a, 3.2.4); 0 if they
 * are not memory. */
uint64_t acpi_parse_hpet(const uint8_t *table, size_t bytes);

/* What switching off needs (5.2.9). */
struct acpi_fadt {
    uint64_t dsdt;                       /* physical address */
    uint16_t smi_command;                /* port; 0: always in ACPI mode */
    uint8_t enable;                      /* what to write there to enter ACPI mode */
    uint16_t pm1a_control, pm1b_control; /* ports; the second is 0 where there is none */
};

/* -EINVAL: too short, or the control block is not in the ports. */
int acpi_parse_fadt(const uint8_t *table, size_t bytes, struct acpi_fadt *fadt) MUST_CHECK;

/* The sleep types of the state "off" (7.4.2): the two numbers to write to the control registers. */
struct acpi_sleep {
    uint8_t type_a, type_b;
};

/* Looks for the definition `Name (_S5_, Package () {...})` in the DSDT's bytes without interpreting
 * the rest of the code (20.2: NameOp, an optional root prefix, the name, PackageOp). 0, -ENOENT.
 * O(bytes). */
int acpi_find_off(const uint8_t *code, size_t bytes, struct acpi_sleep *sleep) MUST_CHECK;

#endif
