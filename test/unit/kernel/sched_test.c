/* SPDX-License-Identifier: MIT
 * Who runs, on the host architecture: bands are strict, threads of one band take turns, deadlines fire in order, a
 * caller's band is lent to the server and taken back, a hand-over waits for what is more urgent, a hart gives away only
 * what it does not run itself. Also interrupt lines. */
// sources: kernel/gate.c kernel/harts.c kernel/lock.c kernel/vm_unmap.c kernel/ram.c
// sources: kernel/bundle.c kernel/cap.c kernel/entropy.c kernel/irq.c kernel/mem.c kernel/object.c kernel/pt.c
// sources: kernel/reticle.c kernel/reticle_check.c kernel/ring.c kernel/sched.c kernel/signal.c kernel/spawn.c
// sources: kernel/sync.c kernel/sys_cap.c kernel/sys_mem.c kernel/sys_ring.c kernel/sys_task.c kernel/syscall.c
// sources: kernel/task.c kernel/task_control.c kernel/thread.c kernel/vm.c kernel/vm_fault.c kernel/wallclock.c
// sources: kernel/firmware/elf.c base/tree.c kernel/format.c
// sources: kernel/arch/host/cpu.c kernel/arch/host/mmu.c kernel/arch/host/ram.c
// flags: -fno-sanitize=function
#include "cmocka_kassert.h"
#include "machine.h"

enum { TASKS = 4, BIT = 5 };

static struct task *task[TASKS];
static vx_handle_t reticle[TASKS];

/* Tasks of these bands, in this order; VX_BAND_COUNT ends. The first to run is chosen by the kernel. */
static void begin(const uint32_t *bands)
{
    static bool booted;
    if (!booted)
        machine_boot();
    booted = true;
    host_timer_deadline = UINT64_MAX;
    for (unsigned i = 0; i < TASKS && bands[i] != VX_BAND_COUNT; i++)
        task[i] = machine_task(7, bands[i], nullptr, &reticle[i]);
    assert_int_equal(machine_run(), HOST_USER);
}

#define BEGIN(...) begin((const uint32_t[]){ __VA_ARGS__, VX_BAND_COUNT })

static int end(void **)
{
    machine_end_all();
    machine_check();
    host_timer_deadline = UINT64_MAX;
    assert_int_equal(machine_run(), HOST_IDLE);
    return 0;
}

static const struct task *runs(void)
{
    return running() != nullptr ? running()->task : nullptr;
}

static void sleep_until(uint64_t deadline)
{
    (void)call(NR_nanosleep, deadline);
}

static void the_most_urgent_band_runs_however_often_it_yields(void **)
{
    BEGIN(VX_BAND_IDLE, VX_BAND_NORMAL, VX_BAND_DRIVER, VX_BAND_BATCH);
    for (int i = 0; i < 8; i++) {
        assert_ptr_equal(runs(), task[2]);
        (void)call(NR_yield, 0);
    }
    (void)call(NR_task_exit, 0);
    assert_ptr_equal(runs(), task[1]);
    (void)call(NR_task_exit, 0);
    assert_ptr_equal(runs(), task[3]);
    (void)call(NR_task_exit, 0);
    assert_ptr_equal(runs(), task[0]);
}

static void one_band_takes_turns(void **)
{
    BEGIN(VX_BAND_NORMAL, VX_BAND_NORMAL, VX_BAND_NORMAL);
    for (int i = 0; i < 9; i++) {
        assert_ptr_equal(runs(), task[i % 3]);
        (void)call(NR_yield, 0);
    }
}

/* TIME_SLICE_NS at its edge: the timer is armed for it, and the next one runs then and not before. */
static void a_thread_that_never_yields_runs_for_a_slice(void **)
{
    BEGIN(VX_BAND_NORMAL, VX_BAND_NORMAL);
    assert_ptr_equal(runs(), task[0]);
    uint64_t armed = host_timer_deadline;
    assert_true(armed != UINT64_MAX && armed <= host_cycles + TIME_SLICE_NS);
    assert_true(armed + 1000 > host_cycles + TIME_SLICE_NS); /* readings of the clock cost a cycle each */
    for (int i = 1; i < 5; i++) {
        assert_int_equal(host_timer(), HOST_USER);
        for (int early = 0; early < 3 && runs() != task[i % 2]; early++)
            assert_int_equal(host_timer(), HOST_USER);
        assert_ptr_equal(runs(), task[i % 2]);
    }
}

