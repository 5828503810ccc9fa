/* SPDX-License-Identifier: MIT
 * Threads: birth and end through the kernel's two calls, the ids that the C library sees, and futexes.
 *
 *  1. A thread is on the list from before it runs until it can be sent nothing any more, so a signal for a thread that
 *     was just created is not lost.
 *  2. Its end and the release of its stack are one kernel call, which stores 0 to `clear` last: after that a joiner may
 *     take the stack away. Nothing of ours touches the record from then on.
 *  3. tid = process id - 1 + kernel id: unique in the process, and the main thread's is the process id. */
#define _GNU_SOURCE
#include "signal.h"
#include "process.h"
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>

enum : long {
    FUTEX_WAIT = 0,
    FUTEX_WAKE = 1,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE = 4,
    FUTEX_LOCK_PI = 6,
    FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET = 10,
    FUTEX_PRIVATE = 128,
    FUTEX_CLOCK_REALTIME = 256,
    ROBUST_HEAD_BYTES = 24,
};

static struct px_thread main_thread = { .kernel_id = 1 };
/* Unset until the C library has set thread-local storage up; until then there is only the main thread. */
__thread struct px_thread *px_self_here;
bool px_has_tls;

struct vx_mutex px_threads_lock;
struct px_thread *px_threads = &main_thread;

/* The C library sets a timer's thread's storage anew after each of its functions: it is found again. */
[[gnu::noinline]] static struct px_thread *self_again(void)
{
    if (!px_has_tls)
        return &main_thread;
    uintptr_t pointer = (uintptr_t)__builtin_thread_pointer();
    vx_mutex_lock(&px_threads_lock);
    for (struct px_thread *t = px_threads; t != nullptr && px_self_here == nullptr; t = t->next)
        if (t->pointer == pointer)
            px_self_here = t;
    vx_mutex_unlock(&px_threads_lock);
    return px_self_here;
}

struct px_thread *px_self(void)
{
    struct px_thread *t = px_self_quickly();
    return __builtin_expect(t != nullptr, 1) ? t : self_again();
}

/* Where px_self_here lies relative to the thread pointer is the same for every thread. */
uintptr_t px_thread_pointer_for(struct px_thread **at)
{
    return (uintptr_t)at - ((uintptr_t)&px_self_here - (uintptr_t)__builtin_thread_pointer());
}

int px_tid_of(uint32_t kernel_id)
{
    return (int)(px_pid - 1 + kernel_id);
}

struct px_thread *px_thread_find_locked(int tid)
{
    for (struct px_thread *t = px_threads; t != nullptr; t = t->next)
        if (t->tid == tid)
            return t;
    return nullptr;
}

static void list_remove(struct px_thread *t)
{
    vx_mutex_lock(&px_threads_lock);
    for (struct px_thread **at = &px_threads; *at != nullptr; at = &(*at)->next)
        if (*at == t) {
            *at = t->next;
            break;
        }
    vx_mutex_unlock(&px_threads_lock);
}

int __vectra_set_tp(void *tp)
{
    return (int)px_error(vx_sys_set_tls((uintptr_t)tp));
}

/* The main thread's first call with thread-local storage in place. */
long px_set_tid_address(long clear)
{
    if (!px_has_tls) {
        main_thread.tid = px_tid_of(1);
        main_thread.pointer = (uintptr_t)__builtin_thread_pointer();
        px_self_here = &main_thread;
        px_has_tls = true;
    }
    struct px_thread *t = px_self();
    t->clear = (int *)clear;
    return t->tid;
}

[[noreturn]] void px_thread_main(struct px_thread *t, uint64_t kernel_id)
{
    t->pointer = (uintptr_t)__builtin_thread_pointer();
    px_self_here = t;
    t->kernel_id = (uint32_t)kernel_id;
    t->tid = px_tid_of((uint32_t)kernel_id);
    if (t->parent_tid != nullptr)
        *t->parent_tid = t->tid;
    px_leave(t);
    int status = t->function(t->argument);
    (void)__vectra_syscall(SYS_exit, status, 0, 0, 0, 0, 0);
    __builtin_trap();
}

