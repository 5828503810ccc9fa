/* SPDX-License-Identifier: MIT
 * Asking a terminal how large it is: put the cursor far beyond the corner and ask where it is. The answer, ESC [ rows ;
 * columns R, comes among what a person types, so while it is awaited, bytes that may belong to it are held back.
 *
 * Pure. Invariants:
 *  1. Nothing is lost or reordered: every byte fed is passed on, or is part of one complete answer.
 *  2. While nothing is awaited, every byte passes at once. n_held < WINSIZE_HELD_MAX. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum : uint32_t { WINSIZE_HELD_MAX = 16, WINSIZE_SIDE_MAX = 1000 };

/* Save the cursor, go to the corner, ask, come back. */
#define WINSIZE_QUERY                                                                                                  \
    "\x1b"                                                                                                             \
    "7\x1b[999;999H\x1b[6n\x1b"                                                                                        \
    "8"

struct winsize {
    uint32_t columns, rows; /* as last learned */
    bool awaited;           /* a query is out and has not been answered */
    uint8_t n_held;
    uint8_t held[WINSIZE_HELD_MAX];
};

/* 80 by 24, nothing awaited. */
void winsize_init(struct winsize *w);
/* Takes one byte and answers how many bytes to pass on, in `out`. */
size_t winsize_feed(struct winsize *w, uint8_t byte, uint8_t out[static WINSIZE_HELD_MAX]);
