#include "kernel/cpu/rtc.h"

#include "kernel/cpu/ports.h"
#include "kernel/lib/string.h"

#define PORT_INDEX     0x70
#define PORT_DATA      0x71
#define INDEX_STATUS_A 0x0A
#define UPDATING       (1u << 7)
#define INDEX_STATUS_B 0x0B
#define IS_24_HOURS    (1u << 1)
#define IS_BINARY      (1u << 2)
#define HOUR_PM        0x80
#define READS_MAX      100000u
#define TRIES_MAX      5u

static uint8_t read(uint8_t index)
{
    port_write8(PORT_INDEX, index);
    return port_read8(PORT_DATA);
}

static uint8_t from_bcd(uint8_t value)
{
    return (uint8_t)((value >> 4) * 10 + (value & 15));
}

/* Raw: second, minute, hour, day, month, year of the century. */
static void read_fields(uint8_t fields[6])
{
    static const uint8_t indexes[6] = {0, 2, 4, 7, 8, 9};
    for (uint32_t i = 0; i < READS_MAX && read(INDEX_STATUS_A) & UPDATING; i++)
        ;
    for (unsigned i = 0; i < 6; i++)
        fields[i] = read(indexes[i]);
}

static struct rtc_time decode(const uint8_t raw[6])
{
    uint8_t status = read(INDEX_STATUS_B), fields[6];
    bool is_afternoon = !(status & IS_24_HOURS) && raw[2] & HOUR_PM;
    for (unsigned i = 0; i < 6; i++) {
        uint8_t value = i == 2 && is_afternoon ? raw[i] & (uint8_t)~HOUR_PM : raw[i];
        fields[i] = status & IS_BINARY ? value : from_bcd(value);
    }
    if (!(status & IS_24_HOURS))
        fields[2] = (uint8_t)(fields[2] % 12 + (is_afternoon ? 12 : 0));
    return (struct rtc_time){fields[0], fields[1],
                             fields[2], fields[3],
                             fields[4], (uint16_t)(fields[5] + (fields[5] < 70 ? 2000 : 1900))};
}

static bool is_sane(const struct rtc_time *time)
{
    return time->second < 62 && time->minute < 60 && time->hour < 24 && time->day >= 1 &&
           time->day <= 31 && time->month >= 1 && time->month <= 12 && time->year < 2070;
}

/* Twice the same: no update came between the fields. */
uint64_t rtc_read_seconds(void)
{
    uint8_t first[6], second[6];
    read_fields(first);
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        read_fields(second);
        if (memcmp(first, second, sizeof(first)) == 0) {
            struct rtc_time time = decode(first);
            return is_sane(&time) ? rtc_seconds(&time) : 0;
        }
        memcpy(first, second, sizeof(first));
    }
    return 0;
}
