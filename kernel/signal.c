/* SPDX-License-Identifier: MIT
 * Signal masks and bindings: 64 bits per Task, and who raises them.
 * For a bit that is raised one thread that waits for it is woken, the first, and takes it when its call runs again; a
 * bit that another took meanwhile leaves it waiting, so no bit is seen twice.
 *
 * G1. While a bit is pending and somebody waits for it, a thread that was woken for it is on its way to look. Who was
 * on its way and leaves a bit behind (a frame is written, a bit is told later) wakes the next: signal_raise(t, 0).
 *
 * Locking: a Task's signals and
 * waiters under its lock; bindings change when the gate is closed. */
#include <kernel/irq.h>
#include <kernel/ring.h>
#include <kernel/sync.h>
#include <kernel/syscall.h>

void signal_post(struct task *t, uint64_t bits)
{
    lock_take(&t->lock, LOCK_TASK);
    signal_raise(t, bits);
    lock_release(&t->lock, LOCK_TASK);
}

void signal_raise(struct task *t, uint64_t bits)
{
    t->signals |= bits;
    uint64_t left = t->signals;
    struct list_node *next, *all = &t->signal_waiters.threads;
    for (struct list_node *n = all->next; n != all && left != 0; n = next) {
        struct thread *w = container_of(n, struct thread, wait);
        next = n->next;
        if ((w->signal_mask & left) != 0) {
            left &= ~w->signal_mask;
            thread_wake(w);
        }
    }
}

struct sysret sys_signal_wait(uint64_t mask, uint64_t deadline)
{
    struct thread *self = current_thread();
    struct task *t = self->task;
    if (mask == 0)
        return sys_status(ERR_BAD_ARGUMENT);
    lock_take(&t->lock, LOCK_TASK);
    uint64_t fired = t->signals & mask;
    if (fired == 0) {
        if ((t->masked_irqs & mask) != 0)
            irq_rearm(t, mask);
        self->signal_mask = mask;
        return thread_block_last(self, &t->signal_waiters, &t->lock, LOCK_TASK, deadline);
    }
    bool like_error = (int64_t)fired >= -64 && (int64_t)fired < 0;
    if (like_error) /* that bit is told by the next call */
        fired &= ~(UINT64_C(1) << 63);
    t->signals &= ~fired;
    if (like_error)
        signal_raise(t, 0);
    lock_release(&t->lock, LOCK_TASK);
    return sys_ok(fired, 0);
}

[[gnu::noinline]] static struct sysret post_general(uint64_t target, uint64_t bits)
{
    struct task *self = current_task();
    struct cap *c;
    if (target == VX_HANDLE_NONE) {
        signal_post(self, bits);
        return sys_ok(0, 0);
    }
    status_t st = cap_get_any(&self->caps, target, 0, false, &c);
    if (st != OK)
        return sys_status(st);
    if (c->type != VX_CAP_TASK && c->type != VX_CAP_RING_TX && c->type != VX_CAP_RING_RX)
        return sys_status(ERR_WRONG_TYPE);
    if ((c->rights & VX_R_SIGNAL) == 0)
        return sys_status(ERR_NO_RIGHTS);
    if (c->type == VX_CAP_TASK) {
        struct task *t = task_of(c->obj);
        if (t->state == VX_TASK_DEAD)
            return sys_status(ERR_DESTROYED);
        signal_post(t, bits);
        return sys_ok(0, 0);
    }
    if (bits != 0)
        return sys_status(ERR_BAD_ARGUMENT);
    struct ring *r = ring_of(c->obj); /* its receiving end: sys_signal_post() has seen to the other */
    lock_take(&r->lock, LOCK_RING);
    ring_notify_producer(r);
    lock_release(&r->lock, LOCK_RING);
    return sys_ok(0, 0);
}

struct sysret sys_signal_post(uint64_t target, uint64_t bits)
{
    struct object *o = bits == 0 ? cap_peek(&current_task()->caps, target, VX_CAP_RING_TX, VX_R_SIGNAL) : nullptr;
    if (o == nullptr)
        return post_general(target, bits);
    struct ring *r = ring_of(o); /* the doorbell of a mapped Ring */
    lock_take(&r->lock, LOCK_RING);
    ring_notify_consumer(r);
    lock_release(&r->lock, LOCK_RING);
    return sys_ok(0, 0);
}

[[gnu::noinline]] void binding_post(struct binding *b)
{
    if (b->task != nullptr)
        signal_post(b->task, UINT64_C(1) << b->bit);
}

void binding_clear(struct binding *b)
{
    if (b->task != nullptr) {
        list_remove(&b->node);
        b->task = nullptr;
    }
}

status_t binding_set(struct binding *b, struct task *t, uint32_t bit)
{
    if (b->task != nullptr && b->task != t)
        return ERR_BUSY;
    binding_clear(b);
    if (bit < 64) {
        b->task = t;
        b->bit = bit;
        list_push_back(&t->bindings, &b->node);
    }
    return OK;
}

struct sysret sys_bind(uint64_t source, uint64_t bit)
{
    struct task *t = current_task();
    struct cap *c;
    struct binding *b;
    bool happened; /* what a fresh binding waits for */
    status_t st = cap_get_any(&t->caps, source, 0, false, &c);
    if (st != OK)
        return sys_status(st);
    switch (c->type) {
    case VX_CAP_RING_RX:
        b = &ring_of(c->obj)->rx_binding;
        happened = ring_used(ring_of(c->obj)) != 0 || !ring_of(c->obj)->tx_open;
        break;
    case VX_CAP_TASK:
        b = &task_of(c->obj)->exit_binding;
        happened = task_of(c->obj)->ended;
        break;
    case VX_CAP_SEM:
        b = &sem_of(c->obj)->binding;
        happened = sem_of(c->obj)->count != 0;
        break;
    case VX_CAP_IRQ:
        return sys_device_bind_irq(source, bit);
    default:
        return sys_status(ERR_WRONG_TYPE);
    }
    if ((c->rights & VX_R_BIND) == 0)
        return sys_status(ERR_NO_RIGHTS);
    if (bit > 64)
        return sys_status(ERR_BAD_ARGUMENT);
    st = binding_set(b, t, (uint32_t)bit);
    if (st == OK && bit < 64 && happened)
        binding_post(b);
    return sys_status(st);
}
