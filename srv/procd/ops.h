/* SPDX-License-Identifier: MIT
 * The calls of abi/protocols/proc.def, over connections of the service runtime. */
#pragma once
#include <vectra/service.h>

/* Of zeroed state for each session. */
extern const size_t ops_session_bytes;
status_t ops_dispatch(struct vx_session *s, struct vx_incoming *in);
void ops_closed(struct vx_session *s);
