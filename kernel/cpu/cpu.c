#include "kernel/cpu/cpu.h"

#include <cpuid.h>

#include "kernel/cpu/cache.h"
#include "kernel/cpu/fault.h"
#include "kernel/cpu/fpu.h"
#include "kernel/cpu/registers.h"
#include "kernel/cpu/segments.h"
#include "kernel/cpu/trap.h"
#include "kernel/include/log.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/memory/platform.h"

/* CPUID leaves and what they answer in (Intel SDM 2A, CPUID). */
#define LEAF_VENDOR   0u
#define LEAF_FEATURES 1u
#define LEAF_EXTENDED 7u
#define LEAF_MAXIMUM  0x80000000u
#define LEAF_AMD      0x80000001u
#define LEAF_NAME     0x80000002u /* and the next two */
#define LEAF_WIDTHS   0x80000008u

enum cpuid_source { LEAF_1_EDX, LEAF_7_EBX, LEAF_7_ECX, LEAF_AMD_EDX, ALWAYS, SOURCE_COUNT };

/* Where a feature is announced, and the bit of CR4 that switches it on (0: none, or elsewhere). */
static const struct {
    const char *name;
    enum cpuid_source source;
    uint32_t bit;
    uint32_t cr4;
} features[CPU_FEATURE_COUNT] = {
    [CPU_PAE] = {"pae", LEAF_1_EDX, 6, CR4_PAE},
    [CPU_NX] = {"nx", LEAF_AMD_EDX, 20, 0},
    [CPU_PGE] = {"pge", LEAF_1_EDX, 13, CR4_PGE},
    [CPU_PAT] = {"pat", LEAF_1_EDX, 16, 0},
    [CPU_WP] = {"wp", ALWAYS, 0, 0},
    [CPU_SMEP] = {"smep", LEAF_7_EBX, 7, CR4_SMEP},
    [CPU_SMAP] = {"smap", LEAF_7_EBX, 20, CR4_SMAP},
    [CPU_UMIP] = {"umip", LEAF_7_ECX, 2, CR4_UMIP},
    [CPU_MCE] = {"mce", LEAF_1_EDX, 7, CR4_MCE},
    [CPU_MCA] = {"mca", LEAF_1_EDX, 14, 0},
    [CPU_PSE] = {"pse", LEAF_1_EDX, 3, 0},
    [CPU_PSE36] = {"pse36", LEAF_1_EDX, 17, 0},
    [CPU_TSC] = {"tsc", LEAF_1_EDX, 4, 0},
    [CPU_FXSR] = {"fxsr", LEAF_1_EDX, 24, CR4_OSFXSR},
    [CPU_SSE] = {"sse", LEAF_1_EDX, 25, CR4_OSXMMEXCPT},
    [CPU_APIC] = {"apic", LEAF_1_EDX, 9, 0},
    [CPU_MTRR] = {"mtrr", LEAF_1_EDX, 12, 0},
};

/* Types 0 to 3 and again 4 to 7: write-back, write-combining, UC-, uncached (Intel SDM 3A, 11.12).
 */
#define PAT_VALUE 0x0007010600070106ull

static struct cpu_description description;

const struct cpu_description *cpu_description(void)
{
    return &description;
}

const char *cpu_feature_name(enum cpu_feature feature)
{
    return features[feature].name;
}

static void read_features(void)
{
    uint32_t eax, ebx, ecx, edx;
    uint32_t words[SOURCE_COUNT] = {[ALWAYS] = 1};
    __cpuid(LEAF_FEATURES, eax, ebx, ecx, edx);
    words[LEAF_1_EDX] = edx;
    description.stepping = eax & 15;
    description.model = eax >> 4 & 15;
    description.family = eax >> 8 & 15;
    if (description.family == 6 || description.family == 15)
        description.model += eax >> 12 & 0xF0;
    if (description.family == 15)
        description.family += eax >> 20 & 0xFF;
    if (__get_cpuid_count(LEAF_EXTENDED, 0, &eax, &ebx, &ecx, &edx)) {
        words[LEAF_7_EBX] = ebx;
        words[LEAF_7_ECX] = ecx;
    }
    if (__get_cpuid(LEAF_AMD, &eax, &ebx, &ecx, &edx))
        words[LEAF_AMD_EDX] = edx;
    for (unsigned i = 0; i < CPU_FEATURE_COUNT; i++)
        description.has |= (words[features[i].source] >> features[i].bit & 1) << i;
}

