/* SPDX-License-Identifier: MIT */
#include "table.h"
#include "landing.h"
#include "terminal.h"
#include <vectra/rpc_proc.h>
#include <vectra/string.h>

struct proc procs[PROC_PROCESSES_MAX];
uint32_t procs_used;

struct proc *proc_find(uint32_t id)
{
    for (uint32_t i = 0; id != 0 && i < procs_used; i++)
        if (procs[i].id == id)
            return &procs[i];
    return nullptr;
}

struct proc *proc_new(uint32_t id)
{
    if (id == 0 || id > INT32_MAX || proc_find(id) != nullptr)
        return nullptr;
    for (uint32_t i = 0; i < PROC_PROCESSES_MAX; i++)
        if (procs[i].id == 0) {
            procs[i] = (struct proc){ .id = id };
            procs_used = i < procs_used ? procs_used : i + 1;
            return &procs[i];
        }
    return nullptr;
}

struct proc *proc_of_thread(uint32_t number)
{
    for (uint32_t i = 0; i < procs_used; i++)
        if (procs[i].threads != 0 && number - procs[i].threads < VX_PROC_THREADS_EACH)
            return &procs[i];
    return nullptr;
}

uint32_t proc_threads(struct proc *p)
{
    static uint32_t last; /* the numbers that were free for longest are given out next */
    static_assert(VX_PROC_THREADS_FIRST / VX_PROC_THREADS_EACH > PROC_PROCESSES_MAX);
    while (p->threads == 0) {
        last = (last + VX_PROC_THREADS_EACH) % VX_PROC_THREADS_FIRST;
        if (proc_of_thread(VX_PROC_THREADS_FIRST + last) == nullptr)
            p->threads = VX_PROC_THREADS_FIRST + last;
    }
    return p->threads;
}

static bool alive(const struct proc *p)
{
    return p->id != 0 && p->state != VX_PROC_STATE_ENDED;
}

static bool stops(uint32_t signal)
{
    return signal == SIG_STOP || signal == SIG_TSTP || signal == SIG_TTIN || signal == SIG_TTOU;
}

static bool ignored_by_default(uint32_t signal)
{
    return signal == SIG_CHLD || signal == SIG_URG || signal == SIG_WINCH || signal == SIG_CONT;
}

static void ring_bell(struct proc *p)
{
    if (p->task.raw != VX_HANDLE_NONE)
        (void)vx_sys_signal_post(p->task.raw, UINT64_C(1) << VX_PROC_BELL_BIT);
    else if (p->bell.raw != VX_HANDLE_NONE)
        (void)vx_sys_sem_signal(p->bell, 1); /* TOO_BIG: it has been rung often enough */
}

/* --- groups --- */

static bool member(const struct proc *p, uint32_t group, uint32_t session)
{
    return p->id != 0 && p->group == group && p->session == session;
}

bool group_exists(uint32_t group, uint32_t session)
{
    for (uint32_t i = 0; i < procs_used; i++)
        if (member(&procs[i], group, session))
            return true;
    return false;
}

uint32_t group_session(uint32_t group)
{
    for (uint32_t i = 0; i < procs_used; i++)
        if (member(&procs[i], group, procs[i].session))
            return procs[i].session;
    return 0;
}

bool group_orphaned(uint32_t group, uint32_t session)
{
    for (uint32_t i = 0; i < procs_used; i++) {
        const struct proc *p = &procs[i];
        if (!member(p, group, session) || !alive(p))
            continue;
        const struct proc *parent = proc_find(p->parent);
        if (parent != nullptr && alive(parent) && parent->group != group && parent->session == session)
            return false;
    }
    return true;
}

void group_signal(uint32_t group, uint32_t session, uint32_t signal)
{
    struct note n = { .signal = signal, .code = CODE_KERNEL };
    for (uint32_t i = 0; i < procs_used; i++)
        if (member(&procs[i], group, session) && alive(&procs[i]))
            (void)proc_signal(&procs[i], &n);
}

/* A group that nobody can let go on any more must not stay stopped. */
static void look_after_orphans(uint32_t group, uint32_t session)
{
    bool stopped = false;
    for (uint32_t i = 0; i < procs_used; i++)
        stopped |= member(&procs[i], group, session) && procs[i].state == VX_PROC_STATE_STOPPED;
    if (!stopped || !group_orphaned(group, session))
        return;
    group_signal(group, session, SIG_HUP);
    group_signal(group, session, SIG_CONT);
}

