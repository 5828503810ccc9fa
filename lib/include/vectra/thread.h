/* SPDX-License-Identifier: MIT
 * Threads with a stack and thread-local storage of their own, and a mutex over a futex. */
#pragma once
#include <abi/status.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct vx_thread {
    uint32_t id;
    uintptr_t base; /* the mapping that holds guard, stack and TLS */
    size_t len;
};

/* Runs entry(argument) on a new thread; what it returns is the joiner's. stack_bytes 0: 64 KiB. */
status_t vx_thread_create(struct vx_thread *t, uint32_t (*entry)(void *argument), void *argument, size_t stack_bytes);
/* Waits for it, frees its stack. status may be nullptr. */
status_t vx_thread_join(struct vx_thread *t, uint32_t *status);
/* A thread that nobody joins: it releases its own stack when it returns. */
status_t vx_thread_start_detached(uint32_t (*entry)(void *argument), void *argument, size_t stack_bytes);

/* 0 free, 1 held, 2 held and somebody waits. */
struct vx_mutex {
    _Atomic uint32_t word;
};
void vx_mutex_lock_slow(struct vx_mutex *m);
void vx_mutex_unlock_slow(struct vx_mutex *m);

static inline void vx_mutex_lock(struct vx_mutex *m)
{
    uint32_t expected = 0;
    /* acquire: pairs with the release in vx_mutex_unlock */
    if (!atomic_compare_exchange_strong_explicit(&m->word, &expected, 1, memory_order_acquire, memory_order_relaxed))
        vx_mutex_lock_slow(m);
}

static inline void vx_mutex_unlock(struct vx_mutex *m)
{
    if (atomic_exchange_explicit(&m->word, 0, memory_order_release) == 2)
        vx_mutex_unlock_slow(m);
}