int __vectra_clone(int (*function)(void *), void *stack, int flags, void *argument, int *parent_tid, void *tls,
                   int *clear_tid)
{
    constexpr int wanted = CLONE_VM | CLONE_THREAD;
    if ((flags & wanted) != wanted)
        return -ENOSYS; /* a copy of the process */
    uintptr_t top = ((uintptr_t)stack - sizeof(struct px_thread)) & ~(uintptr_t)63;
    struct px_thread *t = (struct px_thread *)top;
    struct px_thread *me = px_self();
    *t = (struct px_thread){ .mask = me->mask,
                             .busy = 1,
                             .clear = (flags & CLONE_CHILD_CLEARTID) != 0 ? clear_tid : nullptr,
                             .function = function,
                             .argument = argument,
                             .parent_tid = (flags & CLONE_PARENT_SETTID) != 0 ? parent_tid : nullptr };
    px_enter(me);
    vx_mutex_lock(&px_threads_lock);
    t->next = px_threads;
    px_threads = t;
    vx_mutex_unlock(&px_threads_lock);
    uint32_t id = 0;
    status_t st = vx_sys_thread_create((uintptr_t)px_thread_entry, top, (uintptr_t)t,
                                       (flags & CLONE_SETTLS) != 0 ? (uintptr_t)tls : 0, VX_THREAD_DETACHED, &id);
    if (st != OK) {
        list_remove(t);
        px_leave(me);
        return st == ERR_BAD_ADDRESS ? -EFAULT : -EAGAIN;
    }
    /* The C library holds its thread list's lock, without which the new thread cannot end: t is still there. */
    t->kernel_id = id;
    t->tid = px_tid_of(id);
    if (t->parent_tid != nullptr)
        *t->parent_tid = t->tid;
    int tid = t->tid;
    px_leave(me);
    return tid;
}

[[noreturn]] static void thread_end(int status, void *base, size_t bytes)
{
    struct px_thread *t = px_self();
    px_enter(t); /* and never out again */
    int *clear = t->clear;
    list_remove(t);
    px_signal_thread_gone(t);
    (void)vx_sys_thread_exit((uint32_t)status & 255, (uintptr_t)base, bytes, (uintptr_t)clear);
    __builtin_trap();
}

[[noreturn]] void __vectra_unmapself(void *base, size_t bytes)
{
    thread_end(0, base, bytes);
}

long px_exit(long status)
{
    thread_end((int)status, nullptr, 0);
}

long px_gettid(void)
{
    return px_self()->tid;
}

long px_sched_yield(void)
{
    (void)vx_sys_yield();
    return 0;
}

/* The deadline of a futex call's time-out: relative, or absolute on one of the clocks. */
static uint64_t futex_deadline(const struct timespec *timeout, bool absolute, bool realtime)
{
    if (timeout == nullptr)
        return VX_FOREVER;
    uint64_t ns = (uint64_t)timeout->tv_sec * VX_NS_PER_S + (uint64_t)timeout->tv_nsec;
    if ((uint64_t)timeout->tv_sec > UINT64_MAX / VX_NS_PER_S - 1)
        return VX_FOREVER;
    if (!absolute)
        return vx_deadline_in(ns);
    if (!realtime)
        return ns;
    uint64_t base = vx_clock_realtime_ns() - vx_clock_monotonic_ns();
    return ns > base ? ns - base : 0;
}

static long futex_wait(uintptr_t word, uint32_t expected, const struct timespec *timeout, bool absolute, bool realtime)
{
    if (timeout != nullptr && (timeout->tv_nsec < 0 || timeout->tv_nsec >= (long)VX_NS_PER_S || timeout->tv_sec < 0))
        return -EINVAL;
    uint64_t deadline = futex_deadline(timeout, absolute, realtime);
    if (deadline == VX_POLL)
        deadline = 1; /* long past: a time-out, not a refusal */
    return px_error(PX_WAIT(vx_sys_futex_wait(word, expected, deadline)));
}

long px_futex(long word, long operation, long value, long timeout, long second, long value3)
{
    uint64_t woken = 0;
    status_t st;
    switch (operation & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME)) {
    case FUTEX_WAIT:
        return futex_wait((uintptr_t)word, (uint32_t)value, (const struct timespec *)timeout, false, false);
    case FUTEX_WAIT_BITSET: /* with the mask of all ones */
        return (uint32_t)value3 != UINT32_MAX
                   ? -ENOSYS
                   : futex_wait((uintptr_t)word, (uint32_t)value, (const struct timespec *)timeout, true,
                                (operation & FUTEX_CLOCK_REALTIME) != 0);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        st = vx_sys_futex_wake((uintptr_t)word, (uint32_t)value, 0, 0, &woken);
        return st == OK ? (long)woken : px_error(st);
    case FUTEX_CMP_REQUEUE:
        /* acquire: as a wait would read it */
        if (atomic_load_explicit((_Atomic uint32_t *)word, memory_order_acquire) != (uint32_t)value3)
            return -EAGAIN;
        [[fallthrough]];
    case FUTEX_REQUEUE:
        st = vx_sys_futex_wake((uintptr_t)word, (uint32_t)value, VX_FUTEX_REQUEUE, (uintptr_t)second, &woken);
        return st == OK ? (long)woken : px_error(st);
    case FUTEX_LOCK_PI: /* the C library asks in this way what pthread_mutexattr_setprotocol is to answer */
        return -EOPNOTSUPP;
    default:
        return -ENOSYS;
    }
}

long px_set_robust_list(long head, long bytes)
{
    (void)head;
    (void)bytes;
    return 0; /* the C library walks the list itself when a thread ends */
}

long px_get_robust_list(long tid, long head, long bytes)
{
    (void)tid;
    *(void **)head = nullptr;
    *(size_t *)bytes = ROBUST_HEAD_BYTES;
    return 0;
}
