/* SPDX-License-Identifier: MIT
 * Address spaces: making and unmaking areas. See vm.h for V1-V6; unmapping is in vm_unmap.c, faults and
 * changes of protection in vm_fault.c.
 *
 * Every operation reserves first: an area record, table pages, frames; then it commits, which cannot fail. A table
 * lives as long as an area lies in what it spans (P1), so tables are freed by looking at the neighbouring areas and not
 * by counting entries.
 *
 * Committed memory right above committed memory of the same protection becomes one area with it: cheaper than a record
 * of its own. Freeing from the middle then needs a record for the rest; the frames that go pay for it if nothing else
 * does, so freeing what was allocated never fails for want of memory. No other areas are merged. */
#include <base/kassert.h>
#include <kernel/cap.h>
#include <kernel/vm_area.h>

/* How many areas a search for free addresses looks at: from the hint; and, when the top is full, from the bottom. */
#define SEARCH_NEAR 64u
#define SEARCH_FAR 4096u

status_t vm_init(struct vm *vm, struct reticle *r)
{
    paddr_t root;
    status_t st = reticle_alloc(r, 0, PAGE_TABLE, &root);
    if (st != OK)
        return st;
    arch_page_zero(arch_phys_to_virt(root));
    *vm = (struct vm){ .reticle = r, .gap_start = VX_MAP_BASE, .gap_end = VX_UADDR_LIMIT };
    arch_aspace_init(&vm->as, root);
    return OK;
}

bool vm_fini(struct vm *vm)
{
    for (struct vma *a = area_from(vm, vm->ended_below); a != nullptr; a = area_next(a)) {
        if (a->obj != nullptr)
            maps_unlink(a);
        a->obj = nullptr;
        vm->ended_below = a->end;
        if (!work_spend(1))
            return false;
    }
    vm->areas = (struct tree){};
    arch_aspace_fini(&vm->as);
    return true;
}

/* --- placement --- */

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}

/* The first gap of len at or after `start`, looking at no more than `steps` areas; it becomes the one that vm
 * remembers. len is at most MEM_BYTES_MAX. */
static bool search(struct vm *vm, uint64_t start, uint64_t len, uint64_t alignment, unsigned steps)
{
    uint64_t at = start;
    struct vma *next = area_from(vm, start);
    for (; steps > 0; steps--) {
        at = align_up(at, alignment);
        uint64_t limit = next != nullptr ? next->node.key : VX_UADDR_LIMIT;
        if (at <= limit && limit - at >= len) {
            vm->gap_start = at;
            vm->gap_end = limit;
            return true;
        }
        if (next == nullptr)
            return false;
        at = next->end;
        next = area_next(next);
    }
    return false;
}

static uint64_t end_of_last(const struct vm *vm)
{
    struct tree_node *n = vm->areas.root;
    while (n != nullptr && n->right != nullptr)
        n = n->right;
    uint64_t end = n != nullptr ? area_of(n)->end : 0;
    return end > VX_MAP_BASE ? end : VX_MAP_BASE;
}

/* Large areas start where large leaves can. */
static uint64_t placement_alignment(uint64_t len)
{
    return pt_span(len >= pt_span(2) ? 2 : len >= pt_span(1) ? 1 : 0);
}

[[gnu::noinline]] static status_t place_any(struct vm *vm, uint64_t addr, uint64_t len, bool fixed, uint64_t *out)
{
    if (len > MEM_BYTES_MAX)
        return ERR_TOO_BIG;
    if (addr != 0 || fixed) {
        if (!range_ok(addr, len))
            return ERR_BAD_ARGUMENT;
        if (!vm_is_mapped(vm, addr, len, nullptr)) {
            *out = addr;
            return OK;
        }
        if (fixed)
            return ERR_BUSY;
    }
    uint64_t alignment = placement_alignment(len), at = align_up(vm->gap_start, alignment);
    if (at <= vm->gap_end && vm->gap_end - at >= len) {
        *out = at;
        return OK;
    }
    if (!search(vm, vm->gap_start, len, alignment, SEARCH_NEAR) && !search(vm, end_of_last(vm), len, alignment, 1) &&
        !search(vm, VX_MAP_BASE, len, alignment, SEARCH_FAR))
        return ERR_NO_MEMORY;
    *out = vm->gap_start;
    return OK;
}

