/* SPDX-License-Identifier: MIT */
#include "edit.h"
#include <string.h>

static void out(const struct sh_edit *e, const char *text, size_t len)
{
    if (len > 0)
        e->write(e->ctx, text, len);
}

#define OUT_TEXT(e, text) out(e, text, sizeof(text) - 1)

static void out_move(const struct sh_edit *e, uint32_t n, char direction)
{
    if (n == 0)
        return;
    char buffer[16] = "\x1b[";
    size_t at = sizeof buffer;
    buffer[--at] = direction;
    do
        buffer[--at] = (char)('0' + n % 10);
    while ((n /= 10) != 0);
    buffer[--at] = '[';
    buffer[--at] = '\x1b';
    out(e, buffer + at, sizeof buffer - at);
}

static bool continues(char c)
{
    return ((uint8_t)c & 0xc0) == 0x80;
}

static uint32_t width(const char *text, size_t len)
{
    uint32_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += !continues(text[i]);
    return n;
}

static uint32_t prompt_width(const struct sh_edit *e)
{
    return width(e->prompt, strlen(e->prompt));
}

/* Draws everything, from the first row of what is there now. */
static void refresh(struct sh_edit *e)
{
    out_move(e, e->row, 'A');
    OUT_TEXT(e, "\r");
    out(e, e->prompt, strlen(e->prompt));
    out(e, e->text, e->len);
    uint32_t total = prompt_width(e) + width(e->text, e->len);
    if (total > 0 && total % e->columns == 0)
        OUT_TEXT(e, "\r\n"); /* leave the state in which a terminal has not wrapped yet */
    OUT_TEXT(e, "\x1b[J");
    uint32_t at = prompt_width(e) + width(e->text, e->cursor);
    out_move(e, total / e->columns - at / e->columns, 'A');
    if (at != total) {
        OUT_TEXT(e, "\r");
        out_move(e, at % e->columns, 'C');
    }
    e->row = at / e->columns;
}

void sh_edit_redraw(struct sh_edit *e)
{
    e->row = 0;
    refresh(e);
}

void sh_edit_begin(struct sh_edit *e)
{
    e->len = 0;
    e->cursor = 0;
    e->row = 0;
    e->browse = 0;
    e->saved_len = 0;
    e->after_tab = false;
    e->keys = (struct key_parser){};
    if (e->columns < 2)
        e->columns = 80;
    if (prompt_width(e) > 0 && prompt_width(e) % e->columns == 0) {
        refresh(e);
        return;
    }
    out(e, e->prompt, strlen(e->prompt));
    e->row = prompt_width(e) / e->columns;
}

static void bell(const struct sh_edit *e)
{
    OUT_TEXT(e, "\a");
}

bool sh_edit_insert(struct sh_edit *e, const char *text, size_t len)
{
    if (len > SH_LINE_MAX - e->len) {
        bell(e);
        return false;
    }
    bool at_end = e->cursor == e->len;
    memmove(e->text + e->cursor + len, e->text + e->cursor, e->len - e->cursor);
    memcpy(e->text + e->cursor, text, len);
    e->len += (uint32_t)len;
    e->cursor += (uint32_t)len;
    uint32_t before = prompt_width(e) + width(e->text, e->cursor - len);
    uint32_t after = prompt_width(e) + width(e->text, e->cursor);
    if (at_end && before / e->columns == after / e->columns)
        out(e, text, len); /* the usual case: nothing else on the screen changes */
    else
        refresh(e);
    return true;
}

void sh_edit_remove(struct sh_edit *e, uint32_t at, uint32_t len)
{
    memmove(e->text + at, e->text + at + len, e->len - at - len);
    e->len -= len;
    if (e->cursor >= at + len)
        e->cursor -= len;
    else if (e->cursor > at)
        e->cursor = at;
    refresh(e);
}

/* As sh_edit_remove, and keeps it for ^Y. */
static void kill(struct sh_edit *e, uint32_t from, uint32_t to)
{
    if (from == to)
        return;
    e->kill_len = to - from;
    memcpy(e->kill, e->text + from, e->kill_len);
    sh_edit_remove(e, from, to - from);
}

static uint32_t before(const struct sh_edit *e, uint32_t at)
{
    if (at > 0)
        at--;
    while (at > 0 && continues(e->text[at]))
        at--;
    return at;
}

static uint32_t after(const struct sh_edit *e, uint32_t at)
{
    if (at < e->len)
        at++;
    while (at < e->len && continues(e->text[at]))
        at++;
    return at;
}

static uint32_t word_left(const struct sh_edit *e, uint32_t at)
{
    while (at > 0 && e->text[at - 1] == ' ')
        at--;
    while (at > 0 && e->text[at - 1] != ' ')
        at--;
    return at;
}

static uint32_t word_right(const struct sh_edit *e, uint32_t at)
{
    while (at < e->len && e->text[at] == ' ')
        at++;
    while (at < e->len && e->text[at] != ' ')
        at++;
    return at;
}

static void move_to(struct sh_edit *e, uint32_t at)
{
    if (at == e->cursor)
        return;
    e->cursor = at;
    refresh(e);
}

