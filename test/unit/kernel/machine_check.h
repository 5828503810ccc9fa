/* SPDX-License-Identifier: MIT
 * Invariants of the whole machine that machine.h made: pages (R1-R7), capabilities (C1-C4, I2), address spaces (V1,
 * V2). */
#pragma once
#include "machine.h"
#include <kernel/pt.h>
#include "page_facts.h"

/* Every Reticle, pre-order; null after the last. */
static struct reticle *next_reticle(struct reticle *r)
{
    struct list_node *n = list_first(&r->children);
    while (n == nullptr && r->parent != nullptr) {
        n = r->sibling.next != &r->parent->children ? r->sibling.next : nullptr;
        r = r->parent;
    }
    return n != nullptr ? container_of(n, struct reticle, sibling) : nullptr;
}

static uint64_t check_cap_tree(const struct object *o)
{
    uint64_t n = 0;
    const struct cap *c = o->caps;
    while (c != nullptr) {
        n++;
        machine_must(c->obj == o && c->type != VX_CAP_NONE);
        machine_must(c->prev == nullptr ? (c->parent != nullptr ? c->parent->child == c : o->caps == c)
                                        : c->prev->next == c);
        if (c->parent != nullptr) { /* C3 */
            const struct cap *p = c->parent;
            machine_must((c->rights & ~p->rights) == 0 && c->type == p->type);
            machine_must(c->offset >= p->offset && c->length <= p->length &&
                         c->offset - p->offset <= p->length - c->length);
        }
        const struct cap *next = c->child;
        while (next == nullptr && c != nullptr) {
            next = c->next;
            c = c->parent;
        }
        c = next;
    }
    return n;
}

static void check_table(const struct cap_table *t)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < t->high; i++) {
        const struct cap *c = &t->slots[i];
        machine_must((c->handle & ((1u << VX_HANDLE_INDEX_BITS) - 1)) == i && c->handle >> VX_HANDLE_INDEX_BITS != 0);
        machine_must(c->type != VX_CAP_NONE || c->obj == nullptr);
        used += c->type != VX_CAP_NONE;
    }
    machine_must(used == t->used);
    for (uint32_t i = t->high; i <= t->mask; i++) /* C4 */
        machine_must(t->slots[i].type == VX_CAP_NONE && t->slots[i].obj == nullptr);
    machine_must(t->mask < 2 * t->n_slots && t->high <= t->mask + 1 && (t->mask & (t->mask + 1)) == 0);
}

/* The present leaves below `table` lie in areas of the address space, and allow no more than these. */
static void check_leaves(const struct vm *vm, paddr_t table, unsigned level, uint64_t base)
{
    const uint64_t *e = arch_phys_to_virt(table);
    for (uint64_t i = 0; i < (level == PT_LEVELS - 1 ? PT_ENTRIES / 2 : PT_ENTRIES); i++) {
        uint64_t at = base + (i << pt_shift(level));
        if (!pte_present(e[i]))
            continue;
        if (!pte_is_leaf(e[i], level)) {
            check_leaves(vm, (paddr_t){ pte_pa(e[i]) }, level - 1, at);
            continue;
        }
        const struct tree_node *n = tree_find_le(&vm->areas, at);
        machine_must(n != nullptr);
        const struct vma *a = container_of(n, struct vma, node);
        uint32_t prot = pte_prot(e[i]);
        machine_must(at + pt_span(level) <= a->end && (prot & PTE_USER) != 0 && (prot & 7 & ~a->prot) == 0);
        machine_must((prot & VX_PROT_WRITE) == 0 || (prot & VX_PROT_EXEC) == 0);
        if (a->state != 0) { /* P2: the frame is one block of this Task's Reticle */
            struct page_facts f = reticle_page_facts((paddr_t){ pte_pa(e[i]) });
            machine_must(f.reticle == vm->reticle && f.type == PAGE_ANON && f.order == 9 * level);
        }
    }
}

static void check_vm(const struct vm *vm)
{
    uint64_t last = VX_UADDR_MIN;
    for (const struct tree_node *n = vm->areas.first; n != nullptr; n = tree_next(n)) {
        const struct vma *a = container_of(n, struct vma, node);
        machine_must(n->key >= last && a->end > n->key && a->end <= VX_UADDR_LIMIT && a->vm == vm);
        machine_must((n->key | a->end) % ARCH_PAGE_SIZE == 0);
        machine_must((a->prot & (VX_PROT_WRITE | VX_PROT_EXEC)) != (VX_PROT_WRITE | VX_PROT_EXEC));
        last = a->end;
    }
    if (vm->reticle != nullptr) /* else: it has ended, before the rest of its Task */
        check_leaves(vm, vm->as.root, PT_LEVELS - 1, 0);
}

static void machine_check_all(void)
{
    machine_check();
    for (struct reticle *r = &machine_root; r != nullptr; r = next_reticle(r)) {
        struct object *owner = r->owner;
        if (owner != nullptr && owner->type == VX_CAP_TASK) {
            struct task *t = task_of(owner);
            check_table(&t->caps);
            check_vm(&t->vm);
            uint32_t own = t->own_object.dying == 0; /* its own interest goes first */
            machine_must(check_cap_tree(&t->own_object) + own == t->own_object.n_caps);
        }
        for (struct list_node *n = r->objects.next; n != &r->objects; n = n->next) {
            const struct object *o = container_of(n, struct object, home_node);
            machine_must(o->home == r && check_cap_tree(o) == o->n_caps);
        }
    }
}
