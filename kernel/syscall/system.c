#include "kernel/device/power/power.h"
#include "kernel/file/table.h"
#include "kernel/include/errors.h"
#include "kernel/include/version.h"
#include "kernel/lib/string.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/process/internal.h"
#include "kernel/process/load.h"
#include "kernel/space/space.h"
#include "kernel/space/usercopy.h"
#include "kernel/syscall/table.h"

/* The system as a whole, and limits. */

#define NAME_BYTES 65u

struct linux_utsname {
    char fields[6][NAME_BYTES]; /* system, node, release, version, machine, domain */
};

/* The release is the Linux whose interface this is, as far as it goes; programs look at its
 * numbers. */
int32_t syscall_uname(uint32_t to)
{
    static const char *const fields[6] = {
        VERSION_NAME, "32rtos", "6.1.0-" VERSION_NAME, VERSION_NAME " " VERSION_NUMBER,
        "i686",       "(none)"};
    struct linux_utsname name;
    memset(&name, 0, sizeof(name));
    for (unsigned i = 0; i < 6; i++)
        memcpy(name.fields[i], fields[i], strlen(fields[i]));
    return space_copy_to_user(to, &name, sizeof(name));
}

struct linux_sysinfo {
    int32_t uptime;
    uint32_t loads[3];
    uint32_t total, free, shared, buffers, swap_total, swap_free;
    uint16_t processes, padding;
    uint32_t high_total, high_free, unit;
    uint8_t more[8];
};
_Static_assert(sizeof(struct linux_sysinfo) == 64, "Linux's layout");

/* In pages, so that it fits whatever there is. */
int32_t syscall_sysinfo(uint32_t to)
{
    struct pageframe_statistics frames;
    struct linux_sysinfo information = {0};
    pageframe_read_statistics(&frames);
    information.uptime = (int32_t)(clock_monotonic_ns() / NS_PER_SECOND);
    load_read(information.loads);
    for (unsigned i = 0; i < 3; i++)
        information.loads[i] <<= 16 - LOAD_SHIFT;
    information.total = frames.ram_frames;
    information.free = frames.free_frames;
    information.processes = (uint16_t)process_count();
    information.unit = FRAME_SIZE;
    return space_copy_to_user(to, &information, sizeof(information));
}

#define REBOOT_MAGIC_1   0xFEE1DEADu
#define REBOOT_RESTART   0x01234567u
#define REBOOT_HALT      0xCDEF0123u
#define REBOOT_POWER_OFF 0x4321FEDCu
#define REBOOT_KEYS_ON   0x89ABCDEFu
#define REBOOT_KEYS_OFF  0x00000000u

static bool is_second_magic(uint32_t magic)
{
    return magic == 672274793 || magic == 85072278 || magic == 369367448 || magic == 537993216;
}

int32_t syscall_reboot(uint32_t magic, uint32_t second, uint32_t command, uint32_t argument)
{
    (void)argument;
    if (process_current()->euid != 0)
        return -EPERM;
    if (magic != REBOOT_MAGIC_1 || !is_second_magic(second))
        return -EINVAL;
    switch (command) {
    case REBOOT_RESTART:
        power_reboot();
    case REBOOT_HALT:
    case REBOOT_POWER_OFF:
        power_exit(POWER_OFF);
    case REBOOT_KEYS_ON:
    case REBOOT_KEYS_OFF:
        return 0;
    default:
        return -EINVAL;
    }
}

/* There is one: Linux. */
int32_t syscall_personality(uint32_t personality)
{
    return personality == 0 || personality == UINT32_MAX ? 0 : -EINVAL;
}

#define PR_SET_PDEATHSIG 1
#define PR_GET_PDEATHSIG 2
#define PR_GET_DUMPABLE  3
#define PR_SET_DUMPABLE  4
#define PR_SET_NAME      15
#define PR_GET_NAME      16

