/* SPDX-License-Identifier: MIT
 * The page-table walker, whatever the entry format: included by one test program for each format. Frames need not
 * exist, so that 1 GiB leaves cost nothing. */
#pragma once
#include "cmocka_kassert.h"
#include <abi/types.h>
#include <isa/hart.h>
#include <kernel/entry.h>
#include <kernel/pt.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define RO ((uint32_t)VX_PROT_READ)
#define RW ((uint32_t)(VX_PROT_READ | VX_PROT_WRITE))
#define RX ((uint32_t)(VX_PROT_READ | VX_PROT_EXEC))
#define FRAME_BASE (UINT64_C(64) * GIB) /* a frame that does not exist */

_Thread_local struct hart *host_hart;
static struct hart hart;
static struct reticle root;
static struct arch_aspace as;
static uint64_t free_at_start;

static int setup(void **)
{
    host_hart = &hart;
    host_ram_reset();
    host_ram_add(16 * MIB, 8 * MIB);
    assert_int_equal(reticle_boot(&root, &(struct ram_range){ 16 * MIB, 8 * MIB }, 1), OK);
    paddr_t page;
    assert_int_equal(reticle_alloc(&root, 0, PAGE_TABLE, &page), OK);
    arch_page_zero(arch_phys_to_virt(page));
    arch_aspace_init(&as, page);
    free_at_start = root.free_pages;
    return 0;
}

static int teardown(void **)
{
    arch_aspace_fini(&as);
    return 0;
}

static uint64_t random_state = 88172645463325252u;
static uint64_t random_below(uint64_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % n;
}

static void install(uint64_t va, unsigned level, uint64_t pa, uint32_t prot, enum mem_type type)
{
    struct block_list tables = {};
    struct pt_plan plan = { 0, PT_LEVELS };
    unsigned n = pt_plan_leaf(&plan, as.root, va, level), reached;
    assert_int_equal(pt_reserve(&tables, &root, n), OK);
    uint64_t *e = pt_walk(as.root, va, level, &reached);
    pt_install(e, reached, va, level, (paddr_t){ pa }, prot, type, &tables);
    assert_int_equal(tables.first, 0); /* the plan was exact */
}

static void clear(uint64_t from, uint64_t to, uint64_t floor, uint64_t ceiling)
{
    struct pt_edit e;
    pt_edit_begin(&e, &as, &root);
    e.floor = floor;
    e.ceiling = ceiling;
    pt_clear(&e, from, to);
    pt_edit_end(&e);
}

static void expect(uint64_t va, uint64_t pa, uint32_t prot, enum mem_type type)
{
    unsigned level;
    uint64_t e = *pt_walk(as.root, va, 0, &level);
    assert_int_not_equal(e, 0);
    assert_int_equal(pt_frame(e) + (va & (pt_span(level) - 1)), pa);
    if (prot == VX_PROT_NONE) {
        assert_true(pt_is_parked(e));
        return;
    }
    assert_true(pte_present(e) && pte_is_leaf(e, level));
    assert_int_equal(pte_prot(e), prot | PTE_USER);
    assert_int_equal(pte_type(e), type);
}

static void leaves_of_every_size_are_found_again(void **)
{
    static const uint32_t prots[] = { RO, RW, RX, VX_PROT_NONE };
    for (unsigned level = 0; level <= ARCH_LEAF_MAX; level++) {
        for (unsigned i = 0; i < 4; i++) {
            uint64_t va = 5 * GIB + i * pt_span(level), pa = FRAME_BASE + i * pt_span(level);
            /* executable frames are touched: the instruction cache must learn of them */
            install(va, level, pa, prots[i], prots[i] == RX ? MEM_NORMAL : MEM_DEVICE);
            expect(va, pa, prots[i], prots[i] == RX ? MEM_NORMAL : MEM_DEVICE);
            expect(va + pt_span(level) - 1, pa + pt_span(level) - 1, prots[i],
                   prots[i] == RX ? MEM_NORMAL : MEM_DEVICE);
        }
        clear(5 * GIB, 5 * GIB + 4 * pt_span(level), 0, PT_USER_END);
        assert_int_equal(root.free_pages, free_at_start);
    }
}

static void the_first_and_the_last_user_page_have_tables_that_go(void **)
{
    static const uint64_t ends[] = { 0x10000, PT_USER_END - 2 * ARCH_PAGE_SIZE };
    for (unsigned i = 0; i < 2; i++) {
        install(ends[i], 0, FRAME_BASE, RW, MEM_NORMAL);
        assert_int_equal(root.free_pages, free_at_start - 3);
        clear(ends[i], ends[i] + ARCH_PAGE_SIZE, 0, PT_USER_END);
        assert_int_equal(root.free_pages, free_at_start);
    }
}

