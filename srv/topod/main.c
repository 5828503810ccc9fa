/* SPDX-License-Identifier: MIT
 * topod: what the machine is made of, and devices for their drivers. The description of it is memory that we may read;
 * buses are asked, and set up, through device memory. */
#include "devices.h"
#include "lines.h"
#include "pci.h"
#include <isa/machine.h>
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/rpc_topo.h>
#include <vectra/service.h>
#include <vectra/string.h>

enum { SESSIONS_MAX = 32, PAGE = 4096, PCI_BAR_0 = 0x10, VIRTIO_DEVICE_ID = 8 };

static const struct platform *platform;
static const struct machine *machine; /* what the kernel said of it */
static struct pci_list pci;
static uint32_t virtio_device[MACHINE_VIRTIO_MMIO_MAX];

/* True when some function of the bus has registers at an address. */
static bool firmware_placed(struct pci_setup *s, uint8_t bus)
{
    static struct pci_list seen;
    seen = (struct pci_list){};
    pci_scan_bus(&seen, s->read, s->ctx, s->segment, bus);
    for (uint32_t i = 0; i < seen.count; i++) {
        for (uint32_t bar = 0; seen.function[i].header == 0 && bar < PCI_BARS; bar++) {
            uint32_t low = s->read(s->ctx, seen.function[i].address, PCI_BAR_0 + 4 * bar);
            if ((low & 1) == 0 && (low & ~UINT32_C(15)) != 0)
                return true;
        }
    }
    return false;
}

/* Where registers without an address may go: the bridge's own window, or, where the firmware keeps that to itself, what
 * lies free between RAM, configuration space and the interrupt controllers of a PC. */
static void find_room(struct pci_setup *s, const struct pci_bridge *b)
{
    if (b->mmio32.len_bytes != 0) {
        s->memory.next = b->mmio32.cpu_base;
        s->memory.end = b->mmio32.cpu_base + b->mmio32.len_bytes;
        return;
    }
    uint64_t from = UINT64_C(0x80000000), limit = UINT64_C(0xfec00000);
    for (uint32_t i = 0; i < machine->n_ram; i++) {
        uint64_t end = machine->ram[i].base + machine->ram[i].len_bytes;
        from = machine->ram[i].base < limit && end > from ? end : from;
    }
    uint64_t ecam_end = b->ecam.base + b->ecam.len_bytes;
    from = b->ecam.base < limit && ecam_end > from ? ecam_end : from;
    if (firmware_placed(s, b->first_bus)) /* then it knows what lies where, and we do not */
        from = limit;
    s->memory.next = from;
    s->memory.end = from < limit ? limit : from;
}

/* Addresses of the bus are ours where the window says so; virt and q35 have no other kind. */
static void scan_pci(void)
{
    for (uint32_t i = 0; i < platform->n_pci; i++) {
        struct ecam e = { .bridge = &platform->pci[i] };
        struct pci_setup s = { .read = ecam_read,
                               .write = ecam_write,
                               .ctx = &e,
                               .segment = e.bridge->segment,
                               .last_bus = e.bridge->last_bus };
        find_room(&s, e.bridge);
        pci_set_up(&pci, &s, e.bridge->first_bus);
        ecam_close(&e);
    }
}

static void scan_virtio(void)
{
    for (uint32_t i = 0; i < platform->n_virtio_mmio; i++) {
        uint64_t base = platform->virtio_mmio[i].base, offset = base % PAGE;
        uint8_t *page = registers_map(base - offset, PAGE);
        if (page == nullptr)
            return;
        virtio_device[i] = *(const volatile uint32_t *)(const void *)(page + offset + VIRTIO_DEVICE_ID);
        registers_unmap(page, PAGE);
    }
}

static status_t op_summary(struct vx_session *, struct vx_topo_summary_reply *a)
{
    *a = (struct vx_topo_summary_reply){ .harts = machine->n_harts,
                                         .nodes = platform->n_nodes,
                                         .domains = platform->n_domains,
                                         .memories = platform->n_memories,
                                         .bridges = platform->n_pci,
                                         .functions = pci.count,
                                         .virtios = platform->n_virtio_mmio,
                                         .irqchip = machine->irqchip,
                                         .arch = isa_elf_machine,
                                         .left_out = machine->left_out };
    for (uint32_t i = 0; i < machine->n_ram; i++)
        a->ram_bytes += machine->ram[i].len_bytes;
    return OK;
}

static status_t op_hart(struct vx_session *, const struct vx_topo_hart_request *q, struct vx_topo_hart_reply *a)
{
    if (q->index >= machine->n_harts)
        return ERR_NOT_FOUND;
    const struct hart_info *h = &machine->hart[q->index];
    const struct platform_hart *where = &platform->hart[q->index];
    *a = (struct vx_topo_hart_reply){ .hw_id = h->hw_id, .node = where->node, .domain = where->domain };
    return OK;
}

static status_t op_memory(struct vx_session *, const struct vx_topo_memory_request *q, struct vx_topo_memory_reply *a)
{
    if (q->index >= platform->n_memories)
        return ERR_NOT_FOUND;
    const struct platform_memory *r = &platform->memory[q->index];
    *a = (struct vx_topo_memory_reply){ .base = r->base, .bytes = r->len_bytes, .node = r->node };
    return OK;
}

static status_t op_distance(struct vx_session *, const struct vx_topo_distance_request *q,
                            struct vx_topo_distance_reply *a)
{
    if (q->from >= platform->n_nodes || q->to >= platform->n_nodes)
        return ERR_NOT_FOUND;
    a->distance = platform->has_distances ? platform->distance[q->from][q->to] : q->from == q->to ? 10 : 20;
    return OK;
}

