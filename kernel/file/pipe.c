#include "kernel/file/pipe.h"

#include "kernel/file/internal.h"
#include "kernel/file/jobs.h"
#include "kernel/file/poll.h"
#include "kernel/include/errors.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/platform.h"
#include "kernel/space/transfer.h"

/*
 * Positions count bytes, modulo 2^32: the pipe holds `held` of them from position `first` on, and a
 * byte at position p lies in page p / PAGE % PIPE_PAGES. A page is there from the write that
 * reaches it until it has been read; when the pipe is empty, `first` goes back to 0, and the page
 * that was read last stays there for the next write.
 *
 * `lock` is held while bytes move, so it serialises readers and writers; a bad user address ends
 * the move and leaves the rest in the pipe.
 */
#define PAGE     4096u
#define CAPACITY (PIPE_PAGES * PAGE)

struct pipe {
    struct mutex lock;
    uint32_t first, held;
    uint32_t readers, writers;           /* open files of each kind */
    uint32_t reader_opens, writer_opens; /* ever: who waits in open(2) watches these */
    struct wait_queue can_read, can_write, opened;
    uint8_t *pages[PIPE_PAGES];
};

/* A pipe without a name, or the pipe of a FIFO: that one lives as long as somebody has it open. */
struct pipe_inode {
    struct inode inode;
    struct pipe pipe;
};

static uint32_t live_pipes;
static struct mutex fifo_lock; /* which pipe a FIFO has */
static uint64_t next_number = 1;

static const struct file_operations pipe_operations;
static const struct inode_operations pipe_inode_operations;

static struct pipe *pipe_of(const struct file *file)
{
    return file->private;
}

/* ---- waiting ---- */

/* Who waits looks at the pipe with interrupts off, so whoever is not in the queue yet sees what was
 * done before this. */
static void wake(struct wait_queue *queue)
{
    if (!wait_is_empty(queue))
        wait_wake_all(queue);
}

/* Until it can be read: 1 (bytes), 0 (no writer, and so no bytes), -EINTR, -EAGAIN. */
static int wait_readable(struct pipe *pipe, uint32_t flags)
{
    int error = 0;
    unsigned long saved = platform_interrupts_save();
    while (error == 0 && pipe->held == 0 && pipe->writers > 0)
        error = flags & O_NONBLOCK ? -EAGAIN
                                   : wait_sleep(&pipe->can_read, WAIT_INTERRUPTIBLE, WAIT_FOREVER);
    int result = error != 0 ? error : pipe->held != 0;
    thread_interrupts_restore(saved);
    return result;
}

/* Until `room` bytes fit: 0 (they do, or no reader), -EINTR, -EAGAIN. */
static int wait_writable(struct pipe *pipe, uint32_t room, uint32_t flags)
{
    int error = 0;
    unsigned long saved = platform_interrupts_save();
    while (error == 0 && CAPACITY - pipe->held < room && pipe->readers > 0)
        error = flags & O_NONBLOCK ? -EAGAIN
                                   : wait_sleep(&pipe->can_write, WAIT_INTERRUPTIBLE, WAIT_FOREVER);
    thread_interrupts_restore(saved);
    return error;
}

/* ---- pages ---- */

static uint8_t **page_at(struct pipe *pipe, uint32_t position)
{
    return &pipe->pages[position / PAGE % PIPE_PAGES];
}

static uint32_t to_page_end(uint32_t position, uint32_t bytes)
{
    uint32_t room = PAGE - position % PAGE;
    return bytes < room ? bytes : room;
}

/* NULL: no memory. */
static uint8_t *page_for_writing(struct pipe *pipe, uint32_t position)
{
    uint8_t **page = page_at(pipe, position);
    if (*page == NULL)
        *page = kmalloc(PAGE);
    return *page;
}

/* The page that the reader has just left, unless the writer has come round to it. */
static void leave_page(struct pipe *pipe)
{
    if (pipe->held > CAPACITY - PAGE)
        return;
    uint8_t **page = page_at(pipe, pipe->first - 1);
    kfree(*page);
    *page = NULL;
}

/* Of an empty pipe. */
static void restart(struct pipe *pipe)
{
    const uint32_t last = pipe->first - 1;
    if (last >= PAGE) {
        uint8_t *page = *page_at(pipe, last);
        *page_at(pipe, last) = pipe->pages[0];
        pipe->pages[0] = page;
    }
    pipe->first = 0;
}

/* ---- reading ---- */

/* Of a pipe that has some, under the lock. */
static int32_t take_bytes(struct pipe *pipe, struct transfer *to)
{
    int32_t done = 0;
    do {
        const uint32_t position = pipe->first;
        int32_t moved = transfer_put(to, *page_at(pipe, position) + position % PAGE,
                                     to_page_end(position, pipe->held));
        if (moved < 0)
            return done > 0 ? done : moved;
        done += moved;
        pipe->first += (uint32_t)moved;
        pipe->held -= (uint32_t)moved;
        if (pipe->held == 0) {
            restart(pipe);
            break;
        }
        if (pipe->first % PAGE == 0)
            leave_page(pipe);
    } while (transfer_left(to) > 0);
    return done;
}

