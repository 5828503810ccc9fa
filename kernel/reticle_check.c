/* SPDX-License-Identifier: MIT
 * Walks every block of every Reticle and holds it against R1-R4, R6 and R7. For tests and self-tests: it takes time in
 * proportion to RAM, and the whole tree of Reticles must stand still. */
#include <kernel/reticle.h>
#include <kernel/reticle_page.h>

/* What one Reticle's blocks add up to. */
struct tally {
    uint64_t free_pages, used_pages, lent_pages, spares;
    uint64_t blocks[RETICLE_ORDERS]; /* free ones of each order */
    uint64_t partial[OBJECT_CLASSES];
};

static const char *reason;

static bool fail(const char *why)
{
    reason = why;
    return false;
}

static bool linked(const struct list_node *n)
{
    return n->next->prev == n && n->prev->next == n;
}

static uint64_t list_length(const struct list_node *l, uint64_t limit)
{
    uint64_t n = 0;
    for (const struct list_node *i = l->next; i != l && n <= limit; i = i->next)
        n++;
    return n;
}

/* The child of r that `inner` is, or is somewhere inside of; null: it is not below r. */
static const struct reticle *child_towards(const struct reticle *r, const struct reticle *inner)
{
    while (inner != nullptr && inner->parent != r)
        inner = inner->parent;
    return inner;
}

static bool check_object_page(const struct page *p, struct tally *sum)
{
    if (p->order != 0 || p->class >= OBJECT_CLASSES)
        return fail("R7: an object page is one page of a known class");
    uint32_t used = slots_all(p->class) ^ p->slots;
    if (used == 0 || used > slots_all(p->class) || p->n_objects != __builtin_popcount(used))
        return fail("R7: an object page holds an object, knows how many, and has no slot beyond its end");
    if (p->slots != 0) {
        sum->partial[p->class]++;
        if (!linked(&p->node))
            return fail("R7: a partial object page is in a list");
    }
    return true;
}

/* One block that is r's own. */
static bool check_block(const struct reticle *r, const struct range *g, uint64_t pfn, struct tally *sum)
{
    const struct page *p = page_in(g, pfn);
    uint64_t n = pages_in(p->order), buddy = pfn ^ n;
    switch (p->type) {
    case PAGE_FREE:
        sum->free_pages += n;
        sum->blocks[p->order]++;
        if (!linked(&p->node))
            return fail("R1: a free block is in a free list");
        if (p->order < order_limit(r) && buddy - g->first < g->n) {
            const struct page *b = page_in(g, buddy);
            if (b->type == PAGE_FREE && b->order == p->order && b->reticle == r)
                return fail("R4: two free buddies");
        }
        return true;
    case PAGE_SPARE:
        sum->free_pages++;
        sum->spares++;
        return p->order == 0 ? true : fail("R6: a spare is one page");
    case PAGE_OBJECT:
        sum->used_pages++;
        return check_object_page(p, sum);
    default:
        sum->used_pages += n;
        return p->type > PAGE_OBJECT && p->type <= PAGE_KERNEL ? true : fail("R1: a block has a known type");
    }
}

/* The blocks of r in pages [at, end) of one range. */
static bool check_extent(const struct reticle *r, const struct range *g, uint64_t at, uint64_t end, struct tally *sum)
{
    while (at < end) {
        const struct page *p = page_in(g, at);
        uint32_t order = p->order;
        if (p->reticle != r) {
            const struct reticle *child = child_towards(r, p->reticle);
            if (child == nullptr || pfn_of(child->base) != at)
                return fail("R1: a block belongs to its Reticle, or starts the block of a child");
            order = child->order;
            sum->lent_pages += pages_in(order);
        } else if (order > order_limit(r) || !check_block(r, g, at, sum)) {
            return order > order_limit(r) ? fail("R3: a block is no larger than its Reticle") : false;
        }
        if ((at & (pages_in(order) - 1)) != 0 || end - at < pages_in(order))
            return fail("R3: a block is aligned to its size, and inside its Reticle");
        at += pages_in(order);
    }
    return true;
}

static bool check_sums(const struct reticle *r, const struct tally *sum)
{
    if (sum->free_pages != r->free_pages || sum->lent_pages != r->lent_pages ||
        sum->free_pages + sum->used_pages + sum->lent_pages != r->total_pages)
        return fail("R2: pages do not add up");
    for (uint32_t i = 0; i < RETICLE_ORDERS; i++)
        if (list_length(&r->free[i], sum->blocks[i]) != sum->blocks[i] ||
            ((r->free_mask >> i & 1) != 0) != (sum->blocks[i] != 0))
            return fail("R1: a free list or its bit disagrees with the blocks");
    for (uint32_t i = 0; i < OBJECT_CLASSES; i++)
        if (list_length(&r->partial[i], sum->partial[i]) != sum->partial[i])
            return fail("R7: a partial list disagrees with the object pages");
    if (list_length(&r->spares, sum->spares) != sum->spares || r->n_spares != sum->spares)
        return fail("R6: the spares disagree with the pages");
    return true;
}

static bool check_one(const struct reticle *r)
{
    struct tally sum = {};
    const struct range *g;
    for (size_t i = 0; (g = reticle_range(i)) != nullptr; i++) {
        uint64_t first = g->first, end = g->first + g->n;
        if (r->parent != nullptr) {
            first = pfn_of(r->base);
            if (first - g->first >= g->n)
                continue;
            if (end - first < pages_in(r->order))
                return fail("R1: a Reticle's block lies in one range of RAM");
            end = first + pages_in(r->order);
        }
        if (!check_extent(r, g, first, end, &sum))
            return false;
    }
    return check_sums(r, &sum);
}

bool reticle_check(const struct reticle *root, const char **why)
{
    reason = nullptr;
    const struct reticle *r = root;
    bool ok = check_one(r);
    while (
        ok) { /* pre-order over the tree: down, else along, else up and along; no recursion, for depth is the user's */
        const struct list_node *next = r->children.next;
        while (r != root && next == &r->children) {
            next = r->sibling.next;
            r = r->parent;
        }
        if (next == &r->children)
            break;
        const struct reticle *child = container_of(next, struct reticle, sibling);
        if (child->parent != r) {
            ok = fail("R1: a child Reticle does not know its parent");
            break;
        }
        r = child;
        ok = check_one(r);
    }
    if (why != nullptr)
        *why = reason;
    return ok;
}
