/* SPDX-License-Identifier: MIT
 * The scheduler. Each hart has its own queues, deadlines and timer, which nobody else touches (but the owner of the
 * gate). Who wakes a thread that belongs elsewhere sends it to the inbox of its home.
 *
 * S1. A READY thread is on the queue of its effective band at its home, or is `handover` there, or in the inbox there
 * (in_inbox); no other thread is on a queue. A queued thread that is alone on all queues is `only` instead of in a
 * list: threads that take turns never touch one. S2. mask bit b is set exactly when a thread of band b is queued. S3.
 * The vector registers and the thread pointer in a hart are those of `current`; they are saved before another thread is
 * loaded and before the hart idles, and only then is on_hart cleared. S4. If somebody waits who could use the hart or
 * an idle one, the timer is armed (slice_armed): for the end of the slice if it is an equal of the running thread,
 * sooner if a hart idles. It may fire early; then it is armed again for the rest. S5. `urgency` is the running thread's
 * band. A sender raises an interrupt unless the home runs something more urgent than what was sent; a hart whose
 * urgency falls looks into its inbox after it has said so. So what is sent is never overlooked. model:
 * test/model/sched.pml */
#include <kernel/sched_switch.h>
#include <arch/fp.h>
#include <arch/hart.h>
#include <arch/timer.h>
#include <base/likely.h>

/* After how long a thread that waits behind another is offered to an idle hart. Shorter, and threads that only take
 * turns with their waker would be torn apart. */
#define BALANCE_NS 50'000u

/* When more urgent threads have had the hart for so long, it looks at the graveyard again. */
#define TIDY_NS 1'000'000u

static _Atomic uint64_t idle_harts; /* a bit each */

/* Harts that could take a thread from h. */
static inline uint64_t idle_near(const struct hart *h)
{
    uint64_t others = h->sched.domain & ~(UINT64_C(1) << h->id);
    return atomic_load_explicit(&idle_harts, memory_order_relaxed) & others;
}

void sched_init(void)
{
    struct hart *h = arch_hart_self();
    for (uint32_t b = 0; b < VX_BAND_COUNT; b++)
        list_init(&h->sched.queue[b]);
    arch_time_params(&h->sched.time);
    h->sched.slice_cycles = (uint64_t)((unsigned __int128)TIME_SLICE_NS * h->sched.time.counter_hz / 1000000000);
    h->sched.switched_cycles = arch_cycles();
    h->sched.armed_ns = UINT64_MAX;
    h->sched.domain = UINT64_C(1) << h->id;
    atomic_store_explicit(&h->sched.urgency, VX_BAND_COUNT, memory_order_relaxed);
}

uint64_t sched_cycles_to_ns(uint64_t cycles)
{
    const struct hart *h = arch_hart_self();
    return (uint64_t)((unsigned __int128)cycles * h->sched.time.mult >> h->sched.time.shift);
}

static uint64_t first_deadline(const struct hart *h)
{
    return h->sched.deadlines.first != nullptr ? h->sched.deadlines.first->key : UINT64_MAX;
}

static void arm(struct hart *h, uint64_t ns)
{
    if (h->sched.armed_ns == ns)
        return;
    h->sched.armed_ns = ns;
    arch_timer_arm(ns);
}

static void arm_in(struct hart *h, uint64_t ns)
{
    uint64_t at = arch_timer_now_ns() + ns, first = first_deadline(h);
    arm(h, first < at ? first : at);
    h->sched.slice_armed = true;
}

/* --- queues of one hart --- */

/* Into its list: it is not alone any more, or somebody goes through the lists. */
[[gnu::noinline]] static void spill_only(struct hart *h)
{
    if (h->sched.only != nullptr)
        list_push_only(&h->sched.queue[h->sched.only->effective_band], &h->sched.only->run);
    h->sched.only = nullptr;
}

/* Nobody else is queued. */
static inline void enqueue_only(struct hart *h, struct thread *t)
{
    thread_set_state(t, THREAD_READY);
    h->sched.only = t;
    sched_set_mask(h, 1u << t->effective_band);
}

