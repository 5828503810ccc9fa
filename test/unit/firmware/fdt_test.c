// sources: kernel/firmware/fdt.c kernel/firmware/fdt_tree.c kernel/firmware/machine.c
/* SPDX-License-Identifier: MIT
 * Device trees: QEMU's own, ones made to reach each rule, and damaged ones. */
#include "tree_builder.h"
#include <kernel/firmware/fdt.h>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wsign-conversion" /* clang 19 warns of the bytes that #embed makes */
static const uint8_t gic2_1[] = {
#embed "../../data/firmware/virt-gic2-1.dtb"
};
static const uint8_t gic2_4[] = {
#embed "../../data/firmware/virt-gic2-4.dtb"
};
static const uint8_t gic2_8[] = {
#embed "../../data/firmware/virt-gic2-8.dtb"
};
static const uint8_t gic3_1[] = {
#embed "../../data/firmware/virt-gic3-1.dtb"
};
static const uint8_t gic3_2[] = {
#embed "../../data/firmware/virt-gic3-2.dtb"
};
static const uint8_t gic3_8[] = {
#embed "../../data/firmware/virt-gic3-8.dtb"
};
static const uint8_t gic3_130[] = {
#embed "../../data/firmware/virt-gic3-130.dtb"
};
static const uint8_t gic3_numa[] = {
#embed "../../data/firmware/virt-gic3-numa.dtb"
};
static const uint8_t gic2_numa[] = {
#embed "../../data/firmware/virt-gic2-numa.dtb"
};
static const uint8_t el2[] = {
#embed "../../data/firmware/virt-el2.dtb"
};
static const uint8_t secure[] = {
#embed "../../data/firmware/virt-secure.dtb"
};
static const uint8_t no_its[] = {
#embed "../../data/firmware/virt-no-its.dtb"
};

#pragma clang diagnostic pop

static struct machine m;
static struct tree t;

static status_t parse(const void *blob, size_t len)
{
    void *copy = exact_copy(blob, len);
    machine_init(&m);
    status_t st = fdt_parse(copy, len, &m);
    free(copy);
    if (st == OK)
        assert_sane(&m);
    else
        assert_non_null(m.error.what);
    return st;
}

static void parse_ok(const void *blob, size_t len)
{
    assert_int_equal(parse(blob, len), OK);
}

static status_t parse_tree(void)
{
    tree_finish(&t);
    return parse(t.blob, t.blob_len);
}

/* ---- what QEMU makes ---- */

static void every_dump_parses_whole(void **)
{
    static const struct {
        const uint8_t *blob;
        size_t len;
        uint32_t harts;
        uint64_t ram_bytes;
        enum irqchip_kind irqchip;
    } dumps[] = {
        { gic2_1, sizeof gic2_1, 1, 64ull << 20, IRQCHIP_GICV2 },
        { gic2_4, sizeof gic2_4, 4, 512ull << 20, IRQCHIP_GICV2 },
        { gic2_8, sizeof gic2_8, 8, 4ull << 30, IRQCHIP_GICV2 },
        { gic3_1, sizeof gic3_1, 1, 512ull << 20, IRQCHIP_GICV3 },
        { gic3_2, sizeof gic3_2, 2, 4ull << 30, IRQCHIP_GICV3 },
        { gic3_8, sizeof gic3_8, 8, 16ull << 30, IRQCHIP_GICV3 },
        { el2, sizeof el2, 2, 512ull << 20, IRQCHIP_GICV3 },
        { secure, sizeof secure, 2, 512ull << 20, IRQCHIP_GICV3 },
        { no_its, sizeof no_its, 2, 512ull << 20, IRQCHIP_GICV3 },
    };
    for (size_t i = 0; i < COUNT(dumps); i++) {
        parse_ok(dumps[i].blob, dumps[i].len);
        assert_int_equal(m.left_out, 0);
        assert_int_equal(m.n_harts, dumps[i].harts);
        assert_int_equal(m.n_ram, 1);
        assert_ram(&m, 0, 0x40000000, dumps[i].ram_bytes, 0);
        assert_int_equal(m.irqchip, dumps[i].irqchip);
        assert_int_equal(m.gic.dist.base, 0x08000000);
        assert_int_equal(m.console.kind, CONSOLE_PL011);
        assert_int_equal(m.console.base.address, 0x09000000);
        assert_irq(m.console.irq, 33, false, false);
        assert_int_equal(m.rtc.kind, RTC_PL031);
        assert_int_equal(m.rtc.pl031.base, 0x09010000);
        assert_int_equal(m.timer.secure_phys.number, 29);
        assert_int_equal(m.timer.phys.number, 30);
        assert_int_equal(m.timer.virt.number, 27);
        assert_int_equal(m.timer.hyp_phys.number, 26);
        assert_int_equal(m.n_virtio_mmio, 32);
        assert_int_equal(m.virtio_mmio[5].base, 0x0a000a00);
        assert_int_equal(m.virtio_mmio[5].len_bytes, 0x200);
        assert_irq(m.virtio_mmio[5].irq, 32 + 0x15, true, false);
        assert_int_equal(m.seed_len_bytes, 40);
        assert_int_equal(m.seed[0], 0x20);
        assert_int_equal(m.seed[32], 0x08);
        assert_int_equal(m.n_domains, dumps[i].harts == 8 && dumps[i].blob == gic3_8 ? 2 : 1);
    }
}

