/* SPDX-License-Identifier: MIT
 * What process.c needs of the terminal. */
#pragma once
#include "posix.h"
#include <vectra/rpc.h>

/* True when the Bundle holds a session. */
bool px_console_has_session(void);
/* A further session for whatever; the group in front. */
status_t px_console_dup(struct vx_client *session, uint32_t *id);
status_t px_console_set_front(uint32_t group);
/* The terminal is another Task's from now on. */
void px_console_leave(void);
/* A further session for a child; with `front` in front if we are. False without one. */
bool px_console_for_child(struct vx_client *session, bool front);
