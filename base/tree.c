/* SPDX-License-Identifier: MIT
 * AVL trees with parent pointers, so that removal and stepping need no search and no stack.
 *
 * T1. Keys never fall from left to right; equal keys stand in order of insertion.
 * T2. balance = height(right) - height(left), always -1, 0 or 1 between calls.
 * T3. t->first is the leftmost node. */
#include <base/tree.h>

static int at_least_0(int x)
{
    return x > 0 ? x : 0;
}

static int at_most_0(int x)
{
    return x < 0 ? x : 0;
}

/* Puts `with` (may be null) where `old` hangs. */
static void replace(struct tree *t, struct tree_node *old, struct tree_node *with)
{
    struct tree_node *up = old->parent;
    if (up == nullptr)
        t->root = with;
    else if (up->left == old)
        up->left = with;
    else
        up->right = with;
    if (with != nullptr)
        with->parent = up;
}

/* The right child rises above x. The balances follow from the heights of the three subtrees, whatever they were. */
static struct tree_node *rotate_left(struct tree *t, struct tree_node *x)
{
    struct tree_node *y = x->right;
    replace(t, x, y);
    x->right = y->left;
    if (x->right != nullptr)
        x->right->parent = x;
    y->left = x;
    x->parent = y;
    x->balance = (int8_t)(x->balance - 1 - at_least_0(y->balance));
    y->balance = (int8_t)(y->balance - 1 + at_most_0(x->balance));
    return y;
}

static struct tree_node *rotate_right(struct tree *t, struct tree_node *x)
{
    struct tree_node *y = x->left;
    replace(t, x, y);
    x->left = y->right;
    if (x->left != nullptr)
        x->left->parent = x;
    y->right = x;
    x->parent = y;
    x->balance = (int8_t)(x->balance + 1 - at_most_0(y->balance));
    y->balance = (int8_t)(y->balance + 1 + at_least_0(x->balance));
    return y;
}

/* Mends a node whose balance reached 2 or -2; returns the node that stands in its place. */
static struct tree_node *mend(struct tree *t, struct tree_node *x)
{
    if (x->balance > 0) {
#ifndef MUTATE_TREE_SINGLE_ROTATION
        if (x->right->balance < 0)
            rotate_right(t, x->right);
#endif
        return rotate_left(t, x);
    }
    if (x->left->balance > 0)
        rotate_left(t, x->left);
    return rotate_right(t, x);
}

void tree_insert(struct tree *t, struct tree_node *n, uint64_t key)
{
    struct tree_node *up = nullptr, **link = &t->root;
    bool leftmost = true;
    while (*link != nullptr) {
        up = *link;
        if (key < up->key) {
            link = &up->left;
        } else {
            link = &up->right;
            leftmost = false;
        }
    }
    *n = (struct tree_node){ .parent = up, .key = key, .in_tree = true };
    *link = n;
    if (leftmost)
        t->first = n;

    while (up != nullptr) {
        up->balance = (int8_t)(up->balance + (up->right == n ? 1 : -1));
        if (up->balance == 0)
            return; /* the shorter side caught up: no height changed above */
        if (up->balance == 2 || up->balance == -2) {
            mend(t, up);
            return;
        }
        n = up;
        up = up->parent;
    }
}

/* The side of `x` on which `delta` says (1: right, -1: left) lost one level. Restores T2 from there up. */
static void shrunk(struct tree *t, struct tree_node *x, int delta)
{
    while (x != nullptr) {
        x->balance = (int8_t)(x->balance - delta);
        if (x->balance == 1 || x->balance == -1)
            return; /* the other side still has the full height */
        if (x->balance != 0) {
            x = mend(t, x);
            if (x->balance != 0)
                return;
        }
        if (x->parent != nullptr)
            delta = x->parent->right == x ? 1 : -1;
        x = x->parent;
    }
}

void tree_remove(struct tree *t, struct tree_node *n)
{
    if (!n->in_tree)
        return;
    if (t->first == n)
        t->first = tree_next(n);

    struct tree_node *from = n->parent; /* where the loss of height begins */
    int delta = from != nullptr && from->right == n ? 1 : -1;
    if (n->left == nullptr || n->right == nullptr) {
        replace(t, n, n->left != nullptr ? n->left : n->right);
    } else {
        /* The successor takes n's place; it has no left child. */
        struct tree_node *s = n->right;
        from = s;
        delta = 1;
        while (s->left != nullptr) {
            s = s->left;
            from = s->parent;
            delta = -1;
        }
        if (s != n->right) {
            replace(t, s, s->right);
            s->right = n->right;
            s->right->parent = s;
        }
        s->left = n->left;
        s->left->parent = s;
        s->balance = n->balance;
        replace(t, n, s);
    }
    n->parent = n->left = n->right = nullptr;
    n->in_tree = false;
    shrunk(t, from, delta);
}

struct tree_node *tree_next(const struct tree_node *n)
{
    if (n->right != nullptr) {
        struct tree_node *m = n->right;
        while (m->left != nullptr)
            m = m->left;
        return m;
    }
    while (n->parent != nullptr && n->parent->right == n)
        n = n->parent;
    return n->parent;
}

struct tree_node *tree_prev(const struct tree_node *n)
{
    if (n->left != nullptr) {
        struct tree_node *m = n->left;
        while (m->right != nullptr)
            m = m->right;
        return m;
    }
    while (n->parent != nullptr && n->parent->left == n)
        n = n->parent;
    return n->parent;
}
