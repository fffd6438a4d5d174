#include "tests/unit/file_machine.h"

#include <stdarg.h>

#include "kernel/file/locks.h"
#include "kernel/file/memory.h"
#include "kernel/file/pipe.h"
#include "kernel/include/log.h"
#include "kernel/lib/format.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/process/process.h"
#include "kernel/space/commit.h"
#include "kernel/space/transfer.h"
#include "kernel/space/usercopy.h"
#include "kernel/thread/clock.h"
#include "kernel/thread/mutex.h"

#define ARCHIVE_TAG BYTEMAP_TAG(BYTEMAP_CACHE, BYTEMAP_KERNEL)

int (*machine_on_wait)(unsigned flags, uint64_t deadline_ns);
unsigned machine_waits, machine_wakes;
uint64_t machine_now_ns;
uint8_t machine_user[USER_BYTES];
uint32_t machine_process, machine_group, machine_session;
int machine_caller_signal, machine_group_signal;
uint32_t machine_signalled_group;
bool machine_is_deaf;
uint64_t machine_file_limit = UINT64_MAX;
char machine_log[4096];

uint32_t preempt_count;
static unsigned mutexes_held;
static uint32_t free_at_start, charged_at_start, objects_at_start;
struct process machine_caller;
static struct thread the_thread = {.process = &machine_caller};
struct thread *thread_now = &the_thread;

/* ---- threads ---- */

void preempt_give_way(void)
{
    CHECK(false); /* nobody is there */
}

void thread_interrupts_restore(unsigned long saved)
{
    platform_interrupts_restore(saved);
}

void mutex_lock(struct mutex *mutex)
{
    CHECK(mutex->owner == NULL);
    CHECK_EQUAL(preempt_count, 0);
    mutex->owner = thread_now;
    mutexes_held++;
}

void mutex_unlock(struct mutex *mutex)
{
    CHECK(mutex->owner == thread_now);
    mutex->owner = NULL;
    mutexes_held--;
}

static int wait(unsigned flags, uint64_t deadline_ns)
{
    CHECK_EQUAL(preempt_count, 0);
    CHECK_EQUAL(mutexes_held, 0);
    if (machine_waits++ > 1000)
        test_fail(__FILE__, __LINE__, "waits without end");
    CHECK(machine_on_wait != NULL || (flags & WAIT_INTERRUPTIBLE));
    unsigned long saved = 0;
    platform_interrupts_restore(saved); /* others run with interrupts on */
    int result = machine_on_wait == NULL ? -EINTR : machine_on_wait(flags, deadline_ns);
    CHECK_EQUAL(platform_interrupts_save(), saved);
    return result;
}

int wait_sleep(struct wait_queue *queue, unsigned flags, uint64_t deadline_ns)
{
    (void)queue;
    return wait(flags, deadline_ns);
}

int wait_block(unsigned flags, uint64_t deadline_ns)
{
    return wait(flags, deadline_ns);
}

void wait_add(struct wait_queue *queue, struct wait_entry *entry)
{
    entry->queue = queue;
    entry->previous = queue->last;
    entry->next = NULL;
    *(queue->last == NULL ? &queue->first : &queue->last->next) = entry;
    queue->last = entry;
}

void wait_remove(struct wait_entry *entry)
{
    struct wait_queue *queue = entry->queue;
    if (queue == NULL)
        return;
    *(entry->previous == NULL ? &queue->first : &entry->previous->next) = entry->next;
    *(entry->next == NULL ? &queue->last : &entry->next->previous) = entry->previous;
    entry->queue = NULL;
}

void wait_wake_all(struct wait_queue *queue)
{
    machine_wakes++;
    while (queue->first != NULL)
        wait_remove(queue->first);
}

void wait_wake_one(struct wait_queue *queue)
{
    machine_wakes++;
    if (queue->first != NULL)
        wait_remove(queue->first);
}

uint64_t clock_monotonic_ns(void)
{
    return machine_now_ns += 1000;
}

uint64_t clock_wall_ns(void)
{
    return 1700000000ull * NS_PER_SECOND + clock_monotonic_ns();
}

/* ---- charges ---- */

static uint32_t withheld;

uint32_t machine_chargeable(void)
{
    return commit_limit_pages() - commit_charged_pages();
}

