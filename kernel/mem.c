/* SPDX-License-Identifier: MIT
 * MEM objects, Surfaces and device ranges: where their bytes are. See mem.h.
 *
 * M1. runs[] is ascending by offset without gaps, from 0 to `bytes` rounded up to a page.
 * M2. An owned run is one block of the home Reticle, of type PAGE_MEM; a foreign object has one run, which is not
 * owned. */
#include <abi/limits.h>
#include <arch/mmu.h>
#include <base/kassert.h>
#include <base/string.h>
#include <kernel/mem.h>
#include <kernel/pt.h>

static uint64_t block_bytes(uint32_t order)
{
    return (uint64_t)ARCH_PAGE_SIZE << order;
}

static uint32_t log2_of(uint64_t pages)
{
    return 63u - (uint32_t)__builtin_clzll(pages);
}

/* Blocks of `pages` pages in all, the largest first that are there. On error the list is for the caller to free. */
static status_t take_blocks(struct reticle *home, uint64_t pages, struct block_list *blocks, uint32_t *n_blocks)
{
    if (pages > home->free_pages)
        return ERR_NO_MEMORY;
    for (uint32_t limit = RETICLE_ORDER_MAX; pages > 0;) {
        paddr_t block;
        uint32_t order = log2_of(pages) < limit ? log2_of(pages) : limit;
        if (reticle_alloc(home, order, PAGE_MEM, &block) != OK) {
            if (order == 0)
                return ERR_NO_MEMORY;
            limit = order - 1; /* nothing of this size is left */
            continue;
        }
        block_list_push(blocks, block, order);
        ++*n_blocks;
        pages -= UINT64_C(1) << order;
    }
    return OK;
}

/* One block, cut down to `pages` pages by giving back the upper parts that are too much. */
static status_t take_contiguous(struct reticle *home, uint64_t pages, struct block_list *blocks, uint32_t *n_blocks)
{
    paddr_t block;
    uint32_t order = order_for(pages * ARCH_PAGE_SIZE);
    status_t st = reticle_alloc(home, order, PAGE_MEM, &block);
    if (st != OK)
        return st;
    for (; pages < UINT64_C(1) << order; order--) {
        reticle_split(home, block, order, order - 1);
        paddr_t upper = { block.raw + block_bytes(order - 1) };
        if (pages <= UINT64_C(1) << (order - 1)) {
#ifndef MUTATE_MEM_KEEP_TAIL
            reticle_free(home, upper, order - 1);
#endif
            continue;
        }
        block_list_push(blocks, block, order - 1);
        ++*n_blocks;
        pages -= UINT64_C(1) << (order - 1);
        block = upper;
    }
    block_list_push(blocks, block, order);
    ++*n_blocks;
    return OK;
}

static status_t runs_alloc(struct reticle *home, uint64_t array_bytes, struct mem_run **out)
{
    void *p;
    paddr_t block;
    status_t st = array_bytes <= ARCH_PAGE_SIZE ? reticle_kalloc(home, array_bytes, &p)
                                                : reticle_alloc(home, order_for(array_bytes), PAGE_MEM, &block);
    if (st == OK)
        *out = array_bytes <= ARCH_PAGE_SIZE ? p : arch_phys_to_virt(block);
    return st;
}

static void runs_free(struct reticle *home, struct mem_run *runs, uint64_t array_bytes)
{
    if (array_bytes <= ARCH_PAGE_SIZE)
        reticle_kfree(home, runs, array_bytes);
    else
        reticle_free(home, arch_virt_to_phys(runs), order_for(array_bytes));
}

/* The object with an array for n runs. */
static status_t mem_alloc_record(struct reticle *home, uint8_t type, uint64_t bytes, uint32_t n, struct mem **out)
{
    struct mem_run *runs;
    struct object *o;
    uint64_t array_bytes = (uint64_t)n * sizeof(struct mem_run);
    status_t st = runs_alloc(home, array_bytes, &runs);
    if (st != OK)
        return st;
    st = object_create(home, type, sizeof(struct mem), &o);
    if (st != OK) {
        runs_free(home, runs, array_bytes);
        return st;
    }
    struct mem *m = (struct mem *)(void *)o;
    m->bytes = bytes;
    m->run_bytes = array_bytes;
    m->runs = runs;
    m->n_runs = n;
    *out = m;
    return OK;
}

