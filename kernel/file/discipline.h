#ifndef KERNEL_FILE_DISCIPLINE_H
#define KERNEL_FILE_DISCIPLINE_H

#include "kernel/include/types.h"

/*
 * The line discipline of a terminal: what was typed becomes what programs read, with echo and
 * editing, as termios(3) says; what programs write becomes what the terminal gets. Pure: no
 * waiting, no locking, no allocation. Echo and output come out through `output`, signals through
 * `signal`.
 *
 * The ring holds bytes [read, written); of these, [read, complete) may be read. In canonical mode
 * that is whole lines: `complete` moves with each line's end, and behind it is the line that is
 * being edited. In raw mode complete == written. `ends` marks the bytes that ended a line when they
 * were typed; a zero among them is an end of file, which is not handed out.
 */
#define TERMIOS_CONTROLS     19
#define DISCIPLINE_RING_SIZE 4096u /* a line is at most one less */

/* c_iflag */
#define ISTRIP  0000040u
#define INLCR   0000100u
#define IGNCR   0000200u
#define ICRNL   0000400u
#define IUCLC   0001000u
#define IXON    0002000u
#define IXANY   0004000u
#define IMAXBEL 0020000u
#define IUTF8   0040000u
/* c_oflag */
#define OPOST  0000001u
#define OLCUC  0000002u
#define ONLCR  0000004u
#define OCRNL  0000010u
#define ONOCR  0000020u
#define ONLRET 0000040u
#define XTABS  0014000u
/* c_cflag: B38400 | CS8 | CREAD | HUPCL */
#define TERMIOS_CFLAG 0002277u
/* c_lflag */
#define ISIG    0000001u
#define ICANON  0000002u
#define ECHO    0000010u
#define ECHOE   0000020u
#define ECHOK   0000040u
#define ECHONL  0000100u
#define NOFLSH  0000200u
#define TOSTOP  0000400u
#define ECHOCTL 0001000u
#define ECHOPRT 0002000u
#define ECHOKE  0004000u
#define IEXTEN  0100000u
/* c_cc */
enum {
    VINTR,
    VQUIT,
    VERASE,
    VKILL,
    VEOF,
    VTIME,
    VMIN,
    VSWTC,
    VSTART,
    VSTOP,
    VSUSP,
    VEOL,
    VREPRINT,
    VDISCARD,
    VWERASE,
    VLNEXT,
    VEOL2,
};

/* As the kernel's struct termios on i386. */
struct termios {
    uint32_t input, output, control, local;
    uint8_t line;
    uint8_t characters[TERMIOS_CONTROLS];
};

struct discipline {
    struct termios termios;
    void (*output)(void *context, const char *text, size_t length);
    void (*signal)(void *context, int signal);
    void *context;

    uint8_t ring[DISCIPLINE_RING_SIZE];
    uint32_t read, complete, written; /* modulo 2^32; a byte lies at its position modulo the size */
    uint32_t ends[DISCIPLINE_RING_SIZE / 32];
    uint32_t input_column; /* where the line that is being edited began */
    uint32_t column;       /* where the terminal's cursor is, as far as is known */
    bool is_stopped;       /* ^S */
    bool is_literal;       /* ^V: the next byte means itself */
};

/* As a terminal is at first ("sane"). The two functions are the caller's to set. */
void discipline_init(struct discipline *discipline);

/* A byte was typed. O(line) for those that erase, else O(1). Bytes that do not fit are refused with
 * a bell; what ends a line always fits. */
void discipline_type(struct discipline *discipline, uint8_t byte);

/* Whether a read need not wait: a line (canonical), or a byte. */
bool discipline_is_ready(const struct discipline *discipline);

/* How many bytes may be read at once, of a line or of all: FIONREAD. */
uint32_t discipline_readable(const struct discipline *discipline);

/* Takes up to `size` bytes, of one line in canonical mode. 0 when ready: the end of file. */
uint32_t discipline_take(struct discipline *discipline, uint8_t *buffer, uint32_t size);

/* A program's text, processed as c_oflag says, to `output`. O(length). */
void discipline_write(struct discipline *discipline, const char *text, size_t length);

/* Another setting; what is in the ring is kept, and becomes readable if canonical mode ends. */
void discipline_set(struct discipline *discipline, const struct termios *termios);

/* Forgets what was typed and not read. */
void discipline_flush(struct discipline *discipline);

/* NULL, or what is wrong with the ring. */
const char *discipline_problem(const struct discipline *discipline);

#endif
