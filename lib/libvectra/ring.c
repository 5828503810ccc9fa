/* SPDX-License-Identifier: MIT
 * The slow halves of the mapped Ring. The invariants are those of vectra/ring.h; the model is test/model/ring.pml. */
#include <vectra/ring.h>
#include <vectra/syscall.h>

enum { PRODUCER_GONE = 1, CONSUMER_GONE = 2 };

void vx_ring_producer_init(struct vx_ring_producer *p, struct vx_ring_shared *shared, uint32_t slots, vx_ring_tx tx)
{
    uint32_t head =
        atomic_load_explicit(&shared->head, memory_order_relaxed); /* mine: nobody else writes it honestly */
    *p = (struct vx_ring_producer){ .shared = shared, .mask = slots - 1, .mine = head, .peer = head - slots, .tx = tx };
}

void vx_ring_consumer_init(struct vx_ring_consumer *c, struct vx_ring_shared *shared, uint32_t slots, vx_ring_rx rx)
{
    uint32_t tail = atomic_load_explicit(&shared->tail, memory_order_relaxed);
    *c = (struct vx_ring_consumer){ .shared = shared, .mask = slots - 1, .mine = tail, .peer = tail, .rx = rx };
}

static status_t ring_geometry(vx_handle_t end, uint32_t *slots)
{
    struct vx_cap_facts facts = {};
    status_t st = vx_sys_cap_inspect(end, &facts, nullptr);
    if (st == OK)
        *slots = (uint32_t)facts.a;
    return st;
}

status_t vx_ring_producer_open(struct vx_ring_producer *p, vx_ring_tx tx)
{
    uint32_t slots = 0;
    void *address = nullptr;
    status_t st = ring_geometry(tx.raw, &slots);
    if (st == OK)
        st = vx_sys_ring_map(tx.raw, &address);
    if (st == OK)
        vx_ring_producer_init(p, address, slots, tx);
    return st;
}

status_t vx_ring_consumer_open(struct vx_ring_consumer *c, vx_ring_rx rx)
{
    uint32_t slots = 0;
    void *address = nullptr;
    status_t st = ring_geometry(rx.raw, &slots);
    if (st == OK)
        st = vx_sys_ring_map(rx.raw, &address);
    if (st == OK)
        vx_ring_consumer_init(c, address, slots, rx);
    return st;
}

status_t vx_ring_refresh_room(struct vx_ring_producer *p)
{
    /* acquire: pairs with the release in vx_ring_pop, so that the slot to be reused has been read */
    uint32_t tail = atomic_load_explicit(&p->shared->tail, memory_order_acquire);
    uint32_t used = p->mine - tail;
    if (used > p->mask + 1 || (atomic_load_explicit(&p->shared->closed, memory_order_relaxed) & CONSUMER_GONE) != 0)
        return ERR_PEER_CLOSED; /* invariant 2 */
    if (used == p->mask + 1)
        return ERR_WOULD_BLOCK;
    p->peer = tail;
    return OK;
}

status_t vx_ring_refused(struct vx_ring_consumer *c)
{
    /* `closed` before `head`: what a producer published before it went is still found. */
    uint32_t closed = atomic_load_explicit(&c->shared->closed, memory_order_acquire);
    uint32_t head = atomic_load_explicit(&c->shared->head, memory_order_acquire);
    uint32_t used = head - c->mine;
    if (used > c->mask + 1 || (used == 0 && (closed & PRODUCER_GONE) != 0))
        return ERR_PEER_CLOSED; /* invariant 2 */
    return ERR_WOULD_BLOCK;     /* if something came meanwhile, the next try finds it */
}

void vx_ring_wake_consumer(struct vx_ring_producer *p)
{
    /* A peer that has gone needs no waking; the next push will say so. */
    (void)vx_sys_signal_post(p->tx.raw, 0);
}

void vx_ring_wake_producer(struct vx_ring_consumer *c)
{
    (void)vx_sys_signal_post(c->rx.raw, 0);
}

bool vx_ring_sleep_begin(struct vx_ring_consumer *c)
{
    atomic_store_explicit(&c->shared->consumer_asleep, 1, memory_order_relaxed);
    /* seq_cst: my flag before its head, against its head before my flag (abi/ring.h) */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&c->shared->head, memory_order_relaxed) == c->mine &&
        (atomic_load_explicit(&c->shared->closed, memory_order_relaxed) & PRODUCER_GONE) == 0)
        return true;
    vx_ring_sleep_end(c);
    return false;
}

void vx_ring_sleep_end(struct vx_ring_consumer *c)
{
    atomic_store_explicit(&c->shared->consumer_asleep, 0, memory_order_relaxed);
}

/* The end of a wait in the kernel, which looked at the same counters as vx_ring_pop. If it saw a message, it put the
 * flag down; and if that is not there now, the peer took it back: invariant 2. */
static status_t pop_awaited(struct vx_ring_consumer *c, struct vx_message *message, status_t waited)
{
    if (waited != OK) {
        vx_ring_sleep_end(c);
        return waited;
    }
    status_t st = vx_ring_pop(c, message);
    return st != ERR_WOULD_BLOCK ? st : ERR_PEER_CLOSED;
}

status_t vx_ring_pop_wait(struct vx_ring_consumer *c, struct vx_message *message, uint64_t deadline)
{
    status_t st = vx_ring_pop(c, message);
    return st != ERR_WOULD_BLOCK ? st : pop_awaited(c, message, vx_sys_ring_recv(c->rx, nullptr, deadline));
}

/* There is no room, as far as p knows. */
[[gnu::noinline]] static status_t push_to_full(struct vx_ring_producer *p, const struct vx_message *message,
                                               uint64_t deadline)
{
    status_t st = vx_ring_push(p, message);
    if (st != ERR_WOULD_BLOCK)
        return st;
    atomic_store_explicit(&p->shared->producer_asleep, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst); /* as in vx_ring_sleep_begin, with the roles swapped */
    st = vx_ring_refresh_room(p);
    if (st == ERR_WOULD_BLOCK) {
        st = vx_sys_ring_send(p->tx, message, deadline);
        if (st == OK) {
            p->mine++;
            p->peer = p->mine - (p->mask + 1); /* there was room for it, and for all we know no more: invariant 1 */
        }
    } else if (st == OK) {
        st = vx_ring_push(p, message);
    }
    atomic_store_explicit(&p->shared->producer_asleep, 0, memory_order_relaxed);
    return st;
}

status_t vx_ring_push_wait(struct vx_ring_producer *p, const struct vx_message *message, uint64_t deadline)
{
    return p->mine - p->peer <= p->mask ? vx_ring_push(p, message) : push_to_full(p, message, deadline);
}

status_t vx_ring_exchange(struct vx_ring_producer *p, const struct vx_message *message, struct vx_ring_consumer *c,
                          struct vx_message *answer, uint64_t deadline)
{
    if (p->mine - p->peer > p->mask) {
        status_t st = push_to_full(p, message, deadline);
        return st == OK ? vx_ring_pop_wait(c, answer, deadline) : st;
    }
    (void)!vx_ring_put(p, message);
    atomic_thread_fence(memory_order_seq_cst); /* as in vx_ring_publish */
    if (atomic_load_explicit(&p->shared->consumer_asleep, memory_order_relaxed) == 0)
        return vx_ring_pop_wait(c, answer, deadline);
    /* The kernel raises our flag and looks once more; if the answer is there already, it comes back at once. */
    return pop_awaited(c, answer, vx_sys_ring_call(p->tx, nullptr, c->rx, nullptr, deadline, nullptr));
}
