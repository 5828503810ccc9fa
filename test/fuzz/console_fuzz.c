/* SPDX-License-Identifier: MIT
 * What a terminal sends: line discipline, window-size answer and key parser on any bytes. The first byte holds the mode
 * and how much is read at a time. Nothing may be lost without a bell, and the answer parser may neither lose nor
 * reorder. */
// sources: srv/consoled/ldisc.c srv/consoled/winsize.c lib/libterm/keys.c
#include <srv/consoled/ldisc.h>
#include <srv/consoled/winsize.h>
#include <stdlib.h>
#include <term/keys.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void discipline(const uint8_t *data, size_t size, uint8_t mode)
{
    static struct ldisc d;
    static struct ldisc_echo echo;
    uint8_t buffer[64];
    ldisc_init(&d);
    for (size_t i = 0; i < size; i++) {
        if (data[i] == 0xfe) {
            mode ^= (uint8_t)(data[i] + i);
            ldisc_set_mode(&d, mode & 1, mode & 2, mode & 4);
        }
        ldisc_event_t event = ldisc_input(&d, data[i], &echo);
        require(d.line_len <= LDISC_LINE_MAX && d.count <= LDISC_QUEUE_MAX && echo.len <= sizeof echo.text);
        require(event != LDISC_READY || ldisc_readable(&d));
        if (event == LDISC_READY && (mode & 8) != 0) {
            bool end;
            size_t room = 1 + mode % sizeof buffer, n = ldisc_read(&d, buffer, room, &end);
            require(n <= room && (n > 0 || end || !d.lines));
        }
    }
}

static void answer(const uint8_t *data, size_t size)
{
    struct winsize w;
    uint8_t out[WINSIZE_HELD_MAX];
    size_t passed = 0;
    winsize_init(&w);
    w.awaited = true;
    for (size_t i = 0; i < size; i++) {
        size_t n = winsize_feed(&w, data[i], out);
        require(n <= WINSIZE_HELD_MAX && w.n_held < WINSIZE_HELD_MAX);
        require(w.columns >= 2 && w.columns <= WINSIZE_SIDE_MAX && w.rows >= 2 && w.rows <= WINSIZE_SIDE_MAX);
        if (!w.awaited && passed + n != i + 1)
            return; /* the answer was taken out: from here the counts differ by its length */
        for (size_t k = 0; k < n; k++)
            require(out[k] == data[passed + k]);
        passed += n;
        require(passed + w.n_held == i + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    discipline(data + 1, size - 1, data[0]);
    answer(data + 1, size - 1);
    struct key_parser p = {};
    for (size_t i = 1; i < size; i++) {
        uint16_t key = key_feed(&p, data[i]);
        require(p.n_params <= KEY_PARAMS_MAX && p.state < 4 && key <= KEY_REPORT);
        for (unsigned k = 0; k < p.n_params; k++)
            require(p.param[k] <= KEY_PARAM_LIMIT);
    }
    return 0;
}
