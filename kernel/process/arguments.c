#include "kernel/process/arguments.h"

#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/space/usercopy.h"

struct arguments *arguments_create(void)
{
    return kcalloc(1, sizeof(struct arguments));
}

void arguments_destroy(struct arguments *arguments)
{
    if (arguments == NULL)
        return;
    for (unsigned i = 0; i < ARGUMENTS_PAGES_MAX; i++)
        kfree(arguments->pages[i]);
    kfree(arguments);
}

/* The room from the end on, to the end of its page; NULL: no memory. */
static uint8_t *room(struct arguments *arguments, uint32_t *bytes)
{
    uint32_t page = arguments->bytes / ARGUMENTS_PAGE_BYTES;
    uint32_t at = arguments->bytes % ARGUMENTS_PAGE_BYTES;
    if (arguments->pages[page] == NULL)
        arguments->pages[page] = kmalloc(ARGUMENTS_PAGE_BYTES);
    *bytes = ARGUMENTS_PAGE_BYTES - at;
    return arguments->pages[page] != NULL ? arguments->pages[page] + at : NULL;
}

static int append(struct arguments *arguments, const char *string, size_t length)
{
    if (length > ARGUMENTS_STRING_MAX || length > ARGUMENTS_BYTES_MAX - arguments->bytes)
        return -E2BIG;
    while (length > 0) {
        uint32_t bytes;
        uint8_t *to = room(arguments, &bytes);
        if (to == NULL)
            return -ENOMEM;
        bytes = length < bytes ? (uint32_t)length : bytes;
        memcpy(to, string, bytes);
        arguments->bytes += bytes;
        string += bytes;
        length -= bytes;
    }
    return 0;
}

int arguments_add(struct arguments *arguments, const char *string)
{
    int error = append(arguments, string, strlen(string) + 1);
    if (error != 0)
        return error;
    arguments->argument_count++;
    arguments->argument_bytes = arguments->bytes;
    return 0;
}

int environment_add(struct arguments *arguments, const char *string)
{
    int error = append(arguments, string, strlen(string) + 1);
    if (error == 0)
        arguments->environment_count++;
    return error;
}

/* In pieces that fit the page at hand; the zero at the end is copied too. */
static int append_user(struct arguments *arguments, uint32_t string)
{
    uint32_t begin = arguments->bytes;
    for (;;) {
        uint32_t bytes;
        if (arguments->bytes == ARGUMENTS_BYTES_MAX ||
            arguments->bytes - begin > ARGUMENTS_STRING_MAX)
            return -E2BIG;
        uint8_t *to = room(arguments, &bytes);
        if (to == NULL)
            return -ENOMEM;
        int32_t length = space_string_from_user((char *)to, string, bytes);
        if (length >= 0) {
            arguments->bytes += (uint32_t)length + 1;
            return 0;
        }
        if (length != -ENAMETOOLONG)
            return length;
        /* Not at its end yet: all of the piece belongs to it. */
        if (space_copy_from_user(to, string, bytes) != 0)
            return -EFAULT;
        arguments->bytes += bytes;
        string += bytes;
    }
}

static int append_array(struct arguments *arguments, uint32_t array, uint32_t *count)
{
    for (; array != 0; array += sizeof(uint32_t)) {
        uint32_t string;
        int error = space_read_user32(&string, array);
        if (error != 0 || string == 0)
            return error;
        error = append_user(arguments, string);
        if (error != 0)
            return error;
        ++*count;
    }
    return 0;
}

int arguments_add_user(struct arguments *arguments, uint32_t array)
{
    int error = append_array(arguments, array, &arguments->argument_count);
    arguments->argument_bytes = arguments->bytes;
    return error;
}

int environment_add_user(struct arguments *arguments, uint32_t array)
{
    return append_array(arguments, array, &arguments->environment_count);
}

const uint8_t *arguments_piece(const struct arguments *arguments, uint32_t offset, uint32_t *bytes)
{
    uint32_t at = offset % ARGUMENTS_PAGE_BYTES, left = arguments->bytes - offset;
    *bytes = ARGUMENTS_PAGE_BYTES - at < left ? ARGUMENTS_PAGE_BYTES - at : left;
    return arguments->pages[offset / ARGUMENTS_PAGE_BYTES] + at;
}

/* All bytes from `offset` on of one, behind those of the other. */
static int append_rest(struct arguments *to, const struct arguments *from, uint32_t offset)
{
    while (offset < from->bytes) {
        uint32_t bytes;
        const uint8_t *piece = arguments_piece(from, offset, &bytes);
        int error = append(to, (const char *)piece, bytes);
        if (error != 0)
            return error;
        offset += bytes;
    }
    return 0;
}

static uint32_t first_length(const struct arguments *arguments)
{
    for (uint32_t offset = 0; offset < arguments->bytes;) {
        uint32_t bytes;
        const uint8_t *piece = arguments_piece(arguments, offset, &bytes);
        size_t length = strnlen((const char *)piece, bytes);
        if (length < bytes)
            return offset + (uint32_t)length + 1;
        offset += bytes;
    }
    return 0;
}

int arguments_replace_first(struct arguments *arguments, const char *const *strings, unsigned count)
{
    struct arguments *made = arguments_create();
    int error = made != NULL ? 0 : -ENOMEM;
    uint32_t skipped = arguments->argument_count > 0 ? first_length(arguments) : 0;
    for (unsigned i = 0; i < count && error == 0; i++)
        error = arguments_add(made, strings[i]);
    if (error == 0) {
        uint32_t added = made->bytes;
        error = append_rest(made, arguments, skipped);
        made->argument_count += arguments->argument_count - (skipped != 0);
        made->environment_count = arguments->environment_count;
        made->argument_bytes = added + arguments->argument_bytes - skipped;
    }
    if (error == 0) {
        struct arguments old = *arguments;
        *arguments = *made;
        *made = old;
    }
    arguments_destroy(made);
    return error;
}
