/* SPDX-License-Identifier: MIT
 * The service runtime: an inbox, a signal loop, and many client connections, several behind each signal bit.
 *
 * A service's Bundle holds "inbox.rx" (new connections arrive there, abi/protocols/inbox.def), "init.tx" and "init.rx"
 * (its line to initd). It declares its footprint in a struct vx_service; vx_service_run checks the Bundle against it,
 * reports ready, and serves. When the inbox closes (namingd ended) it asks initd for a new one and goes on.
 *
 *  1. Signal bit 0 is the inbox, bits 1 to 31 are clients; bits 32 to 63 belong to the service (on_signal).
 *  2. A session's ends are dropped exactly once, in session_close, after `closed` ran.
 *  3. No client can make the service wait: a reply that does not fit at once closes that client's session. */
#pragma once
#include <abi/rpc.h>
#include <vectra/handles.h>
#include <vectra/rpc.h>

#define VX_SERVICE_BIT_FIRST 32u

struct vx_service;

struct vx_session {
    vx_ring_rx rx;
    vx_ring_tx tx;
    uint64_t badge; /* who it is, as the one who opened it says */
    struct vx_service *service;
    void *state; /* session_bytes of memory of the service's, zeroed as it wishes */
    uint16_t index;
    uint16_t sequence; /* of the request under way: what a put-off reply needs */
    uint8_t open;      /* 0 free, 1 has rx only, 2 complete */
    uint8_t closing;
};

/* One message of a session as the generated dispatch takes and answers it. */
struct vx_incoming {
    struct vx_message message; /* the request, then the reply */
    vx_handle_t cap;           /* that came along; dropped after dispatch unless the handler takes it (sets 0) */
    vx_handle_t cap_reply;     /* to send along with the reply: moved */
};

/* A capability that a service's Bundle must (or may) hold. */
struct vx_need {
    const char *name;
    vx_cap_type_t type;
    bool optional;
};

struct vx_service {
    const char *name;
    const struct vx_need *needs;
    size_t n_needs;
    size_t session_bytes;
    size_t zeroed_bytes; /* how many of them a new session finds zero, from the first; 0: all */
    uint16_t sessions_max;
    /* Fills the reply into in->message; its status, or VX_RPC_LATER. Usually: return vx_NAME_dispatch(&ops, s, in). */
    status_t (*dispatch)(struct vx_session *s, struct vx_incoming *in);
    /* A session is complete / about to be dropped. Either may be nullptr. A refusal drops it. */
    status_t (*opened)(struct vx_session *s);
    void (*closed)(struct vx_session *s);
    /* Bits 32 to 63 that fired; own_bits says which to wait for. May be nullptr. */
    void (*on_signal)(struct vx_service *svc, uint64_t bits);
    uint64_t own_bits;
    /* Called when `deadline` has passed; it must move or clear it (VX_FOREVER). May be nullptr. */
    void (*on_deadline)(struct vx_service *svc, uint64_t now_ns);
    uint64_t deadline_ns; /* set VX_FOREVER when unused; 0 is read as that */
    /* An inbox message beyond accept (naming's grants). Handler owns in->cap as in dispatch. May be nullptr. */
    void (*on_inbox)(struct vx_service *svc, struct vx_incoming *in);
    void *state;
    /* the runtime's own */
    struct vx_session *sessions;
    uint16_t n_used; /* sessions[0, n_used) were ever open */
    uint64_t bits;   /* to wait for */
    struct vx_client init;
    vx_ring_rx inbox;
    bool stopping; /* set it to leave vx_service_run */
};

/* The first part of vx_service_run, for a service that adds sessions before it serves: checks the Bundle, makes the
 * session table, reports ready. vx_service_run then only serves. */
status_t vx_service_start(struct vx_service *svc);
/* Checks the Bundle, reports ready, serves. Returns OK after a shutdown note or when told to stop, else what went wrong
 * (printed). */
status_t vx_service_run(struct vx_service *svc);

/* A reply that was put off. message: head already set by the generated _reply(). */
void vx_session_send(struct vx_session *s, struct vx_message *message, vx_handle_t cap);
/* Ends a session after the current dispatch. */
void vx_session_close(struct vx_session *s);
/* Adds a session to a service that was made outside the inbox (a dup of another session). tx may be none: the client
 * brings it along (VX_RPC_OP_REPLIES). TABLE_FULL, or the refusal of
 * `opened`; both ends are dropped then. */
status_t vx_session_add(struct vx_service *svc, vx_ring_rx rx, vx_ring_tx tx, uint64_t badge, struct vx_session **out);
/* Iterates the complete sessions: pass nullptr for the first. */
struct vx_session *vx_session_next(struct vx_service *svc, struct vx_session *after);