static int32_t pipe_read(struct file *file, struct transfer *to, uint64_t *position)
{
    struct pipe *pipe = pipe_of(file);
    int32_t done = 0;
    (void)position;
    if (transfer_left(to) == 0)
        return 0;
    while (done == 0) { /* another reader may be faster */
        int readable = pipe->held > 0 ? 1 : wait_readable(pipe, file->flags);
        if (readable <= 0)
            return readable;
        mutex_lock(&pipe->lock);
        if (pipe->held > 0)
            done = take_bytes(pipe, to);
        mutex_unlock(&pipe->lock);
    }
    if (done > 0)
        wake(&pipe->can_write);
    if (pipe->held > 0)
        wake(&pipe->can_read);
    return done;
}

/* ---- writing ---- */

/* To a pipe that has room, under the lock. */
static int32_t put_bytes(struct pipe *pipe, struct transfer *from)
{
    int32_t done = 0;
    do {
        const uint32_t position = pipe->first + pipe->held;
        uint8_t *page = page_for_writing(pipe, position);
        int32_t moved = -ENOMEM;
        if (page != NULL)
            moved = transfer_get(from, page + position % PAGE,
                                 to_page_end(position, CAPACITY - pipe->held));
        if (moved < 0)
            return done > 0 ? done : moved;
        done += moved;
        pipe->held += (uint32_t)moved;
    } while (pipe->held < CAPACITY && transfer_left(from) > 0);
    return done;
}

/* As much as fits now, if that is `together` bytes at least: the page of the last of them is there
 * before the first moves, and a bad address takes back what came before it. 0: they do not fit any
 * more. */
static int32_t write_some(struct pipe *pipe, struct transfer *from, uint32_t together)
{
    const uint32_t before = pipe->held;
    if (pipe->readers == 0)
        return -EPIPE;
    if (CAPACITY - before < together)
        return 0;
    if (page_for_writing(pipe, pipe->first + before + together - 1) == NULL)
        return -ENOMEM;
    int32_t done = put_bytes(pipe, from);
    if (done >= (int32_t)together)
        return done;
    pipe->held = before;
    return done < 0 ? done : -EFAULT;
}

static int32_t pipe_write(struct file *file, struct transfer *from, uint64_t *position)
{
    struct pipe *pipe = pipe_of(file);
    const uint32_t bytes = (uint32_t)transfer_left(from), together = bytes <= PIPE_BUF ? bytes : 1;
    int32_t done = 0, moved = 0;
    (void)position;
    while (transfer_left(from) > 0) {
        if (CAPACITY - pipe->held < together)
            moved = wait_writable(pipe, together, file->flags);
        if (moved < 0)
            break;
        mutex_lock(&pipe->lock);
        moved = write_some(pipe, from, together);
        mutex_unlock(&pipe->lock);
        if (moved < 0)
            break;
        if (moved > 0)
            wake(&pipe->can_read);
        done += moved;
    }
    if (moved == -EPIPE && done == 0)
        file_jobs()->signal_caller(SIGPIPE);
    return done > 0 ? done : moved;
}

/* ---- the rest ---- */

static uint32_t pipe_poll(struct file *file, struct poll_list *list)
{
    struct pipe *pipe = pipe_of(file);
    uint32_t ready = 0;
    if (file_is_readable(file)) {
        poll_add(list, &pipe->can_read);
        ready |= pipe->held > 0 ? POLLIN | POLLRDNORM : 0;
        ready |= pipe->writers == 0 && pipe->writer_opens > 0 ? POLLHUP : 0;
    }
    if (file_is_writable(file)) {
        poll_add(list, &pipe->can_write);
        ready |= CAPACITY - pipe->held >= PIPE_BUF ? POLLOUT | POLLWRNORM : 0;
        ready |= pipe->readers == 0 ? POLLERR : 0;
    }
    return ready;
}

static int32_t pipe_ioctl(struct file *file, uint32_t request, uint32_t argument)
{
    return request == FIONREAD ? file_put_int(argument, (int32_t)pipe_of(file)->held) : -ENOTTY;
}

static void empty(struct pipe *pipe)
{
    for (unsigned i = 0; i < PIPE_PAGES; i++) {
        kfree(pipe->pages[i]);
        pipe->pages[i] = NULL;
    }
    pipe->first = pipe->held = 0;
}

static void pipe_destroy(struct inode *inode)
{
    struct pipe_inode *all = CONTAINER_OF(inode, struct pipe_inode, inode);
    empty(&all->pipe);
    kfree(all);
    __atomic_sub_fetch(&live_pipes, 1, __ATOMIC_RELAXED);
}

static struct pipe_inode *make_pipe(void)
{
    struct pipe_inode *all = kcalloc(1, sizeof(*all));
    if (all == NULL)
        return NULL;
    inode_init(&all->inode, &pipe_inode_operations, S_IFIFO | 0600);
    all->inode.device = PIPE_DEVICE;
    all->inode.number = next_number++;
    __atomic_add_fetch(&live_pipes, 1, __ATOMIC_RELAXED);
    return all;
}

