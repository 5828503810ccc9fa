/* SPDX-License-Identifier: MIT
 * The calls that send signals, wait for them, or look at them. signal.c has what they stand on. */
#define _GNU_SOURCE
#include "keeper.h"
#include "process.h"
#include "signal.h"
#include <signal.h>
#include <time.h>

enum : int { SIGNALS = 64 };

static uint64_t blockable(uint64_t set)
{
    return set & ~(px_bit(SIGKILL) | px_bit(SIGSTOP));
}

/* --- waiting --- */

long px_rt_sigpending(long set, long size)
{
    struct px_thread *t = px_self();
    if (size != 8)
        return -EINVAL;
    *(uint64_t *)set = px_signal_pending(t) & t->mask;
    return 0;
}

long px_rt_sigsuspend(long set, long size)
{
    struct px_thread *t = px_self();
    if (size != 8)
        return -EINVAL;
    px_keeper_start();
    uint64_t before = t->mask;
    px_let_through(t, blockable(*(const uint64_t *)set));
    /* what stops and goes on, or is ignored, does not end it: a handler does */
    do
        while (!px_signal_waiting())
            (void)vx_sys_nanosleep(VX_FOREVER);
    while (px_deliver() == PX_NOTHING);
    t->mask = before;
    return -EINTR;
}

static long wait_for_signal(struct px_thread *t, uint64_t set, siginfo_t *info, const struct timespec *timeout)
{
    uint64_t deadline = timeout == nullptr
                            ? VX_FOREVER
                            : vx_deadline_in((uint64_t)timeout->tv_sec * VX_NS_PER_S + (uint64_t)timeout->tv_nsec);
    struct px_note n;
    long answer = 0;
    t->waits_for = set;
    px_let_through(t, t->mask);
    for (;;) {
        if (px_signal_take(t, set, &n)) {
            answer = n.signal;
            break;
        }
        if ((px_signal_pending(t) & ~t->mask) != 0) {
            answer = -EINTR;
            break;
        }
        if (vx_clock_monotonic_ns() >= deadline) {
            answer = -EAGAIN;
            break;
        }
        (void)vx_sys_nanosleep(deadline);
    }
    t->waits_for = 0;
    if (answer > 0 && info != nullptr)
        px_describe(&n, info);
    return answer;
}

long px_rt_sigtimedwait(long set, long info, long timeout, long size)
{
    const struct timespec *ts = (const struct timespec *)timeout;
    if (size != 8 || (ts != nullptr && (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= (long)VX_NS_PER_S)))
        return -EINVAL;
    px_keeper_start();
    return wait_for_signal(px_self(), blockable(*(const uint64_t *)set), (siginfo_t *)info, ts);
}

/* --- sending --- */

static long to_thread(long tid, long signal, const struct px_note *n)
{
    (void)px_self(); /* with the list's lock free: it may have to be found there */
    vx_mutex_lock(&px_threads_lock);
    struct px_thread *t = px_thread_find_locked((int)tid);
    long answer = t == nullptr ? -ESRCH : signal != 0 ? px_signal_thread_locked(t, n) : 0;
    vx_mutex_unlock(&px_threads_lock);
    return answer;
}

long px_tkill(long tid, long signal)
{
    if (tid <= 0 || signal < 0 || signal > SIGNALS)
        return -EINVAL;
    return to_thread(tid, signal, &(struct px_note){ .signal = (int)signal, .code = SI_TKILL, .sender = px_pid });
}

long px_tgkill(long group, long tid, long signal)
{
    return group <= 0 ? -EINVAL : group == (long)px_pid ? px_tkill(tid, signal) : -ESRCH;
}

/* SIGKILL and SIGSTOP for oneself go the way of others' signals, so that the parent learns of them. */
static long to_self(const struct px_note *n)
{
    if (n->signal == SIGKILL)
        px_end(px_status_of_signal(SIGKILL));
    if (n->signal == SIGSTOP)
        return px_proc_stop(SIGSTOP) == 0 ? 0 : -EPERM;
    return px_signal_process(n);
}

static long send(long target, const struct px_note *n)
{
    uint32_t self = 0;
    if (target == (long)px_pid)
        return n->signal != 0 ? to_self(n) : 0;
    long answer = px_proc_kill((int)target, n->signal, n->code, n->value, &self);
    if (answer == -ENOSYS) { /* no process service: the Tasks of one's own children, and oneself */
        self = target == 0 || target == -1 || target == -px_getpgid(0);
        answer = self != 0 ? 0 : px_child_signal((int)(target < 0 ? -target : target), n->signal);
    }
    if (answer == 0 && self != 0 && n->signal != 0)
        answer = to_self(n);
    return answer;
}

long px_kill(long pid, long signal)
{
    if (signal < 0 || signal > SIGNALS)
        return -EINVAL;
    return send((int)pid, &(struct px_note){ .signal = (int)signal, .code = SI_USER, .sender = px_pid });
}

static struct px_note note_of(long signal, long info)
{
    const siginfo_t *i = (const siginfo_t *)info;
    return (struct px_note){
        .signal = (int)signal, .code = i->si_code, .sender = px_pid, .value = (uint64_t)(uintptr_t)i->si_value.sival_ptr
    };
}

long px_rt_sigqueueinfo(long pid, long signal, long info)
{
    if (signal < 0 || signal > SIGNALS)
        return -EINVAL;
    if (pid <= 0)
        return -ESRCH;
    if (((const siginfo_t *)info)->si_code >= 0)
        return -EPERM; /* only the system says that */
    struct px_note n = note_of(signal, info);
    return send((int)pid, &n);
}

long px_rt_tgsigqueueinfo(long group, long tid, long signal, long info)
{
    if (group <= 0 || tid <= 0 || signal < 0 || signal > SIGNALS)
        return -EINVAL;
    if (((const siginfo_t *)info)->si_code >= 0)
        return -EPERM;
    struct px_note n = note_of(signal, info);
    return group == (long)px_pid ? to_thread(tid, signal, &n) : -ESRCH;
}

/* --- the other stack --- */

long px_sigaltstack(long set, long old)
{
    struct px_thread *t = px_self();
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    bool on_it = t->alternate_bytes != 0 && here - (uintptr_t)t->alternate_at < t->alternate_bytes;
    if (old != 0)
        *(stack_t *)old = (stack_t){ .ss_sp = t->alternate_at,
                                     .ss_size = t->alternate_bytes,
                                     .ss_flags = t->alternate_bytes == 0 ? SS_DISABLE
                                                 : on_it                 ? SS_ONSTACK
                                                                         : 0 };
    if (set == 0)
        return 0;
    const stack_t *s = (const stack_t *)set;
    if (on_it)
        return -EPERM;
    if ((s->ss_flags & ~(SS_DISABLE | SS_ONSTACK)) != 0)
        return -EINVAL;
    if ((s->ss_flags & SS_DISABLE) != 0) {
        t->alternate_bytes = 0;
        return 0;
    }
    if (s->ss_size < MINSIGSTKSZ)
        return -ENOMEM;
    t->alternate_at = s->ss_sp;
    t->alternate_bytes = s->ss_size;
    return 0;
}
