/* SPDX-License-Identifier: MIT
 * Tasks: birth and end. Ending a Task ends everything that lives in its Reticle, child Tasks included, deepest first
 * in a loop and in steps: a tree of Tasks of any depth costs no stack. Memory goes back as one block. Locking: all of
 * this belongs to the owner of the gate. */
#include <kernel/entry.h>
#include <kernel/irq.h>
#include <kernel/syscall.h>
#include <kernel/task.h>
#include <arch/mmu.h>
#include <arch/timer.h>
#include <base/string.h>

static uint32_t last_task_id;

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
    object_init(&t->own_object, VX_CAP_RETICLE, o->id, &t->reticle);
    t->own_object.n_caps = 1; /* the Task itself: dropping capabilities does not end it */
    t->caps_order = order_for((uint64_t)n_slots * sizeof(struct cap));
    st = reticle_alloc(&t->reticle, t->caps_order, PAGE_CAPS, &slots);
    if (st == OK) {
        reticle_split(&t->reticle, slots, t->caps_order, 0); /* cap_table_of() looks at the page a slot lies in */
        st = vm_init(&t->vm, &t->reticle);
    }
    if (st != OK)
        goto release;
    /* Not zeroed, but for the one slot that a lookup finds so far (C4). */
    t->caps = (struct cap_table){ .slots = arch_phys_to_virt(slots), .n_slots = n_slots, .task = t };
    t->caps.slots[0] = (struct cap){};
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

static void task_set_end(struct task *t, uint32_t status, uint32_t cause)
{
    t->state = VX_TASK_DEAD;
    t->exit_status = status;
    t->cause = cause;
}

/* Nothing can reach its memory any more. */
static void release_task(struct task *t)
{
    struct list_node *l;
    reticle_release(&t->reticle);
    while ((l = list_first(&t->children)) != nullptr) { /* paid for by others, so they live on */
        container_of(l, struct task, sibling)->parent = nullptr;
        list_remove(l);
    }
    t->caps = (struct cap_table){ .task = t };
    t->ended = true;
    (void)waitq_wake_all(&t->exit_waiters); /* those of a crowd that are left, in later steps */
    binding_post(&t->exit_binding);
    if (t->is_init)
        machine_stop(t->exit_status, t->cause);
}

/* Everything of the Task but its record; its Reticle has no children left. Capabilities to its Reticle go before what
 * lies in there, so that nothing new comes. */
static bool end_task(struct task *t)
{
    struct tree_node *n;
    struct list_node *l;
    if (t->ended)
        return true;
    t->state = VX_TASK_DEAD;
    while ((n = t->threads.first) != nullptr) {
        thread_free(container_of(n, struct thread, by_id));
        if (!work_spend(5))
            return false;
    }
    /* Before the capabilities: nothing has to be unmapped for them. */
    if (arch_hart_self()->aspace == &t->vm.as)
        arch_aspace_activate(nullptr);
    if (!vm_fini(&t->vm) || !cap_table_clear(&t->caps))
        return false;
    while ((l = list_first(&t->bindings)) != nullptr) {
        irq_binding_gone(container_of(l, struct binding, node));
        binding_clear(container_of(l, struct binding, node));
        if (!work_spend(1))
            return false;
    }
    if (t->own_object.dying == 0) {
        t->own_object.dying = END_OBJECT;
        t->own_object.n_caps--; /* the Task's own interest in it */
    }
    if (!cap_tombstone_all(&t->own_object) || !object_end_all(&t->reticle))
        return false;
    release_task(t);
    return work_spend(10);
}

/* A step of the end of all that lives in a Reticle, deepest first. True: its block is given back. */
bool reticle_end_some(struct reticle *target)
{
    while (target->total_pages != 0) {
        struct reticle *r = target;
        for (struct list_node *n; (n = list_first(&r->children)) != nullptr;)
            r = container_of(n, struct reticle, sibling);
        struct object *owner = r->owner;
        if (owner->type == VX_CAP_TASK) {
            struct task *t = task_of(owner);
            if (t->state != VX_TASK_DEAD)
                task_set_end(t, 0, VX_CAUSE_DESTROYED);
            if (!end_task(t))
                return false;
        } else {
            if (!object_end_all(r))
                return false;
            reticle_release(r);
        }
    }
    return true;
}

void task_kill(struct task *t, uint32_t status, uint32_t cause)
{
    struct thread *self = arch_hart_self()->current;
    if (t->state == VX_TASK_DEAD)
        return;
    task_set_end(t, status, cause);
    if (self != nullptr && self->task == t) {
        sched_forget(self, false);
        self->state = THREAD_STOPPED;
    }
    object_destroy(&t->obj, END_TASK);
}

bool task_fini(struct task *t)
{
    if (!t->ended && t->state != VX_TASK_DEAD)
        task_set_end(t, 0, VX_CAUSE_DESTROYED);
    if (!reticle_end_some(&t->reticle) || !waitq_wake_all(&t->exit_waiters))
        return false;
    binding_clear(&t->exit_binding);
    binding_clear(&t->fault_binding);
    list_remove(&t->sibling);
    return true;
}

struct sysret sys_reticle_carve(uint64_t reticle, uint64_t bytes)
{
    struct cap_table *table = &current_task()->caps;
    struct reticle *parent;
    struct object *o;
    struct cap *slot;
    uint32_t order = order_for(bytes);
    status_t st = resolve_reticle(reticle, &parent);
    if (st != OK)
        return sys_status(st);
    if (bytes == 0)
        return sys_status(ERR_BAD_ARGUMENT);
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