static void count_open(struct pipe *pipe, const struct file *file)
{
    preempt_disable();
    if (file_is_readable(file)) {
        pipe->readers++;
        pipe->reader_opens++;
    }
    if (file_is_writable(file)) {
        pipe->writers++;
        pipe->writer_opens++;
    }
    preempt_enable();
    wake(&pipe->opened);
}

/* The last reader or writer going is news for those on the other side. */
static void close_end(struct file *file)
{
    struct pipe *pipe = pipe_of(file);
    preempt_disable();
    pipe->readers -= file_is_readable(file);
    pipe->writers -= file_is_writable(file);
    preempt_enable();
    wake(&pipe->can_read);
    wake(&pipe->can_write);
}

/* An open file of a FIFO goes; with the last one, the FIFO's pipe. */
static void close_fifo(struct file *file, struct inode *fifo)
{
    struct pipe *pipe = pipe_of(file);
    close_end(file);
    mutex_lock(&fifo_lock);
    if (pipe->readers + pipe->writers == 0)
        fifo->private = NULL;
    inode_drop(&CONTAINER_OF(pipe, struct pipe_inode, pipe)->inode);
    mutex_unlock(&fifo_lock);
}

static void pipe_close(struct file *file)
{
    if (&CONTAINER_OF(pipe_of(file), struct pipe_inode, pipe)->inode == file->inode)
        close_end(file);
    else
        close_fifo(file, file->inode);
}

static const struct file_operations pipe_operations = {
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .close = pipe_close,
};

/* ---- opening ---- */

static void attach(struct file *file, struct pipe *pipe)
{
    file->operations = &pipe_operations;
    file->private = pipe;
    count_open(pipe, file);
}

/* /proc/<pid>/fd/<n> of a pipe without a name: one more end of it. */
static int open_again(struct inode *inode, struct file *file)
{
    attach(file, &CONTAINER_OF(inode, struct pipe_inode, inode)->pipe);
    return 0;
}

static const struct inode_operations pipe_inode_operations = {
    .open = open_again,
    .destroy = pipe_destroy,
};

int pipe_create(uint32_t flags, struct file **reader, struct file **writer)
{
    struct pipe_inode *all = make_pipe();
    if (all == NULL)
        return -ENFILE;
    *reader = file_make(&all->inode, &pipe_operations, O_RDONLY | (flags & O_NONBLOCK));
    *writer = file_make(&all->inode, &pipe_operations, O_WRONLY | (flags & O_NONBLOCK));
    if (*reader == NULL || *writer == NULL) {
        kfree(*reader);
        kfree(*writer);
        inode_drop(&all->inode);
        return -ENFILE;
    }
    inode_hold(&all->inode);
    attach(*reader, &all->pipe);
    attach(*writer, &all->pipe);
    return 0;
}

/* Waits in open(2) until the other side was opened, if only for a moment. */
static int wait_for_other(struct pipe *pipe, const uint32_t *present, const uint32_t *opens)
{
    uint32_t before = *opens;
    int error = 0;
    unsigned long saved = platform_interrupts_save();
    while (error == 0 && *present == 0 && *opens == before)
        error = wait_sleep(&pipe->opened, WAIT_INTERRUPTIBLE, WAIT_FOREVER);
    thread_interrupts_restore(saved);
    return error;
}

/* The FIFO's pipe, with a reference: made by its first open, kept in the inode as long as files are
 * open. */
static struct pipe_inode *pipe_of_fifo(struct inode *inode)
{
    struct pipe_inode *all = inode->private;
    if (all != NULL) {
        inode_hold(&all->inode);
        return all;
    }
    all = make_pipe();
    inode->private = all;
    return all;
}

/* Waits for the other side, as open(2) of a FIFO does. */
static int rendezvous(struct pipe *pipe, const struct file *file)
{
    if (file_is_readable(file) && file_is_writable(file))
        return 0;
    if (file->flags & O_NONBLOCK)
        return file_is_writable(file) && pipe->readers == 0 ? -ENXIO : 0;
    return file_is_readable(file) ? wait_for_other(pipe, &pipe->writers, &pipe->writer_opens)
                                  : wait_for_other(pipe, &pipe->readers, &pipe->reader_opens);
}

int pipe_open(struct inode *inode, struct file *file)
{
    mutex_lock(&fifo_lock);
    struct pipe_inode *all = pipe_of_fifo(inode);
    if (all != NULL)
        attach(file, &all->pipe);
    mutex_unlock(&fifo_lock);
    if (all == NULL)
        return -ENOMEM;
    int error = rendezvous(&all->pipe, file);
    if (error != 0)
        close_fifo(file, inode);
    return error;
}

bool pipe_is_pipe(const struct file *file)
{
    return file->operations == &pipe_operations;
}

uint32_t pipe_count(void)
{
    return live_pipes;
}
