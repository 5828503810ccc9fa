/* SPDX-License-Identifier: MIT
 * Memory objects: sizes, contiguity, exact accounting, every allocation failing, foreign memory. */
// sources: kernel/mem.c kernel/pt.c kernel/reticle.c kernel/reticle_check.c
// sources: kernel/arch/host/mmu.c kernel/arch/host/ram.c base/tree.c
// libs: -Wl,--wrap=reticle_alloc -Wl,--wrap=reticle_kalloc
// mutations: -DMUTATE_MEM_NO_ZERO -DMUTATE_MEM_KEEP_TAIL
#include "cmocka_kassert.h"
#include "alloc_fail.h"
#include "map.h"
#include <isa/hart.h>
#include <kernel/entry.h>
#include <kernel/mem.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)
#define PAGE ((uint64_t)ARCH_PAGE_SIZE)

_Thread_local struct hart *host_hart;

int32_t work_left = INT32_MAX; /* a step does all */
static struct reticle ram;
static uint64_t free_at_start;

/* What object.c does, without the objects of other kinds. */
status_t object_create(struct reticle *home, uint8_t type, size_t size, struct object **out)
{
    void *p;
    status_t st = reticle_kalloc(home, size, &p);
    if (st != OK)
        return st;
    *out = memset(p, 0, size);
    **out = (struct object){ .type = type, .home = home };
    list_init(&(*out)->maps);
    return OK;
}

void object_abandon(struct object *o)
{
    reticle_kfree(o->home, o);
}

static void destroy(struct mem *m)
{
    assert_true(mem_fini(m));
    object_abandon(&m->obj);
}

static int setup(void **)
{
    host_ram_reset();
    host_ram_add(16 * MIB, 32 * MIB);
    assert_int_equal(reticle_boot(&ram, &(struct ram_range){ 16 * MIB, 32 * MIB }, 1), OK);
    free_at_start = ram.free_pages;
    alloc_fail_in = 0;
    return 0;
}

static int teardown(void **)
{
    assert_int_equal(ram.free_pages, free_at_start);
    assert_true(reticle_check(&ram, nullptr));
    return 0;
}

/* Runs follow each other without gaps, and every byte is zero. Returns how many runs mem_frame tells apart. */
static unsigned inspect(const struct mem *m)
{
    unsigned n = 0;
    uint64_t run;
    for (uint64_t at = 0; at < m->bytes; at += run) {
        paddr_t pa = mem_frame(&m->obj, at, &run);
        assert_int_equal(pa.raw % PAGE, 0);
        assert_true(run != 0 && run % PAGE == 0 && run <= m->bytes - at);
        const unsigned char *p = arch_phys_to_virt(pa);
        assert_int_equal(p[0], 0);
        assert_memory_equal(p, p + 1, run - 1);
        if (run > PAGE) {
            uint64_t rest;
            assert_int_equal(mem_frame(&m->obj, at + PAGE, &rest).raw, pa.raw + PAGE);
        }
        n++;
    }
    return n;
}

static void sizes_are_charged_exactly(void **)
{
    static const uint64_t sizes[] = { 1, PAGE, PAGE + 1, 3 * PAGE, MIB - PAGE, 2 * MIB, 5 * MIB + 7 * PAGE };
    for (unsigned contiguous = 0; contiguous < 2; contiguous++) {
        for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct mem *m;
            assert_int_equal(mem_create_whole(&ram, sizes[i], contiguous != 0, VX_CAP_MEM, &m), OK);
            uint64_t pages = (sizes[i] + PAGE - 1) / PAGE;
            assert_int_equal(m->bytes, pages * PAGE);
            uint64_t records = free_at_start - ram.free_pages - pages; /* of one size class or of two */
            assert_true(records == 1 || records == 2);
            inspect(m);
            destroy(m);
            assert_int_equal(ram.free_pages, free_at_start);
        }
    }
}

/* Or the first object of a Task, its Bundle, would cost a page more than its own. */
static void records_share_their_pages_with_areas(void **)
{
    void *area, *little;
    struct mem *m;
    assert_int_equal(reticle_kalloc(&ram, sizeof(struct vma), &area), OK);
    assert_int_equal(reticle_kalloc(&ram, 1, &little), OK);
    uint64_t before = ram.free_pages;
    assert_int_equal(mem_create_whole(&ram, 1, true, VX_CAP_MEM, &m), OK);
    assert_int_equal(before - ram.free_pages, 1);
    destroy(m);
    reticle_kfree(&ram, little);
    reticle_kfree(&ram, area);
}

static void contiguous_memory_is_one_row(void **)
{
    for (uint64_t pages = 1; pages < 140; pages++) {
        struct mem *m;
        assert_int_equal(mem_create_whole(&ram, pages * PAGE, true, VX_CAP_MEM, &m), OK);
        for (uint64_t i = 0; i < pages; i++) {
            uint64_t run, all;
            assert_int_equal(mem_frame(&m->obj, i * PAGE, &run).raw, mem_frame(&m->obj, 0, &all).raw + i * PAGE);
            assert_int_equal(run, (pages - i) * PAGE);
        }
        destroy(m);
    }
}

