#include "kernel/cpu/timer.h"
#include "kernel/file/jobs.h"
#include "kernel/file/path.h"
#include "kernel/file/proc.h"
#include "kernel/file/table.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/process/internal.h"
#include "kernel/process/load.h"
#include "kernel/space/space.h"
#include "kernel/space/usercopy.h"
#include "kernel/thread/stack.h"

/*
 * What files and /proc want to know of processes. A process that is looked at is kept from going by
 * preemption being off; what is read from it with sleep holds what it needs first.
 */

/* ---- jobs ---- */

static int begin_mask(uint32_t at, uint32_t bytes)
{
    signal_set_t mask;
    if (at == 0)
        return 0;
    if (bytes != sizeof(mask))
        return -EINVAL;
    if (space_copy_from_user(&mask, at, sizeof(mask)) != 0)
        return -EFAULT;
    signal_block_for_wait(mask);
    return 0;
}

static void end_mask(uint32_t at, int32_t result)
{
    if (at != 0 && result != -EINTR)
        signal_unblock_after_wait();
}

static uint32_t caller_id(void)
{
    return process_current() != NULL ? process_current()->id : 0;
}

static uint32_t caller_group(void)
{
    return process_current() != NULL ? process_current()->group : 0;
}

static uint32_t caller_session(void)
{
    return process_current() != NULL ? process_current()->session : 0;
}

static void signal_caller(int signal)
{
    if (process_current() != NULL)
        signal_send_thread(user_thread_current(), signal, NULL);
}

static void signal_group(uint32_t group, int signal)
{
    signal_send_group(group, signal, NULL);
}

static bool is_deaf(int signal)
{
    const struct user_thread *user = user_thread_current();
    if (user == NULL)
        return true;
    return user->blocked & signal_bit(signal) ||
           user->process->actions.ignored & signal_bit(signal) ||
           process_is_orphaned_group(user->process->group);
}

static void note_session(void *context, struct process *process)
{
    *(uint32_t *)context = process->session;
}

static uint32_t session_of_group(uint32_t group)
{
    uint32_t session = 0;
    process_visit_group(group, note_session, &session);
    return session;
}

static uint64_t file_bytes_limit(void)
{
    if (process_current() == NULL || process_current()->limits[LIMIT_FSIZE].soft == LIMIT_INFINITY)
        return UINT64_MAX;
    return process_current()->limits[LIMIT_FSIZE].soft;
}

static const struct file_jobs jobs = {
    .begin_mask = begin_mask,
    .end_mask = end_mask,
    .process = caller_id,
    .group = caller_group,
    .session = caller_session,
    .signal_caller = signal_caller,
    .signal_group = signal_group,
    .is_deaf = is_deaf,
    .session_of_group = session_of_group,
    .file_bytes_limit = file_bytes_limit,
};

/* ---- /proc ---- */

#define TICKS_OF(ticks) ((ticks) / (TIMER_HZ / CLOCK_TICKS_A_SECOND))

struct counts {
    uint32_t running, blocked;
};

static bool count_states(void *context, const struct thread *thread)
{
    struct counts *counts = context;
    if (thread->process == NULL)
        return true;
    counts->running += thread->state == THREAD_READY || thread->state == THREAD_RUNNING;
    counts->blocked += thread->state == THREAD_WAITING && !thread->is_interruptible;
    return true;
}

static void read_totals(struct proc_totals *totals)
{
    struct thread_times times;
    struct counts counts = {0, 0};
    thread_read_times(&times);
    thread_visit(count_states, &counts);
    *totals = (struct proc_totals){
        .user_ticks = TICKS_OF(times.user_ticks),
        .system_ticks = TICKS_OF(times.kernel_ticks),
        .idle_ticks = TICKS_OF(times.idle_ticks),
        .switches = times.switches,
        .forks = process_forks(),
        .running = counts.running,
        .blocked = counts.blocked,
        .processes = process_count(),
        .last_id = process_last_id(),
        .committed_pages = commit_charged_pages(),
        .commit_limit_pages = commit_limit_pages(),
        .stack_pages = stack_count() * STACK_PAGES,
    };
    load_read(totals->load_average);
}

static uint32_t next_id(uint32_t id)
{
    preempt_disable();
    struct process *process = process_next(id);
    uint32_t next = process != NULL ? process->id : 0;
    preempt_enable();
    return next;
}

