/* SPDX-License-Identifier: MIT
 * Signals. Dispositions and masks are this process's own business and live in its memory. A handler is called as a
 * function, at a safe point: when a call ends, or when a wait was interrupted for it. A thread that computes and makes
 * no call is not reached.
 *
 *  1. A signal is pending for one thread or for the process. It leaves `pending` once, by whoever delivers it.
 *  2. What would be ignored is dropped when it is raised, so whatever is pending and not blocked does something.
 *  3. Whoever makes a signal pending for a thread that may wait interrupts it afterwards, and an interruption is kept
 *     until the next wait; so no signal is slept over.
 *  4. Handlers run with no lock of ours held: they may leave by siglongjmp. */
#define _GNU_SOURCE
#include "signal.h"
#include "pipe.h"
#include "process.h"
#include <signal.h>
#include <time.h>
#include <ucontext.h>

/* As the C library passes it: struct k_sigaction. */
struct action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

enum : int { SIGNALS = 64 };
static struct action actions[SIGNALS + 1];
static struct vx_mutex actions_lock;
static _Atomic uint64_t process_pending;
static union sigval values[SIGNALS + 1]; /* of sigqueue: the latest of each signal */
static bool queued[SIGNALS + 1];
_Atomic uint32_t px_attention;

static uint64_t unblockable(void)
{
    return px_bit(SIGKILL) | px_bit(SIGSTOP);
}

static bool ignored_by_default(int signal)
{
    return signal == SIGCHLD || signal == SIGURG || signal == SIGWINCH || signal == SIGCONT || signal == SIGTSTP ||
           signal == SIGTTIN || signal == SIGTTOU || signal == SIGSTOP;
}

static bool ignored(int signal)
{
    void (*handler)(int) = actions[signal].handler;
    return handler == SIG_IGN || (handler == SIG_DFL && ignored_by_default(signal));
}

[[noreturn]] void px_end(uint32_t status)
{
    px_pipes_leave();
    vx_sys_task_exit(status);
}

static void raise_attention(void)
{
    /* seq_cst: before the interruption of whoever is to look at it */
    atomic_store_explicit(&px_attention, 1, memory_order_seq_cst);
}

static uint64_t pending_of(struct px_thread *t)
{
    return atomic_load_explicit(&t->pending, memory_order_acquire) |
           atomic_load_explicit(&process_pending, memory_order_acquire);
}

bool px_signal_waiting(void)
{
    struct px_thread *t = px_self();
    return (pending_of(t) & (~t->mask | t->waits_for)) != 0;
}

static void interrupt(struct px_thread *t)
{
    if (t != px_self())
        (void)vx_sys_thread_interrupt(t->kernel_id); /* it may just have ended */
}

void px_signal_self(int signal)
{
    struct px_thread *t = px_self();
    if (ignored(signal) && (t->mask & px_bit(signal)) == 0)
        return;
    atomic_fetch_or_explicit(&t->pending, px_bit(signal), memory_order_release);
    raise_attention();
}

/* A thread that can take the signal now: oneself first. nullptr: all block it, and it stays pending. */
static struct px_thread *taker_locked(uint64_t bit)
{
    struct px_thread *me = px_self();
    if ((~me->mask & bit) != 0)
        return me;
    for (struct px_thread *t = px_threads; t != nullptr; t = t->next)
        if (((~t->mask | t->waits_for) & bit) != 0)
            return t;
    return nullptr;
}

void px_signal_process(int signal)
{
    uint64_t bit = px_bit(signal);
    vx_mutex_lock(&px_threads_lock);
    struct px_thread *t = taker_locked(bit);
    if (t == nullptr || !ignored(signal) || (t->waits_for & bit) != 0) {
        atomic_fetch_or_explicit(&process_pending, bit, memory_order_release);
        raise_attention();
        if (t != nullptr)
            interrupt(t);
    }
    vx_mutex_unlock(&px_threads_lock);
}

/* Takes one signal out of what is pending in `set`, the lowest first. 0: none. */
static int take(struct px_thread *t, uint64_t set)
{
    for (;;) {
        uint64_t now = pending_of(t) & set;
        if (now == 0)
            return 0;
        int signal = __builtin_ctzll(now) + 1;
        uint64_t bit = px_bit(signal);
        if ((atomic_fetch_and_explicit(&t->pending, ~bit, memory_order_acq_rel) & bit) != 0 ||
            (atomic_fetch_and_explicit(&process_pending, ~bit, memory_order_acq_rel) & bit) != 0)
            return signal;
    }
}

