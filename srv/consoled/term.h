/* SPDX-License-Identifier: MIT
 * The terminal: which session is in front, who reads, who is told of ^C. All state of the service outside the UART.
 *
 * Invariants:
 *  1. Session ids start with 1 and are never used twice. foreground is 0 (no session) or the id of an open session.
 *  2. A session has at most one call under way: `pending` says which. It is answered exactly once, or dies with it.
 *  3. With a front group, readers are the sessions of that group and those without one; the mode and the attributes are
 *     the terminal's. Without, the foreground session alone reads, in its own mode.
 *  4. A client's shared buffer is read only through the kernel's copy, so that taking it away hurts nobody else. */
#pragma once
#include "ldisc.h"
#include "winsize.h"
#include <vectra/rpc_console.h>

typedef enum pending : uint8_t {
    PENDING_NOTHING,
    PENDING_LINE,
    PENDING_KEYS,
    PENDING_INTERRUPT,
    PENDING_SIGNAL
} pending_t;

/* One session's part, in vx_session.state. */
struct con {
    uint32_t id;
    uint32_t set_by; /* the session that brought this one to the foreground; 0: none */
    uint32_t mode;   /* VX_CONSOLE_MODE_* */
    uint32_t interrupts;
    uint32_t group;
    pending_t pending;
    uint16_t sequence; /* of the call under way */
    uint32_t max;
    uint64_t deadline;
    vx_mem buffer;
    uint8_t *buffer_at;
    uint64_t buffer_bytes;
};

struct term {
    struct vx_service *service;
    vx_console console;
    uint32_t last_id;
    uint32_t foreground;
    uint32_t front_group;  /* 0: none */
    uint32_t group_before; /* in front before that one */
    uint32_t mode;         /* of the sessions that have a group */
    uint32_t signals;      /* VX_CONSOLE_SIGNAL_* that nobody has been told of */
    uint8_t attributes_len, attributes[48];
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
/* True when the session may not read now, because another group is in front. */
bool term_in_background(const struct con *c);
/* Another group is in front: reads of the background end. */
void term_front_changed(void);
/* Tells who waits for it about keys that made signals. */
void term_tell_signals(void);
/* Answers reads whose time is up, and sets the service's next deadline. */
void term_expire(uint64_t now_ns);

/* Answers the call under way, if there is one, with INTERRUPTED. */
void term_cancel(struct vx_session *s);
status_t term_opened(struct vx_session *s);
void term_closed(struct vx_session *s);
extern const struct vx_console_ops term_ops;
