/* SPDX-License-Identifier: MIT
 * Address spaces: random use against a model that knows every page; every allocation of every operation failing in
 * turn; and the edges by name. */
// sources: kernel/vm_unmap.c
// sources: kernel/vm.c kernel/vm_fault.c kernel/pt.c kernel/reticle.c kernel/reticle_check.c base/tree.c
// sources: kernel/arch/host/mmu.c kernel/arch/host/ram.c
// libs: -Wl,--wrap=reticle_alloc -Wl,--wrap=reticle_kalloc
// mutations: -DMUTATE_PT_NO_FLUSH -DMUTATE_PT_KEEP_TABLES -DMUTATE_VM_KEEP_NEW -DMUTATE_PT_KEEP_TAKEN
// -DMUTATE_VM_NO_ZERO
#include <abi/timepage.h>
#include <kernel/sync.h>
#include "cmocka_kassert.h"
#include "no_locks.h"
#include "vm_model.h"

/* --- random use --- */

/* Nobody waits for a futex here. */
void futex_recheck(struct vm *)
{
}

static void random_use(uint64_t ram_bytes, unsigned steps, unsigned compare_every)
{
    world_begin(ram_bytes);
    for (unsigned i = 0; i < steps; i++) {
        model_step();
        if (i % compare_every == 0)
            compare_world();
    }
    compare_world();
    world_end();
}

static void random_use_agrees_with_the_model(void **)
{
    for (unsigned round = 0; round < 30; round++)
        random_use(40 * MIB, 600, 5);
}

static void random_use_of_scarce_memory_agrees_with_the_model(void **)
{
    for (unsigned round = 0; round < 30; round++)
        random_use(11 * MIB + round * 60 * PAGE, 600, 5);
}

/* --- steps --- */

#define AT(pages) (WINDOW_BASE + (uint64_t)(pages) * PAGE)

static status_t map_anon(uint64_t va, uint64_t n, uint32_t prot, uint32_t state)
{
    uint64_t at;
    return map_anon_whole(&vm, va, n * PAGE, prot, state, va != 0, &at);
}

struct stepped {
    int call;
    struct op_range r;
    uint64_t progress, at;
};

/* One step of one of the four calls that go on in steps, by thread 7. */
static status_t step(struct stepped *c)
{
    struct vm_spec s = { .addr = page_va(c->r.first), .len = c->r.n * PAGE, .fixed = true, .prot = RW, .maker = 7 };
    switch (c->call) {
    case 0:
        s.state = VX_MEM_COMMIT;
        return vm_map(&vm, &s, &c->progress, &c->at);
    case 1:
        s = vm_of_object(&shared, &caps[0], shared_frame, 0, c->r.n * PAGE, RW);
        s.addr = page_va(c->r.first);
        s.fixed = true;
        s.maker = 7;
        return vm_map(&vm, &s, &c->progress, &c->at);
    case 2:
        return vm_protect(&vm, page_va(c->r.first), c->r.n * PAGE, RO, VX_MEM_COMMIT, &c->progress);
    case 3:
        return vm_protect(&vm, page_va(c->r.first), c->r.n * PAGE, RW, VX_MEM_RESERVE, &c->progress);
    default:
        return vm_unmap(&vm, page_va(c->r.first), c->r.n * PAGE, nullptr, &c->progress);
    }
}

/* Whatever another thread does to the same range between the steps: no entry is left outside of an area, none says more
 * than its area, and in the end every page is back. */
