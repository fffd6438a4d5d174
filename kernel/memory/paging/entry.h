#ifndef KERNEL_MEMORY_PAGING_ENTRY_H
#define KERNEL_MEMORY_PAGING_ENTRY_H

#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"

/*
 * One PAE entry, at any of the three levels, and the only code that reads or writes one.
 *
 *      63  62     52 51                12 11  9  8  7  6  5  4   3  2 1 0
 *    +---+---------+--------------------+-----+--+--+--+--+---+---+-+-+-+
 *    | NX|    0    |    frame number    |  0  | G|LG| D| A|PCD|PWT|U|W|P|
 *    +---+---------+--------------------+-----+--+--+--+--+---+---+-+-+-+
 *
 * Intel SDM 3A, tables 4-8 (top: P, PWT, PCD and the address only), 4-9 (2 MiB page), 4-10
 * (directory entry that names a table), 4-11 (4 KiB page). Bit 7 is "large" in a directory and the
 * PAT selector in a table; the latter is never used, because PAT entries 0 to 3 suffice. The
 * available bits 10 and 11 stay zero, and bit 9 outside of user.h. An absent entry is zero as a
 * whole; user.h alone keeps what a page was when it takes P away (PAGING_HIDDEN).
 */
union paging_entry {
    _Alignas(8) uint64_t whole;
    struct {
        uint32_t low;
        uint32_t high;
    };
};

#define ENTRY_PRESENT       ((uint64_t)1 << 0)
#define ENTRY_WRITE         ((uint64_t)1 << 1)
#define ENTRY_USER          ((uint64_t)1 << 2)
#define ENTRY_WRITE_THROUGH ((uint64_t)1 << 3)
#define ENTRY_CACHE_DISABLE ((uint64_t)1 << 4)
#define ENTRY_ACCESSED      ((uint64_t)1 << 5)
#define ENTRY_DIRTY         ((uint64_t)1 << 6)
#define ENTRY_LARGE         ((uint64_t)1 << 7)
#define ENTRY_GLOBAL        ((uint64_t)1 << 8)
#define ENTRY_OWN           ((uint64_t)1 << 9) /* available: in own rows of spaces, user.h */
#define ENTRY_NO_EXECUTE    ((uint64_t)1 << 63)
#define ENTRY_FRAME         ((uint64_t)0x000FFFFFFFFFF000)

/* What the processor sets by itself: in every comparison these do not count. */
#define ENTRY_HARDWARE   (ENTRY_ACCESSED | ENTRY_DIRTY)
#define ENTRY_CACHE_TYPE (ENTRY_WRITE_THROUGH | ENTRY_CACHE_DISABLE)

/* All flags but no-execute are in the low half, and asked of that alone it is one instruction. */
static inline bool entry_has(uint64_t entry, uint64_t flag)
{
    return (uint32_t)entry & (uint32_t)flag;
}

static inline bool entry_is_present(uint64_t entry)
{
    return entry_has(entry, ENTRY_PRESENT);
}

/* Of a directory entry. */
static inline bool entry_is_large(uint64_t entry)
{
    return entry_has(entry, ENTRY_LARGE);
}

static inline frame_t entry_frame(uint64_t entry)
{
    return frame_of(entry & ENTRY_FRAME);
}

/*
 * The cache type, decided here and nowhere else. With the PAT as platform_features says it is
 * loaded, PWT selects write-combining and PCD|PWT uncached. Without a PAT, PCD alone means uncached
 * unless an MTRR says write-combining (SDM 3A, table 11-6), which is what write-combining falls
 * back to.
 */
static inline uint32_t entry_cache_type(uint32_t flags)
{
    if (flags & PAGING_UNCACHED)
        return ENTRY_CACHE_DISABLE | ENTRY_WRITE_THROUGH;
    if (flags & PAGING_WRITE_COMBINING)
        return platform_features.pat ? ENTRY_WRITE_THROUGH : ENTRY_CACHE_DISABLE;
    return 0;
}

