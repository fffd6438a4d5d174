#ifndef KERNEL_PROCESS_LINUX_H
#define KERNEL_PROCESS_LINUX_H

#include "kernel/include/types.h"

/* Numbers and structures of Linux's interface on i386 that concern processes, signals and time:
 * include/uapi/linux sched.h, wait.h, resource.h, auxvec.h, futex.h, times.h, and
 * arch/x86/include/uapi/asm signal.h, sigcontext.h, ucontext.h, ldt.h. */

#define CLONE_SIGNAL_MASK    0x000000FFu /* what the parent gets at the end */
#define CLONE_VM             0x00000100u
#define CLONE_FS             0x00000200u
#define CLONE_FILES          0x00000400u
#define CLONE_SIGHAND        0x00000800u
#define CLONE_VFORK          0x00004000u
#define CLONE_PARENT         0x00008000u
#define CLONE_THREAD         0x00010000u
#define CLONE_NEWNS          0x00020000u
#define CLONE_SYSVSEM        0x00040000u
#define CLONE_SETTLS         0x00080000u
#define CLONE_PARENT_SETTID  0x00100000u
#define CLONE_CHILD_CLEARTID 0x00200000u
#define CLONE_DETACHED       0x00400000u
#define CLONE_UNTRACED       0x00800000u
#define CLONE_CHILD_SETTID   0x01000000u
#define CLONE_NAMESPACES     0x7E020000u /* all CLONE_NEW* */

#define WAIT_NOHANG          0x1u /* WNOHANG, and so on */
#define WAIT_UNTRACED        0x2u
#define WAIT_CONTINUED       0x8u
#define WAIT_ALL             0x40000000u
#define WAIT_CLONE           0x80000000u

#define LIMIT_CPU            0
#define LIMIT_FSIZE          1
#define LIMIT_DATA           2
#define LIMIT_STACK          3
#define LIMIT_CORE           4
#define LIMIT_RSS            5
#define LIMIT_NPROC          6
#define LIMIT_NOFILE         7
#define LIMIT_MEMLOCK        8
#define LIMIT_AS             9
#define LIMIT_LOCKS          10
#define LIMIT_SIGPENDING     11
#define LIMIT_MSGQUEUE       12
#define LIMIT_NICE           13
#define LIMIT_RTPRIO         14
#define LIMIT_RTTIME         15
#define LIMIT_COUNT          16
#define LIMIT_INFINITY       UINT32_MAX

#define SYSCALL_WORDS        16 /* bits for 512 numbers */

#define AT_NULL              0
#define AT_PHDR              3
#define AT_PHENT             4
#define AT_PHNUM             5
#define AT_PAGESZ            6
#define AT_BASE              7
#define AT_FLAGS             8
#define AT_ENTRY             9
#define AT_UID               11
#define AT_EUID              12
#define AT_GID               13
#define AT_EGID              14
#define AT_PLATFORM          15
#define AT_HWCAP             16
#define AT_CLKTCK            17
#define AT_SECURE            23
#define AT_RANDOM            25
#define AT_EXECFN            31

#define CLOCK_TICKS_A_SECOND 100u /* what times(2) and AT_CLKTCK count in */

#define FUTEX_WAIT           0u
#define FUTEX_WAKE           1u
#define FUTEX_REQUEUE        3u
#define FUTEX_CMP_REQUEUE    4u
#define FUTEX_WAIT_BITSET    9u
#define FUTEX_WAKE_BITSET    10u
#define FUTEX_COMMAND        0x7Fu
#define FUTEX_PRIVATE        0x80u
#define FUTEX_CLOCK_REALTIME 0x100u

/* The numbers of signals that kernel/file/linux.h does not name. */
#define SIGILL        4
#define SIGTRAP       5
#define SIGABRT       6
#define SIGBUS        7
#define SIGFPE        8
#define SIGKILL       9
#define SIGUSR1       10
#define SIGSEGV       11
#define SIGUSR2       12
#define SIGALRM       14
#define SIGTERM       15
#define SIGSTKFLT     16
#define SIGCHLD       17
#define SIGSTOP       19
#define SIGURG        23
#define SIGXCPU       24
#define SIGXFSZ       25
#define SIGVTALRM     26
#define SIGPROF       27
#define SIGIO         29
#define SIGPWR        30
#define SIGSYS        31
#define SIGNAL_COUNT  64