static void others_may_come_in_between(void **)
{
    uint64_t at, went_on = 0;
    for (unsigned round = 0; round < 60; round++) {
        world_begin(round % 3 == 0 ? 13 * MIB : 40 * MIB);
        (void)map_anon(AT(random_below(300)), 1 + random_below(900), RW, round % 2 == 0 ? VX_MEM_LAZY : VX_MEM_COMMIT);
        struct stepped c = { .call = (int)random_below(5), .r = { random_below(600), 200 + random_below(1200) } };
        do {
            (void)step(&c);
            went_on += c.progress != 0;
            struct op_range r = { c.r.first + random_below(c.r.n), 1 + random_below(random_below(2) == 0 ? 8 : 700) };
            uint64_t va = page_va(r.first), len = r.n * PAGE;
            switch (random_below(12)) {
            case 0:
                (void)unmap_whole(&vm, va, len, nullptr);
                break;
            case 1:
                (void)protect_whole(&vm, va, len, RO, 0);
                break;
            case 2:
                (void)protect_whole(&vm, va, len, RW, random_map_state());
                break;
            case 3:
                (void)map_anon(va, r.n, RW, random_map_state());
                break;
            case 4:
                (void)map_object_whole(&vm, &shared, &caps[0], shared_frame, MEM_NORMAL, 0, PAGE, va, RW, true, &at);
                break;
            case 5:
                while (!vm_unmap_object(&shared, nullptr, false))
                    ;
                break;
            default:
                (void)vm_fault(&vm, va, VX_PROT_WRITE);
                break;
            }
            for (uint64_t i = 0; i < WINDOW_PAGES; i += 5) {
                unsigned level;
                uint64_t e = *pt_walk(vm.as.root, page_va(i), 0, &level);
                const struct vma *a = area_at(&vm, page_va(i));
                must(e == 0 || a != nullptr);
                must(!pte_present(e) || (a->prot & ~pte_prot(e)) == 0 || c.progress != 0);
            }
        } while (c.progress != 0);
        count_tables(arch_phys_to_virt(vm.as.root), PT_LEVELS - 1, 0);
        compare_areas();
        world_end();
    }
    must(went_on > 10);
}

/* --- failing allocations --- */

/* A large leaf, pages around it, lazy pages of which some were touched, a reservation, and a mapped object. */
static void furnish(void)
{
    must(map_anon(AT(0), 700, RW, VX_MEM_COMMIT) == OK); /* one 2 MiB leaf, 188 pages */
    must(map_anon(AT(700), 400, RW, VX_MEM_LAZY) == OK);
    for (uint64_t i = 700; i < 1100; i += 7)
        must(vm_fault(&vm, AT(i), VX_PROT_WRITE) == OK);
    must(map_anon(AT(1200), 100, RO, VX_MEM_RESERVE) == OK);
    uint64_t at;
    must(map_object_whole(&vm, &shared, &caps[0], shared_frame, MEM_NORMAL, 0, 1200 * PAGE, AT(1536), RW, true, &at) ==
         OK);
}

static status_t step_commit(void)
{
    return map_anon(AT(2800), 200, RW, VX_MEM_COMMIT);
}

static status_t step_commit_far(void)
{
    return map_anon(UINT64_C(0x700000000000), 600, RX, VX_MEM_COMMIT);
}

static status_t step_reserve(void)
{
    return map_anon(0, 5, RW, VX_MEM_RESERVE);
}

static status_t step_map_object(void)
{
    uint64_t at;
    return map_object_whole(&vm, &shared, &caps[1], shared_frame, MEM_NORMAL, 100 * PAGE, 1000 * PAGE, 0, RX, false,
                            &at);
}

static paddr_t kernels_frame(const struct object *, uint64_t, uint64_t *run)
{
    *run = PAGE;
    return shared_frames;
}

static status_t step_fixed_frame(void)
{
    uint64_t at;
    return map_object_whole(&vm, nullptr, nullptr, kernels_frame, MEM_NORMAL, 0, PAGE, VX_TIME_PAGE_ADDRESS, RO, true,
                            &at);
}

static status_t step_touch(void)
{
    return vm_fault(&vm, AT(1098), VX_PROT_WRITE);
}

static status_t step_touch_far(void)
{
    return vm_fault(&vm, UINT64_C(0x600000000000), VX_PROT_WRITE);
}

static status_t step_unmap_inside_a_large_leaf(void)
{
    return unmap_whole(&vm, AT(100), 5 * PAGE, nullptr);
}

static status_t step_unmap_across(void)
{
    return unmap_whole(&vm, AT(511), 1400 * PAGE, nullptr);
}

static status_t step_unmap_of_one_capability(void)
{
    return unmap_whole(&vm, AT(10), 2300 * PAGE, &caps[0]);
}

static status_t step_protect_across(void)
{
    return protect_whole(&vm, AT(3), 900 * PAGE, VX_PROT_NONE, 0);
}

static status_t step_commit_lazy(void)
{
    return protect_whole(&vm, AT(600), 333 * PAGE, RO, VX_MEM_COMMIT);
}

static status_t step_reserve_parts(void)
{
    return protect_whole(&vm, AT(10), 800 * PAGE, RW, VX_MEM_RESERVE);
}

static status_t step_commit_reserved(void)
{
    return protect_whole(&vm, AT(1250), 20 * PAGE, RW, VX_MEM_COMMIT);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(0x100000001b3);
}

