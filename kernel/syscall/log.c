#include "kernel/include/log.h"
#include "kernel/include/errors.h"
#include "kernel/process/process.h"
#include "kernel/space/usercopy.h"
#include "kernel/syscall/table.h"

/*
 * syslog(2): the kernel's log for dmesg. Its lines get Linux's mark of their importance, which is
 * the same for all. The log is read as a whole; nobody can wait for its next line, and the console
 * always shows all of it.
 */
enum {
    LOG_CLOSE,
    LOG_OPEN,
    LOG_READ,
    LOG_READ_ALL,
    LOG_READ_CLEAR,
    LOG_CLEAR,
    LOG_CONSOLE_OFF,
    LOG_CONSOLE_ON,
    LOG_CONSOLE_LEVEL,
    LOG_SIZE_UNREAD,
    LOG_SIZE_BUFFER,
};

static const char mark[] = "<6>";
#define MARK_BYTES (sizeof(mark) - 1)

static uint32_t cleared; /* a position of the log: what is before it is not shown */

/* Lines for a user's buffer: the newest that fit into it. */
struct reading {
    uint32_t to;   /* where the next line goes */
    size_t room;   /* what is left there */
    size_t excess; /* bytes of the oldest lines that are still to be left out */
    int error;
};

static size_t shown_bytes(size_t length)
{
    return MARK_BYTES + length + 1;
}

static bool count_line(void *context, const char *line, size_t length)
{
    (void)line;
    *(size_t *)context += shown_bytes(length);
    return true;
}

/* A line that came between counting and copying may find no room. */
static bool copy_line(void *context, const char *line, size_t length)
{
    struct reading *reading = context;
    size_t bytes = shown_bytes(length);
    if (reading->excess > 0) {
        reading->excess -= reading->excess < bytes ? reading->excess : bytes;
        return true;
    }
    if (bytes > reading->room)
        return false;
    reading->error = space_copy_to_user(reading->to, mark, MARK_BYTES);
    if (reading->error == 0)
        reading->error = space_copy_to_user(reading->to + MARK_BYTES, line, length);
    if (reading->error == 0)
        reading->error = space_copy_to_user(reading->to + MARK_BYTES + length, "\n", 1);
    reading->to += bytes;
    reading->room -= bytes;
    return reading->error == 0;
}

/* Where the log has gone round since, the ring's oldest line is the first. */
static uint32_t start_of_log(void)
{
    uint32_t now = log_position();
    return now - cleared > LOG_RING_SIZE ? now - LOG_RING_SIZE - 1 : cleared;
}

static int32_t read_all(uint32_t to, uint32_t room)
{
    uint32_t start = start_of_log();
    size_t bytes = 0;
    log_visit_since(start, count_line, &bytes);
    struct reading reading = {.to = to, .room = room, .excess = bytes > room ? bytes - room : 0};
    log_visit_since(start, copy_line, &reading);
    return reading.error != 0 ? reading.error : (int32_t)(reading.to - to);
}

/* Anybody may look. */
static bool is_allowed(uint32_t action)
{
    return action == LOG_READ_ALL || action == LOG_SIZE_BUFFER || process_current()->euid == 0;
}

int32_t syscall_syslog(uint32_t action, uint32_t to, uint32_t bytes)
{
    if (action > LOG_SIZE_BUFFER)
        return -EINVAL;
    if (!is_allowed(action))
        return -EPERM;
    switch (action) {
    case LOG_CLOSE:
    case LOG_OPEN:
        return 0;
    case LOG_READ_ALL:
    case LOG_READ_CLEAR: {
        if (to == 0 || bytes > INT32_MAX)
            return -EINVAL;
        uint32_t position = log_position();
        int32_t result = bytes == 0 ? 0 : read_all(to, bytes);
        if (result >= 0 && action == LOG_READ_CLEAR)
            cleared = position;
        return result;
    }
    case LOG_CLEAR:
        cleared = log_position();
        return 0;
    case LOG_SIZE_BUFFER:
        return LOG_RING_SIZE;
    default:
        return -EINVAL;
    }
}
