// flags: -DPTE_HEADER="<kernel/arch/x86_64/include/isa/pte.h>"
/* SPDX-License-Identifier: MIT
 * x86-64 page-table entries, against entries written out by hand from [SDM-3] "4-Level Paging and 5-Level Paging", and
 * every combination there and back. */
#include <abi/types.h>
#include <arch/pte.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { R = VX_PROT_READ, W = VX_PROT_WRITE, X = VX_PROT_EXEC, U = PTE_USER };

static void entries_are_what_the_manual_says(void **)
{
    static const struct {
        uint64_t pa;
        unsigned level;
        uint32_t prot;
        enum mem_type type;
        uint64_t entry;
    } cases[] = {
        { 0x200000, 0, R | U, MEM_NORMAL, 0x8000000000200065 }, /* XD D A U P */
        { 0x200000, 0, R | W | U, MEM_NORMAL, 0x8000000000200067 },
        { 0x200000, 0, R | X | U, MEM_NORMAL, 0x0000000000200065 },
        { 0x200000, 0, R | X, MEM_NORMAL, 0x0000000000200161 }, /* kernel text: global, not U */
        { 0x200000, 0, R, MEM_NORMAL, 0x8000000000200161 },
        { 0x200000, 1, R | W, MEM_NORMAL, 0x80000000002001e3 },    /* 2 MiB: PS */
        { 0x140000000, 2, R | W, MEM_NORMAL, 0x80000001400001e3 }, /* 1 GiB: PS */
        { 0xfee00000, 0, R | W, MEM_DEVICE, 0x80000000fee0017b },  /* PCD PWT */
        { 0xfee00000, 0, R | X, MEM_DEVICE, 0x80000000fee00179 },
        { 0x000ffffffffff000, 0, R, MEM_NORMAL, 0x800ffffffffff161 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(pte_leaf(cases[i].pa, cases[i].level, cases[i].prot, cases[i].type), cases[i].entry);
    assert_int_equal(pte_table(0x3000), 0x3027); /* A U W P: the leaves decide */
}

static void every_leaf_comes_back(void **)
{
    for (unsigned level = 0; level < 3; level++)
        for (unsigned bits = 0; bits < 32; bits++) {
            uint32_t prot = R | ((bits & 1) ? W : 0) | ((bits & 2) ? X : 0) | ((bits & 4) ? U : 0);
            enum mem_type type = (bits & 8) ? MEM_DEVICE : MEM_NORMAL;
            uint64_t pa = (bits & 16) ? UINT64_C(0xfffffc0000000) : UINT64_C(0x40000000);
            uint64_t e = pte_leaf(pa, level, prot, type);
            assert_true(pte_present(e));
            assert_true(pte_is_leaf(e, level));
            assert_int_equal(pte_pa(e), pa);
            assert_int_equal(pte_type(e), type);
            assert_int_equal(pte_prot(e), type == MEM_DEVICE ? prot & ~(uint32_t)X : prot);
        }
}

static void no_access_is_no_entry(void **)
{
    assert_int_equal(pte_leaf(0x1000, 0, VX_PROT_NONE, MEM_NORMAL), 0);
    assert_int_equal(pte_leaf(0x1000, 0, U, MEM_NORMAL), 0);
    assert_int_equal(pte_prot(0), VX_PROT_NONE);
}

static void write_and_execute_imply_read(void **)
{
    assert_int_equal(pte_prot(pte_leaf(0x1000, 0, W | U, MEM_NORMAL)), R | W | U);
    assert_int_equal(pte_prot(pte_leaf(0x1000, 0, X | U, MEM_NORMAL)), R | X | U);
}

static void kernel_entries_are_global_and_user_entries_are_not(void **)
{
    assert_true(pte_leaf(0, 0, R, MEM_NORMAL) & 1 << 8);
    assert_false(pte_leaf(0, 0, R | U, MEM_NORMAL) & 1 << 8);
}

static void tables_and_nothing_are_no_leaves(void **)
{
    for (unsigned level = 1; level < PT_LEVELS; level++) {
        assert_true(pte_present(pte_table(0x1000)));
        assert_false(pte_is_leaf(pte_table(0x1000), level));
    }
    for (unsigned level = 0; level < PT_LEVELS; level++)
        assert_false(pte_is_leaf(UINT64_MAX - 1, level)); /* bit 0 clear: the hardware ignores the rest */
    assert_false(pte_is_leaf(UINT64_MAX, 3));             /* the root has no leaves */
    assert_int_equal(pte_pa(pte_table(0x000ffffffffff000)), 0x000ffffffffff000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_what_the_manual_says),
        cmocka_unit_test(every_leaf_comes_back),
        cmocka_unit_test(no_access_is_no_entry),
        cmocka_unit_test(write_and_execute_imply_read),
        cmocka_unit_test(kernel_entries_are_global_and_user_entries_are_not),
        cmocka_unit_test(tables_and_nothing_are_no_leaves),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
