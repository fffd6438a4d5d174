#include "kernel/file/tty.h"

#include "kernel/file/device.h"
#include "kernel/file/internal.h"
#include "kernel/file/jobs.h"
#include "kernel/file/poll.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/platform.h"
#include "kernel/space/transfer.h"
#include "kernel/space/usercopy.h"
#include "kernel/thread/clock.h"

#define WRITE_PIECE   256u
#define READ_PIECE    256u
#define NS_PER_TENTH  (NS_PER_SECOND / 10)
#define SIGNALS_QUEUE 4u

/*
 * `lock` protects the discipline and what is said below; it is held while text goes out, a piece at
 * a time. Signals that keys make are sent after it is open again.
 */
static struct tty {
    struct mutex lock;
    struct discipline discipline;
    void (*output)(const char *text, size_t length);
    struct wait_queue readers; /* more can be read, or the terminal was taken away */
    struct wait_queue writers; /* ^Q */
    struct tty_window window;
    uint32_t session, group; /* whose controlling terminal it is; 0: nobody's */
    int signals[SIGNALS_QUEUE];
    unsigned signal_count;
} tty;

/* ---- what the discipline calls ---- */

static void discipline_output(void *context, const char *text, size_t length)
{
    (void)context;
    tty.output(text, length);
}

static void discipline_signal(void *context, int signal)
{
    (void)context;
    if (tty.signal_count < SIGNALS_QUEUE)
        tty.signals[tty.signal_count++] = signal;
}

static void unlock_and_send_signals(void)
{
    int signals[SIGNALS_QUEUE];
    unsigned count = tty.signal_count;
    uint32_t group = tty.group;
    memcpy(signals, tty.signals, sizeof(signals));
    tty.signal_count = 0;
    mutex_unlock(&tty.lock);
    for (unsigned i = 0; i < count && group != 0; i++)
        file_jobs()->signal_group(group, signals[i]);
}

void tty_init(void (*output)(const char *text, size_t length), struct tty_window window)
{
    memset(&tty, 0, sizeof(tty));
    discipline_init(&tty.discipline);
    tty.discipline.output = discipline_output;
    tty.discipline.signal = discipline_signal;
    tty.output = output;
    tty.window = window;
}

void tty_type(const uint8_t *bytes, size_t count)
{
    mutex_lock(&tty.lock);
    for (size_t i = 0; i < count; i++)
        discipline_type(&tty.discipline, bytes[i]);
    bool is_ready = discipline_is_ready(&tty.discipline);
    bool is_running = !tty.discipline.is_stopped;
    unlock_and_send_signals();
    if (is_ready)
        wait_wake_all(&tty.readers);
    if (is_running)
        wait_wake_all(&tty.writers);
}

/* ---- jobs ---- */

static bool is_controlling(void)
{
    return tty.session != 0 && file_jobs()->session() == tty.session;
}

/* A process in the background may not do this: it gets the signal, and the call is made again when
 * it goes on. Who cannot be stopped by it goes on with `deaf_result`. */
static int check_foreground(int signal, int deaf_result)
{
    if (!is_controlling() || file_jobs()->group() == tty.group)
        return 0;
    if (file_jobs()->is_deaf(signal))
        return deaf_result;
    file_jobs()->signal_group(file_jobs()->group(), signal);
    return -EINTR;
}

void tty_begin_session(uint32_t session, uint32_t group)
{
    mutex_lock(&tty.lock);
    tty.session = session;
    tty.group = group;
    mutex_unlock(&tty.lock);
}

static void give_up(uint32_t session)
{
    mutex_lock(&tty.lock);
    bool is_ours = tty.session == session && session != 0;
    uint32_t group = tty.group;
    if (is_ours)
        tty.session = tty.group = 0;
    mutex_unlock(&tty.lock);
    if (!is_ours || group == 0)
        return;
    file_jobs()->signal_group(group, SIGHUP);
    file_jobs()->signal_group(group, SIGCONT);
}

void tty_end_session(uint32_t session)
{
    give_up(session);
}

uint32_t tty_session(void)
{
    return tty.session;
}

uint32_t tty_group(void)
{
    return tty.group;
}

/* ---- reading ---- */

/* How long a read waits, and for how much (termios(3), "Canonical and noncanonical mode"). */
struct patience {
    uint32_t bytes;      /* enough; 0: whatever there is */
    uint64_t first_ns;   /* for the first byte; WAIT_FOREVER */
    uint64_t between_ns; /* after each byte; WAIT_FOREVER */
};

static struct patience patience_of(const struct termios *termios, size_t wanted)
{
    uint64_t time_ns = termios->characters[VTIME] * NS_PER_TENTH;
    uint32_t least = termios->characters[VMIN];
    if (termios->local & ICANON)
        return (struct patience){1, WAIT_FOREVER, WAIT_FOREVER};
    if (least == 0)
        return (struct patience){time_ns == 0 ? 0 : 1, time_ns, WAIT_FOREVER};
    return (struct patience){least < wanted ? least : (uint32_t)wanted, WAIT_FOREVER,
                             time_ns == 0 ? WAIT_FOREVER : time_ns};
}

