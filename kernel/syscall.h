/* SPDX-License-Identifier: MIT
 * The system-call layer: handler prototypes from abi/syscalls.def, results, user copies that resolve lazy pages. */
#pragma once
#include <abi/limits.h>
#include <abi/status.h>
#include <abi/types.h>
#include <arch/hart.h>
#include <arch/usercopy.h>
#include <base/likely.h>
#include <kernel/cap.h>
#include <kernel/sched.h>
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

[[gnu::always_inline]] static inline status_t copy_message_from_user(void *dst, uint64_t src)
{
    if (likely(src <= VX_UADDR_LIMIT - sizeof(struct vx_message) &&
               arch_copy_message_from_user(dst, (uaddr_t){ src }) == OK))
        return OK;
    return copy_from_user_raw(dst, src, sizeof(struct vx_message));
}

[[gnu::always_inline]] static inline status_t copy_message_to_user(uint64_t dst, const void *src)
{
    if (likely(dst <= VX_UADDR_LIMIT - sizeof(struct vx_message) &&
               arch_copy_message_to_user((uaddr_t){ dst }, src) == OK))
        return OK;
    return copy_to_user(dst, src, sizeof(struct vx_message));
}

/* thread_park() by a caller that goes on to the next thread itself. */
[[gnu::always_inline]] static inline void thread_park_quietly(struct thread *t, struct waitq *q)
{
    if (q != nullptr)
        list_push_back(&q->threads, &t->wait);
    t->state = THREAD_BLOCKED;
    t->parked = true;
    t->task->n_waits++;
}

[[gnu::always_inline]] static inline struct sysret thread_park(struct thread *t, struct waitq *q)
{
    thread_park_quietly(t, q);
    arch_hart_self()->need_switch = 1;
    return SYS_BLOCKED;
}

struct sysret thread_block_call_slow(struct waitq *q, uint64_t deadline_ns);

/* Parks the current thread until it is woken or the deadline passes, or says why not: WOULD_BLOCK when the deadline is
 * 0, TIMED_OUT when it has passed, INTERRUPTED. The handler returns the value at once; the call is run again after the
 * wait. */
static inline struct sysret thread_block_call(struct waitq *q, uint64_t deadline_ns)
{
    struct thread *t = current_thread();
    if (likely(deadline_ns == VX_FOREVER && !t->interrupted))
        return thread_park(t, q);
    return thread_block_call_slow(q, deadline_ns);
}

/* For the end of a handler: if it parked the thread, nothing is left to do but go to the next one. */
static inline struct sysret sys_last(struct sysret r)
{
    const struct hart *h = arch_hart_self();
    if (h->current->state == THREAD_BLOCKED && !h->sched.rerunning)
        sched_leave();
    return r;
}

/* The call is to be run again at once. */
struct sysret thread_rerun_call(void);

/* The Reticle a creating call charges: handle 0 is the caller's own. */
status_t resolve_reticle(uint64_t handle, struct reticle **out);
extern const void *const syscall_table[SYSCALL_TABLE_ENTRIES];
