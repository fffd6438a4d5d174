/* mmap's flags */
#define _GNU_SOURCE
#include "tests/unit/start_loader.h"

#include <setjmp.h>
#include <sys/mman.h>

#include "tests/unit/test.h"

#define GUARD_BYTES 4096u
#define LOWEST      0x44000000u
#define HIGHEST     0x74000000u
#define STEP        0x01000000u

static jmp_buf refused;
static const char *sentence;
static bool is_expected;

static unsigned char *reserve(void)
{
    for (uintptr_t at = LOWEST; at < HIGHEST; at += STEP) {
        void *memory = mmap((void *)at, LOADER_BYTES + GUARD_BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (memory == (void *)at) {
            CHECK(mprotect((char *)memory + LOADER_BYTES, GUARD_BYTES, PROT_NONE) == 0);
            return memory;
        }
    }
    test_fail(__FILE__, __LINE__, "no room for a loader's memory");
}

unsigned char *loader_memory(void)
{
    static unsigned char *memory;
    if (memory == NULL)
        memory = reserve();
    memset(memory, 0, LOADER_BYTES);
    return memory;
}

uint32_t loader_address(const void *byte)
{
    return (uint32_t)(uintptr_t)byte;
}

_Noreturn void start_refuse(const char *given)
{
    if (!is_expected)
        test_fail(__FILE__, __LINE__, "refused: %s", given);
    sentence = given;
    longjmp(refused, 1);
}

const char *loader_refusal(void (*call)(void *context), void *context)
{
    sentence = NULL;
    is_expected = true;
    if (setjmp(refused) == 0)
        call(context);
    is_expected = false;
    return sentence;
}