static inline status_t place(struct vm *vm, uint64_t addr, uint64_t len, bool fixed, uint64_t *out)
{
    if (addr != 0 || fixed || len != ARCH_PAGE_SIZE || vm->gap_start == vm->gap_end)
        return place_any(vm, addr, len, fixed, out);
    *out = vm->gap_start; /* anywhere, and a page fits into any gap */
    return OK;
}

/* [addr, end) is about to be in use (V7). */
static void gap_take(struct vm *vm, uint64_t addr, uint64_t end)
{
    if (addr >= vm->gap_end || end <= vm->gap_start)
        return;
    if (addr == vm->gap_start)
        vm->gap_start = end;
    else
        vm->gap_end = addr;
}

static inline void area_enter(struct vm *vm, struct vma *a, uint64_t addr, uint64_t len)
{
    a->vm = vm;
    a->end = addr + len;
    tree_insert(&vm->areas, &a->node, addr);
    gap_take(vm, addr, a->end);
    if (a->obj != nullptr)
        maps_link(a);
}

/* --- stock --- */

void stock_free(struct vm_stock *s, struct reticle *r)
{
#ifndef MUTATE_VM_KEEP_STOCK
    block_list_free(&s->tables, r);
#endif
    block_list_free(&s->frames, r);
}

static status_t stock_leaf(struct vm *vm, struct vm_stock *s, uint64_t va, unsigned level)
{
    unsigned n = pt_plan_leaf(&s->plan, vm->as.root, va, level);
    return n != 0 ? pt_reserve(&s->tables, vm->reticle, n) : OK;
}

/* One frame of the largest size that fits and is there. */
static status_t stock_frame(struct vm *vm, struct vm_stock *s, uint64_t va, uint64_t len, unsigned empty_level,
                            unsigned *level)
{
    paddr_t block;
    unsigned l = pt_fit(va, 0, len);
    if (l > empty_level) /* there is a table, with something in it */
        l = empty_level;
    status_t st;
    while ((st = reticle_alloc(vm->reticle, PT_INDEX_BITS * l, PAGE_ANON, &block)) != OK && l > 0)
        l--;
    if (st != OK)
        return st;
    block_list_push(&s->frames, block, PT_INDEX_BITS * l);
    *level = l;
    return stock_leaf(vm, s, va, l);
}

status_t stock_for_anon(struct vm *vm, struct vm_stock *s, uint64_t from, uint64_t to)
{
    for (uint64_t va = from; va < to;) {
        unsigned level;
        if (*pt_walk(vm->as.root, va, 0, &level) == 0) {
            status_t st = stock_frame(vm, s, va, to - va, level, &level);
            if (st != OK)
                return st;
        }
        va = (va & ~(pt_span(level) - 1)) + pt_span(level);
    }
    return OK;
}

void anon_back(struct vm *vm, struct vm_stock *s, uint64_t from, uint64_t to, uint32_t prot, vm_fill_fn *fill,
               const void *ctx)
{
    for (uint64_t va = from; va < to;) {
        unsigned level;
        uint64_t *e = pt_walk(vm->as.root, va, 0, &level);
        if (*e == 0) {
            uint32_t order;
            paddr_t block = block_list_pop(&s->frames, &order);
            unsigned reached = level;
            level = order / PT_INDEX_BITS;
            for (uint64_t at = 0; at < pt_span(level); at += ARCH_PAGE_SIZE) {
                char *page = (char *)arch_phys_to_virt(block) + at;
                if (fill != nullptr)
                    fill(ctx, va + at - from, page);
                else
                    arch_page_zero(page);
            }
            pt_install(e, reached, va, level, block, prot, MEM_NORMAL, &s->tables);
        }
        va = (va & ~(pt_span(level) - 1)) + pt_span(level);
    }
    arch_tlb_publish();
}

