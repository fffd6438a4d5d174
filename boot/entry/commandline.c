#include "boot/entry/commandline.h"

#include "kernel/lib/commandline.h"

#define DIMENSION_MAX 0xFFFF

/* Reads a decimal number at *text and moves *text behind it; 0 where there is none or too large. */
static uint16_t number_take(const char **text)
{
    uint32_t number = 0;
    for (; **text >= '0' && **text <= '9'; ++*text) {
        number = number * 10 + (uint32_t)(**text - '0');
        if (number > DIMENSION_MAX)
            return 0;
    }
    return (uint16_t)number;
}

static bool is_end(char character)
{
    return character == 0 || commandline_is_blank(character);
}

static struct video_request video_value(const char *value)
{
    struct video_request request = {.wish = VIDEO_UNKNOWN};
    if (!strncmp(value, "text", 4) && is_end(value[4])) {
        request.wish = VIDEO_TEXT;
        return request;
    }
    uint16_t width = number_take(&value);
    if (!width || *value++ != 'x')
        return request;
    uint16_t height = number_take(&value);
    if (height && is_end(*value))
        request = (struct video_request){VIDEO_SIZE, width, height};
    return request;
}

struct video_request commandline_video(const char *text)
{
    struct video_request request = {.wish = VIDEO_BEST};
    for (const char *word = commandline_first(text); word; word = commandline_next(word)) {
        if (!strncmp(word, "video=", 6))
            request = video_value(word + 6);
    }
    return request;
}
