#include "kernel/memory/check.h"
#include "kernel/file/inode.h"
#include "kernel/file/memory.h"
#include "kernel/file/path.h"
#include "kernel/file/table.h"
#include "kernel/process/internal.h"
#include "kernel/space/space.h"

/* Every process from first principles: relations, threads, what it holds, what is charged. */

static void fault(struct check *check, const struct process *process, const char *what)
{
    check_fault(check, "process: %u, '%s': %s", process->id, process->name, what);
}

/* ---- signals ---- */

static void check_signals(struct check *check, const struct process *process,
                          const struct signal_queue *queue)
{
    const struct queued_signal *last = NULL;
    for (const struct queued_signal *entry = queue->first; entry != NULL; entry = entry->next) {
        int signal = entry->information.signal;
        if (!signal_is_valid(signal) || !(queue->set & signal_bit(signal)))
            fault(check, process, "a signal is queued and not pending");
        last = entry;
    }
    if (queue->last != last)
        fault(check, process, "the last of its signals is not");
}

/* ---- threads ---- */

static void check_thread(struct check *check, struct process *process,
                         const struct user_thread *user)
{
    const struct thread *thread = user->thread;
    const struct user_thread *before =
        user->previous != NULL ? user->previous->next : process->threads;
    if (user->process != process || thread->user != user || thread->process != process)
        fault(check, process, "a thread is not its own");
    if (before != user || user_thread_find(user->id) != user || thread->id != user->id)
        fault(check, process, "a thread is not where it should be found");
    if (thread->state != THREAD_NEW && process->space != NULL && thread->paging != NULL &&
        thread->paging != space_paging(process->space))
        fault(check, process, "a thread runs in another space");
    if (thread->fpu == NULL)
        fault(check, process, "a thread without FPU state");
    check_signals(check, process, &user->pending);
}

static void check_threads(struct check *check, struct process *process)
{
    uint32_t found = 0;
    for (const struct user_thread *user = process->threads; user != NULL; user = user->next) {
        check_thread(check, process, user);
        found++;
    }
    if (found != process->thread_count)
        check_fault(check, "process: %u, '%s', has %u threads, the counter says %u", process->id,
                    process->name, found, process->thread_count);
}

/* ---- relations ---- */

static void check_relations(struct check *check, const struct process *process)
{
    const struct process *parent = process->parent;
    if (process_find(process->id) != process)
        fault(check, process, "is not found by its id");
    if (process->group == 0 || process->session == 0)
        fault(check, process, "in no group or session");
    for (const struct process *child = process->children; child != NULL;
         child = child->sibling_next)
        if (child->parent != process)
            fault(check, child, "is another's child");
    if (parent == NULL)
        return;
    if (process_find(parent->id) != parent || parent->state == PROCESS_ZOMBIE)
        fault(check, process, "its parent is gone");
    else if ((process->sibling_previous != NULL ? process->sibling_previous->sibling_next
                                                : parent->children) != process)
        fault(check, process, "is not among its parent's children");
}

/* ---- what it holds ---- */

/* How many processes have what this one has: CLONE_VM, CLONE_FILES, CLONE_FS. */
struct holders {
    const struct process *of;
    uint32_t space, files, paths, actions, executable;
};

static void count_holder(void *context, struct process *process)
{
    struct holders *holders = context;
    holders->space += process->space == holders->of->space;
    holders->files += process->files == holders->of->files;
    holders->paths += process->paths == holders->of->paths;
    holders->executable += process->executable == holders->of->executable;
    holders->actions += process->actions.table == holders->of->actions.table;
}

static void check_holdings(struct check *check, const struct process *process)
{
    struct holders holders = {.of = process};
    process_visit_all(count_holder, &holders);
    if (process->space != NULL)
        space_check_holders(process->space, holders.space, check);
    if (process->files != NULL)
        file_table_check(process->files, holders.files, check);
    if (process->paths != NULL && path_context_references(process->paths) < holders.paths)
        fault(check, process, "more processes have its working directory than hold it");
    if (process->executable != NULL && process->executable->writers > -(int32_t)holders.executable)
        fault(check, process, "more processes run its program than the file counts");
    const char *wrong = signal_actions_check(&process->actions, holders.actions);
    if (wrong != NULL)
        fault(check, process, wrong);
}

static void check_zombie(struct check *check, const struct process *process)
{
    if (process->space != NULL || process->files != NULL || process->paths != NULL ||
        process->executable != NULL || process->thread_count != 0 ||
        process->pending.first != NULL || process->actions.table != NULL)
        fault(check, process, "has ended, and holds something");
}

/* ---- charges ---- */

/* Everybody counts a charge after it was made, and forgets it before it ends. Shared memory is
 * charged beside it. */
static void check_charges(struct check *check)
{
    struct memory_usage files;
    memory_read_usage(&files);
    uint32_t owned = space_charged_pages() + files.pages, charged = commit_charged_pages();
    if (charged < owned)
        check_fault(check, "process: %u pages are charged, spaces and files account for %u",
                    charged, owned);
}

struct visit {
    struct check *check;
    uint32_t found;
};

static void check_process(void *context, struct process *process)
{
    struct visit *visit = context;
    visit->found++;
    check_relations(visit->check, process);
    check_threads(visit->check, process);
    check_signals(visit->check, process, &process->pending);
    check_holdings(visit->check, process);
    if (process->state == PROCESS_ZOMBIE)
        check_zombie(visit->check, process);
}

void process_check(struct check *check)
{
    struct visit visit = {check, 0};
    process_visit_all(check_process, &visit);
    if (visit.found != process_count())
        check_fault(check, "process: there are %u, the counter says %u", visit.found,
                    process_count());
    check_charges(check);
}
