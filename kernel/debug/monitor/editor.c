#include "kernel/debug/monitor/editor.h"

#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

enum { PLAIN, ESCAPE, SEQUENCE, SINGLE_SHIFT, FUNCTION_KEY };

#define CONTROL(letter) ((letter) - '@')
#define DELETE          0x7F
#define STEP            15u /* columns */

static void say(const struct editor *editor, const char *text)
{
    editor->write(text, strlen(text));
}

static unsigned prompt_columns(const struct editor *editor)
{
    return (unsigned)strlen(editor->prompt);
}

/* How many characters of the line can be seen at once; the last column stays free, because a
 * terminal wraps when it is written. */
static unsigned visible_columns(const struct editor *editor)
{
    return EDITOR_COLUMNS - 1 - prompt_columns(editor);
}

static void place_cursor(const struct editor *editor)
{
    char sequence[16];
    unsigned column = prompt_columns(editor) + editor->cursor - editor->first + 1;
    format_text(sequence, sizeof(sequence), "\x1b[%uG", column);
    say(editor, sequence);
}

/* The cursor stays inside what is visible. A step is larger than it must be, so that the line is
 * not drawn again for every character. */
static void scroll_sideways(struct editor *editor)
{
    unsigned visible = visible_columns(editor);
    if (editor->cursor < editor->first)
        editor->first = editor->cursor - (editor->cursor < STEP ? editor->cursor : STEP);
    if (editor->cursor > editor->first + visible)
        editor->first = editor->cursor - visible + STEP;
}

static void redraw(struct editor *editor)
{
    unsigned shown;
    scroll_sideways(editor);
    shown = editor->length - editor->first;
    if (shown > visible_columns(editor))
        shown = visible_columns(editor);
    say(editor, "\r");
    say(editor, editor->prompt);
    editor->write(editor->line + editor->first, shown);
    say(editor, "\x1b[K");
    place_cursor(editor);
}

static void move_to(struct editor *editor, unsigned cursor)
{
    unsigned first = editor->first;
    if (cursor == editor->cursor)
        return;
    editor->cursor = cursor;
    scroll_sideways(editor);
    if (editor->first == first)
        place_cursor(editor);
    else
        redraw(editor);
}

static void insert(struct editor *editor, char character)
{
    if (editor->length + 1 >= EDITOR_LINE_SIZE) {
        say(editor, "\a");
        return;
    }
    memmove(editor->line + editor->cursor + 1, editor->line + editor->cursor,
            editor->length - editor->cursor + 1);
    editor->line[editor->cursor++] = character;
    editor->length++;
    /* At the end of a line that fits, the character alone is enough: this is what a transcript
     * sees. */
    if (editor->cursor == editor->length &&
        editor->cursor <= editor->first + visible_columns(editor))
        editor->write(&character, 1);
    else
        redraw(editor);
}

/* Removes the characters [from, to). */
static void erase(struct editor *editor, unsigned from, unsigned to)
{
    if (from == to)
        return;
    memmove(editor->line + from, editor->line + to, editor->length - to + 1);
    editor->length -= to - from;
    editor->cursor = from;
    redraw(editor);
}

static unsigned word_before(const struct editor *editor)
{
    unsigned at = editor->cursor;
    while (at > 0 && editor->line[at - 1] == ' ')
        at--;
    while (at > 0 && editor->line[at - 1] != ' ')
        at--;
    return at;
}

static void set_line(struct editor *editor, const char *text)
{
    editor->length = (unsigned)strnlen(text, EDITOR_LINE_SIZE - 1);
    memmove(editor->line, text, editor->length);
    editor->line[editor->length] = '\0';
    editor->cursor = editor->length;
    editor->first = 0;
    redraw(editor);
}

/* The line that an empty one, or the same one twice, is not worth. */
static void remember(struct editor *editor)
{
    char *slot = editor->history[editor->remembered % EDITOR_HISTORY_SIZE];
    unsigned last = (editor->remembered - 1) % EDITOR_HISTORY_SIZE;
    if (editor->length == 0)
        return;
    if (editor->remembered > 0 && strcmp(editor->history[last], editor->line) == 0)
        return;
    memcpy(slot, editor->line, editor->length + 1);
    editor->remembered++;
}

static void recall(struct editor *editor, unsigned number)
{
    if (editor->recalled == editor->remembered)
        memcpy(editor->draft, editor->line, editor->length + 1);
    editor->recalled = number;
    if (number == editor->remembered)
        set_line(editor, editor->draft);
    else
        set_line(editor, editor->history[number % EDITOR_HISTORY_SIZE]);
}

static void recall_older(struct editor *editor)
{
    unsigned oldest =
        editor->remembered < EDITOR_HISTORY_SIZE ? 0 : editor->remembered - EDITOR_HISTORY_SIZE;
    if (editor->recalled > oldest)
        recall(editor, editor->recalled - 1);
}

static void recall_newer(struct editor *editor)
{
    if (editor->recalled < editor->remembered)
        recall(editor, editor->recalled + 1);
}

static bool is_candidate(const struct editor *editor, const char *text)
{
    return strncmp(text, editor->line, editor->length) == 0;
}

static void list_candidates(struct editor *editor)
{
    const char *text;
    unsigned column = EDITOR_COLUMNS;
    for (unsigned i = 0; (text = editor->candidate(i)) != NULL; i++) {
        if (!is_candidate(editor, text))
            continue;
        unsigned width = (unsigned)strlen(text) + 3;
        if (column + width >= EDITOR_COLUMNS) {
            say(editor, "\n");
            column = 0;
        }
        say(editor, text);
        say(editor, "   ");
        column += width;
    }
    say(editor, "\n");
    redraw(editor);
}

