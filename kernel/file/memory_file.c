#include "kernel/file/frameview.h"
#include "kernel/file/jobs.h"
#include "kernel/file/memory_internal.h"
#include "kernel/file/walk.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/space/commit.h"
#include "kernel/space/transfer.h"

#define FILE_FRAMES BYTEMAP_TAG(BYTEMAP_CACHE, BYTEMAP_USER)

static uint32_t pages_of(uint64_t bytes)
{
    return (uint32_t)((bytes + FRAME_SIZE - 1) / FRAME_SIZE);
}

struct memory_file *memory_file_of(struct inode *inode)
{
    return CONTAINER_OF(inode, struct memory_file, base.inode);
}

/* ---- charges ---- */

static int charge(struct memory_file *file, uint32_t pages)
{
    if (pages > memory_usage.limits.pages - memory_usage.pages || commit_charge(pages) != 0)
        return -ENOSPC;
    memory_usage.pages += pages;
    file->charged += pages;
    return 0;
}

static void uncharge(struct memory_file *file, uint32_t pages)
{
    memory_usage.pages -= pages;
    file->charged -= pages;
    commit_uncharge(pages);
}

/* What a file of this size has to be charged with. */
static uint32_t charge_of(const struct memory_file *file, uint64_t size)
{
    uint32_t pages = pages_of(size);
    return pages > file->archive_pages ? pages - file->archive_pages : 0;
}

static uint32_t expected_charge(const struct memory_file *file)
{
    return file->is_charged_by_size ? charge_of(file, file->base.inode.size) : file->pages.count;
}

/* Charges for a size that is not smaller; nothing else changes. Without preemption, because faults
 * charge too. */
static int charge_for_size(struct memory_file *file, uint64_t size)
{
    int error = 0;
    preempt_disable();
    uint32_t needed = charge_of(file, size);
    if (needed > file->charged)
        error = charge(file, needed - file->charged);
    if (error == 0)
        file->is_charged_by_size = true;
    preempt_enable();
    return error;
}

/* ---- pages ---- */

/* The page's frame with a reference, or 0: it has none yet. Without preemption. */
static frame_t existing_page(struct memory_file *file, uint32_t index)
{
    frame_t frame = pages_get(&file->pages, index);
    if (frame == 0 && index < file->archive_pages)
        frame = file->archive_first + index;
    return frame != 0 && pageframe_reference(frame) == 0 ? frame : 0;
}

/* A reference that find_page or get_page gave: not the one that is on the file's charge. */
static void let_go(frame_t frame)
{
    int left = pageframe_release(frame);
    MEMORY_ASSERT(left >= 0);
}

static frame_t find_page(struct memory_file *file, uint32_t index)
{
    preempt_disable();
    frame_t frame = existing_page(file, index);
    preempt_enable();
    return frame;
}

/* The bytes that the archive has of a page. */
static uint32_t content_of_page(const struct memory_file *file, uint32_t index)
{
    uint64_t start = (uint64_t)index * FRAME_SIZE;
    if (start >= file->content_bytes)
        return 0;
    uint64_t bytes = file->content_bytes - start;
    return bytes < FRAME_SIZE ? (uint32_t)bytes : FRAME_SIZE;
}

static int fill_page(const struct memory_file *file, uint32_t index, frame_t frame)
{
    uint32_t bytes = content_of_page(file, index);
    if (bytes == 0)
        return 0;
    uint8_t *view = frame_view_open(frame);
    if (view == NULL)
        return -ENOMEM;
    memcpy(view, file->content + (size_t)index * FRAME_SIZE, bytes);
    frame_view_close(frame, view);
    return 0;
}

/* Enters the frame, unless the page got one meanwhile: then *frame is that one, and ours goes. The
 * result has one reference beside the file's. Without preemption. */
static int enter_page(struct memory_file *file, uint32_t index, frame_t *frame)
{
    frame_t other = existing_page(file, index);
    if (other != 0) {
        commit_release(*frame);
        *frame = other;
        return 0;
    }
    if (index >= pages_of(file->base.inode.size) && !mutex_is_mine(&file->lock))
        return -ERANGE; /* it was cut off meanwhile */
    int error = pageframe_reference(*frame);
    if (error != 0)
        return error;
    error = pages_put(&file->pages, index, *frame);
    if (error != 0)
        commit_release(*frame);
    return error;
}

