/* SPDX-License-Identifier: MIT
 * Capabilities in messages: calls 30, 31, 32, and what the plain receives do with such a message. */
#include "syscalls.h"

static struct ring ring; /* carries capabilities, 4 slots */
static struct vx_message m;

static void drain(void)
{
    for (;;) {
        struct vx_result r = SYS(ring_try_recv_cap, ring.rx, P(&m));
        if (vx_result_status(r.value) != OK)
            return;
        if (r.value != 0)
            (void)SYS(cap_drop, r.value);
    }
}

/* A fresh semaphore to give away. */
static vx_handle_t gift(void)
{
    return (vx_handle_t)SYS(sem_create, 0, 3).value;
}

static struct vx_result send_at(uint64_t a)
{
    return SYS(ring_send_cap, ring.tx, a, kit.sem, 0);
}

static struct vx_result send_handle(uint64_t handle)
{
    return SYS(ring_send_cap, ring.tx, P(&m), handle, 0);
}

static void send_errors(void)
{
    E(ring_send_cap, BAD_HANDLE, SYS(ring_send_cap, FORGED, P(&m), kit.sem, 0));
    E(ring_send_cap, WRONG_TYPE, SYS(ring_send_cap, ring.rx, P(&m), kit.sem, 0));
    struct ring plain = kit_ring(4, 0);
    E(ring_send_cap, NOT_SUPPORTED, SYS(ring_send_cap, plain.tx, P(&m), kit.sem, 0));
    kit_ring_drop(plain);
    E(ring_send_cap, BUSY, SYS(ring_send_cap, ring.tx, P(&m), ring.tx, 0));
    E(ring_send_cap, BUSY, SYS(ring_send_cap, ring.tx, P(&m), ring.rx, 0));
    vx_handle_t fixed = kit_without(kit.sem, VX_R_COPY);
    vx_handle_t stuck = (vx_handle_t)SYS(cap_narrow, kit.sem, VX_R_SIGNAL, 0, 0).value;
    E(ring_send_cap, NO_RIGHTS, SYS(ring_send_cap, ring.tx, P(&m), stuck, 0)); /* neither COPY nor MOVE */
    C(ring_send_cap, ok,
      STATUS(ring_send_cap, ring.tx, P(&m), fixed, 0) == OK &&
          STATUS(cap_inspect, fixed, P(kit.page)) == ERR_BAD_HANDLE); /* only MOVE: it is gone here */
    (void)SYS(cap_drop, stuck);
    vx_handle_t orphan = kit_orphan_tx(VX_RING_CAPS);
    E(ring_send_cap, PEER_CLOSED, SYS(ring_send_cap, orphan, P(&m), kit.sem, VX_FOREVER));
    (void)SYS(cap_drop, orphan);
    struct ring full = kit_ring_full(VX_RING_CAPS);
    E(ring_send_cap, WOULD_BLOCK, SYS(ring_send_cap, full.tx, P(&m), kit.sem, 0));
    E(ring_send_cap, TIMED_OUT, SYS(ring_send_cap, full.tx, P(&m), kit.sem, kit_soon()));
    kit_interrupt();
    E(ring_send_cap, INTERRUPTED, SYS(ring_send_cap, full.tx, P(&m), kit.sem, VX_FOREVER));
    kit_ring_drop(full);
    vx_handle_t tomb = kit_tombstone();
    E(ring_send_cap, DESTROYED, SYS(ring_send_cap, ring.tx, P(&m), tomb, 0));
    (void)SYS(cap_drop, tomb);
}

/* Whoever gets an end of a Ring may use and drop it, and not take the other end away from who has that. */
static void send_an_end(void)
{
    struct ring other = kit_ring(4, 0);
    struct vx_cap_facts f = {};
    bool sent = STATUS(ring_send_cap, ring.tx, P(&m), other.rx, 0) == OK;
    other.rx = (vx_handle_t)SYS(ring_recv_cap, ring.rx, P(&m), 0).value;
    (void)SYS(cap_inspect, other.rx, P(&f));
    C(ring_send_cap, ok,
      sent && f.type == VX_CAP_RING_RX && (f.rights & VX_R_DESTROY) == 0 && (f.rights & VX_R_RECV) != 0 &&
          STATUS(destroy, other.rx) == ERR_NO_RIGHTS && STATUS(ring_send, other.tx, P(&m), 0) == OK);
    kit_ring_drop(other);
}

