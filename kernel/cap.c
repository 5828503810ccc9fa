/* SPDX-License-Identifier: MIT
 * Capability tables and the derivation tree; see cap.h for the invariants.
 * Empty slots are reused oldest first, and only once every slot was in use: a stale handle stays stale as long as
 * possible. Locking: changed by the owner of the gate alone, so those inside with others read without a lock. */
#include <kernel/cap.h>
#include <kernel/irq.h>
#include <kernel/mem.h>
#include <kernel/ring.h>
#include <kernel/sync.h>
#include <kernel/task.h>
#include <kernel/vm.h>
#include <base/kassert.h>

#define GENERATION_ONE (1u << VX_HANDLE_INDEX_BITS)

/* The slow half of cap_get: says what is wrong, in the order a caller can act on. */
status_t cap_explain(const struct cap_table *t, uint64_t handle, uint8_t type, vx_rights_t rights)
{
    struct cap *c;
    status_t st = cap_get_any(t, handle, 0, true, &c);
    if (st != OK || c->type == type)
        return st != OK ? st : cap_get_any(t, handle, rights, false, &c);
    return ERR_WRONG_TYPE;
}

status_t cap_get_any(const struct cap_table *t, uint64_t handle, vx_rights_t rights, bool tombstones, struct cap **out)
{
    struct cap *c = cap_slot(t, handle);
    if (c->handle != handle || c->type == VX_CAP_NONE)
        return ERR_BAD_HANDLE;
    if (c->obj == nullptr && !tombstones)
        return c->type == VX_CAP_RING_TX || c->type == VX_CAP_RING_RX ? ERR_PEER_CLOSED : ERR_DESTROYED;
    if ((rights & ~c->rights) != 0)
        return ERR_NO_RIGHTS;
    *out = c;
    return OK;
}

/* Two slots further on come into the mask's reach with each that is used: C4 at two slots a time. */
static struct cap *first_use(struct cap_table *t, uint32_t i)
{
    uint32_t last = UINT32_MAX >> __builtin_clz(t->n_slots - 1); /* n_slots need not be a power of two, its block is */
    if (2 * i < last)
        t->slots[2 * i] = t->slots[2 * i + 1] = (struct cap){};
    if (i > t->mask)
        t->mask = 2 * t->mask + 1;
    t->slots[i].handle = GENERATION_ONE | i;
    return &t->slots[i];
}

status_t cap_reserve(struct cap_table *t, struct cap **out)
{
    struct cap *c;
    if (t->high < t->n_slots) {
        c = first_use(t, t->high++);
    } else if (t->free_first != nullptr) {
        c = t->free_first;
        t->free_first = c->next;
        if (t->free_first == nullptr)
            t->free_last = nullptr;
        c->next = nullptr;
    } else {
        return ERR_TABLE_FULL;
    }
    t->used++;
    *out = c;
    return OK;
}

void cap_unreserve(struct cap_table *t, struct cap *c)
{
    if (t == nullptr) {
        c->type = VX_CAP_NONE;
        return;
    }
    uint32_t next = c->handle + GENERATION_ONE;
    if (next < GENERATION_ONE) /* generation 0 is never given out */
        next += GENERATION_ONE;
    *c = (struct cap){ .handle = next };
    if (t->free_last != nullptr)
        t->free_last->next = c;
    else
        t->free_first = c;
    t->free_last = c;
    t->used--;
}

static struct cap **first_sibling(struct cap *parent, struct object *o)
{
    return parent != nullptr ? &parent->child : &o->caps;
}

static void link_under(struct cap *c, struct cap *parent)
{
    struct cap **first = first_sibling(parent, c->obj);
    c->parent = parent;
    c->prev = nullptr;
    c->next = *first;
    if (*first != nullptr)
        (*first)->prev = c;
    *first = c;
}

static void unlink(struct cap *c)
{
    if (c->prev != nullptr)
        c->prev->next = c->next;
    else
        *first_sibling(c->parent, c->obj) = c->next;
    if (c->next != nullptr)
        c->next->prev = c->prev;
}

static inline uint32_t fill(struct cap *slot, struct object *o, struct cap *parent, uint8_t type, vx_rights_t rights,
                            uint64_t offset, uint64_t length)
{
    slot->obj = o;
    slot->type = type;
    slot->rights = rights;
    slot->offset = offset;
    slot->length = length;
    slot->child = nullptr;
    link_under(slot, parent);
    o->n_caps++;
    return slot->handle;
}