#define SA_NOCLDSTOP  0x00000001u
#define SA_NOCLDWAIT  0x00000002u
#define SA_SIGINFO    0x00000004u
#define SA_RESTORER   0x04000000u
#define SA_ONSTACK    0x08000000u
#define SA_RESTART    0x10000000u
#define SA_NODEFER    0x40000000u
#define SA_RESETHAND  0x80000000u

#define SIG_DFL       0u
#define SIG_IGN       1u

#define SIG_BLOCK     0
#define SIG_UNBLOCK   1
#define SIG_SETMASK   2

#define SS_ONSTACK    1u
#define SS_DISABLE    2u
#define SS_AUTODISARM (1u << 31)
#define MINSIGSTKSZ   2048u

/* si_code */
#define SI_USER       0
#define SI_KERNEL     0x80
#define SI_TIMER      (-2)
#define SI_TKILL      (-6)
#define ILL_ILLOPN    2
#define ILL_PRVOPC    5
#define FPE_INTDIV    1
#define FPE_INTOVF    2
#define FPE_FLTDIV    3
#define FPE_FLTOVF    4
#define FPE_FLTUND    5
#define FPE_FLTRES    6
#define FPE_FLTINV    7
#define SEGV_MAPERR   1
#define SEGV_ACCERR   2
#define BUS_ADRALN    1
#define BUS_ADRERR    2
#define TRAP_BRKPT    1
#define TRAP_TRACE    2
#define CLD_EXITED    1
#define CLD_KILLED    2
#define CLD_DUMPED    3
#define CLD_STOPPED   5
#define CLD_CONTINUED 6

/* siginfo_t: 128 bytes, of which the first say what happened. */
struct signal_information {
    int32_t signal;
    int32_t error;
    int32_t code;
    uint32_t fields[5]; /* by kind: pid, uid, (status, times) or address */
};
#define SIGINFO_BYTES 128u

struct linux_sigcontext {
    uint32_t gs, fs, es, ds;
    uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
    uint32_t trapno, err, eip, cs, eflags, esp_at_signal, ss;
    uint32_t fpstate; /* user address, 0: none */
    uint32_t oldmask, cr2;
};

struct linux_sigaltstack {
    uint32_t sp;
    uint32_t flags;
    uint32_t size;
};

struct linux_ucontext {
    uint32_t flags, link;
    struct linux_sigaltstack stack;
    struct linux_sigcontext context;
    uint64_t mask;
} __attribute__((packed, aligned(4)));

/* struct sigaction of rt_sigaction. */
struct linux_sigaction {
    uint32_t handler, flags, restorer;
    uint64_t mask;
} __attribute__((packed, aligned(4)));

struct linux_user_desc {
    uint32_t entry_number, base_address, limit;
    uint32_t seg_32bit : 1, contents : 2, read_exec_only : 1, limit_in_pages : 1,
        seg_not_present : 1, useable : 1;
};

struct linux_timespec {
    int32_t seconds, nanoseconds;
};
struct linux_timespec64 {
    int64_t seconds;
    int64_t nanoseconds; /* the upper half is ignored */
} __attribute__((packed, aligned(4)));
struct linux_timeval {
    int32_t seconds, microseconds;
};

_Static_assert(sizeof(struct linux_sigcontext) == 88, "Linux's layout");
_Static_assert(sizeof(struct linux_ucontext) == 116, "Linux's layout");
_Static_assert(sizeof(struct linux_sigaction) == 20, "Linux's layout");
_Static_assert(sizeof(struct linux_user_desc) == 16, "Linux's layout");
_Static_assert(sizeof(struct linux_timespec64) == 16, "Linux's layout");

#endif
