#ifndef KERNEL_CPU_RTC_H
#define KERNEL_CPU_RTC_H

#include "kernel/include/types.h"

/* The battery's clock (Motorola MC146818A), which is taken to run in UTC. */
struct rtc_time {
    uint8_t second, minute, hour, day, month; /* day and month from 1 */
    uint16_t year;
};

/* Seconds from 1970-01-01 on; dates from 1970 to 2105. Pure. */
uint64_t rtc_seconds(const struct rtc_time *time);

/* What the clock says, as seconds since 1970-01-01; 0 where it says nothing that makes sense. Takes
 * up to a few milliseconds; once at start. */
uint64_t rtc_read_seconds(void);

#endif
