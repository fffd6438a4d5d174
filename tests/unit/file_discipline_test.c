#include "kernel/file/discipline.h"
#include "kernel/file/linux.h"
#include "tests/unit/test.h"

static struct discipline tty;
static char shown[8192];
static size_t shown_bytes;
static int signalled;

static void output(void *context, const char *text, size_t length)
{
    (void)context;
    CHECK(shown_bytes + length < sizeof(shown));
    memcpy(shown + shown_bytes, text, length);
    shown_bytes += length;
    shown[shown_bytes] = '\0';
}

static void note_signal(void *context, int signal)
{
    (void)context;
    signalled = signal;
}

static void start(void)
{
    discipline_init(&tty);
    tty.output = output;
    tty.signal = note_signal;
    shown_bytes = 0;
    shown[0] = '\0';
    signalled = 0;
}

static void type(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        discipline_type(&tty, (uint8_t)text[i]);
        if (discipline_problem(&tty) != NULL)
            test_fail(__FILE__, __LINE__, "%s", discipline_problem(&tty));
    }
}

/* What one read of a large buffer gives; NULL: it would wait. */
static const char *take(void)
{
    static char taken[DISCIPLINE_RING_SIZE + 1];
    if (!discipline_is_ready(&tty))
        return NULL;
    taken[discipline_take(&tty, (uint8_t *)taken, DISCIPLINE_RING_SIZE)] = '\0';
    return taken;
}

#define TYPE(text) type(text, sizeof(text) - 1)

