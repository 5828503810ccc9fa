/* SPDX-License-Identifier: MIT
 * The system-call layer as a process: what the calls do when all is well, when they wait, and when a Task ends. Hostile
 * and random use is test/fuzz/syscall_fuzz.c. Every test starts a machine anew and must leave no page behind. */
// sources: kernel/gate.c kernel/harts.c kernel/lock.c kernel/vm_unmap.c kernel/ram.c
// sources: kernel/bundle.c kernel/cap.c kernel/entropy.c kernel/irq.c kernel/mem.c kernel/object.c kernel/pt.c
// sources: kernel/reticle.c kernel/reticle_check.c kernel/ring.c kernel/sched.c kernel/signal.c kernel/spawn.c
// sources: kernel/sync.c kernel/sys_cap.c kernel/sys_mem.c kernel/sys_ring.c kernel/sys_task.c kernel/syscall.c
// sources: kernel/task.c kernel/task_control.c kernel/thread.c kernel/vm.c kernel/vm_fault.c kernel/wallclock.c
// sources: kernel/firmware/elf.c base/tree.c kernel/format.c
// sources: kernel/arch/host/cpu.c kernel/arch/host/mmu.c kernel/arch/host/ram.c
// flags: -fno-sanitize=function
// mutations: reticle-keep-lent reticle-lose-slot -DMUTATE_TLB_NO_FLUSH
#include "two_tasks.h"

static void unknown_numbers_are_bad_syscalls(void **)
{
    for (uint64_t nr = 49; nr < 70; nr++)
        FAILS(ERR_BAD_SYSCALL, nr, 1, 2, 3);
    FAILS(ERR_BAD_SYSCALL, UINT64_MAX, 0);
    FAILS(ERR_BAD_SYSCALL, UINT64_C(1) << 32, 0); /* not call 0 */
}

static void console_output_is_unchanged_and_bounded(void **)
{
    vx_handle_t con = machine_grant_console(a);
    put(TEXT_AT, "one\ntwo", 7);
    machine_console_len = 0;
    assert_int_equal(OK_CALL(NR_console_write, con, TEXT_AT, 7).first, 7);
    assert_memory_equal(machine_console, "one\ntwo", 7);
    assert_int_equal(OK_CALL(NR_console_write, con, TEXT_AT, 1 << 20).first, CONSOLE_WRITE_MAX);
    FAILS(ERR_BAD_ADDRESS, NR_console_write, con, VX_UADDR_LIMIT, 1);
    FAILS(ERR_BAD_HANDLE, NR_console_write, con + (1u << VX_HANDLE_INDEX_BITS), TEXT_AT, 1);
    FAILS(ERR_BAD_HANDLE, NR_console_write, con | UINT64_C(1) << 32, TEXT_AT, 1);
    FAILS(ERR_WRONG_TYPE, NR_console_write, a_reticle, TEXT_AT, 1);
    vx_handle_t weak = (vx_handle_t)OK_CALL(NR_cap_narrow, con, VX_R_COPY | VX_R_READ, 0, 0).first;
    FAILS(ERR_NO_RIGHTS, NR_console_write, weak, TEXT_AT, 1);
    FAILS(ERR_NO_RIGHTS, NR_cap_narrow, weak, VX_R_COPY | VX_R_WRITE, 0, 0);
}

