/* SPDX-License-Identifier: MIT
 * initd and vfsd: who may reach which files, as the graph says; and the last thing before the machine goes: what was
 * written to files gets onto the disks. */
#include "initd.h"
#include <fs/client.h>
#include <vectra/io.h>
#include <vectra/rpc_vfs.h>
#include <vectra/string.h>

struct unit *files_unit(void)
{
    int i = graph_provider(&initd.graph, "vfs");
    return i < 0 ? nullptr : &initd.unit[i];
}

/* vfsd has just said ready, and can be found by its name. Until it is told, it makes everybody wait. */
void files_grant_all(void)
{
    struct vx_client vfs = {};
    status_t st = naming_connect_to("vfs", &vfs);
    vfs.timeout_ns = INITD_CALL_NS;
    for (unsigned i = 0; i < initd.graph.n_services && st == OK; i++) {
        const struct graph_service *d = &initd.graph.service[i];
        if (d->files[0] != '\0')
            st = vx_vfs_grant(&vfs, unit_badge(&initd.unit[i]), d->files_rights, d->files, strlen(d->files));
    }
    if (st != OK)
        initd_say("initd: telling vfsd who may reach what: %s\n", vx_status_name(st));
    vx_client_close(&vfs);
    initd.files_granted = true;
}

void files_sync_all(void)
{
    static struct fs_client files;
    static char path[VX_FS_PATH_MAX + 1], source[VX_FS_PATH_MAX + 1];
    struct vx_client vfs = {};
    struct vx_vfs_mounted m;
    if (graph_provider(&initd.graph, "vfs") < 0 || naming_connect_to("vfs", &vfs) != OK)
        return;
    if (fs_connect_over(&files, vfs) != OK)
        return;
    for (uint32_t index = 0; fs_mounts(&files, &index, &m, source, path, sizeof path) == OK;) {
        if (m.state == 0 || (m.flags & (VX_FS_IS_VOLATILE | VX_FS_IS_FIXED)) != 0)
            continue;
        status_t st = fs_sync_all(&files, path);
        if (st != OK)
            initd_say("initd: %s: not everything may be on the disk: %s\n", path, vx_status_text(st));
    }
}
