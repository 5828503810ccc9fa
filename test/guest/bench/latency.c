/* SPDX-License-Identifier: MIT
 * The rows irqs_off_NAME and irqs_off_worst: how long interrupts stay masked while a call that could take long is made
 * and undone, over and over; see test/guest/common/latency.h. */
#include "bench.h"
#include <test/guest/common/latency.h>

enum : uint32_t { LATENCY_SAMPLES = 400, WAITERS = 256, CAPS = 300, STACK = 4096, GIFTS = 200 };
#define RW (VX_PROT_READ | VX_PROT_WRITE)

static struct latency watch;
static uint64_t idle_ns, worst_ns;

/* Prepared for all rows. */
static vx_handle_t object, origin;
static uint64_t object_bytes;
static uint8_t *area;
static uint32_t word;
static _Atomic uint32_t released;

static void idle(void)
{
    for (volatile uint32_t i = 0; i < 1000; i++)
        continue;
}

static void alloc_small(void)
{
    struct vx_result r = SYS(mem_alloc, 0, 64 << 12, RW_COMMIT, 0);
    (void)SYS(mem_free, 0, r.second, 64 << 12);
}

static void alloc_large(void)
{
    struct vx_result r = SYS(mem_alloc, 0, (2 << 20) + (400 << 12), RW_COMMIT, 0);
    (void)SYS(mem_free, 0, r.second, (2 << 20) + (400 << 12));
}

static void alloc_object(void)
{
    struct vx_result r = SYS(mem_alloc, 0, 3 << 20, RW_COMMIT | VX_MEM_HANDLE, 0);
    (void)SYS(mem_free, r.value, 0, 0);
}

/* More than there is: all of it is undone. */
static void alloc_too_much(void)
{
    struct check_accounts a = check_accounts();
    (void)SYS(mem_alloc, 0, a.free_bytes, RW_COMMIT, 0);
}

static void map_object(void)
{
    struct vx_result r = SYS(mem_map, object, 0, object_bytes, 0, RW);
    (void)SYS(mem_free, object, r.value, object_bytes);
}

static void protect(void)
{
    (void)SYS(mem_map, 0, 0, 400 << 12, P(area), RW | VX_MEM_COMMIT);
    (void)SYS(mem_map, 0, 0, 400 << 12, P(area), VX_PROT_READ);
    (void)SYS(mem_map, 0, 0, 400 << 12, P(area), RW | VX_MEM_RESERVE);
}

static void surface(void)
{
    struct vx_result r = SYS(surface_create, 0, 512, 512, VX_FORMAT_XRGB8888);
    (void)SYS(cap_drop, r.value);
}

static void ring(void)
{
    struct vx_result r = SYS(ring_create, 0, RING_SLOTS_MAX, 0);
    (void)SYS(ring_map, r.value);
    (void)SYS(cap_drop, r.value);
    (void)SYS(cap_drop, r.second);
}

static void ring_with_caps(void)
{
    struct vx_result r = SYS(ring_create, 0, RING_SLOTS_MAX, VX_RING_CAPS);
    atomic_store_explicit(&watch.ignore, true, memory_order_relaxed);
    (void)SYS(cap_drop, r.value);
    (void)SYS(cap_drop, r.second);
    atomic_store_explicit(&watch.ignore, false, memory_order_relaxed);
}

static void revoke(void)
{
    struct vx_cap_facts facts;
    for (uint32_t i = 0; i < CAPS; i++)
        (void)SYS(mem_map, SYS(cap_narrow, origin, VX_R_READ, 0, 0).value, 0, 4096, 0, VX_PROT_READ);
    (void)SYS(cap_inspect, origin, P(&facts));
    (void)SYS(cap_revoke, origin);
}

static void task_control(void)
{
    static struct vx_cap_facts facts[CAPS];
    (void)SYS(task_control, 0, VX_TASK_CAPS, P(facts), CAPS);
    (void)SYS(task_control, 0, VX_TASK_READ_MEM, P(facts), P(facts), sizeof facts);
}

static void threads_listed(void)
{
    static struct vx_thread_info infos[WAITERS];
    struct vx_task_info info;
    (void)SYS(task_control, 0, VX_TASK_THREADS, P(infos), WAITERS);
    (void)SYS(task_control, 0, VX_TASK_INFO, P(&info), sizeof info);
    (void)SYS(clock_get_time, VX_CLOCK_TASK_CPU);
}

static void random_bytes(void)
{
    static uint8_t bytes[GETRANDOM_MAX];
    (void)SYS(getrandom, P(bytes), sizeof bytes);
}

static void leave(void)
{
    uint64_t stack, bytes = 64 << 12;
    stack = SYS(mem_alloc, 0, bytes, RW_COMMIT, 0).second;
    __asm__ volatile("" ::: "memory");
    (void)SYS(mem_free, 0, stack, bytes);
}

static void spawn(void)
{
    static struct vx_spawn s;
    const char *argv[] = { "/test/bench", "none" };
    vx_task task = {};
    uint32_t id;
    s = (struct vx_spawn){ .path = argv[0], .argc = 2, .argv = argv, .memory = 2 << 20, .band = VX_BAND_IDLE + 1 };
    vx_spawn_begin(&s);
    if (vx_spawn_end(&s, &task, &id) != OK)
        return;
    (void)SYS(destroy, task.raw);
    (void)SYS(waitpid, task.raw, 0);
    (void)SYS(cap_drop, task.raw);
}

