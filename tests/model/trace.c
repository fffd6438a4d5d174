#include "kernel/lib/string.h"
#include "tests/model/model.h"

/* Calls by chance, and calls that were written down. */

static uint32_t small(uint32_t (*next)(void), uint32_t bound)
{
    return next() % bound;
}

/* Small sizes most often; sometimes none, sometimes many pages. */
static uint32_t random_bytes(uint32_t (*next)(void))
{
    switch (small(next, 16)) {
    case 0:
        return small(next, 200000);
    case 1:
    case 2:
    case 3:
        return small(next, 9000);
    case 4:
        return small(next, 3);
    default:
        return 1 + small(next, 600);
    }
}

static uint32_t random_frames(uint32_t (*next)(void))
{
    return small(next, 4) == 0 ? MODEL_RUN_FRAMES : 1 + small(next, 64);
}

static struct model_call on_frames(uint32_t (*next)(void), struct model_call call)
{
    switch (call.kind) {
    case MODEL_FRAME:
    case MODEL_ZEROED:
        call.b = next();
        call.c = next();
        break;
    case MODEL_RUN:
        call.b = random_frames(next);
        call.c = small(next, 2) == 0 ? 9 : small(next, 11);
        call.d = small(next, 5) | next() << 16;
        break;
    default:
        call.b = next();
    }
    return call;
}

/* Ranges like to begin and end where a table does. */
static uint32_t random_page(uint32_t (*next)(void))
{
    return small(next, 2) == 0 ? small(next, 3) * 512 : small(next, MODEL_PAGES);
}

static struct model_call on_pages(uint32_t (*next)(void), struct model_call call)
{
    uint32_t count = small(next, 3) == 0 ? 512 : 1 + small(next, 100);
    if (call.kind == MODEL_MAP || call.kind == MODEL_MAP_PAGE) {
        call.b = random_page(next);
        call.c = call.kind == MODEL_MAP ? count : next();
        call.d = next();
    } else {
        call.a = random_page(next);
        call.b = count;
        call.c = next();
    }
    return call;
}

struct model_call model_random_call(uint32_t (*next)(void))
{
    struct model_call call = {.kind = (enum model_kind)small(next, MODEL_KIND_COUNT),
                              .a = small(next, MODEL_SLOTS)};
    if (call.kind <= MODEL_UNLOCK)
        return on_frames(next, call);
    if (call.kind >= MODEL_MAP)
        return on_pages(next, call);
    switch (call.kind) {
    case MODEL_WATERMARKS:
        call.a = small(next, 4) == 0 ? small(next, 2000) : small(next, 64);
        call.b = small(next, 4000);
        break;
    case MODEL_KCALLOC:
        call.b = small(next, 40);
        call.c = small(next, 200);
        break;
    case MODEL_ALIGNED:
        call.b = random_bytes(next);
        call.c = small(next, 16);
        break;
    default:
        call.b = random_bytes(next);
    }
    return call;
}

static const char *parse_number(const char *text, const char *end, uint32_t *value)
{
    const char *at = text;
    *value = 0;
    while (at < end && *at >= '0' && *at <= '9')
        *value = *value * 10 + (uint32_t)(*at++ - '0');
    return at == text ? NULL : at;
}

static const char *line_end(const char *text, const char *end)
{
    while (text < end && *text != '\n')
        text++;
    return text;
}

const char *model_parse(const char *text, const char *end, struct model_call *call)
{
    uint32_t numbers[5] = {0};
    unsigned count = 0;
    while (text < end && (*text == '\n' || *text == '#'))
        text = *text == '\n' ? text + 1 : line_end(text, end);
    if (text >= end)
        return NULL;
    for (; count < 5; count++) {
        while (text < end && *text == ' ')
            text++;
        if (text >= end || *text == '\n')
            break;
        text = parse_number(text, end, &numbers[count]);
        if (text == NULL)
            return NULL;
    }
    if (count == 0 || numbers[0] >= MODEL_KIND_COUNT || (text < end && *text != '\n'))
        return NULL;
    *call = (struct model_call){(enum model_kind)numbers[0], numbers[1], numbers[2], numbers[3],
                                numbers[4]};
    return text;
}
