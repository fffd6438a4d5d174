/* The bytes that are written on a terminal: characters, controls, sequences (ECMA-48, section 5.4),
 * as a machine of states that knows at each byte where the sequence ends. */
#include "kernel/device/screen/terminal_internal.h"
#include "kernel/lib/string.h"

enum {
    PLAIN,
    ESCAPE,       /* ESC */
    INTERMEDIATE, /* ESC and bytes 0x20 to 0x2F: one more of 0x30 to 0x7E ends it */
    SEQUENCE,     /* ESC [ */
    STRING,       /* ESC ] and kin: to BEL or ESC \ */
    COMMAND,      /* ESC ]: the next byte says how long it is */
    SKIP,         /* `skip` more bytes */
};

#define NUMBER_MAX 9999u
#define TAB        8u
#define BELL       0x07
#define CANCEL     0x18
#define SUBSTITUTE 0x1A
#define ESCAPE_KEY 0x1B
#define DELETE     0x7F
/* A string that never ends does not make the terminal silent for good. */
#define STRING_MAX   4096u
#define PALETTE_SIZE 7u /* Linux: ESC ] P and seven digits */

/* ---- what sequences do ---- */

/* The i-th number, or what it is when it is not given. */
static unsigned number(const struct terminal_parser *parser, unsigned i, unsigned otherwise)
{
    return i < parser->count && parser->numbers[i] != 0 ? parser->numbers[i] : otherwise;
}

static unsigned less(unsigned from, unsigned count)
{
    return from > count ? from - count : 0;
}

static bool take_move(struct terminal *terminal, const struct terminal_parser *parser, char letter)
{
    unsigned count = number(parser, 0, 1);
    unsigned column = terminal_column(terminal), row = terminal->row;
    switch (letter) {
    case 'A':
        row = less(row, count);
        break;
    case 'B':
    case 'e':
        row += count;
        break;
    case 'C':
    case 'a':
        column += count;
        break;
    case 'D':
        column = less(column, count);
        break;
    case 'E':
        column = 0;
        row += count;
        break;
    case 'F':
        column = 0;
        row = less(row, count);
        break;
    case 'G':
    case '`':
        column = count - 1;
        break;
    case 'd':
        row = count;
        break;
    case 'H':
    case 'f':
        row = count;
        column = number(parser, 1, 1) - 1;
        break;
    default:
        return false;
    }
    terminal_move(terminal, column, row);
    return true;
}

static void erase_screen(struct terminal *terminal, unsigned which)
{
    unsigned column = terminal_column(terminal);
    if (which == 0) {
        terminal_erase(terminal, terminal->row, column, terminal->columns);
        terminal_erase_rows(terminal, terminal->row + 1, terminal->rows);
    } else if (which == 1) {
        terminal_erase_rows(terminal, 1, terminal->row);
        terminal_erase(terminal, terminal->row, 0, column + 1);
    } else if (which <= 3) {
        terminal_erase_rows(terminal, 1, terminal->rows);
    }
}

/* Behind the cursor of a full row is nothing. */
static void erase_row(struct terminal *terminal, unsigned which)
{
    if (which == 0)
        terminal_erase(terminal, terminal->row, terminal->column, terminal->columns);
    else if (which == 1)
        terminal_erase(terminal, terminal->row, 0, terminal_column(terminal) + 1);
    else if (which == 2)
        terminal_erase(terminal, terminal->row, 0, terminal->columns);
}

/* Where the region is not around the cursor, rows stay where they are. */
static void shift_rows(struct terminal *terminal, char letter, unsigned count)
{
    if (terminal->row < terminal->region_start || terminal->row >= terminal->region_end)
        return;
    if (letter == 'L')
        terminal_scroll_down(terminal, terminal->row, terminal->region_end, count);
    else
        terminal_scroll_up(terminal, terminal->row, terminal->region_end, count);
    terminal->column = 0;
}

static bool take_edit(struct terminal *terminal, const struct terminal_parser *parser, char letter)
{
    unsigned count = number(parser, 0, 1);
    unsigned column = terminal_column(terminal);
    switch (letter) {
    case 'J':
        erase_screen(terminal, number(parser, 0, 0));
        break;
    case 'K':
        erase_row(terminal, number(parser, 0, 0));
        break;
    case 'L':
    case 'M':
        shift_rows(terminal, letter, count);
        break;
    case 'P':
        terminal_delete_cells(terminal, count);
        break;
    case '@':
        terminal_insert_cells(terminal, count);
        break;
    case 'X':
        terminal_erase(terminal, terminal->row, column, column + count);
        break;
    case 'S':
        terminal_scroll_up(terminal, terminal->region_start, terminal->region_end, count);
        break;
    case 'T':
        terminal_scroll_down(terminal, terminal->region_start, terminal->region_end, count);
        break;
    default:
        return false;
    }
    return true;
}