[[gnu::noinline]] static void enqueue(struct hart *h, struct thread *t, bool front)
{
    if (h->sched.mask == 0) {
        enqueue_only(h, t);
        return;
    }
    thread_set_state(t, THREAD_READY);
    spill_only(h);
    struct list_node *queue = &h->sched.queue[t->effective_band];
    list_insert_between(&t->run, front ? queue : queue->prev, front ? queue->next : queue);
    sched_set_mask(h, h->sched.mask | 1u << t->effective_band);
}

[[gnu::noinline]] static void dequeue(struct hart *h, struct thread *t)
{
    spill_only(h);
    list_unlink(&t->run); /* `run` is only looked at while the thread is READY */
    if (list_is_empty(&h->sched.queue[t->effective_band]))
        sched_set_mask(h, h->sched.mask & ~(1u << t->effective_band));
}

[[gnu::always_inline]] static inline struct thread *take_first(struct hart *h)
{
    struct thread *t = h->sched.only;
    if (likely(t != nullptr)) {
        h->sched.only = nullptr;
        sched_set_mask(h, 0);
        return t;
    }
    t = container_of(h->sched.queue[__builtin_ctz(h->sched.mask)].next, struct thread, run);
    dequeue(h, t);
    return t;
}

static inline uint32_t more_urgent(const struct hart *h, const struct thread *t)
{
    return h->sched.mask & ((1u << t->effective_band) - 1);
}

/* Somebody waits while t runs (S4). */
void sched_arm_slice(struct hart *h)
{
    const struct thread *t = h->current;
    atomic_thread_fence(memory_order_seq_cst); /* the queue before the look for idle harts; see ask_around() */
    if (idle_near(h) != 0)
        arm_in(h, BALANCE_NS);
    else if ((h->sched.mask >> t->effective_band & 1) != 0)
        arm_in(h, TIME_SLICE_NS);
}

[[gnu::always_inline]] static inline void after_ready(struct hart *h, const struct thread *t)
{
    const struct thread *cur = h->current;
    if (cur == nullptr || thread_state(cur) != THREAD_RUNNING)
        return;
    if (t->effective_band < cur->effective_band)
        h->need_switch = 1;
    else if (unlikely(!h->sched.slice_armed))
        sched_arm_slice(h);
}

[[gnu::noinline]] static void ready_beside(struct hart *h, struct thread *t)
{
    enqueue(h, t, false);
    after_ready(h, t);
}

/* t may be current, whose wait ended before the hart had left it. */
[[gnu::always_inline]] static inline void ready_here(struct hart *h, struct thread *t)
{
    if (unlikely(h->sched.mask != 0)) {
        ready_beside(h, t);
        return;
    }
    enqueue_only(h, t);
    after_ready(h, t);
}

/* --- between harts --- */

static void send(struct hart *to, struct thread *t)
{
    uint32_t band = t->effective_band;
    struct thread *first = atomic_load_explicit(&to->sched.inbox, memory_order_relaxed);
    t->in_inbox = true;
    do
        t->inbox_next = first;
    while (!atomic_compare_exchange_weak_explicit(&to->sched.inbox, &first, t, memory_order_seq_cst,
                                                  memory_order_relaxed));
    /* seq_cst, as is the exchange above and both sides in sched_set_urgency(): one of us sees the other (S5). And if a
     * hart idles that looked around before this was in the inbox, the home is to offer it. */
    if (band <= atomic_load_explicit(&to->sched.urgency, memory_order_seq_cst) ||
        (atomic_load_explicit(&idle_harts, memory_order_seq_cst) & to->sched.domain & ~(UINT64_C(1) << to->id)) != 0)
        arch_ipi_send(to);
}

/* Takes an idle hart that may run t, so that nobody else takes it too; nullptr: none. */
static struct hart *claim_idle(const struct hart *h, const struct thread *t)
{
    uint64_t idle = idle_near(h) & t->affinity;
    for (; idle != 0; idle &= idle - 1) {
        uint64_t bit = idle & -idle;
        if ((atomic_fetch_and_explicit(&idle_harts, ~bit, memory_order_relaxed) & bit) != 0)
            return harts[__builtin_ctzll(bit)];
    }
    return nullptr;
}

static inline bool has_mail(const struct hart *h)
{
    return h->sched.mail != nullptr || atomic_load_explicit(&h->sched.inbox, memory_order_relaxed) != nullptr;
}

