/*
 * Shows a guard page: an array with an inaccessible page right behind it. A loop that runs too far
 * is stopped at the first byte that is not its own; the handler learns the address, opens the page,
 * and the instruction goes on as if nothing had happened.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

static char *array;
static volatile sig_atomic_t faults;
static char *volatile fault_address;
static volatile int fault_code;

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    fault_address = info->si_addr;
    fault_code = info->si_code;
    if (++faults > 1 || fault_address < array + PAGE || fault_address >= array + 2 * PAGE)
        _exit(1); // not the guard: nothing that could be put right
    mprotect(array + PAGE, PAGE, PROT_READ | PROT_WRITE);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    array = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (array == MAP_FAILED || mprotect(array + PAGE, PAGE, PROT_NONE) != 0 ||
        sigaction(SIGSEGV, &action, NULL) != 0) {
        perror("guard");
        return 1;
    }
    printf("an array of %d bytes, and a page behind it that nobody may touch\n", PAGE);
    for (volatile char *byte = array; byte < array + PAGE + 8; byte++)
        *byte = 'x'; // eight bytes too many
    printf("faults: %d\n", (int)faults);
    printf("the address: byte %ld of the array\n", (long)(fault_address - array));
    printf("the reason: %s\n", fault_code == SEGV_ACCERR ? "no right to touch what is mapped there"
                                                         : "nothing is mapped there");
    printf("the handler opened the page, and the loop went on: byte %d is '%c'\n", PAGE + 7,
           array[PAGE + 7]);
    return faults == 1 ? 0 : 1;
}
