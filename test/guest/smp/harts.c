/* SPDX-License-Identifier: MIT
 * Harts that really run at once, the time that is charged, bands across harts, futexes between Tasks. */
#include "smp.h"

enum : uint32_t { RUNNERS_MAX = 8, TURNS = 5000 };

/* --- a circle of threads that pass a turn on without ever entering the kernel --- */

static struct {
    _Atomic uint32_t turn, stop;
    uint32_t n;
} circle;

static uint32_t take_turns(void *argument)
{
    uint32_t me = (uint32_t)(uintptr_t)argument;
    while (atomic_load_explicit(&circle.stop, memory_order_relaxed) == 0) {
        if (atomic_load_explicit(&circle.turn, memory_order_acquire) % circle.n == me)
            atomic_fetch_add_explicit(&circle.turn, 1, memory_order_release);
        vx_relax();
    }
    return 0;
}

/* Turns that `n` threads took until `enough` or the deadline. */
static uint32_t turns_of(uint32_t n, uint32_t enough, uint64_t deadline)
{
    struct vx_thread thread[RUNNERS_MAX];
    circle.n = n;
    atomic_store_explicit(&circle.turn, 0, memory_order_relaxed);
    atomic_store_explicit(&circle.stop, 0, memory_order_relaxed);
    for (uintptr_t i = 0; i < n; i++)
        if (vx_thread_create(&thread[i], take_turns, (void *)i, 8192) != OK)
            return 0;
    while (atomic_load_explicit(&circle.turn, memory_order_relaxed) < enough && vx_clock_monotonic_ns() < deadline)
        play_nap(5 * VX_NS_PER_MS);
    uint32_t turns = atomic_load_explicit(&circle.turn, memory_order_relaxed);
    atomic_store_explicit(&circle.stop, 1, memory_order_relaxed);
    for (uint32_t i = 0; i < n; i++)
        if (!play_join(&thread[i], nullptr))
            return 0;
    return turns;
}

void test_harts(void)
{
    uint32_t harts = play_harts();
    if (harts == 1) { /* by turns of a slice each */
        CHECK("two threads that never enter the kernel both get on", turns_of(2, 4, play_soon()) >= 4);
        return;
    }
    /* One hart could pass a turn on once a slice: 2,000 times until the deadline. */
    static const uint64_t span = 20 * VX_NS_PER_S;
    static_assert(TURNS > 2 * 20 * VX_NS_PER_S / TIME_SLICE_NS);
    uint32_t two = turns_of(2, TURNS, vx_deadline_in(span));
    if (!CHECK("two threads run at the same time", two >= TURNS))
        vx_printf("#   %u turns\n", two);
    uint32_t n = harts < RUNNERS_MAX ? harts : RUNNERS_MAX, all = turns_of(n, TURNS, vx_deadline_in(span));
    if (!CHECK("as many threads as harts run at the same time", all >= TURNS))
        vx_printf("#   %u threads, %u turns\n", n, all);
}

/* --- accounting --- */

static _Atomic uint32_t spin_stop;

static uint32_t spin_and_tell(void *argument)
{
    while (atomic_load_explicit(&spin_stop, memory_order_relaxed) == 0)
        vx_relax();
    *(uint64_t *)argument = SYS(clock_get_time, VX_CLOCK_THREAD_CPU).value;
    return 0;
}

void test_accounting(void)
{
    enum : uint32_t { SPINNERS = 5 };
    struct vx_thread thread[SPINNERS];
    uint64_t used[SPINNERS] = {}, sum = 0, begin = vx_clock_monotonic_ns();
    uint64_t task = SYS(clock_get_time, VX_CLOCK_TASK_CPU).value;
    atomic_store_explicit(&spin_stop, 0, memory_order_relaxed);
    bool good = true;
    for (uint32_t i = 0; i < SPINNERS; i++)
        good &= vx_thread_create(&thread[i], spin_and_tell, &used[i], 8192) == OK;
    play_nap(200 * VX_NS_PER_MS);
    atomic_store_explicit(&spin_stop, 1, memory_order_relaxed);
    for (uint32_t i = 0; i < SPINNERS; i++) {
        good &= play_join(&thread[i], nullptr) && used[i] > 0;
        sum += used[i];
    }
    task = SYS(clock_get_time, VX_CLOCK_TASK_CPU).value - task;
    uint64_t span = vx_clock_monotonic_ns() - begin;
    bool sums = good && task + VX_NS_PER_MS >= sum && task < sum + sum / 4 + 20 * VX_NS_PER_MS;
    bool bounded = task <= span * play_harts() + VX_NS_PER_MS;
    if (!CHECK("the time of a Task is that of its threads", sums) || !CHECK("and no more than its harts had", bounded))
        vx_printf("#   Task %llu ns, threads %llu ns, span %llu ns\n", (unsigned long long)task,
                  (unsigned long long)sum, (unsigned long long)span);
}

