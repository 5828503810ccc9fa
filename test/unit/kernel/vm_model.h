/* SPDX-License-Identifier: MIT
 * An address space beside a plain model of it, page by page: what is mapped, in which state, whether it has a frame,
 * and what the frame holds. Operations are applied to both; every disagreement aborts. */
#pragma once
#include "alloc_fail.h"
#include <isa/hart.h>
#include <kernel/cap.h>
#include <kernel/entry.h>
#include <kernel/vm_area.h>
#include <host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "map.h"
#include "page_facts.h"

#define must(cond)                                                                                                     \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                                                 \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

#define MIB (UINT64_C(1) << 20)
#define PAGE ((uint64_t)ARCH_PAGE_SIZE)
#define RO ((uint32_t)VX_PROT_READ)
#define RW ((uint32_t)(VX_PROT_READ | VX_PROT_WRITE))
#define RX ((uint32_t)(VX_PROT_READ | VX_PROT_EXEC))
#define RAM_BASE (16 * MIB)
#define WINDOW_BASE VX_MAP_BASE
#define WINDOW_PAGES 3072u /* 12 MiB */
#define SHARED_PAGES 1536u /* the object: 6 MiB, with a jump in the middle of its frames */

enum : uint8_t { ANON = 1, OBJECT = 2 };

struct model_page {
    uint8_t kind, state; /* kind 0: nothing is mapped */
    uint8_t cap;         /* OBJECT: which capability */
    bool backed;
    uint32_t prot;
    uint32_t object_page;
    uint64_t content; /* first word of an anonymous frame */
};

_Thread_local struct hart *host_hart;

int32_t work_left = INT32_MAX; /* a step does all */
static struct hart hart;
static struct reticle ram;
static struct vm vm;
static struct object shared;
static struct cap caps[2];
static paddr_t shared_frames;
static struct model_page model[WINDOW_PAGES];
static uint64_t ram_pages, free_at_start, writes;

static uint64_t random_state = 88172645463325252u;
static uint64_t random_below(uint64_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % n;
}

/* The second half of the object comes first in memory. */
static paddr_t shared_frame(const struct object *o, uint64_t offset, uint64_t *run)
{
    must(o == &shared && offset < SHARED_PAGES * PAGE);
    uint64_t half = SHARED_PAGES / 2 * PAGE;
    *run = offset < half ? half - offset : 2 * half - offset;
    return (paddr_t){ shared_frames.raw + (offset < half ? offset + half : offset - half) };
}

static void world_begin(uint64_t ram_bytes)
{
    host_hart = &hart;
    host_ram_reset();
    host_ram_add(RAM_BASE, ram_bytes);
    must(reticle_boot(&ram, &(struct ram_range){ RAM_BASE, ram_bytes }, 1) == OK);
    ram_pages = ram_bytes / PAGE;
    must(reticle_alloc(&ram, 11, PAGE_MEM, &shared_frames) == OK);
    shared = (struct object){ .type = VX_CAP_MEM };
    list_init(&shared.maps);
    for (unsigned i = 0; i < 2; i++)
        caps[i] = (struct cap){ .obj = &shared, .type = VX_CAP_MEM, .rights = (vx_rights_t)(i == 0 ? RW : RX) };
    memset(model, 0, sizeof model);
    alloc_fail_in = alloc_fail_hits = 0;
    uint64_t before = ram.free_pages;
    must(vm_init(&vm, &ram) == OK);
    must(ram.free_pages == before - 1);
    arch_aspace_activate(&vm.as);
    free_at_start = ram.free_pages;
}

/* Whole areas go without memory, whatever is there; then every page is back. */
static void world_end(void)
{
    alloc_fail_in = 1;
    alloc_fail_for_good = true;
    struct vma *a;
    while ((a = area_of(vm.areas.first)) != nullptr)
        must(unmap_whole(&vm, a->node.key, a->end - a->node.key, nullptr) == OK);
    alloc_fail_in = 0;
    alloc_fail_for_good = false;
    must(ram.free_pages == free_at_start && list_is_empty(&shared.maps));
    must(reticle_check(&ram, nullptr));
    arch_aspace_activate(nullptr);
    paddr_t root = vm.as.root;
    (void)vm_fini(&vm);
    reticle_free(&ram, root, 0);
    must(ram.free_pages == free_at_start + 1);
}

static uint64_t page_va(uint64_t i)
{
    return WINDOW_BASE + i * PAGE;
}