static bool has_enough(const struct patience *patience)
{
    const struct discipline *discipline = &tty.discipline;
    if (discipline->termios.local & ICANON)
        return discipline_is_ready(discipline);
    return discipline->complete - discipline->read >= patience->bytes;
}

static uint64_t deadline_of(uint64_t wait_ns)
{
    return wait_ns == WAIT_FOREVER ? WAIT_FOREVER : clock_monotonic_ns() + wait_ns;
}

/* Until there is enough: 0; -EINTR; -EAGAIN; 0 too when the time is over. */
static int wait_for_input(const struct file *file, size_t wanted)
{
    struct patience patience = patience_of(&tty.discipline.termios, wanted);
    uint32_t before = tty.discipline.complete - tty.discipline.read;
    uint64_t deadline_ns = deadline_of(before > 0 ? patience.between_ns : patience.first_ns);
    int error = 0;
    unsigned long saved = platform_interrupts_save();
    while (error == 0 && !has_enough(&patience)) {
        before = tty.discipline.complete - tty.discipline.read;
        if (file->flags & O_NONBLOCK)
            error = before > 0 ? -ETIMEDOUT : -EAGAIN;
        else
            error = wait_sleep(&tty.readers, WAIT_INTERRUPTIBLE, deadline_ns);
        if (tty.discipline.complete - tty.discipline.read != before)
            deadline_ns = deadline_of(patience.between_ns);
    }
    thread_interrupts_restore(saved);
    return error == -ETIMEDOUT ? 0 : error;
}

/* What one read hands out at a time. */
struct taken {
    uint32_t bytes;
    bool is_all;  /* of the line, or of what there is */
    bool is_late; /* another reader took the line that was there */
};

static struct taken take(uint8_t *piece, size_t wanted)
{
    struct taken taken = {.is_all = true};
    mutex_lock(&tty.lock);
    if ((tty.discipline.termios.local & ICANON) && !discipline_is_ready(&tty.discipline)) {
        taken.is_late = true;
    } else {
        uint32_t readable = discipline_readable(&tty.discipline);
        taken.bytes = discipline_take(&tty.discipline, piece,
                                      wanted < READ_PIECE ? (uint32_t)wanted : READ_PIECE);
        taken.is_all = taken.bytes == readable;
    }
    mutex_unlock(&tty.lock);
    return taken;
}

static int32_t tty_read(struct file *file, struct transfer *to, uint64_t *position)
{
    uint8_t piece[READ_PIECE];
    struct taken taken = {.is_late = true};
    int32_t done = 0;
    (void)position;
    if (transfer_left(to) == 0)
        return 0;
    while (taken.is_late) {
        int error = check_foreground(SIGTTIN, -EIO);
        if (error == 0)
            error = wait_for_input(file, transfer_left(to));
        if (error != 0)
            return error;
        taken = take(piece, transfer_left(to));
    }
    for (;;) {
        int32_t moved = taken.bytes == 0 ? 0 : transfer_put(to, piece, taken.bytes);
        if (moved < 0)
            return done > 0 ? done : moved;
        done += moved;
        if (taken.is_all || transfer_left(to) == 0)
            return done;
        taken = take(piece, transfer_left(to));
    }
}

/* ---- writing ---- */

static int wait_for_start(const struct file *file)
{
    int error = 0;
    unsigned long saved = platform_interrupts_save();
    while (error == 0 && tty.discipline.is_stopped)
        error = file->flags & O_NONBLOCK
                    ? -EAGAIN
                    : wait_sleep(&tty.writers, WAIT_INTERRUPTIBLE, WAIT_FOREVER);
    thread_interrupts_restore(saved);
    return error;
}

static int32_t write_piece(struct transfer *from)
{
    char piece[WRITE_PIECE];
    int32_t moved = transfer_get(from, piece, sizeof(piece));
    if (moved <= 0)
        return moved;
    mutex_lock(&tty.lock);
    discipline_write(&tty.discipline, piece, (size_t)moved);
    mutex_unlock(&tty.lock);
    return moved;
}

static int32_t tty_write(struct file *file, struct transfer *from, uint64_t *position)
{
    int32_t done = 0;
    (void)position;
    if (tty.discipline.termios.local & TOSTOP) {
        int error = check_foreground(SIGTTOU, 0);
        if (error != 0)
            return error;
    }
    while (transfer_left(from) > 0) {
        int32_t moved = wait_for_start(file);
        if (moved == 0)
            moved = write_piece(from);
        if (moved <= 0)
            return done > 0 ? done : moved;
        done += moved;
    }
    return done;
}

static uint32_t tty_poll(struct file *file, struct poll_list *list)
{
    struct patience patience = patience_of(&tty.discipline.termios, 1);
    (void)file;
    poll_add(list, &tty.readers);
    poll_add(list, &tty.writers);
    bool is_ready = tty.discipline.termios.local & ICANON
                        ? has_enough(&patience)
                        : tty.discipline.complete != tty.discipline.read;
    return (is_ready ? POLLIN | POLLRDNORM : 0) |
           (tty.discipline.is_stopped ? 0 : POLLOUT | POLLWRNORM);
}