static void a_gicv2_has_its_cpu_interface_and_msi_frame(void **)
{
    parse_ok(gic2_4, sizeof gic2_4);
    assert_int_equal(m.gic.dist.len_bytes, 0x10000);
    assert_int_equal(m.gic.cpu.base, 0x08010000);
    assert_int_equal(m.gic.cpu.len_bytes, 0x10000);
    assert_int_equal(m.gic.v2m.base, 0x08020000);
    assert_int_equal(m.gic.n_redist, 0);
    assert_int_equal(m.gic.its.len_bytes, 0);
}

static void a_gicv3_has_its_redistributors_and_its(void **)
{
    parse_ok(gic3_2, sizeof gic3_2);
    assert_int_equal(m.gic.n_redist, 1);
    assert_int_equal(m.gic.redist[0].base, 0x080a0000);
    assert_int_equal(m.gic.redist[0].len_bytes, 0xf60000);
    assert_int_equal(m.gic.its.base, 0x08080000);
    assert_int_equal(m.gic.its.len_bytes, 0x20000);
    assert_int_equal(m.gic.v2m.len_bytes, 0);
    parse_ok(no_its, sizeof no_its);
    assert_int_equal(m.gic.its.len_bytes, 0);
}

static void harts_beyond_the_limit_are_reported_and_both_redistributor_regions_found(void **)
{
    parse_ok(gic3_130, sizeof gic3_130);
    assert_int_equal(m.n_harts, HART_MAX);
    assert_int_equal(m.n_left_out, 130 - HART_MAX);
    assert_int_equal(m.left_out, LEFT_OUT_HART);
    assert_int_equal(m.gic.n_redist, 2);
    assert_int_equal(m.gic.redist[1].base, 0x4000000000);
    assert_int_equal(m.hart[17].hw_id, 0x101); /* 16 to a cluster with a GICv3 */
}

static void clusters_are_coherence_domains(void **)
{
    parse_ok(gic3_8, sizeof gic3_8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(m.hart[i].hw_id, i);
        assert_int_equal(m.hart[i].domain, i / 4);
    }
}

static void numa_nodes_and_distances_are_read(void **)
{
    parse_ok(gic3_numa, sizeof gic3_numa);
    assert_int_equal(m.n_nodes, 2);
    assert_int_equal(m.n_ram, 2);
    assert_ram(&m, 0, 0x40000000, 512u << 20, 0);
    assert_ram(&m, 1, 0x60000000, 512u << 20, 1);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(m.hart[i].node, i / 2);
        assert_int_equal(m.hart[i].domain, i / 2);
    }
    assert_true(m.has_distances);
    assert_int_equal(m.distance[0][0], 10);
    assert_int_equal(m.distance[0][1], 20);
    assert_int_equal(m.distance[1][0], 20);
    assert_int_equal(m.distance[1][1], 10);
}