static void settle_attention(void)
{
    atomic_store_explicit(&px_attention, 0, memory_order_seq_cst);
    vx_mutex_lock(&px_threads_lock);
    uint64_t any = atomic_load_explicit(&process_pending, memory_order_acquire);
    for (struct px_thread *t = px_threads; t != nullptr; t = t->next)
        any |= atomic_load_explicit(&t->pending, memory_order_acquire);
    vx_mutex_unlock(&px_threads_lock);
    if (any != 0)
        raise_attention();
}

static void describe(int signal, siginfo_t *info)
{
    *info = (siginfo_t){ .si_signo = signal, .si_code = queued[signal] ? SI_QUEUE : SI_USER };
    info->si_pid = (int)px_pid;
    info->si_uid = 1000;
    if (queued[signal])
        info->si_value = values[signal];
    queued[signal] = false;
}

static px_delivered_t deliver_one(struct px_thread *t, int signal)
{
    vx_mutex_lock(&actions_lock);
    struct action action = actions[signal];
    if ((action.flags & SA_RESETHAND) != 0 && action.handler != SIG_IGN)
        actions[signal].handler = SIG_DFL;
    vx_mutex_unlock(&actions_lock);
    if (action.handler == SIG_IGN || (action.handler == SIG_DFL && ignored_by_default(signal)))
        return PX_NOTHING;
    if (action.handler == SIG_DFL)
        px_end(px_status_of_signal(signal));
    siginfo_t info;
    ucontext_t context = {};
    describe(signal, &info);
    uint64_t before = t->mask;
    memcpy(&context.uc_sigmask, &before, sizeof before);
    t->mask = (before | action.mask | ((action.flags & SA_NODEFER) != 0 ? 0 : px_bit(signal))) & ~unblockable();
    if ((action.flags & SA_SIGINFO) != 0)
        ((void (*)(int, siginfo_t *, void *))(uintptr_t)action.handler)(signal, &info, &context);
    else
        action.handler(signal);
    memcpy(&before, &context.uc_sigmask, sizeof before);
    t->mask = before & ~unblockable();
    return (action.flags & SA_RESTART) != 0 ? PX_RESTART : PX_NO_RESTART;
}

px_delivered_t px_deliver(void)
{
    struct px_thread *t = px_self();
    px_delivered_t delivered = PX_NOTHING;
    int signal;
    while ((signal = take(t, ~t->mask)) != 0) {
        int before = t->delivered; /* the handler's own calls come here too */
        px_delivered_t one = deliver_one(t, signal);
        t->delivered = (int)one > before ? (int)one : before;
        delivered = one > delivered ? one : delivered;
    }
    settle_attention();
    return delivered;
}

/* --- the calls --- */

long px_rt_sigaction(long signal, long act, long old, long size)
{
    if (signal < 1 || signal > SIGNALS || size != 8 || ((signal == SIGKILL || signal == SIGSTOP) && act != 0))
        return -EINVAL;
    struct action now, *new_action = (struct action *)act;
    if (new_action != nullptr)
        now = *new_action;
    vx_mutex_lock(&actions_lock);
    if (old != 0)
        *(struct action *)old = actions[signal];
    if (new_action != nullptr)
        actions[signal] = now;
    bool drop = new_action != nullptr && ignored((int)signal);
    vx_mutex_unlock(&actions_lock);
    if (drop) { /* POSIX: what is pending and now ignored is gone */
        atomic_fetch_and_explicit(&process_pending, ~px_bit((int)signal), memory_order_acq_rel);
        atomic_fetch_and_explicit(&px_self()->pending, ~px_bit((int)signal), memory_order_acq_rel);
    }
    return 0;
}

long px_rt_sigprocmask(long how, long set, long old, long size)
{
    struct px_thread *t = px_self();
    if (size != 8)
        return -EINVAL;
    uint64_t before = t->mask, given = set != 0 ? *(const uint64_t *)set : 0;
    if (set != 0) {
        switch (how) {
        case SIG_BLOCK:
            t->mask = before | given;
            break;
        case SIG_UNBLOCK:
            t->mask = before & ~given;
            break;
        case SIG_SETMASK:
            t->mask = given;
            break;
        default:
            return -EINVAL;
        }
        t->mask &= ~unblockable();
    }
    if (old != 0)
        *(uint64_t *)old = before;
    return 0;
}

long px_rt_sigpending(long set, long size)
{
    struct px_thread *t = px_self();
    if (size != 8)
        return -EINVAL;
    *(uint64_t *)set = pending_of(t) & t->mask;
    return 0;
}

