/* SPDX-License-Identifier: MIT
 * What several harts do at once: see smp.h. */
#pragma once
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#include "cmocka_kassert.h"
#include "smp.h"

static uint64_t free_at_start;

static int begin(uint32_t n)
{
    smp_begin(n);
    free_at_start = machine_root.free_pages;
    return 0;
}

static int end(void **)
{
    smp_end(free_at_start);
    return 0;
}

static uint64_t rounds(void)
{
    return smp_environment("SMP_ROUNDS", 150);
}

static enum next leave_task(struct user *u)
{
    (void)u;
    return go(NR_task_exit, 0);
}

/* A few steps of user code, so that calls of two threads do not fall into step. */
static bool loiter(struct user *u)
{
    return smp_random(u, 4) == 0;
}

/* Done, but its Task goes on. */
static enum next rest(_Atomic uint64_t *done)
{
    atomic_fetch_add_explicit(done, 1, memory_order_relaxed);
    return go(NR_nanosleep, VX_FOREVER);
}

/* --- ping-pong --- */

struct pair {
    vx_handle_t first[2], second[2]; /* of either side */
    _Atomic uint64_t done;
};

/* Sides wait for ever: a wake-up that is lost leaves the machine at rest too early. */
static enum next sem_player(struct user *u)
{
    struct pair *p = u->party;
    unsigned side = u->a != 0;
    if (loiter(u))
        return NEXT_CODE;
    smp_must(u->phase == 0 || u->st == OK);
    if (u->phase == 2 * u->n)
        return rest(&p->done);
    if ((u->phase++ + side) % 2 == 0)
        return go(NR_sem_signal, p->first[side], 1);
    return go(NR_sem_wait, p->second[side], 1, VX_FOREVER);
}

static enum next signal_player(struct user *u)
{
    struct pair *p = u->party;
    unsigned side = u->a != 0;
    if (loiter(u))
        return NEXT_CODE;
    smp_must(u->phase == 0 || u->st == OK);
    if (u->phase == 2 * u->n)
        return rest(&p->done);
    if ((u->phase++ + side) % 2 == 0)
        return go(NR_signal_post, p->first[side], 2);
    return go(NR_signal_wait, 2, VX_FOREVER);
}

static enum next ring_player(struct user *u)
{
    struct pair *p = u->party;
    unsigned side = u->a != 0;
    uint64_t got;
    if (loiter(u))
        return NEXT_CODE;
    smp_must(u->phase == 0 || u->st == OK);
    if (u->phase != 0 && (u->phase - 1 + side) % 2 == 1) {
        smp_must(user_get(u, USER_BASE + 64, &got));
        smp_must(got == (u->phase - 1) / 2);
    }
    if (u->phase == 2 * u->n)
        return rest(&p->done);
    uint64_t round = u->phase / 2;
    if ((u->phase++ + side) % 2 == 0) {
        smp_must(user_put(u, USER_BASE, round));
        return go(NR_ring_send, p->first[side], USER_BASE, VX_FOREVER);
    }
    return go(NR_ring_recv_cap, p->second[side], USER_BASE + 64, VX_FOREVER);
}

/* A client calls; the server answers and receives next in one call. */
static enum next caller(struct user *u)
{
    struct pair *p = u->party;
    uint64_t got;
    if (loiter(u))
        return NEXT_CODE;
    if (u->phase++ != 0) {
        smp_must(u->st == OK && user_get(u, USER_BASE + 64, &got));
        smp_must(got == (u->n + 1) * 3);
    }
    if (u->n == 0)
        return rest(&p->done);
    smp_must(user_put(u, USER_BASE, u->n--));
    return go(NR_ring_call, p->first[0], USER_BASE, p->second[0], USER_BASE + 64, VX_FOREVER);
}

