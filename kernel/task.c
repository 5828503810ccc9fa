/* SPDX-License-Identifier: MIT
 * Tasks: birth and end. Ending a Task ends everything that lives in its Reticle, child Tasks included, deepest first
 * and in a loop: a tree of Tasks of any depth costs no stack. Memory goes back as one block. Locking: the kernel is
 * entered with interrupts masked on its one hart. */
#include <kernel/entry.h>
#include <kernel/irq.h>
#include <kernel/syscall.h>
#include <kernel/task.h>
#include <kernel/machine_stop.h>
#include <arch/mmu.h>
#include <arch/timer.h>
#include <base/kassert.h>
#include <base/string.h>

static uint32_t last_task_id;
static struct list_node all_tasks = { &all_tasks, &all_tasks };

struct reticle *reticle_of_object(const struct object *o)
{
    return &((struct reticle_object *)(uintptr_t)o)->reticle;
}

status_t task_create(struct reticle *payer, uint32_t order, uint32_t n_slots, struct task *parent, struct task **out)
{
    struct object *o;
    paddr_t slots;
    status_t st = object_create(payer, VX_CAP_TASK, sizeof(struct task), &o);
    if (st != OK)
        return st;
    struct task *t = task_of(o);
    st = reticle_carve(payer, order, &t->reticle);
    if (st != OK)
        goto abandon;
    t->reticle.owner = o;
    t->own_object.type = VX_CAP_RETICLE;
    t->own_object.id = o->id;
    t->own_object.home = &t->reticle;
    t->own_object.n_caps = 1; /* the Task itself: dropping capabilities does not end it */
    list_init(&t->own_object.home_node);
    list_init(&t->own_object.grave_node);
    while (((uint64_t)ARCH_PAGE_SIZE << t->caps_order) < (uint64_t)n_slots * sizeof(struct cap))
        t->caps_order++;
    st = reticle_alloc(&t->reticle, t->caps_order, PAGE_CAPS, &slots);
    if (st == OK)
        st = vm_init(&t->vm, &t->reticle);
    if (st != OK)
        goto release;
    /* Not zeroed: a slot is written before it is first read (C4). */
    t->caps = (struct cap_table){ .slots = arch_phys_to_virt(slots), .n_slots = n_slots, .task = t };
    t->memory_order = order;
    t->id = ++last_task_id;
    t->parent = parent;
    t->start_ns = arch_timer_now_ns();
    waitq_init(&t->signal_waiters);
    waitq_init(&t->exit_waiters);
    list_init(&t->exit_binding.node);
    list_init(&t->fault_binding.node);
    list_init(&t->bindings);
    list_init(&t->children);
    list_init(&t->sibling);
    list_push_back(&all_tasks, &t->all);
    if (parent != nullptr)
        list_push_back(&parent->children, &t->sibling);
    *out = t;
    return OK;
release:
    reticle_release(&t->reticle);
abandon:
    object_abandon(o);
    return st;
}

/* Everything of the Task but its record. Its Reticle has no children left. */
static void end_task(struct task *t, uint32_t status, uint32_t cause)
{
    struct hart *h = arch_hart_self();
    struct tree_node *n;
    struct list_node *l;
    t->state = VX_TASK_DEAD;
    while ((n = t->threads.first) != nullptr)
        thread_free(container_of(n, struct thread, by_id));
    cap_table_clear(&t->caps);
    irq_task_gone(t);
    while ((l = list_first(&t->bindings)) != nullptr)
        binding_clear(container_of(l, struct binding, node));
    t->own_object.n_caps--;
    cap_tombstone_all(&t->own_object);
    object_destroy_all(&t->reticle);
    if (h->aspace == &t->vm.as)
        arch_aspace_activate(nullptr);
    vm_fini(&t->vm);
    reticle_release(&t->reticle);
    while ((l = list_first(&t->children)) != nullptr) { /* paid for by others, so they live on */
        container_of(l, struct task, sibling)->parent = nullptr;
        list_remove(l);
    }
    list_remove(&t->all);
    t->exit_status = status;
    t->cause = cause;
    t->caps = (struct cap_table){ .task = t };
    waitq_wake_all(&t->exit_waiters);
    binding_post(&t->exit_binding);
    if (t->is_init)
        machine_stop(status, cause);
}

