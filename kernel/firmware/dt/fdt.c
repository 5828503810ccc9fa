/* SPDX-License-Identifier: MIT
 * What the kernel needs of what a device tree says about the machine. The rest is read in user space (lib/libplatform).
 *
 * Two walks: the first finds memory and what others refer to (the interrupt controller, the harts' phandles, the
 * console's path), the second reads the devices.
 *
 * Sources: [DTSpec] "Device Node Requirements"; the [Linux-DT] bindings arm,gic, arm,gic-v3, arm,arch_timer, psci,
 * cpu-topology, numa, reserved-memory. */
#include <base/dt/fdt_tree.h>
#include <kernel/firmware/dt/fdt.h>
#include <stdckdint.h>

struct fdt {
    struct machine *m;
    struct fdt_tree t;
    uint32_t gic_cells;              /* 0: there is no interrupt controller that we know */
    uint32_t hart_phandle[HART_MAX]; /* in the order of m->hart */
    struct fdt_node aliases;
    struct fdt_prop stdout_path;
    uint32_t n_clusters;
    bool console_is_stdout;
};

typedef void read_fn(struct fdt *f, const struct fdt_node *n);

static status_t malformed(const struct fdt *f, const char *what, const char *node_name)
{
    return firmware_fail(&f->m->error, ERR_BAD_ARGUMENT, what, (uint64_t)((const uint8_t *)node_name - f->t.blob));
}

/* ---- first walk ---- */

/* A memory node, or a child of /reserved-memory. One of the latter without "reg" asks for memory, which is the kernel's
 * to give, and reserves none. */
static status_t read_regions(struct fdt *f, struct fdt_node *n, bool reserved)
{
    enum reserved_kind kind = fdt_prop(&f->t, n, "no-map").data != nullptr ? RESERVED_NO_MAP : RESERVED_FIRMWARE;
    struct fdt_prop reg = fdt_prop(&f->t, n, "reg");
    struct phys_range r;
    status_t st = OK;
    if (reserved && reg.data == nullptr)
        return OK;
    if (!fdt_reg_whole(&f->t, reg))
        return malformed(f, reserved ? "device tree: reserved-memory: reg" : "device tree: memory: reg", n->name);
    for (uint32_t i = 0; st == OK && fdt_reg_raw(&f->t, n, i, &r); i++)
        st = reserved ? machine_add_reserved(f->m, r.base, r.len_bytes, kind)
                      : machine_add_ram(f->m, r.base, r.len_bytes);
    return st;
}

/* A secret: user space will see the tree. The blob is the caller's to change. */
static void take_seed(struct fdt *f, const struct fdt_node *n, const char *name)
{
    struct fdt_prop p = fdt_prop(&f->t, n, name);
    machine_add_seed(f->m, p.data, p.len);
    memset((void *)(uintptr_t)p.data, 0, p.len);
}

static status_t read_chosen(struct fdt *f, struct fdt_node *n)
{
    struct fdt_prop p = fdt_prop(&f->t, n, "bootargs");
    if (p.data != nullptr)
        machine_set_cmdline(f->m, (const char *)p.data, p.len);
    take_seed(f, n, "rng-seed");
    take_seed(f, n, "kaslr-seed");
    f->stdout_path = fdt_prop(&f->t, n, "stdout-path");

    struct fdt_prop start = fdt_prop(&f->t, n, "linux,initrd-start"), end = fdt_prop(&f->t, n, "linux,initrd-end");
    uint64_t from, to;
    if (start.data == nullptr || end.data == nullptr)
        return OK;
    if (!fdt_take(&start, start.len / 4, &from) || !fdt_take(&end, end.len / 4, &to) || start.len + end.len != 0 ||
        to < from)
        return malformed(f, "device tree: chosen: linux,initrd", n->name);
    f->m->initrd = (struct phys_range){ from, to - from };
    return machine_add_reserved(f->m, from, to - from, RESERVED_FIRMWARE);
}

static status_t read_cpu(struct fdt *f, struct fdt_node *n)
{
    struct phys_range id; /* #size-cells is 0 here */
    if (!fdt_reg_raw(&f->t, n, 0, &id))
        return malformed(f, "device tree: cpu: reg", n->name);
    if (!n->usable)
        return OK;
    struct hart_info *h = machine_add_hart(f->m, id.base);
    if (h == nullptr)
        return OK;
    h->domain = fdt_cell(&f->t, n, "numa-node-id", 0);
    f->hart_phandle[h - f->m->hart] = fdt_cell(&f->t, n, "phandle", 0);
    return OK;
}

