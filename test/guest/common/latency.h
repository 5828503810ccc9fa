/* SPDX-License-Identifier: MIT
 * How long interrupts wait. A thread more urgent than what is watched sleeps until one moment after the other, at
 * distances that repeat nothing, and reads the clock when it runs: what it is late, beyond what it is late when nothing
 * but user code runs beside it, is time that the kernel had interrupts masked. Under the instruction counter, on one
 * hart, that is a number of instructions; elsewhere it says little, and nothing is asked of it. */
#pragma once
#include <test/guest/common/play.h>

struct latency {
    struct vx_thread thread;
    _Atomic uint64_t worst_ns;
    _Atomic uint32_t samples;
    _Atomic bool ignore; /* what happens now: it is known to be made of steps that go before a thread like this */
    _Atomic bool stop;
};

enum : uint32_t { LATENCY_LEAST_NS = 2000, LATENCY_SPREAD_NS = 30000 };

static inline uint32_t latency_thread(void *argument)
{
    struct latency *l = argument;
    uint64_t seed = 1;
    while (!atomic_load_explicit(&l->stop, memory_order_relaxed)) {
        uint64_t until = vx_clock_monotonic_ns() + LATENCY_LEAST_NS + play_below(&seed, LATENCY_SPREAD_NS);
        (void)vx_enter(NR_nanosleep, until, 0, 0, 0, 0);
        uint64_t late = vx_clock_monotonic_ns() - until;
        if (!atomic_load_explicit(&l->ignore, memory_order_relaxed) &&
            late > atomic_load_explicit(&l->worst_ns, memory_order_relaxed))
            atomic_store_explicit(&l->worst_ns, late, memory_order_relaxed);
        atomic_fetch_add_explicit(&l->samples, 1, memory_order_relaxed);
    }
    return 0;
}

/* From the most urgent band that the Task has; whoever is to be watched is in a less urgent one. */
static inline bool latency_begin(struct latency *l)
{
    *l = (struct latency){};
    return vx_thread_create(&l->thread, latency_thread, l, 4096) == OK;
}

/* The worst so far; begins anew. */
static inline uint64_t latency_take(struct latency *l)
{
    atomic_store_explicit(&l->samples, 0, memory_order_relaxed);
    return atomic_exchange_explicit(&l->worst_ns, 0, memory_order_relaxed);
}

static inline void latency_end(struct latency *l)
{
    atomic_store_explicit(&l->stop, true, memory_order_relaxed);
    (void)vx_thread_join(&l->thread, nullptr);
}