static void anonymous_memory_in_its_three_states(void **)
{
    uint64_t before = a->reticle.free_pages;
    uint64_t lazy = OK_CALL(NR_mem_alloc, 0, 16 * 4096, RW | VX_MEM_LAZY, 0).second;
    uint64_t after_area = a->reticle.free_pages;
    assert_true(before - after_area <= 1); /* the record of the area */
    uint64_t word = 0x1122334455667788;
    assert_int_equal(host_user_write(lazy + 4096, &word, 8), ERR_BAD_ADDRESS);
    struct trap t = { .cause = VX_CAUSE_PAGE_FAULT, .access = VX_PROT_WRITE, .address = lazy + 4096, .name = "test" };
    assert_int_equal(host_trap(&t), HOST_USER);
    put(lazy + 4096, &word, 8);
    assert_int_equal(word_at_user(lazy + 4096 + 8), 0);
    uint64_t committed = OK_CALL(NR_mem_alloc, 0, 4096, RW | VX_MEM_COMMIT, 0).second;
    assert_int_equal(word_at_user(committed), 0);
    uint64_t guard = OK_CALL(NR_mem_alloc, 0, 1 << 20, VX_MEM_RESERVE, 0).second;
    assert_int_equal(host_user_read(&word, guard, 8), ERR_BAD_ADDRESS);
    (void)OK_CALL(NR_mem_free, 0, lazy, 16 * 4096);
    (void)OK_CALL(NR_mem_free, 0, committed, 4096);
    (void)OK_CALL(NR_mem_free, 0, guard, 1 << 20);
    FAILS(ERR_NOT_FOUND, NR_mem_free, 0, guard, 1 << 20);
    assert_int_equal(a->reticle.free_pages, before);
    FAILS(ERR_BAD_ARGUMENT, NR_mem_alloc, 0, 4096, RW | VX_PROT_EXEC | VX_MEM_COMMIT, 0);
    FAILS(ERR_BAD_ARGUMENT, NR_mem_alloc, 0, 0, RW | VX_MEM_COMMIT, 0);
    FAILS(ERR_TOO_BIG, NR_mem_alloc, 0, MEM_BYTES_MAX + 1, RW | VX_MEM_RESERVE, 0);
    FAILS(ERR_NO_MEMORY, NR_mem_alloc, 0, 2 << 20, RW | VX_MEM_COMMIT, 0); /* more than the Task has */
    assert_int_equal(a->reticle.free_pages, before);
}

static void a_fault_ends_the_task_and_nothing_else(void **)
{
    vx_handle_t h = machine_grant(b, &a->obj, VX_CAP_TASK, VX_R_WAIT | VX_R_INSPECT);
    struct trap t = { .cause = VX_CAUSE_PAGE_FAULT, .access = VX_PROT_READ, .address = 0x666000, .name = "test" };
    assert_int_equal(host_trap(&t), HOST_USER);
    assert_ptr_equal(running()->task, b);
    struct call_result r = OK_CALL(NR_waitpid, h, 0);
    assert_int_equal(r.first, 0);
    assert_int_equal(r.second, 0x666000 | VX_CAUSE_PAGE_FAULT);
    assert_int_equal(a->state, VX_TASK_DEAD);
}

