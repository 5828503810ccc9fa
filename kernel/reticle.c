/* SPDX-License-Identifier: MIT
 * Reticles: the buddy allocator over all RAM, and the small objects cut from its pages. See reticle.h for R1-R5.
 *
 * Every page of RAM has a struct page, in one array that is cut from RAM at boot and never initialised: only the struct
 * of a block's first page means anything (R3), and blocks are found by knowing where they start. Two things follow. A
 * child's block is given back in a few steps, whatever lies about inside. And the first page of a lent block belongs to
 * the innermost Reticle: what the lender must know of the block is in the child's struct reticle.
 *
 * R6. A Reticle keeps up to SPARES_MAX free single pages unmerged (PAGE_SPARE, on r->spares), so that a page which
 * comes and goes does not split and merge a big block each time. They count as free; whoever needs them merged gets
 * them merged before it fails. R7. An object page has type PAGE_OBJECT, at least one object in it, and is on its
 * class's partial list if it has room. `slots` has a bit set for every free slot. Objects are never trusted. Locking:
 * none here; one Reticle is used by one hart at a time (kernel/locks.def). The range table is constant. */
#include <arch/mmu.h>
#include <base/kassert.h>
#include <kernel/reticle.h>
#include <kernel/reticle_page.h>
#include <stdatomic.h>

#define SPARES_MAX 8u
#define ROOT_ORDER UINT32_MAX
/* Every reservation can cut a region in two. */
#define RANGE_MAX (MEMORY_REGION_MAX + RESERVED_REGION_MAX + 1)

static struct range ranges[RANGE_MAX];
static size_t n_ranges;
static _Atomic size_t last_hit; /* index of the range that answered last; a hint only */

/* The range that holds the page, or null. It saves what it uses, so that who seldom calls it needs no stack. */
[[gnu::noinline, clang::preserve_most]] static struct range *range_search(uint64_t pfn)
{
    for (size_t i = 0; i < n_ranges; i++) {
        if (pfn - ranges[i].first < ranges[i].n) {
            atomic_store_explicit(&last_hit, i, memory_order_relaxed); /* relaxed: a hint, checked when used */
            return &ranges[i];
        }
    }
    return nullptr;
}

static inline struct range *range_of(uint64_t pfn)
{
    struct range *g = &ranges[atomic_load_explicit(&last_hit, memory_order_relaxed)]; /* relaxed: as above */
    if (__builtin_expect(pfn - g->first < g->n, 1))
        return g;
    return range_search(pfn);
}

static inline struct page *page_of(uint64_t pfn)
{
    struct range *g = range_of(pfn);
    kassert(g != nullptr);
    return page_in(g, pfn);
}

static inline bool range_has_page(const struct range *g, const struct page *p)
{
    return (uintptr_t)p - (uintptr_t)g->pages < g->n * sizeof(struct page);
}

static inline uint64_t pfn_of_page(const struct page *p)
{
    const struct range *g = &ranges[atomic_load_explicit(&last_hit, memory_order_relaxed)]; /* relaxed: a hint */
    if (__builtin_expect(!range_has_page(g, p), 0))
        for (g = ranges; !range_has_page(g, p); g++)
            kassert(g < ranges + n_ranges);
    return g->first + (uint64_t)(p - g->pages);
}

static inline void page_set(struct page *p, struct reticle *r, uint8_t type, uint32_t order)
{
    p->reticle = r;
    p->type = type;
    p->order = (uint8_t)order;
}

static inline void free_list_add(struct reticle *r, struct page *p, uint32_t order)
{
    page_set(p, r, PAGE_FREE, order);
    list_push_front(&r->free[order], &p->node);
    r->free_mask |= 1u << order;
}

static inline void free_list_take(struct reticle *r, struct page *p, uint32_t order)
{
    struct list_node *before = p->node.prev, *after = p->node.next;
    before->next = after;
    after->prev = before;
    if (before == after && before == &r->free[order])
        r->free_mask &= ~(1u << order);
}

