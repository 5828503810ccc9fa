/* SPDX-License-Identifier: MIT */
#include "winsize.h"

void winsize_init(struct winsize *w)
{
    *w = (struct winsize){ .columns = 80, .rows = 24 };
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

typedef enum match : uint8_t { MATCH_NO, MATCH_PART, MATCH_ALL } match_t;

/* Reads digits at *at; 0 if there are none, more than WINSIZE_SIDE_MAX if it is a large number. */
static uint32_t number(const struct winsize *w, size_t *at)
{
    uint32_t value = 0;
    for (; *at < w->n_held && is_digit(w->held[*at]); (*at)++)
        if (value <= WINSIZE_SIDE_MAX)
            value = value * 10 + (w->held[*at] - '0');
    return value;
}

/* Compares what is held with ESC [ number ; number R. */
static match_t match(const struct winsize *w, uint32_t *rows, uint32_t *columns)
{
    size_t at = 0;
    static const uint8_t start[] = { 0x1b, '[' };
    for (; at < sizeof start; at++) {
        if (at == w->n_held)
            return MATCH_PART;
        if (w->held[at] != start[at])
            return MATCH_NO;
    }
    size_t first = at;
    *rows = number(w, &at);
    if (at == w->n_held)
        return MATCH_PART;
    if (at == first || w->held[at++] != ';')
        return MATCH_NO;
    first = at;
    *columns = number(w, &at);
    if (at == w->n_held)
        return MATCH_PART;
    return at > first && w->held[at] == 'R' ? MATCH_ALL : MATCH_NO;
}

static bool side_ok(uint32_t side)
{
    return side >= 2 && side <= WINSIZE_SIDE_MAX;
}

static size_t release(struct winsize *w, uint8_t *out)
{
    size_t n = w->n_held;
    for (size_t i = 0; i < n; i++)
        out[i] = w->held[i];
    w->n_held = 0;
    return n;
}

size_t winsize_feed(struct winsize *w, uint8_t byte, uint8_t out[static WINSIZE_HELD_MAX])
{
    if (!w->awaited) {
        out[0] = byte;
        return 1;
    }
    size_t n = 0;
    if (byte == 0x1b)
        n = release(w, out); /* a new sequence begins: what was held was none of ours */
    w->held[w->n_held++] = byte;
    uint32_t rows = 0, columns = 0;
    match_t m = match(w, &rows, &columns);
    if (m == MATCH_ALL) {
        if (side_ok(rows) && side_ok(columns)) {
            w->rows = rows;
            w->columns = columns;
        }
        w->awaited = false;
        w->n_held = 0;
        return n;
    }
    if (m == MATCH_NO || w->n_held == WINSIZE_HELD_MAX - 1)
        n += release(w, out + n);
    return n;
}
