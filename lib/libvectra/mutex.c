/* SPDX-License-Identifier: MIT
 * The slow halves of the mutex: waiting for it, and waking who waits. */
#include <vectra/thread.h>
#include <vectra/syscall.h>

void vx_mutex_lock_slow(struct vx_mutex *m)
{
    /* acquire: pairs with the release in vx_mutex_unlock. 2 says that somebody waits, so the holder will wake us. */
    while (atomic_exchange_explicit(&m->word, 2, memory_order_acquire) != 0)
        (void)vx_sys_futex_wait((uintptr_t)&m->word, 2, VX_FOREVER);
}

void vx_mutex_unlock_slow(struct vx_mutex *m)
{
    (void)vx_sys_futex_wake((uintptr_t)&m->word, 1, 0, 0, nullptr);
}
