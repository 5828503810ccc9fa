/* SPDX-License-Identifier: MIT
 * Address spaces in use: first touches of lazy pages, changes of protection and state, and the software walk by which
 * the kernel reaches user memory that need not be active. See vm.h for V1-V6. */
#include <base/kassert.h>
#include <base/string.h>
#include <kernel/cap.h>
#include <kernel/vm_area.h>

/* The entry behind addr, backed if it was lazy. a holds addr. */
static status_t entry_backed(struct vm *vm, const struct vma *a, uint64_t addr, uint64_t *entry, unsigned *level)
{
    uint64_t *e = pt_walk(vm->as.root, addr, 0, level);
    if (*e == 0) {
        if (a->kind != VMA_ANON || a->state != VX_MEM_LAZY)
            return ERR_BAD_ADDRESS;
        status_t st = anon_back_page(vm, addr & ~(uint64_t)(ARCH_PAGE_SIZE - 1), e, *level, a->prot);
        if (st != OK)
            return st;
        e = pt_walk(vm->as.root, addr, 0, level);
    }
    *entry = *e;
    return OK;
}

status_t vm_fault(struct vm *vm, uint64_t addr, uint32_t access)
{
    unsigned level;
    const struct vma *a = area_at(vm, addr);
    if (a == nullptr || (access & ~a->prot) != 0)
        return ERR_BAD_ADDRESS;
    uint64_t *e = pt_walk(vm->as.root, addr, 0, &level);
    if (*e == 0 && a->kind == VMA_ANON && a->state == VX_MEM_LAZY)
        return anon_back_page(vm, addr & ~(uint64_t)(ARCH_PAGE_SIZE - 1), e, level, a->prot);
    if (!pte_present(*e))
        return ERR_BAD_ADDRESS;
    /* Allowed and present: another thread was faster, or the TLB held an older answer. */
    arch_tlb_flush_page(&vm->as, (vaddr_t){ addr & ~(uint64_t)(ARCH_PAGE_SIZE - 1) });
    return OK;
}

bool vm_is_guard(const struct vm *vm, uint64_t addr)
{
    const struct vma *a = area_at(vm, addr);
    if (a == nullptr || a->kind != VMA_ANON || a->prot != VX_PROT_NONE)
        return false;
    const struct vma *above = area_next(a);
    return above != nullptr && above->node.key == a->end && (above->prot & VX_PROT_WRITE) != 0;
}

status_t vm_translate(struct vm *vm, uint64_t addr, uint32_t access, paddr_t *out)
{
    unsigned level;
    uint64_t entry;
    const struct vma *a = area_at(vm, addr);
    if (a == nullptr || (access & ~a->prot) != 0 || a->prot == VX_PROT_NONE || a->mem_type == MEM_DEVICE)
        return ERR_BAD_ADDRESS;
    if (entry_backed(vm, a, addr, &entry, &level) != OK)
        return ERR_BAD_ADDRESS;
    out->raw = pt_frame(entry) + (addr & (pt_span(level) - 1));
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
        bool private = a != nullptr && a->kind == VMA_ANON;
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
    if (a->kind == VMA_ANON)
        return any;
    if (a->cap == nullptr ||
        (a->cap->type != VX_CAP_MEM && a->cap->type != VX_CAP_SURFACE && a->cap->type != VX_CAP_DEVICE))
        return a->prot;
    return a->cap->rights & (a->mem_type == MEM_DEVICE ? any & ~VX_PROT_EXEC : any);
}

