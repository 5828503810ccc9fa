/* SPDX-License-Identifier: MIT
 * The state machine behind term/keys.h. Sequences: [ECMA-48] "Control sequences", [xterm] "PC-Style Function Keys". */
#include <term/keys.h>

enum : uint8_t { ST_PLAIN, ST_ESCAPE, ST_CSI, ST_SS3 };

static void begin(struct key_parser *p)
{
    *p = (struct key_parser){ .state = ST_ESCAPE };
}

static uint16_t first_param(const struct key_parser *p)
{
    return p->n_params > 0 ? p->param[0] : 0;
}

/* The modifier of xterm's `ESC [ 1 ; M C`: 3 is Alt, 5 Control; both mean "by words". */
static bool by_word(const struct key_parser *p)
{
    return p->n_params >= 2 && (p->param[1] == 3 || p->param[1] == 5);
}

static uint16_t tilde_key(uint16_t number)
{
    switch (number) {
    case 1:
    case 7:
        return KEY_HOME;
    case 2:
        return KEY_INSERT;
    case 3:
        return KEY_DELETE;
    case 4:
    case 8:
        return KEY_END;
    case 5:
        return KEY_PAGE_UP;
    case 6:
        return KEY_PAGE_DOWN;
    default:
        return KEY_NONE;
    }
}

/* The key that a final byte names, after ESC [ or ESC O. */
static uint16_t final_key(const struct key_parser *p, uint8_t byte)
{
    if (p->private_marker)
        return KEY_NONE;
    switch (byte) {
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'C':
        return by_word(p) ? KEY_WORD_RIGHT : KEY_RIGHT;
    case 'D':
        return by_word(p) ? KEY_WORD_LEFT : KEY_LEFT;
    case 'F':
        return KEY_END;
    case 'H':
        return KEY_HOME;
    case 'R':
        return p->n_params == 2 && p->param[0] > 0 && p->param[1] > 0 ? KEY_REPORT : KEY_NONE;
    case '~':
        return tilde_key(first_param(p));
    default:
        return KEY_NONE;
    }
}

static void take_digit(struct key_parser *p, uint8_t byte)
{
    if (p->n_params == 0) {
        p->n_params = 1;
        p->param[0] = 0;
    }
    uint16_t *v = &p->param[p->n_params - 1];
    uint32_t next = *v * 10u + (byte - '0');
    *v = next > KEY_PARAM_LIMIT ? KEY_PARAM_LIMIT : (uint16_t)next;
}

static void next_param(struct key_parser *p)
{
    if (p->n_params == 0) { /* an empty first parameter */
        p->n_params = 1;
        p->param[0] = 0;
    }
    if (p->n_params < KEY_PARAMS_MAX)
        p->param[p->n_params++] = 0;
}

static uint16_t feed_csi(struct key_parser *p, uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        take_digit(p, byte);
    } else if (byte == ';') {
        next_param(p);
    } else if (byte >= '<' && byte <= '?') {
        p->private_marker = true;
    } else if (byte >= 0x40 && byte <= 0x7e) {
        p->state = ST_PLAIN;
        return final_key(p, byte);
    } else if (byte >= 0x7f) {
        p->state = ST_PLAIN; /* not part of any sequence: the terminal was cut off */
        return byte;
    }
    return KEY_NONE; /* 0x20..0x2f and ':': intermediate bytes, which no key of ours has */
}

static uint16_t feed_escape(struct key_parser *p, uint8_t byte)
{
    p->state = ST_PLAIN;
    switch (byte) {
    case '[':
        p->state = ST_CSI;
        return KEY_NONE;
    case 'O':
        p->state = ST_SS3;
        return KEY_NONE;
    case 'b':
        return KEY_WORD_LEFT;
    case 'f':
        return KEY_WORD_RIGHT;
    case 'd':
        return KEY_WORD_DELETE;
    case KEY_BACKSPACE:
        return KEY_CTRL('W');
    default:
        return KEY_NONE;
    }
}

uint16_t key_feed(struct key_parser *p, uint8_t byte)
{
    if (byte == KEY_ESCAPE) {
        begin(p);
        return KEY_NONE;
    }
    if (p->state != ST_PLAIN && byte < 0x20) {
        p->state = ST_PLAIN;
        return byte == 0 ? KEY_NUL : byte;
    }
    switch (p->state) {
    case ST_ESCAPE:
        return feed_escape(p, byte);
    case ST_CSI:
        return feed_csi(p, byte);
    case ST_SS3:
        p->state = ST_PLAIN;
        return final_key(p, byte);
    default:
        return byte == 0 ? KEY_NUL : byte;
    }
}
