/* SPDX-License-Identifier: MIT
 * /test/repro [NAME]: the smallest programs that showed defects found by /test/fuzz and /test/stress, until they are
 * corrected; each then becomes a test where it belongs. Not a test itself: */
// guest: helper
#define CHECK_DEFINE
#include <test/guest/common/play.h>

/* Two Rings, each of which holds the other's consumer end on its way, and nobody else holds anything: nothing can ever
 * reach them again. What they cost must come back. */
static void ring_cycle(void)
{
    struct vx_message m = {};
    struct vx_result a = SYS(ring_create, 0, 4, VX_RING_CAPS), b = SYS(ring_create, 0, 4, VX_RING_CAPS);
    (void)SYS(cap_drop, a.value);
    (void)SYS(cap_drop, a.second);
    (void)SYS(cap_drop, b.value);
    (void)SYS(cap_drop, b.second);
    struct check_accounts before = check_accounts();
    a = SYS(ring_create, 0, 4, VX_RING_CAPS);
    b = SYS(ring_create, 0, 4, VX_RING_CAPS);
    CHECK("the consumer end of a Ring travels through another",
          STATUS(ring_send_cap, b.value, P(&m), a.second, 0) == OK);
    CHECK("and the other's not through this one", STATUS(ring_send_cap, a.value, P(&m), b.second, 0) == ERR_BUSY);
    (void)SYS(cap_drop, a.value);
    (void)SYS(cap_drop, b.value);
    (void)SYS(cap_drop, b.second);
    check_no_leak("two Rings of which one holds the other's end come back", before);
}

/* A chain of Rings, each travelling in the next, and its end. RING_NESTING_MAX at its edge. */
static void ring_chain(void)
{
    struct vx_message m = {};
    struct vx_result ring[RING_NESTING_MAX + 3];
    unsigned n = 0, sent = 0;
    struct check_accounts before = check_accounts();
    status_t st = OK;
    for (; n < RING_NESTING_MAX + 3; n++)
        ring[n] = SYS(ring_create, 0, 1, VX_RING_CAPS);
    for (unsigned i = n - 2; i < n && (st = STATUS(ring_send_cap, ring[i + 1].value, P(&m), ring[i].second, 0)) == OK;
         i--)
        sent++;
    for (unsigned i = 0; i < n; i++)
        (void)SYS(cap_drop, ring[i].value);
    for (unsigned i = 0; i < n; i++)
        (void)SYS(cap_drop, ring[i].second);
    check_equal("Rings travel so deep", sent, RING_NESTING_MAX + 1);
    CHECK("and no deeper", st == ERR_BUSY);
    check_no_leak("a chain of Rings comes back", before);
}

/* That the deadline has passed is OK, as its row says, also when it passes while the call is on its way. */
static void nanosleep_late(void)
{
    uint64_t late = 0, calls = 0;
    for (uint64_t until = vx_deadline_in(2 * VX_NS_PER_S); vx_clock_monotonic_ns() < until; calls++)
        late += STATUS(nanosleep, vx_deadline_in(100 + calls % 4000)) == ERR_TIMED_OUT;
    vx_printf("# %llu of %llu\n", (unsigned long long)late, (unsigned long long)calls);
    check_equal("NANOSLEEP never says TIMED_OUT", late, 0);
}

/* The time page says how many harts run. */
static void time_page(void)
{
    check_equal("the time page says how many harts run", ((const struct vx_time_page *)VX_TIME_PAGE_ADDRESS)->harts,
                check_harts());
}

static _Atomic uint32_t stop;

static uint32_t spin(void *)
{
    while (atomic_load_explicit(&stop, memory_order_relaxed) == 0)
        vx_relax();
    return 0;
}

/* The time of a Task is that of its threads, also of one that runs on another hart just now. */
static void cpu_clock(void)
{
    struct vx_thread t;
    struct vx_task_info info = {};
    if (check_harts() == 1 || vx_thread_create(&t, spin, nullptr, 8192) != OK)
        return;
    uint64_t begin = SYS(clock_get_time, VX_CLOCK_TASK_CPU).value;
    play_nap(500 * VX_NS_PER_MS);
    uint64_t clock = SYS(clock_get_time, VX_CLOCK_TASK_CPU).value - begin;
    (void)SYS(task_control, 0, VX_TASK_INFO, P(&info), sizeof info);
    atomic_store_explicit(&stop, 1, memory_order_relaxed);
    (void)play_join(&t, nullptr);
    vx_printf("# %llu ns by the clock, %llu ns by TASK_INFO\n", (unsigned long long)clock,
              (unsigned long long)(info.cpu_ns - begin));
    CHECK("a thread that runs elsewhere is charged before it stops", clock > 20 * VX_NS_PER_MS);
    CHECK("and TASK_INFO tells", info.cpu_ns - begin > 20 * VX_NS_PER_MS);
}

/* Nanoseconds that CAP_REVOKE takes for each of n derived capabilities: every one of them mapped, or each derived from
 * the one before. */
static uint64_t revoke_cost(uint32_t n, bool deep)
{
    uint64_t mem = SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE, 0).value, from = mem;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t made = SYS(cap_narrow, from, VX_R_READ | VX_R_COPY, 0, 0).value;
        if (deep)
            from = made;
        else
            (void)SYS(mem_map, made, 0, 4096, 0, VX_PROT_READ);
    }
    uint64_t begin = vx_clock_monotonic_ns();
    bool all = SYS(cap_revoke, mem).value == n;
    uint64_t cost = all ? (vx_clock_monotonic_ns() - begin) / n : UINT64_MAX / 2;
    (void)SYS(mem_free, mem, 0, 0);
    return cost;
}

/* What one descendant costs does not depend on how many there are. */
static void revoke_scaling(void)
{
    for (uint32_t deep = 0; deep < 2; deep++) {
        uint64_t few = UINT64_MAX, many = UINT64_MAX;
        for (uint32_t i = 0; i < 15; i++) { /* the least of several: the machine may be busy */
            uint64_t a = revoke_cost(40, deep != 0), b = revoke_cost(480, deep != 0);
            few = a < few ? a : few;
            many = b < many ? b : many;
        }
        vx_printf("# %s: %llu ns each of 40, %llu ns each of 480\n", deep != 0 ? "a chain" : "mapped",
                  (unsigned long long)few, (unsigned long long)many);
        CHECK("a descendant among 480 costs no more than half more than one among 40", many < few + few / 2);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } all[] = { { "ring-cycle", ring_cycle }, { "ring-chain", ring_chain }, { "nanosleep-late", nanosleep_late },
                { "time-page", time_page },   { "cpu-clock", cpu_clock },   { "revoke-scaling", revoke_scaling } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (argc < 2 || vx_streq(argv[1], all[i].name))
            all[i].run();
    return check_done();
}
