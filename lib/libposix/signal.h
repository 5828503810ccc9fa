/* SPDX-License-Identifier: MIT
 * Signals inside the process: raised here, delivered at safe points. */
#pragma once
#include "thread.h"

/* What is known of a signal that was sent: what becomes a siginfo_t. */
struct px_note {
    int signal, code;
    uint32_t sender; /* SI_USER, SI_QUEUE, SIGCHLD: a process; SI_TIMER: the timer */
    int status;      /* SIGCHLD: of the child; SI_TIMER: expirations that were not told */
    uint64_t value;
};

/* Signals from SIGRTMIN on that wait in a process; one more is EAGAIN. Others' have PROC_QUEUE_MAX on the way there. */
enum : uint32_t { PX_SIGNALS_QUEUED = 128 };

/* Not zero while some thread may have something to deliver: the one word that every call looks at. */
extern _Atomic uint32_t px_attention;

/* For the process (any thread that does not block it), or for one thread. -EAGAIN: no room to queue it. */
long px_signal_process(const struct px_note *n);
/* The thread list is locked, so that the thread is there. */
long px_signal_thread_locked(struct px_thread *t, const struct px_note *n);
void px_signal_self(int signal);
/* A thread ends: what was for it alone is gone. */
void px_signal_thread_gone(struct px_thread *t);
/* True when the calling thread has a signal that is not blocked. A wait that was interrupted without one goes on. */
bool px_signal_waiting(void);
/* What is pending for the thread or the process. */
uint64_t px_signal_pending(const struct px_thread *t);
uint64_t px_signal_pending_process(void);
/* Takes one signal of the set that is pending, the lowest first. False: none. */
bool px_signal_take(struct px_thread *t, uint64_t set, struct px_note *out);
/* Calls the handlers of what is pending. What happened: */
typedef enum px_delivered { PX_NOTHING, PX_RESTART, PX_NO_RESTART } px_delivered_t;
px_delivered_t px_deliver(void);
/* The same where a thread was taken out of its course (landing.h). */
struct px_landed;
void px_deliver_landed(void);
void px_deliver_fault(int signal, const struct px_landed *l);
/* False: the signal of a fault is not caught, or is blocked, and ends the process. */
bool px_fault_wanted(int signal);
/* True when that signal's handler, or for 0 one of those that are pending, asks for the other stack. */
bool px_other_stack_wanted(int signal);
/* Which signals are ignored: handed to children, and taken from a parent at the start. */
uint64_t px_signals_ignored(void);
void px_signals_ignore(uint64_t set);
bool px_signal_ignored(int signal);
/* True when the signal would do nothing, or is held back in the calling thread: SIGTTIN and SIGTTOU ask. */
bool px_signal_ineffective(int signal);
/* All dispositions, for vfork. */
struct px_actions_state {
    uint64_t word[65 * 4];
};
void px_actions_save(struct px_actions_state *to);
void px_actions_restore(const struct px_actions_state *from);
/* What SIGCHLD's disposition says about children. */
bool px_children_unwanted(void); /* nobody will wait: SA_NOCLDWAIT, or ignored */
bool px_child_stops_unwanted(void);

/* Bit of a signal in masks. */
static inline uint64_t px_bit(int signal)
{
    return UINT64_C(1) << (signal - 1);
}
/* The exit status that tells a parent of ours which signal ended a process; for others it is 128 + signal. */
static inline uint32_t px_status_of_signal(int signal)
{
    return (uint32_t)signal << 8 | (128u + (uint32_t)signal);
}
/* Another mask for the calling thread, which then looks for what is pending before it waits. seq_cst: a signal for the
 * process either is seen by that look, or its sender sees the new mask (or waits_for) and interrupts. */
static inline void px_let_through(struct px_thread *t, uint64_t mask)
{
    t->mask = mask;
    atomic_thread_fence(memory_order_seq_cst);
}

[[noreturn]] void px_end(uint32_t status);

/* handler(signal, info, context) on another stack. */
void px_call_on_stack(int signal, void *info, void *context, void *handler, void *top);

/* Runs a wait that answers a status until it ends for another reason than an interruption that is none of ours. */
#define PX_WAIT(wait)                                                                                                  \
    ({                                                                                                                 \
        status_t px_wait_st;                                                                                           \
        do                                                                                                             \
            px_wait_st = (wait);                                                                                       \
        while (px_wait_st == ERR_INTERRUPTED && !px_signal_waiting());                                                 \
        px_wait_st;                                                                                                    \
    })
