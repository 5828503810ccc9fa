/* SPDX-License-Identifier: MIT
 * What process.c needs of the terminal. */
#pragma once
#include "posix.h"
#include <vectra/rpc.h>

/* True when the Bundle holds a session. */
bool px_console_has_session(void);
/* The terminal is another Task's from now on. */
void px_console_leave(void);
/* A further session for a child, in front if we are; false without one. */
bool px_console_for_child(struct vx_client *session);
