/* SPDX-License-Identifier: MIT
 * initd and topod: which service drives which device. topod hands a device to nobody that we did not name. */
#include "initd.h"
#include <vectra/io.h>
#include <vectra/rpc_topo.h>

struct unit *topo_unit(void)
{
    int i = graph_provider(&initd.graph, "topo");
    return i < 0 ? nullptr : &initd.unit[i];
}

static void grant_devices(struct vx_client *topo, struct unit *u)
{
    u->absent = false;
    for (unsigned i = 0; i < u->decl->n_devices; i++) {
        const struct graph_device *d = &u->decl->device[i];
        status_t st = vx_topo_grant(topo, unit_badge(u), d->kind, d->index);
        if (st == ERR_NOT_FOUND && d->optional)
            u->absent = true;
        else if (st != OK && st != ERR_NOT_FOUND) /* without the device it starts, and says what it misses */
            initd_say("initd: %s: its device: %s\n", u->decl->name, vx_status_name(st));
    }
}

/* topod has just said ready, and can be found by its name. */
void devices_grant_all(void)
{
    struct vx_client topo = {};
    status_t st = naming_connect_to("topo", &topo);
    if (st != OK) {
        initd_say("initd: connecting to topod: %s\n", vx_status_name(st));
        return;
    }
    topo.timeout_ns = INITD_CALL_NS;
    for (unsigned i = 0; i < initd.graph.n_services; i++)
        grant_devices(&topo, &initd.unit[i]);
    vx_client_close(&topo);
    initd.devices_granted = true;
}