static void send(void)
{
    send_an_end();

    vx_handle_t sem = gift();
    m.word[0] = 5;
    S(ring_send_cap, SYS(ring_send_cap, ring.tx, P(&m), sem, 0));
    struct vx_result r = SYS(ring_recv_cap, ring.rx, P(&m), 0);
    /* it had COPY: derived, so both name the same object */
    struct vx_cap_facts here = {}, there = {};
    (void)SYS(cap_inspect, sem, P(&here));
    (void)SYS(cap_inspect, r.value, P(&there));
    C(ring_send_cap, ok,
      r.value != sem && here.object_id == there.object_id && there.parent == sem && here.children == 1);
    (void)SYS(cap_drop, r.value);
    (void)SYS(cap_drop, sem);
    send_errors();
    drain();
    kit_hostile_in("ring_send_cap.BAD_ADDRESS", 64, send_at);
    kit_hostile_handle("ring_send_cap.hostile", send_handle);
    drain();
    /* closing a ring with a capability in flight gives it back too */
    struct ring lost = kit_ring(4, VX_RING_CAPS);
    sem = kit_without(kit.sem, VX_R_COPY);
    (void)SYS(ring_send_cap, lost.tx, P(&m), sem, 0);
    kit_ring_drop(lost);
}

static struct vx_result recv_at(uint64_t a)
{
    return SYS(ring_recv_cap, ring.rx, a != 0 ? a : 8, 0);
}

static void recv(void)
{
    drain();
    (void)SYS(ring_send_cap, ring.tx, P(&m), kit.sem, 0);
    (void)SYS(ring_send, ring.tx, P(&m), 0);
    struct vx_result first = SYS(ring_recv_cap, ring.rx, P(&m), VX_FOREVER);
    S(ring_recv_cap, first);
    C(ring_recv_cap, ok, first.value != 0 && SYS(ring_recv_cap, ring.rx, P(&m), 0).value == 0);
    (void)SYS(cap_drop, first.value);
    E(ring_recv_cap, BAD_HANDLE, SYS(ring_recv_cap, FORGED, P(&m), 0));
    E(ring_recv_cap, WRONG_TYPE, SYS(ring_recv_cap, ring.tx, P(&m), 0));
    E(ring_recv_cap, WOULD_BLOCK, SYS(ring_recv_cap, ring.rx, P(&m), 0));
    E(ring_recv_cap, TIMED_OUT, SYS(ring_recv_cap, ring.rx, P(&m), kit_soon()));
    kit_interrupt();
    E(ring_recv_cap, INTERRUPTED, SYS(ring_recv_cap, ring.rx, P(&m), VX_FOREVER));
    vx_handle_t orphan = kit_orphan_rx(VX_RING_CAPS);
    E(ring_recv_cap, PEER_CLOSED, SYS(ring_recv_cap, orphan, P(&m), VX_FOREVER));
    (void)SYS(cap_drop, orphan);
    (void)SYS(ring_send_cap, ring.tx, P(&m), kit.sem, 0);
    struct check_accounts before = check_accounts();
    kit_hostile_out("ring_recv_cap.BAD_ADDRESS", 64, recv_at);
    check_no_leak("a refused receive installs no capability", before);
    struct vx_result r = SYS(ring_recv_cap, ring.rx, P(kit.page) + 1, 0);
    C(ring_recv_cap, hostile, vx_result_status(r.value) == OK && r.value != 0);
    (void)SYS(cap_drop, r.value);
}

static struct vx_result try_at(uint64_t a)
{
    return SYS(ring_try_recv_cap, ring.rx, a != 0 ? a : 8);
}

