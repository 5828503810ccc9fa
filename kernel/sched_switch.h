/* SPDX-License-Identifier: MIT
 * The switch itself, inline: it is on the way of every call that waits. Keeps S3 and S4 of kernel/sched.c. */
#pragma once
#include <arch/fp.h>
#include <arch/hart.h>
#include <arch/mmu.h>
#include <base/likely.h>
#include <kernel/sched.h>

/* Everything that is a thread's and not in its frame: vector registers, thread pointer, address space. */
[[gnu::always_inline]] static inline void sched_load(struct hart *h, struct thread *t)
{
    struct thread *loaded = h->sched.loaded;
    struct task *task = t->task;
    if (likely(loaded != nullptr))
        loaded->tls = arch_tls_get();
    arch_tls_set(t->tls);
    arch_fp_switch(loaded != nullptr ? loaded->fp : nullptr, t->fp);
    h->sched.loaded = t;
    if (h->aspace != &task->vm.as)
        arch_aspace_activate(&task->vm.as);
    task->n_switches++;
}

/* The hart is t's from now on, in t's address space; old, if any, is on its queue or waits. arch_resume() then enters
 * it. */
[[gnu::always_inline]] static inline void sched_switch(struct hart *h, struct thread *old, struct thread *t)
{
    uint64_t now = arch_cycles();
    uint64_t *account = old != nullptr ? &old->cpu_cycles : &h->sched.idle_cycles;
    *account += now - h->sched.accounted_cycles;
    h->sched.accounted_cycles = h->sched.switched_cycles = now;
    if (likely(h->sched.loaded != t))
        sched_load(h, t);
    h->current = t;
    h->frame = &t->frame;
    t->state = THREAD_RUNNING;
    if (unlikely((h->sched.mask >> t->effective_band & 1) != 0 && !h->sched.slice_armed))
        sched_arm_slice(h->sched.slice_cycles);
}

/* A call that ends in a switch of its own, and not by returning, first forgets that it was run again or asked for one.
 */
static inline void sched_leave_call(struct hart *h)
{
    h->need_switch = 0;
    h->sched.rerunning = false;
}
