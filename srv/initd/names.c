/* SPDX-License-Identifier: MIT
 * initd and namingd: who may connect to what, and where connections to a name go. */
#include "initd.h"
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/rpc_inbox.h>
#include <vectra/rpc_naming.h>
#include <vectra/string.h>
#include <vectra/time.h>

status_t naming_forward(uint64_t badge, vx_ring_rx requests, vx_ring_tx replies)
{
    uint64_t deadline = vx_deadline_in(INITD_CALL_NS);
    status_t st = vx_inbox_accept_requests(initd.naming_inbox, badge, requests, deadline);
    if (st == OK)
        st = vx_inbox_accept_replies(initd.naming_inbox, badge, replies, deadline);
    if (st != OK) {
        (void)vx_sys_cap_drop(requests.raw); /* gone already, if it was sent */
        (void)vx_sys_cap_drop(replies.raw);
    }
    return st;
}

/* A connection to namingd for somebody with that badge: both server ends go into its inbox. */
status_t naming_connect_for(uint64_t badge, struct vx_client *client)
{
    vx_ring_rx requests = {};
    vx_ring_tx replies = {};
    status_t st = vx_rpc_pair(vx_bundle_reticle("root"), client, &requests, &replies);
    if (st == OK && (st = naming_forward(badge, requests, replies)) != OK)
        vx_client_close(client);
    return st;
}

status_t naming_connect_to(const char *name, struct vx_client *client)
{
    vx_ring_rx requests = {};
    vx_ring_tx replies = {};
    status_t st = vx_rpc_pair(vx_bundle_reticle("root"), client, &requests, &replies);
    if (st != OK)
        return st;
    st = vx_naming_connect_requests(&initd.naming, name, strlen(name), requests);
    if (st == OK)
        st = vx_naming_connect_replies(&initd.naming, replies);
    if (st != OK) {
        (void)vx_sys_cap_drop(requests.raw); /* gone already, if it was sent */
        (void)vx_sys_cap_drop(replies.raw);
        vx_client_close(client);
    }
    return st;
}

static void report(const char *doing, const char *name, status_t st)
{
    if (st != OK)
        initd_say("initd: %s %s: %s\n", doing, name, vx_status_name(st));
}

static void grant(const struct unit *u, const struct graph_list *names, uint32_t flags)
{
    for (unsigned i = 0; i < names->count; i++)
        report("granting", names->word[i],
               vx_naming_grant(&initd.naming, unit_badge(u), flags, names->word[i], strlen(names->word[i])));
}

/* namingd has just said ready: it knows nothing yet. */
void naming_grant_all(void)
{
    vx_client_close(&initd.naming);
    status_t st = naming_connect_for(0, &initd.naming);
    report("connecting to", "namingd", st);
    if (st != OK)
        return;
    initd.naming.timeout_ns = INITD_CALL_NS;
    for (unsigned i = 0; i < initd.graph.n_services; i++)
        grant(&initd.unit[i], &initd.unit[i].decl->uses, VX_NAMING_MAY_CONNECT);
    initd.naming_ready = true;
}

/* Hands the inboxes of all services that serve to namingd. A send moves the end, so it is ours no more. */
void units_publish(void)
{
    for (unsigned i = 0; initd.naming_ready && i < initd.graph.n_services; i++) {
        struct unit *u = &initd.unit[i];
        if (!u->unpublished || u->state != VX_INIT_STATE_READY || u == naming_unit())
            continue;
        const char *name = u->decl->provides.word[0];
        report("publishing", name, vx_naming_publish(&initd.naming, name, strlen(name), u->inbox));
        u->inbox = (vx_ring_tx){};
        u->unpublished = false;
    }
}
