/* SPDX-License-Identifier: MIT
 * The portable page-table walker, over the entry format of <arch/pte.h>. Knows tables and entries; areas and what they
 * mean are kernel/vm.h's.
 *
 * An entry of the user half is empty (0), a table, a leaf, or it names a frame without being present: parked, because
 * the area has no protection at the moment; or new, which nobody has seen yet and which may not be zero. Bit 0 of both
 * is clear, which every isa reads as "not present".
 *
 * P1. A table has an entry that is not empty; but for the root.
 * P2. A leaf or parked entry of level k in an anonymous area is one block of the Reticle of order 9k.
 * P3. A block that was mapped is not given back before the TLBs forgot it.
 * P4. An entry is never changed from a leaf to a table without being empty, and flushed, in between.
 * Locking: the caller has LOCK_VM of the address space, or is alone. */
#pragma once
#include <abi/status.h>
#include <abi/types.h>
#include <arch/mmu.h>
#include <arch/pte.h>
#include <base/addr.h>
#include <base/kassert.h>
#include <base/likely.h>
#include <kernel/reticle.h>
#include <stdint.h>

#define PT_BATCH 24u
/* Any bits of a not-present entry below the address, except bit 0. */
#define PT_PARKED UINT64_C(0x800)
#define PT_NEW UINT64_C(0x400)

/* One past the user half; the last root entry of it spans a little more than user space. */
#define PT_USER_END (UINT64_C(1) << 47)

/* Of an entry above level 0: every table was made by pte_table(), and nothing else looks like one. */
static inline bool pt_is_table(uint64_t e)
{
    return (uint8_t)e == (uint8_t)pte_table(0);
}

/* The entry for va at level `to`, or above it the one where the way down ends. *level: where. */
[[gnu::always_inline]] static inline uint64_t *pt_walk(paddr_t root, uint64_t va, unsigned to, unsigned *level)
{
    uint64_t *table = arch_phys_to_virt(root);
#pragma clang loop unroll(full)
    for (unsigned l = PT_LEVELS - 1; l > 0; l--) {
        uint64_t *e = &table[pt_index(va, l)];
        if (l == to || !pt_is_table(*e)) {
            *level = l;
            return e;
        }
        table = arch_phys_to_virt((paddr_t){ pte_pa(*e) });
    }
    *level = 0;
    return &table[pt_index(va, 0)];
}

static inline bool pt_is_new(uint64_t e)
{
    return !pte_present(e) && (e & PT_NEW) != 0;
}

/* The frame of a leaf, a parked or a new entry. */
static inline uint64_t pt_frame(uint64_t e)
{
    return pte_present(e) ? pte_pa(e) : e & ~(uint64_t)(ARCH_PAGE_SIZE - 1);
}

/* From the empty entry *e of level `reached`, where pt_walk ended, to that of `level` for va: makes the tables in
 * between. ERR_NO_MEMORY changes nothing. */
status_t pt_grow(struct reticle *r, uint64_t **e, unsigned reached, uint64_t va, unsigned level);
/* Stores that a walker of another hart may see are release stores: the table or the zeroed frame is visible first. */
static inline void pt_entry_store(uint64_t *e, uint64_t value)
{
    __atomic_store_n(e, value, __ATOMIC_RELEASE);
}

static inline uint64_t pt_leaf_make(uint64_t pa, unsigned level, uint32_t prot, enum mem_type type)
{
    return prot == VX_PROT_NONE ? pa | PT_PARKED : pte_leaf(pa, level, prot | PTE_USER, type);
}

/* Code may have been written through another mapping, and a recycled frame may be in the instruction cache. */
static inline void pt_leaf_sync(uint64_t pa, uint64_t len, uint32_t prot, enum mem_type type)
{
    if ((prot & VX_PROT_EXEC) != 0 && type == MEM_NORMAL)
        arch_sync_icache(arch_phys_to_virt((paddr_t){ pa }), len);
}