int32_t syscall_prctl(uint32_t option, uint32_t argument, uint32_t third, uint32_t fourth,
                      uint32_t fifth)
{
    char name[THREAD_NAME_SIZE];
    struct process *process = process_current();
    (void)third;
    (void)fourth;
    (void)fifth;
    switch (option) {
    case PR_SET_NAME:
        if (space_string_from_user(name, argument, sizeof(name)) == -EFAULT)
            return -EFAULT;
        name[sizeof(name) - 1] = '\0';
        thread_set_name(thread_current(), name);
        if (thread_current()->id == process->id)
            memcpy(process->name, thread_current()->name, sizeof(process->name));
        return 0;
    case PR_GET_NAME:
        return space_copy_to_user(argument, thread_current()->name, THREAD_NAME_SIZE);
    case PR_GET_DUMPABLE:
        return 0;
    case PR_SET_DUMPABLE:
        return argument <= 1 ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

/* ---- limits ---- */

/* Raising the hard one takes privilege. */
static int set_limit(struct process *process, uint32_t resource, struct process_limit limit)
{
    struct process_limit *now = &process->limits[resource];
    if (limit.soft > limit.hard)
        return -EINVAL;
    if (limit.hard > now->hard && process_current()->euid != 0)
        return -EPERM;
    if (resource == LIMIT_NOFILE && limit.hard > FILE_TABLE_MAX)
        return -EPERM;
    *now = limit;
    process_apply_limits(process);
    return 0;
}

int32_t syscall_setrlimit(uint32_t resource, uint32_t from)
{
    struct process_limit limit;
    if (resource >= LIMIT_COUNT)
        return -EINVAL;
    if (space_copy_from_user(&limit, from, sizeof(limit)) != 0)
        return -EFAULT;
    return set_limit(process_current(), resource, limit);
}

int32_t syscall_getrlimit(uint32_t resource, uint32_t to)
{
    if (resource >= LIMIT_COUNT)
        return -EINVAL;
    return space_copy_to_user(to, &process_current()->limits[resource],
                              sizeof(struct process_limit));
}

/* Numbers were signed. */
int32_t syscall_old_getrlimit(uint32_t resource, uint32_t to)
{
    if (resource >= LIMIT_COUNT)
        return -EINVAL;
    struct process_limit limit = process_current()->limits[resource];
    limit.soft = limit.soft > INT32_MAX ? INT32_MAX : limit.soft;
    limit.hard = limit.hard > INT32_MAX ? INT32_MAX : limit.hard;
    return space_copy_to_user(to, &limit, sizeof(limit));
}

static uint32_t narrow(uint64_t value)
{
    return value >= LIMIT_INFINITY ? LIMIT_INFINITY : (uint32_t)value;
}

static uint64_t widen(uint32_t value)
{
    return value == LIMIT_INFINITY ? UINT64_MAX : value;
}

/* Of the caller, or of another process, for whom only the look is offered. */
int32_t syscall_prlimit64(uint32_t id, uint32_t resource, uint32_t from, uint32_t old)
{
    struct process *process = process_current();
    uint64_t given[2], before[2];
    if (resource >= LIMIT_COUNT)
        return -EINVAL;
    if (from != 0 && space_copy_from_user(given, from, sizeof(given)) != 0)
        return -EFAULT;
    preempt_disable();
    const struct process *other = id == 0 ? process : process_find(id);
    struct process_limit now =
        other != NULL ? other->limits[resource] : (struct process_limit){0, 0};
    preempt_enable();
    if (other == NULL)
        return -ESRCH;
    if (from != 0 && other != process)
        return -EPERM;
    before[0] = widen(now.soft), before[1] = widen(now.hard);
    if (from != 0) {
        if (given[0] > given[1])
            return -EINVAL;
        int error = set_limit(process, resource,
                              (struct process_limit){narrow(given[0]), narrow(given[1])});
        if (error != 0)
            return error;
    }
    return old != 0 ? space_copy_to_user(old, before, sizeof(before)) : 0;
}