static void tables_stay_while_a_neighbour_needs_them(void **)
{
    install(4 * GIB, 0, FRAME_BASE, RW, MEM_NORMAL);
    install(4 * GIB + 4 * ARCH_PAGE_SIZE, 0, FRAME_BASE, RW, MEM_NORMAL);
    install(4 * GIB + 2 * MIB, 0, FRAME_BASE, RW, MEM_NORMAL);
    assert_int_equal(root.free_pages, free_at_start - 4);
    clear(4 * GIB, 4 * GIB + ARCH_PAGE_SIZE, 0, 4 * GIB + 4 * ARCH_PAGE_SIZE);
    assert_int_equal(root.free_pages, free_at_start - 4);
    clear(4 * GIB + 4 * ARCH_PAGE_SIZE, 4 * GIB + 5 * ARCH_PAGE_SIZE, 0, 4 * GIB + 2 * MIB);
    assert_int_equal(root.free_pages, free_at_start - 3);
    clear(4 * GIB + 2 * MIB, 4 * GIB + 2 * MIB + ARCH_PAGE_SIZE, 0, PT_USER_END);
    assert_int_equal(root.free_pages, free_at_start);
}

/* Ascending leaves of mixed size: what the plan counts is what building them takes. */
static void a_plan_counts_tables_exactly(void **)
{
    for (unsigned round = 0; round < 200; round++) {
        struct {
            uint64_t va;
            unsigned level;
        } leaf[24];
        struct pt_plan plan = { 0, PT_LEVELS };
        struct block_list tables = {};
        unsigned n = 0, reached;
        uint64_t va = random_below(3) * 511 * GIB + random_below(512) * 2 * MIB + VX_MAP_BASE;
        for (unsigned i = 0; i < 24; i++) {
            leaf[i].level = pt_fit(va, 0, random_below(4) == 0 ? 3 * GIB : random_below(3) * 2 * MIB + ARCH_PAGE_SIZE);
            leaf[i].va = va;
            n += pt_plan_leaf(&plan, as.root, va, leaf[i].level);
            va += pt_span(leaf[i].level);
            if (random_below(3) == 0)
                va = (va + random_below(3) * GIB + 2 * MIB) & ~(2 * MIB - 1);
        }
        assert_int_equal(pt_reserve(&tables, &root, n), OK);
        for (unsigned i = 0; i < 24; i++) {
            uint64_t *e = pt_walk(as.root, leaf[i].va, leaf[i].level, &reached);
            pt_install(e, reached, leaf[i].va, leaf[i].level, (paddr_t){ FRAME_BASE }, RO, MEM_NORMAL, &tables);
        }
        assert_int_equal(tables.first, 0);
        assert_int_equal(root.free_pages, free_at_start - n);
        clear(leaf[0].va, va, 0, PT_USER_END);
        assert_int_equal(root.free_pages, free_at_start);
    }
}

/* A boundary of random alignment inside [base, base + span). */
static uint64_t random_cut(uint64_t base, uint64_t span)
{
    static const uint64_t grain[] = { ARCH_PAGE_SIZE, 2 * MIB, 64 * MIB };
    uint64_t g = grain[random_below(3)];
    return base + random_below(span / g + 1) * g;
}

static void splitting_a_large_leaf_keeps_every_page_where_it_was(void **)
{
    for (unsigned round = 0; round < 300; round++) {
        unsigned level = 1 + (unsigned)random_below(2);
        uint32_t prot = (const uint32_t[]){ RO, RW, RX, VX_PROT_NONE }[random_below(4)];
        enum mem_type type = prot != RX && prot != VX_PROT_NONE && random_below(2) == 0 ? MEM_DEVICE : MEM_NORMAL;
        uint64_t base = 6 * GIB, span = pt_span(level);
        install(base, level, FRAME_BASE, prot, type);
        uint64_t a = random_cut(base, span), b = random_cut(base, span);
        struct block_list tables = {};
        struct pt_edit e;
        unsigned n = pt_split_need(as.root, a, b);
        assert_int_equal(pt_reserve(&tables, &root, n), OK);
        pt_edit_begin(&e, &as, &root);
        pt_split(&e, a, &tables);
        pt_split(&e, b, &tables);
        pt_edit_end(&e);
        assert_int_equal(tables.first, 0); /* the need was exact */
        assert_int_equal(pt_split_need(as.root, a, b), 0);
        for (unsigned i = 0; i < 64; i++) {
            uint64_t at = random_below(span);
            expect(base + at, FRAME_BASE + at, prot, type);
        }
        expect(a < base + span ? a : base, FRAME_BASE + (a < base + span ? a - base : 0), prot, type);
        clear(base, base + span, 0, PT_USER_END);
        assert_int_equal(root.free_pages, free_at_start);
    }
}

