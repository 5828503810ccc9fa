/* SPDX-License-Identifier: MIT
 * The interactive half: keys from the terminal into the editor, completion, ^C while a command runs. */
#include "sh.h"
#include "complete.h"

static struct sh_edit editor;
static uint8_t keys[48]; /* typed and not yet used: what came after an Enter */
static size_t n_keys, next_key;

static void draw(void *ctx, const char *text, size_t len)
{
    (void)ctx;
    (void)vx_out(text, len);
}

static void set_mode(uint32_t mode)
{
    if (sh.tty != nullptr)
        (void)vx_console_set_mode(sh.tty, mode, nullptr);
}

static void learn_width(void)
{
    uint32_t columns = 0, rows = 0;
    if (vx_console_window_size(sh.tty, &columns, &rows) == OK && columns >= 2)
        sh.columns = columns;
}

static void complete(void)
{
    struct sh_completion c;
    sh_complete(editor.text, editor.cursor, &c);
    bool again = editor.after_tab;
    editor.after_tab = true;
    if (c.n_added > 0) {
        (void)sh_edit_insert(&editor, c.added, c.n_added);
        return;
    }
    if (c.matches < 2 || !again) {
        draw(nullptr, "\a", 1);
        return;
    }
    draw(nullptr, "\r\n", 2);
    sh_complete_list(editor.text, editor.cursor, sh.columns);
    sh_edit_redraw(&editor);
}

/* One byte, waiting for it. False: the terminal is gone. */
static bool next_byte(uint8_t *byte)
{
    while (next_key == n_keys) {
        next_key = 0;
        n_keys = 0;
        status_t st = vx_read_keys(keys, sizeof keys, &n_keys, VX_FOREVER);
        if (st != OK && st != ERR_INTERRUPTED && st != ERR_TIMED_OUT)
            return false;
    }
    *byte = keys[next_key++];
    return true;
}

bool sh_read_line(const char *prompt, char **line, size_t *len)
{
    set_mode(VX_CONSOLE_MODE_RAW);
    editor.write = draw;
    editor.history = &sh.history;
    editor.prompt = prompt;
    editor.columns = sh.columns;
    sh_edit_begin(&editor);
    learn_width(); /* behind the prompt, so that the question does not stand before it in a transcript */
    editor.columns = sh.columns;
    for (;;) {
        uint8_t byte;
        sh_edit_event_t event = next_byte(&byte) ? sh_edit_feed(&editor, byte) : SH_EDIT_END;
        if (event == SH_EDIT_COMPLETE)
            complete();
        if (event == SH_EDIT_MORE || event == SH_EDIT_COMPLETE)
            continue;
        set_mode(VX_CONSOLE_MODE_NORMAL);
        *line = editor.text;
        *len = event == SH_EDIT_LINE ? editor.len : 0;
        return event != SH_EDIT_END;
    }
}

void sh_watch_interrupts(void)
{
    uint32_t id;
    if (sh.tty == nullptr || vx_tty_dup(sh.tty, &sh.intr, &id) != OK)
        return;
    sh.has_intr =
        vx_console_wait_interrupt_start(&sh.intr) == OK && vx_sys_bind(sh.intr.rx.raw, SH_BIT_INTERRUPT) == OK;
}

bool sh_interrupted(void)
{
    uint32_t count;
    if (!sh.has_intr)
        return false;
    status_t st = vx_console_wait_interrupt_finish(&sh.intr, &count, VX_POLL);
    if (st == ERR_WOULD_BLOCK || st == ERR_TIMED_OUT)
        return false;
    /* Whatever came, the next ^C is to be heard of as well. */
    sh.has_intr = st != ERR_PEER_CLOSED && vx_console_wait_interrupt_start(&sh.intr) == OK;
    return st == OK;
}

bool sh_pause(uint64_t ns, bool any_key)
{
    uint64_t until = vx_deadline_in(ns);
    if (any_key) {
        uint8_t key[16];
        size_t n = 0;
        set_mode(VX_CONSOLE_MODE_INTR | VX_CONSOLE_MODE_CRLF);
        status_t st = vx_read_keys(key, sizeof key, &n, until);
        set_mode(VX_CONSOLE_MODE_NORMAL);
        return sh_interrupted() || (st == OK && n > 0 && (key[0] == 'q' || key[0] == 'Q' || key[0] == 3));
    }
    if (!sh.has_intr) {
        (void)vx_sys_nanosleep(until);
        return false;
    }
    for (;;) {
        if (vx_sys_signal_wait(UINT64_C(1) << SH_BIT_INTERRUPT, until, nullptr) == ERR_TIMED_OUT)
            return false;
        if (sh_interrupted())
            return true;
        if (vx_clock_monotonic_ns() >= until)
            return false;
    }
}
