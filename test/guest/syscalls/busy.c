/* SPDX-License-Identifier: MIT
 * An end of a ring belongs to one thread at a time: while another waits at it, the calls that would wait too are BUSY.
 */
#include "syscalls.h"

struct waiter {
    uint64_t number, handle;
    struct vx_message message;
};
static struct waiter waiter;

[[noreturn]] static void waits(uint64_t argument, uint64_t id)
{
    (void)argument;
    (void)id;
    (void)vx_enter(waiter.number, waiter.handle, P(&waiter.message), VX_FOREVER, 0, 0);
    for (;;)
        (void)vx_enter(NR_thread_exit, 0, 0, 0, 0, 0);
}

/* A thread that waits in the call at this end; its id. */
static uint32_t start(uint64_t number, vx_handle_t handle, uint8_t *stack)
{
    waiter = (struct waiter){ .number = number, .handle = handle };
    struct vx_result r = SYS(thread_create, P(waits), P(stack) + 8192, 0, 0, 0);
    if (vx_result_status(r.value) != OK || !check_waits_in((uint32_t)r.value, number))
        return 0;
    return (uint32_t)r.value;
}

static void receivers(uint8_t *stack)
{
    static struct vx_message m;
    struct ring ring = kit_ring(2, VX_RING_CAPS), out = kit_ring(2, VX_RING_CAPS);
    uint32_t id = start(NR_ring_recv, ring.rx, stack);
    uint64_t soon = vx_deadline_in(VX_NS_PER_S);
    E(ring_recv, BUSY, SYS(ring_recv, ring.rx, P(&m), soon));
    E(ring_recv_cap, BUSY, SYS(ring_recv_cap, ring.rx, P(&m), soon));
    E(ring_recv_burst, BUSY, SYS(ring_recv_burst, ring.rx, P(&m), 1, soon));
    E(ring_call, BUSY, SYS(ring_call, out.tx, P(&m), ring.rx, P(&m), soon));
    E(ring_try_recv, BUSY, SYS(ring_try_recv, ring.rx, P(&m)));
    E(ring_try_recv_cap, BUSY, SYS(ring_try_recv_cap, ring.rx, P(&m)));
    (void)SYS(ring_send, ring.tx, P(&m), 0);
    (void)SYS(thread_join, id, check_patience());
    kit_ring_drop(out);
    kit_ring_drop(ring);
}

static void senders(uint8_t *stack)
{
    static struct vx_message m;
    struct ring ring = kit_ring_full(VX_RING_CAPS);
    uint32_t id = start(NR_ring_send, ring.tx, stack);
    uint64_t soon = vx_deadline_in(VX_NS_PER_S);
    E(ring_send, BUSY, SYS(ring_send, ring.tx, P(&m), soon));
    C(ring_send_cap, BUSY, STATUS(ring_send_cap, ring.tx, P(&m), kit.sem, soon) == ERR_BUSY);
    (void)SYS(ring_recv, ring.rx, P(&m), 0);
    (void)SYS(thread_join, id, check_patience());
    kit_ring_drop(ring);
}

void test_busy(void)
{
    uint8_t *stack = check_pages(8192, RW_COMMIT);
    receivers(stack);
    senders(stack);
    (void)SYS(mem_free, 0, P(stack), 8192);
}
