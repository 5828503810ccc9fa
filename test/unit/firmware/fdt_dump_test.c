// sources: kernel/firmware/dt/fdt.c kernel/firmware/dt/seed.c base/dt/fdt_tree.c lib/libplatform/dt/tree.c
// sources: lib/libplatform/nodes.c kernel/firmware/machine.c
/* SPDX-License-Identifier: MIT
 * The device trees that QEMU makes: read right, and refused or read safely when they are damaged. */
#include "tree_builder.h"
#include <base/dt/fdt_tree.h>
#include <kernel/firmware/dt/fdt.h>

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

static struct machine m; /* as the kernel and then user space complete it */
static struct platform p;

static status_t parse(const void *blob, size_t len)
{
    void *copy = exact_copy(blob, len);
    m = (struct machine){};
    status_t st = fdt_parse(copy, len, &m);
    assert_int_equal(st == OK, m.error.what == nullptr);
    if (st == OK) {
        assert_sane(&m);
        /* User space shall not see the seed. That of the secure world, which nobody reads, is the same in the dump. */
        for (size_t i = 0; m.seed_len_bytes >= 8 && blob != secure && i + 8 <= len; i++)
            assert_memory_not_equal((const uint8_t *)copy + i, m.seed, 8);
        p = (struct platform){ .machine = m };
        platform_from_device_tree(&p, copy, len);
        m = p.machine;
        assert_sane(&m);
        assert_platform_sane(&p);
    }
    free(copy);
    return st;
}

static void parse_ok(const void *blob, size_t len)
{
    assert_int_equal(parse(blob, len), OK);
}

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
        assert_memory(&p, 0, 0x40000000, dumps[i].ram_bytes, 0);
        assert_int_equal(m.irqchip, dumps[i].irqchip);
        assert_int_equal(m.gic.regs[0].base, 0x08000000);
        assert_int_equal(m.console.kind, CONSOLE_PL011);
        assert_int_equal(m.console.base.address, 0x09000000);
        assert_irq(p.console_irq, 33, false, false);
        assert_int_equal(p.rtc.kind, RTC_PL031);
        assert_int_equal(p.rtc.pl031.base, 0x09010000);
        assert_int_equal(m.timer.virt_line, 27);
        assert_int_equal(p.n_virtio_mmio, 32);
        assert_int_equal(p.virtio_mmio[5].base, 0x0a000a00);
        assert_int_equal(p.virtio_mmio[5].len_bytes, 0x200);
        assert_irq(p.virtio_mmio[5].irq, 32 + 0x15, true, false);
        assert_int_equal(m.seed_len_bytes, 40);
        assert_int_equal(m.seed[0], 0x20);
        assert_int_equal(m.seed[32], 0x08);
        assert_int_equal(p.n_domains, dumps[i].harts == 8 && dumps[i].blob == gic3_8 ? 2 : 1);
    }
}

static void a_gicv2_has_its_cpu_interface_and_msi_frame(void **)
{
    parse_ok(gic2_4, sizeof gic2_4);
    assert_int_equal(m.gic.regs[0].len_bytes, 0x10000);
    assert_int_equal(m.gic.regs[1].base, 0x08010000);
    assert_int_equal(m.gic.regs[1].len_bytes, 0x10000);
    assert_int_equal(p.v2m.base, 0x08020000);
    assert_int_equal(m.gic.n_regs, 2);
    assert_int_equal(m.gic.its.len_bytes, 0);
}

static void a_gicv3_has_its_redistributors_and_its(void **)
{
    parse_ok(gic3_2, sizeof gic3_2);
    assert_int_equal(m.gic.n_regs, 2);
    assert_int_equal(m.gic.regs[1].base, 0x080a0000);
    assert_int_equal(m.gic.regs[1].len_bytes, 0xf60000);
    assert_int_equal(m.gic.its.base, 0x08080000);
    assert_int_equal(m.gic.its.len_bytes, 0x20000);
    assert_int_equal(p.v2m.len_bytes, 0);
    parse_ok(no_its, sizeof no_its);
    assert_int_equal(m.gic.its.len_bytes, 0);
}

