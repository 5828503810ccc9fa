/* SPDX-License-Identifier: MIT
 * The clock is the time-stamp counter, the alarm the local APIC's timer. Both rates are measured against a timer whose
 * rate is known, the HPET or the ACPI PM timer, never against the speed of the processor.
 *
 * A reading of the reference lies somewhere between two readings of the counter; how far those are apart bounds the
 * error. The measurement ends as soon as the bound is small enough: at once where reading is quick (an instruction
 * counter), after some milliseconds where it is slow.
 *
 * All harts share one measurement, and read the time from their own counters: these are taken to have started together
 * and to run at one rate ([SDM-3] "Time-Stamp Counter", invariant TSC), so time goes back from one hart to another by
 * no more than what that promise is worth. */
#include "x86.h"
#include <arch/hart.h>
#include <arch/io.h>
#include <arch/mmu.h>
#include <arch/timer.h>
#include <kernel/firmware/machine.h>

static constexpr uint64_t NS = 1'000'000'000, FS = 1'000'000'000'000'000;
static constexpr uint64_t PM_TIMER_HZ = 3'579'545;
static constexpr uint32_t MSR_TSC_DEADLINE = 0x6e0;
static constexpr unsigned SHIFT = 32;
static constexpr uint64_t ERROR_PER_MILLION = 100; /* good enough */
static constexpr uint64_t WINDOW_MAX_NS = 20'000'000;
static constexpr unsigned STUCK_READS = 1'000'000; /* of a reference that does not move: it is broken */

/* A free-running up-counter. */
struct reference {
    const volatile uint8_t *hpet; /* its main counter; nullptr: the PM timer */
    uint16_t port;
    uint64_t mask;
    uint64_t period_fs;
};

struct sample {
    uint64_t reference, tsc, error; /* error: half the distance of the counter readings around it */
    uint32_t lapic;
};

SEALED static uint64_t tsc_hz, tsc_at_boot;
SEALED static uint64_t ns_per_tick;  /* << SHIFT */
SEALED static uint64_t ticks_per_ns; /* << SHIFT: TSC ticks with the deadline timer, else APIC timer ticks */

static uint64_t reference_read(const struct reference *r)
{
    return (r->hpet != nullptr ? mmio_read32(r->hpet) : port_read32(r->port)) & r->mask;
}

static struct sample take_sample(const struct reference *r)
{
    struct sample best = { .error = UINT64_MAX };
    for (int i = 0; i < 4; i++) {
        uint64_t before = arch_cycles();
        uint64_t value = reference_read(r);
        uint64_t after = arch_cycles();
        if ((after - before) / 2 < best.error)
            best = (struct sample){ value, before + (after - before) / 2, (after - before) / 2, 0 };
    }
    best.lapic = x86_lapic_timer_left();
    return best;
}

/* [HPET] "Register Overview": capabilities at 0 with the period in the upper half, enable at 0x10, counter at 0xf0 */
static bool open_hpet(const struct machine *m, struct reference *r)
{
    if (m->timer.hpet_base == 0)
        return false;
    volatile uint8_t *base = arch_map_device((paddr_t){ m->timer.hpet_base }, 1024);
    if (base == nullptr)
        return false;
    uint32_t period_fs = mmio_read32(base + 4);
    if (period_fs == 0 || period_fs > 100'000'000)
        return false;
    mmio_write32(base + 0x10, mmio_read32(base + 0x10) | 1);
    *r = (struct reference){ .hpet = base + 0xf0, .mask = UINT32_MAX, .period_fs = period_fs };
    return true;
}

static bool open_pm_timer(const struct machine *m, struct reference *r)
{
    const struct firmware_register *reg = &m->timer.pm_timer;
    *r = (struct reference){ .port = (uint16_t)reg->address, .mask = 0xffffff, .period_fs = FS / PM_TIMER_HZ };
    return reg->space == REGISTER_IO; /* where PCs have it */
}

static uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t high, low, quotient, remainder;
    __asm__("mulq %3" : "=a"(low), "=d"(high) : "a"(a), "r"(b));
    __asm__("divq %4" : "=a"(quotient), "=d"(remainder) : "a"(low), "d"(high), "r"(c));
    return quotient;
}

