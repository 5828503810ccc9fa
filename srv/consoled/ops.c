/* SPDX-License-Identifier: MIT
 * The calls of abi/protocols/console.def. */
#include "term.h"
#include <vectra/string.h>
#include <vectra/time.h>

static struct con *con_of(struct vx_session *s)
{
    return s->state;
}

/* Sessions with a group share the terminal's mode while a group is in front. */
static uint32_t mode_of(const struct con *c)
{
    return c->group != 0 && term.front_group != 0 ? term.mode : c->mode;
}

/* Writes with the session's newline conversion. The kernel's console is asked once per piece. */
static void write_converted(const struct con *c, const uint8_t *bytes, size_t len)
{
    uint8_t out[512];
    size_t n = 0;
    if ((mode_of(c) & VX_CONSOLE_MODE_CRLF) == 0) {
        term_write_raw(bytes, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (n + 2 > sizeof out) {
            term_write_raw(out, n);
            n = 0;
        }
        if (bytes[i] == '\n')
            out[n++] = '\r';
        out[n++] = bytes[i];
    }
    term_write_raw(out, n);
}

static status_t op_write(struct vx_session *s, const struct vx_console_write_request *q,
                         struct vx_console_write_reply *a)
{
    write_converted(con_of(s), q->data, q->data_len);
    a->written = q->data_len;
    return OK;
}

static status_t op_read_line(struct vx_session *s, const struct vx_console_read_line_request *q,
                             struct vx_console_read_line_reply *a)
{
    (void)a;
    struct con *c = con_of(s);
    if ((mode_of(c) & VX_CONSOLE_MODE_LINES) == 0)
        return ERR_BUSY;
    if (term_in_background(c))
        return ERR_NO_RIGHTS;
    c->pending = PENDING_LINE;
    c->max = q->max;
    term_refresh();
    return VX_RPC_LATER;
}

static status_t op_read_keys(struct vx_session *s, const struct vx_console_read_keys_request *q,
                             struct vx_console_read_keys_reply *a)
{
    (void)a;
    struct con *c = con_of(s);
    if (term_in_background(c))
        return ERR_NO_RIGHTS;
    c->pending = PENDING_KEYS;
    c->deadline = q->deadline;
    term_refresh();
    term_expire(vx_clock_monotonic_ns());
    return VX_RPC_LATER;
}

static status_t op_set_mode(struct vx_session *s, const struct vx_console_set_mode_request *q,
                            struct vx_console_set_mode_reply *a)
{
    struct con *c = con_of(s);
    if ((q->mode & ~VX_CONSOLE_MODE_NORMAL) != 0)
        return ERR_BAD_ARGUMENT;
    a->previous = mode_of(c);
    c->mode = q->mode;
    if (c->group != 0)
        term.mode = q->mode;
    term_refresh();
    return OK;
}

/* The first question goes out when somebody asks; a terminal that never answers is never asked again. */
static status_t op_window_size(struct vx_session *s, struct vx_console_window_size_reply *a)
{
    (void)s;
    if (!term.size.awaited) {
        term.size.awaited = true;
        term_write_raw(WINSIZE_QUERY, sizeof WINSIZE_QUERY - 1);
    }
    a->columns = term.size.columns;
    a->rows = term.size.rows;
    return OK;
}

static status_t op_size(struct vx_session *s, struct vx_console_size_reply *a)
{
    (void)s;
    a->columns = term.size.columns;
    a->rows = term.size.rows;
    return OK;
}

static void bring_forward(const struct con *by, struct con *target)
{
    if (target != by)
        target->set_by = by->id;
    term.foreground = target->id;
    term_refresh();
}

static status_t op_dup(struct vx_session *s, const struct vx_console_dup_request *q, vx_ring_rx rx,
                       struct vx_console_dup_reply *a)
{
    const struct con *c = con_of(s);
    struct vx_session *made = nullptr;
    status_t st = vx_session_add(s->service, rx, (vx_ring_tx){}, s->badge, &made);
    if (st != OK)
        return st;
    con_of(made)->mode = mode_of(c);
    a->id = con_of(made)->id;
    if (q->front != 0 && (term.foreground == c->id || (q->also != 0 && term.foreground == q->also)))
        bring_forward(c, con_of(made));
    return OK;
}

static status_t op_set_foreground(struct vx_session *s, const struct vx_console_set_foreground_request *q,
                                  struct vx_console_set_foreground_reply *a)
{
    struct con *c = con_of(s), *target = q->id == 0 ? c : nullptr;
    for (struct vx_session *x = vx_session_next(s->service, nullptr); x != nullptr; x = vx_session_next(s->service, x))
        if (con_of(x)->id == q->id)
            target = con_of(x);
    if (target == nullptr)
        return ERR_NOT_FOUND;
    a->previous = term.foreground;
    bring_forward(c, target);
    return OK;
}

static status_t op_wait_interrupt(struct vx_session *s, struct vx_console_wait_interrupt_reply *a)
{
    (void)a;
    con_of(s)->pending = PENDING_INTERRUPT;
    return VX_RPC_LATER;
}

static status_t op_set_buffer(struct vx_session *s, vx_mem buffer, struct vx_console_set_buffer_reply *a)
{
    struct con *c = con_of(s);
    struct vx_cap_facts facts;
    void *at = nullptr;
    status_t st = vx_sys_cap_inspect(buffer.raw, &facts, nullptr);
    if (st == OK && (facts.type != VX_CAP_MEM || facts.b == 0 || facts.b % 4096 != 0))
        st = ERR_BAD_ARGUMENT;
    if (st == OK)
        st = vx_sys_mem_map(buffer, 0, facts.b, 0, VX_PROT_READ, &at);
    if (st != OK) {
        (void)vx_sys_cap_drop(buffer.raw);
        return st == ERR_NO_MEMORY ? st : ERR_BAD_ARGUMENT;
    }
    if (c->buffer.raw != 0)
        (void)vx_sys_mem_free(c->buffer, 0, 0);
    c->buffer = buffer;
    c->buffer_at = at;
    c->buffer_bytes = facts.b;
    a->bytes = facts.b;
    return OK;
}

static status_t op_write_buffer(struct vx_session *s, const struct vx_console_write_buffer_request *q,
                                struct vx_console_write_buffer_reply *a)
{
    struct con *c = con_of(s);
    if (c->buffer.raw == 0 || q->offset > c->buffer_bytes || q->length > c->buffer_bytes - q->offset)
        return ERR_BAD_ARGUMENT;
    uint8_t piece[512];
    while (a->written < q->length) {
        uint64_t left = q->length - a->written, done = 0;
        uint64_t want = left < sizeof piece ? left : sizeof piece;
        /* The client may take the memory away at any moment: the kernel copies, and says so. */
        status_t st = vx_sys_task_control(VX_SELF, VX_TASK_READ_MEM, (uintptr_t)(c->buffer_at + q->offset + a->written),
                                          (uintptr_t)piece, want, &done, nullptr);
        if (st != OK || done == 0 || done > want)
            return ERR_BAD_ARGUMENT;
        write_converted(c, piece, done);
        a->written += done;
    }
    return OK;
}

static status_t op_session(struct vx_session *s, struct vx_console_session_reply *a)
{
    struct con *c = con_of(s);
    a->id = c->id;
    a->foreground = term.foreground;
    a->mode = mode_of(c);
    for (struct vx_session *x = vx_session_next(s->service, nullptr); x != nullptr; x = vx_session_next(s->service, x))
        a->sessions++;
    return OK;
}

static status_t op_set_group(struct vx_session *s, const struct vx_console_set_group_request *q)
{
    con_of(s)->group = q->group;
    if (term_in_background(con_of(s)))
        term_front_changed();
    return OK;
}

/* The first front group takes over the mode of the session that sets it. */
static status_t op_set_front_group(struct vx_session *s, const struct vx_console_set_front_group_request *q)
{
    if (term.front_group == 0) {
        term.mode = con_of(s)->mode;
        term.attributes_len = 0;
    }
    if (term.front_group != q->group)
        term.group_before = term.front_group;
    term.front_group = q->group;
    term_front_changed();
    return OK;
}

static status_t op_front_group(struct vx_session *s, struct vx_console_front_group_reply *a)
{
    (void)s;
    a->group = term.front_group;
    return OK;
}

static status_t op_wait_signal(struct vx_session *s, struct vx_console_wait_signal_reply *a)
{
    (void)a;
    con_of(s)->pending = PENDING_SIGNAL;
    term_tell_signals();
    return VX_RPC_LATER;
}

static status_t op_set_attributes(struct vx_session *s, const struct vx_console_set_attributes_request *q)
{
    (void)s;
    term.attributes_len = q->data_len;
    memcpy(term.attributes, q->data, q->data_len);
    return OK;
}

static status_t op_attributes(struct vx_session *s, struct vx_console_attributes_reply *a)
{
    (void)s;
    a->data_len = term.front_group != 0 ? term.attributes_len : 0;
    memcpy(a->data, term.attributes, a->data_len);
    return OK;
}

const struct vx_console_ops term_ops = {
    .write = op_write,
    .read_line = op_read_line,
    .read_keys = op_read_keys,
    .set_mode = op_set_mode,
    .window_size = op_window_size,
    .dup = op_dup,
    .set_foreground = op_set_foreground,
    .wait_interrupt = op_wait_interrupt,
    .set_buffer = op_set_buffer,
    .write_buffer = op_write_buffer,
    .session = op_session,
    .size = op_size,
    .set_group = op_set_group,
    .set_front_group = op_set_front_group,
    .front_group = op_front_group,
    .wait_signal = op_wait_signal,
    .set_attributes = op_set_attributes,
    .attributes = op_attributes,
};
