#ifndef KERNEL_SYSCALL_CALLS_H
#define KERNEL_SYSCALL_CALLS_H

#include "kernel/syscall/calls_file.h"
#include "kernel/syscall/calls_memory.h"

/* ROW(number, name, arguments), by number. What is not here is ENOSYS. */
/* clang-format off */
#define SYSCALLS(ROW)                                                                              \
    ROW(1, exit, 1)                                                                                \
    ROW(2, fork, 0)                                                                                \
    ROW(7, waitpid, 3)                                                                             \
    ROW(11, execve, 3)                                                                             \
    ROW(13, time, 1)                                                                               \
    ROW(20, getpid, 0)                                                                             \
    ROW(23, setuid, 1)                                                                             \
    ROW(24, getuid, 0)                                                                             \
    ROW(27, alarm, 1)                                                                              \
    ROW(29, pause, 0)                                                                              \
    ROW(34, nice, 1)                                                                               \
    ROW(37, kill, 2)                                                                               \
    ROW(43, times, 1)                                                                              \
    ROW(46, setgid, 1)                                                                             \
    ROW(47, getgid, 0)                                                                             \
    ROW(49, geteuid, 0)                                                                            \
    ROW(50, getegid, 0)                                                                            \
    ROW(57, setpgid, 2)                                                                            \
    ROW(64, getppid, 0)                                                                            \
    ROW(65, getpgrp, 0)                                                                            \
    ROW(66, setsid, 0)                                                                             \
    ROW(67, sigaction, 3)                                                                          \
    ROW(72, sigsuspend, 3)                                                                         \
    ROW(73, sigpending, 1)                                                                         \
    ROW(75, setrlimit, 2)                                                                          \
    ROW(76, old_getrlimit, 2)                                                                      \
    ROW(77, getrusage, 2)                                                                          \
    ROW(78, gettimeofday, 2)                                                                       \
    ROW(79, settimeofday, 2)                                                                       \
    ROW(88, reboot, 4)                                                                             \
    ROW(96, getpriority, 2)                                                                        \
    ROW(97, setpriority, 3)                                                                        \
    ROW(103, syslog, 3)                                                                            \
    ROW(104, setitimer, 3)                                                                         \
    ROW(105, getitimer, 2)                                                                         \
    ROW(114, wait4, 4)                                                                             \
    ROW(116, sysinfo, 1)                                                                           \
    ROW(119, sigreturn, 0)                                                                         \
    ROW(120, clone, 5)                                                                             \
    ROW(122, uname, 1)                                                                             \
    ROW(126, sigprocmask, 3)                                                                       \
    ROW(132, getpgid, 1)                                                                           \
    ROW(136, personality, 1)                                                                       \
    ROW(147, getsid, 1)                                                                            \
    ROW(154, sched_setparam, 2)                                                                    \
    ROW(155, sched_getparam, 2)                                                                    \
    ROW(156, sched_setscheduler, 3)                                                                \
    ROW(157, sched_getscheduler, 1)                                                                \
    ROW(158, sched_yield, 0)                                                                       \
    ROW(159, sched_get_priority_max, 1)                                                            \
    ROW(160, sched_get_priority_min, 1)                                                            \
    ROW(161, sched_rr_get_interval, 2)                                                             \
    ROW(162, nanosleep, 2)                                                                         \
    ROW(164, setresuid, 3)                                                                         \
    ROW(165, getresuid, 3)                                                                         \
    ROW(170, setresgid, 3)                                                                         \
    ROW(171, getresgid, 3)                                                                         \
    ROW(172, prctl, 5)                                                                             \
    ROW(173, rt_sigreturn, 0)                                                                      \
    ROW(174, rt_sigaction, 4)                                                                      \
    ROW(175, rt_sigprocmask, 4)                                                                    \
    ROW(176, rt_sigpending, 2)                                                                     \
    ROW(177, rt_sigtimedwait, 4)                                                                   \
    ROW(178, rt_sigqueueinfo, 3)                                                                   \
    ROW(179, rt_sigsuspend, 2)                                                                     \
    ROW(186, sigaltstack, 2)                                                                       \
    ROW(190, vfork, 0)                                                                             \
    ROW(191, getrlimit, 2)                                                                         \
    ROW(199, getuid32, 0)                                                                          \
    ROW(200, getgid32, 0)                                                                          \
    ROW(201, geteuid32, 0)                                                                         \
    ROW(202, getegid32, 0)                                                                         \
    ROW(203, setreuid32, 2)                                                                        \
    ROW(204, setregid32, 2)                                                                        \
    ROW(205, getgroups32, 2)                                                                       \
    ROW(206, setgroups32, 2)                                                                       \
    ROW(208, setresuid32, 3)                                                                       \
    ROW(209, getresuid32, 3)                                                                       \
    ROW(210, setresgid32, 3)                                                                       \
    ROW(211, getresgid32, 3)                                                                       \
    ROW(213, setuid32, 1)                                                                          \
    ROW(214, setgid32, 1)                                                                          \
    ROW(224, gettid, 0)                                                                            \
    ROW(238, tkill, 2)                                                                             \
    ROW(240, futex, 6)                                                                             \
    ROW(241, sched_setaffinity, 3)                                                                 \
    ROW(242, sched_getaffinity, 3)                                                                 \
    ROW(243, set_thread_area, 1)                                                                   \
    ROW(244, get_thread_area, 1)                                                                   \
    ROW(252, exit_group, 1)                                                                        \
    ROW(258, set_tid_address, 1)                                                                   \
    ROW(264, clock_settime, 2)                                                                     \
    ROW(265, clock_gettime, 2)                                                                     \
    ROW(266, clock_getres, 2)                                                                      \
    ROW(267, clock_nanosleep, 4)                                                                   \
    ROW(270, tgkill, 3)                                                                            \
    ROW(311, set_robust_list, 2)                                                                   \
    ROW(318, getcpu, 3)                                                                            \
    ROW(340, prlimit64, 4)                                                                         \
    ROW(403, clock_gettime64, 2)                                                                   \
    ROW(404, clock_settime64, 2)                                                                   \
    ROW(406, clock_getres_time64, 2)                                                               \
    ROW(407, clock_nanosleep_time64, 4)                                                            \
    ROW(421, rt_sigtimedwait_time64, 4)                                                            \
    ROW(422, futex_time64, 6)                                                                      \
    SYSCALLS_FILE(ROW)                                                                             \
    SYSCALLS_MEMORY(ROW)
/* clang-format on */

#endif
