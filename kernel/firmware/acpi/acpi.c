/* SPDX-License-Identifier: MIT
 * Reads ACPI tables.
 *
 * A table is used only after table_open() has checked that all of it can be read and that it sums to zero; after that
 * the one thing to check is that a field lies before its end. Which tables exist is asked of the root table each time,
 * so nothing is stored and their order does not matter.
 *
 * Sources: [ACPI] "Root System Description Pointer", "System Description Table Header", "FADT", "MADT", "SRAT", "SLIT",
 * "AML Byte Stream"; [PCI-FW] "MCFG Table Description"; [HPET] "The ACPI 2.0 HPET Description Table". */
#include <kernel/firmware/acpi/acpi.h>
#include <kernel/firmware/bytes.h>
#include <stdckdint.h>

enum : uint32_t { RSDP_V1_BYTES = 20, RSDP_V2_BYTES = 36, TABLE_HEADER_BYTES = 36 };

struct acpi {
    const struct firmware_memory *mem;
    struct machine *m;
    const uint8_t *root; /* the RSDT or XSDT */
    uint32_t n_entries;
    uint32_t entry_bytes; /* 4 or 8 */
};

/* A table that has been read and summed; without bytes if there is none. */
struct table {
    const uint8_t *bytes;
    uint32_t len;
    uint64_t pa;
};

static const void *mem_at(const struct firmware_memory *mem, uint64_t pa, size_t len)
{
    uint64_t end;
    return ckd_add(&end, pa, len) ? nullptr : mem->at(mem->ctx, pa, len);
}

static bool sums_to_zero(const uint8_t *p, size_t len)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + p[i]);
    return sum == 0;
}

static bool rsdp_ok(const uint8_t *p)
{
    return p != nullptr && memcmp(p, "RSD PTR ", 8) == 0 && sums_to_zero(p, RSDP_V1_BYTES);
}

/* ---- tables ---- */

static status_t table_open(const struct acpi *a, uint64_t pa, struct table *out)
{
    const uint8_t *p = mem_at(a->mem, pa, TABLE_HEADER_BYTES);
    if (p == nullptr)
        return ERR_BAD_ADDRESS;
    uint32_t len = load_le32(p + 4);
    if (len < TABLE_HEADER_BYTES)
        return ERR_BAD_ARGUMENT;
    if (len > ACPI_TABLE_MAX)
        return ERR_TOO_BIG;
    p = mem_at(a->mem, pa, len);
    if (p == nullptr)
        return ERR_BAD_ADDRESS;
    if (load_le32(p + 4) != len || !sums_to_zero(p, len))
        return ERR_BAD_ARGUMENT;
    *out = (struct table){ p, len, pa };
    return OK;
}

/* The first sound table of that signature, or one without bytes. */
static struct table table_find(const struct acpi *a, const char signature[static 4])
{
    struct table t;
    for (uint32_t i = 0; i < a->n_entries; i++) {
        const uint8_t *entry = a->root + TABLE_HEADER_BYTES + (size_t)i * a->entry_bytes;
        uint64_t pa = a->entry_bytes == 8 ? load_le64(entry) : load_le32(entry);
        const void *p = mem_at(a->mem, pa, TABLE_HEADER_BYTES);
        if (p == nullptr || memcmp(p, signature, 4) != 0)
            continue;
        if (table_open(a, pa, &t) == OK)
            return t;
        machine_leave_out(a->m, LEFT_OUT_ACPI_TABLE);
    }
    return (struct table){};
}

/* The fields of a table; 0 beyond its end, as older and shorter revisions want it. */
static uint64_t table_field(const struct table *t, uint32_t off, uint32_t size)
{
    uint64_t v = 0;
    if (off <= t->len && size <= t->len - off)
        memcpy(&v, t->bytes + off, size);
    return v;
}

/* A Generic Address Structure. [ACPI] "Generic Address Structure" */
static struct firmware_register table_register(const struct table *t, uint32_t off)
{
    uint64_t space = table_field(t, off, 1), address = table_field(t, off + 4, 8);
    if (space > 1 || address == 0)
        return (struct firmware_register){};
    return (struct firmware_register){ space == 0 ? REGISTER_MEMORY : REGISTER_IO, (uint8_t)table_field(t, off + 1, 1),
                                       address };
}

/* Visits the entries of MADT and SRAT: type, length, then the rest. Those of a type below n_types have a least length.
 */
