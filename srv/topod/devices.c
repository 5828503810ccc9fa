/* SPDX-License-Identifier: MIT
 * The table of devices, and the calls about them. The invariants are those of devices.h.
 * Sources: [VIRTIO] "PCI Device Discovery", "Virtio Structure PCI Capabilities", "Device Reset"; PCI Local Bus
 * Specification 3.0, 6.8.2 "MSI-X Capability and Table Structures"; [GICv2m] "MSI_SETSPI_NS"; [SDM-3] "Message
 * Signalled Interrupts". */
#include "devices.h"
#include "its.h"
#include "lines.h"
#include "route.h"
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/string.h>

enum { DEVICES_MAX = LINES_DEVICES_MAX, DMA_MAX = 96, VECTORS_MAX = 8, PAGE = 4096 };
enum { VIRTIO_VENDOR = 0x1af4, VIRTIO_MODERN = 0x1040, VIRTIO_OLD = 0x1000, VIRTIO_COMMON = 1, COMMON_STATUS = 20 };
enum { MMIO_STATUS = 0x70, RESET_POLLS = 100000, NOBODY = UINT32_MAX };
static constexpr uint32_t msix_enable = 1u << 31, msix_mask_all = 1u << 30;

struct device {
    uint32_t transport, kind;
    const struct pci_function *pci;
    const struct pci_bridge *bridge;
    uint32_t mmio; /* place in platform->virtio_mmio */
    uint64_t badge;
    uint32_t grant_order; /* places a badge's devices in the order of its grants */
    struct vx_session *owner;
    bool silenced; /* its line was taken from it, since its driver was late */
    uint32_t generation;
    uint32_t n_vectors, vector[VECTORS_MAX]; /* lines of its messages */
};

struct dma {
    vx_mem memory;
    uint32_t object_id, device;
    uint32_t generation; /* of the claim that it was made for */
    uint64_t badge, bus, bytes;
};

static const struct platform *platform;
static const struct machine *machine; /* of it */
static struct device devices[DEVICES_MAX];
static uint32_t n_devices, n_grants, n_messages;
static bool its;
static struct dma dma_list[DMA_MAX];

/* --- taking stock --- */

static uint32_t pci_virtio_kind(const struct pci_function *f)
{
    if (f->vendor != VIRTIO_VENDOR)
        return 0;
    if (f->device >= VIRTIO_MODERN && f->device < VIRTIO_MODERN + 64)
        return f->device - VIRTIO_MODERN;
    return f->device >= VIRTIO_OLD && f->device < VIRTIO_OLD + 64 ? f->subsystem : 0;
}

static void add(const struct device *d)
{
    if (n_devices < DEVICES_MAX)
        devices[n_devices++] = *d;
    else
        vx_printf("topod: more than %u devices: one of kind %u is left out\n", DEVICES_MAX + 0u, d->kind);
}

void devices_find(const struct platform *p, const struct pci_list *pci, const uint32_t *virtio_device)
{
    uint32_t ids = 1;
    const struct machine *m = &p->machine;
    platform = p;
    machine = m;
    for (uint32_t i = 0; i < pci->count; i++)
        ids = pci->function[i].address >= ids ? pci->function[i].address + 1u : ids;
    its = its_start(m, ids);
    for (uint32_t i = 0; i < pci->count; i++) {
        const struct pci_function *f = &pci->function[i];
        uint32_t kind = pci_virtio_kind(f);
        for (uint32_t b = 0; kind != 0 && b < p->n_pci; b++) {
            if (p->pci[b].segment == f->segment)
                add(&(struct device){ .transport = VX_TOPO_TRANSPORT_PCI,
                                      .kind = kind,
                                      .pci = f,
                                      .bridge = &p->pci[b],
                                      .badge = NOBODY });
        }
    }
    for (uint32_t i = p->n_virtio_mmio; i-- != 0;) {
        if (virtio_device[i] != 0)
            add(&(struct device){
                .transport = VX_TOPO_TRANSPORT_MMIO, .kind = virtio_device[i], .mmio = i, .badge = NOBODY });
    }
}

