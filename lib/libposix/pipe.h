/* SPDX-License-Identifier: MIT
 * Pipes: a buffer in memory that all processes with an end of it share. */
#pragma once
#include "file.h"

/* Which holder of a pipe a child is (pipe.c). */
enum : unsigned { PX_HOLDERS = 16 };

struct px_pipe;

/* Counts the child as a holder before it starts: its number, or -1 when there are too many. */
int px_pipe_reserve(struct px_pipe *p, bool reader, bool writer);
/* Adds an end to a reserved holder. */
void px_pipe_reserve_more(struct px_pipe *p, int holder, bool reader, bool writer);
/* The holder is gone (or never came to be). */
void px_pipe_release(struct px_pipe *p, int holder);
vx_mem px_pipe_mem(const struct px_pipe *p);
bool px_pipe_file_reads(const struct px_file *f);
void px_pipe_get(struct px_pipe *p);
void px_pipe_put(struct px_pipe *p);

/* In a child: the pipe behind a capability, as the holder that the parent reserved; and an end of it. nullptr. */
struct px_pipe *px_pipe_adopt(vx_mem mem, unsigned holder);
struct px_file *px_pipe_end(struct px_pipe *p, bool reads, int flags);
/* At the end of the process. */
void px_pipes_leave(void);