/* Makes the tables above a page's entry. */
static status_t tables_make(struct vm *vm, uint64_t page, uint64_t **e, unsigned reached)
{
    struct block_list tables = {};
    status_t st = pt_reserve(&tables, vm->reticle, reached);
    if (st == OK)
        *e = pt_grow(*e, reached, page, 0, &tables);
    return st;
}

status_t anon_back_page(struct vm *vm, uint64_t page, uint64_t *e, unsigned reached, uint32_t prot)
{
    paddr_t frame;
    status_t st = reticle_alloc(vm->reticle, 0, PAGE_ANON, &frame);
    if (st != OK)
        return st;
    if (reached != 0 && (st = tables_make(vm, page, &e, reached)) != OK) {
        reticle_free(vm->reticle, frame, 0);
        return st;
    }
#ifndef MUTATE_VM_NO_ZERO
    arch_page_zero(arch_phys_to_virt(frame));
#endif
    pt_put(e, 0, frame, prot, MEM_NORMAL);
    arch_tlb_publish();
    return OK;
}

/* --- mapping --- */

/* Backs a range in which nothing is mapped. On error nothing changed. */
static status_t anon_commit(struct vm *vm, uint64_t at, uint64_t len, uint32_t prot, vm_fill_fn *fill, const void *ctx)
{
    struct vm_stock stock;
    if (len == ARCH_PAGE_SIZE && fill == nullptr) {
        unsigned reached;
        uint64_t *e = pt_walk(vm->as.root, at, 0, &reached);
        return anon_back_page(vm, at, e, reached, prot);
    }
    if (len / ARCH_PAGE_SIZE > vm->reticle->free_pages)
        return ERR_NO_MEMORY;
    stock_init(&stock);
    status_t st = stock_for_anon(vm, &stock, at, at + len);
    if (st == OK)
        anon_back(vm, &stock, at, at + len, prot, fill, ctx);
    else
        stock_free(&stock, vm->reticle);
    return st;
}

/* The area that committed memory at `at` can become a part of; nullptr: none. */
static struct vma *area_to_grow(const struct vm *vm, uint64_t at, uint32_t prot)
{
    struct vma *a = area_of(tree_find_le(&vm->areas, at));
    bool same = a != nullptr && a->end == at && a->kind == VMA_ANON && a->state == VX_MEM_COMMIT && a->prot == prot;
    return same ? a : nullptr;
}

status_t vm_map_anon(struct vm *vm, uint64_t addr, uint64_t len, uint32_t prot, uint32_t state, bool fixed,
                     uint64_t *out)
{
    struct vma *a;
    uint64_t at;
    if (!prot_ok(prot) || len == 0 || len % ARCH_PAGE_SIZE != 0)
        return ERR_BAD_ARGUMENT;
    status_t st = place(vm, addr, len, fixed, &at);
    if (st != OK)
        return st;
    prot = prot_normal(prot);
    if (state == VX_MEM_COMMIT && (a = area_to_grow(vm, at, prot)) != nullptr) {
        st = anon_commit(vm, at, len, prot, nullptr, nullptr);
        if (st != OK)
            return st;
        a->end = at + len;
        gap_take(vm, at, a->end);
        *out = at;
        return OK;
    }
    st = area_alloc(vm, &a);
    if (st != OK)
        return st;
    if (state == VX_MEM_COMMIT)
        st = anon_commit(vm, at, len, prot, nullptr, nullptr);
    if (st != OK) {
        reticle_kfree(vm->reticle, a, sizeof *a);
        return st;
    }
    /* --- commit: nothing below can fail --- */
    a->kind = VMA_ANON;
    a->state = (uint8_t)state;
    a->prot = prot;
    area_enter(vm, a, at, len);
    *out = at;
    return OK;
}

