#include "kernel/debug/monitor/picture.h"

#include "kernel/lib/format.h"

void picture_size(char *text, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    uint64_t scale = 1;
    while (unit + 1 < ARRAY_COUNT(units) && bytes / scale >= 1024) {
        scale *= 1024;
        unit++;
    }
    uint64_t whole = bytes / scale;
    unsigned hundredths = (unsigned)(bytes % scale * 100 / scale);
    if (hundredths == 0 || whole >= 100)
        format_text(text, PICTURE_SIZE_SIZE, "%llu %s", (unsigned long long)whole, units[unit]);
    else if (whole >= 10)
        format_text(text, PICTURE_SIZE_SIZE, "%llu.%u %s", (unsigned long long)whole,
                    hundredths / 10, units[unit]);
    else
        format_text(text, PICTURE_SIZE_SIZE, "%llu.%02u %s", (unsigned long long)whole, hundredths,
                    units[unit]);
}

void picture_mebibytes(char *text, uint64_t bytes)
{
    uint64_t whole = bytes >> 20;
    unsigned thousandths = (unsigned)((bytes & 0xFFFFF) * 1000 >> 20);
    format_text(text, PICTURE_SIZE_SIZE, "%llu.%03u", (unsigned long long)whole, thousandths);
}

void picture_bar(char *text, unsigned width, uint64_t part, uint64_t whole)
{
    uint64_t filled = whole == 0 ? 0 : part * width / whole;
    if (part > 0 && filled == 0)
        filled = 1;
    if (filled > width)
        filled = width;
    for (unsigned i = 0; i < width; i++)
        text[i] = i < filled ? '#' : '.';
    text[width] = '\0';
}
