/* SPDX-License-Identifier: MIT
 * What the kernel leaves of the device tree: nodes of RAM and of harts, PCI bridges and their windows, how far apart
 * nodes are, lines and how they are wired, messages of a GICv2, virtio transports, the clock chip.
 *
 * Sources: [DTSpec] "Device Node Requirements"; the [Linux-DT] bindings arm,gic, numa, host-generic-pci; [GICv2m]
 * "MSI_SETSPI_NS". */
#include <base/dt/fdt_tree.h>
#include <platform/platform.h>
#include <stdckdint.h>

enum : uint32_t { V2M_SETSPI = 0x40 };

struct reader {
    struct fdt_tree t;
    struct platform *p;
    uint32_t gic_phandle, gic_cells; /* cells 0: there is no interrupt controller that the kernel knows */
};

/* The first interrupt of a node, if it goes to the GIC. Cells: SPI (0) or PPI (1), number, trigger. */
static struct irq_info node_irq(struct reader *r, const struct fdt_node *n)
{
    struct fdt_prop p = fdt_prop(&r->t, n, "interrupts-extended");
    uint32_t parent = n->irq_parent, skip = 0;
    if (p.data != nullptr)
        skip = 1; /* each entry starts with its controller's phandle */
    else
        p = fdt_prop(&r->t, n, "interrupts");
    if (r->gic_cells == 0 || p.len / 4 < r->gic_cells + skip)
        return (struct irq_info){};
    if (skip == 1)
        parent = load_be32(p.data);
    if (parent != r->gic_phandle)
        return (struct irq_info){};
    const uint8_t *entry = p.data + (size_t)skip * 4;
    uint32_t type = load_be32(entry), number = load_be32(entry + 4), trigger = load_be32(entry + 8);
    if (type > 1 || number >= (type == 0 ? 988u : 16u)) {
        platform_leave_out(r->p, LEFT_OUT_DEVICE);
        return (struct irq_info){};
    }
    return (struct irq_info){ number + (type == 0 ? 32u : 16u), (trigger & 3) != 0, (trigger & 0xa) != 0 };
}

/* The one that the kernel has taken. */
static status_t visit_gic(void *ctx, struct fdt_node *n)
{
    struct reader *r = ctx;
    struct phys_range dist;
    uint32_t cells = fdt_cell(&r->t, n, "#interrupt-cells", 0);
    if (!n->usable || r->p->machine.irqchip == IRQCHIP_NONE || cells < 3 || cells > 8 || !fdt_reg(&r->t, n, 0, &dist) ||
        dist.base != r->p->machine.gic.regs[0].base)
        return OK;
    r->gic_cells = cells;
    r->gic_phandle = fdt_cell(&r->t, n, "phandle", 0);
    return OK;
}

/* Without its numbers the frame itself says them: platform_read_tables(). An ITS goes before. */
static void read_v2m(struct reader *r, const struct fdt_node *n)
{
    struct message_info *w = &r->p->machine.messages;
    if (w->doorbell != 0 || r->p->v2m.len_bytes != 0 || !fdt_reg(&r->t, n, 0, &r->p->v2m))
        return;
    w->first = w->data = fdt_cell(&r->t, n, "arm,msi-base-spi", 0);
    w->count = fdt_cell(&r->t, n, "arm,msi-num-spis", 0);
    w->doorbell = r->p->v2m.base + V2M_SETSPI;
}

static void read_virtio(struct reader *r, const struct fdt_node *n)
{
    struct platform *p = r->p;
    struct phys_range reg;
    if (!fdt_reg(&r->t, n, 0, &reg))
        platform_leave_out(p, LEFT_OUT_DEVICE);
    else if (p->n_virtio_mmio == MACHINE_VIRTIO_MMIO_MAX)
        platform_leave_out(p, LEFT_OUT_VIRTIO_MMIO);
    else
        p->virtio_mmio[p->n_virtio_mmio++] = (struct virtio_mmio_info){ reg.base, reg.len_bytes, node_irq(r, n) };
}

static void read_console(struct reader *r, const struct fdt_node *n)
{
    struct phys_range reg;
    if (fdt_reg(&r->t, n, 0, &reg) && reg.base == r->p->machine.console.base.address)
        r->p->console_irq = node_irq(r, n);
}

/* "ranges" of a PCI bridge: three cells of PCI address, the first of them flags; then our address; then the size. */
static bool read_pci_ranges(struct reader *r, const struct fdt_node *n, struct pci_bridge *b)
{
    struct fdt_prop p = fdt_prop(&r->t, n, "ranges");
    uint32_t level = r->t.depth - 1;
    uint64_t flags, end;
    struct pci_window w;
    while (p.len > 0) {
        if (!fdt_take(&p, 1, &flags) || !fdt_take(&p, 2, &w.bus_base) ||
            !fdt_take(&p, r->t.path[level].address_cells, &w.cpu_base) || !fdt_take(&p, n->size_cells, &w.len_bytes) ||
            ckd_add(&end, w.bus_base, w.len_bytes) || !fdt_translate(&r->t, level, &w.cpu_base, w.len_bytes) ||
            ckd_add(&end, w.cpu_base, w.len_bytes))
            return false;
        uint64_t space = flags >> 24 & 3; /* [DTSpec]/[PCI-OF] "phys.hi cell": configuration, I/O, 32 and 64 bit */
        struct pci_window *to = space == 1 ? &b->io : space == 2 ? &b->mmio32 : space == 3 ? &b->mmio64 : nullptr;
        if (to != nullptr && to->len_bytes == 0)
            *to = w;
        else
            platform_leave_out(r->p, LEFT_OUT_PCI);
    }
    return true;
}