static uint64_t hash_table(uint64_t hash, const uint64_t *table, unsigned level)
{
    for (unsigned i = 0; i < PT_ENTRIES; i++) {
        hash = mix(hash, table[i] != 0 ? table[i] + i : 0);
        if (level > 0 && pte_present(table[i]) && !pte_is_leaf(table[i], level))
            hash = hash_table(hash, arch_phys_to_virt((paddr_t){ pte_pa(table[i]) }), level - 1);
    }
    return hash;
}

/* Everything that a failed call must leave alone. */
static uint64_t hash_world(void)
{
    uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), ram.free_pages);
    for (const struct vma *a = area_of(vm.areas.first); a != nullptr; a = area_next(a)) {
        hash = mix(mix(mix(hash, a->node.key), a->end), (uint64_t)a->prot << 32 | a->state);
        hash = mix(mix(hash, a->offset), (uintptr_t)a);
    }
    const uint64_t *root = arch_phys_to_virt(vm.as.root);
    return hash_table(hash, root, PT_LEVELS - 1);
}

static void whatever_allocation_fails_nothing_changes(void **)
{
    static status_t (*const steps[])(void) = {
        step_commit,         step_commit_far,
        step_reserve,        step_map_object,
        step_fixed_frame,    step_touch,
        step_touch_far,      step_unmap_inside_a_large_leaf,
        step_unmap_across,   step_unmap_of_one_capability,
        step_protect_across, step_commit_lazy,
        step_reserve_parts,  step_commit_reserved,
    };
    for (unsigned s = 0; s < sizeof steps / sizeof *steps; s++) {
        world_begin(40 * MIB);
        furnish();
        must(map_anon(UINT64_C(0x600000000000), 1, RW, VX_MEM_LAZY) == OK);
        uint64_t before = hash_world();
        for (uint32_t n = 1;; n++) {
            alloc_fail_in = n;
            alloc_fail_hits = 0;
            alloc_fail_for_good = true;
            status_t st = steps[s]();
            alloc_fail_in = 0;
            alloc_fail_for_good = false;
            if (st == OK)
                break;
            assert_int_equal(st, ERR_NO_MEMORY);
            assert_true(alloc_fail_hits > 0);
            assert_true(hash_world() == before);
        }
        assert_true(hash_world() != before);
        world_end();
    }
}

/* --- by name --- */

static int setup(void **)
{
    world_begin(40 * MIB);
    return 0;
}

static int teardown(void **)
{
    world_end();
    return 0;
}

static unsigned leaf_level(uint64_t va)
{
    unsigned level;
    assert_int_not_equal(*pt_walk(vm.as.root, va, 0, &level), 0);
    return level;
}

static void large_areas_get_large_pages_and_aligned_places(void **)
{
    uint64_t at;
    assert_int_equal(map_anon(0, 1, RW, VX_MEM_COMMIT), OK);
    assert_int_equal(map_anon_whole(&vm, 0, 4 * MIB + PAGE, RW, VX_MEM_COMMIT, false, &at), OK);
    assert_int_equal(at % (2 * MIB), 0);
    assert_int_equal(leaf_level(at), 1);
    assert_int_equal(leaf_level(at + 2 * MIB), 1);
    assert_int_equal(leaf_level(at + 4 * MIB), 0);
    assert_int_equal(map_object_whole(&vm, &shared, &caps[0], shared_frame, MEM_NORMAL, 0, 3 * MIB, 0, RW, false, &at),
                     OK);
    assert_int_equal(leaf_level(at), 0); /* its frames lie at 1 MiB past a boundary */
    assert_int_equal(unmap_whole(&vm, at, 3 * MIB, &caps[0]), OK);
}

