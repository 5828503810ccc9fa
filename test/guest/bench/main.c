/* SPDX-License-Identifier: MIT
 * /test/bench: the rows of the figures table, as `bench kernel NAME instructions VALUE MIN MAX RUNS` (`./vectra bench
 * kernel` runs it under the instruction counter). `bench kernel NAME...` runs those rows alone. */
#define CHECK_DEFINE
#include "bench.h"
#include <check/cpu.h>

static struct samples samples;
static const char *group = "kernel";
/* A row whose operation did not work has no figure. */
#define VERIFY(condition) (samples.n = (condition) ? samples.n : 0)
static struct vx_message m;

uint64_t bench_ns(uint64_t ticks)
{
    const struct vx_time_page *t = (const struct vx_time_page *)VX_TIME_PAGE_ADDRESS;
    return (uint64_t)((unsigned __int128)ticks * t->mult >> t->shift);
}

void bench_sort(uint64_t *v, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        uint64_t x = v[i];
        uint32_t at = i;
        for (; at > 0 && v[at - 1] > x; at--)
            v[at] = v[at - 1];
        v[at] = x;
    }
}

uint64_t bench_empty(uint32_t n)
{
    static struct samples s;
    BENCH(&s, 64, n, (void)0);
    bench_sort(s.value, s.n);
    return s.value[s.n / 2];
}

void bench_report(const char *name, struct samples *s, uint64_t overhead, uint32_t divisor)
{
    uint64_t scale = (uint64_t)s->per_sample * divisor;
    if (s->n == 0) {
        vx_printf("bench: %s could not be measured\n", name);
        return;
    }
    bench_sort(s->value, s->n);
    uint64_t pick[3] = { s->value[s->n / 2], s->value[0], s->value[s->n - 1] };
    for (unsigned i = 0; i < 3; i++)
        pick[i] = pick[i] > overhead ? (pick[i] - overhead + scale / 2) / scale : 0;
    vx_printf("bench %s %s instructions %llu %llu %llu %u\n", group, name, (unsigned long long)pick[0],
              (unsigned long long)pick[1], (unsigned long long)pick[2], s->n);
}

static void null_syscall(const char *name)
{
    BENCH(&samples, 200, 64, (void)vx_enter(NR_getpid, 0, 0, 0, 0, 0));
    bench_report(name, &samples, bench_empty(64), 1);
}

static void clock_read(const char *name)
{
    BENCH(&samples, 200, 64, {
        uint64_t now = vx_clock_monotonic_ns();
        __asm__ volatile("" ::"r"(now));
    });
    bench_report(name, &samples, bench_empty(64), 1);
}

static void ring_user_message(const char *name)
{
    struct vx_result r = SYS(ring_create, 0, 16, 0);
    struct vx_ring_producer p;
    struct vx_ring_consumer c;
    if (vx_ring_producer_open(&p, (vx_ring_tx){ (vx_handle_t)r.value }) != OK ||
        vx_ring_consumer_open(&c, (vx_ring_rx){ (vx_handle_t)r.second }) != OK)
        return;
    BENCH(&samples, 200, 64, {
        (void)!vx_ring_push(&p, &m);
        (void)!vx_ring_pop(&c, &m);
    });
    bench_report(name, &samples, bench_empty(64), 1);
    (void)SYS(cap_drop, r.value);
    (void)SYS(cap_drop, r.second);
}

static void ring_burst_message(const char *name)
{
    static struct vx_message many[16];
    struct vx_result r = SYS(ring_create, 0, 16, 0);
    BENCH(&samples, 200, 8, {
        (void)vx_enter(NR_ring_send_burst, r.value, P(many), 16, 0, 0);
        (void)vx_enter(NR_ring_recv_burst, r.second, P(many), 16, VX_FOREVER, 0);
    });
    VERIFY(SYS(ring_send_burst, r.value, P(many), 16).value == 16 &&
           SYS(ring_recv_burst, r.second, P(many), 16, 0).value == 16);
    bench_report(name, &samples, bench_empty(8), 16);
    (void)SYS(cap_drop, r.value);
    (void)SYS(cap_drop, r.second);
}

static void ring_call_roundtrip(const char *name)
{
    struct partner p;
    if (partner_start(&p, "call"))
        BENCH(&samples, 200, 8, (void)!vx_sys_ring_call(p.tx, &m, p.rx, &m, VX_FOREVER, nullptr));
    VERIFY(vx_sys_ring_call(p.tx, &m, p.rx, &m, vx_deadline_in(VX_NS_PER_S), nullptr) == OK);
    bench_report(name, &samples, bench_empty(8), 1);
    partner_end(&p);
}

