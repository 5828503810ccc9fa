// sources: kernel/firmware/acpi/acpi.c base/acpi/acpi_tables.c lib/libplatform/acpi/tables.c
// sources: lib/libplatform/nodes.c kernel/firmware/machine.c
/* SPDX-License-Identifier: MIT
 * ACPI tables made to reach each rule, and to break it. */
#include "acpi_sums.h"
#include <kernel/firmware/acpi/acpi.h>

static struct machine m; /* as the kernel and then user space complete it */
static struct platform p;
static struct phys phys;

static status_t parse(uint64_t rsdp)
{
    struct firmware_memory mem = phys_memory(&phys);
    status_t st = acpi_parse(&mem, rsdp, &m);
    assert_int_equal(st == OK, m.error.what == nullptr);
    if (st == OK) {
        assert_sane(&m);
        m.rsdp = rsdp;
        p = (struct platform){ .machine = m };
        platform_from_acpi(&p, &mem);
        m = p.machine;
        m.error = (struct firmware_error){};
        assert_sane(&m);
        assert_platform_sane(&p);
        m.error = p.machine.error;
    }
    phys_return_loans(&phys);
    return st;
}

enum { TABLE_BYTES = 4096, TABLE_COUNT = 8, TABLES_AT = 0x10000, TABLE_STEP = 0x2000 };

static struct {
    uint8_t rsdp[36];
    uint8_t bytes[TABLE_COUNT][TABLE_BYTES]; /* 0 is the root */
    uint32_t len[TABLE_COUNT];
    uint32_t n;
    bool is_v2;
} made;

/* A zeroed table of that length whose header is right but for the sum; the test fills in the rest. */
static uint8_t *make_table(const char *signature, uint32_t len)
{
    assert_true(made.n < TABLE_COUNT && len <= TABLE_BYTES);
    uint8_t *t = made.bytes[made.n];
    memset(t, 0, TABLE_BYTES);
    memcpy(t, signature, 4);
    put(t + 4, len, 4);
    made.len[made.n++] = len;
    return t;
}

static void make_start(bool is_v2)
{
    made.n = 0;
    made.is_v2 = is_v2;
    (void)make_table(is_v2 ? "XSDT" : "RSDT", 36);
    uint8_t *madt = make_table("APIC", 52);
    put(madt + 36, 0xfee00000, 4);
    put(madt + 44, 0x0800, 2); /* LAPIC: length 8, type 0 */
    put(madt + 48, 1, 4);
}

/* Appends an entry to the table made last. */
static void make_entry(const void *bytes, uint32_t len)
{
    uint8_t *t = made.bytes[made.n - 1];
    memcpy(t + made.len[made.n - 1], bytes, len);
    made.len[made.n - 1] += len;
    put(t + 4, made.len[made.n - 1], 4);
}

static void make_done(void)
{
    uint32_t size = made.is_v2 ? 8 : 4;
    phys = (struct phys){};
    made.len[0] = 36;
    for (uint32_t i = 1; i < made.n; i++, made.len[0] += size)
        put(made.bytes[0] + made.len[0], TABLES_AT + i * TABLE_STEP, size);
    put(made.bytes[0] + 4, made.len[0], 4);
    for (uint32_t i = 0; i < made.n; i++) {
        set_sum(made.bytes[i], made.len[i], 9);
        phys_add(&phys, TABLES_AT + i * TABLE_STEP, made.bytes[i], made.len[i]);
    }
    memset(made.rsdp, 0, sizeof made.rsdp);
    memcpy(made.rsdp, "RSD PTR ", 8);
    made.rsdp[15] = made.is_v2 ? 2 : 0;
    put(made.rsdp + (made.is_v2 ? 24 : 16), TABLES_AT, size);
    put(made.rsdp + 20, 36, 4);
    set_sum(made.rsdp, 20, 8);
    set_sum(made.rsdp, 36, 32);
    phys_add(&phys, 0xe0000, made.rsdp, made.is_v2 ? 36 : 20);
}

