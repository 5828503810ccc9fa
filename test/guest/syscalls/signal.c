/* SPDX-License-Identifier: MIT
 * Signals, semaphores, binding: calls 9, 10, 16, 17, 20. */
#include "syscalls.h"

static void post(void)
{
    S(signal_post, SYS(signal_post, 0, 1u << 20 | 1u << 21));
    struct vx_result r = SYS(signal_wait, 1u << 20 | 1u << 21 | 1u << 22, 0);
    C(signal_post, ok, r.value == (1u << 20 | 1u << 21));
    E(signal_post, BAD_HANDLE, SYS(signal_post, FORGED, 1));
    E(signal_post, WRONG_TYPE, SYS(signal_post, kit.sem, 1));
    struct ring ring = kit_ring(2, 0);
    E(signal_post, BAD_ARGUMENT, SYS(signal_post, ring.tx, 1)); /* a ring end takes no bits */
    C(signal_post, ok,
      STATUS(bind, ring.rx, 23) == OK && STATUS(signal_post, ring.tx, 0) == OK &&
          SYS(signal_wait, 1u << 23, 0).value == 1u << 23);
    (void)SYS(cap_drop, ring.rx);
    (void)SYS(signal_post, ring.tx, 0); /* nobody is left to wake: harmless */
    (void)SYS(cap_drop, ring.tx);
    vx_handle_t child = kit_child("exit", 0, 0, nullptr);
    vx_handle_t weak = kit_without(child, VX_R_SIGNAL);
    E(signal_post, NO_RIGHTS, SYS(signal_post, weak, 1));
    (void)SYS(cap_drop, weak);
    (void)SYS(waitpid, child, 0);
    (void)SYS(destroy, child);
    E(signal_post, DESTROYED, SYS(signal_post, child, 1));
    (void)SYS(cap_drop, child);
    /* all at once: the topmost bit is told by the next call, so that no result looks like an error */
    C(signal_post, hostile,
      STATUS(signal_post, 0, UINT64_MAX) == OK && SYS(signal_wait, UINT64_MAX, 0).value == UINT64_MAX >> 1 &&
          SYS(signal_wait, UINT64_MAX, 0).value == UINT64_C(1) << 63);
}

static void wait(void)
{
    (void)SYS(signal_post, 0, 1u << 5);
    struct vx_result r = SYS(signal_wait, 1u << 5, VX_FOREVER);
    C(signal_wait, ok, vx_result_status(r.value) == OK && r.value == 1u << 5);
    E(signal_wait, WOULD_BLOCK, SYS(signal_wait, 1u << 5, 0)); /* they were cleared */
    E(signal_wait, BAD_ARGUMENT, SYS(signal_wait, 0, VX_FOREVER));
    E(signal_wait, TIMED_OUT, SYS(signal_wait, 1u << 5, kit_soon()));
    E(signal_wait, TIMED_OUT, SYS(signal_wait, 1u << 5, kit_past()));
    kit_interrupt();
    E(signal_wait, INTERRUPTED, SYS(signal_wait, 1u << 5, VX_FOREVER));
    (void)SYS(signal_post, 0, UINT64_C(1) << 63 | 1);
    /* bits that were not asked for stay */
    C(signal_wait, hostile,
      SYS(signal_wait, UINT64_C(1) << 63, 0).value == UINT64_C(1) << 63 && SYS(signal_wait, UINT64_MAX, 0).value == 1);
}

static void sem_signal(void)
{
    vx_handle_t sem = (vx_handle_t)SYS(sem_create, 0, 0).value;
    S(sem_signal, SYS(sem_signal, sem, 3));
    C(sem_signal, ok, STATUS(sem_wait, sem, 3, 0) == OK && STATUS(sem_wait, sem, 1, 0) == ERR_WOULD_BLOCK);
    E(sem_signal, BAD_HANDLE, SYS(sem_signal, FORGED, 1));
    E(sem_signal, WRONG_TYPE, SYS(sem_signal, kit.mem, 1));
    vx_handle_t weak = kit_without(sem, VX_R_SIGNAL);
    E(sem_signal, NO_RIGHTS, SYS(sem_signal, weak, 1));
    (void)SYS(cap_drop, weak);
    E(sem_signal, DESTROYED, SYS(sem_signal, kit.dead, 1));
    E(sem_signal, BAD_ARGUMENT, SYS(sem_signal, sem, 0));
    (void)SYS(sem_signal, sem, SEM_COUNT_MAX);
    E(sem_signal, TOO_BIG, SYS(sem_signal, sem, 1));
    C(sem_signal, hostile,
      STATUS(sem_signal, sem, UINT32_MAX) == ERR_TOO_BIG && STATUS(sem_wait, sem, SEM_COUNT_MAX, 0) == OK);
    (void)SYS(cap_drop, sem);
}