static status_t each_entry(struct acpi *a, const struct table *t, uint32_t off, const uint8_t *least, size_t n_types,
                           void (*visit)(struct machine *m, const struct table *entry))
{
    while (off != t->len) {
        uint32_t len = (uint32_t)table_field(t, off + 1, 1);
        struct table entry = { t->bytes + off, len, t->pa + off };
        if (len < 2 || len > t->len - off || (entry.bytes[0] < n_types && len < least[entry.bytes[0]]))
            return machine_fail(a->m, ERR_BAD_ARGUMENT, "ACPI: MADT or SRAT: entry", entry.pa);
        visit(a->m, &entry);
        off += len;
    }
    return OK;
}

/* ---- MADT ---- */

static void add_hart(struct machine *m, uint64_t apic_id, uint64_t flags)
{
    if ((flags & 1) == 0)
        m->n_harts_disabled++; /* absent, or to be plugged in later */
    else if (machine_add_hart(m, apic_id) != nullptr && apic_id > 254)
        m->apic.x2apic_needed = true;
}

static void add_ioapic(struct machine *m, const struct table *e)
{
    if (m->apic.n_ioapics == MACHINE_IOAPIC_MAX)
        machine_leave_out(m, LEFT_OUT_IOAPIC);
    else
        m->apic.ioapic[m->apic.n_ioapics++] = (struct ioapic_info){ .id = (uint32_t)table_field(e, 2, 1),
                                                                    .base = table_field(e, 4, 4),
                                                                    .gsi_base = (uint32_t)table_field(e, 8, 4) };
}

static void add_override(struct machine *m, const struct table *e)
{
    uint64_t flags = table_field(e, 8, 2);
    if (m->apic.n_overrides == MACHINE_IRQ_OVERRIDE_MAX) {
        machine_leave_out(m, LEFT_OUT_IRQ_OVERRIDE);
        return;
    }
    m->apic.override[m->apic.n_overrides++] = (struct irq_override){
        .source = (uint8_t)table_field(e, 3, 1),
        .irq = { (uint32_t)table_field(e, 4, 4), (flags >> 2 & 3) != 3, (flags & 3) == 3 }, /* 3: level; low */
    };
}

static void visit_madt(struct machine *m, const struct table *e)
{
    uint8_t type = e->bytes[0];
    if (type == 0)
        add_hart(m, table_field(e, 3, 1), table_field(e, 3, 1) == 255 ? 0 : table_field(e, 4, 4));
    else if (type == 1)
        add_ioapic(m, e);
    else if (type == 2)
        add_override(m, e);
    else if (type == 5)
        m->apic.lapic_base = table_field(e, 4, 8);
    else if (type == 9)
        add_hart(m, table_field(e, 4, 4), table_field(e, 8, 4));
}

static status_t read_madt(struct acpi *a)
{
    static const uint8_t least[] = { [0] = 8, [1] = 12, [2] = 10, [5] = 12, [9] = 16 };
    struct table t = table_find(a, "APIC");
    struct machine *m = a->m;
    if (t.bytes == nullptr)
        return machine_fail(m, ERR_NOT_FOUND, "ACPI: no sound MADT", 0);
    m->irqchip = IRQCHIP_APIC;
    m->apic.lapic_base = table_field(&t, 36, 4);
    m->apic.has_legacy_pics = table_field(&t, 40, 4) & 1;
    status_t st = each_entry(a, &t, 44, least, sizeof least, visit_madt);
    return st != OK || m->n_harts > 0 ? st : machine_fail(m, ERR_NOT_FOUND, "ACPI: MADT: no enabled hart", t.pa);
}

/* ---- NUMA ---- */

static void set_hart_node(struct machine *m, uint64_t apic_id, uint64_t node)
{
    struct hart_info *h = machine_find_hart(m, apic_id);
    if (h != nullptr)
        h->node = machine_node(m, node);
}

static void visit_srat(struct machine *m, const struct table *e)
{
    uint8_t type = e->bytes[0];
    if (type > 2 || (table_field(e, type == 0 ? 4 : type == 1 ? 28 : 12, 4) & 1) == 0)
        return; /* not enabled */
    if (type == 0)
        set_hart_node(m, table_field(e, 3, 1), table_field(e, 2, 1) | table_field(e, 9, 3) << 8);
    else if (type == 1)
        machine_set_ram_node(m, table_field(e, 8, 8), table_field(e, 16, 8), machine_node(m, table_field(e, 2, 4)));
    else
        set_hart_node(m, table_field(e, 8, 4), table_field(e, 4, 4));
}

