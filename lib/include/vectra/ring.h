/* SPDX-License-Identifier: MIT
 * The mapped Ring: send and receive as plain user code, the kernel entered only to sleep or to wake a sleeper.
 * Geometry and own position live here, in private memory; what the peer can write is read once and then checked.
 *
 *  1. A producer's `mine` is head and its `peer` a past tail; a consumer's the reverse. mine - peer mod 2^32 <= slots.
 *  2. A shared counter outside that range means that the peer lied: the end answers PEER_CLOSED from then on.
 *  3. Sleep and publish follow abi/ring.h. Model: test/model/ring.pml.
 * A ring end belongs to one thread at a time. Once an end is used mapped, use it only so: a capability can travel only
 * through the kernel's calls. */
#pragma once
#include <abi/ring.h>
#include <abi/status.h>
#include <vectra/handles.h>

struct vx_ring_producer {
    struct vx_ring_shared *shared;
    uint32_t mask; /* slots - 1 */
    uint32_t mine; /* head: what I have published */
    uint32_t peer; /* tail as last seen: refreshed only when the ring looks full */
    vx_ring_tx tx;
};

struct vx_ring_consumer {
    struct vx_ring_shared *shared;
    uint32_t mask;
    uint32_t mine; /* tail: what I have taken */
    uint32_t peer; /* head as last seen: refreshed only when the ring looks empty */
    vx_ring_rx rx;
};

/* Over memory that is there already (tests; a ring that the caller mapped itself). slots is a power of two. */
void vx_ring_producer_init(struct vx_ring_producer *p, struct vx_ring_shared *shared, uint32_t slots, vx_ring_tx tx);
void vx_ring_consumer_init(struct vx_ring_consumer *c, struct vx_ring_shared *shared, uint32_t slots, vx_ring_rx rx);

/* Maps an end (RING_MAP) and learns its geometry from the capability. */
status_t vx_ring_producer_open(struct vx_ring_producer *p, vx_ring_tx tx);
status_t vx_ring_consumer_open(struct vx_ring_consumer *c, vx_ring_rx rx);

/* The slow halves: a counter is stale, or the peer sleeps, or has gone. */
status_t vx_ring_refresh_room(struct vx_ring_producer *p);
status_t vx_ring_refused(struct vx_ring_consumer *c); /* why there is nothing to take */
void vx_ring_wake_consumer(struct vx_ring_producer *p);
void vx_ring_wake_producer(struct vx_ring_consumer *c);

/* Publishes a message without looking at whether the consumer sleeps: follow up with vx_ring_publish.
 * WOULD_BLOCK: full. PEER_CLOSED: the consumer is gone or broke the protocol. */
static inline status_t vx_ring_put(struct vx_ring_producer *p, const struct vx_message *message)
{
    struct vx_ring_shared *shared = p->shared;
    uint32_t mine = p->mine, mask = p->mask;
    if (__builtin_expect(mine - p->peer > mask, 0)) {
        status_t st = vx_ring_refresh_room(p);
        if (st != OK)
            return st;
    }
    shared->slot[mine & mask] = *message;
    p->mine = ++mine;
    /* release: the message is visible before the counter that announces it; pairs with the acquire in vx_ring_pop */
    atomic_store_explicit(&shared->head, mine, memory_order_release);
    return OK;
}

/* After one or more puts: wakes the consumer if it said that it sleeps. */
static inline void vx_ring_publish(struct vx_ring_producer *p)
{
    /* seq_cst: my head before its flag, against its flag before my head (abi/ring.h) */
    atomic_thread_fence(memory_order_seq_cst);
    if (__builtin_expect(atomic_load_explicit(&p->shared->consumer_asleep, memory_order_relaxed) != 0, 0))
        vx_ring_wake_consumer(p);
}

static inline status_t vx_ring_push(struct vx_ring_producer *p, const struct vx_message *message)
{
    status_t st = vx_ring_put(p, message);
    if (st == OK)
        vx_ring_publish(p);
    return st;
}

/* Takes the oldest message. WOULD_BLOCK: empty. PEER_CLOSED: empty and the producer is gone, or it broke the protocol.
 */
static inline status_t vx_ring_pop(struct vx_ring_consumer *c, struct vx_message *message)
{
    struct vx_ring_shared *shared = c->shared;
    uint32_t mine = c->mine, mask = c->mask;
    if (c->peer == mine) {
        /* acquire: pairs with the release in vx_ring_put, so that the message is visible */
        uint32_t head = atomic_load_explicit(&shared->head, memory_order_acquire);
        if (__builtin_expect(head - mine - 1 > mask, 0)) /* empty, or a lie */
            return vx_ring_refused(c);
        c->peer = head;
    }
    *message = shared->slot[mine & mask]; /* once: no read moves below the release */
    c->mine = ++mine;
    /* release: the slot has been read before it is given back; pairs with vx_ring_refresh_room */
    atomic_store_explicit(&shared->tail, mine, memory_order_release);
    /* seq_cst: my tail before its flag, against its flag before my tail (abi/ring.h) */
    atomic_thread_fence(memory_order_seq_cst);
    if (__builtin_expect(atomic_load_explicit(&shared->producer_asleep, memory_order_relaxed) != 0, 0))
        vx_ring_wake_producer(c);
    return OK;
}

/* Push and pop that wait: until the deadline, asleep in the kernel. TIMED_OUT, INTERRUPTED, PEER_CLOSED. */
status_t vx_ring_push_wait(struct vx_ring_producer *p, const struct vx_message *message, uint64_t deadline);
status_t vx_ring_pop_wait(struct vx_ring_consumer *c, struct vx_message *message, uint64_t deadline);
/* A push that waits, then a pop that waits: the kernel is entered once to wake the consumer and to sleep. */
status_t vx_ring_exchange(struct vx_ring_producer *p, const struct vx_message *message, struct vx_ring_consumer *c,
                          struct vx_message *answer, uint64_t deadline);

/* For a consumer that sleeps on its bound signal bit (BIND) and not in RING_RECV. True: nothing is there and the flag
 * is up, so the next publish wakes you. False: something came meanwhile; take it. */
bool vx_ring_sleep_begin(struct vx_ring_consumer *c);
void vx_ring_sleep_end(struct vx_ring_consumer *c);
