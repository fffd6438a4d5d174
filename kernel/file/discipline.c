#include "kernel/file/discipline.h"

#include "kernel/file/linux.h"
#include "kernel/lib/string.h"

#define RING     DISCIPLINE_RING_SIZE
#define DISABLED 0 /* _POSIX_VDISABLE: no byte is this control character */
#define TAB      8u
#define DELETE   0x7F

void discipline_init(struct discipline *discipline)
{
    static const uint8_t sane[TERMIOS_CONTROLS] = {
        [VINTR] = 3,     [VQUIT] = 28,   [VERASE] = DELETE, [VKILL] = 21, [VEOF] = 4,
        [VMIN] = 1,      [VSTART] = 17,  [VSTOP] = 19,      [VSUSP] = 26, [VREPRINT] = 18,
        [VDISCARD] = 15, [VWERASE] = 23, [VLNEXT] = 22,
    };
    memset(discipline, 0, sizeof(*discipline));
    discipline->termios.input = ICRNL | IXON;
    discipline->termios.output = OPOST | ONLCR;
    discipline->termios.control = TERMIOS_CFLAG;
    discipline->termios.local = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
    memcpy(discipline->termios.characters, sane, sizeof(sane));
}

/* ---- small questions ---- */

static bool has_local(const struct discipline *discipline, uint32_t flag)
{
    return discipline->termios.local & flag;
}

static bool has_input(const struct discipline *discipline, uint32_t flag)
{
    return discipline->termios.input & flag;
}

static bool is_control(const struct discipline *discipline, unsigned which, uint8_t byte)
{
    return byte != DISABLED && discipline->termios.characters[which] == byte;
}

static uint32_t edited(const struct discipline *discipline)
{
    return discipline->written - discipline->complete;
}

static bool has_room(const struct discipline *discipline, uint32_t bytes)
{
    return RING - (discipline->written - discipline->read) >= bytes;
}

static bool is_line_end(const struct discipline *discipline, uint32_t position)
{
    uint32_t at = position % RING;
    return discipline->ends[at / 32] >> at % 32 & 1;
}

static uint8_t byte_at(const struct discipline *discipline, uint32_t position)
{
    return discipline->ring[position % RING];
}

/* Ends a line, and is no byte of it. */
static bool is_end_of_file(const struct discipline *discipline, uint32_t position)
{
    return is_line_end(discipline, position) && byte_at(discipline, position) == DISABLED;
}

static bool ends_line(const struct discipline *discipline, uint8_t byte)
{
    return byte == '\n' || is_control(discipline, VEOL, byte) ||
           (has_local(discipline, IEXTEN) && is_control(discipline, VEOL2, byte));
}

/* ---- output ---- */

static void put(struct discipline *discipline, const char *text, size_t length)
{
    discipline->output(discipline->context, text, length);
}

static void put_byte(struct discipline *discipline, char byte)
{
    put(discipline, &byte, 1);
}

static void put_tab(struct discipline *discipline)
{
    static const char blanks[TAB] = "        ";
    uint32_t width = TAB - discipline->column % TAB;
    discipline->column += width;
    if ((discipline->termios.output & XTABS) == XTABS)
        put(discipline, blanks, width);
    else
        put_byte(discipline, '\t');
}

static void put_return(struct discipline *discipline)
{
    uint32_t flags = discipline->termios.output;
    if ((flags & ONOCR) && discipline->column == 0)
        return;
    discipline->column = flags & OCRNL ? discipline->column : 0;
    put_byte(discipline, flags & OCRNL ? '\n' : '\r');
}

static void put_newline(struct discipline *discipline)
{
    uint32_t flags = discipline->termios.output;
    if (flags & (ONLCR | ONLRET))
        discipline->column = 0;
    if (flags & ONLCR)
        put(discipline, "\r\n", 2);
    else
        put_byte(discipline, '\n');
}

