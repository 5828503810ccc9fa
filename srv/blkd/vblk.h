/* SPDX-License-Identifier: MIT
 * The virtio block device: its configuration, and requests as it wants them. Pure.
 * Source: [VIRTIO] "Block Device". */
#pragma once
#include <block/server.h>
#include <virtio/device.h>

#define VBLK_F_SIZE_MAX (UINT64_C(1) << 1)
#define VBLK_F_SEG_MAX (UINT64_C(1) << 2)
#define VBLK_F_GEOMETRY (UINT64_C(1) << 4)
#define VBLK_F_RO (UINT64_C(1) << 5)
#define VBLK_F_BLK_SIZE (UINT64_C(1) << 6)
#define VBLK_F_FLUSH (UINT64_C(1) << 9)
#define VBLK_F_TOPOLOGY (UINT64_C(1) << 10)
#define VBLK_F_MQ (UINT64_C(1) << 12)
#define VBLK_F_DISCARD (UINT64_C(1) << 13)
#define VBLK_F_WRITE_ZEROES (UINT64_C(1) << 14)
#define VBLK_FEATURES                                                                                                  \
    (VBLK_F_SIZE_MAX | VBLK_F_SEG_MAX | VBLK_F_GEOMETRY | VBLK_F_RO | VBLK_F_BLK_SIZE | VBLK_F_FLUSH |                 \
     VBLK_F_TOPOLOGY | VBLK_F_MQ | VBLK_F_DISCARD | VBLK_F_WRITE_ZEROES)

enum { VBLK_CONFIG_BYTES = 60, VBLK_SECTOR = 512, VBLK_PIECES_MAX = VX_BLOCK_SEGMENTS_MAX + 2 };
enum : uint32_t { VBLK_T_IN = 0, VBLK_T_OUT = 1, VBLK_T_FLUSH = 4, VBLK_T_DISCARD = 11, VBLK_T_WRITE_ZEROES = 13 };
enum : uint8_t { VBLK_S_OK = 0, VBLK_S_IOERR = 1, VBLK_S_UNSUPP = 2, VBLK_S_NONE = 0xff };

/* What the device says, made sense of. */
struct vblk_facts {
    struct block_limits limits;
    uint32_t segment_bytes_max; /* of one piece */
    uint32_t physical_bytes, optimal_bytes, cylinders, heads, sectors;
    uint16_t queues;
    bool cached;
};
/* config: VBLK_CONFIG_BYTES of it, zeroes beyond what the device has. BAD_ARGUMENT: no sense can be made of it. */
status_t vblk_read_config(const uint8_t *config, uint64_t features, struct vblk_facts *out);

/* Memory of one request that the device reaches. */
struct vblk_slot {
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header;
    struct {
        uint64_t sector;
        uint32_t n_sectors, flags;
    } range; /* of DISCARD and WRITE_ZEROES */
    uint8_t status, pad[15];
    struct virtq_desc table[VBLK_PIECES_MAX];
};
static_assert(offsetof(struct vblk_slot, table) == 48);

/* Writes header and range, and the pieces: header, data, status. data_bus: of the client's buffer. */
void vblk_prepare(const struct block_job *job, const struct vblk_facts *facts, struct vblk_slot *slot,
                  uint64_t slot_bus, uint64_t data_bus, struct virtq_segment pieces[VBLK_PIECES_MAX], uint16_t *n_out,
                  uint16_t *n_in);
/* What the status byte and the count of written bytes mean. */
status_t vblk_outcome(const struct block_job *job, const struct vblk_facts *facts, uint8_t status, uint32_t written);
