#ifndef KERNEL_SPACE_USERCOPY_INTERNAL_H
#define KERNEL_SPACE_USERCOPY_INTERNAL_H

#include "kernel/include/types.h"

/* kernel/space/usercopy.S; host tests have their own. Bytes that were not moved. */
size_t usercopy_clear(void *to, size_t bytes);
/* The length, `size`, or -1. */
int32_t usercopy_string(char *to, const char *from, size_t size);
/* 0 or -1. */
int usercopy_exchange(uint32_t *address, uint32_t expected, uint32_t value, uint32_t *old);

/* Whether user memory has to be opened and closed. */
extern uint32_t usercopy_has_smap;
void usercopy_init(void);

#endif
