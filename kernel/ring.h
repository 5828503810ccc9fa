/* SPDX-License-Identifier: MIT
 * Rings as the kernel sees them: the shared memory of abi/ring.h plus what must not be shared: geometry, who waits, and
 * the capabilities in flight.
 *
 * G1. Geometry is private; every shared word is read once into a local and checked before use.
 * G2. At most one thread waits at each end.
 * G3. A capability in flight sits in inflight[n & (slots-1)] with n, the counter of its message, kept beside it; if
 * user code made the counters skip it, it is dropped when its place is used again.
 * G4. Rings that travel form no circle: each could only be received from the next, so none ever would be. In the place
 * of a receiving end in flight, `offset` is the Ring it travels in. */
#pragma once
#include <abi/ring.h>
#include <kernel/cap.h>
#include <base/addr.h>
#include <kernel/lock.h>
#include <kernel/object.h>
#include <kernel/task.h>

struct ring {
    struct object obj;
    struct vx_ring_shared *shared;
    uint32_t slots, order;
    struct spinlock lock; /* LOCK_RING: who waits, call_band, and the counters as the calls move them */
    struct waitq rx_wait, tx_wait;
    struct binding rx_binding;
    struct cap *places;   /* of capabilities in flight: `slots`, or nullptr */
    struct cap *inflight; /* the same, once there has been one; until then nullptr */
    uint32_t inflight_order;
    uint32_t n_cleared;    /* of them, when the Ring ends; all of them before it is made */
    uint32_t n_zeroed;     /* pages of its memory, while it is made */
    bool tx_open, rx_open; /* neither is before it is made */
    uint8_t call_band;     /* most urgent band of callers whose messages may still be queued; VX_BAND_COUNT: none */
};

static inline struct ring *ring_of(struct object *o)
{
    return (struct ring *)(void *)o;
}

/* The record and the memory, which ring_make_some() zeroes, in steps (kernel/object.h); true: it is made. Nobody is
 * shown any of it before. ERR_NO_MEMORY. */
status_t ring_create(struct reticle *home, uint32_t slots, bool with_caps, struct ring **out);
bool ring_make_some(struct ring *r);
static inline bool ring_is_made(const struct ring *r)
{
    return r->tx_open || r->rx_open;
}
bool ring_fini(struct ring *r);  /* in steps */
bool ring_clear(struct ring *r); /* drops what is in flight; in steps */
/* Whether a capability may be sent through r (G4). ERR_BUSY. */
status_t ring_may_carry(const struct ring *r, const struct cap *gift);
void ring_close_end(struct ring *r, uint8_t end);
void ring_facts(const struct ring *r, uint8_t end, struct vx_cap_facts *f);
/* Wakes whoever sleeps at the other end. By the holder of the lock, or the owner of the gate. */
static inline void ring_notify_consumer(struct ring *r)
{
    struct thread *t = waitq_first(&r->rx_wait);
    if (t != nullptr)
        thread_wake(t);
    if (r->rx_binding.task != nullptr)
        binding_post(&r->rx_binding);
}
void ring_notify_producer(struct ring *r);
/* As the shared counters say it. */
static inline uint32_t ring_used(const struct ring *r)
{
    uint32_t head =
        atomic_load_explicit(&r->shared->head, memory_order_acquire); /* pairs with the producer's release */
    return head - atomic_load_explicit(&r->shared->tail, memory_order_relaxed);
}

static inline void ring_took(struct vx_ring_shared *shared, uint32_t tail)
{
    atomic_store_explicit(&shared->consumer_asleep, 0, memory_order_relaxed);
    /* release: pairs with the producer's acquire of tail; the slot has been read. */
    atomic_store_explicit(&shared->tail, tail, memory_order_release);
}

/* Where its memory is, for mapping: a vm_frame_fn. */
paddr_t ring_frame(const struct object *o, uint64_t offset, uint64_t *run);
