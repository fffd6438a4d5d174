#include "tools/e820-regions/table.h"

#include <ctype.h>
#include <string.h>

#define LOG_MARK    "BIOS-e820:"
#define LOG_HEADING "BIOS-provided physical RAM map"

/* ACPI 6.5, table 15.9; Linux's number for "soft reserved", which no firmware uses. */
enum { TYPE_RAM = 1, TYPE_RESERVED, TYPE_ACPI, TYPE_NVS, TYPE_BAD, TYPE_PERSISTENT = 7 };
#define TYPE_SOFT_RESERVED 0xEFFFFFFF
#define TYPE_UNDEFINED     0

/* What is left of a line: [at, end). Once something was not as wanted, has_failed stays set. */
struct cursor {
    const char *at;
    const char *end;
    bool has_failed;
};

/* Every way in which Linux has named a kind. `type N` has its number instead. */
static const struct {
    const char *words;
    uint32_t type;
} kinds[] = {
    {"usable", TYPE_RAM},
    {"System RAM", TYPE_RAM},
    {"kernel usable RAM", TYPE_RAM},
    {"reserved", TYPE_RESERVED},
    {"device reserved", TYPE_RESERVED},
    {"soft reserved", TYPE_SOFT_RESERVED},
    {"ACPI data", TYPE_ACPI},
    {"ACPI NVS", TYPE_NVS},
    {"unusable", TYPE_BAD},
    {"persistent", TYPE_PERSISTENT},
    {"undefined", TYPE_UNDEFINED},
    {"unknown", TYPE_UNDEFINED},
};

static size_t left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

static void skip_blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end && isspace((unsigned char)*cursor->at))
        cursor->at++;
}

static void trim_end(struct cursor *cursor)
{
    while (cursor->at < cursor->end && isspace((unsigned char)cursor->end[-1]))
        cursor->end--;
}

static bool is_equal_ignoring_case(const char *one, const char *other, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (tolower((unsigned char)one[i]) != tolower((unsigned char)other[i]))
            return false;
    return true;
}

/* Moves past `words` if the line goes on with them. */
static bool has_taken(struct cursor *cursor, const char *words)
{
    size_t length = strlen(words);
    if (left(cursor) < length || !is_equal_ignoring_case(cursor->at, words, length))
        return false;
    cursor->at += length;
    return true;
}

static void take(struct cursor *cursor, const char *words)
{
    skip_blanks(cursor);
    if (!has_taken(cursor, words))
        cursor->has_failed = true;
}

/* The value of a digit, or 99, which no radix reaches. */
static unsigned digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (unsigned)(digit - '0');
    if (isxdigit((unsigned char)digit))
        return (unsigned)(tolower((unsigned char)digit) - 'a') + 10;
    return 99;
}

/* A number in [0, max]. It ends where its digits end: the caller says what has to follow. */
static uint64_t take_number(struct cursor *cursor, unsigned radix, uint64_t max)
{
    uint64_t value = 0;
    skip_blanks(cursor);
    if (radix == 16)
        (void)has_taken(cursor, "0x");
    const char *first = cursor->at;
    for (; cursor->at < cursor->end && digit_value(*cursor->at) < radix; cursor->at++) {
        unsigned digit = digit_value(*cursor->at);
        if (value > (max - digit) / radix)
            cursor->has_failed = true;
        value = value * radix + digit;
    }
    if (cursor->at == first)
        cursor->has_failed = true;
    return cursor->has_failed ? 0 : value;
}

/* A number that a blank or the end of the line follows. */
static uint64_t take_field(struct cursor *cursor, unsigned radix, uint64_t max)
{
    uint64_t value = take_number(cursor, radix, max);
    if (cursor->at < cursor->end && !isspace((unsigned char)*cursor->at))
        cursor->has_failed = true;
    return value;
}

static const char *read_table_line(struct cursor line, struct e820_entry *entry)
{
    entry->base = take_field(&line, 16, UINT64_MAX);
    if (line.has_failed)
        return "the base is not a hexadecimal number of 64 bits";
    entry->length = take_field(&line, 16, UINT64_MAX);
    if (line.has_failed)
        return "the length is not a hexadecimal number of 64 bits";
    entry->type = (uint32_t)take_field(&line, 10, UINT32_MAX);
    if (line.has_failed)
        return "the type is not a decimal number of 32 bits";
    entry->attributes = (uint32_t)take_field(&line, 10, UINT32_MAX);
    if (line.has_failed)
        return "the attribute is not a decimal number of 32 bits";
    skip_blanks(&line);
    return left(&line) == 0 ? NULL : "more than base, length, type and attribute";
}

/* "  639   KB " or "    1.9 GB ": some kernels tell the size of the range before its kind. */
static void skip_size(struct cursor *line)
{
    static const char units[] = "KMGTPE";
    struct cursor ahead = *line;
    skip_blanks(&ahead);
    const char *first = ahead.at;
    while (ahead.at < ahead.end && (isdigit((unsigned char)*ahead.at) || *ahead.at == '.'))
        ahead.at++;
    if (ahead.at == first)
        return;
    skip_blanks(&ahead);
    if (ahead.at < ahead.end && *ahead.at != '\0' && strchr(units, *ahead.at) != NULL) {
        ahead.at++;
        (void)has_taken(&ahead, "i");
    }
    if (has_taken(&ahead, "B"))
        *line = ahead;
}

