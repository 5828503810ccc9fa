/* SPDX-License-Identifier: MIT
 * The system-call layer: handler prototypes from abi/syscalls.def, results, user copies that resolve lazy pages. */
#pragma once
#include <abi/status.h>
#include <abi/types.h>
#include <arch/hart.h>
#include <arch/usercopy.h>
#include <base/likely.h>
#include <kernel/cap.h>
#include <kernel/sched_switch.h>
#include <kernel/task.h>

#define SYS_ARGS_0 void
#define SYS_ARGS_1 uint64_t
#define SYS_ARGS_2 uint64_t, uint64_t
#define SYS_ARGS_3 uint64_t, uint64_t, uint64_t
#define SYS_ARGS_4 uint64_t, uint64_t, uint64_t, uint64_t
#define SYS_ARGS_5 uint64_t, uint64_t, uint64_t, uint64_t, uint64_t
#define SYSCALL(nr, name, n, args, results, errors, text) struct sysret sys_##name(SYS_ARGS_##n);
#include <abi/syscalls.def>
#undef SYSCALL

static inline struct sysret sys_ok(uint64_t first, uint64_t second)
{
    return (struct sysret){ first, second };
}

static inline struct sysret sys_status(status_t st)
{
    return (struct sysret){ (uint64_t)(int64_t)st, 0 };
}

/* What a handler returns when it has parked its thread: ignored, the call will be run again. */
#define SYS_BLOCKED ((struct sysret){ 0, 0 })

static inline struct thread *current_thread(void)
{
    return arch_hart_self()->current;
}

static inline struct task *current_task(void)
{
    return arch_hart_self()->current->task;
}

/* True when [base, base+len) neither wraps nor leaves user space. An empty range is fine. */
[[nodiscard]] static inline bool urange_ok(uint64_t base, uint64_t len)
{
    return len <= VX_UADDR_LIMIT && base <= VX_UADDR_LIMIT - len;
}

/* User memory of the current Task. ERR_BAD_ADDRESS; from_user then leaves dst zeroed. Lazy pages are resolved. */
status_t copy_from_user(void *dst, uint64_t src, size_t len);
/* copy_from_user that leaves an unknown prefix in dst on failure: for memory that nobody reads then. */
status_t copy_from_user_raw(void *dst, uint64_t src, size_t len);
status_t copy_to_user(uint64_t dst, const void *src, size_t len);

/* The same under a lock: nothing is resolved. */
[[gnu::always_inline]] static inline status_t copy_message_from_user(void *dst, uint64_t src)
{
    return likely(src <= VX_UADDR_LIMIT - sizeof(struct vx_message))
               ? arch_copy_message_from_user(dst, (uaddr_t){ src })
               : ERR_BAD_ADDRESS;
}

[[gnu::always_inline]] static inline status_t copy_message_to_user(uint64_t dst, const void *src)
{
    return likely(dst <= VX_UADDR_LIMIT - sizeof(struct vx_message)) ? arch_copy_message_to_user((uaddr_t){ dst }, src)
                                                                     : ERR_BAD_ADDRESS;
}

static inline bool user_copy_in(void *dst, uint64_t src, size_t len)
{
    return urange_ok(src, len) && arch_copy_from_user(dst, (uaddr_t){ src }, len) == OK;
}

static inline bool user_copy_out(uint64_t dst, const void *src, size_t len)
{
    return urange_ok(dst, len) && arch_copy_to_user((uaddr_t){ dst }, src, len) == OK;
}

/* Makes what they need present. ERR_BAD_ADDRESS. */
status_t user_touch(uint64_t address, size_t len, uint32_t access);

/* Parks the current thread, its call to be run again after the wait. The caller holds the lock of what it waits for and
 * puts it where a waker looks before it lets go: from then on the thread may be woken and its frame written. */
[[gnu::always_inline]] static inline void thread_park(struct thread *t)
{
    thread_set_state(t, THREAD_BLOCKED);
    t->parked = true;
    t->receives = false;
    t->n_waits++;
}

/* What the handler returns then, once it holds no lock. */
[[gnu::always_inline]] static inline struct sysret thread_parked(void)
{
    struct hart *h = arch_hart_self();
    h->outcome = CALL_PARKED;
    h->need_switch = 1;
    return SYS_BLOCKED;
}

/* Parks the current thread in q (nullptr: the caller puts it somewhere) until it is woken or the deadline passes, or
 * says why not: WOULD_BLOCK when the deadline is 0, TIMED_OUT when it has passed, INTERRUPTED. The handler lets the
 * lock go and returns the value at once. */
struct sysret thread_block_call(struct waitq *q, struct spinlock *lock, uint64_t deadline_ns);

/* For the end of a handler that holds no lock: if it parked the thread, nothing is left to do but go to the next one.
 */
static inline struct sysret sys_last(struct sysret r)
{
    const struct hart *h = arch_hart_self();
    if (h->outcome == CALL_PARKED && !h->rerunning)
        sched_leave();
    return r;
}

/* The end of a handler of the current thread, t, that waits for nothing else: thread_block_call(), the lock let go,
 * sys_last(). */
[[gnu::always_inline]] static inline struct sysret
thread_block_last(struct thread *t, struct waitq *q, struct spinlock *lock, enum lock_rank rank, uint64_t deadline_ns)
{
    if (unlikely(deadline_ns != VX_FOREVER || t->interrupted)) {
        struct sysret r = thread_block_call(q, lock, deadline_ns);
        lock_release(lock, rank);
        return sys_last(r);
    }
    thread_park(t);
    list_push_back(&q->threads, &t->wait);
    lock_release(lock, rank);
    struct hart *h = arch_hart_self();
    if (likely(!h->rerunning))
        sched_leave_parked(h, t);
    return thread_parked();
}

/* The call is to be made again at once, by the thread itself: interrupts come between. */
struct sysret thread_rerun_call(void);
/* How far the last step of the call that the current thread makes has come; a step says anew how far it came. */
static inline uint64_t progress_take(void)
{
    struct thread *t = current_thread();
    uint64_t progress = t->progress;
    t->progress = 0;
    return progress;
}

/* The capability without rights that holds what the current thread's call makes between its steps; nullptr: this is the
 * first. ERR_DESTROYED: who pays for it is gone, and nobody will ask for the tombstone. */
static inline status_t making_take(struct cap **c)
{
    struct thread *t = current_thread();
    uint32_t handle = t->making;
    *c = nullptr;
    t->making = 0;
    status_t st = handle == 0 ? OK : cap_get_any(&t->task->caps, handle, 0, true, c);
    if (st != OK || handle == 0 || (*c)->obj != nullptr)
        return st;
    cap_delete(&t->task->caps, *c);
    return ERR_DESTROYED;
}

/* What a handler returns after a step: r, once there is no progress any more. */
static inline struct sysret sys_step(uint64_t progress, struct sysret r)
{
    current_thread()->progress = progress;
    return unlikely(progress != 0) ? thread_rerun_call() : r;
}

/* Runs the call in the current thread's frame from its start, alone (kernel/gate.h). For calls that are always so, and
 * for the end of a handler that finds that it has to be, holds no lock, and has changed nothing. */
struct sysret sys_alone(void);

/* A step of a call of the current thread that maps what s says; it came to `progress`. First result: the address. */
struct vm_spec;
struct sysret thread_map(struct vm_spec *s, uint64_t progress);

/* The Reticle a creating call charges: handle 0 is the caller's own. */
status_t resolve_reticle(uint64_t handle, struct reticle **out);
extern const void *const syscall_table[SYSCALL_TABLE_ENTRIES];