/* --- comparison --- */

static uint64_t tables_seen, frames_seen;
static uint8_t frame_used[(64u << 20) / 4096]; /* by page of RAM */

/* P1: every table but the root has an entry. */
static void count_tables(const uint64_t *table, unsigned level, uint64_t base)
{
    bool used = level == PT_LEVELS - 1;
    tables_seen++;
    for (unsigned i = 0; i < PT_ENTRIES; i++) {
        used |= table[i] != 0;
        if (level > 0 && pte_present(table[i]) && !pte_is_leaf(table[i], level))
            count_tables(arch_phys_to_virt((paddr_t){ pte_pa(table[i]) }), level - 1, base + i * pt_span(level));
    }
    must(used);
}

/* P2 and V3: the frame is a block of ours of the leaf's size, and no other entry names it. */
static void compare_anon_frame(uint64_t entry, unsigned level, uint64_t va)
{
    uint64_t block = pt_frame(entry), in_block = (va & (pt_span(level) - 1)) / PAGE;
    struct page_facts f = reticle_page_facts((paddr_t){ block });
    must(f.type == PAGE_ANON && f.order == 9 * level && f.reticle == &ram);
    uint64_t index = (block - RAM_BASE) / PAGE + in_block;
    must(frame_used[index] == 0);
    frame_used[index] = 1;
    frames_seen++;
}

static void compare_page(uint64_t i)
{
    const struct model_page *m = &model[i];
    const struct vma *a = area_at(&vm, page_va(i));
    unsigned level;
    uint64_t entry = *pt_walk(vm.as.root, page_va(i), 0, &level), run;
    must((a != nullptr) == (m->kind != 0));
    if (a == nullptr) {
        must(entry == 0);
        return;
    }
    must(a->vm == &vm && is_anon(a) == (m->kind == ANON) && a->prot == m->prot && (entry != 0) == m->backed);
    if (m->backed)
        must(m->prot == VX_PROT_NONE ? !pte_present(entry) && (entry & PT_PARKED) != 0
                                     : pte_prot(entry) == (m->prot | PTE_USER));
    if (m->kind == ANON) {
        must(a->state == m->state && a->obj == nullptr);
        if (!m->backed)
            return;
        compare_anon_frame(entry, level, page_va(i));
        must(*(uint64_t *)arch_phys_to_virt((paddr_t){ pt_frame(entry) + (page_va(i) & (pt_span(level) - 1)) }) ==
             m->content);
    } else {
        must(a->obj == &shared && a->cap == &caps[m->cap]);
        must(a->offset + (page_va(i) - a->node.key) == m->object_page * PAGE);
        must(pt_frame(entry) + (page_va(i) & (pt_span(level) - 1)) ==
             shared_frame(&shared, m->object_page * PAGE, &run).raw);
    }
}

/* V1: in order, apart, and each on its object's list exactly if it has one. */
static void compare_areas(void)
{
    uint64_t end = 0, mapped = 0, listed = 0;
    for (const struct vma *a = area_of(vm.areas.first); a != nullptr; a = area_next(a)) {
        must(a->node.key >= end && a->node.key < a->end && (a->node.key | a->end) % PAGE == 0);
        must(a->end <= vm.gap_start || a->node.key >= vm.gap_end); /* V7 */
        end = a->end;
        mapped += a->obj != nullptr;
    }
    for (const struct list_node *n = shared.maps.next; n != &shared.maps; n = n->next) {
        must(n->next->prev == n && container_of(n, struct vma, maps)->obj == &shared);
        listed++;
    }
    must(mapped == listed);
}

/* Exact conservation: every page of RAM is free, a frame in the window, a table on the way, or what holds the records.
 */
static void compare_world(void)
{
    tables_seen = frames_seen = 0;
    memset(frame_used, 0, sizeof frame_used);
    for (uint64_t i = 0; i < WINDOW_PAGES; i++)
        compare_page(i);
    compare_areas();
    const uint64_t *root = arch_phys_to_virt(vm.as.root);
    count_tables(root, PT_LEVELS - 1, 0);
    uint64_t by_type[PAGE_KERNEL + 1] = {};
    for (uint64_t i = 0; i < ram_pages;) {
        struct page_facts f = reticle_page_facts((paddr_t){ RAM_BASE + i * PAGE });
        by_type[f.type] += UINT64_C(1) << f.order;
        i += f.type == PAGE_NONE ? 1 : UINT64_C(1) << f.order;
    }
    must(by_type[PAGE_ANON] == frames_seen && by_type[PAGE_TABLE] == tables_seen &&
         by_type[PAGE_FREE] == ram.free_pages);
}

