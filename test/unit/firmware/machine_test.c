// sources: kernel/firmware/machine.c lib/libplatform/nodes.c kernel/firmware/dt/seed.c
/* SPDX-License-Identifier: MIT
 * The machine description keeps its invariants whatever the parsers add. */
#include "support.h"

static struct machine m;
static struct platform p;

static int fresh(void **)
{
    m = (struct machine){};
    return 0;
}

static void ram_is_sorted_whatever_its_order(void **)
{
    assert_int_equal(machine_add_ram(&m, 0x3000, 0x1000), OK);
    assert_int_equal(machine_add_ram(&m, 0x1000, 0x1000), OK);
    assert_int_equal(machine_add_ram(&m, 0x2000, 0x1000), OK);
    assert_int_equal(machine_add_ram(&m, 0x9000, 0), OK);
    assert_int_equal(m.n_ram, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_ram(&m, i, 0x1000 + i * 0x1000, 0x1000);
    assert_sane(&m);
}

static void ram_that_overlaps_or_wraps_is_refused(void **)
{
    static const uint64_t bad[][2] = { { 0x1000, 1 },     { 0xfff, 2 }, { 0x1fff, 0x1000 }, { 0, 0x4000 },
                                       { 0x1800, 0x100 }, { ~0ull, 1 }, { 0x8000, ~0ull } };
    assert_int_equal(machine_add_ram(&m, 0x1000, 0x1000), OK);
    for (size_t i = 0; i < COUNT(bad); i++) {
        m.error = (struct firmware_error){};
        assert_int_equal(machine_add_ram(&m, bad[i][0], bad[i][1]), ERR_BAD_ARGUMENT);
        assert_non_null(m.error.what);
    }
    assert_int_equal(m.n_ram, 1);
    assert_int_equal(machine_add_ram(&m, 0, 0x1000), OK);
    assert_int_equal(machine_add_ram(&m, 0x2000, 1), OK);
}

static void ram_beyond_the_limit_is_left_out_with_a_report(void **)
{
    for (uint32_t i = 0; i < MEMORY_REGION_MAX; i++)
        assert_int_equal(machine_add_ram(&m, i * 0x2000, 0x1000), OK);
    assert_int_equal(m.left_out, 0);
    assert_int_equal(machine_add_ram(&m, 0x10000000, 0x1000), OK);
    assert_int_equal(m.n_ram, MEMORY_REGION_MAX);
    assert_int_equal(m.left_out, LEFT_OUT_RAM);
    assert_sane(&m);
}

static void a_reservation_beyond_the_limit_is_an_error(void **)
{
    for (uint32_t i = 0; i < RESERVED_REGION_MAX; i++)
        assert_int_equal(machine_add_reserved(&m, i, 1, RESERVED_FIRMWARE), OK);
    assert_int_equal(machine_add_reserved(&m, 0, 0, RESERVED_FIRMWARE), OK);
    assert_int_equal(machine_add_reserved(&m, 0, 1, RESERVED_FIRMWARE), ERR_TOO_BIG);
}

static void free_memory_is_ram_that_nothing_reserves(void **)
{
    assert_int_equal(machine_free_from(&m, 0, 0x1000, 0x1000), UINT64_MAX);
    assert_int_equal(machine_add_ram(&m, 0x1800, 0x2800), OK); /* whole pages: 0x2000 and 0x3000 */
    assert_int_equal(machine_add_ram(&m, 0x10000, 0x4000), OK);
    assert_int_equal(machine_free_from(&m, 0, 0x1000, 0x1000), 0x2000);
    assert_int_equal(machine_free_from(&m, 0x2001, 0x1000, 0x1000), 0x3000);
    assert_int_equal(machine_free_from(&m, 0, 0x4000, 0x4000), 0x10000);
    assert_int_equal(machine_free_from(&m, 0, 0x5000, 0x1000), UINT64_MAX);
    assert_int_equal(machine_add_reserved(&m, 0x2fff, 2, RESERVED_FIRMWARE), OK); /* touches both */
    assert_int_equal(machine_free_from(&m, 0, 0x1000, 0x1000), 0x10000);
    /* the first one ends where the second begins, which was looked at before */
    assert_int_equal(machine_add_reserved(&m, 0x11000, 0x1000, RESERVED_FIRMWARE), OK);
    assert_int_equal(machine_add_reserved(&m, 0x10000, 0x1000, RESERVED_FIRMWARE), OK);
    assert_int_equal(machine_free_from(&m, 0, 0x1000, 0x1000), 0x12000);
    assert_int_equal(machine_add_reserved(&m, 0x12000, ~0ull - 0x12000, RESERVED_FIRMWARE), OK);
    assert_int_equal(machine_free_from(&m, 0, 0x1000, 0x1000), UINT64_MAX);
}

static void harts_are_listed_once_and_up_to_the_limit(void **)
{
    for (uint32_t i = 0; i < HART_MAX; i++)
        assert_non_null(machine_add_hart(&m, i * 3));
    assert_ptr_equal(machine_add_hart(&m, 3), &m.hart[1]);
    assert_int_equal(m.left_out, 0);
    assert_null(machine_add_hart(&m, 1));
    assert_int_equal(m.left_out, LEFT_OUT_HART);
    assert_int_equal(m.n_harts, HART_MAX);
    assert_null(machine_find_hart(&m, 1));
}

/* What the tables say of nodes comes on top of what the kernel found. */
static void begin(void)
{
    p = (struct platform){ .machine = m };
    platform_begin(&p);
}

static void nodes_beyond_the_limit_count_as_node_0(void **)
{
    for (uint32_t i = 0; i < 2; i++)
        assert_non_null(machine_add_hart(&m, 7 + i));
    begin();
    platform_set_hart_node(&p, 8, NUMA_NODE_MAX - 1);
    assert_int_equal(p.hart[1].node, NUMA_NODE_MAX - 1);
    assert_int_equal(p.n_nodes, NUMA_NODE_MAX);
    assert_int_equal(p.machine.left_out, 0);
    platform_set_hart_node(&p, 8, NUMA_NODE_MAX);
    platform_set_hart_node(&p, 9, 1); /* there is no such hart */
    assert_int_equal(p.hart[1].node, 0);
    assert_int_equal(p.machine.left_out, LEFT_OUT_NODE);
}

static void a_node_range_splits_the_ram_it_covers_in_part(void **)
{
    assert_int_equal(machine_add_ram(&m, 0x1000, 0x4000), OK);
    assert_int_equal(machine_add_ram(&m, 0x8000, 0x2000), OK);
    begin();
    platform_set_memory_node(&p, 0x2000, 0x1000, 1);
    platform_set_memory_node(&p, 0x4000, 0x5000, 2);
    platform_end(&p);
    assert_int_equal(p.n_memories, 6);
    assert_memory(&p, 0, 0x1000, 0x1000, 0);
    assert_memory(&p, 1, 0x2000, 0x1000, 1);
    assert_memory(&p, 2, 0x3000, 0x1000, 0);
    assert_memory(&p, 3, 0x4000, 0x1000, 2);
    assert_memory(&p, 4, 0x8000, 0x1000, 2);
    assert_memory(&p, 5, 0x9000, 0x1000, 0);
    assert_int_equal(p.machine.n_ram, 2);
    assert_platform_sane(&p);
}

static void a_node_range_may_reach_to_the_end_of_the_address_space(void **)
{
    assert_int_equal(machine_add_ram(&m, 0x1000, 0x4000), OK);
    begin();
    platform_set_memory_node(&p, 0x2000, UINT64_MAX, 1);
    assert_int_equal(p.n_memories, 2);
    assert_memory(&p, 1, 0x2000, 0x3000, 1);
    platform_set_memory_node(&p, 0, 0, 1);
    assert_memory(&p, 0, 0x1000, 0x1000, 0);
}

static void ram_that_cannot_be_split_keeps_its_node_and_is_reported(void **)
{
    for (uint32_t i = 0; i < MEMORY_REGION_MAX; i++)
        assert_int_equal(machine_add_ram(&m, i * 0x4000, 0x2000), OK);
    begin();
    platform_set_memory_node(&p, 0x1000, 0x1000, 1);
    platform_end(&p);
    assert_int_equal(p.machine.left_out, LEFT_OUT_NODE);
    assert_memory(&p, 0, 0, 0x2000, 0);
    assert_platform_sane(&p);
}

static void domains_are_clusters_within_nodes(void **)
{
    static const uint32_t node[] = { 0, 1, 0, 1, 0, 1 }, cluster[] = { 7, 7, 7, 7, 9, 9 },
                          domain[] = { 0, 1, 0, 1, 2, 3 };
    for (uint32_t i = 0; i < COUNT(node); i++)
        machine_add_hart(&m, i)->domain = cluster[i];
    begin();
    for (uint32_t i = 0; i < COUNT(node); i++)
        platform_set_hart_node(&p, i, node[i]);
    platform_end(&p);
    assert_int_equal(p.n_domains, 4);
    for (uint32_t i = 0; i < COUNT(node); i++)
        assert_int_equal(p.hart[i].domain, domain[i]);
    assert_platform_sane(&p);
}

static void a_command_line_that_fits_exactly_is_whole_and_one_longer_is_cut(void **)
{
    char text[CMDLINE_MAX];
    memset(text, 'x', sizeof text);
    machine_set_cmdline(&m, text, CMDLINE_MAX - 1);
    assert_int_equal(strlen(m.cmdline), CMDLINE_MAX - 1);
    assert_int_equal(m.left_out, 0);
    machine_set_cmdline(&m, text, CMDLINE_MAX);
    assert_int_equal(strlen(m.cmdline), CMDLINE_MAX - 1);
    assert_int_equal(m.left_out, LEFT_OUT_CMDLINE);
    machine_set_cmdline(&m, "quiet\0never seen", 16);
    assert_string_equal(m.cmdline, "quiet");
    assert_sane(&m);
}

static void seeds_add_up_to_the_limit(void **)
{
    uint8_t bytes[FIRMWARE_SEED_MAX];
    memset(bytes, 0x5a, sizeof bytes);
    machine_add_seed(&m, nullptr, 0);
    machine_add_seed(&m, bytes, FIRMWARE_SEED_MAX - 1);
    machine_add_seed(&m, bytes, 1);
    assert_int_equal(m.left_out, 0);
    assert_memory_equal(m.seed, bytes, sizeof bytes);
    machine_add_seed(&m, bytes, 1);
    assert_int_equal(m.left_out, LEFT_OUT_SEED);
    assert_int_equal(m.seed_len_bytes, FIRMWARE_SEED_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ram_is_sorted_whatever_its_order, fresh),
        cmocka_unit_test_setup(ram_that_overlaps_or_wraps_is_refused, fresh),
        cmocka_unit_test_setup(ram_beyond_the_limit_is_left_out_with_a_report, fresh),
        cmocka_unit_test_setup(a_reservation_beyond_the_limit_is_an_error, fresh),
        cmocka_unit_test_setup(free_memory_is_ram_that_nothing_reserves, fresh),
        cmocka_unit_test_setup(harts_are_listed_once_and_up_to_the_limit, fresh),
        cmocka_unit_test_setup(nodes_beyond_the_limit_count_as_node_0, fresh),
        cmocka_unit_test_setup(a_node_range_splits_the_ram_it_covers_in_part, fresh),
        cmocka_unit_test_setup(a_node_range_may_reach_to_the_end_of_the_address_space, fresh),
        cmocka_unit_test_setup(ram_that_cannot_be_split_keeps_its_node_and_is_reported, fresh),
        cmocka_unit_test_setup(domains_are_clusters_within_nodes, fresh),
        cmocka_unit_test_setup(a_command_line_that_fits_exactly_is_whole_and_one_longer_is_cut, fresh),
        cmocka_unit_test_setup(seeds_add_up_to_the_limit, fresh),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