static status_t parse_made(void)
{
    m = (struct machine){};
    m.n_ram = 0;
    assert_int_equal(machine_add_ram(&m, 0x100000, 0x10000000), OK);
    return parse(0xe0000);
}

static void both_root_tables_work(void **)
{
    for (uint32_t v2 = 0; v2 < 2; v2++) {
        make_start(v2 == 1);
        make_done();
        assert_int_equal(parse_made(), OK);
        assert_int_equal(m.n_harts, 1);
        assert_int_equal(m.timer.pm_timer.space, REGISTER_NONE);
        assert_false(p.power.has_s5);
    }
}

static void sums_are_checked(void **)
{
    make_start(true);
    make_done();
    made.rsdp[33] ^= 1;
    assert_int_equal(parse_made(), ERR_BAD_ARGUMENT);
    assert_string_equal(m.error.what, "ACPI: RSDP: extended part");
    made.rsdp[33] ^= 1;
    made.rsdp[9] ^= 1;
    assert_int_equal(parse_made(), ERR_BAD_ARGUMENT);
    assert_string_equal(m.error.what, "ACPI: RSDP");
    made.rsdp[9] ^= 1;
    made.bytes[0][10] ^= 1;
    assert_int_equal(parse_made(), ERR_BAD_ARGUMENT);
    made.bytes[0][10] ^= 1;
    made.bytes[1][10] ^= 1;
    assert_int_equal(parse_made(), ERR_NOT_FOUND);
    assert_string_equal(m.error.what, "ACPI: no sound MADT");
    assert_int_equal(m.left_out, LEFT_OUT_ACPI_TABLE);
    made.bytes[1][10] ^= 1;
    assert_int_equal(parse_made(), OK);
}

static void x2apic_entries_are_harts_too(void **)
{
    static const uint8_t big[16] = { 9, 16, 0, 0, 0x2c, 0x01, 0, 0, 1 }, twin[16] = { 9, 16, [8] = 1 },
                         off[16] = { 9, 16, 0, 0, 7 }, broadcast[8] = { 0, 8, 9, 255, 1 };
    make_start(true);
    make_entry(twin, sizeof twin); /* the hart that has a LAPIC entry already */
    make_entry(off, sizeof off);
    make_entry(broadcast, sizeof broadcast);
    make_done();
    assert_int_equal(parse_made(), OK);
    assert_int_equal(m.n_harts, 1);
    assert_false(m.apic.x2apic_needed);

    make_start(true);
    make_entry(big, sizeof big);
    make_done();
    assert_int_equal(parse_made(), OK);
    assert_int_equal(m.n_harts, 2);
    assert_int_equal(m.hart[1].hw_id, 300);
    assert_true(m.apic.x2apic_needed);
}

static void other_madt_entries(void **)
{
    static const uint8_t lapic_at[12] = { 5, 12, 0, 0, 0, 0, 0xe0, 0xfe, 1 }, nmi[6] = { 4, 6, 255, 0, 0, 1 },
                         unknown[3] = { 200, 3, 1 }, com1[10] = { 2, 10, 0, 4, 20, 0, 0, 0, 0xf, 0 };
    make_start(true);
    make_entry(lapic_at, sizeof lapic_at);
    make_entry(nmi, sizeof nmi);
    make_entry(unknown, sizeof unknown);
    make_entry(com1, sizeof com1);
    make_done();
    assert_int_equal(parse_made(), OK);
    assert_int_equal(m.apic.lapic_base, 0x1fee00000);
    assert_irq(p.console_irq, 20, false, true);
}

