#include "boot/entry/video.h"

#include "boot/entry/bios.h"
#include "boot/entry/console.h"
#include "kernel/lib/string.h"
#include "kernel/memory/memory.h"

/* VESA BIOS Extension 3.0, functions 00h to 02h. */
struct vbe_info {
    char signature[4];
    uint16_t version;
    uint32_t vendor;
    uint32_t capabilities;
    uint16_t modes_offset;
    uint16_t modes_segment;
    uint8_t rest[494];
} __attribute__((packed));

struct vbe_mode {
    uint16_t attributes;
    uint8_t windows[14];
    uint16_t pitch; /* bytes a line */
    uint16_t width;
    uint16_t height;
    uint8_t cell[3];
    uint8_t bits;
    uint8_t banks;
    uint8_t memory_model;
    uint8_t banked[3];
    uint8_t red_size, red_shift;
    uint8_t green_size, green_shift;
    uint8_t blue_size, blue_shift;
    uint8_t reserved[3];
    uint32_t address;
    uint8_t unused[6];
    uint16_t linear_pitch; /* version 3; 0 or missing before */
    uint8_t linear_banks[2];
    uint8_t linear_red_size, linear_red_shift;
    uint8_t rest[200];
} __attribute__((packed));

_Static_assert(sizeof(struct vbe_info) == 512, "the firmware's layout");
_Static_assert(offsetof(struct vbe_mode, address) == 40, "the firmware's layout");
_Static_assert(offsetof(struct vbe_mode, linear_pitch) == 50, "the firmware's layout");
_Static_assert(sizeof(struct vbe_mode) == 256, "the firmware's layout");

#define VBE_OK           0x004F
#define VBE_SUPPORTED    (1u << 0)
#define VBE_COLOR        (1u << 3)
#define VBE_GRAPHICS     (1u << 4)
#define VBE_LINEAR       (1u << 7)
#define VBE_DIRECT_COLOR 6
#define VBE_USE_LINEAR   (1u << 14) /* in the mode's number */
#define VBE_MODES_END    0xFFFF
#define VBE_VERSION_3    0x0300

#define MODES_MAX        256
#define WIDTH_PREFERRED  1920
#define HEIGHT_PREFERRED 1080

/* The window begins at the first address congruent to the framebuffer's modulo 2 MiB. */
#define WINDOW_BYTES (MAP_FRAMEBUFFER_END - MAP_FRAMEBUFFER_START - 0x200000)

/* In the bounce buffer. */
struct video_buffer {
    struct vbe_info info;
    struct vbe_mode mode;
    uint16_t modes[MODES_MAX];
};

struct video_choice {
    uint16_t number; /* 0: none */
    struct bootinfo_framebuffer framebuffer;
};

static bool vbe_call(uint16_t function, uint16_t mode, void *buffer)
{
    struct bios_registers registers = {.eax = function,
                                       .ebx = mode,
                                       .ecx = mode,
                                       .edi = bios_offset(buffer),
                                       .es = bios_segment(buffer)};
    bios_call(0x10, &registers);
    return (registers.eax & 0xFFFF) == VBE_OK;
}

/* Copies the list of modes, which may lie in the information block itself; returns their number,
 * 0 where there is no VBE 2. */
static uint32_t modes_read(struct video_buffer *buffer)
{
    memset(buffer, 0, sizeof(*buffer));
    memcpy(buffer->info.signature, "VBE2", 4);
    if (!vbe_call(0x4F00, 0, &buffer->info) || memcmp(buffer->info.signature, "VESA", 4) ||
        buffer->info.version < 0x0200)
        return 0;
    uint32_t at = ((uint32_t)buffer->info.modes_segment << 4) + buffer->info.modes_offset;
    const uint16_t *modes = memory_at(at);
    uint32_t count = 0;
    while (count < MODES_MAX && modes[count] != VBE_MODES_END) {
        buffer->modes[count] = modes[count];
        count++;
    }
    return count;
}

