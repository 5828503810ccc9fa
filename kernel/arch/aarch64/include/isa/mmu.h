/* SPDX-License-Identifier: MIT
 * The inline part of arch/mmu.h. TTBR1 holds the kernel, TTBR0 the active user address space. */
#pragma once
#include <base/addr.h>
#include <isa/layout.h>
#include <stdint.h>

#define ARCH_LEAF_MAX 2u
#define ARCH_DIRECT_BYTES (UINT64_C(1) << LAYOUT_PA_BITS)
#define ARCH_DEVICE_BASE LAYOUT_DEVICE
#define ARCH_DEVICE_BYTES ARCH_DIRECT_BYTES

struct arch_aspace {
    paddr_t root;
    uint64_t ttbr;   /* TTBR0_EL1 while it is active: root and ASID. mmu.c */
    uint64_t key[2]; /* APIAKey_EL1, with it */
};

extern uint64_t arch_image_offset; /* from where the image runs to where it was loaded */

static inline void *arch_phys_to_virt(paddr_t pa)
{
    return (void *)(uintptr_t)(pa.raw + LAYOUT_DIRECT);
}

static inline paddr_t arch_virt_to_phys(const void *p)
{
    uint64_t va = (uint64_t)(uintptr_t)p;
    return (paddr_t){ va >= LAYOUT_IMAGE ? va + arch_image_offset : va - LAYOUT_DIRECT };
}
