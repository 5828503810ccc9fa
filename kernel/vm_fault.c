/* SPDX-License-Identifier: MIT
 * Address spaces in use: first touches of lazy pages, changes of protection and state, and the software walk by which
 * the kernel reaches user memory that need not be active. See vm.h for V1-V6. */
#include <base/string.h>
#include <kernel/cap.h>
#include <kernel/vm_area.h>

/* Gives the page at addr a frame, or shows the one that a commit under way took for it. The entry is not present. */
[[gnu::always_inline]] static inline status_t page_back(struct vm *vm, const struct vma *a, uint64_t addr, uint64_t *e,
                                                        unsigned level)
{
    uint64_t page = addr & ~(uint64_t)(ARCH_PAGE_SIZE - 1);
    if (!is_anon(a) || a->state == VX_MEM_RESERVE)
        return ERR_BAD_ADDRESS;
    if (*e == 0)
        return anon_back_page(vm, page, e, level, a->prot);
    if (!pt_is_new(*e) || level != 0)
        return ERR_BAD_ADDRESS;
    arch_page_zero(arch_phys_to_virt((paddr_t){ pt_frame(*e) }));
    pt_put(e, 0, (paddr_t){ pt_frame(*e) }, a->prot, MEM_NORMAL);
    arch_tlb_publish();
    return OK;
}

status_t vm_fault(struct vm *vm, uint64_t addr, uint32_t access)
{
    unsigned level;
    const struct vma *a = area_at(vm, addr);
    if (a == nullptr || (access & ~a->prot) != 0)
        return ERR_BAD_ADDRESS;
    uint64_t *e = pt_walk(vm->as.root, addr, 0, &level);
    if (!pte_present(*e))
        return page_back(vm, a, addr, e, level);
    /* Allowed and present: another thread was faster, or the TLB held an older answer. */
    arch_tlb_flush_range(&vm->as, (vaddr_t){ page_down(addr) }, ARCH_PAGE_SIZE);
    return OK;
}

bool vm_is_guard(const struct vm *vm, uint64_t addr)
{
    const struct vma *a = area_at(vm, addr);
    if (a == nullptr || !is_anon(a) || a->prot != VX_PROT_NONE)
        return false;
    const struct vma *above = area_next(a);
    return above != nullptr && above->node.key == a->end && (above->prot & VX_PROT_WRITE) != 0;
}

status_t vm_translate(struct vm *vm, uint64_t addr, uint32_t access, paddr_t *out)
{
    unsigned level;
    const struct vma *a = area_at(vm, addr);
    if (a == nullptr || (access & ~a->prot) != 0 || a->prot == VX_PROT_NONE || a->mem_type == MEM_DEVICE)
        return ERR_BAD_ADDRESS;
    uint64_t *e = pt_walk(vm->as.root, addr, 0, &level);
    if (!pte_present(*e)) {
        if (page_back(vm, a, addr, e, level) != OK)
            return ERR_BAD_ADDRESS;
        e = pt_walk(vm->as.root, addr, 0, &level);
    }
    out->raw = pt_frame(*e) + (addr & (pt_span(level) - 1));
    return OK;
}

status_t vm_copy(struct vm *vm, uint64_t addr, void *buffer, size_t len, bool write, size_t *done)
{
    for (*done = 0; *done < len;) {
        uint64_t va = addr + *done, in_page = va % ARCH_PAGE_SIZE;
        size_t n = len - *done < ARCH_PAGE_SIZE - in_page ? len - *done : ARCH_PAGE_SIZE - in_page;
        char *mine = (char *)buffer + *done;
        paddr_t pa;
        const struct vma *a = area_at(vm, va);
        bool private = a != nullptr && is_anon(a);
        status_t st = vm_translate(vm, va, write && !private ? VX_PROT_WRITE : VX_PROT_NONE, &pa);
        if (st != OK)
            return st;
        char *theirs = arch_phys_to_virt(pa);
        if (write)
            memcpy(theirs, mine, n);
        else
            memcpy(mine, theirs, n);
        if (write && (a->prot & VX_PROT_EXEC) != 0)
            arch_sync_icache(theirs, n);
        *done += n;
    }
    return OK;
}

/* --- protection --- */

/* What an area may become. An area that no capability vouches for only gets weaker. */
static uint32_t prot_limit(const struct vma *a)
{
    constexpr uint32_t any = VX_PROT_READ | VX_PROT_WRITE | VX_PROT_EXEC;
    static_assert(VX_R_READ == VX_PROT_READ && VX_R_WRITE == VX_PROT_WRITE && VX_R_EXEC == VX_PROT_EXEC);
    if (is_anon(a))
        return any;
    if (a->cap == nullptr ||
        (a->cap->type != VX_CAP_MEM && a->cap->type != VX_CAP_SURFACE && a->cap->type != VX_CAP_DEVICE))
        return a->prot;
    return a->cap->rights & (a->mem_type == MEM_DEVICE ? any & ~VX_PROT_EXEC : any);
}

static status_t protect_ok(const struct vma *a, uint32_t prot, uint32_t state)
{
    if (a->maker != 0)
        return ERR_BUSY;
    if (state != 0 && !is_anon(a))
        return ERR_BAD_ARGUMENT;
    return (prot & ~prot_limit(a)) != 0 ? ERR_NO_RIGHTS : OK;
}

/* A change of [addr, end), which has come to `at`: up while it checks and backs, then down again. */
struct change {
    struct vm *vm;
    uint64_t addr, end, at;
    uint32_t prot, state;
    int32_t left;
};