static enum next server(struct user *u)
{
    struct pair *p = u->party;
    uint64_t got;
    if (u->phase++ == 0)
        return go(NR_ring_recv_cap, p->second[1], USER_BASE + 64, VX_FOREVER);
    smp_must(u->st == OK && user_get(u, USER_BASE + 64, &got) && user_put(u, USER_BASE, got * 3));
    return go(NR_ring_call, p->first[1], USER_BASE, p->second[1], USER_BASE + 64, VX_FOREVER);
}

static struct ring *new_ring(void)
{
    struct ring *r;
    machine_must(ring_create_whole(&machine_root, 4, VX_RING_CAPS, &r) == OK);
    return r;
}

enum { PAIRS = 3 };
static struct pair pairs[PAIRS];

enum way { WITH_SEMS, WITH_SIGNALS, WITH_RINGS };

static void connect(struct pair *p, struct task *const t[2], enum way way)
{
    struct object *o[2];
    *p = (struct pair){};
    for (int i = 0; i < 2; i++)
        if (way == WITH_SEMS) {
            machine_must(object_create(&machine_root, VX_CAP_SEM, sizeof(struct sem), &o[i]) == OK);
            waitq_init(&sem_of(o[i])->waiters);
            list_init(&sem_of(o[i])->binding.node);
        } else {
            o[i] = way == WITH_RINGS ? &new_ring()->obj : &t[i]->obj;
        }
    uint8_t send = way == WITH_SEMS ? VX_CAP_SEM : way == WITH_RINGS ? VX_CAP_RING_TX : VX_CAP_TASK;
    uint8_t take = way == WITH_SEMS ? VX_CAP_SEM : way == WITH_RINGS ? VX_CAP_RING_RX : VX_CAP_TASK;
    for (int i = 0; i < 2; i++) {
        p->first[i] = machine_grant(t[i], o[!i], send, VX_RIGHTS_ALL);
        p->second[i] = machine_grant(t[i], o[i], take, VX_RIGHTS_ALL);
    }
}

static void play(uint32_t n, program_fn *first, program_fn *second, enum way way)
{
    begin(n);
    uint32_t sides = second == server ? 1 : 2;
    for (int i = 0; i < PAIRS; i++) {
        vx_handle_t reticle;
        struct task *t[2] = { smp_task(6, VX_BAND_NORMAL, nullptr, &reticle),
                              smp_task(6, i == 2 ? VX_BAND_SERVICE : VX_BAND_NORMAL, nullptr, &reticle) };
        connect(&pairs[i], t, way);
        struct user *u[2] = { user_new(first, &pairs[i], rounds()), user_new(second, &pairs[i], rounds()) };
        u[1]->a = 1;
        thread_start(smp_thread(t[0], u[0]));
        thread_start(smp_thread(t[1], u[1]));
    }
    smp_run(0);
    (void)smp_check_rest();
    for (int i = 0; i < PAIRS; i++)
        if (pairs[i].done != sides)
            smp_fail("pair %d rests before it is done", i);
}

static void semaphores_lose_no_wake_up(void **)
{
    play(2, sem_player, sem_player, WITH_SEMS);
}

static void signals_lose_no_wake_up(void **)
{
    play(3, signal_player, signal_player, WITH_SIGNALS);
}

static void rings_lose_no_wake_up(void **)
{
    play(2, ring_player, ring_player, WITH_RINGS);
}

static void calls_and_answers_lose_no_wake_up(void **)
{
    play(2, caller, server, WITH_RINGS);
    end(nullptr);
    play(4, caller, server, WITH_RINGS);
}

/* --- a wake-up on the way to sleep --- */

struct bed {
    vx_handle_t urgent, normal, both;
    _Atomic uint64_t done;
};

/* Sleeps, is woken, says so. u->a: the semaphore. */
static enum next sleeper(struct user *u)
{
    const struct bed *p = u->party;
    smp_must(u->phase == 0 || u->st == OK);
    if (u->phase != 0 && u->phase % 2 == 0 && smp_random(u, 16) != 0)
        return NEXT_CODE; /* so that the next wake-up finds it on its way to sleep */
    return u->phase++ % 2 == 0 ? go(NR_sem_wait, u->a, 1, VX_FOREVER) : go(NR_sem_signal, p->both, 1);
}