/* --- reset --- */

static uint32_t config_read(const struct device *d, uint32_t offset)
{
    struct ecam e = { .bridge = d->bridge };
    uint32_t value = ecam_read(&e, d->pci->address, offset);
    ecam_close(&e);
    return value;
}

static void config_change(const struct device *d, uint32_t offset, uint32_t clear, uint32_t set)
{
    struct ecam e = { .bridge = d->bridge };
    ecam_write(&e, d->pci->address, offset, (ecam_read(&e, d->pci->address, offset) & ~clear) | set);
    ecam_close(&e);
}

/* The page of a BAR that holds `offset` bytes from its start. */
static volatile uint8_t *bar_page(const struct device *d, uint32_t bar, uint64_t offset)
{
    if (bar >= PCI_BARS || d->pci->bar[bar].n_bytes == 0 || offset >= d->pci->bar[bar].n_bytes)
        return nullptr;
    uint64_t at = d->pci->bar[bar].base + offset;
    return registers_map(at & ~(uint64_t)(PAGE - 1), PAGE);
}

static void virtio_pci_reset(const struct device *d)
{
    struct ecam e = { .bridge = d->bridge };
    uint8_t cap = 0;
    for (unsigned i = 0; i < PCI_CAPS_MAX; i++) {
        cap = pci_capability(ecam_read, &e, d->pci->address, PCI_CAP_VENDOR, cap);
        if (cap == 0 || ecam_read(&e, d->pci->address, cap) >> 24 == VIRTIO_COMMON)
            break;
    }
    uint32_t bar = cap == 0 ? PCI_BARS : ecam_read(&e, d->pci->address, cap + 4u) & 0xff;
    uint64_t offset = cap == 0 ? 0 : (uint64_t)ecam_read(&e, d->pci->address, cap + 8u) + COMMON_STATUS;
    ecam_close(&e);
    volatile uint8_t *page = bar_page(d, bar, offset);
    if (page == nullptr)
        return;
    volatile uint8_t *status = page + offset % PAGE;
    *status = 0;
    for (unsigned i = 0; i < RESET_POLLS && *status != 0; i++)
        ;
    registers_unmap((void *)(uintptr_t)page, PAGE);
}

static void virtio_mmio_reset(const struct device *d)
{
    uint64_t base = platform->virtio_mmio[d->mmio].base, offset = base % PAGE;
    uint8_t *page = registers_map(base - offset, PAGE);
    if (page == nullptr)
        return;
    volatile uint32_t *status = (volatile uint32_t *)(void *)(page + offset + MMIO_STATUS);
    *status = 0;
    for (unsigned i = 0; i < RESET_POLLS && *status != 0; i++)
        ;
    registers_unmap(page, PAGE);
}

/* Invariants 1 and 2: whatever it was doing, it does no more. */
static void device_quiet(struct device *d)
{
    lines_leave((uint32_t)(d - devices));
    d->silenced = false;
    if (d->transport == VX_TOPO_TRANSPORT_MMIO) {
        virtio_mmio_reset(d);
        return;
    }
    config_change(d, PCI_COMMAND, 0xffff0000, PCI_COMMAND_MEMORY); /* the upper half clears what is written as 1 */
    virtio_pci_reset(d);
    config_change(d, PCI_COMMAND, 0xffff0000 | PCI_COMMAND_MASTER, PCI_COMMAND_NO_INTX);
    if (d->pci->msix != 0)
        config_change(d, d->pci->msix, msix_enable, 0);
}

/* --- interrupts --- */

