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

static bool is_parked(uint64_t e)
{
    return !pte_present(e) && (e & PT_PARKED) != 0;
}

/* The entry of `level` for va. */
static status_t make_entry(uint64_t va, unsigned level, uint64_t **out)
{
    unsigned reached;
    *out = pt_walk(as.root, va, level, &reached);
    return reached > level ? pt_grow(&root, out, reached, va, level) : OK;
}

static void install(uint64_t va, unsigned level, uint64_t pa, uint32_t prot, enum mem_type type)
{
    uint64_t *e;
    assert_int_equal(make_entry(va, level, &e), OK);
    pt_put(e, level, (paddr_t){ pa }, prot, type);
}

static void clear(uint64_t from, uint64_t to)
{
    struct pt_edit e;
    pt_edit_begin(&e, &as, &root);
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
        assert_true(is_parked(e));
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
        clear(5 * GIB, 5 * GIB + 4 * pt_span(level));
        assert_int_equal(root.free_pages, free_at_start);
    }
}

static void the_first_and_the_last_user_page_have_tables_that_go(void **)
{
    static const uint64_t ends[] = { 0x10000, VX_UADDR_LIMIT - ARCH_PAGE_SIZE };
    for (unsigned i = 0; i < 2; i++) {
        install(ends[i], 0, FRAME_BASE, RW, MEM_NORMAL);
        assert_int_equal(root.free_pages, free_at_start - 3);
        clear(ends[i], ends[i] + ARCH_PAGE_SIZE);
        assert_int_equal(root.free_pages, free_at_start);
    }
}

static void tables_stay_while_a_neighbour_needs_them(void **)
{
    install(4 * GIB, 0, FRAME_BASE, RW, MEM_NORMAL);
    install(4 * GIB + 4 * ARCH_PAGE_SIZE, 0, FRAME_BASE, RW, MEM_NORMAL);
    install(4 * GIB + 2 * MIB, 0, FRAME_BASE, RW, MEM_NORMAL);
    assert_int_equal(root.free_pages, free_at_start - 4);
    clear(4 * GIB, 4 * GIB + ARCH_PAGE_SIZE);
    assert_int_equal(root.free_pages, free_at_start - 4);
    clear(4 * GIB + 4 * ARCH_PAGE_SIZE, 4 * GIB + 5 * ARCH_PAGE_SIZE);
    assert_int_equal(root.free_pages, free_at_start - 3);
    clear(4 * GIB + 2 * MIB, 4 * GIB + 2 * MIB + ARCH_PAGE_SIZE);
    assert_int_equal(root.free_pages, free_at_start);
}

static unsigned missing_tables(uint64_t va, unsigned level)
{
    unsigned reached;
    assert_int_equal(*pt_walk(as.root, va, level, &reached), 0);
    return reached - level;
}

static void take_all_but(uint64_t n, paddr_t *taken, uint64_t *n_taken)
{
    for (*n_taken = 0; root.free_pages > n; ++*n_taken)
        assert_int_equal(reticle_alloc(&root, 0, PAGE_KERNEL, &taken[*n_taken]), OK);
}

/* Leaves of mixed size: each takes as many tables as are missing; with one page less it takes none. */
static void tables_are_made_all_or_none(void **)
{
    static paddr_t taken[4096];
    for (unsigned round = 0; round < 40; round++) {
        uint64_t first = random_below(3) * 511 * GIB + random_below(512) * 2 * MIB + VX_MAP_BASE, va = first;
        for (unsigned i = 0; i < 24; i++) {
            uint64_t len = random_below(4) == 0 ? 3 * GIB : random_below(3) * 2 * MIB + ARCH_PAGE_SIZE;
            unsigned level = pt_fit(va, 0, len), n = missing_tables(va, level);
            uint64_t before = root.free_pages, n_taken, *e;
            if (n > 0) {
                take_all_but(n - 1, taken, &n_taken);
                assert_int_equal(make_entry(va, level, &e), ERR_NO_MEMORY);
                assert_int_equal(root.free_pages, n - 1);
                assert_int_equal(missing_tables(va, level), n);
                while (n_taken > 0)
                    reticle_free(&root, taken[--n_taken], 0);
            }
            install(va, level, FRAME_BASE, RO, MEM_NORMAL);
            assert_int_equal(root.free_pages, before - n);
            va += pt_span(level);
            if (random_below(3) == 0)
                va = (va + random_below(3) * GIB + 2 * MIB) & ~(2 * MIB - 1);
        }
        clear(first, va);
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
        assert_int_equal(pt_split(&as, &root, (struct pt_cut){ a, false }, (struct pt_cut){ b, false }), OK);
        assert_int_equal(pt_cut_level(as.root, a) | pt_cut_level(as.root, b), 0);
        for (unsigned i = 0; i < 64; i++) {
            uint64_t at = random_below(span);
            expect(base + at, FRAME_BASE + at, prot, type);
        }
        expect(a < base + span ? a : base, FRAME_BASE + (a < base + span ? a - base : 0), prot, type);
        clear(base, base + span);
        assert_int_equal(root.free_pages, free_at_start);
    }
}

