/* SPDX-License-Identifier: MIT
 * The client's half of BLOCK_V1: a disk, or a partition of one, by name. Requests are queued and answered in any order;
 * when the driver is started anew in the middle, the disk connects again and sends what was not answered once more.
 *
 *  1. pending[] holds every request from block_submit until block_wait gave its outcome away. All are idempotent.
 *  2. `unflushed` is true while a write was reported and no FLUSH that was submitted after it has succeeded. If the
 * driver is started anew then, those writes may be lost: `lost` stays true, and FLUSH answers IO, until block_forgive.
 * Context: one thread at a time. */
#pragma once
#include <abi/block.h>
#include <vectra/ring.h>
#include <vectra/rpc.h>

enum { BLOCK_DEPTH_DEFAULT = 64, BLOCK_NAME_MAX = 24 };
static constexpr uint64_t BLOCK_CLAIM_NS = 1'000'000'000;

struct block_pending {
    bool used, overtaken; /* overtaken (FLUSH): a write was reported after it was submitted */
    uint16_t generation;
    uint64_t token, order;
    struct vx_block_request request;
};

struct block_disk {
    char name[BLOCK_NAME_MAX];
    uint32_t partition; /* 0: the whole disk */
    struct vx_client rpc;
    uint64_t blocks, epoch;
    uint32_t block_bytes, physical_bytes, flags, depth, max_segments, max_bytes, max_clear_blocks;
    vx_mem buffer;
    uint8_t *at; /* the shared buffer: data is written and found there */
    uint64_t buffer_bytes;
    struct vx_ring_producer requests;
    struct vx_ring_consumer replies;
    uint32_t ring_slots, n_pending, restarts;
    uint64_t next_order, patience_ns; /* how long a driver may stay away */
    bool unflushed, lost;
    bool claimed; /* and claimed anew whenever the driver is found again */
    struct block_pending pending[VX_BLOCK_DEPTH_MAX];
};

/* name: "blk0", or "blk0p2" for its second partition. depth 0: BLOCK_DEPTH_DEFAULT. NOT_FOUND: no such disk. */
status_t block_open(struct block_disk *d, const char *name, uint64_t buffer_bytes, uint32_t depth);
void block_close(struct block_disk *d);
/* Keeps others from claiming these blocks until the disk is closed: who is going to write a volume asks first. BUSY:
 * somebody has them, and did not let go within BLOCK_CLAIM_NS, in which one that just ended is noticed. */
status_t block_claim(struct block_disk *d);
/* For who has nothing to ask for a while: looks whether the driver is still there, and for the new one if it is not, so
 * that the claim is made anew before somebody else makes one. Does not wait for a driver; nothing may be under way. */
void block_refresh(struct block_disk *d);

/* Queues a request; `tag` of it is the caller's token. WOULD_BLOCK: `depth` are under way. It is on its way after
 * block_kick, or the next block_wait. */
status_t block_submit(struct block_disk *d, const struct vx_block_request *request);
void block_kick(struct block_disk *d);
/* The next outcome. TIMED_OUT; NOT_FOUND: nothing is under way; PEER_CLOSED: the driver did not come back. */
status_t block_wait(struct block_disk *d, uint64_t *token, status_t *outcome, uint64_t deadline);

/* One request, waited for; nothing else may be under way. offset: in the shared buffer. */
status_t block_read(struct block_disk *d, uint64_t block, uint32_t blocks, uint32_t offset);
status_t block_write(struct block_disk *d, uint64_t block, uint32_t blocks, uint32_t offset);
status_t block_flush(struct block_disk *d);
status_t block_clear(struct block_disk *d, uint8_t op, uint64_t block, uint32_t blocks);
static inline void block_forgive(struct block_disk *d)
{
    d->lost = false;
}