/* The mode as the kernel will see it; width 0 where it is not one that the kernel can use. */
static struct bootinfo_framebuffer mode_read(struct video_buffer *buffer, uint16_t number)
{
    const uint32_t needed = VBE_SUPPORTED | VBE_COLOR | VBE_GRAPHICS | VBE_LINEAR;
    const struct vbe_mode *mode = &buffer->mode;
    struct bootinfo_framebuffer none = {0};
    memset(&buffer->mode, 0, sizeof(buffer->mode));
    if (!vbe_call(0x4F01, number, &buffer->mode) || (mode->attributes & needed) != needed ||
        mode->bits != 32 || mode->memory_model != VBE_DIRECT_COLOR || !mode->address ||
        mode->red_size != 8 || mode->green_size != 8 || mode->blue_size != 8)
        return none;
    uint32_t pitch = mode->pitch;
    if (buffer->info.version >= VBE_VERSION_3 && mode->linear_pitch)
        pitch = mode->linear_pitch;
    if (pitch < mode->width * 4u || pitch * mode->height > WINDOW_BYTES)
        return none;
    return (struct bootinfo_framebuffer){.address = mode->address,
                                         .pitch = pitch,
                                         .width = mode->width,
                                         .height = mode->height,
                                         .bits = 32,
                                         .red_shift = mode->red_shift,
                                         .green_shift = mode->green_shift,
                                         .blue_shift = mode->blue_shift};
}

/* How well a mode serves: what was asked for above all, then the preferred size, then more pixels.
 */
static uint32_t mode_rank(const struct bootinfo_framebuffer *mode, struct video_request request)
{
    if (request.wish == VIDEO_SIZE && mode->width == request.width &&
        mode->height == request.height)
        return UINT32_MAX;
    if (mode->width == WIDTH_PREFERRED && mode->height == HEIGHT_PREFERRED)
        return UINT32_MAX - 1;
    return (uint32_t)mode->width * mode->height; /* at most WINDOW_BYTES / 4 */
}

static struct video_choice mode_choose(struct video_buffer *buffer, struct video_request request)
{
    struct video_choice choice = {0};
    uint32_t best = 0;
    uint32_t count = modes_read(buffer);
    for (uint32_t i = 0; i < count; i++) {
        struct bootinfo_framebuffer mode = mode_read(buffer, buffer->modes[i]);
        uint32_t rank = mode_rank(&mode, request);
        if (rank > best) {
            best = rank;
            choice = (struct video_choice){buffer->modes[i], mode};
        }
    }
    return choice;
}

/* The kernel writes to the colour text screen: another mode that was left on would not show it. */
static void text_ensure(void)
{
    struct bios_registers registers = {.eax = 0x0F00};
    bios_call(0x10, &registers);
    if ((registers.eax & 0x7F) == 3)
        return;
    registers = (struct bios_registers){.eax = 0x0003};
    bios_call(0x10, &registers);
}

static void request_report(const struct video_choice *choice, struct video_request request)
{
    const struct bootinfo_framebuffer *mode = &choice->framebuffer;
    if (request.wish == VIDEO_UNKNOWN)
        console_say("video= wants WIDTHxHEIGHT or text; it is left out of account.");
    if (request.wish == VIDEO_SIZE && choice->number &&
        (mode->width != request.width || mode->height != request.height))
        console_say("there is no 32-bit mode of %ux%u; %ux%u is used.", (uint32_t)request.width,
                    (uint32_t)request.height, (uint32_t)mode->width, (uint32_t)mode->height);
    if (request.wish != VIDEO_TEXT && !choice->number)
        console_say("the firmware has no linear 32-bit video mode; the screen is text.");
}

void video_set(struct bootinfo_framebuffer *framebuffer, struct video_request request,
               const struct lowram *lowram)
{
    struct video_buffer *buffer = (struct video_buffer *)lowram->bounce;
    struct video_choice choice = {0};
    memset(framebuffer, 0, sizeof(*framebuffer));
    if (request.wish != VIDEO_TEXT)
        choice = mode_choose(buffer, request);
    request_report(&choice, request);
    if (choice.number) {
        if (vbe_call(0x4F02, (uint16_t)(choice.number | VBE_USE_LINEAR), buffer)) {
            *framebuffer = choice.framebuffer;
            return;
        }
        console_say("the firmware refuses video mode %x; the screen is text.",
                    (uint32_t)choice.number);
    }
    text_ensure();
}
