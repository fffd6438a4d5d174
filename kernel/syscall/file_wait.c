#include "kernel/file/jobs.h"
#include "kernel/file/poll.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/space/usercopy.h"
#include "kernel/syscall/file.h"
#include "kernel/thread/clock.h"

/* poll and select, each in several dresses: times of 32 and 64 bits, with a signal mask or not. */

#define SMALL_ITEMS 8u

/* ---- time ---- */

/* How long a call may wait; a program that wants to know gets what is left. */
struct patience {
    uint64_t deadline_ns; /* 0: not at all; WAIT_FOREVER */
};

static struct patience patience_of(int64_t seconds, int64_t ns)
{
    uint64_t now = clock_monotonic_ns();
    if (seconds == 0 && ns == 0)
        return (struct patience){0};
    if (seconds > (int64_t)(INT64_MAX / NS_PER_SECOND / 2))
        return (struct patience){WAIT_FOREVER};
    return (struct patience){now + (uint64_t)seconds * NS_PER_SECOND + (uint64_t)ns};
}

static uint64_t left_of(struct patience patience)
{
    uint64_t now = clock_monotonic_ns();
    return patience.deadline_ns > now ? patience.deadline_ns - now : 0;
}

/* The forms in which programs pass times: what their second number counts, and how wide they are.
 */
enum time_form { TIME_TIMEVAL, TIME_TIMESPEC, TIME_TIMESPEC64 };

static int get_time(uint32_t address, enum time_form form, struct patience *patience)
{
    int32_t narrow[2];
    int64_t wide[2];
    if (address == 0) {
        patience->deadline_ns = WAIT_FOREVER;
        return 0;
    }
    int error = form == TIME_TIMESPEC64 ? space_copy_from_user(wide, address, sizeof(wide))
                                        : space_copy_from_user(narrow, address, sizeof(narrow));
    if (error != 0)
        return error;
    if (form != TIME_TIMESPEC64) {
        wide[0] = narrow[0];
        wide[1] = narrow[1];
    }
    if (form == TIME_TIMEVAL) { /* as Linux: microseconds may be more than a second */
        wide[0] += wide[1] / 1000000;
        wide[1] = wide[1] % 1000000 * 1000;
    }
    if (wide[0] < 0 || wide[1] < 0 || wide[1] >= (int64_t)NS_PER_SECOND)
        return -EINVAL;
    *patience = patience_of(wide[0], wide[1]);
    return 0;
}

/* As Linux, a time that cannot be written is no error: the call has done its work. */
static void put_time(uint32_t address, enum time_form form, struct patience patience)
{
    if (address == 0 || patience.deadline_ns == WAIT_FOREVER)
        return;
    uint64_t left = left_of(patience);
    int64_t wide[2] = {(int64_t)(left / NS_PER_SECOND), (int64_t)(left % NS_PER_SECOND)};
    int32_t narrow[2] = {(int32_t)wide[0],
                         (int32_t)(form == TIME_TIMEVAL ? wide[1] / 1000 : wide[1])};
    if (form == TIME_TIMESPEC64)
        (void)!space_copy_to_user(address, wide, sizeof(wide));
    else
        (void)!space_copy_to_user(address, narrow, sizeof(narrow));
}

/* ---- sets of files ---- */

struct item_set {
    struct poll_item *items;
    uint32_t count;
    struct poll_item small[SMALL_ITEMS];
};

static int items_get(struct item_set *set, uint32_t count)
{
    set->items = set->small;
    set->count = count;
    if (count > SMALL_ITEMS)
        set->items = kmalloc(count * sizeof(struct poll_item));
    if (set->items == NULL)
        return -ENOMEM;
    memset(set->items, 0, count * sizeof(struct poll_item));
    return 0;
}

static void items_put(struct item_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        file_drop(set->items[i].file);
    if (set->items != set->small)
        kfree(set->items);
}

/* ---- poll ---- */

struct pollfd {
    int32_t descriptor;
    uint16_t wanted, ready;
};

/* Descriptors below 0 are passed over. */
static void take_files(struct item_set *set, const struct pollfd *entries)
{
    for (uint32_t i = 0; i < set->count; i++) {
        set->items[i].wanted = entries[i].wanted;
        set->items[i].is_passed_over = entries[i].descriptor < 0;
        if (entries[i].descriptor >= 0)
            set->items[i].file = caller_file((uint32_t)entries[i].descriptor);
    }
}

