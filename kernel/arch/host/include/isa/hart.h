/* SPDX-License-Identifier: MIT
 * The host: one hart, which a test drives. Time stands still unless the test moves it. */
#pragma once
#include <stdint.h>

struct hart;

extern struct hart *host_hart;
extern uint64_t host_cycles; /* one cycle is one nanosecond */
/* Added to the clock at every reading: 0 lets time stand still. */
extern uint64_t host_cycles_per_reading;

static inline struct hart *arch_hart_self(void)
{
    return host_hart;
}

static inline void arch_hart_set_self(struct hart *h)
{
    host_hart = h;
}

static inline void arch_relax(void)
{
}

static inline uint64_t arch_cycles(void)
{
    return host_cycles += host_cycles_per_reading;
}
