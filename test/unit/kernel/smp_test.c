/* SPDX-License-Identifier: MIT
 * The kernel on several harts at once under the thread sanitizer: a data race in it, or in the hand-over of a thread or
 * of a frame from one hart to another, is a report. smp_address_test.c is the same under the other sanitizers. */
// sources: kernel/gate.c kernel/harts.c kernel/lock.c kernel/lock_check.c kernel/vm_unmap.c kernel/ram.c
// sources: kernel/bundle.c kernel/cap.c kernel/entropy.c kernel/irq.c kernel/mem.c kernel/object.c kernel/pt.c
// sources: kernel/reticle.c kernel/reticle_check.c kernel/ring.c kernel/sched.c kernel/signal.c kernel/spawn.c
// sources: kernel/sync.c kernel/sys_cap.c kernel/sys_mem.c kernel/sys_ring.c kernel/sys_task.c kernel/syscall.c
// sources: kernel/task.c kernel/task_control.c kernel/thread.c kernel/vm.c kernel/vm_fault.c kernel/wallclock.c
// sources: kernel/firmware/elf.c base/tree.c kernel/format.c
// sources: kernel/arch/host/cpu.c kernel/arch/host/mmu.c kernel/arch/host/ram.c
// flags: -DHOST_SMP -DVECTRA_DEBUG
// sanitize: thread
// mutations: -DMUTATE_LOCK_NONE=LOCK_RING
// libs: -lpthread
#include "smp_storm.h"

#define TEST(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(semaphores_lose_no_wake_up),
        TEST(signals_lose_no_wake_up),
        TEST(rings_lose_no_wake_up),
        TEST(calls_and_answers_lose_no_wake_up),
        TEST(a_hart_that_goes_idle_looks_once_more),
        TEST(futexes_lose_no_wake_up),
        TEST(a_deadline_passes_wherever_a_waiter_was_moved),
        TEST(what_is_given_is_taken_once_whatever_the_deadlines),
        TEST(what_runs_elsewhere_is_stopped_and_ended),
        TEST(no_hart_uses_what_another_took_away),
        TEST(everything_at_once),
    };
    cmocka_set_test_filter(getenv("SMP_ONLY"));
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
