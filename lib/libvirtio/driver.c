/* SPDX-License-Identifier: MIT */
#include <virtio/driver.h>
#include <vectra/rpc_topo.h>
#include <vectra/string.h>
#include <vectra/time.h>

enum { PAGE = 4096, BUSY_TRIES = 200 };

/* A region of the claimed device, mapped. The capability stays in the table: a mapping lives as long as it. */
static status_t map_region(struct virtio_driver *v, uint32_t which, uint32_t index, struct virtio_range *out)
{
    uint64_t bytes = 0;
    uint32_t offset = 0;
    vx_device region = {};
    void *at = nullptr;
    status_t st = vx_topo_region(&v->topo, which, index, &bytes, &offset, &region);
    if (st != OK)
        return st;
    uint64_t length = (offset + bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    st = vx_sys_device_map_mmio(region, 0, length, &at);
    if (st != OK) {
        (void)vx_sys_cap_drop(region.raw);
        return st;
    }
    *out = (struct virtio_range){ (volatile uint8_t *)at + offset, bytes };
    return OK;
}

static uint32_t read_config(void *ctx, uint32_t offset)
{
    const struct virtio_range *r = ctx;
    return *(volatile uint32_t *)(void *)(uintptr_t)(r->at + (offset & 0xffc));
}

static status_t open_pci(struct virtio_driver *v, uint32_t which)
{
    struct virtio_range config = {}, bar[6] = {};
    struct virtio_pci_layout l = {};
    status_t st = map_region(v, which, 0, &config);
    if (st == OK)
        st = virtio_pci_parse(read_config, &config, &l);
    const struct virtio_pci_part *parts[] = { &l.common, &l.notify, &l.interrupt, &l.config };
    for (unsigned i = 0; st == OK && i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i]->bytes != 0 && bar[parts[i]->bar].at == nullptr)
            st = map_region(v, which, 1u + parts[i]->bar, &bar[parts[i]->bar]);
    }
    return st == OK ? virtio_pci_open(&v->pci, &l, bar, &v->device) : st;
}

static status_t open_mmio(struct virtio_driver *v, uint32_t which)
{
    struct virtio_range registers = {};
    uint32_t kind = 0;
    status_t st = map_region(v, which, 0, &registers);
    return st == OK ? virtio_mmio_open(&v->mmio, &registers, &kind, &v->device) : st;
}

/* The line is not the device's alone: topod listens to it, and rings. */
static void share_line(struct virtio_driver *v, uint32_t which)
{
    vx_ring_rx bell = {};
    if (vx_topo_share(&v->topo, which, &bell) != OK)
        return;
    if (vx_sys_bind(bell.raw, v->first_bit) != OK) {
        (void)vx_sys_cap_drop(bell.raw);
        return;
    }
    v->shared = true;
    v->n_irqs = 1;
    (void)vx_topo_heard(&v->topo, which); /* it may have rung before the bell was bound */
}

/* As many as there are, up to `irqs`. None is no error: then the device is polled. */
static void bind_irqs(struct virtio_driver *v, uint32_t which, uint32_t irqs)
{
    while (v->n_irqs < irqs && v->n_irqs < VIRTIO_IRQS_MAX) {
        uint32_t kind = 0;
        vx_irq line = {};
        status_t st = vx_topo_irq(&v->topo, which, v->n_irqs, &kind, &line);
        if (st == ERR_BUSY && v->n_irqs == 0)
            share_line(v, which);
        if (st != OK)
            return;
        if (vx_sys_device_bind_irq(line, v->first_bit + v->n_irqs) != OK) {
            (void)vx_sys_cap_drop(line.raw);
            return;
        }
        v->messages = kind == VX_TOPO_IRQ_MESSAGE;
        v->n_irqs++;
    }
}

status_t virtio_driver_open(struct virtio_driver *v, uint32_t which, uint32_t irqs, uint32_t first_bit,
                            uint32_t lost_bit)
{
    uint32_t transport = 0, regions = 0, available = 0;
    *v = (struct virtio_driver){ .which = which, .first_bit = first_bit };
    status_t st = vx_connect("topo", &v->topo);
    if (st == OK)
        st = vx_sys_bind(v->topo.rx.raw, lost_bit);
    if (st != OK)
        return st;
    /* BUSY: topod has not heard yet that the driver before us has ended. */
    for (unsigned tries = 0; tries < BUSY_TRIES; tries++) {
        st = vx_topo_claim(&v->topo, which, &transport, &v->kind, &regions, &available, &v->generation);
        if (st != ERR_BUSY)
            break;
        vx_sleep_ns(10 * VX_NS_PER_MS);
    }
    if (st == OK)
        st = transport == VX_TOPO_TRANSPORT_PCI ? open_pci(v, which) : open_mmio(v, which);
    if (st == OK)
        bind_irqs(v, which, irqs);
    return st;
}

void virtio_driver_interrupted(struct virtio_driver *v)
{
    if (!v->messages)
        (void)v->device.ops->interrupt(v->device.ctx); /* the line falls */
    if (v->shared)
        (void)vx_topo_heard(&v->topo, v->which); /* if topod has ended, virtio_driver_lost() says so */
}

bool virtio_driver_lost(const struct virtio_driver *v)
{
    struct vx_cap_facts facts = {};
    return vx_sys_cap_inspect(v->topo.rx.raw, &facts, nullptr) != OK || facts.c == 0;
}

status_t virtio_memory_alloc(struct virtio_driver *v, uint64_t bytes, struct virtio_memory *out)
{
    void *at = nullptr;
    *out = (struct virtio_memory){ .bytes = (bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1) };
    status_t st = vx_topo_dma(&v->topo, 0, out->bytes, &out->bus, &out->mem);
    if (st == OK && (st = vx_sys_mem_map(out->mem, 0, out->bytes, 0, VX_PROT_READ | VX_PROT_WRITE, &at)) != OK)
        (void)vx_sys_cap_drop(out->mem.raw);
    out->at = at;
    return st;
}

status_t virtio_queue_make(struct virtio_driver *v, uint16_t index, uint16_t size_max, struct virtq_slot *slot,
                           struct virtq *q)
{
    struct virtio_memory memory = {};
    uint16_t max = v->device.ops->queue_max(v->device.ctx, index), size = 1;
    if (max == 0)
        return ERR_NOT_FOUND;
    while (size * 2 <= max && size * 2 <= size_max)
        size *= 2;
    bool packed = virtio_has(&v->device, VIRTIO_F_RING_PACKED);
    status_t st = virtio_memory_alloc(v, virtq_bytes(size, packed), &memory);
    if (st != OK)
        return st;
    virtq_init(q, size, packed, virtio_has(&v->device, VIRTIO_F_EVENT_IDX),
               virtio_has(&v->device, VIRTIO_F_INDIRECT_DESC), memory.at, memory.bus, slot);
    const struct virtio_queue_place place = {
        .index = index,
        .size = size,
        .vector = v->messages ? (uint16_t)(index % v->n_irqs) : VIRTIO_NO_VECTOR,
        .desc_bus = q->desc_bus,
        .avail_bus = q->avail_bus,
        .used_bus = q->used_bus,
    };
    return v->device.ops->queue_start(v->device.ctx, &place);
}