static enum irqchip_kind gic_kind(const struct fdt *f, const struct fdt_node *n)
{
    if (fdt_is(&f->t, n, "arm,gic-v3"))
        return IRQCHIP_GICV3;
    return fdt_is(&f->t, n, "arm,gic-400") || fdt_is(&f->t, n, "arm,cortex-a15-gic") ? IRQCHIP_GICV2 : IRQCHIP_NONE;
}

static void read_gic(struct fdt *f, const struct fdt_node *n, enum irqchip_kind kind)
{
    struct gic_info *g = &f->m->gic;
    uint32_t cells = fdt_cell(&f->t, n, "#interrupt-cells", 0), last = 1;
    struct fdt_prop stride = fdt_prop(&f->t, n, "redistributor-stride");
    struct phys_range r;
    if (cells < 3 || cells > 8 || !fdt_reg(&f->t, n, 0, &r) || !fdt_reg(&f->t, n, 1, &r)) {
        machine_leave_out(f->m, LEFT_OUT_DEVICE);
        return;
    }
    f->m->irqchip = kind;
    f->gic_cells = cells;
    if (kind == IRQCHIP_GICV3)
        last = fdt_cell(&f->t, n, "#redistributor-regions", 1);
    (void)fdt_take(&stride, stride.len / 4, &g->redist_stride_bytes);
    for (uint32_t i = 0; i <= last && fdt_reg(&f->t, n, i, &r); i++) {
        if (i == MACHINE_GIC_REGS_MAX) {
            machine_leave_out(f->m, LEFT_OUT_REDIST);
            break;
        }
        g->regs[g->n_regs++] = r;
    }
}

static status_t visit_first(void *ctx, struct fdt_node *n)
{
    struct fdt *f = ctx;
    const char *parent = f->t.depth > 0 ? f->t.path[f->t.depth - 1].name : "";
    struct fdt_prop type = fdt_prop(&f->t, n, "device_type");
    if (f->t.depth == 2 && fdt_same(parent, "cpus") && fdt_list_find(type, "cpu") == 0)
        return read_cpu(f, n);
    if (!n->usable)
        return OK;
    if (f->t.depth == 1 && fdt_list_find(type, "memory") == 0)
        return read_regions(f, n, false);
    if (f->t.depth == 2 && fdt_same(parent, "reserved-memory"))
        return read_regions(f, n, true);
    if (f->t.depth == 1 && fdt_same(n->name, "chosen"))
        return read_chosen(f, n);
    if (f->t.depth == 1 && fdt_same(n->name, "aliases"))
        f->aliases = *n;
    enum irqchip_kind kind = gic_kind(f, n);
    if (kind != IRQCHIP_NONE && f->m->irqchip == IRQCHIP_NONE)
        read_gic(f, n, kind);
    return OK;
}

/* ---- second walk: devices ---- */

static void read_its(struct fdt *f, const struct fdt_node *n)
{
    if (f->m->gic.its.len_bytes == 0 && !fdt_reg(&f->t, n, 0, &f->m->gic.its))
        machine_leave_out(f->m, LEFT_OUT_DEVICE);
}

/* Without names the virtual timer's interrupt is the third. Cells: SPI (0) or PPI (1), number, trigger. */
static void read_timer(struct fdt *f, const struct fdt_node *n)
{
    struct fdt_prop names = fdt_prop(&f->t, n, "interrupt-names"), irqs = fdt_prop(&f->t, n, "interrupts");
    uint32_t at = (names.data == nullptr ? 2 : (uint32_t)fdt_list_find(names, "virt")) * f->gic_cells * 4;
    if (f->gic_cells != 0 && at < irqs.len && irqs.len - at >= 8 && load_be32(irqs.data + at) == 1)
        f->m->timer.virt_line = load_be32(irqs.data + at + 4) + 16;
    f->m->timer.counter_hz = fdt_cell(&f->t, n, "clock-frequency", 0);
}

