/* SPDX-License-Identifier: MIT
 * Address spaces: taking areas out, whole or in part. See vm.h for V1-V7, and vm.c for how committed memory is merged.
 */
#include <base/kassert.h>
#include <kernel/cap.h>
#include <kernel/sync.h>
#include <kernel/vm_area.h>

void area_forget(struct vma *a)
{
    struct vm *vm = a->vm;
    tree_remove(&vm->areas, &a->node);
    if (a->obj != nullptr)
        maps_unlink(a);
    if (vm->n_spares < AREA_SPARES)
        spare_push(vm, a);
    else
        reticle_kfree(vm->reticle, a);
    if (vm->areas.root == nullptr)
        vm_settle(vm);
}

void area_split(struct vma *a, uint64_t at)
{
    kassert(a->vm->n_spares > 0); /* V9 */
    struct vma *rest = spare_pop(a->vm);
    *rest = *a;
    rest->offset += at - a->node.key;
    rest->node = (struct tree_node){};
    rest->maker = 0;
    a->end = at;
    tree_insert(&rest->vm->areas, &rest->node, at);
    if (rest->obj != nullptr)
        maps_link(rest);
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

/* Units of work beyond its own that taking some of a away costs. */
static int32_t work_recheck(const struct vma *a)
{
    uint64_t groups = a->vm->waits_in;
    return likely(groups == 0 || a->obj == nullptr) ? 0 : FUTEX_RECHECK * __builtin_popcountll(groups);
}

/* [from, to) of a has no entries any more: it is no part of a either. The hole may leave two pieces: then there is a
 * spare record. */
[[gnu::always_inline]] static inline void area_shrink(struct vma *a, uint64_t from, uint64_t to)
{
    struct vm *vm = a->vm;
    bool keep_left = from > a->node.key, keep_right = to < a->end;
    if (vm->waits_in != 0 && a->obj != nullptr)
        futex_recheck(vm);
    gap_give(vm, from, to);
    if (keep_left) {
        if (keep_right)
            area_split(a, to);
        a->end = from;
    } else if (keep_right) {
        a->offset += to - a->node.key;
        a->node.key = to; /* in place: the order of the areas stays the same */
        a->maker = 0;     /* V8 */
    } else {
        area_forget(a);
    }
}

/* Takes [from, to), which lies in a, out of it. No leaf crosses from or to. */
static void area_cut(struct pt_edit *e, struct vma *a, uint64_t from, uint64_t to)
{
    e->owns_frames = is_anon(a);
    pt_clear(e, from, to);
    area_shrink(a, from, to);
}

static bool is_concerned(const struct vma *a, const struct cap *only_cap)
{
    return a != nullptr && (only_cap == nullptr || a->cap == only_cap);
}

static struct pt_cut cut_at(const struct vm *vm, uint64_t va, const struct cap *only_cap)
{
    const struct vma *a = area_across(vm, va);
    return is_concerned(a, only_cap) ? (struct pt_cut){ va, is_anon(a) } : (struct pt_cut){};
}

status_t leaves_cut(struct vm *vm, uint64_t addr, uint64_t end, const struct cap *only_cap)
{
    return pt_split(&vm->as, vm->reticle, cut_at(vm, addr, only_cap), cut_at(vm, end, only_cap));
}

/* The short way for one page at an end of an area, if its table stays: there is nothing to reserve and nothing to
 * collect. e: flushes later, for pages of objects; nullptr: it is flushed. False: take the long way. */
[[gnu::always_inline]] static inline bool unmap_end_page(struct vm *vm, struct vma *a, uint64_t page, struct pt_edit *e)
{
    uint64_t next = page + ARCH_PAGE_SIZE, frame;
    if ((a->node.key < page && next < a->end) || !pt_take_page(&vm->as, page, e, &frame))
        return false;
    if (frame != 0 && is_anon(a))
        reticle_free(vm->reticle, (paddr_t){ frame }, 0);
    area_shrink(a, page, next);
    return true;
}

uint64_t step_end(const struct vm *vm, uint64_t from, uint64_t to, int32_t *left, bool down)
{
    uint64_t low = from, high = to, pages = (to - from) / ARCH_PAGE_SIZE;
    if (*left > 0 && pages <= (uint64_t)*left) { /* whatever is there: nobody has to look */
        *left -= (int32_t)pages;
        return down ? from : to;
    }
    do {
        unsigned level;
        (void)pt_walk(vm->as.root, down ? high - 1 : low, 0, &level);
        uint64_t last = pt_span(level) - 1, more = *left > 1 && level == 0 ? (uint64_t)*left * ARCH_PAGE_SIZE : 0;
        if (more != 0) { /* the entries of a table one after the other */
            uint64_t in_table = pt_span(1) - ARCH_PAGE_SIZE, rest = high - low - ARCH_PAGE_SIZE;
            in_table = down ? (high - ARCH_PAGE_SIZE) & in_table : in_table - (low & in_table);
            more = more - ARCH_PAGE_SIZE < in_table ? more - ARCH_PAGE_SIZE : in_table;
            more = more < rest ? more : rest;
        }
        high = down ? ((high - 1) & ~last) - more : high;
        low = down ? low : (low | last) + 1 + more;
        *left -= 1 + (int32_t)(more / ARCH_PAGE_SIZE);
    } while (low < high && *left > 0);
    return down ? (high > from ? high : from) : (low < to ? low : to);
}

bool area_unmap_some(struct pt_edit *e, struct vma *a, int32_t *left)
{
    uint64_t start = a->node.key, from = step_end(a->vm, start, a->end, left, true);
    area_cut(e, a, from, a->end);
    return from == start;
}

/* What may fail: the record for what is left behind a hole, and cutting large leaves at the ends. For each step, since
 * another thread may have mapped something there after the last one. */
static status_t unmap_begin(struct vm *vm, uint64_t addr, uint64_t end, const struct cap *only_cap)
{
    const struct vma *a = area_across(vm, addr);
    status_t st = OK;
    if (is_concerned(a, only_cap) && end < a->end)
        st = spares_have(vm, a->state == VX_MEM_COMMIT ? 1 : 2); /* V9 */
    return st == OK ? leaves_cut(vm, addr, end, only_cap) : st;
}

/* From above; an area of which only the upper part stays from its front. So no step leaves more pieces than the whole.
 */
[[gnu::noinline]] static status_t unmap_range(struct vm *vm, uint64_t addr, uint64_t len, const struct cap *only_cap,
                                              uint64_t *progress)
{
    struct vma *a;
    struct pt_edit e;
    int32_t left = VM_STEP;
    uint64_t end = *progress != 0 ? *progress & ~UINT64_C(1) : addr + len;
    bool found = (*progress & 1) != 0;
    status_t st = unmap_begin(vm, addr, end, only_cap);
    if (st != OK) {
        *progress = 0;
        return st;
    }
    /* --- commit: nothing below can fail --- */
    pt_edit_begin(&e, &vm->as, vm->reticle);
    while (left > 0 && (a = area_of(tree_find_le(&vm->areas, end - 1))) != nullptr && a->end > addr) {
        uint64_t from = a->node.key > addr ? a->node.key : addr, to = a->end < end ? a->end : end;
        if (!is_concerned(a, only_cap)) {
            left -= 1;
            end = from;
            continue;
        }
        left -= WORK_AREA + work_recheck(a);
        found = true;
        if (from == a->node.key && to < a->end) {
            uint64_t up_to = step_end(vm, from, to, &left, false);
            area_cut(&e, a, from, up_to);
            end = up_to < to ? to : from;
        } else {
            end = step_end(vm, from, to, &left, true);
            area_cut(&e, a, end, to);
        }
    }
    pt_edit_end(&e);
    if (vm->areas.root != nullptr)
        (void)spares_have(vm, 1); /* at least one frame went */
    *progress = left > 0 || end == addr ? 0 : end | found;
    return *progress != 0 || found ? OK : ERR_NOT_FOUND;
}

status_t vm_unmap(struct vm *vm, uint64_t addr, uint64_t len, const struct cap *only_cap, uint64_t *progress)
{
    if (len == ARCH_PAGE_SIZE && addr % ARCH_PAGE_SIZE == 0) {
        struct vma *a = area_at(vm, addr);
        if (is_concerned(a, only_cap) && unmap_end_page(vm, a, addr, nullptr))
            return OK;
    }
    return range_ok(addr, len) ? unmap_range(vm, addr, len, only_cap, progress) : ERR_BAD_ARGUMENT;
}

static bool is_below(const struct cap *c, const struct cap *root)
{
    while (c != nullptr && c->parent != root)
        c = c->parent;
    return c != nullptr;
}

bool vm_unmap_object(struct object *o, const struct cap *c, bool below)
{
    struct pt_edit e; /* one for all areas of an address space that follow each other: one shootdown */
    bool goes_on = true;
    pt_edit_begin(&e, nullptr, nullptr);
    for (struct list_node *n = o->maps.next, *next; n != &o->maps && goes_on; n = next) {
        struct vma *a = container_of(n, struct vma, maps);
        next = n->next;
        if (!(below ? is_below(a->cap, c) : c == nullptr || a->cap == c))
            continue;
        if (e.as != &a->vm->as) {
            pt_edit_end(&e);
            pt_edit_begin(&e, &a->vm->as, a->vm->reticle);
        }
        int32_t left = VM_STEP, more = work_recheck(a);
        bool quick = a->end - a->node.key == ARCH_PAGE_SIZE && unmap_end_page(a->vm, a, a->node.key, &e);
        goes_on = (quick || area_unmap_some(&e, a, &left)) &&
                  work_spend(more + (quick ? 2 : WORK_AREA + (VM_STEP - left) / 2));
    }
    pt_edit_end(&e);
    return goes_on;
}