/* Writes the table of an MSI-X capability: vector i is the store that raises its line. */
static bool messages_write(const struct device *d)
{
    uint32_t where = config_read(d, d->pci->msix + 4u), offset = where & ~7u;
    volatile uint8_t *page = bar_page(d, where & 7, offset);
    if (page == nullptr || offset % PAGE + d->n_vectors * 16 > PAGE)
        return false;
    volatile uint32_t *entry = (volatile uint32_t *)(uintptr_t)(page + offset % PAGE);
    const struct message_info *m = &machine->messages;
    for (uint32_t i = 0; i < d->n_vectors; i++, entry += 4) {
        entry[0] = (uint32_t)m->doorbell;
        entry[1] = (uint32_t)(m->doorbell >> 32);
        entry[2] = its ? i : d->vector[i] - m->first + m->data;
        entry[3] = 0;
    }
    registers_unmap((void *)(uintptr_t)page, PAGE);
    config_change(d, d->pci->msix, msix_enable | msix_mask_all, msix_enable);
    return true;
}

static bool messages_possible(const struct device *d)
{
    bool translated = machine->messages.count != 0 && machine->gic.its.len_bytes != 0;
    return d->transport == VX_TOPO_TRANSPORT_PCI && d->pci->msix != 0 && machine->messages.count != 0 &&
           translated == its;
}

/* Lines for messages, once for all claims. */
static void messages_reserve(struct device *d)
{
    const struct message_info *m = &machine->messages;
    if (d->n_vectors != 0 || !messages_possible(d))
        return;
    uint32_t table = (config_read(d, d->pci->msix) >> 16 & 0x7ff) + 1, from = n_messages;
    while (d->n_vectors < table && d->n_vectors < VECTORS_MAX && n_messages < m->count)
        d->vector[d->n_vectors++] = m->first + n_messages++;
    if (its && !its_map(d->pci->address, from, d->n_vectors))
        d->n_vectors = 0;
}

static uint32_t device_line(const struct device *d)
{
    if (d->transport == VX_TOPO_TRANSPORT_MMIO)
        return platform->virtio_mmio[d->mmio].irq.number;
    if (d->pci->irq_pin == 0)
        return 0;
    return machine->irqchip == IRQCHIP_APIC ? route_q35(d->pci->root_slot, d->pci->root_pin)
                                            : route_virt(d->pci->root_slot, d->pci->root_pin);
}

/* It lies on a line with others that have no messages either, whoever has them or will have them. */
static bool line_shared(const struct device *d)
{
    uint32_t line = device_line(d);
    for (uint32_t i = 0; i < n_devices; i++)
        if (&devices[i] != d && !messages_possible(&devices[i]) && device_line(&devices[i]) == line)
            return line != 0 && !messages_possible(d);
    return false;
}

/* Another driver has that line alone: the kernel gives it to one only. That is so when there were not enough messages.
 */
static bool line_taken(const struct device *d, uint32_t line)
{
    for (uint32_t i = 0; i < n_devices; i++) {
        const struct device *o = &devices[i];
        if (o != d && o->owner != nullptr && o->n_vectors == 0 && device_line(o) == line &&
            line_shared(o) != line_shared(d))
            return true;
    }
    return false;
}

/* --- the calls --- */

status_t devices_grant(struct vx_session *s, const struct vx_topo_grant_request *q)
{
    uint32_t seen = 0;
    if (s->badge != 0)
        return ERR_NO_RIGHTS;
    for (uint32_t i = 0; i < n_devices; i++) {
        struct device *d = &devices[i];
        if (d->kind != q->kind || seen++ != q->index)
            continue;
        if (d->badge != NOBODY && d->badge != q->badge)
            return ERR_BUSY;
        d->badge = q->badge;
        d->grant_order = n_grants++;
        return OK;
    }
    return ERR_NOT_FOUND;
}

static struct device *granted(uint64_t badge, uint32_t which)
{
    uint32_t from = 0;
    for (;;) {
        struct device *next = nullptr;
        for (uint32_t i = 0; i < n_devices; i++) {
            struct device *d = &devices[i];
            if (d->badge == badge && d->grant_order >= from && (next == nullptr || d->grant_order < next->grant_order))
                next = d;
        }
        if (next == nullptr || which-- == 0)
            return next;
        from = next->grant_order + 1;
    }
}

static status_t claimed(const struct vx_session *s, uint32_t which, struct device **out)
{
    *out = granted(s->badge, which);
    return *out != nullptr && (*out)->owner == s ? OK : ERR_NO_RIGHTS;
}

