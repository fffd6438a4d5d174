#ifndef BENCH_USER_SYSTEM_H
#define BENCH_USER_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The kernel as this program sees it: Linux's system calls on i386 by int $0x80, and the clock.
 * Without a C library, so that nothing but the kernel is measured, and any kernel with these calls
 * can be.
 */
#define PAGE 4096u

enum {
    SYS_exit = 1,
    SYS_fork = 2,
    SYS_read = 3,
    SYS_write = 4,
    SYS_open = 5,
    SYS_close = 6,
    SYS_waitpid = 7,
    SYS_execve = 11,
    SYS_getpid = 20,
    SYS_mount = 21,
    SYS_mkdir = 39,
    SYS_pipe = 42,
    SYS_brk = 45,
    SYS_getppid = 64,
    SYS_reboot = 88,
    SYS_munmap = 91,
    SYS_sysinfo = 116,
    SYS_mprotect = 125,
    SYS_sched_setscheduler = 156,
    SYS_sched_yield = 158,
    SYS_mremap = 163,
    SYS_vfork = 190,
    SYS_mmap2 = 192,
    SYS_madvise = 219,
};

#define PROT_READ       1
#define PROT_WRITE      2
#define MAP_SHARED      0x01
#define MAP_PRIVATE     0x02
#define MAP_ANONYMOUS   0x20
#define MAP_NORESERVE   0x4000
#define MAP_POPULATE    0x8000
#define MREMAP_MAYMOVE  1
#define MADV_DONTNEED   4
#define MADV_HUGEPAGE   14
#define MADV_NOHUGEPAGE 15
#define SCHED_OTHER     0
#define SCHED_FIFO      1
#define ENOENT          2
#define EIO             5
#define ECHILD          10
#define EAGAIN          11
#define ENOMEM          12
#define EINVAL          22
#define ENOSYS          38
#define READ_WRITE      (PROT_READ | PROT_WRITE)

/* What a benchmark took, in ticks of the time-stamp counter; or a negative error number. */
typedef int64_t ticks_t;

static inline uint32_t word(const volatile void *pointer)
{
    return (uint32_t)pointer;
}

/* A result is an error if it is one of the last 4095 numbers. */
static inline bool is_error(uint32_t result)
{
    return result > 0xFFFFF000u;
}

static inline uint32_t call3(uint32_t number, uint32_t first, uint32_t second, uint32_t third)
{
    uint32_t result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "0"(number), "b"(first), "c"(second), "d"(third)
                     : "memory", "cc");
    return result;
}

#define call0(number)                call3(number, 0, 0, 0)
#define call1(number, first)         call3(number, first, 0, 0)
#define call2(number, first, second) call3(number, first, second, 0)

/* The sixth argument goes in ebp, which the compiler keeps for itself. */
static inline uint32_t call6(uint32_t number, uint32_t first, uint32_t second, uint32_t third,
                             uint32_t fourth, uint32_t fifth, uint32_t sixth)
{
    uint32_t result, ends[2] = {first, sixth}, *pointer = ends;
    __asm__ volatile("pushl %%ebp\n\tmovl 4(%%ebx), %%ebp\n\tmovl (%%ebx), %%ebx\n\t"
                     "int $0x80\n\tpopl %%ebp"
                     : "=a"(result), "+b"(pointer)
                     : "0"(number), "c"(second), "d"(third), "S"(fourth), "D"(fifth)
                     : "memory", "cc");
    return result;
}

static inline void __attribute__((noreturn)) exit_with(uint32_t status)
{
    for (;;)
        call1(SYS_exit, status);
}

static inline ticks_t now(void)
{
    ticks_t ticks;
    __asm__ volatile("rdtsc" : "=A"(ticks) : : "memory");
    return ticks;
}

static inline uint32_t map_anonymous(uint32_t bytes, uint32_t flags)
{
    return call6(SYS_mmap2, 0, bytes, READ_WRITE, flags | MAP_ANONYMOUS, ~0u, 0);
}

/* Private memory in pages of 4 KiB: no transparent huge pages. */
static inline uint32_t map_small_pages(uint32_t bytes)
{
    uint32_t area = map_anonymous(bytes, MAP_PRIVATE);
    if (!is_error(area))
        call3(SYS_madvise, area, bytes, MADV_NOHUGEPAGE);
    return area;
}

static inline void unmap(uint32_t area, uint32_t bytes)
{
    call2(SYS_munmap, area, bytes);
}

/* Four instructions a page, in every build: one byte of each page is written, or read. */
static inline void write_pages(uint32_t area, uint32_t pages)
{
    __asm__ volatile("1: movb $1, (%0)\n\taddl $4096, %0\n\tdecl %1\n\tjnz 1b"
                     : "+r"(area), "+r"(pages)
                     :
                     : "memory", "cc");
}

static inline void read_pages(uint32_t area, uint32_t pages)
{
    __asm__ volatile("1: testb $1, (%0)\n\taddl $4096, %0\n\tdecl %1\n\tjnz 1b"
                     : "+r"(area), "+r"(pages)
                     :
                     : "memory", "cc");
}

static inline void write_byte(uint32_t address)
{
    *(volatile uint8_t *)address = 1;
}

static inline bool has_ended_well(uint32_t child)
{
    int status = -1;
    return call3(SYS_waitpid, child, word(&status), 0) == child && status == 0;
}

/* Leaves a benchmark with the error of a call that failed. */
#define REQUIRE(result)                                                                            \
    do {                                                                                           \
        uint32_t result_ = (result);                                                               \
        if (is_error(result_))                                                                     \
            return (int32_t)result_;                                                               \
    } while (0)

#endif
