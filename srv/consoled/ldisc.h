/* SPDX-License-Identifier: MIT
 * The line discipline: what happens between the bytes a person types and the bytes a program reads.
 *
 * With `lines`: bytes collect in a line that can still be edited (erase ^H and DEL, word ^W, kill ^U, reprint ^R, ^L);
 * Enter or ^D hands it over; ^D on an empty line is one end of file. Without: every byte is handed over as it comes.
 * `echo` shows what is typed. With `intr`, ^C drops what was typed and interrupts; without, it is a byte like others.
 * With `jobs` too, ^\ and ^Z are signals in the same way.
 *
 * A pure core: bytes in, bytes and echo out. One thread owns it.
 * Invariants:
 *  1. line_len <= LDISC_LINE_MAX, count <= LDISC_QUEUE_MAX.
 *  2. Nothing is lost silently: a byte that does not fit is answered with BEL.
 *  3. The queue holds bytes and END marks; an END is an end of line without a newline (^D). */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum : uint32_t {
    LDISC_LINE_MAX = 1024,                    /* bytes of the line being edited; more is answered with BEL */
    LDISC_QUEUE_MAX = 4096,                   /* bytes handed over and not yet read; more is answered with BEL */
    LDISC_ECHO_MAX = 3 * LDISC_LINE_MAX + 16, /* the most that one byte can echo: killing a whole line */
};

typedef enum ldisc_event : uint8_t {
    LDISC_QUIET,     /* nothing that a reader could notice */
    LDISC_READY,     /* there is something to read, or an end of file */
    LDISC_INTERRUPT, /* ^C */
    LDISC_QUIT,      /* ^\ */
    LDISC_SUSPEND,   /* ^Z */
} ldisc_event_t;

struct ldisc {
    bool lines, echo, intr;
    bool jobs; /* its owner sets it */
    uint32_t line_len;
    uint32_t first, count;
    uint8_t line[LDISC_LINE_MAX];
    uint16_t queue[LDISC_QUEUE_MAX]; /* a byte, or LDISC_END */
};

/* What is to be shown, already with CR LF. */
struct ldisc_echo {
    size_t len;
    char text[LDISC_ECHO_MAX];
};

/* Empty, with lines, echo and intr. */
void ldisc_init(struct ldisc *d);
/* Takes a byte; `echo` is emptied first and then holds what to show. */
ldisc_event_t ldisc_input(struct ldisc *d, uint8_t byte, struct ldisc_echo *echo);
/* Switches the mode. An unfinished line becomes readable when `lines` goes, so that nothing typed ahead is lost. */
void ldisc_set_mode(struct ldisc *d, bool lines, bool echo, bool intr);
/* True when a read would answer at once. */
bool ldisc_readable(const struct ldisc *d);
/* Takes what one read answers: with `lines`, up to the end of one line (then *line_end). No bytes and *line_end: an end
 * of file. */
size_t ldisc_read(struct ldisc *d, uint8_t *buffer, size_t room, bool *line_end);
/* Forgets everything typed and not read. */
void ldisc_flush(struct ldisc *d);
