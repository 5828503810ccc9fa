/* SPDX-License-Identifier: MIT
 * Calls that go on in steps: what another thread of the Task, or who pays, does between two of them. */
// sources: kernel/gate.c kernel/harts.c kernel/lock.c kernel/vm_unmap.c kernel/ram.c
// sources: kernel/bundle.c kernel/cap.c kernel/entropy.c kernel/irq.c kernel/mem.c kernel/object.c kernel/pt.c
// sources: kernel/reticle.c kernel/reticle_check.c kernel/ring.c kernel/sched.c kernel/signal.c kernel/spawn.c
// sources: kernel/sync.c kernel/sys_cap.c kernel/sys_mem.c kernel/sys_ring.c kernel/sys_task.c kernel/syscall.c
// sources: kernel/task.c kernel/task_control.c kernel/thread.c kernel/vm.c kernel/vm_fault.c kernel/wallclock.c
// sources: kernel/firmware/elf.c base/tree.c kernel/format.c
// sources: kernel/arch/host/cpu.c kernel/arch/host/mmu.c kernel/arch/host/ram.c
// flags: -fno-sanitize=function
// mutations: spawn-no-look spawn-image-kept
#include "two_tasks.h"

static void steps_to_the_end(struct thread *t)
{
    while ((t->progress | t->making) != 0 || t->has_result)
        assert_int_equal(host_syscall_again(), HOST_USER);
}

/* Makes the call, of which `between` comes after so many steps. False: it was over before. */
static bool disturbed(uint64_t nr, const uint64_t arg[static 6], unsigned steps, void (*between)(void))
{
    struct thread *t = running();
    assert_int_equal(host_syscall(nr, arg), HOST_USER);
    for (unsigned i = 1; i < steps && (t->progress | t->making) != 0; i++)
        assert_int_equal(host_syscall_again(), HOST_USER);
    bool goes_on = (t->progress | t->making) != 0;
    if (goes_on) {
        between();
        object_reap_all();
    }
    steps_to_the_end(t);
    return goes_on;
}

static vx_handle_t origin, image_cap, kept, moved, payer;
static uint32_t refused;

static void take_away(vx_handle_t h)
{
    struct cap *c;
    if (cap_get_any(&a->caps, h, 0, true, &c) == OK)
        cap_delete(&a->caps, c);
}

/* What is being made: the capability without rights. It shows nothing of it. */
static void drop_unmade(void)
{
    for (uint32_t i = 0; i < a->caps.high; i++) {
        struct cap *c = &a->caps.slots[i];
        if (c->type != VX_CAP_NONE && c->obj != nullptr && c->rights == 0)
            take_away(c->handle);
    }
}

static void drop_image(void)
{
    take_away(image_cap);
}

static void revoke_image(void)
{
    struct cap *c;
    uint64_t n = 0;
    assert_int_equal(cap_get_any(&a->caps, origin, 0, false, &c), OK);
    work_begin();
    assert_true(cap_revoke(c, &n));
}

/* Its handle comes to be of another image, of half the size: that takes as many as a slot has generations. */
static void replace_image(void)
{
    static struct cap *others[CAP_SLOTS_MAX];
    struct cap *c = cap_slot(&a->caps, image_cap), *from;
    uint32_t n = 0;
    take_away(image_cap);
    do
        assert_int_equal(cap_reserve(&a->caps, &others[n++]), OK);
    while (others[n - 1] != c);
    while (n-- > 1)
        cap_unreserve(&a->caps, others[n - 1]);
    assert_int_equal(cap_get_any(&a->caps, origin, 0, false, &from), OK);
    (void)cap_derive(c, from, VX_R_READ | VX_R_EXEC, 4096, 4096);
    c->handle = image_cap;
}

static void drop_kept(void)
{
    take_away(kept);
}

static void drop_moved(void)
{
    take_away(moved);
}

static void payer_goes(void)
{
    struct cap *c;
    assert_int_equal(cap_get_any(&a->caps, payer, 0, false, &c), OK);
    object_destroy(c->obj, END_OBJECT);
}

