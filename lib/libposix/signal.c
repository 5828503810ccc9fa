/* SPDX-License-Identifier: MIT
 * Signals. Dispositions and masks are this process's own business and live in its memory. A handler is called as a
 * function, at a safe point: when a call ends, or when a wait was interrupted for it. A thread that computes and makes
 * no call is taken out of its course for it, and so is one that faults (landing.h).
 *
 *  1. A signal is pending for one thread or for the process. A standard one is pending once, a queued one (SIGRTMIN and
 *     up) as often as it was sent; its bit is set exactly while that is not zero. pending_lock protects both.
 *  2. What would be ignored is dropped when it is raised, so whatever is pending and not blocked does something.
 *  3. Whoever makes a signal pending for a thread that may wait interrupts it afterwards, and an interruption is kept
 *     until the next wait; so no signal is slept over.
 *  4. Handlers run with no lock of ours held: they may leave by siglongjmp.
 *  5. A fault's handler runs at once, in the thread that faulted; a fault that is blocked, ignored or not caught ends
 * the process.
 *  6. Before anything but the default is asked for or a signal is blocked, the keeper runs: from then on other
 *     processes' signals come here, and are not acted on behind our back. */
#define _GNU_SOURCE
#include "signal.h"
#include "keeper.h"
#include "landing.h"
#include "pipe.h"
#include "process.h"
#include "timers.h"
#include "trace.h"
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

enum : int { SIGNALS = 64, QUEUED_FIRST = 35, CANCEL = 33 /* the C library's */ };
/* Beyond the queued ones there is room for what is known of standard ones, which so take none of theirs. */
enum : uint32_t { STANDARD = 32, NOTES = PX_SIGNALS_QUEUED + STANDARD };
static struct action actions[SIGNALS + 1];
static uint64_t changed_ever; /* signals whose action may be another than at first */
static struct vx_mutex actions_lock;
_Atomic uint32_t px_attention;

static struct vx_mutex pending_lock;
static _Atomic uint64_t process_pending;
/* What is known beyond the bits, in the order of sending. owner nullptr: the process. None from kept_end on is used, so
 * that nobody looks at memory that was never needed. n_queued are of queued signals, n_standard
 * of others. */
static struct kept {
    struct px_note note;
    struct px_thread *owner;
    bool used;
    uint64_t order;
} kept[NOTES], *kept_end = kept;
static uint32_t n_queued, n_standard;
static uint64_t last_order;

static uint64_t unblockable(void)
{
    return px_bit(SIGKILL) | px_bit(SIGSTOP);
}

static bool stops(int signal)
{
    return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU || signal == SIGSTOP;
}

static bool ignored_by_default(int signal)
{
    return signal == SIGCHLD || signal == SIGURG || signal == SIGWINCH || signal == SIGCONT;
}

static bool ignored(int signal)
{
    void (*handler)(int) = actions[signal].handler;
    return handler == SIG_IGN || (handler == SIG_DFL && ignored_by_default(signal));
}

bool px_signal_ignored(int signal)
{
    return ignored(signal);
}

bool px_signal_ineffective(int signal)
{
    return actions[signal].handler == SIG_IGN || (px_self()->mask & px_bit(signal)) != 0;
}

bool px_children_unwanted(void)
{
    const struct action *a = &actions[SIGCHLD];
    return a->handler == SIG_IGN || (a->flags & SA_NOCLDWAIT) != 0;
}

bool px_child_stops_unwanted(void)
{
    return (actions[SIGCHLD].flags & SA_NOCLDSTOP) != 0;
}

[[noreturn]] void px_end(uint32_t status)
{
    px_pipes_leave();
    vx_sys_task_exit(status);
}

/* --- what is pending --- */

static void raise_attention(void)
{
    /* seq_cst: before the interruption of whoever is to look at it */
    atomic_store_explicit(&px_attention, 1, memory_order_seq_cst);
}

uint64_t px_signal_pending(const struct px_thread *t)
{
    return atomic_load_explicit(&t->pending, memory_order_acquire) |
           atomic_load_explicit(&process_pending, memory_order_acquire);
}

uint64_t px_signal_pending_process(void)
{
    return atomic_load_explicit(&process_pending, memory_order_acquire);
}

