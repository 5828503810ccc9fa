/* SPDX-License-Identifier: MIT
 * Threads: one mapping holds a guard page, the stack growing down from its end, and at its end the start block and TLS.
 */
#include <vectra/thread.h>
#include "start.h"
#include <vectra/syscall.h>

enum { PAGE = 4096, DEFAULT_STACK = 65536 };

/* Lies at the top of the new thread's own stack mapping. */
struct vx_thread_start {
    uint32_t (*entry)(void *argument);
    void *argument;
    uintptr_t base; /* what a detached thread releases; len 0: a joiner does */
    size_t len;
};

[[noreturn]] void vx_thread_main(struct vx_thread_start *start, uint32_t)
{
    uintptr_t base = start->base;
    size_t len = start->len;
    uint32_t status = start->entry(start->argument);
    (void)vx_sys_thread_exit(status, base, len, 0);
    __builtin_trap();
}

static status_t thread_map(size_t bytes, uintptr_t *base)
{
    void *at = nullptr;
    status_t st = vx_sys_mem_alloc(VX_OWN_RETICLE, bytes, VX_MEM_RESERVE, 0, nullptr, &at);
    if (st != OK)
        return st;
    *base = (uintptr_t)at;
    st = vx_sys_mem_map(VX_NO_MEM, 0, bytes - PAGE, *base + PAGE, VX_PROT_READ | VX_PROT_WRITE | VX_MAP_LAZY, nullptr);
    if (st != OK)
        (void)vx_sys_mem_free(VX_NO_MEM, *base, bytes);
    return st;
}

static status_t thread_start(struct vx_thread *t, uint32_t (*entry)(void *), void *argument, size_t stack_bytes,
                             uint32_t flags)
{
    size_t tls = vx_tls_bytes(), extra = tls + 64 + sizeof(struct vx_thread_start), total;
    size_t wanted = stack_bytes == 0 ? DEFAULT_STACK : stack_bytes;
    if (__builtin_add_overflow(wanted, extra + 2 * PAGE - 1, &total))
        return ERR_TOO_BIG;
    total &= ~(size_t)(PAGE - 1);
    uintptr_t base = 0;
    status_t st = thread_map(total, &base);
    if (st != OK)
        return st;
    uintptr_t top = base + total - tls;
    uintptr_t pointer = tls == 0 ? 0 : vx_tls_init((void *)top, tls);
    top = (top - sizeof(struct vx_thread_start)) & ~(uintptr_t)63;
    struct vx_thread_start *start = (void *)top;
    bool detached = (flags & VX_THREAD_DETACHED) != 0;
    *start = (struct vx_thread_start){
        .entry = entry, .argument = argument, .base = detached ? base : 0, .len = detached ? total : 0
    };
    *t = (struct vx_thread){ .base = base, .len = total };
    st = vx_sys_thread_create((uintptr_t)vx_thread_entry, top, (uintptr_t)start, pointer, flags, &t->id);
    if (st != OK)
        (void)vx_sys_mem_free(VX_NO_MEM, base, total);
    return st;
}

status_t vx_thread_create(struct vx_thread *t, uint32_t (*entry)(void *), void *argument, size_t stack_bytes)
{
    return thread_start(t, entry, argument, stack_bytes, 0);
}

status_t vx_thread_start_detached(uint32_t (*entry)(void *), void *argument, size_t stack_bytes)
{
    struct vx_thread t;
    return thread_start(&t, entry, argument, stack_bytes, VX_THREAD_DETACHED);
}

status_t vx_thread_join(struct vx_thread *t, uint32_t *status)
{
    status_t st;
    do
        st = vx_sys_thread_join(t->id, VX_FOREVER, status);
    while (st == ERR_INTERRUPTED);
    if (st == OK)
        st = vx_sys_mem_free(VX_NO_MEM, t->base, t->len);
    return st;
}
