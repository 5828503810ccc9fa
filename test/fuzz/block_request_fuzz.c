/* SPDX-License-Identifier: MIT
 * Any 64 bytes as a block request, over a shared buffer of any bytes: what is accepted is in bounds, and its pieces for
 * a virtio disk are too. Any bytes as the configuration of such a disk. */
// sources: lib/libblock/request.c srv/blkd/vblk.c
#include "require.h"
#include <srv/blkd/vblk.h>

enum { BUFFER = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct block_job job;
    static struct vblk_slot slot;
    static struct virtq_segment pieces[VBLK_PIECES_MAX];
    struct vblk_facts f = {};
    uint8_t config[VBLK_CONFIG_BYTES] = {};
    struct vx_message m = {};
    uint64_t features = 0;
    if (size < sizeof config + 8 + sizeof m)
        return 0;
    memcpy(config, data, sizeof config);
    memcpy(&features, data + sizeof config, 8);
    memcpy(&m, data + sizeof config + 8, sizeof m);
    data += sizeof config + 8 + sizeof m;
    size -= sizeof config + 8 + sizeof m;
    if (vblk_read_config(config, features, &f) != OK)
        return 0;
    require(f.limits.block_bytes >= 512 && f.limits.max_segments != 0 && f.limits.max_bytes >= f.limits.block_bytes);
    uint8_t *buffer = aligned_alloc(16, BUFFER);
    require(buffer != nullptr);
    memset(buffer, 0, BUFFER);
    memcpy(buffer, data, size < BUFFER ? size : BUFFER);
    if (block_request_check(&m, &f.limits, buffer, BUFFER, &job.request, job.segment) == OK) {
        uint16_t n_out = 0, n_in = 0;
        uint64_t total = 0;
        require(job.request.n_segments <= VX_BLOCK_SEGMENTS_MAX);
        for (uint32_t i = 0; i < job.request.n_segments; i++) {
            require((uint64_t)job.segment[i].offset + job.segment[i].bytes <= BUFFER);
            total += job.segment[i].bytes;
        }
        if (job.request.op == VX_BLOCK_READ || job.request.op == VX_BLOCK_WRITE)
            require(total == (uint64_t)job.request.blocks * f.limits.block_bytes);
        if (job.request.op != VX_BLOCK_FLUSH)
            require(job.request.block + job.request.blocks <= f.limits.blocks);
        vblk_prepare(&job, &f, &slot, 0x1000, 0x100000, pieces, &n_out, &n_in);
        require(n_out + n_in <= VBLK_PIECES_MAX && n_in >= 1);
    }
    free(buffer);
    return 0;
}
