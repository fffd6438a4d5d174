#include "kernel/process/process.h"

#include "kernel/cpu/fpu.h"
#include "kernel/file/path.h"
#include "kernel/file/table.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/platform.h"
#include "kernel/memory/system.h"
#include "kernel/process/futex.h"
#include "kernel/process/internal.h"
#include "kernel/process/user.h"
#include "kernel/space/space.h"

/*
 * Who there is. An id belongs to a thread; the first thread's is its process's. Both are found
 * through hash tables; a group or a session keeps its id from being given again for as long as it
 * has members.
 */
#define BUCKETS 256u

static struct process *processes[BUCKETS];
static struct user_thread *threads[BUCKETS];
static uint32_t count, last_id;
static struct heap_cache *process_cache, *thread_cache, *fpu_cache;

int process_init(void)
{
    process_cache = heap_cache_create("process", sizeof(struct process), 16);
    thread_cache = heap_cache_create("user thread", sizeof(struct user_thread), 16);
    fpu_cache = heap_cache_create("FPU state", FPU_STATE_BYTES, FPU_STATE_ALIGNMENT);
    if (process_cache == NULL || thread_cache == NULL || fpu_cache == NULL || signal_init() != 0)
        return -ENOMEM;
    user_init();
    memory_add_check(process_check);
    return process_sources_init();
}

/* ---- tables; preemption off ---- */

struct process *process_find(uint32_t id)
{
    struct process *process = processes[id % BUCKETS];
    while (process != NULL && process->id != id)
        process = process->hash_next;
    return process;
}

struct user_thread *user_thread_find(uint32_t id)
{
    struct user_thread *thread = threads[id % BUCKETS];
    while (thread != NULL && thread->id != id)
        thread = thread->hash_next;
    return thread;
}

void process_visit_all(process_visitor visit, void *context)
{
    preempt_disable();
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct process *process = processes[i]; process != NULL; process = process->hash_next)
            visit(context, process);
    preempt_enable();
}

struct search {
    uint32_t number;
    struct process *found;
};

static void look_for_next(void *context, struct process *process)
{
    struct search *search = context;
    if (process->id > search->number && (search->found == NULL || process->id < search->found->id))
        search->found = process;
}

struct process *process_next(uint32_t id)
{
    struct search search = {id, NULL};
    process_visit_all(look_for_next, &search);
    return search.found;
}

struct group_visit {
    uint32_t group, visited;
    process_visitor visit;
    void *context;
};

static void visit_member(void *context, struct process *process)
{
    struct group_visit *given = context;
    if (process->group != given->group || process->state == PROCESS_ZOMBIE)
        return;
    given->visited++;
    if (given->visit != NULL)
        given->visit(given->context, process);
}

uint32_t process_visit_group(uint32_t group, process_visitor visit, void *context)
{
    struct group_visit given = {group, 0, visit, context};
    process_visit_all(visit_member, &given);
    return given.visited;
}

static void look_for_number(void *context, struct process *process)
{
    struct search *search = context;
    if (process->group == search->number || process->session == search->number)
        search->found = process;
}

static bool is_id_used(uint32_t id)
{
    struct search search = {id, NULL};
    if (user_thread_find(id) != NULL || process_find(id) != NULL)
        return true;
    if (id < last_id) /* ids that never were given before are nobody's */
        process_visit_all(look_for_number, &search);
    return search.found != NULL;
}

uint32_t process_new_id(void)
{
    for (uint32_t tries = 0; tries < PROCESS_ID_MAX; tries++) {
        uint32_t id = last_id + 1 < PROCESS_ID_MAX ? last_id + 1 : PROCESS_ID_AGAIN;
        bool is_used = is_id_used(id);
        last_id = id;
        if (!is_used)
            return id;
    }
    return 0;
}

void process_enter(struct process *process)
{
    struct process **bucket = &processes[process->id % BUCKETS];
    process->hash_next = *bucket;
    *bucket = process;
    count++;
}

void process_leave(struct process *process)
{
    struct process **link = &processes[process->id % BUCKETS];
    while (*link != process)
        link = &(*link)->hash_next;
    *link = process->hash_next;
    count--;
}

void user_thread_enter(struct user_thread *thread)
{
    struct user_thread **bucket = &threads[thread->id % BUCKETS];
    struct process *process = thread->process;
    thread->hash_next = *bucket;
    *bucket = thread;
    thread->previous = NULL;
    thread->next = process->threads;
    if (thread->next != NULL)
        thread->next->previous = thread;
    unsigned long saved = platform_interrupts_save();
    process->threads = thread;
    process->thread_count++;
    platform_interrupts_restore(saved);
}