void machine_leave_chargeable(uint32_t pages)
{
    pageframe_unpromise(withheld);
    withheld = 0;
    uint32_t before = machine_chargeable();
    if (pages >= before)
        return;
    CHECK_EQUAL(pageframe_promise(before - pages), 0);
    withheld = before - pages;
}

/* ---- user memory ---- */

uint32_t user_text(uint32_t offset, const char *text)
{
    CHECK(offset + strlen(text) < USER_BYTES);
    strcpy((char *)machine_user + offset, text);
    return USER_BASE + offset;
}

/* User memory may be a file's: no lock that a fault could need is held. */
static void check_may_fault(void)
{
    CHECK_EQUAL(preempt_count, 0);
    CHECK(file_tree_lock.owner == NULL);
}

static size_t there(uint64_t address, size_t bytes)
{
    check_may_fault();
    if (address < USER_BASE || address >= USER_BASE + USER_BYTES)
        return 0;
    size_t room = (size_t)(USER_BASE + USER_BYTES - address);
    return bytes < room ? bytes : room;
}

int space_copy_from_user(void *to, uint32_t from, size_t bytes)
{
    if (there(from, bytes) < bytes)
        return -EFAULT;
    memcpy(to, machine_user + (from - USER_BASE), bytes);
    return 0;
}

int space_copy_to_user(uint32_t to, const void *from, size_t bytes)
{
    if (there(to, bytes) < bytes)
        return -EFAULT;
    memcpy(machine_user + (to - USER_BASE), from, bytes);
    return 0;
}

int space_read_user32(uint32_t *value, uint32_t from)
{
    return space_copy_from_user(value, from, sizeof(*value));
}

int space_write_user32(uint32_t to, uint32_t value)
{
    return space_copy_to_user(to, &value, sizeof(value));
}

int32_t space_string_from_user(char *to, uint32_t from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (space_copy_from_user(to + i, from + (uint32_t)i, 1) != 0)
            return -EFAULT;
        if (to[i] == '\0')
            return (int32_t)i;
    }
    return -ENAMETOOLONG;
}

void transfer_init(struct transfer *transfer, enum transfer_memory memory,
                   const struct transfer_piece *pieces, uint32_t count)
{
    *transfer = (struct transfer){.memory = memory, .piece = pieces};
    for (uint32_t i = 0; i < count; i++)
        transfer->left += pieces[i].bytes;
}

/* A pointer to as much as lies together at the cursor, at most *bytes; NULL: a bad address. */
static uint8_t *window(struct transfer *transfer, size_t *bytes)
{
    while (transfer->done == transfer->piece->bytes) {
        transfer->piece++;
        transfer->done = 0;
    }
    uintptr_t at = transfer->piece->base + transfer->done;
    size_t room = transfer->piece->bytes - transfer->done;
    *bytes = *bytes < room ? *bytes : room;
    if (transfer->memory == TRANSFER_KERNEL)
        return (uint8_t *)at;
    *bytes = there(at, *bytes);
    return *bytes == 0 ? NULL : machine_user + (at - USER_BASE);
}

enum way { PUT, GET, ZERO };

static int32_t move(struct transfer *transfer, void *data, size_t bytes, enum way way)
{
    size_t done = 0;
    check_may_fault();
    bytes = bytes < transfer->left ? bytes : transfer->left;
    while (done < bytes) {
        size_t piece = bytes - done;
        uint8_t *at = window(transfer, &piece);
        if (at == NULL)
            return done > 0 ? (int32_t)done : -EFAULT;
        if (way == PUT)
            memcpy(at, (uint8_t *)data + done, piece);
        else if (way == GET)
            memcpy((uint8_t *)data + done, at, piece);
        else
            memset(at, 0, piece);
        done += piece;
        transfer->done += piece;
        transfer->left -= piece;
    }
    return (int32_t)done;
}

int32_t transfer_put(struct transfer *transfer, const void *data, size_t bytes)
{
    return move(transfer, (void *)(uintptr_t)data, bytes, PUT);
}

int32_t transfer_get(struct transfer *transfer, void *data, size_t bytes)
{
    return move(transfer, data, bytes, GET);
}

int32_t transfer_put_zeros(struct transfer *transfer, size_t bytes)
{
    return move(transfer, NULL, bytes, ZERO);
}

/* ---- jobs and the log ---- */

