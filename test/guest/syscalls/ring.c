/* SPDX-License-Identifier: MIT
 * Rings without capabilities: calls 5, 6, 7, 13, 24, 33, 34, 47. What a missing right does is in ring_rights.c. */
#include "syscalls.h"
#include <abi/ring.h>

static struct ring ring; /* plain, 4 slots */
static struct vx_message m;
static struct vx_message many[RING_BURST_MAX];

static void fill(unsigned n)
{
    while (STATUS(ring_try_recv, ring.rx, P(&m)) == OK)
        ;
    for (unsigned i = 0; i < n; i++) {
        m.word[0] = 100 + i;
        (void)SYS(ring_send, ring.tx, P(&m), 0);
    }
}

static void create(void)
{
    struct vx_result r = SYS(ring_create, 0, 8, 0);
    struct vx_cap_facts facts = {};
    bool good = vx_result_status(r.value) == OK && r.value != r.second && STATUS(cap_inspect, r.value, P(&facts)) == OK;
    C(ring_create, ok, good && facts.type == VX_CAP_RING_TX && facts.a == 8 && facts.b == 0 && facts.c == 1);
    kit_ring_drop((struct ring){ (vx_handle_t)r.value, (vx_handle_t)r.second });
    r = SYS(ring_create, kit.reticle, 0, VX_RING_CAPS);
    (void)SYS(cap_inspect, r.second, P(&facts));
    C(ring_create, ok, facts.type == VX_CAP_RING_RX && facts.a == RING_SLOTS_DEFAULT);
    kit_ring_drop((struct ring){ (vx_handle_t)r.value, (vx_handle_t)r.second });
    E(ring_create, BAD_HANDLE, SYS(ring_create, FORGED, 8, 0));
    E(ring_create, WRONG_TYPE, SYS(ring_create, kit.sem, 8, 0));
    vx_handle_t weak = kit_without(kit.reticle, VX_R_WRITE);
    E(ring_create, NO_RIGHTS, SYS(ring_create, weak, 8, 0));
    (void)SYS(cap_drop, weak);
    vx_handle_t gone = (vx_handle_t)SYS(reticle_carve, 0, 65536).value;
    (void)SYS(destroy, gone);
    E(ring_create, DESTROYED, SYS(ring_create, gone, 8, 0));
    (void)SYS(cap_drop, gone);
    E(ring_create, BAD_ARGUMENT, SYS(ring_create, 0, 7, 0));
    E(ring_create, BAD_ARGUMENT, SYS(ring_create, 0, 8, 0x80));
    E(ring_create, TOO_BIG, SYS(ring_create, 0, RING_SLOTS_MAX * 2, 0));
    vx_handle_t tiny = (vx_handle_t)SYS(reticle_carve, 0, 4096).value;
    E(ring_create, NO_MEMORY, SYS(ring_create, tiny, RING_SLOTS_MAX, 0));
    (void)SYS(cap_drop, tiny);
    struct ring largest = kit_ring(RING_SLOTS_MAX, 0);
    C(ring_create, hostile,
      largest.tx != 0 && STATUS(ring_create, 0, UINT32_MAX, 0) != OK &&
          STATUS(ring_create, 0, 0x80000000u, UINT32_MAX) != OK);
    kit_ring_drop(largest);
}

static struct vx_result send_at(uint64_t a)
{
    return SYS(ring_send, ring.tx, a, 0);
}

