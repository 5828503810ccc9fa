/* SPDX-License-Identifier: MIT
 * What lies in a pipe's memory and who holds its ends: for pipe.c, which has the invariants, holders.c, fifo.c and
 * passing.c, and nobody else. What ends with _locked is called with the pipe's lock. */
#pragma once
#include "pipe.h"
#include "process.h"

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
    _Atomic uint64_t looked_at;         /* for holders that died */
    _Atomic uint64_t read_ns, write_ns; /* how long this process's waits may be at most; 0: for ever */
    struct px_pipe *next;
};

/* --- the lock, and holders (holders.c) --- */

void px_pipe_lock_slow(struct shared *s);
static inline void lock_pipe(struct shared *s)
{
    uint32_t free = 0;
    /* acquire: pairs with the release in unlock_pipe */
    if (!atomic_compare_exchange_strong_explicit(&s->lock, &free, px_pid, memory_order_acquire, memory_order_relaxed))
        px_pipe_lock_slow(s);
}

static inline void unlock_pipe(struct shared *s)
{
    /* release: pairs with the acquire of the next one */
    if ((atomic_exchange_explicit(&s->lock, 0, memory_order_release) & LOCK_AWAITED) != 0)
        (void)vx_sys_futex_wake((uintptr_t)&s->lock, 1, 0, 0, nullptr);
}

static inline unsigned readers_locked(const struct shared *s)
{
    unsigned n = 0;
    for (unsigned i = 0; i < PX_HOLDERS; i++)
        n += s->holder[i].readers;
    return n;
}

static inline unsigned writers_locked(const struct shared *s)
{
    unsigned n = 0;
    for (unsigned i = 0; i < PX_HOLDERS; i++)
        n += s->holder[i].writers;
    return n;
}

/* A place in the pipe, as px_pipe_reserve answers it. */
int px_holder_reserve_locked(struct shared *s, bool reader, bool writer);
void px_holder_release(struct shared *s, int holder);
/* Takes those out that died. */
void px_holders_look(struct shared *s);
/* This process's use of the memory, as that holder; nullptr: there is no memory. */
struct px_pipe *px_pipe_new(vx_mem mem, void *at, unsigned holder);

/* --- waiting --- */

/* Whoever waits for the word looks again. */
void px_pipe_wake(_Atomic uint32_t *word);
/* For the word to change, or a while: 0 or -EINTR; at `until` -EAGAIN. Looks after holders meanwhile (pipe.c). */
long px_pipe_wait(struct px_pipe *p, _Atomic uint32_t *word, uint32_t seen, uint64_t until);

/* --- descriptors on their way (passing.c) --- */

/* How many come with the next byte, at most PX_PASSING_AT_ONCE. *before: how many bytes there are before the next. */
unsigned px_passing_due_locked(const struct shared *s, uint32_t *before);
/* The first n leave the pipe. */
void px_passing_take_locked(struct shared *s, unsigned n, struct px_passing *out);
/* All of it comes with the next byte that is put, or nothing does: false. */
bool px_passing_put_locked(struct shared *s, struct px_passing *with);
/* If nobody reads any more: what nobody will take. */
void px_passing_drop(struct shared *s);
