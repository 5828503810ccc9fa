/* SPDX-License-Identifier: MIT
 * The calls. Each looks everything up before it changes anything. */
#include "ops.h"
#include "landing.h"
#include "names.h"
#include "table.h"
#include "terminal.h"
#include <vectra/rpc_proc.h>
#include <vectra/string.h>

/* What a session's state holds. */
struct state {
    struct link link;
    struct naming naming;
};
const size_t ops_session_bytes = sizeof(struct state);

static struct link *link_of(struct vx_session *s)
{
    return &((struct state *)s->state)->link;
}

static struct naming *naming_of(struct vx_session *s)
{
    return &((struct state *)s->state)->naming;
}

static struct proc *proc_of(struct vx_session *s)
{
    return link_of(s)->proc;
}

static void drop(vx_handle_t *handle)
{
    if (*handle != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(*handle);
    *handle = VX_HANDLE_NONE;
}

static void drop_halves(struct link *l)
{
    drop(&l->requests.raw);
    drop(&l->terminal.raw);
}

void ops_closed(struct vx_session *s)
{
    struct link *l = link_of(s);
    drop_halves(l);
    names_closed(s);
    if (l->proc != nullptr && l->proc->link == s)
        proc_ended(l->proc);
    l->proc = nullptr;
}

/* --- birth --- */

static status_t op_hello(struct vx_session *s, const struct vx_proc_hello_request *q, vx_sem bell)
{
    struct proc *p = proc_of(s) != nullptr || proc_find(q->id) != nullptr ? nullptr : proc_new(q->id);
    if (p == nullptr) {
        drop(&bell.raw);
        return proc_of(s) != nullptr || proc_find(q->id) != nullptr ? ERR_BUSY
               : q->id == 0 || q->id > INT32_MAX                    ? ERR_BAD_ARGUMENT
                                                                    : ERR_TABLE_FULL;
    }
    p->group = p->session = p->id;
    p->aware = true; /* without a Task nothing can be done to it from here */
    p->bell = bell;
    p->link = s;
    link_of(s)->proc = p;
    return OK;
}

static status_t op_child_requests(struct vx_session *s, vx_ring_rx rx)
{
    drop(&link_of(s)->requests.raw);
    link_of(s)->requests = rx;
    return VX_RPC_LATER; /* a note */
}

/* The Task's own id: a parent cannot give its child another's. 0: not a Task. */
static uint32_t id_of_task(vx_task task)
{
    struct vx_cap_facts facts = {};
    return vx_sys_cap_inspect(task.raw, &facts, nullptr) == OK && facts.type == VX_CAP_TASK ? (uint32_t)facts.a : 0;
}

static status_t check_child(const struct proc *parent, const struct link *l, uint32_t flags, uint32_t group)
{
    constexpr uint32_t known = VX_PROC_OWN_GROUP | VX_PROC_OWN_SESSION | VX_PROC_JOIN_GROUP | VX_PROC_IN_FRONT;
    if (parent == nullptr || l->requests.raw == VX_HANDLE_NONE || (flags & ~known) != 0 ||
        ((flags & VX_PROC_IN_FRONT) != 0 && (flags & VX_PROC_OWN_GROUP) == 0))
        return ERR_BAD_ARGUMENT;
    return (flags & VX_PROC_JOIN_GROUP) != 0 && !group_exists(group, parent->session) ? ERR_NO_RIGHTS : OK;
}

/* Opens the connection whose end came before. */
static status_t open_link(struct vx_session *s, struct vx_session **made)
{
    struct link *l = link_of(s);
    vx_ring_rx rx = l->requests;
    l->requests = (vx_ring_rx){};
    return vx_session_add(s->service, rx, (vx_ring_tx){}, s->badge, made);
}

static status_t op_child(struct vx_session *s, const struct vx_proc_child_request *q, vx_task task,
                         struct vx_proc_child_reply *a)
{
    struct proc *parent = proc_of(s);
    struct vx_session *made = nullptr;
    struct proc *p = nullptr;
    uint32_t id = id_of_task(task);
    status_t st = id == 0 ? ERR_BAD_ARGUMENT : check_child(parent, link_of(s), q->flags, q->group);
    if (st == OK && proc_find(id) != nullptr)
        st = ERR_BUSY;
    if (st == OK && (p = proc_new(id)) == nullptr)
        st = ERR_TABLE_FULL;
    if (st == OK && (st = open_link(s, &made)) != OK)
        proc_forget(p);
    if (st != OK) {
        drop(&task.raw);
        return st;
    }
    p->parent = parent->id;
    p->session = (q->flags & VX_PROC_OWN_SESSION) != 0 ? id : parent->session;
    p->group = (q->flags & (VX_PROC_OWN_SESSION | VX_PROC_OWN_GROUP)) != 0 ? id
               : (q->flags & VX_PROC_JOIN_GROUP) != 0                      ? q->group
                                                                           : parent->group;
    p->ignored = q->ignored;
    p->blocked = q->blocked;
    p->task = task;
    p->link = made;
    link_of(made)->proc = p;
    uint32_t *front = (q->flags & VX_PROC_IN_FRONT) != 0 ? terminal_front(p->session) : nullptr;
    if (front != nullptr && *front == parent->group)
        *front = p->group;
    landing_watch(p);
    a->id = id;
    a->group = p->group;
    return OK;
}

static status_t op_replace(struct vx_session *s, const struct vx_proc_replace_request *q, vx_task task)
{
    struct proc *p = proc_of(s);
    struct vx_session *made = nullptr;
    status_t st = id_of_task(task) == 0 ? ERR_BAD_ARGUMENT : check_child(p, link_of(s), 0, 0);
    if (st == OK)
        st = open_link(s, &made);
    if (st != OK) {
        drop(&task.raw);
        return st;
    }
    link_of(s)->proc = nullptr;
    link_of(made)->proc = p;
    names_move(s, made);
    proc_replaced(p, task, made, q->ignored, q->blocked);
    return OK;
}

static status_t op_forget(struct vx_session *s, const struct vx_proc_forget_request *q)
{
    struct proc *p = proc_of(s), *child = proc_find(q->id);
    if (p != nullptr && child != nullptr && child->parent == p->id) {
        if (child->state == VX_PROC_STATE_ENDED)
            proc_forget(child);
        else
            child->parent = 0; /* its connection has yet to close: then nobody keeps it */
    }
    return VX_RPC_LATER;
}

/* --- signals --- */

static status_t op_aware(struct vx_session *s)
{
    if (proc_of(s) != nullptr)
        proc_aware(proc_of(s));
    return OK;
}

static status_t op_land(struct vx_session *s, const struct vx_proc_land_request *q)
{
    struct landing where = { .record = q->record, .entry = q->entry, .resume = q->resume, .give_up = q->give_up };
    return proc_of(s) == nullptr ? ERR_NOT_SUPPORTED : landing_set(proc_of(s), &where);
}

static status_t op_reach(struct vx_session *s, const struct vx_proc_reach_request *q, struct vx_proc_reach_reply *a)
{
    return proc_of(s) == nullptr ? ERR_NOT_SUPPORTED : landing_reach(proc_of(s), q->thread, q->busy, &a->reached);
}

static status_t op_aborted(struct vx_session *s, const struct vx_proc_aborted_request *q)
{
    return proc_of(s) == nullptr ? ERR_NOT_SUPPORTED : landing_aborted(proc_of(s), q->thread, q->pc, q->record);
}

static bool meant(const struct proc *sender, const struct proc *p, int32_t target)
{
    if (p->id == 0)
        return false;
    if (target > 0)
        return p->id == (uint32_t)target;
    if (target == -1)
        return p != sender;
    return p->group == (target == 0 ? sender->group : (uint32_t)-(int64_t)target);
}

static status_t op_kill(struct vx_session *s, const struct vx_proc_kill_request *q, struct vx_proc_kill_reply *a)
{
    struct proc *sender = proc_of(s);
    if (sender == nullptr || q->signal > LAST_SIGNAL)
        return ERR_BAD_ARGUMENT;
    struct note n = { .signal = q->signal, .code = q->code, .sender = sender->id, .value = q->value };
    status_t worst = ERR_NOT_FOUND;
    bool any = false;
    for (uint32_t i = 0; i < procs_used; i++) {
        struct proc *p = &procs[i];
        if (!meant(sender, p, q->target))
            continue;
        status_t st = !proc_may_signal(sender, p) ? ERR_NO_RIGHTS : OK;
        if (st == OK && p == sender)
            a->self = 1;
        else if (st == OK && q->signal != 0)
            st = proc_signal(p, &n);
        any |= st == OK;
        worst = st != OK ? st : worst;
    }
    return any ? OK : worst;
}

static status_t op_take(struct vx_session *s, struct vx_proc_take_reply *a)
{
    struct note n;
    if (proc_of(s) == nullptr || !proc_take(proc_of(s), &n))
        return ERR_NOT_FOUND;
    *a = (struct vx_proc_take_reply){
        .signal = n.signal, .code = n.code, .sender = n.sender, .status = n.status, .value = n.value
    };
    return OK;
}

static status_t op_stop(struct vx_session *s, const struct vx_proc_stop_request *q)
{
    struct proc *p = proc_of(s);
    if (p == nullptr || (q->signal != SIG_STOP && group_orphaned(p->group, p->session)))
        return ERR_NOT_SUPPORTED;
    return proc_stop(p, q->signal); /* the answer is there when it goes on */
}

static status_t op_child_event(struct vx_session *s, const struct vx_proc_child_event_request *q,
                               struct vx_proc_child_event_reply *a)
{
    struct proc *p = proc_of(s);
    for (uint32_t i = 0; p != nullptr && i < procs_used; i++) {
        struct proc *c = &procs[i];
        if (c->id == 0 || c->parent != p->id || (c->event & q->events) == 0 ||
            (q->which != -1 && !meant(p, c, q->which)))
            continue;
        a->id = c->id;
        a->status = c->event == VX_PROC_EVENT_STOPPED ? (int32_t)c->stopped_by : 0;
        c->event = 0;
        return OK;
    }
    return ERR_NOT_FOUND;
}

static status_t op_ended(struct vx_session *s, const struct vx_proc_ended_request *q, struct vx_proc_ended_reply *a)
{
    struct proc *p = proc_find(q->id);
    if (p == nullptr)
        return ERR_NOT_FOUND;
    if (proc_of(s) != p && (proc_of(s) == nullptr || p->parent != proc_of(s)->id))
        return ERR_NO_RIGHTS;
    a->signal = p->killed_by;
    return OK;
}

/* --- groups and sessions --- */

static status_t op_about(struct vx_session *s, const struct vx_proc_about_request *q, struct vx_proc_about_reply *a)
{
    const struct proc *p = q->id == 0 ? proc_of(s) : proc_find(q->id);
    if (p == nullptr)
        p = proc_of_thread(q->id);
    if (p == nullptr)
        return ERR_NOT_FOUND;
    *a = (struct vx_proc_about_reply){
        .id = p->id, .parent = p->parent, .group = p->group, .session = p->session, .state = p->state
    };
    return OK;
}

static status_t op_thread_ids(struct vx_session *s, struct vx_proc_thread_ids_reply *a)
{
    if (proc_of(s) == nullptr)
        return ERR_NOT_FOUND;
    a->first = proc_threads(proc_of(s));
    return OK;
}

static status_t op_set_group(struct vx_session *s, const struct vx_proc_set_group_request *q)
{
    struct proc *p = proc_of(s);
    const struct proc *child = q->id == 0 ? nullptr : proc_find(q->id);
    if (p == nullptr)
        return ERR_NOT_FOUND;
    if (q->id != 0 && q->id != p->id)
        return child == nullptr || child->parent != p->id ? ERR_NOT_FOUND : ERR_BUSY;
    uint32_t group = q->group == 0 ? p->id : q->group;
    if (p->session == p->id || (group != p->id && !group_exists(group, p->session)))
        return ERR_NO_RIGHTS;
    p->group = group;
    return OK;
}

static status_t op_new_session(struct vx_session *s, struct vx_proc_new_session_reply *a)
{
    struct proc *p = proc_of(s);
    if (p == nullptr || p->group == p->id)
        return ERR_NO_RIGHTS;
    for (uint32_t i = 0; i < procs_used; i++)
        if (procs[i].id != 0 && procs[i].group == p->id)
            return ERR_NO_RIGHTS;
    p->group = p->session = a->id = p->id;
    return OK;
}

/* --- terminals --- */

static status_t op_terminal_requests(struct vx_session *s, vx_ring_tx tx)
{
    drop(&link_of(s)->terminal.raw);
    link_of(s)->terminal = tx;
    return VX_RPC_LATER;
}

static status_t op_terminal_replies(struct vx_session *s, vx_ring_rx rx)
{
    struct link *l = link_of(s);
    struct proc *p = l->proc;
    status_t st = l->terminal.raw == VX_HANDLE_NONE     ? ERR_BAD_ARGUMENT
                  : p == nullptr || p->session != p->id ? ERR_NO_RIGHTS
                                                        : OK;
    if (st != OK) {
        drop(&rx.raw);
        drop(&l->terminal.raw);
        return st;
    }
    struct vx_client client = vx_client_over(l->terminal, rx);
    l->terminal = (vx_ring_tx){};
    return terminal_open(p->session, &client);
}

static status_t op_set_front(struct vx_session *s, const struct vx_proc_set_front_request *q)
{
    struct proc *p = proc_of(s);
    uint32_t *front = p == nullptr ? nullptr : terminal_front(p->session);
    if (front == nullptr)
        return ERR_NOT_FOUND;
    if (!group_exists(q->group, p->session))
        return ERR_NO_RIGHTS;
    *front = q->group;
    return OK;
}

static status_t op_front(struct vx_session *s, struct vx_proc_front_reply *a)
{
    const struct proc *p = proc_of(s);
    const uint32_t *front = p == nullptr ? nullptr : terminal_front(p->session);
    if (front == nullptr)
        return ERR_NOT_FOUND;
    a->group = *front;
    return OK;
}

static status_t op_orphaned(struct vx_session *s, struct vx_proc_orphaned_reply *a)
{
    const struct proc *p = proc_of(s);
    a->orphaned = p == nullptr || group_orphaned(p->group, p->session);
    return OK;
}

/* --- names of local sockets --- */

static status_t op_name(struct vx_session *s, const struct vx_proc_name_request *q)
{
    if (q->at <= NAME_BYTES && q->part_len <= NAME_BYTES - q->at)
        memcpy(naming_of(s)->name + q->at, q->part, q->part_len);
    return VX_RPC_LATER;
}

static status_t op_bind_name(struct vx_session *s, const struct vx_proc_bind_name_request *q)
{
    return names_bind(s, naming_of(s)->name, q->length);
}

static status_t op_unbind_name(struct vx_session *s, const struct vx_proc_unbind_name_request *q)
{
    return names_unbind(s, naming_of(s)->name, q->length);
}

static status_t op_listen(struct vx_session *s, const struct vx_proc_listen_request *q, vx_mem *door)
{
    return names_listen(s, naming_of(s)->name, q->length, door);
}

static status_t memory_reply(struct vx_session *s, unsigned direction, vx_mem *out)
{
    out->raw = names_memory(naming_of(s)->connection, direction);
    return out->raw != VX_HANDLE_NONE ? OK : ERR_NOT_FOUND;
}

static status_t op_connect(struct vx_session *s, const struct vx_proc_connect_request *q,
                           struct vx_proc_connect_reply *a, vx_mem *to)
{
    struct naming *n = naming_of(s);
    n->connection = 0;
    status_t st = names_connect(n->name, q->length, &n->connection);
    a->connection = n->connection;
    return st == OK ? memory_reply(s, 0, to) : st;
}

static status_t op_connect_back(struct vx_session *s, vx_mem *from)
{
    return memory_reply(s, 1, from);
}

static status_t op_connect_door(struct vx_session *s, vx_mem *door)
{
    door->raw = names_door(naming_of(s)->connection);
    return door->raw != VX_HANDLE_NONE ? OK : ERR_NOT_FOUND;
}

static status_t op_accept(struct vx_session *s, const struct vx_proc_accept_request *q, struct vx_proc_accept_reply *a,
                          vx_mem *from)
{
    struct naming *n = naming_of(s);
    n->connection = 0;
    status_t st = names_accept(n->name, q->length, &n->connection);
    a->connection = n->connection;
    return st == OK ? memory_reply(s, 0, from) : st;
}

static status_t op_accept_back(struct vx_session *s, vx_mem *to)
{
    return memory_reply(s, 1, to);
}

static status_t op_peer_gone(struct vx_session *s, const struct vx_proc_peer_gone_request *q,
                             struct vx_proc_peer_gone_reply *a)
{
    (void)s;
    a->gone = names_peer_gone(q->connection);
    return OK;
}

status_t ops_dispatch(struct vx_session *s, struct vx_incoming *in)
{
    static const struct vx_proc_ops ops = {
        .hello = op_hello,
        .child_requests = op_child_requests,
        .child = op_child,
        .replace = op_replace,
        .forget = op_forget,
        .aware = op_aware,
        .kill = op_kill,
        .take = op_take,
        .stop = op_stop,
        .about = op_about,
        .set_group = op_set_group,
        .new_session = op_new_session,
        .child_event = op_child_event,
        .ended = op_ended,
        .terminal_requests = op_terminal_requests,
        .terminal_replies = op_terminal_replies,
        .set_front = op_set_front,
        .front = op_front,
        .orphaned = op_orphaned,
        .name = op_name,
        .bind_name = op_bind_name,
        .unbind_name = op_unbind_name,
        .listen = op_listen,
        .connect = op_connect,
        .connect_back = op_connect_back,
        .connect_door = op_connect_door,
        .accept = op_accept,
        .accept_back = op_accept_back,
        .peer_gone = op_peer_gone,
        .land = op_land,
        .reach = op_reach,
        .aborted = op_aborted,
        .thread_ids = op_thread_ids,
    };
    return vx_proc_dispatch(&ops, s, in);
}
