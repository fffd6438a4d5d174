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

/* The attribute controller takes index and value at one port; reading the status begins anew with
 * the index. Bit 5 of the index keeps the picture on. Bit 3 of the mode: a cell's bit 15 blinks. */
#define ATTRIBUTE_STATUS     0x3DA
#define ATTRIBUTE_WRITE      0x3C0
#define ATTRIBUTE_READ       0x3C1
#define ATTRIBUTE_MODE       0x10
#define ATTRIBUTE_PICTURE_ON 0x20
#define MODE_BLINKS          0x08

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

/* Bit 15 of a cell makes the ground bright instead. */
static void stop_blinking(void)
{
    (void)port_read8(ATTRIBUTE_STATUS);
    port_write8(ATTRIBUTE_WRITE, ATTRIBUTE_MODE | ATTRIBUTE_PICTURE_ON);
    uint8_t mode = port_read8(ATTRIBUTE_READ);
    port_write8(ATTRIBUTE_WRITE, (uint8_t)(mode & ~MODE_BLINKS));
    (void)port_read8(ATTRIBUTE_STATUS);
}

struct screen_grid text_open(void)
{
    if (!is_present())
        return (struct screen_grid){0, 0, NULL};
    port_write8(CRTC_INDEX, CURSOR_START);
    port_write8(CRTC_DATA, CURSOR_IS_OFF); /* the terminal draws its own */
    stop_blinking();
    return (struct screen_grid){COLUMNS, ROWS, draw};
}