TEST(lines_are_edited_and_echoed)
{
    static const struct {
        const char *typed;
        const char *line; /* NULL: none is complete */
        const char *echo;
        int signal;
    } cases[] = {
        {"abc\r", "abc\n", "abc\r\n", 0},
        {"abc\n", "abc\n", "abc\r\n", 0},
        {"abc", NULL, "abc", 0},
        {"ab\177c\r", "ac\n", "ab\b \bc\r\n", 0},
        {"\177\177a\r", "a\n", "a\r\n", 0},
        {"abc\025d\r", "d\n", "abc\b \b\b \b\b \bd\r\n", 0},
        {"one two\027x\r", "one x\n", "one two\b \b\b \b\b \bx\r\n", 0},
        {"one  \027x\r", "x\n", "one  \b \b\b \b\b \b\b \b\b \bx\r\n", 0},
        {"a\tb\177\177c\r", "ac\n", "a\tb\b \b\b\b\b\b\b\b\bc\r\n", 0},
        {"a\001\177b\r", "ab\n", "a^A\b \b\b \bb\r\n", 0},
        {"\004", "", "", 0},
        {"abc\004", "abc", "abc", 0},
        {"\026\003x\r", "\003x\n", "^\b^Cx\r\n", 0},
        {"\026\r\r", "\r\n", "^\b^M\r\n", 0},
        {"abc\003", NULL, "abc^C", SIGINT},
        {"abc\034", NULL, "abc^\\", SIGQUIT},
        {"abc\032d\r", "d\n", "abc^Zd\r\n", SIGTSTP},
        {"ab\022c\r", "abc\n", "ab^R\r\nabc\r\n", 0},
        {"a\023b\021c\r", "abc\n", "abc\r\n", 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        start();
        type(cases[i].typed, strlen(cases[i].typed));
        if (strcmp(shown, cases[i].echo) != 0)
            test_fail(__FILE__, __LINE__, "case %zu: the echo is \"%s\"", i, shown);
        const char *line = take();
        if ((line == NULL) != (cases[i].line == NULL) ||
            (line != NULL && strcmp(line, cases[i].line) != 0))
            test_fail(__FILE__, __LINE__, "case %zu: the line is \"%s\"", i, line);
        CHECK_EQUAL(signalled, cases[i].signal);
        CHECK(!discipline_is_ready(&tty));
    }
}

TEST(reads_take_one_line_and_as_much_of_it_as_fits)
{
    uint8_t buffer[4];
    start();
    TYPE("first\rsecond\r\004last\004");
    CHECK_EQUAL(discipline_readable(&tty), 6);
    CHECK_EQUAL(discipline_take(&tty, buffer, 4), 4);
    CHECK(strcmp(take(), "t\n") == 0);
    CHECK(strcmp(take(), "second\n") == 0);
    CHECK(strcmp(take(), "") == 0); /* the end of file between the lines is one */
    CHECK(strcmp(take(), "last") == 0);
    CHECK(take() == NULL);
}

TEST(raw_bytes_are_there_at_once)
{
    struct termios raw;
    start();
    raw = tty.termios;
    raw.local &= ~(ICANON | ECHO | ISIG | IEXTEN);
    raw.input &= ~(ICRNL | IXON);
    raw.output &= ~OPOST;
    TYPE("half");
    CHECK(take() == NULL);
    discipline_set(&tty, &raw);
    CHECK(strcmp(take(), "half") == 0);
    shown_bytes = 0;
    TYPE("\003\r\177\004\023\026");
    CHECK(strcmp(take(), "\003\r\177\004\023\026") == 0);
    CHECK_EQUAL(shown_bytes, 0);
    CHECK_EQUAL(signalled, 0);
    discipline_write(&tty, "a\nb", 3);
    shown[shown_bytes] = '\0';
    CHECK(strcmp(shown, "a\nb") == 0);
}

TEST(echo_is_as_the_flags_say)
{
    start();
    tty.termios.local &= ~ECHO;
    TYPE("secret\177\025x\r");
    CHECK(strcmp(shown, "") == 0);
    CHECK(strcmp(take(), "x\n") == 0);
    tty.termios.local |= ECHONL;
    TYPE("y\r");
    CHECK(strcmp(shown, "\r\n") == 0);
    start();
    tty.termios.local &= ~ECHOCTL;
    TYPE("\001\r");
    CHECK(strcmp(shown, "\001\r\n") == 0);
    start();
    tty.termios.local &= ~ECHOKE;
    TYPE("ab\025");
    CHECK(strcmp(shown, "ab^U\r\n") == 0);
    start();
    tty.termios.input |= IUTF8;
    TYPE("a\303\244\177b\r"); /* one character of two bytes is erased whole */
    CHECK(strcmp(take(), "ab\n") == 0);
    CHECK(strcmp(shown, "a\303\244\b \bb\r\n") == 0);
}

TEST(output_is_processed_as_the_flags_say)
{
    static const struct {
        uint32_t flags;
        const char *written, *sent;
    } cases[] = {
        {OPOST | ONLCR, "a\nb\tc\r", "a\r\nb\tc\r"},
        {OPOST, "a\nb", "a\nb"},
        {0, "a\nb\r", "a\nb\r"},
        {OPOST | ONLCR | XTABS, "ab\tc\n\td", "ab      c\r\n        d"},
        {OPOST | OCRNL, "a\rb", "a\nb"},
        {OPOST | ONOCR, "\ra\rb", "a\rb"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        start();
        tty.termios.output = cases[i].flags;
        discipline_write(&tty, cases[i].written, strlen(cases[i].written));
        if (strcmp(shown, cases[i].sent) != 0)
            test_fail(__FILE__, __LINE__, "case %zu sends \"%s\"", i, shown);
    }
}

/* A full ring refuses with a bell; what ends a line is taken in any case. */
TEST(a_line_that_is_too_long_can_still_be_ended)
{
    start();
    tty.termios.local &= ~ECHO;
    for (unsigned i = 0; i < DISCIPLINE_RING_SIZE + 100; i++)
        discipline_type(&tty, 'x');
    CHECK_EQUAL(shown_bytes, 101);
    CHECK_EQUAL(shown[0], '\a');
    TYPE("\r");
    const char *line = take();
    CHECK_EQUAL(strlen(line), DISCIPLINE_RING_SIZE);
    CHECK_EQUAL(line[DISCIPLINE_RING_SIZE - 1], '\n');
    TYPE("again\r");
    CHECK(strcmp(take(), "again\n") == 0);
}

/* A model: what was typed and not erased, line by line; the ring wraps many times. */
TEST(random_typing_agrees_with_a_model)
{
    char expected[300], line[8];
    for (unsigned round = 0; round < 2000; round++) {
        unsigned length = 0;
        if (round == 0)
            start();
        shown_bytes = 0;
        for (unsigned i = test_random_range(0, 250); i > 0; i--) {
            if (test_random_range(0, 4) == 0) {
                TYPE("\177");
                length -= length > 0;
            } else {
                snprintf(line, sizeof(line), "%c", (char)test_random_range('a', 'z'));
                type(line, 1);
                expected[length++] = line[0];
            }
        }
        TYPE("\r");
        expected[length++] = '\n';
        expected[length] = '\0';
        CHECK(strcmp(take(), expected) == 0);
        CHECK(take() == NULL);
    }
}
