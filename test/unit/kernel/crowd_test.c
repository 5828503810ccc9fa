/* SPDX-License-Identifier: MIT
 * Crowds: whoever wakes many threads lets at most WAKES_AT_ONCE of them go at a stretch, and forgets none, also when it
 * ends on the way or its registers are written. On the host architecture, one hart. */
// sources: kernel/gate.c kernel/harts.c kernel/lock.c kernel/vm_unmap.c kernel/ram.c
// sources: kernel/bundle.c kernel/cap.c kernel/entropy.c kernel/irq.c kernel/mem.c kernel/object.c kernel/pt.c
// sources: kernel/reticle.c kernel/reticle_check.c kernel/ring.c kernel/sched.c kernel/signal.c kernel/spawn.c
// sources: kernel/sync.c kernel/sys_cap.c kernel/sys_mem.c kernel/sys_ring.c kernel/sys_task.c kernel/syscall.c
// sources: kernel/task.c kernel/task_control.c kernel/thread.c kernel/vm.c kernel/vm_fault.c kernel/wallclock.c
// sources: kernel/firmware/elf.c base/tree.c kernel/format.c
// sources: kernel/arch/host/cpu.c kernel/arch/host/mmu.c kernel/arch/host/ram.c
// flags: -fno-sanitize=function
// mutations: -DMUTATE_HOST_LATE_ARM
#include "cmocka_kassert.h"
#define MACHINE_ONE_STEP
#include "machine.h"

enum { CROWD = 150, BIT = 5 };
#define WORD USER_BASE
#define OTHER_WORD (USER_BASE + 64)

static struct task *crowd, *caller; /* the caller's thread is more urgent: it runs whenever it can */
static vx_handle_t crowd_sem, caller_sem;
static struct sem *sem;

static struct thread *first_of(const struct task *t)
{
    return container_of(t->threads.first, struct thread, by_id);
}

/* How many of the crowd are on their way. */
static uint32_t awake(void)
{
    uint32_t n = 0;
    for (struct tree_node *node = crowd->threads.first; node != nullptr; node = tree_next(node)) {
        thread_state_t state = container_of(node, struct thread, by_id)->state;
        n += state == THREAD_READY || state == THREAD_RUNNING;
    }
    return n;
}

static void begin(void)
{
    static bool booted;
    vx_handle_t reticle;
    struct object *o;
    if (!booted)
        machine_boot();
    booted = true;
    host_idle_skips_time = false;
    host_timer_deadline = UINT64_MAX;
    crowd = machine_task(9, VX_BAND_NORMAL, nullptr, &reticle);
    caller = machine_task(7, VX_BAND_SERVICE, nullptr, &reticle);
    for (int i = 1; i < CROWD; i++) {
        struct thread *t;
        machine_must(
            thread_create(crowd, (uaddr_t){ 0x400000 }, (uaddr_t){ USER_BASE + USER_BYTES }, 0, 0, false, &t) == OK);
        thread_start(t);
    }
    crowd_sem = machine_grant_new(crowd, VX_CAP_SEM, sizeof(struct sem), VX_RIGHTS_ALL, 0, 0, &o);
    sem = sem_of(o);
    waitq_init(&sem->waiters);
    list_init(&sem->binding.node);
    caller_sem = machine_grant(caller, o, VX_CAP_SEM, VX_RIGHTS_ALL);
    assert_int_equal(machine_run(), HOST_USER);
    assert_ptr_equal(running()->task, caller);
    (void)call(NR_signal_wait, 1u << BIT, VX_FOREVER);
}

static int end(void **)
{
    machine_end_all();
    machine_check();
    host_timer_deadline = UINT64_MAX;
    assert_int_equal(machine_run(), HOST_IDLE);
    return 0;
}

/* The caller goes on, alone with a crowd that waits. */
static void wake_caller(void)
{
    assert_int_equal(awake(), 0);
    signal_post(caller, 1u << BIT);
    assert_int_equal(machine_run(), HOST_USER);
    assert_ptr_equal(running()->task, caller);
}

#define EACH(...)                                                                                                      \
    for (uint32_t i_ = awake(); i_ > 0; i_--) {                                                                        \
        assert_ptr_equal(running()->task, crowd);                                                                      \
        (void)call(__VA_ARGS__);                                                                                       \
    }

