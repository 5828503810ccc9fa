/* SPDX-License-Identifier: MIT
 * The page-table walker: see pt.h for the kinds of entries and P1-P4. */
#include <abi/types.h>
#include <base/kassert.h>
#include <kernel/pt.h>

static uint64_t *table_at(uint64_t pa)
{
    return arch_phys_to_virt((paddr_t){ pa });
}

static bool is_table(uint64_t e, unsigned level)
{
    return pte_present(e) && !pte_is_leaf(e, level);
}

void block_list_free(struct block_list *l, struct reticle *r)
{
    while (l->first != 0) {
        uint32_t order;
        paddr_t block = block_list_pop(l, &order);
        reticle_free(r, block, order);
    }
}

status_t pt_reserve(struct block_list *tables, struct reticle *r, unsigned n)
{
    struct block_list got = {};
    for (unsigned i = 0; i < n; i++) {
        paddr_t page;
        status_t st = reticle_alloc(r, 0, PAGE_TABLE, &page);
        if (st != OK) {
            block_list_free(&got, r);
            return st;
        }
        block_list_push(&got, page, 0);
    }
    while (got.first != 0) {
        uint32_t order;
        paddr_t page = block_list_pop(&got, &order);
        block_list_push(tables, page, order);
    }
    return OK;
}

unsigned pt_plan_leaf(struct pt_plan *p, paddr_t root, uint64_t va, unsigned level)
{
    unsigned reached, n = 0;
    uint64_t *e = pt_walk(root, va, level, &reached);
    kassert(*e == 0);
    for (unsigned l = level; l < reached; l++) /* a table of level l spans an entry of level l + 1 */
        if (p->last_level > l || (p->last_va ^ va) >> pt_shift(l + 1) != 0)
            n++;
    *p = (struct pt_plan){ va, level };
    return n;
}

uint64_t *pt_grow(uint64_t *e, unsigned reached, uint64_t va, unsigned level, struct block_list *tables)
{
    kassert(*e == 0);
    while (reached > level) {
        uint32_t order;
        paddr_t page = block_list_pop(tables, &order);
        arch_page_zero(arch_phys_to_virt(page));
        pt_entry_store(e, pte_table(page.raw));
        reached--;
        e = &table_at(page.raw)[pt_index(va, reached)];
    }
    return e;
}

void pt_edit_begin(struct pt_edit *e, struct arch_aspace *as, struct reticle *r)
{
    e->as = as;
    e->reticle = r;
    e->owns_frames = false;
    e->floor = e->ceiling = 0;
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

static void clear_in_table(struct pt_edit *e, uint64_t *table, unsigned level, uint64_t from, uint64_t to)
{
    uint64_t span = pt_span(level);
    for (uint64_t va = from, next; va < to; va = next) {
        uint64_t base = va & ~(span - 1);
        next = base + span;
        uint64_t *slot = &table[pt_index(va, level)];
        uint64_t old = *slot;
        if (is_table(old, level)) {
            clear_in_table(e, table_at(pte_pa(old)), level - 1, va, next < to ? next : to);
#ifndef MUTATE_PT_KEEP_TABLES
            if (base < e->floor || next > e->ceiling)
#endif
                continue;
            pt_entry_store(slot, 0);
            pt_edit_note(e, va & ~(uint64_t)(ARCH_PAGE_SIZE - 1), ARCH_PAGE_SIZE); /* walk caches know the table */
            edit_give_back(e, pte_pa(old), 0);
        } else if (old != 0) {
            kassert(va == base && next <= to);
            clear_leaf(e, slot, level, va);
        }
    }
}

void pt_clear(struct pt_edit *e, uint64_t from, uint64_t to)
{
    clear_in_table(e, arch_phys_to_virt(e->as->root), PT_LEVELS - 1, from, to);
}

void pt_clear_page(struct pt_edit *e, uint64_t va)
{
    unsigned level;
    uint64_t *slot = pt_walk(e->as->root, va, 0, &level);
    if (*slot == 0)
        return;
    kassert(level == 0);
    clear_leaf(e, slot, 0, va);
}

static void protect_in_table(struct pt_edit *e, uint64_t *table, unsigned level, uint64_t from, uint64_t to,
                             uint32_t prot, enum mem_type type)
{
    uint64_t span = pt_span(level);
    for (uint64_t va = from, next; va < to; va = next) {
        uint64_t base = va & ~(span - 1);
        next = base + span;
        uint64_t *slot = &table[pt_index(va, level)];
        uint64_t old = *slot;
        if (is_table(old, level)) {
            protect_in_table(e, table_at(pte_pa(old)), level - 1, va, next < to ? next : to, prot, type);
        } else if (old != 0) {
            kassert(va == base && next <= to);
            uint64_t new = pt_leaf_make(pt_frame(old), level, prot, type);
            if (new == old)
                continue;
            pt_leaf_sync(pt_frame(old), span, prot, type);
            pt_entry_store(slot, new);
            if (pte_present(old))
                pt_edit_note(e, va, span);
        }
    }
}

void pt_protect(struct pt_edit *e, uint64_t from, uint64_t to, uint32_t prot, enum mem_type type)
{
    protect_in_table(e, arch_phys_to_virt(e->as->root), PT_LEVELS - 1, from, to, prot, type);
}

/* The level of the leaf that va cuts in two; 0: none. */
static unsigned cut_level(paddr_t root, uint64_t va, uint64_t **entry)
{
    unsigned level;
    *entry = pt_walk(root, va, 0, &level);
    return **entry != 0 && (va & (pt_span(level) - 1)) != 0 ? level : 0;
}

unsigned pt_split_need(paddr_t root, uint64_t first, uint64_t second)
{
    unsigned n = 0;
    uint64_t *entry;
    unsigned top = first != 0 ? cut_level(root, first, &entry) : 0;
    for (unsigned l = top; l > 0 && (first & (pt_span(l) - 1)) != 0; l--)
        n++;
    unsigned top2 = second != 0 ? cut_level(root, second, &entry) : 0;
    for (unsigned l = top2; l > 0 && (second & (pt_span(l) - 1)) != 0; l--) {
        bool made_for_first =
            l <= top && (first & (pt_span(l) - 1)) != 0 && first >> pt_shift(l) == second >> pt_shift(l);
        if (!made_for_first)
            n++;
    }
    return n;
}

void pt_split(struct pt_edit *e, uint64_t va, struct block_list *tables)
{
    uint64_t *slot;
    unsigned level;
    while ((level = cut_level(e->as->root, va, &slot)) != 0) {
        uint64_t old = *slot, pa = pt_frame(old);
        uint32_t order, prot = pt_is_parked(old) ? VX_PROT_NONE : pte_prot(old) & ~PTE_USER;
        enum mem_type type = pt_is_parked(old) ? MEM_NORMAL : pte_type(old);
        paddr_t page = block_list_pop(tables, &order);
        uint64_t *table = arch_phys_to_virt(page);
        for (unsigned i = 0; i < PT_ENTRIES; i++)
            table[i] = pt_leaf_make(pa + i * pt_span(level - 1), level - 1, prot, type);
        pt_entry_store(slot, 0);
        if (pte_present(old))
            arch_tlb_flush_page(e->as, (vaddr_t){ va & ~(uint64_t)(ARCH_PAGE_SIZE - 1) });
        pt_entry_store(slot, pte_table(page.raw));
        arch_tlb_publish();
        if (e->owns_frames)
            reticle_split(e->reticle, (paddr_t){ pa }, PT_INDEX_BITS * level, PT_INDEX_BITS * (level - 1));
    }
}