static status_t change_check(struct change *c)
{
    for (const struct vma *a = area_at(c->vm, c->at); c->at < c->end && c->left > 0; a = area_next(a), c->left--) {
        if (a == nullptr || a->node.key > c->at)
            return ERR_NOT_FOUND;
        status_t st = protect_ok(a, c->prot, c->state);
        if (st != OK)
            return st;
        c->at = a->end < c->end ? a->end : c->end;
    }
    return OK;
}

/* What nobody is to see if memory runs out is hidden until all of it is there. */
static status_t change_back(struct change *c)
{
    status_t st = OK;
    while (st == OK && c->at < c->end && c->left > 0) {
        const struct vma *a = area_from(c->vm, c->at);
        uint64_t to = a == nullptr || a->end > c->end ? c->end : a->end;
        if (a != nullptr && is_anon(a) && a->node.key <= c->at)
            st = anon_back(a, &c->at, to, nullptr, &c->left);
        else
            c->at = to; /* another thread was there */
        c->at = c->at < to ? c->at : to;
        c->left--;
    }
    return st;
}

static void change_unback(struct change *c)
{
    struct pt_edit e;
    uint64_t to = c->at;
    c->at = step_end(c->vm, c->addr, to, &c->left, true);
    pt_edit_begin(&e, &c->vm->as, c->vm->reticle);
    e.owns_frames = e.only_new = true;
#ifndef MUTATE_VM_KEEP_NEW
    pt_clear(&e, c->at, to);
#endif
    pt_edit_end(&e);
}

/* Sees to it that areas and leaves begin at addr and at end. */
static status_t change_cut(const struct change *c)
{
    struct vm *vm = c->vm;
    struct vma *head = area_across(vm, c->addr), *tail = area_across(vm, c->end);
    status_t st = spares_have(vm, 1u + (head != nullptr) + (tail != nullptr));
    if (st == OK)
        st = leaves_cut(vm, c->addr, c->end, nullptr);
    if (st == OK && tail != nullptr)
        area_split(tail, c->end); /* before the head: it may be the same area */
    if (st == OK && head != nullptr)
        area_split(head, c->addr);
    return st;
}

/* [from, to) of a, of which all above is done. */
static void change_part(const struct change *c, struct pt_edit *e, struct vma *a, uint64_t from, uint64_t to)
{
    if (c->state == VX_MEM_RESERVE) {
        a->state = VX_MEM_RESERVE;
        e->owns_frames = true;
        pt_clear(e, from, to);
    } else if (a->state != VX_MEM_RESERVE || c->state == VX_MEM_COMMIT) {
        e->show_new = c->state == VX_MEM_COMMIT;
        pt_protect(e, from, to, c->prot, a->mem_type);
    }
    if (from > a->node.key) {
        a->prot &= c->prot; /* in between only what was allowed and will be */
        return;
    }
    a->prot = c->prot;
    if (c->state == VX_MEM_COMMIT || (c->state == VX_MEM_LAZY && a->state == VX_MEM_RESERVE))
        a->state = (uint8_t)c->state;
}

/* What another thread has made in the range since it was checked is left alone. */
static status_t change_down(struct change *c)
{
    struct pt_edit e;
    struct vma *a;
    status_t st = OK;
    pt_edit_begin(&e, &c->vm->as, c->vm->reticle);
    for (; st == OK && c->at > c->addr && c->left > 0; c->left -= 3) {
        a = area_of(tree_find_le(&c->vm->areas, c->at - 1));
        uint64_t from = a != nullptr && a->node.key > c->addr ? a->node.key : c->addr;
        uint64_t to = a != nullptr && a->end < c->at ? a->end : c->at;
        if (a != nullptr && to > from && from == a->node.key && a->end <= c->end &&
            protect_ok(a, c->prot, c->state) == OK) {
            int32_t entries = (c->prot & VX_PROT_EXEC) != 0 ? c->left / WORK_SYNC + 1 : c->left;
            c->left -= entries;
            if (a->state != VX_MEM_RESERVE || (c->state & (VX_MEM_COMMIT | VX_MEM_RESERVE)) != 0) /* V6 */
                from = step_end(c->vm, from, to, &entries, true);
            c->left += entries;
            if ((st = leaves_cut(c->vm, 0, to, nullptr)) == OK)
                change_part(c, &e, a, from, to);
        }
        c->at = from;
    }
    pt_edit_end(&e);
    arch_tlb_publish();
    return st;
}

status_t vm_protect(struct vm *vm, uint64_t addr, uint64_t len, uint32_t prot, uint32_t state, uint64_t *progress)
{
    enum { CHECK, BACK, UNBACK, DOWN, PHASES };
    if (!range_ok(addr, len) || !prot_ok(prot))
        return ERR_BAD_ARGUMENT;
    struct change c = { vm, addr, addr + len, *progress & ~(uint64_t)(PHASES - 1), prot_normal(prot), state, VM_STEP };
    uint64_t phase = *progress % PHASES;
    status_t st = OK;
    *progress = 0;
    if (c.at == 0)
        c.at = addr;
    if (phase == CHECK) {
        if ((st = change_check(&c)) != OK)
            return st;
        if (c.at == c.end) {
            phase = BACK;
            c.at = state == VX_MEM_COMMIT ? addr : c.end;
        }
    }
    if (phase == BACK) {
        st = change_back(&c);
        if (st == OK && c.at == c.end && (st = change_cut(&c)) == OK)
            phase = DOWN;
        if (st != OK && (st != ERR_NO_MEMORY || state != VX_MEM_COMMIT))
            return st;
        if (st != OK)
            phase = UNBACK;
    }
    if (phase == UNBACK) {
        change_unback(&c);
        if (c.at == addr)
            return ERR_NO_MEMORY;
    }
    if (phase == DOWN && ((st = change_down(&c)) != OK || c.at == addr))
        return st;
    *progress = c.at | phase;
    return OK;
}
