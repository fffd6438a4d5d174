#include "kernel/file/device.h"
#include "kernel/file/tty.h"
#include "kernel/syscall/table.h"
#include "kernel/thread/clock.h"
#include "tests/unit/file_machine.h"

/* The terminal as programs see it: reading, waiting, control and jobs. */

#define PATH(text) user_text(0, text)
#define BUFFER     (USER_BASE + 0x4000u)
#define BYTES      ((char *)machine_user + 0x4000)

static char sent[4096];
static const char *typed_later; /* what is typed while somebody waits */
static unsigned typed_at_once;

static void output(const char *text, size_t length)
{
    size_t used = strlen(sent);
    CHECK(used + length < sizeof(sent));
    memcpy(sent + used, text, length);
    sent[used + length] = '\0';
}

static void type(const char *text, size_t length)
{
    tty_type((const uint8_t *)text, length);
}

/* Types the next bytes; when there are none, time passes or a signal comes. */
static int on_wait(unsigned flags, uint64_t deadline_ns)
{
    (void)flags;
    size_t left = strlen(typed_later);
    if (left == 0) {
        if (deadline_ns == WAIT_FOREVER)
            return -EINTR;
        machine_now_ns = deadline_ns;
        return -ETIMEDOUT;
    }
    size_t now = left < typed_at_once ? left : typed_at_once;
    type(typed_later, now);
    typed_later += now;
    return 0;
}

static uint32_t start(void)
{
    static const struct tty_window window = {25, 80, 0, 0};
    file_machine_start(4096);
    tty_init(output, window);
    sent[0] = '\0';
    machine_on_wait = on_wait;
    typed_later = "";
    typed_at_once = 1;
    int32_t descriptor = syscall_open(PATH("/dev/console"), O_RDWR, 0);
    CHECK_EQUAL(descriptor, 0);
    return 0;
}

static void set_raw(uint8_t least, uint8_t tenths)
{
    struct termios termios;
    CHECK_EQUAL(syscall_ioctl(0, TCGETS, BUFFER), 0);
    memcpy(&termios, BYTES, sizeof(termios));
    termios.local &= ~(ICANON | ECHO);
    termios.characters[VMIN] = least;
    termios.characters[VTIME] = tenths;
    memcpy(BYTES, &termios, sizeof(termios));
    CHECK_EQUAL(syscall_ioctl(0, TCSETS, BUFFER), 0);
}

TEST(a_read_waits_for_a_line)
{
    start();
    typed_later = "hello\rrest\r";
    CHECK_EQUAL(syscall_read(0, BUFFER, 100), 6);
    CHECK(memcmp(BYTES, "hello\n", 6) == 0);
    CHECK_EQUAL(syscall_read(0, BUFFER, 2), 2);
    CHECK_EQUAL(syscall_read(0, BUFFER, 100), 3);
    CHECK_EQUAL(syscall_read(0, BUFFER, 100), -512); /* a signal: the call is made again */
    CHECK_EQUAL(syscall_fcntl64(0, F_SETFL, O_NONBLOCK), 0);
    CHECK_EQUAL(syscall_read(0, BUFFER, 100), -EAGAIN);
    CHECK(strcmp(sent, "hello\r\nrest\r\n") == 0);
    CHECK_EQUAL(syscall_write(0, user_text(0x8000, "a\nb"), 3), 3);
    CHECK(strcmp(sent, "hello\r\nrest\r\na\r\nb") == 0);
    CHECK_EQUAL(syscall_lseek(0, 0, SEEK_SET), -ESPIPE);
    file_machine_end();
}

TEST(raw_reads_wait_as_vmin_and_vtime_say)
{
    static const struct {
        uint8_t least, tenths;
        const char *before, *later;
        uint32_t wanted;
        int32_t result;
    } cases[] = {
        {1, 0, "", "abc", 10, 1}, {3, 0, "", "abcd", 10, 3}, {3, 0, "abcd", "", 10, 4},
        {5, 0, "", "abcd", 2, 2}, {0, 0, "", "abc", 10, 0},  {0, 0, "ab", "c", 10, 2},
        {0, 5, "", "abc", 10, 1}, {0, 5, "", "", 10, 0},     {3, 5, "", "ab", 10, 2},
        {3, 5, "a", "", 10, 1},   {3, 5, "", "", 10, -512},  {1, 0, "", "", 10, -512},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        start();
        set_raw(cases[i].least, cases[i].tenths);
        type(cases[i].before, strlen(cases[i].before));
        typed_later = cases[i].later;
        int32_t result = syscall_read(0, BUFFER, cases[i].wanted);
        if (result != cases[i].result)
            test_fail(__FILE__, __LINE__, "case %zu is %d, not %d", i, result, cases[i].result);
        file_machine_end();
    }
}

