/* SPDX-License-Identifier: MIT
 * The host's "physical memory": a reserved part of the process's address space, in which a test makes ranges exist.
 * A physical address is an offset into it, so that the direct map is one addition, as on hardware, and a touch of
 * anything that is not RAM kills the test. The process's own image, which plays the kernel's, lies above all of it. */
#pragma once
#include <base/addr.h>
#include <stddef.h>
#include <stdint.h>

#ifdef HOST_SMP /* a sanitizer's bookkeeping of all of it is slow */
#define HOST_PHYS_LIMIT (UINT64_C(1) << 32)
#else
#define HOST_PHYS_LIMIT (UINT64_C(1) << 40)
#endif

extern unsigned char *host_phys;
extern unsigned char host_image[] __asm__("__executable_start"); /* from the linker */

extern unsigned host_leaf_max; /* a test may have a processor without 1 GiB pages */
#define ARCH_LEAF_MAX host_leaf_max

struct arch_aspace {
    paddr_t root;
    struct {
        uint32_t first, count;
        const struct cap *owner;
    } ports[4];
    uint32_t n_ports;
    bool live;              /* between init and fini: tests look for leaks */
    _Atomic uint64_t harts; /* a bit for each that may hold translations of it */
};

static inline void *arch_phys_to_virt(paddr_t pa)
{
    return (void *)(pa.raw < HOST_PHYS_LIMIT ? (uintptr_t)host_phys + pa.raw
                                             : (uintptr_t)host_image + (pa.raw - HOST_PHYS_LIMIT));
}

static inline paddr_t arch_virt_to_phys(const void *p)
{
    uint64_t at = (uintptr_t)p - (uintptr_t)host_phys;
    return (paddr_t){ at < HOST_PHYS_LIMIT ? at : (uintptr_t)p - (uintptr_t)host_image + HOST_PHYS_LIMIT };
}

/* For tests: forget all RAM; make [base, base + len) RAM, filled with 0xa5, as memory after a reset is not zero. */
void host_ram_reset(void);
void host_ram_add(uint64_t base, uint64_t len);