/* Its page holds another transport that somebody has: pages are what the kernel can keep apart. */
static bool page_shared(const struct device *d)
{
    uint64_t page = platform->virtio_mmio[d->mmio].base / PAGE;
    for (uint32_t i = 0; i < n_devices; i++) {
        const struct device *o = &devices[i];
        if (o != d && o->transport == VX_TOPO_TRANSPORT_MMIO && o->owner != nullptr && o->owner->badge != d->badge &&
            platform->virtio_mmio[o->mmio].base / PAGE == page)
            return true;
    }
    return false;
}

status_t devices_claim(struct vx_session *s, const struct vx_topo_claim_request *q, struct vx_topo_claim_reply *a)
{
    struct device *d = granted(s->badge, q->which);
    if (d == nullptr)
        return ERR_NOT_FOUND;
    if (d->owner != nullptr && d->owner != s)
        return ERR_BUSY;
    if (d->transport == VX_TOPO_TRANSPORT_MMIO && page_shared(d))
        return ERR_BUSY;
    device_quiet(d);
    messages_reserve(d);
    d->owner = s;
    d->generation++;
    *a = (struct vx_topo_claim_reply){ .transport = d->transport, .kind = d->kind, .generation = d->generation };
    a->regions = d->transport == VX_TOPO_TRANSPORT_PCI ? 1 + PCI_BARS : 1;
    a->irqs = d->n_vectors != 0 ? d->n_vectors : 1;
    if (d->transport == VX_TOPO_TRANSPORT_PCI) {
        if (d->n_vectors != 0 && !messages_write(d))
            d->n_vectors = 0;
        uint32_t quiet = d->n_vectors != 0 || line_taken(d, device_line(d)) ? PCI_COMMAND_NO_INTX : 0;
        config_change(d, PCI_COMMAND, 0xffff0000 | PCI_COMMAND_NO_INTX,
                      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | quiet);
    }
    return OK;
}

