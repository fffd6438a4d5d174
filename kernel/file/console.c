#include "kernel/file/console.h"

#include "kernel/device/keyboard/keyboard.h"
#include "kernel/device/screen/screen.h"
#include "kernel/device/serial/serial.h"
#include "kernel/file/device.h"
#include "kernel/file/linux.h"
#include "kernel/file/tty.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/platform.h"
#include "kernel/thread/clock.h"
#include "kernel/thread/thread.h"

#define MONITOR_RING_SIZE 256u
#define ANSWER_SIZE       64u
#define CTRL_C            3
#define WINDOW_ROWS       24u /* what every screen has below its title, and most serial terminals */
#define WINDOW_COLUMNS    80u
#define SCREEN_WAIT_NS    1000000u
#define PRIORITY          50 /* above programs: Ctrl-C is heard whatever they do */

/* What the monitor gets; positions count bytes, modulo 2^32. Changed with interrupts off. */
static uint8_t monitor_ring[MONITOR_RING_SIZE];
static uint32_t monitor_written, monitor_read;
static struct wait_queue monitor_waits;

static enum console_user user;
static struct wait_queue typed;
static struct wait_queue given_back; /* to programs */

/* Screen and serial line show the same, and a question from a program reaches both. Who typed last
 * is where the person is: there it is answered. The answer goes in as a whole, since nobody can
 * tell it from keys if they get into its middle. Changed with interrupts off. */
static bool is_at_screen;
static uint8_t answer[ANSWER_SIZE];
static size_t answer_bytes;

static void on_typed(void)
{
    wait_wake_all(&typed);
}

/* By a thread, which sleeps while another is in the middle of drawing and what waits for its end is
 * as much as may: that one may need the processor, and have less of a right to it. */
static void output(const char *text, size_t length)
{
    serial_send(text, length);
    for (size_t shown; (shown = screen_send(text, length)) < length; length -= shown) {
        text += shown;
        (void)!wait_until(clock_monotonic_ns() + SCREEN_WAIT_NS, 0);
    }
}

/* Answers that nobody took yet are as old as the questions: one that does not fit is left out. */
static void on_answer(const char *text, size_t length)
{
    unsigned long saved = platform_interrupts_save();
    if (is_at_screen && user == CONSOLE_PROGRAMS && answer_bytes + length <= ANSWER_SIZE) {
        memcpy(answer + answer_bytes, text, length);
        answer_bytes += length;
        wait_wake_all(&typed);
    }
    thread_interrupts_restore(saved);
}

static int read_device(void)
{
    int byte = serial_read();
    if (byte >= 0) {
        is_at_screen = false;
        return byte;
    }
    byte = keyboard_read();
    is_at_screen = is_at_screen || byte >= 0;
    return byte;
}

/* A byte, or -1: an answer is there, and no byte. Until the console has a user, the devices keep
 * what they have. */
static int wait_for_byte(void)
{
    int byte = -1;
    unsigned long saved = platform_interrupts_save();
    while (user == CONSOLE_NOBODY || ((byte = read_device()) < 0 && answer_bytes == 0))
        (void)!wait_sleep(&typed, 0, WAIT_FOREVER);
    thread_interrupts_restore(saved);
    return byte;
}

static void give_answer(void)
{
    uint8_t bytes[ANSWER_SIZE];
    unsigned long saved = platform_interrupts_save();
    size_t count = answer_bytes;
    memcpy(bytes, answer, count);
    answer_bytes = 0;
    thread_interrupts_restore(saved);
    if (user == CONSOLE_PROGRAMS)
        tty_type(bytes, count);
}

static void give_monitor(uint8_t byte)
{
    unsigned long saved = platform_interrupts_save();
    if (monitor_written - monitor_read < MONITOR_RING_SIZE)
        monitor_ring[monitor_written++ % MONITOR_RING_SIZE] = byte;
    wait_wake_all(&monitor_waits);
    thread_interrupts_restore(saved);
}

unsigned char console_monitor_read(void)
{
    unsigned long saved = platform_interrupts_save();
    while (monitor_written == monitor_read)
        (void)!wait_sleep(&monitor_waits, 0, WAIT_FOREVER);
    uint8_t byte = monitor_ring[monitor_read++ % MONITOR_RING_SIZE];
    thread_interrupts_restore(saved);
    return byte;
}

static void show_monitor(void)
{
    static const char text[] =
        "\r\n[the monitor has the console; " CONSOLE_KEY_NAME " goes back to programs]\r\n";
    output(text, sizeof(text) - 1);
    console_call_monitor();
}

static void change_user(void)
{
    static const char to_programs[] =
        "\r\n[programs have the console; " CONSOLE_KEY_NAME " brings the monitor]\r\n";
    if (user != CONSOLE_MONITOR) {
        show_monitor();
        return;
    }
    output(to_programs, sizeof(to_programs) - 1);
    console_set_user(CONSOLE_PROGRAMS);
}

/* What a write to /dev/monitor does. */
static int lend_to_monitor(uint32_t flags)
{
    int error = 0;
    if (user == CONSOLE_PROGRAMS)
        show_monitor();
    unsigned long saved = platform_interrupts_save();
    while (error == 0 && user == CONSOLE_MONITOR && !(flags & O_NONBLOCK))
        error = wait_sleep(&given_back, WAIT_INTERRUPTIBLE, WAIT_FOREVER);
    thread_interrupts_restore(saved);
    return error;
}

static void type(uint8_t byte)
{
    if (user == CONSOLE_PROGRAMS)
        tty_type(&byte, 1);
    else
        give_monitor(byte);
}

static void run(void *nothing)
{
    (void)nothing;
    for (;;) {
        int byte = wait_for_byte();
        if (byte < 0)
            give_answer();
        else if (byte == CONSOLE_KEY)
            change_user();
        else
            type((uint8_t)byte);
    }
}

void console_set_user(enum console_user given)
{
    user = given;
    wait_wake_all(&typed);
    if (given == CONSOLE_PROGRAMS)
        wait_wake_all(&given_back);
}

void console_call_monitor(void)
{
    console_set_user(CONSOLE_MONITOR);
    give_monitor(CTRL_C);
}

enum console_user console_user(void)
{
    return user;
}

int console_init(void)
{
    struct tty_window window = {WINDOW_ROWS, WINDOW_COLUMNS, 0, 0};
    struct thread *thread = thread_create("console", run, NULL);
    if (thread == NULL)
        return -ENOMEM;
    tty_init(output, window);
    serial_set_listener(on_typed);
    keyboard_set_listener(on_typed);
    screen_set_listener(on_answer);
    device_set_monitor(lend_to_monitor);
    (void)!thread_set_policy(thread, THREAD_FIFO, PRIORITY);
    thread_start(thread);
    return 0;
}
