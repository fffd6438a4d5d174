#include "kernel/device/screen/screen.h"

#include "kernel/device/screen/internal.h"
#include "kernel/include/log.h"
#include "kernel/include/version.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/platform.h"

static struct terminal terminal;
static void (*listener)(const char *text, size_t length);

#define PIECE_SIZE 128u

/* One writes at a time; what others want to write meanwhile waits here, each stream for itself. */
static volatile bool is_writing;
static struct pending {
    char text[SCREEN_PENDING_SIZE];
    size_t bytes;
} pending[TERMINAL_STREAM_COUNT];

/* True: the screen is the caller's. False: it is another's, who has `*length` bytes of it now. */
static bool take_turn(enum terminal_stream stream, const char *text, size_t *length)
{
    struct pending *waiting = &pending[stream];
    unsigned long saved = platform_interrupts_save();
    bool won = !is_writing;
    is_writing = true;
    if (!won) {
        size_t room = sizeof(waiting->text) - waiting->bytes;
        *length = *length < room ? *length : room;
        memcpy(waiting->text + waiting->bytes, text, *length);
        waiting->bytes += *length;
    }
    platform_interrupts_restore(saved);
    return won;
}

/* Takes a piece of what waits, and says of which stream; the turn is over when nothing does. */
static size_t take_pending(char piece[PIECE_SIZE], enum terminal_stream *stream)
{
    unsigned long saved = platform_interrupts_save();
    *stream = pending[TERMINAL_TEXT].bytes > 0 ? TERMINAL_TEXT : TERMINAL_PROGRAMS;
    struct pending *waiting = &pending[*stream];
    size_t length = waiting->bytes < PIECE_SIZE ? waiting->bytes : PIECE_SIZE;
    memcpy(piece, waiting->text, length);
    waiting->bytes -= length;
    memmove(waiting->text, waiting->text + length, waiting->bytes);
    is_writing = length != 0;
    platform_interrupts_restore(saved);
    return length;
}

/* How many bytes were taken. */
static size_t write_stream(enum terminal_stream stream, const char *text, size_t length)
{
    char waited[PIECE_SIZE];
    size_t taken = length;
    if (terminal.columns == 0 || !take_turn(stream, text, &taken))
        return taken;
    terminal_write(&terminal, stream, text, length);
    while ((length = take_pending(waited, &stream)) > 0)
        terminal_write(&terminal, stream, waited, length);
    return taken;
}

void screen_write(const char *text, size_t length)
{
    (void)write_stream(TERMINAL_TEXT, text, length);
}

size_t screen_send(const char *bytes, size_t count)
{
    return write_stream(TERMINAL_PROGRAMS, bytes, count);
}

static void pass_answer(const char *text, size_t length)
{
    if (listener != NULL)
        listener(text, length);
}

void screen_set_listener(void (*answered)(const char *text, size_t length))
{
    listener = answered;
}

void screen_set_alarm(const char *headline)
{
    static bool is_drawing;
    is_writing = false;
    if (is_drawing) /* and never came back: the screen itself is what is broken */
        terminal.columns = 0;
    if (terminal.columns == 0)
        return;
    is_drawing = true;
    terminal_begin_alarm(&terminal, headline);
    is_drawing = false;
}

void screen_init(const struct bootinfo *bootinfo)
{
    struct screen_grid grid = framebuffer_open(bootinfo);
    if (grid.columns == 0)
        grid = text_open();
    if (grid.columns == 0) {
        log_line("screen: none");
        return;
    }
    void *storage = kmalloc(terminal_storage_bytes(grid.columns, grid.rows));
    if (storage == NULL) {
        log_line("screen: no memory for %u x %u characters", grid.columns, grid.rows);
        return;
    }
    terminal_init(&terminal, storage, grid.columns, grid.rows, grid.draw,
                  VERSION_NAME " " VERSION_NUMBER);
    terminal.answer = pass_answer;
    log_line("screen: %u x %u characters", grid.columns, grid.rows);
    if (log_add_sink(screen_write) != 0)
        log_line("screen: the log has no room for another sink");
}
