// sources: kernel/firmware/acpi/pvh.c kernel/firmware/machine.c
/* SPDX-License-Identifier: MIT
 * PVH start information: QEMU's own, and made to reach each rule. */
#include "support.h"
#include <kernel/firmware/acpi/pvh.h>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wsign-conversion" /* clang 19 warns of the bytes that #embed makes */
static const uint8_t q35_4[] = {
#embed "../../data/firmware/q35-4.mem"
};
static const uint8_t q35_plug[] = {
#embed "../../data/firmware/q35-plug.mem"
};
#pragma clang diagnostic pop

static struct machine m;
static struct phys phys;

static status_t parse(uint64_t start_info)
{
    struct firmware_memory mem = phys_memory(&phys);
    m = (struct machine){};
    status_t st = pvh_parse(&mem, start_info, &m);
    phys_return_loans(&phys);
    if (st == OK)
        assert_sane(&m);
    else
        assert_non_null(m.error.what);
    return st;
}

static void qemus_start_information_is_read(void **)
{
    assert_int_equal(parse(phys_load_dump(&phys, q35_4, sizeof q35_4)), OK);
    assert_int_equal(m.n_ram, 2);
    assert_ram(&m, 0, 0, 0x9fc00);
    assert_ram(&m, 1, 0x100000, 0x1fee0000);
    assert_string_equal(m.cmdline, "console=serial autorun=selftest;poweroff");
    assert_int_equal(m.initrd.len_bytes, 3000);
    assert_int_equal(m.reserved[m.n_reserved - 1].base, m.initrd.base);
    assert_int_equal(m.reserved[m.n_reserved - 1].base, m.initrd.base);
    assert_true(m.initrd.base >= 0x100000 && m.initrd.base + 3000 <= 0x1ffe0000);
    assert_true(m.rsdp >= 0xe0000 && m.rsdp < 0x100000);
    assert_int_equal(m.left_out, 0);
}

static void ram_above_four_gigabytes_is_read(void **)
{
    assert_int_equal(parse(phys_load_dump(&phys, q35_plug, sizeof q35_plug)), OK);
    assert_int_equal(m.n_ram, 3);
    assert_ram(&m, 1, 0x100000, 0x7fee0000);
    assert_ram(&m, 2, 0x100000000, 14ull << 30);
    assert_int_equal(m.initrd.len_bytes, 0);
}

/* ---- made here ---- */

struct memmap_entry {
    uint64_t base, len;
    uint32_t type, reserved;
};

static struct {
    uint32_t magic, version, flags, n_modules;
    uint64_t modules, cmdline, rsdp, memmap;
    uint32_t n_memmap, reserved;
} info;
static struct memmap_entry memmap[PVH_MEMMAP_MAX + 1];
static uint64_t modules[RESERVED_REGION_MAX + 1][4];
static char cmdline[CMDLINE_MAX + 8];

static void make(void)
{
    memset(memmap, 0, sizeof memmap);
    memset(modules, 0, sizeof modules);
    memset(cmdline, 0, sizeof cmdline);
    memset(&info, 0, sizeof info);
    info.magic = 0x336ec578;
    info.version = 1;
    info.cmdline = 0x50000;
    info.modules = 0x30000;
    info.memmap = 0x20000;
    info.n_memmap = 1;
    memmap[0] = (struct memmap_entry){ 0x100000, 0x1000000, 1, 0 };
    phys = (struct phys){};
    phys_add(&phys, 0x10000, &info, sizeof info);
    phys_add(&phys, 0x20000, memmap, sizeof memmap);
    phys_add(&phys, 0x30000, modules, sizeof modules);
    phys_add(&phys, 0x50000, cmdline, sizeof cmdline);
}

static void kinds_of_memory_are_told_apart(void **)
{
    constexpr uint32_t others = 7; /* beside RAM, the last of them not known yet */
    make();
    for (uint32_t type = 2; type < 2 + others; type++)
        memmap[type - 1] = (struct memmap_entry){ 0x10000000 * type, 0x1000, type == 8 ? 0xffffffff : type, 0 };
    info.n_memmap = 1 + others;
    assert_int_equal(parse(0x10000), OK);
    assert_int_equal(m.n_ram, 1);
    assert_int_equal(m.n_reserved, others);
    for (size_t i = 0; i < others; i++)
        assert_int_equal(m.reserved[i].kind, RESERVED_FIRMWARE);
}

