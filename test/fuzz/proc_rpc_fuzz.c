/* SPDX-License-Identifier: MIT
 * procd with hostile clients: any messages, any capabilities, any failing calls. Every record is a process with a
 * connection, or one that has ended and whose parent lives; in the end nothing is left, no capability either. */
// sources: lib/libvectra/service.c lib/libvectra/rpc.c lib/libvectra/names.c lib/libvectra/string.c
// sources: srv/procd/ops.c srv/procd/table.c srv/procd/names.c srv/procd/terminal.c
// sources: srv/procd/landing.c srv/procd/crash.c
#define HOST_OPS 32
#include "service_host.h"
#include <srv/procd/landing.h>
#include <srv/procd/core.h>
#include <srv/procd/ops.h>
#include <srv/procd/program.h>
#include <srv/procd/table.h>
#include <srv/procd/terminal.h>
#include <vectra/rpc_proc.h>

/* What a crashed process was, for the reports: it may say anything. (Its file and the dump have tests of their own.) */
const struct vx_bundle *program_bundle(const struct proc *)
{
    static const struct vx_bundle some;
    return host_byte() % 2 == 0 ? &some : nullptr;
}

void program_names(const struct vx_bundle *, struct vx_symbol *symbol, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        symbol[i].name[0] = (char)host_byte();
        symbol[i].start = host_byte();
    }
}

bool program_read(const struct proc *, uint64_t, void *to, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)to)[i] = host_byte();
    return host_luck() == OK;
}

const char *program_variable(const struct vx_bundle *, const char *, size_t *len)
{
    *len = host_byte() % 2;
    return *len != 0 ? "1" : nullptr;
}

void core_write(const struct proc *p, const struct vx_bundle *bundle, uint32_t, uint32_t, const struct vx_frame *)
{
    require(bundle != nullptr && p->id != 0);
}

static void check(void)
{
    for (uint32_t i = 0; i < PROC_PROCESSES_MAX; i++) {
        const struct proc *p = &procs[i], *parent = proc_find(p->parent);
        require(p->id == 0 || i < procs_used);
        if (p->id == 0)
            continue;
        require(proc_find(p->id) == p);
        require(p->state <= VX_PROC_STATE_ENDED && p->n_queued <= PROC_QUEUE_MAX);
        if (p->state == VX_PROC_STATE_ENDED)
            require(p->task.raw == 0 && p->bell.raw == 0 && p->link == nullptr && parent != nullptr &&
                    parent->state != VX_PROC_STATE_ENDED);
        else
            require(p->link != nullptr && (p->task.raw != 0 || p->bell.raw != 0));
    }
}

static status_t dispatch(struct vx_session *s, struct vx_incoming *in)
{
    status_t st = ops_dispatch(s, in);
    check();
    return st;
}

static void on_signal(struct vx_service *svc, uint64_t bits)
{
    if ((bits >> LANDING_BIT & 1) != 0)
        landing_faults();
    terminal_signals(svc, bits);
    check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vx_service svc = { .name = "procd",
                              .session_bytes = ops_session_bytes,
                              .dispatch = dispatch,
                              .closed = ops_closed,
                              .on_signal = on_signal,
                              .own_bits = terminal_bits() | UINT64_C(1) << LANDING_BIT };
    host_begin(&svc, data, size);
    svc.inbox = (vx_ring_rx){ host_new() };
    (void)host_client(&svc, 1);
    (void)host_client(&svc, 2);
    host_serve(&svc);
    require(procs_used == 0);
    require(host_live() == 0);
    return 0;
}
