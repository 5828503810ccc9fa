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

static struct {
    _Atomic uint64_t used[RUNNERS_MAX];
    _Atomic uint32_t stop;
} gang;

static uint32_t run_and_tell(void *argument)
{
    _Atomic uint64_t *used = argument;
    while (atomic_load_explicit(&gang.stop, memory_order_relaxed) == 0) {
        for (uint32_t i = 0; i < 1000; i++)
            vx_relax();
        atomic_store_explicit(used, SYS(clock_get_time, VX_CLOCK_THREAD_CPU).value, memory_order_relaxed);
    }
    return 0;
}

static uint64_t gang_used(uint32_t n)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += atomic_load_explicit(&gang.used[i], memory_order_relaxed);
    return sum;
}

/* Whether n threads have harts of their own, by the time that they are charged: it does not matter for that whether the
 * machine below gives those harts processors. */
static bool together(uint32_t n)
{
    struct vx_thread thread[RUNNERS_MAX];
    memset(&gang, 0, sizeof gang);
    bool good = true, all = false;
    for (uint32_t i = 0; i < n; i++)
        good &= vx_thread_create(&thread[i], run_and_tell, &gang.used[i], 8192) == OK;
    for (uint64_t deadline = play_soon(); good && !all && vx_clock_monotonic_ns() < deadline;) {
        uint64_t begin = vx_clock_monotonic_ns(), used = gang_used(n);
        play_nap(300 * VX_NS_PER_MS);
        used = gang_used(n) - used;
        all = used > (vx_clock_monotonic_ns() - begin) * (2 * n - 1) / 2; /* more than one less could have had */
    }
    atomic_store_explicit(&gang.stop, 1, memory_order_relaxed);
    for (uint32_t i = 0; i < n; i++)
        good &= play_join(&thread[i], nullptr);
    return good && all;
}

