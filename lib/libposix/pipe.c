/* SPDX-License-Identifier: MIT
 * Pipes. The buffer, its counters and who holds its ends are in one memory object; each process that has an end maps
 * it. Futexes are keyed by physical memory, so they work between processes.
 *
 *  1. head - tail is the number of bytes in the buffer; both only grow, under the lock. Counters that the other side
 *     could have written nonsense into are checked after they are read.
 *  2. A holder is a process with an end. It counts its open files of each kind; when it ends cleanly it leaves. When it
 * does not, its parent takes it out on noticing its death (children.c), or else whoever waits for the pipe and finds
 * that the process service knows it no more. A pipe without writers is at its end, one without readers breaks.
 *  3. data_word and room_word change whenever a waiter for data or room should look again.
 *  4. Of a FIFO the memory is its file system's, and each open of one joins as a holder of its own, which leaves with
 * its last end. What nobody read goes with the last end of all.
 *  5. The lock's word is 0 or the process that has it, and whether somebody waits. What it protects is whole after each
 * single store, so a process that was killed inside leaves nothing behind but its name on the lock: who waits for it
 * takes it over. */
#define _GNU_SOURCE
#include "pipe_shared.h"
#include "process.h"
#include "signal.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <vectra/rpc_proc.h>

/* --- transfer --- */

static uint32_t fill_locked(const struct shared *s)
{
    uint32_t n = s->head - s->tail;
    return n <= RING_BYTES ? n : 0; /* nonsense: as good as empty */
}

static uint32_t take_locked(struct shared *s, uint8_t *to, size_t bytes)
{
    uint32_t n = fill_locked(s), at = s->tail % RING_BYTES;
    n = n < bytes ? n : (uint32_t)bytes;
    uint32_t first = RING_BYTES - at < n ? RING_BYTES - at : n;
    memcpy(to, s->data + at, first);
    memcpy(to + first, s->data, n - first);
    s->tail += n;
    return n;
}

static uint32_t put_locked(struct shared *s, const uint8_t *from, size_t bytes)
{
    uint32_t room = RING_BYTES - fill_locked(s), at = s->head % RING_BYTES;
    uint32_t n = room < bytes ? room : (uint32_t)bytes;
    uint32_t first = RING_BYTES - at < n ? RING_BYTES - at : n;
    memcpy(s->data + at, from, first);
    memcpy(s->data, from + first, n - first);
    s->head += n;
    return n;
}

/* Looks after children that died with an end in their hands, and after holders whose parents do not look. */
static void look_after(struct px_pipe *p)
{
    uint64_t now = vx_clock_monotonic_ns();
    px_children_look();
    if (now - atomic_load_explicit(&p->looked_at, memory_order_relaxed) < LOOK_AGAIN_NS)
        return;
    atomic_store_explicit(&p->looked_at, now, memory_order_relaxed);
    px_holders_look(p->shared);
}

/* Looks after holders, and after a peer that only a name brought here. */
long px_pipe_wait(struct px_pipe *p, _Atomic uint32_t *word, uint32_t seen, uint64_t until)
{
    uint64_t look = vx_deadline_in(LOOK_AGAIN_NS);
    status_t st = PX_WAIT(vx_sys_futex_wait((uintptr_t)word, seen, look < until ? look : until));
    if (st == ERR_TIMED_OUT) {
        if (look >= until)
            return -EAGAIN;
        look_after(p);
        if (p->connection != 0 && px_proc_peer_gone(p->connection))
            px_pipe_shut(p, false);
    }
    return st == ERR_INTERRUPTED ? -EINTR : 0;
}

/* Until when a call that begins to wait now may do so. */
static uint64_t limit_of(const _Atomic uint64_t *ns)
{
    uint64_t limit = atomic_load_explicit(ns, memory_order_relaxed);
    return limit == 0 ? VX_FOREVER : vx_deadline_in(limit);
}

