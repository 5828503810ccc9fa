/* SPDX-License-Identifier: MIT
 * The host's page-table entries: bit 0 present, 1 leaf, 2-4 VX_PROT_*, 5 user, 6 device, 51:12 the address. */
#pragma once
#include <abi/types.h>
#include <stdint.h>

#define HOST_PTE_PRESENT UINT64_C(0x01)
#define HOST_PTE_LEAF UINT64_C(0x02)
#define HOST_PTE_PROT_SHIFT 2u
#define HOST_PTE_USER UINT64_C(0x20)
#define HOST_PTE_DEVICE UINT64_C(0x40)
#define HOST_PTE_ADDRESS UINT64_C(0x000ffffffffff000)

static inline uint64_t pte_leaf(uint64_t pa, unsigned level, uint32_t prot, enum mem_type type)
{
    (void)level;
    return pa | HOST_PTE_PRESENT | HOST_PTE_LEAF | (uint64_t)(prot & 7) << HOST_PTE_PROT_SHIFT |
           ((prot & PTE_USER) != 0 ? HOST_PTE_USER : 0) | (type == MEM_DEVICE ? HOST_PTE_DEVICE : 0);
}

static inline uint64_t pte_table(uint64_t pa)
{
    return pa | HOST_PTE_PRESENT;
}

static inline bool pte_present(uint64_t e)
{
    return (e & HOST_PTE_PRESENT) != 0;
}

static inline bool pte_is_leaf(uint64_t e, unsigned level)
{
    (void)level;
    return (e & HOST_PTE_LEAF) != 0;
}

static inline uint64_t pte_pa(uint64_t e)
{
    return e & HOST_PTE_ADDRESS;
}

static inline uint32_t pte_prot(uint64_t e)
{
    return (uint32_t)(e >> HOST_PTE_PROT_SHIFT & 7) | ((e & HOST_PTE_USER) != 0 ? PTE_USER : 0);
}

static inline enum mem_type pte_type(uint64_t e)
{
    return (e & HOST_PTE_DEVICE) != 0 ? MEM_DEVICE : MEM_NORMAL;
}
