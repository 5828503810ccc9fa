/* SPDX-License-Identifier: MIT */
#include "vblk.h"

enum { CAPACITY = 0, SIZE_MAX_AT = 8, SEG_MAX = 12, CYLINDERS = 16, HEADS = 18, SECTORS = 19, BLK_SIZE = 20 };
enum { PHYSICAL_EXP = 24, OPT_IO = 28, NUM_QUEUES = 34, MAX_DISCARD = 36, MAX_ZEROES = 48 };
enum { BYTES_MAX = 4 << 20 }; /* of one request; the buffers that carry them are rarely larger */

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}
static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* A limit in sectors as one in blocks; 0 means that the device does not limit it. */
static uint32_t clear_limit(uint32_t sectors, uint32_t per_block)
{
    return sectors == 0 ? UINT32_MAX / per_block : sectors / per_block;
}

status_t vblk_read_config(const uint8_t *config, uint64_t features, struct vblk_facts *out)
{
    uint32_t block = (features & VBLK_F_BLK_SIZE) != 0 ? get32(config + BLK_SIZE) : VBLK_SECTOR;
    uint64_t sectors = get32(config + CAPACITY) | (uint64_t)get32(config + CAPACITY + 4) << 32;
    if (block < VBLK_SECTOR || block > PARTITION_BLOCK_MAX || (block & (block - 1)) != 0 || sectors > UINT64_MAX / 512)
        return ERR_BAD_ARGUMENT;
    uint32_t per_block = block / VBLK_SECTOR;
    *out = (struct vblk_facts){ .segment_bytes_max = UINT32_MAX, .queues = 1, .physical_bytes = block };
    struct block_limits *l = &out->limits;
    *l = (struct block_limits){ .blocks = sectors / per_block,
                                .block_bytes = block,
                                .max_bytes = BYTES_MAX,
                                .max_segments = VX_BLOCK_SEGMENTS_MAX,
                                .read_only = (features & VBLK_F_RO) != 0,
                                .discards = (features & VBLK_F_DISCARD) != 0,
                                .zeroes = (features & VBLK_F_WRITE_ZEROES) != 0 };
    if ((features & VBLK_F_SIZE_MAX) != 0 && get32(config + SIZE_MAX_AT) != 0)
        out->segment_bytes_max = get32(config + SIZE_MAX_AT);
    if ((features & VBLK_F_SEG_MAX) != 0 && get32(config + SEG_MAX) != 0)
        l->max_segments = least(l->max_segments, get32(config + SEG_MAX));
    uint64_t most = (uint64_t)out->segment_bytes_max * l->max_segments;
    l->max_bytes = most < BYTES_MAX ? (uint32_t)most : BYTES_MAX;
    if (l->max_bytes < block)
        return ERR_BAD_ARGUMENT;
    if ((features & VBLK_F_GEOMETRY) != 0) {
        out->cylinders = get16(config + CYLINDERS);
        out->heads = config[HEADS];
        out->sectors = config[SECTORS];
    }
    if ((features & VBLK_F_TOPOLOGY) != 0) {
        out->physical_bytes = block << (config[PHYSICAL_EXP] & 7);
        out->optimal_bytes = get32(config + OPT_IO) < UINT32_MAX / block ? get32(config + OPT_IO) * block : 0;
    }
    if ((features & VBLK_F_MQ) != 0 && get16(config + NUM_QUEUES) != 0)
        out->queues = (uint16_t)get16(config + NUM_QUEUES);
    uint32_t clear = UINT32_MAX;
    if (l->discards)
        clear = least(clear, clear_limit(get32(config + MAX_DISCARD), per_block));
    if (l->zeroes)
        clear = least(clear, clear_limit(get32(config + MAX_ZEROES), per_block));
    l->max_clear_blocks = l->discards || l->zeroes ? clear : 0;
    out->cached = (features & VBLK_F_FLUSH) != 0;
    return OK;
}

static uint32_t type_of(uint8_t op)
{
    switch (op) {
    case VX_BLOCK_READ:
        return VBLK_T_IN;
    case VX_BLOCK_WRITE:
        return VBLK_T_OUT;
    case VX_BLOCK_FLUSH:
        return VBLK_T_FLUSH;
    case VX_BLOCK_DISCARD:
        return VBLK_T_DISCARD;
    default:
        return VBLK_T_WRITE_ZEROES;
    }
}

void vblk_prepare(const struct block_job *job, const struct vblk_facts *facts, struct vblk_slot *slot,
                  uint64_t slot_bus, uint64_t data_bus, struct virtq_segment pieces[VBLK_PIECES_MAX], uint16_t *n_out,
                  uint16_t *n_in)
{
    const struct vx_block_request *r = &job->request;
    uint32_t per_block = facts->limits.block_bytes / VBLK_SECTOR;
    bool clears = r->op == VX_BLOCK_DISCARD || r->op == VX_BLOCK_ZERO, reads = r->op == VX_BLOCK_READ;
    uint16_t n = 0;
    slot->header.type = type_of(r->op);
    slot->header.reserved = 0;
    slot->header.sector = clears ? 0 : r->block * per_block;
    slot->status = VBLK_S_NONE;
    pieces[n++] = (struct virtq_segment){ slot_bus + offsetof(struct vblk_slot, header), sizeof slot->header };
    if (clears) {
        slot->range.sector = r->block * per_block;
        slot->range.n_sectors = r->blocks * per_block;
        slot->range.flags = 0;
        pieces[n++] = (struct virtq_segment){ slot_bus + offsetof(struct vblk_slot, range), sizeof slot->range };
    }
    for (uint32_t i = 0; i < r->n_segments; i++)
        pieces[n++] = (struct virtq_segment){ data_bus + job->segment[i].offset, job->segment[i].bytes };
    *n_out = reads ? 1 : n;
    pieces[n++] = (struct virtq_segment){ slot_bus + offsetof(struct vblk_slot, status), 1 };
    *n_in = n - *n_out;
}

status_t vblk_outcome(const struct block_job *job, const struct vblk_facts *facts, uint8_t status, uint32_t written)
{
    const struct vx_block_request *r = &job->request;
    uint64_t wanted = r->op == VX_BLOCK_READ ? (uint64_t)r->blocks * facts->limits.block_bytes + 1 : 1;
    switch (status) {
    case VBLK_S_OK:
        return written == wanted ? OK : ERR_IO; /* it claims success and wrote something else */
    case VBLK_S_UNSUPP:
        return ERR_NOT_SUPPORTED;
    default:
        return ERR_IO;
    }
}