static void send(void)
{
    fill(0);
    m.word[0] = 42;
    m.word[7] = 43;
    S(ring_send, SYS(ring_send, ring.tx, P(&m), 0));
    struct vx_message got = {};
    C(ring_send, ok, STATUS(ring_recv, ring.rx, P(&got), 0) == OK && got.word[0] == 42 && got.word[7] == 43);
    E(ring_send, BAD_HANDLE, SYS(ring_send, FORGED, P(&m), 0));
    E(ring_send, WRONG_TYPE, SYS(ring_send, ring.rx, P(&m), 0));
    kit_hostile_in("ring_send.BAD_ADDRESS", 64, send_at);
    vx_handle_t orphan = kit_orphan_tx(0);
    E(ring_send, PEER_CLOSED, SYS(ring_send, orphan, P(&m), VX_FOREVER));
    (void)SYS(cap_drop, orphan);
    fill(4);
    E(ring_send, WOULD_BLOCK, SYS(ring_send, ring.tx, P(&m), 0));
    E(ring_send, TIMED_OUT, SYS(ring_send, ring.tx, P(&m), kit_soon()));
    E(ring_send, TIMED_OUT, SYS(ring_send, ring.tx, P(&m), kit_past()));
    kit_interrupt();
    E(ring_send, INTERRUPTED, SYS(ring_send, ring.tx, P(&m), VX_FOREVER));
    fill(0);
    /* straddling two mapped pages and unaligned, from read-only memory: all of it is fine */
    C(ring_send, hostile,
      STATUS(ring_send, ring.tx, P(kit.page) + 1, 0) == OK &&
          STATUS(ring_send, ring.tx, P(kit.page) + 4096 - 64, 0) == OK &&
          STATUS(ring_send, ring.tx, P(kit.read_only), 0) == OK);
    fill(0);
}

static struct vx_result recv_at(uint64_t a)
{
    return SYS(ring_recv, ring.rx, a != 0 ? a : 8, 0); /* 0 is no address here */
}

static void recv(void)
{
    fill(2);
    S(ring_recv, SYS(ring_recv, ring.rx, P(&m), VX_FOREVER));
    C(ring_recv, ok, m.word[0] == 100 && STATUS(ring_recv, ring.rx, P(&m), 0) == OK && m.word[0] == 101);
    E(ring_recv, BAD_HANDLE, SYS(ring_recv, FORGED, P(&m), 0));
    E(ring_recv, WRONG_TYPE, SYS(ring_recv, ring.tx, P(&m), 0));
    E(ring_recv, WOULD_BLOCK, SYS(ring_recv, ring.rx, P(&m), 0));
    E(ring_recv, TIMED_OUT, SYS(ring_recv, ring.rx, P(&m), kit_soon()));
    kit_interrupt();
    E(ring_recv, INTERRUPTED, SYS(ring_recv, ring.rx, P(&m), VX_FOREVER));
    vx_handle_t orphan = kit_orphan_rx(0);
    E(ring_recv, PEER_CLOSED, SYS(ring_recv, orphan, P(&m), VX_FOREVER));
    (void)SYS(cap_drop, orphan);
    fill(1);
    C(ring_recv, ok,
      STATUS(ring_recv, ring.rx, 0, VX_FOREVER) == OK && STATUS(ring_try_recv, ring.rx, 0) == OK &&
          STATUS(ring_recv_cap, ring.rx, 0, 0) == OK && STATUS(ring_try_recv_cap, ring.rx, 0) == OK); /* it stays */
    kit_hostile_out("ring_recv.BAD_ADDRESS", 64, recv_at);
    /* on error nothing changed: the message is still there */
    C(ring_recv, hostile,
      STATUS(ring_recv, ring.rx, P(kit.page) + 7, 0) == OK && memcmp(kit.page + 7, &(uint64_t){ 100 }, 8) == 0);
}

static struct vx_result try_at(uint64_t a)
{
    return SYS(ring_try_recv, ring.rx, a != 0 ? a : 8);
}

static void try_recv(void)
{
    fill(1);
    S(ring_try_recv, SYS(ring_try_recv, ring.rx, P(&m)));
    E(ring_try_recv, WOULD_BLOCK, SYS(ring_try_recv, ring.rx, P(&m)));
    E(ring_try_recv, BAD_HANDLE, SYS(ring_try_recv, FORGED, P(&m)));
    E(ring_try_recv, WRONG_TYPE, SYS(ring_try_recv, kit.mem, P(&m)));
    vx_handle_t orphan = kit_orphan_rx(0);
    E(ring_try_recv, PEER_CLOSED, SYS(ring_try_recv, orphan, P(&m)));
    (void)SYS(cap_drop, orphan);
    fill(1);
    kit_hostile_out("ring_try_recv.BAD_ADDRESS", 64, try_at);
    C(ring_try_recv, hostile, STATUS(ring_try_recv, ring.rx, P(kit.page) + 3) == OK);
}

