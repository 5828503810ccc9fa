/* SPDX-License-Identifier: MIT
 * AVL trees with parent pointers, so that removal and stepping need no search and no stack.
 *
 * T1. Keys never fall from left to right; equal keys stand in order of insertion.
 * T2. `height` counts the levels of a node's subtree; those of its children differ by one at most between calls.
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

static inline int height(const struct tree_node *n)
{
    return n != nullptr ? n->height : 0;
}

static inline void measure(struct tree_node *n)
{
    int left = height(n->left), right = height(n->right);
    n->height = (uint8_t)(1 + (left > right ? left : right));
}

/* The child on `side` rises above x, and is returned. */
static struct tree_node *rotate(struct tree *t, struct tree_node *x, bool side)
{
    struct tree_node *y = x->child[side];
    replace(t, x, y);
    x->child[side] = y->child[!side];
    if (x->child[side] != nullptr)
        x->child[side]->parent = x;
    y->child[!side] = x;
    x->parent = y;
    measure(x);
    measure(y);
    return y;
}

/* Restores T2 from x up: a subtree of x has grown or lost a level. Nothing changes above one that is as high as before.
 */
static void mend(struct tree *t, struct tree_node *x)
{
    for (; x != nullptr; x = x->parent) {
        int before = x->height, more = height(x->right) - height(x->left);
        bool side = more > 0;
        struct tree_node *y = x->child[side];
        if (more >= -1 && more <= 1) {
            measure(x);
        } else {
            if (height(y->child[!side]) > height(y->child[side]))
                rotate(t, y, !side);
            x = rotate(t, x, side);
        }
        if (x->height == before)
            return;
    }
}

void tree_insert(struct tree *t, struct tree_node *n, uint64_t key)
{
    struct tree_node *up = nullptr, **link = &t->root;
    bool leftmost = true;
    while (*link != nullptr) {
        up = *link;
        bool right = key >= up->key;
        link = &up->child[right];
        leftmost = leftmost && !right;
    }
    *n = (struct tree_node){ .parent = up, .key = key, .height = 1, .in_tree = true };
    *link = n;
    if (leftmost)
        t->first = n;
    mend(t, up);
}

void tree_remove(struct tree *t, struct tree_node *n)
{
    if (!n->in_tree)
        return;
    if (t->first == n)
        t->first = tree_next(n);

    struct tree_node *from = n->parent; /* where the loss of height begins */
    if (n->left == nullptr || n->right == nullptr) {
        replace(t, n, n->left != nullptr ? n->left : n->right);
    } else {
        /* The successor takes n's place; it has no left child. */
        struct tree_node *s = tree_next(n);
        from = s == n->right ? s : s->parent;
        if (s != n->right) {
            replace(t, s, s->right);
            s->right = n->right;
            s->right->parent = s;
        }
        s->left = n->left;
        s->left->parent = s;
        s->height = n->height;
        replace(t, n, s);
    }
    n->parent = n->left = n->right = nullptr;
    n->in_tree = false;
    mend(t, from);
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
