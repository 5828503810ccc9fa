/* SPDX-License-Identifier: MIT
 * What a page of RAM is, found from the outside. */
#pragma once
#include <kernel/reticle_page.h>

/* The type and order of the block that a page is the first of, and its Reticle (nullptr: none). */
struct page_facts {
    page_type_t type;
    uint32_t order;
    struct reticle *reticle;
};

/* The first page of the innermost block that holds the page, and where it starts. Blocks tile a range, so the first of
 * the aligned addresses below us lies at the start of one, and so does every next one that the last block does not
 * cover. */
static inline const struct page *block_of(const struct range *g, uint64_t pfn, uint64_t *start)
{
    uint64_t at = g->first;
    for (uint32_t k = RETICLE_ORDER_MAX + 1; k-- > 0;) {
        uint64_t s = pfn & ~(pages_in(k) - 1);
        if (s >= g->first) {
            at = s;
            break;
        }
    }
    const struct page *p = page_in(g, at);
    while (pfn - at >= pages_in(p->order)) {
        uint64_t past = at + pages_in(p->order), s;
        uint32_t k = log2_floor(pfn ^ at);
        do
            s = pfn & ~(pages_in(k) - 1);
        while (s < past && k-- > 0);
        at = s;
        p = page_in(g, at);
    }
    *start = at;
    return p;
}

static inline struct page_facts reticle_page_facts(paddr_t pa)
{
    uint64_t pfn = pfn_of(pa), start;
    const struct range *g;
    for (size_t i = 0; (g = reticle_range(i)) != nullptr && pfn - g->first >= g->n;)
        i++;
    if (g == nullptr)
        return (struct page_facts){ .type = PAGE_NONE };
    const struct page *p = block_of(g, pfn, &start);
    if (start != pfn)
        return (struct page_facts){ .type = PAGE_NONE };
    page_type_t type = p->type == PAGE_SPARE ? PAGE_FREE : (page_type_t)p->type;
    return (struct page_facts){ .type = type, .order = p->order, .reticle = p->reticle };
}
