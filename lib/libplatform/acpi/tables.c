/* SPDX-License-Identifier: MIT
 * What the kernel leaves of the ACPI tables: which RAM and which hart is of which node, how far apart nodes are, PCI
 * configuration space, how lines are wired, the clock chip, power-off and reset.
 *
 * Sources: [ACPI] "FADT", "MADT", "SRAT", "SLIT", "AML Byte Stream"; [PCI-FW] "MCFG Table Description". */
#include <base/acpi/acpi_tables.h>
#include <base/string.h>
#include <platform/platform.h>
#include <stdckdint.h>

static constexpr uint32_t TABLE_HEADER_BYTES = 36, COM1_IRQ = 4;

/* ---- NUMA ---- */

/* Types 0 and 2 are harts, 1 is memory. */
static void visit_srat(void *ctx, const struct acpi_table *e)
{
    struct platform *p = ctx;
    uint8_t type = e->bytes[0];
    if (type > 2 || (acpi_field(e, type == 0 ? 4 : type == 1 ? 28 : 12, 4) & 1) == 0)
        return; /* not enabled */
    if (type == 0)
        platform_set_hart_node(p, acpi_field(e, 3, 1), acpi_field(e, 2, 1) | acpi_field(e, 9, 3) << 8);
    else if (type == 1)
        platform_set_memory_node(p, acpi_field(e, 8, 8), acpi_field(e, 16, 8), acpi_field(e, 2, 4));
    else
        platform_set_hart_node(p, acpi_field(e, 8, 4), acpi_field(e, 4, 4));
}

static void read_srat(struct acpi *a, struct platform *p)
{
    static const uint8_t least[] = { 16, 40, 24 };
    struct acpi_table t = acpi_table_find(a, "SRAT");
    if (t.bytes != nullptr)
        (void)acpi_each_entry(a, &t, 48, least, sizeof least, visit_srat, p);
}

static void read_slit(struct acpi *a, struct platform *p)
{
    struct acpi_table t = acpi_table_find(a, "SLIT");
    if (t.bytes == nullptr)
        return;
    uint64_t n = acpi_field(&t, 36, 8);
    if (t.len < 44 || n > 1024 || n * n > t.len - 44) {
        (void)firmware_fail(&a->error, ERR_BAD_ARGUMENT, "ACPI: SLIT: matrix", t.pa);
        return;
    }
    if (n > NUMA_NODE_MAX)
        platform_leave_out(p, LEFT_OUT_NODE);
    for (uint32_t from = 0; from < n && from < NUMA_NODE_MAX; from++)
        for (uint32_t to = 0; to < n && to < NUMA_NODE_MAX; to++)
            p->distance[from][to] = t.bytes[44 + from * (uint32_t)n + to];
    p->has_distances = n > 0;
}

/* ---- interrupts ---- */

static void visit_madt(void *ctx, const struct acpi_table *e)
{
    struct platform *p = ctx;
    uint64_t flags = acpi_field(e, 8, 2);
    if (e->bytes[0] != 2)
        return;
    struct irq_override o = { (uint8_t)acpi_field(e, 3, 1),
                              { (uint32_t)acpi_field(e, 4, 4), (flags >> 2 & 3) != 3, (flags & 3) == 3 } };
    if (o.source == p->console_irq.number)
        p->console_irq = o.irq;
    if (p->n_overrides == MACHINE_IRQ_OVERRIDE_MAX)
        platform_leave_out(p, LEFT_OUT_IRQ_OVERRIDE);
    else
        p->override[p->n_overrides++] = o;
}

static void read_madt(struct acpi *a, struct platform *p)
{
    static const uint8_t least[] = { [2] = 10 };
    struct acpi_table t = acpi_table_find(a, "APIC");
    p->console_irq = (struct irq_info){ COM1_IRQ, true, false };
    if (t.bytes != nullptr)
        (void)acpi_each_entry(a, &t, 44, least, sizeof least, visit_madt, p);
}

/* ---- devices ---- */