static void rings_carry_messages_between_tasks_and_block(void **)
{
    struct call_result r = OK_CALL(NR_ring_create, 0, 2, VX_RING_CAPS);
    vx_handle_t tx = (vx_handle_t)r.first, rx = (vx_handle_t)r.second;
    struct cap *c, *slot;
    assert_int_equal(cap_get(&a->caps, rx, VX_CAP_RING_RX, VX_R_RECV, &c), OK);
    assert_int_equal(cap_reserve(&b->caps, &slot), OK);
    vx_handle_t b_rx = cap_move(&a->caps, slot, c);
    FAILS(ERR_BAD_HANDLE, NR_ring_try_recv, rx, MSG_AT);
    struct vx_message m = { .word = { 1, 2, 3, 4, 5, 6, 7, 8 } };
    put(MSG_AT, &m, sizeof m);
    (void)OK_CALL(NR_ring_send, tx, MSG_AT, VX_POLL);
    (void)OK_CALL(NR_ring_send, tx, MSG_AT, VX_POLL);
    FAILS(ERR_WOULD_BLOCK, NR_ring_send, tx, MSG_AT, VX_POLL);
    assert_true(call(NR_ring_send, tx, MSG_AT, VX_FOREVER).switched); /* waits for room; b runs */
    assert_ptr_equal(running()->task, b);
    (void)OK_CALL(NR_ring_recv, b_rx, MSG2_AT, VX_POLL);
    assert_int_equal(word_at_user(MSG2_AT + 56), 8);
    (void)OK_CALL(NR_ring_recv, b_rx, MSG2_AT, VX_POLL);
    switch_to(a); /* whose call was run again, and has been answered */
    assert_int_equal(results_of(running()).st, OK);
    vx_handle_t con = machine_grant_console(a);
    m.word[0] = 99;
    put(MSG_AT, &m, sizeof m);
    (void)OK_CALL(NR_ring_send_cap, tx, MSG_AT, con, VX_POLL);
    switch_to(b);
    (void)OK_CALL(NR_ring_recv, b_rx, MSG2_AT, VX_POLL);
    FAILS(ERR_WRONG_TYPE, NR_ring_recv, b_rx, MSG2_AT, VX_POLL);
    vx_handle_t got = (vx_handle_t)OK_CALL(NR_ring_recv_cap, b_rx, MSG2_AT, VX_POLL).first;
    assert_int_not_equal(got, 0);
    assert_int_equal(word_at_user(MSG2_AT), 99);
    assert_int_equal(OK_CALL(NR_console_write, got, MSG2_AT, 3).first, 3);
    switch_to(a);
    (void)OK_CALL(NR_cap_drop, tx);
    switch_to(b);
    FAILS(ERR_PEER_CLOSED, NR_ring_recv, b_rx, MSG2_AT, VX_FOREVER);
}

/* C4 at every fill of tables of several sizes, over memory that is not zero: whatever the handle, what is looked at is
 * a slot of the table that is in use or zero. */
static void no_handle_leads_beyond_its_table(void **)
{
    static const uint32_t sizes[] = { 2, 4, 64, 192, 512, CAP_SLOTS_MAX - 64, CAP_SLOTS_MAX };
    static struct cap slots[CAP_SLOTS_MAX], zero;
    for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++) {
        memset(slots, 0xa5, sizeof slots);
        slots[0] = zero; /* as in task_create() */
        struct cap_table t = { .slots = slots, .n_slots = sizes[n] };
        struct cap *c;
        for (uint32_t high = 0; high <= sizes[n]; high++) {
            uint32_t reach = 1;
            while (reach < high)
                reach *= 2;
            assert_int_equal(t.high, high);
            assert_int_equal(t.mask + 1, reach); /* no more than it needs, so at most the block of the table */
            for (uint64_t h = 0; h < 64; h++) {
                uint64_t handle = h * UINT64_C(0x9e3779b97f4a7c15) ^ -(h & 1);
                const struct cap *found = cap_slot(&t, handle);
                assert_true(found >= slots && found < slots + reach);
                assert_true(found < slots + high || memcmp(found, &zero, sizeof zero) == 0);
                assert_int_equal(cap_explain(&t, handle | UINT64_C(1) << 32, VX_CAP_MEM, 0), ERR_BAD_HANDLE);
            }
            assert_int_equal(cap_reserve(&t, &c), high < sizes[n] ? OK : ERR_TABLE_FULL);
            assert_true(high == sizes[n] || (c == &slots[high] && c->type == VX_CAP_NONE && c->obj == nullptr));
        }
    }
}

static void revoke_takes_back_what_was_derived(void **)
{
    vx_handle_t con = machine_grant_console(a);
    vx_handle_t one = (vx_handle_t)OK_CALL(NR_cap_narrow, con, VX_R_COPY | VX_R_WRITE, 0, 0).first;
    vx_handle_t two = (vx_handle_t)OK_CALL(NR_cap_narrow, one, VX_R_WRITE, 0, 0).first;
    assert_int_equal(OK_CALL(NR_cap_revoke, con).first, 2);
    FAILS(ERR_BAD_HANDLE, NR_console_write, one, TEXT_AT, 1);
    FAILS(ERR_BAD_HANDLE, NR_console_write, two, TEXT_AT, 1);
    (void)OK_CALL(NR_console_write, con, TEXT_AT, 1);
}