static void map(void)
{
    fill(1);
    struct vx_result r = SYS(ring_map, ring.tx);
    S(ring_map, r);
    struct vx_ring_shared *shared = (struct vx_ring_shared *)(uintptr_t)r.value;
    bool good = vx_result_status(r.value) == OK && SYS(ring_map, ring.tx).value == r.value;
    C(ring_map, ok,
      good && atomic_load_explicit(&shared->head, memory_order_acquire) -
                      atomic_load_explicit(&shared->tail, memory_order_acquire) ==
                  1);
    E(ring_map, BAD_HANDLE, SYS(ring_map, FORGED));
    E(ring_map, WRONG_TYPE, SYS(ring_map, kit.sem));
    E(ring_map, DESTROYED, SYS(ring_map, kit.dead));
    vx_handle_t orphan = kit_orphan_rx(0);
    r = SYS(ring_map, orphan);
    shared = (struct vx_ring_shared *)(uintptr_t)r.value;
    bool open =
        vx_result_status(r.value) == OK && (atomic_load_explicit(&shared->closed, memory_order_acquire) & 1) != 0;
    C(ring_map, hostile, open && STATUS(ring_map, kit.reticle) == ERR_WRONG_TYPE);
    (void)SYS(cap_drop, orphan);
}

static struct vx_result send_burst_at(uint64_t a)
{
    return SYS(ring_send_burst, ring.tx, a, 2);
}

static void send_burst(void)
{
    fill(0);
    C(ring_send_burst, ok, SYS(ring_send_burst, ring.tx, P(many), 3).value == 3);
    C(ring_send_burst, ok, SYS(ring_send_burst, ring.tx, P(many), 3).value == 1); /* as many as fit */
    E(ring_send_burst, WOULD_BLOCK, SYS(ring_send_burst, ring.tx, P(many), 3));
    fill(0);
    E(ring_send_burst, BAD_HANDLE, SYS(ring_send_burst, FORGED, P(many), 1));
    E(ring_send_burst, WRONG_TYPE, SYS(ring_send_burst, ring.rx, P(many), 1));
    E(ring_send_burst, TOO_BIG, SYS(ring_send_burst, ring.tx, P(many), RING_BURST_MAX + 1));
    E(ring_send_burst, BAD_ARGUMENT, SYS(ring_send_burst, ring.tx, P(many), 0));
    vx_handle_t orphan = kit_orphan_tx(0);
    E(ring_send_burst, PEER_CLOSED, SYS(ring_send_burst, orphan, P(many), 1));
    (void)SYS(cap_drop, orphan);
    kit_hostile_in("ring_send_burst.BAD_ADDRESS", 128, send_burst_at);
    C(ring_send_burst, hostile,
      STATUS(ring_send_burst, ring.tx, P(many), UINT32_MAX) == ERR_TOO_BIG &&
          STATUS(ring_send_burst, ring.tx, P(kit.page) + 5, 2) == OK);
    fill(0);
}

static struct vx_result recv_burst_at(uint64_t a)
{
    return SYS(ring_recv_burst, ring.rx, a, 2, 0);
}

static void recv_burst(void)
{
    fill(3);
    memset(many, 0, sizeof many);
    C(ring_recv_burst, ok, SYS(ring_recv_burst, ring.rx, P(many), 2, 0).value == 2 && many[1].word[0] == 101);
    C(ring_recv_burst, ok, SYS(ring_recv_burst, ring.rx, P(many), RING_BURST_MAX, VX_FOREVER).value == 1);
    E(ring_recv_burst, WOULD_BLOCK, SYS(ring_recv_burst, ring.rx, P(many), 2, 0));
    E(ring_recv_burst, TIMED_OUT, SYS(ring_recv_burst, ring.rx, P(many), 2, kit_soon()));
    kit_interrupt();
    E(ring_recv_burst, INTERRUPTED, SYS(ring_recv_burst, ring.rx, P(many), 2, VX_FOREVER));
    E(ring_recv_burst, BAD_HANDLE, SYS(ring_recv_burst, FORGED, P(many), 2, 0));
    E(ring_recv_burst, WRONG_TYPE, SYS(ring_recv_burst, ring.tx, P(many), 2, 0));
    E(ring_recv_burst, TOO_BIG, SYS(ring_recv_burst, ring.rx, P(many), RING_BURST_MAX + 1, 0));
    E(ring_recv_burst, BAD_ARGUMENT, SYS(ring_recv_burst, ring.rx, P(many), 0, 0));
    vx_handle_t orphan = kit_orphan_rx(0);
    E(ring_recv_burst, PEER_CLOSED, SYS(ring_recv_burst, orphan, P(many), 2, 0));
    (void)SYS(cap_drop, orphan);
    fill(2);
    kit_hostile_out("ring_recv_burst.BAD_ADDRESS", 128, recv_burst_at);
    C(ring_recv_burst, hostile,
      STATUS(ring_recv_burst, ring.rx, P(many), UINT32_MAX, 0) == ERR_TOO_BIG &&
          SYS(ring_recv_burst, ring.rx, P(kit.page) + 9, 2, 0).value == 2);
}