bool px_signal_waiting(void)
{
    struct px_thread *t = px_self();
    return (px_signal_pending(t) & (~t->mask | t->waits_for)) != 0;
}

static void interrupt(struct px_thread *t)
{
    if (t == px_self())
        return;
    (void)vx_sys_thread_interrupt(t->kernel_id); /* it may just have ended */
    px_reach_wanted();
}

static _Atomic uint64_t *bits_of(struct px_thread *owner)
{
    return owner != nullptr ? &owner->pending : &process_pending;
}

static bool is_queued(int signal)
{
    return signal >= QUEUED_FIRST;
}

/* By who saw in n_queued that there is a place for a queued signal. A standard one for which there is none has its bit.
 */
static void note_locked(struct px_thread *owner, const struct px_note *n)
{
    struct kept *k = kept;
    bool queues = is_queued(n->signal);
    if (!queues && n_standard == STANDARD)
        return;
    while (k < kept_end && k->used)
        k++;
    *k = (struct kept){ .note = *n, .owner = owner, .used = true, .order = ++last_order };
    kept_end = k == kept_end ? k + 1 : kept_end;
    ++*(queues ? &n_queued : &n_standard);
}

static void drop_locked(struct kept *k)
{
    k->used = false;
    --*(is_queued(k->note.signal) ? &n_queued : &n_standard);
    while (kept_end > kept && !kept_end[-1].used)
        kept_end--;
}

/* -EAGAIN: a queued signal for which there is no room. */
static long keep(struct px_thread *owner, const struct px_note *n)
{
    long answer = 0;
    bool queues = is_queued(n->signal);
    vx_mutex_lock(&pending_lock);
    uint64_t now = atomic_load_explicit(bits_of(owner), memory_order_relaxed);
    if (queues && n_queued == PX_SIGNALS_QUEUED)
        answer = -EAGAIN;
    else if (queues || (now & px_bit(n->signal)) == 0)
        note_locked(owner, n);
    if (answer == 0)
        atomic_fetch_or_explicit(bits_of(owner), px_bit(n->signal), memory_order_release);
    vx_mutex_unlock(&pending_lock);
    if (answer == 0)
        raise_attention();
    return answer;
}

/* The oldest note of a signal for the owner; nullptr: only its bit is known. */
static struct kept *oldest_locked(struct px_thread *owner, int signal)
{
    struct kept *found = nullptr;
    for (struct kept *k = kept; k < kept_end; k++)
        if (k->used && k->owner == owner && k->note.signal == signal && (found == nullptr || k->order < found->order))
            found = k;
    return found;
}

static void take_locked(struct px_thread *owner, int signal, struct px_note *out)
{
    struct kept *k = oldest_locked(owner, signal);
    *out = k != nullptr ? k->note : (struct px_note){ .signal = signal, .code = SI_USER };
    if (k != nullptr)
        drop_locked(k);
    if (oldest_locked(owner, signal) == nullptr)
        atomic_fetch_and_explicit(bits_of(owner), ~px_bit(signal), memory_order_acq_rel);
}

bool px_signal_take(struct px_thread *t, uint64_t set, struct px_note *out)
{
    if ((px_signal_pending(t) & set) == 0)
        return false;
    vx_mutex_lock(&pending_lock);
    uint64_t now = px_signal_pending(t) & set;
    if (now != 0) {
        int signal = __builtin_ctzll(now) + 1;
        bool own = (atomic_load_explicit(&t->pending, memory_order_relaxed) & px_bit(signal)) != 0;
        take_locked(own ? t : nullptr, signal, out);
    }
    vx_mutex_unlock(&pending_lock);
    if (now != 0 && out->code == SI_TIMER)
        out->status = px_timer_taken(out->sender);
    return now != 0;
}

/* Takes all of a set away, for one owner. */
static void forget(struct px_thread *owner, uint64_t set)
{
    vx_mutex_lock(&pending_lock);
    atomic_fetch_and_explicit(bits_of(owner), ~set, memory_order_acq_rel);
    for (struct kept *k = kept_end; k-- > kept;)
        if (k->used && k->owner == owner && (px_bit(k->note.signal) & set) != 0)
            drop_locked(k);
    vx_mutex_unlock(&pending_lock);
}

void px_signal_thread_gone(struct px_thread *t)
{
    if (atomic_load_explicit(&t->pending, memory_order_relaxed) != 0)
        forget(t, UINT64_MAX);
}

