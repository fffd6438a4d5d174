#include "kernel/device/screen/screen.h"

#include "kernel/device/screen/internal.h"
#include "kernel/include/log.h"
#include "kernel/include/version.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/platform.h"

static struct terminal terminal;

/* One writes at a time; what an interrupt wants to write meanwhile waits here. */
static volatile bool is_writing;
static char pending[SCREEN_PENDING_SIZE];
static size_t pending_bytes;

/* True: the screen is the caller's. False: it is another's, who has the text now. */
static bool take_turn(const char *text, size_t length)
{
    unsigned long saved = platform_interrupts_save();
    bool won = !is_writing;
    is_writing = true;
    for (size_t i = 0; !won && i < length && pending_bytes < sizeof(pending); i++)
        pending[pending_bytes++] = text[i];
    platform_interrupts_restore(saved);
    return won;
}

/* Takes what waits; the turn is over when nothing does. */
static size_t take_pending(char *text)
{
    unsigned long saved = platform_interrupts_save();
    size_t length = pending_bytes;
    memcpy(text, pending, length);
    pending_bytes = 0;
    is_writing = length != 0;
    platform_interrupts_restore(saved);
    return length;
}

void screen_write(const char *text, size_t length)
{
    char waited[SCREEN_PENDING_SIZE];
    if (terminal.columns == 0 || !take_turn(text, length))
        return;
    terminal_write(&terminal, text, length);
    while ((length = take_pending(waited)) > 0)
        terminal_write(&terminal, waited, length);
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
    terminal.colour = TERMINAL_COLOUR_ALARM;
    terminal_set_title(&terminal, headline, TERMINAL_COLOUR_ALARM);
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
    log_line("screen: %u x %u characters", grid.columns, grid.rows);
    if (log_add_sink(screen_write) != 0)
        log_line("screen: the log has no room for another sink");
}
