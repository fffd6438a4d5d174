#include "kernel/cpu/rtc.h"

#define SECONDS_PER_DAY 86400u

static bool is_leap(uint32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint32_t days_before_year(uint32_t year)
{
    uint32_t last = year - 1;
    return 365 * (year - 1970) + (last / 4 - 492) - (last / 100 - 19) + (last / 400 - 4);
}

uint64_t rtc_seconds(const struct rtc_time *time)
{
    static const uint16_t days_before_month[] = {0,   31,  59,  90,  120, 151,
                                                 181, 212, 243, 273, 304, 334};
    uint32_t days =
        days_before_year(time->year) + days_before_month[time->month - 1] + time->day - 1;
    if (time->month > 2 && is_leap(time->year))
        days++;
    return (uint64_t)days * SECONDS_PER_DAY + time->hour * 3600u + time->minute * 60u +
           time->second;
}
