/* SPDX-License-Identifier: MIT
 * The host: harts that a test drives, each on a thread of its own; most tests have one. Time stands still unless the
 * test moves it. Tests of several harts define HOST_SMP: then every look at the own hart is a place where the hart may
 * be held up, and a hart that waits for another lets that one run. */
#pragma once
#include <stdint.h>

struct hart;

extern _Thread_local struct hart *host_hart;
extern _Atomic uint64_t host_cycles; /* one cycle is one nanosecond */
/* Added to the clock at every reading: 0 lets time stand still. */
extern uint64_t host_cycles_per_reading;

#ifdef HOST_SMP
void host_dawdle(void);
void host_relax(void);
#else
static inline void host_dawdle(void)
{
}
static inline void host_relax(void)
{
}
#endif

static inline struct hart *arch_hart_self(void)
{
    host_dawdle();
    return host_hart;
}

static inline void arch_relax(void)
{
    host_relax();
}

/* relaxed: the clock of the machine orders nothing. */
static inline uint64_t arch_cycles(void)
{
    return __c11_atomic_fetch_add(&host_cycles, host_cycles_per_reading, __ATOMIC_RELAXED) + host_cycles_per_reading;
}
