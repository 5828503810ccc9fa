/* SPDX-License-Identifier: MIT
 * FIFOs: a name in a file system for a pipe. The file system keeps the name and lends the memory in which all who open
 * it meet; from there on it is a pipe as any other (pipe.c). Opening waits until there is somebody at the other end.
 *
 * A parent that opens one for its child (O_VECTRA_LATER) does not wait: the child does, before it begins. Else a shell
 * could not start both ends. */
#define _GNU_SOURCE
#include "pipe_shared.h"
#include "signal.h"
#include <fcntl.h>
#include <vectra/open.h>

/* --- in the pipe --- */

long px_pipe_join(vx_mem mem, const struct px_fifo *as, int flags, struct px_pipe **out)
{
    bool reads = (flags & O_ACCMODE) != O_WRONLY, writes = (flags & O_ACCMODE) != O_RDONLY;
    void *at = nullptr;
    status_t st = vx_sys_mem_map(mem, 0, SHARED_BYTES, 0, VX_PROT_READ | VX_PROT_WRITE, &at);
    struct shared *s = at;
    if (st != OK) {
        (void)vx_sys_cap_drop(mem.raw);
        return px_error(st);
    }
    px_holders_look(s);
    lock_pipe(s);
    unsigned readers = readers_locked(s), writers = writers_locked(s);
    bool alone = !reads && readers == 0 && (flags & O_NONBLOCK) != 0; /* nobody would read it */
    int holder = alone ? -1 : px_holder_reserve_locked(s, reads, writes);
    uint32_t opens = reads ? s->write_opens - (writers != 0) : s->read_opens - (readers != 0);
    if (holder >= 0) {
        if (readers == 0 && writers == 0)
            s->tail = s->head;
        s->fifo = *as;
        s->read_opens += reads;
        s->write_opens += writes;
    }
    unlock_pipe(s);
    *out = holder >= 0 ? px_pipe_new(mem, at, (unsigned)holder & PX_HOLDER_INDEX) : nullptr;
    if (*out == nullptr) {
        if (holder >= 0)
            px_holder_release(s, holder);
        (void)vx_sys_mem_free(mem, 0, 0);
        return alone ? -ENXIO : holder < 0 ? -ENFILE : -ENOMEM;
    }
    (*out)->opens = opens;
    px_pipe_wake(&s->data_word);
    px_pipe_wake(&s->room_word);
    return 0;
}

uint32_t px_pipe_opens(const struct px_pipe *p)
{
    return p->opens;
}

long px_pipe_await_other(struct px_pipe *p, bool reads, uint32_t opens)
{
    struct shared *s = p->shared;
    for (;;) {
        _Atomic uint32_t *word = reads ? &s->data_word : &s->room_word;
        uint32_t seen = atomic_load_explicit(word, memory_order_acquire);
        lock_pipe(s);
        bool met = (reads ? s->write_opens : s->read_opens) != opens;
        unlock_pipe(s);
        if (met)
            return 0;
        long answer = px_pipe_wait(p, word, seen, VX_FOREVER);
        if (answer != 0)
            return answer;
    }
}

/* --- opening --- */

static long join(struct px_file *file, int flags, const struct stat *found, struct px_pipe **out)
{
    const struct px_fifo as = { .device = found->st_dev, .inode = found->st_ino, .mode = found->st_mode };
    long answer = 0;
    vx_mem mem = {};
    struct fs_file *node = px_fs_file(file, &answer);
    if (node == nullptr)
        return answer;
    status_t st = fs_meet(node, &mem);
    if (st != OK)
        return st == ERR_NOT_SUPPORTED ? -ENXIO
               : st == ERR_TABLE_FULL  ? -ENFILE
               : st == ERR_NO_MEMORY   ? -ENOSPC
                                       : px_fs_error(st);
    return px_pipe_join(mem, &as, flags, out);
}

long px_fifo_open(struct px_file *file, int flags, const struct stat *found, struct px_file **out)
{
    constexpr int kept = O_ACCMODE | O_NONBLOCK | O_APPEND | O_VECTRA_LATER;
    struct px_pipe *p = nullptr;
    long answer = join(file, flags, found, &p);
    px_file_put(file); /* what was lent needs no number there */
    if (answer != 0)
        return answer;
    struct px_file *f = px_pipe_end(p, flags & kept);
    if (f == nullptr) {
        px_pipe_end_closed(p, (flags & O_ACCMODE) != O_WRONLY, (flags & O_ACCMODE) != O_RDONLY);
        return -ENFILE;
    }
    px_pipe_put(p);
    if ((flags & O_ACCMODE) == O_RDWR || (flags & O_NONBLOCK) != 0) {
        f->flags &= ~O_VECTRA_LATER;
    } else if ((flags & O_VECTRA_LATER) == 0) {
        answer = px_pipe_await_other(p, (flags & O_ACCMODE) == O_RDONLY, px_pipe_opens(p));
        if (answer != 0) {
            px_file_put(f);
            return answer;
        }
    }
    *out = f;
    return 0;
}

void px_fifo_settle(struct px_file *f, uint32_t opens)
{
    while (px_pipe_await_other(f->pipe, px_pipe_file_reads(f), opens) != 0)
        (void)px_deliver(); /* it ends us, or is ignored: there are no handlers yet */
}
