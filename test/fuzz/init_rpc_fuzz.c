/* SPDX-License-Identifier: MIT
 * initd's calls with hostile callers: any messages, any capabilities. A unit without `control yes` steers nothing,
 * states are known ones, and no capability is lost. Starting and ending Tasks is played here. */
// sources: lib/libvectra/service.c lib/libvectra/rpc.c lib/libvectra/names.c lib/libvectra/string.c
// sources: srv/initd/control.c srv/initd/graph.c srv/initd/graph_check.c srv/initd/backoff.c
#include "service_host.h"
#include <srv/initd/initd.h>

struct initd initd;
static unsigned steered;

status_t unit_new_inbox(struct unit *, vx_ring_rx *rx)
{
    if (host_luck() != OK)
        return ERR_NO_MEMORY;
    *rx = (vx_ring_rx){ host_new() };
    return OK;
}

status_t naming_forward(uint64_t, vx_ring_rx requests, vx_ring_tx replies)
{
    (void)host_drop(requests.raw);
    (void)host_drop(replies.raw);
    return host_luck();
}

void unit_end(struct unit *u, bool again)
{
    steered++;
    u->state = again ? VX_INIT_STATE_WAITING : VX_INIT_STATE_STOPPED;
}

static void make_units(void)
{
    static const char text[] = "service n\n image /n\n provides naming\nservice a\n image /a\n uses naming\n"
                               "service b\n image /b\n control yes\n restart never\n";
    struct graph_error error = {};
    initd = (struct initd){ .naming_ready = true };
    require(graph_parse(text, sizeof text - 1, &initd.graph, &error) == OK);
    for (unsigned i = 0; i < initd.graph.n_services; i++)
        initd.unit[i] = (struct unit){
            .decl = &initd.graph.service[i], .state = VX_INIT_STATE_STARTING, .task_id = i + 2, .task = { host_new() }
        };
}

static void serve(const uint8_t *data, size_t size, bool with_control)
{
    initd.service = (struct vx_service){ .name = "initd", .dispatch = control_dispatch };
    host_begin(&initd.service, data, size);
    struct vx_service svc = initd.service;
    make_units();
    initd.service = svc;
    host_service = &initd.service;
    for (unsigned i = 0; i < 2u + with_control; i++)
        (void)host_client(&initd.service, i + 1);
    steered = 0;
    host_serve(&initd.service);
    for (unsigned i = 0; i < initd.graph.n_services; i++) {
        struct unit *u = &initd.unit[i];
        require(u->state <= VX_INIT_STATE_FAILED);
        require(with_control || u->state == VX_INIT_STATE_STARTING || u->state == VX_INIT_STATE_READY);
        (void)host_drop(u->task.raw);
        (void)host_drop(u->naming_rx.raw);
        (void)host_drop(u->kept.raw);
    }
    require(with_control || steered == 0);
    require(host_live() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    serve(data, size, true);
    serve(data, size, false);
    return 0;
}
