/* SPDX-License-Identifier: MIT
 * What a terminal sends, one byte at a time, turned into keys: plain bytes, and the escape sequences of ECMA-48 and
 * xterm.
 *
 * A pure state machine: no memory beyond the struct, no time. It never looks ahead, so a lone Escape is only known when
 * the next byte comes; a second Escape begins a new sequence. Invariants:
 *  1. n_params <= KEY_PARAMS_MAX; parameters beyond are dropped, values stop at KEY_PARAM_LIMIT.
 *  2. After any byte the parser is in one of the four states, so no input can get it stuck: a control character other
 * than Escape inside a sequence abandons the sequence and counts as itself. */
#pragma once
#include <stdint.h>

enum : uint32_t { KEY_PARAMS_MAX = 4, KEY_PARAM_LIMIT = 9999 };

typedef enum key : uint16_t {
    KEY_NONE = 0, /* the byte is part of a sequence that goes on, or of one that nobody needs */
    /* 1..255: that very byte */
    KEY_NUL = 256, /* the byte 0 (^@) */
    KEY_UP,
    KEY_DOWN,
    KEY_RIGHT,
    KEY_LEFT,
    KEY_HOME,
    KEY_END,
    KEY_INSERT,
    KEY_DELETE,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_WORD_LEFT,
    KEY_WORD_RIGHT,
    KEY_WORD_DELETE, /* Alt-D: the word to the right */
    KEY_REPORT,      /* cursor position: param[0] the row, param[1] the column, from 1 */
} term_key_t;

#define KEY_CTRL(letter) ((uint16_t)((letter) & 0x1f))
#define KEY_ESCAPE ((uint16_t)0x1b)
#define KEY_BACKSPACE ((uint16_t)0x7f)

struct key_parser {
    uint8_t state;
    uint8_t n_params;
    bool private_marker; /* the sequence began with one of < = > ? */
    uint16_t param[KEY_PARAMS_MAX];
};

/* Takes one byte. Answers a key (a byte value or enum key) or KEY_NONE. After KEY_REPORT the parameters are in `p`. */
uint16_t key_feed(struct key_parser *p, uint8_t byte);
