/* SPDX-License-Identifier: MIT
 * Everything at once, for SMP_SECONDS: Tasks whose threads make random calls on each other and on what they share,
 * while others are stopped and end. In the end every thread has ended and every page is back. */
#pragma once
#include "smp_cases.h"

enum { CITIES = 3, CITIZENS = 3, WORDS_AT = USER_BASE, BUFFERS_AT = USER_BASE + 8192 };

/* A Task of the storm. */
struct city {
    vx_handle_t sem, own, mail_in, mail_to[CITIES], other[CITIES];
    _Atomic uint32_t last_thread; /* id of one that was made lately */
    _Atomic uint32_t narrowed;    /* a handle made lately; or 0 */
};

static struct city cities[CITIES];
static enum next citizen(struct user *u);

static uint64_t soon(struct user *u)
{
    return arch_cycles() + smp_random(u, 30000);
}

/* Where this thread's messages lie. */
static uint64_t buffer(const struct user *u)
{
    return BUFFERS_AT + u->index % 16 * 1024;
}

/* Memory of its own: written, read back, changed, given back. u->a: where; u->b: what is in it. */
enum { OWN_BYTES = 3 * 4096 };
static enum next own_memory(struct user *u)
{
    uint64_t word, at = u->a + smp_random(u, OWN_BYTES / 8) * 8;
    switch (smp_random(u, 5)) {
    case 0:
        u->phase = 'f';
        return go(NR_mem_free, VX_HANDLE_NONE, u->a, OWN_BYTES);
    case 1:
        u->phase = 'p';
        return go(NR_mem_map, VX_HANDLE_NONE, 0, OWN_BYTES, u->a, smp_random(u, 2) ? RW : VX_PROT_READ | VX_PROT_WRITE);
    default:
        if (!user_get(u, at, &word))
            return NEXT_FAULT;
        if (word != 0 && word != (u->b ^ at))
            smp_fail("user %u: %llx at %llx, which is its own", u->index, (unsigned long long)word,
                     (unsigned long long)at);
        return user_put(u, at, u->b ^ at) ? NEXT_CODE : NEXT_FAULT;
    }
}

static enum next citizen_call(struct user *u, struct city *p)
{
    uint32_t id = atomic_load_explicit(&p->last_thread, memory_order_relaxed);
    uint32_t some = atomic_exchange_explicit(&p->narrowed, 0, memory_order_relaxed);
    struct user *v;
    switch (smp_random(u, 24)) {
    case 0:
        return go(NR_sem_signal, p->sem, 1);
    case 1:
        return go(NR_sem_wait, p->sem, 1 + smp_random(u, 2), soon(u));
    case 2:
        return go(NR_signal_post, p->other[smp_random(u, CITIES)], 1u << smp_random(u, 4));
    case 3:
        return go(NR_signal_wait, 1u << smp_random(u, 4) | 1, soon(u));
    case 4:
        return go(NR_futex_wait, WORDS_AT + smp_random(u, 4) * 4, 0, soon(u));
    case 5:
        return go(NR_futex_wake, WORDS_AT + smp_random(u, 4) * 4, 1 + smp_random(u, 3));
    case 6:
        return go(NR_futex_wake, WORDS_AT + smp_random(u, 4) * 4, smp_random(u, 2), VX_FUTEX_REQUEUE,
                  WORDS_AT + smp_random(u, 4) * 4);
    case 7:
        return go(NR_yield, 0);
    case 8:
        return go(NR_nanosleep, soon(u));
    case 9:
    case 10:
        u->phase = 'a';
        return go(NR_mem_alloc, VX_HANDLE_NONE, OWN_BYTES, RW | (smp_random(u, 2) ? VX_MEM_LAZY : VX_MEM_COMMIT), 0);
    case 11:
        v = user_new(citizen, p, smp_random(u, 30));
        if (v == nullptr)
            return NEXT_CODE;
        u->phase = 't';
        return go(NR_thread_create, START_PC, USER_BASE + USER_BYTES, v->index, 0, smp_random(u, 2));
    case 12:
        return go(NR_thread_join, id, soon(u));
    case 13:
        return go(NR_thread_interrupt, id);
    case 14:
        u->phase = 'n';
        return go(NR_cap_narrow, p->sem, VX_R_SIGNAL | VX_R_WAIT | VX_R_COPY | VX_R_MOVE, 0, 0);
    case 15:
        return go(NR_cap_drop, some);
    case 16:
        return go(NR_cap_revoke, p->sem);
    case 17:
    case 18:
        return go(NR_ring_send, p->mail_to[smp_random(u, CITIES)], buffer(u), soon(u));
    case 19:
        return some != 0 ? go(NR_ring_send_cap, p->mail_to[smp_random(u, CITIES)], buffer(u), some, soon(u))
                         : NEXT_CODE;
    case 20:
        return go(NR_ring_send_burst, p->mail_to[smp_random(u, CITIES)], buffer(u), 1 + smp_random(u, 5));
    case 21:
        u->tls_next = smp_random(u, 4096) * 16;
        return go(NR_set_tls, u->tls_next);
    case 22:
        return go(NR_clock_get_time, smp_random(u, 2) ? VX_CLOCK_TASK_CPU : VX_CLOCK_THREAD_CPU);
    default:
        return go(NR_task_control, VX_HANDLE_NONE, VX_TASK_THREAD_BAND, VX_BAND_NORMAL + smp_random(u, 2));
    }
}