static long take_and_drop(struct px_pipe *p, void *to, size_t bytes, bool wait);

/* Inline: most pipes pass nothing but bytes, and need not look at more. */
[[gnu::always_inline]] static inline long take(struct px_pipe *p, void *to, size_t bytes, bool wait, bool keep,
                                               struct px_passing *with)
{
    struct shared *s = p->shared;
    for (uint64_t until = 0;;) {
        uint32_t seen = atomic_load_explicit(&s->data_word, memory_order_acquire);
        lock_pipe(s);
        uint32_t before = s->tail, n = 0, apart = UINT32_MAX;
        unsigned due = __builtin_expect(s->n_passed != 0, 0) ? px_passing_due_locked(s, &apart) : 0;
        if (due != 0 && with == nullptr && !keep) {
            unlock_pipe(s);
            return take_and_drop(p, to, bytes, wait);
        }
        if ((s->shut & SHUT_READING) == 0)
            n = take_locked(s, to, bytes < apart ? bytes : apart);
        if (keep)
            s->tail = before;
        else if (with != nullptr && due != 0 && n != 0)
            px_passing_take_locked(s, due, with);
        bool end = n == 0 && (s->shut != 0 || writers_locked(s) == 0);
        unlock_pipe(s);
        if (n != 0) {
            if (!keep)
                px_pipe_wake(&s->room_word);
            return n;
        }
        if (end || bytes == 0)
            return 0;
        if (!wait)
            return -EAGAIN;
        until = until != 0 ? until : limit_of(&p->read_ns);
        long answer = px_pipe_wait(p, &s->data_word, seen, until);
        if (answer != 0)
            return answer;
    }
}

/* Who reads without asking for descriptors loses those that came. */
[[gnu::noinline]] static long take_and_drop(struct px_pipe *p, void *to, size_t bytes, bool wait)
{
    struct px_passing lost = {};
    long answer = take(p, to, bytes, wait, false, &lost);
    for (unsigned i = 0; i < lost.n; i++)
        px_pass_drop(&lost.passed[i]);
    return answer;
}

long px_pipe_take(struct px_pipe *p, void *to, size_t bytes, bool wait, bool keep)
{
    return take(p, to, bytes, wait, keep, nullptr);
}

long px_pipe_take_passing(struct px_pipe *p, void *to, size_t bytes, bool wait, struct px_passing *with)
{
    with->n = 0;
    return take(p, to, bytes, wait, false, with);
}

[[gnu::always_inline]] static inline long put_all(struct px_pipe *p, const void *from, size_t bytes, bool wait,
                                                  struct px_passing *with)
{
    struct shared *s = p->shared;
    const uint8_t *next = from;
    size_t done = 0;
    uint64_t until = 0;
    while (done < bytes) {
        size_t left = bytes - done;
        uint32_t seen = atomic_load_explicit(&s->room_word, memory_order_acquire), n = 0;
        lock_pipe(s);
        bool broken = s->shut != 0 || readers_locked(s) == 0;
        uint32_t room = RING_BYTES - fill_locked(s);
        bool fits = bytes > PIPE_BUF ? room != 0 : room >= left; /* up to PIPE_BUF it goes in one piece */
        if (!broken && fits && (with == nullptr || with->n == 0 || px_passing_put_locked(s, with)))
            n = put_locked(s, next + done, left);
        unlock_pipe(s);
        if (n != 0)
            px_pipe_wake(&s->data_word);
        done += n;
        if (broken)
            return done != 0 ? (long)done : -EPIPE;
        if (n != 0 || done == bytes)
            continue;
        if (!wait)
            return done != 0 ? (long)done : -EAGAIN;
        until = until != 0 ? until : limit_of(&p->write_ns);
        long answer = px_pipe_wait(p, &s->room_word, seen, until);
        if (answer != 0)
            return done != 0 ? (long)done : answer;
    }
    return (long)done;
}

