/* SPDX-License-Identifier: MIT
 * The harts of the machine: started one by one while the machine starts, and the calls they make on each other. */
#include <kernel/firmware/machine.h>
#include <kernel/gate.h>
#include <kernel/sched.h>
#include <arch/timer.h>

#define START_TIMEOUT_NS (5 * UINT64_C(1000000000)) /* a busy emulator may let a hart wait */

struct hart *harts[HART_MAX];
uint32_t n_harts;

void harts_answer(struct hart *h)
{
    /* acquire: pairs with the caller's release of the bit: fn and arg are there. */
    uint64_t from = atomic_exchange_explicit(&h->calls.from, 0, memory_order_acquire);
    for (; from != 0; from &= from - 1) {
        struct hart *caller = harts[__builtin_ctzll(from)];
        caller->calls.fn(caller->calls.arg);
        /* release: pairs with the acquire of `left` below. */
        atomic_fetch_sub_explicit(&caller->calls.left, 1, memory_order_release);
    }
}

void kernel_harts_call(uint64_t mask, void (*fn)(const void *arg), const void *arg)
{
    struct hart *h = arch_hart_self();
    mask &= ~(UINT64_C(1) << h->id);
    if (mask == 0)
        return;
    h->calls.fn = fn;
    h->calls.arg = arg;
    atomic_store_explicit(&h->calls.left, (uint32_t)__builtin_popcountll(mask), memory_order_relaxed);
    for (uint64_t m = mask; m != 0; m &= m - 1) {
        struct hart *other = harts[__builtin_ctzll(m)];
        atomic_fetch_or_explicit(&other->calls.from, UINT64_C(1) << h->id, memory_order_release);
        arch_ipi_send(other);
    }
    while (atomic_load_explicit(&h->calls.left, memory_order_acquire) != 0) {
        harts_poll(h);
        arch_relax();
    }
}

void kernel_ipi(void)
{
    struct hart *h = arch_hart_self();
    if (unlikely(kernel_is_panicking()))
        arch_halt();
    harts_poll(h);
    sched_ipi(h);
}

void kernel_hart_main(struct hart *h)
{
    uint32_t starting = HART_STARTING;
    h->syscalls = harts[0]->syscalls;
    gate_enter(h);
    sched_init();
    /* acquire: what the boot hart prepared. release: what arch code set up here. */
    if (!atomic_compare_exchange_strong_explicit(&h->phase, &starting, HART_ONLINE, memory_order_acq_rel,
                                                 memory_order_relaxed))
        arch_halt(); /* too late: it was left out */
    sched_run();
}

static void start_one(const struct hart_info *info)
{
    struct hart *h = n_harts < HART_MAX ? arch_hart_create(n_harts, info->hw_id) : nullptr;
    uint32_t starting = HART_STARTING;
    if (h != nullptr)
        harts[n_harts] = h;
    status_t st = h != nullptr ? arch_hart_start(h) : ERR_NO_MEMORY;
    uint64_t end = arch_timer_now_ns() + START_TIMEOUT_NS;
    while (st == OK && atomic_load_explicit(&h->phase, memory_order_acquire) == HART_STARTING &&
           arch_timer_now_ns() < end)
        arch_relax();
    if (st != OK || atomic_compare_exchange_strong_explicit(&h->phase, &starting, HART_ABANDONED, memory_order_acq_rel,
                                                            memory_order_acquire)) {
        kprintf("harts: hart %u (0x%llx) does not start; left out\n", n_harts, (unsigned long long)info->hw_id);
        return;
    }
    n_harts++;
    /* Threads move between the harts of a domain. Nobody else changes these masks, and none is in use yet. */
    h->domain = info->domain;
    for (uint32_t i = 0; i < n_harts - 1; i++)
        if (harts[i]->domain == h->domain) {
            harts[i]->sched.domain |= UINT64_C(1) << h->id;
            h->sched.domain |= UINT64_C(1) << i;
        }
}

void harts_start(const struct machine *m)
{
    struct hart *boot = arch_hart_self();
    for (uint32_t i = 0; i < m->n_harts; i++)
        if (m->hart[i].hw_id == boot->hw_id)
            boot->domain = m->hart[i].domain;
    for (uint32_t i = 0; i < m->n_harts; i++)
        if (m->hart[i].hw_id != boot->hw_id)
            start_one(&m->hart[i]);
    kprintf("harts: %u of %u run\n", n_harts, m->n_harts);
}
