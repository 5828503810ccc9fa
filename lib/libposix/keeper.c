/* SPDX-License-Identifier: MIT
 * The keeper's loop. It is no thread of the C library's: it has no thread-local storage but the one word by which
 * px_self() knows it, and it is not on the thread list.
 *
 *  1. It blocks all signals for itself and holds no lock while it sleeps.
 *  2. It starts before `aware` is told, and that before the call that wanted it goes on: no signal falls between. */
#define _GNU_SOURCE
#include "keeper.h"
#include "children.h"
#include "landing.h"
#include "process.h"
#include "signal.h"
#include "timers.h"
#include <limits.h>
#include <signal.h>

enum : size_t { STACK_BYTES = 4 * PX_PAGE };

static struct px_thread keeper = { .mask = UINT64_MAX };
static struct px_thread *keeper_self; /* what stands where px_self() looks */
static struct vx_mutex start_lock;
static _Atomic bool runs, wanted;
_Atomic uint32_t px_children_word;

bool px_keeper_runs(void)
{
    return atomic_load_explicit(&runs, memory_order_acquire);
}

void px_keeper_wanted(void)
{
    atomic_store_explicit(&wanted, true, memory_order_relaxed);
}

void px_keeper_settle(void)
{
    if (atomic_load_explicit(&wanted, memory_order_relaxed) && !px_keeper_runs())
        px_keeper_start();
}

bool px_is_keeper(void)
{
    return px_self() == &keeper;
}

void px_keeper_look(void)
{
    (void)vx_sys_signal_post(VX_HANDLE_NONE, UINT64_C(1) << PX_BIT_TIMERS);
}

void px_keeper_take(void)
{
    struct px_note n;
    while (px_proc_take(&n))
        if (n.signal != SIGCHLD || n.code <= 0 || !px_child_stops_unwanted())
            (void)px_signal_process(&n);
}

static int keep(void *unused)
{
    (void)unused;
    constexpr uint64_t mine = UINT64_C(1) << PX_BIT_TIMERS | UINT64_C(1) << PX_BIT_BELL | UINT64_C(1) << PX_BIT_CHILD;
    for (;;) {
        uint64_t bits = 0;
        while (atomic_load_explicit(&px_replaced, memory_order_acquire))
            (void)vx_sys_nanosleep(VX_FOREVER);
        uint64_t timers = px_timers_run(), reach = px_reach_run();
        (void)vx_sys_signal_wait(mine, timers < reach ? timers : reach, &bits);
        if ((bits & UINT64_C(1) << PX_BIT_BELL) != 0)
            px_keeper_take();
        if ((bits & UINT64_C(1) << PX_BIT_CHILD) != 0)
            px_children_look();
        if (bits != 0) {
            atomic_fetch_add_explicit(&px_children_word, 1, memory_order_release);
            (void)vx_sys_futex_wake((uintptr_t)&px_children_word, INT_MAX, 0, 0, nullptr);
        }
    }
    return 0;
}

void px_keeper_start(void)
{
    if (px_keeper_runs())
        return;
    vx_mutex_lock(&start_lock);
    if (!px_keeper_runs()) {
        uint32_t id = 0;
        static uint8_t *stack; /* many processes have no keeper */
        if (stack == nullptr)
            stack = px_pages(STACK_BYTES);
        uintptr_t top = (uintptr_t)stack + STACK_BYTES;
        keeper.function = keep;
        if (stack != nullptr &&
            vx_sys_thread_create((uintptr_t)px_thread_entry, top, (uintptr_t)&keeper,
                                 px_thread_pointer_for(&keeper_self), VX_THREAD_DETACHED, &id) == OK) {
            atomic_store_explicit(&runs, true, memory_order_release);
            /* whoever waits for children waits for the keeper's word from now on; and what was there before it is
             * looked at */
            (void)vx_sys_signal_post(VX_HANDLE_NONE, UINT64_C(1) << PX_BIT_CHILD | UINT64_C(1) << PX_BIT_BELL);
            px_proc_aware();
        }
    }
    vx_mutex_unlock(&start_lock);
}
