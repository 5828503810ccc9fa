/* SPDX-License-Identifier: MIT
 * Pipes: a buffer in memory that all processes with an end of it share. */
#pragma once
#include "records.h"

/* Which holder of a pipe a child is (pipe.c). */
enum : unsigned { PX_HOLDERS = 16, PX_HOLDER_INDEX = 255 };

struct px_pipe;

/* Counts the child as a holder before it starts: which one (PX_HOLDER_INDEX) and the how many-eth there, or -1 when
 * there are too many. */
int px_pipe_reserve(struct px_pipe *p, bool reader, bool writer);
/* Adds an end to a reserved holder. */
void px_pipe_reserve_more(struct px_pipe *p, int holder, bool reader, bool writer);
/* The holder is gone (or never came to be). Nothing happens if that has been noticed before, even if another is in its
 * place by now. */
void px_pipe_release(struct px_pipe *p, int holder);
vx_mem px_pipe_mem(const struct px_pipe *p);
bool px_pipe_file_reads(const struct px_file *f);
bool px_pipe_file_writes(const struct px_file *f);
void px_pipe_get(struct px_pipe *p);
void px_pipe_put(struct px_pipe *p);

/* In a child: the pipe behind a capability, as the holder that the parent reserved; and an end of it. nullptr. */
struct px_pipe *px_pipe_adopt(vx_mem mem, unsigned holder);
struct px_file *px_pipe_end(struct px_pipe *p, int flags);
/* Both ends of a new one are this process's, holder 0, to be counted by px_pipe_hold. */
long px_pipe_make(struct px_pipe **out);
/* One over memory of the process service: the connection's number, which finds out about a peer that is gone. */
struct px_pipe *px_pipe_over(vx_mem mem, uint32_t connection, unsigned holder);
uint32_t px_pipe_connection(const struct px_pipe *p);
void px_pipe_hold(struct px_pipe *p, unsigned holder, unsigned readers, unsigned writers);
/* What read and write come down to. keep: look without taking. */
long px_pipe_take(struct px_pipe *p, void *to, size_t bytes, bool wait, bool keep);
long px_pipe_put_bytes(struct px_pipe *p, const void *from, size_t bytes, bool wait);
unsigned px_pipe_events(struct px_pipe *p, bool reads);
/* How long one reading or writing may wait, in nanoseconds, before it is -EAGAIN; 0: for ever. */
void px_pipe_limit(struct px_pipe *p, bool reads, uint64_t ns);
uint32_t px_pipe_fill(struct px_pipe *p);

/* Descriptors that travel with the bytes of a socket (passing.c). */
enum : unsigned {
    PX_PASSING_MAX = 24,     /* on their way through one direction of a connection */
    PX_PASSING_AT_ONCE = 16, /* of one message */
};
struct px_passed {
    struct px_fd_record record;
    struct vx_vfs_handle handle; /* 'F' */
    uint32_t at;                 /* the byte of the stream that it comes with */
    uint32_t reserved;
};
struct px_passing {
    unsigned n;
    struct px_passed passed[PX_PASSING_AT_ONCE];
};
/* px_pipe_put_bytes, and with the first byte those; at least one byte. */
long px_pipe_put_passing(struct px_pipe *p, const void *from, size_t bytes, bool wait, struct px_passing *with);
/* px_pipe_take of bytes that came with the same descriptors, or none: those are in *with. */
long px_pipe_take_passing(struct px_pipe *p, void *to, size_t bytes, bool wait, struct px_passing *with);
/* True if the next byte comes with some. */
bool px_pipe_passes(struct px_pipe *p);
/* What a descriptor's file is on its way; -EOPNOTSUPP, or why it cannot be given just now. */
long px_pass(struct px_file *f, struct px_passed *out);
/* The file, or nullptr: it is gone, or makes no sense. */
struct px_file *px_pass_take(const struct px_passed *p);
/* Nobody gets it. */
void px_pass_drop(const struct px_passed *p);
/* Nobody writes any more (what is there can be read), or nobody reads. */
void px_pipe_shut(struct px_pipe *p, bool reading);
/* One of this process's ends, or an end that is both, is gone, and a use of the pipe with it. */
void px_pipe_end_closed(struct px_pipe *p, bool reads, bool writes);

/* What a FIFO's descriptor says of its file. */
struct px_fifo {
    uint64_t device, inode;
    uint32_t mode;
};
/* Another open of the FIFO whose memory that is, which it takes over. flags: O_ACCMODE; with O_NONBLOCK -ENXIO for
 * writing what nobody reads. -ENFILE: PX_HOLDERS have it open. */
long px_pipe_join(vx_mem mem, const struct px_fifo *as, int flags, struct px_pipe **out);
/* Until the other end was opened more than `opens` times, which px_pipe_opens says of a pipe that was just joined:
 * 0 or -EINTR. */
long px_pipe_await_other(struct px_pipe *p, bool reads, uint32_t opens);
uint32_t px_pipe_opens(const struct px_pipe *p);
/* What a file system has as a FIFO; takes over `file`, which was opened for what flags say (fifo.c). */
long px_fifo_open(struct px_file *file, int flags, const struct stat *found, struct px_file **out);
/* In a child: waits where its parent left that to it. */
void px_fifo_settle(struct px_file *f, uint32_t opens);
/* At the end of the process. */
void px_pipes_leave(void);