long px_pipe_put_bytes(struct px_pipe *p, const void *from, size_t bytes, bool wait)
{
    return put_all(p, from, bytes, wait, nullptr);
}

long px_pipe_put_passing(struct px_pipe *p, const void *from, size_t bytes, bool wait, struct px_passing *with)
{
    return put_all(p, from, bytes, wait, with);
}

static long pipe_read(struct px_file *f, void *to, size_t bytes, int64_t at)
{
    (void)at;
    return px_pipe_take(f->pipe, to, bytes, (f->flags & O_NONBLOCK) == 0, false);
}

static long pipe_write(struct px_file *f, const void *from, size_t bytes, int64_t at)
{
    (void)at;
    return px_pipe_put_bytes(f->pipe, from, bytes, (f->flags & O_NONBLOCK) == 0);
}

unsigned px_pipe_events(struct px_pipe *p, bool reads)
{
    struct shared *s = p->shared;
    unsigned events = 0;
    lock_pipe(s);
    uint32_t n = (s->shut & SHUT_READING) != 0 ? 0 : fill_locked(s);
    if (reads) /* a FIFO that nobody has written to yet is not at its end */
        events = (n != 0 ? POLLIN | POLLRDNORM : 0) |
                 (s->shut != 0 || (writers_locked(s) == 0 && s->write_opens != p->opens) ? POLLHUP : 0);
    else
        events = (RING_BYTES - n >= PIPE_BUF ? POLLOUT | POLLWRNORM : 0) |
                 (s->shut != 0 || readers_locked(s) == 0 ? POLLERR : 0);
    unlock_pipe(s);
    return events;
}

void px_pipe_limit(struct px_pipe *p, bool reads, uint64_t ns)
{
    atomic_store_explicit(reads ? &p->read_ns : &p->write_ns, ns, memory_order_relaxed);
}

uint32_t px_pipe_fill(struct px_pipe *p)
{
    lock_pipe(p->shared);
    uint32_t n = fill_locked(p->shared);
    unlock_pipe(p->shared);
    return n;
}

void px_pipe_shut(struct px_pipe *p, bool reading)
{
    lock_pipe(p->shared);
    p->shared->shut |= reading ? SHUT_READING : SHUT_WRITING;
    unlock_pipe(p->shared);
    px_pipe_wake(&p->shared->data_word);
    px_pipe_wake(&p->shared->room_word);
}

static unsigned pipe_poll(struct px_file *f, bool sleep)
{
    if (sleep)
        look_after(f->pipe);
    return (px_pipe_file_reads(f) ? px_pipe_events(f->pipe, true) : 0) |
           (px_pipe_file_writes(f) ? px_pipe_events(f->pipe, false) : 0);
}

static long pipe_stat(struct px_file *f, struct stat *out)
{
    memset(out, 0, sizeof *out);
    const struct px_fifo *fifo = &f->pipe->shared->fifo;
    out->st_mode = fifo->inode != 0 ? fifo->mode : S_IFIFO | 0600;
    out->st_nlink = 1;
    out->st_dev = fifo->device;
    out->st_ino = fifo->inode != 0 ? fifo->inode : (uintptr_t)f->pipe->shared / PX_PAGE;
    out->st_blksize = (blksize_t)PX_PAGE;
    return 0;
}

static long pipe_control(struct px_file *f, unsigned long request, void *argument)
{
    struct shared *s = f->pipe->shared;
    if (request != FIONREAD)
        return -ENOTTY;
    lock_pipe(s);
    *(int *)argument = (int)fill_locked(s);
    unlock_pipe(s);
    return 0;
}

