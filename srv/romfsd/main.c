/* SPDX-License-Identifier: MIT
 * romfsd: the initial RAM disk as a file system. Its arguments are names of empty directories to mount others on. */
#include "rom.h"
#include <vectra/alloc.h>
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/time.h>

int main(int argc, char **argv)
{
    static const struct vx_need needs[] = { { "inbox.rx", VX_CAP_RING_RX, false }, { "initrd", VX_CAP_MEM, false } };
    static struct vx_service service;
    static struct fs_backend backend;
    static struct rom rom;
    struct vx_cpio archive;
    status_t st = vx_initrd(&archive);
    uint32_t room = st == OK ? rom_count(&archive) : 0;
    struct rom_node *nodes = room != 0 ? vx_alloc_zero(room, sizeof *nodes) : nullptr;
    if (nodes == nullptr) {
        vx_printf("%s: cannot start: %s\n", argv[0], vx_status_text(st != OK ? st : ERR_NO_MEMORY));
        return 1;
    }
    if (rom_init(&rom, &backend, &archive, nodes, room) != OK)
        vx_printf("%s: the initial RAM disk is damaged: what comes before the damage is there\n", argv[0]);
    for (int i = 1; i < argc; i++)
        rom_add_directory(&rom, argv[i]);
    service = (struct vx_service){
        .name = argv[0], .needs = needs, .n_needs = 2, .sessions_max = 8, .deadline_ns = VX_FOREVER
    };
    st = fs_server_init(&service, &backend);
    return st == OK && vx_service_run(&service) == OK ? 0 : 1;
}
