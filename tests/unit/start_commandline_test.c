#include "kernel/start/start.h"
#include "tests/unit/test.h"

TEST(command_lines_are_what_the_user_wrote)
{
    static const struct {
        const char *loader, *line, *expected;
    } cases[] = {
        {NULL, "/kernel.elf run=mem", "run=mem"},
        {"qemu", "kernel.elf  video=text run=mem; cpu", "video=text run=mem; cpu"},
        {"GNU GRUB 0.97", "/boot/kernel.elf run=\"a\"", "run=\"a\""},
        {"qemu", "kernel.elf", ""},
        {"", "run=a \\\"", "run=a \\\""},
        {"GRUB 2.06", "run=mem check; poweroff", "run=mem check; poweroff"},
        {"GRUB 2.06", "\"run=mem check; poweroff\"", "run=mem check; poweroff"},
        {"GRUB 2.06", "video=text \"run=mem check;poweroff\"", "video=text run=mem check;poweroff"},
        {"GRUB 2.06", "\"a b\" \"c d\" e", "a b c d e"},
        {"GRUB 2.06", "\\\"x\\\" \\\\ \\'", "\"x\" \\ '"},
        {"GRUB 2.06", "x\\", "x\\"},
        {"GRUB 2.06", "\"", ""},
        {"GRUB 2.06", "", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct bootinfo bootinfo;
        memset(&bootinfo, 'x', sizeof(bootinfo));
        multiboot_set_command_line(&bootinfo, cases[i].line, cases[i].loader);
        if (strcmp(bootinfo.command_line, cases[i].expected) != 0)
            test_fail(__FILE__, __LINE__, "%s gives %s", cases[i].line, bootinfo.command_line);
    }
}

TEST(a_command_line_that_is_too_long_is_cut)
{
    static const char *const loaders[] = {"", "GRUB 2.06"};
    static char line[2 * BOOTINFO_COMMAND_LINE_SIZE];
    memset(line, 'a', sizeof(line) - 1);
    for (size_t i = 0; i < ARRAY_COUNT(loaders); i++) {
        struct bootinfo bootinfo;
        memset(&bootinfo, 'x', sizeof(bootinfo));
        multiboot_set_command_line(&bootinfo, line, loaders[i]);
        CHECK_EQUAL(strlen(bootinfo.command_line), BOOTINFO_COMMAND_LINE_SIZE - 1);
    }
}

TEST(a_mode_that_the_loader_did_not_set_is_missing)
{
    static const struct {
        const char *line;
        uint16_t width, height;
        bool is_missing;
    } cases[] = {
        {"", 0, 0, false},
        {"", 800, 600, false},
        {"video=text", 0, 0, false},
        {"video=text", 800, 600, true},
        {"video=800x600", 800, 600, false},
        {"quiet video=800x600 run=mem", 800, 600, false},
        {"video=800x6000", 800, 600, true},
        {"video=800x600", 0, 0, true},
        {"video=text video=800x600", 0, 0, true},
        {"video=800x600 video=text", 0, 0, false},
        {"run=video=text", 800, 600, false},
        {"run=mem video=text", 800, 600, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct bootinfo bootinfo = {.framebuffer.width = cases[i].width,
                                    .framebuffer.height = cases[i].height};
        strcpy(bootinfo.command_line, cases[i].line);
        if (multiboot_is_mode_missing(&bootinfo) != cases[i].is_missing)
            test_fail(__FILE__, __LINE__, "case %zu: %s", i, cases[i].line);
    }
}