static void try_recv(void)
{
    drain();
    (void)SYS(ring_send_cap, ring.tx, P(&m), kit.sem, 0);
    struct vx_result r = SYS(ring_try_recv_cap, ring.rx, P(&m));
    C(ring_try_recv_cap, ok, vx_result_status(r.value) == OK && r.value != 0);
    (void)SYS(cap_drop, r.value);
    E(ring_try_recv_cap, WOULD_BLOCK, SYS(ring_try_recv_cap, ring.rx, P(&m)));
    E(ring_try_recv_cap, BAD_HANDLE, SYS(ring_try_recv_cap, FORGED, P(&m)));
    E(ring_try_recv_cap, WRONG_TYPE, SYS(ring_try_recv_cap, kit.reticle, P(&m)));
    vx_handle_t orphan = kit_orphan_rx(VX_RING_CAPS);
    E(ring_try_recv_cap, PEER_CLOSED, SYS(ring_try_recv_cap, orphan, P(&m)));
    (void)SYS(cap_drop, orphan);
    (void)SYS(ring_send_cap, ring.tx, P(&m), kit.sem, 0);
    kit_hostile_out("ring_try_recv_cap.BAD_ADDRESS", 64, try_at);
    r = SYS(ring_try_recv_cap, ring.rx, P(kit.page) + 5);
    C(ring_try_recv_cap, hostile, vx_result_status(r.value) == OK && r.value != 0);
    (void)SYS(cap_drop, r.value);
}

/* The receives that cannot take a capability leave the message where it is. */
static void plain_receives(void)
{
    static struct vx_message many[2];
    drain();
    (void)SYS(ring_send_cap, ring.tx, P(&m), kit.sem, 0);
    E(ring_recv, WRONG_TYPE, SYS(ring_recv, ring.rx, P(&m), 0));
    E(ring_recv_burst, WRONG_TYPE, SYS(ring_recv_burst, ring.rx, P(many), 2, 0));
    struct vx_result r = SYS(ring_try_recv_cap, ring.rx, P(&m));
    C(ring_recv, hostile, vx_result_status(r.value) == OK && r.value != 0);
    (void)SYS(cap_drop, r.value);
    (void)SYS(ring_send, ring.tx, P(&m), 0);
    (void)SYS(ring_send_cap, ring.tx, P(&m), kit.sem, 0);
    C(ring_recv_burst, hostile, SYS(ring_recv_burst, ring.rx, P(many), 2, 0).value == 1); /* stops before it */
    drain();
}

/* With no free slot the capability stays in the ring. */
static void full_table(void)
{
    static vx_handle_t taken[CAP_SLOTS_DEFAULT];
    unsigned n = 0;
    drain();
    (void)SYS(ring_send_cap, ring.tx, P(&m), kit.sem, 0);
    struct ring back = kit_ring(2, VX_RING_CAPS);
    (void)SYS(ring_send_cap, back.tx, P(&m), kit.sem, 0);
    while (n < CAP_SLOTS_DEFAULT) {
        struct vx_result r = SYS(cap_narrow, kit.sem, VX_R_SIGNAL, 0, 0);
        if (vx_result_status(r.value) != OK)
            break;
        taken[n++] = (vx_handle_t)r.value;
    }
    status_t receive = STATUS(ring_recv_cap, ring.rx, P(&m), 0);
    status_t try = STATUS(ring_try_recv_cap, ring.rx, P(&m));
    status_t reply = STATUS(ring_call, ring.tx, P(&m), back.rx, P(&m), 0);
    while (n > 0)
        (void)SYS(cap_drop, taken[--n]);
    C(ring_recv_cap, TABLE_FULL, receive == ERR_TABLE_FULL);
    C(ring_try_recv_cap, TABLE_FULL, try == ERR_TABLE_FULL);
    C(ring_call, TABLE_FULL, reply == ERR_TABLE_FULL);
    struct vx_result r = SYS(ring_recv_cap, back.rx, P(&m), 0);
    C(ring_recv_cap, ok, vx_result_status(r.value) == OK && r.value != 0);
    (void)SYS(cap_drop, r.value);
    kit_ring_drop(back);
    drain();
}

void test_ring_cap(void)
{
    ring = kit_ring(4, VX_RING_CAPS);
    struct check_accounts before = check_accounts();
    send();
    recv();
    try_recv();
    plain_receives();
    full_table();
    check_no_leak("capabilities in messages leave nothing behind", before);
    kit_ring_drop(ring);
}
