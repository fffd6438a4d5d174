#ifndef KERNEL_SYSCALL_INTERNAL_H
#define KERNEL_SYSCALL_INTERNAL_H

#include "kernel/include/types.h"

/* Times of users, as nanoseconds. 0, -EFAULT, -EINVAL (negative, or nanoseconds beyond a second); a
 * time too far away is the farthest. */
int time_from_user(uint64_t *ns, uint32_t timespec) MUST_CHECK;
int time64_from_user(uint64_t *ns, uint32_t timespec) MUST_CHECK;
int time_to_user(uint32_t timespec, uint64_t ns) MUST_CHECK;
int time64_to_user(uint32_t timespec, uint64_t ns) MUST_CHECK;

/* A sleep of the running thread, as nanosleep has it: 0, -EINTR (what is left is in *left_ns), or
 * -RESTART_UNHANDLED. */
int sleep_until(uint64_t deadline_ns, bool is_relative, uint64_t *left_ns) MUST_CHECK;

#endif
