/* SPDX-License-Identifier: MIT
 * The page-table entry format as pure functions: four levels of 512 64-bit entries over 4 KiB pages.
 * Level 3 is the root; leaves are allowed at levels 0 (4 KiB), 1 (2 MiB) and 2 (1 GiB). <isa/pte.h> is free of assembly
 * and state, so that the tables of every isa are tested on the host.
 *
 *   uint64_t pte_leaf(uint64_t pa, unsigned level, uint32_t prot, enum mem_type type)
 *   uint64_t pte_table(uint64_t pa)
 *   bool     pte_present(uint64_t e)       bool pte_is_leaf(uint64_t e, unsigned level)
 *   uint64_t pte_pa(uint64_t e)            uint32_t pte_prot(uint64_t e)      enum mem_type pte_type(uint64_t e)   */
#pragma once
#include <stdint.h>

#define PT_INDEX_BITS 9u
#define PT_ENTRIES 512u
#define PT_LEVELS 4u

/* prot: VX_PROT_* plus */
#define PTE_USER 0x100u /* reachable from user mode; without it a kernel-global mapping */

enum mem_type : uint8_t {
    MEM_NORMAL = 0, /* write-back cacheable */
    MEM_DEVICE = 1, /* UC / Device-nGnRE */
};

/* What an entry of that level covers, and which of its table's entries is for va. */
static inline unsigned pt_shift(unsigned level)
{
    return 12 + PT_INDEX_BITS * level;
}

static inline uint64_t pt_span(unsigned level)
{
    return UINT64_C(1) << pt_shift(level);
}

static inline unsigned pt_index(uint64_t va, unsigned level)
{
    return va >> pt_shift(level) & (PT_ENTRIES - 1);
}

#ifdef PTE_HEADER
#include PTE_HEADER
#else
#include <isa/pte.h>
#endif
