/* SPDX-License-Identifier: MIT
 * User address spaces: TTBR0, address-space identifiers and TLB maintenance.
 *
 * An address space has its ASID from arch_aspace_init() to arch_aspace_fini(). Invariants:
 *  1. A number's bit is set in `taken` while an address space has it. It is cleared after the last hart has forgotten
 *     what it knew under that number, so its next owner finds every TLB empty of it. There are no generations, hence no
 *     rollover that might surprise a hart in user mode.
 *  2. ASID 0 goes with the empty table, when no user space is active, and with those address spaces for which no number
 *     was left. What a hart's TLB holds under it is of the one that this hart activated last, and it flushes before it
 *     activates another. TTBR0_EL1.CnP is 0: no hart uses what another one's walks found.
 *  3. Flushes are broadcast to the inner-shareable domain, and name what all harts know an address space by.
 * Nothing here needs a lock: the bits are atomic, and after arch_aspace_init() a struct arch_aspace only changes at its
 * end.
 * Source: [Arm-ARM] "TLB maintenance instructions", "ASIDs", "TTBR0_EL1". */
#include "boot.h"
#include <abi/status.h>
#include <arch/mmu.h>
#include <arch/hart.h>
#include <base/likely.h>
#include <kernel/entropy.h>
#include <kernel/entry.h>
#include <kernel/kmap.h>

static constexpr size_t FLUSH_ALL_PAGES = 64; /* beyond this many, forgetting the whole space is quicker */
static constexpr unsigned ASID_SHIFT = 48;

SEALED uint64_t mmu_features;
static _Atomic uint64_t taken[65536 / 64];
SEALED static uint64_t key_of_keys[2];

void mmu_init(void)
{
    entropy_fill(key_of_keys, sizeof key_of_keys);
    mmu_features = ISA_READ("id_aa64mmfr0_el1") & 0xff;
    taken[0] = 1;
}

/* 0: none is left. */
static uint64_t asid_take(void)
{
    uint32_t n_words = (mmu_features >> 4 == 2 ? 65536 : 256) / 64;
    for (uint32_t at = 0; at < n_words; at++) {
        uint64_t old = atomic_load_explicit(&taken[at], memory_order_relaxed);
        while (~old != 0)
            /* acquire: pairs with the release in arch_aspace_fini(), which comes after its flush. */
            if (atomic_compare_exchange_weak_explicit(&taken[at], &old, old | (old + 1), memory_order_acquire,
                                                      memory_order_relaxed))
                return at * UINT64_C(64) + (unsigned)__builtin_ctzll(~old);
    }
    return 0;
}

/* A Task's key is what the processor makes of a number that never comes twice, by a key which is in its register only
 * here. The generator would take a thousand instructions. Called by the owner of the gate. */
static void make_key(uint64_t key[2])
{
    static uint64_t last;
    __asm__ volatile(PAC("msr " KEY_G_LOW ", %0") PAC("msr " KEY_G_HIGH ", %1") PAC("isb")::"r"(key_of_keys[0]),
                     "r"(key_of_keys[1]));
    for (uint64_t i = 0; i < 4; i++) { /* 32 bits each, the upper ones */
        uint64_t made = 0;
        __asm__ volatile(".arch_extension pauth\n\t" PAC("pacga %0, %1, %2") : "+r"(made) : "r"(last), "r"(i));
        key[i / 2] |= made >> i % 2 * 32;
    }
    last++;
    __asm__ volatile(PAC("msr " KEY_G_LOW ", xzr") PAC("msr " KEY_G_HIGH ", xzr"));
}

void arch_aspace_init(struct arch_aspace *as, paddr_t root)
{
    *as = (struct arch_aspace){ .root = root, .ttbr = root.raw | asid_take() << ASID_SHIFT };
    make_key(as->key);
}

static void let_go(const void *as)
{
    if (arch_hart_self()->aspace == as)
        arch_aspace_activate(nullptr);
}

/* Whoever ends an address space is alone inside the gate, so what the others have active stands still. They may be idle
 * in it, or wait at the gate with a thread that was taken from them: then their walkers could still read its tables,
 * after these have become other memory. */
void arch_aspace_fini(struct arch_aspace *as)
{
    uint64_t holders = 0, asid = as->ttbr >> ASID_SHIFT;
    for (uint32_t i = 0; i < n_harts; i++)
        if (harts[i]->aspace == as)
            holders |= UINT64_C(1) << i;
    kernel_harts_call(holders, let_go, as);
    arch_tlb_flush_range(as, (vaddr_t){ 0 }, SIZE_MAX);
    if (asid != 0)
        atomic_fetch_and_explicit(&taken[asid / 64], ~(UINT64_C(1) << asid % 64), memory_order_release);
    *as = (struct arch_aspace){};
}

static void set_ttbr(uint64_t ttbr)
{
    __asm__ volatile("msr ttbr0_el1, %0\n\tisb" ::"r"(ttbr) : "memory");
}

void arch_aspace_activate(struct arch_aspace *as)
{
    arch_hart_self()->aspace = as;
    if (unlikely(as == nullptr || as->ttbr >> ASID_SHIFT == 0)) {
        set_ttbr(arch_virt_to_phys(empty_table).raw);
        if (as == nullptr)
            return;
        __asm__ volatile("tlbi aside1, xzr\n\tdsb nsh" ::: "memory");
    }
    __asm__ volatile(PAC("msr S3_0_C2_C1_0, %0") PAC("msr S3_0_C2_C1_1, %1")::"r"(as->key[0]), "r"(as->key[1]));
    set_ttbr(as->ttbr);
}

static uint64_t operand(const struct arch_aspace *as, uint64_t va)
{
    return (as->ttbr & ~UINT64_C(0) << ASID_SHIFT) | (va >> 12 & ((UINT64_C(1) << 44) - 1));
}

void arch_tlb_flush_range(struct arch_aspace *as, vaddr_t va, size_t len_bytes)
{
    /* The table writes must be visible to the walkers before the invalidate is. */
    __asm__ volatile("dsb ishst" ::: "memory");
    if (len_bytes / ARCH_PAGE_SIZE > FLUSH_ALL_PAGES)
        __asm__ volatile("tlbi aside1is, %0" ::"r"(operand(as, 0)) : "memory");
    else
        for (uint64_t off = 0; off < len_bytes; off += ARCH_PAGE_SIZE)
            __asm__ volatile("tlbi vae1is, %0" ::"r"(operand(as, va.raw + off)) : "memory");
    __asm__ volatile("dsb ish\n\tisb" ::: "memory"); /* wait for all harts, then for ourselves */
}

void arch_tlb_publish(void)
{
    __asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}

void arch_seal(void)
{
    kmap_seal();
    __asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" ::: "memory");
}

status_t arch_ports_grant(struct arch_aspace *, uint32_t, uint32_t, const struct cap *)
{
    return ERR_NOT_SUPPORTED;
}

void arch_ports_revoke(struct arch_aspace *, const struct cap *)
{
}