/* Enters a block in the free lists, merged with its free buddies as far as that goes (R4). Does not count. */
[[gnu::noinline]] static void block_merge(struct reticle *r, struct range *g, uint64_t pfn, uint32_t order)
{
    const uint32_t limit = order_limit(r);
    while (order < limit) {
        uint64_t buddy_pfn = pfn ^ pages_in(order);
        if (buddy_pfn - g->first >= g->n)
            break; /* not RAM; ranges never touch, so a block never spans two */
        struct page *buddy = page_in(g, buddy_pfn);
        /* The buddy starts a block, for else it would lie in a block that also holds us. */
        if (buddy->type != PAGE_FREE || buddy->order != order || buddy->reticle != r)
            break;
        free_list_take(r, buddy, order);
        pfn &= buddy_pfn;
        order++;
    }
    free_list_add(r, page_in(g, pfn), order);
}

/* The spares are a stack through node.next, down to the list head. */
static inline void spare_push(struct reticle *r, struct page *p)
{
    p->type = PAGE_SPARE;
    p->node.next = r->spares.next;
    r->spares.next = &p->node;
    r->n_spares++;
}

static inline struct page *spare_pop(struct reticle *r)
{
    struct page *p = page_of_node(r->spares.next);
    r->spares.next = p->node.next;
    r->n_spares--;
    return p;
}

/* Merges the spare pages (R6). At most SPARES_MAX times O(log). */
[[gnu::noinline]] static void spares_flush(struct reticle *r)
{
    while (r->n_spares != 0) {
        uint64_t pfn = pfn_of_page(spare_pop(r));
        block_merge(r, range_of(pfn), pfn, 0);
    }
}

/* Takes a block out of the free lists; splits a larger one if it must. Null: there is none. */
[[gnu::noinline]] static struct page *block_take(struct reticle *r, uint32_t order)
{
    uint32_t fit = r->free_mask & (UINT32_MAX << order);
    if (fit == 0) {
        spares_flush(r);
        fit = r->free_mask & (UINT32_MAX << order);
    }
    if (fit == 0)
        return nullptr;
    uint32_t have = (uint32_t)__builtin_ctz(fit);
    struct page *p = page_of_node(r->free[have].next);
    free_list_take(r, p, have);
    while (have > order) {
        have--;
        free_list_add(r, p + pages_in(have), have); /* the upper half stays free */
    }
    return p;
}

static inline paddr_t block_hand_out(struct reticle *r, struct page *p, uint32_t order, page_type_t type)
{
    page_set(p, r, type, order);
    r->free_pages -= pages_in(order);
    return pa_of(pfn_of_page(p));
}

/* Apart, so that the quick way needs no stack. */
[[gnu::noinline]] static status_t alloc_block(struct reticle *r, uint32_t order, page_type_t type, paddr_t *out)
{
    struct page *p = order <= RETICLE_ORDER_MAX ? block_take(r, order) : nullptr;
    if (p == nullptr)
        return ERR_NO_MEMORY;
    *out = block_hand_out(r, p, order, type);
    return OK;
}

status_t reticle_alloc(struct reticle *r, uint32_t order, page_type_t type, paddr_t *out)
{
    if (order != 0 || r->n_spares == 0)
        return alloc_block(r, order, type, out);
    *out = block_hand_out(r, spare_pop(r), 0, type);
    return OK;
}

/* Back to the free lists or the spares. The block is whole, r's, and not free. */
static inline void block_free(struct reticle *r, struct range *g, uint64_t pfn, uint32_t order)
{
    r->free_pages += pages_in(order);
    if (order == 0 && r->n_spares < SPARES_MAX) {
        spare_push(r, page_in(g, pfn));
        return;
    }
    block_merge(r, g, pfn, order);
}

static bool type_is_used(uint8_t type)
{
    return type > PAGE_LENT && type <= PAGE_KERNEL;
}

void reticle_free(struct reticle *r, paddr_t block, uint32_t order)
{
    uint64_t pfn = pfn_of(block);
    struct range *g = range_of(pfn);
    kassert(g != nullptr && (block.raw & (ARCH_PAGE_SIZE - 1)) == 0);
    struct page *p = page_in(g, pfn);
    kassert(type_is_used(p->type) && p->order == order &&
            p->reticle == r); /* else: freed twice, or not what was given */
    block_free(r, g, pfn, order);
}

