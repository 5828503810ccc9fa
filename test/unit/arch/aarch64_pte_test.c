// flags: -DPTE_HEADER="<kernel/arch/aarch64/include/isa/pte.h>"
/* SPDX-License-Identifier: MIT
 * AArch64 page-table entries, against descriptors written out by hand from [Arm-ARM] "VMSAv8-64 translation table
 * descriptor formats", and every combination there and back. */
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
        { 0x40001000, 0, R | U, MEM_NORMAL, 0x0060000040001fc3 }, /* PXN UXN nG AF SH=3 RO EL0 page */
        { 0x40001000, 0, R | W | U, MEM_NORMAL, 0x0060000040001f43 },
        { 0x40001000, 0, R | X | U, MEM_NORMAL, 0x0020000040001fc3 }, /* UXN clear */
        { 0x40000000, 0, R | X, MEM_NORMAL, 0x0040000040000783 },     /* kernel text: PXN clear, global */
        { 0x40000000, 0, R, MEM_NORMAL, 0x0060000040000783 },
        { 0x40200000, 1, R | W, MEM_NORMAL, 0x0060000040200701 },     /* a 2 MiB block */
        { 0x140000000, 2, R | W, MEM_NORMAL, 0x0060000140000701 },    /* a 1 GiB block */
        { 0x09000000, 0, R | W | U, MEM_DEVICE, 0x0060000009000f47 }, /* attribute 1 */
        { 0x0000fffffffff000, 0, R, MEM_NORMAL, 0x0060fffffffff783 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(pte_leaf(cases[i].pa, cases[i].level, cases[i].prot, cases[i].type), cases[i].entry);
    assert_int_equal(pte_table(0x40003000), 0x40003003);
}

static void every_leaf_comes_back(void **)
{
    for (unsigned level = 0; level < 3; level++)
        for (unsigned bits = 0; bits < 32; bits++) {
            uint32_t prot = R | ((bits & 1) ? W : 0) | ((bits & 2) ? X : 0) | ((bits & 4) ? U : 0);
            enum mem_type type = (bits & 8) ? MEM_DEVICE : MEM_NORMAL;
            uint64_t pa = (bits & 16) ? UINT64_C(0xffffc0000000) : UINT64_C(0x40000000);
            uint64_t e = pte_leaf(pa, level, prot, type);
            assert_true(pte_present(e));
            assert_true(pte_is_leaf(e, level));
            assert_int_equal(pte_pa(e), pa);
            assert_int_equal(pte_type(e), type);
            assert_int_equal(pte_prot(e), type == MEM_DEVICE ? prot & ~(uint32_t)X : prot);
        }
}

static void nothing_is_executable_on_the_other_side(void **)
{
    const uint64_t pxn = UINT64_C(1) << 53, uxn = UINT64_C(1) << 54;
    assert_true(pte_leaf(0, 0, R | X | U, MEM_NORMAL) & pxn);
    assert_true(pte_leaf(0, 0, R | X, MEM_NORMAL) & uxn);
    assert_int_equal(pte_leaf(0, 0, R | X | U, MEM_DEVICE) & (pxn | uxn), pxn | uxn);
    assert_int_equal(pte_leaf(0, 0, R | X, MEM_DEVICE) & (pxn | uxn), pxn | uxn);
}

static void user_entries_belong_to_an_asid_and_kernel_entries_do_not(void **)
{
    assert_true(pte_leaf(0, 0, R | U, MEM_NORMAL) & 1 << 11);
    assert_false(pte_leaf(0, 0, R, MEM_NORMAL) & 1 << 11);
}

static void tables_and_nothing_are_no_leaves(void **)
{
    for (unsigned level = 1; level < PT_LEVELS; level++) {
        assert_true(pte_present(pte_table(0x1000)));
        assert_false(pte_is_leaf(pte_table(0x1000), level));
    }
    for (unsigned level = 0; level < PT_LEVELS; level++) {
        assert_false(pte_is_leaf(0, level));
        assert_false(pte_is_leaf(2, level)); /* bit 0 clear: the hardware ignores the rest */
    }
    assert_false(pte_is_leaf(1, 0)); /* reserved: a block among the pages */
    assert_false(pte_present(0));
    assert_false(pte_present(2));
    assert_int_equal(pte_pa(pte_table(0x0000fffffffff000)), 0x0000fffffffff000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_what_the_manual_says),
        cmocka_unit_test(every_leaf_comes_back),
        cmocka_unit_test(nothing_is_executable_on_the_other_side),
        cmocka_unit_test(user_entries_belong_to_an_asid_and_kernel_entries_do_not),
        cmocka_unit_test(tables_and_nothing_are_no_leaves),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
