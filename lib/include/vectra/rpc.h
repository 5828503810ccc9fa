/* SPDX-License-Identifier: MIT
 * Remote calls over a connection: a Ring for requests and one for replies. The typed calls are generated from
 * abi/protocols (vectra/rpc_NAME.h): vx_NAME_op() calls and waits; vx_NAME_op_start() and _finish() are its halves.
 * A connection belongs to one thread at a time, and has one call under way. */
#pragma once
#include <abi/rpc.h>
#include <vectra/handles.h>
#include <vectra/syscall.h>

struct vx_client {
    vx_ring_tx tx;
    vx_ring_rx rx;
    uint16_t sequence;
    uint64_t timeout_ns; /* of each call; 0: wait for ever */
};

/* What a server's handler answers when the reply will come later, through the generated _reply(). */
static constexpr status_t VX_RPC_LATER = (status_t)1;

static inline struct vx_client vx_client_over(vx_ring_tx tx, vx_ring_rx rx)
{
    return (struct vx_client){ .tx = tx, .rx = rx };
}

/* The connection of a Bundle: slots "NAME.tx" and "NAME.rx"; without the latter the Ring for replies is made here,
 * once. NOT_FOUND. */
status_t vx_client_from_bundle(struct vx_client *c, const char *name);
void vx_client_close(struct vx_client *c);
/* Makes the Ring for replies, and tells the service, if there is none yet: before the first call. */
status_t vx_client_begin(struct vx_client *c);

/* Sends `m` (operation in its head) and waits for its reply, which replaces it. A capability in the reply goes to *cap
 * (nullptr: dropped). `cap_sent`: a capability to send along, or 0. Answers the transport's error or the reply's
 * status. After TIMED_OUT or INTERRUPTED a late reply is recognised and dropped by the next call. */
status_t vx_rpc_call(struct vx_client *c, struct vx_message *m, vx_handle_t cap_sent, vx_handle_t *cap,
                     uint64_t deadline);
status_t vx_rpc_start(struct vx_client *c, struct vx_message *m, vx_handle_t cap_sent, uint64_t deadline);
status_t vx_rpc_finish(struct vx_client *c, struct vx_message *m, vx_handle_t *cap, uint64_t deadline);

/* Makes two Rings from `payer`; fills one's own ends into *c, the server's into *requests and *replies. */
status_t vx_rpc_pair(vx_reticle payer, struct vx_client *c, vx_ring_rx *requests, vx_ring_tx *replies);
/* Only the Ring for requests: a connection to be handed on, or to begin (vx_client_begin). */
status_t vx_rpc_half(vx_reticle payer, struct vx_client *c, vx_ring_rx *requests);

/* Through the naming service: a fresh connection to the service of that name. NOT_FOUND, NO_RIGHTS. */
status_t vx_connect(const char *name, struct vx_client *c);
/* A second connection to the same terminal session group (console protocol). *id names it for
 * vx_console_set_foreground. */
status_t vx_tty_dup(struct vx_client *tty, struct vx_client *c, uint32_t *id);
/* The same for a child, without a Ring for replies: move its end into the child's Bundle. front: it comes to the
 * foreground if this session, or the one called `also` (0: none), is there. */
status_t vx_tty_dup_for_child(struct vx_client *tty, bool front, uint32_t also, struct vx_client *c);