static void malformed_madt_entries_are_refused(void **)
{
    static const uint8_t zero[8] = { 0, 0 }, shorter[7] = { 0, 7 }, beyond[8] = { 0, 9 }, one[1] = { 0 },
                         tiny_ioapic[4] = { 1, 4 }, tiny_x2apic[12] = { 9, 12 };
    static const struct {
        const uint8_t *bytes;
        uint32_t len;
    } cases[] = { { zero, 8 }, { shorter, 7 }, { beyond, 8 }, { one, 1 }, { tiny_ioapic, 4 }, { tiny_x2apic, 12 } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        make_start(true);
        make_entry(cases[i].bytes, cases[i].len);
        make_done();
        assert_int_equal(parse_made(), ERR_BAD_ARGUMENT);
    }
}

static void chips_and_overrides_beyond_the_limit_are_reported(void **)
{
    make_start(true);
    for (uint8_t i = 0; i <= MACHINE_IOAPIC_MAX; i++)
        make_entry((const uint8_t[12]){ 1, 12, i }, 12);
    for (uint8_t i = 0; i <= MACHINE_IRQ_OVERRIDE_MAX; i++)
        make_entry((const uint8_t[10]){ 2, 10, 0, i }, 10);
    for (uint8_t i = 0; i <= HART_MAX; i++)
        make_entry((const uint8_t[8]){ 0, 8, i, i, 1 }, 8);
    make_done();
    assert_int_equal(parse_made(), OK);
    assert_int_equal(m.apic.n_ioapics, MACHINE_IOAPIC_MAX);
    assert_int_equal(p.n_overrides, MACHINE_IRQ_OVERRIDE_MAX);
    assert_int_equal(m.n_harts, HART_MAX);
    assert_int_equal(m.n_left_out, 3);
    assert_int_equal(m.left_out, LEFT_OUT_IOAPIC | LEFT_OUT_IRQ_OVERRIDE | LEFT_OUT_HART);
}

static void srat_reads_wide_ids_and_wide_nodes(void **)
{
    static const uint8_t x2apic[24] = { 2, 24, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1 },
                         far[16] = { 0, 16, 1, 0, 1, 0, 0, 0, 0, 1 }; /* node 0x101, beyond the limit */
    static const uint8_t off[16] = { 0, 16, 9 };                      /* an entry that is not enabled says nothing */
    uint8_t memory[40] = { 1, 40, 63, [28] = 1 };
    put(memory + 8, 0x8000000, 8);
    put(memory + 16, 0x1000000, 8);
    make_start(true);
    (void)make_table("SRAT", 48);
    make_entry(far, sizeof far);
    make_entry(x2apic, sizeof x2apic);
    make_entry(memory, sizeof memory);
    make_entry(off, sizeof off);
    make_done();
    assert_int_equal(parse_made(), OK);
    assert_int_equal(p.hart[0].node, 5);
    assert_int_equal(p.n_nodes, 64);
    assert_int_equal(m.left_out, LEFT_OUT_NODE);
    assert_int_equal(p.n_memories, 3);
    assert_memory(&p, 1, 0x8000000, 0x1000000, 63);
}

static void a_slit_must_hold_its_matrix(void **)
{
    for (uint64_t n = 0; n < 4; n++) {
        make_start(true);
        put(make_table("SLIT", 44 + 4) + 36, n, 8);
        make_done();
        assert_int_equal(parse_made(), OK); /* the kernel does not look at it */
        assert_int_equal(m.error.what == nullptr, n <= 2);
        assert_int_equal(p.has_distances, n == 1 || n == 2);
    }
    put(made.bytes[2] + 36, 1ull << 32, 8); /* its square is 0 in 64 bits */
    make_done();
    assert_int_equal(parse_made(), OK);
    assert_string_equal(m.error.what, "ACPI: SLIT: matrix");
    make_start(true);
    (void)make_table("SLIT", 43);
    make_done();
    assert_int_equal(parse_made(), OK);
    assert_string_equal(m.error.what, "ACPI: SLIT: matrix");
}