/* --- operations --- */

struct op_range {
    uint64_t first, n;
};

static struct op_range random_range(void)
{
    uint64_t n = 1 + random_below(random_below(4) == 0 ? 1400 : random_below(3) == 0 ? 600 : 9);
    uint64_t first = random_below(WINDOW_PAGES - n);
    if (random_below(3) == 0)
        first &= ~UINT64_C(511);
    else if (random_below(4) == 0 && first > 512)
        first = (first & ~UINT64_C(511)) - 1; /* the last page of a table */
    return (struct op_range){ first, n };
}

static bool model_any_mapped(struct op_range r)
{
    for (uint64_t i = r.first; i < r.first + r.n; i++)
        if (model[i].kind != 0)
            return true;
    return false;
}

static bool model_all_mapped(struct op_range r)
{
    for (uint64_t i = r.first; i < r.first + r.n; i++)
        if (model[i].kind == 0)
            return false;
    return true;
}

static uint32_t random_prot(void)
{
    return (const uint32_t[]){ RW, RW, RO, RX, VX_PROT_NONE }[random_below(5)];
}

static uint32_t random_map_state(void)
{
    return (const uint32_t[]){ VX_MEM_RESERVE, VX_MEM_LAZY, VX_MEM_COMMIT }[random_below(3)];
}

/* A call may run out of memory; then free memory and, by the next comparison, everything else is as it was; but for a
 * page of records that it found room for and that stay for the next call (V9). */
static bool happened(status_t st, uint64_t free_before)
{
    if (st == OK)
        return true;
    must(st == ERR_NO_MEMORY && ram.free_pages <= free_before && ram.free_pages + 1 >= free_before);
    return false;
}

static void op_map_anon(struct op_range r)
{
    uint32_t prot = random_prot(), state = random_map_state();
    uint64_t before = ram.free_pages, at;
    status_t st = map_anon_whole(&vm, page_va(r.first), r.n * PAGE, prot, state, true, &at);
    if (model_any_mapped(r)) {
        must(st == ERR_BUSY);
        return;
    }
    if (!happened(st, before))
        return;
    must(at == page_va(r.first));
    for (uint64_t i = r.first; i < r.first + r.n; i++)
        model[i] = (struct model_page){
            .kind = ANON, .state = (uint8_t)state, .prot = prot, .backed = state == VX_MEM_COMMIT
        };
}

static void op_map_object(struct op_range r)
{
    uint64_t before = ram.free_pages, at;
    uint32_t cap = (uint32_t)random_below(2), prot = random_below(4) == 0 ? VX_PROT_NONE : cap == 0 ? RW : RX;
    uint64_t offset = random_below(2) == 0 ? 0 : random_below(SHARED_PAGES);
    if (r.n > SHARED_PAGES - offset)
        r.n = SHARED_PAGES - offset;
    status_t st = map_object_whole(&vm, &shared, &caps[cap], shared_frame, MEM_NORMAL, offset * PAGE, r.n * PAGE,
                                   page_va(r.first), prot, true, &at);
    if (model_any_mapped(r)) {
        must(st == ERR_BUSY);
        return;
    }
    if (!happened(st, before))
        return;
    for (uint64_t i = 0; i < r.n; i++)
        model[r.first + i] = (struct model_page){
            .kind = OBJECT, .cap = (uint8_t)cap, .prot = prot, .backed = true, .object_page = (uint32_t)(offset + i)
        };
}

static bool model_concerned(const struct model_page *m, int cap)
{
    return cap < 0 || (m->kind == OBJECT && m->cap == cap);
}

static void op_unmap(struct op_range r)
{
    uint64_t before = ram.free_pages;
    int cap = random_below(4) == 0 ? (int)random_below(2) : -1;
    status_t st = unmap_whole(&vm, page_va(r.first), r.n * PAGE, cap < 0 ? nullptr : &caps[cap]);
    bool any = false;
    for (uint64_t i = r.first; i < r.first + r.n; i++)
        any |= model[i].kind != 0 && model_concerned(&model[i], cap);
    if (!any)
        must(st == ERR_NOT_FOUND && ram.free_pages == before);
    if (!any || !happened(st, before))
        return;
    for (uint64_t i = r.first; i < r.first + r.n; i++)
        if (model_concerned(&model[i], cap))
            model[i] = (struct model_page){};
}