/* Two tables for the first cut and one for the second: without the third there is no cut. */
static void a_split_that_fails_changes_nothing(void **)
{
    static paddr_t taken[4096];
    uint64_t n_taken;
    install(6 * GIB, 2, FRAME_BASE, RW, MEM_NORMAL);
    install(7 * GIB, 1, FRAME_BASE, RW, MEM_NORMAL);
    const struct pt_cut first = { 6 * GIB + ARCH_PAGE_SIZE, false }, second = { 7 * GIB + ARCH_PAGE_SIZE, false };
    take_all_but(2, taken, &n_taken);
    assert_int_equal(pt_split(&as, &root, first, second), ERR_NO_MEMORY);
    assert_int_equal(root.free_pages, 2);
    assert_int_equal(pt_cut_level(as.root, first.va), 2);
    assert_int_equal(pt_cut_level(as.root, second.va), 1);
    reticle_free(&root, taken[--n_taken], 0);
    assert_int_equal(pt_split(&as, &root, first, second), OK);
    assert_int_equal(root.free_pages, 0);
    while (n_taken > 0)
        reticle_free(&root, taken[--n_taken], 0);
    clear(6 * GIB, 8 * GIB);
    assert_int_equal(root.free_pages, free_at_start);
}

/* What nobody is to see yet is not shown by a change of protection, and goes alone. */
static void new_entries_are_apart(void **)
{
    struct pt_edit e;
    paddr_t page[2];
    uint64_t *fresh, *far;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(reticle_alloc(&root, 0, PAGE_ANON, &page[i]), OK);
    install(4 * GIB, 0, FRAME_BASE, RW, MEM_NORMAL);
    assert_int_equal(make_entry(4 * GIB + ARCH_PAGE_SIZE, 0, &fresh), OK);
    assert_int_equal(make_entry(4 * GIB + 2 * MIB, 0, &far), OK);
    uint64_t with_tables = root.free_pages;
    pt_entry_store(fresh, page[0].raw | PT_NEW);
    pt_entry_store(far, page[1].raw | PT_NEW);
    pt_edit_begin(&e, &as, &root);
    pt_protect(&e, 4 * GIB, 4 * GIB + 4 * MIB, RO, MEM_NORMAL);
    pt_edit_end(&e);
    expect(4 * GIB, FRAME_BASE, RO, MEM_NORMAL);
    assert_true(pt_is_new(*fresh) && pt_is_new(*far));
    e.owns_frames = e.only_new = true;
    pt_clear(&e, 4 * GIB, 4 * GIB + 4 * MIB);
    pt_edit_end(&e);
    assert_int_equal(root.free_pages, with_tables + 3); /* both, and the table that held nothing else */
    assert_int_equal(*fresh, 0);
    expect(4 * GIB, FRAME_BASE, RO, MEM_NORMAL);
    pt_entry_store(fresh, FRAME_BASE | PT_NEW);
    e.show_new = true;
    pt_protect(&e, 4 * GIB, 4 * GIB + 2 * MIB, RW, MEM_NORMAL);
    pt_edit_end(&e);
    expect(4 * GIB + ARCH_PAGE_SIZE, FRAME_BASE, RW, MEM_NORMAL);
    clear(4 * GIB, 4 * GIB + 2 * MIB);
    assert_int_equal(root.free_pages, free_at_start);
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
    clear(4 * GIB, 4 * GIB + 4 * MIB);
    assert_int_equal(root.free_pages, free_at_start);
}

static void owned_frames_go_back_in_the_sizes_they_have(void **)
{
    paddr_t large, small;
    struct pt_edit e;
    assert_int_equal(reticle_alloc(&root, 9, PAGE_ANON, &large), OK);
    assert_int_equal(reticle_alloc(&root, 0, PAGE_ANON, &small), OK);
    install(4 * GIB, 1, large.raw, RW, MEM_NORMAL);
    install(4 * GIB + 2 * MIB, 0, small.raw, RW, MEM_NORMAL);
    uint64_t cut = 4 * GIB + 77 * ARCH_PAGE_SIZE;
    assert_int_equal(pt_split(&as, &root, (struct pt_cut){ cut, true }, (struct pt_cut){}), OK);
    pt_edit_begin(&e, &as, &root);
    e.owns_frames = true;
    uint64_t before = root.free_pages;
    pt_clear(&e, cut, 4 * GIB + 4 * MIB);
    pt_edit_end(&e);
    assert_int_equal(root.free_pages, before + 512 - 77 + 1 + 1); /* and the table of the small one */
    pt_clear(&e, 4 * GIB, 4 * GIB + 4 * MIB);
    pt_edit_end(&e);
    assert_int_equal(root.free_pages, free_at_start);
    assert_true(reticle_check(&root, nullptr));
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
        cmocka_unit_test_setup_teardown(tables_are_made_all_or_none, setup, teardown),
        cmocka_unit_test_setup_teardown(splitting_a_large_leaf_keeps_every_page_where_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(protection_none_parks_the_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(owned_frames_go_back_in_the_sizes_they_have, setup, teardown),
        cmocka_unit_test_setup_teardown(a_split_that_fails_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(new_entries_are_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(the_largest_leaf_that_fits, setup, teardown),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