void user_thread_leave(struct user_thread *thread)
{
    struct user_thread **link = &threads[thread->id % BUCKETS];
    struct process *process = thread->process;
    while (*link != thread)
        link = &(*link)->hash_next;
    *link = thread->hash_next;
    unsigned long saved = platform_interrupts_save();
    if (thread->previous != NULL)
        thread->previous->next = thread->next;
    else
        process->threads = thread->next;
    if (thread->next != NULL)
        thread->next->previous = thread->previous;
    process->thread_count--;
    thread->thread->process = NULL; /* which may end before this thread does */
    platform_interrupts_restore(saved);
}

void process_adopt(struct process *parent, struct process *child)
{
    child->parent = parent;
    child->sibling_previous = NULL;
    child->sibling_next = parent->children;
    if (child->sibling_next != NULL)
        child->sibling_next->sibling_previous = child;
    parent->children = child;
}

void process_abandon(struct process *child)
{
    struct process *parent = child->parent;
    if (parent == NULL)
        return;
    if (child->sibling_previous != NULL)
        child->sibling_previous->sibling_next = child->sibling_next;
    else
        parent->children = child->sibling_next;
    if (child->sibling_next != NULL)
        child->sibling_next->sibling_previous = child->sibling_previous;
    child->parent = NULL;
}

uint32_t process_count(void)
{
    return count;
}

uint32_t process_last_id(void)
{
    return last_id;
}

/* ---- structs ---- */

struct process *process_alloc(void)
{
    struct process *process = heap_cache_alloc(process_cache);
    if (process != NULL)
        memset(process, 0, sizeof(*process));
    return process;
}

void process_free(struct process *process)
{
    heap_cache_free(process_cache, process);
}

struct user_thread *user_thread_create(struct process *process, const char *name)
{
    struct user_thread *user = heap_cache_alloc(thread_cache);
    void *fpu = heap_cache_alloc(fpu_cache);
    struct thread *thread =
        user != NULL && fpu != NULL ? thread_create(name, user_run, NULL) : NULL;
    if (thread == NULL) {
        if (user != NULL)
            heap_cache_free(thread_cache, user);
        if (fpu != NULL)
            heap_cache_free(fpu_cache, fpu);
        return NULL;
    }
    *user = (struct user_thread){.thread = thread, .process = process};
    fpu_reset(fpu);
    thread->fpu = fpu;
    thread->user = user;
    thread->process = process;
    return user;
}

/* What belongs to a thread that was not started, or runs for the last time and has no state to
 * keep. */
void user_thread_release(struct user_thread *user)
{
    struct thread *thread = user->thread;
    unsigned long saved = platform_interrupts_save();
    void *fpu = thread->fpu;
    thread->fpu = NULL;
    thread->user = NULL;
    platform_interrupts_restore(saved);
    signal_queue_clear(&user->pending);
    heap_cache_free(fpu_cache, fpu);
    heap_cache_free(thread_cache, user);
}

void user_thread_discard(struct user_thread *user)
{
    struct thread *thread = user->thread;
    user_thread_release(user);
    thread_discard(thread);
}

/* ---- groups and sessions ---- */

int process_set_group(uint32_t id, uint32_t group)
{
    struct process *self = process_current();
    int error = 0;
    preempt_disable();
    struct process *process = id == 0 ? self : process_find(id);
    if (group == 0 && process != NULL)
        group = process->id;
    if ((int32_t)group < 0)
        error = -EINVAL;
    else if (process == NULL || (process != self && process->parent != self))
        error = -ESRCH;
    else if (process->session == process->id || process->session != self->session)
        error = -EPERM;
    else if (process != self && process->has_executed)
        error = -EACCES;
    else if (group != process->id) {
        struct search search = {group, NULL};
        process_visit_all(look_for_number, &search);
        bool is_ours = search.found != NULL && search.found->group == group &&
                       search.found->session == self->session;
        error = is_ours ? 0 : -EPERM;
    }
    if (error == 0)
        process->group = group;
    preempt_enable();
    return error;
}

int32_t process_set_session(void)
{
    struct process *self = process_current();
    int32_t result = -EPERM;
    preempt_disable();
    if (process_visit_group(self->id, NULL, NULL) == 0) { /* it leads no group */
        self->session = self->group = self->id;
        result = (int32_t)self->id;
    }
    preempt_enable();
    return result;
}

static void look_for_guardian(void *context, struct process *process)
{
    const struct process *parent = process->parent;
    if (parent != NULL && parent->group != process->group && parent->session == process->session)
        *(bool *)context = true;
}

/* Nobody in it has a parent in another group of the same session, who could let it go on. */
bool process_is_orphaned_group(uint32_t group)
{
    bool has_guardian = false;
    process_visit_group(group, look_for_guardian, &has_guardian);
    return !has_guardian;
}

/* ---- figures ---- */

struct process_times process_read_times(const struct process *process)
{
    struct process_times times = process->ended_threads;
    preempt_disable();
    for (const struct user_thread *user = process->threads; user != NULL; user = user->next) {
        times.user_ticks += user->thread->user_ticks;
        times.kernel_ticks += user->thread->kernel_ticks;
    }
    preempt_enable();
    return times;
}
