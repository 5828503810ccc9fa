/* SPDX-License-Identifier: MIT
 * The gate (kernel/gate.h), closed and opened. The owners are served in the order of their tickets.
 * model: test/model/gate.pml */
#include <kernel/gate.h>
#include <kernel/sched.h>
#include <base/kassert.h>

static _Atomic uint32_t next_ticket, serving;

/* The hart's word is neither OUT nor IN from now on. */
static void close_for(struct hart *h, struct hart *other)
{
    for (;;) {
        uint32_t state = GATE_OUT;
        /* acquire: pairs with gate_leave(). */
        if (atomic_compare_exchange_strong_explicit(&other->gate, &state, GATE_CLOSED, memory_order_acquire,
                                                    memory_order_acquire) ||
            state != GATE_IN)
            return;
        harts_poll(h);
        arch_relax();
    }
}

static void open_for(struct hart *other)
{
    for (;;) {
        uint32_t state = atomic_load_explicit(&other->gate, memory_order_relaxed);
        if (state == GATE_QUEUED)
            return;
        /* IN: it found the gate closed and is about to say that it waits.
         * release: pairs with the acquire in gate_enter() and kernel_gate_closed(). */
        if (state != GATE_IN &&
            atomic_compare_exchange_strong_explicit(&other->gate, &state, state == GATE_WAITING ? GATE_IN : GATE_OUT,
                                                    memory_order_release, memory_order_relaxed))
            return;
        arch_relax();
    }
}

bool gate_close(struct hart *h, bool is_syscall)
{
    const struct thread *t = h->current;
    kassert(!h->alone);
    if (n_harts > 1) {
        h->at_syscall = is_syscall;
        /* release: pairs with the acquire of the owner before us: it sees our thread's frame. */
        atomic_store_explicit(&h->gate, GATE_QUEUED, memory_order_release);
        uint32_t ticket = atomic_fetch_add_explicit(&next_ticket, 1, memory_order_relaxed);
        /* acquire: pairs with the release of `serving` in gate_open(). */
        while (atomic_load_explicit(&serving, memory_order_acquire) != ticket) {
            harts_poll(h);
            arch_relax();
        }
        for (uint32_t i = 0; i < n_harts; i++)
            if (harts[i] != h)
                close_for(h, harts[i]);
        atomic_store_explicit(&h->gate, GATE_IN, memory_order_relaxed);
    }
    h->alone = true;
    return h->current == t;
}

void gate_open(struct hart *h)
{
    h->alone = false;
    if (n_harts == 1)
        return;
    for (uint32_t i = 0; i < n_harts; i++)
        if (harts[i] != h)
            open_for(harts[i]);
    atomic_fetch_add_explicit(&serving, 1, memory_order_release);
}

void gate_catch(struct hart *h, const struct hart *other)
{
    bool asked = false;
    for (;;) {
        /* acquire: pairs with the release that comes with the waiting states. */
        uint32_t state = atomic_load_explicit(&other->gate, memory_order_acquire);
        if (state == GATE_WAITING || state == GATE_QUEUED)
            return;
        if (!asked)
            arch_ipi_send(other);
        asked = true;
        harts_poll(h);
        arch_relax();
    }
}

void kernel_gate_closed(uint64_t is_syscall)
{
    struct hart *h = arch_hart_self();
    h->at_syscall = is_syscall != 0;
    /* release: pairs with the acquire in gate_catch(). */
    atomic_store_explicit(&h->gate, GATE_WAITING, memory_order_release);
    /* acquire: pairs with the release in open_for(). */
    while (atomic_load_explicit(&h->gate, memory_order_acquire) != GATE_IN) {
        harts_poll(h);
        arch_relax();
    }
    if (is_syscall != 0 && h->current == nullptr)
        sched_run();
}
