/* SPDX-License-Identifier: MIT
 * Local stream sockets (socket.c has what holds of them), and how processes hand them on. */
#pragma once
#include "pipe.h"
#include "process.h"

struct px_socket {
    enum { FRESH, LISTENING, CONNECTED } state;
    struct px_pipe *in, *out, *door;
    struct px_name name, peer;
    uint64_t receive_ns, send_ns; /* SO_RCVTIMEO, SO_SNDTIMEO; 0: none */
    struct px_socket *next_free;
};

/* The file of a descriptor that is a socket, with one user more; -EBADF, -ENOTSOCK. */
long px_socket_get(long fd, struct px_file **out);

/* Makes its time limits those of what it waits for by now. */
void px_socket_limit(const struct px_socket *s);

/* The pipes of a connected socket's file: what it reads and what it writes; false if it is not one. */
bool px_socket_pipes(const struct px_file *f, struct px_pipe **in, struct px_pipe **out);
/* In a child: a connected socket over two pipes, of which it takes a use each. nullptr. */
struct px_file *px_socket_adopt(struct px_pipe *in, struct px_pipe *out, int flags);
