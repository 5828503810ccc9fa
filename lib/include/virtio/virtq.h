/* SPDX-License-Identifier: MIT
 * A virtqueue, the driver's side: split or packed, with or without indirect descriptors and event index. Pure: memory
 * that the device shares is handed in, notifying it is the caller's. Source: [VIRTIO] "Split Virtqueues", "Packed
 * Virtqueues".
 *
 * The device is distrusted. Everything it writes is read once and checked against what lives here, in private memory:
 *  1. slot[] says which buffers are with the device, how many descriptors each takes and how much of it may be written;
 *     nothing is ever read back from the descriptor table.
 *  2. n_free + the descriptors of all busy slots == size.
 *  3. An id, an index or a length that cannot be true breaks the queue: it answers PEER_CLOSED until it is made anew.
 * Context: one thread at a time. */
#pragma once
#include <abi/status.h>
#include <stddef.h>
#include <stdint.h>

enum { VIRTQ_SIZE_MAX = 1024, VIRTQ_ALIGN = 4096 };

struct virtq_desc {
    uint64_t bus;
    uint32_t len;
    uint16_t id_or_flags;   /* split: flags; packed: buffer id */
    uint16_t next_or_flags; /* split: next; packed: flags */
};
static_assert(sizeof(struct virtq_desc) == 16);

/* A piece of a buffer, as the device sees it. */
struct virtq_segment {
    uint64_t bus;
    uint32_t len;
};

/* Memory for one indirect table; room 0: none. */
struct virtq_indirect {
    struct virtq_desc *table;
    uint64_t bus;
    uint16_t room;
};

struct virtq_slot {
    uint64_t token;
    uint32_t writable; /* bytes that the device may write */
    uint16_t n;        /* descriptors; 0: not with the device */
    uint16_t next;     /* split: of the chain, or of the free list; packed: of the free ids */
};

struct virtq {
    uint16_t size;
    bool packed, event_index, indirect, broken;
    /* shared with the device */
    struct virtq_desc *desc;
    volatile uint16_t *avail, *used; /* split: the two rings; packed: the two event structures */
    uint64_t desc_bus, avail_bus, used_bus;
    /* private */
    struct virtq_slot *slot; /* size of them */
    uint16_t n_free, free_head;
    uint16_t next_avail, next_used; /* split: free-running; packed: places */
    bool avail_wrap, used_wrap;     /* packed */
    uint16_t added;                 /* descriptors (packed) or buffers (split) since the device was last told */
    uint16_t n_busy;                /* buffers with the device */
};

/* Bytes of shared memory, aligned to VIRTQ_ALIGN; size is a power of two up to VIRTQ_SIZE_MAX. */
size_t virtq_bytes(uint16_t size, bool packed);
/* shared: zeroed, virtq_bytes long, at `bus` for the device. slot: `size` of them. */
void virtq_init(struct virtq *q, uint16_t size, bool packed, bool event_index, bool indirect, void *shared,
                uint64_t bus, struct virtq_slot *slot);

/* Hands a buffer to the device: n_out pieces that it reads, then n_in that it writes. With indirect descriptors
 * negotiated and a table with room, it takes one descriptor. WOULD_BLOCK: no room. TOO_BIG: never. BAD_ARGUMENT: no
 * pieces. */
status_t virtq_add(struct virtq *q, const struct virtq_segment *segments, uint16_t n_out, uint16_t n_in,
                   const struct virtq_indirect *indirect, uint64_t token);
/* True when the device wants to be told of what was added since the last time this answered. */
bool virtq_should_notify(struct virtq *q);
/* A buffer that the device is done with: its token, and how many bytes were written. WOULD_BLOCK: none.
 * PEER_CLOSED: the queue is broken. */
status_t virtq_take(struct virtq *q, uint64_t *token, uint32_t *written);
/* Asks for an interrupt when more than `after` further buffers are done, as far as the device can count (split queues
 * with event index; others: at the next). after < n_busy, or 0. True: not so many are there, it is safe to sleep.
 * False: take again first. */
bool virtq_listen(struct virtq *q, uint16_t after);
/* No interrupts for now (the device may send some all the same). */
void virtq_deafen(struct virtq *q);
