/* SPDX-License-Identifier: MIT
 * topod with hostile clients: any messages about a machine that fills its tables. */
// sources: lib/libvectra/service.c lib/libvectra/rpc.c lib/libvectra/names.c lib/libvectra/string.c
// sources: srv/topod/pci.c srv/topod/devices.c srv/topod/ecam.c srv/topod/route.c srv/topod/its.c srv/topod/lines.c
#include "service_host.h"
#define main topo_main
#include <srv/topod/main.c>
#undef main

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct platform p;
    struct machine *full = &p.machine;
    platform = &p;
    machine = full;
    struct vx_service svc = { .name = "topod", .dispatch = dispatch, .closed = devices_release };
    p.n_nodes = NUMA_NODE_MAX;
    p.n_memories = MEMORY_REGION_MAX;
    p.n_pci = MACHINE_PCI_WINDOW_MAX;
    p.has_distances = size % 2 != 0;
    full->n_harts = HART_MAX;
    full->n_ram = MEMORY_REGION_MAX;
    full->n_virtio_mmio = MACHINE_VIRTIO_MMIO_MAX;
    full->irqchip = IRQCHIP_APIC;
    pci.count = PCI_FUNCTIONS_MAX;
    static bool found;
    static uint32_t kinds[MACHINE_VIRTIO_MMIO_MAX];
    for (uint32_t i = 0; i < MACHINE_VIRTIO_MMIO_MAX; i++) {
        full->virtio_mmio[i] =
            (struct virtio_mmio_info){ .base = 0xa000000 + i * 512, .len_bytes = 512, .irq.number = i };
        kinds[i] = 1 + i % 4;
    }
    if (!found)
        devices_find(&p, &(struct pci_list){}, kinds);
    found = true;
    host_begin(&svc, data, size);
    svc.inbox = (vx_ring_rx){ host_new() };
    (void)host_client(&svc, 0); /* initd: it grants */
    (void)host_client(&svc, 1);
    (void)host_client(&svc, 2);
    host_serve(&svc);
    require(host_live() == 0);
    return 0;
}