static void op_unmap_object(void)
{
    int cap = random_below(2) == 0 ? (int)random_below(2) : -1;
    alloc_fail_in = 1; /* revoking needs no memory */
    alloc_fail_hits = 0;
    while (!vm_unmap_object(&shared, cap < 0 ? nullptr : &caps[cap], false))
        ;
    must(alloc_fail_hits == 0);
    for (uint64_t i = 0; i < WINDOW_PAGES; i++)
        if (model[i].kind == OBJECT && model_concerned(&model[i], cap))
            model[i] = (struct model_page){};
}

static status_t model_protect_status(struct op_range r, uint32_t prot, uint32_t state)
{
    for (uint64_t i = r.first; i < r.first + r.n; i++) {
        if (model[i].kind == 0)
            return ERR_NOT_FOUND;
        if (model[i].kind == OBJECT && state != 0)
            return ERR_BAD_ARGUMENT;
        if (model[i].kind == OBJECT && (prot & ~(uint32_t)caps[model[i].cap].rights) != 0)
            return ERR_NO_RIGHTS;
    }
    return OK;
}

static void model_protect(struct model_page *m, uint32_t prot, uint32_t state)
{
    m->prot = prot;
    if (state == VX_MEM_RESERVE) {
        m->backed = false;
        m->content = 0;
    }
    if (state == VX_MEM_COMMIT)
        m->backed = true;
    if (state == VX_MEM_COMMIT || state == VX_MEM_RESERVE || (state == VX_MEM_LAZY && m->state == VX_MEM_RESERVE))
        m->state = (uint8_t)state;
}

static void op_protect(struct op_range r)
{
    uint64_t before = ram.free_pages;
    uint32_t prot = random_prot(), state = random_below(2) == 0 ? 0 : random_map_state();
    while (r.n > 1 && !model_all_mapped(r) && random_below(8) != 0) /* mostly what exists */
        r.n /= 2;
    status_t want = model_protect_status(r, prot, state),
             st = protect_whole(&vm, page_va(r.first), r.n * PAGE, prot, state);
    if (want != OK) {
        must(st == want || (st != OK && st != ERR_NO_MEMORY)); /* the first offending area decides */
        return;
    }
    if (!happened(st, before))
        return;
    for (uint64_t i = r.first; i < r.first + r.n; i++)
        model_protect(&model[i], prot, state);
}

/* What user code does: an access; a fault; the access again. */
static void op_touch(struct op_range r)
{
    for (uint64_t i = r.first; i < r.first + r.n && i < r.first + 8; i++) {
        struct model_page *m = &model[i];
        bool write = random_below(2) == 0, allowed = m->kind != 0 &&
                                                     (m->prot & (write ? VX_PROT_WRITE : VX_PROT_READ)) != 0 &&
                                                     (m->backed || m->state == VX_MEM_LAZY);
        uint64_t word = ++writes, before = ram.free_pages;
        status_t st = write ? host_user_write(page_va(i), &word, 8) : host_user_read(&word, page_va(i), 8);
        must((st == OK) == (allowed && m->backed));
        if (st != OK) {
            st = vm_fault(&vm, page_va(i) + random_below(PAGE), write ? VX_PROT_WRITE : VX_PROT_READ);
            must(allowed || st == ERR_BAD_ADDRESS);
            if (!allowed || !happened(st, before))
                continue;
            m->backed = true;
            must((write ? host_user_write(page_va(i), &word, 8) : host_user_read(&word, page_va(i), 8)) == OK);
        }
        if (m->kind == ANON && write)
            m->content = word;
        else if (m->kind == ANON)
            must(word == m->content);
    }
}

static void model_step(void)
{
    struct op_range r = random_range();
    alloc_fail_in = random_below(6) == 0 ? 1 + (uint32_t)random_below(6) : 0;
    switch (random_below(16)) {
    case 0 ... 2:
        op_map_anon(r);
        break;
    case 3 ... 4:
        op_map_object(r);
        break;
    case 5 ... 7:
        op_unmap(r);
        break;
    case 8 ... 11:
        op_protect(r);
        break;
    case 12:
        if (random_below(6) == 0)
            op_unmap_object();
        break;
    default:
        op_touch(r);
        break;
    }
    alloc_fail_in = 0;
}
