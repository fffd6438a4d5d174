#define _GNU_SOURCE
#include "tests/unit/host/mmu.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/unit/host/platform.h"
#include "tests/unit/test.h"

#define FAULT_WRITE 2 /* page-fault error code: Intel SDM 3A, 4.7 */

static uintptr_t window_start, window_end;
static host_translation translate;
static sigjmp_buf probe;
static volatile sig_atomic_t is_probing;

static void forget(uintptr_t start, uintptr_t end)
{
    void *at = mmap((void *)start, end - start, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    CHECK(at == (void *)start);
}

static void on_flush(uintptr_t address)
{
    if (address == 0)
        forget(window_start, window_end);
    else if (address >= window_start && address < window_end)
        forget(address & ~(uintptr_t)(FRAME_SIZE - 1),
               (address & ~(uintptr_t)(FRAME_SIZE - 1)) + FRAME_SIZE);
}

static bool show(uintptr_t address, bool is_write)
{
    struct host_mapping mapping = translate(address);
    uintptr_t page = address & ~(uintptr_t)(FRAME_SIZE - 1);
    int rights = PROT_READ | (mapping.is_writable ? PROT_WRITE : 0);
    if (mapping.frame == FRAME_NONE || (is_write && !mapping.is_writable))
        return false;
    return mmap((void *)page, FRAME_SIZE, rights, MAP_SHARED | MAP_FIXED, host_ram_file,
                (off_t)mapping.frame * FRAME_SIZE) == (void *)page;
}

static void on_fault(int number, siginfo_t *information, void *context)
{
    uintptr_t address = (uintptr_t)information->si_addr;
    const ucontext_t *state = context;
    bool is_write = (state->uc_mcontext.gregs[REG_ERR] & FAULT_WRITE) != 0;
    (void)number;
    if (address >= window_start && address < window_end && show(address, is_write))
        return;
    if (is_probing)
        siglongjmp(probe, 1);
    test_fail(__FILE__, __LINE__, "%s of %p, code at %#lx", is_write ? "write" : "read",
              (void *)address,
              (unsigned long)state->uc_mcontext.gregs[
#ifdef __x86_64__
                  REG_RIP
#else
                  REG_EIP
#endif
    ]);
}

void host_mmu_start(uintptr_t start, uintptr_t end, host_translation translation)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (window_end == 0) {
        void *at = mmap((void *)start, end - start, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        if (at != (void *)start) {
            perror("host_mmu_start: the window is not free");
            exit(1);
        }
        CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
        CHECK(sigaction(SIGBUS, &action, NULL) == 0);
    }
    CHECK(window_end == 0 || (window_start == start && window_end == end));
    window_start = start;
    window_end = end;
    translate = translation;
    host_on_flush = on_flush;
    forget(start, end);
}

bool host_mmu_faults(uintptr_t address)
{
    bool faulted = true;
    is_probing = 1;
    if (sigsetjmp(probe, 1) == 0) {
        (void)*(volatile unsigned char *)address;
        faulted = false;
    }
    is_probing = 0;
    return faulted;
}