/* What the last call gave. */
static void citizen_took(struct user *u, struct city *p)
{
    switch (u->phase) {
    case 'a':
        u->a = u->st == OK ? u->second : 0;
        u->b = choose_raw(&u->c, 8) | 1;
        break;
    case 'f':
    case 'p':
        smp_must(u->st == OK || u->st == ERR_NO_MEMORY);
        if (u->phase == 'f' && u->st == OK)
            u->a = 0;
        break;
    case 't':
        if (u->st == OK)
            atomic_store_explicit(&p->last_thread, (uint32_t)u->first, memory_order_relaxed);
        break;
    case 'n':
        if (u->st == OK)
            atomic_store_explicit(&p->narrowed, (uint32_t)u->first, memory_order_relaxed);
        break;
    default:
        break;
    }
    u->phase = 1;
}

/* Threads that were made in the storm live for u->n steps; the first ones until it is over. */
static enum next citizen(struct user *u)
{
    struct city *p = u->party;
    citizen_took(u, p);
    if (atomic_load_explicit(&smp_over, memory_order_relaxed))
        return leave_task(u);
    if (u->n != 0 && --u->n == 0)
        return go(NR_thread_exit, u->index, 0, 0, 0);
    if (u->a != 0)
        return own_memory(u);
    return citizen_call(u, p);
}

/* The one who takes a Task's mail out of its Ring. */
static enum next postman(struct user *u)
{
    struct city *p = u->party;
    if (atomic_load_explicit(&smp_over, memory_order_relaxed))
        return leave_task(u);
    if (u->phase == 1 && u->st == OK && u->first != 0) {
        u->phase = 0;
        return go(NR_cap_drop, u->first);
    }
    u->phase = smp_random(u, 3) != 0;
    if (u->phase == 1)
        return go(NR_ring_recv_cap, p->mail_in, buffer(u), soon(u));
    return go(NR_ring_recv_burst, p->mail_in, buffer(u), 1 + smp_random(u, 5), soon(u));
}

static void everything_at_once(void **)
{
    static struct prison prison;
    struct task *t[CITIES];
    struct object *sem;
    vx_handle_t reticle;
    begin(4);
    machine_must(object_create(&machine_root, VX_CAP_SEM, sizeof(struct sem), &sem) == OK);
    waitq_init(&sem_of(sem)->waiters);
    list_init(&sem_of(sem)->binding.node);
    for (int i = 0; i < CITIES; i++)
        t[i] = smp_task(8, VX_BAND_SERVICE, nullptr, &reticle);
    for (int i = 0; i < CITIES; i++) {
        cities[i] = (struct city){ .sem = machine_grant(t[i], sem, VX_CAP_SEM, VX_RIGHTS_ALL) };
        for (int j = 0; j < CITIES; j++)
            cities[i].other[j] = machine_grant(t[i], &t[j]->obj, VX_CAP_TASK, VX_R_SIGNAL);
    }
    for (int i = 0; i < CITIES; i++) {
        struct ring *r = new_ring();
        cities[i].mail_in = machine_grant(t[i], &r->obj, VX_CAP_RING_RX, VX_RIGHTS_ALL);
        for (int j = 0; j < CITIES; j++)
            cities[j].mail_to[i] = machine_grant(t[j], &r->obj, VX_CAP_RING_TX, VX_RIGHTS_ALL);
        for (int j = 0; j < CITIZENS; j++)
            thread_start(smp_thread(t[i], user_new(citizen, &cities[i], 0)));
        thread_start(smp_thread(t[i], user_new(postman, &cities[i], 0)));
    }
    struct task *jail = smp_task(6, VX_BAND_SERVICE, nullptr, &reticle);
    prison = (struct prison){ .jailer = jail, .by_time = true };
    thread_start(smp_thread(jail, user_new(jailer, &prison, UINT64_MAX)));
    smp_run((double)smp_environment("SMP_SECONDS", 3));
    smp_must(smp_check_rest() == 0);
}
