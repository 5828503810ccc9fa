/* SPDX-License-Identifier: MIT
 * Who holds a pipe's ends, and the lock over its memory. Any of them may die at any moment (invariants 2 and 5 of
 * pipe.c). */
#define _GNU_SOURCE
#include "pipe_shared.h"
#include "process.h"
#include "signal.h"
#include <limits.h>
#include <vectra/rpc_proc.h>

static struct vx_mutex list_lock;
static struct px_pipe *pipes, *free_pipes;

void px_pipe_wake(_Atomic uint32_t *word)
{
    atomic_fetch_add_explicit(word, 1, memory_order_release);
    (void)vx_sys_futex_wake((uintptr_t)word, INT_MAX, 0, 0, nullptr);
    px_poll_wake();
}

/* --- the lock --- */

void px_pipe_lock_slow(struct shared *s)
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
        if (st == ERR_TIMED_OUT && px_is_dead(awaited & ~LOCK_AWAITED) &&
            atomic_compare_exchange_strong_explicit(&s->lock, &awaited, px_pid | LOCK_AWAITED, memory_order_acquire,
                                                    memory_order_relaxed))
            return;
    }
}

static int holder_as(const struct shared *s, unsigned i)
{
    return (int)((s->holder[i].serial & 0x7fffu) << 8 | i);
}

struct px_pipe *px_pipe_new(vx_mem mem, void *at, unsigned holder)
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

int px_holder_reserve_locked(struct shared *s, bool reader, bool writer)
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
    int found = px_holder_reserve_locked(p->shared, reader, writer);
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

void px_holder_release(struct shared *s, int holder)
{
    unsigned i = (unsigned)holder & PX_HOLDER_INDEX;
    lock_pipe(s);
    if (holder_as(s, i) == holder && s->holder[i].used != 0) {
        s->holder[i].readers = s->holder[i].writers = 0;
        s->holder[i].pid = 0;
        s->holder[i].used = 0; /* last: then it may be reserved */
    }
    unlock_pipe(s);
    px_pipe_wake(&s->data_word);
    px_pipe_wake(&s->room_word);
}

void px_pipe_release(struct px_pipe *p, int holder)
{
    px_holder_release(p->shared, holder);
}

void px_holders_look(struct shared *s)
{
    for (unsigned i = 0; i < PX_HOLDERS; i++) {
        int as = holder_as(s, i);
        if (s->holder[i].used != 0 && px_is_dead(s->holder[i].pid))
            px_holder_release(s, as); /* that one: if another is there by now, nothing happens */
    }
}

void px_pipes_leave(void)
{
    for (struct px_pipe *p = pipes; p != nullptr; p = p->next) {
        px_pipe_release(p, p->as);
        if (p->shared->n_passed != 0)
            px_passing_drop(p->shared);
    }
}
