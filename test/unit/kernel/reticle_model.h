/* SPDX-License-Identifier: MIT
 * A plain model of Reticles, page by page, and the operations that hold the real ones against it. A test or a fuzzer
 * supplies the choices: model_step() takes a source of bytes and does one operation. Every disagreement aborts.
 *
 * The model is exact: it says for every allocation whether it must succeed, because a buddy allocator that merges all
 * it can has an aligned free run exactly if the pages are free. */
#pragma once
#include "choices.h"
#include <arch/mmu.h>
#include <kernel/reticle.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "page_facts.h"

#ifndef MODEL_PAGES
#define MODEL_PAGES 16384u
#endif
#define MODEL_RETICLES 24u
#define MODEL_BLOCKS 4096u
#define MODEL_OBJECTS 4096u
#define MODEL_NOBODY 0xffu

#define must(cond)                                                                                                     \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                                                 \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

struct model_page {
    uint8_t owner;    /* index of the innermost Reticle, MODEL_NOBODY: not RAM */
    uint8_t class;    /* of an object page */
    uint16_t objects; /* live ones on this page */
    bool used;        /* part of a block that was allocated */
};

struct model_block {
    uint8_t owner;
    uint32_t order;
    page_type_t type;
    paddr_t pa;
};

struct model_object {
    uint8_t owner, fill;
    size_t size;
    unsigned char *at;
};

static struct {
    struct reticle reticle[MODEL_RETICLES];
    uint8_t parent[MODEL_RETICLES]; /* MODEL_NOBODY: not in use (0 is the root) */
    struct model_page page[MODEL_PAGES];
    struct model_block block[MODEL_BLOCKS];
    struct model_object object[MODEL_OBJECTS];
    size_t n_blocks, n_objects;
    uint32_t initial_mask;
} model;

static inline uint64_t model_pfn(const void *p)
{
    return arch_virt_to_phys(p).raw >> ARCH_PAGE_SHIFT;
}

static inline bool model_page_free(uint64_t pfn, uint8_t owner)
{
    const struct model_page *p = &model.page[pfn];
    return p->owner == owner && !p->used && p->objects == 0;
}

static inline bool model_run_free(uint64_t pfn, uint32_t order, uint8_t owner)
{
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
        if (pfn + i >= MODEL_PAGES || !model_page_free(pfn + i, owner))
            return false;
    return true;
}

static inline bool model_can(uint8_t owner, uint32_t order)
{
    for (uint64_t pfn = 0; pfn < MODEL_PAGES; pfn += UINT64_C(1) << order)
        if (model_run_free(pfn, order, owner))
            return true;
    return false;
}

/* Everything that can be asked about the real Reticles, against the model. */
static inline void model_compare(void)
{
    const char *why;
    bool ok = reticle_check(&model.reticle[0], &why);
    if (!ok)
        fprintf(stderr, "reticle_check: %s\n", why);
    must(ok);
    uint64_t free_pages[MODEL_RETICLES] = {};
    for (uint64_t pfn = 0; pfn < MODEL_PAGES; pfn++)
        if (model.page[pfn].owner != MODEL_NOBODY && model_page_free(pfn, model.page[pfn].owner))
            free_pages[model.page[pfn].owner]++;
    for (uint8_t i = 0; i < MODEL_RETICLES; i++)
        must(model.parent[i] == MODEL_NOBODY || model.reticle[i].free_pages == free_pages[i]);
}

static inline uint8_t model_any_reticle(struct choices *c)
{
    uint8_t i = (uint8_t)choose(c, MODEL_RETICLES);
    while (i != 0 && model.parent[i] == MODEL_NOBODY)
        i--;
    return i;
}

static inline void model_alloc(struct choices *c)
{
    uint8_t r = model_any_reticle(c);
    uint32_t order = choose(c, 4) != 0 ? choose(c, 4) : choose(c, 11);
    page_type_t type = choose(c, 2) ? PAGE_ANON : PAGE_TABLE;
    paddr_t pa = { 1 };
    if (model.n_blocks == MODEL_BLOCKS)
        return;
    status_t st = reticle_alloc(&model.reticle[r], order, type, &pa);
    if (st != OK) {
        must(st == ERR_NO_MEMORY && pa.raw == 1 && !model_can(r, order));
        return;
    }
    uint64_t pfn = pa.raw >> ARCH_PAGE_SHIFT;
    must((pfn & ((UINT64_C(1) << order) - 1)) == 0 && model_run_free(pfn, order, r));
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
        model.page[pfn + i].used = true;
    memset(arch_phys_to_virt(pa), 0x5a, (size_t)ARCH_PAGE_SIZE << order);
    model.block[model.n_blocks++] = (struct model_block){ .owner = r, .order = order, .type = type, .pa = pa };
}

