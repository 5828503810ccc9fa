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
#include "pipe.h"
#include "process.h"
#include "signal.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <vectra/rpc_proc.h>

enum : uint32_t { RING_BYTES = 16384, SHARED_BYTES = RING_BYTES + 4096 };
enum : uint32_t { SHUT_WRITING = 1, SHUT_READING = 2 };
enum : uint64_t { LOOK_AGAIN_NS = 50 * VX_NS_PER_MS }; /* for holders that died */
enum : uint32_t { LOCK_AWAITED = 1u << 31 };

struct shared {
    _Atomic uint32_t lock; /* a process's id, LOCK_AWAITED */
    uint32_t head, tail;
    _Atomic uint32_t data_word, room_word;
    uint32_t shut;                    /* SHUT_*: a socket's end was shut down, for all who hold it */
    uint32_t read_opens, write_opens; /* of a FIFO: how often */
    uint32_t n_passed;                /* descriptors under way, by the bytes that they come with */
    struct px_passed passed[PX_PASSING_MAX];
    struct px_fifo fifo; /* inode 0: none */
    struct {
        uint32_t pid;    /* 0: not said; who reserves it for a child, until the child has it */
        uint16_t serial; /* how often it was reserved */
        uint16_t used, readers, writers;
    } holder[PX_HOLDERS];
    alignas(4096) uint8_t data[RING_BYTES];
};
static_assert(sizeof(struct shared) == SHARED_BYTES);

struct px_pipe {
    struct shared *shared;
    vx_mem mem;
    uint32_t opens;      /* of a FIFO: how often the other end had been opened before, one less if it was open */
    unsigned holder;     /* which one this process is */
    int as;              /* the same with its serial, as px_pipe_reserve has it */
    uint32_t connection; /* of two processes that only a name brought together; else 0 */
    _Atomic uint32_t users;
    _Atomic uint64_t looked_at; /* for holders that died */
    struct px_pipe *next;
};

static struct vx_mutex list_lock;
static struct px_pipe *pipes, *free_pipes;

static void wake(_Atomic uint32_t *word)
{
    atomic_fetch_add_explicit(word, 1, memory_order_release);
    (void)vx_sys_futex_wake((uintptr_t)word, INT_MAX, 0, 0, nullptr);
    px_poll_wake();
}

/* --- the lock --- */

static bool is_dead(uint32_t pid)
{
    struct px_about about;
    return pid != 0 && pid != px_pid &&
           (px_proc_about((int)pid, &about) == -ESRCH || about.state == VX_PROC_STATE_ENDED);
}

[[gnu::noinline]] static void lock_slow(struct shared *s)
{
    for (;;) {
        uint32_t now = atomic_load_explicit(&s->lock, memory_order_relaxed);
        /* acquire: pairs with the release in unlock_pipe. Others may wait too: whoever waited says so when it has it.
         */
        if (now == 0) {
            if (atomic_compare_exchange_strong_explicit(&s->lock, &now, px_pid | LOCK_AWAITED, memory_order_acquire,
                                                        memory_order_relaxed))
                return;
            continue;
        }
        uint32_t awaited = now | LOCK_AWAITED;
        if (now != awaited && !atomic_compare_exchange_strong_explicit(&s->lock, &now, awaited, memory_order_relaxed,
                                                                       memory_order_relaxed))
            continue;
        status_t st = vx_sys_futex_wait((uintptr_t)&s->lock, awaited, vx_deadline_in(LOOK_AGAIN_NS));
        /* acquire: the dead one's stores came before its death, and that before the service knew of it */
        if (st == ERR_TIMED_OUT && is_dead(awaited & ~LOCK_AWAITED) &&
            atomic_compare_exchange_strong_explicit(&s->lock, &awaited, px_pid | LOCK_AWAITED, memory_order_acquire,
                                                    memory_order_relaxed))
            return;
    }
}

static void lock_pipe(struct shared *s)
{
    uint32_t free = 0;
    /* acquire: pairs with the release in unlock_pipe */
    if (!atomic_compare_exchange_strong_explicit(&s->lock, &free, px_pid, memory_order_acquire, memory_order_relaxed))
        lock_slow(s);
}

