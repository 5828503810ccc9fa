// sources: kernel/firmware/acpi/acpi.c base/acpi/acpi_tables.c lib/libplatform/acpi/tables.c
// sources: lib/libplatform/nodes.c kernel/firmware/machine.c kernel/firmware/acpi/pvh.c
/* SPDX-License-Identifier: MIT
 * The ACPI tables that QEMU makes: read right, and refused or read safely when they are damaged. */
#include "acpi_sums.h"
#include <kernel/firmware/acpi/acpi.h>
#include <kernel/firmware/acpi/pvh.h>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wsign-conversion" /* clang 19 warns of the bytes that #embed makes */
static const uint8_t q35_1[] = {
#embed "../../data/firmware/q35-1.mem"
};
static const uint8_t q35_4[] = {
#embed "../../data/firmware/q35-4.mem"
};
static const uint8_t q35_8[] = {
#embed "../../data/firmware/q35-8.mem"
};
static const uint8_t q35_plug[] = {
#embed "../../data/firmware/q35-plug.mem"
};
static const uint8_t q35_sparse[] = {
#embed "../../data/firmware/q35-sparse.mem"
};
static const uint8_t q35_numa[] = {
#embed "../../data/firmware/q35-numa.mem"
};
static const uint8_t q35_nohpet[] = {
#embed "../../data/firmware/q35-nohpet.mem"
};
static const uint8_t q35_bridge[] = {
#embed "../../data/firmware/q35-bridge.mem"
};
#pragma clang diagnostic pop

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

/* PVH first, for the RAM, then ACPI: as the kernel does. */
static void parse_dump(const uint8_t *dump, size_t len)
{
    uint64_t start_info = phys_load_dump(&phys, dump, len);
    struct firmware_memory mem = phys_memory(&phys);
    m = (struct machine){};
    assert_int_equal(pvh_parse(&mem, start_info, &m), OK);
    assert_int_equal(parse(m.rsdp), OK);
}

static void assert_hart_ids(const uint8_t *ids, uint32_t n)
{
    assert_int_equal(m.n_harts, n);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(m.hart[i].hw_id, ids[i]);
}

static void every_dump_parses_whole(void **)
{
    static const struct {
        const uint8_t *dump;
        size_t len;
        uint32_t harts;
        uint64_t hpet;
    } dumps[] = {
        { q35_1, sizeof q35_1, 1, 0xfed00000 },           { q35_4, sizeof q35_4, 4, 0xfed00000 },
        { q35_8, sizeof q35_8, 8, 0xfed00000 },           { q35_plug, sizeof q35_plug, 2, 0xfed00000 },
        { q35_sparse, sizeof q35_sparse, 6, 0xfed00000 }, { q35_numa, sizeof q35_numa, 4, 0xfed00000 },
        { q35_nohpet, sizeof q35_nohpet, 2, 0 },          { q35_bridge, sizeof q35_bridge, 1, 0xfed00000 },
    };
    for (size_t i = 0; i < COUNT(dumps); i++) {
        parse_dump(dumps[i].dump, dumps[i].len);
        assert_int_equal(m.left_out, 0);
        assert_int_equal(m.irqchip, IRQCHIP_APIC);
        assert_int_equal(m.n_harts, dumps[i].harts);
        assert_int_equal(m.apic.lapic_base, 0xfee00000);
        assert_false(m.apic.x2apic_needed);
        assert_true(m.apic.has_legacy_pics);
        assert_int_equal(m.apic.n_ioapics, 1);
        assert_int_equal(m.apic.ioapic[0].base, 0xfec00000);
        assert_int_equal(m.apic.ioapic[0].gsi_base, 0);
        assert_int_equal(m.timer.hpet_base, dumps[i].hpet);
        assert_int_equal(m.timer.pm_timer.space, REGISTER_IO);
        assert_int_equal(m.timer.pm_timer.address, 0x608);
        assert_int_equal(p.n_pci, 1);
        assert_int_equal(p.pci[0].ecam.base, 0xb0000000);
        assert_int_equal(p.pci[0].ecam.len_bytes, 256 << 20);
        assert_int_equal(p.pci[0].last_bus, 255);
        assert_int_equal(m.console.kind, CONSOLE_NS16550);
        assert_int_equal(m.console.base.address, 0x3f8);
        assert_irq(p.console_irq, 4, true, false);
        assert_int_equal(p.rtc.kind, RTC_CMOS);
        assert_int_equal(p.rtc.cmos_century, 0x32);
    }
}

static void interrupt_overrides_are_read(void **)
{
    static const uint8_t sources[] = { 0, 5, 9, 10, 11 };
    parse_dump(q35_1, sizeof q35_1);
    assert_int_equal(p.n_overrides, COUNT(sources));
    for (size_t i = 0; i < COUNT(sources); i++) {
        assert_int_equal(p.override[i].source, sources[i]);
        /* The timer goes to pin 2 as an edge; the others stay where they are, as levels. */
        assert_irq(p.override[i].irq, i == 0 ? 2 : sources[i], i == 0, false);
    }
}