/* The multiple of 1 MHz if that lies within the error, else what was measured. */
static uint64_t snap(uint64_t hz, uint64_t error_hz)
{
    uint64_t round = (hz + 500'000) / 1'000'000 * 1'000'000;
    return (round > hz ? round - hz : hz - round) <= error_hz ? round : hz;
}

/* Answers the APIC timer's rate and sets tsc_hz. */
static uint64_t measure(const struct reference *r)
{
    x86_lapic_timer_start(UINT32_MAX);
    struct sample start = take_sample(r), end;
    uint64_t passed_ns, window, error;
    unsigned reads = 0;
    do {
        end = take_sample(r);
        passed_ns = mul_div((end.reference - start.reference) & r->mask, r->period_fs, 1'000'000);
        window = end.tsc - start.tsc;
        /* one tick of the reference, in ticks of the counter, is lost at either end as well */
        error = start.error + end.error;
        if (passed_ns != 0)
            error += mul_div(2 * r->period_fs, window, passed_ns * 1'000'000);
        if (++reads == STUCK_READS && passed_ns == 0)
            kernel_refuse("the reference timer (HPET or ACPI PM timer) does not run");
    } while (passed_ns == 0 || (error > window / (1'000'000 / ERROR_PER_MILLION) && passed_ns < WINDOW_MAX_NS));
    x86_lapic_timer_start(0);
    if (tsc_hz == 0)
        tsc_hz = snap(mul_div(window, NS, passed_ns), mul_div(error, NS, passed_ns));
    return mul_div(start.lapic - end.lapic, NS, passed_ns);
}

void x86_time_init(const struct machine *m, uint64_t tsc_at_entry)
{
    struct reference r;
    tsc_at_boot = tsc_at_entry;
    tsc_hz = x86_cpu.tsc_hz;
    uint64_t lapic_hz = 0;
    if (open_hpet(m, &r) || open_pm_timer(m, &r))
        lapic_hz = measure(&r);
    else if (tsc_hz == 0 || !x86_cpu.tsc_deadline)
        kernel_refuse("neither HPET nor ACPI PM timer: the clock cannot be measured");
    if (tsc_hz == 0 || (lapic_hz == 0 && !x86_cpu.tsc_deadline))
        kernel_refuse("the processor's counter or its timer does not run");
    ns_per_tick = mul_div(NS, UINT64_C(1) << SHIFT, tsc_hz);
    ticks_per_ns = mul_div(x86_cpu.tsc_deadline ? tsc_hz : lapic_hz, UINT64_C(1) << SHIFT, NS);
}

void arch_time_params(struct arch_time *out)
{
    *out = (struct arch_time){
        .mult = ns_per_tick,
        .counter_base = tsc_at_boot,
        .counter_hz = tsc_hz,
        .shift = SHIFT,
        .invariant = x86_cpu.tsc_invariant,
    };
}

uint64_t arch_timer_now_ns(void)
{
    return (uint64_t)((unsigned __int128)(arch_cycles() - tsc_at_boot) * ns_per_tick >> SHIFT);
}

void arch_timer_arm(uint64_t deadline_ns)
{
    bool never = deadline_ns == UINT64_MAX;
    if (x86_cpu.tsc_deadline) { /* 0 disarms */
        unsigned __int128 ticks = (unsigned __int128)deadline_ns * ticks_per_ns >> SHIFT;
        wrmsr(MSR_TSC_DEADLINE, never ? 0 : tsc_at_boot + (uint64_t)ticks + 1);
        return;
    }
    uint64_t now = arch_timer_now_ns(), ticks = 0;
    if (!never && deadline_ns > now) {
        unsigned __int128 far = (unsigned __int128)(deadline_ns - now) * ticks_per_ns >> SHIFT;
        /* Too far for the counter: it fires early, the kernel finds nothing due and arms it again. */
        ticks = far < UINT32_MAX ? (uint64_t)far + 1 : UINT32_MAX;
    } else if (!never) {
        ticks = 1;
    }
    x86_lapic_timer_start((uint32_t)ticks);
}