static inline void model_forget_block(size_t i)
{
    struct model_block *b = &model.block[i];
    for (uint64_t k = 0; k < UINT64_C(1) << b->order; k++)
        model.page[(b->pa.raw >> ARCH_PAGE_SHIFT) + k].used = false;
    *b = model.block[--model.n_blocks];
}

static inline void model_free_block(size_t i)
{
    struct model_block *b = &model.block[i];
    struct page_facts f = reticle_page_facts(b->pa);
    must(f.type == b->type && f.order == b->order && f.reticle == &model.reticle[b->owner]);
    if (b->order > 0) {
        paddr_t inside = { b->pa.raw + ((uint64_t)ARCH_PAGE_SIZE << b->order) - 1 };
        must(reticle_page_facts(inside).type == PAGE_NONE);
    }
    reticle_free(&model.reticle[b->owner], b->pa, b->order);
    model_forget_block(i);
}

static inline void model_split(struct choices *c)
{
    if (model.n_blocks == 0)
        return;
    struct model_block *b = &model.block[choose(c, (uint32_t)model.n_blocks)], whole = *b;
    uint32_t to = choose(c, whole.order + 1);
    size_t pieces = (size_t)1 << (whole.order - to);
    if (model.n_blocks + pieces > MODEL_BLOCKS)
        return;
    reticle_split(&model.reticle[whole.owner], whole.pa, whole.order, to);
    b->order = to;
    for (size_t i = 1; i < pieces; i++) {
        struct model_block *piece = &model.block[model.n_blocks++];
        *piece = whole;
        piece->order = to;
        piece->pa.raw += i * ((uint64_t)ARCH_PAGE_SIZE << to);
    }
}

static inline void model_carve(struct choices *c)
{
    uint8_t r = model_any_reticle(c), child = 1;
    uint32_t order = choose(c, 8);
    while (child < MODEL_RETICLES && model.parent[child] != MODEL_NOBODY)
        child++;
    if (child == MODEL_RETICLES)
        return;
    status_t st = reticle_carve(&model.reticle[r], order, &model.reticle[child]);
    if (st != OK) {
        must(st == ERR_NO_MEMORY && !model_can(r, order));
        return;
    }
    uint64_t pfn = model.reticle[child].base.raw >> ARCH_PAGE_SHIFT;
    must(model_run_free(pfn, order, r));
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
        model.page[pfn + i].owner = child;
    model.parent[child] = r;
    must(reticle_largest(&model.reticle[child]) == (uint64_t)ARCH_PAGE_SIZE << order);
}

/* Takes a Reticle back with its children and all that is in use inside. */
static inline void model_release(uint8_t r)
{
    for (uint8_t i = 1; i < MODEL_RETICLES; i++)
        if (model.parent[i] == r)
            model_release(i);
    for (size_t i = model.n_blocks; i-- > 0;)
        if (model.block[i].owner == r)
            model_forget_block(i);
    for (size_t i = model.n_objects; i-- > 0;) {
        if (model.object[i].owner != r)
            continue;
        model.page[model_pfn(model.object[i].at)].objects--;
        model.object[i] = model.object[--model.n_objects];
    }
    reticle_release(&model.reticle[r]);
    for (uint64_t pfn = 0; pfn < MODEL_PAGES; pfn++)
        if (model.page[pfn].owner == r)
            model.page[pfn].owner = model.parent[r];
    model.parent[r] = MODEL_NOBODY;
}

static inline uint8_t model_class(size_t size)
{
    uint8_t class = 0;
    while ((size_t)128 << class < size)
        class ++;
    return class;
}

static inline bool model_has_room(uint8_t r, uint8_t class)
{
    uint32_t slots = 32u >> class;
    for (uint64_t pfn = 0; pfn < MODEL_PAGES; pfn++) {
        const struct model_page *p = &model.page[pfn];
        if (p->owner == r && p->objects != 0 && p->class == class && p->objects < slots)
            return true;
    }
    return model_can(r, 0);
}

static inline void model_kalloc(struct choices *c)
{
    uint8_t r = model_any_reticle(c);
    size_t size = choose(c, 3) != 0 ? choose(c, 300) + 1 : choose(c, ARCH_PAGE_SIZE) + 1;
    if (model.n_objects == MODEL_OBJECTS)
        return;
    uint8_t class = model_class(size);
    void *at = nullptr;
    status_t st = reticle_kalloc(&model.reticle[r], size, &at);
    if (st != OK) {
        must(st == ERR_NO_MEMORY && at == nullptr && !model_has_room(r, class));
        return;
    }
    struct model_page *p = &model.page[model_pfn(at)];
    must(p->owner == r && !p->used && (p->objects == 0 || p->class == class));
    must(((uintptr_t)at & (((uintptr_t)128 << class) - 1)) == 0);
    p->class = class;
    p->objects++;
    struct model_object *o = &model.object[model.n_objects++];
    *o = (struct model_object){ .owner = r, .fill = (uint8_t)(model.n_objects | 1), .size = size, .at = at };
    memset(at, o->fill, size);
}

