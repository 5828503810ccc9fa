/* SPDX-License-Identifier: MIT
 * Reticles against a page-by-page model, over memory of every awkward shape; and the edges by name. */
// sources: kernel/reticle.c kernel/reticle_check.c kernel/arch/host/ram.c
// mutations: reticle-no-merge reticle-lose-slot reticle-keep-lent
#include "cmocka_kassert.h"
#include "reticle_model.h"

#define K UINT64_C(1024)
#define M (K * K)
#define PAGE ((uint64_t)ARCH_PAGE_SIZE)

static const struct machine_shape {
    const char *name;
    size_t n;
    struct ram_range ram[8];
} shapes[] = {
    { "one power of two", 1, { { 16 * M, 4 * M } } },
    { "from zero", 1, { { 0, 2 * M } } },
    { "odd ends", 1, { { 3 * PAGE, 1001 * PAGE } } },
    { "hole", 2, { { PAGE, 159 * PAGE }, { M, 3 * M } } },
    { "ranges that touch", 3, { { M, 37 * PAGE }, { M + 37 * PAGE, 219 * PAGE }, { 2 * M, 333 * PAGE } } },
    { "islands of one page",
      6,
      { { 5 * PAGE, PAGE },
        { 7 * PAGE, PAGE },
        { 9 * PAGE, PAGE },
        { 11 * PAGE, 2 * PAGE },
        { 14 * PAGE, PAGE },
        { 16 * PAGE, PAGE } } },
    { "two pages", 1, { { 8 * PAGE, 2 * PAGE } } },
    { "eight ranges",
      8,
      { { 1 * M, 17 * PAGE },
        { 2 * M, 64 * PAGE },
        { 3 * M, 99 * PAGE },
        { 4 * M, 1 * PAGE },
        { 5 * M, 31 * PAGE },
        { 6 * M, 0 },
        { 7 * M, 100 * PAGE },
        { 9 * M, 513 * PAGE } } },
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void random_operations_agree_with_the_model(void **)
{
    for (size_t s = 0; s < SHAPES; s++) {
        for (uint64_t seed = 1; seed <= 4; seed++) {
            struct choices c = { .seed = seed * UINT64_C(0x9e3779b97f4a7c15) };
            assert_true(model_boot(shapes[s].ram, shapes[s].n));
            for (int i = 0; i < 1500; i++) {
                model_step(&c);
                model_compare();
            }
            model_end();
        }
    }
}

static void every_page_can_be_had_and_comes_back(void **)
{
    for (size_t s = 0; s < SHAPES; s++) {
        for (uint32_t order = 0; order < 3; order++) {
            assert_true(model_boot(shapes[s].ram, shapes[s].n));
            struct reticle *root = &model.reticle[0];
            static paddr_t got[MODEL_PAGES];
            size_t n = 0;
            while (reticle_alloc(root, order, PAGE_ANON, &got[n]) == OK)
                n++;
            assert_false(model_can(0, order) && n == 0);
            if (order == 0)
                assert_int_equal(n, root->total_pages);
            assert_true(reticle_check(root, nullptr));
            for (size_t i = 0; i < n; i++) /* every other one first, so that merging happens late */
                reticle_free(root, got[i * 2 < n ? i * 2 : (i - (n + 1) / 2) * 2 + 1], order);
            model_end();
        }
    }
}

static void memory_too_small_for_its_page_array_is_refused(void **)
{
    static const struct ram_range one[] = { { 4 * PAGE, PAGE } }, zero[] = { { 0, 2 * PAGE } },
                                  none[] = { { PAGE, 0 } };
    assert_false(model_boot(one, 1));
    assert_false(model_boot(zero, 1)); /* page 0 is never used, the other holds the page array */
    assert_false(model_boot(none, 1));
    assert_false(model_boot(nullptr, 0));
    assert_int_equal(reticle_page_facts((paddr_t){ 4 * PAGE }).type, PAGE_NONE);
}

static void many_ranges_are_found_each(void **)
{
    static struct ram_range ram[193];
    for (size_t i = 0; i < 193; i++)
        ram[i] = (struct ram_range){ (2 + 3 * i) * PAGE, 2 * PAGE };
    ram[192].len = 64 * PAGE;
    assert_true(model_boot(ram, 193));
    struct choices c = { .seed = 77 };
    for (int i = 0; i < 800; i++) {
        model_step(&c);
        model_compare();
    }
    model_end();
    static struct ram_range more[194];
    for (size_t i = 0; i < 194; i++)
        more[i] = (struct ram_range){ (2 + 3 * i) * PAGE, 2 * PAGE };
    assert_false(model_boot(more, 194));
}

static void memory_above_4_gib_and_large_blocks(void **)
{
    static const struct ram_range ram[] = { { M, M }, { UINT64_C(1) << 32, 64 * M } };
    host_ram_reset();
    for (size_t i = 0; i < 2; i++)
        host_ram_add(ram[i].base, ram[i].len);
    static struct reticle root, child;
    assert_int_equal(reticle_boot(&root, ram, 2), OK);
    uint64_t all = root.free_pages;
    paddr_t pa;
    assert_int_equal(reticle_alloc(&root, 13, PAGE_MEM, &pa), OK); /* 32 MiB */
    assert_int_equal(pa.raw, UINT64_C(1) << 32);
    assert_int_equal(reticle_alloc(&root, 14, PAGE_MEM, &pa), ERR_NO_MEMORY);
    assert_int_equal(reticle_alloc(&root, RETICLE_ORDER_MAX, PAGE_MEM, &pa), ERR_NO_MEMORY);
    assert_int_equal(reticle_alloc(&root, RETICLE_ORDER_MAX + 1, PAGE_MEM, &pa), ERR_NO_MEMORY);
    assert_int_equal(reticle_alloc(&root, UINT32_MAX, PAGE_MEM, &pa), ERR_NO_MEMORY);
    assert_int_equal(reticle_carve(&root, 12, &child), OK);
    assert_int_equal(reticle_carve(&root, 200, &child), ERR_NO_MEMORY);
    reticle_release(&child);
    reticle_free(&root, (paddr_t){ UINT64_C(1) << 32 }, 13);
    assert_int_equal(root.free_pages, all);
    assert_true(reticle_check(&root, nullptr));
}

static void a_child_never_merges_beyond_its_block(void **)
{
    static const struct ram_range ram[] = { { M, M } };
    assert_true(model_boot(ram, 1));
    struct reticle *root = &model.reticle[0];
    static struct reticle outer, a, b;
    assert_int_equal(reticle_carve(root, 3, &outer), OK);
    assert_int_equal(reticle_carve(&outer, 2, &a), OK);
    assert_int_equal(reticle_carve(&outer, 2, &b), OK); /* the buddy of a's block */
    assert_int_equal(a.base.raw ^ b.base.raw, 4 * PAGE);
    paddr_t p, q;
    assert_int_equal(reticle_alloc(&a, 2, PAGE_ANON, &p), OK);
    assert_int_equal(reticle_alloc(&b, 2, PAGE_ANON, &q), OK);
    reticle_free(&a, p, 2);
    reticle_free(&b, q, 2);
    assert_int_equal(reticle_largest(&a), 4 * PAGE);
    assert_int_equal(reticle_largest(&b), 4 * PAGE);
    assert_true(reticle_check(root, nullptr));
    reticle_release(&a);
    reticle_release(&b);
    assert_int_equal(reticle_largest(&outer), 8 * PAGE);
    reticle_release(&outer);
    model_end();
}

static void spares_are_merged_before_an_allocation_fails(void **)
{
    static const struct ram_range ram[] = { { M, M } };
    assert_true(model_boot(ram, 1));
    static struct reticle a;
    assert_int_equal(reticle_carve(&model.reticle[0], 3, &a), OK);
    paddr_t p[8];
    for (int i = 0; i < 8; i++)
        assert_int_equal(reticle_alloc(&a, 0, PAGE_ANON, &p[i]), OK);
    for (int i = 0; i < 8; i++)
        reticle_free(&a, p[i], 0);
    assert_int_equal(a.free_pages, 8);
    assert_true(reticle_check(&model.reticle[0], nullptr));
    assert_int_equal(reticle_page_facts(p[3]).type, PAGE_FREE);
    assert_int_equal(reticle_alloc(&a, 3, PAGE_ANON, &p[0]), OK);
    reticle_release(&a);
    model_end();
}

static void our_own_mistakes_are_caught(void **)
{
    static const struct ram_range ram[] = { { M, M } };
    assert_true(model_boot(ram, 1));
    struct reticle *root = &model.reticle[0];
    static struct reticle a, b;
    assert_int_equal(reticle_carve(root, 5, &a), OK);
    assert_int_equal(reticle_carve(&a, 2, &b), OK);
    paddr_t p;
    void *o;
    assert_int_equal(reticle_alloc(&a, 1, PAGE_ANON, &p), OK);
    expect_assert_failure(reticle_free(&a, p, 0));                      /* wrong order */
    expect_assert_failure(reticle_free(root, p, 1));                    /* wrong Reticle */
    expect_assert_failure(reticle_free(&a, (paddr_t){ p.raw + 1 }, 1)); /* not the start of a page */
    expect_assert_failure(reticle_free(&a, (paddr_t){ 64 * M }, 0));    /* not RAM */
    expect_assert_failure(reticle_split(&a, p, 1, 2));
    expect_assert_failure(reticle_release(&a)); /* has a child */
    reticle_free(&a, p, 1);
    expect_assert_failure(reticle_free(&a, p, 1)); /* twice */
    assert_int_equal(reticle_alloc(&a, 0, PAGE_ANON, &p), OK);
    reticle_free(&a, p, 0);
    expect_assert_failure(reticle_free(&a, p, 0)); /* twice, while a spare */
    assert_int_equal(reticle_kalloc(&a, 100, &o), OK);
    expect_assert_failure(reticle_kfree(root, o));
    expect_assert_failure(reticle_kfree(&a, (char *)o + 64));
    expect_assert_failure(reticle_kfree(&a, (char *)o + 128)); /* a slot that is free */
    void *second;
    assert_int_equal(reticle_kalloc(&a, 100, &second), OK);
    reticle_kfree(&a, o);
    expect_assert_failure(reticle_kfree(&a, o)); /* twice */
    expect_assert_failure((void)reticle_kalloc(&a, 0, &o));
    expect_assert_failure((void)reticle_kalloc(&a, 4097, &o));
    reticle_release(&b);
    expect_assert_failure(reticle_release(&b)); /* twice */
    reticle_release(&a);
    model_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_the_model),
        cmocka_unit_test(every_page_can_be_had_and_comes_back),
        cmocka_unit_test(memory_too_small_for_its_page_array_is_refused),
        cmocka_unit_test(many_ranges_are_found_each),
        cmocka_unit_test(memory_above_4_gib_and_large_blocks),
        cmocka_unit_test(a_child_never_merges_beyond_its_block),
        cmocka_unit_test(spares_are_merged_before_an_allocation_fails),
        cmocka_unit_test(our_own_mistakes_are_caught),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