/* At its home, by that hart; `self` false: by the owner of the gate. */
static void arrive(struct hart *h, struct thread *t, bool self)
{
    tree_remove(&h->sched.deadlines, &t->timer);
    if (t->stop_pending)
        thread_set_state(t, THREAD_STOPPED);
    else if (self)
        ready_here(h, t);
    else
        enqueue(h, t, false);
}

/* What others sent to h, in the order they sent it: WAKES_AT_ONCE of them. The rest comes with the timer, at once. */
static void open_inbox(struct hart *h, bool self)
{
    for (uint32_t n = 0; has_mail(h); n++) {
        struct thread *t = h->sched.mail, *next;
        if (n == WAKES_AT_ONCE) {
            if (self)
                arm_in(h, 0);
            return;
        }
        if (t == nullptr) /* acquire: pairs with the exchange in send(). */
            for (next = atomic_exchange_explicit(&h->sched.inbox, nullptr, memory_order_acquire); next != nullptr;) {
                struct thread *first = next;
                next = first->inbox_next;
                first->inbox_next = t;
                t = first;
            }
        h->sched.mail = t->inbox_next;
        t->in_inbox = false;
        arrive(h, t, self);
    }
}

[[gnu::noinline]] static void ready_unusual(struct thread *t)
{
    struct hart *h = arch_hart_self(), *home = harts[t->home];
    if (home == h) {
        arrive(h, t, true);
        return;
    }
    thread_set_state(t, THREAD_READY);
    /* Where it was it would wait: somebody may be idle. acquire: as in sched_may_switch_to(). */
    if (!t->timer.in_tree && !atomic_load_explicit(&t->on_hart, memory_order_acquire) &&
        atomic_load_explicit(&home->sched.urgency, memory_order_relaxed) <= t->effective_band) {
        struct hart *idle = claim_idle(h, t);
        if (idle != nullptr) {
            home = idle;
            set_home(t, idle->id);
        }
    }
    send(home, t);
}

[[gnu::always_inline]] inline void sched_ready(struct thread *t)
{
    struct hart *h = arch_hart_self();
    if (likely(t->home == h->id && !t->timer.in_tree && !t->stop_pending))
        ready_here(h, t);
    else
        ready_unusual(t);
}

void sched_start(struct thread *t)
{
    struct hart *h = arch_hart_self(), *idle = claim_idle(h, t);
    set_home(t, idle != nullptr ? idle->id : h->id);
    sched_ready(t);
}

void thread_stop_waiting(struct thread *t)
{
    if (t->state == THREAD_BLOCKED)
        list_unlink(&t->wait);
    if (t->timer.in_tree)
        tree_remove(&harts[t->home]->sched.deadlines, &t->timer);
}

void thread_wake(struct thread *t)
{
    if (unlikely(thread_state(t) != THREAD_BLOCKED))
        return;
    list_unlink(&t->wait);
    sched_ready(t);
}

/* Gives waiting threads to harts that idle. A hart that runs none keeps the first: two that are idle would else hand a
 * thread to and fro, each asking for it while the other has yet to look into its inbox. */
static void share(struct hart *h)
{
    bool runs_one = h->current != nullptr && thread_state(h->current) == THREAD_RUNNING;
    spill_only(h);
    for (uint32_t b = 0; b < VX_BAND_COUNT; b++) {
        struct list_node *next, *queue = &h->sched.queue[b];
        for (struct list_node *n = queue->next; n != queue; n = next) {
            struct thread *t = container_of(n, struct thread, run);
            struct hart *to;
            if (idle_near(h) == 0)
                return;
            next = n->next;
            if (atomic_load_explicit(&t->on_hart, memory_order_relaxed) || /* it is current, and goes on soon */
                (!runs_one && (t->affinity >> h->id & 1) != 0)) {
                runs_one = true;
                continue;
            }
            if ((to = claim_idle(h, t)) == nullptr)
                continue;
            dequeue(h, t);
            set_home(t, to->id);
            send(to, t);
        }
    }
}

void sched_ipi(struct hart *h)
{
    if (has_mail(h))
        open_inbox(h, true);
    if (h->sched.mask != 0 && idle_near(h) != 0)
        share(h);
}