long px_rt_sigsuspend(long set, long size)
{
    struct px_thread *t = px_self();
    if (size != 8)
        return -EINVAL;
    uint64_t before = t->mask;
    t->mask = *(const uint64_t *)set & ~unblockable();
    while (!px_signal_waiting())
        (void)vx_sys_nanosleep(VX_FOREVER);
    (void)px_deliver(); /* under the mask that was asked for */
    t->mask = before;
    return -EINTR;
}

static long wait_for_signal(struct px_thread *t, uint64_t set, siginfo_t *info, const struct timespec *timeout)
{
    uint64_t deadline = timeout == nullptr
                            ? VX_FOREVER
                            : vx_deadline_in((uint64_t)timeout->tv_sec * VX_NS_PER_S + (uint64_t)timeout->tv_nsec);
    t->waits_for = set;
    int signal;
    long answer = 0;
    while ((signal = take(t, set)) == 0) {
        if ((pending_of(t) & ~t->mask) != 0) {
            answer = -EINTR;
            break;
        }
        if (vx_sys_nanosleep(deadline) == OK && (signal = take(t, set)) == 0) {
            answer = -EAGAIN;
            break;
        }
        if (signal != 0)
            break;
    }
    t->waits_for = 0;
    if (signal == 0)
        return answer;
    siginfo_t found;
    describe(signal, &found);
    if (info != nullptr)
        *info = found;
    return signal;
}

long px_rt_sigtimedwait(long set, long info, long timeout, long size)
{
    const struct timespec *ts = (const struct timespec *)timeout;
    if (size != 8 || (ts != nullptr && (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= (long)VX_NS_PER_S)))
        return -EINVAL;
    return wait_for_signal(px_self(), *(const uint64_t *)set & ~unblockable(), (siginfo_t *)info, ts);
}

long px_tkill(long tid, long signal)
{
    if (tid <= 0 || signal < 0 || signal > SIGNALS)
        return -EINVAL;
    vx_mutex_lock(&px_threads_lock);
    struct px_thread *t = px_thread_find_locked((int)tid);
    if (t != nullptr && signal != 0 && (!ignored((int)signal) || (t->mask & px_bit((int)signal)) != 0)) {
        atomic_fetch_or_explicit(&t->pending, px_bit((int)signal), memory_order_release);
        raise_attention();
        interrupt(t);
    }
    vx_mutex_unlock(&px_threads_lock);
    return t != nullptr ? 0 : -ESRCH;
}

long px_tgkill(long group, long tid, long signal)
{
    return group == (long)px_pid ? px_tkill(tid, signal) : -ESRCH;
}

long px_kill(long pid, long signal)
{
    if (signal < 0 || signal > SIGNALS)
        return -EINVAL;
    if (pid == (long)px_pid || pid == 0 || pid == -(long)px_pid || pid == -1) {
        if (signal != 0)
            px_signal_process((int)signal);
        return 0;
    }
    return px_child_signal((int)(pid < 0 ? -pid : pid), (int)signal);
}

long px_rt_sigqueueinfo(long pid, long signal, long info)
{
    if (signal < 1 || signal > SIGNALS)
        return -EINVAL;
    if (pid != (long)px_pid)
        return -ESRCH;
    values[signal] = ((const siginfo_t *)info)->si_value;
    queued[signal] = true;
    px_signal_process((int)signal);
    return 0;
}

/* Handlers run on the stack of the code that they interrupt, always at a call: another one is remembered, not used. */
long px_sigaltstack(long set, long old)
{
    static __thread stack_t remembered;
    static __thread bool known;
    if (old != 0)
        *(stack_t *)old = known ? remembered : (stack_t){ .ss_flags = SS_DISABLE };
    if (set != 0) {
        const stack_t *s = (const stack_t *)set;
        if ((s->ss_flags & ~SS_DISABLE) != 0)
            return -EINVAL;
        if (s->ss_flags == 0 && s->ss_size < MINSIGSTKSZ)
            return -ENOMEM;
        remembered = *s;
        known = true;
    }
    return 0;
}

/* --- across a spawn --- */

uint64_t px_signals_ignored(void)
{
    uint64_t set = 0;
    vx_mutex_lock(&actions_lock);
    for (int signal = 1; signal <= SIGNALS; signal++)
        if (actions[signal].handler == SIG_IGN)
            set |= px_bit(signal);
    vx_mutex_unlock(&actions_lock);
    return set;
}

void px_signals_ignore(uint64_t set)
{
    for (int signal = 1; signal <= SIGNALS; signal++)
        if ((set & px_bit(signal)) != 0)
            actions[signal].handler = SIG_IGN;
}
