#include "kernel/cpu/fpu.h"

#include "kernel/cpu/cpu.h"
#include "kernel/cpu/registers.h"
#include "kernel/lib/string.h"

/* Offsets of FXSAVE's format. */
#define FXSAVE_CONTROL    0
#define FXSAVE_STATUS     2
#define FXSAVE_MXCSR      24
#define FXSAVE_MXCSR_MASK 28
#define FXSAVE_MXCSR_OLD  0x0000FFBFu /* where the mask is zero (Intel SDM 1, 11.6.6) */
#define MXCSR_FRESH       0x1F80u
#define MXCSR_MASKS_SHIFT 7
#define EXCEPTIONS        0x3Fu
/* Of FNSAVE's. */
#define FNSAVE_CONTROL 0
#define FNSAVE_STATUS  4

static uint8_t fresh[FPU_STATE_BYTES] __attribute__((aligned(16)));
static bool has_fxsave;
static uint32_t mxcsr_mask;

static uint32_t word_at(const void *state, size_t offset)
{
    uint32_t value;
    memcpy(&value, (const uint8_t *)state + offset, sizeof(value));
    return value;
}

static inline void save(void *state)
{
    if (has_fxsave)
        __asm__ volatile("fxsave (%0)" : : "r"(state) : "memory");
    else
        __asm__ volatile("fnsave (%0)\n\tfwait" : : "r"(state) : "memory");
}

static inline void load(const void *state)
{
    if (has_fxsave)
        __asm__ volatile("fxrstor (%0)" : : "r"(state) : "memory");
    else
        __asm__ volatile("frstor (%0)" : : "r"(state) : "memory");
}

void fpu_init(void)
{
    write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
    has_fxsave = cpu_has(CPU_FXSR);
    __asm__ volatile("fninit");
    save(fresh);
    if (!has_fxsave)
        return;
    /* Registers that nobody has written hold what was there before. */
    mxcsr_mask = word_at(fresh, FXSAVE_MXCSR_MASK);
    if (mxcsr_mask == 0)
        mxcsr_mask = FXSAVE_MXCSR_OLD;
    memset(fresh + 32, 0, sizeof(fresh) - 32);
    const uint32_t mxcsr = MXCSR_FRESH;
    memcpy(fresh + FXSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
}

bool fpu_has_fxsave(void)
{
    return has_fxsave;
}

void fpu_reset(void *state)
{
    memcpy(state, fresh, sizeof(fresh));
}

void fpu_save(void *state)
{
    save(state);
    if (!has_fxsave)
        load(state); /* FNSAVE emptied the registers */
}

void fpu_load(void *state)
{
    if (has_fxsave) {
        uint32_t mxcsr = word_at(state, FXSAVE_MXCSR) & mxcsr_mask;
        memcpy((uint8_t *)state + FXSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
    }
    load(state);
}

uint32_t fpu_x87_raised(const void *state)
{
    uint32_t control = word_at(state, has_fxsave ? FXSAVE_CONTROL : FNSAVE_CONTROL);
    uint32_t status = word_at(state, has_fxsave ? FXSAVE_STATUS : FNSAVE_STATUS);
    return status & ~control & EXCEPTIONS;
}

uint32_t fpu_sse_raised(const void *state)
{
    if (!has_fxsave)
        return 0;
    uint32_t mxcsr = word_at(state, FXSAVE_MXCSR);
    return mxcsr & ~(mxcsr >> MXCSR_MASKS_SHIFT) & EXCEPTIONS;
}

void fpu_switch(void *from, void *to)
{
    if (from != NULL)
        save(from);
    if (to != NULL)
        load(to);
}
