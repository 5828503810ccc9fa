/* SPDX-License-Identifier: MIT
 * The lines typed before, newest first. Pure; one thread.
 * Lines lie one after another, oldest first, each NUL-terminated; when there is no room the oldest go.
 * Invariants: text[0..len) holds exactly n strings; none is empty, none is as long as SH_HISTORY_BYTES. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum : uint32_t { SH_HISTORY_BYTES = 32768, SH_HISTORY_LINES = 500 };

struct sh_history {
    uint32_t n, len;
    uint32_t dropped; /* lines forgotten so far: numbering goes on where it was */
    char text[SH_HISTORY_BYTES];
};

/* Remembers a line, unless it is blank, begins with a blank, or repeats the newest. */
void sh_history_add(struct sh_history *h, const char *line, size_t len);
/* The line `back` steps ago, 1 being the newest; nullptr beyond the oldest. */
const char *sh_history_get(const struct sh_history *h, uint32_t back);
void sh_history_clear(struct sh_history *h);