/* The order of ANSI's colours is red, green, blue from the lowest bit on; the VGA's is the other
 * way round. */
static uint8_t vga_colour(unsigned ansi)
{
    return (uint8_t)((ansi & 8) | (ansi & 1) << 2 | (ansi & 2) | (ansi & 4) >> 2);
}

static void set_ink(struct terminal_pen *pen, uint8_t colour)
{
    pen->colour = (uint8_t)((pen->colour & 0xF0) | colour);
}

static void set_ground(struct terminal_pen *pen, uint8_t colour)
{
    pen->colour = (uint8_t)((pen->colour & 0x0F) | colour << 4);
}

static void set_attribute(struct terminal_pen *pen, unsigned number)
{
    static const struct {
        uint8_t number, set, cleared;
    } attributes[] = {
        {1, PEN_BOLD, PEN_DIM},  {2, PEN_DIM, PEN_BOLD},  {4, PEN_UNDERLINED, 0},
        {7, PEN_REVERSED, 0},    {21, PEN_UNDERLINED, 0}, {22, 0, PEN_BOLD | PEN_DIM},
        {24, 0, PEN_UNDERLINED}, {27, 0, PEN_REVERSED},
    };
    for (unsigned i = 0; i < ARRAY_COUNT(attributes); i++)
        if (attributes[i].number == number)
            pen->attributes =
                (uint8_t)((pen->attributes & ~attributes[i].cleared) | attributes[i].set);
}

/* 38 and 48: ";5;n" or ";2;r;g;b" follow. Of these colours, the terminal has the first sixteen.
 * Returns how many numbers that takes, with the first one. */
static unsigned set_long_colour(struct terminal_pen *pen, const struct terminal_parser *parser,
                                unsigned at)
{
    unsigned kind = number(parser, at + 1, 0), colour = number(parser, at + 2, 0);
    if (kind != 5)
        return kind == 2 ? 5 : 1;
    if (colour < 16 && parser->numbers[at] == 38)
        set_ink(pen, vga_colour(colour));
    else if (colour < 16)
        set_ground(pen, vga_colour(colour));
    return 3;
}

static void set_colour(struct terminal_pen *pen, unsigned number)
{
    if (number == 0)
        *pen = (struct terminal_pen){TERMINAL_COLOUR_TEXT, 0};
    else if (number >= 30 && number <= 37)
        set_ink(pen, vga_colour(number - 30));
    else if (number >= 40 && number <= 47)
        set_ground(pen, vga_colour(number - 40));
    else if (number >= 90 && number <= 97)
        set_ink(pen, vga_colour(number - 90 + 8));
    else if (number >= 100 && number <= 107)
        set_ground(pen, vga_colour(number - 100 + 8));
    else if (number == 39)
        set_ink(pen, TERMINAL_COLOUR_TEXT & 0x0F);
    else if (number == 49)
        set_ground(pen, TERMINAL_COLOUR_TEXT >> 4);
    else
        set_attribute(pen, number);
}

static void take_pen(struct terminal_pen *pen, const struct terminal_parser *parser)
{
    if (parser->count == 0)
        set_colour(pen, 0);
    for (unsigned i = 0; i < parser->count;) {
        unsigned number = parser->numbers[i];
        if (number == 38 || number == 48) {
            i += set_long_colour(pen, parser, i);
        } else {
            set_colour(pen, number);
            i++;
        }
    }
}

static void take_region(struct terminal *terminal, const struct terminal_parser *parser)
{
    unsigned start = number(parser, 0, 1);
    unsigned end = number(parser, 1, terminal->rows - 1) + 1;
    if (end > terminal->rows)
        end = terminal->rows;
    if (start + 2 > end) /* one row does not scroll */
        return;
    terminal->region_start = start;
    terminal->region_end = end;
    terminal_move(terminal, 0, 1);
}

static char *put_decimal(char *at, unsigned number)
{
    unsigned divisor = 1;
    while (number / divisor >= 10)
        divisor *= 10;
    for (; divisor > 0; divisor /= 10)
        *at++ = (char)('0' + number / divisor % 10);
    return at;
}

static void take_question(struct terminal *terminal, unsigned question)
{
    char text[TERMINAL_ANSWER_SIZE] = "\x1b[0n";
    size_t length = 4;
    if (question == 6) {
        char *end = put_decimal(text + 2, terminal->row);
        *end++ = ';';
        end = put_decimal(end, terminal_column(terminal) + 1);
        *end++ = 'R';
        length = (size_t)(end - text);
    }
    if (question == 5 || question == 6)
        terminal->answer(text, length);
}