/* A frame for a page that has none, with a reference for the caller. */
static int make_page(struct memory_file *file, uint32_t index, frame_t *frame)
{
    int error = 0;
    preempt_disable();
    bool is_charge_of_its_own = !file->is_charged_by_size;
    if (is_charge_of_its_own)
        error = charge(file, 1);
    preempt_enable();
    if (error != 0)
        return -ENOMEM;
    *frame = commit_alloc_zeroed(FILE_FRAMES);
    error = *frame == FRAME_NONE ? -ENOMEM : fill_page(file, index, *frame);
    preempt_disable();
    uint32_t pages_before = file->pages.count;
    if (error == 0)
        error = enter_page(file, index, frame);
    if (error != 0 && *frame != FRAME_NONE)
        commit_release(*frame);
    if (is_charge_of_its_own && !file->is_charged_by_size && file->pages.count == pages_before)
        uncharge(file, 1);
    preempt_enable();
    return error;
}

static int get_page(struct memory_file *file, uint32_t index, frame_t *frame)
{
    *frame = find_page(file, index);
    return *frame != 0 ? 0 : make_page(file, index, frame);
}

/* A page that the file gives up. Where a mapping still shows its frame, the frame goes with the
 * last of those, and the charge for it ends here. */
static void give_up_page(struct memory_file *file, frame_t frame)
{
    if (commit_release(frame) == 0)
        return;
    file->charged--;
    memory_usage.pages--;
    commit_forget(1);
}

/* Pages from this one on go. In steps of one page, between which the thread can be preempted. */
static void drop_pages(struct memory_file *file, uint32_t from)
{
    frame_t frame;
    do {
        preempt_disable();
        frame = pages_take_last(&file->pages, from);
        if (frame != 0)
            give_up_page(file, frame);
        preempt_enable();
    } while (frame != 0);
}

/* ---- what mappings take ---- */

static int backing_page(struct backing *backing, uint32_t index, uint32_t access, frame_t *frame)
{
    struct memory_file *file = CONTAINER_OF(backing, struct memory_file, backing);
    (void)access; /* a page keeps its frame, whoever writes */
    if (index >= pages_of(file->base.inode.size))
        return -ERANGE;
    return get_page(file, index, frame);
}

static void backing_hold(struct backing *backing)
{
    inode_hold(&CONTAINER_OF(backing, struct memory_file, backing)->base.inode);
}

static void backing_drop(struct backing *backing)
{
    inode_drop(&CONTAINER_OF(backing, struct memory_file, backing)->base.inode);
}

static void backing_describe(struct backing *backing, struct backing_description *description)
{
    struct memory_file *file = CONTAINER_OF(backing, struct memory_file, backing);
    *description =
        (struct backing_description){file->base.inode.device, file->base.inode.number, file->name};
}

static const struct backing_ops backing_operations = {
    .page = backing_page,
    .hold = backing_hold,
    .drop = backing_drop,
    .describe = backing_describe,
};

/* The first mapping gives the file the name that it has then; without memory it has none. */
static void remember_name(struct memory_file *file)
{
    char *path = kmalloc(PATH_MAX), *name = NULL;
    if (path == NULL)
        return;
    mutex_lock(&file_tree_lock);
    int length = path_of_inode(memory_root(), &file->base.inode, path, PATH_MAX);
    if (length > 0 && file->name == NULL)
        name = kmalloc((size_t)length + 1);
    if (name != NULL)
        memcpy(name, path, (size_t)length + 1);
    if (file->name == NULL)
        file->name = name;
    mutex_unlock(&file_tree_lock);
    kfree(path);
}

static struct backing *file_inode_backing(struct inode *inode)
{
    if (memory_file_of(inode)->name == NULL)
        remember_name(memory_file_of(inode));
    inode_hold(inode);
    return &memory_file_of(inode)->backing;
}

