/* SPDX-License-Identifier: MIT
 * Keeping the graph true: start what can start, take note of what ended, start it again as its line says. */
#include "initd.h"
#include <vectra/bundle.h>
#include <vectra/cpio.h>
#include <vectra/io.h>
#include <vectra/string.h>
#include <vectra/symbols.h>
#include <vectra/time.h>

enum { CANNOT_RUN = 4 };

/* A service that does not say ready is reported once this has passed. */
static constexpr uint64_t ready_limit_ns = UINT64_C(20000000000);

static bool needs_are_ready(const struct unit *u)
{
    const struct graph_service *d = u->decl;
    for (unsigned i = 0; i < d->needs.count; i++) {
        if (initd.unit[graph_find(&initd.graph, d->needs.word[i])].state != VX_INIT_STATE_READY)
            return false;
    }
    for (unsigned i = 0; i < d->after.count; i++) {
        uint32_t state = initd.unit[graph_find(&initd.graph, d->after.word[i])].state;
        if (state == VX_INIT_STATE_WAITING || state == VX_INIT_STATE_STARTING)
            return false;
    }
    if (d->session && !initd.announced)
        return false;
    if (d->n_devices != 0 && !initd.devices_granted)
        return false;
    return (d->uses.count == 0 && !d->session) || initd.naming_ready;
}

/* Ended, or could not start: what now? */
static void unit_down(struct unit *u)
{
    uint64_t now = vx_clock_monotonic_ns();
    bool clean = u->cause == VX_CAUSE_EXIT && u->status == 0;
    bool wanted = u->decl->restart == RESTART_ALWAYS || (u->decl->restart == RESTART_ON_FAILURE && !clean);
    u->ends++;
    if (u->again_now) {
        u->again_now = false;
        backoff_reset(&u->backoff);
        u->state = VX_INIT_STATE_WAITING;
        initd_again();
    } else if (u->keep_down || !wanted) {
        u->state = VX_INIT_STATE_STOPPED;
    } else if (backoff_ended(&u->backoff, u->started_ns, now, &u->again_ns)) {
        u->state = VX_INIT_STATE_BACKOFF;
        if (!clean)
            initd_say("initd: %s starts again in %lu ms\n", u->decl->name, (u->again_ns - now) / 1000000);
    } else {
        u->state = VX_INIT_STATE_FAILED;
        initd_say("initd: %s ended %u times in a short while and stays down\n", u->decl->name,
                  u->decl->crash_limit + 1);
    }
}

/* The function in which its program was; one that is not in the initial RAM disk, or has no names, is not named. */
static struct vx_symbol function_at(const struct unit *u, uint64_t address)
{
    struct vx_symbol symbol = { .address = address };
    struct vx_cpio archive;
    struct vx_cpio_entry e;
    if (vx_initrd(&archive) == OK && vx_cpio_find(&archive, u->decl->image, &e) == OK)
        vx_symbols_find_in(e.data, e.data_len, &symbol, 1);
    return symbol;
}

static void report_end(const struct unit *u)
{
    struct vx_task_info info = {};
    if (u->keep_down || u->again_now || (u->cause == VX_CAUSE_EXIT && u->status == 0))
        return;
    if (u->cause == VX_CAUSE_EXIT) {
        initd_say("initd: %s (task %u) exited with status %u\n", u->decl->name, u->task_id, u->status);
        return;
    }
    (void)vx_sys_task_control(u->task, VX_TASK_INFO, (uintptr_t)&info, sizeof info, 0, nullptr,
                              nullptr); /* zeros otherwise */
    struct vx_symbol in = function_at(u, info.fault_pc - info.image_base);
    initd_say("initd: %s (task %u) ended by a fault: %s, address %#lx, at %#lx, %#lx of its image%s%s\n", u->decl->name,
              u->task_id, vx_cause_name(u->cause), info.fault_address, info.fault_pc, info.fault_pc - info.image_base,
              in.name[0] != '\0' ? ", in " : "", in.name);
}

static void unit_reaped(struct unit *u)
{
    report_end(u);
    (void)vx_sys_cap_drop(u->task.raw);
    u->task = VX_SELF;
    if (u->session != nullptr)
        vx_session_close(u->session);
    u->session = nullptr;
    if (u == naming_unit())
        initd.naming_ready = false;
    if (u == topo_unit())
        initd.devices_granted = false;
    if (u == files_unit())
        initd.files_granted = false;
    unit_down(u);
    if (u->decl->session)
        session_ended(u);
}

void units_reap(void)
{
    for (unsigned i = 0; i < initd.graph.n_services; i++) {
        struct unit *u = &initd.unit[i];
        uint64_t cause = 0;
        if (u->task.raw == VX_HANDLE_NONE || vx_sys_waitpid(u->task, VX_WAIT_NOHANG, &u->status, &cause) != OK)
            continue;
        u->cause = (vx_cause_t)(cause & 255);
        unit_reaped(u);
    }
}

void unit_end(struct unit *u, bool again)
{
    u->keep_down = !again;
    u->again_now = again;
    if (u->task.raw != VX_HANDLE_NONE)
        (void)vx_sys_destroy(u->task.raw); /* its end is reported by its bit, like any other */
    else
        u->state = VX_INIT_STATE_STOPPED;
}

