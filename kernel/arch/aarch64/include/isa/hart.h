/* SPDX-License-Identifier: MIT
 * The inline part of arch/hart.h: TPIDR_EL1 holds this hart's struct hart. */
#pragma once
#include <stdint.h>

struct hart;

/* A system register. */
#define ISA_READ(reg)                                                                                                  \
    ({                                                                                                                 \
        uint64_t value_;                                                                                               \
        __asm__ volatile("mrs %0, " reg : "=r"(value_));                                                               \
        value_;                                                                                                        \
    })

static inline struct hart *arch_hart_self(void)
{
    struct hart *h;
    __asm__("mrs %0, tpidr_el1" : "=r"(h)); /* constant once set, so the compiler may keep it */
    return h;
}

static inline void arch_relax(void)
{
    __asm__ volatile("yield" ::: "memory");
}

static inline uint64_t arch_cycles(void)
{
    uint64_t v;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(v)::"memory");
    return v;
}