static void shared_memory_goes_when_its_capability_goes(void **)
{
    struct call_result r = OK_CALL(NR_mem_alloc, 0, 8192, RW | VX_MEM_COMMIT | VX_MEM_HANDLE, 0);
    vx_handle_t mem = (vx_handle_t)r.first;
    uint64_t at = r.second, word = 42;
    put(at, &word, 8);
    struct cap *c, *slot;
    assert_int_equal(cap_get(&a->caps, mem, VX_CAP_MEM, VX_R_READ, &c), OK);
    assert_int_equal(cap_reserve(&b->caps, &slot), OK);
    vx_handle_t b_mem = cap_derive(slot, c, VX_R_READ, 0, 8192);
    switch_to(b);
    uint64_t b_at = OK_CALL(NR_mem_map, b_mem, 0, 8192, 0, VX_PROT_READ).first;
    assert_int_equal(word_at_user(b_at), 42);
    assert_int_equal(host_user_write(b_at, &word, 8), ERR_BAD_ADDRESS);
    FAILS(ERR_NO_RIGHTS, NR_mem_map, b_mem, 0, 8192, 0, RW);
    switch_to(a);
    assert_int_equal(OK_CALL(NR_cap_revoke, mem).first, 1);
    switch_to(b);
    assert_int_equal(host_user_read(&word, b_at, 8), ERR_BAD_ADDRESS);
    switch_to(a);
    (void)OK_CALL(NR_mem_free, mem, 0, 0);
    assert_int_equal(host_user_read(&word, at, 8), ERR_BAD_ADDRESS);
}

static void deadlines_pass_and_waits_can_be_interrupted(void **)
{
    FAILS(ERR_WOULD_BLOCK, NR_signal_wait, 1, VX_POLL);
    uint64_t until = host_cycles + 100000;
    struct thread *t = running();
    assert_true(call(NR_signal_wait, 1, until).switched);
    assert_ptr_equal(running()->task, b);
    assert_int_equal(host_timer(), HOST_USER); /* at the deadline */
    switch_to(a);
    assert_ptr_equal(running(), t);
    assert_int_equal(results_of(t).st, ERR_TIMED_OUT);
    assert_true(host_cycles >= until);
    (void)OK_CALL(NR_signal_post, 0, 6);
    assert_int_equal(OK_CALL(NR_signal_wait, 12, VX_FOREVER).first, 4);
    assert_int_equal(OK_CALL(NR_signal_wait, 2, VX_POLL).first, 2);
    (void)OK_CALL(NR_thread_interrupt, t->id);
    FAILS(ERR_INTERRUPTED, NR_signal_wait, 1, VX_FOREVER);
    FAILS(ERR_WOULD_BLOCK, NR_signal_wait, 1, VX_POLL);
}

static void what_is_contributed_is_mixed_in_and_needs_the_right(void **)
{
    struct object *o;
    vx_handle_t feeder = machine_grant_new(a, VX_CAP_ENTROPY, sizeof *o, VX_R_WRITE | VX_R_COPY, 0, 0, &o);
    vx_handle_t weak = machine_grant(a, o, VX_CAP_ENTROPY, VX_R_COPY);
    uint8_t with[32], without[32];
    FAILS(ERR_NO_RIGHTS, NR_console_write, weak, TEXT_AT, 8);
    FAILS(ERR_BAD_ADDRESS, NR_console_write, feeder, VX_UADDR_LIMIT, 1);
    host_has_random = false;
    entropy_init();
    entropy_fill(without, sizeof without);
    entropy_init();
    assert_int_equal(OK_CALL(NR_console_write, feeder, TEXT_AT, 8).first, 8);
    assert_false(entropy_seeded());
    entropy_fill(with, sizeof with);
    assert_memory_not_equal(with, without, sizeof with);
    assert_int_equal(OK_CALL(NR_console_write, feeder, TEXT_AT, 32).first, 32);
    assert_true(entropy_seeded());
}