static struct ring back; /* the ring on which replies come */

static struct vx_result call_from(uint64_t a)
{
    return SYS(ring_call, ring.tx, a != 0 ? a : 8, back.rx, P(&m), 0);
}

static struct vx_result call_into(uint64_t a)
{
    while (STATUS(ring_try_recv, ring.rx, P(&m)) == OK)
        ; /* the request of the call before may have gone out */
    return SYS(ring_call, ring.tx, P(&m), back.rx, a != 0 ? a : 8, 0);
}

/* A reply that waits already makes the call come back at once, so one thread can play both sides. */
static void prepare_reply(uint64_t word)
{
    fill(0);
    struct vx_message reply = { .word = { word } };
    while (STATUS(ring_try_recv, back.rx, P(&m)) == OK)
        ;
    (void)SYS(ring_send, back.tx, P(&reply), 0);
}

static void call_errors(void)
{
    E(ring_call, BAD_HANDLE, SYS(ring_call, FORGED, P(&m), back.rx, P(&m), 0));
    E(ring_call, BAD_HANDLE, SYS(ring_call, ring.tx, P(&m), FORGED, P(&m), 0));
    E(ring_call, WRONG_TYPE, SYS(ring_call, ring.rx, P(&m), back.rx, P(&m), 0));
    E(ring_call, WRONG_TYPE, SYS(ring_call, ring.tx, P(&m), back.tx, P(&m), 0));
    C(ring_call, hostile, STATUS(ring_try_recv, ring.rx, P(&m)) == ERR_WOULD_BLOCK); /* none of these sent anything */
    fill(4);
    E(ring_call, WOULD_BLOCK, SYS(ring_call, ring.tx, P(&m), back.rx, P(&m), 0));
    vx_handle_t orphan = kit_orphan_tx(0);
    E(ring_call, PEER_CLOSED, SYS(ring_call, orphan, P(&m), back.rx, P(&m), VX_FOREVER));
    (void)SYS(cap_drop, orphan);
    orphan = kit_orphan_rx(0);
    fill(0);
    E(ring_call, PEER_CLOSED, SYS(ring_call, ring.tx, P(&m), orphan, P(&m), VX_FOREVER));
    (void)SYS(cap_drop, orphan);
    fill(0);
}

static void call(void)
{
    back = kit_ring(4, 0);
    prepare_reply(77);
    struct vx_message request = { .word = { 55 } }, reply = {};
    struct vx_result r = SYS(ring_call, ring.tx, P(&request), back.rx, P(&reply), VX_FOREVER);
    S(ring_call, r);
    C(ring_call, ok,
      r.value == 0 && reply.word[0] == 77 && STATUS(ring_try_recv, ring.rx, P(&m)) == OK && m.word[0] == 55);
    call_errors();
    E(ring_call, TIMED_OUT, SYS(ring_call, ring.tx, P(&m), back.rx, P(&m), kit_soon()));
    kit_interrupt();
    fill(0);
    E(ring_call, INTERRUPTED, SYS(ring_call, ring.tx, P(&m), back.rx, P(&m), VX_FOREVER));
    fill(0);
    kit_hostile_in("ring_call.BAD_ADDRESS", 64, call_from);
    prepare_reply(78);
    kit_hostile_out("ring_call.BAD_ADDRESS", 64, call_into);
    fill(0);
    kit_ring_drop(back);
}

void test_ring(void)
{
    ring = kit_ring(4, 0);
    create();
    struct check_accounts before = check_accounts();
    send();
    recv();
    try_recv();
    send_burst();
    recv_burst();
    call();
    check_no_leak("ring calls leave nothing behind", before);
    map();
    kit_ring_drop(ring);
}