static void bad_ranges_are_refused(void **)
{
    static const struct {
        uint64_t addr, len;
    } bad[] = {
        { VX_UADDR_MIN - PAGE, PAGE },
        { VX_UADDR_LIMIT, PAGE },
        { VX_UADDR_LIMIT - PAGE, 2 * PAGE },
        { AT(0) + 1, PAGE },
        { AT(0), 0 },
        { AT(0), PAGE + 1 },
        { UINT64_MAX & ~(PAGE - 1), 2 * PAGE },
        { 0xffff800000000000, PAGE },
    };
    uint64_t at;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(map_anon_whole(&vm, bad[i].addr, bad[i].len, RW, VX_MEM_LAZY, true, &at), ERR_BAD_ARGUMENT);
        assert_int_equal(unmap_whole(&vm, bad[i].addr, bad[i].len, nullptr), ERR_BAD_ARGUMENT);
        assert_int_equal(protect_whole(&vm, bad[i].addr, bad[i].len, RW, 0), ERR_BAD_ARGUMENT);
    }
    assert_int_equal(map_anon_whole(&vm, 0, PAGE, RW | VX_PROT_EXEC, VX_MEM_LAZY, false, &at), ERR_BAD_ARGUMENT);
    assert_int_equal(map_anon_whole(&vm, 0, PAGE, 8, VX_MEM_LAZY, false, &at), ERR_BAD_ARGUMENT);
    assert_int_equal(map_anon_whole(&vm, 0, MEM_BYTES_MAX + PAGE, RW, VX_MEM_RESERVE, false, &at), ERR_TOO_BIG);
    assert_int_equal(map_anon_whole(&vm, 0, MEM_BYTES_MAX, RW, VX_MEM_COMMIT, false, &at), ERR_NO_MEMORY);
    assert_int_equal(map_anon(AT(0), 1, RW, VX_MEM_LAZY), OK);
    assert_int_equal(protect_whole(&vm, AT(0), PAGE, RW | VX_PROT_EXEC, 0), ERR_BAD_ARGUMENT);
    assert_int_equal(protect_whole(&vm, AT(0), 2 * PAGE, RW, 0), ERR_NOT_FOUND);
}

static void the_first_and_the_last_page_of_user_space_can_be_mapped(void **)
{
    assert_int_equal(map_anon(VX_UADDR_MIN, 1, RW, VX_MEM_COMMIT), OK);
    assert_int_equal(map_anon(VX_UADDR_LIMIT - PAGE, 1, RW, VX_MEM_COMMIT), OK);
    assert_int_equal(map_anon(0, 3, RW, VX_MEM_COMMIT), OK); /* the end is taken: elsewhere is room */
}

static void addresses_are_reused_and_a_taken_hint_is_only_a_hint(void **)
{
    uint64_t a, b, c;
    assert_int_equal(map_anon_whole(&vm, 0, PAGE, RW, VX_MEM_COMMIT, false, &a), OK);
    assert_int_equal(map_anon_whole(&vm, 0, PAGE, RW, VX_MEM_COMMIT, false, &b), OK);
    assert_int_equal(a, VX_MAP_BASE);
    assert_int_equal(b, a + PAGE);
    assert_int_equal(unmap_whole(&vm, a, PAGE, nullptr), OK);
    assert_int_equal(map_anon_whole(&vm, 0, PAGE, RW, VX_MEM_COMMIT, false, &c), OK);
    assert_int_equal(c, a);
    assert_int_equal(map_anon_whole(&vm, b, PAGE, RW, VX_MEM_COMMIT, false, &c), OK);
    assert_int_equal(c, b + PAGE);
    assert_int_equal(map_anon_whole(&vm, b + 64 * PAGE, PAGE, RW, VX_MEM_COMMIT, false, &c), OK);
    assert_int_equal(c, b + 64 * PAGE);
}

/* Many small holes before the hint can reach a large one: the search jumps above the last area, and later finds holes.
 */
static void a_fragmented_space_still_has_room(void **)
{
    for (uint64_t i = 0; i < 300; i++)
        assert_int_equal(map_anon(AT(2 * i), 1, RO, VX_MEM_RESERVE), OK);
    assert_int_equal(unmap_whole(&vm, AT(0), PAGE, nullptr), OK);
    uint64_t at;
    assert_int_equal(map_anon_whole(&vm, 0, 2 * PAGE, RO, VX_MEM_RESERVE, false, &at), OK);
    assert_int_equal(at, AT(0));
    assert_int_equal(unmap_whole(&vm, AT(2), PAGE, nullptr), OK);
    assert_int_equal(map_anon_whole(&vm, 0, 5 * PAGE, RO, VX_MEM_RESERVE, false, &at), OK);
    assert_int_equal(at, AT(599)); /* right above the last */
    uint64_t top = VX_UADDR_LIMIT - 10 * PAGE;
    assert_int_equal(map_anon(top, 10, RO, VX_MEM_RESERVE), OK);
    assert_int_equal(unmap_whole(&vm, AT(0), PAGE, nullptr), OK);
    assert_int_equal(map_anon_whole(&vm, 0, 9 * PAGE, RO, VX_MEM_RESERVE, false, &at), OK);
    assert_int_equal(at, AT(604));
}