static void read_pci(struct reader *r, const struct fdt_node *n)
{
    struct platform *p = r->p;
    struct pci_bridge b = { .last_bus = 255, .segment = (uint16_t)fdt_cell(&r->t, n, "linux,pci-domain", 0) };
    struct fdt_prop buses = fdt_prop(&r->t, n, "bus-range");
    uint64_t first = 0, last = 255;
    if (r->t.depth == 0 || n->address_cells != 3 || !fdt_reg(&r->t, n, 0, &b.ecam) ||
        (buses.data != nullptr && (!fdt_take(&buses, 1, &first) || !fdt_take(&buses, 1, &last))) || last > 255 ||
        first > last || b.ecam.len_bytes >> 20 <= last - first || !read_pci_ranges(r, n, &b)) {
        platform_leave_out(p, LEFT_OUT_DEVICE);
        return;
    }
    b.first_bus = (uint8_t)first;
    b.last_bus = (uint8_t)last;
    if (p->n_pci == MACHINE_PCI_WINDOW_MAX)
        platform_leave_out(p, LEFT_OUT_PCI);
    else
        p->pci[p->n_pci++] = b;
}

/* "distance-matrix": triples of from, to, distance. What is given one way only holds the other way too. */
static void read_distances(struct reader *r, const struct fdt_node *n)
{
    struct platform *p = r->p;
    struct fdt_prop matrix = fdt_prop(&r->t, n, "distance-matrix");
    uint64_t from, to, distance;
    while (fdt_take(&matrix, 1, &from) && fdt_take(&matrix, 1, &to) && fdt_take(&matrix, 1, &distance)) {
        if (from >= NUMA_NODE_MAX || to >= NUMA_NODE_MAX || distance == 0 || distance > 255) {
            platform_leave_out(p, LEFT_OUT_NODE);
            continue;
        }
        p->has_distances = true;
        p->distance[from][to] = (uint8_t)distance;
        if (p->distance[to][from] == 0)
            p->distance[to][from] = (uint8_t)distance;
    }
}

static void read_nodes(struct reader *r, const struct fdt_node *n)
{
    uint32_t node = fdt_cell(&r->t, n, "numa-node-id", 0);
    struct fdt_prop type = fdt_prop(&r->t, n, "device_type");
    struct phys_range reg;
    if (node == 0)
        return; /* as all of which nothing is said */
    if (fdt_list_find(type, "cpu") == 0 && fdt_reg_raw(&r->t, n, 0, &reg))
        platform_set_hart_node(r->p, reg.base, node);
    for (uint32_t i = 0; fdt_list_find(type, "memory") == 0 && fdt_reg_raw(&r->t, n, i, &reg); i++)
        platform_set_memory_node(r->p, reg.base, reg.len_bytes, node);
}

static status_t visit(void *ctx, struct fdt_node *n)
{
    struct reader *r = ctx;
    struct rtc_info *rtc = &r->p->rtc;
    if (!n->usable)
        return OK;
    struct fdt_prop list = fdt_prop(&r->t, n, "compatible");
    if (r->t.depth == 1 || (r->t.depth == 2 && fdt_same(r->t.path[1].name, "cpus")))
        read_nodes(r, n);
    if (fdt_list_find(list, "pci-host-ecam-generic") >= 0)
        read_pci(r, n);
    else if (fdt_list_find(list, "arm,gic-v2m-frame") >= 0)
        read_v2m(r, n);
    else if (fdt_list_find(list, "virtio,mmio") >= 0)
        read_virtio(r, n);
    else if (fdt_list_find(list, "arm,pl011") >= 0)
        read_console(r, n);
    else if (fdt_list_find(list, "numa-distance-map-v1") >= 0)
        read_distances(r, n);
    else if (fdt_list_find(list, "arm,pl031") >= 0 && rtc->kind == RTC_NONE && fdt_reg(&r->t, n, 0, &rtc->pl031))
        rtc->kind = RTC_PL031;
    return OK;
}

void platform_from_device_tree(struct platform *p, const void *blob, size_t blob_size)
{
    struct reader r = { .p = p };
    platform_begin(p);
    if (fdt_tree_open(&r.t, blob, blob_size) == OK && fdt_tree_walk(&r.t, visit_gic, &r) == OK)
        (void)fdt_tree_walk(&r.t, visit, &r);
    p->machine.error = r.t.error;
    platform_end(p);
}
