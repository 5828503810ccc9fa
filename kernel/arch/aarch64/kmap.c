/* SPDX-License-Identifier: MIT
 * The kernel's translation tables. Pages for tables come from one run of free RAM that boot found, in order, and are
 * never given back. Nothing but arch_seal() replaces or removes a valid entry, so no flush is needed, on no hart: all
 * walk the same tables, and what was not valid is in no TLB.
 *
 * Context: the boot hart, before it starts the first Task. */
#include "boot.h"
#include "kmap.h"
#include <arch/mmu.h>
#include <base/string.h>

static uint64_t pool_start, pool_next, pool_end; /* physical; pool_start is the root */
SEALED static uint64_t exec_bits;                /* of code: PTE_GUARDED where the hart checks landing pads */
static uint64_t pool_offset;                     /* added to a table's address to reach it */

static uint64_t *table_at(uint64_t pa)
{
    return (uint64_t *)(uintptr_t)(pa + pool_offset);
}

static uint64_t new_table(void)
{
    if (pool_next == pool_end)
        return 0;
    uint64_t pa = pool_next;
    pool_next += ARCH_PAGE_SIZE;
    memset(table_at(pa), 0, ARCH_PAGE_SIZE);
    return pa;
}

/* The entry for va at `level`, or the leaf above it that already maps va. nullptr: there is no table for it, and none
 * is to be made or no page is left for one. */
static uint64_t *entry_for(uint64_t va, unsigned level, bool make, unsigned *found)
{
    uint64_t *table = table_at(pool_start);
    for (unsigned at = PT_LEVELS - 1;; at--) {
        uint64_t *e = &table[pt_index(va, at)];
        *found = at;
        if (at == level || (pte_present(*e) && pte_is_leaf(*e, at)))
            return e;
        if (!pte_present(*e)) {
            uint64_t pa = make ? new_table() : 0;
            if (pa == 0)
                return nullptr;
            /* The walkers must see the table's zeroes before the entry that leads to them. */
            __asm__ volatile("dsb ishst" ::: "memory");
            *e = pte_table(pa);
        }
        table = table_at(pte_pa(*e));
    }
}

void kmap_init(uint64_t pa, uint64_t bytes, void *view)
{
    pool_start = pool_next = pa;
    pool_end = pa + bytes;
    pool_offset = (uint64_t)(uintptr_t)view - pa;
    (void)new_table(); /* the root: the pool is not empty */
    uint64_t features;
    __asm__("mrs %0, id_aa64pfr1_el1" : "=r"(features));
    exec_bits = (features & 15) != 0 ? PTE_GUARDED : 0;
}

bool kmap_add(uint64_t va, uint64_t pa, uint64_t len_bytes, uint32_t prot, enum mem_type type)
{
    uint64_t end = va + len_bytes;
    while (va != end) {
        unsigned level = pt_fit(va, pa, end - va), found;
        uint64_t *e = entry_for(va, level, true, &found);
        while (e != nullptr && pte_present(*e) && !pte_is_leaf(*e, found)) /* smaller leaves are there already */
            e = entry_for(va, --level, true, &found);
        if (e == nullptr)
            return false;
        if (!pte_present(*e))
            *e = pte_leaf(pa, level, prot, type) | ((prot & VX_PROT_EXEC) != 0 ? exec_bits : 0);
        va += pt_span(level);
        pa += pt_span(level);
    }
    __asm__ volatile("dsb ishst\n\tisb" ::: "memory");
    return true;
}

uint64_t kmap_root(void)
{
    return pool_start;
}

uint64_t kmap_settle(uint64_t spare)
{
    uint64_t room = (pool_end - pool_next) / ARCH_PAGE_SIZE;
    pool_end = pool_next + (spare < room ? spare : room) * ARCH_PAGE_SIZE;
    pool_offset = LAYOUT_DIRECT;
    return pool_end - pool_start;
}

void *arch_map_device(paddr_t pa, size_t len_bytes)
{
    uint64_t start = page_down(pa.raw), end;
    if (len_bytes == 0 || __builtin_add_overflow(pa.raw, len_bytes, &end) || end > UINT64_C(1) << LAYOUT_PA_BITS)
        return nullptr;
    if (!kmap_add(LAYOUT_DEVICE + start, start, page_up(end) - start, VX_PROT_READ | VX_PROT_WRITE, MEM_DEVICE))
        return nullptr;
    return (void *)(uintptr_t)(LAYOUT_DEVICE + pa.raw);
}

void arch_seal(void)
{
    unsigned level;
    for (const char *p = __sealed_start; p < __rodata_end; p += ARCH_PAGE_SIZE) {
        uint64_t *e = entry_for((uint64_t)(uintptr_t)p, 0, false, &level);
        *e = pte_leaf(pte_pa(*e), level, VX_PROT_READ, MEM_NORMAL);
    }
    __asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" ::: "memory");
}

uint64_t arch_kernel_pte(vaddr_t va, unsigned *level)
{
    const uint64_t *e = entry_for(va.raw, 0, false, level);
    return e != nullptr && pte_present(*e) ? *e : 0;
}