static void interrupts_post_their_bit_and_level_lines_wait_for_the_task(void **)
{
    vx_handle_t all = machine_grant_irqs(a);
    vx_handle_t one = (vx_handle_t)OK_CALL(NR_cap_narrow, all, VX_R_BIND, 2, 1).first; /* line 34: level */
    FAILS(ERR_BAD_ARGUMENT, NR_device_bind_irq, all, 3);
    (void)OK_CALL(NR_device_bind_irq, one, 3);
    assert_false(machine_irq_masked[34]);
    assert_int_equal(host_irq(34), HOST_USER);
    assert_true(machine_irq_masked[34]);
    assert_int_equal(OK_CALL(NR_signal_wait, 8, VX_POLL).first, 8);
    assert_true(machine_irq_masked[34]);
    FAILS(ERR_WOULD_BLOCK, NR_signal_wait, 8, VX_POLL);
    assert_false(machine_irq_masked[34]); /* waiting for the bit again lets the line fire again */
    (void)OK_CALL(NR_cap_drop, one);
    assert_true(machine_irq_masked[34]);
}

/* Whether the child has the image's own pages, and only of what it cannot write. */
static void look_for_sharing(struct mem *image, bool shares)
{
    uint64_t run;
    char seen[5];
    char *text = arch_phys_to_virt(mem_frame(&image->obj, 0, &run));
    char *data = arch_phys_to_virt(mem_frame(&image->obj, 4096, &run));
    text[2000] = 'T';
    data[0] = 'D';
    assert_int_equal(host_user_read(seen, 0x400000 + 2000, 1), OK);
    assert_int_equal(seen[0], shares ? 'T' : 0);
    assert_int_equal(host_user_write(0x400000, "x", 1), ERR_BAD_ADDRESS);
    assert_int_equal(host_user_read(seen, USER_BASE, 5), OK);
    assert_memory_equal(seen, "data", 5);
}

