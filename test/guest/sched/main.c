/* SPDX-License-Identifier: MIT
 * /test/sched: bands are strict, equals share by turns, sleeps end when they should. Every wait is bounded by a
 * deadline. What must never happen is looked for in every try; what is only to be soon, or in equal parts, is tried
 * again for some time, because the machine below may have been busy: a kernel that is late is late every time. */
#define CHECK_DEFINE
#include <test/guest/common/check.h>
#include <stdatomic.h>
#include <vectra/thread.h>

enum : uint32_t { HARTS_MAX = 16, TRIES = 20 };

static _Atomic bool stop;
static _Atomic uint64_t count[3];

static uint32_t spin(void *argument)
{
    _Atomic uint64_t *n = argument;
    while (!atomic_load_explicit(&stop, memory_order_relaxed))
        atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
    return 0;
}

static uint32_t spin_low(void *argument)
{
    (void)SYS(task_control, 0, VX_TASK_THREAD_BAND, VX_BAND_IDLE);
    return spin(argument);
}

static void clear(void)
{
    atomic_store_explicit(&stop, false, memory_order_relaxed);
    for (unsigned i = 0; i < 3; i++)
        atomic_store_explicit(&count[i], 0, memory_order_relaxed);
}

static uint64_t counted(unsigned i)
{
    return atomic_load_explicit(&count[i], memory_order_relaxed);
}

static uint64_t cpu_ns(void)
{
    return SYS(clock_get_time, VX_CLOCK_TASK_CPU).value;
}

/* Two that never give up the hart, and a third that sleeps meanwhile: all get on. */
static void turns(void)
{
    struct vx_thread a, b;
    uint64_t low, high, until = check_patience();
    clear();
    bool started = vx_thread_create(&a, spin, &count[0], 0) == OK && vx_thread_create(&b, spin, &count[1], 0) == OK;
    do {
        (void)SYS(nanosleep, vx_deadline_in(200 * VX_NS_PER_MS));
        uint64_t one = counted(0), other = counted(1);
        low = one < other ? one : other;
        high = one < other ? other : one;
    } while (!(low > 0 && high < 3 * low) && vx_clock_monotonic_ns() < until);
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    CHECK("two spinning threads are preempted",
          started && vx_thread_join(&a, nullptr) == OK && vx_thread_join(&b, nullptr) == OK);
    CHECK("both get on, about equally", low > 0 && high < 3 * low);
}

/* Until the counter has moved on. */
static bool gets_on(unsigned i)
{
    uint64_t before = counted(i), until = check_patience();
    while (counted(i) == before && vx_clock_monotonic_ns() < until)
        (void)SYS(nanosleep, vx_deadline_in(5 * VX_NS_PER_MS));
    return counted(i) != before;
}

/* Beside a busy thread of the normal band. Bands are strict on each hart; on several the idle one gets on for as long
 * as the more urgent ones leave it a hart. */
