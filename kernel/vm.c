/* SPDX-License-Identifier: MIT
 * Address spaces: making and unmaking areas. See vm.h for V1-V6; faults and changes of protection are in vm_fault.c.
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
    *vm = (struct vm){ .reticle = r, .next_free_hint = VX_MAP_BASE };
    arch_aspace_init(&vm->as, root);
    return OK;
}

static void maps_link(struct vma *a)
{
    a->maps_prev = nullptr;
    a->maps_next = a->obj->maps;
    if (a->maps_next != nullptr)
        a->maps_next->maps_prev = a;
    a->obj->maps = a;
}

static void maps_unlink(struct vma *a)
{
    if (a->maps_prev != nullptr)
        a->maps_prev->maps_next = a->maps_next;
    else
        a->obj->maps = a->maps_next;
    if (a->maps_next != nullptr)
        a->maps_next->maps_prev = a->maps_prev;
}

void vm_fini(struct vm *vm)
{
    for (struct vma *a = area_of(vm->areas.first); a != nullptr; a = area_next(a))
        if (a->obj != nullptr)
            maps_unlink(a);
    vm->areas = (struct tree){};
    arch_aspace_fini(&vm->as);
}

/* --- placement --- */

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}

/* The first gap of len at or after `start`, looking at no more than `steps` areas. len is at most MEM_BYTES_MAX. */
static bool search(const struct vm *vm, uint64_t start, uint64_t len, uint64_t alignment, unsigned steps, uint64_t *out)
{
    uint64_t at = start;
    struct vma *next = area_from(vm, start);
    for (; steps > 0; steps--) {
        at = align_up(at, alignment);
        uint64_t limit = next != nullptr ? next->node.key : VX_UADDR_LIMIT;
        if (at <= limit && limit - at >= len) {
            *out = at;
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

static status_t place(const struct vm *vm, uint64_t addr, uint64_t len, bool fixed, uint64_t *out)
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
    uint64_t alignment = placement_alignment(len);
    if (search(vm, vm->next_free_hint, len, alignment, SEARCH_NEAR, out) ||
        search(vm, end_of_last(vm), len, alignment, 1, out) || search(vm, VX_MAP_BASE, len, alignment, SEARCH_FAR, out))
        return OK;
    return ERR_NO_MEMORY;
}

static void area_enter(struct vm *vm, struct vma *a, uint64_t addr, uint64_t len)
{
    a->vm = vm;
    a->end = addr + len;
    tree_insert(&vm->areas, &a->node, addr);
    if (addr >= VX_MAP_BASE)
        vm->next_free_hint = a->end;
    if (a->obj != nullptr)
        maps_link(a);
}

static status_t area_alloc(struct vm *vm, struct vma **out)
{
    void *p;
    status_t st = reticle_kalloc(vm->reticle, sizeof(struct vma), &p);
    if (st == OK)
        *out = p;
    return st;
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

void anon_back(struct vm *vm, struct vm_stock *s, uint64_t from, uint64_t to, uint32_t prot)
{
    for (uint64_t va = from; va < to;) {
        unsigned level;
        uint64_t *e = pt_walk(vm->as.root, va, 0, &level);
        if (*e == 0) {
            uint32_t order;
            paddr_t block = block_list_pop(&s->frames, &order);
            unsigned reached = level;
            level = order / PT_INDEX_BITS;
            for (uint64_t at = 0; at < pt_span(level); at += ARCH_PAGE_SIZE)
                arch_page_zero((char *)arch_phys_to_virt(block) + at);
            pt_install(e, reached, va, level, block, prot, MEM_NORMAL, &s->tables);
        }
        va = (va & ~(pt_span(level) - 1)) + pt_span(level);
    }
    arch_tlb_publish();
}

status_t anon_back_page(struct vm *vm, uint64_t page, uint64_t *e, unsigned reached, uint32_t prot)
{
    struct block_list tables = {};
    paddr_t frame;
    if (reached != 0 && pt_reserve(&tables, vm->reticle, reached) != OK)
        return ERR_NO_MEMORY;
    status_t st = reticle_alloc(vm->reticle, 0, PAGE_ANON, &frame);
    if (st != OK) {
        block_list_free(&tables, vm->reticle);
        return st;
    }
#ifndef MUTATE_VM_NO_ZERO
    arch_page_zero(arch_phys_to_virt(frame));
#endif
    pt_install(e, reached, page, 0, frame, prot, MEM_NORMAL, &tables);
    arch_tlb_publish();
    return OK;
}

/* --- mapping --- */

/* Backs a range in which nothing is mapped. On error nothing changed. */
static status_t anon_commit(struct vm *vm, uint64_t at, uint64_t len, uint32_t prot)
{
    struct vm_stock stock;
    if (len == ARCH_PAGE_SIZE) {
        unsigned reached;
        uint64_t *e = pt_walk(vm->as.root, at, 0, &reached);
        return anon_back_page(vm, at, e, reached, prot);
    }
    if (len / ARCH_PAGE_SIZE > vm->reticle->free_pages)
        return ERR_NO_MEMORY;
    stock_init(&stock);
    status_t st = stock_for_anon(vm, &stock, at, at + len);
    if (st == OK)
        anon_back(vm, &stock, at, at + len, prot);
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
        st = anon_commit(vm, at, len, prot);
        if (st != OK)
            return st;
        a->end = at + len;
        if (at >= VX_MAP_BASE)
            vm->next_free_hint = a->end;
        *out = at;
        return OK;
    }
    st = area_alloc(vm, &a);
    if (st != OK)
        return st;
    if (state == VX_MEM_COMMIT)
        st = anon_commit(vm, at, len, prot);
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

/* The leaves of an object's range: where each starts, and how large it may be. */
static unsigned object_leaf(const struct object *o, vm_frame_fn *frames, uint64_t va, uint64_t offset, uint64_t len,
                            paddr_t *pa)
{
    uint64_t run;
    *pa = frames(o, offset, &run);
    return pt_fit(va, pa->raw, run < len ? run : len);
}

static status_t stock_for_object(struct vm *vm, struct vm_stock *s, const struct object *o, vm_frame_fn *frames,
                                 uint64_t offset, uint64_t len, uint64_t at)
{
    for (uint64_t i = 0; i < len;) {
        paddr_t pa;
        unsigned level = object_leaf(o, frames, at + i, offset + i, len - i, &pa);
        status_t st = stock_leaf(vm, s, at + i, level);
        if (st != OK)
            return st;
        i += pt_span(level);
    }
    return OK;
}

status_t vm_map_object(struct vm *vm, struct object *o, struct cap *cap, vm_frame_fn *frames, enum mem_type type,
                       uint64_t offset, uint64_t len, uint64_t addr, uint32_t prot, bool fixed, uint64_t *out)
{
    struct vma *a;
    struct vm_stock stock;
    uint64_t at;
    if (!prot_ok(prot) || len == 0 || (offset | len) % ARCH_PAGE_SIZE != 0)
        return ERR_BAD_ARGUMENT;
    status_t st = place(vm, addr, len, fixed, &at);
    if (st == OK)
        st = area_alloc(vm, &a);
    if (st != OK)
        return st;
    stock_init(&stock);
    st = stock_for_object(vm, &stock, o, frames, offset, len, at);
    if (st != OK) {
        stock_free(&stock, vm->reticle);
        reticle_kfree(vm->reticle, a, sizeof *a);
        return st;
    }
    /* --- commit: nothing below can fail --- */
    a->kind = VMA_OBJECT;
    a->mem_type = type;
    a->prot = prot_normal(prot);
    a->offset = offset;
    a->obj = o;
    a->cap = cap;
    area_enter(vm, a, at, len);
    for (uint64_t i = 0; i < len;) {
        paddr_t pa;
        unsigned reached, level = object_leaf(o, frames, at + i, offset + i, len - i, &pa);
        uint64_t *e = pt_walk(vm->as.root, at + i, level, &reached);
        pt_install(e, reached, at + i, level, pa, a->prot, type, &stock.tables);
        i += pt_span(level);
    }
    arch_tlb_publish();
    *out = at;
    return OK;
}

status_t vm_map_fixed_frame(struct vm *vm, uint64_t addr, paddr_t frame, uint32_t prot)
{
    struct vma *a;
    struct vm_stock stock;
    uint64_t at;
    if (!prot_ok(prot))
        return ERR_BAD_ARGUMENT;
    status_t st = place(vm, addr, ARCH_PAGE_SIZE, true, &at);
    if (st == OK)
        st = area_alloc(vm, &a);
    if (st != OK)
        return st;
    stock_init(&stock);
    st = stock_leaf(vm, &stock, at, 0);
    if (st != OK) {
        reticle_kfree(vm->reticle, a, sizeof *a);
        return st;
    }
    /* --- commit: nothing below can fail --- */
    a->kind = VMA_FIXED;
    a->prot = prot_normal(prot);
    area_enter(vm, a, at, ARCH_PAGE_SIZE);
    unsigned reached;
    uint64_t *e = pt_walk(vm->as.root, at, 0, &reached);
    pt_install(e, reached, at, 0, frame, a->prot, MEM_NORMAL, &stock.tables);
    arch_tlb_publish();
    return OK;
}

/* --- unmapping --- */

bool vm_is_mapped(const struct vm *vm, uint64_t addr, uint64_t len, const struct cap *only_cap)
{
    for (struct vma *a = area_from(vm, addr); a != nullptr && a->node.key < addr + len; a = area_next(a))
        if (only_cap == nullptr || a->cap == only_cap)
            return true;
    return false;
}

void area_split(struct vma *a, uint64_t at, struct vma *rest)
{
    *rest = *a;
    rest->offset += at - a->node.key;
    rest->node = (struct tree_node){};
    a->end = at;
    tree_insert(&rest->vm->areas, &rest->node, at);
    if (rest->obj != nullptr)
        maps_link(rest);
}

static void area_forget(struct vma *a)
{
    struct vm *vm = a->vm;
    tree_remove(&vm->areas, &a->node);
    if (a->obj != nullptr)
        maps_unlink(a);
    reticle_kfree(vm->reticle, a, sizeof *a);
}

/* Takes [from, to), which lies in a, out of it, and whatever tables then span no area. The hole may leave two pieces:
 * `spare` is then the record for the second. No leaf crosses from or to. */
static void area_cut(struct pt_edit *e, struct vma *a, uint64_t from, uint64_t to, struct vma **spare)
{
    struct vm *vm = a->vm;
    bool keep_left = from > a->node.key, keep_right = to < a->end;
    struct vma *before = keep_left ? nullptr : area_of(tree_prev(&a->node));
    e->owns_frames = a->kind == VMA_ANON;
    e->floor = keep_left ? from : before != nullptr ? before->end : 0;
    bool shares_left = e->floor > (from & ~(pt_span(1) - 1)), shares_right = keep_right && to % pt_span(1) != 0;
    if (to - from == ARCH_PAGE_SIZE && (shares_left || shares_right)) {
        pt_clear_page(e, from); /* what stays beside it needs the same tables */
    } else {
        struct vma *after = keep_right ? nullptr : area_next(a);
        e->ceiling = keep_right ? to : after != nullptr ? after->node.key : PT_USER_END;
        pt_clear(e, from, to);
    }
    if (from >= VX_MAP_BASE && from < vm->next_free_hint)
        vm->next_free_hint = from;
    if (keep_left && keep_right) {
        if (*spare == nullptr) { /* unmap_reserve found none: at least one frame goes, and pays for it */
            pt_edit_end(e);
            status_t st = area_alloc(vm, spare);
            kassert(st == OK);
        }
        area_split(a, to, *spare);
        *spare = nullptr;
        a->end = from;
    } else if (keep_left) {
        a->end = from;
    } else if (keep_right) {
        a->offset += to - a->node.key;
        a->node.key = to; /* in place: the order of the areas stays the same */
    } else {
        area_forget(a);
    }
}

static bool is_concerned(const struct vma *a, const struct cap *only_cap)
{
    return a != nullptr && (only_cap == nullptr || a->cap == only_cap);
}

/* What cutting needs: tables for the large leaves at its ends (0: that end is not cut), and for a hole a record. */
static status_t unmap_reserve(struct vm *vm, const struct vma *head, uint64_t cut_first, uint64_t cut_second, bool hole,
                              struct block_list *tables, struct vma **spare)
{
    unsigned n = pt_split_need(vm->as.root, cut_first, cut_second);
    status_t st = n != 0 ? pt_reserve(tables, vm->reticle, n) : OK;
    if (st != OK || !hole)
        return st;
    st = area_alloc(vm, spare);
    if (st == OK || (n == 0 && head->kind == VMA_ANON && head->state == VX_MEM_COMMIT))
        return OK;
    block_list_free(tables, vm->reticle);
    return st;
}

status_t vm_unmap(struct vm *vm, uint64_t addr, uint64_t len, const struct cap *only_cap)
{
    struct block_list tables = {};
    struct vma *spare = nullptr;
    struct pt_edit e;
    if (!range_ok(addr, len))
        return ERR_BAD_ARGUMENT;
    uint64_t end = addr + len;
    struct vma *head = area_from(vm, addr), *tail = head;
    if (head != nullptr && head->end < end)
        tail = area_at(vm, end);
    bool cuts_head = is_concerned(head, only_cap) && head->node.key < addr;
    bool cuts_tail = is_concerned(tail, only_cap) && tail->node.key < end && tail->end > end;
    if (cuts_head || cuts_tail) {
        bool hole = cuts_head && cuts_tail && head == tail;
        status_t st = unmap_reserve(vm, head, cuts_head ? addr : 0, cuts_tail ? end : 0, hole, &tables, &spare);
        if (st != OK)
            return st;
    }
    /* --- commit: nothing below can fail --- */
    pt_edit_begin(&e, &vm->as, vm->reticle);
    if (cuts_head && tables.first != 0) {
        e.owns_frames = head->kind == VMA_ANON;
        pt_split(&e, addr, &tables);
    }
    if (cuts_tail && tables.first != 0) {
        e.owns_frames = tail->kind == VMA_ANON;
        pt_split(&e, end, &tables);
    }
    for (struct vma *a = head, *next; a != nullptr && a->node.key < end; a = next) {
        next = a->end < end ? area_next(a) : nullptr;
        if (is_concerned(a, only_cap))
            area_cut(&e, a, a->node.key > addr ? a->node.key : addr, a->end < end ? a->end : end, &spare);
    }
    pt_edit_end(&e);
    kassert(tables.first == 0 && spare == nullptr);
    return OK;
}

void vm_unmap_area(struct vma *a)
{
    struct pt_edit e;
    struct vma *no_spare = nullptr;
    pt_edit_begin(&e, &a->vm->as, a->vm->reticle);
    area_cut(&e, a, a->node.key, a->end, &no_spare);
    pt_edit_end(&e);
}

void vm_unmap_object(struct object *o, const struct cap *c)
{
    for (struct vma *a = o->maps, *next; a != nullptr; a = next) {
        next = a->maps_next;
        if (c == nullptr || a->cap == c)
            vm_unmap_area(a);
    }
}