static void alone_in_its_band_it_is_not_interrupted(void **)
{
    BEGIN(VX_BAND_NORMAL, VX_BAND_BATCH);
    assert_ptr_equal(runs(), task[0]);
    assert_int_equal(host_timer_deadline, UINT64_MAX);
}

static void deadlines_fire_in_their_order(void **)
{
    BEGIN(VX_BAND_NORMAL, VX_BAND_NORMAL, VX_BAND_NORMAL);
    uint64_t base = host_cycles + 100 * TIME_SLICE_NS;
    sleep_until(base + 3000000);
    sleep_until(base + 1000000);
    sleep_until(base + 2000000); /* all sleep: time jumps to the first */
    assert_ptr_equal(runs(), task[1]);
    assert_true(host_cycles >= base + 1000000 && host_cycles < base + 2000000);
    sleep_until(VX_FOREVER);
    assert_ptr_equal(runs(), task[2]);
    sleep_until(VX_FOREVER);
    assert_ptr_equal(runs(), task[0]);
    assert_true(host_cycles >= base + 3000000);
}

/* A deadline of somebody more urgent preempts at once. */
static void a_deadline_of_a_more_urgent_thread_preempts(void **)
{
    BEGIN(VX_BAND_PERSON, VX_BAND_BATCH);
    uint64_t at = host_cycles + 5000000;
    sleep_until(at);
    assert_ptr_equal(runs(), task[1]);
    assert_int_equal(host_timer(), HOST_USER);
    assert_ptr_equal(runs(), task[0]);
    assert_true(host_cycles >= at);
}

/* Two harts that idle would hand a thread to and fro for ever, each asking for it before the other has seen it. */
static void a_hart_without_a_thread_keeps_one_of_those_that_others_ask_for(void **)
{
    static struct hart asker = { .id = 1 };
    harts[1] = host_hart = &asker;
    sched_init();
    assert_int_equal(machine_run(), HOST_IDLE);
    host_hart = &machine_hart;
    BEGIN(VX_BAND_NORMAL, VX_BAND_NORMAL, VX_BAND_NORMAL);
    uint64_t until = host_cycles + TIME_SLICE_NS;
    n_harts = 2;
    sleep_until(until);
    sleep_until(until);
    const struct thread *last = running();
    machine_hart.sched.domain = 3;
    sleep_until(until); /* nobody is left to run, and all wake at once */
    assert_ptr_equal(runs(), task[0]);
    const struct thread *given = atomic_load(&asker.sched.inbox);
    assert_non_null(given);
    assert_ptr_equal(given->task, task[1]); /* one for each that idles */
    assert_null(given->inbox_next);
    assert_ptr_not_equal(given, last);
    machine_hart.sched.domain = 1;
    n_harts = 1;
}

/* --- calls between Tasks --- */

struct wire {
    vx_handle_t tx, rx;
};

/* A Ring of which `from` has the sending end and `to` the receiving. Made by hand: `from` may not be running. */
static struct wire wire(struct task *from, struct task *to)
{
    struct ring *r;
    machine_must(ring_create_whole(&machine_root, RING_SLOTS_DEFAULT, VX_RING_CAPS, &r) == OK);
    return (struct wire){ machine_grant(from, &r->obj, VX_CAP_RING_TX, VX_RIGHTS_ALL),
                          machine_grant(to, &r->obj, VX_CAP_RING_RX, VX_RIGHTS_ALL) };
}

#define MSG_AT USER_BASE
#define REPLY_AT (USER_BASE + 4096)

/* The server of task 0 (wire `ask`) waits in its receive, and task 1, the caller, runs. */
static void server_waits(struct wire ask)
{
    (void)call(NR_ring_recv_cap, ask.rx, MSG_AT, VX_FOREVER);
    assert_ptr_not_equal(runs(), task[0]);
}

static struct thread *thread_of(const struct task *t)
{
    return container_of(t->threads.first, struct thread, by_id);
}

static uint8_t band_of(const struct task *t)
{
    return thread_of(t)->effective_band;
}

