/* SPDX-License-Identifier: MIT
 * Sessions, foreground, input. The calls of the protocol are in ops.c. */
#include "term.h"
#include <vectra/io.h>
#include <vectra/time.h>

struct term term;

static struct con *con_of(struct vx_session *s)
{
    return s->state;
}

static struct vx_session *find(uint32_t id)
{
    if (id == 0)
        return nullptr;
    for (struct vx_session *s = vx_session_next(term.service, nullptr); s != nullptr;
         s = vx_session_next(term.service, s))
        if (con_of(s)->id == id)
            return s;
    return nullptr;
}

void term_write_raw(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    while (len > 0) {
        uint64_t taken = 0;
        if (vx_sys_console_write(term.console.raw, at, len, &taken) != OK || taken == 0)
            return;
        at += taken;
        len -= taken;
    }
}

static void answer_keys(struct vx_session *s, status_t status)
{
    struct con *c = con_of(s);
    struct vx_console_read_keys_reply a = {};
    bool unused;
    if (status == OK)
        a.data_len = (uint8_t)ldisc_read(&term.ldisc, a.data, sizeof a.data, &unused);
    c->pending = PENDING_NOTHING;
    vx_console_read_keys_reply(s, c->sequence, status, &a);
}

static void answer_line(struct vx_session *s, status_t status)
{
    struct con *c = con_of(s);
    struct vx_console_read_line_reply a = {};
    bool end = false;
    if (status == OK) {
        size_t room = c->max == 0 || c->max > sizeof a.data ? sizeof a.data : c->max;
        a.data_len = (uint8_t)ldisc_read(&term.ldisc, a.data, room, &end);
        a.flags = end ? VX_CONSOLE_LINE_END : 0;
        if (a.data_len == 0)
            a.flags = VX_CONSOLE_LINE_EOF;
    }
    c->pending = PENDING_NOTHING;
    vx_console_read_line_reply(s, c->sequence, status, &a);
}

bool term_in_background(const struct con *c)
{
    return term.front_group != 0 && c->group != 0 && c->group != term.front_group;
}

static bool reads(const struct con *c)
{
    return c->pending == PENDING_KEYS || c->pending == PENDING_LINE;
}

/* Whose read is answered next, or nullptr. */
static struct vx_session *reader(void)
{
    if (term.front_group == 0)
        return find(term.foreground);
    for (struct vx_session *s = vx_session_next(term.service, nullptr); s != nullptr;
         s = vx_session_next(term.service, s))
        if (reads(con_of(s)) && !term_in_background(con_of(s)))
            return s;
    return nullptr;
}

static void set_discipline(uint32_t mode)
{
    ldisc_set_mode(&term.ldisc, (mode & VX_CONSOLE_MODE_LINES) != 0, (mode & VX_CONSOLE_MODE_ECHO) != 0,
                   (mode & VX_CONSOLE_MODE_INTR) != 0);
    term.ldisc.jobs = term.front_group != 0;
}

void term_refresh(void)
{
    struct vx_session *front = reader();
    if (term.front_group != 0)
        set_discipline(term.mode);
    else if (front != nullptr)
        set_discipline(con_of(front)->mode);
    while (front != nullptr && reads(con_of(front)) && ldisc_readable(&term.ldisc)) {
        if (con_of(front)->pending == PENDING_KEYS)
            answer_keys(front, OK);
        else
            answer_line(front, OK);
        front = reader();
    }
}

void term_front_changed(void)
{
    for (struct vx_session *s = vx_session_next(term.service, nullptr); s != nullptr;
         s = vx_session_next(term.service, s)) {
        struct con *c = con_of(s);
        if (!term_in_background(c))
            continue;
        if (c->pending == PENDING_KEYS)
            answer_keys(s, ERR_NO_RIGHTS);
        else if (c->pending == PENDING_LINE)
            answer_line(s, ERR_NO_RIGHTS);
    }
    term_refresh();
}

void term_tell_signals(void)
{
    for (struct vx_session *s = vx_session_next(term.service, nullptr); s != nullptr && term.signals != 0;
         s = vx_session_next(term.service, s)) {
        struct con *c = con_of(s);
        if (c->pending != PENDING_SIGNAL)
            continue;
        c->pending = PENDING_NOTHING;
        vx_console_wait_signal_reply(s, c->sequence, OK,
                                     &(struct vx_console_wait_signal_reply){ .signals = term.signals,
                                                                             .group = term.front_group,
                                                                             .before = term.group_before });
        term.signals = 0;
    }
}

