#include "kernel/cpu/mtrr.h"
#include "kernel/cpu/mtrr_plan.h"
#include "kernel/device/screen/internal.h"
#include "kernel/include/errors.h"
#include "kernel/include/log.h"
#include "kernel/lib/string.h"
#include "kernel/memory/bytemap/bytemap.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"
#include "kernel/memory/system.h"

#define GLYPH_WIDTH  8
#define GLYPH_HEIGHT 16

/* What fits a terminal whose cells the kernel is willing to pay for. */
#define COLUMNS_MAX 480
#define ROWS_MAX    160

static uint8_t font[BOOTINFO_FONT_SIZE];
static uint32_t palette[16]; /* pixels */
static volatile uint32_t *pixels;
static uint32_t pixels_a_line;

/* The VGA's sixteen colours, 0xRRGGBB, somewhat softened. */
static const uint32_t colours[16] = {
    0x101418, 0x2A4B8D, 0x2E8B57, 0x2A8D8D, 0xA03030, 0x8D2A8D, 0x9A6A20, 0xD0D4D8,
    0x606468, 0x6A9BFF, 0x6AE08A, 0x6AE0E0, 0xFF6A6A, 0xFF6AFF, 0xFFE06A, 0xFFFFFF,
};

static unsigned smaller(unsigned left, unsigned right)
{
    return left < right ? left : right;
}

/* A row of a glyph is eight stores, left to right: the order in which a write-combining buffer
 * fills. */
static void draw(unsigned column, unsigned row, struct terminal_cell cell)
{
    const uint8_t *glyph = font + cell.character * GLYPH_HEIGHT;
    uint32_t ink = palette[cell.colour & 15], paper = palette[cell.colour >> 4];
    volatile uint32_t *line = pixels + row * GLYPH_HEIGHT * pixels_a_line + column * GLYPH_WIDTH;
    for (unsigned y = 0; y < GLYPH_HEIGHT; y++, line += pixels_a_line)
        for (unsigned x = 0; x < GLYPH_WIDTH; x++)
            line[x] = glyph[y] & 0x80 >> x ? ink : paper;
}

/*
 * The font in the video BIOS, for loaders that do not pass one: every VGA BIOS has the 256 glyphs
 * in one table, which begins with an empty glyph and the smiling face of code page 437.
 */
static const uint8_t *find_font_in_rom(void)
{
    static const uint8_t beginning[] = {0,    0,    0,    0,    0,    0,    0,    0,   0,    0,
                                        0,    0,    0,    0,    0,    0,    0,    0,   0x7E, 0x81,
                                        0xA5, 0x81, 0x81, 0xBD, 0x99, 0x81, 0x81, 0x7E};
    const uint8_t *at = (const uint8_t *)(uintptr_t)MAP_VIDEO_END;
    const uint8_t *end = (const uint8_t *)(uintptr_t)MAP_FIRMWARE_END - BOOTINFO_FONT_SIZE;
    for (; at < end; at++)
        if (memcmp(at, beginning, sizeof(beginning)) == 0)
            return at;
    return NULL;
}

/* The font that the loader left lies in low RAM, which is not mapped where it lies. */
static bool load_font(paddr_t address)
{
    if (address != 0) {
        uint32_t pages = frame_of(address + BOOTINFO_FONT_SIZE - 1) - frame_of(address) + 1;
        uint8_t *view = paging_map_temporary(frame_of(address), pages, 0);
        if (view == NULL)
            return false;
        memcpy(font, view + address % PAGE_SIZE, sizeof(font));
        paging_unmap_temporary(view, pages);
        return true;
    }
    const uint8_t *rom = find_font_in_rom();
    if (rom != NULL)
        memcpy(font, rom, sizeof(font));
    return rom != NULL;
}

static void make_palette(const struct bootinfo_framebuffer *mode)
{
    for (unsigned i = 0; i < ARRAY_COUNT(palette); i++)
        palette[i] = (colours[i] >> 16 & 0xFF) << mode->red_shift |
                     (colours[i] >> 8 & 0xFF) << mode->green_shift |
                     (colours[i] & 0xFF) << mode->blue_shift;
}

/* What no character covers, at the right and at the bottom, has the background's colour too. */
static void clear(const struct bootinfo_framebuffer *mode)
{
    for (uint32_t y = 0; y < mode->height; y++)
        for (uint32_t x = 0; x < mode->width; x++)
            pixels[y * pixels_a_line + x] = palette[0];
}

