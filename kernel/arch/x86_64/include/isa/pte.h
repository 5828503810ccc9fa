/* SPDX-License-Identifier: MIT
 * x86-64 page-table entries, 4-level paging. [SDM-3] "4-Level Paging and 5-Level Paging", formats of entries.
 *
 * Readable cannot be taken away from a present entry, so write and execute imply it. Accessed and dirty are set from
 * the start: nobody reads them, and the processor then never writes to a table behind our back. Device memory is PCD
 * and PWT, which select PAT entry 3, UC at reset; it is never executable. */
#pragma once
#include <abi/types.h>
#include <arch/pte.h>
#include <stdint.h>

#define X86_PTE_PRESENT (UINT64_C(1) << 0)
#define X86_PTE_WRITE (UINT64_C(1) << 1)
#define X86_PTE_USER (UINT64_C(1) << 2)
#define X86_PTE_PWT (UINT64_C(1) << 3)
#define X86_PTE_PCD (UINT64_C(1) << 4)
#define X86_PTE_ACCESSED (UINT64_C(1) << 5)
#define X86_PTE_DIRTY (UINT64_C(1) << 6)
#define X86_PTE_LARGE (UINT64_C(1) << 7) /* levels 1 and 2 only; at level 0 this bit is PAT */
#define X86_PTE_GLOBAL (UINT64_C(1) << 8)
#define X86_PTE_NX (UINT64_C(1) << 63)
#define X86_PTE_ADDRESS UINT64_C(0x000ffffffffff000)

/* An entry without any access is not present: 0. */
static inline uint64_t pte_leaf(uint64_t pa, unsigned level, uint32_t prot, enum mem_type type)
{
    if ((prot & (VX_PROT_READ | VX_PROT_WRITE | VX_PROT_EXEC)) == 0)
        return 0;
    uint64_t e = (pa & X86_PTE_ADDRESS) | X86_PTE_PRESENT | X86_PTE_ACCESSED | X86_PTE_DIRTY;
    if (level != 0)
        e |= X86_PTE_LARGE;
    if ((prot & VX_PROT_WRITE) != 0)
        e |= X86_PTE_WRITE;
    if ((prot & VX_PROT_EXEC) == 0 || type == MEM_DEVICE)
        e |= X86_PTE_NX;
    e |= (prot & PTE_USER) != 0 ? X86_PTE_USER : X86_PTE_GLOBAL;
    if (type == MEM_DEVICE)
        e |= X86_PTE_PCD | X86_PTE_PWT;
    return e;
}

/* A table allows everything; its leaves decide. */
static inline uint64_t pte_table(uint64_t pa)
{
    return (pa & X86_PTE_ADDRESS) | X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_USER | X86_PTE_ACCESSED;
}

static inline bool pte_present(uint64_t e)
{
    return (e & X86_PTE_PRESENT) != 0;
}

static inline bool pte_is_leaf(uint64_t e, unsigned level)
{
    return pte_present(e) && (level == 0 || (level < 3 && (e & X86_PTE_LARGE) != 0));
}

static inline uint64_t pte_pa(uint64_t e)
{
    return e & X86_PTE_ADDRESS;
}

static inline uint32_t pte_prot(uint64_t e)
{
    if (!pte_present(e))
        return VX_PROT_NONE;
    return VX_PROT_READ | ((e & X86_PTE_WRITE) != 0 ? VX_PROT_WRITE : 0) | ((e & X86_PTE_NX) == 0 ? VX_PROT_EXEC : 0) |
           ((e & X86_PTE_USER) != 0 ? PTE_USER : 0);
}

static inline enum mem_type pte_type(uint64_t e)
{
    return (e & (X86_PTE_PCD | X86_PTE_PWT)) != 0 ? MEM_DEVICE : MEM_NORMAL;
}
