/* SPDX-License-Identifier: MIT
 * User address spaces: TTBR0, address-space identifiers and TLB maintenance.
 *
 * An ASID belongs to an address space for one generation. When the ASIDs of a generation run out, the next one starts
 * with an empty TLB, and an address space gets a new number when it is next activated. Invariants:
 *  1. ASID 0 is never given out: it goes with the empty table, when no user space is active.
 *  2. If an address space's generation is not the current one, no TLB holds anything of it, so it needs no flush.
 * Flushes are broadcast to the inner-shareable domain. The allocator itself has no lock: one hart runs.
 * Source: [Arm-ARM] "TLB maintenance instructions", "ASIDs". */
#include "boot.h"
#include <abi/status.h>
#include <arch/mmu.h>
#include <arch/hart.h>
#include <kernel/entry.h>

static constexpr uint64_t GENERATION_ONE = UINT64_C(1) << 16;
static constexpr uint64_t ASID_MASK = GENERATION_ONE - 1;
static constexpr size_t FLUSH_ALL_PAGES = 64; /* beyond this many, forgetting the whole space is quicker */

static uint64_t generation = GENERATION_ONE, asid_last, asid_limit;

void mmu_init(void)
{
    uint64_t features;
    __asm__("mrs %0, id_aa64mmfr0_el1" : "=r"(features));
    asid_limit = (features >> 4 & 15) == 2 ? 0xffff : 0xff;
}

static bool is_current(const struct arch_aspace *as)
{
    return (as->context & ~ASID_MASK) == generation;
}

static void new_context(struct arch_aspace *as)
{
    if (asid_last == asid_limit) {
        asid_last = 0;
        generation += GENERATION_ONE;
        __asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" ::: "memory");
    }
    as->context = generation | ++asid_last;
}

void arch_aspace_init(struct arch_aspace *as, paddr_t root)
{
    *as = (struct arch_aspace){ .root = root };
}

void arch_aspace_fini(struct arch_aspace *as)
{
    arch_tlb_flush_aspace(as);
    as->context = 0;
}

static void set_ttbr(uint64_t ttbr)
{
    __asm__ volatile("msr ttbr0_el1, %0\n\tisb" ::"r"(ttbr) : "memory");
}

[[gnu::noinline]] static void activate_general(struct arch_aspace *as)
{
    if (as == nullptr) {
        set_ttbr(arch_virt_to_phys(empty_table).raw);
        return;
    }
    new_context(as);
    set_ttbr(as->root.raw | as->context << 48);
}

void arch_aspace_activate(struct arch_aspace *as)
{
    arch_hart_self()->aspace = as;
    if (as == nullptr || !is_current(as)) {
        activate_general(as);
        return;
    }
    set_ttbr(as->root.raw | as->context << 48);
}

static uint64_t operand(const struct arch_aspace *as, uint64_t va)
{
    return as->context << 48 | (va >> 12 & ((UINT64_C(1) << 44) - 1));
}

void arch_tlb_flush_page(struct arch_aspace *as, vaddr_t va)
{
    arch_tlb_flush_range(as, va, ARCH_PAGE_SIZE);
}

void arch_tlb_flush_range(struct arch_aspace *as, vaddr_t va, size_t len_bytes)
{
    /* The table writes must be visible to the walkers before the invalidate is. */
    __asm__ volatile("dsb ishst" ::: "memory");
    if (!is_current(as))
        return;
    if (len_bytes / ARCH_PAGE_SIZE > FLUSH_ALL_PAGES)
        __asm__ volatile("tlbi aside1is, %0" ::"r"(as->context << 48) : "memory");
    else
        for (uint64_t off = 0; off < len_bytes; off += ARCH_PAGE_SIZE)
            __asm__ volatile("tlbi vae1is, %0" ::"r"(operand(as, va.raw + off)) : "memory");
    __asm__ volatile("dsb ish\n\tisb" ::: "memory"); /* wait for all harts, then for ourselves */
}

void arch_tlb_flush_aspace(struct arch_aspace *as)
{
    arch_tlb_flush_range(as, (vaddr_t){ 0 }, SIZE_MAX);
}

void arch_tlb_publish(void)
{
    __asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}

status_t arch_ports_grant(struct arch_aspace *, uint32_t, uint32_t)
{
    return ERR_NOT_SUPPORTED;
}

void arch_ports_revoke(struct arch_aspace *, uint32_t, uint32_t)
{
}
