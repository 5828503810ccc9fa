/* SPDX-License-Identifier: MIT
 * Opening, and what the connections need of it. */
#pragma once
#include "ops.h"

status_t call_open(struct vx_session *s, const struct vx_vfs_open_request *q, struct vx_vfs_open_reply *a);
status_t call_reopen(struct vx_session *s, const struct vx_vfs_reopen_request *q, struct vx_vfs_reopen_reply *a);
status_t call_give(struct vx_session *s, const struct vx_vfs_give_request *q);
void session_forget(struct connection *c, const struct mount *m);
void gifts_drop(struct connection *c);
