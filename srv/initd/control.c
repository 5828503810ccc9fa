/* SPDX-License-Identifier: MIT
 * The init protocol: each Task that we started has a line to us, and its badge is its place in the graph. */
#include "initd.h"
#include <vectra/bundle.h>
#include <vectra/string.h>

static struct unit *caller(const struct vx_session *s)
{
    return &initd.unit[s->badge - 1];
}

static bool may_control(const struct vx_session *s)
{
    return caller(s)->decl->control;
}

static status_t op_ready(struct vx_session *s)
{
    struct unit *u = caller(s);
    if (u->state == VX_INIT_STATE_STARTING) {
        u->state = VX_INIT_STATE_READY;
        initd_again(); /* the reply goes first: what follows may call the caller */
    }
    return OK;
}

static status_t op_service(struct vx_session *, const struct vx_init_service_request *q,
                           struct vx_init_service_reply *a)
{
    if (q->index >= initd.graph.n_services)
        return ERR_NOT_FOUND;
    const struct unit *u = &initd.unit[initd.graph.order[q->index]];
    size_t len = strlen(u->decl->name);
    *a = (struct vx_init_service_reply){ .next = q->index + 1,
                                         .state = u->state,
                                         .task = u->task_id,
                                         .restarts = u->starts > 1 ? u->starts - 1 : 0,
                                         .status = u->status,
                                         .cause = u->cause,
                                         .started_s = (uint32_t)(u->started_ns / 1000000000),
                                         .name_len = (uint8_t)len };
    memcpy(a->name, u->decl->name, len);
    return OK;
}

static status_t find_unit(const struct vx_session *s, const uint8_t *name, uint8_t len, struct unit **out)
{
    graph_word word = {};
    if (!may_control(s))
        return ERR_NO_RIGHTS;
    if (len >= sizeof word)
        return ERR_NOT_FOUND;
    memcpy(word, name, len);
    int i = graph_find(&initd.graph, word);
    if (i < 0)
        return ERR_NOT_FOUND;
    *out = &initd.unit[i];
    return OK;
}

static bool is_up(const struct unit *u)
{
    return u->state == VX_INIT_STATE_STARTING || u->state == VX_INIT_STATE_READY;
}

static void make_waiting(struct unit *u)
{
    backoff_reset(&u->backoff);
    u->keep_down = false;
    u->state = VX_INIT_STATE_WAITING;
    initd_again();
}

static status_t op_start(struct vx_session *s, const struct vx_init_start_request *q)
{
    struct unit *u = nullptr;
    status_t st = find_unit(s, q->name, q->name_len, &u);
    if (st == OK && is_up(u))
        return ERR_BUSY;
    if (st == OK)
        make_waiting(u);
    return st;
}

static status_t op_start_with(struct vx_session *s, const struct vx_init_start_with_request *q)
{
    struct unit *u = nullptr;
    status_t st = find_unit(s, q->name, q->name_len, &u);
    if (st != OK)
        return st;
    if (!u->decl->by_hand || q->argument_len == 0 || memchr(q->argument, '\0', q->argument_len) != nullptr)
        return ERR_BAD_ARGUMENT;
    if (u->state != VX_INIT_STATE_STOPPED && u->state != VX_INIT_STATE_FAILED)
        return ERR_BUSY;
    memcpy(u->argument, q->argument, q->argument_len);
    u->argument[q->argument_len] = '\0';
    make_waiting(u);
    return OK;
}

static status_t op_stop(struct vx_session *s, const struct vx_init_stop_request *q)
{
    struct unit *u = nullptr;
    status_t st = find_unit(s, q->name, q->name_len, &u);
    if (st == OK)
        unit_end(u, false);
    return st;
}

static status_t op_restart(struct vx_session *s, const struct vx_init_restart_request *q)
{
    struct unit *u = nullptr;
    status_t st = find_unit(s, q->name, q->name_len, &u);
    if (st == OK && is_up(u))
        unit_end(u, true);
    else if (st == OK)
        make_waiting(u);
    return st;
}

static status_t leave(const struct vx_session *s, uint32_t status)
{
    if (!may_control(s))
        return ERR_NO_RIGHTS;
    initd.exit_status = status;
    initd.service.stopping = true;
    return OK;
}

static status_t op_poweroff(struct vx_session *s)
{
    return leave(s, 0);
}

static status_t op_reboot(struct vx_session *s)
{
    return leave(s, 1);
}