static void beside(uint32_t harts)
{
    struct vx_thread high[HARTS_MAX];
    uint32_t n = harts == 1 ? 1 : harts - 1, made = 0;
    while (made < n && vx_thread_create(&high[made], spin, &count[1], 0) == OK)
        made++;
    bool started = made == n && gets_on(1);
    (void)SYS(nanosleep, vx_deadline_in(20 * VX_NS_PER_MS));
    if (harts == 1) {
        uint64_t before = counted(0), other = counted(1);
        (void)SYS(nanosleep, vx_deadline_in(100 * VX_NS_PER_MS));
        uint64_t after = counted(0);
        bool urgent = gets_on(1) && counted(1) > other;
        CHECK("bands are strict: beside a busy normal thread it gets nothing", started && urgent && after == before);
    } else {
        CHECK("beside one normal thread less than there are harts it gets on", started && gets_on(0) && gets_on(1));
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    while (made > 0)
        started = vx_thread_join(&high[--made], nullptr) == OK && started;
    CHECK("the normal threads end", started);
}

static void bands(void)
{
    struct vx_thread low;
    uint32_t harts = check_harts();
    clear();
    bool started = vx_thread_create(&low, spin_low, &count[0], 0) == OK;
    CHECK("a thread of the idle band runs when nobody else wants to", started && gets_on(0));
    beside(harts < HARTS_MAX ? harts : HARTS_MAX);
    CHECK("and so does that of the idle band", vx_thread_join(&low, nullptr) == OK);
    struct vx_task_info info = {};
    (void)SYS(task_control, 0, VX_TASK_INFO, P(&info), sizeof info);
    if (info.band > VX_BAND_DRIVER)
        CHECK("no thread rises above its Task's ceiling",
              STATUS(task_control, 0, VX_TASK_THREAD_BAND, info.band - 1) != OK);
    CHECK("a Task cannot raise its own ceiling",
          info.band == VX_BAND_DRIVER || STATUS(task_control, 0, VX_TASK_SET_BAND, VX_BAND_DRIVER) != OK);
}

/* Not one of them is early, and one of some is not late. */
static void sleep_for(uint64_t us)
{
    bool early = false;
    uint64_t late = UINT64_MAX;
    for (unsigned i = 0; i < TRIES && !early && late >= 50 * VX_NS_PER_MS; i++) {
        uint64_t until = vx_deadline_in(us * VX_NS_PER_US);
        (void)SYS(nanosleep, until);
        uint64_t now = vx_clock_monotonic_ns();
        early = now < until;
        late = now - until;
    }
    bool good = !early && late < 50 * VX_NS_PER_MS;
    if (!check_line("a sleep ends after its deadline, soon", good, "too early or too late"))
        vx_printf("#   %llu us: %lld ns late\n", (unsigned long long)us, (long long)late);
}

static void sleeps(void)
{
    static const uint64_t spans_us[] = { 50, 200, 1000, 5000, 20000, 100000 };
    for (size_t i = 0; i < sizeof spans_us / sizeof spans_us[0]; i++)
        sleep_for(spans_us[i]);
    bool free = false, charged = false;
    for (unsigned i = 0; i < TRIES && !free; i++) {
        uint64_t cpu = cpu_ns(), begin = vx_clock_monotonic_ns();
        (void)SYS(nanosleep, vx_deadline_in(100 * VX_NS_PER_MS));
        uint64_t used = cpu_ns() - cpu;
        free = used < (vx_clock_monotonic_ns() - begin) / 4;
    }
    CHECK("a sleeper uses no processor time", free);
    for (unsigned i = 0; i < TRIES && !charged; i++) {
        uint64_t cpu = cpu_ns();
        for (uint64_t until = vx_deadline_in(20 * VX_NS_PER_MS); vx_clock_monotonic_ns() < until;)
            ;
        charged = cpu_ns() - cpu > 5 * VX_NS_PER_MS;
    }
    CHECK("a busy one is charged for it", charged);
}

static void clocks(void)
{
    uint64_t last = 0;
    bool monotonic = true;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t now = vx_clock_monotonic_ns();
        monotonic &= now >= last;
        last = now;
        if (i % 100 == 0)
            (void)SYS(yield);
    }
    CHECK("the clock never goes back", monotonic);
}

int main(void)
{
    vx_printf("# %u harts run\n", check_harts());
    struct check_accounts before = check_accounts();
    turns();
    bands();
    sleeps();
    clocks();
    struct vx_thread t;
    clear();
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    (void)(vx_thread_create(&t, spin, &count[2], 0) == OK && vx_thread_join(&t, nullptr) == OK);
    struct check_accounts once = check_accounts();
    for (unsigned i = 0; i < 200; i++)
        (void)(vx_thread_create(&t, spin, &count[2], 0) == OK && vx_thread_join(&t, nullptr) == OK);
    check_no_leak("200 threads leave nothing behind", once);
    CHECK("nor do those of the tests before", check_accounts().caps_used == before.caps_used);
    return check_done();
}