status_t vm_map_filled(struct vm *vm, uint64_t addr, uint64_t len, uint32_t prot, vm_fill_fn *fill, const void *ctx)
{
    struct vma *a;
    uint64_t at;
    if (!prot_ok(prot))
        return ERR_BAD_ARGUMENT;
    prot = prot_normal(prot);
    status_t st = place(vm, addr, len, true, &at);
    if (st == OK)
        st = area_alloc(vm, &a);
    if (st != OK)
        return st;
    st = anon_commit(vm, addr, len, prot, fill, ctx);
    if (st != OK) {
        reticle_kfree(vm->reticle, a, sizeof *a);
        return st;
    }
    a->kind = VMA_ANON;
    a->state = VX_MEM_COMMIT;
    a->prot = prot;
    area_enter(vm, a, addr, len);
    return OK;
}

/* Puts frames of an object where nothing is mapped: first with `commit` unset to reserve tables, then with it. Small
 * pages in a row that one table holds are one step. */
static status_t object_leaves(struct vm *vm, struct vm_stock *s, const struct vma *a, vm_frame_fn *frames, uint64_t at,
                              uint64_t len, bool commit)
{
    for (uint64_t i = 0, n; i < len; i += n) {
        uint64_t run;
        paddr_t pa = frames(a->obj, a->offset + i, &run);
        run = run < len - i ? run : len - i;
        unsigned reached, level = pt_fit(at + i, pa.raw, run);
        n = pt_span(level);
        if (level == 0 && run > n) {
            uint64_t in_table = pt_span(1) - (at + i) % pt_span(1);
            n = (run < in_table ? run : in_table) & ~(uint64_t)(ARCH_PAGE_SIZE - 1);
        }
        if (!commit) {
            status_t st = stock_leaf(vm, s, at + i, level);
            if (st != OK)
                return st;
            continue;
        }
        uint64_t *e = pt_walk(vm->as.root, at + i, level, &reached);
        if (reached > level)
            e = pt_grow(e, reached, at + i, level, &s->tables);
        pt_leaf_sync(pa.raw, n, a->prot, a->mem_type);
        for (uint64_t k = 0; k < n; k += pt_span(level), e++) {
            kassert(*e == 0);
            pt_entry_store(e, pt_leaf_make(pa.raw + k, level, a->prot, a->mem_type));
        }
    }
    return OK;
}

static status_t object_show(struct vm *vm, const struct vma *a, vm_frame_fn *frames, uint64_t at, uint64_t len)
{
    struct vm_stock stock;
    if (len == ARCH_PAGE_SIZE) {
        unsigned reached;
        uint64_t run, *e = pt_walk(vm->as.root, at, 0, &reached);
        status_t st = reached != 0 ? tables_make(vm, at, &e, reached) : OK;
        if (st == OK)
            pt_put(e, 0, frames(a->obj, a->offset, &run), a->prot, a->mem_type);
        return st;
    }
    stock_init(&stock);
    status_t st = object_leaves(vm, &stock, a, frames, at, len, false);
    if (st == OK)
        (void)object_leaves(vm, &stock, a, frames, at, len, true);
    else
        stock_free(&stock, vm->reticle);
    return st;
}

status_t vm_map_object(struct vm *vm, struct object *o, struct cap *cap, vm_frame_fn *frames, enum mem_type type,
                       uint64_t offset, uint64_t len, uint64_t addr, uint32_t prot, bool fixed, uint64_t *out)
{
    struct vma *a;
    uint64_t at;
    if (!prot_ok(prot) || len == 0 || (offset | len) % ARCH_PAGE_SIZE != 0)
        return ERR_BAD_ARGUMENT;
    if (o != nullptr && (o->dying & END_OBJECT) != 0)
        return ERR_DESTROYED;
    status_t st = place(vm, addr, len, fixed, &at);
    if (st == OK)
        st = area_alloc(vm, &a);
    if (st != OK)
        return st;
    a->kind = VMA_OBJECT;
    a->mem_type = type;
    a->prot = prot_normal(prot);
    a->offset = offset;
    a->obj = o;
    a->cap = cap;
    st = object_show(vm, a, frames, at, len);
    if (st != OK) {
        reticle_kfree(vm->reticle, a, sizeof *a);
        return st;
    }
    /* --- commit: nothing below can fail --- */
    arch_tlb_publish();
    if (cap != nullptr)
        cap->mapped = true;
    area_enter(vm, a, at, len);
    *out = at;
    return OK;
}
