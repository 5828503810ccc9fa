/* SPDX-License-Identifier: MIT
 * The server's half of FS_BACKEND_V1 over a file system in memory, with hostile clients: any calls, any requests, a
 * shared buffer into which anything is written. No capability is lost, no file stays held, no lock is left. */
// sources: lib/libfs/sessions.c lib/libfs/jobs.c lib/libfs/opens.c lib/libfs/perform.c lib/libfs/locks.c
// sources: lib/libfs/copy.c srv/ramfsd/ramfs.c srv/ramfsd/names.c srv/ramfsd/xattr.c srv/ramfsd/fifo.c
// sources: srv/ramfsd/store.c
// sources: lib/libvectra/service.c lib/libvectra/rpc.c lib/libvectra/names.c lib/libvectra/string.c
#define HOST_FACTS
#define HOST_MEMORY
#include "service_host.h"
#include "../../lib/libfs/parts.h"
#include <srv/ramfsd/ramfs.h>
#include <vectra/thread.h>

enum { BUFFER = VX_FS_BUFFER_MIN, ARENA = 1 << 18 };

static uint8_t buffer[BUFFER];
static alignas(4096) uint8_t arena[ARENA];
static unsigned n_inspected;

static void *host_memory(uint64_t)
{
    return buffer;
}

/* In the order in which a session is made: two Rings, the buffer. */
static void host_facts(struct vx_cap_facts *f)
{
    static const struct vx_cap_facts right[] = { { .type = VX_CAP_RING_RX, .a = 8 },
                                                 { .type = VX_CAP_RING_TX, .a = 4 },
                                                 { .type = VX_CAP_MEM, .b = BUFFER } };
    if (host_byte() < 0xf0)
        *f = right[n_inspected++ % 3];
}

status_t vx_thread_create(struct vx_thread *, uint32_t (*)(void *), void *, size_t)
{
    return ERR_NO_MEMORY;
}

static int64_t now_ns(void)
{
    return 1;
}

/* Memory that is lent is a capability that goes with a reply, and with nothing else. */
static status_t map(struct fs_backend *, struct fs_node, uint64_t offset, bool, vx_handle_t *handle, uint64_t *at)
{
    if (offset % 4096 != 0)
        return ERR_NOT_FOUND;
    if (host_next > HANDLES_MAX - 64)
        return ERR_NO_MEMORY;
    *handle = host_new();
    *at = offset;
    return OK;
}

static status_t make_fifo(vx_mem *mem)
{
    if (host_next > HANDLES_MAX - 64)
        return ERR_NO_MEMORY;
    *mem = (vx_mem){ host_new() };
    return OK;
}

static bool is_lent(vx_mem)
{
    return host_byte() % 2 != 0;
}

static status_t lend(vx_mem, vx_handle_t *out)
{
    vx_mem copy;
    status_t st = make_fifo(&copy);
    *out = copy.raw;
    return st;
}

static void end_fifo(vx_mem mem)
{
    (void)vx_sys_cap_drop(mem.raw);
}
static const struct ram_fifo_memory fifos = { make_fifo, is_lent, lend, end_fifo };

static void scribble(void)
{
    uint32_t at = (host_byte() | (uint32_t)host_byte() << 8) % BUFFER;
    for (unsigned n = host_byte() % 65; n != 0 && at < BUFFER; n--)
        buffer[at++] = host_byte();
}

static void on_signal(struct vx_service *svc, uint64_t)
{
    for (unsigned n = host_byte() % 4; n != 0; n--)
        scribble();
    fs_server_signal(svc, ~UINT64_C(0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vx_service template;
    static struct fs_backend backend;
    static struct ramfs fs;
    struct vx_service svc = { .name = "fs", .on_signal = on_signal };
    memset(arena, 0, sizeof arena);
    memset(buffer, 0, sizeof buffer);
    ramfs_init(&fs, &backend, arena, sizeof arena, 1, now_ns, &fifos);
    backend.flags |= size % 7 == 0 ? VX_FS_IS_READ_ONLY : 0;
    backend.map = map;
    host_begin(&svc, data, size);
    n_inspected = 0;
    if (template.dispatch == nullptr)
        require(fs_server_init(&template, &backend) == OK);
    fs_server.service = &svc;
    svc.dispatch = template.dispatch;
    svc.closed = template.closed;
    svc.own_bits = template.own_bits;
    svc.session_bytes = template.session_bytes;
    svc.inbox = (vx_ring_rx){ host_new() };
    (void)host_client(&svc, 1);
    host_serve(&svc);
    for (uint32_t i = 0; i < fs_server.n_used; i++) {
        if (fs_server.session[i] != nullptr && fs_server.session[i]->used)
            fs_session_end(fs_server.session[i]);
    }
    require(fs_server.n_sessions == 0 && fs_server.n_ranges == 0);
    for (uint64_t number = 1; number < fs.n_numbers; number++) {
        struct vx_fs_attributes a;
        for (uint64_t g = 1; g <= fs.generations; g++) {
            if (backend.attributes(&backend, (struct fs_node){ number, g }, &a) == OK)
                require(a.links != 0); /* nothing without a name is held any more */
        }
    }
    require(host_live() == 0);
    return 0;
}
