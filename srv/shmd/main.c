/* SPDX-License-Identifier: MIT
 * shmd: memory with names, at /dev/shm. What its files hold is charged to its Reticle; what was lent stays charged
 * until the last who has it lets go. */
#include "shm.h"
#include <vectra/io.h>
#include <vectra/syscall.h>
#include <vectra/time.h>

static struct shm shm;
static struct fs_backend backend;
static struct vx_service service;

static int64_t now_ns(void)
{
    return (int64_t)vx_clock_realtime_ns();
}

static status_t make(uint64_t bytes, vx_mem *mem, uint8_t **at)
{
    void *got = nullptr;
    status_t st = vx_sys_mem_alloc(VX_OWN_RETICLE, bytes, VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT | VX_MEM_HANDLE,
                                   0, mem, &got);
    *at = got;
    return st;
}

static bool is_lent(vx_mem mem)
{
    struct vx_cap_facts facts = {};
    return vx_sys_cap_inspect(mem.raw, &facts, nullptr) == OK && facts.children != 0;
}

/* It can be mapped, and no more: not handed on, not narrowed. */
static status_t lend(vx_mem mem, uint64_t bytes, bool writes, vx_handle_t *out)
{
    vx_rights_t rights = VX_R_READ | (writes ? VX_R_WRITE : 0) | VX_R_MOVE | VX_R_INSPECT;
    return vx_sys_cap_narrow(mem.raw, rights, 0, bytes, out);
}

static void end(vx_mem mem)
{
    (void)vx_sys_mem_free(mem, 0, 0);
}

static void space(uint64_t *bytes, uint64_t *free)
{
    struct vx_task_info info = {};
    uint64_t got;
    if (vx_sys_task_control(VX_SELF, VX_TASK_INFO, (uintptr_t)&info, sizeof info, 0, &got, nullptr) != OK)
        return;
    *bytes = info.memory_bytes;
    *free = info.memory_free;
}

int main(int, char **argv)
{
    static const struct vx_need needs[] = { { "inbox.rx", VX_CAP_RING_RX, false } };
    static const struct shm_memory memory = { make, is_lent, lend, end, space };
    uint64_t volume = 0, got;
    status_t st = vx_sys_getrandom(&volume, sizeof volume, &got);
    if (st == OK) {
        shm_init(&shm, &backend, &memory, volume, now_ns);
        service = (struct vx_service){
            .name = argv[0], .needs = needs, .n_needs = 1, .sessions_max = 8, .deadline_ns = VX_FOREVER
        };
        st = fs_server_init(&service, &backend);
    }
    if (st != OK) {
        vx_printf("%s: cannot start: %s\n", argv[0], vx_status_text(st));
        return 1;
    }
    return vx_service_run(&service) == OK ? 0 : 1;
}