static void a_call_lends_its_band_until_the_server_receives_again(void **)
{
    BEGIN(VX_BAND_NORMAL, VX_BAND_BATCH, VX_BAND_NORMAL);
    struct wire ask = wire(task[1], task[0]), answer = wire(task[0], task[1]);
    server_waits(ask);
    assert_ptr_equal(runs(), task[2]);
    sleep_until(VX_FOREVER); /* leaves the hart to the caller, which is less urgent than its server */
    assert_ptr_equal(runs(), task[1]);
    task[1]->band = VX_BAND_PERSON; /* what SET_BAND of a parent does */
    sched_set_band(running(), VX_BAND_PERSON);
    (void)call(NR_ring_call, ask.tx, MSG_AT, answer.rx, REPLY_AT, VX_FOREVER);
    assert_ptr_equal(runs(), task[0]);
    assert_int_equal(band_of(task[0]), VX_BAND_PERSON); /* lent */
    assert_int_equal(call(NR_ring_send, answer.tx, MSG_AT, VX_POLL).st, OK);
    assert_ptr_equal(runs(), task[0]); /* still in service, and nobody is more urgent */
    (void)call(NR_ring_recv_cap, ask.rx, MSG_AT, VX_FOREVER);
    assert_int_equal(band_of(task[0]), VX_BAND_NORMAL); /* given back */
    assert_ptr_equal(runs(), task[1]);
}

static void a_hand_over_waits_for_what_is_more_urgent(void **)
{
    BEGIN(VX_BAND_NORMAL, VX_BAND_NORMAL, VX_BAND_PERSON);
    struct wire ask = wire(task[1], task[0]), answer = wire(task[0], task[1]);
    assert_ptr_equal(runs(), task[2]);
    sleep_until(host_cycles + 1000000);
    server_waits(ask);
    assert_ptr_equal(runs(), task[1]);
    /* The sleeper's time has come, and it is READY when the call is made. */
    host_cycles += 2000000;
    thread_wake(thread_of(task[2]));
    (void)call(NR_ring_call, ask.tx, MSG_AT, answer.rx, REPLY_AT, VX_FOREVER);
    assert_ptr_equal(runs(), task[2]); /* and not the server */
    sleep_until(VX_FOREVER);
    assert_ptr_equal(runs(), task[0]); /* which has its turn then, with the message */
    assert_int_equal(results_of(running()).st, OK);
}

/* Two that hand the hart to each other are one against their equals: a third has its turn after a slice or two. */
static void who_hand_over_to_each_other_do_not_keep_the_hart(void **)
{
    BEGIN(VX_BAND_NORMAL, VX_BAND_NORMAL, VX_BAND_NORMAL);
    struct wire ask = wire(task[1], task[0]), answer = wire(task[0], task[1]);
    server_waits(ask);
    assert_ptr_equal(runs(), task[1]);
    uint64_t begin = host_cycles;
    while (runs() != task[2] && host_cycles - begin < 10 * (uint64_t)TIME_SLICE_NS) {
        struct wire w = runs() == task[0] ? (struct wire){ answer.tx, ask.rx } : (struct wire){ ask.tx, answer.rx };
        (void)call(NR_ring_call, w.tx, MSG_AT, w.rx, REPLY_AT, VX_FOREVER);
        host_cycles += TIME_SLICE_NS / 16;
        if (host_timer_deadline <= host_cycles)
            (void)host_timer();
    }
    assert_ptr_equal(runs(), task[2]);
    assert_true(host_cycles - begin >= TIME_SLICE_NS / 2 && host_cycles - begin <= 3 * (uint64_t)TIME_SLICE_NS);
}

/* --- interrupt lines --- */