static void mcfg_addresses_are_of_bus_0(void **)
{
    make_start(true);
    uint8_t *t = make_table("MCFG", 44 + 3 * 16);
    put(t + 44, 0xe0000000, 8);
    put(t + 52, 3, 2);
    put(t + 54, 0x20, 1);
    put(t + 55, 0x3f, 1);
    put(t + 60, 0xfffffffffff00000, 8); /* wraps */
    put(t + 71, 1, 1);
    put(t + 86, 2, 1); /* last bus before first */
    put(t + 87, 1, 1);
    make_done();
    assert_int_equal(parse_made(), OK);
    assert_int_equal(p.n_pci, 1);
    assert_int_equal(p.pci[0].segment, 3);
    assert_int_equal(p.pci[0].first_bus, 0x20);
    assert_int_equal(p.pci[0].ecam.base, 0xe2000000);
    assert_int_equal(p.pci[0].ecam.len_bytes, 0x2000000);
    assert_int_equal(m.n_left_out, 2);
}

/* A FADT of the given length and a DSDT with the given code. */
static void make_fadt(uint32_t len, const void *aml, uint32_t aml_len)
{
    make_start(true);
    uint8_t *fadt = make_table("FACP", len);
    put(fadt + 40, TABLES_AT + 3 * TABLE_STEP, 4);
    put(fadt + 64, 0x604, 4);
    put(fadt + 76, 0x608, 4);
    (void)make_table("DSDT", 36);
    make_entry(aml, aml_len);
    make_done();
}

static void an_old_short_fadt_will_do(void **)
{
    static const uint8_t aml[] = "\x08_S5_\x12\x06\x04\x0a\x05\x01\x00\x00";
    make_fadt(116, aml, sizeof aml);
    assert_int_equal(parse_made(), OK);
    assert_int_equal(p.power.pm1a_control.address, 0x604);
    assert_int_equal(m.timer.pm_timer.address, 0x608);
    assert_int_equal(p.power.reset.space, REGISTER_NONE);
    assert_true(p.power.has_s5);
    assert_int_equal(p.power.slp_typ_a, 5);
    assert_int_equal(p.power.slp_typ_b, 1);
}

static void new_fadt_fields_win(void **)
{
    make_fadt(276, "", 0);
    uint8_t *fadt = made.bytes[2];
    put(fadt + 112, 1 << 8 | 1 << 10, 4);
    put(fadt + 109, 1 << 5, 2);
    put(fadt + 116, 0, 1);
    put(fadt + 120, 0xfed40000, 8);
    put(fadt + 208, 0x2001, 2); /* I/O, 32 bits */
    put(fadt + 212, 0x1008, 8);
    put(fadt + 172, 0x0200, 2); /* PM1a control in memory */
    put(fadt + 172, 0, 1);
    put(fadt + 176, 0xfed50000, 8);
    put(fadt + 184, 7, 1); /* PM1b control in a space that we do not know */
    put(fadt + 188, 1, 8);
    make_done();
    assert_int_equal(parse_made(), OK);
    assert_int_equal(m.timer.pm_timer.address, 0x1008);
    assert_int_equal(p.rtc.kind, RTC_NONE);
    assert_int_equal(p.power.reset.space, REGISTER_MEMORY);
    assert_int_equal(p.power.reset.address, 0xfed40000);
    assert_int_equal(p.power.pm1a_control.space, REGISTER_MEMORY);
    assert_int_equal(p.power.pm1a_control.address, 0xfed50000);
    assert_int_equal(p.power.pm1b_control.space, REGISTER_NONE);
    assert_false(p.power.has_s5);
}