static void spawn_from_an_image_with(vx_rights_t rights)
{
    struct mem *image;
    struct cap *slot;
    assert_int_equal(mem_create_whole(&machine_root, 8192, false, VX_CAP_MEM, &image), OK);
    machine_elf_write(image);
    assert_int_equal(cap_reserve(&a->caps, &slot), OK);
    vx_handle_t h = cap_make(slot, &image->obj, VX_CAP_MEM, rights, 0, image->bytes);
    vx_handle_t con = machine_grant_console(a);
    struct {
        struct vx_bundle b;
        struct vx_slot slot[4];
    } s = { .b = { .magic = VX_BUNDLE_MAGIC,
                   .version = VX_BUNDLE_VERSION,
                   .n_slots = 4,
                   .bytes = sizeof s,
                   .slots_at = sizeof s.b },
            .slot = { { .name = "memory", .kind = VX_SLOT_INT, .value = 256 * 1024 },
                      { .name = "stack", .kind = VX_SLOT_INT, .value = 16384 },
                      { .name = "console", .kind = VX_SLOT_CAP, .value = con, .rights = VX_R_WRITE, .move = 1 },
                      { .name = "seven", .kind = VX_SLOT_INT, .value = 7 } } };
    put(TEXT_AT, &s, sizeof s);
    uint64_t free_before = a->reticle.free_pages;
    FAILS(ERR_BAD_ARGUMENT, NR_spawn, h, TEXT_AT, sizeof s - 1);
    FAILS(ERR_BAD_ADDRESS, NR_spawn, h, VX_UADDR_LIMIT, sizeof s);
    uint64_t derived = OK_CALL(NR_cap_narrow, con, VX_R_WRITE | VX_R_COPY, 0, 0).first;
    FAILS(ERR_NO_RIGHTS, NR_spawn, h, TEXT_AT, sizeof s); /* what was derived would have more than it */
    (void)OK_CALL(NR_cap_drop, derived);
    assert_int_equal(a->reticle.free_pages, free_before);
    struct call_result r = call(NR_spawn, h, TEXT_AT, sizeof s);
    assert_false(r.switched);
    assert_int_equal(r.st, OK);
    FAILS(ERR_BAD_HANDLE, NR_console_write, con, TEXT_AT, 1); /* moved */
    assert_true(call(NR_waitpid, r.first, 0).switched);
    for (int i = 0; i < 4 && running()->task == b; i++)
        (void)call(NR_yield, 0);
    struct thread *child = running();
    assert_int_equal(child->task->id, r.second);
    assert_int_equal(child->frame.pc, MACHINE_ELF_ENTRY);
    assert_int_equal(child->frame.sp % 16, 0);
    assert_int_equal(child->frame.r[0], VX_BUNDLE_ADDRESS);
    assert_int_equal(child->frame.r[1], VX_TIME_PAGE_ADDRESS);
    struct vx_bundle bundle;
    struct vx_slot slots[4];
    assert_int_equal(host_user_read(&bundle, VX_BUNDLE_ADDRESS, sizeof bundle), OK);
    assert_int_equal(host_user_read(slots, VX_BUNDLE_ADDRESS + bundle.slots_at, sizeof slots), OK);
    assert_int_equal(bundle.task_id, child->task->id);
    assert_int_equal(slots[2].length, VX_CAP_CONSOLE);
    assert_int_equal(host_user_write(VX_BUNDLE_ADDRESS, "x", 1), ERR_BAD_ADDRESS);
    char data[8];
    assert_int_equal(host_user_read(data, USER_BASE, 5), OK);
    assert_memory_equal(data, "data", 5);
    look_for_sharing(image, (rights & VX_R_COPY) != 0);
    (void)OK_CALL(NR_console_write, slots[2].value, USER_BASE, 4);
    assert_true(call(NR_task_exit, 23).switched);
    switch_to(a);
    r = results_of(running());
    assert_int_equal(r.first, 23);
    assert_int_equal(r.second, VX_CAUSE_EXIT);
}

static void spawn_makes_a_task_from_an_image_and_a_bundle(void **)
{
    spawn_from_an_image_with(VX_R_READ | VX_R_EXEC);
}

static void an_image_that_may_be_copied_is_shared(void **)
{
    spawn_from_an_image_with(VX_R_READ | VX_R_EXEC | VX_R_COPY);
}

static void threads_share_a_task_and_join(void **)
{
    uint64_t id = OK_CALL(NR_thread_create, 0x400000, USER_BASE + 0x8000, 77, 0x1234, 0).first;
    struct thread *first = running();
    assert_true(call(NR_thread_join, id, VX_FOREVER).switched);
    for (int i = 0; i < 4 && running()->task == b; i++)
        (void)call(NR_yield, 0);
    assert_ptr_equal(running()->task, a);
    assert_ptr_not_equal(running(), first);
    assert_int_equal(running()->frame.r[0], 77);
    assert_int_equal(running()->frame.r[1], id);
    assert_int_equal(OK_CALL(NR_get_tls, 0).first, 0x1234);
    FAILS(ERR_BAD_ARGUMENT, NR_thread_join, id, VX_POLL);
    assert_true(call(NR_thread_exit, 5, 0, 0, 0).switched);
    switch_to(a);
    assert_ptr_equal(running(), first);
    assert_int_equal(results_of(first).first, 5);
    FAILS(ERR_NOT_FOUND, NR_thread_join, id, VX_POLL);
}