static void put_processed(struct discipline *discipline, char byte)
{
    switch (byte) {
    case '\n':
        put_newline(discipline);
        break;
    case '\r':
        put_return(discipline);
        break;
    case '\t':
        put_tab(discipline);
        break;
    case '\b':
        discipline->column -= discipline->column > 0;
        put_byte(discipline, byte);
        break;
    default:
        /* Bytes that continue a UTF-8 character take no column of their own. */
        if ((uint8_t)byte >= ' ' && byte != DELETE && ((uint8_t)byte & 0xC0) != 0x80)
            discipline->column++;
        put_byte(discipline, byte);
    }
}

static bool is_plain(char byte)
{
    return (uint8_t)byte >= ' ' && (uint8_t)byte < DELETE;
}

/* Stretches of plain text go out in one piece. */
void discipline_write(struct discipline *discipline, const char *text, size_t length)
{
    if (!(discipline->termios.output & OPOST)) {
        put(discipline, text, length);
        return;
    }
    for (size_t at = 0; at < length;) {
        size_t end = at;
        while (end < length && is_plain(text[end]))
            end++;
        if (end > at) {
            put(discipline, text + at, end - at);
            discipline->column += (uint32_t)(end - at);
            at = end;
        } else {
            put_processed(discipline, text[at++]);
        }
    }
}

/* ---- echo ---- */

static bool shows_caret(const struct discipline *discipline, uint8_t byte)
{
    return (byte < ' ' || byte == DELETE) && byte != '\t' && has_local(discipline, ECHOCTL);
}

static void echo_shown(struct discipline *discipline, uint8_t byte)
{
    if (shows_caret(discipline, byte) && byte != '\n') {
        char caret[2] = {'^', (char)(byte ^ 0x40)};
        discipline_write(discipline, caret, sizeof(caret));
    } else {
        discipline_write(discipline, (const char *)&byte, 1);
    }
}

static void echo(struct discipline *discipline, uint8_t byte)
{
    if (has_local(discipline, ECHO))
        echo_shown(discipline, byte);
    else if (byte == '\n' && has_local(discipline, ECHONL) && has_local(discipline, ICANON))
        discipline_write(discipline, "\n", 1);
}

/* ---- the line that is being edited ---- */

static void remember_column(struct discipline *discipline)
{
    if (edited(discipline) == 0)
        discipline->input_column = discipline->column;
}

static void append(struct discipline *discipline, uint8_t byte)
{
    uint32_t at = discipline->written % RING;
    discipline->ring[at] = byte;
    discipline->ends[at / 32] &= ~(1u << at % 32);
    discipline->written++;
}

static uint32_t width_at(const struct discipline *discipline, uint8_t byte, uint32_t column)
{
    if (byte == '\t')
        return TAB - column % TAB;
    if (byte < ' ' || byte == DELETE)
        return shows_caret(discipline, byte) ? 2 : 0;
    return (byte & 0xC0) == 0x80 && has_input(discipline, IUTF8) ? 0 : 1;
}

/* The column behind the edited line, counted anew, because a tab's width depends on what is before
 * it. */
static uint32_t end_column(const struct discipline *discipline)
{
    uint32_t column = discipline->input_column;
    for (uint32_t at = discipline->complete; at != discipline->written; at++)
        column += width_at(discipline, byte_at(discipline, at), column);
    return column;
}

static void rub_out(struct discipline *discipline, uint32_t columns)
{
    for (; columns > 0; columns--)
        discipline_write(discipline, "\b \b", 3);
}

/* One character less; with IUTF8, all of its bytes. */
static void erase_character(struct discipline *discipline)
{
    uint32_t before = end_column(discipline);
    uint8_t byte;
    do {
        byte = byte_at(discipline, --discipline->written);
    } while (has_input(discipline, IUTF8) && (byte & 0xC0) == 0x80 && edited(discipline) > 0);
    if (!has_local(discipline, ECHO))
        return;
    if (!has_local(discipline, ECHOE)) {
        echo_shown(discipline, discipline->termios.characters[VERASE]);
        return;
    }
    uint32_t columns = before - end_column(discipline);
    if (byte != '\t') {
        rub_out(discipline, columns);
        return;
    }
    for (; columns > 0; columns--)
        discipline_write(discipline, "\b", 1);
}

static bool is_word_byte(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || byte == '_' || byte >= 0x80;
}