void reticle_split(struct reticle *r, paddr_t block, uint32_t order, uint32_t to)
{
    struct page *p = page_of(pfn_of(block));
    kassert(type_is_used(p->type) && p->type != PAGE_OBJECT && p->order == order && p->reticle == r && to <= order);
    for (uint64_t i = 0; i < pages_in(order); i += pages_in(to))
        page_set(p + i, r, p->type, to);
}

static void reticle_init(struct reticle *r, uint32_t order, paddr_t base)
{
    *r = (struct reticle){ .order = order, .base = base };
    for (uint32_t i = 0; i < RETICLE_ORDERS; i++)
        list_init(&r->free[i]);
    for (uint32_t i = 0; i < OBJECT_CLASSES; i++)
        list_init(&r->partial[i]);
    list_init(&r->spares);
    list_init(&r->children);
    list_init(&r->sibling);
    list_init(&r->objects);
}

status_t reticle_carve(struct reticle *parent, uint32_t order, struct reticle *child)
{
    paddr_t base;
    status_t st = reticle_alloc(parent, order, PAGE_LENT, &base);
    if (st != OK)
        return st;
    parent->lent_pages += pages_in(order);
    reticle_init(child, order, base);
    child->parent = parent;
    child->total_pages = child->free_pages = pages_in(order);
    list_push_back(&parent->children, &child->sibling);
    free_list_add(child, page_of(pfn_of(base)), order);
    return OK;
}

void reticle_release(struct reticle *child)
{
    struct reticle *parent = child->parent;
    kassert(parent != nullptr && list_is_empty(&child->children));
    list_remove(&child->sibling);
    child->parent = nullptr;
    /* Whoever still has the struct finds nothing in it. */
    child->total_pages = child->free_pages = child->lent_pages = 0;
    child->free_mask = child->n_spares = 0;
    uint64_t pfn = pfn_of(child->base);
    struct range *g = range_of(pfn);
    parent->lent_pages -= pages_in(child->order);
    page_set(page_in(g, pfn), parent, PAGE_LENT, child->order);
    block_free(parent, g, pfn, child->order);
}

uint64_t reticle_largest(const struct reticle *r)
{
    spares_flush((struct reticle *)(uintptr_t)r); /* the cache is not part of what r means */
    return r->free_mask == 0 ? 0 : (uint64_t)ARCH_PAGE_SIZE << log2_floor(r->free_mask);
}

/* --- small objects --- */

static inline uint32_t object_class(size_t size)
{
    return log2_floor((size - 1) | (OBJECT_MIN - 1)) + 1 - OBJECT_MIN_LOG2;
}

[[gnu::noinline]] static status_t object_page_create(struct reticle *r, uint32_t class, struct page **out)
{
    paddr_t pa;
    status_t st = reticle_alloc(r, 0, PAGE_OBJECT, &pa);
    if (st != OK)
        return st;
    struct page *p = page_of(pfn_of(pa));
    p->class = (uint8_t)class;
    p->slots = slots_all(class);
    p->n_objects = 0;
    list_push_front(&r->partial[class], &p->node);
    *out = p;
    return OK;
}

status_t reticle_kalloc(struct reticle *r, size_t size, void **out)
{
    kassert(size != 0 && size <= ARCH_PAGE_SIZE);
    uint32_t class = object_class(size);
    struct page *p = page_of_node(r->partial[class].next);
    status_t st = list_is_empty(&r->partial[class]) ? object_page_create(r, class, &p) : OK;
    if (st != OK)
        return st;
    uint32_t slot = (uint32_t)__builtin_ctz(p->slots);
    *out = (char *)arch_phys_to_virt(pa_of(pfn_of_page(p))) + ((size_t)slot << (class + OBJECT_MIN_LOG2));
    p->slots &= p->slots - 1;
    p->n_objects++;
    if (p->slots == 0)
        list_unlink(&p->node);
    return OK;
}

/* Apart, so that the quick way needs no stack. */
[[gnu::noinline]] static void object_page_free(struct reticle *r, struct page *p)
{
    uint64_t pfn = pfn_of_page(p);
    list_remove(&p->node);
    block_free(r, range_of(pfn), pfn, 0);
}

