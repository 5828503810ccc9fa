/* SPDX-License-Identifier: MIT
 * Interrupt lines bound to signal bits; see irq.h.
 * Locking: bindings change when the gate is closed; awaits_rearm and the line's mask then belong to the lock of the
 * Task it is bound to. */
#include <kernel/irq.h>
#include <kernel/irqchip.h>
#include <kernel/syscall.h>

/* A line's binding and the capability it was made through. */
static struct line {
    struct binding binding;
    const struct cap *cap;
    bool awaits_rearm; /* level-triggered, fired, masked */
} lines[IRQ_LINE_MAX];

static void unbind(struct line *l)
{
    irqchip_mask((uint32_t)(l - lines));
    binding_clear(&l->binding);
    l->cap = nullptr;
    l->awaits_rearm = false;
}

bool irq_is_bound(const struct cap *c)
{
    return c->length == 1 && c->offset < IRQ_LINE_MAX && lines[c->offset].cap == c;
}

void irq_cap_gone(const struct cap *c)
{
    if (irq_is_bound(c))
        unbind(&lines[c->offset]);
}

void kernel_irq(uint32_t line)
{
    struct line *l = line < IRQ_LINE_MAX ? &lines[line] : nullptr;
    if (l == nullptr || l->binding.task == nullptr) {
        irqchip_mask(line); /* nobody asked for it */
        return;
    }
    struct task *t = l->binding.task;
    uint64_t bit = UINT64_C(1) << l->binding.bit;
    lock_take(&t->lock, LOCK_TASK);
    if (irqchip_is_level(line)) {
        irqchip_mask(line);
        l->awaits_rearm = true;
        t->masked_irqs |= bit;
    }
    signal_raise(t, bit);
    lock_release(&t->lock, LOCK_TASK);
}

void irq_rearm(struct task *t, uint64_t bits)
{
    for (struct list_node *n = t->bindings.next; n != &t->bindings; n = n->next) {
        struct binding *b = container_of(n, struct binding, node);
        struct line *l = container_of(b, struct line, binding);
        if (l < lines || l >= lines + IRQ_LINE_MAX)
            continue; /* a binding of another kind of object */
        if (l->awaits_rearm && (bits >> b->bit & 1) != 0) {
            l->awaits_rearm = false;
            irqchip_unmask((uint32_t)(l - lines));
        }
    }
    t->masked_irqs &= ~bits;
}

void irq_binding_gone(struct binding *b)
{
    struct line *l = container_of(b, struct line, binding);
    if (l >= lines && l < lines + IRQ_LINE_MAX)
        unbind(l);
}

struct sysret sys_device_bind_irq(uint64_t irq, uint64_t bit)
{
    struct task *t = current_task();
    struct cap *c;
    status_t st = cap_get(&t->caps, irq, VX_CAP_IRQ, VX_R_BIND, &c);
    if (st != OK)
        return sys_status(st);
    if (bit > VX_IRQ_EDGE_LOW || c->length != 1)
        return sys_status(ERR_BAD_ARGUMENT);
    if (c->offset >= IRQ_LINE_MAX)
        return sys_status(ERR_NOT_SUPPORTED);
    struct line *l = &lines[c->offset];
    if (l->cap != nullptr && l->cap != c)
        return sys_status(ERR_BUSY);
    if (bit >= VX_IRQ_UNBIND && l->cap != nullptr)
        unbind(l);
    if (bit == VX_IRQ_UNBIND)
        return sys_ok(0, 0);
    st = irqchip_configure((uint32_t)c->offset);
    if (st != OK)
        return sys_status(st == ERR_BUSY ? ERR_BUSY : ERR_NOT_SUPPORTED);
    if (bit > VX_IRQ_UNBIND) {
        irqchip_wire((uint32_t)c->offset, bit >= VX_IRQ_EDGE, bit == VX_IRQ_LEVEL_LOW || bit == VX_IRQ_EDGE_LOW);
        return sys_ok(0, 0);
    }
    st = binding_set(&l->binding, t, (uint32_t)bit);
    if (st != OK)
        return sys_status(st);
    l->cap = c;
    irqchip_unmask((uint32_t)c->offset);
    return sys_ok(0, 0);
}