static status_t protect_check(const struct vm *vm, uint64_t addr, uint64_t end, uint32_t prot, uint32_t state)
{
    uint64_t at = addr;
    for (const struct vma *a = area_at(vm, addr); at < end; a = area_next(a)) {
        if (a == nullptr || a->node.key > at)
            return ERR_NOT_FOUND;
        if (state != 0 && a->kind != VMA_ANON)
            return ERR_BAD_ARGUMENT;
        if ((prot & ~prot_limit(a)) != 0)
            return ERR_NO_RIGHTS;
        at = a->end;
    }
    return OK;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* All that a change of [addr, end) needs before it can no longer fail. */
struct protect_stock {
    struct vm_stock anon;
    struct block_list splits;
    struct vma *head, *tail; /* records for the rest of an area behind addr, and behind end */
    bool cuts_head, cuts_tail;
};

static void protect_unreserve(struct vm *vm, struct protect_stock *s)
{
    if (s->head != nullptr)
        reticle_kfree(vm->reticle, s->head, sizeof *s->head);
    if (s->tail != nullptr)
        reticle_kfree(vm->reticle, s->tail, sizeof *s->tail);
    block_list_free(&s->splits, vm->reticle);
    stock_free(&s->anon, vm->reticle);
}

static status_t protect_reserve(struct vm *vm, uint64_t addr, uint64_t end, uint32_t state, struct protect_stock *s)
{
    const struct vma *first = area_at(vm, addr), *last = area_at(vm, end);
    void *p;
    *s = (struct protect_stock){ .cuts_head = first->node.key < addr,
                                 .cuts_tail = last != nullptr && last->node.key < end };
    stock_init(&s->anon);
    status_t st = OK;
    if (s->cuts_head && (st = reticle_kalloc(vm->reticle, sizeof(struct vma), &p)) == OK)
        s->head = p;
    if (st == OK && s->cuts_tail && (st = reticle_kalloc(vm->reticle, sizeof(struct vma), &p)) == OK)
        s->tail = p;
    if (st == OK) {
        unsigned n = pt_split_need(vm->as.root, s->cuts_head ? addr : 0, s->cuts_tail ? end : 0);
        st = pt_reserve(&s->splits, vm->reticle, n);
    }
    if (state == VX_MEM_COMMIT)
        for (const struct vma *a = first; st == OK && a != nullptr && a->node.key < end; a = area_next(a))
            st = stock_for_anon(vm, &s->anon, max_u64(a->node.key, addr), min_u64(a->end, end));
    if (st != OK)
        protect_unreserve(vm, s);
    return st;
}

/* a lies in the range as a whole by now. */
static void protect_area(struct pt_edit *e, struct vma *a, uint32_t prot, uint32_t state, struct vm_stock *stock)
{
    uint64_t from = a->node.key, to = a->end;
    if (state == VX_MEM_RESERVE) {
        e->owns_frames = true;
        e->floor = from; /* tables that only this area needs hold nothing any more */
        e->ceiling = to;
        pt_clear(e, from, to);
    } else if (a->prot != prot && a->state != VX_MEM_RESERVE) {
        pt_protect(e, from, to, prot, a->mem_type);
    }
    a->prot = prot;
    if (state == VX_MEM_COMMIT)
        anon_back(a->vm, stock, from, to, prot, nullptr, nullptr);
    if (state == VX_MEM_COMMIT || state == VX_MEM_RESERVE || (state == VX_MEM_LAZY && a->state == VX_MEM_RESERVE))
        a->state = (uint8_t)state;
}

status_t vm_protect(struct vm *vm, uint64_t addr, uint64_t len, uint32_t prot, uint32_t state)
{
    struct protect_stock s;
    struct pt_edit e;
    if (!range_ok(addr, len) || !prot_ok(prot))
        return ERR_BAD_ARGUMENT;
    uint64_t end = addr + len;
    prot = prot_normal(prot);
    status_t st = protect_check(vm, addr, end, prot, state);
    if (st == OK)
        st = protect_reserve(vm, addr, end, state, &s);
    if (st != OK)
        return st;
    /* --- commit: nothing below can fail --- */
    pt_edit_begin(&e, &vm->as, vm->reticle);
    struct vma *first = area_at(vm, addr), *last = area_at(vm, end);
    if (s.cuts_head) {
        e.owns_frames = first->kind == VMA_ANON;
        pt_split(&e, addr, &s.splits);
    }
    if (s.cuts_tail) {
        e.owns_frames = last->kind == VMA_ANON;
        pt_split(&e, end, &s.splits);
        area_split(last, end, s.tail); /* before the head: it may be the same area */
    }
    if (s.cuts_head)
        area_split(first, addr, s.head);
    for (struct vma *a = area_at(vm, addr); a != nullptr && a->node.key < end; a = area_next(a))
        protect_area(&e, a, prot, state, &s.anon);
    pt_edit_end(&e);
    kassert(s.splits.first == 0 && s.anon.tables.first == 0 && s.anon.frames.first == 0);
    return OK;
}