/* --- bands: what is woken and more urgent runs before the slice of anybody is over --- */

enum : uint32_t { WAKES = 31 };

static struct {
    _Atomic uint32_t word, stop;
    _Atomic uint64_t woken_at;
} alarm;

static uint32_t wake_from_below(void *argument)
{
    (void)SYS(task_control, 0, VX_TASK_THREAD_BAND, VX_BAND_BATCH);
    for (uint32_t i = 0; atomic_load_explicit(&alarm.stop, memory_order_relaxed) == 0; i++) {
        vx_relax();
        if (argument != nullptr && i % 4096 == 0 && atomic_load_explicit(&alarm.word, memory_order_acquire) == 1) {
            atomic_store_explicit(&alarm.woken_at, vx_clock_monotonic_ns(), memory_order_relaxed);
            atomic_store_explicit(&alarm.word, 0, memory_order_release);
            (void)SYS(futex_wake, P(&alarm.word), 1, 0, 0);
        }
    }
    return 0;
}

void test_bands(void)
{
    static char yes;
    struct vx_thread thread[RUNNERS_MAX + 1];
    uint32_t harts = play_harts(), n = (harts < RUNNERS_MAX ? harts : RUNNERS_MAX) + 1, in_time = 0;
    atomic_store_explicit(&alarm.stop, 0, memory_order_relaxed);
    bool good = true;
    for (uint32_t i = 0; i < n; i++) /* more that spin than there are harts */
        good &= vx_thread_create(&thread[i], wake_from_below, i == 0 ? &yes : nullptr, 8192) == OK;
    for (uint32_t i = 0; good && i < WAKES; i++) {
        atomic_store_explicit(&alarm.word, 1, memory_order_release);
        status_t st = STATUS(futex_wait, P(&alarm.word), 1, play_soon());
        uint64_t late = vx_clock_monotonic_ns() - atomic_load_explicit(&alarm.woken_at, memory_order_relaxed);
        good = st == OK || st == ERR_WOULD_BLOCK;
        in_time += late < TIME_SLICE_NS / 10; /* who waits for the end of a slice is as early one time in ten */
    }
    atomic_store_explicit(&alarm.stop, 1, memory_order_relaxed);
    for (uint32_t i = 0; i < n; i++)
        good &= play_join(&thread[i], nullptr);
    CHECK("a more urgent thread that is woken does not wait for the end of a slice", good && in_time > WAKES / 4);
}

/* --- futexes between Tasks --- */

struct echo_page {
    _Atomic uint32_t ask, answer;
};

static bool wait_change(_Atomic uint32_t *word, uint32_t old)
{
    for (;;) {
        if (atomic_load_explicit(word, memory_order_acquire) != old)
            return true;
        status_t st = STATUS(futex_wait, P(word), old, play_soon());
        if (st != OK && st != ERR_WOULD_BLOCK)
            return false;
    }
}

enum : uint32_t { ECHOES = 500 };

int part_echo(void)
{
    struct echo_page *e = play_shared("page", 4096);
    for (uint32_t i = 0; e != nullptr && i < ECHOES; i++) {
        if (!wait_change(&e->ask, i))
            return 1;
        atomic_store_explicit(&e->answer, i + 1, memory_order_release);
        (void)SYS(futex_wake, P(&e->answer), 1, 0, 0);
    }
    return e == nullptr ? 2 : 0;
}

void test_futex(vx_mem image)
{
    struct play_memory shared = play_share(4096);
    struct echo_page *e = shared.at;
    struct vx_spawn s;
    const char *argv[] = { "/test/smp", "echo" };
    play_begin(&s, image, 2, argv, 256 << 10);
    vx_spec_copy(&s.spec, "page", shared.mem, PLAY_SHARED);
    vx_handle_t task = play_start(&s);
    uint32_t i = 0;
    for (; task != 0 && i < ECHOES; i++) {
        atomic_store_explicit(&e->ask, i + 1, memory_order_release);
        (void)SYS(futex_wake, P(&e->ask), 1, 0, 0);
        if (!wait_change(&e->answer, i))
            break;
    }
    struct play_ending end = play_await(task, play_soon());
    CHECK("500 times there and back by futexes between two Tasks",
          i == ECHOES && end.ended && end.cause == VX_CAUSE_EXIT && end.status == 0);
    (void)SYS(mem_free, shared.mem, 0, 0);
}
