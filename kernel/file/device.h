#ifndef KERNEL_FILE_DEVICE_H
#define KERNEL_FILE_DEVICE_H

#include "kernel/file/file.h"

/* The character devices, with Linux's numbers (Documentation/admin-guide/devices.txt). */
#define DEVICE_NULL    DEVICE_NUMBER(1, 3)
#define DEVICE_ZERO    DEVICE_NUMBER(1, 5)
#define DEVICE_FULL    DEVICE_NUMBER(1, 7)
#define DEVICE_RANDOM  DEVICE_NUMBER(1, 8)
#define DEVICE_URANDOM DEVICE_NUMBER(1, 9)
#define DEVICE_TTY     DEVICE_NUMBER(5, 0) /* the caller's controlling terminal */
#define DEVICE_CONSOLE DEVICE_NUMBER(5, 1)
#define DEVICE_MONITOR DEVICE_NUMBER(240, 0) /* ours: of the numbers for local use */

struct device_node {
    const char *name;
    uint32_t number;
    uint32_t permissions;
};

/* What stands in /dev; the last has no name. */
extern const struct device_node device_nodes[];

/* What a write to /dev/monitor calls, with the file's flags; 0 or an error. Until then -ENXIO. */
void device_set_monitor(int (*call)(uint32_t flags));

#endif