static void harts_beyond_the_limit_are_reported_and_both_redistributor_regions_found(void **)
{
    parse_ok(gic3_130, sizeof gic3_130);
    assert_int_equal(m.n_harts, HART_MAX);
    assert_int_equal(m.n_left_out, 130 - HART_MAX);
    assert_int_equal(m.left_out, LEFT_OUT_HART);
    assert_int_equal(m.gic.n_regs, 3);
    assert_int_equal(m.gic.regs[2].base, 0x4000000000);
    assert_int_equal(m.hart[17].hw_id, 0x101); /* 16 to a cluster with a GICv3 */
}

static void clusters_are_coherence_domains(void **)
{
    parse_ok(gic3_8, sizeof gic3_8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(m.hart[i].hw_id, i);
        assert_int_equal(p.hart[i].domain, i / 4);
    }
}

static void numa_nodes_and_distances_are_read(void **)
{
    parse_ok(gic3_numa, sizeof gic3_numa);
    assert_int_equal(p.n_nodes, 2);
    assert_int_equal(m.n_ram, 2);
    assert_memory(&p, 0, 0x40000000, 512u << 20, 0);
    assert_memory(&p, 1, 0x60000000, 512u << 20, 1);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(p.hart[i].node, i / 2);
        assert_int_equal(p.hart[i].domain, i / 2);
    }
    assert_true(p.has_distances);
    assert_int_equal(p.distance[0][0], 10);
    assert_int_equal(p.distance[0][1], 20);
    assert_int_equal(p.distance[1][0], 20);
    assert_int_equal(p.distance[1][1], 10);
}

static void chosen_gives_command_line_and_initial_ram_disk(void **)
{
    parse_ok(gic2_4, sizeof gic2_4);
    assert_string_equal(m.cmdline, "console=serial autorun=selftest;poweroff");
    assert_int_equal(m.initrd.base, 0x48000000);
    assert_int_equal(m.initrd.len_bytes, 3000);
    assert_int_equal(m.n_reserved, 1);
    assert_int_equal(m.reserved[0].base, 0x48000000);
    assert_int_equal(m.reserved[0].base, m.initrd.base);
    parse_ok(gic2_numa, sizeof gic2_numa);
    assert_int_equal(m.initrd.len_bytes, 3000);
    parse_ok(gic2_8, sizeof gic2_8);
    assert_int_equal(m.initrd.len_bytes, 0);
    assert_string_equal(m.cmdline, "");
}

static void pci_windows_are_read(void **)
{
    parse_ok(gic3_8, sizeof gic3_8);
    assert_int_equal(p.n_pci, 1);
    assert_int_equal(p.pci[0].ecam.base, 0x4010000000);
    assert_int_equal(p.pci[0].ecam.len_bytes, 0x10000000);
    assert_int_equal(p.pci[0].first_bus, 0);
    assert_int_equal(p.pci[0].last_bus, 255);
    assert_int_equal(p.pci[0].io.cpu_base, 0x3eff0000);
    assert_int_equal(p.pci[0].io.bus_base, 0);
    assert_int_equal(p.pci[0].io.len_bytes, 0x10000);
    assert_int_equal(p.pci[0].mmio32.cpu_base, 0x10000000);
    assert_int_equal(p.pci[0].mmio32.len_bytes, 0x2eff0000);
    assert_int_equal(p.pci[0].mmio64.bus_base, 0x8000000000);
    assert_int_equal(p.pci[0].mmio64.len_bytes, 0x8000000000);
    parse_ok(no_its, sizeof no_its); /* also without high memory */
    assert_int_equal(p.pci[0].ecam.base, 0x3f000000);
    assert_int_equal(p.pci[0].last_bus, 15);
    assert_int_equal(p.pci[0].mmio64.len_bytes, 0);
}

static void psci_says_how_to_call_it(void **)
{
    parse_ok(gic3_2, sizeof gic3_2);
    assert_int_equal(m.psci, PSCI_HVC);
    parse_ok(el2, sizeof el2);
    assert_int_equal(m.psci, PSCI_SMC);
    parse_ok(secure, sizeof secure);
    assert_int_equal(m.psci, PSCI_NONE); /* what is below is ours, then */
}

/* ---- damage ---- */

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
        cmocka_unit_test(a_dump_cut_anywhere_is_refused),
        cmocka_unit_test(a_dump_damaged_anywhere_is_refused_or_sane),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