/* R, S, D, T or Z: of its threads, the one that is most awake. */
static char state_of(const struct process *process)
{
    char state = 'S';
    if (process->state == PROCESS_ZOMBIE || process->threads == NULL)
        return 'Z';
    if (process->state == PROCESS_STOPPED)
        return 'T';
    for (const struct user_thread *user = process->threads; user != NULL; user = user->next) {
        const struct thread *thread = user->thread;
        if (thread->state == THREAD_RUNNING || thread->state == THREAD_READY)
            return 'R';
        if (thread->state == THREAD_WAITING && !thread->is_interruptible)
            state = 'D';
    }
    return state;
}

static void fill_signals(const struct process *process, struct proc_facts *facts)
{
    facts->ignored = process->actions.ignored;
    facts->caught = process->actions.handled;
    facts->pending = process->pending.set;
    if (process->threads != NULL)
        facts->blocked = process->threads->blocked;
}

static void fill_scheduling(const struct process *process, struct proc_facts *facts)
{
    struct process_times times = process_read_times(process);
    facts->user_ticks = TICKS_OF(times.user_ticks);
    facts->system_ticks = TICKS_OF(times.kernel_ticks);
    facts->children_user_ticks = TICKS_OF(process->waited_children.user_ticks);
    facts->children_system_ticks = TICKS_OF(process->waited_children.kernel_ticks);
    facts->start_ticks = process->start_ns / (NS_PER_SECOND / CLOCK_TICKS_A_SECOND);
    if (process->threads == NULL)
        return;
    const struct thread *thread = process->threads->thread;
    facts->nice = thread->nice;
    facts->policy = thread->policy;
    facts->priority = thread->base_priority;
    facts->voluntary_switches = thread->voluntary_switches;
    facts->involuntary_switches = thread->other_switches;
}

static void fill_memory(struct space *space, struct proc_facts *facts)
{
    struct space_statistics memory;
    space_read_statistics(space, &memory);
    facts->minor_faults = memory.faults_minor;
    facts->size = memory.size;
    facts->size_peak = memory.size_peak;
    facts->resident = memory.resident;
    facts->resident_peak = memory.resident_peak;
    facts->shared = memory.resident - memory.resident_private;
    facts->locked = memory.locked;
    facts->text = memory.text;
    facts->data = memory.data;
    facts->stack = memory.stack;
    facts->libraries = memory.libraries;
    facts->page_tables = memory.page_tables;
    facts->heap_start = memory.brk_start;
}

/* The space of a process, held; NULL: gone, or none. */
static struct space *hold_space(uint32_t id)
{
    preempt_disable();
    struct process *process = process_find(id);
    struct space *space = process != NULL ? process->space : NULL;
    if (space != NULL)
        space_hold(space);
    preempt_enable();
    return space;
}

static void fill_identity(const struct process *process, struct proc_facts *facts)
{
    facts->id = process->id;
    facts->parent = process->parent != NULL ? process->parent->id : 0;
    facts->group = process->group;
    facts->session = process->session;
    facts->state = state_of(process);
    memcpy(facts->name, process->name, sizeof(facts->name));
    facts->threads = process->thread_count;
    facts->exit_code = process->exit_status;
    facts->code_start = process->code_start;
    facts->code_end = process->code_end;
    facts->data_start = process->data_start;
    facts->data_end = process->data_end;
    facts->stack_start = process->stack_start;
}

static bool read_facts(uint32_t id, struct proc_facts *facts)
{
    memset(facts, 0, sizeof(*facts));
    preempt_disable();
    struct process *process = process_find(id);
    if (process != NULL) {
        fill_identity(process, facts);
        fill_signals(process, facts);
        fill_scheduling(process, facts);
    }
    preempt_enable();
    if (process == NULL)
        return false;
    struct space *space = hold_space(id);
    if (space != NULL) {
        fill_memory(space, facts);
        space_drop(space);
    }
    return true;
}

static uint32_t read_memory(uint32_t id, uint32_t start, uint32_t end, uint32_t offset,
                            char *buffer, uint32_t bytes)
{
    struct space *space = hold_space(id);
    if (space == NULL)
        return 0;
    uint32_t count = offset < end - start ? end - start - offset : 0;
    count = count < bytes ? count : bytes;
    if (count != 0 && space_read(space, buffer, start + offset, count) != 0)
        count = 0;
    space_drop(space);
    return count;
}

static uint32_t read_arguments(uint32_t id, uint32_t offset, char *buffer, uint32_t bytes)
{
    preempt_disable();
    const struct process *process = process_find(id);
    uint32_t start = process != NULL ? process->arguments_start : 0;
    uint32_t end = process != NULL ? process->arguments_end : 0;
    preempt_enable();
    return read_memory(id, start, end, offset, buffer, bytes);
}