static uint64_t stop_set(void)
{
    return px_bit(SIGSTOP) | px_bit(SIGTSTP) | px_bit(SIGTTIN) | px_bit(SIGTTOU);
}

/* POSIX: going on takes pending stops away, and a stop a pending SIGCONT. */
static void cancel_opposites(struct px_thread *t, int signal)
{
    uint64_t set = signal == SIGCONT ? stop_set() : stops(signal) ? px_bit(SIGCONT) : 0;
    if (set != 0) {
        forget(nullptr, set);
        if (t != nullptr)
            forget(t, set);
    }
}

/* --- raising --- */

void px_signal_self(int signal)
{
    struct px_thread *t = px_self();
    cancel_opposites(t, signal);
    if (ignored(signal) && (t->mask & px_bit(signal)) == 0)
        return;
    (void)keep(t, &(struct px_note){ .signal = signal, .code = SI_TKILL, .sender = px_pid });
}

/* A thread that can take the signal now: oneself first. nullptr: all block it, and it stays pending. */
static struct px_thread *taker_locked(uint64_t bit)
{
    struct px_thread *me = px_self();
    if ((~me->mask & bit) != 0)
        return me;
    for (struct px_thread *t = px_threads; t != nullptr; t = t->next)
        if ((t->waits_for & bit) != 0)
            return t;
    for (struct px_thread *t = px_threads; t != nullptr; t = t->next)
        if ((~t->mask & bit) != 0)
            return t;
    return nullptr;
}

long px_signal_process(const struct px_note *n)
{
    uint64_t bit = px_bit(n->signal);
    long answer = 0;
    bool now = false;
    (void)px_self(); /* with the list's lock free: it may have to be found there */
    vx_mutex_lock(&px_threads_lock);
    cancel_opposites(nullptr, n->signal);
    struct px_thread *t = taker_locked(bit);
    bool awaited = t != nullptr && (t->waits_for & bit) != 0;
    if (t == nullptr || !ignored(n->signal) || awaited) {
        /* The default action needs none of the program's threads: the keeper does it at once. */
        now = t != nullptr && !awaited && actions[n->signal].handler == SIG_DFL && px_is_keeper();
        if (!now) {
            answer = keep(nullptr, n);
            atomic_thread_fence(memory_order_seq_cst); /* with the one in px_let_through() */
            if (t == nullptr)
                t = taker_locked(bit); /* who lets it through now may have looked for it too early */
            if (t != nullptr && answer == 0)
                interrupt(t);
        }
    }
    vx_mutex_unlock(&px_threads_lock);
    if (now && !stops(n->signal))
        px_end(px_status_of_signal(n->signal));
    if (now)
        (void)px_proc_stop(n->signal);
    return answer;
}

long px_signal_thread_locked(struct px_thread *t, const struct px_note *n)
{
    uint64_t bit = px_bit(n->signal);
    cancel_opposites(t, n->signal);
    if (ignored(n->signal) && (t->mask & bit) == 0 && (t->waits_for & bit) == 0)
        return 0;
    long answer = keep(t, n);
    if (answer == 0)
        interrupt(t);
    return answer;
}

/* --- delivery --- */

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

static bool is_fault(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL || signal == SIGTRAP;
}

void px_describe(const struct px_note *n, void *to)
{
    siginfo_t *info = to;
    *info = (siginfo_t){ .si_signo = n->signal, .si_code = n->code };
    if (n->code == SI_TIMER) {
        info->si_timerid = (int)n->sender;
        info->si_overrun = n->status;
        info->si_value.sival_ptr = (void *)n->value;
        return;
    }
    info->si_pid = (int)n->sender;
    info->si_uid = 1000;
    if (n->code > 0 && n->code != SI_KERNEL && is_fault(n->signal)) {
        info->si_addr = (void *)n->value; /* where the sender would be */
        return;
    }
    if (n->signal == SIGCHLD && n->code > 0)
        info->si_status = n->status;
    else if (n->code < 0) /* sigqueue, and what the C library does in threads: SI_ASYNCIO */
        info->si_value.sival_ptr = (void *)n->value;
}

static bool on_alternate(const struct px_thread *t)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0), low = (uintptr_t)t->alternate_at;
    return t->alternate_bytes != 0 && here - low < t->alternate_bytes;
}

