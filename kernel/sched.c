/* SPDX-License-Identifier: MIT
 * The scheduler of one hart.
 *
 * S1. A READY thread is on the queue of its effective band, or is `handover`; no other thread is on a queue.
 * S2. mask bit b is set exactly when queue b is not empty.
 * S3. `loaded` is the thread whose vector registers and thread pointer are in the hart; they are saved when another
 * thread is loaded, not before. S4. If somebody else is READY in the running thread's band, the timer is armed to fire
 * within a slice (slice_armed). It may fire early; then it is armed again for the rest. Locking: the kernel is entered
 * with interrupts masked on its one hart. */
#include <kernel/sched.h>
#include <kernel/syscall.h>
#include <arch/fp.h>
#include <arch/hart.h>
#include <arch/mmu.h>
#include <arch/timer.h>
#include <base/kassert.h>
#include <base/likely.h>

static struct {
    struct list_node queue[VX_BAND_COUNT];
    uint32_t mask;
    bool slice_armed;
    struct thread *handover;
    struct thread *loaded;
    struct tree deadlines;
    uint64_t armed_ns;        /* when the timer fires */
    uint64_t switched_cycles; /* when current was switched in */
    uint64_t accounted_cycles;
    uint64_t idle_cycles;
    uint64_t ticks;
    uint64_t slice_cycles;
    struct arch_time time;
} sched;

void sched_init(void)
{
    for (uint32_t b = 0; b < VX_BAND_COUNT; b++)
        list_init(&sched.queue[b]);
    arch_time_params(&sched.time);
    sched.slice_cycles = (uint64_t)((unsigned __int128)TIME_SLICE_NS * sched.time.counter_hz / 1000000000);
    sched.switched_cycles = sched.accounted_cycles = arch_cycles();
    sched.armed_ns = UINT64_MAX;
}

uint64_t sched_cycles_to_ns(uint64_t cycles)
{
    return (uint64_t)((unsigned __int128)cycles * sched.time.mult >> sched.time.shift);
}

uint64_t sched_ticks(void)
{
    return sched.ticks;
}

uint64_t sched_idle_cycles(void)
{
    return sched.idle_cycles;
}

static uint64_t first_deadline(void)
{
    return sched.deadlines.first != nullptr ? sched.deadlines.first->key : UINT64_MAX;
}

static void arm(uint64_t ns)
{
    sched.armed_ns = ns;
    arch_timer_arm(ns);
}

static void arm_slice(uint64_t left_cycles)
{
    uint64_t slice = arch_timer_now_ns() + sched_cycles_to_ns(left_cycles);
    uint64_t first = first_deadline();
    arm(first < slice ? first : slice);
    sched.slice_armed = true;
}

static inline void enqueue(struct thread *t, bool front)
{
    uint32_t b = t->effective_band;
    t->state = THREAD_READY;
    if (front)
        list_push_front(&sched.queue[b], &t->run);
    else
        list_push_back(&sched.queue[b], &t->run);
    sched.mask |= 1u << b;
}

void sched_ready(struct thread *t)
{
    enqueue(t, false);
    struct hart *h = arch_hart_self();
    struct thread *cur = h->current;
    if (cur == nullptr || cur->state != THREAD_RUNNING)
        return;
    if (t->effective_band < cur->effective_band)
        h->need_switch = 1;
    else if (t->effective_band == cur->effective_band && !sched.slice_armed)
        arm_slice(sched.slice_cycles);
}

void sched_ready_front(struct thread *t)
{
    enqueue(t, true);
}

