#include <cpuid.h>

#include "kernel/file/files.h"
#include "kernel/file/random.h"
#include "kernel/lib/string.h"
#include "kernel/thread/clock.h"
#include "kernel/thread/thread.h"

/*
 * ChaCha20 (RFC 8439, 2.3) as a generator that erases its key: of each block the first half is the
 * next key and only the second half goes out, so whoever reads the state later cannot tell what
 * went out before. Each call mixes in what RDRAND or the clocks say.
 */
#define KEY_WORDS     8
#define BLOCK_WORDS   RANDOM_BLOCK_WORDS
#define RDRAND_TRIES  10
#define JITTER_BLOCKS 64u        /* without RDRAND */
#define CPUID_RDRAND  (1u << 30) /* CPUID 1, ECX */
#define CPUID_TSC     (1u << 4)  /* CPUID 1, EDX */

static uint32_t key[KEY_WORDS]; /* changed without preemption */
static uint32_t blocks;
static bool is_seeded, has_rdrand, has_tsc;

static uint32_t rotated(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a += *b, *d = rotated(*d ^ *a, 16);
    *c += *d, *b = rotated(*b ^ *c, 12);
    *a += *b, *d = rotated(*d ^ *a, 8);
    *c += *d, *b = rotated(*b ^ *c, 7);
}

void random_block(const uint32_t state[BLOCK_WORDS], uint32_t out[BLOCK_WORDS])
{
    memcpy(out, state, BLOCK_WORDS * sizeof(*out));
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 4; i++)
            quarter(&out[i], &out[i + 4], &out[i + 8], &out[i + 12]);
        for (unsigned i = 0; i < 4; i++)
            quarter(&out[i], &out[(i + 1) % 4 + 4], &out[(i + 2) % 4 + 8], &out[(i + 3) % 4 + 12]);
    }
    for (unsigned i = 0; i < BLOCK_WORDS; i++)
        out[i] += state[i];
}

static bool read_rdrand(uint32_t *value)
{
    for (unsigned i = 0; i < RDRAND_TRIES; i++) {
        uint8_t is_good;
        __asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(*value), "=q"(is_good) : : "cc");
        if (is_good)
            return true;
    }
    return false;
}

/* What the clocks say at this moment; of it the lowest bits are hard to guess on a real machine. */
static uint32_t read_clocks(void)
{
    uint64_t now = clock_monotonic_ns();
    return (uint32_t)now ^ (uint32_t)(now >> 32) ^ (has_tsc ? (uint32_t)__builtin_ia32_rdtsc() : 0);
}

static void next_block(uint32_t out[BLOCK_WORDS])
{
    uint32_t state[BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t fresh;
    memcpy(state + 4, key, sizeof(key));
    state[12] = blocks++;
    state[13] = read_clocks();
    if (has_rdrand && read_rdrand(&fresh))
        state[14] = fresh;
    random_block(state, out);
    memcpy(key, out, sizeof(key));
}

static void seed(void)
{
    unsigned eax, ebx, ecx = 0, edx = 0;
    uint32_t block[BLOCK_WORDS];
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx)) {
        has_rdrand = ecx & CPUID_RDRAND;
        has_tsc = edx & CPUID_TSC;
    }
    key[0] ^= (uint32_t)clock_wall_ns();
    for (unsigned i = 0; i < (has_rdrand ? KEY_WORDS : JITTER_BLOCKS); i++) {
        for (unsigned word = 0; word < KEY_WORDS; word++)
            key[word] = rotated(key[word], 5) ^ read_clocks();
        next_block(block);
    }
    is_seeded = true;
}

bool random_is_strong(void)
{
    return has_rdrand;
}

void random_fill(void *buffer, size_t bytes)
{
    uint8_t *at = buffer;
    uint32_t block[BLOCK_WORDS];
    const size_t half = sizeof(block) - sizeof(key);
    while (bytes > 0) {
        size_t piece = bytes < half ? bytes : half;
        preempt_disable();
        if (!is_seeded)
            seed();
        next_block(block);
        preempt_enable();
        memcpy(at, block + KEY_WORDS, piece);
        at += piece;
        bytes -= piece;
    }
    memset(block, 0, sizeof(block));
}