static status_t op_bridge(struct vx_session *, const struct vx_topo_bridge_request *q, struct vx_topo_bridge_reply *a)
{
    if (q->index >= platform->n_pci)
        return ERR_NOT_FOUND;
    const struct pci_bridge *b = &platform->pci[q->index];
    *a = (struct vx_topo_bridge_reply){ .ecam = b->ecam.base,
                                        .segment = b->segment,
                                        .first_bus = b->first_bus,
                                        .last_bus = b->last_bus,
                                        .mmio32 = b->mmio32.cpu_base,
                                        .mmio32_bytes = b->mmio32.len_bytes };
    return OK;
}

static status_t op_function(struct vx_session *, const struct vx_topo_function_request *q,
                            struct vx_topo_function_reply *a)
{
    if (q->index >= pci.count)
        return ERR_NOT_FOUND;
    const struct pci_function *f = &pci.function[q->index];
    *a = (struct vx_topo_function_reply){ .segment = f->segment,
                                          .address = f->address,
                                          .vendor = f->vendor,
                                          .device = f->device,
                                          .class_code = f->class_code,
                                          .header = f->header,
                                          .irq_pin = f->irq_pin };
    return OK;
}

static status_t op_virtio(struct vx_session *, const struct vx_topo_virtio_request *q, struct vx_topo_virtio_reply *a)
{
    if (q->index >= platform->n_virtio_mmio)
        return ERR_NOT_FOUND;
    const struct virtio_mmio_info *v = &platform->virtio_mmio[q->index];
    *a = (struct vx_topo_virtio_reply){
        .base = v->base, .bytes = v->len_bytes, .irq = v->irq.number, .device = virtio_device[q->index]
    };
    return OK;
}

static status_t op_irqchip(struct vx_session *, struct vx_topo_irqchip_reply *a)
{
    bool apic = machine->irqchip == IRQCHIP_APIC;
    struct vx_cap_facts facts = {};
    *a = (struct vx_topo_irqchip_reply){ .kind = machine->irqchip };
    if (vx_sys_cap_inspect(vx_bundle_irq("irqs").raw, &facts, nullptr) == OK)
        a->lines = (uint32_t)facts.b;
    a->first = apic ? machine->apic.lapic_base : machine->gic.regs[0].base;
    a->second = apic ? machine->apic.ioapic[0].base : machine->gic.regs[1].base;
    return OK;
}

static status_t op_console(struct vx_session *, struct vx_topo_console_reply *a)
{
    *a = (struct vx_topo_console_reply){ .kind = machine->console.kind,
                                         .irq = platform->console_irq.number,
                                         .base = machine->console.base.address };
    return OK;
}

static status_t dispatch(struct vx_session *s, struct vx_incoming *in)
{
    static const struct vx_topo_ops ops = {
        .summary = op_summary,
        .hart = op_hart,
        .memory = op_memory,
        .distance = op_distance,
        .bridge = op_bridge,
        .function = op_function,
        .virtio = op_virtio,
        .irqchip = op_irqchip,
        .console = op_console,
        .grant = devices_grant,
        .claim = devices_claim,
        .region = devices_region,
        .irq = devices_irq,
        .dma = devices_dma,
        .dma_address = devices_dma_address,
        .device = devices_device,
        .share = devices_share,
        .heard = devices_heard,
    };
    return vx_topo_dispatch(&ops, s, in);
}

static void on_signal(struct vx_service *svc, uint64_t bits)
{
    lines_fired(bits);
    svc->deadline_ns = lines_deadline();
}

static void on_deadline(struct vx_service *svc, uint64_t now_ns)
{
    devices_late(now_ns);
    svc->deadline_ns = lines_deadline();
}

/* initd has read it, for all. */
static status_t map_platform(void)
{
    vx_mem mem = vx_bundle_mem("platform");
    struct vx_cap_facts facts = {};
    void *at = nullptr;
    status_t st = vx_sys_cap_inspect(mem.raw, &facts, nullptr);
    if (st == OK && facts.b < sizeof *platform)
        st = ERR_BAD_ARGUMENT;
    if (st == OK)
        st = vx_sys_mem_map(mem, 0, facts.b, 0, VX_PROT_READ, &at);
    if (st != OK)
        return st;
    platform = at;
    machine = &platform->machine;
    return OK;
}

int main(int, char **)
{
    static const struct vx_need needs[] = {
        { "inbox.rx", VX_CAP_RING_RX, false },
        { "platform", VX_CAP_MEM, false },
        { "mmio", VX_CAP_DEVICE, true },
    };
    struct vx_service service = {
        .name = "topod",
        .needs = needs,
        .n_needs = sizeof needs / sizeof needs[0],
        .sessions_max = SESSIONS_MAX,
        .dispatch = dispatch,
        .closed = devices_release,
        .on_signal = on_signal,
        .on_deadline = on_deadline,
        .own_bits = lines_bits(),
        .deadline_ns = VX_FOREVER,
    };
    status_t st = map_platform();
    if (st != OK) {
        vx_printf("topod: no machine description: %s\n", vx_status_text(st));
        return 1;
    }
    if (machine->error.what != nullptr)
        vx_printf("topod: %s (at 0x%llx)\n", machine->error.what, (unsigned long long)machine->error.where);
    scan_pci();
    scan_virtio();
    devices_find(platform, &pci, virtio_device);
    return vx_service_run(&service) == OK ? 0 : 1;
}