static uint32_t read_environment(uint32_t id, uint32_t offset, char *buffer, uint32_t bytes)
{
    preempt_disable();
    const struct process *process = process_find(id);
    uint32_t start = process != NULL ? process->arguments_end : 0;
    uint32_t end = process != NULL ? process->environment_end : 0;
    preempt_enable();
    return read_memory(id, start, end, offset, buffer, bytes);
}

static struct file_table *hold_files(uint32_t id)
{
    preempt_disable();
    const struct process *process = process_find(id);
    struct file_table *files =
        process != NULL && process->files != NULL ? file_table_hold(process->files) : NULL;
    preempt_enable();
    return files;
}

static struct path_context *hold_paths(uint32_t id)
{
    preempt_disable();
    const struct process *process = process_find(id);
    struct path_context *paths =
        process != NULL && process->paths != NULL ? path_context_hold(process->paths) : NULL;
    preempt_enable();
    return paths;
}

static struct inode *hold_executable(uint32_t id)
{
    preempt_disable();
    const struct process *process = process_find(id);
    struct inode *inode =
        process != NULL && process->executable != NULL ? inode_hold(process->executable) : NULL;
    preempt_enable();
    return inode;
}

static bool read_executable_path(uint32_t id, char *buffer, uint32_t size)
{
    preempt_disable();
    const struct process *process = process_find(id);
    bool has_path = process != NULL && process->path[0] != '\0' && size > 0;
    if (has_path) {
        size_t length = strnlen(process->path, size - 1);
        memcpy(buffer, process->path, length);
        buffer[length] = '\0';
    }
    preempt_enable();
    return has_path;
}

struct area_visit {
    proc_area_visitor visit;
    void *context;
};

static bool show_area(void *context, const struct space_area *area)
{
    const struct area_visit *given = context;
    bool is_file = area->backing.name != NULL;
    /* Shared is what more than one process maps, whoever owns it. */
    uint32_t shared = area->shared_frames;
    uint32_t private = area->resident - shared;
    const struct proc_area shown = {
        .start = area->start,
        .end = area->end,
        .offset = (uint64_t)area->index * PAGE_SIZE,
        .device = area->backing.device,
        .inode = area->backing.inode,
        .name = is_file          ? area->backing.name
                : area->is_heap  ? "[heap]"
                : area->is_stack ? "[stack]"
                                 : "",
        .is_readable = area->protection & PROT_READ,
        .is_writable = area->protection & PROT_WRITE,
        .is_executable = area->protection & PROT_EXEC,
        .is_shared = area->flags & MAP_SHARED,
        .is_locked = area->flags & MAP_LOCKED,
        .grows_down = area->flags & MAP_GROWSDOWN,
        .resident = area->resident,
        .shared_clean = shared,
        .private_dirty = private < area->dirty ? private : area->dirty,
        .private_clean = private < area->dirty ? 0 : private - area->dirty,
        .referenced = area->referenced,
        .anonymous = is_file ? 0 : area->resident,
        .locked = area->flags & MAP_LOCKED ? area->resident : 0,
        .proportional_bytes = (uint64_t)(area->resident - area->shared_frames / 2) * PAGE_SIZE,
    };
    return given->visit(given->context, &shown);
}

static void visit_areas(uint32_t id, uint32_t from, proc_area_visitor visit, void *context)
{
    struct space *space = hold_space(id);
    struct area_visit given = {visit, context};
    if (space == NULL)
        return;
    space_visit_areas(space, from, SPACE_VISIT_COUNT, show_area, &given);
    space_drop(space);
}

static bool read_limit(uint32_t id, unsigned resource, uint32_t *soft, uint32_t *hard)
{
    preempt_disable();
    const struct process *process = process_find(id);
    bool is_there = process != NULL && resource < LIMIT_COUNT;
    if (is_there) {
        *soft = process->limits[resource].soft;
        *hard = process->limits[resource].hard;
    }
    preempt_enable();
    return is_there;
}

static const struct proc_source source = {
    .totals = read_totals,
    .next = next_id,
    .self = caller_id,
    .read = read_facts,
    .arguments = read_arguments,
    .environment = read_environment,
    .files = hold_files,
    .paths = hold_paths,
    .executable = hold_executable,
    .executable_path = read_executable_path,
    .areas = visit_areas,
    .limit = read_limit,
};

int process_sources_init(void)
{
    file_set_jobs(&jobs);
    proc_set_source(&source);
    return load_init();
}