static int32_t poll_entries(struct pollfd *entries, uint32_t count, uint64_t deadline_ns)
{
    struct item_set set;
    int error = items_get(&set, count);
    if (error != 0)
        return error;
    take_files(&set, entries);
    int ready = poll_wait(set.items, count, deadline_ns);
    for (uint32_t i = 0; i < count; i++)
        entries[i].ready = (uint16_t)set.items[i].ready;
    items_put(&set);
    return ready;
}

static int32_t poll_at(uint32_t address, uint32_t count, uint64_t deadline_ns)
{
    struct pollfd small[SMALL_ITEMS], *entries = small;
    if (count > FILE_TABLE_MAX)
        return -EINVAL;
    if (count > SMALL_ITEMS)
        entries = kmalloc(count * sizeof(struct pollfd));
    if (entries == NULL)
        return -ENOMEM;
    int32_t ready = space_copy_from_user(entries, address, count * sizeof(struct pollfd));
    if (ready == 0)
        ready = poll_entries(entries, count, deadline_ns);
    if (ready >= 0 && space_copy_to_user(address, entries, count * sizeof(struct pollfd)) != 0)
        ready = -EFAULT;
    if (entries != small)
        kfree(entries);
    return ready;
}

int32_t syscall_poll(uint32_t address, uint32_t count, uint32_t milliseconds)
{
    int32_t time = (int32_t)milliseconds;
    struct patience patience = {WAIT_FOREVER};
    if (time >= 0)
        patience = patience_of(time / 1000, (int64_t)(time % 1000) * 1000000);
    return poll_at(address, count, patience.deadline_ns);
}

static int32_t ppoll(uint32_t address, uint32_t count, uint32_t time, enum time_form form,
                     uint32_t mask, uint32_t mask_bytes)
{
    struct patience patience;
    int32_t ready = get_time(time, form, &patience);
    if (ready == 0)
        ready = file_jobs()->begin_mask(mask, mask_bytes);
    if (ready != 0)
        return ready;
    ready = poll_at(address, count, patience.deadline_ns);
    file_jobs()->end_mask(mask, ready);
    put_time(time, form, patience);
    return ready;
}

int32_t syscall_ppoll(uint32_t address, uint32_t count, uint32_t time, uint32_t mask,
                      uint32_t mask_bytes)
{
    return ppoll(address, count, time, TIME_TIMESPEC, mask, mask_bytes);
}

int32_t syscall_ppoll_time64(uint32_t address, uint32_t count, uint32_t time, uint32_t mask,
                             uint32_t mask_bytes)
{
    return ppoll(address, count, time, TIME_TIMESPEC64, mask, mask_bytes);
}

/* ---- select ---- */

#define SELECT_IN  (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define SELECT_OUT (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR)
#define SELECT_EX  POLLPRI
#define SET_WORDS  (FILE_TABLE_MAX / 32)

/* The three sets of a select, as words of bits, and then the answers in the same places. */
struct select_sets {
    uint32_t words[3][SET_WORDS];
};

static const uint32_t select_events[3] = {SELECT_IN, SELECT_OUT, SELECT_EX};

static bool has_bit(const struct select_sets *sets, unsigned which, uint32_t descriptor)
{
    return sets->words[which][descriptor / 32] >> descriptor % 32 & 1;
}

static uint32_t wanted_of(const struct select_sets *sets, uint32_t descriptor)
{
    uint32_t wanted = 0;
    for (unsigned which = 0; which < 3; which++)
        if (has_bit(sets, which, descriptor))
            wanted |= select_events[which];
    return wanted;
}

static int get_sets(struct select_sets *sets, const uint32_t addresses[3], uint32_t words)
{
    for (unsigned which = 0; which < 3; which++) {
        memset(sets->words[which], 0, words * sizeof(uint32_t));
        if (addresses[which] != 0 && space_copy_from_user(sets->words[which], addresses[which],
                                                          words * sizeof(uint32_t)) != 0)
            return -EFAULT;
    }
    return 0;
}

static int put_sets(const struct select_sets *sets, const uint32_t addresses[3], uint32_t words)
{
    for (unsigned which = 0; which < 3; which++)
        if (addresses[which] != 0 &&
            space_copy_to_user(addresses[which], sets->words[which], words * sizeof(uint32_t)) != 0)
            return -EFAULT;
    return 0;
}

