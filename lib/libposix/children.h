/* SPDX-License-Identifier: MIT
 * The table of children. */
#pragma once
#include "pipe.h"

/* A pipe that a child has ends of, and which holder it is there. */
struct px_held {
    struct px_pipe *pipe;
    int holder;
};

/* 0 if one more child fits, else -EAGAIN. */
long px_child_room(void);
/* A child that has never been a Task, and has ended (vfork and _exit): its id. */
long px_child_add_ended(int status);
/* Takes over the Task and the held pipes. The child's id. */
long px_child_add(uint32_t id, vx_task task, const struct px_held *held, size_t n_held);