status_t mem_create(struct reticle *home, uint64_t bytes, bool contiguous, uint8_t type, struct mem **out)
{
    struct block_list blocks = {};
    struct mem *m;
    uint32_t n = 0;
    kassert(bytes != 0 && bytes <= MEM_BYTES_MAX);
    uint64_t size = page_up(bytes), offset = 0;
    status_t st = contiguous ? take_contiguous(home, size / ARCH_PAGE_SIZE, &blocks, &n)
                             : take_blocks(home, size / ARCH_PAGE_SIZE, &blocks, &n);
    if (st == OK)
        st = mem_alloc_record(home, type, size, n, &m);
    if (st != OK) {
        block_list_free(&blocks, home);
        return st;
    }
    /* --- commit: nothing below can fail --- */
    for (uint32_t i = 0; i < n; i++) {
        uint32_t order;
        paddr_t block = block_list_pop(&blocks, &order);
#ifndef MUTATE_MEM_NO_ZERO
        for (uint64_t at = 0; at < block_bytes(order); at += ARCH_PAGE_SIZE)
            arch_page_zero((char *)arch_phys_to_virt(block) + at);
#endif
        m->runs[i] = (struct mem_run){ .base = block, .offset = offset, .order = order, .owned = true };
        offset += block_bytes(order);
    }
    *out = m;
    return OK;
}

status_t mem_create_foreign(struct reticle *home, paddr_t base, uint64_t bytes, struct mem **out)
{
    kassert(bytes != 0 && base.raw % ARCH_PAGE_SIZE == 0);
    status_t st = mem_alloc_record(home, VX_CAP_MEM, bytes, 1, out);
    if (st == OK)
        (*out)->runs[0] = (struct mem_run){ .base = base };
    return st;
}

bool mem_fini(struct mem *m)
{
    while (m->n_runs > 0) {
        if (!work_spend(1))
            return false;
        const struct mem_run *run = &m->runs[--m->n_runs];
        if (run->owned)
            reticle_free(m->obj.home, run->base, run->order);
    }
    runs_free(m->obj.home, m->runs, m->run_bytes);
    return true;
}

static uint64_t run_end(const struct mem *m, uint32_t i)
{
    return i + 1 < m->n_runs ? m->runs[i + 1].offset : page_up(m->bytes);
}

/* The run that holds the offset. */
static uint32_t run_at(const struct mem *m, uint64_t offset)
{
    uint32_t low = 0, high = m->n_runs;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (m->runs[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

paddr_t mem_frame(const struct object *o, uint64_t offset, uint64_t *run)
{
    const struct mem *m = (const struct mem *)(const void *)o;
    kassert(offset < page_up(m->bytes));
    uint32_t i = run_at(m, offset);
    paddr_t pa = { m->runs[i].base.raw + (offset - m->runs[i].offset) };
    *run = run_end(m, i) - offset;
    if (i + 1 < m->n_runs && m->runs[i + 1].base.raw == pa.raw + *run) /* CONTIG: blocks in a row */
        *run = run_end(m, i + 1) - offset;
    return pa;
}

paddr_t device_frame(const struct object *o, uint64_t offset, uint64_t *run)
{
    const struct device *d = (const struct device *)(const void *)o;
    *run = d->length - offset;
    return (paddr_t){ d->base + offset };
}

void mem_read(const struct mem *m, uint64_t offset, void *to, size_t len)
{
    for (size_t done = 0; done < len;) {
        uint64_t at = offset + done, in_page = at % ARCH_PAGE_SIZE, run;
        paddr_t page = mem_frame(&m->obj, at - in_page, &run);
        uint64_t n = run - in_page < len - done ? run - in_page : len - done;
        const char *from = (const char *)arch_phys_to_virt(page) + in_page;
        if (n == ARCH_PAGE_SIZE && done == 0 && (uintptr_t)to % ARCH_PAGE_SIZE == 0)
            arch_page_copy(to, from);
        else
            memcpy((char *)to + done, from, n);
        done += n;
    }
}