static void read_names(void)
{
    uint32_t eax, registers[12];
    __cpuid(LEAF_VENDOR, eax, registers[0], registers[2], registers[1]);
    memcpy(description.vendor, registers, sizeof(description.vendor) - 1);
    __cpuid(LEAF_MAXIMUM, eax, registers[0], registers[1], registers[2]);
    if (eax < LEAF_NAME + 2 || eax < LEAF_MAXIMUM)
        return;
    for (unsigned i = 0; i < 3; i++)
        __cpuid(LEAF_NAME + i, registers[4 * i], registers[4 * i + 1], registers[4 * i + 2],
                registers[4 * i + 3]);
    memcpy(description.name, registers, sizeof(description.name) - 1);
}

/* Where the processor does not say how wide its physical addresses are, 36-bit page-size extension
 * means 36 bits. */
static unsigned read_physical_bits(void)
{
    uint32_t eax, ebx, ecx, edx;
    if (!__get_cpuid(LEAF_WIDTHS, &eax, &ebx, &ecx, &edx) || (eax & 0xFF) < 32)
        return cpu_has(CPU_PSE36) ? 36 : 32;
    return (eax & 0xFF) > 52 ? 52 : eax & 0xFF;
}

static void load_pat(void)
{
    struct cache_state saved = cache_stop();
    write_msr(MSR_PAT, PAT_VALUE);
    cache_resume(saved);
}

static void switch_on(enum cpu_feature feature)
{
    if (!cpu_has(feature))
        return;
    if (features[feature].cr4 != 0)
        write_cr4(read_cr4() | features[feature].cr4);
    else if (feature == CPU_NX)
        write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_NXE);
    else if (feature == CPU_PAT)
        load_pat();
    else if (feature == CPU_WP)
        write_cr0(read_cr0() | CR0_WP | CR0_NE);
    description.on |= 1u << feature;
}

static bool is_on(enum cpu_feature feature)
{
    return description.on >> feature & 1;
}

static void say_what_is_on(void)
{
    char list[80];
    int length = 0;
    for (unsigned i = CPU_PAE; i <= CPU_MCE; i++)
        if (is_on(i))
            length += format_text(list + length, sizeof(list) - (unsigned)length, " %s",
                                  features[i].name);
    log_line("processor: %s family %u model %u, %u-bit physical addresses", description.vendor,
             description.family, description.model, description.physical_bits);
    log_line("processor: on:%s", list);
    if (!is_on(CPU_NX))
        log_line("processor: no execute protection: what is writable can be executed");
}

void cpu_init(void)
{
    segments_init();
    trap_init();
    write_cr0(read_cr0() & ~(CR0_CD | CR0_NW)); /* a loader may have left the caches off */
    read_names();
    read_features();
    description.physical_bits = read_physical_bits();
    for (unsigned feature = CPU_PAE; feature < CPU_MCE; feature++)
        switch_on(feature);
    switch_on(CPU_FXSR);
    switch_on(CPU_SSE);
    fpu_init();
    fault_init();
    switch_on(CPU_MCE);
    platform_features = (struct platform_features){
        .no_execute = is_on(CPU_NX),
        .global_pages = is_on(CPU_PGE),
        .pat = is_on(CPU_PAT),
        .physical_bits = (uint8_t)description.physical_bits,
    };
    say_what_is_on();
}

void cpu_idle(void)
{
    __asm__ volatile("sti\n\thlt" : : : "memory");
}

void cpu_interrupts_on(void)
{
    __asm__ volatile("sti" : : : "memory");
}
