/* SPDX-License-Identifier: MIT
 * What the files of the virtual memory share: finding areas, backing them with frames, and the length of a step. */
#pragma once
#include <kernel/pt.h>
#include <kernel/vm.h>

static inline struct vma *area_of(struct tree_node *n)
{
    return n != nullptr ? container_of(n, struct vma, node) : nullptr;
}

static inline bool is_anon(const struct vma *a)
{
    return a->state != 0;
}

static inline struct vma *area_next(const struct vma *a)
{
    return area_of(tree_next(&a->node));
}

/* The area that holds addr; nullptr: none. */
static inline struct vma *area_at(const struct vm *vm, uint64_t addr)
{
    struct vma *a = area_of(tree_find_le(&vm->areas, addr));
    return a != nullptr && addr < a->end ? a : nullptr;
}

/* The first area that ends after addr. */
static inline struct vma *area_from(const struct vm *vm, uint64_t addr)
{
    struct vma *a = area_of(tree_find_le(&vm->areas, addr));
    if (a == nullptr)
        return area_of(vm->areas.first);
    return addr < a->end ? a : area_next(a);
}

/* The area that holds addr, but does not begin there; nullptr: none. */
static inline struct vma *area_across(const struct vm *vm, uint64_t addr)
{
    struct vma *a = area_at(vm, addr - 1);
    return a != nullptr && addr < a->end ? a : nullptr;
}

static inline bool range_ok(uint64_t addr, uint64_t len)
{
    return ((addr | len) & (ARCH_PAGE_SIZE - 1)) == 0 && addr >= VX_UADDR_MIN && len != 0 && len <= VX_UADDR_LIMIT &&
           addr <= VX_UADDR_LIMIT - len;
}

/* obj->maps. */
[[gnu::always_inline]] static inline void maps_link(struct vma *a)
{
    lock_take(&a->obj->maps_lock, LOCK_MAPS);
    list_push_front(&a->obj->maps, &a->maps);
    lock_release(&a->obj->maps_lock, LOCK_MAPS);
}

[[gnu::always_inline]] static inline void maps_unlink(struct vma *a)
{
    lock_take(&a->obj->maps_lock, LOCK_MAPS);
    list_unlink(&a->maps);
    lock_release(&a->obj->maps_lock, LOCK_MAPS);
}

#define AREA_SPARES 4u

/* Sees to it that there are n. ERR_NO_MEMORY. */
status_t spares_have(struct vm *vm, uint32_t n);

static inline void spare_push(struct vm *vm, struct vma *a)
{
    a->maps.next = vm->spares;
    vm->spares = &a->maps;
    vm->n_spares++;
}

/* There is one. What is in it is anything. */
static inline struct vma *spare_pop(struct vm *vm)
{
    struct vma *a = container_of(vm->spares, struct vma, maps);
    vm->spares = a->maps.next;
    vm->n_spares--;
    return a;
}

/* Takes it off its lists; the record becomes a spare one. */
void area_forget(struct vma *a);

/* What a step may spend, and what things cost: units of about a hundred instructions. */
#define VM_STEP 70
#define WORK_SYNC 4 /* making the instruction cache see it */
#define WORK_AREA 8 /* taking one away, whose tables may go with it */

/* Backs what of [*at, to), a part of a, has no frame, as s says; nullptr: zeroed, and the entries are new ones. *at
 * moves on until the step is spent. ERR_NO_MEMORY. */
status_t anon_back(const struct vma *a, uint64_t *at, uint64_t to, const struct vm_spec *s, int32_t *left);
/* Backs one page, for which the walk ended at the empty entry e of level `reached`; zeroed. ERR_NO_MEMORY changes
 * nothing. The short way for what happens most: first touches, and single committed pages. */
status_t anon_back_page(struct vm *vm, uint64_t page, uint64_t *e, unsigned reached, uint32_t prot);

/* Where a step through [from, to) ends, up or down, that looks at what is left of entries, at least at one: no leaf
 * crosses it. */
uint64_t step_end(const struct vm *vm, uint64_t from, uint64_t to, int32_t *left, bool down);
/* Sees to it that no leaf crosses addr or end, but in areas that were not made through `only_cap`, if it is given. 0 is
 * no address. ERR_NO_MEMORY changes nothing. */
status_t leaves_cut(struct vm *vm, uint64_t addr, uint64_t end, const struct cap *only_cap);
/* Shrinks a to [a's start, at); the rest becomes an area of its own, for which there is a spare record. Tables are not
 * touched. */
void area_split(struct vma *a, uint64_t at);
/* Takes the last part of an area away, as much as a step does; true: all of it. */
bool area_unmap_some(struct pt_edit *e, struct vma *a, int32_t *left);
