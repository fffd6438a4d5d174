/*
 * A gallery of faults. Each is done for real in a child, and the way it ended is reported: the
 * mistake is the child's alone. `faults NAME` does one, `faults` all of them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void read_null(void)
{
    (void)*(volatile char *)NULL;
}

static void write_text(void)
{
    *(volatile char *)(unsigned long)write_text = 0;
}

static void write_constant(void)
{
    static const char constant[] = "constant";
    *(volatile char *)(unsigned long)constant = 'C';
}

static void execute_data(void)
{
    static unsigned char code[] = {0xC3}; // ret
    void (*volatile call)(void) = (void (*)(void))(unsigned long)code;
    call();
}

static void jump_nowhere(void)
{
    void (*volatile call)(void) = (void (*)(void))16;
    call();
}

static volatile int endless = 1;

static int __attribute__((noinline)) use_stack(int depth)
{
    volatile char frame[1024];
    frame[0] = (char)depth;
    return endless ? use_stack(depth + 1) + frame[0] : 0;
}

static void overflow_stack(void)
{
    use_stack(0);
}

static void touch_kernel(void)
{
    (void)*(volatile char *)0xF0000000;
}

static void divide_by_zero(void)
{
    volatile int zero = 0, one = 1;
    one = one / zero;
}

static void float_exception(void)
{
    unsigned short control = 0x037F & ~4; // x87: an exception for a division by zero
    __asm__ volatile("fninit\n\tfldcw %0\n\tfldz\n\tfld1\n\tfdivp\n\tfwait" : : "m"(control));
}

static void undefined_instruction(void)
{
    __asm__ volatile("ud2");
}

static void privileged_instruction(void)
{
    __asm__ volatile("cli");
}

/* The kernel is handed an address that is not ours: an error for us, nothing else. */
static void bad_pointer(void)
{
    long result = write(STDOUT_FILENO, (void *)0xF0000000, 16);
    _exit(result == -1 && errno == EFAULT ? 0 : 1);
}

static const struct fault {
    const char *name, *what;
    void (*act)(void);
} gallery[] = {
    {"null", "reads address 0", read_null},
    {"text", "writes its own instructions", write_text},
    {"constant", "writes a constant", write_constant},
    {"data", "executes data", execute_data},
    {"jump", "jumps to where nothing is", jump_nowhere},
    {"stack", "calls itself without end", overflow_stack},
    {"kernel", "reads the kernel's memory", touch_kernel},
    {"divide", "divides by zero", divide_by_zero},
    {"float", "divides by zero in the x87 unit, unmasked", float_exception},
    {"undefined", "executes what is no instruction", undefined_instruction},
    {"privileged", "switches interrupts off", privileged_instruction},
    {"pointer", "hands a bad pointer to the kernel", bad_pointer},
};
#define FAULTS (sizeof gallery / sizeof gallery[0])

static void report(const struct fault *fault, int status)
{
    printf("%-10s %-45s ", fault->name, fault->what);
    if (WIFSIGNALED(status))
        printf("%s\n", strsignal(WTERMSIG(status)));
    else if (fault->act == bad_pointer && WEXITSTATUS(status) == 0)
        printf("EFAULT, and it goes on\n");
    else
        printf("nothing happened: status %d\n", WEXITSTATUS(status));
}

static void show(const struct fault *fault)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        fault->act();
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        perror("faults");
    else
        report(fault, status);
}

int main(int argc, char **argv)
{
    unsigned shown = 0;
    for (unsigned i = 0; i < FAULTS; i++)
        if (argc < 2 || strcmp(argv[1], gallery[i].name) == 0) {
            show(&gallery[i]);
            shown++;
        }
    if (shown == 0)
        fprintf(stderr, "faults: there is no '%s'\n", argv[1]);
    return shown > 0 ? 0 : 2;
}
