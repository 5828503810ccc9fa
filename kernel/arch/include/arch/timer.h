/* SPDX-License-Identifier: MIT
 * The monotonic clock and this hart's one-shot timer. */
#pragma once
#include <stdint.h>

struct arch_time { /* ns = ((counter - counter_base) * mult >> shift), product in 128 bits */
    uint64_t mult, counter_base, counter_hz;
    uint32_t shift;
    uint32_t invariant; /* 1: the counter runs at one rate always */
};
void arch_time_params(struct arch_time *out);

/* Nanoseconds since boot; never goes back. */
uint64_t arch_timer_now_ns(void);
/* Arms the timer interrupt; a past deadline fires at once. UINT64_MAX stops it. Context: interrupts masked. */
void arch_timer_arm(uint64_t deadline_ns);
