// Two programs with different contents in every register, interrupted at any moment: neither sees
// the other's.
#include "check.h"

#include <sys/time.h>

#define ROUNDS 400

struct contents {
    uint32_t general[6]; /* eax, ebx, ecx, edx, esi, edi; ebp and flags besides */
    uint32_t ebp, flags;
    double stack[8];
    uint8_t xmm[8][16];
    uint16_t control;
    uint32_t mxcsr;
} __attribute__((aligned(16)));

static void fill(struct contents *of, unsigned seed)
{
    memset(of, 0, sizeof *of);
    for (unsigned i = 0; i < 6; i++)
        of->general[i] = seed * 0x01010101u + i;
    of->ebp = seed * 0x11111111u;
    of->flags = 0x202 | (seed & 1 ? 0x8D5 : 0); /* carry, parity, auxiliary, zero, sign, overflow */
    for (unsigned i = 0; i < 8; i++)
        of->stack[i] = seed * 1000.5 + i;
    for (unsigned i = 0; i < 8; i++)
        memset(of->xmm[i], (int)(seed * 16 + i), 16);
    of->control = seed & 1 ? 0x037F : 0x0F7F; /* how it rounds */
    of->mxcsr = seed & 1 ? 0x1F80 : 0x7F80;
}

/*
 * Loads every register, spins for a while without a call, stores them all again.
 *
 *      ecx counts the spins, so it is the one that is not compared; esp is the stack's.
 */
void hold(const struct contents *in, struct contents *out, unsigned spins);
__asm__(".globl hold\n"
        "hold:\n"
        "    pushal\n"
        "    pushfl\n"
        "    movl 40(%esp), %esi\n" /* in, behind 8 registers, the flags and the return address */
        "    fninit\n"
        "    fldcw 224(%esi)\n"
        "    ldmxcsr 228(%esi)\n"
        "    fldl 32(%esi)\n    fldl 40(%esi)\n    fldl 48(%esi)\n    fldl 56(%esi)\n"
        "    fldl 64(%esi)\n    fldl 72(%esi)\n    fldl 80(%esi)\n    fldl 88(%esi)\n"
        "    movups 96(%esi), %xmm0\n    movups 112(%esi), %xmm1\n"
        "    movups 128(%esi), %xmm2\n    movups 144(%esi), %xmm3\n"
        "    movups 160(%esi), %xmm4\n    movups 176(%esi), %xmm5\n"
        "    movups 192(%esi), %xmm6\n    movups 208(%esi), %xmm7\n"
        "    movl 48(%esp), %ecx\n"
        "    pushl 28(%esi)\n"
        "    movl (%esi), %eax\n    movl 4(%esi), %ebx\n    movl 12(%esi), %edx\n"
        "    movl 20(%esi), %edi\n    movl 24(%esi), %ebp\n    movl 16(%esi), %esi\n"
        "    popfl\n"
        "1:  loop 1b\n" /* the one loop that leaves the flags alone */
        "    pushfl\n"
        "    pushl %esi\n"
        "    movl 52(%esp), %esi\n" /* out: two more words are on the stack */
        "    movl %eax, (%esi)\n    movl %ebx, 4(%esi)\n    movl %edx, 12(%esi)\n"
        "    movl %edi, 20(%esi)\n    movl %ebp, 24(%esi)\n"
        "    popl 16(%esi)\n"
        "    popl 28(%esi)\n"
        "    fnstcw 224(%esi)\n"
        "    stmxcsr 228(%esi)\n"
        "    fstpl 88(%esi)\n    fstpl 80(%esi)\n    fstpl 72(%esi)\n    fstpl 64(%esi)\n"
        "    fstpl 56(%esi)\n    fstpl 48(%esi)\n    fstpl 40(%esi)\n    fstpl 32(%esi)\n"
        "    movups %xmm0, 96(%esi)\n    movups %xmm1, 112(%esi)\n"
        "    movups %xmm2, 128(%esi)\n    movups %xmm3, 144(%esi)\n"
        "    movups %xmm4, 160(%esi)\n    movups %xmm5, 176(%esi)\n"
        "    movups %xmm6, 192(%esi)\n    movups %xmm7, 208(%esi)\n"
        "    fninit\n"
        "    popfl\n"
        "    popal\n"
        "    ret\n");

_Static_assert(offsetof(struct contents, stack) == 32 && offsetof(struct contents, xmm) == 96 &&
                   offsetof(struct contents, control) == 224 &&
                   offsetof(struct contents, mxcsr) == 228,
               "the offsets above");

static int hold_and_compare(unsigned seed, int rounds)
{
    struct contents in, out;
    fill(&in, seed);
    for (int i = 0; i < rounds; i++) {
        memset(&out, 0, sizeof out);
        hold(&in, &out, 20000);
        in.general[2] = out.general[2] = 0;
        out.mxcsr &= ~0x3Fu; /* what happened, not how it is set */
        if (memcmp(&in, &out, offsetof(struct contents, mxcsr) + 4) != 0)
            return 1;
    }
    return 0;
}

/* What a program finds in its registers when it starts. Not the general ones: Linux clears them,
 * but promises nothing. */
static void fresh(void)
{
    uint16_t control, status;
    uint32_t mxcsr;
    uint8_t environment[28];
    __asm__ volatile("fnstcw %0\n\tfnstsw %1" : "=m"(control), "=m"(status));
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstenv %0\n\tfldenv %0" : "+m"(environment));
    TRUE(control == 0x037F && status == 0);
    TRUE((environment[8] | environment[9] << 8) == 0xFFFF); /* no register of the stack is in use */
    TRUE(mxcsr == 0x1F80);
    uint8_t xmm[16], zero[16] = {0};
    __asm__ volatile("movups %%xmm7, %0" : "=m"(xmm));
    TRUE(memcmp(xmm, zero, sizeof zero) == 0);
}

static volatile int alarms;

static void on_alarm(int number)
{
    (void)number;
    __asm__ volatile("fninit\n\tfldpi\n\tfldpi\n\tpcmpeqd %%xmm0, %%xmm0\n\tpcmpeqd %%xmm7, %%xmm7"
                     :
                     :
                     : "memory");
    alarms++;
}

int main(int count, char **arguments)
{
    char *again[] = {arguments[0], "fresh", NULL};
    if (count > 1) {
        fresh();
        return 0;
    }
    SECTION("two programs");
    int children[4];
    for (unsigned i = 0; i < 4; i++)
        if ((children[i] = fork()) == 0)
            _exit(hold_and_compare(i + 1, ROUNDS));
    TRUE(hold_and_compare(9, ROUNDS) == 0);
    for (unsigned i = 0; i < 4; i++)
        ENDED(children[i]);
    SECTION("handlers at any moment");
    struct itimerval often = {{0, 1000}, {0, 1000}};
    signal(SIGALRM, on_alarm);
    MUST(setitimer(ITIMER_REAL, &often, NULL));
    TRUE(hold_and_compare(6, ROUNDS) == 0);
    while (alarms < 3)
        MUST(hold_and_compare(5, 1));
    MUST(setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL));
    SECTION("a new program starts afresh");
    IN_CHILD("with the unit of a program that changed everything", {
        uint32_t mxcsr = 0x7F80;
        uint16_t control = 0x0F7F;
        __asm__ volatile("fldcw %0\n\tldmxcsr %1\n\tfldpi\n\tfldpi\n\tpcmpeqd %%xmm7, %%xmm7"
                         :
                         : "m"(control), "m"(mxcsr)
                         : "memory");
        execv(arguments[0], again);
    });
    return done();
}
