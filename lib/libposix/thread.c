/* SPDX-License-Identifier: MIT
 * Threads: birth and end through the kernel's two calls, and the ids that the C library sees.
 *
 *  1. A thread is on the list from before it runs until it can be sent nothing any more, so a signal for a thread that
 *     was just created is not lost.
 *  2. Its end and the release of its stack are one kernel call, which stores 0 to `clear` last: after that a joiner may
 *     take the stack away. Nothing of ours touches the record from then on.
 *  3. The main thread's id is the process id. The others' are of the numbers that the process service keeps for this
 *     process, so an id is one thread's in all of the system: locks in shared memory say by it who holds them. */
#define _GNU_SOURCE
#include "signal.h"
#include "process.h"
#include <sched.h>
#include <sys/syscall.h>
#include <vectra/rpc_proc.h>

static_assert(VX_PROC_THREADS_EACH >= THREADS_PER_TASK_MAX);

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

/* The first of this process's numbers; asked for once, and twice comes to the same. */
static uint32_t first_number(void)
{
    static _Atomic uint32_t known;
    uint32_t first = atomic_load_explicit(&known, memory_order_relaxed);
    if (first == 0) {
        if (px_proc_thread_ids(&first) != 0) /* no service: then nobody else is asked about them either */
            first = VX_PROC_THREADS_FIRST + px_pid * (uint32_t)VX_PROC_THREADS_EACH % VX_PROC_THREADS_FIRST;
        atomic_store_explicit(&known, first, memory_order_relaxed);
    }
    return first;
}

/* The number that was free for longest. */
static int number_locked(uint32_t first)
{
    static uint64_t made;
    int number;
    do
        number = (int)(first + (uint32_t)(made++ % VX_PROC_THREADS_EACH));
    while (made > VX_PROC_THREADS_EACH && px_thread_find_locked(number) != nullptr);
    return number;
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
        main_thread.tid = (int)px_pid;
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
                             .argument = argument };
    px_enter(me);
    uint32_t first = first_number();
    vx_mutex_lock(&px_threads_lock);
    int tid = t->tid = number_locked(first);
    t->next = px_threads;
    px_threads = t;
    vx_mutex_unlock(&px_threads_lock);
    if ((flags & CLONE_PARENT_SETTID) != 0)
        *parent_tid = tid;
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

void px_thread_replaced(void)
{
    px_robust_leave();
    for (;;)
        (void)vx_sys_nanosleep(VX_FOREVER);
}