void test_harts(vx_mem)
{
    uint32_t harts = play_harts();
    if (harts == 1) { /* by turns of a slice each */
        CHECK("two threads that never enter the kernel both get on", turns_of(2, 4, play_soon()) >= 4);
        return;
    }
    /* One hart could pass a turn on once a slice: 2,000 times until the deadline. Where the machine below seldom runs
     * both harts at once, the time that they are charged tells instead. */
    static const uint64_t span = 20 * VX_NS_PER_S;
    static_assert(TURNS > 2 * 20 * VX_NS_PER_S / TIME_SLICE_NS);
    uint32_t two = turns_of(2, TURNS, vx_deadline_in(span));
    if (!CHECK("two threads run at the same time", two >= TURNS || together(2)))
        vx_printf("#   %u turns\n", two);
    uint32_t n = harts < RUNNERS_MAX ? harts : RUNNERS_MAX;
    if (!CHECK("as many threads as harts run at the same time", together(n)))
        vx_printf("#   %u threads\n", n);
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

enum : uint32_t { SPINNERS = 5, TRIES = 10 };

struct account {
    uint64_t task, threads, span;
};

static bool account(struct account *a)
{
    struct vx_thread thread[SPINNERS];
    uint64_t used[SPINNERS] = {}, begin = vx_clock_monotonic_ns();
    uint64_t task = SYS(clock_get_time, VX_CLOCK_TASK_CPU).value;
    atomic_store_explicit(&spin_stop, 0, memory_order_relaxed);
    bool good = true;
    for (uint32_t i = 0; i < SPINNERS; i++)
        good &= vx_thread_create(&thread[i], spin_and_tell, &used[i], 8192) == OK;
    play_nap(200 * VX_NS_PER_MS);
    atomic_store_explicit(&spin_stop, 1, memory_order_relaxed);
    *a = (struct account){};
    for (uint32_t i = 0; i < SPINNERS; i++) {
        good &= play_join(&thread[i], nullptr) && used[i] > 0;
        a->threads += used[i];
    }
    a->task = SYS(clock_get_time, VX_CLOCK_TASK_CPU).value - task;
    a->span = vx_clock_monotonic_ns() - begin;
    return good;
}

/* A thread that the machine below stops between its last look and its end is charged for what it did not tell: that
 * the sum is not too large is tried some times. That it is not too small, and no more than there was, holds always. */
void test_accounting(vx_mem)
{
    struct account a;
    bool sums = true, bounded = true, near = false;
    for (uint32_t i = 0; i < TRIES && sums && bounded && !near; i++) {
        sums = account(&a) && a.task + VX_NS_PER_MS >= a.threads;
        bounded = a.task <= a.span * play_harts() + VX_NS_PER_MS;
        near = a.task < a.threads + a.threads / 4 + 20 * VX_NS_PER_MS;
    }
    if (!CHECK("the time of a Task is that of its threads", sums && near) ||
        !CHECK("and no more than its harts had", bounded))
        vx_printf("#   Task %llu ns, threads %llu ns, span %llu ns\n", (unsigned long long)a.task,
                  (unsigned long long)a.threads, (unsigned long long)a.span);
}

/* --- bands: what is woken and more urgent runs before the slice of anybody is over --- */

enum : uint32_t { WAKES = 31 };
#define SAMPLE_NS (50 * VX_NS_PER_MS)

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

/* How many of WAKES came in time. Who waits for the end of a slice is as early one time in ten. */
static uint32_t wakes_in_time(bool *good)
{
    uint32_t in_time = 0;
    for (uint32_t i = 0; *good && i < WAKES; i++) {
        atomic_store_explicit(&alarm.word, 1, memory_order_release);
        status_t st = STATUS(futex_wait, P(&alarm.word), 1, play_soon());
        uint64_t late = vx_clock_monotonic_ns() - atomic_load_explicit(&alarm.woken_at, memory_order_relaxed);
        *good = st == OK || st == ERR_WOULD_BLOCK;
        in_time += late < TIME_SLICE_NS / 10;
    }
    return in_time;
}

/* How long this hart stood still, of SAMPLE_NS. */
static uint32_t stand_still(void *argument)
{
    uint64_t still = 0, last = vx_clock_monotonic_ns(), now = last;
    for (uint64_t until = last + SAMPLE_NS; now < until; last = now) {
        now = vx_clock_monotonic_ns();
        still += now - last > VX_NS_PER_MS / 2 ? now - last : 0;
    }
    *(uint64_t *)argument = still;
    return 0;
}

/* Whether the machine below runs all harts most of the time. */
static bool is_quiet(uint32_t n)
{
    struct vx_thread thread[RUNNERS_MAX];
    uint64_t still[RUNNERS_MAX] = {}, sum = 0;
    bool good = true;
    for (uint32_t i = 0; i < n; i++)
        good &= vx_thread_create(&thread[i], stand_still, &still[i], 8192) == OK;
    for (uint32_t i = 0; good && i < n; i++) {
        good &= play_join(&thread[i], nullptr);
        sum += still[i];
    }
    return good && sum < n * SAMPLE_NS / 4;
}

static uint32_t wakes_beside_spinners(uint32_t n, bool *good)
{
    static char yes;
    struct vx_thread thread[RUNNERS_MAX + 1];
    atomic_store_explicit(&alarm.stop, 0, memory_order_relaxed);
    for (uint32_t i = 0; i < n; i++)
        *good &= vx_thread_create(&thread[i], wake_from_below, i == 0 ? &yes : nullptr, 8192) == OK;
    uint32_t in_time = wakes_in_time(good);
    atomic_store_explicit(&alarm.stop, 1, memory_order_relaxed);
    for (uint32_t i = 0; i < n; i++)
        *good &= play_join(&thread[i], nullptr);
    return in_time;
}

/* A hart that the machine below does not run is late whatever the kernel does: only what happens between two quiet
 * moments counts against it, and if there are none for a long time this cannot be told here. */
void test_bands(vx_mem)
{
    uint32_t harts = play_harts(), n = harts < RUNNERS_MAX ? harts : RUNNERS_MAX, in_time = 0, late = 0;
    uint64_t deadline = vx_deadline_in(10 * VX_NS_PER_S);
    bool good = true;
    while (good && in_time <= WAKES / 3 && late < 3 && vx_clock_monotonic_ns() < deadline) {
        bool before = is_quiet(n);
        in_time = wakes_beside_spinners(n + 1, &good); /* more that spin than there are harts */
        late += before && is_quiet(n);
    }
    bool told = in_time > WAKES / 3 || late >= 3;
    if (!told)
        vx_printf("# the machine below is too busy to tell how soon a thread is woken\n");
    if (!CHECK("a more urgent thread that is woken does not wait for the end of a slice",
               good && (in_time > WAKES / 3 || !told)))
        vx_printf("#   %u of %u in time\n", in_time, WAKES);
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
