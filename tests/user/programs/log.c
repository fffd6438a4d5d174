/* syslog(2), on the kernel's log: what may be asked, and what comes. */
#include "tests/user/programs/check.h"

#include <sys/klog.h>

enum { CLOSE, OPEN, READ_ALL = 3, READ_CLEAR, CLEAR, SIZE_BUFFER = 10 };

static char text[1 << 20];

static void errors(void)
{
    SECTION("errors");
    TRY(klogctl(-1, NULL, 0));
    TRY(klogctl(11, NULL, 0));
    TRY(klogctl(READ_ALL, NULL, 10));
    TRY(klogctl(READ_ALL, text, -1));
    TRY(klogctl(READ_ALL, text, 0));
    TRY(klogctl(READ_ALL, (char *)16, 4096));
    TRY(klogctl(READ_CLEAR, NULL, 10));
    TRY(klogctl(8, NULL, 0)); /* a level of nothing */
    TRY(klogctl(8, NULL, 9));
}

/* Lines begin with their importance, and end; a short buffer gets the newest. */
static void reading(void)
{
    static char end[4096];
    SECTION("reading");
    TRY(klogctl(OPEN, NULL, 0));
    TRUE(klogctl(SIZE_BUFFER, NULL, 0) >= 16384);
    int all = klogctl(READ_ALL, text, sizeof(text));
    TRUE(all > 300 && text[0] == '<' && text[all - 1] == '\n');
    int some = klogctl(READ_ALL, end, 300);
    TRUE(some > 20 && some <= 300 && end[0] == '<' && end[some - 1] == '\n');
    TRUE(memcmp(text + all - some, end, (size_t)some) == 0);
    TRUE(klogctl(READ_ALL, text, sizeof(text)) == all);
    TRUE(klogctl(READ_CLEAR, text, sizeof(text)) == all);
    TRUE(klogctl(READ_ALL, text, sizeof(text)) < all);
    TRY(klogctl(CLEAR, NULL, 0));
    TRY(klogctl(CLOSE, NULL, 0));
}

int main(void)
{
    errors();
    reading();
    return done();
}