static void chosen_gives_command_line_and_initial_ram_disk(void **)
{
    parse_ok(gic2_4, sizeof gic2_4);
    assert_string_equal(m.cmdline, "console=serial autorun=selftest;poweroff");
    assert_int_equal(m.initrd.base, 0x48000000);
    assert_int_equal(m.initrd.len_bytes, 3000);
    assert_int_equal(m.n_reserved, 1);
    assert_int_equal(m.reserved[0].base, 0x48000000);
    assert_int_equal(m.reserved[0].kind, RESERVED_INITRD);
    parse_ok(gic2_numa, sizeof gic2_numa);
    assert_int_equal(m.initrd.len_bytes, 3000);
    parse_ok(gic2_8, sizeof gic2_8);
    assert_int_equal(m.initrd.len_bytes, 0);
    assert_string_equal(m.cmdline, "");
}

static void pci_windows_are_read(void **)
{
    parse_ok(gic3_8, sizeof gic3_8);
    assert_int_equal(m.n_pci, 1);
    assert_int_equal(m.pci[0].ecam.base, 0x4010000000);
    assert_int_equal(m.pci[0].ecam.len_bytes, 0x10000000);
    assert_int_equal(m.pci[0].first_bus, 0);
    assert_int_equal(m.pci[0].last_bus, 255);
    assert_int_equal(m.pci[0].io.cpu_base, 0x3eff0000);
    assert_int_equal(m.pci[0].io.bus_base, 0);
    assert_int_equal(m.pci[0].io.len_bytes, 0x10000);
    assert_int_equal(m.pci[0].mmio32.cpu_base, 0x10000000);
    assert_int_equal(m.pci[0].mmio32.len_bytes, 0x2eff0000);
    assert_int_equal(m.pci[0].mmio64.bus_base, 0x8000000000);
    assert_int_equal(m.pci[0].mmio64.len_bytes, 0x8000000000);
    parse_ok(no_its, sizeof no_its); /* also without high memory */
    assert_int_equal(m.pci[0].ecam.base, 0x3f000000);
    assert_int_equal(m.pci[0].last_bus, 15);
    assert_int_equal(m.pci[0].mmio64.len_bytes, 0);
}

static void psci_says_how_to_call_it(void **)
{
    parse_ok(gic3_2, sizeof gic3_2);
    assert_int_equal(m.psci.method, PSCI_HVC);
    assert_int_equal(m.psci.cpu_on_id, 0xc4000003);
    assert_false(m.psci.is_v0_1);
    parse_ok(el2, sizeof el2);
    assert_int_equal(m.psci.method, PSCI_SMC);
    parse_ok(secure, sizeof secure);
    assert_int_equal(m.psci.method, PSCI_NONE); /* what is below is ours, then */
}

/* ---- rules, one by one ---- */

static void disabled_nodes_and_their_children_do_not_exist(void **)
{
    tree_start_bootable(&t);
    tree_gic(&t);
    tree_begin(&t, "bus");
    tree_text(&t, "status", "disabled");
    tree_prop(&t, "ranges", nullptr, 0);
    tree_begin(&t, "serial@1000");
    tree_text(&t, "compatible", "arm,pl011");
    tree_cells(&t, "reg", 0, 0x1000, 0x1000);
    tree_end(&t);
    tree_end(&t);
    tree_end(&t);
    assert_int_equal(parse_tree(), OK);
    assert_int_equal(m.console.kind, CONSOLE_NONE);
}

static void a_disabled_hart_is_counted_and_not_listed(void **)
{
    tree_start_bootable(&t);
    tree_begin(&t, "cpus");
    tree_cells(&t, "#address-cells", 2);
    tree_cells(&t, "#size-cells", 0);
    tree_begin(&t, "cpu@1");
    tree_text(&t, "device_type", "cpu");
    tree_text(&t, "status", "fail");
    tree_cells(&t, "reg", 0, 1);
    tree_end(&t);
    tree_begin(&t, "cpu@100000002");
    tree_text(&t, "device_type", "cpu");
    tree_text(&t, "status", "okay");
    tree_cells(&t, "reg", 1, 2);
    tree_end(&t);
    tree_end(&t);
    tree_end(&t);
    assert_int_equal(parse_tree(), OK);
    assert_int_equal(m.n_harts, 2);
    assert_int_equal(m.n_harts_disabled, 1);
    assert_int_equal(m.hart[1].hw_id, 0x100000002);
}