static bool is_mode_sane(const struct bootinfo_framebuffer *mode)
{
    return mode->bits == 32 && mode->pitch % 4 == 0 && mode->pitch >= mode->width * 4u &&
           mode->address % 4 == 0 && mode->red_shift <= 24 && mode->green_shift <= 24 &&
           mode->blue_shift <= 24 && mode->width >= 40 * GLYPH_WIDTH &&
           mode->height >= 2 * GLYPH_HEIGHT;
}

/* RAM that the allocator knows is never a framebuffer: the loader is wrong then. */
static bool is_clear_of_ram(frame_t first, uint32_t pages)
{
    frame_t end = smaller(first + pages, bytemap_frames());
    if (first >= end)
        return true;
    return bytemap_get(first) == BYTEMAP_ABSENT && bytemap_run_end(first, end) == end;
}

static bool is_clear_of_firmware(paddr_t start, paddr_t end)
{
    const struct e820_map *map = memory_map();
    for (uint32_t i = 0; i < map->count; i++)
        if (map->regions[i].kind != E820_RESERVED && map->regions[i].start < end &&
            start < map->regions[i].end)
            return false;
    return true;
}

/*
 * By a page's own type where the processor has a PAT. Without one, paging maps the pages so that a
 * memory type range register decides: one is set if it covers nothing but device memory. Says what
 * is in effect.
 */
static const char *choose_cache(paddr_t start, paddr_t end)
{
    if (platform_features.pat)
        return "write-combining";
    struct mtrr_block block = mtrr_block_around(start, end);
    int result = is_clear_of_firmware(block.base, block.base + block.bytes)
                     ? mtrr_set_write_combining(start, end)
                     : -EBUSY;
    return result == 0         ? "write-combining by an MTRR (no PAT)"
           : result == -ENODEV ? "uncached (no PAT, no usable MTRRs)"
           : result == -ENOSPC ? "uncached (no PAT, too few free MTRRs)"
                               : "uncached (no PAT, the MTRRs are in use)";
}

/* Maps the pages at the first address of the row that is congruent to the physical one, so that
 * large pages can be used. 0, or an error. */
static int map(const struct bootinfo_framebuffer *mode)
{
    uint64_t bytes = (uint64_t)mode->pitch * mode->height;
    paddr_t physical_end = mode->address + bytes;
    uint32_t start =
        (uint32_t)(mode->address - MAP_FRAMEBUFFER_START) % PAGE_LARGE_SIZE + MAP_FRAMEBUFFER_START;
    if (physical_end > 1ull << platform_features.physical_bits ||
        start + bytes > MAP_FRAMEBUFFER_END)
        return -ERANGE;
    frame_t first = frame_of(mode->address);
    uint32_t pages = frame_of(physical_end - 1) - first + 1;
    if (!is_clear_of_ram(first, pages))
        return -EBUSY;
    const char *cache = choose_cache(mode->address, physical_end);
    int result = paging_map(&paging_kernel, start / PAGE_SIZE * PAGE_SIZE, first, pages,
                            PAGING_WRITE | PAGING_WRITE_COMBINING);
    if (result != 0)
        return result;
    pixels = (volatile uint32_t *)(uintptr_t)start;
    pixels_a_line = mode->pitch / 4;
    log_line("screen: %u x %u pixels at 0x%llx, seen at 0x%08x", mode->width, mode->height,
             (unsigned long long)mode->address, start);
    log_line("screen: its memory is %s", cache);
    return 0;
}

struct screen_grid framebuffer_open(const struct bootinfo *bootinfo)
{
    const struct screen_grid none = {0, 0, NULL};
    const struct bootinfo_framebuffer *mode = &bootinfo->framebuffer;
    if (mode->width == 0)
        return none;
    if (!is_mode_sane(mode)) {
        log_line("screen: a mode of %u x %u with %u bits a pixel is not for us", mode->width,
                 mode->height, mode->bits);
        return none;
    }
    if (!load_font(bootinfo->font)) {
        log_line("screen: no font to draw with");
        return none;
    }
    int result = map(mode);
    if (result != 0) {
        log_line("screen: %u x %u pixels at 0x%llx are not shown: %s", mode->width, mode->height,
                 (unsigned long long)mode->address, error_text(result));
        return none;
    }
    make_palette(mode);
    clear(mode);
    return (struct screen_grid){smaller(mode->width / GLYPH_WIDTH, COLUMNS_MAX),
                                smaller(mode->height / GLYPH_HEIGHT, ROWS_MAX), draw};
}
