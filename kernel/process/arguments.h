#ifndef KERNEL_PROCESS_ARGUMENTS_H
#define KERNEL_PROCESS_ARGUMENTS_H

#include "kernel/include/types.h"

/*
 * What a program is started with: argument and environment strings, one behind the other with their
 * zeros, in pages of the kernel's, until the new address space takes them.
 */
#define ARGUMENTS_BYTES_MAX                                                                        \
    (256u * 1024) /* a quarter of the stack's default limit, as Linux has it */
#define ARGUMENTS_STRING_MAX (128u * 1024) /* Linux's MAX_ARG_STRLEN */
#define ARGUMENTS_PAGE_BYTES 4096u
#define ARGUMENTS_PAGES_MAX  (ARGUMENTS_BYTES_MAX / ARGUMENTS_PAGE_BYTES)

struct arguments {
    uint32_t argument_count, environment_count;
    uint32_t argument_bytes, bytes; /* of the arguments, of all */
    uint8_t *pages[ARGUMENTS_PAGES_MAX];
};

/* NULL: no memory. Empty. */
struct arguments *arguments_create(void) MUST_CHECK;
void arguments_destroy(struct arguments *arguments);

/* Appends a string of the kernel's; arguments first, then the environment. 0, -E2BIG, -ENOMEM. */
int arguments_add(struct arguments *arguments, const char *string) MUST_CHECK;
int environment_add(struct arguments *arguments, const char *string) MUST_CHECK;

/* Appends the strings of a user's arrays, which end with a null pointer; an address 0 is an empty
 * array. Also -EFAULT. */
int arguments_add_user(struct arguments *arguments, uint32_t array) MUST_CHECK;
int environment_add_user(struct arguments *arguments, uint32_t array) MUST_CHECK;

/* What a script does: its first argument goes, and these come before the others. */
int arguments_replace_first(struct arguments *arguments, const char *const *strings,
                            unsigned count) MUST_CHECK;

/* Visits the bytes in pieces, from `offset` on. */
const uint8_t *arguments_piece(const struct arguments *arguments, uint32_t offset, uint32_t *bytes);

#endif
