/* SPDX-License-Identifier: MIT
 * The client's side of a connection. */
#include <vectra/rpc.h>
#include <vectra/bundle.h>
#include <vectra/thread.h>
#include <vectra/string.h>
#include <vectra/time.h>

enum { PAIR_SLOTS = 8, BEGUN_MAX = 8 }; /* BEGUN_MAX: a Bundle's connections have few names */

/* The Rings for replies that were made for connections of the Bundle: asked for again, they are the same. */
static struct vx_client begun[BEGUN_MAX];
static struct vx_mutex begun_lock;

static status_t begin_once(struct vx_client *c)
{
    status_t st = ERR_TABLE_FULL;
    vx_mutex_lock(&begun_lock);
    for (unsigned i = 0; i < BEGUN_MAX; i++) {
        if (begun[i].tx.raw == c->tx.raw) {
            c->rx = begun[i].rx;
            st = OK;
            break;
        }
        if (begun[i].tx.raw == VX_HANDLE_NONE) {
            st = vx_client_begin(c);
            if (st == OK)
                begun[i] = *c;
            break;
        }
    }
    vx_mutex_unlock(&begun_lock);
    return st;
}

status_t vx_client_from_bundle(struct vx_client *c, const char *name)
{
    char slot[VX_SLOT_NAME_MAX];
    size_t len = strnlen(name, sizeof slot);
    if (len + sizeof ".tx" > sizeof slot)
        return ERR_BAD_ARGUMENT;
    memcpy(slot, name, len);
    memcpy(slot + len, ".tx", sizeof ".tx");
    vx_ring_tx tx = vx_bundle_ring_tx(slot);
    memcpy(slot + len, ".rx", sizeof ".rx");
    vx_ring_rx rx = vx_bundle_ring_rx(slot);
    if (tx.raw == VX_HANDLE_NONE)
        return ERR_NOT_FOUND;
    *c = vx_client_over(tx, rx);
    return rx.raw != VX_HANDLE_NONE ? OK : begin_once(c);
}

static void drop(vx_handle_t handle)
{
    if (handle != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(handle); /* already gone is as good */
}

void vx_client_close(struct vx_client *c)
{
    drop(c->tx.raw);
    drop(c->rx.raw);
    *c = (struct vx_client){};
}

static void stamp(struct vx_client *c, struct vx_message *m)
{
    m->word[0] = vx_rpc_head(vx_rpc_op(m->word[0]), ++c->sequence, OK);
}

static uint64_t deadline_of(const struct vx_client *c, uint64_t deadline)
{
    if (c->timeout_ns == 0)
        return deadline;
    uint64_t own = vx_deadline_in(c->timeout_ns);
    return own < deadline ? own : deadline;
}

/* `st` is the outcome of receiving `m`: goes on receiving past late replies to calls that were given up. */
static status_t settle(struct vx_client *c, status_t st, struct vx_message *m, vx_handle_t got, vx_handle_t *cap,
                       uint64_t deadline)
{
    while (st == OK && vx_rpc_sequence(m->word[0]) != c->sequence) {
        drop(got);
        got = VX_HANDLE_NONE;
        st = vx_sys_ring_recv_cap(c->rx, m, deadline, &got);
    }
    if (st == OK)
        st = vx_rpc_status(m->word[0]);
    if (st == OK && cap != nullptr)
        *cap = got;
    else
        drop(got);
    return st;
}

status_t vx_rpc_start(struct vx_client *c, struct vx_message *m, vx_handle_t cap_sent, uint64_t deadline)
{
    stamp(c, m);
    deadline = deadline_of(c, deadline);
    return cap_sent == VX_HANDLE_NONE ? vx_sys_ring_send(c->tx, m, deadline)
                                      : vx_sys_ring_send_cap(c->tx, m, cap_sent, deadline);
}

status_t vx_rpc_finish(struct vx_client *c, struct vx_message *m, vx_handle_t *cap, uint64_t deadline)
{
    vx_handle_t got = VX_HANDLE_NONE;
    deadline = deadline_of(c, deadline);
    status_t st = vx_sys_ring_recv_cap(c->rx, m, deadline, &got);
    return settle(c, st, m, got, cap, deadline);
}

status_t vx_rpc_call(struct vx_client *c, struct vx_message *m, vx_handle_t cap_sent, vx_handle_t *cap,
                     uint64_t deadline)
{
    if (cap_sent != VX_HANDLE_NONE) {
        status_t st = vx_rpc_start(c, m, cap_sent, deadline);
        return st != OK ? st : vx_rpc_finish(c, m, cap, deadline);
    }
    stamp(c, m);
    vx_handle_t got = VX_HANDLE_NONE;
    deadline = deadline_of(c, deadline);
    status_t st = vx_sys_ring_call(c->tx, m, c->rx, m, deadline, &got);
    return settle(c, st, m, got, cap, deadline);
}

status_t vx_rpc_half(vx_reticle payer, struct vx_client *c, vx_ring_rx *requests)
{
    *c = (struct vx_client){};
    return vx_sys_ring_create(payer, PAIR_SLOTS, VX_RING_CAPS, &c->tx, requests);
}

status_t vx_client_begin(struct vx_client *c)
{
    struct vx_message m = { .word = { vx_rpc_head(VX_RPC_OP_REPLIES, 0, OK) } };
    vx_ring_tx replies = {};
    vx_ring_rx rx = {};
    if (c->rx.raw != VX_HANDLE_NONE)
        return OK;
    status_t st = vx_sys_ring_create(VX_OWN_RETICLE, PAIR_SLOTS, VX_RING_CAPS, &replies, &rx);
    if (st != OK)
        return st;
    do
        st = vx_sys_ring_send_cap(c->tx, &m, replies.raw, VX_FOREVER);
    while (st == ERR_INTERRUPTED);
    if (st != OK) {
        drop(replies.raw);
        drop(rx.raw);
        return st;
    }
    c->rx = rx;
    return OK;
}

status_t vx_rpc_pair(vx_reticle payer, struct vx_client *c, vx_ring_rx *requests, vx_ring_tx *replies)
{
    vx_ring_rx rx = {};
    status_t st = vx_rpc_half(payer, c, requests);
    if (st != OK)
        return st;
    st = vx_sys_ring_create(payer, PAIR_SLOTS, VX_RING_CAPS, replies, &rx);
    if (st != OK) {
        drop(c->tx.raw);
        drop(requests->raw);
        return st;
    }
    c->rx = rx;
    return OK;
}