/* "type 20", "(type 7)": up to the end of the line. */
static uint32_t take_type_number(struct cursor *line)
{
    bool is_open = has_taken(line, "(");
    take(line, "type");
    uint32_t type = (uint32_t)take_number(line, 10, UINT32_MAX);
    if (is_open)
        take(line, ")");
    if (left(line) != 0)
        line->has_failed = true;
    return type;
}

static uint32_t take_kind(struct cursor *line)
{
    skip_size(line);
    skip_blanks(line);
    struct cursor number = *line;
    if (has_taken(&number, "persistent RAM") || has_taken(&number, "persistent"))
        skip_blanks(&number);
    uint32_t type = take_type_number(&number);
    if (!number.has_failed)
        return type;
    if (left(line) >= 2 && line->at[0] == '(' && line->end[-1] == ')') {
        line->at++;
        line->end--;
    }
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if (left(line) == strlen(kinds[i].words) && has_taken(line, kinds[i].words))
            return kinds[i].type;
    line->has_failed = true;
    return 0;
}

/* Both ends half-open; an end of 0 is 2^64. */
static const char *set_range(struct e820_entry *entry, uint64_t start, uint64_t end)
{
    entry->base = start;
    entry->length = end - start;
    return end < start && end != 0 ? "the range ends before it starts" : NULL;
}

static const char *read_range(struct cursor *line, struct e820_entry *entry)
{
    bool is_last_byte_given = has_taken(line, "[");
    if (is_last_byte_given)
        take(line, "mem");
    uint64_t first = take_number(line, 16, UINT64_MAX);
    skip_blanks(line);
    bool is_size_given = !is_last_byte_given && has_taken(line, "@");
    if (!is_size_given)
        take(line, "-");
    uint64_t second = take_number(line, 16, UINT64_MAX);
    if (is_last_byte_given)
        take(line, "]");
    if (line->has_failed)
        return "no range that Linux prints follows " LOG_MARK;
    if (!is_size_given)
        return set_range(entry, first, is_last_byte_given ? second + 1 : second);
    entry->base = second;
    entry->length = first;
    return NULL;
}

static const char *read_log_line(struct cursor line, struct e820_entry *entry)
{
    const char *fault = read_range(&line, entry);
    if (fault != NULL)
        return fault;
    entry->type = take_kind(&line);
    entry->attributes = 1;
    return line.has_failed ? "a kind of memory that Linux does not print" : NULL;
}

/* Where `words` begin in the line, or NULL. */
static const char *find(const struct cursor *line, const char *words)
{
    size_t length = strlen(words);
    for (const char *at = line->at; (size_t)(line->end - at) >= length; at++)
        if (memcmp(at, words, length) == 0)
            return at;
    return NULL;
}

/* Takes a line off the text, without its end, its remark and the blanks around it. */
static struct cursor take_line(struct cursor *text)
{
    const char *newline = memchr(text->at, '\n', left(text));
    struct cursor line = {.at = text->at, .end = newline != NULL ? newline : text->end};
    text->at = newline != NULL ? newline + 1 : text->end;
    const char *remark = memchr(line.at, '#', left(&line));
    if (remark != NULL)
        line.end = remark;
    skip_blanks(&line);
    trim_end(&line);
    return line;
}

static bool is_log(struct cursor text)
{
    while (text.at < text.end) {
        struct cursor line = take_line(&text);
        if (find(&line, LOG_MARK) != NULL)
            return true;
    }
    return false;
}

/* What of the line is an entry: nothing in most lines of a log. */
static struct cursor entry_of_log_line(struct cursor line)
{
    const char *mark = find(&line, LOG_MARK);
    line.at = mark != NULL ? mark + strlen(LOG_MARK) : line.end;
    skip_blanks(&line);
    struct cursor gap = line;
    if (has_taken(&gap, "[gap "))
        line.at = line.end;
    return line;
}

static const char *add_line(struct table *table, struct cursor line,
                            const char *(*read)(struct cursor, struct e820_entry *))
{
    struct e820_entry entry;
    const char *fault = read(line, &entry);
    if (fault != NULL)
        return fault;
    if (table->count == E820_ENTRIES_MAX)
        return "more than 128 entries: firmware's maps end there";
    table->entries[table->count++] = entry;
    return NULL;
}

static const char *add_log_line(struct table *table, struct cursor line)
{
    struct cursor entry = entry_of_log_line(line);
    if (left(&entry) != 0)
        return add_line(table, entry, read_log_line);
    if (table->count != 0 && find(&line, LOG_HEADING) != NULL)
        return "a second map begins: leave one boot's lines in the file";
    return NULL;
}

struct table_error table_parse(struct table *table, const char *text, size_t bytes)
{
    struct cursor rest = {.at = text, .end = text + bytes};
    bool is_kernel_log = is_log(rest);
    table->count = 0;
    for (unsigned number = 1; rest.at < rest.end; number++) {
        const char *fault = NULL;
        struct cursor line = take_line(&rest);
        if (is_kernel_log)
            fault = add_log_line(table, line);
        else if (left(&line) != 0)
            fault = add_line(table, line, read_table_line);
        if (fault != NULL)
            return (struct table_error){number, fault};
    }
    if (table->count == 0)
        return (struct table_error){0, "no entries: neither a table nor " LOG_MARK " lines"};
    return (struct table_error){0, NULL};
}
