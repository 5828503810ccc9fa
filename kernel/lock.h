/* SPDX-License-Identifier: MIT
 * Spinlocks, for data that harts inside the gate share (kernel/gate.h). Held for a few dozen instructions, with
 * interrupts masked, never across a wait. A debug build panics when one is taken against the order, and keeps the
 * longest time that each rank was held. docs/locking.md says what each one guards. */
#pragma once
#include <kernel/gate.h>

/* The order: while one is held only those after it may be taken. */
enum lock_rank : uint32_t {
    LOCK_VM,       /* struct vm: areas, tables, and the Task's Reticle */
    LOCK_MAPS,     /* struct object: the areas that show it */
    LOCK_RING,     /* struct ring: who waits, and the kernel's side of the counters */
    LOCK_SEM,      /* struct sem */
    LOCK_FUTEX,    /* a chain of futex waiters; of two the one at the lower address first */
    LOCK_FUTEX_TO, /* the second of the two */
    LOCK_TASK,     /* struct task: signals, and who waits for them */
    LOCK_ENTROPY,  /* the pool */
    LOCK_LOG,      /* the log, and the line that is being written to the console */
    LOCK_RANKS,
};

struct spinlock {
    _Atomic uint32_t held;
};

void lock_check(enum lock_rank rank); /* these two: lock_check.c */
void lock_count(enum lock_rank rank);
void lock_wait(struct spinlock *l);

[[gnu::always_inline]] static inline void lock_take(struct spinlock *l, [[maybe_unused]] enum lock_rank rank)
{
    /* acquire: pairs with the release in lock_release(). */
    if (unlikely((atomic_fetch_or_explicit(&l->held, 1, memory_order_acquire) & 1) != 0))
        lock_wait(l);
#ifdef VECTRA_DEBUG
    lock_check(rank);
#endif
}

[[gnu::always_inline]] static inline void lock_release(struct spinlock *l, [[maybe_unused]] enum lock_rank rank)
{
#ifdef VECTRA_DEBUG
    lock_count(rank);
#endif
    atomic_store_explicit(&l->held, 0, memory_order_release);
}
