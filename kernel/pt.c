/* SPDX-License-Identifier: MIT
 * The page-table walker: see pt.h for the kinds of entries and P1-P4. */
#include <abi/types.h>
#include <base/kassert.h>
#include <kernel/pt.h>

/* n pages for tables. ERR_NO_MEMORY leaves none. */
static status_t tables_take(struct reticle *r, paddr_t *page, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        status_t st = reticle_alloc(r, 0, PAGE_TABLE, &page[i]);
#ifndef MUTATE_PT_KEEP_TAKEN
        while (st != OK && i > 0)
            reticle_free(r, page[--i], 0);
#endif
        if (st != OK)
            return st;
    }
    return OK;
}

status_t pt_grow(struct reticle *r, uint64_t **e, unsigned reached, uint64_t va, unsigned level)
{
    paddr_t page[PT_LEVELS];
    kassert(**e == 0);
    status_t st = tables_take(r, page, reached - level);
    for (unsigned i = 0; st == OK && reached > level; i++) {
        uint64_t *table = arch_phys_to_virt(page[i]);
        arch_page_zero(table);
        pt_entry_store(*e, pte_table(page[i].raw));
        *e = &table[pt_index(va, --reached)];
    }
    return st;
}

void pt_edit_begin(struct pt_edit *e, struct arch_aspace *as, struct reticle *r)
{
    e->as = as;
    e->reticle = r;
    e->owns_frames = e->only_new = e->show_new = false;
    e->low = UINT64_MAX;
    e->high = 0;
    e->n_changed = e->n_blocks = 0;
}

void pt_edit_end(struct pt_edit *e)
{
    if (e->n_changed != 0) /* of one leaf any page does */
        arch_tlb_flush_range(e->as, (vaddr_t){ e->low }, e->n_changed == 1 ? ARCH_PAGE_SIZE : e->high - e->low);
    for (uint32_t i = 0; i < e->n_blocks; i++)
        reticle_free(e->reticle, e->blocks[i].pa, e->blocks[i].order);
    e->n_changed = e->n_blocks = 0;
    e->low = UINT64_MAX;
    e->high = 0;
}

static void edit_give_back(struct pt_edit *e, uint64_t pa, uint32_t order)
{
    e->blocks[e->n_blocks].pa = (paddr_t){ pa };
    e->blocks[e->n_blocks].order = order;
    if (++e->n_blocks == PT_BATCH)
        pt_edit_end(e);
}

static void clear_leaf(struct pt_edit *e, uint64_t *slot, unsigned level, uint64_t va)
{
    uint64_t old = *slot;
    pt_entry_store(slot, 0);
    if (pte_present(old))
        pt_edit_note(e, va, pt_span(level));
    if (e->owns_frames)
        edit_give_back(e, pt_frame(old), PT_INDEX_BITS * level);
}

static bool table_is_empty(const uint64_t *table)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < PT_ENTRIES && any == 0; i += 8)
        for (unsigned k = i; k < i + 8; k++)
            any |= table[k];
#ifdef MUTATE_PT_KEEP_TABLES
    any = 1;
#endif
    return any == 0;
}

/* The tables on the way to va that have become empty go; of those of `level` and above, the entries are elsewhere. */
static void tables_prune(struct pt_edit *e, uint64_t va, unsigned level)
{
    for (unsigned up = level + 1; up < PT_LEVELS; up++) {
        unsigned reached;
        uint64_t *slot = pt_walk(e->as->root, va, up, &reached), table = pte_pa(*slot);
        if (!table_is_empty(arch_phys_to_virt((paddr_t){ table })))
            return;
        pt_entry_store(slot, 0);
        pt_edit_note(e, va, ARCH_PAGE_SIZE); /* walk caches know the table */
        edit_give_back(e, table, 0);
    }
}

