/* SPDX-License-Identifier: MIT
 * The service runtime. One thread; sessions live in one array that never moves, so a pointer to one stays good while
 * the service runs. The invariants are those of vectra/service.h. */
#include <vectra/service.h>
#include <vectra/alloc.h>
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/rpc_inbox.h>
#include <vectra/rpc_init.h>
#include <vectra/string.h>
#include <vectra/time.h>

enum { INBOX_BIT = 0, CLIENT_BIT = 1, CLIENT_BITS = 31, MESSAGES_PER_TURN = 16 };
enum { SESSION_FREE = 0, SESSION_HALF = 1, SESSION_OPEN = 2 };

static unsigned session_bit(const struct vx_session *s)
{
    return CLIENT_BIT + s->index % CLIENT_BITS;
}

static void drop(vx_handle_t handle)
{
    if (handle != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(handle); /* a handle that moved away meanwhile is as good as dropped */
}

static struct vx_session *session_take(struct vx_service *svc)
{
    for (uint16_t i = 0; i < svc->sessions_max; i++) {
        struct vx_session *s = &svc->sessions[i];
        if (s->open != SESSION_FREE)
            continue;
        void *state = s->state;
        if (state == nullptr && svc->session_bytes != 0 && (state = vx_alloc(svc->session_bytes)) == nullptr)
            return nullptr;
        if (state != nullptr)
            memset(state, 0, svc->zeroed_bytes != 0 ? svc->zeroed_bytes : svc->session_bytes);
        *s = (struct vx_session){ .service = svc, .state = state, .index = i, .open = SESSION_HALF };
        if (i >= svc->n_used)
            svc->n_used = (uint16_t)(i + 1);
        return s;
    }
    return nullptr;
}

static void session_drop(struct vx_session *s)
{
    drop(s->rx.raw);
    drop(s->tx.raw);
    s->rx = (vx_ring_rx){};
    s->tx = (vx_ring_tx){};
    s->open = SESSION_FREE;
}

/* Both ends are there: announce it, and listen. */
static status_t session_complete(struct vx_session *s)
{
    s->open = SESSION_OPEN;
    s->service->bits |= UINT64_C(1) << session_bit(s);
    status_t st = vx_sys_bind(s->rx.raw, session_bit(s));
    if (st == OK && s->service->opened != nullptr)
        st = s->service->opened(s);
    if (st != OK)
        session_drop(s);
    return st;
}

static void session_end(struct vx_session *s)
{
    if (s->service->closed != nullptr)
        s->service->closed(s);
    session_drop(s);
}

status_t vx_session_add(struct vx_service *svc, vx_ring_rx rx, vx_ring_tx tx, uint64_t badge, struct vx_session **out)
{
    struct vx_session *s = session_take(svc);
    if (s == nullptr) {
        drop(rx.raw);
        drop(tx.raw);
        return ERR_TABLE_FULL;
    }
    s->rx = rx;
    s->tx = tx;
    s->badge = badge;
    status_t st = session_complete(s);
    if (st == OK && out != nullptr)
        *out = s;
    return st;
}

void vx_session_close(struct vx_session *s)
{
    s->closing = 1;
    (void)vx_sys_signal_post(VX_HANDLE_NONE, UINT64_C(1) << session_bit(s));
}

struct vx_session *vx_session_next(struct vx_service *svc, struct vx_session *after)
{
    for (unsigned i = after == nullptr ? 0 : after->index + 1u; i < svc->n_used; i++) {
        if (svc->sessions[i].open == SESSION_OPEN)
            return &svc->sessions[i];
    }
    return nullptr;
}

void vx_session_send(struct vx_session *s, struct vx_message *message, vx_handle_t cap)
{
    status_t st = cap != VX_HANDLE_NONE ? vx_sys_ring_send_cap(s->tx, message, cap, VX_POLL)
                                        : vx_sys_ring_send(s->tx, message, VX_POLL);
    drop(cap);
    if (st != OK)
        vx_session_close(s); /* invariant 3 */
}

static void session_dispatch(struct vx_session *s, struct vx_incoming *in)
{
    uint64_t head = in->message.word[0];
    s->sequence = vx_rpc_sequence(head);
    status_t st = s->service->dispatch(s, in);
    drop(in->cap);
    if (st == VX_RPC_LATER)
        return;
    in->message.word[0] = vx_rpc_head(vx_rpc_op(head), s->sequence, st);
    if (st != OK) {
        memset(&in->message.word[1], 0, VX_RPC_PAYLOAD);
        drop(in->cap_reply);
        in->cap_reply = VX_HANDLE_NONE;
    }
    vx_session_send(s, &in->message, in->cap_reply);
}

/* The Ring for replies of a connection that came without. */
static void session_begins(struct vx_session *s, const struct vx_incoming *in)
{
    if (s->tx.raw != VX_HANDLE_NONE || in->cap == VX_HANDLE_NONE) {
        drop(in->cap);
        s->closing = 1;
        return;
    }
    s->tx = (vx_ring_tx){ in->cap };
}

/* Takes what this session sent, a bounded number at a time so that no client keeps the others waiting. */
static void session_turn(struct vx_session *s)
{
    for (unsigned i = 0; i < MESSAGES_PER_TURN && !s->closing; i++) {
        struct vx_incoming in = {};
        status_t st = vx_sys_ring_try_recv_cap(s->rx, &in.message, &in.cap);
        if (st == ERR_WOULD_BLOCK)
            return;
        if (st != OK)
            s->closing = 1;
        else if (vx_rpc_op(in.message.word[0]) == VX_RPC_OP_REPLIES)
            session_begins(s, &in);
        else
            session_dispatch(s, &in);
    }
    if (s->closing)
        session_end(s);
    else
        (void)vx_sys_signal_post(VX_HANDLE_NONE, UINT64_C(1) << session_bit(s));
}

static status_t accept_requests(struct vx_service *svc, uint64_t badge, vx_ring_rx rx)
{
    for (unsigned i = 0; i < svc->n_used; i++) {
        struct vx_session *old = &svc->sessions[i];
        if (old->open == SESSION_HALF && old->badge == badge)
            session_drop(old); /* its second half never came */
    }
    struct vx_session *s = session_take(svc);
    if (s == nullptr) {
        drop(rx.raw);
        return ERR_TABLE_FULL;
    }
    s->badge = badge;
    s->rx = rx;
    return OK;
}

static status_t accept_replies(struct vx_service *svc, uint64_t badge, vx_ring_tx tx)
{
    for (unsigned i = 0; i < svc->n_used; i++) {
        struct vx_session *s = &svc->sessions[i];
        if (s->open == SESSION_HALF && s->badge == badge) {
            s->tx = tx;
            return session_complete(s);
        }
    }
    drop(tx.raw);
    return ERR_NOT_FOUND;
}

/* Notes have no reply, so a handler's status ends here. */
static void inbox_message(struct vx_service *svc, struct vx_incoming *in)
{
    struct vx_inbox_accept_requests_request q;
    memcpy(&q, &in->message.word[1], sizeof q);
    switch (vx_rpc_op(in->message.word[0])) {
    case VX_INBOX_ACCEPT_REQUESTS:
        (void)accept_requests(svc, q.badge, (vx_ring_rx){ in->cap });
        return;
    case VX_INBOX_ACCEPT_REPLIES:
        (void)accept_replies(svc, q.badge, (vx_ring_tx){ in->cap });
        return;
    case VX_INBOX_SHUTDOWN:
        svc->stopping = true;
        break;
    default:
        if (svc->on_inbox != nullptr)
            svc->on_inbox(svc, in);
        break;
    }
    drop(in->cap);
}

static status_t inbox_bind(struct vx_service *svc, vx_ring_rx inbox)
{
    svc->inbox = inbox;
    return inbox.raw == VX_HANDLE_NONE ? OK : vx_sys_bind(inbox.raw, INBOX_BIT);
}

/* The other end went with namingd: ask initd for a new inbox, or live on with the clients that are there. */
static void inbox_renew(struct vx_service *svc)
{
    vx_ring_rx fresh = {};
    drop(svc->inbox.raw);
    svc->inbox = (vx_ring_rx){};
    if (svc->init.tx.raw == VX_HANDLE_NONE || vx_init_inbox(&svc->init, &fresh) != OK)
        return;
    if (inbox_bind(svc, fresh) != OK)
        svc->inbox = (vx_ring_rx){};
}

static void inbox_turn(struct vx_service *svc)
{
    while (svc->inbox.raw != VX_HANDLE_NONE && !svc->stopping) {
        struct vx_incoming in = {};
        status_t st = vx_sys_ring_try_recv_cap(svc->inbox, &in.message, &in.cap);
        if (st == ERR_WOULD_BLOCK || st == ERR_TABLE_FULL)
            return;
        if (st == OK)
            inbox_message(svc, &in);
        else
            inbox_renew(svc);
    }
}

static status_t service_check_needs(const struct vx_service *svc)
{
    for (size_t i = 0; i < svc->n_needs; i++) {
        const struct vx_need *n = &svc->needs[i];
        if (!n->optional && vx_bundle_cap(n->name, n->type) == VX_HANDLE_NONE) {
            vx_printf("%s: the Bundle has no %s capability \"%s\"\n", svc->name, vx_cap_type_name(n->type), n->name);
            return ERR_NOT_FOUND;
        }
    }
    return OK;
}

status_t vx_service_start(struct vx_service *svc)
{
    status_t st = service_check_needs(svc);
    if (st != OK)
        return st;
    svc->sessions = vx_alloc_zero(svc->sessions_max, sizeof *svc->sessions);
    if (svc->sessions == nullptr)
        return ERR_NO_MEMORY;
    svc->bits |= (UINT64_C(1) << INBOX_BIT) | svc->own_bits;
    st = inbox_bind(svc, vx_bundle_ring_rx("inbox.rx"));
    if (st == OK && vx_client_from_bundle(&svc->init, "init") == OK)
        st = vx_init_ready(&svc->init);
    return st;
}

static void service_turn(struct vx_service *svc, uint64_t fired)
{
    svc->bits |= svc->own_bits;
    if ((fired & (UINT64_C(1) << INBOX_BIT)) != 0)
        inbox_turn(svc);
    for (unsigned i = 0; i < svc->n_used; i++) {
        struct vx_session *s = &svc->sessions[i];
        if (s->open == SESSION_OPEN && (fired & UINT64_C(1) << session_bit(s)) != 0)
            session_turn(s);
    }
    if ((fired & svc->own_bits) != 0 && svc->on_signal != nullptr)
        svc->on_signal(svc, fired & svc->own_bits);
}

status_t vx_service_run(struct vx_service *svc)
{
    status_t st = svc->sessions == nullptr ? vx_service_start(svc) : OK;
    if (st != OK) {
        vx_printf("%s: cannot start: %s\n", svc->name, vx_status_name(st));
        return st;
    }
    while (!svc->stopping) {
        uint64_t fired = 0, deadline = svc->deadline_ns == 0 ? VX_FOREVER : svc->deadline_ns;
        st = vx_sys_signal_wait(svc->bits | svc->own_bits, deadline, &fired);
        if (st == OK)
            service_turn(svc, fired);
        else if (st != ERR_TIMED_OUT && st != ERR_INTERRUPTED && st != ERR_WOULD_BLOCK)
            return st;
        if (deadline != VX_FOREVER && svc->on_deadline != nullptr && vx_clock_monotonic_ns() >= deadline)
            svc->on_deadline(svc, vx_clock_monotonic_ns());
    }
    return OK;
}
