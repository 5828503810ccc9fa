/* SPDX-License-Identifier: MIT
 * The server's half of BLOCK_V1 with hostile clients: any calls, and anything in their Rings, which may be gone. Each
 * job comes to the backend in bounds and is done once; no capability is lost. */
// sources: lib/libblock/server.c lib/libblock/request.c lib/libvectra/service.c lib/libvectra/rpc.c
// sources: lib/libvectra/names.c lib/libvectra/string.c
#define HOST_RING_SLOTS 8
#include "service_host.h"
#include <block/server.h>

enum { BUFFER = 4096 };

static uint8_t memory[BUFFER];
static struct block_job *held[BLOCK_JOBS_MAX];
static uint32_t n_held;
static bool with_backend[BLOCK_JOBS_MAX];

static status_t submit(struct block_job *j)
{
    const struct vx_block_request *r = &j->request;
    uint8_t what = host_byte();
    require(!with_backend[j->index] && j->buffer->bytes == BUFFER);
    require(r->op == VX_BLOCK_FLUSH || (r->blocks != 0 && r->block < 64 && r->blocks <= 64 - r->block));
    for (uint32_t i = 0; i < r->n_segments; i++)
        require((uint64_t)j->segment[i].offset + j->segment[i].bytes <= BUFFER);
    if (what >= 0xe0)
        return (what & 1) != 0 ? ERR_WOULD_BLOCK : ERR_IO;
    with_backend[j->index] = true;
    held[n_held++] = j;
    return OK;
}

static void finish(uint32_t i)
{
    struct block_job *j = held[i];
    held[i] = held[--n_held];
    with_backend[j->index] = false;
    block_done(j, OK);
}

static status_t buffer(uint64_t, struct block_buffer *out)
{
    *out = (struct block_buffer){ .mem = { host_new() }, .at = memory, .bytes = BUFFER };
    return OK;
}

static status_t attach(vx_mem mem, struct block_buffer *out)
{
    *out = (struct block_buffer){ .mem = mem, .at = memory, .bytes = BUFFER };
    return OK;
}

static void release(struct block_buffer *b)
{
    require(host_drop(b->mem.raw) == OK);
}

static void on_signal(struct vx_service *, uint64_t)
{
    while (n_held != 0 && host_byte() >= 0x40)
        finish(host_byte() % n_held);
    if (host_byte() == 0xff)
        block_server_restart();
    block_server_turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct block_backend backend;
    static bool started;
    struct vx_service svc = { .name = "block" };
    backend =
        (struct block_backend){ .limits = { .blocks = 64,
                                            .block_bytes = 512,
                                            .max_bytes = 2048,
                                            .max_clear_blocks = 9,
                                            .max_segments = 8,
                                            .read_only = size % 7 == 0,
                                            .discards = true },
                                .depth = 6,
                                .partitions = { .count = 1, .partition = { { .first = 8, .blocks = 8, .number = 1 } } },
                                .submit = submit,
                                .buffer = buffer,
                                .attach = attach,
                                .release = release };
    host_begin(&svc, data, size);
    static struct vx_service template; /* once: a second time would hand the jobs out twice */
    if (!started) {
        block_server_init(&template, &backend);
        started = true;
    }
    svc.dispatch = template.dispatch;
    svc.opened = template.opened;
    svc.closed = template.closed;
    svc.own_bits = template.own_bits;
    svc.session_bytes = template.session_bytes;
    svc.on_signal = on_signal;
    svc.inbox = (vx_ring_rx){ host_new() };
    (void)host_client(&svc, 1);
    (void)host_client(&svc, 2);
    host_serve(&svc);
    while (n_held != 0)
        finish(0);
    require(block_jobs_busy() == 0);
    require(host_live() == 0);
    return 0;
}
