/* SPDX-License-Identifier: MIT
 * Futexes, and robust mutexes that processes share.
 *
 * Such a mutex says in its word which thread holds it (thread.c, 3). A thread that ends lets go of what it holds: the C
 * library keeps a list of it. The list of one that is killed is gone with its memory. So whoever waits looks, now and
 * then and before it gives up, whether the holder still lives, and if not, does what Linux does at the end of a thread:
 * it writes OWNER_DIED in its place. The C library goes on from there.
 *
 *  1. The word changes hands only by an exchange of the very value by which the holder was found to be dead. A number
 * is given out again only after all others were, so nobody else has it by then.
 *  2. Nobody relies on being woken: one that is killed between letting go and waking has woken nobody.
 *
 * model: test/model/robust.pml */
#define _GNU_SOURCE
#include "process.h"
#include "signal.h"
#include <limits.h>
#include <time.h>

enum : long {
    FUTEX_WAIT = 0,
    FUTEX_WAKE = 1,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE = 4,
    FUTEX_LOCK_PI = 6,
    FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET = 10,
    FUTEX_WAIT_ROBUST = 64, /* ours: ports/musl/patches/0008 */
    FUTEX_PRIVATE = 128,
    FUTEX_CLOCK_REALTIME = 256,
};
/* A robust mutex's word: the holder's number and two bits. */
enum : uint32_t { HOLDER = 0x3fffffff, OWNER_DIED = 0x40000000, AWAITED = 0x80000000 };
enum : uint64_t { LOOK_AGAIN_NS = 50 * VX_NS_PER_MS };
enum : unsigned { HELD_MAX = 2048 }; /* as on Linux: the list is the program's memory and may lead in a circle */

/* What set_robust_list names: the list's end is its head. */
struct px_robust {
    struct px_robust *next;
    long word_at; /* from an entry to its word */
    struct px_robust *pending;
};

/* The deadline of a futex call's time-out: relative, or absolute on one of the clocks. */
static uint64_t futex_deadline(const struct timespec *timeout, bool absolute, bool realtime)
{
    if (timeout == nullptr)
        return VX_FOREVER;
    uint64_t ns = (uint64_t)timeout->tv_sec * VX_NS_PER_S + (uint64_t)timeout->tv_nsec;
    if ((uint64_t)timeout->tv_sec > UINT64_MAX / VX_NS_PER_S - 1)
        return VX_FOREVER;
    if (!absolute)
        return vx_deadline_in(ns);
    uint64_t base = realtime ? vx_clock_realtime_ns() - vx_clock_monotonic_ns() : 0;
    return ns > base ? ns - base : 1; /* long past: a time-out, not a refusal (VX_POLL) */
}

static bool is_time(const struct timespec *t)
{
    return t == nullptr || (t->tv_nsec >= 0 && t->tv_nsec < (long)VX_NS_PER_S && t->tv_sec >= 0);
}

static long futex_wait(uintptr_t word, uint32_t expected, const struct timespec *timeout, bool absolute, bool realtime)
{
    if (!is_time(timeout))
        return -EINVAL;
    uint64_t deadline = futex_deadline(timeout, absolute, realtime);
    return px_error(PX_WAIT(vx_sys_futex_wait(word, expected, deadline)));
}

/* --- robust mutexes that processes share --- */

static void owner_died(_Atomic uint32_t *word, uint32_t seen)
{
    /* acquire: the dead one's stores came before its death, and that before the service knew of it; release: they are
     * there for whoever takes the mutex */
    (void)atomic_compare_exchange_strong_explicit(word, &seen, (seen & AWAITED) | OWNER_DIED, memory_order_acq_rel,
                                                  memory_order_relaxed);
}

/* Until the word is not `seen` any more, as far as anybody told; 0: look at it again. */
static long wait_robust(_Atomic uint32_t *word, uint32_t seen, const struct timespec *until, bool realtime)
{
    if (!is_time(until))
        return -EINVAL;
    uint32_t holder = seen & HOLDER;
    uint64_t deadline = futex_deadline(until, true, realtime), look = vx_deadline_in(LOOK_AGAIN_NS);
    status_t st = PX_WAIT(vx_sys_futex_wait((uintptr_t)word, seen, deadline < look ? deadline : look));
    if (st != ERR_TIMED_OUT)
        return st == ERR_INTERRUPTED ? -EINTR : 0;
    if (holder != 0 && holder != HOLDER && holder != (uint32_t)px_self()->tid && px_is_dead(holder)) {
        owner_died(word, seen);
        return 0;
    }
    return deadline < look ? -ETIMEDOUT : 0;
}

/* --- the calls --- */

long px_futex(long word, long operation, long value, long timeout, long second, long value3)
{
    uint64_t woken = 0;
    status_t st;
    switch (operation & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME)) {
    case FUTEX_WAIT:
        return futex_wait((uintptr_t)word, (uint32_t)value, (const struct timespec *)timeout, false, false);
    case FUTEX_WAIT_BITSET: /* with the mask of all ones */
        return (uint32_t)value3 != UINT32_MAX
                   ? -ENOSYS
                   : futex_wait((uintptr_t)word, (uint32_t)value, (const struct timespec *)timeout, true,
                                (operation & FUTEX_CLOCK_REALTIME) != 0);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        st = vx_sys_futex_wake((uintptr_t)word, (uint32_t)value, 0, 0, &woken);
        return st == OK ? (long)woken : px_error(st);
    case FUTEX_CMP_REQUEUE:
        /* acquire: as a wait would read it */
        if (atomic_load_explicit((_Atomic uint32_t *)word, memory_order_acquire) != (uint32_t)value3)
            return -EAGAIN;
        [[fallthrough]];
    case FUTEX_REQUEUE:
        st = vx_sys_futex_wake((uintptr_t)word, (uint32_t)value, VX_FUTEX_REQUEUE, (uintptr_t)second, &woken);
        return st == OK ? (long)woken : px_error(st);
    case FUTEX_LOCK_PI: /* the C library asks in this way what pthread_mutexattr_setprotocol is to answer */
        return -EOPNOTSUPP;
    case FUTEX_WAIT_ROBUST: /* `value3`: the clock of the deadline */
        return wait_robust((_Atomic uint32_t *)word, (uint32_t)value, (const struct timespec *)timeout,
                           value3 == CLOCK_REALTIME);
    default:
        return -ENOSYS;
    }
}

long px_set_robust_list(long head, long bytes)
{
    if (bytes != sizeof(struct px_robust))
        return -EINVAL;
    px_self()->robust = (struct px_robust *)head;
    (void)px_proc_there(); /* from now on others may ask the service whether this process lives: it must know it */
    return 0;
}

long px_get_robust_list(long tid, long head, long bytes)
{
    (void)tid;
    *(void **)head = px_self()->robust;
    *(size_t *)bytes = sizeof(struct px_robust);
    return 0;
}

void px_robust_leave(void)
{
    struct px_thread *t = px_self();
    struct px_robust *end = t->robust, *at = end;
    for (unsigned i = 0; at != nullptr && i < HELD_MAX && (at = at->next) != end;) {
        _Atomic uint32_t *word = (_Atomic uint32_t *)((uintptr_t)at + (uintptr_t)end->word_at);
        uint32_t seen = atomic_load_explicit(word, memory_order_relaxed);
        if ((seen & HOLDER) == (uint32_t)t->tid)
            owner_died(word, seen);
        (void)vx_sys_futex_wake((uintptr_t)word, 1, 0, 0, nullptr);
    }
}
