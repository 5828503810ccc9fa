/* SPDX-License-Identifier: MIT
 * What libposix knows of each thread. The record of a further thread lies at the top of its own stack, so it lives
 * exactly as long as that; the thread list holds it from before it runs until just before it ends. */
#pragma once
#include "posix.h"

struct px_thread {
    _Atomic uint64_t pending; /* signals for this thread, bit n-1 for signal n */
    uint64_t mask;            /* blocked ones; only the thread itself changes it */
    uint64_t waits_for;       /* in sigtimedwait: what ends the wait although it is blocked */
    void *alternate_at;       /* sigaltstack; no bytes: none */
    size_t alternate_bytes;
    int delivered;            /* px_delivered_t of the call under way, if it delivered under a mask of its own */
    uintptr_t pointer;        /* the thread pointer */
    uint32_t kernel_id;       /* of THREAD_CREATE; 1 is the main thread */
    int tid;                  /* what the C library sees: one thread's in all of the system */
    int *clear;               /* becomes 0 and wakes its waiters when the thread ends */
    _Atomic uint32_t busy;    /* 1 inside libposix: it comes to a safe point by itself. The process service reads it */
    uint64_t not_reached;     /* signals that are left to its next safe point */
    struct px_landed *landed; /* of the delivery under way; nullptr: at a safe point (landing.h) */
    struct px_thread *next;
    struct px_robust *robust; /* the C library's list of mutexes that it holds; nullptr: none that it shares */
    int (*function)(void *);
    void *argument;
};

/* Into libposix, and out of it: between the two the thread is not taken out of its course. The fences are for the
 * compiler: whoever reads `busy` does so while the thread stands still. */
static inline void px_enter(struct px_thread *t)
{
    atomic_store_explicit(&t->busy, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}
static inline void px_leave(struct px_thread *t)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&t->busy, 0, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

/* The calling thread. Works before thread-local storage does: until then there is only the main thread. */
struct px_thread *px_self(void);
extern __thread struct px_thread *px_self_here; /* nullptr: the C library set the storage anew */
extern bool px_has_tls;
/* The same, where every instruction counts. nullptr: it takes more than a look. */
static inline struct px_thread *px_self_quickly(void)
{
    if (__builtin_expect(!px_has_tls, 0))
        return nullptr;
    /* A compiler that sees the load may do it before the test, when there is nothing to load from: it must not know
     * that nobody stored there just now. */
    __asm__ volatile("" ::: "memory");
    return px_self_here;
}

/* The thread pointer of a thread that has no thread-local storage, so that px_self() finds *at. */
uintptr_t px_thread_pointer_for(struct px_thread **at);

/* The thread list. */
extern struct vx_mutex px_threads_lock;
extern struct px_thread *px_threads;
/* The thread of that id, or nullptr. */
struct px_thread *px_thread_find_locked(int tid);

/* The calling thread's program is another one now (execve): what it holds is for others, and it never goes on. */
[[noreturn]] void px_thread_replaced(void);
/* Lets others have what the calling thread holds of mutexes that processes share. */
void px_robust_leave(void);

/* The first C function of a new thread (called from assembly), and the assembly. */
[[noreturn]] void px_thread_main(struct px_thread *t, uint64_t kernel_id);
void px_thread_entry(void);
/* In the program's own first instructions. */
[[noreturn]] void __vectra_start(const struct vx_bundle *bundle, int (*main)(int, char **, char **));
