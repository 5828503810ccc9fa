/* SPDX-License-Identifier: MIT
 * topod with hostile clients: any messages about a machine that fills its tables, drivers that claim devices on lines
 * that they share, and hear or do not hear when those fire. */
// sources: lib/libvectra/service.c lib/libvectra/rpc.c lib/libvectra/names.c lib/libvectra/string.c
// sources: srv/topod/pci.c srv/topod/devices.c srv/topod/ecam.c srv/topod/route.c srv/topod/its.c
#define HOST_OPS 18
#define HOST_IRQS
#define HOST_FACTS
#define HOST_CHECK
#include "service_host.h"
#include <srv/topod/lines.c>
#define main topo_main
#include <srv/topod/main.c>
#undef main

enum { LINES = 1024, DEVICES_OF_A_LINE = 4, KINDS = 4 };

static uint32_t bound_bit[HANDLES_MAX];

static void host_facts(struct vx_cap_facts *f)
{
    if (f->type != 0) {
        f->a = 0;
        f->b = LINES;
    }
}

static void host_irq(uint64_t handle, uint64_t bit)
{
    bound_bit[handle] = (uint32_t)bit;
}

/* The invariants of lines.h. */
static void host_check(void)
{
    uint32_t all = 0;
    for (unsigned i = 0; i < LINES_SHARED_MAX; i++) {
        const struct line *l = &lines[i];
        require((l->number != 0) == (l->devices != 0));
        require((all & l->devices) == 0 && (l->unheard & ~l->devices) == 0 && (l->late & ~l->devices) == 0);
        require((l->unheard & l->late) == 0);
        if (l->devices == 0)
            continue;
        require(host_has(l->irq.raw));
        require(bound_bit[l->irq.raw] == (l->unheard == 0 ? VX_SERVICE_BIT_FIRST + i : UNBIND));
        for (uint32_t d = 0; d < LINES_DEVICES_MAX; d++)
            require((l->devices >> d & 1) == 0 || host_has(l->bell[d].raw));
        all |= l->devices;
    }
    /* Nobody is waited for without end. */
    uint64_t deadline = lines_deadline();
    require(deadline == VX_FOREVER || deadline <= host_counter + LINES_PATIENCE_NS);
    require(deadline >= host_service->deadline_ns);
}

/* Half of what drivers can have are PCI functions, half are transports; four of each on a line, of two drivers. */
static void set_up(struct platform *p)
{
    struct machine *m = &p->machine;
    static uint32_t kinds[MACHINE_VIRTIO_MMIO_MAX];
    *p = (struct platform){ .n_nodes = NUMA_NODE_MAX,
                            .n_memories = MEMORY_REGION_MAX,
                            .n_pci = MACHINE_PCI_WINDOW_MAX,
                            .n_virtio_mmio = MACHINE_VIRTIO_MMIO_MAX };
    *m = (struct machine){ .n_harts = HART_MAX, .n_ram = MEMORY_REGION_MAX, .irqchip = IRQCHIP_APIC };
    for (uint16_t i = 0; i < MACHINE_PCI_WINDOW_MAX; i++)
        p->pci[i].segment = i;
    for (uint16_t i = 0; i < LINES_DEVICES_MAX / 2; i++)
        pci.function[pci.count++] = (struct pci_function){ .address = (uint16_t)(i << 3),
                                                           .vendor = 0x1af4,
                                                           .device = (uint16_t)(0x1041 + i % KINDS),
                                                           .irq_pin = 1,
                                                           .root_slot = (uint8_t)(i / DEVICES_OF_A_LINE) };
    for (uint32_t i = 0; i < MACHINE_VIRTIO_MMIO_MAX; i++) {
        p->virtio_mmio[i] = (struct virtio_mmio_info){ .base = 0xa000000 + i * 512,
                                                       .len_bytes = 512,
                                                       .irq.number = 100 + i / DEVICES_OF_A_LINE };
        kinds[i] = 1 + i % KINDS;
    }
    devices_find(p, &pci, kinds);
    pci.count = PCI_FUNCTIONS_MAX; /* those behind are nothing that could be driven */
    for (uint32_t i = 0; i < LINES_DEVICES_MAX; i++)
        require(devices_grant(&(struct vx_session){}, &(struct vx_topo_grant_request){ .badge = 1 + i % 2,
                                                                                       .kind = 1 + i % KINDS,
                                                                                       .index = i / KINDS }) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct platform full;
    struct vx_service svc = { .name = "topod",
                              .dispatch = dispatch,
                              .closed = devices_release,
                              .on_signal = on_signal,
                              .on_deadline = on_deadline,
                              .own_bits = lines_bits() };
    if (machine == nullptr)
        set_up(&full);
    platform = &full;
    machine = &full.machine;
    full.has_distances = size % 2 != 0;
    host_begin(&svc, data, size);
    host_irqs = host_new();
    svc.inbox = (vx_ring_rx){ host_new() };
    (void)host_client(&svc, 0); /* initd: it grants */
    (void)host_client(&svc, 1);
    (void)host_client(&svc, 2);
    host_serve(&svc);
    host_check();
    (void)host_drop(host_irqs);
    require(host_live() == 0);
    return 0;
}
