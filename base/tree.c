/* SPDX-License-Identifier: MIT
 * AVL trees with parent pointers, so that removal and stepping need no search and no stack.
 *
 * T1. Keys never fall from left to right; equal keys stand in order of insertion.
 * T2. balance = height(right) - height(left), always -1, 0 or 1 between calls.
 * T3. t->first is the leftmost node. */
#include <base/tree.h>

/* Puts `with` (may be null) where `old` hangs. */
static void replace(struct tree *t, struct tree_node *old, struct tree_node *with)
{
    struct tree_node *up = old->parent;
    if (up == nullptr)
        t->root = with;
    else
        up->child[up->right == old] = with;
    if (with != nullptr)
        with->parent = up;
}

/* The child on `side` rises above x. The balances follow from the heights of the three subtrees, whatever they were. */
static struct tree_node *rotate(struct tree *t, struct tree_node *x, bool side)
{
    struct tree_node *y = x->child[side];
    replace(t, x, y);
    x->child[side] = y->child[!side];
    if (x->child[side] != nullptr)
        x->child[side]->parent = x;
    y->child[!side] = x;
    x->parent = y;
    int sign = side ? 1 : -1, of_x = sign * x->balance, of_y = sign * y->balance; /* as if side were the right */
    of_x -= 1 + (of_y > 0 ? of_y : 0);
    of_y -= 1 - (of_x < 0 ? of_x : 0);
    x->balance = (int8_t)(sign * of_x);
    y->balance = (int8_t)(sign * of_y);
    return y;
}

/* Mends a node whose balance reached 2 or -2; returns the node that stands in its place. */
static struct tree_node *mend(struct tree *t, struct tree_node *x)
{
    bool side = x->balance > 0;
    struct tree_node *y = x->child[side];
    if (side ? y->balance < 0 : y->balance > 0)
        rotate(t, y, !side);
    return rotate(t, x, side);
}

/* 1: n hangs on the right of `up`, -1: on its left. */
static inline int side_of(const struct tree_node *up, const struct tree_node *n)
{
    return up != nullptr && up->right == n ? 1 : -1;
}

/* That side of x grew or lost one level. Restores T2 from there up, as far as heights have changed: one that grew has a
 * higher side then, and one that lost a level has none. */
[[gnu::always_inline]] static inline void retrace(struct tree *t, struct tree_node *x, int side, bool grew)
{
    while (x != nullptr) {
        int was = x->balance, change = grew ? side : -side, is = was + change;
        x->balance = (int8_t)is;
        if (was == change) {
            x = mend(t, x);
            is = x->balance;
        }
        if ((is == 0) == grew)
            return;
        side = side_of(x->parent, x);
        x = x->parent;
    }
}

void tree_insert(struct tree *t, struct tree_node *n, uint64_t key)
{
    struct tree_node *up = nullptr, **link = &t->root;
    while (*link != nullptr) {
        up = *link;
        link = &up->child[key >= up->key];
    }
    *n = (struct tree_node){ .parent = up, .key = key, .in_tree = true };
    *link = n;
    if (up == nullptr || link == &t->first->left)
        t->first = n;
    retrace(t, up, side_of(up, n), true);
}

void tree_remove(struct tree *t, struct tree_node *n)
{
    if (!n->in_tree)
        return;
    if (t->first == n)
        t->first = tree_next(n);

    struct tree_node *from = n->parent; /* where the loss of height begins */
    int side = side_of(from, n);
    if (n->left == nullptr || n->right == nullptr) {
        replace(t, n, n->left != nullptr ? n->left : n->right);
    } else {
        /* The successor takes n's place; it has no left child. */
        struct tree_node *s = tree_next(n);
        from = s == n->right ? s : s->parent;
        side = s == n->right ? 1 : -1;
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
    n->in_tree = false;
    retrace(t, from, side, false);
}

/* The nearest node on `side` in the order of keys. */
static inline struct tree_node *neighbour(const struct tree_node *n, bool side)
{
    struct tree_node *m = n->child[side];
    if (m != nullptr) {
        while (m->child[!side] != nullptr)
            m = m->child[!side];
        return m;
    }
    while (n->parent != nullptr && n->parent->child[side] == n)
        n = n->parent;
    return n->parent;
}

struct tree_node *tree_next(const struct tree_node *n)
{
    return neighbour(n, true);
}

struct tree_node *tree_prev(const struct tree_node *n)
{
    return neighbour(n, false);
}
