/* SPDX-License-Identifier: MIT
 * Ring ends cannot be narrowed in place, only handed over with fewer rights. So a child gets such an end as its "gift",
 * tries the calls (child.c), and its exit status is one bit for each that answered NO_RIGHTS. */
#include "syscalls.h"

void test_ring_rights(void)
{
    struct check_accounts before = check_accounts();
    struct ring ring = kit_ring(4, VX_RING_CAPS);
    struct vx_message m = {};
    (void)SYS(ring_send, ring.tx, P(&m), 0);
    uint32_t tx = kit_child_end(kit_child("weak-tx", ring.tx, VX_R_MOVE, nullptr));
    uint32_t rx = kit_child_end(kit_child("weak-rx", ring.rx, VX_R_MOVE, nullptr));
    C(ring_send, NO_RIGHTS, tx < 1000 && (tx & 1) != 0);
    C(ring_send_cap, NO_RIGHTS, tx < 1000 && (tx & 2) != 0);
    C(ring_send_burst, NO_RIGHTS, tx < 1000 && (tx & 4) != 0);
    C(ring_call, NO_RIGHTS, tx < 1000 && (tx & 8) != 0);
    C(signal_post, NO_RIGHTS, tx < 1000 && (tx & 16) != 0);
    C(ring_recv, NO_RIGHTS, rx < 1000 && (rx & 1) != 0);
    C(ring_try_recv, NO_RIGHTS, rx < 1000 && (rx & 2) != 0);
    C(ring_recv_cap, NO_RIGHTS, rx < 1000 && (rx & 4) != 0);
    C(ring_try_recv_cap, NO_RIGHTS, rx < 1000 && (rx & 8) != 0);
    C(ring_recv_burst, NO_RIGHTS, rx < 1000 && (rx & 16) != 0);
    C(bind, NO_RIGHTS, rx < 1000 && (rx & 32) != 0);
    C(ring_call, NO_RIGHTS, rx < 1000 && (rx & 64) != 0);
    check_no_leak("children with weak ring ends leave nothing behind", before);
}
