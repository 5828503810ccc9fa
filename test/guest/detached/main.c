/* SPDX-License-Identifier: MIT
 * /test/detached [count]: so many threads begin and end with nobody to join them, a few at a time. Each runs, releases
 * its stack by itself, and in the end nothing is missing. A program of its own, as a million take minutes. */
// guest: smp 1 4 within 400 args 10000
// stress: smp 1 within 1800 args 1000000
#define CHECK_DEFINE
#include <test/guest/common/play.h>

enum : uint32_t { AT_ONCE = 16, STACK_BYTES = 4096, COUNT = 10000 };

static _Atomic uint64_t n_ran, sum;

static uint32_t run(void *argument)
{
    atomic_fetch_add_explicit(&sum, (uintptr_t)argument, memory_order_relaxed);
    /* release: pairs with the acquire of ran() */
    atomic_fetch_add_explicit(&n_ran, 1, memory_order_release);
    return 0;
}

static struct vx_task_info info(void)
{
    struct vx_task_info i = {};
    (void)SYS(task_control, 0, VX_TASK_INFO, P(&i), sizeof i);
    return i;
}

/* Whether `count` have run, and all of them have ended. */
static bool ran(uint64_t count)
{
    for (uint64_t deadline = play_soon(); vx_clock_monotonic_ns() < deadline;) {
        if (atomic_load_explicit(&n_ran, memory_order_acquire) == count && info().threads == 1)
            return true;
        (void)SYS(yield);
    }
    return false;
}

/* Starts threads first+1 ... last; whether all of them ran and ended. */
static bool start(uint64_t first, uint64_t last)
{
    for (uint64_t i = first + 1; i <= last; i++) {
        status_t st = vx_thread_start_detached(run, (void *)i, STACK_BYTES);
        if (st != OK) {
            vx_printf("#   thread %llu: %s\n", (unsigned long long)i, vx_status_name(st));
            return false;
        }
        if (i % AT_ONCE == 0 && !ran(i))
            return false;
    }
    return ran(last);
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 ? check_argument(argc, argv, 1) : COUNT;
    bool good = start(0, AT_ONCE); /* what is charged once is charged now */
    struct check_accounts before = check_accounts();
    uint64_t began = vx_clock_monotonic_ns();
    good = good && count > AT_ONCE && start(AT_ONCE, count);
    vx_printf("# %llu threads ran, %llu ms\n", (unsigned long long)n_ran,
              (unsigned long long)((vx_clock_monotonic_ns() - began) / VX_NS_PER_MS));
    CHECK("detached threads without number all run and end", good);
    CHECK("each of them once", sum == count * (count + 1) / 2);
    check_no_leak("their stacks were released to the last byte", before);
    return check_done();
}