static void say_what_it_is(const struct terminal *terminal)
{
    static const char vt102[] = "\x1b[?6c";
    terminal->answer(vt102, sizeof(vt102) - 1);
}

static void set_mode(struct terminal *terminal, uint8_t mode, bool is_on)
{
    terminal->modes = (uint8_t)((terminal->modes & ~mode) | (is_on ? mode : 0));
}

static void take_mode(struct terminal *terminal, const struct terminal_parser *parser, char letter)
{
    for (unsigned i = 0; i < parser->count; i++) {
        unsigned number = parser->numbers[i];
        if (parser->prefix == '?' && number == 7)
            set_mode(terminal, MODE_NO_WRAP, letter == 'l');
        else if (parser->prefix == '?' && number == 25)
            set_mode(terminal, MODE_NO_CURSOR, letter == 'l');
        else if (parser->prefix == 0 && number == 4)
            set_mode(terminal, MODE_INSERT, letter == 'h');
    }
}

static void take_rest(struct terminal *terminal, enum terminal_stream stream, char letter)
{
    const struct terminal_parser *parser = &terminal->parsers[stream];
    bool has_answer = stream == TERMINAL_PROGRAMS && terminal->answer != NULL;
    if (letter == 'm')
        take_pen(&terminal->pen, parser);
    else if (letter == 'r')
        take_region(terminal, parser);
    else if (letter == 's')
        terminal_save(terminal);
    else if (letter == 'u')
        terminal_restore(terminal);
    else if (letter == 'n' && has_answer)
        take_question(terminal, number(parser, 0, 0));
    else if (letter == 'c' && has_answer && number(parser, 0, 0) == 0)
        say_what_it_is(terminal);
}

static void end_sequence(struct terminal *terminal, enum terminal_stream stream, char letter)
{
    const struct terminal_parser *parser = &terminal->parsers[stream];
    if (parser->is_odd)
        return;
    if (letter == 'h' || letter == 'l')
        take_mode(terminal, parser, letter);
    else if (parser->prefix == 0 && !take_move(terminal, parser, letter) &&
             !take_edit(terminal, parser, letter))
        take_rest(terminal, stream, letter);
}

/* ---- where sequences begin and end ---- */

static void begin_sequence(struct terminal_parser *parser)
{
    parser->state = SEQUENCE;
    parser->is_odd = false;
    parser->prefix = 0;
    parser->count = 0;
}

static void skip(struct terminal_parser *parser, uint8_t state, uint16_t count)
{
    parser->state = state;
    parser->skip = count;
}

static void begin_row(struct terminal *terminal)
{
    terminal->column = 0;
    terminal_index(terminal);
}

/* Of the sequences that are ESC and a letter. */
static void take_letter(struct terminal *terminal, enum terminal_stream stream, char letter)
{
    if (letter == '7') {
        terminal_save(terminal);
    } else if (letter == '8') {
        terminal_restore(terminal);
    } else if (letter == 'D') {
        terminal_index(terminal);
    } else if (letter == 'E') {
        begin_row(terminal);
    } else if (letter == 'M') {
        terminal_reverse_index(terminal);
    } else if (letter == 'Z' && stream == TERMINAL_PROGRAMS && terminal->answer != NULL) {
        say_what_it_is(terminal);
    } else if (letter == 'c') {
        terminal_reset(terminal);
        terminal_erase_rows(terminal, 1, terminal->rows);
    }
}