static void unit_start(struct unit *u)
{
    status_t st = unit_launch(u);
    if (st == OK) {
        if (u->decl->session) /* a shell need not say ready */
            u->state = VX_INIT_STATE_READY;
        if (u == naming_unit()) {
            if (initd.naming_inbox.raw != VX_HANDLE_NONE)
                (void)vx_sys_cap_drop(initd.naming_inbox.raw); /* its reader is gone */
            initd.naming_inbox = u->inbox;
            u->inbox = (vx_ring_tx){};
            u->unpublished = false;
        }
        return;
    }
    initd.quiet = false;
    initd_say("initd: %s does not start: %s: %s\n", u->decl->name, u->decl->image, vx_status_text(st));
    u->cause = VX_CAUSE_EXIT;
    u->status = 126;
    u->started_ns = vx_clock_monotonic_ns();
    unit_down(u);
    if (u->decl->session)
        session_ended(u);
}

static bool all_ready(void)
{
    for (unsigned i = 0; i < initd.graph.n_services; i++) {
        const struct unit *u = &initd.unit[i];
        bool done = u->state == VX_INIT_STATE_READY ||
                    (u->state == VX_INIT_STATE_STOPPED && u->cause == VX_CAUSE_EXIT && u->status == 0);
        if (!u->decl->session && !done)
            return false;
    }
    return true;
}

/* Nothing is to be expected of it: down, or overdue, or (*stuck by place in the graph) waiting for such a one. */
static bool is_hopeless(const struct unit *u, const bool *stuck, uint64_t now)
{
    if (u->state == VX_INIT_STATE_FAILED || u->state == VX_INIT_STATE_STOPPED)
        return true;
    if (u->state == VX_INIT_STATE_STARTING && now - u->started_ns > ready_limit_ns)
        return true;
    if (u->ends != 0 && now > ready_limit_ns) /* it comes and goes without a limit */
        return true;
    for (unsigned i = 0; u->state == VX_INIT_STATE_WAITING && i < u->decl->needs.count; i++) {
        if (stuck[graph_find(&initd.graph, u->decl->needs.word[i])])
            return true;
    }
    return false;
}

/* Something that will not come back must not keep the shell from starting: the person needs it most then. */
static bool all_settled(uint64_t now)
{
    bool stuck[GRAPH_SERVICES_MAX] = {};
    for (unsigned k = 0; k < initd.graph.n_services; k++) {
        unsigned i = initd.graph.order[k]; /* behind what it needs */
        const struct unit *u = &initd.unit[i];
        stuck[i] = u->state != VX_INIT_STATE_READY && is_hopeless(u, stuck, now);
        if (!u->decl->session && u->state != VX_INIT_STATE_READY && !stuck[i])
            return false;
    }
    return true;
}

static bool shell_can_start(void)
{
    for (unsigned i = 0; i < initd.graph.n_services; i++) {
        if (initd.unit[i].decl->session)
            return needs_are_ready(&initd.unit[i]);
    }
    return false;
}

static void announce(uint64_t now)
{
    if (initd.announced)
        return;
    if (all_ready()) {
        initd.announced = true;
        initd_say("[stage] services: ok\n");
    } else if (all_settled(now)) {
        initd.announced = true;
        initd_say("initd: some services are not ready; `services` tells which\n");
        if (initd.command != nullptr && !shell_can_start()) {
            initd_say("initd: without them the command of /run/exec cannot run\n");
            initd.exit_status = CANNOT_RUN;
            initd.service.stopping = true;
        }
    }
}

/* The machine lacks its device, or that of a service that it needs. In start order: those come first. */
static bool is_absent(struct unit *u)
{
    for (unsigned i = 0; i < u->decl->needs.count && !u->absent; i++)
        u->absent = initd.unit[graph_find(&initd.graph, u->decl->needs.word[i])].absent;
    return u->absent;
}

/* One sweep in start order; a service that says ready causes the next. */
void units_advance(void)
{
    uint64_t now = vx_clock_monotonic_ns();
    struct unit *naming = naming_unit();
    if (naming != nullptr && naming->state == VX_INIT_STATE_READY && !initd.naming_ready)
        naming_grant_all();
    units_publish();
    if (initd.naming_ready && !initd.devices_granted && topo_unit() != nullptr &&
        topo_unit()->state == VX_INIT_STATE_READY && !topo_unit()->unpublished)
        devices_grant_all();
    if (initd.naming_ready && !initd.files_granted && files_unit() != nullptr &&
        files_unit()->state == VX_INIT_STATE_READY && !files_unit()->unpublished)
        files_grant_all();
    announce(now);
    for (unsigned i = 0; i < initd.graph.n_services && !initd.service.stopping; i++) {
        struct unit *u = &initd.unit[initd.graph.order[i]];
        if (u->state == VX_INIT_STATE_BACKOFF && now >= u->again_ns)
            u->state = VX_INIT_STATE_WAITING;
        if (u->state == VX_INIT_STATE_WAITING && is_absent(u)) {
            u->state = VX_INIT_STATE_STOPPED; /* as if it had looked, and found nothing to do */
            initd_again();
        } else if (u->state == VX_INIT_STATE_WAITING && needs_are_ready(u)) {
            unit_start(u);
        }
    }
    initd.service.deadline_ns = units_deadline();
}

uint64_t units_deadline(void)
{
    uint64_t next = VX_FOREVER;
    for (unsigned i = 0; i < initd.graph.n_services; i++) {
        const struct unit *u = &initd.unit[i];
        uint64_t at = VX_FOREVER;
        if (u->state == VX_INIT_STATE_BACKOFF)
            at = u->again_ns;
        else if (u->state == VX_INIT_STATE_STARTING && !initd.announced)
            at = u->started_ns + ready_limit_ns + 1;
        if (at < next)
            next = at;
    }
    return next;
}