/* ---- reading and writing ---- */

static uint32_t piece_of(uint64_t position, uint64_t end)
{
    uint32_t room = FRAME_SIZE - (uint32_t)(position % FRAME_SIZE);
    return end - position < room ? (uint32_t)(end - position) : room;
}

/* A piece of one page, from wherever its bytes are. */
static int32_t read_piece(struct memory_file *file, struct transfer *to, uint64_t position,
                          uint32_t bytes)
{
    uint32_t index = (uint32_t)(position / FRAME_SIZE);
    uint32_t offset = (uint32_t)(position % FRAME_SIZE);
    frame_t frame = find_page(file, index);
    if (frame != 0) {
        uint8_t *view = frame_view_open(frame);
        int32_t moved = view == NULL ? -ENOMEM : transfer_put(to, view + offset, bytes);
        if (view != NULL)
            frame_view_close(frame, view);
        let_go(frame);
        return moved;
    }
    uint32_t content = content_of_page(file, index);
    if (offset >= content)
        return transfer_put_zeros(to, bytes);
    return transfer_put(to, file->content + position,
                        bytes < content - offset ? bytes : content - offset);
}

static int32_t read_file(struct file *open, struct transfer *to, uint64_t *position)
{
    struct memory_file *file = memory_file_of(open->inode);
    int32_t done = 0;
    while (transfer_left(to) > 0 && *position < file->base.inode.size) {
        uint64_t end = file->base.inode.size - *position < transfer_left(to)
                           ? file->base.inode.size
                           : *position + transfer_left(to);
        int32_t moved = read_piece(file, to, *position, piece_of(*position, end));
        if (moved <= 0)
            return done > 0 ? done : moved;
        done += moved;
        *position += (uint32_t)moved;
    }
    if (done > 0 && !(open->flags & O_NOATIME))
        inode_touch_accessed(&file->base.inode);
    return done;
}

/* Charges and, page by page, copies; the size grows with what has arrived. */
static int32_t write_piece(struct memory_file *file, struct transfer *from, uint64_t position)
{
    uint32_t offset = (uint32_t)(position % FRAME_SIZE);
    uint32_t bytes = piece_of(position, position + transfer_left(from));
    frame_t frame;
    int error = charge_for_size(file, position + bytes);
    if (error != 0)
        return error;
    if (get_page(file, (uint32_t)(position / FRAME_SIZE), &frame) != 0)
        return -ENOSPC;
    uint8_t *view = frame_view_open(frame);
    int32_t moved = view == NULL ? -ENOSPC : transfer_get(from, view + offset, bytes);
    if (view != NULL)
        frame_view_close(frame, view);
    let_go(frame);
    if (moved > 0 && position + (uint32_t)moved > file->base.inode.size)
        file->base.inode.size = position + (uint32_t)moved;
    return moved;
}

/* What the file does not need any more goes: pages behind its end, and their charge. */
static void settle_charge(struct memory_file *file)
{
    drop_pages(file, pages_of(file->base.inode.size));
    preempt_disable();
    uint32_t needed = expected_charge(file);
    if (file->charged > needed)
        uncharge(file, file->charged - needed);
    preempt_enable();
}

static int32_t write_pieces(struct memory_file *file, struct transfer *from, uint64_t *position)
{
    int32_t done = 0, moved = 0;
    while (transfer_left(from) > 0) {
        moved = write_piece(file, from, *position);
        if (moved <= 0)
            break;
        done += moved;
        *position += (uint32_t)moved;
    }
    if (moved < 0)
        settle_charge(file);
    if (done > 0)
        inode_touch_modified(&file->base.inode);
    return done > 0 ? done : moved;
}

