/* SPDX-License-Identifier: MIT */
#include "ldisc.h"

enum : uint16_t { LDISC_END = 0x100 };
#define CTRL(letter) ((uint8_t)((letter) & 0x1f))

void ldisc_init(struct ldisc *d)
{
    d->lines = true;
    d->echo = true;
    d->intr = true;
    d->jobs = false;
    ldisc_flush(d);
}

void ldisc_flush(struct ldisc *d)
{
    d->line_len = 0;
    d->first = 0;
    d->count = 0;
}

static bool queue_put(struct ldisc *d, uint16_t item)
{
    if (d->count == LDISC_QUEUE_MAX)
        return false;
    d->queue[(d->first + d->count) % LDISC_QUEUE_MAX] = item;
    d->count++;
    return true;
}

static uint16_t queue_take(struct ldisc *d)
{
    uint16_t item = d->queue[d->first];
    d->first = (d->first + 1) % LDISC_QUEUE_MAX;
    d->count--;
    return item;
}

static void show(const struct ldisc *d, struct ldisc_echo *e, const char *text, size_t len)
{
    if (!d->echo)
        return;
    for (size_t i = 0; i < len && e->len < sizeof e->text; i++)
        e->text[e->len++] = text[i];
}

static void bell(struct ldisc_echo *e)
{
    if (e->len < sizeof e->text)
        e->text[e->len++] = '\a';
}

static bool is_control(uint8_t byte)
{
    return byte < 0x20 || byte == 0x7f;
}

static void show_byte(const struct ldisc *d, struct ldisc_echo *e, uint8_t byte)
{
    if (byte == '\t')
        show(d, e, " ", 1); /* one column, so that erasing it is one step */
    else if (!is_control(byte))
        show(d, e, (const char[]){ (char)byte }, 1);
    else
        show(d, e, (const char[]){ '^', (char)(byte ^ 0x40) }, 2);
}

/* How many columns a byte took when it was shown: none for the later bytes of a UTF-8 character. */
static unsigned columns(uint8_t byte)
{
    if ((byte & 0xc0) == 0x80)
        return 0;
    return is_control(byte) && byte != '\t' ? 2 : 1;
}

/* Takes the last character off the line, all its bytes. */
static void erase_one(struct ldisc *d, struct ldisc_echo *e)
{
    unsigned wide = 0;
    while (d->line_len > 0) {
        uint8_t byte = d->line[--d->line_len];
        wide += columns(byte);
        if ((byte & 0xc0) != 0x80)
            break;
    }
    for (unsigned i = 0; i < wide; i++)
        show(d, e, "\b \b", 3);
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static void erase_word(struct ldisc *d, struct ldisc_echo *e)
{
    while (d->line_len > 0 && is_space(d->line[d->line_len - 1]))
        erase_one(d, e);
    while (d->line_len > 0 && !is_space(d->line[d->line_len - 1]))
        erase_one(d, e);
}

static void reprint(const struct ldisc *d, struct ldisc_echo *e)
{
    show(d, e, "\r\n", 2);
    for (uint32_t i = 0; i < d->line_len; i++)
        show_byte(d, e, d->line[i]);
}

/* Hands the line over, followed by `last`, all or nothing. */
static ldisc_event_t hand_over(struct ldisc *d, uint16_t last, struct ldisc_echo *e)
{
    if (LDISC_QUEUE_MAX - d->count < d->line_len + 1) {
        bell(e);
        return LDISC_QUIET;
    }
    for (uint32_t i = 0; i < d->line_len; i++)
        (void)queue_put(d, d->line[i]);
    (void)queue_put(d, last);
    d->line_len = 0;
    if (last == '\n')
        show(d, e, "\r\n", 2);
    return LDISC_READY;
}

static void add_byte(struct ldisc *d, uint8_t byte, struct ldisc_echo *e)
{
    if (d->line_len == LDISC_LINE_MAX) {
        bell(e);
        return;
    }
    d->line[d->line_len++] = byte;
    show_byte(d, e, byte);
}

static ldisc_event_t pass_on(struct ldisc *d, uint8_t byte, struct ldisc_echo *e)
{
    if (!queue_put(d, byte)) {
        bell(e);
        return LDISC_QUIET;
    }
    if (byte == '\r')
        show(d, e, "\r\n", 2);
    else
        show_byte(d, e, byte);
    return LDISC_READY;
}

ldisc_event_t ldisc_input(struct ldisc *d, uint8_t byte, struct ldisc_echo *echo)
{
    echo->len = 0;
    if (d->intr && byte == CTRL('C')) {
        ldisc_flush(d);
        show(d, echo, "^C\r\n", 4);
        return LDISC_INTERRUPT;
    }
    if (d->intr && d->jobs && (byte == CTRL('\\') || byte == CTRL('Z'))) {
        ldisc_flush(d);
        show_byte(d, echo, byte);
        show(d, echo, "\r\n", 2);
        return byte == CTRL('Z') ? LDISC_SUSPEND : LDISC_QUIT;
    }
    if (!d->lines)
        return pass_on(d, byte, echo);
    switch (byte) {
    case '\r':
    case '\n':
        return hand_over(d, '\n', echo);
    case CTRL('D'):
        return hand_over(d, LDISC_END, echo);
    case CTRL('H'):
    case 0x7f:
        erase_one(d, echo);
        return LDISC_QUIET;
    case CTRL('W'):
        erase_word(d, echo);
        return LDISC_QUIET;
    case CTRL('U'):
        while (d->line_len > 0)
            erase_one(d, echo);
        return LDISC_QUIET;
    case CTRL('R'):
    case CTRL('L'):
        reprint(d, echo);
        return LDISC_QUIET;
    default:
        add_byte(d, byte, echo);
        return LDISC_QUIET;
    }
}

void ldisc_set_mode(struct ldisc *d, bool lines, bool echo, bool intr)
{
    if (!lines && d->lines && LDISC_QUEUE_MAX - d->count >= d->line_len) { /* what does not fit waits for `lines` */
        for (uint32_t i = 0; i < d->line_len; i++)
            (void)queue_put(d, d->line[i]);
        d->line_len = 0;
    }
    d->lines = lines;
    d->echo = echo;
    d->intr = intr;
}

bool ldisc_readable(const struct ldisc *d)
{
    return d->count > 0;
}

size_t ldisc_read(struct ldisc *d, uint8_t *buffer, size_t room, bool *line_end)
{
    size_t n = 0;
    *line_end = false;
    while (n < room && d->count > 0) {
        uint16_t item = queue_take(d);
        if (item == LDISC_END) {
            if (!d->lines)
                continue;
            *line_end = true;
            return n;
        }
        buffer[n++] = (uint8_t)item;
        if (item == '\n' && d->lines) {
            *line_end = true;
            return n;
        }
    }
    /* A line that filled the buffer to the byte must not leave its END behind as an end of file of its own. */
    if (n > 0 && d->count > 0 && d->queue[d->first] == LDISC_END) {
        (void)queue_take(d);
        *line_end = d->lines;
    }
    return n;
}
