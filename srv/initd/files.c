/* SPDX-License-Identifier: MIT
 * The last thing before the machine goes: what was written to files gets onto the disks. */
#include "initd.h"
#include <fs/client.h>
#include <vectra/io.h>

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
