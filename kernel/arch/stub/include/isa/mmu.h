/* SPDX-License-Identifier: MIT
 * The inline part of arch/mmu.h: physical addresses are virtual ones. */
#pragma once
#include <base/addr.h>
#include <stdint.h>

#define ARCH_LEAF_MAX 2u
#define ARCH_DIRECT_BYTES (UINT64_C(1) << 46)
#define ARCH_DEVICE_BASE (UINT64_C(1) << 47)
#define ARCH_DEVICE_BYTES (UINT64_C(1) << 46)

struct arch_aspace {
    paddr_t root;
};

static inline void *arch_phys_to_virt(paddr_t pa)
{
    return (void *)(uintptr_t)pa.raw;
}

static inline paddr_t arch_virt_to_phys(const void *p)
{
    return (paddr_t){ (uint64_t)(uintptr_t)p };
}