static void unlock_pipe(struct shared *s)
{
    /* release: pairs with the acquire of the next one */
    if ((atomic_exchange_explicit(&s->lock, 0, memory_order_release) & LOCK_AWAITED) != 0)
        (void)vx_sys_futex_wake((uintptr_t)&s->lock, 1, 0, 0, nullptr);
}

static int holder_as(const struct shared *s, unsigned i)
{
    return (int)((s->holder[i].serial & 0x7fffu) << 8 | i);
}

static struct px_pipe *pipe_new(vx_mem mem, void *at, unsigned holder)
{
    vx_mutex_lock(&list_lock);
    if (free_pipes == nullptr) {
        struct px_pipe *page = px_pages(PX_PAGE);
        for (size_t i = 0; page != nullptr && i < PX_PAGE / sizeof *page; i++) {
            page[i].next = free_pipes;
            free_pipes = &page[i];
        }
    }
    struct px_pipe *p = free_pipes;
    if (p != nullptr) {
        free_pipes = p->next;
        struct shared *s = at;
        *p = (struct px_pipe){ .shared = at,
                               .mem = mem,
                               .opens = s->write_opens - 1,
                               .holder = holder,
                               .as = holder_as(s, holder),
                               .users = 1,
                               .next = pipes };
        pipes = p;
    }
    vx_mutex_unlock(&list_lock);
    return p;
}

void px_pipe_get(struct px_pipe *p)
{
    atomic_fetch_add_explicit(&p->users, 1, memory_order_relaxed);
}

void px_pipe_put(struct px_pipe *p)
{
    if (atomic_fetch_sub_explicit(&p->users, 1, memory_order_acq_rel) != 1)
        return;
    vx_mutex_lock(&list_lock);
    for (struct px_pipe **at = &pipes; *at != nullptr; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            break;
        }
    vx_mutex_unlock(&list_lock);
    if (p->shared->fifo.inode != 0)
        px_pipe_release(p, p->as);
    (void)vx_sys_mem_free(p->mem, 0, 0);
    vx_mutex_lock(&list_lock);
    p->next = free_pipes;
    free_pipes = p;
    vx_mutex_unlock(&list_lock);
}

/* --- holders --- */

static int reserve_locked(struct shared *s, bool reader, bool writer)
{
    int found = -1;
    for (unsigned i = 0; i < PX_HOLDERS && found < 0; i++)
        if (s->holder[i].used == 0) {
            s->holder[i].pid = px_pid; /* first: from here on it can be taken out again */
            s->holder[i].serial++;
            s->holder[i].used = 1;
            s->holder[i].readers = reader;
            s->holder[i].writers = writer;
            found = holder_as(s, i);
        }
    return found;
}

int px_pipe_reserve(struct px_pipe *p, bool reader, bool writer)
{
    lock_pipe(p->shared);
    int found = reserve_locked(p->shared, reader, writer);
    unlock_pipe(p->shared);
    return found;
}

void px_pipe_reserve_more(struct px_pipe *p, int holder, bool reader, bool writer)
{
    lock_pipe(p->shared);
    p->shared->holder[holder & PX_HOLDER_INDEX].readers += reader;
    p->shared->holder[holder & PX_HOLDER_INDEX].writers += writer;
    unlock_pipe(p->shared);
}

static void release(struct shared *s, int holder)
{
    unsigned i = (unsigned)holder & PX_HOLDER_INDEX;
    lock_pipe(s);
    if (holder_as(s, i) == holder && s->holder[i].used != 0) {
        s->holder[i].readers = s->holder[i].writers = 0;
        s->holder[i].pid = 0;
        s->holder[i].used = 0; /* last: then it may be reserved */
    }
    unlock_pipe(s);
    wake(&s->data_word);
    wake(&s->room_word);
}

void px_pipe_release(struct px_pipe *p, int holder)
{
    release(p->shared, holder);
}

static void drop_passed(struct shared *s);

static unsigned readers_locked(const struct shared *s)
{
    unsigned n = 0;
    for (unsigned i = 0; i < PX_HOLDERS; i++)
        n += s->holder[i].readers;
    return n;
}

static unsigned writers_locked(const struct shared *s)
{
    unsigned n = 0;
    for (unsigned i = 0; i < PX_HOLDERS; i++)
        n += s->holder[i].writers;
    return n;
}

