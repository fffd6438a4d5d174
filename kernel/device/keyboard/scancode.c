#include "kernel/device/keyboard/scancode.h"

#include "kernel/lib/string.h"

enum { SHIFT_LEFT = 1 << 0, SHIFT_RIGHT = 1 << 1, CONTROL_LEFT = 1 << 2, CONTROL_RIGHT = 1 << 3 };

#define RELEASED 0x80

/* By the key's number. What gives nothing is 0. */
static const char plain[] = "\0\x1b"
                            "1234567890-=\x7f\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\x1b"
                              "!@#$%^&*()_+\x7f\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static uint8_t modifier_of(uint8_t key, bool is_extended)
{
    enum { CONTROL = 0x1D, SHIFT_L = 0x2A, SHIFT_R = 0x36 };
    if (key == CONTROL)
        return is_extended ? CONTROL_RIGHT : CONTROL_LEFT;
    if (is_extended) /* the keyboard brackets some keys with shifts that nobody pressed */
        return 0;
    return key == SHIFT_L ? SHIFT_LEFT : key == SHIFT_R ? SHIFT_RIGHT : 0;
}

/* The keys of the block between letters and figures, which the figures share; function keys. */
static const char *sequence_of(uint8_t key)
{
    static const struct {
        uint8_t key;
        const char *sequence;
    } keys[] = {
        {0x47, "\x1b[1~"},  {0x48, "\x1b[A"},   {0x49, "\x1b[5~"},  {0x4B, "\x1b[D"},
        {0x4D, "\x1b[C"},   {0x4F, "\x1b[4~"},  {0x50, "\x1b[B"},   {0x51, "\x1b[6~"},
        {0x52, "\x1b[2~"},  {0x53, "\x1b[3~"},  {0x3B, "\x1b[[A"},  {0x3C, "\x1b[[B"},
        {0x3D, "\x1b[[C"},  {0x3E, "\x1b[[D"},  {0x3F, "\x1b[[E"},  {0x40, "\x1b[17~"},
        {0x41, "\x1b[18~"}, {0x42, "\x1b[19~"}, {0x43, "\x1b[20~"}, {0x44, "\x1b[21~"},
        {0x57, "\x1b[23~"}, {0x58, "\x1b[24~"},
    };
    for (unsigned i = 0; i < ARRAY_COUNT(keys); i++)
        if (keys[i].key == key)
            return keys[i].sequence;
    return NULL;
}

static bool is_letter(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

/* The keys of the figures' block that stand alone. */
static char lone_character(uint8_t key)
{
    return key == 0x4A ? '-' : key == 0x4E ? '+' : 0;
}

/* With Control, as on a terminal: letters, and the signs beside them in ASCII's columns. Ctrl-]
 * leads to the monitor. */
static char control_character(char character)
{
    if (is_letter(character) || (character >= '[' && character <= '_'))
        return character & 0x1F;
    return character == '6' ? '^' & 0x1F : character == '/' || character == '-' ? '_' & 0x1F : 0;
}

static char character_of(const struct scancode_state *state, uint8_t key)
{
    bool is_shifted = state->held & (SHIFT_LEFT | SHIFT_RIGHT);
    if (key >= sizeof(plain) - 1)
        return lone_character(key);
    char character = plain[key];
    if (is_letter(character))
        is_shifted = is_shifted != state->has_caps_lock;
    if (is_shifted)
        character = shifted[key];
    if (state->held & (CONTROL_LEFT | CONTROL_RIGHT))
        return control_character(character);
    return character;
}

static unsigned press(struct scancode_state *state, uint8_t key, bool is_extended, char *text)
{
    enum { CAPS_LOCK = 0x3A, ENTER = 0x1C, SLASH = 0x35 };
    const char *sequence = sequence_of(key);
    if (key == CAPS_LOCK)
        state->has_caps_lock = !state->has_caps_lock;
    if (sequence != NULL) {
        memcpy(text, sequence, strlen(sequence));
        return (unsigned)strlen(sequence);
    }
    if (is_extended && key != ENTER && key != SLASH)
        return 0;
    text[0] = character_of(state, key);
    return text[0] != 0;
}

unsigned scancode_take(struct scancode_state *state, uint8_t byte, char text[SCANCODE_TEXT_MAX])
{
    enum { EXTENDED = 0xE0, PAUSE = 0xE1, PAUSE_REST = 2 };
    bool is_extended = state->is_extended;
    uint8_t key = byte & (RELEASED - 1);
    if (state->skipped > 0) {
        state->skipped--;
        return 0;
    }
    state->is_extended = byte == EXTENDED;
    if (byte == PAUSE)
        state->skipped = PAUSE_REST;
    if (byte == EXTENDED || byte == PAUSE)
        return 0;
    uint8_t modifier = modifier_of(key, is_extended);
    if (byte & RELEASED) {
        state->held &= (uint8_t)~modifier;
        return 0;
    }
    state->held |= modifier;
    return modifier != 0 ? 0 : press(state, key, is_extended, text);
}