/* What passes the process's limit stays in the transfer; if that is all, there is a signal. */
static int32_t write_locked(struct file *open, struct transfer *from, uint64_t *position)
{
    struct memory_file *file = memory_file_of(open->inode);
    uint64_t limit = file_jobs()->file_bytes_limit();
    if (open->flags & O_APPEND)
        *position = file->base.inode.size;
    if (*position >= MEMORY_FILE_MAX || transfer_left(from) > MEMORY_FILE_MAX - *position)
        return -EFBIG;
    if (*position >= limit) {
        file_jobs()->signal_caller(SIGXFSZ);
        return -EFBIG;
    }
    size_t whole = transfer_left(from);
    size_t room = whole < limit - *position ? whole : (size_t)(limit - *position);
    from->left = room;
    int32_t done = write_pieces(file, from, position);
    from->left += whole - room;
    return done;
}

static int32_t write_file(struct file *open, struct transfer *from, uint64_t *position)
{
    struct memory_file *file = memory_file_of(open->inode);
    if (transfer_left(from) == 0)
        return 0;
    mutex_lock(&file->lock);
    int32_t done = write_locked(open, from, position);
    mutex_unlock(&file->lock);
    return done;
}

static const struct file_operations file_operations = {.read = read_file, .write = write_file};

/* ---- size ---- */

/* Bytes behind the end of a page that stays read as zeros once the file grows again. */
static int clear_behind(struct memory_file *file, uint64_t size)
{
    uint32_t offset = (uint32_t)(size % FRAME_SIZE);
    frame_t frame = offset == 0 ? 0 : find_page(file, (uint32_t)(size / FRAME_SIZE));
    if (frame == 0)
        return 0;
    uint8_t *view = frame_view_open(frame);
    if (view != NULL) {
        memset(view + offset, 0, FRAME_SIZE - offset);
        frame_view_close(frame, view);
    }
    let_go(frame);
    return view == NULL ? -ENOMEM : 0;
}

static int shrink(struct memory_file *file, uint64_t size)
{
    int error = clear_behind(file, size);
    if (error != 0)
        return error;
    preempt_disable();
    file->base.inode.size = size;
    if (file->content_bytes > size)
        file->content_bytes = (uint32_t)size;
    preempt_enable();
    preempt_disable();
    if (file->archive_pages > pages_of(size))
        file->archive_pages = pages_of(size);
    preempt_enable();
    settle_charge(file);
    return 0;
}

static int truncate_file(struct inode *inode, uint64_t size)
{
    struct memory_file *file = memory_file_of(inode);
    int error = 0;
    if (size > MEMORY_FILE_MAX)
        return -EFBIG;
    mutex_lock(&file->lock);
    if (size > inode->size) {
        error = charge_for_size(file, size);
        if (error == 0)
            inode->size = size;
    } else if (size < inode->size) {
        error = shrink(file, size);
    }
    if (error == 0)
        inode_touch_modified(inode);
    mutex_unlock(&file->lock);
    return error;
}

void memory_file_empty(struct memory_file *file)
{
    drop_pages(file, 0);
    uncharge(file, file->charged);
}

void memory_file_prepare(struct memory_file *file)
{
    file->backing.ops = &backing_operations;
}

/* A file whose pages are not all in the archive is charged when somebody may begin to write. */
static int open_file(struct inode *inode, struct file *open)
{
    struct memory_file *file = memory_file_of(inode);
    int error = 0;
    if (file_is_writable(open)) {
        mutex_lock(&file->lock);
        error = charge_for_size(file, inode->size);
        mutex_unlock(&file->lock);
    }
    open->operations = &file_operations;
    open->traits |= FILE_CAN_SEEK;
    return error;
}

static void destroy_file(struct inode *inode)
{
    memory_file_empty(memory_file_of(inode));
    kfree(memory_file_of(inode)->name);
    memory_forget(inode);
}

const struct inode_operations memory_file_inode_operations = {
    .truncate = truncate_file,
    .open = open_file,
    .backing = file_inode_backing,
    .destroy = destroy_file,
};

void memory_file_check(const struct memory_file *file, struct check *check)
{
    uint32_t expected = expected_charge(file);
    bool is_in_work = file->lock.owner != NULL || !file->is_charged_by_size;
    if (is_in_work ? file->charged < expected : file->charged != expected)
        check_fault(check, "file %u is charged with %u pages, and should be with %u",
                    (unsigned)file->base.inode.number, file->charged, expected);
}
