/* SPDX-License-Identifier: MIT
 * Address spaces: making and unmaking areas. See vm.h for V1-V6; unmapping is in vm_unmap.c, faults and
 * changes of protection in vm_fault.c.
 *
 * A mapping begins as an area without entries; then its entries are made, in steps; a failure takes it out again, in
 * steps too. A table lives as long as an area lies in what it spans (P1), so tables are freed by looking at the
 * neighbouring areas and not by counting entries.
 *
 * Committed memory right above committed memory of the same protection becomes one area with it: cheaper than a record
 * of its own. Freeing from the middle then needs a record for the rest: V9. No other areas are merged. */
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
    if (vm->reticle == nullptr)
        return true;
    for (struct vma *a = area_from(vm, vm->ended_below); a != nullptr; a = area_next(a)) {
        if (a->obj != nullptr)
            maps_unlink(a);
        a->obj = nullptr;
        vm->ended_below = a->end;
        if (!work_spend(1))
            return false;
    }
    arch_aspace_fini(&vm->as);
    *vm = (struct vm){};
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

/* Large areas start where large leaves can. */
static uint64_t placement_alignment(uint64_t len)
{
    return pt_span(len >= pt_span(2) ? 2 : len >= pt_span(1) ? 1 : 0);
}

[[gnu::noinline]] static status_t place(struct vm *vm, uint64_t addr, uint64_t len, bool fixed, uint64_t *out)
{
    if (len > MEM_BYTES_MAX)
        return ERR_TOO_BIG;
    if (addr != 0 || fixed) {
        if (!range_ok(addr, len))
            return ERR_BAD_ARGUMENT;
        const struct vma *next = area_from(vm, addr);
        if (next == nullptr || next->node.key >= addr + len) {
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
    const struct vma *last = area_of(tree_find_le(&vm->areas, VX_UADDR_LIMIT));
    uint64_t above = last != nullptr && last->end > VX_MAP_BASE ? last->end : VX_MAP_BASE;
    if (!search(vm, vm->gap_start, len, alignment, SEARCH_NEAR) && !search(vm, above, len, alignment, 1) &&
        !search(vm, VX_MAP_BASE, len, alignment, SEARCH_FAR))
        return ERR_NO_MEMORY;
    *out = vm->gap_start;
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

status_t spares_have(struct vm *vm, uint32_t n)
{
    void *p;
    status_t st = OK;
    while (vm->n_spares < n && (st = reticle_kalloc(vm->reticle, sizeof(struct vma), &p)) == OK)
        spare_push(vm, p);
    if (st != OK && vm->areas.root == nullptr)
        vm_settle(vm);
    return st;
}

void vm_settle(struct vm *vm)
{
    while (vm->n_spares > 0)
        reticle_kfree(vm->reticle, spare_pop(vm));
    if (vm->areas.root != nullptr)
        (void)spares_have(vm, 1); /* V9: it has what went just now */
}

/* --- frames --- */

/* An entry for va with a frame of the largest size that fits, is there, and has nothing in its way: new. *e is empty.
 */
static status_t entry_new(struct vm *vm, uint64_t va, uint64_t len, uint64_t **e, unsigned *level)
{
    paddr_t block;
    unsigned l = pt_fit(va, 0, len);
    if (l > *level) /* there is a table, with something in it */
        l = *level;
    status_t st;
    while ((st = reticle_alloc(vm->reticle, PT_INDEX_BITS * l, PAGE_ANON, &block)) != OK && l > 0)
        l--;
    if (st != OK)
        return st;
    if (*level > l && (st = pt_grow(vm->reticle, e, *level, va, l)) != OK) {
        reticle_free(vm->reticle, block, PT_INDEX_BITS * l);
        return st;
    }
    pt_entry_store(*e, block.raw | PT_NEW);
    *level = l;
    return OK;
}

status_t anon_back(const struct vma *a, uint64_t *at, uint64_t to, const struct vm_spec *s, int32_t *left)
{
    vm_fill_fn *fill = s != nullptr ? s->fill : nullptr;
    /* Lazy memory can be touched meanwhile, so it gets no entry that takes many steps. */
    bool small = fill != nullptr || (a->prot & VX_PROT_EXEC) != 0 || (s == nullptr && a->state == VX_MEM_LAZY);
    while (*at < to && *left > 0) {
        unsigned level;
        uint64_t *e = pt_walk(a->vm->as.root, *at, 0, &level);
        status_t st = *e == 0 ? entry_new(a->vm, *at, small ? ARCH_PAGE_SIZE : to - *at, &e, &level) : OK;
        if (st != OK)
            return st;
        uint64_t base = *at & ~(pt_span(level) - 1), end = base + pt_span(level), frame = pt_frame(*e);
        if (!pt_is_new(*e)) {
            *at = end;
            --*left;
            continue;
        }
        for (; *at < end && *left > 0; *at += ARCH_PAGE_SIZE, *left -= WORK_PAGE) {
            void *page = arch_phys_to_virt((paddr_t){ frame + (*at - base) });
            if (fill != nullptr)
                fill(s->ctx, *at - a->node.key, page);
            else
                arch_page_zero(page);
        }
        if (*at == end && s != nullptr)
            pt_put(e, level, (paddr_t){ frame }, a->prot, MEM_NORMAL);
    }
    arch_tlb_publish();
    return OK;
}

status_t anon_back_page(struct vm *vm, uint64_t page, uint64_t *e, unsigned reached, uint32_t prot)
{
    paddr_t frame;
    status_t st = reticle_alloc(vm->reticle, 0, PAGE_ANON, &frame);
    if (st != OK)
        return st;
    if (reached != 0 && (st = pt_grow(vm->reticle, &e, reached, page, 0)) != OK) {
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

/* Shows what of an object's area is not shown. Small pages in a row that one table holds are one step of the loop. */
static status_t object_show(struct vma *a, vm_frame_fn *frames, int32_t *left)
{
    struct vm *vm = a->vm;
    bool exec = (a->prot & VX_PROT_EXEC) != 0;
    const int32_t quarters = exec ? 4 * WORK_SYNC : 1; /* of a unit, for a page */
    while (a->made < a->end && *left > 0) {
        uint64_t at = a->made, run;
        paddr_t pa = frames(a->obj, a->offset + (at - a->node.key), &run);
        run = run < a->end - at ? run : a->end - at;
        unsigned reached, level = exec ? 0 : pt_fit(at, pa.raw, run);
        uint64_t *e = pt_walk(vm->as.root, at, level, &reached);
        status_t st = reached > level ? pt_grow(vm->reticle, &e, reached, at, level) : OK;
        if (st != OK)
            return st;
        uint64_t n = pt_span(level);
        if (level == 0 && run > n) {
            uint64_t most = (uint64_t)(4 * *left / quarters + 1) * ARCH_PAGE_SIZE,
                     in_table = pt_span(1) - at % pt_span(1);
            n = run < in_table ? run : in_table;
            n = (n < most ? n : most) & ~(uint64_t)(ARCH_PAGE_SIZE - 1);
        }
        pt_leaf_sync(pa.raw, n, a->prot, a->mem_type);
        for (uint64_t k = 0; k < n; k += pt_span(level), e++) {
            kassert(*e == 0);
            pt_entry_store(e, pt_leaf_make(pa.raw + k, level, a->prot, a->mem_type));
        }
        a->made += n;
        *left -= 3 + (level == 0 ? (int32_t)(n / ARCH_PAGE_SIZE) * quarters / 4 : 0);
    }
    arch_tlb_publish();
    return OK;
}

/* --- mapping --- */

/* The area that committed memory at `at` can become a part of; nullptr: none. */
static struct vma *area_to_grow(const struct vm *vm, uint64_t at, uint32_t prot)
{
    struct vma *a = area_of(tree_find_le(&vm->areas, at - 1));
    bool same = a != nullptr && a->end == at && a->state == VX_MEM_COMMIT && a->prot == prot;
    return same ? a : nullptr;
}

/* nullptr: there is no memory for a record. */
[[gnu::always_inline]] static inline struct vma *area_begin(struct vm *vm, const struct vm_spec *s, uint64_t at)
{
    if (vm->n_spares < 2 && spares_have(vm, 2) != OK)
        return nullptr;
    struct vma *a = spare_pop(vm);
    bool makes = s->frames != nullptr || s->state == VX_MEM_COMMIT;
    a->vm = vm;
    a->end = at + s->len;
    a->state = s->state == VX_MEM_COMMIT ? VX_MEM_LAZY : s->state;
    a->mem_type = s->type;
    a->prot = prot_normal(s->prot);
    a->offset = s->offset;
    a->obj = s->obj;
    a->cap = s->cap;
    a->maker = makes ? s->maker : 0;
    a->made = makes ? at : a->end;
    if (s->cap != nullptr)
        s->cap->mapped = true;
    tree_insert(&vm->areas, &a->node, at);
    gap_take(vm, at, a->end);
    if (a->obj != nullptr)
        maps_link(a);
    return a;
}

static void area_finish(struct vm *vm, const struct vm_spec *s, struct vma *a)
{
    a->maker = 0;
    if (s->frames != nullptr || s->state != VX_MEM_COMMIT)
        return;
    struct vma *below = area_to_grow(vm, a->node.key, a->prot);
    a->state = VX_MEM_COMMIT;
    if (below != nullptr) {
        below->end = a->end;
        area_forget(a);
    }
}

/* The short way for a page anywhere whose table is there: of an object, or committed memory that an area can grow by.
 * False: nothing was done. */
[[gnu::always_inline]] static inline bool map_page(struct vm *vm, const struct vm_spec *s, uint64_t at)
{
    unsigned level;
    struct vma *a;
    uint64_t run, *e = pt_walk(vm->as.root, at, 0, &level);
    if (level != 0)
        return false;
    if (s->frames != nullptr) {
        if ((a = area_begin(vm, s, at)) == nullptr)
            return false;
        pt_put(e, 0, s->frames(s->obj, s->offset, &run), a->prot, s->type);
        arch_tlb_publish();
        a->maker = 0;
        return true;
    }
    if (s->state != VX_MEM_COMMIT || s->fill != nullptr ||
        (a = area_to_grow(vm, at, prot_normal(s->prot))) == nullptr || anon_back_page(vm, at, e, 0, a->prot) != OK)
        return false;
    vm->gap_start = a->end = at + ARCH_PAGE_SIZE;
    return true;
}

static status_t map_begin(struct vm *vm, const struct vm_spec *s, uint64_t *at, struct vma **out)
{
    status_t st = place(vm, s->addr, s->len, s->fixed, at);
    if (st != OK)
        return st;
    if (s->frames != nullptr || s->state != VX_MEM_COMMIT || s->len / ARCH_PAGE_SIZE <= vm->reticle->free_pages)
        *out = area_begin(vm, s, *at);
    return *out != nullptr ? OK : ERR_NO_MEMORY;
}

[[gnu::noinline]] static status_t map_some(struct vm *vm, const struct vm_spec *s, uint64_t *progress, uint64_t *out)
{
    constexpr uint64_t undoing = 1;
    int32_t left = VM_STEP;
    struct vma *a = nullptr;
    bool undo = (*progress & undoing) != 0;
    status_t st = OK;
    *out = *progress & ~undoing;
    if (*progress == 0)
        st = map_begin(vm, s, out, &a);
    else if ((a = area_at(vm, *out)) != nullptr && (a->node.key != *out || a->maker != s->maker))
        a = nullptr; /* another thread took it away again */
    *progress = 0;
    if (a == nullptr)
        return undo ? ERR_NO_MEMORY : st;
    if (!undo) {
        st = s->frames != nullptr ? object_show(a, s->frames, &left) : anon_back(a, &a->made, a->end, s, &left);
        undo = st != OK;
        if (!undo && a->made >= a->end) {
            area_finish(vm, s, a);
            return OK;
        }
    }
    if (undo) {
        struct pt_edit e;
        pt_edit_begin(&e, &vm->as, vm->reticle);
        bool over = area_unmap_some(&e, a, &left);
        pt_edit_end(&e);
        if (over)
            return ERR_NO_MEMORY;
    }
    *progress = *out | (undo ? undoing : 0);
    return OK;
}

status_t vm_map(struct vm *vm, const struct vm_spec *s, uint64_t *progress, uint64_t *out)
{
    if (!prot_ok(s->prot) || s->len == 0 || (s->offset | s->len) % ARCH_PAGE_SIZE != 0)
        return ERR_BAD_ARGUMENT;
    if (s->obj != nullptr && (s->obj->dying & END_OBJECT) != 0 && *progress == 0)
        return ERR_DESTROYED;
    *out = vm->gap_start; /* into which a page fits */
    if (s->len == ARCH_PAGE_SIZE && !s->fixed && (s->addr | *progress) == 0 && *out != vm->gap_end &&
        map_page(vm, s, *out))
        return OK;
    return map_some(vm, s, progress, out);
}