static void sem_wait(void)
{
    vx_handle_t sem = (vx_handle_t)SYS(sem_create, 0, 5).value;
    S(sem_wait, SYS(sem_wait, sem, 2, VX_FOREVER));
    C(sem_wait, ok, STATUS(sem_wait, sem, 4, 0) == ERR_WOULD_BLOCK && STATUS(sem_wait, sem, 3, 0) == OK);
    E(sem_wait, WOULD_BLOCK, SYS(sem_wait, sem, 1, 0));
    E(sem_wait, TIMED_OUT, SYS(sem_wait, sem, 1, kit_soon()));
    kit_interrupt();
    E(sem_wait, INTERRUPTED, SYS(sem_wait, sem, 1, VX_FOREVER));
    E(sem_wait, BAD_ARGUMENT, SYS(sem_wait, sem, 0, 0));
    E(sem_wait, BAD_HANDLE, SYS(sem_wait, FORGED, 1, 0));
    E(sem_wait, WRONG_TYPE, SYS(sem_wait, kit.reticle, 1, 0));
    vx_handle_t weak = kit_without(sem, VX_R_WAIT);
    E(sem_wait, NO_RIGHTS, SYS(sem_wait, weak, 1, 0));
    (void)SYS(cap_drop, weak);
    E(sem_wait, DESTROYED, SYS(sem_wait, kit.dead, 1, VX_FOREVER));
    C(sem_wait, hostile, STATUS(sem_wait, sem, UINT32_MAX, kit_soon()) != OK);
    (void)SYS(cap_drop, sem);
}

static void bind(void)
{
    struct ring ring = kit_ring(4, 0);
    struct vx_message m = {};
    S(bind, SYS(bind, ring.rx, 30));
    (void)SYS(ring_send, ring.tx, P(&m), 0);
    C(bind, ok, SYS(signal_wait, 1u << 30, 0).value == 1u << 30);
    C(bind, ok,
      STATUS(bind, ring.rx, 64) == OK && STATUS(ring_send, ring.tx, P(&m), 0) == OK &&
          STATUS(signal_wait, 1u << 30, 0) == ERR_WOULD_BLOCK); /* undone */
    C(bind, ok,
      STATUS(bind, ring.rx, 31) == OK && SYS(signal_wait, 1u << 31, 0).value == 1u << 31); /* has happened already */
    (void)SYS(bind, ring.rx, 64);
    E(bind, BAD_HANDLE, SYS(bind, FORGED, 1));
    E(bind, WRONG_TYPE, SYS(bind, kit.mem, 1));
    E(bind, WRONG_TYPE, SYS(bind, ring.tx, 1));
    E(bind, BAD_ARGUMENT, SYS(bind, ring.rx, 65));
    vx_handle_t weak = kit_without(kit.sem, VX_R_BIND);
    E(bind, NO_RIGHTS, SYS(bind, weak, 1));
    (void)SYS(cap_drop, weak);
    E(bind, DESTROYED, SYS(bind, kit.dead, 1));
    C(bind, ok,
      STATUS(bind, kit.sem, 29) == OK && STATUS(sem_signal, kit.sem, 1) == OK &&
          SYS(signal_wait, 1u << 29, 0).value == 1u << 29);
    (void)SYS(sem_wait, kit.sem, 1, 0);
    (void)SYS(bind, kit.sem, 64);
    /* another Task's binding is not taken over */
    vx_handle_t shared = (vx_handle_t)SYS(sem_create, 0, 0).value;
    (void)SYS(cap_inspect, shared, P(kit.page));
    (void)SYS(bind, shared, 12);
    vx_handle_t copy = kit_without(shared, VX_R_DESTROY);
    vx_handle_t child = kit_child("bind-gift", copy, VX_R_BIND | VX_R_MOVE, nullptr);
    C(bind, BUSY, kit_child_end(child) == (uint32_t)-ERR_BUSY);
    (void)SYS(cap_drop, shared);
    C(bind, hostile,
      STATUS(bind, ring.rx, UINT32_MAX) == ERR_BAD_ARGUMENT && STATUS(bind, ring.rx, 1000) == ERR_BAD_ARGUMENT);
    (void)SYS(cap_drop, ring.tx);
    kit_ring_drop(ring);
}

void test_signal(void)
{
    struct check_accounts before = check_accounts();
    post();
    wait();
    sem_signal();
    sem_wait();
    bind();
    (void)SYS(signal_wait, UINT64_MAX, 0);
    check_no_leak("signals and semaphores leave nothing behind", before);
}
