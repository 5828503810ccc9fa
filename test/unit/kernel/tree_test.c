/* SPDX-License-Identifier: MIT
 * Trees against a sorted array: every operation at random, and the invariants T1-T3 of base/tree.c after each. */
// sources: base/tree.c
// mutations: tree-single-rotation
#include "cmocka_kassert.h"
#include <base/tree.h>
#include <string.h>

#define NODES 300

static struct tree_node node[NODES];
static struct tree_node *sorted[NODES]; /* what the tree must hold, in order */
static size_t n;
static uint64_t state = 88172645463325252;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int height(const struct tree_node *t, const struct tree_node *parent)
{
    if (t == nullptr)
        return 0;
    assert_ptr_equal(t->parent, parent);
    int l = height(t->left, t), r = height(t->right, t);
    assert_int_equal(t->balance, r - l);
    assert_in_range(t->balance + 1, 0, 2);
    return 1 + (l > r ? l : r);
}

static void compare(const struct tree *t)
{
    height(t->root, nullptr);
    assert_ptr_equal(t->first, n == 0 ? nullptr : sorted[0]);
    const struct tree_node *at = t->first, *last = nullptr;
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(at, sorted[i]);
        assert_ptr_equal(tree_prev(at), last);
        last = at;
        at = tree_next(at);
    }
    assert_null(at);
}

static void insert(struct tree *t, struct tree_node *x, uint64_t key)
{
    size_t i = n++;
    while (i > 0 && sorted[i - 1]->key > key) {
        sorted[i] = sorted[i - 1];
        i--;
    }
    sorted[i] = x;
    tree_insert(t, x, key);
}

static void remove_at(struct tree *t, size_t i)
{
    struct tree_node *x = sorted[i];
    tree_remove(t, x);
    assert_false(x->in_tree);
    memmove(&sorted[i], &sorted[i + 1], (--n - i) * sizeof *sorted);
}

static void find(const struct tree *t, uint64_t key)
{
    struct tree_node *want = nullptr;
    for (size_t i = 0; i < n && sorted[i]->key <= key; i++)
        want = sorted[i];
    assert_ptr_equal(tree_find_le(t, key), want);
}

static void random_operations_agree_with_a_sorted_array(void **)
{
    for (uint64_t keys = 1; keys <= 1000; keys *= 10) { /* few distinct keys: many equal ones */
        struct tree t = {};
        for (int round = 0; round < 3000; round++) {
            struct tree_node *x = &node[next_random() % NODES];
            if (!x->in_tree)
                insert(&t, x, next_random() % keys);
            else if (n > 200 || round % 2 != 0)
                remove_at(&t, next_random() % n);
            find(&t, next_random() % (keys + 1));
            compare(&t);
        }
        while (n > 0)
            remove_at(&t, next_random() % n);
        compare(&t);
    }
}

static void ascending_and_descending_keys_stay_balanced(void **)
{
    struct tree t = {};
    for (uint64_t i = 0; i < NODES; i++)
        insert(&t, &node[i], i < NODES / 2 ? i : NODES * 2 - i);
    compare(&t);
    assert_true(height(t.root, nullptr) <= 12); /* 1.44 log2 300 */
    while (n > 0) {
        remove_at(&t, 0);
        compare(&t);
    }
}

static void removing_what_is_in_no_tree_does_nothing(void **)
{
    struct tree t = {};
    struct tree_node x = {}, y = {};
    insert(&t, &x, UINT64_MAX);
    tree_remove(&t, &y);
    find(&t, UINT64_MAX);
    find(&t, UINT64_MAX - 1);
    remove_at(&t, 0);
    tree_remove(&t, &x);
    compare(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_a_sorted_array),
        cmocka_unit_test(ascending_and_descending_keys_stay_balanced),
        cmocka_unit_test(removing_what_is_in_no_tree_does_nothing),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
