#include "kernel/lib/rsdp.h"

#include "kernel/lib/string.h"

#define RSDP_ALIGN        16
#define RSDP_SUMMED_BYTES 20

/* There are 8192 places to look at: most are out by the first byte. */
static bool is_rsdp(const uint8_t *bytes)
{
    if (bytes[0] != 'R' || memcmp(bytes, "RSD PTR ", 8) != 0)
        return false;
    uint8_t sum = 0;
    for (unsigned i = 0; i < RSDP_SUMMED_BYTES; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum == 0;
}

const uint8_t *rsdp_find(const uint8_t *area, uint32_t bytes)
{
    for (uint32_t at = 0; at + RSDP_SUMMED_BYTES <= bytes; at += RSDP_ALIGN) {
        if (is_rsdp(area + at))
            return area + at;
    }
    return NULL;
}
