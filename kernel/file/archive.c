#include "kernel/file/archive.h"

#include "kernel/file/linux.h"
#include "kernel/lib/string.h"

/* cpio(5), "new ASCII format". */
#define MAGIC_BYTES  6
#define FIELD_DIGITS 8
#define FIELD_COUNT  13
#define HEADER_BYTES (MAGIC_BYTES + FIELD_COUNT * FIELD_DIGITS)
#define NAME_MAX_ALL (3 * PATH_MAX) /* a name may be padded so that its data begins on a page */
#define TRAILER      "TRAILER!!!"

enum field {
    FIELD_INODE,
    FIELD_MODE,
    FIELD_UID,
    FIELD_GID,
    FIELD_LINKS,
    FIELD_MODIFIED,
    FIELD_BYTES,
    FIELD_DEVICE_MAJOR,
    FIELD_DEVICE_MINOR,
    FIELD_SPECIAL_MAJOR,
    FIELD_SPECIAL_MINOR,
    FIELD_NAME_BYTES,
    FIELD_CHECKSUM,
};

static bool fail(struct archive_reader *reader, const char *problem)
{
    reader->problem = problem;
    return false;
}

/* Up to the next multiple of 4; as 64 bits, because the end of 4 GiB is a possible result. */
static uint64_t aligned(uint64_t position)
{
    return (position + 3) & ~(uint64_t)3;
}

static int digit_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool read_fields(const uint8_t *header, uint32_t *fields)
{
    const uint8_t *digit = header + MAGIC_BYTES;
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        fields[i] = 0;
        for (unsigned j = 0; j < FIELD_DIGITS; j++) {
            int value = digit_value(*digit++);
            if (value < 0)
                return false;
            fields[i] = fields[i] << 4 | (uint32_t)value;
        }
    }
    return true;
}

static void skip_zeros(struct archive_reader *reader)
{
    while (reader->position < reader->bytes && reader->archive[reader->position] == 0)
        reader->position++;
}

static bool is_sum_right(const struct archive_reader *reader, const struct archive_entry *entry,
                         uint32_t expected)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < entry->bytes; i++)
        sum += reader->archive[entry->data + i];
    return sum == expected;
}

static void strip_leading(struct archive_entry *entry)
{
    const char *name = entry->name;
    for (;;) {
        if (name[0] == '/')
            name++;
        else if (name[0] == '.' && (name[1] == '/' || name[1] == '\0'))
            name++;
        else
            break;
    }
    entry->name_length -= (uint32_t)(name - entry->name);
    entry->name = name;
}

static bool read_name(struct archive_reader *reader, struct archive_entry *entry,
                      uint32_t name_bytes)
{
    uint32_t at = reader->position + HEADER_BYTES;
    if (name_bytes == 0 || name_bytes > NAME_MAX_ALL || name_bytes > reader->bytes - at)
        return fail(reader, "an entry's name is empty, too long or cut off");
    entry->name = (const char *)reader->archive + at;
    entry->name_length = (uint32_t)strnlen(entry->name, name_bytes);
    if (entry->name_length == name_bytes)
        return fail(reader, "an entry's name does not end");
    if (entry->name_length >= PATH_MAX)
        return fail(reader, "an entry's name is too long");
    return true;
}

static void take_fields(struct archive_entry *entry, const uint32_t *fields)
{
    entry->inode = fields[FIELD_INODE];
    entry->mode = fields[FIELD_MODE];
    entry->uid = fields[FIELD_UID];
    entry->gid = fields[FIELD_GID];
    entry->links = fields[FIELD_LINKS];
    entry->modified_seconds = fields[FIELD_MODIFIED];
    entry->device = fields[FIELD_DEVICE_MAJOR] << 8 | (fields[FIELD_DEVICE_MINOR] & 0xFF);
    entry->special = fields[FIELD_SPECIAL_MAJOR] << 8 | (fields[FIELD_SPECIAL_MINOR] & 0xFF);
    entry->bytes = fields[FIELD_BYTES];
}

bool archive_next(struct archive_reader *reader, struct archive_entry *entry)
{
    uint32_t fields[FIELD_COUNT];
    if (reader->problem != NULL)
        return false;
    skip_zeros(reader);
    const uint8_t *header = reader->archive + reader->position;
    if (reader->position == reader->bytes)
        return fail(reader, "it ends without its trailer");
    if (reader->position % 4 != 0 || reader->bytes - reader->position < HEADER_BYTES)
        return fail(reader, "it is cut off inside a header");
    bool has_sum = memcmp(header, "070702", MAGIC_BYTES) == 0;
    if (!has_sum && memcmp(header, "070701", MAGIC_BYTES) != 0)
        return fail(reader, "an entry does not begin as cpio's newc format does");
    if (!read_fields(header, fields))
        return fail(reader, "a number in a header is not hexadecimal");
    take_fields(entry, fields);
    entry->offset = reader->position;
    if (!read_name(reader, entry, fields[FIELD_NAME_BYTES]))
        return false;
    if (strcmp(entry->name, TRAILER) == 0)
        return false;
    uint64_t data = aligned((uint64_t)reader->position + HEADER_BYTES + fields[FIELD_NAME_BYTES]);
    if (data > reader->bytes || entry->bytes > reader->bytes - data)
        return fail(reader, "an entry's content is cut off");
    entry->data = (uint32_t)data;
    if (has_sum && !is_sum_right(reader, entry, fields[FIELD_CHECKSUM]))
        return fail(reader, "an entry's checksum is wrong");
    strip_leading(entry);
    uint64_t end = aligned(data + entry->bytes);
    reader->position = end < reader->bytes ? (uint32_t)end : reader->bytes;
    return true;
}
