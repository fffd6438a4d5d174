/*
 * The fuzzer's bytes are what is typed, read and set on a terminal: the ring stays sound, and in
 * raw mode without signals every byte that was taken in comes out once, in order.
 */
#include "kernel/file/discipline.h"

#include "tests/fuzz/fuzz.h"
#include "tests/unit/test.h"

/* What one input may type and be shown: a key that shows its whole line anew, typed 65,535 times,
 * is more than any test waits for. */
#define MAX_WORK (1u << 20)

static struct discipline tty;
static uint64_t work;

static void output(void *context, const char *text, size_t length)
{
    (void)context;
    CHECK(text != NULL && length > 0 && length < 4096);
    work += length;
}

static void note_signal(void *context, int signal)
{
    (void)context;
    CHECK(signal > 0 && signal < 32);
}

static void check(void)
{
    const char *problem = discipline_problem(&tty);
    if (problem != NULL)
        test_fail(__FILE__, __LINE__, "%s", problem);
    CHECK(discipline_readable(&tty) <= DISCIPLINE_RING_SIZE);
}

static void set(struct fuzz_bytes *input)
{
    struct termios termios = tty.termios;
    termios.input = (uint32_t)fuzz_take(input, 2);
    termios.output = (uint32_t)fuzz_take(input, 2);
    termios.local = (uint32_t)fuzz_take(input, 2);
    termios.characters[fuzz_take(input, 1) % TERMIOS_CONTROLS] = (uint8_t)fuzz_take(input, 1);
    discipline_set(&tty, &termios);
}

static void take(uint32_t size)
{
    static uint8_t buffer[DISCIPLINE_RING_SIZE];
    uint32_t readable = discipline_readable(&tty);
    uint32_t taken = discipline_take(&tty, buffer, size);
    CHECK_EQUAL(taken, readable < size ? readable : size);
}

static void step(struct fuzz_bytes *input)
{
    uint8_t byte = (uint8_t)fuzz_take(input, 1);
    switch (byte) {
    case 0xFF:
        set(input);
        break;
    case 0xFE:
        take((uint32_t)fuzz_take(input, 2) % DISCIPLINE_RING_SIZE);
        break;
    case 0xFD:
        discipline_flush(&tty);
        break;
    case 0xFC: /* many of one byte */
        byte = (uint8_t)fuzz_take(input, 1);
        for (uint64_t count = fuzz_take(input, 2); count > 0 && work < MAX_WORK; count--, work++)
            discipline_type(&tty, byte);
        break;
    case 0xFB: {
        char text[8];
        for (unsigned i = 0; i < sizeof(text); i++)
            text[i] = (char)fuzz_take(input, 1);
        discipline_write(&tty, text, sizeof(text));
        break;
    }
    default:
        discipline_type(&tty, byte);
    }
}

/* Raw, no echo, no signals: what goes in comes out. */
static void check_raw(struct fuzz_bytes input)
{
    struct termios raw = tty.termios;
    uint8_t byte;
    raw.input = raw.output = raw.local = 0;
    discipline_set(&tty, &raw);
    discipline_flush(&tty);
    for (unsigned i = 0; i < 100; i++) {
        uint8_t typed = (uint8_t)fuzz_take(&input, 1);
        discipline_type(&tty, typed);
        CHECK_EQUAL(discipline_take(&tty, &byte, 1), 1);
        CHECK_EQUAL(byte, typed);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_bytes input = {data, size};
    discipline_init(&tty);
    tty.output = output;
    tty.signal = note_signal;
    work = 0;
    while (input.left > 0 && work < MAX_WORK) {
        step(&input);
        check();
    }
    check_raw((struct fuzz_bytes){data, size});
    return 0;
}