static void call_handler(struct px_thread *t, const struct action *action, const struct px_note *n)
{
    siginfo_t info;
    ucontext_t context = {};
    px_describe(n, &info);
    if (px_tracing)
        px_trace_signal(n->signal);
    struct px_landed *landed = t->landed;
    if (landed != nullptr)
        px_landed_tell(landed, &context);
    uint64_t before = t->mask;
    memcpy(&context.uc_sigmask, &before, sizeof before);
    context.uc_stack.ss_flags = SS_DISABLE;
    if (t->alternate_bytes != 0)
        context.uc_stack = (stack_t){ .ss_sp = t->alternate_at,
                                      .ss_size = t->alternate_bytes,
                                      .ss_flags = on_alternate(t) ? SS_ONSTACK : 0 };
    t->mask = (before | action->mask | ((action->flags & SA_NODEFER) != 0 ? 0 : px_bit(n->signal))) & ~unblockable();
    t->landed = nullptr; /* the handler's own calls end at safe points */
    px_leave(t);         /* it may be interrupted in its turn */
    if ((action->flags & SA_ONSTACK) != 0 && t->alternate_bytes != 0 && !on_alternate(t))
        px_call_on_stack(n->signal, &info, &context, (void *)(uintptr_t)action->handler,
                         (char *)t->alternate_at + t->alternate_bytes);
    else
        ((void (*)(int, siginfo_t *, void *))(uintptr_t)action->handler)(n->signal, &info, &context);
    px_enter(t);
    t->landed = landed;
    if (landed != nullptr)
        px_landed_take(landed, &context);
    memcpy(&before, &context.uc_sigmask, sizeof before);
    t->mask = before & ~unblockable();
}

static px_delivered_t deliver_one(struct px_thread *t, const struct px_note *n)
{
    vx_mutex_lock(&actions_lock);
    struct action action = actions[n->signal];
    if ((action.flags & SA_RESETHAND) != 0 && action.handler != SIG_IGN && action.handler != SIG_DFL) {
        actions[n->signal].handler = SIG_DFL;
        actions[n->signal].flags &= ~(unsigned long)SA_SIGINFO;
    }
    vx_mutex_unlock(&actions_lock);
    if (action.handler == SIG_IGN || (action.handler == SIG_DFL && ignored_by_default(n->signal)))
        return PX_NOTHING;
    if (action.handler == SIG_DFL && stops(n->signal)) {
        (void)px_proc_stop(n->signal);
        return PX_NOTHING;
    }
    if (action.handler == SIG_DFL)
        px_end(px_status_of_signal(n->signal));
    call_handler(t, &action, n);
    return (action.flags & SA_RESTART) != 0 ? PX_RESTART : PX_NO_RESTART;
}

px_delivered_t px_deliver(void)
{
    struct px_thread *t = px_self();
    px_delivered_t delivered = PX_NOTHING;
    t->not_reached = 0;
    struct px_note n;
    while (px_signal_take(t, ~t->mask, &n)) {
        int before = t->delivered; /* the handler's own calls come here too */
        px_delivered_t one = deliver_one(t, &n);
        t->delivered = (int)one > before ? (int)one : before;
        delivered = one > delivered ? one : delivered;
    }
    settle_attention();
    return delivered;
}

void px_deliver_landed(void)
{
    struct px_thread *t = px_self();
    struct px_note n;
    while (px_signal_take(t, ~t->mask & ~t->not_reached, &n)) {
        (void)deliver_one(t, &n);
        if (n.signal != CANCEL)
            continue;
        /* Deferred, since the handler came back. The thread may be between looking whether it is cancelled and the
         * wait: only a signal that is still pending ends that. */
        t->not_reached |= px_bit(CANCEL);
        (void)keep(t, &n);
    }
    settle_attention();
}

bool px_fault_wanted(int signal)
{
    void (*handler)(int) = actions[signal].handler;
    return handler != SIG_DFL && handler != SIG_IGN && (px_self()->mask & px_bit(signal)) == 0;
}

bool px_other_stack_wanted(int signal)
{
    const struct px_thread *t = px_self();
    uint64_t set = signal != 0 ? px_bit(signal) : px_signal_pending(t) & ~t->mask & ~t->not_reached;
    for (int s = 1; s <= SIGNALS; s++)
        if ((set & px_bit(s)) != 0 && (actions[s].flags & SA_ONSTACK) != 0)
            return true;
    return false;
}

