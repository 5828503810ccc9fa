/* SPDX-License-Identifier: MIT
 * Address spaces as the hardware sees them. The portable walker (kernel/pt.h) edits tables; this activates and flushes.
 */
#pragma once
#include <abi/status.h>
#include <arch/pte.h>
#include <base/addr.h>
#include <stddef.h>
#include <isa/mmu.h>
/* <isa/mmu.h> supplies:
 *   struct arch_aspace { paddr_t root; … asid/pcid, generation, granted I/O ports … };
 *   ARCH_LEAF_MAX                             the level of the largest leaf: 1 GiB, or 2 MiB where there are none
 *   ARCH_DIRECT_BYTES                         RAM up to here is in the direct map
 *   ARCH_DEVICE_BASE, ARCH_DEVICE_BYTES       where registers are mapped, and the end of those that can be
 *   void *arch_phys_to_virt(paddr_t pa);      through the direct map; RAM only
 *   paddr_t arch_virt_to_phys(const void *p); of the direct map or the kernel image */

#define ARCH_PAGE_SIZE 4096u
#define ARCH_PAGE_SHIFT 12u

static inline uint64_t page_down(uint64_t a)
{
    return a & ~(uint64_t)(ARCH_PAGE_SIZE - 1);
}

static inline uint64_t page_up(uint64_t a)
{
    return page_down(a + ARCH_PAGE_SIZE - 1);
}

/* The level of the largest leaf that may start at va, map pa, and be no longer than len. */
static inline unsigned pt_fit(uint64_t va, uint64_t pa, uint64_t len)
{
    unsigned level = 2;
    while (level > 0 && (((va | pa) & (pt_span(level) - 1)) != 0 || len < pt_span(level)))
        level--;
    return level < ARCH_LEAF_MAX ? level : ARCH_LEAF_MAX; /* a smaller one fits, too */
}

/* For data without an initial value that only boot writes: arch_seal() makes it read-only, by every name it has. */
#define SEALED [[gnu::section(".bss.sealed")]]

/* `root` is a zeroed page; the kernel's half is made visible in it if the isa needs that. */
void arch_aspace_init(struct arch_aspace *as, paddr_t root);
/* Forgets it: nothing of it stays in any TLB. It is not active on this hart. */
void arch_aspace_fini(struct arch_aspace *as);
/* Makes `as`, which is not yet, this hart's user address space; nullptr: none (only the kernel's half). */
void arch_aspace_activate(struct arch_aspace *as);
/* A Ring message (arch/usercopy.h) from user memory of the active address space to that of `as`, which is the active
 * one afterwards. Not OK: the first still is, and an unknown part of dst was written; or it cannot be done like this.
 */
status_t arch_copy_message_across(struct arch_aspace *as, uaddr_t dst, uaddr_t src);

/* After present entries in the range changed or went: no hart uses an old translation when this returns. A page of a
 * leaf stands for all of it. What is beyond a few dozen pages costs as much as everything (0, SIZE_MAX). */
void arch_tlb_flush_range(struct arch_aspace *as, vaddr_t va, size_t len_bytes);
/* After an entry became present (from not present): a barrier where the isa needs one, no flush. */
void arch_tlb_publish(void);

/* Kernel mapping of device registers as device memory; never unmapped. Page-aligned inside. nullptr: no room. */
void *arch_map_device(paddr_t pa, size_t len_bytes);

/* Lets the Task use the I/O ports [first, first+count), all below 65536, for as long as it has the capability `owner`:
 * revoke undoes what was granted for that one. ERR_NOT_SUPPORTED where there are none, ERR_TABLE_FULL beyond
 * DEVICE_PORT_RANGES_MAX ranges. */
struct cap;
status_t arch_ports_grant(struct arch_aspace *as, uint32_t first, uint32_t count, const struct cap *owner);
void arch_ports_revoke(struct arch_aspace *as, const struct cap *owner);

/* By the boot hart, before there are others. */
void arch_seal(void);
/* Walks the kernel's own tables: returns the leaf entry that maps kernel address va and its level, or 0. For
 * self-tests. */
uint64_t arch_kernel_pte(vaddr_t va, unsigned *level);
/* Makes data that was written visible to instruction fetch. */
void arch_sync_icache(const void *p, size_t len_bytes);
/* Fills a page with zeroes by the fastest routine that boot selected. `page` is page aligned. */
void arch_page_zero(void *page);
/* The same for a copy; dst is page aligned. */
void arch_page_copy(void *dst, const void *src);
