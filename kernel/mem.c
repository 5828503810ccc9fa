/* SPDX-License-Identifier: MIT
 * MEM objects, Surfaces and device ranges: where their bytes are. See mem.h.
 *
 * While an object is made it takes a run, zeroes it, and takes the next; nobody has a right to it before.
 * M1. The runs follow each other without gaps, from 0 to `taken`; of an object that is made that is `bytes`, rounded up
 * to a page.
 * M2. An owned run is memory of the home Reticle in blocks of type PAGE_MEM, each the largest that the rest has room
 * for; a foreign object has one run, which is not owned. */
#include <abi/limits.h>
#include <arch/mmu.h>
#include <base/kassert.h>
#include <base/string.h>
#include <kernel/mem.h>

static uint64_t block_bytes(uint32_t order)
{
    return (uint64_t)ARCH_PAGE_SIZE << order;
}

static struct mem_run *run_of(struct tree_node *n)
{
    return n != nullptr ? container_of(n, struct mem_run, node) : nullptr;
}

static void run_enter(struct mem *m, struct mem_run *run, paddr_t base, uint64_t bytes, bool owned)
{
    run->base = base;
    run->bytes = bytes;
    run->owned = owned;
    tree_insert(&m->runs, &run->node, m->taken);
    m->taken += bytes;
}

/* Gives back of a block what is beyond `bytes`, so that M2 holds for the rest. */
static void block_trim(struct reticle *r, paddr_t block, uint32_t order, uint64_t bytes)
{
    for (; bytes < block_bytes(order); order--) {
        paddr_t upper = { block.raw + block_bytes(order - 1) };
        reticle_split(r, block, order, order - 1);
        if (bytes > block_bytes(order - 1)) {
            bytes -= block_bytes(order - 1);
            block = upper;
            continue;
        }
#ifndef MUTATE_MEM_KEEP_TAIL
        reticle_free(r, upper, order - 1);
#endif
    }
}

/* The next run: the largest block that fits and is there; contiguous: all of it. */
static status_t run_take(struct mem *m)
{
    void *run;
    paddr_t block;
    struct reticle *home = m->obj.home;
    uint64_t bytes = m->bytes - m->taken;
    uint32_t order = m->contiguous ? order_for(bytes) : log2_floor(bytes / ARCH_PAGE_SIZE);
    status_t st = reticle_kalloc(home, sizeof(struct mem_run), &run);
    if (st != OK)
        return st;
    order = m->contiguous || order < m->limit ? order : m->limit; /* nothing larger is left */
    while ((st = reticle_alloc(home, order, PAGE_MEM, &block)) != OK && order > 0 && !m->contiguous)
        order--;
    m->limit = (uint8_t)order;
    if (st != OK) {
        reticle_kfree(home, run);
        return st;
    }
    bytes = bytes < block_bytes(order) ? bytes : block_bytes(order);
    block_trim(home, block, order, bytes);
    run_enter(m, run, block, bytes, true);
    return OK;
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

status_t mem_make_some(struct mem *m)
{
    status_t st;
    while (m->zeroed < m->bytes) {
        if (!work_spend(WORK_PAGE))
            return OK;
        if (m->zeroed == m->taken && (st = run_take(m)) != OK)
            return st;
#ifndef MUTATE_MEM_NO_ZERO
        uint64_t run;
        arch_page_zero(arch_phys_to_virt(mem_frame(&m->obj, m->zeroed, &run)));
#endif
        m->zeroed += ARCH_PAGE_SIZE;
    }
    return OK;
}

status_t mem_create_foreign(struct reticle *home, paddr_t base, uint64_t bytes, struct mem **out)
{
    void *run;
    struct object *o;
    kassert(bytes != 0 && base.raw % ARCH_PAGE_SIZE == 0);
    status_t st = object_create(home, VX_CAP_MEM, sizeof(struct mem), &o);
    if (st != OK)
        return st;
    if ((st = reticle_kalloc(home, sizeof(struct mem_run), &run)) != OK) {
        object_abandon(o);
        return st;
    }
    *out = (struct mem *)(void *)o;
    (*out)->bytes = bytes;
    run_enter(*out, run, base, page_up(bytes), false);
    return OK;
}

bool mem_fini(struct mem *m)
{
    for (struct mem_run *run; (run = run_of(m->runs.first)) != nullptr; reticle_kfree(m->obj.home, run)) {
        if (!work_spend(2))
            return false;
        tree_remove(&m->runs, &run->node);
        for (uint64_t done = 0; run->owned && done < run->bytes;) {
            uint32_t order = log2_floor((run->bytes - done) / ARCH_PAGE_SIZE);
            reticle_free(m->obj.home, (paddr_t){ run->base.raw + done }, order);
            done += block_bytes(order);
        }
    }
    return true;
}

paddr_t mem_frame(const struct object *o, uint64_t offset, uint64_t *run)
{
    const struct mem *m = (const struct mem *)(const void *)o;
    const struct mem_run *r = run_of(tree_find_le(&m->runs, offset));
    kassert(offset < m->taken);
    uint64_t at = offset - r->node.key;
    *run = r->bytes - at;
    return (paddr_t){ r->base.raw + at };
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
