/* SPDX-License-Identifier: MIT
 * What reticle.c and its checker share: the struct page and how to find it. Nobody else includes this. */
#pragma once
#include <arch/mmu.h>
#include <kernel/reticle.h>

struct page {
    struct list_node node; /* a free list, the spares or a partial list */
    struct reticle *reticle;
    uint32_t slots;
    uint8_t type; /* page_type_t or PAGE_SPARE */
    uint8_t order;
    uint8_t class;
    uint8_t n_objects;
};
static_assert(sizeof(struct page) <= 32);

#define PAGE_SPARE 0xfeu   /* seen from outside: PAGE_FREE */
#define OBJECT_MIN_LOG2 7u /* so that a page has as many as slots has bits */
#define OBJECT_MIN ((size_t)1 << OBJECT_MIN_LOG2)

struct range {
    uint64_t first, n; /* page frame numbers */
    struct page *pages;
};

/* The i-th range of RAM that Reticles manage, ascending; null: there is none. */
const struct range *reticle_range(size_t i);

static inline uint64_t pfn_of(paddr_t pa)
{
    return pa.raw >> ARCH_PAGE_SHIFT;
}

static inline paddr_t pa_of(uint64_t pfn)
{
    return (paddr_t){ pfn << ARCH_PAGE_SHIFT };
}

static inline uint64_t pages_in(uint32_t order)
{
    return UINT64_C(1) << order;
}

static inline struct page *page_in(const struct range *g, uint64_t pfn)
{
    return &g->pages[pfn - g->first];
}

static inline struct page *page_of_node(struct list_node *n)
{
    return container_of(n, struct page, node);
}

/* No block of r is larger than this. */
static inline uint32_t order_limit(const struct reticle *r)
{
    return r->order < RETICLE_ORDER_MAX ? r->order : RETICLE_ORDER_MAX;
}

/* The free-slot bits of a page without objects. */
static inline uint32_t slots_all(uint32_t class)
{
    return UINT32_MAX >> (32 - (32 >> class));
}
