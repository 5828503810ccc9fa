/* SPDX-License-Identifier: MIT
 * Circular doubly linked intrusive lists. A list is a node that points to itself when empty; so is a node in no list.
 */
#pragma once
#include <stddef.h>

struct list_node {
    struct list_node *next, *prev;
};

#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

static inline void list_init(struct list_node *l)
{
    l->next = l->prev = l;
}

static inline bool list_is_empty(const struct list_node *l)
{
    return l->next == l;
}

static inline void list_insert_between(struct list_node *n, struct list_node *before, struct list_node *after)
{
    n->prev = before;
    n->next = after;
    before->next = n;
    after->prev = n;
}

static inline void list_push_front(struct list_node *l, struct list_node *n)
{
    list_insert_between(n, l, l->next);
}

static inline void list_push_back(struct list_node *l, struct list_node *n)
{
    list_insert_between(n, l->prev, l);
}

/* l is empty. */
static inline void list_push_only(struct list_node *l, struct list_node *n)
{
    n->next = n->prev = l;
    l->next = l->prev = n;
}

/* Leaves n's own pointers as they were: it must not be removed again before it is inserted. */
static inline void list_unlink(struct list_node *n)
{
    struct list_node *before = n->prev, *after = n->next;
    before->next = after;
    after->prev = before;
}

/* Leaves n a list of its own: removing it again does no harm. */
static inline void list_remove(struct list_node *n)
{
    list_unlink(n);
    list_init(n);
}

static inline struct list_node *list_first(const struct list_node *l)
{
    return list_is_empty(l) ? nullptr : l->next;
}