static void power_off_and_reset_are_found(void **)
{
    parse_dump(q35_4, sizeof q35_4);
    assert_true(p.power.has_s5);
    assert_int_equal(p.power.slp_typ_a, 0);
    assert_int_equal(p.power.slp_typ_b, 0);
    assert_int_equal(p.power.pm1a_control.space, REGISTER_IO);
    assert_int_equal(p.power.pm1a_control.address, 0x604);
    assert_int_equal(p.power.pm1b_control.space, REGISTER_NONE);
    assert_int_equal(p.power.smi_command_port, 0xb2);
    assert_int_equal(p.power.acpi_enable, 2);
    assert_int_equal(p.power.reset.space, REGISTER_IO);
    assert_int_equal(p.power.reset.address, 0xcf9);
    assert_int_equal(p.power.reset_value, 0xf);
}

static void harts_to_be_plugged_in_later_are_left_out(void **)
{
    parse_dump(q35_plug, sizeof q35_plug);
    assert_hart_ids((const uint8_t[]){ 0, 1 }, 2);
}

static void apic_ids_need_not_be_dense(void **)
{
    parse_dump(q35_sparse, sizeof q35_sparse); /* two sockets of three cores */
    assert_hart_ids((const uint8_t[]){ 0, 1, 2, 4, 5, 6 }, 6);
}

static void numa_splits_the_ram_of_the_memory_map(void **)
{
    parse_dump(q35_numa, sizeof q35_numa);
    assert_int_equal(p.n_nodes, 2);
    assert_int_equal(p.n_domains, 2);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(p.hart[i].node, i / 2);
        assert_int_equal(p.hart[i].domain, i / 2);
    }
    assert_int_equal(p.n_memories, 3);
    assert_memory(&p, 0, 0, 0x9fc00, 0);
    assert_memory(&p, 1, 0x100000, 0x1ff00000, 0);
    assert_memory(&p, 2, 0x20000000, 0x1ffe0000, 1);
    assert_true(p.has_distances);
    assert_int_equal(p.distance[0][0], 10);
    assert_int_equal(p.distance[0][1], 20);
    assert_int_equal(p.distance[1][0], 20);
}

/* ---- damage ---- */

static void parse_damaged(uint64_t start_info)
{
    struct firmware_memory mem = phys_memory(&phys);
    m = (struct machine){};
    if (pvh_parse(&mem, start_info, &m) == OK)
        (void)parse(m.rsdp);
    phys_return_loans(&phys);
}

static void every_region_cut_anywhere_is_refused_or_sane(void **)
{
    uint64_t start_info = phys_load_dump(&phys, q35_numa, sizeof q35_numa);
    for (size_t r = 0; r < phys.n; r++) {
        size_t whole = phys.region[r].len;
        for (size_t len = 0; len < whole; len += whole > 1000 && len > 64 ? 61 : 1) {
            phys.region[r].len = len;
            parse_damaged(start_info);
        }
        phys.region[r].len = whole;
    }
}

/* Every table shortened by its own length field, and summed again so that this is believed. */
static void every_table_with_a_smaller_length_is_refused_or_sane(void **)
{
    uint64_t start_info = phys_load_dump(&phys, q35_numa, sizeof q35_numa);
    for (size_t r = 0; r < phys.n; r++) {
        size_t whole = phys.region[r].len;
        const uint8_t *bytes = phys.region[r].bytes;
        if (whole < 36 || le64_at(bytes) >> 32 != whole)
            continue;
        for (size_t len = 36; len < whole; len += whole > 1000 ? 61 : 1) {
            uint8_t *copy = exact_copy(bytes, len);
            put(copy + 4, len, 4);
            set_sum(copy, len, 9);
            phys.region[r].bytes = copy;
            phys.region[r].len = len;
            parse_damaged(start_info);
            free(copy);
        }
        phys.region[r].bytes = bytes;
        phys.region[r].len = whole;
    }
}

static void every_byte_damaged_is_refused_or_sane(void **)
{
    static const uint8_t flips[] = { 0x01, 0x80, 0xff };
    uint64_t start_info = phys_load_dump(&phys, q35_numa, sizeof q35_numa);
    for (size_t r = 0; r < phys.n; r++) {
        size_t whole = phys.region[r].len;
        const uint8_t *bytes = phys.region[r].bytes;
        bool is_table = whole >= 36 && le64_at(bytes) >> 32 == whole;
        uint8_t *copy = exact_copy(bytes, whole);
        phys.region[r].bytes = copy;
        for (size_t i = 0; i < whole; i += whole > 1000 && i > 64 ? 7 : 1) {
            for (size_t f = 0; f < COUNT(flips); f++) {
                copy[i] = bytes[i] ^ flips[f];
                parse_damaged(start_info);
                if (is_table) { /* and again with a sum that makes it believed */
                    set_sum(copy, whole, 9);
                    parse_damaged(start_info);
                    copy[9] = bytes[9];
                }
            }
            copy[i] = bytes[i];
        }
        phys.region[r].bytes = bytes;
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dump_parses_whole),
        cmocka_unit_test(interrupt_overrides_are_read),
        cmocka_unit_test(power_off_and_reset_are_found),
        cmocka_unit_test(harts_to_be_plugged_in_later_are_left_out),
        cmocka_unit_test(apic_ids_need_not_be_dense),
        cmocka_unit_test(numa_splits_the_ram_of_the_memory_map),
        cmocka_unit_test(every_region_cut_anywhere_is_refused_or_sane),
        cmocka_unit_test(every_table_with_a_smaller_length_is_refused_or_sane),
        cmocka_unit_test(every_byte_damaged_is_refused_or_sane),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