static enum next alarm_clock(struct user *u)
{
    struct bed *p = u->party;
    smp_must(u->phase == 0 || u->st == OK);
    if (u->n == 0)
        return rest(&p->done);
    switch (u->phase++ % 4) {
    case 0:
        return go(NR_sem_signal, p->urgent, 1);
    case 2:
        return go(NR_sem_signal, p->normal, 1);
    case 3:
        u->n--;
        [[fallthrough]];
    default:
        return go(NR_sem_wait, p->both, 1, VX_FOREVER);
    }
}

static vx_handle_t grant_sem(struct task *t)
{
    struct object *o;
    machine_must(object_create(&machine_root, VX_CAP_SEM, sizeof(struct sem), &o) == OK);
    waitq_init(&sem_of(o)->waiters);
    list_init(&sem_of(o)->binding.node);
    return machine_grant(t, o, VX_CAP_SEM, VX_RIGHTS_ALL);
}

/* On a hart whose urgent thread goes to sleep a less urgent one is woken, by somebody who sees that the hart has better
 * to do and sends no interrupt. */
static void a_hart_that_goes_idle_looks_once_more(void **)
{
    static struct bed bed;
    vx_handle_t reticle;
    begin(2);
    smp_dawdle = 6;
    struct task *t = smp_task(6, VX_BAND_SERVICE, nullptr, &reticle);
    bed = (struct bed){ .urgent = grant_sem(t), .normal = grant_sem(t), .both = grant_sem(t) };
    struct user *u[3] = { user_new(sleeper, &bed, 0), user_new(sleeper, &bed, 0),
                          user_new(alarm_clock, &bed, rounds() * 60) };
    u[0]->a = bed.urgent;
    u[1]->a = bed.normal;
    for (int i = 0; i < 3; i++) {
        struct thread *th = smp_thread(t, u[i]);
        th->affinity = i < 2 ? 1 : 2; /* hart 0, or hart 1 */
        if (i == 1)
            th->band = th->effective_band = VX_BAND_NORMAL;
        thread_start(th);
    }
    smp_run(0);
    (void)smp_check_rest();
    smp_must(bed.done == 1);
}

/* --- futexes --- */

enum { PLAYERS = 3, WORD_A = USER_BASE, WORD_B = USER_BASE + 4096 };

struct table {
    _Atomic uint64_t done, timed_out;
    _Atomic uint32_t left;
};

/* A turn goes round: the word says whose it is. */
static enum next turn_taker(struct user *u)
{
    struct table *p = u->party;
    uint64_t word;
    smp_must(user_get(u, WORD_A, &word));
    if (u->n == 0 && u->phase == 0)
        return rest(&p->done);
    smp_must(!u->calling && (u->st == OK || u->st == ERR_WOULD_BLOCK));
    if (u->phase == 1) {
        u->phase = 0;
        return go(NR_futex_wake, WORD_A, UINT64_MAX);
    }
    if ((uint32_t)word % PLAYERS != u->a)
        return go(NR_futex_wait, WORD_A, (uint32_t)word, VX_FOREVER);
    if (loiter(u))
        return NEXT_CODE;
    u->n--;
    u->phase = 1;
    smp_must(user_put(u, WORD_A, word + 1));
    return NEXT_CODE;
}

static void futexes_lose_no_wake_up(void **)
{
    static struct table table;
    vx_handle_t reticle;
    begin(3);
    table = (struct table){};
    struct task *t = smp_task(6, VX_BAND_NORMAL, nullptr, &reticle);
    for (uint32_t i = 0; i < PLAYERS; i++) {
        struct user *u = user_new(turn_taker, &table, rounds());
        u->a = i;
        thread_start(smp_thread(t, u));
    }
    smp_run(0);
    (void)smp_check_rest();
    smp_must(table.done == PLAYERS);
}

/* Waits for a word with a deadline that passes about when somebody lets its waiters wait for another word, which nobody
 * ever wakes. */
