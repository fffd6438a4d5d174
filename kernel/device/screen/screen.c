#include "kernel/device/screen/screen.h"

#include "kernel/device/screen/internal.h"
#include "kernel/include/log.h"
#include "kernel/include/version.h"
#include "kernel/memory/heap/heap.h"

static struct terminal terminal;

/* The log calls its sinks one at a time, never from within each other. */
static void write(const char *text, size_t length)
{
    terminal_write(&terminal, text, length);
}

void screen_set_alarm(void)
{
    terminal.colour = TERMINAL_COLOUR_ALARM;
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
                  VERSION_NAME " " VERSION_NUMBER
                               ": the log. The prompt is on the first serial port.");
    log_line("screen: %u x %u characters", grid.columns, grid.rows);
    if (log_add_sink(write) != 0)
        log_line("screen: the log has no room for another sink");
}
