#ifndef KERNEL_MEMORY_HEAP_LEVEL_H
#define KERNEL_MEMORY_HEAP_LEVEL_H

/* What the build is for: make HEAP_DEBUG=1 to 3 (README.md), and HEAP_SHADOW where a shadow of all
 * memory says what may be touched. */
#ifndef HEAP_DEBUG
#define HEAP_DEBUG 0
#endif
#ifndef HEAP_SHADOW
#define HEAP_SHADOW 0
#endif

/* Zones around objects, and every byte that is free is HEAP_FREE_BYTE. */
#define HEAP_HAS_PATTERNS (HEAP_DEBUG >= 2 && !HEAP_SHADOW)

#endif