/* Puts a leaf (parked if prot is 0) in an entry that is empty or new. The caller publishes. */
[[gnu::always_inline]] static inline void pt_put(uint64_t *e, unsigned level, paddr_t pa, uint32_t prot,
                                                 enum mem_type type)
{
    kassert((*e & (ARCH_PAGE_SIZE - 1) & ~PT_NEW) == 0);
    pt_leaf_sync(pa.raw, pt_span(level), prot, type);
    pt_entry_store(e, pt_leaf_make(pa.raw, level, prot, type));
}

/* A change of what is mapped: collects what the TLBs must forget and which blocks go back after that. */
struct pt_edit {
    struct arch_aspace *as;
    struct reticle *reticle; /* of the tables, and of the frames if owns_frames */
    bool owns_frames;
    bool only_new;      /* pt_clear: what is not new stays */
    bool show_new;      /* pt_protect: what is new gets the protection too */
    uint64_t low, high; /* not yet flushed */
    uint32_t n_changed, n_blocks;
    struct {
        paddr_t pa;
        uint32_t order;
    } blocks[PT_BATCH];
};

void pt_edit_begin(struct pt_edit *e, struct arch_aspace *as, struct reticle *r);
/* Flushes and gives back. */
void pt_edit_end(struct pt_edit *e);
/* A leaf of len bytes at va was present, and is another now. */
static inline void pt_edit_note(struct pt_edit *e, uint64_t va, uint64_t len)
{
#ifndef MUTATE_PT_NO_FLUSH
    e->n_changed++;
#endif
    if (va < e->low)
        e->low = va;
    if (va + len > e->high)
        e->high = va + len;
}

/* Empties the entry of the page at va, which e is to flush; nullptr: it is flushed. *frame: what it named, 0: nothing.
 * False: nothing changed, since there is no entry of level 0, or none beside it that keeps its table. */
[[gnu::always_inline]] static inline bool pt_take_page(struct arch_aspace *as, uint64_t va, struct pt_edit *e,
                                                       uint64_t *frame)
{
    unsigned level;
    uint64_t *slot = pt_walk(as->root, va, 0, &level), old = *slot;
    uint64_t in_table = (uintptr_t)slot % ARCH_PAGE_SIZE;
    if (level != 0)
        return false;
    if (unlikely(in_table == 0 || slot[-1] == 0) && (in_table == ARCH_PAGE_SIZE - sizeof *slot || slot[1] == 0))
        return false;
    *frame = 0;
    if (old == 0)
        return true;
    *frame = pt_frame(old);
    pt_entry_store(slot, 0);
    if (e != nullptr && pte_present(old))
        pt_edit_note(e, va, ARCH_PAGE_SIZE);
#ifndef MUTATE_PT_NO_FLUSH
    else if (pte_present(old))
        arch_tlb_flush_range(as, (vaddr_t){ va }, ARCH_PAGE_SIZE);
#endif
    return true;
}

/* Empties [from, to), which cuts no leaf in two. Frames go back if owns_frames. */
void pt_clear(struct pt_edit *e, uint64_t from, uint64_t to);
/* Changes the protection of the leaves and parked entries in [from, to), which cuts none in two. */
void pt_protect(struct pt_edit *e, uint64_t from, uint64_t to, uint32_t prot, enum mem_type type);
/* Whether va cuts a leaf in two, or what names a frame like one: its level; 0: it does not. */
unsigned pt_cut_level(paddr_t root, uint64_t va);
/* Sees to it that nothing crosses `first` nor `second`; 0 is no address. Of addresses with owns_frames the blocks are
 * split as well (P2). ERR_NO_MEMORY changes nothing. */
struct pt_cut {
    uint64_t va;
    bool owns_frames;
};
status_t pt_split(struct arch_aspace *as, struct reticle *r, struct pt_cut first, struct pt_cut second);
