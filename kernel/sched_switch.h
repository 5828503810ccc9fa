/* SPDX-License-Identifier: MIT
 * The switch itself, inline: it is on the way of every call that waits. Keeps S3 to S5 of kernel/sched.c. */
#pragma once
#include <arch/fp.h>
#include <arch/hart.h>
#include <arch/mmu.h>
#include <base/likely.h>
#include <kernel/sched.h>

/* old, if any, has run on h up to now. */
[[gnu::always_inline]] static inline void sched_charge(struct hart *h, struct thread *old)
{
    uint64_t now = arch_cycles(), since = h->sched.switched_cycles;
    /* relaxed: clocks of other harts only want recent values. */
    if (old != nullptr)
        __atomic_store_n(&old->cpu_cycles, __atomic_load_n(&old->cpu_cycles, __ATOMIC_RELAXED) + (now - since),
                         __ATOMIC_RELAXED);
    __atomic_store_n(&h->sched.switched_cycles, now, __ATOMIC_RELAXED);
}

/* relaxed: others only want to know whether it is worth asking. */
static inline void sched_set_mask(struct hart *h, uint32_t mask)
{
    __atomic_store_n(&h->sched.mask, mask, __ATOMIC_RELAXED);
}

/* Everything that is a thread's and not in its frame, but for the address space. */
[[gnu::always_inline]] static inline void sched_switch_state(struct hart *h, struct thread *old, struct thread *t)
{
    uint64_t tls = arch_tls_get();
    if (tls != t->tls)
        arch_tls_set(t->tls);
    if (likely(old != nullptr)) {
        old->tls = tls;
        arch_fp_switch(thread_fp(old), thread_fp(t));
        /* release: pairs with the acquire of whoever runs it next */
        atomic_store_explicit(&old->on_hart, false, memory_order_release);
    } else {
        arch_fp_switch(nullptr, thread_fp(t));
    }
    atomic_store_explicit(&t->on_hart, true, memory_order_relaxed);
    set_home(t, h->id);
    t->n_switches++;
}

[[gnu::always_inline]] static inline void sched_set_current(struct hart *h, struct thread *t)
{
    h->current = t;
    thread_set_state(t, THREAD_RUNNING);
    if (unlikely(h->sched.mask != 0 && !h->sched.slice_armed))
        sched_arm_slice(h);
}

/* The hart is t's from now on, in t's address space; old, if any, is on its queue or waits. arch_resume() then enters
 * it. */
[[gnu::always_inline]] static inline void sched_switch(struct hart *h, struct thread *old, struct thread *t)
{
    sched_charge(h, old);
    if (likely(old != t)) {
        if (h->aspace != &t->task->vm.as)
            arch_aspace_activate(&t->task->vm.as);
        sched_switch_state(h, old, t);
    }
    if (unlikely(t->effective_band != atomic_load_explicit(&h->sched.urgency, memory_order_relaxed)))
        sched_set_urgency(h, t->effective_band);
    sched_set_current(h, t);
}

/* A call that ends in a switch of its own, and not by returning, first forgets that it was run again or asked for one.
 */
static inline void sched_leave_call(struct hart *h)
{
    h->need_switch = 0;
    h->rerunning = false;
    h->outcome = CALL_RETURNS;
}

/* For the end of a call that parked its thread, self: as sched_leave(), inline for the case that one thread is READY,
 * whose call is over. */
[[noreturn, gnu::always_inline]] static inline void sched_leave_parked(struct hart *h, struct thread *self)
{
    struct thread *t = h->sched.only;
    if (unlikely(t == nullptr || h->sched.handover != nullptr || h->alone))
        sched_leave();
    h->sched.only = nullptr;
    sched_set_mask(h, 0);
    sched_leave_call(h);
    sched_switch(h, self, t);
    if (likely(!t->parked && h->need_switch == 0))
        arch_resume();
    sched_go_on(h, t);
}