void px_deliver_fault(int signal, const struct px_landed *l)
{
    struct px_note n = { .signal = signal, .value = l->address };
    switch (l->cause) {
    case VX_CAUSE_PROTECTION: /* the processor does not say where */
        n.code = SI_KERNEL;
        break;
    case VX_CAUSE_ALIGNMENT:
        n.code = BUS_ADRALN;
        break;
    case VX_CAUSE_NO_MEMORY:
        n.code = BUS_ADRERR;
        break;
    case VX_CAUSE_MACHINE:
        n.code = BUS_OBJERR;
        break;
    default: /* SEGV_MAPERR, FPE_INTDIV, ILL_ILLOPC, TRAP_BRKPT */
        static_assert(SEGV_MAPERR == 1 && FPE_INTDIV == 1 && ILL_ILLOPC == 1 && TRAP_BRKPT == 1);
        n.code = 1;
    }
    if (signal == SIGFPE || signal == SIGILL || signal == SIGTRAP)
        n.value = px_frame_pc(&l->frame);
    (void)deliver_one(px_self(), &n);
}

/* --- dispositions --- */

long px_rt_sigaction(long signal, long act, long old, long size)
{
    if (signal < 1 || signal > SIGNALS || size != 8 || ((signal == SIGKILL || signal == SIGSTOP) && act != 0))
        return -EINVAL;
    struct action now, *new_action = (struct action *)act;
    if (new_action != nullptr) {
        now = *new_action;
        if (now.handler != SIG_DFL || now.flags != 0)
            px_keeper_start();
        if (now.handler != SIG_DFL && now.handler != SIG_IGN)
            px_landing_open();
    }
    vx_mutex_lock(&actions_lock);
    if (old != 0)
        *(struct action *)old = actions[signal];
    if (new_action != nullptr) {
        actions[signal] = now;
        changed_ever |= px_bit((int)signal);
    }
    bool drop = new_action != nullptr && ignored((int)signal);
    vx_mutex_unlock(&actions_lock);
    if (drop) { /* POSIX: what is pending and now ignored is gone */
        forget(nullptr, px_bit((int)signal));
        forget(px_self(), px_bit((int)signal));
        px_timers_forgotten(px_bit((int)signal));
    }
    return 0;
}

long px_rt_sigprocmask(long how, long set, long old, long size)
{
    struct px_thread *t = px_self();
    if (size != 8)
        return -EINVAL;
    uint64_t before = t->mask, after = before, given = set != 0 ? *(const uint64_t *)set : 0;
    if (set != 0) {
        switch (how) {
        case SIG_BLOCK:
            after = before | given;
            break;
        case SIG_UNBLOCK:
            after = before & ~given;
            break;
        case SIG_SETMASK:
            after = given;
            break;
        default:
            return -EINVAL;
        }
        after &= ~unblockable();
        if ((after & ~before) != 0)
            px_keeper_start();
        px_let_through(t, after);
    }
    if (old != 0)
        *(uint64_t *)old = before;
    return 0;
}

void px_actions_save(struct px_actions_state *to)
{
    static_assert(sizeof *to == sizeof actions);
    vx_mutex_lock(&actions_lock);
    memcpy(to, actions, sizeof actions);
    vx_mutex_unlock(&actions_lock);
}

void px_actions_restore(const struct px_actions_state *from)
{
    vx_mutex_lock(&actions_lock);
    memcpy(actions, from, sizeof actions);
    vx_mutex_unlock(&actions_lock);
}

uint64_t px_signals_ignored(void)
{
    uint64_t set = 0;
    vx_mutex_lock(&actions_lock);
    for (uint64_t left = changed_ever; left != 0; left &= left - 1) {
        int signal = __builtin_ctzll(left) + 1;
        if (actions[signal].handler == SIG_IGN)
            set |= px_bit(signal);
    }
    vx_mutex_unlock(&actions_lock);
    return set;
}

void px_signals_ignore(uint64_t set)
{
    changed_ever |= set;
    for (; set != 0; set &= set - 1)
        actions[__builtin_ctzll(set) + 1].handler = SIG_IGN;
}