static void read_mcfg(struct acpi *a, struct platform *p)
{
    struct acpi_table t = acpi_table_find(a, "MCFG");
    for (uint32_t off = 44; t.bytes != nullptr && off + 16 <= t.len; off += 16) {
        uint64_t base = acpi_field(&t, off, 8); /* of bus 0, even if bus 0 is not there */
        uint64_t first = acpi_field(&t, off + 10, 1), last = acpi_field(&t, off + 11, 1), end;
        if (last < first || ckd_add(&end, base, (last + 1) << 20) || p->n_pci == MACHINE_PCI_WINDOW_MAX)
            platform_leave_out(p, LEFT_OUT_PCI);
        else
            p->pci[p->n_pci++] = (struct pci_bridge){ .ecam = { base + (first << 20), (last - first + 1) << 20 },
                                                      .segment = (uint16_t)acpi_field(&t, off + 8, 2),
                                                      .first_bus = (uint8_t)first,
                                                      .last_bus = (uint8_t)last };
    }
}

/* Reads an AML integer constant of at most 32 bits and steps over it. [ACPI] "Data Objects Encoding" */
static bool aml_integer(const struct acpi_table *t, uint32_t *off, uint64_t *v)
{
    uint64_t op = acpi_field(t, *off, 1);
    uint32_t size = op == 0x0a ? 1 : op == 0x0b ? 2 : op == 0x0c ? 4 : 0; /* BytePrefix, WordPrefix, DWordPrefix */
    if (size == 0 && op > 1 && op != 0xff)                                /* ZeroOp, OneOp, OnesOp */
        return false;
    *v = size == 0 ? op : acpi_field(t, *off + 1, size);
    *off += 1 + size;
    return *off <= t->len;
}

/* \_S5 is Name(_S5, Package {SLP_TYPa, SLP_TYPb, ...}) of constants, so finding its bytes does for running AML. */
static void read_s5(struct power_info *power, const struct acpi_table *dsdt)
{
    for (uint32_t off = TABLE_HEADER_BYTES + 1; off + 8 <= dsdt->len; off++) {
        const uint8_t *p = dsdt->bytes + off;
        if (memcmp(p, "_S5_\x12", 5) != 0 || (p[-1] != 0x08 && (p[-1] != '\\' || p[-2] != 0x08)))
            continue;                            /* not NameOp, name, PackageOp */
        uint32_t at = off + 5 + 1 + (p[5] >> 6); /* PkgLength: 1 to 4 bytes */
        uint64_t count = acpi_field(dsdt, at++, 1), a, b = 0;
        if (count == 0 || !aml_integer(dsdt, &at, &a) || (count > 1 && !aml_integer(dsdt, &at, &b)))
            continue;
        power->has_s5 = true;
        power->slp_typ_a = a & 7;
        power->slp_typ_b = b & 7;
        return;
    }
}

static void read_fadt(struct acpi *a, struct platform *p)
{
    struct acpi_table t = acpi_table_find(a, "FACP"), dsdt;
    struct power_info *power = &p->power;
    if (t.bytes == nullptr)
        return;
    power->pm1a_control = acpi_fadt_register(&t, 172, 64, 16);
    power->pm1b_control = acpi_fadt_register(&t, 184, 68, 16);
    power->smi_command_port = (uint16_t)acpi_field(&t, 48, 4);
    power->acpi_enable = (uint8_t)acpi_field(&t, 52, 1);
    if ((acpi_field(&t, 112, 4) & 1u << 10) != 0) { /* RESET_REG_SUP */
        power->reset = acpi_register(&t, 116);
        power->reset_value = (uint8_t)acpi_field(&t, 128, 1);
    }
    if ((acpi_field(&t, 109, 2) & 1u << 5) == 0) { /* "CMOS RTC Not Present" */
        p->rtc.kind = RTC_CMOS;
        p->rtc.cmos_century = (uint8_t)acpi_field(&t, 108, 1);
    }
    uint64_t pa = acpi_field(&t, 140, 8);
    if (pa == 0)
        pa = acpi_field(&t, 40, 4);
    if (pa == 0)
        return;
    if (acpi_table_open(a, pa, &dsdt) == OK)
        read_s5(power, &dsdt);
    else
        a->n_unsound++;
}

void platform_from_acpi(struct platform *p, const struct firmware_memory *mem)
{
    struct acpi a;
    platform_begin(p);
    if (acpi_open(&a, mem, p->machine.rsdp) == OK) {
        read_madt(&a, p);
        read_srat(&a, p);
        read_slit(&a, p);
        read_mcfg(&a, p);
        read_fadt(&a, p);
    }
    if (a.n_unsound != 0)
        platform_leave_out(p, LEFT_OUT_ACPI_TABLE);
    p->machine.error = a.error;
    platform_end(p);
}