static enum next short_waiter(struct user *u)
{
    struct table *p = u->party;
    if (u->phase++ != 0) {
        smp_must(u->st == OK || u->st == ERR_TIMED_OUT);
        if (u->st == ERR_TIMED_OUT)
            atomic_fetch_add_explicit(&p->timed_out, 1, memory_order_relaxed);
    }
    if (u->n == 0) {
        atomic_fetch_sub_explicit(&p->left, 1, memory_order_relaxed);
        return go(NR_nanosleep, VX_FOREVER);
    }
    u->n--;
    return go(NR_futex_wait, WORD_A, 0, arch_cycles() + smp_random(u, 20000));
}

static enum next requeuer(struct user *u)
{
    const struct table *p = u->party;
    if (atomic_load_explicit(&p->left, memory_order_relaxed) == 0)
        return go(NR_nanosleep, VX_FOREVER);
    uint64_t from = smp_random(u, 8) == 0 ? WORD_B : WORD_A;
    return go(NR_futex_wake, from, smp_random(u, 8) == 0, VX_FUTEX_REQUEUE, from == WORD_A ? WORD_B : WORD_A);
}

static void a_deadline_passes_wherever_a_waiter_was_moved(void **)
{
    static struct table table;
    vx_handle_t reticle;
    begin(4);
    smp_dawdle = 12;
    table = (struct table){ .left = 5 };
    struct task *t = smp_task(6, VX_BAND_NORMAL, nullptr, &reticle);
    for (uint32_t i = 0; i < 5; i++)
        thread_start(smp_thread(t, user_new(short_waiter, &table, rounds())));
    for (uint32_t i = 0; i < 2; i++)
        thread_start(smp_thread(t, user_new(requeuer, &table, 0)));
    smp_run(0);
    (void)smp_check_rest();
    smp_must(table.left == 0 && table.timed_out != 0);
}

/* --- deadlines against wakers --- */

struct shop {
    vx_handle_t sem;
    _Atomic uint64_t given, taken;
    _Atomic uint32_t left;
};

static enum next buyer(struct user *u)
{
    struct shop *p = u->party;
    if (u->phase == 1) {
        smp_must(u->st == OK || u->st == ERR_TIMED_OUT);
        if (u->st == OK)
            atomic_fetch_add_explicit(&p->taken, 1, memory_order_relaxed);
    }
    if (u->n == 0) {
        atomic_fetch_sub_explicit(&p->left, 1, memory_order_relaxed);
        return go(NR_nanosleep, VX_FOREVER);
    }
    u->n--;
    u->phase = smp_random(u, 4) != 0;
    return u->phase == 1 ? go(NR_sem_wait, p->sem, 1, arch_cycles() + smp_random(u, 30000))
                         : go(NR_nanosleep, arch_cycles() + smp_random(u, 5000));
}

static enum next seller(struct user *u)
{
    struct shop *p = u->party;
    if (u->phase == 1) {
        smp_must(u->st == OK);
        atomic_fetch_add_explicit(&p->given, 1, memory_order_relaxed);
    }
    if (atomic_load_explicit(&p->left, memory_order_relaxed) == 0) {
        u->phase = 0;
        return go(NR_nanosleep, VX_FOREVER);
    }
    u->phase = smp_random(u, 2);
    return u->phase == 1 ? go(NR_sem_signal, p->sem, 1) : go(NR_nanosleep, arch_cycles() + smp_random(u, 40000));
}

static void what_is_given_is_taken_once_whatever_the_deadlines(void **)
{
    static struct shop shop;
    struct object *o;
    vx_handle_t reticle;
    begin(4);
    struct task *t = smp_task(6, VX_BAND_NORMAL, nullptr, &reticle);
    machine_must(object_create(&machine_root, VX_CAP_SEM, sizeof(struct sem), &o) == OK);
    waitq_init(&sem_of(o)->waiters);
    list_init(&sem_of(o)->binding.node);
    shop = (struct shop){ .left = 5, .sem = machine_grant(t, o, VX_CAP_SEM, VX_RIGHTS_ALL) };
    for (uint32_t i = 0; i < 5; i++)
        thread_start(smp_thread(t, user_new(buyer, &shop, rounds())));
    for (uint32_t i = 0; i < 2; i++)
        thread_start(smp_thread(t, user_new(seller, &shop, 0)));
    smp_run(0);
    (void)smp_check_rest();
    smp_must(shop.left == 0 && shop.given == shop.taken + sem_of(o)->count);
}