/* --- authority --- */

bool proc_may_signal(const struct proc *sender, const struct proc *target)
{
    if (sender->session == target->session)
        return true;
    /* ids only grow from parent to child, but a client says them: a bound, not trust, ends the walk */
    for (uint32_t steps = 0; target != nullptr && steps < PROC_PROCESSES_MAX; steps++) {
        if (target == sender)
            return true;
        target = proc_find(target->parent);
    }
    return false;
}

/* --- the end --- */

void proc_forget(struct proc *p)
{
    *p = (struct proc){};
    while (procs_used != 0 && procs[procs_used - 1].id == 0)
        procs_used--;
}

void proc_ended(struct proc *p)
{
    static bool had_parent[PROC_PROCESSES_MAX]; /* whose group was not orphaned before this end */
    for (uint32_t i = 0; i < procs_used; i++) {
        const struct proc *c = &procs[i];
        had_parent[i] = c->id != 0 && (c == p || c->parent == p->id) && !group_orphaned(c->group, c->session);
    }
    if (p->task.raw != VX_HANDLE_NONE) {
        landing_unwatch(p);
        (void)vx_sys_cap_drop(p->task.raw);
    }
    if (p->bell.raw != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(p->bell.raw);
    p->task = (vx_task){};
    p->bell = (vx_sem){};
    p->link = nullptr;
    p->state = VX_PROC_STATE_ENDED;
    p->event = 0;
    p->pending = 0;
    p->n_queued = 0;
    if (p->session == p->id)
        terminal_leader_ended(p->session);
    for (uint32_t i = 0; i < procs_used; i++) {
        struct proc *c = &procs[i];
        if (c->id == 0 || c->parent != p->id || c == p)
            continue;
        c->parent = 0;
        if (c->state == VX_PROC_STATE_ENDED)
            proc_forget(c); /* nobody will wait for it */
    }
    for (uint32_t i = 0; i < procs_used; i++)
        if (had_parent[i])
            look_after_orphans(procs[i].group, procs[i].session);
    struct proc *parent = proc_find(p->parent);
    if (parent == nullptr || !alive(parent))
        proc_forget(p);
}

/* --- signals --- */

/* Tells the parent that something happened to a child that lives on. */
static void tell_parent(struct proc *p, uint32_t event, int32_t code, int32_t status)
{
    struct proc *parent = proc_find(p->parent);
    p->event = event;
    if (parent == nullptr || !alive(parent))
        return;
    (void)proc_signal(parent, &(struct note){ .signal = SIG_CHLD, .code = code, .sender = p->id, .status = status });
    ring_bell(parent); /* whoever waits for children looks, whether or not it is told of signals */
}

status_t proc_stop(struct proc *p, uint32_t signal)
{
    if (p->task.raw == VX_HANDLE_NONE)
        return ERR_NOT_SUPPORTED;
    if (p->state == VX_PROC_STATE_STOPPED)
        return OK;
    status_t st = vx_sys_task_control(p->task, VX_TASK_STOP, 0, 0, 0, nullptr, nullptr);
    if (st != OK)
        return st;
    p->state = VX_PROC_STATE_STOPPED;
    p->stopped_by = signal;
    tell_parent(p, VX_PROC_EVENT_STOPPED, CODE_STOPPED, (int32_t)signal);
    return OK;
}

static void drop_pending(struct proc *p, uint64_t set)
{
    p->pending &= ~set;
}

/* The default action on a process that leaves it to us. */
static void act(struct proc *p, uint32_t signal)
{
    if (ignored_by_default(signal) || (p->ignored & signal_bit(signal)) != 0)
        return;
    if (stops(signal)) {
        if (signal == SIG_STOP || !group_orphaned(p->group, p->session))
            (void)proc_stop(p, signal);
        return;
    }
    p->killed_by = signal;
    (void)vx_sys_destroy(p->task.raw); /* its connection closes with it */
}

static void resume(struct proc *p)
{
    if (p->state != VX_PROC_STATE_STOPPED)
        return;
    p->state = VX_PROC_STATE_RUNNING;
    (void)vx_sys_task_control(p->task, VX_TASK_RESUME, 0, 0, 0, nullptr, nullptr);
    tell_parent(p, VX_PROC_EVENT_CONTINUED, CODE_CONTINUED, (int32_t)SIG_CONT);
    for (uint32_t signal = 1; signal <= LAST_SIGNAL && !p->aware; signal++)
        if ((p->pending & ~p->blocked & signal_bit(signal)) != 0) { /* what came while it stood */
            drop_pending(p, signal_bit(signal));
            act(p, signal);
        }
}

static status_t enqueue(struct proc *p, const struct note *n)
{
    if (n->signal < FIRST_QUEUED) {
        if ((p->pending & signal_bit(n->signal)) == 0)
            p->note[n->signal] = *n;
    } else {
        if (p->n_queued == PROC_QUEUE_MAX)
            return ERR_BUSY;
        p->queue[p->n_queued++] = *n;
    }
    p->pending |= signal_bit(n->signal);
    ring_bell(p);
    return OK;
}

status_t proc_signal(struct proc *p, const struct note *n)
{
    constexpr uint64_t stopping = UINT64_C(0xf) << (SIG_STOP - 1);
    static_assert(SIG_TTOU - SIG_STOP == 3);
    if (!alive(p))
        return OK; /* nobody has waited for it yet: it is there, and nothing can happen to it */
    if (n->signal == SIG_KILL) {
        if (p->task.raw == VX_HANDLE_NONE)
            return ERR_NO_RIGHTS;
        p->killed_by = SIG_KILL;
        return vx_sys_destroy(p->task.raw);
    }
    if (n->signal == SIG_STOP)
        return proc_stop(p, SIG_STOP) == OK ? OK : ERR_NO_RIGHTS;
    if (n->signal == SIG_CONT) {
        drop_pending(p, stopping);
        resume(p);
    } else if (stops(n->signal)) {
        drop_pending(p, signal_bit(SIG_CONT));
    }
    if (p->aware)
        return enqueue(p, n);
    uint64_t bit = signal_bit(n->signal);
    if ((p->blocked & bit) != 0 || (p->state == VX_PROC_STATE_STOPPED && n->signal != SIG_CONT))
        return ((p->ignored & bit) != 0 || ignored_by_default(n->signal)) && (p->blocked & bit) == 0 ? OK
                                                                                                     : enqueue(p, n);
    act(p, n->signal);
    return OK;
}

bool proc_take(struct proc *p, struct note *out)
{
    if (p->pending == 0)
        return false;
    uint32_t signal = (uint32_t)__builtin_ctzll(p->pending) + 1;
    if (signal < FIRST_QUEUED) {
        *out = p->note[signal];
        drop_pending(p, signal_bit(signal));
        return true;
    }
    bool more = false, found = false;
    for (uint32_t i = 0; i < p->n_queued;) {
        if (p->queue[i].signal != signal || found) {
            more |= p->queue[i].signal == signal;
            i++;
            continue;
        }
        *out = p->queue[i];
        found = true;
        p->n_queued--;
        memmove(&p->queue[i], &p->queue[i + 1], (p->n_queued - i) * sizeof p->queue[0]);
    }
    if (!more)
        drop_pending(p, signal_bit(signal));
    return found;
}

void proc_aware(struct proc *p)
{
    p->aware = true;
    if (p->pending != 0)
        ring_bell(p);
}

void proc_replaced(struct proc *p, vx_task task, struct vx_session *link, uint64_t ignored, uint64_t blocked)
{
    if (p->task.raw != VX_HANDLE_NONE) {
        landing_unwatch(p);
        (void)vx_sys_cap_drop(p->task.raw);
    }
    if (p->bell.raw != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(p->bell.raw);
    p->bell = (vx_sem){};
    p->task = task;
    p->landing = (struct landing){};
    p->faults = 0;
    p->threads = 0; /* those of the program before hold nothing any more */
    landing_watch(p);
    p->link = link;
    p->aware = false;
    p->ignored = ignored;
    p->blocked = blocked;
    uint64_t now = p->pending & ~blocked;
    for (uint32_t signal = 1; signal < FIRST_QUEUED; signal++)
        if ((now & signal_bit(signal)) != 0) {
            drop_pending(p, signal_bit(signal));
            act(p, signal);
        }
}