static void take_escape(struct terminal *terminal, enum terminal_stream stream, char byte)
{
    struct terminal_parser *parser = &terminal->parsers[stream];
    parser->state = PLAIN;
    if (byte == '[')
        begin_sequence(parser);
    else if (byte == ']')
        parser->state = COMMAND;
    else if (byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
        skip(parser, STRING, STRING_MAX);
    else if (byte < '0')
        parser->state = INTERMEDIATE;
    else
        take_letter(terminal, stream, byte);
}

/* Linux's palette has commands of its own, without an end: R, and P with its digits. */
static void take_command(struct terminal_parser *parser, char byte)
{
    if (byte == 'R')
        parser->state = PLAIN;
    else if (byte == 'P')
        skip(parser, SKIP, PALETTE_SIZE);
    else
        skip(parser, STRING, STRING_MAX);
}

static void take_digit(struct terminal_parser *parser, unsigned digit)
{
    if (parser->count == 0)
        parser->numbers[parser->count++] = 0;
    unsigned number = parser->numbers[parser->count - 1] * 10u + digit;
    parser->numbers[parser->count - 1] = (uint16_t)(number < NUMBER_MAX ? number : NUMBER_MAX);
}

/* An empty number before it counts, too. */
static void begin_number(struct terminal_parser *parser)
{
    if (parser->count == 0)
        parser->numbers[parser->count++] = 0;
    if (parser->count < TERMINAL_NUMBERS_MAX)
        parser->numbers[parser->count++] = 0;
    else
        parser->is_odd = true;
}

static void take_sequence(struct terminal *terminal, enum terminal_stream stream, char byte)
{
    struct terminal_parser *parser = &terminal->parsers[stream];
    bool is_first = parser->count == 0 && parser->prefix == 0 && !parser->is_odd;
    if (byte >= '0' && byte <= '9') {
        take_digit(parser, (unsigned)(byte - '0'));
    } else if (byte == ';') {
        begin_number(parser);
    } else if (byte == '[' && is_first) { /* a function key of Linux's, come back as an echo */
        skip(parser, SKIP, 1);
    } else if (byte >= '@') {
        parser->state = PLAIN;
        end_sequence(terminal, stream, byte);
    } else if (byte >= '<' && is_first) {
        parser->prefix = (uint8_t)byte;
    } else {
        parser->is_odd = true;
    }
}

static void take_in_sequence(struct terminal *terminal, enum terminal_stream stream, char byte)
{
    struct terminal_parser *parser = &terminal->parsers[stream];
    if (parser->state == ESCAPE)
        take_escape(terminal, stream, byte);
    else if (parser->state == INTERMEDIATE)
        parser->state = byte < '0' ? INTERMEDIATE : PLAIN;
    else if (parser->state == SEQUENCE)
        take_sequence(terminal, stream, byte);
    else if (parser->state == COMMAND)
        take_command(parser, byte);
    else if (--parser->skip == 0) /* STRING, SKIP */
        parser->state = PLAIN;
}

/* ---- controls and characters ---- */

/* Inside a sequence they do what they always do, and it goes on; a string ends at any of them. */
static void take_control(struct terminal *terminal, enum terminal_stream stream, char byte)
{
    struct terminal_parser *parser = &terminal->parsers[stream];
    if (byte == CANCEL || byte == SUBSTITUTE || parser->state >= STRING)
        parser->state = PLAIN;
    switch (byte) {
    case ESCAPE_KEY:
        parser->state = ESCAPE;
        break;
    case '\n':
    case '\v':
    case '\f':
        if (stream == TERMINAL_TEXT)
            begin_row(terminal);
        else
            terminal_index(terminal);
        break;
    case '\r':
        terminal->column = 0;
        break;
    case '\b':
        terminal_move(terminal, less(terminal_column(terminal), 1), terminal->row);
        break;
    case '\t':
        terminal_move(terminal, (terminal_column(terminal) / TAB + 1) * TAB, terminal->row);
        break;
    default: /* BEL among them: there is nothing to ring */
        break;
    }
}

/* The first byte of a character says how many follow. */
static void begin_character(struct terminal *terminal, struct terminal_parser *parser, uint8_t byte)
{
    parser->following = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
    parser->code_point = byte & 0x3Fu >> parser->following;
    if (byte < 0xC2 || byte > 0xF4) {
        parser->following = 0;
        terminal_put(terminal, '?');
    }
}

/* Bytes above 0x7F. */
static void take_part(struct terminal *terminal, struct terminal_parser *parser, uint8_t byte)
{
    if (parser->following == 0 || (byte & 0xC0) != 0x80) {
        if (parser->following > 0)
            terminal_put(terminal, '?');
        begin_character(terminal, parser, byte);
        return;
    }
    parser->code_point = parser->code_point << 6 | (byte & 0x3F);
    if (--parser->following == 0)
        terminal_put(terminal, terminal_glyph(parser->code_point));
}

void terminal_take(struct terminal *terminal, enum terminal_stream stream, char given)
{
    struct terminal_parser *parser = &terminal->parsers[stream];
    uint8_t byte = (uint8_t)given;
    if (byte < 0x80 && parser->following > 0) {
        parser->following = 0;
        terminal_put(terminal, '?');
    }
    if (byte < ' ')
        take_control(terminal, stream, given);
    else if (parser->state >= STRING && byte >= DELETE) /* text of any kind */
        take_in_sequence(terminal, stream, given);
    else if (byte >= 0x80 && parser->state == PLAIN)
        take_part(terminal, parser, byte);
    else if (byte < DELETE && parser->state != PLAIN)
        take_in_sequence(terminal, stream, given);
    else if (byte < DELETE)
        terminal_put(terminal, byte);
}