/* The same with vector registers in use on both sides: touched before each call. */
static void ring_call_vector_roundtrip(const char *name)
{
    struct partner p;
    if (partner_start(&p, "vector"))
        BENCH(&samples, 200, 8, {
            cpu_vectors_touch();
            (void)!vx_sys_ring_call(p.tx, &m, p.rx, &m, VX_FOREVER, nullptr);
        });
    VERIFY(vx_sys_ring_call(p.tx, &m, p.rx, &m, vx_deadline_in(VX_NS_PER_S), nullptr) == OK);
    bench_report(name, &samples, bench_empty(8), 1);
    partner_end(&p);
}

static bool futex_ask(struct shared *s, uint64_t deadline)
{
    uint32_t value = atomic_load_explicit(&s->ask, memory_order_relaxed) + 1;
    atomic_store_explicit(&s->ask, value, memory_order_release);
    (void)vx_enter(NR_futex_wake, P(&s->ask), 1, 0, 0, 0);
    while (atomic_load_explicit(&s->answer, memory_order_acquire) != value)
        if (vx_enter(NR_futex_wait, P(&s->answer), value - 1, deadline, 0, 0).value == (uint64_t)ERR_TIMED_OUT)
            return false;
    return true;
}

static void futex_roundtrip(const char *name)
{
    struct partner p;
    if (partner_start(&p, "futex"))
        BENCH(&samples, 200, 8, (void)futex_ask(p.shared, VX_FOREVER));
    VERIFY(futex_ask(p.shared, vx_deadline_in(VX_NS_PER_S)));
    bench_report(name, &samples, bench_empty(8), 1);
    partner_end(&p);
}

static void futex_wake_nobody(const char *name)
{
    static uint32_t word;
    BENCH(&samples, 200, 64, (void)vx_enter(NR_futex_wake, P(&word), 1, 0, 0, 0));
    VERIFY(SYS(futex_wake, P(&word), 1, 0, 0).value == 0);
    bench_report(name, &samples, bench_empty(64), 1);
}

static void leave_at_once(void)
{
    (void)vx_enter(NR_thread_exit, 7, 0, 0, 0, 0);
    __builtin_trap();
}

/* The kernel's calls alone: the stack is there, and the thread does nothing but end. */
static void thread_create_join(const char *name)
{
    uint8_t *stack = check_pages(4096, RW_COMMIT);
    if (stack == nullptr)
        return;
    BENCH(&samples, 200, 4, {
        struct vx_result r = vx_enter(NR_thread_create, P(leave_at_once), P(stack) + 4096, 0, 0, 0);
        (void)vx_enter(NR_thread_join, r.value, VX_FOREVER, 0, 0, 0);
    });
    struct vx_result last = SYS(thread_create, P(leave_at_once), P(stack) + 4096, 0, 0, 0);
    VERIFY(SYS(thread_join, last.value, vx_deadline_in(VX_NS_PER_S)).value == 7);
    bench_report(name, &samples, bench_empty(4), 1);
    (void)SYS(mem_free, 0, P(stack), 4096);
}

static void ring_doorbell_roundtrip(const char *name)
{
    struct partner p;
    struct vx_ring_producer out;
    struct vx_ring_consumer in;
    if (partner_start(&p, "doorbell") && vx_ring_producer_open(&out, p.tx) == OK &&
        vx_ring_consumer_open(&in, p.rx) == OK)
        BENCH(&samples, 200, 8, (void)!vx_ring_exchange(&out, &m, &in, &m, VX_FOREVER));
    VERIFY(vx_ring_exchange(&out, &m, &in, &m, vx_deadline_in(VX_NS_PER_S)) == OK);
    bench_report(name, &samples, bench_empty(8), 1);
    partner_end(&p);
}

