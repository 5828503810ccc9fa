/* SPDX-License-Identifier: MIT
 * The memory layout of a Ring that both ends may map (RING_MAP), and the sleep/publish protocol over it.
 * Geometry is a fact of the capability (CAP_INSPECT), never read from here by anyone: everything in shared memory can
 * be changed by the peer at any time. Counters run freely mod 2^32; used = head - tail; slot = counter & (slots - 1).
 *
 * Publish (producer):  write slot; head := h+1 (release); fence seq_cst; if consumer_asleep (relaxed) → SIGNAL_POST(tx,
 * 0) Sleep (consumer):    consumer_asleep := 1 (relaxed); fence seq_cst; if head != tail: consumer_asleep := 0, take;
 *                      else RING_RECV (blocks in the kernel, which looks again) or SIGNAL_WAIT on the bound bit.
 * The two fences make it impossible that both sides read the other's old value: no wake-up is lost. A producer waiting
 * for room uses producer_asleep and SIGNAL_POST(rx, 0) the same way. Model: test/model/ring.pml. */
#pragma once
#include <abi/types.h>
#include <stdatomic.h>

struct vx_ring_shared {
    /* the producer's line */
    alignas(64) _Atomic uint32_t head; /* messages ever published */
    _Atomic uint32_t producer_asleep;  /* the producer waits for room */
    /* the consumer's line */
    alignas(64) _Atomic uint32_t tail; /* messages ever taken */
    _Atomic uint32_t consumer_asleep;  /* the consumer waits for a message */
    /* read-mostly: written by the kernel only at creation and when an end closes; a hint, never trusted */
    alignas(64) _Atomic uint32_t epoch;
    _Atomic uint32_t closed; /* bit 0: producer gone; bit 1: consumer gone */
    alignas(64) uint8_t reserved[64];
    struct vx_message slot[]; /* a power of two of them */
};
static_assert(offsetof(struct vx_ring_shared, tail) == 64);
static_assert(offsetof(struct vx_ring_shared, epoch) == 128);
static_assert(offsetof(struct vx_ring_shared, slot) == 256);
