/* SPDX-License-Identifier: MIT
 * Storms of births and ends: Tasks that exit, fault, sleep and spin, ended at any moment; threads that nobody joins and
 * that give their own stacks back. */
#include "stress.h"

enum : uint32_t { TASKS = 6, THREADS = 32 };
static const char *const roles[] = { "leaf-exit", "leaf-fault", "leaf-sleep", "leaf-spin", "leaf-threads" };

/* Whatever its role wanted: who was told to end has ended, for one of two reasons; or, if it starts threads faster than
 * they end, because nothing was left when one of them touched its stack. */
static bool ended_as(struct storm *s, unsigned role, struct play_ending e, bool told)
{
    bool good = e.ended &&
                ((told && e.cause == VX_CAUSE_DESTROYED) || (role == 0 && e.cause == VX_CAUSE_EXIT && e.status == 42) ||
                 (role == 1 && e.cause == VX_CAUSE_PAGE_FAULT) || (role == 4 && e.cause == VX_CAUSE_NO_MEMORY));
    return good || storm_fail(s, "a Task ended otherwise than it should", role * 10000 + e.cause * 100 + e.ended);
}

bool storm_spawn(struct storm *s)
{
    do {
        vx_handle_t task[TASKS];
        unsigned role[TASKS];
        for (unsigned i = 0; i < TASKS; i++) {
            role[i] = play_below(&s->random, 5);
            if ((task[i] = storm_part(s, roles[role[i]], 256 << 10)) == 0)
                return false;
        }
        if (play_below(&s->random, 2) != 0)
            play_nap(play_below(&s->random, 3000) * VX_NS_PER_US);
        for (unsigned i = 0; i < TASKS; i++) {
            bool told = role[i] >= 2 || play_below(&s->random, 3) == 0;
            if (told && STATUS(destroy, task[i]) != OK)
                return storm_fail(s, "DESTROY failed", role[i]);
            if (!ended_as(s, role[i], play_await(task[i], play_soon()), told))
                return false;
        }
    } while (storm_again(s));
    return true;
}

static _Atomic uint32_t finished;

static uint32_t count_and_end(void *argument)
{
    volatile uint8_t room[2048];
    room[(uintptr_t)argument % sizeof room] = 1; /* touches a page of the stack that is not there yet */
    atomic_fetch_add_explicit(&finished, room[(uintptr_t)argument % sizeof room], memory_order_relaxed);
    return 0;
}

bool storm_threads(struct storm *s)
{
    do {
        atomic_store_explicit(&finished, 0, memory_order_relaxed);
        for (uintptr_t i = 0; i < THREADS; i++) {
            status_t st = vx_thread_start_detached(count_and_end, (void *)(i * 61), 8192);
            if (st != OK)
                return storm_fail(s, "a thread could not be started", (uint64_t)-(int)st);
        }
        struct vx_task_info info = {};
        uint64_t deadline = play_soon();
        do {
            (void)SYS(yield);
            (void)SYS(task_control, 0, VX_TASK_INFO, P(&info), sizeof info);
        } while (info.threads > 1 && vx_clock_monotonic_ns() < deadline);
        uint32_t n = atomic_load_explicit(&finished, memory_order_relaxed);
        if (info.threads != 1 || n != THREADS)
            return storm_fail(s, "detached threads did not all run and end", info.threads * UINT64_C(1000) + n);
    } while (storm_again(s));
    return true;
}

/* --- what the Tasks of storm_spawn do --- */

static uint32_t spin(void *)
{
    for (;;)
        vx_relax();
}

int leaf_exit(void)
{
    return 42;
}

int leaf_fault(void)
{
    *(volatile uint32_t *)(uintptr_t)16 = 1;
    return 1;
}

int leaf_sleep(void)
{
    for (;;)
        (void)SYS(signal_wait, 1, VX_FOREVER);
}

int leaf_spin(void)
{
    return (int)spin(nullptr);
}

int leaf_threads(void)
{
    struct vx_thread t;
    for (unsigned i = 0; i < 3; i++)
        (void)!(vx_thread_create(&t, spin, nullptr, 4096) == OK);
    for (unsigned i = 0; i < 100; i++)
        (void)!(vx_thread_start_detached(count_and_end, nullptr, 4096) == OK);
    return leaf_sleep();
}
