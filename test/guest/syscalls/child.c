/* SPDX-License-Identifier: MIT
 * What this program does as a child of itself: argv[1] is "child-ROLE". The exit status is the answer. */
#include "syscalls.h"
#include <abi/limits.h>

static bool refused(status_t status)
{
    return status == ERR_NO_RIGHTS;
}

static int weak_tx(void)
{
    vx_handle_t tx = vx_bundle_ring_tx("gift").raw;
    struct ring own = kit_ring(2, VX_RING_CAPS);
    static struct vx_message m;
    int bits = refused(STATUS(ring_send, tx, P(&m), 0)) << 0;
    bits |= refused(STATUS(ring_send_cap, tx, P(&m), own.rx, 0)) << 1;
    bits |= refused(STATUS(ring_send_burst, tx, P(&m), 1)) << 2;
    bits |= refused(STATUS(ring_call, tx, P(&m), own.rx, P(&m), 0)) << 3;
    bits |= refused(STATUS(signal_post, tx, 0)) << 4;
    return bits;
}

static int weak_rx(void)
{
    vx_handle_t rx = vx_bundle_ring_rx("gift").raw;
    struct ring own = kit_ring(2, VX_RING_CAPS);
    static struct vx_message m;
    int bits = refused(STATUS(ring_recv, rx, P(&m), 0)) << 0;
    bits |= refused(STATUS(ring_try_recv, rx, P(&m))) << 1;
    bits |= refused(STATUS(ring_recv_cap, rx, P(&m), 0)) << 2;
    bits |= refused(STATUS(ring_try_recv_cap, rx, P(&m))) << 3;
    bits |= refused(STATUS(ring_recv_burst, rx, P(&m), 1, 0)) << 4;
    bits |= refused(STATUS(bind, rx, 3)) << 5;
    bits |= refused(STATUS(ring_call, own.tx, P(&m), rx, P(&m), 0)) << 6;
    return bits;
}

/* Uses the Reticle up with page tables and pages. Bit 0: MEM_MAP said NO_MEMORY, bit 1: RING_MAP did. */
static int map_until_dry(void)
{
    vx_handle_t page = (vx_handle_t)SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0).value;
    struct ring ring = kit_ring(2, 0);
    int bits = 0;
    for (uint64_t i = 0; i < 4096 && bits == 0; i++) {
        /* 1 GiB apart: each needs tables of its own */
        status_t st = STATUS(mem_map, page, 0, 4096, UINT64_C(0x100000000000) + (i << 30), VX_PROT_READ);
        if (st == ERR_NO_MEMORY)
            bits = 1;
        else if (st != OK)
            return 4;
    }
    /* Nothing is left, and what lies lowest of the free addresses has no tables yet. */
    (void)SYS(mem_alloc, 0, UINT64_C(3) << 30, VX_MEM_RESERVE, 0);
    while (STATUS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0) == OK)
        ;
    bits |= (STATUS(ring_map, ring.tx) == ERR_NO_MEMORY) << 1;
    return bits;
}

/* Many on one stack: all put the same there, and none takes anything from it. */
[[noreturn]] static void rests(uint64_t argument, uint64_t id)
{
    (void)argument;
    (void)id;
    for (;;)
        (void)vx_enter(NR_signal_wait, 1, VX_FOREVER, 0, 0, 0);
}

/* 1: THREAD_CREATE said NO_MEMORY when nothing was left. */
static int threads_until_dry(void)
{
    uint8_t *stack = check_pages(4096, RW_COMMIT);
    while (STATUS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0) == OK)
        ;
    status_t st = OK;
    for (unsigned i = 0; i < 5000 && st == OK; i++)
        st = STATUS(thread_create, P(rests), P(stack) + 4096, 0, 0, VX_THREAD_DETACHED);
    return st == ERR_NO_MEMORY;
}

/* Bit 0: MEM_FREE of a page in the middle of a large one said NO_MEMORY when nothing was left, bit 1: THREAD_EXIT did,
 * bit 2: the page is still there. */
static int cut_when_dry(void)
{
    uint8_t *large = check_pages(4 << 20, RW_COMMIT);
    uint64_t page = (P(large + (2 << 20) - 1) & ~UINT64_C(0x1fffff)) + 4096;
    uint64_t lazy = P(check_pages(8 << 20, RW_LAZY)), at = lazy;
    if (large == nullptr || lazy == 0)
        return 8;
    while (STATUS(getrandom, at, 1) == OK) /* touches a page after the other; the last ones one by one elsewhere */
        at += 4096;
    while (check_pages(4096, RW_COMMIT) != nullptr)
        ;
    while (STATUS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0) == OK)
        ;
    int bits = STATUS(mem_free, 0, page, 4096) == ERR_NO_MEMORY;
    bits |= (STATUS(thread_exit, 9, page, 4096, 0) == ERR_NO_MEMORY) << 1;
    bits |= (STATUS(getrandom, page, 8) == OK) << 2;
    return bits;
}

static int bind_gift(void)
{
    vx_handle_t gift = vx_bundle_sem("gift").raw;
    return -(int)STATUS(bind, gift, 3);
}

/* Calls that must not end the only thread: bit by bit, what THREAD_EXIT refused. */
static int thread_exit_refused(void)
{
    int bits = STATUS(thread_exit, 0, 0x100001, 4096, 0) == ERR_BAD_ARGUMENT;
    bits |= (STATUS(thread_exit, bits, UINT64_C(0xffff800000000000), 4096, 0) != OK) << 1;
    bits |= (STATUS(thread_exit, bits, UINT64_MAX - 4095, 8192, 0) != OK) << 2;
    bits |= (STATUS(thread_exit, bits, 0, 0, UINT64_C(0xffff800000000000)) == ERR_BAD_ADDRESS) << 3;
    bits |= (STATUS(thread_exit, bits, UINT64_C(0x500000000000), 4096, 0) == ERR_NOT_FOUND) << 4;
    return bits;
}

/* Bit n: operation n of TASK_CONTROL that only the Task itself may do was done. */
static int control_self(void)
{
    int bits = STATUS(task_control, 0, VX_TASK_SET_NAME, P("renamed"), 7) == OK;
    struct vx_task_info info = {};
    (void)SYS(task_control, 0, VX_TASK_INFO, P(&info), sizeof info);
    bits |= vx_streq(info.name, "renamed") << 1;
    bits |= (STATUS(task_control, 0, VX_TASK_THREAD_BAND, VX_BAND_IDLE) == OK) << 2;
    bits |= (STATUS(task_control, 0, VX_TASK_THREAD_BAND, VX_BAND_NORMAL) == OK) << 3;
    return bits;
}

int child_main(const char *role)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } roles[] = {
        { "weak-tx", weak_tx },
        { "weak-rx", weak_rx },
        { "map-until-dry", map_until_dry },
        { "threads-until-dry", threads_until_dry },
        { "cut-when-dry", cut_when_dry },
        { "bind-gift", bind_gift },
        { "control-self", control_self },
        { "thread-exit", thread_exit_refused },
    };
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (vx_streq(role, roles[i].name))
            return roles[i].run();
    if (vx_streq(role, "exit"))
        return 7;
    if (vx_streq(role, "sleep"))
        for (;;)
            (void)SYS(signal_wait, 1, VX_FOREVER);
    if (vx_streq(role, "spin"))
        for (;;)
            vx_relax();
    if (vx_streq(role, "fault"))
        *(volatile uint32_t *)(uintptr_t)0x3210 = 1; /* nothing is mapped there */
    return 99;
}