static void cap_send_recv(const char *name)
{
    struct partner p;
    struct vx_cap_facts facts = {};
    vx_handle_t sem = (vx_handle_t)SYS(sem_create, 0, 0).value;
    (void)SYS(cap_inspect, sem, P(&facts));
    vx_handle_t moving = (vx_handle_t)SYS(cap_narrow, sem, facts.rights & ~VX_R_COPY, 0, 0).value;
    if (partner_start(&p, "cap"))
        BENCH(&samples, 200, 4, {
            (void)!vx_sys_ring_send_cap(p.tx, &m, moving, VX_FOREVER);
            (void)!vx_sys_ring_recv_cap(p.rx, &m, VX_FOREVER, &moving);
        });
    (void)SYS(cap_inspect, moving, P(&facts));
    VERIFY(facts.type == VX_CAP_SEM);
    bench_report(name, &samples, bench_empty(4), 2); /* there and back are two ways */
    partner_end(&p);
    (void)SYS(cap_drop, moving);
    (void)SYS(cap_drop, sem);
}

static void yield_cross_task(const char *name)
{
    struct partner p;
    if (partner_start(&p, "yield"))
        BENCH(&samples, 200, 8, (void)vx_enter(NR_yield, 0, 0, 0, 0, 0));
    bench_report(name, &samples, bench_empty(8), 2); /* there, and back when the other yields */
    partner_end(&p);
}

/* From just before the post to the first thing that the woken Task does, which is reading the counter. */
static void signal_post_wake(const char *name)
{
    struct partner p;
    samples.n = 0;
    samples.per_sample = 1;
    if (partner_start(&p, "wake")) {
        (void)SYS(task_control, 0, VX_TASK_THREAD_BAND, VX_BAND_BATCH); /* now the other is more urgent */
        for (uint32_t i = 0; i < 201; i++) {
            (void)SYS(nanosleep, vx_deadline_in(20 * VX_NS_PER_US)); /* it sleeps again */
            uint64_t begin = vx_counter();
            (void)vx_enter(NR_signal_post, p.task, 2, 0, 0, 0);
            uint64_t end = atomic_load_explicit(&p.shared->woke_at, memory_order_acquire);
            if (i > 0 && end > begin)
                samples.value[samples.n++] = bench_ns(end - begin);
        }
        (void)SYS(task_control, 0, VX_TASK_THREAD_BAND, VX_BAND_NORMAL);
    }
    bench_report(name, &samples, bench_empty(1), 1);
    partner_end(&p);
}

static void sem_roundtrip(const char *name)
{
    struct partner p;
    if (partner_start(&p, "sem"))
        BENCH(&samples, 200, 8, {
            (void)vx_enter(NR_sem_signal, p.there.raw, 1, 0, 0, 0);
            (void)vx_enter(NR_sem_wait, p.back.raw, 1, VX_FOREVER, 0, 0);
        });
    VERIFY(STATUS(sem_signal, p.there.raw, 1) == OK &&
           STATUS(sem_wait, p.back.raw, 1, vx_deadline_in(VX_NS_PER_S)) == OK);
    bench_report(name, &samples, bench_empty(8), 1);
    partner_end(&p);
}

/* Beside committed memory that stays, as in a program with a heap: its page table and its area are there. */
static void mem_alloc_free_4k(const char *name)
{
    if (check_pages(64 * 4096, RW_COMMIT) == nullptr)
        return;
    BENCH(&samples, 200, 8, {
        struct vx_result r = vx_enter(NR_mem_alloc, 0, 4096, RW_COMMIT, 0, 0);
        (void)vx_enter(NR_mem_free, 0, r.second, 4096, 0, 0);
    });
    bench_report(name, &samples, bench_empty(8), 1);
}

/* One page of a shared memory object, beside 1 to 20 other mappings of it that stay: what a mapping costs depends on
 * where in the tree of areas it comes to lie. */
static void mem_map_unmap_shared(const char *name)
{
    enum : uint32_t { OTHERS = 20, SAMPLES = 10 };
    static struct samples one;
    struct vx_result mem = SYS(mem_alloc, 0, 64 << 10, RW_COMMIT | VX_MEM_HANDLE, 0);
    uint32_t n = 0;
    for (uint32_t others = 0; others < OTHERS; others++) {
        BENCH(&one, SAMPLES, 8, {
            struct vx_result r = vx_enter(NR_mem_map, mem.value, 4096, 4096, 0, VX_PROT_READ | VX_PROT_WRITE);
            *(volatile uint8_t *)(uintptr_t)r.value = 1;
            (void)vx_enter(NR_mem_free, mem.value, r.value, 4096, 0, 0);
        });
        memcpy(samples.value + n, one.value, SAMPLES * sizeof one.value[0]);
        n += SAMPLES;
        VERIFY(STATUS(mem_map, mem.value, 0, 4096, 0, VX_PROT_READ) == OK);
    }
    samples.n = n;
    samples.per_sample = one.per_sample;
    VERIFY(((volatile uint8_t *)(uintptr_t)mem.second)[4096] == 1);
    bench_report(name, &samples, bench_empty(8), 1);
    (void)SYS(mem_free, mem.value, 0, 0);
}

