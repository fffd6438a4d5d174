#include "kernel/file/linux.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/check.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/platform.h"
#include "kernel/process/internal.h"

/* What processes do on signals. Interrupts off wherever sets, or who has a table, change. */

struct signal_table {
    uint32_t references;                     /* processes */
    struct signal_action rows[SIGNAL_COUNT]; /* as sigaction was given them; signal n at n - 1 */
};

static struct heap_cache *cache;

int signal_actions_init(void)
{
    cache = heap_cache_create("signal actions", sizeof(struct signal_table), 16);
    return cache != NULL ? 0 : -ENOMEM;
}

static bool is_address(uint32_t handler)
{
    return handler != SIG_DFL && handler != SIG_IGN;
}

static const struct signal_action *row_of(const struct signal_actions *actions, int signal)
{
    static const struct signal_action nothing = {.handler = SIG_DFL};
    return actions->table != NULL ? &actions->table->rows[signal - 1] : &nothing;
}

struct signal_action signal_action_of(const struct process *process, int signal)
{
    const struct signal_actions *actions = &process->actions;
    struct signal_action action = *row_of(actions, signal);
    if (!(actions->handled & signal_bit(signal)))
        action.handler = actions->ignored & signal_bit(signal) ? SIG_IGN : SIG_DFL;
    return action;
}

/* ---- tables ---- */

static void drop(struct signal_table *table)
{
    if (table != NULL && --table->references == 0)
        heap_cache_free(cache, table);
}

/* What the table would say is what it says: most who fork and then take handlers back share on. */
static bool is_said(const struct signal_actions *actions, int signal,
                    const struct signal_action *action)
{
    const struct signal_action *row = row_of(actions, signal);
    return row->flags == action->flags && row->restorer == action->restorer &&
           row->mask == action->mask &&
           (row->handler == action->handler || !is_address(action->handler));
}

/* A table that may be changed, with what the one before it said. */
static int take_table(struct signal_actions *actions)
{
    struct signal_table *old = actions->table, *table;
    if (old != NULL && old->references == 1)
        return 0;
    table = heap_cache_alloc(cache);
    if (table == NULL)
        return -ENOMEM;
    if (old != NULL)
        *table = *old;
    else
        memset(table, 0, sizeof(*table));
    table->references = 1;
    actions->table = table;
    drop(old);
    return 0;
}

/* ---- changes ---- */

int signal_actions_set(struct signal_actions *actions, int signal,
                       const struct signal_action *action)
{
    if (!is_said(actions, signal, action)) {
        int error = take_table(actions);
        if (error != 0)
            return error;
        actions->table->rows[signal - 1] = *action;
    }
    signal_actions_set_default(actions, signal);
    if (action->handler == SIG_IGN)
        actions->ignored |= signal_bit(signal);
    else if (is_address(action->handler))
        actions->handled |= signal_bit(signal);
    return 0;
}

void signal_actions_set_default(struct signal_actions *actions, int signal)
{
    actions->ignored &= ~signal_bit(signal);
    actions->handled &= ~signal_bit(signal);
}

void signal_actions_share(const struct signal_actions *from, struct signal_actions *to)
{
    unsigned long saved = platform_interrupts_save();
    *to = *from;
    if (to->table != NULL)
        to->table->references++;
    platform_interrupts_restore(saved);
}

void signal_actions_drop(struct signal_actions *actions)
{
    unsigned long saved = platform_interrupts_save();
    struct signal_table *table = actions->table;
    actions->handled = 0;
    actions->table = NULL;
    drop(table);
    platform_interrupts_restore(saved);
}

/* ---- check ---- */

const char *signal_actions_check(const struct signal_actions *actions, uint32_t holders)
{
    const struct signal_table *table = actions->table;
    signal_set_t addresses = 0;
    if (actions->ignored & actions->handled)
        return "a signal is ignored and has a handler";
    if ((actions->ignored | actions->handled) & SIGNALS_NEVER_BLOCKED)
        return "SIGKILL or SIGSTOP has another action than its own";
    for (int signal = 1; table != NULL && signal <= SIGNAL_COUNT; signal++)
        if (is_address(table->rows[signal - 1].handler))
            addresses |= signal_bit(signal);
    if (actions->handled & ~addresses)
        return "a signal has a handler, and no address of it";
    if (table != NULL && table->references < holders)
        return "more processes have its signals' actions than hold them";
    return NULL;
}
