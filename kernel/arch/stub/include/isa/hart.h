/* SPDX-License-Identifier: MIT
 * The inline part of arch/hart.h, for a machine that does nothing. */
#pragma once
#include <stdint.h>

struct hart;
extern struct hart *stub_hart;

static inline struct hart *arch_hart_self(void)
{
    return stub_hart;
}

static inline void arch_relax(void)
{
}

static inline uint64_t arch_cycles(void)
{
    return 0;
}
