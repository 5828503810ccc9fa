/* SPDX-License-Identifier: MIT
 * Stacks of threads: address space, a guard at its lower end, pages as they are touched. To map one and take it away
 * again is most of what a thread costs, so the last one that became free stays for the next thread: one, and none
 * larger than KEPT_MAX, so that a process holds little that it does not use. That is what Rust gives a thread, 2 MiB,
 * and what the C library adds to it.
 *
 *  1. `kept` is nullptr or a stack that is nobody's. It is exchanged: whoever takes it out has it alone.
 *  2. The top of a stack, which the C library takes for zeroes, is zero again when it is given out. What lies below is
 *     whatever the thread before left there, as in any stack. */
#define _GNU_SOURCE
#include "posix.h"
#include "thread.h"

enum : size_t { KEPT_MAX = (2 << 20) + (256 << 10) };

/* At the top of a stack that is kept. */
struct kept {
    void *base;
    size_t bytes, guard;
};
static struct kept *_Atomic kept;

static void *map(size_t bytes, size_t guard)
{
    void *base = nullptr;
    if (vx_sys_mem_alloc(VX_OWN_RETICLE, bytes, VX_MEM_RESERVE, 0, nullptr, &base) != OK)
        return nullptr;
    if (vx_sys_mem_map(VX_NO_MEM, 0, bytes - guard, (uintptr_t)base + guard, VX_PROT_READ | VX_PROT_WRITE | VX_MAP_LAZY,
                       nullptr) == OK)
        return base;
    (void)vx_sys_mem_free(VX_NO_MEM, (uintptr_t)base, bytes);
    return nullptr;
}

void *__vectra_stack_get(size_t bytes, size_t guard, size_t zeroes)
{
    struct px_thread *me = px_self();
    px_enter(me);
    /* acquire: pairs with the release in __vectra_stack_put */
    struct kept *k = atomic_exchange_explicit(&kept, nullptr, memory_order_acquire);
    void *base = nullptr;
    if (k != nullptr && k->bytes == bytes && k->guard == guard) {
        base = k->base;
        memset((char *)base + bytes - zeroes, 0, zeroes);
    } else {
        if (k != nullptr)
            (void)vx_sys_mem_free(VX_NO_MEM, (uintptr_t)k->base, k->bytes);
        base = map(bytes, guard);
    }
    px_leave(me);
    return base;
}

void __vectra_stack_put(void *base, size_t bytes, size_t guard)
{
    struct px_thread *me = px_self();
    px_enter(me);
    if (bytes <= KEPT_MAX) {
        struct kept *k = (struct kept *)(void *)((char *)base + bytes - sizeof *k);
        *k = (struct kept){ base, bytes, guard };
        /* acq_rel: what the record says is there before it is found; the one before is now ours */
        k = atomic_exchange_explicit(&kept, k, memory_order_acq_rel);
        base = k != nullptr ? k->base : nullptr;
        bytes = k != nullptr ? k->bytes : 0;
    }
    if (base != nullptr)
        (void)vx_sys_mem_free(VX_NO_MEM, (uintptr_t)base, bytes);
    px_leave(me);
}
