/* SPDX-License-Identifier: MIT
 * The scheduler of one hart.
 *
 * S1. A READY thread is on the queue of its effective band, or is `handover`; no other thread is on a queue.
 * S2. mask bit b is set exactly when queue b is not empty.
 * S3. `loaded` is the thread whose vector registers and thread pointer are in the hart; they are saved when another
 * thread is loaded, not before. S4. If somebody else is READY in the running thread's band, the timer is armed to fire
 * within a slice (slice_armed). It may fire early; then it is armed again for the rest. Locking: the kernel is entered
 * with interrupts masked on its one hart. */
#include <kernel/gate.h>
#include <kernel/sched_switch.h>
#include <kernel/syscall.h>
#include <arch/fp.h>
#include <arch/hart.h>
#include <arch/mmu.h>
#include <arch/timer.h>
#include <base/kassert.h>
#include <base/likely.h>

void sched_init(void)
{
    struct hart *h = arch_hart_self();
    for (uint32_t b = 0; b < VX_BAND_COUNT; b++)
        list_init(&h->sched.queue[b]);
    arch_time_params(&h->sched.time);
    h->sched.slice_cycles = (uint64_t)((unsigned __int128)TIME_SLICE_NS * h->sched.time.counter_hz / 1000000000);
    h->sched.switched_cycles = h->sched.accounted_cycles = arch_cycles();
    h->sched.armed_ns = UINT64_MAX;
}

uint64_t sched_cycles_to_ns(uint64_t cycles)
{
    struct hart *h = arch_hart_self();
    return (uint64_t)((unsigned __int128)cycles * h->sched.time.mult >> h->sched.time.shift);
}

uint64_t sched_ticks(void)
{
    struct hart *h = arch_hart_self();
    return h->sched.ticks;
}

static uint64_t first_deadline(void)
{
    struct hart *h = arch_hart_self();
    return h->sched.deadlines.first != nullptr ? h->sched.deadlines.first->key : UINT64_MAX;
}

static void arm(uint64_t ns)
{
    struct hart *h = arch_hart_self();
    h->sched.armed_ns = ns;
    arch_timer_arm(ns);
}

void sched_arm_slice(uint64_t left_cycles)
{
    struct hart *h = arch_hart_self();
    uint64_t slice = arch_timer_now_ns() + sched_cycles_to_ns(left_cycles);
    uint64_t first = first_deadline();
    arm(first < slice ? first : slice);
    h->sched.slice_armed = true;
}

static inline void enqueue(struct thread *t, bool front)
{
    struct hart *h = arch_hart_self();
    uint32_t b = t->effective_band;
    t->state = THREAD_READY;
    if (front)
        list_push_front(&h->sched.queue[b], &t->run);
    else
        list_push_back(&h->sched.queue[b], &t->run);
    h->sched.mask |= 1u << b;
}

[[gnu::always_inline]] static inline void ready(struct thread *t)
{
    struct hart *h = arch_hart_self();
    enqueue(t, false);
    struct thread *cur = h->current;
    if (cur == nullptr || cur->state != THREAD_RUNNING)
        return;
    if (t->effective_band < cur->effective_band)
        h->need_switch = 1;
    else if (t->effective_band == cur->effective_band && !h->sched.slice_armed)
        sched_arm_slice(h->sched.slice_cycles);
}

void sched_ready(struct thread *t)
{
    ready(t);
}

static inline void stop_waiting(struct thread *t)
{
    list_remove(&t->wait);
    if (unlikely(!list_is_empty(&t->futex)))
        list_remove(&t->futex);
    if (unlikely(t->timer.in_tree))
        sched_clear_deadline(t);
}

void thread_stop_waiting(struct thread *t)
{
    stop_waiting(t);
}

void thread_wake(struct thread *t)
{
    if (unlikely(t->state != THREAD_BLOCKED))
        return;
    stop_waiting(t);
    if (unlikely(t->stop_pending))
        t->state = THREAD_STOPPED;
    else
        ready(t);
}

void sched_ready_front(struct thread *t)
{
    enqueue(t, true);
}