/* Ends all that lives in a Reticle and gives its block back. */
static void teardown(struct reticle *target, uint32_t status, uint32_t cause)
{
    struct reticle *r;
    object_enter();
    do {
        r = target;
        for (struct list_node *n; (n = list_first(&r->children)) != nullptr;)
            r = container_of(n, struct reticle, sibling);
        struct object *owner = r->owner;
        if (owner->type == VX_CAP_TASK) {
            end_task(task_of(owner), r == target ? status : 0, r == target ? cause : VX_CAUSE_DESTROYED);
        } else {
            object_destroy_all(r);
            reticle_release(r);
        }
    } while (r != target);
    object_leave();
}

void task_kill(struct task *t, uint32_t status, uint32_t cause)
{
    if (t->state != VX_TASK_DEAD)
        teardown(&t->reticle, status, cause);
}

void task_abandon(struct task *t)
{
    object_enter();
    t->exit_binding.task = nullptr;
    task_kill(t, 0, VX_CAUSE_DESTROYED);
    list_remove(&t->sibling);
    object_abandon(&t->obj);
    object_leave();
}

void task_forget(struct task *t)
{
    task_kill(t, 0, VX_CAUSE_DESTROYED);
    binding_clear(&t->exit_binding);
    binding_clear(&t->fault_binding);
    waitq_wake_all(&t->exit_waiters);
    list_remove(&t->sibling);
}

void reticle_object_fini(struct object *o)
{
    struct reticle *r = reticle_of_object(o);
    if (r->total_pages != 0)
        teardown(r, 0, VX_CAUSE_DESTROYED);
}

struct cap_table *task_table_holding(const struct cap *c)
{
    uint64_t pa = arch_virt_to_phys(c).raw;
    /* Only the first page of a block is described (R3). From the largest order down: a block of a larger order that
     * began at the rounded address would hold this page, so the first match is the table. */
    for (int32_t order = 8; order >= 0; order--) {
        uint64_t base = pa & ~(((uint64_t)ARCH_PAGE_SIZE << order) - 1);
        struct page_facts f = reticle_page_facts((paddr_t){ base });
        if (f.reticle != nullptr && f.order == (uint32_t)order && f.type == PAGE_CAPS)
            return &task_of(f.reticle->owner)->caps;
        if (f.reticle != nullptr && f.order == (uint32_t)order && f.type == PAGE_RING)
            return nullptr;
    }
    kernel_panic("a capability outside every table and Ring");
}

struct sysret sys_reticle_carve(uint64_t reticle, uint64_t bytes)
{
    struct cap_table *table = &current_task()->caps;
    struct reticle *parent;
    struct object *o;
    struct cap *slot;
    uint32_t order = 0;
    status_t st = resolve_reticle(reticle, &parent);
    if (st != OK)
        return sys_status(st);
    if (bytes == 0)
        return sys_status(ERR_BAD_ARGUMENT);
    while (order <= RETICLE_ORDER_MAX && ((uint64_t)ARCH_PAGE_SIZE << order) < bytes)
        order++;
    if (order > RETICLE_ORDER_MAX)
        return sys_status(ERR_NO_MEMORY);
    if ((st = cap_reserve(table, &slot)) != OK)
        return sys_status(st);
    if ((st = object_create(parent, VX_CAP_RETICLE, sizeof(struct reticle_object), &o)) != OK)
        goto unreserve;
    if ((st = reticle_carve(parent, order, reticle_of_object(o))) != OK)
        goto abandon;
    reticle_of_object(o)->owner = o;
    constexpr vx_rights_t rights =
        VX_R_READ | VX_R_WRITE | VX_R_COPY | VX_R_MOVE | VX_R_REVOKE | VX_R_DESTROY | VX_R_INSPECT;
    return sys_ok(cap_make(slot, o, VX_CAP_RETICLE, rights, 0, 0), 0);
abandon:
    object_abandon(o);
unreserve:
    cap_unreserve(table, slot);
    return sys_status(st);
}
