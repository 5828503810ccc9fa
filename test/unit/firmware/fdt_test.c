// sources: kernel/firmware/dt/fdt.c kernel/firmware/dt/seed.c base/dt/fdt_tree.c lib/libplatform/dt/tree.c
// sources: lib/libplatform/nodes.c kernel/firmware/machine.c
/* SPDX-License-Identifier: MIT
 * Device trees made to reach each rule of the reader, and to break each rule of the format. */
#include "tree_builder.h"
#include <base/dt/fdt_tree.h>
#include <kernel/firmware/dt/fdt.h>

static struct machine m; /* as the kernel and then user space complete it */
static struct platform p;
static struct tree t;

static status_t parse(const void *blob, size_t len)
{
    void *copy = exact_copy(blob, len);
    m = (struct machine){};
    status_t st = fdt_parse(copy, len, &m);
    assert_int_equal(st == OK, m.error.what == nullptr);
    if (st == OK) {
        assert_sane(&m);
        p = (struct platform){ .machine = m };
        platform_from_device_tree(&p, copy, len);
        m = p.machine;
        assert_sane(&m);
        assert_platform_sane(&p);
    }
    free(copy);
    return st;
}

static status_t parse_tree(void)
{
    tree_finish(&t);
    return parse(t.blob, t.blob_len);
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

static void a_disabled_hart_is_not_listed(void **)
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
    assert_int_equal(p.n_virtio_mmio, 3);
    assert_int_equal(p.virtio_mmio[0].base, 0x280004100);
    assert_int_equal(p.virtio_mmio[1].base, 0x280004e00);
    assert_int_equal(p.virtio_mmio[2].base, 0x100000200);
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
    assert_int_equal(p.n_virtio_mmio, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_int_equal(p.virtio_mmio[i].irq.number, expected[i]);
    assert_irq(p.virtio_mmio[0].irq, 1019, false, true);
    assert_irq(p.virtio_mmio[1].irq, 31, true, true);
    assert_irq(p.virtio_mmio[6].irq, 39, false, false);
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
    assert_int_equal(m.timer.virt_line, 27);
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

static void psci_before_0_2_is_not_used(void **)
{
    tree_start_bootable(&t);
    tree_begin(&t, "psci");
    tree_text(&t, "compatible", "arm,psci");
    tree_text(&t, "method", "smc");
    tree_cells(&t, "cpu_on", 0x95c1ba60);
    tree_end(&t);
    tree_end(&t);
    assert_int_equal(parse_tree(), OK);
    assert_int_equal(m.psci, PSCI_NONE);
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
    assert_memory(&p, 1, 0x90000000, 0x2000, 0);

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
    assert_int_equal(p.distance[1][0], 30);
    assert_int_equal(m.n_left_out, 2);
    assert_int_equal(m.left_out, LEFT_OUT_NODE);
}

static void add_pci(uint32_t ecam_len, uint32_t first_bus, uint32_t last_bus, uint32_t window_len)
{
    tree_begin(&t, "pcie");
    tree_text(&t, "compatible", "pci-host-ecam-generic");
    tree_cells(&t, "#address-cells", 3);
    tree_cells(&t, "#size-cells", 2);
    tree_cells(&t, "reg", 0, 0x30000000, 0, ecam_len);
    tree_cells(&t, "bus-range", first_bus, last_bus);
    tree_cells(&t, "ranges", 0x02000000, 0, 0x80000000, 1, 0x20000000, 0, window_len);
    tree_end(&t);
}

static void a_pci_bridge_has_configuration_space_for_its_buses(void **)
{
    tree_start_bootable(&t);
    add_pci(0x1000000, 4, 19, 0x1000);    /* 16 MiB for 16 buses */
    add_pci(0x1000000, 4, 20, 0x1000);    /* one bus too many */
    add_pci(0x1000000, 4, 3, 0x1000);     /* backwards */
    add_pci(0x1000000, 250, 256, 0x1000); /* no such bus */
    for (uint32_t i = 0; i < MACHINE_PCI_WINDOW_MAX; i++)
        add_pci(0x1000000, 0, 0, 0x1000);
    tree_end(&t);
    assert_int_equal(parse_tree(), OK);
    assert_int_equal(p.n_pci, MACHINE_PCI_WINDOW_MAX);
    assert_int_equal(p.pci[0].first_bus, 4);
    assert_int_equal(p.pci[0].last_bus, 19);
    assert_int_equal(p.pci[1].first_bus, 0);
    assert_int_equal(p.pci[0].ecam.base, 0x30000000);
    assert_int_equal(p.pci[0].mmio32.cpu_base, 0x120000000);
    assert_int_equal(p.pci[0].mmio32.bus_base, 0x80000000);
    assert_int_equal(m.n_left_out, 4);
    assert_int_equal(m.left_out, LEFT_OUT_DEVICE | LEFT_OUT_PCI);
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
    assert_int_equal(p.n_virtio_mmio, MACHINE_VIRTIO_MMIO_MAX);
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
        { (const uint32_t[]){ 1, 0, 3, 4, 0 }, 5 },                 /* value behind the end */
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
        tree_start_bootable(&t);
        tree_end(&t);
        assert_int_equal(parse_tree(), OK);
        put_be32(t.blob + cases[i].off, cases[i].value);
        assert_int_equal(parse(t.blob, t.blob_len), cases[i].expected);
    }
}

static void size_needs_eight_bytes_and_no_more(void **)
{
    size_t total = 1;
    tree_start_bootable(&t);
    tree_end(&t);
    tree_finish(&t);
    uint8_t *first = exact_copy(t.blob, 8);
    assert_int_equal(fdt_size(first, 8, &total), OK);
    assert_int_equal(total, t.blob_len);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disabled_nodes_and_their_children_do_not_exist),
        cmocka_unit_test(a_disabled_hart_is_not_listed),
        cmocka_unit_test(addresses_are_translated_through_every_bus),
        cmocka_unit_test(interrupts_are_gic_numbers_or_none),
        cmocka_unit_test(timer_interrupts_may_be_named),
        cmocka_unit_test(the_console_is_stdout_or_else_the_first_serial_port),
        cmocka_unit_test(reservations_come_from_both_places),
        cmocka_unit_test(a_reservation_too_many_or_not_understood_is_an_error),
        cmocka_unit_test(initrd_addresses_have_one_or_two_cells),
        cmocka_unit_test(psci_before_0_2_is_not_used),
        cmocka_unit_test(memory_cells_are_the_roots_and_memory_must_be_there),
        cmocka_unit_test(distances_given_one_way_hold_the_other_way),
        cmocka_unit_test(a_pci_bridge_has_configuration_space_for_its_buses),
        cmocka_unit_test(devices_beyond_their_limits_are_reported),
        cmocka_unit_test(the_structure_must_nest),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(the_header_is_checked),
        cmocka_unit_test(size_needs_eight_bytes_and_no_more),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
