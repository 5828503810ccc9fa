/* SPDX-License-Identifier: MIT
 * Reticles: power-of-two blocks of physical memory with a buddy allocator inside, and small kernel objects cut from
 * pages. Pure: knows nothing of Tasks, capabilities or the architecture but the direct map (arch_phys_to_virt).
 *
 * Invariants:
 * R1. Every page of RAM belongs to exactly one block, and every block to exactly one Reticle: free in it, retyped by
 * it, or lent to a child. R2. total_pages = free_pages + used_pages + lent_pages, exactly, always. R3. A block of order
 * k starts at a multiple of 2^k pages; only the `struct page` of its first page is meaningful. R4. Two free buddies of
 * one Reticle never both exist: they are one block of the next order. A few single pages are kept aside unmerged as a
 * cache (spares); they count as free and are merged before an allocation fails for want of them. R5. Releasing a child
 * Reticle gives its block back whole, whatever state its inside was in, in O(log) steps. Locking: callers serialise per
 * Reticle; parent and child are two (parent before child). */
#pragma once
#include <abi/limits.h>
#include <abi/status.h>
#include <arch/mmu.h>
#include <base/addr.h>
#include <base/list.h>
#include <stddef.h>
#include <stdint.h>

#define RETICLE_ORDERS (RETICLE_ORDER_MAX + 1)

typedef enum page_type : uint8_t {
    PAGE_NONE = 0, /* not the first page of a block, or not RAM */
    PAGE_FREE,
    PAGE_LENT,   /* the block of a child Reticle */
    PAGE_OBJECT, /* small kernel objects */
    PAGE_TABLE,  /* page table */
    PAGE_CAPS,   /* capability table */
    PAGE_RING,
    PAGE_ANON,   /* anonymous user memory */
    PAGE_MEM,    /* a MEM object's */
    PAGE_KERNEL, /* the kernel's own, since boot */
} page_type_t;

/* Object size classes: 128 << i bytes, up to one page. */
#define OBJECT_CLASSES 6u

struct page;

struct reticle {
    struct list_node free[RETICLE_ORDERS]; /* of struct page */
    uint32_t free_mask;                    /* bit k: free[k] is not empty */
    uint32_t order;                        /* of its one block; the root: 0xffffffff */
    paddr_t base;
    uint64_t total_pages, free_pages, lent_pages;
    struct list_node spares; /* free single pages kept unmerged; they count as free */
    uint32_t n_spares;
    struct list_node partial[OBJECT_CLASSES]; /* object pages with room */
    struct list_node children;                /* of struct reticle, by sibling */
    struct list_node sibling;
    struct reticle *parent;
    struct list_node objects; /* of struct object, by home_node: kept by object.c */
    void *owner;              /* struct object that this Reticle is part of */
};

struct ram_range {
    uint64_t base, len;
}; /* bytes */

/* The order of the least block that has so many bytes; beyond RETICLE_ORDER_MAX there is none. */
static inline uint32_t order_for(uint64_t bytes)
{
    uint32_t order = 0;
    while (order <= RETICLE_ORDER_MAX && ((uint64_t)ARCH_PAGE_SIZE << order) < bytes)
        order++;
    return order;
}

static inline uint32_t log2_floor(uint64_t x)
{
    return 63u - (uint32_t)__builtin_clzll(x);
}

/* Boot carve. `ram` are page-aligned ranges of usable RAM, ascending, disjoint, without anything reserved. The page
 * array is taken out of the largest range. Everything else becomes the root's. ERR_NO_MEMORY if it does not fit. */
status_t reticle_boot(struct reticle *root, const struct ram_range *ram, size_t n_ranges);

/* A block of 2^order pages, retyped. Not zeroed. ERR_NO_MEMORY. */
status_t reticle_alloc(struct reticle *r, uint32_t order, page_type_t type, paddr_t *out);
/* The block must be one that reticle_alloc gave, with this order. */
void reticle_free(struct reticle *r, paddr_t block, uint32_t order);
/* Splits an allocated block of order `order` into 2^(order-to) blocks of order `to`, each then freed on its own. */
void reticle_split(struct reticle *r, paddr_t block, uint32_t order, uint32_t to);

/* Lends a block of 2^order pages to `child`, which is initialised. ERR_NO_MEMORY. */
status_t reticle_carve(struct reticle *parent, uint32_t order, struct reticle *child);
/* Gives the child's block back whole (R5). It must have no children left. Afterwards child->total_pages is 0, and
 * nothing can be had from it. */
void reticle_release(struct reticle *child);

/* Small objects of 1..4096 bytes, aligned to their size class (at least 128). Not zeroed. */
status_t reticle_kalloc(struct reticle *r, size_t size, void **out);
void reticle_kfree(struct reticle *r, void *p);

/* Whose the page is, which must be the first of a block. nullptr: it is of another type. */
struct reticle *reticle_of_page(paddr_t pa, page_type_t type);
/* Bytes of the largest free block. Merges the spares first, which changes nothing that can be seen. */
uint64_t reticle_largest(const struct reticle *r);
/* Walks everything and checks R1-R4; for tests and debug builds. False with a reason. */
bool reticle_check(const struct reticle *root, const char **why);