/* The console is the PL011 that "stdout-path" names, or else the first. */
static void read_pl011(struct fdt *f, const struct fdt_node *n)
{
    struct phys_range r;
    bool is_stdout = fdt_path_is(&f->t, f->stdout_path);
    if (f->console_is_stdout || (f->m->console.kind != CONSOLE_NONE && !is_stdout))
        return;
    if (!fdt_reg(&f->t, n, 0, &r)) {
        machine_leave_out(f->m, LEFT_OUT_DEVICE);
        return;
    }
    f->console_is_stdout = is_stdout;
    f->m->console = (struct console_info){ CONSOLE_PL011, { REGISTER_MEMORY, 32, r.base } };
}

static void read_psci(struct fdt *f, const struct fdt_node *n)
{
    struct fdt_prop how = fdt_prop(&f->t, n, "method");
    f->m->psci = fdt_list_find(how, "smc") == 0 ? PSCI_SMC : fdt_list_find(how, "hvc") == 0 ? PSCI_HVC : PSCI_NONE;
}

/* Below /cpus/cpu-map: sockets and clusters contain cores, which name their hart in "cpu". */
static void read_cpu_map(struct fdt *f, struct fdt_node *n)
{
    if (strncmp(n->name, "cluster", 7) == 0 || strncmp(n->name, "socket", 6) == 0)
        n->cluster = ++f->n_clusters;
    uint32_t phandle = fdt_cell(&f->t, n, "cpu", 0);
    for (uint32_t i = 0; phandle != 0 && i < f->m->n_harts; i++)
        if (f->hart_phandle[i] == phandle)
            f->m->hart[i].domain |= (uint64_t)n->cluster << 32;
}

static status_t visit_devices(void *ctx, struct fdt_node *n)
{
    struct fdt *f = ctx;
    static const struct {
        const char *compatible;
        read_fn *read;
    } devices[] = {
        { "arm,gic-v3-its", read_its }, { "arm,armv8-timer", read_timer }, { "arm,pl011", read_pl011 },
        { "arm,psci-0.2", read_psci },  { "arm,psci-1.0", read_psci },
    };
    if (f->t.depth > 2 && fdt_same(f->t.path[1].name, "cpus") && fdt_same(f->t.path[2].name, "cpu-map"))
        read_cpu_map(f, n);
    struct fdt_prop list = fdt_prop(&f->t, n, "compatible");
    if (!n->usable || list.data == nullptr)
        return OK;
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        if (fdt_list_find(list, devices[i].compatible) >= 0)
            devices[i].read(f, n);
    return OK;
}

/* ---- the whole ---- */

static status_t read_reservations(struct fdt *f)
{
    struct phys_range r;
    status_t st;
    for (uint32_t i = 0; (st = fdt_reservation(&f->t, i, &r)) == OK; i++)
        if ((st = machine_add_reserved(f->m, r.base, r.len_bytes, RESERVED_FIRMWARE)) != OK)
            return st;
    return st == ERR_NOT_FOUND ? OK : st;
}

/* A console given by alias, perhaps with ":options", becomes one given by path. */
static void resolve_stdout(struct fdt *f)
{
    struct fdt_prop p = f->stdout_path;
    char alias[32] = {};
    if (p.len == 0 || p.data[0] == '/')
        return;
    for (uint32_t i = 0; i < p.len && i < sizeof alias - 1 && p.data[i] != ':'; i++)
        alias[i] = (char)p.data[i];
    f->stdout_path = f->aliases.name == nullptr ? (struct fdt_prop){} : fdt_prop(&f->t, &f->aliases, alias);
}

status_t fdt_parse(void *blob, size_t blob_size, struct machine *out)
{
    struct fdt f = { .m = out };
    status_t st = fdt_tree_open(&f.t, blob, blob_size);
    if (st == OK)
        st = read_reservations(&f);
    if (f.t.error.what != nullptr)
        out->error = f.t.error;
    if (st == OK)
        st = fdt_tree_walk(&f.t, visit_first, &f);
    if (st != OK)
        return st;
    resolve_stdout(&f);
    (void)fdt_tree_walk(&f.t, visit_devices, &f); /* which stops at nothing */
    if (out->n_ram == 0)
        return firmware_fail(&out->error, ERR_NOT_FOUND, "device tree: no memory node", 0);
    if (out->n_harts == 0)
        return firmware_fail(&out->error, ERR_NOT_FOUND, "device tree: no cpu node", 0);
    return OK;
}
