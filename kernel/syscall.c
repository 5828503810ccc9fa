/* SPDX-License-Identifier: MIT
 * The dispatch table, and copies between kernel and user memory.
 * A copy first tries; only when it faults are lazy pages resolved and the copy tried once more. */
#include <base/likely.h>
#include <abi/syscalls.h>
#include <kernel/syscall.h>
#include <base/string.h>

static struct sysret sys_bad(void)
{
    return sys_status(ERR_BAD_SYSCALL);
}

/* Calls that run among others; they go alone themselves when they must. All the rest always do. */
// clang-format off
#define SHARED_CALLS(X) \
    X(console_write) X(ring_send) X(ring_recv) X(yield) X(signal_post) X(signal_wait) X(set_tls) X(sem_signal) \
    X(sem_wait) X(ring_try_recv) X(clock_get_time) X(nanosleep) X(mem_alloc) X(getpid) X(ring_send_cap) \
    X(ring_recv_cap) X(ring_try_recv_cap) X(ring_send_burst) X(ring_recv_burst) X(fp_clobber) X(getrandom) \
    X(mem_free) X(get_tls) X(mem_map) X(futex_wait) X(futex_wake) X(ring_call) X(thread_create) X(thread_exit) \
    X(thread_join)
// clang-format on

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winitializer-overrides"
static const void *const handlers[SYSCALL_TABLE_ENTRIES] = {
    [0 ... SYSCALL_TABLE_ENTRIES - 1] = (const void *)sys_bad,
#define SYSCALL(nr, name, n, args, results, errors, text) [nr] = (const void *)sys_##name,
#include <abi/syscalls.def>
#undef SYSCALL
};

const void *const syscall_table[SYSCALL_TABLE_ENTRIES] = { [0 ... SYSCALL_TABLE_ENTRIES - 1] = (const void *)sys_bad,
#define SYSCALL(nr, name, n, args, results, errors, text) [nr] = (const void *)sys_alone,
#include <abi/syscalls.def>
#undef SYSCALL
#define X(name) [VX_SYS_##name] = (const void *)sys_##name,
                                                           SHARED_CALLS(X)
#undef X
};
#pragma clang diagnostic pop

struct sysret sys_alone(void)
{
    typedef struct sysret call_fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
    struct hart *h = arch_hart_self();
    if (!gate_close(h, true)) { /* the thread was taken away; its call begins anew when it runs again */
        gate_open(h);
        h->need_switch = 1;
        h->outcome = CALL_PARKED;
        return SYS_BLOCKED;
    }
    struct thread *t = h->current;
    const struct arch_frame *f = &t->frame;
    work_begin();
    if (unlikely(t->has_result)) { /* all but what it put into the graveyard is done */
        struct sysret r = { t->result.first, t->result.second };
        bool over = object_reap();
        if (h->current == t) { /* what was reaped may have been this very thread */
            t->has_result = !over;
            if (!over)
                r = thread_rerun_call();
        }
        gate_open(h);
        return r;
    }
    uint64_t came = graves.came;
    uint64_t nr = arch_frame_syscall_nr(f);
    call_fn *call = (call_fn *)(uintptr_t)handlers[nr];
    struct sysret r = call(arch_frame_arg(f, 0), arch_frame_arg(f, 1), arch_frame_arg(f, 2), arch_frame_arg(f, 3),
                           arch_frame_arg(f, 4), arch_frame_arg(f, 5));
    if (unlikely(graves.came != came) && !object_reap()) {
        h->need_switch = 1; /* sched_run() sees to what is left */
        /* A caller whose call ends something sees it ended; but a call that only this time went alone is over. */
        if (h->current == t && h->outcome == CALL_RETURNS && syscall_table[nr] == (const void *)sys_alone) {
            t->result.first = r.first;
            t->result.second = r.second;
            t->has_result = true;
            r = thread_rerun_call();
        }
    }
    gate_open(h);
    return r;
}

status_t user_touch(uint64_t address, size_t len, uint32_t access)
{
    struct vm *vm = &current_task()->vm;
    status_t st = urange_ok(address, len) ? OK : ERR_BAD_ADDRESS;
    lock_take(&vm->lock, LOCK_VM);
    uint64_t end = address + len;
    for (uint64_t at = address & ~(uint64_t)(ARCH_PAGE_SIZE - 1); st == OK && at < end; at += ARCH_PAGE_SIZE)
        st = vm_fault(vm, at, access);
    lock_release(&vm->lock, LOCK_VM);
    return st == OK ? OK : ERR_BAD_ADDRESS;
}

status_t copy_from_user_raw(void *dst, uint64_t src, size_t len)
{
    if (likely(user_copy_in(dst, src, len)))
        return OK;
    return user_touch(src, len, VX_PROT_READ) == OK && user_copy_in(dst, src, len) ? OK : ERR_BAD_ADDRESS;
}

status_t copy_from_user(void *dst, uint64_t src, size_t len)
{
    status_t st = copy_from_user_raw(dst, src, len);
    if (st != OK)
        memset(dst, 0, len);
    return st;
}

status_t copy_to_user(uint64_t dst, const void *src, size_t len)
{
    if (likely(user_copy_out(dst, src, len)))
        return OK;
    return user_touch(dst, len, VX_PROT_WRITE) == OK && user_copy_out(dst, src, len) ? OK : ERR_BAD_ADDRESS;
}

status_t resolve_reticle(uint64_t handle, struct reticle **out)
{
    struct task *t = current_task();
    struct cap *c;
    if (handle == VX_HANDLE_NONE) {
        *out = &t->reticle;
        return OK;
    }
    status_t st = cap_get(&t->caps, handle, VX_CAP_RETICLE, VX_R_WRITE, &c);
    if (st == OK)
        *out = reticle_of_object(c->obj);
    return st;
}