/* Whole pages around [base, +bytes) of what we hold. */
static status_t part(uint64_t base, uint64_t bytes, vx_rights_t rights, vx_device *out, uint32_t *offset)
{
    vx_device mmio = vx_bundle_device("mmio");
    struct vx_cap_facts facts = {};
    status_t st = vx_sys_cap_inspect(mmio.raw, &facts, nullptr);
    *offset = (uint32_t)(base % PAGE);
    uint64_t from = base - *offset, length = (*offset + bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    if (st != OK || from < facts.a)
        return st != OK ? st : ERR_NOT_FOUND;
    return vx_sys_cap_narrow(mmio.raw, rights | VX_R_MOVE | VX_R_INSPECT, from - facts.a, length, &out->raw);
}

status_t devices_region(struct vx_session *s, const struct vx_topo_region_request *q, struct vx_topo_region_reply *a,
                        vx_device *region)
{
    struct device *d;
    status_t st = claimed(s, q->which, &d);
    if (st != OK)
        return st;
    uint64_t base = 0, bytes = 0;
    vx_rights_t rights = VX_R_READ | VX_R_WRITE;
    if (d->transport == VX_TOPO_TRANSPORT_MMIO) {
        base = platform->virtio_mmio[d->mmio].base;
        bytes = q->index == 0 ? platform->virtio_mmio[d->mmio].len_bytes : 0;
    } else if (q->index == 0) {
        base = d->bridge->ecam.base + ((uint64_t)(d->pci->address - (d->bridge->first_bus << 8)) << 12);
        bytes = PAGE;
        rights = VX_R_READ;
    } else if (q->index <= PCI_BARS) {
        base = d->pci->bar[q->index - 1].base;
        bytes = d->pci->bar[q->index - 1].n_bytes;
    }
    if (bytes == 0)
        return ERR_NOT_FOUND;
    a->bytes = bytes;
    return part(base, bytes, rights, region, &a->offset);
}

status_t devices_irq(struct vx_session *s, const struct vx_topo_irq_request *q, struct vx_topo_irq_reply *a,
                     vx_irq *line)
{
    struct device *d;
    struct vx_cap_facts facts = {};
    vx_irq irqs = vx_bundle_irq("irqs");
    status_t st = claimed(s, q->which, &d);
    if (st == OK)
        st = vx_sys_cap_inspect(irqs.raw, &facts, nullptr);
    if (st != OK)
        return st;
    uint32_t number = device_line(d);
    a->kind = VX_TOPO_IRQ_LINE;
    if (d->n_vectors != 0) {
        number = q->index < d->n_vectors ? d->vector[q->index] : 0;
        a->kind = VX_TOPO_IRQ_MESSAGE;
    } else if (q->index != 0) {
        number = 0;
    } else if (line_shared(d) || line_taken(d, number)) {
        return ERR_BUSY;
    } else if (d->transport == VX_TOPO_TRANSPORT_MMIO && platform->virtio_mmio[d->mmio].irq.edge) {
        a->kind = VX_TOPO_IRQ_LINE; /* an edge, but the device wants to hear that it was heard all the same */
    }
    if (number == 0 || number < facts.a || number - facts.a >= facts.b)
        return ERR_NOT_FOUND;
    return vx_sys_cap_narrow(irqs.raw, VX_R_BIND | VX_R_MOVE | VX_R_INSPECT, number - facts.a, 1, &line->raw);
}

status_t devices_share(struct vx_session *s, const struct vx_topo_share_request *q, vx_ring_rx *bell)
{
    struct device *d;
    status_t st = claimed(s, q->which, &d);
    if (st != OK)
        return st;
    uint32_t line = device_line(d);
    if (d->n_vectors != 0 || !line_shared(d))
        return line_taken(d, line) ? ERR_BUSY : ERR_NOT_FOUND;
    return lines_share(line, (uint32_t)(d - devices), bell);
}

status_t devices_heard(struct vx_session *s, const struct vx_topo_heard_request *q)
{
    struct device *d;
    status_t st = claimed(s, q->which, &d);
    if (st != OK)
        return st;
    if (d->silenced)
        config_change(d, PCI_COMMAND, 0xffff0000 | PCI_COMMAND_NO_INTX, 0); /* what it has to say it says now */
    d->silenced = false;
    return lines_heard((uint32_t)(d - devices));
}

/* Its driver does not say that it has heard, and others wait for their line. A PCI function can be told not to use it;
 * of a transport without that, the driver loses the device. */
static void silence(uint32_t device, uint32_t line)
{
    struct device *d = &devices[device];
    bool pci = d->transport == VX_TOPO_TRANSPORT_PCI;
    if (pci) {
        vx_printf("topod: the driver of pci %02x:%02x.%u does not answer to line %u: the others go on without it\n",
                  d->pci->address >> 8u, d->pci->address >> 3 & 31u, d->pci->address & 7u, line);
        config_change(d, PCI_COMMAND, 0xffff0000, PCI_COMMAND_NO_INTX);
        d->silenced = true;
        return;
    }
    vx_printf("topod: the driver of virtio-mmio %u does not answer to line %u: it loses the device\n", d->mmio, line);
    vx_session_close(d->owner); /* soon; until then it is quiet, and nobody's */
    device_quiet(d);
    d->owner = nullptr;
}

void devices_late(uint64_t now_ns)
{
    lines_late(now_ns, silence);
}

/* Gives back what nobody holds any more, as far as invariant 3 allows. */
static void dma_collect(void)
{
    for (uint32_t i = 0; i < DMA_MAX; i++) {
        struct dma *e = &dma_list[i];
        struct vx_cap_facts facts = {};
        const struct device *d = &devices[e->device];
        bool was_reset = d->owner == nullptr || d->generation != e->generation;
        if (e->memory.raw == VX_HANDLE_NONE || !was_reset)
            continue;
        if (vx_sys_cap_inspect(e->memory.raw, &facts, nullptr) != OK || facts.children != 0)
            continue;
        (void)vx_sys_mem_free(e->memory, 0, 0);
        *e = (struct dma){};
    }
}

void devices_release(struct vx_session *s)
{
    for (uint32_t i = 0; i < n_devices; i++) {
        if (devices[i].owner == s) {
            device_quiet(&devices[i]);
            devices[i].owner = nullptr;
        }
    }
    dma_collect();
}

status_t devices_dma(struct vx_session *s, const struct vx_topo_dma_request *q, struct vx_topo_dma_reply *a,
                     vx_mem *memory)
{
    struct device *d;
    struct dma *e = nullptr;
    struct vx_cap_facts facts = {};
    void *at = nullptr;
    status_t st = claimed(s, q->which, &d);
    if (st != OK)
        return st;
    dma_collect();
    for (uint32_t i = 0; i < DMA_MAX && e == nullptr; i++)
        e = dma_list[i].memory.raw == VX_HANDLE_NONE ? &dma_list[i] : nullptr;
    if (e == nullptr)
        return ERR_TABLE_FULL;
    st = q->bytes == 0 ? ERR_TOO_BIG : vx_sys_dma_alloc(vx_bundle_device("mmio"), q->bytes, &e->memory, &at);
    if (st != OK) {
        *e = (struct dma){};
        return st;
    }
    st = vx_sys_cap_inspect(e->memory.raw, &facts, nullptr);
    (void)vx_sys_mem_free(e->memory, (uintptr_t)at,
                          (q->bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1)); /* ours to lend, not to see */
    if (st == OK)
        st = vx_sys_cap_narrow(e->memory.raw, VX_R_READ | VX_R_WRITE | VX_R_COPY | VX_R_MOVE | VX_R_INSPECT | VX_R_DMA,
                               0, 0, &memory->raw);
    if (st != OK) {
        (void)vx_sys_mem_free(e->memory, 0, 0);
        *e = (struct dma){};
        return st;
    }
    *e = (struct dma){ .memory = e->memory,
                       .object_id = facts.object_id,
                       .device = (uint32_t)(d - devices),
                       .generation = d->generation,
                       .badge = s->badge,
                       .bus = facts.c,
                       .bytes = facts.b };
    a->bus = facts.c;
    return OK;
}

status_t devices_dma_address(struct vx_session *s, vx_mem memory, struct vx_topo_dma_address_reply *a)
{
    struct vx_cap_facts facts = {};
    status_t st = vx_sys_cap_inspect(memory.raw, &facts, nullptr);
    (void)vx_sys_cap_drop(memory.raw); /* it was shown to us, that is all */
    if (st != OK)
        return st;
    for (uint32_t i = 0; i < DMA_MAX; i++) {
        const struct dma *e = &dma_list[i];
        if (e->memory.raw == VX_HANDLE_NONE || e->object_id != facts.object_id || facts.type != VX_CAP_MEM)
            continue;
        if (e->badge != s->badge)
            return ERR_NO_RIGHTS;
        a->bus = e->bus + facts.a;
        a->bytes = facts.b;
        return OK;
    }
    return ERR_NOT_FOUND;
}

status_t devices_device(struct vx_session *, const struct vx_topo_device_request *q, struct vx_topo_device_reply *a)
{
    if (q->index >= n_devices)
        return ERR_NOT_FOUND;
    const struct device *d = &devices[q->index];
    *a = (struct vx_topo_device_reply){ .transport = d->transport,
                                        .kind = d->kind,
                                        .address = d->pci != nullptr ? d->pci->address : d->mmio,
                                        .badge = (uint32_t)d->badge,
                                        .generation = d->generation,
                                        .state = d->owner != nullptr };
    if (d->owner != nullptr) {
        bool line = device_line(d) != 0 && !d->silenced && !line_taken(d, device_line(d));
        a->irq = d->n_vectors != 0 ? VX_TOPO_IRQ_MESSAGE : line ? VX_TOPO_IRQ_LINE : 0;
        a->irqs = d->n_vectors != 0 ? d->n_vectors : line;
    }
    return OK;
}