/* Adds what all candidates that begin with the line have in common; the second tab in a row lists
 * them. */
static void complete(struct editor *editor, bool again)
{
    const char *common = NULL, *text;
    unsigned length = 0, matches = 0;
    if (editor->candidate == NULL || editor->cursor != editor->length)
        return;
    for (unsigned i = 0; (text = editor->candidate(i)) != NULL; i++) {
        if (!is_candidate(editor, text))
            continue;
        if (matches++ == 0) {
            common = text;
            length = (unsigned)strlen(text);
        }
        unsigned same = editor->length;
        while (same < length && text[same] == common[same])
            same++;
        length = same;
    }
    if (matches == 0) {
        say(editor, "\a");
        return;
    }
    if (length == editor->length && matches > 1) {
        if (again)
            list_candidates(editor);
        editor->after_tab = true;
        return;
    }
    while (editor->length < length)
        insert(editor, common[editor->length]);
    if (matches == 1)
        insert(editor, ' ');
}

static enum editor_result finish(struct editor *editor)
{
    say(editor, "\n");
    remember(editor);
    return EDITOR_LINE;
}

static void give_up(struct editor *editor)
{
    say(editor, "\n");
    editor_begin(editor);
}

static void feed_control(struct editor *editor, unsigned char byte)
{
    switch (byte) {
    case CONTROL('A'):
        move_to(editor, 0);
        break;
    case CONTROL('B'):
        move_to(editor, editor->cursor - (editor->cursor > 0));
        break;
    case CONTROL('C'):
        give_up(editor);
        break;
    case CONTROL('D'):
        erase(editor, editor->cursor, editor->cursor + (editor->cursor < editor->length));
        break;
    case CONTROL('E'):
        move_to(editor, editor->length);
        break;
    case CONTROL('F'):
        move_to(editor, editor->cursor + (editor->cursor < editor->length));
        break;
    case CONTROL('K'):
        erase(editor, editor->cursor, editor->length);
        break;
    case CONTROL('L'):
        say(editor, "\x1b[H\x1b[2J");
        redraw(editor);
        break;
    case CONTROL('N'):
        recall_newer(editor);
        break;
    case CONTROL('P'):
        recall_older(editor);
        break;
    case CONTROL('U'):
        erase(editor, 0, editor->cursor);
        break;
    case CONTROL('W'):
        erase(editor, word_before(editor), editor->cursor);
        break;
    case CONTROL('H'):
    case DELETE:
        erase(editor, editor->cursor - (editor->cursor > 0), editor->cursor);
        break;
    }
}

/* "ESC [ number letter" and "ESC O letter", as terminals send keys (ECMA-48; xterm's "ctlseqs"). */
static void feed_key(struct editor *editor, unsigned char final)
{
    static const struct {
        unsigned char final;
        uint8_t parameter; /* for '~' */
        unsigned char control;
    } keys[] = {
        {'A', 0, CONTROL('P')}, {'B', 0, CONTROL('N')}, {'C', 0, CONTROL('F')},
        {'D', 0, CONTROL('B')}, {'H', 0, CONTROL('A')}, {'F', 0, CONTROL('E')},
        {'~', 1, CONTROL('A')}, {'~', 7, CONTROL('A')}, {'~', 4, CONTROL('E')},
        {'~', 8, CONTROL('E')}, {'~', 3, CONTROL('D')},
    };
    for (unsigned i = 0; i < ARRAY_COUNT(keys); i++)
        if (keys[i].final == final && (final != '~' || keys[i].parameter == editor->parameter)) {
            feed_control(editor, keys[i].control);
            return;
        }
}

/* Inside an escape sequence. A parameter has one digit that matters; more of them match nothing.
 * The first function keys of TERM=linux are "ESC [ [ letter". */
static void feed_escape(struct editor *editor, unsigned char byte)
{
    if (editor->state == ESCAPE) {
        editor->parameter = 0;
        editor->state = byte == '[' ? SEQUENCE : byte == 'O' ? SINGLE_SHIFT : PLAIN;
        return;
    }
    if (editor->state == SEQUENCE && byte >= '0' && byte <= '9') {
        editor->parameter = editor->parameter == 0 ? (uint8_t)(byte - '0') : 255;
        return;
    }
    if (editor->state == SEQUENCE && byte >= 0x20 && byte < 0x40)
        return; /* other parameter bytes: modifiers */
    bool is_function_key = editor->state == FUNCTION_KEY;
    editor->state = editor->state == SEQUENCE && byte == '[' ? FUNCTION_KEY : PLAIN;
    if (byte >= 0x40 && !is_function_key)
        feed_key(editor, byte);
}

enum editor_result editor_feed(struct editor *editor, unsigned char byte)
{
    bool after_return = editor->after_return;
    bool after_tab = editor->after_tab;
    editor->after_return = byte == '\r';
    editor->after_tab = false;
    if (byte == '\r' || (byte == '\n' && !after_return)) {
        editor->state = PLAIN;
        return finish(editor);
    }
    if (byte == '\n' || byte > DELETE)
        return EDITOR_MORE;
    if (byte == '\x1b')
        editor->state = ESCAPE;
    else if (editor->state != PLAIN)
        feed_escape(editor, byte);
    else if (byte == '\t')
        complete(editor, after_tab);
    else if (byte < ' ' || byte == DELETE)
        feed_control(editor, byte);
    else
        insert(editor, (char)byte);
    return EDITOR_MORE;
}

void editor_init(struct editor *editor)
{
    memset(editor, 0, sizeof(*editor));
}

void editor_begin(struct editor *editor)
{
    editor->length = editor->cursor = editor->first = 0;
    editor->line[0] = '\0';
    editor->state = PLAIN;
    editor->recalled = editor->remembered;
    say(editor, editor->prompt);
}
