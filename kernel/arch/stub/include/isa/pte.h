/* SPDX-License-Identifier: MIT
 * The simplest entry that can say all that arch/pte.h asks for: bit 0 present, bit 1 leaf, bit 2 device, prot above. */
#pragma once
#include <arch/pte.h> /* prot bits and memory types; it includes us */
#include <stdint.h>

static constexpr uint64_t STUB_PA_MASK = UINT64_C(0x0000fffffffff000);
static constexpr unsigned STUB_PROT_SHIFT = 52;

static inline uint64_t pte_leaf(uint64_t pa, unsigned, uint32_t prot, enum mem_type type)
{
    return (pa & STUB_PA_MASK) | 3 | (type == MEM_DEVICE ? 4 : 0) | (uint64_t)prot << STUB_PROT_SHIFT;
}

static inline uint64_t pte_table(uint64_t pa)
{
    return (pa & STUB_PA_MASK) | 1;
}

static inline bool pte_present(uint64_t e)
{
    return (e & 1) != 0;
}

static inline bool pte_is_leaf(uint64_t e, unsigned)
{
    return (e & 3) == 3;
}

static inline uint64_t pte_pa(uint64_t e)
{
    return e & STUB_PA_MASK;
}

static inline uint32_t pte_prot(uint64_t e)
{
    return (uint32_t)(e >> STUB_PROT_SHIFT);
}

static inline enum mem_type pte_type(uint64_t e)
{
    return (e & 4) != 0 ? MEM_DEVICE : MEM_NORMAL;
}