/* Memory in crumbs: every other page is taken. */
static void crumbs_serve_when_they_must_but_not_as_one_row(void **)
{
    static paddr_t page[8192];
    unsigned n = 0;
    while (reticle_alloc(&ram, 0, PAGE_KERNEL, &page[n]) == OK)
        n++;
    for (unsigned i = 0; i < n; i++)
        if ((page[i].raw / PAGE) % 2 == 0)
            reticle_free(&ram, page[i], 0);
    struct mem *m;
    uint64_t before = ram.free_pages;
    assert_int_equal(mem_create_whole(&ram, 2 * PAGE, true, VX_CAP_MEM, &m), ERR_NO_MEMORY);
    assert_int_equal(ram.free_pages, before);
    assert_int_equal(mem_create_whole(&ram, 170 * PAGE, false, VX_CAP_MEM, &m), OK);
    assert_int_equal(inspect(m), 170);
    assert_int_equal(before - ram.free_pages, 170 + 6); /* 32 records a page: the object's, and one for each run */
    destroy(m);
    assert_int_equal(ram.free_pages, before);
    assert_int_equal(mem_create_whole(&ram, before * PAGE + PAGE, false, VX_CAP_MEM, &m), ERR_NO_MEMORY);
    assert_int_equal(mem_create_whole(&ram, before * PAGE, false, VX_CAP_MEM, &m),
                     ERR_NO_MEMORY); /* none left for records */
    assert_int_equal(ram.free_pages, before);
    for (unsigned i = 0; i < n; i++)
        if ((page[i].raw / PAGE) % 2 != 0)
            reticle_free(&ram, page[i], 0);
}

static void whatever_allocation_fails_nothing_is_left_behind(void **)
{
    for (unsigned contiguous = 0; contiguous < 2; contiguous++) {
        struct mem *m;
        for (uint32_t n = 1;; n++) {
            alloc_fail_in = n;
            status_t st = mem_create_whole(&ram, 77 * PAGE, contiguous != 0, VX_CAP_SURFACE, &m);
            alloc_fail_in = 0;
            if (st == OK)
                break;
            assert_int_equal(st, ERR_NO_MEMORY);
            assert_int_equal(ram.free_pages, free_at_start);
        }
        assert_int_equal(m->obj.type, VX_CAP_SURFACE);
        destroy(m);
    }
}

static void foreign_memory_is_read_and_not_freed(void **)
{
    struct mem *m;
    paddr_t block;
    assert_int_equal(reticle_alloc(&ram, 2, PAGE_KERNEL, &block), OK);
    unsigned char *p = arch_phys_to_virt(block), got[5000];
    for (unsigned i = 0; i < 4 * PAGE; i++)
        p[i] = (unsigned char)(i * 7 >> 3);
    uint64_t before = ram.free_pages, run;
    assert_int_equal(mem_create_foreign(&ram, block, 3 * PAGE + 5, &m), OK);
    assert_int_equal(m->bytes, 3 * PAGE + 5);
    assert_int_equal(mem_frame(&m->obj, PAGE, &run).raw, block.raw + PAGE);
    assert_int_equal(run, 3 * PAGE); /* the last page is part of it as far as mapping goes */
    mem_read(m, 4001, got, sizeof got);
    assert_memory_equal(got, p + 4001, sizeof got);
    mem_read(m, 3 * PAGE, got, 5);
    assert_memory_equal(got, p + 3 * PAGE, 5);
    destroy(m);
    assert_int_equal(ram.free_pages, before);
    reticle_free(&ram, block, 2);
}

static void reading_crosses_runs(void **)
{
    struct mem *m;
    unsigned char got[20000];
    assert_int_equal(mem_create_whole(&ram, 11 * PAGE, false, VX_CAP_MEM, &m), OK);
    assert_true(inspect(m) >= 3);
    for (uint64_t at = 0; at < m->bytes; at += PAGE) {
        uint64_t run;
        memset(arch_phys_to_virt(mem_frame(&m->obj, at, &run)), (int)(at / PAGE + 1), PAGE);
    }
    mem_read(m, 5 * PAGE + 17, got, sizeof got);
    for (unsigned i = 0; i < sizeof got; i++)
        assert_int_equal(got[i], (5 * PAGE + 17 + i) / PAGE + 1);
    destroy(m);
}

static void a_device_is_where_it_says(void **)
{
    struct device d = { .base = 0xfebc0000, .length = 0x4000 };
    uint64_t run;
    assert_int_equal(device_frame(&d.obj, 0x1000, &run).raw, 0xfebc1000);
    assert_int_equal(run, 0x3000);
}

int main(void)
{
#define NAMED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        NAMED(sizes_are_charged_exactly),
        NAMED(records_share_their_pages_with_areas),
        NAMED(contiguous_memory_is_one_row),
        NAMED(crumbs_serve_when_they_must_but_not_as_one_row),
        NAMED(whatever_allocation_fails_nothing_is_left_behind),
        NAMED(foreign_memory_is_read_and_not_freed),
        NAMED(reading_crosses_runs),
        NAMED(a_device_is_where_it_says),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
