/* SPDX-License-Identifier: MIT
 * The line editor: bytes from a raw terminal in, an edited line and what to draw out. Pure: drawing goes through
 * `write`.
 *
 * Keys: left right ^B ^F, by words Alt-B Alt-F, Home End ^A ^E, Backspace Delete ^D, ^K ^U ^W Alt-D and ^Y to put back,
 * ^T swap, up down ^P ^N through the history, ^L clear the screen, Tab complete, ^C give up, ^D on an empty line: end.
 * Text is UTF-8; each character is taken to be one column wide.
 * Invariants:
 *  1. cursor <= len <= SH_LINE_MAX; both lie between characters once a character is complete.
 *  2. `row` is the row of the terminal's cursor, counted from the row where the prompt begins. */
#pragma once
#include "history.h"
#include <stddef.h>
#include <stdint.h>
#include <term/keys.h>

enum : uint32_t { SH_LINE_MAX = 4096 }; /* bytes of a line; more are refused with a bell */

typedef enum sh_edit_event : uint8_t {
    SH_EDIT_MORE,     /* go on */
    SH_EDIT_LINE,     /* Enter: the line is in text[0..len) */
    SH_EDIT_CANCEL,   /* ^C */
    SH_EDIT_END,      /* ^D on an empty line */
    SH_EDIT_COMPLETE, /* Tab: call sh_edit_insert or print a list and sh_edit_redraw */
} sh_edit_event_t;

struct sh_edit {
    void (*write)(void *ctx, const char *text, size_t len);
    void *ctx;
    struct sh_history *history;
    const char *prompt; /* one line of plain text */
    uint32_t columns;   /* of the terminal; at least 2 */

    uint32_t len, cursor, row;
    uint32_t browse; /* how far back in the history; 0: the line being typed */
    uint32_t saved_len, kill_len;
    bool after_tab; /* the last key was Tab too: show the list */
    struct key_parser keys;
    char text[SH_LINE_MAX + 1];
    char saved[SH_LINE_MAX]; /* the line being typed, while an older one is shown */
    char kill[SH_LINE_MAX];  /* what ^K ^U ^W took last */
};

/* Starts a new line and draws the prompt. write, ctx, history, prompt and columns are set by the caller. */
void sh_edit_begin(struct sh_edit *e);
/* Takes one byte. After SH_EDIT_LINE, _CANCEL and _END the terminal's cursor stands at the start of a fresh row. */
sh_edit_event_t sh_edit_feed(struct sh_edit *e, uint8_t byte);
/* Puts text in at the cursor. False when it does not fit; nothing has changed then. */
bool sh_edit_insert(struct sh_edit *e, const char *text, size_t len);
/* Takes `len` bytes out that begin at `at`. */
void sh_edit_remove(struct sh_edit *e, uint32_t at, uint32_t len);
/* Draws prompt and line anew, at the row where the terminal's cursor stands (which is then that of the prompt). */
void sh_edit_redraw(struct sh_edit *e);