static void the_sleep_package_is_found_in_its_forms(void **)
{
    static const struct {
        const char *aml;
        uint32_t len;
        int a, b; /* -1: not found */
    } cases[] = {
        { "\x08_S5_\x12\x04\x02\x01\x00", 10, 1, 0 },
        { "\x08\\_S5_\x12\x06\x02\x0a\x07\x0a\x06", 13, 7, 6 },
        { "\x08_S5_\x12\x47\x00\x02\x0b\x05\x00\x0c\x04\x00\x00\x00", 17, 5, 4 },
        { "\x08_S5_\x12\x04\x01\xff", 9, 7, 0 },
        { "xx_S5_\x12\x04\x02\x01\x00", 11, -1, 0 },   /* not a definition */
        { "\x08_S5_\x12\x04\x02\x01", 9, -1, 0 },      /* ends too soon */
        { "\x08_S5_\x12\x04\x02\x70\x00", 10, -1, 0 }, /* not a constant */
        { "\x08_S5_\x12\x04\x00\x01\x00", 10, -1, 0 }, /* empty package */
        { "\x08_S5_", 5, -1, 0 },
        { "\x08_S5_\x12", 6, -1, 0 },
        { "\x08_S5_\x12\x04\x00\x00\x00\x08_S5_\x12\x04\x02\x03\x00\x00\x08_S5_\x12\x04\x02\x01\x00", 31, 1, 0 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        make_fadt(116, cases[i].aml, cases[i].len);
        assert_int_equal(parse_made(), OK);
        assert_int_equal(p.power.has_s5, cases[i].a >= 0);
        if (cases[i].a >= 0) {
            assert_int_equal(p.power.slp_typ_a, cases[i].a);
            assert_int_equal(p.power.slp_typ_b, cases[i].b);
        }
    }
}

static void a_table_has_a_largest_size(void **)
{
    make_start(true);
    make_done();
    put(made.bytes[0] + 4, ACPI_TABLE_MAX + 1, 4);
    assert_int_equal(parse_made(), ERR_TOO_BIG);
    put(made.bytes[0] + 4, ACPI_TABLE_MAX, 4);
    assert_int_equal(parse_made(), ERR_BAD_ADDRESS);
    put(made.bytes[0] + 4, 35, 4);
    assert_int_equal(parse_made(), ERR_BAD_ARGUMENT);
}

static void root_entries_beyond_the_limit_are_reported(void **)
{
    for (uint32_t extra = 0; extra < 2; extra++) {
        make_start(false);
        make_done();
        uint32_t len = 36 + 4 * (ACPI_TABLE_COUNT_MAX + extra);
        put(made.bytes[0] + 36 + 4 * (ACPI_TABLE_COUNT_MAX - 1), TABLES_AT + TABLE_STEP, 4);
        put(made.bytes[0] + 36, 0x77777777, 4); /* unreadable, as are the zeros that follow */
        put(made.bytes[0] + 4, len, 4);
        set_sum(made.bytes[0], len, 9);
        phys.region[0].len = len;
        assert_int_equal(parse_made(), OK);
        assert_int_equal(m.n_harts, 1);
        assert_int_equal(m.left_out, extra == 0 ? 0 : LEFT_OUT_ACPI_TABLE);
    }
}

static void nothing_there_is_said(void **)
{
    phys = (struct phys){};
    m = (struct machine){};
    assert_int_equal(parse(0), ERR_NOT_FOUND);
    assert_int_equal(parse(0xe0000), ERR_BAD_ADDRESS);
    assert_int_equal(parse(UINT64_MAX - 3), ERR_BAD_ADDRESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_root_tables_work),
        cmocka_unit_test(sums_are_checked),
        cmocka_unit_test(x2apic_entries_are_harts_too),
        cmocka_unit_test(other_madt_entries),
        cmocka_unit_test(malformed_madt_entries_are_refused),
        cmocka_unit_test(chips_and_overrides_beyond_the_limit_are_reported),
        cmocka_unit_test(srat_reads_wide_ids_and_wide_nodes),
        cmocka_unit_test(a_slit_must_hold_its_matrix),
        cmocka_unit_test(mcfg_addresses_are_of_bus_0),
        cmocka_unit_test(an_old_short_fadt_will_do),
        cmocka_unit_test(new_fadt_fields_win),
        cmocka_unit_test(the_sleep_package_is_found_in_its_forms),
        cmocka_unit_test(a_table_has_a_largest_size),
        cmocka_unit_test(root_entries_beyond_the_limit_are_reported),
        cmocka_unit_test(nothing_there_is_said),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