void px_pipes_leave(void)
{
    for (struct px_pipe *p = pipes; p != nullptr; p = p->next) {
        px_pipe_release(p, p->as);
        if (p->shared->n_passed != 0)
            drop_passed(p->shared);
    }
}

/* --- transfer --- */

static uint32_t fill_locked(const struct shared *s)
{
    uint32_t n = s->head - s->tail;
    return n <= RING_BYTES ? n : 0; /* nonsense: as good as empty */
}

/* Nonsense is as good as none. */
static unsigned passed_locked(const struct shared *s)
{
    return s->n_passed <= PX_PASSING_MAX ? s->n_passed : 0;
}

/* How many come with the next byte, at most PX_PASSING_AT_ONCE. *before: how many bytes there are before the next. */
[[gnu::noinline]] static unsigned due_locked(const struct shared *s, uint32_t *before)
{
    unsigned n = 0, all = passed_locked(s);
    while (n < all && n < PX_PASSING_AT_ONCE && s->passed[n].at == s->tail)
        n++;
    *before = n < all ? s->passed[n].at - s->tail : UINT32_MAX;
    return n;
}

/* Those that come with the bytes that are taken leave the pipe. */
[[gnu::noinline]] static void take_passed_locked(struct shared *s, unsigned n, struct px_passing *out)
{
    unsigned all = passed_locked(s);
    out->n = n;
    memcpy(out->passed, s->passed, n * sizeof s->passed[0]);
    memmove(s->passed, s->passed + n, (all - n) * sizeof s->passed[0]);
    s->n_passed = all - n;
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

static void release_dead(struct shared *s)
{
    for (unsigned i = 0; i < PX_HOLDERS; i++) {
        int as = holder_as(s, i);
        if (s->holder[i].used != 0 && is_dead(s->holder[i].pid))
            release(s, as); /* that one: if another is there by now, nothing happens */
    }
}

/* Looks after children that died with an end in their hands, and after holders whose parents do not look. */
static void look_after(struct px_pipe *p)
{
    uint64_t now = vx_clock_monotonic_ns();
    px_children_look();
    if (now - atomic_load_explicit(&p->looked_at, memory_order_relaxed) < LOOK_AGAIN_NS)
        return;
    atomic_store_explicit(&p->looked_at, now, memory_order_relaxed);
    release_dead(p->shared);
}

/* Waits for the word to change; 0 or -EINTR. Looks after holders, and after a peer that only a name brought here. */
static long wait_for(struct px_pipe *p, _Atomic uint32_t *word, uint32_t seen)
{
    status_t st = PX_WAIT(vx_sys_futex_wait((uintptr_t)word, seen, vx_deadline_in(LOOK_AGAIN_NS)));
    if (st == ERR_TIMED_OUT) {
        look_after(p);
        if (p->connection != 0 && px_proc_peer_gone(p->connection))
            px_pipe_shut(p, false);
    }
    return st == ERR_INTERRUPTED ? -EINTR : 0;
}

static long take_and_drop(struct px_pipe *p, void *to, size_t bytes, bool wait);

/* Inline: most pipes pass nothing but bytes, and need not look at more. */
[[gnu::always_inline]] static inline long take(struct px_pipe *p, void *to, size_t bytes, bool wait, bool keep,
                                               struct px_passing *with)
{
    struct shared *s = p->shared;
    for (;;) {
        uint32_t seen = atomic_load_explicit(&s->data_word, memory_order_acquire);
        lock_pipe(s);
        uint32_t before = s->tail, n = 0, apart = UINT32_MAX;
        unsigned due = __builtin_expect(s->n_passed != 0, 0) ? due_locked(s, &apart) : 0;
        if (due != 0 && with == nullptr && !keep) {
            unlock_pipe(s);
            return take_and_drop(p, to, bytes, wait);
        }
        if ((s->shut & SHUT_READING) == 0)
            n = take_locked(s, to, bytes < apart ? bytes : apart);
        if (keep)
            s->tail = before;
        else if (with != nullptr && due != 0 && n != 0)
            take_passed_locked(s, due, with);
        bool end = n == 0 && (s->shut != 0 || writers_locked(s) == 0);
        unlock_pipe(s);
        if (n != 0) {
            if (!keep)
                wake(&s->room_word);
            return n;
        }
        if (end || bytes == 0)
            return 0;
        if (!wait)
            return -EAGAIN;
        long answer = wait_for(p, &s->data_word, seen);
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

bool px_pipe_passes(struct px_pipe *p)
{
    uint32_t apart;
    lock_pipe(p->shared);
    bool some = due_locked(p->shared, &apart) != 0;
    unlock_pipe(p->shared);
    return some;
}

/* What comes with the next byte that is put, all of it or nothing. */
[[gnu::noinline]] static bool put_passed_locked(struct shared *s, struct px_passing *with)
{
    unsigned all = passed_locked(s);
    if (with->n > PX_PASSING_MAX - all)
        return false;
    for (unsigned i = 0; i < with->n; i++) {
        with->passed[i].at = s->head;
        s->passed[all + i] = with->passed[i];
    }
    s->n_passed = all + with->n; /* last: before that there are none */
    with->n = 0;
    return true;
}

[[gnu::always_inline]] static inline long put_all(struct px_pipe *p, const void *from, size_t bytes, bool wait,
                                                  struct px_passing *with)
{
    struct shared *s = p->shared;
    const uint8_t *next = from;
    size_t done = 0;
    while (done < bytes) {
        size_t left = bytes - done;
        uint32_t seen = atomic_load_explicit(&s->room_word, memory_order_acquire), n = 0;
        lock_pipe(s);
        bool broken = s->shut != 0 || readers_locked(s) == 0;
        uint32_t room = RING_BYTES - fill_locked(s);
        bool fits = bytes > PIPE_BUF ? room != 0 : room >= left; /* up to PIPE_BUF it goes in one piece */
        if (!broken && fits && (with == nullptr || with->n == 0 || put_passed_locked(s, with)))
            n = put_locked(s, next + done, left);
        unlock_pipe(s);
        if (n != 0)
            wake(&s->data_word);
        done += n;
        if (broken)
            return done != 0 ? (long)done : -EPIPE;
        if (n != 0 || done == bytes)
            continue;
        if (!wait)
            return done != 0 ? (long)done : -EAGAIN;
        long answer = wait_for(p, &s->room_word, seen);
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
    wake(&p->shared->data_word);
    wake(&p->shared->room_word);
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

/* The last reader goes, and with it what nobody will take any more. */
[[gnu::noinline]] static void drop_passed(struct shared *s)
{
    struct px_passing lost;
    do {
        lost.n = 0;
        lock_pipe(s);
        unsigned all = passed_locked(s);
        if (readers_locked(s) == 0)
            take_passed_locked(s, all < PX_PASSING_AT_ONCE ? all : PX_PASSING_AT_ONCE, &lost);
        unlock_pipe(s);
        for (unsigned i = 0; i < lost.n; i++)
            px_pass_drop(&lost.passed[i]);
    } while (lost.n != 0);
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
        drop_passed(s);
    wake(&s->data_word);
    wake(&s->room_word);
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
    return pipe_new(mem, at, holder);
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
    *out = pipe_new(mem, at, 0);
    if (*out == nullptr) {
        (void)vx_sys_mem_free(mem, 0, 0);
        return -ENOMEM;
    }
    return 0;
}

/* --- FIFOs --- */

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
    release_dead(s);
    lock_pipe(s);
    unsigned readers = readers_locked(s), writers = writers_locked(s);
    bool alone = !reads && readers == 0 && (flags & O_NONBLOCK) != 0; /* nobody would read it */
    int holder = alone ? -1 : reserve_locked(s, reads, writes);
    uint32_t opens = reads ? s->write_opens - (writers != 0) : s->read_opens - (readers != 0);
    if (holder >= 0) {
        if (readers == 0 && writers == 0)
            s->tail = s->head;
        s->fifo = *as;
        s->read_opens += reads;
        s->write_opens += writes;
    }
    unlock_pipe(s);
    *out = holder >= 0 ? pipe_new(mem, at, (unsigned)holder & PX_HOLDER_INDEX) : nullptr;
    if (*out == nullptr) {
        if (holder >= 0)
            release(s, holder);
        (void)vx_sys_mem_free(mem, 0, 0);
        return alone ? -ENXIO : holder < 0 ? -ENFILE : -ENOMEM;
    }
    (*out)->opens = opens;
    wake(&s->data_word);
    wake(&s->room_word);
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
        long answer = wait_for(p, word, seen);
        if (answer != 0)
            return answer;
    }
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