static void version_0_has_no_memory_map_and_is_refused(void **)
{
    make();
    info.version = 0;
    phys.region[0].len = 40;
    assert_int_equal(parse(0x10000), ERR_NOT_SUPPORTED);
    assert_string_equal(m.error.what, "PVH: version 0 has no memory map");
    info.version = 1;
    assert_int_equal(parse(0x10000), ERR_BAD_ADDRESS);
    info.magic++;
    assert_int_equal(parse(0x10000), ERR_BAD_ARGUMENT);
}

static void what_cannot_be_read_is_said(void **)
{
    make();
    assert_int_equal(parse(0x9000), ERR_BAD_ADDRESS);
    assert_int_equal(parse(UINT64_MAX - 7), ERR_BAD_ADDRESS);
    info.memmap = UINT64_MAX - 7;
    assert_int_equal(parse(0x10000), ERR_BAD_ADDRESS);
    make();
    info.cmdline = 0x51000;
    assert_int_equal(parse(0x10000), ERR_BAD_ADDRESS);
    info.cmdline = 0;
    assert_int_equal(parse(0x10000), OK);
    info.n_modules = 1;
    info.modules = 0;
    assert_int_equal(parse(0x10000), ERR_BAD_ADDRESS);
}

static void a_map_without_ram_or_with_nonsense_is_refused(void **)
{
    make();
    info.n_memmap = 0;
    assert_int_equal(parse(0x10000), ERR_NOT_FOUND);
    info.n_memmap = 2;
    memmap[1] = memmap[0];
    assert_int_equal(parse(0x10000), ERR_BAD_ARGUMENT);
    memmap[1] = (struct memmap_entry){ UINT64_MAX - 1, 8, 2, 0 };
    assert_int_equal(parse(0x10000), ERR_BAD_ARGUMENT);
}

static void the_memory_map_has_a_longest_length(void **)
{
    make();
    for (uint32_t i = 1; i <= PVH_MEMMAP_MAX; i++)
        memmap[i].type = 2; /* empty */
    info.n_memmap = PVH_MEMMAP_MAX;
    assert_int_equal(parse(0x10000), OK);
    info.n_memmap++;
    assert_int_equal(parse(0x10000), ERR_TOO_BIG);
}

static void modules_are_reserved_and_the_first_is_the_initial_ram_disk(void **)
{
    make();
    for (uint64_t i = 0; i < COUNT(modules); i++) {
        modules[i][0] = 0x200000 + 0x2000 * i;
        modules[i][1] = 0x1234;
    }
    info.n_modules = 2;
    assert_int_equal(parse(0x10000), OK);
    assert_int_equal(m.initrd.base, 0x200000);
    assert_int_equal(m.initrd.len_bytes, 0x1234);
    assert_int_equal(m.n_reserved, 2);
    assert_int_equal(m.reserved[0].base, m.initrd.base);
    assert_int_equal(m.reserved[1].kind, RESERVED_FIRMWARE);
    info.n_modules = RESERVED_REGION_MAX;
    assert_int_equal(parse(0x10000), OK);
    info.n_modules++;
    assert_int_equal(parse(0x10000), ERR_TOO_BIG);
    info.n_modules = 1;
    modules[0][1] = UINT64_MAX;
    assert_int_equal(parse(0x10000), ERR_BAD_ARGUMENT);
}

static void a_long_command_line_is_cut_with_a_report(void **)
{
    make();
    memset(cmdline, 'y', CMDLINE_MAX - 1);
    assert_int_equal(parse(0x10000), OK);
    assert_int_equal(strlen(m.cmdline), CMDLINE_MAX - 1);
    assert_int_equal(m.left_out, 0);
    memset(cmdline, 'y', sizeof cmdline);
    assert_int_equal(parse(0x10000), OK);
    assert_int_equal(strlen(m.cmdline), CMDLINE_MAX - 1);
    assert_int_equal(m.left_out, LEFT_OUT_CMDLINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qemus_start_information_is_read),
        cmocka_unit_test(ram_above_four_gigabytes_is_read),
        cmocka_unit_test(kinds_of_memory_are_told_apart),
        cmocka_unit_test(version_0_has_no_memory_map_and_is_refused),
        cmocka_unit_test(what_cannot_be_read_is_said),
        cmocka_unit_test(a_map_without_ram_or_with_nonsense_is_refused),
        cmocka_unit_test(the_memory_map_has_a_longest_length),
        cmocka_unit_test(modules_are_reserved_and_the_first_is_the_initial_ram_disk),
        cmocka_unit_test(a_long_command_line_is_cut_with_a_report),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