static void swap_characters(struct sh_edit *e)
{
    uint32_t right = e->cursor == e->len ? before(e, e->len) : e->cursor;
    uint32_t left = before(e, right), end = after(e, right);
    if (left == right || right == end)
        return;
    char both[16];
    if (end - left > sizeof both)
        return;
    memcpy(both, e->text + right, end - right);
    memcpy(both + (end - right), e->text + left, right - left);
    memcpy(e->text + left, both, end - left);
    e->cursor = end;
    refresh(e);
}

static void show_line(struct sh_edit *e, const char *line, size_t len)
{
    memcpy(e->text, line, len);
    e->len = (uint32_t)len;
    e->cursor = e->len;
    refresh(e);
}

static void browse(struct sh_edit *e, bool older)
{
    if (!older && e->browse == 0)
        return;
    uint32_t back = older ? e->browse + 1 : e->browse - 1;
    const char *line = back == 0 ? e->saved : sh_history_get(e->history, back);
    if (line == nullptr)
        return;
    size_t len = back == 0 ? e->saved_len : strlen(line);
    if (len > SH_LINE_MAX)
        return;
    if (e->browse == 0) {
        memcpy(e->saved, e->text, e->len);
        e->saved_len = e->len;
    }
    e->browse = back;
    show_line(e, line, len);
}

/* Puts the cursor behind the text and goes to a fresh row. */
static void leave(struct sh_edit *e, const char *mark, size_t len)
{
    if (e->cursor != e->len)
        move_to(e, e->len);
    out(e, mark, len);
    uint32_t total = prompt_width(e) + width(e->text, e->len);
    bool fresh = len == 0 && total > 0 && total % e->columns == 0;
    if (!fresh)
        OUT_TEXT(e, "\r\n");
    e->text[e->len] = '\0';
}

static void move_key(struct sh_edit *e, uint16_t key)
{
    switch (key) {
    case KEY_LEFT:
    case KEY_CTRL('B'):
        move_to(e, before(e, e->cursor));
        break;
    case KEY_RIGHT:
    case KEY_CTRL('F'):
        move_to(e, after(e, e->cursor));
        break;
    case KEY_HOME:
    case KEY_CTRL('A'):
        move_to(e, 0);
        break;
    case KEY_END:
    case KEY_CTRL('E'):
        move_to(e, e->len);
        break;
    case KEY_WORD_LEFT:
        move_to(e, word_left(e, e->cursor));
        break;
    case KEY_WORD_RIGHT:
        move_to(e, word_right(e, e->cursor));
        break;
    case KEY_UP:
    case KEY_CTRL('P'):
        browse(e, true);
        break;
    case KEY_DOWN:
    case KEY_CTRL('N'):
        browse(e, false);
        break;
    default:
        break;
    }
}

static void change_key(struct sh_edit *e, uint16_t key)
{
    uint32_t c = e->cursor;
    switch (key) {
    case KEY_BACKSPACE:
    case KEY_CTRL('H'):
        if (c > 0)
            sh_edit_remove(e, before(e, c), c - before(e, c));
        break;
    case KEY_DELETE:
    case KEY_CTRL('D'):
        if (c < e->len)
            sh_edit_remove(e, c, after(e, c) - c);
        break;
    case KEY_CTRL('K'):
        kill(e, c, e->len);
        break;
    case KEY_CTRL('U'):
        kill(e, 0, c);
        break;
    case KEY_CTRL('W'):
        kill(e, word_left(e, c), c);
        break;
    case KEY_WORD_DELETE:
        kill(e, c, word_right(e, c));
        break;
    case KEY_CTRL('Y'):
        (void)sh_edit_insert(e, e->kill, e->kill_len);
        break;
    case KEY_CTRL('T'):
        swap_characters(e);
        break;
    case KEY_CTRL('L'):
        OUT_TEXT(e, "\x1b[H\x1b[2J");
        sh_edit_redraw(e);
        break;
    default:
        move_key(e, key);
        break;
    }
}

sh_edit_event_t sh_edit_feed(struct sh_edit *e, uint8_t byte)
{
    uint16_t key = key_feed(&e->keys, byte);
    if (key == KEY_NONE)
        return SH_EDIT_MORE;
    if (key == '\t')
        return SH_EDIT_COMPLETE;
    e->after_tab = false;
    switch (key) {
    case '\r':
    case '\n':
        leave(e, "", 0);
        return SH_EDIT_LINE;
    case KEY_CTRL('C'):
        leave(e, "^C", 2);
        e->len = 0;
        e->cursor = 0;
        return SH_EDIT_CANCEL;
    case KEY_CTRL('D'):
        if (e->len > 0)
            break;
        leave(e, "", 0);
        return SH_EDIT_END;
    default:
        break;
    }
    if (key >= 0x20 && key < KEY_NUL && key != KEY_BACKSPACE) {
        char c = (char)key;
        (void)sh_edit_insert(e, &c, 1);
    } else {
        change_key(e, key);
    }
    return SH_EDIT_MORE;
}
