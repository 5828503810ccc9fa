/* SPDX-License-Identifier: MIT
 * Address spaces: taking areas out, whole or in part. See vm.h for V1-V7, and vm.c for how committed memory is merged.
 */
#include <base/kassert.h>
#include <kernel/cap.h>
#include <kernel/sync.h>
#include <kernel/vm_area.h>

#define UNMAP_STEP 64u /* entries of an area that one step takes */

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

static inline void area_forget(struct vma *a)
{
    struct vm *vm = a->vm;
    tree_remove(&vm->areas, &a->node);
    if (a->obj != nullptr)
        maps_unlink(a);
    reticle_kfree(vm->reticle, a, sizeof *a);
}

/* [from, to) is free now. The lower gap is worth more: it keeps a space compact, and its tables few. */
static void gap_give(struct vm *vm, uint64_t from, uint64_t to)
{
    if (from < VX_MAP_BASE || from >= vm->gap_start)
        return;
    if (to != vm->gap_start)
        vm->gap_end = to;
    vm->gap_start = from;
}

/* Takes [from, to), which lies in a, out of it, and whatever tables then span no area. The hole may leave two pieces:
 * `spare` is then the record for the second. No leaf crosses from or to. */
static void area_cut(struct pt_edit *e, struct vma *a, uint64_t from, uint64_t to, struct vma **spare)
{
    struct vm *vm = a->vm;
    bool keep_left = from > a->node.key, keep_right = to < a->end;
    struct vma *before = keep_left ? nullptr : area_of(tree_prev(&a->node));
    e->owns_frames = a->kind == VMA_ANON;
    if (vm->has_waiters && a->obj != nullptr)
        futex_recheck(vm);
    e->floor = keep_left ? from : before != nullptr ? before->end : 0;
    bool shares_left = e->floor > (from & ~(pt_span(1) - 1)), shares_right = keep_right && to % pt_span(1) != 0;
    if (to - from == ARCH_PAGE_SIZE && (shares_left || shares_right)) {
        pt_clear_page(e, from); /* what stays beside it needs the same tables */
    } else {
        struct vma *after = keep_right ? nullptr : area_next(a);
        e->ceiling = keep_right ? to : after != nullptr ? after->node.key : PT_USER_END;
        pt_clear(e, from, to);
    }
    gap_give(vm, from, to);
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

/* The short way for one page at an end of an area, if what stays beside it needs the same tables: there is nothing to
 * reserve and nothing to collect. e: flushes later, for pages of objects; nullptr: it is flushed. False: take the long
 * way. */
[[gnu::always_inline]] static inline bool unmap_end_page(struct vm *vm, struct vma *a, uint64_t page, struct pt_edit *e)
{
    uint64_t next = page + ARCH_PAGE_SIZE, frame;
    bool keep_left = a->node.key<page, keep_right = a->end> next, shares;
    if (keep_left && keep_right)
        return false;
    if (keep_left) {
        shares = page % pt_span(1) != 0;
    } else if (keep_right) {
        shares = next % pt_span(1) != 0;
    } else {
        const struct vma *before = area_of(tree_prev(&a->node));
        shares = before != nullptr && before->end > (page & ~(pt_span(1) - 1));
    }
    if (!shares || !pt_take_page(&vm->as, page, e, &frame))
        return false;
    if (vm->has_waiters && a->obj != nullptr)
        futex_recheck(vm);
    if (frame != 0 && a->kind == VMA_ANON)
        reticle_free(vm->reticle, (paddr_t){ frame }, 0);
    gap_give(vm, page, next);
    if (keep_left) {
        a->end = page;
    } else if (keep_right) {
        a->offset += ARCH_PAGE_SIZE;
        a->node.key = next; /* in place: see area_cut */
    } else {
        area_forget(a);
    }
    return true;
}

/* head is the first area that ends after addr. */
[[gnu::noinline]] static status_t unmap_range(struct vm *vm, struct vma *head, uint64_t addr, uint64_t end,
                                              const struct cap *only_cap)
{
    struct block_list tables = {};
    struct vma *spare = nullptr, *tail = head->end < end ? area_at(vm, end) : head;
    struct pt_edit e;
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
    bool found = false;
    for (struct vma *a = head, *next; a != nullptr && a->node.key < end; a = next) {
        next = a->end < end ? area_next(a) : nullptr;
        if (!is_concerned(a, only_cap))
            continue;
        found = true;
        area_cut(&e, a, a->node.key > addr ? a->node.key : addr, a->end < end ? a->end : end, &spare);
    }
    pt_edit_end(&e);
    kassert(tables.first == 0 && spare == nullptr);
    return found ? OK : ERR_NOT_FOUND;
}

status_t vm_unmap(struct vm *vm, uint64_t addr, uint64_t len, const struct cap *only_cap)
{
    if (!range_ok(addr, len))
        return ERR_BAD_ARGUMENT;
    struct vma *head = area_from(vm, addr);
    if (head == nullptr || head->node.key >= addr + len)
        return ERR_NOT_FOUND;
    if (len == ARCH_PAGE_SIZE && is_concerned(head, only_cap) && unmap_end_page(vm, head, addr, nullptr))
        return OK;
    return unmap_range(vm, head, addr, addr + len, only_cap);
}

/* Where a step through [from, to) ends that looks at no more than `entries` entries: no leaf crosses it. */
static uint64_t step_end(const struct vm *vm, uint64_t from, uint64_t to, uint32_t entries)
{
    uint64_t at = from;
    for (; at < to && entries != 0; entries--) {
        unsigned level;
        (void)pt_walk(vm->as.root, at, 0, &level);
        at = (at & ~(pt_span(level) - 1)) + pt_span(level);
    }
    return at < to ? at : to;
}

/* The first part of an object's area; true: all that was left of it. */
static bool unmap_some(struct pt_edit *e, struct vma *a)
{
    struct vma *no_spare = nullptr;
    if (a->end - a->node.key == ARCH_PAGE_SIZE && unmap_end_page(a->vm, a, a->node.key, e))
        return true;
    uint64_t end =
        a->end - a->node.key <= UNMAP_STEP * ARCH_PAGE_SIZE ? a->end : step_end(a->vm, a->node.key, a->end, UNMAP_STEP);
    bool whole = end == a->end;
    area_cut(e, a, a->node.key, end, &no_spare);
    return whole;
}

static bool is_below(const struct cap *c, const struct cap *root)
{
    do
        c = c != nullptr ? c->parent : nullptr;
    while (c != nullptr && c != root);
    return c != nullptr;
}

bool vm_unmap_object(struct object *o, const struct cap *c, bool below)
{
    struct pt_edit e; /* one for all areas of an address space that follow each other: one shootdown */
    bool goes_on = true;
    pt_edit_begin(&e, nullptr, nullptr);
    for (struct vma *a = o->maps, *next; a != nullptr && goes_on; a = next) {
        next = a->maps_next;
        if (!(below ? is_below(a->cap, c) : c == nullptr || a->cap == c))
            continue;
        if (e.as != &a->vm->as) {
            pt_edit_end(&e);
            pt_edit_begin(&e, &a->vm->as, a->vm->reticle);
        }
        goes_on = unmap_some(&e, a) && work_spend(3);
    }
    pt_edit_end(&e);
    return goes_on;
}
