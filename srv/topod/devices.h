/* SPDX-License-Identifier: MIT
 * Devices for their drivers: who may have which, and what is handed over.
 *
 *  1. A device has at most one owner, a session; it is reset before it gets one and after it lost it.
 *  2. A device masters the bus only while it has an owner.
 *  3. Memory from `dma` is given back only when nobody else holds it and its device was reset since: a device that its
 *     driver left running reaches nothing that is somebody else's by now. */
#pragma once
#include "pci.h"
#include <platform/platform.h>
#include <vectra/rpc_topo.h>
#include <vectra/service.h>

/* Takes stock of what drivers can have. virtio_device: by place in p->virtio_mmio, 0 for none. */
void devices_find(const struct platform *p, const struct pci_list *pci, const uint32_t *virtio_device);
/* A connection ended: what it had claimed is reset and free. */
void devices_release(struct vx_session *s);

status_t devices_grant(struct vx_session *s, const struct vx_topo_grant_request *q);
status_t devices_claim(struct vx_session *s, const struct vx_topo_claim_request *q, struct vx_topo_claim_reply *a);
status_t devices_region(struct vx_session *s, const struct vx_topo_region_request *q, struct vx_topo_region_reply *a,
                        vx_device *region);
status_t devices_irq(struct vx_session *s, const struct vx_topo_irq_request *q, struct vx_topo_irq_reply *a,
                     vx_irq *line);
status_t devices_share(struct vx_session *s, const struct vx_topo_share_request *q, vx_ring_rx *bell);
status_t devices_heard(struct vx_session *s, const struct vx_topo_heard_request *q);
/* Lines that are shared do not wait any longer for drivers that say nothing. */
void devices_late(uint64_t now_ns);
status_t devices_dma(struct vx_session *s, const struct vx_topo_dma_request *q, struct vx_topo_dma_reply *a,
                     vx_mem *memory);
status_t devices_dma_address(struct vx_session *s, vx_mem memory, struct vx_topo_dma_address_reply *a);
status_t devices_device(struct vx_session *s, const struct vx_topo_device_request *q, struct vx_topo_device_reply *a);

/* ecam.c: configuration space and registers, mapped when they are used */
void *registers_map(uint64_t base, uint64_t length); /* nullptr where we have no authority over it */
void registers_unmap(void *at, uint64_t length);
/* A window into the configuration space of one host bridge: `ctx` of pci_read and pci_write. */
struct ecam {
    const struct pci_bridge *bridge;
    void *bus; /* mapped */
    uint32_t number;
};
uint32_t ecam_read(void *ctx, uint16_t address, uint32_t offset);
void ecam_write(void *ctx, uint16_t address, uint32_t offset, uint32_t value);
void ecam_close(struct ecam *e);
