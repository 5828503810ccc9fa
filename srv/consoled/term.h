/* SPDX-License-Identifier: MIT
 * The terminal: which session is in front, who reads, who is told of ^C. All state of the service outside the UART.
 *
 * Invariants:
 *  1. Session ids start with 1 and are never used twice. foreground is 0 (no session) or the id of an open session.
 *  2. A session has at most one call under way: `pending` says which. It is answered exactly once, or dies with it.
 *  3. A client's shared buffer is read only through the kernel's copy, so that taking it away hurts nobody else. */
#pragma once
#include "ldisc.h"
#include "winsize.h"
#include <vectra/rpc_console.h>

typedef enum pending : uint8_t { PENDING_NOTHING, PENDING_LINE, PENDING_KEYS, PENDING_INTERRUPT } pending_t;

/* One session's part, in vx_session.state. */
struct con {
    uint32_t id;
    uint32_t set_by; /* the session that brought this one to the foreground; 0: none */
    uint32_t mode;   /* VX_CONSOLE_MODE_* */
    uint32_t interrupts;
    pending_t pending;
    uint16_t sequence; /* of the call under way */
    uint32_t max;
    uint64_t deadline;
    vx_ring_rx half; /* the first half of a dup */
    vx_mem buffer;
    uint8_t *buffer_at;
    uint64_t buffer_bytes;
};

struct term {
    struct vx_service *service;
    vx_console console;
    uint32_t last_id;
    uint32_t foreground;
    struct ldisc ldisc;
    struct winsize size;
};
extern struct term term;

/* Sends bytes to the console as they are. */
void term_write_raw(const void *bytes, size_t len);
/* The bytes a person typed. */
void term_input(const uint8_t *bytes, size_t len);
/* Brings the line discipline in step with the foreground session, and answers its read if it can be. */
void term_refresh(void);
/* Answers reads whose time is up, and sets the service's next deadline. */
void term_expire(uint64_t now_ns);

/* Answers the call under way, if there is one, with INTERRUPTED. */
void term_cancel(struct vx_session *s);
status_t term_opened(struct vx_session *s);
void term_closed(struct vx_session *s);
extern const struct vx_console_ops term_ops;
