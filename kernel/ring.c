/* SPDX-License-Identifier: MIT
 * Ring objects: life, closing, waking. The calls are in sys_ring.c; the shared layout and protocol in abi/ring.h.
 * Locking: all of this belongs to the owner of the gate, but for waking; user code on the other side of a mapped Ring
 * is concurrent all the same, which is why every shared word is read once and every store is ordered. */
#include <kernel/ring.h>
#include <kernel/task.h>
#include <arch/mmu.h>

status_t ring_create(struct reticle *home, uint32_t slots, bool with_caps, struct ring **out)
{
    struct object *o;
    paddr_t shared, places;
    status_t st = object_create(home, VX_CAP_RING_TX, sizeof(struct ring), &o);
    if (st != OK)
        return st;
    struct ring *r = ring_of(o);
    r->slots = r->n_cleared = slots;
    r->order = order_for(sizeof(struct vx_ring_shared) + (uint64_t)slots * sizeof(struct vx_message));
    r->inflight_order = order_for((uint64_t)slots * sizeof(struct cap));
    if ((st = reticle_alloc(home, r->order, PAGE_RING, &shared)) != OK)
        goto abandon;
    r->shared = arch_phys_to_virt(shared);
    if (with_caps) {
        if ((st = reticle_alloc(home, r->inflight_order, PAGE_RING, &places)) != OK)
            goto free_shared;
        reticle_split(home, places, r->inflight_order, 0); /* cap_table_of() */
        r->places = arch_phys_to_virt(places);
    }
    waitq_init(&r->rx_wait);
    waitq_init(&r->tx_wait);
    r->call_band = VX_BAND_COUNT;
    *out = r;
    return OK;
free_shared:
    reticle_free(home, shared, r->order);
abandon:
    object_abandon(o);
    return st;
}

bool ring_make_some(struct ring *r)
{
    uint32_t shared = 1u << r->order, all = shared + (r->places != nullptr ? 1u << r->inflight_order : 0);
    for (; r->n_zeroed < all; r->n_zeroed++) {
        uint32_t i = r->n_zeroed;
        if (!work_spend(WORK_PAGE))
            return false;
        arch_page_zero((char *)(i < shared ? (void *)r->shared : r->places) +
                       (size_t)(i < shared ? i : i - shared) * ARCH_PAGE_SIZE);
    }
    r->tx_open = r->rx_open = true;
    r->n_cleared = 0;
    atomic_store_explicit(&r->shared->epoch, r->obj.id, memory_order_relaxed);
    return true;
}

bool ring_fini(struct ring *r)
{
    ring_close_end(r, VX_CAP_RING_TX);
    ring_close_end(r, VX_CAP_RING_RX);
    binding_clear(&r->rx_binding);
    if (r->places != nullptr) {
        if (!ring_clear(r))
            return false;
        for (uint32_t i = 0; i < 1u << r->inflight_order; i++)
            reticle_free(r->obj.home, arch_virt_to_phys((char *)r->places + (size_t)i * ARCH_PAGE_SIZE), 0);
    }
    reticle_free(r->obj.home, arch_virt_to_phys(r->shared), r->order);
    return true;
}

bool ring_clear(struct ring *r)
{
    for (; r->places != nullptr && r->n_cleared < r->slots; r->n_cleared++) {
        struct cap *c = &r->places[r->n_cleared];
        if (!work_spend(c->type != VX_CAP_NONE ? 3 : r->n_cleared % 8 == 0))
            return false;
        if (c->type != VX_CAP_NONE)
            cap_delete(nullptr, c);
    }
    return true;
}

/* The Ring that r's receiving end travels in; nullptr: none. */
static const struct ring *carrier_of(const struct ring *r)
{
    const struct cap *c = r->obj.caps;
    while (c != nullptr && c->type != VX_CAP_RING_RX)
        c = c->next;
    return c != nullptr ? (const struct ring *)c->offset : nullptr;
}

status_t ring_may_carry(const struct ring *r, const struct cap *gift)
{
    if (gift->obj == &r->obj)
        return ERR_BUSY;
    if (gift->type != VX_CAP_RING_RX)
        return OK;
    for (unsigned depth = 0; (r = carrier_of(r)) != nullptr; depth++)
        if (gift->obj == &r->obj || depth == RING_NESTING_MAX)
            return ERR_BUSY;
    return OK;
}

void ring_close_end(struct ring *r, uint8_t end)
{
    if (end == VX_CAP_RING_TX && r->tx_open) {
        r->tx_open = false;
        atomic_fetch_or_explicit(&r->shared->closed, 1, memory_order_release); /* a hint for mapped peers */
        waitq_wake_all(&r->tx_wait);
        ring_notify_consumer(r);
    } else if (end == VX_CAP_RING_RX && r->rx_open) {
        r->rx_open = false;
        atomic_fetch_or_explicit(&r->shared->closed, 2, memory_order_release);
        binding_clear(&r->rx_binding); /* it was the consumer's */
        waitq_wake_all(&r->rx_wait);
        ring_notify_producer(r);
        object_destroy(&r->obj, END_FLIGHT);
    }
}

void ring_notify_producer(struct ring *r)
{
    struct thread *t = waitq_first(&r->tx_wait);
    if (t != nullptr)
        thread_wake(t);
}

void ring_facts(const struct ring *r, uint8_t end, struct vx_cap_facts *f)
{
    uint32_t used = ring_is_made(r) ? ring_used(r) : 0;
    f->a = r->slots;
    f->b = used <= r->slots ? used : 0;
    f->c = end == VX_CAP_RING_TX ? r->rx_open : r->tx_open;
    f->d = r->obj.id;
}

paddr_t ring_frame(const struct object *o, uint64_t offset, uint64_t *run)
{
    const struct ring *r = (const struct ring *)(const void *)o;
    *run = ((uint64_t)ARCH_PAGE_SIZE << r->order) - offset;
    return (paddr_t){ arch_virt_to_phys(r->shared).raw + offset };
}
