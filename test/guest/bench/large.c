/* SPDX-License-Identifier: MIT
 * Rows about taking much away at once. Every sample needs Tasks of its own, so there are few; the counter runs only
 * around the calls that are measured. */
#include "bench.h"
#include <vectra/thread.h>

enum : uint32_t { SAMPLES = 6, THREADS = 16, CAPS = 100 };

struct large {
    _Atomic uint32_t ready, failed;
};

static struct samples samples;

static vx_handle_t start(const char *role, uint64_t memory, vx_handle_t large, vx_handle_t shared)
{
    static struct vx_spawn s;
    const char *argv[] = { "/test/bench", role };
    s = (struct vx_spawn){ .path = argv[0], .argc = 2, .argv = argv, .memory = memory };
    vx_spawn_begin(&s);
    vx_spec_copy(&s.spec, "large", large, VX_R_READ | VX_R_WRITE);
    vx_spec_copy(&s.spec, "shared", shared, VX_R_READ | VX_R_COPY);
    vx_task task = {};
    uint32_t id;
    return vx_spawn_end(&s, &task, &id) == OK ? task.raw : 0;
}

static bool all_ready(struct large *l, uint32_t n)
{
    for (uint32_t i = 0; i < 10000; i++) {
        if (atomic_load_explicit(&l->ready, memory_order_acquire) >= n)
            return atomic_load_explicit(&l->failed, memory_order_relaxed) == 0;
        (void)SYS(nanosleep, vx_deadline_in(100 * VX_NS_PER_US));
    }
    return false;
}

static void end(vx_handle_t task)
{
    (void)SYS(destroy, task);
    (void)SYS(waitpid, task, 0);
    (void)SYS(cap_drop, task);
}

/* Holds the capability that its parent gave it and those derived from it, each mapped. */
static bool derive_and_map(void)
{
    vx_handle_t cap = vx_bundle_mem("shared").raw;
    bool good = true;
    for (uint32_t i = 0; i < REVOKE_EACH; i++) {
        uint64_t made = i == 0 ? cap : SYS(cap_narrow, cap, VX_R_READ, 0, 0).value;
        good &= vx_result_status(made) == OK && STATUS(mem_map, made, 0, 4096, 0, VX_PROT_READ) == OK;
    }
    return good;
}

void revoke_per_descendant(const char *name)
{
    struct vx_result page = SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE, 0);
    struct large *l = (struct large *)(uintptr_t)page.second;
    samples.n = 0;
    samples.per_sample = REVOKE_TASKS * REVOKE_EACH;
    for (uint32_t run = 0; run <= SAMPLES; run++) {
        vx_handle_t task[REVOKE_TASKS];
        uint64_t shared = SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE, 0).value;
        atomic_store_explicit(&l->ready, 0, memory_order_relaxed);
        for (uint32_t i = 0; i < REVOKE_TASKS; i++)
            task[i] = start("revoke", 512 << 10, (vx_handle_t)page.value, (vx_handle_t)shared);
        bool good = all_ready(l, REVOKE_TASKS);
        uint64_t begin = vx_counter();
        struct vx_result r = vx_enter(NR_cap_revoke, shared, 0, 0, 0, 0);
        uint64_t ended = vx_counter();
        if (run > 0 && good && r.value == REVOKE_TASKS * REVOKE_EACH)
            samples.value[samples.n++] = bench_ns(ended - begin);
        for (uint32_t i = 0; i < REVOKE_TASKS; i++)
            end(task[i]);
        (void)SYS(mem_free, shared, 0, 0);
    }
    bench_report(name, &samples, bench_empty(1), 1);
    (void)SYS(mem_free, page.value, 0, 0);
}

static uint32_t wait_for_ever(void *)
{
    for (;;)
        (void)SYS(signal_wait, 1, VX_FOREVER);
}

/* Fills three quarters of the Task's memory, half of that page by page. */
static bool fill_up(void)
{
    bool good = check_pages(DESTROY_BYTES / 8 * 3, RW_COMMIT) != nullptr;
    volatile uint8_t *p = check_pages(DESTROY_BYTES / 8 * 3, RW_LAZY);
    for (uint32_t at = 0; p != nullptr && at < DESTROY_BYTES / 8 * 3; at += 4096)
        p[at] = 1;
    for (uint32_t i = 0; i < THREADS - 1; i++) {
        struct vx_thread t;
        good &= vx_thread_create(&t, wait_for_ever, nullptr, 4096) == OK;
    }
    for (uint32_t i = 0; i < CAPS; i++)
        good &= STATUS(sem_create, 0, 0) == OK;
    return good && p != nullptr;
}

void task_destroy(const char *name)
{
    struct vx_result page = SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE, 0);
    struct large *l = (struct large *)(uintptr_t)page.second;
    samples.n = 0;
    samples.per_sample = DESTROY_BYTES / 4096;
    for (uint32_t run = 0; run <= SAMPLES; run++) {
        atomic_store_explicit(&l->ready, 0, memory_order_relaxed);
        vx_handle_t task = start("destroy", DESTROY_BYTES, (vx_handle_t)page.value, 0);
        bool good = task != 0 && all_ready(l, 1);
        uint64_t begin = vx_counter();
        (void)vx_enter(NR_destroy, task, 0, 0, 0, 0);
        (void)vx_enter(NR_waitpid, task, 0, 0, 0, 0);
        (void)vx_enter(NR_cap_drop, task, 0, 0, 0, 0);
        uint64_t ended = vx_counter();
        if (run > 0 && good)
            samples.value[samples.n++] = bench_ns(ended - begin);
    }
    bench_report(name, &samples, bench_empty(1), 1);
    (void)SYS(mem_free, page.value, 0, 0);
}

int large_main(const char *role)
{
    void *at = nullptr;
    if (vx_sys_mem_map(vx_bundle_mem("large"), 0, 4096, 0, VX_PROT_READ | VX_PROT_WRITE, &at) != OK)
        return 1;
    struct large *l = at;
    if (!(vx_streq(role, "revoke") ? derive_and_map() : fill_up()))
        atomic_store_explicit(&l->failed, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&l->ready, 1, memory_order_release);
    return (int)wait_for_ever(nullptr);
}