static bool tell_interrupt(struct vx_session *s)
{
    if (s == nullptr || con_of(s)->pending != PENDING_INTERRUPT)
        return false;
    struct con *c = con_of(s);
    c->pending = PENDING_NOTHING;
    vx_console_wait_interrupt_reply(s, c->sequence, OK,
                                    &(struct vx_console_wait_interrupt_reply){ .count = ++c->interrupts });
    return true;
}

/* ^C: the read in front is over, and one session hears of it. */
static void interrupt(void)
{
    struct vx_session *front = find(term.foreground);
    if (front == nullptr)
        return;
    if (con_of(front)->pending == PENDING_LINE)
        answer_line(front, ERR_INTERRUPTED);
    if (tell_interrupt(front) || tell_interrupt(find(con_of(front)->set_by)))
        return;
    for (struct vx_session *s = vx_session_next(term.service, nullptr); s != nullptr;
         s = vx_session_next(term.service, s))
        if (tell_interrupt(s))
            return;
}

static void keys_made_signal(ldisc_event_t event)
{
    term.signals |= event == LDISC_INTERRUPT ? VX_CONSOLE_SIGNAL_INTERRUPT
                    : event == LDISC_QUIT    ? VX_CONSOLE_SIGNAL_QUIT
                    : event == LDISC_SUSPEND ? VX_CONSOLE_SIGNAL_SUSPEND
                                             : 0;
    term_tell_signals();
}

void term_input(const uint8_t *bytes, size_t len)
{
    static struct ldisc_echo echo;
    for (size_t i = 0; i < len; i++) {
        uint8_t passed[WINSIZE_HELD_MAX];
        size_t n = winsize_feed(&term.size, bytes[i], passed);
        for (size_t k = 0; k < n; k++) {
            ldisc_event_t event = ldisc_input(&term.ldisc, passed[k], &echo);
            term_write_raw(echo.text, echo.len);
            if (term.front_group != 0)
                keys_made_signal(event);
            else if (event == LDISC_INTERRUPT)
                interrupt();
        }
    }
    term_refresh();
}

void term_expire(uint64_t now_ns)
{
    uint64_t next = VX_FOREVER;
    for (struct vx_session *s = vx_session_next(term.service, nullptr); s != nullptr;
         s = vx_session_next(term.service, s)) {
        struct con *c = con_of(s);
        if (c->pending != PENDING_KEYS)
            continue;
        if (c->deadline <= now_ns)
            answer_keys(s, ERR_TIMED_OUT);
        else if (c->deadline < next)
            next = c->deadline;
    }
    term.service->deadline_ns = next;
}

void term_cancel(struct vx_session *s)
{
    struct con *c = con_of(s);
    if (c->pending == PENDING_LINE)
        answer_line(s, ERR_INTERRUPTED);
    else if (c->pending == PENDING_KEYS)
        answer_keys(s, ERR_INTERRUPTED);
    else if (c->pending == PENDING_INTERRUPT)
        vx_console_wait_interrupt_reply(s, c->sequence, ERR_INTERRUPTED, nullptr);
    else if (c->pending == PENDING_SIGNAL)
        vx_console_wait_signal_reply(s, c->sequence, ERR_INTERRUPTED, nullptr);
    c->pending = PENDING_NOTHING;
}

status_t term_opened(struct vx_session *s)
{
    *con_of(s) = (struct con){ .id = ++term.last_id, .mode = VX_CONSOLE_MODE_NORMAL };
    if (find(term.foreground) == nullptr)
        term.foreground = con_of(s)->id;
    return OK;
}

static bool any_group(void)
{
    for (struct vx_session *s = vx_session_next(term.service, nullptr); s != nullptr;
         s = vx_session_next(term.service, s))
        if (con_of(s)->group != 0)
            return true;
    return false;
}

void term_closed(struct vx_session *s)
{
    struct con *c = con_of(s);
    if (c->buffer.raw != 0)
        (void)vx_sys_mem_free(c->buffer, 0, 0);
    c->group = 0;
    if (term.front_group != 0 && !any_group()) {
        term.front_group = 0;
        term.signals = 0;
        term_refresh();
    }
    if (term.foreground != c->id)
        return;
    struct vx_session *next = find(c->set_by);
    c->id = 0; /* so that it is not found again below */
    if (next == nullptr || next == s)
        for (next = vx_session_next(term.service, nullptr); next == s && next != nullptr;)
            next = vx_session_next(term.service, next);
    term.foreground = next != nullptr ? con_of(next)->id : 0;
    term_refresh();
}
