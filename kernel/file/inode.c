#include "kernel/file/internal.h"
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