static status_t op_task(struct vx_session *s, const struct vx_init_task_request *q, struct vx_init_task_reply *a,
                        vx_task *task)
{
    const struct unit *best = nullptr;
    if (!may_control(s))
        return ERR_NO_RIGHTS;
    for (unsigned i = 0; i < initd.graph.n_services; i++) {
        const struct unit *u = &initd.unit[i];
        if (is_up(u) && u->task_id > q->after && (best == nullptr || u->task_id < best->task_id))
            best = u;
    }
    if (best == nullptr)
        return ERR_NOT_FOUND;
    a->id = best->task_id;
    return vx_sys_cap_narrow(best->task.raw, VX_R_INSPECT | VX_R_MOVE, 0, 0, &task->raw);
}

static status_t op_self(struct vx_session *, struct vx_init_self_reply *a)
{
    struct vx_task_info info = {};
    status_t st = vx_sys_task_control(VX_SELF, VX_TASK_INFO, (uintptr_t)&info, sizeof info, 0, nullptr, nullptr);
    *a = (struct vx_init_self_reply){ .id = info.id,
                                      .threads = info.threads,
                                      .caps = info.caps_used,
                                      .cpu_ns = info.cpu_ns,
                                      .memory_bytes = info.memory_bytes,
                                      .memory_free = info.memory_free };
    for (unsigned i = 0; i < initd.graph.n_services; i++)
        a->children += is_up(&initd.unit[i]);
    return st;
}

static status_t op_memory(struct vx_session *, struct vx_init_memory_reply *a)
{
    struct vx_cap_facts facts = {};
    status_t st = vx_sys_cap_inspect(vx_bundle_reticle("root").raw, &facts, nullptr);
    *a = (struct vx_init_memory_reply){ .total = facts.a, .free = facts.b, .largest = facts.c, .lent = facts.d };
    return st;
}

static status_t op_inbox(struct vx_session *s, vx_ring_rx *inbox)
{
    initd_again();
    return unit_new_inbox(caller(s), inbox);
}

static status_t op_keep(struct vx_session *s, vx_mem memory)
{
    struct unit *u = caller(s);
    if (u->kept.raw != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(u->kept.raw);
    u->kept = memory;
    return OK;
}

static status_t op_kept(struct vx_session *s, vx_mem *memory)
{
    const vx_rights_t rights = VX_R_READ | VX_R_WRITE | VX_R_COPY | VX_R_MOVE | VX_R_INSPECT;
    vx_mem kept = caller(s)->kept;
    if (kept.raw == VX_HANDLE_NONE || vx_sys_cap_narrow(kept.raw, rights, 0, 0, &memory->raw) != OK)
        return ERR_NOT_FOUND;
    return OK;
}

static status_t op_naming_requests(struct vx_session *s, vx_ring_rx rx)
{
    struct unit *u = caller(s);
    vx_ring_rx old = u->naming_rx;
    bool may = u->decl->uses.count != 0;
    u->naming_rx = may ? rx : (vx_ring_rx){};
    vx_handle_t unwanted = may ? old.raw : rx.raw;
    if (unwanted != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(unwanted); /* gone by itself is as good */
    return may ? OK : ERR_NO_RIGHTS;
}

static status_t op_naming_replies(struct vx_session *s, vx_ring_tx tx)
{
    struct unit *u = caller(s);
    vx_ring_rx rx = u->naming_rx;
    u->naming_rx = (vx_ring_rx){};
    if (rx.raw == VX_HANDLE_NONE || !initd.naming_ready) {
        (void)vx_sys_cap_drop(tx.raw);
        if (rx.raw != VX_HANDLE_NONE)
            (void)vx_sys_cap_drop(rx.raw);
        return rx.raw == VX_HANDLE_NONE ? ERR_BAD_ARGUMENT : ERR_BUSY;
    }
    return naming_forward(unit_badge(u), rx, tx);
}

status_t control_dispatch(struct vx_session *s, struct vx_incoming *in)
{
    static const struct vx_init_ops ops = {
        .ready = op_ready,
        .service = op_service,
        .start = op_start,
        .start_with = op_start_with,
        .stop = op_stop,
        .restart = op_restart,
        .poweroff = op_poweroff,
        .reboot = op_reboot,
        .task = op_task,
        .self = op_self,
        .memory = op_memory,
        .inbox = op_inbox,
        .keep = op_keep,
        .kept = op_kept,
        .naming_requests = op_naming_requests,
        .naming_replies = op_naming_replies,
    };
    return vx_init_dispatch(&ops, s, in);
}