/* The errors there may be then; nothing is left of it in any case, and if it succeeds there is a Task. */
static bool spawn_disturbed(unsigned steps, void (*between)(void))
{
    struct mem *image;
    struct cap *slot;
    uint64_t before = machine_root.free_pages, used = a->caps.used;
    assert_int_equal(mem_create_whole(&machine_root, 8192, false, VX_CAP_MEM, &image), OK);
    machine_elf_write(image);
    assert_int_equal(cap_reserve(&a->caps, &slot), OK);
    origin = cap_make(slot, &image->obj, VX_CAP_MEM, VX_R_READ | VX_R_EXEC | VX_R_COPY, 0, image->bytes);
    uint64_t copy = between == replace_image ? 0 : VX_R_COPY;
    image_cap = (vx_handle_t)OK_CALL(NR_cap_narrow, origin, VX_R_READ | VX_R_EXEC | copy, 0, 0).first;
    kept = machine_grant_console(a);
    moved = machine_grant_console(a);
    payer = (vx_handle_t)OK_CALL(NR_reticle_carve, 0, 512 * 1024).first;
    struct {
        struct vx_bundle b;
        struct vx_slot slot[5];
    } s = { .b = { .magic = VX_BUNDLE_MAGIC,
                   .version = VX_BUNDLE_VERSION,
                   .n_slots = 5,
                   .bytes = sizeof s,
                   .slots_at = sizeof s.b },
            .slot = { { .name = "memory", .kind = VX_SLOT_INT, .value = 256 * 1024 },
                      { .name = "reticle", .kind = VX_SLOT_CAP, .value = payer },
                      { .name = "stack", .kind = VX_SLOT_INT, .value = 16384 },
                      { .name = "kept", .kind = VX_SLOT_CAP, .value = kept, .rights = VX_R_WRITE },
                      { .name = "moved", .kind = VX_SLOT_CAP, .value = moved, .rights = VX_R_WRITE, .move = 1 } } };
    put(TEXT_AT, &s, sizeof s);
    bool goes_on = disturbed(NR_spawn, (const uint64_t[6]){ image_cap, TEXT_AT, sizeof s }, steps, between);
    struct call_result r = results_of(running());
    if (r.st == OK) {
        (void)call(NR_destroy, r.first);
        steps_to_the_end(running());
        (void)call(NR_cap_drop, r.first);
        steps_to_the_end(running());
    } else {
        struct cap *c;
        refused++;
        assert_true(goes_on);
        if (between == drop_image || between == revoke_image || between == replace_image) /* then it was not decided */
            assert_int_equal(cap_get_any(&a->caps, moved, 0, false, &c), OK);
        assert_true(r.st == ERR_DESTROYED || r.st == ERR_BAD_HANDLE);
    }
    const vx_handle_t rest[] = { image_cap, origin, kept, moved, payer };
    for (unsigned i = 0; i < sizeof rest / sizeof rest[0]; i++)
        take_away(rest[i]);
    object_reap_all();
    assert_int_equal(a->caps.used, used);
    assert_int_equal(machine_root.free_pages, before);
    return goes_on;
}

static void others_come_between_the_steps_of_spawn(void **)
{
    void (*const all[])(void) = { drop_unmade, drop_image, revoke_image, replace_image,
                                  drop_kept,   drop_moved, payer_goes };
    vx_handle_t carved =
        (vx_handle_t)OK_CALL(NR_reticle_carve, 0, 4096).first; /* what is charged once is charged now */
    (void)OK_CALL(NR_cap_drop, carved);
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        unsigned steps = 1;
        refused = 0;
        while (spawn_disturbed(steps, all[i]))
            steps++;
        assert_true(steps > 2 && refused > 0); /* it does go in steps, and before the last ones it is noticed */
    }
}

static void look_at_unmade_ring(void)
{
    for (uint32_t i = 0; i < a->caps.high; i++) {
        struct cap *c = &a->caps.slots[i];
        if (c->type != VX_CAP_RING_TX || c->rights != 0)
            continue;
        struct vx_cap_facts f;
        cap_facts(&a->caps, c, &f);
        assert_int_equal(f.b, 0); /* the counters are not zeroed yet */
        assert_false(ring_is_made(ring_of(c->obj)));
    }
}

static void others_come_between_the_steps_of_ring_create(void **)
{
    void (*const all[])(void) = { drop_unmade, look_at_unmade_ring, payer_goes };
    vx_handle_t sem = (vx_handle_t)OK_CALL(NR_sem_create, 0, 0).first; /* what is charged once is charged now */
    (void)OK_CALL(NR_cap_drop, sem);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t before = a->reticle.free_pages, used = a->caps.used;
        unsigned steps = 1;
        bool goes_on;
        do {
            payer = (vx_handle_t)OK_CALL(NR_reticle_carve, 0, 512 * 1024).first;
            goes_on = disturbed(NR_ring_create, (const uint64_t[6]){ payer, 1024, VX_RING_CAPS }, steps++, all[i]);
            struct call_result r = results_of(running());
            assert_int_equal(r.st, !goes_on ? OK : i == 0 ? ERR_BAD_HANDLE : i == 1 ? OK : ERR_DESTROYED);
            if (r.st == OK) {
                take_away((vx_handle_t)r.first);
                take_away((vx_handle_t)r.second);
            }
            take_away(payer);
            object_reap_all();
            assert_int_equal(a->caps.used, used);
            assert_int_equal(a->reticle.free_pages, before);
        } while (goes_on);
        assert_true(steps > 3);
    }
}

/* The end of a table goes in steps also where nothing is in it any more. */
static void a_large_table_is_cleared_in_steps(void **)
{
    static struct cap empty[CAP_SLOTS_MAX];
    struct cap_table t = { .slots = empty, .n_slots = CAP_SLOTS_MAX, .high = CAP_SLOTS_MAX };
    uint32_t steps = 0, before;
    do {
        before = t.high;
        work_begin();
        steps++;
        assert_true(steps < 100);
    } while (!cap_table_clear(&t) && t.high < before);
    assert_int_equal(t.high, 0);
    assert_true(steps > 10);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        T(others_come_between_the_steps_of_spawn),
        T(others_come_between_the_steps_of_ring_create),
        T(a_large_table_is_cleared_in_steps),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