void sched_set_urgency(struct hart *h, uint32_t band)
{
    uint32_t before = atomic_load_explicit(&h->sched.urgency, memory_order_relaxed);
    /* seq_cst: see send() and S5. */
    atomic_store_explicit(&h->sched.urgency, band, memory_order_seq_cst);
    if (band > before && atomic_load_explicit(&h->sched.inbox, memory_order_seq_cst) != nullptr)
        h->need_switch = 1;
}

/* A running hart, not this one, is to look at its queues again. By the owner of the gate. */
static void nudge(struct hart *other)
{
    other->need_switch = 1;
    if (other != arch_hart_self())
        arch_ipi_send(other);
}

/* --- taking threads away, changing bands --- */

void sched_remove(struct thread *t)
{
    struct hart *at = harts[t->home];
    if (at->sched.handover == t)
        at->sched.handover = nullptr;
    else if (t->state == THREAD_READY) {
        while (t->in_inbox)
            open_inbox(at, false);
        if (t->state == THREAD_READY)
            dequeue(at, t);
    }
}

static void save_registers(const void *thread)
{
    struct thread *t = (struct thread *)(uintptr_t)thread;
    t->tls = arch_tls_get();
    arch_fp_switch(thread_fp(t), thread_fp(t));
}

void sched_forget(struct thread *t, bool keep)
{
    struct hart *h = arch_hart_self(), *at = harts[t->home];
    if (at->current != t)
        return;
    if (at != h) {
        gate_catch(h, at);
        if (keep)
            kernel_harts_call(UINT64_C(1) << at->id, save_registers, t);
        if (keep && at->at_syscall)
            arch_frame_restart(&t->frame); /* it had not begun */
        sched_charge(at, t);
    } else {
        sched_charge(h, t);
        if (keep)
            save_registers(t);
    }
    at->current = nullptr;
    at->need_switch = 1;
    atomic_store_explicit(&t->on_hart, false, memory_order_release);
}

void sched_hand_over(struct thread *t)
{
    struct hart *h = arch_hart_self();
    list_unlink(&t->wait);
    if (unlikely(!sched_may_switch_to(h, t))) {
        sched_ready(t);
        return;
    }
    thread_set_state(t, THREAD_READY);
    set_home(t, h->id);
    h->sched.handover = t;
    h->need_switch = 1;
}

void sched_set_deadline(struct thread *t, uint64_t deadline_ns)
{
    struct hart *h = arch_hart_self();
    tree_insert(&h->sched.deadlines, &t->timer, deadline_ns);
    if (deadline_ns < h->sched.armed_ns)
        arm(h, deadline_ns);
}

void sched_set_band(struct thread *t, uint8_t band)
{
    struct hart *h = harts[t->home];
    if (t->effective_band == band)
        return;
    bool queued = t->state == THREAD_READY && !t->in_inbox && h->sched.handover != t;
    if (queued)
        dequeue(h, t);
    t->effective_band = band;
    if (queued)
        enqueue(h, t, false);
    if (h->current == t && t->state == THREAD_RUNNING) {
        sched_set_urgency(h, band);
        if (h == arch_hart_self() && has_mail(h)) /* its sender saw the lent band, and raised no interrupt (S5) */
            open_inbox(h, true);
        if (more_urgent(h, t) != 0 || (has_mail(h) && h != arch_hart_self()))
            nudge(h);
        else if (h == arch_hart_self() && h->sched.mask != 0 && !h->sched.slice_armed)
            sched_arm_slice(h);
    } else if (queued) {
        nudge(h);
    }
}

/* --- time --- */

/* Its deadline has passed. Somebody may be waking it just now: whoever finds it waiting, under the lock of what it
 * waits for, wakes it. It cannot run meanwhile: it has a deadline, so it would come to our inbox first, and that has
 * been opened in this same entry; so what it waits for is still there, and so is the lock. Requeue may give it another
 * lock while we wait for this one. model: test/model/futex.pml, test/model/exit.pml */
static void expire(struct hart *h, struct thread *t)
{
    struct spinlock *l;
    while ((l = atomic_load_explicit(&t->wait_lock, memory_order_relaxed)) != nullptr) {
        lock_take(l, LOCK_TASK); /* or of another rank: none is held, and none is taken under it */
        bool same = atomic_load_explicit(&t->wait_lock, memory_order_relaxed) == l;
        if (same) {
            tree_remove(&h->sched.deadlines, &t->timer);
            thread_wake(t);
        }
        lock_release(l, LOCK_TASK);
        if (same)
            return;
    }
    tree_remove(&h->sched.deadlines, &t->timer);
    thread_wake(t); /* a sleeper: nobody else wakes it */
}