/* Steps of the caller's call until it is over, of which the first is done and `before` were awake before it; between
 * two of them no more wake up than may. */
static uint32_t in_steps(uint32_t before)
{
    const struct thread *t = first_of(caller);
    uint32_t steps = 1;
    for (; t->progress != 0; steps++) {
        assert_true(awake() <= before + WAKES_AT_ONCE);
        before = awake();
        assert_int_equal(host_syscall_again(), HOST_USER);
        assert_ptr_equal(running(), t);
    }
    assert_true(awake() <= before + WAKES_AT_ONCE);
    return steps;
}

/* All of the crowd wait for one word, and the caller plays one of its threads: the word is the crowd's. */
static void begin_with_futex(void)
{
    begin();
    EACH(NR_futex_wait, WORD, 0, VX_FOREVER);
    wake_caller();
    running()->task = crowd;
}

static void a_futex_wakes_a_crowd_in_steps(void **)
{
    begin_with_futex();
    (void)call(NR_futex_wake, WORD, UINT32_MAX);
    assert_int_equal(awake(), WAKES_AT_ONCE);
    assert_int_equal(in_steps(0), CROWD / WAKES_AT_ONCE + 1);
    assert_int_equal(results_of(running()).first, CROWD);
    assert_int_equal(awake(), CROWD);
    running()->task = caller;
}

/* The first count of them, and who comes back on the way is not woken again. */
static void who_comes_back_meanwhile_is_not_met_again(void **)
{
    begin_with_futex();
    struct thread *self = running();
    (void)call(NR_futex_wake, WORD, UINT32_MAX);
    sched_set_band(self, VX_BAND_BATCH); /* those that are woken run first, between any two steps */
    self->band = VX_BAND_BATCH;
    uint32_t steps = 1;
    for (; self->progress != 0 && steps < CROWD; steps++) {
        assert_int_equal(machine_run(), HOST_USER);
        while (running() != self)
            (void)call(NR_futex_wait, WORD, 0, VX_FOREVER);
        (void)host_syscall_again();
    }
    assert_int_equal(steps, CROWD / WAKES_AT_ONCE + 1);
    self->task = caller;
}

static void a_count_is_kept_over_the_steps(void **)
{
    begin_with_futex();
    (void)call(NR_futex_wake, WORD, 2 * WAKES_AT_ONCE + 3);
    assert_int_equal(in_steps(0), 3);
    assert_int_equal(awake(), 2 * WAKES_AT_ONCE + 3);
    assert_int_equal(results_of(running()).first, 2 * WAKES_AT_ONCE + 3);
    running()->task = caller;
}

/* One is woken, the others wait for another word; all of them. */
static void a_crowd_is_moved_in_steps(void **)
{
    begin_with_futex();
    (void)call(NR_futex_wake, WORD, 1, VX_FUTEX_REQUEUE, OTHER_WORD);
    assert_true(in_steps(0) > CROWD / WAKES_AT_ONCE);
    assert_int_equal(results_of(running()).first, 1);
    assert_int_equal(awake(), 1);
    assert_int_equal(call(NR_futex_wake, WORD, 1).first, 0);
    (void)call(NR_futex_wake, OTHER_WORD, UINT32_MAX);
    (void)in_steps(1);
    assert_int_equal(awake(), CROWD);
    running()->task = caller;
}

/* Whoever has got hold of the hart, step by step: the graveyard goes on between two calls. */
static void until_nothing_is_left(void)
{
    while (!list_is_empty(&graves.objects)) {
        uint32_t before = awake();
        work_begin();
        machine_hart.alone = true;
        (void)object_reap();
        machine_hart.alone = false;
        assert_true(awake() <= before + WAKES_AT_ONCE);
    }
}

static void a_semaphore_lets_a_crowd_go_in_steps(void **)
{
    begin();
    EACH(NR_sem_wait, crowd_sem, 1, VX_FOREVER);
    wake_caller();
    host_stop_t stop = host_syscall(NR_sem_signal, (const uint64_t[6]){ caller_sem, CROWD + 7 });
    assert_int_equal(stop, HOST_USER);
    until_nothing_is_left();
    assert_int_equal(awake(), CROWD);
    assert_int_equal(sem->count, 7);
    assert_int_equal(sem->obj.dying, 0);
}