/* All bits of a leaf but its frame number and size. Never zero. */
static inline uint64_t entry_rights(uint32_t flags)
{
    uint32_t low = (uint32_t)ENTRY_PRESENT | entry_cache_type(flags);
    if (flags & PAGING_WRITE)
        low |= ENTRY_WRITE;
    if (flags & PAGING_USER)
        low |= ENTRY_USER;
    else if (platform_features.global_pages)
        low |= ENTRY_GLOBAL;
    if (!(flags & PAGING_EXECUTE) && platform_features.no_execute)
        return low | ENTRY_NO_EXECUTE;
    return low;
}

/* A directory entry that names a table: the table's own entries restrict, this one only keeps users
 * out of supervisor rows once more. */
static inline uint64_t entry_table(frame_t table, uint64_t user)
{
    return frame_address(table) | ENTRY_PRESENT | ENTRY_WRITE | user;
}

/* A top entry: it has no rights. */
static inline uint64_t entry_directory(frame_t directory)
{
    return frame_address(directory) | ENTRY_PRESENT;
}

/* Half by half: only the processor changes an entry behind our back, and only A and D in the low
 * half. */
static inline uint64_t entry_read(const volatile union paging_entry *entry)
{
    uint32_t low = entry->low;
    return (uint64_t)entry->high << 32 | low;
}

/* An absent entry becomes present: high half first, the half with P last, so that the processor
 * never sees half an address. */
static inline void entry_set(volatile union paging_entry *entry, uint64_t value)
{
    entry->high = (uint32_t)(value >> 32);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    entry->low = (uint32_t)value;
}

/* One cmpxchg8b: a present entry is exchanged whole, and fails if the processor has set A or D
 * since it was read. Of the compilers' two families of atomic operations this is the one that never
 * becomes a call of a library. */
static inline bool entry_compare_exchange(union paging_entry *entry, uint64_t old, uint64_t value)
{
    return __sync_bool_compare_and_swap(&entry->whole, old, value);
}

#define ENTRY_KEPT (ENTRY_FRAME | ENTRY_LARGE | ENTRY_HARDWARE)

/* A leaf with other rights, which are not 0; what the processor set stays. */
static inline uint64_t entry_regranted(uint64_t entry, uint64_t rights)
{
    return rights | (entry & ENTRY_KEPT);
}

/* What changes of rights add up to, in halves: a low one is of a few bits, and no sum of a table's
 * carries. */
struct entry_change {
    int32_t low;
    uint32_t high;
};

static inline uint64_t entry_change_whole(const struct entry_change *change)
{
    return ((uint64_t)change->high << 32) + (uint64_t)(int64_t)change->low;
}

/*
 * Gives a present leaf other rights, which are not 0, and says whether it had others. A and D do
 * not count: the processor may set them meanwhile, so the other bits of their half are flipped by
 * one instruction. Both halves name the same frame all the time; that one has its rights before the
 * other nobody sees, since interrupts are off.
 */
static inline bool entry_regrant(union paging_entry *entry, uint64_t rights,
                                 struct entry_change *change)
{
    const uint32_t low = entry->low, high = entry->high;
    const uint32_t new_low = (uint32_t)rights | (low & (uint32_t)ENTRY_KEPT);
    const uint32_t new_high = (uint32_t)(rights >> 32) | (high & (uint32_t)(ENTRY_KEPT >> 32));
    if (new_low == low && new_high == high)
        return false;
    entry->high = new_high;
    (void)__atomic_fetch_xor(&entry->low, low ^ new_low, __ATOMIC_SEQ_CST);
    change->low += (int32_t)(new_low - low);
    change->high += new_high - high;
    return true;
}

/* A present leaf becomes absent, the other way round than entry_set: the half with P first, by an
 * exchange, so that A or D that the processor sets meanwhile is not lost; behind it the processor
 * does not look at the other half. Returns what it was. */
static inline uint64_t entry_clear(volatile union paging_entry *entry)
{
    uint64_t high = entry->high;
    uint32_t low = __atomic_exchange_n(&entry->low, 0, __ATOMIC_SEQ_CST);
    entry->high = 0;
    return high << 32 | low;
}

/* first, first + PAGE_SIZE, ...: the sum of count entries of consecutive frames with the same
 * rights, modulo 2^64. count <= 512. */
static inline uint64_t entry_sum(uint64_t first, uint32_t count)
{
    return first * count + (uint64_t)PAGE_SIZE * (count * (count - 1) / 2);
}

#endif