/* The edited line ends here now; what was behind it goes from the terminal in one go. */
static void erase_from(struct discipline *discipline, uint32_t position)
{
    uint32_t before = end_column(discipline);
    discipline->written = position;
    if (has_local(discipline, ECHO))
        rub_out(discipline, before - end_column(discipline));
}

static void erase_word(struct discipline *discipline)
{
    uint32_t position = discipline->written;
    bool has_seen_word = false;
    while (position != discipline->complete) {
        bool is_word = is_word_byte(byte_at(discipline, position - 1));
        if (has_seen_word && !is_word)
            break;
        has_seen_word |= is_word;
        position--;
    }
    erase_from(discipline, position);
}

static void erase_line(struct discipline *discipline)
{
    if (has_local(discipline, ECHOKE) && has_local(discipline, ECHOE)) {
        erase_from(discipline, discipline->complete);
        return;
    }
    discipline->written = discipline->complete;
    if (!has_local(discipline, ECHO))
        return;
    echo_shown(discipline, discipline->termios.characters[VKILL]);
    if (has_local(discipline, ECHOK))
        discipline_write(discipline, "\n", 1);
}

static void reprint(struct discipline *discipline)
{
    echo_shown(discipline, discipline->termios.characters[VREPRINT]);
    discipline_write(discipline, "\n", 1);
    discipline->input_column = discipline->column;
    for (uint32_t at = discipline->complete; at != discipline->written; at++)
        echo_shown(discipline, byte_at(discipline, at));
}

static void complete_line(struct discipline *discipline)
{
    uint32_t at = (discipline->written - 1) % RING;
    discipline->ends[at / 32] |= 1u << at % 32;
    discipline->complete = discipline->written;
}

static void end_of_file(struct discipline *discipline)
{
    append(discipline, DISABLED);
    complete_line(discipline);
}

/* ---- typing ---- */

static void send_signal(struct discipline *discipline, uint8_t byte, int signal)
{
    if (!has_local(discipline, NOFLSH))
        discipline_flush(discipline);
    discipline->is_stopped = false;
    echo(discipline, byte);
    discipline->signal(discipline->context, signal);
}

static bool type_signal(struct discipline *discipline, uint8_t byte)
{
    static const struct {
        unsigned which;
        int signal;
    } keys[] = {{VINTR, SIGINT}, {VQUIT, SIGQUIT}, {VSUSP, SIGTSTP}};
    for (unsigned i = 0; has_local(discipline, ISIG) && i < ARRAY_COUNT(keys); i++)
        if (is_control(discipline, keys[i].which, byte)) {
            send_signal(discipline, byte, keys[i].signal);
            return true;
        }
    return false;
}

static bool type_flow(struct discipline *discipline, uint8_t byte)
{
    if (!has_input(discipline, IXON))
        return false;
    if (is_control(discipline, VSTART, byte)) {
        discipline->is_stopped = false;
        return true;
    }
    if (is_control(discipline, VSTOP, byte)) {
        discipline->is_stopped = true;
        return true;
    }
    if (discipline->is_stopped && has_input(discipline, IXANY))
        discipline->is_stopped = false;
    return false;
}

/* Keys that change the edited line and are no part of it. */
static bool type_edit(struct discipline *discipline, uint8_t byte)
{
    bool is_extended = has_local(discipline, IEXTEN);
    if (is_control(discipline, VERASE, byte)) {
        if (edited(discipline) > 0)
            erase_character(discipline);
    } else if (is_control(discipline, VKILL, byte)) {
        erase_line(discipline);
    } else if (is_extended && is_control(discipline, VWERASE, byte)) {
        erase_word(discipline);
    } else if (is_extended && is_control(discipline, VREPRINT, byte) &&
               has_local(discipline, ECHO)) {
        reprint(discipline);
    } else if (is_control(discipline, VEOF, byte)) {
        if (has_room(discipline, 1))
            end_of_file(discipline);
    } else {
        return false;
    }
    return true;
}

static void bell(struct discipline *discipline)
{
    put_byte(discipline, '\a');
}

static void type_into_line(struct discipline *discipline, uint8_t byte, bool may_end)
{
    bool ends = may_end && ends_line(discipline, byte);
    if (!has_room(discipline, ends ? 1 : 2)) {
        bell(discipline);
        return;
    }
    remember_column(discipline);
    echo(discipline, byte);
    append(discipline, byte);
    if (ends)
        complete_line(discipline);
}