static void take_all_memory(void)
{
    paddr_t page;
    while (reticle_alloc(&ram, 0, PAGE_KERNEL, &page) == OK)
        *(uint64_t *)arch_phys_to_virt(page) = 0;
}

static void give_memory_back(void)
{
    for (uint64_t i = 0; i < ram_pages; i++) {
        paddr_t page = { RAM_BASE + i * PAGE };
        if (reticle_page_facts(page).type == PAGE_KERNEL)
            reticle_free(&ram, page, 0);
    }
}

/* What several calls committed is one area; each part can be freed alone, even with the last page of memory taken. */
static void freeing_committed_memory_never_needs_memory(void **)
{
    for (uint64_t i = 0; i < 200; i++)
        assert_int_equal(map_anon(AT(i), 1, RW, VX_MEM_COMMIT), OK);
    assert_int_equal(map_anon(AT(1024), 1024, RW, VX_MEM_COMMIT), OK);
    assert_ptr_equal(area_at(&vm, AT(0)), area_at(&vm, AT(199)));
    for (uint64_t i = 1; i < 199; i += 2) {
        take_all_memory();
        assert_int_equal(unmap_whole(&vm, AT(i), PAGE, nullptr), OK);
        assert_null(area_at(&vm, AT(i)));
        assert_non_null(area_at(&vm, AT(i + 1)));
    }
    take_all_memory();
    assert_int_equal(unmap_whole(&vm, AT(1024 + 256), PAGE, nullptr),
                     ERR_NO_MEMORY); /* cuts a large page: that is asking for more */
    assert_int_equal(unmap_whole(&vm, AT(1024), 512 * PAGE, nullptr), OK);
    give_memory_back();
}

static void a_lazy_page_that_cannot_be_paid_for_says_so(void **)
{
    assert_int_equal(map_anon(AT(0), 1, RW, VX_MEM_LAZY), OK);
    paddr_t page;
    take_all_memory();
    assert_int_equal(vm_fault(&vm, AT(0), VX_PROT_WRITE), ERR_NO_MEMORY);
    assert_int_equal(vm_translate(&vm, AT(0), VX_PROT_WRITE, &page), ERR_BAD_ADDRESS);
    assert_int_equal(unmap_whole(&vm, AT(0), PAGE, nullptr), OK);
    give_memory_back();
}

static void a_guard_is_a_closed_page_right_below_open_memory(void **)
{
    assert_int_equal(map_anon(AT(0), 1, VX_PROT_NONE, VX_MEM_RESERVE), OK);
    assert_false(vm_is_guard(&vm, AT(0)));
    assert_int_equal(map_anon(AT(1), 4, RW, VX_MEM_LAZY), OK);
    assert_true(vm_is_guard(&vm, AT(0) + 4000));
    assert_false(vm_is_guard(&vm, AT(1)));
    assert_false(vm_is_guard(&vm, AT(5)));
    assert_int_equal(vm_fault(&vm, AT(0), VX_PROT_WRITE), ERR_BAD_ADDRESS);
    assert_int_equal(vm_fault(&vm, AT(0), VX_PROT_NONE), ERR_BAD_ADDRESS);
}

static void copies_reach_what_is_mapped_and_stop_where_it_ends(void **)
{
    char out[3 * ARCH_PAGE_SIZE], in[sizeof out];
    size_t done;
    memset(out, 0x5a, sizeof out);
    assert_int_equal(map_anon(AT(0), 2, RX, VX_MEM_LAZY), OK);
    assert_int_equal(vm_copy(&vm, AT(0) + 100, out, sizeof out, true, &done), ERR_BAD_ADDRESS);
    assert_int_equal(done, 2 * PAGE - 100);
    assert_int_equal(vm_copy(&vm, AT(0), in, 2 * PAGE, false, &done), OK);
    assert_int_equal(done, 2 * PAGE);
    for (unsigned i = 0; i < 2 * PAGE; i++)
        assert_int_equal(in[i], i < 100 ? 0 : 0x5a);
    uint64_t at;
    assert_int_equal(map_object_whole(&vm, &shared, &caps[1], shared_frame, MEM_NORMAL, 0, PAGE, 0, RO, false, &at),
                     OK);
    assert_int_equal(vm_copy(&vm, at, out, 8, true, &done), ERR_BAD_ADDRESS); /* not private: stays read-only */
    assert_int_equal(vm_copy(&vm, at, out, 8, false, &done), OK);
    assert_int_equal(protect_whole(&vm, AT(0), PAGE, VX_PROT_NONE, 0), OK);
    assert_int_equal(vm_copy(&vm, AT(0), in, 8, false, &done), ERR_BAD_ADDRESS);
    assert_int_equal(done, 0);
}