static inline void model_kfree(size_t i)
{
    struct model_object *o = &model.object[i];
    for (size_t k = 0; k < o->size; k++)
        must(o->at[k] == o->fill);
    model.page[model_pfn(o->at)].objects--;
    reticle_kfree(&model.reticle[o->owner], o->at);
    *o = model.object[--model.n_objects];
}

static inline void model_step(struct choices *c)
{
    uint8_t r;
    switch (choose(c, 16)) {
    case 0 ... 3:
        model_alloc(c);
        break;
    case 4 ... 6:
        if (model.n_blocks != 0)
            model_free_block(choose(c, (uint32_t)model.n_blocks));
        break;
    case 7:
        model_split(c);
        break;
    case 8:
        model_carve(c);
        break;
    case 9:
        r = model_any_reticle(c);
        if (r != 0 && choose(c, 2) != 0)
            model_release(r);
        break;
    case 10 ... 12:
        model_kalloc(c);
        break;
    case 13 ... 14:
        if (model.n_objects != 0)
            model_kfree(choose(c, (uint32_t)model.n_objects));
        break;
    case 15: /* all of the small things in one Reticle, so that pages empty and blocks merge */
        r = model_any_reticle(c);
        for (size_t i = model.n_objects; i-- > 0;)
            if (model.object[i].owner == r)
                model_kfree(i);
        break;
    }
}

/* Boots over the ranges. False if there is too little memory for that. */
static inline bool model_boot(const struct ram_range *ram, size_t n)
{
    memset(&model, 0, sizeof model);
    memset(model.parent, MODEL_NOBODY, sizeof model.parent);
    for (size_t i = 0; i < MODEL_PAGES; i++)
        model.page[i].owner = MODEL_NOBODY;
    host_ram_reset();
    for (size_t i = 0; i < n; i++)
        if (ram[i].len != 0)
            host_ram_add(ram[i].base, ram[i].len);
    if (reticle_boot(&model.reticle[0], ram, n) != OK)
        return false;
    model.parent[0] = 0;
    uint64_t in_ranges = 0;
    for (size_t i = 0; i < n; i++)
        in_ranges += ram[i].len >> ARCH_PAGE_SHIFT;
    must(model.reticle[0].total_pages <= in_ranges);
    /* What the root owns: page 0 and the page array are nobody's. */
    for (size_t i = 0; i < n; i++)
        for (uint64_t a = ram[i].base; a < ram[i].base + ram[i].len; a += ARCH_PAGE_SIZE)
            if (a >= ARCH_PAGE_SIZE)
                model.page[a >> ARCH_PAGE_SHIFT].owner = 0;
    uint64_t managed = 0, last = 0;
    for (uint64_t pfn = 0; pfn < MODEL_PAGES; pfn++)
        if (model.page[pfn].owner == 0) {
            managed++;
            last = pfn;
        }
    /* The page array is the end of the largest range. */
    uint64_t array = managed - model.reticle[0].total_pages, best = 0, best_end = last + 1;
    for (uint64_t pfn = 0, run = 0; pfn < MODEL_PAGES; pfn++) {
        run = model.page[pfn].owner == 0 ? run + 1 : 0;
        if (run > best) {
            best = run;
            best_end = pfn + 1;
        }
    }
    for (uint64_t i = 1; i <= array; i++)
        model.page[best_end - i].owner = MODEL_NOBODY;
    model.initial_mask = model.reticle[0].free_mask;
    model_compare();
    return true;
}

/* Gives everything back; then the root is as it was at boot. */
static inline void model_end(void)
{
    for (uint8_t i = 1; i < MODEL_RETICLES; i++)
        if (model.parent[i] == 0)
            model_release(i);
    while (model.n_blocks != 0)
        model_free_block(model.n_blocks - 1);
    while (model.n_objects != 0)
        model_kfree(model.n_objects - 1);
    model_compare();
    struct reticle *root = &model.reticle[0];
    must(root->free_pages == root->total_pages && root->lent_pages == 0);
    reticle_largest(root); /* merges the spares */
    must(root->free_mask == model.initial_mask);
    model_compare();
}