/* A Bundle of as many slots as there may be, most of them capabilities that move. */
static void spawn_gifts(void)
{
    static struct vx_spawn s;
    static char names[GIFTS][8];
    static uint64_t buffer[2048];
    const char *argv[] = { "/test/bench", "none" };
    vx_task task = {};
    uint32_t id;
    s = (struct vx_spawn){ .path = argv[0], .argc = 2, .argv = argv, .memory = 2 << 20 };
    s.band = VX_BAND_IDLE + 1; /* it never runs, and so is never what a sample waits for */
    s.buffer = buffer;
    s.room = sizeof buffer;
    vx_spawn_begin(&s);
    for (uint32_t i = 0; i < GIFTS; i++) {
        vx_handle_t given = (vx_handle_t)SYS(cap_narrow, origin, VX_R_READ | VX_R_MOVE, 0, 0).value;
        names[i][0] = 'g';
        names[i][1] = (char)('a' + i / 16);
        names[i][2] = (char)('a' + i % 16);
        vx_spec_move(&s.spec, names[i], given, VX_R_READ);
    }
    if (vx_spawn_end(&s, &task, &id) != OK)
        return;
    atomic_store_explicit(&watch.ignore, true, memory_order_relaxed);
    (void)SYS(destroy, task.raw);
    (void)SYS(waitpid, task.raw, 0);
    (void)SYS(cap_drop, task.raw);
    atomic_store_explicit(&watch.ignore, false, memory_order_relaxed);
}

static uint32_t wait_futex(void *)
{
    (void)SYS(futex_wait, P(&word), 0, VX_FOREVER);
    atomic_fetch_add_explicit(&released, 1, memory_order_relaxed);
    return 0;
}

/* Many wait, and all are woken at once. Threads start in the band of who makes them: all wait when this one goes on.
 * The crowds of SEM_SIGNAL and of deadlines are no rows: what is left of those goes before a thread of the normal band,
 * with interrupts in between, so its wait says nothing. */
static void futex_crowd(void)
{
    static struct vx_thread threads[WAITERS];
    atomic_store_explicit(&released, 0, memory_order_relaxed);
    uint32_t made = 0;
    while (made < WAITERS && vx_thread_create(&threads[made], wait_futex, nullptr, STACK) == OK)
        made++;
    if (made == 0 || !check_waits_in(threads[made - 1].id, NR_futex_wait))
        return;
    (void)latency_take(&watch); /* making them is measured elsewhere */
    threads_listed();
    (void)SYS(futex_wake, P(&word), WAITERS, 0, 0);
    while (atomic_load_explicit(&released, memory_order_relaxed) < made)
        (void)SYS(yield);
    for (uint32_t i = 0; i < made; i++)
        (void)vx_thread_join(&threads[i], nullptr);
}

static void row(const char *name, void (*operation)(void), uint32_t rounds)
{
    uint32_t n = 0;
    (void)latency_take(&watch);
    for (uint32_t i = 0; i < rounds || (rounds == 0 && n < LATENCY_SAMPLES); i++) {
        operation();
        n = atomic_load_explicit(&watch.samples, memory_order_relaxed);
    }
    n = atomic_load_explicit(&watch.samples, memory_order_relaxed);
    uint64_t found = latency_take(&watch);
    if (operation == idle)
        idle_ns = found;
    found = found > idle_ns ? found - idle_ns : 0;
    worst_ns = found > worst_ns ? found : worst_ns;
    if (operation != idle)
        vx_printf("bench kernel %s instructions %llu %llu %llu %u\n", name, (unsigned long long)found,
                  (unsigned long long)found, (unsigned long long)found, n);
}

void irqs_off(const char *name)
{
    static const struct {
        const char *name;
        void (*operation)(void);
        uint32_t rounds; /* 0: until there are enough samples */
    } rows[] = {
        { "idle", idle, 0 },
        { "irqs_off_mem_alloc", alloc_small, 0 },
        { "irqs_off_mem_alloc_large", alloc_large, 0 },
        { "irqs_off_mem_alloc_object", alloc_object, 0 },
        { "irqs_off_mem_alloc_refused", alloc_too_much, 0 },
        { "irqs_off_mem_map", map_object, 0 },
        { "irqs_off_mem_map_protect", protect, 0 },
        { "irqs_off_mem_free", leave, 0 },
        { "irqs_off_surface_create", surface, 0 },
        { "irqs_off_ring_create", ring, 0 },
        { "irqs_off_ring_create_caps", ring_with_caps, 0 },
        { "irqs_off_cap_revoke", revoke, 0 },
        { "irqs_off_task_control", task_control, 0 },
        { "irqs_off_getrandom", random_bytes, 0 },
        { "irqs_off_spawn", spawn, 0 },
        { "irqs_off_spawn_gifts", spawn_gifts, 0 },
        { "irqs_off_futex_wake", futex_crowd, 3 },
    };
    struct vx_result mem = SYS(mem_alloc, 0, 400 << 12, RW_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0);
    object = (vx_handle_t)mem.value;
    object_bytes = 400 << 12;
    origin = (vx_handle_t)SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE, 0).value;
    area = check_pages(400 << 12, RW_LAZY);
    if (area == nullptr || !latency_begin(&watch))
        return;
    (void)SYS(task_control, 0, VX_TASK_THREAD_BAND, VX_BAND_BATCH);
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        row(rows[i].name, rows[i].operation, rows[i].rounds);
    (void)SYS(task_control, 0, VX_TASK_THREAD_BAND, VX_BAND_NORMAL);
    latency_end(&watch);
    vx_printf("bench kernel %s instructions %llu %llu %llu %u\n", name, (unsigned long long)worst_ns,
              (unsigned long long)worst_ns, (unsigned long long)worst_ns, LATENCY_SAMPLES);
    (void)SYS(mem_free, 0, P(area), 400 << 12);
    (void)SYS(cap_drop, origin);
    (void)SYS(cap_drop, object);
}
