#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/start/start.h"

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* GRUB 2 puts a word with blanks in double quotes, and a backslash before each quote and backslash
 * of any word. */
static void copy_unquoted(char *to, const char *line)
{
    const char *end = to + BOOTINFO_COMMAND_LINE_SIZE - 1;
    for (; *line != '\0' && to < end; line++) {
        if (*line == '"')
            continue;
        if (*line == '\\' && line[1] != '\0')
            line++;
        *to++ = *line;
    }
    *to = '\0';
}

static void copy(char *to, const char *line)
{
    size_t length = strnlen(line, BOOTINFO_COMMAND_LINE_SIZE - 1);
    memcpy(to, line, length);
    to[length] = '\0';
}

/* QEMU and the first GRUB put the kernel's file name before the words that the user wrote; GRUB 2
 * does not, but quotes. */
void multiboot_set_command_line(struct bootinfo *bootinfo, const char *line, const char *loader)
{
    if (loader != NULL && starts_with(loader, "GRUB 2")) {
        copy_unquoted(bootinfo->command_line, line);
        return;
    }
    if (loader == NULL || starts_with(loader, "qemu") || starts_with(loader, "GNU GRUB")) {
        while (*line != '\0' && *line != ' ')
            line++;
        while (*line == ' ')
            line++;
    }
    copy(bootinfo->command_line, line);
}

static const char *next_word(const char *line)
{
    while (*line != '\0' && *line != ' ')
        line++;
    while (*line == ' ')
        line++;
    return line;
}

/* The last video= counts, and what follows run= is the monitor's. */
bool multiboot_is_mode_missing(const struct bootinfo *bootinfo)
{
    const struct bootinfo_framebuffer *screen = &bootinfo->framebuffer;
    char has[24] = "video=text";
    bool is_missing = false;
    if (screen->width != 0)
        format_text(has, sizeof(has), "video=%ux%u", screen->width, screen->height);
    for (const char *word = bootinfo->command_line; *word != '\0' && !starts_with(word, "run=");
         word = next_word(word))
        if (starts_with(word, "video=")) {
            size_t length = strlen(has);
            is_missing = !starts_with(word, has) || (word[length] != '\0' && word[length] != ' ');
        }
    return is_missing;
}
