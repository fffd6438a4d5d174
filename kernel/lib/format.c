#include "kernel/lib/format.h"

void (*format_name_caller)(uintptr_t address, char *name, size_t size);

/* Where the text goes: what does not fit is counted and dropped. */
struct sink {
    char *buffer;
    size_t size;
    size_t length;
};

/* One conversion: "%-08llx" and the like, taken apart. */
struct conversion {
    bool left, zero, plus, space, alternate;
    int width;
    int precision; /* -1: none */
    int bytes;     /* size of the integer argument */
    char letter;
    bool is_named; /* "pS" */
};

static void put(struct sink *sink, char character)
{
    if (sink->length + 1 < sink->size)
        sink->buffer[sink->length] = character;
    sink->length++;
}

static void put_repeated(struct sink *sink, char character, int count)
{
    while (count-- > 0)
        put(sink, character);
}

static void put_padded(struct sink *sink, const struct conversion *conversion, const char *text,
                       int length)
{
    if (!conversion->left)
        put_repeated(sink, ' ', conversion->width - length);
    for (int i = 0; i < length; i++)
        put(sink, text[i]);
    if (conversion->left)
        put_repeated(sink, ' ', conversion->width - length);
}

static int digits_of(char *end, uint64_t value, unsigned base, char first_letter)
{
    int count = 0;
    do {
        unsigned digit = (unsigned)(value % base);
        *--end = (char)(digit < 10 ? '0' + digit : first_letter + digit - 10);
        value /= base;
        count++;
    } while (value != 0);
    return count;
}

/* prefix is "", "-", "+", " " or "0x". */
static void put_number(struct sink *sink, const struct conversion *conversion, uint64_t value,
                       unsigned base, const char *prefix)
{
    char digits[24];
    char *end = digits + sizeof(digits);
    int count = digits_of(end, value, base, conversion->letter == 'X' ? 'A' : 'a');
    int prefix_length = 0;
    int zeros = conversion->precision > count ? conversion->precision - count : 0;
    while (prefix[prefix_length] != '\0')
        prefix_length++;
    int blanks = conversion->width - prefix_length - zeros - count;
    if (conversion->zero && !conversion->left && conversion->precision < 0 && blanks > 0) {
        zeros = blanks;
        blanks = 0;
    }
    if (!conversion->left)
        put_repeated(sink, ' ', blanks);
    for (int i = 0; i < prefix_length; i++)
        put(sink, prefix[i]);
    put_repeated(sink, '0', zeros);
    for (int i = count; i > 0; i--)
        put(sink, end[-i]);
    if (conversion->left)
        put_repeated(sink, ' ', blanks);
}

static void put_text(struct sink *sink, const struct conversion *conversion, const char *text)
{
    int length = 0;
    if (text == NULL)
        text = "(null)";
    while ((conversion->precision < 0 || length < conversion->precision) && text[length] != '\0')
        length++;
    put_padded(sink, conversion, text, length);
}

static const char *parse_number(const char *at, int *number)
{
    *number = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        *number = *number * 10 + (*at - '0');
    return at;
}

static const char *parse_flags(const char *at, struct conversion *conversion)
{
    for (;; at++) {
        if (*at == '-')
            conversion->left = true;
        else if (*at == '0')
            conversion->zero = true;
        else if (*at == '+')
            conversion->plus = true;
        else if (*at == ' ')
            conversion->space = true;
        else if (*at == '#')
            conversion->alternate = true;
        else
            return at;
    }
}

static const char *parse_length(const char *at, struct conversion *conversion)
{
    conversion->bytes = sizeof(int);
    for (;; at++) {
        if (*at == 'h')
            conversion->bytes = conversion->bytes == sizeof(short) ? 1 : (int)sizeof(short);
        else if (*at == 'l')
            conversion->bytes = at[-1] == 'l' ? (int)sizeof(long long) : (int)sizeof(long);
        else if (*at == 'z' || *at == 't')
            conversion->bytes = sizeof(size_t);
        else if (*at == 'j')
            conversion->bytes = sizeof(intmax_t);
        else
            return at;
    }
}

/* va_list may be an array: it travels in a structure so that callees advance the caller's. */
struct arguments {
    va_list list;
};