static status_t read_srat(struct acpi *a)
{
    static const uint8_t least[] = { 16, 40, 24 };
    struct table t = table_find(a, "SRAT");
    return t.bytes == nullptr ? OK : each_entry(a, &t, 48, least, sizeof least, visit_srat);
}

static status_t read_slit(struct acpi *a)
{
    struct table t = table_find(a, "SLIT");
    if (t.bytes == nullptr)
        return OK;
    uint64_t n = table_field(&t, 36, 8);
    if (t.len < 44 || n > 1024 || n * n > t.len - 44)
        return machine_fail(a->m, ERR_BAD_ARGUMENT, "ACPI: SLIT: matrix", t.pa);
    if (n > NUMA_NODE_MAX)
        machine_leave_out(a->m, LEFT_OUT_NODE);
    for (uint32_t from = 0; from < n && from < NUMA_NODE_MAX; from++)
        for (uint32_t to = 0; to < n && to < NUMA_NODE_MAX; to++)
            a->m->distance[from][to] = t.bytes[44 + from * (uint32_t)n + to];
    a->m->has_distances = n > 0;
    return OK;
}

/* ---- devices ---- */

static void read_mcfg(struct acpi *a)
{
    struct table t = table_find(a, "MCFG");
    struct machine *m = a->m;
    for (uint32_t off = 44; t.bytes != nullptr && off + 16 <= t.len; off += 16) {
        uint64_t base = table_field(&t, off, 8); /* of bus 0, even if bus 0 is not there */
        uint64_t first = table_field(&t, off + 10, 1), last = table_field(&t, off + 11, 1), end;
        if (last < first || ckd_add(&end, base, (last + 1) << 20) || m->n_pci == MACHINE_PCI_WINDOW_MAX)
            machine_leave_out(m, LEFT_OUT_PCI);
        else
            m->pci[m->n_pci++] = (struct pci_bridge){ .ecam = { base + (first << 20), (last - first + 1) << 20 },
                                                      .segment = (uint16_t)table_field(&t, off + 8, 2),
                                                      .first_bus = (uint8_t)first,
                                                      .last_bus = (uint8_t)last };
    }
}

static void read_hpet(struct acpi *a)
{
    struct table t = table_find(a, "HPET");
    struct firmware_register r = table_register(&t, 40);
    if (r.space == REGISTER_MEMORY)
        a->m->timer.hpet_base = r.address;
}

/* Reads an AML integer constant of at most 32 bits and steps over it. [ACPI] "Data Objects Encoding" */
static bool aml_integer(const struct table *t, uint32_t *off, uint64_t *v)
{
    uint64_t op = table_field(t, *off, 1);
    uint32_t size = op == 0x0a ? 1 : op == 0x0b ? 2 : op == 0x0c ? 4 : 0; /* BytePrefix, WordPrefix, DWordPrefix */
    if (size == 0 && op > 1 && op != 0xff)                                /* ZeroOp, OneOp, OnesOp */
        return false;
    *v = size == 0 ? op : table_field(t, *off + 1, size);
    *off += 1 + size;
    return *off <= t->len;
}

/* \_S5 is Name(_S5, Package {SLP_TYPa, SLP_TYPb, ...}) of constants, so finding its bytes does for running AML. */
static void read_s5(struct machine *m, const struct table *dsdt)
{
    for (uint32_t off = TABLE_HEADER_BYTES + 1; off + 8 <= dsdt->len; off++) {
        const uint8_t *p = dsdt->bytes + off;
        if (memcmp(p, "_S5_\x12", 5) != 0 || (p[-1] != 0x08 && (p[-1] != '\\' || p[-2] != 0x08)))
            continue;                            /* not NameOp, name, PackageOp */
        uint32_t at = off + 5 + 1 + (p[5] >> 6); /* PkgLength: 1 to 4 bytes */
        uint64_t count = table_field(dsdt, at++, 1), a, b = 0;
        if (count == 0 || !aml_integer(dsdt, &at, &a) || (count > 1 && !aml_integer(dsdt, &at, &b)))
            continue;
        m->power.has_s5 = true;
        m->power.slp_typ_a = a & 7;
        m->power.slp_typ_b = b & 7;
        return;
    }
}

/* A register given as a GAS in new tables and as a port number in all. */
static struct firmware_register fadt_register(const struct table *t, uint32_t gas, uint32_t port, uint8_t width_bits)
{
    struct firmware_register r = table_register(t, gas);
    uint64_t number = table_field(t, port, 4);
    if (r.space == REGISTER_NONE && number != 0)
        r = (struct firmware_register){ REGISTER_IO, width_bits, number };
    return r;
}