static void a_task_has_so_many_threads_and_no_more(void **)
{
    vx_handle_t reticle;
    struct task *t = machine_task(11, VX_BAND_IDLE, a, &reticle);
    const uaddr_t entry = { 0x400000 }, stack = { USER_BASE + USER_BYTES };
    struct thread *th;
    while (t->n_threads < THREADS_PER_TASK_MAX)
        assert_int_equal(thread_create(t, entry, stack, 0, 0, false, &th), OK);
    uint64_t free_pages = t->reticle.free_pages;
    assert_int_equal(thread_create(t, entry, stack, 0, 0, false, &th), ERR_TABLE_FULL);
    assert_int_equal(t->reticle.free_pages, free_pages);
    thread_free(th); /* the last one made; its place can be taken again */
    assert_int_equal(thread_create(t, entry, stack, 0, 0, false, &th), OK);
}

static void futexes_wake_by_address(void **)
{
    uint32_t value = 5;
    put(USER_BASE + 128, &value, 4);
    FAILS(ERR_WOULD_BLOCK, NR_futex_wait, USER_BASE + 128, 6, VX_FOREVER);
    FAILS(ERR_BAD_ARGUMENT, NR_futex_wait, USER_BASE + 129, 5, VX_FOREVER);
    uint64_t id = OK_CALL(NR_thread_create, 0x400000, USER_BASE + 0x8000, 0, 0, 0).first;
    struct thread *first = running();
    assert_true(call(NR_futex_wait, USER_BASE + 128, 5, VX_FOREVER).switched);
    for (int i = 0; i < 4 && running()->task == b; i++)
        (void)call(NR_yield, 0);
    assert_int_equal(running()->id, id);
    assert_int_equal(OK_CALL(NR_futex_wake, USER_BASE + 132, 1, 0, 0).first, 0);
    assert_int_equal(OK_CALL(NR_futex_wake, USER_BASE + 128, 1, 0, 0).first, 1);
    assert_true(call(NR_thread_exit, 0, 0, 0, 0).switched);
    switch_to(a);
    assert_ptr_equal(running(), first);
    assert_int_equal(results_of(first).st, OK);
}

static void a_carved_reticle_pays_and_comes_back_whole(void **)
{
    uint64_t before = a->reticle.free_pages;
    vx_handle_t child = (vx_handle_t)OK_CALL(NR_reticle_carve, 0, 65536).first;
    vx_handle_t sem = (vx_handle_t)OK_CALL(NR_sem_create, child, 3).first;
    (void)OK_CALL(NR_ring_create, child, 4, 0);
    struct call_result m = OK_CALL(NR_mem_alloc, child, 16384, RW | VX_MEM_COMMIT | VX_MEM_HANDLE, 0);
    FAILS(ERR_NO_MEMORY, NR_mem_alloc, child, 65536, RW | VX_MEM_COMMIT | VX_MEM_HANDLE, 0);
    (void)OK_CALL(NR_sem_wait, sem, 3, VX_POLL);
    FAILS(ERR_WOULD_BLOCK, NR_sem_wait, sem, 1, VX_POLL);
    machine_check_all();
    (void)OK_CALL(NR_destroy, child);
    FAILS(ERR_DESTROYED, NR_sem_signal, sem, 1);
    uint64_t word;
    assert_int_equal(host_user_read(&word, m.second, 8), ERR_BAD_ADDRESS); /* unmapped with its memory */
    (void)OK_CALL(NR_cap_drop, child);
    (void)OK_CALL(NR_cap_drop, sem);
    assert_int_equal(a->reticle.free_pages, before);
}

/* A Ring in a Reticle that the Ring itself carries: user code skips the message, and the send that reuses its place
 * ends the Reticle with the Ring. The send must complete first: it once wrote into the Ring's memory after that was
 * free, and left the capability that it carried there, alive. */
