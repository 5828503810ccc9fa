/* SPDX-License-Identifier: MIT
 * ramfsd: files in memory. How much they may take is what its Reticle has, less what it needs itself; memory is taken
 * as it is used, and files that go make room for others. */
#include "ramfs.h"
#include <vectra/io.h>
#include <vectra/syscall.h>
#include <vectra/time.h>

enum : uint64_t { PAGE = 4096, OWN_BYTES = (512 << 10) + RAMFS_FIFOS_MAX * VX_FS_FIFO_BYTES };

static struct ramfs fs;
static struct fs_backend backend;
static struct vx_service service;

static int64_t now_ns(void)
{
    return (int64_t)vx_clock_realtime_ns();
}

/* All that is free but for our own needs: tables of pages (one page in 512), sessions, open files, FIFOs. */
static status_t take_memory(void **at, uint64_t *bytes)
{
    struct vx_task_info info = {};
    uint64_t got;
    status_t st = vx_sys_task_control(VX_SELF, VX_TASK_INFO, (uintptr_t)&info, sizeof info, 0, &got, nullptr);
    if (st != OK)
        return st;
    uint64_t own = OWN_BYTES + info.memory_free / 128;
    if (info.memory_free < own + RAMFS_MIN)
        return ERR_NO_MEMORY;
    *bytes = (info.memory_free - own) & ~(PAGE - 1);
    return vx_sys_mem_alloc(VX_OWN_RETICLE, *bytes, VX_PROT_READ | VX_PROT_WRITE | VX_MEM_LAZY, 0, nullptr, at);
}

static status_t make_fifo(vx_mem *mem)
{
    return vx_sys_mem_alloc(VX_OWN_RETICLE, VX_FS_FIFO_BYTES,
                            VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0, mem,
                            nullptr);
}

static bool is_lent(vx_mem mem)
{
    struct vx_cap_facts facts = {};
    return vx_sys_cap_inspect(mem.raw, &facts, nullptr) == OK && facts.children != 0;
}

/* A program's children may have it too. */
static status_t lend(vx_mem mem, vx_handle_t *out)
{
    constexpr vx_rights_t rights = VX_R_READ | VX_R_WRITE | VX_R_COPY | VX_R_MOVE | VX_R_INSPECT;
    return vx_sys_cap_narrow(mem.raw, rights, 0, 0, out);
}

static void end_fifo(vx_mem mem)
{
    (void)vx_sys_mem_free(mem, 0, 0);
}

int main(int, char **argv)
{
    static const struct vx_need needs[] = { { "inbox.rx", VX_CAP_RING_RX, false } };
    static const struct ram_fifo_memory fifos = { make_fifo, is_lent, lend, end_fifo };
    void *at = nullptr;
    uint64_t bytes = 0, volume = 0, got;
    status_t st = take_memory(&at, &bytes);
    if (st == OK)
        st = vx_sys_getrandom(&volume, sizeof volume, &got);
    if (st == OK) {
        ramfs_init(&fs, &backend, at, bytes, volume, now_ns, &fifos);
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