static void translation_names_the_byte(void **)
{
    paddr_t pa;
    uint64_t at, run;
    assert_int_equal(map_object_whole(&vm, &shared, &caps[0], shared_frame, MEM_NORMAL, 0, 6 * MIB, 0, RW, false, &at),
                     OK);
    for (uint64_t off = 0; off < 6 * MIB; off += 99 * PAGE + 4) {
        assert_int_equal(vm_translate(&vm, at + off, VX_PROT_WRITE, &pa), OK);
        assert_int_equal(pa.raw, shared_frame(&shared, off & ~(PAGE - 1), &run).raw + off % PAGE);
    }
    assert_int_equal(vm_translate(&vm, at, VX_PROT_EXEC, &pa), ERR_BAD_ADDRESS);
    assert_int_equal(vm_translate(&vm, at - 1, VX_PROT_READ, &pa), ERR_BAD_ADDRESS);
    uint64_t device;
    assert_int_equal(map_object_whole(&vm, &shared, &caps[0], shared_frame, MEM_DEVICE, 0, PAGE, 0, RW, false, &device),
                     OK);
    assert_int_equal(vm_translate(&vm, device, VX_PROT_READ, &pa), ERR_BAD_ADDRESS); /* registers are not memory */
}

static void protection_never_exceeds_the_capability(void **)
{
    uint64_t at, kernels;
    assert_int_equal(map_object_whole(&vm, &shared, &caps[1], shared_frame, MEM_NORMAL, 0, PAGE, 0, RO, false, &at),
                     OK);
    assert_int_equal(protect_whole(&vm, at, PAGE, RW, 0), ERR_NO_RIGHTS);
    assert_int_equal(protect_whole(&vm, at, PAGE, RX, 0), OK);
    assert_int_equal(protect_whole(&vm, at, PAGE, RX, VX_MEM_LAZY), ERR_BAD_ARGUMENT);
    assert_int_equal(map_object_whole(&vm, &shared, nullptr, shared_frame, MEM_NORMAL, 0, PAGE, 0, RO, false, &kernels),
                     OK);
    assert_int_equal(protect_whole(&vm, kernels, PAGE, RW, 0), ERR_NO_RIGHTS);
    assert_int_equal(protect_whole(&vm, kernels, PAGE, VX_PROT_NONE, 0), OK);
    assert_int_equal(protect_whole(&vm, kernels, PAGE, RO, 0), ERR_NO_RIGHTS);
}

static void the_end_of_a_space_only_detaches_it(void **)
{
    uint64_t at;
    assert_int_equal(map_anon(AT(0), 600, RW, VX_MEM_COMMIT), OK);
    assert_int_equal(map_object_whole(&vm, &shared, &caps[0], shared_frame, MEM_NORMAL, 0, 2 * PAGE, 0, RW, false, &at),
                     OK);
    uint64_t before = ram.free_pages;
    arch_aspace_activate(nullptr);
    assert_true(vm_fini(&vm));
    assert_true(list_is_empty(&shared.maps));
    assert_int_equal(ram.free_pages, before);
    assert_int_equal(host_live_aspaces(), 0);
}

int main(void)
{
#define NAMED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        NAMED(large_areas_get_large_pages_and_aligned_places),
        NAMED(bad_ranges_are_refused),
        NAMED(the_first_and_the_last_page_of_user_space_can_be_mapped),
        NAMED(addresses_are_reused_and_a_taken_hint_is_only_a_hint),
        NAMED(a_fragmented_space_still_has_room),
        NAMED(freeing_committed_memory_never_needs_memory),
        NAMED(a_lazy_page_that_cannot_be_paid_for_says_so),
        NAMED(a_guard_is_a_closed_page_right_below_open_memory),
        NAMED(copies_reach_what_is_mapped_and_stop_where_it_ends),
        NAMED(translation_names_the_byte),
        NAMED(protection_never_exceeds_the_capability),
        cmocka_unit_test_setup(the_end_of_a_space_only_detaches_it, setup),
        cmocka_unit_test(others_may_come_in_between),
        cmocka_unit_test(whatever_allocation_fails_nothing_changes),
        cmocka_unit_test(random_use_agrees_with_the_model),
        cmocka_unit_test(random_use_of_scarce_memory_agrees_with_the_model),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
