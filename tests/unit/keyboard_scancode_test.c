#include "kernel/device/keyboard/scancode.h"
#include "tests/unit/test.h"

static struct scancode_state state;

/* Feeds bytes and collects what they give. */
static const char *typed(const char *bytes, size_t count)
{
    static char text[64];
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        CHECK(length + SCANCODE_TEXT_MAX < sizeof(text));
        length += scancode_take(&state, (uint8_t)bytes[i], text + length);
    }
    text[length] = '\0';
    return text;
}

#define EXPECT(bytes, text)                                                                        \
    do {                                                                                           \
        const char *found = typed(bytes, sizeof(bytes) - 1);                                       \
        if (strcmp(found, text) != 0)                                                              \
            test_fail(__FILE__, __LINE__, "\"%s\", expected \"%s\"", found, text);                 \
    } while (0)

TEST(scancode_characters)
{
    state = (struct scancode_state){0};
    EXPECT("\x32\xb2\x12\x92\x32\xb2\x39\xb9\x02\x82\x1c\x9c", "mem 1\r");
    EXPECT("\x2a\x32\xb2\x0b\x8b\x35\xaa\x32", "M)?m");
    EXPECT("\x36\x36\x28\xb6\x28", "\"'");         /* the right shift, repeated */
    EXPECT("\x3a\xba\x1e\x02\x2a\x1e\xaa", "A1a"); /* caps lock is for letters, shift undoes it */
    EXPECT("\x3a\xba\x1e", "a");
    EXPECT("\x1d\x1e\x9e\x03\x9d\x1e", "\x01"
                                       "a"); /* control A; control 2 is nothing */
    /* Control with [ \ ] 6 - and / */
    EXPECT("\x1d\x1a\x2b\x1b\x07\x0c\x35\x9d", "\x1b\x1c\x1d\x1e\x1f\x1f");
    EXPECT("\x0e\x0f\x01\x37\x4a\x4e", "\x7f\t\x1b*-+");
    EXPECT("\x2b\x29\x56", "\\`");
}

TEST(scancode_keys_that_move)
{
    state = (struct scancode_state){0};
    EXPECT("\xe0\x48\xe0\xc8\xe0\x50\xe0\x4b\xe0\x4d", "\x1b[A\x1b[B\x1b[D\x1b[C");
    EXPECT("\xe0\x47\xe0\x4f\xe0\x53\x48", "\x1b[1~\x1b[4~\x1b[3~\x1b[A");
    EXPECT("\xe0\x2a\xe0\x53\xe0\xd3\xe0\xaa\x1e", "\x1b[3~a"); /* shifts that nobody pressed */
    EXPECT("\xe0\x1c\xe0\x35", "\r/");
    EXPECT("\xe0\x1d\x1e\xe0\x9d\x1e", "\x01"
                                       "a");
    EXPECT("\xe1\x1d\x45\xe1\x9d\xc5\x1e", "a"); /* pause */
    EXPECT("\xe0\x5b\xe0\x38\x38", "");          /* logo, alt */
    EXPECT("\xe0\x49\xe0\x51\xe0\x52", "\x1b[5~\x1b[6~\x1b[2~");
    EXPECT("\x3b\x3f\x40\x44\x57\x58", "\x1b[[A\x1b[[E\x1b[17~\x1b[21~\x1b[23~\x1b[24~");
}

TEST(scancode_survives_noise)
{
    char text[SCANCODE_TEXT_MAX];
    state = (struct scancode_state){0};
    for (int i = 0; i < 200000; i++)
        CHECK(scancode_take(&state, (uint8_t)test_random(), text) <= SCANCODE_TEXT_MAX);
}
