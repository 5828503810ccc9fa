/* SPDX-License-Identifier: MIT
 * The VMSAv8-64 descriptor format as pure functions; the contract is in arch/pte.h. The walker's level 3 is the
 * architecture's level 0 and so on: here levels count up from the pages.
 * Source: [Arm-ARM] "VMSAv8-64 translation table descriptor formats". */
#pragma once
#include <abi/types.h>
#include <arch/pte.h> /* prot bits and memory types; it includes us */
#include <stdint.h>

static constexpr uint64_t PTE_VALID = 1u << 0;
static constexpr uint64_t PTE_TABLE = 1u << 1;       /* a table; at level 0: a page */
static constexpr uint64_t PTE_ATTR_DEVICE = 1u << 2; /* AttrIndx 1 of MAIR_VALUE */
static constexpr uint64_t PTE_ATTR_MASK = 7u << 2;
static constexpr uint64_t PTE_AP_USER = 1u << 6;
static constexpr uint64_t PTE_AP_READONLY = 1u << 7;
static constexpr uint64_t PTE_SH_INNER = 3u << 8;
static constexpr uint64_t PTE_AF = 1u << 10; /* set from the start: the hardware need not tell us of the first access */
static constexpr uint64_t PTE_NOT_GLOBAL = 1u << 11;
static constexpr uint64_t PTE_GUARDED = UINT64_C(1) << 50; /* code: indirect branches must land on pads */
static constexpr uint64_t PTE_PXN = UINT64_C(1) << 53;
static constexpr uint64_t PTE_UXN = UINT64_C(1) << 54;
static constexpr uint64_t PTE_PA_MASK = UINT64_C(0x0000fffffffff000);

/* Memory that is mapped can always be read; the architecture's execute-only is not used. Device memory is never
 * executed, and user pages never by the kernel. */
static inline uint64_t pte_leaf(uint64_t pa, unsigned level, uint32_t prot, enum mem_type type)
{
    uint64_t e = (pa & PTE_PA_MASK) | PTE_VALID | PTE_AF | PTE_SH_INNER;
    bool exec = (prot & VX_PROT_EXEC) != 0 && type == MEM_NORMAL;
    if (level == 0)
        e |= PTE_TABLE;
    if (type == MEM_DEVICE)
        e |= PTE_ATTR_DEVICE;
    if ((prot & VX_PROT_WRITE) == 0)
        e |= PTE_AP_READONLY;
    if ((prot & PTE_USER) != 0)
        e |= PTE_AP_USER | PTE_NOT_GLOBAL | PTE_PXN | (exec ? 0 : PTE_UXN);
    else
        e |= PTE_UXN | (exec ? 0 : PTE_PXN);
    return e;
}

static inline uint64_t pte_table(uint64_t pa)
{
    return (pa & PTE_PA_MASK) | PTE_VALID | PTE_TABLE;
}

static inline bool pte_present(uint64_t e)
{
    return (e & PTE_VALID) != 0;
}

static inline bool pte_is_leaf(uint64_t e, unsigned level)
{
    return (e & (PTE_VALID | PTE_TABLE)) == (level == 0 ? (PTE_VALID | PTE_TABLE) : PTE_VALID);
}

static inline uint64_t pte_pa(uint64_t e)
{
    return e & PTE_PA_MASK;
}

static inline uint32_t pte_prot(uint64_t e)
{
    bool user = (e & PTE_AP_USER) != 0;
    uint32_t prot = VX_PROT_READ | (user ? PTE_USER : 0);
    if ((e & PTE_AP_READONLY) == 0)
        prot |= VX_PROT_WRITE;
    if ((e & (user ? PTE_UXN : PTE_PXN)) == 0)
        prot |= VX_PROT_EXEC;
    return prot;
}

static inline enum mem_type pte_type(uint64_t e)
{
    return (e & PTE_ATTR_MASK) == PTE_ATTR_DEVICE ? MEM_DEVICE : MEM_NORMAL;
}
