/* SPDX-License-Identifier: MIT
 * For test programs that are many Tasks: children of one's own image, ends that are waited for with a deadline, shared
 * pages, random numbers that a seed repeats. No wait here is unbounded: what does not come is an answer of its own. */
#pragma once
#include <test/guest/common/check.h>
#include <stdatomic.h>
#include <vectra/thread.h>

/* --- random numbers: splitmix64 --- */

static inline uint64_t play_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint32_t play_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)(play_random(state) % n);
}

/* --- time --- */

#define PLAY_PATIENCE_NS CHECK_PATIENCE_NS

static inline uint64_t play_soon(void)
{
    return check_patience();
}

static inline void play_nap(uint64_t ns)
{
    (void)SYS(nanosleep, vx_deadline_in(ns));
}

static inline uint32_t play_harts(void)
{
    return check_harts();
}

/* Whether to do round i too: `least` of them always, `most` at most, and between these until the deadline. */
static inline bool play_again(uint32_t i, uint32_t least, uint32_t most, uint64_t deadline)
{
    return i < least || (i < most && vx_clock_monotonic_ns() < deadline);
}

/* --- memory that several Tasks see --- */

struct play_memory {
    vx_handle_t mem;
    void *at;
};

static inline struct play_memory play_share(uint64_t bytes)
{
    struct vx_result r = SYS(mem_alloc, 0, bytes, RW_COMMIT | VX_MEM_HANDLE, 0);
    if (vx_result_status(r.value) != OK)
        return (struct play_memory){};
    return (struct play_memory){ (vx_handle_t)r.value, (void *)(uintptr_t)r.second };
}

/* A child's view of what its parent put under that name; nullptr when there is nothing. */
static inline void *play_shared(const char *name, uint64_t bytes)
{
    struct vx_result r = SYS(mem_map, vx_bundle_mem(name).raw, 0, bytes, 0, VX_PROT_READ | VX_PROT_WRITE);
    return vx_result_status(r.value) == OK ? (void *)(uintptr_t)r.value : nullptr;
}

#define PLAY_SHARED (VX_R_READ | VX_R_WRITE | VX_R_COPY)

/* --- children --- */

struct play_ending {
    bool ended; /* false: the deadline passed first, and the child still runs */
    uint32_t status;
    vx_cause_t cause;
    uint64_t address; /* the page that a fault was about */
};

/* A child of the program `image`, with room in its Bundle for more. `argv` must stay until play_start. */
static inline void play_begin_with(struct vx_spawn *s, vx_mem image, size_t argc, const char *const *argv,
                                   uint64_t memory, uint64_t slots)
{
    *s = (struct vx_spawn){ .image = image, .argc = argc, .argv = argv, .memory = memory, .capslots = slots };
    vx_spawn_begin(s);
}

static inline void play_begin(struct vx_spawn *s, vx_mem image, size_t argc, const char *const *argv, uint64_t memory)
{
    play_begin_with(s, image, argc, argv, memory, CAP_SLOTS_MIN);
}

/* Lets it start children too. */
static inline void play_family(struct vx_spawn *s)
{
    vx_spec_copy(&s->spec, "initrd", vx_bundle_mem("initrd").raw, VX_R_READ | VX_R_EXEC | VX_R_COPY);
}

/* 0: it could not be started. */
static inline vx_handle_t play_start(struct vx_spawn *s)
{
    vx_task task = {};
    uint32_t id;
    return vx_spawn_end(s, &task, &id) == OK ? task.raw : 0;
}

static inline vx_handle_t play_child(vx_mem image, const char *path, const char *role, uint64_t memory)
{
    struct vx_spawn s;
    const char *argv[] = { path, role };
    play_begin(&s, image, 2, argv, memory);
    return play_start(&s);
}

/* Looks again and again, so that the wait is bounded and no signal bit is needed. Drops the handle once it has ended.
 */
static inline struct play_ending play_await(vx_handle_t task, uint64_t deadline)
{
    struct play_ending e = {};
    uint64_t nap = 50 * VX_NS_PER_US;
    for (;;) {
        struct vx_result r = SYS(waitpid, task, VX_WAIT_NOHANG);
        status_t st = vx_result_status(r.value);
        if (st == OK) {
            (void)SYS(cap_drop, task);
            return (struct play_ending){ true, (uint32_t)r.value, (vx_cause_t)(r.second & 255),
                                         r.second & ~UINT64_C(255) };
        }
        if (st != ERR_WOULD_BLOCK || vx_clock_monotonic_ns() >= deadline)
            return e;
        play_nap(nap);
        nap = nap < 2 * VX_NS_PER_MS ? nap * 2 : nap;
    }
}

static inline struct play_ending play_end(vx_handle_t task)
{
    (void)SYS(destroy, task);
    return play_await(task, play_soon());
}

/* Waits until the word is at least `value`. */
static inline bool play_reaches(_Atomic uint32_t *word, uint32_t value)
{
    for (uint64_t deadline = play_soon(); atomic_load_explicit(word, memory_order_acquire) < value;) {
        if (vx_clock_monotonic_ns() >= deadline)
            return false;
        play_nap(100 * VX_NS_PER_US);
    }
    return true;
}

/* --- threads --- */

/* Joins with a deadline and frees the stack; false when it did not end. */
static inline bool play_join(struct vx_thread *t, uint32_t *status)
{
    status_t st = vx_sys_thread_join(t->id, play_soon(), status);
    if (st == OK)
        (void)SYS(mem_free, 0, t->base, t->len);
    return st == OK;
}
