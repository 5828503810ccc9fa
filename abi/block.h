/* SPDX-License-Identifier: MIT
 * The messages of a BLOCK_V1 queue: one Ring message is one request or one reply. docs/protocols/block.md is the
 * contract. */
#pragma once
#include <abi/status.h>
#include <abi/types.h>

enum vx_block_data_op : uint8_t {
    VX_BLOCK_READ = 1,
    VX_BLOCK_WRITE = 2,
    VX_BLOCK_FLUSH = 3,   /* blocks and segments are 0 */
    VX_BLOCK_DISCARD = 4, /* the content becomes undefined; no segments */
    VX_BLOCK_ZERO = 5,    /* reads as zeroes; no segments */
};

enum { VX_BLOCK_SEGMENTS_INLINE = 4, VX_BLOCK_SEGMENTS_MAX = 64, VX_BLOCK_DEPTH_MAX = 256 };

/* A piece of the shared buffer. */
struct vx_block_segment {
    uint32_t offset, bytes;
};

/* Data goes to or comes from n_segments pieces, in order; their bytes are `blocks` blocks in all. Up to four stand in
 * the message; a longer list stands in the buffer at segments_at (a multiple of 8) and stays untouched until the reply.
 */
struct vx_block_request {
    uint64_t tag; /* the client's; comes back with the reply */
    uint8_t op;
    uint8_t reserved; /* 0 */
    uint16_t n_segments;
    uint32_t segments_at;
    uint64_t block; /* the first */
    uint32_t blocks;
    uint32_t reserved2; /* 0 */
    struct vx_block_segment segment[VX_BLOCK_SEGMENTS_INLINE];
};
static_assert(sizeof(struct vx_block_request) == sizeof(struct vx_message));

struct vx_block_reply {
    uint64_t tag;
    int32_t status; /* status_t: OK, IO, NO_RIGHTS (read-only), BAD_ARGUMENT, NOT_SUPPORTED, TOO_BIG */
    uint32_t reserved;
    uint64_t epoch;
    uint64_t reserved2[5];
};
static_assert(sizeof(struct vx_block_reply) == sizeof(struct vx_message));