TEST(keys_signal_the_group_in_the_foreground)
{
    start();
    uint32_t group = 7;
    memcpy(BYTES, &group, sizeof(group));
    CHECK_EQUAL(syscall_ioctl(0, TIOCSPGRP, BUFFER), 0);
    CHECK_EQUAL(syscall_ioctl(0, TIOCGPGRP, BUFFER + 100), 0);
    memcpy(&group, BYTES + 100, sizeof(group));
    CHECK_EQUAL(group, 7);
    type("\003", 1);
    CHECK(machine_signalled_group == 7 && machine_group_signal == SIGINT);
    type("\032", 1);
    CHECK_EQUAL(machine_group_signal, SIGTSTP);
    CHECK_EQUAL(syscall_ioctl(0, TIOCGSID, BUFFER), 0);
    static const struct {
        uint32_t group;
        int32_t result;
    } cases[] = {{150, -EPERM}, {250, -ESRCH}, {(uint32_t)-1, -EINVAL}};
    machine_group = 7;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        memcpy(BYTES, &cases[i].group, sizeof(group));
        CHECK_EQUAL(syscall_ioctl(0, TIOCSPGRP, BUFFER), cases[i].result);
    }
    CHECK_EQUAL(syscall_ioctl(0, TIOCSPGRP, 0x1000), -EFAULT);
    tty_end_session(1);
    CHECK_EQUAL(machine_group_signal, SIGCONT);
    CHECK_EQUAL(syscall_ioctl(0, TIOCGPGRP, BUFFER), -ENOTTY);
    CHECK_EQUAL(syscall_open(PATH("/dev/tty"), O_RDWR, 0), -ENXIO);
    file_machine_end();
}

TEST(the_background_is_stopped_and_not_heard)
{
    start();
    machine_group = 9;
    type("line\r", 5);
    CHECK_EQUAL(syscall_read(0, BUFFER, 10), -512);
    CHECK(machine_signalled_group == 9 && machine_group_signal == SIGTTIN);
    machine_is_deaf = true;
    CHECK_EQUAL(syscall_read(0, BUFFER, 10), -EIO);
    CHECK_EQUAL(syscall_write(0, BUFFER, 1), 1); /* without TOSTOP */
    machine_is_deaf = false;
    CHECK_EQUAL(syscall_ioctl(0, TCGETS, BUFFER), 0);
    CHECK_EQUAL(syscall_ioctl(0, TCSETS, BUFFER), -512);
    CHECK_EQUAL(machine_group_signal, SIGTTOU);
    machine_group = 1;
    CHECK_EQUAL(syscall_read(0, BUFFER, 10), 5);
    file_machine_end();
}

TEST(terminal_controls)
{
    uint16_t window[4] = {50, 132, 0, 0};
    int32_t number;
    start();
    CHECK_EQUAL(syscall_ioctl(0, TIOCGWINSZ, BUFFER), 0);
    CHECK(BYTES[0] == 25 && BYTES[2] == 80);
    memcpy(BYTES, window, sizeof(window));
    CHECK_EQUAL(syscall_ioctl(0, TIOCSWINSZ, BUFFER), 0);
    CHECK_EQUAL(machine_group_signal, SIGWINCH);
    type("abc\r", 4);
    CHECK_EQUAL(syscall_ioctl(0, FIONREAD, BUFFER), 0);
    memcpy(&number, BYTES, sizeof(number));
    CHECK_EQUAL(number, 4);
    CHECK_EQUAL(syscall_ioctl(0, TCFLSH, 0), 0);
    CHECK_EQUAL(syscall_ioctl(0, TCFLSH, 3), -EINVAL);
    CHECK_EQUAL(syscall_ioctl(0, TIOCSCTTY, 0), 0);
    CHECK_EQUAL(syscall_ioctl(0, 0x1234, 0), -ENOTTY);
    CHECK_EQUAL(syscall_ioctl(0, TCGETS, 0x1000), -EFAULT);
    CHECK_EQUAL(syscall_ioctl(0, TIOCNOTTY, 0), 0);
    CHECK_EQUAL(syscall_ioctl(0, TIOCNOTTY, 0), -ENOTTY);
    /* The leader of another session takes it only when it is nobody's, or as root by force. */
    machine_session = machine_process = 5;
    CHECK_EQUAL(syscall_ioctl(0, TIOCSCTTY, 0), 0);
    machine_session = machine_process = 6;
    CHECK_EQUAL(syscall_ioctl(0, TIOCSCTTY, 0), -EPERM);
    CHECK_EQUAL(syscall_ioctl(0, TIOCSCTTY, 1), 0);
    machine_process = 7;
    machine_session = 4;
    CHECK_EQUAL(syscall_ioctl(0, TIOCSCTTY, 1), -EPERM);
    file_machine_end();
}

TEST(poll_sees_the_terminal)
{
    struct {
        int32_t descriptor;
        uint16_t wanted, ready;
    } entries[3] = {{0, POLLIN, 0}, {-1, POLLIN, 9}, {0, POLLOUT, 0}};
    start();
    memcpy(BYTES, entries, sizeof(entries));
    CHECK_EQUAL(syscall_poll(BUFFER, 3, 0), 1);
    memcpy(entries, BYTES, sizeof(entries));
    CHECK(entries[0].ready == 0 && entries[1].ready == 0 && entries[2].ready == POLLOUT);
    CHECK_EQUAL(syscall_poll(BUFFER, 1, 100), 0); /* the time passes */
    typed_later = "x\r";
    CHECK_EQUAL(syscall_poll(BUFFER, 1, 100), 1);
    memcpy(entries, BYTES, sizeof(entries));
    CHECK_EQUAL(entries[0].ready, POLLIN);
    entries[0].descriptor = 77;
    memcpy(BYTES, entries, sizeof(entries));
    CHECK_EQUAL(syscall_poll(BUFFER, 1, (uint32_t)-1), 1);
    memcpy(entries, BYTES, sizeof(entries));
    CHECK_EQUAL(entries[0].ready, POLLNVAL);
    CHECK_EQUAL(syscall_poll(0x1000, 1, 0), -EFAULT);
    CHECK_EQUAL(syscall_poll(BUFFER, 5000, 0), -EINVAL);
    file_machine_end();
}
