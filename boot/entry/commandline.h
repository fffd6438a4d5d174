#ifndef BOOT_ENTRY_COMMANDLINE_H
#define BOOT_ENTRY_COMMANDLINE_H

#include "kernel/include/types.h"

/* What the loader wants of the command line; kernel/lib/commandline.h has its grammar. */
enum video_wish { VIDEO_BEST, VIDEO_SIZE, VIDEO_TEXT, VIDEO_UNKNOWN };

struct video_request {
    enum video_wish wish; /* VIDEO_UNKNOWN: video= was there, and made no sense */
    uint16_t width;       /* for VIDEO_SIZE */
    uint16_t height;
};

/* What video=WIDTHxHEIGHT or video=text asks for; the last one counts. Pure. */
struct video_request commandline_video(const char *text);

#endif