void kernel_timer(void)
{
    struct hart *h = arch_hart_self();
    uint64_t now = arch_timer_now_ns();
    h->sched.slice_armed = false;
    h->sched.armed_ns = UINT64_MAX;
    if (has_mail(h))
        open_inbox(h, true);
    /* What is due and left has the timer fire again at once. */
    for (uint32_t n = 0; h->sched.mail == nullptr && n < WAKES_AT_ONCE && first_deadline(h) <= now; n++)
        expire(h, container_of(h->sched.deadlines.first, struct thread, timer));
    if (h->sched.mask != 0 && n_harts > 1)
        share(h);
    if (!list_is_empty(&graves.objects))
        h->need_switch = 1;
    struct thread *cur = h->current;
    if (cur != nullptr && thread_state(cur) == THREAD_RUNNING && h->sched.mask != 0 && !h->sched.slice_armed) {
        spill_only(h);
        const struct list_node *first = h->sched.queue[cur->effective_band].next;
        uint64_t cycles = arch_cycles(), ran = cycles - h->sched.switched_cycles;
        if (h->sched.first != first)
            h->sched.first_cycles = cycles;
        else if (cycles - h->sched.first_cycles > ran) /* those before it hand the hart to each other */
            ran = cycles - h->sched.first_cycles;
        h->sched.first = first;
        if ((h->sched.mask >> cur->effective_band & 1) == 0) {
            sched_arm_slice(h);
        } else if (ran >= h->sched.slice_cycles) {
            enqueue(h, cur, false);
            h->sched.first = nullptr;
            h->need_switch = 1;
        } else {
            arm_in(h, sched_cycles_to_ns(h->sched.slice_cycles - ran));
        }
    }
    if (!h->sched.slice_armed)
        arm(h, first_deadline(h));
}

/* --- who is next --- */

/* The thread that should have the hart now, taken off its queue; nullptr: none. */
static inline struct thread *pick(struct hart *h, struct thread *cur)
{
    if (unlikely(has_mail(h)))
        open_inbox(h, true);
    struct thread *t = h->sched.handover;
    bool runs = cur != nullptr && thread_state(cur) == THREAD_RUNNING;
    h->sched.handover = nullptr;
    if (t != nullptr && (more_urgent(h, t) != 0 || (runs && cur->effective_band < t->effective_band))) {
        enqueue(h, t, true);
        t = nullptr;
    }
    if (t == nullptr && runs && more_urgent(h, cur) == 0)
        return cur;
    if (t == nullptr && h->sched.mask != 0)
        t = take_first(h);
    if (runs)
        enqueue(h, cur, true);
    return t;
}

/* Runs the call that the thread was parked in. */
[[gnu::always_inline]] static inline void rerun(struct hart *h, struct thread *t)
{
    typedef struct sysret call_fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
    struct arch_frame *f = &t->frame;
    t->parked = false;
    h->rerunning = true;
    call_fn *call = (call_fn *)(uintptr_t)h->syscalls[arch_frame_syscall_nr(f) % SYSCALL_TABLE_ENTRIES];
    struct sysret r = call(arch_frame_arg(f, 0), arch_frame_arg(f, 1), arch_frame_arg(f, 2), arch_frame_arg(f, 3),
                           arch_frame_arg(f, 4), arch_frame_arg(f, 5));
    h->rerunning = false;
    if (likely(h->current == t && h->outcome == CALL_RETURNS)) /* else it ended itself, or waits */
        arch_frame_set_result(f, r.first, r.second);
}

/* Has the harts of the domain that have threads waiting look for idle ones, of which this is one. */
static void ask_around(const struct hart *h)
{
    atomic_thread_fence(memory_order_seq_cst); /* the idle bit before the look at queues; see sched_arm_slice() */
    for (uint64_t m = h->sched.domain & ~(UINT64_C(1) << h->id); m != 0; m &= m - 1) {
        struct hart *other = harts[__builtin_ctzll(m)];
        if (__atomic_load_n(&other->sched.mask, __ATOMIC_RELAXED) == 0 &&
            atomic_load_explicit(&other->sched.inbox, memory_order_relaxed) == nullptr)
            continue;
        arch_ipi_send(other);
    }
}

