/* SPDX-License-Identifier: MIT
 * Balanced intrusive trees ordered by a 64-bit key: address ranges, deadlines, thread ids. Equal keys are kept in order
 * of insertion. Insert, remove and find are O(log n); first is O(1). */
#pragma once
#include <stdint.h>

struct tree_node {
    struct tree_node *parent;
    union {
        struct {
            struct tree_node *left, *right;
        };
        struct tree_node *child[2]; /* the same */
    };
    uint64_t key;
    int8_t balance; /* height of right minus height of left: -1, 0, 1 */
    bool in_tree;
};

struct tree {
    struct tree_node *root;
    struct tree_node *first; /* smallest key */
};

void tree_insert(struct tree *t, struct tree_node *n, uint64_t key);
void tree_remove(struct tree *t, struct tree_node *n); /* harmless if n is in no tree */
struct tree_node *tree_next(const struct tree_node *n);
struct tree_node *tree_prev(const struct tree_node *n);

/* The last node whose key is at most `key`; nullptr: none. */
static inline struct tree_node *tree_find_le(const struct tree *t, uint64_t key)
{
    struct tree_node *best = nullptr;
    for (struct tree_node *n = t->root; n != nullptr;) {
        if (n->key <= key) {
            best = n;
            n = n->right;
        } else {
            n = n->left;
        }
    }
    return best;
}
