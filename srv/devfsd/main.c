/* SPDX-License-Identifier: MIT
 * devfsd: /dev. */
#include "dev.h"
#include <vectra/io.h>
#include <vectra/syscall.h>
#include <vectra/time.h>

/* What the kernel gives at once; a call that fails leaves the bytes as they were, so it is tried again. */
static void random_bytes(void *to, size_t bytes)
{
    uint8_t *at = to;
    while (bytes != 0) {
        uint64_t got = 0;
        size_t part = bytes < GETRANDOM_MAX ? bytes : GETRANDOM_MAX;
        if (vx_sys_getrandom(at, part, &got) != OK)
            continue;
        at += got;
        bytes -= got;
    }
}

int main(int, char **argv)
{
    static const struct vx_need needs[] = { { "inbox.rx", VX_CAP_RING_RX, false } };
    static struct vx_service service;
    static struct fs_backend backend;
    dev_init(&backend, random_bytes);
    service = (struct vx_service){
        .name = argv[0], .needs = needs, .n_needs = 1, .sessions_max = 8, .deadline_ns = VX_FOREVER
    };
    status_t st = fs_server_init(&service, &backend);
    return st == OK && vx_service_run(&service) == OK ? 0 : 1;
}
