/* SPDX-License-Identifier: MIT
 * A mapped Ring whose peer writes what it likes into the shared memory, at any moment and also while we are in the
 * kernel. Nothing is read or written outside the Ring (its memory is exact), one pass takes no more than what was known
 * plus `slots`, a pass puts no more than `slots`, and our own position is never taken from the shared memory. */
// sources: lib/libvectra/ring.c
#include "require.h"
#include <vectra/ring.h>
#include <vectra/syscall.h>

static const uint8_t *script;
static size_t left;
static struct vx_ring_shared *shared;
static uint32_t slots;

static uint8_t byte(void)
{
    if (left == 0)
        return 0;
    left--;
    return *script++;
}

static uint32_t word(void)
{
    uint32_t value = byte();
    switch (value & 3) {
    case 0: /* near what is there: the counters that matter most */
        return atomic_load(&shared->head) + (uint32_t)(int8_t)byte();
    case 1:
        return atomic_load(&shared->tail) + (uint32_t)(int8_t)byte();
    case 2:
        return byte();
    default:
        return (uint32_t)byte() << 24 | (uint32_t)byte() << 16 | (uint32_t)byte() << 8 | byte();
    }
}

/* The peer's turn. */
static void lie(void)
{
    uint8_t what = byte();
    if ((what & 1) != 0)
        atomic_store(&shared->head, word());
    if ((what & 2) != 0)
        atomic_store(&shared->tail, word());
    if ((what & 4) != 0)
        atomic_store(&shared->closed, byte());
    if ((what & 8) != 0)
        atomic_store(&shared->consumer_asleep, byte());
    if ((what & 16) != 0)
        atomic_store(&shared->producer_asleep, byte());
    if ((what & 32) != 0)
        memset(&shared->slot[byte() % slots], byte(), sizeof(struct vx_message));
}

struct vx_result vx_enter(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t)
{
    static const int64_t answers[] = { OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, ERR_INTERRUPTED };
    lie();
    return (struct vx_result){ .value = (uint64_t)answers[byte() & 3] };
}

static void consume(struct vx_ring_consumer *c)
{
    struct vx_message m;
    uint32_t known = c->peer - c->mine, mine = c->mine, taken = 0;
    require(known <= slots);
    atomic_store(&shared->producer_asleep, 0); /* else the kernel is called, and the peer has a turn in the pass */
    while (vx_ring_pop(c, &m) == OK)
        require(++taken <= known + slots);
    require(c->mine == mine + taken && c->peer - c->mine <= slots);
}

static void produce(struct vx_ring_producer *p)
{
    struct vx_message m = { .word = { 1, 2, 3, 4, 5, 6, 7, 8 } };
    uint32_t mine = p->mine, known = slots - (p->mine - p->peer), put = 0;
    require(p->mine - p->peer <= slots);
    while (vx_ring_put(p, &m) == OK)
        require(++put <= known + slots);
    require(p->mine == mine + put && p->mine - p->peer <= slots);
    if (put != 0)
        vx_ring_publish(p);
}

static void turn(struct vx_ring_producer *p, struct vx_ring_consumer *c)
{
    struct vx_message m = {};
    switch (byte() % 8) {
    case 0:
        consume(c);
        break;
    case 1:
        produce(p);
        break;
    case 2:
        (void)!vx_ring_pop(c, &m);
        break;
    case 3:
        (void)!vx_ring_push(p, &m);
        break;
    case 4: /* bounded: every round that goes on used up bytes of the script, or took a message */
        (void)!vx_ring_pop_wait(c, &m, VX_POLL);
        break;
    case 5:
        (void)!vx_ring_push_wait(p, &m, VX_POLL);
        break;
    case 6:
        if (vx_ring_sleep_begin(c))
            vx_ring_sleep_end(c);
        break;
    default:
        lie();
        break;
    }
    require(c->peer - c->mine <= slots && p->mine - p->peer <= slots);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    script = data;
    left = size;
    slots = 1u << byte() % 5;
    shared = aligned_alloc(64, (sizeof *shared + slots * sizeof(struct vx_message) + 63) & ~(size_t)63);
    require(shared != nullptr);
    memset(shared, 0, sizeof *shared + slots * sizeof(struct vx_message));
    uint32_t start = byte() % 2 != 0 ? UINT32_MAX - 3 : 0;
    atomic_store(&shared->head, start);
    atomic_store(&shared->tail, start);
    struct vx_ring_producer p;
    struct vx_ring_consumer c;
    vx_ring_producer_init(&p, shared, slots, (vx_ring_tx){ 1 });
    vx_ring_consumer_init(&c, shared, slots, (vx_ring_rx){ 2 });
    p.peer = start;
    while (left != 0)
        turn(&p, &c);
    free(shared);
    return 0;
}