/* --- stopping and ending what runs elsewhere --- */

static enum next spinner(struct user *u)
{
    if (smp_random(u, 16) == 0)
        return go(NR_set_tls, u->tls_next = USER_BASE + smp_random(u, 4096));
    if (smp_random(u, 16) == 0)
        return go(NR_yield, 0);
    u->a++;
    return NEXT_CODE;
}

struct prison {
    struct task *jailer;
    vx_handle_t victim;
    bool by_time; /* comes to an end when the storm does */
};

static void enter_new_victim(void *arg)
{
    struct user *u = arg;
    struct prison *p = u->party;
    struct hart *h = host_hart;
    gate_enter(h);
    if (h->current == nullptr || !gate_close(h, false))
        kernel_return_to_user();
    vx_handle_t reticle;
    struct task *t = smp_task(5, VX_BAND_NORMAL, nullptr, &reticle);
    p->victim = machine_grant(p->jailer, &t->obj, VX_CAP_TASK, VX_RIGHTS_ALL);
    for (int i = 0; i < 2; i++) {
        struct user *v = user_new(spinner, nullptr, 0);
        if (v != nullptr)
            thread_start(smp_thread(t, v));
    }
    u->phase = 1;
    u->alone = nullptr;
    kernel_return_to_user();
}

static enum next jailer(struct user *u)
{
    struct prison *p = u->party;
    switch (u->phase) {
    case 0:
        u->alone = enter_new_victim; /* in place of a SPAWN */
        return NEXT_CODE;
    case 1:
        if (u->b == 0)
            u->b = 2 + smp_random(u, 10);
        if (--u->b == 0) {
            u->phase = 2;
            return go(NR_destroy, p->victim);
        }
        switch (smp_random(u, 4)) {
        case 0:
            return go(NR_nanosleep, arch_cycles() + smp_random(u, 20000));
        case 1:
        case 2:
            return go(NR_task_control, p->victim, u->b % 2 ? VX_TASK_STOP : VX_TASK_RESUME);
        default:
            return NEXT_CODE;
        }
    case 2:
        smp_must(u->st == OK);
        u->phase = 3;
        return go(NR_waitpid, p->victim, VX_WAIT_NOHANG);
    case 3:
        smp_must(u->st == OK); /* it has ended when DESTROY returns */
        u->phase = 4;
        return go(NR_cap_drop, p->victim);
    default:
        smp_must(u->st == OK);
        u->phase = 0;
        if (--u->n == 0 || (p->by_time && atomic_load_explicit(&smp_over, memory_order_relaxed)))
            return leave_task(u);
        return NEXT_CODE;
    }
}

static void what_runs_elsewhere_is_stopped_and_ended(void **)
{
    static struct prison prison[2];
    vx_handle_t reticle;
    begin(4);
    for (int i = 0; i < 2; i++) {
        struct task *t = smp_task(6, VX_BAND_SERVICE, nullptr, &reticle);
        prison[i] = (struct prison){ .jailer = t };
        thread_start(smp_thread(t, user_new(jailer, &prison[i], rounds() / 4 + 1)));
    }
    smp_run(0);
    (void)smp_check_rest();
}

/* --- one object, shown by many --- */

/* Its first thread shows a page of it and takes it away; u->a: the handle. */
static enum next shower(struct user *u)
{
    smp_must(u->phase == 0 || u->st == OK);
    if (loiter(u))
        return NEXT_CODE;
    if (u->phase++ % 2 == 0)
        return u->n-- == 0 ? leave_task(u) : go(NR_mem_map, u->a, 4096 * smp_random(u, 4), 4096, 0, RW);
    return go(NR_mem_free, u->a, u->first, 4096);
}