void sched_remove(struct thread *t)
{
    struct hart *h = arch_hart_self();
    if (h->sched.handover == t)
        h->sched.handover = nullptr;
    if (t->state == THREAD_READY) {
        list_remove(&t->run);
        if (list_is_empty(&h->sched.queue[t->effective_band]))
            h->sched.mask &= ~(1u << t->effective_band);
    }
}

void sched_forget(struct thread *t)
{
    struct hart *h = arch_hart_self();
    if (h->current == t) {
        sched_account();
        h->current = nullptr;
        h->need_switch = 1;
    }
    if (h->sched.loaded == t)
        h->sched.loaded = nullptr;
}

void sched_hand_over(struct thread *t)
{
    struct hart *h = arch_hart_self();
    list_remove(&t->wait);
    if (unlikely(t->timer.in_tree))
        sched_clear_deadline(t);
    if (unlikely(t->stop_pending)) {
        t->state = THREAD_STOPPED;
        return;
    }
    if (unlikely(h->sched.handover != nullptr)) /* an earlier one has not run yet: it takes its turn in the queue */
        enqueue(h->sched.handover, true);
    h->sched.handover = t; /* it stays BLOCKED: it is on no queue (S1) */
    h->need_switch = 1;
}

void sched_set_deadline(struct thread *t, uint64_t deadline_ns)
{
    struct hart *h = arch_hart_self();
    tree_insert(&h->sched.deadlines, &t->timer, deadline_ns);
    if (deadline_ns < h->sched.armed_ns)
        arm(deadline_ns);
}

void sched_clear_deadline(struct thread *t)
{
    struct hart *h = arch_hart_self();
    tree_remove(&h->sched.deadlines, &t->timer);
}

void sched_set_band(struct thread *t, uint8_t band)
{
    struct hart *h = arch_hart_self();
    if (t->effective_band == band)
        return;
    bool queued = t->state == THREAD_READY && h->sched.handover != t;
    if (queued)
        sched_remove(t);
    bool less_urgent = band > t->effective_band;
    t->effective_band = band;
    if (queued)
        sched_ready(t);
    else if (less_urgent && t->state == THREAD_RUNNING && (h->sched.mask & ((1u << band) - 1)) != 0)
        arch_hart_self()->need_switch = 1;
}

void sched_account(void)
{
    struct hart *h = arch_hart_self();
    struct thread *t = arch_hart_self()->current;
    uint64_t now = arch_cycles();
    if (t != nullptr)
        t->cpu_cycles += now - h->sched.accounted_cycles;
    else
        h->sched.idle_cycles += now - h->sched.accounted_cycles;
    h->sched.accounted_cycles = now;
}

void sched_tick(void)
{
    struct hart *h = arch_hart_self();
    uint64_t now = arch_timer_now_ns();
    h->sched.slice_armed = false;
    h->sched.armed_ns = UINT64_MAX;
    h->sched.ticks++;
    while (first_deadline() <= now)
        thread_wake(container_of(h->sched.deadlines.first, struct thread, timer));
    struct thread *cur = h->current;
    if (cur != nullptr && cur->state == THREAD_RUNNING && (h->sched.mask & (1u << cur->effective_band)) != 0) {
        uint64_t ran = arch_cycles() - h->sched.switched_cycles;
        if (ran >= h->sched.slice_cycles) {
            enqueue(cur, false);
            h->need_switch = 1;
        } else {
            sched_arm_slice(h->sched.slice_cycles - ran);
        }
    }
    if (!h->sched.slice_armed)
        arm(first_deadline());
}

static inline uint32_t more_urgent(const struct thread *t)
{
    struct hart *h = arch_hart_self();
    return h->sched.mask & ((1u << t->effective_band) - 1);
}

[[gnu::always_inline]] static inline struct thread *take_first(struct hart *h)
{
    uint32_t b = (uint32_t)__builtin_ctz(h->sched.mask);
    struct list_node *n = h->sched.queue[b].next;
    list_unlink(n); /* `run` is only looked at while the thread is READY */
    if (list_is_empty(&h->sched.queue[b]))
        h->sched.mask &= ~(1u << b);
    return container_of(n, struct thread, run);
}

