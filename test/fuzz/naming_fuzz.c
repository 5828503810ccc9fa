/* SPDX-License-Identifier: MIT
 * namingd with hostile clients and a hostile inbox: any messages, any capabilities, any failing calls. What nobody was
 * granted is not published, and no capability is lost: when all clients have gone, only published inboxes are left. */
// sources: lib/libvectra/service.c lib/libvectra/rpc.c lib/libvectra/names.c lib/libvectra/string.c
// sources: srv/namingd/table.c
#include "service_host.h"
#define main naming_main
#include <srv/namingd/main.c>
#undef main

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vx_service svc = {
        .name = "namingd", .session_bytes = sizeof(struct pending), .dispatch = dispatch, .closed = on_closed
    };
    memset(&table, 0, sizeof table);
    host_begin(&svc, data, size);
    svc.inbox = (vx_ring_rx){ host_new() };
    (void)host_client(&svc, 0);
    (void)host_client(&svc, 1);
    (void)host_client(&svc, 2);
    require(name_grant(&table, 1, "a", VX_NAMING_MAY_CONNECT | VX_NAMING_MAY_PUBLISH) == OK);
    require(name_grant(&table, 2, "a", VX_NAMING_MAY_CONNECT) == OK);
    host_serve(&svc);
    for (size_t i = 0; i < NAMING_NAMES_MAX; i++) {
        const struct name_entry *e = &table.entry[i];
        require(bounded_length(e->name, sizeof e->name) < sizeof e->name);
        if (e->name[0] != '\0')
            (void)host_drop(e->inbox);
        else
            require(e->inbox == VX_HANDLE_NONE);
    }
    require(host_live() == 0);
    return 0;
}
