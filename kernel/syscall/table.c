#include "kernel/syscall/table.h"

#include "kernel/cpu/trap.h"
#include "kernel/include/errors.h"
#include "kernel/include/log.h"
#include "kernel/process/user.h"

typedef void (*syscall_function)(void);
int32_t syscall_unknown(void);
void syscall_entry(void);

_Static_assert(SYSCALL_NUMBERS == SYSCALL_WORDS * 32, "a bit for each number");

/* The entry calls by number, with six arguments: a function takes as many as it has, from the
 * front, and the caller takes those on the stack off it (kernel/kernel.mk, CALLS). */
#define SYSCALL_FUNCTION(number, name, arguments) [number] = (syscall_function)syscall_##name,
extern const syscall_function syscall_functions[SYSCALL_NUMBERS];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#pragma GCC diagnostic ignored "-Wcast-function-type"
const syscall_function syscall_functions[SYSCALL_NUMBERS] = {
    [0 ... SYSCALL_NUMBERS - 1] = (syscall_function)syscall_unknown, SYSCALLS(SYSCALL_FUNCTION)};
#pragma GCC diagnostic pop

#define SYSCALL_NAME(number, name, arguments) [number] = #name,
static const char *const names[SYSCALL_NUMBERS] = {SYSCALLS(SYSCALL_NAME)};

const char *syscall_name(uint32_t number)
{
    return number < SYSCALL_NUMBERS ? names[number] : NULL;
}

/* Says so once for each program and number. */
int32_t syscall_unknown(void)
{
    struct process *process = process_current();
    uint32_t number = process_user_frame()->error;
    uint32_t bit = number < SYSCALL_NUMBERS ? number : SYSCALL_NUMBERS - 1;
    if (!(process->unknown_calls[bit / 32] >> bit % 32 & 1)) {
        process->unknown_calls[bit / 32] |= 1u << bit % 32;
        log_line("%s (%u): system call %u is not implemented", process->name, process->id, number);
    }
    return -ENOSYS;
}

void syscall_init(void)
{
    trap_set_call(USER_CALL_VECTOR, syscall_entry);
}