static void read_fadt(struct acpi *a)
{
    struct table t = table_find(a, "FACP"), dsdt;
    struct machine *m = a->m;
    struct power_info *p = &m->power;
    if (t.bytes == nullptr)
        return;
    uint64_t flags = table_field(&t, 112, 4);
    p->pm1a_control = fadt_register(&t, 172, 64, 16);
    p->pm1b_control = fadt_register(&t, 184, 68, 16);
    p->smi_command_port = (uint16_t)table_field(&t, 48, 4);
    p->acpi_enable = (uint8_t)table_field(&t, 52, 1);
    if ((flags & 1u << 10) != 0) { /* RESET_REG_SUP */
        p->reset = table_register(&t, 116);
        p->reset_value = (uint8_t)table_field(&t, 128, 1);
    }
    m->timer.pm_timer = fadt_register(&t, 208, 76, 32);
    m->timer.pm_timer_bits = (flags & 1u << 8) != 0 ? 32 : 24; /* TMR_VAL_EXT */
    if ((table_field(&t, 109, 2) & 1u << 5) == 0) {            /* "CMOS RTC Not Present" */
        m->rtc.kind = RTC_CMOS;
        m->rtc.cmos_century = (uint8_t)table_field(&t, 108, 1);
    }
    uint64_t pa = table_field(&t, 140, 8);
    if (pa == 0)
        pa = table_field(&t, 40, 4);
    if (pa == 0)
        return;
    if (table_open(a, pa, &dsdt) == OK)
        read_s5(m, &dsdt);
    else
        machine_leave_out(m, LEFT_OUT_ACPI_TABLE);
}

/* The serial port of every PC: no table of ours describes it. */
static void add_com1(struct machine *m)
{
    m->console = (struct console_info){ CONSOLE_NS16550, { REGISTER_IO, 8, 0x3f8 }, { 4, true, false } };
    for (uint32_t i = 0; i < m->apic.n_overrides; i++)
        if (m->apic.override[i].source == 4)
            m->console.irq = m->apic.override[i].irq;
}

/* ---- the whole ---- */

static status_t open_root(struct acpi *a, uint64_t rsdp_pa)
{
    const uint8_t *p = mem_at(a->mem, rsdp_pa, RSDP_V1_BYTES);
    struct table root;
    if (!rsdp_ok(p))
        return machine_fail(a->m, p == nullptr ? ERR_BAD_ADDRESS : ERR_BAD_ARGUMENT, "ACPI: RSDP", rsdp_pa);
    uint64_t pa = load_le32(p + 16);
    bool is_v2 = p[15] >= 2;
    a->entry_bytes = 4;
    if (is_v2) {
        p = mem_at(a->mem, rsdp_pa, RSDP_V2_BYTES);
        if (p == nullptr || load_le32(p + 20) != RSDP_V2_BYTES || !sums_to_zero(p, RSDP_V2_BYTES))
            return machine_fail(a->m, ERR_BAD_ARGUMENT, "ACPI: RSDP: extended part", rsdp_pa);
        if (load_le64(p + 24) != 0) {
            pa = load_le64(p + 24);
            a->entry_bytes = 8;
        }
    }
    status_t st = table_open(a, pa, &root);
    if (st == OK && memcmp(root.bytes, a->entry_bytes == 8 ? "XSDT" : "RSDT", 4) != 0)
        st = ERR_BAD_ARGUMENT;
    if (st != OK)
        return machine_fail(a->m, st, "ACPI: RSDT or XSDT", pa);
    a->root = root.bytes;
    a->n_entries = (root.len - TABLE_HEADER_BYTES) / a->entry_bytes;
    if (a->n_entries > ACPI_TABLE_COUNT_MAX) {
        machine_leave_out(a->m, LEFT_OUT_ACPI_TABLE);
        a->n_entries = ACPI_TABLE_COUNT_MAX;
    }
    return OK;
}

status_t acpi_parse(const struct firmware_memory *mem, uint64_t rsdp_pa, struct machine *out)
{
    struct acpi a = { .mem = mem, .m = out };
    if (rsdp_pa == 0)
        return machine_fail(out, ERR_NOT_FOUND, "ACPI: no RSDP", 0);
    status_t st = open_root(&a, rsdp_pa);
    if (st == OK)
        st = read_madt(&a);
    if (st == OK)
        st = read_srat(&a);
    if (st == OK)
        st = read_slit(&a);
    if (st != OK)
        return st;
    read_mcfg(&a);
    read_hpet(&a);
    read_fadt(&a);
    add_com1(out);
    machine_number_domains(out);
    return OK;
}