void px_pipe_end_closed(struct px_pipe *p, bool reads, bool writes)
{
    struct shared *s = p->shared;
    lock_pipe(s);
    s->holder[p->holder].readers -= reads;
    s->holder[p->holder].writers -= writes;
    bool passes = s->n_passed != 0;
    unlock_pipe(s);
    if (passes)
        px_passing_drop(s);
    px_pipe_wake(&s->data_word);
    px_pipe_wake(&s->room_word);
    px_pipe_put(p);
}

static void pipe_close(struct px_file *f)
{
    px_pipe_end_closed(f->pipe, px_pipe_file_reads(f), px_pipe_file_writes(f));
}

static const struct px_ops pipe_ops = { .kind = 'p',
                                        .read = pipe_read,
                                        .write = pipe_write,
                                        .stat = pipe_stat,
                                        .control = pipe_control,
                                        .poll = pipe_poll,
                                        .close = pipe_close };

bool px_pipe_file_reads(const struct px_file *f)
{
    return (f->flags & O_ACCMODE) != O_WRONLY;
}

bool px_pipe_file_writes(const struct px_file *f)
{
    return (f->flags & O_ACCMODE) != O_RDONLY;
}

vx_mem px_pipe_mem(const struct px_pipe *p)
{
    return p->mem;
}

struct px_pipe *px_pipe_adopt(vx_mem mem, unsigned holder)
{
    void *at = nullptr;
    if (mem.raw == VX_HANDLE_NONE || holder >= PX_HOLDERS ||
        vx_sys_mem_map(mem, 0, SHARED_BYTES, 0, VX_PROT_READ | VX_PROT_WRITE, &at) != OK)
        return nullptr;
    ((struct shared *)at)->holder[holder].pid = px_pid;
    return px_pipe_new(mem, at, holder);
}

struct px_file *px_pipe_end(struct px_pipe *p, int flags)
{
    struct px_file *f = px_file_new(&pipe_ops, flags);
    if (f != nullptr) {
        f->pipe = p;
        px_pipe_get(p);
    }
    return f;
}

struct px_pipe *px_pipe_over(vx_mem mem, uint32_t connection, unsigned holder)
{
    struct px_pipe *p = px_pipe_adopt(mem, holder);
    if (p != nullptr)
        p->connection = connection;
    return p;
}

void px_pipe_hold(struct px_pipe *p, unsigned holder, unsigned readers, unsigned writers)
{
    lock_pipe(p->shared);
    if (holder == p->holder)
        p->shared->holder[holder].pid = px_pid;
    p->shared->holder[holder].used = 1;
    p->shared->holder[holder].readers = (uint16_t)readers;
    p->shared->holder[holder].writers = (uint16_t)writers;
    unlock_pipe(p->shared);
}

uint32_t px_pipe_connection(const struct px_pipe *p)
{
    return p->connection;
}

long px_pipe_make(struct px_pipe **out)
{
    vx_mem mem = {};
    void *at = nullptr;
    status_t st = vx_sys_mem_alloc(VX_OWN_RETICLE, SHARED_BYTES,
                                   VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT | VX_MEM_HANDLE, 0, &mem, &at);
    if (st != OK)
        return st == ERR_TABLE_FULL ? -EMFILE : px_error(st);
    *out = px_pipe_new(mem, at, 0);
    if (*out == nullptr) {
        (void)vx_sys_mem_free(mem, 0, 0);
        return -ENOMEM;
    }
    return 0;
}

long px_pipe2(long out, long flags)
{
    struct px_pipe *p = nullptr;
    if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) != 0)
        return -EINVAL;
    long answer = px_pipe_make(&p);
    if (answer != 0)
        return answer;
    px_pipe_hold(p, 0, 1, 1);
    struct px_file *reader = px_pipe_end(p, O_RDONLY | ((int)flags & O_NONBLOCK));
    struct px_file *writer = px_pipe_end(p, O_WRONLY | ((int)flags & O_NONBLOCK));
    px_pipe_put(p);
    return px_fd_add_pair(reader, writer, (flags & O_CLOEXEC) != 0, (int *)out);
}
