/* SPDX-License-Identifier: MIT
 * MEM objects, Surfaces and device ranges: where their bytes are. See mem.h.
 *
 * While an object is made its blocks are first on the list, then runs, then zeroed; nobody has a right to it before.
 * M1. runs[] is ascending by offset without gaps, from 0 to `bytes` rounded up to a page.
 * M2. An owned run is one block of the home Reticle, of type PAGE_MEM; a foreign object has one run, which is not
 * owned. */
#include <abi/limits.h>
#include <arch/mmu.h>
#include <base/kassert.h>
#include <base/string.h>
#include <kernel/mem.h>

static uint64_t block_bytes(uint32_t order)
{
    return (uint64_t)ARCH_PAGE_SIZE << order;
}

/* Blocks that are no runs yet are a queue through their own first words. */
struct block_node {
    uint64_t next, order;
};

static void keep_block(struct mem *m, paddr_t block, uint32_t order)
{
    *(struct block_node *)arch_phys_to_virt(block) = (struct block_node){ 0, order };
    if (m->n_blocks++ == 0)
        m->first_block = block;
    else
        ((struct block_node *)arch_phys_to_virt(m->last_block))->next = block.raw;
    m->last_block = block;
    m->done += block_bytes(order);
}

static paddr_t next_block(struct mem *m, uint32_t *order)
{
    paddr_t block = m->first_block;
    const struct block_node *n = arch_phys_to_virt(block);
    m->first_block.raw = n->next;
    *order = (uint32_t)n->order;
    return block;
}

/* The largest block that fits and is there. */
static status_t take_block(struct mem *m)
{
    paddr_t block;
    uint32_t order = 63u - (uint32_t)__builtin_clzll((m->bytes - m->done) / ARCH_PAGE_SIZE);
    status_t st;
    order = order < m->limit ? order : m->limit; /* nothing larger is left */
    while ((st = reticle_alloc(m->obj.home, order, PAGE_MEM, &block)) != OK && order > 0)
        order--;
    m->limit = (uint8_t)order;
    if (st == OK)
        keep_block(m, block, order);
    return st;
}

/* One block, cut down by giving back the upper parts that are too much. */
static status_t take_contiguous(struct mem *m)
{
    paddr_t block;
    uint64_t pages = m->bytes / ARCH_PAGE_SIZE;
    uint32_t order = order_for(m->bytes);
    status_t st = reticle_alloc(m->obj.home, order, PAGE_MEM, &block);
    if (st != OK)
        return st;
    for (; pages < UINT64_C(1) << order; order--) {
        reticle_split(m->obj.home, block, order, order - 1);
        paddr_t upper = { block.raw + block_bytes(order - 1) };
        if (pages <= UINT64_C(1) << (order - 1)) {
#ifndef MUTATE_MEM_KEEP_TAIL
            reticle_free(m->obj.home, upper, order - 1);
#endif
            continue;
        }
        keep_block(m, block, order - 1);
        pages -= UINT64_C(1) << (order - 1);
        block = upper;
    }
    keep_block(m, block, order);
    return OK;
}

static status_t make_runs(struct mem *m)
{
    void *p;
    paddr_t block;
    uint64_t bytes = m->n_blocks * sizeof(struct mem_run);
    bool small = bytes <= ARCH_PAGE_SIZE;
    status_t st =
        small ? reticle_kalloc(m->obj.home, bytes, &p) : reticle_alloc(m->obj.home, order_for(bytes), PAGE_MEM, &block);
    if (st == OK) {
        m->runs = small ? p : arch_phys_to_virt(block);
        m->done = 0;
    }
    return st;
}

status_t mem_create(struct reticle *home, uint64_t bytes, bool contiguous, uint8_t type, struct mem **out)
{
    struct object *o;
    kassert(bytes != 0 && bytes <= MEM_BYTES_MAX);
    if (page_up(bytes) / ARCH_PAGE_SIZE > home->free_pages)
        return ERR_NO_MEMORY;
    status_t st = object_create(home, type, sizeof(struct mem), &o);
    if (st != OK)
        return st;
    *out = (struct mem *)(void *)o;
    (*out)->bytes = page_up(bytes);
    (*out)->contiguous = contiguous;
    (*out)->limit = RETICLE_ORDER_MAX;
    return OK;
}

status_t mem_make_some(struct mem *m, bool *made)
{
    status_t st;
    uint64_t at = 0;
    *made = false;
    while (m->runs == nullptr && m->done < m->bytes) {
        if ((st = m->contiguous ? take_contiguous(m) : take_block(m)) != OK)
            return st;
        if (!work_spend(1))
            return OK;
    }
    if (m->runs == nullptr && (st = make_runs(m)) != OK)
        return st;
    if (m->n_runs > 0)
        at = m->runs[m->n_runs - 1].offset + block_bytes(m->runs[m->n_runs - 1].order);
    while (m->first_block.raw != 0) {
        uint32_t order;
        paddr_t block = next_block(m, &order);
        m->runs[m->n_runs++] = (struct mem_run){ .base = block, .offset = at, .order = order, .owned = true };
        at += block_bytes(order);
        if (!work_spend(1))
            return OK;
    }
    for (; m->done < m->bytes; m->done += ARCH_PAGE_SIZE) {
        if (!work_spend(WORK_PAGE))
            return OK;
#ifndef MUTATE_MEM_NO_ZERO
        uint64_t run;
        arch_page_zero(arch_phys_to_virt(mem_frame(&m->obj, m->done, &run)));
#endif
    }
    *made = true;
    return OK;
}

status_t mem_create_foreign(struct reticle *home, paddr_t base, uint64_t bytes, struct mem **out)
{
    struct object *o;
    kassert(bytes != 0 && base.raw % ARCH_PAGE_SIZE == 0);
    status_t st = object_create(home, VX_CAP_MEM, sizeof(struct mem), &o);
    if (st != OK)
        return st;
    struct mem *m = (struct mem *)(void *)o;
    m->n_blocks = m->n_runs = 1;
    m->bytes = bytes;
    if ((st = make_runs(m)) != OK) {
        object_abandon(o);
        return st;
    }
    m->runs[0] = (struct mem_run){ .base = base };
    *out = m;
    return OK;
}

bool mem_fini(struct mem *m)
{
    while (m->first_block.raw != 0) {
        uint32_t order;
        paddr_t block = next_block(m, &order);
        reticle_free(m->obj.home, block, order);
        if (!work_spend(1))
            return false;
    }
    while (m->n_runs > 0) {
        if (!work_spend(1))
            return false;
        const struct mem_run *run = &m->runs[--m->n_runs];
        if (run->owned)
            reticle_free(m->obj.home, run->base, run->order);
    }
    uint64_t bytes = m->n_blocks * sizeof(struct mem_run);
    if (m->runs != nullptr && bytes > ARCH_PAGE_SIZE)
        reticle_free(m->obj.home, arch_virt_to_phys(m->runs), order_for(bytes));
    else if (m->runs != nullptr)
        reticle_kfree(m->obj.home, m->runs);
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
