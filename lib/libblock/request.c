/* SPDX-License-Identifier: MIT */
#include <block/request.h>
#include <vectra/string.h>

static bool moves_data(uint8_t op)
{
    return op == VX_BLOCK_READ || op == VX_BLOCK_WRITE;
}

static status_t check_op(const struct vx_block_request *r, const struct block_limits *l)
{
    bool clears = r->op == VX_BLOCK_DISCARD || r->op == VX_BLOCK_ZERO;
    if (r->op < VX_BLOCK_READ || r->op > VX_BLOCK_ZERO)
        return ERR_NOT_SUPPORTED;
    if (r->reserved != 0 || r->reserved2 != 0)
        return ERR_BAD_ARGUMENT; /* so that they can mean something one day */
    if (l->read_only && (r->op == VX_BLOCK_WRITE || clears))
        return ERR_NO_RIGHTS;
    if ((r->op == VX_BLOCK_DISCARD && !l->discards) || (r->op == VX_BLOCK_ZERO && !l->zeroes))
        return ERR_NOT_SUPPORTED;
    if (r->op == VX_BLOCK_FLUSH)
        return r->block == 0 && r->blocks == 0 && r->n_segments == 0 ? OK : ERR_BAD_ARGUMENT;
    if (r->blocks == 0 || r->block >= l->blocks || r->blocks > l->blocks - r->block)
        return ERR_BAD_ARGUMENT;
    if (clears)
        return r->n_segments != 0 ? ERR_BAD_ARGUMENT : r->blocks > l->max_clear_blocks ? ERR_TOO_BIG : OK;
    return r->blocks > l->max_bytes / l->block_bytes ? ERR_TOO_BIG : OK;
}

static status_t check_segments(const struct vx_block_request *r, const struct vx_block_segment *s, uint64_t wanted,
                               uint64_t buffer_bytes)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < r->n_segments; i++) {
        if (s[i].bytes == 0 || s[i].offset > buffer_bytes || s[i].bytes > buffer_bytes - s[i].offset)
            return ERR_BAD_ARGUMENT;
        total += s[i].bytes;
    }
    return total == wanted ? OK : ERR_BAD_ARGUMENT;
}

status_t block_request_check(const struct vx_message *message, const struct block_limits *limits, const void *buffer,
                             uint64_t buffer_bytes, struct vx_block_request *out, struct vx_block_segment *segments)
{
    struct vx_block_request *r = out;
    memcpy(r, message, sizeof *r);
    status_t st = check_op(r, limits);
    if (st != OK || !moves_data(r->op))
        return st;
    uint32_t max = limits->max_segments < VX_BLOCK_SEGMENTS_MAX ? limits->max_segments : VX_BLOCK_SEGMENTS_MAX;
    if (r->n_segments == 0 || r->n_segments > max)
        return r->n_segments == 0 ? ERR_BAD_ARGUMENT : ERR_TOO_BIG;
    if (r->n_segments <= VX_BLOCK_SEGMENTS_INLINE) {
        memcpy(segments, r->segment, sizeof *segments * r->n_segments);
    } else {
        uint64_t list_bytes = sizeof *segments * (uint64_t)r->n_segments;
        if (r->segments_at % 8 != 0 || r->segments_at > buffer_bytes || list_bytes > buffer_bytes - r->segments_at)
            return ERR_BAD_ARGUMENT;
        memcpy(segments, (const char *)buffer + r->segments_at, list_bytes); /* once: the client can change it */
    }
    return check_segments(r, segments, (uint64_t)r->blocks * limits->block_bytes, buffer_bytes);
}