/* Y1: the caller ends with its Task while some wait for what there is already. */
static void what_a_semaphore_was_given_outlives_the_giver(void **)
{
    begin();
    EACH(NR_sem_wait, crowd_sem, 1, VX_FOREVER);
    wake_caller();
    machine_hart.alone = true;
    (void)sys_sem_signal(caller_sem, CROWD);
    machine_hart.alone = false;
    assert_int_equal(awake(), 0 + WAKES_AT_ONCE);
    assert_true(sem->obj.dying == END_CROWD);
    (void)call(NR_task_exit, 0);
    until_nothing_is_left();
    assert_int_equal(awake(), CROWD);
    assert_int_equal(sem->count, 0);
}

/* Some want more than there is, and keep nobody up. */
static void those_who_want_more_wait_on(void **)
{
    begin();
    uint32_t i = 0;
    EACH(NR_sem_wait, crowd_sem, i++ % 2 == 0 ? 1 : 1000, VX_FOREVER);
    wake_caller();
    (void)host_syscall(NR_sem_signal, (const uint64_t[6]){ caller_sem, CROWD });
    until_nothing_is_left();
    assert_int_equal(awake(), CROWD / 2);
    assert_int_equal(sem->count, CROWD - CROWD / 2);
}

/* A signal is for one thread. */
static void a_signal_wakes_one_for_each_bit(void **)
{
    begin();
    uint32_t i = 0;
    EACH(NR_signal_wait, UINT64_C(1) << (i++ % 3), VX_FOREVER);
    signal_post(crowd, 3);
    assert_int_equal(awake(), 2);
    signal_post(crowd, 4); /* and perhaps another for each that is pending */
    assert_true(awake() > 2 && awake() <= 5);
}

/* G1: who was on its way to a bit is made to do something else. */
static void a_signal_that_its_thread_did_not_take_is_passed_on(void **)
{
    begin();
    EACH(NR_signal_wait, 1, VX_FOREVER);
    wake_caller();
    vx_handle_t it = machine_grant(caller, &crowd->obj, VX_CAP_TASK, VX_RIGHTS_ALL);
    signal_post(crowd, 1);
    const struct thread *first = first_of(crowd);
    assert_int_equal(first->state, THREAD_READY);
    assert_int_equal(call(NR_task_control, it, VX_TASK_STOP).st, OK);
    assert_int_equal(call(NR_task_control, it, VX_TASK_READ_FRAME, first->id, USER_BASE).st, OK);
    assert_int_equal(call(NR_task_control, it, VX_TASK_WRITE_FRAME, first->id, USER_BASE).st, OK);
    assert_int_equal(call(NR_task_control, it, VX_TASK_RESUME).st, OK);
    assert_int_equal(awake(), 2); /* it, somewhere else, and the next */
    (void)call(NR_signal_wait, 1u << BIT, VX_FOREVER);
    while (running() == first)
        (void)call(NR_nanosleep, VX_FOREVER);
    assert_int_equal(crowd->signals, 0);
    assert_int_equal(running()->frame.r[0], 1);
}

/* Bit 63 together with others that would make an error of it stays for the next: also if that is somebody else. */
static void a_bit_that_is_told_later_is_passed_on(void **)
{
    begin();
    (void)call(NR_signal_wait, UINT64_MAX, VX_FOREVER);
    EACH(NR_signal_wait, UINT64_C(1) << 63, VX_FOREVER);
    signal_post(crowd, UINT64_MAX);
    while (awake() != 0) {
        if (!machine_hart.current)
            assert_int_equal(machine_run(), HOST_USER);
        (void)call(NR_nanosleep, VX_FOREVER);
    }
    assert_int_equal(crowd->signals, 0);
}