void sched_remove(struct thread *t)
{
    if (sched.handover == t)
        sched.handover = nullptr;
    if (t->state == THREAD_READY) {
        list_remove(&t->run);
        if (list_is_empty(&sched.queue[t->effective_band]))
            sched.mask &= ~(1u << t->effective_band);
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
    if (sched.loaded == t)
        sched.loaded = nullptr;
}

void sched_yield(void)
{
    struct hart *h = arch_hart_self();
    if (sched.mask == 0)
        return;
    enqueue(h->current, false);
    h->need_switch = 1;
}

void sched_hand_over(struct thread *t)
{
    list_remove(&t->wait);
    if (t->timer.in_tree)
        sched_clear_deadline(t);
    if (t->stop_pending) {
        t->state = THREAD_STOPPED;
        return;
    }
    if (sched.handover != nullptr) { /* an earlier one has not run yet: it takes its turn in the queue */
        enqueue(sched.handover, true);
        sched.handover = nullptr;
    }
    t->state = THREAD_BLOCKED; /* not on a queue (S1) */
    sched.handover = t;
    arch_hart_self()->need_switch = 1;
}

void sched_set_deadline(struct thread *t, uint64_t deadline_ns)
{
    tree_insert(&sched.deadlines, &t->timer, deadline_ns);
    if (deadline_ns < sched.armed_ns)
        arm(deadline_ns);
}

void sched_clear_deadline(struct thread *t)
{
    tree_remove(&sched.deadlines, &t->timer);
}

void sched_set_band(struct thread *t, uint8_t band)
{
    if (t->effective_band == band)
        return;
    bool queued = t->state == THREAD_READY && sched.handover != t;
    if (queued)
        sched_remove(t);
    bool less_urgent = band > t->effective_band;
    t->effective_band = band;
    if (queued)
        sched_ready(t);
    else if (less_urgent && t->state == THREAD_RUNNING && (sched.mask & ((1u << band) - 1)) != 0)
        arch_hart_self()->need_switch = 1;
}

void sched_account(void)
{
    struct thread *t = arch_hart_self()->current;
    uint64_t now = arch_cycles();
    if (t != nullptr)
        t->cpu_cycles += now - sched.accounted_cycles;
    else
        sched.idle_cycles += now - sched.accounted_cycles;
    sched.accounted_cycles = now;
}

void sched_tick(void)
{
    struct hart *h = arch_hart_self();
    uint64_t now = arch_timer_now_ns();
    sched.slice_armed = false;
    sched.armed_ns = UINT64_MAX;
    sched.ticks++;
    while (first_deadline() <= now)
        thread_wake(container_of(sched.deadlines.first, struct thread, timer));
    struct thread *cur = h->current;
    if (cur != nullptr && cur->state == THREAD_RUNNING && (sched.mask & (1u << cur->effective_band)) != 0) {
        uint64_t ran = arch_cycles() - sched.switched_cycles;
        if (ran >= sched.slice_cycles) {
            enqueue(cur, false);
            h->need_switch = 1;
        } else {
            arm_slice(sched.slice_cycles - ran);
        }
    }
    if (!sched.slice_armed)
        arm(first_deadline());
}

static inline uint32_t more_urgent(const struct thread *t)
{
    return sched.mask & ((1u << t->effective_band) - 1);
}

/* The thread that should have the hart now, taken off its queue; nullptr: none. */
static inline struct thread *pick(struct thread *cur)
{
    struct thread *t = sched.handover;
    if (cur != nullptr && cur->state == THREAD_RUNNING) {
        if (t == nullptr && more_urgent(cur) == 0)
            return cur;
        enqueue(cur, true);
    }
    if (t != nullptr) {
        sched.handover = nullptr;
        if (likely(more_urgent(t) == 0))
            return t;
        enqueue(t, true);
    }
    if (sched.mask == 0)
        return nullptr;
    uint32_t b = (uint32_t)__builtin_ctz(sched.mask);
    struct list_node *n = sched.queue[b].next;
    list_unlink(n); /* `run` is only looked at while the thread is READY */
    if (list_is_empty(&sched.queue[b]))
        sched.mask &= ~(1u << b);
    return container_of(n, struct thread, run);
}

/* Everything that is a thread's and not in its frame: vector registers, thread pointer, address space. */
static inline void load(struct hart *h, struct thread *t)
{
    struct thread *loaded = sched.loaded;
    struct task *task = t->task;
    if (likely(loaded != nullptr))
        loaded->tls = arch_tls_get();
    arch_tls_set(t->tls);
    arch_fp_switch(loaded != nullptr ? loaded->fp : nullptr, t->fp);
    sched.loaded = t;
    if (h->aspace != &task->vm.as)
        arch_aspace_activate(&task->vm.as);
    task->n_switches++;
}

static inline void switch_to(struct hart *h, struct thread *old, struct thread *t)
{
    uint64_t now = arch_cycles();
    uint64_t *account = old != nullptr ? &old->cpu_cycles : &sched.idle_cycles;
    *account += now - sched.accounted_cycles;
    sched.accounted_cycles = sched.switched_cycles = now;
    if (likely(sched.loaded != t))
        load(h, t);
    h->current = t;
    h->frame = &t->frame;
    t->state = THREAD_RUNNING;
    if (unlikely((sched.mask >> t->effective_band & 1) != 0 && !sched.slice_armed))
        arm_slice(sched.slice_cycles);
}

/* Runs the call that the thread was parked in. */
static inline void rerun(struct hart *h, struct thread *t)
{
    typedef struct sysret call_fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
    struct arch_frame *f = &t->frame;
    t->parked = false;
    arch_frame_advance(f);
    call_fn *call = (call_fn *)(uintptr_t)h->syscalls[arch_frame_syscall_nr(f) % SYSCALL_TABLE_ENTRIES];
    struct sysret r = call(arch_frame_arg(f, 0), arch_frame_arg(f, 1), arch_frame_arg(f, 2), arch_frame_arg(f, 3),
                           arch_frame_arg(f, 4), arch_frame_arg(f, 5));
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
    if (sched.slice_armed) {
        sched.slice_armed = false;
        arm(first_deadline());
    }
    arch_idle_wait();
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
            switch_to(h, cur, t);
            if (t->parked)
                rerun(h, t);
        } else {
            t->parked = false; /* if set, the call runs again from user mode: its pc stands on it */
        }
        if (likely(h->need_switch == 0))
            arch_resume();
        if (h->current == t && t->state == THREAD_RUNNING && t->parked) {
            t->parked = false; /* it looked again once in the kernel; now from user mode, where an interrupt can come */
            h->need_switch = 0;
            arch_resume();
        }
    }
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
