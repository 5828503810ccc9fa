/* SPDX-License-Identifier: MIT
 * What a second hart adds: the same work by one Task, or pair of Tasks, and by two that have nothing to do with each
 * other, over the same time by the clock. `bench scale NAME percent VALUE MIN MAX RUNS`: 200 is all that can be had.
 * Nothing here is about one hart and its instruction counter. */
#include "bench.h"

enum : uint32_t { RUNS = 7, WINDOW_MS = 200, SETTLE_MS = 20, BATCH = 64 };
enum : uint32_t { REST, WORK };

/* Counts what `once` does while it is told to work. */
static int work(struct shared *s, bool (*once)(void *), void *argument)
{
    for (;;) {
        while (atomic_load_explicit(&s->ask, memory_order_acquire) != WORK)
            (void)vx_enter(NR_futex_wait, P(&s->ask), REST, VX_FOREVER, 0, 0);
        for (uint32_t i = 0; i < BATCH; i++)
            if (!once(argument))
                return 1;
        atomic_fetch_add_explicit(&s->done, BATCH, memory_order_relaxed);
    }
}

static bool one_syscall(void *)
{
    (void)vx_enter(NR_getpid, 0, 0, 0, 0, 0);
    return true;
}

static bool one_call(void *partner)
{
    static struct vx_message m;
    struct partner *p = partner;
    return vx_sys_ring_call(p->tx, &m, p->rx, &m, VX_FOREVER, nullptr) == OK;
}

int scale_syscall_worker(struct shared *s)
{
    return work(s, one_syscall, nullptr);
}

/* The server is a Task of its own. */
int scale_call_worker(struct shared *s)
{
    static struct partner server;
    return partner_start(&server, "call") ? work(s, one_call, &server) : 1;
}

static void order(struct partner *p, uint32_t what)
{
    atomic_store_explicit(&p->shared->ask, what, memory_order_release);
    (void)vx_enter(NR_futex_wake, P(&p->shared->ask), 1, 0, 0, 0);
}

static void sleep_ms(uint64_t ms)
{
    (void)SYS(nanosleep, vx_deadline_in(ms * VX_NS_PER_MS));
}

/* How much the first n do in a second. */
static uint64_t rate(struct partner *p, uint32_t n)
{
    uint64_t done = 0;
    for (uint32_t i = 0; i < n; i++)
        order(&p[i], WORK);
    sleep_ms(SETTLE_MS); /* they spread over the harts */
    uint64_t begin = vx_clock_monotonic_ns();
    for (uint32_t i = 0; i < n; i++)
        done -= atomic_load_explicit(&p[i].shared->done, memory_order_relaxed);
    sleep_ms(WINDOW_MS);
    for (uint32_t i = 0; i < n; i++)
        done += atomic_load_explicit(&p[i].shared->done, memory_order_relaxed);
    uint64_t ns = vx_clock_monotonic_ns() - begin;
    for (uint32_t i = 0; i < n; i++)
        order(&p[i], REST);
    sleep_ms(SETTLE_MS);
    return done * VX_NS_PER_S / ns;
}

static void measure(const char *name, const char *role)
{
    static struct partner p[2];
    uint64_t value[RUNS];
    bool good = partner_start(&p[0], role) && partner_start(&p[1], role);
    for (uint32_t run = 0; run < RUNS && good; run++) {
        uint64_t one = rate(p, 1), two = rate(p, 2);
        good = one != 0;
        value[run] = good ? 100 * two / one : 0;
    }
    partner_end(&p[0]);
    partner_end(&p[1]);
    bench_sort(value, RUNS);
    if (good)
        vx_printf("bench scale %s percent %llu %llu %llu %u\n", name, (unsigned long long)value[RUNS / 2],
                  (unsigned long long)value[0], (unsigned long long)value[RUNS - 1], RUNS);
    else
        vx_printf("bench: %s could not be measured\n", name);
}

void scale_all(void)
{
    measure("scale_syscall_2", "scale-syscall");
    measure("scale_ring_call_2", "scale-call");
}