static const char *parse_conversion(const char *at, struct conversion *conversion,
                                    struct arguments *arguments)
{
    *conversion = (struct conversion){.precision = -1};
    at = parse_flags(at, conversion);
    if (*at == '*') {
        conversion->width = va_arg(arguments->list, int);
        at++;
    } else {
        at = parse_number(at, &conversion->width);
    }
    if (conversion->width < 0) {
        conversion->left = true;
        conversion->width = -conversion->width;
    }
    if (*at == '.') {
        if (*++at == '*') {
            conversion->precision = va_arg(arguments->list, int);
            at++;
        } else {
            at = parse_number(at, &conversion->precision);
        }
    }
    at = parse_length(at, conversion);
    conversion->letter = *at;
    conversion->is_named = at[0] == 'p' && at[1] == 'S';
    return at + conversion->is_named;
}

static uint64_t take_unsigned(const struct conversion *conversion, struct arguments *arguments)
{
    uint64_t value = conversion->bytes == 8 ? va_arg(arguments->list, unsigned long long)
                                            : va_arg(arguments->list, unsigned);
    if (conversion->bytes < 4)
        value &= (1u << 8 * conversion->bytes) - 1;
    return value;
}

static int64_t take_signed(const struct conversion *conversion, struct arguments *arguments)
{
    if (conversion->bytes == 8)
        return va_arg(arguments->list, long long);
    int value = va_arg(arguments->list, int);
    if (conversion->bytes == 1)
        return (signed char)value;
    return conversion->bytes == 2 ? (short)value : value;
}

static void put_signed(struct sink *sink, const struct conversion *conversion, int64_t value)
{
    const char *sign = conversion->plus ? "+" : conversion->space ? " " : "";
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    put_number(sink, conversion, magnitude, 10, value < 0 ? "-" : sign);
}

static void put_pointer(struct sink *sink, const struct conversion *conversion, uintptr_t pointer)
{
    char name[FORMAT_NAME_SIZE] = "";
    struct conversion address = {.precision = 8, .letter = 'x'};
    if (!conversion->is_named) {
        put_number(sink, conversion, pointer, 16, "0x");
        return;
    }
    put_number(sink, &address, pointer, 16, "0x");
    if (format_name_caller != NULL)
        format_name_caller(pointer, name, sizeof(name));
    for (const char *at = name; *at != '\0'; at++) {
        if (at == name)
            put(sink, ' ');
        put(sink, *at);
    }
}

static void convert(struct sink *sink, const struct conversion *conversion,
                    struct arguments *arguments)
{
    char character;
    switch (conversion->letter) {
    case 'd':
    case 'i':
        put_signed(sink, conversion, take_signed(conversion, arguments));
        break;
    case 'u':
        put_number(sink, conversion, take_unsigned(conversion, arguments), 10, "");
        break;
    case 'x':
    case 'X':
        put_number(sink, conversion, take_unsigned(conversion, arguments), 16,
                   conversion->alternate ? "0x" : "");
        break;
    case 'p':
        put_pointer(sink, conversion, (uintptr_t)va_arg(arguments->list, void *));
        break;
    case 'c':
        character = (char)va_arg(arguments->list, int);
        put_padded(sink, conversion, &character, 1);
        break;
    case 's':
        put_text(sink, conversion, va_arg(arguments->list, const char *));
        break;
    case '%':
        put(sink, '%');
        break;
    default:
        put(sink, '%');
        if (conversion->letter != '\0')
            put(sink, conversion->letter);
    }
}

int format_text_arguments(char *buffer, size_t size, const char *format, va_list list)
{
    struct sink sink = {buffer, size, 0};
    struct conversion conversion;
    struct arguments arguments;
    va_copy(arguments.list, list);
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            put(&sink, *format);
            continue;
        }
        format = parse_conversion(format + 1, &conversion, &arguments);
        convert(&sink, &conversion, &arguments);
        if (*format == '\0')
            break;
    }
    va_end(arguments.list);
    if (size > 0)
        buffer[sink.length < size ? sink.length : size - 1] = '\0';
    return (int)sink.length;
}

int format_text(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = format_text_arguments(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}