static int begin_mask(uint32_t mask, uint32_t bytes)
{
    return mask == 0 || bytes == 8 ? 0 : -EINVAL;
}

static void end_mask(uint32_t mask, int32_t result)
{
    (void)mask;
    (void)result;
}

static uint32_t get_process(void)
{
    return machine_process;
}

static uint32_t get_group(void)
{
    return machine_group;
}

static uint32_t get_session(void)
{
    return machine_session;
}

static void signal_caller(int signal)
{
    machine_caller_signal = signal;
}

static void signal_group(uint32_t group, int signal)
{
    machine_signalled_group = group;
    machine_group_signal = signal;
}

static bool is_deaf(int signal)
{
    (void)signal;
    return machine_is_deaf;
}

static uint64_t file_bytes_limit(void)
{
    return machine_file_limit;
}

static uint32_t session_of_group(uint32_t group)
{
    return group < 100 ? machine_session : group < 200 ? 99 : 0;
}

void log_line(const char *format, ...)
{
    size_t used = strlen(machine_log);
    va_list arguments;
    va_start(arguments, format);
    format_text_arguments(machine_log + used, sizeof(machine_log) - used - 1, format, arguments);
    va_end(arguments);
    strcat(machine_log, "\n");
}

/* ---- the machine ---- */

static uint32_t objects(void)
{
    return machine_statistics().objects;
}

static void reset(void)
{
    static const struct file_jobs jobs = {
        .begin_mask = begin_mask,
        .end_mask = end_mask,
        .process = get_process,
        .group = get_group,
        .session = get_session,
        .signal_caller = signal_caller,
        .signal_group = signal_group,
        .is_deaf = is_deaf,
        .session_of_group = session_of_group,
        .file_bytes_limit = file_bytes_limit,
    };
    file_set_jobs(&jobs);
    machine_on_wait = NULL;
    machine_waits = machine_wakes = 0;
    machine_caller_signal = machine_group_signal = 0;
    machine_process = machine_group = machine_session = 1;
    machine_is_deaf = false;
    machine_log[0] = '\0';
    memset(machine_user, 0, sizeof(machine_user));
    preempt_count = mutexes_held = 0;
    withheld = 0;
    commit_charged = 0;
}

void file_machine_start_archive(uint32_t frames, const void *archive, uint32_t bytes)
{
    frame_t first = FRAME_NONE;
    machine_start(frames);
    reset();
    if (bytes > 0) {
        uint32_t count = (bytes + FRAME_SIZE - 1) / FRAME_SIZE;
        first = pageframe_alloc_run(count, 1, FRAME_NONE, PAGEFRAME_DIRECT, ARCHIVE_TAG);
        CHECK(first != FRAME_NONE);
        memset(platform_frame_pointer(first), 0xEE, (size_t)count * FRAME_SIZE);
        memcpy(platform_frame_pointer(first), archive, bytes);
    }
    CHECK_EQUAL(files_init(bytes > 0 ? frame_address(first) : 0, bytes), 0);
    charged_at_start = commit_charged;
    objects_at_start = objects();
    heap_trim();
    free_at_start = machine_free_frames();
    machine_files = file_table_create();
    machine_paths = path_context_create();
    CHECK(machine_files != NULL && machine_paths != NULL);
}

void file_machine_start(uint32_t frames)
{
    file_machine_start_archive(frames, NULL, 0);
}

static char sentences[2048];

static void say(const char *sentence)
{
    size_t used = strlen(sentences);
    snprintf(sentences + used, sizeof(sentences) - used, "%s\n", sentence);
}

void file_machine_check(void)
{
    struct check check = {0, say};
    sentences[0] = '\0';
    CHECK_EQUAL(preempt_count, 0);
    CHECK_EQUAL(mutexes_held, 0);
    files_check(&check);
    if (check.faults != 0)
        test_fail(__FILE__, __LINE__, "files_check:\n%s", sentences);
    machine_check_is_clean();
}

void file_machine_end(void)
{
    file_table_drop(machine_files);
    path_context_drop(machine_paths);
    file_machine_check();
    heap_trim();
    CHECK_EQUAL(locks_count(), 0);
    CHECK_EQUAL(pipe_count(), 0);
    CHECK_EQUAL(commit_charged, charged_at_start);
    CHECK_EQUAL(objects(), objects_at_start);
    CHECK_EQUAL(machine_free_frames(), free_at_start);
}
