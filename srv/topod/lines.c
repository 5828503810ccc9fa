/* SPDX-License-Identifier: MIT */
#include "lines.h"
#include <vectra/bundle.h>
#include <vectra/service.h>
#include <vectra/time.h>

enum { UNBIND = 64 };

static struct line {
    uint32_t number; /* 0: free */
    vx_irq irq;
    uint32_t devices, unheard, late; /* sets of their numbers; unheard and late have none in common */
    uint64_t deadline_ns;            /* of the unheard */
    vx_ring_tx bell[LINES_DEVICES_MAX];
} lines[LINES_SHARED_MAX];

static struct line *line_of(uint32_t device)
{
    for (unsigned i = 0; i < LINES_SHARED_MAX; i++)
        if ((lines[i].devices >> device & 1) != 0)
            return &lines[i];
    return nullptr;
}

static status_t listen(struct line *l)
{
    return vx_sys_device_bind_irq(l->irq, VX_SERVICE_BIT_FIRST + (uint32_t)(l - lines));
}

static status_t open_line(uint32_t number, struct line **out)
{
    struct line *free = nullptr;
    struct vx_cap_facts facts = {};
    vx_irq irqs = vx_bundle_irq("irqs");
    for (unsigned i = LINES_SHARED_MAX; i-- != 0;) {
        if (lines[i].number == number) {
            *out = &lines[i];
            return OK;
        }
        free = lines[i].number == 0 ? &lines[i] : free;
    }
    if (free == nullptr)
        return ERR_TABLE_FULL;
    status_t st = vx_sys_cap_inspect(irqs.raw, &facts, nullptr);
    if (st == OK && (number < facts.a || number - facts.a >= facts.b))
        st = ERR_NOT_FOUND;
    if (st == OK)
        st = vx_sys_cap_narrow(irqs.raw, VX_R_BIND, number - facts.a, 1, &free->irq.raw);
    if (st != OK)
        return st;
    st = listen(free);
    if (st != OK) {
        (void)vx_sys_cap_drop(free->irq.raw);
        return st;
    }
    free->number = number;
    *out = free;
    return OK;
}

static void close_line(struct line *l)
{
    (void)vx_sys_cap_drop(l->irq.raw);
    *l = (struct line){};
}

status_t lines_share(uint32_t number, uint32_t device, vx_ring_rx *bell)
{
    struct line *l;
    vx_ring_tx tx;
    lines_leave(device);
    status_t st = open_line(number, &l);
    if (st != OK)
        return st;
    st = vx_sys_ring_create(VX_OWN_RETICLE, 1, 0, &tx, bell);
    if (st == OK) {
        l->bell[device] = tx;
        l->devices |= 1u << device;
    } else if (l->devices == 0) {
        close_line(l);
    }
    return st;
}

/* Nobody waits for that device any more. */
static status_t settle(struct line *l, uint32_t device)
{
    bool last = l->unheard == 1u << device;
    l->unheard &= ~(1u << device);
    return last ? listen(l) : OK; /* a line that is still down fires at once */
}

status_t lines_heard(uint32_t device)
{
    struct line *l = line_of(device);
    if (l == nullptr)
        return ERR_NOT_FOUND;
    l->late &= ~(1u << device);
    return settle(l, device);
}

void lines_leave(uint32_t device)
{
    struct line *l = line_of(device);
    if (l == nullptr)
        return;
    (void)lines_heard(device);
    (void)vx_sys_cap_drop(l->bell[device].raw);
    l->devices &= ~(1u << device);
    if (l->devices == 0)
        close_line(l);
}

void lines_fired(uint64_t bits)
{
    for (unsigned i = 0; i < LINES_SHARED_MAX; i++) {
        struct line *l = &lines[i];
        uint32_t rung = l->devices & ~l->late;
        if ((bits >> (VX_SERVICE_BIT_FIRST + i) & 1) == 0 || rung == 0 || l->unheard != 0)
            continue;
        (void)vx_sys_device_bind_irq(l->irq, UNBIND);
        l->unheard = rung;
        l->deadline_ns = vx_deadline_in(LINES_PATIENCE_NS);
        for (uint32_t d = 0; d < LINES_DEVICES_MAX; d++)
            if ((rung >> d & 1) != 0)
                (void)vx_sys_signal_post(l->bell[d].raw, 0);
    }
}

uint64_t lines_deadline(void)
{
    uint64_t first = VX_FOREVER;
    for (unsigned i = 0; i < LINES_SHARED_MAX; i++)
        if (lines[i].unheard != 0 && lines[i].deadline_ns < first)
            first = lines[i].deadline_ns;
    return first;
}

void lines_late(uint64_t now_ns, void (*silence)(uint32_t device, uint32_t line))
{
    for (unsigned i = 0; i < LINES_SHARED_MAX; i++) {
        struct line *l = &lines[i];
        for (uint32_t d = 0; d < LINES_DEVICES_MAX; d++) {
            if ((l->unheard >> d & 1) == 0 || l->deadline_ns > now_ns)
                continue;
            silence(d, l->number);
            if ((l->devices >> d & 1) == 0)
                continue; /* it left, and maybe the line with it */
            l->late |= 1u << d;
            (void)settle(l, d);
        }
    }
}

uint64_t lines_bits(void)
{
    return ((UINT64_C(1) << LINES_SHARED_MAX) - 1) << VX_SERVICE_BIT_FIRST;
}
