/* SPDX-License-Identifier: MIT
 * What a lock does when it is not free, and what a debug build checks. */
#include <kernel/lock.h>

void lock_wait(struct spinlock *l)
{
    struct hart *h = arch_hart_self();
    do {
        while (atomic_load_explicit(&l->held, memory_order_relaxed) != 0) {
            harts_poll(h); /* the holder may be waiting for us to drop a translation */
            arch_relax();
        }
    } while (atomic_exchange_explicit(&l->held, 1, memory_order_acquire) != 0);
}
