/* Who writes on the screen while another is in the middle of drawing: the other one draws it, as
 * much as there is room for. */
#include "kernel/device/screen/internal.h"
#include "kernel/device/screen/screen.h"
#include "kernel/include/log.h"
#include "kernel/memory/heap/heap.h"
#include "tests/unit/test.h"

#define COLUMNS 64
#define ROWS    40

static char screen[ROWS][COLUMNS];
static void (*meanwhile)(void); /* what is done in the middle of the next drawing */

static void draw(unsigned column, unsigned row, struct terminal_cell cell)
{
    screen[row][column] = (char)cell.character;
    void (*once)(void) = meanwhile;
    meanwhile = NULL;
    if (once != NULL)
        once();
}

struct screen_grid framebuffer_open(const struct bootinfo *bootinfo)
{
    (void)bootinfo;
    return (struct screen_grid){0, 0, NULL};
}

struct screen_grid text_open(void)
{
    return (struct screen_grid){COLUMNS, ROWS, draw};
}

void *kmalloc(size_t bytes)
{
    static unsigned char storage[COLUMNS * ROWS * 4];
    CHECK(bytes <= sizeof(storage));
    return storage;
}

void log_line(const char *format, ...)
{
    (void)format;
}

int log_add_sink(void (*write)(const char *text, size_t length))
{
    CHECK(write == screen_write);
    return 0;
}

static unsigned count(char wanted)
{
    unsigned found = 0;
    for (unsigned row = 1; row < ROWS; row++)
        for (unsigned column = 0; column < COLUMNS; column++)
            found += screen[row][column] == wanted;
    return found;
}

static size_t taken;
static char text[1000];

static void send_much(void)
{
    taken = screen_send(text, sizeof(text));
}

static void send_twice(void)
{
    taken = screen_send(text, 300);
    taken += screen_send(text, 300);
}

static void log_much(void)
{
    screen_write(text, sizeof(text));
}

static void interrupt(void (*by)(void), char with)
{
    screen_init(NULL);
    memset(text, with, sizeof(text));
    taken = 0;
    meanwhile = by;
    screen_write("drawn first: ", 13);
    CHECK(meanwhile == NULL);
    CHECK_EQUAL(count('w'), 1);
}

TEST(what_programs_send_meanwhile_is_taken_as_far_as_there_is_room)
{
    interrupt(send_much, '#');
    CHECK_EQUAL(taken, SCREEN_PENDING_SIZE);
    CHECK_EQUAL(count('#'), SCREEN_PENDING_SIZE);
    interrupt(send_twice, '%');
    CHECK_EQUAL(taken, SCREEN_PENDING_SIZE);
    CHECK_EQUAL(count('%'), SCREEN_PENDING_SIZE);
}

TEST(the_rest_is_taken_when_the_drawing_has_ended)
{
    interrupt(send_much, '#');
    CHECK_EQUAL(screen_send(text, sizeof(text) - taken), sizeof(text) - taken);
    CHECK_EQUAL(count('#'), sizeof(text));
}

TEST(of_the_log_what_finds_no_room_is_left_out)
{
    interrupt(log_much, '=');
    CHECK_EQUAL(count('='), SCREEN_PENDING_SIZE);
    screen_write("behind", 6);
    CHECK_EQUAL(count('b'), 1);
}
