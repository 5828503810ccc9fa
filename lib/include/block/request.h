/* SPDX-License-Identifier: MIT
 * A BLOCK_V1 request as a server sees it: checked. Pure. */
#pragma once
#include <abi/block.h>

/* What a request is checked against. */
struct block_limits {
    uint64_t blocks; /* of the disk or partition */
    uint32_t block_bytes, max_bytes, max_clear_blocks;
    uint32_t max_segments;
    bool read_only, discards, zeroes;
};

/* Reads one message of a client that may be hostile: every field once, the segment list from the shared buffer too,
 * into segments[VX_BLOCK_SEGMENTS_MAX]. OK: the operation is known and allowed, the blocks lie inside, the pieces lie
 * in the buffer and are as long as the blocks. `out` is written in any case. */
status_t block_request_check(const struct vx_message *message, const struct block_limits *limits, const void *buffer,
                             uint64_t buffer_bytes, struct vx_block_request *out, struct vx_block_segment *segments);
