/* SPDX-License-Identifier: MIT
 * x86-64: which hart this is. GS base points to its struct hart whenever the kernel runs (entry code swaps it in). */
#pragma once
#include <stdint.h>

struct hart;

static inline struct hart *arch_hart_self(void)
{
    /* Not volatile: a hart never changes under running kernel code, so the compiler may keep the answer. */
    struct hart *h;
    __asm__("movq %%gs:48, %0" : "=r"(h));
    return h;
}

/* [SDM-4] IA32_GS_BASE */
static inline void arch_hart_set_self(struct hart *h)
{
    uint64_t base = (uint64_t)h;
    __asm__ volatile("wrmsr" ::"c"(0xc0000101), "a"((uint32_t)base), "d"((uint32_t)(base >> 32)) : "memory");
}

static inline void arch_relax(void)
{
    __asm__ volatile("pause" ::: "memory");
}

static inline uint64_t arch_cycles(void)
{
    uint64_t low, high; /* it clears the upper halves */
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return high << 32 | low;
}
