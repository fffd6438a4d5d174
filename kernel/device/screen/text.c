/* The VGA's text screen, 80 x 25, in the firmware's row. */
#include "kernel/cpu/ports.h"
#include "kernel/device/screen/internal.h"
#include "kernel/memory/memory.h"

#define COLUMNS 80
#define ROWS    25

/* The CRT controller's cursor start register: bit 5 turns the cursor off. */
#define CRTC_INDEX    0x3D4
#define CRTC_DATA     0x3D5
#define CURSOR_START  0x0A
#define CURSOR_IS_OFF 0x20

static volatile uint16_t *cell_at(unsigned column, unsigned row)
{
    return (volatile uint16_t *)(uintptr_t)MAP_VIDEO_TEXT + row * COLUMNS + column;
}

static void draw(unsigned column, unsigned row, struct terminal_cell cell)
{
    *cell_at(column, row) = (uint16_t)(cell.colour << 8 | cell.character);
}

/* Where there is no video memory, what is written does not come back. */
static bool is_present(void)
{
    uint16_t before = *cell_at(0, 0);
    *cell_at(0, 0) = 0x0741;
    bool is_kept = *cell_at(0, 0) == 0x0741;
    *cell_at(0, 0) = 0x7042;
    is_kept = is_kept && *cell_at(0, 0) == 0x7042;
    *cell_at(0, 0) = before;
    return is_kept;
}

struct screen_grid text_open(void)
{
    if (!is_present())
        return (struct screen_grid){0, 0, NULL};
    port_write8(CRTC_INDEX, CURSOR_START);
    port_write8(CRTC_DATA, CURSOR_IS_OFF); /* the log has no cursor */
    return (struct screen_grid){COLUMNS, ROWS, draw};
}