static void type_raw(struct discipline *discipline, uint8_t byte)
{
    if (!has_room(discipline, 1))
        return;
    echo(discipline, byte);
    append(discipline, byte);
    discipline->complete = discipline->written;
}

/* What c_iflag makes of a byte; -1: nothing. */
static int mapped(const struct discipline *discipline, uint8_t byte)
{
    if (has_input(discipline, ISTRIP))
        byte &= 0x7F;
    if (byte == '\r') {
        if (has_input(discipline, IGNCR))
            return -1;
        return has_input(discipline, ICRNL) ? '\n' : byte;
    }
    return byte == '\n' && has_input(discipline, INLCR) ? '\r' : byte;
}

static void type_canonical(struct discipline *discipline, uint8_t byte)
{
    if (discipline->is_literal) {
        discipline->is_literal = false;
        type_into_line(discipline, byte, false);
    } else if (has_local(discipline, IEXTEN) && is_control(discipline, VLNEXT, byte)) {
        discipline->is_literal = true;
        if (has_local(discipline, ECHO) && has_local(discipline, ECHOCTL))
            put(discipline, "^\b", 2);
    } else if (!type_edit(discipline, byte)) {
        type_into_line(discipline, byte, true);
    }
}

void discipline_type(struct discipline *discipline, uint8_t byte)
{
    int meant = discipline->is_literal ? byte : mapped(discipline, byte);
    if (meant < 0)
        return;
    byte = (uint8_t)meant;
    if (!discipline->is_literal && (type_flow(discipline, byte) || type_signal(discipline, byte)))
        return;
    if (has_local(discipline, ICANON))
        type_canonical(discipline, byte);
    else
        type_raw(discipline, byte);
}

/* ---- reading ---- */

bool discipline_is_ready(const struct discipline *discipline)
{
    return discipline->complete != discipline->read;
}

/* The first line's bytes that may be handed out, without an end of file; in raw mode, all bytes up
 * to one. */
static uint32_t line_bytes(const struct discipline *discipline)
{
    bool is_canonical = has_local(discipline, ICANON);
    for (uint32_t at = discipline->read; at != discipline->complete; at++) {
        if (is_end_of_file(discipline, at))
            return at - discipline->read;
        if (is_canonical && is_line_end(discipline, at))
            return at + 1 - discipline->read;
    }
    return discipline->complete - discipline->read;
}

uint32_t discipline_readable(const struct discipline *discipline)
{
    return line_bytes(discipline);
}

/* An end of file right behind bytes that end no line goes with them; alone, it is what is taken. */
uint32_t discipline_take(struct discipline *discipline, uint8_t *buffer, uint32_t size)
{
    uint32_t line = line_bytes(discipline);
    uint32_t bytes = line < size ? line : size;
    for (uint32_t i = 0; i < bytes; i++)
        buffer[i] = byte_at(discipline, discipline->read++);
    bool has_ended = bytes > 0 && is_line_end(discipline, discipline->read - 1);
    if (bytes == line && !has_ended && discipline->read != discipline->complete &&
        is_end_of_file(discipline, discipline->read))
        discipline->read++;
    return bytes;
}

void discipline_set(struct discipline *discipline, const struct termios *termios)
{
    discipline->termios = *termios;
    discipline->is_literal = false;
    if (!has_local(discipline, ICANON))
        discipline->complete = discipline->written;
    if (!has_input(discipline, IXON))
        discipline->is_stopped = false;
}

void discipline_flush(struct discipline *discipline)
{
    discipline->read = discipline->complete = discipline->written;
    discipline->is_literal = false;
}

const char *discipline_problem(const struct discipline *discipline)
{
    if (discipline->written - discipline->read > RING)
        return "the ring holds more than it can";
    if (discipline->complete - discipline->read > discipline->written - discipline->read)
        return "what may be read is not part of what was typed";
    if (!has_local(discipline, ICANON) && discipline->complete != discipline->written)
        return "raw bytes are held back";
    return NULL;
}