static void deadlines_of_a_crowd_pass_in_steps(void **)
{
    begin();
    uint64_t at = host_cycles + 1000000000;
    EACH(NR_nanosleep, at);
    uint32_t before = 0, fired = 0;
    for (host_cycles = at + 1; awake() != CROWD && fired < CROWD; fired++) {
        assert_true(host_timer_deadline <= host_cycles); /* it is not forgotten that some are due */
        (void)host_timer();
        assert_true(awake() > before && awake() <= before + WAKES_AT_ONCE);
        before = awake();
    }
    assert_int_equal(fired, CROWD / WAKES_AT_ONCE + 1);
}

/* What other harts sent is put on the queue in steps, in its order. */
static void mail_is_opened_in_steps(void **)
{
    static struct hart other;
    begin();
    EACH(NR_sem_wait, crowd_sem, 1, VX_FOREVER);
    other = (struct hart){ .id = 1 };
    harts[1] = host_hart = &other;
    sched_init();
    n_harts = 2;
    for (struct thread *t; (t = waitq_first(&sem->waiters)) != nullptr;) {
        thread_complete(t, 0, 0);
        thread_wake(t);
    }
    host_hart = &machine_hart;
    n_harts = 1;
    assert_int_equal(machine_hart.sched.mask, 0);
    uint32_t before = 0, seen = 0;
    for (uint32_t fired = 0; fired <= CROWD / WAKES_AT_ONCE; fired++) {
        (void)(fired == 0 ? machine_run() : host_timer());
        seen = 0; /* on a queue, or running */
        for (struct tree_node *node = crowd->threads.first; node != nullptr; node = tree_next(node))
            seen += !container_of(node, struct thread, by_id)->in_inbox;
        assert_true(seen > before && seen <= before + WAKES_AT_ONCE);
        before = seen;
    }
    assert_int_equal(seen, CROWD);
    assert_null(machine_hart.sched.mail);
}

/* A thread that is ended while it lies in the mail. */
static void who_ends_in_the_mail_is_found_there(void **)
{
    mail_is_opened_in_steps(nullptr);
    for (int i = 0; i < CROWD; i++)
        (void)call(NR_sem_wait, crowd_sem, 1, VX_FOREVER);
    host_hart = harts[1];
    n_harts = 2;
    for (struct thread *t; (t = waitq_first(&sem->waiters)) != nullptr;) {
        thread_complete(t, 0, 0);
        thread_wake(t);
    }
    host_hart = &machine_hart;
    n_harts = 1;
    (void)machine_run();
    assert_non_null(machine_hart.sched.mail);
    task_kill(crowd, 0, VX_CAUSE_DESTROYED);
    object_reap_all();
    assert_null(machine_hart.sched.mail);
    assert_null(crowd->threads.first);
}

static void all_who_wait_for_a_task_are_told(void **)
{
    begin();
    vx_handle_t reticle;
    struct task *victim = machine_task(7, VX_BAND_IDLE, nullptr, &reticle);
    vx_handle_t h = machine_grant(crowd, &victim->obj, VX_CAP_TASK, VX_RIGHTS_ALL);
    EACH(NR_waitpid, h, 0);
    task_kill(victim, 3, VX_CAUSE_EXIT);
    uint32_t steps = 0;
    for (uint32_t before = 0; !list_is_empty(&graves.objects); steps++) {
        work_begin();
        (void)object_reap();
        assert_true(awake() <= before + WORK_STEP / 2 + 1);
        before = awake();
    }
    assert_true(steps > 3);
    assert_int_equal(awake(), CROWD);
}

#define TEST(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_futex_wakes_a_crowd_in_steps),
        TEST(who_comes_back_meanwhile_is_not_met_again),
        TEST(a_count_is_kept_over_the_steps),
        TEST(a_crowd_is_moved_in_steps),
        TEST(a_semaphore_lets_a_crowd_go_in_steps),
        TEST(what_a_semaphore_was_given_outlives_the_giver),
        TEST(those_who_want_more_wait_on),
        TEST(a_signal_wakes_one_for_each_bit),
        TEST(a_signal_that_its_thread_did_not_take_is_passed_on),
        TEST(a_bit_that_is_told_later_is_passed_on),
        TEST(deadlines_of_a_crowd_pass_in_steps),
        TEST(mail_is_opened_in_steps),
        TEST(who_ends_in_the_mail_is_found_there),
        TEST(all_who_wait_for_a_task_are_told),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
