/* SPDX-License-Identifier: MIT
 * The generic timer's virtual counter and comparator, which work in a guest and on bare metal alike.
 * Source: [Arm-ARM] "The Generic Timer in AArch64 state". */
#include "boot.h"
#include <arch/hart.h>
#include <arch/mmu.h>
#include <arch/timer.h>
#include <isa/plat.h>
#include <kernel/entry.h>

static constexpr uint64_t NS_PER_S = 1'000'000'000;
static constexpr unsigned NS_SHIFT = 32;              /* ticks to ns */
static constexpr unsigned TICKS_SHIFT = 60;           /* ns to ticks */
static constexpr uint64_t FAR_NS = UINT64_C(1) << 60; /* 36 years: later deadlines are looked at again then */

SEALED static struct arch_time scale;
SEALED static uint64_t ticks_mult;

/* (a << shift) / b, rounded up, bit by bit: there is no 128-bit division in a kernel without a support library. a < b
 * * 16. */
static uint64_t shifted_quotient(uint64_t a, unsigned shift, uint64_t b)
{
    uint64_t q = a / b, rest = a % b;
    for (unsigned i = 0; i < shift; i++) {
        q <<= 1;
        rest <<= 1;
        if (rest >= b) {
            rest -= b;
            q |= 1;
        }
    }
    return q + (rest != 0);
}

void time_init(uint64_t dt_hz)
{
    uint64_t hz = dt_hz != 0 ? dt_hz : ISA_READ("cntfrq_el0");
    if (hz < 1'000'000 || hz > UINT32_MAX)
        kernel_refuse("the timer's frequency makes no sense: CNTFRQ_EL0 must say 1 MHz or more");
    scale = (struct arch_time){
        .mult = shifted_quotient(NS_PER_S, NS_SHIFT, hz),
        .shift = NS_SHIFT,
        .counter_base = arch_cycles(),
        .counter_hz = hz,
        .invariant = 1,
    };
    ticks_mult = shifted_quotient(hz, TICKS_SHIFT, NS_PER_S);
}

void arch_time_params(struct arch_time *out)
{
    *out = scale;
}

uint64_t arch_timer_now_ns(void)
{
    __asm__ volatile("isb" ::: "memory"); /* or the counter may be read before what comes before it */
    return (uint64_t)((unsigned __int128)(arch_cycles() - scale.counter_base) * scale.mult >> NS_SHIFT);
}

void arch_timer_arm(uint64_t deadline_ns)
{
    if (deadline_ns > FAR_NS)
        deadline_ns = FAR_NS;
    /* One tick late rather than early: the handler must find the deadline passed. */
    uint64_t ticks = (uint64_t)((unsigned __int128)deadline_ns * ticks_mult >> TICKS_SHIFT) + 1;
    __asm__ volatile("msr cntv_cval_el0, %0\n\tmsr cntv_ctl_el0, %1" ::"r"(scale.counter_base + ticks),
                     "r"(UINT64_C(1)));
}

void isa_timer_quiet(void)
{
    __asm__ volatile("msr cntv_ctl_el0, xzr\n\tisb");
}