/* ---- control ---- */

static int32_t get_termios(uint32_t address)
{
    struct termios termios;
    mutex_lock(&tty.lock);
    termios = tty.discipline.termios;
    mutex_unlock(&tty.lock);
    return space_copy_to_user(address, &termios, sizeof(termios));
}

static int32_t set_termios(uint32_t request, uint32_t address)
{
    struct termios termios;
    int32_t error = check_foreground(SIGTTOU, 0);
    if (error == 0)
        error = space_copy_from_user(&termios, address, sizeof(termios));
    if (error != 0)
        return error;
    mutex_lock(&tty.lock);
    if (request == TCSETSF)
        discipline_flush(&tty.discipline);
    discipline_set(&tty.discipline, &termios);
    mutex_unlock(&tty.lock);
    wait_wake_all(&tty.readers);
    wait_wake_all(&tty.writers);
    return 0;
}

static int32_t set_group(uint32_t address)
{
    int32_t group;
    if (!is_controlling())
        return -ENOTTY;
    int32_t error = file_get_int(address, &group);
    if (error == 0)
        error = check_foreground(SIGTTOU, 0);
    if (error != 0)
        return error;
    if (group < 0)
        return -EINVAL;
    uint32_t session = file_jobs()->session_of_group((uint32_t)group);
    if (session == 0)
        return -ESRCH;
    if (session != tty.session)
        return -EPERM;
    tty.group = (uint32_t)group;
    return 0;
}

/* The leader of a session that has no terminal takes this one; with 1, root takes it from others.
 */
static int32_t take_terminal(uint32_t force)
{
    uint32_t session = file_jobs()->session();
    if (is_controlling())
        return 0;
    if (session == 0 || session != file_jobs()->process())
        return -EPERM;
    if (tty.session != 0 && force != 1)
        return -EPERM;
    tty_begin_session(session, file_jobs()->group());
    return 0;
}

static int32_t leave_terminal(void)
{
    if (!is_controlling())
        return -ENOTTY;
    if (file_jobs()->session() == file_jobs()->process())
        give_up(tty.session);
    return 0;
}

static int32_t set_window(uint32_t address)
{
    struct tty_window window;
    int32_t error = space_copy_from_user(&window, address, sizeof(window));
    if (error != 0)
        return error;
    bool is_other = memcmp(&window, &tty.window, sizeof(window)) != 0;
    tty.window = window;
    if (is_other && tty.group != 0)
        file_jobs()->signal_group(tty.group, SIGWINCH);
    return 0;
}

static int32_t flow(uint32_t action)
{
    if (action > 3)
        return -EINVAL;
    mutex_lock(&tty.lock);
    if (action < 2) /* TCOOFF, TCOON */
        tty.discipline.is_stopped = action == 0;
    mutex_unlock(&tty.lock);
    wait_wake_all(&tty.writers);
    return 0;
}

static int32_t flush(uint32_t queue)
{
    if (queue > 2)
        return -EINVAL;
    mutex_lock(&tty.lock);
    if (queue != 1) /* TCIFLUSH, TCIOFLUSH; output is never held back */
        discipline_flush(&tty.discipline);
    mutex_unlock(&tty.lock);
    return 0;
}

static int32_t readable_bytes(uint32_t address)
{
    mutex_lock(&tty.lock);
    uint32_t bytes = discipline_readable(&tty.discipline);
    mutex_unlock(&tty.lock);
    return file_put_int(address, (int32_t)bytes);
}

static int32_t tty_ioctl(struct file *file, uint32_t request, uint32_t argument)
{
    (void)file;
    switch (request) {
    case TCGETS:
        return get_termios(argument);
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return set_termios(request, argument);
    case TIOCGPGRP:
        return is_controlling() ? file_put_int(argument, (int32_t)tty.group) : -ENOTTY;
    case TIOCSPGRP:
        return set_group(argument);
    case TIOCGSID:
        return is_controlling() ? file_put_int(argument, (int32_t)tty.session) : -ENOTTY;
    case TIOCSCTTY:
        return take_terminal(argument);
    case TIOCNOTTY:
        return leave_terminal();
    case TIOCGWINSZ:
        return space_copy_to_user(argument, &tty.window, sizeof(tty.window));
    case TIOCSWINSZ:
        return set_window(argument);
    case FIONREAD:
        return readable_bytes(argument);
    case TIOCOUTQ:
        return file_put_int(argument, 0);
    case TCXONC:
        return flow(argument);
    case TCFLSH:
        return flush(argument);
    case TCSBRK:
    case TCSBRKP:
        return 0; /* all output has gone out; a break is not sent */
    default:
        return -ENOTTY;
    }
}

static const struct file_operations tty_operations = {
    .read = tty_read,
    .write = tty_write,
    .poll = tty_poll,
    .ioctl = tty_ioctl,
};

int tty_open(enum tty_name name, struct file *file)
{
    if (name == TTY_OF_CALLER && !is_controlling())
        return -ENXIO;
    file->operations = &tty_operations;
    if (!(file->flags & O_NOCTTY) && tty.session == 0)
        (void)!take_terminal(0);
    return 0;
}
