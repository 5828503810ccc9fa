/* SPDX-License-Identifier: MIT
 * What the kernel needs of the ACPI tables: harts, interrupt controllers, which node a hart is of, and what keeps time.
 * The rest is read in user space (lib/libplatform).
 *
 * Sources: [ACPI] "FADT", "MADT", "SRAT"; [HPET] "The ACPI 2.0 HPET Description Table". */
#include <base/acpi/acpi_tables.h>
#include <kernel/firmware/acpi/acpi.h>

/* ---- MADT ---- */

static void add_hart(struct machine *m, uint64_t apic_id, uint64_t flags)
{
    /* Not enabled: absent, or to be plugged in later. */
    if ((flags & 1) != 0 && machine_add_hart(m, apic_id) != nullptr && apic_id > 254)
        m->apic.x2apic_needed = true;
}

static void add_ioapic(struct machine *m, const struct acpi_table *e)
{
    if (m->apic.n_ioapics == MACHINE_IOAPIC_MAX)
        machine_leave_out(m, LEFT_OUT_IOAPIC);
    else
        m->apic.ioapic[m->apic.n_ioapics++] = (struct ioapic_info){ .id = (uint32_t)acpi_field(e, 2, 1),
                                                                    .base = acpi_field(e, 4, 4),
                                                                    .gsi_base = (uint32_t)acpi_field(e, 8, 4) };
}

static void visit_madt(void *ctx, const struct acpi_table *e)
{
    struct machine *m = ctx;
    uint8_t type = e->bytes[0];
    if (type == 0)
        add_hart(m, acpi_field(e, 3, 1), acpi_field(e, 3, 1) == 255 ? 0 : acpi_field(e, 4, 4));
    else if (type == 1)
        add_ioapic(m, e);
    else if (type == 5)
        m->apic.lapic_base = acpi_field(e, 4, 8);
    else if (type == 9)
        add_hart(m, acpi_field(e, 4, 4), acpi_field(e, 8, 4));
}

static status_t read_madt(struct acpi *a, struct machine *m)
{
    static const uint8_t least[] = { [0] = 8, [1] = 12, [5] = 12, [9] = 16 };
    struct acpi_table t = acpi_table_find(a, "APIC");
    if (t.bytes == nullptr)
        return firmware_fail(&a->error, ERR_NOT_FOUND, "ACPI: no sound MADT", 0);
    m->irqchip = IRQCHIP_APIC;
    m->apic.lapic_base = acpi_field(&t, 36, 4);
    m->apic.has_legacy_pics = acpi_field(&t, 40, 4) & 1;
    status_t st = acpi_each_entry(a, &t, 44, least, sizeof least, visit_madt, m);
    return st != OK || m->n_harts > 0 ? st
                                      : firmware_fail(&a->error, ERR_NOT_FOUND, "ACPI: MADT: no enabled hart", t.pa);
}

/* ---- NUMA ---- */

static void visit_srat(void *ctx, const struct acpi_table *e)
{
    uint8_t type = e->bytes[0]; /* 0 and 2: a hart */
    bool wide = type == 2, enabled = (acpi_field(e, wide ? 12 : 4, 4) & 1) != 0;
    struct hart_info *h = machine_find_hart(ctx, wide ? acpi_field(e, 8, 4) : acpi_field(e, 3, 1));
    if ((type == 0 || wide) && enabled && h != nullptr)
        h->domain = wide ? acpi_field(e, 4, 4) : acpi_field(e, 2, 1) | acpi_field(e, 9, 3) << 8;
}

static status_t read_srat(struct acpi *a, struct machine *m)
{
    static const uint8_t least[] = { 16, 40, 24 };
    struct acpi_table t = acpi_table_find(a, "SRAT");
    return t.bytes == nullptr ? OK : acpi_each_entry(a, &t, 48, least, sizeof least, visit_srat, m);
}

/* ---- devices ---- */

static void read_timers(struct acpi *a, struct timer_info *timer)
{
    struct acpi_table hpet = acpi_table_find(a, "HPET"), fadt = acpi_table_find(a, "FACP");
    struct firmware_register r = acpi_register(&hpet, 40);
    if (r.space == REGISTER_MEMORY)
        timer->hpet_base = r.address;
    timer->pm_timer = acpi_fadt_register(&fadt, 208, 76, 32);
}

/* ---- the whole ---- */

status_t acpi_parse(const struct firmware_memory *mem, uint64_t rsdp_pa, struct machine *out)
{
    struct acpi a;
    status_t st = acpi_open(&a, mem, rsdp_pa);
    if (st == OK)
        st = read_madt(&a, out);
    if (st == OK)
        st = read_srat(&a, out);
    if (st == OK)
        read_timers(&a, &out->timer);
    if (a.n_unsound != 0)
        machine_leave_out(out, LEFT_OUT_ACPI_TABLE);
    out->error = a.error;
    /* The serial port of every PC: no table of ours describes it. */
    out->console = (struct console_info){ CONSOLE_NS16550, { REGISTER_IO, 8, 0x3f8 } };
    return st;
}