static inline void protect_leaf(struct pt_edit *e, uint64_t *slot, unsigned level, uint64_t va, uint32_t prot,
                                enum mem_type type)
{
    uint64_t old = *slot, new = pt_leaf_make(pt_frame(old), level, prot, type);
    if (new == old)
        return;
    pt_leaf_sync(pt_frame(old), pt_span(level), prot, type);
    pt_entry_store(slot, new);
    if (pte_present(old))
        pt_edit_note(e, va, pt_span(level));
}

/* Clears what [from, to) names, or changes its protection: table by table, in each the entries in a row. */
[[gnu::always_inline]] static inline void change_entries(struct pt_edit *e, uint64_t from, uint64_t to, bool clears,
                                                         uint32_t prot, enum mem_type type)
{
    for (uint64_t va = from; va < to;) {
        unsigned level;
        uint64_t *slot = pt_walk(e->as->root, va, 0, &level), span = pt_span(level), start = va;
        bool emptied = false;
        do {
            uint64_t old = *slot, next = (va | (span - 1)) + 1;
            bool whole = next - va == span && next <= to, is_new = pt_is_new(old);
            if (old != 0 && (clears ? !e->only_new || (is_new && whole) : e->show_new || !is_new)) {
                kassert(whole);
                if (clears)
                    clear_leaf(e, slot, level, va);
                else
                    protect_leaf(e, slot, level, va, prot, type);
                emptied = clears;
            }
            va = next;
            slot++;
        } while (va < to && (uintptr_t)slot % ARCH_PAGE_SIZE != 0 && (level == 0 || !pt_is_table(*slot)));
        if (emptied && ((uintptr_t)slot % ARCH_PAGE_SIZE == 0 || *slot == 0)) /* else it is not empty */
            tables_prune(e, start, level);
    }
}

void pt_clear(struct pt_edit *e, uint64_t from, uint64_t to)
{
    change_entries(e, from, to, true, VX_PROT_NONE, MEM_NORMAL);
}

void pt_protect(struct pt_edit *e, uint64_t from, uint64_t to, uint32_t prot, enum mem_type type)
{
    change_entries(e, from, to, false, prot, type);
}

unsigned pt_cut_level(paddr_t root, uint64_t va)
{
    unsigned level;
    return va != 0 && *pt_walk(root, va, 0, &level) != 0 && (va & (pt_span(level) - 1)) != 0 ? level : 0;
}

/* One level further down, into the table `page`. */
static void split_entry(struct arch_aspace *as, struct reticle *r, struct pt_cut cut, paddr_t page)
{
    unsigned level;
    uint64_t *slot = pt_walk(as->root, cut.va, 0, &level), old = *slot, pa = pt_frame(old), span = pt_span(level - 1);
    uint64_t *table = arch_phys_to_virt(page);
    for (unsigned i = 0; i < PT_ENTRIES; i++)
        table[i] = pte_present(old) ? pte_leaf(pa + i * span, level - 1, pte_prot(old), pte_type(old)) : old + i * span;
    pt_entry_store(slot, 0);
    if (pte_present(old))
        arch_tlb_flush_range(as, (vaddr_t){ page_down(cut.va) }, ARCH_PAGE_SIZE);
    pt_entry_store(slot, pte_table(page.raw));
    arch_tlb_publish();
    if (cut.owns_frames)
        reticle_split(r, (paddr_t){ pa }, PT_INDEX_BITS * level, PT_INDEX_BITS * (level - 1));
}

status_t pt_split(struct arch_aspace *as, struct reticle *r, struct pt_cut first, struct pt_cut second)
{
    const struct pt_cut cuts[] = { first, second };
    paddr_t page[2 * PT_LEVELS];
    unsigned n = pt_cut_level(as->root, first.va) + pt_cut_level(as->root, second.va); /* perhaps more than it takes */
    status_t st = n != 0 ? tables_take(r, page, n) : OK;
    for (unsigned i = 0; st == OK && n > 0 && i < 2; i++)
        while (pt_cut_level(as->root, cuts[i].va) != 0)
            split_entry(as, r, cuts[i], page[--n]);
    while (st == OK && n > 0)
        reticle_free(r, page[--n], 0);
    return st;
}