uint32_t cap_make(struct cap *slot, struct object *o, uint8_t type, vx_rights_t rights, uint64_t offset,
                  uint64_t length)
{
    return fill(slot, o, nullptr, type, rights, offset, length);
}

uint32_t cap_derive(struct cap *slot, struct cap *from, vx_rights_t rights, uint64_t offset, uint64_t length)
{
    kassert((rights & ~from->rights) == 0);
    return fill(slot, from->obj, from, from->type, rights, offset, length);
}

/* Ports that a Task may use go with the capability that they were mapped through. */
static void ports_gone(const struct cap *c)
{
    const struct device *d = (const struct device *)(const void *)c->obj;
    struct cap_table *t = d->kind == VX_DEVICE_PORTS ? cap_table_of(c) : nullptr;
    if (t != nullptr)
        arch_ports_revoke(&t->task->vm.as, c);
}

/* What a line or a device has to hear when it has another holder, or none. */
[[gnu::always_inline]] static inline void machine_forgets(struct cap *c)
{
    if (c->type == VX_CAP_IRQ)
        irq_cap_gone(c);
    else if (c->type == VX_CAP_DEVICE)
        ports_gone(c);
}

static inline void unmap_all(struct cap *c)
{
    while (!cap_unmap(c))
        work_begin();
}

uint32_t cap_move(struct cap_table *from_table, struct cap *slot, struct cap *from)
{
    unmap_all(from);
    machine_forgets(from);
    uint32_t handle = slot->handle;
    *slot = *from;
    slot->mapped = false;
    slot->handle = handle;
    for (struct cap *k = slot->child; k != nullptr; k = k->next)
        k->parent = slot;
    if (slot->prev != nullptr) /* it takes its place in the tree */
        slot->prev->next = slot;
    else
        *first_sibling(slot->parent, slot->obj) = slot;
    if (slot->next != nullptr)
        slot->next->prev = slot;
    from->obj = nullptr;
    cap_unreserve(from_table, from);
    return handle;
}

/* The first of c's children becomes its sibling. */
static inline void hang_higher(struct cap *c)
{
    struct cap *k = c->child;
    unlink(k);
    link_under(k, c->parent);
}

/* Without children and mappings, and named by an object: it leaves the tree. */
[[gnu::always_inline]] static inline void leave_tree(struct cap *c)
{
    if (c->type == VX_CAP_RING_TX || c->type == VX_CAP_RING_RX)
        ring_close_end(ring_of(c->obj), c->type);
    else
        machine_forgets(c);
    unlink(c);
    c->obj->n_caps--;
    c->obj = nullptr;
}

void cap_delete(struct cap_table *t, struct cap *c)
{
    struct object *o = c->obj;
    if (o != nullptr) {
        while (c->child != nullptr)
            hang_higher(c);
        unmap_all(c);
        leave_tree(c);
    }
    cap_unreserve(t, c);
    if (o != nullptr && o->n_caps == 0)
        object_destroy(o, END_OBJECT);
}

struct cap_table *cap_table_of(const struct cap *c)
{
    const struct reticle *r = reticle_of_page(arch_virt_to_phys(c), PAGE_CAPS);
    return r != nullptr ? &task_of(r->owner)->caps : nullptr;
}

bool cap_unmap(struct cap *c)
{
    if (c->mapped && c->obj != nullptr && !vm_unmap_object(c->obj, c, false))
        return false;
    c->mapped = false;
    return true;
}

/* c's children become its siblings, so that it can go. True: it has none left. */
static bool disinherit(struct cap *c)
{
    while (c->child != nullptr) {
        hang_higher(c);
        if (!work_spend(1))
            return c->child == nullptr;
    }
    return true;
}

bool cap_release(struct cap *c)
{
    return c->obj == nullptr || (disinherit(c) && cap_unmap(c));
}

#define REVOKE_DEPTH 16 /* so far down a step looks for who has no children */

/* One look at the object's mappings finds those that were made through any descendant. Then they go, the last of each
 * branch first; in a tree so deep that looking for it would take long, what hangs there is hung one higher before. */
