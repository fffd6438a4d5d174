#include "kernel/include/errors.h"
#include "kernel/space/usercopy.h"
#include "kernel/syscall/table.h"

/* Who the caller is: ids, groups, sessions, users. Users are numbers that are checked where signals
 * are sent and kept otherwise. */

int32_t syscall_getpid(void)
{
    return (int32_t)process_current()->id;
}

int32_t syscall_getppid(void)
{
    const struct process *parent = process_current()->parent;
    return parent != NULL ? (int32_t)parent->id : 0;
}

static int32_t look_up(uint32_t id, uint32_t (*what)(const struct process *process))
{
    preempt_disable();
    const struct process *process = id == 0 ? process_current() : process_find(id);
    int32_t result = process != NULL ? (int32_t)what(process) : -ESRCH;
    preempt_enable();
    return result;
}

static uint32_t group_of(const struct process *process)
{
    return process->group;
}

static uint32_t session_of(const struct process *process)
{
    return process->session;
}

int32_t syscall_getpgrp(void)
{
    return (int32_t)process_current()->group;
}

int32_t syscall_getpgid(uint32_t id)
{
    return look_up(id, group_of);
}

int32_t syscall_getsid(uint32_t id)
{
    return look_up(id, session_of);
}

int32_t syscall_setpgid(uint32_t id, uint32_t group)
{
    return process_set_group(id, group);
}

int32_t syscall_setsid(void)
{
    return process_set_session();
}

/* ---- users ---- */

int32_t syscall_getuid32(void)
{
    return (int32_t)process_current()->uid;
}

int32_t syscall_geteuid32(void)
{
    return (int32_t)process_current()->euid;
}

int32_t syscall_getgid32(void)
{
    return (int32_t)process_current()->gid;
}

int32_t syscall_getegid32(void)
{
    return (int32_t)process_current()->egid;
}

/* The old calls have 16 bits. */
static int32_t narrow(uint32_t id)
{
    return id > UINT16_MAX ? 65534 : (int32_t)id;
}

int32_t syscall_getuid(void)
{
    return narrow(process_current()->uid);
}

int32_t syscall_geteuid(void)
{
    return narrow(process_current()->euid);
}

int32_t syscall_getgid(void)
{
    return narrow(process_current()->gid);
}

int32_t syscall_getegid(void)
{
    return narrow(process_current()->egid);
}

/* Real, effective and saved; UINT32_MAX leaves one as it is. Without privilege, each must be one of
 * the three that are there. */
struct three {
    uint32_t *real, *effective, *saved;
};

static struct three users(void)
{
    struct process *process = process_current();
    return (struct three){&process->uid, &process->euid, &process->suid};
}

static struct three groups(void)
{
    struct process *process = process_current();
    return (struct three){&process->gid, &process->egid, &process->sgid};
}

static bool may_take(struct three now, uint32_t id)
{
    return id == UINT32_MAX || process_current()->euid == 0 || id == *now.real ||
           id == *now.effective || id == *now.saved;
}

static int32_t set_three(struct three now, uint32_t real, uint32_t effective, uint32_t saved)
{
    if (!may_take(now, real) || !may_take(now, effective) || !may_take(now, saved))
        return -EPERM;
    *now.real = real == UINT32_MAX ? *now.real : real;
    *now.effective = effective == UINT32_MAX ? *now.effective : effective;
    *now.saved = saved == UINT32_MAX ? *now.saved : saved;
    return 0;
}

static int32_t set_one(struct three now, uint32_t id)
{
    if (id == UINT32_MAX)
        return -EINVAL;
    bool is_privileged = process_current()->euid == 0;
    return is_privileged ? set_three(now, id, id, id) : set_three(now, UINT32_MAX, id, UINT32_MAX);
}

/* The saved one follows where the real one is set, or the effective one becomes another than the
 * real. */
static int32_t set_two(struct three now, uint32_t real, uint32_t effective)
{
    uint32_t before = *now.real;
    bool is_saved = real != UINT32_MAX || (effective != UINT32_MAX && effective != before);
    int32_t error = set_three(now, real, effective, UINT32_MAX);
    if (error == 0 && is_saved)
        *now.saved = *now.effective;
    return error;
}

static int32_t get_three(struct three now, uint32_t real, uint32_t effective, uint32_t saved)
{
    if (space_write_user32(real, *now.real) != 0 ||
        space_write_user32(effective, *now.effective) != 0 ||
        space_write_user32(saved, *now.saved) != 0)
        return -EFAULT;
    return 0;
}

static int32_t get_three_narrow(struct three now, uint32_t real, uint32_t effective, uint32_t saved)
{
    const uint16_t values[3] = {(uint16_t)narrow(*now.real), (uint16_t)narrow(*now.effective),
                                (uint16_t)narrow(*now.saved)};
    if (space_copy_to_user(real, &values[0], 2) != 0 ||
        space_copy_to_user(effective, &values[1], 2) != 0 ||
        space_copy_to_user(saved, &values[2], 2) != 0)
        return -EFAULT;
    return 0;
}

static uint32_t widen(uint32_t id)
{
    return (uint16_t)id == UINT16_MAX ? UINT32_MAX : (uint16_t)id;
}

int32_t syscall_setuid32(uint32_t id)
{
    return set_one(users(), id);
}

int32_t syscall_setgid32(uint32_t id)
{
    return set_one(groups(), id);
}

int32_t syscall_setuid(uint32_t id)
{
    return set_one(users(), widen(id));
}

int32_t syscall_setgid(uint32_t id)
{
    return set_one(groups(), widen(id));
}

int32_t syscall_setreuid32(uint32_t real, uint32_t effective)
{
    return set_two(users(), real, effective);
}

int32_t syscall_setregid32(uint32_t real, uint32_t effective)
{
    return set_two(groups(), real, effective);
}

int32_t syscall_setresuid32(uint32_t real, uint32_t effective, uint32_t saved)
{
    return set_three(users(), real, effective, saved);
}

int32_t syscall_setresgid32(uint32_t real, uint32_t effective, uint32_t saved)
{
    return set_three(groups(), real, effective, saved);
}

int32_t syscall_setresuid(uint32_t real, uint32_t effective, uint32_t saved)
{
    return set_three(users(), widen(real), widen(effective), widen(saved));
}

int32_t syscall_setresgid(uint32_t real, uint32_t effective, uint32_t saved)
{
    return set_three(groups(), widen(real), widen(effective), widen(saved));
}

int32_t syscall_getresuid32(uint32_t real, uint32_t effective, uint32_t saved)
{
    return get_three(users(), real, effective, saved);
}

int32_t syscall_getresgid32(uint32_t real, uint32_t effective, uint32_t saved)
{
    return get_three(groups(), real, effective, saved);
}

int32_t syscall_getresuid(uint32_t real, uint32_t effective, uint32_t saved)
{
    return get_three_narrow(users(), real, effective, saved);
}

int32_t syscall_getresgid(uint32_t real, uint32_t effective, uint32_t saved)
{
    return get_three_narrow(groups(), real, effective, saved);
}

/* There are no further groups, and none can be had. */
int32_t syscall_getgroups32(uint32_t count, uint32_t to)
{
    (void)to;
    return (int32_t)count < 0 ? -EINVAL : 0;
}

int32_t syscall_setgroups32(uint32_t count, uint32_t from)
{
    (void)from;
    if (process_current()->euid != 0)
        return -EPERM;
    return count == 0 ? 0 : -EINVAL;
}
