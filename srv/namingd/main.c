/* SPDX-License-Identifier: MIT
 * namingd: names to connections. A client sends the server's two ends of a connection; they go on to the inbox that the
 * name was published with, under the client's badge. Nothing here waits for anybody: a full inbox is BUSY for the
 * client. */
#include "table.h"
#include <vectra/rpc_inbox.h>
#include <vectra/rpc_naming.h>
#include <vectra/service.h>
#include <vectra/string.h>

enum { SESSIONS_MAX = 64, LIST_PUBLISHED = 0x100 };

/* A connection under way: the first half is here, the second is to come. */
struct pending {
    char name[TABLE_NAME_MAX];
    vx_ring_rx rx;
};

static struct name_table table;

static void drop(vx_handle_t handle)
{
    if (handle != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(handle); /* gone by itself is as good */
}

static void pending_clear(struct pending *p)
{
    drop(p->rx.raw);
    *p = (struct pending){};
}

static status_t op_connect_requests(struct vx_session *s, const struct vx_naming_connect_requests_request *q,
                                    vx_ring_rx rx)
{
    struct pending *p = s->state;
    pending_clear(p);
    status_t st = name_copy(p->name, q->name, q->name_len);
    if (st == OK && !name_allowed(&table, s->badge, p->name, VX_NAMING_MAY_CONNECT))
        st = ERR_NO_RIGHTS;
    if (st == OK && name_find(&table, p->name) == nullptr)
        st = ERR_NOT_FOUND;
    p->rx = rx;
    if (st != OK)
        pending_clear(p);
    return st;
}

/* Both halves go into the inbox, or neither does: its free room is looked at first, and we are its only producer. */
static status_t forward(const struct name_entry *e, uint64_t badge, vx_ring_rx rx, vx_ring_tx tx)
{
    struct vx_cap_facts facts = {};
    vx_ring_tx inbox = { e->inbox };
    status_t st = vx_sys_cap_inspect(e->inbox, &facts, nullptr);
    if (st == OK && facts.a - facts.b < 2)
        st = ERR_BUSY;
    if (st == OK)
        st = vx_inbox_accept_requests(inbox, badge, rx, VX_POLL);
    if (st == OK)
        st = vx_inbox_accept_replies(inbox, badge, tx, VX_POLL);
    return st;
}

static status_t op_connect_replies(struct vx_session *s, vx_ring_tx tx)
{
    struct pending *p = s->state;
    struct name_entry *e = p->name[0] == '\0' ? nullptr : name_find(&table, p->name);
    status_t st = p->rx.raw == VX_HANDLE_NONE ? ERR_BAD_ARGUMENT : e == nullptr ? ERR_NOT_FOUND : OK;
    if (st == OK)
        st = forward(e, s->badge, p->rx, tx);
    if (st == ERR_PEER_CLOSED) { /* the service ended: forget the name until it is published again */
        drop(e->inbox);
        *e = (struct name_entry){};
        st = ERR_NOT_FOUND;
    }
    if (st == OK) { /* both ends have moved on */
        *p = (struct pending){};
        return OK;
    }
    drop(tx.raw);
    pending_clear(p);
    return st;
}

static status_t op_publish(struct vx_session *s, const struct vx_naming_publish_request *q, vx_ring_tx inbox)
{
    char name[TABLE_NAME_MAX];
    vx_handle_t old = VX_HANDLE_NONE;
    status_t st = name_copy(name, q->name, q->name_len);
    if (st == OK && !name_allowed(&table, s->badge, name, VX_NAMING_MAY_PUBLISH))
        st = ERR_NO_RIGHTS;
    if (st == OK)
        st = name_publish(&table, name, inbox.raw, &old);
    drop(st == OK ? old : inbox.raw);
    return st;
}

static status_t op_withdraw(struct vx_session *s, const struct vx_naming_withdraw_request *q)
{
    char name[TABLE_NAME_MAX];
    status_t st = name_copy(name, q->name, q->name_len);
    if (st == OK && !name_allowed(&table, s->badge, name, VX_NAMING_MAY_PUBLISH))
        st = ERR_NO_RIGHTS;
    if (st != OK)
        return st;
    struct name_entry *e = name_find(&table, name);
    if (e == nullptr)
        return ERR_NOT_FOUND;
    drop(e->inbox);
    *e = (struct name_entry){};
    return OK;
}

static status_t op_list(struct vx_session *s, const struct vx_naming_list_request *q, struct vx_naming_list_reply *a)
{
    char name[TABLE_NAME_MAX];
    uint32_t index = q->index;
    status_t st = name_list(&table, s->badge, &index, name, &a->flags);
    if (st != OK)
        return st;
    a->next = index;
    a->flags |= name_find(&table, name) != nullptr ? LIST_PUBLISHED : 0;
    a->name_len = (uint8_t)strlen(name);
    memcpy(a->name, name, a->name_len);
    return OK;
}

static status_t op_grant(struct vx_session *s, const struct vx_naming_grant_request *q)
{
    char name[TABLE_NAME_MAX];
    if (s->badge != 0)
        return ERR_NO_RIGHTS;
    status_t st = name_copy(name, q->name, q->name_len);
    return st == OK ? name_grant(&table, q->badge, name, q->flags) : st;
}

static status_t op_revoke(struct vx_session *s, const struct vx_naming_revoke_request *q)
{
    if (s->badge != 0)
        return ERR_NO_RIGHTS;
    name_revoke(&table, q->badge);
    return OK;
}

static status_t dispatch(struct vx_session *s, struct vx_incoming *in)
{
    static const struct vx_naming_ops ops = {
        .connect_requests = op_connect_requests,
        .connect_replies = op_connect_replies,
        .publish = op_publish,
        .withdraw = op_withdraw,
        .list = op_list,
        .grant = op_grant,
        .revoke = op_revoke,
    };
    return vx_naming_dispatch(&ops, s, in);
}

static void on_closed(struct vx_session *s)
{
    pending_clear(s->state);
}

int main(int, char **)
{
    static const struct vx_need needs[] = { { "inbox.rx", VX_CAP_RING_RX, false } };
    static struct vx_service service = {
        .name = "namingd",
        .needs = needs,
        .n_needs = 1,
        .session_bytes = sizeof(struct pending),
        .sessions_max = SESSIONS_MAX,
        .dispatch = dispatch,
        .closed = on_closed,
        .deadline_ns = VX_FOREVER,
    };
    return vx_service_run(&service) == OK ? 0 : 1;
}