static void protection_none_parks_the_frame(void **)
{
    struct pt_edit e;
    install(4 * GIB, 0, FRAME_BASE, RW, MEM_NORMAL);
    install(4 * GIB + 2 * MIB, 1, FRAME_BASE + 2 * MIB, RW, MEM_NORMAL);
    static const uint32_t steps[] = { VX_PROT_NONE, RO, VX_PROT_NONE, RX, RW };
    for (unsigned i = 0; i < 5; i++) {
        pt_edit_begin(&e, &as, &root);
        pt_protect(&e, 4 * GIB, 4 * GIB + 4 * MIB, steps[i], MEM_NORMAL);
        pt_edit_end(&e);
        expect(4 * GIB, FRAME_BASE, steps[i], MEM_NORMAL);
        expect(4 * GIB + 3 * MIB, FRAME_BASE + 3 * MIB, steps[i], MEM_NORMAL);
    }
    clear(4 * GIB, 4 * GIB + 4 * MIB, 0, PT_USER_END);
    assert_int_equal(root.free_pages, free_at_start);
}

static void owned_frames_go_back_in_the_sizes_they_have(void **)
{
    paddr_t large, small;
    struct pt_edit e;
    struct block_list tables = {};
    assert_int_equal(reticle_alloc(&root, 9, PAGE_ANON, &large), OK);
    assert_int_equal(reticle_alloc(&root, 0, PAGE_ANON, &small), OK);
    install(4 * GIB, 1, large.raw, RW, MEM_NORMAL);
    install(4 * GIB + 2 * MIB, 0, small.raw, RW, MEM_NORMAL);
    uint64_t cut = 4 * GIB + 77 * ARCH_PAGE_SIZE;
    assert_int_equal(pt_reserve(&tables, &root, pt_split_need(as.root, cut, 0)), OK);
    pt_edit_begin(&e, &as, &root);
    e.owns_frames = true;
    pt_split(&e, cut, &tables);
    uint64_t before = root.free_pages;
    pt_clear(&e, cut, 4 * GIB + 4 * MIB); /* floor and ceiling 0: tables stay */
    pt_edit_end(&e);
    assert_int_equal(root.free_pages, before + 512 - 77 + 1);
    e.floor = 0;
    e.ceiling = PT_USER_END;
    pt_clear(&e, 4 * GIB, 4 * GIB + 4 * MIB);
    pt_edit_end(&e);
    assert_int_equal(root.free_pages, free_at_start);
    assert_true(reticle_check(&root, nullptr));
}

static void a_reserve_that_fails_leaves_the_list_alone(void **)
{
    struct block_list tables = {};
    assert_int_equal(pt_reserve(&tables, &root, 3), OK);
    uint64_t before = root.free_pages;
    assert_int_equal(pt_reserve(&tables, &root, (unsigned)before + 1), ERR_NO_MEMORY);
    assert_int_equal(root.free_pages, before);
    block_list_free(&tables, &root);
    assert_int_equal(root.free_pages, free_at_start);
}

static void the_largest_leaf_that_fits(void **)
{
    assert_int_equal(pt_fit(4 * GIB, 0, GIB), 2);
    assert_int_equal(pt_fit(4 * GIB, 0, GIB - 1), 1);
    assert_int_equal(pt_fit(4 * GIB, 2 * MIB, 2 * GIB), 1);
    assert_int_equal(pt_fit(4 * GIB + 2 * MIB, 2 * MIB, 2 * GIB), 1);
    assert_int_equal(pt_fit(4 * GIB, ARCH_PAGE_SIZE, GIB), 0);
    assert_int_equal(pt_fit(4 * GIB, 0, ARCH_PAGE_SIZE), 0);
    host_leaf_max = 1;
    assert_int_equal(pt_fit(4 * GIB, 0, GIB), 1);
    host_leaf_max = 2;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(leaves_of_every_size_are_found_again, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_and_the_last_user_page_have_tables_that_go, setup, teardown),
        cmocka_unit_test_setup_teardown(tables_stay_while_a_neighbour_needs_them, setup, teardown),
        cmocka_unit_test_setup_teardown(a_plan_counts_tables_exactly, setup, teardown),
        cmocka_unit_test_setup_teardown(splitting_a_large_leaf_keeps_every_page_where_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(protection_none_parks_the_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(owned_frames_go_back_in_the_sizes_they_have, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reserve_that_fails_leaves_the_list_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(the_largest_leaf_that_fits, setup, teardown),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