void reticle_kfree(struct reticle *r, void *object)
{
    uint64_t pa = arch_virt_to_phys(object).raw;
    struct page *p = page_of(pa >> ARCH_PAGE_SHIFT);
    kassert(p->type == PAGE_OBJECT && p->reticle == r);
    uint32_t log2_size = p->class + OBJECT_MIN_LOG2, offset = (uint32_t)pa & (ARCH_PAGE_SIZE - 1);
    uint32_t bit = 1u << (offset >> log2_size);
    kassert((offset & ((1u << log2_size) - 1)) == 0 && (p->slots & bit) == 0); /* else: freed twice */
    if (p->slots == 0)
        list_push_front(&r->partial[p->class], &p->node);
    p->slots |= bit;
    if (--p->n_objects == 0)
        object_page_free(r, p);
}

/* --- facts --- */

const struct range *reticle_range(size_t i)
{
    return i < n_ranges ? &ranges[i] : nullptr;
}

struct reticle *reticle_of_page(paddr_t pa, page_type_t type)
{
    const struct page *p = page_of(pfn_of(pa));
    return p->type == type ? p->reticle : nullptr;
}

/* --- boot --- */

/* Copies the ranges in pages, joins those that touch, and leaves physical page 0 out: address 0 means "none" to many.
 * Returns the index of the largest; n_ranges == 0: there is nothing. */
static status_t ranges_set(const struct ram_range *ram, size_t n, size_t *largest)
{
    n_ranges = 0;
    *largest = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t first = ram[i].base >> ARCH_PAGE_SHIFT, len = ram[i].len >> ARCH_PAGE_SHIFT;
        kassert(((ram[i].base | ram[i].len) & (ARCH_PAGE_SIZE - 1)) == 0);
        if (first == 0 && len != 0) {
            first++;
            len--;
        }
        if (len == 0)
            continue;
        struct range *g = n_ranges == 0 ? nullptr : &ranges[n_ranges - 1];
        kassert(g == nullptr || g->first + g->n <= first);
        if (g != nullptr && g->first + g->n == first) {
            g->n += len;
        } else {
            if (n_ranges == RANGE_MAX)
                return ERR_NO_MEMORY;
            ranges[n_ranges++] = (struct range){ .first = first, .n = len };
        }
        if (ranges[n_ranges - 1].n > ranges[*largest].n)
            *largest = n_ranges - 1;
    }
    return n_ranges == 0 ? ERR_NO_MEMORY : OK;
}

/* Cuts the page array from the end of the largest range: its start is the better aligned side. */
static status_t page_array_place(size_t largest)
{
    uint64_t n = 0;
    for (size_t i = 0; i < n_ranges; i++)
        n += ranges[i].n;
    uint64_t bytes = n * sizeof(struct page);
    uint64_t need = (bytes + ARCH_PAGE_SIZE - 1) >> ARCH_PAGE_SHIFT;
    struct range *g = &ranges[largest];
    if (g->n <= need)
        return ERR_NO_MEMORY;
    g->n -= need;
    struct page *pages = arch_phys_to_virt(pa_of(g->first + g->n)); /* RAM too, but nobody's */
    for (size_t i = 0; i < n_ranges; i++) {
        ranges[i].pages = pages;
        pages += ranges[i].n;
    }
    atomic_store_explicit(&last_hit, largest, memory_order_relaxed); /* relaxed: a hint */
    return OK;
}

status_t reticle_boot(struct reticle *root, const struct ram_range *ram, size_t n)
{
    size_t largest;
    atomic_store_explicit(&last_hit, 0, memory_order_relaxed); /* relaxed: a hint */
    status_t st = ranges_set(ram, n, &largest);
    if (st == OK)
        st = page_array_place(largest);
    if (st != OK) {
        n_ranges = 0;
        return st;
    }
    reticle_init(root, ROOT_ORDER, (paddr_t){ 0 });
    for (size_t i = 0; i < n_ranges; i++) {
        uint64_t at = ranges[i].first, end = at + ranges[i].n;
        while (at < end) {
            uint32_t order = log2_floor(end - at), aligned = (uint32_t)__builtin_ctzll(at);
            order = order < aligned ? order : aligned;
            order = order < RETICLE_ORDER_MAX ? order : RETICLE_ORDER_MAX;
            free_list_add(root, page_in(&ranges[i], at), order);
            at += pages_in(order);
        }
        root->total_pages += ranges[i].n;
    }
    root->free_pages = root->total_pages;
    return OK;
}