static void addresses_are_translated_through_every_bus(void **)
{
    tree_start_bootable(&t);
    tree_begin(&t, "outer");
    tree_cells(&t, "#address-cells", 1);
    tree_cells(&t, "#size-cells", 1);
    tree_cells(&t, "ranges", 0x0, 1, 0x0, 0x1000, 0x10000, 2, 0x80000000, 0x10000);
    tree_begin(&t, "inner");
    tree_cells(&t, "#address-cells", 2);
    tree_cells(&t, "#size-cells", 1);
    tree_cells(&t, "ranges", 5, 0x0, 0x14000, 0x1000);
    for (uint32_t i = 0; i < 3; i++) { /* inside, up to the edge, over the edge */
        tree_begin(&t, "virtio");
        tree_text(&t, "compatible", "virtio,mmio");
        tree_cells(&t, "reg", 5, i == 0 ? 0x100 : 0xe00, i == 2 ? 0x201 : 0x200);
        tree_end(&t);
    }
    tree_end(&t);
    tree_begin(&t, "virtio"); /* on the outer bus */
    tree_text(&t, "compatible", "virtio,mmio");
    tree_cells(&t, "reg", 0x200, 0x200);
    tree_end(&t);
    tree_end(&t);
    tree_begin(&t, "island"); /* no ranges: out of reach */
    tree_begin(&t, "virtio");
    tree_text(&t, "compatible", "virtio,mmio");
    tree_cells(&t, "reg", 0, 0x200, 0x200);
    tree_end(&t);
    tree_end(&t);
    tree_end(&t);
    assert_int_equal(parse_tree(), OK);
    assert_int_equal(m.n_virtio_mmio, 3);
    assert_int_equal(m.virtio_mmio[0].base, 0x280004100);
    assert_int_equal(m.virtio_mmio[1].base, 0x280004e00);
    assert_int_equal(m.virtio_mmio[2].base, 0x100000200);
    assert_int_equal(m.left_out, LEFT_OUT_DEVICE);
    assert_int_equal(m.n_left_out, 2);
}

static void add_virtio_with_irq(const char *prop, const uint32_t *cells, size_t n)
{
    tree_begin(&t, "virtio");
    tree_text(&t, "compatible", "virtio,mmio");
    tree_cells(&t, "reg", 0, 0x1000, 0, 0x200);
    tree_array(&t, prop, cells, n);
    tree_end(&t);
}

