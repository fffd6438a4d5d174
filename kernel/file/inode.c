#include "kernel/file/internal.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/platform.h"
#include "kernel/thread/clock.h"

struct mutex file_tree_lock;

void inode_init(struct inode *inode, const struct inode_operations *operations, uint32_t mode)
{
    uint64_t now = clock_wall_ns();
    memset(inode, 0, sizeof(*inode));
    inode->operations = operations;
    inode->references = 1;
    inode->mode = mode;
    inode->accessed_ns = inode->modified_ns = inode->changed_ns = now;
}

void inode_touch_accessed(struct inode *inode)
{
    if (inode->accessed_ns <= inode->modified_ns || inode->accessed_ns <= inode->changed_ns)
        inode->accessed_ns = clock_wall_ns();
}

void inode_touch_changed(struct inode *inode)
{
    inode->changed_ns = clock_wall_ns();
}

void inode_touch_modified(struct inode *inode)
{
    inode->modified_ns = inode->changed_ns = clock_wall_ns();
}

struct inode *inode_hold(struct inode *inode)
{
    __atomic_add_fetch(&inode->references, 1, __ATOMIC_RELAXED);
    return inode;
}

/* Without preemption, a walk that finds the inode by a name comes before or behind the whole test,
 * never between its halves. */
void inode_drop(struct inode *inode)
{
    if (inode == NULL)
        return;
    preempt_disable();
    MEMORY_ASSERT(inode->references > 0);
    bool is_last =
        __atomic_sub_fetch(&inode->references, 1, __ATOMIC_RELAXED) == 0 && inode->links == 0;
    preempt_enable();
    if (is_last)
        inode->operations->destroy(inode);
}

/* ---- written or run ---- */

/* `change` is 1 or -1, away from 0: only where nothing is on the other side. */
static int begin(struct inode *inode, int32_t change)
{
    if (!inode_is_regular(inode))
        return 0;
    preempt_disable();
    bool is_free = inode->writers * change >= 0;
    if (is_free)
        inode->writers += change;
    preempt_enable();
    return is_free ? 0 : -ETXTBSY;
}

static void end(struct inode *inode, int32_t change)
{
    if (!inode_is_regular(inode))
        return;
    preempt_disable();
    MEMORY_ASSERT(inode->writers * change > 0);
    inode->writers -= change;
    preempt_enable();
}

int inode_begin_writing(struct inode *inode)
{
    return begin(inode, 1);
}

void inode_end_writing(struct inode *inode)
{
    end(inode, 1);
}

int inode_begin_running(struct inode *inode)
{
    return begin(inode, -1);
}

void inode_end_running(struct inode *inode)
{
    end(inode, -1);
}

struct inode *inode_hold_running(struct inode *inode)
{
    if (inode == NULL)
        return NULL;
    int error = inode_begin_running(inode);
    MEMORY_ASSERT(error == 0);
    return inode_hold(inode);
}

void inode_drop_running(struct inode *inode)
{
    if (inode == NULL)
        return;
    inode_end_running(inode);
    inode_drop(inode);
}
