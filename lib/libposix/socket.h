/* SPDX-License-Identifier: MIT
 * Local stream sockets, as processes hand them on. */
#pragma once
#include "pipe.h"

/* The pipes of a connected socket's file: what it reads and what it writes; false if it is not one. */
bool px_socket_pipes(const struct px_file *f, struct px_pipe **in, struct px_pipe **out);
/* In a child: a connected socket over two pipes, of which it takes a use each. nullptr. */
struct px_file *px_socket_adopt(struct px_pipe *in, struct px_pipe *out, int flags);