static void idle(struct hart *h)
{
    if (h->current != nullptr)
        sched_forget(h->current, true);
    if (h->sched.slice_armed) {
        h->sched.slice_armed = false;
        arm(h, first_deadline(h));
    }
    uint64_t bit = UINT64_C(1) << h->id;
    atomic_fetch_or_explicit(&idle_harts, bit, memory_order_relaxed);
    sched_set_urgency(h, VX_BAND_COUNT);
    if (n_harts > 1)
        ask_around(h);
    /* The last look is after urgency and the bit say that this hart idles: whoever sends later raises an interrupt. */
    if (atomic_load_explicit(&h->sched.inbox, memory_order_seq_cst) == nullptr && h->sched.mail == nullptr) {
        gate_leave(h);
        arch_idle_wait();
    }
    atomic_fetch_and_explicit(&idle_harts, ~bit, memory_order_relaxed);
}

/* A step of what is left in the graveyard when nobody waits for it, unless somebody urgent wants the hart. True: there
 * may be more. */
static bool tidy(struct hart *h)
{
    if (list_is_empty(&graves.objects))
        return false;
    arch_irq_window(); /* what came before may have taken a step's time, too */
    uint32_t band = h->current != nullptr && thread_state(h->current) == THREAD_RUNNING ? h->current->effective_band
                                                                                        : VX_BAND_COUNT;
    if (((h->sched.mask | 1u << band) & ((1u << VX_BAND_NORMAL) - 1)) != 0) {
        arm_in(h, TIDY_NS);
        return false;
    }
    (void)gate_close(h, false);
    work_begin();
    (void)object_reap();
    gate_open(h);
    arch_irq_window();
    return true;
}

[[noreturn]] void sched_run(void)
{
    struct hart *h = arch_hart_self();
    if (unlikely(h->alone))
        gate_open(h);
    for (;;) {
        sched_leave_call(h);
        if (unlikely(tidy(h)))
            continue;
        struct thread *cur = h->current, *t = pick(h, cur);
        if (t == nullptr) {
            idle(h);
            continue;
        }
        if (thread_state(t) != THREAD_RUNNING) {
            sched_switch(h, cur, t);
            if (t->parked)
                rerun(h, t);
        }
        if (likely(h->need_switch == 0))
            arch_resume();
        arch_irq_window(); /* it waits again, and so may many that were woken with it */
    }
}

[[noreturn, gnu::always_inline]] inline void sched_go_on(struct hart *h, struct thread *t)
{
    if (t->parked)
        rerun(h, t);
    if (likely(h->need_switch == 0))
        arch_resume();
    sched_run();
}

/* The end of a call whose thread may not run on, which is on its queue or waits: to t, which is on none. */
[[noreturn, gnu::always_inline]] static inline void leave_to(struct hart *h, struct thread *cur, struct thread *t)
{
    __builtin_assume(cur != nullptr);
    sched_leave_call(h);
    sched_switch(h, cur, t);
    sched_go_on(h, t);
}

void sched_leave(void)
{
    struct hart *h = arch_hart_self();
    if (likely(h->sched.handover == nullptr && h->sched.mask != 0 && !h->alone))
        leave_to(h, h->current, take_first(h));
    sched_run();
}

void sched_next_turn(void)
{
    struct hart *h = arch_hart_self();
    struct thread *cur = h->current;
    if ((h->sched.mask & ((2u << cur->effective_band) - 1)) == 0)
        return;
    arch_frame_set_result(&cur->frame, 0, 0);
    struct thread *t = take_first(h);
    if (likely(h->sched.mask == 0))
        enqueue_only(h, cur);
    else
        enqueue(h, cur, false);
    leave_to(h, cur, t);
}

[[noreturn]] void kernel_syscall_slow(uint64_t first, uint64_t second)
{
    struct hart *h = arch_hart_self();
    if (h->current != nullptr && h->outcome == CALL_RETURNS)
        arch_frame_set_result(&h->current->frame, first, second);
    sched_run();
}

[[noreturn]] void kernel_return_to_user(void)
{
    struct hart *h = arch_hart_self();
    if (h->need_switch == 0 && h->current != nullptr && !h->alone)
        arch_resume();
    sched_run();
}