/* A fresh page each time, in a region whose page tables are there. */
static void mem_touch_lazy(const char *name)
{
    volatile uint8_t *p = check_pages(2 << 20, RW_LAZY);
    if (p == nullptr)
        return;
    p[0] = 1;
    p[(2 << 20) - 1] = 1;
    p += 4096;
    BENCH(&samples, 100, 4, {
        *p = 1;
        p += 4096;
    });
    bench_report(name, &samples, bench_empty(4), 1);
}

static void spawn_exit_wait(const char *name)
{
    alignas(16) static uint8_t bytes[512];
    vx_mem image = {};
    struct vx_spec spec;
    size_t len = 0;
    vx_spec_init(&spec, bytes, sizeof bytes);
    vx_spec_int(&spec, "memory", 256 << 10);
    if (vx_image_find("/test/tiny", &image) == OK && vx_spec_finish(&spec, &len) == OK)
        BENCH(&samples, 100, 1, {
            struct vx_result r = vx_enter(NR_spawn, image.raw, P(bytes), len, 0, 0);
            (void)vx_enter(NR_waitpid, r.value, 0, 0, 0, 0);
            (void)vx_enter(NR_cap_drop, r.value, 0, 0, 0, 0);
        });
    struct vx_result last = SYS(spawn, image.raw, P(bytes), len);
    struct vx_result end = SYS(waitpid, last.value, 0);
    VERIFY(vx_result_status(last.value) == OK && (end.second & 255) == VX_CAUSE_EXIT && end.value == 0);
    (void)SYS(cap_drop, last.value);
    bench_report(name, &samples, bench_empty(1), 1);
    (void)SYS(cap_drop, image.raw);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(const char *name);
    } rows[] = {
        { "null_syscall", null_syscall },
        { "clock_read", clock_read },
        { "ring_user_message", ring_user_message },
        { "ring_call_roundtrip", ring_call_roundtrip },
        { "ring_doorbell_roundtrip", ring_doorbell_roundtrip },
        { "ring_burst_message", ring_burst_message },
        { "cap_send_recv", cap_send_recv },
        { "yield_cross_task", yield_cross_task },
        { "signal_post_wake", signal_post_wake },
        { "sem_roundtrip", sem_roundtrip },
        { "mem_alloc_free_4k", mem_alloc_free_4k },
        { "mem_touch_lazy", mem_touch_lazy },
        { "spawn_exit_wait", spawn_exit_wait },
        { "futex_roundtrip", futex_roundtrip },
        { "futex_wake_nobody", futex_wake_nobody },
        { "thread_create_join", thread_create_join },
        { "mem_map_unmap_shared", mem_map_unmap_shared },
        { "revoke_per_descendant", revoke_per_descendant },
        { "task_destroy", task_destroy },
        { "irqs_off_worst", irqs_off },
        /* the last one: from then on this thread has vector registers to save at each switch */
        { "ring_call_vector_roundtrip", ring_call_vector_roundtrip },
    };
    if (argc > 1 && vx_bundle_mem("large").raw != 0)
        return large_main(argv[1]);
    if (argc > 1 && vx_bundle_ring_tx("tx").raw != 0)
        return partner_main(argv[1]);
    if (argc > 1 && vx_streq(argv[1], "scale")) {
        scale_all();
        return 0;
    }
    if (argc > 1 && vx_streq(argv[1], "storage")) {
        group = argv[1];
        files_rows(argc, argv);
        disks_rows(argc, argv);
        return 0;
    }
    if (argc > 1 && vx_streq(argv[1], "throughput")) {
        disks_throughput();
        return 0;
    }
    if (argc > 1 && !vx_streq(argv[1], "kernel")) {
        vx_printf("bench: there is no group '%s'; there are: kernel, scale, storage, throughput\n", argv[1]);
        return 2;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool wanted = argc < 3;
        for (int k = 2; k < argc; k++)
            wanted |= vx_streq(argv[k], rows[i].name);
        samples.n = 0;
        if (wanted)
            rows[i].run(rows[i].name);
    }
    return 0;
}
