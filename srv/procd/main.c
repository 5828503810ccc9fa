/* SPDX-License-Identifier: MIT
 * procd: the processes of POSIX programs. It knows who is whose child, which groups and sessions they form, and passes
 * signals on: from one to another, and from the keys of a terminal to the group in front. It starts nothing and owns no
 * memory of theirs; what it can do to a process is what its parent handed over. One thread, nothing allocated but the
 * sessions. */
#include "landing.h"
#include "ops.h"
#include "table.h"
#include "terminal.h"
#include <vectra/bundle.h>

static void signals(struct vx_service *svc, uint64_t bits)
{
    if ((bits >> LANDING_BIT & 1) != 0)
        landing_faults();
    terminal_signals(svc, bits);
}

int main(int argc, char **argv)
{
    (void)argc, (void)argv;
    static const struct vx_need needs[] = { { "inbox.rx", VX_CAP_RING_RX, false } };
    static struct vx_service service = {
        .name = "procd",
        .needs = needs,
        .n_needs = sizeof needs / sizeof needs[0],
        .sessions_max = PROC_PROCESSES_MAX,
        .dispatch = ops_dispatch,
        .closed = ops_closed,
        .on_signal = signals,
        .deadline_ns = VX_FOREVER,
    };
    service.session_bytes = ops_session_bytes;
    service.own_bits = terminal_bits() | UINT64_C(1) << LANDING_BIT;
    return vx_service_run(&service) == OK ? 0 : 1;
}