/* One item for each descriptor that some set has; -EBADF if one is not open. */
static int take_selected(struct item_set *items, const struct select_sets *sets, uint32_t limit)
{
    uint32_t at = 0;
    for (uint32_t descriptor = 0; descriptor < limit; descriptor++) {
        uint32_t wanted = wanted_of(sets, descriptor);
        if (wanted == 0)
            continue;
        items->items[at].wanted = wanted;
        items->items[at].file = caller_file(descriptor);
        if (items->items[at++].file == NULL)
            return -EBADF;
    }
    return 0;
}

static uint32_t count_selected(const struct select_sets *sets, uint32_t limit)
{
    uint32_t count = 0;
    for (uint32_t descriptor = 0; descriptor < limit; descriptor++)
        count += wanted_of(sets, descriptor) != 0;
    return count;
}

/* The sets become the answers; how many bits are set. */
static int answer_sets(struct select_sets *sets, const struct item_set *items, uint32_t limit)
{
    uint32_t at = 0;
    int bits = 0;
    for (uint32_t descriptor = 0; descriptor < limit; descriptor++) {
        if (wanted_of(sets, descriptor) == 0)
            continue;
        for (unsigned which = 0; which < 3; which++) {
            if (!has_bit(sets, which, descriptor))
                continue;
            if (items->items[at].ready & select_events[which])
                bits++;
            else
                sets->words[which][descriptor / 32] &= ~(1u << descriptor % 32);
        }
        at++;
    }
    return bits;
}

static int select_items(struct select_sets *sets, uint32_t limit, uint64_t deadline_ns)
{
    struct item_set items;
    int ready = items_get(&items, count_selected(sets, limit));
    if (ready != 0)
        return ready;
    ready = take_selected(&items, sets, limit);
    if (ready == 0)
        ready = poll_wait(items.items, items.count, deadline_ns);
    if (ready >= 0)
        ready = answer_sets(sets, &items, limit);
    items_put(&items);
    return ready;
}

static int32_t select_at(uint32_t limit, const uint32_t addresses[3], uint64_t deadline_ns)
{
    if ((int32_t)limit < 0)
        return -EINVAL;
    limit = limit < FILE_TABLE_MAX ? limit : FILE_TABLE_MAX;
    uint32_t words = (limit + 31) / 32;
    struct select_sets *sets = kmalloc(sizeof(*sets));
    if (sets == NULL)
        return -ENOMEM;
    int ready = get_sets(sets, addresses, words);
    if (ready == 0)
        ready = select_items(sets, limit, deadline_ns);
    if (ready >= 0 && put_sets(sets, addresses, words) != 0)
        ready = -EFAULT;
    kfree(sets);
    return ready;
}

int32_t syscall__newselect(uint32_t limit, uint32_t in, uint32_t out, uint32_t except,
                           uint32_t time)
{
    const uint32_t addresses[3] = {in, out, except};
    struct patience patience;
    int32_t ready = get_time(time, TIME_TIMEVAL, &patience);
    if (ready != 0)
        return ready;
    ready = select_at(limit, addresses, patience.deadline_ns);
    put_time(time, TIME_TIMEVAL, patience);
    return ready;
}

int32_t syscall_select(uint32_t address)
{
    uint32_t arguments[5];
    if (space_copy_from_user(arguments, address, sizeof(arguments)) != 0)
        return -EFAULT;
    return syscall__newselect(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
}

static int32_t pselect(uint32_t limit, const uint32_t addresses[3], uint32_t time,
                       enum time_form form, uint32_t mask_address)
{
    struct patience patience;
    uint32_t mask[2] = {0, 0}; /* where it is, and how many bytes it has */
    if (mask_address != 0 && space_copy_from_user(mask, mask_address, sizeof(mask)) != 0)
        return -EFAULT;
    int32_t ready = get_time(time, form, &patience);
    if (ready == 0)
        ready = file_jobs()->begin_mask(mask[0], mask[1]);
    if (ready != 0)
        return ready;
    ready = select_at(limit, addresses, patience.deadline_ns);
    file_jobs()->end_mask(mask[0], ready);
    put_time(time, form, patience);
    return ready;
}

int32_t syscall_pselect6(uint32_t limit, uint32_t in, uint32_t out, uint32_t except, uint32_t time,
                         uint32_t mask)
{
    const uint32_t addresses[3] = {in, out, except};
    return pselect(limit, addresses, time, TIME_TIMESPEC, mask);
}

int32_t syscall_pselect6_time64(uint32_t limit, uint32_t in, uint32_t out, uint32_t except,
                                uint32_t time, uint32_t mask)
{
    const uint32_t addresses[3] = {in, out, except};
    return pselect(limit, addresses, time, TIME_TIMESPEC64, mask);
}
