/* SPDX-License-Identifier: MIT
 * The controlling terminals of sessions: on each, a connection over which the terminal tells of the keys that make
 * signals. Invariant: a terminal belongs to one session and a session has at most one; `waiting` is true while a
 * wait_signal is under way. */
#pragma once
#include <vectra/service.h>

enum : uint32_t { TERMINALS_MAX = 16 };

/* Takes over the connection. TABLE_FULL. */
status_t terminal_open(uint32_t session, struct vx_client *client);
/* The group in front, or nullptr. */
uint32_t *terminal_front(uint32_t session);
/* SIGHUP to whom is in front; the terminal is nobody's then. */
void terminal_leader_ended(uint32_t session);
/* A bit of ours fired. */
void terminal_signals(struct vx_service *svc, uint64_t bits);
/* The bits of terminals: what the service waits for. */
uint64_t terminal_bits(void);