bool cap_revoke(struct cap *root, uint64_t *n)
{
    const struct cap *seen = nullptr;
    struct cap_table *t = nullptr; /* of seen, and of all on its page */
    if (!list_is_empty(&root->obj->maps) && !vm_unmap_object(root->obj, root, true))
        return false;
    for (struct cap *c; (c = root->child) != nullptr;) {
        for (int i = 1; i < REVOKE_DEPTH && c->child != nullptr; i++)
            c = c->child;
        if (c->child != nullptr && !disinherit(c))
            return false;
        if (((uintptr_t)c ^ (uintptr_t)seen) >= ARCH_PAGE_SIZE)
            t = cap_table_of(c);
        seen = c;
        leave_tree(c); /* root has the object still */
        cap_unreserve(t, c);
        ++*n;
        if (!work_spend(1))
            return root->child == nullptr;
    }
    return true;
}

bool cap_tombstone_all(struct object *o)
{
    struct cap *c = o->caps;
    while (c != nullptr) { /* post-order over the tree, flattening it */
        if (c->child != nullptr) {
            c = c->child;
            continue;
        }
        struct cap *next = c->next != nullptr ? c->next : c->parent;
        if (c->type == VX_CAP_IRQ)
            irq_cap_gone(c);
        unlink(c);
        c->obj = nullptr;
        c->rights = 0;
        c->parent = c->child = c->next = c->prev = nullptr;
        o->n_caps--;
        c = next;
        if (!work_spend(1))
            return false;
    }
    kassert(o->n_caps == 0);
    return true;
}

bool cap_table_clear(struct cap_table *t)
{
    for (; t->high > 0; t->high--) {
        struct cap *c = &t->slots[t->high - 1];
        if (c->type == VX_CAP_NONE ? t->high % 16 == 0 && !work_spend(1) : !cap_release(c))
            return false;
        if (c->type == VX_CAP_NONE)
            continue;
        cap_delete(t, c);
        if (!work_spend(2))
            return false;
    }
    return true;
}

static void facts_by_type(const struct cap *c, struct vx_cap_facts *f)
{
    const struct object *o = c->obj;
    switch (c->type) {
    case VX_CAP_TASK: {
        const struct task *t = (const struct task *)(const void *)o;
        f->a = t->id, f->b = t->state, f->c = t->exit_status, f->d = t->cause;
        break;
    }
    case VX_CAP_RETICLE: {
        const struct reticle *r = reticle_of_object(o);
        f->a = r->total_pages * ARCH_PAGE_SIZE, f->b = r->free_pages * ARCH_PAGE_SIZE;
        f->c = reticle_largest(r);
        f->d = r->lent_pages * ARCH_PAGE_SIZE;
        break;
    }
    case VX_CAP_MEM: {
        const struct mem *m = (const struct mem *)(const void *)o;
        uint64_t run;
        f->a = c->offset, f->b = c->length, f->d = m->bytes;
        if ((c->rights & VX_R_DMA) != 0)
            f->c = mem_frame(o, c->offset & ~(uint64_t)(ARCH_PAGE_SIZE - 1), &run).raw + c->offset % ARCH_PAGE_SIZE;
        break;
    }
    case VX_CAP_RING_TX:
    case VX_CAP_RING_RX:
        ring_facts((const struct ring *)(const void *)o, c->type, f);
        break;
    case VX_CAP_SEM:
        f->a = ((const struct sem *)(const void *)o)->count;
        break;
    case VX_CAP_SURFACE: {
        const struct mem *m = (const struct mem *)(const void *)o;
        f->a = m->width, f->b = m->height, f->c = m->format, f->d = m->bytes;
        break;
    }
    case VX_CAP_DEVICE: {
        const struct device *d = (const struct device *)(const void *)o;
        f->a = d->base + c->offset, f->b = c->length, f->c = d->kind;
        break;
    }
    case VX_CAP_IRQ:
        f->a = c->offset, f->b = c->length, f->c = irq_is_bound(c);
        break;
    default:
        break;
    }
}

void cap_facts(const struct cap_table *t, const struct cap *c, struct vx_cap_facts *f)
{
    *f = (struct vx_cap_facts){
        .handle = c->handle, .type = c->type, .destroyed = c->obj == nullptr, .rights = c->rights
    };
    if (c->obj == nullptr)
        return;
    f->object_id = c->obj->id;
    for (const struct cap *k = c->child; k != nullptr; k = k->next)
        f->children++;
    if (c->parent >= t->slots && c->parent < t->slots + t->high)
        f->parent = c->parent->handle;
    facts_by_type(c, f);
}