static void a_line_is_bound_once_and_masked_until_waited_for(void **)
{
    BEGIN(VX_BAND_NORMAL);
    vx_handle_t lines = machine_grant_irqs(task[0]);
    vx_handle_t even = (vx_handle_t)call(NR_cap_narrow, lines, VX_R_BIND | VX_R_COPY, 0, 1).first;
    vx_handle_t odd = (vx_handle_t)call(NR_cap_narrow, lines, VX_R_BIND, 1, 1).first;
    vx_handle_t again = (vx_handle_t)call(NR_cap_narrow, even, VX_R_BIND, 0, 1).first;
    assert_int_equal(call(NR_device_bind_irq, lines, BIT).st, ERR_BAD_ARGUMENT); /* eight lines */
    assert_int_equal(call(NR_device_bind_irq, even, VX_IRQ_EDGE_LOW + 1).st, ERR_BAD_ARGUMENT);
    assert_int_equal(call(NR_device_bind_irq, odd, VX_IRQ_EDGE).st, OK);
    assert_int_equal(call(NR_device_bind_irq, even, VX_IRQ_EDGE_LOW).st, OK);
    assert_int_equal(call(NR_device_bind_irq, even, VX_IRQ_LEVEL).st, OK);
    assert_true(machine_irq_edge[MACHINE_IRQ + 1] && !machine_irq_edge[MACHINE_IRQ]);
    assert_int_equal(call(NR_device_bind_irq, even, BIT).st, OK);
    assert_int_equal(call(NR_device_bind_irq, again, BIT).st, ERR_BUSY);
    assert_int_equal(call(NR_device_bind_irq, again, VX_IRQ_EDGE).st, ERR_BUSY);
    assert_int_equal(call(NR_device_bind_irq, odd, BIT + 1).st, OK);
    assert_false(machine_irq_masked[MACHINE_IRQ] || machine_irq_masked[MACHINE_IRQ + 1]);
    (void)host_irq(MACHINE_IRQ);
    (void)host_irq(MACHINE_IRQ + 1);
    assert_true(machine_irq_masked[MACHINE_IRQ]);      /* level: quiet until it was dealt with */
    assert_false(machine_irq_masked[MACHINE_IRQ + 1]); /* edge */
    assert_int_equal(call(NR_signal_wait, 3u << BIT, VX_POLL).first, 3u << BIT);
    (void)call(NR_signal_wait, UINT64_C(1) << BIT, VX_POLL);
    assert_false(machine_irq_masked[MACHINE_IRQ]);
    assert_int_equal(call(NR_device_bind_irq, even, 64).st, OK); /* unbinds */
    assert_true(machine_irq_masked[MACHINE_IRQ]);
    assert_int_equal(call(NR_device_bind_irq, again, BIT).st, OK);
    assert_int_equal(call(NR_cap_drop, again).st, OK); /* so does its end */
    assert_true(machine_irq_masked[MACHINE_IRQ]);
}

/* IRQ_LINE_MAX at its edge: beyond it nothing is bound, and a stray interrupt is masked and harmless. */
static void lines_beyond_the_limit_cannot_be_bound(void **)
{
    BEGIN(VX_BAND_NORMAL);
    struct object *o;
    vx_handle_t beyond = machine_grant_new(task[0], VX_CAP_IRQ, sizeof *o, VX_RIGHTS_ALL, IRQ_LINE_MAX, 1, &o);
    vx_handle_t last = machine_grant_new(task[0], VX_CAP_IRQ, sizeof *o, VX_RIGHTS_ALL, IRQ_LINE_MAX - 1, 1, &o);
    assert_int_equal(call(NR_device_bind_irq, beyond, BIT).st, ERR_NOT_SUPPORTED);
    assert_int_equal(call(NR_device_bind_irq, last, BIT).st, ERR_NOT_SUPPORTED); /* this machine has 64 */
    machine_irq_masked[7] = false;
    assert_int_equal(host_irq(7), HOST_USER); /* nobody asked for it */
    assert_true(machine_irq_masked[7]);
    assert_int_equal(host_irq(IRQ_LINE_MAX + 3), HOST_USER);
}

#define TEST(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_most_urgent_band_runs_however_often_it_yields),
        TEST(one_band_takes_turns),
        TEST(a_thread_that_never_yields_runs_for_a_slice),
        TEST(alone_in_its_band_it_is_not_interrupted),
        TEST(deadlines_fire_in_their_order),
        TEST(a_deadline_of_a_more_urgent_thread_preempts),
        TEST(a_hart_without_a_thread_keeps_one_of_those_that_others_ask_for),
        TEST(a_call_lends_its_band_until_the_server_receives_again),
        TEST(a_hand_over_waits_for_what_is_more_urgent),
        TEST(who_hand_over_to_each_other_do_not_keep_the_hart),
        TEST(a_line_is_bound_once_and_masked_until_waited_for),
        TEST(lines_beyond_the_limit_cannot_be_bound),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