static void areas_of_one_object_come_and_go_everywhere(void **)
{
    vx_handle_t reticle;
    struct mem *m;
    begin(4);
    machine_must(mem_create_whole(&machine_root, UINT64_C(4) * ARCH_PAGE_SIZE, false, VX_CAP_MEM, &m) == OK);
    for (int i = 0; i < 4; i++) {
        struct task *t = smp_task(6, VX_BAND_NORMAL, nullptr, &reticle);
        struct user *u = user_new(shower, nullptr, rounds() * 4);
        struct cap *slot;
        machine_must(cap_reserve(&t->caps, &slot) == OK);
        u->a = cap_make(slot, &m->obj, VX_CAP_MEM, VX_RIGHTS_ALL, 0, m->bytes);
        thread_start(smp_thread(t, u));
    }
    smp_run(0);
    smp_must(smp_check_rest() == 0);
}

/* --- shootdown --- */

struct watched {
    uint64_t at;
    _Atomic uint32_t is_read_only, left;
    _Atomic uint64_t tried, forbidden;
};

/* Writes, and skips what faults; when it was told before that the page is read-only it must fault. */
static enum next writer(struct user *u)
{
    struct watched *p = u->party;
    if (atomic_load_explicit(&p->left, memory_order_relaxed) == 0)
        return leave_task(u);
    bool forbidden = atomic_load_explicit(&p->is_read_only, memory_order_acquire) != 0;
    bool done = user_put(u, p->at + 8 * u->a, u->a);
    if (forbidden && atomic_load_explicit(&p->is_read_only, memory_order_acquire) == 1 && done)
        smp_fail("a page is written that is read-only: a stale translation");
    atomic_fetch_add_explicit(forbidden && !done ? &p->forbidden : &p->tried, 1, memory_order_relaxed);
    return NEXT_CODE;
}

static enum next protector(struct user *u)
{
    struct watched *p = u->party;
    uint64_t word;
    switch (u->phase) {
    case 0:
        u->phase = 1;
        return go(NR_mem_map, VX_HANDLE_NONE, 0, 4096, p->at, VX_PROT_READ);
    case 1:
        smp_must(u->st == OK);
        atomic_store_explicit(&p->is_read_only, 1, memory_order_release);
        u->phase = 2;
        smp_must(user_get(u, p->at + 8, &u->b));
        return NEXT_CODE;
    case 2:
        smp_must(user_get(u, p->at + 8, &word) && word == u->b);
        if (smp_random(u, 32) != 0)
            return NEXT_CODE;
        atomic_store_explicit(&p->is_read_only, 0, memory_order_release);
        u->phase = 3;
        return go(NR_mem_map, VX_HANDLE_NONE, 0, 4096, p->at, RW);
    default:
        smp_must(u->st == OK);
        if (smp_random(u, 32) != 0)
            return NEXT_CODE;
        u->phase = 0;
        if (u->n > 1 || atomic_load_explicit(&p->tried, memory_order_relaxed) != 0) /* not before the writers begin */
            u->n--;
        if (u->n == 0)
            atomic_store_explicit(&p->left, 0, memory_order_relaxed);
        return u->n == 0 ? leave_task(u) : NEXT_CODE;
    }
}

static void no_hart_uses_what_another_took_away(void **)
{
    static struct watched page;
    vx_handle_t reticle;
    begin(3);
    page = (struct watched){ .at = USER_BASE + 8192, .left = 1 };
    struct task *t = smp_task(6, VX_BAND_NORMAL, nullptr, &reticle);
    thread_start(smp_thread(t, user_new(protector, &page, rounds())));
    for (uint64_t i = 1; i < 3; i++) {
        struct user *u = user_new(writer, &page, 0);
        u->a = i;
        thread_start(smp_thread(t, u));
    }
    smp_run(0);
    smp_must(smp_check_rest() == 0);
    smp_must(page.tried != 0);
}
