/* SPDX-License-Identifier: MIT
 * x86-64: where the kernel's half of every address space maps what.
 *
 *   0xffff800000000000  direct map of RAM         (root entries 256..383)
 *   0xffffc00000000000  device registers, stacks  (root entry 384): registers at this plus their physical address
 *   0xffffffff80000000  the kernel image          (root entry 511), at this plus its physical address and image_slide
 *
 * The root entries of this half are made at boot and never change, so every root may hold a copy of them. */
#pragma once
#include <abi/limits.h>
#include <base/addr.h>
#include <stdatomic.h>
#include <stdint.h>

#define X86_DIRECT_BASE UINT64_C(0xffff800000000000)
#define ARCH_DIRECT_BYTES (UINT64_C(64) << 40)
#define ARCH_DEVICE_BASE UINT64_C(0xffffc00000000000)
#define ARCH_DEVICE_BYTES (UINT64_C(256) << 30)
#define X86_STACKS (ARCH_DEVICE_BASE + ARCH_DEVICE_BYTES) /* of further harts */
#define X86_IMAGE_BASE UINT64_C(0xffffffff80000000)

extern const uint8_t x86_image_zero[]; /* kernel.ld: where the image would have physical address 0 */
extern uint8_t x86_leaf_max;           /* cpu.c */
#define ARCH_LEAF_MAX x86_leaf_max

struct x86_port_range {
    uint32_t first, count;
    const struct cap *owner; /* never looked into: only which one it is */
};

struct arch_aspace {
    paddr_t root;
    _Atomic uint64_t harts; /* bit i: hart i may use its translations */
    _Atomic uint64_t stamp; /* never the same for two address spaces, nor before and after a flush; for PCIDs */
    uint32_t general;       /* activating or leaving it takes more than loading cr3 */
    uint32_t n_ports;
    uint64_t ports_stamp; /* never the same for two sets of ports: a hart knows by it whether its bitmap is this one */
    struct x86_port_range ports[DEVICE_PORT_RANGES_MAX];
};

static inline void *arch_phys_to_virt(paddr_t pa)
{
    return (void *)(X86_DIRECT_BASE + pa.raw);
}

static inline paddr_t arch_virt_to_phys(const void *p)
{
    uint64_t va = (uint64_t)p;
    return (paddr_t){ va >= X86_IMAGE_BASE ? va - (uint64_t)x86_image_zero : va - X86_DIRECT_BASE };
}
