/* SPDX-License-Identifier: MIT
 * Names of local sockets, and the connections that come of them. The memory of a connection is this service's, so that
 * the end of one side takes nothing away from the other. Whoever has a connection to this service may bind a name and
 * connect to one; what a name is worth beyond that is between the two.
 *
 *  1. A name has one owner, a connection of a process; it goes with it. Names are compared byte by byte.
 *  2. A connection is kept while a side holds its memory, or it waits to be accepted. */
#pragma once
#include "table.h"

enum : uint32_t { NAME_BYTES = 108, NAMES_MAX = 64, BACKLOG_MAX = 16 };

/* What a session has said of a name, and which connection its next calls are about. */
struct naming {
    uint8_t name[NAME_BYTES];
    uint32_t connection;
};

/* The session is gone: its names are free. */
void names_closed(struct vx_session *s);

/* A connection's memory, for a reply: a capability to be moved. 0: there is none. */
vx_handle_t names_memory(uint32_t connection, unsigned direction);
vx_handle_t names_door(uint32_t connection);
status_t names_bind(struct vx_session *s, const uint8_t *name, uint32_t length);
status_t names_unbind(struct vx_session *s, const uint8_t *name, uint32_t length);
/* *door: for a reply. */
status_t names_listen(struct vx_session *s, const uint8_t *name, uint32_t length, vx_mem *door);
/* The process goes on under another connection. */
void names_move(struct vx_session *from, struct vx_session *to);
status_t names_connect(const uint8_t *name, uint32_t length, uint32_t *connection);
status_t names_accept(const uint8_t *name, uint32_t length, uint32_t *connection);
bool names_peer_gone(uint32_t connection);