static void interrupts_are_gic_numbers_or_none(void **)
{
    tree_start_bootable(&t);
    tree_gic(&t);
    add_virtio_with_irq("interrupts", (const uint32_t[]){ 0, 987, 8 }, 3);
    add_virtio_with_irq("interrupts", (const uint32_t[]){ 1, 15, 2 }, 3);
    add_virtio_with_irq("interrupts", (const uint32_t[]){ 0, 988, 1 }, 3);
    add_virtio_with_irq("interrupts", (const uint32_t[]){ 1, 16, 1 }, 3);
    add_virtio_with_irq("interrupts", (const uint32_t[]){ 2, 0, 1 }, 3);
    add_virtio_with_irq("interrupts", (const uint32_t[]){ 0, 1 }, 2);
    add_virtio_with_irq("interrupts-extended", (const uint32_t[]){ 1, 0, 7, 4 }, 4);
    add_virtio_with_irq("interrupts-extended", (const uint32_t[]){ 2, 0, 7, 4 }, 4);
    tree_begin(&t, "elsewhere");
    tree_cells(&t, "#address-cells", 2);
    tree_cells(&t, "#size-cells", 2);
    tree_cells(&t, "interrupt-parent", 9);
    tree_prop(&t, "ranges", nullptr, 0);
    add_virtio_with_irq("interrupts", (const uint32_t[]){ 0, 1, 4 }, 3);
    tree_end(&t);
    tree_end(&t);
    assert_int_equal(parse_tree(), OK);
    static const uint32_t expected[] = { 1019, 31, 0, 0, 0, 0, 39, 0, 0 };
    assert_int_equal(m.n_virtio_mmio, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_int_equal(m.virtio_mmio[i].irq.number, expected[i]);
    assert_irq(m.virtio_mmio[0].irq, 1019, false, true);
    assert_irq(m.virtio_mmio[1].irq, 31, true, true);
    assert_irq(m.virtio_mmio[6].irq, 39, false, false);
    assert_int_equal(m.n_left_out, 3);
}

static void timer_interrupts_may_be_named(void **)
{
    static const char names[] = "virt\0phys";
    tree_start_bootable(&t);
    tree_gic(&t);
    tree_begin(&t, "timer");
    tree_text(&t, "compatible", "arm,armv8-timer");
    tree_prop(&t, "interrupt-names", names, sizeof names);
    tree_cells(&t, "interrupts", 1, 11, 8, 1, 14, 8);
    tree_cells(&t, "clock-frequency", 62500000);
    tree_end(&t);
    tree_end(&t);
    assert_int_equal(parse_tree(), OK);
    assert_irq(m.timer.virt, 27, false, true);
    assert_irq(m.timer.phys, 30, false, true);
    assert_int_equal(m.timer.secure_phys.number, 0);
    assert_int_equal(m.timer.counter_hz, 62500000);
}

static void add_serial(const char *name, uint32_t address)
{
    tree_begin(&t, name);
    tree_text(&t, "compatible", "arm,pl011");
    tree_cells(&t, "reg", 0, address, 0, 0x1000);
    tree_end(&t);
}

static void two_serials_and_stdout(const char *stdout_path)
{
    tree_start_bootable(&t);
    tree_begin(&t, "chosen");
    if (stdout_path != nullptr)
        tree_text(&t, "stdout-path", stdout_path);
    tree_end(&t);
    add_serial("serial@1000", 0x1000);
    add_serial("serial@2000", 0x2000);
    add_serial("serial@3000", 0x3000);
    tree_begin(&t, "aliases");
    tree_text(&t, "serial1", "/serial@2000");
    tree_end(&t);
    tree_end(&t);
    assert_int_equal(parse_tree(), OK);
}

static void the_console_is_stdout_or_else_the_first_serial_port(void **)
{
    static const struct {
        const char *path;
        uint64_t base;
    } cases[] = {
        { nullptr, 0x1000 },
        { "/serial@2000", 0x2000 },
        { "/serial@3000:115200n8", 0x3000 },
        { "serial1", 0x2000 },
        { "serial1:115200", 0x2000 },
        { "serial9", 0x1000 },
        { "/serial@20000", 0x1000 },
        { "/serial@200", 0x1000 },
        { "/serial@2000/port", 0x1000 },
        { "", 0x1000 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        two_serials_and_stdout(cases[i].path);
        assert_int_equal(m.console.base.address, cases[i].base);
    }
}

static void reservations_come_from_both_places(void **)
{
    tree_start_bootable(&t);
    tree_reserve(&t, 0x40000000, 0x10000);
    tree_reserve(&t, 0x48000000, 0x2000);
    tree_begin(&t, "reserved-memory");
    tree_cells(&t, "#address-cells", 1);
    tree_cells(&t, "#size-cells", 1);
    tree_prop(&t, "ranges", nullptr, 0);
    tree_begin(&t, "secret@50000000");
    tree_cells(&t, "reg", 0x50000000, 0x1000, 0x50002000, 0x3000);
    tree_prop(&t, "no-map", nullptr, 0);
    tree_end(&t);
    tree_begin(&t, "wish"); /* asks for memory anywhere: nothing is reserved yet */
    tree_cells(&t, "size", 0x1000);
    tree_end(&t);
    tree_end(&t);
    tree_end(&t);
    assert_int_equal(parse_tree(), OK);
    assert_int_equal(m.n_reserved, 4);
    assert_int_equal(m.reserved[1].base, 0x48000000);
    assert_int_equal(m.reserved[1].kind, RESERVED_FIRMWARE);
    assert_int_equal(m.reserved[3].base, 0x50002000);
    assert_int_equal(m.reserved[3].len_bytes, 0x3000);
    assert_int_equal(m.reserved[3].kind, RESERVED_NO_MAP);
}

static void a_reservation_too_many_or_not_understood_is_an_error(void **)
{
    tree_start_bootable(&t);
    for (uint64_t i = 0; i <= RESERVED_REGION_MAX; i++)
        tree_reserve(&t, 0x40000000 + i * 0x10000, 0x1000);
    tree_end(&t);
    assert_int_equal(parse_tree(), ERR_TOO_BIG);
    t.n_reserve = RESERVED_REGION_MAX;
    t.structure_len -= 4;
    assert_int_equal(parse_tree(), OK);
    assert_int_equal(m.n_reserved, RESERVED_REGION_MAX);

    tree_start_bootable(&t);
    tree_begin(&t, "reserved-memory");
    tree_cells(&t, "#address-cells", 2);
    tree_cells(&t, "#size-cells", 2);
    tree_begin(&t, "half");
    tree_cells(&t, "reg", 0, 0x50000000, 0);
    tree_end(&t);
    tree_end(&t);
    tree_end(&t);
    assert_int_equal(parse_tree(), ERR_BAD_ARGUMENT);
    assert_string_equal(m.error.what, "device tree: reserved-memory: reg");
}

static void initrd_addresses_have_one_or_two_cells(void **)
{
    for (uint32_t wide = 0; wide < 2; wide++) {
        tree_start_bootable(&t);
        tree_begin(&t, "chosen");
        if (wide == 1) {
            tree_cells(&t, "linux,initrd-start", 1, 0x1000);
            tree_cells(&t, "linux,initrd-end", 1, 0x3000);
        } else {
            tree_cells(&t, "linux,initrd-start", 0x1000);
            tree_cells(&t, "linux,initrd-end", 0x3000);
        }
        tree_end(&t);
        tree_end(&t);
        assert_int_equal(parse_tree(), OK);
        assert_int_equal(m.initrd.base, (uint64_t)wide << 32 | 0x1000);
        assert_int_equal(m.initrd.len_bytes, 0x2000);
    }
    tree_start_bootable(&t);
    tree_begin(&t, "chosen");
    tree_cells(&t, "linux,initrd-start", 0x3000);
    tree_cells(&t, "linux,initrd-end", 0x1000);
    tree_end(&t);
    tree_end(&t);
    assert_int_equal(parse_tree(), ERR_BAD_ARGUMENT);
}

static void old_psci_has_its_own_function_ids(void **)
{
    tree_start_bootable(&t);
    tree_begin(&t, "psci");
    tree_text(&t, "compatible", "arm,psci");
    tree_text(&t, "method", "smc");
    tree_cells(&t, "cpu_on", 0x95c1ba60);
    tree_end(&t);
    tree_end(&t);
    assert_int_equal(parse_tree(), OK);
    assert_true(m.psci.is_v0_1);
    assert_int_equal(m.psci.cpu_on_id, 0x95c1ba60);
    assert_int_equal(m.psci.method, PSCI_SMC);
}

static void memory_cells_are_the_roots_and_memory_must_be_there(void **)
{
    t = (struct tree){};
    tree_begin(&t, "");
    tree_cells(&t, "#address-cells", 1);
    tree_cells(&t, "#size-cells", 1);
    tree_begin(&t, "memory");
    tree_text(&t, "device_type", "memory");
    tree_cells(&t, "reg", 0x80000000, 0x1000, 0x90000000, 0x2000);
    tree_end(&t);
    tree_begin(&t, "cpus");
    tree_cells(&t, "#address-cells", 1);
    tree_cells(&t, "#size-cells", 0);
    tree_begin(&t, "cpu");
    tree_text(&t, "device_type", "cpu");
    tree_cells(&t, "reg", 0x80000101);
    tree_end(&t);
    tree_end(&t);
    tree_end(&t);
    assert_int_equal(parse_tree(), OK);
    assert_int_equal(m.n_ram, 2);
    assert_ram(&m, 1, 0x90000000, 0x2000, 0);

    tree_start(&t);
    tree_end(&t);
    assert_int_equal(parse_tree(), ERR_NOT_FOUND);
    assert_string_equal(m.error.what, "device tree: no memory node");
}

static void distances_given_one_way_hold_the_other_way(void **)
{
    tree_start_bootable(&t);
    tree_begin(&t, "distance-map");
    tree_text(&t, "compatible", "numa-distance-map-v1");
    tree_cells(&t, "distance-matrix", 0, 0, 10, 0, 1, 30, 1, 1, 10, 0, NUMA_NODE_MAX, 40, 0, 2, 256);
    tree_end(&t);
    tree_end(&t);
    assert_int_equal(parse_tree(), OK);
    assert_int_equal(m.distance[1][0], 30);
    assert_int_equal(m.n_left_out, 2);
    assert_int_equal(m.left_out, LEFT_OUT_NODE);
}

static void devices_beyond_their_limits_are_reported(void **)
{
    tree_start_bootable(&t);
    for (uint32_t i = 0; i <= MACHINE_VIRTIO_MMIO_MAX; i++) {
        tree_begin(&t, "v");
        tree_text(&t, "compatible", "virtio,mmio");
        tree_cells(&t, "reg", 0, 0x1000 * (i + 1), 0, 0x200);
        tree_end(&t);
    }
    tree_end(&t);
    assert_int_equal(parse_tree(), OK);
    assert_int_equal(m.n_virtio_mmio, MACHINE_VIRTIO_MMIO_MAX);
    assert_int_equal(m.n_left_out, 1);
    assert_int_equal(m.left_out, LEFT_OUT_VIRTIO_MMIO);
}

/* ---- malformed ---- */

static void the_structure_must_nest(void **)
{
    const struct {
        const uint32_t *tokens;
        size_t n;
    } cases[] = {
        { (const uint32_t[]){ 9 }, 1 },                             /* no root */
        { (const uint32_t[]){ 2, 9 }, 2 },                          /* ends before it began */
        { (const uint32_t[]){ 1, 0, 9 }, 3 },                       /* open at the end */
        { (const uint32_t[]){ 1, 0, 2, 1, 0, 2, 9 }, 7 },           /* two roots */
        { (const uint32_t[]){ 1, 0, 2 }, 3 },                       /* no end */
        { (const uint32_t[]){ 1, 0, 2, 2, 9 }, 5 },                 /* one end too many */
        { (const uint32_t[]){ 3, 0, 0, 1, 0, 2, 9 }, 7 },           /* property before the root */
        { (const uint32_t[]){ 1, 0, 1, 0, 2, 3, 0, 0, 2, 9 }, 10 }, /* property after a child */
        { (const uint32_t[]){ 1, 0, 5, 2, 9 }, 5 },                 /* no such token */
        { (const uint32_t[]){ 1, 0, 3, 0xfffffff0, 0, 2, 9 }, 7 },  /* property reaches beyond the end */
        { (const uint32_t[]){ 1, 0, 3, 0, 1000, 2, 9 }, 7 },        /* name beyond the strings */
        { (const uint32_t[]){ 1, 0x61626364 }, 2 },                 /* name without an end */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        t = (struct tree){ .strings = "x", .strings_len = 2 };
        for (size_t j = 0; j < cases[i].n; j++)
            tree_cell(&t, cases[i].tokens[j]);
        tree_finish(&t);
        /* tree_finish() added an END: leave it out again. */
        put_be32(t.blob + 36, (uint32_t)(cases[i].n * 4));
        assert_int_equal(parse(t.blob, t.blob_len), ERR_BAD_ARGUMENT);
    }
}

static void depth_has_a_limit(void **)
{
    for (uint32_t extra = 0; extra < 2; extra++) {
        tree_start_bootable(&t);
        for (uint32_t i = 1; i < FDT_DEPTH_MAX + extra; i++)
            tree_begin(&t, "deeper");
        for (uint32_t i = 0; i < FDT_DEPTH_MAX + extra; i++)
            tree_end(&t);
        assert_int_equal(parse_tree(), extra == 0 ? OK : ERR_TOO_BIG);
    }
}

static void the_header_is_checked(void **)
{
    static const struct {
        uint32_t off, value;
        status_t expected;
    } cases[] = {
        { 0, 0xd00dfeee, ERR_BAD_ARGUMENT },  { 4, 39, ERR_BAD_ARGUMENT },
        { 4, FDT_SIZE_MAX + 1, ERR_TOO_BIG }, { 4, 1 << 20, ERR_BAD_ARGUMENT },
        { 8, 0xfffffffc, ERR_BAD_ARGUMENT },  { 8, 58, ERR_BAD_ARGUMENT },
        { 12, 0xffffffff, ERR_BAD_ARGUMENT }, { 16, 0xfffffff8, ERR_BAD_ARGUMENT },
        { 20, 16, ERR_NOT_SUPPORTED },        { 24, 18, ERR_NOT_SUPPORTED },
        { 32, 0xffffffff, ERR_BAD_ARGUMENT }, { 36, 0xffffffff, ERR_BAD_ARGUMENT },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t *copy = exact_copy(gic3_2, sizeof gic3_2);
        put_be32(copy + cases[i].off, cases[i].value);
        assert_int_equal(parse(copy, sizeof gic3_2), cases[i].expected);
        free(copy);
    }
}

static void size_needs_eight_bytes_and_no_more(void **)
{
    size_t total = 1;
    uint8_t *first = exact_copy(gic3_2, 8);
    assert_int_equal(fdt_size(first, 8, &total), OK);
    assert_int_equal(total, sizeof gic3_2);
    total = 1;
    assert_int_equal(fdt_size(first, 7, &total), ERR_BAD_ARGUMENT);
    put_be32(first + 4, FDT_SIZE_MAX);
    assert_int_equal(fdt_size(first, 8, &total), OK);
    assert_int_equal(total, FDT_SIZE_MAX);
    put_be32(first + 4, FDT_SIZE_MAX + 1);
    assert_int_equal(fdt_size(first, 8, &total), ERR_TOO_BIG);
    assert_int_equal(total, FDT_SIZE_MAX);
    free(first);
}

static void a_dump_cut_anywhere_is_refused(void **)
{
    for (size_t len = 0; len < sizeof gic2_numa; len++) {
        assert_int_equal(parse(gic2_numa, len), ERR_BAD_ARGUMENT);
        if (len < 8)
            continue;
        /* The same with a header that claims the cut length: an error, or a machine that is whole. */
        uint8_t *cut = exact_copy(gic2_numa, len);
        put_be32(cut + 4, (uint32_t)len);
        (void)parse(cut, len);
        free(cut);
    }
}

static void a_dump_damaged_anywhere_is_refused_or_sane(void **)
{
    static const uint8_t flips[] = { 0x01, 0x80, 0xff };
    uint8_t *copy = exact_copy(gic3_numa, sizeof gic3_numa);
    for (size_t i = 0; i < 40; i++)
        for (uint32_t v = 0; v < 256; v++) {
            copy[i] = (uint8_t)v;
            (void)parse(copy, sizeof gic3_numa);
            copy[i] = gic3_numa[i];
        }
    for (size_t i = 40; i < sizeof gic3_numa; i++) {
        copy[i] ^= flips[i % COUNT(flips)];
        (void)parse(copy, sizeof gic3_numa);
        copy[i] = gic3_numa[i];
    }
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dump_parses_whole),
        cmocka_unit_test(a_gicv2_has_its_cpu_interface_and_msi_frame),
        cmocka_unit_test(a_gicv3_has_its_redistributors_and_its),
        cmocka_unit_test(harts_beyond_the_limit_are_reported_and_both_redistributor_regions_found),
        cmocka_unit_test(clusters_are_coherence_domains),
        cmocka_unit_test(numa_nodes_and_distances_are_read),
        cmocka_unit_test(chosen_gives_command_line_and_initial_ram_disk),
        cmocka_unit_test(pci_windows_are_read),
        cmocka_unit_test(psci_says_how_to_call_it),
        cmocka_unit_test(disabled_nodes_and_their_children_do_not_exist),
        cmocka_unit_test(a_disabled_hart_is_counted_and_not_listed),
        cmocka_unit_test(addresses_are_translated_through_every_bus),
        cmocka_unit_test(interrupts_are_gic_numbers_or_none),
        cmocka_unit_test(timer_interrupts_may_be_named),
        cmocka_unit_test(the_console_is_stdout_or_else_the_first_serial_port),
        cmocka_unit_test(reservations_come_from_both_places),
        cmocka_unit_test(a_reservation_too_many_or_not_understood_is_an_error),
        cmocka_unit_test(initrd_addresses_have_one_or_two_cells),
        cmocka_unit_test(old_psci_has_its_own_function_ids),
        cmocka_unit_test(memory_cells_are_the_roots_and_memory_must_be_there),
        cmocka_unit_test(distances_given_one_way_hold_the_other_way),
        cmocka_unit_test(devices_beyond_their_limits_are_reported),
        cmocka_unit_test(the_structure_must_nest),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(the_header_is_checked),
        cmocka_unit_test(size_needs_eight_bytes_and_no_more),
        cmocka_unit_test(a_dump_cut_anywhere_is_refused),
        cmocka_unit_test(a_dump_damaged_anywhere_is_refused_or_sane),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