/* The thread that should have the hart now, taken off its queue; nullptr: none. */
static inline struct thread *pick(struct thread *cur)
{
    struct hart *h = arch_hart_self();
    struct thread *t = h->sched.handover;
    if (cur != nullptr && cur->state == THREAD_RUNNING) {
        if (t == nullptr && more_urgent(cur) == 0)
            return cur;
        enqueue(cur, true);
    }
    if (t != nullptr) {
        h->sched.handover = nullptr;
        if (likely(more_urgent(t) == 0))
            return t;
        enqueue(t, true);
    }
    return h->sched.mask != 0 ? take_first(h) : nullptr;
}

/* Runs the call that the thread was parked in. */
[[gnu::always_inline]] static inline void rerun(struct hart *h, struct thread *t)
{
    typedef struct sysret call_fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
    struct arch_frame *f = &t->frame;
    t->parked = false;
    arch_frame_advance(f);
    h->sched.rerunning = true;
    call_fn *call = (call_fn *)(uintptr_t)h->syscalls[arch_frame_syscall_nr(f) % SYSCALL_TABLE_ENTRIES];
    struct sysret r = call(arch_frame_arg(f, 0), arch_frame_arg(f, 1), arch_frame_arg(f, 2), arch_frame_arg(f, 3),
                           arch_frame_arg(f, 4), arch_frame_arg(f, 5));
    h->sched.rerunning = false;
    if (unlikely(h->current != t))
        return; /* it ended itself */
    if (unlikely(t->parked))
        arch_frame_restart(f);
    else
        arch_frame_set_result(f, r.first, r.second);
}

static void idle(struct hart *h)
{
    sched_account();
    h->current = nullptr;
    if (h->sched.slice_armed) {
        h->sched.slice_armed = false;
        arm(first_deadline());
    }
    gate_leave(h);
    arch_idle_wait();
}

/* t has the hart. Returns when that is no longer so. */
[[gnu::always_inline]] static inline void go_on(struct hart *h, struct thread *t)
{
    if (likely(h->need_switch == 0))
        arch_resume();
    if (h->current == t && t->state == THREAD_RUNNING && t->parked) {
        t->parked = false; /* it looked again once in the kernel; now from user mode, where an interrupt can come */
        h->need_switch = 0;
        arch_resume();
    }
}

[[noreturn]] void sched_run(void)
{
    struct hart *h = arch_hart_self();
    for (;;) {
        h->need_switch = 0;
        struct thread *cur = h->current, *t = pick(cur);
        if (t == nullptr) {
            idle(h);
            continue;
        }
        if (t->state != THREAD_RUNNING) {
            sched_switch(h, cur, t);
            if (t->parked)
                rerun(h, t);
        } else {
            t->parked = false; /* if set, the call runs again from user mode: its pc stands on it */
        }
        go_on(h, t);
    }
}

/* sched_run() for the usual case: current, which may not run on, is on its queue or waits, and somebody is READY. */
[[noreturn, gnu::always_inline]] static inline void leave(struct hart *h, struct thread *cur)
{
    if (likely(h->sched.handover == nullptr && h->sched.mask != 0)) {
        struct thread *t = take_first(h);
        h->need_switch = 0;
        sched_switch(h, cur, t);
        if (t->parked)
            rerun(h, t);
        go_on(h, t);
    }
    sched_run();
}

void sched_leave(void)
{
    struct hart *h = arch_hart_self();
    arch_frame_restart(&h->current->frame);
    leave(h, h->current);
}

void sched_yield(uint64_t first, uint64_t second)
{
    struct hart *h = arch_hart_self();
    if (h->sched.mask == 0)
        return;
    arch_frame_set_result(&h->current->frame, first, second);
    enqueue(h->current, false);
    leave(h, h->current);
}

[[noreturn]] void kernel_syscall_slow(uint64_t first, uint64_t second)
{
    struct thread *t = arch_hart_self()->current;
    if (t != nullptr) {
        if (t->parked)
            arch_frame_restart(&t->frame);
        else
            arch_frame_set_result(&t->frame, first, second);
    }
    sched_run();
}

[[noreturn]] void kernel_return_to_user(void)
{
    struct hart *h = arch_hart_self();
    if (h->need_switch == 0)
        arch_resume();
    sched_run();
}

void kernel_timer(void)
{
    sched_tick();
}