static void a_send_that_ends_its_own_ring_completes_first(void **)
{
    vx_handle_t child = (vx_handle_t)OK_CALL(NR_reticle_carve, 0, 65536).first;
    vx_handle_t sem = (vx_handle_t)OK_CALL(NR_sem_create, 0, 1).first;
    vx_handle_t tx = (vx_handle_t)OK_CALL(NR_ring_create, child, 2, VX_RING_CAPS).first;
    struct cap *c;
    assert_int_equal(cap_get(&a->caps, tx, VX_CAP_RING_TX, VX_R_SEND, &c), OK);
    struct ring *ring = ring_of(c->obj);
    assert_int_equal(cap_get(&a->caps, child, VX_CAP_RETICLE, 0, &c), OK);
    c->rights &= (vx_rights_t)~VX_R_COPY; /* as a Task gets it from a Bundle that moves it */
    const struct vx_message m = {};
    put(MSG_AT, &m, sizeof m);
    (void)OK_CALL(NR_ring_send_cap, tx, MSG_AT, child, VX_POLL);
    ring->shared->tail = 1; /* user code, through its mapping */
    (void)OK_CALL(NR_ring_send, tx, MSG_AT, VX_POLL);
    ring->shared->tail = 2;
    (void)OK_CALL(NR_ring_send_cap, tx, MSG_AT, sem, VX_POLL);
    FAILS(ERR_PEER_CLOSED, NR_ring_send, tx, MSG_AT, VX_POLL);
    assert_int_equal(cap_get(&a->caps, sem, VX_CAP_SEM, VX_R_WAIT, &c), OK);
    assert_int_equal(c->obj->n_caps, 1);
    assert_null(c->child);
    machine_check_all();
}

/* B holds the only capability to A below a great many others; A's own call ends B, in steps, and A is so urgent that
 * nobody else takes them. The one that ends A finds no caller to go on with: it once looked for the thread all the
 * same. */
static void a_call_in_steps_that_ends_its_caller_is_not_run_again(void **)
{
    struct object *o;
    (void)machine_grant(b, &a->obj, VX_CAP_TASK, VX_RIGHTS_ALL);
    for (int i = 0; i < 300; i++)
        (void)machine_grant_new(b, VX_CAP_CONSOLE, sizeof *o, VX_RIGHTS_ALL, 0, 0, &o);
    vx_handle_t h = machine_grant(a, &b->obj, VX_CAP_TASK, VX_RIGHTS_ALL);
    running()->band = running()->effective_band = VX_BAND_DRIVER;
    (void)call(NR_destroy, h);
    int steps = 0;
    for (; running() != nullptr; steps++) {
        assert_ptr_equal(running()->task, a);
        assert_in_range(steps, 0, 100);
        (void)host_syscall_again();
    }
    assert_in_range(steps, 2, 100); /* it did go on in steps */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        T(unknown_numbers_are_bad_syscalls),
        T(console_output_is_unchanged_and_bounded),
        T(anonymous_memory_in_its_three_states),
        T(a_fault_ends_the_task_and_nothing_else),
        T(rings_carry_messages_between_tasks_and_block),
        cmocka_unit_test(no_handle_leads_beyond_its_table),
        T(revoke_takes_back_what_was_derived),
        T(shared_memory_goes_when_its_capability_goes),
        T(deadlines_pass_and_waits_can_be_interrupted),
        T(what_is_contributed_is_mixed_in_and_needs_the_right),
        T(interrupts_post_their_bit_and_level_lines_wait_for_the_task),
        T(spawn_makes_a_task_from_an_image_and_a_bundle),
        T(an_image_that_may_be_copied_is_shared),
        T(threads_share_a_task_and_join),
        T(a_task_has_so_many_threads_and_no_more),
        T(futexes_wake_by_address),
        T(a_carved_reticle_pays_and_comes_back_whole),
        T(a_send_that_ends_its_own_ring_completes_first),
        T(a_call_in_steps_that_ends_its_caller_is_not_run_again),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
