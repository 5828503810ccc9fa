/* SPDX-License-Identifier: MIT
 * Getting connections: by name from the naming service, and by doubling a terminal session. A name's needs two
 * calls, because a message carries one capability; a double makes the Ring for replies itself, at the first use. */
#include <vectra/rpc.h>
#include <vectra/rpc_console.h>
#include <vectra/rpc_init.h>
#include <vectra/rpc_naming.h>
#include <vectra/string.h>

/* What is left when a connection was not made: our ends, and the server's that were not sent. */
static void abandon(struct vx_client *c, vx_handle_t requests, vx_handle_t replies)
{
    vx_client_close(c);
    if (requests != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(requests); /* BAD_HANDLE if the server has it: then it is not ours to drop */
    if (replies != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(replies);
}

/* namingd was started anew: ask initd for a connection to the new one, if the Bundle has a line to initd. */
static status_t naming_reconnect(struct vx_client *naming)
{
    struct vx_client init = {};
    vx_ring_rx requests = {};
    vx_ring_tx replies = {};
    vx_client_close(naming);
    status_t st = vx_client_from_bundle(&init, "init");
    if (st == OK)
        st = vx_rpc_pair(VX_OWN_RETICLE, naming, &requests, &replies);
    if (st != OK)
        return st;
    init.sequence = 0x8000; /* apart from the numbers that the service runtime uses on this line */
    st = vx_init_naming_requests(&init, requests);
    if (st == OK)
        st = vx_init_naming_replies(&init, replies);
    if (st != OK)
        abandon(naming, requests.raw, replies.raw);
    return st;
}

static status_t connect_by(struct vx_client *naming, const char *name, struct vx_client *c)
{
    vx_ring_rx requests = {};
    vx_ring_tx replies = {};
    status_t st = vx_rpc_pair(VX_OWN_RETICLE, c, &requests, &replies);
    if (st != OK)
        return st;
    st = vx_naming_connect_requests(naming, name, strlen(name), requests);
    if (st == OK)
        st = vx_naming_connect_replies(naming, replies);
    if (st != OK)
        abandon(c, requests.raw, replies.raw);
    return st;
}

status_t vx_connect(const char *name, struct vx_client *c)
{
    static struct vx_client naming;
    static bool looked;
    status_t st = OK;
    if (!looked) {
        looked = true;
        st = vx_client_from_bundle(&naming, "naming");
    }
    if (st == OK)
        st = naming.tx.raw != VX_HANDLE_NONE ? connect_by(&naming, name, c) : ERR_PEER_CLOSED;
    if (st == ERR_PEER_CLOSED && (st = naming_reconnect(&naming)) == OK)
        st = connect_by(&naming, name, c);
    return st;
}

static status_t tty_dup(struct vx_client *tty, bool front, uint32_t also, struct vx_client *c, uint32_t *id)
{
    vx_ring_rx requests = {};
    status_t st = vx_rpc_half(VX_OWN_RETICLE, c, &requests);
    if (st != OK)
        return st;
    st = vx_console_dup(tty, front, also, requests, id);
    if (st != OK)
        abandon(c, requests.raw, VX_HANDLE_NONE);
    return st;
}

status_t vx_tty_dup(struct vx_client *tty, struct vx_client *c, uint32_t *id)
{
    status_t st = tty_dup(tty, false, 0, c, id);
    if (st == OK && (st = vx_client_begin(c)) != OK)
        vx_client_close(c);
    return st;
}

status_t vx_tty_dup_for_child(struct vx_client *tty, bool front, uint32_t also, struct vx_client *c)
{
    uint32_t id;
    return tty_dup(tty, front, also, c, &id);
}
